//! Complaints: a recipient opens one encryption to it, and the chain judges who lied.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::CryptoRngCore;
use scale_info::TypeInfo;

use super::{CeremonyId, Dealing, dealing::Envelope};
use crate::{
	Element, Error, MemberIndex, MemberSet, Proof,
	hpke::Agreement,
	proof::{Base, Claim, Statement},
	secret::SecretScalar,
};

/// A recipient's claim that its share in a dealing is faulty. It opens the Diffie–Hellman element of
/// the encryption and proves that it is the right one; from it anybody can decrypt this one share
/// and nothing else.
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
pub struct Complaint {
	/// The recipient's ceremony secret times the dealing's ephemeral key.
	pub shared: Element,
	/// Proof that it has the same logarithm as the recipient's ceremony key.
	pub proof: Proof,
}

/// Who is at fault, and for what. Every complaint convicts exactly one of the two.
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
pub enum Verdict {
	/// The dealer sent a faulty share.
	DealerFaulty(ShareFault),
	/// The complainer accused an honest dealer, or opened a false element.
	ComplainerFaulty(Abuse),
}

/// What is wrong with an encrypted share.
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
pub enum ShareFault {
	/// It does not decrypt.
	Undecipherable,
	/// It decrypts to no canonical scalar, or to zero.
	NotAScalar,
	/// It decrypts to another value than the dealer committed to.
	Mismatch,
}

/// What is wrong with a complaint.
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
pub enum Abuse {
	/// The opened element is not proven to be the right one.
	FalseOpening,
	/// The share is the one that the dealer committed to.
	ShareIsValid,
}

/// Whose complaint about what: facts that the chain holds.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
	/// The ceremony.
	pub ceremony: &'a CeremonyId,
	/// The accused.
	pub dealer: MemberIndex,
	/// What the accused dealt: a dealing that [`Dealing::verify`] accepted.
	pub dealing: &'a Dealing,
	/// To whom the dealing was made, in the numbering of the receiving set.
	pub recipients: MemberSet,
	/// The recipient who complains.
	pub complainer: MemberIndex,
	/// The complainer's ceremony key.
	pub key: &'a Element,
}

impl Case<'_> {
	fn statement<'a>(&'a self, shared: &'a Element) -> Statement<'a, 2> {
		Statement::new(
			Claim::Opening,
			&(self.ceremony, self.dealer, self.complainer),
			[(Base::Generator, self.key), (Base::Element(&self.dealing.ephemeral), shared)],
		)
	}

	/// Opens the complainer's share with the Diffie–Hellman element.
	pub(crate) fn open(&self, shared: &Element) -> Result<Result<SecretScalar, ShareFault>, Error> {
		let sealed = self
			.recipients
			.position(self.complainer)
			.and_then(|position| self.dealing.shares.get(position))
			.ok_or(Error::NotARecipient(self.complainer))?;
		let agreement =
			Agreement { shared, ephemeral: &self.dealing.ephemeral, recipient: self.key };
		let envelope = Envelope {
			ceremony: self.ceremony,
			dealer: self.dealer,
			commitments: &self.dealing.commitments,
			recipient: self.complainer,
			agreement,
		};
		Ok(envelope.open(sealed))
	}

	pub(crate) fn complain(
		&self,
		secret: &SecretScalar,
		shared: Element,
		rng: &mut impl CryptoRngCore,
	) -> Complaint {
		Complaint { proof: self.statement(&shared).prove(secret, rng), shared }
	}
}

/// Judges a complaint. An error means that there is no such case; otherwise one of the two is
/// faulty: an honest dealer and an honest recipient never meet here.
///
/// Costs one proof of two equal logarithms, one decryption and one evaluation of the commitments.
pub fn judge(case: &Case, complaint: &Complaint) -> Result<Verdict, Error> {
	let share = case.open(&complaint.shared)?;
	Ok(if !case.statement(&complaint.shared).accepts(&complaint.proof) {
		Verdict::ComplainerFaulty(Abuse::FalseOpening)
	} else {
		match share {
			Ok(_) => Verdict::ComplainerFaulty(Abuse::ShareIsValid),
			Err(fault) => Verdict::DealerFaulty(fault),
		}
	})
}
