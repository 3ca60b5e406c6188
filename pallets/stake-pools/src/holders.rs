//! What delegators have: shares, PHA on hold, rewards, and parts in losses.

use crate::{
	Config, Error, Event, HoldReason, Losses, Pallet, PoolOf, Pools, Positions, Starts, Whitelists,
	types::{Claim, Joining, Loss, LossId, PoolId, Position, Start},
};
use alloc::vec::Vec;
use frame_support::{
	defensive, ensure,
	traits::{Get, Imbalance},
};
use phala_tokenomics::pool::PoolError;
use sp_runtime::DispatchResult;

/// Most losses that a position can catch up with at a time.
pub const MAX_CATCH_UP: u32 = 32;

/// What catching up did.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaughtUp {
	/// Whether nothing is left to look at.
	pub(crate) complete: bool,
	/// Losses it went through.
	pub(crate) seen: u32,
	/// What was taken.
	pub(crate) collected: u128,
}

impl<T: Config> From<PoolError> for Error<T> {
	fn from(error: PoolError) -> Self {
		match error {
			PoolError::Exhausted => Self::PoolClosed,
			PoolError::TooSmall => Self::BelowMinimum,
			PoolError::NotEnoughShares => Self::NotEnoughShares,
			PoolError::TooLarge => Self::TooLarge,
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Brings a position up to this moment: rewards, and all losses in the order in which they were
	/// suspected and closed, at most [`MAX_CATCH_UP`] new ones.
	pub(crate) fn catch_up(
		id: PoolId,
		pool: &mut PoolOf<T>,
		who: &T::AccountId,
		position: &mut Position,
	) -> CaughtUp {
		Self::accrue(id, pool, position);
		let (mut seen, mut collected) = (0, 0u128);
		let mut claims: Vec<(Claim, Loss)> = Vec::new();
		for claim in core::mem::take(&mut position.claims) {
			// One that is gone had nothing to collect.
			if let Some(loss) = Losses::<T>::get(id, claim.loss) {
				claims.push((claim, loss));
			}
		}
		if position.shares == 0 && claims.is_empty() {
			position.seen = pool.next_loss;
		}
		let complete = loop {
			let next = Self::next_loss(id, pool, position, &mut seen);
			let complete = position.seen == pool.next_loss;
			// A loss closes before another one of the same round is suspected. With unknown ones ahead,
			// nothing can be said of those that are closed by now.
			let before = match &next {
				Some((_, loss)) => loss.round,
				None if complete => u32::MAX,
				None => break false,
			};
			claims.retain_mut(|(claim, loss)| match &loss.outcome {
				Some(outcome) if outcome.round <= before => {
					let taken = Self::collect(id, pool, who, position, claim, loss);
					collected = collected.saturating_add(taken);
					false
				}
				_ => true,
			});
			let Some((loss_id, loss)) = next else { break true };
			position.seen = loss_id.saturating_add(1);
			if position.shares > 0 {
				claims.push((Claim { loss: loss_id, shares: position.shares }, loss));
			}
		};
		for (claim, _) in claims {
			if position.claims.try_push(claim).is_err() {
				defensive!("no more losses are open at a time");
				Self::loss_is_missing();
			}
		}
		CaughtUp { complete, seen, collected }
	}

	/// The next loss that a position has not seen. Skips those that are gone.
	fn next_loss(
		id: PoolId,
		pool: &PoolOf<T>,
		position: &mut Position,
		seen: &mut u32,
	) -> Option<(LossId, Loss)> {
		while position.seen < pool.next_loss && *seen < MAX_CATCH_UP {
			*seen = seen.saturating_add(1);
			if let Some(loss) = Losses::<T>::get(id, position.seen) {
				return Some((position.seen, loss));
			}
			position.seen = position.seen.saturating_add(1);
		}
		None
	}

	/// Takes a position's part of what was applied, and gives it its shares of what was cancelled.
	/// Whoever comes last takes the rest of the rounding of all, so that nothing is left over.
	fn collect(
		id: PoolId,
		pool: &mut PoolOf<T>,
		who: &T::AccountId,
		position: &mut Position,
		claim: &Claim,
		loss: &mut Loss,
	) -> u128 {
		let Some(outcome) = &mut loss.outcome else { return 0 };
		let (Ok((charge, last)), Ok((minted, last_minted))) =
			(outcome.charge.restore(claim.shares), outcome.minted.restore(claim.shares))
		else {
			Self::loss_is_missing();
			return 0;
		};
		let charge = charge.saturating_add(last);
		let minted = minted.saturating_add(last_minted);
		let earned = pool.rewards.owed(minted, outcome.since);
		position.rewards = position.rewards.saturating_add(earned);
		position.shares = position.shares.saturating_add(minted);
		pool.outstanding = pool.outstanding.saturating_sub(charge);
		let credit = Self::take(HoldReason::Delegation, who, charge.min(position.held));
		let collected = credit.peek();
		position.held = position.held.saturating_sub(collected);
		Self::slashed(credit);
		loss.unseen = loss.unseen.saturating_sub(claim.shares);
		if loss.unseen == 0 {
			Losses::<T>::remove(id, claim.loss);
		} else {
			Losses::<T>::insert(id, claim.loss, &*loss);
		}
		Self::deposit_event(Event::LossCollected {
			pool: id,
			who: who.clone(),
			loss: claim.loss,
			collected,
			minted,
		});
		collected
	}

	/// What is set aside of a position for losses that are open.
	pub(crate) fn set_aside(id: PoolId, position: &Position) -> u128 {
		position.claims.iter().fold(0u128, |sum, claim| {
			let part = Losses::<T>::get(id, claim.loss).map_or(0, |loss| loss.part(claim.shares));
			sum.saturating_add(part)
		})
	}

	/// A position that is up to date.
	pub(crate) fn current(
		id: PoolId,
		pool: &mut PoolOf<T>,
		who: &T::AccountId,
	) -> Result<Position, Error<T>> {
		let mut position = Positions::<T>::get(id, who).ok_or(Error::<T>::PositionNotFound)?;
		let caught_up = Self::catch_up(id, pool, who, &mut position);
		ensure!(caught_up.complete, Error::<T>::BehindOnLosses);
		Ok(position)
	}

	/// Stores a position, or forgets it if it is empty.
	pub(crate) fn put_position(
		id: PoolId,
		pool: &mut PoolOf<T>,
		who: &T::AccountId,
		position: Position,
	) {
		if position.is_empty() {
			Positions::<T>::remove(id, who);
			pool.positions = pool.positions.saturating_sub(1);
		} else {
			Positions::<T>::insert(id, who, position);
		}
	}

	/// Puts stake into a pool.
	pub(crate) fn do_contribute(who: T::AccountId, id: PoolId, amount: u128) -> DispatchResult {
		let mut pool = Self::load(id)?;
		ensure!(amount >= T::MinContribution::get(), Error::<T>::BelowMinimum);
		if who != pool.owner
			&& let Some(list) = Whitelists::<T>::get(id)
		{
			ensure!(list.contains(&who), Error::<T>::NotWhitelisted);
		}
		let stake = pool.stake().saturating_add(amount);
		ensure!(pool.cap.is_none_or(|cap| stake <= cap), Error::<T>::CapReached);
		ensure!(Self::owner_covers(pool.own, stake), Error::<T>::OwnerStakeTooLow);
		Self::join(id, &mut pool, &who, amount)?;
		Pools::<T>::insert(id, pool);
		Ok(())
	}

	/// Sells shares and holds the PHA. They earn from the next round.
	pub(crate) fn join(
		id: PoolId,
		pool: &mut PoolOf<T>,
		who: &T::AccountId,
		amount: u128,
	) -> DispatchResult {
		ensure!(!pool.is_frozen(), Error::<T>::LossThisRound);
		ensure!(pool.exposed() == 0, Error::<T>::StakeAtRisk);
		let mut position = match Positions::<T>::contains_key(id, who) {
			true => Self::current(id, pool, who)?,
			false => {
				pool.positions = pool.positions.checked_add(1).ok_or(Error::<T>::TooLarge)?;
				Position::new(pool)
			}
		};
		let shares = pool.shares.issue(amount).map_err(Error::<T>::from)?;
		Self::hold(HoldReason::Delegation, who, amount)?;
		pool.changes = pool.changes.saturating_add(1);
		pool.joining = pool.joining.saturating_add(shares);
		match &mut position.joining {
			Some(joining) => joining.shares = joining.shares.saturating_add(shares),
			none => {
				*none = Some(Joining { round: pool.round, shares });
				Starts::<T>::mutate(id, pool.round, |start| {
					let empty = Start { per_share: pool.rewards.per_share(), positions: 0 };
					let start = start.get_or_insert(empty);
					start.positions = start.positions.saturating_add(1);
				});
			}
		}
		position.shares = position.shares.saturating_add(shares);
		position.held = position.held.saturating_add(amount);
		Self::put_position(id, pool, who, position);
		let (pool, who) = (id, who.clone());
		Self::deposit_event(Event::Contributed { pool, who, amount, shares });
		Ok(())
	}

	/// Takes shares out of a position and gives their PHA back, except for what is set aside. Whoever
	/// has no share and no part in a loss left gets the rest of what is on hold: nobody else has a
	/// claim on it.
	pub(crate) fn redeem(
		id: PoolId,
		pool: &mut PoolOf<T>,
		who: &T::AccountId,
		position: &mut Position,
		shares: u128,
	) -> Result<u128, Error<T>> {
		let worth = pool.shares.redeem(shares)?;
		pool.changes = pool.changes.saturating_add(1);
		position.shares = position.shares.saturating_sub(shares);
		let released = if position.shares == 0 && position.claims.is_empty() {
			position.held
		} else {
			worth.min(position.held.saturating_sub(Self::set_aside(id, position)))
		};
		Self::release(HoldReason::Delegation, who, released);
		position.held = position.held.saturating_sub(released);
		Ok(released)
	}

	/// Pays a delegator's rewards.
	pub(crate) fn do_claim(who: T::AccountId, id: PoolId) -> DispatchResult {
		let mut pool = Self::load(id)?;
		let mut position = Self::current(id, &mut pool, &who)?;
		let amount = core::mem::take(&mut position.rewards).min(pool.pot);
		ensure!(amount > 0, Error::<T>::NothingToClaim);
		pool.pot = pool.pot.saturating_sub(amount);
		Self::pay_out(&who, amount)?;
		Self::put_position(id, &mut pool, &who, position);
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::RewardsClaimed { pool: id, who, amount });
		Ok(())
	}

	/// Brings somebody's position up to date. Returns whether anything was collected or left behind.
	pub(crate) fn do_settle(who: T::AccountId, id: PoolId) -> Result<bool, Error<T>> {
		let mut pool = Self::load(id)?;
		let mut position = Positions::<T>::get(id, &who).ok_or(Error::<T>::PositionNotFound)?;
		let done = Self::catch_up(id, &mut pool, &who, &mut position);
		Self::sweep(&who, &mut position);
		Self::put_position(id, &mut pool, &who, position);
		Pools::<T>::insert(id, pool);
		Ok(done.collected > 0 || done.seen > 0)
	}

	/// Gives the rest on hold to whoever has no share and no part in a loss left.
	fn sweep(who: &T::AccountId, position: &mut Position) {
		if position.shares == 0 && position.claims.is_empty() {
			let rest = core::mem::take(&mut position.held);
			Self::release(HoldReason::Delegation, who, rest);
		}
	}
}
