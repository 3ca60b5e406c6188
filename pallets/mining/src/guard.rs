//! Whether so many answers are missing that it must be the network's fault.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Parts of the hour.
const PARTS: usize = 6;

/// Relay-chain blocks of a part: ten minutes.
const PART: u32 = 100;

/// Fewest answers due in an hour that say something about the network. A worker that is alone does not
/// prove an outage by being silent.
pub const MIN_SAMPLE: u32 = 4;

/// Answers that were due in a part of an hour.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Tally {
	/// All of them.
	pub due: u32,
	/// Those that did not come.
	pub missing: u32,
}

/// The answers that were due within the last hour, in parts of ten minutes.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Guard {
	/// The newest part is first.
	parts: [Tally; PARTS],
	/// Which part that is, counted from relay-chain block 0.
	newest: u32,
}

impl Guard {
	/// Forgets what is older than an hour.
	pub fn advance(&mut self, relay: u32) {
		let newest = relay / PART;
		let passed = newest.saturating_sub(self.newest) as usize;
		for _ in 0..passed.min(PARTS) {
			self.parts.rotate_right(1);
			if let Some(first) = self.parts.first_mut() {
				*first = Tally::default();
			}
		}
		self.newest = self.newest.max(newest);
	}

	/// An answer was due, and came or did not.
	pub fn record(&mut self, missing: bool) {
		if let Some(first) = self.parts.first_mut() {
			first.due = first.due.saturating_add(1);
			first.missing = first.missing.saturating_add(missing.into());
		}
	}

	/// The last hour.
	pub fn hour(&self) -> Tally {
		self.parts.iter().fold(Tally::default(), |sum, part| Tally {
			due: sum.due.saturating_add(part.due),
			missing: sum.missing.saturating_add(part.missing),
		})
	}

	/// Is more than a quarter of the hour's answers missing?
	pub fn is_outage(&self) -> bool {
		let Tally { due, missing } = self.hour();
		due >= MIN_SAMPLE && u64::from(missing) * 4 > u64::from(due)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn more_than_a_quarter_of_an_hour() {
		let mut guard = Guard::default();
		guard.advance(30_000_000);
		for n in 0..100 {
			guard.record(n < 25);
		}
		assert!(!guard.is_outage());
		guard.record(true);
		assert!(guard.is_outage());
		guard.advance(30_000_599);
		assert_eq!(guard.hour(), Tally { due: 101, missing: 26 });
		guard.advance(30_000_600);
		assert_eq!((guard.hour(), guard.is_outage()), (Tally::default(), false));
	}

	#[test]
	fn each_part_is_forgotten_after_an_hour() {
		let mut guard = Guard::default();
		for block in 0..1_200 {
			guard.advance(block);
			guard.record(block % 2 == 0);
			let hour = guard.hour();
			assert!(hour.due <= 600 && hour.due >= 501.min(block + 1), "{block}: {hour:?}");
		}
		// A clock that runs backwards forgets nothing.
		let before = guard;
		guard.advance(0);
		assert_eq!(guard, before);
	}

	#[test]
	fn few_answers_prove_nothing() {
		let mut guard = Guard::default();
		for _ in 1..MIN_SAMPLE {
			guard.record(true);
		}
		assert!(!guard.is_outage());
		guard.record(true);
		assert!(guard.is_outage());
	}
}
