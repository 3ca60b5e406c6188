//! Collator and full node of the Phala parachain.
//!
//! Everything a node does comes from `polkadot-omni-node-lib`; this program adds the chains that it
//! knows by name, refuses data of another chain and ports in use, and says what to do about an error.

mod chains;
mod data;
mod ports;
mod remedy;

// Links the allocator that official builds use.
#[cfg(target_os = "linux")]
extern crate polkadot_jemalloc_shim;

use chains::{Chains, PhalaRuntime};
use clap::{CommandFactory, FromArgMatches};
use polkadot_omni_node_lib::{CliConfig, RunConfig, chain_spec::LoadSpec, cli::Cli, run};
use sc_cli::{CliConfiguration, SubstrateCli};
use std::process::ExitCode;

/// What the command line says about itself.
struct PhalaNode;

impl CliConfig for PhalaNode {
	fn impl_version() -> String {
		format!("{}-{}", env!("CARGO_PKG_VERSION"), env!("SUBSTRATE_CLI_COMMIT_HASH"))
	}

	fn author() -> String {
		env!("CARGO_PKG_AUTHORS").into()
	}

	fn support_url() -> String {
		"the issue tracker of this repository".into()
	}

	fn copyright_start_year() -> u16 {
		2026
	}
}

fn main() -> ExitCode {
	match run_node() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			if let Some(remedy) = remedy::of(&error) {
				eprintln!("What to do: {remedy}.");
			}
			ExitCode::FAILURE
		}
	}
}

fn run_node() -> sc_cli::Result<()> {
	type NodeCli = Cli<PhalaNode>;
	// A command line that does not parse is the library's to complain about, as are subcommands.
	let matches = NodeCli::setup_command(NodeCli::command()).try_get_matches();
	let mut chains = Chains::default();
	if let Ok(cli) = matches.and_then(|matches| NodeCli::from_arg_matches(&matches))
		&& cli.subcommand.is_none()
	{
		let run = &cli.run.base;
		let id = run.chain_id(run.is_dev()?)?;
		// Before the genesis state, which takes a while: is there such a chain, and room for the node?
		chains.load_spec(&id)?;
		ports::check(run)?;
		chains = Chains::running(id)?;
		data::check(run, &NodeCli::executable_name(), &chains)?;
	}
	run::<PhalaNode>(RunConfig::new(Box::new(PhalaRuntime), Box::new(chains)))
}
