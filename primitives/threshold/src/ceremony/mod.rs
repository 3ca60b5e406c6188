//! Ceremonies: how a set of members comes to hold shares of a key.

mod aggregation;
mod complaint;
mod dealing;
mod key;
mod member;
mod share;

pub use aggregation::{Aggregation, Sharing};
pub use complaint::{Abuse, Case, Complaint, ShareFault, Verdict, judge};
pub use dealing::{Constant, Dealing, DealingDigest};
pub use key::{CeremonyKey, Roster};
pub use member::{Member, Registration, Role};
pub use share::KeyShare;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Element, MemberSet, Threshold, hash::digest};

/// What a ceremony is: what every participant and the chain agree on before it starts. All of it
/// goes into its [`id`](Self::id), and the id into every proof, digest and encryption.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Ceremony {
	/// Hash of the chain's genesis block.
	pub chain: [u8; 32],
	/// Counts the attempts at ceremonies of this chain; never repeats.
	pub number: u64,
	/// Hash of the receiving members' accounts in the order of their seats.
	pub members: [u8; 32],
	/// The receiving set.
	pub size: Threshold,
	/// Where the key comes from.
	pub kind: Kind,
}

/// Where the key of a ceremony comes from.
// There is one ceremony at a time: its size is of no importance.
#[allow(clippy::large_enum_variant)]
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Kind {
	/// A new key, for the first time or as a rotation: every receiving member deals a random
	/// secret and the key is their sum.
	Generation,
	/// The same key for another set: every holder deals its share.
	Resharing {
		/// The ceremony that made the shares which are dealt.
		from: CeremonyId,
		/// The set that hands over.
		dealers: Threshold,
		/// The public key, before and after.
		public_key: Element,
	},
}

/// Names one ceremony: the hash of a [`Ceremony`].
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct CeremonyId(pub [u8; 32]);

impl Ceremony {
	/// The hash of all that defines this ceremony.
	pub fn id(&self) -> CeremonyId {
		CeremonyId(digest("ceremony", self))
	}

	/// The set whose members deal: the receiving set of a generation, the old set of a resharing.
	pub const fn dealing_set(&self) -> Threshold {
		match self.kind {
			Kind::Generation => self.size,
			Kind::Resharing { dealers, .. } => dealers,
		}
	}

	/// Are these enough qualified dealers? The dealing set's threshold: then at least one of them
	/// is honest, and old shares of that many determine the key.
	pub const fn suffices(&self, qualified: MemberSet) -> bool {
		qualified.len() >= self.dealing_set().required()
			&& qualified.is_subset(self.dealing_set().seats())
	}
}
