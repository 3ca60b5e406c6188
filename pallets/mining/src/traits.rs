//! What this pallet needs from the runtime, beside the traits of `phala-primitives`.

use phala_primitives::WorkerKey;
use sp_core::H256;

/// Randomness of the relay chain.
pub trait RelayRandomness {
	/// What the relay-chain block that this block builds on drew, out of its state proof. `None` if it
	/// is not there: then nobody is challenged. On a live chain never what an earlier block drew, as
	/// everybody could know hours ahead when to be awake.
	fn current() -> Option<H256>;

	/// Lets `current` be `randomness`.
	#[cfg(feature = "runtime-benchmarks")]
	fn set(randomness: H256);
}

/// Who authors the parachain's blocks.
pub trait Authorship<AccountId> {
	/// Author of the present block.
	fn author() -> Option<AccountId>;

	/// How many authors the set has now.
	fn authors() -> u32;
}

/// Whether a worker serves paid, receipted work of somebody who is not its operator.
pub trait ServingWorkers {
	/// True if it does now.
	fn is_serving(worker: &WorkerKey) -> bool;
}

/// Nobody does.
impl ServingWorkers for () {
	fn is_serving(_: &WorkerKey) -> bool {
		false
	}
}

/// Sets the stage for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<Keeper> {
	/// Lets worker number `n` be attested, on a platform of its own, with a score of 1,000, and returns
	/// its key: the sr25519 key of seed `n` in the keystore, under `pwrk`.
	fn attest(n: u32) -> WorkerKey;

	/// A keeper whose account can be paid.
	fn keeper() -> Keeper;

	/// Lets `keeper` have set `stake` planck aside for `worker`.
	fn stake(keeper: &Keeper, worker: &WorkerKey, stake: u128);

	/// Lets the pot be full.
	fn fill_pot(amount: u128);
}
