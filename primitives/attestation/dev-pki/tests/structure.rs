//! What is issued has the structure of Intel's own material, which dcap-qvl's package contains.

use dcap_qvl::quote::Quote;
use der::{Decode, Header, Reader, SliceReader, Tag};
use phala_dev_pki::{CaKind, Case, Collateral, QuoteKind, Variant, valid_case};
use std::fs;

#[path = "../../tests/common/oracle.rs"]
mod oracle;

struct Sample {
	quote: Vec<u8>,
	collateral: Collateral,
}

fn sample(name: &str) -> Sample {
	let folder = oracle::oracle_package().join("sample");
	let collateral = fs::read(folder.join(format!("{name}_collateral.json"))).unwrap();
	Sample {
		quote: fs::read(folder.join(name)).unwrap(),
		collateral: serde_json::from_slice(&collateral).unwrap(),
	}
}

/// Real SGX material is certified by the processor CA, real TDX material by the platform CA.
fn pairs() -> Vec<(Sample, Case)> {
	let sgx = Variant::ProcessorCa.case_on(QuoteKind::SgxV3, 1).unwrap();
	vec![
		(sample("sgx_quote"), sgx),
		(sample("tdx_quote"), valid_case(QuoteKind::TdxV4, 1)),
		(sample("tdx_quote_outdated"), valid_case(QuoteKind::TdxV5Td15, 1)),
		(sample("tdx_quote_td15ex"), valid_case(QuoteKind::TdxV5Td15ex, 1)),
	]
}

/// Tags and object identifiers of a DER value, one per line, indented by depth. Octet strings that
/// contain DER are followed into.
fn skeleton(der: &[u8], depth: usize, out: &mut String) -> der::Result<()> {
	let mut reader = SliceReader::new(der)?;
	while !reader.is_finished() {
		let header = Header::decode(&mut reader)?;
		let value = reader.read_slice(header.length())?;
		let tag = header.tag();
		*out += &format!("{:depth$}{tag}", "");
		if tag == Tag::ObjectIdentifier {
			let id = der::asn1::ObjectIdentifier::from_bytes(value).unwrap();
			*out += &format!(" {id}");
		}
		out.push('\n');
		if tag.is_constructed() {
			skeleton(value, depth + 1, out)?;
		} else if tag == Tag::OctetString {
			let mut inner = String::new();
			if value.len() > 2 && skeleton(value, depth + 1, &mut inner).is_ok() {
				*out += &inner;
			}
		}
	}
	Ok(())
}

fn skeleton_of(der: &[u8]) -> String {
	let mut out = String::new();
	skeleton(der, 0, &mut out).unwrap();
	out
}

fn certificates(pem: &str) -> Vec<String> {
	let certificate = |pem: &str| {
		let pem = format!("{pem}-----END CERTIFICATE-----\n");
		let (label, der) = der::pem::decode_vec(pem.trim_start().as_bytes()).unwrap();
		assert_eq!(label, "CERTIFICATE");
		skeleton_of(&der)
	};
	let mut parts: Vec<_> = pem.split("-----END CERTIFICATE-----\n").collect();
	assert!(["", "\0"].contains(&parts.pop().unwrap()), "PEM ends with its last certificate");
	parts.into_iter().map(certificate).collect()
}

fn pck_chain(quote: &[u8]) -> String {
	let quote = Quote::parse(quote).unwrap();
	String::from_utf8(quote.raw_cert_chain().unwrap().to_vec()).unwrap()
}

#[test]
fn certificates_have_the_structure_of_intels() {
	for (intel, ours) in pairs() {
		let (theirs, ours_pck) = (pck_chain(&intel.quote), pck_chain(&ours.quote));
		assert_eq!(certificates(&ours_pck), certificates(&theirs));
		assert_eq!(ours_pck.ends_with('\0'), theirs.ends_with('\0'));
		let (intel, ours) = (&intel.collateral, &ours.collateral);
		for (ours, intel) in [
			(&ours.pck_crl_issuer_chain, &intel.pck_crl_issuer_chain),
			(&ours.tcb_info_issuer_chain, &intel.tcb_info_issuer_chain),
			(&ours.qe_identity_issuer_chain, &intel.qe_identity_issuer_chain),
		] {
			assert_eq!(certificates(ours), certificates(intel));
			let lines = |pem: &str| pem.lines().map(str::len).max();
			assert_eq!(lines(ours), lines(intel), "64 columns");
		}
	}
}

#[test]
fn crls_have_the_structure_of_intels() {
	let without_entries = Variant::UpToDate.case_on(QuoteKind::SgxV3, 1).unwrap().collateral;
	let sgx = sample("sgx_quote").collateral;
	assert_eq!(skeleton_of(&without_entries.root_ca_crl), skeleton_of(&sgx.root_ca_crl));
	assert_eq!(skeleton_of(&without_entries.pck_crl), skeleton_of(&sgx.pck_crl));

	// Intel's platform CA has revoked dozens; entries are alike, so the set of lines is the same.
	let lines = |crl: &[u8]| {
		let mut lines: Vec<_> = skeleton_of(crl).lines().map(str::to_owned).collect();
		lines.sort();
		lines.dedup();
		lines
	};
	let revoking = Variant::OthersRevoked.case_on(QuoteKind::TdxV4, 1).unwrap().collateral;
	let tdx = sample("tdx_quote").collateral;
	assert_eq!(lines(&revoking.pck_crl), lines(&tdx.pck_crl));
}

/// Paths of all values of a JSON text in their order, array indices left out, repetition removed.
fn paths(text: &str) -> Vec<String> {
	// serde_json's map may be sorted: read the order from the text.
	let mut stack: Vec<String> = vec![];
	let mut paths: Vec<String> = vec![];
	let mut chars = text.char_indices().peekable();
	let mut key: Option<String> = None;
	while let Some((start, char)) = chars.next() {
		match char {
			'"' => {
				let (end, _) = chars.find(|&(_, char)| char == '"').unwrap();
				if chars.peek().is_some_and(|&(_, char)| char == ':') {
					let name = text[start + 1..end].to_owned();
					let path = [stack.join("."), name.clone()].join("/");
					if !paths.contains(&path) {
						paths.push(path);
					}
					key = Some(name);
				}
			}
			'{' | '[' => stack.push(key.take().unwrap_or_default()),
			'}' | ']' => {
				stack.pop();
				key = None;
			}
			',' => key = None,
			_ => (),
		}
	}
	paths
}

#[test]
fn json_has_the_fields_and_the_order_of_intels() {
	let mut known = vec![];
	let mut issued = vec![];
	for (intel, ours) in pairs() {
		for (theirs, ours) in [
			(&intel.collateral.tcb_info, &ours.collateral.tcb_info),
			(&intel.collateral.qe_identity, &ours.collateral.qe_identity),
		] {
			let (theirs, ours) = (paths(theirs), paths(ours));
			let common = |one: &[String], other: &[String]| -> Vec<String> {
				one.iter().filter(|path| other.contains(path)).cloned().collect()
			};
			assert_eq!(common(&theirs, &ours), theirs, "ours has every field of Intel's");
			assert_eq!(common(&ours, &theirs), theirs, "in the same order");
			known.extend(theirs);
			issued.extend(ours);
		}
	}
	// Optional fields, which not every sample has: advisories and descriptions of components.
	issued.retain(|path| !known.contains(path));
	assert!(issued.is_empty(), "{issued:?} are in none of Intel's");
}

#[test]
fn quotes_have_the_headers_and_lengths_of_intels() {
	for (intel, ours) in pairs() {
		let (theirs, ours) = (intel.quote, ours.quote);
		// Version to TEE type, and vendor.
		assert_eq!(ours[..8], theirs[..8]);
		assert_eq!(ours[12..28], theirs[12..28]);
		// Id of the QE, four zeros.
		assert_eq!(ours[44..48], [0; 4]);
		assert_eq!(theirs[44..48], [0; 4]);
		let (intel, own) = (Quote::parse(&theirs).unwrap(), Quote::parse(&ours).unwrap());
		assert_eq!(own.signed_length(), intel.signed_length());
		let (intel, own) = (intel.auth_data.into_v3(), own.auth_data.into_v3());
		assert_eq!(own.qe_auth_data, intel.qe_auth_data);
		assert_eq!(own.certification_data.cert_type, intel.certification_data.cert_type);
		// Reserved bytes, flags and XFRM, the second half of the QE's report data.
		for range in [20..64, 96..128, 160..256, 260..320, 352..384] {
			assert_eq!(own.qe_report[range.clone()], intel.qe_report[range]);
		}
		if ours[0] == 5 {
			assert_eq!(ours[48..54], theirs[48..54], "body type and length");
		}
	}
}

#[test]
fn platform_and_processor_differ_as_intels_do() {
	let platform = certificates(&pck_chain(&valid_case(QuoteKind::SgxV3, 1).quote));
	let sgx = Variant::ProcessorCa.case_on(QuoteKind::SgxV3, 1).unwrap();
	let processor = certificates(&pck_chain(&sgx.quote));
	assert!(platform[0].contains("1.2.840.113741.1.13.1.7.3"), "{}", CaKind::Platform);
	assert!(!processor[0].contains("1.2.840.113741.1.13.1.6"), "{}", CaKind::Processor);
	assert_eq!(platform[1..], processor[1..]);
}

#[test]
fn collateral_is_the_json_of_dcap_qvl() {
	for (intel, ours) in pairs() {
		for collateral in [intel.collateral, ours.collateral] {
			let json = serde_json::to_string(&collateral).unwrap();
			let theirs: dcap_qvl::QuoteCollateralV3 = serde_json::from_str(&json).unwrap();
			assert_eq!(serde_json::to_string(&theirs).unwrap(), json);
		}
	}
}
