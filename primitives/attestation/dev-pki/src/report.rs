//! What the TEE reports: the bodies of quotes.
//!
//! Sources: `sgx_report_body_t`, Intel SGX SDK; TDREPORT and the quote bodies of types 2, 3 and 4,
//! "Intel TDX DCAP Quoting Library API", appendix A.

use crate::{Platform, QuoteKind};
use sha2::{Digest, Sha384};

/// Bit 1 of an SGX enclave's flags.
const SGX_DEBUG: u8 = 0x02;
/// Bit 0 of a TD's attributes.
const TD_DEBUG: u64 = 1;
/// Bit 28 of a TD's attributes: the host cannot inject #VE into the TD.
const SEPT_VE_DISABLE: u64 = 1 << 28;

/// An SGX enclave as it asks for a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SgxEnclave {
	/// MRENCLAVE.
	pub mr_enclave: [u8; 32],
	/// MRSIGNER.
	pub mr_signer: [u8; 32],
	/// Product.
	pub isv_prod_id: u16,
	/// Security version.
	pub isv_svn: u16,
	/// MISCSELECT.
	pub misc_select: u32,
	/// Flags and XFRM, 8 bytes each.
	pub attributes: [u8; 16],
}

impl Default for SgxEnclave {
	/// A 64-bit production enclave.
	fn default() -> Self {
		let mut attributes = [0; 16];
		attributes[0] = 0x05;
		attributes[8] = 0xE7;
		Self {
			mr_enclave: [0; 32],
			mr_signer: [0; 32],
			isv_prod_id: 0,
			isv_svn: 0,
			misc_select: 0,
			attributes,
		}
	}
}

/// A TD as it asks for a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDomain {
	/// ATTRIBUTES.
	pub attributes: u64,
	/// XFAM.
	pub xfam: u64,
	/// Measurement of the TD's initial content.
	pub mr_td: [u8; 48],
	/// Chosen by the host: configuration.
	pub mr_config_id: [u8; 48],
	/// Chosen by the host: owner.
	pub mr_owner: [u8; 48],
	/// Chosen by the host: owner's configuration.
	pub mr_owner_config: [u8; 48],
	/// Run-time measurements: firmware, kernel, initrd and command line, application.
	pub rt_mr: [[u8; 48]; 4],
	/// TD 1.5: hash of bound service TDs, zero if there are none.
	pub mr_service_td: [u8; 48],
	/// TD 1.5ex: statistically unique id of this instance.
	pub td_id: [u8; 32],
}

impl Default for TrustDomain {
	/// A production TD without service TDs.
	fn default() -> Self {
		Self {
			attributes: SEPT_VE_DISABLE,
			xfam: 0x602E7,
			mr_td: [0; 48],
			mr_config_id: [0; 48],
			mr_owner: [0; 48],
			mr_owner_config: [0; 48],
			rt_mr: [[0; 48]; 4],
			mr_service_td: [0; 48],
			td_id: [0; 32],
		}
	}
}

/// What a program asks its quoting enclave for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRequest {
	/// Format of the quote; selects which of `enclave` and `domain` is used.
	pub kind: QuoteKind,
	/// Bound by the quote.
	pub report_data: [u8; 64],
	/// The SGX enclave.
	pub enclave: SgxEnclave,
	/// The TD.
	pub domain: TrustDomain,
}

impl QuoteRequest {
	/// A production program with zero measurements.
	pub fn new(kind: QuoteKind, report_data: [u8; 64]) -> Self {
		Self { kind, report_data, enclave: SgxEnclave::default(), domain: TrustDomain::default() }
	}

	/// Measurements that depend on the program's name: MRENCLAVE and MRSIGNER, or MRTD and RTMRs.
	pub fn program(mut self, name: &str) -> Self {
		let measure = |register: &str| -> [u8; 48] {
			Sha384::new()
				.chain_update(register)
				.chain_update([0])
				.chain_update(name)
				.finalize()
				.into()
		};
		let short = |register| measure(register)[..32].try_into().expect("32 of 48 bytes");
		self.enclave.mr_enclave = short("mrenclave");
		self.enclave.mr_signer = short("mrsigner");
		self.domain.mr_td = measure("mrtd");
		self.domain.rt_mr = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"].map(measure);
		self
	}

	/// Debug mode on or off.
	pub fn debug(mut self, debug: bool) -> Self {
		self.enclave.attributes[0] &= !SGX_DEBUG;
		self.domain.attributes &= !TD_DEBUG;
		if debug {
			self.enclave.attributes[0] |= SGX_DEBUG;
			self.domain.attributes |= TD_DEBUG;
		}
		self
	}

	/// The report that the quoting enclave signs.
	pub(crate) fn body(&self, platform: &Platform) -> Vec<u8> {
		match self.kind {
			QuoteKind::SgxV3 => self.enclave.report(&platform.cpu_svn, &self.report_data).to_vec(),
			_ => self.domain.report(self.kind, platform, &self.report_data),
		}
	}
}

impl SgxEnclave {
	/// `sgx_report_body_t`, 384 bytes.
	pub(crate) fn report(&self, cpu_svn: &[u8; 16], report_data: &[u8; 64]) -> [u8; 384] {
		let mut report = Vec::with_capacity(384);
		report.extend(cpu_svn);
		report.extend(self.misc_select.to_le_bytes());
		report.extend([0; 28]);
		report.extend(self.attributes);
		report.extend(self.mr_enclave);
		report.extend([0; 32]);
		report.extend(self.mr_signer);
		report.extend([0; 96]);
		report.extend(self.isv_prod_id.to_le_bytes());
		report.extend(self.isv_svn.to_le_bytes());
		report.extend([0; 60]);
		report.extend(report_data);
		report.try_into().expect("16+4+28+16+32+32+32+96+2+2+60+64 = 384")
	}
}

impl TrustDomain {
	/// TD 1.0 (584 bytes), TD 1.5 (648) or TD 1.5ex (885).
	fn report(&self, kind: QuoteKind, platform: &Platform, report_data: &[u8; 64]) -> Vec<u8> {
		let module = &platform.module;
		let mut report = vec![];
		report.extend(module.tee_tcb_svn);
		report.extend(module.mr_seam);
		report.extend(module.mr_signer_seam);
		report.extend(module.seam_attributes);
		report.extend(self.attributes.to_le_bytes());
		report.extend(self.xfam.to_le_bytes());
		report.extend(self.mr_td);
		report.extend(self.mr_config_id);
		report.extend(self.mr_owner);
		report.extend(self.mr_owner_config);
		self.rt_mr.iter().for_each(|register| report.extend(register));
		report.extend(report_data);
		if matches!(kind, QuoteKind::TdxV5Td15 | QuoteKind::TdxV5Td15ex) {
			report.extend(module.tee_tcb_svn2);
			report.extend(self.mr_service_td);
		}
		if kind == QuoteKind::TdxV5Td15ex {
			// VM index, instance, then device information, initial service TDs and platform TCB,
			// current service TDs: zero for a TD without the SERVTD_EXT attribute.
			report.push(0);
			report.extend(self.td_id);
			report.extend([0; 48 + 48 + 8 + 16 + 16 + 12 + 48 + 8]);
		}
		report
	}
}
