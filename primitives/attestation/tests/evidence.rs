//! Evidence outlives its quote: newer collateral judges it as it would judge a fresh quote.

mod common;

use codec::{Decode, Encode, MaxEncodedLen};
use common::bundle;
use phala_attestation::{
	Crl, CrlIssuer, Error, Evidence, Quote, TrustRoot, collateral::VerifiedBundle, verify_quote,
};
use phala_dev_pki::{Mutation, QuoteKind, Variant, valid_case};

#[test]
fn appraisal_equals_that_of_the_quote_for_every_variant() {
	for &variant in Variant::ALL {
		for &kind in variant.kinds() {
			let case = variant.case_on(kind, 1).expect("the kind is its own");
			let root = TrustRoot::from_der(&case.root_der).expect("a root");
			let verified = bundle(&case.collateral).verify(&root, case.now).expect("valid");
			let quote = Quote::parse(&case.quote).expect("valid");
			let collateral = verified.collateral(&root);
			let whole = verify_quote(&quote, &collateral, case.now, 0).expect("valid");
			let stored =
				Evidence::decode(&mut &whole.evidence.encode()[..]).expect("it was encoded");
			assert_eq!(stored.appraise(&collateral, case.now, 0), Ok(whole.appraised), "{variant}");
		}
	}
}

#[test]
fn newer_collateral_refuses_the_evidence_with_the_rule_that_refuses_the_quote() {
	for mutation in [
		Mutation::PckRevoked,
		Mutation::PckCaRevoked,
		Mutation::TcbSigningRevoked,
		Mutation::PlatformRevoked,
		Mutation::QeRevoked,
		Mutation::ModuleRevoked,
		Mutation::NoTcbLevels,
		Mutation::FmspcMismatch,
		Mutation::PceIdMismatch,
		Mutation::MissingTdxModuleIdentities,
		Mutation::RootCaRevoked,
	] {
		// The same machine with sound collateral, then with this one.
		let kind = if mutation.kinds().contains(&QuoteKind::TdxV5Td15) {
			QuoteKind::TdxV5Td15
		} else {
			mutation.kind()
		};
		let (sound, newer) = (valid_case(kind, 1), mutation.case_on(kind, 1).expect("its own"));
		let root = TrustRoot::from_der(&sound.root_der).expect("a root");
		let quote = Quote::parse(&sound.quote).expect("valid");
		let verified = bundle(&sound.collateral).verify(&root, sound.now).expect("valid");
		let evidence = verify_quote(&quote, &verified.collateral(&root), sound.now, 0)
			.expect("valid")
			.evidence;
		let newer = bundle(&newer.collateral);
		let newer = newer.verify(&root, sound.now).unwrap_or_else(|_| {
			// The newer list of the root refuses what is stored; so does this crate when it is submitted.
			let root_crl = Crl::verify(&newer.root_ca_crl, CrlIssuer::Root(&root), sound.now);
			VerifiedBundle { root_crl: root_crl.expect("valid"), ..verified.clone() }
		});
		let collateral = newer.collateral(&root);
		let refused: Error = match evidence.appraise(&collateral, sound.now, 0) {
			Err(refused) => refused,
			Ok(appraised) => panic!("{mutation}: {appraised:?}"),
		};
		assert_eq!(
			verify_quote(&quote, &collateral, sound.now, 0).map(|_| ()),
			Err(refused),
			"{mutation}"
		);
	}
}

#[test]
fn evidence_is_small() {
	assert!(Evidence::max_encoded_len() <= 320, "{}", Evidence::max_encoded_len());
}
