//! What clients are told.

use crate::{mock::*, types::Stage};
use frame_support::assert_ok;
use phala_primitives::{
	OffenceClass::{Compromise, Equivocation},
	OffenceId, OffenceReport,
};
use std::collections::BTreeSet;

#[test]
fn offences_of_an_account_come_in_pages() {
	ExtBuilder::default().build_and_execute(|| {
		force_policy(Equivocation, |policy| policy.correlated = policy.base);
		let severity = percent(1);
		for _ in 0..250 {
			report(OffenceReport { severity, ..offence(Equivocation, 0) }).unwrap();
		}
		equivocation(1);
		let (mut seen, mut last) = (BTreeSet::new(), None);
		let mut pages = vec![];
		loop {
			let page = Slashing::offences_of(owner(0), last);
			let Some((id, _)) = page.last() else { break };
			last = Some(*id);
			pages.push(page.len());
			for (id, offence) in page {
				assert_eq!(offence, get(id));
				assert!(offence.offender == 0 && seen.insert(id));
			}
		}
		assert_eq!(pages, [100, 100, 50]);
		assert_eq!(Slashing::offences_of(owner(1), None).len(), 1);
		assert!(Slashing::offences_of(ALICE, None).is_empty());
	});
}

#[test]
fn why_slashed_tells_the_whole_story() {
	ExtBuilder::default().build_and_execute(|| {
		let id = equivocation(0);
		equivocation(1);
		let why = Slashing::why_slashed(id).unwrap();
		// Before the raise has happened, it can be foreseen.
		assert_eq!((why.fraction, why.suspected), (percent(36), 100 * PHA));
		assert_eq!(why.exposure, Some(percent(20)));
		assert_eq!(why.not_before, Some(1 + DEFERRAL));
		assert_eq!(why.offence.stake, 1_000 * PHA);
		assert_eq!(Slashing::due(id), Some(1 + DEFERRAL));

		run_to(1 + DEFERRAL);
		let why = Slashing::why_slashed(id).unwrap();
		assert!(matches!(why.offence.stage, Stage::Applied { at } if at == 1 + DEFERRAL));
		assert_eq!((why.fraction, why.suspected), (percent(36), 0));
		assert_eq!((why.exposure, why.not_before), (None, None));
		assert_eq!((why.offence.charged, Slashing::due(id)), (360 * PHA, None));
		assert_eq!(Slashing::why_slashed(OffenceId { index: 9, ..id }), None);
	});
}

#[test]
fn due_skips_to_the_next_era_at_the_ceiling() {
	ExtBuilder::default().pools(1).build_and_execute(|| {
		force_policy(Equivocation, |policy| policy.base = percent(100));
		force_parameters(|all| all.least_ceiling = 300 * PHA);
		let id = equivocation(0);
		jump_to(2 + DEFERRAL);
		assert_eq!(Slashing::due(id), Some(2 + DEFERRAL), "now");
		poll();
		assert_eq!(Slashing::why_slashed(id).unwrap().suspected, 700 * PHA);
		assert_eq!(Slashing::due(id), Some(500));
		jump_to(505);
		assert_eq!(Slashing::due(id), Some(505));
	});
}

#[test]
fn accusations_against_an_offender_are_listed() {
	ExtBuilder::default().build_and_execute(|| {
		for (pool, proof) in [(0, 1), (0, 2), (1, 3)] {
			let origin = RuntimeOrigin::signed(ALICE);
			assert_ok!(Slashing::accuse(origin, Compromise, pool, 1, evidence(proof)));
		}
		let against = |pool| {
			let list = Slashing::accusations_against(pool).into_iter();
			list.map(|(id, _)| id).collect::<BTreeSet<_>>()
		};
		assert_eq!(against(0), [0, 1].into());
		assert_eq!(against(1), [2].into());
		assert!(against(2).is_empty());
	});
}
