//! Keeps a node from running one chain on the data of another.
//!
//! A node that finds a database takes its genesis from there and ignores the chain specification's.
//! Where the two differ, as after a new local network, it would follow a chain that nobody else has.
//! So the node leaves a digest of its genesis beside the database and compares it at each start.

use codec::Encode;
use polkadot_omni_node_lib::chain_spec::LoadSpec;
use sc_cli::{CliConfiguration, RunCmd};
use sc_service::BasePath;
use sp_core::{Blake2Hasher, Hasher};
use std::{fs, io, path::Path};

/// Name of the file with the digest.
const FILE: &str = "genesis";

/// Compares the chain that a node is about to run with the data that it is about to run on.
/// `executable` names the folder that is used when no other is asked for.
pub fn check(run: &RunCmd, executable: &str, chains: &impl LoadSpec) -> sc_cli::Result<()> {
	let base_path = match run.shared_params().base_path()? {
		Some(base_path) => base_path,
		// The data goes to a temporary folder.
		None if run.tmp || run.is_dev()? => return Ok(()),
		None => BasePath::from_project("", "", executable),
	};
	let spec = chains.load_spec(&run.chain_id(run.is_dev()?)?)?;
	let digest = Blake2Hasher::hash(&spec.build_storage()?.top.encode());
	compare(&base_path.config_dir(spec.id()), &format!("{digest:?}"))
}

fn compare(directory: &Path, digest: &str) -> sc_cli::Result<()> {
	let file = directory.join(FILE);
	match fs::read_to_string(&file) {
		Ok(found) if found == digest => Ok(()),
		Ok(_) => Err(format!(
			"the data in {} is of another chain: its genesis is not the chain specification's",
			directory.display()
		)
		.into()),
		Err(error) if error.kind() == io::ErrorKind::NotFound => {
			fs::create_dir_all(directory)?;
			Ok(fs::write(file, digest)?)
		}
		Err(error) => Err(format!("{}: {error}", file.display()).into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_same_genesis_may_come_back_and_another_may_not() {
		let directory = tempfile::tempdir().expect("a temporary folder");
		let chain = directory.path().join("chains/phala");
		compare(&chain, "one").expect("fresh data is anybody's");
		compare(&chain, "one").expect("it is the same chain");
		let error = compare(&chain, "two").expect_err("it is another chain").to_string();
		assert!(error.contains("of another chain"), "{error}");
		compare(&chain, "one").expect("a refusal changes nothing");
	}
}
