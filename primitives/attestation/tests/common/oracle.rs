//! Where the package of the oracle is, which contains real quotes and collateral.

use std::{path::PathBuf, process::Command, sync::LazyLock};

/// Folder of the oracle's package, as cargo unpacked it.
pub fn oracle_package() -> PathBuf {
	static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
		// On a new machine, the packages of other platforms have not been downloaded.
		let version = run(Command::new("rustc").arg("-vV"));
		let host = version.lines().find_map(|line| line.strip_prefix("host: "));
		let metadata: serde_json::Value = serde_json::from_str(&run(Command::new("cargo")
			.args(["metadata", "--format-version=1", "--filter-platform", host.expect("a line")])
			.current_dir(env!("CARGO_MANIFEST_DIR"))))
		.expect("cargo prints JSON");
		let packages = metadata["packages"].as_array().expect("a list");
		let oracle = packages.iter().find(|package| package["name"] == "dcap-qvl");
		let manifest = oracle.expect("a dev-dependency")["manifest_path"].as_str();
		PathBuf::from(manifest.expect("a path")).parent().expect("a file").to_owned()
	});
	FOLDER.clone()
}

fn run(command: &mut Command) -> String {
	let output = command.output().expect("it runs this test");
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).expect("it prints text")
}
