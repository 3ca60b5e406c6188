//! What a stake earns in a year, in a network as it is now.

use crate::{Balance, Fixed, Parameters, Session, performance, value};

/// Steps of 6 s in a year of 365 days.
pub const STEPS_PER_YEAR: u32 = 5_256_000;

/// A worker in a network, for which to compute the yearly return.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Prospect {
	/// Stake in planck.
	pub stake: Balance,
	/// V in PHA.
	pub v: Fixed,
	/// P_bench.
	pub bench: u32,
	/// P_now.
	pub performance: Fixed,
	/// Tier of the attestation.
	pub tier: crate::Tier,
	/// Σshare of the network with this worker in it.
	pub sum: Fixed,
	/// Budget of the network per step, in planck.
	pub rate: Balance,
}

impl Prospect {
	/// A session as it was at its last event, in the network of that moment.
	pub fn of(session: &Session, sum: Fixed, rate: Balance) -> Self {
		Self {
			stake: session.stake(),
			v: session.v(),
			bench: session.bench(),
			performance: session.performance(),
			tier: session.tier(),
			sum,
			rate,
		}
	}
}

impl Parameters {
	/// Rewards of a year to the worker's pool over its stake, if everything stays as it is: 0.2 is
	/// 20 %. Before the pool's commission. 0 without a stake or without a network.
	pub fn apr(&self, prospect: &Prospect) -> Fixed {
		let Prospect { stake, v, bench, performance, tier, sum, rate } = *prospect;
		let part = value::share(v, performance, tier).div_floor(sum).unwrap_or(Fixed::ZERO);
		let gross = part.min(Fixed::ONE).of_floor(rate.saturating_mul(STEPS_PER_YEAR as Balance));
		let factor = performance::pay_factor(performance, bench, tier);
		let year = self.split(gross, factor, self.most_pay(v, STEPS_PER_YEAR), Balance::MAX);
		Fixed::from_ratio_floor(year.pool, stake).unwrap_or(Fixed::ZERO)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{PHA, Tier};

	fn prospect(sum: u32) -> Prospect {
		let p = Parameters::launch();
		let stake = 2_000 * PHA;
		let v = p.initial_value(stake, 1_000, Tier::One);
		Prospect {
			stake,
			v,
			bench: 1_000,
			performance: Fixed::from_u32(1_000),
			tier: Tier::One,
			sum: Fixed::from_u32(sum),
			rate: 50 * PHA,
		}
	}

	#[test]
	fn crowded_networks_dilute_and_small_ones_are_capped() {
		let p = Parameters::launch();
		let percent = |prospect: &Prospect| p.apr(prospect).times(100).to_planck_floor() / PHA;
		// V 3450, share 3987.8: of 80 million, 720 000·365·0.8·3987.8/8·10⁷/2000 = 5.238.
		assert_eq!(percent(&prospect(80_000_000)), 523);
		assert_eq!(percent(&prospect(400_000_000)), 104);
		// Alone: 0.05 % of 3450 per hour, of which 80 %: 8760·1.38/2000.
		assert_eq!(percent(&prospect(4_000)), 604);
	}

	#[test]
	fn quality_counts() {
		let p = Parameters::launch();
		let good = prospect(400_000_000);
		let slow = Prospect { performance: Fixed::from_u32(500), ..good };
		let low = Prospect { tier: Tier::Five, ..good };
		assert!(p.apr(&slow) < p.apr(&good) && p.apr(&low) < p.apr(&good));
		assert_eq!(p.apr(&Prospect { stake: 0, ..good }), Fixed::ZERO);
		assert_eq!(p.apr(&Prospect { sum: Fixed::ZERO, ..good }), Fixed::ZERO);
	}
}
