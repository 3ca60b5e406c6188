//! A hostile member: a second implementation of the protocol, made from the description in
//! `docs/keys.md`, that can lie wherever the protocol lets it.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::AeadInPlace};
use codec::{Decode, Encode};
use curve25519_dalek::{RistrettoPoint, Scalar};
use hkdf::Hkdf;
use merlin::Transcript;
use phala_threshold::*;
use rand_chacha::{ChaCha20Rng, rand_core::RngCore};
use sha2_0_10::{Digest, Sha256};

const PROTOCOL: &str = "phala-threshold/1";

pub fn random(rng: &mut ChaCha20Rng) -> Scalar {
	let mut wide = [0; 64];
	rng.fill_bytes(&mut wide);
	Scalar::from_bytes_mod_order_wide(&wide)
}

pub fn element(point: RistrettoPoint) -> Element {
	Element::from_bytes(point.compress().as_bytes()).unwrap()
}

fn point(element: &Element) -> RistrettoPoint {
	curve25519_dalek::ristretto::CompressedRistretto(*element.as_bytes()).decompress().unwrap()
}

pub fn public(secret: &Scalar) -> Element {
	element(RistrettoPoint::mul_base(secret))
}

/// Proves, or pretends to prove, that `images` are `secret` times the bases.
pub fn prove(
	claim: &'static [u8],
	context: &impl Encode,
	pairs: &[(Option<&Element>, Element)],
	secret: &Scalar,
	rng: &mut ChaCha20Rng,
) -> Proof {
	let mut transcript = Transcript::new(PROTOCOL.as_bytes());
	transcript.append_message(b"claim", claim);
	transcript.append_message(b"context", &context.encode());
	transcript.append_u64(b"pairs", pairs.len() as u64);
	for (base, image) in pairs {
		let base = base.map_or(b"generator".as_slice(), |base| base.as_bytes());
		transcript.append_message(b"base", base);
		transcript.append_message(b"image", image.as_bytes());
	}
	let nonce = random(rng);
	for (base, _) in pairs {
		let announcement = match base {
			None => RistrettoPoint::mul_base(&nonce),
			Some(base) => point(base) * nonce,
		};
		transcript.append_message(b"announcement", announcement.compress().as_bytes());
	}
	let mut wide = [0; 64];
	transcript.challenge_bytes(b"challenge", &mut wide);
	let challenge = Scalar::from_bytes_mod_order_wide(&wide);
	let response = nonce - challenge * secret;
	Proof::decode(&mut &(challenge.to_bytes(), response.to_bytes()).encode()[..]).unwrap()
}

/// HPKE as in RFC 9180, from the Diffie–Hellman element.
fn encrypt(
	shared: &Element,
	ephemeral: &Element,
	recipient: &Element,
	info: &[u8],
	plaintext: &[u8; 32],
) -> Ciphertext {
	let kem = [b"KEM", [0xf2, 0x55].as_slice()].concat();
	let hpke = [b"HPKE", [0xf2, 0x55, 0, 1, 0, 3].as_slice()].concat();
	let extract = |suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]| {
		Hkdf::<Sha256>::extract(Some(salt), &[b"HPKE-v1", suite, label, ikm].concat())
	};
	let expand = |hkdf: &Hkdf<Sha256>, suite: &[u8], label: &[u8], info: &[u8], out: &mut [u8]| {
		let length = (out.len() as u16).to_be_bytes();
		let info = [&length, b"HPKE-v1".as_slice(), suite, label, info].concat();
		hkdf.expand(&info, out).unwrap();
	};
	let (_, prk) = extract(&kem, &[], b"eae_prk", shared.as_bytes());
	let mut secret = [0; 32];
	let keys = [ephemeral.as_bytes().as_slice(), recipient.as_bytes()].concat();
	expand(&prk, &kem, b"shared_secret", &keys, &mut secret);
	let (psk, _) = extract(&hpke, &[], b"psk_id_hash", &[]);
	let (hash, _) = extract(&hpke, &[], b"info_hash", info);
	let context = [[0].as_slice(), &psk, &hash].concat();
	let (_, prk) = extract(&hpke, &secret, b"secret", &[]);
	let (mut key, mut nonce) = ([0; 32], [0; 12]);
	expand(&prk, &hpke, b"key", &context, &mut key);
	expand(&prk, &hpke, b"base_nonce", &context, &mut nonce);
	let mut text = *plaintext;
	let tag = ChaCha20Poly1305::new(&key.into())
		.encrypt_in_place_detached(&nonce.into(), &[], &mut text)
		.unwrap();
	[&text[..], &tag].concat().try_into().unwrap()
}

/// How a share is falsified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
	/// Random bytes instead of a ciphertext.
	Garbage,
	/// An encryption of another scalar.
	WrongValue,
	/// An encryption of the right value plus the group's order, or of zero.
	NonCanonical,
}

pub const LIES: [Lie; 3] = [Lie::Garbage, Lie::WrongValue, Lie::NonCanonical];

/// The order of the group, little-endian.
const ORDER: [u8; 32] = [
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A member that holds its own secrets in plain sight.
pub struct Forger {
	pub ceremony: Ceremony,
	pub key: Scalar,
	pub coefficients: Vec<Scalar>,
	pub ephemeral: Scalar,
}

impl Forger {
	/// `share` is what it deals in a resharing.
	pub fn new(ceremony: Ceremony, share: Option<Scalar>, rng: &mut ChaCha20Rng) -> Self {
		let mut coefficients: Vec<_> = (0..ceremony.size.required()).map(|_| random(rng)).collect();
		if let Some(share) = share {
			coefficients[0] = share;
		}
		Self { ceremony, key: random(rng), coefficients, ephemeral: random(rng) }
	}

	pub fn ceremony_key(&self, seat: MemberIndex, rng: &mut ChaCha20Rng) -> CeremonyKey {
		let key = public(&self.key);
		let context = (self.ceremony.id(), seat);
		CeremonyKey { key, proof: prove(b"ceremony key", &context, &[(None, key)], &self.key, rng) }
	}

	pub fn commitments(&self) -> Commitments {
		let mut elements = self.coefficients.iter().map(public);
		let constant = elements.next().unwrap();
		Commitments::decode(&mut &(constant, elements.collect::<Vec<_>>()).encode()[..]).unwrap()
	}

	pub fn digest(&self, dealer: MemberIndex) -> DealingDigest {
		let value = (self.ceremony.id(), dealer, self.commitments());
		DealingDigest(Sha256::digest((PROTOCOL, "commitments", value).encode()).into())
	}

	pub fn share(&self, recipient: MemberIndex) -> Scalar {
		let x = Scalar::from(recipient.get());
		self.coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| sum * x + c)
	}

	/// A dealing with the shares of some recipients falsified.
	pub fn dealing(
		&self,
		dealer: MemberIndex,
		roster: &Roster,
		lie: impl Fn(MemberIndex) -> Option<Lie>,
		rng: &mut ChaCha20Rng,
	) -> Dealing {
		let (id, digest) = (self.ceremony.id(), self.digest(dealer));
		let ephemeral = public(&self.ephemeral);
		let commitments = self.commitments();
		let mut shares = Vec::new();
		for recipient in roster.recipients().iter() {
			let key = roster.get(recipient).unwrap();
			let share = self.share(recipient);
			let lie = lie(recipient);
			let plaintext = match lie {
				None | Some(Lie::Garbage) => share.to_bytes(),
				Some(Lie::WrongValue) => (share + Scalar::ONE).to_bytes(),
				Some(Lie::NonCanonical) if rng.next_u32().is_multiple_of(2) => [0; 32],
				Some(Lie::NonCanonical) => {
					let mut carry = 0;
					let mut sum = share.to_bytes();
					for (byte, order) in sum.iter_mut().zip(ORDER) {
						let wide = u16::from(*byte) + u16::from(order) + carry;
						(*byte, carry) = (wide as u8, wide >> 8);
					}
					sum
				}
			};
			let shared = element(point(key) * self.ephemeral);
			let info = (PROTOCOL, "share", id, dealer, recipient, digest).encode();
			let mut sealed = encrypt(&shared, &ephemeral, key, &info, &plaintext);
			if lie == Some(Lie::Garbage) {
				rng.fill_bytes(&mut sealed);
			}
			shares.push(sealed);
		}
		let dealt = [(None, *commitments.constant())];
		Dealing {
			proof: prove(b"dealt secret", &(id, dealer), &dealt, &self.coefficients[0], rng),
			ephemeral_proof: prove(
				b"ephemeral key",
				&(id, dealer, digest),
				&[(None, ephemeral)],
				&self.ephemeral,
				rng,
			),
			commitments,
			ephemeral,
			shares: shares.try_into().unwrap(),
		}
	}

	/// A complaint about `dealing`; `factor` is one for a true opening.
	pub fn complaint(
		&self,
		complainer: MemberIndex,
		dealer: MemberIndex,
		dealing: &Dealing,
		factor: Scalar,
		rng: &mut ChaCha20Rng,
	) -> Complaint {
		let shared = element(point(&dealing.ephemeral) * self.key * factor);
		let pairs = [(None, public(&self.key)), (Some(&dealing.ephemeral), shared)];
		let context = (self.ceremony.id(), dealer, complainer);
		Complaint { shared, proof: prove(b"opening", &context, &pairs, &self.key, rng) }
	}
}
