//! Bonds come and go through staking, as on any chain; but not while there are duties.

use crate::{mock::*, types::WhyBonded, *};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use frame_system::RawOrigin;
use pallet_staking::{Bonded, Ledger, RewardDestination};
use phala_primitives::Handover;

/// Puts the current era so far ahead that all unbonding is over.
fn unbonding_is_over() {
	pallet_staking::Ledger::<Test>::translate::<pallet_staking::StakingLedger<Test>, _>(
		|_, mut ledger| {
			for chunk in ledger.unlocking.iter_mut() {
				chunk.era = 0;
			}
			Some(ledger)
		},
	);
}

#[test]
fn everything_works_as_on_any_chain() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		assert_ok!(Staking::bond_extra(signed(50), PHA / 2));
		assert_ok!(Staking::set_payee(signed(50), RewardDestination::Staked));
		era();
		assert!(office().contains(&8));
		assert_ok!(Staking::nominate(signed(50), vec![9, 10]));
		assert_ok!(Staking::chill(signed(50)));
		assert_ok!(Staking::unbond(signed(50), 100 * BOND));
		assert_ok!(Staking::rebond(signed(50), BOND));
		assert_ok!(Staking::unbond(signed(50), BOND));
		assert_eq!(bonded(50), 20 * BOND + PHA / 2);
		for _ in 0..BONDING {
			assert_ok!(withdraw(50));
			assert!(Bonded::<Test>::contains_key(50));
			quiet_or_handed_over();
		}
		assert_ok!(withdraw(50));
		assert_eq!((bonded(50), Bonded::<Test>::contains_key(50)), (0, false));
		assert_eq!(Balances::balance(&50), 20 * BOND + PHA);
	});
}

fn quiet_or_handed_over() {
	for _ in 0..PER_ERA {
		session();
		if Next::get().is_some() {
			hand_over();
		}
	}
}

#[test]
fn no_bond_leaves_while_its_holder_is_in_office() {
	run(|| {
		seated();
		assert_ok!(Staking::chill(signed(1)));
		assert_ok!(Staking::unbond(signed(1), BOND));
		assert_ok!(Staking::unbond(signed(2), BOND));
		unbonding_is_over();
		for who in [1, 2] {
			// Staking tells it in its own words.
			let error = pallet_staking::Error::<Test>::NotEnoughFunds;
			assert_noop!(withdraw(who), error);
			assert_eq!(Election::why_bonded(who), Some(WhyBonded::InOffice));
			assert_eq!(bonded(who), 2 * BOND);
		}
		// Nor all of it.
		assert_ok!(Staking::unbond(signed(1), BOND));
		unbonding_is_over();
		assert_noop!(withdraw(1), Error::<Test>::InOffice);
		// Nor by force, nor by the way on which staking makes room for itself.
		assert_noop!(
			dispatch(
				RawOrigin::Root.into(),
				pallet_staking::Call::force_unstake { stash: 1, num_slashing_spans: 0 }
			),
			Error::<Test>::InOffice
		);
		let full = |ledger: &mut Option<pallet_staking::StakingLedger<Test>>| {
			let ledger = ledger.as_mut().unwrap();
			ledger.unlocking.truncate(0);
			for era in 0..4 {
				let chunk = pallet_staking::UnlockChunk { value: BOND / 4, era };
				ledger.unlocking.try_push(chunk).unwrap();
			}
			ledger.active = BOND;
		};
		Ledger::<Test>::mutate(2, full);
		assert_noop!(
			dispatch(signed(2), pallet_staking::Call::unbond { value: BOND / 2 }),
			pallet_staking::Error::<Test>::NotEnoughFunds
		);
		assert_eq!(bonded(2), 2 * BOND);
	});
}

#[test]
fn a_bond_leaves_when_the_handover_is_final_and_not_before() {
	run(|| {
		seated();
		assert_ok!(Staking::chill(signed(1)));
		assert_ok!(Staking::unbond(signed(1), 2 * BOND));
		to_election();
		assert!(!next().contains(&1));
		unbonding_is_over();
		// Voted out, but it still has the share.
		for state in [Handover::Underway, Handover::GivenUp] {
			State::set(state);
			assert_noop!(withdraw(1), Error::<Test>::InOffice);
		}
		State::set(Handover::Underway);
		// Who is to get it is bound as well.
		let new = next().into_iter().find(|who| *who > 7).unwrap();
		assert_eq!(Election::why_bonded(new), Some(WhyBonded::InOffice));
		hand_over();
		assert_eq!(Election::why_bonded(1), None);
		assert_ok!(withdraw(1));
		assert_eq!(bonded(1), 0);
		assert!(!Bonded::<Test>::contains_key(1));
	});
}

#[test]
fn a_bond_waits_for_open_cases() {
	run(|| {
		bond(1, BOND);
		assert_ok!(Staking::unbond(signed(1), BOND));
		unbonding_is_over();
		Cases::set([1].into());
		assert_noop!(withdraw(1), Error::<Test>::OpenCase);
		assert_eq!(Election::why_bonded(1), Some(WhyBonded::OpenCase));
		Cases::set([2].into());
		assert_ok!(withdraw(1));
		assert_eq!(bonded(1), 0);
	});
}

#[test]
fn bonding_more_is_always_possible() {
	run(|| {
		seated();
		Cases::set([1].into());
		fund(1, BOND);
		assert_ok!(Staking::bond_extra(signed(1), BOND));
		assert_eq!(bonded(1), 3 * BOND);
	});
}

#[test]
fn eras_do_not_pass_so_that_unbonding_ends_early() {
	run(|| {
		seated();
		// It unbonds, and then its era lasts for ever: neither does it end.
		assert_ok!(Staking::chill(signed(1)));
		assert_ok!(Staking::unbond(signed(1), 2 * BOND));
		to_election();
		for _ in 0..20 * PER_ERA {
			session();
		}
		// Nothing is free yet, so that there is nothing to refuse.
		assert_ok!(withdraw(1));
		assert_eq!(bonded(1), 2 * BOND);
	});
}
