//! A runtime for tests: real balances, the real verifier, and a development PKI.

use crate::{self as pallet_worker_registry, *};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstBool, ConstU32, ConstU64, LinearStoragePrice, fungible::HoldConsideration},
};
use phala_primitives::{AttestationChange, OnAttestationChange, WorkerKey, WorkerObligations};
use sp_core::crypto::AccountId32;
use sp_runtime::{BuildStorage, traits::IdentityLookup};
use std::{cell::RefCell, time::Duration};

pub type AccountId = AccountId32;
type Block = frame_system::mocking::MockBlockU32<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeHoldReason,
		RuntimeFreezeReason,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(80)]
	pub type WorkerRegistry = pallet_worker_registry;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<u64>;
	type BlockHashCount = ConstU32<4096>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type ExistentialDeposit = ConstU64<10>;
	type RuntimeHoldReason = RuntimeHoldReason;
}

parameter_types! {
	pub const RecordHold: RuntimeHoldReason =
		RuntimeHoldReason::WorkerRegistry(HoldReason::WorkerRecord);
	/// Unix seconds.
	pub static Clock: u64 = 0;
	/// Height of the relay chain.
	pub static RelayHeight: u32 = 1;
	/// Whether a session binds every worker.
	pub static Bound: bool = false;
	pub static ParaId: u32 = 2_035;
}

pub struct MockTime;
impl frame_support::traits::UnixTime for MockTime {
	fn now() -> Duration {
		Duration::from_secs(Clock::get())
	}
}

pub struct MockRelay;
impl sp_runtime::traits::BlockNumberProvider for MockRelay {
	type BlockNumber = u32;
	fn current_block_number() -> u32 {
		RelayHeight::get()
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn set_block_number(height: u32) {
		RelayHeight::set(height);
	}
}

thread_local! {
	static CHANGES: RefCell<Vec<(WorkerKey, AttestationChange<AccountId>)>> =
		const { RefCell::new(Vec::new()) };
}

/// Remembers what it is told.
pub struct Recorder;
impl OnAttestationChange<AccountId> for Recorder {
	fn on_attestation_change(worker: &WorkerKey, change: &AttestationChange<AccountId>) {
		CHANGES.with_borrow_mut(|changes| changes.push((*worker, change.clone())));
	}
}

impl WorkerObligations for Recorder {
	fn is_bound(_worker: &WorkerKey) -> bool {
		Bound::get()
	}
}

/// What was announced since the last call.
pub fn changes() -> Vec<(WorkerKey, AttestationChange<AccountId>)> {
	CHANGES.take()
}

impl Config for Test {
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		RecordHold,
		LinearStoragePrice<ConstU64<100>, ConstU64<1>, u64>,
	>;
	type Time = MockTime;
	type RelayChain = MockRelay;
	type OnAttestationChange = Recorder;
	type Obligations = Recorder;
	type MeasurementOrigin = frame_system::EnsureRoot<AccountId>;
	type PolicyOrigin = frame_system::EnsureRoot<AccountId>;
	type BanOrigin = frame_system::EnsureRoot<AccountId>;
	type ParaId = ParaId;
	type AllowDevelopmentRoot = ConstBool<true>;
	type FreshnessWindow = ConstU32<200>;
	type MinMillisPerBlock = ConstU64<6_000>;
	type ReappraisalPeriod = ConstU64<86_400>;
	type SweepLimit = ConstU32<4>;
	type WeightInfo = weights::SubstrateWeight<Test>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockTime;
}

#[cfg(feature = "runtime-benchmarks")]
impl BenchmarkHelper for MockTime {
	fn set_time(seconds: u64) {
		Clock::set(seconds);
	}
}

/// Unix second at which every test starts; what the development PKI issues is dated around it.
pub const NOW: u64 = phala_dev_pki::NOW;
/// Evaluation number in force at genesis; that of the development PKI.
pub const EVALUATION: u32 = 20;

/// An account of a name.
pub fn account(name: &str) -> AccountId {
	AccountId::new(sp_io::hashing::blake2_256(name.as_bytes()))
}

/// Hash of a block of this chain.
pub fn block_hash(number: u32) -> sp_core::H256 {
	sp_io::hashing::blake2_256(&number.to_le_bytes()).into()
}

/// The next block begins, six seconds after the last.
pub fn next_block() {
	let number = System::block_number();
	System::initialize(&(number + 1), &block_hash(number), &Default::default());
	Clock::mutate(|now| *now += 6);
	RelayHeight::mutate(|height| *height += 1);
}

/// Blocks begin until this one.
pub fn run_to_block(number: u32) {
	while System::block_number() < number {
		next_block();
	}
}

/// Lets the pallet use what a block has left.
pub fn idle() {
	use frame_support::traits::Hooks;
	WorkerRegistry::on_idle(System::block_number(), frame_support::weights::Weight::MAX);
}

/// Runs tests on a fresh chain, and then the invariants.
pub struct ExtBuilder {
	genesis: GenesisConfig<Test>,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		let genesis = GenesisConfig {
			evaluation: Some(EVALUATION),
			workers: crate::tests::measurements("development"),
			gatekeepers: crate::tests::measurements("gatekeeper"),
			development_root: Some(phala_dev_pki::development_root_der().to_vec().into()),
			..Default::default()
		};
		Self { genesis }
	}
}

impl ExtBuilder {
	/// Another evaluation number at genesis.
	pub fn evaluation(mut self, number: Option<u32>) -> Self {
		self.genesis.evaluation = number;
		self
	}

	pub fn build(self) -> sp_io::TestExternalities {
		Clock::set(NOW);
		RelayHeight::set(1);
		Bound::set(false);
		ParaId::set(2_035);
		changes();
		let names = ["alice", "bob", "charlie", "anybody"];
		let storage = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig {
				balances: names.map(|name| (account(name), 1_000_000)).to_vec(),
				..Default::default()
			},
			worker_registry: self.genesis,
			..Default::default()
		}
		.build_storage()
		.expect("the genesis is sound");
		let mut externalities = sp_io::TestExternalities::new(storage);
		#[cfg(feature = "runtime-benchmarks")]
		externalities.register_extension(sp_keystore::KeystoreExt::new(
			sp_keystore::testing::MemoryKeystore::new(),
		));
		externalities.execute_with(|| run_to_block(10));
		externalities
	}

	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			WorkerRegistry::do_try_state().expect("the state is sound");
		});
	}
}

/// Events of the pallet since the last call.
pub fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet();
	System::reset_events();
	events
}
