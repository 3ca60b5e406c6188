//! Following the relay chain's finality over nodes that are not believed.
//!
//! Sets of validators that ended are caught up with by `grandpa_proveFinality`: nodes keep the
//! justification of each set's last block. Of other blocks they keep few, so the newest ones are heard of
//! by subscription. Nothing waits without a limit, and whatever fails is tried with the next node. A node
//! that talks without telling of newer blocks is silent: it could repeat an old truth for ever.

use crate::client::{
	Header, Justification, TrustError, Trusted, checkpoint_keys, para_head, para_head_key, time,
	time_key,
};
use codec::{Decode, DecodeAll};
use phala_node_common::chain::{
	ChainError, Node, Reader,
	subxt::rpcs::{client::RpcSubscription, methods::legacy::Bytes},
};
use phala_primitives::BlockRef;
use sp_core::H256;
use std::{
	collections::VecDeque,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{Instant, timeout};

/// Largest justification that is looked at: that of a thousand validators has a seventh of it.
const MAX_JUSTIFICATION: usize = 1024 * 1024;
/// Longest time without a newer final block before the node is left for another.
const SILENCE: Duration = Duration::from_secs(60);
/// Longest time to find the newest final block.
const LIMIT: Duration = Duration::from_secs(120);
/// How long the first justification of a connection is waited for.
const FIRST: Duration = Duration::from_secs(20);
/// Most justifications that are taken from a subscription at once: several times as many as come between
/// two looks.
const BURST: usize = 64;
/// Most bytes of them that are looked at.
const KEPT: usize = 8 * 1024 * 1024;
/// Most of them that may be wrongly signed before the rest is passed over.
const FAILURES: usize = 3;
/// How far after the trusted block the end of its set is looked for. All blocks of a set have the same
/// proof of finality, but for the headers up to the end, which nodes add: 9 MB of them for the first block
/// of a set that lasts an era of Polkadot (24 hours), and too many for any connection after a day and a
/// half. So a late block is asked for first. One beyond the end is proven by a set that is not known.
const STEPS: [u32; 5] = [8_192, 1_024, 128, 16, 1];
/// What nodes say of a block that is not final for them yet.
const NOT_YET: &str = "not yet finalized";
/// What an answer without a proof means.
const NO_JUSTIFICATION: &str = "it did not keep the justification";

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
		 relay-url. If the parachain moved to another relay chain, give a relay-checkpoint of that"
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
	/// The node tells of no newer final blocks.
	#[error(
		"{url} told of no newer final block for {seconds} seconds: is it synchronised, and is the relay \
		 chain final? Another relay-url is tried, if there is one"
	)]
	Silent {
		/// The node.
		url: String,
		/// For how long.
		seconds: u64,
	},
	/// The node tells nothing any more.
	#[error(
		"{url} ended the subscription to final blocks, or told more than can be kept up with. Another \
		 relay-url is tried, if there is one"
	)]
	Ended {
		/// The node.
		url: String,
	},
	/// The node takes too long.
	#[error(
		"{url} did not show within {} seconds what is final. What it proved by then stays; another \
		 relay-url is tried, if there is one",
		LIMIT.as_secs()
	)]
	Slow {
		/// The node.
		url: String,
	},
	/// What is trusted cannot be gone on from.
	#[error("relay chain: {0}")]
	Aged(TrustError),
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
	/// When it was connected, or a newer block became final by it.
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

	/// Fails if trust is of another chain than the node's, or too old.
	///
	/// The node's word on its chain is believed no further: signatures show the same, but do not say what
	/// to mend.
	fn check(&self, trusted: &Trusted) -> Result<(), FinalityError> {
		let (ours, theirs) = (trusted.genesis, self.genesis);
		if ours != theirs {
			return Err(FinalityError::OtherChain { url: self.url(), ours, theirs });
		}
		let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
		trusted.ensure_young(now).map_err(FinalityError::Aged)
	}

	/// The last justifications that were told since the last call, oldest first. Waits for the first.
	async fn heard(&mut self) -> Result<VecDeque<Vec<u8>>, FinalityError> {
		let (mut told, mut size) = (VecDeque::<Vec<u8>>::new(), 0_usize);
		let mut patience = if self.spoke { Duration::ZERO } else { FIRST };
		for _ in 0..BURST {
			let Ok(item) = timeout(patience, self.told.next()).await else { break };
			let Some(Ok(bytes)) = item else {
				if told.is_empty() {
					return Err(FinalityError::Ended { url: self.url() });
				}
				// It is noticed the next time, if nothing is told before.
				break;
			};
			patience = Duration::ZERO;
			size = size.saturating_add(bytes.0.len());
			told.push_back(bytes.0);
			while size > KEPT {
				let oldest = told.pop_front().map_or(size, |oldest| oldest.len());
				size = size.saturating_sub(oldest);
			}
		}
		self.spoke = true;
		Ok(told)
	}

	fn decode(&self, bytes: &[u8]) -> Result<Justification, ChainError> {
		if bytes.len() > MAX_JUSTIFICATION {
			return Err(self.node.untrue("a justification that is too large"));
		}
		Justification::decode_all(&mut &bytes[..])
			.map_err(|_| self.node.untrue("what is no justification of a final block"))
	}

	/// The justification of the last block of the set that finalised block `number`, if that set has
	/// ended; otherwise the newest one that the node keeps. `None` if the block is not final for the node
	/// yet. The inner error is why it has none.
	async fn prove(
		&self,
		number: u32,
	) -> Result<Result<Option<Justification>, String>, ChainError> {
		let answer: Result<Option<Bytes>, String> =
			self.node.call("grandpa_proveFinality", number).await?;
		let proof = match answer {
			Ok(Some(proof)) => proof,
			Ok(None) => return Ok(Err(NO_JUSTIFICATION.into())),
			Err(reason) if reason.contains(NOT_YET) => return Ok(Ok(None)),
			Err(reason) => return Ok(Err(reason)),
		};
		// Headers of the blocks between follow, which nobody needs who believes the signatures.
		let (_, justification) = <(H256, Vec<u8>)>::decode(&mut &proof.0[..])
			.map_err(|_| self.node.untrue("what is no proof of finality"))?;
		Ok(Ok(Some(self.decode(&justification)?)))
	}

	/// Believes the block of a justification, if it is newer.
	async fn advance(
		&self,
		trusted: &mut Trusted,
		justification: Justification,
	) -> Result<(), FinalityError> {
		if justification.commit.target_number <= trusted.block.number {
			return Ok(());
		}
		let header = self.node.proven(justification.commit.target_hash).await?.header;
		let header = Header::decode_all(&mut &header[..])
			.map_err(|_| self.node.untrue("a header that is none of a relay chain"))?;
		trusted.advance(justification, &header).map_err(|cause| self.distrust(cause))
	}

	/// Believes the block of what was told, if it is newer.
	async fn take(&self, trusted: &mut Trusted, bytes: &[u8]) -> Result<(), FinalityError> {
		self.advance(trusted, self.decode(bytes)?).await
	}

	/// Believes the end of the trusted set, or if it has not ended the newest of its blocks that the node
	/// can prove. Returns why the node cannot, if so.
	async fn end_of_set(&self, trusted: &mut Trusted) -> Result<Option<String>, FinalityError> {
		let (before, mut found) = (trusted.block.number, Ok(None));
		for step in STEPS {
			found = match self.prove(before.saturating_add(step)).await? {
				Ok(Some(justification)) => {
					self.advance(trusted, justification).await.map(|()| None)
				}
				Ok(None) => Ok(None),
				Err(reason) => Ok(Some(reason)),
			};
			let is_over = found.as_ref().is_err_and(|error| !error.is_of_set());
			if is_over || trusted.block.number > before {
				break;
			}
		}
		found
	}

	/// Believes the ends of all sets that have ended, as far as [`LIMIT`] lets it. Returns why the node
	/// cannot prove them, if so: none may have ended yet, or it was synchronised by warp.
	async fn catch_up(&self, trusted: &mut Trusted) -> Result<Option<String>, FinalityError> {
		loop {
			let set = trusted.set_id;
			let refusal = self.end_of_set(trusted).await?;
			// What it proves within a set is the newest, after which no set has ended. Who goes on after that
			// can be led through a set block by block.
			if refusal.is_some() || trusted.set_id == set {
				return Ok(refusal);
			}
		}
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
		let mut failures = 1;
		for earlier in &told {
			match self.take(trusted, earlier).await {
				Err(error) if !error.is_of_set() => return Err(error),
				Err(_) => failures += 1,
				Ok(()) => {}
			}
			if failures == FAILURES {
				break;
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

	/// Believes the newest block that the node shows to be final. Fails if it was none for too long.
	async fn step(&mut self, trusted: &mut Trusted) -> Result<(), FinalityError> {
		let before = trusted.block.number;
		if !self.caught_up {
			self.catch_up(trusted).await?;
			self.caught_up = true;
		}
		self.follow(trusted).await?;
		let silent = self.at.elapsed();
		if trusted.block.number > before {
			self.at = Instant::now();
		} else if silent > SILENCE {
			return Err(FinalityError::Silent { url: self.url(), seconds: silent.as_secs() });
		}
		Ok(())
	}

	/// Trust that begins at a block: at `checkpoint`, or where the node says.
	async fn begin(&self, checkpoint: Option<H256>) -> Result<Trusted, FinalityError> {
		let hash = match checkpoint {
			Some(hash) => hash,
			None => self.node.finalised_hash().await?,
		};
		let mut state = self.node.proven(hash).await?;
		let stored = state.read(&checkpoint_keys()).await?;
		let trusted = Trusted::at_checkpoint(checkpoint, state.block, stored)
			.map_err(|cause| self.distrust(cause))?;
		self.check(&trusted)?;
		Ok(trusted)
	}

	/// The parachain's newest block in the state after the trusted block, whose time is noted.
	async fn head(&self, trusted: &mut Trusted, para_id: u32) -> Result<ParaHead, FinalityError> {
		let relay = trusted.block;
		let mut state = self.node.proven(relay.hash).await?;
		let mut stored = state.read(&[time_key(), para_head_key(para_id)]).await?;
		let (head, now) = (stored.pop().flatten(), stored.pop().flatten());
		let now = time(now).map_err(|cause| self.distrust(cause))?;
		trusted.time = trusted.time.max(now);
		let block = para_head(para_id, head).map_err(|cause| self.distrust(cause))?;
		Ok(ParaHead { relay, block })
	}
}

/// The relay chain's finality.
pub struct Relay {
	urls: Vec<String>,
	/// How often a node was left.
	turn: usize,
	para_id: u32,
	checkpoint: Option<H256>,
	trusted: Option<Trusted>,
	link: Option<Link>,
	head: Option<ParaHead>,
}

impl Relay {
	/// Over these nodes, of which one at a time is used. Trust goes on from `trusted`, if that began at
	/// `checkpoint`, the hash of a final block. Otherwise it begins there; without a checkpoint, where the
	/// node says.
	pub fn new(
		urls: &[String],
		para_id: u32,
		checkpoint: Option<H256>,
		trusted: Option<Trusted>,
	) -> Self {
		let urls = urls.to_vec();
		let trusted = trusted.filter(|trusted| trusted.is_from(checkpoint));
		Self { urls, turn: 0, para_id, checkpoint, trusted, link: None, head: None }
	}

	/// What is believed of the relay chain; `None` before the first [`Self::head`].
	pub fn trusted(&self) -> Option<&Trusted> {
		self.trusted.as_ref()
	}

	/// Leaves the node: the next one is asked from now on.
	pub fn leave(&mut self) {
		self.link = None;
		self.turn = self.turn.wrapping_add(1);
	}

	/// The newest block of the parachain that is proven to be final. Never one before an earlier answer.
	/// After a failure the next node is asked the next time; what was verified before stays.
	pub async fn head(&mut self) -> Result<ParaHead, FinalityError> {
		self.head_within(LIMIT).await
	}

	async fn head_within(&mut self, limit: Duration) -> Result<ParaHead, FinalityError> {
		let at = self.turn.checked_rem(self.urls.len()).ok_or(FinalityError::NoNode)?;
		let url = self.urls.get(at).cloned().ok_or(FinalityError::NoNode)?;
		let head = match timeout(limit, self.ask(&url)).await {
			Ok(head) => head,
			Err(_) => Err(FinalityError::Slow { url }),
		};
		if head.is_err() {
			self.leave();
		}
		head
	}

	/// The same from the node at `url`, which is used already or connected to now.
	async fn ask(&mut self, url: &str) -> Result<ParaHead, FinalityError> {
		let link = match &mut self.link {
			Some(link) => link,
			none => none.insert(Link::connect(url).await?),
		};
		let trusted = match &mut self.trusted {
			Some(trusted) => {
				link.check(trusted)?;
				trusted
			}
			none => none.insert(link.begin(self.checkpoint).await?),
		};
		link.step(trusted).await?;
		let head = match self.head {
			Some(head) if head.relay == trusted.block => head,
			_ => link.head(trusted, self.para_id).await?,
		};
		self.head = Some(head);
		Ok(head)
	}
}

#[cfg(test)]
mod tests;
