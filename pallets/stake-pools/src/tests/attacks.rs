//! The rules against gaming, each with the attack that it is against.

use crate::{
	Error, Losses,
	mock::*,
	types::{MAX_OPEN_LOSSES, Phase},
};
use frame_support::{
	assert_noop, assert_ok,
	traits::{Imbalance, fungible::Mutate},
};
use phala_primitives::{EvidenceHash, OffenceClass, Slashable, WorkerKey, WorkerObligations};
use sp_runtime::{Perbill, Perquintill};

type E = Error<Test>;

/// Suspects past the ledger, as it does.
pub fn suspect(worker: WorkerKey, amount: u128) -> u64 {
	<Pools as Slashable<WorkerKey>>::suspect(&worker, amount).unwrap()
}

/// Applies past the ledger, and sends what was taken where it sends it. Returns what was taken of the
/// owner, and what is outstanding.
pub fn apply(tranche: u64, amount: u128) -> (u128, u128) {
	use frame_support::traits::OnUnbalanced;
	let slashed = <Pools as Slashable<WorkerKey>>::apply(&tranche, amount);
	let taken = (slashed.own.peek(), slashed.outstanding);
	assert_eq!(slashed.others.peek(), 0);
	ToTreasury::on_unbalanced(slashed.own);
	taken
}

pub fn restore(tranche: u64, amount: u128) {
	<Pools as Slashable<WorkerKey>>::restore(&tranche, amount)
}

// Rule 1.

#[test]
fn who_enters_just_before_a_lump_gets_nothing_of_it() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		assert_ok!(Pools::contribute(signed(BOB), id, 600 * PHA));
		pay(worker, 100 * PHA);
		next_round();
		assert!(near(position(ALICE, id).rewards, 75 * PHA));
		assert_eq!(position(BOB, id).rewards, 0);
		// Also not by leaving and coming back, or by adding to what earns.
		pay(worker, 100 * PHA);
		assert_ok!(Pools::contribute(signed(BOB), id, 100 * PHA));
		next_round();
		let (alice, bob) = (position(ALICE, id).rewards, position(BOB, id).rewards);
		// Bob had 600 of 1,200 in the round before.
		assert!(near(alice, 75 * PHA + 375 * PHA / 10) && near(bob, 45 * PHA), "{alice} {bob}");
	});
}

#[test]
fn who_enters_late_in_a_round_and_leaves_at_once_is_in_for_all_of_the_next() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA)]);
		jump(ROUND - 1);
		assert_ok!(Pools::contribute(signed(BOB), id, 900 * PHA));
		assert_ok!(Pools::withdraw(signed(BOB), id, 900 * PHA));
		jump(ROUND - 1);
		assert_ok!(Pools::process(signed(BOB), id, 10));
		assert_eq!(held(BOB), 900 * PHA);
		jump(1);
		assert_ok!(Pools::process(signed(BOB), id, 10));
		assert_eq!(held(BOB), 0);
	});
}

// Rule 2.

#[test]
fn who_leaves_after_a_suspicion_bears_the_loss_like_who_stays() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 500 * PHA)]);
		let worker = running(id, 1, 300 * PHA);
		assert_ok!(Pools::withdraw(signed(ALICE), id, 500 * PHA));
		let tranche = suspect(worker, 200 * PHA);
		// The price fell in the same block, and nothing is paid in this round.
		assert_eq!(Pools::share_price(id).unwrap(), sp_runtime::FixedU128::from_rational(9, 10));
		process(id);
		assert_eq!(held(ALICE), 500 * PHA);
		jump(ROUND);
		process(id);
		assert_eq!(held(ALICE), 50 * PHA, "her part waits for the end");
		assert_eq!(position(ALICE, id).suspected, 50 * PHA);
		// Who comes now neither pays nor gets.
		assert_noop!(Pools::contribute(signed(CAROL), id, 100 * PHA), E::OwnerStakeTooLow);
		assert_ok!(Pools::add_own(signed(OWNER), id, 100 * PHA));
		assert_ok!(Pools::contribute(signed(CAROL), id, 90 * PHA));
		assert_eq!(apply(tranche, 200 * PHA), (100 * PHA, 100 * PHA));
		next_round();
		let before = treasury();
		for who in [CAROL, BOB, ALICE] {
			assert_ok!(Pools::settle(signed(3), id, who));
		}
		assert_eq!(treasury() - before, 100 * PHA);
		assert_eq!((held(ALICE), held(BOB), held(CAROL)), (0, 450 * PHA, 90 * PHA));
		assert_eq!(stored(ALICE, id), None);
		assert_eq!(wealth(ALICE), RICH - 50 * PHA);
	});
}

#[test]
fn a_place_in_the_queue_saves_nobody_from_a_loss() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 500 * PHA)]);
		let worker = running(id, 1, 1_000 * PHA);
		assert_ok!(Pools::withdraw(signed(ALICE), id, 500 * PHA));
		jump(10 * ROUND);
		process(id);
		// 100 PHA were free.
		assert_eq!(held(ALICE), 400 * PHA);
		let tranche = suspect(worker, 550 * PHA);
		assert_eq!(apply(tranche, 550 * PHA), (100 * PHA, 450 * PHA));
		next_round();
		for who in [ALICE, BOB] {
			assert_ok!(Pools::settle(signed(3), id, who));
		}
		assert_eq!((held(ALICE), held(BOB)), (200 * PHA, 250 * PHA));
	});
}

#[test]
fn many_small_losses_do_not_shield_from_a_large_one() {
	run(|| {
		let id = pool_with(&[(ALICE, 1_000 * PHA), (BOB, 500 * PHA)]);
		let worker = running(id, 1, 1_200 * PHA);
		suspect(worker, 100 * PHA);
		let mut small = Vec::new();
		for _ in 0..MAX_OPEN_LOSSES {
			next_round();
			small.push(suspect(worker, PHA));
		}
		assert_eq!(get(id).open.len(), MAX_OPEN_LOSSES as usize);
		// Shares rest now.
		next_round();
		assert_ok!(Pools::withdraw(signed(ALICE), id, 10 * PHA));
		jump(2 * ROUND);
		process(id);
		assert_eq!(held(ALICE), 1_000 * PHA);
		assert_ok!(Pools::add_own(signed(OWNER), id, 200 * PHA));
		assert_noop!(Pools::contribute(signed(CAROL), id, PHA), E::LossThisRound);
		check();
		let own = get(id).own;
		let large = suspect(worker, 800 * PHA);
		assert_eq!(get(id).open.len(), MAX_OPEN_LOSSES as usize);
		assert_eq!(apply(large, 800 * PHA), (own, 800 * PHA - own));
		check();
		for tranche in small {
			restore(tranche, PHA);
		}
		// Nothing was cancelled of the first, of which the owner bore all.
		next_round();
		for who in [ALICE, BOB] {
			let _ = Pools::settle(signed(3), id, who);
			assert_ok!(Pools::settle(signed(3), id, who));
		}
		assert_eq!((held(ALICE), held(BOB)), (600 * PHA, 300 * PHA));
		process(id);
		assert!(held(ALICE) < 600 * PHA);
	});
}

#[test]
fn a_pool_below_a_millionth_closes_and_lets_everybody_out() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 500 * PHA)]);
		let worker = running(id, 1, 1_100 * PHA);
		let tranche = suspect(worker, 1_100 * PHA - 1_000);
		next_round();
		assert!(Pools::pool(id).unwrap().closed);
		assert_ok!(Pools::add_own(signed(OWNER), id, 1_000 * PHA));
		assert_noop!(Pools::contribute(signed(CAROL), id, 10 * PHA), E::PoolClosed);
		register(crate::mock::worker(2), OWNER);
		assert_ok!(Pools::add_worker(signed(OWNER), id, crate::mock::worker(2)));
		assert_noop!(Pools::start(signed(OWNER), crate::mock::worker(2), 100 * PHA), E::PoolClosed);
		// Nobody has to wait in order to stop what still runs.
		assert_ok!(Pools::force(signed(3), id, 1));
		assert_eq!(crate::Workers::<Test>::get(worker).unwrap().phase, Phase::Ending);
		assert_noop!(Pools::force(signed(3), id, 1), E::NothingToDo);
		for who in [ALICE, BOB] {
			assert_ok!(Pools::withdraw(signed(who), id, 500 * PHA));
		}
		jump(ROUND);
		process(id);
		// If it all was an error, they have everything back.
		restore(tranche, 1_100 * PHA - 1_000);
		next_round();
		for who in [ALICE, BOB] {
			assert_ok!(Pools::settle(signed(3), id, who));
		}
		for who in [ALICE, BOB] {
			assert_ok!(Pools::withdraw(signed(who), id, position(who, id).shares));
		}
		jump(ROUND);
		process(id);
		assert_eq!((wealth(ALICE), wealth(BOB), held(ALICE), held(BOB)), (RICH, RICH, 0, 0));
	});
}

// Rule 3.

#[test]
fn stake_does_not_leave_before_its_cases_are_closed() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let worker = running(id, 1, 400 * PHA);
		// The chain ended the session, not the pool.
		lose(worker, 8 * PHA);
		end(worker);
		assert_noop!(Pools::stop(signed(OWNER), worker), E::WorkerNotRunning);
		cooled(worker);
		assert_noop!(Pools::reclaim(signed(3), worker), E::OpenLoss);
		assert_noop!(Pools::remove_worker(signed(OWNER), worker), E::WorkerBusy);
		assert!(Pools::is_bound(&worker));
		// A case without a loss counts as well: only the judges can see it.
		let accused = running(id, 2, 100 * PHA);
		Slashing::accuse(
			signed(BOB),
			OffenceClass::Compromise,
			accused,
			RelayBlock::get(),
			EvidenceHash::of(&1),
		)
		.unwrap();
		assert_ok!(Pools::stop(signed(OWNER), accused));
		cooled(accused);
		assert!(Pools::reclaim(signed(3), accused).is_err());
		eras(40);
		assert_ok!(Slashing::lapse(signed(BOB), 0));
		assert_ok!(Pools::reclaim(signed(3), accused));
		assert_ok!(Pools::reclaim(signed(3), worker));
		assert!(!Pools::is_bound(&worker));
		assert_eq!(get(id).committed, 0);
	});
}

#[test]
fn nobody_keeps_stake_in_by_one_accusation_after_the_other() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let worker = running(id, 1, 400 * PHA);
		end(worker);
		let ended = RelayBlock::get();
		let accuse = |committed, n: u64| {
			let evidence = EvidenceHash::of(&n);
			Slashing::accuse(signed(BOB), OffenceClass::Compromise, worker, committed, evidence)
		};
		jump(1);
		let refused = pallet_slashing::Error::<Test>::NothingAtStakeThen;
		assert_noop!(accuse(ended + 1, 0), refused);
		assert_ok!(accuse(ended, 0));
	});
}

// Rule 4.

#[test]
fn an_owner_who_reports_himself_wins_nothing_of_his_delegators() {
	run(|| {
		let id = pool_with(&[(ALICE, 1_900 * PHA)]);
		let worker = running(id, 1, 1_000 * PHA);
		let together = wealth(OWNER) + wealth(BOB);
		// BOB is the owner's other account.
		let now = RelayBlock::get();
		let evidence = EvidenceHash::of(&1);
		Slashing::accuse(signed(BOB), OffenceClass::Compromise, worker, now, evidence).unwrap();
		Slashing::convict(RuntimeOrigin::root(), 0, Perquintill::one()).unwrap();
		eras(20);
		next_round();
		assert_ok!(Pools::settle(signed(3), id, ALICE));
		// 500 PHA of the worker: all of the owner's 100, and 400 of Alice's.
		assert_eq!(wealth(ALICE), RICH - 400 * PHA);
		// The ledger gives a tenth of the owner's part to the reporter.
		assert_eq!(together - wealth(OWNER) - wealth(BOB), 90 * PHA);
		assert_eq!(get(id).own, 0);
	});
}

#[test]
fn an_owner_without_a_twentieth_can_do_nothing_with_others_stake() {
	run(|| {
		let id = pool_with(&[(ALICE, 1_900 * PHA)]);
		// Not by taking more.
		assert_noop!(Pools::contribute(signed(BOB), id, 20 * PHA), E::OwnerStakeTooLow);
		// Not by leaving.
		assert_ok!(Pools::withdraw_own(signed(OWNER), id, 100 * PHA));
		jump(2 * ROUND);
		process(id);
		assert_eq!(held(OWNER), 100 * PHA);
		assert_ok!(Pools::withdraw_own(signed(OWNER), id, 0));
		// Not after a loss.
		let worker = running(id, 1, 500 * PHA);
		suspect(worker, 50 * PHA);
		register(crate::mock::worker(2), OWNER);
		assert_ok!(Pools::add_worker(signed(OWNER), id, crate::mock::worker(2)));
		assert_noop!(
			Pools::start(signed(OWNER), crate::mock::worker(2), 100 * PHA),
			E::OwnerStakeTooLow
		);
		assert_noop!(Pools::top_up(signed(OWNER), worker, PHA), E::OwnerStakeTooLow);
		assert_ok!(Pools::add_own(signed(OWNER), id, 50 * PHA));
		assert_ok!(Pools::start(signed(OWNER), crate::mock::worker(2), 100 * PHA));
		// Not by handing over to a straw man with less.
		assert_ok!(Pools::offer_ownership(signed(OWNER), id, Some(2)));
		assert_noop!(Pools::accept_ownership(signed(2), id, 200 * PHA), E::OpenLoss);
	});
}

#[test]
fn an_owner_leaves_last() {
	run(|| {
		let id = pool_with(&[(ALICE, 400 * PHA)]);
		assert_ok!(Pools::add_own(signed(OWNER), id, 400 * PHA));
		let worker = running(id, 1, 500 * PHA);
		assert_ok!(Pools::withdraw_own(signed(OWNER), id, 400 * PHA));
		assert_ok!(Pools::withdraw(signed(ALICE), id, 400 * PHA));
		jump(ROUND);
		// 400 PHA are free, and asked for by the owner first.
		process(id);
		assert_eq!((held(ALICE), held(OWNER)), (0, 500 * PHA));
		assert_ok!(Pools::stop(signed(OWNER), worker));
		cooled(worker);
		assert_ok!(Pools::reclaim(signed(3), worker));
		process(id);
		assert_eq!(held(OWNER), 100 * PHA);
	});
}

// Rule 5.

#[test]
fn a_higher_commission_binds_only_after_everybody_could_leave() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA), (BOB, 900 * PHA)]);
		let worker = running(id, 1, 1_000 * PHA);
		let announced = RelayBlock::get();
		assert_ok!(Pools::set_commission(signed(OWNER), id, Perbill::from_percent(100)));
		assert_ok!(Pools::withdraw(signed(ALICE), id, 900 * PHA));
		pay(worker, 100 * PHA);
		let eta = Pools::withdrawal_eta(ALICE, id).unwrap();
		assert!(eta <= announced + GRACE + COOL_DOWN);
		jump(GRACE);
		process(id);
		// Lowering and raising again is a new announcement.
		assert_ok!(Pools::set_commission(signed(OWNER), id, Perbill::from_percent(9)));
		assert_ok!(Pools::set_commission(signed(OWNER), id, Perbill::from_percent(100)));
		RelayBlock::set(announced + GRACE + COOL_DOWN);
		pay(worker, 100 * PHA);
		next_round();
		let owner = get(id).owner_rewards;
		assert!(owner < 40 * PHA, "{owner}");
		jump(GRACE);
		// The round in which it binds still pays the old rate.
		get(id);
		next_round();
		pay(worker, 100 * PHA);
		next_round();
		assert_eq!(get(id).owner_rewards - owner, 100 * PHA);
		assert_eq!(held(ALICE), 0);
	});
}

// Rule 6: a ceiling takes a loss in parts, over eras.

#[test]
fn a_loss_that_is_taken_in_parts_is_the_same_loss() {
	run(|| {
		let id = pool_with(&[(ALICE, 1_000 * PHA), (BOB, 333 * PHA + 1)]);
		let worker = running(id, 1, 800 * PHA);
		let tranche = suspect(worker, 777 * PHA + 7);
		let (mut own, mut others) = (0, 0);
		for part in [1, 50 * PHA, 49 * PHA, 2 * PHA, 300 * PHA + 3] {
			let taken = apply(tranche, part);
			(own, others) = (own + taken.0, others + taken.1);
			next_round();
			get(id);
			check();
		}
		assert_eq!((own, others), (100 * PHA, 301 * PHA + 4));
		restore(tranche, Pools::suspected(&tranche));
		next_round();
		let before = treasury();
		for who in [BOB, ALICE] {
			assert_ok!(Pools::settle(signed(3), id, who));
		}
		assert_eq!(treasury() - before, others, "to the planck");
		assert_eq!(held(ALICE) + held(BOB), 1_333 * PHA + 1 - others);
		assert_eq!((Losses::<Test>::iter().count(), get(id).outstanding), (0, 0));
	});
}

// Rule 7.

#[test]
fn votes_do_not_save_stake_and_rewards_do_not_vote() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let worker = running(id, 1, 400 * PHA);
		for who in [OWNER, ALICE] {
			lock_all(who);
		}
		let tranche = suspect(worker, 300 * PHA);
		assert_eq!(apply(tranche, 300 * PHA), (100 * PHA, 200 * PHA));
		pay(worker, 10 * PHA);
		next_round();
		assert_ok!(Pools::settle(signed(3), id, ALICE));
		assert_eq!((wealth(OWNER), wealth(ALICE)), (RICH - 100 * PHA, RICH - 200 * PHA));
		// Rewards are nobody's until they are claimed.
		assert_eq!(wealth(Pools::pot_account()), PHA / 100 + 10 * PHA);
		// Stake leaves as well, into the lock.
		assert_ok!(Pools::withdraw(signed(ALICE), id, 500 * PHA));
		jump(ROUND);
		process(id);
		assert_eq!(held(ALICE), 100 * PHA, "300 PHA are behind the worker, less 300 lost");
	});
}

// First depositors, donations, dust.

#[test]
fn neither_the_first_nor_a_donor_moves_the_price() {
	run(|| {
		let id = pool(1_000 * PHA);
		assert_noop!(Pools::contribute(signed(ALICE), id, 1), E::BelowMinimum);
		assert_ok!(Pools::contribute(signed(ALICE), id, PHA));
		// A donation to the pot, and to the holders' accounts.
		let pot = Pools::pot_account();
		<Balances as Mutate<_>>::transfer(
			&ALICE,
			&pot,
			1_000 * PHA,
			frame_support::traits::tokens::Preservation::Preserve,
		)
		.unwrap();
		// Down to one share, the price is what it was.
		next_round();
		assert_ok!(Pools::withdraw(signed(ALICE), id, PHA - 1));
		jump(ROUND);
		process(id);
		assert_eq!(position(ALICE, id).shares, 1);
		assert_eq!(Pools::share_price(id).unwrap(), 1.into());
		assert_ok!(Pools::contribute(signed(BOB), id, 3 * PHA));
		assert_eq!(position(BOB, id).worth, 3 * PHA);
		assert_eq!(get(id).owner_rewards + get(id).bucket, 0);
	});
}

#[test]
fn nobody_takes_out_more_than_they_put_in_by_roundings() {
	run(|| {
		let id = pool_with(&[(ALICE, 3 * PHA + 1), (BOB, 7 * PHA + 3)]);
		let worker = running(id, 1, 105 * PHA);
		let tranche = suspect(worker, 102 * PHA + 777);
		let lost = apply(tranche, 102 * PHA + 777);
		assert_ok!(Pools::add_own(signed(OWNER), id, 100 * PHA));
		next_round();
		let mut put_in = 0;
		for n in 1..40u128 {
			assert_ok!(Pools::contribute(signed(CAROL), id, PHA + n));
			put_in += PHA + n;
			jump(1);
			let shares = position(CAROL, id).shares;
			assert_ok!(Pools::withdraw(signed(CAROL), id, shares / 3 + n));
			jump(ROUND);
			process(id);
			assert!(position(CAROL, id).worth <= held(CAROL));
			check();
		}
		assert!(wealth(CAROL) == RICH && put_in > 0);
		for who in [ALICE, BOB] {
			assert_ok!(Pools::settle(signed(3), id, who));
		}
		assert_eq!(wealth(ALICE) + wealth(BOB), 2 * RICH - lost.1);
	});
}
