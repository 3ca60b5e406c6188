//! Replays reference vectors: `replay FILE.json [--explain]`.
//!
//! Prints `id pass|fail|skipped(reason) actual expected` for each vector of the groups it knows, and
//! exits with 1 if one fails. With `--explain`, lines that start with `#` say where this network
//! differs from the reference on purpose.

mod calc;
mod docs;
mod gatekeeper;
mod number;
mod suite;
mod tokenomics_gk;

use std::process::ExitCode;

fn main() -> ExitCode {
	let mut arguments: Vec<_> = std::env::args().skip(1).collect();
	let explain = arguments.iter().position(|a| a == "--explain").map(|at| arguments.remove(at));
	let [path] = arguments.as_slice() else {
		eprintln!("usage: replay FILE.json [--explain]");
		return ExitCode::from(2);
	};
	let outcomes = match std::fs::read_to_string(path)
		.map_err(|error| error.to_string())
		.and_then(|text| suite::replay(&text))
	{
		Ok(outcomes) => outcomes,
		Err(error) => {
			eprintln!("{path}: {error}");
			return ExitCode::from(2);
		}
	};
	for outcome in &outcomes {
		println!("{outcome}");
		if explain.is_some() {
			outcome.notes.iter().for_each(|note| println!("# {note}"));
		}
	}
	ExitCode::from(outcomes.iter().any(|outcome| outcome.failed()) as u8)
}
