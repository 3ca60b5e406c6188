//! Fractions, ceilings and bonds: pure functions that never panic. Everything rounds so that less is
//! taken. Amounts are plancks.
//!
//! Offences of one class in one era are weighed by *stake*, not by heads: each weighs `severity ·
//! stake`, and the *exposure* `x` is the sum of these weights over the stake of the whole class. So
//! nothing changes when somebody splits what he has into many offenders or many reports.

use phala_primitives::Correlation;
use sp_runtime::Perquintill;

/// What the weights of an era's offences add up to, and the stake that they are measured against.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
	/// Sum of the weights of the offences.
	pub weight: u128,
	/// Stake of the whole class.
	pub total: u128,
}

impl Exposure {
	/// `x`: the share of the stake that offended, rounded down; 1 where there is no stake.
	pub fn share(self) -> Perquintill {
		Perquintill::from_rational(self.weight.min(self.total), self.total)
	}
}

/// The figures of a class that decide a fraction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Fractions {
	/// Fraction for an offence on its own.
	pub base: Perquintill,
	/// For a class that correlation lowers, the exposure up to which nothing is lowered; for one that
	/// it raises, the fraction beyond which nothing is raised.
	pub correlated: Perquintill,
}

/// Weight of an offence in the exposure of its era.
pub fn weight(severity: Perquintill, stake: u128) -> u128 {
	severity.mul_ceil(stake)
}

/// Fraction of an offender's stake that an offence costs.
///
/// - *Independent*: `severity · base`.
/// - *Lowers*, with the tolerated exposure `t`: `severity · base · min(1, t/x)`. The losses of an era
///   then add up to at most `base · t` of the class's stake, and their sum never falls when more
///   offend: nobody gains by pulling others down with him.
/// - *Raises*, up to the limit `m`: `severity · max(base, min(m, (3x)²))`, the rule by which Polkadot
///   punishes equivocation (`(3k/n)²` for `k` of `n` validators, `sp_staking::offence`): a single
///   fault costs little, a third of the stake, which is what breaks an agreement, everything.
pub fn fraction(
	correlation: Correlation,
	figures: Fractions,
	severity: Perquintill,
	exposure: Exposure,
) -> Perquintill {
	let Fractions { base, correlated } = figures;
	match correlation {
		Correlation::Independent => severity * base,
		Correlation::Lowers => {
			let tolerated = correlated.mul_floor(exposure.total);
			severity
				* base * Perquintill::from_rational(tolerated.min(exposure.weight), exposure.weight)
		}
		Correlation::Raises => {
			let triple = exposure.share().deconstruct().saturating_mul(3);
			let raised = Perquintill::from_parts(triple).square();
			severity * raised.min(correlated).max(base)
		}
	}
}

/// What one era may take from a class: `ceiling` of its stake, but at least `least`, so that the tail
/// of a large slash in a small class comes to an end.
pub fn era_limit(ceiling: Perquintill, total: u128, least: u128) -> u128 {
	ceiling.mul_floor(total).max(least)
}

/// Accusations that are open while the bond for the next one is still the same.
pub const ACCUSATIONS_PER_DOUBLING: u32 = 16;

/// Bond for an accusation when `open` others are: doubles with every
/// [`ACCUSATIONS_PER_DOUBLING`], so that filling the list costs more than anybody has.
pub fn bond(base: u128, open: u32) -> u128 {
	let doublings = open / ACCUSATIONS_PER_DOUBLING;
	base.saturating_mul(1u128.checked_shl(doublings).unwrap_or(u128::MAX))
}

/// Is `new` at most twice and at least half of `old`, give or take `grain`? The grain lets a value
/// leave zero.
pub fn within_step(old: u128, new: u128, grain: u128) -> bool {
	old.max(new) <= old.min(new).saturating_mul(2).saturating_add(grain)
}
