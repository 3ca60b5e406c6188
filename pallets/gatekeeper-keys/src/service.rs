//! What the hook does: one bounded step after the other, as long as its part of the block lasts.

use crate::{types::*, *};
use frame_support::{
	traits::Get,
	weights::{Weight, WeightMeter},
};

/// One step.
pub(crate) enum Step<T: Config> {
	Open(plan::Plan<T>),
	ClosePhase(Attempt),
	Aggregate(Attempt),
	Derive(Attempt, phala_threshold::MemberSet),
	Report(Attempt),
	EndKeeping(Attempt),
	Clear(Attempt, phala_threshold::MemberIndex),
	Garbage,
	EndEpoch(u32),
	Blame(requests::Silent),
	Forget(RequestId, OpenRequest),
}

impl<T: Config> Step<T> {
	fn weight(&self) -> Weight {
		match self {
			Self::Open(_) => T::WeightInfo::step_open(),
			Self::ClosePhase(_) => T::WeightInfo::step_close(),
			Self::Aggregate(_) => T::WeightInfo::step_aggregate(),
			// The last one puts the key to use.
			Self::Derive(..) => T::WeightInfo::step_derive().max(T::WeightInfo::step_install()),
			Self::Report(_) => T::WeightInfo::step_report(),
			Self::EndKeeping(_) | Self::Clear(..) => T::WeightInfo::step_clear(),
			Self::Garbage => T::WeightInfo::step_tidy(),
			Self::EndEpoch(_) => T::WeightInfo::step_end_epoch(),
			Self::Blame(_) => T::WeightInfo::step_blame(),
			Self::Forget(..) => T::WeightInfo::step_forget(),
		}
	}

	pub(crate) fn take(self) {
		match self {
			Self::Open(plan) => Pallet::<T>::open(plan),
			Self::ClosePhase(attempt) => Pallet::<T>::close_phase(attempt),
			Self::Aggregate(attempt) => Pallet::<T>::aggregate(attempt),
			Self::Derive(attempt, left) => Pallet::<T>::derive(attempt, left),
			Self::Report(attempt) => Pallet::<T>::report_next(attempt),
			Self::EndKeeping(attempt) => Pallet::<T>::clear_next(attempt, ceremony::FIRST),
			Self::Clear(attempt, seat) => Pallet::<T>::clear_next(attempt, seat),
			Self::Garbage => Pallet::<T>::remove_garbage(),
			Self::EndEpoch(epoch) => Pallet::<T>::end_epoch(epoch),
			Self::Blame(silent) => Pallet::<T>::blame(silent),
			Self::Forget(id, request) => Pallet::<T>::remove_request(id, request),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Takes steps as long as there are any and `meter` lasts.
	pub(crate) fn serve(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::serve()).is_err() {
			return;
		}
		Self::mind_the_clock();
		// Finding the next step is part of each step's weight, and of `serve` when there is none, or no room
		// for it. Requests come last: anybody can let many expire at once. Ceremonies end, and leave room.
		let kinds: [fn() -> Option<Step<T>>; 2] = [Self::key_step, Self::request_step];
		for next in kinds {
			while let Some(step) = next()
				&& meter.try_consume(step.weight()).is_ok()
			{
				step.take();
			}
		}
	}

	/// Stops the pallet's clock for as long as the chain stood still.
	fn mind_the_clock() {
		let now = Self::now();
		if let Some(last) = LastSeen::<T>::get() {
			let gap = now.saturating_sub(last);
			if gap > T::StallAfter::get() {
				StalledFor::<T>::mutate(|stalled| *stalled = stalled.saturating_add(gap));
				Self::deposit_event(Event::StallNoticed { blocks: gap });
			}
		}
		LastSeen::<T>::put(now);
	}

	/// What there is to do.
	#[cfg(any(feature = "runtime-benchmarks", test))]
	pub(crate) fn next_step() -> Option<Step<T>> {
		Self::key_step().or_else(Self::request_step)
	}

	/// What there is to do for keys. The one in the making goes first.
	fn key_step() -> Option<Step<T>> {
		Self::ceremony_step().or_else(Self::upkeep_step)
	}

	fn ceremony_step() -> Option<Step<T>> {
		let time = Self::time();
		let attempt = Current::<T>::get()?;
		match attempt.phase {
			Phase::Committing { ends } => {
				let all = attempt.keys == attempt.ceremony.size.seats()
					&& attempt.digests == attempt.dealers;
				(all || time >= ends).then_some(Step::ClosePhase(attempt))
			}
			Phase::Sharing { ends } => {
				let all = attempt.dealings == attempt.digests;
				(all || time >= ends).then_some(Step::ClosePhase(attempt))
			}
			Phase::Complaining { ends } => (time >= ends).then_some(Step::ClosePhase(attempt)),
			Phase::Aggregating => Some(Step::Aggregate(attempt)),
			Phase::Deriving { left } => Some(Step::Derive(attempt, left)),
			Phase::Reporting => Some(Step::Report(attempt)),
			Phase::Kept { until } => (time >= until).then_some(Step::EndKeeping(attempt)),
			Phase::Clearing { next } => Some(Step::Clear(attempt, next)),
		}
	}

	fn upkeep_step() -> Option<Step<T>> {
		if let Some((epoch, key)) = Self::old_key()
			&& key.until.is_some_and(|until| Self::time() >= until)
		{
			return Some(Step::EndEpoch(epoch));
		}
		// Who was away still needs the old verification shares to check dealings with.
		if Current::<T>::exists() {
			return None;
		}
		match Trash::<T>::get().is_empty() {
			true => Self::plan().ok().map(Step::Open),
			false => Some(Step::Garbage),
		}
	}

	/// What there is to do about the oldest request, if it has expired.
	fn request_step() -> Option<Step<T>> {
		let first = Queue::<T>::get().first;
		let request = Requests::<T>::get(first)?;
		if Self::time() < Self::expiry(&request) {
			return None;
		}
		Some(match Self::next_silent(&request) {
			Some(silent) => Step::Blame(silent),
			None => Step::Forget(first, request),
		})
	}
}
