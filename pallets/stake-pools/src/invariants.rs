//! What must hold after every call. The numbers are those of the crate's documentation.

use crate::{
	Config, HoldReason, Losses, Pallet, PoolOf, PoolWorkers, Pools, Positions, Requests, Starts,
	TotalStake, Tranches, Workers,
	types::{MAX_OPEN_LOSSES, Phase, PoolId},
	views::hypothetically,
};
use alloc::collections::{BTreeMap, BTreeSet};
use codec::Encode;
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::TryRuntimeError;

/// Most plancks by which roundings may drive holds and value of a pool apart: a planck or two for each
/// withdrawal and each cancelled loss.
pub const DUST: u128 = 1_000_000_000;

type Check = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_try_state() -> Check {
		Self::check_holds()?;
		let (mut pot, mut total) = (0u128, 0u128);
		for (id, pool) in Pools::<T>::iter() {
			Self::check_queue(id, &pool)?;
			total += Self::check_workers(id, &pool)?;
			Self::check_losses(id, &pool)?;
			Self::check_starts(id, &pool)?;
			pot += pool.pot;
			hypothetically(|| Self::check_settled(id)).unwrap_or(Ok(()))?;
		}
		ensure!(total == TotalStake::<T>::get(), "I4: total stake differs from the pools'");
		ensure!(
			T::Currency::balance(&Self::pot_account()) >= pot,
			"I6: the pot has less than the pools"
		);
		for (worker, record) in Workers::<T>::iter() {
			let list = PoolWorkers::<T>::get(record.pool).unwrap_or_default();
			ensure!(list.contains(&worker), "I8: a worker is not listed");
		}
		Ok(())
	}

	fn check_holds() -> Check {
		let mut own = BTreeMap::<T::AccountId, u128>::new();
		let mut held = BTreeMap::<T::AccountId, u128>::new();
		for pool in Pools::<T>::iter_values() {
			*own.entry(pool.owner).or_default() += pool.own + pool.own_suspected;
		}
		for (id, who, position) in Positions::<T>::iter() {
			ensure!(Pools::<T>::contains_key(id), "I9: a position without a pool");
			*held.entry(who).or_default() += position.held;
		}
		for (reason, sums) in [(HoldReason::OwnerStake, own), (HoldReason::Delegation, held)] {
			for (who, sum) in sums {
				let on_hold = T::Currency::balance_on_hold(&reason.into(), &who);
				ensure!(on_hold == sum, "I1: stake on hold differs from what is recorded");
			}
		}
		Ok(())
	}

	fn check_queue(id: PoolId, pool: &PoolOf<T>) -> Check {
		let (mut shares, mut since, mut count) = (0u128, 0, 0);
		let (mut prev, mut next) = (None, pool.head.clone());
		while let Some(who) = next {
			let request = Requests::<T>::get(id, &who).ok_or("I3: a link leads nowhere")?;
			ensure!(request.prev == prev, "I3: a link back leads elsewhere");
			ensure!(request.since >= since && request.shares > 0, "I3: the queue is out of order");
			let position = Positions::<T>::get(id, &who).ok_or("I3: nobody in the queue")?;
			ensure!(position.shares >= request.shares, "I3: more shares than there are");
			(shares, since, count) = (shares + request.shares, request.since, count + 1);
			(prev, next) = (Some(who), request.next);
		}
		ensure!(pool.tail == prev, "I3: the tail is not the last");
		ensure!(pool.queued == shares, "I3: the queue differs from the pool's sum");
		ensure!(Requests::<T>::iter_prefix(id).count() == count, "I3: a request without a place");
		Ok(())
	}

	/// Returns the pool's part of the total stake.
	fn check_workers(id: PoolId, pool: &PoolOf<T>) -> Result<u128, TryRuntimeError> {
		let mut suspected = BTreeMap::<_, u128>::new();
		for info in Tranches::<T>::iter_values().filter(|info| info.pool == id) {
			*suspected.entry(info.worker.encode()).or_default() += info.own + info.others;
		}
		let (mut committed, mut total, mut at_risk) = (0u128, 0u128, 0u128);
		let list = PoolWorkers::<T>::get(id).unwrap_or_default();
		let unique: BTreeSet<_> = list.iter().map(|worker| worker.encode()).collect();
		ensure!(unique.len() == list.len(), "I8: a worker is listed twice");
		for worker in list {
			let record = Workers::<T>::get(worker).ok_or("I8: a listed worker is unknown")?;
			ensure!(record.pool == id, "I8: a listed worker is elsewhere");
			let found = suspected.remove(&worker.encode()).unwrap_or(0);
			ensure!(record.suspected == found, "I5: a worker's tranches differ from its record");
			ensure!(record.suspected + record.lost <= record.stake, "I4: more lost than staked");
			ensure!(record.phase != Phase::Idle || record.stake == 0, "I4: an idle stake");
			ensure!(record.at_risk <= record.stake, "I10: more at risk than staked");
			at_risk += record.at_risk;
			committed += record.sound();
			total += record.stake - record.lost;
		}
		ensure!(suspected.is_empty(), "I5: a tranche of no worker");
		ensure!(pool.committed == committed, "I4: stake behind workers differs from theirs");
		ensure!(pool.at_risk == at_risk, "I10: the pool's risk differs from its workers'");
		let coming: u128 = pool
			.open
			.iter()
			.filter_map(|loss| Losses::<T>::get(id, loss))
			.map(|loss| loss.restored)
			.sum();
		ensure!(pool.stake() + coming >= committed, "I4: workers have more than the pool");
		Ok(total)
	}

	fn check_losses(id: PoolId, pool: &PoolOf<T>) -> Check {
		let mut rests = BTreeMap::<_, u128>::new();
		let (mut own, mut count) = (0u128, 0);
		for info in Tranches::<T>::iter_values().filter(|info| info.pool == id) {
			ensure!(info.own + info.others > 0, "I5: a tranche of nothing");
			(own, count) = (own + info.own, count + 1);
			// The delegators' part may be decided before the owner's.
			if let Some(loss) = info.loss.filter(|_| info.others > 0) {
				*rests.entry(loss).or_default() += info.others;
			}
		}
		ensure!(own == pool.own_suspected, "I5: the owner's suspected stake differs");
		ensure!(count == pool.tranches, "I5: the number of tranches differs");
		ensure!(pool.open.len() <= MAX_OPEN_LOSSES as usize, "I5: too many open losses");
		if pool.is_frozen()
			&& let Some(last) = pool.open.last().and_then(|last| Losses::<T>::get(id, last))
		{
			ensure!(last.changes == pool.changes, "I5: shares changed hands after the last loss");
		}
		let mut outstanding = 0u128;
		for (loss_id, loss) in Losses::<T>::iter_prefix(id) {
			let rest = rests.remove(&loss_id).unwrap_or(0);
			ensure!(
				loss.applied + loss.restored + rest == loss.amount,
				"I5: a loss is not what became of it"
			);
			let open = pool.open.contains(&loss_id);
			ensure!(open == loss.outcome.is_none(), "I5: open losses are those on the list");
			ensure!(loss.unseen > 0 && loss_id < pool.next_loss, "I5: a loss of nobody");
			outstanding += loss.applied;
		}
		ensure!(rests.is_empty(), "I5: a tranche of no loss");
		ensure!(pool.outstanding <= outstanding, "I5: more outstanding than applied");
		Ok(())
	}

	fn check_starts(id: PoolId, pool: &PoolOf<T>) -> Check {
		let (mut asking, mut joining, mut count) = (BTreeMap::<u32, u32>::new(), 0u128, 0);
		for (_, position) in Positions::<T>::iter_prefix(id) {
			count += 1;
			if let Some(one) = position.joining {
				ensure!(one.shares <= position.shares, "I9: more shares join than there are");
				*asking.entry(one.round).or_default() += 1;
				joining += if one.round == pool.round { one.shares } else { 0 };
			}
		}
		ensure!(count == pool.positions, "I9: the number of positions differs");
		ensure!(joining == pool.joining, "I9: joining shares differ from the pool's sum");
		for (round, start) in Starts::<T>::iter_prefix(id) {
			let found = asking.remove(&round);
			ensure!(found == Some(start.positions), "I9: a start counts others than ask for it");
		}
		ensure!(asking.is_empty(), "I9: a start is missing");
		Ok(())
	}

	/// Looks at a pool of which all positions are up to date. Leaves a trace.
	fn check_settled(id: PoolId) -> Check {
		let mut pool = Self::load(id).map_err(|_| "I2: a pool is gone")?;
		let (mut shares, mut rewards, mut held, mut worth) = (0u128, 0u128, 0u128, 0u128);
		let positions: alloc::vec::Vec<_> = Positions::<T>::iter_prefix(id).collect();
		for (who, mut position) in positions {
			while !Self::catch_up(id, &mut pool, &who, &mut position).complete {}
			shares += position.shares;
			worth += pool.shares.worth(position.shares);
			rewards += position.rewards;
			held += position.held;
		}
		ensure!(shares == pool.shares.total(), "I2: positions have other shares than the pool");
		ensure!(
			rewards + pool.owner_rewards + pool.bucket <= pool.pot,
			"I6: a pool owes more than it was paid"
		);
		ensure!(worth <= pool.shares.value(), "I7: shares are worth more than the value");
		let mut set_aside = 0u128;
		for (loss_id, loss) in Losses::<T>::iter_prefix(id) {
			ensure!(pool.open.contains(&loss_id), "I5: a closed loss that all have seen");
			set_aside += loss.amount;
		}
		let open: u128 = pool
			.open
			.iter()
			.filter_map(|one| Losses::<T>::get(id, one))
			.map(|one| one.applied)
			.sum();
		ensure!(pool.outstanding == open, "I5: something outstanding that nobody owes");
		let recorded = pool.shares.value() + set_aside;
		ensure!(held.abs_diff(recorded) <= DUST, "I7: holds and value of a pool differ");
		Ok(())
	}
}
