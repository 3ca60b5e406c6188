//! A runtime with the ledger, real balances, and pools whose owners and delegators hold stake.

mod pools;

pub use pools::{
	claims, deposit, ended, entitlement, has_room, lazily_collect, leave, originals, returned,
	stingy,
};

use crate as pallet_slashing;
use crate::{Parameters, Policy};
use frame_support::{
	derive_impl, parameter_types,
	traits::{
		ConstU32, ConstU128, EitherOfDiverse, Hooks, OnGenesis,
		fungible::{Inspect, Mutate},
		tokens::imbalance::ResolveTo,
	},
	weights::{Weight, WeightMeter},
};
use frame_system::{EnsureRoot, EnsureSignedBy};
use phala_primitives::{
	Authority, EvidenceHash, OffenceClass, OffenceId, OffenceReport, ReportOffence, Source,
};
use proptest::test_runner::Config as ProptestConfig;
use sp_runtime::{BuildStorage, DispatchError, Perquintill, traits::BlockNumberProvider};

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlock<Test>;

/// One PHA.
pub const PHA: u128 = 1_000_000_000_000;
pub const ERA: u32 = 100;
pub const WINDOW: u32 = 300;
pub const DEFERRAL: u32 = 400;
pub const KEPT: u32 = 10_000;
pub const INTERVAL: u32 = 700;
pub const TREASURY: AccountId = 999;
pub const JUDGES: AccountId = 998;
pub const CANCELLERS: AccountId = 997;
/// A reporter with nothing else to do.
pub const ALICE: AccountId = 900;
pub const BOB: AccountId = 901;
/// Has no account.
pub const NOBODY: AccountId = 902;

/// Pools of the mock: owner 10 + n, delegators 100 + 10 n + k.
pub fn owner(pool: u32) -> AccountId {
	10 + u64::from(pool)
}

pub fn delegator(pool: u32, k: u32) -> AccountId {
	100 + 10 * u64::from(pool) + u64::from(k)
}

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Pools: pools::pallet,
		Slashing: pallet_slashing,
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

impl pools::pallet::Config for Test {}

parameter_types! {
	pub static RelayBlock: u32 = 1;
	pub const Treasury: AccountId = TREASURY;
	pub static ServiceWeight: Weight = Weight::MAX;
	pub static Retention: u32 = KEPT;
	/// Most tests jump.
	pub static StallAfter: u32 = u32::MAX;
	pub const Mining: Authority = Authority::Mining;
	pub const Keys: Authority = Authority::Keys;
	pub const Quota: Authority = Authority::Quota;
	pub const Registry: Authority = Authority::Registry;
}

frame_support::ord_parameter_types! {
	pub const Judges: AccountId = JUDGES;
	pub const Cancellers: AccountId = CANCELLERS;
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
	type Offender = u32;
	type Tranche = u64;
	type Slashable = Pools;
	type OnSlash = ToTreasury;
	type BlockNumberProvider = RelayClock;
	type AdminOrigin = EnsureRoot<AccountId>;
	type CancelOrigin =
		EitherOfDiverse<EnsureRoot<AccountId>, EnsureSignedBy<Cancellers, AccountId>>;
	type JudgeOrigin = EitherOfDiverse<EnsureRoot<AccountId>, EnsureSignedBy<Judges, AccountId>>;
	type EraLength = ConstU32<ERA>;
	type EvidenceWindow = ConstU32<WINDOW>;
	type Retention = Retention;
	type StallAfter = StallAfter;
	type ChangeInterval = ConstU32<INTERVAL>;
	type Unit = ConstU128<PHA>;
	type MaxAccusations = ConstU32<40>;
	type ServiceWeight = ServiceWeight;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = pools::Helper;
}

/// Builds a chain, runs a test, and checks all invariants.
pub struct ExtBuilder {
	pools: u32,
	delegators: u32,
	own: u128,
	delegated: u128,
}

impl Default for ExtBuilder {
	/// Ten pools of 1,000 PHA: 100 of the owner and 300 of each of three delegators.
	fn default() -> Self {
		Self { pools: 10, delegators: 3, own: 100 * PHA, delegated: 300 * PHA }
	}
}

impl ExtBuilder {
	pub fn pools(self, pools: u32) -> Self {
		Self { pools, ..self }
	}

	/// Stake of each owner and of each of three delegators.
	pub fn stakes(self, own: u128, delegated: u128) -> Self {
		Self { own, delegated, ..self }
	}

	pub fn build(self) -> sp_io::TestExternalities {
		let mut ext: sp_io::TestExternalities =
			frame_system::GenesisConfig::<Test>::default().build_storage().unwrap().into();
		ext.execute_with(|| {
			System::set_block_number(1);
			RelayBlock::set(1);
			ServiceWeight::set(Weight::MAX);
			Retention::set(KEPT);
			StallAfter::set(u32::MAX);
			AllPalletsWithSystem::on_genesis();
			for rich in [TREASURY, ALICE, BOB] {
				Balances::set_balance(&rich, 1_000_000_000 * PHA);
			}
			for pool in 0..self.pools {
				let holders = (0..self.delegators).map(|k| (delegator(pool, k), self.delegated));
				for (who, stake) in core::iter::once((owner(pool), self.own)).chain(holders) {
					Balances::set_balance(&who, 10 * PHA + 4 * stake);
					deposit(pool, who, stake);
				}
			}
		});
		ext
	}

	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			let issued = Balances::total_issuance();
			test();
			check();
			assert_eq!(Balances::total_issuance(), issued, "nothing is burnt or minted");
		})
	}
}

/// So many cases of a property, or more if `PROPTEST_CASES` says so.
pub fn cases(least: u32) -> ProptestConfig {
	let more = std::env::var("PROPTEST_CASES").map_or(0, |_| ProptestConfig::default().cases);
	ProptestConfig::with_cases(least.max(more))
}

/// All invariants: of the ledger, and of what its neighbours can count.
pub fn check() {
	Slashing::do_try_state().unwrap();
	pools::check();
}

/// Goes to a relay-chain block, and lets the hook run in it and in the one before each era that
/// begins on the way.
pub fn run_to(block: u32) {
	while RelayBlock::get() < block {
		let era_end = (RelayBlock::get() / ERA + 1) * ERA;
		RelayBlock::set(era_end.min(block));
		poll();
	}
}

pub fn run_for(blocks: u32) {
	run_to(RelayBlock::get() + blocks);
}

/// Goes to a relay-chain block, and runs no hook.
pub fn jump_to(block: u32) {
	RelayBlock::set(block);
}

pub fn poll() -> Weight {
	System::set_block_number(System::block_number() + 1);
	let mut meter = WeightMeter::new();
	Slashing::on_poll(System::block_number(), &mut meter);
	meter.consumed()
}

pub fn evidence(n: u64) -> EvidenceHash {
	EvidenceHash::of(&n)
}

pub fn percent(n: u64) -> Perquintill {
	Perquintill::from_percent(n)
}

/// A report of full severity for now, with evidence that was never used.
pub fn offence(class: OffenceClass, pool: u32) -> OffenceReport<u32, AccountId> {
	thread_local!(static NEXT: core::cell::Cell<u64> = const { core::cell::Cell::new(1 << 32) });
	let fresh = NEXT.with(|next| next.replace(next.get() + 1));
	OffenceReport {
		class,
		offender: pool,
		committed: RelayBlock::get(),
		evidence: evidence(fresh),
		severity: Perquintill::one(),
		source: match class {
			OffenceClass::Outage | OffenceClass::Absence => Source::Measured,
			_ => Source::Proven { reporter: None },
		},
	}
}

/// Reports as the authority that a class starts with.
pub fn report(report: OffenceReport<u32, AccountId>) -> Result<OffenceId, DispatchError> {
	use pallet_slashing::ReportsFrom;
	match report.class {
		OffenceClass::Outage => ReportsFrom::<Test, Mining>::report(report),
		OffenceClass::LeaseBreach => ReportsFrom::<Test, Quota>::report(report),
		OffenceClass::Compromise => ReportsFrom::<Test, Registry>::report(report),
		_ => ReportsFrom::<Test, Keys>::report(report),
	}
}

/// An outage with this severity.
pub fn outage(pool: u32, severity: Perquintill) -> OffenceId {
	report(OffenceReport { severity, ..offence(OffenceClass::Outage, pool) }).unwrap()
}

pub fn equivocation(pool: u32) -> OffenceId {
	report(offence(OffenceClass::Equivocation, pool)).unwrap()
}

/// Writes a policy past the rails of `set_policy`.
pub fn force_policy(class: OffenceClass, change: impl FnOnce(&mut Policy)) {
	let mut value = Slashing::policy_of(class);
	change(&mut value);
	pallet_slashing::Policies::<Test>::insert(class, crate::policy::Enacted { value, since: 0 });
}

/// Writes parameters past the rails of `set_parameters`.
pub fn force_parameters(change: impl FnOnce(&mut Parameters)) {
	let mut value = Slashing::parameters_now();
	change(&mut value);
	pallet_slashing::ParametersInForce::<Test>::put(crate::policy::Enacted { value, since: 0 });
}

pub fn get(id: OffenceId) -> crate::OffenceOf<Test> {
	pallet_slashing::Ledger::<Test>::get(id.class, id.index).unwrap()
}

/// What the treasury has.
pub fn treasury() -> u128 {
	Balances::balance(&TREASURY)
}

/// Events of the ledger since the last call.
pub fn events() -> Vec<crate::Event<Test>> {
	let events = System::read_events_for_pallet::<crate::Event<Test>>();
	System::reset_events();
	events
}
