//! Who is silent through no fault of its own loses nothing.

use super::*;
use crate::chain::skip;
use frame_support::assert_ok;
use pallet_mining::Event;
use phala_runtime::constants::time::HOURS;

/// Nobody was found silent, and the worker still computes with all its health.
fn is_unharmed(name: &str) {
	let record = session(name);
	assert!(matches!(record.money.phase(), phala_tokenomics::Phase::Computing(_)));
	assert_eq!(record.money.lost(), 0);
}

/// A challenge whose answer is still in the worker's hand.
fn challenged() {
	for _ in 0..10 {
		if statement("one").is_some() {
			return;
		}
		block(vec![]);
	}
	panic!("a single worker is asked at once")
}

#[test]
fn a_stall_of_an_hour_convicts_nobody() {
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		challenged();
		skip(HOURS);
		block(vec![]);
		is_unharmed("one");
		mine(1, &["one"]);
		assert!(mining_events().iter().any(|event| matches!(event, Event::Settled { .. })));
		is_unharmed("one");
		// Slow blocks: each an hour apart, so that the relay chain's window is long over.
		for _ in 0..10 {
			challenged();
			skip(HOURS);
			mine(1, &["one"]);
			is_unharmed("one");
		}
	});
}

#[test]
fn a_multi_block_migration_convicts_nobody() {
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		challenged();
		pallet_migrations::Cursor::<Runtime>::put(pallet_migrations::MigrationCursor::Stuck);
		for _ in 0..60 {
			assert!(block(vec![]).is_empty());
		}
		is_unharmed("one");
		pallet_migrations::Cursor::<Runtime>::kill();
		mine(1, &["one"]);
		is_unharmed("one");
		assert!(mining_events().iter().any(|event| matches!(event, Event::Settled { .. })));
	});
}

#[test]
fn answers_count_in_safe_mode_and_pools_stand_still() {
	market(&["one"], || {
		let id = pool(3_000, 0, &["one"]);
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		mine(60, &["one"]);
		is_unharmed("one");
		let contribute = pallet_stake_pools::Call::contribute { pool: id, amount: PHA };
		let filtered = frame_system::Error::<Runtime>::CallFiltered;
		assert_eq!(block(vec![signed("bob", contribute)]), vec![Ok(Err(filtered.into()))]);
	});
}

#[test]
fn a_pause_keeps_neither_heartbeats_nor_leavers_in() {
	market(&["one"], || {
		block(vec![]);
		let pause = |pallet: &str, call: &str| {
			let name = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
			let calls = vec![(name(pallet), name(call))].try_into().expect("it is one");
			Dao::pause(RuntimeOrigin::root(), calls)
		};
		for (pallet, call) in [
			("Mining", "heartbeat"),
			("StakePools", "withdraw"),
			("StakePools", "stop"),
			("StakePools", "reclaim"),
			("StakePools", "process"),
			("Slashing", "cancel"),
		] {
			assert!(pause(pallet, call).is_err(), "{pallet}.{call}");
		}
		assert_ok!(pause("StakePools", "contribute"));
	});
}
