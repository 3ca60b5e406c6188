//! The negative suite: whatever is wrong with a quote or its collateral, the pallet refuses it with
//! the rule that is broken.

use super::*;
use phala_attestation::{Error as RuleError, TrustRoot, collateral::Bundle, verify_quote};
use phala_dev_pki::{Case, Mutation, valid_case};
use std::collections::BTreeSet;

/// What the pallet says about a case, or `None` where its bounded types cannot even hold it.
fn outcome(case: &Case, subject: &Subject) -> Option<DispatchResult> {
	let too_large = [case.collateral.pck_crl.len(), case.collateral.root_ca_crl.len()]
		.iter()
		.any(|len| *len > MAX_CRL_LEN as usize)
		|| [case.collateral.tcb_info.len(), case.collateral.qe_identity.len()]
			.iter()
			.any(|len| *len > MAX_DOCUMENT_LEN as usize)
		|| case.quote.len() > MAX_QUOTE_LEN as usize
		|| case.collateral.tcb_info_signature.len() != 64
		|| case.collateral.qe_identity_signature.len() != 64
		|| case.collateral.tcb_info_issuer_chain.is_empty()
		|| case.collateral.qe_identity_issuer_chain.is_empty();
	if too_large {
		return None;
	}
	let collateral = Clock::get();
	Clock::set(case.now);
	let result = submit_strictly(case).and_then(|()| {
		let quote = case.quote.clone().try_into().expect("it was measured");
		subject.register_with(quote)
	});
	Clock::set(collateral);
	Some(result)
}

/// All collateral of a case, in the order in which it can be verified; the first error ends it.
fn submit_strictly(case: &Case) -> DispatchResult {
	let collateral = &case.collateral;
	let ca = phala_attestation::PckCaKind::Platform;
	submit_root_crl(collateral)?;
	submit_pck_ca(collateral)?;
	submit_pck_crl(collateral, ca)?;
	submit_tcb_info(collateral)?;
	submit_qe_identity(collateral)?;
	Ok(())
}

/// What the verifier alone says.
fn verifier(case: &Case) -> Result<(), RuleError> {
	let json = serde_json::to_vec(&case.collateral).expect("it serialises");
	let bundle: Bundle = serde_json::from_slice(&json).expect("it is a bundle");
	let root = TrustRoot::from_der(&case.root_der)?;
	let verified = bundle.verify(&root, case.now)?;
	let quote = Quote::parse(&case.quote)?;
	verify_quote(&quote, &verified.collateral(&root), case.now, 0).map(|_| ())
}

/// The rule that the pallet must name.
fn expected(mutation: Mutation, case: &Case) -> Rule {
	match mutation {
		// The cheaper check comes first.
		Mutation::TamperedBody => Rule::ReportDataMismatch,
		_ => match verifier(case).expect_err("the verifier must refuse it").rule() {
			// Collateral for others is stored for others: for this quote there is none.
			Rule::FmspcMismatch | Rule::CollateralForOtherTee => Rule::CollateralMissing,
			rule => rule,
		},
	}
}

#[test]
fn the_case_itself_is_accepted() {
	for &kind in QuoteKind::ALL {
		ExtBuilder::default().build_and_execute(|| {
			let subject = Subject { kind, ..Subject::default() };
			let case = valid_case(kind, 1);
			let quote = subject.quote();
			assert_eq!(
				outcome(&Case { quote: quote.into_inner(), ..case }, &subject),
				Some(Ok(()))
			);
		});
	}
}

#[test]
fn every_mutation_is_refused_with_its_own_rule() {
	let (mut rules, mut unencodable) = (BTreeSet::new(), vec![]);
	let registry =
		[Mutation::LowerEvaluationNumber, Mutation::OlderIssueDate, Mutation::LowerCrlNumber];
	for &mutation in Mutation::ALL.iter().filter(|mutation| !registry.contains(mutation)) {
		ExtBuilder::default().build_and_execute(|| {
			let kind = mutation.kinds()[0];
			let subject = Subject { kind, ..Subject::default() };
			let case =
				mutation.case_with(kind, 1, subject.report_data()).expect("the kind is its own");
			let Some(result) = outcome(&case, &subject) else {
				unencodable.push(mutation);
				return;
			};
			let error = result.expect_err("a mutation must be refused");
			let expected = expected(mutation, &case);
			assert_eq!(error, attestation(expected), "{mutation}: expected {expected:?}");
			assert_eq!(Workers::<Test>::count(), 0);
			rules.insert(expected);
		});
	}
	assert!(rules.len() > 60, "{} rules: {rules:?}", rules.len());
	// Those are the next test's.
	unencodable.retain(|mutation| {
		!matches!(mutation, Mutation::EmptyTcbInfoChain | Mutation::EmptyQeIdentityChain)
	});
	assert_eq!(unencodable, UNENCODABLE);
}

const UNENCODABLE: [Mutation; 7] = [
	Mutation::OversizeQuote,
	Mutation::OversizeTcbInfo,
	Mutation::OversizeQeIdentity,
	Mutation::OversizePckCrl,
	Mutation::OversizeRootCaCrl,
	Mutation::TruncatedTcbInfoSignature,
	Mutation::TruncatedQeIdentitySignature,
];

/// What is too large for a call's types is no call: it cannot even be decoded.
#[test]
fn what_is_too_large_is_no_call() {
	use codec::{Decode, Encode};
	let decodes = |index: u8, arguments: Vec<u8>| {
		let bytes = [vec![80, index], arguments].concat();
		let decoded = RuntimeCall::decode(&mut &bytes[..]);
		decoded.is_ok_and(|call| call.encode() == bytes)
	};
	let register = |quote: &[u8]| {
		decodes(
			4,
			(quote, ExtBuilder::default().build().execute_with(|| Subject::default().claim()))
				.encode(),
		)
	};
	let submit_crl = |crl: &[u8]| decodes(3, (CrlSource::Root, crl).encode());
	let submit_document = |index, body: &str, signature: &[u8]| {
		decodes(index, [body.encode(), signature.to_vec(), Vec::<u8>::new().encode()].concat())
	};
	let fits = |case: &Case| {
		let Collateral {
			root_ca_crl,
			pck_crl,
			tcb_info,
			tcb_info_signature,
			qe_identity,
			qe_identity_signature,
			..
		} = &case.collateral;
		register(&case.quote)
			&& submit_crl(root_ca_crl)
			&& submit_crl(pck_crl)
			&& submit_document(0, tcb_info, tcb_info_signature)
			&& submit_document(1, qe_identity, qe_identity_signature)
	};
	assert!(fits(&valid_case(QuoteKind::TdxV4, 1)));
	for mutation in UNENCODABLE {
		assert!(!fits(&phala_dev_pki::case(mutation, 1)), "{mutation}");
	}
}

#[test]
fn what_only_a_registry_can_see_is_refused() {
	let ca = phala_attestation::PckCaKind::Platform;
	for (mutation, refused) in [
		(Mutation::LowerEvaluationNumber, Rule::EvaluationNumberFell),
		(Mutation::OlderIssueDate, Rule::IssueDateNotNewer),
		(Mutation::LowerCrlNumber, Rule::CrlNumberFell),
	] {
		// The stored material may have a number that is not in force yet.
		ExtBuilder::default().evaluation(Some(EVALUATION + 1)).build_and_execute(|| {
			let case = mutation.case_on(mutation.kind(), 1).expect("its own kind");
			let stored = case.stored.as_ref().expect("it is about what is stored");
			assert_ok!(submit(stored));
			let collateral = &case.collateral;
			let refused = Err(attestation(refused));
			if mutation == Mutation::LowerCrlNumber {
				assert_eq!(submit_pck_crl(collateral, ca), refused);
			} else {
				assert_eq!(submit_tcb_info(collateral), refused);
				assert_eq!(submit_qe_identity(collateral), refused);
			}
		});
	}
}
