//! The parsers on any bytes, without signatures: what fuzzers and property tests drive.
//!
//! Outside of tests a parser of collateral sees signed bytes only. It must not rely on that.

use crate::{
	collateral::{CrlIssuer, QeIdentity, Signer, TcbInfo},
	crypto::RawSignature,
	error::Error,
	quote::Quote,
	root::TrustRoot,
	types::{CertificateKind, KeyHash, Serial},
	x509::{Certificate, certificate::PCK, sgx_extension::SgxExtension},
};

const SIGNER: Signer =
	Signer { serial: Serial([0; 20]), issuer_key: KeyHash([0; 32]), not_after: 0 };

/// Parses a quote; its measurement and flags too.
pub fn quote(bytes: &[u8]) -> Result<[u8; 32], Error> {
	let quote = Quote::parse(bytes)?;
	quote.body.check_flags()?;
	Ok(quote.measurement())
}

/// Parses a TCB info.
pub fn tcb_info(bytes: &[u8]) -> Result<TcbInfo, Error> {
	TcbInfo::parse(bytes, SIGNER)
}

/// Parses a QE identity.
pub fn qe_identity(bytes: &[u8]) -> Result<QeIdentity, Error> {
	QeIdentity::parse(bytes, SIGNER)
}

/// Parses a revocation list up to its issuer and signature.
pub fn crl(bytes: &[u8]) -> Result<(), Error> {
	let root = TrustRoot::INTEL;
	crate::collateral::Crl::verify(bytes, CrlIssuer::Root(&root), root.not_before).map(|_| ())
}

/// Parses a certificate and its SGX extension. A signature that is checked is any but a right one.
pub fn certificate(bytes: &[u8]) -> Result<(), Error> {
	let certificate = Certificate::parse(CertificateKind::Pck, bytes)?;
	if let Some(extension) = &certificate.sgx_extension {
		SgxExtension::parse(extension)?;
	}
	certificate.check_ca(0).and(certificate.check_end_entity()).and(certificate.check_role(PCK))
}

/// Checks any signature by any key over any digest.
pub fn signature(key: [u8; 64], digest: &[u8; 32], signature: &RawSignature) -> bool {
	crate::crypto::PublicKey(key).verifies(digest, signature)
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec::Vec;
	use codec::{Decode, Encode, MaxEncodedLen};
	use phala_dev_pki::{Case, QuoteKind, valid_case};
	use proptest::{collection::vec, prelude::*, sample::Index};
	use std::sync::LazyLock;

	static SEEDS: LazyLock<Vec<Case>> =
		LazyLock::new(|| QuoteKind::ALL.iter().map(|&kind| valid_case(kind, 0)).collect());

	#[derive(Clone, Debug)]
	enum Edit {
		Flip(Index, u8),
		Set(Index, u8),
		Insert(Index, Vec<u8>),
		Remove(Index, usize),
		Truncate(Index),
	}

	fn edits() -> impl Strategy<Value = Vec<Edit>> {
		let edit = prop_oneof![
			4 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
			3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
			1 => (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, all)| Edit::Insert(at, all)),
			1 => (any::<Index>(), 1..64usize).prop_map(|(at, len)| Edit::Remove(at, len)),
			1 => any::<Index>().prop_map(Edit::Truncate),
		];
		vec(edit, 1..6)
	}

	fn apply(mut bytes: Vec<u8>, edits: Vec<Edit>) -> Vec<u8> {
		for edit in edits {
			if bytes.is_empty() {
				break;
			}
			let len = bytes.len();
			match edit {
				Edit::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
				Edit::Set(at, byte) => bytes[at.index(len)] = byte,
				Edit::Insert(at, all) => {
					let at = at.index(len);
					bytes.splice(at..at, all);
				}
				Edit::Remove(at, count) => {
					let at = at.index(len);
					bytes.drain(at..(at + count).min(len));
				}
				Edit::Truncate(at) => bytes.truncate(at.index(len)),
			}
		}
		bytes
	}

	/// Every parser on every kind of input: each must return.
	fn parse_all(bytes: &[u8]) {
		let _ = quote(bytes);
		let _ = tcb_info(bytes);
		let _ = qe_identity(bytes);
		let _ = crl(bytes);
		let _ = certificate(bytes);
		let _ = crate::pem::certificates(bytes);
		let _ = SgxExtension::parse(bytes);
		let _ = TrustRoot::from_der(bytes);
	}

	fn seed(case: &Case, which: usize) -> Vec<u8> {
		let collateral = &case.collateral;
		match which {
			0 => case.quote.clone(),
			1 => collateral.tcb_info.clone().into_bytes(),
			2 => collateral.qe_identity.clone().into_bytes(),
			3 => collateral.pck_crl.clone(),
			4 => Quote::parse(&case.quote).expect("valid").pck.der,
			_ => case.root_der.clone(),
		}
	}

	#[test]
	fn seeds_are_parsed() {
		for case in SEEDS.iter() {
			assert!(quote(&seed(case, 0)).is_ok());
			assert!(tcb_info(&seed(case, 1)).is_ok());
			assert!(qe_identity(&seed(case, 2)).is_ok());
			assert_eq!(crl(&seed(case, 3)), Err(Error::CrlIssuer(crate::Item::RootCrl)));
			assert_eq!(
				certificate(&seed(case, 4)),
				Err(Error::CertificateIsNotCa(CertificateKind::Pck))
			);
		}
	}

	proptest! {
		// `PROPTEST_CASES` asks for more.
		#![proptest_config(ProptestConfig {
			cases: ProptestConfig::default().cases.max(10_000),
			failure_persistence: None,
			..Default::default()
		})]

		#[test]
		fn no_parser_panics_on_any_bytes(bytes in vec(any::<u8>(), 0..600)) {
			parse_all(&bytes);
		}

		#[test]
		fn no_parser_panics_on_mutated_seeds(
			case in any::<Index>(),
			which in 0..6usize,
			edits in edits(),
		) {
			parse_all(&apply(seed(case.get(&SEEDS), which), edits));
		}

		/// A document that is accepted has a storable form, within its bound.
		#[test]
		fn what_is_parsed_can_be_stored(
			case in any::<Index>(),
			which in 1..3usize,
			edits in edits(),
		) {
			let bytes = apply(seed(case.get(&SEEDS), which), edits);
			if let Ok(info) = tcb_info(&bytes) {
				let encoded = info.encode();
				prop_assert!(encoded.len() <= TcbInfo::max_encoded_len());
				prop_assert_eq!(TcbInfo::decode(&mut &encoded[..]), Ok(info));
			}
			if let Ok(identity) = qe_identity(&bytes) {
				let encoded = identity.encode();
				prop_assert!(encoded.len() <= QeIdentity::max_encoded_len());
				prop_assert_eq!(QeIdentity::decode(&mut &encoded[..]), Ok(identity));
			}
		}

		#[test]
		fn no_signature_panics(
			key in vec(any::<u8>(), 64),
			digest in vec(any::<u8>(), 32),
			raw in vec(prop_oneof![Just(0), Just(0xFF), any::<u8>()], 64),
		) {
			let key = key.try_into().expect("64 bytes");
			let digest: [u8; 32] = digest.try_into().expect("32 bytes");
			let raw = raw.try_into().expect("64 bytes");
			prop_assert!(!signature(key, &digest, &raw));
		}
	}
}
