//! [`Fixed`] as decimal text: exact when written, rounded to nearest when read.

use core::{
	fmt::{self, Display, Formatter, Write},
	str::FromStr,
};
use primitive_types::U256;

use super::{FRACTION_BITS, Fixed};

/// Why a text is no [`Fixed`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParseFixedError {
	/// Not of the form `12`, `12.5` or `.5`. Write plain decimals without sign or exponent.
	Syntax,
	/// Not below 2⁴⁰.
	Overflow,
}

impl Display for ParseFixedError {
	fn fmt(&self, f: &mut Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::Syntax => "not a plain decimal number such as 12 or 0.5",
			Self::Overflow => "not below 2^40",
		})
	}
}

impl core::error::Error for ParseFixedError {}

const FRACTION_MASK: u128 = (1 << FRACTION_BITS) - 1;

impl Display for Fixed {
	/// Writes all digits, or as many as the precision asks for (cut, not rounded).
	fn fmt(&self, f: &mut Formatter) -> fmt::Result {
		write!(f, "{}", self.to_bits() >> FRACTION_BITS)?;
		let mut fraction = self.to_bits() & FRACTION_MASK;
		let mut digits = f.precision().unwrap_or(if fraction == 0 { 0 } else { usize::MAX });
		if digits > 0 {
			f.write_char('.')?;
		}
		while digits > 0 && (fraction > 0 || f.precision().is_some()) {
			// Below 10·2^88.
			fraction = fraction.saturating_mul(10);
			let digit = (fraction >> FRACTION_BITS) as u8;
			f.write_char((b'0' + digit) as char)?;
			fraction &= FRACTION_MASK;
			digits -= 1;
		}
		Ok(())
	}
}

impl FromStr for Fixed {
	type Err = ParseFixedError;

	/// Reads a plain decimal number, to nearest (ties up). The first 36 decimals count.
	fn from_str(text: &str) -> Result<Self, ParseFixedError> {
		let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
		if whole.is_empty() && decimals.is_empty() {
			return Err(ParseFixedError::Syntax);
		}
		let digit = |c: char| c.to_digit(10).ok_or(ParseFixedError::Syntax);
		let mut integer = 0u128;
		for c in whole.chars() {
			integer = integer.saturating_mul(10).saturating_add(digit(c)? as u128);
		}
		if integer >> (128 - FRACTION_BITS) != 0 {
			return Err(ParseFixedError::Overflow);
		}
		// At most 10^36 < 2^120: the fraction, scaled by 2^89, stays within 209 bits.
		let (mut numerator, mut denominator) = (0u128, 1u128);
		for (i, c) in decimals.chars().enumerate() {
			let digit = digit(c)?;
			if i < 36 {
				numerator = numerator.saturating_mul(10).saturating_add(digit as u128);
				denominator = denominator.saturating_mul(10);
			}
		}
		let doubled = (U256::from(numerator) << (FRACTION_BITS + 1))
			.checked_div(U256::from(denominator))
			.and_then(|d| u128::try_from(d).ok())
			.ok_or(ParseFixedError::Overflow)?;
		let fraction = (doubled >> 1).saturating_add(doubled & 1);
		(integer << FRACTION_BITS)
			.checked_add(fraction)
			.map(Self::from_bits)
			.ok_or(ParseFixedError::Overflow)
	}
}

#[cfg(feature = "serde")]
mod serde_text {
	use super::Fixed;
	use core::fmt;
	use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

	impl Serialize for Fixed {
		/// As decimal text, exactly.
		fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
			serializer.collect_str(self)
		}
	}

	struct TextVisitor;

	impl de::Visitor<'_> for TextVisitor {
		type Value = Fixed;

		fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
			f.write_str("a decimal number as text")
		}

		fn visit_str<E: de::Error>(self, text: &str) -> Result<Fixed, E> {
			text.parse().map_err(E::custom)
		}
	}

	impl<'de> Deserialize<'de> for Fixed {
		/// From decimal text, to nearest.
		fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
			deserializer.deserialize_str(TextVisitor)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::string::ToString;

	#[test]
	fn reads_and_writes_decimals() {
		for text in ["0", "1", "0.5", "30000", "1099511627775", "12.0625"] {
			assert_eq!(text.parse::<Fixed>().unwrap().to_string(), text);
		}
		assert_eq!(".25".parse(), Ok(Fixed::from_bits(Fixed::ONE.to_bits() / 4)));
		assert_eq!("7.".parse(), Ok(Fixed::from_u32(7)));
		assert_eq!(std::format!("{:.3}", Fixed::from_ratio_floor(2, 3).unwrap()), "0.666");
		assert_eq!(std::format!("{:.2}", Fixed::from_u32(7)), "7.00");
		// To nearest, also where the carry reaches the integer.
		assert_eq!("0.999999999999999999999999999999999999".parse(), Ok(Fixed::ONE));
	}

	#[test]
	fn refuses_what_is_no_number() {
		for text in ["", ".", "-1", "1e3", "1,5", " 1", "1.2.3", "0x1", "1.5a"] {
			assert_eq!(text.parse::<Fixed>(), Err(ParseFixedError::Syntax), "{text:?}");
		}
		assert_eq!("1099511627776".parse::<Fixed>(), Err(ParseFixedError::Overflow));
		let many = "9".repeat(80);
		assert_eq!(many.parse::<Fixed>(), Err(ParseFixedError::Overflow));
	}

	#[cfg(feature = "serde")]
	#[test]
	fn parameters_round_trip_as_json() {
		let launch = crate::Parameters::launch();
		let json = serde_json::to_string(&launch).unwrap();
		assert!(json.contains(r#""stake_multiplier":"1.5""#), "{json}");
		assert_eq!(serde_json::from_str::<crate::Parameters>(&json).unwrap(), launch);
		assert!(serde_json::from_str::<Fixed>("\"1e3\"").is_err());
	}

	proptest! {
		#[test]
		fn text_round_trips(bits in any::<u128>()) {
			// 88 decimals write every number exactly, and 36 of them identify it.
			let number = Fixed::from_bits(bits);
			prop_assert_eq!(number.to_string().parse(), Ok(number));
		}
	}
}
