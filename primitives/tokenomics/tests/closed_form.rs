//! One jump and single steps agree, over a year of steps; the worst differences are printed.

use phala_tokenomics::{Fixed, Parameters, STEPS_PER_YEAR};
use proptest::prelude::*;

/// |a − b| / b as text with the exponent, and whether it is at most 10⁻¹⁶.
fn apart(a: Fixed, b: Fixed) -> (f64, bool) {
	let difference = a.max(b).saturating_sub(a.min(b)).to_bits() as f64;
	let relative = difference / b.to_bits() as f64;
	(relative, relative <= 1e-16)
}

#[test]
fn a_year_of_steps_is_one_jump() {
	let p = Parameters::launch();
	let uncapped = Parameters { v_max: Fixed::MAX, ..p.clone() };
	let m = Fixed::from_ratio_floor(6, 5).unwrap();
	let start = Fixed::from_u32(1_000);
	let nearly = p.retained(STEPS_PER_YEAR);
	let high = Fixed::from_u32(10_000);
	let (mut v, mut capped, mut left, mut health) = (start, high, Fixed::ONE, nearly);
	for _ in 0..STEPS_PER_YEAR {
		v = uncapped.grown(v, 1_000, m, 1);
		capped = p.grown(capped, 60_000, m, 1);
		left = left.mul_floor(p.retained(1));
		health = p.healed(health, 1);
	}
	let rows = [
		("V, growing at m = 1.2", v, uncapped.grown(start, 1_000, m, STEPS_PER_YEAR)),
		("V, capped", capped, p.grown(high, 60_000, m, STEPS_PER_YEAR)),
		("health, decaying", left, p.retained(STEPS_PER_YEAR)),
		("health, healing", health, p.healed(nearly, STEPS_PER_YEAR)),
	];
	for (what, steps, jump) in rows {
		let (relative, holds) = apart(jump, steps);
		println!("{what}: {steps:.12} in steps, {jump:.12} in one, {relative:.1e} apart");
		assert!(holds, "{what}: {relative:e}");
	}
	assert_eq!(capped, p.v_max);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	/// Any cut of an interval gives the same, so that it does not matter when anyone looks.
	#[test]
	fn any_cut_of_an_interval_gives_the_same(
		v in 100u32..30_000,
		score in 50u32..10_000,
		percent in 0u32..=120,
		cuts in proptest::collection::vec(0u32..200_000, 1..8),
	) {
		let p = Parameters::launch();
		let m = Fixed::from_ratio_floor(percent.into(), 100).unwrap();
		let total: u32 = cuts.iter().sum();
		let v = Fixed::from_u32(v);
		let (mut grown, mut left, mut healed) = (v, Fixed::ONE, p.retained(30_000));
		for steps in cuts {
			grown = p.grown(grown, score, m, steps);
			left = left.mul_floor(p.retained(steps));
			healed = p.healed(healed, steps);
		}
		prop_assert!(apart(p.grown(v, score, m, total), grown).1);
		prop_assert!(apart(p.retained(total), left).1);
		prop_assert!(apart(p.healed(p.retained(30_000), total), healed).1);
	}
}
