//! The performance score `P`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{BlockRef, Statement, WorkerKey};

/// `P` counts iterations of the benchmark per this many milliseconds.
pub const MILLIS_PER_SCORE_PERIOD: u64 = 6_000;

/// How many iterations of the benchmark's kernel a worker did, and in what time by its own clock.
///
/// The clock of a TEE is not to be trusted alone: the run starts at a block, so that a chain can
/// compare the stated time with its own.
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
pub struct BenchmarkStatement {
	/// Whose benchmark this is.
	pub worker: WorkerKey,
	/// The newest finalised block when the run began. It seeds the kernel.
	pub started_at: BlockRef,
	/// Iterations of the kernel.
	pub iterations: u64,
	/// Duration of the run, in milliseconds.
	pub elapsed_ms: u64,
}

impl Statement for BenchmarkStatement {
	const DOMAIN: &'static str = "phala/worker/benchmark/1";
}

impl BenchmarkStatement {
	/// `P`: iterations per 6 s, rounded down. `None` if no time elapsed or if the score exceeds `u64`.
	pub fn score(&self) -> Option<u64> {
		u128::from(self.iterations)
			.checked_mul(MILLIS_PER_SCORE_PERIOD.into())?
			.checked_div(self.elapsed_ms.into())?
			.try_into()
			.ok()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::ChainId;
	use proptest::prelude::*;
	use sp_core::{H256, Pair, sr25519};

	fn statement(iterations: u64, elapsed_ms: u64) -> BenchmarkStatement {
		BenchmarkStatement {
			worker: WorkerKey::default(),
			started_at: BlockRef { number: 7, hash: H256::repeat_byte(7) },
			iterations,
			elapsed_ms,
		}
	}

	#[test]
	fn score_counts_per_six_seconds_without_truncating_on_the_way() {
		assert_eq!(statement(1_000, 6_000).score(), Some(1_000));
		// Dividing first would give 999 / 60_000 = 0.
		assert_eq!(statement(999, 60_000).score(), Some(99));
		assert_eq!(statement(1, 0).score(), None);
		assert_eq!(statement(u64::MAX, 1).score(), None);
		assert_eq!(statement(u64::MAX, 6_000).score(), Some(u64::MAX));
	}

	proptest! {
		#[test]
		fn score_is_monotone(iterations: u64, elapsed in 1u64.., more: u64) {
			let score = statement(iterations, elapsed).score();
			let faster = statement(iterations.saturating_add(more), elapsed).score();
			let slower = statement(iterations, elapsed.saturating_add(more)).score();
			// `None` is beyond every number here.
			let key = |score: Option<u64>| score.map_or(u128::MAX, u128::from);
			prop_assert!(key(slower) <= key(score) && key(score) <= key(faster));
		}
	}

	#[test]
	fn signature_binds_chain_worker_and_every_field() {
		let key = sr25519::Pair::from_seed(&[1; 32]);
		let chain = ChainId { genesis: H256::repeat_byte(1), para_id: 2_035 };
		let stated = BenchmarkStatement { worker: key.public(), ..statement(10, 10) };
		let signature = stated.sign(&chain, &key);
		assert!(stated.is_signed_by(&chain, &key.public(), &signature));

		for other in [
			ChainId { genesis: H256::repeat_byte(2), ..chain },
			ChainId { para_id: 2_036, ..chain },
		] {
			assert!(!stated.is_signed_by(&other, &key.public(), &signature));
		}
		for changed in [
			BenchmarkStatement { iterations: 11, ..stated },
			BenchmarkStatement { elapsed_ms: 9, ..stated },
			BenchmarkStatement {
				started_at: BlockRef { number: 8, ..stated.started_at },
				..stated
			},
			BenchmarkStatement {
				started_at: BlockRef { hash: H256::zero(), ..stated.started_at },
				..stated
			},
			BenchmarkStatement { worker: WorkerKey::default(), ..stated },
		] {
			assert!(!changed.is_signed_by(&chain, &key.public(), &signature));
		}
		let other = sr25519::Pair::from_seed(&[2; 32]).public();
		assert!(!stated.is_signed_by(&chain, &other, &signature));
	}
}
