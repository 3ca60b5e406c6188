//! A JSON-RPC port that was asked for is used or refused.
//!
//! The SDK quietly takes a random port where the named one is in use, and clients would then talk to
//! whatever other node has it.

use sc_cli::{CliConfiguration, RunCmd};
use std::net::TcpListener;

/// Fails if another program listens on the port of `--rpc-port`.
pub fn check(run: &RunCmd) -> sc_cli::Result<()> {
	let Some(port) = run.rpc_params.rpc_port else { return Ok(()) };
	let endpoints = run.rpc_addr(port)?.unwrap_or_default();
	for endpoint in endpoints.iter().filter(|endpoint| !endpoint.is_optional) {
		TcpListener::bind(endpoint.listen_addr)
			.map_err(|error| format!("--rpc-port {port}: {error}"))?;
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	fn checked(port: u16) -> sc_cli::Result<()> {
		check(&RunCmd::parse_from(["phala-node", "--rpc-port", &port.to_string()]))
	}

	#[test]
	fn only_a_port_that_is_free_passes() {
		let other = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
		let port = other.local_addr().expect("it is bound").port();
		let error = checked(port).expect_err("it is taken");
		assert!(crate::remedy::of(&error).expect("there is a remedy").contains("--rpc-port"));
		drop(other);
		checked(port).expect("it is free again");
	}
}
