//! Who wants to leave, in order.

use crate::{
	Config, Error, Event, HoldReason, Pallet, PoolOf, Pools, Positions, Requests,
	types::{OwnExit, PoolId, Request, Unexpected},
};
use frame_support::{defensive, ensure, traits::Get};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Asks for shares to be redeemed. A smaller request keeps its place; a larger one is a new one.
	pub(crate) fn do_withdraw(who: T::AccountId, id: PoolId, shares: u128) -> DispatchResult {
		let mut pool = Self::load(id)?;
		let position = Self::current(id, &mut pool, &who)?;
		ensure!(shares > 0, Error::<T>::BelowMinimum);
		ensure!(shares <= position.shares, Error::<T>::NotEnoughShares);
		let since = match Requests::<T>::get(id, &who) {
			Some(mut request) if shares <= request.shares => {
				pool.queued = pool.queued.saturating_sub(request.shares.saturating_sub(shares));
				request.shares = shares;
				let since = request.since;
				Requests::<T>::insert(id, &who, request);
				since
			}
			old => {
				if old.is_some() {
					Self::unlink(id, &mut pool, &who);
				}
				Self::enqueue(id, &mut pool, &who, shares)
			}
		};
		Self::put_position(id, &mut pool, &who, position);
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::WithdrawalRequested { pool: id, who, shares, since });
		Ok(())
	}

	/// Takes a request back.
	pub(crate) fn do_cancel_withdrawal(who: T::AccountId, id: PoolId) -> DispatchResult {
		let mut pool = Self::load(id)?;
		ensure!(Requests::<T>::contains_key(id, &who), Error::<T>::RequestNotFound);
		Self::unlink(id, &mut pool, &who);
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::WithdrawalCancelled { pool: id, who });
		Ok(())
	}

	/// Puts a request at the end of the queue. Returns its block.
	pub(crate) fn enqueue(
		id: PoolId,
		pool: &mut PoolOf<T>,
		who: &T::AccountId,
		shares: u128,
	) -> u32 {
		let since = Self::now();
		let prev = pool.tail.replace(who.clone());
		match &prev {
			Some(last) => Self::link(id, last, |last| last.next = Some(who.clone())),
			None => pool.head = Some(who.clone()),
		}
		pool.queued = pool.queued.saturating_add(shares);
		Requests::<T>::insert(id, who, Request { shares, since, prev, next: None });
		since
	}

	/// Takes a request out of the queue.
	fn unlink(id: PoolId, pool: &mut PoolOf<T>, who: &T::AccountId) {
		let Some(request) = Requests::<T>::take(id, who) else { return };
		pool.queued = pool.queued.saturating_sub(request.shares);
		match &request.prev {
			Some(prev) => Self::link(id, prev, |prev| prev.next = request.next.clone()),
			None => pool.head = request.next.clone(),
		}
		match &request.next {
			Some(next) => Self::link(id, next, |next| next.prev = request.prev.clone()),
			None => pool.tail = request.prev.clone(),
		}
	}

	fn link(id: PoolId, who: &T::AccountId, change: impl FnOnce(&mut Request<T::AccountId>)) {
		Requests::<T>::mutate(id, who, |entry| match entry {
			Some(request) => change(request),
			None => {
				defensive!("neighbours in the queue exist");
				Self::deposit_event(Event::Unexpected { kind: Unexpected::QueueBroken });
			}
		});
	}

	/// Pays at most `limit` requests that have waited for a round, in order, and then the owner, out of
	/// the stake that is behind no worker. Returns how many.
	pub(crate) fn do_process(id: PoolId, limit: u32) -> Result<u32, Error<T>> {
		let mut pool = Self::load(id)?;
		let mut paid = 0u32;
		while paid < limit && !pool.rests() {
			let owner = pool.head.is_none();
			let done =
				if owner { Self::pay_owner(id, &mut pool) } else { Self::pay_head(id, &mut pool) };
			if !done {
				break;
			}
			paid = paid.saturating_add(1);
		}
		Pools::<T>::insert(id, pool);
		Ok(paid)
	}

	fn has_waited(since: u32) -> bool {
		Self::now() >= since.saturating_add(T::RoundLength::get())
	}

	/// Pays the first request, or a part of it. Returns whether it did anything.
	fn pay_head(id: PoolId, pool: &mut PoolOf<T>) -> bool {
		let Some(who) = pool.head.clone() else { return false };
		let (Some(request), Some(mut position)) =
			(Requests::<T>::get(id, &who), Positions::<T>::get(id, &who))
		else {
			defensive!("whoever is in the queue has a position");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::QueueBroken });
			return false;
		};
		if !Self::has_waited(request.since) {
			return false;
		}
		let caught_up = Self::catch_up(id, pool, &who, &mut position);
		if !caught_up.complete {
			// It goes on with the next step.
			Self::put_position(id, pool, &who, position);
			return true;
		}
		let shares = Self::affordable(pool, request.shares);
		let released = match shares {
			0 => Err(Error::<T>::NotEnoughStake),
			shares => Self::redeem(id, pool, &who, &mut position, shares),
		};
		let Ok(released) = released else {
			Self::put_position(id, pool, &who, position);
			return false;
		};
		if shares == request.shares {
			Self::unlink(id, pool, &who);
		} else {
			pool.queued = pool.queued.saturating_sub(shares);
			let shares = request.shares.saturating_sub(shares);
			Requests::<T>::insert(id, &who, Request { shares, ..request });
		}
		Self::put_position(id, pool, &who, position);
		Self::deposit_event(Event::Withdrawn { pool: id, who, shares, amount: released });
		true
	}

	/// How many of so many shares the free stake pays for.
	fn affordable(pool: &PoolOf<T>, shares: u128) -> u128 {
		let free = pool.free();
		if pool.shares.worth(shares) <= free {
			return shares;
		}
		let some = pool.shares.cost(free).min(shares);
		// The cost is rounded up.
		if pool.shares.worth(some) > free { some.saturating_sub(1) } else { some }
	}

	/// Pays the owner, who is last in every queue. Returns whether it did anything.
	fn pay_owner(id: PoolId, pool: &mut PoolOf<T>) -> bool {
		let Some(exit) = pool.own_exit.clone() else { return false };
		// What is at risk is the owner's to lose first.
		let kept = Self::least_own(pool.shares.value()).saturating_add(pool.at_risk);
		let spare = pool.own.saturating_sub(kept);
		let amount = exit.amount.min(spare).min(pool.free());
		if !Self::has_waited(exit.since) || amount == 0 {
			return false;
		}
		pool.own = pool.own.saturating_sub(amount);
		let rest = exit.amount.saturating_sub(amount);
		pool.own_exit = (rest > 0).then_some(OwnExit { amount: rest, ..exit });
		Self::release(HoldReason::OwnerStake, &pool.owner, amount);
		let who = pool.owner.clone();
		Self::deposit_event(Event::OwnerStakeWithdrawn { pool: id, who, amount });
		true
	}

	/// Worth of those of the first `limit` requests that have waited for longer than the grace period, and
	/// at how many it looked.
	pub(crate) fn overdue(id: PoolId, pool: &PoolOf<T>, limit: u32) -> (u128, u32) {
		let (mut shares, mut next, mut walked) = (0u128, pool.head.clone(), 0u32);
		while walked < limit
			&& let Some(who) = next.take()
		{
			walked = walked.saturating_add(1);
			let Some(request) = Requests::<T>::get(id, &who) else { break };
			if Self::now() < request.since.saturating_add(T::GracePeriod::get()) {
				break;
			}
			shares = shares.saturating_add(request.shares);
			next = request.next;
		}
		(pool.shares.worth(shares), walked)
	}
}
