//! Safe mode and the pausing of single calls.
//!
//! Both halt what users do with money and leave alone what keeps the chain alive and governed. Both
//! begin only through `pallet-dao`, which bounds them; they end by themselves, or by the same origins.

use super::governance::{EmergencyOrRoot, is_governance};
use crate::{
	AccountId, Balances, BlockNumber, Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason,
	constants::time::SAFE_MODE_DURATION, weights,
};
use frame_support::traits::{
	ConstU32, Contains, EitherOfDiverse, GetCallMetadata, NeverEnsureOrigin,
};
use frame_system::EnsureRoot;
use pallet_dao::origins::GuardRail;
use pallet_tx_pause::RuntimeCallNameOf;

/// What goes on in safe mode: inherents, collation, incoming messages, governance and what it enacts,
/// and the wrappers by which multisigs and proxies reach those (a wrapped call is filtered on its own).
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
			| RuntimeCall::Scheduler(_)
			| RuntimeCall::SafeMode(_)
			| RuntimeCall::TxPause(_)
			| RuntimeCall::MultiBlockMigrations(_)
			// Attestations run out during a halt as well, challenges have to be answered, and offences
			// appealed.
			| RuntimeCall::WorkerRegistry(_)
			| RuntimeCall::Mining(_)
			| RuntimeCall::Slashing(_)
			// Ceremonies have deadlines, and attestations are moved to other machines.
			| RuntimeCall::GatekeeperKeys(_)
			| RuntimeCall::GatekeeperElection(_) => true,
			#[cfg(feature = "development")]
			RuntimeCall::Sudo(_) => true,
			_ => {
				let name = call.get_call_metadata();
				is_governance(call)
					|| is_kept(name.pallet_name.as_bytes(), name.function_name.as_bytes())
			}
		}
	}
}

/// Single calls that neither a halt nor a pause reaches, in pallets that have others: what referenda enact
/// with another origin than Root (which passes every filter), since an approved referendum must not
/// turn into nothing; and what keeps workers attested, or lets them leave.
const KEPT: &[(&str, &[&str])] = &[
	(
		"Identity",
		&[
			"add_registrar",
			"remove_registrar",
			"kill_identity",
			"add_username_authority",
			"remove_username_authority",
			"kill_username",
		],
	),
	("Treasury", &["spend_local", "remove_approval", "spend", "void_spend"]),
	(
		"Bounties",
		&[
			"approve_bounty",
			"approve_bounty_with_curator",
			"propose_curator",
			"unassign_curator",
			"close_bounty",
		],
	),
	("ChildBounties", &["unassign_curator", "close_child_bounty"]),
	(
		"Mining",
		&[
			"heartbeat",
			"schedule_parameters",
			"unschedule_parameters",
			"report_outage",
			"spend_reserve",
		],
	),
	(
		"Slashing",
		&[
			"lapse",
			"convict",
			"dismiss",
			"cancel",
			"pardon",
			"apply",
			"set_policy",
			"set_parameters",
		],
	),
	// To leave in time, or in order, while everything else stands still. None moves PHA.
	("StakePools", &["stop", "withdraw", "cancel_withdrawal", "withdraw_own", "force", "reclaim"]),
	(
		"GatekeeperKeys",
		&[
			"register",
			"deal",
			"complain",
			"request",
			"answer",
			"request_guard",
			"rotate",
			"cancel_rotation",
			"retire",
			"retry",
			"abort",
		],
	),
	(
		"WorkerRegistry",
		&[
			"submit_tcb_info",
			"submit_qe_identity",
			"submit_pck_ca",
			"submit_crl",
			"renew",
			"reappraise",
			"deregister",
			"set_measurement",
			"sunset_measurement",
			"remove_measurement",
			"set_policy",
			"activate_evaluation",
			"ban_platform",
			"unban_platform",
		],
	),
];

/// What moves PHA out of pools and bonds. A halt reaches these and a pause does not: a halt stops what is
/// stolen and ends by itself, a pause could keep some people's stake in.
const EXITS: &[(&str, &[&str])] = &[
	("StakePools", &["process", "settle", "claim", "claim_owner", "close"]),
	(
		"Staking",
		&[
			"chill",
			"unbond",
			"rebond",
			"withdraw_unbonded",
			"payout_stakers",
			"payout_stakers_by_page",
		],
	),
	("GatekeeperElection", &["revoke", "unbind", "evict"]),
];

/// Is the call one of [`KEPT`]?
fn is_kept(pallet: &[u8], call: &[u8]) -> bool {
	is_listed(KEPT, pallet, call)
}

fn is_listed(list: &[(&str, &[&str])], pallet: &[u8], call: &[u8]) -> bool {
	list.iter()
		.filter(|(name, _)| name.as_bytes() == pallet)
		.any(|(_, calls)| calls.iter().any(|name| name.as_bytes() == call))
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
	type ForceEnterOrigin = NeverEnsureOrigin<BlockNumber>;
	type ForceExtendOrigin = NeverEnsureOrigin<BlockNumber>;
	type ForceExitOrigin = EmergencyOrRoot;
	type ForceDepositOrigin = EnsureRoot<AccountId>;
	type Notify = ();
	type ReleaseDelay = ();
	type WeightInfo = weights::pallet_safe_mode::WeightInfo<Runtime>;
}

/// What cannot be paused: a chain without its inherents stops, one without its governance could never
/// unpause, nobody may be kept from leaving, and what was approved is enacted.
pub struct Unpausable;

impl Unpausable {
	/// Pallets of which no call can be paused.
	const PALLETS: &[&str] = &[
		"System",
		"ParachainSystem",
		"Timestamp",
		"Sudo",
		"CollatorSelection",
		"Session",
		"Utility",
		"Multisig",
		"Proxy",
		"Preimage",
		"Scheduler",
		"Referenda",
		"ConvictionVoting",
		"Whitelist",
		"FellowshipCollective",
		"FellowshipCore",
		"FellowshipReferenda",
		"Parameters",
		"Dao",
		"SafeMode",
		"TxPause",
		"MultiBlockMigrations",
	];
}

impl Contains<RuntimeCallNameOf<Runtime>> for Unpausable {
	fn contains((pallet, call): &RuntimeCallNameOf<Runtime>) -> bool {
		Self::PALLETS.iter().any(|name| name.as_bytes() == pallet.as_slice())
			|| is_kept(pallet, call)
			|| is_listed(EXITS, pallet, call)
	}
}

impl pallet_tx_pause::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PauseOrigin = NeverEnsureOrigin<()>;
	type UnpauseOrigin = EitherOfDiverse<GuardRail, EmergencyOrRoot>;
	type WhitelistedCalls = Unpausable;
	type MaxNameLen = ConstU32<256>;
	type WeightInfo = weights::pallet_tx_pause::WeightInfo<Runtime>;
}
