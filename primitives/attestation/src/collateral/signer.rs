//! The certificate that signs TCB infos and QE identities.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use super::{Anchor, Item};
use crate::{
	crypto::{RawSignature, sha256},
	error::Error,
	types::{CertificateKind, KeyId, Serial, UnixTime},
	x509::Certificate,
};

/// What is kept of a signing certificate, so that a later revocation or its end also ends what it
/// signed.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Signer {
	/// Its serial number.
	pub serial: Serial,
	/// Key identifier of the root that issued it.
	pub issuer: KeyId,
	/// Last second of its validity.
	pub not_after: UnixTime,
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
		let signer = Self {
			serial: certificate.serial,
			issuer: anchor.root.key_id,
			not_after: certificate.not_after,
		};
		signer.check(item, anchor, now)?;
		if !certificate.key.verifies(&sha256(&[document]), signature) {
			return Err(Error::CollateralSignature(item));
		}
		Ok(signer)
	}

	/// Checks that this signer is still in force.
	pub(crate) fn check(
		&self,
		item: Item,
		anchor: &Anchor<'_>,
		now: UnixTime,
	) -> Result<(), Error> {
		if self.issuer != anchor.root.key_id {
			return Err(Error::AuthorityMismatch(item));
		}
		if anchor.root_crl.revokes(&self.serial) {
			return Err(Error::CertificateRevoked(kind(item)));
		}
		if now > self.not_after {
			return Err(Error::CertificateExpired { kind: kind(item), not_after: self.not_after });
		}
		Ok(())
	}
}
