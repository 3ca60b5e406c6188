//! Every touch of money.

use crate::{Config, CreditOf, Event, HoldReason, Pallet, types::Unexpected};
use frame_support::{
	PalletId, defensive,
	traits::{
		Get, OnUnbalanced,
		fungible::{Balanced, BalancedHold, Mutate, MutateHold},
		tokens::{Precision, Preservation},
	},
};
use sp_runtime::{DispatchResult, traits::AccountIdConversion};

impl<T: Config> Pallet<T> {
	/// The account that keeps rewards until they are claimed: they cannot vote meanwhile.
	pub fn pot_account() -> T::AccountId {
		let id: PalletId = T::PalletId::get();
		id.into_account_truncating()
	}

	/// Puts PHA on hold.
	pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: u128) -> DispatchResult {
		T::Currency::hold(&reason.into(), who, amount)
	}

	/// Gives PHA back.
	pub(crate) fn release(reason: HoldReason, who: &T::AccountId, amount: u128) {
		let released = T::Currency::release(&reason.into(), who, amount, Precision::BestEffort);
		if released != Ok(amount) {
			Self::hold_is_missing();
		}
	}

	/// Takes PHA on hold, whatever locks overlap it.
	pub(crate) fn take(reason: HoldReason, who: &T::AccountId, amount: u128) -> CreditOf<T> {
		let (credit, short) = T::Currency::slash(&reason.into(), who, amount);
		if short != 0 {
			Self::hold_is_missing();
		}
		credit
	}

	fn hold_is_missing() {
		defensive!("recorded stake is on hold");
		Self::deposit_event(Event::Unexpected { kind: Unexpected::HoldMissing });
	}

	/// Sends what was taken to where slashes go.
	pub(crate) fn slashed(credit: CreditOf<T>) {
		T::OnSlash::on_unbalanced(credit);
	}

	/// Puts pay that pools have booked into the pot.
	pub(crate) fn collect_pay(pay: CreditOf<T>) -> Result<(), CreditOf<T>> {
		T::Currency::resolve(&Self::pot_account(), pay)
	}

	/// Pays rewards out.
	pub(crate) fn pay_out(who: &T::AccountId, amount: u128) -> DispatchResult {
		let pot = Self::pot_account();
		T::Currency::transfer(&pot, who, amount, Preservation::Preserve).map(|_| ())
	}
}
