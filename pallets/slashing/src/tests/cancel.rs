//! Cancelling and pardoning: everything comes back, to whom it belongs.

use crate::{
	Error, Event, Queues,
	mock::*,
	types::{PardonWalk, Stage},
};
use frame_support::{assert_noop, assert_ok};
use phala_primitives::{
	OffenceClass::{Equivocation, Outage},
	OffenceId, OpenCases, Slashable,
};
use sp_runtime::DispatchError::BadOrigin;

fn cancel(id: OffenceId) -> frame_support::dispatch::DispatchResult {
	Slashing::cancel(RuntimeOrigin::signed(CANCELLERS), id, false)
}

fn is_cancelled(id: OffenceId) -> bool {
	matches!(get(id).stage, Stage::Cancelled { .. })
}

/// The delegators of the moment of the offence get back what they bore, also if they have left
/// since; whoever came later gets nothing of it.
#[test]
fn cancel_restores_each_holder_exactly() {
	ExtBuilder::default().build_and_execute(|| {
		let early = delegator(0, 0);
		let before = entitlement(0);
		let id = outage(0, percent(37));
		assert_eq!(claims(0)[&owner(0)], 100 * PHA);
		assert_eq!(claims(0)[&early], 90 * PHA);
		// Takes out all that is not suspected.
		assert_eq!(leave(0, early, 300 * PHA), 210 * PHA);

		deposit(0, BOB, 500 * PHA);

		assert_ok!(cancel(id));
		let mut expected = before;
		*expected.get_mut(&early).unwrap() -= 210 * PHA;
		expected.insert(BOB, 500 * PHA);
		assert_eq!(entitlement(0), expected);
		assert!(claims(0).is_empty());
		let offence = get(id);
		assert_eq!((offence.restored, offence.charged), (370 * PHA, 0));
		assert!(is_cancelled(id));
		assert!(!Slashing::has_open_case(&0));
	});
}

#[test]
fn cancel_errors_correctly() {
	ExtBuilder::default().build_and_execute(|| {
		let id = equivocation(0);
		let by = |origin| Slashing::cancel(origin, id, false);
		assert_noop!(by(RuntimeOrigin::signed(ALICE)), BadOrigin);
		assert_noop!(by(RuntimeOrigin::signed(JUDGES)), BadOrigin);
		let unknown = OffenceId { index: 1, ..id };
		assert_noop!(cancel(unknown), Error::<Test>::OffenceNotFound);
		assert_ok!(cancel(id));
		assert_noop!(cancel(id), Error::<Test>::AlreadyClosed);
		let other = equivocation(1);
		run_for(DEFERRAL);
		assert_noop!(cancel(other), Error::<Test>::AlreadyClosed);
	});
}

/// Until the block in which it is due, all can be cancelled.
#[test]
fn cancel_works_until_the_last_block() {
	ExtBuilder::default().build_and_execute(|| {
		let before = entitlement(0);
		let id = equivocation(0);
		run_to(DEFERRAL);
		assert_ok!(cancel(id));
		run_for(3 * ERA);
		assert_eq!(entitlement(0), before);
		assert_eq!(get(id).charged, 0);
	});
}

/// What rolled over to the next era can still be cancelled; what was taken is gone.
#[test]
fn cancel_between_two_eras_restores_the_rest() {
	ExtBuilder::default().stakes(10_000 * PHA, 30_000 * PHA).build_and_execute(|| {
		let before = (entitlement(0), treasury());
		// The offence costs 15 % of 100,000 PHA; an era takes 1 % of a million.
		force_policy(Equivocation, |policy| {
			policy.base = percent(15);
			policy.ceiling = percent(1);
		});
		let id = equivocation(0);
		run_to(1 + DEFERRAL);
		let offence = get(id);
		assert_eq!((offence.stage, offence.charged), (Stage::Applying, 10_000 * PHA));
		assert_eq!(offence.suspected(), 5_000 * PHA);
		assert_ok!(cancel(id));
		let offence = get(id);
		assert_eq!((offence.charged, offence.restored), (10_000 * PHA, 5_000 * PHA));
		assert_eq!(treasury(), before.1 + 10_000 * PHA);
		let mut expected = before.0;
		expected.remove(&owner(0));
		assert_eq!(entitlement(0), expected, "the owner paid, the delegators did not");
		run_for(5 * ERA);
		assert_eq!(treasury(), before.1 + 10_000 * PHA);
	});
}

#[test]
fn pardon_cancels_a_range_and_only_that() {
	ExtBuilder::default().build_and_execute(|| {
		let before: Vec<_> = (0..10).map(entitlement).collect();
		let ids: Vec<_> = (0..10).map(|pool| outage(pool, percent(5))).collect();
		assert_ok!(cancel(ids[3]));
		events();
		let pardon =
			|first, last| Slashing::pardon(RuntimeOrigin::signed(CANCELLERS), Outage, first, last);
		assert_noop!(Slashing::pardon(RuntimeOrigin::signed(ALICE), Outage, 2, 5), BadOrigin);
		assert_noop!(pardon(10, 20), Error::<Test>::OffenceNotFound);
		assert_noop!(pardon(5, 2), Error::<Test>::OffenceNotFound);
		assert_ok!(pardon(2, 5));
		assert_eq!(events(), [Event::PardonBegun { class: Outage, first: 2, last: 5 }]);
		assert_noop!(pardon(7, 8), Error::<Test>::PardonRunning);
		// Nothing of the class is applied before the pardon is through.
		jump_to(1 + DEFERRAL);
		for at in 2..=5 {
			assert_eq!(Queues::<Test>::get(Outage).pardon, Some(PardonWalk { at, last: 5 }));
			assert_ok!(Slashing::apply(RuntimeOrigin::signed(ALICE), Outage, 1));
		}
		assert_eq!(Queues::<Test>::get(Outage).pardon, None);
		let cancelled: Vec<_> = (0..10).filter(|n| is_cancelled(ids[*n])).collect();
		assert_eq!(cancelled, [2, 3, 4, 5]);
		for pool in [2, 3, 4, 5] {
			assert_eq!(entitlement(pool), before[pool as usize]);
		}
		run_for(20 * ERA);
		for pool in [0, 1, 6, 7, 8, 9] {
			assert!(get(ids[pool]).charged > 0);
		}
	});
}

/// A pardon of everything comes before what is due in the same block.
#[test]
fn pardon_of_a_mass_mistake_takes_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		let before: Vec<_> = (0..10).map(entitlement).collect();
		for pool in 0..10 {
			outage(pool, percent(10));
			equivocation(pool);
		}
		jump_to(1 + DEFERRAL);
		for class in [Outage, Equivocation] {
			assert_ok!(Slashing::pardon(RuntimeOrigin::root(), class, 0, u64::MAX));
		}
		poll();
		assert_eq!((0..10).map(entitlement).collect::<Vec<_>>(), before);
		assert!((0..10).all(|pool| !Slashing::has_open_case(&pool)));
		assert!(claims(0).is_empty() && Pools::stake(&0) == 1_000 * PHA);
	});
}
