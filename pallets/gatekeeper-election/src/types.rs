//! What the pallet stores and shows.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use phala_primitives::{PlatformId, WorkerKey};
use scale_info::TypeInfo;
use sp_runtime::DispatchError;
use sp_staking::{EraIndex, SessionIndex};

/// Most seats of a set: as many as can hold shares of one key.
pub const MAX_SEATS: u32 = 32;
/// Most holders of a tranche: a member and its backers.
pub const MAX_HOLDERS: u32 = 33;
/// Most parts of a holder's bond that are on their way out.
pub const MAX_CHUNKS: u32 = 16;
/// Most eras whose exposure a suspected loss leaves: the one that it is taken from, the active one and the
/// planned one.
pub const MAX_ERAS: u32 = 3;

/// Names a suspected loss, from 0.
pub type TrancheId = u64;

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
	/// An operator's word that a stash may stand for election with its gatekeeper.
	pub struct Consent<AccountId> {
		/// Who gave it.
		pub operator: AccountId,
		/// To whom.
		pub stash: AccountId,
	}

	/// A stash's gatekeeper.
	pub struct Binding<AccountId> {
		/// Identity of its TEE.
		pub worker: WorkerKey,
		/// The operator that consented. If the worker has another one, the binding is void.
		pub operator: AccountId,
		/// The machine, as it was when they were bound.
		pub platform: PlatformId,
	}

	/// An era that was elected, and begins when the key is in its members' hands.
	pub struct PlannedEra<AccountId> {
		/// The session of staking that it begins with.
		pub session: SessionIndex,
		/// Its members.
		pub members: BoundedVec<AccountId, ConstU32<MAX_SEATS>>,
		/// The handover is final: it begins in the next block.
		pub is_final: bool,
	}

	/// Why there was no new set. The one in office stays.
	#[derive(Copy)]
	pub enum WhyFailed {
		/// Fewer could be seated than a set needs. More have to stand; `why_not_eligible` says what
		/// keeps somebody from it.
		#[codec(index = 0)]
		TooFewSeats {
			/// Who could be seated, within what may change in an era.
			seated: u32,
			/// What a set needs.
			needed: u32,
		},
		/// The solver refused.
		#[codec(index = 1)]
		Solver,
		/// Those who run the ceremonies refused the set.
		#[codec(index = 2)]
		Refused {
			/// Why.
			error: DispatchError,
		},
		/// Governance has forbidden new eras (`force_no_eras`).
		#[codec(index = 3)]
		NoEras,
	}

	/// The last election that brought no new set, since one did.
	#[derive(Copy)]
	pub struct Failure {
		/// The session of staking that was to begin an era.
		pub session: SessionIndex,
		/// Why.
		pub why: WhyFailed,
	}

	/// A holder's part of a suspected loss. Plancks.
	pub struct Part<AccountId> {
		/// Whose.
		pub who: AccountId,
		/// What is left of it, of what was in use when it was suspected.
		pub active: u128,
		/// What is left of it, of what was on its way out, by the era in which that is free.
		pub unlocking: BoundedVec<(EraIndex, u128), ConstU32<MAX_CHUNKS>>,
		/// What is to return into the exposure of an era that it left, if it is given back.
		pub exposed: BoundedVec<(EraIndex, u128), ConstU32<MAX_ERAS>>,
	}

	/// A suspected loss: bond that was taken out of staking and waits on hold for the ledger of
	/// offences.
	pub struct Tranche<AccountId> {
		/// Whose fault it is.
		pub offender: AccountId,
		/// The era whose exposure it was taken from; none if that was a bond without a seat.
		pub era: Option<EraIndex>,
		/// The offender's own part first, if it has one, then those of its backers.
		pub parts: BoundedVec<Part<AccountId>, ConstU32<MAX_HOLDERS>>,
	}
}

impl<AccountId> Part<AccountId> {
	/// What is left of it.
	pub fn rest(&self) -> u128 {
		self.unlocking.iter().fold(self.active, |sum, (_, value)| sum.saturating_add(*value))
	}
}

impl<AccountId> Tranche<AccountId> {
	/// What is left of it.
	pub fn rest(&self) -> u128 {
		self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.rest()))
	}
}

/// What keeps a stash from being elected.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum WhyNot<AccountId> {
	/// It has no bond. `staking.bond` puts one up.
	#[codec(index = 0)]
	NotBonded,
	/// Its own active bond is below the minimum. `staking.bondExtra`.
	#[codec(index = 1)]
	BondTooSmall {
		/// What it has, in plancks.
		bond: u128,
		/// What it needs.
		needed: u128,
	},
	/// It does not stand: `staking.validate`.
	#[codec(index = 2)]
	NotStanding,
	/// It has no gatekeeper. The gatekeeper's operator consents, then the stash binds it.
	#[codec(index = 3)]
	NotBound,
	/// The attestation of its gatekeeper does not count. The gatekeeper has to renew it.
	#[codec(index = 4)]
	NotAttested,
	/// What it bound is attested, but as no gatekeeper.
	#[codec(index = 5)]
	NotGatekeeper,
	/// Its gatekeeper has another operator than the one that consented. Unbind, and bind again.
	#[codec(index = 6)]
	OtherOperator,
	/// A candidate with more of a claim has a gatekeeper on the same machine.
	#[codec(index = 7)]
	PlatformTaken {
		/// Who.
		by: AccountId,
	},
}

/// What keeps a stash's bond from leaving.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum WhyBonded {
	/// It holds a share of a key, or is to receive one: once it is voted out, or has chilled, the next
	/// era's handover ends that.
	#[codec(index = 0)]
	InOffice,
	/// Something about it is undecided in the ledger of offences.
	#[codec(index = 1)]
	OpenCase,
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
	/// The escrow did not cover a payout that it had been asked for.
	#[codec(index = 0)]
	PayoutNotCovered,
	/// Suspected stake was not on hold.
	#[codec(index = 1)]
	HoldMissing,
	/// A tranche has more holders than it can.
	#[codec(index = 2)]
	TooManyHolders,
}
