//! The budget, credited to all computing workers at once in O(1), and where each planck of it went.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Balance, Fixed, Moment, RelayBlock, Versions};

/// The most relay-chain blocks that one parachain block credits. What a longer gap between two
/// parachain blocks would have paid is withheld: a stall pays nobody.
pub const MAX_CREDITED: u32 = 20;

/// A share in the budget, since a value of the accumulator's index.
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
pub struct Position {
	share: Fixed,
	index: Fixed,
}

impl Position {
	/// The frozen share.
	pub fn share(&self) -> Fixed {
		self.share
	}
}

/// The global state: clocks, Σshare, the reward per unit of share, and the ledger of the budget.
///
/// # Invariants
/// - `elapsed = paid + treasury + withheld + outstanding`, to the planck ([`Self::is_conserved`]).
/// - `outstanding` is at least the sum of what is owed to all positions. The difference is what
///   rounding down leaves, less than a planck for each settlement; it is withheld when the last
///   position closes.
/// - Σshare is the sum of the shares of all positions.
///
/// What stays in the pot at any moment is `withheld + outstanding`.
#[derive(
	Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo,
)]
pub struct Accumulator {
	start: RelayBlock,
	now: Moment,
	sum: Fixed,
	index: Fixed,
	elapsed: Balance,
	paid: Balance,
	treasury: Balance,
	withheld: Balance,
	outstanding: Balance,
}

impl Accumulator {
	/// An economy whose budget starts with the relay-chain block after `start`.
	pub fn new(start: RelayBlock) -> Self {
		Self {
			start,
			now: Moment { relay: start, ..Moment::default() },
			sum: Fixed::ZERO,
			index: Fixed::ZERO,
			elapsed: 0,
			paid: 0,
			treasury: 0,
			withheld: 0,
			outstanding: 0,
		}
	}

	/// The clocks' reading at the last [`Self::advance`].
	pub fn now(&self) -> Moment {
		self.now
	}

	/// Σshare of all positions.
	pub fn sum(&self) -> Fixed {
		self.sum
	}

	/// Planck of budget that elapsed since the start, with what was withheld.
	pub fn elapsed(&self) -> Balance {
		self.elapsed
	}

	/// Planck paid to pools.
	pub fn paid(&self) -> Balance {
		self.paid
	}

	/// Planck paid to the treasury.
	pub fn treasury(&self) -> Balance {
		self.treasury
	}

	/// Planck that nobody earned: it stays in the pot.
	pub fn withheld(&self) -> Balance {
		self.withheld
	}

	/// Planck credited to open positions and not yet settled: in the pot until it is.
	pub fn outstanding(&self) -> Balance {
		self.outstanding
	}

	/// Whether each planck of the elapsed budget is accounted for.
	pub fn is_conserved(&self) -> bool {
		let parts = [self.paid, self.treasury, self.withheld, self.outstanding];
		parts.iter().try_fold(0, |sum: Balance, part| sum.checked_add(*part)) == Some(self.elapsed)
	}

	/// The budget of the next relay-chain block, in planck.
	pub fn rate(&self, versions: &Versions) -> Balance {
		let next = self.now.relay.saturating_add(1);
		versions.current().budget.between(self.start, self.now.relay, next)
	}

	/// Moves to relay-chain block `relay`. To be called at each parachain block, before anything
	/// else of that block; earlier numbers than the last change nothing.
	///
	/// Of the blocks that passed, the last [`MAX_CREDITED`] count. Parameters that took effect in
	/// between do so at their own block. `decaying` is false while a mass outage pauses the decay.
	/// Returns whether `versions` changed and needs to be stored.
	pub fn advance(&mut self, relay: RelayBlock, decaying: bool, versions: &mut Versions) -> bool {
		let counted_from = relay.saturating_sub(MAX_CREDITED);
		let change = versions.due(relay).map(|block| block.max(self.now.relay));
		if let Some(block) = change {
			self.pass(block, counted_from, decaying, versions);
			versions.activate(self.now);
		}
		self.pass(relay, counted_from, decaying, versions);
		change.is_some()
	}

	/// Passes the blocks up to `to`, of which those after `counted_from` count, within one version.
	fn pass(&mut self, to: RelayBlock, counted_from: RelayBlock, decaying: bool, v: &Versions) {
		let from = self.now.relay;
		if to <= from {
			return;
		}
		let counted_from = counted_from.clamp(from, to);
		let budget = &v.current().budget;
		self.withhold_elapsed(budget.between(self.start, from, counted_from));
		self.credit(budget.between(self.start, counted_from, to));
		let steps = to.saturating_sub(counted_from);
		self.now = Moment {
			relay: to,
			active: self.now.active.saturating_add(steps),
			decay: self.now.decay.saturating_add(if decaying { steps } else { 0 }),
		};
	}

	fn withhold_elapsed(&mut self, amount: Balance) {
		self.elapsed = self.elapsed.saturating_add(amount);
		self.withheld = self.withheld.saturating_add(amount);
	}

	/// acc += amount/Σshare. Without a share, or where the index would leave its range, the amount
	/// is withheld.
	fn credit(&mut self, amount: Balance) {
		let per_share = Fixed::from_planck_floor(amount).div_floor(self.sum);
		match per_share.and_then(|increment| self.index.checked_add(increment)) {
			Some(index) => {
				self.index = index;
				self.elapsed = self.elapsed.saturating_add(amount);
				self.outstanding = self.outstanding.saturating_add(amount);
			}
			None => self.withhold_elapsed(amount),
		}
	}

	/// Opens a position that earns from now on.
	///
	/// Its share is what was asked for, unless Σshare would leave the range of [`Fixed`]: that takes
	/// hundreds of thousands of workers with the largest score.
	pub fn add_share(&mut self, share: Fixed) -> Position {
		let share = share.min(Fixed::MAX.saturating_sub(self.sum));
		self.sum = self.sum.saturating_add(share);
		Position { share, index: self.index }
	}

	/// What a position is owed, share·(acc − acc then), in planck, rounded down.
	pub fn owed(&self, position: &Position) -> Balance {
		let per_share = self.index.saturating_sub(position.index);
		position.share.mul_floor(per_share).to_planck_floor()
	}

	/// Closes a position and returns what it was owed. That is withheld, until [`Self::pay`] says
	/// that some of it is not.
	pub fn remove_share(&mut self, position: Position) -> Balance {
		let owed = self.owed(&position).min(self.outstanding);
		self.sum = self.sum.saturating_sub(position.share);
		self.outstanding = self.outstanding.saturating_sub(owed);
		self.withheld = self.withheld.saturating_add(owed);
		if self.sum == Fixed::ZERO {
			// Nobody is left to be owed anything: this is what rounding left.
			self.withheld = self.withheld.saturating_add(self.outstanding);
			self.outstanding = 0;
		}
		owed
	}

	/// Books what leaves the pot out of what was just withheld. `false`, and nothing booked, if that
	/// is more than was withheld.
	pub fn pay(&mut self, pool: Balance, treasury: Balance) -> bool {
		let sum = pool.checked_add(treasury);
		let Some(rest) = sum.and_then(|sum| self.withheld.checked_sub(sum)) else { return false };
		self.withheld = rest;
		self.paid = self.paid.saturating_add(pool);
		self.treasury = self.treasury.saturating_add(treasury);
		true
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{PHA, Parameters};

	fn economy() -> (Accumulator, Versions) {
		let accumulator = Accumulator::new(1_000);
		let versions = Versions::new(Parameters::launch(), accumulator.now()).unwrap();
		(accumulator, versions)
	}

	#[test]
	fn two_positions_share_by_weight() {
		let (mut acc, mut versions) = economy();
		let a = acc.add_share(Fixed::from_u32(300));
		acc.advance(1_010, true, &mut versions);
		let b = acc.add_share(Fixed::from_u32(100));
		acc.advance(1_020, true, &mut versions);
		// 500 PHA alone, then three quarters of 500.
		assert!(875 * PHA - acc.owed(&a) <= 1, "{}", acc.owed(&a));
		assert!(125 * PHA - acc.owed(&b) <= 1);
		assert_eq!(acc.outstanding(), 1_000 * PHA);
		assert!(1_000 * PHA - acc.remove_share(a) - acc.remove_share(b) <= 2);
		assert_eq!((acc.outstanding(), acc.withheld(), acc.sum()), (0, 1_000 * PHA, Fixed::ZERO));
		assert!(acc.is_conserved());
	}

	#[test]
	fn without_workers_time_passes_and_credits_nothing() {
		let (mut acc, mut versions) = economy();
		acc.advance(1_020, true, &mut versions);
		assert_eq!(
			(acc.elapsed(), acc.withheld(), acc.outstanding()),
			(1_000 * PHA, 1_000 * PHA, 0)
		);
		let late = acc.add_share(Fixed::ONE);
		assert_eq!(acc.owed(&late), 0);
	}

	#[test]
	fn a_stall_pays_nobody() {
		let (mut acc, mut versions) = economy();
		let position = acc.add_share(Fixed::from_u32(1));
		acc.advance(1_600, true, &mut versions);
		assert_eq!(acc.owed(&position), 20 * 50 * PHA);
		assert_eq!(acc.withheld(), 580 * 50 * PHA);
		assert_eq!(acc.now(), Moment { relay: 1_600, active: 20, decay: 20 });
		acc.advance(1_610, false, &mut versions);
		assert_eq!(acc.now(), Moment { relay: 1_610, active: 30, decay: 20 });
		// The relay chain's number never falls; if it did, nothing would be paid twice.
		assert!(!acc.advance(1_500, true, &mut versions));
		assert_eq!(acc.now().relay, 1_610);
		assert!(acc.is_conserved());
	}

	#[test]
	fn a_change_counts_from_its_own_block() {
		let (mut acc, mut versions) = economy();
		let position = acc.add_share(Fixed::from_u32(1));
		let mut half = Parameters::launch();
		half.budget.per_block /= 2;
		versions.schedule(half.clone(), 1_005, acc.now()).unwrap();
		assert!(!acc.advance(1_003, true, &mut versions));
		assert!(acc.advance(1_013, true, &mut versions));
		assert_eq!(acc.owed(&position), (5 * 50 + 8 * 25) * PHA);
		assert_eq!(versions.current(), &half);
		assert_eq!(acc.rate(&versions), 25 * PHA);
		// During a stall, a change takes effect where it falls: here before what counts.
		versions.schedule(Parameters::launch(), 1_100, acc.now()).unwrap();
		acc.advance(1_200, true, &mut versions);
		assert_eq!(acc.owed(&position), (450 + 20 * 50) * PHA);
		assert_eq!(acc.withheld(), (87 * 25 + 80 * 50) * PHA);
		assert!(acc.is_conserved());
	}

	#[test]
	fn nothing_is_paid_that_was_not_withheld() {
		let (mut acc, mut versions) = economy();
		acc.advance(1_001, true, &mut versions);
		let before = acc.clone();
		assert!(!acc.pay(40 * PHA, 10 * PHA + 1));
		assert!(!acc.pay(Balance::MAX, 1));
		assert_eq!(acc, before);
		assert!(acc.pay(40 * PHA, 10 * PHA));
		assert!(acc.is_conserved());
	}
}
