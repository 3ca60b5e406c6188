//! When the steps of the queues are done: by the hook, in the weight that a block has for it, or by
//! whoever calls `apply`; and what both do after a stall.

use crate::{Config, Error, Event, LastSeen, Pallet, QuietUntil, WakeAt, WeightInfo, queue::Step};
use frame_support::{ensure, traits::Get, weights::WeightMeter};
use phala_primitives::OffenceClass;

impl<T: Config> Pallet<T> {
	/// The work of a block: steps of all classes in turn, while there is weight. Reads one value and
	/// no more in a block in which nothing is due.
	pub(crate) fn serve(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::serve_asleep()).is_err() {
			return;
		}
		let now = Self::now();
		Self::notice_stall(now);
		if now < WakeAt::<T>::get() || meter.try_consume(T::WeightInfo::serve_awake()).is_err() {
			return;
		}
		let (step, mut wake) = (Self::step_weight(), u32::MAX);
		let mut awake = OffenceClass::ALL.to_vec();
		// No class can keep the others waiting for ever.
		awake.rotate_left(now as usize % OffenceClass::ALL.len());
		while !awake.is_empty() {
			let mut out_of_weight = false;
			awake.retain(|class| {
				if out_of_weight || !meter.can_consume(step) {
					out_of_weight = true;
					return true;
				}
				match Self::step(*class, now) {
					Step::Done => {
						meter.consume(step);
						true
					}
					Step::Sleep(until) => {
						meter.consume(T::WeightInfo::step_idle());
						wake = wake.min(until);
						false
					}
					Step::Refused(until) => {
						meter.consume(step);
						wake = wake.min(until);
						false
					}
				}
			});
			if out_of_weight {
				wake = now;
				break;
			}
		}
		WakeAt::<T>::put(wake);
	}

	/// Sees that the chain is alive, or gives the time back that it was not.
	fn notice_stall(now: u32) {
		let last = LastSeen::<T>::get().unwrap_or(now);
		let (gap, stall) = (now.saturating_sub(last), T::StallAfter::get());
		if gap > stall {
			let longest = now.saturating_add(gap.min(Self::parameters_now().deferral));
			// A second, shorter stall does not end the time that is owed for the first.
			let quiet_until = longest.max(QuietUntil::<T>::get());
			QuietUntil::<T>::put(quiet_until);
			Self::deposit_event(Event::StallNoticed { blocks: gap, quiet_until });
		}
		if gap >= stall / 2 || last == now {
			LastSeen::<T>::put(now);
		}
	}

	/// Does at most `steps` steps of a class. Returns how many there were to do.
	pub(crate) fn do_apply(class: OffenceClass, steps: u32) -> Result<u32, Error<T>> {
		let now = Self::now();
		Self::notice_stall(now);
		let mut done = 0u32;
		while done < steps && Self::step(class, now) == Step::Done {
			done = done.saturating_add(1);
		}
		ensure!(done > 0, Error::<T>::NothingDue);
		Ok(done)
	}
}
