//! Gatekeepers: elected with `pallet-staking`, they hold the network's keys.

use super::{Offender, RelayClock, RuntimeBlockWeights, SelfParaId, ToTreasury};
use crate::{
	AccountId, Balance, Balances, CollatorSelection, GatekeeperElection, GatekeeperKeys, Mining,
	Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason, Slashing, Staking, Timestamp, VoterList,
	WorkerRegistry,
	constants::{accounts::GATEKEEPER_ESCROW, gatekeepers::*},
	weights,
};
use frame_election_provider_support::{
	SequentialPhragmen, VoteWeight,
	bounds::{ElectionBounds, ElectionBoundsBuilder},
	onchain::{self, OnChainExecution},
};
use frame_support::{
	PalletId, parameter_types,
	traits::{ConstBool, ConstU8, ConstU32, ConstU64, ConstU128, Contains, EitherOfDiverse},
	weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_dao::origins;
use pallet_gatekeeper_election::{
	guard::Guarded, rewards::SettleRewards, sessions::Sessions, voters::VotingBonds,
};
use pallet_slashing::ReportsFrom;
use pallet_staking::{ErasStakersOverview, FixedNominationsQuota, UseValidatorsMap};
use phala_primitives::{
	AttestedWorkers, Authority, ClusterAccess, ClusterId, OpenCases, WorkerKey, operator_cluster,
};
use sp_runtime::{Perbill, Perquintill, traits::Convert};
use sp_staking::currency_to_vote::U128CurrencyToVote;

/// Collators are chosen as ever; at the end of their sessions staking may go on by one of its own.
pub type SessionManager = Sessions<Runtime, CollatorSelection>;

/// The election on chain.
pub struct OnChain;

impl onchain::Config for OnChain {
	type Sort = ConstBool<true>;
	type System = Runtime;
	type Solver = SequentialPhragmen<AccountId, Perbill>;
	type MaxBackersPerWinner = ConstU32<MAX_BACKERS>;
	type MaxWinnersPerPage = ConstU32<MAX_SEATS>;
	type DataProvider = Staking;
	type WeightInfo = weights::frame_election_provider_support::WeightInfo<Runtime>;
	type Bounds = SolverBounds;
}

parameter_types! {
	/// Voters and targets that the solver is given are bounded by the election itself.
	pub SolverBounds: ElectionBounds = ElectionBoundsBuilder::default()
		.voters_count((MAX_VOTERS + MAX_CANDIDATES).into())
		.targets_count(MAX_CANDIDATES.into())
		.build();
	/// Bags of voters, by what they have bonded.
	pub const BagThresholds: &'static [VoteWeight] = &BAGS;
	/// Rewards that nobody claimed yet.
	pub const EscrowId: PalletId = GATEKEEPER_ESCROW;
	/// What a year earns of the stake behind those in office.
	pub const RewardRate: Perquintill = Perquintill::from_percent(REWARD_PERCENT);
	/// The keys' pallet, to the ledger.
	pub const ByKeys: Authority = Authority::Keys;
	/// What the keys' hook may use of a block.
	pub KeysServiceWeight: Weight =
		Perbill::from_percent(5) * RuntimeBlockWeights::get().max_block;
}

/// Sizes for the benchmarks of staking.
pub struct StakingBenchmarks;

impl pallet_staking::BenchmarkingConfig for StakingBenchmarks {
	type MaxValidators = ConstU32<MAX_CANDIDATES>;
	type MaxNominators = ConstU32<MAX_VOTERS>;
}

impl pallet_staking::Config for Runtime {
	type OldCurrency = Balances;
	type Currency = Guarded<Runtime>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type CurrencyBalance = Balance;
	type UnixTime = Timestamp;
	type CurrencyToVote = U128CurrencyToVote;
	type ElectionProvider = GatekeeperElection;
	type GenesisElectionProvider = GatekeeperElection;
	type NominationsQuota = FixedNominationsQuota<MAX_NOMINATIONS>;
	type HistoryDepth = ConstU32<HISTORY_DEPTH>;
	/// Nothing remains: an era is paid what it escrowed.
	type RewardRemainder = ();
	type RuntimeEvent = RuntimeEvent;
	type Slash = ToTreasury;
	type Reward = SettleRewards<Runtime>;
	type SessionsPerEra = ConstU32<SESSIONS_PER_ERA>;
	type BondingDuration = ConstU32<BONDING_DURATION>;
	/// Only the ledger of offences defers.
	type SlashDeferDuration = ConstU32<0>;
	/// It could slash past the ledger of offences, and rewrite bonds: no less than Root.
	type AdminOrigin = EnsureRoot<AccountId>;
	type SessionInterface = GatekeeperElection;
	type EraPayout = GatekeeperElection;
	type NextNewSession = ();
	type MaxExposurePageSize = ConstU32<MAX_BACKERS>;
	type MaxValidatorSet = ConstU32<MAX_SEATS>;
	type VoterList = VoterList;
	type TargetList = UseValidatorsMap<Runtime>;
	type MaxUnlockingChunks = ConstU32<16>;
	type MaxControllersInDeprecationBatch = ConstU32<10>;
	type EventListeners = ();
	type Filter = frame_support::traits::Nothing;
	type BenchmarkingConfig = StakingBenchmarks;
	type WeightInfo = super::staking_weights::WeightInfo<Runtime>;
}

impl pallet_bags_list::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = weights::pallet_bags_list::WeightInfo<Runtime>;
	type ScoreProvider = VotingBonds<Runtime>;
	type BagThresholds = BagThresholds;
	type MaxAutoRebagPerBlock = ConstU32<4>;
	type Score = VoteWeight;
}

/// Lets only who had a seat in an era be paid for it. Staking would note any other claim as made, without a deposit,
/// and forgets all claims of an era in one block.
pub struct ClaimsOfMembers;

impl Contains<RuntimeCall> for ClaimsOfMembers {
	fn contains(call: &RuntimeCall) -> bool {
		use pallet_staking::Call::{payout_stakers, payout_stakers_by_page};
		match call {
			RuntimeCall::Staking(
				payout_stakers { validator_stash, era }
				| payout_stakers_by_page { validator_stash, era, .. },
			) => ErasStakersOverview::<Runtime>::contains_key(era, validator_stash),
			_ => true,
		}
	}
}

/// The ledger of offences, about gatekeepers.
pub struct Cases;

impl OpenCases<AccountId> for Cases {
	fn has_open_case(who: &AccountId) -> bool {
		Slashing::has_open_case(&Offender::Gatekeeper(who.clone()))
	}
}

impl pallet_gatekeeper_election::Config for Runtime {
	type Asset = Balances;
	type Solver = OnChainExecution<OnChain>;
	type Workers = WorkerRegistry;
	type Gatekeepers = GatekeeperKeys;
	type Cases = Cases;
	type Reserve = Mining;
	type EscrowId = EscrowId;
	type MinSeats = ConstU32<{ MIN_SEATS as u32 }>;
	type MaxCandidates = ConstU32<MAX_CANDIDATES>;
	type MaxVoters = ConstU32<MAX_VOTERS>;
	type RewardRate = RewardRate;
	type YearlyReward = ConstU128<YEARLY_REWARD>;
	type MaxEraMillis = ConstU64<MAX_ERA_MILLIS>;
	type EvictionGrace = ConstU64<EVICTION_GRACE>;
	type WeightInfo = weights::pallet_gatekeeper_election::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Committee;
}

/// A gatekeeper's stake, as the ledger of offences knows it.
pub struct AsOffender;

impl Convert<AccountId, Offender> for AsOffender {
	fn convert(who: AccountId) -> Offender {
		Offender::Gatekeeper(who)
	}
}

/// Clusters of those who trust each other already: the workers of one operator share keys, under an id
/// that is a hash of its account.
pub struct OperatorClusters;

impl ClusterAccess for OperatorClusters {
	fn is_member(cluster: &ClusterId, worker: &WorkerKey) -> bool {
		let attested = <WorkerRegistry as AttestedWorkers<_>>::attested(worker);
		attested.is_some_and(|one| operator_cluster(&one.operator) == *cluster)
	}
}

impl pallet_gatekeeper_keys::Config for Runtime {
	type Workers = WorkerRegistry;
	type Access = OperatorClusters;
	type GatekeeperSet = GatekeeperElection;
	type Offender = Offender;
	type OffenderOf = AsOffender;
	type Offences = ReportsFrom<Runtime, ByKeys>;
	type BlockNumberProvider = RelayClock;
	type AdminOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::GatekeeperAdmin>;
	type ParaId = SelfParaId;
	type MinSeats = ConstU8<MIN_SEATS>;
	type CommitPeriod = ConstU32<COMMIT_PERIOD>;
	type SharePeriod = ConstU32<SHARE_PERIOD>;
	type ComplainPeriod = ConstU32<COMPLAIN_PERIOD>;
	type KeepPeriod = ConstU32<KEEP_PERIOD>;
	type RetryDelay = ConstU32<RETRY_DELAY>;
	type MaxAttempts = ConstU8<3>;
	type RefreshPeriod = ConstU32<REFRESH_PERIOD>;
	type RetirementPeriod = ConstU32<RETIREMENT_PERIOD>;
	type ReshareGrace = ConstU64<RESHARE_GRACE>;
	type RequestPeriod = ConstU32<REQUEST_PERIOD>;
	type MaxRequests = ConstU32<1_024>;
	type MaxRequestsPerWorker = ConstU32<4>;
	type MaxReplacedPerWorker = ConstU32<4>;
	type AbsencePeriod = ConstU32<ABSENCE_PERIOD>;
	type StallAfter = ConstU32<10>;
	type ServiceWeight = KeysServiceWeight;
	type WeightInfo = weights::pallet_gatekeeper_keys::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Committee;
}
