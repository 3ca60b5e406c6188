//! Chain, kernel and disk behind the engine.

use super::{
	book::{Answer, Book, BookError},
	engine::World,
	kernel::Kernel,
	news::News,
	pallet::{HEARTBEAT, Heartbeat, Mining, PALLET, SHAPE, Session},
	plan::{Budget, Challenge, Open, Run},
	position::{Position, Reason, state_name},
};
use crate::metrics::Metrics;
use phala_node_common::{
	chain::{Chain, ChainError, Finalised, Heads, Submission, Tips},
	keystore::Keys,
};
use phala_primitives::{BlockRef, ChainId};
use std::time::{Duration, Instant};

/// Between two looks at a node that tells nothing.
const POLL: Duration = Duration::from_secs(2);
/// New blocks between two looks at pay and reasons, which nothing is decided by.
const POSITION_EVERY: u32 = 5;
/// Finalised blocks that are read in one go.
const NEWS_AT_ONCE: u32 = 8;
/// Finalised blocks behind which news are given up: of older ones a node that prunes has no state.
const OLD_NEWS: u32 = 200;
/// Blocks that did not include an answer which the node took, after which another node is tried.
const PATIENCE: u32 = 4;

/// What can go wrong on the way from a challenge to its answer.
#[derive(Debug, thiserror::Error)]
pub enum MiningError {
	/// The chain or the way to it.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// What was signed before.
	#[error(transparent)]
	Book(#[from] BookError),
}

impl MiningError {
	/// Whether another connection may help.
	pub fn is_of_connection(&self) -> bool {
		matches!(self, Self::Chain(ChainError::Connect { .. } | ChainError::Request { .. }))
	}
}

/// What one block says.
struct Seen {
	state: Finalised,
	session: Option<Session>,
	open: Option<Open>,
	/// The runtime has the pallet.
	fits: bool,
}

/// The real world.
pub struct Real {
	keys: Keys,
	book: Book,
	kernel: Kernel,
	metrics: Metrics,
	chain: Chain,
	heads: Option<Heads>,
	tips: Tips,
	seen: Option<Seen>,
	/// When the newest block became another one.
	moved: Instant,
	/// Runtime whose shape was checked, and whether it fits.
	checked: Option<(u32, bool)>,
	/// The last submission: at which block, of what, with what result, and how many before it.
	submitted: Option<(BlockRef, Challenge, Submission, u32)>,
	/// The block up to which news were told, the finalised one at first.
	told: Option<u32>,
	/// Number and state of the session, and what keeps it from being paid, as it was logged last.
	logged: Option<(Option<u64>, &'static str, Vec<String>)>,
	/// New blocks since the position was looked at.
	stale: u32,
}

impl Real {
	/// Over a connection.
	pub fn new(keys: Keys, book: Book, kernel: Kernel, metrics: Metrics, chain: Chain) -> Self {
		Self {
			keys,
			book,
			kernel,
			metrics,
			chain,
			heads: None,
			tips: Tips::default(),
			seen: None,
			moved: Instant::now(),
			checked: None,
			submitted: None,
			told: None,
			logged: None,
			stale: POSITION_EVERY,
		}
	}

	/// The chain that the keys are for.
	pub fn chain_id(&self) -> ChainId {
		self.keys.chain
	}

	/// Another connection to the same chain. The kernel goes on.
	pub fn reconnect(&mut self, chain: Chain) {
		self.chain = chain;
		(self.heads, self.seen, self.submitted, self.checked) = (None, None, None, None);
		// What one node calls its tip, another may never have seen.
		self.tips = Tips::default();
		self.moved = Instant::now();
	}

	/// For how long the node has shown no new block.
	pub fn stalled(&self) -> Duration {
		self.moved.elapsed()
	}

	/// Whether the node takes an answer, but no block includes it.
	pub fn is_ignored(&self) -> bool {
		matches!(&self.submitted, Some((_, _, Submission::Accepted, before)) if *before >= PATIENCE)
	}

	/// Waits for something that may be worth a step: a block, the end of a run, or a while.
	pub async fn wait(&mut self) {
		if self.heads.is_none() {
			// Only a hint: without it, the best block is looked at all the same.
			let heads = tokio::time::timeout(POLL, self.chain.heads()).await;
			self.heads = heads.ok().and_then(Result::ok);
		}
		let heads = &mut self.heads;
		let told = async move {
			match heads {
				Some(heads) => heads.next().await,
				None => std::future::pending().await,
			}
		};
		tokio::select! {
			head = told => match head {
				Some(head) => self.tips.import(head),
				None => self.heads = None,
			},
			() = self.kernel.ended() => {}
			() = tokio::time::sleep(POLL) => {}
		}
	}

	/// Whether the runtime has what is needed. Says so once for each runtime.
	fn fits(&mut self, state: &Finalised) -> bool {
		let version = state.at.spec_version();
		if let Some((checked, fits)) = self.checked
			&& checked == version
		{
			return fits;
		}
		let fits = match state.ensure_shape(&[SHAPE]) {
			Ok(()) => true,
			Err(error) => {
				tracing::warn!(%error, "mining: nothing to earn on this runtime");
				false
			}
		};
		self.checked = Some((version, fits));
		fits
	}

	/// Tells log and metrics how the worker stands. Nothing is decided by it.
	pub async fn tell(&mut self) -> Result<(), ChainError> {
		let Some(seen) = self.seen.as_ref().filter(|seen| seen.fits) else { return Ok(()) };
		let (id, state) =
			(seen.session.as_ref().map(|one| one.id), state_name(seen.session.as_ref()));
		let logged = self.logged.as_ref();
		let changed = logged.is_none_or(|last| (last.0, last.1) != (id, state));
		if changed || self.stale >= POSITION_EVERY {
			self.stale = 0;
			let (mining, key) = (Mining(&seen.state), self.keys.worker());
			let unpaid = mining.why_unpaid(&key).await?;
			let position = Position {
				session: seen.session.clone(),
				pending: mining.pending(&key).await?,
				unpaid: unpaid.iter().map(Reason::of).collect(),
			};
			position.show(&self.metrics);
			let reasons = position.unpaid.iter().filter(|reason| reason.is_operators());
			let names = reasons.clone().map(|reason| reason.name.clone()).collect();
			let now = Some((id, state, names));
			if self.logged != now {
				tracing::info!(%position, "mining");
				for reason in reasons {
					tracing::warn!(%reason, remedy = reason.remedy(), "mining: not paid in full");
				}
				self.logged = now;
			}
		}
		self.news().await
	}

	async fn news(&mut self) -> Result<(), ChainError> {
		let newest = self.chain.finalised().await?.block.number;
		let told = self.told.unwrap_or(newest);
		let told = match newest.saturating_sub(told) {
			behind if behind > OLD_NEWS => {
				tracing::warn!(behind, "mining: too far behind to tell what happened meanwhile");
				newest
			}
			_ => told,
		};
		self.told = Some(told);
		for number in (told..newest.min(told.saturating_add(NEWS_AT_ONCE))).map(|at| at + 1) {
			let state = self.chain.finalised_at(number).await?;
			for news in News::of(&state, &self.keys.worker()).await? {
				news.tell(number, &self.metrics);
			}
			self.told = Some(number);
		}
		Ok(())
	}
}

impl World for Real {
	type Error = MiningError;

	async fn look(&mut self) -> Result<Option<Open>, MiningError> {
		let tip = self.tips.tip(self.chain.best().await?);
		if let Some(seen) = &self.seen
			&& seen.state.block == tip
		{
			return Ok(seen.open);
		}
		let state = self.chain.at(tip).await?;
		let fits = self.fits(&state);
		let key = self.keys.worker();
		let mining = Mining(&state);
		let session = if fits { mining.session(&key).await? } else { None };
		let open = match &session {
			Some(session) => mining.open(&key, session).await?,
			None => None,
		};
		self.metrics.deadline.set(open.map_or(0, |open| open.seconds_left()));
		self.metrics.tip.set(tip.number.into());
		self.seen = Some(Seen { state, session, open, fits });
		self.moved = Instant::now();
		self.stale = self.stale.saturating_add(1);
		Ok(open)
	}

	fn noted(&mut self, challenge: &Challenge) -> Result<Option<Answer>, MiningError> {
		Ok(self.book.find(challenge)?)
	}

	fn note(&mut self, answer: &Answer) -> Result<(), MiningError> {
		Ok(self.book.add(answer)?)
	}

	fn run(&mut self) -> Run {
		self.kernel.run()
	}

	fn start(&mut self, challenge: Challenge, budget: Budget) {
		self.kernel.start(challenge, budget);
	}

	fn stop(&mut self) {
		self.kernel.stop();
	}

	fn sign(&mut self, challenge: Challenge, iterations: u64) -> Answer {
		Answer::sign(&self.keys.chain, &self.keys.identity, challenge, iterations)
	}

	/// At most once for each newest block: what the pool has, it keeps.
	async fn submit(&mut self, answer: &Answer) -> Result<Submission, MiningError> {
		let challenge = answer.challenge();
		let Some(seen) = &self.seen else { return Ok(Submission::Refused("no block".into())) };
		let block = seen.state.block;
		let before = match &self.submitted {
			Some((at, of, submission, _)) if *at == block && *of == challenge => {
				return Ok(submission.clone());
			}
			Some((_, of, _, before)) if *of == challenge => before.saturating_add(1),
			_ => 0,
		};
		let call = Heartbeat::from(answer);
		let submission = self.chain.publish(&seen.state, PALLET, HEARTBEAT, &call).await?;
		self.submitted = Some((block, challenge, submission.clone(), before));
		Ok(submission)
	}
}
