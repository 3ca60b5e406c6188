//! One worker's session: what it staked, what it is promised, what it is owed.
//!
//! ```text
//!            start                 miss                  (probation, then)
//!  (Ready) ────────▶ Computing ──────────▶ Unresponsive ── recover ──┐
//!                     │  ▲ └─ settle, top_up                │        │
//!                     │  └──────────────────────────────────┼────────┘
//!                     └───────────── stop ─────▶ CoolingDown ◀── stop
//! ```
//!
//! | Event | V and health | Pay |
//! |---|---|---|
//! | `start` | V = V^e, h = 1 | – |
//! | `settle` | grow; then V falls by what the pool is paid, at most by its growth | everything since the last event, by quality and cap |
//! | `miss` | as at the last event | forfeited |
//! | `recover` | fell since the miss | none |
//! | `top_up` | V and V^e gain f·ΔS; (1−h)·S is slashed, then h = 1 | – (settle first) |
//! | `stop` | Computing: as at the last event. Unresponsive: fell since the miss | forfeited (settle first) |
//!
//! Between events nothing is written: the share is frozen in a [`Position`], and V and health at a
//! time are computed from the last event. All events take the [`Accumulator`], which must have
//! [advanced](Accumulator::advance) to the present. An event that fails changes nothing.

mod events;
#[cfg(test)]
mod tests;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

use crate::{
	Balance, Fixed, Moment, Position, Tier, Versions,
	performance::{self},
};

/// The highest score that may mine. It keeps Σshare of 4·10⁵ workers within range.
pub const MAX_SCORE: u32 = 1_000_000;

/// Where a session is in its life. *Ready* is the absence of a session.
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
pub enum Phase {
	/// Earning, and challenged.
	#[codec(index = 0)]
	Computing(Position),
	/// Missed a challenge: decays, until it answers after the probation, or stops.
	#[codec(index = 1)]
	Unresponsive,
	/// Stopped: waits for its stake.
	#[codec(index = 2)]
	CoolingDown,
}

/// The money of one session. Build with [`Session::start`].
#[derive(
	Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo,
)]
pub struct Session {
	stake: Balance,
	bench: u32,
	tier: Tier,
	initial_v: Fixed,
	v: Fixed,
	health: Fixed,
	performance: Fixed,
	serving: bool,
	at: Moment,
	phase: Phase,
}

/// An on-time answer to a challenge, as the chain measured it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer {
	/// P_inst: [`performance::instant_performance`] over the chain's own time.
	pub performance: Fixed,
	/// Tier of the worker's attestation now; `None` if it expired, was revoked or may not mine.
	pub tier: Option<Tier>,
	/// Whether the worker now serves paid, receipted work of somebody who is not its operator.
	pub serving: bool,
}

/// Why a session cannot start.
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
pub enum StartError {
	/// The score is below `Parameters::min_score`. Mine with a stronger machine.
	ScoreTooLow,
	/// The score is above [`MAX_SCORE`]. Measure again.
	ScoreTooHigh,
	/// The stake is below `Parameters::min_stake`. Stake more.
	StakeTooLow,
	/// V^e would be above V_max. Stake at most `Parameters::max_stake`.
	StakeTooHigh,
}

/// Why an event does not apply to a session.
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
pub enum SessionError {
	/// The session is not computing. Recover it, or start a new one.
	NotComputing,
	/// The session is not unresponsive, there is nothing to recover.
	NotUnresponsive,
	/// The session has stopped already. Reclaim its stake after the cool-down.
	AlreadyStopped,
	/// The probation is not over. Answer a later challenge.
	OnProbation,
	/// The answer shows less than half of the benchmark: it counts as a miss.
	TooSlow,
	/// The attestation expired or may not mine. Renew it.
	NotAttested,
	/// The session has not been settled in this block. Answer a challenge first.
	SettleFirst,
	/// The stake after the top-up is below `Parameters::min_stake`. Add more.
	StakeTooLow,
	/// V^e after the top-up would be above V_max. Add less.
	StakeTooHigh,
}

macro_rules! display_as_debug {
	($($error:ty),*) => { $(
		impl fmt::Display for $error {
			fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
				fmt::Debug::fmt(self, f)
			}
		}
		impl core::error::Error for $error {}
	)* };
}
display_as_debug!(StartError, SessionError);

/// V, health and stake of a session at a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Worth {
	/// V in PHA. While computing, what an on-time answer now would settle from.
	pub v: Fixed,
	/// Part of the stake that a stop would return, in [0, 1].
	pub health: Fixed,
}

impl Session {
	/// Stake S in planck.
	pub fn stake(&self) -> Balance {
		self.stake
	}

	/// P_bench, frozen for the session.
	pub fn bench(&self) -> u32 {
		self.bench
	}

	/// Tier of the attestation at the last event.
	pub fn tier(&self) -> Tier {
		self.tier
	}

	/// V^e in PHA: V at the start, with what top-ups added.
	pub fn initial_v(&self) -> Fixed {
		self.initial_v
	}

	/// V in PHA at the last event.
	pub fn v(&self) -> Fixed {
		self.v
	}

	/// Health at the last event, in [0, 1].
	pub fn health(&self) -> Fixed {
		self.health
	}

	/// P_now: P_inst of the last answer, P_bench before the first.
	pub fn performance(&self) -> Fixed {
		self.performance
	}

	/// When the last event was.
	pub fn at(&self) -> Moment {
		self.at
	}

	/// Where the session is in its life.
	pub fn phase(&self) -> &Phase {
		&self.phase
	}

	/// The frozen share; 0 unless computing.
	pub fn share(&self) -> Fixed {
		match &self.phase {
			Phase::Computing(position) => position.share(),
			_ => Fixed::ZERO,
		}
	}

	/// m: the speed of V's growth.
	pub fn multiplier(&self) -> Fixed {
		if self.serving {
			Fixed::ONE
		} else {
			performance::multiplier(self.performance, self.bench)
		}
	}

	/// h·S in planck, rounded down: what goes back to the owners of the stake after a stop now.
	pub fn returned(&self) -> Balance {
		self.health.of_floor(self.stake)
	}

	/// S − h·S in planck: what a stop now reports to the slashing ledger.
	pub fn lost(&self) -> Balance {
		self.stake.saturating_sub(self.returned())
	}

	/// What a stop after `steps` more silent steps would lose, in planck: with those after which the
	/// chain stops an unresponsive worker by itself, the most that is at risk. A pool sets this aside
	/// at a miss, so that nobody leaves between the miss and the stop at the expense of those who stay.
	pub fn at_risk(&self, steps: u32, versions: &Versions) -> Balance {
		let health = self.health.mul_floor(versions.current().retained(steps));
		self.stake.saturating_sub(health.of_floor(self.stake))
	}

	/// V and health at a moment after the last event, if nothing else happens until then.
	pub fn worth(&self, now: Moment, versions: &Versions) -> Worth {
		let mut worth = Worth { v: self.v, health: self.health };
		match self.phase {
			Phase::Computing(_) => {
				let m = self.multiplier();
				for piece in versions.pieces(self.at, now) {
					worth.v = piece.parameters.grown(worth.v, self.bench, m, piece.active);
					worth.health = piece.parameters.healed(worth.health, piece.active);
				}
			}
			Phase::Unresponsive => {
				for piece in versions.pieces(self.at, now) {
					let left = piece.parameters.retained(piece.decay);
					worth.v = worth.v.mul_floor(left);
					worth.health = worth.health.mul_floor(left);
				}
			}
			Phase::CoolingDown => {}
		}
		worth
	}
}
