//! Intel's security advisories, as TCB levels name them.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most distinct advisories in one document.
pub const MAX_ADVISORIES: u32 = 128;

/// Name of an advisory, such as `INTEL-SA-00615`: at most 32 bytes of printable ASCII.
#[derive(
	Clone,
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
pub struct AdvisoryId(BoundedVec<u8, ConstU32<32>>);

impl AdvisoryId {
	/// `None` if it is empty, too long, or not printable ASCII.
	pub fn new(name: &str) -> Option<Self> {
		(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
			.then(|| BoundedVec::try_from(name.as_bytes().to_vec()).ok().map(Self))
			.flatten()
	}

	/// The name.
	pub fn as_str(&self) -> &str {
		core::str::from_utf8(&self.0).unwrap_or_default()
	}
}

impl core::fmt::Display for AdvisoryId {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(self.as_str())
	}
}

impl core::fmt::Debug for AdvisoryId {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(self.as_str())
	}
}

/// A set of advisories out of a document's [`Advisories`]: bit `i` stands for the `i`-th.
#[derive(
	Clone,
	Copy,
	Default,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct AdvisorySet(u128);

/// The distinct advisories of a document. Levels repeat them often, so that each is kept once.
#[derive(
	Clone,
	Default,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Advisories(BoundedVec<AdvisoryId, ConstU32<MAX_ADVISORIES>>);

impl Advisories {
	/// Adds what is new and returns the set. `None` if there are too many or one is no valid name.
	pub(crate) fn intern(&mut self, names: &[&str]) -> Option<AdvisorySet> {
		let mut set = AdvisorySet::default();
		for name in names {
			let id = AdvisoryId::new(name)?;
			let index = match self.0.iter().position(|known| *known == id) {
				Some(index) => index,
				None => {
					self.0.try_push(id).ok()?;
					self.0.len().checked_sub(1)?
				}
			};
			set.0 |= 1u128.checked_shl(u32::try_from(index).ok()?)?;
		}
		Some(set)
	}

	/// The names of a set.
	pub fn of(&self, set: AdvisorySet) -> Vec<AdvisoryId> {
		(0u32..)
			.zip(&self.0)
			.filter(|(index, _)| set.0.checked_shr(*index).is_some_and(|bits| bits & 1 == 1))
			.map(|(_, id)| id.clone())
			.collect()
	}
}
