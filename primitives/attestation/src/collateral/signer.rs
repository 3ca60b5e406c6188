//! The certificate that signs TCB infos and QE identities.

use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use super::{Anchor, Item};
use crate::{
	crypto::{RawSignature, sha256},
	error::Error,
	types::{CertificateKind, KeyHash, Serial, UnixTime},
	x509::{
		Certificate,
		certificate::{TCB_SIGNING, check_validity},
	},
};

/// What is kept of a signing certificate, so that a later revocation or its end also ends what it
/// signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Signer {
	/// Its serial number.
	pub(crate) serial: Serial,
	/// Key of the root that issued it.
	pub(crate) issuer_key: KeyHash,
	/// Last second of its validity.
	pub(crate) not_after: UnixTime,
}

fn kind(item: Item) -> CertificateKind {
	match item {
		Item::QeIdentity => CertificateKind::QeIdentitySigner,
		_ => CertificateKind::TcbInfoSigner,
	}
}

impl Signer {
	/// Verifies the signing certificate under the root, and its signature over `document`.
	pub(crate) fn verify(
		item: Item,
		document: &[u8],
		signature: &RawSignature,
		certificate: &[u8],
		anchor: &Anchor<'_>,
		now: UnixTime,
	) -> Result<Self, Error> {
		anchor.check(now)?;
		let certificate = Certificate::parse(kind(item), certificate)?;
		certificate.check_end_entity()?;
		certificate.verify(&anchor.root.authority(), now)?;
		certificate.check_role(TCB_SIGNING)?;
		let signer = Self {
			serial: certificate.serial,
			issuer_key: anchor.root.key.fingerprint(),
			not_after: certificate.not_after,
		};
		signer.check(item, anchor, now, 0)?;
		if !certificate.key.verifies(&sha256(&[document]), signature) {
			return Err(Error::CollateralSignature(item));
		}
		Ok(signer)
	}

	/// Checks that this signer is still in force, and will be for `margin` seconds.
	pub(crate) fn check(
		&self,
		item: Item,
		anchor: &Anchor<'_>,
		now: UnixTime,
		margin: UnixTime,
	) -> Result<(), Error> {
		if self.issuer_key != anchor.root.key.fingerprint() {
			return Err(Error::AuthorityMismatch(item));
		}
		if anchor.root_crl.revokes(&self.serial) {
			return Err(Error::CertificateRevoked(kind(item)));
		}
		check_validity(kind(item), (0, self.not_after), now, margin)
	}
}
