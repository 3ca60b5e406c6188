//! Aggregation of the qualified dealings to the public side of the shared key.

use alloc::{vec, vec::Vec};

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use super::{Ceremony, CeremonyId, Kind};
use crate::{
	Commitments, Element, Error, MAX_THRESHOLD, MemberIndex, MemberSet, Threshold,
	element::PartialSum, lagrange,
};

/// Sums the commitments of the qualified dealers, one dealer a step, so that a chain can spread
/// the work over blocks.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Aggregation {
	ceremony: Ceremony,
	qualified: MemberSet,
	remaining: MemberSet,
	holders: MemberSet,
	/// One for each coefficient. Dealers who collude can make one the identity, until an honest one is in.
	sum: BoundedVec<PartialSum, ConstU32<{ MAX_THRESHOLD as u32 }>>,
}

impl Aggregation {
	/// Starts with the `qualified` dealers — those that published a valid dealing and were not
	/// convicted — and the members that received shares.
	///
	/// [`Error::NotEnoughDealers`] or [`Error::NotEnoughHolders`] below the threshold of the dealing
	/// or the receiving set.
	pub fn new(
		ceremony: Ceremony,
		qualified: MemberSet,
		holders: MemberSet,
	) -> Result<Self, Error> {
		if !ceremony.suffices(qualified) {
			return Err(Error::NotEnoughDealers);
		}
		let seats = ceremony.size.seats();
		if holders.len() < ceremony.size.required() || !holders.is_subset(seats) {
			return Err(Error::NotEnoughHolders);
		}
		let sum = vec![PartialSum::default(); ceremony.size.required().into()];
		let sum = BoundedVec::try_from(sum).map_err(|_| Error::WrongCommitmentCount)?;
		Ok(Self { ceremony, qualified, remaining: qualified, holders, sum })
	}

	/// The dealer whose commitments are to be added next; `None` when all are in.
	pub const fn next(&self) -> Option<MemberIndex> {
		self.remaining.first()
	}

	/// Adds the commitments of the [`next`](Self::next) dealer.
	///
	/// Costs a multiplication for each commitment in a resharing, an addition in a generation.
	pub fn add(&mut self, dealer: MemberIndex, commitments: &Commitments) -> Result<(), Error> {
		if self.next() != Some(dealer) {
			return Err(Error::OutOfOrder);
		}
		if commitments.count() != usize::from(self.ceremony.size.required()) {
			return Err(Error::WrongCommitmentCount);
		}
		let factor = match self.ceremony.kind {
			Kind::Generation => None,
			Kind::Resharing { .. } => Some(lagrange::coefficient(self.qualified, dealer)),
		};
		for (sum, element) in self.sum.iter_mut().zip(commitments.iter()) {
			sum.0 += match factor {
				None => *element.point(),
				Some(factor) => element.point() * factor,
			};
		}
		self.remaining.remove(dealer);
		Ok(())
	}

	/// The result, once all qualified dealers are in.
	///
	/// [`Error::IdentityElement`] if all terms of a coefficient cancel out. That takes the collusion of all
	/// dealers: with an honest one among them it happens with probability below 2^-200.
	pub fn finish(self) -> Result<Sharing, Error> {
		if !self.remaining.is_empty() {
			return Err(Error::Unfinished);
		}
		let elements = self.sum.iter().map(|sum| Element::try_from(sum.0));
		let commitments = Commitments::new(elements.collect::<Result<Vec<_>, _>>()?)?;
		if let Kind::Resharing { public_key, .. } = &self.ceremony.kind
			&& commitments.constant() != public_key
		{
			return Err(Error::PublicKeyChanged);
		}
		Ok(Sharing {
			ceremony: self.ceremony.id(),
			size: self.ceremony.size,
			qualified: self.qualified,
			holders: self.holders,
			commitments,
		})
	}
}

/// The public side of a shared key: all that is needed to check what its holders do with it.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Sharing {
	ceremony: CeremonyId,
	size: Threshold,
	qualified: MemberSet,
	holders: MemberSet,
	commitments: Commitments,
}

impl Sharing {
	/// The ceremony that made it.
	pub const fn ceremony(&self) -> &CeremonyId {
		&self.ceremony
	}

	/// Its seats and threshold.
	pub const fn size(&self) -> Threshold {
		self.size
	}

	/// The dealers whose dealings it is made of.
	pub const fn qualified(&self) -> MemberSet {
		self.qualified
	}

	/// The members that received a share.
	pub const fn holders(&self) -> MemberSet {
		self.holders
	}

	/// The public key.
	pub const fn public_key(&self) -> &Element {
		self.commitments.constant()
	}

	/// The generator times the share of seat `holder`: what its partial evaluations and its
	/// dealings of the next resharing are checked against. Worth storing: it costs some 150
	/// additions at the largest size.
	pub fn verification_share(&self, holder: MemberIndex) -> Result<Element, Error> {
		match self.holders.contains(holder) {
			true => self.commitments.evaluate(holder).try_into(),
			false => Err(Error::NotAMember(holder)),
		}
	}
}
