//! The figures of the economy, with the ranges that governance cannot leave.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

use crate::{Balance, Budget, Fixed, PHA};

/// The figures that the formulas take. A *step* is one relay-chain block, 6 s.
///
/// Build from a preset ([`Parameters::launch`]) and [validate](Self::validate) after each change.
#[derive(
	Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parameters {
	/// ρ − 1: growth of V, and healing of health, per step.
	pub growth: Fixed,
	/// s: loss of V and of health per step while unresponsive.
	pub slash: Fixed,
	/// cost_k: running cost per step and per point of score, PHA.
	pub cost_slope: Fixed,
	/// cost_b: running cost per step whatever the score, PHA.
	pub cost_base: Fixed,
	/// rig_k: cost of the rig per point of score, PHA.
	pub rig_slope: Fixed,
	/// rig_b: cost of a rig whatever the score, PHA.
	pub rig_base: Fixed,
	/// Re: how much stake and rig count in V at full confidence.
	pub stake_multiplier: Fixed,
	/// k: the smallest stake is k·√P PHA.
	pub min_stake_factor: Fixed,
	/// V_max: no V is above it, PHA.
	pub v_max: Fixed,
	/// The smallest score that may mine.
	pub min_score: u32,
	/// Pay per step, as a part of V, is at most this.
	pub pay_cap: Fixed,
	/// Steps that an unresponsive worker waits before an answer brings it back.
	pub probation: u32,
	/// What all workers together are paid.
	pub budget: Budget,
	/// The part of each payment that goes to the treasury.
	pub treasury_share: Perbill,
}

/// A figure is outside its range. Choose one inside; [`RANGES`] lists them.
#[derive(
	Clone,
	Copy,
	Debug,
	Decode,
	DecodeWithMemTracking,
	Encode,
	Eq,
	MaxEncodedLen,
	PartialEq,
	TypeInfo,
)]
pub enum ParameterError {
	/// `growth` is not within [0, 2·10⁻⁶].
	Growth,
	/// `slash` is not within [10⁻⁸, 10⁻⁴].
	Slash,
	/// `cost_slope` is not within [0, 10⁻⁶].
	CostSlope,
	/// `cost_base` is not within [0, 10⁻³].
	CostBase,
	/// `rig_slope` is not within [0, 10].
	RigSlope,
	/// `rig_base` is not within [0, 10 000].
	RigBase,
	/// `stake_multiplier` is not within [1, 3].
	StakeMultiplier,
	/// `min_stake_factor` is not within [1, 1000].
	MinStakeFactor,
	/// `v_max` is not within [1000, 1 000 000].
	VMax,
	/// `min_score` is not within [1, 100 000].
	MinScore,
	/// `pay_cap` is not within [10⁻⁸, 1].
	PayCap,
	/// `probation` is not within [1, 14 400], at most a day.
	Probation,
	/// `budget.per_block` is not within [0, 200 PHA].
	BudgetPerBlock,
	/// `budget.period` is not within [14 400, 10 512 000], a day to two years.
	BudgetPeriod,
	/// `budget.keep` is above 95 %, with which the schedule could spend more than the pot has.
	BudgetKeep,
	/// `treasury_share` is above 50 %.
	TreasuryShare,
}

impl fmt::Display for ParameterError {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "{self:?} is outside its range")
	}
}

impl core::error::Error for ParameterError {}

/// Lowest and highest value of each figure that is a [`Fixed`], and the error outside.
pub const RANGES: [(ParameterError, Fixed, Fixed); 10] = [
	(ParameterError::Growth, Fixed::ZERO, Fixed::constant(2, 1_000_000)),
	(ParameterError::Slash, Fixed::constant(1, 100_000_000), Fixed::constant(1, 10_000)),
	(ParameterError::CostSlope, Fixed::ZERO, Fixed::constant(1, 1_000_000)),
	(ParameterError::CostBase, Fixed::ZERO, Fixed::constant(1, 1_000)),
	(ParameterError::RigSlope, Fixed::ZERO, Fixed::from_u32(10)),
	(ParameterError::RigBase, Fixed::ZERO, Fixed::from_u32(10_000)),
	(ParameterError::StakeMultiplier, Fixed::ONE, Fixed::from_u32(3)),
	(ParameterError::MinStakeFactor, Fixed::ONE, Fixed::from_u32(1_000)),
	(ParameterError::VMax, Fixed::from_u32(1_000), Fixed::from_u32(1_000_000)),
	(ParameterError::PayCap, Fixed::constant(1, 100_000_000), Fixed::ONE),
];

/// The highest budget per relay-chain block, planck.
pub const MAX_BUDGET_PER_BLOCK: Balance = 200 * PHA;

impl Parameters {
	/// That each figure is within its range.
	///
	/// The ranges keep every formula within the range of [`Fixed`] and every rate below 1; they
	/// are wide enough for both parameter sets of the reference network.
	pub fn validate(&self) -> Result<(), ParameterError> {
		for (error, lowest, highest) in RANGES {
			let value = match error {
				ParameterError::Growth => self.growth,
				ParameterError::Slash => self.slash,
				ParameterError::CostSlope => self.cost_slope,
				ParameterError::CostBase => self.cost_base,
				ParameterError::RigSlope => self.rig_slope,
				ParameterError::RigBase => self.rig_base,
				ParameterError::StakeMultiplier => self.stake_multiplier,
				ParameterError::MinStakeFactor => self.min_stake_factor,
				ParameterError::VMax => self.v_max,
				ParameterError::PayCap => self.pay_cap,
				// Those that are no `Fixed` follow.
				_ => continue,
			};
			if value < lowest || value > highest {
				return Err(error);
			}
		}
		let checks = [
			(ParameterError::MinScore, (1..=100_000).contains(&self.min_score)),
			(ParameterError::Probation, (1..=14_400).contains(&self.probation)),
			(ParameterError::BudgetPerBlock, self.budget.per_block <= MAX_BUDGET_PER_BLOCK),
			(ParameterError::BudgetPeriod, (14_400..=10_512_000).contains(&self.budget.period)),
			(ParameterError::BudgetKeep, self.budget.keep <= Perbill::from_percent(95)),
			(ParameterError::TreasuryShare, self.treasury_share <= Perbill::from_percent(50)),
		];
		match checks.into_iter().find(|(_, holds)| !holds) {
			Some((error, _)) => Err(error),
			None => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Sets one figure of the launch parameters and validates.
	fn with(change: impl FnOnce(&mut Parameters)) -> Result<(), ParameterError> {
		let mut parameters = Parameters::launch();
		change(&mut parameters);
		parameters.validate()
	}

	#[test]
	fn every_bound_binds() {
		for (error, lowest, highest) in RANGES {
			let field = |p: &mut Parameters, value| match error {
				ParameterError::Growth => p.growth = value,
				ParameterError::Slash => p.slash = value,
				ParameterError::CostSlope => p.cost_slope = value,
				ParameterError::CostBase => p.cost_base = value,
				ParameterError::RigSlope => p.rig_slope = value,
				ParameterError::RigBase => p.rig_base = value,
				ParameterError::StakeMultiplier => p.stake_multiplier = value,
				ParameterError::MinStakeFactor => p.min_stake_factor = value,
				ParameterError::VMax => p.v_max = value,
				ParameterError::PayCap => p.pay_cap = value,
				_ => unreachable!(),
			};
			assert_eq!(with(|p| field(p, lowest)), Ok(()));
			assert_eq!(with(|p| field(p, highest)), Ok(()));
			assert_eq!(with(|p| field(p, highest.saturating_add(Fixed::EPSILON))), Err(error));
			if lowest > Fixed::ZERO {
				assert_eq!(with(|p| field(p, lowest.saturating_sub(Fixed::EPSILON))), Err(error));
			}
		}
	}

	#[test]
	fn every_other_figure_is_checked() {
		use ParameterError::*;
		assert_eq!(with(|p| p.min_score = 0), Err(MinScore));
		assert_eq!(with(|p| p.min_score = 100_001), Err(MinScore));
		assert_eq!(with(|p| p.probation = 0), Err(Probation));
		assert_eq!(with(|p| p.probation = 14_401), Err(Probation));
		assert_eq!(with(|p| p.budget.per_block = 200 * PHA + 1), Err(BudgetPerBlock));
		assert_eq!(with(|p| p.budget.period = 14_399), Err(BudgetPeriod));
		assert_eq!(with(|p| p.budget.keep = Perbill::from_percent(96)), Err(BudgetKeep));
		assert_eq!(with(|p| p.treasury_share = Perbill::from_percent(51)), Err(TreasuryShare));
		assert_eq!(with(|p| p.budget.per_block = 0), Ok(()));
	}
}
