//! Blocks: who builds them, and how the relay chain takes them.

use crate::{
	AccountId, Aura, AuraId, Balances, CollatorSelection, MessageQueue, ParachainInfo,
	RelayRandomness, Runtime, RuntimeEvent, Session, SessionKeys, XcmpQueue,
	constants::{
		accounts::COLLATOR_POT,
		consensus::*,
		currency::deposit,
		live_or_development,
		time::{SESSION_PERIOD, SLOT_DURATION},
	},
	weights,
};
use cumulus_pallet_parachain_system::RelayNumberMonotonicallyIncreases;
use cumulus_primitives_core::AggregateMessageOrigin;
use frame_support::{
	PalletId, parameter_types,
	traits::{ConstBool, ConstU32, ConstU64, ConstU128, EnqueueWithOrigin},
	weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_session::{FindAccountFromAuthorIndex, PeriodicSessions};
use sp_runtime::traits::OpaqueKeys;

impl pallet_timestamp::Config for Runtime {
	/// Milliseconds since the Unix epoch.
	type Moment = u64;
	type OnTimestampSet = Aura;
	type MinimumPeriod = ConstU64<0>;
	type WeightInfo = weights::pallet_timestamp::WeightInfo<Runtime>;
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = FindAccountFromAuthorIndex<Self, Aura>;
	type EventHandler = CollatorSelection;
}

impl parachain_info::Config for Runtime {}

parameter_types! {
	/// Weight kept for messages from the relay chain.
	pub const ReservedDmpWeight: Weight = MAXIMUM_BLOCK_WEIGHT.saturating_div(4);
	/// Weight kept for messages from sibling parachains.
	pub const ReservedXcmpWeight: Weight = MAXIMUM_BLOCK_WEIGHT.saturating_div(4);
	/// Origin of messages from the relay chain.
	pub const RelayOrigin: AggregateMessageOrigin = AggregateMessageOrigin::Parent;
}

/// Binds Aura's slots to the relay chain's.
pub type ConsensusHook = cumulus_pallet_aura_ext::FixedVelocityConsensusHook<
	Runtime,
	RELAY_CHAIN_SLOT_DURATION_MILLIS,
	BLOCK_PROCESSING_VELOCITY,
	UNINCLUDED_SEGMENT_CAPACITY,
>;

impl cumulus_pallet_parachain_system::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnSystemEvent = (super::BeginAgendas, RelayRandomness);
	type SelfParaId = ParachainInfo;
	type OutboundXcmpMessageSource = XcmpQueue;
	type DmpQueue = EnqueueWithOrigin<MessageQueue, RelayOrigin>;
	type ReservedDmpWeight = ReservedDmpWeight;
	type XcmpMessageHandler = XcmpQueue;
	type ReservedXcmpWeight = ReservedXcmpWeight;
	type CheckAssociatedRelayNumber = RelayNumberMonotonicallyIncreases;
	type ConsensusHook = ConsensusHook;
	type WeightInfo = weights::cumulus_pallet_parachain_system::WeightInfo<Runtime>;
	type RelayParentOffset = ConstU32<RELAY_PARENT_OFFSET>;
	type SchedulingSignatureVerifier = ();
}

impl pallet_aura::Config for Runtime {
	type AuthorityId = AuraId;
	type MaxAuthorities = ConstU32<120>;
	type DisabledValidators = ();
	type AllowMultipleBlocksPerSlot = ConstBool<true>;
	type SlotDuration = ConstU64<SLOT_DURATION>;
}

impl cumulus_pallet_aura_ext::Config for Runtime {}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = pallet_collator_selection::IdentityCollator;
	type ShouldEndSession = PeriodicSessions<ConstU32<SESSION_PERIOD>, ConstU32<0>>;
	type NextSessionRotation = PeriodicSessions<ConstU32<SESSION_PERIOD>, ConstU32<0>>;
	type SessionManager = super::SessionManager;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = ();
	type WeightInfo = weights::pallet_session::WeightInfo<Runtime>;
	type Currency = Balances;
	/// Anyone may set keys, so that their storage must cost something.
	type KeyDeposit = ConstU128<{ deposit(1, 100) }>;
}

parameter_types! {
	/// Pot of collator selection. Fees go straight to authors, so that it only holds what others
	/// give to it.
	pub const CollatorPot: PalletId = COLLATOR_POT;
}

impl pallet_collator_selection::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	/// Whoever chooses the collators could stop the chain: no faster than any other act of Root.
	type UpdateOrigin = EnsureRoot<AccountId>;
	type PotId = CollatorPot;
	type MaxCandidates = ConstU32<100>;
	/// Below this number nobody may leave. A development chain lives with one.
	type MinEligibleCollators = ConstU32<{ live_or_development(4, 1) }>;
	type MaxInvulnerables = ConstU32<20>;
	/// A candidate that authored nothing for this long loses its place. A multiple of the session.
	type KickThreshold = ConstU32<SESSION_PERIOD>;
	type ValidatorId = AccountId;
	type ValidatorIdOf = pallet_collator_selection::IdentityCollator;
	type ValidatorRegistration = Session;
	type WeightInfo = weights::pallet_collator_selection::WeightInfo<Runtime>;
}
