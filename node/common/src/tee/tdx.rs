//! TDs under Linux: configfs-tsm.
//!
//! Source: Linux, `Documentation/ABI/testing/configfs-tsm`. A folder that is made below `report` is
//! a conversation with the TEE: write the report data to `inblob`, read the quote from `outblob`.
//! `generation` counts writes, so that a reader notices when somebody else wrote in between.

use super::{QuoteProvider, TeeError, because};
use phala_attestation::Tee;
use std::{
	fs,
	io::{self, Write},
	path::{Path, PathBuf},
	sync::{Mutex, PoisonError},
};

const ATTEMPTS: u32 = 5;
const PROVIDER: &str = "tdx_guest";
const ABSENT: &str = "Use Linux 6.7 or newer in the TD, with the module tdx_guest loaded and \
	configfs mounted (`mount -t configfs none /sys/kernel/config`), and run as root or with access \
	to that folder";
const QUOTE_REMEDY: &str = "The TD asked its host for a quote and got none: check that the quote \
	generation service (qgsd) runs on the host, that the virtual machine has a vsock or \
	`quote-generation-socket`, and that the host reaches its PCCS";
const NO_TDX: &str = "This is another kind of confidential machine; the program needs Intel TDX or \
	SGX";

/// A TD.
#[derive(Debug)]
pub struct Tdx {
	/// The conversation's folder.
	entry: PathBuf,
	/// One conversation at a time within this process.
	conversation: Mutex<()>,
}

impl Tdx {
	/// With the reports below `folder`.
	pub fn new(folder: &Path) -> Self {
		Self { entry: folder.join("phala"), conversation: Mutex::new(()) }
	}

	fn read(&self, name: &str, remedy: &'static str) -> Result<Vec<u8>, TeeError> {
		let path = self.entry.join(name);
		fs::read(&path).map_err(because("read", &path, remedy))
	}

	fn read_text(&self, name: &str) -> Result<String, TeeError> {
		Ok(String::from_utf8_lossy(&self.read(name, ABSENT)?).trim().into())
	}

	fn generation(&self) -> Result<u64, TeeError> {
		let text = self.read_text("generation")?;
		text.parse().map_err(|_| TeeError::Unexpected {
			path: self.entry.join("generation"),
			found: text,
			expected: "a number",
			remedy: ABSENT,
		})
	}

	fn open(&self) -> Result<(), TeeError> {
		match fs::create_dir(&self.entry) {
			// Left by a process that was killed. What it wrote is overwritten.
			Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
			result => result.map_err(because("create", &self.entry, ABSENT))?,
		}
		let found = self.read_text("provider")?;
		if found != PROVIDER {
			return Err(TeeError::Unexpected {
				path: self.entry.join("provider"),
				found,
				expected: PROVIDER,
				remedy: NO_TDX,
			});
		}
		Ok(())
	}

	/// The quote, or `None` if somebody else wrote in between.
	fn converse(&self, report_data: &[u8; 64]) -> Result<Option<Vec<u8>>, TeeError> {
		let before = self.generation()?;
		let inblob = self.entry.join("inblob");
		let written = fs::OpenOptions::new()
			.write(true)
			.open(&inblob)
			.and_then(|mut file| file.write_all(report_data));
		match written {
			Err(error) if is_busy(&error) => return Ok(None),
			result => result.map_err(because("write", &inblob, ABSENT))?,
		}
		let quote = match self.read("outblob", QUOTE_REMEDY) {
			Err(TeeError::File { cause, .. }) if is_busy(&cause) => return Ok(None),
			result => result?,
		};
		// Ours is the only write since `before`.
		Ok((self.generation()? == before.wrapping_add(1)).then_some(quote))
	}
}

/// The kernel's answers to a reader whose options another process changed.
fn is_busy(error: &io::Error) -> bool {
	matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::ResourceBusy)
}

impl QuoteProvider for Tdx {
	fn tee(&self) -> Tee {
		Tee::Tdx
	}

	fn raw_quote(&self, report_data: &[u8; 64]) -> Result<Vec<u8>, TeeError> {
		let _one_at_a_time = self.conversation.lock().unwrap_or_else(PoisonError::into_inner);
		self.open()?;
		let mut quote = None;
		for _ in 0..ATTEMPTS {
			quote = self.converse(report_data)?;
			if quote.is_some() {
				break;
			}
		}
		// Ends the conversation; the next one starts anew even if this fails.
		let _ = fs::remove_dir(&self.entry);
		match quote {
			Some(quote) if quote.is_empty() => {
				Err(because("read", &self.entry.join("outblob"), QUOTE_REMEDY)(
					io::ErrorKind::UnexpectedEof.into(),
				))
			}
			Some(quote) => Ok(quote),
			None => Err(TeeError::Contended { path: self.entry.clone(), attempts: ATTEMPTS }),
		}
	}
}
