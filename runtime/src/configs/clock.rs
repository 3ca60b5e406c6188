//! The relay chain's height, by which agendas and deadlines count.

use crate::{BlockNumber, ParachainSystem, Runtime};
use cumulus_pallet_parachain_system::{
	LastRelayChainBlockNumber, OnSystemEvent, RelayChainStateProof, RelaychainDataProvider,
};
use cumulus_primitives_core::PersistedValidationData;
use frame_support::weights::Weight;
use pallet_scheduler::IncompleteSince;
use sp_runtime::traits::BlockNumberProvider;

/// The height at which the parent block was built: the same number from a block's first hook to its
/// last extrinsic.
///
/// The height of the present block is known only once its inherents are there, after the hooks have
/// run. A deadline that an extrinsic sets by it is always ahead of what the next block's hooks see: who
/// moves the deadline in every block keeps it from ever being due.
pub struct RelayClock;

impl RelayClock {
	/// Runs `act`, in a hook before the scheduler's, as if in the block before: what it schedules for the
	/// next block of the clock is due in this one.
	///
	/// Where the scheduler has done this height already (two blocks on one relay parent), nothing is due
	/// and the clock stays.
	pub fn one_earlier<R>(act: impl FnOnce() -> R) -> R {
		let height = ParachainSystem::last_relay_block_number();
		let served = IncompleteSince::<Runtime>::get().is_some_and(|since| since > height);
		if height == 0 || served {
			return act();
		}
		LastRelayChainBlockNumber::<Runtime>::put(height.saturating_sub(1));
		let result = act();
		LastRelayChainBlockNumber::<Runtime>::put(height);
		result
	}
}

impl BlockNumberProvider for RelayClock {
	type BlockNumber = BlockNumber;

	fn current_block_number() -> BlockNumber {
		match ParachainSystem::last_relay_block_number() {
			// The first block's parent has none.
			0 => RelaychainDataProvider::<Runtime>::current_block_number(),
			height => height,
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_block_number(height: BlockNumber) {
		LastRelayChainBlockNumber::<Runtime>::put(height);
	}
}

/// Lets the scheduler begin at the relay chain's height.
///
/// The hooks of the first block see height 0, and the scheduler would go through all agendas from there
/// to the real height, millions of them, before it came to one that is in use.
pub struct BeginAgendas;

impl OnSystemEvent for BeginAgendas {
	fn on_validation_data(_: &PersistedValidationData) {
		if ParachainSystem::last_relay_block_number() == 0 {
			IncompleteSince::<Runtime>::kill();
		}
	}

	fn on_validation_code_applied() {}

	fn on_relay_state_proof(_: &RelayChainStateProof) -> Weight {
		Weight::zero()
	}
}
