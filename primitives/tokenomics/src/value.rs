//! V, the promise of value to a worker: how it starts, grows and falls; and the share it gives.
//!
//! What a worker may claim is rounded down, what it must bring is rounded up.

use crate::{Balance, Fixed, Parameters, Tier, affine};

impl Parameters {
	/// f = 1 + conf·(Re − 1): V per PHA of stake.
	pub fn stake_factor(&self, tier: Tier) -> Fixed {
		let bonus = self.stake_multiplier.saturating_sub(Fixed::ONE);
		Fixed::ONE.saturating_add(tier.score().mul_floor(bonus))
	}

	/// C = rig_k·P + rig_b, in PHA.
	pub fn rig_cost(&self, score: u32) -> Fixed {
		self.rig_slope.times(score).saturating_add(self.rig_base)
	}

	/// cost_k·P + cost_b: what it costs to run a worker for a step, in PHA.
	pub fn running_cost(&self, score: u32) -> Fixed {
		self.cost_slope.times(score).saturating_add(self.cost_base)
	}

	/// V^e = f·(S + C), in PHA.
	pub fn initial_value(&self, stake: Balance, score: u32, tier: Tier) -> Fixed {
		let worth = Fixed::from_planck_floor(stake).saturating_add(self.rig_cost(score));
		self.stake_factor(tier).mul_floor(worth)
	}

	/// S_min = k·√P in planck, rounded up.
	pub fn min_stake(&self, score: u32) -> Balance {
		self.min_stake_factor.mul_ceil(Fixed::from_u32(score).sqrt_ceil()).to_planck_ceil()
	}

	/// The largest stake in planck with V^e ≤ V_max, to within a planck below; 0 if the rig alone
	/// is above.
	pub fn max_stake(&self, score: u32, tier: Tier) -> Balance {
		// f ≥ 1.
		let worth = self.v_max.div_floor(self.stake_factor(tier)).unwrap_or(Fixed::ZERO);
		worth.saturating_sub(self.rig_cost(score)).to_planck_floor()
	}

	/// V after `steps` steps of computing at `multiplier` = P_now/P_bench:
	/// each V := min(V + m·((ρ−1)·V + cost), V_max).
	pub fn grown(&self, v: Fixed, score: u32, multiplier: Fixed, steps: u32) -> Fixed {
		let factor = Fixed::ONE.saturating_add(multiplier.mul_floor(self.growth));
		let cost = multiplier.mul_floor(self.running_cost(score));
		affine::iterate(v, factor, cost, steps, self.v_max)
	}

	/// Health after `steps` steps of computing: each h := min(1, h·ρ).
	pub fn healed(&self, health: Fixed, steps: u32) -> Fixed {
		let factor = Fixed::ONE.saturating_add(self.growth);
		affine::iterate(health, factor, Fixed::ZERO, steps, Fixed::ONE)
	}

	/// (1 − s)ⁿ: what `steps` unresponsive steps leave of V, and of health.
	pub fn retained(&self, steps: u32) -> Fixed {
		Fixed::ONE.saturating_sub(self.slash).pow_floor(steps)
	}
}

/// √(V² + (2·P·conf)²): the weight of a worker among all.
pub fn share(v: Fixed, performance: Fixed, tier: Tier) -> Fixed {
	v.hypot_floor(performance.times(2).mul_floor(tier.score()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::PHA;
	use primitive_types::U256;
	use proptest::prelude::*;

	fn tiers() -> impl Strategy<Value = Tier> {
		(1u8..=5).prop_map(|n| Tier::try_from(n).unwrap())
	}

	proptest! {
		#[test]
		fn max_stake_is_the_boundary(score in 1u32..50_000, tier in tiers()) {
			let p = Parameters::launch();
			let max = p.max_stake(score, tier);
			if max > 0 {
				prop_assert!(p.initial_value(max, score, tier) <= p.v_max);
				prop_assert!(p.initial_value(max + 2, score, tier) > p.v_max);
			}
		}

		#[test]
		fn min_stake_squared_covers_the_score(score in 1u32..100_000) {
			let p = Parameters::launch();
			// S² ≥ k²·P in planck², and no longer with two planck less.
			let square = |stake: Balance| U256::from(stake).pow(2.into());
			let bound = U256::from(2_500 * PHA * score as u128) * U256::from(PHA);
			let stake = p.min_stake(score);
			prop_assert!(square(stake) >= bound && square(stake - 2) < bound);
		}

		#[test]
		fn value_is_monotone_and_capped(
			bits in 0u128..30_000 << 88,
			score in 0u32..50_000,
			m in 0u128..=6 << 86,
			steps in 0u32..10_000_000,
		) {
			let p = Parameters::launch();
			let (v, m) = (Fixed::from_bits(bits), Fixed::from_bits(m));
			let grown = p.grown(v, score, m, steps);
			prop_assert!(v <= grown && grown <= p.v_max);
			prop_assert!(p.grown(v, score, m, steps + 1) >= grown);
			prop_assert!(p.retained(steps) <= Fixed::ONE);
			prop_assert!(p.retained(steps + 1) <= p.retained(steps));
			prop_assert!(p.healed(p.retained(steps), steps) <= Fixed::ONE);
		}

		#[test]
		fn share_is_at_least_each_part(v in 0u128..30_000 << 88, score in 0u32..100_000, tier in tiers()) {
			let (v, performance) = (Fixed::from_bits(v), Fixed::from_u32(score));
			let share = share(v, performance, tier);
			let part = performance.times(2).mul_floor(tier.score());
			prop_assert!(share >= v && share >= part && share <= v.saturating_add(part));
		}
	}
}
