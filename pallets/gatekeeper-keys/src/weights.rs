//! Weights of the calls and steps.
//!
//! A runtime measures its own with the benchmarks. What is here stands in where none were measured,
//! derived from what each touches and computes. Each adds up
//! - the reads and writes of the pallet itself, counted from its code at its worst case, n = 32;
//! - for each question to the registry of workers, [`ATTESTED`] reads; for a report to the ledger,
//!   [`REPORT`] reads and writes;
//! - the cryptography as measured in Wasm (`docs/keys.md` §9), twice, and 5 µs for every read or write;
//! - [`PROOF`] bytes of proof for every read, and 3 kB more for a set or a dealing.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight, constants::RocksDbWeight},
};

/// Weights of the calls, of their authorisation, and of the steps of the hook.
pub trait WeightInfo {
	/// Call `register`, with key and digest.
	fn register() -> Weight;
	/// Its authorisation.
	fn authorize_register() -> Weight;
	/// Call `deal`, to 32.
	fn deal() -> Weight;
	/// Its authorisation.
	fn authorize_deal() -> Weight;
	/// Call `complain`, about a good share.
	fn complain() -> Weight;
	/// Its authorisation.
	fn authorize_complain() -> Weight;
	/// Call `request`, which replaces one.
	fn request() -> Weight;
	/// Its authorisation.
	fn authorize_request() -> Weight;
	/// Call `request_guard`, which replaces one.
	fn request_guard() -> Weight;
	/// Its authorisation.
	fn authorize_request_guard() -> Weight;
	/// Call `answer`.
	fn answer() -> Weight;
	/// Its authorisation.
	fn authorize_answer() -> Weight;
	/// Call `rotate`.
	fn rotate() -> Weight;
	/// Call `cancel_rotation`.
	fn cancel_rotation() -> Weight;
	/// Call `retire`.
	fn retire() -> Weight;
	/// Call `retry`.
	fn retry() -> Weight;
	/// Call `abort`.
	fn abort() -> Weight;
	/// The election's `on_set_elected`, with 64 candidates: the election adds it to its own weight.
	fn on_set_elected() -> Weight;
	/// The hook without its steps, but with the search for one.
	fn serve() -> Weight;
	/// Step: a ceremony begins.
	fn step_open() -> Weight;
	/// Step: a phase is closed, or the ceremony fails.
	fn step_close() -> Weight;
	/// Step: a dealing of a handover is added.
	fn step_aggregate() -> Weight;
	/// Step: a verification share.
	fn step_derive() -> Weight;
	/// Step: the key is put to use.
	fn step_install() -> Weight;
	/// Step: a fault is reported.
	fn step_report() -> Weight;
	/// Step: the messages of a seat are removed.
	fn step_clear() -> Weight;
	/// Step: what is left of a seat of old shares is removed.
	fn step_tidy() -> Weight;
	/// Step: an old key ends.
	fn step_end_epoch() -> Weight;
	/// Step: somebody is reported for not answering a request for a guard.
	fn step_blame() -> Weight;
	/// Step: an expired request is removed with its answers, when all that are silent have been reported.
	fn step_forget() -> Weight;
}

/// The heaviest step of the hook.
pub(crate) fn heaviest_step<T: crate::Config>() -> Weight {
	[
		T::WeightInfo::step_open(),
		T::WeightInfo::step_close(),
		T::WeightInfo::step_aggregate(),
		T::WeightInfo::step_derive(),
		T::WeightInfo::step_install(),
		T::WeightInfo::step_report(),
		T::WeightInfo::step_clear(),
		T::WeightInfo::step_tidy(),
		T::WeightInfo::step_end_epoch(),
		T::WeightInfo::step_blame(),
		T::WeightInfo::step_forget(),
	]
	.into_iter()
	.fold(Weight::zero(), |most, one| most.max(one))
}

/// Items that a question to the registry of workers is assumed to read.
pub const ATTESTED: u64 = 3;

/// Items that a report to the ledger is assumed to read and to write: those of the ledger, and for each of
/// 33 whose bonds answer for it, five.
pub const REPORT: u64 = 185;

/// Bytes of proof for one item: a path through the trie, and the value.
pub const PROOF: u64 = 3_200;

/// What verifying an sr25519 signature takes, in µs.
const SIGNATURE: u64 = 60;

fn derived<Db: Get<RuntimeDbWeight>>(micros: u64, large: u64, reads: u64, writes: u64) -> Weight {
	let time = reads
		.saturating_add(writes)
		.saturating_mul(5)
		.saturating_add(micros.saturating_mul(2))
		.saturating_add(10)
		.saturating_mul(1_000_000);
	let proof = reads.saturating_mul(PROOF).saturating_add(large.saturating_mul(3_000));
	Weight::from_parts(time, proof).saturating_add(Db::get().reads_writes(reads, writes))
}

/// Derived weights, with a database.
pub struct Derived<Db>(PhantomData<Db>);

/// Derived weights, with the database of a runtime.
pub type SubstrateWeight<T> = Derived<<T as frame_system::Config>::DbWeight>;

impl<Db: Get<RuntimeDbWeight>> WeightInfo for Derived<Db> {
	// ceremony, two sets, genesis hash, clock; ceremony, key, digest
	fn register() -> Weight {
		derived::<Db>(SIGNATURE + 76, 2, 6 + 2 * ATTESTED, 3)
	}
	fn authorize_register() -> Weight {
		derived::<Db>(SIGNATURE + 76, 2, 6 + 2 * ATTESTED, 0)
	}
	// ceremony, set, digest, verification share, genesis hash, clock; ceremony, dealing
	fn deal() -> Weight {
		derived::<Db>(SIGNATURE + 268, 1, 7 + ATTESTED, 2)
	}
	fn authorize_deal() -> Weight {
		derived::<Db>(SIGNATURE + 154, 1, 7 + ATTESTED, 0)
	}
	// ceremony, set, key, dealing, genesis hash, clock; ceremony, accuser
	fn complain() -> Weight {
		derived::<Db>(SIGNATURE + 325, 2, 7, 2)
	}
	fn authorize_complain() -> Weight {
		derived::<Db>(SIGNATURE + 325, 2, 7, 0)
	}
	// key, open, the one before, replaced, total, access, genesis hash, clock, queue; queue, open, the
	// one before, replaced, total, request
	fn request() -> Weight {
		derived::<Db>(SIGNATURE + 105, 0, 12 + 2 * ATTESTED, 7)
	}
	fn authorize_request() -> Weight {
		derived::<Db>(SIGNATURE + 105, 0, 12 + 2 * ATTESTED, 0)
	}
	// as `request`, with the ceremony and a set in place of access
	fn request_guard() -> Weight {
		derived::<Db>(SIGNATURE + 105, 1, 14 + ATTESTED, 7)
	}
	fn authorize_request_guard() -> Weight {
		derived::<Db>(SIGNATURE + 105, 1, 14 + ATTESTED, 0)
	}
	// request, key, share, set, access or ceremony and another set, genesis hash, clock; request, partial
	fn answer() -> Weight {
		derived::<Db>(200, 2, 11 + 3 * ATTESTED, 2)
	}
	fn authorize_answer() -> Weight {
		derived::<Db>(200, 2, 11 + 3 * ATTESTED, 0)
	}
	fn rotate() -> Weight {
		derived::<Db>(0, 0, 1, 1)
	}
	fn cancel_rotation() -> Weight {
		derived::<Db>(0, 0, 1, 1)
	}
	// epoch, two keys, record, garbage; key, record, garbage
	fn retire() -> Weight {
		derived::<Db>(0, 0, 5, 3)
	}
	fn retry() -> Weight {
		derived::<Db>(0, 2, 2, 2)
	}
	// as `step_close`
	fn abort() -> Weight {
		derived::<Db>(100, 4, 9, 3)
	}
	// next, key, set, clock; next
	fn on_set_elected() -> Weight {
		derived::<Db>(200, 2, 6 + 64 * ATTESTED, 1)
	}
	// last seen, stalled; ceremony, queue, request, keys, garbage, next, rotation, access, period
	fn serve() -> Weight {
		derived::<Db>(50, 2, 14 + 2 * ATTESTED, 2)
	}
	fn step_open() -> Weight {
		derived::<Db>(100, 3, 16, 3)
	}
	fn step_close() -> Weight {
		derived::<Db>(100, 4, 18, 3)
	}
	// sum, dealing; sum, result, ceremony
	fn step_aggregate() -> Weight {
		derived::<Db>(1_560 + 220, 1, 14, 3)
	}
	// result; share, ceremony
	fn step_derive() -> Weight {
		derived::<Db>(200, 1, 13, 2)
	}
	// result, keys, records, garbage, next, rotation, failure; the same, and the election
	fn step_install() -> Weight {
		derived::<Db>(200, 3, 32, 20)
	}
	// ceremony, two sets, accuser
	fn step_report() -> Weight {
		derived::<Db>(100, 2, 16 + REPORT, 1 + REPORT)
	}
	fn step_clear() -> Weight {
		derived::<Db>(20, 0, 12, 9)
	}
	fn step_tidy() -> Weight {
		derived::<Db>(20, 0, 16, 4)
	}
	// two keys, record, garbage; key, record, garbage
	fn step_end_epoch() -> Weight {
		derived::<Db>(20, 0, 18, 3)
	}
	// request, key, set, period, access or ceremony and another set; period, a report
	fn step_blame() -> Weight {
		derived::<Db>(50, 2, 23 + 3 * ATTESTED + REPORT, 1 + REPORT)
	}
	// request, key, set, period, access or ceremony and another set; request, index, count, total, queue,
	// 32 answers
	fn step_forget() -> Weight {
		derived::<Db>(50, 2, 24 + 2 * ATTESTED, 5 + 32)
	}
}

impl WeightInfo for () {
	fn register() -> Weight {
		Derived::<RocksDbWeight>::register()
	}
	fn authorize_register() -> Weight {
		Derived::<RocksDbWeight>::authorize_register()
	}
	fn deal() -> Weight {
		Derived::<RocksDbWeight>::deal()
	}
	fn authorize_deal() -> Weight {
		Derived::<RocksDbWeight>::authorize_deal()
	}
	fn complain() -> Weight {
		Derived::<RocksDbWeight>::complain()
	}
	fn authorize_complain() -> Weight {
		Derived::<RocksDbWeight>::authorize_complain()
	}
	fn request() -> Weight {
		Derived::<RocksDbWeight>::request()
	}
	fn authorize_request() -> Weight {
		Derived::<RocksDbWeight>::authorize_request()
	}
	fn request_guard() -> Weight {
		Derived::<RocksDbWeight>::request_guard()
	}
	fn authorize_request_guard() -> Weight {
		Derived::<RocksDbWeight>::authorize_request_guard()
	}
	fn answer() -> Weight {
		Derived::<RocksDbWeight>::answer()
	}
	fn authorize_answer() -> Weight {
		Derived::<RocksDbWeight>::authorize_answer()
	}
	fn rotate() -> Weight {
		Derived::<RocksDbWeight>::rotate()
	}
	fn cancel_rotation() -> Weight {
		Derived::<RocksDbWeight>::cancel_rotation()
	}
	fn retire() -> Weight {
		Derived::<RocksDbWeight>::retire()
	}
	fn retry() -> Weight {
		Derived::<RocksDbWeight>::retry()
	}
	fn abort() -> Weight {
		Derived::<RocksDbWeight>::abort()
	}
	fn on_set_elected() -> Weight {
		Derived::<RocksDbWeight>::on_set_elected()
	}
	fn serve() -> Weight {
		Derived::<RocksDbWeight>::serve()
	}
	fn step_open() -> Weight {
		Derived::<RocksDbWeight>::step_open()
	}
	fn step_close() -> Weight {
		Derived::<RocksDbWeight>::step_close()
	}
	fn step_aggregate() -> Weight {
		Derived::<RocksDbWeight>::step_aggregate()
	}
	fn step_derive() -> Weight {
		Derived::<RocksDbWeight>::step_derive()
	}
	fn step_install() -> Weight {
		Derived::<RocksDbWeight>::step_install()
	}
	fn step_report() -> Weight {
		Derived::<RocksDbWeight>::step_report()
	}
	fn step_clear() -> Weight {
		Derived::<RocksDbWeight>::step_clear()
	}
	fn step_tidy() -> Weight {
		Derived::<RocksDbWeight>::step_tidy()
	}
	fn step_end_epoch() -> Weight {
		Derived::<RocksDbWeight>::step_end_epoch()
	}
	fn step_blame() -> Weight {
		Derived::<RocksDbWeight>::step_blame()
	}
	fn step_forget() -> Weight {
		Derived::<RocksDbWeight>::step_forget()
	}
}
