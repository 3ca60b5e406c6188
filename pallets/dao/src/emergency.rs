//! Halts and pauses that end by themselves.

use crate::{CallNameOf, Config, Error, Event, HaltedUntil, Measures, Pallet};
use codec::Encode;
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::{
		Contains, Get, SafeMode, StorePreimage, TransactionPause, TransactionPauseError,
		schedule::{
			DispatchTime, HIGHEST_PRIORITY,
			v3::{Named, TaskName},
		},
	},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{BlockNumberProvider, Convert, Saturating, Zero};

impl<T: Config> Pallet<T> {
	/// Emergency measures that may still be taken in the present period.
	pub(crate) fn measures_in_reserve() -> u32 {
		let now = T::BlockNumberProvider::current_block_number();
		let taken = Measures::<T>::get().iter().filter(|at| Self::is_recent(**at, now)).count();
		T::MaxMeasures::get().saturating_sub(taken as u32)
	}

	fn is_recent(at: BlockNumberFor<T>, now: BlockNumberFor<T>) -> bool {
		at.saturating_add(T::MeasurePeriod::get()) > now
	}

	/// Counts one emergency measure, if another one may be taken.
	fn take_measure() -> DispatchResult {
		let now = T::BlockNumberProvider::current_block_number();
		Measures::<T>::try_mutate(|measures| {
			measures.retain(|at| Self::is_recent(*at, now));
			measures.try_push(now).map_err(|_| Error::<T>::TooManyMeasures.into())
		})
	}

	/// Enters safe mode, or prolongs it.
	pub(crate) fn do_halt() -> DispatchResult {
		Self::take_measure()?;
		let duration = T::HaltDuration::get();
		let now = T::BlockNumberProvider::current_block_number();
		if T::SafeMode::is_entered() {
			T::SafeMode::extend(duration)
		} else {
			// One of a halt that was ended early.
			HaltedUntil::<T>::put(now);
			T::SafeMode::enter(duration)
		}
		.map_err(|_| Error::<T>::HaltRefused)?;
		// There is none in a safe mode that others entered, and that is not for a halt to end.
		HaltedUntil::<T>::mutate_extant(|until| *until = until.saturating_add(duration));
		let blocks = T::SafeMode::remaining().unwrap_or_else(Zero::zero);
		Self::deposit_event(Event::Halted { blocks });
		Ok(())
	}

	/// Ends a halt that is over by the provider's clock. Safe mode itself counts blocks of this chain, and
	/// these may come slower.
	pub(crate) fn end_halt() -> Weight {
		let now = T::BlockNumberProvider::current_block_number();
		if HaltedUntil::<T>::get().is_none_or(|until| now < until) {
			return T::DbWeight::get().reads(1);
		}
		HaltedUntil::<T>::kill();
		if T::SafeMode::is_entered() {
			frame_support::defensive_assert!(T::SafeMode::exit().is_ok());
		}
		T::DbWeight::get().reads_writes(2, 2)
	}

	/// Pauses calls and schedules their return; prolongs the pause of those that are paused.
	pub(crate) fn do_pause(calls: &[CallNameOf<T>]) -> DispatchResult {
		ensure!(!calls.is_empty(), Error::<T>::NothingToPause);
		for (index, call) in calls.iter().enumerate() {
			// Each mention would prolong the pause, all for one measure.
			ensure!(
				!calls.iter().take(index).any(|other| other == call),
				Error::<T>::DuplicateCall
			);
		}
		Self::take_measure()?;
		for call in calls {
			ensure!(T::Calls::contains(call), Error::<T>::UnknownCall);
			let now = T::BlockNumberProvider::current_block_number();
			let task = Self::return_task(call);
			let due = T::Scheduler::next_dispatch_time(task);
			let until = due.unwrap_or(now).max(now).saturating_add(T::PauseDuration::get());
			match T::TxPause::pause(call.clone()) {
				Ok(()) | Err(TransactionPauseError::AlreadyPaused) => (),
				Err(_) => return Err(Error::<T>::Unpausable.into()),
			}
			let at = DispatchTime::At(until);
			if due.is_ok() {
				T::Scheduler::reschedule_named(task, at)?;
			} else {
				let origin = crate::Origin::GuardRail.into();
				let unpause = T::Preimages::bound(T::UnpauseCall::convert(call.clone()))?;
				T::Scheduler::schedule_named(task, at, None, HIGHEST_PRIORITY, origin, unpause)?;
			}
			Self::deposit_event(Event::CallPaused { call: call.clone(), until });
		}
		Ok(())
	}

	/// Name of the scheduled task that gives a call back.
	fn return_task(call: &CallNameOf<T>) -> TaskName {
		(b"dao/unpause", call).using_encoded(sp_io::hashing::blake2_256)
	}
}
