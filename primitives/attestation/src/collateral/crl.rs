//! Certificate revocation lists.
//!
//! Source: RFC 5280 §5; "Intel SGX PCK Certificate and Certificate Revocation List Profile
//! Specification".

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, Encode, MaxEncodedLen};
use der::{
	Decode as _,
	asn1::{ObjectIdentifier, OctetString, UintRef},
};
use scale_info::TypeInfo;
use x509_cert::{
	Version,
	crl::TbsCertList,
	ext::{Extension, pkix::AuthorityKeyIdentifier},
};

use super::{Item, PckCa, Revision, Stale, Update, Window};
use crate::{
	error::Error,
	root::TrustRoot,
	types::{CertificateKind, KeyHash, KeyId, NameHash, Serial, UnixTime},
	x509::{
		Authority,
		certificate::check_validity,
		signed::{Signed, key_id, name_hash, serial},
	},
};

/// Longest list that is read, in bytes. Intel's longest has 3355.
pub const MAX_CRL_LEN: usize = 16 * 1024;
/// Most revoked certificates: at least what [`MAX_CRL_LEN`] holds of serial numbers as long as
/// Intel's, which take 39 bytes without a reason and 54 with one.
pub const MAX_REVOKED: u32 = 416;

const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");

/// Who has to have issued a list.
#[derive(Clone, Copy, Debug)]
pub enum CrlIssuer<'a> {
	/// The root.
	Root(&'a TrustRoot),
	/// A PCK CA.
	PckCa(&'a PckCa),
}

impl CrlIssuer<'_> {
	fn item(&self) -> Item {
		match self {
			Self::Root(_) => Item::RootCrl,
			Self::PckCa(_) => Item::PckCrl,
		}
	}

	fn authority(&self) -> Authority<'_> {
		match self {
			Self::Root(root) => root.authority(),
			Self::PckCa(ca) => ca.authority(),
		}
	}

	fn check_validity(&self, now: UnixTime) -> Result<(), Error> {
		let (kind, validity) = match self {
			Self::Root(root) => (CertificateKind::Root, (root.not_before, root.not_after)),
			Self::PckCa(ca) => (CertificateKind::PckCa, (ca.not_before, ca.not_after)),
		};
		check_validity(kind, validity, now, 0)
	}
}

/// A verified revocation list: complete and direct.
///
/// Only [`Crl::verify`] and a chain's own storage make one: no call can bring one along.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Crl {
	/// Hash of the issuer's name.
	pub(crate) issuer_name: NameHash,
	/// The issuer's key.
	pub(crate) issuer_key: KeyHash,
	pub(crate) number: u64,
	pub(crate) this_update: UnixTime,
	pub(crate) next_update: UnixTime,
	/// Revoked serial numbers, ascending.
	revoked: BoundedVec<Serial, ConstU32<MAX_REVOKED>>,
}

impl Crl {
	/// Verifies a list (DER).
	///
	/// # Errors
	///
	/// The variants of [`Error`] on [`Item::RootCrl`] or [`Item::PckCrl`].
	pub fn verify(der: &[u8], issuer: CrlIssuer<'_>, now: UnixTime) -> Result<Self, Error> {
		let item = issuer.item();
		let malformed = Error::CollateralMalformed(item);
		if der.len() > MAX_CRL_LEN {
			return Err(Error::CollateralTooLarge(item));
		}
		issuer.check_validity(now)?;
		let signed = Signed::parse(der).ok_or(malformed)?;
		let list: TbsCertList = TbsCertList::from_der(signed.tbs).map_err(|_| malformed)?;
		if list.version != Version::V2 || !signed.is_ecdsa_sha256(&list.signature) {
			return Err(malformed);
		}
		let extensions = Extensions::read(item, list.crl_extensions.as_deref().unwrap_or(&[]))?;
		let authority = issuer.authority();
		let issuer_key_id = extensions.authority_key_id.ok_or(malformed)?;
		let crl = Self {
			issuer_name: name_hash(&list.issuer).ok_or(malformed)?,
			issuer_key: authority.key.fingerprint(),
			number: extensions.number.ok_or(malformed)?,
			this_update: list.this_update.to_unix_duration().as_secs(),
			next_update: list.next_update.ok_or(malformed)?.to_unix_duration().as_secs(),
			revoked: revoked(item, &list)?,
		};
		if crl.issuer_name != *authority.name || issuer_key_id != *authority.key_id {
			return Err(Error::CrlIssuer(item));
		}
		if !signed.is_signed_by(authority.key) {
			return Err(Error::CollateralSignature(item));
		}
		crl.window().check(item, None, now, 0)?;
		Ok(crl)
	}

	/// CRL number. It never falls; Intel leaves it at 1.
	pub fn number(&self) -> u64 {
		self.number
	}

	/// When it was issued.
	pub fn this_update(&self) -> UnixTime {
		self.this_update
	}

	/// From then on it no longer counts.
	pub fn next_update(&self) -> UnixTime {
		self.next_update
	}

	/// Whether it is the list of this issuer, by name and key.
	pub fn is_issued_by(&self, issuer: CrlIssuer<'_>) -> bool {
		self.is_of(&issuer.authority())
	}

	pub(crate) fn is_of(&self, authority: &Authority<'_>) -> bool {
		self.issuer_name == *authority.name && self.issuer_key == authority.key.fingerprint()
	}

	/// Whether the list names a certificate of its issuer.
	pub fn revokes(&self, serial: &Serial) -> bool {
		self.revoked.binary_search(serial).is_ok()
	}

	/// How many certificates it names.
	pub fn len(&self) -> usize {
		self.revoked.len()
	}

	/// Whether it names none.
	pub fn is_empty(&self) -> bool {
		self.revoked.is_empty()
	}

	/// Whether this may replace `stored`, a list of the same issuer: by [`Revision`], of which the number
	/// is the CRL's.
	///
	/// # Errors
	///
	/// [`Error::UpdateOfAnother`], [`Error::CrlNumberFell`], [`Error::IssueDateNotNewer`]; `item`
	/// only names the list in them.
	pub fn check_update(&self, item: Item, stored: &Self) -> Result<Update, Error> {
		if (self.issuer_name, self.issuer_key) != (stored.issuer_name, stored.issuer_key) {
			return Err(Error::UpdateOfAnother(item));
		}
		self.revision().check_update(&stored.revision()).map_err(|stale| match stale {
			Stale::LowerNumber => {
				let (stored, offered) = (stored.number, self.number);
				Error::CrlNumberFell { item, stored, offered }
			}
			Stale::NotNewer => {
				let (stored, offered) = (stored.this_update, self.this_update);
				Error::IssueDateNotNewer { item, stored, offered }
			}
		})
	}

	fn revision(&self) -> Revision {
		let Window { issued, until, .. } = self.window();
		Revision { number: self.number, issued, until }
	}

	pub(crate) fn window(&self) -> Window {
		Window {
			issued: self.this_update,
			next_update: self.next_update,
			until: self.next_update.saturating_sub(1),
		}
	}
}

fn revoked(
	item: Item,
	list: &TbsCertList,
) -> Result<BoundedVec<Serial, ConstU32<MAX_REVOKED>>, Error> {
	let mut serials = alloc::vec::Vec::new();
	for entry in list.revoked_certificates.iter().flatten() {
		// The only critical one is the certificate issuer of an indirect list.
		if entry.crl_entry_extensions.iter().flatten().any(|extension| extension.critical) {
			return Err(Error::CrlUnsupported(item));
		}
		serials.push(serial(&entry.serial_number).ok_or(Error::CollateralMalformed(item))?);
	}
	serials.sort_unstable();
	serials.dedup();
	BoundedVec::try_from(serials).map_err(|_| Error::CollateralTooManyEntries(item))
}

#[derive(Default)]
struct Extensions {
	number: Option<u64>,
	authority_key_id: Option<KeyId>,
}

impl Extensions {
	fn read(item: Item, extensions: &[Extension]) -> Result<Self, Error> {
		let malformed = Error::CollateralMalformed(item);
		let mut read = Self::default();
		for extension in extensions {
			let value = extension.extn_value.as_bytes();
			let first = match extension.extn_id {
				CRL_NUMBER => {
					let number = UintRef::from_der(value).map_err(|_| malformed)?;
					read.number.replace(to_u64(number.as_bytes()).ok_or(malformed)?).is_none()
				}
				AUTHORITY_KEY_ID => {
					let id = AuthorityKeyIdentifier::from_der(value).map_err(|_| malformed)?;
					let id = id.key_identifier.as_ref().map(OctetString::as_bytes);
					let id = id.and_then(key_id).ok_or(malformed)?;
					read.authority_key_id.replace(id).is_none()
				}
				// A delta's base, or the issuing distribution point of a partial or indirect list.
				_ if extension.critical => return Err(Error::CrlUnsupported(item)),
				_ => true,
			};
			if !first {
				return Err(malformed);
			}
		}
		Ok(read)
	}
}

fn to_u64(big_endian: &[u8]) -> Option<u64> {
	let mut bytes = [0; 8];
	let start = bytes.len().checked_sub(big_endian.len())?;
	bytes.get_mut(start..)?.copy_from_slice(big_endian);
	Some(u64::from_be_bytes(bytes))
}
