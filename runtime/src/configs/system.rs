//! The chain itself: blocks, weights, upgrades.

use super::gatekeepers::ClaimsOfMembers;
use crate::{
	AccountId, Balance, Block, BlockNumber, Hash, MultiBlockMigrations, Nonce, PalletInfo, Runtime,
	RuntimeCall, RuntimeEvent, RuntimeOrigin, RuntimeTask, SafeMode, TxPause, VERSION,
	constants::consensus::*, migrations, weights,
};
use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	migrations::{FailedMigrationHandler, FailedMigrationHandling},
	parameter_types,
	traits::{ConstU16, ConstU32, InsideBoth},
	weights::{
		Weight,
		constants::{BlockExecutionWeight, ExtrinsicBaseWeight, RocksDbWeight},
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;
use sp_version::RuntimeVersion;

parameter_types! {
	/// Version of the runtime.
	pub const Version: RuntimeVersion = VERSION;
	/// Blocks whose hashes stay on chain, as references for eras and attestations: about 6.8 hours.
	pub const BlockHashCount: BlockNumber = 4096;
	/// Length of a block, per class of extrinsic.
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(MAXIMUM_BLOCK_LENGTH)
		.modify_max_length_for_class(DispatchClass::Normal, |length| {
			*length = NORMAL_DISPATCH_RATIO * *length
		})
		.max_header_size(MAXIMUM_HEADER_SIZE)
		.build();
	/// Weight of a block, per class of extrinsic.
	pub RuntimeBlockWeights: BlockWeights = BlockWeights::builder()
		.base_block(BlockExecutionWeight::get())
		.for_class(DispatchClass::all(), |weights| {
			weights.base_extrinsic = ExtrinsicBaseWeight::get();
		})
		.for_class(DispatchClass::Normal, |weights| {
			weights.max_total = Some(NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_WEIGHT);
		})
		.for_class(DispatchClass::Operational, |weights| {
			weights.max_total = Some(MAXIMUM_BLOCK_WEIGHT);
			// Operational extrinsics fit into a block that users have filled.
			weights.reserved = Some(
				MAXIMUM_BLOCK_WEIGHT - NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_WEIGHT
			);
		})
		.avg_block_initialization(AVERAGE_ON_INITIALIZE_RATIO)
		.build_or_panic();
}

#[derive_impl(frame_system::config_preludes::ParaChainDefaultConfig)]
impl frame_system::Config for Runtime {
	type BaseCallFilter = InsideBoth<InsideBoth<SafeMode, TxPause>, ClaimsOfMembers>;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type Hash = Hash;
	type Block = Block;
	type BlockHashCount = BlockHashCount;
	type DbWeight = RocksDbWeight;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SystemWeightInfo = weights::frame_system::WeightInfo<Runtime>;
	type ExtensionsWeightInfo = weights::frame_system_extensions::WeightInfo<Runtime>;
	type SS58Prefix = ConstU16<30>;
	type OnSetCode = cumulus_pallet_parachain_system::ParachainSetCode<Self>;
	type MaxConsumers = ConstU32<64>;
	type MultiBlockMigrator = MultiBlockMigrations;
	type SingleBlockMigrations = migrations::SingleBlock;
}

impl cumulus_pallet_weight_reclaim::Config for Runtime {
	type WeightInfo = weights::cumulus_pallet_weight_reclaim::WeightInfo<Runtime>;
}

parameter_types! {
	/// What multi-block migrations may use of a block.
	pub MigrationsWeight: Weight = Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
}

/// After a failed migration only governance and what keeps the chain alive may go on, until Root has
/// repaired the state and left safe mode. Freezing instead would leave nobody able to repair it: the
/// chain governs itself.
pub struct EnterSafeModeAndResume;

impl FailedMigrationHandler for EnterSafeModeAndResume {
	fn failed(_migration: Option<u32>) -> FailedMigrationHandling {
		// Not a halt that is over after a day.
		pallet_dao::HaltedUntil::<Runtime>::kill();
		let halted = if SafeMode::is_entered() {
			<SafeMode as frame_support::traits::SafeMode>::extend(BlockNumber::MAX)
		} else {
			<SafeMode as frame_support::traits::SafeMode>::enter(BlockNumber::MAX)
		};
		match halted {
			Ok(()) => FailedMigrationHandling::ForceUnstuck,
			Err(_) => FailedMigrationHandling::KeepStuck,
		}
	}
}

impl pallet_migrations::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	#[cfg(not(feature = "runtime-benchmarks"))]
	type Migrations = ();
	#[cfg(feature = "runtime-benchmarks")]
	type Migrations = pallet_migrations::mock_helpers::MockedMigrations;
	type CursorMaxLen = ConstU32<65_536>;
	type IdentifierMaxLen = ConstU32<256>;
	type MigrationStatusHandler = ();
	type FailedMigrationHandler = EnterSafeModeAndResume;
	type MaxServiceWeight = MigrationsWeight;
	type WeightInfo = weights::pallet_migrations::WeightInfo<Runtime>;
}
