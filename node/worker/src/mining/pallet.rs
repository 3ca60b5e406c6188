//! The pallet `Mining`, as this program uses it: typed, but encoded and decoded by name against the
//! metadata of the runtime that answers.

use super::{
	book::Answer,
	plan::{Challenge, Open},
};
use phala_node_common::chain::{ChainError, Finalised, Shape};
use phala_primitives::{BlockRef, WorkerKey};
use subxt::ext::{scale_decode::DecodeAsType, scale_encode::EncodeAsType, scale_value::Value};

/// Name of the pallet in the runtime.
pub const PALLET: &str = "Mining";
/// The call that brings an answer, with arguments of [`Heartbeat`].
pub const HEARTBEAT: &str = "heartbeat";

/// What this program needs of it.
pub const SHAPE: Shape = Shape {
	pallet: PALLET,
	calls: &[(HEARTBEAT, &["statement", "signature"])],
	views: &[
		("session", &["worker"]),
		("pending_rewards", &["worker"]),
		("why_unpaid", &["worker"]),
		("next_challenge_deadline", &["worker"]),
		("minimum_stake", &["worker"]),
	],
	storage: &["State", "Sessions"],
};

#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
struct Block {
	number: u32,
	hash: [u8; 32],
}

#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
struct Stated {
	worker: [u8; 32],
	session: u64,
	challenge: Block,
	iterations: u64,
}

/// Arguments of the call [`HEARTBEAT`].
#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct Heartbeat {
	statement: Stated,
	signature: [u8; 64],
}

impl From<&Answer> for Heartbeat {
	fn from(answer: &Answer) -> Self {
		let stated = &answer.statement;
		let BlockRef { number, hash } = stated.challenge;
		let statement = Stated {
			worker: stated.worker.0,
			session: stated.session,
			challenge: Block { number, hash: hash.0 },
			iterations: stated.iterations,
		};
		Self { statement, signature: answer.signature.0 }
	}
}

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub enum SessionState {
	/// It earns.
	Computing,
	/// It missed a challenge.
	Unresponsive {
		/// Relay-chain block.
		since: u32,
	},
	/// It ends with its next answer or miss.
	Stopping,
	/// It ended.
	CoolingDown {
		/// Relay-chain block in which its stake can be reclaimed.
		until: u32,
	},
}

/// What the keeper of the stake sees, too. Amounts in planck.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct SessionInfo {
	/// Stake behind it.
	pub stake: u128,
	/// Where it is.
	pub state: SessionState,
	/// Parts of 10¹⁸.
	pub health: u64,
}

/// The worker's session. Amounts in planck.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Session {
	/// Its number.
	pub id: u64,
	/// What the keeper sees.
	pub info: SessionInfo,
	/// Its score, frozen.
	pub bench: u32,
	/// V now.
	pub v: u128,
	/// P_inst of the last answer, in millionths.
	pub performance: u128,
	/// What a stop now would lose.
	pub at_risk: u128,
	/// Its share of all, in parts of 10¹⁸.
	pub part: u64,
	/// The block whose challenge waits for an answer.
	pub challenged_at: Option<u32>,
}

impl Session {
	/// P_inst of the last answer, as a part of the score.
	pub fn speed(&self) -> f64 {
		self.performance as f64 / 1e6 / f64::from(self.bench.max(1))
	}
}

/// Where each planck of what a session earned goes.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Settlement {
	/// What its share earned.
	pub gross: u128,
	/// To the pool.
	pub pool: u128,
}

/// Until when a challenge can be answered: until all three have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Deadline {
	/// The block that asked.
	pub block: u32,
	/// Relay-chain block after which it may be too late.
	pub relay: u32,
	/// Blocks that have to admit heartbeats.
	pub blocks_left: u32,
	/// Authors that have to author.
	pub authors_left: u32,
}

/// When a challenge was issued, of what is stored about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Stamp {
	/// The block that asks.
	pub block: u32,
	/// Relay-chain blocks so far by which performance is measured.
	pub measured: u32,
}

/// The part of a stored session that matters to an answer.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Record {
	/// The open challenge.
	pub challenge: Option<Stamp>,
}

/// The part of the economy's state that matters to an answer.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Economy {
	/// Its clock of money.
	pub accumulator: Accumulator,
	/// Its clock of challenges.
	pub clock: Clock,
}

/// See [`Economy`].
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Accumulator {
	/// The present.
	pub now: Moment,
}

/// See [`Economy`].
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Moment {
	/// Relay-chain block.
	pub relay: u32,
}

/// See [`Economy`].
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Clock {
	/// Relay-chain blocks so far by which performance is measured.
	pub measured: u32,
}

/// The open challenge, from what one block says about it.
pub fn open(challenge: Challenge, at: Stamp, economy: &Economy, deadline: &Deadline) -> Open {
	let relay = deadline.relay.saturating_sub(economy.accumulator.now.relay);
	// All three have to happen, and none happens faster than the relay chain's blocks come.
	let left = relay.max(deadline.blocks_left).max(deadline.authors_left);
	let elapsed = economy.clock.measured.saturating_sub(at.measured);
	Open { challenge, elapsed, left }
}

/// Questions to the pallet, after a block.
pub struct Mining<'a>(pub &'a Finalised);

impl Mining<'_> {
	/// The worker's session.
	pub async fn session(&self, key: &WorkerKey) -> Result<Option<Session>, ChainError> {
		self.0.view(PALLET, "session", (key.0,)).await
	}

	/// What an answer now would settle.
	pub async fn pending(&self, key: &WorkerKey) -> Result<Option<Settlement>, ChainError> {
		self.0.view(PALLET, "pending_rewards", (key.0,)).await
	}

	/// What keeps the worker from being paid in full. Reasons are named by the runtime: one that this
	/// program does not know is shown all the same.
	pub async fn why_unpaid(&self, key: &WorkerKey) -> Result<Vec<Value>, ChainError> {
		self.0.view(PALLET, "why_unpaid", (key.0,)).await
	}

	/// Least stake in planck with which the worker could start now.
	pub async fn minimum_stake(&self, key: &WorkerKey) -> Result<Option<u128>, ChainError> {
		self.0.view(PALLET, "minimum_stake", (key.0,)).await
	}

	/// The challenge of this session that is open, if one is, all at this one block.
	pub async fn open(
		&self,
		key: &WorkerKey,
		session: &Session,
	) -> Result<Option<Open>, ChainError> {
		let Some(number) = session.challenged_at else { return Ok(None) };
		let record: Option<Record> = self.0.entry(PALLET, "Sessions", key.0).await?;
		let economy: Option<Economy> = self.0.value(PALLET, "State").await?;
		let deadline: Option<Deadline> =
			self.0.view(PALLET, "next_challenge_deadline", (key.0,)).await?;
		let hash = self.0.hash_of(number).await?;
		let stamp = record.and_then(|record| record.challenge);
		let (Some(at), Some(economy), Some(deadline), Some(hash)) =
			(stamp, economy, deadline, hash)
		else {
			// The chain has forgotten the block that asked: no answer can be proven.
			return Ok(None);
		};
		let challenge = Challenge { session: session.id, block: BlockRef { number, hash } };
		Ok(Some(open(challenge, at, &economy, &deadline)))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::H256;

	#[test]
	fn what_is_left_is_the_latest_of_the_three() {
		let challenge = Challenge { session: 1, block: BlockRef { number: 7, hash: H256::zero() } };
		let at = Stamp { block: 7, measured: 1_000 };
		let left = |relay, blocks_left, authors_left| {
			let economy = Economy {
				accumulator: Accumulator { now: Moment { relay: 500 } },
				clock: Clock { measured: 1_004 },
			};
			let deadline = Deadline { block: 7, relay, blocks_left, authors_left };
			let open = open(challenge, at, &economy, &deadline);
			assert_eq!((open.elapsed, open.challenge), (4, challenge));
			open.left
		};
		assert_eq!(left(516, 11, 2), 16);
		assert_eq!(left(505, 11, 2), 11);
		assert_eq!(left(490, 0, 1), 1);
		assert_eq!(left(499, 0, 0), 0);
	}
}
