//! The DAO: referenda on tracks, the fellowship that can speed calls up, the treasury, and what bounds
//! them all.

mod fellowship;
pub mod parameters;
mod scheduling;
pub mod tracks;
mod treasury;
mod votes;

pub use fellowship::{FellowshipTracks, rank_rules};
pub use tracks::Tracks;
pub use votes::{MaxTurnout, StandingVotes};

use super::{RelayClock, ToTreasuryLegacy};
use crate::{
	AccountId, Balances, OriginCaller, Preimage, Referenda, Runtime, RuntimeCall, RuntimeEvent,
	SafeMode, Scheduler, TxPause,
	constants::{governance::*, time::SAFE_MODE_DURATION},
	weights,
};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU128, Contains, EitherOfDiverse, GetCallMetadata},
	weights::Weight,
};
use frame_system::{EnsureRoot, EnsureSigned};
use pallet_dao::{CallNameOf, origins};
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::{Perbill, traits::Convert};

/// Root, or the track for identities.
pub type GeneralAdminOrRoot = EitherOfDiverse<EnsureRoot<AccountId>, origins::GeneralAdmin>;
/// Root, or the track that may halt and end halts.
pub type EmergencyOrRoot = EitherOfDiverse<EnsureRoot<AccountId>, origins::EmergencyHalt>;

/// Calls by which the network governs itself. None moves PHA from one account to another, but deposits
/// can be slashed.
pub fn is_governance(call: &RuntimeCall) -> bool {
	match call {
		RuntimeCall::Preimage(_)
		| RuntimeCall::Referenda(_)
		| RuntimeCall::ConvictionVoting(_)
		| RuntimeCall::Whitelist(_)
		| RuntimeCall::FellowshipCollective(_)
		| RuntimeCall::FellowshipCore(_)
		| RuntimeCall::FellowshipReferenda(_)
		| RuntimeCall::Parameters(_)
		| RuntimeCall::Dao(_) => true,
		// What is approved can be collected later.
		RuntimeCall::Treasury(call) => !matches!(call, pallet_treasury::Call::payout { .. }),
		_ => false,
	}
}

impl pallet_referenda::Config for Runtime {
	type WeightInfo = weights::pallet_referenda::WeightInfo<Runtime>;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type Scheduler = Scheduler;
	type Currency = Balances;
	type SubmitOrigin = EnsureSigned<AccountId>;
	type CancelOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::ReferendumCanceller>;
	type KillOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::ReferendumKiller>;
	type Slash = ToTreasuryLegacy;
	type Votes = pallet_conviction_voting::VotesOf<Runtime>;
	type Tally = pallet_conviction_voting::TallyOf<Runtime>;
	type SubmissionDeposit = ConstU128<SUBMISSION_DEPOSIT>;
	type MaxQueued = ConstU32<MAX_QUEUED>;
	type UndecidingTimeout = ConstU32<UNDECIDING_TIMEOUT>;
	type AlarmInterval = ConstU32<1>;
	type Tracks = Tracks;
	type Preimages = Preimage;
	/// All periods count relay-chain blocks.
	type BlockNumberProvider = RelayClock;
}

impl pallet_conviction_voting::Config for Runtime {
	type WeightInfo = weights::pallet_conviction_voting::WeightInfo<Runtime>;
	type RuntimeEvent = RuntimeEvent;
	/// Votes lock PHA and count what is on hold or reserved too: stake votes.
	type Currency = Balances;
	type Polls = Referenda;
	type MaxTurnout = MaxTurnout;
	type MaxVotes = ConstU32<MAX_VOTES>;
	type VoteLockingPeriod = ConstU32<VOTE_LOCKING_PERIOD>;
	type BlockNumberProvider = RelayClock;
	type VotingHooks = ();
}

impl pallet_whitelist::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WhitelistOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::Fellows>;
	type DispatchWhitelistedOrigin =
		EitherOfDiverse<EnsureRoot<AccountId>, origins::WhitelistedCaller>;
	type Preimages = Preimage;
	type DeferredDispatchExpiration = ConstU32<DEFERRED_DISPATCH_EXPIRATION>;
	type BlockNumberProvider = RelayClock;
	type WeightInfo = weights::pallet_whitelist::WeightInfo<Runtime>;
}

/// The calls of this runtime, by the names that its metadata has.
pub struct CallNames;

impl Contains<RuntimeCallNameOf<Runtime>> for CallNames {
	fn contains((pallet, call): &RuntimeCallNameOf<Runtime>) -> bool {
		RuntimeCall::get_module_names()
			.iter()
			.filter(|name| name.as_bytes() == pallet.as_slice())
			.flat_map(|name| RuntimeCall::get_call_names(name))
			.any(|name| name.as_bytes() == call.as_slice())
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_dao::BenchmarkHelper<CallNameOf<Runtime>> for CallNames {
	fn call_names() -> alloc::vec::Vec<CallNameOf<Runtime>> {
		let bounded = |name: &str| name.as_bytes().to_vec().try_into().ok();
		RuntimeCall::get_module_names()
			.iter()
			.flat_map(|pallet| {
				let calls = RuntimeCall::get_call_names(pallet).iter();
				calls.filter_map(move |call| Some((bounded(pallet)?, bounded(call)?)))
			})
			.collect()
	}
}

/// The call that gives a paused call back.
pub struct Unpause;

impl Convert<CallNameOf<Runtime>, RuntimeCall> for Unpause {
	fn convert(ident: CallNameOf<Runtime>) -> RuntimeCall {
		pallet_tx_pause::Call::unpause { ident }.into()
	}
}

parameter_types! {
	/// What lowering votes may take of a block: with the scheduler's share, inherents still fit.
	pub LoweringWeight: Weight =
		Perbill::from_percent(20) * super::RuntimeBlockWeights::get().max_block;
}

impl pallet_dao::Config for Runtime {
	type Parameters = parameters::Guarded;
	type SafeMode = SafeMode;
	type TxPause = TxPause;
	type Calls = CallNames;
	type RuntimeCall = RuntimeCall;
	type UnpauseCall = Unpause;
	type PalletsOrigin = OriginCaller;
	type Scheduler = Scheduler;
	type Preimages = Preimage;
	type Votes = StandingVotes;
	type BlockNumberProvider = RelayClock;
	type ParameterOrigin = parameters::AdminOf;
	type EmergencyOrigin = EmergencyOrRoot;
	type ChangePeriod = ConstU32<CHANGE_PERIOD>;
	type MaxChanges = ConstU32<MAX_CHANGES>;
	type MeasurePeriod = ConstU32<MEASURE_PERIOD>;
	type MaxMeasures = ConstU32<MAX_MEASURES>;
	type HaltDuration = ConstU32<SAFE_MODE_DURATION>;
	type PauseDuration = ConstU32<PAUSE_DURATION>;
	type MaxPaused = ConstU32<16>;
	type LoweringWeight = LoweringWeight;
	type WeightInfo = weights::pallet_dao::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = CallNames;
}
