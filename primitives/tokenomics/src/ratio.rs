//! a·b/c over 256 bits, with a named rounding.

use primitive_types::{U128, U256};

fn product(a: u128, b: u128) -> U256 {
	U128::from(a).full_mul(U128::from(b))
}

/// ⌊a·b/c⌋; `None` if c is 0 or the result needs more than 128 bits.
pub fn mul_div_floor(a: u128, b: u128, c: u128) -> Option<u128> {
	u128::try_from(product(a, b).checked_div(U256::from(c))?).ok()
}

/// ⌈a·b/c⌉; `None` if c is 0 or the result needs more than 128 bits.
pub fn mul_div_ceil(a: u128, b: u128, c: u128) -> Option<u128> {
	let exact = product(a, b).checked_rem(U256::from(c))?.is_zero();
	mul_div_floor(a, b, c)?.checked_add(if exact { 0 } else { 1 })
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn rounds_as_named() {
		assert_eq!((mul_div_floor(7, 3, 2), mul_div_ceil(7, 3, 2)), (Some(10), Some(11)));
		assert_eq!((mul_div_floor(8, 3, 2), mul_div_ceil(8, 3, 2)), (Some(12), Some(12)));
		assert_eq!(mul_div_floor(u128::MAX, u128::MAX, u128::MAX), Some(u128::MAX));
		assert_eq!(mul_div_floor(u128::MAX, 2, 1), None);
		assert_eq!((mul_div_floor(1, 1, 0), mul_div_ceil(1, 1, 0)), (None, None));
	}
}
