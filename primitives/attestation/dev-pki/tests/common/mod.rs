//! The oracle: dcap-qvl with the case's own root and pure-Rust cryptography.

use dcap_qvl::{QuoteCollateralV3, QuotePolicy, configs::RustCryptoConfig, verify::QuoteVerifier};
use phala_dev_pki::{Case, Verdict};

/// Status and advisories by dcap-qvl, or the whole chain of its error.
pub fn oracle(case: &Case) -> Result<Verdict, String> {
	let json = serde_json::to_string(&case.collateral).unwrap();
	let collateral: QuoteCollateralV3 = serde_json::from_str(&json).unwrap();
	QuoteVerifier::<RustCryptoConfig>::new_with_config(case.root_der.clone())
		.verify_with_policy(&case.quote, collateral, case.now, &QuotePolicy::claims_only(case.now))
		.map(|claims| Verdict {
			status: claims.tcb.status.to_string().parse().unwrap(),
			advisory_ids: claims.tcb.advisory_ids,
		})
		.map_err(|error| format!("{error:#}"))
}
