//! Which of two revisions of an item is the newer one.

use super::Update;
use crate::types::UnixTime;

/// What orders the revisions of an item: its number first, then its date. So whatever the order in which
/// revisions arrive, and however often each does, the same one stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Revision {
	/// Evaluation number or CRL number. Zero for what has none.
	pub number: u64,
	/// Date of issue, in Unix seconds.
	pub issued: UnixTime,
	/// Last second at which it counts.
	pub until: UnixTime,
}

/// Why a revision does not replace another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stale {
	/// Its number is lower.
	LowerNumber,
	/// Its number is the same, and it was not issued later.
	NotNewer,
}

impl Revision {
	/// Whether this may replace `stored`: numbers never fall, and under one number dates rise.
	///
	/// # Errors
	///
	/// [`Stale`].
	pub fn check_update(&self, stored: &Self) -> Result<Update, Stale> {
		if self.number < stored.number {
			return Err(Stale::LowerNumber);
		}
		let higher = self.number > stored.number;
		if !higher && self.issued <= stored.issued {
			return Err(Stale::NotNewer);
		}
		Ok(Update::of(higher, self.until, stored.until))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::collateral::USEFUL_EXTENSION;
	use proptest::{collection::vec, prelude::*, sample::Index};

	const STORED: Revision = Revision { number: 5, issued: 100, until: 1_000 };

	#[test]
	fn a_week_more_or_a_higher_number_is_useful() {
		for (offered, expected) in [
			(Revision { issued: 101, until: 999 + USEFUL_EXTENSION, ..STORED }, Update::Redated),
			(Revision { issued: 101, until: 1_000 + USEFUL_EXTENSION, ..STORED }, Update::Useful),
			(Revision { number: 6, ..STORED }, Update::Useful),
			// A higher number counts even if it was issued earlier.
			(Revision { number: 6, issued: 99, until: 0 }, Update::Useful),
		] {
			assert_eq!(offered.check_update(&STORED), Ok(expected), "{offered:?}");
		}
	}

	#[test]
	fn replays_and_older_revisions_are_stale() {
		for (offered, expected) in [
			(STORED, Stale::NotNewer),
			(Revision { until: u64::MAX, ..STORED }, Stale::NotNewer),
			(Revision { issued: 99, until: u64::MAX, ..STORED }, Stale::NotNewer),
			(Revision { number: 4, issued: 101, until: u64::MAX }, Stale::LowerNumber),
		] {
			assert_eq!(offered.check_update(&STORED), Err(expected), "{offered:?}");
		}
	}

	proptest! {
		#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

		/// Any order, with any repetitions, ends with the greatest by number and date; and no number
		/// falls on the way.
		#[test]
		fn order_and_replay_do_not_matter(
			all in vec((0..5u64, 0..50u64, 0..50u64), 1..9),
			order in vec(any::<Index>(), 30),
		) {
			// What was issued at one second under one number is one document.
			let all: Vec<_> = all
				.into_iter()
				.map(|(number, issued, _)| Revision { number, issued, until: issued + 30 })
				.collect();
			let mut stored: Option<Revision> = None;
			for offered in order.iter().map(|index| index.get(&all)).chain(&all) {
				let before = stored;
				if before.is_none_or(|stored| offered.check_update(&stored).is_ok()) {
					stored = Some(*offered);
				}
				prop_assert!(before.map(|it| it.number) <= stored.map(|it| it.number));
			}
			prop_assert_eq!(stored, all.into_iter().max_by_key(|it| (it.number, it.issued)));
		}
	}
}
