//! How a program begins and ends.

use std::{error::Error, process::ExitCode};

/// What the parts of a program return.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs what `prepare` makes, which reads the settings and starts the logs, and says on standard error
/// why it failed.
pub fn run<F: Future<Output = Outcome<ExitCode>>>(
	name: &str,
	prepare: impl FnOnce() -> Outcome<F>,
) -> ExitCode {
	let run = || {
		let program = prepare()?;
		let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
		runtime.block_on(program)
	};
	run().unwrap_or_else(|error| {
		eprintln!("{name}: {error}");
		ExitCode::FAILURE
	})
}
