//! What the program tells Prometheus.

use phala_node_common::metrics::{
	Counter, CounterVec, F64, Gauge, GaugeVec, PrometheusError, Registry, U64, counters, fraction,
	gauge, gauges, register,
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
	/// 1 for the state that the mining session is in, 0 for the others.
	pub session_state: GaugeVec<U64>,
	/// V of the session, in PHA.
	pub v: Gauge<F64>,
	/// Stake behind the session, in PHA.
	pub stake: Gauge<F64>,
	/// What a stop now would lose of the stake, in PHA.
	pub at_risk: Gauge<F64>,
	/// What is left of the session's promise, 0 to 1.
	pub health: Gauge<F64>,
	/// The session's part of what all workers earn, 0 to 1.
	pub share: Gauge<F64>,
	/// Performance of the last answer, as a part of the benchmark.
	pub performance: Gauge<F64>,
	/// What an answer now would pay to the pool, in PHA.
	pub pending: Gauge<F64>,
	/// 1 for each reason why the worker is not paid in full.
	pub unpaid: GaugeVec<U64>,
	/// Paid to the pool since this program started, in PHA.
	pub paid: Counter<F64>,
	/// Challenges, by what became of them.
	pub challenges: CounterVec<U64>,
	/// Seconds left to answer the open challenge; 0 if none is open.
	pub deadline: Gauge<U64>,
	/// Newest block that challenges are looked for in.
	pub tip: Gauge<U64>,
}

impl Metrics {
	/// Registers them.
	pub fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let of = |name: &str, help| gauge(registry, &format!("phala_worker_{name}"), help);
		let fraction_of =
			|name: &str, help| fraction(registry, &format!("phala_worker_{name}"), help);
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
			session_state: gauges(
				registry,
				"phala_worker_session_state",
				"1 for the state that the mining session is in",
				&["state"],
			)?,
			v: fraction_of("session_v_pha", "V of the mining session")?,
			stake: fraction_of("session_stake_pha", "Stake behind the mining session")?,
			at_risk: fraction_of("session_at_risk_pha", "What a stop now would lose of the stake")?,
			health: fraction_of("session_health", "What is left of the session's promise, 0 to 1")?,
			share: fraction_of("session_share", "Part of what all workers earn, 0 to 1")?,
			performance: fraction_of(
				"session_performance",
				"Performance of the last answer, as a part of the benchmark",
			)?,
			pending: fraction_of(
				"pending_rewards_pha",
				"What an answer now would pay to the pool",
			)?,
			unpaid: gauges(
				registry,
				"phala_worker_unpaid",
				"1 for each reason why the worker is not paid in full",
				&["reason"],
			)?,
			paid: register(
				Counter::new(
					"phala_worker_paid_pha_total",
					"Paid to the pool, in finalised blocks since this program started",
				)?,
				registry,
			)?,
			challenges: counters(
				registry,
				"phala_worker_challenges_total",
				"Challenges in finalised blocks, by what became of them",
				&["outcome"],
			)?,
			deadline: of(
				"challenge_deadline_seconds",
				"Time left to answer; 0 if nothing is asked",
			)?,
			tip: of("tip_height", "Newest block in which challenges are looked for")?,
		})
	}
}
