//! Everything secret or identifying is derived from a seed, so that programs agree without files.

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sha2::{Digest, Sha256};

/// Separates what this crate derives from every other use of the same seed.
const DOMAIN: &[u8] = b"phala-dev-pki/1";

/// 32 bytes that depend on the seed and the label only.
pub(crate) fn derive(seed: &[u8; 32], label: &str) -> [u8; 32] {
	Sha256::new().chain_update(DOMAIN).chain_update(seed).chain_update(label).finalize().into()
}

/// [`derive`], as long as asked.
pub(crate) fn derive_bytes<const N: usize>(seed: &[u8; 32], label: &str) -> [u8; N] {
	let mut bytes = [0; N];
	for (i, chunk) in bytes.chunks_mut(32).enumerate() {
		chunk.copy_from_slice(&derive(seed, &format!("{label}/{i}"))[..chunk.len()]);
	}
	bytes
}

/// The P-256 key of this label. A candidate outside 1…n−1 (probability 2⁻³²) is skipped.
pub(crate) fn derive_key(seed: &[u8; 32], label: &str) -> SigningKey {
	(0u32..)
		.find_map(|i| SigningKey::from_slice(&derive(seed, &format!("key/{label}/{i}"))).ok())
		.expect("one of 2^32 candidates is a scalar")
}

/// `x ‖ y` of the public key, 64 bytes, as quotes carry it.
pub(crate) fn public_bytes(key: &SigningKey) -> [u8; 64] {
	let point = key.verifying_key().to_sec1_point(false);
	point.as_bytes()[1..].try_into().expect("an uncompressed point has 65 bytes")
}

/// `r ‖ s` over SHA-256 of the message, 64 bytes; the nonce is RFC 6979's.
pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
	let signature: Signature = key.sign(message);
	signature.to_bytes().into()
}
