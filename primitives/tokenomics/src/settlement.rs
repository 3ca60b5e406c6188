//! From what a worker's share earned to what leaves the pot, and why the rest does not.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::PerThing;

use crate::{Balance, Fixed, Parameters};

/// The settlement of one interval, in planck.
///
/// `gross = pool + treasury + cap + quality + shortfall + rounding`, always. What is neither `pool`
/// nor `treasury` stays in the pot.
#[derive(
	Clone,
	Copy,
	Debug,
	Decode,
	DecodeWithMemTracking,
	Default,
	Encode,
	Eq,
	MaxEncodedLen,
	PartialEq,
	TypeInfo,
)]
pub struct Settlement {
	/// What the share earned.
	pub gross: Balance,
	/// To the worker's pool.
	pub pool: Balance,
	/// To the treasury.
	pub treasury: Balance,
	/// Not paid because it was above the cap per hour.
	pub cap: Balance,
	/// Not paid because of the attestation's tier, of computing slower than the benchmark, or of an
	/// attestation that expired.
	pub quality: Balance,
	/// Not paid because the pot had no more.
	pub shortfall: Balance,
	/// Less than two planck that the split between pool and treasury leaves.
	pub rounding: Balance,
}

impl Parameters {
	/// The most that `steps` steps pay a worker of value `v`, with the treasury's part, in planck.
	pub fn most_pay(&self, v: Fixed, steps: u32) -> Balance {
		self.pay_cap.times(steps).mul_floor(v).to_planck_floor()
	}

	/// Splits what a share earned. `factor` is [`pay_factor`](crate::performance::pay_factor), `most`
	/// the [cap](Self::most_pay), `available` what the pot can pay.
	///
	/// The cap comes before the factor, so that quality counts in a network so small that the cap
	/// binds for everyone.
	pub fn split(
		&self,
		gross: Balance,
		factor: Fixed,
		most: Balance,
		available: Balance,
	) -> Settlement {
		let capped = gross.min(most);
		let earned = factor.min(Fixed::ONE).of_floor(capped);
		let payable = earned.min(available);
		let treasury = self.treasury_share.mul_floor(payable);
		let pool = self.treasury_share.left_from_one().mul_floor(payable);
		Settlement {
			gross,
			pool,
			treasury,
			cap: gross.saturating_sub(capped),
			quality: capped.saturating_sub(earned),
			shortfall: earned.saturating_sub(payable),
			rounding: payable.saturating_sub(treasury).saturating_sub(pool),
		}
	}
}

impl Settlement {
	/// What stays in the pot.
	pub fn withheld(&self) -> Balance {
		self.gross.saturating_sub(self.pool).saturating_sub(self.treasury)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::PHA;
	use proptest::prelude::*;

	#[test]
	fn each_reason_is_named() {
		let p = Parameters::launch();
		let half = Fixed::from_ratio_floor(1, 2).unwrap();
		let s = p.split(100 * PHA, half, 80 * PHA, 30 * PHA);
		assert_eq!((s.cap, s.quality, s.shortfall), (20 * PHA, 40 * PHA, 10 * PHA));
		assert_eq!((s.pool, s.treasury, s.rounding), (24 * PHA, 6 * PHA, 0));
		assert_eq!(s.withheld(), 70 * PHA);
		assert_eq!(p.split(7, Fixed::ONE, 7, 7).rounding, 1);
		// 0.05 % of V per hour.
		let v = Fixed::from_u32(3_000);
		assert_eq!(p.most_pay(v, 600).div_ceil(1_000_000), PHA * 3 / 2 / 1_000_000);
	}

	proptest! {
		#[test]
		fn every_planck_has_a_place(
			gross in 0..10u128.pow(21),
			factor in 0u128..2 << 88,
			most in 0..10u128.pow(21),
			available in 0..10u128.pow(21),
		) {
			let s = Parameters::launch().split(gross, Fixed::from_bits(factor), most, available);
			prop_assert_eq!(
				s.gross,
				s.pool + s.treasury + s.cap + s.quality + s.shortfall + s.rounding
			);
			prop_assert!(s.rounding < 2);
			prop_assert!(s.pool + s.treasury <= most.min(available));
			prop_assert!(s.treasury <= s.pool / 4 + 1);
			prop_assert!(s.pool <= s.treasury * 4 + 4);
		}
	}
}
