//! Real samples, the oracle, and our verifier behind one interface.
#![allow(dead_code, reason = "each test uses a part")]

use dcap_qvl::{QuoteCollateralV3, QuotePolicy, configs::RustCryptoConfig, verify::QuoteVerifier};
use phala_attestation::{Error, Quote, TrustRoot, Verified, collateral::Bundle, verify_quote};

mod oracle;
pub use oracle::oracle_package;

/// A quote and its collateral.
#[derive(Clone)]
pub struct Sample {
	pub name: &'static str,
	pub quote: Vec<u8>,
	pub collateral: Bundle,
	pub json: String,
	/// Inside of the collateral's time.
	pub now: u64,
}

/// The oracle's samples: name, time.
pub const SAMPLES: [(&str, u64); 4] = [
	("sgx_quote", 1_751_000_000),
	("tdx_quote", 1_751_000_000),
	("tdx_quote_outdated", 1_772_000_000),
	("tdx_quote_td15ex", 1_792_000_000),
];

pub fn samples() -> Vec<Sample> {
	let folder = oracle_package().join("sample");
	let read = |name: &str| std::fs::read(folder.join(name)).expect("the package ships it");
	SAMPLES
		.map(|(name, now)| {
			let json = String::from_utf8(read(&format!("{name}_collateral.json"))).expect("JSON");
			let collateral = serde_json::from_str(&json).expect("a bundle");
			Sample { name, quote: read(name), collateral, json, now }
		})
		.to_vec()
}

pub fn sample(name: &str) -> Sample {
	samples().into_iter().find(|sample| sample.name == name).expect("a sample")
}

/// Status and advisories, ascending.
pub type Verdict = (String, Vec<String>);

pub fn verdict(verified: &Verified) -> Verdict {
	let ids = verified.appraised.advisory_ids.iter().map(|id| id.to_string()).collect();
	(verified.appraised.status.to_string(), ids)
}

/// Everything, from the bytes.
pub fn verify(
	quote: &[u8],
	collateral: &Bundle,
	root: &TrustRoot,
	now: u64,
) -> Result<Verified, Error> {
	let quote = Quote::parse(quote)?;
	let verified = collateral.verify(root, now)?;
	verify_quote(&quote, &verified.collateral(root), now, 0)
}

/// The oracle's view of a bundle.
pub fn to_oracle(bundle: &Bundle) -> QuoteCollateralV3 {
	let Bundle {
		pck_crl_issuer_chain,
		root_ca_crl,
		pck_crl,
		tcb_info_issuer_chain,
		tcb_info,
		tcb_info_signature,
		qe_identity_issuer_chain,
		qe_identity,
		qe_identity_signature,
	} = bundle.clone();
	QuoteCollateralV3 {
		pck_crl_issuer_chain,
		root_ca_crl,
		pck_crl,
		tcb_info_issuer_chain,
		tcb_info,
		tcb_info_signature,
		qe_identity_issuer_chain,
		qe_identity,
		qe_identity_signature,
		pck_certificate_chain: None,
	}
}

/// What the oracle says; `root` is Intel's if absent.
pub fn oracle(
	quote: &[u8],
	collateral: &Bundle,
	root: Option<&[u8]>,
	now: u64,
) -> Result<Verdict, String> {
	oracle_with(quote, to_oracle(collateral), root, now)
}

fn oracle_with(
	quote: &[u8],
	collateral: QuoteCollateralV3,
	root: Option<&[u8]>,
	now: u64,
) -> Result<Verdict, String> {
	let verifier = match root {
		None => QuoteVerifier::new_prod(),
		Some(der) => QuoteVerifier::new(der.to_vec()),
	};
	let claims = verifier
		.with_config::<RustCryptoConfig>()
		.verify_with_policy(quote, collateral, now, &QuotePolicy::claims_only(now))
		.map_err(|error| format!("{error:#}"))?;
	let mut ids = claims.tcb.advisory_ids;
	// Advisories are a set; the oracle repeats what a level repeats.
	ids.sort_unstable();
	ids.dedup();
	Ok((claims.tcb.status.to_string(), ids))
}

/// A development case in our types.
pub fn bundle(collateral: &phala_dev_pki::Collateral) -> Bundle {
	serde_json::from_value(serde_json::to_value(collateral).expect("strings")).expect("a bundle")
}

/// Our verdict on a development case.
pub fn verify_case(case: &phala_dev_pki::Case) -> Result<Verified, Error> {
	let root = TrustRoot::from_der(&case.root_der)?;
	verify(&case.quote, &bundle(&case.collateral), &root, case.now)
}

/// The oracle's verdict on a development case.
pub fn oracle_case(case: &phala_dev_pki::Case) -> Result<Verdict, String> {
	let mut collateral = to_oracle(&bundle(&case.collateral));
	collateral.pck_certificate_chain.clone_from(&case.collateral.pck_certificate_chain);
	oracle_with(&case.quote, collateral, Some(&case.root_der), case.now)
}
