//! Attested workers.

use super::{RelayClock, StorageDeposit};
use crate::{
	AccountId, GatekeeperElection, GatekeeperKeys, Mining, ParachainInfo, Runtime,
	RuntimeHoldReason, StakePools, Timestamp,
	constants::attestation::{
		FRESHNESS_WINDOW, MIN_MILLIS_PER_BLOCK, REAPPRAISAL_PERIOD, WORKERS_SWEPT_PER_BLOCK,
	},
	weights,
};
use frame_support::{
	parameter_types,
	traits::{ConstBool, ConstU32, ConstU64, EitherOfDiverse, Get},
};
use frame_system::EnsureRoot;
use pallet_dao::origins;

parameter_types! {
	/// Why PHA is on hold for a worker's record.
	pub const WorkerRecordHoldReason: RuntimeHoldReason =
		RuntimeHoldReason::WorkerRegistry(pallet_worker_registry::HoldReason::WorkerRecord);
}

/// Root, or the track that judges platforms.
type TcbPolicyAdminOrRoot = EitherOfDiverse<EnsureRoot<AccountId>, origins::TcbPolicyAdmin>;

/// This parachain's id, as quotes bind it.
pub struct SelfParaId;

impl Get<u32> for SelfParaId {
	fn get() -> u32 {
		ParachainInfo::parachain_id().into()
	}
}

impl pallet_worker_registry::Config for Runtime {
	type Consideration = StorageDeposit<WorkerRecordHoldReason>;
	type Time = Timestamp;
	/// Measurements' activation and sunset count relay-chain blocks.
	type RelayChain = RelayClock;
	type OnAttestationChange = (Mining, StakePools, GatekeeperElection, GatekeeperKeys);
	type Obligations = (Mining, StakePools, GatekeeperKeys);
	type MeasurementOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::MeasurementAdmin>;
	type PolicyOrigin = TcbPolicyAdminOrRoot;
	type BanOrigin = TcbPolicyAdminOrRoot;
	type ParaId = SelfParaId;
	type AllowDevelopmentRoot = ConstBool<{ cfg!(feature = "development") }>;
	type FreshnessWindow = ConstU32<FRESHNESS_WINDOW>;
	type MinMillisPerBlock = ConstU64<MIN_MILLIS_PER_BLOCK>;
	type ReappraisalPeriod = ConstU64<REAPPRAISAL_PERIOD>;
	type SweepLimit = ConstU32<WORKERS_SWEPT_PER_BLOCK>;
	type WeightInfo = weights::pallet_worker_registry::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Clock;
}
