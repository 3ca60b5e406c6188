//! Balances, fees and vesting.

use super::{RelayClock, governance::parameters::dynamic_params::fees};
use crate::{
	AccountId, Authorship, Balance, Balances, Runtime, RuntimeEvent, RuntimeFreezeReason,
	RuntimeHoldReason, System,
	constants::{
		accounts,
		currency::{EXISTENTIAL_DEPOSIT, PHA},
	},
	weights,
};
use frame_support::{
	parameter_types,
	traits::{
		ConstU8, ConstU32, ConstU128, Currency as _, Get, Imbalance, OnUnbalanced, VariantCountOf,
		WithdrawReasons,
		fungible::{Balanced, Credit},
		tokens::imbalance::ResolveTo,
	},
	weights::{
		ConstantMultiplier, Weight, WeightToFee as WeightToFeeT, constants::ExtrinsicBaseWeight,
	},
};
use pallet_transaction_payment::FungibleAdapter;
use polkadot_runtime_common::SlowAdjustingFeeUpdate;
use sp_runtime::traits::ConvertInto;

parameter_types! {
	/// Account of the treasury.
	pub TreasuryAccount: AccountId = accounts::treasury();
	/// What stays locked while a vesting schedule runs can still pay fees.
	pub UnvestedFundsAllowedWithdrawReasons: WithdrawReasons =
		WithdrawReasons::except(WithdrawReasons::TRANSFER | WithdrawReasons::RESERVE);
}

/// Gives imbalances to the treasury, which exists from genesis.
pub type ToTreasury = ResolveTo<TreasuryAccount, Balances>;

/// [`ToTreasury`] for pallets that still slash through the `Currency` traits.
pub struct ToTreasuryLegacy;

impl OnUnbalanced<pallet_balances::NegativeImbalance<Runtime>> for ToTreasuryLegacy {
	fn on_nonzero_unbalanced(slashed: pallet_balances::NegativeImbalance<Runtime>) {
		Balances::resolve_creating(&TreasuryAccount::get(), slashed);
	}
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type WeightInfo = weights::pallet_balances::WeightInfo<Runtime>;
	type Balance = Balance;
	type DustRemoval = ToTreasury;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	/// Votes are lowered with the balance behind them.
	type AccountStore = pallet_dao::Watched<Runtime, System>;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ConstU32<50>;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
}

/// Splits fees: four fifths to the treasury, one fifth and all tips to the block's author.
///
/// What the author's account cannot take (it would stay below the existential deposit) goes to the
/// treasury, so that no fee is burnt.
pub struct DealWithFees;

impl OnUnbalanced<Credit<AccountId, Balances>> for DealWithFees {
	fn on_unbalanceds(mut fees_then_tips: impl Iterator<Item = Credit<AccountId, Balances>>) {
		let Some(fees) = fees_then_tips.next() else { return };
		let (treasury, author) = fees.ration(80, 20);
		let author = fees_then_tips.fold(author, Imbalance::merge);
		let refused = match Authorship::author() {
			Some(account) => Balances::resolve(&account, author).err(),
			None => Some(author),
		};
		ToTreasury::on_unbalanced(match refused {
			Some(refused) => treasury.merge(refused),
			None => treasury,
		});
	}
}

/// Turns weight into a fee: an empty extrinsic costs [`fees::Base`], and what fills a share of a block's
/// proof size costs as much as what fills the same share of its computation.
pub struct WeightToFee;

impl WeightToFeeT for WeightToFee {
	type Balance = Balance;

	fn weight_to_fee(weight: &Weight) -> Balance {
		use crate::constants::consensus::MAXIMUM_BLOCK_WEIGHT;
		let base = u128::from(ExtrinsicBaseWeight::get().ref_time()).max(1);
		let by_time = u128::from(weight.ref_time());
		let by_proof = u128::from(weight.proof_size())
			.saturating_mul(MAXIMUM_BLOCK_WEIGHT.ref_time().into())
			/ u128::from(MAXIMUM_BLOCK_WEIGHT.proof_size());
		by_time.max(by_proof).saturating_mul(fees::Base::get()) / base
	}
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, DealWithFees>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightToFee = WeightToFee;
	type LengthToFee = ConstantMultiplier<Balance, fees::PerByte>;
	type FeeMultiplierUpdate = SlowAdjustingFeeUpdate<Self>;
	type WeightInfo = weights::pallet_transaction_payment::WeightInfo<Runtime>;
}

impl pallet_vesting::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type BlockNumberToBalance = ConvertInto;
	type MinVestedTransfer = ConstU128<PHA>;
	type WeightInfo = weights::pallet_vesting::WeightInfo<Runtime>;
	type UnvestedFundsAllowedWithdrawReasons = UnvestedFundsAllowedWithdrawReasons;
	/// Schedules count relay-chain blocks.
	type BlockNumberProvider = RelayClock;
	const MAX_VESTING_SCHEDULES: u32 = 28;
}
