//! What is believed of the relay chain, and how it advances. No input or output.
//!
//! ## Why no change of validators can be skipped
//!
//! Honest voters of set S never vote beyond the block that ends S, so for a later block there is no
//! justification of S: more than a third would have to sign falsely. Signatures cover the set's number,
//! so one of S + 1 does not count for S. If a change were missed all the same, the client would go on
//! asking for signatures of S, of which there are no more: it stops, and believes nothing.

use bp_header_chain::{
	AuthoritySet,
	justification::{
		GrandpaJustification, JustificationVerificationContext, JustificationVerificationError,
		verify_and_optimize_justification,
	},
};
use codec::{Decode, DecodeAll, Encode};
use phala_node_common::chain::{Item, Malformed};
use phala_primitives::BlockRef;
use sp_consensus_grandpa::{
	AuthorityList, ConsensusLog, GRANDPA_ENGINE_ID, ScheduledChange, SetId,
};
use sp_core::H256;
use sp_runtime::{generic, traits::BlakeTwo256};

/// A header of the relay chain, or of the parachain.
pub type Header = generic::Header<u32, BlakeTwo256>;
/// A set's signatures for a block.
pub type Justification = GrandpaJustification<Header>;

/// Most validators that a set may have. Relay chains have about a thousand.
pub const MAX_AUTHORITIES: usize = 10_000;
/// Most headers between the blocks that validators voted for and the one that is final. Honest ones are
/// a few blocks apart; each wrong vote makes the library walk all of them.
pub const MAX_ANCESTRY: usize = 64;
/// Most bytes of these headers.
pub const MAX_ANCESTRY_SIZE: usize = 256 * 1024;
/// Days for which trust lasts. Polkadot's validators can be slashed for 28; what is left is for those who
/// find out, and for the slash.
pub const MAX_AGE_DAYS: u64 = 21;

const DAY: u64 = 86_400;

/// Why something is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
	/// A set without validators, or with too many.
	#[error(
		"set {set_id} has {count} validators, or they have no weight: that is no relay chain that this \
		 program can follow. Correct relay-url or relay-checkpoint"
	)]
	Authorities {
		/// The set.
		set_id: SetId,
		/// Its validators.
		count: usize,
	},
	/// The checkpoint is between the announcement of a set and its beginning.
	#[error(
		"block {0:?} is no checkpoint: a change of validators is pending after it. Give another block \
		 as relay-checkpoint"
	)]
	Pending(H256),
	/// The checkpoint does not know its chain's first block.
	#[error(
		"the state of block {0:?} does not have the hash of block 0: it is of no relay chain that this \
		 program can follow. Correct relay-url or relay-checkpoint"
	)]
	NoGenesis(H256),
	/// It was trusted too long ago.
	#[error(
		"block {number}, the newest that is trusted, is {days} days old, and validators of more than \
		 {MAX_AGE_DAYS} days ago have nothing to lose by signing another chain. See that this machine's \
		 clock is right, and give a newer --relay-checkpoint"
	)]
	Aged {
		/// The block.
		number: u32,
		/// Its age.
		days: u64,
	},
	/// A block that is not newer than the trusted one.
	#[error("block {number} is not newer than block {trusted}, which is final: the node is behind")]
	Older {
		/// The block.
		number: u32,
		/// The newest final one.
		trusted: u32,
	},
	/// The header is of another block.
	#[error(
		"the header is not that of block {number} ({hash:?}), which is to be final: the node is broken, \
		 or lies. Give another relay-url"
	)]
	OtherHeader {
		/// The height.
		number: u32,
		/// The hash.
		hash: H256,
	},
	/// More than honest validators send.
	#[error(
		"a justification of block {number} has {votes} votes and {headers} headers of {size} bytes, too \
		 many to look at: the node is broken, or lies. Give another relay-url"
	)]
	TooLarge {
		/// The block.
		number: u32,
		/// Its votes.
		votes: usize,
		/// Its headers.
		headers: usize,
		/// Their size.
		size: usize,
	},
	/// It is not signed by more than two thirds.
	#[error(
		"block {number} is not signed by more than two thirds of the validators of set {set_id} \
		 ({cause}): the node lies, or is of another chain. Give another relay-url; if all of them say \
		 the same, begin again at a new relay-checkpoint"
	)]
	Unsigned {
		/// The block.
		number: u32,
		/// The set.
		set_id: SetId,
		/// What is wrong.
		cause: String,
	},
	/// The validators were changed by force.
	#[error(
		"block {0} changes the validators by force, which proves nothing: the relay chain's finality \
		 had stood still. See that the chain is the right one, and begin again at a relay-checkpoint \
		 after the change"
	)]
	Forced(u32),
	/// The validators are to change later than at the end of the block.
	#[error(
		"block {number} changes the validators {delay} blocks later, which no relay chain does. \
		 Begin again at a relay-checkpoint after the change"
	)]
	Delayed {
		/// The block.
		number: u32,
		/// By how much.
		delay: u32,
	},
	/// The number of sets is at its end.
	#[error("there is no set of validators after {0}: give another relay-url")]
	LastSet(SetId),
	/// The relay chain does not know the parachain.
	#[error(
		"the relay chain has no block of parachain {0}: give the node of the parachain's own relay chain \
		 as relay-url"
	)]
	NoPara(u32),
	/// What the relay chain has of the parachain is no header.
	#[error(
		"what the relay chain has of parachain {0} is no header of a Phala chain: correct relay-url, or \
		 use a version of this program that fits the chain"
	)]
	NoHeader(u32),
	/// The state has another form.
	#[error("{0}")]
	Malformed(String),
}

impl From<Malformed> for TrustError {
	fn from(error: Malformed) -> Self {
		Self::Malformed(error.to_string())
	}
}

/// What is believed: a final block of the relay chain, and who finalises the next ones.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Trusted {
	/// Hash of the relay chain's block 0.
	pub genesis: H256,
	/// The checkpoint at which trust began; `None` if it began where a node said.
	pub origin: Option<H256>,
	/// The newest block that is known to be final.
	pub block: BlockRef,
	/// Time of that block, or of one that was trusted before it, in Unix seconds. 0 is none: block 0 has no
	/// time.
	pub time: u64,
	/// Number of the set that finalises the block after it.
	pub set_id: SetId,
	/// The set's validators, with their weights.
	pub authorities: AuthorityList,
}

/// Where a block's state has what [`Trusted::at_checkpoint`] takes.
pub fn checkpoint_keys() -> [Vec<u8>; 5] {
	[
		set_id().key().into(),
		authorities().key().into(),
		pending_change().key().into(),
		first_hash().key().into(),
		time_key(),
	]
}

/// Where a block's state has its time.
pub fn time_key() -> Vec<u8> {
	now().key().into()
}

/// The time that is stored there, in Unix seconds; 0 if there is none.
pub fn time(stored: Option<Vec<u8>>) -> Result<u64, TrustError> {
	Ok(now().decode(stored)?.unwrap_or(0) / 1000)
}

fn now() -> Item<u64> {
	Item::new("Timestamp", "Now")
}

/// Hash of block 0, the one that the runtime keeps for ever.
fn first_hash() -> Item<H256> {
	Item::new("System", "BlockHash").twox64(&0u32)
}

fn set_id() -> Item<SetId> {
	Item::new("Grandpa", "CurrentSetId")
}

fn authorities() -> Item<AuthorityList> {
	Item::new("Grandpa", "Authorities")
}

fn pending_change() -> Item<()> {
	Item::new("Grandpa", "PendingChange")
}

impl Trusted {
	/// Trust that begins at a block, of which the state was read with a proof: `stored` is what is at
	/// [`checkpoint_keys`], in order. `origin` is the block's hash if it is the operator's checkpoint.
	///
	/// The state after a block names the set that finalises the next one: the pallet raises the number
	/// when a session begins, and enacts a change without delay at the end of the same block.
	pub fn at_checkpoint(
		origin: Option<H256>,
		block: BlockRef,
		stored: Vec<Option<Vec<u8>>>,
	) -> Result<Self, TrustError> {
		let mut stored = stored.into_iter();
		let mut next = || stored.next().flatten();
		let set_id = set_id().decode(next())?.unwrap_or(0);
		let authorities = authorities().decode(next())?.unwrap_or_default();
		if next().is_some() {
			return Err(TrustError::Pending(block.hash));
		}
		let genesis = match (block.number, first_hash().decode(next())?) {
			// Its own state cannot have it.
			(0, _) => block.hash,
			(_, Some(hash)) => hash,
			(_, None) => return Err(TrustError::NoGenesis(block.hash)),
		};
		let time = time(next())?;
		let trusted = Self { genesis, origin, block, time, set_id, authorities };
		trusted.voters()?;
		Ok(trusted)
	}

	/// Whether to go on from it if this checkpoint is given: not if it began elsewhere.
	pub fn is_from(&self, checkpoint: Option<H256>) -> bool {
		checkpoint.is_none() || self.origin == checkpoint
	}

	/// Fails if it is too old to go on from, `now` in Unix seconds.
	pub fn ensure_young(&self, now: u64) -> Result<(), TrustError> {
		let days = now.saturating_sub(self.time) / DAY;
		if self.time > 0 && days >= MAX_AGE_DAYS {
			return Err(TrustError::Aged { number: self.block.number, days });
		}
		Ok(())
	}

	/// The set, for checking signatures.
	fn voters(&self) -> Result<JustificationVerificationContext, TrustError> {
		let (set_id, count) = (self.set_id, self.authorities.len());
		let fail = || TrustError::Authorities { set_id, count };
		if count > MAX_AUTHORITIES {
			return Err(fail());
		}
		let set = AuthoritySet::new(self.authorities.clone(), set_id);
		JustificationVerificationContext::try_from(set).map_err(|_| fail())
	}

	/// Believes a newer block that more than two thirds of the set finalised. If the block ends the set,
	/// the next one is believed from then on. Unchanged if it fails.
	pub fn advance(
		&mut self,
		mut justification: Justification,
		header: &Header,
	) -> Result<(), TrustError> {
		let commit = &justification.commit;
		let block = BlockRef { number: commit.target_number, hash: commit.target_hash };
		let number = block.number;
		if number <= self.block.number {
			return Err(TrustError::Older { number, trusted: self.block.number });
		}
		if header.number != number || header.hash() != block.hash {
			return Err(TrustError::OtherHeader { number, hash: block.hash });
		}
		let ancestry = &justification.votes_ancestries;
		let (votes, headers) = (commit.precommits.len(), ancestry.len());
		let size = ancestry.encoded_size();
		// An honest commit has one vote of each validator, or two that contradict each other.
		let most = self.authorities.len().saturating_mul(2);
		if votes > most || headers > MAX_ANCESTRY || size > MAX_ANCESTRY_SIZE {
			return Err(TrustError::TooLarge { number, votes, headers, size });
		}
		let voters = self.voters()?;
		// Nodes send all votes that they have, so more than are needed; the strict check refuses those.
		// This one leaves out what is redundant, unknown, doubled or wrongly signed, and counts the rest.
		verify_and_optimize_justification((block.hash, number), &voters, &mut justification)
			.map_err(|cause| TrustError::Unsigned {
				number,
				set_id: self.set_id,
				cause: explain(&cause),
			})?;
		let mut next = Self { block, ..self.clone() };
		if let Some(authorities) = next_authorities(header)? {
			next.set_id = self.set_id.checked_add(1).ok_or(TrustError::LastSet(self.set_id))?;
			next.authorities = authorities;
			next.voters()?;
		}
		*self = next;
		Ok(())
	}
}

fn explain(cause: &JustificationVerificationError) -> String {
	match cause {
		JustificationVerificationError::TooLowCumulativeWeight => "too few valid votes".into(),
		other => format!("{other:?}"),
	}
}

/// The set that follows upon a block, if the block ends one. As nodes do, what is no change of
/// validators is passed over, and of several changes the first counts.
fn next_authorities(header: &Header) -> Result<Option<AuthorityList>, TrustError> {
	let logs = header.digest.logs().iter();
	let logs = logs.filter_map(|log| log.consensus_try_to::<ConsensusLog<u32>>(&GRANDPA_ENGINE_ID));
	let mut scheduled: Option<ScheduledChange<u32>> = None;
	for log in logs {
		match log {
			ConsensusLog::ForcedChange(..) => return Err(TrustError::Forced(header.number)),
			ConsensusLog::ScheduledChange(change) => {
				scheduled.get_or_insert(change);
			}
			ConsensusLog::OnDisabled(_) | ConsensusLog::Pause(_) | ConsensusLog::Resume(_) => {}
		}
	}
	match scheduled {
		Some(ScheduledChange { delay: 0, next_authorities }) => Ok(Some(next_authorities)),
		Some(ScheduledChange { delay, .. }) => {
			Err(TrustError::Delayed { number: header.number, delay })
		}
		None => Ok(None),
	}
}

/// Where a relay-chain block's state has the newest header of a parachain.
pub fn para_head_key(para_id: u32) -> Vec<u8> {
	heads(para_id).key().into()
}

fn heads(para_id: u32) -> Item<Vec<u8>> {
	Item::new("Paras", "Heads").twox64(&para_id)
}

/// The parachain's block whose header is stored there.
pub fn para_head(para_id: u32, stored: Option<Vec<u8>>) -> Result<BlockRef, TrustError> {
	let head = heads(para_id).decode(stored)?.ok_or(TrustError::NoPara(para_id))?;
	let header = Header::decode_all(&mut &head[..]).map_err(|_| TrustError::NoHeader(para_id))?;
	let hash = H256(sp_crypto_hashing::blake2_256(&head));
	Ok(BlockRef { number: header.number, hash })
}
