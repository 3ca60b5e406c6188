//! Following the relay chain's finality over nodes that are not believed.
//!
//! Sets of validators that ended are caught up with by `grandpa_proveFinality`: nodes keep the
//! justification of each set's last block. Of other blocks they keep few, so the newest ones are heard of
//! by subscription. Nothing waits without a limit, and whatever fails is tried with the next node.

use crate::client::{
	Header, Justification, TrustError, Trusted, checkpoint_keys, para_head, para_head_key,
};
use codec::{Decode, DecodeAll};
use phala_node_common::chain::{
	ChainError, Node, Reader,
	subxt::rpcs::{client::RpcSubscription, methods::legacy::Bytes},
};
use phala_primitives::BlockRef;
use sp_core::H256;
use std::{collections::VecDeque, time::Duration};
use tokio::time::{Instant, timeout};

/// Largest justification that is looked at.
const MAX_JUSTIFICATION: usize = 8 * 1024 * 1024;
/// Longest time without a justification before the node is left for another.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the first justification of a connection is waited for.
const FIRST: Duration = Duration::from_secs(20);
/// Most justifications that are taken from a subscription at once.
const BURST: usize = 4_096;
/// Of them, those that are looked at: several times as many as come between two looks.
const KEPT: usize = 64;
/// Sets that are caught up with at once: more than six years of them at four hours each.
const MAX_SETS: usize = 16_384;
/// What nodes say of a block that is not final for them yet.
const NOT_YET: &str = "not yet finalized";

/// Why it is not known what is final.
#[derive(Debug, thiserror::Error)]
pub enum FinalityError {
	/// The node.
	#[error("relay chain: {0}")]
	Chain(#[from] ChainError),
	/// What it gave is not believed.
	#[error("relay chain, {url}: {cause}")]
	Trust {
		/// The node.
		url: String,
		/// Why.
		cause: TrustError,
	},
	/// It is a node of another chain.
	#[error(
		"{url} is of the relay chain {theirs:?}, and the one that was followed is {ours:?}: correct \
		 relay-url. If the parachain moved to another relay chain, move relay.sealed away"
	)]
	OtherChain {
		/// The node.
		url: String,
		/// The chain that is trusted.
		ours: H256,
		/// The node's.
		theirs: H256,
	},
	/// The node does not have the justifications of old sets.
	#[error(
		"{url} does not prove what became final after block {number} ({reason}): give a node as \
		 relay-url that was not synchronised by warp, or begin again at a new relay-checkpoint"
	)]
	NoProof {
		/// The node.
		url: String,
		/// The newest block that is trusted.
		number: u32,
		/// What the node said.
		reason: String,
	},
	/// The node tells of no final blocks.
	#[error(
		"{url} told of no final block for {seconds} seconds: is it synchronised, and is the relay chain \
		 final? Another relay-url is tried, if there is one"
	)]
	Silent {
		/// The node.
		url: String,
		/// For how long.
		seconds: u64,
	},
	/// No node.
	#[error("there is no node of the relay chain: give relay-url")]
	NoNode,
}

impl FinalityError {
	/// Whether it is explained by a set that is not known yet.
	fn is_of_set(&self) -> bool {
		let Self::Trust { cause, .. } = self else { return false };
		matches!(cause, TrustError::Unsigned { .. } | TrustError::TooLarge { .. })
	}
}

/// A block of the parachain that is proven to be final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParaHead {
	/// The relay chain's final block whose state has it.
	pub relay: BlockRef,
	/// The parachain's block.
	pub block: BlockRef,
}

/// A connection to a node, and what it tells.
struct Link {
	node: Node,
	/// Hash of its chain's block 0.
	genesis: H256,
	/// Whether sets that ended before it was connected are known.
	caught_up: bool,
	told: RpcSubscription<Bytes>,
	/// When it told something last.
	at: Instant,
	/// Whether its first justification came, or was waited for in vain.
	spoke: bool,
}

impl Link {
	async fn connect(url: &str) -> Result<Self, ChainError> {
		Self::over(Node::connect(url).await?).await
	}

	async fn over(node: Node) -> Result<Self, ChainError> {
		let genesis = node.genesis().await?;
		let told = node
			.subscribe("grandpa_subscribeJustifications", "grandpa_unsubscribeJustifications")
			.await?;
		Ok(Self { node, genesis, caught_up: false, told, at: Instant::now(), spoke: false })
	}

	fn url(&self) -> String {
		self.node.url().into()
	}

	fn distrust(&self, cause: TrustError) -> FinalityError {
		FinalityError::Trust { url: self.url(), cause }
	}

	/// The last justifications that were told since the last call, oldest first. Waits for the first.
	async fn heard(&mut self) -> Result<VecDeque<Vec<u8>>, FinalityError> {
		let mut told = VecDeque::new();
		let mut patience = if self.spoke { Duration::ZERO } else { FIRST };
		for _ in 0..BURST {
			let Ok(item) = timeout(patience, self.told.next()).await else { break };
			let Some(Ok(bytes)) = item else { return Err(self.silent()) };
			(self.at, patience) = (Instant::now(), Duration::ZERO);
			told.push_back(bytes.0);
			if told.len() > KEPT {
				told.pop_front();
			}
		}
		self.spoke = true;
		if told.is_empty() && self.at.elapsed() > SILENCE {
			return Err(self.silent());
		}
		Ok(told)
	}

	fn silent(&self) -> FinalityError {
		FinalityError::Silent { url: self.url(), seconds: self.at.elapsed().as_secs() }
	}

	fn decode(&self, bytes: &[u8]) -> Result<Justification, ChainError> {
		if bytes.len() > MAX_JUSTIFICATION {
			return Err(self.node.untrue("a justification that is too large"));
		}
		Justification::decode_all(&mut &bytes[..])
			.map_err(|_| self.node.untrue("what is no justification of a final block"))
	}

	/// The justification of the last block of the set that finalised block `number`, if that set has
	/// ended; otherwise the newest one that the node keeps, if any. The inner error is why the node has none.
	async fn prove(
		&self,
		number: u32,
	) -> Result<Result<Option<Justification>, String>, ChainError> {
		let answer = self.node.call("grandpa_proveFinality", number).await?;
		let proof: Option<Bytes> = match answer {
			Ok(proof) => proof,
			Err(reason) if reason.contains(NOT_YET) => None,
			Err(reason) => return Ok(Err(reason)),
		};
		let Some(proof) = proof else { return Ok(Ok(None)) };
		// Headers of the blocks between follow, which nobody needs who believes the signatures.
		let (_, justification) = <(H256, Vec<u8>)>::decode(&mut &proof.0[..])
			.map_err(|_| self.node.untrue("what is no proof of finality"))?;
		Ok(Ok(Some(self.decode(&justification)?)))
	}

	/// Believes the block of a justification.
	async fn advance(
		&self,
		trusted: &mut Trusted,
		justification: &Justification,
	) -> Result<(), FinalityError> {
		let header = self.node.proven(justification.commit.target_hash).await?.header;
		let header = Header::decode_all(&mut &header[..])
			.map_err(|_| self.node.untrue("a header that is none of a relay chain"))?;
		trusted.advance(justification, &header).map_err(|cause| self.distrust(cause))
	}

	/// Believes the block of what was told, if it is newer.
	async fn take(&self, trusted: &mut Trusted, bytes: &[u8]) -> Result<(), FinalityError> {
		let justification = self.decode(bytes)?;
		if justification.commit.target_number <= trusted.block.number {
			return Ok(());
		}
		self.advance(trusted, &justification).await
	}

	/// Believes the ends of all sets that have ended. Returns why the node cannot prove them, if so: none
	/// may have ended yet, or it was synchronised by warp.
	async fn catch_up(&self, trusted: &mut Trusted) -> Result<Option<String>, FinalityError> {
		for _ in 0..MAX_SETS {
			let number = trusted.block.number.saturating_add(1);
			match self.prove(number).await? {
				Ok(Some(found)) if found.commit.target_number > trusted.block.number => {
					self.advance(trusted, &found).await?;
				}
				Ok(_) => break,
				Err(reason) => return Ok(Some(reason)),
			}
		}
		Ok(None)
	}

	/// Believes the newest block that the node tells of.
	async fn follow(&mut self, trusted: &mut Trusted) -> Result<(), FinalityError> {
		let mut told = self.heard().await?;
		let Some(newest) = told.pop_back() else { return Ok(()) };
		match self.take(trusted, &newest).await {
			Err(error) if error.is_of_set() => {}
			taken => return taken,
		}
		// It may be signed by a later set. Where the one before ended was told, too, or is proven.
		for earlier in &told {
			match self.take(trusted, earlier).await {
				Err(error) if !error.is_of_set() => return Err(error),
				_ => {}
			}
		}
		let refusal = self.catch_up(trusted).await?;
		match (self.take(trusted, &newest).await, refusal) {
			(Err(error), Some(reason)) if error.is_of_set() => {
				let number = trusted.block.number;
				Err(FinalityError::NoProof { url: self.url(), number, reason })
			}
			(taken, _) => taken,
		}
	}

	/// Trust that begins at a block: at `checkpoint`, or where the node says.
	async fn begin(&self, checkpoint: Option<H256>) -> Result<Trusted, FinalityError> {
		let hash = match checkpoint {
			Some(hash) => hash,
			None => self.node.finalised_hash().await?,
		};
		let mut state = self.node.proven(hash).await?;
		let stored = state.read(&checkpoint_keys()).await?;
		Trusted::at_checkpoint(self.genesis, state.block, stored)
			.map_err(|cause| self.distrust(cause))
	}

	/// The parachain's newest block in the state after a block.
	async fn head(&self, relay: BlockRef, para_id: u32) -> Result<ParaHead, FinalityError> {
		let mut state = self.node.proven(relay.hash).await?;
		let stored = state.read(&[para_head_key(para_id)]).await?.pop().flatten();
		let block = para_head(para_id, stored).map_err(|cause| self.distrust(cause))?;
		Ok(ParaHead { relay, block })
	}
}

/// The relay chain's finality.
pub struct Relay {
	urls: Vec<String>,
	/// How often a node was chosen.
	turn: usize,
	para_id: u32,
	checkpoint: Option<H256>,
	trusted: Option<Trusted>,
	link: Option<Link>,
	head: Option<ParaHead>,
}

impl Relay {
	/// Over these nodes, of which one at a time is used. Trust goes on from `trusted`; without it, it
	/// begins at `checkpoint`, the hash of a final block; without that, where the node says.
	pub fn new(
		urls: &[String],
		para_id: u32,
		checkpoint: Option<H256>,
		trusted: Option<Trusted>,
	) -> Self {
		let urls = urls.to_vec();
		Self { urls, turn: 0, para_id, checkpoint, trusted, link: None, head: None }
	}

	/// What is believed of the relay chain; `None` before the first [`Self::head`].
	pub fn trusted(&self) -> Option<&Trusted> {
		self.trusted.as_ref()
	}

	/// The newest block of the parachain that is proven to be final. Never one before an earlier answer.
	pub async fn head(&mut self) -> Result<ParaHead, FinalityError> {
		// Put back when all went well: after a failure the next node is asked.
		let mut link = match self.link.take() {
			Some(link) => link,
			None => self.connect().await?,
		};
		let genesis = link.genesis;
		let trusted = match &mut self.trusted {
			Some(trusted) if trusted.genesis == genesis => trusted,
			Some(trusted) => {
				let ours = trusted.genesis;
				return Err(FinalityError::OtherChain { url: link.url(), ours, theirs: genesis });
			}
			none => none.insert(link.begin(self.checkpoint).await?),
		};
		if !link.caught_up {
			link.catch_up(trusted).await?;
			link.caught_up = true;
		}
		link.follow(trusted).await?;
		let head = match self.head {
			Some(head) if head.relay == trusted.block => head,
			_ => link.head(trusted.block, self.para_id).await?,
		};
		(self.head, self.link) = (Some(head), Some(link));
		Ok(head)
	}

	/// A connection to the next node.
	async fn connect(&mut self) -> Result<Link, FinalityError> {
		let at = self.turn.checked_rem(self.urls.len()).ok_or(FinalityError::NoNode)?;
		self.turn = self.turn.wrapping_add(1);
		let url = self.urls.get(at).ok_or(FinalityError::NoNode)?;
		Ok(Link::connect(url).await?)
	}
}

#[cfg(test)]
mod tests;
