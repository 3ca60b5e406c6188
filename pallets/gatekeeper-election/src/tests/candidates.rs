//! Stashes and their gatekeepers.

use crate::{mock::*, types::*, *};
use frame_support::{assert_noop, assert_ok, traits::ConstU32};
use phala_attestation::Role;
use sp_runtime::{BoundedVec, traits::Get};

/// A stash 1 with a bond, and a gatekeeper 50 whose operator is 5.
fn stage() {
	bond(1, BOND);
	attest(worker(50), 5, Role::Gatekeeper, 50);
}

#[test]
fn a_stash_takes_a_gatekeeper_whose_operator_agrees() {
	run(|| {
		stage();
		assert_noop!(Election::bind(signed(1), worker(50)), Error::<Test>::NoConsent);
		assert_ok!(Election::consent(signed(5), worker(50), 1));
		// It is for one stash only.
		bond(2, BOND);
		assert_noop!(Election::bind(signed(2), worker(50)), Error::<Test>::NoConsent);
		assert_ok!(Election::bind(signed(1), worker(50)));
		assert_eq!(
			events(),
			[
				Event::Consented { operator: 5, worker: worker(50), stash: 1 },
				Event::Bound { stash: 1, worker: worker(50) },
			]
		);
		// And used up.
		assert_ok!(Election::unbind(signed(1)));
		assert_noop!(Election::bind(signed(1), worker(50)), Error::<Test>::NoConsent);
		assert_noop!(Election::unbind(signed(1)), Error::<Test>::NotBound);
	});
}

#[test]
fn nobody_consents_for_another() {
	run(|| {
		stage();
		assert_noop!(Election::consent(signed(1), worker(50), 1), Error::<Test>::NotOperator);
		assert_noop!(Election::consent(signed(5), worker(51), 1), Error::<Test>::NotAttested);
		attest(worker(52), 5, Role::Worker, 52);
		assert_noop!(Election::consent(signed(5), worker(52), 1), Error::<Test>::NotGatekeeper);
		assert_ok!(Election::consent(signed(5), worker(50), 1));
		assert_noop!(Election::revoke(signed(1), worker(50)), Error::<Test>::NotOperator);
		assert_ok!(Election::revoke(signed(5), worker(50)));
		assert_noop!(Election::bind(signed(1), worker(50)), Error::<Test>::NoConsent);
		assert_noop!(Election::revoke(signed(5), worker(50)), Error::<Test>::NoConsent);
	});
}

#[test]
fn a_consent_ends_with_the_operator() {
	run(|| {
		stage();
		assert_ok!(Election::consent(signed(5), worker(50), 1));
		attest(worker(50), 6, Role::Gatekeeper, 50);
		assert_noop!(Election::bind(signed(1), worker(50)), Error::<Test>::NoConsent);
		// Anybody may tidy up.
		assert_ok!(Election::revoke(signed(9), worker(50)));
	});
}

#[test]
fn a_consent_goes_with_the_workers_record() {
	use phala_primitives::{AttestationChange, OnAttestationChange};
	run(|| {
		stage();
		for (change, stays) in [
			(AttestationChange::Renewed, true),
			(AttestationChange::Lapsed, true),
			(AttestationChange::OperatorChanged { from: 5, to: 6 }, false),
			(AttestationChange::Removed, false),
		] {
			assert_ok!(Election::consent(signed(5), worker(50), 1));
			Election::on_attestation_change(&worker(50), &change);
			assert_eq!(Consents::<Test>::contains_key(worker(50)), stays, "{change:?}");
		}
		Election::on_attestation_change(&worker(50), &AttestationChange::Removed);
		assert_eq!(events().last(), Some(&Event::ConsentRevoked { worker: worker(50) }));
	});
}

#[test]
fn a_gatekeeper_that_was_sold_does_not_serve_its_old_stash() {
	run(|| {
		stage();
		assert_ok!(Election::consent(signed(5), worker(50), 1));
		assert_ok!(Election::bind(signed(1), worker(50)));
		assert_ok!(Staking::validate(signed(1), Default::default()));
		assert_eq!(Election::why_not_eligible(1), None);
		attest(worker(50), 6, Role::Gatekeeper, 50);
		assert_eq!(Election::why_not_eligible(1), Some(WhyNot::OtherOperator));
		// Nor does the old stash keep it from the new one.
		bond(2, BOND);
		assert_ok!(Election::consent(signed(6), worker(50), 2));
		assert_noop!(Election::bind(signed(2), worker(50)), Error::<Test>::WorkerTaken);
		Clock::set(Clock::get() + 3_600_000);
		assert_ok!(Election::evict(signed(2), 1));
		assert_ok!(Election::bind(signed(2), worker(50)));
	});
}

#[test]
fn binding_takes_a_bond() {
	run(|| {
		attest(worker(1), 1, Role::Gatekeeper, 1);
		fund(1, BOND);
		assert_noop!(Election::bind(signed(1), worker(1)), Error::<Test>::BondTooSmall);
		bond(1, BOND - 1);
		assert_noop!(Election::bind(signed(1), worker(1)), Error::<Test>::BondTooSmall);
		assert_ok!(Staking::bond_extra(signed(1), 1));
		assert_ok!(Election::bind(signed(1), worker(1)));
		assert_noop!(Election::bind(signed(1), worker(1)), Error::<Test>::AlreadyBound);
	});
}

#[test]
fn only_attested_gatekeepers_are_bound() {
	run(|| {
		bond(1, BOND);
		assert_noop!(Election::bind(signed(1), worker(1)), Error::<Test>::NotAttested);
		attest(worker(1), 1, Role::Worker, 1);
		assert_noop!(Election::bind(signed(1), worker(1)), Error::<Test>::NotGatekeeper);
		attest(worker(1), 1, Role::Gatekeeper, 1);
		lapse(&worker(1), 0);
		assert_noop!(Election::bind(signed(1), worker(1)), Error::<Test>::NotAttested);
	});
}

#[test]
fn one_machine_is_one_candidate() {
	run(|| {
		stand(1, BOND);
		bond(2, BOND);
		attest(worker(2), 2, Role::Gatekeeper, 1);
		assert_noop!(Election::bind(signed(2), worker(2)), Error::<Test>::PlatformTaken);
		// Its own stash may change the TEE on it.
		attest(worker(3), 1, Role::Gatekeeper, 1);
		assert_ok!(Election::bind(signed(1), worker(3)));
		assert_eq!(StashOf::<Test>::get(worker(1)), None);
		assert_ok!(Election::unbind(signed(1)));
		assert_ok!(Election::bind(signed(2), worker(2)));
	});
}

#[test]
fn places_are_limited_and_the_void_can_be_evicted() {
	run(|| {
		for who in 1..=u64::from(CANDIDATES) {
			stand(who, BOND);
		}
		bond(1_000, BOND);
		attest(worker(1_000), 1_000, Role::Gatekeeper, 1_000);
		let full = Error::<Test>::TooManyCandidates;
		assert_noop!(Election::bind(signed(1_000), worker(1_000)), full);
		assert_noop!(Election::evict(signed(1_000), 3), Error::<Test>::StillStanding);
		// A late renewal is no reason yet.
		lapse(&worker(3), 3_599);
		assert_noop!(Election::evict(signed(1_000), 3), Error::<Test>::StillStanding);
		lapse(&worker(3), 3_600);
		assert_ok!(Election::evict(signed(1_000), 3));
		assert_noop!(Election::evict(signed(1_000), 3), Error::<Test>::NotBound);
		assert_ok!(Election::bind(signed(1_000), worker(1_000)));
		// Who has no bond any more takes no place.
		assert_ok!(Staking::chill(signed(4)));
		assert_ok!(Staking::unbond(signed(4), 1));
		assert_ok!(Election::evict(signed(1_000), 4));
	});
}

#[test]
fn a_full_house_does_not_keep_a_larger_bond_out() {
	run(|| {
		seated();
		for who in 101..=u64::from(CANDIDATES) + 90 {
			stand(who, BOND);
		}
		assert_eq!(Bindings::<Test>::count(), CANDIDATES);
		for who in [1_000, 1_001] {
			bond(who, BOND * u128::from(who - 999));
			attest(worker(who), who, Role::Gatekeeper, who);
		}
		// The same bond is no more.
		assert_noop!(Election::evict(signed(1_000), 101), Error::<Test>::StillStanding);
		// A member keeps its place.
		assert_noop!(Election::evict(signed(1_001), 1), Error::<Test>::InOffice);
		// Nor does who has a place clear one of another.
		assert_ok!(Staking::bond_extra(signed(8), PHA));
		assert_noop!(Election::evict(signed(8), 101), Error::<Test>::StillStanding);
		assert_ok!(Election::evict(signed(1_001), 101));
		// There is a place now.
		assert_noop!(Election::evict(signed(1_001), 102), Error::<Test>::StillStanding);
		assert_ok!(Election::bind(signed(1_001), worker(1_001)));
	});
}

#[test]
fn nobody_in_office_is_evicted() {
	run(|| {
		seated();
		lapse(&worker(3), 1_000_000);
		assert_noop!(Election::evict(signed(9), 3), Error::<Test>::InOffice);
		era();
		assert!(!office().contains(&3));
		assert_ok!(Election::evict(signed(9), 3));
	});
}

#[test]
fn it_says_what_is_missing() {
	run(|| {
		let why = |who| Election::why_not_eligible(who);
		assert_eq!(why(1), Some(WhyNot::NotBonded));
		bond(1, BOND - 1);
		assert_eq!(why(1), Some(WhyNot::BondTooSmall { bond: BOND - 1, needed: BOND }));
		assert_ok!(Staking::bond_extra(signed(1), 1));
		assert_eq!(why(1), Some(WhyNot::NotStanding));
		assert_ok!(Staking::validate(signed(1), Default::default()));
		assert_eq!(why(1), Some(WhyNot::NotBound));
		attest(worker(1), 1, Role::Gatekeeper, 1);
		assert_ok!(Election::bind(signed(1), worker(1)));
		assert_eq!(why(1), None);
		assert_eq!(Election::eligible(), [(1, worker(1))]);
		lapse(&worker(1), 0);
		assert_eq!(why(1), Some(WhyNot::NotAttested));
		attest(worker(1), 1, Role::Worker, 1);
		assert_eq!(why(1), Some(WhyNot::NotGatekeeper));
		// Two that moved onto one machine after they were bound: the one with more of a claim.
		attest(worker(1), 1, Role::Gatekeeper, 7);
		stand(2, 2 * BOND);
		attest(worker(2), 2, Role::Gatekeeper, 7);
		assert_eq!(why(1), Some(WhyNot::PlatformTaken { by: 2 }));
		assert_eq!(why(2), None);
		assert_eq!(Election::eligible(), [(2, worker(2))]);
	});
}

#[test]
fn bounds_of_types_are_those_of_the_config() {
	let chunks = <<Test as pallet_staking::Config>::MaxUnlockingChunks as Get<u32>>::get();
	assert!(chunks <= MAX_CHUNKS);
	let _: BoundedVec<(u32, u128), ConstU32<MAX_CHUNKS>> = Default::default();
	<Election as frame_support::traits::Hooks<u64>>::integrity_test();
	<Staking as frame_support::traits::Hooks<u64>>::integrity_test();
}
