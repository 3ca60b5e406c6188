//! The real providers against folders that behave like the kernel's and Gramine's.

use phala_attestation::Tee;
use phala_node_common::tee::{
	self, QuoteProvider, Sgx, Simulated, Tdx, TeeError, TeeKind, provider, quote,
};
use std::{
	fs,
	path::{Path, PathBuf},
	thread,
};
use tempfile::TempDir;

const REPORT_DATA: [u8; 64] = [7; 64];

fn recorded(tee: Tee) -> Vec<u8> {
	Simulated::new(tee, "recorded", 1).unwrap().raw_quote(&REPORT_DATA).unwrap()
}

fn refusal(provider: &dyn QuoteProvider) -> TeeError {
	quote(provider, &REPORT_DATA).unwrap_err()
}

mod sgx {
	use super::*;

	/// `/dev/attestation` of an enclave that was asked for `REPORT_DATA` before.
	fn gramine() -> TempDir {
		let folder = tempfile::tempdir().unwrap();
		fs::write(folder.path().join("attestation_type"), "dcap").unwrap();
		fs::write(folder.path().join("user_report_data"), [0; 64]).unwrap();
		fs::write(folder.path().join("quote"), recorded(Tee::Sgx)).unwrap();
		folder
	}

	#[test]
	fn a_quote_is_asked_for_and_read() {
		let folder = gramine();
		let evidence = quote(&Sgx::new(folder.path()), &REPORT_DATA).unwrap();
		assert_eq!(evidence.tee, Tee::Sgx);
		assert_eq!(evidence.quote, recorded(Tee::Sgx));
		assert_eq!(fs::read(folder.path().join("user_report_data")).unwrap(), REPORT_DATA);
	}

	#[test]
	fn padding_is_cut_off() {
		let folder = gramine();
		let padded = [recorded(Tee::Sgx), vec![0; 500]].concat();
		fs::write(folder.path().join("quote"), padded).unwrap();
		let evidence = quote(&Sgx::new(folder.path()), &REPORT_DATA).unwrap();
		assert_eq!(evidence.quote, recorded(Tee::Sgx));
	}

	#[test]
	fn gramine_direct_and_epid_are_named() {
		let folder = gramine();
		for kind in ["none", "epid"] {
			fs::write(folder.path().join("attestation_type"), kind).unwrap();
			let error = refusal(&Sgx::new(folder.path())).to_string();
			assert!(error.contains(kind) && error.contains("remote_attestation"), "{error}");
		}
	}

	#[test]
	fn missing_pseudo_files_are_named() {
		for (name, remedy) in [
			("attestation_type", "gramine-sgx"),
			("user_report_data", "gramine-sgx"),
			("quote", "aesmd"),
		] {
			let folder = gramine();
			fs::remove_file(folder.path().join(name)).unwrap();
			let error = refusal(&Sgx::new(folder.path())).to_string();
			assert!(error.contains(name) && error.contains(remedy), "{error}");
			assert!(!folder.path().join(name).exists(), "pseudo-files are never created");
		}
	}

	#[test]
	fn what_is_no_quote_of_ours_is_refused() {
		let folder = gramine();
		let path = folder.path().join("quote");
		let sgx = Sgx::new(folder.path());
		fs::write(&path, b"no quote").unwrap();
		assert!(matches!(refusal(&sgx), TeeError::Malformed(_)));
		fs::write(&path, recorded(Tee::Tdx)).unwrap();
		assert!(matches!(refusal(&sgx), TeeError::Mismatch("the format of another TEE")));
		fs::write(&path, recorded(Tee::Sgx)).unwrap();
		let error = quote(&sgx, &[8; 64]).unwrap_err();
		assert!(matches!(error, TeeError::Mismatch("other report data than asked for")));
	}
}

mod tdx {
	use super::*;

	/// What the kernel answers in one conversation.
	#[derive(Clone, Copy)]
	struct Conversation {
		/// Writes of other processes.
		foreign_writes: u64,
	}

	/// Below `report`: the two blobs are named pipes, behind which a thread answers. The generation
	/// changes between the two, as in the kernel, so that nothing depends on timing.
	struct Kernel {
		folder: TempDir,
		thread: Option<thread::JoinHandle<Vec<Vec<u8>>>>,
	}

	/// Without a process of its own: a fork would hold the ends of other tests' pipes for a moment.
	fn pipe(path: PathBuf) -> PathBuf {
		rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
		path
	}

	impl Kernel {
		fn new(provider: &'static str, quote: Vec<u8>, talk: Vec<Conversation>) -> Self {
			let folder = tempfile::tempdir().unwrap();
			let entry = folder.path().join("phala");
			fs::create_dir(&entry).unwrap();
			fs::write(entry.join("provider"), format!("{provider}\n")).unwrap();
			let generation = entry.join("generation");
			fs::write(&generation, "40\n").unwrap();
			let [inblob, outblob] = ["inblob", "outblob"].map(|name| pipe(entry.join(name)));
			let thread = thread::spawn(move || {
				let mut count = 40u64;
				let mut asked = vec![];
				for conversation in talk {
					asked.push(fs::read(&inblob).unwrap());
					count += 1 + conversation.foreign_writes;
					fs::write(&generation, format!("{count}\n")).unwrap();
					fs::write(&outblob, &quote).unwrap();
				}
				asked
			});
			Self { folder, thread: Some(thread) }
		}

		fn path(&self) -> &Path {
			self.folder.path()
		}

		fn asked(&mut self) -> Vec<Vec<u8>> {
			self.thread.take().unwrap().join().unwrap()
		}
	}

	const QUIET: Conversation = Conversation { foreign_writes: 0 };
	const CONTENDED: Conversation = Conversation { foreign_writes: 1 };

	#[test]
	fn a_quote_is_asked_for_and_read() {
		let mut kernel = Kernel::new("tdx_guest", recorded(Tee::Tdx), vec![QUIET]);
		let evidence = quote(&Tdx::new(kernel.path()), &REPORT_DATA).unwrap();
		assert_eq!((evidence.tee, evidence.quote), (Tee::Tdx, recorded(Tee::Tdx)));
		assert_eq!(kernel.asked(), [REPORT_DATA]);
	}

	#[test]
	fn an_answer_to_somebody_elses_question_is_asked_for_again() {
		let talk = vec![CONTENDED, CONTENDED, QUIET];
		let mut kernel = Kernel::new("tdx_guest", recorded(Tee::Tdx), talk);
		quote(&Tdx::new(kernel.path()), &REPORT_DATA).unwrap();
		assert_eq!(kernel.asked().len(), 3);
	}

	#[test]
	fn endless_contention_is_an_error() {
		let mut kernel = Kernel::new("tdx_guest", recorded(Tee::Tdx), vec![CONTENDED; 5]);
		let error = refusal(&Tdx::new(kernel.path()));
		assert!(matches!(error, TeeError::Contended { attempts: 5, .. }));
		assert_eq!(kernel.asked().len(), 5);
	}

	#[test]
	fn a_host_without_quoting_service_is_named() {
		let mut kernel = Kernel::new("tdx_guest", vec![], vec![QUIET]);
		let error = refusal(&Tdx::new(kernel.path())).to_string();
		assert!(error.contains("outblob") && error.contains("qgsd"), "{error}");
		kernel.asked();
	}

	#[test]
	fn other_confidential_machines_are_named() {
		let mut kernel = Kernel::new("sev_guest", vec![], vec![]);
		let error = refusal(&Tdx::new(kernel.path())).to_string();
		assert!(error.contains("sev_guest") && error.contains("tdx_guest"), "{error}");
		kernel.asked();
	}

	#[test]
	fn a_kernel_without_the_interface_is_named() {
		let error = refusal(&Tdx::new(Path::new("/nowhere"))).to_string();
		assert!(error.contains("/nowhere/phala") && error.contains("6.7"), "{error}");
		// A plain folder has no attributes.
		let folder = tempfile::tempdir().unwrap();
		let error = refusal(&Tdx::new(folder.path())).to_string();
		assert!(error.contains("provider") && error.contains("6.7"), "{error}");
	}

	#[test]
	fn the_entry_of_a_killed_process_does_not_matter() {
		// `Kernel::new` has made the entry before the provider would.
		let mut kernel = Kernel::new("tdx_guest", recorded(Tee::Tdx), vec![QUIET, QUIET]);
		for _ in 0..2 {
			quote(&Tdx::new(kernel.path()), &REPORT_DATA).unwrap();
		}
		assert_eq!(kernel.asked().len(), 2);
	}
}

mod choice {
	use super::*;

	fn choose(kind: TeeKind, tsm: &Path, attestation: &Path) -> Result<(Tee, bool), TeeError> {
		let provider = provider(kind, tsm, attestation, || Simulated::new(Tee::Sgx, "p", 0))?;
		Ok((provider.tee(), provider.is_simulated()))
	}

	#[test]
	fn auto_takes_what_is_there_and_never_simulates() {
		let folder = tempfile::tempdir().unwrap();
		let nowhere = Path::new("/nowhere");
		let error = choose(TeeKind::Auto, nowhere, folder.path()).unwrap_err().to_string();
		assert!(error.contains("/nowhere") && error.contains("--tee simulated"), "{error}");
		assert_eq!(choose(TeeKind::Auto, folder.path(), nowhere).unwrap(), (Tee::Tdx, false));
		fs::write(folder.path().join("user_report_data"), []).unwrap();
		let both = choose(TeeKind::Auto, folder.path(), folder.path()).unwrap();
		assert_eq!(both, (Tee::Sgx, false), "within an enclave, that is the TEE");
		assert_eq!(choose(TeeKind::Simulated, nowhere, nowhere).unwrap(), (Tee::Sgx, true));
	}

	#[test]
	fn simulated_programs_and_machines_differ() {
		let of = |program, platform| {
			let provider = Simulated::new(Tee::Tdx, program, platform).unwrap();
			let evidence = quote(&provider, &REPORT_DATA).unwrap();
			(evidence.measurement, evidence.quote)
		};
		assert_eq!(of("a", 0), of("a", 0), "it is deterministic");
		assert_ne!(of("a", 0).0, of("b", 0).0);
		assert_eq!(of("a", 0).0, of("a", 1).0);
		assert_ne!(of("a", 0).1, of("a", 1).1);
	}

	#[test]
	fn the_default_folders_are_the_real_ones() {
		assert_eq!(tee::TSM_DIR, "/sys/kernel/config/tsm/report");
		assert_eq!(tee::ATTESTATION_DIR, "/dev/attestation");
	}
}
