//! What each kind of proxy may do.

use crate::chain::{account, run};
use codec::Encode;
use frame_support::{assert_ok, traits::InstanceFilter};
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
			pallet_proxy::Call::announce { real: bob(), call_hash: Default::default() }.into(),
			[true, false, false, false, false, false, false, false, false],
		),
		(
			pallet_proxy::Call::create_pure {
				proxy_type: ProxyType::NonTransfer,
				delay: 0,
				index: 0,
			}
			.into(),
			[true, true, false, false, false, false, false, false, false],
		),
		(
			pallet_multisig::Call::cancel_as_multi {
				threshold: 2,
				other_signatories: vec![account("bob")],
				timepoint: pallet_multisig::Timepoint { height: 1, index: 1 },
				call_hash: Default::default(),
			}
			.into(),
			[true, false, false, false, false, false, false, false, false],
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

/// What a multisig or another proxy dispatches has an origin of its own, without the filter of the first.
#[test]
fn no_kind_but_any_reaches_other_accounts() {
	let [alice, bob, charlie] = ["alice", "bob", "charlie"].map(account);
	let signed = |who: &AccountId| RuntimeOrigin::signed(who.clone());
	let take = || {
		let (dest, keep_alive) = (charlie.clone().into(), false);
		Box::new(RuntimeCall::from(pallet_balances::Call::transfer_all { dest, keep_alive }))
	};
	let through_multisig = || -> RuntimeCall {
		let other_signatories = vec![bob.clone()];
		pallet_multisig::Call::as_multi_threshold_1 { other_signatories, call: take() }.into()
	};
	let through_proxy = || -> RuntimeCall {
		let real = bob.clone().into();
		pallet_proxy::Call::proxy { real, force_proxy_type: None, call: take() }.into()
	};
	let mut signatories = [alice.clone(), bob.clone()];
	signatories.sort();
	for kind in ALL {
		run(|| {
			let multisig = Multisig::multi_account_id(&signatories, 1);
			let (dest, value) = (multisig.clone().into(), 10 * PHA);
			assert_ok!(Balances::transfer_keep_alive(signed(&alice), dest, value));
			assert_ok!(Proxy::add_proxy(signed(&bob), alice.clone().into(), ProxyType::Any, 0));
			assert_ok!(Proxy::add_proxy(signed(&alice), charlie.clone().into(), kind, 0));
			for (owner, call) in [(&multisig, through_multisig()), (&bob, through_proxy())] {
				let calls = vec![call.clone()];
				let batch = RuntimeCall::from(pallet_utility::Call::batch { calls });
				let before = Balances::free_balance(owner);
				for call in [call, batch] {
					let real = alice.clone().into();
					assert_ok!(Proxy::proxy(signed(&charlie), real, None, Box::new(call)));
				}
				let is_untouched = Balances::free_balance(owner) == before;
				assert_eq!(is_untouched, kind != ProxyType::Any, "{kind:?}");
			}
		});
	}
}
