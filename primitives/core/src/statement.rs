//! Statements: what a worker's program signs outside of transactions.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

#[cfg(feature = "std")]
use {
	crate::{WorkerKey, WorkerSignature},
	sp_core::{Pair, sr25519},
};

/// The chain for which something is signed. A copy of the chain, with another genesis or under
/// another para id, is another one.
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
pub struct ChainId {
	/// Hash of the parachain's block 0.
	pub genesis: H256,
	/// Id of the parachain on its relay chain.
	pub para_id: u32,
}

/// A block of the parachain. A statement that names one was not made before it.
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
pub struct BlockRef {
	/// Height.
	pub number: u32,
	/// Hash of the header.
	pub hash: H256,
}

/// Something that a worker's identity key states, for one chain and one purpose.
pub trait Statement: Encode {
	/// Separates this kind of statement from all others.
	const DOMAIN: &'static str;

	/// The bytes that are signed: SCALE of ([`Self::DOMAIN`], chain, statement).
	fn message(&self, chain: &ChainId) -> Vec<u8> {
		(Self::DOMAIN, chain, self).encode()
	}

	/// Signs, inside the TEE.
	#[cfg(feature = "std")]
	fn sign(&self, chain: &ChainId, key: &sr25519::Pair) -> WorkerSignature {
		key.sign(&self.message(chain))
	}

	/// Whether `worker` stated this for `chain`. A runtime asks its host instead.
	#[cfg(feature = "std")]
	fn is_signed_by(&self, chain: &ChainId, worker: &WorkerKey, by: &WorkerSignature) -> bool {
		sr25519::Pair::verify(by, self.message(chain), worker)
	}
}
