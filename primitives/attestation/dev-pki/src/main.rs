//! `phala-dev-pki`: the development PKI and its quoting enclave, from a shell.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
	match cli::Cli::parse().run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		}
	}
}
