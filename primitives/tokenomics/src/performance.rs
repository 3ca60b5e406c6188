//! What a worker measured while it computed: P_inst, and the factors that pay takes from it.

use crate::{Fixed, Tier};

/// Milliseconds in which a score counts iterations.
pub const SCORE_PERIOD_MS: u64 = 6_000;

/// P_inst = min(iterations per 6 s, 1.2·P_bench) for `iterations` done in `millis` milliseconds;
/// 0 if no time passed.
///
/// The chain takes the time from its own blocks, never from the worker's clock.
pub fn instant_performance(iterations: u64, millis: u64, bench: u32) -> Fixed {
	let per_period = (iterations as u128).saturating_mul(SCORE_PERIOD_MS as u128);
	let measured = Fixed::from_ratio_floor(per_period, millis as u128).unwrap_or(Fixed::ZERO);
	measured.min(ceiling(bench))
}

/// 1.2·P_bench: a worker cannot be measured above this.
pub fn ceiling(bench: u32) -> Fixed {
	Fixed::from_u32(bench).saturating_add(Fixed::constant(bench as u64, 5))
}

/// Whether P_inst counts as computing at all: at least half of P_bench. Less is a miss.
pub fn is_computing(performance: Fixed, bench: u32) -> bool {
	performance.times(2) >= Fixed::from_u32(bench)
}

/// m = P_now/P_bench, rounded down; 1 if P_bench is 0.
pub fn multiplier(performance: Fixed, bench: u32) -> Fixed {
	performance.div_floor(Fixed::from_u32(bench)).unwrap_or(Fixed::ONE)
}

/// conf·min(1, P_inst/P_bench): the part of its dues that a worker is paid.
pub fn pay_factor(performance: Fixed, bench: u32, tier: Tier) -> Fixed {
	tier.score().mul_floor(multiplier(performance, bench).min(Fixed::ONE))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn measured_over_the_chains_time() {
		assert_eq!(instant_performance(11_000, 100_000, 600), Fixed::from_u32(660));
		assert_eq!(instant_performance(15_000, 100_000, 600), Fixed::from_u32(720));
		assert_eq!(instant_performance(u64::MAX, 1, 600), Fixed::from_u32(720));
		assert_eq!(instant_performance(1_000, 0, 600), Fixed::ZERO);
		assert_eq!(instant_performance(0, 100, 600), Fixed::ZERO);
	}

	#[test]
	fn half_of_the_benchmark_is_the_floor() {
		assert!(is_computing(Fixed::from_u32(300), 600));
		assert!(!is_computing(Fixed::from_u32(300).saturating_sub(Fixed::EPSILON), 600));
		assert!(is_computing(Fixed::from_ratio_floor(1, 2).unwrap(), 1));
	}

	#[test]
	fn pay_rewards_no_more_than_the_benchmark() {
		assert_eq!(pay_factor(Fixed::from_u32(720), 600, Tier::One), Fixed::ONE);
		assert_eq!(pay_factor(Fixed::from_u32(300), 600, Tier::One).times(2), Fixed::ONE);
		assert_eq!(pay_factor(Fixed::from_u32(600), 600, Tier::Five), Tier::Five.score());
		assert_eq!(pay_factor(Fixed::ZERO, 600, Tier::One), Fixed::ZERO);
		assert_eq!(multiplier(Fixed::ZERO, 0), Fixed::ONE);
	}
}
