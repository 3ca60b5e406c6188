//! Votes never outlast the PHA behind them.
//!
//! PHA on hold or reserved can vote. What moves it politely respects the lock of the votes; but a slash
//! takes it all the same, and a forced transfer could give it to somebody who votes with it again.
//! [`Watched`] sees every such change at the one door through which balances change, and the pallet
//! lowers the votes at the start of the next block, before any referendum is decided in it.

use crate::{Config, Event, Excess, Pallet, Votes, WeightInfo};
use core::marker::PhantomData;
use frame_support::{
	storage::with_storage_layer,
	traits::{Get, StoredMap},
	weights::Weight,
};
use pallet_balances::AccountData;
use sp_runtime::{
	DispatchError,
	traits::{Saturating, Zero},
};

/// `pallet_balances::Config::AccountStore` that notes whose locks exceed what they own.
///
/// A lock is as large as the largest vote, so that votes can exceed what an account owns only where
/// its locks do. That comparison needs no read; only where it fails is something written.
pub struct Watched<T, Store>(PhantomData<(T, Store)>);

impl<T, Store, Balance> StoredMap<T::AccountId, AccountData<Balance>> for Watched<T, Store>
where
	T: Config,
	Balance: Copy + Ord + Zero + Saturating,
	AccountData<Balance>: Default,
	Store: StoredMap<T::AccountId, AccountData<Balance>>,
{
	fn get(who: &T::AccountId) -> AccountData<Balance> {
		Store::get(who)
	}

	fn try_mutate_exists<R, E: From<DispatchError>>(
		who: &T::AccountId,
		change: impl FnOnce(&mut Option<AccountData<Balance>>) -> Result<R, E>,
	) -> Result<R, E> {
		let mut exceeds = false;
		let result = Store::try_mutate_exists(who, |maybe_account| {
			let was_frozen =
				maybe_account.as_ref().is_some_and(|account| !account.frozen.is_zero());
			let result = change(maybe_account)?;
			exceeds = match maybe_account {
				Some(account) => account.frozen > account.free.saturating_add(account.reserved),
				// A dead account has no locks; its votes would live on.
				None => was_frozen,
			};
			Ok::<R, E>(result)
		})?;
		if exceeds {
			Excess::<T>::insert(who, ());
		}
		Ok(result)
	}
}

impl<T: Config> Pallet<T> {
	/// Lowers votes until there are none to lower, or until the limit is reached. One is lowered in any
	/// case: a limit that is too low must not stop everything.
	pub(crate) fn lower_votes() -> Weight {
		let mut consumed = T::WeightInfo::next_excess();
		let limit = T::LoweringWeight::get();
		while let Some(who) = Excess::<T>::iter_keys().next() {
			let (_, weight) = Self::lower_vote_of(&who);
			consumed = consumed.saturating_add(weight).saturating_add(T::WeightInfo::next_excess());
			if consumed.saturating_add(T::Votes::max_weight()).any_gt(limit) {
				break;
			}
		}
		consumed
	}

	/// Lowers one vote of `who`. Returns whether there was one, and what the work weighs.
	pub(crate) fn lower_vote_of(who: &T::AccountId) -> (bool, Weight) {
		let mut weight = Weight::zero();
		let lowered = with_storage_layer(|| {
			let (result, consumed) = T::Votes::lower_one(who);
			weight = consumed;
			result
		});
		match lowered {
			Ok(true) => {
				Excess::<T>::insert(who, ());
				Self::deposit_event(Event::VotesLowered { who: who.clone() });
			}
			Ok(false) => Excess::<T>::remove(who),
			Err(error) => {
				frame_support::defensive!("a vote that stands can be lowered");
				Excess::<T>::remove(who);
				Self::deposit_event(Event::LoweringFailed { who: who.clone(), error });
			}
		}
		(matches!(lowered, Ok(true)), weight)
	}
}
