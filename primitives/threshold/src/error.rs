//! One variant for each rule that an input can break.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::MemberIndex;

/// Why an input was refused. Each variant is one rule; the text names the cause and the remedy.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	thiserror::Error,
)]
pub enum Error {
	/// A set has fewer than [`MIN_MEMBERS`](crate::MIN_MEMBERS) or more than
	/// [`MAX_MEMBERS`](crate::MAX_MEMBERS) seats.
	#[error("a set has 2 to 32 seats: elect a set of that size")]
	SizeOutOfRange,
	/// A seat number is 0 or above [`MAX_MEMBERS`](crate::MAX_MEMBERS).
	#[error("seats are numbered from 1 to 32")]
	IndexOutOfRange,
	/// A seat number is above the size of the set it is used in.
	#[error("seat {0} is not in the set: use the numbering of this ceremony")]
	NotAMember(MemberIndex),
	/// The bytes are not the canonical encoding of a ristretto255 element (RFC 9496 §4.3.1).
	#[error("not the canonical encoding of a ristretto255 element")]
	NonCanonicalElement,
	/// The identity element where only others are allowed.
	#[error("the identity element is not allowed here")]
	IdentityElement,
	/// The bytes are not the canonical encoding of a scalar below the group's order.
	#[error("not the canonical encoding of a scalar")]
	NonCanonicalScalar,
	/// Zero where a secret scalar is needed.
	#[error("zero is not a secret")]
	ZeroScalar,
	/// The proof of possession of a ceremony key does not verify.
	#[error(
		"the proof of possession of the ceremony key does not verify for this seat and ceremony"
	)]
	InvalidKeyProof,
	/// The number of coefficient commitments is not the threshold of the receiving set.
	#[error("a dealing has as many commitments as the receiving set's threshold")]
	WrongCommitmentCount,
	/// The number of encrypted shares is not the number of recipients.
	#[error("a dealing has one encrypted share for each recipient, in the order of their seats")]
	WrongShareCount,
	/// The revealed commitments are not those that were committed to.
	#[error("the revealed commitments do not hash to the digest published before")]
	DigestMismatch,
	/// A resharing dealer did not deal its own share of the key.
	#[error("the constant term is not the dealer's verification share")]
	WrongConstant,
	/// The proof of possession of the dealt secret does not verify.
	#[error("the proof of knowledge of the dealt secret does not verify")]
	InvalidDealerProof,
	/// The proof of possession of the ephemeral encryption key does not verify.
	#[error("the proof of knowledge of the ephemeral key does not verify")]
	InvalidEphemeralProof,
	/// The recipient has no share in this dealing.
	#[error("seat {0} receives no share in this ceremony")]
	NotARecipient(MemberIndex),
	/// The dealer does not deal in this ceremony.
	#[error("seat {0} does not deal in this ceremony")]
	NotADealer(MemberIndex),
	/// Fewer dealers qualified than the dealing set's threshold.
	#[error("too few qualified dealers: retry without the faulty")]
	NotEnoughDealers,
	/// Fewer members can hold a share than the receiving set's threshold.
	#[error("too few recipients to ever use the key: retry with more")]
	NotEnoughHolders,
	/// A commitment was added out of order, twice, or from a dealer that did not qualify.
	#[error("dealings are aggregated once each, in the order of the qualified dealers' seats")]
	OutOfOrder,
	/// The aggregation is not complete.
	#[error("dealings of qualified dealers are still missing")]
	Unfinished,
	/// A resharing would have changed the public key.
	#[error("the reshared commitments do not open to the same public key")]
	PublicKeyChanged,
	/// A blinded request does not carry a valid proof for its input and requester.
	#[error("the proof that the point blinds this cluster's point does not verify")]
	InvalidRequest,
	/// A partial evaluation does not carry a valid proof.
	#[error("the proof of the partial evaluation of seat {0} does not verify")]
	InvalidPartial(MemberIndex),
	/// Fewer valid partial evaluations than the threshold.
	#[error("too few valid partial evaluations: wait for more members to answer")]
	NotEnoughPartials,
	/// The set of ceremony keys differs from the one that this member dealt to.
	#[error("the ceremony keys changed after this member dealt: follow the finalised chain only")]
	RosterChanged,
	/// The set of ceremony keys is not known yet.
	#[error("the ceremony keys are not known yet: deal first")]
	RosterUnknown,
	/// The set of ceremony keys has another key in this member's seat.
	#[error("the ceremony key in this member's seat is another's: follow the finalised chain only")]
	OwnKeyReplaced,
	/// A ceremony key was given twice for one seat.
	#[error("seat {0} already has a ceremony key")]
	DuplicateKey(MemberIndex),
	/// No valid share from this qualified dealer has been received.
	#[error("no valid share from dealer {0}: give its dealing from the finalised chain")]
	MissingShare(MemberIndex),
	/// The sum of the received shares does not match the public verification share.
	#[error("the aggregated share does not match the chain's verification share")]
	ShareMismatch,
	/// The data is about another ceremony.
	#[error("this belongs to another ceremony")]
	WrongCeremony,
	/// The role contradicts the kind of ceremony: a resharing dealer needs its old share, a
	/// generation dealer has none.
	#[error("only a resharing dealer brings a share, and it must be of the set that hands over")]
	WrongRole,
	/// Saved secret state cannot be read.
	#[error("the saved state is damaged or of another version")]
	CorruptState,
}
