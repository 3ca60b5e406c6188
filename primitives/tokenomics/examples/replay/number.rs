//! Numbers of the vectors: decimals, U64F64 bits, tolerances.

use phala_tokenomics::{FRACTION_BITS, Fixed};
use serde_json::Value;

/// How far a value may be from the expected one.
#[derive(Clone, Copy, Debug)]
pub enum Tolerance {
	Absolute(Fixed),
	Relative(Fixed),
}

impl Tolerance {
	/// Reads `exact`, `abs<=1e-15 …` or `rel<=1e-12 …`.
	pub fn parse(text: &str) -> Result<Self, String> {
		let number = |text: &str| {
			let word = text.split([' ', '(']).next().unwrap_or_default();
			scientific(word).ok_or_else(|| format!("tolerance {text:?}"))
		};
		if let Some(rest) = text.strip_prefix("rel<=") {
			Ok(Self::Relative(number(rest)?))
		} else if let Some(rest) = text.strip_prefix("abs<=") {
			Ok(Self::Absolute(number(rest)?))
		} else if text.starts_with("exact") {
			Ok(Self::Absolute(Fixed::ZERO))
		} else {
			Err(format!("tolerance {text:?}"))
		}
	}

	pub fn admits(&self, actual: Fixed, expected: Fixed) -> bool {
		let apart = actual.max(expected).saturating_sub(actual.min(expected));
		apart
			<= match self {
				Self::Absolute(bound) => *bound,
				Self::Relative(bound) => expected.mul_ceil(*bound),
			}
	}
}

fn scientific(text: &str) -> Option<Fixed> {
	let (mantissa, exponent) = text.split_once("e-").unwrap_or((text, "0"));
	let mantissa: Fixed = mantissa.parse().ok()?;
	mantissa.div_floor(Fixed::from_ratio_floor(10u128.checked_pow(exponent.parse().ok()?)?, 1)?)
}

/// A number: a JSON number, decimal text, or `{"dec": …, "u64f64_bits": …}`, whose bits are exact.
pub fn number(value: &Value) -> Option<Fixed> {
	match value {
		Value::String(text) => text.parse().ok(),
		Value::Number(number) => number.to_string().parse().ok(),
		Value::Object(fields) => match fields.get("u64f64_bits") {
			Some(bits) => {
				let bits: u128 = bits.as_str()?.parse().ok()?;
				Some(Fixed::from_bits(bits.checked_mul(1 << (FRACTION_BITS - 64))?))
			}
			None => number(fields.get("dec")?),
		},
		_ => None,
	}
}

pub fn integer(value: &Value) -> Option<u64> {
	value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Planck of a decimal PHA text, or of an integer.
pub fn planck(value: &Value) -> Option<u128> {
	let value: Fixed = number(value)?;
	Some(value.to_planck_ceil())
}

/// Cuts to 64 fractional bits, as each operation of the reference did.
pub fn cut(value: Fixed) -> Fixed {
	Fixed::from_bits(value.to_bits() >> DROPPED << DROPPED)
}

const DROPPED: usize = FRACTION_BITS - 64;

/// Evaluates products and quotients of decimals from the left, such as `0.001*12/3600`, as the
/// reference did: decimals to the nearest of 64 fractional bits, results cut to them.
pub fn constant(text: &str) -> Option<Fixed> {
	let literal = |text: &str| {
		let half = Fixed::from_bits(1 << (DROPPED - 1));
		text.parse().ok().map(|value: Fixed| cut(value.saturating_add(half)))
	};
	let end = text.find(['*', '/']).unwrap_or(text.len());
	let (mut value, mut rest) = (literal(&text[..end])?, &text[end..]);
	while let Some(operator) = rest.chars().next() {
		let end = rest[1..].find(['*', '/']).map_or(rest.len(), |at| at + 1);
		let operand = literal(&rest[1..end])?;
		value = cut(match operator {
			'*' => value.mul_floor(operand),
			_ => value.div_floor(operand)?,
		});
		rest = &rest[end..];
	}
	Some(value)
}
