//! What is final on chain, as far as it concerns this gatekeeper.

use crate::registry::{self, Standing};
use codec::Encode;
use phala_attestation::Role;
use phala_node_common::{
	board::{
		self, Account, Clocks,
		types::{
			Attempt, CeremonyNumber, LiveKey, OpenRequest, ROOM_FOR_GUARDS, RequestId,
			RequestQueue, Seats,
		},
	},
	chain::{ReadError, Reader},
};
use phala_primitives::{BlockRef, WorkerKey};
use phala_threshold::{CeremonyId, GuardInput, Input, MAX_MEMBERS, MemberIndex};
use std::collections::{BTreeMap, BTreeSet};

/// Most requests that are looked at in one look: as many as any chain of ours has on record. Were it
/// fewer, those that nobody may answer could keep others from being seen.
const MAX_REQUESTS: usize = 4_096 + ROOM_FOR_GUARDS as usize;

/// The state after one finalised block.
#[derive(Clone, Debug)]
pub struct View {
	/// The block.
	pub block: BlockRef,
	/// What time it is.
	pub clocks: Clocks,
	/// This gatekeeper's attestation.
	pub standing: Option<Standing>,
	/// The number of the next ceremony.
	pub next: CeremonyNumber,
	/// The ceremony under way.
	pub ceremony: Option<Ceremony>,
	/// Keys in use.
	pub live: Vec<Live>,
	/// Which requests are on record.
	pub queue: RequestQueue,
	/// Requests that wait for answers, in order.
	pub requests: Vec<Asked>,
}

/// A ceremony, and this gatekeeper's seats in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceremony {
	/// What is stored of it.
	pub attempt: Attempt,
	/// Seat in the dealing set, if it may deal.
	pub deals: Option<MemberIndex>,
	/// Seat in the receiving set.
	pub receives: Option<MemberIndex>,
}

impl Ceremony {
	/// Is one of these keys being handed over in it, and not in use yet?
	pub fn hands_over(&self, live: &[Live]) -> Option<&Attempt> {
		let of_key = |live: &Live| {
			live.epoch == self.attempt.epoch && self.attempt.from == Some(live.key.number)
		};
		Some(&self.attempt).filter(|attempt| attempt.is_open() && live.iter().any(of_key))
	}
}

/// A key in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
	/// Its epoch.
	pub epoch: u32,
	/// What is stored of it.
	pub key: LiveKey,
	/// The seat whose share this gatekeeper holds, or should.
	pub holds: Option<MemberIndex>,
}

/// A request that waits for answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
	/// Its id.
	pub id: RequestId,
	/// What is stored of it.
	pub request: OpenRequest,
	/// Whether the worker is attested as one; of a guard, whether the member is attested as a gatekeeper,
	/// the guard is its own, and there is something in use that it opens.
	pub attested: bool,
}

/// Rules of the chain that do not change between upgrades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
	/// Blocks for which a request is open.
	pub request_period: u32,
	/// Seconds for which a lapsed member may hand over.
	pub reshare_grace: u64,
}

impl View {
	/// Does this gatekeeper's attestation count, or did it until `grace` seconds ago?
	pub fn is_attested(&self, grace: u64) -> bool {
		self.standing.is_some_and(|one| one.counts(Role::Gatekeeper, self.clocks.unix, grace))
	}

	/// The key in use whose shares a ceremony made.
	pub fn live(&self, number: CeremonyNumber) -> Option<&Live> {
		self.live.iter().find(|live| live.key.number == number)
	}
}

/// A seat in a set.
fn seat_of(set: &Seats<Account>, worker: &WorkerKey) -> Option<MemberIndex> {
	let position = set.iter().position(|seat| seat.worker == *worker)?;
	MemberIndex::new(u8::try_from(position).ok()?.checked_add(1)?).ok()
}

/// Hash of a set's seats, as a ceremony names it.
fn members_hash(set: &Seats<Account>) -> [u8; 32] {
	sp_crypto_hashing::blake2_256(&("phala/gatekeeper/set/1", set.to_vec()).encode())
}

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub enum LookError<E> {
	/// The state could not be read.
	#[error(transparent)]
	Read(#[from] ReadError<E>),
	/// What is stored contradicts itself.
	#[error("the state of ceremony {number} contradicts itself: {what}. Tell the developers")]
	Contradiction {
		/// The ceremony.
		number: CeremonyNumber,
		/// What does not fit.
		what: &'static str,
	},
}

/// Reads what concerns `me`. Requests in `settled` are not looked at; those that are found to be
/// fulfilled or replaced, which they stay, are added to it.
pub async fn look<R: Reader>(
	reader: &mut R,
	block: BlockRef,
	genesis: [u8; 32],
	me: &WorkerKey,
	settled: &mut BTreeSet<RequestId>,
) -> Result<View, LookError<R::Error>> {
	let clocks = board::clocks(reader).await?;
	let next = reader.get(&board::next_ceremony()).await?.unwrap_or_default();
	let attempt = reader.get(&board::current()).await?;
	let ceremony = match attempt {
		None => None,
		Some(attempt) => Some(ceremony(reader, attempt, genesis, me).await?),
	};
	let live = live(reader, me).await?;
	let queue = reader.get(&board::queue()).await?.unwrap_or_default();
	let found = open(reader, queue, settled).await?;
	let askers: BTreeSet<_> = found.iter().map(|(_, request)| request.worker.0).collect();
	let workers: Vec<_> =
		std::iter::once(*me).chain(askers.into_iter().map(WorkerKey::from_raw)).collect();
	let standings = registry::standings(reader, &workers, &clocks).await?;
	let standing = standings.first().copied().flatten();
	let standings: BTreeMap<_, _> =
		workers.iter().map(|worker| worker.0).zip(standings).skip(1).collect();
	let asks_guard =
		|(_, request): &(RequestId, OpenRequest)| matches!(request.input, Input::Guard(_));
	let guards = match found.iter().any(asks_guard) {
		true => guards(reader, ceremony.as_ref(), &live).await?,
		false => BTreeSet::new(),
	};
	let requests = found
		.into_iter()
		.map(|(id, request)| {
			let standing = standings.get(&request.worker.0).copied().flatten();
			let counts =
				|role| standing.is_some_and(|one: Standing| one.counts(role, clocks.unix, 0));
			let attested = match &request.input {
				Input::Cluster(_) => counts(Role::Worker),
				Input::Guard(input) => {
					let own = input.member == request.worker.0 && guards.contains(input);
					own && counts(Role::Gatekeeper)
				}
			};
			Asked { id, request, attested }
		})
		.collect();
	Ok(View { block, clocks, standing, next, ceremony, live, queue, requests })
}

async fn ceremony<R: Reader>(
	reader: &mut R,
	attempt: Attempt,
	genesis: [u8; 32],
	me: &WorkerKey,
) -> Result<Ceremony, LookError<R::Error>> {
	let (number, dealing) = (attempt.number(), attempt.dealing_number());
	let sets = reader.get_each(&[board::set(number), board::set(dealing)]).await?;
	let [receiving, dealing] = [0, 1].map(|at| sets.get(at).cloned().flatten().unwrap_or_default());
	let contradiction = |what| Err(LookError::Contradiction { number, what });
	if attempt.ceremony.chain != genesis {
		return contradiction("it is of another chain");
	}
	// A ceremony that failed and is cleared has no set any more.
	if !receiving.is_empty() && attempt.ceremony.members != members_hash(&receiving) {
		return contradiction("its set is another");
	}
	let deals = seat_of(&dealing, me).filter(|seat| attempt.dealers.contains(*seat));
	Ok(Ceremony { deals, receives: seat_of(&receiving, me), attempt })
}

async fn live<R: Reader>(reader: &mut R, me: &WorkerKey) -> Result<Vec<Live>, LookError<R::Error>> {
	let Some(epoch) = reader.get(&board::current_epoch()).await? else { return Ok(vec![]) };
	let epochs: Vec<_> = [Some(epoch), epoch.checked_sub(1)].into_iter().flatten().collect();
	let items: Vec<_> = epochs.iter().map(|epoch| board::live_key(*epoch)).collect();
	let keys = reader.get_each(&items).await?;
	let mut live = vec![];
	for (epoch, key) in epochs.into_iter().zip(keys) {
		let Some(key) = key else { continue };
		let set = reader.get(&board::set(key.number)).await?.unwrap_or_default();
		let holds = seat_of(&set, me).filter(|seat| key.sharing.holders().contains(*seat));
		live.push(Live { epoch, key, holds });
	}
	Ok(live)
}

/// Guards that may be given: those of members whose shares are in use, and of members to whom a key in
/// use is being handed over. Of no other ceremony is there anything that may be opened.
async fn guards<R: Reader>(
	reader: &mut R,
	ceremony: Option<&Ceremony>,
	live: &[Live],
) -> Result<BTreeSet<GuardInput>, LookError<R::Error>> {
	let mut sets: Vec<(u32, CeremonyId, CeremonyNumber)> = live
		.iter()
		.map(|live| (live.epoch, *live.key.sharing.ceremony(), live.key.number))
		.collect();
	if let Some(attempt) = ceremony.and_then(|one| one.hands_over(live)) {
		sets.push((attempt.epoch, attempt.ceremony.id(), attempt.number()));
	}
	let mut guards = BTreeSet::new();
	for (epoch, ceremony, number) in sets {
		let set = reader.get(&board::set(number)).await?.unwrap_or_default();
		guards.extend(set.iter().map(|seat| GuardInput { epoch, ceremony, member: seat.worker.0 }));
	}
	Ok(guards)
}

/// Requests that are not fulfilled.
async fn open<R: Reader>(
	reader: &mut R,
	queue: RequestQueue,
	settled: &mut BTreeSet<RequestId>,
) -> Result<Vec<(RequestId, OpenRequest)>, LookError<R::Error>> {
	settled.retain(|id| (queue.first..queue.next).contains(id));
	let ids: Vec<_> =
		(queue.first..queue.next).filter(|id| !settled.contains(id)).take(MAX_REQUESTS).collect();
	let items: Vec<_> = ids.iter().map(|id| board::request(*id)).collect();
	let requests = reader.get_each(&items).await?;
	let mut open = vec![];
	for (id, request) in ids.into_iter().zip(requests) {
		match request {
			Some(request) if !request.fulfilled && !request.replaced => open.push((id, request)),
			_ => _ = settled.insert(id),
		}
	}
	Ok(open)
}

// Seats fit into the positions of a set.
const _: () = assert!(MAX_MEMBERS < u8::MAX);
