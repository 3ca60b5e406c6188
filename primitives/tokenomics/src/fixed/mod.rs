//! The one number type, over 256-bit products.

#![allow(
	clippy::arithmetic_side_effects,
	reason = "shifts are by constants below the width, and additions below 2^89"
)]

mod text;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use primitive_types::{U128, U256};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

pub use text::ParseFixedError;

use crate::{Balance, PHA};

/// Number of fractional bits of [`Fixed`].
pub const FRACTION_BITS: usize = 88;

/// The one number type: an unsigned fixed-point number with 40 integer and 88 fractional bits.
///
/// | | |
/// |---|---|
/// | resolution | 2⁻⁸⁸ ≈ 3.2·10⁻²⁷ |
/// | largest value | 2⁴⁰ − 2⁻⁸⁸ ≈ 1.1·10¹² (a thousand times the supply of PHA) |
///
/// Why not 18 decimals or 64 fractional bits: a year has 5.26 million steps, each rounded. The
/// health of a worker that is silent for a year falls to 1.6·10⁻⁴, and with 2⁻⁶⁴ the roundings
/// alone amount to 2·10⁻¹⁰ of it. With 2⁻⁸⁸ they stay below 3·10⁻¹⁷ (`tests/closed_form.rs`).
///
/// Every operation names its rounding; none panics. What leaves the range saturates or is `None`.
#[derive(
	Clone,
	Copy,
	Debug,
	Decode,
	DecodeWithMemTracking,
	Default,
	Encode,
	Eq,
	Hash,
	MaxEncodedLen,
	Ord,
	PartialEq,
	PartialOrd,
	TypeInfo,
)]
pub struct Fixed(u128);

fn wide(a: u128, b: u128) -> U256 {
	U128::from(a).full_mul(U128::from(b))
}

/// `value` as 128 bits, saturating.
fn narrow(value: U256) -> u128 {
	u128::try_from(value).unwrap_or(u128::MAX)
}

/// ⌈a / b⌉ for b > 0.
fn ceil_div(a: U256, b: U256) -> Option<U256> {
	let quotient = a.checked_div(b)?;
	let remainder = a.checked_rem(b)?;
	Some(if remainder.is_zero() { quotient } else { quotient.saturating_add(U256::one()) })
}

impl Fixed {
	/// 0.
	pub const ZERO: Self = Self(0);
	/// 1.
	pub const ONE: Self = Self(1 << FRACTION_BITS);
	/// The largest value, just below 2⁴⁰.
	pub const MAX: Self = Self(u128::MAX);
	/// The smallest positive value, 2⁻⁸⁸.
	pub const EPSILON: Self = Self(1);

	/// The number `bits`·2⁻⁸⁸.
	pub const fn from_bits(bits: u128) -> Self {
		Self(bits)
	}

	/// The number in units of 2⁻⁸⁸.
	pub const fn to_bits(self) -> u128 {
		self.0
	}

	/// An integer, exactly.
	pub const fn from_u32(n: u32) -> Self {
		Self((n as u128) << FRACTION_BITS)
	}

	/// n/d rounded down, for constants with n < 2⁴⁰ and d > 0.
	pub(crate) const fn constant(n: u64, d: u128) -> Self {
		Self(((n as u128) << FRACTION_BITS) / d)
	}

	/// ⌊n / d⌋ at the resolution of the type; `None` if `d` is 0. Saturates.
	pub fn from_ratio_floor(n: u128, d: u128) -> Option<Self> {
		let quotient = (U256::from(n) << FRACTION_BITS).checked_div(U256::from(d))?;
		Some(Self(narrow(quotient)))
	}

	/// The largest number that is not above the ratio.
	pub fn from_perbill_floor(ratio: Perbill) -> Self {
		// n < 2^30, so that neither the shift nor the division can fail.
		Self(((ratio.deconstruct() as u128) << FRACTION_BITS) / 1_000_000_000)
	}

	/// PHA from an amount in planck (10⁻¹² PHA), rounded down.
	pub fn from_planck_floor(amount: Balance) -> Self {
		Self::from_ratio_floor(amount, PHA).unwrap_or(Self::ZERO)
	}

	/// PHA from an amount in planck (10⁻¹² PHA), rounded up.
	pub fn from_planck_ceil(amount: Balance) -> Self {
		let quotient = ceil_div(U256::from(amount) << FRACTION_BITS, U256::from(PHA));
		quotient.map_or(Self::ZERO, |q| Self(narrow(q)))
	}

	/// The amount in planck of this many PHA, rounded down.
	pub fn to_planck_floor(self) -> Balance {
		narrow(wide(self.0, PHA) >> FRACTION_BITS)
	}

	/// The amount in planck of this many PHA, rounded up.
	pub fn to_planck_ceil(self) -> Balance {
		let product = wide(self.0, PHA);
		narrow(product.saturating_add(U256::from(Self::ONE.0 - 1)) >> FRACTION_BITS)
	}

	/// `amount`·self, rounded down; saturating.
	pub fn of_floor(self, amount: Balance) -> Balance {
		narrow(wide(self.0, amount) >> FRACTION_BITS)
	}

	/// self + other, saturating.
	pub const fn saturating_add(self, other: Self) -> Self {
		Self(self.0.saturating_add(other.0))
	}

	/// self − other, at least 0.
	pub const fn saturating_sub(self, other: Self) -> Self {
		Self(self.0.saturating_sub(other.0))
	}

	/// self + other, `None` above [`Self::MAX`].
	pub fn checked_add(self, other: Self) -> Option<Self> {
		self.0.checked_add(other.0).map(Self)
	}

	/// ⌊self·other⌋, saturating.
	pub fn mul_floor(self, other: Self) -> Self {
		Self(narrow(wide(self.0, other.0) >> FRACTION_BITS))
	}

	/// ⌈self·other⌉, saturating.
	pub fn mul_ceil(self, other: Self) -> Self {
		let product = wide(self.0, other.0);
		Self(narrow(product.saturating_add(U256::from(Self::ONE.0 - 1)) >> FRACTION_BITS))
	}

	/// self·n, exact; saturating.
	pub const fn times(self, n: u32) -> Self {
		Self(self.0.saturating_mul(n as u128))
	}

	/// ⌊self / other⌋, saturating; `None` if `other` is 0.
	pub fn div_floor(self, other: Self) -> Option<Self> {
		Self::from_ratio_floor(self.0, other.0)
	}

	/// ⌊√self⌋ at full resolution.
	pub fn sqrt_floor(self) -> Self {
		Self(narrow((U256::from(self.0) << FRACTION_BITS).integer_sqrt()))
	}

	/// ⌈√self⌉ at full resolution.
	pub fn sqrt_ceil(self) -> Self {
		let square = U256::from(self.0) << FRACTION_BITS;
		let root = narrow(square.integer_sqrt());
		Self(if wide(root, root) == square { root } else { root.saturating_add(1) })
	}

	/// ⌊√(self² + other²)⌋ at full resolution, as the squares are kept in 256 bits. Above 2³⁹ the
	/// last bit is lost; saturating.
	pub fn hypot_floor(self, other: Self) -> Self {
		match wide(self.0, self.0).checked_add(wide(other.0, other.0)) {
			Some(sum) => Self(narrow(sum.integer_sqrt())),
			None => {
				let (a, b) = (self.0 >> 1, other.0 >> 1);
				// Each square is below 2^254.
				let half = wide(a, a).saturating_add(wide(b, b)).integer_sqrt();
				Self(narrow(half << 1))
			}
		}
	}

	/// selfⁿ by squaring, rounded down at each of the ⌊log₂ n⌋ + 1 stages; saturating.
	pub fn pow_floor(self, mut n: u32) -> Self {
		let (mut base, mut power) = (self, Self::ONE);
		while n > 0 {
			if n & 1 == 1 {
				power = power.mul_floor(base);
			}
			n >>= 1;
			if n > 0 {
				base = base.mul_floor(base);
			}
		}
		power
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn fixed(text: &str) -> Fixed {
		text.parse().unwrap()
	}

	#[test]
	fn products_and_quotients_round_as_named() {
		let third = Fixed::from_ratio_floor(1, 3).unwrap();
		assert_eq!(third.times(3), Fixed::ONE.saturating_sub(Fixed::EPSILON));
		assert_eq!(third.mul_ceil(Fixed::from_u32(3)).to_bits(), third.times(3).to_bits());
		assert_eq!(Fixed::EPSILON.mul_floor(third), Fixed::ZERO);
		assert_eq!(Fixed::EPSILON.mul_ceil(third), Fixed::EPSILON);
		assert_eq!(Fixed::ONE.div_floor(Fixed::ZERO), None);
		assert_eq!(Fixed::MAX.mul_floor(Fixed::MAX), Fixed::MAX);
		assert_eq!(Fixed::MAX.mul_ceil(Fixed::MAX), Fixed::MAX);
		assert_eq!(Fixed::MAX.hypot_floor(Fixed::MAX), Fixed::MAX);
		assert_eq!(Fixed::from_u32(2).pow_floor(39), Fixed::from_bits(1 << 127));
		assert_eq!(Fixed::from_u32(2).pow_floor(41), Fixed::MAX);
	}

	#[test]
	fn planck_and_back() {
		assert_eq!(Fixed::from_planck_floor(PHA), Fixed::ONE);
		assert_eq!(Fixed::from_planck_floor(1_000_000_000 * PHA).to_planck_floor(), 10u128.pow(21));
		// Down and down again loses the planck that no binary fraction can express; up restores it.
		assert_eq!(Fixed::from_planck_floor(1001).to_planck_floor(), 1000);
		assert_eq!(Fixed::from_planck_ceil(1001).to_planck_floor(), 1001);
		assert_eq!(Fixed::from_planck_floor(1001).to_planck_ceil(), 1001);
		assert_eq!(Fixed::from_u32(5).of_floor(7), 35);
		assert_eq!(Fixed::from_perbill_floor(Perbill::one()), Fixed::ONE);
	}

	#[test]
	fn roots_have_full_resolution() {
		assert_eq!(Fixed::from_u32(9).sqrt_floor(), Fixed::from_u32(3));
		assert_eq!(Fixed::from_u32(9).sqrt_ceil(), Fixed::from_u32(3));
		// √2 to 50 digits, rounded down to 88 bits.
		let root = fixed("1.41421356237309504880168872420969807856967187537694");
		assert!(Fixed::from_u32(2).sqrt_floor() <= root);
		assert!(root.saturating_sub(Fixed::from_u32(2).sqrt_floor()) <= Fixed::EPSILON);
		assert_eq!(
			Fixed::from_u32(2).sqrt_ceil(),
			Fixed::from_u32(2).sqrt_floor().saturating_add(Fixed::EPSILON)
		);
		assert_eq!(Fixed::from_u32(3).hypot_floor(Fixed::from_u32(4)), Fixed::from_u32(5));
	}

	proptest! {
		#[test]
		fn floor_and_ceil_enclose(a in any::<u64>(), b in any::<u64>()) {
			let (x, y) = (Fixed::from_bits((a as u128) << 40), Fixed::from_bits((b as u128) << 30));
			let (down, up) = (x.mul_floor(y), x.mul_ceil(y));
			prop_assert!(up.to_bits() - down.to_bits() <= 1);
			let exact = U256::from(x.to_bits()) * U256::from(y.to_bits());
			prop_assert!(U256::from(down.to_bits()) << FRACTION_BITS <= exact);
			prop_assert!(U256::from(up.to_bits()) << FRACTION_BITS >= exact);
			if let Some(q) = x.div_floor(y) {
				prop_assert!(q.mul_floor(y) <= x);
			}
		}

		#[test]
		fn roots_are_tight(bits in any::<u128>(), other in any::<u128>()) {
			let root = Fixed::from_bits(bits).sqrt_floor().to_bits();
			let square = U256::from(bits) << FRACTION_BITS;
			prop_assert!(wide(root, root) <= square);
			prop_assert!(wide(root + 1, root + 1) > square);
			let (a, b) = (bits >> 1, other >> 1);
			let root = Fixed::from_bits(a).hypot_floor(Fixed::from_bits(b)).to_bits();
			let square = wide(a, a) + wide(b, b);
			prop_assert!(wide(root, root) <= square && wide(root + 1, root + 1) > square);
		}

		#[test]
		fn money_never_grows_in_conversion(amount in 0u128..10u128.pow(21)) {
			let down = Fixed::from_planck_floor(amount);
			prop_assert!(down.to_planck_floor() <= amount);
			prop_assert_eq!(down.to_planck_ceil(), amount);
			prop_assert_eq!(Fixed::from_planck_ceil(amount).to_planck_floor(), amount);
		}
	}
}
