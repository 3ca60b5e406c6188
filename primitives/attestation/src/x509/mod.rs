//! The X.509 profile of Intel's attestation PKI.
//!
//! Source: "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification",
//! RFC 5280. Path building is not needed: every certificate has exactly one possible issuer.

use der::Encode;
use x509_cert::name::Name;

use crate::types::PckCaKind;

pub(crate) mod certificate;
pub(crate) mod sgx_extension;
pub(crate) mod signed;

pub use certificate::MAX_CERTIFICATE_LEN;
pub(crate) use certificate::{Authority, Certificate};
pub use sgx_extension::PlatformTcb;

/// Which PCK CA a name is, by the common name that Intel gives it. Only a guess at which stored
/// authority to ask: that one's whole name and signature decide.
pub(crate) fn pck_ca(name: &Name) -> Option<PckCaKind> {
	let der = name.to_der().ok()?;
	let contains = |text: &[u8]| der.windows(text.len()).any(|window| window == text);
	match (contains(b"PCK Processor CA"), contains(b"PCK Platform CA")) {
		(true, false) => Some(PckCaKind::Processor),
		(false, true) => Some(PckCaKind::Platform),
		_ => None,
	}
}
