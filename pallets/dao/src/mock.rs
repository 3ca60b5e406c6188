//! A small chain with the pallets that this one works with.

use crate::{self as pallet_dao, *};
use frame_support::{
	derive_impl,
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	parameter_types,
	traits::{
		AsEnsureOriginWithArg, ConstU32, ConstU64, EqualPrivilegeOnly, InsideBoth,
		NeverEnsureOrigin, Nothing, OnInitialize, fungible::Inspect,
	},
	weights::{Weight, WeightMeter},
};
use frame_system::EnsureRoot;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Permill, traits::Convert};
use std::collections::BTreeMap;

type Block = frame_system::mocking::MockBlock<Test>;
pub type AccountId = u64;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Dao = pallet_dao;
	#[runtime::pallet_index(3)]
	pub type Scheduler = pallet_scheduler;
	#[runtime::pallet_index(4)]
	pub type Parameters = pallet_parameters;
	#[runtime::pallet_index(5)]
	pub type SafeMode = pallet_safe_mode;
	#[runtime::pallet_index(6)]
	pub type TxPause = pallet_tx_pause;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type BaseCallFilter = InsideBoth<SafeMode, TxPause>;
	type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = Watched<Test, System>;
	type RuntimeHoldReason = RuntimeHoldReason;
}

impl pallet_scheduler::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type PalletsOrigin = OriginCaller;
	type RuntimeCall = RuntimeCall;
	type MaximumWeight = MaximumWeight;
	type ScheduleOrigin = EnsureRoot<AccountId>;
	type OriginPrivilegeCmp = EqualPrivilegeOnly;
	type MaxScheduledPerBlock = ConstU32<10>;
	type WeightInfo = ();
	type Preimages = ();
	type BlockNumberProvider = System;
}

parameter_types! {
	pub const MaximumWeight: Weight = Weight::from_parts(2_000_000_000_000, u64::MAX);
	pub static Settled: Vec<u128> = vec![];
	pub static SettlingFails: bool = false;
	/// What each account votes with, one entry per vote.
	pub static Standing: BTreeMap<AccountId, Vec<u64>> = BTreeMap::new();
	pub static LoweringWeight: Weight = Weight::from_parts(1_000_000_000, u64::MAX);
	pub static MaxChanges: u32 = 4;
}

impl pallet_safe_mode::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WhitelistedCalls = Nothing;
	type EnterDuration = ConstU64<10>;
	type ExtendDuration = ConstU64<10>;
	type EnterDepositAmount = ();
	type ExtendDepositAmount = ();
	type ForceEnterOrigin = NeverEnsureOrigin<u64>;
	type ForceExtendOrigin = NeverEnsureOrigin<u64>;
	type ForceExitOrigin = origins::EmergencyHalt;
	type ForceDepositOrigin = EnsureRoot<AccountId>;
	type Notify = ();
	type ReleaseDelay = ();
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
}

/// Of calls, `System::remark` cannot be paused.
pub struct Unpausable;

impl frame_support::traits::Contains<pallet_tx_pause::RuntimeCallNameOf<Test>> for Unpausable {
	fn contains((pallet, call): &pallet_tx_pause::RuntimeCallNameOf<Test>) -> bool {
		pallet.as_slice() == b"System" && call.as_slice() == b"remark"
	}
}

impl pallet_tx_pause::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PauseOrigin = NeverEnsureOrigin<()>;
	type UnpauseOrigin = origins::GuardRail;
	type WhitelistedCalls = Unpausable;
	type MaxNameLen = ConstU32<64>;
	type WeightInfo = ();
}

#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Test>)]
pub mod dynamic_params {
	use super::*;

	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod pay {
		/// A share is its limit.
		#[codec(index = 0)]
		pub static Budget: u128 = 1_000;
		/// A number of units is its limit.
		#[codec(index = 1)]
		pub static Workers: u32 = 5;
	}
}

use dynamic_params::pay;

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
	fn default() -> Self {
		Self::Pay(pay::Parameters::Budget(pay::Budget, Some(1_001)))
	}
}

impl pallet_parameters::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	type AdminOrigin = AsEnsureOriginWithArg<origins::GuardRail>;
	type WeightInfo = ();
}

pub const BUDGET: RuntimeParametersKey =
	RuntimeParametersKey::Pay(pay::ParametersKey::Budget(pay::Budget));
pub const WORKERS: RuntimeParametersKey =
	RuntimeParametersKey::Pay(pay::ParametersKey::Workers(pay::Workers));

/// A proposal to set the budget.
pub fn budget(value: impl Into<Option<u128>>) -> RuntimeParameters {
	RuntimeParameters::Pay(pay::Parameters::Budget(pay::Budget, value.into()))
}

/// A proposal to set the number of workers.
pub fn workers(value: u32) -> RuntimeParameters {
	RuntimeParameters::Pay(pay::Parameters::Workers(pay::Workers, Some(value)))
}

pub struct Guarded;

impl GuardedParameters for Guarded {
	type KeyValue = RuntimeParameters;

	fn keys() -> impl Iterator<Item = RuntimeParametersKey> {
		[BUDGET, WORKERS].into_iter()
	}

	fn guard(RuntimeParametersKey::Pay(key): &RuntimeParametersKey) -> Guard {
		match key {
			pay::ParametersKey::Budget(_) => Guard {
				range: Range { lowest: 100, highest: 10_000 },
				per_enactment: Limit::Share(Permill::from_percent(10)),
				per_period: Limit::Share(Permill::from_percent(25)),
			},
			pay::ParametersKey::Workers(_) => Guard {
				range: Range { lowest: 1, highest: 100 },
				per_enactment: Limit::Absolute(2),
				per_period: Limit::Absolute(3),
			},
		}
	}

	fn current(RuntimeParametersKey::Pay(key): &RuntimeParametersKey) -> u128 {
		use frame_support::traits::Get;
		match key {
			pay::ParametersKey::Budget(_) => pay::Budget::get(),
			pay::ParametersKey::Workers(_) => pay::Workers::get().into(),
		}
	}

	fn number(RuntimeParametersValue::Pay(value): &RuntimeParametersValue) -> u128 {
		match value {
			pay::ParametersValue::Budget(value) => *value,
			pay::ParametersValue::Workers(value) => (*value).into(),
		}
	}

	fn before_change(key: &RuntimeParametersKey) -> DispatchResult {
		if SettlingFails::get() {
			return Err(DispatchError::Other("cannot settle"));
		}
		Settled::mutate(|settled| settled.push(Self::current(key)));
		Ok(())
	}

	fn set(key_value: RuntimeParameters) -> DispatchResult {
		Parameters::set_parameter(Origin::GuardRail.into(), key_value)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_change() -> RuntimeParameters {
		budget(1_001)
	}
}

/// Votes as plain numbers, the vote at a position being the one of that class.
pub struct PlainVotes;

impl Votes<AccountId> for PlainVotes {
	type Class = u32;

	fn class(position: u32) -> Option<u32> {
		(position < CLASSES).then_some(position)
	}

	fn lower_one(
		who: &AccountId,
		class: &u32,
		meter: &mut WeightMeter,
	) -> Result<Lowering, DispatchError> {
		if meter.try_consume(Self::max_weight()).is_err() {
			return Ok(Lowering::TooHeavy);
		}
		let owns = <Balances as Inspect<_>>::total_balance(who);
		let lowered = Standing::mutate(|standing| {
			let of_class = standing.get_mut(who)?.iter_mut().skip(*class as usize);
			let mut of_class = of_class.step_by(CLASSES as usize);
			of_class.find(|vote| **vote > owns).map(|vote| *vote = owns)
		});
		Ok(if lowered.is_some() { Lowering::Lowered } else { Lowering::Nothing })
	}

	fn max_weight() -> Weight {
		Weight::from_parts(10_000_000, 0)
	}
}

/// Classes of votes.
pub const CLASSES: u32 = 3;

/// The calls of the runtime.
pub struct KnownCalls;

impl frame_support::traits::Contains<CallNameOf<Test>> for KnownCalls {
	fn contains((pallet, call): &CallNameOf<Test>) -> bool {
		use frame_support::traits::GetCallMetadata;
		let is = |name: &&&str, bytes: &[u8]| name.as_bytes() == bytes;
		let modules = RuntimeCall::get_module_names().iter();
		modules
			.filter(|name| is(name, pallet))
			.any(|module| RuntimeCall::get_call_names(module).iter().any(|name| is(&name, call)))
	}
}

pub struct UnpauseCall;

impl Convert<CallNameOf<Test>, RuntimeCall> for UnpauseCall {
	fn convert(ident: CallNameOf<Test>) -> RuntimeCall {
		pallet_tx_pause::Call::unpause { ident }.into()
	}
}

impl Config for Test {
	type Parameters = Guarded;
	type SafeMode = SafeMode;
	type TxPause = TxPause;
	type Calls = KnownCalls;
	type RuntimeCall = RuntimeCall;
	type UnpauseCall = UnpauseCall;
	type PalletsOrigin = OriginCaller;
	type Scheduler = Scheduler;
	type Preimages = ();
	type Votes = PlainVotes;
	type BlockNumberProvider = System;
	type ParameterOrigin = AsEnsureOriginWithArg<origins::TokenomicsAdmin>;
	type EmergencyOrigin = origins::EmergencyHalt;
	type ChangePeriod = ConstU64<100>;
	type MaxChanges = MaxChanges;
	type MeasurePeriod = ConstU64<100>;
	type MaxMeasures = ConstU32<3>;
	type HaltDuration = ConstU64<10>;
	type PauseDuration = ConstU64<20>;
	type MaxPaused = ConstU32<4>;
	type LoweringWeight = LoweringWeight;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = CallNames;
}

#[cfg(feature = "runtime-benchmarks")]
pub struct CallNames;

#[cfg(feature = "runtime-benchmarks")]
impl BenchmarkHelper<CallNameOf<Test>> for CallNames {
	fn call_names() -> Vec<CallNameOf<Test>> {
		use frame_support::traits::GetCallName;
		let calls = pallet_balances::Call::<Test>::get_call_names();
		calls.iter().map(|call| name("Balances", call)).collect()
	}
}

/// A fresh chain.
pub fn externalities() -> sp_io::TestExternalities {
	let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
	let mut externalities = sp_io::TestExternalities::new(storage.expect("genesis is sound"));
	externalities.execute_with(|| {
		System::set_block_number(1);
		Standing::take();
		Settled::take();
		SettlingFails::set(false);
	});
	externalities
}

/// Runs a test on a fresh chain, and then the checks of its state.
pub fn build_and_execute(test: impl FnOnce()) {
	externalities().execute_with(|| {
		test();
		Dao::do_try_state().expect("the invariants hold");
	});
}

/// Goes on to block `number`, through the hooks of every block.
pub fn run_to(number: u64) {
	while System::block_number() < number {
		let next = System::block_number() + 1;
		System::set_block_number(next);
		AllPalletsWithSystem::on_initialize(next);
	}
}

/// Name of a call.
pub fn name(pallet: &str, call: &str) -> CallNameOf<Test> {
	let bounded = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
	(bounded(pallet), bounded(call))
}
