//! Enclaves under Gramine: the pseudo-files of `/dev/attestation`.
//!
//! Source: Gramine documentation, "Attestation and Secret Provisioning", "Low-level
//! `/dev/attestation` interface": write 64 bytes to `user_report_data`, then read `quote`.

use super::{QuoteProvider, TeeError, because};
use phala_attestation::Tee;
use std::{
	fs,
	io::Write,
	path::{Path, PathBuf},
	sync::{Mutex, PoisonError},
};

const REMEDY: &str = "Run under gramine-sgx (not gramine-direct), with \
	`sgx.remote_attestation = \"dcap\"` in the manifest";
const QUOTE_REMEDY: &str = "Check on the host that aesmd (or the in-process quoting library) runs \
	and reaches its PCCS: `systemctl status aesmd`, /etc/sgx_default_qcnl.conf";

/// An SGX enclave.
#[derive(Debug)]
pub struct Sgx {
	folder: PathBuf,
	/// Report data and quote are one conversation.
	conversation: Mutex<()>,
}

impl Sgx {
	/// With the pseudo-files in `folder`.
	pub fn new(folder: &Path) -> Self {
		Self { folder: folder.to_owned(), conversation: Mutex::new(()) }
	}

	/// Whether the pseudo-files are there.
	pub fn is_present(folder: &Path) -> bool {
		folder.join("user_report_data").exists()
	}
}

impl QuoteProvider for Sgx {
	fn tee(&self) -> Tee {
		Tee::Sgx
	}

	fn raw_quote(&self, report_data: &[u8; 64]) -> Result<Vec<u8>, TeeError> {
		let _one_at_a_time = self.conversation.lock().unwrap_or_else(PoisonError::into_inner);
		let path = self.folder.join("attestation_type");
		let found = fs::read_to_string(&path).map_err(because("read", &path, REMEDY))?;
		if found.trim() != "dcap" {
			return Err(TeeError::Unexpected {
				path,
				found: found.trim().into(),
				expected: "dcap",
				remedy: REMEDY,
			});
		}
		let path = self.folder.join("user_report_data");
		// Neither created nor truncated: it is no file.
		fs::OpenOptions::new()
			.write(true)
			.open(&path)
			.and_then(|mut file| file.write_all(report_data))
			.map_err(because("write", &path, REMEDY))?;
		let path = self.folder.join("quote");
		fs::read(&path).map_err(because("read", &path, QUOTE_REMEDY))
	}
}
