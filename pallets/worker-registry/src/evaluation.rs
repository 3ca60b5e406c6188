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

	/// As the policy wants them.
	pub fn activations(&self) -> Vec<Activation> {
		let of = |known: &Evaluation| Activation {
			evaluation_number: known.number,
			at: known.in_force_from,
			newest_level: known.newest_level,
		};
		self.0.iter().map(of).collect()
	}

	/// Takes note of the levels in a document with this number.
	pub fn saw_level(&mut self, number: u32, tcb_date: u64) {
		if let Some(known) = self.0.iter_mut().find(|known| known.number == number) {
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
		// The oldest tells since when its levels are demanded. It may go once even the grace that the one
		// above it gives has ended: then no platform gains by its absence.
		let superseded = self
			.0
			.get(1)
			.is_some_and(|second| second.in_force_from.saturating_add(MAX_GRACE) <= now);
		if self.0.is_full() && superseded {
			self.0.remove(0);
		}
		let at = self.0.partition_point(|known| known.number < new.number);
		self.0.try_insert(at, new).map_err(|_| TooManyEvaluations)
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

	proptest! {
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
