//! Losses and their end, with the real ledger and without.

use super::attacks::{apply, restore, suspect};
use crate::{Error, Losses, Positions, mock::*, types::MAX_OPEN_LOSSES};
use frame_support::{assert_noop, assert_ok};
use phala_primitives::{OffenceClass, Slashable, WorkerKey};

fn snapshot(id: u32) -> Vec<(u128, u128)> {
	[ALICE, BOB, CAROL]
		.map(|who| Pools::position(who, id).map_or((0, 0), |one| (one.worth, one.held)))
		.into()
}

#[test]
fn a_cancelled_offence_restores_every_delegator_exactly() {
	run(|| {
		let id =
			pool_with(&[(ALICE, 333 * PHA + 1), (BOB, 777 * PHA + 7), (CAROL, 101 * PHA + 13)]);
		let worker = running(id, 1, 1_000 * PHA + 5);
		let (pool, before) = (get(id), snapshot(id));
		let offence = outage(worker, 617 * PHA + 11);
		assert!(get(id).shares.value() < pool.shares.value());
		assert_eq!(get(id).own, 0);
		check();
		cancel(offence);
		next_round();
		assert_eq!(snapshot(id), before);
		let after = get(id);
		assert_eq!((after.own, &after.shares), (pool.own, &pool.shares));
		assert_eq!((after.committed, after.tranches, after.open.len()), (pool.committed, 0, 0));
		assert_eq!(Losses::<Test>::iter().count(), 0);
		// Leaving gives back exactly what was put in.
		for who in [ALICE, BOB, CAROL] {
			assert_ok!(Pools::withdraw(signed(who), id, position(who, id).shares));
		}
		assert_ok!(Pools::stop(signed(OWNER), worker));
		cooled(worker);
		assert_ok!(Pools::reclaim(signed(3), worker));
		jump(ROUND);
		process(id);
		for who in [ALICE, BOB, CAROL] {
			assert_eq!((wealth(who), held(who), stored(who, id)), (RICH, 0, None));
		}
	});
}

#[test]
fn cancelling_gives_back_to_those_who_bore_it_whoever_holds_shares_now() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 400 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		let offence = outage(worker, 280 * PHA);
		next_round();
		// Alice leaves, Carol enters at the lower price.
		assert_ok!(Pools::withdraw(signed(ALICE), id, 500 * PHA));
		assert_ok!(Pools::add_own(signed(OWNER), id, 10 * PHA));
		assert_ok!(Pools::add_own(signed(OWNER), id, 40 * PHA));
		assert_ok!(Pools::contribute(signed(CAROL), id, 72 * PHA));
		jump(ROUND);
		process(id);
		assert_eq!((position(ALICE, id).shares, held(ALICE)), (0, 100 * PHA));
		assert_eq!(position(CAROL, id).worth, 72 * PHA);
		cancel(offence);
		next_round();
		let (alice, bob) = (position(ALICE, id), position(BOB, id));
		assert!((100 * PHA - 2..=100 * PHA).contains(&alice.worth), "{alice:?}");
		assert!((400 * PHA - 2..=400 * PHA).contains(&bob.worth), "{bob:?}");
		assert!((72 * PHA - 1..=72 * PHA).contains(&position(CAROL, id).worth));
		assert_eq!(get(id).own, 150 * PHA);
		// And it can be had.
		for who in [ALICE, BOB, CAROL] {
			assert_ok!(Pools::withdraw(signed(who), id, position(who, id).shares));
		}
		assert_ok!(Pools::stop(signed(OWNER), worker));
		cooled(worker);
		assert_ok!(Pools::reclaim(signed(3), worker));
		jump(ROUND);
		process(id);
		for who in [ALICE, BOB, CAROL] {
			assert_eq!((wealth(who), held(who)), (RICH, 0));
		}
	});
}

#[test]
fn an_offence_that_is_applied_takes_from_the_owner_first() {
	run(|| {
		// A large network around it, so that correlation lowers nothing.
		let calm = pool(500_000 * PHA);
		next_round();
		running(calm, 9, 500_000 * PHA);
		let id = pool_with(&[(ALICE, 300 * PHA), (BOB, 600 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		let offence = outage(worker, 190 * PHA);
		assert_eq!(get(id).own, 0);
		let before = treasury();
		eras(10);
		let taken = treasury() - before;
		assert_eq!(taken, 100 * PHA, "the owner's at once");
		process(id);
		assert_eq!(get(id).outstanding, 90 * PHA);
		for who in [BOB, ALICE] {
			assert_ok!(Pools::settle(signed(3), id, who));
		}
		assert_eq!(treasury() - before, 190 * PHA);
		assert_eq!((held(ALICE), held(BOB)), (270 * PHA, 540 * PHA));
		assert_eq!(get(id).outstanding, 0);
		let total = <Pools as Slashable<WorkerKey>>::total_stake(OffenceClass::Outage);
		assert_eq!(total, 500_310 * PHA);
		assert!(Slashing::why_slashed(offence).unwrap().offence.parts.is_empty());
		assert_ok!(Pools::stop(signed(OWNER), worker));
		cooled(worker);
		assert_ok!(Pools::reclaim(signed(3), worker));
		assert_eq!(get(id).free(), 810 * PHA);
	});
}

#[test]
fn what_correlation_lowers_comes_back() {
	run(|| {
		let id = pool_with(&[(ALICE, 300 * PHA), (BOB, 600 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		outage(worker, 250 * PHA);
		eras(10);
		next_round();
		// 1 % of the class's stake is the most that such an outage costs.
		assert_eq!(get(id).own, 95 * PHA);
		assert_eq!(get(id).shares.value(), 900 * PHA);
		assert_eq!((position(ALICE, id).worth, position(BOB, id).worth), (300 * PHA, 600 * PHA));
	});
}

#[test]
fn two_losses_of_one_round_are_shared_by_the_same_holders() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let (one, two) = (running(id, 1, 200 * PHA), running(id, 2, 200 * PHA));
		let first = suspect(one, 150 * PHA);
		assert_ok!(Pools::add_own(signed(OWNER), id, 200 * PHA));
		// No share changes hands between them.
		assert_noop!(Pools::contribute(signed(BOB), id, 100 * PHA), Error::<Test>::LossThisRound);
		let second = suspect(two, 200 * PHA);
		let third = suspect(one, 40 * PHA);
		assert_eq!(get(id).open.len(), 1);
		restore(first, 150 * PHA);
		assert_eq!(apply(second, 200 * PHA), (200 * PHA, 0));
		assert_eq!(apply(third, 40 * PHA), (0, 40 * PHA));
		next_round();
		assert_ok!(Pools::contribute(signed(BOB), id, 100 * PHA));
		assert_ok!(Pools::settle(signed(3), id, ALICE));
		assert_eq!((held(ALICE), held(BOB)), (460 * PHA, 100 * PHA));
	});
}

#[test]
fn a_sleeper_catches_up_with_any_number_of_losses() {
	run(|| {
		let id = pool_with(&[(ALICE, 950 * PHA), (BOB, 950 * PHA)]);
		let worker = running(id, 1, 1_000 * PHA);
		let wiped = suspect(worker, 100 * PHA);
		apply(wiped, 100 * PHA);
		let mut taken = 0;
		let mut bob_out = 0;
		for n in 0..80u128 {
			next_round();
			let tranche = suspect(worker, 2 * PHA + n);
			if n % 3 == 0 {
				// Shares change hands while it is open.
				next_round();
				let _ = Pools::settle(signed(3), id, BOB);
				assert_ok!(Pools::withdraw(signed(BOB), id, PHA));
				jump(ROUND);
				process(id);
				bob_out += 1;
			}
			taken += apply(tranche, PHA).1;
			restore(tranche, PHA + n);
		}
		next_round();
		assert!(bob_out > 20);
		assert_noop!(Pools::claim(signed(ALICE), id), Error::<Test>::BehindOnLosses);
		assert_noop!(Pools::withdraw(signed(ALICE), id, PHA), Error::<Test>::BehindOnLosses);
		let expected = position(ALICE, id);
		check();
		let mut calls = 0;
		while Pools::settle(signed(3), id, ALICE).unwrap().pays_fee
			== frame_support::dispatch::Pays::No
		{
			calls += 1;
			check();
		}
		assert!((3..=4).contains(&calls), "{calls}");
		assert_eq!(position(ALICE, id), expected);
		assert_ok!(Pools::settle(signed(3), id, BOB));
		assert_eq!(Losses::<Test>::iter().count(), 0);
		assert_eq!(taken, 80 * PHA);
		let lost = 2 * RICH - wealth(ALICE) - wealth(BOB);
		assert_eq!(lost, taken);
	});
}

#[test]
fn a_position_keeps_its_parts_in_all_open_losses() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA), (BOB, 900 * PHA)]);
		let worker = running(id, 1, 1_000 * PHA);
		suspect(worker, 100 * PHA);
		let mut tranches = Vec::new();
		for _ in 1..MAX_OPEN_LOSSES {
			next_round();
			assert_ok!(Pools::settle(signed(3), id, ALICE));
			tranches.push(suspect(worker, 20 * PHA));
		}
		next_round();
		assert_ok!(Pools::settle(signed(3), id, ALICE));
		let claims = Positions::<Test>::get(id, ALICE).unwrap().claims.len();
		assert_eq!(claims, MAX_OPEN_LOSSES as usize - 1);
		assert_eq!(position(ALICE, id).suspected, 310 * PHA);
		assert_eq!(position(ALICE, id).worth, 590 * PHA);
		// She leaves with what is not suspected.
		assert_ok!(Pools::withdraw(signed(ALICE), id, 900 * PHA));
		jump(ROUND);
		process(id);
		assert_eq!((held(ALICE), position(ALICE, id).shares), (310 * PHA, 0));
		for (n, tranche) in tranches.into_iter().enumerate() {
			match n % 2 {
				0 => drop(apply(tranche, 20 * PHA)),
				_ => restore(tranche, 20 * PHA),
			}
		}
		next_round();
		assert_ok!(Pools::settle(signed(3), id, ALICE));
		// 16 were applied and 15 cancelled, half of each hers.
		assert_eq!(held(ALICE), 150 * PHA);
		assert!(position(ALICE, id).worth >= 150 * PHA - 31);
	});
}

#[test]
fn suspects_no_more_than_there_is() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let worker = running(id, 1, 200 * PHA);
		let stake = |w: WorkerKey| <Pools as Slashable<WorkerKey>>::stake(&w);
		assert_eq!(stake(worker), 200 * PHA);
		assert_noop!(Pools::suspect(&worker, 200 * PHA + 1), Error::<Test>::NotEnoughStake);
		let tranche = suspect(worker, 200 * PHA);
		assert_eq!((stake(worker), Pools::suspected(&tranche)), (0, 200 * PHA));
		assert_eq!(Pools::liable(&worker), Some(OWNER));
		let nobody = crate::mock::worker(7);
		assert_eq!((Pools::liable(&nobody), stake(nobody)), (None, 0));
		// More than there is of a tranche takes what there is.
		assert_eq!(apply(tranche, 150 * PHA), (100 * PHA, 50 * PHA));
		restore(tranche, 500 * PHA);
		assert_eq!(Pools::suspected(&tranche), 0);
		assert_eq!(apply(tranche, 1), (0, 0));
		assert_eq!(stake(worker), 50 * PHA);
	});
}
