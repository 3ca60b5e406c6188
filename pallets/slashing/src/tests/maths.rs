//! The formulas, over their whole range.

use crate::maths::*;
use phala_primitives::Correlation::{self, *};
use proptest::prelude::*;
use sp_runtime::Perquintill;

const SUPPLY: u128 = 1_000_000_000 * 1_000_000_000_000;

fn any_fraction() -> impl Strategy<Value = Perquintill> {
	prop_oneof![
		(0..=1_000_000_000_000_000_000u64).prop_map(Perquintill::from_parts),
		(0..=100u64).prop_map(Perquintill::from_percent),
	]
}

fn figures() -> impl Strategy<Value = Fractions> {
	(any_fraction(), any_fraction()).prop_map(|(base, correlated)| Fractions { base, correlated })
}

fn percent(n: u64) -> Perquintill {
	Perquintill::from_percent(n)
}

fn at(correlation: Correlation, base: u64, correlated: u64, weight: u128) -> Perquintill {
	let figures = Fractions { base: percent(base), correlated: percent(correlated) };
	fraction(correlation, figures, Perquintill::one(), Exposure { weight, total: 1_000 })
}

#[test]
fn fractions_of_a_table() {
	for (correlation, base, correlated, weight, parts_per_mille) in [
		(Independent, 50, 0, 1_000, 500),
		// Up to the tolerated 10 % nothing is lowered; at 20 % half, at 100 % a tenth.
		(Lowers, 100, 10, 1, 1_000),
		(Lowers, 100, 10, 100, 1_000),
		(Lowers, 100, 10, 200, 500),
		(Lowers, 100, 10, 1_000, 100),
		(Lowers, 50, 10, 1_000, 50),
		// (3x)²: 10 % of the stake costs 9 %, less than the base; 20 % cost 36 %, a third everything.
		(Raises, 10, 100, 1, 100),
		(Raises, 10, 100, 100, 100),
		(Raises, 10, 100, 200, 360),
		(Raises, 10, 100, 334, 1_000),
		(Raises, 10, 100, 1_000, 1_000),
		(Raises, 10, 50, 334, 500),
	] {
		let expected = Perquintill::from_rational(parts_per_mille, 1_000u64);
		let actual = at(correlation, base, correlated, weight);
		assert_eq!(actual, expected, "{correlation:?} at {weight} of 1,000");
	}
}

#[test]
fn nothing_at_stake_is_no_division_by_zero() {
	for correlation in [Independent, Lowers, Raises] {
		let figures = Fractions { base: percent(10), correlated: percent(20) };
		let exposure = Exposure { weight: 0, total: 0 };
		let one = fraction(correlation, figures, Perquintill::one(), exposure);
		assert!(one >= percent(10) && one <= percent(20));
	}
}

#[test]
fn bond_of_the_last_place_exceeds_the_supply() {
	let base = 100 * 1_000_000_000_000;
	assert_eq!(bond(base, 0), base);
	assert_eq!(bond(base, 15), base);
	assert_eq!(bond(base, 16), 2 * base);
	assert_eq!(bond(base, 32), 4 * base);
	assert!(bond(base, 400) > SUPPLY / 1_000);
	assert_eq!(bond(base, u32::MAX), u128::MAX);
	let of_256: u128 = (0..256).map(|open| bond(base, open)).sum();
	assert!(of_256 > SUPPLY / 10, "filling 256 places takes a tenth of all PHA");
}

proptest! {
	#![proptest_config(crate::mock::cases(2_000))]

	#[test]
	fn never_panics_and_never_exceeds_the_worst(
		figures in figures(),
		severity in any_fraction(),
		weight: u128,
		total: u128,
		stake: u128,
	) {
		let exposure = Exposure { weight, total };
		for correlation in [Independent, Lowers, Raises] {
			let fraction = fraction(correlation, figures, severity, exposure);
			prop_assert!(fraction <= severity);
			prop_assert!(fraction <= figures.base.max(figures.correlated));
			if correlation == Lowers {
				prop_assert!(fraction <= figures.base);
			}
			prop_assert!(fraction.mul_floor(stake) <= stake);
		}
		let _ = exposure.share();
	}

	/// An outage of many costs each less, but never all of them together less: nobody gains by
	/// pulling others down. And all of them together lose no more than what is tolerated.
	#[test]
	fn outages_are_lowered_and_their_sum_is_not(
		figures in figures(),
		total in 1..SUPPLY,
		a in any_fraction(),
		b in any_fraction(),
	) {
		let (less, more) = (a.min(b).mul_ceil(total), a.max(b).mul_ceil(total));
		let at = |weight| fraction(Lowers, figures, Perquintill::one(), Exposure { weight, total });
		prop_assert!(at(more) <= at(less));
		let sum = |weight| at(weight).mul_floor(weight);
		// Two roundings of 10⁻¹⁸ each.
		let rounding = 3 + total / 250_000_000_000_000_000;
		prop_assert!(sum(more) + rounding >= sum(less));
		prop_assert!(sum(more) <= figures.correlated.mul_floor(total));
		prop_assert!(sum(more) <= figures.base.mul_floor(more));
	}

	/// Equivocation only ever grows with the share of the stake that did it, from the base to the
	/// limit.
	#[test]
	fn equivocations_are_raised(
		base in any_fraction(),
		limit in any_fraction(),
		total in 1..SUPPLY,
		a in any_fraction(),
		b in any_fraction(),
	) {
		let figures = Fractions { base: base.min(limit), correlated: base.max(limit) };
		let (less, more) = (a.min(b).mul_ceil(total), a.max(b).mul_ceil(total));
		let at = |weight| fraction(Raises, figures, Perquintill::one(), Exposure { weight, total });
		prop_assert!(at(0) == figures.base && at(less) <= at(more));
		prop_assert!(at(more) <= figures.correlated);
		prop_assert_eq!(at(total), figures.correlated);
	}

	/// Splitting an offence into many changes neither the exposure nor, but for rounding, the loss.
	#[test]
	fn splitting_gains_nothing(
		figures in figures(),
		severity in any_fraction(),
		stakes in prop::collection::vec(1..SUPPLY / 100, 1..20),
	) {
		let (whole, total) = (stakes.iter().sum::<u128>(), SUPPLY);
		let one = weight(severity, whole);
		let many: u128 = stakes.iter().map(|stake| weight(severity, *stake)).sum();
		prop_assert!(many >= one && many - one <= stakes.len() as u128);
		for correlation in [Independent, Lowers, Raises] {
			let loss = |weight| {
				let fraction = fraction(correlation, figures, severity, Exposure { weight, total });
				(fraction.mul_floor(whole), stakes.iter().map(|one| fraction.mul_floor(*one)).sum())
			};
			let (together, split): (u128, u128) = loss(many);
			prop_assert!(split <= together && together - split <= stakes.len() as u128);
		}
	}

	#[test]
	fn an_era_takes_its_share_or_the_least(
		ceiling in any_fraction(),
		total in 0..SUPPLY,
		least in 0..SUPPLY,
	) {
		let limit = era_limit(ceiling, total, least);
		prop_assert!(limit >= least);
		prop_assert!(limit == least || limit <= total);
	}

	#[test]
	fn bonds_never_fall_as_the_list_fills(base in 1..SUPPLY, open in 0..2_000u32) {
		prop_assert!(bond(base, open) <= bond(base, open + 1));
		prop_assert!(bond(base, open) >= base);
	}

	/// No sequence of permitted steps goes faster than doubling.
	#[test]
	fn a_step_at_most_doubles_or_halves(old in 0..SUPPLY, new in 0..SUPPLY, grain in 0..1_000u128) {
		let allowed = within_step(old, new, grain);
		prop_assert_eq!(allowed, new <= 2 * old + grain && old <= 2 * new + grain);
		prop_assert_eq!(allowed, within_step(new, old, grain));
	}
}
