//! What is measured, and the helpers that set up the worst cases.

use crate::{
	configs::{
		Offender, RelayClock,
		xcm::{LocationToAccountId, PhaLocation, PriceForSiblingDelivery, XcmConfig},
	},
	constants::currency::{EXISTENTIAL_DEPOSIT, PHA},
	*,
};
use alloc::{boxed::Box, format, string::String, vec, vec::Vec};
use codec::Encode;
use cumulus_pallet_session_benchmarking::Pallet as SessionBench;
use cumulus_primitives_core::ParaId;
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkError, BenchmarkList};
use frame_support::{
	parameter_types,
	traits::{
		StorageInfo, StorageInfoTrait, WhitelistedStorageKeys,
		fungible::{Balanced, Mutate},
	},
	weights::Weight,
};
use frame_system_benchmarking::{
	Pallet as SystemBench, extensions::Pallet as SystemExtensionsBench,
};
use pallet_stake_pools::types::PoolId;
use pallet_xcm::benchmarking::Pallet as XcmCallsBench;
use phala_attestation::Role;
use phala_primitives::WorkerKey;
use polkadot_runtime_common::xcm_sender::ToParachainDeliveryHelper;
use sp_core::{H256, crypto::KeyTypeId};
use sp_runtime::traits::BlockNumberProvider;
use xcm::latest::prelude::{Assets as XcmAssets, *};

mod committee;
pub use committee::Committee;

type XcmFungible = pallet_xcm_benchmarks::fungible::Pallet<Runtime>;
type XcmGeneric = pallet_xcm_benchmarks::generic::Pallet<Runtime>;

frame_benchmarking::define_benchmarks!(
	[frame_system, SystemBench::<Runtime>]
	[frame_system_extensions, SystemExtensionsBench::<Runtime>]
	[cumulus_pallet_parachain_system, ParachainSystem]
	[cumulus_pallet_weight_reclaim, WeightReclaim]
	[cumulus_pallet_xcmp_queue, XcmpQueue]
	[pallet_balances, Balances]
	[pallet_child_bounties, ChildBounties]
	[pallet_collator_selection, CollatorSelection]
	[pallet_core_fellowship, FellowshipCore]
	[pallet_dao, Dao]
	[pallet_gatekeeper_election, GatekeeperElection]
	[pallet_gatekeeper_keys, GatekeeperKeys]
	[pallet_identity, Identity]
	[pallet_message_queue, MessageQueue]
	[pallet_migrations, MultiBlockMigrations]
	[pallet_mining, Mining]
	[pallet_multisig, Multisig]
	[pallet_parameters, Parameters]
	[pallet_preimage, Preimage]
	[pallet_proxy, Proxy]
	[pallet_referenda, Referenda]
	[pallet_scheduler, Scheduler]
	[pallet_session, SessionBench::<Runtime>]
	[pallet_slashing, Slashing]
	[pallet_stake_pools, StakePools]
	[pallet_timestamp, Timestamp]
	[pallet_transaction_payment, TransactionPayment]
	[pallet_treasury, Treasury]
	[pallet_utility, Utility]
	[pallet_vesting, Vesting]
	[pallet_whitelist, Whitelist]
	[pallet_worker_registry, WorkerRegistry]
	[pallet_xcm, XcmCallsBench::<Runtime>]
	[pallet_xcm_benchmarks::fungible, XcmFungible]
	[pallet_xcm_benchmarks::generic, XcmGeneric]
);

/// Lists the benchmarks and the storage that they may touch.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
	let mut list = Vec::new();
	list_benchmarks!(list, extra);
	(list, AllPalletsWithSystem::storage_info())
}

/// Runs the benchmarks that `config` asks for.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
	let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
	let mut batches = Vec::<BenchmarkBatch>::new();
	let params = (&config, &whitelist);
	add_benchmarks!(params, batches);
	Ok(batches)
}

/// A sibling that holds PHA here.
const SIBLING: u32 = 1_000;

fn pha(amount: Balance) -> Asset {
	Asset { id: AssetId(PhaLocation::get()), fun: Fungible(amount) }
}

fn sibling() -> Location {
	Location::new(1, [Parachain(SIBLING)])
}

parameter_types! {
	/// What a delivery benchmark endows its sender with.
	pub ExistentialDepositAsset: Option<Asset> = Some(pha(EXISTENTIAL_DEPOSIT));
	/// [`SIBLING`], as an id.
	pub const SiblingId: ParaId = ParaId::new(SIBLING);
	/// Nothing is teleported.
	pub const NoTeleporter: Option<(Location, Asset)> = None;
	/// Nobody is a reserve for us.
	pub const NoReserve: Option<(Location, Asset)> = None;
	/// Teleports are not checked, since there are none.
	pub const NoCheckedAccount: Option<(AccountId, xcm_builder::MintLocation)> = None;
}

type DeliveryHelper = ToParachainDeliveryHelper<
	XcmConfig,
	ExistentialDepositAsset,
	PriceForSiblingDelivery,
	SiblingId,
	ParachainSystem,
>;

impl frame_system_benchmarking::Config for Runtime {
	fn setup_set_code_requirements(code: &Vec<u8>) -> Result<(), BenchmarkError> {
		ParachainSystem::initialize_for_set_code_benchmark(code.len() as u32);
		Ok(())
	}

	fn verify_set_code() {
		System::assert_last_event(
			cumulus_pallet_parachain_system::Event::<Runtime>::ValidationFunctionStored.into(),
		);
	}
}

impl cumulus_pallet_session_benchmarking::Config for Runtime {
	fn generate_session_keys_and_proof(owner: AccountId) -> (SessionKeys, Vec<u8>) {
		let generated = SessionKeys::generate(&owner.encode(), None);
		(generated.keys, generated.proof.encode())
	}
}

/// Sets the clock.
pub struct Clock;

impl pallet_worker_registry::BenchmarkHelper for Clock {
	fn set_time(seconds: u64) {
		pallet_timestamp::Now::<Runtime>::put(seconds * 1_000);
	}

	/// Mining hears of changes: the worker gets a session, in an economy that began.
	fn engage(worker: &WorkerKey) {
		Self::engage_unbound(worker);
		let (number, genesis) = (System::block_number(), System::block_hash(0));
		let height = RelayClock::current_block_number();
		pallet_mining::benchmarking::begun::<Runtime>();
		let keeper = <Market as pallet_mining::BenchmarkHelper<PoolId>>::keeper();
		System::set_block_number(number);
		frame_system::BlockHash::<Runtime>::insert(0, genesis);
		RelayClock::set_block_number(height);
		<Mining as phala_primitives::Mining<PoolId>>::start(worker, keeper, 2_000 * PHA)
			.expect("it is attested and idle");
	}

	/// So do keys and pools: the worker asked for some, and is in a full one.
	fn engage_unbound(worker: &WorkerKey) {
		pallet_gatekeeper_keys::benchmarking::requests_of::<Runtime>(worker);
		pallet_stake_pools::benchmarking::attach::<Runtime>(worker);
	}
}

/// Workers with keys in the keystore, and pools that keep their stake.
pub struct Market;

impl Market {
	/// Who owns the pool of mining's benchmarks, and operates its workers.
	fn keeper() -> AccountId {
		frame_benchmarking::account("keeper", 0, 0)
	}

	/// Lets worker `n` be attested, on a platform of its own, with a score of 1,000.
	fn attest(n: u32, operator: &AccountId) -> WorkerKey {
		let seed = format!("//{n}").into_bytes();
		let worker = sp_io::crypto::sr25519_generate(KeyTypeId(*b"pwrk"), Some(seed));
		let platform = H256(sp_io::hashing::blake2_256(&n.encode()));
		let deposit = <Balances as Balanced<AccountId>>::issue(10 * PHA);
		let _ = <Balances as Balanced<AccountId>>::resolve(operator, deposit);
		pallet_worker_registry::benchmarking::attest::<Runtime>(
			worker,
			Role::Worker,
			operator,
			platform,
			1_000,
		);
		worker
	}
}

impl pallet_mining::BenchmarkHelper<PoolId> for Market {
	fn attest(n: u32) -> WorkerKey {
		Self::attest(n, &Self::keeper())
	}

	fn keeper() -> PoolId {
		let mut pools = pallet_stake_pools::Pools::<Runtime>::iter();
		match pools.find(|(_, pool)| pool.owner == Self::keeper()) {
			Some((id, _)) => id,
			None => pallet_stake_pools::benchmarking::keeper::<Runtime>(&Self::keeper(), 0),
		}
	}

	/// With an owner whose stake does not cover a loss, and a round to credit.
	fn stake(keeper: &PoolId, worker: &WorkerKey, stake: u128) {
		let operator = Self::keeper();
		pallet_stake_pools::benchmarking::set_aside::<Runtime>(*keeper, worker, &operator, stake);
		pallet_stake_pools::benchmarking::expose::<Runtime>(*keeper);
	}

	fn fill_pot(amount: u128) {
		<Balances as Mutate<_>>::set_balance(&Mining::pot(), amount);
	}
}

impl pallet_stake_pools::benchmarking::BenchmarkHelper<AccountId> for Market {
	fn worker(seed: u32, operator: &AccountId) -> WorkerKey {
		pallet_mining::benchmarking::begun::<Runtime>();
		Self::attest(seed, operator)
	}

	fn stake() -> u128 {
		2_000 * PHA
	}

	fn cool(worker: &WorkerKey) {
		pallet_mining::benchmarking::cool::<Runtime>(worker);
	}

	fn silence(workers: &[WorkerKey]) {
		pallet_mining::benchmarking::silence::<Runtime>(workers);
	}
}

impl pallet_slashing::benchmarking::BenchmarkHelper<Offender> for Market {
	fn offender(seed: u32) -> Offender {
		// The delegators of a pool are slashed lazily, those of a gatekeeper at once.
		Offender::Gatekeeper(pallet_gatekeeper_election::benchmarking::reelected::<Runtime>(seed))
	}

	fn later(seed: u32) {
		pallet_gatekeeper_election::benchmarking::an_era_later::<Runtime>(seed);
	}
}

impl pallet_transaction_payment::BenchmarkConfig for Runtime {}

impl pallet_xcm::benchmarking::Config for Runtime {
	type DeliveryHelper = DeliveryHelper;

	fn reachable_dest() -> Option<Location> {
		Some(sibling())
	}

	fn teleportable_asset_and_dest() -> Option<(Asset, Location)> {
		None
	}

	fn reserve_transferable_asset_and_dest() -> Option<(Asset, Location)> {
		Some((pha(10 * PHA), sibling()))
	}

	fn set_up_complex_asset_transfer() -> Option<(XcmAssets, u32, Location, Box<dyn FnOnce()>)> {
		let dest = sibling();
		let amount = 100 * PHA;
		let who = frame_benchmarking::whitelisted_caller();
		let balance = 10 * amount;
		<Balances as Mutate<_>>::set_balance(&who, balance);
		let verify = Box::new(move || {
			assert!(Balances::free_balance(&who) <= balance - amount);
		});
		Some((pha(amount).into(), 0, dest, verify))
	}

	fn get_asset() -> Asset {
		pha(EXISTENTIAL_DEPOSIT)
	}

	fn batch_call(calls: Vec<RuntimeCall>) -> Option<RuntimeCall> {
		Some(RuntimeCall::Utility(pallet_utility::Call::batch { calls }))
	}
}

impl pallet_xcm_benchmarks::Config for Runtime {
	type XcmConfig = XcmConfig;
	type AccountIdConverter = LocationToAccountId;
	type DeliveryHelper = DeliveryHelper;

	fn valid_destination() -> Result<Location, BenchmarkError> {
		Ok(sibling())
	}

	fn worst_case_holding(_depositable_count: u32) -> xcm_executor::AssetsInHolding {
		let mut holding = xcm_executor::AssetsInHolding::new();
		holding.fungible.insert(
			AssetId(PhaLocation::get()),
			Box::new(pallet_xcm_benchmarks::MockCredit(1_000_000 * PHA)),
		);
		holding
	}
}

impl pallet_xcm_benchmarks::fungible::Config for Runtime {
	type TransactAsset = Balances;
	type CheckedAccount = NoCheckedAccount;
	type TrustedTeleporter = NoTeleporter;
	type TrustedReserve = NoReserve;

	fn get_asset() -> Asset {
		pha(PHA)
	}
}

impl pallet_xcm_benchmarks::generic::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type TransactAsset = Balances;

	fn worst_case_response() -> (u64, Response) {
		(0, Response::Version(Default::default()))
	}

	fn worst_case_asset_exchange() -> Result<(XcmAssets, XcmAssets), BenchmarkError> {
		Err(BenchmarkError::Skip)
	}

	fn universal_alias() -> Result<(Location, Junction), BenchmarkError> {
		Err(BenchmarkError::Skip)
	}

	fn transact_origin_and_runtime_call() -> Result<(Location, RuntimeCall), BenchmarkError> {
		Ok((sibling(), frame_system::Call::remark_with_event { remark: vec![] }.into()))
	}

	fn subscribe_origin() -> Result<Location, BenchmarkError> {
		Ok(sibling())
	}

	fn claimable_asset() -> Result<(Location, Location, XcmAssets), BenchmarkError> {
		Ok((sibling(), Location::here(), pha(1_000 * PHA).into()))
	}

	fn worst_case_for_trader() -> Result<(Asset, WeightLimit), BenchmarkError> {
		Ok((pha(1_000_000 * PHA), WeightLimit::Limited(Weight::from_parts(5_000, 5_000))))
	}

	fn unlockable_asset() -> Result<(Location, Location, Asset), BenchmarkError> {
		Err(BenchmarkError::Skip)
	}

	fn export_message_origin_and_destination()
	-> Result<(Location, NetworkId, InteriorLocation), BenchmarkError> {
		Err(BenchmarkError::Skip)
	}

	fn alias_origin() -> Result<(Location, Location), BenchmarkError> {
		Ok(parachains_common::benchmarking::set_up_worst_case_authorized_alias::<Runtime>())
	}
}
