//! The pallet `GatekeeperKeys`: what the programs read from the board on which the master key is made
//! and used, and what they write on it.
//!
//! Values are decoded with the pallet's own types, from state that is proven to be in a block. So the
//! program must fit the runtime: [`encodings`] says whether it does.

use crate::chain::{Encodings, Item, ReadError, Reader};
use codec::{Decode, Encode};
use pallet_gatekeeper_keys::types::{
	Attempt, CeremonyNumber, LiveKey, OpenRequest, RequestId, RequestQueue, Seats,
};
use phala_primitives::{
	ComplaintStatement, DealingStatement, GuardRequestStatement, KeyRequestStatement,
	RegistrationStatement, WorkerKey, WorkerSignature,
};
use phala_threshold::{CeremonyKey, Dealing, DealingDigest, Element, Input, MemberIndex, Partial};
use scale_info::meta_type;

pub use pallet_gatekeeper_keys::types;

/// Name of the pallet in the runtime.
pub const PALLET: &str = "GatekeeperKeys";

/// An account, as the runtime encodes it.
pub type Account = [u8; 32];

/// A message to the board. Authorised by what it carries; free.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Message {
	/// A member's key and digest.
	#[codec(index = 0)]
	Register(Box<RegistrationStatement>, WorkerSignature),
	/// A member's dealing.
	#[codec(index = 1)]
	Deal(Box<DealingStatement>, WorkerSignature),
	/// A member's complaint.
	#[codec(index = 2)]
	Complain(Box<ComplaintStatement>, WorkerSignature),
	/// A worker's request for a key.
	#[codec(index = 3)]
	Request(Box<KeyRequestStatement>, WorkerSignature),
	/// A holder's answer.
	#[codec(index = 4)]
	Answer(RequestId, MemberIndex, Box<Partial>),
	/// A member's request for a guard.
	#[codec(index = 5)]
	RequestGuard(Box<GuardRequestStatement>, WorkerSignature),
}

impl Message {
	/// Name of the call.
	pub fn call(&self) -> &'static str {
		match self {
			Self::Register(..) => "register",
			Self::Deal(..) => "deal",
			Self::Complain(..) => "complain",
			Self::Request(..) => "request",
			Self::Answer(..) => "answer",
			Self::RequestGuard(..) => "request_guard",
		}
	}

	/// The call's arguments in SCALE.
	pub fn arguments(&self) -> Vec<u8> {
		match self {
			Self::Register(statement, signature) => (statement, signature).encode(),
			Self::Deal(statement, signature) => (statement, signature).encode(),
			Self::Complain(statement, signature) => (statement, signature).encode(),
			Self::Request(statement, signature) => (statement, signature).encode(),
			Self::Answer(id, seat, partial) => (id, seat, partial).encode(),
			Self::RequestGuard(statement, signature) => (statement, signature).encode(),
		}
	}
}

/// How this program encodes and decodes what is on the board.
pub fn encodings() -> Encodings {
	let signature = meta_type::<WorkerSignature>();
	Encodings {
		pallet: PALLET,
		storage: vec![
			("Current", meta_type::<Attempt>()),
			("NextCeremony", meta_type::<CeremonyNumber>()),
			("CurrentEpoch", meta_type::<u32>()),
			("LastSeen", meta_type::<u32>()),
			("StalledFor", meta_type::<u32>()),
			("Queue", meta_type::<RequestQueue>()),
			("LiveKeys", meta_type::<LiveKey>()),
			("Sets", meta_type::<Seats<Account>>()),
			("CeremonyKeys", meta_type::<CeremonyKey>()),
			("Digests", meta_type::<DealingDigest>()),
			("Dealings", meta_type::<Dealing>()),
			("VerificationShares", meta_type::<Element>()),
			("Requests", meta_type::<OpenRequest>()),
			("OpenFor", meta_type::<RequestId>()),
			("Partials", meta_type::<Partial>()),
		],
		calls: vec![
			("register", vec![meta_type::<RegistrationStatement>(), signature]),
			("deal", vec![meta_type::<DealingStatement>(), signature]),
			("complain", vec![meta_type::<ComplaintStatement>(), signature]),
			("request", vec![meta_type::<KeyRequestStatement>(), signature]),
			(
				"answer",
				vec![meta_type::<RequestId>(), meta_type::<MemberIndex>(), meta_type::<Partial>()],
			),
			("request_guard", vec![meta_type::<GuardRequestStatement>(), signature]),
		],
	}
}

/// The ceremony under way.
pub fn current() -> Item<Attempt> {
	Item::new(PALLET, "Current")
}

/// The number of the next ceremony.
pub fn next_ceremony() -> Item<CeremonyNumber> {
	Item::new(PALLET, "NextCeremony")
}

/// Epoch of the current key.
pub fn current_epoch() -> Item<u32> {
	Item::new(PALLET, "CurrentEpoch")
}

/// A key in use.
pub fn live_key(epoch: u32) -> Item<LiveKey> {
	Item::new(PALLET, "LiveKeys").twox64(&epoch)
}

/// The receiving set of a ceremony.
pub fn set(number: CeremonyNumber) -> Item<Seats<Account>> {
	Item::new(PALLET, "Sets").twox64(&number)
}

/// A recipient's key.
pub fn ceremony_key(number: CeremonyNumber, seat: MemberIndex) -> Item<CeremonyKey> {
	Item::new(PALLET, "CeremonyKeys").twox64(&number).twox64(&seat)
}

/// A dealer's digest.
pub fn digest(number: CeremonyNumber, seat: MemberIndex) -> Item<DealingDigest> {
	Item::new(PALLET, "Digests").twox64(&number).twox64(&seat)
}

/// A dealer's dealing.
pub fn dealing(number: CeremonyNumber, seat: MemberIndex) -> Item<Dealing> {
	Item::new(PALLET, "Dealings").twox64(&number).twox64(&seat)
}

/// A holder's verification share.
pub fn verification_share(number: CeremonyNumber, seat: MemberIndex) -> Item<Element> {
	Item::new(PALLET, "VerificationShares").twox64(&number).twox64(&seat)
}

/// The ends of the queue of requests.
pub fn queue() -> Item<RequestQueue> {
	Item::new(PALLET, "Queue")
}

/// A request on record.
pub fn request(id: RequestId) -> Item<OpenRequest> {
	Item::new(PALLET, "Requests").twox64(&id)
}

/// The request of a worker for a key, or of a member for a guard.
pub fn open_for(worker: &WorkerKey, input: &Input) -> Item<RequestId> {
	Item::new(PALLET, "OpenFor").blake2(worker).blake2(input)
}

/// An answer to a request.
pub fn partial(id: RequestId, seat: MemberIndex) -> Item<Partial> {
	Item::new(PALLET, "Partials").twox64(&id).twox64(&seat)
}

/// What time it is on chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
	/// Relay-chain block, at the parachain's last block.
	pub relay: u32,
	/// The pallet's clock: relay-chain blocks without those in which the parachain stood still.
	/// Deadlines are on it.
	pub board: u32,
	/// Unix second of the block.
	pub unix: u64,
}

/// Reads what time it is.
pub async fn clocks<R: Reader>(reader: &mut R) -> Result<Clocks, ReadError<R::Error>> {
	let numbers = [Item::<u32>::new(PALLET, "LastSeen"), Item::new(PALLET, "StalledFor")];
	let numbers = reader.get_each(&numbers).await?;
	let [relay, stalled] = [0, 1].map(|at| numbers.get(at).copied().flatten().unwrap_or(0));
	let millis = reader.get(&Item::<u64>::new("Timestamp", "Now")).await?.unwrap_or(0);
	Ok(Clocks { relay, board: relay.saturating_sub(stalled), unix: millis / 1000 })
}
