//! A chain: the real pallet, in a runtime whose neighbours tests tell what to say, with a pool, blocks,
//! and finality that lags behind.

use codec::{Decode, Encode};
use frame_support::{
	derive_impl,
	pallet_prelude::TransactionSource,
	parameter_types,
	traits::{Authorize, ConstU8, ConstU32, ConstU64, Hooks, UnfilteredDispatchable},
	weights::{Weight, WeightMeter},
};
use frame_system::EnsureRoot;
use pallet_gatekeeper_keys::{
	self as keys, Call,
	types::{Attempt, Phase},
};
use pallet_worker_registry::types::{Judgement, MeasurementRecord, Standing, Worker};
use phala_attestation::{Evidence, Role, TcbStatus, Tier};
use phala_node_common::{board::Message, chain::Item};
use phala_primitives::{
	AttestedWorker, AttestedWorkers, BlockRef, ChainId, ClusterAccess, ClusterId, GatekeeperSet,
	Gatekeepers, OffenceClass, OffenceId, OffenceReport, ReportOffence, WorkerKey,
};
use sp_core::H256;
use sp_io::TestExternalities;
use sp_runtime::{
	AccountId32, BuildStorage, DispatchError,
	traits::{BlockNumberProvider, Identity, IdentityLookup, TrailingZeroInput},
};
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
};

pub type Account = AccountId32;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		GatekeeperKeys: pallet_gatekeeper_keys,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
	type AccountId = Account;
	type Lookup = IdentityLookup<Account>;
}

pub const PERIOD: u32 = 40;
pub const KEEP: u32 = 60;
pub const RETRY: u32 = 10;
pub const GRACE: u64 = 1_000;
pub const REQUEST: u32 = 60;
pub const REFRESH: u32 = 100_000;
pub const RETIREMENT: u32 = 400;
/// Relay-chain blocks for each of ours.
pub const PACE: u32 = 2;
/// Blocks that are not final yet.
pub const LAG: usize = 2;
pub const CLUSTER: ClusterId = [0xc1; 32];

parameter_types! {
	pub static RelayBlock: u32 = 1;
	pub static Handovers: Vec<u32> = Vec::new();
	pub ServiceWeight: Weight = Weight::MAX;
}

thread_local! {
	static ATTESTED: RefCell<BTreeMap<[u8; 32], AttestedWorker<Account>>> =
		const { RefCell::new(BTreeMap::new()) };
	static REPORTS: RefCell<Vec<(OffenceClass, Account)>> = const { RefCell::new(Vec::new()) };
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

pub fn unix() -> u64 {
	1_000_000 + 6 * u64::from(RelayBlock::get())
}

pub struct Registry;
impl AttestedWorkers<Account> for Registry {
	fn attested_within(worker: &WorkerKey, grace: u64) -> Option<AttestedWorker<Account>> {
		let found = ATTESTED.with_borrow(|all| all.get(&worker.0).cloned())?;
		Some(found).filter(|one| unix() < one.expires_at + grace)
	}
}

pub struct Clusters;
impl ClusterAccess for Clusters {
	fn is_member(cluster: &ClusterId, _: &WorkerKey) -> bool {
		*cluster == CLUSTER
	}
}

pub struct Election;
impl GatekeeperSet for Election {
	fn handover_final(epoch: u32) {
		Handovers::mutate(|all| all.push(epoch));
	}
}

pub struct Ledger;
impl ReportOffence<Account, Account> for Ledger {
	fn report(report: OffenceReport<Account, Account>) -> Result<OffenceId, DispatchError> {
		REPORTS.with_borrow_mut(|all| {
			let id = OffenceId { class: report.class, index: all.len() as u64 };
			all.push((report.class, report.offender));
			Ok(id)
		})
	}

	fn evidence_window() -> u32 {
		43_200
	}
}

impl keys::Config for Test {
	type Workers = Registry;
	type Access = Clusters;
	type GatekeeperSet = Election;
	type Offender = Account;
	type OffenderOf = Identity;
	type Offences = Ledger;
	type BlockNumberProvider = RelayClock;
	type AdminOrigin = EnsureRoot<Account>;
	type ParaId = ConstU32<2_035>;
	type MinSeats = ConstU8<3>;
	type CommitPeriod = ConstU32<PERIOD>;
	type SharePeriod = ConstU32<PERIOD>;
	type ComplainPeriod = ConstU32<PERIOD>;
	type KeepPeriod = ConstU32<KEEP>;
	type RetryDelay = ConstU32<RETRY>;
	type MaxAttempts = ConstU8<3>;
	type RefreshPeriod = ConstU32<REFRESH>;
	type RetirementPeriod = ConstU32<RETIREMENT>;
	type ReshareGrace = ConstU64<GRACE>;
	type RequestPeriod = ConstU32<REQUEST>;
	type MaxRequests = ConstU32<16>;
	type MaxRequestsPerWorker = ConstU32<4>;
	type MaxReplacedPerWorker = ConstU32<4>;
	type AbsencePeriod = ConstU32<1_000>;
	type StallAfter = ConstU32<10>;
	type ServiceWeight = ServiceWeight;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Stage;
}

#[cfg(feature = "runtime-benchmarks")]
pub struct Stage;

#[cfg(feature = "runtime-benchmarks")]
impl keys::benchmarking::BenchmarkHelper<Account> for Stage {
	fn gatekeeper(_: u32, _: WorkerKey) -> Account {
		Account::new([0; 32])
	}

	fn worker(_: WorkerKey) -> ClusterId {
		CLUSTER
	}
}

pub const IMAGE: [H256; 2] = [H256::repeat_byte(0xa1), H256::repeat_byte(0xa2)];

/// State after a block.
struct Block {
	hash: H256,
	state: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The chain, with a pool.
pub struct Chain {
	ext: TestExternalities,
	blocks: Vec<Block>,
	pool: Vec<Message>,
	/// States of blocks before this one are gone.
	pub pruned: usize,
	/// Everything that was published for each step, by whom.
	published: BTreeMap<Vec<u8>, Vec<u8>>,
	/// Messages that reached a block.
	pub included: Vec<Message>,
}

/// What the runtime makes of a message.
fn call(message: &Message) -> Call<Test> {
	match message.clone() {
		Message::Register(statement, signature) => Call::register { statement, signature },
		Message::Deal(statement, signature) => Call::deal { statement, signature },
		Message::Complain(statement, signature) => Call::complain { statement, signature },
		Message::Request(statement, signature) => Call::request { statement, signature },
		Message::Answer(id, seat, partial) => Call::answer { id, seat, partial },
		Message::RequestGuard(statement, signature) => Call::request_guard { statement, signature },
	}
}

fn put<T>(item: Item<T>, value: &impl Encode) {
	sp_io::storage::set(item.key(), &value.encode());
}

impl Chain {
	pub fn new() -> Self {
		let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
		let mut chain = Self {
			ext: storage.into(),
			blocks: vec![],
			pool: vec![],
			pruned: 0,
			published: BTreeMap::new(),
			included: vec![],
		};
		RelayBlock::set(1);
		Handovers::take();
		ATTESTED.take();
		REPORTS.take();
		chain.ext.execute_with(|| {
			frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(7));
			for (role, image) in [Role::Worker, Role::Gatekeeper].into_iter().zip(IMAGE) {
				let (active_from, sunset) = (0u32, None);
				let record =
					MeasurementRecord { role, active_from, sunset, provenance: Default::default() };
				put(Item::<()>::new("WorkerRegistry", "Measurements").identity(&image), &record);
			}
		});
		chain.block();
		chain
	}

	pub fn id() -> ChainId {
		ChainId { genesis: H256::repeat_byte(7), para_id: 2_035 }
	}

	/// Runs inside of the runtime, at the best block.
	pub fn at<T>(&mut self, run: impl FnOnce() -> T) -> T {
		self.ext.execute_with(run)
	}

	/// Makes the next block out of the pool.
	pub fn block(&mut self) {
		RelayBlock::mutate(|block| *block += PACE);
		let pool = std::mem::take(&mut self.pool);
		let number = self.blocks.len() as u32;
		let mut included = vec![];
		let state = self.ext.execute_with(|| {
			System::reset_events();
			System::set_block_number(u64::from(number) + 1);
			put(Item::<()>::new("Timestamp", "Now"), &(unix() * 1000));
			GatekeeperKeys::on_poll(System::block_number(), &mut WeightMeter::new());
			for message in pool {
				let call = call(&message);
				if call.authorize(TransactionSource::InBlock).unwrap().is_ok() {
					let origin = frame_system::RawOrigin::Authorized.into();
					call.dispatch_bypass_filter(origin)
						.expect("what the pool takes, the chain takes");
					included.push(message);
				}
			}
			all_state()
		});
		self.included.extend(included);
		let hash = sp_crypto_hashing::blake2_256(&(number, &state).encode()).into();
		self.blocks.push(Block { hash, state });
	}

	pub fn blocks(&mut self, count: usize) {
		(0..count).for_each(|_| self.block());
	}

	pub fn finalised(&self) -> BlockRef {
		let number = (self.blocks.len() - 1).saturating_sub(LAG);
		BlockRef { number: number as u32, hash: self.blocks[number].hash }
	}

	pub fn hash_at(&self, number: u32) -> Option<H256> {
		self.blocks.get(number as usize).map(|block| block.hash)
	}

	pub fn read(
		&self,
		block: &BlockRef,
		keys: &[Vec<u8>],
	) -> Result<Vec<Option<Vec<u8>>>, &'static str> {
		let number = block.number as usize;
		if number < self.pruned {
			return Err("the state is pruned");
		}
		let found = self.blocks.get(number).filter(|found| found.hash == block.hash);
		let state = &found.ok_or("no such block")?.state;
		Ok(keys.iter().map(|key| state.get(key).cloned()).collect())
	}

	/// Takes a message into the pool. Whoever publishes two different ones for one step is found out.
	pub fn publish(&mut self, who: WorkerKey, message: &Message) -> Result<(), String> {
		for (step, said) in steps(who, message) {
			let before = self.published.entry(step).or_insert_with(|| said.clone());
			assert!(*before == said, "{who} publishes a second `{}`", message.call());
		}
		if self.pool.contains(message) {
			return Ok(());
		}
		let call = call(message);
		let valid = self.ext.execute_with(|| call.authorize(TransactionSource::External).unwrap());
		match valid {
			Ok(_) => {
				self.pool.push(message.clone());
				Ok(())
			}
			Err(error) => Err(format!("{error:?}")),
		}
	}

	/// The pool forgets everything, as after a re-org.
	pub fn forget(&mut self) {
		self.pool.clear();
	}

	pub fn attempt(&mut self) -> Option<Attempt> {
		self.at(keys::Current::<Test>::get)
	}

	pub fn phase(&mut self) -> Option<Phase> {
		self.attempt().map(|attempt| attempt.phase)
	}

	pub fn live(&mut self) -> Option<(u32, keys::types::LiveKey)> {
		self.at(|| {
			let epoch = keys::CurrentEpoch::<Test>::get()?;
			Some((epoch, keys::LiveKeys::<Test>::get(epoch)?))
		})
	}

	pub fn elect(&mut self, set: Vec<(Account, WorkerKey)>) {
		self.at(|| GatekeeperKeys::on_set_elected(set)).unwrap();
	}

	pub fn rotate(&mut self, replace: bool) {
		self.at(|| GatekeeperKeys::rotate(frame_system::RawOrigin::Root.into(), replace)).unwrap();
	}

	/// Attests a worker, until a Unix second.
	pub fn attest(&mut self, worker: WorkerKey, operator: Account, role: Role, expires_at: u64) {
		let platform = H256(worker.0);
		let attested = AttestedWorker {
			operator: operator.clone(),
			role,
			tier: Tier::One,
			platform,
			score: 0,
			expires_at,
		};
		ATTESTED.with_borrow_mut(|all| all.insert(worker.0, attested));
		let record = self.record(worker, operator, role, expires_at);
		self.at(|| put(Item::<()>::new("WorkerRegistry", "Workers").blake2(&worker), &record));
	}

	/// A worker's record as the registry stores it.
	pub fn record(
		&self,
		worker: WorkerKey,
		operator: Account,
		role: Role,
		expires_at: u64,
	) -> Worker<[u8; 32], u128> {
		Worker {
			operator: <[u8; 32]>::from(operator),
			encryption_key: [0; 32],
			role,
			measurement: IMAGE[usize::from(role == Role::Gatekeeper)],
			platform: H256(worker.0),
			evidence: Evidence::decode(&mut TrailingZeroInput::zeroes()).unwrap(),
			judgement: Judgement { status: TcbStatus::UpToDate, tier: Tier::One, expires_at },
			attested_at: 0,
			appraised_at: 0,
			standing: Standing::Attested,
			score: None,
			endpoint: None,
			endpoint_sequence: 0,
			offered_to: None,
			deposit: 7,
		}
	}

	/// Changes the registry's state.
	pub fn put<T>(&mut self, item: Item<T>, value: &impl Encode) {
		self.at(|| put(item, value));
	}

	/// What was reported since the last call.
	pub fn reported(&self) -> BTreeSet<(OffenceClass, Account)> {
		REPORTS.take().into_iter().collect()
	}
}

/// Everything that is stored.
fn all_state() -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut state = BTreeMap::new();
	let mut key = vec![];
	while let Some(next) = sp_io::storage::next_key(&key) {
		if let Some(value) = sp_io::storage::get(&next) {
			state.insert(next.clone(), value.to_vec());
		}
		key = next;
	}
	state
}

/// The steps of which a message is the one message, and what it says for each.
fn steps(who: WorkerKey, message: &Message) -> Vec<(Vec<u8>, Vec<u8>)> {
	let who = who.0;
	match message {
		Message::Register(statement, _) => {
			let key = statement
				.registration
				.key
				.map(|key| ((who, statement.ceremony, "key").encode(), key.encode()));
			let digest = statement
				.registration
				.digest
				.map(|digest| ((who, statement.ceremony, "digest").encode(), digest.encode()));
			let both = (statement.registration.key.is_some(), digest.is_some());
			let whole = ((who, statement.ceremony, "register", both).encode(), message.encode());
			key.into_iter().chain(digest).chain([whole]).collect()
		}
		Message::Deal(statement, _) => {
			vec![((who, statement.ceremony, "deal").encode(), message.encode())]
		}
		Message::Complain(statement, _) => {
			let step = (who, statement.ceremony, "complain", statement.dealer);
			vec![(step.encode(), message.encode())]
		}
		Message::Request(statement, _) => {
			vec![(
				(who, "request", statement.input, statement.valid_until).encode(),
				message.encode(),
			)]
		}
		// The value is a function of request and share: of the same share there is one proof.
		Message::Answer(id, seat, partial) => {
			vec![((who, "answer", id, seat, partial.value).encode(), message.encode())]
		}
		// Who was killed has lost its question, and asks anew.
		Message::RequestGuard(..) => vec![],
	}
}

/// A queue's next id.
pub fn next_request(chain: &mut Chain) -> u64 {
	chain.at(|| keys::Queue::<Test>::get().next)
}
