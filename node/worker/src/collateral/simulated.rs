//! Collateral of the development PKI, for the simulated TEE.

use super::{CollateralError, Subject};
use phala_attestation::{PckCaKind, Tee};
use phala_dev_pki::{CaKind, Collateral, CollateralOptions, Pki, Platform};

/// Issues what Intel would for an up-to-date platform, dated `now`, with the evaluation number in force.
pub fn issue(subject: &Subject, in_force: u32, now: u64) -> Result<Collateral, CollateralError> {
	let tee = match subject.tee {
		Tee::Sgx => phala_dev_pki::Tee::Sgx,
		Tee::Tdx => phala_dev_pki::Tee::Tdx,
	};
	// All development platforms are of one model: the number does not matter.
	let mut platform = Platform::development(0);
	platform.fmspc = subject.fmspc;
	platform.ca = match subject.ca {
		PckCaKind::Platform => CaKind::Platform,
		PckCaKind::Processor => CaKind::Processor,
	};
	let mut options = CollateralOptions::for_platform(&platform, tee);
	for number in [
		&mut options.tcb_info.tcb_evaluation_data_number,
		&mut options.qe_identity.tcb_evaluation_data_number,
	] {
		*number = in_force.max(*number);
	}
	Ok(Pki::development().issue_collateral(now, &options)?)
}
