//! Requests: a blinded point with a proof of what it blinds.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen, Output};
use rand_core::CryptoRngCore;
use scale_info::TypeInfo;
use zeroize::Zeroizing;

use crate::{
	CeremonyId, Element, Error, PROTOCOL, Proof,
	hash::{digest, hash_to_group},
	proof::{Base, Claim, Statement},
	secret::SecretScalar,
};

/// What a cluster's key is a function of, besides the master key.
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
pub struct ClusterInput {
	/// Epoch of the key. A cluster has one key per epoch.
	pub epoch: u32,
	/// The cluster.
	pub cluster: [u8; 32],
}

/// What a guard is a function of, besides the master key: a second key that seals one member's share of
/// one ceremony, and that nobody gives it any more when the ceremony's shares have been replaced.
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
pub struct GuardInput {
	/// Epoch of the key that is evaluated.
	pub epoch: u32,
	/// The ceremony whose secrets and share the guard seals.
	pub ceremony: CeremonyId,
	/// Whose they are: the public key of its identity.
	pub member: [u8; 32],
}

/// What a value is a function of, besides the master key. Each kind has points of its own.
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
pub enum Input {
	/// A cluster's key.
	#[codec(index = 0)]
	Cluster(ClusterInput),
	/// A member's guard.
	#[codec(index = 1)]
	Guard(GuardInput),
}

impl From<ClusterInput> for Input {
	fn from(input: ClusterInput) -> Self {
		Self::Cluster(input)
	}
}

impl From<GuardInput> for Input {
	fn from(input: GuardInput) -> Self {
		Self::Guard(input)
	}
}

impl Input {
	/// Epoch of the key that is evaluated.
	pub const fn epoch(&self) -> u32 {
		match self {
			Self::Cluster(input) => input.epoch,
			Self::Guard(input) => input.epoch,
		}
	}

	/// The private input of RFC 9497. The kind's name comes before the rest, with its length: no input
	/// of one kind is one of the other.
	pub(crate) fn bytes(&self) -> Vec<u8> {
		match self {
			Self::Cluster(input) => (PROTOCOL, "cluster key", input).encode(),
			Self::Guard(input) => (PROTOCOL, "guard", input).encode(),
		}
	}

	/// The point whose multiple by the master key makes the value. Nobody knows its logarithm, nor its
	/// relation to another input's point.
	pub(crate) fn point(&self) -> Result<Element, Error> {
		hash_to_group(&self.bytes())
	}
}

/// Who asks for which value: what the chain knows about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inquiry {
	/// The master key of which a multiple is asked.
	pub public_key: Element,
	/// What is asked, which the requester must be entitled to.
	pub input: Input,
	/// The requester: a hash of whatever identifies who asks and this request. Another's request
	/// cannot be repeated under one's own name.
	pub requester: [u8; 32],
}

/// What proofs and digests take in. That of a cluster has no tag; those of the two kinds differ in
/// length.
impl Encode for Inquiry {
	fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
		let Self { public_key, input, requester } = self;
		match input {
			Input::Cluster(input) => (public_key, input, requester).encode_to(output),
			Input::Guard(input) => ("guard", public_key, input, requester).encode_to(output),
		}
	}
}

/// A blinded point with the proof that it blinds the inquiry's own.
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
)]
pub struct Request {
	/// The input's point times a secret of the requester.
	pub blinded: Element,
	/// Proof that the requester knows that secret.
	pub proof: Proof,
}

impl Request {
	/// Checks that the point blinds the point of `inquiry`'s input and no other;
	/// [`Error::InvalidRequest`].
	///
	/// Costs one hash to the group and one proof of one logarithm.
	pub fn verify(&self, inquiry: &Inquiry) -> Result<(), Error> {
		let point = inquiry.input.point()?;
		match statement(inquiry, &point, &self.blinded).accepts(&self.proof) {
			true => Ok(()),
			false => Err(Error::InvalidRequest),
		}
	}

	/// A hash of the request with its inquiry: what partial evaluations answer.
	pub(crate) fn digest(&self, inquiry: &Inquiry) -> [u8; 32] {
		digest("request", &(inquiry, self.blinded))
	}
}

fn statement<'a>(inquiry: &Inquiry, point: &'a Element, blinded: &'a Element) -> Statement<'a, 1> {
	Statement::new(Claim::Blinding, inquiry, [(Base::Element(point), blinded)])
}

/// The requester's secret: without it the answers say nothing. Wiped when dropped.
#[derive(Debug)]
pub struct Blind {
	inquiry: Inquiry,
	secret: SecretScalar,
}

impl Blind {
	/// Blinds the point of `inquiry`'s input with a fresh secret (`Blind` of RFC 9497 §3.3.2).
	pub fn new(inquiry: Inquiry, rng: &mut impl CryptoRngCore) -> Result<(Self, Request), Error> {
		let blind = Self { inquiry, secret: SecretScalar::random(rng)? };
		let request = blind.request(rng)?;
		Ok((blind, request))
	}

	/// The request again, with another proof.
	pub fn request(&self, rng: &mut impl CryptoRngCore) -> Result<Request, Error> {
		let point = self.inquiry.input.point()?;
		let blinded = self.secret.times(&point)?;
		let proof = statement(&self.inquiry, &point, &blinded).prove(&self.secret, rng);
		Ok(Request { blinded, proof })
	}

	/// What was asked.
	pub const fn inquiry(&self) -> &Inquiry {
		&self.inquiry
	}

	pub(crate) const fn secret(&self) -> &SecretScalar {
		&self.secret
	}

	/// The secret in the clear, for sealing. The secret of a guard must not be kept: with it the public
	/// answers are the guard, for ever.
	pub fn save(&self) -> Zeroizing<[u8; 32]> {
		self.secret.to_bytes()
	}

	/// Reads what [`save`](Self::save) wrote; [`Error::CorruptState`] otherwise.
	pub fn restore(inquiry: Inquiry, saved: &[u8; 32]) -> Result<Self, Error> {
		let secret = SecretScalar::from_bytes(saved).map_err(|_| Error::CorruptState)?;
		Ok(Self { inquiry, secret })
	}
}
