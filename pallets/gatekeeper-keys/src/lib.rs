//! # Gatekeeper keys
//!
//! The network's master key exists only as shares that gatekeepers hold. This pallet is the board on
//! which they make it, hand it over and use it: it takes their messages, judges them, keeps the
//! deadlines, and reports the faulty.
//!
//! ## Overview
//!
//! The protocol and its proofs are in `docs/keys.md`; the cryptography is [`phala_threshold`]'s, and
//! none of it is here. An election (through [`Gatekeepers`](phala_primitives::Gatekeepers)) says who is
//! to hold the key. Members and workers speak through fee-free statements that their attested keys
//! sign. Workers of a cluster ask for its key with a blinded point and get proven partials. In the same
//! way members ask for *guards*: second keys that seal their shares, and that nobody gives them any more
//! when the shares have been replaced.
//!
//! ## Terminology
//!
//! - *Set*: gatekeepers in numbered *seats*. The set *in office* holds the current key.
//! - *Ceremony*: what brings shares of a key to a set. *First*, *rotation* and *replacement* make a
//!   new key; a *handover* brings the same key to another set. Each attempt is a ceremony of its own.
//! - *Epoch*: counts master keys. After a rotation the old key answers for
//!   [`Config::RetirementPeriod`] more.
//! - *Clock*: relay-chain blocks without those in which this chain stood still. Deadlines are on it.
//!
//! ## Lifecycle
//!
//! ```text
//!        ┌───────────────────────────────── retry without the faulty ─────────────────────────────────┐
//!        ▼                                                                                            │
//!  Idle ─▶ Committing ─▶ Sharing ─▶ Complaining ─▶ Aggregating ─▶ Deriving ─▶ Reporting ─▶ Kept ─▶ Clearing
//!             │ too few     │ too few    │ too few                    │            ▲
//!             └─────────────┴────────────┴───── failed ───────────────┼────────────┘
//!                                                                     └▶ key in use
//! ```
//!
//! | Phase | Members | The chain | Ends |
//! |---|---|---|---|
//! | Committing | [`register`](Pallet::register) | checks proofs of possession | all in, or [`Config::CommitPeriod`] |
//! | Sharing | [`deal`](Pallet::deal), [`complain`](Pallet::complain) | checks dealings | all in, or [`Config::SharePeriod`] |
//! | Complaining | [`complain`](Pallet::complain) | convicts dealer or complainer | [`Config::ComplainPeriod`] |
//! | Aggregating, Deriving | – | one dealing, one verification share a step; then the key is in use | done |
//! | Reporting | – | one fault a step to the ledger | done |
//! | Kept | read dealings that they missed | keeps them, and what they are checked with | [`Config::KeepPeriod`]; skipped after a failure |
//! | Clearing | – | the messages of one seat a step | done |
//!
//! A failed ceremony changes nothing: the set in office stays there, [`Pallet::why_failed`] names cause
//! and faulty, and after [`Config::RetryDelay`] there is another, [`Config::MaxAttempts`] in all. It
//! leaves out recipients that failed and dealers that were convicted, unless too few would be left.
//!
//! A request is answered by the holders until the threshold is reached, and removed after
//! [`Config::RequestPeriod`]. If it was not answered in full, those who are silent are reported, but for
//! the member that asks for its own guard, and but for requests whose sender may have been without its
//! right meanwhile: those could not be answered. Who lost the secret of its question asks anew: the later
//! request takes the place of the earlier one, which stays on record until it expires, and counts, so
//! that nobody asks anew for ever.
//!
//! ## Invariants
//!
//! - I1: sets are stored for keys in use, the ceremony under way, and what waits for removal, and for
//!   nothing else.
//! - I2: a key in use has a verification share for each holder; other verification shares belong to a
//!   ceremony that is computing them, or wait for removal. Who was blamed is on record for stored sets
//!   only.
//! - I3: keys, digests, dealings and accusers on record are those that the ceremony under way counts.
//! - I4: its sets are subsets of each other as the protocol has it, and only accepted dealers are
//!   convicted.
//! - I5: there is one current key, whose epoch is the last; at most the one before it is in use too,
//!   until a set moment. Public keys on record are those of the shares.
//! - I6: requests on record are those between the ends of the queue, each found by worker and input
//!   unless it was replaced, and counted by worker, those that were replaced by themselves. A fulfilled
//!   one has as many answers as the threshold of its shares.
//! - I7: partials on record are those that requests count.
//! - I8: a partial sum exists while aggregating, its result while deriving.
//! - I9: an elected set has enough seats, and no account or key twice.
//! - I10: a guard is asked by the member that it belongs to.
//!
//! ## Assumptions
//!
//! - At least a threshold of each set is honest, and its messages are included before deadlines.
//! - Messages reach blocks while governance has halted other calls: see `docs/keys.md`.
//! - [`Config::Workers`] and [`Config::Access`] answer for finalised state in bounded time.
//! - A worker that loses its right to a key and gets it back within [`Config::RequestPeriod`] does so by
//!   changes of its attestation, and [`Pallet`] is told of them
//!   ([`OnAttestationChange`](phala_primitives::OnAttestationChange)).
//! - The hook runs in (nearly) every block; what it cannot do in one block it does in the next. Keys go
//!   before requests. Those do not wait for ever: a ceremony has a few hundred steps, and then waits for
//!   its members or for its time.
//!
//! ## Limitations
//!
//! A holder that never answers is noticed only when a request fails for it. A message that is refused
//! never happened: that its sender broke a promise shows as silence at the deadline, and costs as much.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod ceremony;
mod impls;
#[cfg(any(feature = "try-runtime", test))]
mod invariants;
mod messages;
#[cfg(test)]
mod mock;
mod plan;
mod requests;
mod service;
mod sets;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use frame_system::pallet_prelude::BlockNumberFor;
pub use pallet::*;
pub use weights::WeightInfo;

use types::{
	Attempt, CeremonyNumber, Elected, EpochKey, Failure, Fault, Garbage, LiveKey, OpenRequest,
	Phase, ProtocolError, Purpose, RequestId, RequestQueue, Rotation, Seats, Silence, Status,
	Trial,
};

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{pallet_prelude::*, weights::WeightMeter};
	use frame_system::{ensure_authorized, pallet_prelude::*};
	use phala_primitives::{
		AttestedWorkers, ClusterAccess, ComplaintStatement, DealingStatement, GatekeeperSet,
		Gatekeepers, GuardRequestStatement, KeyRequestStatement, OffenceId, RegistrationStatement,
		ReportOffence, Seat, WorkerKey, WorkerSignature,
	};
	use phala_threshold::{
		Aggregation, CeremonyId, CeremonyKey, ClusterInput, Dealing, DealingDigest, Element, Input,
		MAX_MEMBERS, MIN_MEMBERS, MemberIndex, MemberSet, Partial, Sharing, Verdict,
	};
	use sp_runtime::traits::{BlockNumberProvider, Convert};

	/// The version of what is stored.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// How the ceremonies are wired. Periods are in relay-chain blocks of 6 s, on the pallet's clock.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Tells who is attested, as what.
		type Workers: AttestedWorkers<Self::AccountId>;

		/// Tells which workers may have the keys of a cluster.
		type Access: ClusterAccess;

		/// The election, which is told of handovers.
		type GatekeeperSet: GatekeeperSet;

		/// Names what has stake at risk, for the ledger of offences.
		type Offender: Parameter;

		/// The stake that answers for a gatekeeper's account.
		type OffenderOf: Convert<Self::AccountId, Self::Offender>;

		/// The ledger of offences.
		type Offences: ReportOffence<Self::Offender, Self::AccountId>;

		/// The clock: relay-chain blocks.
		type BlockNumberProvider: BlockNumberProvider<BlockNumber = u32>;

		/// Rotates and replaces the key, ends old ones, stops and retries ceremonies.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Id of this chain on its relay chain: part of what members and workers sign.
		type ParaId: Get<u32>;

		/// Fewest seats of a set, 2 to 32; 7 on a live chain. With fewer, few break the secrecy.
		#[pallet::constant]
		type MinSeats: Get<u8>;

		/// Blocks to publish keys and digests in, at least 10: 100 (10 minutes). Members act on finalised
		/// blocks, so that a short one makes honest members late.
		#[pallet::constant]
		type CommitPeriod: Get<u32>;

		/// Blocks to deal in, at least 10: 100.
		#[pallet::constant]
		type SharePeriod: Get<u32>;

		/// Blocks to complain in, at least 10: 100. It always lasts that long. A faulty share that nobody
		/// complains about in time costs its recipient the share of the key.
		#[pallet::constant]
		type ComplainPeriod: Get<u32>;

		/// Blocks for which the dealings of a ceremony that succeeded stay in state: 600 (an hour). Later
		/// ceremonies wait for it; members that were away longer find dealings in old blocks only.
		#[pallet::constant]
		type KeepPeriod: Get<u32>;

		/// Blocks between a failure and the next attempt: 300.
		#[pallet::constant]
		type RetryDelay: Get<u32>;

		/// Attempts until an election or governance asks again, at least 1: 3. Each costs the absent a
		/// slash.
		#[pallet::constant]
		type MaxAttempts: Get<u8>;

		/// Age in blocks from which on shares are renewed although the same set was elected: 201,600 (14
		/// days). Shares stolen before a renewal are worthless with those stolen after it.
		#[pallet::constant]
		type RefreshPeriod: Get<u32>;

		/// Blocks for which the old key answers after a rotation, so that workers can move what it
		/// protects: 14,400 (a day). Handovers wait for its end.
		#[pallet::constant]
		type RetirementPeriod: Get<u32>;

		/// Seconds for which a member whose attestation lapsed may still hand its share over: 1,209,600
		/// (14 days).
		#[pallet::constant]
		type ReshareGrace: Get<u64>;

		/// Blocks for which a request is open, at least 10: 100. A worker can repeat it after that.
		#[pallet::constant]
		type RequestPeriod: Get<u32>;

		/// Most requests on record, at least 1: 1,024. Bounds state, at some 5 kB each. If blocks have no
		/// room to answer all of them within [`Config::RequestPeriod`], holders are reported for what they
		/// could not do. For members' guards there is room for [`types::ROOM_FOR_GUARDS`] more.
		#[pallet::constant]
		type MaxRequests: Get<u32>;

		/// Most requests on record of one worker, at least 1: 4. With many, few workers can use up
		/// [`Config::MaxRequests`].
		#[pallet::constant]
		type MaxRequestsPerWorker: Get<u32>;

		/// Most requests of one worker that it replaced and that have not expired: 4. More let one worker
		/// keep holders busy; with none, who lost the secret of a question waits until it expires.
		#[pallet::constant]
		type MaxReplacedPerWorker: Get<u32>;

		/// Blocks for whose requests a holder is reported at most once, at least 1: 14,400 (a day).
		/// Otherwise a short outage would cost as much as there are requests.
		#[pallet::constant]
		type AbsencePeriod: Get<u32>;

		/// A longer gap between two of our blocks, in relay-chain blocks, stops the clock: 10 (a minute).
		/// At least 1.
		#[pallet::constant]
		type StallAfter: Get<u32>;

		/// What the hook may use of a block: at least two of the heaviest steps.
		#[pallet::constant]
		type ServiceWeight: Get<Weight>;

		/// Weights of calls and steps.
		type WeightInfo: WeightInfo;

		/// Sets the stage for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: benchmarking::BenchmarkHelper<Self::AccountId>;
	}

	/// The ceremony under way. Removed when it has been cleared.
	#[pallet::storage]
	pub type Current<T> = StorageValue<_, Attempt, OptionQuery>;

	/// The number of the next ceremony. Never removed.
	#[pallet::storage]
	pub type NextCeremony<T> = StorageValue<_, CeremonyNumber, ValueQuery>;

	/// The receiving set of a ceremony. Removed when the ceremony has failed, or when its shares are of
	/// no use any more.
	// All keys of the maps below are the chain's own, unless it says otherwise.
	#[pallet::storage]
	pub type Sets<T: Config> =
		StorageMap<_, Twox64Concat, CeremonyNumber, Seats<T::AccountId>, ValueQuery>;

	/// Recipients' keys of the ceremony under way.
	#[pallet::storage]
	pub type CeremonyKeys<T> = StorageDoubleMap<
		_,
		Twox64Concat,
		CeremonyNumber,
		Twox64Concat,
		MemberIndex,
		CeremonyKey,
		OptionQuery,
	>;

	/// Dealers' digests of the ceremony under way.
	#[pallet::storage]
	pub type Digests<T> = StorageDoubleMap<
		_,
		Twox64Concat,
		CeremonyNumber,
		Twox64Concat,
		MemberIndex,
		DealingDigest,
		OptionQuery,
	>;

	/// Dealings of the ceremony under way.
	#[pallet::storage]
	pub type Dealings<T> = StorageDoubleMap<
		_,
		Twox64Concat,
		CeremonyNumber,
		Twox64Concat,
		MemberIndex,
		Dealing,
		OptionQuery,
	>;

	/// For each convicted dealer of the ceremony under way, the recipient whose complaint did it.
	#[pallet::storage]
	pub type Accusers<T> = StorageDoubleMap<
		_,
		Twox64Concat,
		CeremonyNumber,
		Twox64Concat,
		MemberIndex,
		MemberIndex,
		OptionQuery,
	>;

	/// The sum of dealings while it is being made.
	#[pallet::storage]
	pub type Progress<T> = StorageValue<_, Aggregation, OptionQuery>;

	/// The sum while verification shares are computed from it.
	#[pallet::storage]
	pub type Outcome<T> = StorageValue<_, Sharing, OptionQuery>;

	/// Verification shares of keys in use, by the ceremony that made them and seat.
	#[pallet::storage]
	pub type VerificationShares<T> = StorageDoubleMap<
		_,
		Twox64Concat,
		CeremonyNumber,
		Twox64Concat,
		MemberIndex,
		Element,
		OptionQuery,
	>;

	/// Keys in use by epoch: the current one, and for some time the one before.
	#[pallet::storage]
	pub type LiveKeys<T> = StorageMap<_, Twox64Concat, u32, LiveKey, OptionQuery>;

	/// All master keys by epoch. Never removed: they are few, and prove what was when.
	#[pallet::storage]
	pub type Epochs<T> = StorageMap<_, Twox64Concat, u32, EpochKey, OptionQuery>;

	/// The epoch of the current key; `None` before the first.
	#[pallet::storage]
	pub type CurrentEpoch<T> = StorageValue<_, u32, OptionQuery>;

	/// The set that was elected last, until it is in office.
	#[pallet::storage]
	pub type NextSet<T: Config> = StorageValue<_, Elected<T::AccountId>, OptionQuery>;

	/// The new key that governance wants, until it is there.
	#[pallet::storage]
	pub type Rotations<T: Config> = StorageValue<_, Rotation<T::AccountId>, OptionQuery>;

	/// The last failure. Removed when a ceremony completes.
	#[pallet::storage]
	pub type LastFailure<T: Config> = StorageValue<_, Failure<T::AccountId>, OptionQuery>;

	/// Shares of no use, whose public side waits for removal.
	#[pallet::storage]
	pub type Trash<T> =
		StorageValue<_, BoundedVec<Garbage, ConstU32<{ types::MAX_GARBAGE }>>, ValueQuery>;

	/// Requests on record. Removed when they have expired.
	#[pallet::storage]
	pub type Requests<T> = CountedStorageMap<_, Twox64Concat, RequestId, OpenRequest, OptionQuery>;

	/// Answers to requests on record.
	#[pallet::storage]
	pub type Partials<T> = StorageDoubleMap<
		_,
		Twox64Concat,
		RequestId,
		Twox64Concat,
		MemberIndex,
		Partial,
		OptionQuery,
	>;

	/// The ends of the queue of requests.
	#[pallet::storage]
	pub type Queue<T> = StorageValue<_, RequestQueue, ValueQuery>;

	/// The request of a worker for a key, or of a member for a guard: the latest.
	// Workers' keys and clusters are chosen by users.
	#[pallet::storage]
	pub type OpenFor<T> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		WorkerKey,
		Blake2_128Concat,
		Input,
		RequestId,
		OptionQuery,
	>;

	/// How many requests of a worker are on record, without those that it replaced. Removed at zero.
	// Workers' keys are chosen by users.
	#[pallet::storage]
	pub type OpenCount<T> = StorageMap<_, Blake2_128Concat, WorkerKey, u32, ValueQuery>;

	/// How many requests of a worker are on record that it replaced. Removed at zero.
	// Workers' keys are chosen by users.
	#[pallet::storage]
	pub type ReplacedCount<T> = StorageMap<_, Blake2_128Concat, WorkerKey, u32, ValueQuery>;

	/// Holders whose silence has been dealt with, in the last period in which there were any, by the
	/// ceremony that made their shares. Removed with the shares.
	#[pallet::storage]
	pub type LastBlamed<T> = StorageMap<_, Twox64Concat, CeremonyNumber, Silence, ValueQuery>;

	/// Relay-chain block of our last block.
	#[pallet::storage]
	pub type LastSeen<T> = StorageValue<_, u32, OptionQuery>;

	/// Relay-chain blocks in which this chain stood still, in all.
	#[pallet::storage]
	pub type StalledFor<T> = StorageValue<_, u32, ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An election named the next set.
		SetElected {
			/// Its size.
			seats: u32,
		},
		/// The set that was elected is in office already, and its shares are young enough.
		SetConfirmed {
			/// Its size.
			seats: u32,
		},
		/// Somebody who was elected gets no seat.
		SeatRefused {
			/// Whose account.
			account: T::AccountId,
			/// Which TEE.
			worker: WorkerKey,
			/// Why.
			why: Refusal,
		},
		/// A ceremony began; members register now.
		CeremonyOpened {
			/// Its number.
			number: CeremonyNumber,
			/// Its id.
			id: CeremonyId,
			/// What it is for.
			purpose: Purpose,
			/// Epoch of the key.
			epoch: u32,
			/// Seats of the receiving set.
			seats: u8,
			/// How many may deal.
			dealers: u8,
		},
		/// A ceremony is in another phase.
		PhaseBegan {
			/// Its number.
			number: CeremonyNumber,
			/// The phase.
			phase: Phase,
		},
		/// A member published its key, its digest, or both.
		Registered {
			/// The ceremony.
			number: CeremonyNumber,
			/// Who.
			member: WorkerKey,
			/// Its seat in the receiving set, if it published a key.
			receives: Option<MemberIndex>,
			/// Its seat in the dealing set, if it published a digest.
			deals: Option<MemberIndex>,
		},
		/// A member dealt.
		Dealt {
			/// The ceremony.
			number: CeremonyNumber,
			/// Who.
			member: WorkerKey,
			/// Its seat in the dealing set.
			dealer: MemberIndex,
		},
		/// A complaint convicted one of the two.
		ComplaintJudged {
			/// The ceremony.
			number: CeremonyNumber,
			/// Seat in the receiving set.
			complainer: MemberIndex,
			/// Seat in the dealing set.
			dealer: MemberIndex,
			/// Whom, and for what.
			verdict: Verdict,
		},
		/// A key is in use with new shares.
		KeyShared {
			/// The ceremony.
			number: CeremonyNumber,
			/// Epoch of the key.
			epoch: u32,
			/// What the ceremony was for.
			purpose: Purpose,
			/// The public key.
			public_key: Element,
			/// Dealers that took part.
			qualified: MemberSet,
			/// Seats that hold a share.
			holders: MemberSet,
		},
		/// A ceremony made no key. The set in office stays.
		CeremonyFailed {
			/// Its number.
			number: CeremonyNumber,
			/// What it was for.
			purpose: Purpose,
			/// Why.
			why: types::WhyFailed,
			/// Failed attempts at the same; 0 if there is nothing to attempt any more.
			attempts: u8,
			/// Whether there will be no other before an election or governance asks for it.
			gave_up: bool,
		},
		/// All messages of a ceremony have been removed.
		CeremonyCleared {
			/// Its number.
			number: CeremonyNumber,
		},
		/// The ledger took a report.
		FaultReported {
			/// Who failed.
			gatekeeper: T::AccountId,
			/// How.
			fault: Fault,
			/// The offence.
			id: OffenceId,
		},
		/// The ledger refused a report.
		ReportRefused {
			/// Who failed.
			gatekeeper: T::AccountId,
			/// How.
			fault: Fault,
			/// What the ledger said.
			error: DispatchError,
		},
		/// Governance asked for a new key.
		RotationOrdered {
			/// Whether the old one is given up.
			replace: bool,
		},
		/// Governance took its wish for a new key back.
		RotationCancelled,
		/// A key answers no requests any more.
		EpochEnded {
			/// Its epoch.
			epoch: u32,
		},
		/// Governance allowed new attempts.
		RetryOrdered,
		/// A worker asked for a key.
		KeyRequested {
			/// The request.
			id: RequestId,
			/// Who.
			worker: WorkerKey,
			/// For which key.
			input: ClusterInput,
			/// Relay-chain block in which it expires, if the chain does not stand still meanwhile.
			expires: u32,
		},
		/// A holder answered.
		PartialGiven {
			/// The request.
			id: RequestId,
			/// Its seat.
			seat: MemberIndex,
		},
		/// A request has as many answers as it needs.
		RequestFulfilled {
			/// The request.
			id: RequestId,
			/// Seats whose partials combine.
			answered: MemberSet,
		},
		/// A request expired and was removed with its answers.
		RequestClosed {
			/// The request.
			id: RequestId,
		},
		/// A member asked for the guard of its secrets and share of a ceremony.
		GuardRequested {
			/// The request.
			id: RequestId,
			/// Who.
			member: WorkerKey,
			/// Epoch of the key that is evaluated.
			epoch: u32,
			/// Of which ceremony.
			ceremony: CeremonyId,
			/// Relay-chain block in which it expires, if the chain does not stand still meanwhile.
			expires: u32,
		},
		/// A request was replaced by a later one of its sender. Nobody answers it any more.
		RequestReplaced {
			/// The request.
			id: RequestId,
			/// The later one.
			by: RequestId,
		},
		/// The chain had stood still. All deadlines are later by as much.
		StallNoticed {
			/// Relay-chain blocks for which it did.
			blocks: u32,
		},
		/// Something happened that cannot. The chain goes on; tell the developers.
		Unexpected {
			/// What.
			kind: Unexpected,
		},
	}

	/// Why somebody who was elected gets no seat.
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
	pub enum Refusal {
		/// Its TEE is not attested as a gatekeeper at the moment.
		#[codec(index = 0)]
		NotAttested,
		/// The account has a seat.
		#[codec(index = 1)]
		SameAccount,
		/// The TEE has a seat.
		#[codec(index = 2)]
		SameWorker,
		/// Another TEE of the same machine has a seat.
		#[codec(index = 3)]
		SamePlatform,
		/// All 32 seats are taken.
		#[codec(index = 4)]
		NoSeatLeft,
	}

	/// What cannot happen.
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
	pub enum Unexpected {
		/// A set was of a size that no set has.
		#[codec(index = 0)]
		BadSetSize,
		/// Checked dealings did not add up.
		#[codec(index = 1)]
		BadSum,
		/// A holder's share is zero.
		#[codec(index = 2)]
		NoVerificationShare,
		/// More shares wait for removal than can.
		#[codec(index = 3)]
		TooMuchGarbage,
	}

	/// Why a call or message was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// That ceremony is not under way; for a guard: it does not hand this key over, and its shares are
		/// not in use. Follow `status`.
		CeremonyNotFound,
		/// The ceremony does not take this message at the moment. Follow `status`; too late is too late.
		WrongPhase,
		/// The sender has no seat that this message is for. Check whether it was elected, or is barred.
		NotASeat,
		/// This has been done before: nothing is left to do.
		AlreadyDone,
		/// The sender's attestation does not count. Renew it.
		NotAttested,
		/// The signature does not verify. Sign for this chain, with the attested key.
		BadSignature,
		/// A registration without key and digest says nothing.
		EmptyRegistration,
		/// The sender did not commit in time, and cannot take part in this ceremony.
		NotCommitted,
		/// The accused dealt nothing that could be faulty.
		NoDealing,
		/// The message breaks a rule of the protocol.
		Protocol(ProtocolError),
		/// No key of this epoch is in use. Ask for the current one.
		EpochNotLive,
		/// There is no such request. It may have expired; the worker can repeat it.
		RequestNotFound,
		/// The statement is not valid any more, or for too long. Make it for less than the request period.
		NotValidNow,
		/// Too many requests of this worker, or of all, are on record, or too many that it replaced. Wait
		/// until some expire.
		TooManyRequests,
		/// The worker is not attested, or not a member of the cluster.
		NotEntitled,
		/// Too few of the elected can hold a share. The events tell why.
		TooFewSeats,
		/// There is no key yet.
		NoKey,
		/// No ceremony is under way that could be stopped.
		NotRunning,
		/// No new key has been asked for.
		NoRotation,
		/// The key of this epoch is the current one, or ended before. Rotate first.
		NotRetiring,
	}

	impl<T> From<phala_threshold::Error> for Error<T> {
		fn from(error: phala_threshold::Error) -> Self {
			Self::Protocol(ProtocolError(error))
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_now: BlockNumberFor<T>, weight: &mut WeightMeter) {
			let limit = weight.remaining().min(T::ServiceWeight::get());
			let mut meter = WeightMeter::with_limit(limit);
			Self::serve(&mut meter);
			weight.consume(meter.consumed());
		}

		fn integrity_test() {
			let seats = T::MinSeats::get();
			assert!((MIN_MEMBERS..=MAX_MEMBERS).contains(&seats), "a set has 2 to 32 seats");
			for period in [
				T::CommitPeriod::get(),
				T::SharePeriod::get(),
				T::ComplainPeriod::get(),
				T::RequestPeriod::get(),
			] {
				assert!(period >= 10, "honest members need a minute to answer");
			}
			assert!(T::MaxAttempts::get() > 0, "there is at least one attempt");
			assert!(T::MaxRequests::get() > 0, "there is room for a request");
			assert!(T::MaxRequestsPerWorker::get() > 0, "a worker may ask");
			assert!(T::AbsencePeriod::get() > 0, "a period has at least one block");
			assert!(T::StallAfter::get() > 0, "blocks have gaps");
			let least = T::WeightInfo::serve().saturating_add(weights::heaviest_step::<T>() * 2);
			assert!(T::ServiceWeight::get().all_gte(least), "a block has room for two steps");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Publish a key to receive shares with, a digest of what one will deal, or both.
		///
		/// - `origin`: none; free. Authorised by the member's signature while the ceremony is committing.
		/// - `statement`: a member's key and digest for one ceremony.
		/// - `signature`: the member's.
		#[pallet::call_index(0)]
		#[pallet::weight((T::WeightInfo::register(), DispatchClass::Operational))]
		#[pallet::authorize(|_, statement, signature| Self::authorize_register(statement, signature))]
		pub fn register(
			origin: OriginFor<T>,
			statement: Box<RegistrationStatement>,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_register(&statement, &signature)
		}

		/// Reveal what was committed to, with an encrypted share for each recipient.
		///
		/// - `origin`: none; free. Authorised by the dealer's signature while the ceremony is sharing.
		/// - `statement`: the dealing.
		/// - `signature`: the dealer's.
		#[pallet::call_index(1)]
		#[pallet::weight((T::WeightInfo::deal(), DispatchClass::Operational))]
		#[pallet::authorize(|_, statement, signature| Self::authorize_deal(statement, signature))]
		pub fn deal(
			origin: OriginFor<T>,
			statement: Box<DealingStatement>,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_deal(&statement, &signature)
		}

		/// Open a share that is faulty. The chain decrypts it and convicts the dealer, or, if it is good
		/// or was not opened rightly, the complainer.
		///
		/// - `origin`: none; free. Authorised by the recipient's signature while the ceremony is sharing or
		///   complaining.
		/// - `statement`: whose share, and its opening.
		/// - `signature`: the recipient's.
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::complain(), DispatchClass::Operational))]
		#[pallet::authorize(|_, statement, signature| Self::authorize_complain(statement, signature))]
		pub fn complain(
			origin: OriginFor<T>,
			statement: Box<ComplaintStatement>,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_complain(&statement, &signature)
		}

		/// Ask for a cluster's key.
		///
		/// - `origin`: none; free. Authorised by the signature of an attested worker of the cluster, once
		///   per key while the request is on record. A later one, by its `valid_until`, takes its place.
		/// - `statement`: which key, and the blinded point with its proof.
		/// - `signature`: the worker's.
		#[pallet::call_index(3)]
		#[pallet::authorize(|_, statement, signature| Self::authorize_request(statement, signature))]
		pub fn request(
			origin: OriginFor<T>,
			statement: Box<KeyRequestStatement>,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_request(&statement, &signature)
		}

		/// Answer a request.
		///
		/// - `origin`: none; free. Authorised by the proof in the partial, which only the holder of the
		///   seat's share can make, until the request is fulfilled or expires.
		/// - `id`: the request.
		/// - `seat`: the holder's seat in the set whose shares answer it.
		/// - `partial`: the answer.
		#[pallet::call_index(4)]
		#[pallet::weight((T::WeightInfo::answer(), DispatchClass::Operational))]
		#[pallet::authorize(|_, id, seat, partial| Self::authorize_answer(*id, *seat, partial))]
		pub fn answer(
			origin: OriginFor<T>,
			id: RequestId,
			seat: MemberIndex,
			partial: Box<Partial>,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_answer(id, seat, *partial)
		}

		/// Make the key of the next epoch. Workers can ask for either key until the old one retires.
		///
		/// - `origin`: must pass `AdminOrigin`.
		/// - `replace`: give the old key up as soon as the new one is there, and let the elected set make
		///   it if one waits for the key. For a key that is lost or known; what only its clusters' keys
		///   protect is lost with it.
		#[pallet::call_index(5)]
		pub fn rotate(origin: OriginFor<T>, replace: bool) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			ensure!(CurrentEpoch::<T>::exists(), Error::<T>::NoKey);
			Rotations::<T>::put(Rotation { replace, trial: Trial::default() });
			Self::deposit_event(Event::RotationOrdered { replace });
			Ok(())
		}

		/// Take back the wish for a new key. A ceremony under way goes on; `abort` stops it.
		///
		/// - `origin`: must pass `AdminOrigin`.
		#[pallet::call_index(6)]
		pub fn cancel_rotation(origin: OriginFor<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Rotations::<T>::take().ok_or(Error::<T>::NoRotation)?;
			Self::deposit_event(Event::RotationCancelled);
			Ok(())
		}

		/// Stop using an old key before its time, at once.
		///
		/// - `origin`: must pass `AdminOrigin`.
		/// - `epoch`: its epoch, not the current one.
		#[pallet::call_index(7)]
		pub fn retire(origin: OriginFor<T>, epoch: u32) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			let old = Self::old_key().map(|(old, _)| old);
			ensure!(old == Some(epoch), Error::<T>::NotRetiring);
			Self::end_epoch(epoch);
			Ok(())
		}

		/// Try again what was given up, now, with everybody.
		///
		/// - `origin`: must pass `AdminOrigin`.
		#[pallet::call_index(8)]
		pub fn retry(origin: OriginFor<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			NextSet::<T>::mutate(|next| {
				next.iter_mut().for_each(|next| next.trial = Trial::default());
			});
			Rotations::<T>::mutate(|rotation| {
				rotation.iter_mut().for_each(|rotation| rotation.trial = Trial::default());
			});
			Self::deposit_event(Event::RetryOrdered);
			Ok(())
		}

		/// Stop the ceremony under way, unless its key is in use already. Counts as a failed attempt.
		///
		/// - `origin`: must pass `AdminOrigin`.
		#[pallet::call_index(9)]
		pub fn abort(origin: OriginFor<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_abort()
		}

		/// Ask for the guard of one's secrets and share of a ceremony: the second key that seals them.
		///
		/// - `origin`: none; free. Authorised by the signature of an attested gatekeeper in the ceremony's
		///   receiving set, while the key is being handed over in it or its shares are in use; once while
		///   the request is on record. A later one, by its `valid_until`, takes its place.
		/// - `statement`: which ceremony, and the blinded point with its proof.
		/// - `signature`: the member's.
		#[pallet::call_index(10)]
		#[pallet::weight((T::WeightInfo::request_guard(), DispatchClass::Operational))]
		#[pallet::authorize(|_, statement, signature| Self::authorize_guard(statement, signature))]
		pub fn request_guard(
			origin: OriginFor<T>,
			statement: Box<GuardRequestStatement>,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_request_guard(&statement, &signature)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What is going on, or why nothing is.
		pub fn status() -> Status<T::AccountId> {
			Self::view_status()
		}

		/// The last failure since a ceremony last completed: what, why, and whose fault it was.
		pub fn why_failed() -> Option<Failure<T::AccountId>> {
			LastFailure::<T>::get()
		}

		/// Whom the phase waits for, and who failed in this ceremony before.
		pub fn late() -> Vec<(Seat<T::AccountId>, Fault)> {
			Self::view_late()
		}

		/// The set in office, in the order of seats.
		pub fn office() -> Vec<Seat<T::AccountId>> {
			<Self as Gatekeepers<_>>::in_office()
		}

		/// May the bond of `who` be released, as far as the keys are concerned?
		pub fn can_unbond(who: T::AccountId) -> bool {
			<Self as Gatekeepers<_>>::may_unbond(&who)
		}

		/// The master key of an epoch.
		pub fn epoch_key(epoch: u32) -> Option<EpochKey> {
			Epochs::<T>::get(epoch)
		}

		/// Keys in use with their epochs: the current one first.
		pub fn live_keys() -> Vec<(u32, LiveKey)> {
			[Self::current_key(), Self::old_key()].into_iter().flatten().collect()
		}

		/// Up to 100 requests that wait for answers, those after `after` if given. Ask again with the last
		/// one until there are none.
		pub fn open_requests(after: Option<RequestId>) -> Vec<(RequestId, OpenRequest)> {
			let RequestQueue { first, next } = Queue::<T>::get();
			let from = after.map_or(first, |after| after.saturating_add(1)).max(first);
			let time = Self::time();
			(from..next)
				.filter_map(|id| Requests::<T>::get(id).map(|request| (id, request)))
				.filter(|(_, request)| {
					!request.fulfilled && !request.replaced && time < Self::expiry(request)
				})
				.take(100)
				.collect()
		}

		/// The request of a worker for a cluster's key, or of a member for a guard, that is on record.
		pub fn request_for(worker: WorkerKey, input: Input) -> Option<RequestId> {
			OpenFor::<T>::get(worker, input)
		}

		/// A request on record, and the answers that combine.
		pub fn request_of(id: RequestId) -> Option<(OpenRequest, Vec<(MemberIndex, Partial)>)> {
			let request = Requests::<T>::get(id)?;
			let partials = request.answered.iter();
			let partials = partials.filter_map(|seat| Some((seat, Partials::<T>::get(id, seat)?)));
			let partials = partials.collect();
			Some((request, partials))
		}
	}
}
