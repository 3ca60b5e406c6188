//! What to do about a challenge: a pure function of what the newest block says, of what was signed,
//! and of what is being computed.
//!
//! | The newest block | Signed | The kernel | Action |
//! |---|---|---|---|
//! | asks nothing | – | idle | rest |
//! | asks nothing | – | runs or has run | drop it: its fork is gone, or its time |
//! | asks | an answer to this | – | submit the very same again |
//! | asks | – | runs for this | let it |
//! | asks | – | has run for this | sign, note, submit |
//! | asks | – | idle, or at work on another challenge | start, if an answer can still count |
//!
//! Two forks that ask are two challenges: the hash of the block that asks is part of each.
//!
//! # How long the kernel runs
//! P_inst counts relay-chain blocks of 6 s from the block that asks to the one that includes the answer.
//! The run begins when the former has arrived and its result has to reach the author of the latter, so
//! about one block is lost: the longer the run, the less that weighs, and the more of the machine is
//! taken. [`RUN`] ends two seconds after the tenth block, which leaves four for the way into the
//! eleventh: 62 s of 66 s are counted, 94 %.
//!
//! Who begins late (after a restart, a lost node, a re-org) runs for longer, but never into the last
//! [`RESERVE`] blocks; and does not begin if even then the answer would show less than half of the
//! benchmark, which is a miss.

use super::book::Answer;
use phala_primitives::{BlockRef, MILLIS_PER_SCORE_PERIOD};
use std::time::Duration;

/// A relay-chain block, by which performance is counted.
const BLOCK: Duration = Duration::from_millis(MILLIS_PER_SCORE_PERIOD);
/// A run that begins in time: ten blocks, and as much of the eleventh as can be.
pub const RUN: Duration = Duration::from_secs(62);
/// Blocks from the end of a run to where the deadline may pass: for the way, and for forks.
const RESERVE: u32 = 3;
/// Blocks that the way to the block costs.
const WAY: u32 = 1;

/// A challenge of one session, on one fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
	/// Number of the session.
	pub session: u64,
	/// The block that asks; its hash seeds the kernel.
	pub block: BlockRef,
}

/// A challenge that the newest block still waits for an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
	/// Which.
	pub challenge: Challenge,
	/// Relay-chain blocks that the chain has counted since.
	pub elapsed: u32,
	/// Relay-chain blocks in which an answer is in time for certain.
	pub left: u32,
}

/// For how long the kernel runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
	/// For so long.
	pub run: Duration,
	/// But to its end within this, even if it has to wait for the machine first.
	pub within: Duration,
}

/// What the kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
	/// Nothing.
	Idle,
	/// It runs for this challenge.
	Running(Challenge),
	/// It has run for this challenge, and did so many iterations.
	Done(Challenge, u64),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
	/// Nothing is asked.
	Rest,
	/// Forget what the kernel does or did.
	Drop,
	/// Let the kernel run for this challenge, and for nothing else.
	Start(Challenge, Budget),
	/// Let the kernel run on.
	Compute,
	/// Sign that it did so many iterations; note it; submit it.
	Sign(Challenge, u64),
	/// Submit what was signed.
	Submit(Answer),
	/// An answer cannot count any more.
	TooLate,
}

impl Open {
	/// Seconds in which an answer is in time for certain.
	pub fn seconds_left(&self) -> u64 {
		BLOCK.saturating_mul(self.left).as_secs()
	}

	/// For how long to run; `None` if an answer could not show half of the benchmark in time.
	pub fn budget(&self) -> Option<Budget> {
		let within = BLOCK.saturating_mul(self.left.saturating_sub(RESERVE));
		// What is lost before the run and after it. As long again is just half of the benchmark; twice
		// as long is safe.
		let lost = BLOCK.saturating_mul(self.elapsed.saturating_add(WAY));
		let run = RUN.max(lost.saturating_mul(2)).min(within);
		(run >= lost).then_some(Budget { run, within })
	}
}

/// What to do next. `noted` is the answer to the open challenge that was signed, if one was.
pub fn next_action(open: Option<&Open>, noted: Option<Answer>, run: Run) -> Action {
	let Some(open) = open else {
		return if run == Run::Idle { Action::Rest } else { Action::Drop };
	};
	match (noted, run) {
		(Some(answer), _) => Action::Submit(answer),
		(None, Run::Running(of)) if of == open.challenge => Action::Compute,
		(None, Run::Done(of, iterations)) if of == open.challenge => Action::Sign(of, iterations),
		(None, run) => match open.budget() {
			Some(budget) => Action::Start(open.challenge, budget),
			None if run == Run::Idle => Action::TooLate,
			None => Action::Drop,
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_primitives::{ChainId, WorkerKey};
	use proptest::prelude::*;
	use sp_core::{H256, Pair, sr25519};

	fn challenge(number: u32, fork: u8) -> Challenge {
		Challenge { session: 4, block: BlockRef { number, hash: H256::repeat_byte(fork) } }
	}

	/// Asked at once: 20 relay-chain blocks are left.
	fn open(fork: u8) -> Open {
		Open { challenge: challenge(7, fork), elapsed: 0, left: 20 }
	}

	fn answer(of: Challenge) -> Answer {
		let key = sr25519::Pair::from_seed(&[1; 32]);
		let chain = ChainId { genesis: H256::zero(), para_id: 1 };
		let answer = Answer::sign(&chain, &key, of, 9);
		assert_ne!(answer.statement.worker, WorkerKey::default());
		answer
	}

	fn seconds(run: u64, within: u64) -> Budget {
		Budget { run: Duration::from_secs(run), within: Duration::from_secs(within) }
	}

	/// Each line of the table, with each state of the kernel.
	#[test]
	fn every_case() {
		let (ours, other) = (challenge(7, 1), challenge(7, 2));
		let start = Action::Start(ours, seconds(62, 102));
		let said = answer(ours);
		let submit = Action::Submit(said.clone());
		for (open, noted, run, action) in [
			(None, None, Run::Idle, Action::Rest),
			(None, None, Run::Running(ours), Action::Drop),
			(None, None, Run::Done(ours, 5), Action::Drop),
			(Some(open(1)), None, Run::Idle, start.clone()),
			(Some(open(1)), None, Run::Running(ours), Action::Compute),
			(Some(open(1)), None, Run::Done(ours, 5), Action::Sign(ours, 5)),
			// Another fork asks: what was computed for the first is worth nothing.
			(Some(open(1)), None, Run::Running(other), start.clone()),
			(Some(open(1)), None, Run::Done(other, 5), start),
			// What was signed is never computed again, whatever the kernel does.
			(Some(open(1)), Some(said.clone()), Run::Idle, submit.clone()),
			(Some(open(1)), Some(said.clone()), Run::Running(other), submit.clone()),
			(Some(open(1)), Some(said), Run::Done(ours, 6), submit),
		] {
			assert_eq!(next_action(open.as_ref(), noted, run), action, "{open:?} {run:?}");
		}
	}

	#[test]
	fn a_challenge_of_another_session_is_another_one() {
		let before = Challenge { session: 3, ..challenge(7, 1) };
		let action = next_action(Some(&open(1)), None, Run::Done(before, 5));
		assert!(matches!(action, Action::Start(of, _) if of.session == 4));
	}

	#[test]
	fn who_begins_late_runs_for_longer_and_who_is_too_late_does_not() {
		let budget = |elapsed, left| Open { elapsed, left, ..open(1) }.budget();
		assert_eq!(budget(0, 20), Some(seconds(62, 102)));
		assert_eq!(budget(3, 17), Some(seconds(62, 84)));
		// 84 s would be safe, 78 s are there: 13 of 6 + 13 + 1 blocks.
		assert_eq!(budget(6, 16), Some(seconds(78, 78)));
		assert_eq!(budget(7, 13), Some(seconds(60, 60)));
		// Just half: 9 of 8 + 9 + 1 blocks.
		assert_eq!(budget(8, 12), Some(seconds(54, 54)));
		assert_eq!(budget(9, 11), None);
		// The deadline waits for slow blocks: late by the clock, but there is time.
		assert_eq!(budget(9, 30), Some(seconds(120, 162)));
		for left in 0..=RESERVE {
			assert_eq!(budget(0, left), None);
		}
	}

	#[test]
	fn a_run_that_became_hopeless_is_dropped_first() {
		let late = Open { elapsed: 15, left: 5, ..open(1) };
		let other = challenge(6, 1);
		assert_eq!(next_action(Some(&late), None, Run::Running(other)), Action::Drop);
		assert_eq!(next_action(Some(&late), None, Run::Idle), Action::TooLate);
		// One that is under way for it is not cut off: its budget was set when it began.
		assert_eq!(next_action(Some(&late), None, Run::Running(late.challenge)), Action::Compute);
	}

	proptest! {
		/// A run never ends after what is left less the reserve, and an honest machine's answer shows
		/// at least half of the benchmark.
		#[test]
		fn answers_are_in_time_and_count(elapsed in 0u32..1_000, left in 0u32..1_000) {
			let open = Open { elapsed, left, ..open(1) };
			if let Some(Budget { run, within }) = open.budget() {
				prop_assert!(run <= within);
				prop_assert!(within + BLOCK * RESERVE <= BLOCK * left);
				let counted = run.as_millis();
				let passed = (BLOCK * (elapsed + WAY) + run).as_millis();
				prop_assert!(counted * 2 >= passed);
			} else {
				// Nothing is given up that could count.
				let most = BLOCK * left.saturating_sub(RESERVE);
				prop_assert!(most < BLOCK * (elapsed + WAY));
			}
		}
	}
}
