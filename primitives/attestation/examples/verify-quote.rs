//! Verifies a quote and prints the verdict as JSON.
//!
//! ```sh
//! cargo run -p phala-attestation --example verify-quote -- QUOTE COLLATERAL.json --now SECONDS [--root DER]
//! ```
//!
//! Prints `status`, `advisory_ids`, `fmspc`, `tee`, `tier` and more, and exits with 0; or prints `error`
//! (the rule) with `message`, and exits with 1. The tier is that of a policy that accepts no advisory, whose
//! grace never ends, and for which the collateral's evaluation numbers are in force.

use clap::Parser;
use phala_attestation::{
	Activation, Error, Policy, Quote, Role, Tier, TrustRoot, Verified, collateral::Bundle,
	verify_quote,
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::ExitCode};

/// Verifies an SGX or TDX quote and prints the verdict as JSON.
#[derive(Parser)]
struct Arguments {
	/// Quote, as the TEE returned it (binary).
	quote: PathBuf,
	/// Collateral: JSON with the fields of `sgx_ql_qve_collateral_t`, binary ones in hexadecimal.
	collateral: PathBuf,
	/// Time of verification, in Unix seconds.
	#[arg(long, value_name = "SECONDS")]
	now: u64,
	/// Certificate of the trusted root; Intel's if absent.
	#[arg(long, value_name = "DER")]
	root: Option<PathBuf>,
}

fn verify(arguments: &Arguments) -> Result<Result<Verified, Error>, String> {
	let read =
		|path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
	let quote = read(&arguments.quote)?;
	let collateral: Bundle = serde_json::from_slice(&read(&arguments.collateral)?)
		.map_err(|error| format!("{}: {error}", arguments.collateral.display()))?;
	let root = match &arguments.root {
		None => Ok(TrustRoot::INTEL),
		Some(path) => TrustRoot::from_der(&read(path)?),
	};
	let now = arguments.now;
	Ok(root.and_then(|root| {
		let quote = Quote::parse(&quote)?;
		let items = collateral.verify(&root, now)?;
		verify_quote(&quote, &items.collateral(&root), now, 0)
	}))
}

fn tier(verified: &Verified, now: u64) -> Option<u8> {
	let policy = Policy {
		accepted_advisories: Default::default(),
		grace: u64::MAX,
		min_evaluation_number: 0,
		ttl: u64::MAX,
		worst_worker: Tier::Five,
		worst_gatekeeper: Tier::Two,
	};
	let appraised = &verified.appraised;
	let in_force = Activation {
		evaluation_number: appraised.tcb_evaluation_number.max(appraised.qe_evaluation_number),
		at: 0,
		newest_level: 0,
	};
	let judged = policy.appraise(Role::Worker, appraised, &[in_force], now, now);
	judged.ok().map(|(tier, _)| tier as u8)
}

fn report(verified: &Verified, now: u64) -> Value {
	let advisories: Vec<_> = verified.appraised.advisory_ids.iter().map(|id| id.as_str()).collect();
	json!({
		"status": verified.appraised.status.to_string(),
		"advisory_ids": advisories,
		"fmspc": verified.evidence.fmspc.to_string(),
		"tee": verified.evidence.tee.to_string(),
		"tier": tier(verified, now),
		"tcb_evaluation_number": verified.appraised.tcb_evaluation_number,
		"qe_evaluation_number": verified.appraised.qe_evaluation_number,
		"measurement": hex::encode(verified.measurement),
		"report_data": hex::encode(verified.report_data),
		"valid_until": verified.appraised.valid_until,
	})
}

fn main() -> ExitCode {
	let arguments = Arguments::parse();
	let (value, code) = match verify(&arguments) {
		Err(message) => (json!({ "error": "Input", "message": message }), ExitCode::from(2)),
		Ok(Err(error)) => (
			json!({ "error": error.rule().name(), "message": error.to_string() }),
			ExitCode::FAILURE,
		),
		Ok(Ok(verified)) => (report(&verified, arguments.now), ExitCode::SUCCESS),
	};
	println!("{value:#}");
	code
}
