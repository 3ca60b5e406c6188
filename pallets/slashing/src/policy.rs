//! What governance may set, within which ranges, and how far at a time.

use crate::maths::{Fractions, within_step};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::ops::RangeInclusive;
use frame_support::PalletError;
use phala_primitives::{Authorities, Authority, Correlation, OffenceClass};
use scale_info::TypeInfo;
use sp_runtime::Perquintill;

/// A tenth of a percent.
const MILLE: u64 = 1_000_000_000_000_000;
const ZERO: Perquintill = Perquintill::from_percent(0);
const ONE: Perquintill = Perquintill::from_percent(100);

/// Why a change was refused.
#[derive(
	Copy, Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, PalletError,
)]
pub enum Refusal {
	/// A value is outside of its range. Keep to the ranges in the documentation of the type.
	#[codec(index = 0)]
	OutOfRange,
	/// A value moves by more than a factor of two. Take several enactments.
	#[codec(index = 1)]
	StepTooLarge,
	/// The last change is too recent. Try again after `ChangeInterval`.
	#[codec(index = 2)]
	TooSoon,
}

/// Checks one value of a change.
fn check(old: u128, new: u128, range: RangeInclusive<u128>, grain: u128) -> Result<(), Refusal> {
	if !range.contains(&new) {
		return Err(Refusal::OutOfRange);
	}
	if !within_step(old, new, grain) {
		return Err(Refusal::StepTooLarge);
	}
	Ok(())
}

fn parts(fraction: Perquintill) -> u128 {
	fraction.deconstruct().into()
}

fn range(range: RangeInclusive<Perquintill>) -> RangeInclusive<u128> {
	parts(*range.start())..=parts(*range.end())
}

/// A class's row in the governed table.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Policy {
	/// Fraction of the stake for an offence of full severity on its own. 0.1 % to 100 %.
	pub base: Perquintill,
	/// Lowered classes: exposure up to which nothing is lowered, 0.1 % to 100 %. Raised ones: limit
	/// of the raise, `base` to 100 %. Others: 0.
	pub correlated: Perquintill,
	/// Fraction of the class's stake that one era may take. 0.1 % to 33 %.
	pub ceiling: Perquintill,
	/// Who may report. Empty switches the class off.
	pub authorities: Authorities,
}

impl Policy {
	/// The row that a chain starts with.
	pub fn initial(class: OffenceClass) -> Self {
		let percent = Perquintill::from_percent;
		let mille = |n: u64| Perquintill::from_parts(n.saturating_mul(MILLE));
		let (base, correlated, ceiling, authorities): (_, _, _, &[Authority]) = match class {
			OffenceClass::Outage => (ONE, percent(1), mille(5), &[Authority::Mining]),
			OffenceClass::Equivocation => {
				(percent(10), ONE, percent(10), &[Authority::Keys, Authority::Quota])
			}
			OffenceClass::KeyCeremony => (percent(5), ONE, percent(10), &[Authority::Keys]),
			OffenceClass::Absence => (percent(1), percent(1), mille(5), &[Authority::Keys]),
			OffenceClass::FalseReport => {
				let judges = &[Authority::Keys, Authority::Quota, Authority::Registry];
				(percent(1), ZERO, percent(1), judges)
			}
			OffenceClass::LeaseBreach => (percent(5), ZERO, percent(5), &[Authority::Quota]),
			OffenceClass::Compromise => {
				(percent(50), ZERO, percent(10), &[Authority::Registry, Authority::Accusation])
			}
		};
		Self { base, correlated, ceiling, authorities: Authorities::of(authorities) }
	}

	/// The figures that decide a fraction.
	pub fn fractions(&self) -> Fractions {
		Fractions { base: self.base, correlated: self.correlated }
	}

	/// May `new` take the place of `self` for `class`?
	pub fn check_change(&self, class: OffenceClass, new: &Self) -> Result<(), Refusal> {
		let mille = Perquintill::from_parts(MILLE);
		let grain = parts(mille);
		let correlated = match class.correlation() {
			Correlation::Lowers => mille..=ONE,
			Correlation::Raises => new.base..=ONE,
			Correlation::Independent => ZERO..=ZERO,
		};
		check(parts(self.base), parts(new.base), range(mille..=ONE), grain)?;
		check(parts(self.correlated), parts(new.correlated), range(correlated), grain)?;
		let ceiling = range(mille..=Perquintill::from_percent(33));
		check(parts(self.ceiling), parts(new.ceiling), ceiling, grain)?;
		if !new.authorities.is_valid() {
			return Err(Refusal::OutOfRange);
		}
		Ok(())
	}

	/// Is the row within its ranges?
	pub fn is_valid(&self, class: OffenceClass) -> bool {
		self.check_change(class, self).is_ok()
	}
}

/// What holds for all classes.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Parameters {
	/// Relay-chain blocks between a report and its application. From the evidence window and an era,
	/// so that an era's offences are all known when the first of them is weighed, to 28 eras more.
	pub deferral: u32,
	/// Relay-chain blocks in which an accusation has to be judged. 1 to 28 eras.
	pub judgement: u32,
	/// Bond for an accusation, in plancks. 1 to 100,000 units.
	pub bond: u128,
	/// Reporter's share of what is taken of the offender's own stake. 0 to 25 %.
	pub reporter_share: Perquintill,
	/// Part of the bond that an accusation costs which nobody judged in time: it kept somebody's stake
	/// from leaving. 0 to 50 %.
	pub lapse_fee: Perquintill,
	/// What an era may take from a class however small it is, in plancks. 1 to 1,000,000 units.
	pub least_ceiling: u128,
}

/// What the ranges of [`Parameters`] are made of: constants of the runtime.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Scale {
	/// Relay-chain blocks of an era.
	pub era: u32,
	/// Relay-chain blocks for which an offence can be reported.
	pub evidence_window: u32,
	/// One unit of the currency, in plancks.
	pub unit: u128,
}

impl Parameters {
	/// The figures that a chain starts with.
	pub fn initial(scale: Scale) -> Self {
		Self {
			deferral: scale.evidence_window.saturating_add(scale.era),
			judgement: scale.era.saturating_mul(14),
			bond: scale.unit.saturating_mul(100),
			reporter_share: Perquintill::from_percent(10),
			lapse_fee: Perquintill::from_percent(10),
			least_ceiling: scale.unit.saturating_mul(1_000),
		}
	}

	/// May `new` take the place of `self`?
	pub fn check_change(&self, new: &Self, scale: Scale) -> Result<(), Refusal> {
		let era = u128::from(scale.era);
		let months = era.saturating_mul(28);
		let least = u128::from(scale.evidence_window).saturating_add(era);
		let units = |n: u128| scale.unit.saturating_mul(n);
		let percent = |n| range(ZERO..=Perquintill::from_percent(n));
		let grain = parts(Perquintill::from_percent(1));
		let deferral = least..=least.saturating_add(months);
		check(self.deferral.into(), new.deferral.into(), deferral, 0)?;
		check(self.judgement.into(), new.judgement.into(), era..=months, 0)?;
		check(self.bond, new.bond, units(1)..=units(100_000), 0)?;
		check(parts(self.reporter_share), parts(new.reporter_share), percent(25), grain)?;
		check(parts(self.lapse_fee), parts(new.lapse_fee), percent(50), grain)?;
		check(self.least_ceiling, new.least_ceiling, units(1)..=units(1_000_000), 0)
	}

	/// Are the parameters within their ranges?
	pub fn is_valid(&self, scale: Scale) -> bool {
		self.check_change(self, scale).is_ok()
	}
}

/// A value that governance set.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Enacted<Value> {
	/// The value.
	pub value: Value,
	/// Relay-chain block in which it took effect.
	pub since: u32,
}
