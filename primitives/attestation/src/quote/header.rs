//! The header: which format, which TEE, which key.

use super::reader::Reader;
use crate::{error::Error, types::Tee};

/// ECDSA-256 with the P-256 curve.
const ECDSA_P256: u16 = 2;
const TEE_SGX: u32 = 0;
const TEE_TDX: u32 = 0x81;
/// Vendor id of Intel's quoting enclaves.
const INTEL: [u8; 16] = [
	0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07,
];

/// Supported pairs of TEE and quote format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
	/// SGX, quote version 3.
	SgxV3,
	/// TDX, quote version 4: TD report 1.0.
	TdxV4,
	/// TDX, quote version 5: TD report 1.0, 1.5 or 1.5ex.
	TdxV5,
}

/// The header of a quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
	/// TEE and format.
	pub version: Version,
	/// The quoting enclave's own data; its first 16 bytes identify the quoting enclave.
	pub user_data: [u8; 20],
}

impl Header {
	pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
		let version = reader.u16()?;
		let key_type = reader.u16()?;
		let tee = reader.u32()?;
		if !(3..=5).contains(&version) {
			return Err(Error::UnsupportedQuoteVersion(version));
		}
		let version = match (tee, version) {
			(TEE_SGX, 3) => Version::SgxV3,
			(TEE_SGX, _) => return Err(Error::UnsupportedSgxQuoteVersion(version)),
			(TEE_TDX, 4) => Version::TdxV4,
			(TEE_TDX, 5) => Version::TdxV5,
			(TEE_TDX, _) => return Err(Error::UnsupportedTdxQuoteVersion(version)),
			_ => return Err(Error::UnsupportedTee(tee)),
		};
		if key_type != ECDSA_P256 {
			return Err(Error::UnsupportedAttestationKey(key_type));
		}
		// SVNs of QE and PCE in version 3, reserved later; the QE report and the PCK certificate
		// carry the ones that count.
		reader.bytes(4)?;
		if *reader.array()? != INTEL {
			return Err(Error::UnknownQeVendor);
		}
		Ok(Self { version, user_data: *reader.array()? })
	}

	/// Which TEE.
	pub fn tee(&self) -> Tee {
		match self.version {
			Version::SgxV3 => Tee::Sgx,
			Version::TdxV4 | Version::TdxV5 => Tee::Tdx,
		}
	}
}
