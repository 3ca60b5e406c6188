//! A worker's answer to a challenge.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{BlockRef, Statement, WorkerKey};

/// That a worker computes, and how fast: signed inside the TEE in answer to a challenge.
///
/// The hash of the challenge's block seeds the kernel, so that nothing can be computed ahead; the chain
/// measures the time from that block to the one that includes the answer.
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
pub struct HeartbeatStatement {
	/// Who answers.
	pub worker: WorkerKey,
	/// Number of its session.
	pub session: u64,
	/// The parachain's block that asked. Its hash seeds the kernel.
	pub challenge: BlockRef,
	/// Iterations of the kernel since then.
	pub iterations: u64,
}

impl Statement for HeartbeatStatement {
	const DOMAIN: &'static str = "phala/worker/heartbeat/1";
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{BenchmarkStatement, ChainId};
	use sp_core::{H256, Pair, sr25519};

	#[test]
	fn signature_binds_chain_worker_session_challenge_and_count() {
		let key = sr25519::Pair::from_seed(&[1; 32]);
		let chain = ChainId { genesis: H256::repeat_byte(1), para_id: 2_035 };
		let stated = HeartbeatStatement {
			worker: key.public(),
			session: 4,
			challenge: BlockRef { number: 7, hash: H256::repeat_byte(7) },
			iterations: 1_000,
		};
		let signature = stated.sign(&chain, &key);
		assert!(stated.is_signed_by(&chain, &key.public(), &signature));
		for other in [
			ChainId { genesis: H256::repeat_byte(2), ..chain },
			ChainId { para_id: 2_036, ..chain },
		] {
			assert!(!stated.is_signed_by(&other, &key.public(), &signature));
		}
		for changed in [
			HeartbeatStatement { worker: WorkerKey::default(), ..stated },
			HeartbeatStatement { session: 5, ..stated },
			HeartbeatStatement { challenge: BlockRef { number: 8, ..stated.challenge }, ..stated },
			HeartbeatStatement {
				challenge: BlockRef { hash: H256::zero(), ..stated.challenge },
				..stated
			},
			HeartbeatStatement { iterations: 1_001, ..stated },
		] {
			assert!(!changed.is_signed_by(&chain, &key.public(), &signature));
		}
		// What is signed for one purpose is worth nothing for another.
		assert_ne!(HeartbeatStatement::DOMAIN, BenchmarkStatement::DOMAIN);
	}
}
