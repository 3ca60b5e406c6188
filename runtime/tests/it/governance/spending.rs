//! The treasury: what comes in, what goes out, and that nothing is burnt.

use super::*;
use frame_support::assert_noop;
use phala_runtime::constants::{accounts::treasury, currency::*, governance::*};
use sp_runtime::{DispatchError, traits::Dispatchable};

fn spend(amount: Balance) -> pallet_treasury::Call<Runtime> {
	pallet_treasury::Call::spend {
		asset_kind: Box::new(()),
		amount,
		beneficiary: Box::new(account("charlie")),
		valid_from: None,
	}
}

fn pot() -> Balance {
	Balances::free_balance(treasury())
}

#[test]
fn an_approved_spend_is_collected_in_pha() {
	governed(|| {
		let index = propose(Origin::MediumSpender, spend(MEDIUM_SPEND));
		all_vote(index, true);
		enact(31);
		assert_eq!(enacted(), vec![Ok(())]);
		let (before, charlie) = (pot(), Balances::free_balance(account("charlie")));
		assert_ok!(Treasury::payout(signed("bob"), 0));
		assert_eq!(before - pot(), MEDIUM_SPEND);
		assert_eq!(Balances::free_balance(account("charlie")) - charlie, MEDIUM_SPEND);
		assert_noop!(
			Treasury::payout(signed("bob"), 0),
			pallet_treasury::Error::<Runtime>::AlreadyAttempted
		);
	});
}

#[test]
fn each_spender_has_its_limit() {
	governed(|| {
		for (origin, limit) in [
			(Origin::SmallSpender, SMALL_SPEND),
			(Origin::MediumSpender, MEDIUM_SPEND),
			(Origin::BigSpender, BIG_SPEND),
		] {
			let spend = |amount| {
				let who = Box::new(account("charlie"));
				Treasury::spend(origin.into(), Box::new(()), amount, who, None)
			};
			assert_noop!(
				spend(limit + 1),
				pallet_treasury::Error::<Runtime>::InsufficientPermission
			);
			assert_ok!(spend(limit));
		}
	});
}

#[test]
fn spends_of_one_referendum_add_up_to_its_limit() {
	governed(|| {
		let half = || RuntimeCall::from(spend(SMALL_SPEND / 2 + 1));
		let calls = vec![half(), half()];
		let index = propose(Origin::SmallSpender, pallet_utility::Call::batch_all { calls });
		all_vote(index, true);
		enact(30);
		assert!(enacted()[0].is_err(), "two halves and a bit are more than the whole");
		assert_eq!(pallet_treasury::SpendCount::<Runtime>::get(), 0);
	});
}

#[test]
fn one_referendum_approves_one_bounty() {
	governed(|| {
		for _ in 0..2 {
			let value = SMALL_SPEND;
			assert_ok!(Bounties::propose_bounty(signed("alice"), value, b"write docs".to_vec()));
		}
		let approve =
			|bounty_id| RuntimeCall::from(pallet_bounties::Call::approve_bounty { bounty_id });
		let with_curator = |bounty_id| {
			let curator = account("bob").into();
			let call =
				pallet_bounties::Call::approve_bounty_with_curator { bounty_id, curator, fee: PHA };
			RuntimeCall::from(call)
		};
		let batch = |calls| -> RuntimeCall { pallet_utility::Call::batch_all { calls }.into() };
		let refused = |calls: Vec<RuntimeCall>| {
			let result = batch(calls).dispatch(Origin::SmallSpender.into());
			assert_eq!(result.map_err(|error| error.error), Err(DispatchError::BadOrigin));
			assert!(pallet_bounties::BountyApprovals::<Runtime>::get().is_empty());
		};
		refused(vec![approve(0), approve(1)]);
		refused(vec![approve(0), with_curator(1)]);
		refused(vec![with_curator(0), spend(PHA).into()]);
		// Nor does it help to let one part fail, or to nest them.
		let failing = batch(vec![approve(0), approve(0)]);
		let forced = pallet_utility::Call::force_batch {
			calls: vec![failing, batch(vec![approve(0)]), batch(vec![approve(1)])],
		};
		assert_ok!(RuntimeCall::from(forced).dispatch(Origin::SmallSpender.into()));
		assert_eq!(pallet_bounties::BountyApprovals::<Runtime>::get().to_vec(), vec![0]);
		// Another referendum may approve the other.
		assert_ok!(approve(1).dispatch(Origin::SmallSpender.into()));
	});
}

#[test]
fn a_spend_that_nobody_collects_lapses() {
	governed(|| {
		let who = Box::new(account("charlie"));
		assert_ok!(Treasury::spend(Origin::SmallSpender.into(), Box::new(()), PHA, who, None));
		pass(PAYOUT_PERIOD);
		assert_noop!(
			Treasury::payout(signed("bob"), 0),
			pallet_treasury::Error::<Runtime>::SpendExpired
		);
	});
}

#[test]
fn a_year_of_spend_periods_burns_nothing() {
	governed(|| {
		let (before, issued) = (pot(), Balances::total_issuance());
		for _ in 0..60 {
			pass(SPEND_PERIOD);
		}
		assert_eq!((pot(), Balances::total_issuance()), (before, issued));
	});
}

#[test]
fn a_bounty_is_paid_out_of_the_treasury() {
	governed(|| {
		let value = 1_000 * PHA;
		assert_ok!(Bounties::propose_bounty(signed("alice"), value, b"write docs".to_vec()));
		let issued = Balances::total_issuance();
		assert_ok!(Bounties::approve_bounty(Origin::SmallSpender.into(), 0));
		pass(SPEND_PERIOD);
		let bounty = Bounties::bounty_account_id(0);
		assert_eq!(Balances::free_balance(bounty), value);
		let curator = account("bob").into();
		assert_ok!(Bounties::propose_curator(Origin::SmallSpender.into(), 0, curator, 100 * PHA));
		assert_ok!(Bounties::accept_curator(signed("bob"), 0));
		assert_ok!(Bounties::award_bounty(signed("bob"), 0, account("charlie").into()));
		let before = Balances::free_balance(account("charlie"));
		pass(8 * phala_runtime::constants::time::DAYS);
		assert_ok!(Bounties::claim_bounty(signed("charlie"), 0));
		assert_eq!(Balances::free_balance(account("charlie")) - before, value - 100 * PHA);
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn a_bounty_that_is_closed_gives_its_pha_back() {
	governed(|| {
		let before = pot();
		assert_ok!(Bounties::propose_bounty(signed("alice"), 1_000 * PHA, b"write docs".to_vec()));
		assert_ok!(Bounties::approve_bounty(Origin::SmallSpender.into(), 0));
		pass(SPEND_PERIOD);
		assert_eq!(before - pot(), 1_000 * PHA);
		assert_ok!(Bounties::close_bounty(Origin::ReferendumCanceller.into(), 0));
		assert_eq!(pot(), before);
		let bounty = Bounties::bounty_account_id(0);
		assert_eq!(Balances::free_balance(&bounty), 0);
		// What comes to it later, anybody can fetch for the treasury.
		assert_ok!(Balances::transfer_allow_death(signed("bob"), bounty.clone().into(), PHA));
		assert_ok!(Bounties::reclaim_bounty_funds(signed("charlie"), 0));
		assert_eq!(pot(), before + PHA);
		assert_eq!(Balances::free_balance(&bounty), 0);
	});
}

#[test]
fn a_curator_who_is_slashed_pays_the_treasury() {
	governed(|| {
		assert_ok!(Bounties::propose_bounty(signed("alice"), 1_000 * PHA, b"write docs".to_vec()));
		assert_ok!(Bounties::approve_bounty(Origin::SmallSpender.into(), 0));
		pass(SPEND_PERIOD);
		let curator = account("bob").into();
		assert_ok!(Bounties::propose_curator(Origin::SmallSpender.into(), 0, curator, 100 * PHA));
		assert_ok!(Bounties::accept_curator(signed("bob"), 0));
		let (before, issued) = (pot(), Balances::total_issuance());
		let deposit = Balances::reserved_balance(account("bob"));
		assert!(deposit > 0);
		assert_ok!(Bounties::unassign_curator(RuntimeOrigin::root(), 0));
		assert_eq!(pot() - before, deposit);
		assert_eq!(Balances::total_issuance(), issued, "nothing is burnt");
	});
}
