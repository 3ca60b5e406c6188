//! Certification data: who vouches for the attestation key.

use super::{
	body::EnclaveReport,
	header::{Header, Version},
	reader::Reader,
};
use crate::{
	crypto::{PublicKey, RawSignature},
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
/// The chain in a quote also holds the intermediate and the root. They are not read: the
/// certificate is verified under the stored [`PckCa`](crate::collateral::PckCa), so they can be
/// left out, which makes a quote 2.5 kB shorter.
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
		let der = pem::first_certificate(chain)?;
		let certificate = Certificate::parse(CertificateKind::Pck, &der)?;
		let ca = certificate.issuer_ca.ok_or(Error::UnknownPckCa)?;
		let extension = certificate.sgx_extension.as_ref().ok_or(Error::SgxExtensionMissing)?;
		let SgxExtension { ppid, tcb, pce_id, fmspc } = SgxExtension::parse(extension)?;
		let (serial, key) = (certificate.serial, certificate.key);
		let (not_before, not_after) = (certificate.not_before, certificate.not_after);
		Ok(Self { fmspc, pce_id, ppid, tcb, ca, serial, not_before, not_after, key, der })
	}
}
