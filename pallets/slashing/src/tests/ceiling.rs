//! Application: shares, ceilings per class and era, what rolls over.

use crate::{Error, Event, MAX_STEPS, mock::*, types::Stage};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, Pays},
	traits::fungible::Inspect,
	weights::Weight,
};
use phala_primitives::{
	OffenceClass::{Equivocation, LeaseBreach, Outage},
	OffenceId, OffenceReport, Slashable, Source,
};

fn proven(pool: u32, reporter: AccountId) -> OffenceId {
	let source = Source::Proven { reporter: Some(reporter) };
	report(OffenceReport { source, ..offence(Equivocation, pool) }).unwrap()
}

#[test]
fn application_works() {
	ExtBuilder::default().build_and_execute(|| {
		let id = equivocation(0);
		let before = treasury();
		run_to(DEFERRAL);
		assert_eq!(treasury(), before, "not a block early");
		events();
		run_to(1 + DEFERRAL);
		assert_eq!(treasury(), before + 100 * PHA);
		assert_eq!(
			events(),
			[
				Event::OffenceWeighed { id, fraction: percent(10), amount: 100 * PHA, restored: 0 },
				Event::Slashed { id, charged: 100 * PHA, rewarded: 0, remaining: 0 },
				Event::OffenceApplied { id, charged: 100 * PHA },
			]
		);
		assert_eq!(Balances::total_balance(&owner(0)), (10 + 300) * PHA);
	});
}

/// The share comes out of the offender's own stake, and not of the delegators'.
#[test]
fn reporters_share_is_of_the_own_stake_only() {
	ExtBuilder::default().stakes(20 * PHA, 300 * PHA).build_and_execute(|| {
		let (rich, before) = (Balances::balance(&ALICE), treasury());
		// 10 % of 920 = 92 PHA, of which 20 are the owner's.
		let id = proven(0, ALICE);
		run_to(1 + DEFERRAL);
		assert_eq!(Balances::balance(&ALICE), rich + 2 * PHA);
		assert_eq!(treasury(), before + 90 * PHA);
		assert_eq!((get(id).charged, get(id).rewarded), (92 * PHA, 2 * PHA));
	});
}

#[test]
fn a_share_that_no_account_can_take_goes_to_the_treasury() {
	ExtBuilder::default().stakes(PHA / 100, 300 * PHA).build_and_execute(|| {
		let before = treasury();
		let id = proven(0, NOBODY);
		run_to(1 + DEFERRAL);
		assert_eq!(Balances::total_balance(&NOBODY), 0);
		assert_eq!((get(id).rewarded, treasury()), (0, before + get(id).charged));
	});
}

/// Pools with an odd number charge their delegators now and collect later: the ledger counts both.
#[test]
fn lazily_collected_stake_counts_as_charged() {
	ExtBuilder::default().build_and_execute(|| {
		let before = treasury();
		force_policy(Equivocation, |policy| policy.base = percent(40));
		let id = proven(1, ALICE);
		run_to(1 + DEFERRAL);
		assert_eq!((get(id).charged, get(id).rewarded), (400 * PHA, 10 * PHA));
		assert_eq!(treasury(), before + 90 * PHA);
		lazily_collect();
		assert_eq!(treasury(), before + 390 * PHA);
	});
}

#[test]
fn what_exceeds_the_ceiling_rolls_over_in_order() {
	// A million PHA in ten pools.
	ExtBuilder::default().stakes(10_000 * PHA, 30_000 * PHA).build_and_execute(|| {
		force_policy(LeaseBreach, |policy| policy.ceiling = percent(1));
		let ids: Vec<_> = (0..5).map(|pool| report(offence(LeaseBreach, pool)).unwrap()).collect();
		let charged = || ids.iter().map(|id| get(*id).charged / PHA).collect::<Vec<_>>();
		// 5,000 PHA each, 10,000 an era, less what is gone from the total.
		run_to(1 + DEFERRAL);
		assert_eq!(charged(), [5_000, 5_000, 0, 0, 0]);
		assert_eq!(Slashing::due(ids[1]), None);
		events();
		run_to(499);
		assert_eq!(charged(), [5_000, 5_000, 0, 0, 0]);
		assert_eq!(events(), [], "a ceiling is announced once");
		run_to(500);
		assert_eq!(charged(), [5_000, 5_000, 5_000, 4_900, 0]);
		assert!(events().contains(&Event::CeilingReached { class: LeaseBreach, until: 600 }));
		assert_eq!(Slashing::due(ids[3]), Some(600));
		run_to(600);
		assert_eq!(charged(), [5_000, 5_000, 5_000, 5_000, 5_000]);
		assert!(ids.iter().all(|id| matches!(get(*id).stage, Stage::Applied { .. })));
	});
}

/// A ceiling is per class: an outage of many leaves room for what is worse.
#[test]
fn classes_have_ceilings_of_their_own() {
	ExtBuilder::default().stakes(10_000 * PHA, 30_000 * PHA).build_and_execute(|| {
		let outages: Vec<_> = (0..10).map(|pool| outage(pool, percent(5))).collect();
		let worse = equivocation(0);
		run_to(1 + DEFERRAL);
		let sum: u128 = outages.iter().map(|id| get(*id).charged).sum();
		assert_eq!(sum, 5_000 * PHA, "0.5 % of a million");
		assert!(matches!(get(worse).stage, Stage::Applied { .. }));
	});
}

/// In a small class the least ceiling ends what a fraction would never finish.
#[test]
fn the_least_ceiling_ends_a_tail() {
	ExtBuilder::default().pools(1).build_and_execute(|| {
		force_policy(Outage, |policy| policy.correlated = percent(100));
		force_parameters(|parameters| parameters.least_ceiling = 50 * PHA);
		let id = outage(0, percent(100));
		run_to(1 + DEFERRAL);
		assert_eq!(get(id).charged, 50 * PHA);
		run_for(19 * ERA);
		assert_eq!(get(id).charged, 1_000 * PHA);
		assert_eq!(Pools::stake(&0), 0);
	});
}

#[test]
fn apply_is_for_everybody_and_free_if_it_helps() {
	ExtBuilder::default().build_and_execute(|| {
		let id = equivocation(0);
		let apply = |steps| Slashing::apply(RuntimeOrigin::signed(BOB), Equivocation, steps);
		assert_noop!(apply(10).map_err(|error| error.error), Error::<Test>::NothingDue);
		jump_to(1 + DEFERRAL);
		assert_noop!(apply(0).map_err(|error| error.error), Error::<Test>::NothingDue);
		let post = apply(1).unwrap();
		assert_eq!(post.pays_fee, Pays::No);
		assert_eq!(get(id).stage, Stage::Applying);
		let post = apply(100).unwrap();
		assert_eq!(post.actual_weight, Some(Slashing::apply_weight(2)));
		assert!(matches!(get(id).stage, Stage::Applied { .. }));
		assert_noop!(apply(10).map_err(|error| error.error), Error::<Test>::NothingDue);
	});
}

/// However many steps are asked for, a transaction does as many as it can pay for.
#[test]
fn apply_does_no_more_than_a_transaction_can() {
	ExtBuilder::default().pools(30).build_and_execute(|| {
		for pool in 0..30 {
			report(offence(LeaseBreach, pool)).unwrap();
		}
		jump_to(1 + DEFERRAL);
		let most = Slashing::apply_weight(MAX_STEPS);
		let call = crate::Call::<Test>::apply { class: LeaseBreach, steps: u32::MAX };
		assert_eq!(call.get_dispatch_info().call_weight, most);
		let closed = |id: &u64| {
			matches!(
				crate::Ledger::<Test>::get(LeaseBreach, id).unwrap().stage,
				Stage::Applied { .. }
			)
		};
		for round in 1..=2u64 {
			let post = Slashing::apply(RuntimeOrigin::signed(BOB), LeaseBreach, u32::MAX).unwrap();
			assert_eq!(post.actual_weight, Some(most));
			let done = (0..30u64).filter(closed).count() as u64;
			assert!(done > 0 && done <= round * u64::from(MAX_STEPS), "{done}");
		}
		// As in the block of a live chain: 2 s and 10 MiB of proof, three quarters for transactions.
		let block = Weight::from_parts(2_000_000_000_000, 10 * 1024 * 1024);
		assert!(most.all_lte(block * 3 / 8), "{most:?}");
	});
}

/// New stake within the era does not raise what the era may take.
#[test]
fn an_eras_limit_is_fixed_by_its_first_slash() {
	ExtBuilder::default().stakes(10_000 * PHA, 30_000 * PHA).build_and_execute(|| {
		force_policy(LeaseBreach, |policy| policy.ceiling = percent(1));
		let ids: Vec<_> = (0..5).map(|pool| report(offence(LeaseBreach, pool)).unwrap()).collect();
		run_to(1 + DEFERRAL);
		deposit(9, BOB, 50_000_000 * PHA);
		run_to(499);
		assert_eq!(ids.iter().map(|id| get(*id).charged).sum::<u128>(), 10_000 * PHA);
		assert_ok!(Slashing::do_try_state());
	});
}
