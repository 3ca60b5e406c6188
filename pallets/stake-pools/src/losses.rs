//! Losses: suspected, taken and given back by the ledger of offences.

use crate::{
	Config, CreditOf, Error, Event, Losses, NextTranche, Pallet, PoolOf, Pools, TotalStake,
	Tranches, Workers,
	types::{Loss, PoolId, TrancheId, TrancheInfo, Unexpected},
};
use frame_support::{defensive, traits::Imbalance};
use phala_primitives::{Mining, OffenceClass, SessionState, Slashable, Slashed, WorkerKey};
use phala_tokenomics::pool::split_loss;
use sp_runtime::{DispatchError, Perbill};

impl<T: Config> Slashable<WorkerKey> for Pallet<T> {
	type AccountId = T::AccountId;
	type Credit = CreditOf<T>;
	type Tranche = TrancheId;

	fn liable(worker: &WorkerKey) -> Option<T::AccountId> {
		Some(Pools::<T>::get(Workers::<T>::get(worker)?.pool)?.owner)
	}

	/// Until the end of its session.
	fn could_offend(worker: &WorkerKey, committed: u32) -> bool {
		match T::Mining::session(worker).map(|session| session.state) {
			Some(SessionState::CoolingDown { until }) => {
				committed <= until.saturating_sub(T::Mining::cool_down())
			}
			_ => true,
		}
	}

	fn stake(worker: &WorkerKey) -> u128 {
		let Some(record) = Workers::<T>::get(worker) else { return 0 };
		// What was cancelled counts again once it is back in the price.
		let pool = Pools::<T>::get(record.pool);
		pool.map_or(0, |pool| record.sound().min(pool.stake()))
	}

	/// A worker's stake answers for every class.
	fn total_stake(_class: OffenceClass) -> u128 {
		TotalStake::<T>::get()
	}

	fn suspect(worker: &WorkerKey, amount: u128) -> Result<TrancheId, DispatchError> {
		Self::do_suspect(worker, amount)
	}

	fn suspected(tranche: &TrancheId) -> u128 {
		Tranches::<T>::get(tranche).map_or(0, |info| info.own.saturating_add(info.others))
	}

	/// Takes the owner's part first.
	fn apply(tranche: &TrancheId, amount: u128) -> Slashed<CreditOf<T>> {
		let mut slashed =
			Slashed { own: CreditOf::<T>::zero(), others: CreditOf::<T>::zero(), outstanding: 0 };
		Self::settle_tranche(*tranche, |pool, info, loss| {
			let own = amount.min(info.own);
			let others = amount.saturating_sub(own).min(info.others);
			slashed.own = Self::take(crate::HoldReason::OwnerStake, &pool.owner, own);
			slashed.outstanding = others;
			pool.outstanding = pool.outstanding.saturating_add(others);
			loss.applied = loss.applied.saturating_add(others);
			let charged = own.saturating_add(others);
			TotalStake::<T>::mutate(|total| *total = total.saturating_sub(charged));
			Outcome { own, others, taken: true }
		});
		slashed
	}

	/// Gives the delegators' part back first: what is taken in the end is the owner's before anybody
	/// else's.
	fn restore(tranche: &TrancheId, amount: u128) {
		Self::settle_tranche(*tranche, |pool, info, loss| {
			let others = amount.min(info.others);
			let own = amount.saturating_sub(others).min(info.own);
			pool.own = pool.own.saturating_add(own);
			pool.committed = pool.committed.saturating_add(own).saturating_add(others);
			loss.restored = loss.restored.saturating_add(others);
			Outcome { own, others, taken: false }
		});
	}
}

/// What became of a part of a tranche.
struct Outcome {
	own: u128,
	others: u128,
	taken: bool,
}

impl<T: Config> Pallet<T> {
	/// Sets a loss aside: from the owner's stake first, then from the price of a share.
	fn do_suspect(worker: &WorkerKey, amount: u128) -> Result<TrancheId, DispatchError> {
		let mut record = Workers::<T>::get(worker).ok_or(Error::<T>::WorkerNotFound)?;
		let mut pool = Pools::<T>::get(record.pool).ok_or(Error::<T>::PoolNotFound)?;
		Self::roll(record.pool, &mut pool);
		if amount > record.sound().min(pool.stake()) {
			return Err(Error::<T>::NotEnoughStake.into());
		}
		// The reporter's share is the ledger's to compute.
		let split = split_loss(amount, pool.own, Perbill::zero());
		let holders = pool.shares.total();
		let others = pool.shares.lose(split.delegators);
		pool.own = pool.own.saturating_sub(split.owner);
		pool.own_suspected = pool.own_suspected.saturating_add(split.owner);
		pool.committed = pool.committed.saturating_sub(amount);
		let loss = match others {
			0 => None,
			others => Some(Self::add_to_loss(record.pool, &mut pool, holders, others)?),
		};
		record.suspected = record.suspected.saturating_add(amount);
		pool.tranches = pool.tranches.saturating_add(1);
		let tranche = NextTranche::<T>::mutate(|next| {
			let tranche = *next;
			*next = next.saturating_add(1);
			tranche
		});
		let (own, id) = (split.owner, record.pool);
		Tranches::<T>::insert(
			tranche,
			TrancheInfo { pool: id, worker: *worker, own, others, loss },
		);
		Workers::<T>::insert(worker, record);
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::LossSuspected {
			pool: id,
			worker: *worker,
			tranche,
			own,
			others,
		});
		Ok(tranche)
	}

	/// Adds to the loss of this round, whose holders are still the same, or opens one. When the most
	/// are open, nothing has changed hands since the last one was opened.
	fn add_to_loss(
		id: PoolId,
		pool: &mut PoolOf<T>,
		shares: u128,
		amount: u128,
	) -> Result<u32, DispatchError> {
		if pool.is_frozen()
			&& let Some(last) = pool.open.last().copied()
			&& let Some(mut loss) = Losses::<T>::get(id, last)
		{
			loss.amount = loss.amount.saturating_add(amount);
			Losses::<T>::insert(id, last, loss);
			return Ok(last);
		}
		let loss_id = pool.next_loss;
		pool.next_loss = loss_id.checked_add(1).ok_or(Error::<T>::TooLarge)?;
		pool.open.try_push(loss_id).map_err(|_| Error::<T>::TooLarge)?;
		pool.last_loss = Some(pool.round);
		let loss = Loss {
			round: pool.round,
			changes: pool.changes,
			shares,
			amount,
			applied: 0,
			restored: 0,
			unseen: shares,
			outcome: None,
		};
		Losses::<T>::insert(id, loss_id, loss);
		Ok(loss_id)
	}

	/// Loads what a tranche belongs to, lets `decide` say what becomes of it, and stores the rest.
	fn settle_tranche(
		tranche: TrancheId,
		decide: impl FnOnce(&mut PoolOf<T>, &TrancheInfo<WorkerKey>, &mut Loss) -> Outcome,
	) {
		let Some(mut info) = Tranches::<T>::get(tranche) else { return };
		let Some(mut pool) = Pools::<T>::get(info.pool) else { return Self::loss_is_missing() };
		let mut loss = info.loss.and_then(|loss| Losses::<T>::get(info.pool, loss));
		if loss.is_none() && info.others > 0 {
			Self::loss_is_missing();
		}
		// Without a delegators' part this takes nothing.
		let mut none = Loss {
			round: 0,
			changes: 0,
			shares: 0,
			amount: 0,
			applied: 0,
			restored: 0,
			unseen: 0,
			outcome: None,
		};
		let part = decide(&mut pool, &info, loss.as_mut().unwrap_or(&mut none));
		let sum = part.own.saturating_add(part.others);
		info.own = info.own.saturating_sub(part.own);
		info.others = info.others.saturating_sub(part.others);
		pool.own_suspected = pool.own_suspected.saturating_sub(part.own);
		Workers::<T>::mutate_extant(info.worker, |record| {
			record.suspected = record.suspected.saturating_sub(sum);
			if part.taken {
				record.lost = record.lost.saturating_add(sum);
			}
		});
		if let (Some(id), Some(loss)) = (info.loss, loss) {
			Losses::<T>::insert(info.pool, id, loss);
		}
		if info.own == 0 && info.others == 0 {
			pool.tranches = pool.tranches.saturating_sub(1);
			Tranches::<T>::remove(tranche);
		} else {
			Tranches::<T>::insert(tranche, &info);
		}
		Pools::<T>::insert(info.pool, pool);
		let (own, others) = (part.own, part.others);
		Self::deposit_event(match part.taken {
			true => Event::LossApplied { pool: info.pool, tranche, own, others },
			false => Event::LossRestored { pool: info.pool, tranche, own, others },
		});
	}

	pub(crate) fn loss_is_missing() {
		defensive!("a loss is on record until all have seen its end");
		Self::deposit_event(Event::Unexpected { kind: Unexpected::LossMissing });
	}
}
