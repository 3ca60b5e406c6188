//! Collateral: what Intel signs about platforms, verified once and kept in a compact form.
//!
//! Each item is verified on its own, in this order, as each needs the ones before it:
//!
//! | Item | Verified under | Signatures |
//! |---|---|---|
//! | [`Crl`] of the root | [`TrustRoot`] | 1 |
//! | [`PckCa`] | [`Anchor`] | 1 |
//! | [`Crl`] of a PCK CA | [`PckCa`] | 1 |
//! | [`TcbInfo`] | [`Anchor`], through its signing certificate | 2 |
//! | [`QeIdentity`] | [`Anchor`], through its signing certificate | 2 |
//!
//! Source: Intel PCS API, version 4, <https://api.portal.trustedservices.intel.com>.

mod advisory;
mod bundle;
mod crl;
mod json;
mod pck_ca;
mod qe_identity;
mod signer;
mod tcb_info;

pub use advisory::{Advisories, AdvisoryId, AdvisorySet, MAX_ADVISORIES};
pub use bundle::{Bundle, Verified as VerifiedBundle};
pub use crl::{Crl, CrlIssuer, MAX_CRL_LEN, MAX_REVOKED};
pub use json::MAX_JSON_LEN;
pub use pck_ca::PckCa;
pub use qe_identity::{MAX_QE_LEVELS, QeIdentity, QeLevel};
pub use signer::Signer;
pub use tcb_info::{
	MAX_LEVELS, MAX_MODULE_LEVELS, MAX_MODULES, TcbInfo, TcbLevel, TdxModule, TdxModuleIdentity,
	TdxModuleLevel,
};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	error::Error,
	quote::Quote,
	root::TrustRoot,
	types::{CertificateKind, Fmspc, UnixTime},
	x509::certificate::check_validity,
};

/// A renewed item that says nothing new is useful if it is valid for this much longer, in seconds.
pub const USEFUL_EXTENSION: UnixTime = 7 * 24 * 60 * 60;

/// Kinds of collateral.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	strum::Display,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Item {
	/// Revocation list of the root.
	#[strum(to_string = "root CA CRL")]
	RootCrl,
	/// Certificate of a PCK CA.
	#[strum(to_string = "PCK CA certificate")]
	PckCa,
	/// Revocation list of a PCK CA.
	#[strum(to_string = "PCK CRL")]
	PckCrl,
	/// TCB info of an FMSPC.
	#[strum(to_string = "TCB info")]
	TcbInfo,
	/// Identity of the quoting enclave.
	#[strum(to_string = "QE identity")]
	QeIdentity,
}

/// A root with its revocation list: what new collateral is verified under.
#[derive(Clone, Copy, Debug)]
pub struct Anchor<'a> {
	/// The root.
	pub root: &'a TrustRoot,
	/// Its revocation list, verified under it.
	pub root_crl: &'a Crl,
}

impl Anchor<'_> {
	pub(crate) fn check(&self, now: UnixTime) -> Result<(), Error> {
		self.root.check(self.root_crl, now)?;
		self.root_crl.window().check(Item::RootCrl, None, now, 0)
	}
}

/// Whether an accepted update tells anything new. Intel dates its documents anew often: an update
/// that is only newer is stored, but its submitter pays for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
	/// A higher number, or at least [`USEFUL_EXTENSION`] more of validity.
	Useful,
	/// The same, dated anew.
	Redated,
}

impl Update {
	fn of(higher_number: bool, offered_until: UnixTime, stored_until: UnixTime) -> Self {
		if higher_number || offered_until >= stored_until.saturating_add(USEFUL_EXTENSION) {
			Self::Useful
		} else {
			Self::Redated
		}
	}
}

/// From when until when (inclusive) an item counts.
#[derive(Clone, Copy)]
pub(crate) struct Window {
	pub issued: UnixTime,
	pub next_update: UnixTime,
	pub until: UnixTime,
}

impl Window {
	/// Refuses an item that counts not yet, no more, or for less than `margin` seconds.
	pub fn check(
		&self,
		item: Item,
		fmspc: Option<Fmspc>,
		now: UnixTime,
		margin: UnixTime,
	) -> Result<(), Error> {
		let next_update = self.next_update;
		if now < self.issued {
			return Err(Error::CollateralNotYetValid { item, issue_date: self.issued });
		}
		if now > self.until {
			return Err(Error::CollateralExpired { item, fmspc, next_update });
		}
		if now.saturating_add(margin) > self.until {
			return Err(Error::CollateralExpiresSoon { item, fmspc, next_update });
		}
		Ok(())
	}
}

/// Everything that a quote is verified against.
#[derive(Clone, Copy, Debug)]
pub struct Collateral<'a> {
	/// The root and its list.
	pub anchor: Anchor<'a>,
	/// The CA that issued the platform's PCK certificate.
	pub pck_ca: &'a PckCa,
	/// That CA's list.
	pub pck_crl: &'a Crl,
	/// TCB info of the platform's FMSPC and the quote's TEE.
	pub tcb_info: &'a TcbInfo,
	/// QE identity of the quote's TEE.
	pub qe_identity: &'a QeIdentity,
}

impl Collateral<'_> {
	/// Checks that each item is for this quote, current for at least `margin` seconds, under the
	/// one root, and not revoked since it was stored.
	pub(crate) fn check(
		&self,
		quote: &Quote<'_>,
		now: UnixTime,
		margin: UnixTime,
	) -> Result<(), Error> {
		let Self { anchor, pck_ca, pck_crl, tcb_info, qe_identity } = self;
		let fmspc = quote.pck.fmspc;
		if tcb_info.tee != quote.tee() {
			return Err(Error::CollateralForOtherTee(Item::TcbInfo));
		}
		if qe_identity.tee != quote.tee() {
			return Err(Error::CollateralForOtherTee(Item::QeIdentity));
		}
		if tcb_info.fmspc != fmspc {
			return Err(Error::FmspcMismatch { platform: fmspc, tcb_info: tcb_info.fmspc });
		}
		if tcb_info.pce_id != quote.pck.pce_id {
			return Err(Error::PceIdMismatch);
		}
		for (item, window) in [
			(Item::TcbInfo, tcb_info.window()),
			(Item::QeIdentity, qe_identity.window()),
			(Item::PckCrl, pck_crl.window()),
			(Item::RootCrl, anchor.root_crl.window()),
		] {
			window.check(item, Some(fmspc), now, margin)?;
		}

		anchor.root.check(anchor.root_crl, now)?;
		if pck_ca.kind != quote.pck.ca || pck_ca.issuer != anchor.root.key_id {
			return Err(Error::AuthorityMismatch(Item::PckCa));
		}
		if pck_ca.fingerprint != quote.pck.ca_fingerprint {
			return Err(Error::OtherPckCa);
		}
		if pck_crl.issuer != pck_ca.key_id || pck_crl.issuer_name != pck_ca.name {
			return Err(Error::AuthorityMismatch(Item::PckCrl));
		}
		check_validity(CertificateKind::PckCa, pck_ca.not_before, pck_ca.not_after, now)?;
		if anchor.root_crl.revokes(&pck_ca.serial) {
			return Err(Error::CertificateRevoked(CertificateKind::PckCa));
		}
		tcb_info.signer.check(Item::TcbInfo, anchor, now)?;
		qe_identity.signer.check(Item::QeIdentity, anchor, now)
	}

	/// Last second at which every item still counts.
	pub(crate) fn until(&self) -> UnixTime {
		[
			self.anchor.root.not_after,
			self.anchor.root_crl.window().until,
			self.pck_ca.not_after,
			self.pck_crl.window().until,
			self.tcb_info.window().until,
			self.tcb_info.signer.not_after,
			self.qe_identity.window().until,
			self.qe_identity.signer.not_after,
		]
		.into_iter()
		.fold(UnixTime::MAX, UnixTime::min)
	}
}
