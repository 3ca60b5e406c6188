//! What the holders of the master key, their election and the workers who need keys say to each other.
//!
//! `docs/keys.md` has the protocol. Times are relay-chain blocks.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use phala_threshold::{
	CeremonyId, ClusterInput, Complaint, Dealing, GuardInput, MemberIndex, Registration, Request,
};
use scale_info::TypeInfo;
use sp_runtime::{
	DispatchResult,
	traits::{BlakeTwo256, Hash},
};

use crate::{ChainId, Statement, WorkerKey};

/// Names a cluster of workers, which share keys.
pub type ClusterId = [u8; 32];

/// A gatekeeper in its seat.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Seat<AccountId> {
	/// Account whose stake answers for it.
	pub account: AccountId,
	/// Identity of the TEE that holds its share, and signs its messages.
	pub worker: WorkerKey,
}

/// What became of the set that was elected last.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Handover {
	/// It is in office, or none was elected; and no ceremony is under way or about to begin.
	#[codec(index = 0)]
	Settled,
	/// A ceremony is under way, or another attempt at one follows by itself.
	#[codec(index = 1)]
	Underway,
	/// All attempts to hand the key to it failed. The set before stays in office, and may be elected
	/// again, or another one.
	#[codec(index = 2)]
	GivenUp,
}

/// Those who hold the master key. Implemented by the pallet that runs the ceremonies; used by the
/// election.
pub trait Gatekeepers<AccountId> {
	/// A set was elected, the first being the best. It takes the key over as soon as a ceremony
	/// completes, and replaces a set that was elected before but is not in office yet. The set in
	/// office again: nothing happens, or its shares are renewed if they are old.
	///
	/// Of several with one account, key or platform the first counts; the others, those that are
	/// not attested as gatekeepers, and all after the 32nd are left out. An error if too few are
	/// left: then the set that was elected before stands.
	fn on_set_elected(elected: Vec<(AccountId, WorkerKey)>) -> DispatchResult;

	/// May the bond of `who` be released, as far as the keys are concerned? Not while it holds a
	/// share of a key in use, is to receive one, or a fault of its is yet to be reported.
	fn may_unbond(who: &AccountId) -> bool;

	/// The set that holds the current key, in the order of seats; empty before the first.
	fn in_office() -> Vec<Seat<AccountId>>;

	/// What became of the set that was elected last.
	fn handover() -> Handover;
}

/// The election of gatekeepers, as those who run the ceremonies see it.
pub trait GatekeeperSet {
	/// The set that was elected last and the key of `epoch` have found each other: the set is in
	/// office ([`Gatekeepers::in_office`]), and the one before may go ([`Gatekeepers::may_unbond`]).
	///
	/// Must be bounded and cheap, and not call [`Gatekeepers::on_set_elected`].
	fn handover_final(epoch: u32);
}

impl GatekeeperSet for () {
	fn handover_final(_: u32) {}
}

/// Tells which workers may have which keys. Implemented by whoever keeps clusters.
pub trait ClusterAccess {
	/// May `worker` have the keys of `cluster` now? Whether it is attested is asked elsewhere.
	fn is_member(cluster: &ClusterId, worker: &WorkerKey) -> bool;
}

/// A gatekeeper's first message in a ceremony. Signed, since anybody can make a key for any seat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct RegistrationStatement {
	/// Who states it.
	pub member: WorkerKey,
	/// In which ceremony.
	pub ceremony: CeremonyId,
	/// Its key, if it receives; its digest, if it deals.
	pub registration: Registration,
}

impl Statement for RegistrationStatement {
	const DOMAIN: &'static str = "phala/gatekeeper/registration/1";
}

/// A gatekeeper's shares for the others. Signed, since no proof covers the ciphertexts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct DealingStatement {
	/// Who states it.
	pub member: WorkerKey,
	/// In which ceremony.
	pub ceremony: CeremonyId,
	/// What it deals.
	pub dealing: Dealing,
}

impl Statement for DealingStatement {
	const DOMAIN: &'static str = "phala/gatekeeper/dealing/1";
}

/// A gatekeeper's complaint. Signed, since a false one convicts whom it is from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ComplaintStatement {
	/// Who states it.
	pub member: WorkerKey,
	/// In which ceremony.
	pub ceremony: CeremonyId,
	/// Whom it accuses: a seat of the dealing set.
	pub dealer: MemberIndex,
	/// What it opens.
	pub complaint: Complaint,
}

impl Statement for ComplaintStatement {
	const DOMAIN: &'static str = "phala/gatekeeper/complaint/1";
}

/// A worker's request for its cluster's key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct KeyRequestStatement {
	/// Who asks.
	pub worker: WorkerKey,
	/// For which key.
	pub input: ClusterInput,
	/// Last relay-chain block in which the request may be made. Keeps it from being repeated.
	pub valid_until: u32,
	/// The blinded point with its proof, made for [`requester`].
	pub request: Request,
}

impl Statement for KeyRequestStatement {
	const DOMAIN: &'static str = "phala/worker/key-request/1";
}

/// A gatekeeper's request for the guard of its secrets and share of a ceremony.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct GuardRequestStatement {
	/// Who asks: a member of the ceremony's receiving set.
	pub member: WorkerKey,
	/// Epoch of the key that is evaluated.
	pub epoch: u32,
	/// Which ceremony.
	pub ceremony: CeremonyId,
	/// Last relay-chain block in which the request may be made. Keeps it from being repeated.
	pub valid_until: u32,
	/// The blinded point with its proof, made for [`requester`].
	pub request: Request,
}

impl GuardRequestStatement {
	/// What is asked.
	pub fn input(&self) -> GuardInput {
		GuardInput { epoch: self.epoch, ceremony: self.ceremony, member: self.member.0 }
	}
}

impl Statement for GuardRequestStatement {
	const DOMAIN: &'static str = "phala/gatekeeper/guard-request/1";
}

/// The requester of a cluster key or guard ([`phala_threshold::Inquiry::requester`]): a hash of who asks,
/// where, and until when.
pub fn requester(chain: &ChainId, worker: &WorkerKey, valid_until: u32) -> [u8; 32] {
	BlakeTwo256::hash_of(&("phala/worker/requester/1", chain, worker, valid_until)).0
}
