//! What happens once per round: pay is credited, contributions begin to earn, decided losses close.

use crate::{
	Config, Error, Event, Losses, Pallet, PoolOf, Pools, Starts,
	types::{Loss, Outcome, PoolId, Position},
};
use frame_support::traits::Get;
use phala_tokenomics::{
	mul_div_floor,
	pool::{Tranche, commission},
};

impl<T: Config> Pallet<T> {
	/// The round of this moment.
	pub(crate) fn round_now() -> u32 {
		let now = Self::now();
		now.checked_div(T::RoundLength::get()).unwrap_or(now)
	}

	/// A pool as of this round, with decided losses closed. The caller stores it.
	pub(crate) fn load(id: PoolId) -> Result<PoolOf<T>, Error<T>> {
		let mut pool = Pools::<T>::get(id).ok_or(Error::<T>::PoolNotFound)?;
		Self::roll(id, &mut pool);
		Self::close_losses(id, &mut pool);
		Ok(pool)
	}

	/// Ends the round of a pool, if it is over. Takes the same time however long ago it ended.
	pub(crate) fn roll(id: PoolId, pool: &mut PoolOf<T>) {
		let round = Self::round_now();
		if pool.round >= round {
			return;
		}
		Self::credit(id, pool);
		Starts::<T>::mutate_exists(id, pool.round, |start| {
			if let Some(start) = start {
				start.per_share = pool.rewards.per_share();
			}
		});
		(pool.joining, pool.own_joining, pool.round) = (0, 0, round);
		if let Some(announced) = &pool.announced
			&& announced.binds <= Self::now()
		{
			pool.commission = announced.rate;
			pool.announced = None;
		}
	}

	/// Credits the pay of the round to those who were in the pool when it began: the owner's
	/// commission, and the rest by stake.
	fn credit(id: PoolId, pool: &mut PoolOf<T>) {
		let active = pool.shares.total().saturating_sub(pool.joining);
		let own = pool.own.saturating_sub(pool.own_joining);
		let stake = own.saturating_add(pool.shares.worth(active));
		let (fee, rest) = commission(pool.bucket, pool.commission);
		// Without anybody it waits for the next round.
		let Some(own_part) = mul_div_floor(rest, own, stake) else { return };
		if pool.bucket == 0 {
			return;
		}
		let others = rest.saturating_sub(own_part);
		let left = pool.rewards.credit(others, active);
		let owner = fee.saturating_add(own_part);
		pool.owner_rewards = pool.owner_rewards.saturating_add(owner);
		pool.bucket = left;
		Self::deposit_event(Event::RoundCredited {
			pool: id,
			round: pool.round,
			owner,
			delegators: others.saturating_sub(left),
		});
	}

	/// Closes the losses that are decided, unless the holders of this round's loss, or of one to come,
	/// must not change.
	/// What was cancelled comes back to the price if the holders are the same. If not, those who bore
	/// it get new shares for it.
	pub(crate) fn close_losses(id: PoolId, pool: &mut PoolOf<T>) {
		if pool.last_loss == Some(pool.round) || pool.exposed() > 0 {
			return;
		}
		let open = pool.open.clone();
		for loss_id in open {
			let Some(mut loss) = Losses::<T>::get(id, loss_id) else { continue };
			if !loss.is_decided() {
				continue;
			}
			pool.open.retain(|open| *open != loss_id);
			let minted = Self::give_back(pool, &loss);
			Self::deposit_event(Event::LossClosed {
				pool: id,
				loss: loss_id,
				applied: loss.applied,
				restored: loss.restored,
				minted,
			});
			if minted == 0 && loss.applied == 0 {
				// Nobody has to collect anything.
				Losses::<T>::remove(id, loss_id);
				continue;
			}
			loss.outcome = Some(Outcome {
				round: pool.round,
				charge: Tranche::new(loss.applied, loss.shares),
				minted: Tranche::new(minted, loss.shares),
				since: pool.rewards.per_share(),
			});
			Losses::<T>::insert(id, loss_id, loss);
		}
	}

	/// Returns the shares that were issued for what was cancelled.
	fn give_back(pool: &mut PoolOf<T>, loss: &Loss) -> u128 {
		if loss.restored == 0 {
			return 0;
		}
		if loss.changes != pool.changes
			&& let Ok(minted) = pool.shares.reissue(loss.restored)
		{
			pool.changes = pool.changes.saturating_add(1);
			return minted;
		}
		pool.shares.regain(loss.restored);
		0
	}

	/// Adds what a position earned.
	pub(crate) fn accrue(id: PoolId, pool: &PoolOf<T>, position: &mut Position) {
		let joining = position.joining.as_ref().map_or(0, |joining| joining.shares);
		let active = position.shares.saturating_sub(joining);
		let mut earned = pool.rewards.owed(active, position.since);
		if let Some(joining) = &position.joining
			&& joining.round < pool.round
		{
			Starts::<T>::mutate_exists(id, joining.round, |entry| {
				let Some(start) = entry else { return };
				earned = earned.saturating_add(pool.rewards.owed(joining.shares, start.per_share));
				start.positions = start.positions.saturating_sub(1);
				if start.positions == 0 {
					*entry = None;
				}
			});
			position.joining = None;
		}
		position.rewards = position.rewards.saturating_add(earned);
		position.since = pool.rewards.per_share();
	}
}
