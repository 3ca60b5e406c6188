//! Halts: what they stop, what they leave alone, and how they end.

use crate::chain::{account, block, run, signed};
use frame_support::assert_ok;
use phala_runtime::{
	configs::EnterSafeModeAndResume,
	constants::{currency::PHA, time::SAFE_MODE_DURATION},
	*,
};
use sp_runtime::traits::Dispatchable;

fn transfer() -> RuntimeCall {
	pallet_balances::Call::transfer_keep_alive { dest: account("bob").into(), value: PHA }.into()
}

fn remark() -> RuntimeCall {
	frame_system::Call::remark { remark: b"still here".to_vec() }.into()
}

#[test]
fn safe_mode_stops_transfers_and_not_the_chain() {
	run(|| {
		block(vec![]);
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		let results = block(vec![signed("alice", transfer()), signed("bob", remark())]);
		assert_eq!(results[0], Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into())));
		assert_eq!(results[1], Ok(Ok(())));
	});
}

#[test]
fn safe_mode_filters_inside_wrappers() {
	run(|| {
		block(vec![]);
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		let before = Balances::free_balance(account("bob"));
		let batch = pallet_utility::Call::batch_all { calls: vec![transfer()] };
		let results = block(vec![signed("alice", batch)]);
		assert_eq!(results[0], Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into())));
		assert_eq!(Balances::free_balance(account("bob")), before);
	});
}

#[test]
fn safe_mode_ends_by_itself() {
	run(|| {
		block(vec![]);
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		let until = pallet_safe_mode::EnteredUntil::<Runtime>::get().expect("it was entered");
		assert_eq!(until, System::block_number() + SAFE_MODE_DURATION);
		System::set_block_number(until + 1);
		<SafeMode as frame_support::traits::OnInitialize<_>>::on_initialize(until + 1);
		assert!(!SafeMode::is_entered());
		assert_ok!(transfer().dispatch(RuntimeOrigin::signed(account("alice"))));
	});
}

#[test]
fn nobody_can_buy_a_halt() {
	run(|| {
		for call in [
			pallet_safe_mode::Call::enter {},
			pallet_safe_mode::Call::extend {},
			pallet_safe_mode::Call::force_enter {},
			pallet_safe_mode::Call::force_extend {},
			pallet_safe_mode::Call::force_exit {},
		] {
			let origin = RuntimeOrigin::signed(account("alice"));
			assert!(RuntimeCall::from(call).dispatch(origin).is_err());
		}
		assert!(!SafeMode::is_entered());
	});
}

#[test]
fn a_failed_migration_leaves_the_chain_governed() {
	use frame_support::migrations::{FailedMigrationHandler, FailedMigrationHandling};
	run(|| {
		block(vec![]);
		let handling = EnterSafeModeAndResume::failed(Some(0));
		assert!(matches!(handling, FailedMigrationHandling::ForceUnstuck));
		let results = block(vec![signed("alice", transfer()), signed("bob", remark())]);
		assert_eq!(results[0], Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into())));
		assert_eq!(results[1], Ok(Ok(())));
		// A second failure finds it entered.
		let handling = EnterSafeModeAndResume::failed(None);
		assert!(matches!(handling, FailedMigrationHandling::ForceUnstuck));
		assert_ok!(SafeMode::force_exit(RuntimeOrigin::root()));
		assert!(!SafeMode::is_entered());
	});
}
