//! Changes that take more than a line.

use crate::{
	CaKind, Case, CollateralOptions, CrlOptions, DAY, Limits, NOW, Pki, TcbInfo, Validity, Window,
	case::{Material, Scenario},
	certificate::{Authority, Certificate},
	enclave::{Draft, qe_report_data},
	worst_case::unused_serial,
};
use der::{Decode, DecodePem, Encode, EncodePem, pem::LineEnding};

/// Ended a second ago.
pub(super) const EXPIRED: Validity =
	Validity { not_before: Validity::DEVELOPMENT.not_before, not_after: NOW - 1 };
/// Begins in a second.
pub(super) const NOT_YET_VALID: Validity =
	Validity { not_before: NOW + 1, not_after: Validity::DEVELOPMENT.not_after };
/// [`EXPIRED`], for collateral.
pub(super) const PAST: Window = Window { start: -30 * DAY, end: -1 };
/// [`NOT_YET_VALID`], for collateral.
pub(super) const FUTURE: Window = Window { start: 1, end: 30 * DAY };

/// Flips the lowest bit of a byte of the quote.
pub(super) fn flip(case: &mut Case, offset: usize) {
	case.quote[offset] ^= 1;
}

/// Overwrites a part of the quote.
pub(super) fn put(case: &mut Case, offset: usize, bytes: &[u8]) {
	case.quote[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// A byte at the end that the length fields at these offsets include.
pub(super) fn append_byte(case: &mut Case, lengths: &[usize]) {
	case.quote.push(0xA5);
	for &at in lengths {
		let len = u32::from_le_bytes(case.quote[at..at + 4].try_into().expect("four bytes"));
		put(case, at, &(len + 1).to_le_bytes());
	}
}

/// Certification data that names the platform and does not certify it: PPID encrypted with
/// RSA-3072, CPUSVN, PCE SVN, PCE id.
pub(super) fn encrypted_ppid(draft: &mut Draft) {
	draft.certification_type = 3;
	draft.certification_data = [vec![0xC1; 384], vec![4; 16], vec![13, 0], vec![0, 0]].concat();
}

/// The PCK certificate without its chain.
pub(super) fn only_leaf(draft: &mut Draft) {
	let mut chain = chain(&draft.certification_data);
	chain.truncate(1);
	draft.certification_data = certification_data(&chain);
}

/// Blank lines after the chain, until the quote is too long.
pub(super) fn pad_quote(draft: &mut Draft) {
	draft.certification_data.pop();
	draft.certification_data.resize(Limits::default().quote, b'\n');
	draft.certification_data.push(0);
}

/// An x coordinate's point with a y that is not on the curve, bound by the QE report.
pub(super) fn key_not_on_curve(draft: &mut Draft) {
	draft.attestation_key[63] ^= 1;
	let binding = qe_report_data(&draft.attestation_key, &draft.auth_data);
	draft.qe_report[320..].copy_from_slice(&binding);
}

/// Flips a bit of the signature of a certificate of the quote's chain.
pub(super) fn chain_signature(draft: &mut Draft, index: usize) {
	let mut chain = chain(&draft.certification_data);
	chain[index] = with_bad_signature(&chain[index]);
	draft.certification_data = certification_data(&chain);
}

/// Flips a bit of a certificate's signature.
pub(super) fn with_bad_signature(certificate: &Certificate) -> Certificate {
	let mut der = certificate.to_der().expect("it was encoded before");
	// The last byte belongs to s, whose DER stays canonical.
	*der.last_mut().expect("DER is not empty") ^= 1;
	Certificate::from_der(&der).expect("no length has changed")
}

fn chain(certification_data: &[u8]) -> Vec<Certificate> {
	String::from_utf8_lossy(certification_data)
		.split_inclusive("-----END CERTIFICATE-----\n")
		.filter_map(|pem| Certificate::from_pem(pem).ok())
		.collect()
}

fn certification_data(chain: &[Certificate]) -> Vec<u8> {
	let pem = |certificate: &Certificate| {
		certificate.to_pem(LineEnding::LF).expect("it was encoded before")
	};
	let mut data: Vec<u8> = chain.iter().map(pem).collect::<String>().into_bytes();
	data.push(0);
	data
}

/// Signs another text as TCB info.
pub(super) fn rewrite_tcb_info(m: &Material, case: &mut Case, edit: fn(&str) -> String) {
	let text = edit(&case.collateral.tcb_info);
	case.collateral.tcb_info_signature = m.scenario.pki.tcb_signing.sign(text.as_bytes()).to_vec();
	case.collateral.tcb_info = text;
}

/// Signs another text as QE identity.
pub(super) fn rewrite_qe_identity(m: &Material, case: &mut Case, edit: fn(&str) -> String) {
	let text = edit(&case.collateral.qe_identity);
	case.collateral.qe_identity_signature =
		m.scenario.pki.tcb_signing.sign(text.as_bytes()).to_vec();
	case.collateral.qe_identity = text;
}

/// Lets an authority sign the TCB info whose office it is not.
pub(super) fn tcb_info_by(case: &mut Case, pki: &Pki, signer: &Authority) {
	let collateral = &mut case.collateral;
	collateral.tcb_info_signature = signer.sign(collateral.tcb_info.as_bytes()).to_vec();
	collateral.tcb_info_issuer_chain = pki.chain_of(signer).expect("certificates are encodable");
}

/// Lets an authority sign the QE identity whose office it is not.
pub(super) fn qe_identity_by(case: &mut Case, pki: &Pki, signer: &Authority) {
	let collateral = &mut case.collateral;
	collateral.qe_identity_signature = signer.sign(collateral.qe_identity.as_bytes()).to_vec();
	collateral.qe_identity_issuer_chain = pki.chain_of(signer).expect("certificates are encodable");
}

/// Advisories until the TCB info is too long.
pub(super) fn oversize_tcb_info(info: &mut TcbInfo) {
	let advisories = &mut info.tcb_levels[2].advisory_ids;
	advisories.extend((0..Limits::default().json / 16).map(|i| format!("INTEL-SA-{i:05}")));
}

/// Revocations until the list is too long.
pub(super) fn oversize_crl(crl: &mut CrlOptions) {
	crl.revoked = (0..Limits::default().crl as u64 / 30).map(unused_serial).collect();
}

/// Serial number of an authority, as revocation lists have it.
pub(super) fn serial_of(authority: &Authority) -> Vec<u8> {
	authority.certificate.tbs_certificate().serial_number().as_bytes().to_vec()
}

/// Lets the registry hold collateral with other options already.
pub(super) fn store(m: &Material, case: &mut Case, edit: fn(&mut CollateralOptions)) {
	let mut options = m.scenario.options.clone();
	edit(&mut options);
	let stored = m.scenario.pki.issue_collateral(NOW, &options);
	case.stored = Some(stored.expect("numbers and dates have the length of the case's"));
}

/// Root CA CRL and PCK CRL of another root with the same names.
pub(super) fn foreign_crls(m: &Material) -> (Vec<u8>, Vec<u8>) {
	let collateral = Scenario::foreign_pki().issue_collateral(NOW, &m.scenario.options);
	let collateral = collateral.expect("only the keys differ from the case's");
	(collateral.root_ca_crl, collateral.pck_crl)
}

/// PCK CRL of the processor CA.
pub(super) fn processor_crl(m: &Material) -> Vec<u8> {
	let options = CollateralOptions { ca: CaKind::Processor, ..m.scenario.options.clone() };
	let collateral = m.scenario.pki.issue_collateral(NOW, &options);
	collateral.expect("only the CA differs from the case's").pck_crl
}

/// The same JSON object without a field that has a plain value and is not the last.
pub(super) fn without(text: &str, field: &str) -> String {
	let (before, after) = text.split_once(&format!("\"{field}\":")).expect("we wrote it");
	let (_, after) = after.split_once(',').expect("another field follows");
	[before, after].concat()
}

/// Replaces the last occurrence.
pub(super) fn rename_last(text: &str, from: &str, to: &str) -> String {
	let (before, after) = text.rsplit_once(from).expect("development TCB info has it");
	[before, to, after].concat()
}
