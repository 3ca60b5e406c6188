//! What the program tells Prometheus about keys. What it tells about its attestation has the worker's
//! names (`phala_worker_…`).

use crate::{
	engine::{Done, Progress},
	report::Report,
};
use phala_node_common::{
	chain::Submission,
	metrics::{
		Counter, CounterVec, Gauge, PrometheusError, Registry, U64, counters, gauge, register,
	},
};

/// The metrics.
#[derive(Clone)]
pub struct Metrics {
	/// 1 while a node is connected.
	pub connected: Gauge<U64>,
	/// Newest final block that was looked at.
	pub finalised: Gauge<U64>,
	/// Newest final block of the relay chain; 0 without one.
	pub relay: Gauge<U64>,
	/// By how much its time differs from this machine's clock.
	pub age: Gauge<U64>,
	/// 1 while the newest final block is not acted on.
	pub distrust: Gauge<U64>,
	/// Epoch of the current key, plus one; 0 without a key.
	pub epoch: Gauge<U64>,
	/// Number of the ceremony under way, plus one; 0 without one.
	pub ceremony: Gauge<U64>,
	/// Its phase: 1 committing to 8 clearing; 0 without one.
	pub phase: Gauge<U64>,
	/// Relay-chain blocks until the phase ends.
	pub remaining: Gauge<U64>,
	/// Messages that the phase awaits of this gatekeeper.
	pub owed: Gauge<U64>,
	/// Seats in keys in use.
	pub seats: Gauge<U64>,
	/// Of them, those without a share here.
	pub missing: Gauge<U64>,
	/// Requests that wait for an answer of this gatekeeper.
	pub waiting: Gauge<U64>,
	/// Guards that this gatekeeper waits for.
	pub guards: Gauge<U64>,
	/// Answers that were made.
	pub answers: Counter<U64>,
	/// Messages that were handed to the pool.
	pub messages: CounterVec<U64>,
	/// Faulty dealings that were found.
	pub faulty: Counter<U64>,
	/// Shares that were taken.
	pub taken: Counter<U64>,
	/// Shares and secrets that were erased.
	pub erased: Counter<U64>,
	/// Failures, by what failed.
	pub failures: CounterVec<U64>,
}

impl Metrics {
	/// Registers them.
	pub fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let of = |name: &str, help| gauge(registry, &format!("phala_gatekeeper_{name}"), help);
		let counter = |name: &str, help: &str| {
			register(Counter::new(format!("phala_gatekeeper_{name}"), help)?, registry)
		};
		Ok(Self {
			connected: of("connected", "1 while a node is connected")?,
			finalised: of("finalised_height", "Newest final block that was looked at")?,
			relay: of("relay_finalised_height", "Newest block that the relay chain made final")?,
			age: of("finalised_age_seconds", "Difference of its time and this machine's clock")?,
			distrust: of("distrust", "1 while the newest final block is not acted on")?,
			epoch: of("epoch", "Epoch of the current key plus one; 0 without a key")?,
			ceremony: of("ceremony", "Number of the ceremony under way plus one; 0 without one")?,
			phase: of("phase", "Its phase, 1 (committing) to 8 (clearing); 0 without one")?,
			remaining: of("phase_remaining_blocks", "Relay-chain blocks until the phase ends")?,
			owed: of("owed_messages", "Messages that the phase awaits of this gatekeeper")?,
			seats: of("seats", "Seats of this gatekeeper in keys in use")?,
			missing: of("missing_shares", "Of them, those whose share is not here")?,
			waiting: of("waiting_requests", "Requests that wait for this gatekeeper's answer")?,
			guards: of("waiting_guards", "Guards of shares that this gatekeeper waits for")?,
			answers: counter("answers_total", "Answers to requests that were made")?,
			messages: counters(
				registry,
				"phala_gatekeeper_messages_total",
				"Messages handed to the pool, repetitions included",
				&["call", "outcome"],
			)?,
			faulty: counter("faulty_dealings_total", "Faulty dealings that were found")?,
			taken: counter("shares_taken_total", "Shares that were taken")?,
			erased: counter("erased_total", "Shares and secrets that were erased")?,
			failures: counters(
				registry,
				"phala_gatekeeper_failures_total",
				"Failures, after each of which the program tried again",
				&["what"],
			)?,
		})
	}

	/// What a step did and saw.
	pub fn note(&self, progress: &Progress, report: &Report) {
		self.distrust.set(0);
		self.finalised.set(report.block.into());
		self.age.set(report.age);
		self.epoch.set(report.epoch.map_or(0, |epoch| u64::from(epoch).saturating_add(1)));
		let ceremony = report.ceremony.as_ref();
		self.ceremony.set(ceremony.map_or(0, |one| one.number.saturating_add(1)));
		self.phase.set(ceremony.map_or(0, |one| one.phase.into()));
		let remaining = ceremony.and_then(|one| one.remaining).unwrap_or(0);
		self.remaining.set(remaining.into());
		self.owed.set(ceremony.map_or(0, |one| one.owed.len() as u64));
		self.seats.set(report.keys.iter().filter(|key| key.seat.is_some()).count() as u64);
		self.missing.set(report.missing() as u64);
		self.waiting.set(report.waiting as u64);
		self.guards.set(report.guards.len() as u64);
		for done in &progress.done {
			match done {
				Done::Published(message, submission) => {
					let outcome = match submission {
						Submission::Accepted => "accepted",
						Submission::Refused(_) => "refused",
					};
					self.messages.with_label_values(&[message.call(), outcome]).inc();
				}
				Done::Answered(made) => self.answers.inc_by(*made),
				Done::Examined(_, _, faulty) => self.faulty.inc_by((*faulty).into()),
				Done::Took(_) => self.taken.inc(),
				Done::Erased(_) => self.erased.inc(),
				Done::Joined(_)
				| Done::Lost(..)
				| Done::Missed(..)
				| Done::Holds(_)
				| Done::Guarded(_)
				| Done::Resealed(_) => {}
			}
		}
	}
}
