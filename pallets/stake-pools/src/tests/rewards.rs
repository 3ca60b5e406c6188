//! Rewards: who gets what, and when.

use crate::{Error, Starts, mock::*, types::PoolId};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		Imbalance,
		fungible::{Balanced, Inspect, Mutate},
		tokens::{Fortitude, Precision, Preservation},
	},
};
use phala_primitives::StakeKeeper;
use sp_runtime::Perbill;

#[test]
fn commission_is_the_owners_and_the_rest_is_divided_by_stake() {
	run(|| {
		let id = pool_with(&[(ALICE, 300 * PHA), (BOB, 600 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		pay(worker, 60 * PHA);
		assert_noop!(Pools::claim(signed(ALICE), id), Error::<Test>::NothingToClaim);
		pay(worker, 40 * PHA);
		next_round();
		assert_ok!(Pools::claim(signed(ALICE), id));
		assert_ok!(Pools::claim(signed(BOB), id));
		assert_ok!(Pools::claim_owner(signed(OWNER), id));
		// 10 of commission, and 9 for a tenth of the stake.
		assert_eq!(wealth(OWNER), RICH + 19 * PHA);
		assert!(near(wealth(ALICE), RICH + 27 * PHA));
		assert!(near(wealth(BOB), RICH + 54 * PHA));
		assert_noop!(Pools::claim(signed(ALICE), id), Error::<Test>::NothingToClaim);
		assert_noop!(Pools::claim_owner(signed(OWNER), id), Error::<Test>::NothingToClaim);
		assert_noop!(Pools::claim_owner(signed(ALICE), id), Error::<Test>::NotOwner);
	});
}

#[test]
fn a_cut_of_the_commission_binds_for_the_round_that_runs() {
	run(|| {
		let id = pool_with(&[(ALICE, 100 * PHA)]);
		let worker = running(id, 1, 100 * PHA);
		pay(worker, 100 * PHA);
		assert_ok!(Pools::set_commission(signed(OWNER), id, Perbill::zero()));
		next_round();
		assert_eq!(get(id).owner_rewards, 50 * PHA);
	});
}

#[test]
fn pay_waits_until_somebody_earns() {
	run(|| {
		let id = pool(100 * PHA);
		// The worker starts in the round in which the stake came.
		let worker = running(id, 1, 100 * PHA);
		pay(worker, 10 * PHA);
		next_round();
		assert_eq!((get(id).bucket, get(id).owner_rewards), (10 * PHA, 0));
		next_round();
		assert_eq!((get(id).bucket, get(id).owner_rewards), (0, 10 * PHA));
	});
}

#[test]
fn rewards_do_not_depend_on_who_claims_when() {
	let total = |often: bool| {
		let mut totals = (0, 0);
		run(|| {
			let id = pool_with(&[(ALICE, 333 * PHA + 7), (BOB, 111 * PHA + 1)]);
			let worker = running(id, 1, 100 * PHA);
			for n in 0..30u128 {
				pay(worker, PHA + n * 7_777);
				next_round();
				if often {
					assert_ok!(Pools::claim(signed(ALICE), id));
				}
				if n == 9 {
					assert_ok!(Pools::contribute(signed(BOB), id, 222 * PHA));
				}
				if n == 19 {
					assert_ok!(Pools::withdraw(signed(ALICE), id, 111 * PHA));
					jump(ROUND);
					process(id);
				}
			}
			let _ = Pools::claim(signed(ALICE), id);
			assert_ok!(Pools::claim(signed(BOB), id));
			totals = (wealth(ALICE) - RICH, wealth(BOB) - RICH);
		});
		totals
	};
	let (often, once) = (total(true), total(false));
	assert_eq!(often.1, once.1);
	assert!(once.0 - often.0 <= 30);
}

#[test]
fn a_long_sleep_after_joining_costs_nothing() {
	run(|| {
		let id = pool_with(&[(ALICE, 100 * PHA)]);
		let worker = running(id, 1, 100 * PHA);
		pay(worker, 20 * PHA);
		assert_ok!(Pools::contribute(signed(BOB), id, 100 * PHA));
		assert_ok!(Pools::contribute(signed(BOB), id, 100 * PHA));
		assert_eq!(Starts::<Test>::iter().count(), 2, "one for Alice");
		for _ in 0..10 {
			next_round();
			pay(worker, 40 * PHA);
			check();
		}
		next_round();
		assert!(near(position(BOB, id).rewards, 180 * PHA));
		assert_ok!(Pools::claim(signed(ALICE), id));
		assert_ok!(Pools::claim(signed(BOB), id));
		assert_eq!(Starts::<Test>::iter().count(), 0);
		assert!(near(wealth(BOB), RICH + 180 * PHA));
	});
}

#[test]
fn rewards_can_be_claimed_after_leaving() {
	run(|| {
		let id = pool_with(&[(ALICE, 100 * PHA)]);
		let worker = running(id, 1, 100 * PHA);
		pay(worker, 20 * PHA);
		assert_ok!(Pools::withdraw(signed(ALICE), id, 100 * PHA));
		jump(ROUND);
		process(id);
		assert_eq!((held(ALICE), position(ALICE, id).shares), (0, 0));
		assert_ok!(Pools::claim(signed(ALICE), id));
		assert!(near(wealth(ALICE), RICH + 9 * PHA));
		assert_eq!(stored(ALICE, id), None);
		assert_noop!(Pools::claim(signed(ALICE), id), Error::<Test>::PositionNotFound);
	});
}

type Credit = crate::CreditOf<Test>;

fn subsidy(amount: u128) -> Credit {
	let (exact, polite) = (Precision::Exact, Fortitude::Polite);
	Balances::withdraw(&SUBSIDY, amount, exact, Preservation::Preserve, polite).unwrap()
}

#[test]
fn what_has_not_come_yet_cannot_be_claimed() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		pay(worker, 100 * PHA);
		next_round();
		// In one block: an answer, and then claims, of which the first credits the round before.
		assert!(<Pools as StakeKeeper<_, Credit>>::on_earned(&id, &worker, 70 * PHA));
		assert_ok!(Pools::claim(signed(ALICE), id));
		assert_ok!(Pools::claim_owner(signed(OWNER), id));
		assert!(near(wealth(ALICE), RICH + 81 * PHA));
		assert!(near(wealth(OWNER), RICH + 19 * PHA));
		assert_noop!(Pools::claim(signed(ALICE), id), Error::<Test>::NothingToClaim);
		assert!(<Pools as StakeKeeper<PoolId, _>>::on_paid(subsidy(70 * PHA)).is_ok());
		next_round();
		assert_ok!(Pools::claim(signed(ALICE), id));
		assert!(near(wealth(ALICE), RICH + 81 * PHA + 567 * PHA / 10));
	});
}

#[test]
fn pay_that_nobody_can_take_is_handed_back() {
	run(|| {
		// A pool that is gone.
		assert!(!<Pools as StakeKeeper<_, Credit>>::on_earned(&99, &worker(1), 7));
		// A pot that does not exist, and a pay below the existential deposit.
		let balance = Balances::balance(&Pools::pot_account());
		let transfer = |from, to| {
			<Balances as Mutate<_>>::transfer(&from, &to, balance, Preservation::Expendable)
				.unwrap()
		};
		transfer(Pools::pot_account(), SUBSIDY);
		let refused = <Pools as StakeKeeper<PoolId, _>>::on_paid(subsidy(7)).unwrap_err();
		assert_eq!(refused.peek(), 7);
		assert!(Balances::resolve(&SUBSIDY, refused).is_ok());
		transfer(SUBSIDY, Pools::pot_account());
	});
}
