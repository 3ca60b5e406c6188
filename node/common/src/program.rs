//! How a program begins and ends.

use clap::{Parser, error::ErrorKind};
use std::{env, error::Error, ffi::OsString, io, process::ExitCode};
use tokio::runtime::{Builder, Runtime};

/// Names a command, such as `doctor`, where the arguments cannot.
pub const COMMAND_VARIABLE: &str = "PHALA_COMMAND";

/// Threads for tasks. As many as the machine has would be more than the manifest of an enclave allows.
/// What blocks one of them does so shortly: look-ups of nodes' names, writes to the disk.
const WORKERS: usize = 4;
/// Threads for what blocks for long: a quote, the benchmark, look-ups of the collateral's source. More
/// of it has to wait.
const BLOCKING: usize = 8;

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
		runtime()?.block_on(program)
	};
	run().unwrap_or_else(|error| {
		eprintln!("{name}: {error}");
		ExitCode::FAILURE
	})
}

fn runtime() -> io::Result<Runtime> {
	Builder::new_multi_thread()
		.worker_threads(WORKERS)
		.max_blocking_threads(BLOCKING)
		.enable_all()
		.build()
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		sync::atomic::{AtomicUsize, Ordering::SeqCst},
		thread,
		time::Duration,
	};
	use toml::Table;

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

	#[test]
	fn a_program_has_so_many_threads_on_every_machine() {
		static RUNNING: AtomicUsize = AtomicUsize::new(0);
		static MOST: AtomicUsize = AtomicUsize::new(0);
		let runtime = runtime().unwrap();
		assert_eq!(runtime.metrics().num_workers(), WORKERS);
		let block = || {
			MOST.fetch_max(RUNNING.fetch_add(1, SeqCst) + 1, SeqCst);
			thread::sleep(Duration::from_millis(50));
			RUNNING.fetch_sub(1, SeqCst);
		};
		let tasks: Vec<_> = (0..3 * BLOCKING).map(|_| runtime.spawn_blocking(block)).collect();
		for task in tasks {
			runtime.block_on(task).unwrap();
		}
		assert!(MOST.load(SeqCst) <= BLOCKING, "{MOST:?}");
	}

	#[test]
	fn manifests_have_what_the_programs_need() {
		const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
		for template in [
			include_str!("../../worker/deploy/phala-worker.manifest.template"),
			include_str!("../../gatekeeper/deploy/phala-gatekeeper.manifest.template"),
		] {
			let manifest: Table = template.replace("{{ threads }}", "32").parse().unwrap();
			let sgx = &manifest["sgx"];
			// The first thread, and three of Gramine's.
			let threads = usize::try_from(sgx["max_threads"].as_integer().unwrap()).unwrap();
			assert!(threads >= 1 + WORKERS + BLOCKING + 3);
			// Without it no `wss://` node has a certificate that is believed.
			let trusted = sgx["trusted_files"].as_array().unwrap();
			assert!(trusted.contains(&format!("file:{CERTIFICATES}").into()));
			let mounts = manifest["fs"]["mounts"].as_array().unwrap();
			assert!(mounts.iter().any(|mount| mount["path"].as_str() == Some(CERTIFICATES)));
			let file = &manifest["loader"]["env"]["SSL_CERT_FILE"];
			assert_eq!(file.as_str(), Some(CERTIFICATES));
			// Otherwise service managers kill it.
			let sys = &manifest["sys"];
			assert_eq!(sys["enable_sigterm_injection"].as_bool(), Some(true));
		}
	}
}
