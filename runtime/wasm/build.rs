//! Builds the runtime twice: the live composition and the development one.

mod builder;

fn main() {
	let production = std::env::var("OUT_DIR").is_ok_and(|dir| dir.contains("/production/"));
	if production && !cfg!(feature = "metadata-hash") {
		println!("cargo:warning=hardware wallets want --features metadata-hash in what is shipped");
	}
	builder::build("phala_runtime", &[]);
	builder::build("phala_runtime_development", &["development"]);
}
