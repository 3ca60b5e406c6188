//! Calls that run later, by the relay chain's height.

use crate::chain::{block, run};
use frame_support::{assert_ok, traits::Hooks};
use phala_runtime::{configs::RelayClock, *};
use sp_runtime::traits::BlockNumberProvider;

const KEY: &[u8] = b"written by a scheduled call";

fn schedule_at(height: BlockNumber) {
	let items = vec![(KEY.to_vec(), vec![1])];
	let call = frame_system::Call::set_storage { items }.into();
	assert_ok!(Scheduler::schedule(RuntimeOrigin::root(), height, None, 0, Box::new(call)));
}

fn has_run() -> bool {
	sp_io::storage::get(KEY).is_some()
}

#[test]
fn a_call_runs_at_its_height_on_a_chain_that_has_just_begun() {
	run(|| {
		block(vec![]);
		let now = RelayClock::current_block_number();
		schedule_at(now + 2);
		for _ in 0..2 {
			block(vec![]);
			assert!(!has_run(), "at height {} it is early", RelayClock::current_block_number());
		}
		block(vec![]);
		assert!(has_run());
	});
}

#[test]
fn heights_that_the_relay_chain_skipped_are_made_up_for() {
	run(|| {
		block(vec![]);
		block(vec![]);
		let now = RelayClock::current_block_number();
		schedule_at(now + 1);
		// As if the parachain had stood still for an hour.
		cumulus_pallet_parachain_system::LastRelayChainBlockNumber::<Runtime>::put(now + 600);
		Scheduler::on_initialize(System::block_number() + 1);
		assert!(has_run());
	});
}
