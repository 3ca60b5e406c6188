//! What each kind of proxy may do.

use crate::chain::account;
use codec::Encode;
use frame_support::traits::InstanceFilter;
use phala_runtime::{configs::ProxyType, constants::currency::PHA, *};

const ALL: [ProxyType; 9] = [
	ProxyType::Any,
	ProxyType::NonTransfer,
	ProxyType::CancelProxy,
	ProxyType::Identity,
	ProxyType::IdentityJudgement,
	ProxyType::Collator,
	ProxyType::Governance,
	ProxyType::StakePools,
	ProxyType::Staking,
];

#[test]
fn indices_are_fixed() {
	for (index, kind) in ALL.iter().enumerate() {
		assert_eq!(kind.encode(), vec![index as u8], "{kind:?}");
	}
	assert_eq!(ProxyType::default(), ProxyType::Any);
}

/// One call of each sort, and which of [`ALL`] may make it.
fn table() -> Vec<(RuntimeCall, [bool; 9])> {
	let bob = || account("bob").into();
	vec![
		(
			pallet_balances::Call::transfer_keep_alive { dest: bob(), value: PHA }.into(),
			[true, false, false, false, false, false, false, false, false],
		),
		(
			pallet_vesting::Call::vest {}.into(),
			[true, true, false, false, false, false, false, false, false],
		),
		(
			pallet_collator_selection::Call::register_as_candidate {}.into(),
			[true, true, false, false, false, true, false, false, false],
		),
		(
			pallet_session::Call::purge_keys {}.into(),
			[true, true, false, false, false, true, false, false, false],
		),
		(
			pallet_identity::Call::clear_identity {}.into(),
			[true, true, false, true, false, false, false, false, false],
		),
		(
			pallet_identity::Call::request_judgement { reg_index: 0, max_fee: PHA }.into(),
			[true, false, false, true, false, false, false, false, false],
		),
		(
			pallet_identity::Call::add_sub { sub: bob(), data: Default::default() }.into(),
			[true, false, false, true, false, false, false, false, false],
		),
		(
			pallet_identity::Call::set_subs { subs: vec![] }.into(),
			[true, false, false, true, false, false, false, false, false],
		),
		(
			pallet_worker_registry::Call::activate_evaluation { number: 1 }.into(),
			[true, true, false, false, false, false, false, false, false],
		),
		(
			pallet_preimage::Call::note_preimage { bytes: vec![1] }.into(),
			[true, true, false, false, false, false, true, false, false],
		),
		(
			pallet_proxy::Call::reject_announcement {
				delegate: bob(),
				call_hash: Default::default(),
			}
			.into(),
			[true, true, true, false, false, false, false, false, false],
		),
		(
			pallet_conviction_voting::Call::unlock { class: 0, target: bob() }.into(),
			[true, true, false, false, false, false, true, false, false],
		),
		(
			pallet_treasury::Call::check_status { index: 0 }.into(),
			[true, true, false, false, false, false, true, false, false],
		),
		(
			pallet_treasury::Call::payout { index: 0 }.into(),
			[true, false, false, false, false, false, false, false, false],
		),
		(
			pallet_bounties::Call::award_bounty { bounty_id: 0, beneficiary: bob() }.into(),
			[true, false, false, false, false, false, false, false, false],
		),
		(
			pallet_stake_pools::Call::contribute { pool: 0, amount: PHA }.into(),
			[true, false, false, false, false, false, false, true, false],
		),
		(
			pallet_stake_pools::Call::offer_ownership { pool: 0, heir: Some(account("bob")) }
				.into(),
			[true, false, false, false, false, false, false, true, false],
		),
		(
			pallet_stake_pools::Call::withdraw { pool: 0, shares: 1 }.into(),
			[true, true, false, false, false, false, false, true, false],
		),
		(
			pallet_stake_pools::Call::claim { pool: 0 }.into(),
			[true, true, false, false, false, false, false, true, false],
		),
		(
			pallet_mining::Call::report_outage { worker: Default::default() }.into(),
			[true, true, false, false, false, false, false, true, false],
		),
		(
			// The bond of a false accusation is lost.
			pallet_slashing::Call::accuse {
				class: phala_primitives::OffenceClass::Compromise,
				offender: phala_runtime::configs::Offender::Worker(Default::default()),
				committed: 0,
				evidence: phala_primitives::EvidenceHash(Default::default()),
			}
			.into(),
			[true, false, false, false, false, false, false, false, false],
		),
		(
			pallet_staking::Call::chill {}.into(),
			[true, false, false, false, false, false, false, false, true],
		),
		(
			pallet_gatekeeper_election::Call::unbind {}.into(),
			[true, true, false, false, false, false, false, false, true],
		),
		(pallet_utility::Call::batch { calls: vec![] }.into(), [true; 9]),
	]
}

#[test]
fn each_kind_allows_its_calls_and_no_others() {
	for (call, allowed) in table() {
		for (kind, allowed) in ALL.iter().zip(allowed) {
			assert_eq!(kind.filter(&call), allowed, "{kind:?} and {call:?}");
		}
	}
}

#[test]
fn a_superset_allows_all_that_its_subset_allows() {
	for large in ALL {
		for small in ALL.into_iter().filter(|small| large.is_superset(small)) {
			for (call, _) in table() {
				assert!(
					!small.filter(&call) || large.filter(&call),
					"{large:?} should allow {call:?}, as {small:?} does"
				);
			}
		}
		assert!(large.is_superset(&large) && ProxyType::Any.is_superset(&large));
	}
}
