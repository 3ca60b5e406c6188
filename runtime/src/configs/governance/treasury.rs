//! The treasury spends PHA, and nothing is burnt.

use crate::{
	AccountId, Balance, Balances, Bounties, ChildBounties, Runtime, RuntimeEvent, RuntimeOrigin,
	configs::{RelayClock, ToTreasuryLegacy, TreasuryAccount},
	constants::{
		accounts::TREASURY,
		currency::{PHA, deposit},
		governance::*,
		time::DAYS,
	},
	weights,
};
use core::marker::PhantomData;
use frame_support::{
	PalletId,
	dispatch_context::with_context,
	parameter_types,
	traits::{
		ConstU32, ConstU128, EitherOf, EitherOfDiverse, EnsureOrigin,
		tokens::{PayFromAccount, UnityAssetBalanceConversion},
	},
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};
use pallet_bounties::{BountyApprovals, TransferFungible};
use pallet_dao::origins;
use sp_runtime::{Permill, traits::IdentityLookup};

/// Spends, with what it may spend at a time.
pub type Spender = EitherOf<
	EnsureRootWithSuccess<AccountId, ConstU128<{ Balance::MAX }>>,
	OneBounty<
		origins::Spender<
			Balance,
			ConstU128<SMALL_SPEND>,
			ConstU128<MEDIUM_SPEND>,
			ConstU128<BIG_SPEND>,
		>,
	>,
>;

/// Refuses everything in a dispatch that has approved a bounty.
///
/// The treasury adds up what one dispatch spends, and bounties do not: a batch could approve any number of
/// them, each within the limit.
pub struct OneBounty<Inner>(PhantomData<Inner>);

/// Bounties that were approved when a dispatch first asked.
#[derive(Default)]
struct ApprovedBefore(Option<usize>);

impl<Inner: EnsureOrigin<RuntimeOrigin>> EnsureOrigin<RuntimeOrigin> for OneBounty<Inner> {
	type Success = Inner::Success;

	fn try_origin(origin: RuntimeOrigin) -> Result<Self::Success, RuntimeOrigin> {
		let refused = origin.clone();
		let success = Inner::try_origin(origin)?;
		let approved = BountyApprovals::<Runtime>::decode_len().unwrap_or_default();
		// Outside a dispatch there is no batch.
		let before = with_context::<ApprovedBefore, _>(|context| {
			*context.or_default().0.get_or_insert(approved)
		});
		if approved > before.unwrap_or(approved) { Err(refused) } else { Ok(success) }
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
		Inner::try_successful_origin()
	}
}

parameter_types! {
	/// Pot of the treasury.
	pub const TreasuryPalletId: PalletId = TREASURY;
	/// What a curator puts up, as a share of its fee.
	pub const CuratorDepositMultiplier: Permill = Permill::from_percent(50);
	/// A curator puts up at most this.
	pub const CuratorDepositMax: Option<Balance> = Some(10_000 * PHA);
	/// A curator puts up at least this.
	pub const CuratorDepositMin: Option<Balance> = Some(10 * PHA);
}

impl pallet_treasury::Config for Runtime {
	type PalletId = TreasuryPalletId;
	type Currency = Balances;
	type RejectOrigin = EitherOfDiverse<EnsureRoot<AccountId>, origins::ReferendumCanceller>;
	type RuntimeEvent = RuntimeEvent;
	type SpendPeriod = ConstU32<SPEND_PERIOD>;
	/// Nothing is burnt.
	type Burn = ();
	type BurnDestination = ();
	type MaxApprovals = ConstU32<100>;
	type WeightInfo = weights::pallet_treasury::WeightInfo<Runtime>;
	type SpendFunds = Bounties;
	type SpendOrigin = Spender;
	/// PHA.
	type AssetKind = ();
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
	type BalanceConverter = UnityAssetBalanceConversion;
	type PayoutPeriod = ConstU32<PAYOUT_PERIOD>;
	type BlockNumberProvider = RelayClock;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = BenchmarkArguments;
}

/// What the treasury's benchmarks spend on.
#[cfg(feature = "runtime-benchmarks")]
pub struct BenchmarkArguments;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_treasury::ArgumentsFactory<(), AccountId> for BenchmarkArguments {
	fn create_asset_kind(_seed: u32) {}

	fn create_beneficiary(seed: [u8; 32]) -> AccountId {
		// Who is paid must exist.
		let who = AccountId::new(seed);
		let amount = crate::constants::currency::EXISTENTIAL_DEPOSIT;
		<Balances as frame_support::traits::fungible::Mutate<_>>::set_balance(&who, amount);
		who
	}
}

impl pallet_bounties::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type BountyDepositBase = ConstU128<{ 10 * PHA }>;
	type BountyDepositPayoutDelay = ConstU32<{ 8 * DAYS }>;
	type BountyUpdatePeriod = ConstU32<{ 90 * DAYS }>;
	type CuratorDepositMultiplier = CuratorDepositMultiplier;
	type CuratorDepositMax = CuratorDepositMax;
	type CuratorDepositMin = CuratorDepositMin;
	type BountyValueMinimum = ConstU128<{ 100 * PHA }>;
	type DataDepositPerByte = ConstU128<{ deposit(0, 1) }>;
	type MaximumReasonLength = ConstU32<16_384>;
	type WeightInfo = weights::pallet_bounties::WeightInfo<Runtime>;
	type ChildBountyManager = ChildBounties;
	type OnSlash = ToTreasuryLegacy;
	type TransferAllAssets = TransferFungible<AccountId, Balances>;
}

impl pallet_child_bounties::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type MaxActiveChildBountyCount = ConstU32<100>;
	type ChildBountyValueMinimum = ConstU128<{ 10 * PHA }>;
	type WeightInfo = weights::pallet_child_bounties::WeightInfo<Runtime>;
}
