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
