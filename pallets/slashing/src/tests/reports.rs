//! Reports of pallets: who may, what is suspected, what is refused.

use crate::{Error, Event, ReportsFrom, mock::*, types::Knowledge};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use phala_primitives::{
	OffenceClass::{self, *},
	OffenceId, OffenceReport, OpenCases, ReportOffence, Slashable, Source,
};
use sp_runtime::DispatchError;

#[test]
fn report_works() {
	ExtBuilder::default().build_and_execute(|| {
		jump_to(50);
		let free = Balances::balance(&owner(0));
		let report = offence(Equivocation, 0);
		let evidence = report.evidence;
		let id = ReportsFrom::<Test, Keys>::report(report).unwrap();

		assert_eq!(id, OffenceId { class: Equivocation, index: 0 });
		// 10 % of 1,000 PHA: all of the owner's. It leaves the value at once, and no account.
		assert_eq!(Pools::stake(&0), 900 * PHA);
		assert_eq!(claims(0), [(owner(0), 100 * PHA)].into());
		assert_eq!(Balances::balance(&owner(0)), free);
		assert!(Slashing::has_open_case(&0) && !Slashing::has_open_case(&1));
		assert_eq!(
			events(),
			[Event::OffenceRecorded {
				id,
				offender: 0,
				liable: owner(0),
				evidence,
				fraction: percent(10),
				suspected: 100 * PHA,
				due: 50 + DEFERRAL,
			}]
		);
	});
}

/// Reports on an offender compound: together they never exceed the stake.
#[test]
fn repeated_offences_take_of_what_is_left() {
	ExtBuilder::default().build_and_execute(|| {
		for left in [900, 810, 729] {
			report(OffenceReport { severity: percent(10), ..offence(Outage, 0) }).unwrap();
			assert_eq!(Pools::stake(&0), left * PHA);
		}
		outage(0, percent(100));
		assert_eq!(Pools::stake(&0), 0);
		assert_noop!(report(offence(Outage, 0)), Error::<Test>::NothingAtStake);
	});
}

#[test]
fn only_the_authorities_of_a_class_may_report() {
	ExtBuilder::default().build_and_execute(|| {
		let not = DispatchError::from(Error::<Test>::NotAllowedToReport);
		let only = |class, allowed: [bool; 4]| {
			let results = [
				hypothetically(|| ReportsFrom::<Test, Mining>::report(offence(class, 0))),
				hypothetically(|| ReportsFrom::<Test, Keys>::report(offence(class, 0))),
				hypothetically(|| ReportsFrom::<Test, Quota>::report(offence(class, 0))),
				hypothetically(|| ReportsFrom::<Test, Registry>::report(offence(class, 0))),
			];
			assert_eq!(results.map(|one| one != Err(not)), allowed, "{class:?}");
		};
		only(Outage, [true, false, false, false]);
		only(Equivocation, [false, true, true, false]);
		only(KeyCeremony, [false, true, false, false]);
		only(Absence, [false, true, false, false]);
		only(FalseReport, [false, true, true, true]);
		only(LeaseBreach, [false, false, true, false]);
		only(Compromise, [false, false, false, true]);
		// Switched off by governance.
		force_policy(Outage, |policy| policy.authorities.0 = 0);
		only(Outage, [false; 4]);
	});
}

fn hypothetically<R>(test: impl FnOnce() -> R) -> R {
	frame_support::hypothetically!(test())
}

#[test]
fn the_same_evidence_is_refused() {
	ExtBuilder::default().build_and_execute(|| {
		let first = offence(Equivocation, 0);
		assert_ok!(report(first.clone()));
		assert_noop!(report(first.clone()), Error::<Test>::AlreadyReported);
		// Other times, severities or reporters make it no other fault.
		let again = OffenceReport {
			committed: 0,
			severity: percent(5),
			source: Source::Proven { reporter: Some(ALICE) },
			..first.clone()
		};
		assert_noop!(report(again), Error::<Test>::AlreadyReported);
		// Another offender is another fault.
		assert_ok!(report(OffenceReport { offender: 1, ..first.clone() }));
		// Neither cancelling nor applying makes room for a replay.
		assert_ok!(Slashing::do_cancel(OffenceId { class: Equivocation, index: 0 }, false));
		assert_noop!(report(first.clone()), Error::<Test>::AlreadyReported);
		run_for(WINDOW);
		assert_noop!(report(first.clone()), Error::<Test>::AlreadyReported);
		run_for(DEFERRAL + KEPT + ERA);
		// The record is gone, and with it the nullifier; but now the evidence is too old.
		assert_eq!(crate::Nullifiers::<Test>::iter().count(), 0);
		assert_noop!(report(first), Error::<Test>::EvidenceTooOld);
	});
}

#[test]
fn time_of_the_act_is_checked() {
	ExtBuilder::default().build_and_execute(|| {
		jump_to(1_000);
		let at = |committed| report(OffenceReport { committed, ..offence(Equivocation, 0) });
		assert_noop!(at(1_001), Error::<Test>::FromTheFuture);
		assert_noop!(at(1_000 - WINDOW - 1), Error::<Test>::EvidenceTooOld);
		assert_ok!(at(1_000 - WINDOW));
		assert_ok!(at(1_000));
		assert_eq!(ReportsFrom::<Test, Keys>::evidence_window(), WINDOW);
	});
}

#[test]
fn unknown_and_empty_offenders_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(report(offence(Equivocation, 77)), Error::<Test>::UnknownOffender);
		let nothing = OffenceReport { severity: percent(0), ..offence(Outage, 0) };
		assert_noop!(report(nothing), Error::<Test>::NothingAtStake);
		assert_eq!(crate::Nullifiers::<Test>::iter().count(), 0);
		// A stake of which the fraction takes nothing is as good as none.
		deposit(50, BOB, 9);
		assert_noop!(report(offence(Equivocation, 50)), Error::<Test>::NothingAtStake);
	});
}

#[test]
fn whoever_proves_his_own_fault_gets_no_share() {
	ExtBuilder::default().build_and_execute(|| {
		let by = |pool, who| {
			let source = Source::Proven { reporter: Some(who) };
			get(report(OffenceReport { source, ..offence(Equivocation, pool) }).unwrap()).knowledge
		};
		assert_eq!(by(0, owner(0)), Knowledge::Proven { reporter: None });
		assert_eq!(by(1, ALICE), Knowledge::Proven { reporter: Some(ALICE) });
	});
}

#[test]
fn classes_have_queues_of_their_own() {
	ExtBuilder::default().build_and_execute(|| {
		let index = |class, pool| {
			let severity = percent(10);
			report(OffenceReport { severity, ..offence(class, pool) }).unwrap().index
		};
		for class in OffenceClass::ALL {
			assert_eq!([index(class, 1), index(class, 2)], [0, 1], "{class:?}");
		}
	});
}
