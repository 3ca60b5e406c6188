//! A runtime with the pallet, and neighbours that tests can tell what to say.

mod people;

pub use people::*;

use crate as pallet_gatekeeper_keys;
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU8, ConstU32, ConstU64, Hooks},
	weights::{Weight, WeightMeter},
};
use frame_system::EnsureRoot;
use phala_attestation::{Role, Tier};
use phala_primitives::{
	AttestedWorker, AttestedWorkers, ClusterAccess, ClusterId, GatekeeperSet, OffenceClass,
	OffenceId, OffenceReport, ReportOffence, WorkerKey,
};
use sp_core::H256;
use sp_runtime::{
	BuildStorage, DispatchError,
	traits::{BlockNumberProvider, Identity},
};
use std::{cell::RefCell, collections::BTreeMap};

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Keys: pallet_gatekeeper_keys,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

pub const COMMIT: u32 = 20;
pub const SHARE: u32 = 30;
pub const COMPLAIN: u32 = 25;
pub const KEEP: u32 = 40;
pub const RETRY: u32 = 15;
pub const ATTEMPTS: u8 = 3;
pub const REFRESH: u32 = 5_000;
pub const RETIREMENT: u32 = 500;
pub const GRACE: u64 = 1_000;
pub const REQUEST: u32 = 50;
pub const ABSENCE: u32 = 1_000;
pub const STALL: u32 = 10;
pub const MIN_SEATS: u8 = 3;

parameter_types! {
	pub static RelayBlock: u32 = 1;
	/// Unix seconds.
	pub static Clock: u64 = 1_000_000;
	pub static ServiceWeight: Weight = Weight::MAX;
	pub static MaxRequests: u32 = 8;
	/// What the ledger refuses.
	pub static Refused: Option<OffenceClass> = None;
	/// Handovers that the election was told of.
	pub static Handovers: Vec<u32> = Vec::new();
}

thread_local! {
	static ATTESTED: RefCell<BTreeMap<[u8; 32], AttestedWorker<AccountId>>> =
		const { RefCell::new(BTreeMap::new()) };
	static REPORTS: RefCell<Vec<OffenceReport<AccountId, AccountId>>> =
		const { RefCell::new(Vec::new()) };
	static MEMBERS: RefCell<Vec<(ClusterId, WorkerKey)>> = const { RefCell::new(Vec::new()) };
}

pub struct RelayClock;
impl BlockNumberProvider for RelayClock {
	type BlockNumber = u32;

	fn current_block_number() -> u32 {
		RelayBlock::get()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_block_number(block: u32) {
		RelayBlock::set(block);
	}
}

/// The registry of workers.
pub struct Registry;
impl AttestedWorkers<AccountId> for Registry {
	fn attested_within(worker: &WorkerKey, grace: u64) -> Option<AttestedWorker<AccountId>> {
		ATTESTED.with_borrow(|all| {
			all.get(&worker.0).filter(|one| Clock::get() < one.expires_at + grace).cloned()
		})
	}
}

pub fn attest(worker: WorkerKey, operator: AccountId, role: Role, platform: u64) {
	let expires_at = Clock::get() + 1_000_000_000;
	let platform = H256::from_low_u64_be(platform);
	let attested =
		AttestedWorker { operator, role, tier: Tier::One, platform, score: 0, expires_at };
	ATTESTED.with_borrow_mut(|all| all.insert(worker.0, attested));
}

/// Lets an attestation have run out `ago` seconds ago.
pub fn lapse(worker: &WorkerKey, ago: u64) {
	ATTESTED.with_borrow_mut(|all| all.get_mut(&worker.0).unwrap().expires_at = Clock::get() - ago);
}

/// Clusters.
pub struct Clusters;
impl ClusterAccess for Clusters {
	fn is_member(cluster: &ClusterId, worker: &WorkerKey) -> bool {
		MEMBERS.with_borrow(|all| all.contains(&(*cluster, *worker)))
	}
}

pub fn admit(cluster: ClusterId, worker: WorkerKey) {
	MEMBERS.with_borrow_mut(|all| all.push((cluster, worker)));
}

pub fn expel(cluster: ClusterId, worker: WorkerKey) {
	MEMBERS.with_borrow_mut(|all| all.retain(|one| *one != (cluster, worker)));
}

/// The election.
pub struct Election;
impl GatekeeperSet for Election {
	fn handover_final(epoch: u32) {
		Handovers::mutate(|all| all.push(epoch));
	}
}

/// The ledger of offences.
pub struct Ledger;
impl ReportOffence<AccountId, AccountId> for Ledger {
	fn report(report: OffenceReport<AccountId, AccountId>) -> Result<OffenceId, DispatchError> {
		if Refused::get() == Some(report.class) {
			return Err(DispatchError::Other("refused"));
		}
		REPORTS.with_borrow_mut(|all| {
			let same = |one: &OffenceReport<_, _>| {
				(one.class, one.offender, one.evidence)
					== (report.class, report.offender, report.evidence)
			};
			assert!(!all.iter().any(same), "the same evidence twice");
			let id = OffenceId { class: report.class, index: all.len() as u64 };
			all.push(report);
			Ok(id)
		})
	}

	fn evidence_window() -> u32 {
		43_200
	}
}

/// Class and offender of what was reported since the last call, sorted.
pub fn reported() -> Vec<(OffenceClass, AccountId)> {
	let mut all: Vec<_> = reports().into_iter().map(|one| (one.class, one.offender)).collect();
	all.sort();
	all
}

pub fn reports() -> Vec<OffenceReport<AccountId, AccountId>> {
	REPORTS.take()
}

impl pallet_gatekeeper_keys::Config for Test {
	type Workers = Registry;
	type Access = Clusters;
	type GatekeeperSet = Election;
	type Offender = AccountId;
	type OffenderOf = Identity;
	type Offences = Ledger;
	type BlockNumberProvider = RelayClock;
	type AdminOrigin = EnsureRoot<AccountId>;
	type ParaId = ConstU32<2_035>;
	type MinSeats = ConstU8<MIN_SEATS>;
	type CommitPeriod = ConstU32<COMMIT>;
	type SharePeriod = ConstU32<SHARE>;
	type ComplainPeriod = ConstU32<COMPLAIN>;
	type KeepPeriod = ConstU32<KEEP>;
	type RetryDelay = ConstU32<RETRY>;
	type MaxAttempts = ConstU8<ATTEMPTS>;
	type RefreshPeriod = ConstU32<REFRESH>;
	type RetirementPeriod = ConstU32<RETIREMENT>;
	type ReshareGrace = ConstU64<GRACE>;
	type RequestPeriod = ConstU32<REQUEST>;
	type MaxRequests = MaxRequests;
	type MaxRequestsPerWorker = ConstU32<2>;
	type MaxReplacedPerWorker = ConstU32<2>;
	type AbsencePeriod = ConstU32<ABSENCE>;
	type StallAfter = ConstU32<STALL>;
	type ServiceWeight = ServiceWeight;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Stage;
}

#[cfg(feature = "runtime-benchmarks")]
pub struct Stage;

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper<AccountId> for Stage {
	fn gatekeeper(seed: u32, worker: WorkerKey) -> AccountId {
		let account = 10_000 + u64::from(seed);
		attest(worker, account, Role::Gatekeeper, account);
		account
	}

	fn worker(worker: WorkerKey) -> ClusterId {
		attest(worker, 9_999, Role::Worker, 9_999);
		admit(CLUSTER, worker);
		CLUSTER
	}
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let mut ext: sp_io::TestExternalities =
		frame_system::GenesisConfig::<Test>::default().build_storage().unwrap().into();
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext.execute_with(|| {
		System::set_block_number(1);
		frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(7));
		RelayBlock::set(1);
		Clock::set(1_000_000);
		ServiceWeight::set(Weight::MAX);
		MaxRequests::set(8);
		Refused::set(None);
		Handovers::set(Vec::new());
		ATTESTED.take();
		REPORTS.take();
		MEMBERS.take();
		poll();
	});
	ext
}

/// Runs a test and checks all invariants.
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		check();
	})
}

pub fn check() {
	Keys::do_try_state().unwrap();
}

/// Lets the hook of a block run.
pub fn poll() {
	Keys::on_poll(System::block_number(), &mut WeightMeter::new());
}

/// Goes on by that many relay-chain blocks, with a block of ours in each fifth and the last.
pub fn pass(blocks: u32) {
	let end = RelayBlock::get() + blocks;
	while RelayBlock::get() < end {
		RelayBlock::set((RelayBlock::get() + 5).min(end));
		System::set_block_number(System::block_number() + 1);
		poll();
	}
}

/// All events of the pallet since the last call.
pub fn events() -> Vec<crate::Event<Test>> {
	let events = System::events().into_iter().filter_map(|record| match record.event {
		RuntimeEvent::Keys(event) => Some(event),
		_ => None,
	});
	let events = events.collect();
	System::reset_events();
	events
}
