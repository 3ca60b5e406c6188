//! Accusations: bonds, judgements, lapses.

use crate::{Accusations, Error, Event, HoldReason, mock::*, types::Stage};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, InspectHold},
};
use phala_primitives::{
	OffenceClass::{Compromise, Equivocation},
	OffenceId, OffenceReport, OpenCases, Slashable,
};
use sp_runtime::{DispatchError::BadOrigin, TokenError};

const BOND: u128 = 100 * PHA;
const FIRST: OffenceId = OffenceId { class: Compromise, index: 0 };

fn held(who: AccountId) -> u128 {
	Balances::balance_on_hold(&RuntimeHoldReason::Slashing(HoldReason::ReporterBond), &who)
}

fn accuse(who: AccountId, pool: u32, proof: u64) -> frame_support::dispatch::DispatchResult {
	let now = RelayBlock::get();
	Slashing::accuse(RuntimeOrigin::signed(who), Compromise, pool, now, evidence(proof))
}

fn judges() -> RuntimeOrigin {
	RuntimeOrigin::signed(JUDGES)
}

#[test]
fn accuse_takes_a_bond_and_nothing_else() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(accuse(ALICE, 0, 1));
		assert_eq!(held(ALICE), BOND);
		assert_eq!(Pools::stake(&0), 1_000 * PHA, "nothing is suspected before a judgement");
		assert!(Slashing::has_open_case(&0), "but stake cannot leave before one");
		let expires = 1 + 14 * ERA;
		assert_eq!(
			events(),
			[Event::Accused {
				id: 0,
				class: Compromise,
				offender: 0,
				accuser: ALICE,
				bond: BOND,
				expires
			}]
		);
	});
}

#[test]
fn accuse_errors_correctly() {
	ExtBuilder::default().build_and_execute(|| {
		jump_to(1_000);
		let by = |who, class, pool, at| {
			Slashing::accuse(RuntimeOrigin::signed(who), class, pool, at, evidence(1))
		};
		assert_noop!(by(ALICE, Equivocation, 0, 1_000), Error::<Test>::NotAllowedToReport);
		assert_noop!(by(ALICE, Compromise, 0, 1_001), Error::<Test>::FromTheFuture);
		assert_noop!(by(ALICE, Compromise, 0, 699), Error::<Test>::EvidenceTooOld);
		assert_noop!(by(ALICE, Compromise, 77, 1_000), Error::<Test>::UnknownOffender);
		assert_noop!(by(owner(0), Compromise, 0, 1_000), Error::<Test>::SelfReport);
		assert_noop!(by(NOBODY, Compromise, 0, 1_000), TokenError::FundsUnavailable);
		assert_ok!(by(ALICE, Compromise, 0, 1_000));
		assert_noop!(by(BOB, Compromise, 0, 1_000), Error::<Test>::AlreadyReported);
		let root = Slashing::accuse(RuntimeOrigin::root(), Compromise, 0, 1_000, evidence(2));
		assert_noop!(root, BadOrigin);
	});
}

/// What cannot offend any more is accused for as long as its last act could be reported, and not for longer.
#[test]
fn accusations_in_a_chain_come_to_an_end() {
	ExtBuilder::default().build_and_execute(|| {
		ended(0, 1_000);
		jump_to(1_001);
		let by_alice = |committed, proof| {
			let alice = RuntimeOrigin::signed(ALICE);
			Slashing::accuse(alice, Compromise, 0, committed, evidence(proof))
		};
		assert_noop!(by_alice(1_001, 0), Error::<Test>::NothingAtStakeThen);
		assert_ok!(by_alice(1_000, 0));
		jump_to(1_000 + WINDOW);
		assert_ok!(by_alice(1_000, 1));
		jump_to(1_001 + WINDOW);
		assert_noop!(by_alice(1_000, 2), Error::<Test>::EvidenceTooOld);
		assert_noop!(by_alice(1_001, 2), Error::<Test>::NothingAtStakeThen);
		jump_to(1_001 + WINDOW + 14 * ERA);
		for id in [0, 1] {
			assert_ok!(Slashing::lapse(RuntimeOrigin::signed(BOB), id));
		}
		assert!(!Slashing::has_open_case(&0));
	});
}

#[test]
fn the_list_gets_dearer_and_has_an_end() {
	ExtBuilder::default().build_and_execute(|| {
		for n in 0..40 {
			assert_eq!(Slashing::bond(), BOND << (n / 16));
			assert_ok!(accuse(ALICE, n as u32 % 10, n));
		}
		assert_eq!(held(ALICE), 16 * BOND + 16 * 2 * BOND + 8 * 4 * BOND);
		assert_noop!(accuse(BOB, 0, 1_000), Error::<Test>::TooManyAccusations);
		assert_ok!(Slashing::dismiss(judges(), 0, false));
		assert_ok!(accuse(BOB, 0, 1_000));
	});
}

#[test]
fn convict_defers_an_offence_like_any_other() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(accuse(ALICE, 0, 1));
		// Later than the evidence window: the accusation was in time.
		run_to(1_000);
		assert_noop!(Slashing::convict(RuntimeOrigin::signed(ALICE), 0, percent(10)), BadOrigin);
		assert_ok!(Slashing::convict(judges(), 0, percent(10)));
		assert_noop!(
			Slashing::convict(judges(), 0, percent(10)),
			Error::<Test>::AccusationNotFound
		);

		let offence = get(FIRST);
		assert_eq!((offence.stage, offence.due), (Stage::Deferred, 1_000 + DEFERRAL));
		assert_eq!(offence.era, 10, "weighed with what is judged in the same era");
		// Half of the stake for full severity, a tenth of it for this one: 50 of 1,000 PHA.
		assert_eq!(Pools::stake(&0), 950 * PHA);
		assert_eq!(held(ALICE), BOND, "the bond stays until the end");

		let (rich, poor) = (Balances::balance(&ALICE), treasury());
		run_to(1_000 + DEFERRAL);
		assert!(matches!(get(FIRST).stage, Stage::Applied { .. }));
		assert_eq!(held(ALICE), 0);
		assert_eq!(Balances::balance(&ALICE), rich + BOND + 5 * PHA);
		assert_eq!(treasury(), poor + 45 * PHA);
		assert!(!Slashing::has_open_case(&0));
		// Only a judge knows how old its evidence is: it stays refused.
		run_for(KEPT + ERA);
		assert!(crate::Ledger::<Test>::iter().next().is_none());
		assert_noop!(accuse(BOB, 0, 1), Error::<Test>::AlreadyReported);
	});
}

/// Whoever knows which proof is coming cannot keep it out by accusing with its hash first.
#[test]
fn an_accusation_does_not_keep_a_proof_out() {
	ExtBuilder::default().build_and_execute(|| {
		let proof = || OffenceReport { evidence: evidence(1), ..offence(Compromise, 0) };
		assert_ok!(accuse(BOB, 0, 1));
		assert_ok!(report(proof()));
		// What is on record already is neither judged nor accused again.
		assert_noop!(Slashing::convict(judges(), 0, percent(100)), Error::<Test>::AlreadyReported);
		assert_ok!(Slashing::dismiss(judges(), 0, false));
		assert_noop!(accuse(BOB, 0, 1), Error::<Test>::AlreadyReported);
		// Nor does one that was found false.
		assert_ok!(accuse(BOB, 1, 1));
		assert_ok!(Slashing::dismiss(judges(), 1, true));
		assert_ok!(report(OffenceReport { offender: 1, ..proof() }));
		// But one that was upheld does.
		assert_ok!(accuse(ALICE, 2, 1));
		assert_ok!(Slashing::convict(judges(), 2, percent(100)));
		assert_noop!(
			report(OffenceReport { offender: 2, ..proof() }),
			Error::<Test>::AlreadyReported
		);
	});
}

#[test]
fn a_false_accusation_costs_the_bond() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(accuse(ALICE, 0, 1));
		let before = (Balances::total_balance(&ALICE), treasury());
		assert_noop!(Slashing::dismiss(RuntimeOrigin::signed(BOB), 0, true), BadOrigin);
		assert_ok!(Slashing::dismiss(judges(), 0, true));
		assert_eq!(Balances::total_balance(&ALICE), before.0 - BOND);
		assert_eq!(treasury(), before.1 + BOND);
		assert_eq!(held(ALICE), 0);
		assert!(!Slashing::has_open_case(&0));
		assert_noop!(accuse(BOB, 0, 1), Error::<Test>::AlreadyReported);
	});
}

#[test]
fn a_rejected_accusation_costs_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		let before = Balances::balance(&ALICE);
		assert_ok!(accuse(ALICE, 0, 1));
		assert_ok!(Slashing::dismiss(judges(), 0, false));
		assert_eq!(Balances::balance(&ALICE), before);
		assert_noop!(Slashing::dismiss(judges(), 0, false), Error::<Test>::AccusationNotFound);
		assert_ok!(accuse(BOB, 0, 1));
	});
}

#[test]
fn lapse_costs_its_fee() {
	ExtBuilder::default().build_and_execute(|| {
		let before = (Balances::balance(&ALICE), treasury());
		assert_ok!(accuse(ALICE, 0, 1));
		let by = || Slashing::lapse(RuntimeOrigin::signed(BOB), 0);
		run_to(1 + 14 * ERA);
		assert_noop!(by(), Error::<Test>::NotLapsedYet);
		jump_to(2 + 14 * ERA);
		assert_noop!(Slashing::convict(judges(), 0, percent(10)), Error::<Test>::AccusationLapsed);
		assert_ok!(by());
		assert_noop!(by(), Error::<Test>::AccusationNotFound);
		assert_eq!(Balances::balance(&ALICE), before.0 - 10 * PHA);
		assert_eq!(treasury(), before.1 + 10 * PHA);
		assert!(!Slashing::has_open_case(&0));
		assert_eq!(Accusations::<Test>::count(), 0);
		assert_ok!(accuse(ALICE, 0, 1));
	});
}

#[test]
fn an_appeal_can_find_the_accuser_false() {
	ExtBuilder::default().build_and_execute(|| {
		let before = (Balances::balance(&ALICE), entitlement(0), treasury());
		assert_ok!(accuse(ALICE, 0, 1));
		assert_ok!(Slashing::convict(judges(), 0, percent(100)));
		assert_eq!(Pools::stake(&0), 500 * PHA);
		assert_ok!(Slashing::cancel(RuntimeOrigin::signed(CANCELLERS), FIRST, true));
		assert_eq!(Pools::stake(&0), 1_000 * PHA);
		assert_eq!(entitlement(0), before.1);
		assert_eq!(Balances::balance(&ALICE), before.0 - BOND);
		assert_eq!(treasury(), before.2 + BOND);
	});
}

#[test]
fn convict_of_an_empty_offender_changes_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(accuse(ALICE, 0, 1));
		outage(0, percent(100));
		assert_noop!(Slashing::convict(judges(), 0, percent(100)), Error::<Test>::NothingAtStake);
		assert_ok!(Slashing::dismiss(judges(), 0, false));
	});
}
