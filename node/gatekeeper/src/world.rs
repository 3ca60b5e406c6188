//! The chain behind the engine.

use crate::{
	engine::{Distrust, StepError, World},
	finality::Follower,
	registry,
	vault::VaultError,
	view::Rules,
};
use phala_finality::FinalityError;
use phala_node_common::{
	board::{self, Message},
	chain::{Chain, ChainError, Finalised, Proven, Raw, Reader, Submission},
};
use phala_primitives::BlockRef;
use sp_core::H256;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long nodes may lag before others are tried.
const PATIENCE: Duration = Duration::from_secs(60);

/// What can go wrong with the chain.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
	/// The node.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// A witness cannot be asked.
	#[error("the witness cannot be asked: {0}. Nothing is done without it")]
	Witness(ChainError),
	/// A witness says otherwise.
	#[error(
		"block {number} is {ours:?} for {node}, and {theirs:?} for the witness {witness}: one of them \
		 is on another chain, or lies. Nothing is done until they agree"
	)]
	Contradicted {
		/// The height.
		number: u32,
		/// The node.
		node: String,
		/// Its block.
		ours: H256,
		/// The witness.
		witness: String,
		/// Its block.
		theirs: Option<H256>,
	},
	/// The relay chain's finality is not known.
	#[error("it is not known what is final: {0}. Nothing is done until it is")]
	Finality(#[from] FinalityError),
	/// What is trusted of the relay chain cannot be kept.
	#[error(transparent)]
	Vault(#[from] VaultError),
	/// The node's final block is not the relay chain's.
	#[error(
		"block {number} is {ours:?} for {node}, and the relay chain's validators made {proven:?} final: \
		 the node lies, or is of another chain. Nothing is done with it; connect to another one, best \
		 your own"
	)]
	Forged {
		/// The height.
		number: u32,
		/// The node.
		node: String,
		/// Its block.
		ours: Option<H256>,
		/// The one that is proven.
		proven: H256,
	},
	/// The node does not have a block that is proven to be final and that all witnesses may know.
	#[error(
		"{node} does not have block {number} yet, which the relay chain made final, or a witness is \
		 further behind: is the node synchronised? It is waited for"
	)]
	Behind {
		/// The node.
		node: String,
		/// The newest block that is proven.
		number: u32,
	},
}

impl WorldError {
	/// Whether a new connection may help.
	pub fn is_of_connection(&self) -> bool {
		matches!(
			self,
			Self::Chain(
				ChainError::Connect { .. } | ChainError::Request { .. } | ChainError::Untrue { .. }
			) | Self::Forged { .. }
		)
	}

	/// One word for the metrics.
	pub fn kind(&self) -> &'static str {
		match self {
			Self::Chain(_) => "chain",
			Self::Witness(_) => "witness",
			Self::Contradicted { .. } | Self::Forged { .. } => "contradicted",
			Self::Finality(_) => "relay",
			Self::Vault(_) => "file",
			Self::Behind { .. } => "behind",
		}
	}
}

impl StepError<WorldError> {
	/// Whether a new connection may help.
	pub fn is_of_connection(&self) -> bool {
		matches!(self, Self::World(error) if error.is_of_connection())
	}

	/// Whether it passes by itself, unless a node is stuck.
	pub fn is_of_lag(&self) -> bool {
		matches!(
			self,
			Self::World(WorldError::Behind { .. })
				| Self::Distrust(Distrust::Older { .. } | Distrust::Stale { .. })
		)
	}
}

/// Since when nodes have lagged.
#[derive(Clone, Debug, Default)]
pub struct Patience(Option<Instant>);

impl Patience {
	/// Notes whether they lag. True when they have for too long; then the next ones get as long.
	pub fn ends(&mut self, lags: bool, now: Instant) -> bool {
		let since = self.0.filter(|_| lags).unwrap_or(now);
		let over = now.duration_since(since) > PATIENCE;
		self.0 = (lags && !over).then_some(since);
		over
	}
}

/// A node of somebody else.
struct Witness {
	url: String,
	chain: Option<Chain>,
}

impl Witness {
	/// A connection to the same chain.
	async fn chain(&mut self, genesis: H256) -> Result<Chain, WorldError> {
		if let Some(chain) = &self.chain {
			return Ok(chain.clone());
		}
		let chain = Chain::connect(&self.url).await.map_err(WorldError::Witness)?;
		if chain.id().genesis != genesis {
			return Err(WorldError::Contradicted {
				number: 0,
				node: "the node".into(),
				ours: genesis,
				witness: self.url.clone(),
				theirs: Some(chain.id().genesis),
			});
		}
		self.chain = Some(chain.clone());
		Ok(chain)
	}
}

/// The real world.
pub struct Real {
	chain: Chain,
	witnesses: Vec<Witness>,
	relay: Option<Follower>,
	/// The newest state, for its runtime's metadata.
	state: Option<Finalised>,
	/// Version of the runtime that was checked, and its rules.
	checked: Option<(u32, Rules)>,
	/// The state that was read last.
	proven: Option<Proven>,
}

impl Real {
	/// Over a connection to a node, watched by these others.
	pub fn new(chain: Chain, witnesses: &[String]) -> Self {
		let witnesses = witnesses.iter().map(|url| Witness { url: url.clone(), chain: None });
		let witnesses = witnesses.collect();
		Self { chain, witnesses, relay: None, state: None, checked: None, proven: None }
	}

	/// With the relay chain's word on what is final.
	pub fn with_relay(mut self, relay: Option<Follower>) -> Self {
		self.relay = relay;
		self
	}

	/// Number of the relay chain's set that is followed, and height of its newest final block.
	pub fn relay(&self) -> Option<(u64, u32)> {
		self.relay.as_ref()?.state()
	}

	/// Another connection to the same chain.
	pub fn reconnect(&mut self, chain: Chain) {
		(self.chain, self.state, self.proven) = (chain, None, None);
		self.witnesses.iter_mut().for_each(|witness| witness.chain = None);
	}

	/// Leaves the relay chain's node for the next one.
	pub fn leave_relay(&mut self) {
		if let Some(relay) = &mut self.relay {
			relay.leave();
		}
	}

	/// The node's address.
	pub fn url(&self) -> &str {
		self.chain.url()
	}

	/// The rules of the newest final block's runtime. Fails if the program does not fit it.
	pub async fn rules(&mut self) -> Result<Rules, WorldError> {
		let state = self.chain.finalised().await?;
		let version = state.at.spec_version();
		let rules = match self.checked {
			Some((checked, rules)) if checked == version => rules,
			_ => {
				state.ensure_fits(&[board::encodings(), registry::encodings()])?;
				Rules {
					request_period: state.constant(board::PALLET, "RequestPeriod")?,
					reshare_grace: state.constant(board::PALLET, "ReshareGrace")?,
				}
			}
		};
		(self.checked, self.state) = (Some((version, rules)), Some(state));
		Ok(rules)
	}

	/// The newest block that is final for all, and the same.
	async fn agreed(&mut self) -> Result<H256, WorldError> {
		let hash = self.chain.finalised_hash().await?;
		if self.witnesses.is_empty() && self.relay.is_none() {
			return Ok(hash);
		}
		let finalised = self.chain.proven(hash).await?.block.number;
		let (witnessed, others) = self.witnessed().await?;
		let block = match &mut self.relay {
			Some(relay) => proven_final(relay, &self.chain, finalised, witnessed).await?,
			None => {
				let number = finalised.min(witnessed);
				let hash = self.chain.hash_at(number).await?;
				let hash = hash.ok_or_else(|| ChainError::Untrue {
					url: self.chain.url().into(),
					what: format!("no hash of the final block {number}"),
				})?;
				BlockRef { number, hash }
			}
		};
		for other in others {
			let theirs = other.hash_at(block.number).await.map_err(WorldError::Witness)?;
			if theirs != Some(block.hash) {
				return Err(WorldError::Contradicted {
					number: block.number,
					node: self.chain.url().into(),
					ours: block.hash,
					witness: other.url().into(),
					theirs,
				});
			}
		}
		Ok(block.hash)
	}

	/// The height up to which all witnesses know blocks as final, and connections to them.
	async fn witnessed(&mut self) -> Result<(u32, Vec<Chain>), WorldError> {
		let genesis = self.chain.id().genesis;
		let (mut number, mut chains) = (u32::MAX, vec![]);
		for witness in &mut self.witnesses {
			let chain = witness.chain(genesis).await?;
			let final_for_it = async {
				let hash = chain.finalised_hash().await?;
				Ok::<_, ChainError>(chain.proven(hash).await?.block.number)
			};
			match final_for_it.await {
				Ok(theirs) => number = number.min(theirs),
				Err(error) => {
					witness.chain = None;
					return Err(WorldError::Witness(error));
				}
			}
			chains.push(chain);
		}
		Ok((number, chains))
	}
}

/// The newest block up to height `limit` that the relay chain made final and the node has. The node takes
/// blocks up to `finalised` for final.
async fn proven_final(
	relay: &mut Follower,
	chain: &Chain,
	finalised: u32,
	limit: u32,
) -> Result<BlockRef, WorldError> {
	let newest = relay.follow().await?;
	if finalised >= newest.number {
		let ours = chain.hash_at(newest.number).await?;
		if ours != Some(newest.hash) {
			let (number, proven) = (newest.number, newest.hash);
			return Err(WorldError::Forged { number, node: chain.url().into(), ours, proven });
		}
	}
	for block in relay.proven().filter(|block| block.number <= limit) {
		if chain.has(block.hash).await? {
			return Ok(block);
		}
	}
	Err(WorldError::Behind { node: chain.url().into(), number: newest.number })
}

impl World for Real {
	type Error = WorldError;

	async fn finalised(&mut self) -> Result<BlockRef, WorldError> {
		let hash = self.agreed().await?;
		if let Some(proven) = self.proven.as_ref().filter(|proven| proven.block.hash == hash) {
			return Ok(proven.block);
		}
		let proven = self.chain.proven(hash).await?;
		let block = proven.block;
		self.proven = Some(proven);
		Ok(block)
	}

	async fn hash_at(&mut self, number: u32) -> Result<Option<H256>, WorldError> {
		Ok(self.chain.hash_at(number).await?)
	}

	async fn read(
		&mut self,
		block: &BlockRef,
		keys: &[Vec<u8>],
	) -> Result<Vec<Option<Vec<u8>>>, WorldError> {
		let mut proven = match self.proven.clone().filter(|proven| proven.block == *block) {
			Some(proven) => proven,
			None => self.chain.proven(block.hash).await?,
		};
		Ok(proven.read(keys).await?)
	}

	fn clock(&self) -> u64 {
		SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
	}

	async fn publish(&mut self, message: &Message) -> Result<Submission, WorldError> {
		let state = match self.state.clone() {
			Some(state) => state,
			None => self.chain.finalised().await?,
		};
		let (call, arguments) = (message.call(), Raw(message.arguments()));
		Ok(self.chain.publish(&state, board::PALLET, call, &arguments).await?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn nodes_that_lag_are_left_after_a_while() {
		let (start, mut patience) = (Instant::now(), Patience::default());
		let mut ends = |lags, seconds| patience.ends(lags, start + Duration::from_secs(seconds));
		assert!(!ends(true, 0) && !ends(true, 60) && ends(true, 61));
		assert!(
			!ends(true, 62) && !ends(true, 122) && ends(true, 123),
			"the next ones get as long"
		);
		assert!(!ends(true, 200) && !ends(false, 230) && !ends(true, 261), "it passed in between");
	}

	#[test]
	fn what_a_stuck_node_causes_is_told_from_the_rest() {
		let distrust = StepError::<WorldError>::Distrust;
		let node = String::new();
		assert!(StepError::World(WorldError::Behind { node, number: 3 }).is_of_lag());
		assert!(distrust(Distrust::Older { found: 1, seen: 2 }).is_of_lag());
		assert!(distrust(Distrust::Stale { seconds: 700 }).is_of_lag());
		assert!(!distrust(Distrust::Future { number: 3 }).is_of_lag());
		let (ours, proven) = (None, H256::zero());
		let forged = WorldError::Forged { number: 3, node: String::new(), ours, proven };
		let forged = StepError::World(forged);
		assert!(forged.is_of_connection() && !forged.is_of_lag());
	}
}
