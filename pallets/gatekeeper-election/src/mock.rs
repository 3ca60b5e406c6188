//! A runtime with the pallet, real staking, real bags and real balances; its other neighbours do what
//! tests tell them.

use crate as pallet_gatekeeper_election;
use crate::{guard::Guarded, rewards::SettleRewards, sessions::Sessions, voters::VotingBonds};
use frame_election_provider_support::{
	SequentialPhragmen, VoteWeight,
	bounds::{ElectionBounds, ElectionBoundsBuilder},
	onchain,
};
use frame_support::{
	PalletId, derive_impl, parameter_types,
	traits::{
		ConstBool, ConstU32, ConstU64, ConstU128, Hooks, OnUnbalanced, UnixTime,
		fungible::{Balanced, Inspect, InspectHold, Mutate},
		tokens::{Fortitude, Precision, Preservation},
	},
	weights::WeightMeter,
};
use frame_system::{EnsureRoot, RawOrigin};
use pallet_session::SessionManager;
use pallet_staking::{FixedNominationsQuota, RewardDestination, UseValidatorsMap, ValidatorPrefs};
use phala_attestation::{Role, Tier};
use phala_primitives::{
	AttestedWorker, AttestedWorkers, GatekeeperSet, Gatekeepers, Handover, OpenCases, PlatformId,
	Reserve, Seat, WorkerKey,
};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Perbill, Perquintill};
use sp_staking::currency_to_vote::SaturatingCurrencyToVote;
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};

pub type AccountId = u64;
pub type CreditOf = crate::CreditOf<Test>;
type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Staking: pallet_staking,
		VoterList: pallet_bags_list,
		Election: pallet_gatekeeper_election,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u128>;
}

/// One PHA of the mock: small, so that votes are plancks.
pub const PHA: u128 = 1_000_000_000;
pub const ED: u128 = PHA / 100;
pub const BOND: u128 = 1_000 * PHA;
pub const NOMINATION: u128 = 100 * PHA;
pub const TREASURY: AccountId = 9_999;
pub const RESERVE: AccountId = 9_998;
pub const RESERVED: u128 = 100_000_000 * PHA;
pub const SEATS: u32 = 7;
pub const MIN: u32 = 4;
pub const CANDIDATES: u32 = 40;
pub const SESSION_MILLIS: u64 = 6 * 60 * 60 * 1_000;
pub const PER_ERA: u32 = 3;
pub const BONDING: u32 = 5;
pub const HISTORY: u32 = 8;

parameter_types! {
	pub static Clock: u64 = 1_000_000_000;
	pub static Office: Vec<Seat<AccountId>> = Vec::new();
	pub static Next: Option<Vec<Seat<AccountId>>> = None;
	pub static State: Handover = Handover::Settled;
	/// Those who run the ceremonies refuse every set.
	pub static Refusing: bool = false;
	pub static Cases: BTreeSet<AccountId> = BTreeSet::new();
	/// What the reserve lets out.
	pub static Cap: u128 = 1_000_000 * PHA;
	pub static BagThresholds: &'static [VoteWeight] = &[
		100_000_000_000, 1_000_000_000_000, 2_000_000_000_000, 5_000_000_000_000,
		20_000_000_000_000, 100_000_000_000_000,
	];
	pub Bounds: ElectionBounds = ElectionBoundsBuilder::default().build();
	pub const EscrowId: PalletId = PalletId(*b"test/esc");
	pub const RewardRate: Perquintill = Perquintill::from_percent(10);
}

thread_local! {
	static ATTESTED: RefCell<BTreeMap<[u8; 32], AttestedWorker<AccountId>>> =
		const { RefCell::new(BTreeMap::new()) };
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type ExistentialDeposit = ConstU128<ED>;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type DustRemoval = ToTreasury;
}

/// Gives credits to the treasury.
pub struct ToTreasury;
impl OnUnbalanced<CreditOf> for ToTreasury {
	fn on_nonzero_unbalanced(credit: CreditOf) {
		Balances::resolve(&TREASURY, credit).unwrap();
	}
}

/// Unix time.
pub struct Time;
impl UnixTime for Time {
	fn now() -> Duration {
		Duration::from_millis(Clock::get())
	}
}

pub struct OnChain;
impl onchain::Config for OnChain {
	type Sort = ConstBool<true>;
	type System = Test;
	type Solver = SequentialPhragmen<AccountId, Perbill>;
	type MaxBackersPerWinner = ConstU32<16>;
	type MaxWinnersPerPage = ConstU32<32>;
	type DataProvider = Staking;
	type WeightInfo = ();
	type Bounds = Bounds;
}

#[derive_impl(pallet_staking::config_preludes::TestDefaultConfig)]
impl pallet_staking::Config for Test {
	type OldCurrency = Balances;
	type Currency = Guarded<Test>;
	type CurrencyToVote = SaturatingCurrencyToVote;
	type UnixTime = Time;
	type ElectionProvider = Election;
	type GenesisElectionProvider = Election;
	type NominationsQuota = FixedNominationsQuota<16>;
	type HistoryDepth = ConstU32<HISTORY>;
	type RewardRemainder = ();
	type Slash = ToTreasury;
	type Reward = SettleRewards<Test>;
	type SessionsPerEra = ConstU32<PER_ERA>;
	type BondingDuration = ConstU32<BONDING>;
	type SlashDeferDuration = ConstU32<0>;
	type AdminOrigin = EnsureRoot<AccountId>;
	type SessionInterface = Election;
	type EraPayout = Election;
	type MaxExposurePageSize = ConstU32<16>;
	type MaxValidatorSet = ConstU32<32>;
	type VoterList = VoterList;
	type TargetList = UseValidatorsMap<Self>;
	type MaxUnlockingChunks = ConstU32<4>;
}

impl pallet_bags_list::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type ScoreProvider = VotingBonds<Test>;
	type BagThresholds = BagThresholds;
	type MaxAutoRebagPerBlock = ();
	type Score = VoteWeight;
}

/// The registry of workers.
pub struct Registry;
impl AttestedWorkers<AccountId> for Registry {
	fn attested_within(worker: &WorkerKey, grace: u64) -> Option<AttestedWorker<AccountId>> {
		let now = Clock::get() / 1_000;
		ATTESTED.with_borrow(|all| {
			all.get(&worker.0).filter(|one| now < one.expires_at + grace).cloned()
		})
	}
}

/// Those who run the ceremonies: a handover takes until the test says what came of it.
pub struct Keys;
impl Gatekeepers<AccountId> for Keys {
	fn on_set_elected(elected: Vec<(AccountId, WorkerKey)>) -> DispatchResult {
		assert_ne!(State::get(), Handover::Underway, "no election while the key is on its way");
		let mut machines = BTreeSet::new();
		for (_, worker) in &elected {
			let attested = Registry::attested(worker).expect("only who is attested is elected");
			assert_eq!(attested.role, Role::Gatekeeper);
			assert!(machines.insert(attested.platform), "one machine, one seat");
		}
		let accounts: BTreeSet<_> = elected.iter().map(|(account, _)| account).collect();
		assert_eq!(accounts.len(), elected.len(), "one account, one seat");
		assert!((MIN..=32).contains(&(elected.len() as u32)));
		if Refusing::get() {
			return Err(DispatchError::Other("refused"));
		}
		let seat = |(account, worker)| Seat { account, worker };
		let seats: Vec<_> = elected.into_iter().map(seat).collect();
		let sorted = |seats: &[Seat<AccountId>]| -> BTreeSet<_> {
			seats.iter().map(|seat| (seat.account, seat.worker.0)).collect()
		};
		if sorted(&seats) == sorted(&Office::get()) {
			Next::set(None);
			State::set(Handover::Settled);
		} else {
			Next::set(Some(seats));
			State::set(Handover::Underway);
		}
		Ok(())
	}

	fn may_unbond(who: &AccountId) -> bool {
		let all = Office::get().into_iter().chain(Next::get().unwrap_or_default());
		!all.into_iter().any(|seat| seat.account == *who)
	}

	fn in_office() -> Vec<Seat<AccountId>> {
		Office::get()
	}

	fn handover() -> Handover {
		State::get()
	}
}

/// The ledger of offences.
pub struct Ledger;
impl OpenCases<AccountId> for Ledger {
	fn has_open_case(offender: &AccountId) -> bool {
		Cases::get().contains(offender)
	}
}

/// The reserve: an account, and a cap.
pub struct Pot;
impl Reserve<CreditOf> for Pot {
	fn available() -> u128 {
		Cap::get()
	}

	fn draw(amount: u128) -> Result<CreditOf, DispatchError> {
		let left = Cap::get().checked_sub(amount).ok_or(DispatchError::Exhausted)?;
		let credit = Balances::withdraw(
			&RESERVE,
			amount,
			Precision::Exact,
			Preservation::Preserve,
			Fortitude::Polite,
		)?;
		Cap::set(left);
		Ok(credit)
	}

	fn give_back(credit: CreditOf) {
		Balances::resolve(&RESERVE, credit).unwrap();
	}
}

impl pallet_gatekeeper_election::Config for Test {
	type Asset = Balances;
	type Solver = onchain::OnChainExecution<OnChain>;
	type Workers = Registry;
	type Gatekeepers = Keys;
	type Cases = Ledger;
	type Reserve = Pot;
	type EscrowId = EscrowId;
	type MinSeats = ConstU32<MIN>;
	type MaxCandidates = ConstU32<CANDIDATES>;
	type MaxVoters = ConstU32<64>;
	type RewardRate = RewardRate;
	type YearlyReward = ConstU128<{ 10_000 * PHA }>;
	type MaxEraMillis = ConstU64<{ 2 * PER_ERA as u64 * SESSION_MILLIS }>;
	type EvictionGrace = ConstU64<3_600>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Registry;
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper<AccountId> for Registry {
	fn gatekeeper(seed: u32, operator: &AccountId) -> WorkerKey {
		let seed = 1_000_000 + u64::from(seed);
		attest(worker(seed), *operator, Role::Gatekeeper, seed);
		worker(seed)
	}

	fn office() {
		let seat = |seed: u32| {
			let account = crate::benchmarking::member::<Test>(seed);
			let worker = Self::gatekeeper(100_000 + seed, &account);
			Seat { account, worker }
		};
		Office::set((0..crate::types::MAX_SEATS).map(seat).collect());
	}
}

pub fn worker(seed: u64) -> WorkerKey {
	WorkerKey::from_raw(H256::from_low_u64_be(seed).0)
}

pub fn machine(seed: u64) -> PlatformId {
	H256::from_low_u64_be(seed)
}

/// Attests a worker, for long.
pub fn attest(worker: WorkerKey, operator: AccountId, role: Role, on: u64) {
	let expires_at = Clock::get() / 1_000 + 1_000_000_000;
	let platform = machine(on);
	let attested =
		AttestedWorker { operator, role, tier: Tier::One, platform, score: 0, expires_at };
	ATTESTED.with_borrow_mut(|all| all.insert(worker.0, attested));
}

/// Lets an attestation have run out `ago` seconds ago.
pub fn lapse(worker: &WorkerKey, ago: u64) {
	let at = Clock::get() / 1_000 - ago;
	ATTESTED.with_borrow_mut(|all| all.get_mut(&worker.0).unwrap().expires_at = at);
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
	RawOrigin::Signed(who).into()
}

/// As an extrinsic: all of it, or nothing.
pub fn dispatch(origin: RuntimeOrigin, call: impl Into<RuntimeCall>) -> DispatchResult {
	use sp_runtime::traits::Dispatchable;
	call.into().dispatch(origin).map(|_| ()).map_err(|error| error.error)
}

pub fn withdraw(who: AccountId) -> DispatchResult {
	dispatch(signed(who), pallet_staking::Call::withdraw_unbonded { num_slashing_spans: 0 })
}

/// Gives `who` what it bonds, and some more.
pub fn fund(who: AccountId, amount: u128) {
	let endow = amount + PHA;
	if Balances::balance(&who) < endow {
		Balances::transfer(&RESERVE, &who, endow, Preservation::Preserve).unwrap();
	}
}

pub fn bond(who: AccountId, amount: u128) {
	fund(who, amount);
	Staking::bond(signed(who), amount, RewardDestination::Stash).unwrap();
}

/// A stash with a bond that stands, and its own gatekeeper on a machine of its own.
pub fn stand(who: AccountId, amount: u128) {
	bond(who, amount);
	Staking::validate(signed(who), ValidatorPrefs::default()).unwrap();
	attest(worker(who), who, Role::Gatekeeper, who);
	Election::bind(signed(who), worker(who)).unwrap();
}

pub fn nominate(who: AccountId, amount: u128, targets: &[AccountId]) {
	bond(who, amount);
	Staking::nominate(signed(who), targets.to_vec()).unwrap();
}

/// Ends the chain's session, and lets the hook of the next block run.
pub fn session() {
	Clock::set(Clock::get() + SESSION_MILLIS);
	<Sessions<Test, ()> as SessionManager<AccountId>>::end_session(0);
	block();
}

/// A block.
pub fn block() {
	System::set_block_number(System::block_number() + 1);
	Election::on_poll(System::block_number(), &mut WeightMeter::new());
	Staking::on_finalize(System::block_number());
}

/// The handover is final.
pub fn hand_over() {
	let next = Next::take().expect("a set waits for the key");
	Office::set(next);
	State::set(Handover::Settled);
	Election::handover_final(0);
	block();
}

/// Sessions until an election has brought a set, whose handover waits.
pub fn to_election() {
	for _ in 0..=PER_ERA {
		if Next::get().is_some() {
			return;
		}
		session();
	}
	assert!(Next::get().is_some(), "no set was elected: {:?}", crate::LastFailure::<Test>::get());
}

/// A whole era: elected, and handed over.
pub fn era() {
	to_election();
	hand_over();
}

/// An era in which nothing changes.
pub fn quiet_era() {
	let before = active();
	for _ in 0..PER_ERA {
		session();
	}
	assert_eq!(active(), before + 1);
}

pub fn active() -> u32 {
	pallet_staking::ActiveEra::<Test>::get().unwrap().index
}

/// Accounts in office, sorted.
pub fn office() -> Vec<AccountId> {
	let mut all: Vec<_> = Office::get().into_iter().map(|seat| seat.account).collect();
	all.sort();
	all
}

/// Accounts that were elected and wait, sorted.
pub fn next() -> Vec<AccountId> {
	let mut all: Vec<_> =
		Next::get().unwrap_or_default().into_iter().map(|seat| seat.account).collect();
	all.sort();
	all
}

pub fn bonded(who: AccountId) -> u128 {
	Balances::balance_on_hold(&crate::Pallet::<Test>::staked(), &who)
}

pub fn suspected(who: AccountId) -> u128 {
	Balances::balance_on_hold(&crate::Pallet::<Test>::held(), &who)
}

/// What the reserve, the treasury and everybody else have: all there is.
pub fn issued() -> u128 {
	Balances::total_issuance()
}

pub fn events() -> Vec<crate::Event<Test>> {
	let events = System::events().into_iter().filter_map(|record| match record.event {
		RuntimeEvent::Election(event) => Some(event),
		_ => None,
	});
	let events = events.collect();
	System::reset_events();
	events
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	ATTESTED.take();
	Clock::set(1_000_000_000_000);
	Office::set(Vec::new());
	Next::set(None);
	State::set(Handover::Settled);
	Refusing::set(false);
	Cases::set(BTreeSet::new());
	Cap::set(1_000_000 * PHA);
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![(TREASURY, PHA), (RESERVE, RESERVED)],
			..Default::default()
		},
		staking: pallet_staking::GenesisConfig {
			validator_count: SEATS,
			minimum_validator_count: MIN,
			min_nominator_bond: NOMINATION,
			min_validator_bond: BOND,
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	ext.execute_with(|| {
		System::set_block_number(1);
		block();
	});
	ext
}

/// Runs a test, and checks all invariants and that nothing was made or burnt.
pub fn run(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		let before = issued();
		test();
		check();
		assert_eq!(issued(), before, "issuance is what it was");
	})
}

pub fn check() {
	Election::do_try_state().unwrap();
	#[cfg(feature = "try-runtime")]
	{
		use frame_support::traits::{TryState, TryStateSelect};
		AllPalletsWithSystem::try_state(System::block_number(), TryStateSelect::All).unwrap();
	}
	let held: u128 = frame_system::Account::<Test>::iter_values()
		.map(|account| account.data.free + account.data.reserved)
		.sum();
	assert_eq!(held, issued(), "accounts have what was issued");
}

/// Seven in office, from 1 to 7, with twice the least bond; 8 to 10 stand with less.
pub fn seated() {
	for who in 1..=7 {
		stand(who, 2 * BOND);
	}
	for who in 8..=10 {
		stand(who, BOND);
	}
	era();
	assert_eq!(office(), [1, 2, 3, 4, 5, 6, 7]);
	events();
}
