//! The intermediate authorities that issue PCK certificates.

use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use super::{Anchor, Item, Revision, Update};
use crate::{
	crypto::{PublicKey, sha256},
	error::Error,
	types::{CertificateKind, KeyHash, KeyId, NameHash, PckCaKind, Serial, UnixTime},
	x509::{Authority, Certificate},
};

/// A verified PCK CA.
///
/// Only [`PckCa::verify`] and a chain's own storage make one: no call can bring one along.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct PckCa {
	pub(crate) kind: PckCaKind,
	pub(crate) fingerprint: [u8; 32],
	/// Hash of its distinguished name.
	pub(crate) name: NameHash,
	pub(crate) key: PublicKey,
	/// Identifier of its key.
	pub(crate) key_id: KeyId,
	/// Key of the root that issued it.
	pub(crate) issuer_key: KeyHash,
	/// Serial number of its certificate.
	pub(crate) serial: Serial,
	pub(crate) not_before: UnixTime,
	pub(crate) not_after: UnixTime,
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
			issuer_key: anchor.root.key.fingerprint(),
			serial: certificate.serial,
			not_before: certificate.not_before,
			not_after: certificate.not_after,
		})
	}

	/// Which of the two.
	pub fn kind(&self) -> PckCaKind {
		self.kind
	}

	/// SHA-256 of its certificate.
	pub fn fingerprint(&self) -> [u8; 32] {
		self.fingerprint
	}

	/// First second of its validity.
	pub fn not_before(&self) -> UnixTime {
		self.not_before
	}

	/// Last second of its validity.
	pub fn not_after(&self) -> UnixTime {
		self.not_after
	}

	/// Whether this may replace `stored`: the same CA under the same root, with a later certificate. A
	/// new key is useful in any case.
	///
	/// # Errors
	///
	/// [`Error::UpdateOfAnother`], [`Error::IssueDateNotNewer`].
	pub fn check_update(&self, stored: &Self) -> Result<Update, Error> {
		let item = Item::PckCa;
		if (self.kind, self.issuer_key) != (stored.kind, stored.issuer_key) {
			return Err(Error::UpdateOfAnother(item));
		}
		let update = self.revision().check_update(&stored.revision()).map_err(|_| {
			let (stored, offered) = (stored.not_before, self.not_before);
			Error::IssueDateNotNewer { item, stored, offered }
		})?;
		Ok(if self.key == stored.key { update } else { Update::Useful })
	}

	fn revision(&self) -> Revision {
		Revision { number: 0, issued: self.not_before, until: self.not_after }
	}

	pub(crate) fn authority(&self) -> Authority<'_> {
		Authority { name: &self.name, key_id: &self.key_id, key: &self.key }
	}
}
