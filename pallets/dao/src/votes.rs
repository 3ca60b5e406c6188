//! Votes never outlast the PHA behind them.
//!
//! PHA on hold or reserved can vote. What moves it politely respects the lock of the votes; but a slash
//! takes it all the same, and a forced transfer could give it to somebody who votes with it again.
//! [`Watched`] sees every such change at the one door through which balances change, and the pallet
//! lowers the votes at the start of the next block, before any referendum is decided in it.

use crate::{Config, Event, Excess, Lowering, Pallet, Votes, WeightInfo};
use core::marker::PhantomData;
use frame_support::{
	storage::with_storage_layer,
	traits::{Get, StoredMap},
	weights::{Weight, WeightMeter},
};
use pallet_balances::AccountData;
use sp_runtime::{
	DispatchError,
	traits::{Saturating, Zero},
};

/// `pallet_balances::Config::AccountStore` that notes who came to own less than its locks.
///
/// A lock is as large as the largest vote, so that votes can exceed what an account owns only where
/// its locks do, and only once it owns less than before. That comparison needs no read; only where it
/// fails is something written. Locks can exceed a balance for long with nothing to lower (those of votes
/// that are over): payments to such an account change nothing here.
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
			let owned =
				|account: &AccountData<Balance>| account.free.saturating_add(account.reserved);
			let before = maybe_account.as_ref().map(|account| (account.frozen, owned(account)));
			let result = change(maybe_account)?;
			// An account that died has no locks any more; its votes would live on.
			let (frozen, left) = match (maybe_account.as_ref(), before) {
				(Some(account), _) => (account.frozen, owned(account)),
				(None, Some((frozen, _))) => (frozen, Zero::zero()),
				(None, None) => (Zero::zero(), Zero::zero()),
			};
			exceeds = frozen > left && before.is_some_and(|(_, owned)| left < owned);
			Ok::<R, E>(result)
		})?;
		if exceeds {
			// All tracks from the first: what was gone through before may exceed now.
			Excess::<T>::insert(who, 0);
		}
		Ok(result)
	}
}

/// Class of votes.
pub type ClassOf<T> = <<T as Config>::Votes as Votes<AccountIdOf<T>>>::Class;
type AccountIdOf<T> = <T as frame_system::Config>::AccountId;

impl<T: Config> Pallet<T> {
	/// Lowers votes until there are none to lower, or until the limit is reached. One is lowered in any
	/// case: a limit that is too low must not stop everything.
	pub(crate) fn lower_votes() -> Weight {
		let mut consumed = T::WeightInfo::next_excess();
		if Excess::<T>::iter_keys().next().is_none() {
			return consumed;
		}
		T::Votes::before_decisions(|| {
			let mut meter = WeightMeter::with_limit(T::LoweringWeight::get());
			let mut at_least = WeightMeter::with_limit(T::Votes::max_weight());
			let mut any = false;
			while let Some((who, position)) = Excess::<T>::iter().next() {
				let Some(class) = T::Votes::class(position) else {
					Excess::<T>::remove(who);
					if meter.try_consume(T::WeightInfo::next_excess()).is_err() {
						break;
					}
					continue;
				};
				let mut step = Self::lower_vote_of(&who, &class, &mut meter);
				if step == Lowering::TooHeavy && !any {
					step = Self::lower_vote_of(&who, &class, &mut at_least);
				}
				match step {
					Lowering::TooHeavy => break,
					Lowering::Lowered => any = true,
					Lowering::Nothing => Excess::<T>::insert(who, position.saturating_add(1)),
				}
				if meter.try_consume(T::WeightInfo::next_excess()).is_err() {
					break;
				}
			}
			consumed.saturating_accrue(meter.consumed().saturating_add(at_least.consumed()));
		});
		consumed
	}

	/// Lowers one vote of `who`. What cannot be lowered is passed over, with an event.
	pub(crate) fn lower_vote_of(
		who: &T::AccountId,
		class: &ClassOf<T>,
		meter: &mut WeightMeter,
	) -> Lowering {
		match with_storage_layer(|| T::Votes::lower_one(who, class, meter)) {
			Ok(step) => {
				if step == Lowering::Lowered {
					Self::deposit_event(Event::VotesLowered { who: who.clone() });
				}
				step
			}
			Err(error) => {
				frame_support::defensive!("a vote that stands can be lowered");
				Self::deposit_event(Event::LoweringFailed { who: who.clone(), error });
				Lowering::Nothing
			}
		}
	}
}
