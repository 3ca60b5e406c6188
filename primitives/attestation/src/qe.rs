//! The quoting enclave: is it Intel's, and at which level.
//!
//! Source: Intel PCS API, "Get Quoting Enclave Identity", steps of the verification.

use crate::{
	collateral::QeIdentity,
	error::Error,
	quote::EnclaveReport,
	tcb::{Appraisal, TcbStatus, find},
};

/// Checks the QE's report against its identity and finds its level.
pub(crate) fn appraise(
	identity: &QeIdentity,
	report: &EnclaveReport<'_>,
) -> Result<Appraisal, Error> {
	if *report.mr_signer != identity.mr_signer {
		return Err(Error::QeMrSigner);
	}
	if report.is_debug() {
		return Err(Error::QeDebug);
	}
	if report.isv_prod_id != identity.isv_prod_id {
		return Err(Error::QeIsvProdId);
	}
	if (report.misc_select ^ identity.misc_select) & identity.misc_select_mask != 0 {
		return Err(Error::QeMiscSelect);
	}
	let [attributes, expected, mask] =
		[*report.attributes, identity.attributes, identity.attributes_mask]
			.map(u128::from_le_bytes);
	if (attributes ^ expected) & mask != 0 {
		return Err(Error::QeAttributes);
	}
	let (level, outdated_since) = find(&identity.levels, |level| report.isv_svn >= level.isv_svn)
		.ok_or(Error::QeIsvSvnTooLow(report.isv_svn))?;
	if level.status == TcbStatus::Revoked {
		return Err(Error::QeRevoked);
	}
	Ok(Appraisal {
		status: level.status,
		advisories: identity.advisories.of(level.advisories),
		date: level.date,
		outdated_since,
	})
}
