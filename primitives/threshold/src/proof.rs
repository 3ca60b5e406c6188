//! Non-interactive proofs of knowledge of a discrete logarithm, and of its equality over several
//! bases (Schnorr 1991; Chaum and Pedersen 1992; Fiat and Shamir 1986), over Merlin transcripts.
//!
//! One construction serves all six uses; the [`Claim`] and its context keep them apart: a proof for
//! one claim, ceremony, seat or request never verifies for another.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::{RistrettoPoint, Scalar, traits::VartimeMultiscalarMul};
use merlin::Transcript;
use rand_core::{CryptoRngCore, RngCore};
use scale_info::TypeInfo;
use zeroize::Zeroizing;

use crate::{Element, PROTOCOL, element::PublicScalar, secret::SecretScalar};

/// What a proof is about.
#[derive(Clone, Copy)]
pub(crate) enum Claim {
	/// A member knows the secret of its ceremony key.
	CeremonyKey,
	/// A dealer knows the constant term that it deals.
	DealtSecret,
	/// A dealer knows the secret of its ephemeral encryption key.
	EphemeralKey,
	/// A recipient opens a dealer's encryption to it.
	Opening,
	/// A requester knows by what it blinded the input's point.
	Blinding,
	/// A member evaluated with its share of the key.
	Partial,
}

impl Claim {
	const fn label(self) -> &'static [u8] {
		match self {
			Self::CeremonyKey => b"ceremony key",
			Self::DealtSecret => b"dealt secret",
			Self::EphemeralKey => b"ephemeral key",
			Self::Opening => b"opening",
			Self::Blinding => b"blinding",
			Self::Partial => b"partial",
		}
	}
}

/// The base of a logarithm.
#[derive(Clone, Copy)]
pub(crate) enum Base<'a> {
	/// The generator of the group (RFC 9496 §4).
	Generator,
	/// Another element.
	Element(&'a Element),
}

impl Base<'_> {
	/// `secret` times the base, in constant time.
	fn times(self, secret: &Scalar) -> RistrettoPoint {
		match self {
			Self::Generator => RistrettoPoint::mul_base(secret),
			Self::Element(element) => element.point() * secret,
		}
	}

	/// a·base + b·other, in variable time: for public scalars.
	fn combine(self, a: &Scalar, b: &Scalar, other: &Element) -> RistrettoPoint {
		match self {
			Self::Generator => {
				RistrettoPoint::vartime_double_scalar_mul_basepoint(b, other.point(), a)
			}
			Self::Element(element) => {
				RistrettoPoint::vartime_multiscalar_mul([a, b], [element.point(), other.point()])
			}
		}
	}

	fn append_to(self, transcript: &mut Transcript) {
		match self {
			Self::Generator => transcript.append_message(b"base", b"generator"),
			Self::Element(element) => transcript.append_message(b"base", element.as_bytes()),
		}
	}
}

/// "I know x with image = x·base for each (base, image)", bound to its claim and context.
pub(crate) struct Statement<'a, const N: usize> {
	transcript: Transcript,
	pairs: [(Base<'a>, &'a Element); N],
}

impl<'a, const N: usize> Statement<'a, N> {
	/// The statement of `claim` about `pairs` in `context`, which names everything else that the
	/// proof must not be taken away from.
	pub(crate) fn new(
		claim: Claim,
		context: &impl Encode,
		pairs: [(Base<'a>, &'a Element); N],
	) -> Self {
		let mut transcript = Transcript::new(PROTOCOL.as_bytes());
		transcript.append_message(b"claim", claim.label());
		transcript.append_message(b"context", &context.encode());
		transcript.append_u64(b"pairs", N as u64);
		for (base, image) in &pairs {
			base.append_to(&mut transcript);
			transcript.append_message(b"image", image.as_bytes());
		}
		Self { transcript, pairs }
	}

	/// Proves the statement.
	///
	/// The nonce is a hash of the statement, the secret and the RNG's output: neither a broken RNG
	/// nor a repeated one makes two statements share a nonce.
	pub(crate) fn prove(self, secret: &SecretScalar, rng: &mut impl CryptoRngCore) -> Proof {
		let mut nonces = self
			.transcript
			.build_rng()
			.rekey_with_witness_bytes(b"secret", &*secret.to_bytes())
			.finalize(rng);
		let mut wide = Zeroizing::new([0; 64]);
		nonces.fill_bytes(&mut *wide);
		let nonce = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
		let announcements = self.pairs.map(|(base, _)| base.times(&nonce));
		let challenge = self.challenge(announcements);
		Proof {
			challenge: PublicScalar(challenge),
			response: PublicScalar(*nonce - challenge * secret.scalar()),
		}
	}

	/// Does `proof` prove the statement? Needs no RNG.
	pub(crate) fn accepts(self, proof: &Proof) -> bool {
		let announcements = self
			.pairs
			.map(|(base, image)| base.combine(&proof.response.0, &proof.challenge.0, image));
		self.challenge(announcements) == proof.challenge.0
	}

	fn challenge(mut self, announcements: [RistrettoPoint; N]) -> Scalar {
		for announcement in announcements {
			self.transcript.append_message(b"announcement", announcement.compress().as_bytes());
		}
		let mut wide = [0; 64];
		self.transcript.challenge_bytes(b"challenge", &mut wide);
		Scalar::from_bytes_mod_order_wide(&wide)
	}
}

/// A proof of knowledge or of equality: challenge and response, 64 bytes on the wire, both
/// canonical scalars.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Proof {
	challenge: PublicScalar,
	response: PublicScalar,
}

#[cfg(test)]
mod tests {
	use super::*;
	use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

	/// An RNG without any entropy.
	struct Constant;

	impl RngCore for Constant {
		fn next_u32(&mut self) -> u32 {
			0
		}
		fn next_u64(&mut self) -> u64 {
			0
		}
		fn fill_bytes(&mut self, dest: &mut [u8]) {
			dest.fill(0);
		}
		fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
			dest.fill(0);
			Ok(())
		}
	}

	impl rand_core::CryptoRng for Constant {}

	fn announcement(proof: &Proof, image: &Element) -> RistrettoPoint {
		Base::Generator.combine(&proof.response.0, &proof.challenge.0, image)
	}

	#[test]
	fn nonces_differ_even_without_randomness() {
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let mut seen = Vec::new();
		for _ in 0..3 {
			let secret = SecretScalar::random(&mut rng).unwrap();
			let image = secret.public().unwrap();
			for context in 0u8..3 {
				let state =
					|| Statement::new(Claim::CeremonyKey, &context, [(Base::Generator, &image)]);
				let proof = state().prove(&secret, &mut Constant);
				assert!(state().accepts(&proof));
				let announcement = announcement(&proof, &image).compress();
				assert!(!seen.contains(&announcement), "a nonce was used twice");
				seen.push(announcement);
				// Whoever knows the statement and the RNG's output, but not the secret, cannot
				// compute the nonce.
				let mut wide = [0; 64];
				state().transcript.build_rng().finalize(&mut Constant).fill_bytes(&mut wide);
				let guess = Scalar::from_bytes_mod_order_wide(&wide);
				assert_ne!(RistrettoPoint::mul_base(&guess).compress(), announcement);
				// Randomness, if there is any, is used.
				let hedged = state().prove(&secret, &mut rng);
				assert_ne!(hedged, proof);
			}
		}
	}

	#[test]
	fn logarithms_must_be_equal() {
		let mut rng = ChaCha20Rng::seed_from_u64(2);
		let [secret, other, base] =
			core::array::from_fn(|_| SecretScalar::random(&mut rng).unwrap());
		let base = base.public().unwrap();
		let (image, shared) = (secret.public().unwrap(), secret.times(&base).unwrap());
		let lie = other.times(&base).unwrap();
		let state = |shared| {
			let pairs = [(Base::Generator, &image), (Base::Element(&base), shared)];
			Statement::new(Claim::Opening, &(), pairs)
		};
		let proof = state(&shared).prove(&secret, &mut rng);
		assert!(state(&shared).accepts(&proof));
		assert!(!state(&lie).accepts(&proof));
		assert!(!state(&lie).accepts(&state(&lie).prove(&secret, &mut rng)));
		assert!(!state(&lie).accepts(&state(&lie).prove(&other, &mut rng)));
	}

	#[test]
	fn claims_and_contexts_are_kept_apart() {
		let mut rng = ChaCha20Rng::seed_from_u64(3);
		let secret = SecretScalar::random(&mut rng).unwrap();
		let image = secret.public().unwrap();
		const CLAIMS: [Claim; 6] = [
			Claim::CeremonyKey,
			Claim::DealtSecret,
			Claim::EphemeralKey,
			Claim::Opening,
			Claim::Blinding,
			Claim::Partial,
		];
		let state =
			|claim, context: &u8| Statement::new(claim, context, [(Base::Generator, &image)]);
		for (index, claim) in CLAIMS.into_iter().enumerate() {
			let proof = state(claim, &0).prove(&secret, &mut rng);
			for (other_index, other) in CLAIMS.into_iter().enumerate() {
				assert_eq!(state(other, &0).accepts(&proof), index == other_index);
			}
			assert!(!state(claim, &1).accepts(&proof));
		}
	}
}
