//! What silence and offences cost, and how it is appealed.

use super::*;
use crate::{
	chain::{check_state, skip},
	governance::{all_vote, enact, enacted, is_approved, propose},
};
use frame_support::assert_ok;
use pallet_dao::Origin;
use pallet_mining::Event;
use pallet_slashing::Ledger;
use phala_primitives::{EvidenceHash, OffenceClass, OffenceId};
use phala_runtime::{
	configs::Offender,
	constants::{accounts, governance::COOL_DOWN, market::*, time::HOURS},
};
use sp_runtime::Perquintill;

const FIRST: OffenceId = OffenceId { class: OffenceClass::Outage, index: 0 };

/// Worker "one" of alice's pool is found silent.
fn silent() -> PoolId {
	let id = pool(200, 3_800, &["one"]);
	// Bob's part earns, and loses.
	skip(ROUND);
	mine(1, &["one"]);
	for _ in 0..60 {
		block(vec![]);
		if mining_events().iter().any(|event| matches!(event, Event::Missed { .. })) {
			return id;
		}
	}
	panic!("who does not answer is found")
}

/// Lets it be silent for hours more, and stops it.
fn stopped() -> PoolId {
	let id = silent();
	// A block credits at most 20 steps.
	for _ in 0..4 * HOURS / 20 {
		skip(19);
		block(vec![]);
	}
	succeed("alice", vec![pallet_stake_pools::Call::stop { worker: worker("one") }.into()]);
	assert!(Ledger::<Runtime>::get(FIRST.class, FIRST.index).is_some());
	id
}

#[test]
fn the_silent_decay_and_come_back() {
	market(&["one"], || {
		silent();
		let before = session("one").money.v();
		// The probation, an hour of active steps.
		for _ in 0..HOURS / 20 + 1 {
			skip(19);
			block(vec![]);
		}
		let recovered = |event: &_| matches!(event, Event::Recovered { .. });
		mine_until(&["one"], recovered);
		let after = session("one").money;
		// 0.1 % an hour.
		let fell = before.saturating_sub(after.v()).to_planck_floor();
		let hourly = before.to_planck_floor() / 1_000;
		assert!(fell > hourly / 2 && fell < 2 * hourly, "{fell} of {hourly}");
		assert!(after.lost() > 0);
		mine_until(&["one"], |event| matches!(event, Event::Settled { .. }));
	});
}

#[test]
fn a_loss_is_cancelled_by_referendum() {
	market(&["one"], || {
		let id = stopped();
		// Who votes with everything has nothing left for fees.
		let (dest, value) = (account("dave").into(), 10 * PHA);
		succeed("charlie", vec![pallet_balances::Call::transfer_keep_alive { dest, value }.into()]);
		let suspected: Vec<_> = pallet_stake_pools::Tranches::<Runtime>::iter_values().collect();
		assert_eq!(suspected.len(), 1);
		let treasury = Balances::free_balance(accounts::treasury());
		let cancel = pallet_slashing::Call::cancel { id: FIRST, false_report: false };
		let index = propose(Origin::SlashCanceller, cancel);
		all_vote(index, true);
		enact(15);
		assert!(is_approved(index));
		assert_eq!(enacted().last(), Some(&Ok(())));
		assert_eq!(pallet_stake_pools::Tranches::<Runtime>::iter().count(), 0);
		check_state();
		skip(COOL_DOWN);
		block(vec![]);
		succeed("dave", vec![pallet_stake_pools::Call::reclaim { worker: worker("one") }.into()]);
		assert_eq!((staked("alice"), staked("bob")), (200 * PHA, 3_800 * PHA));
		// Nothing came in but fees.
		assert!(Balances::free_balance(accounts::treasury()) - treasury < PHA);
		let pool = pallet_stake_pools::Pools::<Runtime>::get(id).expect("it is there");
		assert_eq!(pool.own, 200 * PHA);
	});
}

#[test]
fn the_track_of_cancellers_decides_before_a_slash_is_taken() {
	use pallet_referenda::TracksInfo;
	let track = phala_runtime::configs::governance::Tracks::info(15).expect("it is there");
	let info = &track;
	let longest = info.prepare_period
		+ info.decision_period
		+ info.confirm_period
		+ info.min_enactment_period;
	assert!(longest < DEFERRAL, "{longest} of {DEFERRAL}");
}

#[test]
fn a_loss_that_nobody_cancels_is_taken() {
	market(&["one"], || {
		let issued = Balances::total_issuance();
		stopped();
		let treasury = Balances::free_balance(accounts::treasury());
		let [alice, bob] = [staked("alice"), staked("bob")];
		for _ in 0..3 {
			// Not in one leap, which would be a stall.
			for _ in 0..DEFERRAL / 500 {
				skip(499);
				block(vec![]);
			}
			skip(SLASHING_ERA / 2);
		}
		let taken = alice - staked("alice");
		assert!(taken > 0, "the owner's stake is lost first");
		assert_eq!(staked("bob"), bob, "and covers it");
		let came = Balances::free_balance(accounts::treasury()) - treasury;
		assert!(came >= taken && came < taken + PHA, "{came} of {taken}");
		assert_eq!(Balances::total_issuance(), issued);
	});
}

/// Somebody accuses worker "one" of what it did in this block.
fn accuse(committed: BlockNumber) -> RuntimeCall {
	pallet_slashing::Call::accuse {
		class: OffenceClass::Compromise,
		offender: Offender::Worker(worker("one")),
		committed,
		evidence: EvidenceHash::of(&"a signature that was made outside"),
	}
	.into()
}

#[test]
fn an_accusation_is_judged_and_reaches_delegators() {
	market(&["one"], || {
		let id = pool(200, 3_800, &["one"]);
		skip(ROUND);
		mine(1, &["one"]);
		succeed("charlie", vec![accuse(ParachainSystem::last_relay_block_number())]);
		assert_ok!(Slashing::convict(RuntimeOrigin::root(), 0, Perquintill::one()));
		// Half of the worker's 2,000 PHA: the owner's 200 PHA, and 800 PHA of bob's.
		let suspected: Vec<_> = pallet_stake_pools::Tranches::<Runtime>::iter_values().collect();
		assert_eq!(suspected.len(), 1);
		assert_eq!((suspected[0].own, suspected[0].others), (200 * PHA, 800 * PHA));
		// Nobody leaves before the loss: bob's shares are worth less at once.
		let pool = pallet_stake_pools::Pools::<Runtime>::get(id).expect("it is there");
		assert_eq!(pool.shares.value(), 3_000 * PHA);
	});
}

#[test]
fn a_worker_that_stopped_is_accused_of_what_came_before() {
	market(&["one"], || {
		let id = pool(2_000, 0, &["one"]);
		let reclaim =
			|| RuntimeCall::from(pallet_stake_pools::Call::reclaim { worker: worker("one") });
		mine(1, &["one"]);
		succeed("alice", vec![pallet_stake_pools::Call::stop { worker: worker("one") }.into()]);
		mine_until(&["one"], |event| matches!(event, Event::Ended { lost: 0, .. }));
		let ended = session("one").ended.expect("it is over");
		skip(HOURS);
		block(vec![]);
		let now = ParachainSystem::last_relay_block_number();
		let refused = pallet_slashing::Error::<Runtime>::NothingAtStakeThen.into();
		assert_eq!(block(vec![signed("charlie", accuse(now))]), vec![Ok(Err(refused))]);
		succeed("charlie", vec![accuse(ended)]);
		skip(COOL_DOWN);
		block(vec![]);
		let open = pallet_mining::Error::<Runtime>::OpenCase.into();
		assert_eq!(block(vec![signed("bob", reclaim())]), vec![Ok(Err(open))]);
		// Nobody judges it, and no other can take its place.
		skip(JUDGEMENT);
		block(vec![]);
		succeed("bob", vec![pallet_slashing::Call::lapse { id: 0 }.into(), reclaim()]);
		let pool = pallet_stake_pools::Pools::<Runtime>::get(id).expect("it is there");
		assert_eq!(pool.committed, 0);
	});
}
