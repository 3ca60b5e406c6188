//! Quotes of the TEE that the program runs in.
//!
//! | Kind | Interface | Needs |
//! |---|---|---|
//! | [`Tdx`] | configfs-tsm (Linux, `Documentation/ABI/testing/configfs-tsm`) | Linux ≥ 6.7 in the TD, a quote generation service on the host |
//! | [`Sgx`] | Gramine's `/dev/attestation` | `gramine-sgx` with `sgx.remote_attestation = "dcap"` |
//! | [`Simulated`] | the development PKI | a chain that trusts the development root |

mod sgx;
mod simulated;
mod tdx;

pub use sgx::Sgx;
pub use simulated::Simulated;
pub use tdx::Tdx;

use phala_attestation::{Fmspc, PckCaKind, Quote, Tee, UnixTime};
use serde::{Deserialize, Serialize};
use std::{
	io,
	path::{Path, PathBuf},
};

/// Where Linux offers quotes of a TD.
pub const TSM_DIR: &str = "/sys/kernel/config/tsm/report";
/// Where Gramine offers quotes of an enclave.
pub const ATTESTATION_DIR: &str = "/dev/attestation";

/// Which TEE to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TeeKind {
	/// SGX or TDX, whichever is there. Never the simulated one.
	#[default]
	Auto,
	/// A TD: a virtual machine under Intel TDX.
	Tdx,
	/// An enclave: a process under Gramine on Intel SGX.
	Sgx,
	/// No TEE: quotes of the development PKI, for chains that trust its root.
	Simulated,
}

/// Why there is no quote.
#[derive(Debug, thiserror::Error)]
pub enum TeeError {
	/// Neither SGX nor TDX is there.
	#[error(
		"no TEE: neither {} (SGX under Gramine) nor {} (TDX) exists. Run inside a TD with Linux 6.7 \
		 or newer, or under gramine-sgx; for a development chain, choose --tee simulated",
		attestation.display(), tsm.display()
	)]
	None {
		/// Where SGX was looked for.
		attestation: PathBuf,
		/// Where TDX was looked for.
		tsm: PathBuf,
	},
	/// A file of the interface misbehaves.
	#[error("cannot {action} {}: {cause}. {remedy}", path.display())]
	File {
		/// What was tried.
		action: &'static str,
		/// With which file.
		path: PathBuf,
		/// What the system said.
		cause: io::Error,
		/// What to do.
		remedy: &'static str,
	},
	/// The interface belongs to another TEE, or has another setting.
	#[error("{} says `{found}`, not `{expected}`. {remedy}", path.display())]
	Unexpected {
		/// The file that says so.
		path: PathBuf,
		/// What it says.
		found: String,
		/// What it must say.
		expected: &'static str,
		/// What to do.
		remedy: &'static str,
	},
	/// Somebody else asks the same interface all the time.
	#[error(
		"{} was changed by another process during each of {attempts} attempts: run one program \
		 per TEE, or give each its own state folder", path.display()
	)]
	Contended {
		/// The interface.
		path: PathBuf,
		/// How often it was tried.
		attempts: u32,
	},
	/// What came is no quote.
	#[error("the TEE returned something that is no quote: {0}")]
	Malformed(phala_attestation::Error),
	/// The quote is bound to something else, or of another TEE.
	#[error("the TEE returned a quote with {0}: its driver or quoting service is broken")]
	Mismatch(&'static str),
	/// The development PKI failed.
	#[error("simulated TEE: {0}")]
	Simulated(#[from] phala_dev_pki::Error),
}

/// Makes quotes.
pub trait QuoteProvider: Send + Sync {
	/// Which TEE the quotes are of.
	fn tee(&self) -> Tee;
	/// Whether it is only simulated.
	fn is_simulated(&self) -> bool {
		false
	}
	/// A quote over this report data, as the TEE returns it. Blocks, on real hardware for up to a
	/// few seconds.
	fn raw_quote(&self, report_data: &[u8; 64]) -> Result<Vec<u8>, TeeError>;
}

/// A quote that is bound to what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
	/// The quote.
	pub quote: Vec<u8>,
	/// The TEE.
	pub tee: Tee,
	/// The platform's family, for which collateral is issued.
	pub fmspc: Fmspc,
	/// Who issued the platform's PCK certificate.
	pub ca: PckCaKind,
	/// Unix second at which the PCK certificate expires.
	pub pck_expires: UnixTime,
	/// The program's measurement, as governance allows it.
	pub measurement: [u8; 32],
}

/// Asks for a quote and checks that it is one, of the right TEE, over this report data. Its
/// signatures are the chain's business.
pub fn quote(provider: &dyn QuoteProvider, report_data: &[u8; 64]) -> Result<Evidence, TeeError> {
	let mut bytes = provider.raw_quote(report_data)?;
	let parsed = Quote::parse(&bytes).map_err(TeeError::Malformed)?;
	if parsed.tee() != provider.tee() {
		return Err(TeeError::Mismatch("the format of another TEE"));
	}
	if parsed.report_data() != report_data {
		return Err(TeeError::Mismatch("other report data than asked for"));
	}
	let (tee, measurement) = (parsed.tee(), parsed.measurement());
	let (fmspc, ca, pck_expires) = (parsed.pck.fmspc, parsed.pck.ca, parsed.pck.not_after);
	// Interfaces with buffers of fixed size pad with zeros; on chain every byte costs.
	let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
	let unpadded = bytes.len().saturating_sub(padding);
	for len in unpadded..bytes.len() {
		if Quote::parse(&bytes[..len]).is_ok() {
			bytes.truncate(len);
			break;
		}
	}
	Ok(Evidence { quote: bytes, tee, fmspc, ca, pck_expires, measurement })
}

/// The provider of a kind. The folders are [`TSM_DIR`] and [`ATTESTATION_DIR`] but for tests.
pub fn provider(
	kind: TeeKind,
	tsm_dir: &Path,
	attestation_dir: &Path,
	simulated: impl FnOnce() -> Result<Simulated, TeeError>,
) -> Result<Box<dyn QuoteProvider>, TeeError> {
	match kind {
		TeeKind::Sgx => Ok(Box::new(Sgx::new(attestation_dir))),
		TeeKind::Tdx => Ok(Box::new(Tdx::new(tsm_dir))),
		TeeKind::Simulated => Ok(Box::new(simulated()?)),
		TeeKind::Auto if Sgx::is_present(attestation_dir) => {
			Ok(Box::new(Sgx::new(attestation_dir)))
		}
		TeeKind::Auto if tsm_dir.is_dir() => Ok(Box::new(Tdx::new(tsm_dir))),
		TeeKind::Auto => {
			Err(TeeError::None { attestation: attestation_dir.to_owned(), tsm: tsm_dir.to_owned() })
		}
	}
}

/// Attaches action, path and remedy to what the system said.
fn because(
	action: &'static str,
	path: &Path,
	remedy: &'static str,
) -> impl FnOnce(io::Error) -> TeeError {
	move |cause| TeeError::File { action, path: path.to_owned(), cause, remedy }
}
