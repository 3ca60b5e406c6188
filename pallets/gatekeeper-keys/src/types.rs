//! What the pallet stores and shows.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	BoundedVec,
	traits::{ConstU32, PalletError},
};
use phala_primitives::{Seat, WorkerKey};
use phala_threshold::{
	Ceremony, Element, Input, MAX_MEMBERS, MemberIndex, MemberSet, Request, Sharing,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// Most seats of a set.
pub const MAX_SEATS: u32 = MAX_MEMBERS as u32;

/// Numbers ceremonies, from 0; never repeats.
pub type CeremonyNumber = u64;

/// Numbers requests, from 0.
pub type RequestId = u64;

/// A set of gatekeepers in the order of seats: the first has seat 1.
pub type Seats<AccountId> = BoundedVec<Seat<AccountId>, ConstU32<MAX_SEATS>>;

/// Implements what every stored type needs.
macro_rules! stored {
	($($(#[$meta:meta])* pub $kind:ident $name:ident $(<$generic:ident>)? { $($body:tt)* })*) => {$(
		$(#[$meta])*
		#[derive(
			Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
		)]
		pub $kind $name $(<$generic>)? { $($body)* }
	)*};
}

stored! {
	/// What a ceremony is for.
	#[derive(Copy)]
	pub enum Purpose {
		/// The first key.
		#[codec(index = 0)]
		First,
		/// An elected set takes the key over from the one in office.
		#[codec(index = 1)]
		Handover,
		/// The set in office makes the key of the next epoch.
		#[codec(index = 2)]
		Rotation,
		/// As a rotation, but the old key is given up: the elected set makes the new one if there is
		/// such a set, and nothing is handed over.
		#[codec(index = 3)]
		Replacement,
	}

	/// Where a ceremony is. Ends are on the pallet's clock, which stands still while the chain does.
	#[derive(Copy)]
	pub enum Phase {
		/// Recipients publish their keys, dealers their digests.
		#[codec(index = 0)]
		Committing {
			/// From then on nothing more is taken.
			ends: u32,
		},
		/// Dealers deal.
		#[codec(index = 1)]
		Sharing {
			/// From then on nothing more is taken.
			ends: u32,
		},
		/// Recipients complain.
		#[codec(index = 2)]
		Complaining {
			/// From then on nothing more is taken.
			ends: u32,
		},
		/// The qualified dealings are summed, one a step.
		#[codec(index = 3)]
		Aggregating,
		/// Verification shares are computed, one a step; then the key is in use.
		#[codec(index = 4)]
		Deriving {
			/// Seats that have none yet.
			left: MemberSet,
		},
		/// The faulty are reported, one a step.
		#[codec(index = 5)]
		Reporting,
		/// Done. The dealings stay for members that were away.
		#[codec(index = 6)]
		Kept {
			/// Until then.
			until: u32,
		},
		/// Messages are removed, those of a seat a step.
		#[codec(index = 7)]
		Clearing {
			/// The seat whose are next.
			next: MemberIndex,
		},
	}

	/// How a gatekeeper fails the others.
	#[derive(Copy, PartialOrd, Ord)]
	pub enum Fault {
		/// A dealer did not publish a digest in time.
		#[codec(index = 0)]
		NoDigest,
		/// A recipient did not publish a key in time.
		#[codec(index = 1)]
		NoKey,
		/// A dealer did not reveal in time what it had committed to.
		#[codec(index = 2)]
		NoDealing,
		/// A dealer's share was faulty.
		#[codec(index = 3)]
		BadShare,
		/// A recipient complained about a good share, or opened a false element.
		#[codec(index = 4)]
		FalseComplaint,
		/// A holder did not answer a request that was not fulfilled.
		#[codec(index = 5)]
		NoPartial,
	}

	/// Seats at fault in one ceremony.
	#[derive(Copy, Default)]
	pub struct Faults {
		/// Seats of the dealing set: [`Fault::NoDigest`].
		pub no_digest: MemberSet,
		/// Seats of the receiving set: [`Fault::NoKey`].
		pub no_key: MemberSet,
		/// Seats of the dealing set: [`Fault::NoDealing`].
		pub no_dealing: MemberSet,
		/// Seats of the dealing set: [`Fault::BadShare`].
		pub bad_share: MemberSet,
		/// Seats of the receiving set: [`Fault::FalseComplaint`].
		pub false_complaint: MemberSet,
	}

	/// Why a ceremony failed.
	#[derive(Copy)]
	pub enum WhyFailed {
		/// Fewer dealers than the dealing set's threshold committed, dealt, and were not convicted.
		/// The faulty are in [`Failure::faulty`].
		#[codec(index = 0)]
		NotEnoughDealers,
		/// Fewer recipients than the receiving set's threshold published a key and were not convicted.
		#[codec(index = 1)]
		NotEnoughHolders,
		/// Governance stopped it.
		#[codec(index = 2)]
		Aborted,
		/// The qualified commitments do not add up to a key, or not to the old one. Cannot happen while one
		/// of the dealers is honest.
		#[codec(index = 3)]
		BadSum {
			/// The rule that they break.
			error: phala_threshold::Error,
		},
	}

	/// A ceremony under way.
	pub struct Attempt {
		/// What its members agree on.
		pub ceremony: Ceremony,
		/// What it is for.
		pub purpose: Purpose,
		/// Epoch of the key.
		pub epoch: u32,
		/// Hash of the set that it is for, before any were excluded.
		pub target: H256,
		/// The ceremony whose shares are dealt, in a handover.
		pub from: Option<CeremonyNumber>,
		/// Seats of the dealing set that may deal.
		pub dealers: MemberSet,
		/// Recipients with a key.
		pub keys: MemberSet,
		/// Dealers with a digest.
		pub digests: MemberSet,
		/// Dealers with a dealing.
		pub dealings: MemberSet,
		/// Who failed so far.
		pub faults: Faults,
		/// Of them, those not reported yet. They are reported after the complaints.
		pub unreported: Faults,
		/// Why it failed, if it did.
		pub failed: Option<WhyFailed>,
		/// Where it is.
		pub phase: Phase,
	}

	/// What became of earlier attempts at the same.
	pub struct Trial<AccountId> {
		/// Failed attempts.
		pub attempts: u8,
		/// No other one before this moment of the pallet's clock.
		pub not_before: u32,
		/// Left out of the receiving set, unless too few would be left.
		pub excluded: BoundedVec<AccountId, ConstU32<MAX_SEATS>>,
		/// Convicted dealers among the holders of that ceremony, who do not deal again unless too few
		/// would be left.
		pub barred: Option<(CeremonyNumber, MemberSet)>,
	}

	/// A set that was elected and is not in office yet.
	pub struct Elected<AccountId> {
		/// The set.
		pub seats: Seats<AccountId>,
		/// What became of attempts to hand the key to it.
		pub trial: Trial<AccountId>,
	}

	/// A new key that governance wants.
	pub struct Rotation<AccountId> {
		/// Whether the old key is given up.
		pub replace: bool,
		/// What became of attempts at it.
		pub trial: Trial<AccountId>,
	}

	/// The last failure since a ceremony last completed.
	pub struct Failure<AccountId> {
		/// The ceremony.
		pub number: CeremonyNumber,
		/// What it was for.
		pub purpose: Purpose,
		/// Relay-chain block.
		pub at: u32,
		/// Why.
		pub why: WhyFailed,
		/// Failed attempts at the same, with this one.
		pub attempts: u8,
		/// Who failed, and how.
		pub faulty: BoundedVec<(AccountId, Fault), ConstU32<{ 2 * MAX_SEATS }>>,
	}

	/// A key in use.
	pub struct LiveKey {
		/// The ceremony that made its shares.
		pub number: CeremonyNumber,
		/// The public side of the shares.
		pub sharing: Sharing,
		/// When the shares came into use, on the pallet's clock.
		pub since: u32,
		/// When it is given up, on the pallet's clock, if it is not the current one.
		pub until: Option<u32>,
	}

	/// The master key of an epoch.
	pub struct EpochKey {
		/// The public key.
		pub public_key: Element,
		/// Relay-chain block in which it came into use.
		pub since: u32,
		/// Relay-chain block from which on no requests are answered with it.
		pub ended: Option<u32>,
	}

	/// A request for a cluster's key, or for a member's guard.
	pub struct OpenRequest {
		/// Who asks: a worker, or the member.
		pub worker: WorkerKey,
		/// For what.
		pub input: Input,
		/// See [`KeyRequestStatement::valid_until`](phala_primitives::KeyRequestStatement) and
		/// [`GuardRequestStatement::valid_until`](phala_primitives::GuardRequestStatement).
		pub valid_until: u32,
		/// What is to be answered.
		pub request: Request,
		/// When it was made, on the pallet's clock.
		pub asked: u32,
		/// The ceremony whose shares answer it. Partials of other shares do not combine with them.
		pub sharing: CeremonyNumber,
		/// Holders that answered with those.
		pub answered: MemberSet,
		/// Whether they are enough.
		pub fulfilled: bool,
		/// All whose partials are stored, also of earlier shares.
		pub stored: MemberSet,
		/// Whether its sender has asked anew. Then nobody answers it, or is blamed for it.
		pub replaced: bool,
		/// Whether its sender may have been without the right to an answer at some time. Then nobody is
		/// blamed for it.
		pub excused: bool,
	}

	/// Holders whose silence has been dealt with in a period.
	#[derive(Copy, Default)]
	pub struct Silence {
		/// The period: which multiple of [`Config::AbsencePeriod`](crate::Config::AbsencePeriod), on the
		/// pallet's clock.
		pub period: u32,
		/// Who was reported for a request of that period, or was not attested when it was to be.
		pub seats: MemberSet,
	}

	/// Which requests are on record: ids from `first` to `next`.
	#[derive(Copy, Default)]
	pub struct RequestQueue {
		/// The oldest.
		pub first: RequestId,
		/// The next new one.
		pub next: RequestId,
	}

	/// A ceremony whose shares are of no use any more; its data is removed step by step.
	#[derive(Copy)]
	pub struct Garbage {
		/// The ceremony.
		pub number: CeremonyNumber,
		/// The seat whose data is removed next.
		pub next: MemberIndex,
	}
}

/// Room for guards beyond [`Config::MaxRequests`](crate::Config::MaxRequests), so that workers cannot
/// keep members from theirs. Members of four sets at once: of two keys in use, and of ceremonies that
/// were under way within [`Config::RequestPeriod`](crate::Config::RequestPeriod).
pub const ROOM_FOR_GUARDS: u32 = 4 * MAX_SEATS;

/// Most ceremonies that can wait for removal: two keys were in use, and one may have been handed over.
pub const MAX_GARBAGE: u32 = 4;

impl<AccountId> Default for Trial<AccountId> {
	fn default() -> Self {
		Self { attempts: 0, not_before: 0, excluded: BoundedVec::new(), barred: None }
	}
}

impl Fault {
	/// Is it about a seat of the dealing set? Otherwise it is one of the receiving set.
	pub const fn is_dealers(self) -> bool {
		matches!(self, Self::NoDigest | Self::NoDealing | Self::BadShare)
	}
}

impl Faults {
	/// Every fault with its seats, graver ones first.
	pub const fn all(self) -> [(Fault, MemberSet); 5] {
		[
			(Fault::BadShare, self.bad_share),
			(Fault::FalseComplaint, self.false_complaint),
			(Fault::NoDigest, self.no_digest),
			(Fault::NoKey, self.no_key),
			(Fault::NoDealing, self.no_dealing),
		]
	}

	/// Takes one out.
	pub fn pop(&mut self) -> Option<(Fault, MemberIndex)> {
		let sets = [
			(Fault::BadShare, &mut self.bad_share),
			(Fault::FalseComplaint, &mut self.false_complaint),
			(Fault::NoDigest, &mut self.no_digest),
			(Fault::NoKey, &mut self.no_key),
			(Fault::NoDealing, &mut self.no_dealing),
		];
		for (fault, set) in sets {
			if let Some(seat) = set.first() {
				set.remove(seat);
				return Some((fault, seat));
			}
		}
		None
	}
}

impl Attempt {
	/// Its number.
	pub const fn number(&self) -> CeremonyNumber {
		self.ceremony.number
	}

	/// Whose seats the dealers have: the ceremony that put them there.
	pub fn dealing_number(&self) -> CeremonyNumber {
		self.from.unwrap_or(self.number())
	}

	/// Dealers with a dealing and no conviction.
	pub const fn qualified(&self) -> MemberSet {
		self.dealings.without(self.faults.bad_share)
	}

	/// Recipients that opened none of their shares without need.
	pub const fn holders(&self) -> MemberSet {
		self.keys.without(self.faults.false_complaint)
	}

	/// Has the key not been put to use yet, and may still be?
	pub const fn is_open(&self) -> bool {
		matches!(
			self.phase,
			Phase::Committing { .. }
				| Phase::Sharing { .. }
				| Phase::Complaining { .. }
				| Phase::Aggregating
				| Phase::Deriving { .. }
		)
	}
}

/// Why nothing is under way.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Waiting {
	/// There is nothing to do: no set is waiting, and no rotation.
	#[codec(index = 0)]
	NothingToDo,
	/// An attempt failed; the next one is made in this relay-chain block, if the chain does not stand
	/// still meanwhile.
	#[codec(index = 1)]
	Retry {
		/// That block.
		at: u32,
	},
	/// The last rotation's old key is in use until this relay-chain block, and nothing is handed over
	/// before; `retire` ends that.
	#[codec(index = 2)]
	OldKey {
		/// That block.
		until: u32,
	},
	/// All attempts failed. Waits for another election, or for `retry`.
	#[codec(index = 3)]
	GaveUp,
	/// Old data is being removed; it goes on in the next blocks.
	#[codec(index = 4)]
	Tidying,
	/// It begins in the next block.
	#[codec(index = 5)]
	Ready,
}

/// What is going on.
// Nobody keeps many of them.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Status<AccountId> {
	/// Nothing.
	#[codec(index = 0)]
	Idle {
		/// Why.
		waiting: Waiting,
	},
	/// A ceremony.
	#[codec(index = 1)]
	Running {
		/// What is stored of it.
		attempt: Attempt,
		/// Its id.
		id: [u8; 32],
		/// Relay-chain block from which on nothing more is taken in this phase, if the chain does not
		/// stand still meanwhile.
		ends: Option<u32>,
		/// The dealing set.
		dealers: alloc::vec::Vec<Seat<AccountId>>,
		/// The receiving set.
		recipients: alloc::vec::Vec<Seat<AccountId>>,
	},
}

/// A rule of the protocol that a message breaks.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ProtocolError(pub phala_threshold::Error);

impl PalletError for ProtocolError {
	// The variant, and the seat that some of them name.
	const MAX_ENCODED_SIZE: usize = 2;
}
