//! How a worker gets its cluster's key from the gatekeepers.
//!
//! The worker blinds its cluster's point and puts it on the board with a proof ([`Asking`]). Holders
//! of the master key answer there, with proven partials. Any t of them make the key, inside this TEE
//! and nowhere else (`docs/keys.md`, §4).
//!
//! [`next`] says what to do, given what is final on chain ([`look`]) and the question that was asked.
//! The caller saves the question, sealed, before it publishes it: whoever knows the blind and reads
//! the chain has the key, and a question whose blind is lost can only be replaced, or expire.
//!
//! | On chain | Asked | Next |
//! |---|---|---|
//! | no key of that epoch in use | – | [`Error::NotLive`]: ask for the current one |
//! | no request on record | no, or it is not valid any more | [`Next::Ask`] |
//! | no request on record | yes | [`Next::Repeat`]: the same question |
//! | this request, fulfilled | yes | [`Next::Combine`] |
//! | this request | yes | [`Next::Wait`]: for answers |
//! | an earlier request, which ends before | yes | [`Next::Repeat`]: this one takes its place |
//! | an earlier request | otherwise | [`Next::Ask`] in its place; [`Next::Wait`] within the same block |
//!
//! # Trust
//!
//! Partials are verified here, whatever the chain did; members that lie are named. What must be right
//! is the public key: with a wrong one somebody else knows the master key. It is taken from state that
//! is proven to be in a block which the node calls final, or pinned ([`Wish::public_key`]). A key that
//! was seen once should be pinned for the rest of its epoch: no handover changes it.

use crate::{
	board::{
		self, Clocks,
		types::{LiveKey, OpenRequest, RequestId},
	},
	chain::{ReadError, Reader},
};
use codec::{Decode, Encode};
use phala_primitives::{
	ChainId, KeyRequestStatement, Statement, WorkerKey, WorkerSignature, requester,
};
use phala_threshold::{
	Blind, ClusterInput, ClusterSecret, Element, Input, Inquiry, MemberIndex, MemberSet, Partial,
};
use rand_core::CryptoRngCore;
use sp_core::sr25519;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub use board::Message;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
	/// The chain answers no requests for this epoch.
	#[error(
		"no master key of epoch {0} is in use: ask for a key of the current epoch. What only the old \
		 epoch's key protects is lost with it"
	)]
	NotLive(u32),
	/// The chain has another key than it had.
	#[error(
		"the master key of epoch {epoch} is {found:?}, not {expected:?} as it was before: the node is \
		 on another chain, or lies"
	)]
	OtherKey {
		/// The epoch.
		epoch: u32,
		/// The key that was known.
		expected: Box<Element>,
		/// The key that the node shows.
		found: Box<Element>,
	},
	/// The saved question cannot be read.
	#[error("the saved question is none of this program and chain: forget it, and ask anew")]
	NotSaved,
	/// The protocol.
	#[error(transparent)]
	Protocol(#[from] phala_threshold::Error),
}

/// Which key is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
	/// The cluster and epoch.
	pub input: ClusterInput,
	/// The epoch's master key, if it is known.
	pub public_key: Option<Element>,
}

/// A question, with the secret that opens its answers. Wiped when dropped.
#[derive(Debug)]
pub struct Asking {
	blind: Blind,
	statement: KeyRequestStatement,
	signature: WorkerSignature,
}

impl Asking {
	/// Blinds a cluster's point and signs the question, which can be put on the board until relay-chain
	/// block `valid_until`.
	pub fn new(
		chain: &ChainId,
		identity: &sr25519::Pair,
		input: ClusterInput,
		public_key: Element,
		valid_until: u32,
		rng: &mut impl CryptoRngCore,
	) -> Result<Self, Error> {
		let worker = sp_core::Pair::public(identity);
		let requester = requester(chain, &worker, valid_until);
		let inquiry = Inquiry { public_key, input: input.into(), requester };
		let (blind, request) = Blind::new(inquiry, rng)?;
		let statement = KeyRequestStatement { worker, input, valid_until, request };
		let signature = statement.sign(chain, identity);
		Ok(Self { blind, statement, signature })
	}

	/// What to publish.
	pub fn message(&self) -> Message {
		Message::Request(Box::new(self.statement.clone()), self.signature)
	}

	/// What is asked.
	pub fn input(&self) -> ClusterInput {
		self.statement.input
	}

	/// In the clear, for sealing. Whoever reads it and the chain has the key.
	pub fn save(&self) -> Zeroizing<Vec<u8>> {
		let public = (self.blind.inquiry(), &self.statement, &self.signature).encode();
		let mut saved = Zeroizing::new(Vec::with_capacity(public.len().saturating_add(32)));
		saved.extend_from_slice(&*self.blind.save());
		saved.extend_from_slice(&public);
		saved
	}

	/// Reads what [`save`](Self::save) wrote for this worker and chain.
	pub fn restore(chain: &ChainId, worker: &WorkerKey, saved: &[u8]) -> Result<Self, Error> {
		let (secret, mut public) = saved.split_first_chunk::<32>().ok_or(Error::NotSaved)?;
		// An inquiry about a cluster, then the message.
		type Saved = (Element, ClusterInput, [u8; 32], KeyRequestStatement, WorkerSignature);
		let (public_key, input, asker, statement, signature) =
			Saved::decode(&mut public).map_err(|_| Error::NotSaved)?;
		let ours = statement.worker == *worker
			&& statement.is_signed_by(chain, worker, &signature)
			&& input == statement.input
			&& asker == requester(chain, worker, statement.valid_until);
		if !ours || !public.is_empty() {
			return Err(Error::NotSaved);
		}
		let inquiry = Inquiry { public_key, input: input.into(), requester: asker };
		let blind = Blind::restore(inquiry, secret)?;
		Ok(Self { blind, statement, signature })
	}

	fn is(&self, open: &OpenRequest) -> bool {
		let KeyRequestStatement { worker, input, valid_until, request } = &self.statement;
		let input = Input::Cluster(*input);
		(worker, &input, valid_until, request)
			== (&open.worker, &open.input, &open.valid_until, &open.request)
	}

	/// Makes the key from the answers. Fails if fewer than t of them are right, whoever took them.
	pub fn combine(
		&self,
		key: &LiveKey,
		partials: &BTreeMap<MemberIndex, Partial>,
	) -> Result<Obtained, Error> {
		let combined = self.blind.combine(&self.statement.request, &key.sharing, partials)?;
		Ok(Obtained {
			secret: combined.secret,
			public_key: *key.sharing.public_key(),
			faulty: combined.faulty,
		})
	}
}

/// A cluster's key.
#[derive(Debug)]
pub struct Obtained {
	/// What the cluster's keys for each purpose derive from.
	pub secret: ClusterSecret,
	/// The master key that it is of: remember it ([`Wish::public_key`]).
	pub public_key: Element,
	/// Members that gave false answers.
	pub faulty: MemberSet,
}

/// What is final on chain about a wish.
#[derive(Clone, Debug)]
pub struct Scene {
	/// What time it is.
	pub clocks: Clocks,
	/// The epoch's key, if it is in use.
	pub key: Option<LiveKey>,
	/// The worker's request on record.
	pub open: Option<(RequestId, OpenRequest)>,
	/// The answers that combine.
	pub partials: BTreeMap<MemberIndex, Partial>,
}

/// Reads what is final about a wish.
pub async fn look<R: Reader>(
	reader: &mut R,
	worker: &WorkerKey,
	input: &ClusterInput,
) -> Result<Scene, ReadError<R::Error>> {
	let clocks = board::clocks(reader).await?;
	let key = reader.get(&board::live_key(input.epoch)).await?;
	let (open, partials) = on_record(reader, worker, &Input::Cluster(*input)).await?;
	Ok(Scene { clocks, key, open, partials })
}

/// A request, and the answers to it that combine.
pub(crate) type OnRecord = (Option<(RequestId, OpenRequest)>, BTreeMap<MemberIndex, Partial>);

/// Reads the request of somebody for something.
pub(crate) async fn on_record<R: Reader>(
	reader: &mut R,
	worker: &WorkerKey,
	input: &Input,
) -> Result<OnRecord, ReadError<R::Error>> {
	let (mut open, mut partials) = (None, BTreeMap::new());
	if let Some(id) = reader.get(&board::open_for(worker, input)).await?
		&& let Some(request) = reader.get(&board::request(id)).await?
	{
		let seats: Vec<_> = request.answered.iter().collect();
		let items: Vec<_> = seats.iter().map(|seat| board::partial(id, *seat)).collect();
		let found = reader.get_each(&items).await?;
		partials =
			seats.into_iter().zip(found).filter_map(|(seat, one)| Some((seat, one?))).collect();
		open = Some((id, request));
	}
	Ok((open, partials))
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
	/// Make a question, save it, and publish it.
	Ask {
		/// The master key to ask.
		public_key: Element,
		/// For [`Asking::new`].
		valid_until: u32,
	},
	/// Publish the question again.
	Repeat,
	/// Look again later.
	Wait,
	/// Make the key from these answers.
	Combine,
}

/// Relay-chain blocks by which a question ends before the chain would call it too long: what is final
/// is behind what is newest.
const MARGIN: u32 = 10;

/// Until when a question that is made at relay-chain block `relay` is valid; `None` if it cannot take the
/// place of `before`, which is on record, yet.
pub(crate) fn valid_until(relay: u32, period: u32, before: Option<&OpenRequest>) -> Option<u32> {
	// A margin before both ends: blocks between final and newest ones count, too.
	let life = period.saturating_sub(MARGIN).max(1);
	let until = relay.saturating_add(life);
	Some(until).filter(|until| before.is_none_or(|before| before.valid_until < *until))
}

/// What to do next. `period` is the pallet's constant `RequestPeriod`.
pub fn next(
	wish: &Wish,
	asking: Option<&Asking>,
	scene: &Scene,
	period: u32,
) -> Result<Next, Error> {
	let epoch = wish.input.epoch;
	let key = scene.key.as_ref().ok_or(Error::NotLive(epoch))?;
	let public_key = *key.sharing.public_key();
	if let Some(expected) = wish.public_key.filter(|expected| *expected != public_key) {
		let (expected, found) = (Box::new(expected), Box::new(public_key));
		return Err(Error::OtherKey { epoch, expected, found });
	}
	let asking = asking.filter(|asking| {
		asking.input() == wish.input && asking.blind.inquiry().public_key == public_key
	});
	let before = scene.open.as_ref().map(|(_, open)| open);
	Ok(match (before, asking) {
		(Some(open), Some(asking)) if asking.is(open) => {
			match open.fulfilled && open.sharing == key.number {
				true => Next::Combine,
				false => Next::Wait,
			}
		}
		(_, Some(asking)) if is_due(asking.statement.valid_until, scene.clocks.relay, before) => {
			Next::Repeat
		}
		_ => match valid_until(scene.clocks.relay, period, before) {
			Some(valid_until) => Next::Ask { public_key, valid_until },
			None => Next::Wait,
		},
	})
}

/// May the chain still take a question that is valid until then, in the place of `before`?
pub(crate) fn is_due(valid_until: u32, relay: u32, before: Option<&OpenRequest>) -> bool {
	relay < valid_until && before.is_none_or(|before| before.valid_until < valid_until)
}

#[cfg(test)]
mod tests;
