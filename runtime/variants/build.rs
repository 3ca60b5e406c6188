//! Builds the variants of the runtime that are asked for.

#[allow(unexpected_cfgs)] // shared with a crate that has more features
#[path = "../wasm/builder.rs"]
mod builder;

fn main() {
	if cfg!(feature = "benchmarks") {
		builder::build("phala_runtime_benchmarks", &["development", "runtime-benchmarks"]);
	}
	if cfg!(feature = "upgrade") {
		builder::build("phala_runtime_upgrade", &["development", "next-version"]);
	}
}
