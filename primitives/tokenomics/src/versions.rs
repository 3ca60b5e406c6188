//! Parameters over time: which figures were in force when, so that lazily computed intervals that
//! span a change are integrated piece by piece.

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

use crate::{ParameterError, Parameters, RelayBlock};

/// A reading of the three clocks of the economy.
///
/// They differ because a stall of the chain pays and slashes nobody, and because decay pauses for
/// everyone while too many workers are missing at once.
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
pub struct Moment {
	/// Number of the relay-chain block.
	pub relay: RelayBlock,
	/// Steps that counted so far: growth, healing, pay and probation run on these.
	pub active: u32,
	/// Steps so far in which the unresponsive lost V and health.
	pub decay: u32,
}

/// Parameters and the moment since which they are in force.
#[derive(
	Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo,
)]
pub struct Version {
	/// When they took effect.
	pub since: Moment,
	/// The figures.
	pub parameters: Parameters,
}

/// How many versions before the current one are remembered.
pub const MAX_PAST: u32 = 3;

/// Active steps for which a past version is remembered: two days, twice as long as a session can
/// be without an event (an unresponsive worker is stopped after one).
pub const RETENTION: u32 = 28_800;

/// The parameters in force, those before them, and those to come.
#[derive(
	Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo,
)]
pub struct Versions {
	/// Oldest first.
	past: BoundedVec<Version, ConstU32<MAX_PAST>>,
	current: Version,
	next: Option<(RelayBlock, Parameters)>,
}

/// Why parameters cannot be scheduled.
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
pub enum ScheduleError {
	/// A figure is outside its range. Choose one inside.
	OutOfRange(ParameterError),
	/// The relay-chain block is not in the future. Choose a later one.
	NotInFuture,
	/// Three changes took effect within the last two days. Wait until the oldest is older.
	TooManyChanges,
}

impl fmt::Display for ScheduleError {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		match self {
			Self::OutOfRange(error) => error.fmt(f),
			Self::NotInFuture => f.write_str("the block at which to take effect has passed"),
			Self::TooManyChanges => f.write_str("three changes within two days: wait"),
		}
	}
}

impl core::error::Error for ScheduleError {}

/// A piece of an interval within which the parameters did not change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Piece<'a> {
	/// The figures in force.
	pub parameters: &'a Parameters,
	/// Steps that count.
	pub active: u32,
	/// Steps that decay.
	pub decay: u32,
}

impl Versions {
	/// The first parameters, in force since `now`.
	pub fn new(parameters: Parameters, now: Moment) -> Result<Self, ParameterError> {
		parameters.validate()?;
		let current = Version { since: now, parameters };
		Ok(Self { past: BoundedVec::new(), current, next: None })
	}

	/// The parameters in force.
	pub fn current(&self) -> &Parameters {
		&self.current.parameters
	}

	/// The parameters to come and the relay-chain block after which they are in force.
	pub fn next(&self) -> Option<&(RelayBlock, Parameters)> {
		self.next.as_ref()
	}

	/// Lets `parameters` be in force after relay-chain block `at`, in the place of others that
	/// were scheduled. On an error nothing changes.
	pub fn schedule(
		&mut self,
		parameters: Parameters,
		at: RelayBlock,
		now: Moment,
	) -> Result<(), ScheduleError> {
		parameters.validate().map_err(ScheduleError::OutOfRange)?;
		if at < now.relay {
			return Err(ScheduleError::NotInFuture);
		}
		// The first of the past was in force until the second began.
		if self.past.is_full() {
			let end = self.past.get(1).map_or(self.current.since, |second| second.since);
			if now.active.saturating_sub(end.active) < RETENTION {
				return Err(ScheduleError::TooManyChanges);
			}
		}
		self.next = Some((at, parameters));
		Ok(())
	}

	/// Takes back what was scheduled.
	pub fn unschedule(&mut self) {
		self.next = None;
	}

	/// The scheduled parameters' block, if it is before `relay`.
	pub(crate) fn due(&self, relay: RelayBlock) -> Option<RelayBlock> {
		self.next.as_ref().map(|(at, _)| *at).filter(|at| *at < relay)
	}

	/// Puts the scheduled parameters in force.
	pub(crate) fn activate(&mut self, now: Moment) {
		let Some((_, parameters)) = self.next.take() else { return };
		let ended = core::mem::replace(&mut self.current, Version { since: now, parameters });
		if self.past.is_full() {
			self.past.remove(0);
		}
		// There is room: the line above made it.
		let _ = self.past.try_push(ended);
	}

	/// The interval from `from` to `to` in pieces without a change, oldest first. What lies before
	/// the oldest version that is remembered counts by that version.
	pub fn pieces(&self, from: Moment, to: Moment) -> impl Iterator<Item = Piece<'_>> {
		let versions = self.past.iter().chain(core::iter::once(&self.current));
		let ends = self.past.iter().skip(1).chain(core::iter::once(&self.current));
		let ends = ends.map(|v| v.since).take(self.past.len()).chain(core::iter::once(to));
		let mut at = from;
		versions.zip(ends).filter_map(move |(version, end)| {
			// No clock runs backwards, so that the pieces add up to the interval.
			let clamp = |end: u32, to: u32, at: u32| end.min(to).max(at);
			let active = clamp(end.active, to.active, at.active);
			let decay = clamp(end.decay, to.decay, at.decay);
			let piece = Piece {
				parameters: &version.parameters,
				active: active.saturating_sub(at.active),
				decay: decay.saturating_sub(at.decay),
			};
			at = Moment { relay: at.relay, active, decay };
			(piece.active > 0 || piece.decay > 0).then_some(piece)
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Fixed;
	use std::vec::Vec;

	fn at(relay: u32) -> Moment {
		Moment { relay, active: relay - 100, decay: (relay - 100) / 2 }
	}

	fn with_growth(bits: u128) -> Parameters {
		Parameters { growth: Fixed::from_bits(bits), ..Parameters::launch() }
	}

	fn activated(changes: u32) -> Versions {
		let mut versions = Versions::new(with_growth(0), at(100)).unwrap();
		for n in 1..=changes {
			let block = 100 + 40_000 * n;
			versions.schedule(with_growth(n as u128), block, at(block)).unwrap();
			versions.activate(at(block));
		}
		versions
	}

	fn pieces(versions: &Versions, from: u32, to: u32) -> Vec<(u128, u32, u32)> {
		let pieces = versions.pieces(at(from), at(to));
		pieces.map(|p| (p.parameters.growth.to_bits(), p.active, p.decay)).collect()
	}

	#[test]
	fn an_interval_is_cut_where_parameters_change() {
		let versions = activated(2);
		assert_eq!(
			pieces(&versions, 200, 100_100),
			[(0, 39_900, 19_950), (1, 40_000, 20_000), (2, 20_000, 10_000)]
		);
		assert_eq!(pieces(&versions, 200, 300), [(0, 100, 50)]);
		assert_eq!(pieces(&versions, 90_000, 90_010), [(2, 10, 5)]);
		assert_eq!(pieces(&versions, 40_100, 40_100), []);
		assert_eq!(pieces(&versions, 40_098, 40_102), [(0, 2, 1), (1, 2, 1)]);
	}

	#[test]
	fn forgotten_versions_count_by_the_oldest() {
		let versions = activated(5);
		// Versions 0 and 1 are gone.
		assert_eq!(
			pieces(&versions, 100, 200_200),
			[(2, 120_000, 60_000), (3, 40_000, 20_000), (4, 40_000, 20_000), (5, 100, 50)]
		);
	}

	#[test]
	fn schedule_fails_without_a_trace() {
		let mut versions = activated(0);
		let bad = Parameters { min_score: 0, ..Parameters::launch() };
		let error = ScheduleError::OutOfRange(ParameterError::MinScore);
		assert_eq!(versions.schedule(bad, 1_000, at(200)), Err(error));
		let late = versions.schedule(Parameters::launch(), 199, at(200));
		assert_eq!(late, Err(ScheduleError::NotInFuture));
		assert_eq!(versions, activated(0));
		assert!(Versions::new(Parameters { min_score: 0, ..with_growth(0) }, at(100)).is_err());
	}

	#[test]
	fn no_version_is_forgotten_while_a_session_may_need_it() {
		let mut versions = Versions::new(with_growth(0), at(100)).unwrap();
		for n in 1..=3u32 {
			versions.schedule(with_growth(n as u128), 100 + n, at(100 + n)).unwrap();
			versions.activate(at(100 + n));
		}
		let try_at = |v: &mut Versions, block| v.schedule(with_growth(4), block, at(block));
		assert_eq!(try_at(&mut versions, 28_900), Err(ScheduleError::TooManyChanges));
		assert_eq!(try_at(&mut versions, 28_901), Ok(()));
	}

	#[test]
	fn what_is_scheduled_can_be_taken_back() {
		let mut versions = activated(0);
		versions.schedule(with_growth(1), 200, at(150)).unwrap();
		assert_eq!((versions.due(200), versions.due(201)), (None, Some(200)));
		versions.unschedule();
		assert_eq!((versions.due(201), versions.next()), (None, None));
	}
}
