//! Rewards: out of the reserve, claimed through staking, and back.

use crate::{mock::*, rewards::ROUNDING, *};
use frame_support::{assert_ok, traits::fungible::Inspect};
use pallet_staking::{ErasValidatorReward, RewardDestination};
use sp_staking::EraPayout;

fn reserve() -> u128 {
	Balances::balance(&RESERVE)
}

fn escrow() -> u128 {
	Balances::balance(&Election::escrow())
}

/// Claims what all of `who` earned in an era.
fn claim(era: u32, who: impl IntoIterator<Item = AccountId>) {
	for who in who {
		assert_ok!(Staking::payout_stakers(signed(77), who, era));
	}
}

/// An era of full length that has just ended: era 1 of [`seated`], whose reward is in the escrow.
fn rewarded() -> u128 {
	seated();
	quiet_era();
	Escrows::<Test>::get(1).unwrap()
}

#[test]
fn an_era_is_escrowed_before_anything_is_claimed() {
	run(|| {
		seated();
		let before = reserve();
		let early = Staking::payout_stakers(signed(77), 1, 1).unwrap_err().error;
		assert_eq!(early, pallet_staking::Error::<Test>::InvalidEraToReward.into());
		quiet_era();
		// 10 % a year of 7 x 2,000 PHA, for 18 hours.
		let earned = Election::reward_for(14_000 * PHA, 18 * 3_600 * 1_000);
		assert_eq!(earned, 1_400 * PHA * 18 / (365 * 24));
		assert_eq!(Escrows::<Test>::get(1), Some(earned));
		assert_eq!(ErasValidatorReward::<Test>::get(1), Some(earned - ROUNDING));
		assert_eq!(escrow(), earned + ED);
		assert_eq!(reserve(), before - earned - ED);
		let held = Event::RewardEscrowed { era: 1, amount: earned };
		assert!(events().contains(&held));
	});
}

#[test]
fn claims_come_out_of_the_escrow_and_make_nothing() {
	run(|| {
		let earned = rewarded();
		let (issuance, before) = (issued(), Balances::balance(&1));
		claim(1, 1..=7);
		assert_eq!(issued(), issuance);
		let each = Balances::balance(&1) - before;
		assert!(each.abs_diff(earned / 7) <= ROUNDING, "{each}");
		assert!(escrow() >= ED && escrow() <= ED + 3 * ROUNDING, "{}", escrow());
		assert_eq!(Unsettled::<Test>::get(), 0);
		// Once.
		assert!(Staking::payout_stakers(signed(77), 1, 1).is_err());
		check();
	});
}

#[test]
fn nominators_are_paid_by_their_stake_into_what_they_chose() {
	run(|| {
		for (who, payee) in [
			(50, RewardDestination::Staked),
			(51, RewardDestination::Account(60)),
			(52, RewardDestination::None),
		] {
			fund(who, 2 * BOND);
			assert_ok!(Staking::bond(signed(who), 2 * BOND, payee));
		}
		for who in 1..=7 {
			stand(who, 2 * BOND);
		}
		for who in 50..=52 {
			assert_ok!(Staking::nominate(signed(who), vec![1]));
		}
		era();
		events();
		quiet_era();
		let earned = Escrows::<Test>::get(1).unwrap();
		let before = Balances::balance(&1);
		claim(1, [1]);
		let own = Balances::balance(&1) - before;
		assert!(own.abs_diff(earned / 28) < ROUNDING, "a quarter of a seventh: {own}");
		assert_eq!(bonded(50) - 2 * BOND, own);
		assert_eq!(Balances::balance(&60), own);
		assert_eq!(bonded(52), 2 * BOND);
		check();
	});
}

#[test]
fn what_nobody_claims_returns_to_the_reserve() {
	run(|| {
		let earned = rewarded();
		claim(1, 1..=3);
		let paid = earned + ED - escrow();
		for _ in 0..HISTORY - 1 {
			quiet_era();
			claim(active() - 1, 1..=7);
		}
		// It is the last moment.
		would_work(|| claim(1, [4]));
		let (before, at) = (reserve(), escrow());
		quiet_era();
		let new = Escrows::<Test>::get(active() - 1).unwrap();
		assert!(Staking::payout_stakers(signed(77), 4, 1).is_err());
		assert_eq!(Escrows::<Test>::get(1), None);
		let returned = reserve() + new - before;
		assert!(returned.abs_diff(earned - paid) <= 2 * ROUNDING, "{returned}");
		assert_eq!(escrow(), at + new - returned);
		assert!(events().contains(&Event::RewardExpired { era: 1, amount: returned }));
		check();
	});
}

/// Tries it, without doing it.
fn would_work(act: impl Fn()) {
	frame_support::hypothetically!(act());
}

#[test]
fn what_is_renounced_returns_in_the_end() {
	run(|| {
		for who in 1..=7 {
			fund(who, 2 * BOND);
			assert_ok!(Staking::bond(signed(who), 2 * BOND, RewardDestination::None));
			assert_ok!(Staking::validate(signed(who), Default::default()));
			attest(worker(who), who, phala_attestation::Role::Gatekeeper, who);
			assert_ok!(Election::bind(signed(who), worker(who)));
		}
		era();
		let (start, before) = (active(), reserve());
		for _ in 0..3 * HISTORY {
			quiet_era();
			claim(active() - 1, 1..=7);
			check();
		}
		assert_eq!(active(), start + 3 * HISTORY);
		let away = before - reserve();
		assert_eq!(away, escrow());
		// No more than what the eras on record escrowed stays away.
		assert!(away <= Escrowed::<Test>::get() + ED + ROUNDING, "{away}");
	});
}

#[test]
fn an_era_earns_what_the_reserve_can_pay() {
	run(|| {
		seated();
		Cap::set(PHA / 2);
		quiet_era();
		assert_eq!(Escrows::<Test>::get(1), Some(PHA / 2 - ED));
		quiet_era();
		assert_eq!(Escrows::<Test>::get(2), None);
		assert_eq!(ErasValidatorReward::<Test>::get(2), Some(0));
		claim(1, 1..=7);
		claim(2, 1..=7);
		check();
	});
}

#[test]
fn a_year_and_an_era_have_their_caps() {
	run(|| {
		let era = u64::from(PER_ERA) * SESSION_MILLIS;
		let most = 2 * era;
		assert_eq!(Election::reward_for(1_000_000_000 * PHA, era), 10_000 * PHA * 18 / (365 * 24));
		// A chain that stood still for a month pays for two eras.
		let whole = Election::reward_for(14_000 * PHA, most);
		assert_eq!(Election::reward_for(14_000 * PHA, 40 * most), whole);
		assert_eq!(Election::reward_for(0, era), 0);
		assert_eq!(Election::reward_for(u128::MAX, u64::MAX), 10_000 * PHA * 36 / (365 * 24));
	});
}

#[test]
fn nobody_is_paid_without_service() {
	run(|| {
		seated();
		for who in 1..=7 {
			lapse(&worker(who), 60);
		}
		State::set(phala_primitives::Handover::Underway);
		for _ in 0..5 {
			session();
		}
		assert_eq!(<Election as EraPayout<u128>>::era_payout(14_000 * PHA, 0, 1 << 30), (0, 0));
		assert_eq!(Escrowed::<Test>::get(), 0);
	});
}

#[test]
fn a_reward_that_the_escrow_does_not_cover_is_not_paid() {
	run(|| {
		let earned = rewarded();
		// As if staking computed more than was escrowed.
		ErasValidatorReward::<Test>::insert(1, 3 * earned);
		let issuance = issued();
		for who in 1..=7 {
			assert_ok!(Staking::payout_stakers(signed(77), who, 1));
		}
		assert_eq!(issued(), issuance);
		let least = Balances::balance(&Election::escrow());
		assert!(least >= ED, "{least}");
		ErasValidatorReward::<Test>::insert(1, earned - ROUNDING);
	});
}

#[test]
fn it_says_what_an_era_earns() {
	run(|| {
		seated();
		assert_eq!(Election::current_escrow(), Some((1, 0)));
		session();
		assert_eq!(
			Election::current_escrow(),
			Some((1, Election::reward_for(14_000 * PHA, SESSION_MILLIS)))
		);
		session();
		session();
		let escrowed = Escrows::<Test>::get(1).unwrap();
		assert_eq!(Election::era_escrow(1), Some((escrowed, 0)));
		claim(1, 1..=7);
		let (_, claimed) = Election::era_escrow(1).unwrap();
		assert!(claimed.abs_diff(escrowed) <= 2 * ROUNDING);
	});
}
