//! From a challenge to its answer.
//!
//! The engine keeps no state of its own: each step looks at the newest block, at the book on disk and
//! at the kernel. So it may be killed between any two instructions and started again. The order within
//! a step matters: an answer is on disk before it is published.

use super::{
	book::Answer,
	plan::{Action, Budget, Challenge, Open, Run, next_action},
};
use phala_node_common::chain::Submission;

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
	/// Nothing is asked.
	Rest,
	/// What was computed is not asked any more.
	Dropped,
	/// The kernel runs, for so long.
	Started(Challenge, Budget),
	/// The kernel is at work.
	Computing,
	/// An answer was handed to the node.
	Submitted(Answer, Submission),
	/// An answer to this challenge cannot count any more.
	TooLate(Challenge),
}

/// Everything outside of the engine.
#[allow(async_fn_in_trait, reason = "used within this crate, on one thread at a time")]
pub trait World {
	/// What can go wrong.
	type Error;
	/// The challenge that the newest block waits for an answer to.
	async fn look(&mut self) -> Result<Option<Open>, Self::Error>;
	/// The answer to a challenge that was signed, if one was.
	fn noted(&mut self, challenge: &Challenge) -> Result<Option<Answer>, Self::Error>;
	/// Notes an answer, durably.
	fn note(&mut self, answer: &Answer) -> Result<(), Self::Error>;
	/// What the kernel does.
	fn run(&mut self) -> Run;
	/// Lets the kernel run for this challenge and forgets what it did before.
	fn start(&mut self, challenge: Challenge, budget: Budget);
	/// Stops the kernel, and forgets what it did.
	fn stop(&mut self);
	/// Signs an answer.
	fn sign(&mut self, challenge: Challenge, iterations: u64) -> Answer;
	/// Hands an answer to the node.
	async fn submit(&mut self, answer: &Answer) -> Result<Submission, Self::Error>;
}

/// Does the next thing.
pub async fn step<W: World>(world: &mut W) -> Result<Progress, W::Error> {
	let open = world.look().await?;
	let noted = match &open {
		Some(open) => world.noted(&open.challenge)?,
		None => None,
	};
	let answer = match next_action(open.as_ref(), noted, world.run()) {
		Action::Rest => return Ok(Progress::Rest),
		Action::Compute => return Ok(Progress::Computing),
		Action::TooLate => {
			return Ok(open.map_or(Progress::Rest, |open| Progress::TooLate(open.challenge)));
		}
		Action::Drop => {
			world.stop();
			return Ok(Progress::Dropped);
		}
		Action::Start(challenge, budget) => {
			world.start(challenge, budget);
			return Ok(Progress::Started(challenge, budget));
		}
		Action::Sign(challenge, iterations) => {
			let answer = world.sign(challenge, iterations);
			world.note(&answer)?;
			answer
		}
		Action::Submit(answer) => answer,
	};
	// On disk: what the kernel did is not needed any more, and what it does is for nothing.
	world.stop();
	let submission = world.submit(&answer).await?;
	Ok(Progress::Submitted(answer, submission))
}
