//! Certification data: who vouches for the attestation key.

use super::{
	body::EnclaveReport,
	header::{Header, Version},
	reader::Reader,
};
use crate::{
	crypto::{PublicKey, RawSignature, sha256},
	error::Error,
	pem,
	types::{CertificateKind, Fmspc, PceId, PckCaKind, Ppid, Serial, UnixTime},
	x509::{Certificate, PlatformTcb, sgx_extension::SgxExtension},
};
use alloc::vec::Vec;

const PCK_CERTIFICATE_CHAIN: u16 = 5;
const QE_REPORT: u16 = 6;

/// The quoting enclave's report, signed by the platform's PCK key.
pub(crate) struct Certification<'a> {
	pub qe_report_bytes: &'a [u8; EnclaveReport::LEN],
	pub qe_report: EnclaveReport<'a>,
	pub qe_report_signature: RawSignature,
	pub authentication_data: &'a [u8],
	pub chain: &'a [u8],
}

impl<'a> Certification<'a> {
	/// Reads the rest of the signature data. Each part ends exactly where its length says.
	pub fn read(header: &Header, mut data: Reader<'a>) -> Result<Self, Error> {
		if header.version == Version::SgxV3 {
			return Self::read_qe(data);
		}
		let outer = data.u16()?;
		if outer != QE_REPORT {
			return Err(Error::QeReportExpected(outer));
		}
		let inner = Reader::new(data.prefixed_u32()?);
		data.finish()?;
		Self::read_qe(inner)
	}

	fn read_qe(mut data: Reader<'a>) -> Result<Self, Error> {
		let qe_report_bytes = data.array()?;
		let qe_report = EnclaveReport::read(&mut Reader::new(qe_report_bytes))?;
		let qe_report_signature = *data.array()?;
		let authentication_data = data.prefixed_u16()?;
		let kind = data.u16()?;
		if kind != PCK_CERTIFICATE_CHAIN {
			return Err(Error::UnsupportedCertificationData(kind));
		}
		let chain = data.prefixed_u32()?;
		data.finish()?;
		Ok(Self { qe_report_bytes, qe_report, qe_report_signature, authentication_data, chain })
	}
}

/// The PCK certificate of the platform that made a quote: which collateral it needs.
///
/// The chain in a quote goes on with the CA and, usually, the root. The CA has to be the stored one
/// ([`PckCa::fingerprint`](crate::collateral::PckCa::fingerprint)), which was verified when it was
/// stored; the root is not read.
#[derive(Clone, Debug)]
pub struct PckCertificate {
	/// FMSPC of the platform.
	pub fmspc: Fmspc,
	/// PCE id of the platform.
	pub pce_id: PceId,
	/// PPID of the platform.
	pub ppid: Ppid,
	/// Security version numbers of the platform.
	pub tcb: PlatformTcb,
	/// The authority that, by its name, issued the certificate.
	pub ca: PckCaKind,
	/// SHA-256 of the certificate that follows in the chain.
	pub ca_fingerprint: [u8; 32],
	/// Serial number.
	pub serial: Serial,
	/// First second of its validity.
	pub not_before: UnixTime,
	/// Last second of its validity.
	pub not_after: UnixTime,
	/// The PCK, which signs QE reports.
	pub key: PublicKey,
	pub(crate) der: Vec<u8>,
}

impl PckCertificate {
	pub(super) fn parse(chain: &[u8]) -> Result<Self, Error> {
		let mut chain = pem::certificates(chain)?.into_iter();
		let der = chain.next().ok_or(Error::CertificateChainTooShort)?;
		let ca_fingerprint = sha256(&[&chain.next().ok_or(Error::CertificateChainTooShort)?]);
		let certificate = Certificate::parse(CertificateKind::Pck, &der)?;
		let extension = certificate.sgx_extension.as_ref().ok_or(Error::SgxExtensionMissing)?;
		let SgxExtension { ppid, tcb, pce_id, fmspc } = SgxExtension::parse(extension)?;
		let ca = certificate.issuer_ca.ok_or(Error::UnknownPckCa)?;
		let Certificate { serial, not_before, not_after, key, .. } = certificate;
		Ok(Self {
			fmspc,
			pce_id,
			ppid,
			tcb,
			ca,
			ca_fingerprint,
			serial,
			not_before,
			not_after,
			key,
			der,
		})
	}
}
