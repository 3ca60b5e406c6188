//! Trust roots.

use codec::{Decode, Encode, MaxEncodedLen};
use hex_literal::hex;
use scale_info::TypeInfo;

use crate::{
	collateral::{Crl, Item},
	crypto::PublicKey,
	error::Error,
	types::{CertificateKind, KeyId, NameHash, Serial, UnixTime},
	x509::{Authority, Certificate, certificate::check_validity},
};

/// The root under which everything is verified: Intel's on a live chain, a development root on a
/// local one. Collateral verified under one root is of no use under another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TrustRoot {
	/// Hash of its distinguished name.
	pub name: NameHash,
	/// Its key.
	pub key: PublicKey,
	/// Identifier of its key.
	pub key_id: KeyId,
	/// Serial number of its certificate.
	pub serial: Serial,
	/// First second of its validity.
	pub not_before: UnixTime,
	/// Last second of its validity.
	pub not_after: UnixTime,
}

impl TrustRoot {
	/// "Intel SGX Root CA", as published at
	/// <https://certificates.trustedservices.intel.com/IntelSGXRootCA.der>.
	pub const INTEL: Self = Self {
		name: NameHash(hex!("350307156364C1AD05C57F38D7A95AAFA020D86130E875C64068A603AF4475E3")),
		key: PublicKey(hex!(
			"0BA9C4C0C0C86193A3FE23D6B02CDA10A8BBD4E88E48B4458561A36E705525F5"
			"67918E2EDC88E40D860BD0CC4EE26AACC988E505A953558C453F6B0904AE7394"
		)),
		key_id: KeyId(hex!("22650CD65A9D3489F383B49552BF501B392706AC")),
		serial: Serial(hex!("22650CD65A9D3489F383B49552BF501B392706AC")),
		// 2018-05-21T10:45:10Z to 2049-12-31T23:59:59Z.
		not_before: 1_526_899_510,
		not_after: 2_524_607_999,
	};

	/// Reads a self-signed root certificate. The caller vouches for it.
	///
	/// # Errors
	///
	/// The variants of [`Error`] on a [`CertificateKind::Root`] certificate.
	pub fn from_der(der: &[u8]) -> Result<Self, Error> {
		let certificate = Certificate::parse(CertificateKind::Root, der)?;
		certificate.check_ca(1)?;
		let root = Self {
			name: certificate.subject,
			key: certificate.key,
			key_id: certificate.subject_key_id,
			serial: certificate.serial,
			not_before: certificate.not_before,
			not_after: certificate.not_after,
		};
		certificate.verify(&root.authority(), root.not_before)?;
		Ok(root)
	}

	/// Checks the root's own validity, and that its list is its own and does not name it.
	pub(crate) fn check(
		&self,
		root_crl: &Crl,
		now: UnixTime,
		margin: UnixTime,
	) -> Result<(), Error> {
		let validity = (self.not_before, self.not_after);
		check_validity(CertificateKind::Root, validity, now, margin)?;
		if !root_crl.is_of(&self.authority()) {
			return Err(Error::AuthorityMismatch(Item::RootCrl));
		}
		if root_crl.revokes(&self.serial) {
			return Err(Error::CertificateRevoked(CertificateKind::Root));
		}
		Ok(())
	}

	pub(crate) fn authority(&self) -> Authority<'_> {
		Authority { name: &self.name, key_id: &self.key_id, key: &self.key }
	}
}
