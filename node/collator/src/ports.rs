//! Ports that were asked for are used or refused.
//!
//! The SDK goes on where one is in use. It takes a random port for JSON-RPC, and clients would then talk to
//! whatever other node has the named one; and it does without metrics, and without peers that find it.

use sc_cli::{CliConfiguration, RunCmd};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Where peers look for a node.
const PEERS: u16 = 30333;

/// Fails if another program has the TCP port of `--rpc-port`, `--prometheus-port` or `--port`. The last has a
/// default that counts, too, but for a node with `--dev`, for which nobody looks.
pub fn check(run: &RunCmd) -> sc_cli::Result<()> {
	if let Some(port) = run.rpc_params.rpc_port {
		for endpoint in run.rpc_addr(port)?.unwrap_or_default() {
			if !endpoint.is_optional {
				free("--rpc-port", endpoint.listen_addr)?;
			}
		}
	}
	let network = &run.network_params;
	if network.listen_addr.is_empty() {
		let port = network.port.unwrap_or(if run.is_dev()? { 0 } else { PEERS });
		free("--port", (Ipv4Addr::UNSPECIFIED, port).into())?;
	}
	let metrics = &run.prometheus_params;
	if metrics.prometheus_port.is_some()
		&& let Some(config) = metrics.prometheus_config(0, String::new())
	{
		free("--prometheus-port", config.port)?;
	}
	Ok(())
}

/// Fails if nothing can listen at `address`, for which `flag` is. Port 0 is always free.
fn free(flag: &str, address: SocketAddr) -> sc_cli::Result<()> {
	TcpListener::bind(address)
		.map(drop)
		.map_err(|error| format!("{flag} {}: {error}", address.port()).into())
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	fn checked(flags: &[&str]) -> sc_cli::Result<()> {
		check(&RunCmd::parse_from([&["phala-node"][..], flags].concat()))
	}

	#[test]
	fn only_a_port_that_is_free_passes() {
		for flag in ["--rpc-port", "--port", "--prometheus-port"] {
			let other = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
			let port = other.local_addr().expect("it is bound").port().to_string();
			let flags = ["--dev", flag, &port];
			let error = checked(&flags).expect_err("it is taken");
			assert!(error.to_string().contains(&format!("{flag} {port}")), "{error}");
			assert!(crate::remedy::of(&error).expect("there is a remedy").contains(flag));
			drop(other);
			checked(&flags).expect("it is free again");
		}
	}

	#[test]
	fn peers_find_a_node_where_they_look() {
		// Or another program has it already.
		let _other = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PEERS));
		checked(&["--validator"]).expect_err("it is taken");
		checked(&["--validator", "--port", "0"]).expect("it has another");
		checked(&["--validator", "--listen-addr", "/ip4/127.0.0.1/tcp/0"]).expect("it has another");
		checked(&["--dev"]).expect("nobody looks for it");
	}
}
