//! Halts by referendum: what they stop, what they never stop, and that they end.

use super::*;
use crate::chain::block as build;
use frame_support::{
	assert_noop,
	traits::{Contains, TransactionPause},
};
use phala_runtime::{
	configs::{Unpausable, WorksInSafeMode},
	constants::{currency::*, governance::*, time::SAFE_MODE_DURATION},
};
use sp_runtime::traits::Dispatchable;

fn name(pallet: &str, call: &str) -> pallet_tx_pause::RuntimeCallNameOf<Runtime> {
	let bounded = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
	(bounded(pallet), bounded(call))
}

fn transfer() -> RuntimeCall {
	pallet_balances::Call::transfer_keep_alive { dest: account("bob").into(), value: PHA }.into()
}

/// Is it filtered, for a holder?
fn is_stopped(call: &RuntimeCall) -> bool {
	let result = call.clone().dispatch(signed("alice"));
	result.map_err(|error| error.error) == Err(frame_system::Error::<Runtime>::CallFiltered.into())
}

fn pause(calls: &[(&str, &str)]) -> DispatchResult {
	let calls: Vec<_> = calls.iter().map(|(pallet, call)| name(pallet, call)).collect();
	Dao::pause(Origin::EmergencyHalt.into(), calls.try_into().expect("few"))
}

#[test]
fn a_referendum_halts_the_chain_and_the_halt_ends_by_itself() {
	governed(|| {
		let index = propose(Origin::EmergencyHalt, pallet_dao::Call::halt {});
		all_vote(index, true);
		assert!(!is_stopped(&transfer()));
		enact(22);
		assert_eq!(enacted(), vec![Ok(())]);
		assert!(is_stopped(&transfer()));
		let until = pallet_safe_mode::EnteredUntil::<Runtime>::get().expect("it was entered");
		assert_eq!(until, System::block_number() + SAFE_MODE_DURATION);
		System::set_block_number(until + 1);
		SafeMode::on_initialize(until + 1);
		assert!(!is_stopped(&transfer()));
	});
}

#[test]
fn governance_goes_on_in_a_halt_and_can_end_it() {
	governed(|| {
		assert_ok!(Dao::halt(Origin::EmergencyHalt.into()));
		// From the preimage to the enactment, by signed calls as users make them.
		let exit: RuntimeCall = pallet_safe_mode::Call::force_exit {}.into();
		let bytes = codec::Encode::encode(&exit);
		let calls: Vec<RuntimeCall> = vec![
			pallet_preimage::Call::note_preimage { bytes }.into(),
			pallet_referenda::Call::<Runtime>::submit {
				proposal_origin: Box::new(Origin::EmergencyHalt.into()),
				proposal: preimage(exit),
				enactment_moment: DispatchTime::After(0),
			}
			.into(),
			pallet_referenda::Call::<Runtime>::place_decision_deposit { index: 0 }.into(),
			pallet_conviction_voting::Call::vote {
				poll_index: 0,
				vote: standard(true, Conviction::Locked1x, 900_000 * PHA),
			}
			.into(),
		];
		for call in calls {
			assert_ok!(call.dispatch(signed("alice")));
		}
		assert_ok!(vote("bob", 0, standard(true, Conviction::None, 900_000 * PHA)));
		enact(22);
		assert_eq!(enacted(), vec![Ok(())]);
		assert!(!SafeMode::is_entered());
	});
}

#[test]
fn what_other_tracks_enact_is_not_lost_in_a_halt() {
	governed(|| {
		assert_ok!(Dao::halt(Origin::EmergencyHalt.into()));
		let spend: RuntimeCall = pallet_treasury::Call::spend {
			asset_kind: Box::new(()),
			amount: PHA,
			beneficiary: Box::new(account("charlie")),
			valid_from: None,
		}
		.into();
		assert_ok!(spend.dispatch(Origin::SmallSpender.into()));
		let registrar: RuntimeCall =
			pallet_identity::Call::add_registrar { account: account("bob").into() }.into();
		assert_ok!(registrar.dispatch(Origin::GeneralAdmin.into()));
		// Money itself waits.
		assert!(is_stopped(&pallet_treasury::Call::payout { index: 0 }.into()));
	});
}

#[test]
fn halts_are_bounded() {
	governed(|| {
		for _ in 0..MAX_MEASURES {
			assert_ok!(Dao::halt(RuntimeOrigin::root()));
		}
		assert_noop!(
			Dao::halt(RuntimeOrigin::root()),
			pallet_dao::Error::<Runtime>::TooManyMeasures
		);
		let until = pallet_safe_mode::EnteredUntil::<Runtime>::get().expect("it was entered");
		assert_eq!(until, System::block_number() + MAX_MEASURES * SAFE_MODE_DURATION);
		// A quarter of the time at most.
		const { assert!(MAX_MEASURES * SAFE_MODE_DURATION * 4 <= MEASURE_PERIOD) };
		// No other way in.
		assert!(SafeMode::force_extend(RuntimeOrigin::root()).is_err());
		assert!(TxPause::pause(RuntimeOrigin::root(), name("Balances", "burn")).is_err());
	});
}

#[test]
fn a_paused_call_returns_by_itself() {
	governed(|| {
		assert_ok!(pause(&[("Balances", "transfer_keep_alive")]));
		assert!(is_stopped(&transfer()));
		assert!(!is_stopped(&pallet_vesting::Call::vest {}.into()));
		pass(PAUSE_DURATION - 1);
		assert!(is_stopped(&transfer()));
		pass(1);
		assert!(!is_stopped(&transfer()));
	});
}

#[test]
fn a_pause_can_be_ended_early() {
	governed(|| {
		assert_ok!(pause(&[("Balances", "transfer_keep_alive")]));
		let call = name("Balances", "transfer_keep_alive");
		assert!(TxPause::unpause(signed("alice"), call.clone()).is_err());
		assert_ok!(TxPause::unpause(Origin::EmergencyHalt.into(), call));
		assert!(!is_stopped(&transfer()));
		// The task that would have ended it does no harm.
		pass(PAUSE_DURATION);
		assert!(!is_stopped(&transfer()));
	});
}

#[test]
fn what_keeps_the_chain_alive_and_governed_cannot_be_stopped() {
	governed(|| {
		for (pallet, call) in [
			("Timestamp", "set"),
			("ParachainSystem", "set_validation_data"),
			("Scheduler", "schedule"),
			("TxPause", "unpause"),
			("SafeMode", "force_exit"),
			("Referenda", "submit"),
			("ConvictionVoting", "vote"),
			("Preimage", "note_preimage"),
			("Whitelist", "dispatch_whitelisted_call"),
			("FellowshipReferenda", "submit"),
			("Dao", "lower_vote"),
			("CollatorSelection", "leave_intent"),
			("Multisig", "as_multi"),
			("Proxy", "proxy"),
			("Utility", "batch"),
		] {
			assert!(Unpausable::contains(&name(pallet, call)), "{pallet}.{call}");
			assert!(!TxPause::can_pause(name(pallet, call)));
			assert_noop!(pause(&[(pallet, call)]), pallet_dao::Error::<Runtime>::Unpausable);
		}
		assert_noop!(pause(&[("Balances", "mint")]), pallet_dao::Error::<Runtime>::UnknownCall);
	});
}

/// By the table that the test of access asserts.
#[test]
fn what_other_origins_than_root_enact_is_neither_paused_nor_halted() {
	governed(|| {
		let enactable: Vec<_> = include_str!("access.txt")
			.lines()
			.filter_map(|line| line.split_once(": "))
			.filter(|(_, who)| Origin::ALL.iter().any(|o| who.contains(&format!("{o:?}"))))
			.map(|(call, _)| call)
			.collect();
		assert!(enactable.len() > 20);
		for (pallet, call, example) in access::calls() {
			if enactable.contains(&format!("{pallet}.{call}").as_str()) {
				assert!(
					Unpausable::contains(&name(&pallet, &call)),
					"{pallet}.{call} can be paused"
				);
				assert!(WorksInSafeMode::contains(&example), "{pallet}.{call} stops in a halt");
			}
		}
		// Users' own calls of the same pallets can be.
		for (pallet, call) in [
			("Identity", "set_identity"),
			("Bounties", "award_bounty"),
			("Treasury", "payout"),
			("PolkadotXcm", "transfer_assets"),
		] {
			assert!(!Unpausable::contains(&name(pallet, call)), "{pallet}.{call}");
		}
	});
}

#[test]
fn every_call_of_governance_works_in_safe_mode() {
	governed(|| {
		for (pallet, call, example) in access::calls() {
			let governance = [
				"Preimage",
				"Referenda",
				"ConvictionVoting",
				"Whitelist",
				"Dao",
				"Scheduler",
				"FellowshipCollective",
				"FellowshipCore",
				"FellowshipReferenda",
				"SafeMode",
				"TxPause",
			];
			if governance.contains(&pallet.as_str()) {
				assert!(WorksInSafeMode::contains(&example), "{pallet}.{call}");
			}
			if ["Balances", "Vesting"].contains(&pallet.as_str()) {
				assert!(!WorksInSafeMode::contains(&example), "{pallet}.{call}");
			}
		}
	});
}

/// Measures are counted by the relay chain's clock, and so is what they bring.
#[test]
fn a_halt_lasts_no_longer_where_blocks_are_slow() {
	governed(|| {
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		pass(SAFE_MODE_DURATION - 1);
		assert!(SafeMode::is_entered());
		pass(1);
		assert!(!SafeMode::is_entered());
		assert!(!is_stopped(&transfer()));
	});
}

#[test]
fn a_failed_migration_is_not_over_after_a_day() {
	use frame_support::migrations::FailedMigrationHandler;
	governed(|| {
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		phala_runtime::configs::EnterSafeModeAndResume::failed(Some(0));
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		pass(3 * SAFE_MODE_DURATION);
		assert!(SafeMode::is_entered());
	});
}

#[test]
fn blocks_go_on_in_a_halt() {
	governed(|| {
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		for _ in 0..3 {
			build(vec![]);
		}
		assert!(SafeMode::is_entered());
	});
}
