//! Aggregation of the qualified dealings to the public side of the shared key.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use super::{Ceremony, CeremonyId, Kind};
use crate::{Commitments, Element, Error, MemberIndex, MemberSet, Threshold, lagrange};

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
	sum: Option<Commitments>,
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
		Ok(Self { ceremony, qualified, remaining: qualified, holders, sum: None })
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
		let terms = commitments.iter().map(|element| match factor {
			None => *element.point(),
			Some(factor) => element.point() * factor,
		});
		let sum = match &self.sum {
			None => terms.map(Element::try_from).collect::<Result<Vec<_>, _>>()?,
			Some(sum) => terms
				.zip(sum.iter())
				.map(|(term, sum)| Element::try_from(term + sum.point()))
				.collect::<Result<Vec<_>, _>>()?,
		};
		self.sum = Some(Commitments::new(sum)?);
		self.remaining.remove(dealer);
		Ok(())
	}

	/// The result, once all qualified dealers are in.
	pub fn finish(self) -> Result<Sharing, Error> {
		let commitments = match self.sum {
			Some(sum) if self.remaining.is_empty() => sum,
			_ => return Err(Error::Unfinished),
		};
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
