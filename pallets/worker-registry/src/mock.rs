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
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockTime;
}

#[cfg(feature = "runtime-benchmarks")]
impl BenchmarkHelper for MockTime {
	fn set_time(seconds: u64) {
		Clock::set(seconds);
	}
}
