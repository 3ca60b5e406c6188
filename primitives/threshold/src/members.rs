//! Seats, sets of seats and the threshold.

use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use curve25519_dalek::Scalar;
use scale_info::TypeInfo;

use crate::Error;

/// Fewest seats of a set. A set of one would be a machine that holds the whole key.
pub const MIN_MEMBERS: u8 = 2;
/// Most seats of a set.
pub const MAX_MEMBERS: u8 = 32;
/// Highest threshold: that of a set of [`MAX_MEMBERS`].
pub const MAX_THRESHOLD: u8 = MAX_MEMBERS / 2 + 1;

/// A member's seat in its set: 1 to 32. It is the point at which polynomials are evaluated, so it
/// is never 0 and never changes during a ceremony.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct MemberIndex(u8);

impl MemberIndex {
	/// Seat `index`; [`Error::IndexOutOfRange`] unless it is 1 to [`MAX_MEMBERS`].
	pub const fn new(index: u8) -> Result<Self, Error> {
		match index {
			1..=MAX_MEMBERS => Ok(Self(index)),
			_ => Err(Error::IndexOutOfRange),
		}
	}

	/// The seat's number, 1 to 32.
	pub const fn get(self) -> u8 {
		self.0
	}

	pub(crate) fn scalar(self) -> Scalar {
		Scalar::from(self.0)
	}

	const fn bit(self) -> u32 {
		1 << (self.0 - 1)
	}
}

impl core::fmt::Display for MemberIndex {
	fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
		self.0.fmt(f)
	}
}

impl Decode for MemberIndex {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		Self::new(u8::decode(input)?).map_err(|_| "seat out of range".into())
	}
}

/// The size n of a set and with it the threshold t = ⌊n/2⌋ + 1: t members can use the key, t − 1
/// learn nothing of it.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Threshold {
	members: u8,
}

impl Threshold {
	/// The threshold of a set of `members` seats; [`Error::SizeOutOfRange`] unless
	/// [`MIN_MEMBERS`] ≤ `members` ≤ [`MAX_MEMBERS`].
	pub const fn of(members: u8) -> Result<Self, Error> {
		match members {
			MIN_MEMBERS..=MAX_MEMBERS => Ok(Self { members }),
			_ => Err(Error::SizeOutOfRange),
		}
	}

	/// Number of seats n.
	pub const fn members(self) -> u8 {
		self.members
	}

	/// Shares needed to use the key, t = ⌊n/2⌋ + 1, at most [`MAX_THRESHOLD`].
	pub const fn required(self) -> u8 {
		self.members / 2 + 1
	}

	/// All seats 1..=n.
	pub const fn seats(self) -> MemberSet {
		MemberSet(u32::MAX >> (MAX_MEMBERS - self.members))
	}
}

impl Decode for Threshold {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		Self::of(u8::decode(input)?).map_err(|_| "set size out of range".into())
	}
}

/// A set of seats, always in ascending order: bit `i - 1` stands for seat `i`.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct MemberSet(u32);

impl MemberSet {
	/// The set of no seats.
	pub const EMPTY: Self = Self(0);

	/// Is `index` in the set?
	pub const fn contains(self, index: MemberIndex) -> bool {
		self.0 & index.bit() != 0
	}

	/// Adds `index`; false if it was there.
	pub fn insert(&mut self, index: MemberIndex) -> bool {
		let new = !self.contains(index);
		self.0 |= index.bit();
		new
	}

	/// Removes `index`; false if it was not there.
	pub fn remove(&mut self, index: MemberIndex) -> bool {
		let old = self.contains(index);
		self.0 &= !index.bit();
		old
	}

	/// Number of seats, 0 to 32.
	pub const fn len(self) -> u8 {
		self.0.count_ones() as u8
	}

	/// No seats?
	pub const fn is_empty(self) -> bool {
		self.0 == 0
	}

	/// Are all seats of this set in `other`?
	pub const fn is_subset(self, other: Self) -> bool {
		self.0 & !other.0 == 0
	}

	/// The seats in this set that are not in `other`.
	pub const fn without(self, other: Self) -> Self {
		Self(self.0 & !other.0)
	}

	/// The lowest seat.
	pub const fn first(self) -> Option<MemberIndex> {
		match self.0 {
			0 => None,
			bits => Some(MemberIndex(bits.trailing_zeros() as u8 + 1)),
		}
	}

	/// The seats in ascending order.
	pub fn iter(self) -> impl Iterator<Item = MemberIndex> {
		core::iter::successors(self.first(), move |last| {
			// Clears the bits up to and including `last`; a shift by 32 leaves none.
			let above = u32::MAX.checked_shl(last.get().into()).unwrap_or(0);
			Self(self.0 & above).first()
		})
	}

	/// How many seats of the set come before `index`: its position if it is in the set.
	pub const fn position(self, index: MemberIndex) -> Option<usize> {
		match self.contains(index) {
			true => Some((self.0 & (index.bit() - 1)).count_ones() as usize),
			false => None,
		}
	}
}

impl FromIterator<MemberIndex> for MemberSet {
	fn from_iter<I: IntoIterator<Item = MemberIndex>>(seats: I) -> Self {
		let mut set = Self::EMPTY;
		for seat in seats {
			set.insert(seat);
		}
		set
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn threshold_is_a_strict_majority() {
		for n in 0..=u8::MAX {
			match Threshold::of(n) {
				Ok(threshold) => {
					assert!((2..=32).contains(&n));
					let t = threshold.required();
					assert!(2 * t > n && 2 * (t - 1) <= n && t <= MAX_THRESHOLD);
					assert_eq!(threshold.seats().len(), n);
					assert_eq!(threshold.seats().iter().last(), MemberIndex::new(n).ok());
				}
				Err(error) => {
					assert!(!(2..=32).contains(&n));
					assert_eq!(error, Error::SizeOutOfRange);
					assert!(Threshold::decode(&mut &[n][..]).is_err());
				}
			}
		}
	}

	proptest::proptest! {
		#[test]
		fn member_set_is_a_sorted_set(seats: std::collections::BTreeSet<u8>) {
			let seats: std::collections::BTreeSet<_> =
				seats.into_iter().filter_map(|seat| MemberIndex::new(seat % 40).ok()).collect();
			let set: MemberSet = seats.iter().copied().collect();
			assert!(set.iter().eq(seats.iter().copied()));
			assert_eq!(usize::from(set.len()), seats.len());
			for (position, seat) in seats.iter().enumerate() {
				assert_eq!(set.position(*seat), Some(position));
			}
		}
	}
}
