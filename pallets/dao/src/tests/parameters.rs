//! Guard rails.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::OnInitialize};
use proptest::prelude::*;
use sp_runtime::{DispatchError, DispatchResult, Permill, traits::BadOrigin};

fn set(key_value: RuntimeParameters) -> DispatchResult {
	Dao::set_parameter(Origin::TokenomicsAdmin.into(), key_value)
}

fn refused(key_value: RuntimeParameters, why: GuardError) {
	assert_noop!(set(key_value), Error::<Test>::Guard(why));
}

mod set_parameter {
	use super::*;

	#[test]
	fn works() {
		build_and_execute(|| {
			assert_ok!(set(budget(1_100)));
			assert_eq!(Guarded::current(&BUDGET), 1_100);
			assert_eq!(Settled::get(), vec![1_000], "the old value was settled first");
			System::assert_last_event(
				Event::<Test>::ParameterSet { key: BUDGET, from: 1_000, to: 1_100 }.into(),
			);
			assert_eq!(
				History::<Test>::get(BUDGET).into_inner(),
				vec![Former { until: 1, value: 1_000 }]
			);
		});
	}

	#[test]
	fn fails_for_other_origins() {
		build_and_execute(|| {
			for origin in [
				RuntimeOrigin::root(),
				RuntimeOrigin::signed(1),
				Origin::GeneralAdmin.into(),
				Origin::GuardRail.into(),
			] {
				assert_noop!(Dao::set_parameter(origin, budget(1_001)), BadOrigin);
			}
			assert_noop!(
				Parameters::set_parameter(Origin::TokenomicsAdmin.into(), budget(1_001)),
				BadOrigin
			);
		});
	}

	#[test]
	fn fails_without_a_value() {
		build_and_execute(|| {
			assert_noop!(set(budget(None)), Error::<Test>::NoValue);
		});
	}

	#[test]
	fn fails_beyond_range_step_and_period() {
		build_and_execute(|| {
			refused(budget(1_000), GuardError::SameValue);
			refused(budget(99), GuardError::OutOfRange);
			refused(budget(10_001), GuardError::OutOfRange);
			refused(budget(u128::MAX), GuardError::OutOfRange);
			refused(budget(1_101), GuardError::StepTooLarge);
			refused(budget(899), GuardError::StepTooLarge);
			assert_ok!(set(budget(1_100)));
			run_to(2);
			assert_ok!(set(budget(1_200)));
			run_to(3);
			refused(budget(1_251), GuardError::PeriodExceeded);
			assert_ok!(set(budget(1_250)));
			run_to(4);
			// Back down by as much as one likes, within the limit from the highest value.
			refused(budget(1_124), GuardError::StepTooLarge);
		});
	}

	#[test]
	fn fails_for_a_further_step_in_the_same_block() {
		build_and_execute(|| {
			assert_ok!(set(budget(1_100)));
			refused(budget(1_101), GuardError::StepTooLarge);
			assert_eq!(Dao::allowed_values(BUDGET), Range { lowest: 900, highest: 1_100 });
			assert_ok!(set(budget(1_050)));
			refused(budget(1_101), GuardError::StepTooLarge);
			run_to(2);
			assert_ok!(set(budget(1_101)));
		});
	}

	#[test]
	fn fails_after_too_many_changes_until_the_first_is_old() {
		build_and_execute(|| {
			for value in [1_001, 1_002, 1_003, 1_004] {
				assert_ok!(set(budget(value)));
			}
			assert_noop!(set(budget(1_005)), Error::<Test>::TooManyChanges);
			run_to(100);
			assert_noop!(set(budget(1_005)), Error::<Test>::TooManyChanges);
			run_to(101);
			assert_ok!(set(budget(1_005)));
			assert_eq!(History::<Test>::get(BUDGET).len(), 1, "old values are forgotten");
		});
	}

	#[test]
	fn changes_nothing_if_settling_fails() {
		build_and_execute(|| {
			SettlingFails::set(true);
			assert_noop!(set(budget(1_001)), DispatchError::Other("cannot settle"));
		});
	}

	#[test]
	fn allows_more_after_a_period() {
		build_and_execute(|| {
			assert_ok!(set(workers(7)));
			run_to(2);
			assert_ok!(set(workers(8)));
			run_to(3);
			refused(workers(9), GuardError::PeriodExceeded);
			assert_eq!(Dao::allowed_values(WORKERS), Range { lowest: 6, highest: 8 });
			run_to(101);
			assert_eq!(Dao::allowed_values(WORKERS), Range { lowest: 6, highest: 10 });
			assert_ok!(set(workers(10)));
		});
	}
}

#[test]
fn a_guard_that_freezes_its_parameter_is_unsound() {
	let sound = Guarded::guard(&BUDGET);
	assert!(sound.is_sound());
	let share = Limit::Share(Permill::from_parts(1));
	assert!(!Guard { per_enactment: share, ..sound }.is_sound());
	assert!(!Guard { per_period: Limit::Absolute(0), ..sound }.is_sound());
	assert!(!Guard { range: Range { lowest: 5, highest: 5 }, ..sound }.is_sound());
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

	/// Whatever is enacted, in whatever order: no two values within a period are further apart than
	/// the limit per period allows, and nothing that was refused changed anything.
	#[test]
	fn no_sequence_of_enactments_is_faster_than_the_bound(
		proposals in prop::collection::vec((0u64..60, 0u32..3_000, any::<bool>()), 1..80)
	) {
		MaxChanges::set(16);
		build_and_execute(|| {
			// (block, value) from the block on.
			let mut values = vec![(0, Guarded::current(&BUDGET))];
			for (wait, permille, near_the_bound) in proposals {
				let now = System::block_number() + wait;
				System::set_block_number(now);
				let current = Guarded::current(&BUDGET);
				let Range { lowest, highest } = Dao::allowed_values(BUDGET);
				let value = match near_the_bound {
					true => [lowest, highest, lowest.saturating_sub(1), highest + 1]
						[permille as usize % 4],
					false => current * u128::from(permille) / 1_000,
				};
				let allowed = value != current && (lowest..=highest).contains(&value);
				match set(budget(value)) {
					Ok(()) => {
						assert!(allowed);
						let earlier = values.iter().rev().find(|(at, _)| *at < now);
						let (_, before) = *earlier.expect("the first is from before all blocks");
						assert!(before.abs_diff(value) <= Permill::from_percent(10) * before);
						values.push((now, value));
					},
					Err(error) => {
						let full = error == Error::<Test>::TooManyChanges.into();
						assert!(!allowed || full, "{error:?}");
						assert_eq!(Guarded::current(&BUDGET), current);
					},
				}
				Dao::do_try_state().expect("the invariants hold");
			}
			let step = Permill::from_percent(25);
			for (index, (_, earlier)) in values.iter().enumerate() {
				// It was in force until its successor came.
				let Some((until, _)) = values.get(index + 1) else { break };
				for (at, later) in values[index + 1..].iter().filter(|(at, _)| *at < until + 100) {
					assert!(
						earlier.abs_diff(*later) <= step * *earlier,
						"{earlier} until {until} and {later} at {at}"
					);
				}
			}
		});
		MaxChanges::set(4);
	}
}

#[test]
fn hooks_do_nothing_without_work() {
	build_and_execute(|| {
		Dao::on_initialize(1);
		assert!(System::events().is_empty());
	});
}
