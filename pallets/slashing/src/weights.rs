//! Weights of the calls and steps.
//!
//! A runtime measures its own with the benchmarks. What is here stands in where none were measured,
//! derived from the storage that each touches. Each adds up
//! - the reads and writes of the pallet itself, counted from its code at its worst case;
//! - for each call into the slashable, [`SLASHABLE`] of both;
//! - where there is any such call, what [`HOLDERS`] have, once, and for each call the computation on it:
//!   an offender may have so many whose stake is set aside, taken or given back at once;
//! - 10 µs of computation, and 5 µs more for every read or write;
//! - [`PROOF`] bytes of proof for every read, and [`HOLDER_PROOF`] for each item of a holder.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight, constants::RocksDbWeight},
};

/// Weights of the calls, of reports by other pallets, and of the steps of the hook.
pub trait WeightInfo {
	/// Call `accuse`.
	fn accuse() -> Weight;
	/// Call `lapse`.
	fn lapse() -> Weight;
	/// Call `convict`.
	fn convict() -> Weight;
	/// Call `dismiss`.
	fn dismiss() -> Weight;
	/// Call `cancel`, of an offence with all its tranches.
	fn cancel() -> Weight;
	/// Call `pardon`; its steps are `step_pardon`.
	fn pardon() -> Weight;
	/// Call `apply` without its steps.
	fn apply() -> Weight;
	/// Call `set_policy`.
	fn set_policy() -> Weight;
	/// Call `set_parameters`.
	fn set_parameters() -> Weight;
	/// A report by another pallet, which adds it to its own weight.
	fn report() -> Weight;
	/// The hook in a block in which nothing is due.
	fn serve_asleep() -> Weight;
	/// The hook in another block, without its steps.
	fn serve_awake() -> Weight;
	/// The step that fixes what an offence costs, gives all tranches back, and closes it.
	fn step_weigh() -> Weight;
	/// The step that takes a tranche and closes the offence.
	fn step_take() -> Weight;
	/// The step that raises an offence.
	fn step_raise() -> Weight;
	/// The step that cancels an offence with all its tranches.
	fn step_pardon() -> Weight;
	/// The step that forgets an offence.
	fn step_forget() -> Weight;
	/// The step that finds nothing to do. No dearer than the others.
	fn step_idle() -> Weight;
}

/// Items that one call into the slashable is assumed to read and to write: its offender, a pool, a
/// tranche, a list of tranches, and the accounts and holds of two holders.
pub const SLASHABLE: u64 = 8;

/// Bytes of proof for one item: a path through the trie, and the value.
pub const PROOF: u64 = 3_200;

/// Most holders whose stake answers for one offender: a gatekeeper, and as many nominators as an election
/// lets stand behind it.
pub const HOLDERS: u64 = 33;

/// Items of a holder: its bond, its ledger, its account, its holds.
pub const HOLDER_ITEMS: u64 = 4;

/// Bytes of proof for one of these items. The upper half of their paths is one and the same.
pub const HOLDER_PROOF: u64 = 2_000;

/// Most tranches of an offence.
const TRANCHES: u64 = crate::types::MAX_TRANCHES as u64;

fn derived<Db: Get<RuntimeDbWeight>>(calls: u64, reads: u64, writes: u64) -> Weight {
	let inside = calls.saturating_mul(SLASHABLE);
	let (reads, writes) = (reads.saturating_add(inside), writes.saturating_add(inside));
	let items = if calls == 0 { 0 } else { HOLDERS.saturating_mul(HOLDER_ITEMS) };
	let touched = calls.saturating_mul(items).saturating_add(reads).saturating_add(writes);
	let time = touched.saturating_mul(5_000_000).saturating_add(10_000_000);
	let proof = reads.saturating_mul(PROOF).saturating_add(items.saturating_mul(HOLDER_PROOF));
	let (reads, writes) = (reads.saturating_add(items), writes.saturating_add(items));
	Weight::from_parts(time, proof).saturating_add(Db::get().reads_writes(reads, writes))
}

/// Derived weights, with a database.
pub struct Derived<Db>(PhantomData<Db>);

/// Derived weights, with the database of a runtime.
pub type SubstrateWeight<T> = Derived<<T as frame_system::Config>::DbWeight>;

impl<Db: Get<RuntimeDbWeight>> WeightInfo for Derived<Db> {
	// policy, clock, two nullifiers, count, parameters, account, holds, case, next, accusation
	fn accuse() -> Weight {
		derived::<Db>(2, 11, 7)
	}
	// accusation, count, clock, parameters, account, holds, treasury, nullifier, case
	fn lapse() -> Weight {
		derived::<Db>(0, 9, 7)
	}
	// accusation, count and a report, without case
	fn convict() -> Weight {
		derived::<Db>(5, 11, 8)
	}
	// accusation, count, account, holds, treasury, nullifier, case
	fn dismiss() -> Weight {
		derived::<Db>(0, 7, 7)
	}
	// offence, clock, exposure, case, account, holds, treasury, wake
	fn cancel() -> Weight {
		derived::<Db>(TRANCHES, 8, 7)
	}
	// queue, clock, wake
	fn pardon() -> Weight {
		derived::<Db>(0, 2, 2)
	}
	// clock, last seen, parameters, quiet
	fn apply() -> Weight {
		derived::<Db>(0, 3, 2)
	}
	// policy, clock
	fn set_policy() -> Weight {
		derived::<Db>(0, 2, 1)
	}
	// parameters, clock
	fn set_parameters() -> Weight {
		derived::<Db>(0, 2, 1)
	}
	// policy, clock, nullifier, case, parameters, exposure, queue, wake, index, offence
	fn report() -> Weight {
		derived::<Db>(6, 10, 7)
	}
	// clock, last seen, parameters, quiet, wake
	fn serve_asleep() -> Weight {
		derived::<Db>(0, 4, 2)
	}
	// wake
	fn serve_awake() -> Weight {
		derived::<Db>(0, 0, 1)
	}
	// queue, offence, quiet, exposure, case, account, holds, treasury
	fn step_weigh() -> Weight {
		derived::<Db>(TRANCHES, 8, 7)
	}
	// queue, offence, quiet, policy, parameters, reporter, treasury, exposure, case, holds
	fn step_take() -> Weight {
		derived::<Db>(2, 10, 7)
	}
	// queue, offence, exposure
	fn step_raise() -> Weight {
		derived::<Db>(3, 3, 2)
	}
	// queue, offence, exposure, case, account, holds, treasury
	fn step_pardon() -> Weight {
		derived::<Db>(TRANCHES, 7, 7)
	}
	// queue, two offences, nullifier, index
	fn step_forget() -> Weight {
		derived::<Db>(0, 5, 4)
	}
	// queue, two offences, quiet, policy, parameters, stake of the class
	fn step_idle() -> Weight {
		derived::<Db>(0, 7, 0)
	}
}

/// Derived weights with RocksDB, for tests.
impl WeightInfo for () {
	fn accuse() -> Weight {
		Derived::<RocksDbWeight>::accuse()
	}
	fn lapse() -> Weight {
		Derived::<RocksDbWeight>::lapse()
	}
	fn convict() -> Weight {
		Derived::<RocksDbWeight>::convict()
	}
	fn dismiss() -> Weight {
		Derived::<RocksDbWeight>::dismiss()
	}
	fn cancel() -> Weight {
		Derived::<RocksDbWeight>::cancel()
	}
	fn pardon() -> Weight {
		Derived::<RocksDbWeight>::pardon()
	}
	fn apply() -> Weight {
		Derived::<RocksDbWeight>::apply()
	}
	fn set_policy() -> Weight {
		Derived::<RocksDbWeight>::set_policy()
	}
	fn set_parameters() -> Weight {
		Derived::<RocksDbWeight>::set_parameters()
	}
	fn report() -> Weight {
		Derived::<RocksDbWeight>::report()
	}
	fn serve_asleep() -> Weight {
		Derived::<RocksDbWeight>::serve_asleep()
	}
	fn serve_awake() -> Weight {
		Derived::<RocksDbWeight>::serve_awake()
	}
	fn step_weigh() -> Weight {
		Derived::<RocksDbWeight>::step_weigh()
	}
	fn step_take() -> Weight {
		Derived::<RocksDbWeight>::step_take()
	}
	fn step_raise() -> Weight {
		Derived::<RocksDbWeight>::step_raise()
	}
	fn step_pardon() -> Weight {
		Derived::<RocksDbWeight>::step_pardon()
	}
	fn step_forget() -> Weight {
		Derived::<RocksDbWeight>::step_forget()
	}
	fn step_idle() -> Weight {
		Derived::<RocksDbWeight>::step_idle()
	}
}
