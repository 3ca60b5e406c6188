//! Lagrange interpolation at zero over seat numbers.

use curve25519_dalek::Scalar;

use crate::{MemberIndex, MemberSet};

/// The factor of seat `at` when a polynomial of degree below `|set|` is interpolated at zero from
/// its values at `set`: the product of j / (j − at) over the other seats j.
///
/// Seat numbers are public: this needs no constant time.
pub(crate) fn coefficient(set: MemberSet, at: MemberIndex) -> Scalar {
	let (mut numerator, mut denominator) = (Scalar::ONE, Scalar::ONE);
	for other in set.iter().filter(|other| *other != at) {
		numerator *= other.scalar();
		denominator *= other.scalar() - at.scalar();
	}
	// Not zero: seats differ by less than the group's order.
	numerator * denominator.invert()
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	proptest! {
		#[test]
		fn interpolates_any_polynomial_of_lower_degree(
			bits in 1u32..,
			coefficients in prop::collection::vec(any::<u64>(), 32),
		) {
			let set: MemberSet = (1..=32)
				.filter(|seat| bits >> (seat - 1) & 1 == 1)
				.map(|seat| MemberIndex::new(seat).unwrap())
				.collect();
			let coefficients = &coefficients[..usize::from(set.len())];
			let value = |at: MemberIndex| {
				coefficients
					.iter()
					.rev()
					.fold(Scalar::ZERO, |sum, c| sum * at.scalar() + Scalar::from(*c))
			};
			let zero: Scalar = set.iter().map(|at| coefficient(set, at) * value(at)).sum();
			prop_assert_eq!(zero, Scalar::from(coefficients[0]));
		}
	}
}
