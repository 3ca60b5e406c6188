//! A runtime with pools, real balances, the real ledger of offences, and a mining pallet that starts,
//! pays, loses and ends sessions as told.

mod mining;

pub use mining::{Sessions, cooled, end, lose, pay, register, report, set_operator, silent};

use crate as pallet_stake_pools;
use crate::types::{PoolId, Position, TrancheId};
use frame_support::{
	PalletId, derive_impl, parameter_types,
	traits::{
		ConstU32, ConstU128, Hooks, LockIdentifier, LockableCurrency, OnGenesis, WithdrawReasons,
		fungible::{Inspect, InspectHold, Mutate},
		tokens::imbalance::ResolveTo,
	},
	weights::{Weight, WeightMeter},
};
use frame_system::EnsureRoot;
use phala_primitives::{Authority, OffenceClass, WorkerKey};
use sp_runtime::{BuildStorage, Perbill, traits::BlockNumberProvider};

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlock<Test>;

/// One PHA.
pub const PHA: u128 = 1_000_000_000_000;
pub const ROUND: u32 = 100;
pub const GRACE: u32 = 2_800;
pub const COOL_DOWN: u32 = 2_800;
pub const ERA: u32 = 400;
pub const WINDOW: u32 = 1_200;
pub const TREASURY: AccountId = 999;
/// Where mining pays from.
pub const SUBSIDY: AccountId = 998;
pub const OWNER: AccountId = 1;
pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const CAROL: AccountId = 13;
pub const OPERATOR: AccountId = 21;
/// What everybody begins with.
pub const RICH: u128 = 1_000_000 * PHA;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Slashing: pallet_slashing,
		Pools: pallet_stake_pools,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u128>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type AccountStore = System;
	type ExistentialDeposit = ConstU128<{ PHA / 100 }>;
	type DustRemoval = ToTreasury;
}

parameter_types! {
	pub static RelayBlock: u32 = 1;
	pub const Treasury: AccountId = TREASURY;
	pub const PoolsPot: PalletId = PalletId(*b"pha/pool");
	pub const OwnerShare: Perbill = Perbill::from_percent(5);
	pub const MiningReports: Authority = Authority::Mining;
	pub const Service: Weight = Weight::MAX;
}

pub type ToTreasury = ResolveTo<Treasury, Balances>;

pub struct RelayClock;
impl BlockNumberProvider for RelayClock {
	type BlockNumber = u32;

	fn current_block_number() -> u32 {
		RelayBlock::get()
	}

	fn set_block_number(block: u32) {
		RelayBlock::set(block);
	}
}

impl pallet_slashing::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Offender = WorkerKey;
	type Tranche = TrancheId;
	type Slashable = Pools;
	type OnSlash = ToTreasury;
	type BlockNumberProvider = RelayClock;
	type AdminOrigin = EnsureRoot<AccountId>;
	type CancelOrigin = EnsureRoot<AccountId>;
	type JudgeOrigin = EnsureRoot<AccountId>;
	type EraLength = ConstU32<ERA>;
	type EvidenceWindow = ConstU32<WINDOW>;
	type Retention = ConstU32<10_000>;
	type StallAfter = ConstU32<{ u32::MAX }>;
	type ChangeInterval = ConstU32<1>;
	type Unit = ConstU128<PHA>;
	type MaxAccusations = ConstU32<40>;
	type ServiceWeight = Service;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = mining::Helper;
}

impl pallet_stake_pools::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Mining = mining::MockMining;
	type Workers = mining::Registry;
	type OnSlash = ToTreasury;
	type BlockNumberProvider = RelayClock;
	type PalletId = PoolsPot;
	type RoundLength = ConstU32<ROUND>;
	type GracePeriod = ConstU32<GRACE>;
	type OwnerShare = OwnerShare;
	type MinOwnerStake = ConstU128<PHA>;
	type MinContribution = ConstU128<PHA>;
	type MaxWorkers = ConstU32<200>;
	type MaxWhitelist = ConstU32<100>;
	type MaxDescription = ConstU32<256>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = mining::Helper;
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let mut ext: sp_io::TestExternalities =
		frame_system::GenesisConfig::<Test>::default().build_storage().unwrap().into();
	ext.execute_with(|| {
		System::set_block_number(1);
		RelayBlock::set(1);
		mining::reset();
		AllPalletsWithSystem::on_genesis();
		System::inc_providers(&Pools::pot_account());
		Balances::set_balance(&Pools::pot_account(), PHA / 100);
		for who in [TREASURY, OWNER, ALICE, BOB, CAROL, OPERATOR, 2, 3] {
			Balances::set_balance(&who, RICH);
		}
		Balances::set_balance(&SUBSIDY, 700_000_000 * PHA);
	});
	ext
}

/// Runs a test, and checks all invariants.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		let issued = Balances::total_issuance();
		test();
		check();
		assert_eq!(Balances::total_issuance(), issued, "nothing is burnt or minted");
	})
}

pub fn check() {
	Pools::do_try_state().unwrap();
	assert!(
		System::read_events_for_pallet::<crate::Event<Test>>()
			.iter()
			.all(|event| !matches!(event, crate::Event::Unexpected { .. }))
	);
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// Leaves no trace if it fails, as in a block.
pub fn tx<R, E: From<sp_runtime::DispatchError>>(
	call: impl FnOnce() -> Result<R, E>,
) -> Result<R, E> {
	frame_support::storage::with_storage_layer(call)
}

pub fn jump(blocks: u32) {
	RelayBlock::set(RelayBlock::get() + blocks);
}

pub fn next_round() {
	RelayBlock::set((RelayBlock::get() / ROUND + 1) * ROUND);
}

/// Lets the ledger do what is due.
pub fn poll() {
	System::set_block_number(System::block_number() + 1);
	Slashing::on_poll(System::block_number(), &mut WeightMeter::new());
}

/// Lets the ledger work through as many eras.
pub fn eras(n: u32) {
	for _ in 0..n {
		jump(ERA);
		poll();
	}
}

/// A pool of `OWNER` with own stake and 10 % commission.
pub fn pool(own: u128) -> PoolId {
	let id = crate::NextPool::<Test>::get();
	Pools::create(signed(OWNER), own, Perbill::from_percent(10)).unwrap();
	id
}

/// A pool with 100 PHA of the owner and delegations, in a later round, so that all earn.
pub fn pool_with(delegations: &[(AccountId, u128)]) -> PoolId {
	let id = pool(100 * PHA);
	for (who, amount) in delegations {
		Pools::contribute(signed(*who), id, *amount).unwrap();
	}
	next_round();
	id
}

pub fn worker(n: u8) -> WorkerKey {
	WorkerKey::from_raw([n; 32])
}

/// A worker of the pool with stake.
pub fn running(pool: PoolId, n: u8, stake: u128) -> WorkerKey {
	let worker = worker(n);
	register(worker, OWNER);
	Pools::add_worker(signed(OWNER), pool, worker).unwrap();
	Pools::start(signed(OWNER), worker, stake).unwrap();
	worker
}

/// A pool as of this round. As a call that does nothing else.
pub fn get(id: PoolId) -> crate::PoolOf<Test> {
	let pool = Pools::load(id).unwrap();
	crate::Pools::<Test>::insert(id, &pool);
	pool
}

/// Is it this amount, less a few plancks of rounding?
pub fn near(amount: u128, of: u128) -> bool {
	(of.saturating_sub(4)..=of).contains(&amount)
}

pub fn position(who: AccountId, pool: PoolId) -> crate::types::PositionInfo {
	Pools::position(who, pool).unwrap()
}

pub fn stored(who: AccountId, pool: PoolId) -> Option<Position> {
	crate::Positions::<Test>::get(pool, who)
}

pub fn held(who: AccountId) -> u128 {
	Balances::total_balance_on_hold(&who)
}

pub fn treasury() -> u128 {
	Balances::balance(&TREASURY)
}

/// All that somebody has, on hold or not.
pub fn wealth(who: AccountId) -> u128 {
	Balances::total_balance(&who)
}

/// A lock over everything, as conviction voting sets it.
pub fn lock_all(who: AccountId) {
	const ID: LockIdentifier = *b"pyconvot";
	Balances::set_lock(ID, &who, Balances::total_balance(&who), WithdrawReasons::all());
}

/// Everybody who can help does.
pub fn process(pool: PoolId) {
	Pools::process(signed(CAROL), pool, 100).unwrap();
}

/// An outage that is worth `amount` of a worker's stake, to the ledger.
pub fn outage(worker: WorkerKey, amount: u128) -> phala_primitives::OffenceId {
	mining::report(worker, amount).unwrap()
}

pub fn cancel(id: phala_primitives::OffenceId) {
	assert_eq!(id.class, OffenceClass::Outage);
	Slashing::cancel(RuntimeOrigin::root(), id, false).unwrap();
}
