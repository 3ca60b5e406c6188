//! What calls and steps of the sweep cost.

use frame_support::weights::Weight;

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

impl WeightInfo for () {
	fn submit_tcb_info(s: u32) -> Weight {
		Weight::from_parts(10_000_000, 10_000).saturating_mul(1 + u64::from(s))
	}
	fn submit_qe_identity() -> Weight {
		Weight::from_parts(10_000_000, 10_000)
	}
	fn submit_pck_ca() -> Weight {
		Weight::from_parts(10_000_000, 10_000)
	}
	fn submit_crl(s: u32) -> Weight {
		Weight::from_parts(10_000_000, 10_000).saturating_mul(1 + u64::from(s))
	}
	fn screen() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn register() -> Weight {
		Weight::from_parts(10_000_000, 10_000)
	}
	fn renew() -> Weight {
		Weight::from_parts(10_000_000, 10_000)
	}
	fn reappraise() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn report_score() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn set_endpoint() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn offer_worker() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn accept_worker() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn deregister() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn set_measurement() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn sunset_measurement() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn remove_measurement() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn set_policy() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn activate_evaluation() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn ban_platform() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn unban_platform() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
	fn sweep_reports(r: u32) -> Weight {
		Weight::from_parts(1_000_000, 1_000).saturating_mul(1 + u64::from(r))
	}
	fn sweep_worker() -> Weight {
		Weight::from_parts(1_000_000, 1_000)
	}
}
