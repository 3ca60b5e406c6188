//! What clients see is what happens.

use crate::{mock::*, types::WhyUnpaid};
use phala_attestation::Tier;
use phala_primitives::{Mining as MiningOf, SessionState};
use phala_tokenomics::PHA;

#[test]
fn pending_rewards_are_what_an_answer_pays() {
	run(|| {
		worker(0);
		worker(1);
		attest(1, 1_000, Tier::Four);
		work(&[0, 1], 10);
		for n in [0, 1] {
			until_challenged(n);
			blocks(7);
			let pending = Mining::pending_rewards(key(n)).unwrap();
			let before = paid();
			assert!(answer(n));
			assert!(pending.pool > 0);
			assert_eq!(paid() - before, pending.pool);
		}
		assert_eq!(Mining::pending_rewards(key(5)), None);
	});
}

#[test]
fn apr_is_what_a_year_pays() {
	run(|| {
		worker(0);
		work(&[0], 10);
		let before = paid();
		work(&[0], 600);
		let hour = paid() - before;
		let apr = Mining::apr(key(0)).unwrap();
		let year = apr.saturating_mul_int(2_000 * PHA);
		assert!((hour * 8_760).abs_diff(year) < year / 50, "{hour} {year}");
		assert_eq!(Mining::apr(key(5)), None);
	});
}

use sp_runtime::FixedPointNumber;

#[test]
fn sessions_are_shown_as_they_are() {
	run(|| {
		worker(0);
		worker(1);
		let view = Mining::session(key(0)).unwrap();
		assert_eq!((view.id, view.bench, view.top_up), (0, 1_000, 0));
		assert_eq!(view.info.state, SessionState::Computing);
		assert_eq!((view.info.keeper, view.info.stake), (KEEPER, 2_000 * PHA));
		assert_eq!((view.at_risk, view.performance), (0, 1_000_000_000));
		assert!(view.part.deconstruct().abs_diff(500_000_000_000_000_000) < 2);
		assert!((3_449 * PHA..=3_450 * PHA).contains(&view.v));
		silence(0, &[1]);
		work(&[1], 300);
		let view = Mining::session(key(0)).unwrap();
		assert!(matches!(view.info.state, SessionState::Unresponsive { .. }));
		assert!(view.at_risk > 0 && view.v < view.initial_v);
		let before = view.at_risk;
		<Mining as MiningOf<u64>>::stop(&key(0)).unwrap();
		assert_eq!(record(0).money.lost().abs_diff(before) / 10_000, 0);
		assert_eq!(Mining::session(key(7)), None);
	});
}

#[test]
fn each_reason_has_its_name() {
	run(|| {
		use WhyUnpaid::*;
		let why = |n| Mining::why_unpaid(key(n));
		assert_eq!(why(0), [NoSession]);
		worker(0);
		worker(1);
		until_challenged(0);
		block(1);
		assert!(why(0).contains(&AwaitsAnswer));
		assert!(why(0).iter().any(|one| matches!(one, Capped { .. })), "{:?}", why(0));
		attest(0, 1_000, Tier::Five);
		assert!(why(0).iter().any(|one| matches!(one, Quality { .. })), "{:?}", why(0));
		alter(0, |one| one.expires_at = 0);
		assert!(why(0).contains(&NotAttested));
		answer(0);
		assert!(why(0).contains(&NoShare));
		attest(0, 1_000, Tier::One);
		assert!(why(0).contains(&AttestationLapsed));
		silence(0, &[1]);
		assert!(matches!(why(0)[..], [Unresponsive { probation: 600, .. }, ..]));
		<Mining as MiningOf<u64>>::stop(&key(0)).unwrap();
		assert_eq!(why(0), [Ended { until: RelayBlock::get() + 100_800 }]);
	});
}

#[test]
fn the_economy_adds_up() {
	run(|| {
		worker(0);
		work(&[0], 100);
		let view = Mining::economy().unwrap();
		assert_eq!(view.elapsed, view.paid + view.treasury + view.withheld + view.outstanding);
		assert_eq!((view.workers, view.budget, view.reserve), (1, 50 * PHA, RESERVE));
		assert_eq!(view.reserve_available, 20_000_000 * PHA);
		assert_eq!(Mining::minimum_stake(key(0)), None);
		attest(1, 400, Tier::One);
		// 50·√400.
		let least = Mining::minimum_stake(key(1)).unwrap();
		assert!((1_000 * PHA..=1_000 * PHA + 1).contains(&least), "{least}");
	});
}
