//! The tracks: what they are on a live chain, and each way that a referendum on them can go.

use super::*;
use pallet_slashing::{Parameters as LedgerParameters, policy::Scale};
use phala_runtime::constants::{
	accounts::treasury,
	currency::*,
	gatekeepers::{BONDING_DURATION, LONGEST_ERA},
	governance::*,
	market::*,
	time::*,
};
use sp_runtime::Perbill;

/// Name, origin, decision deposit in PHA, and the periods of a live chain: prepare, decide, confirm,
/// enact.
type Live = (u16, &'static str, OriginCaller, u32, [BlockNumber; 4]);

fn live() -> Vec<Live> {
	use Origin::*;
	let track =
		|id, name, origin: Origin, deposit, periods| (id, name, origin.into(), deposit, periods);
	let [h, d] = [HOURS, DAYS];
	vec![
		(0, "root", ROOT, 100_000, [d, 28 * d, 2 * d, 28 * d]),
		track(1, "whitelisted_caller", WhitelistedCaller, 10_000, [h / 2, 28 * d, h / 2, h / 6]),
		track(10, "general_admin", GeneralAdmin, 5_000, [2 * h, 28 * d, d, d]),
		track(11, "measurement_admin", MeasurementAdmin, 10_000, [2 * h, 14 * d, d, 2 * d]),
		track(12, "tcb_policy_admin", TcbPolicyAdmin, 5_000, [2 * h, 14 * d, d, d]),
		track(13, "tokenomics_admin", TokenomicsAdmin, 10_000, [d, 28 * d, 2 * d, 7 * d]),
		track(14, "gatekeeper_admin", GatekeeperAdmin, 10_000, [d, 28 * d, 2 * d, 7 * d]),
		track(15, "slash_canceller", SlashCanceller, 2_000, [h, 3 * d, 6 * h, h / 6]),
		track(
			20,
			"referendum_canceller",
			ReferendumCanceller,
			10_000,
			[2 * h, 7 * d, 3 * h, h / 6],
		),
		track(21, "referendum_killer", ReferendumKiller, 50_000, [2 * h, 14 * d, 3 * h, h / 6]),
		track(22, "emergency_halt", EmergencyHalt, 20_000, [h / 6, 3 * d, h / 6, h / 60]),
		track(30, "small_spender", SmallSpender, 500, [4 * h, 28 * d, 12 * h, d]),
		track(31, "medium_spender", MediumSpender, 2_000, [4 * h, 28 * d, d, d]),
		track(32, "big_spender", BigSpender, 10_000, [4 * h, 28 * d, 2 * d, d]),
	]
}

#[test]
fn tracks_are_the_live_ones() {
	Tracks::check_integrity().expect("sorted by id");
	assert_eq!(
		Tracks::track_ids().collect::<Vec<_>>(),
		live().iter().map(|t| t.0).collect::<Vec<_>>()
	);
	for (id, name, origin, deposit, periods) in live() {
		let info = track(id);
		assert_eq!(String::from_utf8_lossy(&info.name).trim_end_matches('\0'), name);
		assert_eq!(Tracks::track_for(&origin), Ok(id), "{name}");
		assert_eq!(info.decision_deposit, Balance::from(deposit) * PHA, "{name}");
		let found = [
			info.prepare_period,
			info.decision_period,
			info.confirm_period,
			info.min_enactment_period,
		];
		assert_eq!(found, periods, "{name}");
	}
}

#[test]
fn root_is_slower_than_the_slowest_exit() {
	assert_eq!((GRACE_PERIOD, COOL_DOWN), (7 * DAYS, 7 * DAYS));
	// Out of a pool: the grace, the evidence window and a judgement.
	let scale = Scale { era: SLASHING_ERA, evidence_window: EVIDENCE_WINDOW, unit: PHA };
	assert_eq!(LedgerParameters::initial(scale).judgement, JUDGEMENT);
	const { assert!(SLOWEST_EXIT >= GRACE_PERIOD + EVIDENCE_WINDOW + JUDGEMENT) };
	// Out of a bond: eras of two days and a session.
	assert_eq!((BONDING_DURATION, LONGEST_ERA), (10, 54 * HOURS));
	assert_eq!(SLOWEST_EXIT, 11 * 54 * HOURS);
	assert_eq!(ROOT_ENACTMENT, 28 * DAYS);
	assert!(track(0).min_enactment_period > SLOWEST_EXIT);
	// A vote with conviction x3 stays locked until the decision takes effect.
	const { assert!(4 * VOTE_LOCKING_PERIOD >= ROOT_ENACTMENT) };
}

#[test]
fn live_periods_are_the_live_ones() {
	assert_eq!(VOTE_LOCKING_PERIOD, 7 * DAYS);
	assert_eq!(UNDECIDING_TIMEOUT, 14 * DAYS);
	assert_eq!((CHANGE_PERIOD, MEASURE_PERIOD), (28 * DAYS, 28 * DAYS));
	assert_eq!((MAX_CHANGES, MAX_MEASURES, PAUSE_DURATION), (8, 7, DAYS));
	assert_eq!((SPEND_PERIOD, PAYOUT_PERIOD), (6 * DAYS, 30 * DAYS));
	assert_eq!(DEFERRED_DISPATCH_EXPIRATION, 28 * DAYS);
}

#[test]
fn what_nobody_may_ask_for_has_no_track() {
	for origin in [Origin::GuardRail, Origin::Fellows] {
		assert_eq!(Tracks::track_for(&origin.into()), Err(()));
	}
	let signed = OriginCaller::system(frame_system::RawOrigin::Signed(account("alice")));
	assert_eq!(Tracks::track_for(&signed), Err(()));
	assert_eq!(Tracks::track_for(&OriginCaller::system(frame_system::RawOrigin::None)), Err(()));
}

#[test]
fn curves_fall_and_stay_within_reach() {
	for track in Tracks::tracks() {
		let info = &track.info;
		let at = |percent| Perbill::from_percent(percent);
		for percent in 0..100 {
			for curve in [&info.min_approval, &info.min_support] {
				assert!(curve.threshold(at(percent)) >= curve.threshold(at(percent + 1)));
			}
		}
		// Never with less than half of the votes, never with nobody.
		// (The curves' constants are rounded.)
		let half = Perbill::from_parts(499_999_000);
		assert!(info.min_approval.threshold(at(100)) >= half, "{}", track.id);
		assert!(
			info.min_support.threshold(at(100)) >= Perbill::from_parts(9_999_000),
			"{}",
			track.id
		);
		assert!(
			info.min_support.threshold(at(0)) <= Perbill::from_parts(500_001_000),
			"{}",
			track.id
		);
	}
}

/// A call that each track is for. Those without a pallet yet enact an empty batch.
fn proposal(id: u16) -> RuntimeCall {
	use phala_runtime::configs::governance::parameters::{RuntimeParameters, dynamic_params::fees};
	let spend = |amount| {
		pallet_treasury::Call::spend {
			asset_kind: Box::new(()),
			amount,
			beneficiary: Box::new(account("charlie")),
			valid_from: None,
		}
		.into()
	};
	match id {
		0 => frame_system::Call::set_storage { items: vec![(b"key".to_vec(), b"value".to_vec())] }
			.into(),
		1 => {
			let call: RuntimeCall = frame_system::Call::set_heap_pages { pages: 64 }.into();
			let hash = sp_io::hashing::blake2_256(&codec::Encode::encode(&call)).into();
			// Once is enough.
			let _ = Whitelist::whitelist_call(Origin::Fellows.into(), hash);
			pallet_whitelist::Call::dispatch_whitelisted_call_with_preimage { call: Box::new(call) }
				.into()
		}
		10 => pallet_identity::Call::add_registrar { account: account("bob").into() }.into(),
		13 => {
			let value = Some(MILLI_PHA * 5 / 4);
			let key_value = RuntimeParameters::Fees(fees::Parameters::Base(fees::Base, value));
			pallet_dao::Call::set_parameter { key_value }.into()
		}
		20 | 21 => {
			let other = submit(ROOT, frame_system::Call::remark { remark: vec![1] });
			match id {
				20 => pallet_referenda::Call::<Runtime>::cancel { index: other }.into(),
				_ => pallet_referenda::Call::<Runtime>::kill { index: other }.into(),
			}
		}
		22 => pallet_dao::Call::halt {}.into(),
		30 => spend(SMALL_SPEND),
		31 => spend(MEDIUM_SPEND),
		32 => spend(BIG_SPEND),
		_ => pallet_utility::Call::batch_all { calls: vec![] }.into(),
	}
}

#[test]
fn each_track_goes_from_submission_to_enactment_at_its_pace() {
	for (id, name, origin, deposit, [prepare, _, confirm, enact]) in live() {
		governed(|| {
			let index = propose(origin, proposal(id));
			all_vote(index, true);
			pass(prepare + confirm - 1);
			assert!(!is_approved(index), "{name} is confirmed too early");
			pass(1);
			assert!(is_approved(index), "{name}: {:?}", status(index));
			pass(enact - 1);
			assert!(enacted().is_empty(), "{name} is enacted too early");
			pass(1);
			assert_eq!(enacted(), vec![Ok(())], "{name}");

			assert_ok!(Referenda::refund_decision_deposit(signed("bob"), index));
			assert_ok!(Referenda::refund_submission_deposit(signed("alice"), index));
			assert_eq!(Balances::reserved_balance(account("bob")), 0, "{name}: {deposit} PHA");
		});
	}
}

#[test]
fn each_track_rejects_what_the_majority_is_against() {
	for (id, name, origin, _, [prepare, decide, ..]) in live() {
		governed(|| {
			let index = propose(origin, proposal(id));
			all_vote(index, false);
			pass(prepare + decide - 1);
			assert!(matches!(status(index), ReferendumInfo::Ongoing(_)), "{name}");
			pass(1);
			assert!(matches!(status(index), ReferendumInfo::Rejected(..)), "{name}");
			pass(40 * DAYS);
			assert!(enacted().is_empty(), "{name}");
			assert_ok!(Referenda::refund_decision_deposit(signed("bob"), index));
		});
	}
}

#[test]
fn a_referendum_that_nobody_votes_in_is_rejected() {
	governed(|| {
		let index = propose(Origin::GeneralAdmin, proposal(10));
		pass(track(10).prepare_period + track(10).decision_period);
		assert!(matches!(status(index), ReferendumInfo::Rejected(..)));
	});
}

#[test]
fn each_track_times_out_without_its_decision_deposit() {
	for (id, name, origin, ..) in live() {
		governed(|| {
			let index = submit(origin, proposal(id));
			all_vote(index, true);
			pass(UNDECIDING_TIMEOUT - 1);
			assert!(matches!(status(index), ReferendumInfo::Ongoing(_)), "{name}");
			pass(1);
			assert!(matches!(status(index), ReferendumInfo::TimedOut(..)), "{name}");
			assert!(Referenda::place_decision_deposit(signed("bob"), index).is_err());
		});
	}
}

#[test]
fn cancelling_returns_deposits_and_killing_gives_them_to_the_treasury() {
	for (id, _, origin, deposit, _) in live() {
		let deposit = Balance::from(deposit) * PHA;
		governed(|| {
			let index = propose(origin.clone(), proposal(id));
			assert_ok!(Referenda::cancel(Origin::ReferendumCanceller.into(), index));
			assert!(matches!(status(index), ReferendumInfo::Cancelled(..)));
			assert_ok!(Referenda::refund_decision_deposit(signed("bob"), index));
			assert_ok!(Referenda::refund_submission_deposit(signed("alice"), index));

			let index = propose(origin, proposal(id));
			let (pot, issued) = (Balances::free_balance(treasury()), Balances::total_issuance());
			assert_ok!(Referenda::kill(Origin::ReferendumKiller.into(), index));
			assert!(matches!(status(index), ReferendumInfo::Killed(..)));
			assert_eq!(Balances::free_balance(treasury()) - pot, deposit + SUBMISSION_DEPOSIT);
			assert_eq!(Balances::total_issuance(), issued, "nothing is burnt");
			assert!(Referenda::refund_decision_deposit(signed("bob"), index).is_err());
			pass(60 * DAYS);
			assert!(enacted().is_empty());
		});
	}
}

#[test]
fn an_emergency_is_over_before_any_other_track_decides() {
	let fastest = live().into_iter().filter(|track| ![1, 22].contains(&track.0));
	let emergency: BlockNumber = [0, 2, 3].map(|index| live()[10].4[index]).iter().sum();
	assert_eq!(emergency, 21 * MINUTES);
	for (_, name, _, _, [prepare, _, confirm, enact]) in fastest {
		assert!(prepare + confirm + enact > emergency, "{name}");
	}
}
