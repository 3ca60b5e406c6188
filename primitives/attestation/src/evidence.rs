//! What a quote proves about its platform, and what that means by today's collateral.
//!
//! A verifier that keeps the evidence of a verified quote can appraise it again when collateral
//! changes, without a new quote: after a TCB recovery, or a revocation.

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	collateral::{AdvisoryId, Collateral, PckCa},
	error::Error,
	qe,
	quote::{Body, EnclaveReport, Quote, TdReport},
	tcb::{self, TcbStatus},
	types::{CertificateKind, Fmspc, PceId, PckCaKind, Serial, Tee, UnixTime},
	x509::{PlatformTcb, certificate::check_validity},
};

/// Most advisories of an appraisal: those of two documents.
pub const MAX_APPRAISED_ADVISORIES: u32 = 2 * crate::collateral::MAX_ADVISORIES;

/// Versions and identities that a quote vouches for: platform, TDX module and quoting enclave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Evidence {
	/// Which TEE.
	pub tee: Tee,
	/// FMSPC of the platform.
	pub fmspc: Fmspc,
	/// PCE id of the platform.
	pub pce_id: PceId,
	/// CA of the platform's PCK certificate.
	pub ca: PckCaKind,
	/// Hash of that CA's certificate.
	pub ca_fingerprint: [u8; 32],
	/// Serial number of that certificate, so that its revocation is seen when another one is stored already.
	pub ca_serial: Serial,
	/// Serial number of the PCK certificate.
	pub pck_serial: Serial,
	/// First second of its validity.
	pub pck_not_before: UnixTime,
	/// Last second of its validity.
	pub pck_not_after: UnixTime,
	/// SVNs of the platform.
	pub tcb: PlatformTcb,
	/// The TDX module, of a TDX quote.
	pub module: Option<ModuleEvidence>,
	/// The quoting enclave.
	pub qe: QeEvidence,
}

/// What a TD report says about the TDX module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ModuleEvidence {
	/// SVNs when the TD was launched.
	pub tee_tcb_svn: [u8; 16],
	/// From TD 1.5 on: SVNs now.
	pub tee_tcb_svn_2: Option<[u8; 16]>,
	/// Hash of the module's signer.
	pub mr_signer_seam: [u8; 48],
	/// Attributes of the module.
	pub seam_attributes: [u8; 8],
}

impl From<&TdReport<'_>> for ModuleEvidence {
	fn from(report: &TdReport<'_>) -> Self {
		Self {
			tee_tcb_svn: *report.tee_tcb_svn,
			tee_tcb_svn_2: report.tee_tcb_svn_2.copied(),
			mr_signer_seam: *report.mr_signer_seam,
			seam_attributes: *report.seam_attributes,
		}
	}
}

/// What a quoting enclave's report says about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct QeEvidence {
	/// Hash of the enclave's signer.
	pub mr_signer: [u8; 32],
	/// ATTRIBUTES.
	pub attributes: [u8; 16],
	/// MISCSELECT.
	pub misc_select: u32,
	/// Product id.
	pub isv_prod_id: u16,
	/// SVN.
	pub isv_svn: u16,
}

impl QeEvidence {
	/// ATTRIBUTES.DEBUG.
	pub(crate) fn is_debug(&self) -> bool {
		crate::quote::is_debug(&self.attributes)
	}
}

impl From<&EnclaveReport<'_>> for QeEvidence {
	fn from(report: &EnclaveReport<'_>) -> Self {
		Self {
			mr_signer: *report.mr_signer,
			attributes: *report.attributes,
			misc_select: report.misc_select,
			isv_prod_id: report.isv_prod_id,
			isv_svn: report.isv_svn,
		}
	}
}

/// What evidence means by some collateral.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Appraised {
	/// Status of platform, TDX module and quoting enclave together. Never `Revoked`.
	pub status: TcbStatus,
	/// Advisories of the levels that the three meet, ascending.
	pub advisory_ids: BoundedVec<AdvisoryId, ConstU32<MAX_APPRAISED_ADVISORIES>>,
	/// Evaluation number of the TCB info.
	pub tcb_evaluation_number: u32,
	/// Evaluation number of the QE identity.
	pub qe_evaluation_number: u32,
	/// Date of the oldest level met.
	pub tcb_date: UnixTime,
	/// If components are out of date: the date of the oldest level that one of them meets. The first
	/// evaluation number that demands more made the platform out of date. Intel dates the best level
	/// anew with each number, and leaves those below as they were.
	pub outdated_level: Option<UnixTime>,
	/// Last second at which every certificate and every collateral item still counts.
	pub valid_until: UnixTime,
}

impl Evidence {
	/// What a quote claims, whose chain should hold this CA's certificate. Worth something only if the quote
	/// was verified.
	pub(crate) fn of(quote: &Quote<'_>, ca: &PckCa) -> Self {
		let pck = &quote.pck;
		Self {
			tee: quote.tee(),
			fmspc: pck.fmspc,
			pce_id: pck.pce_id,
			ca: pck.ca,
			ca_fingerprint: pck.ca_fingerprint,
			ca_serial: ca.serial,
			pck_serial: pck.serial,
			pck_not_before: pck.not_before,
			pck_not_after: pck.not_after,
			tcb: pck.tcb,
			module: match &quote.body {
				Body::Sgx(_) => None,
				Body::Tdx(report) => Some(report.into()),
			},
			qe: (&quote.certification.qe_report).into(),
		}
	}

	/// Appraises the platform: everything that [`verify_quote`](crate::verify_quote) does but for
	/// signatures and the flags of the program, which collateral does not change.
	///
	/// `now` is trusted time in Unix seconds; collateral and certificates must count for `margin`
	/// seconds more.
	///
	/// # Errors
	///
	/// The variants of [`Error`] on collateral, revocation, QE identity and TCB, in that order.
	pub fn appraise(
		&self,
		collateral: &Collateral<'_>,
		now: UnixTime,
		margin: UnixTime,
	) -> Result<Appraised, Error> {
		collateral.check(self, now, margin)?;
		self.check_pck(collateral, now, margin)?;
		self.appraise_tcb(collateral)
	}

	/// Validity and revocation of the PCK certificate.
	pub(crate) fn check_pck(
		&self,
		collateral: &Collateral<'_>,
		now: UnixTime,
		margin: UnixTime,
	) -> Result<(), Error> {
		let validity = (self.pck_not_before, self.pck_not_after);
		check_validity(CertificateKind::Pck, validity, now, margin)?;
		if collateral.pck_crl.revokes(&self.pck_serial) {
			return Err(Error::CertificateRevoked(CertificateKind::Pck));
		}
		Ok(())
	}

	/// Quoting enclave, platform and TDX module against their levels.
	pub(crate) fn appraise_tcb(&self, collateral: &Collateral<'_>) -> Result<Appraised, Error> {
		let Collateral { tcb_info, qe_identity, .. } = collateral;
		let qe = qe::appraise(qe_identity, &self.qe)?;
		let (mut platform, current) = tcb::appraise(tcb_info, &self.tcb, self.module.as_ref())?;
		platform.converge(&qe);
		if let Some(mut current) = current {
			current.converge(&qe);
			platform.converge_current(&current);
		}
		let mut advisories = platform.advisories;
		advisories.sort_unstable();
		advisories.dedup();
		Ok(Appraised {
			status: platform.status,
			advisory_ids: BoundedVec::truncate_from(advisories),
			tcb_evaluation_number: tcb_info.evaluation_number,
			qe_evaluation_number: qe_identity.evaluation_number,
			tcb_date: platform.date,
			outdated_level: platform.outdated_level,
			valid_until: collateral.until().min(self.pck_not_after),
		})
	}
}
