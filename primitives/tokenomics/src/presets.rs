//! Parameter sets with a provenance.

use sp_arithmetic::Perbill;

use crate::{Budget, Fixed, PHA, Parameters};

const SECONDS_PER_YEAR: u128 = 31_536_000;

impl Parameters {
	/// The parameters that this network launches with. A step is a relay-chain block of 6 s.
	///
	/// The hourly and daily figures are those of [`Self::gemini`]: growth 1.0002 per hour (here
	/// 1.0002^(1/600) − 1 to the last bit), slash 0.1 % of V per hour, cost 0.0415625·P + 88.59375
	/// PHA per year, 720 000 PHA per day, of which 20 % to the treasury. Ours are: the decay of the
	/// budget to 75 % every 180 days inside the chain, the cap on pay of 0.05 % of V per hour, and
	/// the probation of an hour.
	pub fn launch() -> Self {
		Self {
			growth: Fixed::from_bits(GROWTH_6S),
			slash: Fixed::constant(1, 600_000),
			cost_slope: Fixed::constant(415_625 * 6, 10_000_000 * SECONDS_PER_YEAR),
			cost_base: Fixed::constant(8_859_375 * 6, 100_000 * SECONDS_PER_YEAR),
			rig_slope: Fixed::constant(3, 10),
			rig_base: Fixed::ZERO,
			stake_multiplier: Fixed::constant(3, 2),
			min_stake_factor: Fixed::from_u32(50),
			v_max: Fixed::from_u32(30_000),
			min_score: 50,
			pay_cap: Fixed::constant(1, 1_200_000),
			probation: 600,
			budget: Budget {
				per_block: 50 * PHA,
				period: 2_592_000,
				keep: Perbill::from_percent(75),
			},
			treasury_share: Perbill::from_percent(20),
		}
	}

	/// The reference network after its "Gemini" vote, in its steps of 12 s: Re 1.5, k 50, and else
	/// as [`Self::phala_genesis`].
	///
	/// Source: Phala's documentation of worker rewards, parameter set `gemini_docs` of the
	/// reference vectors. Nothing capped its pay.
	pub fn gemini() -> Self {
		Self {
			stake_multiplier: Fixed::constant(3, 2),
			min_stake_factor: Fixed::from_u32(50),
			..Self::phala_genesis()
		}
	}

	/// The reference network at genesis, in its steps of 12 s.
	///
	/// Source: parameter set `phala_genesis` of the reference vectors. ρ is printed there as
	/// 1.000000666600231, a little less than 1.0002^(1/300). The decay of the budget was applied by
	/// hand, with the same figures. Nothing capped its pay, and there was no probation.
	pub fn phala_genesis() -> Self {
		Self {
			growth: Fixed::constant(666_600_231, 1_000_000_000_000_000),
			slash: Fixed::constant(1, 300_000),
			cost_slope: Fixed::constant(415_625 * 12, 10_000_000 * SECONDS_PER_YEAR),
			cost_base: Fixed::constant(8_859_375 * 12, 100_000 * SECONDS_PER_YEAR),
			rig_slope: Fixed::constant(3, 10),
			rig_base: Fixed::ZERO,
			stake_multiplier: Fixed::constant(13, 10),
			min_stake_factor: Fixed::from_u32(100),
			v_max: Fixed::from_u32(30_000),
			min_score: 50,
			pay_cap: Fixed::ONE,
			probation: 1,
			budget: Budget {
				per_block: 100 * PHA,
				period: 1_296_000,
				keep: Perbill::from_percent(75),
			},
			treasury_share: Perbill::from_percent(20),
		}
	}
}

/// 1.0002^(1/600) − 1 in units of 2⁻⁸⁸, to nearest.
const GROWTH_6S: u128 = 103_151_372_338_912_428_168;

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn presets_are_within_their_ranges() {
		for preset in [Parameters::launch(), Parameters::gemini(), Parameters::phala_genesis()] {
			assert_eq!(preset.validate(), Ok(()));
		}
	}

	#[test]
	fn launch_compounds_to_the_hourly_figures() {
		let p = Parameters::launch();
		let close = |value: Fixed, expected: &str| {
			let expected: Fixed = expected.parse().unwrap();
			let apart = value.max(expected).saturating_sub(value.min(expected));
			assert!(apart < "0.0000000000000000000001".parse().unwrap(), "{value} {expected}");
		};
		close(Fixed::ONE.saturating_add(p.growth).pow_floor(600), "1.0002");
		close(p.slash.times(600), "0.001");
		close(p.pay_cap.times(600), "0.0005");
		let yearly = p.cost_slope.times(2000).saturating_add(p.cost_base).times(5_256_000);
		assert!(Fixed::from_ratio_floor(17_171_875, 100_000).unwrap() >= yearly);
		assert!(yearly.times(1_000_000).to_planck_ceil() > 171_718_749_999_999_999_000);
		assert_eq!(p.budget.per_block * 14_400, 720_000 * PHA);
	}
}
