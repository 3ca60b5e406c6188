//! What the ledger does with a slashable that has no room, answers with less, or changes meanwhile.

use crate::{Error, Event, WeightInfo, mock::*, types::Stage};
use frame_support::assert_ok;
use phala_primitives::{
	OffenceClass::{self, Equivocation, LeaseBreach, Outage},
	OpenCases, Slashable,
};
use sp_runtime::DispatchError;

/// An offender could fill what keeps his tranches with trifles. The real offence is on record all the
/// same, its stake cannot leave, and it is taken as soon as there is room.
#[test]
fn no_room_for_a_tranche_is_no_escape() {
	ExtBuilder::default().build_and_execute(|| {
		has_room(0, false);
		let (error, amount) = (DispatchError::Exhausted, 100 * PHA);
		let id = equivocation(0);
		assert!(events().contains(&Event::RaiseRefused { id, amount, error }));
		assert_eq!((get(id).suspected(), Pools::stake(&0)), (0, 1_000 * PHA));
		assert!(Slashing::has_open_case(&0));
		// Others of the era are raised by it.
		assert_eq!(get(equivocation(1)).suspected(), 360 * PHA);

		run_to(1 + DEFERRAL);
		assert_eq!(get(id).stage, Stage::Deferred, "it is asked again");
		assert!(events().iter().any(|event| matches!(event, Event::RaiseRefused { .. })));
		poll();
		assert_eq!(events(), [], "once an era");
		has_room(0, true);
		assert_ok!(Slashing::apply(RuntimeOrigin::signed(BOB), Equivocation, 9));
		assert_eq!(get(id).charged, 360 * PHA);
		assert_eq!(get(id).missing, 0);
	});
}

/// It waits for a deferral and no longer: what is behind it is due as well.
#[test]
fn patience_with_a_slashable_ends() {
	ExtBuilder::default().build_and_execute(|| {
		has_room(0, false);
		let id = report(offence(LeaseBreach, 0)).unwrap();
		let behind = report(offence(LeaseBreach, 1)).unwrap();
		run_to(2 * DEFERRAL);
		assert_eq!(get(behind).stage, Stage::Deferred);
		assert!(crate::WakeAt::<Test>::get() <= 1 + 2 * DEFERRAL);
		run_to(1 + 2 * DEFERRAL);
		assert!(matches!(get(id).stage, Stage::Applied { .. }));
		assert_eq!((get(id).charged, get(id).missing), (0, 50 * PHA));
		assert_eq!(get(behind).charged, 50 * PHA);
	});
}

/// Nothing behind it waits for the next era once it is cancelled.
#[test]
fn cancelling_what_waits_for_room_frees_the_queue() {
	ExtBuilder::default().build_and_execute(|| {
		has_room(0, false);
		let id = report(offence(LeaseBreach, 0)).unwrap();
		let behind = report(offence(LeaseBreach, 1)).unwrap();
		run_to(1 + DEFERRAL);
		assert_eq!(get(behind).stage, Stage::Deferred);
		assert_ok!(Slashing::cancel(RuntimeOrigin::signed(CANCELLERS), id, false));
		poll();
		assert_eq!(get(behind).charged, 50 * PHA);
	});
}

/// An attempt in vain costs the block a whole step, and there is one an era.
#[test]
fn attempts_in_vain_are_paid_for() {
	ExtBuilder::default().build_and_execute(|| {
		has_room(0, false);
		report(offence(LeaseBreach, 0)).unwrap();
		jump_to(1 + DEFERRAL);
		let (asleep, awake) = (<()>::serve_asleep(), <()>::serve_awake());
		let idle = <()>::step_idle() * (OffenceClass::ALL.len() as u64 - 1);
		assert_eq!(poll(), asleep + awake + idle + Slashing::step_weight());
		assert_eq!(poll(), asleep);
	});
}

/// What is refused in a raise is made up for when it is weighed.
#[test]
fn a_refused_raise_is_told_and_made_up_for() {
	ExtBuilder::default().build_and_execute(|| {
		let (first, _) = (equivocation(0), equivocation(1));
		has_room(0, false);
		events();
		poll();
		let refused =
			|event: &Event<Test>| matches!(event, Event::RaiseRefused { id, .. } if *id == first);
		assert!(events().iter().any(refused));
		assert_eq!(get(first).suspected(), 100 * PHA);
		has_room(0, true);
		run_for(DEFERRAL);
		assert_eq!(get(first).charged, 360 * PHA);
	});
}

/// What it sets aside and hands out counts, whatever it was asked for; what is short is told.
#[test]
fn a_slashable_that_answers_with_less_is_believed() {
	ExtBuilder::default().build_and_execute(|| {
		stingy(0);
		let id = equivocation(0);
		assert_eq!(get(id).suspected(), 50 * PHA);
		assert_eq!(Pools::stake(&0), 950 * PHA);
		let before = treasury();
		// Asked for the other half when it is weighed, it gives half of that; and of all, half.
		run_for(DEFERRAL);
		let offence = get(id);
		assert!(matches!(offence.stage, Stage::Applied { .. }));
		assert_eq!((offence.charged, offence.missing), (75 * PHA / 2, 75 * PHA / 2));
		assert_eq!(treasury() - before, 75 * PHA / 2);
	});
}

/// A tranche with nothing in it is no tranche.
#[test]
fn a_slashable_that_sets_nothing_aside_is_refusing() {
	ExtBuilder::default().stakes(10, 0).build_and_execute(|| {
		stingy(0);
		let id = equivocation(0);
		assert_eq!(get(id).suspected(), 0);
		let (amount, error) = (1, Error::<Test>::NothingAtStake.into());
		assert!(events().contains(&Event::RaiseRefused { id, amount, error }));
		run_for(2 * DEFERRAL);
		assert_eq!((get(id).charged, get(id).missing), (0, 1));
	});
}

/// The stake of the moment of the report answers: who adds stake later does not pay for it.
#[test]
fn stake_that_comes_later_does_not_answer() {
	ExtBuilder::default().build_and_execute(|| {
		let id = equivocation(0);
		deposit(0, BOB, 1_000_000 * PHA);
		run_for(DEFERRAL);
		assert_eq!(get(id).charged, 100 * PHA);
		assert_eq!(entitlement(0)[&BOB], 1_000_000 * PHA);
	});
}

/// Nor when others of the era are reported after that, and what is suspected rises.
#[test]
fn a_raise_falls_on_who_was_there() {
	ExtBuilder::default().build_and_execute(|| {
		let id = equivocation(0);
		deposit(0, BOB, 1_000_000 * PHA);
		equivocation(1);
		poll();
		assert_eq!(get(id).suspected(), 360 * PHA);
		assert!(!claims(0).contains_key(&BOB));
		// The last rise comes with the weighing.
		equivocation(2);
		equivocation(3);
		run_for(DEFERRAL + 20 * ERA);
		assert_eq!(get(id).charged, 1_000 * PHA);
		assert_eq!(entitlement(0)[&BOB], 1_000_000 * PHA);
	});
}

/// If stake has gone elsewhere in between, a raise takes what is left and no more.
#[test]
fn a_raise_takes_what_is_left() {
	ExtBuilder::default().build_and_execute(|| {
		let first = equivocation(0);
		for k in 0..3 {
			leave(0, delegator(0, k), 250 * PHA);
		}
		for pool in 1..4 {
			equivocation(pool);
		}
		poll();
		assert_eq!((get(first).suspected(), Pools::stake(&0)), (250 * PHA, 0));
		run_for(DEFERRAL + ERA);
		assert_eq!((get(first).charged, get(first).fraction), (250 * PHA, percent(100)));
	});
}

/// Offences of several classes on one offender share its stake, and nothing is suspected twice.
#[test]
fn classes_share_an_offenders_stake() {
	ExtBuilder::default().build_and_execute(|| {
		force_policy(Outage, |policy| policy.correlated = percent(100));
		let whole = entitlement(0).values().sum::<u128>();
		outage(0, percent(60));
		equivocation(0);
		report(offence(LeaseBreach, 0)).unwrap();
		run_for(DEFERRAL + 20 * ERA);
		let left = entitlement(0).values().sum::<u128>();
		let charged: u128 =
			crate::Ledger::<Test>::iter_values().map(|offence| offence.charged).sum();
		assert_eq!(whole - left, charged);
		assert!(left > 0 && claims(0).is_empty());
	});
}
