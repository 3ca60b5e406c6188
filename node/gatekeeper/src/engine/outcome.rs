//! What a step did, and why it did not.

use crate::{
	plan::{Memory, Useless},
	vault::VaultError,
	view::{LookError, View},
};
use pallet_gatekeeper_keys::types::CeremonyNumber;
use phala_node_common::{
	board::Message,
	chain::{ReadError, Submission},
};
use phala_threshold::{MemberIndex, MemberSet};
use sp_core::H256;

/// Why nothing is done at this block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
	/// An older block than was acted on before.
	#[error(
		"the node's newest final block is {found}, but block {seen} was final before: it is not \
		 synchronised yet, or shows an old chain"
	)]
	Older {
		/// Its height.
		found: u32,
		/// Height of the newest block that was acted on.
		seen: u32,
	},
	/// Another chain than was acted on before.
	#[error(
		"block {number} is {found:?} and was final as {seen:?} before: the node is on another chain"
	)]
	OtherChain {
		/// The height.
		number: u32,
		/// The node's hash; `None` if it has no such block.
		found: Option<H256>,
		/// The hash of what was acted on.
		seen: H256,
	},
	/// Secrets of a ceremony that the chain has not begun.
	#[error(
		"there are secrets of ceremony {number}, and the chain has not begun it: the node shows an old \
		 chain, or this folder belongs to another one"
	)]
	Future {
		/// The ceremony.
		number: CeremonyNumber,
	},
	/// A block of another time.
	#[error(
		"the newest final block is of another time than this machine's clock, by {seconds} s: the node \
		 is not synchronised, finality stands still, or the clock is wrong"
	)]
	Stale {
		/// By how much.
		seconds: u64,
	},
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum StepError<E> {
	/// The world.
	#[error(transparent)]
	World(E),
	/// The state is not what this program expects.
	#[error(transparent)]
	Look(LookError<std::convert::Infallible>),
	/// The sealed files.
	#[error(transparent)]
	Vault(#[from] VaultError),
	/// The block is not acted on.
	#[error(transparent)]
	Distrust(#[from] Distrust),
	/// The chain contradicts the protocol. It is no chain that is final, or there is a defect.
	#[error("ceremony {number}: {cause}. Nothing was published; tell the developers")]
	Protocol {
		/// The ceremony.
		number: CeremonyNumber,
		/// The rule.
		cause: phala_threshold::Error,
	},
	/// Something that a message refers to is not stored.
	#[error("ceremony {number}: {what} of seat {seat} is not in the state. Tell the developers")]
	Missing {
		/// The ceremony.
		number: CeremonyNumber,
		/// What.
		what: &'static str,
		/// Whose.
		seat: MemberIndex,
	},
}

impl<E> From<ReadError<E>> for StepError<E> {
	fn from(error: ReadError<E>) -> Self {
		match error {
			ReadError::Read(error) => Self::World(error),
			ReadError::Malformed(error) => Self::Look(LookError::Read(ReadError::Malformed(error))),
		}
	}
}

impl<E> From<LookError<E>> for StepError<E> {
	fn from(error: LookError<E>) -> Self {
		match error {
			LookError::Read(error) => error.into(),
			LookError::Contradiction { number, what } => {
				Self::Look(LookError::Contradiction { number, what })
			}
		}
	}
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
	/// Made the secrets of a ceremony.
	Joined(CeremonyNumber),
	/// Handed a message to the pool, which took it or not.
	Published(Box<Message>, Submission),
	/// Made answers to this many requests.
	Answered(u64),
	/// Examined dealings, and found that many faulty.
	Examined(CeremonyNumber, MemberSet, u8),
	/// Has a share that can be sealed when its guard is there; until then its part in the ceremony stays.
	Holds(CeremonyNumber),
	/// Has the guard of its secrets and share of a ceremony.
	Guarded(CeremonyNumber),
	/// Sealed a share or part anew, as it is to be sealed now.
	Resealed(CeremonyNumber),
	/// Sealed a share.
	Took(CeremonyNumber),
	/// Cannot get its share of a key: this dealer's part of it is faulty or gone.
	Lost(CeremonyNumber, MemberIndex),
	/// Looked for these dealers' dealings in the node's old blocks, in vain.
	Missed(CeremonyNumber, MemberSet),
	/// Erased something.
	Erased(Useless),
}

/// What a step did and saw.
#[derive(Debug)]
pub struct Progress {
	/// What was seen.
	pub view: View,
	/// What there is.
	pub memory: Memory,
	/// What was done, in order.
	pub done: Vec<Done>,
}

impl Progress {
	/// Something was found out or made, so that the next thing may be due at once.
	pub fn is_news(&self) -> bool {
		let repeats = |done: &Done| {
			matches!(
				done,
				Done::Published(..) | Done::Answered(_) | Done::Lost(..) | Done::Missed(..)
			)
		};
		!self.done.iter().all(repeats)
	}

	/// Another node may have what this one does not.
	pub fn is_in_vain(&self) -> bool {
		self.done.iter().any(|done| matches!(done, Done::Missed(..)))
	}
}
