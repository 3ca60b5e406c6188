//! How far an attestation is trusted, as a score between 0 and 1.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

use crate::Fixed;

/// Tier of an attestation that may mine. Encoded as its number.
#[derive(
	Clone,
	Copy,
	Debug,
	Decode,
	DecodeWithMemTracking,
	Encode,
	Eq,
	MaxEncodedLen,
	PartialEq,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Tier {
	/// Up to date, nothing to configure.
	#[codec(index = 1)]
	One,
	/// Up to date, with a hardened configuration.
	#[codec(index = 2)]
	Two,
	/// Up to date, with software hardening.
	#[codec(index = 3)]
	Three,
	/// Trusted less: score 0.8.
	#[codec(index = 4)]
	Four,
	/// The lowest tier that may mine: score 0.7.
	#[codec(index = 5)]
	Five,
}

/// The tier is not one of 1 to 5: its attestation may not mine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefusedTier(pub u8);

impl TryFrom<u8> for Tier {
	type Error = RefusedTier;

	fn try_from(tier: u8) -> Result<Self, RefusedTier> {
		Ok(match tier {
			1 => Self::One,
			2 => Self::Two,
			3 => Self::Three,
			4 => Self::Four,
			5 => Self::Five,
			_ => return Err(RefusedTier(tier)),
		})
	}
}

impl Tier {
	/// `conf`: the weight of an attestation of this tier, in (0, 1].
	pub const fn confidence(self) -> Perbill {
		match self {
			Self::One | Self::Two | Self::Three => Perbill::from_percent(100),
			Self::Four => Perbill::from_percent(80),
			Self::Five => Perbill::from_percent(70),
		}
	}

	/// [`Self::confidence`] for arithmetic, rounded down.
	pub fn score(self) -> Fixed {
		Fixed::from_perbill_floor(self.confidence())
	}

	/// The less trusted of two tiers.
	pub fn worse(self, other: Self) -> Self {
		if other.confidence() < self.confidence() { other } else { self }
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::{DecodeAll, Encode};

	#[test]
	fn one_to_five_and_nothing_else() {
		for n in 0..=255u8 {
			match Tier::try_from(n) {
				Ok(tier) => assert_eq!(tier.encode(), [n]),
				Err(refused) => {
					assert_eq!(refused, RefusedTier(n));
					assert!(!(1..=5).contains(&n));
					assert!(Tier::decode_all(&mut &[n][..]).is_err());
				}
			}
		}
		assert_eq!(Tier::One.worse(Tier::Five), Tier::Five);
		assert_eq!(Tier::Five.worse(Tier::One), Tier::Five);
	}
}
