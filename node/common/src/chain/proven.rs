//! State that is proven to be in a block.
//!
//! A value comes with the nodes of the state trie on the way to it. Their hashes lead to the state
//! root in the block's header, and the header's hash is the block's. So of everything that a node
//! says about a block's state only one thing is believed: that the block is final.

use super::{Chain, ChainError, Config, failed, item::Reader};
use codec::Encode;
use phala_primitives::BlockRef;
use sp_core::{Blake2Hasher, H256};
use sp_state_machine::{StorageProof, read_proof_check};
use std::sync::Arc;
use subxt::{config::RpcConfigFor, rpcs::LegacyRpcMethods};

/// Addresses of one request: keeps answers far below the limits of connections.
const BATCH: usize = 256;

/// The state after a block.
#[derive(Clone)]
pub struct Proven {
	url: Arc<str>,
	rpc: Rpc,
	/// The block.
	pub block: BlockRef,
	/// Its header in SCALE, of which `block.hash` is the hash.
	pub header: Vec<u8>,
	root: H256,
}

type Rpc = LegacyRpcMethods<RpcConfigFor<Config>>;

impl Chain {
	/// Hash of the newest finalised block that the node knows.
	pub async fn finalised_hash(&self) -> Result<H256, ChainError> {
		self.rpc.chain_get_finalized_head().await.map_err(failed(&self.url))
	}

	/// Hash of the block at a height of the node's best chain; below a finalised block it is final.
	/// `None` if the node has no such block.
	pub async fn hash_at(&self, number: u32) -> Result<Option<H256>, ChainError> {
		let hash = self.rpc.chain_get_block_hash(Some(number.into())).await;
		hash.map_err(failed(&self.url))
	}

	/// The state after a block, for reading with proofs.
	pub async fn proven(&self, hash: H256) -> Result<Proven, ChainError> {
		prove(&self.url, &self.rpc, hash).await
	}

	/// Whether the node has this block.
	pub async fn has(&self, hash: H256) -> Result<bool, ChainError> {
		let header = self.rpc.chain_get_header(Some(hash)).await.map_err(failed(&self.url))?;
		Ok(header.is_some())
	}
}

/// Header and state of a block, from a node.
pub(super) async fn prove(url: &Arc<str>, rpc: &Rpc, hash: H256) -> Result<Proven, ChainError> {
	let untrue = |what: &str| untrue(url, format!("{what} of block {hash:?}"));
	let header = rpc.chain_get_header(Some(hash)).await.map_err(failed(url))?;
	let header = header.ok_or_else(|| untrue("no header"))?;
	let encoded = header.encode();
	if sp_crypto_hashing::blake2_256(&encoded) != hash.0 {
		return Err(untrue("another header"));
	}
	let number = u32::try_from(header.number).map_err(|_| untrue("a height beyond 32 bits"))?;
	let (block, root) = (BlockRef { number, hash }, header.state_root);
	Ok(Proven { url: url.clone(), rpc: rpc.clone(), block, header: encoded, root })
}

fn untrue(url: &str, what: String) -> ChainError {
	ChainError::Untrue { url: url.into(), what }
}

/// The values that a proof has at these addresses, of which some may be the same.
fn check(
	root: H256,
	proof: Vec<Vec<u8>>,
	keys: &[Vec<u8>],
) -> Result<Vec<Option<Vec<u8>>>, String> {
	let values = read_proof_check::<Blake2Hasher, _>(root, StorageProof::new(proof), keys)
		.map_err(|error| error.to_string())?;
	Ok(keys.iter().map(|key| values.get(key).cloned().flatten()).collect())
}

impl Reader for Proven {
	type Error = ChainError;

	async fn read(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, ChainError> {
		let mut values = Vec::with_capacity(keys.len());
		for keys in keys.chunks(BATCH) {
			let wanted = keys.iter().map(Vec::as_slice);
			let proof = self.rpc.state_get_read_proof(wanted, Some(self.block.hash)).await;
			let proof = proof.map_err(failed(&self.url))?.proof;
			let proof = proof.into_iter().map(|node| node.0).collect();
			values.extend(
				check(self.root, proof, keys).map_err(|cause| {
					untrue(&self.url, format!("a wrong proof of state ({cause})"))
				})?,
			);
		}
		Ok(values)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_core::storage::StateVersion;
	use sp_state_machine::{InMemoryBackend, prove_read};

	fn key(number: u8) -> Vec<u8> {
		vec![number, 7, 7]
	}

	#[test]
	fn only_what_the_root_commits_to_is_believed() {
		let entries = (0..100).map(|number| (key(number), Some(vec![number; 60])));
		let backend = InMemoryBackend::<Blake2Hasher>::from((
			sp_core::storage::Storage::default(),
			StateVersion::V1,
		));
		let backend = backend.update(vec![(None, entries.collect())], StateVersion::V1);
		let root = *backend.root();
		let wanted = [key(3), key(200), key(99)];
		let proof = prove_read(backend, &wanted).unwrap();
		let nodes: Vec<_> = proof.into_iter_nodes().collect();
		let expected = vec![Some(vec![3; 60]), None, Some(vec![99; 60])];
		assert_eq!(check(root, nodes.clone(), &wanted).unwrap(), expected);

		// The same address twice has its value twice.
		let twice = [key(3), key(99), key(3)];
		let expected = [3, 99, 3].map(|number| Some(vec![number; 60]));
		assert_eq!(check(root, nodes.clone(), &twice).unwrap(), expected);

		// Another root, a node that is missing or changed, an address that was not asked for.
		assert!(check(H256::repeat_byte(1), nodes.clone(), &wanted).is_err());
		for at in 0..nodes.len() {
			let mut fewer = nodes.clone();
			fewer.remove(at);
			assert!(check(root, fewer, &wanted).is_err(), "without node {at}");
			let mut bent = nodes.clone();
			bent[at][0] ^= 1;
			assert!(check(root, bent, &wanted).is_err(), "with node {at} bent");
		}
		assert!(check(root, nodes, &[key(50)]).is_err());
	}
}
