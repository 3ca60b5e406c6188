//! From the first stake to the last.

use super::*;
use crate::chain::{check_state, set_draws, skip};
use pallet_mining::Event;
use phala_runtime::constants::{accounts, governance::COOL_DOWN, market::ROUND};

/// What settlements paid to pools and to the treasury, of the events of each block.
fn settled() -> (Balance, Balance) {
	let events = mining_events().into_iter();
	events.fold((0, 0), |(pool, treasury), event| match event {
		Event::Settled { settlement, .. } => {
			(pool + settlement.pool, treasury + settlement.treasury)
		}
		_ => (pool, treasury),
	})
}

#[test]
fn stake_earns_and_comes_back() {
	market(&["one"], || {
		let issued = Balances::total_issuance();
		let id = pool(1_000, 3_000, &["one"]);
		assert_eq!((staked("alice"), staked("bob")), (1_000 * PHA, 3_000 * PHA));
		// Bob's contribution earns from the next round.
		skip(ROUND);
		let pot = Balances::free_balance(accounts::subsidy_pot());
		let pools = || Balances::free_balance(pallet_stake_pools::Pallet::<Runtime>::pot_account());
		let before = pools();
		let (mut to_pool, mut to_treasury) = (0, 0);
		let treasury = Balances::free_balance(accounts::treasury());
		for _ in 0..60 {
			mine(1, &["one"]);
			let (pool, treasury) = settled();
			(to_pool, to_treasury) = (to_pool + pool, to_treasury + treasury);
		}
		assert!(to_pool > 0);
		assert_eq!(pot - Balances::free_balance(accounts::subsidy_pot()), to_pool + to_treasury);
		assert_eq!(pools() - before, to_pool);
		assert_eq!(Balances::free_balance(accounts::treasury()) - treasury, to_treasury);
		// 20 % of each payment, rounded down to the treasury's disadvantage by less than a planck each.
		assert!(to_treasury.abs_diff((to_pool + to_treasury) / 5) < 60);

		// A tenth is alice's commission; of the rest a quarter is hers and three are bob's.
		skip(ROUND);
		mine(1, &["one"]);
		succeed(
			"bob",
			vec![pallet_stake_pools::Call::settle { pool: id, who: account("bob") }.into()],
		);
		let before = Balances::free_balance(account("bob"));
		let claim = signed("bob", pallet_stake_pools::Call::claim { pool: id });
		let results = block(vec![claim]);
		assert_eq!(results, vec![Ok(Ok(()))]);
		let claimed = System::read_events_for_pallet::<pallet_stake_pools::Event<Runtime>>();
		let gained = claimed
			.iter()
			.find_map(|event| match event {
				pallet_stake_pools::Event::RewardsClaimed { amount, .. } => Some(*amount),
				_ => None,
			})
			.expect("he claimed");
		assert!(
			gained.abs_diff(to_pool * 9 / 10 * 3 / 4) <= to_pool / 100,
			"{gained} of {to_pool}"
		);
		let fee = System::read_events_for_pallet::<pallet_transaction_payment::Event<Runtime>>()
			.iter()
			.find_map(|event| match event {
				pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. } => {
					Some(*actual_fee)
				}
				_ => None,
			})
			.expect("he paid for the call");
		assert_eq!(Balances::free_balance(account("bob")), before + gained - fee);
		check_state();

		succeed("alice", vec![pallet_stake_pools::Call::stop { worker: worker("one") }.into()]);
		mine_until(&["one"], |event| matches!(event, Event::Ended { lost: 0, .. }));
		let withdraw = pallet_stake_pools::Call::withdraw { pool: id, shares: 3_000 * PHA };
		succeed("bob", vec![withdraw.into()]);
		skip(COOL_DOWN);
		block(vec![]);
		succeed(
			"charlie",
			vec![pallet_stake_pools::Call::reclaim { worker: worker("one") }.into()],
		);
		succeed("charlie", vec![pallet_stake_pools::Call::process { pool: id, limit: 10 }.into()]);
		assert_eq!((staked("alice"), staked("bob")), (1_000 * PHA, 0));
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn pay_is_in_proportion_to_shares() {
	market(&["one", "two", "three"], || {
		pool(10_000, 0, &["one", "two"]);
		let three = worker("three");
		let pool = 0;
		succeed(
			"alice",
			vec![
				pallet_stake_pools::Call::add_worker { pool, worker: three }.into(),
				pallet_stake_pools::Call::start { worker: three, stake: 3 * STAKE }.into(),
			],
		);
		let names = ["one", "two", "three"];
		// All have settled once and begin anew together.
		let mut paid = [0; 3];
		for _ in 0..300 {
			mine(1, &names);
			for event in mining_events() {
				if let Event::Settled { worker: who, settlement, .. } = event {
					let index = names.iter().position(|name| worker(name) == who).expect("ours");
					paid[index] += settlement.pool;
				}
			}
		}
		// Pay is capped in so small a network: at 0.05 % of V per hour, so it is in proportion to V.
		let v = names.map(|name| session(name).money.v().to_planck_floor());
		for (index, paid) in paid.into_iter().enumerate() {
			let expected = v[index] * 5 / 10_000 * 300 / 600 * 8 / 10;
			assert!(
				paid > expected * 95 / 100 && paid < expected * 105 / 100,
				"{index}: {paid} of {expected}"
			);
		}
		assert!(v[2] > 2 * v[0] && v[0].abs_diff(v[1]) < v[0] / 1_000);
	});
}

#[test]
fn a_worker_that_mines_cannot_leave_the_registry() {
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		let call = pallet_worker_registry::Call::deregister { worker: worker("one") };
		let error = pallet_worker_registry::Error::<Runtime>::WorkerBound;
		assert_eq!(block(vec![signed("alice", call)]), vec![Ok(Err(error.into()))]);
	});
}

#[test]
fn who_leaves_the_registry_leaves_nothing_in_pools() {
	use pallet_stake_pools::{Call, Consents, PoolWorkers, Workers};
	market(&["one", "two"], || {
		let id = pool(2_000, 0, &[]);
		let (one, two) = (worker("one"), worker("two"));
		let deregister = |worker| {
			RuntimeCall::from(pallet_worker_registry::Call::<Runtime>::deregister { worker })
		};
		succeed(
			"alice",
			vec![
				Call::consent { worker: one, pool: Some(id) }.into(),
				Call::add_worker { pool: id, worker: two }.into(),
				deregister(one),
				deregister(two),
			],
		);
		assert_eq!(Consents::<Runtime>::iter().count(), 0);
		assert_eq!(Workers::<Runtime>::iter().count() + PoolWorkers::<Runtime>::iter().count(), 0);
		succeed("alice", vec![Call::close { pool: id }.into()]);
	});
}

#[test]
fn without_the_relay_chains_randomness_nobody_is_asked() {
	market(&["one"], || {
		set_draws(false);
		pool(2_000, 0, &["one"]);
		mine(30, &["one"]);
		assert_eq!(session("one").challenge, None);
		set_draws(true);
		mine(1, &["one"]);
		assert!(session("one").challenge.is_some());
	});
}
