//! The frame that certificates and revocation lists share: what is signed, how, and the signature.

use der::{
	Decode, Encode, Reader, SliceReader, Tag,
	asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef},
};
use x509_cert::{
	name::Name,
	serial_number::SerialNumber,
	spki::{AlgorithmIdentifierOwned, AlgorithmIdentifierRef, SubjectPublicKeyInfoOwned},
};

use crate::{
	crypto::{PublicKey, RawSignature, sha256},
	types::{KeyId, NameHash, Serial},
};

/// ecdsa-with-SHA256, RFC 5758.
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// id-ecPublicKey, RFC 5480.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// secp256r1, RFC 5480.
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// `SEQUENCE { tbs, signatureAlgorithm, signatureValue }`. The signed part is kept as the bytes
/// that were delivered: nothing is encoded anew before its signature is checked.
pub(crate) struct Signed<'a> {
	pub tbs: &'a [u8],
	algorithm: AlgorithmIdentifierRef<'a>,
	signature: &'a [u8],
}

impl<'a> Signed<'a> {
	pub fn parse(der: &'a [u8]) -> Option<Self> {
		let mut reader = SliceReader::new(der).ok()?;
		let signed = reader
			.sequence(|inner| {
				let tbs = inner.tlv_bytes()?;
				let algorithm = AlgorithmIdentifierRef::decode(inner)?;
				let signature = BitStringRef::decode(inner)?;
				Ok::<_, der::Error>((tbs, algorithm, signature))
			})
			.ok()?;
		reader.finish().ok()?;
		let (tbs, algorithm, signature) = signed;
		Some(Self { tbs, algorithm, signature: signature.as_bytes()? })
	}

	/// Whether the outer algorithm and `inner`, the signed one, both are ECDSA with SHA-256.
	pub fn is_ecdsa_sha256(&self, inner: &AlgorithmIdentifierOwned) -> bool {
		self.algorithm.oid == ECDSA_WITH_SHA256
			&& self.algorithm.parameters.is_none()
			&& inner.oid == ECDSA_WITH_SHA256
			&& inner.parameters.is_none()
	}

	/// Whether `key` signed this.
	pub fn is_signed_by(&self, key: &PublicKey) -> bool {
		raw_signature(self.signature)
			.is_some_and(|signature| key.verifies(&sha256(&[self.tbs]), &signature))
	}
}

/// `Ecdsa-Sig-Value`, RFC 3279 §2.2.3, to `r ‖ s`.
fn raw_signature(der: &[u8]) -> Option<RawSignature> {
	let mut reader = SliceReader::new(der).ok()?;
	let (r, s) = reader
		.sequence(|inner| Ok::<_, der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?)))
		.ok()?;
	reader.finish().ok()?;
	let mut raw = [0; 64];
	let (left, right) = raw.split_at_mut(32);
	pad_left(r.as_bytes(), left)?;
	pad_left(s.as_bytes(), right)?;
	Some(raw)
}

fn pad_left(bytes: &[u8], into: &mut [u8]) -> Option<()> {
	let start = into.len().checked_sub(bytes.len())?;
	into.get_mut(start..)?.copy_from_slice(bytes);
	Some(())
}

/// Serial numbers are positive; the sign may take an octet of its own.
pub(crate) fn serial(number: &SerialNumber) -> Option<Serial> {
	let mut serial = [0; 20];
	match number.as_bytes() {
		[0, magnitude @ ..] => pad_left(magnitude, &mut serial)?,
		magnitude @ [first, ..] if *first < 0x80 => pad_left(magnitude, &mut serial)?,
		_ => return None,
	}
	Some(Serial(serial))
}

pub(crate) fn name_hash(name: &Name) -> Option<NameHash> {
	Some(NameHash(sha256(&[&name.to_der().ok()?])))
}

pub(crate) fn key_id(bytes: &[u8]) -> Option<KeyId> {
	bytes.try_into().ok().map(KeyId)
}

pub(crate) fn public_key(info: &SubjectPublicKeyInfoOwned) -> Option<PublicKey> {
	let curve = info.algorithm.parameters.as_ref().map(AnyRef::from)?;
	(info.algorithm.oid == EC_PUBLIC_KEY
		&& curve.tag_is(Tag::ObjectIdentifier)
		&& curve.decode_as::<ObjectIdentifier>().is_ok_and(|curve| curve == P256))
	.then(|| PublicKey::from_sec1(info.subject_public_key.as_bytes()?))
	.flatten()
}

trait TagIs {
	fn tag_is(&self, tag: Tag) -> bool;
}

impl TagIs for AnyRef<'_> {
	fn tag_is(&self, tag: Tag) -> bool {
		der::Tagged::tag(self) == tag
	}
}
