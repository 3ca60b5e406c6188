//! Shares of a pool, priced by its value.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

use crate::{
	Balance, Fixed,
	ratio::{mul_div_ceil, mul_div_floor},
};

/// The shares of a pool and the PHA behind them.
///
/// The value counts only what went through [`Self::issue`], [`Self::redeem`] and [`Self::lose`]: PHA
/// sent to the pool's account changes no price, so that nobody can inflate it.
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
pub struct Shares {
	total: Balance,
	value: Balance,
}

/// Why shares cannot be issued or redeemed.
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
pub enum PoolError {
	/// The price fell below 10⁻⁶. The pool is closed: join another.
	Exhausted,
	/// The amount buys less than one share. Contribute more.
	TooSmall,
	/// There are not that many shares.
	NotEnoughShares,
	/// The pool would have more shares than can be counted.
	TooLarge,
}

impl fmt::Display for PoolError {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		fmt::Debug::fmt(self, f)
	}
}

impl core::error::Error for PoolError {}

/// Shares per planck of value at which a pool closes: a price of 10⁻⁶.
const MAX_SHARES_PER_PLANCK: u128 = 1_000_000;

impl Shares {
	/// All shares.
	pub fn total(&self) -> Balance {
		self.total
	}

	/// The value of all shares, planck.
	pub fn value(&self) -> Balance {
		self.value
	}

	/// Planck per share, rounded down; 1 in an empty pool.
	pub fn price(&self) -> Fixed {
		Fixed::from_ratio_floor(self.value, self.total).unwrap_or(Fixed::ONE)
	}

	/// Whether losses left less than 10⁻⁶ planck per share: such a pool issues no more shares.
	pub fn is_exhausted(&self) -> bool {
		self.total > self.value.saturating_mul(MAX_SHARES_PER_PLANCK)
	}

	/// Shares that `amount` buys now, rounded down.
	pub fn preview(&self, amount: Balance) -> Result<Balance, PoolError> {
		if self.is_exhausted() {
			return Err(PoolError::Exhausted);
		}
		let shares = if self.total == 0 {
			amount
		} else {
			mul_div_floor(amount, self.total, self.value).ok_or(PoolError::TooLarge)?
		};
		if shares == 0 { Err(PoolError::TooSmall) } else { Ok(shares) }
	}

	/// Sells shares for `amount` planck; returns how many.
	pub fn issue(&mut self, amount: Balance) -> Result<Balance, PoolError> {
		let shares = self.preview(amount)?;
		let total = self.total.checked_add(shares).ok_or(PoolError::TooLarge)?;
		let value = self.value.checked_add(amount).ok_or(PoolError::TooLarge)?;
		*self = Self { total, value };
		Ok(shares)
	}

	/// Adds value without shares: a cancelled loss, where the holders are still those who bore it.
	/// Returns what was added: all of it, unless the pool would be too large.
	pub fn regain(&mut self, amount: Balance) -> Balance {
		let value = self.value.saturating_add(amount);
		let added = value.saturating_sub(self.value);
		self.value = value;
		added
	}

	/// Sells shares for a cancelled loss to those who bore it, where the holders are others by now.
	/// As [`Self::issue`], but an exhausted pool sells too, at a price of 10⁻⁶: what its
	/// shares still were worth is less than a millionth of what those get.
	pub fn reissue(&mut self, amount: Balance) -> Result<Balance, PoolError> {
		if !self.is_exhausted() {
			return self.issue(amount);
		}
		let shares = amount.checked_mul(MAX_SHARES_PER_PLANCK).ok_or(PoolError::TooLarge)?;
		let total = self.total.checked_add(shares).ok_or(PoolError::TooLarge)?;
		let value = self.value.checked_add(amount).ok_or(PoolError::TooLarge)?;
		*self = Self { total, value };
		Ok(shares)
	}

	/// What `shares` are worth in planck, rounded down. All shares are worth all the value.
	pub fn worth(&self, shares: Balance) -> Balance {
		mul_div_floor(shares.min(self.total), self.value, self.total).unwrap_or(0)
	}

	/// Shares to burn for `amount` planck, rounded up; at most all.
	pub fn cost(&self, amount: Balance) -> Balance {
		mul_div_ceil(amount, self.total, self.value).map_or(self.total, |cost| cost.min(self.total))
	}

	/// Burns shares; returns the planck that go with them.
	pub fn redeem(&mut self, shares: Balance) -> Result<Balance, PoolError> {
		let total = self.total.checked_sub(shares).ok_or(PoolError::NotEnoughShares)?;
		let amount = self.worth(shares);
		*self = Self { total, value: self.value.saturating_sub(amount) };
		Ok(amount)
	}

	/// Takes a loss out of the price; returns what there was to lose.
	pub fn lose(&mut self, loss: Balance) -> Balance {
		let lost = loss.min(self.value);
		self.value = self.value.saturating_sub(lost);
		lost
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::vec, prelude::*};

	#[test]
	fn a_loss_lowers_the_price_for_all() {
		let mut pool = Shares::default();
		assert_eq!((pool.issue(300), pool.issue(100)), (Ok(300), Ok(100)));
		assert_eq!(pool.lose(100), 100);
		assert_eq!((pool.worth(300), pool.worth(100)), (225, 75));
		assert_eq!(pool.price().times(4), Fixed::from_u32(3));
		assert_eq!((pool.issue(75), pool.cost(75), pool.cost(76)), (Ok(100), 100, 102));
		assert_eq!(pool.redeem(501), Err(PoolError::NotEnoughShares));
		assert_eq!((pool.redeem(500), pool), (Ok(375), Shares::default()));
	}

	#[test]
	fn an_exhausted_pool_sells_nothing() {
		let mut pool = Shares::default();
		pool.issue(10_000_000).unwrap();
		pool.lose(9_999_990);
		assert!(!pool.is_exhausted());
		pool.lose(1);
		assert_eq!(pool.issue(1_000), Err(PoolError::Exhausted));
		assert_eq!(pool.lose(100), 9);
		assert_eq!((pool.worth(10_000_000), pool.redeem(10_000_000)), (0, Ok(0)));
		assert_eq!(pool.issue(5), Ok(5));
		assert_eq!(Shares::default().issue(0), Err(PoolError::TooSmall));
		let mut full = Shares::default();
		full.issue(u128::MAX).unwrap();
		assert_eq!(full.issue(1), Err(PoolError::TooLarge));
	}

	#[test]
	fn a_cancelled_loss_comes_back() {
		let mut pool = Shares::default();
		pool.issue(10_000_000).unwrap();
		let whole = pool;
		pool.lose(4_000_000);
		assert_eq!((pool.regain(4_000_000), pool), (4_000_000, whole));
		// Others are in by now: who bore the loss gets shares of the price.
		pool.lose(5_000_000);
		assert_eq!(pool.issue(5_000_000), Ok(10_000_000));
		assert_eq!(pool.reissue(5_000_000), Ok(10_000_000));
		assert_eq!(pool.worth(10_000_000), 5_000_000);
		// An exhausted pool gives back nearly all.
		pool.lose(15_000_000);
		assert_eq!(pool.reissue(4_000_000), Ok(4_000_000_000_000));
		assert!(pool.worth(4_000_000_000_000) >= 3_999_960);
		assert_eq!(pool.reissue(u128::MAX), Err(PoolError::TooLarge));
		pool.lose(u128::MAX);
		assert_eq!(pool.reissue(u128::MAX), Err(PoolError::TooLarge));
		assert_eq!((pool.regain(5), pool.regain(u128::MAX)), (5, u128::MAX - 5));
	}

	#[derive(Clone, Debug)]
	enum Op {
		Issue(usize, u64),
		Redeem(usize, u64),
		RedeemFor(usize, u64),
		Lose(u8),
	}

	fn ops() -> impl Strategy<Value = Op> {
		prop_oneof![
			(0..4usize, 1u64..1_000_000).prop_map(|(who, n)| Op::Issue(who, n)),
			(0..4usize, any::<u64>()).prop_map(|(who, n)| Op::Redeem(who, n)),
			(0..4usize, 1u64..1_000_000).prop_map(|(who, n)| Op::RedeemFor(who, n)),
			(0..30u8).prop_map(Op::Lose),
		]
	}

	proptest! {
		/// Nobody takes out more than he put in; what holders can redeem is covered.
		#[test]
		fn nobody_gains_by_trading_shares(ops in vec(ops(), 1..80)) {
			let mut pool = Shares::default();
			let (mut held, mut spent, mut received) = ([0u128; 4], [0u128; 4], [0u128; 4]);
			for op in ops {
				let price = pool.price();
				match op {
					Op::Issue(who, amount) => {
						if let Ok(shares) = pool.issue(amount.into()) {
							prop_assert!(pool.worth(shares) <= amount.into());
							held[who] += shares;
							spent[who] += amount as u128;
						}
						prop_assert!(pool.price() >= price || pool.total() == 0);
					},
					Op::Redeem(who, part) => {
						let shares = (held[who] * part as u128) >> 64;
						received[who] += pool.redeem(shares).unwrap();
						held[who] -= shares;
						prop_assert!(pool.price() >= price || pool.total() == 0);
					},
					Op::RedeemFor(who, amount) => {
						let shares = pool.cost(amount.into());
						if shares <= held[who] && pool.value() >= amount.into() {
							let paid = pool.redeem(shares).unwrap();
							prop_assert!(paid >= amount.into());
							received[who] += paid;
							held[who] -= shares;
						}
					},
					Op::Lose(percent) => {
						pool.lose(pool.value() * percent as u128 / 100);
					},
				}
				prop_assert_eq!(held.iter().sum::<u128>(), pool.total());
				let claims: u128 = held.iter().map(|shares| pool.worth(*shares)).sum();
				prop_assert!(claims <= pool.value());
			}
			prop_assert!(received.iter().sum::<u128>() + pool.value() <= spent.iter().sum::<u128>());
		}
	}
}
