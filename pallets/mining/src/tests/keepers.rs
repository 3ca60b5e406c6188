//! What keepers of stake command, and are told.

use crate::{Error, Event, mock::*, types::EndReason};
use frame_support::{assert_noop, assert_ok};
use phala_attestation::{Role, Tier};
use phala_primitives::{Mining as MiningOf, SessionState, WorkerObligations};
use phala_tokenomics::{Fixed, PHA, SessionError};
use sp_runtime::Perquintill;

type Sessions = crate::Pallet<Test>;

fn stop(n: u32) -> sp_runtime::DispatchResult {
	<Sessions as MiningOf<u64>>::stop(&key(n))
}

fn top_up(n: u32, added: u128) -> sp_runtime::DispatchResult {
	<Sessions as MiningOf<u64>>::top_up(&key(n), added)
}

fn reclaim(n: u32) -> Result<u128, sp_runtime::DispatchError> {
	<Sessions as MiningOf<u64>>::reclaim(&key(n))
}

fn health(n: u32) -> Perquintill {
	<Sessions as MiningOf<u64>>::session(&key(n)).unwrap().health
}

#[test]
fn start_fails_without_a_trace() {
	run(|| {
		let fails = |n, stake, error: Error<Test>| {
			assert_noop!(start(n, stake), error);
		};
		fails(0, 2_000 * PHA, Error::<Test>::NotAttested);
		attest(0, 49, Tier::One);
		fails(0, 2_000 * PHA, Error::<Test>::ScoreTooLow);
		attest(0, 0, Tier::One);
		fails(0, 2_000 * PHA, Error::<Test>::ScoreTooLow);
		attest(0, 1_000_001, Tier::One);
		fails(0, 2_000 * PHA, Error::<Test>::ScoreTooHigh);
		attest(0, u64::MAX, Tier::One);
		fails(0, 2_000 * PHA, Error::<Test>::ScoreTooHigh);
		attest(0, 1_000, Tier::One);
		let least = <Sessions as MiningOf<u64>>::minimum_stake(&key(0)).unwrap();
		fails(0, least - 1, Error::<Test>::StakeTooLow);
		fails(0, 20_000 * PHA, Error::<Test>::StakeTooHigh);
		alter(0, |one| one.role = Role::Gatekeeper);
		fails(0, 2_000 * PHA, Error::<Test>::NotAttested);
		alter(0, |one| (one.role, one.expires_at) = (Role::Worker, Seconds::get()));
		fails(0, 2_000 * PHA, Error::<Test>::NotAttested);
		attest(0, 1_000, Tier::One);
		assert_ok!(start(0, least));
		fails(0, least, Error::<Test>::HasSession);
		assert!(<Mining as WorkerObligations>::is_bound(&key(0)));
		assert!(!<Mining as WorkerObligations>::is_bound(&key(1)));
	});
}

#[test]
fn leaving_in_order_costs_nothing() {
	run(|| {
		worker(0);
		work(&[0], 50);
		Draws::set(false);
		work(&[0], 60);
		let before = paid();
		assert_ok!(stop(0));
		block(1);
		assert!(answer(0));
		assert!(paid() > before, "what it had earned is settled");
		let info = <Sessions as MiningOf<u64>>::session(&key(0)).unwrap();
		let until = RelayBlock::get() + 100_800;
		assert_eq!(info.state, SessionState::CoolingDown { until });
		assert_eq!((info.health, outages()), (Perquintill::one(), vec![]));
		assert_eq!(told_ended(), [key(0)]);

		block(100_799);
		assert_noop!(reclaim(0), Error::<Test>::CoolingDown);
		block(1);
		CaseOpen::set(true);
		assert_noop!(reclaim(0), Error::<Test>::OpenCase);
		CaseOpen::set(false);
		assert_eq!(reclaim(0), Ok(2_000 * PHA));
		assert!(!<Mining as WorkerObligations>::is_bound(&key(0)));
		assert_noop!(reclaim(0), Error::<Test>::NoSession);
		// A new session has a new number.
		attest(0, 1_000, Tier::One);
		assert_ok!(start(0, 2_000 * PHA));
		assert_eq!(session_id(0), 1);
	});
}

#[test]
fn who_does_not_answer_any_more_forfeits_pay() {
	run(|| {
		worker(0);
		worker(1);
		work(&[0, 1], 50);
		assert_ok!(stop(0));
		let before = crate::ReserveState::<Test>::get();
		events();
		for _ in 0..30 {
			work(&[1], 1);
		}
		assert!(is_ended(0));
		assert!(events().iter().any(|event| matches!(
			event,
			Event::Ended { reason: EndReason::StoppedUnsettled, lost: 0, .. }
		)));
		assert_eq!((outages(), before), (vec![], crate::ReserveState::<Test>::get()));
	});
}

#[test]
fn silence_costs_health_and_stops_after_a_day() {
	run(|| {
		worker(0);
		worker(1);
		work(&[0, 1], 50);
		silence(0, &[1]);
		// A day at 1/600 000 per step: 2.37 % of 2,000 PHA.
		let at_worst = at_risk(0);
		assert!(at_worst > 47 * PHA && at_worst < 48 * PHA, "{at_worst}");
		let since = RelayBlock::get();
		work(&[1], 14_399);
		assert!(is_unresponsive(0));
		assert!(health(0) < Perquintill::from_percent(98));
		work(&[1], 1);
		assert!(is_ended(0));
		let ended = record(0);
		assert_eq!(ended.ended, Some(since + 14_400));
		assert_eq!(ended.money.lost(), at_worst, "as much as was at risk at the miss");
		assert_eq!(at_risk(0), 0);
		let outage = outages().pop().unwrap();
		assert_eq!((outage.worker, outage.committed), (key(0), since + 14_400));
		let lost = outage.severity.mul_ceil(2_000 * PHA);
		assert!(lost.abs_diff(at_worst) <= 2_000, "{lost} {at_worst}");
		// The cool-down changes nothing more.
		block(100_800);
		assert_eq!(reclaim(0), Ok(2_000 * PHA));
	});
}

#[test]
fn stopping_the_silent_reports_what_health_lost() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		work(&[1], 600);
		assert_ok!(stop(0));
		assert!(is_ended(0));
		let severity = outages().pop().unwrap().severity;
		let tenth = Perquintill::from_rational(999u64, 1_000_000);
		assert!(severity > tenth && severity < Perquintill::from_percent(1), "{severity:?}");
		assert_eq!(told_ended(), [key(0)]);
	});
}

#[test]
fn a_refused_report_is_tried_again() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		work(&[1], 600);
		LedgerOpen::set(false);
		assert_ok!(stop(0));
		assert!(record(0).unreported && outages().is_empty());
		let report = |n| Mining::report_outage(RuntimeOrigin::signed(9), key(n));
		assert!(report(0).is_err());
		block(100_800);
		assert_noop!(reclaim(0), Error::<Test>::LossNotReported);
		LedgerOpen::set(true);
		assert_eq!(report(0).unwrap().pays_fee, frame_support::dispatch::Pays::No);
		assert_eq!(outages().len(), 1);
		assert_noop!(report(0), Error::<Test>::NothingToReport);
		assert_noop!(report(5), Error::<Test>::NoSession);
		assert_eq!(reclaim(0), Ok(2_000 * PHA));
	});
}

#[test]
fn no_stake_waits_for_ever() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		work(&[1], 600);
		LedgerOpen::set(false);
		assert_ok!(stop(0));
		block(201_599);
		assert_noop!(reclaim(0), Error::<Test>::LossNotReported);
		block(1);
		assert_eq!(reclaim(0), Ok(2_000 * PHA));
	});
}

#[test]
fn a_top_up_counts_from_the_next_answer() {
	run(|| {
		worker(0);
		work(&[0], 20);
		assert_noop!(top_up(0, 0), Error::<Test>::NothingAdded);
		assert_noop!(top_up(0, 18_000 * PHA), Error::<Test>::StakeTooHigh);
		assert_noop!(top_up(5, PHA), Error::<Test>::NoSession);
		let v = record(0).money.v();
		assert_ok!(top_up(0, 1_000 * PHA));
		assert_eq!(record(0).money.v(), v);
		block(1);
		assert!(answer(0));
		// f is 1.5.
		let more = record(0).money.v().saturating_sub(v);
		assert!(more >= Fixed::from_u32(1_500) && more < Fixed::from_u32(1_501));
		assert_eq!((record(0).money.stake(), record(0).top_up), (3_000 * PHA, 0));
		assert_eq!(outages(), []);
		// Two at once are one.
		assert_ok!(top_up(0, 10 * PHA));
		assert_ok!(top_up(0, 20 * PHA));
		block(1);
		assert!(answer(0));
		assert_eq!(record(0).staked, 3_030 * PHA);
	});
}

#[test]
fn a_top_up_does_not_wash_a_penalty() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		work(&[1], 700);
		assert_ok!(top_up(0, 100 * PHA));
		assert!(is_unresponsive(0));
		for _ in 0..100 {
			work(&[0, 1], 1);
			if !is_unresponsive(0) {
				break;
			}
		}
		let lost = 2_100 * PHA - record(0).money.stake();
		assert!(lost > 2 * PHA, "{lost}");
		let severity = outages().pop().unwrap().severity;
		// The keeper counts what was added as stake already.
		assert!((severity * (2_100 * PHA)).abs_diff(lost) < 3_000);
		assert_eq!(health(0), Perquintill::one());
		assert_eq!(at_risk(0), 0);
		assert_eq!(record(0).staked, 2_100 * PHA);
	});
}

#[test]
fn a_top_up_waits_for_the_ledger() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		work(&[1], 1_200);
		LedgerOpen::set(false);
		assert_ok!(top_up(0, 100 * PHA));
		for _ in 0..1_000 {
			work(&[0, 1], 1);
			if !is_unresponsive(0) {
				break;
			}
		}
		let wounded = record(0);
		assert_eq!(wounded.top_up, 100 * PHA, "health is not whole for free");
		assert!(wounded.money.lost() > 0 && at_risk(0) > 0);
		LedgerOpen::set(true);
		work(&[0, 1], 30);
		assert_eq!((record(0).top_up, outages().len()), (0, 1));
	});
}

#[test]
fn a_top_up_that_comes_too_late_lies_idle() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		assert_ok!(top_up(0, 100 * PHA));
		assert_ok!(stop(0));
		assert_eq!((record(0).money.stake(), record(0).staked), (2_000 * PHA, 2_100 * PHA));
		block(100_800);
		assert_eq!(reclaim(0), Ok(2_100 * PHA));
	});
}

#[test]
fn a_refused_top_up_makes_no_loss_larger() {
	run(|| {
		attest(0, 1_000, Tier::Five);
		assert_ok!(start(0, 2_000 * PHA));
		worker(1);
		work(&[0, 1], 20);
		// f is 1.35: just below V_max. When the answer comes it is 1.5, which is above.
		let (refused, staked) = (19_000 * PHA, 21_000 * PHA);
		assert_ok!(top_up(0, refused));
		alter(0, |one| one.tier = Tier::One);
		events();
		block(1);
		assert!(answer(0));
		assert!(events().iter().any(|event| matches!(
			event,
			Event::TopUpRefused { error: SessionError::StakeTooHigh, .. }
		)));
		let idle = record(0);
		assert_eq!((idle.top_up, idle.idle, idle.staked), (0, refused, staked));
		assert_eq!((idle.money.stake(), idle.liable()), (2_000 * PHA, staked));

		silence(0, &[1]);
		work(&[1], 14_400);
		assert!(is_ended(0));
		let lost = record(0).money.lost();
		assert!(lost > 47 * PHA && lost < 48 * PHA, "{lost}");
		// The ledger takes the part of all that the keeper put there.
		let taken = outages().pop().unwrap().severity.mul_floor(staked);
		assert!(taken <= lost && lost - taken <= 1, "{taken} of {lost}");
		block(100_800);
		assert_eq!(reclaim(0), Ok(staked));
	});
}

#[test]
fn health_heals_and_the_keeper_is_told() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		work(&[1], 620);
		for _ in 0..100 {
			work(&[0, 1], 1);
		}
		assert!(!is_unresponsive(0));
		let first = at_risk(0);
		assert!(first > 0 && first < 3 * PHA);
		work(&[0, 1], 600);
		assert!(at_risk(0) < first);
		// One hour of silence heals in five.
		work(&[0, 1], 3_600);
		assert_eq!((at_risk(0), record(0).money.lost()), (0, 0));
	});
}
