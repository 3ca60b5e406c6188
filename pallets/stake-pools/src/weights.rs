//! Weights of the calls, and of what neighbours ask for.
//!
//! A runtime measures its own with the benchmarks. What is here stands in where none were measured,
//! derived from the storage that each touches. Each adds up
//! - the reads and writes of the pallet itself, counted from its code at its worst case: [`LOAD`] for
//!   a pool with all its losses to close, [`POSITION`] for a position with all it can catch up with,
//!   [`LOSS`] for a loss that is suspected;
//! - for each call into mining, [`MINING`] of both;
//! - 10 µs of computation, and 5 µs more for every read or write;
//! - [`PROOF`] bytes of proof for every read.

use crate::{MAX_STOPS, holders::MAX_CATCH_UP, types::MAX_OPEN_LOSSES};
use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight, constants::RocksDbWeight},
};

/// Weights of the calls, and of what neighbours ask for.
pub trait WeightInfo {
	/// Call `create`.
	fn create() -> Weight;
	/// Call `set_commission`.
	fn set_commission() -> Weight;
	/// Call `set_cap`.
	fn set_cap() -> Weight;
	/// Call `set_whitelist` with so many accounts.
	fn set_whitelist(accounts: u32) -> Weight;
	/// Call `set_description`.
	fn set_description() -> Weight;
	/// Call `offer_ownership`.
	fn offer_ownership() -> Weight;
	/// Call `accept_ownership`.
	fn accept_ownership() -> Weight;
	/// Call `close`.
	fn close() -> Weight;
	/// Call `add_own`.
	fn add_own() -> Weight;
	/// Call `withdraw_own`.
	fn withdraw_own() -> Weight;
	/// Call `consent`.
	fn consent() -> Weight;
	/// Call `add_worker`.
	fn add_worker() -> Weight;
	/// Call `remove_worker`.
	fn remove_worker() -> Weight;
	/// Call `start`.
	fn start() -> Weight;
	/// Call `top_up`, of a session that lost something.
	fn top_up() -> Weight;
	/// Call `stop`.
	fn stop() -> Weight;
	/// Call `reclaim`.
	fn reclaim() -> Weight;
	/// Call `contribute`.
	fn contribute() -> Weight;
	/// Call `withdraw`.
	fn withdraw() -> Weight;
	/// Call `cancel_withdrawal`.
	fn cancel_withdrawal() -> Weight;
	/// Call `claim`.
	fn claim() -> Weight;
	/// Call `claim_owner`.
	fn claim_owner() -> Weight;
	/// Call `process`, for so many requests.
	fn process(requests: u32) -> Weight;
	/// Call `force`, which looks at so many requests of a pool with all its workers.
	fn force(requests: u32) -> Weight;
	/// Call `settle`, of a position that is as far behind as one call can go.
	fn settle() -> Weight;
	/// A worker's pay: [`StakeKeeper::on_earned`](phala_primitives::StakeKeeper::on_earned).
	fn on_earned() -> Weight;
	/// A session's end: [`StakeKeeper::on_ended`](phala_primitives::StakeKeeper::on_ended).
	fn on_ended() -> Weight;
	/// What a worker's silence may cost:
	/// [`StakeKeeper::on_at_risk`](phala_primitives::StakeKeeper::on_at_risk).
	fn on_at_risk() -> Weight;
	/// A loss is suspected: [`Slashable::suspect`](phala_primitives::Slashable::suspect).
	fn suspect() -> Weight;
	/// A part of it is taken: [`Slashable::apply`](phala_primitives::Slashable::apply).
	fn apply() -> Weight;
	/// A part of it is cancelled: [`Slashable::restore`](phala_primitives::Slashable::restore).
	fn restore() -> Weight;
}

/// Items that a call into mining is assumed to read and to write: a session, the list of challenges,
/// parameters, attestation, and what it reports to the ledger.
pub const MINING: u64 = 12;

/// Pool, clock, start, and the losses that close.
pub const LOAD: u64 = 3 + MAX_OPEN_LOSSES as u64;

/// Position, account, holds, start, slashed PHA, the losses it knows and those it does not.
pub const POSITION: u64 = 6 + MAX_OPEN_LOSSES as u64 + MAX_CATCH_UP as u64;

/// Worker, pool, clock, start, loss, tranche, next tranche.
pub const LOSS: u64 = 7;

/// Workers of a pool.
pub const WORKERS: u64 = 200;

/// Bytes of proof for one item: a path through the trie, and the value.
pub const PROOF: u64 = 3_200;

fn derived<Db: Get<RuntimeDbWeight>>(mining: u64, reads: u64, writes: u64) -> Weight {
	let inside = mining.saturating_mul(MINING);
	let (reads, writes) = (reads.saturating_add(inside), writes.saturating_add(inside));
	let time = reads.saturating_add(writes).saturating_mul(5_000_000).saturating_add(10_000_000);
	Weight::from_parts(time, reads.saturating_mul(PROOF))
		.saturating_add(Db::get().reads_writes(reads, writes))
}

/// Derived weights, with a database.
pub struct Derived<Db>(PhantomData<Db>);

/// Derived weights, with the database of a runtime.
pub type SubstrateWeight<T> = Derived<<T as frame_system::Config>::DbWeight>;

impl<Db: Get<RuntimeDbWeight>> WeightInfo for Derived<Db> {
	// next, clock, account, holds, pool
	fn create() -> Weight {
		derived::<Db>(0, 5, 4)
	}
	// a pool as of this round
	fn set_commission() -> Weight {
		derived::<Db>(1, LOAD, LOAD)
	}
	// a pool as of this round
	fn set_cap() -> Weight {
		derived::<Db>(0, LOAD, LOAD)
	}
	// a pool as of this round, list
	fn set_whitelist(accounts: u32) -> Weight {
		derived::<Db>(0, LOAD, LOAD + 1)
			.saturating_add(Weight::from_parts(u64::from(accounts).saturating_mul(50_000), 0))
	}
	// a pool as of this round, text
	fn set_description() -> Weight {
		derived::<Db>(0, LOAD, LOAD + 1)
	}
	// a pool as of this round
	fn offer_ownership() -> Weight {
		derived::<Db>(0, LOAD, LOAD)
	}
	// a pool and a position, start, pot, two accounts and their holds
	fn accept_ownership() -> Weight {
		derived::<Db>(0, LOAD + POSITION + 6, LOAD + POSITION + 6)
	}
	// a pool as of this round, workers, pot, account, holds, list, text
	fn close() -> Weight {
		derived::<Db>(0, LOAD + 5, LOAD + 7)
	}
	// a pool as of this round, account, holds
	fn add_own() -> Weight {
		derived::<Db>(0, LOAD + 2, LOAD + 2)
	}
	// a pool as of this round
	fn withdraw_own() -> Weight {
		derived::<Db>(0, LOAD, LOAD)
	}
	// attestation (5), pool, consent
	fn consent() -> Weight {
		derived::<Db>(0, 7, 1)
	}
	// pool, worker, attestation (5), consent, workers
	fn add_worker() -> Weight {
		derived::<Db>(0, 9, 3)
	}
	// worker, pool, workers
	fn remove_worker() -> Weight {
		derived::<Db>(0, 3, 2)
	}
	// worker, a pool as of this round, attestation (5), total
	fn start() -> Weight {
		derived::<Db>(1, LOAD + 7, LOAD + 2)
	}
	// worker, a pool as of this round, a loss, total
	fn top_up() -> Weight {
		derived::<Db>(2, LOAD + LOSS + 2, LOAD + LOSS + 2)
	}
	// worker, pool, a loss
	fn stop() -> Weight {
		derived::<Db>(2, LOSS + 2, LOSS + 1)
	}
	// worker, a pool as of this round, total
	fn reclaim() -> Weight {
		derived::<Db>(1, LOAD + 2, LOAD + 2)
	}
	// a pool and a position, list, start
	fn contribute() -> Weight {
		derived::<Db>(0, LOAD + POSITION + 2, LOAD + POSITION + 1)
	}
	// a pool and a position, request and neighbours
	fn withdraw() -> Weight {
		derived::<Db>(0, LOAD + POSITION + 4, LOAD + POSITION + 4)
	}
	// a pool as of this round, request and neighbours
	fn cancel_withdrawal() -> Weight {
		derived::<Db>(0, LOAD + 3, LOAD + 3)
	}
	// a pool and a position, pot
	fn claim() -> Weight {
		derived::<Db>(0, LOAD + POSITION + 1, LOAD + POSITION + 1)
	}
	// a pool as of this round, pot, account
	fn claim_owner() -> Weight {
		derived::<Db>(0, LOAD + 2, LOAD + 2)
	}
	// a pool as of this round; for each a position, request and next
	fn process(requests: u32) -> Weight {
		let each = u64::from(requests).saturating_mul(POSITION + 2);
		derived::<Db>(0, LOAD.saturating_add(each), LOAD.saturating_add(each))
	}
	// a pool as of this round, workers, each of them, requests; stops with a loss each
	fn force(requests: u32) -> Weight {
		let stops = u64::from(MAX_STOPS);
		let reads = (LOAD + 1 + WORKERS).saturating_add(requests.into());
		let losses = stops.saturating_mul(LOSS);
		derived::<Db>(stops, reads.saturating_add(losses), LOAD.saturating_add(losses))
	}
	// a pool and a position
	fn settle() -> Weight {
		derived::<Db>(0, LOAD + POSITION, LOAD + POSITION)
	}
	// pool, clock, start
	fn on_earned() -> Weight {
		derived::<Db>(0, 3, 2)
	}
	// worker, pool
	fn on_ended() -> Weight {
		derived::<Db>(0, 2, 2)
	}
	// worker, pool
	fn on_at_risk() -> Weight {
		derived::<Db>(0, 2, 2)
	}
	// a loss
	fn suspect() -> Weight {
		derived::<Db>(0, LOSS, LOSS)
	}
	// a loss, account, holds, total
	fn apply() -> Weight {
		derived::<Db>(0, LOSS + 2, LOSS + 3)
	}
	// a loss
	fn restore() -> Weight {
		derived::<Db>(0, LOSS, LOSS)
	}
}

impl WeightInfo for () {
	fn create() -> Weight {
		Derived::<RocksDbWeight>::create()
	}
	fn set_commission() -> Weight {
		Derived::<RocksDbWeight>::set_commission()
	}
	fn set_cap() -> Weight {
		Derived::<RocksDbWeight>::set_cap()
	}
	fn set_whitelist(accounts: u32) -> Weight {
		Derived::<RocksDbWeight>::set_whitelist(accounts)
	}
	fn set_description() -> Weight {
		Derived::<RocksDbWeight>::set_description()
	}
	fn offer_ownership() -> Weight {
		Derived::<RocksDbWeight>::offer_ownership()
	}
	fn accept_ownership() -> Weight {
		Derived::<RocksDbWeight>::accept_ownership()
	}
	fn close() -> Weight {
		Derived::<RocksDbWeight>::close()
	}
	fn add_own() -> Weight {
		Derived::<RocksDbWeight>::add_own()
	}
	fn withdraw_own() -> Weight {
		Derived::<RocksDbWeight>::withdraw_own()
	}
	fn consent() -> Weight {
		Derived::<RocksDbWeight>::consent()
	}
	fn add_worker() -> Weight {
		Derived::<RocksDbWeight>::add_worker()
	}
	fn remove_worker() -> Weight {
		Derived::<RocksDbWeight>::remove_worker()
	}
	fn start() -> Weight {
		Derived::<RocksDbWeight>::start()
	}
	fn top_up() -> Weight {
		Derived::<RocksDbWeight>::top_up()
	}
	fn stop() -> Weight {
		Derived::<RocksDbWeight>::stop()
	}
	fn reclaim() -> Weight {
		Derived::<RocksDbWeight>::reclaim()
	}
	fn contribute() -> Weight {
		Derived::<RocksDbWeight>::contribute()
	}
	fn withdraw() -> Weight {
		Derived::<RocksDbWeight>::withdraw()
	}
	fn cancel_withdrawal() -> Weight {
		Derived::<RocksDbWeight>::cancel_withdrawal()
	}
	fn claim() -> Weight {
		Derived::<RocksDbWeight>::claim()
	}
	fn claim_owner() -> Weight {
		Derived::<RocksDbWeight>::claim_owner()
	}
	fn process(requests: u32) -> Weight {
		Derived::<RocksDbWeight>::process(requests)
	}
	fn force(requests: u32) -> Weight {
		Derived::<RocksDbWeight>::force(requests)
	}
	fn settle() -> Weight {
		Derived::<RocksDbWeight>::settle()
	}
	fn on_earned() -> Weight {
		Derived::<RocksDbWeight>::on_earned()
	}
	fn on_ended() -> Weight {
		Derived::<RocksDbWeight>::on_ended()
	}
	fn on_at_risk() -> Weight {
		Derived::<RocksDbWeight>::on_at_risk()
	}
	fn suspect() -> Weight {
		Derived::<RocksDbWeight>::suspect()
	}
	fn apply() -> Weight {
		Derived::<RocksDbWeight>::apply()
	}
	fn restore() -> Weight {
		Derived::<RocksDbWeight>::restore()
	}
}
