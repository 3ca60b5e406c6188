//! A quote against stored collateral.

use crate::{
	collateral::Collateral,
	crypto::sha256,
	error::Error,
	evidence::{Appraised, Evidence},
	quote::Quote,
	types::{CertificateKind, Ppid, UnixTime},
	x509::{Certificate, certificate::PCK},
};

/// What a verified quote says.
///
/// Only [`verify_quote`] makes one: it cannot be decoded, and so no caller can bring one along.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Verified {
	/// The platform, as the quote proves it.
	pub evidence: Evidence,
	/// What that means by the collateral.
	pub appraised: Appraised,
	/// PPID of the platform: the input of [`platform_id`](crate::platform_id).
	pub ppid: Ppid,
	/// One hash that names the program, see [`Body::measurement`](crate::quote::Body::measurement).
	pub measurement: [u8; 32],
	/// What the program put into its report, see [`Binding`](crate::Binding).
	pub report_data: [u8; 64],
}

/// Verifies a quote: three P-256 signatures.
///
/// `now` is trusted time in Unix seconds. Collateral and certificates that count for less than `margin`
/// seconds more are refused with errors of their own, so that a caller can ask for newer ones before
/// it is too late.
///
/// # Errors
///
/// The variants of [`Error`] on collateral, signatures, QE identity, TCB and flags, in that order.
/// Policy is not applied: see [`Policy`](crate::Policy).
pub fn verify_quote(
	quote: &Quote<'_>,
	collateral: &Collateral<'_>,
	now: UnixTime,
	margin: UnixTime,
) -> Result<Verified, Error> {
	let evidence = Evidence::of(quote, collateral.pck_ca);
	collateral.check(&evidence, now, margin)?;
	verify_signatures(quote, &evidence, collateral, now, margin)?;
	let appraised = evidence.appraise_tcb(collateral)?;
	quote.body.check_flags()?;
	Ok(Verified {
		evidence,
		appraised,
		ppid: quote.pck.ppid,
		measurement: quote.measurement(),
		report_data: *quote.report_data(),
	})
}

/// PCK certificate under the stored CA, QE report under the PCK, attestation key in the QE report,
/// quote under the attestation key.
fn verify_signatures(
	quote: &Quote<'_>,
	evidence: &Evidence,
	collateral: &Collateral<'_>,
	now: UnixTime,
	margin: UnixTime,
) -> Result<(), Error> {
	let pck = Certificate::parse(CertificateKind::Pck, &quote.pck.der)?;
	pck.check_end_entity()?;
	evidence.check_pck(collateral, now, margin)?;
	pck.verify(&collateral.pck_ca.authority(), now)?;
	pck.check_role(PCK)?;

	let certification = &quote.certification;
	let report = sha256(&[certification.qe_report_bytes]);
	if !pck.key.verifies(&report, &certification.qe_report_signature) {
		return Err(Error::QeReportSignature);
	}
	let commitment = sha256(&[&quote.attestation_key.0, certification.authentication_data]);
	let (hash, zeros) = certification.qe_report.report_data.split_at(commitment.len());
	if hash != commitment || zeros.iter().any(|&byte| byte != 0) {
		return Err(Error::QeReportData);
	}
	if !quote.attestation_key.verifies(&sha256(&[quote.signed]), &quote.signature) {
		return Err(Error::QuoteSignature);
	}
	Ok(())
}
