//! The newest block, before it is the best.
//!
//! A full node of a parachain calls a block its best only when the relay chain has included it, two
//! or three blocks after it was made. Who has to be quick cannot wait for that. So the node is asked
//! for every block that it imports, and the newest one that extends its best is followed.

use super::{Chain, ChainError, Config, failed};
use codec::Encode;
use phala_primitives::BlockRef;
use sp_core::H256;
use std::collections::VecDeque;
use subxt::{
	config::RpcConfigFor,
	rpcs::{RpcConfig, client::RpcSubscription},
};

/// Blocks that are remembered. The best is a handful behind.
const REMEMBERED: usize = 128;

/// A block, as its header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
	/// The block.
	pub block: BlockRef,
	/// Hash of the one before.
	pub parent: H256,
}

/// The blocks that were imported of late, on all forks.
#[derive(Clone, Debug, Default)]
pub struct Tips(VecDeque<Head>);

impl Tips {
	/// A block was imported.
	pub fn import(&mut self, head: Head) {
		if self.0.iter().any(|known| known.block == head.block) {
			return;
		}
		if self.0.len() >= REMEMBERED {
			self.0.pop_front();
		}
		self.0.push_back(head);
	}

	/// The highest block that extends `best`, of equals the one that was imported first; `best` itself
	/// if none is known to.
	pub fn tip(&self, best: BlockRef) -> BlockRef {
		let mut tip = best;
		for head in &self.0 {
			if head.block.number > tip.number && self.extends(*head, best) {
				tip = head.block;
			}
		}
		tip
	}

	/// Whether what is known of its ancestors leads to `best`. Each step is to a lower number.
	fn extends(&self, mut head: Head, best: BlockRef) -> bool {
		loop {
			match head.block.number.checked_sub(1) {
				Some(number) if number == best.number => return head.parent == best.hash,
				Some(number) if number > best.number => {
					let parent = BlockRef { number, hash: head.parent };
					let known = self.0.iter().find(|known| known.block == parent);
					let Some(known) = known else { return false };
					head = *known;
				}
				_ => return false,
			}
		}
	}
}

type Header = <RpcConfigFor<Config> as RpcConfig>::Header;

/// Blocks as the node imports them.
pub struct Heads(RpcSubscription<Header>);

impl Heads {
	/// The next one. `None`: the node tells no more, subscribe again. A hint, since what is missed is
	/// not told later.
	pub async fn next(&mut self) -> Option<Head> {
		let header: <Config as subxt::Config>::Header = self.0.next().await?.ok()?;
		let number = u32::try_from(header.number).ok()?;
		let hash = sp_crypto_hashing::blake2_256(&header.encode()).into();
		Some(Head { block: BlockRef { number, hash }, parent: header.parent_hash })
	}
}

impl Chain {
	/// Tells of every block that the node imports from now on.
	pub async fn heads(&self) -> Result<Heads, ChainError> {
		let heads = self.rpc.chain_subscribe_all_heads().await;
		Ok(Heads(heads.map_err(failed(&self.url))?))
	}

	/// The block that the node takes for the best.
	pub async fn best(&self) -> Result<BlockRef, ChainError> {
		let hash = self.rpc.chain_get_block_hash(None).await.map_err(failed(&self.url))?;
		let header = self.rpc.chain_get_header(hash).await.map_err(failed(&self.url))?;
		let (Some(hash), Some(header)) = (hash, header) else {
			return Err(self.nothing("best block"));
		};
		Ok(BlockRef { number: u32::try_from(header.number).unwrap_or(u32::MAX), hash })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Block `number` on fork `fork`.
	fn block(number: u32, fork: u64) -> BlockRef {
		BlockRef { number, hash: H256::from_low_u64_be(u64::from(number) * 100 + fork) }
	}

	fn head(number: u32, fork: u64, of: u64) -> Head {
		Head { block: block(number, fork), parent: block(number - 1, of).hash }
	}

	fn tips(heads: &[Head]) -> Tips {
		let mut tips = Tips::default();
		heads.iter().for_each(|head| tips.import(*head));
		tips
	}

	#[test]
	fn the_highest_block_that_extends_the_best_is_the_tip() {
		let known = tips(&[head(11, 1, 1), head(12, 1, 1), head(11, 2, 1), head(13, 1, 1)]);
		assert_eq!(known.tip(block(10, 1)), block(13, 1));
		assert_eq!(known.tip(block(12, 1)), block(13, 1));
		// The best is on the other fork, whose newest it is.
		assert_eq!(known.tip(block(11, 2)), block(11, 2));
		// The best is ahead of all that was told, or nothing leads to it.
		assert_eq!(known.tip(block(14, 1)), block(14, 1));
		assert_eq!(known.tip(block(8, 1)), block(8, 1));
		assert_eq!(Tips::default().tip(block(8, 1)), block(8, 1));
	}

	#[test]
	fn of_equals_the_first_counts() {
		let known = tips(&[head(11, 2, 1), head(11, 1, 1)]);
		assert_eq!(known.tip(block(10, 1)), block(11, 2));
		let known = tips(&[head(11, 2, 1), head(11, 1, 1), head(12, 1, 1)]);
		assert_eq!(known.tip(block(10, 1)), block(12, 1));
	}

	#[test]
	fn a_gap_is_not_crossed_and_memory_is_bounded() {
		let known = tips(&[head(11, 1, 1), head(13, 1, 1)]);
		assert_eq!(known.tip(block(10, 1)), block(11, 1));
		let many: Vec<_> = (1..1_000).map(|number| head(number, 1, 1)).collect();
		let known = tips(&[many.as_slice(), many.as_slice()].concat());
		assert_eq!(known.0.len(), REMEMBERED);
		assert_eq!(known.tip(block(990, 1)), block(999, 1));
	}
}
