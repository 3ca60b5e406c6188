//! Workers of a pool, and the stake behind them.

use crate::{
	Config, Consents, CreditOf, Error, Event, MAX_STOPS, Pallet, PoolOf, PoolWorkers, Pools,
	TotalStake, WorkerOf, Workers,
	types::{Phase, PoolId, Unexpected, Worker},
};
use alloc::vec::Vec;
use frame_support::{defensive, ensure, traits::Get};
use phala_attestation::Role;
use phala_primitives::{
	AttestationChange, AttestedWorkers, Mining, OnAttestationChange, StakeKeeper, WorkerKey,
	WorkerObligations,
};
use phala_tokenomics::mul_div_ceil;
use sp_runtime::{DispatchError, DispatchResult, PerThing, Perbill};

impl<T: Config> StakeKeeper<PoolId, CreditOf<T>> for Pallet<T> {
	fn on_earned(id: &PoolId, _worker: &WorkerKey, amount: u128) -> bool {
		Pools::<T>::mutate_extant(id, |pool| {
			Self::roll(*id, pool);
			pool.bucket = pool.bucket.saturating_add(amount);
			pool.pot = pool.pot.saturating_add(amount);
			true
		})
	}

	fn on_paid(pay: CreditOf<T>) -> Result<(), CreditOf<T>> {
		Self::collect_pay(pay)
	}

	fn on_ended(_id: &PoolId, worker: &WorkerKey) {
		Workers::<T>::mutate_extant(worker, |record| {
			if record.phase == Phase::Running {
				record.phase = Phase::Ending;
			}
			// What it lost is suspected by now.
			Self::set_at_risk(worker, record, 0);
		});
	}

	fn on_at_risk(_id: &PoolId, worker: &WorkerKey, amount: u128) {
		Workers::<T>::mutate_extant(worker, |record| Self::set_at_risk(worker, record, amount));
	}
}

impl<T: Config> WorkerObligations for Pallet<T> {
	/// A session has stake of a pool until it is reclaimed.
	fn is_bound(worker: &WorkerKey) -> bool {
		Workers::<T>::get(worker).is_some_and(|record| record.phase != Phase::Idle)
	}
}

impl<T: Config> OnAttestationChange<T::AccountId> for Pallet<T> {
	/// What an operator agreed to ends with its operator. A worker with stake is bound, so that nobody
	/// takes it from there.
	fn on_attestation_change(worker: &WorkerKey, change: &AttestationChange<T::AccountId>) {
		use AttestationChange::*;
		if !matches!(change, Removed | OperatorChanged { .. }) {
			return;
		}
		if Consents::<T>::take(worker).is_some() {
			Self::deposit_event(Event::ConsentChanged { worker: *worker, pool: None });
		}
		if let Some(record) = Workers::<T>::get(worker)
			&& record.phase == Phase::Idle
		{
			Self::let_go(record.pool, *worker);
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Replaces what is at risk of a worker's stake. The caller stores the record.
	fn set_at_risk(worker: &WorkerKey, record: &mut WorkerOf<T>, amount: u128) {
		let amount = amount.min(record.sound());
		let before = core::mem::replace(&mut record.at_risk, amount);
		if amount == before {
			return;
		}
		let exposed = Pools::<T>::mutate_extant(record.pool, |pool| {
			pool.at_risk = pool.at_risk.saturating_sub(before).saturating_add(amount);
			pool.exposed()
		});
		let (pool, worker) = (record.pool, *worker);
		Self::deposit_event(Event::AtRisk { pool, worker, amount, exposed });
	}

	/// Least stake of the owner next to so much of delegators, rounded up.
	pub(crate) fn least_own(delegated: u128) -> u128 {
		let owner: Perbill = T::OwnerShare::get();
		let others = owner.left_from_one();
		let (owner, others) = (owner.deconstruct().into(), others.deconstruct().into());
		let share = mul_div_ceil(delegated, owner, others).unwrap_or(u128::MAX);
		share.max(T::MinOwnerStake::get())
	}

	/// Does the owner have the part of `stake` that is due?
	pub(crate) fn owner_covers(own: u128, stake: u128) -> bool {
		own >= T::OwnerShare::get().mul_ceil(stake)
	}

	/// The operator of a worker whose attestation counts.
	fn operator_of(worker: &WorkerKey) -> Result<T::AccountId, Error<T>> {
		let attested = T::Workers::attested(worker).filter(|one| one.role == Role::Worker);
		Ok(attested.ok_or(Error::<T>::WorkerNotAttested)?.operator)
	}

	/// An operator says which pool may take the worker.
	pub(crate) fn do_consent(
		who: T::AccountId,
		worker: WorkerKey,
		pool: Option<PoolId>,
	) -> DispatchResult {
		match pool {
			Some(id) => {
				ensure!(Self::operator_of(&worker)? == who, Error::<T>::NotOperator);
				ensure!(Pools::<T>::contains_key(id), Error::<T>::PoolNotFound);
				Consents::<T>::insert(worker, (who, id));
			}
			// Also an operator that is not one any more can tidy up.
			None => {
				let (operator, _) = Consents::<T>::take(worker).ok_or(Error::<T>::NoConsent)?;
				ensure!(operator == who, Error::<T>::NotOperator);
			}
		}
		Self::deposit_event(Event::ConsentChanged { worker, pool });
		Ok(())
	}

	/// Takes a worker into a pool.
	pub(crate) fn do_add_worker(
		who: T::AccountId,
		id: PoolId,
		worker: WorkerKey,
	) -> DispatchResult {
		let pool = Pools::<T>::get(id).ok_or(Error::<T>::PoolNotFound)?;
		ensure!(pool.owner == who, Error::<T>::NotOwner);
		ensure!(!Workers::<T>::contains_key(worker), Error::<T>::WorkerInPool);
		let operator = Self::operator_of(&worker)?;
		if operator != who {
			let consent = Consents::<T>::get(worker).ok_or(Error::<T>::NoConsent)?;
			ensure!(consent == (operator.clone(), id), Error::<T>::NoConsent);
		}
		Consents::<T>::remove(worker);
		PoolWorkers::<T>::try_append(id, worker).map_err(|_| Error::<T>::TooManyWorkers)?;
		let phase = Phase::Idle;
		let record = Worker {
			pool: id,
			operator: operator.clone(),
			stake: 0,
			suspected: 0,
			lost: 0,
			at_risk: 0,
			phase,
		};
		Workers::<T>::insert(worker, record);
		Self::deposit_event(Event::WorkerAdded { pool: id, worker, operator });
		Ok(())
	}

	/// The record of a worker, and its pool, for its owner.
	fn owned(who: &T::AccountId, worker: &WorkerKey) -> Result<(WorkerOf<T>, PoolOf<T>), Error<T>> {
		let record = Workers::<T>::get(worker).ok_or(Error::<T>::WorkerNotFound)?;
		let pool = Self::load(record.pool)?;
		ensure!(pool.owner == *who, Error::<T>::NotOwner);
		Ok((record, pool))
	}

	/// The record of a worker, for the owner of its pool or the operator that agreed to it.
	fn controlled(who: &T::AccountId, worker: &WorkerKey) -> Result<WorkerOf<T>, Error<T>> {
		let record = Workers::<T>::get(worker).ok_or(Error::<T>::WorkerNotFound)?;
		if record.operator != *who {
			let pool = Pools::<T>::get(record.pool).ok_or(Error::<T>::PoolNotFound)?;
			ensure!(pool.owner == *who, Error::<T>::NotOwner);
		}
		Ok(record)
	}

	/// Lets a worker go.
	pub(crate) fn do_remove_worker(who: T::AccountId, worker: WorkerKey) -> DispatchResult {
		let record = Self::controlled(&who, &worker)?;
		ensure!(record.phase == Phase::Idle, Error::<T>::WorkerBusy);
		Self::let_go(record.pool, worker);
		Ok(())
	}

	/// Takes a worker without stake out of its pool.
	fn let_go(pool: PoolId, worker: WorkerKey) {
		PoolWorkers::<T>::mutate_exists(pool, |entry| {
			if let Some(list) = entry {
				list.retain(|one| *one != worker);
				if list.is_empty() {
					*entry = None;
				}
			}
		});
		Workers::<T>::remove(worker);
		Self::deposit_event(Event::WorkerRemoved { pool, worker });
	}

	/// May the pool put more stake behind workers?
	fn check_commit(pool: &PoolOf<T>, stake: u128) -> DispatchResult {
		ensure!(!pool.shares.is_exhausted(), Error::<T>::PoolClosed);
		ensure!(Self::owner_covers(pool.own, pool.stake()), Error::<T>::OwnerStakeTooLow);
		ensure!(stake <= pool.available(), Error::<T>::NotEnoughStake);
		Ok(())
	}

	/// Puts stake behind a worker and lets it mine.
	pub(crate) fn do_start(who: T::AccountId, worker: WorkerKey, stake: u128) -> DispatchResult {
		let (mut record, mut pool) = Self::owned(&who, &worker)?;
		let id = record.pool;
		ensure!(record.phase == Phase::Idle, Error::<T>::WorkerBusy);
		ensure!(Self::operator_of(&worker)? == record.operator, Error::<T>::NoConsent);
		Self::check_commit(&pool, stake)?;
		(record.stake, record.phase) = (stake, Phase::Running);
		pool.committed = pool.committed.saturating_add(stake);
		TotalStake::<T>::mutate(|total| *total = total.saturating_add(stake));
		Workers::<T>::insert(worker, record);
		Pools::<T>::insert(id, pool);
		T::Mining::start(&worker, id, stake)?;
		Self::deposit_event(Event::WorkerStarted { pool: id, worker, stake });
		Ok(())
	}

	/// Puts more stake behind a running worker.
	pub(crate) fn do_top_up(who: T::AccountId, worker: WorkerKey, added: u128) -> DispatchResult {
		let (record, pool) = Self::owned(&who, &worker)?;
		let id = record.pool;
		ensure!(record.phase == Phase::Running, Error::<T>::WorkerNotRunning);
		ensure!(added > 0, Error::<T>::BelowMinimum);
		Self::check_commit(&pool, added)?;
		Pools::<T>::insert(id, pool);
		// What the session lost so far is suspected first, and comes out of the old stake.
		T::Mining::top_up(&worker, added)?;
		let (mut record, mut pool) = Self::owned(&who, &worker)?;
		Self::check_commit(&pool, added)?;
		record.stake = record.stake.saturating_add(added);
		pool.committed = pool.committed.saturating_add(added);
		TotalStake::<T>::mutate(|total| *total = total.saturating_add(added));
		Workers::<T>::insert(worker, record);
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::WorkerToppedUp { pool: id, worker, added });
		Ok(())
	}

	/// Ends a worker's session.
	pub(crate) fn do_stop(who: T::AccountId, worker: WorkerKey) -> DispatchResult {
		let record = Self::controlled(&who, &worker)?;
		ensure!(record.phase == Phase::Running, Error::<T>::WorkerNotRunning);
		Self::stop_session(record.pool, &worker, false)
	}

	fn stop_session(id: PoolId, worker: &WorkerKey, forced: bool) -> DispatchResult {
		T::Mining::stop(worker)?;
		Workers::<T>::mutate_extant(worker, |record| record.phase = Phase::Ending);
		Self::deposit_event(Event::WorkerStopped { pool: id, worker: *worker, forced });
		Ok(())
	}

	/// Takes the stake of a worker back that has cooled down and of which nothing is suspected.
	pub(crate) fn do_reclaim(worker: WorkerKey) -> DispatchResult {
		let mut record = Workers::<T>::get(worker).ok_or(Error::<T>::WorkerNotFound)?;
		ensure!(record.phase != Phase::Idle, Error::<T>::WorkerNotRunning);
		ensure!(record.suspected == 0, Error::<T>::OpenLoss);
		let returned = T::Mining::reclaim(&worker)?;
		if returned != record.stake {
			defensive!("mining returns what was put behind the worker");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::StakeDiffers });
		}
		let (id, stake) = (record.pool, record.sound());
		let mut pool = Self::load(id)?;
		pool.committed = pool.committed.saturating_sub(stake);
		pool.at_risk = pool.at_risk.saturating_sub(record.at_risk);
		TotalStake::<T>::mutate(|total| *total = total.saturating_sub(stake));
		(record.stake, record.lost, record.at_risk) = (0, 0, 0);
		record.phase = Phase::Idle;
		Workers::<T>::insert(worker, record);
		Pools::<T>::insert(id, pool);
		Self::deposit_event(Event::WorkerReclaimed { pool: id, worker, stake });
		Ok(())
	}

	/// Stops the fewest workers whose stake pays the overdue requests, or all those of a closed pool. If
	/// shares rest because silent workers may lose more than the owner has, first the fewest of those.
	/// Looks at no more than the first `requests` of the queue. Returns at how many.
	pub(crate) fn do_force(id: PoolId, requests: u32) -> Result<u32, DispatchError> {
		let pool = Self::load(id)?;
		let closed = pool.shares.is_exhausted();
		let (need, walked) =
			if closed { (u128::MAX, 0) } else { Self::overdue(id, &pool, requests) };
		let mut coming = pool.free();
		let mut exposed = if need > 0 { pool.exposed() } else { 0 };
		let (mut running, mut silent) = (Vec::new(), Vec::new());
		for worker in PoolWorkers::<T>::get(id).unwrap_or_default() {
			let Some(record) = Workers::<T>::get(worker) else { continue };
			match record.phase {
				Phase::Running => {
					running.push((record.sound(), worker));
					if record.at_risk > 0 {
						silent.push((record.at_risk, worker));
					}
				}
				Phase::Ending => {
					coming = coming.saturating_add(record.sound());
					exposed = exposed.saturating_sub(record.at_risk);
				}
				Phase::Idle => (),
			}
		}
		Pools::<T>::insert(id, pool);
		running.sort_unstable();
		silent.sort_unstable();
		let (mut missing, mut stopped) = (need.saturating_sub(coming), false);
		for _ in 0..MAX_STOPS {
			let worker = if let Some((risk, worker)) = pick(&mut silent, exposed) {
				exposed = exposed.saturating_sub(risk);
				worker
			} else if let Some((_, worker)) = pick(&mut running, missing) {
				worker
			} else {
				break;
			};
			let stake = Workers::<T>::get(worker).map_or(0, |record| record.sound());
			// One that cannot be stopped now is left to a later call.
			if Self::stop_session(id, &worker, true).is_ok() {
				missing = missing.saturating_sub(stake);
				stopped = true;
			}
			running.retain(|(_, one)| *one != worker);
			silent.retain(|(_, one)| *one != worker);
		}
		ensure!(stopped, Error::<T>::NothingToDo);
		Ok(walked)
	}
}

/// Takes the smallest stake that is enough, or else the largest, out of a list in ascending order. The
/// largest first makes them few; the last one is no larger than it has to be.
pub(crate) fn pick<W>(running: &mut Vec<(u128, W)>, missing: u128) -> Option<(u128, W)> {
	if missing == 0 {
		return None;
	}
	let enough = running.partition_point(|(stake, _)| *stake < missing);
	if enough < running.len() { Some(running.remove(enough)) } else { running.pop() }
}
