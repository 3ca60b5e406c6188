//! Elections, eras, and the pause between them.

use crate::{mock::*, types::*, *};
use frame_election_provider_support::SortedListProvider;
use frame_support::assert_ok;
use pallet_staking::{CurrentEra, EraInfo, ErasStakersOverview, Forcing};
use phala_attestation::Role;
use phala_primitives::Handover;

fn failure() -> Option<WhyFailed> {
	LastFailure::<Test>::get().map(|last| last.why)
}

#[test]
fn there_is_no_set_until_enough_stand() {
	run(|| {
		for who in 1..=3 {
			stand(who, BOND);
		}
		for _ in 0..6 {
			session();
		}
		assert_eq!((active(), next(), office()), (0, vec![], vec![]));
		assert_eq!(failure(), Some(WhyFailed::TooFewSeats { seated: 3, needed: MIN }));
		stand(4, BOND);
		session();
		assert_eq!(next(), [1, 2, 3, 4]);
		// It is no era before the key is there.
		assert_eq!((active(), CurrentEra::<Test>::get()), (0, Some(1)));
		hand_over();
		assert_eq!((active(), office()), (1, vec![1, 2, 3, 4]));
		assert_eq!(failure(), None);
	});
}

#[test]
fn only_who_is_eligible_is_elected() {
	run(|| {
		seated();
		// Far more bond than anybody: without attestation, bound to nothing, chilled, on one machine.
		bond(100, 50 * BOND);
		assert_ok!(Staking::validate(signed(100), Default::default()));
		stand(101, 50 * BOND);
		lapse(&worker(101), 0);
		stand(102, 50 * BOND);
		assert_ok!(Staking::chill(signed(102)));
		stand(103, 60 * BOND);
		stand(104, 50 * BOND);
		attest(worker(104), 104, Role::Gatekeeper, 103);
		stand(105, 50 * BOND);
		attest(worker(105), 106, Role::Gatekeeper, 105);
		for target in [100, 101, 102, 104, 105] {
			nominate(200 + target, 100 * NOMINATION, &[target]);
		}
		for _ in 0..3 {
			era_or_quiet();
			assert!(office().contains(&103));
			assert!(!office().iter().any(|who| [100, 101, 102, 104, 105].contains(who)));
		}
	});
}

fn era_or_quiet() {
	let before = active();
	for _ in 0..PER_ERA {
		session();
		if Next::get().is_some() {
			hand_over();
		}
	}
	assert_eq!(active(), before + 1);
}

#[test]
fn an_attacker_with_all_the_stake_takes_two_eras_to_a_majority() {
	run(|| {
		seated();
		for who in 101..=107 {
			stand(who, 1_000 * BOND);
		}
		let mut taken = Vec::new();
		for _ in 0..4 {
			era_or_quiet();
			assert_eq!(office().len(), 7);
			taken.push(office().into_iter().filter(|who| *who > 100).count());
		}
		assert_eq!(taken, [2, 4, 6, 7]);
	});
}

#[test]
fn who_lapsed_is_out_at_the_next_era() {
	run(|| {
		seated();
		for who in [1, 2, 3] {
			lapse(&worker(who), 60);
		}
		era();
		// Two came for three that went: the set is smaller for an era.
		assert_eq!(office(), [4, 5, 6, 7, 8, 9]);
		era();
		assert_eq!(office(), [4, 5, 6, 7, 8, 9, 10]);
	});
}

#[test]
fn a_set_is_never_too_small() {
	run(|| {
		seated();
		for who in [1, 2, 3, 4, 8, 9, 10] {
			lapse(&worker(who), 60);
		}
		for _ in 0..5 {
			session();
		}
		// Three are not enough: the set stays, in its era, and the chain says why.
		assert_eq!((active(), office().len()), (1, 7));
		assert_eq!(failure(), Some(WhyFailed::TooFewSeats { seated: 3, needed: MIN }));
		assert!(events().contains(&Event::ElectionFailed { why: failure().unwrap() }));
		assert_eq!(Election::status().2.unwrap().why, failure().unwrap());
		// One renewal, and it goes on.
		attest(worker(10), 10, Role::Gatekeeper, 10);
		session();
		assert_eq!(next(), [5, 6, 7, 10]);
		hand_over();
	});
}

#[test]
fn who_leaves_is_held_back_if_too_many_do() {
	run(|| {
		seated();
		for who in 1..=7 {
			assert_ok!(Staking::chill(signed(who)));
		}
		era();
		// Two of seven, although seven left, and those held back have their bonds behind them.
		let back: Vec<_> = office().into_iter().filter(|who| *who <= 7).collect();
		assert_eq!((office().len(), back.len()), (7, 5));
		for who in &back {
			let overview = ErasStakersOverview::<Test>::get(active(), who).unwrap();
			assert_eq!(overview.own, 2 * BOND);
		}
		era();
		era();
		// Nobody else stands, and a set needs four.
		assert_eq!(office().iter().filter(|who| **who > 7).count(), 3);
		assert!(office().len() >= 4);
	});
}

#[test]
fn who_chilled_to_nominate_is_held_back_with_its_own_bond() {
	run(|| {
		seated();
		for who in 1..=7 {
			assert_ok!(Staking::nominate(signed(who), vec![8, 9, 10]));
		}
		era();
		let back: Vec<_> = office().into_iter().filter(|who| *who <= 7).collect();
		assert_eq!(back.len(), 5);
		for who in &back {
			assert_eq!(ErasStakersOverview::<Test>::get(active(), who).unwrap().own, 2 * BOND);
		}
	});
}

#[test]
fn who_is_held_back_keeps_its_commission() {
	run(|| {
		seated();
		let commission = sp_runtime::Perbill::from_percent(7);
		for who in 1..=7 {
			let prefs = pallet_staking::ValidatorPrefs { commission, ..Default::default() };
			assert_ok!(Staking::validate(signed(who), prefs));
		}
		era_or_quiet();
		let keeps = |who: AccountId| {
			pallet_staking::ErasValidatorPrefs::<Test>::get(active(), who).commission == commission
		};
		assert!((1..=7).all(keeps));
		for who in 1..=7 {
			assert_ok!(Staking::chill(signed(who)));
		}
		era();
		let back: Vec<_> = office().into_iter().filter(|who| *who <= 7).collect();
		assert_eq!((active(), back.len()), (3, 5));
		assert!(back.iter().copied().all(keeps));
		// Also when no set can follow.
		Refusing::set(true);
		while active() == 3 {
			session();
		}
		assert!(back.into_iter().all(keeps));
	});
}

#[test]
fn staking_waits_while_the_key_is_on_its_way() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		to_election();
		let planned = Planned::<Test>::get().unwrap();
		for _ in 0..20 {
			session();
		}
		assert_eq!((active(), CurrentEra::<Test>::get()), (1, Some(2)));
		assert_eq!(Planned::<Test>::get(), Some(planned));
		assert_eq!(Election::status().1, Handover::Underway);
		// Those in office are paid for it, and their stake answers for them.
		let points = pallet_staking::ErasRewardPoints::<Test>::get(1);
		assert!(points.individual.keys().copied().eq(1..=7));
		assert!(points.total > 7 * 20);
		assert!(<Election as phala_primitives::Slashable<_>>::stake(&1) >= 2 * BOND);
		hand_over();
		assert_eq!(active(), 2);
		assert!(office().contains(&8));
	});
}

#[test]
fn staking_waits_for_a_rotation() {
	run(|| {
		seated();
		State::set(Handover::Underway);
		for _ in 0..10 {
			session();
		}
		assert_eq!(active(), 1);
		assert_eq!(CurrentEra::<Test>::get(), Some(1));
		State::set(Handover::Settled);
		session();
		session();
		session();
		assert_eq!(active(), 2, "its sessions go on where they stopped");
	});
}

#[test]
fn the_same_set_again_begins_an_era_at_once() {
	run(|| {
		seated();
		quiet_era();
		quiet_era();
		assert_eq!(office(), [1, 2, 3, 4, 5, 6, 7]);
		assert_eq!(Planned::<Test>::get(), None);
	});
}

#[test]
fn a_set_that_could_not_take_over_is_replaced() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		nominate(51, 20 * BOND, &[9]);
		to_election();
		assert!(next().contains(&8) && next().contains(&9));
		// All attempts fail: 8 is to blame, and gone.
		lapse(&worker(8), 60);
		State::set(Handover::GivenUp);
		session();
		assert_eq!(State::get(), Handover::Underway);
		assert!(!next().contains(&8) && next().contains(&9));
		assert_eq!((active(), CurrentEra::<Test>::get()), (1, Some(2)));
		// Nothing is left of the era that never was.
		assert!(!ErasStakersOverview::<Test>::contains_key(2, 8));
		check();
		hand_over();
		assert_eq!(active(), 2);
		quiet_era();
	});
}

#[test]
fn a_plan_stays_if_there_is_no_better_one() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		to_election();
		let planned = Planned::<Test>::get();
		State::set(Handover::GivenUp);
		for who in 1..=10 {
			lapse(&worker(who), 60);
		}
		session();
		session();
		assert_eq!(failure(), Some(WhyFailed::TooFewSeats { seated: 0, needed: MIN }));
		assert_eq!(Planned::<Test>::get(), planned);
		assert!(ErasStakersOverview::<Test>::contains_key(2, 8));
		check();
		// Governance lets them try again, and it works.
		State::set(Handover::Underway);
		session();
		hand_over();
		assert_eq!(active(), 2);
	});
}

/// Sessions until an era is older than one can earn.
fn grow_old() {
	let before = active();
	for _ in 0..=2 * PER_ERA {
		session();
	}
	assert_eq!(active(), before + 1);
}

#[test]
fn eras_pass_although_there_never_was_a_set() {
	run(|| {
		stand(1, 2 * BOND);
		nominate(50, BOND, &[1]);
		assert_ok!(Staking::chill(signed(50)));
		assert_ok!(Staking::unbond(signed(50), BOND));
		for era in 1..=BONDING {
			assert_ok!(withdraw(50));
			assert_eq!(bonded(50), BOND);
			grow_old();
			assert_eq!((active(), office(), next()), (era, vec![], vec![]));
		}
		assert_ok!(withdraw(50));
		assert_eq!(bonded(50), 0);
		// There is a set as soon as enough stand.
		for who in 2..=4 {
			stand(who, BOND);
		}
		era();
		assert_eq!(office(), [1, 2, 3, 4]);
	});
}

#[test]
fn a_set_that_nobody_can_follow_begins_another_era() {
	run(|| {
		seated();
		nominate(50, BOND, &[1]);
		for who in 4..=10 {
			lapse(&worker(who), 60);
		}
		grow_old();
		assert_eq!(office(), [1, 2, 3, 4, 5, 6, 7]);
		assert_eq!(failure(), Some(WhyFailed::TooFewSeats { seated: 3, needed: MIN }));
		// With the bonds of now, also of those who lapsed; and the era before is paid.
		for who in 1..=7 {
			let overview = ErasStakersOverview::<Test>::get(2, who).unwrap();
			assert_eq!(overview.own, 2 * BOND);
		}
		assert_eq!(ErasStakersOverview::<Test>::get(2, 1).unwrap().total, 3 * BOND);
		assert!(Escrows::<Test>::get(1).unwrap() > 0);
		session();
		let points = pallet_staking::ErasRewardPoints::<Test>::get(2);
		assert!(points.individual.keys().copied().eq(1..=3), "service is paid, and nothing else");
		check();
		grow_old_again();
		attest(worker(4), 4, Role::Gatekeeper, 4);
		to_election();
		assert_eq!(next(), [1, 2, 3, 4]);
		hand_over();
	});
}

/// As [`grow_old`], a session later.
fn grow_old_again() {
	let before = active();
	for _ in 0..2 * PER_ERA {
		session();
	}
	assert_eq!(active(), before + 1);
}

#[test]
fn a_plan_that_never_succeeds_does_not_stop_eras() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		to_election();
		State::set(Handover::GivenUp);
		for who in 1..=10 {
			lapse(&worker(who), 60);
		}
		for _ in 0..=PER_ERA {
			assert_eq!(active(), 1);
			assert!(Planned::<Test>::get().is_some());
			session();
		}
		assert_eq!((active(), CurrentEra::<Test>::get()), (2, Some(2)));
		assert_eq!(Planned::<Test>::get(), None);
		assert!(!ErasStakersOverview::<Test>::contains_key(2, 8), "it never took over");
		assert_eq!(ErasStakersOverview::<Test>::get(2, 1).unwrap().own, 2 * BOND);
		check();
		for who in 1..=10 {
			attest(worker(who), who, Role::Gatekeeper, who);
		}
		Next::set(None);
		to_election();
		assert!(next().contains(&8));
		hand_over();
		assert_eq!(active(), 3);
	});
}

#[test]
fn members_that_fail_for_ever_stop_no_unbonding() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		let first = active();
		for _ in 0..4 * (2 * PER_ERA + 1) {
			session();
			// Whatever was elected, its ceremonies fail.
			if State::get() == Handover::Underway {
				State::set(Handover::GivenUp);
			}
		}
		assert!(active() >= first + 3, "{}", active());
		assert_eq!(office(), [1, 2, 3, 4, 5, 6, 7]);
		assert_eq!(ErasStakersOverview::<Test>::get(active(), 1).unwrap().own, 2 * BOND);
	});
}

#[test]
fn a_refused_set_changes_nothing() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		Refusing::set(true);
		for _ in 0..5 {
			session();
		}
		let error = sp_runtime::DispatchError::Other("refused");
		assert!(matches!(failure(), Some(WhyFailed::Refused { .. })), "{error:?}");
		assert_eq!(
			(active(), CurrentEra::<Test>::get(), Planned::<Test>::get()),
			(1, Some(1), None)
		);
		check();
		Refusing::set(false);
		session();
		assert!(next().contains(&8));
	});
}

#[test]
fn a_handover_to_others_begins_no_era() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		to_election();
		// A replacement of the key that the old set made: the planned one still waits.
		use phala_primitives::GatekeeperSet;
		Election::handover_final(1);
		block();
		assert_eq!(active(), 1);
		hand_over();
		assert_eq!(active(), 2);
	});
}

#[test]
fn a_retry_without_the_faulty_is_the_planned_set() {
	run(|| {
		seated();
		nominate(50, 20 * BOND, &[8]);
		to_election();
		let mut seats = Next::get().unwrap();
		seats.retain(|seat| seat.account != 7);
		Next::set(Some(seats));
		hand_over();
		assert_eq!((active(), office().len()), (2, 6));
		session();
		let points = pallet_staking::ErasRewardPoints::<Test>::get(2);
		assert!(!points.individual.contains_key(&7), "no share, no pay");
	});
}

#[test]
fn the_faulty_nominations_of_many_do_not_shut_a_candidate_out() {
	run(|| {
		seated();
		// More voters than an election looks at, all with more than a candidate's own bond.
		for who in 1_000..1_080 {
			nominate(who, 3 * BOND, &[1, 2, 3]);
		}
		for who in [4, 5, 6, 7] {
			lapse(&worker(who), 60);
		}
		era();
		assert_eq!(office(), [1, 2, 3, 8, 9], "8 and 9 have no nominator and not much bond");
	});
}

#[test]
fn nominations_for_who_is_not_seated_go_to_who_is() {
	run(|| {
		seated();
		for who in 101..=104 {
			stand(who, BOND);
		}
		// Backs four newcomers, of whom two are seated.
		nominate(50, 40 * BOND, &[101, 102, 103, 104]);
		era();
		let new: Vec<_> = office().into_iter().filter(|who| *who > 100).collect();
		assert_eq!(new.len(), 2);
		let behind: u128 = new
			.iter()
			.map(|who| ErasStakersOverview::<Test>::get(2, who).unwrap())
			.map(|overview| overview.total - overview.own)
			.sum();
		assert!(behind > 39 * BOND, "{behind}");
	});
}

#[test]
fn governance_can_force_eras() {
	run(|| {
		seated();
		assert_ok!(Staking::force_new_era(frame_system::RawOrigin::Root.into()));
		session();
		assert_eq!(active(), 2);
		assert_ok!(Staking::force_no_eras(frame_system::RawOrigin::Root.into()));
		for _ in 0..4 {
			session();
		}
		assert_eq!(active(), 2);
		// A forced era that could not take over is replaced, however short the last one was.
		assert_ok!(Staking::force_new_era(frame_system::RawOrigin::Root.into()));
		nominate(50, 20 * BOND, &[8]);
		session();
		assert!(next().contains(&8));
		State::set(Handover::GivenUp);
		session();
		assert_eq!(State::get(), Handover::Underway);
		assert_eq!(pallet_staking::ForceEra::<Test>::get(), Forcing::NotForcing);
		hand_over();
		assert_eq!(active(), 3);
	});
}

#[test]
fn a_member_that_moves_to_another_machine_is_a_change() {
	run(|| {
		seated();
		for who in [1, 2, 3] {
			attest(worker(who + 500), who, Role::Gatekeeper, who + 500);
			assert_ok!(Election::bind(signed(who), worker(who + 500)));
		}
		let moved = || Office::get().iter().filter(|one| one.worker != worker(one.account)).count();
		era();
		assert_eq!((office().len(), moved()), (7, 2));
		era();
		assert_eq!((office().len(), moved()), (7, 3));
	});
}

#[test]
fn many_larger_backers_do_not_take_a_members_own_bond_out_of_its_exposure() {
	run(|| {
		// More than staking keeps of one member.
		for who in 100..120 {
			nominate(who, 3 * BOND + u128::from(who), &[1]);
		}
		seated();
		for (era, keeps) in [(1, true), (2, false)] {
			let overview = ErasStakersOverview::<Test>::get(era, 1).unwrap();
			assert_eq!((overview.own, overview.nominator_count), (2 * BOND, 15));
			let others = EraInfo::<Test>::get_full_exposure(era, &1).others;
			let sum: u128 = others.iter().map(|one| one.value).sum();
			assert_eq!(overview.total, 2 * BOND + sum);
			assert!(others.iter().all(|one| one.who >= 105), "the smallest are left out");
			if keeps {
				// Nobody can follow, so that the set stays, with the bonds of now.
				Refusing::set(true);
				while active() == 1 {
					session();
				}
			}
		}
	});
}

#[test]
fn a_bond_that_votes_for_nobody_is_no_voter() {
	run(|| {
		seated();
		bond(60, 50 * BOND);
		let before = VoterList::count();
		let rebag = pallet_bags_list::Call::rebag { dislocated: 60 };
		let _ = dispatch(signed(77), rebag.clone());
		assert_eq!(VoterList::count(), before);
		assert_ok!(Staking::nominate(signed(60), vec![1]));
		assert_ok!(dispatch(signed(77), rebag));
		assert_eq!(VoterList::count(), before + 1);
	});
}

#[test]
fn the_hook_waits_for_room() {
	use frame_support::{
		traits::Hooks,
		weights::{Weight, WeightMeter},
	};
	run(|| {
		seated();
		SessionEnded::<Test>::put(true);
		let most = <() as WeightInfo>::tick();
		let mut little = WeightMeter::with_limit(Weight::from_parts(most.ref_time(), 1_000_000));
		Election::on_poll(1, &mut little);
		assert!(SessionEnded::<Test>::get());
		let mut enough = WeightMeter::with_limit(most + <() as WeightInfo>::poll());
		Election::on_poll(1, &mut enough);
		assert!(!SessionEnded::<Test>::get());
		assert_eq!(enough.remaining(), Weight::zero());
	});
}
