//! n steps of x ↦ a·x + c in O(log n).

use crate::Fixed;

/// Applies x ↦ min(a·x + c, `cap`) n times, for a ≥ 1.
///
/// The maps for 1, 2, 4, … steps are composed by doubling, (a, c) ↦ (a², a·c + c), and those that n
/// is made of are applied; they commute. This is aⁿ·x + c·(aⁿ−1)/(a−1) without the division, and so
/// also right at a = 1. As the map never falls below x for a ≥ 1, capping once is capping each step.
///
/// Every product is rounded down. After n steps the result is below the exact one by at most
/// n·(1 + x)·2⁻⁸⁷ relative to aⁿ.
pub(crate) fn iterate(mut x: Fixed, mut a: Fixed, mut c: Fixed, mut n: u32, cap: Fixed) -> Fixed {
	while n > 0 {
		if n & 1 == 1 {
			x = a.mul_floor(x).saturating_add(c).min(cap);
		}
		n >>= 1;
		if n > 0 {
			c = a.mul_floor(c).saturating_add(c);
			a = a.mul_floor(a);
		}
	}
	x
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::FRACTION_BITS;
	use primitive_types::U512;
	use proptest::prelude::*;

	proptest! {
		/// Against exact arithmetic: never above, and below by less than one unit a step.
		#[test]
		fn rounds_down(
			x in 0u128..1 << 120,
			growth in 0u128..1 << 80,
			c in 0u128..1 << 100,
			steps in 0u32..4,
		) {
			let wide = |n: u128| U512::from(n);
			let a = Fixed::ONE.to_bits() + growth;
			// Each step scales by 2^88 more.
			let (mut exact, mut scale) = (wide(x), 0);
			for _ in 0..steps {
				scale += FRACTION_BITS;
				exact = exact * wide(a) + (wide(c) << scale);
			}
			let fixed = Fixed::from_bits;
			let rounded = wide(iterate(fixed(x), fixed(a), fixed(c), steps, Fixed::MAX).to_bits());
			prop_assert!(rounded << scale <= exact);
			// The coefficients of two steps are rounded too, and x is below 2^32.
			prop_assert!((rounded + (wide(1) << 35)) << scale >= exact);
		}
	}
}
