//! No TEE: a software quoting enclave under the development PKI.

use super::{QuoteProvider, TeeError};
use phala_attestation::Tee;
use phala_dev_pki::{Pki, Platform, QuoteKind, QuoteRequest, QuotingEnclave};

/// The simulated TEE. Proves nothing; chains that trust the development root believe it.
#[derive(Clone)]
pub struct Simulated {
	enclave: QuotingEnclave,
	kind: QuoteKind,
	program: String,
}

impl Simulated {
	/// A program of this name on development platform number `platform`: two programs with different
	/// names have different measurements, two numbers are two machines.
	pub fn new(tee: Tee, program: &str, platform: u64) -> Result<Self, TeeError> {
		let platform = Platform::development(platform);
		Ok(Self {
			enclave: Pki::development().quoting_enclave(&platform)?,
			kind: match tee {
				Tee::Sgx => QuoteKind::SgxV3,
				Tee::Tdx => QuoteKind::TdxV4,
			},
			program: program.into(),
		})
	}
}

impl QuoteProvider for Simulated {
	fn tee(&self) -> Tee {
		match self.kind {
			QuoteKind::SgxV3 => Tee::Sgx,
			_ => Tee::Tdx,
		}
	}

	fn is_simulated(&self) -> bool {
		true
	}

	fn raw_quote(&self, report_data: &[u8; 64]) -> Result<Vec<u8>, TeeError> {
		let request = QuoteRequest::new(self.kind, *report_data).program(&self.program);
		Ok(self.enclave.quote(&request))
	}
}
