//! Weights of the calls and of the hook.
//!
//! A runtime measures its own with the benchmarks. What is here stands in where none were measured.
//! Each adds up the reads and writes of the pallet itself, counted from its code at its worst case (64
//! candidates, 32 seats, 256 voters), 5 µs for each, and [`PROOF`] bytes of proof for every read. What
//! `pallet-staking` and the solver register by themselves comes on top.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight, constants::RocksDbWeight},
};

/// Weights of the calls and of the hook.
pub trait WeightInfo {
	/// Call `consent`.
	fn consent() -> Weight;
	/// Call `revoke`.
	fn revoke() -> Weight;
	/// Call `bind`, in place of another gatekeeper.
	fn bind() -> Weight;
	/// Call `unbind`.
	fn unbind() -> Weight;
	/// Call `evict`.
	fn evict() -> Weight;
	/// The hook, when there is nothing to do.
	fn poll() -> Weight;
	/// The hook after a session: an election, a set handed over, an era's claims expired.
	fn tick() -> Weight;
	/// The hook when a planned era begins.
	fn commence() -> Weight;
	/// Whether the bond of an account may leave: a part of staking's calls.
	fn may_leave() -> Weight;
	/// A payout to 33 is checked against the escrow, and settled: a part of staking's calls.
	fn settle() -> Weight;
	/// A loss of a member with 32 backers grows, and leaves the exposures of three eras: a part of the ledger's
	/// steps.
	fn suspect() -> Weight;
	/// Such a loss is applied.
	fn apply() -> Weight;
	/// Such a loss is given back.
	fn restore() -> Weight;
}

/// Bytes of proof for a read.
const PROOF: u64 = 3_500;
/// Reads of a question to the registry of workers.
const ATTESTED: u64 = 4;

fn sum(db: RuntimeDbWeight, reads: u64, writes: u64) -> Weight {
	let micros = 5 * (reads + writes);
	Weight::from_parts(20_000_000 + micros * 1_000_000, PROOF * reads)
		.saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weights {
	($db:expr) => {
		fn consent() -> Weight {
			sum($db, ATTESTED + 1, 1)
		}
		fn revoke() -> Weight {
			sum($db, ATTESTED + 1, 1)
		}
		fn bind() -> Weight {
			sum($db, ATTESTED + 8, 7)
		}
		fn unbind() -> Weight {
			sum($db, 2, 4)
		}
		fn evict() -> Weight {
			sum($db, 2 * ATTESTED + 22, 4)
		}
		fn poll() -> Weight {
			sum($db, 2, 0)
		}
		fn tick() -> Weight {
			// 64 candidates, 32 in office thrice, the ballot, exposures, commissions, and what expires.
			sum($db, 64 * (ATTESTED + 5) + 3 * 32 * (ATTESTED + 3) + 2 * 32 + 200, 32 * 5 + 64)
				.saturating_add(Weight::from_parts(20_000_000_000, 0))
		}
		fn commence() -> Weight {
			sum($db, 24, 16)
		}
		fn may_leave() -> Weight {
			sum($db, 8, 0)
		}
		fn settle() -> Weight {
			sum($db, 4, 3)
		}
		fn suspect() -> Weight {
			// 33 holders, three exposures, the first tranche and the new one.
			sum($db, 33 * 5 + 3 * 3 + 8, 33 * 4 + 3 * 3 + 8)
		}
		fn apply() -> Weight {
			sum($db, 33 * 3 + 4, 33 * 2 + 4)
		}
		fn restore() -> Weight {
			sum($db, 33 * 5 + 3 * 3 + 8, 33 * 4 + 3 * 3 + 8)
		}
	};
}

/// The weights with a runtime's costs of reads and writes.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	weights!(T::DbWeight::get());
}

impl WeightInfo for () {
	weights!(RocksDbWeight::get());
}
