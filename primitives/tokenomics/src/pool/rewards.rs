//! Rewards of a pool, credited to all shares at once.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

use crate::{Balance, Fixed};

/// Reward per share since the pool began. A holder is owed the difference since it last claimed.
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
pub struct Rewards {
	per_share: Fixed,
}

impl Rewards {
	/// Planck per share so far: what a holder's snapshot stores.
	pub fn per_share(&self) -> Fixed {
		self.per_share
	}

	/// Credits `amount` planck to `total` shares. Returns what could not be credited, for the caller
	/// to keep for the next time: all of it if there are no shares, or so few of them that the index
	/// would leave its range (10¹² planck per share).
	pub fn credit(&mut self, amount: Balance, total: Balance) -> Balance {
		// A saturated quotient does not fit either.
		let increment = Fixed::from_ratio_floor(amount, total).filter(|each| *each < Fixed::MAX);
		match increment.and_then(|each| self.per_share.checked_add(each)) {
			Some(per_share) => {
				self.per_share = per_share;
				0
			}
			None => amount,
		}
	}

	/// What `shares` are owed since the snapshot `since`, in planck, rounded down.
	pub fn owed(&self, shares: Balance, since: Fixed) -> Balance {
		self.per_share.saturating_sub(since).of_floor(shares)
	}
}

/// Splits a reward into the owner's commission, rounded down, and the delegators' rest.
pub fn commission(reward: Balance, rate: Perbill) -> (Balance, Balance) {
	let owner = rate.mul_floor(reward);
	(owner, reward.saturating_sub(owner))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::vec, prelude::*};

	#[test]
	fn commission_is_the_owners_part() {
		assert_eq!(commission(1001, Perbill::from_percent(60)), (600, 401));
		assert_eq!(commission(7, Perbill::zero()), (0, 7));
	}

	#[test]
	fn without_shares_nothing_is_credited() {
		let mut rewards = Rewards::default();
		assert_eq!(rewards.credit(5, 0), 5);
		assert_eq!(rewards.credit(u128::MAX, 1), u128::MAX);
		assert_eq!(rewards.per_share(), Fixed::ZERO);
		assert_eq!(rewards.credit(5, 2), 0);
		assert_eq!((rewards.owed(1, Fixed::ZERO), rewards.owed(2, Fixed::ZERO)), (2, 5));
	}

	proptest! {
		#[test]
		fn claims_never_exceed_credits_in_any_order(
			shares in vec(1u64.., 1..6),
			credits in vec((0u64.., 0..6usize), 0..40),
		) {
			let total: u128 = shares.iter().map(|s| *s as u128).sum();
			let mut rewards = Rewards::default();
			let mut since = vec![Fixed::ZERO; shares.len()];
			let mut early = vec![0u128; shares.len()];
			let mut credited = 0u128;
			for (amount, who) in credits {
				credited += amount as u128 - rewards.credit(amount.into(), total);
				if let Some(holder) = shares.get(who) {
					early[who] += rewards.owed(*holder as u128, since[who]);
					since[who] = rewards.per_share();
				}
			}
			let mut claimed = 0;
			for (who, holder) in shares.iter().enumerate() {
				let paid = early[who] + rewards.owed(*holder as u128, since[who]);
				let at_once = rewards.owed(*holder as u128, Fixed::ZERO);
				// To claim often costs less than a planck each time, and never gains.
				prop_assert!(paid <= at_once && at_once - paid <= 40);
				claimed += paid;
			}
			prop_assert!(claimed <= credited);
			prop_assert!(credited - claimed <= 41 * shares.len() as u128);
		}
	}
}
