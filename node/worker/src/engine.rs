//! From one action to the next, until nothing is left to do.
//!
//! The engine keeps no state of its own: each step looks at the chain and at the note on disk. So it
//! may be killed between any two instructions and started again. The order within a step matters:
//! the note is written before a transaction is sent, and removed only when its fate is final.

use crate::{
	journal::{Pending, Purpose},
	plan::{Action, View, Wish, next_action},
};
use phala_node_common::chain::Outcome;

/// What a prepared step turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
	/// A transaction. Its purpose may be one that has to come before the wanted one.
	Transaction(Pending),
	/// A renewal would not prolong the attestation: something limits it, such as collateral.
	NoGain,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
	/// A transaction did what it was for.
	Done(Purpose),
	/// Something changed; look again at once.
	Again,
	/// Nothing to do for this many seconds of the chain's time.
	Idle {
		/// Until something is due.
		seconds: u64,
	},
}

/// Everything outside of the engine.
#[allow(async_fn_in_trait, reason = "used within this crate, on one thread at a time")]
pub trait World {
	/// What can go wrong.
	type Error;
	/// The state of the chain at its newest finalised block.
	async fn look(&mut self) -> Result<View, Self::Error>;
	/// What the operator wants.
	fn wish(&self) -> Wish;
	/// The note on disk.
	fn noted(&mut self) -> Result<Option<Pending>, Self::Error>;
	/// Changes the note on disk, durably.
	fn note(&mut self, pending: Option<&Pending>) -> Result<(), Self::Error>;
	/// Keeps for later views until when renewals rest.
	fn rest(&mut self, until: u64);
	/// Makes and signs a transaction for an action at the view's block. Sends nothing.
	async fn prepare(&mut self, action: &Action, view: &View) -> Result<Prepared, Self::Error>;
	/// Sends a transaction and follows it until its fate is final.
	async fn conclude(&mut self, pending: &Pending) -> Result<Outcome, Self::Error>;
	/// A transaction failed on chain or could not be included.
	fn fail(&mut self, purpose: Purpose, outcome: &Outcome) -> Self::Error;
	/// The worker belongs to another account.
	fn foreign(&mut self) -> Self::Error;
}

/// Seconds of the chain's time after which a renewal without gain is tried again.
const NO_GAIN_PAUSE: u64 = 1_800;

/// Does the next thing.
pub async fn step<W: World>(world: &mut W) -> Result<Progress, W::Error> {
	let view = world.look().await?;
	let noted = world.noted()?;
	let pending = match (next_action(&view, noted.as_ref(), &world.wish()), noted) {
		(Action::Follow, Some(pending)) => pending,
		(Action::Follow | Action::Forget, _) => {
			world.note(None)?;
			return Ok(Progress::Again);
		}
		(Action::Foreign, _) => return Err(world.foreign()),
		(Action::Wait { seconds }, _) => return Ok(Progress::Idle { seconds }),
		(action, _) => match world.prepare(&action, &view).await? {
			// What else is wanted need not wait.
			Prepared::NoGain => {
				world.rest(view.now.saturating_add(NO_GAIN_PAUSE));
				return Ok(Progress::Again);
			}
			Prepared::Transaction(pending) => {
				world.note(Some(&pending))?;
				pending
			}
		},
	};
	let outcome = world.conclude(&pending).await?;
	world.note(None)?;
	match outcome {
		Outcome::Done(_) => Ok(Progress::Done(pending.purpose)),
		// Another program of the same account was faster: no harm done.
		Outcome::Superseded => Ok(Progress::Again),
		Outcome::Failed(_) | Outcome::Expired { .. } => Err(world.fail(pending.purpose, &outcome)),
	}
}
