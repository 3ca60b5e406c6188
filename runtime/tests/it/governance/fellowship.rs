//! The technical fellowship: it speeds up, and decides nothing.

use super::*;
use codec::Encode;
use frame_support::assert_noop;
use phala_runtime::constants::time::*;
use sp_runtime::DispatchError;

/// Three fellows, seated by Root.
fn seat() {
	for name in ["alice", "bob", "charlie"] {
		assert_ok!(FellowshipCore::induct(RuntimeOrigin::root(), account(name)));
		assert_ok!(FellowshipCore::promote_fast(RuntimeOrigin::root(), account(name), 3));
	}
}

/// What an upgrade would be: something that only Root may do.
fn urgent() -> RuntimeCall {
	frame_system::Call::authorize_upgrade { code_hash: [7; 32].into() }.into()
}

#[test]
fn a_whitelisted_call_is_enacted_as_root_within_hours() {
	governed(|| {
		seat();
		let start = now();
		let hash = sp_io::hashing::blake2_256(&urgent().encode());
		let whitelist: RuntimeCall =
			pallet_whitelist::Call::whitelist_call { call_hash: hash.into() }.into();
		assert_ok!(FellowshipReferenda::submit(
			signed("alice"),
			Box::new(Origin::Fellows.into()),
			preimage(whitelist),
			DispatchTime::After(0),
		));
		assert_ok!(
			FellowshipReferenda::place_decision_deposit(signed("bob"), 0)
				.map_err(|error| error.error)
		);
		for name in ["alice", "bob", "charlie"] {
			assert_ok!(
				FellowshipCollective::vote(signed(name), 0, true).map_err(|error| error.error)
			);
		}
		pass(HOURS);
		let hash = hash.into();
		assert!(pallet_whitelist::WhitelistedCall::<Runtime>::contains_key::<Hash>(hash));

		let call = Box::new(urgent());
		let dispatch = pallet_whitelist::Call::dispatch_whitelisted_call_with_preimage { call };
		let index = propose(Origin::WhitelistedCaller, dispatch);
		all_vote(index, true);
		enact(1);
		assert!(System::authorized_upgrade().is_some());
		assert!(now() - start < 3 * HOURS, "{} blocks", now() - start);
	});
}

#[test]
fn what_is_not_whitelisted_is_not_dispatched() {
	governed(|| {
		let call = Box::new(urgent());
		let dispatch = pallet_whitelist::Call::dispatch_whitelisted_call_with_preimage { call };
		let index = propose(Origin::WhitelistedCaller, dispatch);
		all_vote(index, true);
		enact(1);
		// It waits for the fellows, and lapses without them.
		assert!(System::authorized_upgrade().is_none());
	});
}

#[test]
fn a_minority_of_fellows_whitelists_nothing() {
	governed(|| {
		seat();
		let whitelist = pallet_whitelist::Call::whitelist_call { call_hash: [7; 32].into() };
		assert_ok!(FellowshipReferenda::submit(
			signed("alice"),
			Box::new(Origin::Fellows.into()),
			preimage(whitelist),
			DispatchTime::After(0),
		));
		assert_ok!(
			FellowshipReferenda::place_decision_deposit(signed("alice"), 0)
				.map_err(|error| error.error)
		);
		assert_ok!(
			FellowshipCollective::vote(signed("alice"), 0, true).map_err(|error| error.error)
		);
		assert_ok!(
			FellowshipCollective::vote(signed("bob"), 0, false).map_err(|error| error.error)
		);
		pass(30 * DAYS);
		assert!(!pallet_whitelist::WhitelistedCall::<Runtime>::contains_key::<Hash>(
			[7; 32].into()
		));
	});
}

#[test]
fn nobody_but_root_and_the_fellows_seats_a_fellow() {
	governed(|| {
		for origin in Origin::ALL.into_iter().filter(|origin| *origin != Origin::Fellows) {
			assert_noop!(
				FellowshipCore::induct(origin.into(), account("dave")),
				DispatchError::BadOrigin
			);
		}
		assert_ok!(FellowshipCore::induct(Origin::Fellows.into(), account("dave")));
		// The fellows raise to their own rank, no further, and not at once.
		let early = FellowshipCore::promote(Origin::Fellows.into(), account("dave"), 1);
		assert_eq!(early, Err(pallet_core_fellowship::Error::<Runtime>::TooSoon.into()));
		pass(30 * DAYS);
		assert_ok!(FellowshipCore::promote(Origin::Fellows.into(), account("dave"), 1));
		assert_noop!(
			FellowshipCore::promote_fast(Origin::Fellows.into(), account("dave"), 3),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn only_fellows_submit_and_vote() {
	governed(|| {
		seat();
		assert_ok!(FellowshipCore::induct(RuntimeOrigin::root(), account("collator a")));
		for outsider in ["collator a", "collator b"] {
			let submitted = FellowshipReferenda::submit(
				signed(outsider),
				Box::new(Origin::Fellows.into()),
				preimage(urgent()),
				DispatchTime::After(0),
			);
			assert_eq!(submitted, Err(DispatchError::BadOrigin));
		}
		let submitted = FellowshipReferenda::submit(
			signed("alice"),
			Box::new(ROOT),
			preimage(urgent()),
			DispatchTime::After(0),
		);
		let no_track =
			pallet_referenda::Error::<Runtime, frame_support::instances::Instance2>::NoTrack;
		assert_eq!(submitted, Err(no_track.into()));
	});
}

#[test]
fn every_rank_has_its_rules_from_genesis_on() {
	use frame_support::traits::Get;
	governed(|| {
		let rules = pallet_core_fellowship::Params::<Runtime>::get();
		let ranks: usize =
			<<Runtime as pallet_core_fellowship::Config>::MaxRank as Get<u16>>::get().into();
		assert_eq!(rules.demotion_period.len(), ranks);
		assert_eq!(rules.min_promotion_period.len(), ranks);
		assert_eq!(rules.active_salary.len(), ranks);
		assert_eq!(rules.passive_salary.len(), ranks);
	});
}
