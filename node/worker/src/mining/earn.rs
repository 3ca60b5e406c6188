//! The loop: blocks as they come, and nodes that fail.

use super::{
	engine::{Progress, step},
	plan::Challenge,
	world::{MiningError, Real},
};
use crate::metrics::Metrics;
use phala_node_common::{
	backoff::Backoff,
	chain::{Chain, Submission},
	shutdown::Shutdown,
};
use phala_primitives::ChainId;
use std::time::Duration;

/// Longest time for a node to answer all that a step asks: two blocks. A slow one must not cost the
/// challenge.
const STEP_TIMEOUT: Duration = Duration::from_secs(12);
/// Longest time for a connection, which brings the runtime's metadata.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Without a new block for so long, another node is tried, if there is one.
const STALL: Duration = Duration::from_secs(60);

/// Why a node is left.
#[derive(Debug, thiserror::Error)]
enum Left {
	#[error(transparent)]
	Failed(#[from] MiningError),
	#[error("the node did not answer within {} s", STEP_TIMEOUT.as_secs())]
	Slow,
	#[error("the node shows no new block for {} s: is it synced, and has it peers?", STALL.as_secs())]
	Stalled,
	#[error("the node takes the answer, but no block includes it: has the node peers?")]
	Ignored,
}

/// Answers challenges until the program ends. Nodes are tried in turn; what was computed and signed
/// stays when one fails.
pub async fn earn(mut real: Real, mut nodes: Vec<String>, metrics: Metrics, shutdown: Shutdown) {
	let id = real.chain_id();
	let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(20));
	loop {
		let followed = follow(&mut real, nodes.len() > 1, &metrics, &mut backoff);
		let Some(left) = shutdown.or(followed).await else { return };
		metrics.failures.with_label_values(&["mining"]).inc();
		tracing::warn!(reason = %left, "mining: the node is left");
		loop {
			nodes.rotate_left(1.min(nodes.len()));
			let delay = backoff.delay(&mut rand::thread_rng());
			if !shutdown.sleep(delay).await {
				return;
			}
			let Some(connected) = shutdown.or(connect(nodes.first(), &id)).await else { return };
			match connected {
				Ok(chain) => {
					real.reconnect(chain);
					break;
				}
				Err(error) => {
					metrics.failures.with_label_values(&["mining"]).inc();
					tracing::warn!(%error, "mining: trying the next node");
				}
			}
		}
	}
}

async fn connect(node: Option<&String>, id: &ChainId) -> Result<Chain, String> {
	let node = node.ok_or("no node is configured")?;
	let chain = tokio::time::timeout(CONNECT_TIMEOUT, Chain::connect(node))
		.await
		.map_err(|_| format!("{node}: no answer in time"))?
		.map_err(|error| error.to_string())?;
	if chain.id() != *id {
		return Err(format!("{node} is on another chain"));
	}
	Ok(chain)
}

/// Follows one node for as long as it is of use.
async fn follow(real: &mut Real, others: bool, metrics: &Metrics, backoff: &mut Backoff) -> Left {
	let mut failures = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));
	let mut said = None;
	loop {
		match tokio::time::timeout(STEP_TIMEOUT, step(real)).await {
			Err(_) => return Left::Slow,
			Ok(Err(error)) if error.is_of_connection() => return error.into(),
			Ok(Err(error)) => {
				metrics.failures.with_label_values(&["mining"]).inc();
				let delay = failures.delay(&mut rand::thread_rng());
				tracing::error!(%error, retry_in = delay.as_secs(), "mining: failed");
				tokio::time::sleep(delay).await;
			}
			Ok(Ok(progress)) => {
				backoff.reset();
				failures.reset();
				say(&progress, &mut said);
			}
		}
		// Never in the way of an answer: bounded, and after the step.
		match tokio::time::timeout(STEP_TIMEOUT, real.tell()).await {
			Ok(Ok(())) => {}
			Ok(Err(error)) => tracing::debug!(%error, "the position is not to be had"),
			Err(_) => return Left::Slow,
		}
		if others && real.stalled() > STALL {
			return Left::Stalled;
		}
		if others && real.is_ignored() {
			return Left::Ignored;
		}
		real.wait().await;
	}
}

/// What was said last, so that it is not said with every block.
type Said = Option<(Challenge, &'static str)>;

fn say(progress: &Progress, said: &mut Said) {
	let now = match progress {
		Progress::Rest | Progress::Computing => return,
		Progress::Dropped => {
			tracing::info!("mining: what was computed is not asked any more");
			*said = None;
			return;
		}
		Progress::Started(challenge, _) => (*challenge, "started"),
		Progress::Submitted(answer, Submission::Accepted) => (answer.challenge(), "sent"),
		Progress::Submitted(answer, Submission::Refused(_)) => (answer.challenge(), "refused"),
		Progress::TooLate(challenge) => (*challenge, "late"),
	};
	if said.replace(now) == Some(now) {
		return;
	}
	let (session, block) = (now.0.session, now.0.block.number);
	match progress {
		Progress::Started(_, budget) => {
			let seconds = budget.run.as_secs();
			tracing::info!(session, block, seconds, "mining: challenged, computing");
		}
		Progress::Submitted(answer, Submission::Accepted) => {
			let iterations = answer.statement.iterations;
			tracing::info!(session, block, iterations, "mining: answer sent");
		}
		Progress::Submitted(_, Submission::Refused(reason)) => {
			tracing::warn!(
				session, block, %reason,
				"mining: the node does not take the answer now; it is sent again with the next block"
			);
		}
		_ => tracing::warn!(
			session,
			block,
			"mining: too late to answer this challenge. Was the program or its node away?"
		),
	}
}
