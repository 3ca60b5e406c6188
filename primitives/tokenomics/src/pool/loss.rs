//! Who bears a loss, and who gets it back when it is cancelled.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

use super::PoolError;
use crate::{Balance, ratio::mul_div_floor};

/// A loss, divided between a pool's owner and its delegators, in planck.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LossSplit {
	/// From the owner's own stake.
	pub owner: Balance,
	/// From the delegators.
	pub delegators: Balance,
	/// To the reporter, out of `owner`.
	pub reporter: Balance,
}

/// The owner's stake is slashed first, and the reporter's part comes from it alone: an owner who
/// reports himself loses at least what he wins, and none of it is his delegators'.
pub fn split_loss(loss: Balance, owner_stake: Balance, reporter: Perbill) -> LossSplit {
	let owner = loss.min(owner_stake);
	let delegators = loss.saturating_sub(owner);
	LossSplit { owner, delegators, reporter: reporter.mul_floor(owner) }
}

/// A suspected loss that left the price, owned by those who held the shares of that moment, until it
/// is applied or cancelled.
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
pub struct Tranche {
	amount: Balance,
	shares: Balance,
	open_amount: Balance,
	open_shares: Balance,
}

impl Tranche {
	/// `amount` planck of a pool that had `shares` shares before they left its value.
	pub fn new(amount: Balance, shares: Balance) -> Self {
		Self { amount, shares, open_amount: amount, open_shares: shares }
	}

	/// The part of a holder of `shares`, in planck, rounded down.
	pub fn part(&self, shares: Balance) -> Balance {
		mul_div_floor(shares.min(self.shares), self.amount, self.shares).unwrap_or(0)
	}

	/// Gives a holder back its part of a cancelled loss. Returns it, and with the last holder also
	/// what the rounding of all left, which belongs to the pool.
	pub fn restore(&mut self, shares: Balance) -> Result<(Balance, Balance), PoolError> {
		let rest = self.open_shares.checked_sub(shares).ok_or(PoolError::NotEnoughShares)?;
		let part = self.part(shares).min(self.open_amount);
		self.open_shares = rest;
		self.open_amount = self.open_amount.saturating_sub(part);
		let dust = if rest == 0 { core::mem::take(&mut self.open_amount) } else { 0 };
		Ok((part, dust))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::vec, prelude::*};

	#[test]
	fn an_owner_who_reports_himself_loses() {
		let reporter = Perbill::from_percent(50);
		for loss in [1u128, 99, 1_000, 1_000_000] {
			for owner_stake in [0, 1, 50, 5_000] {
				let split = split_loss(loss, owner_stake, reporter);
				assert!(split.reporter <= split.owner / 2);
				assert_eq!(split.owner + split.delegators, loss);
				assert!(split.owner <= owner_stake);
				assert!(split.delegators == 0 || split.owner == owner_stake);
			}
		}
	}

	#[test]
	fn no_shares_no_part() {
		let mut tranche = Tranche::new(10, 0);
		assert_eq!((tranche.part(1), tranche.restore(0)), (0, Ok((0, 10))));
		assert_eq!(Tranche::new(10, 5).restore(6), Err(PoolError::NotEnoughShares));
	}

	proptest! {
		#[test]
		fn cancelling_restores_all_in_any_order(
			amount in any::<u64>(),
			holders in vec(1u64.., 1..8),
			order in any::<u64>(),
		) {
			let total: u128 = holders.iter().map(|s| *s as u128).sum();
			let mut tranche = Tranche::new(amount.into(), total);
			let expected: Vec<_> = holders.iter().map(|s| tranche.part(*s as u128)).collect();
			let mut left: Vec<_> = (0..holders.len()).collect();
			let (mut sum, mut dusts, mut random) = (0, 0, order);
			while !left.is_empty() {
				let who = left.remove((random % left.len() as u64) as usize);
				random = random.rotate_left(7) ^ 0x9e37;
				let (part, dust) = tranche.restore(holders[who] as u128).unwrap();
				prop_assert_eq!(part, expected[who]);
				sum += part;
				dusts += dust;
			}
			prop_assert_eq!(sum + dusts, amount as u128);
			prop_assert!(dusts < holders.len() as u128);
		}
	}
}
