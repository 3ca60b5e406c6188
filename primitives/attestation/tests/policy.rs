//! Tiers, grace, roles; the report data.

mod common;

use codec::Encode;
use common::verify_case;
use phala_attestation::{
	Activation, AdvisoryId, Binding, Error, Policy, Role, TcbStatus, Tier, Verified, platform_id,
	types::Ppid,
};
use phala_dev_pki::{QuoteKind, valid_case};
use proptest::prelude::*;
use std::sync::LazyLock;

const DAY: u64 = 24 * 60 * 60;
const NOW: u64 = phala_dev_pki::NOW;

static UP_TO_DATE: LazyLock<Verified> =
	LazyLock::new(|| verify_case(&valid_case(QuoteKind::TdxV4, 1)).expect("valid"));

fn verified(status: TcbStatus, advisories: &[&str]) -> Verified {
	let ids: Vec<_> = advisories.iter().map(|id| AdvisoryId::new(id).expect("a name")).collect();
	let outdated = !matches!(status, TcbStatus::UpToDate | TcbStatus::SWHardeningNeeded);
	Verified {
		status,
		advisory_ids: ids.try_into().expect("few"),
		outdated_since: outdated.then_some(NOW - 100 * DAY),
		..UP_TO_DATE.clone()
	}
}

fn policy() -> Policy {
	let accepted = AdvisoryId::new("INTEL-SA-00289").expect("a name");
	Policy {
		accepted_advisories: vec![accepted].try_into().expect("few"),
		grace: 30 * DAY,
		min_evaluation_number: UP_TO_DATE.evaluation_number,
		ttl: 7 * DAY,
		worst_worker: Tier::Five,
		worst_gatekeeper: Tier::Two,
	}
}

/// Evaluation numbers in force since ten and two hundred days.
fn activations() -> [Activation; 2] {
	let number = UP_TO_DATE.evaluation_number;
	[
		Activation { evaluation_number: number, at: NOW - 10 * DAY },
		Activation { evaluation_number: number - 1, at: NOW - 200 * DAY },
	]
}

fn tier(verified: &Verified) -> Result<Tier, Error> {
	policy().tier(Role::Worker, verified, &activations(), NOW)
}

#[test]
fn tiers_are_those_of_the_table() {
	use TcbStatus::*;
	let (accepted, other) = ("INTEL-SA-00289", "INTEL-SA-00615");
	let cases: [(_, &[&str], _, _); 12] = [
		(UpToDate, &[], Tier::One, 1000),
		(UpToDate, &[other], Tier::One, 1000),
		(SWHardeningNeeded, &[other], Tier::Two, 1000),
		(ConfigurationNeeded, &[], Tier::Three, 1000),
		(ConfigurationNeeded, &[accepted], Tier::Three, 1000),
		(ConfigurationAndSWHardeningNeeded, &[accepted], Tier::Three, 1000),
		(ConfigurationNeeded, &[other], Tier::Four, 800),
		(ConfigurationAndSWHardeningNeeded, &[accepted, other], Tier::Four, 800),
		(OutOfDate, &[other], Tier::Five, 700),
		(OutOfDateConfigurationNeeded, &[], Tier::Five, 700),
		(TDRelaunchAdvised, &[], Tier::Five, 700),
		(TDRelaunchAdvisedConfigurationNeeded, &[], Tier::Five, 700),
	];
	for (status, advisories, expected, confidence) in cases {
		assert_eq!(tier(&verified(status, advisories)), Ok(expected), "{status} {advisories:?}");
		assert_eq!(expected.confidence(), confidence);
	}
	assert_eq!(tier(&verified(Revoked, &[])), Err(Error::StatusRefused(Revoked)));
}

#[test]
fn grace_counts_from_the_activation_that_outdated_the_platform() {
	let outdated = verified(TcbStatus::OutOfDate, &[]);
	let at = |now| policy().tier(Role::Worker, &outdated, &activations(), now);
	// The recovery was a hundred days ago: not the old activation, but the one ten days ago.
	let ended = NOW + 20 * DAY;
	assert_eq!(at(ended - 1), Ok(Tier::Five));
	assert_eq!(at(ended), Err(Error::GraceEnded { status: TcbStatus::OutOfDate, ended }));
	// Nobody has activated anything since: from the recovery.
	let ended = NOW - 70 * DAY;
	let refused = policy().tier(Role::Worker, &outdated, &activations()[1..], NOW);
	assert_eq!(refused, Err(Error::GraceEnded { status: TcbStatus::OutOfDate, ended }));
	// No grace at all.
	let strict = Policy { grace: 0, ..policy() };
	let now = NOW - 10 * DAY;
	assert!(strict.tier(Role::Worker, &outdated, &activations(), now).is_err());
}

#[test]
fn real_verdicts_carry_the_recovery() {
	use phala_dev_pki::Variant;
	for (variant, outdated) in [
		(Variant::UpToDate, false),
		(Variant::LowerSvn, true),
		(Variant::QeOutOfDate, true),
		(Variant::ConfigurationNeeded, false),
	] {
		let case = variant.case_on(QuoteKind::TdxV4, 1).expect("all kinds");
		let verified = verify_case(&case).expect("valid");
		assert_eq!(verified.outdated_since.is_some(), outdated, "{variant}");
		assert!(verified.outdated_since.is_none_or(|since| since < NOW));
	}
}

#[test]
fn gatekeepers_need_tier_two() {
	let gatekeeper = |status, advisories| {
		policy().tier(Role::Gatekeeper, &verified(status, advisories), &activations(), NOW)
	};
	assert_eq!(gatekeeper(TcbStatus::UpToDate, &[]), Ok(Tier::One));
	assert_eq!(gatekeeper(TcbStatus::SWHardeningNeeded, &["INTEL-SA-00615"]), Ok(Tier::Two));
	assert_eq!(
		gatekeeper(TcbStatus::ConfigurationNeeded, &[]),
		Err(Error::TierTooLow { role: Role::Gatekeeper, worst: Tier::Two, tier: Tier::Three })
	);
}

#[test]
fn collateral_of_an_old_evaluation_is_refused() {
	let offered = UP_TO_DATE.evaluation_number;
	let policy = Policy { min_evaluation_number: offered + 1, ..policy() };
	assert_eq!(
		policy.tier(Role::Worker, &UP_TO_DATE, &activations(), NOW),
		Err(Error::EvaluationNumberTooLow { minimum: offered + 1, offered })
	);
}

#[test]
fn an_attestation_ends_with_its_collateral_or_its_ttl() {
	let verified = UP_TO_DATE.clone();
	assert_eq!(policy().valid_until(&verified, NOW), NOW + 7 * DAY);
	let late = verified.valid_until - 3;
	assert_eq!(policy().valid_until(&verified, late), verified.valid_until);
	assert_eq!(policy().valid_until(&verified, u64::MAX), verified.valid_until);
}

fn binding() -> Binding {
	Binding {
		genesis_hash: [1; 32],
		para_id: 2035,
		role: Role::Gatekeeper,
		operator: [2; 32],
		identity_key: [3; 32],
		encryption_key: [4; 32],
		block_number: 0x0102_0304,
		block_hash: [5; 32],
	}
}

#[test]
fn report_data_is_the_documented_hash() {
	// Python: hashlib.sha512(b"phala/worker-attestation/v1" + ...).
	let expected = "fc384d8c79916b19bca4d3e1257fc235b14331d18f46bea9916d316171d8cd86\
		9f4575b7baf781a5bf828761041d43e015801b01a12210ea6a7c435031f7593a";
	assert_eq!(hex::encode(binding().hash()), expected);
	assert_eq!(binding().check(&binding().hash()), Ok(()));
	let expected = "06db9dc13a27fd39b12a1667e2a5cc0cd11a257b8a1d5053e4fd8821f50d4ca6";
	assert_eq!(hex::encode(platform_id(&Ppid([6; 16]), &[7; 32])), expected);
	assert_ne!(platform_id(&Ppid([6; 16]), &[7; 32]), platform_id(&Ppid([6; 16]), &[8; 32]));
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	/// Changing any bit of any field changes the report data.
	#[test]
	fn every_bit_of_a_claim_counts(at in 0..169usize, bit in 0..8u8) {
		let mut bytes = binding().encode();

		// The role has one bit.
		let bit = if at == 36 { 0 } else { bit };
		bytes[at] ^= 1 << bit;
		let other: Binding = codec::Decode::decode(&mut &bytes[..]).expect("a claim");
		prop_assert_ne!(other, binding());
		prop_assert_eq!(other.check(&binding().hash()), Err(Error::ReportDataMismatch));
	}
}
