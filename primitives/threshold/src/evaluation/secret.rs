//! Combining partial evaluations to a cluster's secret, or to a guard.

use alloc::collections::BTreeMap;

use codec::Encode;
use curve25519_dalek::{RistrettoPoint, traits::VartimeMultiscalarMul};
use hkdf::Hkdf;
use sha2_0_10::{Digest, Sha512};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Blind, Input, Partial, Request};
use crate::{Element, Error, MemberIndex, MemberSet, PROTOCOL, Sharing, lagrange};

/// A secret with the members whose answers were false.
#[derive(Debug)]
pub struct Combined<S = ClusterSecret> {
	/// The secret. It is the same whichever members answered.
	pub secret: S,
	/// Members whose partial did not verify. The chain refuses such partials; whoever fetched them
	/// elsewhere knows now who lies.
	pub faulty: MemberSet,
}

/// What all keys of a cluster in one epoch derive from: the output of RFC 9497, 64 bytes. Wiped
/// when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ClusterSecret([u8; 64]);

/// A second key that seals one member's share: HKDF-SHA-512 of the output of RFC 9497, 32 bytes. Wiped
/// when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Guard([u8; 32]);

impl Blind {
	/// Verifies the partials that answer `request`, combines t good ones and unblinds the result.
	/// [`Error::NotEnoughPartials`] if fewer are good; [`Error::InvalidRequest`] if something else than
	/// a cluster's key was asked.
	pub fn combine(
		&self,
		request: &Request,
		sharing: &Sharing,
		partials: &BTreeMap<MemberIndex, Partial>,
	) -> Result<Combined, Error> {
		match self.inquiry().input {
			Input::Cluster(_) => self.open(request, sharing, partials),
			Input::Guard(_) => Err(Error::InvalidRequest),
		}
	}

	/// As [`combine`](Self::combine), if a guard was asked.
	pub fn combine_guard(
		&self,
		request: &Request,
		sharing: &Sharing,
		partials: &BTreeMap<MemberIndex, Partial>,
	) -> Result<Combined<Guard>, Error> {
		match self.inquiry().input {
			Input::Cluster(_) => Err(Error::InvalidRequest),
			Input::Guard(_) => {
				let Combined { secret, faulty } = self.open(request, sharing, partials)?;
				Ok(Combined { secret: Guard::of(&secret), faulty })
			}
		}
	}

	fn open(
		&self,
		request: &Request,
		sharing: &Sharing,
		partials: &BTreeMap<MemberIndex, Partial>,
	) -> Result<Combined, Error> {
		let inquiry = self.inquiry();
		if *sharing.public_key() != inquiry.public_key {
			return Err(Error::PublicKeyChanged);
		}
		if self.secret().times(&inquiry.input.point()?)? != request.blinded {
			return Err(Error::InvalidRequest);
		}
		let required = usize::from(sharing.size().required());
		let (mut good, mut faulty) = (BTreeMap::new(), MemberSet::EMPTY);
		for (member, partial) in partials {
			if good.len() == required {
				break;
			}
			let verified = sharing.verification_share(*member).and_then(|share| {
				partial.verify(sharing.ceremony(), *member, &share, inquiry, request)
			});
			match verified {
				Ok(()) => _ = good.insert(*member, partial.value),
				Err(_) => _ = faulty.insert(*member),
			}
		}
		if good.len() < required {
			return Err(Error::NotEnoughPartials);
		}
		Ok(Combined { secret: self.finalise(&interpolate(&good)?)?, faulty })
	}

	/// `Finalize` of RFC 9497 §3.3.2.
	fn finalise(&self, evaluated: &Element) -> Result<ClusterSecret, Error> {
		let inverse = Zeroizing::new(self.secret().scalar().invert());
		let unblinded = Zeroizing::new((evaluated.point() * *inverse).compress());
		Ok(ClusterSecret::hash(&self.inquiry().input.bytes(), unblinded.as_bytes()))
	}
}

/// The blinded point times the shared key, from its multiples by t shares.
fn interpolate(values: &BTreeMap<MemberIndex, Element>) -> Result<Element, Error> {
	let members: MemberSet = values.keys().copied().collect();
	// Partials are public, and so are the factors: this needs no constant time.
	RistrettoPoint::vartime_multiscalar_mul(
		values.keys().map(|member| lagrange::coefficient(members, *member)),
		values.values().map(Element::point),
	)
	.try_into()
}

impl ClusterSecret {
	fn hash(input: &[u8], unblinded: &[u8; 32]) -> Self {
		let mut hash = Sha512::new();
		for part in [input, unblinded] {
			// Inputs have a fixed length far below 64 KiB.
			hash.update((part.len() as u16).to_be_bytes());
			hash.update(part);
		}
		hash.update(b"Finalize");
		Self(hash.finalize().into())
	}

	/// A key for one purpose: HKDF-SHA-512 with the purpose as info. Keys of different purposes say
	/// nothing about each other or the secret.
	pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
		self.expand(&("cluster key", purpose).encode())
	}

	fn expand(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
		let mut key = Zeroizing::new([0; 32]);
		let expanded =
			Hkdf::<Sha512>::new(Some(PROTOCOL.as_bytes()), &self.0).expand(info, &mut *key);
		debug_assert!(expanded.is_ok(), "32 bytes are less than one block");
		key
	}
}

impl Guard {
	fn of(secret: &ClusterSecret) -> Self {
		Self(*secret.expand(&"guard".encode()))
	}

	/// The key, to be mixed with that of the TEE. Without that one it opens nothing.
	pub const fn as_bytes(&self) -> &[u8; 32] {
		&self.0
	}
}

impl core::fmt::Debug for Guard {
	fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
		f.write_str("Guard")
	}
}

impl core::fmt::Debug for ClusterSecret {
	fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
		f.write_str("ClusterSecret")
	}
}

#[cfg(test)]
mod tests;
