//! The loop: step after step, and nodes that fail.

use crate::{
	engine::{Progress, World, step},
	metrics::Metrics,
	world::{Real, WorldError},
};
use phala_node_common::{
	backoff::Backoff,
	chain::{Chain, ChainError, Turn},
	shutdown::Shutdown,
};
use phala_primitives::ChainId;
use std::time::Duration;

/// The nodes that are tried in turn.
pub struct Nodes {
	urls: Vec<String>,
	turn: Turn,
	metrics: Metrics,
	shutdown: Shutdown,
}

impl Nodes {
	/// Of these addresses.
	pub fn new(urls: Vec<String>, metrics: Metrics, shutdown: Shutdown) -> Self {
		Self { urls, turn: Turn::default(), metrics, shutdown }
	}

	/// Connects to the next one that answers, and that is on the chain `on` if it has to be a certain one.
	/// `None` if the program shall end.
	pub async fn connect(&mut self, on: Option<ChainId>) -> Option<Chain> {
		let (metrics, mut backoff) = (&self.metrics, Backoff::default());
		let failed = |error: &ChainError| {
			metrics.connected.set(0);
			metrics.failures.with_label_values(&["chain"]).inc();
			tracing::warn!(%error, "trying again");
		};
		let (turn, shutdown) = (&mut self.turn, &self.shutdown);
		let connect = Chain::connect_any(&self.urls, on, turn, &mut backoff, shutdown, failed);
		let chain = connect.await;
		metrics.connected.set(chain.is_some().into());
		chain
	}
}

/// Registers, renews and does what else is wanted, looking every `poll` while nothing is to be done, until
/// the program ends. With `once`, until nothing is left to do; only nodes may fail then.
pub async fn keep(
	world: &mut Real,
	nodes: &mut Nodes,
	poll: Duration,
	once: bool,
) -> Result<(), WorldError> {
	let (metrics, shutdown) = (nodes.metrics.clone(), nodes.shutdown.clone());
	drive(world, poll, once, &metrics, &shutdown, async |world: &mut Real| {
		let Some(chain) = nodes.connect(Some(world.chain_id())).await else { return false };
		world.reconnect(chain);
		true
	})
	.await
}

/// See [`keep`]. `reconnect` is false if the program shall end.
async fn drive<W: World<Error = WorldError>>(
	world: &mut W,
	poll: Duration,
	once: bool,
	metrics: &Metrics,
	shutdown: &Shutdown,
	mut reconnect: impl AsyncFnMut(&mut W) -> bool,
) -> Result<(), WorldError> {
	let mut failures = Backoff::new(Duration::from_secs(3), Duration::from_secs(300));
	loop {
		let Some(progress) = shutdown.or(step(world)).await else { return Ok(()) };
		match progress {
			Ok(Progress::Done(_) | Progress::Again) => failures.reset(),
			Ok(Progress::Idle { .. }) if once => {
				tracing::info!("nothing is left to do for now");
				return Ok(());
			}
			Ok(Progress::Idle { seconds }) => {
				failures.reset();
				if !shutdown.sleep(poll.min(Duration::from_secs(seconds))).await {
					return Ok(());
				}
			}
			Err(WorldError::Interrupted) => return Ok(()),
			Err(error) => {
				metrics.failures.with_label_values(&[error.kind()]).inc();
				let is_of_connection = error.is_of_connection();
				if once && !is_of_connection {
					return Err(error);
				}
				let delay = failures.delay(&mut rand::thread_rng());
				tracing::error!(%error, retry_in = delay.as_secs(), "attestation failed");
				if !shutdown.sleep(delay).await {
					return Ok(());
				}
				if is_of_connection && !reconnect(world).await {
					return Ok(());
				}
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		engine::Prepared,
		journal::{Pending, Purpose},
		plan::{Action, Registered, View, Wish},
	};
	use phala_node_common::{chain::Outcome, metrics::Registry, shutdown};
	use phala_primitives::BlockRef;

	/// A program that has nothing to do, over nodes of which the first stands still.
	#[derive(Default)]
	struct Fake {
		nodes_left: usize,
		looks: usize,
		foreign: bool,
	}

	impl World for Fake {
		type Error = WorldError;

		async fn look(&mut self) -> Result<View, WorldError> {
			self.looks += 1;
			if self.nodes_left == 0 {
				return Err(ChainError::Stalled { url: "ws://first".into() }.into());
			}
			let worker = Registered {
				is_ours: !self.foreign,
				counts: true,
				attested_at: 0,
				expires_at: 1_000_000,
				scored_at: Some(1),
				endpoint: None,
				endpoint_sequence: 0,
			};
			let block = BlockRef { number: 7, hash: Default::default() };
			Ok(View { block, now: 0, nonce: 0, worker: Some(worker), rests_until: 0 })
		}

		fn wish(&self) -> Wish {
			Wish::default()
		}

		fn noted(&mut self) -> Result<Option<Pending>, WorldError> {
			Ok(None)
		}

		fn note(&mut self, _: Option<&Pending>) -> Result<(), WorldError> {
			unreachable!("nothing is sent")
		}

		fn rest(&mut self, _: u64) {
			unreachable!("no renewal is due")
		}

		async fn prepare(&mut self, _: &Action, _: &View) -> Result<Prepared, WorldError> {
			unreachable!("nothing is to be done")
		}

		async fn conclude(&mut self, _: &Pending) -> Result<Outcome, WorldError> {
			unreachable!("nothing is sent")
		}

		fn fail(&mut self, _: Purpose, _: &Outcome) -> WorldError {
			unreachable!("nothing is sent")
		}

		fn foreign(&mut self) -> WorldError {
			WorldError::Foreign
		}
	}

	/// What it ends with within an hour.
	async fn hour(fake: &mut Fake, once: bool) -> Option<Result<(), WorldError>> {
		let metrics = Metrics::new(&Registry::new()).unwrap();
		let (_trigger, shutdown) = shutdown::pair();
		let poll = Duration::from_secs(30);
		let driven = drive(fake, poll, once, &metrics, &shutdown, async |fake: &mut Fake| {
			fake.nodes_left += 1;
			true
		});
		tokio::time::timeout(Duration::from_secs(3_600), driven).await.ok()
	}

	#[tokio::test(start_paused = true)]
	async fn a_node_that_stands_still_is_left_for_the_next() {
		let mut fake = Fake::default();
		assert!(matches!(hour(&mut fake, true).await, Some(Ok(()))));
		assert_eq!((fake.nodes_left, fake.looks), (1, 2));
		let mut fake = Fake::default();
		assert!(hour(&mut fake, false).await.is_none(), "it goes on");
		assert_eq!(fake.nodes_left, 1);
		assert!((100..=121).contains(&fake.looks), "{} looks in an hour", fake.looks);
	}

	#[tokio::test(start_paused = true)]
	async fn what_no_node_can_change_ends_it_only_once() {
		let mut fake = Fake { nodes_left: 1, foreign: true, ..Fake::default() };
		assert!(matches!(hour(&mut fake, true).await, Some(Err(WorldError::Foreign))));
		assert!(hour(&mut fake, false).await.is_none(), "it tries again");
		assert_eq!(fake.nodes_left, 1);
	}
}
