//! ECDSA over P-256 with SHA-256, the only scheme of Intel's attestation.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use p256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
use scale_info::TypeInfo;
use sha2::{Digest, Sha256};

use crate::types::KeyHash;

/// Raw `r ‖ s`, big-endian.
pub type RawSignature = [u8; 64];

/// A P-256 public key: coordinates `x ‖ y`, big-endian. Whether it is a point of the curve is
/// checked where it is used.
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
pub struct PublicKey(pub [u8; 64]);

impl PublicKey {
	/// From an uncompressed SEC 1 point: `04 ‖ x ‖ y`.
	pub(crate) fn from_sec1(bytes: &[u8]) -> Option<Self> {
		let (&4, coordinates) = bytes.split_first()? else { return None };
		coordinates.try_into().ok().map(Self)
	}

	/// What stored items remember of the authority that issued them.
	pub(crate) fn fingerprint(&self) -> KeyHash {
		KeyHash(sha256(&[&self.0]))
	}

	/// Whether `signature` over the SHA-256 `digest` is this key's.
	pub(crate) fn verifies(&self, digest: &[u8; 32], signature: &RawSignature) -> bool {
		let mut point = [4; 65];
		if let Some(coordinates) = point.get_mut(1..) {
			coordinates.copy_from_slice(&self.0);
		}
		let (Ok(key), Ok(signature)) =
			(VerifyingKey::from_sec1_bytes(&point), Signature::from_slice(signature))
		else {
			return false;
		};
		key.verify_prehash(digest, &signature).is_ok()
	}
}

/// SHA-256 of the parts' concatenation.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
	let mut hasher = Sha256::new();
	parts.iter().for_each(|part| hasher.update(part));
	hasher.finalize().into()
}
