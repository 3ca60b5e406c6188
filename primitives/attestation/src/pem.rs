//! Chains of PEM certificates, as quotes and Intel's HTTP headers carry them.

use alloc::vec::Vec;

use crate::error::Error;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// Most certificates a chain may hold: leaf, intermediate, root.
pub const MAX_CHAIN: usize = 3;

/// DER of the first certificate of a chain.
///
/// Armor is RFC 7468 strict: no text before, between or inside. The end may be a newline and one
/// NUL, as Intel's libraries write it. The certificates above the first are framed and counted,
/// but not decoded: nothing reads them.
///
/// # Errors
///
/// [`Error::InvalidPem`], [`Error::CertificateChainTooShort`], [`Error::CertificateChainTooLong`].
pub fn first_certificate(chain: &[u8]) -> Result<Vec<u8>, Error> {
	let mut documents = documents(chain);
	let first = documents.next().ok_or(Error::CertificateChainTooShort)??;
	let mut count = 1usize;
	for document in documents {
		document?;
		count = count.saturating_add(1);
		if count > MAX_CHAIN {
			return Err(Error::CertificateChainTooLong);
		}
	}
	decode(first)
}

/// DER of every certificate of a chain, leaf first.
///
/// # Errors
///
/// As [`first_certificate`]; an empty chain is [`Error::CertificateChainTooShort`].
pub fn certificates(chain: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
	let found = documents(chain)
		.take(MAX_CHAIN.saturating_add(1))
		.map(|document| decode(document?))
		.collect::<Result<Vec<_>, _>>()?;
	match found.len() {
		0 => Err(Error::CertificateChainTooShort),
		1..=MAX_CHAIN => Ok(found),
		_ => Err(Error::CertificateChainTooLong),
	}
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
