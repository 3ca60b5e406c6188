//! What all workers together are paid: so much per relay-chain block, less with each period.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

use crate::{Balance, Fixed, RelayBlock};

/// A geometric schedule: `per_block` in the first period, `keep` of it in the second, and so on.
///
/// All periods together spend at most `per_block·period/(1 − keep)`: 518.4 million PHA with the
/// launch parameters.
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
pub struct Budget {
	/// Planck per relay-chain block in the first period.
	pub per_block: Balance,
	/// Length of a period in relay-chain blocks; 0 counts as 1.
	pub period: u32,
	/// What a period keeps of the rate of the one before.
	pub keep: Perbill,
}

impl Budget {
	/// Planck per block in a period, counted from 0; rounded down to whole planck.
	pub fn rate(&self, period: u32) -> Balance {
		Fixed::from_perbill_floor(self.keep).pow_floor(period).of_floor(self.per_block)
	}

	/// The budget of the blocks after `from` up to and including `to`, of a schedule whose first
	/// block is the one after `start`. Blocks before that one have none.
	///
	/// Exact: the sum of the rates of all its blocks. Takes as many turns as periods are touched.
	pub fn between(&self, start: RelayBlock, from: RelayBlock, to: RelayBlock) -> Balance {
		let length = self.period.max(1);
		// From here on, a block's number is the count of blocks before it in the schedule.
		let (mut next, end) = (from.saturating_sub(start), to.saturating_sub(start));
		let mut sum: Balance = 0;
		while next < end {
			let Some(period) = next.checked_div(length) else { break };
			let rate = self.rate(period);
			if rate == 0 {
				break;
			}
			let boundary = period.saturating_add(1).saturating_mul(length).min(end);
			sum = sum.saturating_add(rate.saturating_mul(boundary.saturating_sub(next).into()));
			next = boundary;
		}
		sum
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{PHA, Parameters};
	use proptest::prelude::*;

	#[test]
	fn a_quarter_less_every_180_days() {
		let budget = Parameters::launch().budget;
		let day = |n: u32| budget.between(7, 7 + n * 14_400, 7 + (n + 1) * 14_400);
		assert_eq!(day(0), 720_000 * PHA);
		assert_eq!(day(179), 720_000 * PHA);
		assert_eq!(day(180), 540_000 * PHA);
		assert_eq!(day(360), 405_000 * PHA);
		assert_eq!(day(540), 303_750 * PHA);
		// From the eighth period on, a block's rate is cut to whole planck.
		assert_eq!(day(1260), 96_108_398_437_492_800);
	}

	#[test]
	fn the_schedule_never_spends_the_pot() {
		let budget = Parameters::launch().budget;
		let all = budget.between(0, 0, u32::MAX);
		assert!(all <= 518_400_000 * PHA);
		assert!(all > 518_399_999 * PHA);
		assert_eq!(budget.rate(u32::MAX), 0);
	}

	proptest! {
		#[test]
		fn integration_is_the_sum_of_blocks(
			per_block in 0..200 * PHA,
			period in 1u32..50,
			keep in 0u32..=950_000_000,
			start in 0u32..100,
			from in 0u32..300,
			length in 0u32..300,
		) {
			let budget = Budget { per_block, period, keep: Perbill::from_parts(keep) };
			let by_block = (from + 1..=from + length)
				.filter(|block| *block > start)
				.map(|block| budget.rate((block - start - 1) / period))
				.sum::<Balance>();
			prop_assert_eq!(budget.between(start, from, from + length), by_block);
		}

		#[test]
		fn any_cut_of_an_interval_adds_up(a in 0u32..1_000, b in 0u32..10_000_000, c in 0u32..10_000_000) {
			let budget = Parameters::launch().budget;
			prop_assert_eq!(
				budget.between(500, a, a + b) + budget.between(500, a + b, a + b + c),
				budget.between(500, a, a + b + c)
			);
		}
	}
}
