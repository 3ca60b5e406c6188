//! What is at risk between a miss and the stop, with the attacks on it.

use super::attacks::{apply, restore, suspect};
use crate::{Error, Event, Losses, Workers, mock::*, types::Phase};
use frame_support::{assert_noop, assert_ok};
use phala_primitives::{StakeKeeper, WorkerKey};
use sp_runtime::FixedU128;

type E = Error<Test>;

fn price(id: u32) -> FixedU128 {
	Pools::share_price(id).unwrap()
}

fn phase(n: u8) -> Phase {
	Workers::<Test>::get(worker(n)).unwrap().phase
}

/// A worker is silent from a miss to the stop by the chain, and loses what was at risk.
fn stopped_after(worker: WorkerKey, amount: u128) {
	lose(worker, amount);
	end(worker);
}

#[test]
fn nobody_leaves_between_a_miss_and_the_stop() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 500 * PHA)]);
		let worker = running(id, 1, 400 * PHA);
		// Her request has waited for its round, and there is free stake for all of it.
		assert_ok!(Pools::withdraw(signed(ALICE), id, 500 * PHA));
		jump(ROUND);
		// The owner has 100 PHA.
		silent(worker, 200 * PHA);
		assert_eq!(price(id), FixedU128::from_rational(9, 10), "it left the price at once");
		assert_eq!(position(ALICE, id).worth, 450 * PHA);
		process(id);
		assert_eq!(held(ALICE), 500 * PHA);
		let eta = Pools::withdrawal_eta(ALICE, id).unwrap();
		assert!(eta >= RelayBlock::get() + COOL_DOWN);
		jump(3 * ROUND);
		process(id);
		assert_eq!(held(ALICE), 500 * PHA);
		stopped_after(worker, 200 * PHA);
		assert_eq!((get(id).own, get(id).at_risk, get(id).exposed()), (0, 0, 0));
		process(id);
		assert_eq!(held(ALICE), 500 * PHA, "not in the round of the loss");
		next_round();
		process(id);
		// She left with her part of the loss on hold, like any holder of the moment of the miss.
		assert_eq!((held(ALICE), position(ALICE, id).suspected), (50 * PHA, 50 * PHA));
		assert_eq!(position(BOB, id).worth, 450 * PHA);
	});
}

#[test]
fn who_would_enter_while_it_is_at_risk_gains_nothing_when_it_is_not_lost() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let worker = running(id, 1, 400 * PHA);
		silent(worker, 150 * PHA);
		assert_eq!(price(id), FixedU128::from_rational(9, 10));
		// Not at the low price, and not at the full one, at which she would pay for the loss.
		assert_noop!(Pools::contribute(signed(CAROL), id, 100 * PHA), E::StakeAtRisk);
		assert_eq!(Pools::pool(id).unwrap().room, 0);
		silent(worker, 0);
		assert_eq!(price(id), 1.into());
		assert_ok!(Pools::contribute(signed(CAROL), id, 100 * PHA));
		assert_eq!(position(CAROL, id).worth, 100 * PHA);
		assert_eq!(position(ALICE, id).worth, 500 * PHA);
	});
}

#[test]
fn what_the_owner_covers_concerns_no_delegator() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 500 * PHA)]);
		let worker = running(id, 1, 400 * PHA);
		assert_ok!(Pools::withdraw(signed(ALICE), id, 500 * PHA));
		jump(ROUND);
		silent(worker, 100 * PHA);
		assert_eq!((price(id), get(id).exposed()), (1.into(), 0));
		process(id);
		assert_eq!(held(ALICE), 0, "who leaves leaves nothing to the others");
		assert_ok!(Pools::contribute(signed(CAROL), id, 300 * PHA));
		stopped_after(worker, 100 * PHA);
		next_round();
		assert_eq!((position(BOB, id).worth, position(CAROL, id).worth), (500 * PHA, 300 * PHA));
		assert_eq!((get(id).own, get(id).own_suspected), (0, 100 * PHA));
	});
}

#[test]
fn an_owner_takes_nothing_out_that_is_at_risk() {
	run(|| {
		let id = pool_with(&[(ALICE, 380 * PHA)]);
		let worker = running(id, 1, 300 * PHA);
		assert_ok!(Pools::withdraw_own(signed(OWNER), id, 100 * PHA));
		jump(ROUND);
		silent(worker, 30 * PHA);
		process(id);
		// 20 are the owner's least part.
		assert_eq!(held(OWNER), 50 * PHA);
		silent(worker, 10 * PHA);
		process(id);
		assert_eq!(held(OWNER), 30 * PHA);
		silent(worker, 31 * PHA);
		assert_eq!(get(id).exposed(), PHA, "a second miss, of a session that had not healed");
		process(id);
		assert_eq!(held(OWNER), 30 * PHA);
		// Or hands the pool to somebody with less.
		assert_ok!(Pools::offer_ownership(signed(OWNER), id, Some(2)));
		assert_noop!(tx(|| Pools::accept_ownership(signed(2), id, 30 * PHA)), E::StakeAtRisk);
		assert_ok!(Pools::accept_ownership(signed(2), id, 31 * PHA));
		stopped_after(worker, 31 * PHA);
		// The ledger rounds its fraction of the stake down.
		assert!(get(id).own <= 1);
		assert_eq!(get(id).shares.value(), 410 * PHA);
	});
}

#[test]
fn stake_of_the_owner_lets_shares_move_again() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let worker = running(id, 1, 400 * PHA);
		silent(worker, 101 * PHA);
		assert_noop!(Pools::contribute(signed(BOB), id, PHA), E::StakeAtRisk);
		assert_ok!(Pools::add_own(signed(OWNER), id, PHA));
		assert_ok!(Pools::contribute(signed(BOB), id, PHA));
		// It is lost first, whenever it came.
		stopped_after(worker, 101 * PHA);
		assert_eq!((get(id).own, get(id).shares.value()), (0, 501 * PHA));
	});
}

#[test]
fn a_loss_of_the_owner_can_expose_the_delegators() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 400 * PHA)]);
		let (one, two) = (running(id, 1, 300 * PHA), running(id, 2, 300 * PHA));
		silent(one, 60 * PHA);
		assert_eq!(get(id).exposed(), 0);
		// Another fault of another worker.
		let tranche = suspect(two, 90 * PHA);
		assert_eq!((get(id).exposed(), get(id).rests()), (50 * PHA, true));
		restore(tranche, 90 * PHA);
		assert_eq!(get(id).exposed(), 0);
		// Both workers together.
		silent(two, 41 * PHA);
		assert_eq!((get(id).at_risk, get(id).exposed()), (101 * PHA, PHA));
		silent(one, 0);
		assert_eq!((get(id).at_risk, get(id).exposed()), (41 * PHA, 0));
	});
}

#[test]
fn a_loss_does_not_close_while_shares_rest() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 400 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		let tranche = suspect(worker, 190 * PHA);
		next_round();
		// Alice leaves with her part of 90 on hold.
		assert_ok!(Pools::withdraw(signed(ALICE), id, 500 * PHA));
		jump(ROUND);
		process(id);
		assert_eq!((position(ALICE, id).shares, held(ALICE)), (0, 50 * PHA));
		silent(worker, 20 * PHA);
		assert_eq!(apply(tranche, 100 * PHA), (100 * PHA, 0));
		restore(tranche, 90 * PHA);
		// If she had shares again now, she would bear a loss of a time at which she had none.
		next_round();
		assert_eq!((get(id).open.len(), position(ALICE, id).shares), (1, 0));
		stopped_after(worker, 20 * PHA);
		next_round();
		assert_eq!(get(id).open.len(), 1, "the new one");
		let (alice, bob) = (position(ALICE, id).worth, position(BOB, id).worth);
		assert!(alice.abs_diff(50 * PHA) < 9 && bob.abs_diff(380 * PHA) < 9, "{alice} {bob}");
	});
}

#[test]
fn a_worker_that_comes_and_goes_does_not_keep_anybody_in() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA), (BOB, 500 * PHA)]);
		for (n, stake) in [(1, 100), (2, 300), (3, 200)] {
			running(id, n, stake * PHA);
		}
		// The owner has nothing to lose any more.
		let gone = suspect(worker(2), 100 * PHA);
		assert_eq!(apply(gone, 100 * PHA), (100 * PHA, 0));
		assert_ok!(Pools::withdraw(signed(ALICE), id, 200 * PHA));
		let since = RelayBlock::get();
		while RelayBlock::get() < since + GRACE {
			assert!(tx(|| Pools::force(signed(3), id, 10)).is_err());
			// There is always one, for the price of an hour without pay.
			let n = 1 + (RelayBlock::get() / ROUND % 3) as u8;
			silent(worker(n), 3 * PHA);
			process(id);
			assert_eq!(held(ALICE), 500 * PHA);
			jump(ROUND.min(since + GRACE - RelayBlock::get()));
			if RelayBlock::get() < since + GRACE {
				silent(worker(n), 0);
			}
		}
		silent(worker(1), 2 * PHA);
		silent(worker(2), 0);
		silent(worker(3), PHA);
		lose(worker(1), PHA);
		// 400 PHA are free, so no stake is missing: only who is silent is stopped.
		assert_ok!(Pools::force(signed(3), id, 10));
		assert_eq!([1, 2, 3].map(phase), [Phase::Ending, Phase::Running, Phase::Ending]);
		assert_noop!(Pools::force(signed(3), id, 10), E::NothingToDo);
		next_round();
		process(id);
		assert!(held(ALICE) <= 301 * PHA, "{}", held(ALICE));
	});
}

#[test]
fn the_fewest_silent_workers_are_stopped() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA), (BOB, 900 * PHA)]);
		for (n, risk) in [(1, 30), (2, 50), (3, 90), (4, 20), (5, 0)] {
			running(id, n, 200 * PHA);
			silent(worker(n), risk * PHA);
		}
		assert_eq!(get(id).exposed(), 90 * PHA);
		assert_ok!(Pools::withdraw(signed(ALICE), id, PHA));
		jump(GRACE);
		assert_ok!(Pools::force(signed(3), id, 1));
		let phases = [1, 2, 3, 4, 5].map(phase);
		assert_eq!(phases.iter().filter(|phase| **phase == Phase::Ending).count(), 1);
		assert_eq!((phases[2], get(id).exposed()), (Phase::Ending, 0));
		process(id);
		assert_eq!(held(ALICE), 899 * PHA);
	});
}

#[test]
fn statements_replace_each_other_and_end_with_the_session() {
	run(|| {
		let id = pool_with(&[(ALICE, 500 * PHA)]);
		let one = running(id, 1, 100 * PHA);
		System::reset_events();
		for amount in [3, 3, 2, 0, 0, 500] {
			silent(one, amount * PHA);
		}
		let told: Vec<_> = System::read_events_for_pallet::<Event<Test>>()
			.into_iter()
			.map(|event| match event {
				Event::AtRisk { amount, exposed, .. } => (amount / PHA, exposed),
				other => panic!("{other:?}"),
			})
			.collect();
		// No more than there is.
		assert_eq!(told, [(3, 0), (2, 0), (0, 0), (100, 0)]);
		// A worker that is told to stop while it is silent ends at once.
		assert_ok!(Pools::stop(signed(OWNER), one));
		assert_eq!((get(id).at_risk, Workers::<Test>::get(one).unwrap().at_risk), (0, 0));
		cooled(one);
		assert_ok!(Pools::reclaim(signed(3), one));
		// Nothing is at risk of who has no stake, or is unknown.
		for n in [1, 7] {
			let nobody = worker(n);
			<Pools as StakeKeeper<_, crate::CreditOf<Test>>>::on_at_risk(&id, &nobody, PHA);
		}
		assert_eq!(get(id).at_risk, 0);
		assert_ok!(Pools::start(signed(OWNER), one, 100 * PHA));
		assert_eq!(get(id).at_risk, 0);
		assert_eq!(Losses::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_top_up_suspects_the_loss_and_then_nothing_is_at_risk() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA)]);
		assert_ok!(Pools::add_own(signed(OWNER), id, 100 * PHA));
		let one = running(id, 1, 400 * PHA);
		silent(one, 50 * PHA);
		lose(one, 40 * PHA);
		assert_ok!(Pools::top_up(signed(OWNER), one, 100 * PHA));
		let pool = get(id);
		assert_eq!((pool.own, pool.own_suspected, pool.at_risk), (160 * PHA, 40 * PHA, 0));
	});
}
