//! Halts and pauses: bounded, and over by themselves.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{
	DispatchResult,
	traits::{BadOrigin, Dispatchable},
};

fn halt() -> DispatchResult {
	Dao::halt(Origin::EmergencyHalt.into())
}

fn pause(calls: &[(&str, &str)]) -> DispatchResult {
	let names: Vec<_> = calls.iter().map(|(pallet, call)| name(pallet, call)).collect();
	Dao::pause(Origin::EmergencyHalt.into(), names.try_into().expect("few"))
}

fn transfer() -> RuntimeCall {
	pallet_balances::Call::transfer_allow_death { dest: 2, value: 1 }.into()
}

fn is_refused(call: RuntimeCall) -> bool {
	call.dispatch(RuntimeOrigin::signed(1)).map_err(|error| error.error)
		== Err(frame_system::Error::<Test>::CallFiltered.into())
}

const TRANSFER: (&str, &str) = ("Balances", "transfer_allow_death");

mod halt {
	use super::*;

	#[test]
	fn works_and_ends_by_itself() {
		build_and_execute(|| {
			assert_ok!(halt());
			System::assert_last_event(Event::<Test>::Halted { blocks: 10 }.into());
			assert!(is_refused(transfer()));
			run_to(10);
			assert!(SafeMode::is_entered());
			run_to(11);
			assert!(!SafeMode::is_entered() && !is_refused(transfer()));
			assert_eq!(HaltedUntil::<Test>::get(), None);
		});
	}

	#[test]
	fn after_an_early_end_is_as_long_as_any() {
		build_and_execute(|| {
			assert_ok!(halt());
			assert_ok!(halt());
			assert_ok!(SafeMode::force_exit(Origin::EmergencyHalt.into()));
			run_to(5);
			assert_ok!(halt());
			assert_eq!(HaltedUntil::<Test>::get(), Some(15));
			run_to(15);
			assert!(!SafeMode::is_entered());
		});
	}

	#[test]
	fn does_not_end_what_others_entered() {
		build_and_execute(|| {
			assert!(<SafeMode as frame_support::traits::SafeMode>::enter(50).is_ok());
			assert_ok!(halt());
			assert_eq!(HaltedUntil::<Test>::get(), None);
			run_to(40);
			assert!(<SafeMode as frame_support::traits::SafeMode>::is_entered());
		});
	}

	#[test]
	fn is_prolonged_as_often_as_measures_last() {
		build_and_execute(|| {
			for left in [2, 1, 0] {
				assert_ok!(halt());
				assert_eq!(Dao::measures_left(), left);
			}
			assert_noop!(halt(), Error::<Test>::TooManyMeasures);
			run_to(32);
			assert!(!SafeMode::is_entered(), "three times ten blocks");
			assert_noop!(halt(), Error::<Test>::TooManyMeasures);
			run_to(101);
			assert_eq!(Dao::measures_left(), 3);
			assert_ok!(halt());
		});
	}

	#[test]
	fn fails_for_other_origins() {
		build_and_execute(|| {
			for origin in [
				RuntimeOrigin::root(),
				RuntimeOrigin::signed(1),
				Origin::GeneralAdmin.into(),
				Origin::GuardRail.into(),
			] {
				assert_noop!(Dao::halt(origin.clone()), BadOrigin);
				assert_noop!(SafeMode::force_enter(origin.clone()), BadOrigin);
				assert_noop!(SafeMode::force_extend(origin), BadOrigin);
			}
		});
	}
}

mod pause {
	use super::*;

	#[test]
	fn works_and_ends_by_itself() {
		build_and_execute(|| {
			assert_ok!(pause(&[TRANSFER, ("Balances", "burn")]));
			assert!(is_refused(transfer()));
			assert_eq!(Dao::measures_left(), 2, "one measure for both");
			run_to(20);
			assert!(is_refused(transfer()));
			run_to(21);
			assert!(!is_refused(transfer()));
			assert_eq!(pallet_tx_pause::PausedCalls::<Test>::iter().count(), 0);
		});
	}

	#[test]
	fn is_prolonged() {
		build_and_execute(|| {
			assert_ok!(pause(&[TRANSFER]));
			run_to(5);
			assert_ok!(pause(&[TRANSFER]));
			let call = name(TRANSFER.0, TRANSFER.1);
			System::assert_last_event(Event::<Test>::CallPaused { call, until: 41 }.into());
			run_to(40);
			assert!(is_refused(transfer()));
			run_to(41);
			assert!(!is_refused(transfer()));
		});
	}

	#[test]
	fn after_an_early_end_is_as_good_as_new() {
		build_and_execute(|| {
			assert_ok!(pause(&[TRANSFER]));
			let call = name(TRANSFER.0, TRANSFER.1);
			assert_ok!(TxPause::unpause(Origin::GuardRail.into(), call));
			assert!(!is_refused(transfer()));
			assert_ok!(pause(&[TRANSFER]));
			assert!(is_refused(transfer()));
			run_to(41);
			assert!(!is_refused(transfer()));
		});
	}

	#[test]
	fn errors_correctly_and_changes_nothing() {
		build_and_execute(|| {
			assert_noop!(pause(&[]), Error::<Test>::NothingToPause);
			assert_noop!(pause(&[TRANSFER, ("System", "remark")]), Error::<Test>::Unpausable);
			assert_noop!(pause(&[TRANSFER, ("Balances", "mint")]), Error::<Test>::UnknownCall);
			// The pallet that pauses can never be paused.
			assert_noop!(pause(&[("TxPause", "unpause")]), Error::<Test>::Unpausable);
			// Else one measure would pause it for twice as long.
			assert_noop!(
				pause(&[TRANSFER, ("Balances", "burn"), TRANSFER]),
				Error::<Test>::DuplicateCall
			);
			assert_eq!(Dao::measures_left(), 3);
			for _ in 0..3 {
				assert_ok!(pause(&[TRANSFER]));
			}
			assert_noop!(pause(&[TRANSFER]), Error::<Test>::TooManyMeasures);
			assert_noop!(halt(), Error::<Test>::TooManyMeasures);
		});
	}

	#[test]
	fn fails_for_other_origins() {
		build_and_execute(|| {
			for origin in
				[RuntimeOrigin::root(), RuntimeOrigin::signed(1), Origin::GuardRail.into()]
			{
				let calls = vec![name(TRANSFER.0, TRANSFER.1)].try_into().expect("one");
				assert_noop!(Dao::pause(origin.clone(), calls), BadOrigin);
				let call = name(TRANSFER.0, TRANSFER.1);
				assert_noop!(TxPause::pause(origin, call), BadOrigin);
			}
		});
	}
}
