//! What members and their nominators lose.

use crate::{
	mock::*,
	stake::{split, split_back},
	*,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::{Imbalance, OnUnbalanced, fungible::Inspect},
};
use pallet_staking::{EraInfo, ErasStakersOverview, ErasTotalStake, Ledger};
use phala_primitives::{OffenceClass, Slashable};
use proptest::prelude::*;
use sp_staking::Exposure;

fn at_stake(who: AccountId) -> u128 {
	<Election as Slashable<_>>::stake(&who)
}

fn suspect(who: AccountId, amount: u128) -> TrancheId {
	<Election as Slashable<_>>::suspect(&who, amount).unwrap()
}

/// What answers for the rest of a loss that began with `first`.
fn stake_behind(who: AccountId, first: TrancheId) -> u128 {
	<Election as Slashable<_>>::stake_behind(&who, &first)
}

fn suspect_more(who: AccountId, first: TrancheId, amount: u128) -> TrancheId {
	<Election as Slashable<_>>::suspect_more(&who, &first, amount).unwrap()
}

fn exposure(era: u32, who: AccountId) -> Exposure<AccountId, u128> {
	EraInfo::<Test>::get_full_exposure(era, &who)
}

fn restore(id: TrancheId, amount: u128) {
	<Election as Slashable<_>>::restore(&id, amount);
}

/// Applies, and returns what was taken of the member and of others.
fn apply(id: TrancheId, amount: u128) -> (u128, u128) {
	let slashed = <Election as Slashable<_>>::apply(&id, amount);
	assert_eq!(slashed.outstanding, 0);
	let parts = (slashed.own.peek(), slashed.others.peek());
	ToTreasury::on_unbalanced(slashed.own);
	ToTreasury::on_unbalanced(slashed.others);
	parts
}

fn ledger(who: AccountId) -> (u128, u128, Vec<(u128, u32)>) {
	let ledger = Ledger::<Test>::get(who).unwrap();
	let chunks = ledger.unlocking.iter().map(|chunk| (chunk.value, chunk.era)).collect();
	(ledger.total, ledger.active, chunks)
}

/// 1 in office with 2,000 PHA of its own, 3,000 of 50 and 1,000 of 51.
fn backed() {
	nominate(50, 3 * BOND, &[1]);
	nominate(51, BOND, &[1]);
	seated();
	assert_eq!(at_stake(1), 6 * BOND);
}

#[test]
fn a_suspected_loss_leaves_at_once_and_returns_exactly() {
	run(|| {
		backed();
		let state = || {
			let of = |who| (ledger(who), bonded(who), suspected(who), Balances::balance(&who));
			let overview = ErasStakersOverview::<Test>::get(1, 1);
			(of(1), of(50), of(51), overview, ErasTotalStake::<Test>::get(1), at_stake(1))
		};
		let before = state();
		let total = <Election as Slashable<_>>::total_stake(OffenceClass::KeyCeremony);
		// The member bears it first, the others in proportion.
		let id = suspect(1, 3 * BOND + 3);
		assert_eq!((suspected(1), bonded(1)), (2 * BOND, 0));
		assert!(suspected(50).abs_diff(BOND * 3 / 4) <= 3);
		assert_eq!(suspected(50) + suspected(51), BOND + 3);
		assert_eq!(bonded(50), 3 * BOND - suspected(50));
		assert_eq!(at_stake(1), 3 * BOND - 3);
		assert_eq!(<Election as Slashable<_>>::suspected(&id), 3 * BOND + 3);
		let same = <Election as Slashable<_>>::total_stake(OffenceClass::KeyCeremony);
		assert_eq!(same, total, "suspected or not");
		check();
		restore(id, 3 * BOND + 3);
		assert_eq!(state(), before);
		assert_eq!(<Election as Slashable<_>>::suspected(&id), 0);
		assert_eq!(Tranches::<Test>::iter().count(), 0);
	});
}

#[test]
fn what_is_applied_goes_to_the_ledger_and_nothing_else() {
	run(|| {
		backed();
		let treasury = Balances::balance(&TREASURY);
		let id = suspect(1, 4 * BOND);
		assert_eq!(apply(id, BOND), (BOND, 0));
		assert_eq!(apply(id, 2 * BOND), (BOND, BOND));
		// No more than there is.
		assert_eq!(apply(id, 100 * BOND), (0, BOND));
		assert_eq!(apply(id, 1), (0, 0));
		assert_eq!(Balances::balance(&TREASURY), treasury + 4 * BOND);
		assert_eq!((suspected(1), suspected(50), suspected(51)), (0, 0, 0));
		assert_eq!(bonded(50) + bonded(51), 2 * BOND);
	});
}

#[test]
fn the_part_that_is_lost_is_the_members_first_also_after_a_partial_return() {
	run(|| {
		backed();
		let id = suspect(1, 4 * BOND);
		// What is given back is the nominators' first.
		restore(id, BOND);
		assert_eq!(suspected(1), 2 * BOND);
		assert_eq!(suspected(50) + suspected(51), BOND);
		restore(id, BOND + PHA);
		assert_eq!((suspected(50), suspected(51), suspected(1)), (0, 0, 2 * BOND - PHA));
		assert_eq!(apply(id, 2 * BOND - PHA), (2 * BOND - PHA, 0));
	});
}

#[test]
fn unbonding_does_not_save_a_bond() {
	run(|| {
		backed();
		assert_ok!(Staking::chill(signed(1)));
		assert_ok!(Staking::unbond(signed(1), BOND / 2));
		assert_ok!(Staking::unbond(signed(50), 2 * BOND));
		let before = (ledger(1), ledger(50));
		assert_eq!(at_stake(1), 6 * BOND);
		let id = suspect(1, 6 * BOND);
		assert_eq!((bonded(1), bonded(50)), (0, 0));
		// It waits here for as long as the case is open, whatever eras pass.
		for _ in 0..2 * BONDING {
			let _ = withdraw(50);
			for _ in 0..PER_ERA {
				session();
				if Next::get().is_some() {
					hand_over();
				}
			}
		}
		assert_eq!(suspected(50), 3 * BOND);
		// What was on its way out is so again when it is back, and its time is over.
		let free = Balances::balance(&50);
		restore(id, 6 * BOND);
		assert_eq!((ledger(1), ledger(50)), before);
		assert_ok!(withdraw(50));
		assert_eq!(Balances::balance(&50), free + 2 * BOND);
		assert_eq!(bonded(50), BOND);
	});
}

#[test]
fn what_was_on_its_way_out_is_so_again() {
	run(|| {
		backed();
		assert_ok!(Staking::unbond(signed(50), BOND));
		quiet_era();
		assert_ok!(Staking::unbond(signed(50), BOND));
		let before = ledger(50);
		assert_eq!(before.2, [(BOND, 1 + BONDING), (BOND, 2 + BONDING)]);
		let id = suspect(1, at_stake(1));
		check();
		restore(id, 6 * BOND);
		assert_eq!(ledger(50), before);
	});
}

#[test]
fn a_second_fault_takes_of_what_is_left() {
	run(|| {
		backed();
		let first = suspect(1, 5 * BOND);
		assert_eq!(at_stake(1), BOND);
		let second = suspect(1, BOND);
		assert_eq!(at_stake(1), 0);
		assert_noop!(<Election as Slashable<_>>::suspect(&1, 1), Error::<Test>::NothingAtStake);
		check();
		apply(first, 5 * BOND);
		restore(second, BOND);
		assert_eq!(at_stake(1), BOND);
	});
}

#[test]
fn a_nominator_of_two_pays_for_each_with_what_is_behind_it() {
	run(|| {
		nominate(50, 4 * BOND, &[1, 2]);
		seated();
		let behind = |who| {
			let overview = ErasStakersOverview::<Test>::get(1, who).unwrap();
			overview.total - overview.own
		};
		let (one, two) = (behind(1), behind(2));
		assert!((one + two).abs_diff(4 * BOND) < 10);
		suspect(1, at_stake(1));
		assert_eq!(suspected(50), one);
		assert_eq!(at_stake(2), 2 * BOND + two);
		suspect(2, at_stake(2));
		assert_eq!(suspected(50), one + two);
		check();
	});
}

#[test]
fn who_is_to_get_the_key_answers_as_well_as_who_just_had_it() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		to_election();
		// The planned era, for who fails to take over.
		assert_eq!(at_stake(8), 21 * BOND);
		suspect(8, BOND);
		check();
		hand_over();
		let gone = (1..=7).find(|who| !office().contains(who)).unwrap();
		// The era before, for what it did then.
		assert_eq!(at_stake(gone), 2 * BOND);
		suspect(gone, BOND);
		// Its own bond in later eras, and nobody's who was never bonded.
		era_passes();
		era_passes();
		assert_eq!(at_stake(gone), BOND);
		assert_eq!(<Election as Slashable<_>>::liable(&gone), Some(gone));
		assert_eq!(<Election as Slashable<_>>::liable(&4_242), None);
		assert_eq!(at_stake(4_242), 0);
	});
}

fn era_passes() {
	for _ in 0..PER_ERA {
		session();
		if Next::get().is_some() {
			hand_over();
		}
	}
}

#[test]
fn suspected_stake_neither_votes_nor_earns() {
	run(|| {
		backed();
		suspect(1, at_stake(1) - 2);
		assert!(Election::why_not_eligible(1).is_some(), "its bond is too small");
		era_passes();
		assert!(!office().contains(&1));
		let overview = ErasStakersOverview::<Test>::get(1, 1).unwrap();
		assert_eq!(overview.total, 2);
	});
}

#[test]
fn who_has_nothing_left_at_stake_is_paid_nothing_until_it_is_back() {
	run(|| {
		backed();
		// In two parts, of which the second empties the exposure.
		let ids = [suspect(1, 3 * BOND), suspect(1, 3 * BOND)];
		assert_eq!(at_stake(1), 0);
		era_passes();
		let paid = |who: &[AccountId]| -> u128 {
			let before: u128 = who.iter().map(Balances::total_balance).sum();
			let _ = dispatch(
				signed(77),
				pallet_staking::Call::payout_stakers { validator_stash: 1, era: 1 },
			);
			check();
			who.iter().map(Balances::total_balance).sum::<u128>() - before
		};
		assert_eq!(paid(&[1, 50, 51]), 0);
		// As it was, in whatever order.
		for id in ids {
			restore(id, BOND);
			restore(id, 2 * BOND);
		}
		assert_eq!(at_stake(1), 6 * BOND);
		let overview = ErasStakersOverview::<Test>::get(1, 1).unwrap();
		assert_eq!((overview.own, overview.total), (2 * BOND, 6 * BOND));
		let share = pallet_staking::ErasValidatorReward::<Test>::get(1).unwrap() / 7;
		assert!(paid(&[1, 50, 51]).abs_diff(share) < 100);
	});
}

#[test]
fn a_bond_that_is_suspected_whole_is_not_forgotten() {
	run(|| {
		backed();
		let id = suspect(1, 6 * BOND);
		let reap = pallet_staking::Call::reap_stash { stash: 50, num_slashing_spans: 0 };
		assert_noop!(dispatch(signed(77), reap.clone()), Error::<Test>::OpenCase);
		assert_noop!(withdraw(50), Error::<Test>::OpenCase);
		restore(id, 6 * BOND);
		assert_eq!(ledger(50), (3 * BOND, 3 * BOND, vec![]));
		assert!(pallet_staking::Nominators::<Test>::contains_key(50));
		assert!(dispatch(signed(77), reap).is_err(), "it has a bond again");
	});
}

#[test]
fn who_never_stood_is_not_accused_as_a_gatekeeper() {
	run(|| {
		backed();
		bond(60, BOND);
		for who in [50, 60] {
			assert_eq!(<Election as Slashable<_>>::liable(&who), None);
			assert_eq!(at_stake(who), 0);
		}
		// Who stands does answer, before it ever had a seat.
		assert!(!office().contains(&8));
		assert_eq!(at_stake(8), BOND);
	});
}

#[test]
fn the_first_set_answers_in_proportion_to_all_that_is_behind_it() {
	run(|| {
		for who in 1..=7 {
			stand(who, 2 * BOND);
		}
		to_election();
		assert_eq!(at_stake(1), 2 * BOND);
		let total = <Election as Slashable<_>>::total_stake(OffenceClass::KeyCeremony);
		assert_eq!(total, 14 * BOND);
		suspect(1, BOND);
		assert_eq!(<Election as Slashable<_>>::total_stake(OffenceClass::KeyCeremony), total);
		hand_over();
	});
}

#[test]
fn a_plan_that_is_replaced_forgets_no_suspicion() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		nominate(51, 20 * BOND, &[9]);
		to_election();
		let id = suspect(8, 5 * BOND);
		lapse(&worker(8), 60);
		State::set(phala_primitives::Handover::GivenUp);
		session();
		check();
		restore(id, 5 * BOND);
		assert_eq!((bonded(8), bonded(50)), (BOND, 20 * BOND));
		hand_over();
	});
}

#[test]
fn a_loss_that_grows_falls_on_who_was_there() {
	run(|| {
		backed();
		let first = suspect(1, BOND);
		// Those behind it leave, one of them altogether, and another one comes.
		assert_ok!(Staking::nominate(signed(50), vec![2]));
		assert_ok!(Staking::chill(signed(51)));
		assert_ok!(Staking::unbond(signed(51), BOND));
		nominate(52, 10 * BOND, &[1]);
		era_passes();
		era_passes();
		assert_eq!((active(), at_stake(1), at_stake(2)), (3, 11 * BOND, 5 * BOND));
		assert_eq!(stake_behind(1, first), 5 * BOND);
		let all = || [exposure(1, 1), exposure(3, 1)];
		let before = (all(), ledger(50), ledger(51));
		let more = suspect_more(1, first, 3 * BOND);
		assert_eq!((suspected(52), bonded(52)), (0, 10 * BOND));
		assert_eq!((suspected(50), suspected(51)), (3 * BOND / 2, BOND / 2));
		assert_eq!((suspected(1), stake_behind(1, first)), (2 * BOND, 2 * BOND));
		// The member's own bond is behind it no more, in no era.
		assert_eq!((exposure(1, 1).total, exposure(3, 1).total), (2 * BOND, 10 * BOND));
		assert_eq!(at_stake(1), 10 * BOND);
		check();
		restore(more, 3 * BOND);
		assert_eq!((all(), ledger(50), ledger(51)), before);
	});
}

#[test]
fn a_loss_that_grows_falls_on_who_was_there_also_when_the_seat_is_lost() {
	run(|| {
		backed();
		let first = suspect(1, 2 * BOND);
		era_passes();
		era_passes();
		assert!(!office().contains(&1));
		assert_eq!((at_stake(1), stake_behind(1, first)), (0, 4 * BOND));
		suspect_more(1, first, 4 * BOND);
		assert_eq!((suspected(50), suspected(51)), (3 * BOND, BOND));
	});
}

#[test]
fn who_was_behind_no_seat_answers_alone_for_a_loss_that_grows() {
	run(|| {
		seated();
		let first = suspect(8, BOND / 2);
		fund(8, BOND);
		assert_ok!(Staking::bond_extra(signed(8), BOND));
		nominate(50, 20 * BOND, &[8]);
		era();
		assert_eq!(at_stake(8), 20 * BOND + 3 * BOND / 2);
		assert_eq!(stake_behind(8, first), 3 * BOND / 2);
		suspect_more(8, first, BOND);
		assert_eq!((suspected(8), suspected(50)), (3 * BOND / 2, 0));
		assert_eq!(exposure(2, 8).own, BOND / 2);
	});
}

#[test]
fn a_loss_that_grows_after_its_era_is_forgotten_falls_on_who_is_there() {
	run(|| {
		backed();
		let first = suspect(1, BOND);
		for _ in 0..=HISTORY {
			era_passes();
		}
		assert!(!ErasStakersOverview::<Test>::contains_key(1, 1));
		nominate(52, 10 * BOND, &[1]);
		era_passes();
		assert_eq!((at_stake(1), stake_behind(1, first)), (15 * BOND, 15 * BOND));
		suspect_more(1, first, 15 * BOND);
		assert_eq!((suspected(1), suspected(52)), (2 * BOND, 10 * BOND));
	});
}

#[test]
fn what_is_suspected_leaves_the_planned_era_too() {
	run(|| {
		backed();
		// Some of what is behind it in this era is behind another one in the next.
		assert_ok!(Staking::nominate(signed(50), vec![1, 2]));
		nominate(52, 20 * BOND, &[8]);
		to_election();
		assert!(next().contains(&1) && next().contains(&8));
		let all = || [1, 2].map(|era| (exposure(era, 1), ErasTotalStake::<Test>::get(era)));
		let before = all();
		let divided = before[1].0.others.iter().find(|one| one.who == 50).unwrap().value;
		assert!(divided > 0 && divided < 9 * BOND / 4, "{divided}");
		// In each era what is suspected is missing, as far as it was there.
		let lowered = || {
			all().iter().zip(&before).all(|((now, total), (was, most))| {
				let less = |who, value: u128| value.saturating_sub(suspected(who));
				let mut backers = now.others.iter().zip(&was.others);
				let others: u128 = now.others.iter().map(|one| one.value).sum();
				now.own == less(1, was.own)
					&& backers.all(|(one, had)| one.value == less(had.who, had.value))
					&& now.total == now.own + others
					&& most - total == was.total - now.total
			})
		};
		let id = suspect(1, 5 * BOND);
		assert_eq!(suspected(50), 9 * BOND / 4);
		assert!(lowered(), "{:?}", all());
		check();
		for _ in 0..5 {
			restore(id, BOND);
			assert!(lowered(), "{:?}", all());
		}
		assert_eq!(all(), before);
		// What is taken returns to no era.
		let id = suspect(1, 4 * BOND);
		assert_eq!(apply(id, BOND), (BOND, 0));
		restore(id, 3 * BOND);
		let own = |era| exposure(era, 1).own;
		assert_eq!((own(1), own(2)), (BOND, BOND));
		hand_over();
		assert_eq!(at_stake(1), exposure(2, 1).total);
	});
}

proptest! {
	#[test]
	fn a_split_is_exact(
		own in 0..1_000_u128,
		others in proptest::collection::vec(0..1_000_u128, 0..8),
		part in 0..=100_u128,
	) {
		let total = own + others.iter().sum::<u128>();
		let amount = total * part / 100;
		for (first, rest) in [split(own, &others, amount), split_back(own, &others, amount)] {
			prop_assert_eq!(first + rest.iter().sum::<u128>(), amount);
			prop_assert!(first <= own);
			prop_assert!(rest.iter().zip(&others).all(|(some, all)| some <= all));
		}
		let (first, rest) = split(own, &others, amount);
		prop_assert!(first == own || rest.iter().all(|some| *some == 0));
		let (first, rest) = split_back(own, &others, amount);
		prop_assert!(first == 0 || rest == others);
	}
}
