//! A quote against stored collateral.

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	collateral::{AdvisoryId, Collateral},
	crypto::sha256,
	error::Error,
	qe,
	quote::Quote,
	tcb::{self, TcbStatus},
	types::{CertificateKind, Fmspc, PceId, PckCaKind, Ppid, Tee, UnixTime},
	x509::Certificate,
};

/// Most advisories of a verdict: those of two documents.
pub const MAX_VERDICT_ADVISORIES: u32 = 2 * crate::collateral::MAX_ADVISORIES;

/// What a verified quote says.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Verified {
	/// Which TEE.
	pub tee: Tee,
	/// Status of platform, TDX module and quoting enclave together. Never `Revoked`.
	pub status: TcbStatus,
	/// Advisories of the levels that the three meet, ascending.
	pub advisory_ids: BoundedVec<AdvisoryId, ConstU32<MAX_VERDICT_ADVISORIES>>,
	/// FMSPC of the platform.
	pub fmspc: Fmspc,
	/// PCE id of the platform.
	pub pce_id: PceId,
	/// CA of the platform's PCK certificate.
	pub ca: PckCaKind,
	/// PPID of the platform: the input of [`platform_id`](crate::platform_id).
	pub ppid: Ppid,
	/// One hash that names the program, see [`Body::measurement`](crate::quote::Body::measurement).
	pub measurement: [u8; 32],
	/// What the program put into its report, see [`Binding`](crate::Binding).
	pub report_data: [u8; 64],
	/// Lower one of the evaluation numbers of TCB info and QE identity.
	pub evaluation_number: u32,
	/// Date of the oldest level met.
	pub tcb_date: UnixTime,
	/// If a component is out of date: the date of the TCB recovery that made the first one so.
	pub outdated_since: Option<UnixTime>,
	/// Last second at which every certificate and every collateral item still counts.
	pub valid_until: UnixTime,
}

/// Verifies a quote: three P-256 signatures.
///
/// `now` is trusted time in Unix seconds. Collateral that counts for less than `margin` seconds more
/// is refused with an error of its own, so that a caller can ask for newer collateral before it is
/// too late.
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
	collateral.check(quote, now, margin)?;
	verify_signatures(quote, collateral, now)?;

	let qe = qe::appraise(collateral.qe_identity, &quote.certification.qe_report)?;
	let (mut platform, current) = tcb::appraise(collateral.tcb_info, &quote.pck.tcb, &quote.body)?;
	platform.converge(&qe);
	let status = match current {
		Some(current) => platform.status.relaunch(current.converge(qe.status)),
		None => platform.status,
	};

	quote.body.check_flags()?;

	let mut advisories = platform.advisories;
	advisories.sort_unstable();
	advisories.dedup();
	Ok(Verified {
		tee: quote.tee(),
		status,
		advisory_ids: BoundedVec::truncate_from(advisories),
		fmspc: quote.pck.fmspc,
		pce_id: quote.pck.pce_id,
		ca: quote.pck.ca,
		ppid: quote.pck.ppid,
		measurement: quote.measurement(),
		report_data: *quote.report_data(),
		evaluation_number: collateral
			.tcb_info
			.evaluation_number
			.min(collateral.qe_identity.evaluation_number),
		tcb_date: platform.date,
		outdated_since: platform.outdated_since,
		valid_until: collateral.until().min(quote.pck.not_after),
	})
}

/// PCK certificate under the stored CA, QE report under the PCK, attestation key in the QE report,
/// quote under the attestation key.
fn verify_signatures(
	quote: &Quote<'_>,
	collateral: &Collateral<'_>,
	now: UnixTime,
) -> Result<(), Error> {
	let pck = Certificate::parse(CertificateKind::Pck, &quote.pck.der)?;
	pck.check_end_entity()?;
	if collateral.pck_crl.revokes(&pck.serial) {
		return Err(Error::CertificateRevoked(CertificateKind::Pck));
	}
	pck.verify(&collateral.pck_ca.authority(), now)?;

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
