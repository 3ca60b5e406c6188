//! Every touch of money.

use crate::{
	Config, CreditOf, EconomyOf, Error, Event, Pallet, ReserveState, State, pallet::Unexpected,
	types::Due,
};
use frame_support::traits::{
	Get, Imbalance, OnUnbalanced,
	fungible::{Balanced, Inspect},
	tokens::{Fortitude, Precision, Preservation},
};
use phala_primitives::{StakeKeeper, WorkerKey};
use phala_tokenomics::{Balance, RelayBlock, Reserve, Settlement};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Splits the reserve off the pot, and returns what the pot has left.
	pub(crate) fn endow(now: RelayBlock) -> Balance {
		let pot = Self::pot();
		let spare = T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
		let moved = match Self::withdraw(&pot, T::InitialReserve::get().min(spare)) {
			Some(credit) => {
				let amount = credit.peek();
				match T::Currency::resolve(&Self::reserve(), credit) {
					Ok(()) => amount,
					// It is less than an account may have: it stays in the pot.
					Err(credit) => {
						let back = T::Currency::resolve(&pot, credit);
						debug_assert!(back.is_ok(), "the pot was just there");
						0
					}
				}
			}
			None => 0,
		};
		ReserveState::<T>::put(Reserve::new(moved, T::ReserveYearly::get(), now));
		let endowment =
			T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
		Self::deposit_event(Event::Begun { endowment, reserve: moved });
		endowment
	}

	/// Books what a settlement pays, which the accumulator has booked.
	pub(crate) fn earned(
		keeper: &T::Keeper,
		worker: &WorkerKey,
		settlement: &Settlement,
		due: &mut Due,
	) {
		let Settlement { pool, treasury, .. } = *settlement;
		due.treasury = due.treasury.saturating_add(treasury);
		if pool == 0 {
			return;
		}
		let to = match T::StakeKeeper::on_earned(keeper, worker, pool) {
			true => &mut due.keepers,
			false => &mut due.treasury,
		};
		*to = to.saturating_add(pool);
	}

	/// Pays what is due, and if the pot lacks PHA, what it has: keepers first, who have booked theirs.
	pub(crate) fn pay_due() {
		let Some(mut economy) = State::<T>::get() else { return };
		let due = &mut economy.due;
		if due.sum() == 0 {
			return;
		}
		let pot = Self::pot();
		let spare = T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
		let is_short = due.sum() > spare;
		let keepers = due.keepers.min(spare);
		let treasury = due.treasury.min(spare.saturating_sub(keepers));
		let Some(credit) = Self::withdraw(&pot, keepers.saturating_add(treasury)) else { return };
		let (to_treasury, to_keepers) = credit.split(treasury);
		T::Treasury::on_unbalanced(to_treasury);
		due.treasury = due.treasury.saturating_sub(treasury);
		if keepers > 0 {
			match T::StakeKeeper::on_paid(to_keepers) {
				Ok(()) => due.keepers = due.keepers.saturating_sub(keepers),
				Err(refused) => {
					let back = T::Currency::resolve(&pot, refused);
					debug_assert!(back.is_ok(), "the pot was just there");
					Self::deposit_event(Event::Unexpected { kind: Unexpected::PayRefused });
				}
			}
		}
		if is_short {
			Self::deposit_event(Event::Unexpected { kind: Unexpected::PotMissing });
		}
		State::<T>::put(economy);
	}

	/// Takes `amount` out of the reserve, within its yearly cap.
	pub fn draw_reserve(amount: Balance) -> Result<CreditOf<T>, DispatchError> {
		let mut reserve = ReserveState::<T>::get().ok_or(Error::<T>::NotBegun)?;
		let now = Self::present().ok_or(Error::<T>::NotBegun)?.0.accumulator.now().relay;
		reserve.draw(amount, now).map_err(Error::<T>::from)?;
		let credit = T::Currency::withdraw(
			&Self::reserve(),
			amount,
			Precision::Exact,
			Preservation::Expendable,
			Fortitude::Polite,
		)?;
		ReserveState::<T>::put(reserve);
		Ok(credit)
	}

	pub(crate) fn do_spend_reserve(beneficiary: T::AccountId, amount: Balance) -> DispatchResult {
		let credit = Self::draw_reserve(amount)?;
		T::Currency::resolve(&beneficiary, credit)
			.map_err(|_| sp_runtime::TokenError::CannotCreate)?;
		Self::deposit_event(Event::ReserveSpent { beneficiary, amount });
		Ok(())
	}

	fn withdraw(from: &T::AccountId, amount: Balance) -> Option<CreditOf<T>> {
		T::Currency::withdraw(
			from,
			amount,
			Precision::Exact,
			Preservation::Preserve,
			Fortitude::Polite,
		)
		.ok()
	}

	/// Puts what was drawn and not needed back into the reserve.
	fn return_to_reserve(credit: CreditOf<T>) {
		let amount = credit.peek();
		if amount == 0 {
			return;
		}
		match T::Currency::resolve(&Self::reserve(), credit) {
			Ok(()) => ReserveState::<T>::mutate(|state| {
				if let Some(reserve) = state {
					reserve.give_back(amount);
				}
			}),
			// Less than an empty reserve's account may have: the pot always takes it.
			Err(credit) => {
				let back = T::Currency::resolve(&Self::pot(), credit);
				debug_assert!(back.is_ok(), "the pot exists");
			}
		}
	}

	/// Planck that a settlement can pay.
	pub(crate) fn available(economy: &EconomyOf<T>) -> Balance {
		let acc = &economy.accumulator;
		economy.endowment.saturating_sub(acc.paid()).saturating_sub(acc.treasury())
	}
}

impl<T: Config> phala_primitives::Reserve<CreditOf<T>> for Pallet<T> {
	fn available() -> u128 {
		let Some((economy, _)) = Self::present() else { return 0 };
		let now = economy.accumulator.now().relay;
		ReserveState::<T>::get().map_or(0, |reserve| reserve.available(now))
	}

	fn draw(amount: u128) -> Result<CreditOf<T>, DispatchError> {
		frame_support::storage::with_storage_layer(|| Self::draw_reserve(amount))
	}

	fn give_back(credit: CreditOf<T>) {
		Self::return_to_reserve(credit);
	}
}
