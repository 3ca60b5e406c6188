//! Chains of PEM certificates, as quotes and Intel's HTTP headers carry them.

use alloc::vec::Vec;

use crate::error::Error;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// Most certificates a chain may hold: leaf, intermediate, root.
pub const MAX_CHAIN: usize = 3;

/// DER of every certificate of a chain, leaf first.
///
/// Armor is RFC 7468 strict: no text before, between or inside. The end may be a newline and one
/// NUL, as Intel's libraries write it.
///
/// # Errors
///
/// [`Error::InvalidPem`], [`Error::CertificateChainTooLong`]; an empty chain is
/// [`Error::CertificateChainTooShort`].
pub fn certificates(chain: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
	let mut certificates = Vec::new();
	for document in documents(chain) {
		let document = document?;
		if certificates.len() == MAX_CHAIN {
			return Err(Error::CertificateChainTooLong);
		}
		certificates.push(decode(document)?);
	}
	if certificates.is_empty() { Err(Error::CertificateChainTooShort) } else { Ok(certificates) }
}

fn decode(document: &[u8]) -> Result<Vec<u8>, Error> {
	der::pem::decode_vec(document).map(|(_, der)| der).map_err(|_| Error::InvalidPem)
}

/// Splits a chain into PEM documents without decoding them.
fn documents(chain: &[u8]) -> impl Iterator<Item = Result<&[u8], Error>> {
	let mut rest = chain.strip_suffix(&[0]).unwrap_or(chain);
	core::iter::from_fn(move || {
		if rest.is_empty() {
			return None;
		}
		let document = rest
			.starts_with(BEGIN)
			.then(|| rest.windows(END.len()).position(|window| window == END))
			.flatten()
			.and_then(|end| rest.split_at_checked(end.saturating_add(END.len())));
		let Some((document, after)) = document else {
			rest = &[];
			return Some(Err(Error::InvalidPem));
		};
		rest = after.strip_prefix(b"\r\n").or(after.strip_prefix(b"\n")).unwrap_or(after);
		Some(Ok(document))
	})
}
