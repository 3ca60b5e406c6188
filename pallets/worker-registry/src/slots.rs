//! Two slots for each signed document: the one in force, and one with a higher evaluation number that
//! waits for its time.

use crate::evaluation::Evaluations;
use codec::{Decode, Encode, MaxEncodedLen};
use phala_attestation::{Error, Update};
use scale_info::TypeInfo;

/// Collateral that is issued for a platform family or for a quoting enclave, and re-issued.
pub trait Document {
	/// `tcbEvaluationDataNumber`.
	fn evaluation(&self) -> u32;
	/// Last Unix second at which it counts.
	fn expires(&self) -> u64;
	/// The newest `tcbDate` of its levels, in Unix seconds.
	fn newest_level(&self) -> u64;
	/// Whether this may take the place of `stored`, and whether that is useful: by
	/// [`Revision`](phala_attestation::collateral::Revision).
	fn check_update(&self, stored: &Self) -> Result<Update, Error>;
}

/// What was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
	/// It is the first, or an [`Update::Useful`].
	pub useful: bool,
	/// It is in force now.
	pub in_force: bool,
}

/// A document in force, and its successor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Slots<D> {
	/// The newest document whose evaluation number counts.
	pub current: Option<D>,
	/// The newest document whose evaluation number did not count yet when it was stored.
	pub next: Option<D>,
}

impl<D> Default for Slots<D> {
	fn default() -> Self {
		Self { current: None, next: None }
	}
}

impl<D: Document> Slots<D> {
	/// Moves the waiting document into force if its time has come, unless it ran out while it waited: then the
	/// one in force stays for as long as it counts. What came into force does not give way to a lower number,
	/// also when it has run out. To be called first, always.
	pub fn settled(mut self, known: &Evaluations, now: u64) -> Self {
		let active = known.active(now);
		if let Some(next) = self.next.take_if(|next| next.evaluation() <= active) {
			let came_into_force = next.expires() >= known.in_force_since(next.evaluation());
			let current_counts = self.current.as_ref().is_some_and(|one| one.expires() >= now);
			if came_into_force || !current_counts {
				self.current = Some(next);
			}
		}
		self
	}

	/// Stores `document` where it belongs, unless what is there is at least as new. Numbers, and dates
	/// under one number, only rise; whatever the order of uploads, the newest documents stay.
	pub fn offer(&mut self, document: D, active: u32) -> Result<Stored, Error> {
		let in_force = document.evaluation() <= active;
		let slot = if in_force { &mut self.current } else { &mut self.next };
		let update = match slot {
			Some(stored) => document.check_update(stored)?,
			None => Update::Useful,
		};
		*slot = Some(document);
		Ok(Stored { useful: update == Update::Useful, in_force })
	}

	/// The waiting document is above the one in force.
	#[cfg(any(feature = "try-runtime", test))]
	pub fn is_sound(&self) -> bool {
		match (&self.current, &self.next) {
			(Some(current), Some(next)) => current.evaluation() < next.evaluation(),
			_ => true,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_attestation::{
		Item,
		collateral::{Revision, Stale},
	};
	use proptest::prelude::*;

	#[derive(Clone, Debug, PartialEq, Eq)]
	struct Doc {
		evaluation: u32,
		issued: u64,
		expires: u64,
	}

	impl Document for Doc {
		fn evaluation(&self) -> u32 {
			self.evaluation
		}
		fn expires(&self) -> u64 {
			self.expires
		}
		fn newest_level(&self) -> u64 {
			0
		}
		fn check_update(&self, stored: &Self) -> Result<Update, Error> {
			let revision = |doc: &Self| Revision {
				number: doc.evaluation.into(),
				issued: doc.issued,
				until: doc.expires,
			};
			revision(self).check_update(&revision(stored)).map_err(|stale| match stale {
				Stale::LowerNumber => LOWER,
				Stale::NotNewer => OLDER,
			})
		}
	}

	const LOWER: Error = Error::EvaluationNumberFell { item: Item::TcbInfo, stored: 0, offered: 0 };
	const OLDER: Error = Error::IssueDateNotNewer { item: Item::TcbInfo, stored: 0, offered: 0 };
	const DAY: u64 = 86_400;

	fn doc(evaluation: u32, issued: u64) -> Doc {
		Doc { evaluation, issued, expires: issued + 30 * DAY }
	}

	#[test]
	fn an_early_document_waits_and_takes_effect_in_time() {
		let mut slots = Slots::default();
		let stored = slots.offer(doc(17, 0), 17);
		assert_eq!(stored, Ok(Stored { useful: true, in_force: true }));
		let stored = slots.offer(doc(18, 5), 17);
		assert_eq!(stored, Ok(Stored { useful: true, in_force: false }));

		let known = |number| {
			let mut known = Evaluations::default();
			known.activate(number, DAY).expect("there is room");
			known
		};
		let before = slots.clone().settled(&known(17), DAY);
		assert_eq!(before, slots);
		let after = slots.settled(&known(18), DAY);
		assert_eq!((after.current, after.next), (Some(doc(18, 5)), None));
	}

	#[test]
	fn a_document_that_ran_out_while_it_waited_replaces_none_that_counts() {
		let settled = |issued, since, now| {
			let slots = Slots { current: Some(doc(17, issued)), next: Some(doc(18, 0)) };
			let mut known = Evaluations::default();
			known.activate(18, since).expect("there is room");
			slots.settled(&known, now).current
		};
		let (end, late) = (30 * DAY, 30 * DAY + 1);
		assert_eq!(settled(25 * DAY, end, end), Some(doc(18, 0)), "in its last second it counts");
		assert_eq!(settled(25 * DAY, end, late), Some(doc(18, 0)), "it was in force");
		assert_eq!(settled(25 * DAY, late, late), Some(doc(17, 25 * DAY)));
		assert_eq!(settled(0, late, late), Some(doc(18, 0)), "neither counts: the number rises");
	}

	#[test]
	fn daily_re_dating_is_never_useful_and_a_week_is() {
		let mut slots = Slots::default();
		slots.offer(doc(17, 0), 17).expect("it is the first");
		for day in 1..30 {
			let stored = slots.offer(doc(17, day * DAY), 17).expect("it is newer");
			assert!(!stored.useful);
		}
		let stored = slots.offer(doc(17, 36 * DAY), 17).expect("it is newer");
		assert!(stored.useful);
	}

	#[test]
	fn older_documents_are_refused_with_the_reason() {
		let mut slots = Slots::default();
		slots.offer(doc(18, 100), 18).expect("it is the first");
		assert_eq!(slots.offer(doc(17, 200), 18), Err(LOWER));
		for offered in [99, 100] {
			assert_eq!(slots.offer(doc(18, offered), 18), Err(OLDER));
		}
	}

	proptest! {
		/// Whatever the order and however often each is repeated, the same documents stay.
		#[test]
		fn order_and_replay_do_not_matter(
			docs in prop::collection::vec((15u32..20, 0u64..50), 1..12),
			order in prop::collection::vec(any::<prop::sample::Index>(), 40),
		) {
			let all: Vec<Doc> = docs.into_iter().map(|(n, issued)| doc(n, issued)).collect();
			let mut slots = Slots::default();
			let mut last = (None, None);
			let shuffled = order.iter().map(|index| index.get(&all)).chain(all.iter().rev());
			for document in shuffled {
				let _ = slots.offer(document.clone(), 17);
				let key = |slot: &Option<Doc>| slot.as_ref().map(|doc| (doc.evaluation, doc.issued));
				let now = (key(&slots.current), key(&slots.next));
				prop_assert!(now.0 >= last.0 && now.1 >= last.1, "no number ever falls");
				prop_assert!(slots.is_sound());
				last = now;
			}
			let newest = |in_force: bool| {
				all.iter()
					.filter(|doc| (doc.evaluation <= 17) == in_force)
					.max_by_key(|doc| (doc.evaluation, doc.issued))
					.cloned()
			};
			prop_assert_eq!(slots.current, newest(true));
			prop_assert_eq!(slots.next, newest(false));
		}
	}
}
