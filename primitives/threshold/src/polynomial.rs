//! Secret polynomials and Feldman's commitments to them (Feldman 1987).

use alloc::vec::Vec;

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::{RistrettoPoint, Scalar, traits::Identity};
use scale_info::TypeInfo;
use zeroize::Zeroizing;

use crate::{
	Element, Error, MAX_THRESHOLD, MemberIndex,
	secret::{SecretScalar, Seed},
};

/// A secret polynomial of degree t − 1, constant term first.
#[derive(Debug)]
pub(crate) struct SecretPolynomial(Vec<SecretScalar>);

impl SecretPolynomial {
	/// The polynomial with the given constant term whose other coefficients come from `seed`.
	pub(crate) fn derive(
		constant: SecretScalar,
		seed: &Seed,
		context: &impl Encode,
		threshold: u8,
	) -> Result<Self, Error> {
		let mut coefficients = Vec::with_capacity(threshold.into());
		coefficients.push(constant);
		for power in 1..threshold {
			coefficients.push(seed.derive(context, ("coefficient", power))?);
		}
		Ok(Self(coefficients))
	}

	/// The value at seat `at`, in constant time.
	pub(crate) fn evaluate(&self, at: MemberIndex) -> Zeroizing<Scalar> {
		let mut value = Zeroizing::new(Scalar::ZERO);
		for coefficient in self.0.iter().rev() {
			*value = *value * at.scalar() + coefficient.scalar();
		}
		value
	}

	/// The commitments to the coefficients.
	pub(crate) fn commit(&self) -> Result<Commitments, Error> {
		let elements = self.0.iter().map(SecretScalar::public).collect::<Result<Vec<_>, _>>()?;
		Commitments::new(elements)
	}

	/// The constant term.
	pub(crate) fn constant(&self) -> Option<&SecretScalar> {
		self.0.first()
	}
}

/// Feldman's commitments: the generator times each coefficient, constant term first; 1 to
/// [`MAX_THRESHOLD`] elements, none of them the identity. An honest dealer has a zero coefficient
/// with probability 2^-252.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Commitments {
	/// Commitment to the constant term.
	constant: Element,
	/// Commitments to the coefficients of x, x², …
	others: BoundedVec<Element, ConstU32<{ MAX_THRESHOLD as u32 - 1 }>>,
}

impl Commitments {
	pub(crate) fn new(elements: impl IntoIterator<Item = Element>) -> Result<Self, Error> {
		let mut elements = elements.into_iter();
		let constant = elements.next().ok_or(Error::WrongCommitmentCount)?;
		let others = BoundedVec::try_from(elements.collect::<Vec<_>>())
			.map_err(|_| Error::WrongCommitmentCount)?;
		Ok(Self { constant, others })
	}

	/// The commitment to the constant term: a dealer's part of the public key, or the public key.
	pub const fn constant(&self) -> &Element {
		&self.constant
	}

	/// How many coefficients are committed to: the polynomial's degree plus one.
	pub fn count(&self) -> usize {
		self.others.len() + 1
	}

	/// The elements, constant term first.
	pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Element> {
		core::iter::once(&self.constant).chain(self.others.iter())
	}

	/// The commitment to the polynomial's value at seat `at`, by Horner's rule: count − 1
	/// multiplications by a number of at most 6 bits. In variable time: everything is public.
	pub(crate) fn evaluate(&self, at: MemberIndex) -> RistrettoPoint {
		self.iter().rev().fold(RistrettoPoint::identity(), |sum, element| {
			times_small(&sum, at.get()) + element.point()
		})
	}
}

/// `factor` times `point` by doubling and adding.
fn times_small(point: &RistrettoPoint, factor: u8) -> RistrettoPoint {
	let mut product = RistrettoPoint::identity();
	for bit in (0..u8::BITS - factor.leading_zeros()).rev() {
		product += product;
		if factor >> bit & 1 == 1 {
			product += point;
		}
	}
	product
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	proptest! {
		#![proptest_config(ProptestConfig::with_cases(64))]

		#[test]
		fn commitments_evaluate_to_the_committed_value(
			seed: [u8; 32],
			threshold in 1..=MAX_THRESHOLD,
			seat in 1..=crate::MAX_MEMBERS,
		) {
			let seed = Seed::from_bytes(&seed);
			let constant = seed.derive(&(), ("constant", 0)).unwrap();
			let polynomial = SecretPolynomial::derive(constant, &seed, &(), threshold).unwrap();
			let commitments = polynomial.commit().unwrap();
			prop_assert_eq!(commitments.count(), usize::from(threshold));
			let at = MemberIndex::new(seat).unwrap();
			prop_assert_eq!(
				commitments.evaluate(at),
				RistrettoPoint::mul_base(&polynomial.evaluate(at)),
			);
		}

		#[test]
		fn small_multiples_are_multiples(factor: u8) {
			let point = RistrettoPoint::mul_base(&Scalar::from(7u8));
			prop_assert_eq!(times_small(&point, factor), point * Scalar::from(factor));
		}
	}
}
