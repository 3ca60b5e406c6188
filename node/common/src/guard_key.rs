//! How a gatekeeper gets the guard of its secrets and share of a ceremony from its peers
//! (`docs/keys.md`, §12).
//!
//! As a worker gets its cluster's key ([`cluster_key`]), with one difference: the secret of the question
//! is never kept. The answers are public for ever, and with the secret they are the guard. A program that
//! was killed while it waited asks anew, in the place of the question that it lost.
//!
//! | On chain | Asked | Next |
//! |---|---|---|
//! | this request, fulfilled | yes | [`Next::Combine`] |
//! | this request | yes | [`Next::Wait`]: for answers |
//! | none, or one that ends before | yes, and it is still valid | [`Next::Repeat`]: the same question |
//! | none, or one that ends before a new one | otherwise | [`Next::Ask`] |
//! | another, made in the same block | otherwise | [`Next::Wait`] |

use crate::{
	board::{
		Message,
		types::{LiveKey, OpenRequest, RequestId},
	},
	chain::{ReadError, Reader},
	cluster_key,
};
use phala_primitives::{ChainId, GuardRequestStatement, Statement, WorkerSignature, requester};
use phala_threshold::{
	Blind, CeremonyId, Combined, Error, Guard, GuardInput, Input, Inquiry, MemberIndex, Partial,
};
use rand_core::CryptoRngCore;
use sp_core::{Pair, sr25519};
use std::collections::BTreeMap;

/// A question, with the secret that opens its answers. In memory alone; wiped when dropped.
#[derive(Debug)]
pub struct Asking {
	blind: Blind,
	statement: GuardRequestStatement,
	signature: WorkerSignature,
}

impl Asking {
	/// Blinds the point of one's guard of `ceremony`, and signs the question to the holders of `key`, which
	/// can be put on the board until relay-chain block `valid_until`.
	pub fn new(
		chain: &ChainId,
		identity: &sr25519::Pair,
		epoch: u32,
		ceremony: CeremonyId,
		key: &LiveKey,
		valid_until: u32,
		rng: &mut impl CryptoRngCore,
	) -> Result<Self, Error> {
		let member = identity.public();
		let input = GuardInput { epoch, ceremony, member: member.0 };
		let inquiry = Inquiry {
			public_key: *key.sharing.public_key(),
			input: input.into(),
			requester: requester(chain, &member, valid_until),
		};
		let (blind, request) = Blind::new(inquiry, rng)?;
		let statement = GuardRequestStatement { member, epoch, ceremony, valid_until, request };
		let signature = statement.sign(chain, identity);
		Ok(Self { blind, statement, signature })
	}

	/// What to publish.
	pub fn message(&self) -> Message {
		Message::RequestGuard(Box::new(self.statement.clone()), self.signature)
	}

	fn is(&self, open: &OpenRequest) -> bool {
		let GuardRequestStatement { member, valid_until, request, .. } = &self.statement;
		let input = Input::Guard(self.statement.input());
		(member, &input, valid_until, request)
			== (&open.worker, &open.input, &open.valid_until, &open.request)
	}

	/// Makes the guard from the answers. Fails if fewer than t of them are right, whoever took them.
	pub fn combine(
		&self,
		key: &LiveKey,
		partials: &BTreeMap<MemberIndex, Partial>,
	) -> Result<Combined<Guard>, Error> {
		self.blind.combine_guard(&self.statement.request, &key.sharing, partials)
	}
}

/// What is final on chain about a guard.
#[derive(Clone, Debug)]
pub struct Scene {
	/// The member's request on record.
	pub open: Option<(RequestId, OpenRequest)>,
	/// The answers that combine.
	pub partials: BTreeMap<MemberIndex, Partial>,
}

/// Reads what is final about a guard.
pub async fn look<R: Reader>(
	reader: &mut R,
	input: &GuardInput,
) -> Result<Scene, ReadError<R::Error>> {
	let member = sr25519::Public::from_raw(input.member);
	let (open, partials) = cluster_key::on_record(reader, &member, &Input::Guard(*input)).await?;
	Ok(Scene { open, partials })
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
	/// Make a question and publish it.
	Ask {
		/// For [`Asking::new`].
		valid_until: u32,
	},
	/// Publish the question again.
	Repeat,
	/// Look again later.
	Wait,
	/// Make the guard from these answers.
	Combine,
}

/// What to do next at relay-chain block `relay`. `period` is the pallet's constant `RequestPeriod`.
pub fn next(
	asking: Option<&Asking>,
	scene: &Scene,
	key: &LiveKey,
	relay: u32,
	period: u32,
) -> Next {
	let before = scene.open.as_ref().map(|(_, open)| open);
	let asking =
		asking.filter(|asking| asking.blind.inquiry().public_key == *key.sharing.public_key());
	match (before, asking) {
		(Some(open), Some(asking)) if asking.is(open) => {
			match open.fulfilled && open.sharing == key.number {
				true => Next::Combine,
				false => Next::Wait,
			}
		}
		(_, Some(asking)) if cluster_key::is_due(asking.statement.valid_until, relay, before) => {
			Next::Repeat
		}
		_ => match cluster_key::valid_until(relay, period, before) {
			Some(valid_until) => Next::Ask { valid_until },
			None => Next::Wait,
		},
	}
}
