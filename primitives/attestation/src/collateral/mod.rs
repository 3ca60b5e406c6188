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
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bundle;
mod crl;
mod json;
mod pck_ca;
mod qe_identity;
mod revision;
mod signer;
mod tcb_info;

pub use advisory::{Advisories, AdvisoryId, AdvisorySet, MAX_ADVISORIES};
pub use bundle::{Bundle, Verified as VerifiedBundle};
pub use crl::{Crl, CrlIssuer, MAX_CRL_LEN, MAX_REVOKED};
pub use json::MAX_JSON_LEN;
pub use pck_ca::PckCa;
pub use qe_identity::{MAX_QE_LEVELS, QeIdentity, QeLevel};
pub use revision::{Revision, Stale};
pub use signer::Signer;
pub use tcb_info::{
	MAX_LEVELS, MAX_MODULE_LEVELS, MAX_MODULES, TcbInfo, TcbLevel, TdxModule, TdxModuleIdentity,
	TdxModuleLevel,
};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	error::Error,
	evidence::Evidence,
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
		self.root.check(self.root_crl, now, 0)?;
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
	/// Checks that each item and each authority is for this platform, current for at least `margin`
	/// seconds, under the one root, and not revoked since it was stored.
	pub(crate) fn check(
		&self,
		evidence: &Evidence,
		now: UnixTime,
		margin: UnixTime,
	) -> Result<(), Error> {
		let Self { anchor, pck_ca, pck_crl, tcb_info, qe_identity } = self;
		let fmspc = evidence.fmspc;
		if tcb_info.tee != evidence.tee {
			return Err(Error::CollateralForOtherTee(Item::TcbInfo));
		}
		if qe_identity.tee != evidence.tee {
			return Err(Error::CollateralForOtherTee(Item::QeIdentity));
		}
		if tcb_info.fmspc != fmspc {
			return Err(Error::FmspcMismatch { platform: fmspc, tcb_info: tcb_info.fmspc });
		}
		if tcb_info.pce_id != evidence.pce_id {
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

		anchor.root.check(anchor.root_crl, now, margin)?;
		if pck_ca.kind != evidence.ca || pck_ca.issuer_key != anchor.root.key.fingerprint() {
			return Err(Error::AuthorityMismatch(Item::PckCa));
		}
		// Of the certificate that vouched for the platform, whichever is stored today.
		if anchor.root_crl.revokes(&evidence.ca_serial) {
			return Err(Error::CertificateRevoked(CertificateKind::PckCa));
		}
		if pck_ca.fingerprint != evidence.ca_fingerprint {
			return Err(Error::OtherPckCa);
		}
		if !pck_crl.is_of(&pck_ca.authority()) {
			return Err(Error::AuthorityMismatch(Item::PckCrl));
		}
		let validity = (pck_ca.not_before, pck_ca.not_after);
		check_validity(CertificateKind::PckCa, validity, now, margin)?;
		tcb_info.signer.check(Item::TcbInfo, anchor, now, margin)?;
		qe_identity.signer.check(Item::QeIdentity, anchor, now, margin)
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{quote::Quote, types::KeyHash, verify_quote};
	use phala_dev_pki::{QuoteKind, valid_case};

	type Edit<T> = fn(&mut VerifiedBundle, T);

	/// Each item is bound to the key of its authority: a key identifier is only a name.
	#[test]
	fn every_item_is_bound_to_the_key_of_its_authority() {
		let case = valid_case(QuoteKind::TdxV4, 1);
		let root = TrustRoot::from_der(&case.root_der).expect("a root");
		let json = serde_json::to_vec(&case.collateral).expect("strings");
		let bundle: Bundle = serde_json::from_slice(&json).expect("a bundle");
		let items = bundle.verify(&root, case.now).expect("valid");
		let quote = Quote::parse(&case.quote).expect("valid");
		let verify = |items: &VerifiedBundle| {
			verify_quote(&quote, &items.collateral(&root), case.now, 0).map(|_| ())
		};
		assert_eq!(verify(&items), Ok(()));
		let other = KeyHash([7; 32]);
		let edits: [(Edit<KeyHash>, _); 5] = [
			(|items, key| items.root_crl.issuer_key = key, Item::RootCrl),
			(|items, key| items.pck_ca.issuer_key = key, Item::PckCa),
			(|items, key| items.pck_crl.issuer_key = key, Item::PckCrl),
			(|items, key| items.tcb_info.signer.issuer_key = key, Item::TcbInfo),
			(|items, key| items.qe_identity.signer.issuer_key = key, Item::QeIdentity),
		];
		for (edit, item) in edits {
			let mut foreign = items.clone();
			edit(&mut foreign, other);
			assert_eq!(verify(&foreign), Err(Error::AuthorityMismatch(item)), "{item}");
		}
	}

	/// What is kept of authorities has to count for the margin too.
	#[test]
	fn the_margin_covers_stored_authorities() {
		let case = valid_case(QuoteKind::TdxV4, 1);
		let root = TrustRoot::from_der(&case.root_der).expect("a root");
		let json = serde_json::to_vec(&case.collateral).expect("strings");
		let bundle: Bundle = serde_json::from_slice(&json).expect("a bundle");
		let items = bundle.verify(&root, case.now).expect("valid");
		let quote = Quote::parse(&case.quote).expect("valid");
		let not_after = case.now + 10;
		let edits: [(Edit<UnixTime>, _); 3] = [
			(|items, at| items.pck_ca.not_after = at, CertificateKind::PckCa),
			(|items, at| items.tcb_info.signer.not_after = at, CertificateKind::TcbInfoSigner),
			(
				|items, at| items.qe_identity.signer.not_after = at,
				CertificateKind::QeIdentitySigner,
			),
		];
		for (edit, kind) in edits {
			let mut ending = items.clone();
			edit(&mut ending, not_after);
			let verify = |margin| {
				verify_quote(&quote, &ending.collateral(&root), case.now, margin).map(|_| ())
			};
			assert_eq!(verify(10), Ok(()));
			assert_eq!(verify(11), Err(Error::CertificateExpiresSoon { kind, not_after }));
		}
	}
}
