//! Keeps the gatekeeper attested: the worker's engine, in the role of a gatekeeper, without scores and
//! endpoints.

use phala_attestation::Role;
use phala_node_common::{
	backoff::Backoff,
	chain::{Account, Chain, Turn},
	keystore::Keys,
	shutdown::Shutdown,
	tee::QuoteProvider,
};
use phala_worker::{
	collateral::Source,
	engine::{NO_GAIN_PAUSE, Progress, step},
	journal::Journal,
	metrics::Metrics,
	mining::kernel::Machine,
	plan::Wish,
	settings::Settings,
	world::{Own, Real, WorldError},
};
use std::{sync::Arc, time::Duration};

/// Registers and renews, until the program ends.
pub async fn keep(
	settings: Settings,
	tee: Arc<dyn QuoteProvider>,
	keys: Keys,
	account: Account,
	source: Source,
	metrics: Metrics,
	shutdown: Shutdown,
) {
	let (mut backoff, mut turn, id) = (Backoff::default(), Turn::default(), keys.chain);
	let mut connect = async |backoff: &mut Backoff| loop {
		let chain = Chain::connect_any(&settings.rpc_url, &mut turn, backoff, &shutdown, |error| {
			metrics.connected.set(0);
			tracing::warn!(%error, "trying again");
		});
		let chain = chain.await?;
		metrics.connected.set(1);
		if chain.id() == id {
			return Some(chain);
		}
		tracing::error!(node = chain.url(), "the node is on another chain");
		if !shutdown.sleep(backoff.delay(&mut rand::thread_rng())).await {
			return None;
		}
	};
	let Some(chain) = connect(&mut backoff).await else { return };
	let own = Own {
		role: Role::Gatekeeper,
		tee,
		keys,
		account,
		source,
		journal: Journal::new(&settings.state_dir),
		threads: 1,
		machine: Machine::default(),
		metrics: metrics.clone(),
		shutdown: shutdown.clone(),
	};
	let wish = Wish { endpoint: None, score_after: None, no_score: true };
	let mut world = Real::new(own, chain, wish);
	let mut failures = Backoff::new(Duration::from_secs(3), Duration::from_secs(300));
	loop {
		let Some(result) = shutdown.or(step(&mut world)).await else { return };
		let pause = match result {
			Ok(progress) => {
				failures.reset();
				backoff.reset();
				match progress {
					Progress::Done(_) | Progress::Again => continue,
					Progress::Idle { seconds } => {
						Duration::from_secs(settings.poll_seconds.min(seconds))
					}
					Progress::NoGain => NO_GAIN_PAUSE,
				}
			}
			Err(WorldError::Interrupted) => return,
			Err(error) => {
				metrics.failures.with_label_values(&[error.kind()]).inc();
				let delay = failures.delay(&mut rand::thread_rng());
				tracing::error!(%error, retry_in = delay.as_secs(), "attestation failed");
				if error.is_of_connection() {
					let Some(chain) = connect(&mut backoff).await else { return };
					world.reconnect(chain);
				}
				delay
			}
		};
		if !shutdown.sleep(pause).await {
			return;
		}
	}
}
