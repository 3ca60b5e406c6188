//! Weights of XCM instructions, from the measured ones.

use super::{
	pallet_xcm_benchmarks_fungible::WeightInfo as Fungible,
	pallet_xcm_benchmarks_generic::WeightInfo as Generic,
};
use crate::{Runtime, RuntimeCall, configs::xcm::MaxAssetsIntoHolding};
use alloc::vec::Vec;
use frame_support::{BoundedVec, weights::Weight};
use xcm::{
	DoubleEncoded,
	latest::{AssetTransferFilter, prelude::*},
};

/// How many assets an instruction touches, at most.
trait CountAssets {
	fn count(&self) -> u64;

	/// `each` for every asset, and once without any: a message is sent all the same.
	fn weigh(&self, each: Weight) -> Weight {
		each.saturating_mul(self.count().max(1))
	}
}

impl CountAssets for Assets {
	fn count(&self) -> u64 {
		self.len() as u64
	}
}

impl CountAssets for AssetFilter {
	fn count(&self) -> u64 {
		let held = u64::from(MaxAssetsIntoHolding::get());
		match self {
			Self::Definite(assets) => assets.count(),
			Self::Wild(WildAsset::All) => held,
			Self::Wild(WildAsset::AllOf { fun: WildFungibility::Fungible, .. }) => 1,
			// Holding may exceed its limit twofold before it is checked.
			Self::Wild(WildAsset::AllOf { fun: WildFungibility::NonFungible, .. }) => 2 * held,
			Self::Wild(WildAsset::AllCounted(count))
			| Self::Wild(WildAsset::AllOfCounted { count, .. }) => held.min(u64::from(*count)),
		}
	}
}

/// Weight of each instruction; one that this chain cannot execute weighs more than any block.
pub struct XcmWeight;

impl XcmWeightInfo<RuntimeCall> for XcmWeight {
	fn withdraw_asset(assets: &Assets) -> Weight {
		assets.weigh(Fungible::<Runtime>::withdraw_asset())
	}
	fn reserve_asset_deposited(_: &Assets) -> Weight {
		Weight::MAX
	}
	fn receive_teleported_asset(_: &Assets) -> Weight {
		Weight::MAX
	}
	fn query_response(_: &u64, _: &Response, _: &Weight, _: &Option<Location>) -> Weight {
		Generic::<Runtime>::query_response()
	}
	fn transfer_asset(assets: &Assets, _: &Location) -> Weight {
		assets.weigh(Fungible::<Runtime>::transfer_asset())
	}
	fn transfer_reserve_asset(assets: &Assets, _: &Location, _: &Xcm<()>) -> Weight {
		assets.weigh(Fungible::<Runtime>::transfer_reserve_asset())
	}
	fn transact(_: &OriginKind, _: &Option<Weight>, _: &DoubleEncoded<RuntimeCall>) -> Weight {
		Generic::<Runtime>::transact()
	}
	fn hrmp_new_channel_open_request(_: &u32, _: &u32, _: &u32) -> Weight {
		Weight::MAX
	}
	fn hrmp_channel_accepted(_: &u32) -> Weight {
		Weight::MAX
	}
	fn hrmp_channel_closing(_: &u32, _: &u32, _: &u32) -> Weight {
		Weight::MAX
	}
	fn clear_origin() -> Weight {
		Generic::<Runtime>::clear_origin()
	}
	fn descend_origin(_: &InteriorLocation) -> Weight {
		Generic::<Runtime>::descend_origin()
	}
	fn report_error(_: &QueryResponseInfo) -> Weight {
		Generic::<Runtime>::report_error()
	}
	fn deposit_asset(assets: &AssetFilter, _: &Location) -> Weight {
		assets.weigh(Fungible::<Runtime>::deposit_asset())
	}
	fn deposit_reserve_asset(assets: &AssetFilter, _: &Location, _: &Xcm<()>) -> Weight {
		assets.weigh(Fungible::<Runtime>::deposit_reserve_asset())
	}
	fn exchange_asset(_: &AssetFilter, _: &Assets, _: &bool) -> Weight {
		Weight::MAX
	}
	fn initiate_reserve_withdraw(assets: &AssetFilter, _: &Location, _: &Xcm<()>) -> Weight {
		assets.weigh(Fungible::<Runtime>::initiate_reserve_withdraw())
	}
	fn initiate_teleport(_: &AssetFilter, _: &Location, _: &Xcm<()>) -> Weight {
		Weight::MAX
	}
	fn initiate_transfer(
		_: &Location,
		fees: &Option<AssetTransferFilter>,
		_: &bool,
		assets: &BoundedVec<AssetTransferFilter, MaxAssetTransferFilters>,
		_: &Xcm<()>,
	) -> Weight {
		let each = Fungible::<Runtime>::initiate_transfer();
		let filters = fees.iter().chain(assets);
		let sum = filters
			.fold(Weight::zero(), |sum, filter| sum.saturating_add(filter.inner().weigh(each)));
		sum.max(each)
	}
	fn report_holding(_: &QueryResponseInfo, _: &AssetFilter) -> Weight {
		Generic::<Runtime>::report_holding()
	}
	fn buy_execution(_: &Asset, _: &WeightLimit) -> Weight {
		Generic::<Runtime>::buy_execution()
	}
	fn pay_fees(_: &Asset) -> Weight {
		Generic::<Runtime>::pay_fees()
	}
	fn refund_surplus() -> Weight {
		Generic::<Runtime>::refund_surplus()
	}
	fn set_error_handler(_: &Xcm<RuntimeCall>) -> Weight {
		Generic::<Runtime>::set_error_handler()
	}
	fn set_appendix(_: &Xcm<RuntimeCall>) -> Weight {
		Generic::<Runtime>::set_appendix()
	}
	fn clear_error() -> Weight {
		Generic::<Runtime>::clear_error()
	}
	fn set_hints(hints: &BoundedVec<Hint, HintNumVariants>) -> Weight {
		hints.iter().fold(Weight::zero(), |sum, hint| match hint {
			Hint::AssetClaimer { .. } => sum.saturating_add(Generic::<Runtime>::asset_claimer()),
		})
	}
	fn claim_asset(assets: &Assets, _: &Location) -> Weight {
		assets.weigh(Generic::<Runtime>::claim_asset())
	}
	fn trap(_: &u64) -> Weight {
		Generic::<Runtime>::trap()
	}
	fn subscribe_version(_: &QueryId, _: &Weight) -> Weight {
		Generic::<Runtime>::subscribe_version()
	}
	fn unsubscribe_version() -> Weight {
		Generic::<Runtime>::unsubscribe_version()
	}
	fn burn_asset(assets: &Assets) -> Weight {
		assets.weigh(Generic::<Runtime>::burn_asset())
	}
	fn expect_asset(assets: &Assets) -> Weight {
		assets.weigh(Generic::<Runtime>::expect_asset())
	}
	fn expect_origin(_: &Option<Location>) -> Weight {
		Generic::<Runtime>::expect_origin()
	}
	fn expect_error(_: &Option<(u32, XcmError)>) -> Weight {
		Generic::<Runtime>::expect_error()
	}
	fn expect_transact_status(_: &MaybeErrorCode) -> Weight {
		Generic::<Runtime>::expect_transact_status()
	}
	fn query_pallet(_: &Vec<u8>, _: &QueryResponseInfo) -> Weight {
		Generic::<Runtime>::query_pallet()
	}
	fn expect_pallet(_: &u32, _: &Vec<u8>, _: &Vec<u8>, _: &u32, _: &u32) -> Weight {
		Generic::<Runtime>::expect_pallet()
	}
	fn report_transact_status(_: &QueryResponseInfo) -> Weight {
		Generic::<Runtime>::report_transact_status()
	}
	fn clear_transact_status() -> Weight {
		Generic::<Runtime>::clear_transact_status()
	}
	fn universal_origin(_: &Junction) -> Weight {
		Weight::MAX
	}
	fn export_message(_: &NetworkId, _: &Junctions, _: &Xcm<()>) -> Weight {
		Weight::MAX
	}
	fn lock_asset(_: &Asset, _: &Location) -> Weight {
		Weight::MAX
	}
	fn unlock_asset(_: &Asset, _: &Location) -> Weight {
		Weight::MAX
	}
	fn note_unlockable(_: &Asset, _: &Location) -> Weight {
		Weight::MAX
	}
	fn request_unlock(_: &Asset, _: &Location) -> Weight {
		Weight::MAX
	}
	fn set_fees_mode(_: &bool) -> Weight {
		Generic::<Runtime>::set_fees_mode()
	}
	fn set_topic(_: &[u8; 32]) -> Weight {
		Generic::<Runtime>::set_topic()
	}
	fn clear_topic() -> Weight {
		Generic::<Runtime>::clear_topic()
	}
	fn alias_origin(_: &Location) -> Weight {
		Generic::<Runtime>::alias_origin()
	}
	fn unpaid_execution(_: &WeightLimit, _: &Option<Location>) -> Weight {
		Generic::<Runtime>::unpaid_execution()
	}
	fn execute_with_origin(_: &Option<InteriorLocation>, _: &Xcm<RuntimeCall>) -> Weight {
		Generic::<Runtime>::execute_with_origin()
	}
}
