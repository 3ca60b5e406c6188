//! Following a transaction until its fate is final.
//!
//! A node's status messages are not enough: a re-org takes a transaction out of its block, the pool
//! forgets it, or the connection breaks. What counts is what is in finalised blocks. A signed
//! transaction has a number (nonce) and a last block. So it has exactly three fates, each of which
//! finalised blocks show: it is in one of them; another transaction with its number is; or the last
//! block has passed. Until then, submitting the same bytes again can do no harm, because a number
//! counts once.

use codec::{Decode, Encode};
use phala_primitives::BlockRef;
use sp_core::H256;
use std::time::Duration;
use tokio::time::Instant;

/// A node whose finalised block stays the same for so long is left for another one. Finality comes in
/// leaps, so this is longer than for new blocks.
pub const STALL: Duration = Duration::from_secs(120);

/// A signed transaction, with everything that is needed to follow it after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Signed {
	/// The transaction.
	pub bytes: Vec<u8>,
	/// BLAKE2b-256 of the bytes.
	pub hash: H256,
	/// Public key of the signer.
	pub signer: [u8; 32],
	/// The signer's transaction number.
	pub nonce: u64,
	/// It is in no block up to this one.
	pub after: u32,
	/// Last block that can hold it.
	pub last: u32,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
	/// It is in a finalised block.
	Included {
		/// The block.
		block: BlockRef,
		/// Position in the block.
		index: usize,
	},
	/// Another transaction of the signer took its number.
	Superseded,
	/// Its last block is final, and it is in none.
	Expired {
		/// What the node said at the last attempt to submit it.
		refusal: Option<String>,
	},
}

/// How a node took a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
	/// It is in the pool.
	Accepted,
	/// The pool does not take it, now.
	Refused(String),
}

/// What is asked of a node.
#[allow(async_fn_in_trait, reason = "used within this workspace, on one thread at a time")]
pub trait Ledger {
	/// Failed requests, as opposed to refusals.
	type Error;
	/// The newest finalised block.
	async fn finalised(&self) -> Result<BlockRef, Self::Error>;
	/// Hashes of the transactions in a finalised block, in order, and the block's own hash.
	async fn transactions(&self, number: u32) -> Result<(H256, Vec<H256>), Self::Error>;
	/// The next number of `signer` after a finalised block.
	async fn nonce(&self, signer: &[u8; 32], after: H256) -> Result<u64, Self::Error>;
	/// Hands a transaction to the pool.
	async fn submit(&self, bytes: &[u8]) -> Result<Submission, Self::Error>;
	/// The finalised block has stayed the same for [`STALL`].
	fn stalled(&self) -> Self::Error;
}

/// Notices that a node's finalised block stays the same.
#[derive(Clone, Debug, Default)]
pub struct Standstill(Option<(u32, Instant)>);

impl Standstill {
	/// Notes the height of the newest finalised block. True if it has not risen for [`STALL`].
	pub fn sees(&mut self, height: u32) -> bool {
		match self.0 {
			Some((highest, since)) if height <= highest => since.elapsed() > STALL,
			_ => {
				self.0 = Some((height, Instant::now()));
				false
			}
		}
	}
}

/// Submits `signed`, again at each look in which it is in no finalised block, until its fate is
/// final. Looks every `interval`. An error ends the following, not the transaction: follow it again.
/// A node that shows no new finalised block is such an error.
pub async fn follow<L: Ledger>(
	ledger: &L,
	signed: &Signed,
	interval: Duration,
) -> Result<Fate, L::Error> {
	let mut seen = signed.after;
	let mut refusal = None;
	let mut standstill = Standstill::default();
	loop {
		let head = ledger.finalised().await?;
		if standstill.sees(head.number) {
			return Err(ledger.stalled());
		}
		while seen < head.number.min(signed.last) {
			let number = seen + 1;
			let (hash, transactions) = ledger.transactions(number).await?;
			if let Some(index) = transactions.iter().position(|hash| *hash == signed.hash) {
				return Ok(Fate::Included { block: BlockRef { number, hash }, index });
			}
			seen = number;
		}
		if seen >= signed.last {
			return Ok(Fate::Expired { refusal });
		}
		// Asked about the very block up to which it was not found.
		if head.number <= seen && ledger.nonce(&signed.signer, head.hash).await? > signed.nonce {
			return Ok(Fate::Superseded);
		}
		refusal = match ledger.submit(&signed.bytes).await? {
			Submission::Accepted => None,
			Submission::Refused(reason) => Some(reason),
		};
		tokio::time::sleep(interval).await;
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::{
		cell::{Cell, RefCell},
		collections::BTreeSet,
	};

	const SIGNER: [u8; 32] = [1; 32];

	fn signed(nonce: u64, last: u32) -> Signed {
		let bytes = (nonce, last).encode();
		let hash = sp_crypto_hashing::blake2_256(&bytes).into();
		Signed { bytes, hash, signer: SIGNER, nonce, after: 0, last }
	}

	/// At one look: (blocks finalised, pool forgets all, node refuses, another transaction with the
	/// same number is included, request fails).
	type Step = (u8, bool, bool, bool, bool);

	/// A chain of one account whose blocks are made at each look, with what `script` says.
	#[derive(Default)]
	struct Model {
		script: RefCell<Vec<Step>>,
		blocks: RefCell<Vec<Vec<H256>>>,
		pool: RefCell<BTreeSet<H256>>,
		nonce: Cell<u64>,
		last: u32,
		refuses: Cell<bool>,
	}

	fn block_hash(number: u32) -> H256 {
		H256::from_low_u64_be(number.into())
	}

	impl Model {
		fn included(&self, hash: H256) -> usize {
			self.blocks.borrow().iter().flatten().filter(|one| **one == hash).count()
		}
	}

	impl Ledger for Model {
		type Error = &'static str;

		async fn finalised(&self) -> Result<BlockRef, Self::Error> {
			let step = self.script.borrow_mut().pop().unwrap_or((1, false, false, false, false));
			let (blocks, forgets, refuses, rival, fails) = step;
			self.refuses.set(refuses);
			if forgets {
				self.pool.borrow_mut().clear();
			}
			if rival && self.nonce.get() == 7 {
				self.nonce.set(8);
				self.blocks.borrow_mut().push(vec![H256::repeat_byte(9)]);
			}
			for _ in 0..blocks {
				let mut block = vec![];
				let height = self.blocks.borrow().len() as u32 + 1;
				if self.nonce.get() == 7
					&& height <= self.last
					&& let Some(hash) = self.pool.borrow_mut().pop_first()
				{
					block = vec![H256::zero(), hash];
					self.nonce.set(8);
				}
				self.blocks.borrow_mut().push(block);
			}
			if fails {
				return Err("connection lost");
			}
			let number = self.blocks.borrow().len() as u32;
			Ok(BlockRef { number, hash: block_hash(number) })
		}

		async fn transactions(&self, number: u32) -> Result<(H256, Vec<H256>), Self::Error> {
			Ok((block_hash(number), self.blocks.borrow()[number as usize - 1].clone()))
		}

		async fn nonce(&self, signer: &[u8; 32], after: H256) -> Result<u64, Self::Error> {
			assert_eq!((*signer, after), (SIGNER, block_hash(self.blocks.borrow().len() as u32)));
			Ok(self.nonce.get())
		}

		async fn submit(&self, bytes: &[u8]) -> Result<Submission, Self::Error> {
			if self.refuses.get() || self.nonce.get() != 7 {
				return Ok(Submission::Refused("no".into()));
			}
			self.pool.borrow_mut().insert(sp_crypto_hashing::blake2_256(bytes).into());
			Ok(Submission::Accepted)
		}

		fn stalled(&self) -> Self::Error {
			"it stands still"
		}
	}

	fn run<T>(future: impl Future<Output = T>) -> T {
		let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
		runtime.block_on(future)
	}

	proptest! {
		/// Whatever pool, forks, rivals and connection do: the fate that is told is the true one, and
		/// the transaction counts at most once.
		#[test]
		fn the_fate_is_the_true_one(
			script in prop::collection::vec(
				(0u8..4, prop::bool::weighted(0.3), prop::bool::weighted(0.3),
					prop::bool::weighted(0.03), prop::bool::weighted(0.2)),
				0..60
			),
			last in 1u32..40
		) {
			let model = Model { nonce: Cell::new(7), last, script: script.into(), ..Model::default() };
			let signed = signed(7, last);
			let fate = run(async {
				loop {
					// After a lost connection it is followed again.
					if let Ok(fate) = follow(&model, &signed, Duration::ZERO).await {
						break fate;
					}
				}
			});
			let included = model.included(signed.hash);
			prop_assert!(included <= 1);
			match fate {
				Fate::Included { block, index } => {
					let found = model.blocks.borrow()[block.number as usize - 1][index];
					prop_assert_eq!(found, signed.hash);
					prop_assert_eq!(block.hash, block_hash(block.number));
				},
				Fate::Superseded => {
					prop_assert_eq!(included, 0);
					prop_assert_eq!(model.included(H256::repeat_byte(9)), 1);
				},
				Fate::Expired { .. } => {
					prop_assert_eq!(included, 0);
					prop_assert!(model.blocks.borrow().len() as u32 >= last);
				},
			}
		}
	}

	#[test]
	fn a_forgotten_transaction_is_submitted_again() {
		// The pool forgets it twice before a block is made.
		let forget = (0, true, false, false, false);
		let model = Model {
			nonce: Cell::new(7),
			last: 9,
			script: vec![forget; 3].into(),
			..Model::default()
		};
		let fate = run(follow(&model, &signed(7, 9), Duration::ZERO)).unwrap();
		assert!(matches!(fate, Fate::Included { index: 1, .. }));
	}

	#[test]
	fn the_reason_of_a_refusal_is_kept() {
		let refuse = (1, false, true, false, false);
		let model = Model {
			nonce: Cell::new(7),
			last: 3,
			script: vec![refuse; 9].into(),
			..Model::default()
		};
		let fate = run(follow(&model, &signed(7, 3), Duration::ZERO)).unwrap();
		assert_eq!(fate, Fate::Expired { refusal: Some("no".into()) });
	}

	#[tokio::test(start_paused = true)]
	async fn a_node_that_stands_still_is_not_followed_for_ever() {
		let still = (0, false, false, false, false);
		let model = |looks| Model {
			nonce: Cell::new(7),
			last: 9,
			script: vec![still; looks].into(),
			..Model::default()
		};
		let (signed, interval) = (signed(7, 9), Duration::from_secs(3));
		let stalled = model(1_000);
		assert_eq!(follow(&stalled, &signed, interval).await, Err("it stands still"));
		// Only the node was left: the same transaction is followed on the next one.
		stalled.script.borrow_mut().clear();
		let fate = follow(&stalled, &signed, interval).await;
		assert!(matches!(fate, Ok(Fate::Included { .. })));
		// It moves after two minutes.
		let slow = follow(&model(40), &signed, interval).await;
		assert!(matches!(slow, Ok(Fate::Included { .. })));
	}
}
