//! The intermediate authorities that issue PCK certificates.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use super::{Anchor, Item, Update};
use crate::{
	crypto::{PublicKey, sha256},
	error::Error,
	types::{CertificateKind, KeyId, NameHash, PckCaKind, Serial, UnixTime},
	x509::{Authority, Certificate},
};

/// A verified PCK CA.
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
pub struct PckCa {
	/// Which of the two.
	pub kind: PckCaKind,
	/// SHA-256 of its certificate.
	pub fingerprint: [u8; 32],
	/// Hash of its distinguished name.
	pub name: NameHash,
	/// Its key.
	pub key: PublicKey,
	/// Identifier of its key.
	pub key_id: KeyId,
	/// Key identifier of the root that issued it.
	pub issuer: KeyId,
	/// Serial number of its certificate.
	pub serial: Serial,
	/// First second of its validity.
	pub not_before: UnixTime,
	/// Last second of its validity.
	pub not_after: UnixTime,
}

impl PckCa {
	/// Verifies a PCK CA's certificate (DER) under the root.
	///
	/// # Errors
	///
	/// The variants of [`Error`] on the root's list and on a [`CertificateKind::PckCa`] certificate;
	/// [`Error::UnknownPckCa`].
	pub fn verify(der: &[u8], anchor: &Anchor<'_>, now: UnixTime) -> Result<Self, Error> {
		anchor.check(now)?;
		let certificate = Certificate::parse(CertificateKind::PckCa, der)?;
		certificate.check_ca(0)?;
		certificate.verify(&anchor.root.authority(), now)?;
		if anchor.root_crl.revokes(&certificate.serial) {
			return Err(Error::CertificateRevoked(CertificateKind::PckCa));
		}
		Ok(Self {
			kind: certificate.subject_ca.ok_or(Error::UnknownPckCa)?,
			fingerprint: sha256(&[der]),
			name: certificate.subject,
			key: certificate.key,
			key_id: certificate.subject_key_id,
			issuer: anchor.root.key_id,
			serial: certificate.serial,
			not_before: certificate.not_before,
			not_after: certificate.not_after,
		})
	}

	/// Whether this may replace `stored`: the same CA, with a later certificate.
	///
	/// # Errors
	///
	/// [`Error::UpdateOfAnother`], [`Error::IssueDateNotNewer`].
	pub fn check_update(&self, stored: &Self) -> Result<Update, Error> {
		let item = Item::PckCa;
		if self.kind != stored.kind {
			return Err(Error::UpdateOfAnother(item));
		}
		if self.not_before <= stored.not_before {
			let (stored, offered) = (stored.not_before, self.not_before);
			return Err(Error::IssueDateNotNewer { item, stored, offered });
		}
		Ok(Update::of(self.key != stored.key, self.not_after, stored.not_after))
	}

	pub(crate) fn authority(&self) -> Authority<'_> {
		Authority { name: &self.name, key_id: &self.key_id, key: &self.key }
	}
}
