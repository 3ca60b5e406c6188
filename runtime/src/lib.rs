//! The runtime of the Phala parachain.
//!
//! Composition only: which pallets there are, how they are wired, and with which figures. Business
//! logic lives in `pallets/`, mathematics and cryptography in `primitives/`.
//!
//! There are two compositions. The *live* one is the default; the cargo feature `development` adds
//! `pallet-sudo` and shortens periods, for `--dev` nodes and local networks. A genesis of the live
//! composition refuses well-known keys, see [`genesis`].

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "512"]
// The SDK's macros generate public items without documentation.
#![allow(missing_docs)]

extern crate alloc;

mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod constants;
pub mod genesis;
pub mod genesis_config_presets;
pub mod invariants;
pub mod migrations;
pub mod weights;

pub use apis::RUNTIME_API_VERSIONS;
pub use parachains_common::{
	AccountId, AuraId, Balance, BlockNumber, Hash, Header, Nonce, Signature,
};

use alloc::{borrow::Cow, vec::Vec};
pub use configs::ConsensusHook;
use sp_runtime::{MultiAddress, generic, impl_opaque_keys};
use sp_version::RuntimeVersion;

/// How extrinsics name accounts.
pub type Address = MultiAddress<AccountId, ()>;
/// Block of this chain.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// Extrinsic of this chain.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// What surrounds every transaction. `AuthorizeCall` comes first: it turns a fee-free call that its
/// pallet vouches for into an authorised origin, which the others then respect.
pub type TxExtension = cumulus_pallet_weight_reclaim::StorageWeightReclaim<
	Runtime,
	(
		frame_system::AuthorizeCall<Runtime>,
		frame_system::CheckNonZeroSender<Runtime>,
		frame_system::CheckSpecVersion<Runtime>,
		frame_system::CheckTxVersion<Runtime>,
		frame_system::CheckGenesis<Runtime>,
		frame_system::CheckEra<Runtime>,
		frame_system::CheckNonce<Runtime>,
		frame_system::CheckWeight<Runtime>,
		pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
		frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	),
>;

/// Executes blocks and extrinsics.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

impl_opaque_keys! {
	/// Keys that a collator signs with during a session.
	pub struct SessionKeys {
		/// Authors blocks.
		pub aura: Aura,
	}
}

/// Declares [`VERSION`]; the SDK's macro wants literals.
macro_rules! declare_version {
	($spec_version:tt) => {
		/// Version of this runtime. `spec_version` is `major * 1_000_000 + minor * 1_000 + patch`.
		#[sp_version::runtime_version]
		pub const VERSION: RuntimeVersion = RuntimeVersion {
			spec_name: Cow::Borrowed("phala-parachain"),
			impl_name: Cow::Borrowed("phala-parachain"),
			authoring_version: 1,
			spec_version: $spec_version,
			impl_version: 0,
			apis: RUNTIME_API_VERSIONS,
			transaction_version: 1,
			system_version: 1,
		};
	};
}

#[cfg(not(feature = "next-version"))]
declare_version!(1_000);
// The same runtime as the next version of itself, for rehearsing upgrades.
#[cfg(feature = "next-version")]
declare_version!(1_001);

/// The pallets. An index belongs to its pallet for ever, also after the pallet is gone: indices are
/// part of every encoded call, event and error. Tens group subjects.
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
	/// The runtime.
	pub struct Runtime;

	// 0: the chain itself
	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type ParachainSystem = cumulus_pallet_parachain_system;
	#[runtime::pallet_index(2)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(3)]
	pub type ParachainInfo = parachain_info;
	#[runtime::pallet_index(4)]
	pub type WeightReclaim = cumulus_pallet_weight_reclaim;
	#[runtime::pallet_index(5)]
	pub type RelayRandomness = pallet_relay_randomness;

	// 10: money
	#[runtime::pallet_index(10)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(11)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(12)]
	pub type Vesting = pallet_vesting;

	// 15: development only
	#[cfg(feature = "development")]
	#[runtime::pallet_index(15)]
	pub type Sudo = pallet_sudo;

	// 20: collators. The order matters: authorship reads what session and aura write.
	#[runtime::pallet_index(20)]
	pub type Authorship = pallet_authorship;
	#[runtime::pallet_index(21)]
	pub type CollatorSelection = pallet_collator_selection;
	#[runtime::pallet_index(22)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(23)]
	pub type Aura = pallet_aura;
	#[runtime::pallet_index(24)]
	pub type AuraExt = cumulus_pallet_aura_ext;

	// 30: messages from and to other chains
	#[runtime::pallet_index(30)]
	pub type XcmpQueue = cumulus_pallet_xcmp_queue;
	#[runtime::pallet_index(31)]
	pub type PolkadotXcm = pallet_xcm;
	#[runtime::pallet_index(32)]
	pub type CumulusXcm = cumulus_pallet_xcm;
	#[runtime::pallet_index(33)]
	pub type MessageQueue = pallet_message_queue;

	// 40: tools for accounts
	#[runtime::pallet_index(40)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(41)]
	pub type Multisig = pallet_multisig;
	#[runtime::pallet_index(42)]
	pub type Proxy = pallet_proxy;
	#[runtime::pallet_index(43)]
	pub type Identity = pallet_identity;

	// 49: governance. Hooks run in the order of the indices: the DAO's must run before the scheduler's,
	// so that votes are lowered to what their voters own before referenda are decided.
	#[runtime::pallet_index(49)]
	pub type Dao = pallet_dao;
	#[runtime::pallet_index(50)]
	pub type Preimage = pallet_preimage;
	#[runtime::pallet_index(51)]
	pub type Scheduler = pallet_scheduler;
	#[runtime::pallet_index(52)]
	pub type Referenda = pallet_referenda;
	#[runtime::pallet_index(53)]
	pub type ConvictionVoting = pallet_conviction_voting;
	#[runtime::pallet_index(54)]
	pub type Whitelist = pallet_whitelist;
	#[runtime::pallet_index(55)]
	pub type Treasury = pallet_treasury;
	#[runtime::pallet_index(56)]
	pub type Bounties = pallet_bounties;
	#[runtime::pallet_index(57)]
	pub type ChildBounties = pallet_child_bounties;
	#[runtime::pallet_index(58)]
	pub type FellowshipCollective = pallet_ranked_collective;
	#[runtime::pallet_index(59)]
	pub type FellowshipCore = pallet_core_fellowship;
	#[runtime::pallet_index(60)]
	pub type FellowshipReferenda = pallet_referenda<Instance2>;
	#[runtime::pallet_index(61)]
	pub type Parameters = pallet_parameters;

	// 65: emergencies
	#[runtime::pallet_index(65)]
	pub type SafeMode = pallet_safe_mode;
	#[runtime::pallet_index(66)]
	pub type TxPause = pallet_tx_pause;

	// 70: gatekeepers. Genesis builds staking before the election, which begins its sessions.
	#[runtime::pallet_index(70)]
	pub type Staking = pallet_staking;
	#[runtime::pallet_index(71)]
	pub type VoterList = pallet_bags_list;
	#[runtime::pallet_index(72)]
	pub type GatekeeperElection = pallet_gatekeeper_election;
	#[runtime::pallet_index(73)]
	pub type GatekeeperKeys = pallet_gatekeeper_keys;

	// 80: workers and their market. Mining finds the silent after the ledger's hook has run, so that an
	// offence is a block old before anything is done about it.
	#[runtime::pallet_index(80)]
	pub type WorkerRegistry = pallet_worker_registry;
	#[runtime::pallet_index(81)]
	pub type Slashing = pallet_slashing;
	#[runtime::pallet_index(82)]
	pub type Mining = pallet_mining;
	#[runtime::pallet_index(83)]
	pub type StakePools = pallet_stake_pools;

	// 98: upgrades
	#[runtime::pallet_index(98)]
	pub type MultiBlockMigrations = pallet_migrations;
}

cumulus_pallet_parachain_system::register_validate_block! {
	Runtime = Runtime,
	BlockExecutor = cumulus_pallet_aura_ext::BlockExecutor::<Runtime, Executive>,
}
