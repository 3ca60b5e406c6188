//! Certificates and their issuers.

use alloc::{string::String, vec::Vec};

use der::{
	Decode,
	asn1::{ObjectIdentifier, OctetString},
};
use x509_cert::{
	TbsCertificate, Version,
	ext::{
		Extension,
		pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage},
	},
	name::Name,
};

use super::signed::{Signed, key_id, name_hash, public_key, serial};
use crate::{
	crypto::PublicKey,
	error::Error,
	types::{CertificateKind, KeyId, NameHash, PckCaKind, Serial, UnixTime},
};

/// Longest certificate that is read, in bytes. Intel's have 600 to 1300.
pub const MAX_CERTIFICATE_LEN: usize = 2048;

/// How the common names of Intel's end entities end.
pub(crate) const PCK: &str = " SGX PCK Certificate";
pub(crate) const TCB_SIGNING: &str = " SGX TCB Signing";

const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
pub(super) const SGX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");

/// What a certificate or a revocation list is checked against: the issuer's name, key identifier
/// and key.
pub(crate) struct Authority<'a> {
	pub name: &'a NameHash,
	pub key_id: &'a KeyId,
	pub key: &'a PublicKey,
}

/// A parsed certificate. Nothing about it is trusted before [`Certificate::verify`].
pub(crate) struct Certificate<'a> {
	kind: CertificateKind,
	signed: Signed<'a>,
	pub serial: Serial,
	pub issuer: NameHash,
	pub subject: NameHash,
	pub not_before: UnixTime,
	pub not_after: UnixTime,
	pub key: PublicKey,
	pub authority_key_id: KeyId,
	pub subject_key_id: KeyId,
	/// Common name of the subject, if it has one.
	common_name: Option<String>,
	/// Which PCK CA issuer and subject are, by their names.
	pub issuer_ca: Option<PckCaKind>,
	pub subject_ca: Option<PckCaKind>,
	constraints: BasicConstraints,
	usage: KeyUsage,
	pub sgx_extension: Option<Vec<u8>>,
}

impl<'a> Certificate<'a> {
	/// Parses a certificate of the given kind; the kind only names it in errors.
	pub fn parse(kind: CertificateKind, der: &'a [u8]) -> Result<Self, Error> {
		if der.len() > MAX_CERTIFICATE_LEN {
			return Err(Error::CertificateTooLarge(kind));
		}
		let malformed = Error::CertificateMalformed(kind);
		let signed = Signed::parse(der).ok_or(malformed)?;
		let tbs = TbsCertificate::from_der(signed.tbs).map_err(|_| malformed)?;
		if tbs.version() != Version::V3 {
			return Err(malformed);
		}
		if !signed.is_ecdsa_sha256(tbs.signature()) {
			return Err(Error::CertificateAlgorithm(kind));
		}
		let key =
			public_key(tbs.subject_public_key_info()).ok_or(Error::CertificateAlgorithm(kind))?;
		let extensions = Extensions::read(kind, tbs.extensions().map_or(&[], Vec::as_slice))?;
		Ok(Self {
			kind,
			signed,
			serial: serial(tbs.serial_number()).ok_or(malformed)?,
			issuer: name_hash(tbs.issuer()).ok_or(malformed)?,
			subject: name_hash(tbs.subject()).ok_or(malformed)?,
			not_before: tbs.validity().not_before.to_unix_duration().as_secs(),
			not_after: tbs.validity().not_after.to_unix_duration().as_secs(),
			key,
			authority_key_id: extensions.authority_key_id.ok_or(malformed)?,
			subject_key_id: extensions.subject_key_id.ok_or(malformed)?,
			common_name: common_name(tbs.subject()),
			issuer_ca: super::pck_ca(tbs.issuer()),
			subject_ca: super::pck_ca(tbs.subject()),
			constraints: extensions.constraints.ok_or(malformed)?,
			usage: extensions.usage.ok_or(malformed)?,
			sgx_extension: extensions.sgx,
		})
	}

	/// Checks validity at `now`, then issuer and its signature.
	pub fn verify(&self, issuer: &Authority<'_>, now: UnixTime) -> Result<(), Error> {
		check_validity(self.kind, (self.not_before, self.not_after), now, 0)?;
		if self.issuer != *issuer.name || self.authority_key_id != *issuer.key_id {
			return Err(Error::CertificateIssuer(self.kind));
		}
		if !self.signed.is_signed_by(issuer.key) {
			return Err(Error::CertificateSignature(self.kind));
		}
		Ok(())
	}

	/// An end entity's: no CA, allowed to sign data and nothing more.
	pub fn check_end_entity(&self) -> Result<(), Error> {
		if self.constraints.ca {
			return Err(Error::CertificateIsCa(self.kind));
		}
		if !self.usage.digital_signature() || self.usage.key_cert_sign() || self.usage.crl_sign() {
			return Err(Error::CertificateKeyUsage(self.kind));
		}
		Ok(())
	}

	/// Whether the subject is of this role: how its common name ends. What is before that says whose
	/// PKI it is, which the issuer's signature proves.
	pub fn check_role(&self, role: &str) -> Result<(), Error> {
		if !self.common_name.as_ref().is_some_and(|name| name.ends_with(role)) {
			return Err(Error::CertificateSubject(self.kind));
		}
		Ok(())
	}

	/// A CA's, with at least `below` further CAs allowed under it, that signs certificates and
	/// revocation lists.
	pub fn check_ca(&self, below: u8) -> Result<(), Error> {
		if !self.constraints.ca
			|| self.constraints.path_len_constraint.is_some_and(|allowed| allowed < below)
		{
			return Err(Error::CertificateIsNotCa(self.kind));
		}
		if !self.usage.key_cert_sign() || !self.usage.crl_sign() {
			return Err(Error::CertificateKeyUsage(self.kind));
		}
		Ok(())
	}
}

/// Refuses a certificate that is valid not yet, no more, or for less than `margin` seconds.
pub(crate) fn check_validity(
	kind: CertificateKind,
	(not_before, not_after): (UnixTime, UnixTime),
	now: UnixTime,
	margin: UnixTime,
) -> Result<(), Error> {
	if now < not_before {
		return Err(Error::CertificateNotYetValid { kind, not_before });
	}
	if now > not_after {
		return Err(Error::CertificateExpired { kind, not_after });
	}
	if now.saturating_add(margin) > not_after {
		return Err(Error::CertificateExpiresSoon { kind, not_after });
	}
	Ok(())
}

fn common_name(name: &Name) -> Option<String> {
	name.common_name().ok()?.map(String::from)
}

#[derive(Default)]
struct Extensions {
	authority_key_id: Option<KeyId>,
	subject_key_id: Option<KeyId>,
	constraints: Option<BasicConstraints>,
	usage: Option<KeyUsage>,
	sgx: Option<Vec<u8>>,
}

impl Extensions {
	fn read(kind: CertificateKind, extensions: &[Extension]) -> Result<Self, Error> {
		let malformed = Error::CertificateMalformed(kind);
		let mut read = Self::default();
		for extension in extensions {
			let value = extension.extn_value.as_bytes();
			let first = match extension.extn_id {
				AUTHORITY_KEY_ID => {
					let id = AuthorityKeyIdentifier::from_der(value).map_err(|_| malformed)?;
					let id = id.key_identifier.as_ref().map(OctetString::as_bytes);
					let id = id.and_then(key_id).ok_or(malformed)?;
					read.authority_key_id.replace(id).is_none()
				}
				SUBJECT_KEY_ID => {
					let id = OctetString::from_der(value).map_err(|_| malformed)?;
					let id = key_id(id.as_bytes()).ok_or(malformed)?;
					read.subject_key_id.replace(id).is_none()
				}
				BASIC_CONSTRAINTS => {
					let constraints = BasicConstraints::from_der(value).map_err(|_| malformed)?;
					read.constraints.replace(constraints).is_none()
				}
				KEY_USAGE => {
					let usage = KeyUsage::from_der(value).map_err(|_| malformed)?;
					read.usage.replace(usage).is_none()
				}
				SGX => read.sgx.replace(value.to_vec()).is_none(),
				CRL_DISTRIBUTION_POINTS => true,
				_ if extension.critical => return Err(Error::CertificateCriticalExtension(kind)),
				_ => true,
			};
			if !first {
				return Err(malformed);
			}
		}
		Ok(read)
	}
}
