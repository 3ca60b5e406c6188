//! The market of compute: mining, the pools that keep its stake, and the ledger of offences.

use super::{RelayClock, RuntimeBlockWeights, SelfParaId, ToTreasury};
use crate::{
	AccountId, Balances, GatekeeperElection, Mining, RelayRandomness, Runtime, RuntimeHoldReason,
	Slashing, StakePools, Timestamp, WorkerRegistry,
	constants::{
		accounts::{MINING_RESERVE, POOLS_POT, SUBSIDY_POT},
		currency::PHA,
		governance::{COOL_DOWN, GRACE_PERIOD},
		market::*,
	},
	weights,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	PalletId, parameter_types,
	traits::{ConstBool, ConstU32, ConstU128, EitherOfDiverse, fungible::Credit},
	weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_dao::origins;
use pallet_mining::{Authorship, RelayRandomness as Randomness};
use pallet_slashing::ReportsFrom;
use pallet_stake_pools::types::{PoolId, TrancheId};
use phala_primitives::{Authority, OffenceClass, Slashable, Slashed, WorkerKey};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{DispatchError, Perbill};

/// Root, or the track that changes economic parameters.
type TokenomicsAdminOrRoot = EitherOfDiverse<EnsureRoot<AccountId>, origins::TokenomicsAdmin>;

impl pallet_relay_randomness::Config for Runtime {
	/// The relay chain of a development node is made up and draws nothing.
	type AllowEpoch = ConstBool<{ cfg!(feature = "development") }>;
}

/// What stake answers for. The indices are part of stored offences and never change.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Offender {
	/// A worker; the stake behind it is in a pool.
	#[codec(index = 0)]
	Worker(WorkerKey),
	/// A gatekeeper's stash, with its bond and those of its nominators.
	#[codec(index = 1)]
	Gatekeeper(AccountId),
}

impl From<WorkerKey> for Offender {
	fn from(worker: WorkerKey) -> Self {
		Self::Worker(worker)
	}
}

/// A suspected loss, by who keeps the stake. The indices are part of stored offences and never change.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Tranche {
	/// Of a pool.
	#[codec(index = 0)]
	Pool(TrancheId),
	/// Of a gatekeeper and its nominators.
	#[codec(index = 1)]
	Gatekeeper(pallet_gatekeeper_election::types::TrancheId),
}

/// All stake that answers for offences.
pub struct Stakes;

impl Slashable<Offender> for Stakes {
	type AccountId = AccountId;
	type Credit = Credit<AccountId, Balances>;
	type Tranche = Tranche;

	fn liable(offender: &Offender) -> Option<AccountId> {
		match offender {
			Offender::Worker(worker) => StakePools::liable(worker),
			Offender::Gatekeeper(stash) => GatekeeperElection::liable(stash),
		}
	}

	fn could_offend(offender: &Offender, committed: u32) -> bool {
		match offender {
			Offender::Worker(worker) => StakePools::could_offend(worker, committed),
			Offender::Gatekeeper(stash) => GatekeeperElection::could_offend(stash, committed),
		}
	}

	fn stake(offender: &Offender) -> u128 {
		match offender {
			Offender::Worker(worker) => StakePools::stake(worker),
			Offender::Gatekeeper(stash) => GatekeeperElection::stake(stash),
		}
	}

	fn total_stake(class: OffenceClass) -> u128 {
		match class {
			OffenceClass::Outage | OffenceClass::LeaseBreach => StakePools::total_stake(class),
			OffenceClass::KeyCeremony | OffenceClass::Absence => {
				GatekeeperElection::total_stake(class)
			}
			OffenceClass::Equivocation | OffenceClass::FalseReport | OffenceClass::Compromise => {
				StakePools::total_stake(class)
					.saturating_add(GatekeeperElection::total_stake(class))
			}
		}
	}

	fn suspect(offender: &Offender, amount: u128) -> Result<Tranche, DispatchError> {
		match offender {
			Offender::Worker(worker) => StakePools::suspect(worker, amount).map(Tranche::Pool),
			Offender::Gatekeeper(stash) => {
				GatekeeperElection::suspect(stash, amount).map(Tranche::Gatekeeper)
			}
		}
	}

	fn stake_behind(offender: &Offender, first: &Tranche) -> u128 {
		match (offender, first) {
			(Offender::Worker(worker), Tranche::Pool(first)) => {
				StakePools::stake_behind(worker, first)
			}
			(Offender::Gatekeeper(stash), Tranche::Gatekeeper(first)) => {
				GatekeeperElection::stake_behind(stash, first)
			}
			_ => Self::stake(offender),
		}
	}

	fn suspect_more(
		offender: &Offender,
		first: &Tranche,
		amount: u128,
	) -> Result<Tranche, DispatchError> {
		match (offender, first) {
			(Offender::Worker(worker), Tranche::Pool(first)) => {
				StakePools::suspect_more(worker, first, amount).map(Tranche::Pool)
			}
			(Offender::Gatekeeper(stash), Tranche::Gatekeeper(first)) => {
				GatekeeperElection::suspect_more(stash, first, amount).map(Tranche::Gatekeeper)
			}
			_ => Self::suspect(offender, amount),
		}
	}

	fn suspected(tranche: &Tranche) -> u128 {
		match tranche {
			Tranche::Pool(tranche) => StakePools::suspected(tranche),
			Tranche::Gatekeeper(tranche) => GatekeeperElection::suspected(tranche),
		}
	}

	fn apply(tranche: &Tranche, amount: u128) -> Slashed<Self::Credit> {
		match tranche {
			Tranche::Pool(tranche) => StakePools::apply(tranche, amount),
			Tranche::Gatekeeper(tranche) => GatekeeperElection::apply(tranche, amount),
		}
	}

	fn restore(tranche: &Tranche, amount: u128) {
		match tranche {
			Tranche::Pool(tranche) => StakePools::restore(tranche, amount),
			Tranche::Gatekeeper(tranche) => GatekeeperElection::restore(tranche, amount),
		}
	}
}

parameter_types! {
	/// What the ledger's hook may use of a block.
	pub SlashingServiceWeight: Weight =
		Perbill::from_percent(10) * RuntimeBlockWeights::get().max_block;
	/// What mining's hook may use of a block.
	pub MiningServiceWeight: Weight =
		Perbill::from_percent(25) * RuntimeBlockWeights::get().max_block;
	/// The subsidy pot, out of which mining is paid.
	pub const SubsidyPot: PalletId = SUBSIDY_POT;
	/// What the schedule of the budget never spends.
	pub const MiningReserve: PalletId = MINING_RESERVE;
	/// Rewards of pools that were not claimed.
	pub const PoolsPot: PalletId = POOLS_POT;
	/// Least part of a pool's stake that is its owner's.
	pub const OwnerShare: Perbill = Perbill::from_percent(5);
	/// Mining, to the ledger.
	pub const ByMining: Authority = Authority::Mining;
}

impl pallet_slashing::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Offender = Offender;
	type Tranche = Tranche;
	type Slashable = Stakes;
	type OnSlash = ToTreasury;
	type BlockNumberProvider = RelayClock;
	type AdminOrigin = TokenomicsAdminOrRoot;
	type CancelOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::SlashCanceller>;
	/// Those who can read the evidence judge; holders, who vote on the canceller's track, can overrule
	/// them.
	type JudgeOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::Fellows>;
	type EraLength = ConstU32<SLASHING_ERA>;
	type EvidenceWindow = ConstU32<EVIDENCE_WINDOW>;
	type Retention = ConstU32<OFFENCE_RETENTION>;
	type ChangeInterval = ConstU32<CHANGE_INTERVAL>;
	type Unit = ConstU128<PHA>;
	type MaxAccusations = ConstU32<MAX_ACCUSATIONS>;
	type StallAfter = ConstU32<STALL_AFTER>;
	type ServiceWeight = SlashingServiceWeight;
	type WeightInfo = weights::pallet_slashing::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Market;
}

/// What the relay chain drew in the block that the present one builds on.
pub struct RelayDraw;

impl Randomness for RelayDraw {
	fn current() -> Option<H256> {
		RelayRandomness::current()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set(randomness: H256) {
		pallet_relay_randomness::Randomness::<Runtime>::put(randomness);
	}
}

/// Collators.
pub struct Collators;

impl Authorship<AccountId> for Collators {
	fn author() -> Option<AccountId> {
		crate::Authorship::author()
	}

	fn authors() -> u32 {
		let count = pallet_aura::Authorities::<Runtime>::decode_len();
		count.map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX))
	}
}

impl pallet_mining::Config for Runtime {
	type Currency = Balances;
	type Keeper = PoolId;
	type StakeKeeper = StakePools;
	type Offender = Offender;
	type Offences = ReportsFrom<Runtime, ByMining>;
	type Cases = Slashing;
	type Workers = WorkerRegistry;
	/// Nobody does before there is compute to pay for.
	type Serving = ();
	type Randomness = RelayDraw;
	type Authors = Collators;
	/// Neither a halt nor a pause reaches heartbeats.
	type Admission = ConstBool<true>;
	type Time = Timestamp;
	type BlockNumberProvider = RelayClock;
	type Treasury = ToTreasury;
	type AdminOrigin = TokenomicsAdminOrRoot;
	type ReserveOrigin = EnsureRoot<AccountId>;
	type PotId = SubsidyPot;
	type ReserveId = MiningReserve;
	type ParaId = SelfParaId;
	type InitialReserve = ConstU128<INITIAL_RESERVE>;
	type ReserveYearly = ConstU128<RESERVE_YEARLY>;
	type MaxDraws = ConstU32<MAX_DRAWS>;
	type AnswerWindow = ConstU32<ANSWER_WINDOW>;
	type AnswerBlocks = ConstU32<ANSWER_BLOCKS>;
	type MaxSilence = ConstU32<MAX_SILENCE>;
	type CoolDown = ConstU32<COOL_DOWN>;
	type LongestDeferral = ConstU32<DEFERRAL>;
	type ChangeInterval = ConstU32<CHANGE_INTERVAL>;
	type MaxPlatformValue = ConstU32<MAX_PLATFORM_VALUE>;
	type ServiceWeight = MiningServiceWeight;
	type WeightInfo = weights::pallet_mining::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Market;
}

impl pallet_stake_pools::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Mining = Mining;
	type Workers = WorkerRegistry;
	type OnSlash = ToTreasury;
	type BlockNumberProvider = RelayClock;
	type PalletId = PoolsPot;
	type RoundLength = ConstU32<ROUND>;
	type GracePeriod = ConstU32<GRACE_PERIOD>;
	type OwnerShare = OwnerShare;
	type MinOwnerStake = ConstU128<PHA>;
	type MinContribution = ConstU128<PHA>;
	type MaxWorkers = ConstU32<MAX_POOL_WORKERS>;
	type MaxWhitelist = ConstU32<100>;
	type MaxDescription = ConstU32<256>;
	type WeightInfo = weights::pallet_stake_pools::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Market;
}
