//! What the program tells Prometheus.

use phala_node_common::metrics::{
	CounterVec, Gauge, PrometheusError, Registry, U64, counters, gauge,
};

/// The metrics. All times are Unix seconds.
#[derive(Clone)]
pub struct Metrics {
	/// 1 if the chain counts the worker as attested.
	pub attested: Gauge<U64>,
	/// When the attestation expires.
	pub expires: Gauge<U64>,
	/// When the last quote was accepted.
	pub attested_at: Gauge<U64>,
	/// Performance score `P` on chain.
	pub score: Gauge<U64>,
	/// Newest finalised block that the node knows.
	pub finalised: Gauge<U64>,
	/// The chain's time at that block.
	pub chain_time: Gauge<U64>,
	/// 1 while a node is connected.
	pub connected: Gauge<U64>,
	/// Free balance of the account that pays, in thousandths of a PHA.
	pub balance: Gauge<U64>,
	/// Milliseconds that the last quote took.
	pub quote_millis: Gauge<U64>,
	/// Concluded transactions, by purpose and outcome.
	pub transactions: CounterVec<U64>,
	/// Failures, by what failed.
	pub failures: CounterVec<U64>,
}

impl Metrics {
	/// Registers them.
	pub fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let of = |name: &str, help| gauge(registry, &format!("phala_worker_{name}"), help);
		Ok(Self {
			attested: of("attested", "1 if the chain counts the worker as attested")?,
			expires: of("attestation_expires_seconds", "When the attestation expires, Unix time")?,
			attested_at: of("attested_seconds", "When the last quote was accepted, Unix time")?,
			score: of("score", "Performance score P on chain, iterations per 6 s")?,
			finalised: of("finalised_height", "Newest finalised block that the node knows")?,
			chain_time: of("chain_time_seconds", "Time of that block, Unix time")?,
			connected: of("connected", "1 while a node is connected")?,
			balance: of("balance_millipha", "Free balance of the paying account, 1/1000 PHA")?,
			quote_millis: of("quote_milliseconds", "Duration of the last quote")?,
			transactions: counters(
				registry,
				"phala_worker_transactions_total",
				"Concluded transactions",
				&["purpose", "outcome"],
			)?,
			failures: counters(
				registry,
				"phala_worker_failures_total",
				"Failures, after each of which the program tried again",
				&["what"],
			)?,
		})
	}
}
