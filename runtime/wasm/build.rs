//! Builds the runtime twice: the live composition and the development one.

mod builder;

fn main() {
	builder::build("phala_runtime", &[]);
	builder::build("phala_runtime_development", &["development"]);
}
