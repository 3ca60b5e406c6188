//! What governance can change, and how far.

use crate::{Error, Event, Parameters, Policy, mock::*, policy::Refusal::*};
use frame_support::{assert_noop, assert_ok};
use phala_primitives::{
	Authorities, Authority,
	OffenceClass::{self, *},
};
use sp_runtime::{
	DispatchError::{self, BadOrigin},
	Perquintill,
};

fn refused(refusal: crate::policy::Refusal) -> DispatchError {
	Error::<Test>::Refused(refusal).into()
}

fn set(
	class: OffenceClass,
	change: impl FnOnce(&mut Policy),
) -> frame_support::dispatch::DispatchResult {
	let mut policy = Slashing::policy_of(class);
	change(&mut policy);
	Slashing::set_policy(RuntimeOrigin::root(), class, policy)
}

fn tune(change: impl FnOnce(&mut Parameters)) -> frame_support::dispatch::DispatchResult {
	let mut parameters = Slashing::parameters_now();
	change(&mut parameters);
	Slashing::set_parameters(RuntimeOrigin::root(), parameters)
}

#[test]
fn set_policy_works_for_new_offences() {
	ExtBuilder::default().build_and_execute(|| {
		let old = equivocation(0);
		run_to(ERA);
		events();
		assert_ok!(set(Equivocation, |policy| policy.base = percent(20)));
		let policy = Slashing::policy(Equivocation);
		assert_eq!(policy.base, percent(20));
		assert_eq!(events(), [Event::PolicyChanged { class: Equivocation, policy }]);
		let new = equivocation(1);
		run_for(DEFERRAL + ERA);
		assert_eq!((get(old).charged, get(new).charged), (100 * PHA, 200 * PHA));
	});
}

#[test]
fn set_policy_keeps_to_its_ranges() {
	ExtBuilder::default().build_and_execute(|| {
		let initial = Slashing::policy_of(Equivocation);
		let by_alice = Slashing::set_policy(RuntimeOrigin::signed(ALICE), Equivocation, initial);
		assert_noop!(by_alice, BadOrigin);
		let out = refused(OutOfRange);
		assert_noop!(set(Equivocation, |policy| policy.base = percent(0)), out);
		assert_noop!(set(Equivocation, |policy| policy.ceiling = percent(0)), out);
		assert_noop!(set(LeaseBreach, |policy| policy.ceiling = percent(34)), out);
		assert_noop!(set(LeaseBreach, |policy| policy.correlated = percent(1)), out);
		assert_noop!(set(Outage, |policy| policy.correlated = percent(0)), out);
		assert_noop!(set(Outage, |policy| policy.authorities = Authorities(1 << 5)), out);
		// The limit of a raise is not below what it starts from.
		force_policy(Equivocation, |policy| {
			policy.base = percent(50);
			policy.correlated = percent(60);
		});
		run_to(INTERVAL);
		assert_noop!(set(Equivocation, |policy| policy.correlated = percent(40)), out);
		assert_ok!(set(Equivocation, |policy| policy.authorities = Authorities::of(&[])));
		assert!(!Slashing::policy_of(Equivocation).authorities.contains(Authority::Keys));
	});
}

/// A batch of small steps is not a way around the bound: each class changes once an interval.
#[test]
fn a_policy_moves_by_a_factor_of_two_an_interval() {
	ExtBuilder::default().build_and_execute(|| {
		let grain = Perquintill::from_rational(1u64, 1_000);
		let base = |base| set(Equivocation, |policy| policy.base = base);
		let large = refused(StepTooLarge);
		assert_noop!(base(percent(21)), large);
		assert_noop!(base(percent(4)), large);
		assert_ok!(base(percent(20) + grain));
		assert_noop!(base(percent(20)), refused(TooSoon));
		assert_ok!(set(LeaseBreach, |policy| policy.base = percent(6)));
		run_for(INTERVAL - 1);
		assert_noop!(base(percent(20)), refused(TooSoon));
		run_for(1);
		assert_ok!(base(percent(40)));
	});
}

#[test]
fn set_parameters_works_within_its_ranges() {
	ExtBuilder::default().build_and_execute(|| {
		let initial = Slashing::parameters();
		let by_alice = Slashing::set_parameters(RuntimeOrigin::signed(ALICE), initial);
		assert_noop!(by_alice, BadOrigin);
		let out = refused(OutOfRange);
		assert_noop!(tune(|all| all.deferral = DEFERRAL - 1), out);
		assert_noop!(tune(|all| all.deferral = DEFERRAL + 28 * ERA + 1), out);
		assert_noop!(tune(|all| all.judgement = ERA - 1), out);
		assert_noop!(tune(|all| all.judgement = 28 * ERA + 1), out);
		assert_noop!(tune(|all| all.bond = PHA - 1), out);
		assert_noop!(tune(|all| all.reporter_share = percent(26)), out);
		assert_noop!(tune(|all| all.lapse_fee = percent(51)), out);
		assert_noop!(tune(|all| all.least_ceiling = 0), out);
		let large = refused(StepTooLarge);
		assert_noop!(tune(|all| all.deferral = 2 * DEFERRAL + 1), large);
		assert_noop!(tune(|all| all.bond *= 3), large);
		assert_noop!(tune(|all| all.reporter_share = percent(22)), large);
		assert_ok!(tune(|all| {
			all.deferral = 2 * DEFERRAL;
			all.judgement = 28 * ERA;
			all.bond *= 2;
			all.reporter_share = percent(5);
			all.lapse_fee = percent(5);
			all.least_ceiling /= 2;
		}));
		assert_eq!(Slashing::bond(), 200 * PHA);
		assert_noop!(tune(|_| ()), refused(TooSoon));
	});
}

/// No chain of enactments, however long, leaves the ranges; and everything in them can be reached.
#[test]
fn shares_leave_zero_and_return_to_it() {
	ExtBuilder::default().build_and_execute(|| {
		for target in [5, 2, 1, 0, 1, 3, 7, 14, 25] {
			assert_ok!(tune(|all| all.reporter_share = percent(target)));
			run_for(INTERVAL);
		}
	});
}

/// A shorter deferral does not let new offences overtake old ones.
#[test]
fn the_queue_keeps_its_order() {
	ExtBuilder::default().build_and_execute(|| {
		force_parameters(|all| all.deferral = 2 * DEFERRAL);
		let old = equivocation(0);
		force_parameters(|all| all.deferral = DEFERRAL);
		run_to(ERA);
		let new = equivocation(1);
		assert_eq!((get(old).due, get(new).due), (1 + 2 * DEFERRAL, 1 + 2 * DEFERRAL));
	});
}

#[test]
fn initial_figures_are_those_of_the_documentation() {
	let percents = |class| {
		let Policy { base, correlated, ceiling, .. } = Policy::initial(class);
		[base, correlated, ceiling].map(|one| one.deconstruct() / 1_000_000_000_000_000)
	};
	assert_eq!(percents(Outage), [1_000, 10, 5]);
	assert_eq!(percents(Equivocation), [100, 1_000, 100]);
	assert_eq!(percents(KeyCeremony), [50, 1_000, 100]);
	assert_eq!(percents(Absence), [10, 10, 5]);
	assert_eq!(percents(FalseReport), [10, 0, 10]);
	assert_eq!(percents(LeaseBreach), [50, 0, 50]);
	assert_eq!(percents(Compromise), [500, 0, 100]);
	ExtBuilder::default().build_and_execute(|| {
		let all = Slashing::parameters();
		assert_eq!((all.deferral, all.judgement), (DEFERRAL, 14 * ERA));
		assert_eq!((all.bond, all.least_ceiling), (100 * PHA, 1_000 * PHA));
		assert_eq!((all.reporter_share, all.lapse_fee), (percent(10), percent(10)));
	});
}
