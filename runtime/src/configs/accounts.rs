//! Tools for accounts: batches, multisigs, proxies, identities.

use super::{GeneralAdminOrRoot, RelayClock, ToTreasuryLegacy, is_governance};
use crate::{
	Balance, Balances, OriginCaller, Runtime, RuntimeCall, RuntimeEvent, Signature, System,
	constants::{currency::deposit, time::DAYS},
	weights,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU128, InstanceFilter},
};
use pallet_identity::legacy::IdentityInfo;
use scale_info::TypeInfo;
use sp_runtime::traits::{BlakeTwo256, Verify};

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = OriginCaller;
	type WeightInfo = weights::pallet_utility::WeightInfo<Runtime>;
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	/// An operation without its approvals is 88 bytes.
	type DepositBase = ConstU128<{ deposit(1, 88) }>;
	type DepositFactor = ConstU128<{ deposit(0, 32) }>;
	type MaxSignatories = ConstU32<100>;
	type WeightInfo = weights::pallet_multisig::WeightInfo<Runtime>;
	/// Timepoints name parachain blocks, as wallets expect.
	type BlockNumberProvider = System;
}

/// What a proxy may do. The indices are part of stored state and never change.
///
/// Only [`Any`](Self::Any) acts for accounts that its account has a part in: multisigs, and those that it is
/// a proxy of.
#[derive(
	Copy,
	Clone,
	Debug,
	Default,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	#[codec(index = 0)]
	Any,
	/// Everything that cannot move PHA to another account.
	#[codec(index = 1)]
	NonTransfer,
	/// Reject announcements of other proxies.
	#[codec(index = 2)]
	CancelProxy,
	/// Set and clear identities.
	#[codec(index = 3)]
	Identity,
	/// Give judgements as a registrar.
	#[codec(index = 4)]
	IdentityJudgement,
	/// Run a collator: candidacy and session keys.
	#[codec(index = 5)]
	Collator,
	/// Take part in governance: preimages, referenda, votes, the fellowship. Not bounties, which move PHA.
	#[codec(index = 6)]
	Governance,
	/// Delegate to pools and run them. Stake stays in its account, but whoever chooses the workers behind
	/// which it is can lose it.
	#[codec(index = 7)]
	StakePools,
	/// Stand for gatekeeper and nominate: bonds stay in their account, but rewards may be sent elsewhere.
	#[codec(index = 8)]
	Staking,
}

/// Calls that only wrap others; each call inside is filtered again. Those of multisigs are none: what they
/// wrap has an origin of its own, which no proxy's filter follows.
fn is_wrapper(call: &RuntimeCall) -> bool {
	matches!(call, RuntimeCall::Utility(_))
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			Self::Any => true,
			// Listed by what is allowed: a pallet that arrives later is not allowed by accident.
			Self::NonTransfer => {
				is_wrapper(call)
					|| is_governance(call)
					|| matches!(
						call,
						RuntimeCall::System(_)
							// Not what acts for those that its account is a proxy of. What is announced, anybody
							// can carry out.
							| RuntimeCall::Proxy(
								pallet_proxy::Call::add_proxy { .. }
									| pallet_proxy::Call::remove_proxy { .. }
									| pallet_proxy::Call::create_pure { .. }
									| pallet_proxy::Call::remove_announcement { .. }
									| pallet_proxy::Call::reject_announcement { .. }
									| pallet_proxy::Call::poke_deposit { .. },
							)
							| RuntimeCall::CollatorSelection(_)
							| RuntimeCall::Session(_)
							| RuntimeCall::WorkerRegistry(_)
							| RuntimeCall::Mining(_)
							// What it delegates to could be the proxy's own, and made to lose.
							| RuntimeCall::StakePools(
								pallet_stake_pools::Call::stop { .. }
									| pallet_stake_pools::Call::withdraw { .. }
									| pallet_stake_pools::Call::cancel_withdrawal { .. }
									| pallet_stake_pools::Call::withdraw_own { .. }
									| pallet_stake_pools::Call::process { .. }
									| pallet_stake_pools::Call::force { .. }
									| pallet_stake_pools::Call::reclaim { .. }
									| pallet_stake_pools::Call::settle { .. }
									| pallet_stake_pools::Call::claim { .. }
									| pallet_stake_pools::Call::claim_owner { .. },
							)
							// Nor may it put the bond behind a gatekeeper of its own.
							| RuntimeCall::GatekeeperElection(
								pallet_gatekeeper_election::Call::unbind { .. }
									| pallet_gatekeeper_election::Call::revoke { .. }
									| pallet_gatekeeper_election::Call::evict { .. },
							)
							| RuntimeCall::Vesting(
								pallet_vesting::Call::vest { .. }
									| pallet_vesting::Call::vest_other { .. }
							)
					) || (matches!(call, RuntimeCall::Identity(_)) &&
					// A fee that goes to a registrar, and deposits that a sub-account can walk off with.
					!matches!(
						call,
						RuntimeCall::Identity(
							pallet_identity::Call::request_judgement { .. }
								| pallet_identity::Call::add_sub { .. }
								| pallet_identity::Call::set_subs { .. }
						)
					))
			}
			Self::CancelProxy => {
				is_wrapper(call)
					|| matches!(
						call,
						RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
					)
			}
			Self::Identity => is_wrapper(call) || matches!(call, RuntimeCall::Identity(_)),
			Self::IdentityJudgement => {
				is_wrapper(call)
					|| matches!(
						call,
						RuntimeCall::Identity(pallet_identity::Call::provide_judgement { .. })
					)
			}
			Self::Collator => {
				is_wrapper(call)
					|| matches!(call, RuntimeCall::CollatorSelection(_) | RuntimeCall::Session(_))
			}
			Self::Governance => is_wrapper(call) || is_governance(call),
			Self::Staking => {
				is_wrapper(call)
					|| matches!(
						call,
						RuntimeCall::Staking(_)
							| RuntimeCall::VoterList(_)
							| RuntimeCall::GatekeeperElection(_)
					)
			}
			Self::StakePools => {
				is_wrapper(call)
					|| matches!(call, RuntimeCall::StakePools(_) | RuntimeCall::Mining(_))
			}
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		match (self, other) {
			(a, b) if a == b => true,
			(Self::Any, _) => true,
			(Self::Identity, Self::IdentityJudgement) => true,
			(
				Self::NonTransfer,
				Self::CancelProxy | Self::IdentityJudgement | Self::Collator | Self::Governance,
			) => true,
			_ => false,
		}
	}
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = ConstU128<{ deposit(1, 40) }>;
	type ProxyDepositFactor = ConstU128<{ deposit(0, 33) }>;
	type MaxProxies = ConstU32<32>;
	type WeightInfo = weights::pallet_proxy::WeightInfo<Runtime>;
	type MaxPending = ConstU32<32>;
	type CallHasher = BlakeTwo256;
	type AnnouncementDepositBase = ConstU128<{ deposit(1, 48) }>;
	type AnnouncementDepositFactor = ConstU128<{ deposit(0, 66) }>;
	/// Delays count relay-chain blocks.
	type BlockNumberProvider = RelayClock;
}

parameter_types! {
	/// An empty identity: one item of 17 bytes.
	pub const BasicDeposit: Balance = deposit(1, 17);
	/// A username: its owner and its name.
	pub const UsernameDeposit: Balance = deposit(1, 100);
	/// Name and owner of a sub-account.
	pub const SubAccountDeposit: Balance = deposit(1, 53);
}

impl pallet_identity::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type BasicDeposit = BasicDeposit;
	type ByteDeposit = ConstU128<{ deposit(0, 1) }>;
	type UsernameDeposit = UsernameDeposit;
	type SubAccountDeposit = SubAccountDeposit;
	type MaxSubAccounts = ConstU32<100>;
	type IdentityInformation = IdentityInfo<ConstU32<100>>;
	type MaxRegistrars = ConstU32<20>;
	type Slashed = ToTreasuryLegacy;
	type ForceOrigin = GeneralAdminOrRoot;
	type RegistrarOrigin = GeneralAdminOrRoot;
	type OffchainSignature = Signature;
	type SigningPublicKey = <Signature as Verify>::Signer;
	type UsernameAuthorityOrigin = GeneralAdminOrRoot;
	type PendingUsernameExpiration = ConstU32<{ 7 * DAYS }>;
	type UsernameGracePeriod = ConstU32<{ 30 * DAYS }>;
	type MaxSuffixLength = ConstU32<7>;
	type MaxUsernameLength = ConstU32<32>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type WeightInfo = weights::pallet_identity::WeightInfo<Runtime>;
}
