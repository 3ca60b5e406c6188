//! Safe mode and the pausing of single calls.
//!
//! Both halt what users do with money and leave alone what keeps the chain alive and governed.

use super::Admin;
use crate::{
	AccountId, Balances, Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason,
	constants::time::SAFE_MODE_DURATION, weights,
};
use frame_support::traits::{ConstU32, Contains};
use frame_system::EnsureRootWithSuccess;
use pallet_tx_pause::RuntimeCallNameOf;

/// What goes on in safe mode: inherents, collation, incoming messages, governance, and the wrappers
/// by which multisigs and proxies reach those (a wrapped call is filtered on its own).
pub struct WorksInSafeMode;

impl Contains<RuntimeCall> for WorksInSafeMode {
	fn contains(call: &RuntimeCall) -> bool {
		match call {
			RuntimeCall::System(_)
			| RuntimeCall::ParachainSystem(_)
			| RuntimeCall::Timestamp(_)
			| RuntimeCall::CollatorSelection(_)
			| RuntimeCall::Session(_)
			| RuntimeCall::MessageQueue(_)
			| RuntimeCall::XcmpQueue(_)
			| RuntimeCall::Utility(_)
			| RuntimeCall::Multisig(_)
			| RuntimeCall::Proxy(_)
			| RuntimeCall::Preimage(_)
			| RuntimeCall::Scheduler(_)
			| RuntimeCall::SafeMode(_)
			| RuntimeCall::TxPause(_)
			| RuntimeCall::MultiBlockMigrations(_)
			// Attestations run out during a halt as well.
			| RuntimeCall::WorkerRegistry(_) => true,
			#[cfg(feature = "development")]
			RuntimeCall::Sudo(_) => true,
			_ => false,
		}
	}
}

impl pallet_safe_mode::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WhitelistedCalls = WorksInSafeMode;
	type EnterDuration = ConstU32<SAFE_MODE_DURATION>;
	type ExtendDuration = ConstU32<SAFE_MODE_DURATION>;
	/// Nobody can buy a halt.
	type EnterDepositAmount = ();
	type ExtendDepositAmount = ();
	type ForceEnterOrigin = EnsureRootWithSuccess<AccountId, ConstU32<SAFE_MODE_DURATION>>;
	type ForceExtendOrigin = EnsureRootWithSuccess<AccountId, ConstU32<SAFE_MODE_DURATION>>;
	type ForceExitOrigin = Admin;
	type ForceDepositOrigin = Admin;
	type Notify = ();
	type ReleaseDelay = ();
	type WeightInfo = weights::pallet_safe_mode::WeightInfo<Runtime>;
}

/// Pallets of which no call can be paused: a chain without its inherents stops, and one without
/// its governance could never unpause.
pub struct Unpausable;

impl Unpausable {
	const PALLETS: &[&str] = &[
		"System",
		"ParachainSystem",
		"Timestamp",
		"Sudo",
		"Session",
		"Preimage",
		"Scheduler",
		"SafeMode",
		"TxPause",
		"MultiBlockMigrations",
	];
}

impl Contains<RuntimeCallNameOf<Runtime>> for Unpausable {
	fn contains((pallet, _call): &RuntimeCallNameOf<Runtime>) -> bool {
		Self::PALLETS.iter().any(|name| name.as_bytes() == pallet.as_slice())
	}
}

impl pallet_tx_pause::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PauseOrigin = Admin;
	type UnpauseOrigin = Admin;
	type WhitelistedCalls = Unpausable;
	type MaxNameLen = ConstU32<256>;
	type WeightInfo = weights::pallet_tx_pause::WeightInfo<Runtime>;
}
