//! Partial evaluations: one member's answer to a request.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::CryptoRngCore;
use scale_info::TypeInfo;

use super::{Inquiry, Request};
use crate::{
	CeremonyId, Element, Error, KeyShare, MemberIndex, Proof,
	proof::{Base, Claim, Statement},
};

/// The blinded point times one member's share, proven.
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
pub struct Partial {
	/// The member's share times the blinded point.
	pub value: Element,
	/// Proof that it has the same logarithm as the member's verification share.
	pub proof: Proof,
}

impl KeyShare {
	/// Answers a request after verifying it; [`Error::InvalidRequest`].
	///
	/// Whether the requester is entitled to the input is for the caller to know, from the finalised
	/// chain: any t answers are a key.
	pub fn evaluate(
		&self,
		inquiry: &Inquiry,
		request: &Request,
		rng: &mut impl CryptoRngCore,
	) -> Result<Partial, Error> {
		request.verify(inquiry)?;
		let own = self.secret().public()?;
		let value = self.secret().times(&request.blinded)?;
		let proof = statement(self.ceremony(), self.index(), &own, inquiry, request, &value)
			.prove(self.secret(), rng);
		Ok(Partial { value, proof })
	}
}

impl Partial {
	/// Checks the answer of seat `member`, whose share in the sharing of `ceremony` is known by
	/// `verification_share`; [`Error::InvalidPartial`].
	///
	/// Costs one proof of two equal logarithms. The request must have been verified before.
	pub fn verify(
		&self,
		ceremony: &CeremonyId,
		member: MemberIndex,
		verification_share: &Element,
		inquiry: &Inquiry,
		request: &Request,
	) -> Result<(), Error> {
		let statement =
			statement(ceremony, member, verification_share, inquiry, request, &self.value);
		match statement.accepts(&self.proof) {
			true => Ok(()),
			false => Err(Error::InvalidPartial(member)),
		}
	}
}

fn statement<'a>(
	ceremony: &CeremonyId,
	member: MemberIndex,
	verification_share: &'a Element,
	inquiry: &Inquiry,
	request: &'a Request,
	value: &'a Element,
) -> Statement<'a, 2> {
	Statement::new(
		Claim::Partial,
		&(ceremony, member, request.digest(inquiry)),
		[(Base::Generator, verification_share), (Base::Element(&request.blinded), value)],
	)
}
