//! What offences of one era do to each other.

use crate::{Event, Queues, WeightInfo, mock::*};
use frame_support::assert_ok;
use phala_primitives::{
	OffenceClass::{Equivocation, Outage},
	OffenceReport, Slashable, Source,
};
use sp_runtime::Perquintill;

/// All pools are out for a day, 4 % each: 4 % of the stake is suspected, 1 % is tolerated, so that
/// each loses a quarter, and gets the rest back.
#[test]
fn an_outage_of_all_is_lowered() {
	ExtBuilder::default().build_and_execute(|| {
		let before: u128 = (0..10).flat_map(entitlement).map(|(_, stake)| stake).sum();
		let ids: Vec<_> = (0..10).map(|pool| outage(pool, percent(4))).collect();
		assert!(ids.iter().all(|id| get(*id).suspected() == 40 * PHA), "the worst is suspected");
		assert_eq!(Slashing::why_slashed(ids[0]).unwrap().fraction, percent(1));
		run_for(DEFERRAL + 20 * ERA);
		for id in ids {
			assert_eq!((get(id).charged, get(id).restored), (10 * PHA, 30 * PHA));
		}
		let after: u128 = (0..10).flat_map(entitlement).map(|(_, stake)| stake).sum();
		assert_eq!(before - after, 100 * PHA, "1 % of 10,000 PHA in all");
	});
}

#[test]
fn an_outage_of_one_is_not_lowered() {
	ExtBuilder::default().build_and_execute(|| {
		let id = outage(0, percent(4));
		// The next day's are not its.
		run_to(ERA);
		let next = outage(1, percent(90));
		run_for(DEFERRAL + 20 * ERA);
		assert_eq!((get(id).charged, get(id).restored), (40 * PHA, 0));
		assert!(get(next).charged <= 100 * PHA);
	});
}

/// Weights count losses: a crowd of tiny outages does not dilute a large one.
#[test]
fn tiny_outages_lower_nobody() {
	ExtBuilder::default().build_and_execute(|| {
		for pool in 1..10 {
			outage(pool, Perquintill::from_rational(1u64, 1_000_000));
		}
		let id = outage(0, percent(9));
		run_for(DEFERRAL + 20 * ERA);
		assert!(get(id).charged >= 89 * PHA);
	});
}

/// Rule 6 of the pools: a discount is for faults that the chain measured itself.
#[test]
fn a_proven_outage_is_not_lowered() {
	ExtBuilder::default().build_and_execute(|| {
		for pool in 1..10 {
			outage(pool, percent(50));
		}
		let source = Source::Proven { reporter: Some(ALICE) };
		let severity = percent(50);
		let id = report(OffenceReport { source, severity, ..offence(Outage, 0) }).unwrap();
		run_for(DEFERRAL + 40 * ERA);
		assert_eq!(get(id).charged, 500 * PHA);
	});
}

/// What was cancelled lowers nobody else.
#[test]
fn a_cancelled_outage_no_longer_counts() {
	ExtBuilder::default().build_and_execute(|| {
		let ids: Vec<_> = (0..10).map(|pool| outage(pool, percent(4))).collect();
		for id in &ids[1..] {
			assert_ok!(Slashing::do_cancel(*id, false));
		}
		run_for(DEFERRAL + 20 * ERA);
		assert_eq!(get(ids[0]).charged, 40 * PHA);
	});
}

/// (3k/n)²: the second of ten costs 36 %, from the third on nearly all is lost; and the first, who
/// was suspected of 10 %, follows within a block.
#[test]
fn equivocations_raise_each_other() {
	ExtBuilder::default().build_and_execute(|| {
		let first = equivocation(0);
		assert_eq!(get(first).suspected(), 100 * PHA);
		let second = equivocation(1);
		assert_eq!(get(second).suspected(), 360 * PHA);
		assert_eq!(Pools::stake(&0), 900 * PHA);
		events();
		poll();
		assert_eq!(Pools::stake(&0), 640 * PHA, "raised before anybody can leave");
		assert_eq!(events(), [Event::SuspicionRaised { id: first, suspected: 360 * PHA }]);
		assert_eq!(get(first).fraction, percent(36));

		let third = equivocation(2);
		poll();
		for id in [first, second, third] {
			assert_eq!(get(id).suspected(), 810 * PHA);
		}
		let fourth = equivocation(3);
		run_for(DEFERRAL + 20 * ERA);
		// The last rise, from 81 % to 100 %, was no doubling: it came with the weighing.
		for id in [first, second, third, fourth] {
			assert_eq!(get(id).charged, 1_000 * PHA);
		}
	});
}

/// Others get back what was suspected of them because of one that was cancelled.
#[test]
fn a_raise_falls_with_its_reason() {
	ExtBuilder::default().build_and_execute(|| {
		let (first, second) = (equivocation(0), equivocation(1));
		poll();
		assert_eq!(get(first).suspected(), 360 * PHA);
		assert_ok!(Slashing::do_cancel(second, false));
		run_for(DEFERRAL + ERA);
		assert_eq!((get(first).charged, get(first).restored), (100 * PHA, 260 * PHA));
		assert_eq!(entitlement(1).values().sum::<u128>(), 1_000 * PHA);
	});
}

/// After a cancellation the next report looks at all others again.
#[test]
fn a_cancellation_does_not_hide_a_raise() {
	ExtBuilder::default().build_and_execute(|| {
		let first = equivocation(0);
		let others = [equivocation(1), equivocation(2)];
		for other in others {
			assert_ok!(Slashing::do_cancel(other, false));
		}
		poll();
		// Recorded at 36 %, while the era had already been at 81 %.
		let second = equivocation(3);
		assert_eq!(get(second).suspected(), 360 * PHA);
		poll();
		assert_eq!(get(first).suspected(), 360 * PHA);
		equivocation(4);
		poll();
		for id in [first, second] {
			assert_eq!(get(id).suspected(), 810 * PHA);
		}
	});
}

#[test]
fn equivocations_of_different_eras_are_apart() {
	ExtBuilder::default().build_and_execute(|| {
		let first = equivocation(0);
		run_to(ERA);
		let second = equivocation(1);
		run_for(DEFERRAL + ERA);
		assert_eq!((get(first).charged, get(second).charged), (100 * PHA, 100 * PHA));
		// The era of the act counts, also if it is reported later.
		let now = RelayBlock::get();
		let at = |pool, committed| {
			report(OffenceReport { committed, ..offence(Equivocation, pool) }).unwrap()
		};
		let (third, fourth) = (at(2, now - 250), at(3, now));
		assert_eq!((get(third).suspected(), get(fourth).suspected()), (100 * PHA, 100 * PHA));
		let fifth = at(4, now - 250);
		assert!(get(fifth).suspected() > 350 * PHA);
	});
}

/// However many report, and however often: only when the fraction has doubled is the class walked
/// through, so that what is due is applied meanwhile.
#[test]
fn a_flood_of_reports_does_not_hold_slashes_up() {
	ExtBuilder::default().pools(200).build_and_execute(|| {
		force_policy(Equivocation, |policy| policy.base = percent(1));
		for pool in 0..100 {
			equivocation(pool);
		}
		run_to(ERA - 1);
		jump_to(1 + DEFERRAL);
		ServiceWeight::set(
			<()>::serve_asleep() + <()>::serve_awake() + Slashing::step_weight() * 9,
		);
		for pool in 100..200 {
			equivocation(pool);
			poll();
		}
		// As many as the era's ceiling of 20,000 PHA lets through.
		assert_eq!(Queues::<Test>::get(Equivocation).head, 20);
	});
}

/// What an offence can come to is in at most eight tranches, however slowly it grows.
#[test]
fn raises_double_and_so_are_few() {
	ExtBuilder::default().pools(100).build_and_execute(|| {
		force_policy(Equivocation, |policy| {
			policy.base = percent(1);
		});
		let first = equivocation(0);
		for pool in 1..50 {
			equivocation(pool);
			poll();
			assert!(get(first).parts.len() < 8);
		}
		assert!(get(first).suspected() >= 500 * PHA);
		run_for(DEFERRAL + 100 * ERA);
		assert_eq!(get(first).charged, 1_000 * PHA);
	});
}
