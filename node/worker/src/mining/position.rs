//! How the worker stands, in words and in metrics, and what to do if it is not paid.

use super::pallet::{Session, SessionState, Settlement};
use crate::metrics::Metrics;
use std::fmt;
use subxt::ext::scale_value::{Composite, Primitive, Value, ValueDef};

/// Planck of a PHA.
pub const PHA: u128 = 1_000_000_000_000;
/// Parts of one, as the chain counts them.
const PARTS: u64 = 1_000_000_000_000_000_000;

/// An amount in PHA, rounded down to a millionth.
pub fn pha(planck: u128) -> String {
	format!("{}.{:06} PHA", planck / PHA, planck % PHA / 1_000_000)
}

/// For metrics, where a rounding of the 16th digit does no harm.
pub fn pha_float(planck: u128) -> f64 {
	planck as f64 / PHA as f64
}

/// A part of one as a fraction.
pub fn part_float(parts: u64) -> f64 {
	parts as f64 / PARTS as f64
}

/// A reason why the worker is not paid in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
	/// As the runtime names it.
	pub name: String,
	/// Numbers that come with it.
	pub details: Vec<(String, u64)>,
}

impl Reason {
	/// Of the runtime's answer.
	pub fn of<T>(value: &Value<T>) -> Self {
		let ValueDef::Variant(variant) = &value.value else {
			return Self { name: "Unknown".into(), details: vec![] };
		};
		let details = match &variant.values {
			Composite::Named(fields) => fields
				.iter()
				.filter_map(|(name, value)| Some((name.clone(), number(value)?)))
				.collect(),
			Composite::Unnamed(_) => vec![],
		};
		Self { name: variant.name.clone(), details }
	}

	fn detail(&self, name: &str) -> Option<u64> {
		self.details.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
	}

	/// Whether it is worth an operator's attention: something that they can change.
	pub fn is_operators(&self) -> bool {
		!matches!(
			self.name.as_str(),
			"AwaitsAnswer" | "Capped" | "PotIsEmpty" | "NoBudget" | "NobodyIsDrawn"
		)
	}

	/// What to do about it.
	pub fn remedy(&self) -> &'static str {
		match self.name.as_str() {
			"NoSession" => {
				"have a pool start it: `phala-worker key` prints what the pool's owner needs"
			}
			"Ended" => "reclaim its stake when it has cooled down, then have a pool start it again",
			"Unresponsive" => {
				"keep it and its node online: after the probation it is asked, and one answer in time \
				 brings it back"
			}
			"AwaitsAnswer" => "nothing: the answer settles what it earned",
			"NotAttested" => "the attestation does not count: see the check `attestation`",
			"AttestationLapsed" => {
				"the attestation had a gap: this interval pays nothing, the next answer earns again"
			}
			"NoShare" => {
				"its last answer came without an attestation: the next one with it earns again"
			}
			"Capped" => "nothing: the network is so small that the cap per hour binds",
			"Quality" => {
				"patch the platform for a better tier; leave the machine to the worker, as its answers \
				 show less than its benchmark"
			}
			"NobodyIsDrawn" => {
				"nothing: the relay chain gave no randomness, or a halt keeps answers out"
			}
			"PotIsEmpty" | "NoBudget" => "nothing: the chain has nothing to pay now",
			_ => "see docs/mining.md of a newer version",
		}
	}
}

impl fmt::Display for Reason {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.name)?;
		if let Some(paid) = self.detail("paid") {
			write!(f, " (paid {:.1} %)", part_float(paid) * 100.0)?;
		}
		if let Some(probation) = self.detail("probation") {
			write!(f, " (asked again in {} min)", probation / 10)?;
		}
		if let Some(until) = self.detail("until") {
			write!(f, " (until relay-chain block {until})")?;
		}
		Ok(())
	}
}

/// The number in a value, also inside of newtypes.
fn number<T>(value: &Value<T>) -> Option<u64> {
	match &value.value {
		ValueDef::Primitive(Primitive::U128(number)) => u64::try_from(*number).ok(),
		ValueDef::Composite(fields) if fields.len() == 1 => number(fields.values().next()?),
		_ => None,
	}
}

/// How the worker stands after a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
	/// Its session.
	pub session: Option<Session>,
	/// What an answer now would settle.
	pub pending: Option<Settlement>,
	/// What keeps it from being paid in full.
	pub unpaid: Vec<Reason>,
}

/// Names of the states, as metrics and logs show them.
pub const STATES: [&str; 5] = ["none", "computing", "unresponsive", "stopping", "cooling_down"];

/// Name of a session's state.
pub fn state_name(session: Option<&Session>) -> &'static str {
	match session.map(|session| session.info.state) {
		None => "none",
		Some(SessionState::Computing) => "computing",
		Some(SessionState::Unresponsive { .. }) => "unresponsive",
		Some(SessionState::Stopping) => "stopping",
		Some(SessionState::CoolingDown { .. }) => "cooling_down",
	}
}

impl Position {
	/// Shows it in the metrics.
	pub fn show(&self, metrics: &Metrics) {
		let state = state_name(self.session.as_ref());
		for name in STATES {
			metrics.session_state.with_label_values(&[name]).set((name == state).into());
		}
		let session = self.session.as_ref();
		let amount = |of: fn(&Session) -> u128| session.map_or(0.0, |one| pha_float(of(one)));
		metrics.v.set(amount(|session| session.v));
		metrics.stake.set(amount(|session| session.info.stake));
		metrics.at_risk.set(amount(|session| session.at_risk));
		metrics.health.set(session.map_or(0.0, |session| part_float(session.info.health)));
		metrics.share.set(session.map_or(0.0, |session| part_float(session.part)));
		metrics.performance.set(session.map_or(0.0, |session| session.performance as f64 / 1e6));
		metrics.pending.set(self.pending.as_ref().map_or(0.0, |pending| pha_float(pending.pool)));
		metrics.unpaid.reset();
		for reason in &self.unpaid {
			metrics.unpaid.with_label_values(&[&reason.name]).set(1);
		}
	}
}

impl fmt::Display for Position {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Some(session) = &self.session else { return f.write_str("no session") };
		write!(
			f,
			"session {} {}, stake {}, V {}, health {:.2} %, share {:.4} %",
			session.id,
			state_name(Some(session)),
			pha(session.info.stake),
			pha(session.v),
			part_float(session.info.health) * 100.0,
			part_float(session.part) * 100.0
		)?;
		if let Some(pending) = &self.pending {
			write!(f, ", pending {}", pha(pending.pool))?;
		}
		Ok(())
	}
}

#[cfg(test)]
pub mod tests {
	use super::*;
	use phala_node_common::metrics::Registry;

	/// A session in this state.
	pub fn session(state: SessionState) -> Session {
		Session {
			id: 7,
			info: super::super::pallet::SessionInfo {
				stake: 5_000 * PHA,
				state,
				health: PARTS / 10 * 9,
			},
			bench: 400,
			v: 6_500 * PHA + PHA / 2,
			performance: 940_000,
			at_risk: 50 * PHA,
			part: PARTS / 8,
			challenged_at: None,
		}
	}

	/// A reason without details.
	pub fn reason(name: &str) -> Reason {
		Reason { name: name.into(), details: vec![] }
	}

	#[test]
	fn a_position_is_shown_in_words_and_metrics() {
		let registry = Registry::new();
		let metrics = Metrics::new(&registry).unwrap();
		let position = Position {
			session: Some(session(SessionState::Computing)),
			pending: Some(Settlement { gross: 3 * PHA, pool: 2 * PHA }),
			unpaid: vec![reason("Capped")],
		};
		position.show(&metrics);
		let shown = |name| metrics.session_state.with_label_values(&[name]).get();
		assert_eq!(STATES.map(shown), [0, 1, 0, 0, 0]);
		assert_eq!((metrics.v.get(), metrics.health.get()), (6_500.5, 0.9));
		assert_eq!((metrics.share.get(), metrics.performance.get()), (0.125, 0.94));
		assert_eq!((metrics.pending.get(), metrics.stake.get()), (2.0, 5_000.0));
		assert_eq!(metrics.at_risk.get(), 50.0);
		assert_eq!(metrics.unpaid.with_label_values(&["Capped"]).get(), 1);
		assert_eq!(
			position.to_string(),
			"session 7 computing, stake 5000.000000 PHA, V 6500.500000 PHA, health 90.00 %, \
			 share 12.5000 %, pending 2.000000 PHA"
		);

		// Nothing of it stays when the session is gone.
		let gone = Position { session: None, pending: None, unpaid: vec![reason("NoSession")] };
		gone.show(&metrics);
		assert_eq!(STATES.map(shown), [1, 0, 0, 0, 0]);
		assert_eq!((metrics.v.get(), metrics.pending.get()), (0.0, 0.0));
		let text = phala_node_common::metrics::prometheus::prometheus::TextEncoder::new()
			.encode_to_string(&registry.gather())
			.unwrap();
		assert!(!text.contains("reason=\"Capped\""), "{text}");
		assert!(text.contains("phala_worker_unpaid{reason=\"NoSession\"} 1"), "{text}");
	}

	#[test]
	fn reasons_are_read_from_the_runtimes_answer() {
		let value = |name: &str, fields: Vec<(&str, u128)>| {
			let fields = fields.into_iter().map(|(name, number)| {
				// As a newtype, like parts of one.
				(name.to_string(), Value::unnamed_composite([Value::u128(number)]))
			});
			Value::named_variant(name, fields)
		};
		let reason = Reason::of(&value("Quality", vec![("paid", 940_000_000_000_000_000)]));
		assert_eq!(reason.to_string(), "Quality (paid 94.0 %)");
		let reason = Reason::of(&value("Unresponsive", vec![("since", 9), ("probation", 600)]));
		assert_eq!(reason.to_string(), "Unresponsive (asked again in 60 min)");
		let reason = Reason::of(&value("Ended", vec![("until", 77)]));
		assert_eq!(reason.to_string(), "Ended (until relay-chain block 77)");
		// One that a newer runtime has.
		let reason = Reason::of(&value("FullMoon", vec![]));
		assert_eq!(reason.to_string(), "FullMoon");
		assert!(reason.is_operators() && reason.remedy().contains("newer version"));
	}
}
