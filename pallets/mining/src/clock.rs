//! Time, as challenges count it: when an answer is late, and how long it took.
//!
//! None of it is the worker's clock. A deadline needs three things to have happened, so that neither a
//! chain that stalls or is closed, nor an author who censors, makes a worker late.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use scale_info::TypeInfo;

use crate::types::Stamp;

/// Different authors that must have had a chance to include an answer.
pub const AUTHORS: u32 = 3;

/// Most relay-chain blocks that a block of the parachain adds to the time in which performance is
/// measured. A worker stops to count when it answers; a stall before its answer is included must not
/// make it look slow.
pub const MAX_MEASURED_GAP: u32 = 3;

/// What a deadline is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
	/// Relay-chain blocks.
	pub relay: u32,
	/// Blocks of the parachain that admitted heartbeats.
	pub blocks: u32,
	/// Different authors.
	pub authors: u32,
}

/// Clocks of challenges.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Clock<AccountId> {
	/// Blocks of the parachain so far that admitted heartbeats, with the present one.
	pub admitted: u32,
	/// Relay-chain blocks so far, at most [`MAX_MEASURED_GAP`] for each such block.
	pub measured: u32,
	/// The last different authors of such blocks before the present one, newest first, each with the
	/// number of its last.
	recent: BoundedVec<(AccountId, u32), ConstU32<AUTHORS>>,
	/// Author and number of the present one.
	present: Option<(AccountId, u32)>,
}

impl<AccountId> Default for Clock<AccountId> {
	fn default() -> Self {
		Self { admitted: 0, measured: 0, recent: BoundedVec::new(), present: None }
	}
}

impl<AccountId: PartialEq> Clock<AccountId> {
	/// Begins a block that admits heartbeats, `gap` relay-chain blocks after the one before.
	pub fn admit(&mut self, block: u32, gap: u32, author: Option<AccountId>) {
		if let Some((who, at)) = self.present.take() {
			self.recent.retain(|(known, _)| *known != who);
			self.recent.truncate(AUTHORS.saturating_sub(1) as usize);
			// There is room: the line above made it.
			let _ = self.recent.try_insert(0, (who, at));
		}
		self.present = author.map(|who| (who, block));
		self.admitted = self.admitted.saturating_add(1);
		self.measured = self.measured.saturating_add(gap.min(MAX_MEASURED_GAP));
	}

	/// Blocks that admitted heartbeats after a challenge and before the present one.
	pub fn blocks_since(&self, at: &Stamp) -> u32 {
		self.admitted.saturating_sub(at.admitted).saturating_sub(1)
	}

	/// Different authors of these blocks, up to [`AUTHORS`].
	pub fn authors_since(&self, at: &Stamp) -> u32 {
		self.recent.iter().filter(|(_, block)| *block > at.block).count() as u32
	}

	/// Is an answer in the present block, at relay-chain block `relay`, too late?
	pub fn is_overdue(&self, at: &Stamp, relay: u32, window: &Window) -> bool {
		relay.saturating_sub(at.relay) > window.relay
			&& self.blocks_since(at) >= window.blocks
			&& self.authors_since(at) >= window.authors.min(AUTHORS)
	}

	/// Milliseconds since a challenge, by relay-chain blocks; at least one.
	pub fn elapsed_ms(&self, at: &Stamp) -> u64 {
		let steps = self.measured.saturating_sub(at.measured).max(1);
		u64::from(steps).saturating_mul(phala_tokenomics::performance::SCORE_PERIOD_MS)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const WINDOW: Window = Window { relay: 20, blocks: 15, authors: 3 };

	fn stamp(clock: &Clock<u8>, block: u32, relay: u32) -> Stamp {
		Stamp { block, relay, admitted: clock.admitted, measured: clock.measured }
	}

	/// A clock at block 100, relay-chain block 1000, that issues a challenge.
	fn challenged() -> (Clock<u8>, Stamp) {
		let mut clock = Clock::default();
		for block in 90..=100 {
			clock.admit(block, 1, Some((block % 4) as u8));
		}
		let at = stamp(&clock, 100, 1_000);
		(clock, at)
	}

	/// How many blocks later the challenge is overdue, `gap` relay-chain blocks apart.
	fn overdue_after(gap: u32, author: impl Fn(u32) -> u8, window: Window) -> Option<u32> {
		let (mut clock, at) = challenged();
		(1..=200).find(|n| {
			clock.admit(100 + n, gap, Some(author(*n)));
			clock.is_overdue(&at, 1_000 + n * gap, &window)
		})
	}

	#[test]
	fn each_of_the_three_binds() {
		let many = |n: u32| (n % 4) as u8;
		// 20 relay-chain blocks: the 21st is late. Fast blocks wait for them.
		assert_eq!(overdue_after(1, many, WINDOW), Some(21));
		// Slow blocks: 15 of them, so the 16th is late.
		assert_eq!(overdue_after(2, many, WINDOW), Some(16));
		assert_eq!(overdue_after(600, many, WINDOW), Some(16));
		// One or two authors convict nobody, unless there are no more.
		assert_eq!(overdue_after(1, |_| 7, WINDOW), None);
		assert_eq!(overdue_after(1, |n| (n % 2) as u8, WINDOW), None);
		assert_eq!(overdue_after(1, |_| 7, Window { authors: 1, ..WINDOW }), Some(21));
		// The third author comes late.
		assert_eq!(overdue_after(1, |n| if n < 40 { 1 } else { (n % 3) as u8 }, WINDOW), Some(43));
	}

	#[test]
	fn authors_of_before_do_not_count() {
		let (mut clock, at) = challenged();
		assert_eq!(clock.authors_since(&at), 0);
		clock.admit(101, 1, Some(1));
		// The present one had no chance yet.
		assert_eq!((clock.blocks_since(&at), clock.authors_since(&at)), (0, 0));
		clock.admit(102, 1, Some(1));
		assert_eq!((clock.blocks_since(&at), clock.authors_since(&at)), (1, 1));
		clock.admit(103, 1, None);
		clock.admit(104, 1, Some(2));
		assert_eq!((clock.blocks_since(&at), clock.authors_since(&at)), (3, 1));
	}

	#[test]
	fn a_stall_is_not_the_workers_time() {
		let (mut clock, at) = challenged();
		assert_eq!(clock.elapsed_ms(&at), 6_000);
		for block in 101..=110 {
			clock.admit(block, 1, None);
		}
		assert_eq!(clock.elapsed_ms(&at), 60_000);
		clock.admit(111, 600, None);
		assert_eq!(clock.elapsed_ms(&at), 78_000);
	}
}
