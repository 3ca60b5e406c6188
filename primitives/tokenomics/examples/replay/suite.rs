//! A file of vectors, and what comes of each.

use std::{collections::BTreeMap, fmt};

use phala_tokenomics::{Budget, Fixed, PHA, Parameters};
use serde_json::Value;

use crate::{
	calc, docs,
	number::{Tolerance, constant, integer, number},
	tokenomics_gk,
};

/// What a vector gave.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
	pub id: String,
	/// `Some` if the vector was not run.
	pub skipped: Option<String>,
	/// Name, our value, the expected value, and whether they agree.
	pub fields: Vec<(String, String, String, bool)>,
	/// Where this network differs on purpose.
	pub notes: Vec<String>,
}

impl Outcome {
	pub fn failed(&self) -> bool {
		self.skipped.is_none() && (self.fields.is_empty() || self.fields.iter().any(|f| !f.3))
	}
}

impl fmt::Display for Outcome {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		if let Some(reason) = &self.skipped {
			return write!(f, "{} skipped({reason}) - -", self.id);
		}
		let list = |value: fn(&(String, String, String, bool)) -> &str| {
			let items: Vec<_> =
				self.fields.iter().map(|field| format!("{}={}", field.0, value(field))).collect();
			items.join(",")
		};
		let status = if self.failed() { "fail" } else { "pass" };
		write!(f, "{} {status} {} {}", self.id, list(|field| &field.1), list(|field| &field.2))
	}
}

/// One vector while it runs. Failed look-ups are `None`, which skips the vector.
pub struct Run<'a> {
	pub file: &'a Value,
	pub vector: &'a Value,
	pub tolerance: Tolerance,
	pub outcome: Outcome,
}

impl<'a> Run<'a> {
	pub fn input(&self, key: &str) -> Option<&'a Value> {
		self.vector.get("inputs")?.get(key)
	}

	pub fn expected(&self, key: &str) -> Option<&'a Value> {
		self.vector.get("expect")?.get(key)
	}

	pub fn has(&self, inputs: &[&str], expected: &[&str]) -> bool {
		inputs.iter().all(|key| self.input(key).is_some())
			&& expected.iter().all(|key| self.expected(key).is_some())
	}

	pub fn number(&self, key: &str) -> Option<Fixed> {
		number(self.input(key)?)
	}

	pub fn integer(&self, key: &str) -> Option<u64> {
		integer(self.input(key)?)
	}

	/// Compares within the vector's tolerance.
	pub fn close(&mut self, name: &str, actual: Fixed, expected: Fixed) {
		let holds = self.tolerance.admits(actual, expected);
		let text = |value: Fixed| format!("{value:.24}");
		self.outcome.fields.push((name.into(), text(actual), text(expected), holds));
	}

	/// Compares with the expected number of that name, if the vector has one.
	pub fn check(&mut self, name: &str, actual: Fixed) -> Option<()> {
		if let Some(expected) = self.expected(name) {
			self.close(name, actual, number(expected)?);
		}
		Some(())
	}

	/// Compares exactly.
	pub fn same<T: ToString>(&mut self, name: &str, actual: T, expected: T) {
		let (actual, expected) = (actual.to_string(), expected.to_string());
		let holds = actual == expected;
		self.outcome.fields.push((name.into(), actual, expected, holds));
	}

	pub fn note(&mut self, note: impl Into<String>) {
		self.outcome.notes.push(note.into());
	}

	pub fn skip(&mut self, reason: &str) {
		self.outcome.skipped = Some(reason.into());
	}

	/// The parameter set that the vector names, in its steps of 12 s.
	pub fn parameters(&self) -> Option<Parameters> {
		let name = self.vector.get("env").and_then(|env| env.get("param_set")?.as_str());
		parameters(self.file.get("param_sets")?.get(name.unwrap_or("phala_genesis"))?)
	}
}

fn parameters(set: &Value) -> Option<Parameters> {
	let field = |name: &str| set.get(name).and_then(|v| constant(v.as_str()?));
	let base = Parameters::gemini();
	let budget = match field("budget_per_block") {
		Some(budget) => Budget { per_block: budget.to_planck_ceil(), ..base.budget },
		None => base.budget,
	};
	Some(Parameters {
		growth: field("rho").map_or(base.growth, |rho| rho.saturating_sub(Fixed::ONE)),
		slash: field("slash_rate").unwrap_or(base.slash),
		cost_slope: field("cost_k").unwrap_or(base.cost_slope),
		cost_base: field("cost_b").unwrap_or(base.cost_base),
		rig_slope: field("rig_k").unwrap_or(base.rig_slope),
		rig_base: field("rig_b").unwrap_or(base.rig_base),
		stake_multiplier: field("re").unwrap_or(base.stake_multiplier),
		min_stake_factor: field("k").unwrap_or(base.min_stake_factor),
		v_max: field("v_max").unwrap_or(base.v_max),
		budget,
		..base
	})
}

/// Runs every vector of the groups that this crate can answer for.
pub fn replay(text: &str) -> Result<Vec<Outcome>, String> {
	let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
	let vectors = file.get("vectors").and_then(Value::as_array).ok_or("no list `vectors`")?;
	let mut outcomes = Vec::new();
	let groups: BTreeMap<_, fn(&mut Run) -> Option<()>> = BTreeMap::from([
		("tokenomics-gk", tokenomics_gk::run as fn(&mut Run) -> Option<()>),
		("pallet-calc", calc::run),
		("docs", docs::run),
	]);
	for vector in vectors {
		let text = |key: &str| vector.get(key).and_then(Value::as_str).unwrap_or_default();
		let Some(group) = groups.get(text("group")) else { continue };
		let tolerance = Tolerance::parse(text("tolerance"))
			.map_err(|error| format!("{}: {error}", text("id")))?;
		let outcome = Outcome { id: text("id").into(), ..Outcome::default() };
		let mut run = Run { file: &file, vector, tolerance, outcome };
		if group(&mut run).is_none() && !run.outcome.failed() {
			run.skip("no rule for a vector of this form");
		}
		outcomes.push(run.outcome);
	}
	Ok(outcomes)
}

/// A budget per step in PHA.
pub fn budget_per_step(parameters: &Parameters) -> Fixed {
	Fixed::from_ratio_floor(parameters.budget.per_block, PHA).unwrap_or(Fixed::ZERO)
}
