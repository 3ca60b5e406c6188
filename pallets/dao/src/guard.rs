//! The guard rail of one parameter: where its value may be, and how fast it may move.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;
use sp_runtime::Permill;

/// Largest distance between two values of a parameter.
#[derive(
	Copy,
	Clone,
	Debug,
	Eq,
	PartialEq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Limit {
	/// In the parameter's own unit.
	Absolute(u128),
	/// A share of the value that it moves away from, rounded down.
	Share(Permill),
}

impl Limit {
	/// The distance that this allows from `value`.
	fn from(self, value: u128) -> u128 {
		match self {
			Self::Absolute(distance) => distance,
			Self::Share(share) => share.mul_floor(value),
		}
	}

	/// The values that this allows from `value`.
	fn around(self, value: u128) -> Range {
		let distance = self.from(value);
		Range { lowest: value.saturating_sub(distance), highest: value.saturating_add(distance) }
	}
}

/// Values from `lowest` to `highest`, both included.
#[derive(
	Copy,
	Clone,
	Debug,
	Eq,
	PartialEq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Range {
	/// The least value.
	pub lowest: u128,
	/// The greatest value.
	pub highest: u128,
}

impl Range {
	/// Is `value` in it?
	pub fn contains(&self, value: u128) -> bool {
		(self.lowest..=self.highest).contains(&value)
	}

	/// What is in both. Empty (`lowest > highest`) where they do not meet.
	pub fn and(self, other: Self) -> Self {
		Self { lowest: self.lowest.max(other.lowest), highest: self.highest.min(other.highest) }
	}
}

/// Why a change was refused. Each carries the remedy in its documentation.
#[derive(
	Copy,
	Clone,
	Debug,
	Eq,
	PartialEq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	PalletError,
)]
pub enum GuardError {
	/// The value is not in the parameter's range; `allowed_values` tells which are.
	OutOfRange,
	/// One enactment may not move the parameter that far, nor may all of one block together: propose a
	/// value nearer to the one before.
	StepTooLarge,
	/// The parameter would move further within one period than it may: propose a value nearer to
	/// those that it had, or wait until they are a period old.
	PeriodExceeded,
	/// The parameter has this value already.
	SameValue,
}

/// The guard rail of a parameter. All of them are numbers: plancks, blocks, parts of a whole.
#[derive(
	Copy,
	Clone,
	Debug,
	Eq,
	PartialEq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Guard {
	/// Where the value may be at all. The value that the parameter starts with must be in it.
	pub range: Range,
	/// How far one enactment may move it; all of one block count as one.
	pub per_enactment: Limit,
	/// How far from any value that it had within the last period it may be.
	pub per_period: Limit,
}

impl Guard {
	/// Can the parameter be changed at all, from every value in the range?
	///
	/// A share of a small number rounds down to nothing, which would freeze the parameter there.
	pub fn is_sound(&self) -> bool {
		let Range { lowest, highest } = self.range;
		let moves = |limit: Limit| limit.from(lowest) > 0 && limit.from(highest) > 0;
		lowest < highest && moves(self.per_enactment) && moves(self.per_period)
	}

	/// What the parameter may become, if it is `current`, was `before` the present block, and has been
	/// `recent` within the last period.
	pub fn allowed(
		&self,
		current: u128,
		before: u128,
		recent: impl Iterator<Item = u128>,
	) -> Range {
		self.within_period(current, recent).and(self.per_enactment.around(before)).and(self.range)
	}

	/// The part of [`Self::allowed`] that the period decides.
	pub(crate) fn within_period(&self, current: u128, recent: impl Iterator<Item = u128>) -> Range {
		recent.fold(self.per_period.around(current), |range, value| {
			range.and(self.per_period.around(value))
		})
	}

	/// May the parameter become `new`?
	pub fn check(
		&self,
		current: u128,
		before: u128,
		new: u128,
		recent: impl Iterator<Item = u128>,
	) -> Result<(), GuardError> {
		if new == current {
			Err(GuardError::SameValue)
		} else if !self.range.contains(new) {
			Err(GuardError::OutOfRange)
		} else if !self.per_enactment.around(before).contains(new) {
			Err(GuardError::StepTooLarge)
		} else if !self.within_period(current, recent).contains(new) {
			Err(GuardError::PeriodExceeded)
		} else {
			Ok(())
		}
	}
}
