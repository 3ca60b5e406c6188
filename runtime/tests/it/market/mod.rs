//! The market of compute on the whole runtime: real blocks, signed extrinsics, heartbeats as general
//! transactions that the workers' keys sign.

mod earning;
mod heartbeats;
mod innocent;
mod losing;

use crate::chain::{account, block, general, pair, run, signed};
use frame_support::traits::fungible::InspectHold;
use pallet_mining::{Sessions, State, types::Record};
use pallet_stake_pools::types::PoolId;
use phala_attestation::Role;
use phala_primitives::{BlockRef, ChainId, HeartbeatStatement, Statement, WorkerKey};
use phala_runtime::{constants::currency::PHA, *};
use sp_core::{H256, Pair};

/// Benchmark score of the workers of these tests: the least stake is 50·√1000 = 1,581.1 PHA.
const SCORE: u64 = 1_000;
/// What they mine with.
const STAKE: Balance = 2_000 * PHA;

/// Runs `test` on a chain with attested workers, each on a machine of its own, all operated by alice.
pub fn market(workers: &[&str], test: impl FnOnce()) {
	run(|| {
		block(vec![]);
		for name in workers {
			let platform = H256(sp_io::hashing::blake2_256(name.as_bytes()));
			pallet_worker_registry::benchmarking::attest::<Runtime>(
				worker(name),
				Role::Worker,
				&account("alice"),
				platform,
				SCORE,
			);
		}
		test();
	});
}

fn worker(name: &str) -> WorkerKey {
	pair(name).public()
}

/// Signed extrinsics that succeed, one after the other in one block.
fn succeed(who: &str, calls: Vec<RuntimeCall>) {
	let nonce = System::account_nonce(account(who));
	let extrinsics = calls.into_iter().zip(nonce..);
	let extrinsics = extrinsics.map(|(call, nonce)| crate::chain::signed_with(who, nonce, 0, call));
	let results = block(extrinsics.collect());
	assert!(results.iter().all(|result| *result == Ok(Ok(()))), "{results:?}");
}

/// Alice's pool with `own` PHA of hers and `contributed` PHA of bob's, in which `names` mine with
/// [`STAKE`] each.
pub fn pool(own: Balance, contributed: Balance, names: &[&str]) -> PoolId {
	let pool = pallet_stake_pools::NextPool::<Runtime>::get();
	let commission = sp_runtime::Perbill::from_percent(10);
	succeed("alice", vec![pallet_stake_pools::Call::create { own: own * PHA, commission }.into()]);
	if contributed > 0 {
		let amount = contributed * PHA;
		succeed("bob", vec![pallet_stake_pools::Call::contribute { pool, amount }.into()]);
	}
	for name in names {
		let worker = worker(name);
		succeed(
			"alice",
			vec![
				pallet_stake_pools::Call::add_worker { pool, worker }.into(),
				pallet_stake_pools::Call::start { worker, stake: STAKE }.into(),
			],
		);
	}
	pool
}

fn session(name: &str) -> Record<PoolId> {
	Sessions::<Runtime>::get(worker(name)).expect("it has a session")
}

fn chain_id() -> ChainId {
	ChainId { genesis: System::block_hash(0), para_id: ParachainInfo::parachain_id().into() }
}

/// What a worker states in the next block at the speed of its benchmark, if a challenge is open whose
/// block's hash is known.
pub fn statement(name: &str) -> Option<HeartbeatStatement> {
	let record = Sessions::<Runtime>::get(worker(name))?;
	let at = record.challenge.filter(|at| at.block < System::block_number())?;
	let clock = State::<Runtime>::get().expect("mining began").clock;
	let steps = u64::from(clock.measured + 1 - at.measured);
	Some(HeartbeatStatement {
		worker: worker(name),
		session: record.id,
		challenge: BlockRef { number: at.block, hash: System::block_hash(at.block) },
		iterations: SCORE * steps,
	})
}

pub fn heartbeat(statement: HeartbeatStatement, signer: &str) -> UncheckedExtrinsic {
	let signature = statement.sign(&chain_id(), &pair(signer));
	general(pallet_mining::Call::heartbeat { statement, signature })
}

/// Builds blocks in which these workers answer.
fn mine(blocks: u32, names: &[&str]) {
	for _ in 0..blocks {
		let answers = names.iter().filter_map(|name| Some(heartbeat(statement(name)?, name)));
		let answers: Vec<_> = answers.collect();
		let results = block(answers);
		assert!(results.iter().all(|result| *result == Ok(Ok(()))), "{results:?}");
	}
}

/// Events of mining in the last block.
fn mining_events() -> Vec<pallet_mining::Event<Runtime>> {
	System::read_events_for_pallet()
}

/// Builds blocks in which these workers answer, until `done` says so of the events of one.
fn mine_until(names: &[&str], done: impl Fn(&pallet_mining::Event<Runtime>) -> bool) {
	for _ in 0..200 {
		mine(1, names);
		if mining_events().iter().any(&done) {
			return;
		}
	}
	panic!("it did not happen");
}

/// PHA that pools hold of an account.
fn staked(name: &str) -> Balance {
	use pallet_stake_pools::HoldReason::{Delegation, OwnerStake};
	let held =
		|reason| Balances::balance_on_hold(&RuntimeHoldReason::StakePools(reason), &account(name));
	held(Delegation) + held(OwnerStake)
}
