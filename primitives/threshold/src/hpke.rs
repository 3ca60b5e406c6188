//! Hybrid public-key encryption (RFC 9180, base mode, single shot) with the suite
//! DHKEM(ristretto255, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.
//!
//! RFC 9180 defines no KEM over ristretto255; this is its §4.1 with that group. X25519 would not do:
//! a complaint opens the Diffie–Hellman element with a proof of equal logarithms, which needs a
//! group of prime order with canonical encodings. For the same reason the functions start from
//! the Diffie–Hellman element: the chain decrypts from the opened one.

use alloc::vec::Vec;

use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, Key, KeyInit, Nonce, Tag};
use hkdf::Hkdf;
use sha2_0_10::Sha256;
use zeroize::Zeroizing;

use crate::Element;

/// An encrypted scalar: 32 bytes of ciphertext and 16 of authentication tag.
pub type Ciphertext = [u8; 48];

/// `kem_id`: not assigned by IANA.
const KEM_RISTRETTO255: u16 = 0xf255;
const KDF_HKDF_SHA256: u16 = 1;
const AEAD_CHACHA20_POLY1305: u16 = 3;

/// The Diffie–Hellman element of an encryption and the two public keys that it comes from.
pub(crate) struct Agreement<'a> {
	/// The secret of one key times the other.
	pub(crate) shared: &'a Element,
	/// The sender's ephemeral key (`enc`).
	pub(crate) ephemeral: &'a Element,
	/// The recipient's key (`pkR`).
	pub(crate) recipient: &'a Element,
}

impl Agreement<'_> {
	/// Encrypts one scalar. An agreement has one `info` and encrypts one message: `info` goes into
	/// the key, and the key serves one nonce.
	pub(crate) fn seal(&self, info: &[u8], plaintext: &[u8; 32]) -> Ciphertext {
		let (cipher, nonce) = self.cipher(info);
		let mut sealed = [0; 48];
		let (text, tag) = sealed.split_at_mut(32);
		text.copy_from_slice(plaintext);
		match cipher.encrypt_in_place_detached(&nonce, &[], text) {
			Ok(fresh) => tag.copy_from_slice(&fresh),
			// Only for a plaintext of 256 GiB; but a plaintext must never leave.
			Err(_) => text.fill(0),
		}
		sealed
	}

	/// Decrypts what [`seal`](Self::seal) encrypted, or nothing.
	pub(crate) fn open(&self, info: &[u8], sealed: &Ciphertext) -> Option<Zeroizing<[u8; 32]>> {
		let (cipher, nonce) = self.cipher(info);
		let mut plaintext = Zeroizing::new([0; 32]);
		let (text, tag) = sealed.split_at(32);
		plaintext.copy_from_slice(text);
		cipher
			.decrypt_in_place_detached(&nonce, &[], &mut *plaintext, Tag::from_slice(tag))
			.ok()?;
		Some(plaintext)
	}

	fn cipher(&self, info: &[u8]) -> (ChaCha20Poly1305, Nonce) {
		let suite = Suite { kem: KEM_RISTRETTO255 };
		let keys = [self.ephemeral.as_bytes().as_slice(), self.recipient.as_bytes()].concat();
		let shared = suite.shared_secret(self.shared.as_bytes(), &keys);
		let (key, nonce) = suite.key_schedule(&shared, info);
		(ChaCha20Poly1305::new(Key::from_slice(&*key)), nonce.into())
	}
}

/// The key derivation of RFC 9180, generic in the KEM's number so that the RFC's vectors test it.
struct Suite {
	kem: u16,
}

impl Suite {
	fn kem_id(&self) -> Vec<u8> {
		[b"KEM".as_slice(), &self.kem.to_be_bytes()].concat()
	}

	fn hpke_id(&self) -> Vec<u8> {
		let ids = [self.kem, KDF_HKDF_SHA256, AEAD_CHACHA20_POLY1305].map(u16::to_be_bytes);
		[b"HPKE".as_slice(), ids.as_flattened()].concat()
	}

	/// `ExtractAndExpand` of §4.1.
	fn shared_secret(&self, dh: &[u8; 32], kem_context: &[u8]) -> Zeroizing<[u8; 32]> {
		let id = self.kem_id();
		let (_, prk) = labeled_extract(&id, None, b"eae_prk", dh);
		labeled_expand(&prk, &id, b"shared_secret", kem_context)
	}

	/// `KeySchedule` of §5.1 in base mode: the key and the nonce of the first message.
	fn key_schedule(&self, shared: &[u8; 32], info: &[u8]) -> (Zeroizing<[u8; 32]>, [u8; 12]) {
		let id = self.hpke_id();
		let (psk_id_hash, _) = labeled_extract(&id, None, b"psk_id_hash", b"");
		let (info_hash, _) = labeled_extract(&id, None, b"info_hash", info);
		let context = [[0].as_slice(), &*psk_id_hash, &*info_hash].concat();
		let (_, secret) = labeled_extract(&id, Some(shared), b"secret", b"");
		let nonce = labeled_expand::<12>(&secret, &id, b"base_nonce", &context);
		(labeled_expand(&secret, &id, b"key", &context), *nonce)
	}
}

/// `LabeledExtract` of §4: the pseudorandom key, and the same ready for expansion.
fn labeled_extract(
	suite_id: &[u8],
	salt: Option<&[u8; 32]>,
	label: &[u8],
	ikm: &[u8],
) -> (Zeroizing<[u8; 32]>, Hkdf<Sha256>) {
	let labeled = Zeroizing::new([b"HPKE-v1", suite_id, label, ikm].concat());
	let (prk, hkdf) = Hkdf::extract(salt.map(<[u8; 32]>::as_slice), &labeled);
	(Zeroizing::new(prk.into()), hkdf)
}

/// `LabeledExpand` of §4.
fn labeled_expand<const N: usize>(
	prk: &Hkdf<Sha256>,
	suite_id: &[u8],
	label: &[u8],
	info: &[u8],
) -> Zeroizing<[u8; N]> {
	const { assert!(N <= 32, "one block: HKDF cannot refuse it") };
	let labeled = [&(N as u16).to_be_bytes(), b"HPKE-v1".as_slice(), suite_id, label, info];
	let mut output = Zeroizing::new([0; N]);
	let expanded = prk.expand_multi_info(&labeled, &mut *output);
	debug_assert!(expanded.is_ok());
	output
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::secret::SecretScalar;
	use curve25519_dalek::{MontgomeryPoint, constants::X25519_BASEPOINT};
	use hex_literal::hex;
	use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

	/// RFC 9180, appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base
	/// mode, first message.
	#[test]
	fn derives_keys_like_rfc9180() {
		let ephemeral = hex!("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600");
		let enc = hex!("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
		let recipient = hex!("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
		assert_eq!(X25519_BASEPOINT.mul_clamped(ephemeral).0, enc);

		let suite = Suite { kem: 0x0020 };
		let dh = MontgomeryPoint(recipient).mul_clamped(ephemeral);
		let shared = suite.shared_secret(dh.as_bytes(), &[enc, recipient].concat());
		let expected = hex!("0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7");
		assert_eq!(*shared, expected);

		let (key, nonce) = suite.key_schedule(&shared, b"Ode on a Grecian Urn");
		let expected = hex!("ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91");
		assert_eq!(*key, expected);
		assert_eq!(nonce, hex!("5c4d98150661b848853b547f"));

		let mut text = *b"Beauty is truth, truth beauty";
		let tag = ChaCha20Poly1305::new(Key::from_slice(&*key))
			.encrypt_in_place_detached(&nonce.into(), b"Count-0", &mut text)
			.unwrap();
		assert_eq!(
			[&text[..], &tag].concat(),
			hex!(
				"1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
				"21993c62ce81883d2dd1b51a28"
			),
		);
	}

	#[test]
	fn opens_only_what_was_sealed() {
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let [sender, receiver] = core::array::from_fn(|_| SecretScalar::random(&mut rng).unwrap());
		let (ephemeral, recipient) = (sender.public().unwrap(), receiver.public().unwrap());
		let shared = sender.times(&recipient).unwrap();
		assert_eq!(shared, receiver.times(&ephemeral).unwrap());
		let agreement = Agreement { shared: &shared, ephemeral: &ephemeral, recipient: &recipient };
		let sealed = agreement.seal(b"info", &[7; 32]);
		assert_eq!(*agreement.open(b"info", &sealed).unwrap(), [7; 32]);
		assert!(agreement.open(b"other", &sealed).is_none());
		for byte in 0..sealed.len() {
			let mut bent = sealed;
			bent[byte] ^= 1;
			assert!(agreement.open(b"info", &bent).is_none());
		}
		for bent in [
			Agreement { shared: &ephemeral, ..agreement },
			Agreement { ephemeral: &recipient, ..agreement },
			Agreement { recipient: &ephemeral, ..agreement },
		] {
			assert!(bent.open(b"info", &sealed).is_none());
		}
	}
}
