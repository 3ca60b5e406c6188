//! Which of Intel's TCB evaluation data numbers is in force.
//!
//! Intel raises one number for all platforms at each "TCB recovery": TCB info and QE identity with the
//! new number judge platforms by newer patches. Anybody can upload them as soon as Intel has signed
//! them, which is months before operators can be expected to have patched. So the number takes effect
//! here only after a governed delay from its first upload, or when governance says so.

use crate::types::MAX_GRACE;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use phala_attestation::Activation;
use scale_info::TypeInfo;

/// Numbers that are remembered. Intel raises it two to four times a year.
pub const MAX_EVALUATIONS: u32 = 16;

/// An evaluation data number, and from when on it counts.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Evaluation {
	/// `tcbEvaluationDataNumber` of Intel's collateral.
	pub number: u32,
	/// Unix second from which on it is in force.
	pub in_force_from: u64,
	/// Newest `tcbDate` in a document with this number: recoveries up to this date are demanded.
	pub newest_level: u64,
}

/// More numbers wait for their time than can be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyEvaluations;

/// The numbers that were seen, ascending. Those below the one in force only tell since when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Evaluations(BoundedVec<Evaluation, ConstU32<MAX_EVALUATIONS>>);

impl Evaluations {
	/// The numbers, ascending.
	pub fn as_slice(&self) -> &[Evaluation] {
		&self.0
	}

	/// The number in force at `now`; zero before the first.
	pub fn active(&self, now: u64) -> u32 {
		self.0.iter().rev().find(|known| known.in_force_from <= now).map_or(0, |known| known.number)
	}

	/// Second from which on `number` counts, or has counted: a higher one brings it into force, too. Zero if none
	/// as high is known.
	pub fn in_force_since(&self, number: u32) -> u64 {
		let counting = self.0.iter().filter(|known| known.number >= number);
		counting.map(|known| known.in_force_from).min().unwrap_or(0)
	}

	/// As the policy wants them.
	pub fn activations(&self) -> Vec<Activation> {
		let of = |known: &Evaluation| Activation {
			evaluation_number: known.number,
			at: known.in_force_from,
			newest_level: known.newest_level,
		};
		self.0.iter().map(of).collect()
	}

	/// Takes note of the levels in a document with this number. What it demands, a higher number does, too:
	/// one that governance put in force before anybody brought a document with it.
	pub fn saw_level(&mut self, number: u32, tcb_date: u64) {
		if let Some(known) = self.0.iter_mut().find(|known| known.number >= number) {
			known.newest_level = known.newest_level.max(tcb_date);
		}
	}

	/// Takes note of a number that collateral carries; it counts from `due` on. True if it is new and
	/// above the number in force.
	pub fn notice(&mut self, number: u32, due: u64, now: u64) -> Result<bool, TooManyEvaluations> {
		if number <= self.active(now) || self.0.iter().any(|known| known.number == number) {
			return Ok(false);
		}
		self.insert(Evaluation { number, in_force_from: due, newest_level: 0 }, now)?;
		Ok(true)
	}

	/// Puts `number` in force now. False if it is already, or if it is lower than the one in force.
	pub fn activate(&mut self, number: u32, now: u64) -> Result<bool, TooManyEvaluations> {
		if number <= self.active(now) {
			return Ok(false);
		}
		match self.0.iter_mut().find(|known| known.number == number) {
			Some(known) => known.in_force_from = now,
			None => self.insert(Evaluation { number, in_force_from: now, newest_level: 0 }, now)?,
		}
		Ok(true)
	}

	fn insert(&mut self, new: Evaluation, now: u64) -> Result<(), TooManyEvaluations> {
		if self.0.is_full() {
			self.forget_one(now);
		}
		let at = self.0.partition_point(|known| known.number < new.number);
		self.0.try_insert(at, new).map_err(|_| TooManyEvaluations)
	}

	/// Forgets a number on which nothing depends, if there is one: of which a higher one counts at least
	/// as long, or the oldest, once even the grace that the one above it gives has ended. So no platform
	/// gains or loses by its absence.
	fn forget_one(&mut self, now: u64) {
		let later = |at: usize| self.0.iter().skip(at.saturating_add(1));
		let superseded =
			self.0.iter().enumerate().position(|(at, known)| {
				later(at).any(|it| it.in_force_from <= known.in_force_from)
			});
		let over = |second: &Evaluation| second.in_force_from.saturating_add(MAX_GRACE) <= now;
		let oldest = || self.0.get(1).is_some_and(over).then_some(0);
		let Some(at) = superseded.or_else(oldest) else { return };
		let forgotten = self.0.remove(at);
		// What it demanded, the next one does.
		if let Some(next) = self.0.get_mut(at) {
			next.newest_level = next.newest_level.max(forgotten.newest_level);
		}
	}

	/// Ascending, each number once.
	#[cfg(any(feature = "try-runtime", test))]
	pub fn is_sound(&self) -> bool {
		self.0.is_sorted_by(|a, b| a.number < b.number)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn a_number_waits_for_its_time_and_keeps_its_date() {
		let mut known = Evaluations::default();
		assert_eq!(known.active(100), 0);
		assert_eq!(known.notice(17, 50, 10), Ok(true));
		assert_eq!(known.notice(17, 90, 40), Ok(false), "a second upload postpones nothing");
		assert_eq!((known.active(49), known.active(50)), (0, 17));
		assert_eq!(known.notice(16, 99, 60), Ok(false), "lower than the one in force");
		known.saw_level(17, 30);
		known.saw_level(17, 20);
		let activation = Activation { evaluation_number: 17, at: 50, newest_level: 30 };
		assert_eq!(known.activations(), [activation]);
	}

	#[test]
	fn governance_can_bring_a_number_forward_and_never_back() {
		let mut known = Evaluations::default();
		assert_eq!(known.notice(18, 1_000, 0), Ok(true));
		assert_eq!(known.activate(18, 10), Ok(true));
		assert_eq!(known.active(10), 18);
		assert_eq!(known.activate(18, 20), Ok(false));
		assert_eq!(known.activate(17, 20), Ok(false));
		assert_eq!(known.activate(20, 20), Ok(true), "also one that nobody has uploaded");
	}

	#[test]
	fn a_number_is_forgotten_only_after_the_longest_grace() {
		let mut known = Evaluations::default();
		for number in 1..=MAX_EVALUATIONS {
			assert_eq!(known.activate(number, u64::from(number)), Ok(true));
		}
		let full = MAX_EVALUATIONS + 1;
		// Number 2 took effect at second 2.
		let last = 1 + MAX_GRACE;
		assert_eq!(known.activate(full, last), Err(TooManyEvaluations));
		assert_eq!(known.notice(full, last, last), Err(TooManyEvaluations));
		assert_eq!(known.activate(full, last + 1), Ok(true));
		assert_eq!(known.as_slice().first().map(|known| known.number), Some(2));
		assert_eq!(known.as_slice().len(), MAX_EVALUATIONS as usize);
	}

	#[test]
	fn what_a_higher_number_supersedes_makes_room() {
		let mut known = Evaluations::default();
		for number in 1..=MAX_EVALUATIONS {
			let due = 1_000 + u64::from(number);
			assert_eq!(known.notice(number, due, 0), Ok(true));
			known.saw_level(number, u64::from(number));
		}
		let full = MAX_EVALUATIONS + 1;
		assert_eq!(known.notice(full, 2_000, 1), Err(TooManyEvaluations));
		// Now number 16 counts, and with it all below.
		assert_eq!(known.activate(MAX_EVALUATIONS, 1), Ok(true));
		for number in full..full + 15 {
			assert_eq!(known.notice(number, 2_000 + u64::from(number), 1), Ok(true), "{number}");
			assert_eq!(known.active(1), MAX_EVALUATIONS);
		}
		let oldest = known.as_slice().first().expect("it is full");
		assert_eq!((oldest.number, oldest.in_force_from, oldest.newest_level), (16, 1, 16));
		assert_eq!(known.notice(full + 15, 3_000, 1), Err(TooManyEvaluations));
	}

	/// Since when levels above this one are demanded.
	fn demanded_since(known: &[Evaluation], level: u64) -> Option<u64> {
		let at = known.iter().position(|known| known.newest_level > level)?;
		known.iter().skip(at).map(|known| known.in_force_from).min()
	}

	proptest! {
		/// Forgetting numbers moves no grace that can still run.
		#[test]
		fn forgetting_moves_no_grace(
			steps in prop::collection::vec((0u32..60, 0..MAX_GRACE, 0..MAX_GRACE / 8), 1..80)
		) {
			let (mut known, mut all) = (Evaluations::default(), Vec::<Evaluation>::new());
			let mut now = 0u64;
			for (number, delay, passed) in steps {
				now += passed;
				// Levels are dated with their number.
				let newest_level = u64::from(number);
				if known.notice(number, now + delay, now) == Ok(true) {
					known.saw_level(number, newest_level);
					let at = all.partition_point(|it| it.number < number);
					all.insert(at, Evaluation { number, in_force_from: now + delay, newest_level });
				}
				for level in 0..60 {
					let (kept, expected) = (demanded_since(known.as_slice(), level), demanded_since(&all, level));
					let runs = |since: Option<u64>| since.filter(|since| since + MAX_GRACE > now);
					prop_assert_eq!(runs(kept), runs(expected), "level {}", level);
				}
			}
		}

		#[test]
		fn the_number_in_force_never_falls_and_memory_is_bounded(
			steps in prop::collection::vec((0u32..40, 0u64..50, 0u64..20, any::<bool>()), 1..200)
		) {
			let mut known = Evaluations::default();
			let (mut now, mut active) = (0u64, 0);
			for (number, delay, passed, governed) in steps {
				now += passed;
				let _ = match governed {
					true => known.activate(number, now),
					false => known.notice(number, now + delay, now),
				};
				prop_assert!(known.is_sound());
				prop_assert!(known.active(now) >= active);
				active = known.active(now);
			}
		}
	}
}
