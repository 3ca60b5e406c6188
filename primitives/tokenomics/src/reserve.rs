//! What the schedule never spends: a reserve with a capped outflow per year.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

use crate::{Balance, RelayBlock};

/// Relay-chain blocks in a year of the reserve, 365 days.
pub const YEAR: u32 = 5_256_000;

/// A balance of which at most `yearly` leaves in each year, counted from the start.
///
/// A year's cap that was not used is gone. Two years meet in a moment, so any 365 days may see up to
/// twice the cap, but n years never more than n + 1 of them.
#[derive(
	Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo,
)]
pub struct Reserve {
	start: RelayBlock,
	balance: Balance,
	yearly: Balance,
	year: u32,
	drawn: Balance,
}

/// Why nothing can be drawn.
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
pub enum ReserveError {
	/// The reserve has less than that.
	Insufficient,
	/// More than the rest of this year's cap. Draw less, or next year.
	OverCap,
}

impl fmt::Display for ReserveError {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		fmt::Debug::fmt(self, f)
	}
}

impl core::error::Error for ReserveError {}

impl Reserve {
	/// A reserve of `balance` planck, of which `yearly` may leave per year since `start`.
	pub fn new(balance: Balance, yearly: Balance, start: RelayBlock) -> Self {
		Self { start, balance, yearly, year: 0, drawn: 0 }
	}

	/// Planck in the reserve.
	pub fn balance(&self) -> Balance {
		self.balance
	}

	/// Planck that can be drawn now.
	pub fn available(&self, now: RelayBlock) -> Balance {
		let drawn = if self.year_of(now) == self.year { self.drawn } else { 0 };
		self.yearly.saturating_sub(drawn).min(self.balance)
	}

	/// Draws `amount`. On an error nothing changes.
	pub fn draw(&mut self, amount: Balance, now: RelayBlock) -> Result<(), ReserveError> {
		let balance = self.balance.checked_sub(amount).ok_or(ReserveError::Insufficient)?;
		if amount > self.available(now) {
			return Err(ReserveError::OverCap);
		}
		let year = self.year_of(now);
		if year != self.year {
			(self.year, self.drawn) = (year, 0);
		}
		self.drawn = self.drawn.saturating_add(amount);
		self.balance = balance;
		Ok(())
	}

	/// Takes back `amount` of what was drawn. It can be drawn again, within later caps: what a cap let
	/// out stays counted.
	pub fn give_back(&mut self, amount: Balance) {
		self.balance = self.balance.saturating_add(amount);
	}

	fn year_of(&self, now: RelayBlock) -> u32 {
		// A clock that ran backwards would open no new year.
		(now.saturating_sub(self.start) / YEAR).max(self.year)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_year_has_its_cap() {
		let mut reserve = Reserve::new(100, 40, 1_000);
		assert_eq!(reserve.draw(30, 1_000), Ok(()));
		assert_eq!(reserve.draw(11, 1_000 + YEAR - 1), Err(ReserveError::OverCap));
		assert_eq!(reserve.draw(10, 1_000 + YEAR - 1), Ok(()));
		assert_eq!(reserve.available(1_000 + YEAR), 40);
		assert_eq!(reserve.draw(40, 1_000 + 3 * YEAR), Ok(()));
		assert_eq!(reserve.draw(1, 1_000), Err(ReserveError::OverCap));
		assert_eq!(reserve.available(1_000 + 4 * YEAR), 20);
		assert_eq!(reserve.draw(21, 1_000 + 4 * YEAR), Err(ReserveError::Insufficient));
		assert_eq!((reserve.draw(20, 1_000 + 4 * YEAR), reserve.balance()), (Ok(()), 0));
	}

	#[test]
	fn a_return_makes_no_room_in_the_same_year() {
		let mut reserve = Reserve::new(100, 40, 1_000);
		assert_eq!(reserve.draw(40, 1_000), Ok(()));
		reserve.give_back(30);
		assert_eq!((reserve.balance(), reserve.available(1_000)), (90, 0));
		assert_eq!(reserve.draw(1, 1_000), Err(ReserveError::OverCap));
		assert_eq!(reserve.available(1_000 + YEAR), 40);
	}
}
