//! What an owner does with a pool as such.

use crate::{
	Config, Descriptions, Error, Event, HoldReason, NextPool, Pallet, PoolOf, PoolWorkers, Pools,
	Whitelists,
	types::{Announced, OwnExit, Pool, PoolId},
};
use frame_support::{BoundedVec, ensure, traits::Get};
use phala_primitives::Mining;
use phala_tokenomics::pool::{Rewards, Shares};
use sp_runtime::{DispatchResult, Perbill};

impl<T: Config> Pallet<T> {
	/// A pool, for its owner.
	fn load_owned(who: &T::AccountId, id: PoolId) -> Result<PoolOf<T>, Error<T>> {
		let pool = Self::load(id)?;
		ensure!(pool.owner == *who, Error::<T>::NotOwner);
		Ok(pool)
	}

	/// Founds a pool.
	pub(crate) fn do_create(who: T::AccountId, own: u128, commission: Perbill) -> DispatchResult {
		ensure!(own >= T::MinOwnerStake::get(), Error::<T>::BelowMinimum);
		let id = NextPool::<T>::get();
		NextPool::<T>::put(id.checked_add(1).ok_or(Error::<T>::TooLarge)?);
		Self::hold(HoldReason::OwnerStake, &who, own)?;
		let pool = Pool {
			owner: who.clone(),
			heir: None,
			own,
			own_joining: own,
			own_suspected: 0,
			own_exit: None,
			shares: Shares::default(),
			joining: 0,
			queued: 0,
			changes: 0,
			committed: 0,
			at_risk: 0,
			cap: None,
			commission,
			announced: None,
			round: Self::round_now(),
			bucket: 0,
			rewards: Rewards::default(),
			owner_rewards: 0,
			pot: 0,
			head: None,
			tail: None,
			next_loss: 0,
			open: BoundedVec::new(),
			last_loss: None,
			tranches: 0,
			outstanding: 0,
			positions: 0,
		};
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::PoolCreated { pool: id, owner: who, own, commission });
		Ok(())
	}

	/// Lowers the commission at once, or announces a higher one.
	pub(crate) fn do_set_commission(
		who: T::AccountId,
		id: PoolId,
		rate: Perbill,
	) -> DispatchResult {
		let mut pool = Self::load_owned(&who, id)?;
		let mut binds = Self::now();
		pool.announced = None;
		if rate <= pool.commission {
			pool.commission = rate;
		} else {
			// Long enough for everybody to leave first.
			binds =
				binds.saturating_add(T::GracePeriod::get()).saturating_add(T::Mining::cool_down());
			pool.announced = Some(Announced { rate, binds });
		}
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::CommissionSet { pool: id, rate, binds });
		Ok(())
	}

	/// Limits the stake of a pool. What is in it stays.
	pub(crate) fn do_set_cap(who: T::AccountId, id: PoolId, cap: Option<u128>) -> DispatchResult {
		let mut pool = Self::load_owned(&who, id)?;
		pool.cap = cap;
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::CapSet { pool: id, cap });
		Ok(())
	}

	/// Says who may contribute.
	pub(crate) fn do_set_whitelist(
		who: T::AccountId,
		id: PoolId,
		list: Option<BoundedVec<T::AccountId, T::MaxWhitelist>>,
	) -> DispatchResult {
		Pools::<T>::insert(id, Self::load_owned(&who, id)?);
		let accounts = list.as_ref().map(|list| list.len() as u32);
		Whitelists::<T>::set(id, list);
		Self::deposit_event(Event::WhitelistSet { pool: id, accounts });
		Ok(())
	}

	/// Describes a pool.
	pub(crate) fn do_set_description(
		who: T::AccountId,
		id: PoolId,
		text: BoundedVec<u8, T::MaxDescription>,
	) -> DispatchResult {
		Pools::<T>::insert(id, Self::load_owned(&who, id)?);
		if text.is_empty() {
			Descriptions::<T>::remove(id);
		} else {
			Descriptions::<T>::insert(id, text);
		}
		Self::deposit_event(Event::DescriptionSet { pool: id });
		Ok(())
	}

	/// Offers a pool to somebody.
	pub(crate) fn do_offer_ownership(
		who: T::AccountId,
		id: PoolId,
		heir: Option<T::AccountId>,
	) -> DispatchResult {
		let mut pool = Self::load_owned(&who, id)?;
		ensure!(heir.as_ref() != Some(&who), Error::<T>::AlreadyOwner);
		pool.heir = heir.clone();
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::OwnershipOffered { pool: id, heir });
		Ok(())
	}

	/// Takes a pool over, with stake of one's own. What the old owner staked and earned remains theirs:
	/// they are a delegator from now on, and are paid at once.
	pub(crate) fn do_accept_ownership(who: T::AccountId, id: PoolId, own: u128) -> DispatchResult {
		let mut pool = Self::load(id)?;
		ensure!(pool.heir.take().as_ref() == Some(&who), Error::<T>::NotOffered);
		// Who was the owner then bears it first. What is only at risk, the new owner bears first.
		ensure!(pool.tranches == 0, Error::<T>::OpenLoss);
		ensure!(own >= T::MinOwnerStake::get(), Error::<T>::BelowMinimum);
		let stake = pool.stake().saturating_add(own);
		ensure!(Self::owner_covers(own, stake), Error::<T>::OwnerStakeTooLow);
		Self::pay_owner_rewards(id, &mut pool)?;
		let old = core::mem::replace(&mut pool.owner, who.clone());
		let old_stake = core::mem::replace(&mut pool.own, own);
		(pool.own_joining, pool.own_exit) = (own, None);
		Self::release(HoldReason::OwnerStake, &old, old_stake);
		if old_stake > 0 {
			Self::join(id, &mut pool, &old, old_stake)?;
		}
		Self::hold(HoldReason::OwnerStake, &who, own)?;
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::OwnershipChanged { pool: id, from: old, to: who, own });
		Ok(())
	}

	/// Adds to the owner's stake. It earns from the next round.
	pub(crate) fn do_add_own(who: T::AccountId, id: PoolId, amount: u128) -> DispatchResult {
		let mut pool = Self::load_owned(&who, id)?;
		ensure!(amount >= T::MinContribution::get(), Error::<T>::BelowMinimum);
		let stake = pool.stake().saturating_add(amount);
		ensure!(pool.cap.is_none_or(|cap| stake <= cap), Error::<T>::CapReached);
		Self::hold(HoldReason::OwnerStake, &who, amount)?;
		pool.own = pool.own.saturating_add(amount);
		pool.own_joining = pool.own_joining.saturating_add(amount);
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::OwnerStakeAdded { pool: id, who, amount });
		Ok(())
	}

	/// Asks for a part of the owner's stake back; 0 takes the request back.
	pub(crate) fn do_withdraw_own(who: T::AccountId, id: PoolId, amount: u128) -> DispatchResult {
		let mut pool = Self::load_owned(&who, id)?;
		ensure!(amount <= pool.own, Error::<T>::NotEnoughStake);
		pool.own_exit = match &pool.own_exit {
			_ if amount == 0 => None,
			Some(old) if amount <= old.amount => Some(OwnExit { amount, since: old.since }),
			_ => Some(OwnExit { amount, since: Self::now() }),
		};
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::OwnerWithdrawalRequested { pool: id, who, amount });
		Ok(())
	}

	/// Pays commission and the rewards of the owner's stake.
	pub(crate) fn do_claim_owner(who: T::AccountId, id: PoolId) -> DispatchResult {
		let mut pool = Self::load_owned(&who, id)?;
		ensure!(Self::pay_owner_rewards(id, &mut pool)?, Error::<T>::NothingToClaim);
		Pools::<T>::insert(id, pool);
		Ok(())
	}

	fn pay_owner_rewards(
		id: PoolId,
		pool: &mut PoolOf<T>,
	) -> Result<bool, sp_runtime::DispatchError> {
		let amount = core::mem::take(&mut pool.owner_rewards).min(pool.pot);
		if amount == 0 {
			return Ok(false);
		}
		pool.pot = pool.pot.saturating_sub(amount);
		Self::pay_out(&pool.owner, amount)?;
		let who = pool.owner.clone();
		Self::deposit_event(Event::OwnerRewardsClaimed { pool: id, who, amount });
		Ok(true)
	}

	/// Ends an empty pool. What is left in the pot, such as dust, is the owner's.
	pub(crate) fn do_close(who: T::AccountId, id: PoolId) -> DispatchResult {
		let mut pool = Self::load_owned(&who, id)?;
		let alone = pool.shares.total() == 0
			&& pool.tranches == 0
			&& pool.open.is_empty()
			&& pool.outstanding == 0
			&& pool.positions == 0;
		ensure!(alone && !PoolWorkers::<T>::contains_key(id), Error::<T>::NotEmpty);
		pool.owner_rewards = pool.pot;
		Self::pay_owner_rewards(id, &mut pool)?;
		Self::release(HoldReason::OwnerStake, &who, pool.own);
		Whitelists::<T>::remove(id);
		Descriptions::<T>::remove(id);
		Pools::<T>::remove(id);
		Self::deposit_event(Event::PoolRemoved { pool: id, own: pool.own });
		Ok(())
	}
}
