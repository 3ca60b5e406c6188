//! How a program begins and ends.

use clap::{Parser, error::ErrorKind};
use std::{env, error::Error, ffi::OsString, process::ExitCode};

/// Names a command, such as `doctor`, where the arguments cannot.
pub const COMMAND_VARIABLE: &str = "PHALA_COMMAND";

/// What the parts of a program return.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Reads the arguments and, after them, the command that [`COMMAND_VARIABLE`] names. Ends the process if they are
/// wrong.
pub fn parse<C: Parser>() -> C {
	arguments(env::args_os(), env::var_os(COMMAND_VARIABLE))
		.and_then(C::try_parse_from)
		.unwrap_or_else(|error| error.exit())
}

/// The manifest of an enclave fixes the arguments, since some decide about secrets. A command does not, so
/// the host may choose one: one word, so that no option comes with it.
fn arguments(
	fixed: impl Iterator<Item = OsString>,
	command: Option<OsString>,
) -> Result<Vec<OsString>, clap::Error> {
	let command = command.filter(|word| !word.is_empty());
	let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
	if command.as_ref().is_some_and(is_option) {
		let reason = format!("{COMMAND_VARIABLE} names a command, such as doctor, and no option\n");
		return Err(clap::Error::raw(ErrorKind::InvalidSubcommand, reason));
	}
	Ok(fixed.chain(command).collect())
}

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

#[cfg(test)]
mod tests {
	use super::*;

	#[derive(clap::Parser)]
	struct Cli {
		#[arg(long, global = true)]
		tee: Option<String>,
		#[command(subcommand)]
		command: Option<Command>,
	}

	#[derive(clap::Subcommand, Debug, PartialEq)]
	enum Command {
		Doctor,
	}

	fn read(command: &str) -> Result<(Option<String>, Option<Command>), ErrorKind> {
		let fixed = ["program", "--tee", "sgx"].map(OsString::from).into_iter();
		let read = arguments(fixed, Some(command.into())).and_then(Cli::try_parse_from);
		read.map(|Cli { tee, command }| (tee, command)).map_err(|error| error.kind())
	}

	#[test]
	fn a_host_chooses_a_command_and_nothing_else() {
		assert_eq!(read(""), Ok((Some("sgx".into()), None)));
		assert_eq!(read("doctor"), Ok((Some("sgx".into()), Some(Command::Doctor))));
		for word in ["--tee=simulated", "-t", "--", "doctor --tee=simulated", "other"] {
			assert_eq!(read(word), Err(ErrorKind::InvalidSubcommand), "{word}");
		}
	}
}
