//! Identities of the quoting enclaves.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::Deserialize;

use super::{
	Advisories, AdvisorySet, Anchor, Item, Signer, Update, Window,
	json::{self, Date, Hex},
	tcb_info::check_document_update,
};
use crate::{
	crypto::RawSignature,
	error::Error,
	tcb::TcbStatus,
	types::{Tee, UnixTime},
};

/// Most TCB levels of a quoting enclave. Real documents have up to 6.
pub const MAX_QE_LEVELS: u32 = 32;

const ITEM: Item = Item::QeIdentity;

/// A verified identity of a quoting enclave.
///
/// Only [`QeIdentity::verify`] and a chain's own storage make one: no call can bring one along.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct QeIdentity {
	/// The TEE whose quotes this enclave signs.
	pub(crate) tee: Tee,
	/// When it was issued.
	pub(crate) issue_date: UnixTime,
	/// Last second at which it counts.
	pub(crate) next_update: UnixTime,
	/// TCB evaluation data number.
	pub(crate) evaluation_number: u32,
	/// MISCSELECT.
	pub(crate) misc_select: u32,
	/// Bits of MISCSELECT that count.
	pub(crate) misc_select_mask: u32,
	/// Attributes.
	pub(crate) attributes: [u8; 16],
	/// Bits of the attributes that count.
	pub(crate) attributes_mask: [u8; 16],
	/// Hash of the enclave's signer.
	pub(crate) mr_signer: [u8; 32],
	/// Product id.
	pub(crate) isv_prod_id: u16,
	/// Levels in the document's order: Intel's is descending, and the first one met counts.
	pub(crate) levels: BoundedVec<QeLevel, ConstU32<MAX_QE_LEVELS>>,
	/// The advisories that the levels name.
	pub(crate) advisories: Advisories,
	/// Who signed it.
	pub(crate) signer: Signer,
}

/// A TCB level of a quoting enclave.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct QeLevel {
	/// Least ISVSVN.
	pub(crate) isv_svn: u16,
	/// Date of the level.
	pub(crate) date: UnixTime,
	/// Status.
	pub(crate) status: TcbStatus,
	/// Advisories.
	pub(crate) advisories: AdvisorySet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
	id: &'a str,
	version: u32,
	issue_date: Date,
	next_update: Date,
	tcb_evaluation_data_number: u32,
	miscselect: Hex<4>,
	#[serde(rename = "miscselectMask")]
	miscselect_mask: Hex<4>,
	attributes: Hex<16>,
	attributes_mask: Hex<16>,
	mrsigner: Hex<32>,
	isvprodid: u16,
	#[serde(borrow)]
	tcb_levels: Vec<Level<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level<'a> {
	tcb: Tcb,
	tcb_date: Date,
	tcb_status: &'a str,
	#[serde(rename = "advisoryIDs", default, borrow)]
	advisory_ids: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Tcb {
	isvsvn: u16,
}

/// Statuses that Intel's verifier accepts in a QE identity.
const STATUSES: &[TcbStatus] = &[
	TcbStatus::UpToDate,
	TcbStatus::OutOfDate,
	TcbStatus::ConfigurationNeeded,
	TcbStatus::OutOfDateConfigurationNeeded,
	TcbStatus::Revoked,
];

impl QeIdentity {
	/// Verifies a QE identity.
	///
	/// - `json`: the value of `enclaveIdentity` in Intel's answer, byte for byte.
	/// - `signature`: the value of `signature`, decoded.
	/// - `signer`: the signing certificate in DER, the first of the chain in the answer's header.
	///
	/// # Errors
	///
	/// The variants of [`Error`] on the root's list, on a [`QeIdentitySigner`] certificate and on
	/// [`Item::QeIdentity`].
	///
	/// [`QeIdentitySigner`]: crate::types::CertificateKind::QeIdentitySigner
	pub fn verify(
		json: &[u8],
		signature: &RawSignature,
		signer: &[u8],
		anchor: &Anchor<'_>,
		now: UnixTime,
	) -> Result<Self, Error> {
		json::check_len(ITEM, json)?;
		let signer = Signer::verify(ITEM, json, signature, signer, anchor, now)?;
		let identity = Self::parse(json, signer)?;
		identity.window().check(ITEM, None, now, 0)?;
		Ok(identity)
	}

	pub(crate) fn parse(json: &[u8], signer: Signer) -> Result<Self, Error> {
		let document: Document<'_> = json::parse(ITEM, json)?;
		let tee = match (document.id, document.version) {
			("QE", 2) => Tee::Sgx,
			("TD_QE", 2 | 3) => Tee::Tdx,
			_ => return Err(Error::CollateralUnsupported(ITEM)),
		};
		let mut advisories = Advisories::default();
		let mut levels = Vec::new();
		for level in &document.tcb_levels {
			levels.push(QeLevel {
				isv_svn: level.tcb.isvsvn,
				date: level.tcb_date.0,
				status: json::status(ITEM, level.tcb_status, STATUSES)?,
				advisories: advisories
					.intern(&level.advisory_ids)
					.ok_or(Error::CollateralTooManyEntries(ITEM))?,
			});
		}
		Ok(Self {
			tee,
			issue_date: document.issue_date.0,
			next_update: document.next_update.0,
			evaluation_number: document.tcb_evaluation_data_number,
			misc_select: u32::from_le_bytes(document.miscselect.0),
			misc_select_mask: u32::from_le_bytes(document.miscselect_mask.0),
			attributes: document.attributes.0,
			attributes_mask: document.attributes_mask.0,
			mr_signer: document.mrsigner.0,
			isv_prod_id: document.isvprodid,
			levels: levels.try_into().map_err(|_| Error::CollateralTooManyEntries(ITEM))?,
			advisories,
			signer,
		})
	}

	/// The TEE that it is for.
	pub fn tee(&self) -> Tee {
		self.tee
	}

	/// When it was issued.
	pub fn issue_date(&self) -> UnixTime {
		self.issue_date
	}

	/// Last second at which it counts.
	pub fn next_update(&self) -> UnixTime {
		self.next_update
	}

	/// TCB evaluation data number.
	pub fn evaluation_number(&self) -> u32 {
		self.evaluation_number
	}

	/// The newest date of a level. Zero without levels.
	pub fn newest_level(&self) -> UnixTime {
		self.levels.iter().map(|level| level.date).max().unwrap_or(0)
	}

	/// Whether this may replace `stored`: the same enclave's, under the same root, and newer by
	/// [`Revision`](super::Revision), of which the number is the evaluation number.
	///
	/// # Errors
	///
	/// [`Error::UpdateOfAnother`], [`Error::EvaluationNumberFell`], [`Error::IssueDateNotNewer`].
	pub fn check_update(&self, stored: &Self) -> Result<Update, Error> {
		if self.signer.issuer_key != stored.signer.issuer_key || self.tee != stored.tee {
			return Err(Error::UpdateOfAnother(ITEM));
		}
		check_document_update(
			ITEM,
			(self.evaluation_number, self.window()),
			(stored.evaluation_number, stored.window()),
		)
	}

	pub(crate) fn window(&self) -> Window {
		Window { issued: self.issue_date, next_update: self.next_update, until: self.next_update }
	}
}
