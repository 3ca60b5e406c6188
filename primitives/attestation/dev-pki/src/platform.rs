//! The simulated machine: what its processor, firmware and TDX module would report.

use crate::{Validity, key::derive_bytes};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Which intermediate CA certified the platform's PCK.
#[derive(
	Clone, Copy, Debug, Display, EnumString, Hash, IntoStaticStr, PartialEq, Eq, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum CaKind {
	/// Platforms that registered with several packages; all TDX platforms.
	Platform,
	/// Single-package platforms.
	Processor,
}

/// Platform configuration of a PCK certificate that the platform CA issued
/// (OID 1.2.840.113741.1.13.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
	/// Packages may be added.
	pub dynamic_platform: bool,
	/// Intel's registration service keeps the platform root keys.
	pub cached_keys: bool,
	/// Simultaneous multithreading is on.
	pub smt_enabled: bool,
}

/// The TDX module that is loaded, as TD reports describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
	/// TEE_TCB_SVN: ISVSVN of the module, its major version, SEAM loader and microcode SVNs.
	pub tee_tcb_svn: [u8; 16],
	/// TEE_TCB_SVN2: the same after a TD-preserving update; equal if there was none. TD 1.5 only.
	pub tee_tcb_svn2: [u8; 16],
	/// Measurement of the module.
	pub mr_seam: [u8; 48],
	/// Signer of the module: zero for Intel's.
	pub mr_signer_seam: [u8; 48],
	/// SEAM attributes: zero for a production module.
	pub seam_attributes: [u8; 8],
}

/// A machine with SGX and TDX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
	/// Platform provisioning id: what makes two machines two.
	pub ppid: [u8; 16],
	/// Family, model, stepping, platform type, customer SKU: collateral is issued per FMSPC.
	pub fmspc: [u8; 6],
	/// Id of the provisioning certification enclave, zero for Intel's.
	pub pce_id: [u8; 2],
	/// SVNs of the sixteen SGX TCB components, equal to CPUSVN.
	pub cpu_svn: [u8; 16],
	/// SVN of the provisioning certification enclave.
	pub pce_svn: u16,
	/// Issuer of the PCK certificate.
	pub ca: CaKind,
	/// SGX type: 0 standard, 1 scalable, 2 scalable with integrity.
	pub sgx_type: u8,
	/// Platform instance id (platform CA only).
	pub instance_id: [u8; 16],
	/// Configuration (platform CA only).
	pub configuration: Configuration,
	/// TDX module.
	pub module: Module,
	/// Validity of the PCK certificate, if another than the PKI's.
	pub pck_validity: Option<Validity>,
}

impl Platform {
	/// FMSPC of every development platform. No Intel product has it.
	pub const FMSPC: [u8; 6] = [0xDE, 0x50, 0x6F, 0, 0, 0];

	/// Development platform number `index`: two numbers are two machines of the same model.
	pub fn development(index: u64) -> Self {
		// Which machine it is must not depend on the PKI: a machine may be certified twice.
		let seed = [0; 32];
		let mut tee_tcb_svn = [0; 16];
		tee_tcb_svn[..3].copy_from_slice(&[6, 1, 3]);
		let mut cpu_svn = [0; 16];
		cpu_svn[..8].copy_from_slice(&[4, 4, 2, 2, 200, 2, 0, 5]);
		Self {
			ppid: derive_bytes(&seed, &format!("ppid/{index}")),
			fmspc: Self::FMSPC,
			pce_id: [0; 2],
			cpu_svn,
			pce_svn: 13,
			ca: CaKind::Platform,
			sgx_type: 1,
			instance_id: derive_bytes(&seed, &format!("instance/{index}")),
			configuration: Configuration {
				dynamic_platform: true,
				cached_keys: true,
				smt_enabled: true,
			},
			module: Module {
				tee_tcb_svn,
				tee_tcb_svn2: tee_tcb_svn,
				mr_seam: derive_bytes(&seed, "tdx module"),
				mr_signer_seam: [0; 48],
				seam_attributes: [0; 8],
			},
			pck_validity: None,
		}
	}
}
