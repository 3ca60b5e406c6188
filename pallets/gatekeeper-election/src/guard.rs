//! The money that staking sees: PHA, but a bond leaves only when its holder's duties are over, and a
//! reward exists only as far as the escrow covers it.
//!
//! This is the one place that all of staking's calls go through, also inside batches, proxies and
//! multisigs, and also for Root.

use crate::*;
use core::marker::PhantomData;
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::{
		fungible::{
			Balanced, BalancedHold, Dust, Inspect, InspectHold, Mutate, MutateHold, Unbalanced,
			UnbalancedHold, hold::DoneSlash,
		},
		tokens::{
			DepositConsequence, Fortitude, Precision, Preservation, Provenance, WithdrawConsequence,
		},
	},
};
use sp_runtime::{DispatchError, traits::Zero};

/// [`Config::Asset`], as [`pallet_staking`] gets it.
pub struct Guarded<T>(PhantomData<T>);

/// What was deposited and is yet to be settled.
pub type DebtOf<T> = frame_support::traits::fungible::Debt<
	<T as frame_system::Config>::AccountId,
	<T as Config>::Asset,
>;

impl<T: Config> Guarded<T> {
	/// May some of what staking holds of `who` be released?
	fn ensure_free(reason: &ReasonOf<T>, who: &T::AccountId) -> DispatchResult {
		if *reason != Pallet::<T>::staked() {
			return Ok(());
		}
		match Pallet::<T>::why_still_bonded(who) {
			None => Ok(()),
			Some(types::WhyBonded::InOffice) => Err(Error::<T>::InOffice.into()),
			Some(types::WhyBonded::OpenCase) => Err(Error::<T>::OpenCase.into()),
		}
	}

	/// Anybody can have a bond forgotten in which next to nothing is left, with its nominations and its payee. Not
	/// while the rest of it is suspected, and may come back.
	fn ensure_kept(reason: &ReasonOf<T>, who: &T::AccountId) -> DispatchResult {
		let is_small = || T::Asset::balance_on_hold(reason, who) < T::Asset::minimum_balance();
		let is_suspected = || !T::Asset::balance_on_hold(&Pallet::<T>::held(), who).is_zero();
		let forgets = *reason == Pallet::<T>::staked() && is_small() && is_suspected();
		ensure!(!forgets, Error::<T>::OpenCase);
		Ok(())
	}
}

impl<T: Config> Inspect<T::AccountId> for Guarded<T> {
	type Balance = u128;

	fn total_issuance() -> u128 {
		T::Asset::total_issuance()
	}

	fn active_issuance() -> u128 {
		T::Asset::active_issuance()
	}

	fn minimum_balance() -> u128 {
		T::Asset::minimum_balance()
	}

	fn total_balance(who: &T::AccountId) -> u128 {
		T::Asset::total_balance(who)
	}

	fn balance(who: &T::AccountId) -> u128 {
		T::Asset::balance(who)
	}

	fn reducible_balance(who: &T::AccountId, preservation: Preservation, force: Fortitude) -> u128 {
		T::Asset::reducible_balance(who, preservation, force)
	}

	fn can_deposit(who: &T::AccountId, amount: u128, provenance: Provenance) -> DepositConsequence {
		T::Asset::can_deposit(who, amount, provenance)
	}

	fn can_withdraw(who: &T::AccountId, amount: u128) -> WithdrawConsequence<u128> {
		T::Asset::can_withdraw(who, amount)
	}
}

impl<T: Config> Unbalanced<T::AccountId> for Guarded<T> {
	fn handle_dust(dust: Dust<T::AccountId, Self>) {
		T::Asset::handle_raw_dust(dust.0);
	}

	fn write_balance(who: &T::AccountId, amount: u128) -> Result<Option<u128>, DispatchError> {
		T::Asset::write_balance(who, amount)
	}

	fn set_total_issuance(amount: u128) {
		T::Asset::set_total_issuance(amount);
	}

	fn deactivate(amount: u128) {
		T::Asset::deactivate(amount);
	}

	fn reactivate(amount: u128) {
		T::Asset::reactivate(amount);
	}
}

impl<T: Config> Mutate<T::AccountId> for Guarded<T> {
	fn done_mint_into(who: &T::AccountId, amount: u128) {
		T::Asset::done_mint_into(who, amount);
	}

	fn done_burn_from(who: &T::AccountId, amount: u128) {
		T::Asset::done_burn_from(who, amount);
	}

	fn done_transfer(source: &T::AccountId, dest: &T::AccountId, amount: u128) {
		T::Asset::done_transfer(source, dest, amount);
	}
}

impl<T: Config> Balanced<T::AccountId> for Guarded<T> {
	type OnDropCredit = <T::Asset as Balanced<T::AccountId>>::OnDropCredit;
	type OnDropDebt = <T::Asset as Balanced<T::AccountId>>::OnDropDebt;

	/// Rewards are deposited, and settled all at once when a page has been paid. What the escrow does
	/// not cover is refused here, so that settling cannot fail.
	fn deposit(
		who: &T::AccountId,
		value: u128,
		precision: Precision,
	) -> Result<DebtOf<T>, DispatchError> {
		let before = Unsettled::<T>::get();
		let covered = Pallet::<T>::escrow_balance();
		ensure!(before.saturating_add(value) <= covered, Error::<T>::EscrowTooSmall);
		let debt = T::Asset::deposit(who, value, precision)?;
		Unsettled::<T>::put(before.saturating_add(frame_support::traits::Imbalance::peek(&debt)));
		Ok(debt)
	}

	fn resolve(
		who: &T::AccountId,
		credit: frame_support::traits::fungible::Credit<T::AccountId, Self>,
	) -> Result<(), frame_support::traits::fungible::Credit<T::AccountId, Self>> {
		T::Asset::resolve(who, credit)
	}

	fn done_rescind(amount: u128) {
		T::Asset::done_rescind(amount);
	}

	fn done_issue(amount: u128) {
		T::Asset::done_issue(amount);
	}

	fn done_deposit(who: &T::AccountId, amount: u128) {
		T::Asset::done_deposit(who, amount);
	}

	fn done_withdraw(who: &T::AccountId, amount: u128) {
		T::Asset::done_withdraw(who, amount);
	}
}

impl<T: Config> InspectHold<T::AccountId> for Guarded<T> {
	type Reason = ReasonOf<T>;

	fn total_balance_on_hold(who: &T::AccountId) -> u128 {
		T::Asset::total_balance_on_hold(who)
	}

	fn reducible_total_balance_on_hold(who: &T::AccountId, force: Fortitude) -> u128 {
		T::Asset::reducible_total_balance_on_hold(who, force)
	}

	fn balance_on_hold(reason: &ReasonOf<T>, who: &T::AccountId) -> u128 {
		T::Asset::balance_on_hold(reason, who)
	}

	fn hold_available(reason: &ReasonOf<T>, who: &T::AccountId) -> bool {
		T::Asset::hold_available(reason, who)
	}
}

impl<T: Config> UnbalancedHold<T::AccountId> for Guarded<T> {
	fn set_balance_on_hold(
		reason: &ReasonOf<T>,
		who: &T::AccountId,
		amount: u128,
	) -> DispatchResult {
		T::Asset::set_balance_on_hold(reason, who, amount)
	}
}

impl<T: Config> MutateHold<T::AccountId> for Guarded<T> {
	/// What [`set_on_hold`](Self::set_on_hold) and [`release_all`](Self::release_all) come to when a
	/// bond gets smaller.
	fn release(
		reason: &ReasonOf<T>,
		who: &T::AccountId,
		amount: u128,
		precision: Precision,
	) -> Result<u128, DispatchError> {
		Self::ensure_free(reason, who)?;
		Self::ensure_kept(reason, who)?;
		T::Asset::release(reason, who, amount, precision)
	}

	fn done_hold(reason: &ReasonOf<T>, who: &T::AccountId, amount: u128) {
		T::Asset::done_hold(reason, who, amount);
	}

	fn done_release(reason: &ReasonOf<T>, who: &T::AccountId, amount: u128) {
		T::Asset::done_release(reason, who, amount);
	}

	fn done_burn_held(reason: &ReasonOf<T>, who: &T::AccountId, amount: u128) {
		T::Asset::done_burn_held(reason, who, amount);
	}
}

impl<T: Config> BalancedHold<T::AccountId> for Guarded<T> {}

impl<T: Config> DoneSlash<ReasonOf<T>, T::AccountId, u128> for Guarded<T> {
	fn done_slash(reason: &ReasonOf<T>, who: &T::AccountId, amount: u128) {
		<T::Asset as DoneSlash<ReasonOf<T>, T::AccountId, u128>>::done_slash(reason, who, amount);
	}
}
