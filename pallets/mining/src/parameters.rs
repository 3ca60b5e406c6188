//! Changes of parameters: how far one may go.

use crate::{
	Config, Error, Event, LastChange, Pallet, ParameterVersions,
	pallet::{Event::ParametersScheduled, Event::ParametersUnscheduled},
};
use frame_support::{ensure, traits::Get};
use phala_tokenomics::{Fixed, MAX_BUDGET_PER_BLOCK, ParameterError, Parameters, RANGES};
use sp_runtime::DispatchResult;

/// Part of a range's highest value by which a small figure may move, so that one that is zero is not
/// stuck there.
const SMALLEST_STEP: u128 = 64;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_schedule(parameters: Parameters, at: u32) -> DispatchResult {
		let (economy, mut versions) = Self::present().ok_or(Error::<T>::NotBegun)?;
		// Its range first, as a figure out of range is a step too large as well.
		parameters.validate().map_err(Error::<T>::from)?;
		ensure!(is_small_step(versions.current(), &parameters), Error::<T>::StepTooLarge);
		if let Some(last) = LastChange::<T>::get() {
			ensure!(at >= last.saturating_add(T::ChangeInterval::get()), Error::<T>::TooSoon);
		}
		versions
			.schedule(parameters.clone(), at, economy.accumulator.now())
			.map_err(Error::<T>::from)?;
		ParameterVersions::<T>::put(versions);
		Self::deposit_event(ParametersScheduled { at, parameters });
		Ok(())
	}

	pub(crate) fn do_unschedule() -> DispatchResult {
		let (_, mut versions) = Self::present().ok_or(Error::<T>::NotBegun)?;
		ensure!(versions.next().is_some(), Error::<T>::NothingScheduled);
		versions.unschedule();
		ParameterVersions::<T>::put(versions);
		Self::deposit_event(ParametersUnscheduled);
		Ok(())
	}

	/// Parameters changed with the present block.
	pub(crate) fn changed(relay: u32) {
		LastChange::<T>::put(relay);
		Self::deposit_event(Event::ParametersChanged);
	}
}

/// Whether each figure is at most doubled or halved, or moves by a 64th of its highest value.
pub(crate) fn is_small_step(from: &Parameters, to: &Parameters) -> bool {
	let highest = |figure| {
		let range = RANGES.into_iter().find(|(error, ..)| *error == figure);
		range.map_or(0, |(_, _, highest): (_, Fixed, Fixed)| highest.to_bits())
	};
	use ParameterError::*;
	let fixed = |figure, from: Fixed, to: Fixed| (from.to_bits(), to.to_bits(), highest(figure));
	let parts = |one: sp_runtime::Perbill| u128::from(one.deconstruct());
	let steps = [
		fixed(Growth, from.growth, to.growth),
		fixed(Slash, from.slash, to.slash),
		fixed(CostSlope, from.cost_slope, to.cost_slope),
		fixed(CostBase, from.cost_base, to.cost_base),
		fixed(RigSlope, from.rig_slope, to.rig_slope),
		fixed(RigBase, from.rig_base, to.rig_base),
		fixed(StakeMultiplier, from.stake_multiplier, to.stake_multiplier),
		fixed(MinStakeFactor, from.min_stake_factor, to.min_stake_factor),
		fixed(VMax, from.v_max, to.v_max),
		// Its range goes up to 1, a hundred thousand times what is usual.
		(from.pay_cap.to_bits(), to.pay_cap.to_bits(), 0),
		(from.min_score.into(), to.min_score.into(), 0),
		(from.probation.into(), to.probation.into(), 0),
		(from.budget.per_block, to.budget.per_block, MAX_BUDGET_PER_BLOCK),
		(from.budget.period.into(), to.budget.period.into(), 0),
		(parts(from.budget.keep), parts(to.budget.keep), 950_000_000),
		(parts(from.treasury_share), parts(to.treasury_share), 500_000_000),
	];
	steps.into_iter().all(|(from, to, highest)| {
		let smallest = highest.checked_div(SMALLEST_STEP).unwrap_or(0);
		let (low, high) = (from.min(to), from.max(to));
		high.saturating_sub(low) <= low.max(smallest)
	})
}
