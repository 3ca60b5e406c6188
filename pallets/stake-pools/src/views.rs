//! Answers to clients.

use crate::{
	Config, Pallet, PoolWorkers, Positions, Requests, Workers,
	types::{Phase, PoolId, PoolInfo, PositionInfo},
};
use alloc::vec::Vec;
use frame_support::{
	storage::{TransactionOutcome, with_transaction},
	traits::Get,
};
use phala_primitives::{Mining, SessionState};
use phala_tokenomics::mul_div_floor;
use sp_runtime::{DispatchError, FixedPointNumber, FixedU128};

/// Requests that an answer looks at.
const MAX_WALK: u32 = 10_000;

/// Runs `ask` and leaves no trace.
pub(crate) fn hypothetically<R>(ask: impl FnOnce() -> R) -> Option<R> {
	let mut answer = None;
	let _: Result<(), DispatchError> = with_transaction(|| {
		answer = Some(ask());
		TransactionOutcome::Rollback(Ok(()))
	});
	answer
}

impl<T: Config> Pallet<T> {
	pub(crate) fn view_position(who: &T::AccountId, id: PoolId) -> Option<PositionInfo> {
		hypothetically(|| {
			let mut pool = Self::load(id).ok()?;
			let mut position = Positions::<T>::get(id, who)?;
			while !Self::catch_up(id, &mut pool, who, &mut position).complete {}
			let joining = position.joining.as_ref().map_or(0, |joining| joining.shares);
			Some(PositionInfo {
				shares: position.shares,
				worth: pool.at_worst().worth(position.shares),
				joining,
				queued: Requests::<T>::get(id, who).map_or(0, |request| request.shares),
				held: position.held,
				suspected: Self::set_aside(id, &position),
				rewards: position.rewards,
			})
		})?
	}

	pub(crate) fn view_withdrawal_eta(who: &T::AccountId, id: PoolId) -> Option<u32> {
		let pool = hypothetically(|| Self::load(id).ok())??;
		let request = Requests::<T>::get(id, who)?;
		let now = Self::now();
		// What everybody before it and itself want.
		let (mut ahead, mut next, mut left) = (request.shares, request.prev, MAX_WALK);
		while left > 0
			&& let Some(other) = next.and_then(|who| Requests::<T>::get(id, who))
		{
			ahead = ahead.saturating_add(other.shares);
			(next, left) = (other.prev, left.saturating_sub(1));
		}
		let need = pool.shares.worth(ahead);
		let forced = request.since.saturating_add(T::GracePeriod::get()).max(now);
		// A round for the challenge that ends a session.
		let slack = T::Mining::cool_down().saturating_add(T::RoundLength::get());
		let latest = forced.saturating_add(slack);
		let mut have = pool.free();
		let mut eta = request.since.saturating_add(T::RoundLength::get()).max(now);
		if pool.is_frozen() {
			eta = eta.max(pool.round.saturating_add(1).saturating_mul(T::RoundLength::get()));
		}
		if pool.exposed() > 0 {
			// Silent workers come back sooner, or are stopped.
			eta = eta.max(latest);
		}
		let mut coming: Vec<(u32, u128)> = PoolWorkers::<T>::get(id)
			.unwrap_or_default()
			.into_iter()
			.filter_map(|worker| {
				let record = Workers::<T>::get(worker)?;
				let until = match T::Mining::session(&worker)?.state {
					SessionState::CoolingDown { until } => until,
					_ if record.phase == Phase::Ending => {
						now.saturating_add(T::Mining::cool_down())
					}
					_ => return None,
				};
				Some((until, record.sound()))
			})
			.collect();
		coming.sort_unstable();
		for (until, stake) in coming {
			if have >= need {
				return Some(eta);
			}
			have = have.saturating_add(stake);
			eta = eta.max(until);
		}
		if have >= need {
			return Some(eta);
		}
		Some(eta.max(latest))
	}

	pub(crate) fn view_pool(id: PoolId) -> Option<PoolInfo<T::AccountId>> {
		let pool = hypothetically(|| Self::load(id).ok())??;
		let owner = T::OwnerShare::get();
		let whole = mul_div_floor(
			pool.own,
			sp_runtime::Perbill::one().deconstruct().into(),
			owner.deconstruct().into(),
		);
		let most = whole.unwrap_or(u128::MAX).min(pool.cap.unwrap_or(u128::MAX));
		let closed = pool.shares.is_exhausted();
		let shut = closed || pool.rests();
		let room = if shut { 0 } else { most.saturating_sub(pool.stake()) };
		Some(PoolInfo { available: pool.available(), room, closed, pool })
	}

	pub(crate) fn view_share_price(id: PoolId) -> Option<FixedU128> {
		let pool = hypothetically(|| Self::load(id).ok())??;
		let shares = pool.at_worst();
		let (value, total) = (shares.value(), shares.total());
		let price = mul_div_floor(value, FixedU128::DIV, total);
		Some(price.map_or(FixedU128::from_u32(1), FixedU128::from_inner))
	}
}
