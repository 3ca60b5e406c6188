//! Hashes with domain separation, and hashing to the group (RFC 9380, RFC 9497).

use codec::Encode;
use curve25519_dalek::RistrettoPoint;
use sha2_0_10::{Digest, Sha256, Sha512};

use crate::{Element, Error, PROTOCOL};

/// SHA-256 of the SCALE encoding of (protocol, label, value). The two strings carry their length,
/// so no two labels share a preimage.
pub(crate) fn digest(label: &'static str, value: &impl Encode) -> [u8; 32] {
	Sha256::digest((PROTOCOL, label, value).encode()).into()
}

/// `expand_message_xmd` with SHA-512 (RFC 9380 §5.3.1), for a tag of at most 255 bytes and an
/// output of at most 255 blocks of 64 bytes.
fn expand_message_xmd<const N: usize>(message: &[u8], tag: &[&[u8]]) -> [u8; N] {
	const { assert!(N > 0 && N <= 255 * 64) };
	let tag_length: usize = tag.iter().map(|part| part.len()).sum();
	debug_assert!(tag_length <= 255, "longer tags would have to be hashed first");
	let hash = |parts: &[&[u8]]| {
		let mut hash = Sha512::new();
		for part in parts.iter().chain(tag) {
			hash.update(part);
		}
		hash.update([tag_length as u8]);
		<[u8; 64]>::from(hash.finalize())
	};
	let first = hash(&[&[0; 128], message, &(N as u16).to_be_bytes(), &[0]]);
	let mut block = [0; 64];
	let mut output = [0; N];
	for (counter, chunk) in (1u8..=255).zip(output.chunks_mut(64)) {
		for (byte, mask) in block.iter_mut().zip(first) {
			*byte ^= mask;
		}
		block = hash(&[&block, &[counter]]);
		chunk.iter_mut().zip(block).for_each(|(byte, fresh)| *byte = fresh);
	}
	output
}

/// `HashToGroup` of RFC 9497 §4.1 in VOPRF mode: hash_to_ristretto255 of RFC 9380, appendix B.
///
/// [`Error::IdentityElement`] for inputs that nobody can find.
pub(crate) fn hash_to_group(input: &[u8]) -> Result<Element, Error> {
	let uniform = expand_message_xmd(input, &[b"HashToGroup-", VOPRF_CONTEXT]);
	RistrettoPoint::from_uniform_bytes(&uniform).try_into()
}

/// `contextString` of RFC 9497 §3.1: mode 1 (VOPRF), suite ristretto255-SHA512.
pub(crate) const VOPRF_CONTEXT: &[u8] = b"OPRFV1-\x01-ristretto255-SHA512";

#[cfg(test)]
mod tests {
	use super::*;
	use hex_literal::hex;

	/// RFC 9380, appendix K.3: expand_message_xmd(SHA-512).
	#[test]
	fn expands_like_rfc9380() {
		const TAG: &[&[u8]] = &[b"QUUX-V01-CS02-with-expander-SHA512-256"];
		for (message, expected) in [
			(&b""[..], hex!("6b9a7312411d92f921c6f68ca0b6380730a1a4d982c507211a90964c394179ba")),
			(b"abc", hex!("0da749f12fbe5483eb066a5f595055679b976e93abe9be6f0f6318bce7aca8dc")),
			(
				b"abcdef0123456789",
				hex!("087e45a86e2939ee8b91100af1583c4938e0f5fc6c9db4b107b83346bc967f58"),
			),
			(
				&[&b"q128_"[..], &[b'q'; 128]].concat(),
				hex!("7336234ee9983902440f6bc35b348352013becd88938d2afec44311caf8356b3"),
			),
			(
				&[&b"a512_"[..], &[b'a'; 512]].concat(),
				hex!("57b5f7e766d5be68a6bfe1768e3c2b7f1228b3e4b3134956dd73a59b954c66f4"),
			),
		] {
			assert_eq!(expand_message_xmd::<32>(message, TAG), expected);
		}
		for (message, expected) in [
			(
				&b""[..],
				hex!(
					"41b037d1734a5f8df225dd8c7de38f851efdb45c372887be655212d07251b921b052b62eaed9"
					"9b46f72f2ef4cc96bfaf254ebbbec091e1a3b9e4fb5e5b619d2e0c5414800a1d882b62bb5cd1"
					"778f098b8eb6cb399d5d9d18f5d5842cf5d13d7eb00a7cff859b605da678b318bd0e65ebff70"
					"bec88c753b159a805d2c89c55961"
				),
			),
			(
				b"abc",
				hex!(
					"7f1dddd13c08b543f2e2037b14cefb255b44c83cc397c1786d975653e36a6b11bdd7732d8b38"
					"adb4a0edc26a0cef4bb45217135456e58fbca1703cd6032cb1347ee720b87972d63fbf232587"
					"043ed2901bce7f22610c0419751c065922b488431851041310ad659e4b23520e1772ab29dcde"
					"b2002222a363f0c2b1c972b3efe1"
				),
			),
		] {
			assert_eq!(expand_message_xmd::<128>(message, TAG), expected);
		}
	}

	#[test]
	fn labels_separate_digests() {
		assert_ne!(digest("a", &"bc"), digest("ab", &"c"));
		assert_ne!(digest("a", &1u8), digest("b", &1u8));
	}
}
