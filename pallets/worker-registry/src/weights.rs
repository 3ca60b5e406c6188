//! What calls and steps of the sweep cost.
//!
//! A runtime measures its own with the benchmarks. What is here stands in where none were measured:
//! the cost of the parts, rounded up. A P-256 signature is a millisecond, a database access what
//! the runtime says.

use core::marker::PhantomData;
use frame_support::weights::{RuntimeDbWeight, Weight};
use sp_core::Get;

/// Weights, as the runtime measured them.
pub trait WeightInfo {
	/// TCB info of `s` × 8 KiB.
	fn submit_tcb_info(s: u32) -> Weight;
	/// QE identity.
	fn submit_qe_identity() -> Weight;
	/// Certificate of an intermediate CA.
	fn submit_pck_ca() -> Weight;
	/// Revocation list of `s` × 4 KiB.
	fn submit_crl(s: u32) -> Weight;
	/// A registration or renewal that fails before any cryptography.
	fn screen() -> Weight;
	/// Registration.
	fn register() -> Weight;
	/// Renewal on another machine.
	fn renew() -> Weight;
	/// Appraisal of a worker.
	fn reappraise() -> Weight;
	/// Benchmark statement.
	fn report_score() -> Weight;
	/// Endpoint statement.
	fn set_endpoint() -> Weight;
	/// Offer of a worker.
	fn offer_worker() -> Weight;
	/// Acceptance of a worker.
	fn accept_worker() -> Weight;
	/// Deregistration.
	fn deregister() -> Weight;
	/// New or changed measurement.
	fn set_measurement() -> Weight;
	/// Sunset of a measurement.
	fn sunset_measurement() -> Weight;
	/// Removal of a measurement.
	fn remove_measurement() -> Weight;
	/// New policy.
	fn set_policy() -> Weight;
	/// Activation of an evaluation number.
	fn activate_evaluation() -> Weight;
	/// Ban of a platform.
	fn ban_platform() -> Weight;
	/// End of a ban.
	fn unban_platform() -> Weight;
	/// One step of the sweep that forgets `r` used reports.
	fn sweep_reports(r: u32) -> Weight;
	/// One step of the sweep that appraises a worker anew and lets it lapse.
	fn sweep_worker() -> Weight;
}

/// The cost of the parts, with the database of a runtime.
pub type SubstrateWeight<T> = SumOfParts<<T as frame_system::Config>::DbWeight>;

/// The cost of the parts, with this database.
pub struct SumOfParts<Db>(PhantomData<Db>);

/// Milliseconds of signatures, microseconds of the rest, bytes of the proof.
fn parts(signatures: u64, micros: u64, proof: u64) -> Weight {
	Weight::from_parts(signatures * 1_000_000_000 + micros * 1_000_000, proof)
}

impl<Db: Get<RuntimeDbWeight>> WeightInfo for SumOfParts<Db> {
	fn submit_tcb_info(s: u32) -> Weight {
		parts(2, 400 + 400 * u64::from(s), 48_000).saturating_add(Db::get().reads_writes(6, 2))
	}
	fn submit_qe_identity() -> Weight {
		parts(2, 400, 32_000).saturating_add(Db::get().reads_writes(6, 2))
	}
	fn submit_pck_ca() -> Weight {
		parts(1, 400, 20_000).saturating_add(Db::get().reads_writes(5, 1))
	}
	fn submit_crl(s: u32) -> Weight {
		parts(1, 300 + 300 * u64::from(s), 24_000).saturating_add(Db::get().reads_writes(5, 1))
	}
	fn screen() -> Weight {
		parts(0, 600, 90_000).saturating_add(Db::get().reads_writes(16, 0))
	}
	fn register() -> Weight {
		parts(3, 1_500, 96_000).saturating_add(Db::get().reads_writes(20, 8))
	}
	fn renew() -> Weight {
		parts(3, 1_500, 96_000).saturating_add(Db::get().reads_writes(20, 8))
	}
	fn reappraise() -> Weight {
		parts(0, 500, 84_000).saturating_add(Db::get().reads_writes(14, 1))
	}
	fn report_score() -> Weight {
		parts(0, 150, 20_000).saturating_add(Db::get().reads_writes(8, 1))
	}
	fn set_endpoint() -> Weight {
		parts(0, 150, 20_000).saturating_add(Db::get().reads_writes(7, 1))
	}
	fn offer_worker() -> Weight {
		parts(0, 40, 6_000).saturating_add(Db::get().reads_writes(1, 1))
	}
	fn accept_worker() -> Weight {
		parts(0, 150, 16_000).saturating_add(Db::get().reads_writes(6, 7))
	}
	fn deregister() -> Weight {
		parts(0, 120, 16_000).saturating_add(Db::get().reads_writes(5, 6))
	}
	fn set_measurement() -> Weight {
		parts(0, 20, 1_000).saturating_add(Db::get().reads_writes(0, 1))
	}
	fn sunset_measurement() -> Weight {
		parts(0, 20, 4_000).saturating_add(Db::get().reads_writes(1, 1))
	}
	fn remove_measurement() -> Weight {
		parts(0, 20, 4_000).saturating_add(Db::get().reads_writes(1, 1))
	}
	fn set_policy() -> Weight {
		parts(0, 40, 1_000).saturating_add(Db::get().reads_writes(0, 1))
	}
	fn activate_evaluation() -> Weight {
		parts(0, 30, 4_000).saturating_add(Db::get().reads_writes(2, 1))
	}
	fn ban_platform() -> Weight {
		parts(0, 20, 4_000).saturating_add(Db::get().reads_writes(1, 1))
	}
	fn unban_platform() -> Weight {
		parts(0, 20, 4_000).saturating_add(Db::get().reads_writes(1, 1))
	}
	fn sweep_reports(r: u32) -> Weight {
		parts(0, 20 + 10 * u64::from(r), 4_000 + 2_600 * u64::from(r))
			.saturating_add(Db::get().reads_writes(1 + u64::from(r), u64::from(r)))
	}
	fn sweep_worker() -> Weight {
		parts(0, 600, 90_000).saturating_add(Db::get().reads_writes(16, 4))
	}
}
