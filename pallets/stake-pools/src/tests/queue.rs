//! Leaving.

use crate::{Error, Requests, WeightInfo, mock::*, types::Phase, workers::pick};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use proptest::prelude::*;

type E = Error<Test>;

fn phase(n: u8) -> Phase {
	crate::Workers::<Test>::get(worker(n)).unwrap().phase
}

fn queue(id: u32) -> Vec<AccountId> {
	let mut next = get(id).head;
	let mut list = Vec::new();
	while let Some(who) = next {
		list.push(who);
		next = Requests::<Test>::get(id, who).unwrap().next;
	}
	list
}

#[test]
fn requests_are_paid_in_order_and_in_parts() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 300 * PHA), (CAROL, 200 * PHA)]);
		let worker = running(id, 1, 650 * PHA);
		for (who, shares) in [(ALICE, 500 * PHA), (BOB, 300 * PHA), (CAROL, 200 * PHA)] {
			assert_ok!(Pools::withdraw(signed(who), id, shares));
		}
		process(id);
		assert_eq!(held(ALICE), 500 * PHA, "not in the same round");
		jump(ROUND);
		let paid = Pools::process(signed(3), id, 100).unwrap();
		assert_eq!(paid.pays_fee, Pays::No);
		// 450 are free.
		assert_eq!((held(ALICE), held(BOB), held(CAROL)), (50 * PHA, 300 * PHA, 200 * PHA));
		assert_eq!(queue(id), [ALICE, BOB, CAROL]);
		assert_eq!(Pools::process(signed(3), id, 100).unwrap().pays_fee, Pays::Yes);
		assert_ok!(Pools::stop(signed(OWNER), worker));
		cooled(worker);
		assert_ok!(Pools::reclaim(signed(3), worker));
		// A limit is a limit.
		assert_ok!(Pools::process(signed(3), id, 2));
		assert_eq!(queue(id), [CAROL]);
		assert_ok!(Pools::process(signed(3), id, 2));
		for who in [ALICE, BOB, CAROL] {
			assert_eq!((wealth(who), held(who), stored(who, id)), (RICH, 0, None));
		}
		assert_eq!((get(id).head, get(id).tail, get(id).queued), (None, None, 0));
	});
}

#[test]
fn a_smaller_request_keeps_its_place_and_a_larger_one_loses_it() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 300 * PHA), (CAROL, 200 * PHA)]);
		for who in [ALICE, BOB, CAROL] {
			assert_ok!(Pools::withdraw(signed(who), id, 100 * PHA));
			jump(1);
		}
		let since = Requests::<Test>::get(id, BOB).unwrap().since;
		assert_ok!(Pools::withdraw(signed(BOB), id, 50 * PHA));
		assert_eq!(queue(id), [ALICE, BOB, CAROL]);
		assert_eq!(Requests::<Test>::get(id, BOB).unwrap().since, since);
		assert_ok!(Pools::withdraw(signed(ALICE), id, 101 * PHA));
		assert_eq!(queue(id), [BOB, CAROL, ALICE]);
		assert_eq!(Requests::<Test>::get(id, ALICE).unwrap().since, RelayBlock::get());
		assert_ok!(Pools::cancel_withdrawal(signed(CAROL), id));
		assert_eq!(queue(id), [BOB, ALICE]);
		assert_ok!(Pools::cancel_withdrawal(signed(ALICE), id));
		assert_ok!(Pools::cancel_withdrawal(signed(BOB), id));
		assert_noop!(Pools::cancel_withdrawal(signed(BOB), id), E::RequestNotFound);
		assert_noop!(Pools::withdraw(signed(BOB), id, 0), E::BelowMinimum);
		assert_noop!(Pools::withdraw(signed(BOB), id, 300 * PHA + 1), E::NotEnoughShares);
		assert_noop!(Pools::withdraw(signed(3), id, 1), E::PositionNotFound);
		assert_noop!(Pools::withdraw(signed(BOB), 9, 1), E::PoolNotFound);
		assert_eq!(queue(id), Vec::<AccountId>::new());
	});
}

#[test]
fn the_queue_comes_before_new_sessions() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		assert_ok!(Pools::withdraw(signed(ALICE), id, 450 * PHA));
		register(worker(1), OWNER);
		assert_ok!(Pools::add_worker(signed(OWNER), id, worker(1)));
		assert_noop!(Pools::start(signed(OWNER), worker(1), 151 * PHA), E::NotEnoughStake);
		assert_ok!(Pools::start(signed(OWNER), worker(1), 100 * PHA));
		assert_noop!(Pools::top_up(signed(OWNER), worker(1), 51 * PHA), E::NotEnoughStake);
	});
}

#[test]
fn after_the_grace_period_the_fewest_workers_are_stopped() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA), (BOB, 900 * PHA)]);
		for (n, stake) in [(1, 100), (2, 400), (3, 300), (4, 600), (5, 450)] {
			running(id, n, stake * PHA);
		}
		assert_ok!(Pools::withdraw(signed(ALICE), id, 380 * PHA));
		assert_noop!(Pools::force(signed(3), id, 10), E::NothingToDo);
		let since = RelayBlock::get();
		let eta = Pools::withdrawal_eta(ALICE, id).unwrap();
		assert_eq!(eta, since + GRACE + COOL_DOWN + ROUND);
		jump(GRACE - 1);
		assert_noop!(Pools::force(signed(3), id, 10), E::NothingToDo);
		jump(1);
		let forced = Pools::force(signed(3), id, 10).unwrap();
		// It weighs as much of the queue as it walked.
		let weight = <() as WeightInfo>::force(1);
		assert_eq!((forced.actual_weight, forced.pays_fee), (Some(weight), Pays::No));
		// 330 are missing: one of 400 is enough, and one of 600 would be too much.
		let phases = [1, 2, 3, 4, 5].map(phase);
		let mut expected = [Phase::Running; 5];
		expected[1] = Phase::Ending;
		assert_eq!(phases, expected);
		assert_noop!(Pools::force(signed(3), id, 10), E::NothingToDo);
		assert_eq!(Pools::withdrawal_eta(ALICE, id), Some(RelayBlock::get() + COOL_DOWN));
		// The next one is not overdue, then is: what comes already counts.
		assert_ok!(Pools::withdraw(signed(BOB), id, 900 * PHA));
		assert_noop!(Pools::force(signed(3), id, 10), E::NothingToDo);
		jump(GRACE);
		assert_ok!(Pools::force(signed(3), id, 10));
		// 830 more: 600 and 300.
		expected[3] = Phase::Ending;
		expected[2] = Phase::Ending;
		assert_eq!([1, 2, 3, 4, 5].map(phase), expected);
		jump(COOL_DOWN);
		for n in [2, 3, 4] {
			assert_ok!(Pools::reclaim(signed(3), worker(n)));
		}
		process(id);
		assert_eq!((held(ALICE), held(BOB)), (520 * PHA, 0));
	});
}

#[test]
fn the_eta_is_the_next_round_while_stake_is_free() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 500 * PHA)]);
		assert_eq!(Pools::withdrawal_eta(ALICE, id), None);
		running(id, 1, 400 * PHA);
		for who in [ALICE, BOB] {
			assert_ok!(Pools::withdraw(signed(who), id, 500 * PHA));
		}
		let now = RelayBlock::get();
		assert_eq!(Pools::withdrawal_eta(ALICE, id), Some(now + ROUND));
		assert_eq!(Pools::withdrawal_eta(BOB, id), Some(now + GRACE + COOL_DOWN + ROUND));
		jump(ROUND);
		process(id);
		assert_eq!(held(ALICE), 0);
	});
}

/// Vector DOC-002 of the reference: its amounts and its 14 days. It stops all workers; here one is enough.
#[test]
fn the_timetable_of_the_reference_holds() {
	run(|| {
		let id = pool(400 * PHA);
		assert_ok!(Pools::contribute(signed(ALICE), id, 5_000 * PHA));
		next_round();
		for (n, stake) in [(1, 3_000), (2, 700), (3, 700)] {
			running(id, n, stake * PHA);
		}
		let since = RelayBlock::get();
		assert_ok!(Pools::withdraw(signed(ALICE), id, 5_000 * PHA));
		jump(ROUND);
		process(id);
		assert_eq!(held(ALICE), 4_000 * PHA);
		assert_ok!(Pools::contribute(signed(BOB), id, 500 * PHA));
		process(id);
		assert_eq!(held(ALICE), 3_500 * PHA);
		assert_ok!(Pools::stop(signed(OWNER), worker(1)));
		cooled(worker(1));
		assert_ok!(Pools::reclaim(signed(3), worker(1)));
		process(id);
		assert_eq!(held(ALICE), 500 * PHA);
		RelayBlock::set(since + GRACE);
		assert_ok!(Pools::force(signed(3), id, 10));
		let ending: Vec<_> = (2..=3).filter(|n| phase(*n) == Phase::Ending).collect();
		assert_eq!(ending.len(), 1);
		jump(COOL_DOWN);
		assert_ok!(Pools::reclaim(signed(3), worker(ending[0])));
		process(id);
		assert_eq!((held(ALICE), wealth(ALICE)), (0, RICH));
		assert!(RelayBlock::get() <= since + GRACE + COOL_DOWN);
	});
}

proptest! {
	/// No smaller set of stakes would be enough, and no smaller last one.
	#[test]
	fn picks_the_fewest(mut stakes in prop::collection::vec(1..1_000u128, 1..9), part in 1..=100u128) {
		stakes.sort_unstable();
		let need = (stakes.iter().sum::<u128>() * part).div_ceil(100);
		let mut left: Vec<_> = stakes.iter().map(|stake| (*stake, ())).collect();
		let (mut missing, mut count, mut last) = (need, 0u32, 0);
		while missing > 0 {
			let (stake, ()) = pick(&mut left, missing).unwrap();
			(missing, count, last) = (missing.saturating_sub(stake), count + 1, stake);
		}
		let fewest = (0u32..1 << stakes.len())
			.filter(|set| {
				let chosen = stakes.iter().enumerate().filter(|(n, _)| set & (1 << n) != 0);
				chosen.map(|(_, stake)| stake).sum::<u128>() >= need
			})
			.map(u32::count_ones)
			.min();
		prop_assert_eq!(Some(count), fewest);
		let others: u128 = stakes.iter().sum::<u128>()
			- left.iter().map(|(stake, ())| stake).sum::<u128>() - last;
		prop_assert!(left.iter().all(|(stake, ())| *stake >= last || others + stake < need));
	}
}
