//! The quoting enclave: is it Intel's, and at which level.
//!
//! Source: Intel PCS API, "Get Quoting Enclave Identity", steps of the verification.

use crate::{
	collateral::QeIdentity,
	error::Error,
	evidence::QeEvidence,
	tcb::{Appraisal, TcbStatus},
};

/// Checks the QE against its identity and finds its level.
pub(crate) fn appraise(identity: &QeIdentity, qe: &QeEvidence) -> Result<Appraisal, Error> {
	if qe.mr_signer != identity.mr_signer {
		return Err(Error::QeMrSigner);
	}
	if qe.is_debug() {
		return Err(Error::QeDebug);
	}
	if qe.isv_prod_id != identity.isv_prod_id {
		return Err(Error::QeIsvProdId);
	}
	if (qe.misc_select ^ identity.misc_select) & identity.misc_select_mask != 0 {
		return Err(Error::QeMiscSelect);
	}
	let [attributes, expected, mask] =
		[qe.attributes, identity.attributes, identity.attributes_mask].map(u128::from_le_bytes);
	if (attributes ^ expected) & mask != 0 {
		return Err(Error::QeAttributes);
	}
	let mut levels = identity.levels.iter();
	let level = levels.find(|level| qe.isv_svn >= level.isv_svn);
	let level = level.ok_or(Error::QeIsvSvnTooLow(qe.isv_svn))?;
	if level.status == TcbStatus::Revoked {
		return Err(Error::QeRevoked);
	}
	Ok(Appraisal::new(level.status, identity.advisories.of(level.advisories), level.date))
}
