//! Keeps a node from running one chain on the data of another.
//!
//! A node that finds a database takes its genesis from there and ignores the chain specification's.
//! Where the two differ, as after a new local network, it would follow a chain that nobody else has.
//! So the node leaves a digest of its genesis beside the database and compares it at each start. Without a
//! database the digest means nothing: whatever removes the one leaves the other behind.

use codec::Encode;
use polkadot_omni_node_lib::chain_spec::LoadSpec;
use sc_cli::{CliConfiguration, RunCmd};
use sc_service::BasePath;
use sp_core::{Blake2Hasher, Hasher};
use std::{
	fs::{self, File},
	io::{self, Write},
	path::Path,
};

/// Name of the file with the digest.
const FILE: &str = "genesis";
/// Where the SDK keeps a chain's database, by kind: RocksDB, ParityDB.
const DATABASES: [&str; 2] = ["db/full", "paritydb/full"];

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
	let mut has_data = false;
	for database in DATABASES {
		has_data |= directory.join(database).try_exists()?;
	}
	match fs::read_to_string(&file) {
		Ok(found) if found == digest => Ok(()),
		Ok(_) if has_data => Err(format!(
			"the data in {} is of another chain: its genesis is not the chain specification's",
			directory.display()
		)
		.into()),
		Err(error) if has_data && error.kind() != io::ErrorKind::NotFound => {
			Err(format!("{}: {error}", file.display()).into())
		}
		_ => Ok(mark(directory, digest)?),
	}
}

/// Writes the digest. After a crash at any point it is the old or the new one in full.
fn mark(directory: &Path, digest: &str) -> io::Result<()> {
	fs::create_dir_all(directory)?;
	let new = directory.join(format!("{FILE}.new"));
	let mut file = File::create(&new)?;
	file.write_all(digest.as_bytes())?;
	file.sync_all()?;
	fs::rename(new, directory.join(FILE))?;
	File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_same_genesis_may_come_back_and_another_may_not() {
		for database in DATABASES {
			let directory = tempfile::tempdir().expect("a temporary folder");
			let chain = directory.path().join("chains/phala");
			compare(&chain, "one").expect("fresh data is anybody's");
			fs::create_dir_all(chain.join(database)).expect("it is writable");
			compare(&chain, "one").expect("it is the same chain");
			let error = compare(&chain, "two").expect_err("it is another chain").to_string();
			assert!(error.contains("of another chain"), "{error}");
			compare(&chain, "one").expect("a refusal changes nothing");

			// As `purge-chain` does.
			fs::remove_dir_all(chain.join(database)).expect("it is there");
			compare(&chain, "two").expect("the data is gone");
			fs::create_dir_all(chain.join(database)).expect("it is writable");
			compare(&chain, "two").expect("it is the same chain");
			compare(&chain, "one").expect_err("it is another chain");
		}
	}

	#[test]
	fn a_digest_that_cannot_be_read_counts_where_there_is_data() {
		let directory = tempfile::tempdir().expect("a temporary folder");
		let chain = directory.path();
		fs::write(chain.join(FILE), [0xFF]).expect("it is writable");
		fs::create_dir_all(chain.join(DATABASES[0])).expect("it is writable");
		let error = compare(chain, "one").expect_err("it may be another chain").to_string();
		assert!(error.contains("genesis"), "{error}");
		fs::remove_dir_all(chain.join(DATABASES[0])).expect("it is there");
		compare(chain, "one").expect("there is no data");
		let files = fs::read_dir(chain).expect("it is there").count();
		assert_eq!(files, 2, "the digest, and the folder of databases");
	}
}
