//! A runtime with mining and real balances. The registry, the ledger and the keepers are simple; what
//! they are told is written down.

use crate as pallet_mining;
use crate::{
	Authorship, EconomyOf, RecordOf, RelayRandomness, ServingWorkers, Sessions, State,
	types::{Due, SessionId},
};
use codec::Encode;
use frame_support::{
	PalletId, derive_impl, parameter_types,
	traits::{
		Authorize, ConstU32, ConstU128, Hooks, Imbalance, OnGenesis, UnixTime,
		fungible::{Balanced, Inspect, Mutate},
		tokens::imbalance::ResolveTo,
	},
	weights::{Weight, WeightMeter},
};
use frame_system::{EnsureRoot, RawOrigin};
use phala_attestation::{Role, Tier};
use phala_primitives::{
	AttestedWorker, AttestedWorkers, BlockRef, ChainId, EvidenceHash, HeartbeatStatement,
	Mining as _, OffenceClass, OffenceId, OffenceReport, OpenCases, PlatformId, ReportOffence,
	StakeKeeper, Statement, WorkerKey, WorkerSignature,
};
use phala_tokenomics::{PHA, Parameters};
use sp_core::{H256, Pair, sr25519};
use sp_runtime::{
	BuildStorage, DispatchError, DispatchResult, Perquintill,
	traits::{BlockNumberProvider, Dispatchable},
	transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
};
use std::{cell::RefCell, collections::BTreeMap, time::Duration};

pub type AccountId = u64;
pub type Block = frame_system::mocking::MockBlock<Test>;

pub const TREASURY: AccountId = 999;
/// Relay-chain block of the parachain's first block: the relay chain is not young.
pub const GENESIS: u32 = 30_000_000;
pub const SUBSIDY: u128 = 700_000_000 * PHA;
pub const RESERVE: u128 = 181_600_000 * PHA;
/// Attestations last for two days.
pub const VALIDITY: u64 = 2 * 86_400;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Mining: pallet_mining,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u128>;
	type BlockHashCount = frame_support::traits::ConstU64<1_000>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type AccountStore = System;
	type ExistentialDeposit = ConstU128<{ PHA / 100 }>;
}

/// What the ledger was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
	pub worker: WorkerKey,
	pub severity: Perquintill,
	pub committed: u32,
}

parameter_types! {
	pub static RelayBlock: u32 = GENESIS;
	pub static Seconds: u64 = 1_000_000;
	pub static Draws: bool = true;
	pub static Admits: bool = true;
	pub static AuthorCount: u32 = 4;
	pub static Author: Option<AccountId> = None;
	pub static Serving: bool = false;
	pub static LedgerOpen: bool = true;
	pub static CaseOpen: bool = false;
	pub static RefusesPay: bool = false;
	pub static MaxDraws: u32 = 350;
	pub static ServiceWeight: Weight = Weight::MAX;
	pub static PlatformLimit: u32 = 120_000;
	pub const Treasury: AccountId = TREASURY;
	pub const Pot: PalletId = PalletId(*b"subs/pha");
	pub const Reserve: PalletId = PalletId(*b"resv/pha");
}

thread_local! {
	static ATTESTED: RefCell<BTreeMap<WorkerKey, AttestedWorker<AccountId>>> = RefCell::default();
	static OUTAGES: RefCell<Vec<Outage>> = RefCell::default();
	static EVIDENCE: RefCell<Vec<EvidenceHash>> = RefCell::default();
	static EARNED: RefCell<BTreeMap<AccountId, u128>> = RefCell::default();
	static AT_RISK: RefCell<BTreeMap<WorkerKey, u128>> = RefCell::default();
	static ENDED: RefCell<Vec<WorkerKey>> = RefCell::default();
}

pub struct Relay;

impl BlockNumberProvider for Relay {
	type BlockNumber = u32;

	fn current_block_number() -> u32 {
		RelayBlock::get()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_block_number(block: u32) {
		RelayBlock::set(block);
	}
}

impl RelayRandomness for Relay {
	fn current() -> Option<H256> {
		let drawn = H256(sp_io::hashing::blake2_256(&RelayBlock::get().encode()));
		Draws::get().then_some(drawn)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set(_: H256) {
		Draws::set(true);
	}
}

pub struct Collators;

impl Authorship<AccountId> for Collators {
	fn author() -> Option<AccountId> {
		// By turns, unless a test says who.
		let turn = System::block_number() % u64::from(AuthorCount::get());
		Some(Author::get().unwrap_or(turn))
	}

	fn authors() -> u32 {
		AuthorCount::get()
	}
}

impl ServingWorkers for Relay {
	fn is_serving(_: &WorkerKey) -> bool {
		Serving::get()
	}
}

impl UnixTime for Relay {
	fn now() -> Duration {
		Duration::from_secs(Seconds::get())
	}
}

pub struct Registry;

impl AttestedWorkers<AccountId> for Registry {
	fn attested_within(worker: &WorkerKey, grace: u64) -> Option<AttestedWorker<AccountId>> {
		let attested = ATTESTED.with_borrow(|known| known.get(worker).cloned())?;
		(Seconds::get() < attested.expires_at + grace).then_some(attested)
	}
}

/// Takes reports while it is open, and the same evidence only once.
pub struct Ledger;

impl ReportOffence<WorkerKey, AccountId> for Ledger {
	fn report(report: OffenceReport<WorkerKey, AccountId>) -> Result<OffenceId, DispatchError> {
		assert_eq!(report.class, OffenceClass::Outage);
		if !LedgerOpen::get() {
			return Err(DispatchError::Other("closed"));
		}
		let known = EVIDENCE.with_borrow(|known| known.contains(&report.evidence));
		assert!(!known, "the ledger would refuse");
		EVIDENCE.with_borrow_mut(|known| known.push(report.evidence));
		let OffenceReport { offender: worker, severity, committed, .. } = report;
		assert_eq!(committed, RelayBlock::get());
		OUTAGES.with_borrow_mut(|all| all.push(Outage { worker, severity, committed }));
		Ok(OffenceId { class: OffenceClass::Outage, index: 0 })
	}

	fn evidence_window() -> u32 {
		43_200
	}
}

impl OpenCases<WorkerKey> for Ledger {
	fn has_open_case(_: &WorkerKey) -> bool {
		CaseOpen::get()
	}
}

/// Keepers of stake: number n is paid into account n. Nobody has number [`GONE`].
pub struct Keepers;

pub const GONE: u64 = 9;

type Credit = crate::CreditOf<Test>;

impl StakeKeeper<u64, Credit> for Keepers {
	fn on_earned(keeper: &u64, _: &WorkerKey, amount: u128) -> bool {
		if *keeper != GONE {
			EARNED.with_borrow_mut(|all| *all.entry(*keeper).or_default() += amount);
		}
		*keeper != GONE
	}

	fn on_paid(mut pay: Credit) -> Result<(), Credit> {
		if RefusesPay::get() {
			return Err(pay);
		}
		EARNED.with_borrow_mut(|all| {
			for (keeper, amount) in all {
				let part = pay.extract(*amount);
				*amount -= part.peek();
				Balances::resolve(keeper, part).expect("keepers have accounts");
			}
		});
		assert_eq!(pay.peek(), 0, "no more comes than was earned");
		Ok(())
	}

	fn on_ended(_: &u64, worker: &WorkerKey) {
		AT_RISK.with_borrow_mut(|all| all.remove(worker));
		ENDED.with_borrow_mut(|all| all.push(*worker));
	}

	fn on_at_risk(_: &u64, worker: &WorkerKey, amount: u128) {
		AT_RISK.with_borrow_mut(|all| all.insert(*worker, amount));
	}
}

impl pallet_mining::Config for Test {
	type Currency = Balances;
	type Keeper = u64;
	type StakeKeeper = Keepers;
	type Offender = WorkerKey;
	type Offences = Ledger;
	type Cases = Ledger;
	type Workers = Registry;
	type Serving = Relay;
	type Randomness = Relay;
	type Authors = Collators;
	type Admission = Admits;
	type Time = Relay;
	type BlockNumberProvider = Relay;
	type Treasury = ResolveTo<Treasury, Balances>;
	type AdminOrigin = EnsureRoot<AccountId>;
	type ReserveOrigin = EnsureRoot<AccountId>;
	type PotId = Pot;
	type ReserveId = Reserve;
	type ParaId = ConstU32<2_035>;
	type InitialReserve = ConstU128<RESERVE>;
	type ReserveYearly = ConstU128<{ 20_000_000 * PHA }>;
	type MaxDraws = MaxDraws;
	type AnswerWindow = ConstU32<20>;
	type AnswerBlocks = ConstU32<15>;
	type MaxSilence = ConstU32<14_400>;
	type CoolDown = ConstU32<100_800>;
	type LongestDeferral = ConstU32<57_600>;
	type ChangeInterval = ConstU32<100_800>;
	type MaxPlatformValue = PlatformLimit;
	type ServiceWeight = ServiceWeight;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Relay;
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<u64> for Relay {
	fn attest(n: u32) -> WorkerKey {
		let seed = format!("//{n}");
		let worker = sp_io::crypto::sr25519_generate(
			sp_core::crypto::KeyTypeId(*b"pwrk"),
			Some(seed.into_bytes()),
		);
		attest_key(worker, n, 1_000, Tier::One);
		worker
	}

	fn keeper() -> u64 {
		KEEPER
	}

	fn stake(_: &u64, _: &WorkerKey, _: u128) {}

	fn fill_pot(amount: u128) {
		Balances::set_balance(&Mining::pot(), amount);
	}
}

/// A keeper.
pub const KEEPER: u64 = 1;

/// The key pair of worker `n`.
pub fn pair(n: u32) -> sr25519::Pair {
	let mut seed = [7; 32];
	seed[..4].copy_from_slice(&n.to_le_bytes());
	sr25519::Pair::from_seed(&seed)
}

thread_local!(static KEYS: RefCell<BTreeMap<u32, WorkerKey>> = RefCell::default());

pub fn key(n: u32) -> WorkerKey {
	KEYS.with_borrow_mut(|known| *known.entry(n).or_insert_with(|| pair(n).public()))
}

pub fn attest_key(worker: WorkerKey, platform: u32, score: u64, tier: Tier) {
	let attested = AttestedWorker {
		operator: 1,
		role: Role::Worker,
		tier,
		platform: PlatformId::from_low_u64_be(platform.into()),
		score,
		expires_at: Seconds::get() + VALIDITY,
	};
	ATTESTED.with_borrow_mut(|known| known.insert(worker, attested));
}

/// Lets worker `n` be attested on a platform of its own.
pub fn attest(n: u32, score: u64, tier: Tier) {
	attest_key(key(n), n, score, tier);
}

/// Changes what the registry says of worker `n`.
pub fn alter(n: u32, change: impl FnOnce(&mut AttestedWorker<AccountId>)) {
	ATTESTED.with_borrow_mut(|known| known.get_mut(&key(n)).map(change));
}

pub fn build(parameters: Parameters) -> sp_io::TestExternalities {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	pallet_mining::GenesisConfig::<Test> {
		parameters: Some(parameters),
		_config: Default::default(),
	}
	.assimilate_storage(&mut storage)
	.unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext.execute_with(|| {
		RelayBlock::set(GENESIS);
		Seconds::set(1_000_000);
		Draws::set(true);
		Admits::set(true);
		AuthorCount::set(4);
		Author::set(None);
		Serving::set(false);
		LedgerOpen::set(true);
		CaseOpen::set(false);
		RefusesPay::set(false);
		MaxDraws::set(350);
		ServiceWeight::set(Weight::MAX);
		PlatformLimit::set(120_000);
		ATTESTED.take();
		OUTAGES.take();
		EVIDENCE.take();
		EARNED.take();
		AT_RISK.take();
		ENDED.take();
		AllPalletsWithSystem::on_genesis();
		System::set_block_number(0);
		frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(0xaa));
		for rich in [TREASURY, 1, 2, 3] {
			Balances::set_balance(&rich, PHA);
		}
		Balances::set_balance(&Mining::pot(), SUBSIDY);
		block(1);
	});
	ext
}

/// Runs a test on a chain with the launch's parameters, and checks all invariants after it.
pub fn run(test: impl FnOnce()) {
	run_with(Parameters::launch(), test)
}

pub fn run_with(parameters: Parameters, test: impl FnOnce()) {
	build(parameters).execute_with(|| {
		let issued = Balances::total_issuance();
		test();
		check();
		assert_eq!(Balances::total_issuance(), issued, "nothing is burnt or minted");
	})
}

/// Ends the block's hooks: what is due is paid.
pub fn finalize() {
	Mining::on_finalize(System::block_number());
}

/// All invariants, in the block and at its end, and that nobody touches the pot but mining.
pub fn check() {
	Mining::do_try_state().unwrap();
	finalize();
	Mining::do_try_state().unwrap();
	assert_eq!(economy().due, Due::default());
	let economy = economy();
	let (paid, treasury) = (economy.accumulator.paid(), economy.accumulator.treasury());
	assert_eq!(Balances::balance(&Mining::pot()), SUBSIDY - RESERVE - paid - treasury);
	assert_eq!(Balances::balance(&TREASURY), PHA + treasury);
	let keepers: u128 = [1, 2, 3].iter().map(Balances::balance).sum();
	assert_eq!(keepers, 3 * PHA + paid);
}

/// A block of the parachain, `gap` relay-chain blocks after the last.
pub fn block(gap: u32) -> Weight {
	let number = System::block_number();
	if number > 0 {
		finalize();
		let hash = H256(sp_io::hashing::blake2_256(&number.encode()));
		frame_system::BlockHash::<Test>::insert(number, hash);
		if number > 1_000 {
			frame_system::BlockHash::<Test>::remove(number - 1_000);
		}
	}
	System::set_block_number(number + 1);
	RelayBlock::mutate(|relay| *relay += gap);
	Seconds::mutate(|seconds| *seconds += 6 * u64::from(gap));
	let mut meter = WeightMeter::new();
	Mining::on_poll(System::block_number(), &mut meter);
	meter.consumed()
}

pub fn blocks(count: u32) {
	for _ in 0..count {
		block(1);
	}
}

pub fn chain() -> ChainId {
	ChainId { genesis: H256::repeat_byte(0xaa), para_id: 2_035 }
}

/// The answer of worker `n` to its open challenge, at `percent` of its benchmark.
pub fn statement(n: u32, percent: u64) -> Option<HeartbeatStatement> {
	let record = Sessions::<Test>::get(key(n))?;
	let at = record.challenge?;
	let steps = u64::from(economy().clock.measured - at.measured).max(1);
	Some(HeartbeatStatement {
		worker: key(n),
		session: record.id,
		challenge: BlockRef { number: at.block, hash: System::block_hash(u64::from(at.block)) },
		iterations: u64::from(record.money.bench()) * steps * percent / 100,
	})
}

pub fn call(statement: HeartbeatStatement, signature: WorkerSignature) -> RuntimeCall {
	RuntimeCall::Mining(crate::Call::heartbeat { statement, signature })
}

/// What the pool, and a block, say of a call.
pub fn authorize(call: &RuntimeCall) -> Result<ValidTransaction, TransactionValidityError> {
	let authorized = call.authorize(TransactionSource::External).expect("a heartbeat");
	authorized.map(|(valid, _)| valid)
}

/// Sends a heartbeat as a transaction: checked, then dispatched.
pub fn send(statement: HeartbeatStatement) -> Result<(), TransactionValidityError> {
	let n = (0..).find(|n| key(*n) == statement.worker).unwrap();
	let call = call(statement, statement.sign(&chain(), &pair(n)));
	authorize(&call)?;
	call.dispatch(RawOrigin::Authorized.into()).expect("what is authorized works");
	Ok(())
}

/// Answers without the cost of a signature, which other tests check.
pub fn answer_at(n: u32, percent: u64) -> bool {
	let Some(statement) = statement(n, percent) else { return false };
	if Mining::is_overdue(&economy(), &record(n).challenge.unwrap()) {
		return false;
	}
	let call = call(statement, WorkerSignature::default());
	call.dispatch(RawOrigin::Authorized.into()).expect("it answers an open challenge");
	true
}

pub fn answer(n: u32) -> bool {
	answer_at(n, 100)
}

/// Blocks in which all of `workers` answer.
pub fn work(workers: &[u32], count: u32) {
	for _ in 0..count {
		block(1);
		for n in workers {
			answer(*n);
		}
	}
}

/// Works until worker `n` is challenged, which it does not answer.
pub fn until_challenged(n: u32) {
	for _ in 0..5_000 {
		if record(n).challenge.is_some() {
			return;
		}
		block(1);
	}
	panic!("{n} is never challenged");
}

/// Lets worker `n` be silent until the chain finds it, while `others` work.
pub fn silence(n: u32, others: &[u32]) {
	until_challenged(n);
	for _ in 0..100 {
		if is_unresponsive(n) {
			return;
		}
		work(others, 1);
	}
	panic!("{n} is not found");
}

pub fn start(n: u32, stake: u128) -> DispatchResult {
	Mining::start(&key(n), KEEPER, stake)
}

/// Attested, and started with 2,000 PHA and a score of 1,000.
pub fn worker(n: u32) {
	attest(n, 1_000, Tier::One);
	start(n, 2_000 * PHA).unwrap();
}

pub fn record(n: u32) -> RecordOf<Test> {
	Sessions::<Test>::get(key(n)).unwrap()
}

pub fn is_unresponsive(n: u32) -> bool {
	matches!(record(n).money.phase(), phala_tokenomics::Phase::Unresponsive)
}

pub fn is_ended(n: u32) -> bool {
	record(n).ended.is_some()
}

pub fn session_id(n: u32) -> SessionId {
	record(n).id
}

pub fn economy() -> EconomyOf<Test> {
	State::<Test>::get().unwrap()
}

pub fn paid() -> u128 {
	economy().accumulator.paid()
}

pub fn outages() -> Vec<Outage> {
	OUTAGES.with_borrow(Clone::clone)
}

pub fn at_risk(n: u32) -> u128 {
	AT_RISK.with_borrow(|all| all.get(&key(n)).copied().unwrap_or(0))
}

pub fn told_ended() -> Vec<WorkerKey> {
	ENDED.with_borrow(Clone::clone)
}

/// Events of mining since the last call.
pub fn events() -> Vec<crate::Event<Test>> {
	let events = System::read_events_for_pallet::<crate::Event<Test>>();
	System::reset_events();
	events
}
