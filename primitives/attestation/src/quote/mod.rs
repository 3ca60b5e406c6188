//! Quotes: framing, and the fields that verification and its users need.
//!
//! Sources: "Intel SGX ECDSA QuoteLibReference", appendix "Quote Format" (version 3); "Intel TDX DCAP
//! Quoting Library API", appendix "Quote Format" (versions 4 and 5).
//!
//! ```text
//! header 48 | [v5: body type u16, body size u32] | body | u32 length | signature data
//!
//! signature data, v3     signature 64 | attestation key 64 | QE report certification
//! signature data, v4, v5 signature 64 | attestation key 64 | type 6 u16 | u32 length | QE report certification
//!
//! QE report certification
//!                        QE report 384 | signature 64 | u16 length | authentication data
//!                        | type 5 u16 | u32 length | PCK certificate chain, PEM
//! ```
//!
//! All integers are little-endian. What the attestation key signs is everything before the signature
//! data's length.

mod body;
mod certification;
mod header;
mod reader;

pub use body::{Body, EnclaveReport, TdReport, TdReportVersion};
pub use certification::PckCertificate;
pub use header::{Header, Version};

use crate::{
	crypto::{PublicKey, RawSignature},
	error::Error,
	types::Tee,
};
use certification::Certification;
use reader::Reader;

/// Longest quote that is read, in bytes. Real ones have 4600 to 5300.
pub const MAX_QUOTE_LEN: usize = 8192;

/// A parsed quote. Its fields are claims until [`verify_quote`](crate::verify_quote) has said
/// otherwise.
pub struct Quote<'a> {
	/// The header.
	pub header: Header,
	/// What the TEE reports about itself.
	pub body: Body<'a>,
	/// The platform's certificate, out of the certification data.
	pub pck: PckCertificate,
	pub(crate) signed: &'a [u8],
	pub(crate) signature: RawSignature,
	pub(crate) attestation_key: PublicKey,
	pub(crate) certification: Certification<'a>,
}

impl<'a> Quote<'a> {
	/// Parses a quote: framing first, the PCK certificate last. No signature is checked.
	///
	/// Zeros may follow the quote, as some TEEs return a buffer of fixed length; nothing else may.
	///
	/// # Errors
	///
	/// The variants of [`Error`] on the quote's form, on its PCK certificate's form, and on the SGX
	/// extension.
	pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
		if bytes.len() > MAX_QUOTE_LEN {
			return Err(Error::QuoteTooLarge(u32::try_from(bytes.len()).unwrap_or(u32::MAX)));
		}
		let mut reader = Reader::new(bytes);
		let header = Header::read(&mut reader)?;
		let body = Body::read(&header, &mut reader)?;
		let signed = bytes.get(..reader.position()).ok_or(Error::QuoteTruncated)?;
		let mut data = Reader::new(reader.prefixed_u32()?);
		if reader.rest().iter().any(|&byte| byte != 0) {
			return Err(Error::QuoteTrailingBytes);
		}
		let signature = *data.array()?;
		let attestation_key = PublicKey(*data.array()?);
		let certification = Certification::read(&header, data)?;
		let pck = PckCertificate::parse(certification.chain)?;
		Ok(Self { header, body, pck, signed, signature, attestation_key, certification })
	}

	/// Which TEE made this quote.
	pub fn tee(&self) -> Tee {
		self.header.tee()
	}

	/// One hash that names the program: see [`Body::measurement`].
	pub fn measurement(&self) -> [u8; 32] {
		self.body.measurement()
	}

	/// The 64 bytes that the program put into its report.
	pub fn report_data(&self) -> &'a [u8; 64] {
		self.body.report_data()
	}
}
