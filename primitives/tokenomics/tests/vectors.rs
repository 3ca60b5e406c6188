//! The reference vectors, replayed where `PHALA_VECTORS` names their file.

#[path = "../examples/replay/calc.rs"]
mod calc;
#[path = "../examples/replay/docs.rs"]
mod docs;
#[path = "../examples/replay/gatekeeper.rs"]
mod gatekeeper;
#[path = "../examples/replay/number.rs"]
mod number;
#[path = "../examples/replay/suite.rs"]
mod suite;
#[path = "../examples/replay/tokenomics_gk.rs"]
mod tokenomics_gk;

#[test]
fn reference_vectors_hold() {
	let Some(file) = std::env::var_os("PHALA_VECTORS") else {
		eprintln!("PHALA_VECTORS is not set: the numbers relied on are in tests/table.rs");
		return;
	};
	let text = std::fs::read_to_string(&file).expect("PHALA_VECTORS names a file");
	let outcomes = suite::replay(&text).unwrap();
	let failed: Vec<_> = outcomes.iter().filter(|o| o.failed()).map(ToString::to_string).collect();
	assert!(failed.is_empty(), "{failed:#?}");
	let ran = outcomes.iter().filter(|outcome| outcome.skipped.is_none()).count();
	assert!(ran >= 30, "only {ran} of {} vectors ran", outcomes.len());
}

/// A replay that cannot fail proves nothing: one digit off is a failure.
#[test]
fn a_wrong_number_fails() {
	let vector = |delta: &str| {
		format!(
			r#"{{ "param_sets": {{ "gk_test": {{ "rho": "1.000000666600231",
				"cost_k": "0.000000015815258751856933056",
				"cost_b": "0.000033711472602739674283" }} }},
			"vectors": [{{ "id": "T", "group": "tokenomics-gk", "env": {{ "param_set": "gk_test" }},
				"inputs": {{ "v": "100", "p_bench": 50, "p_instant": 50 }},
				"expect": {{ "v": {{ "dec": "{delta}" }} }}, "tolerance": "rel<=1e-12" }}] }}"#
		)
	};
	let fails = |text: String| suite::replay(&text).unwrap()[0].failed();
	assert!(!fails(vector("100.000101162258640334")));
	assert!(fails(vector("100.000101162558640334")));
}
