// Shared by the build scripts that turn the runtime into Wasm.

use std::path::Path;
use substrate_wasm_builder::WasmBuilder;

/// Builds the runtime with `features`. A file `name` in `OUT_DIR` then holds the constant
/// `WASM_BINARY`.
pub fn build(name: &str, features: &[&str]) {
	let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml");
	let builder = WasmBuilder::new()
		.with_project(manifest)
		.expect("the runtime's manifest lies beside this crate")
		.export_heap_base()
		.import_memory()
		.set_file_name(name);
	#[cfg(feature = "metadata-hash")]
	let builder = builder.enable_metadata_hash("PHA", 12);
	features.iter().fold(builder, |builder, feature| builder.enable_feature(*feature)).build();
}
