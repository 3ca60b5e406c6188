//! Keeps the gatekeeper attested: the worker's engine, in the role of a gatekeeper, without scores and
//! endpoints.

use phala_attestation::Role;
use phala_node_common::{chain::Account, keystore::Keys, shutdown::Shutdown, tee::QuoteProvider};
use phala_worker::{
	attest::{self, Nodes},
	collateral::Source,
	journal::Journal,
	metrics::Metrics,
	mining::kernel::Machine,
	plan::Wish,
	settings::Settings,
	world::{Own, Real},
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
	let mut nodes = Nodes::new(settings.rpc_url, metrics.clone(), shutdown.clone());
	let Some(chain) = nodes.connect(Some(keys.chain)).await else { return };
	let own = Own {
		role: Role::Gatekeeper,
		tee,
		keys,
		account,
		source,
		journal: Journal::new(&settings.state_dir),
		threads: 1,
		machine: Machine::default(),
		metrics,
		shutdown,
	};
	let wish = Wish { endpoint: None, score_after: None, no_score: true };
	let mut world = Real::new(own, chain, wish);
	let poll = Duration::from_secs(settings.poll_seconds);
	if let Err(error) = attest::keep(&mut world, &mut nodes, poll, false).await {
		tracing::error!(%error, "attestation ended");
	}
}
