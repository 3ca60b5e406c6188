//! Rewards: out of the reserve into the escrow when an era ends, from there to who claims them, and back
//! if nobody does.

use crate::{types::*, *};
use core::marker::PhantomData;
use frame_support::{
	defensive,
	traits::{
		Get, Imbalance, OnUnbalanced, SameOrOther, UnixTime,
		fungible::{Balanced, Debt, Inspect},
		tokens::{Fortitude, Preservation},
	},
};
use pallet_staking::{
	ActiveEra, ClaimedRewards, CurrentEra, ErasRewardPoints, ErasTotalStake, ErasValidatorReward,
};
use phala_primitives::Reserve;
use sp_runtime::{
	Perbill, Rounding, SaturatedConversion, helpers_128bit::multiply_by_rational_with_rounding,
	traits::AccountIdConversion,
};
use sp_staking::{EraIndex, EraPayout};

/// Milliseconds of a year of 365 days.
const YEAR_MILLIS: u128 = 365 * 24 * 60 * 60 * 1_000;

/// Plancks of an era's escrow that cannot be claimed: staking rounds each of up to some 2,000 payouts of
/// an era to the nearest planck, up as well as down.
pub const ROUNDING: u128 = 1_000_000;

/// What becomes of an era whose rewards can no longer be claimed.
pub(crate) struct Expired {
	era: EraIndex,
	unclaimed: u128,
}

impl<T: Config> Pallet<T> {
	/// The account that has what was escrowed.
	pub fn escrow() -> T::AccountId {
		T::EscrowId::get().into_account_truncating()
	}

	/// What it can pay.
	pub(crate) fn escrow_balance() -> u128 {
		T::Asset::reducible_balance(&Self::escrow(), Preservation::Preserve, Fortitude::Polite)
	}

	/// What an era of so many milliseconds earns with so much behind its members: the rate on their
	/// stake, up to a yearly sum. A longer pause than [`Config::MaxEraMillis`] earns nothing.
	pub(crate) fn reward_for(staked: u128, millis: u64) -> u128 {
		let yearly = T::RewardRate::get().mul_floor(staked).min(T::YearlyReward::get());
		let millis = millis.min(T::MaxEraMillis::get()).into();
		multiply_by_rational_with_rounding(yearly, millis, YEAR_MILLIS, Rounding::Down).unwrap_or(0)
	}

	/// What the active era has earned so far, as far as the reserve can pay.
	pub(crate) fn accrued() -> Option<(EraIndex, u128)> {
		let era = ActiveEra::<T>::get()?;
		let now = T::UnixTime::now().as_millis().saturated_into::<u64>();
		let millis = era.start.map_or(0, |start| now.saturating_sub(start));
		let earned = Self::reward_for(ErasTotalStake::<T>::get(era.index), millis);
		Some((era.index, earned.min(T::Reserve::available())))
	}

	/// Brings `amount` into the escrow, or what the reserve can spare of it. Returns what can be
	/// claimed.
	fn endow(era: EraIndex, amount: u128) -> u128 {
		let escrow = Self::escrow();
		// So that the account exists without what is in it, and the last claim can be paid.
		let float = T::Asset::minimum_balance().saturating_sub(T::Asset::balance(&escrow));
		let drawn = amount.saturating_add(float).min(T::Reserve::available());
		let escrowed = drawn.saturating_sub(float);
		let claimable = escrowed.saturating_sub(ROUNDING);
		if claimable == 0 {
			return 0;
		}
		let credit = match T::Reserve::draw(drawn) {
			Ok(credit) => credit,
			Err(error) => {
				Self::deposit_event(Event::RewardRefused { era, error });
				return 0;
			}
		};
		if let Err(credit) = T::Asset::resolve(&escrow, credit) {
			T::Reserve::give_back(credit);
			return 0;
		}
		Escrows::<T>::insert(era, escrowed);
		Escrowed::<T>::mutate(|sum| *sum = sum.saturating_add(escrowed));
		Self::deposit_event(Event::RewardEscrowed { era, amount: escrowed });
		claimable
	}

	/// The era that staking forgets when it plans the next one, and what nobody claimed of it.
	pub(crate) fn expiring() -> Option<Expired> {
		let next = CurrentEra::<T>::get()?.saturating_add(1);
		let era = next.checked_sub(T::HistoryDepth::get().saturating_add(1))?;
		let escrowed = Escrows::<T>::get(era)?;
		let claimed = Self::claimed(era).saturating_add(ROUNDING);
		Some(Expired { era, unclaimed: escrowed.saturating_sub(claimed) })
	}

	/// What staking paid for an era, or more: a payee may have renounced it.
	pub(crate) fn claimed(era: EraIndex) -> u128 {
		let points = ErasRewardPoints::<T>::get(era);
		let payout = ErasValidatorReward::<T>::get(era).unwrap_or_default();
		let paid = points.individual.iter().filter(|(who, _)| {
			// A member's backers fit on one page, so that it is paid all at once.
			!ClaimedRewards::<T>::get(era, who).is_empty()
		});
		paid.fold(0, |sum: u128, (_, own)| {
			sum.saturating_add(Perbill::from_rational(*own, points.total) * payout)
		})
	}

	/// Brings back what is not needed any more: what was not claimed of an expired era; and all that is
	/// more than the eras together have escrowed, since payees renounced it.
	pub(crate) fn return_expired(expired: Option<Expired>) {
		let Some(Expired { era, unclaimed }) = expired else { return };
		let escrowed = Escrows::<T>::take(era).unwrap_or_default();
		let left = Escrowed::<T>::mutate(|sum| {
			*sum = sum.saturating_sub(escrowed);
			*sum
		});
		let balance = Self::escrow_balance();
		let amount = unclaimed.max(balance.saturating_sub(left)).min(balance);
		let credit = T::Asset::withdraw(
			&Self::escrow(),
			amount,
			frame_support::traits::tokens::Precision::Exact,
			Preservation::Preserve,
			Fortitude::Polite,
		);
		if let Ok(credit) = credit {
			T::Reserve::give_back(credit);
			Self::deposit_event(Event::RewardExpired { era, amount });
		}
	}
}

/// What an era is paid when it ends. Only what is in the escrow by then can be claimed.
impl<T: Config> EraPayout<u128> for Pallet<T> {
	fn era_payout(staked: u128, _issuance: u128, millis: u64) -> (u128, u128) {
		let Some(era) = ActiveEra::<T>::get().map(|era| era.index) else { return (0, 0) };
		// Without points nobody could claim it.
		if ErasRewardPoints::<T>::get(era).total == 0 {
			return (0, 0);
		}
		(Self::endow(era, Self::reward_for(staked, millis)), 0)
	}
}

/// Settles what staking paid out against the escrow, so that no PHA is made.
pub struct SettleRewards<T>(PhantomData<T>);

impl<T: Config> OnUnbalanced<Debt<T::AccountId, T::Asset>> for SettleRewards<T> {
	fn on_nonzero_unbalanced(debt: Debt<T::AccountId, T::Asset>) {
		Unsettled::<T>::mutate(|sum| *sum = sum.saturating_sub(debt.peek()));
		let debt = match T::Asset::settle(&Pallet::<T>::escrow(), debt, Preservation::Preserve) {
			Ok(rest) => return T::Reserve::give_back(rest),
			Err(debt) => debt,
		};
		// Each deposit was checked against the escrow. The reserve stands in, rather than that PHA would
		// be made by dropping a debt.
		defensive!("a payout is covered by the escrow");
		Pallet::<T>::deposit_event(Event::Unexpected { kind: Unexpected::PayoutNotCovered });
		if let Ok(credit) = T::Reserve::draw(debt.peek())
			&& let SameOrOther::Same(rest) = credit.offset(debt)
		{
			T::Reserve::give_back(rest);
		}
	}
}
