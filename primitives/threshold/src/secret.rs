//! Secrets: wiped when dropped, never printed, never encoded by accident.

use alloc::vec::Vec;

use codec::Encode;
use curve25519_dalek::{RistrettoPoint, Scalar};
use hkdf::Hkdf;
use rand_core::CryptoRngCore;
use sha2_0_10::Sha512;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Element, Error, PROTOCOL};

/// A secret scalar other than zero.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SecretScalar(Scalar);

impl SecretScalar {
	/// `scalar`, unless it is zero.
	pub(crate) fn new(scalar: Scalar) -> Result<Self, Error> {
		// Whether a secret is zero is no secret: zero is refused for all to see.
		match scalar == Scalar::ZERO {
			true => Err(Error::ZeroScalar),
			false => Ok(Self(scalar)),
		}
	}

	/// The scalar with this canonical encoding.
	pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
		let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*bytes).into();
		Self::new(scalar.ok_or(Error::NonCanonicalScalar)?)
	}

	/// A uniform one (up to a bias of 2^-258).
	pub(crate) fn random(rng: &mut impl CryptoRngCore) -> Result<Self, Error> {
		let mut wide = Zeroizing::new([0; 64]);
		rng.fill_bytes(&mut *wide);
		Self::new(Scalar::from_bytes_mod_order_wide(&wide))
	}

	/// Its encoding, to be wiped by its owner.
	pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
		Zeroizing::new(self.0.to_bytes())
	}

	pub(crate) fn scalar(&self) -> &Scalar {
		&self.0
	}

	/// The public element of this secret, in constant time.
	pub(crate) fn public(&self) -> Result<Element, Error> {
		RistrettoPoint::mul_base(&self.0).try_into()
	}

	/// This secret times `element`, in constant time.
	pub(crate) fn times(&self, element: &Element) -> Result<Element, Error> {
		(element.point() * self.0).try_into()
	}

	/// An owned copy, wiped like the original.
	pub(crate) fn duplicate(&self) -> Self {
		Self(self.0)
	}
}

impl core::fmt::Debug for SecretScalar {
	fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
		f.write_str("SecretScalar")
	}
}

/// 32 random bytes from which one member derives all its secrets of one ceremony, each with its
/// own label. Wiping the seed wipes them all.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Seed([u8; 32]);

impl Seed {
	pub(crate) fn random(rng: &mut impl CryptoRngCore) -> Self {
		let mut seed = Self([0; 32]);
		rng.fill_bytes(&mut seed.0);
		seed
	}

	pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
		Self(*bytes)
	}

	pub(crate) fn as_bytes(&self) -> &[u8; 32] {
		&self.0
	}

	/// HKDF-SHA-512 of the seed, with `context` as salt and `label` as info, reduced from 64 bytes.
	pub(crate) fn derive(
		&self,
		context: &impl Encode,
		label: (&'static str, u8),
	) -> Result<SecretScalar, Error> {
		let hkdf = Hkdf::<Sha512>::new(Some(&(PROTOCOL, context).encode()), &self.0);
		let mut wide = Zeroizing::new([0; 64]);
		// 64 bytes are one block of SHA-512: HKDF allows 255.
		hkdf.expand(&label.encode(), &mut *wide).map_err(|_| Error::ZeroScalar)?;
		SecretScalar::new(Scalar::from_bytes_mod_order_wide(&wide))
	}
}

/// A buffer for saving secrets. It is allocated once at its final size, so that no growth leaves a
/// copy behind, and wiped when dropped.
pub(crate) fn secret_buffer(capacity: usize) -> Zeroizing<Vec<u8>> {
	Zeroizing::new(Vec::with_capacity(capacity))
}
