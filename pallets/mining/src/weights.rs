//! Weights of the calls and steps.
//!
//! A runtime measures its own with the benchmarks. What is here stands in where none were measured,
//! derived from the storage that each touches. Each adds up
//! - the reads and writes of the pallet itself, counted from its code at its worst case;
//! - for each call into a neighbour, [`NEIGHBOUR`] of both;
//! - 10 µs of computation, and 5 µs more for every read or write;
//! - [`PROOF`] bytes of proof for every read.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight, constants::RocksDbWeight},
};

/// Weights of the calls, of what keepers and the registry call, and of the steps of the hook.
pub trait WeightInfo {
	/// What admits a heartbeat, at its longest: the signature is right.
	fn authorize_heartbeat() -> Weight;
	/// Call `heartbeat`: an answer that settles, on another machine, with a top-up that reports a loss, and
	/// ends the session.
	fn heartbeat() -> Weight;
	/// What most answers take: the session computes, and nothing was lost, added or is to be ended.
	fn heartbeat_ordinary() -> Weight;
	/// Call `schedule_parameters`.
	fn schedule_parameters() -> Weight;
	/// Call `unschedule_parameters`.
	fn unschedule_parameters() -> Weight;
	/// Call `report_outage`.
	fn report_outage() -> Weight;
	/// Call `spend_reserve`.
	fn spend_reserve() -> Weight;
	/// A keeper's `start`, which adds it to its own weight.
	fn start() -> Weight;
	/// A keeper's `top_up`.
	fn top_up() -> Weight;
	/// A keeper's `stop`, of an unresponsive session.
	fn stop() -> Weight;
	/// A keeper's `reclaim`.
	fn reclaim() -> Weight;
	/// The registry's news of a renewal.
	fn attestation_change() -> Weight;
	/// What answers of a block earned is paid, at its end.
	fn pay_due() -> Weight;
	/// The hook in a block without a deadline or a draw.
	fn poll_base() -> Weight;
	/// A batch, without its challenges.
	fn poll_batch() -> Weight;
	/// A challenge that was answered.
	fn poll_entry() -> Weight;
	/// What a challenge weighs more that was missed.
	fn poll_miss() -> Weight;
	/// What a challenge weighs more that was missed by who was to stop.
	fn poll_end() -> Weight;
	/// An unresponsive worker that is stopped.
	fn poll_silence() -> Weight;
	/// A draw of so many.
	fn poll_draw(workers: u32) -> Weight;
}

/// Items that one call into a neighbour (a keeper, the ledger, the registry) is assumed to read and to
/// write.
pub const NEIGHBOUR: u64 = 5;

/// Bytes of proof for one item: a path through the trie, and the value.
pub const PROOF: u64 = 3_200;

fn derived<Db: Get<RuntimeDbWeight>>(calls: u64, reads: u64, writes: u64) -> Weight {
	let inside = calls.saturating_mul(NEIGHBOUR);
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
	// session, block hash, economy, genesis hash; 50 µs for the signature
	fn authorize_heartbeat() -> Weight {
		derived::<Db>(0, 4, 0).saturating_add(Weight::from_parts(50_000_000, 0))
	}
	// session, economy, versions, time, two platforms, count, two places, another session; registry, keeper
	// twice, ledger
	fn heartbeat() -> Weight {
		derived::<Db>(4, 10, 8)
	}
	// session, economy, versions, time, platform; registry, keeper
	fn heartbeat_ordinary() -> Weight {
		derived::<Db>(2, 6, 4)
	}
	// economy, versions, last change
	fn schedule_parameters() -> Weight {
		derived::<Db>(0, 3, 1)
	}
	// economy, versions
	fn unschedule_parameters() -> Weight {
		derived::<Db>(0, 2, 1)
	}
	// session, economy, versions; ledger
	fn report_outage() -> Weight {
		derived::<Db>(1, 3, 1)
	}
	// reserve, economy, versions, two accounts
	fn spend_reserve() -> Weight {
		derived::<Db>(0, 5, 3)
	}
	// session, economy, versions, platform, number, count, place; registry
	fn start() -> Weight {
		derived::<Db>(1, 6, 6)
	}
	// session, economy, versions, queue, batch
	fn top_up() -> Weight {
		derived::<Db>(0, 4, 4)
	}
	// session, economy, versions, platform, count, two places, another session; ledger, keeper
	fn stop() -> Weight {
		derived::<Db>(2, 8, 7)
	}
	// session, economy, versions; ledger
	fn reclaim() -> Weight {
		derived::<Db>(1, 3, 1)
	}
	// session, time, economy, versions, queue, batch; registry
	fn attestation_change() -> Weight {
		derived::<Db>(1, 5, 3)
	}
	// economy, pot, treasury; keeper
	fn pay_due() -> Weight {
		derived::<Db>(1, 3, 3)
	}
	// clock, economy, versions, hash of the first batch, authors
	fn poll_base() -> Weight {
		derived::<Db>(0, 6, 2)
	}
	// queue, batch, block hash; a batch is larger than other items
	fn poll_batch() -> Weight {
		derived::<Db>(0, 3, 2).saturating_add(Weight::from_parts(0, 40_000))
	}
	// session
	fn poll_entry() -> Weight {
		derived::<Db>(0, 1, 0)
	}
	// session, queue, silence; keeper
	fn poll_miss() -> Weight {
		derived::<Db>(1, 2, 3)
	}
	fn poll_end() -> Weight {
		Self::stop()
	}
	// queue, silence
	fn poll_silence() -> Weight {
		Self::stop().saturating_add(derived::<Db>(0, 2, 2))
	}
	// queue, randomness, count, batch; for each, place and session
	fn poll_draw(workers: u32) -> Weight {
		derived::<Db>(0, 4, 2).saturating_add(derived::<Db>(0, 2, 1).saturating_mul(workers.into()))
	}
}

impl WeightInfo for () {
	fn authorize_heartbeat() -> Weight {
		Derived::<RocksDbWeight>::authorize_heartbeat()
	}
	fn heartbeat() -> Weight {
		Derived::<RocksDbWeight>::heartbeat()
	}
	fn heartbeat_ordinary() -> Weight {
		Derived::<RocksDbWeight>::heartbeat_ordinary()
	}
	fn schedule_parameters() -> Weight {
		Derived::<RocksDbWeight>::schedule_parameters()
	}
	fn unschedule_parameters() -> Weight {
		Derived::<RocksDbWeight>::unschedule_parameters()
	}
	fn report_outage() -> Weight {
		Derived::<RocksDbWeight>::report_outage()
	}
	fn spend_reserve() -> Weight {
		Derived::<RocksDbWeight>::spend_reserve()
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
	fn attestation_change() -> Weight {
		Derived::<RocksDbWeight>::attestation_change()
	}
	fn pay_due() -> Weight {
		Derived::<RocksDbWeight>::pay_due()
	}
	fn poll_base() -> Weight {
		Derived::<RocksDbWeight>::poll_base()
	}
	fn poll_batch() -> Weight {
		Derived::<RocksDbWeight>::poll_batch()
	}
	fn poll_entry() -> Weight {
		Derived::<RocksDbWeight>::poll_entry()
	}
	fn poll_miss() -> Weight {
		Derived::<RocksDbWeight>::poll_miss()
	}
	fn poll_end() -> Weight {
		Derived::<RocksDbWeight>::poll_end()
	}
	fn poll_silence() -> Weight {
		Derived::<RocksDbWeight>::poll_silence()
	}
	fn poll_draw(workers: u32) -> Weight {
		Derived::<RocksDbWeight>::poll_draw(workers)
	}
}
