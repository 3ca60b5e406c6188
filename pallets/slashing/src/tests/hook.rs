//! The hook: bounded, fair, asleep when it can be.

use crate::{Error, Event, Ledger, Queues, QuietUntil, WakeAt, WeightInfo, mock::*, types::Stage};
use frame_support::{assert_noop, traits::Hooks, weights::Weight};
use phala_primitives::OffenceClass::{Equivocation, LeaseBreach, Outage};

fn room_for(steps: u64) -> Weight {
	<()>::serve_asleep() + <()>::serve_awake() + Slashing::step_weight() * steps
}

#[test]
fn an_idle_block_costs_two_reads() {
	ExtBuilder::default().build_and_execute(|| {
		poll();
		equivocation(0);
		run_for(10);
		assert_eq!(poll(), <()>::serve_asleep());
		assert_eq!(WakeAt::<Test>::get(), 1 + DEFERRAL);
		// In the block in which it is due there is more to do.
		jump_to(1 + DEFERRAL);
		assert!(poll().ref_time() > room_for(0).ref_time());
	});
}

/// However much is due, a block does no more than it has room for, and the next one goes on.
#[test]
fn work_is_spread_over_blocks() {
	ExtBuilder::default().pools(30).build_and_execute(|| {
		for pool in 0..30 {
			report(offence(LeaseBreach, pool)).unwrap();
		}
		jump_to(1 + DEFERRAL);
		ServiceWeight::set(room_for(8));
		let applied = || {
			let done = |pool| {
				let stage = Ledger::<Test>::get(LeaseBreach, pool).unwrap().stage;
				matches!(stage, Stage::Applied { .. })
			};
			(0..30).filter(|pool| done(*pool)).count()
		};
		let mut blocks = 0;
		while applied() < 30 {
			let before = applied();
			let consumed = poll();
			assert!(consumed.all_lte(room_for(8)));
			assert!(applied() <= before + 8, "two steps an offence, eight steps a block");
			blocks += 1;
			assert!(blocks < 20, "it gets on");
		}
		assert!(blocks >= 8);
	});
}

/// A class with a long backlog does not keep the others waiting.
#[test]
fn classes_take_turns() {
	ExtBuilder::default().pools(100).build_and_execute(|| {
		force_parameters(|all| all.least_ceiling = 1_000_000 * PHA);
		for pool in 0..99 {
			outage(pool, percent(1));
		}
		let one = equivocation(99);
		jump_to(1 + DEFERRAL);
		ServiceWeight::set(room_for(9));
		for _ in 0..4 {
			poll();
		}
		assert!(matches!(get(one).stage, Stage::Applied { .. }));
		assert!(Queues::<Test>::get(Outage).head < 40);
	});
}

#[test]
fn no_room_does_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		let id = equivocation(0);
		jump_to(1 + DEFERRAL);
		for room in [Weight::zero(), <()>::serve_asleep(), room_for(0)] {
			ServiceWeight::set(room);
			assert!(poll().all_lte(room));
			assert_eq!(get(id).stage, Stage::Deferred);
		}
		ServiceWeight::set(room_for(20));
		poll();
		assert!(matches!(get(id).stage, Stage::Applied { .. }));
	});
}

/// Relay-chain numbers skip: a parachain that stood still catches up.
#[test]
fn a_stall_loses_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		let ids = [equivocation(0), outage(1, percent(5))];
		jump_to(50 * ERA);
		poll();
		assert!(ids.iter().all(|id| matches!(get(*id).stage, Stage::Applied { .. })));
	});
}

/// While a chain stands still nobody can appeal: what falls due then waits for as long again.
#[test]
fn a_stall_gives_the_time_to_appeal_back() {
	ExtBuilder::default().build_and_execute(|| {
		StallAfter::set(20);
		let run = |to| {
			while RelayBlock::get() < to {
				jump_to((RelayBlock::get() + 7).min(to));
				poll();
			}
		};
		poll();
		let id = equivocation(0);
		run(100);
		assert_eq!(QuietUntil::<Test>::get(), 0, "blocks of a living chain are no stall");
		events();

		jump_to(1 + DEFERRAL);
		// Neither the hook nor anybody else is faster than the appeal.
		let apply = Slashing::apply(RuntimeOrigin::signed(ALICE), Equivocation, 9);
		assert_noop!(apply.map_err(|error| error.error), Error::<Test>::NothingDue);
		poll();
		let quiet_until = QuietUntil::<Test>::get();
		let blocks = quiet_until - RelayBlock::get();
		assert!((301..=311).contains(&blocks), "from 100 to 401, give or take half of 20");
		assert_eq!(events(), [Event::StallNoticed { blocks, quiet_until }]);
		assert_eq!(Slashing::due(id), Some(quiet_until));
		run(quiet_until - 1);
		assert_eq!(get(id).stage, Stage::Deferred);
		run(quiet_until);
		assert!(matches!(get(id).stage, Stage::Applied { .. }));
		assert_eq!(QuietUntil::<Test>::get(), quiet_until);
	});
}

/// However long it stood still, a deferral is enough.
#[test]
fn a_long_stall_ends_after_a_deferral() {
	ExtBuilder::default().build_and_execute(|| {
		StallAfter::set(200);
		poll();
		let id = equivocation(0);
		jump_to(100_000);
		poll();
		assert_eq!(Slashing::due(id), Some(100_000 + DEFERRAL));
		// The hook ran in every era since.
		run_to(100_000 + DEFERRAL);
		assert!(matches!(get(id).stage, Stage::Applied { .. }));
	});
}

/// A short stall after a long one does not cut the time that is owed for the long one.
#[test]
fn a_second_stall_shortens_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		StallAfter::set(20);
		poll();
		let id = equivocation(0);
		jump_to(1 + DEFERRAL);
		poll();
		let quiet_until = QuietUntil::<Test>::get();
		assert_eq!(quiet_until, 1 + 2 * DEFERRAL);
		jump_to(1 + DEFERRAL + 30);
		poll();
		assert_eq!(QuietUntil::<Test>::get(), quiet_until);
		assert_eq!(Slashing::due(id), Some(quiet_until));
		// One that ends later than what is owed prolongs it.
		jump_to(quiet_until - 20);
		poll();
		assert!(QuietUntil::<Test>::get() > quiet_until + 300);
	});
}

/// With a retention as short as the evidence window, evidence of this very block could return.
#[test]
#[should_panic(expected = "old evidence stays refused")]
fn retention_exceeds_the_evidence_window() {
	Retention::set(WINDOW);
	Slashing::integrity_test();
}

#[test]
fn closed_offences_are_forgotten() {
	ExtBuilder::default().build_and_execute(|| {
		let (first, second) = (equivocation(0), equivocation(1));
		Slashing::do_cancel(second, false).unwrap();
		let closed = 1 + DEFERRAL;
		run_to(closed);
		run_to(closed + KEPT - 1);
		assert!(Ledger::<Test>::contains_key(Equivocation, first.index));
		run_to(closed + KEPT);
		assert_eq!(Ledger::<Test>::iter().count(), 0);
		assert_eq!(crate::Liable::<Test>::iter().count(), 0);
		assert_eq!(crate::EraExposures::<Test>::iter().count(), 0);
		assert_eq!(WakeAt::<Test>::get(), u32::MAX, "nothing to wake for");
		// Numbers are not used again.
		assert_eq!(equivocation(0).index, 2);
	});
}
