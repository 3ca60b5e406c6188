//! Tiers, grace, roles; the report data.

mod common;

use codec::Encode;
use common::verify_case;
use phala_attestation::{
	Activation, AdvisoryId, Appraised, Binding, Error, Policy, Role, TcbStatus, Tier, platform_id,
	types::Ppid,
};
use phala_dev_pki::{QuoteKind, valid_case};
use proptest::prelude::*;
use std::sync::LazyLock;

const DAY: u64 = 24 * 60 * 60;
const NOW: u64 = phala_dev_pki::NOW;

static UP_TO_DATE: LazyLock<Appraised> =
	LazyLock::new(|| verify_case(&valid_case(QuoteKind::TdxV4, 1)).expect("valid").appraised);

/// A platform of this status; if it is out of date, by a level dated a hundred days ago.
fn verified(status: TcbStatus, advisories: &[&str]) -> Appraised {
	let ids: Vec<_> = advisories.iter().map(|id| AdvisoryId::new(id).expect("a name")).collect();
	let outdated = !matches!(status, TcbStatus::UpToDate | TcbStatus::SWHardeningNeeded);
	let mut appraised = UP_TO_DATE.clone();
	appraised.status = status;
	appraised.advisory_ids = ids.try_into().expect("few");
	appraised.outdated_level = outdated.then_some(LEVEL);
	appraised
}

const LEVEL: u64 = NOW - 100 * DAY;

/// Evaluation number of the collateral.
fn number() -> u32 {
	UP_TO_DATE.tcb_evaluation_number
}

fn policy() -> Policy {
	let accepted = AdvisoryId::new("INTEL-SA-00289").expect("a name");
	Policy {
		accepted_advisories: vec![accepted].try_into().expect("few"),
		grace: 30 * DAY,
		min_evaluation_number: number(),
		ttl: 7 * DAY,
		worst_worker: Tier::Five,
		worst_gatekeeper: Tier::Two,
	}
}

fn activation(evaluation_number: u32, at: u64, newest_level: u64) -> Activation {
	Activation { evaluation_number, at, newest_level }
}

/// In force since ten and two hundred days; the older one is content with [`LEVEL`].
fn activations() -> [Activation; 2] {
	[
		activation(number(), NOW - 10 * DAY, NOW - 60 * DAY),
		activation(number() - 1, NOW - 200 * DAY, LEVEL),
	]
}

fn judge(
	appraised: &Appraised,
	activations: &[Activation],
	now: u64,
) -> Result<(Tier, u64), Error> {
	policy().appraise(Role::Worker, appraised, activations, now, now)
}

fn tier(verified: &Appraised) -> Result<Tier, Error> {
	judge(verified, &activations(), NOW).map(|(tier, _)| tier)
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
fn grace_counts_from_the_first_number_that_demands_more() {
	let outdated = verified(TcbStatus::OutOfDate, &[]);
	let refused = |ended| Err(Error::GraceEnded { status: TcbStatus::OutOfDate, ended });
	// Not the old number, which was content, but the one ten days ago.
	let ended = NOW + 20 * DAY;
	assert_eq!(judge(&outdated, &activations(), ended - 1), Ok((Tier::Five, ended)));
	assert_eq!(judge(&outdated, &activations(), ended), refused(ended));
	// A number counts as soon as a higher one does.
	let skipped = [activations()[0], activation(number() + 1, NOW - 25 * DAY, 0)];
	assert_eq!(judge(&outdated, &skipped, NOW).map(|(_, until)| until), Ok(NOW + 5 * DAY));
	// What took effect before the level was even published, as a number of genesis, or what nobody
	// knows: from the level on.
	for since in [activation(number(), 0, NOW - 60 * DAY), activation(number(), NOW - DAY, LEVEL)] {
		assert_eq!(judge(&outdated, &[since], NOW), refused(LEVEL + 30 * DAY));
	}
	// No grace at all.
	let strict = Policy { grace: 0, ..policy() };
	let now = NOW - 10 * DAY;
	assert!(strict.appraise(Role::Worker, &outdated, &activations(), now, now).is_err());
}

#[test]
fn a_further_recovery_gives_no_new_grace() {
	let outdated = verified(TcbStatus::OutOfDate, &[]);
	let ended = |activations: &[Activation]| match judge(&outdated, activations, NOW + 20 * DAY) {
		Err(Error::GraceEnded { ended, .. }) => ended,
		other => panic!("{other:?}"),
	};
	// The next number dates the best level anew; the platform's stays as it was.
	let [current, old] = activations();
	let next = activation(number() + 1, NOW + 15 * DAY, NOW + 2 * DAY);
	assert_eq!(ended(&[current, old]), NOW + 20 * DAY);
	assert_eq!(ended(&[current, old, next]), NOW + 20 * DAY);
	// Who was up to date until then has a grace of its own.
	let mut patched = outdated.clone();
	(patched.outdated_level, patched.valid_until) = (Some(current.newest_level), u64::MAX);
	let judged = judge(&patched, &[current, old, next], NOW + 44 * DAY);
	assert_eq!(judged.map(|(_, until)| until), Ok(NOW + 45 * DAY));
}

#[test]
fn an_attestation_ends_with_its_grace() {
	let outdated = verified(TcbStatus::OutOfDate, &[]);
	// Of three ends the first: the lifetime, the grace, the collateral.
	assert_eq!(judge(&outdated, &activations(), NOW), Ok((Tier::Five, NOW + 7 * DAY)));
	let late = NOW + 15 * DAY;
	assert_eq!(judge(&outdated, &activations(), late), Ok((Tier::Five, NOW + 20 * DAY)));
	let mut ending = outdated.clone();
	ending.valid_until = late + 9;
	assert_eq!(judge(&ending, &activations(), late), Ok((Tier::Five, late + 10)));
	// Appraised anew, it does not outlive the quote's lifetime.
	let again = policy().appraise(Role::Worker, &outdated, &activations(), NOW, NOW + DAY);
	assert_eq!(again, Ok((Tier::Five, NOW + 7 * DAY)));
}

#[test]
fn collateral_ahead_of_the_chain_is_refused() {
	let mut early = UP_TO_DATE.clone();
	let active = number();
	let offered = active + 1;
	let refused = Err(Error::EvaluationNumberNotActive { active, offered });
	// Either document counts; a number that is known and waits is not in force.
	for (tcb, qe) in [(offered, active), (active, offered), (offered, offered)] {
		(early.tcb_evaluation_number, early.qe_evaluation_number) = (tcb, qe);
		let waiting = activation(offered, NOW + 1, NOW);
		assert_eq!(judge(&early, &[activations()[0], waiting], NOW), refused);
		assert!(judge(&early, &[activations()[0], waiting], NOW + 1).is_ok());
	}
	let none = Err(Error::EvaluationNumberNotActive { active: 0, offered: active });
	assert_eq!(judge(&UP_TO_DATE, &[], NOW), none);
}

#[test]
fn real_verdicts_carry_the_date_of_the_level() {
	use phala_dev_pki::Variant;
	for (variant, outdated) in [
		(Variant::UpToDate, false),
		(Variant::LowerSvn, true),
		(Variant::QeOutOfDate, true),
		(Variant::ConfigurationNeeded, false),
	] {
		let case = variant.case_on(QuoteKind::TdxV4, 1).expect("all kinds");
		let verified = verify_case(&case).expect("valid").appraised;
		assert_eq!(verified.outdated_level.is_some(), outdated, "{variant}");
		assert!(verified.outdated_level.is_none_or(|since| since < NOW));
	}
}

#[test]
fn gatekeepers_need_tier_two() {
	let gatekeeper = |status, advisories| {
		// Whatever governance says.
		let lax = Policy { worst_gatekeeper: Tier::Five, ..policy() };
		let verified = verified(status, advisories);
		let judged = lax.appraise(Role::Gatekeeper, &verified, &activations(), NOW, NOW);
		judged.map(|(tier, _)| tier)
	};
	let strict = Policy { worst_gatekeeper: Tier::One, ..policy() };
	let hardening = verified(TcbStatus::SWHardeningNeeded, &[]);
	assert_eq!(
		strict.appraise(Role::Gatekeeper, &hardening, &activations(), NOW, NOW),
		Err(Error::TierTooLow { role: Role::Gatekeeper, worst: Tier::One, tier: Tier::Two })
	);
	assert_eq!(gatekeeper(TcbStatus::UpToDate, &[]), Ok(Tier::One));
	assert_eq!(gatekeeper(TcbStatus::SWHardeningNeeded, &["INTEL-SA-00615"]), Ok(Tier::Two));
	assert_eq!(
		gatekeeper(TcbStatus::ConfigurationNeeded, &[]),
		Err(Error::TierTooLow { role: Role::Gatekeeper, worst: Tier::Two, tier: Tier::Three })
	);
}

#[test]
fn collateral_of_an_old_evaluation_is_refused() {
	let minimum = number();
	let offered = minimum - 1;
	// The lower one of the two counts.
	for (tcb, qe) in [(offered, minimum), (minimum, offered)] {
		let mut old = UP_TO_DATE.clone();
		(old.tcb_evaluation_number, old.qe_evaluation_number) = (tcb, qe);
		let refused = Error::EvaluationNumberTooLow { minimum, offered };
		assert_eq!(judge(&old, &activations(), NOW), Err(refused));
	}
}

#[test]
fn an_attestation_ends_with_its_collateral_or_its_ttl() {
	let until = |now| judge(&UP_TO_DATE, &activations(), now).map(|(_, until)| until);
	assert_eq!(until(NOW), Ok(NOW + 7 * DAY));
	// The last second, and then no more.
	let last = UP_TO_DATE.valid_until;
	assert_eq!(until(last - 3), Ok(last + 1));
	assert_eq!(until(u64::MAX), Ok(last + 1));
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	/// Numbers that take effect later move no grace that has begun.
	#[test]
	fn later_numbers_move_no_grace(
		level in 0..100u64,
		first in (1..50u32, 0..200u64, 1..50u64),
		later in proptest::collection::vec((1..50u32, 0..200u64, 0..200u64), 0..8),
	) {
		let mut outdated = verified(TcbStatus::OutOfDate, &[]);
		(outdated.outdated_level, outdated.valid_until) = (Some(level), u64::MAX);
		(outdated.tcb_evaluation_number, outdated.qe_evaluation_number) = (1, 1);
		let policy = Policy { min_evaluation_number: 0, grace: 40, ttl: u64::MAX, ..policy() };
		// The number that demands more than the level, and numbers above it.
		let (number, at, more) = first;
		let mut all = vec![activation(1, 0, level), activation(1 + number, at, level + more)];
		let ended = |all: &[Activation]| {
			match policy.appraise(Role::Worker, &outdated, all, 1_000, 1_000) {
				Err(Error::GraceEnded { ended, .. }) => ended,
				other => panic!("{other:?}"),
			}
		};
		let expected = at.max(level) + 40;
		prop_assert_eq!(ended(&all), expected);
		for (above, after, newest) in later {
			all.push(activation(1 + number + above, at + after, newest));
			prop_assert_eq!(ended(&all), expected);
		}
	}
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
