//! Clusters of workers.

use codec::Encode;
use sp_runtime::traits::{BlakeTwo256, Hash};

use crate::ClusterId;

/// The cluster that all workers of an operator are in: those of one owner trust each other already.
pub fn operator_cluster<AccountId: Encode>(operator: &AccountId) -> ClusterId {
	BlakeTwo256::hash_of(&("phala/cluster/operator/1", operator)).0
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_id_is_a_hash_of_the_operator() {
		// A text in SCALE: four times its length, then its bytes.
		let preimage = [&b"\x60phala/cluster/operator/1"[..], &[7; 32]].concat();
		assert_eq!(operator_cluster(&[7u8; 32]), BlakeTwo256::hash(&preimage).0);
		assert_ne!(operator_cluster(&[7u8; 32]), operator_cluster(&[8u8; 32]));
	}
}
