//! The example `verify-quote` prints verdicts as JSON, and says by its exit code what they are.

mod common;

use common::{SAMPLES, oracle_package};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Command};

/// Exit code and output; `cargo test` builds the example beside the tests.
fn verify_quote(arguments: &[&str]) -> (i32, Value) {
	let tests = std::env::current_exe().expect("it runs");
	let folder = tests.ancestors().nth(2).expect("it lies in a folder of the profile");
	let output = Command::new(folder.join("examples").join("verify-quote"))
		.args(arguments)
		.output()
		.expect("it was built");
	let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
	(output.status.code().expect("no signal"), json)
}

fn sample(name: &str, now: u64) -> (i32, Value) {
	let folder = oracle_package().join("sample");
	let path = |name: &str| -> PathBuf { folder.join(name) };
	let (quote, collateral) = (path(name), path(&format!("{name}_collateral.json")));
	let text = |path: &PathBuf| path.to_str().expect("Unicode").to_owned();
	verify_quote(&[&text(&quote), &text(&collateral), "--now", &now.to_string()])
}

#[test]
fn verdicts_of_real_quotes() {
	let (code, verdict) = sample("sgx_quote", 1_751_000_000);
	assert_eq!(code, 0);
	assert_eq!(verdict["status"], "ConfigurationAndSWHardeningNeeded");
	assert_eq!(verdict["advisory_ids"], json!(["INTEL-SA-00289", "INTEL-SA-00615"]));
	assert_eq!((&verdict["fmspc"], &verdict["tee"]), (&json!("00A067110000"), &json!("SGX")));
	assert_eq!(verdict["tier"], 4);

	let (code, verdict) = sample("tdx_quote", 1_751_000_000);
	assert_eq!((code, &verdict["status"]), (0, &json!("UpToDate")));
	assert_eq!((&verdict["fmspc"], &verdict["tee"]), (&json!("B0C06F000000"), &json!("TDX")));
	assert_eq!(verdict["tier"], 1);
}

#[test]
fn refusals_of_real_quotes() {
	for (name, now) in SAMPLES {
		// Long after its collateral expired.
		let (code, verdict) = sample(name, now + 400 * 24 * 60 * 60);
		assert_eq!(code, 1, "{name}: {verdict}");
		assert!(verdict["error"].is_string() && verdict["message"].is_string(), "{name}");
	}
	let (code, verdict) = sample("tdx_quote_outdated", 1_772_000_000);
	assert_eq!((code, &verdict["error"]), (1, &json!("NoMatchingTcbLevel")));
	let (code, verdict) = verify_quote(&["no-such-file", "no-such-file", "--now", "0"]);
	assert_eq!((code, &verdict["error"]), (2, &json!("Input")));
}
