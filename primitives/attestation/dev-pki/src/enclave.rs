//! The software quoting enclave: what turns reports into quotes.
//!
//! Sources: "Intel SGX ECDSA Quoting Library API", appendix A (version 3); "Intel TDX DCAP Quoting
//! Library API", appendix A (versions 4 and 5).

use crate::{
	EnclaveIdentity, Error, Platform, QuoteRequest, SgxEnclave,
	certificate::{Certificate, pem_chain},
	key,
};
use p256::ecdsa::SigningKey;
use sha2::{Digest, Sha256};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Intel's trusted execution environments.
#[derive(
	Clone, Copy, Debug, Display, EnumString, Hash, IntoStaticStr, PartialEq, Eq, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Tee {
	/// Enclaves within a process.
	Sgx,
	/// Virtual machines.
	Tdx,
}

/// Formats of quotes.
#[derive(
	Clone, Copy, Debug, Display, EnumString, Hash, IntoStaticStr, PartialEq, Eq, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum QuoteKind {
	/// SGX, version 3.
	SgxV3,
	/// TDX, version 4: a TD 1.0 report.
	TdxV4,
	/// TDX, version 5 with a TD 1.0 report.
	TdxV5Td10,
	/// TDX, version 5 with a TD 1.5 report.
	TdxV5Td15,
	/// TDX, version 5 with a TD 1.5ex report.
	TdxV5Td15ex,
}

impl QuoteKind {
	/// All of them.
	pub const ALL: &[Self] = Self::VARIANTS;

	/// The TEE that makes such quotes.
	pub const fn tee(self) -> Tee {
		match self {
			Self::SgxV3 => Tee::Sgx,
			_ => Tee::Tdx,
		}
	}

	/// Does the report carry the current TCB besides the one at launch?
	pub const fn has_current_tcb(self) -> bool {
		matches!(self, Self::TdxV5Td15 | Self::TdxV5Td15ex)
	}

	const fn version(self) -> u16 {
		match self {
			Self::SgxV3 => 3,
			Self::TdxV4 => 4,
			_ => 5,
		}
	}

	/// Type of a version 5 body.
	const fn body_type(self) -> Option<u16> {
		match self {
			Self::SgxV3 | Self::TdxV4 => None,
			Self::TdxV5Td10 => Some(2),
			Self::TdxV5Td15 => Some(3),
			Self::TdxV5Td15ex => Some(4),
		}
	}

	/// Length of header, body descriptor and body: what the attestation key signs.
	pub(crate) const fn signed_len(self) -> usize {
		match self {
			Self::SgxV3 => 48 + 384,
			Self::TdxV4 => 48 + 584,
			Self::TdxV5Td10 => 54 + 584,
			Self::TdxV5Td15 => 54 + 648,
			Self::TdxV5Td15ex => 54 + 885,
		}
	}
}

/// Where the parts of a quote are whose authentication data has the usual 32 bytes.
pub(crate) struct Offsets {
	/// The report data.
	pub report_data: usize,
	/// Length of the signature data.
	pub signature_len: usize,
	/// The quote's signature.
	pub signature: usize,
	/// Length of the data that wraps the QE report; from version 4 on.
	pub wrapper_len: usize,
	/// The QE report's signature.
	pub qe_signature: usize,
	/// Length of the QE authentication data.
	pub auth_len: usize,
	/// Length of the innermost certification data.
	pub certification_len: usize,
}

impl Offsets {
	pub fn of(kind: QuoteKind) -> Self {
		let signature_len = kind.signed_len();
		let signature = signature_len + 4;
		let wrapper = signature + 64 + 64;
		let qe_report = if kind == QuoteKind::SgxV3 { wrapper } else { wrapper + 6 };
		let qe_signature = qe_report + 384;
		let auth_len = qe_signature + 64;
		let report_data = match kind {
			QuoteKind::SgxV3 => signature_len - 64,
			QuoteKind::TdxV4 => 48 + 520,
			_ => 54 + 520,
		};
		Self {
			report_data,
			signature_len,
			signature,
			wrapper_len: wrapper + 2,
			qe_signature,
			auth_len,
			certification_len: auth_len + 2 + 32 + 2,
		}
	}
}

/// A quote whose signatures are still to be made: every field that Intel's structures have.
#[derive(Clone)]
pub(crate) struct Draft {
	pub version: u16,
	pub attestation_key_type: u16,
	pub tee_type: u32,
	/// Header bytes 8 to 12: SVNs of QE and PCE in version 3, zero after.
	pub svns: [u16; 2],
	pub qe_vendor_id: [u8; 16],
	pub user_data: [u8; 20],
	/// Type and length of a version 5 body.
	pub descriptor: Option<(u16, u32)>,
	pub body: Vec<u8>,
	/// `x ‖ y`.
	pub attestation_key: [u8; 64],
	pub qe_report: [u8; 384],
	pub auth_data: Vec<u8>,
	/// Type of the data that wraps the QE report from version 4 on.
	pub outer_type: u16,
	pub certification_type: u16,
	pub certification_data: Vec<u8>,
}

/// Vendor id of Intel's quoting enclaves, which every verifier asks for.
const INTEL_QE_VENDOR_ID: [u8; 16] = [
	0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07,
];
/// ECDSA with P-256 and SHA-256.
const ECDSA_P256: u16 = 2;
/// Certification data: QE report, its signature, and more certification data.
const QE_REPORT_CERTIFICATION: u16 = 6;
/// Certification data: PEM of the PCK certificate's chain.
const PCK_CHAIN: u16 = 5;

/// The quoting enclaves of one platform: QE for SGX, TD QE for TDX.
#[derive(Clone)]
pub struct QuotingEnclave {
	platform: Platform,
	pck: SigningKey,
	attestation: SigningKey,
	/// PEM, leaf first.
	pub(crate) pck_chain: String,
	/// The enclave that signs SGX reports.
	pub qe: EnclaveIdentity,
	/// The enclave that signs TD reports.
	pub td_qe: EnclaveIdentity,
	/// QE authentication data: Intel's enclaves have 00…1F. At most 65,535 bytes.
	pub auth_data: Vec<u8>,
}

impl QuotingEnclave {
	pub(crate) fn new(
		platform: &Platform,
		pck: SigningKey,
		attestation: SigningKey,
		chain: [&Certificate; 3],
	) -> Result<Self, Error> {
		Ok(Self {
			platform: platform.clone(),
			pck,
			attestation,
			pck_chain: pem_chain(chain)?,
			qe: EnclaveIdentity::quoting_enclave(Tee::Sgx),
			td_qe: EnclaveIdentity::quoting_enclave(Tee::Tdx),
			auth_data: (0..32).collect(),
		})
	}

	/// PEM of the PCK certificate, its CA and the root.
	pub fn pck_certificate_chain(&self) -> &str {
		&self.pck_chain
	}

	/// Changes both enclaves.
	pub(crate) fn each(&mut self, edit: fn(&mut EnclaveIdentity)) {
		edit(&mut self.qe);
		edit(&mut self.td_qe);
	}

	/// What only the PCE does, and never for anything but QE reports.
	pub(crate) fn sign_with_pck(&self, message: &[u8]) -> [u8; 64] {
		key::sign(&self.pck, message)
	}

	/// The quote of a report.
	pub fn quote(&self, request: &QuoteRequest) -> Vec<u8> {
		self.seal(&self.draft(request))
	}

	pub(crate) fn draft(&self, request: &QuoteRequest) -> Draft {
		let kind = request.kind;
		let enclave = match kind.tee() {
			Tee::Sgx => &self.qe,
			Tee::Tdx => &self.td_qe,
		};
		let mut user_data = [0; 20];
		// Id of the quoting enclave on this platform.
		user_data[..16].copy_from_slice(&Sha256::digest(self.platform.ppid)[..16]);
		let body = request.body(&self.platform);
		let attestation_key = key::public_bytes(&self.attestation);
		// The certification data of real quotes ends with a zero byte.
		let mut certification_data = self.pck_chain.clone().into_bytes();
		certification_data.push(0);
		Draft {
			version: kind.version(),
			attestation_key_type: ECDSA_P256,
			tee_type: match kind.tee() {
				Tee::Sgx => 0,
				Tee::Tdx => 0x81,
			},
			svns: match kind.tee() {
				Tee::Sgx => [enclave.isv_svn, self.platform.pce_svn],
				Tee::Tdx => [0; 2],
			},
			qe_vendor_id: INTEL_QE_VENDOR_ID,
			user_data,
			descriptor: kind.body_type().map(|body_type| (body_type, body.len() as u32)),
			body,
			qe_report: enclave
				.report(&self.platform.cpu_svn, &qe_report_data(&attestation_key, &self.auth_data)),
			attestation_key,
			auth_data: self.auth_data.clone(),
			outer_type: QE_REPORT_CERTIFICATION,
			certification_type: PCK_CHAIN,
			certification_data,
		}
	}

	/// Signs the QE report with the PCK, and header and body with the attestation key.
	pub(crate) fn seal(&self, draft: &Draft) -> Vec<u8> {
		let mut quote = vec![];
		quote.extend(draft.version.to_le_bytes());
		quote.extend(draft.attestation_key_type.to_le_bytes());
		quote.extend(draft.tee_type.to_le_bytes());
		draft.svns.iter().for_each(|svn| quote.extend(svn.to_le_bytes()));
		quote.extend(draft.qe_vendor_id);
		quote.extend(draft.user_data);
		if let Some((body_type, len)) = draft.descriptor {
			quote.extend(body_type.to_le_bytes());
			quote.extend(len.to_le_bytes());
		}
		quote.extend(&draft.body);

		let mut certification = vec![];
		certification.extend(draft.qe_report);
		certification.extend(key::sign(&self.pck, &draft.qe_report));
		certification.extend((draft.auth_data.len() as u16).to_le_bytes());
		certification.extend(&draft.auth_data);
		certification
			.extend(certification_data(draft.certification_type, &draft.certification_data));
		if draft.version > 3 {
			certification = certification_data(draft.outer_type, &certification);
		}

		let mut signature = key::sign(&self.attestation, &quote).to_vec();
		signature.extend(draft.attestation_key);
		signature.extend(certification);
		quote.extend((signature.len() as u32).to_le_bytes());
		quote.extend(signature);
		quote
	}
}

impl EnclaveIdentity {
	fn report(&self, cpu_svn: &[u8; 16], report_data: &[u8; 64]) -> [u8; 384] {
		let enclave = SgxEnclave {
			mr_enclave: self.mr_enclave,
			mr_signer: self.mr_signer,
			isv_prod_id: self.isv_prod_id,
			isv_svn: self.isv_svn,
			misc_select: self.misc_select,
			attributes: self.attributes,
		};
		enclave.report(cpu_svn, report_data)
	}
}

/// SHA-256 of attestation key and authentication data, then zeros.
pub(crate) fn qe_report_data(attestation_key: &[u8; 64], auth_data: &[u8]) -> [u8; 64] {
	let hash = Sha256::new().chain_update(attestation_key).chain_update(auth_data).finalize();
	let mut report_data = [0; 64];
	report_data[..32].copy_from_slice(&hash);
	report_data
}

/// Type, length, data.
fn certification_data(kind: u16, data: &[u8]) -> Vec<u8> {
	let mut encoded = kind.to_le_bytes().to_vec();
	encoded.extend((data.len() as u32).to_le_bytes());
	encoded.extend(data);
	encoded
}
