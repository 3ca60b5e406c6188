//! Every valid case is accepted with the verdict that it names.

mod common;

use common::oracle;
use phala_dev_pki::{Limits, QuoteKind, TcbStatus, Variant, Verdict, valid_case, worst_case};
use std::collections::HashSet;

#[test]
fn the_oracle_reaches_the_expected_verdict() {
	for &variant in Variant::ALL {
		for &kind in variant.kinds() {
			let case = variant.case_on(kind, 1).unwrap();
			match (oracle(&case), variant.refused_by_oracle()) {
				(Ok(verdict), None) => assert_eq!(verdict, variant.verdict(), "{variant} {kind}"),
				(Err(error), Some(_)) => {
					assert_eq!(error, "Invalid QE auth data length", "{variant} {kind}");
				}
				(outcome, reason) => panic!("{variant} {kind}: {outcome:?}, but {reason:?}"),
			}
		}
	}
}

#[test]
fn every_status_of_an_accepted_quote_occurs() {
	let seen: HashSet<_> = Variant::ALL.iter().map(|variant| variant.verdict().status).collect();
	for status in [
		TcbStatus::UpToDate,
		TcbStatus::SWHardeningNeeded,
		TcbStatus::ConfigurationNeeded,
		TcbStatus::ConfigurationAndSWHardeningNeeded,
		TcbStatus::OutOfDate,
		TcbStatus::OutOfDateConfigurationNeeded,
		TcbStatus::TDRelaunchAdvised,
		TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
	] {
		assert!(seen.contains(&status), "{status}");
	}
}

#[test]
fn variants_differ() {
	for &kind in QuoteKind::ALL {
		let mut cases = vec![];
		for variant in Variant::ALL.iter().filter(|variant| variant.kinds().contains(&kind)) {
			let case = variant.case_on(kind, 1).unwrap();
			assert!(!cases.contains(&case), "{variant} {kind} is another variant's case");
			cases.push(case);
		}
		assert_eq!(cases[0], valid_case(kind, 1));
	}
}

#[test]
fn names_parse() {
	for &variant in Variant::ALL {
		assert_eq!(variant.name().parse(), Ok(variant));
		assert!(!variant.description().is_empty(), "{variant}");
	}
}

#[test]
fn the_worst_case_fills_the_limits_and_verifies() {
	let limits = Limits::default();
	for &kind in QuoteKind::ALL {
		let case = worst_case(kind, &limits, 32, 1).unwrap();
		let advisories = ["INTEL-SA-01036", "INTEL-SA-00615"];
		assert_eq!(oracle(&case), Ok(Verdict::new(TcbStatus::OutOfDate, &advisories)), "{kind}");
		let collateral = &case.collateral;
		for (len, limit, slack) in [
			(collateral.pck_crl.len(), limits.crl, 60),
			(collateral.root_ca_crl.len(), limits.crl, 60),
			(collateral.qe_identity.len(), limits.json, 100),
			(collateral.tcb_info.len(), limits.json, 600),
		] {
			assert!((limit - slack..=limit).contains(&len), "{kind}: {len} of {limit} bytes");
		}
	}
}

#[test]
fn the_worst_case_obeys_other_limits() {
	let limits = Limits { quote: 8_000, crl: 9_000, json: 10_000, levels: 7 };
	let case = worst_case(QuoteKind::TdxV5Td15ex, &limits, 2_000, 1).unwrap();
	let count = |text: &str| text.matches("tcbStatus").count();
	// Each of the two module identities has two levels as well.
	assert_eq!(count(&case.collateral.tcb_info), 7 + 4);
	assert_eq!(count(&case.collateral.qe_identity), 7);
	assert!(case.collateral.pck_crl.len() <= 9_000);
	let usual = worst_case(QuoteKind::TdxV5Td15ex, &limits, 32, 1).unwrap();
	assert_eq!(case.quote.len(), usual.quote.len() + 2_000 - 32);
}
