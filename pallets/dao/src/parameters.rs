//! Parameters behind guard rails.

use crate::{Config, Error, Event, Former, GuardedParameters, History, KeyOf, Pallet, Range};
use alloc::vec::Vec;
use frame_support::{
	BoundedVec,
	dispatch::DispatchResult,
	traits::{Get, dynamic_params::AggregatedKeyValue},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{BlockNumberProvider, Saturating};

impl<T: Config> Pallet<T> {
	/// Values that `key` had within the last period, besides the present one.
	fn recent(
		key: &KeyOf<T::Parameters>,
		now: BlockNumberFor<T>,
	) -> impl Iterator<Item = Former<BlockNumberFor<T>>> + use<T> {
		History::<T>::get(key)
			.into_iter()
			.filter(move |former| former.until.saturating_add(T::ChangePeriod::get()) > now)
	}

	/// What a parameter of the value `current` was before the present block.
	///
	/// A step is measured from there, so that a batch gets no further than one call.
	fn before_block(
		history: &[Former<BlockNumberFor<T>>],
		now: BlockNumberFor<T>,
		current: u128,
	) -> u128 {
		history.iter().find(|former| former.until == now).map_or(current, |former| former.value)
	}

	/// What a parameter may be set to now.
	pub(crate) fn allowed(key: &KeyOf<T::Parameters>) -> Range {
		let now = T::BlockNumberProvider::current_block_number();
		let history: Vec<_> = Self::recent(key, now).collect();
		let current = T::Parameters::current(key);
		let before = Self::before_block(&history, now, current);
		let recent = history.iter().map(|former| former.value);
		T::Parameters::guard(key).allowed(current, before, recent)
	}

	/// Is `value` within the limit per period of each value that `key` had within the period?
	#[cfg(any(feature = "try-runtime", test))]
	pub(crate) fn within_period(key: &KeyOf<T::Parameters>, value: u128) -> bool {
		let now = T::BlockNumberProvider::current_block_number();
		let recent = Self::recent(key, now).map(|former| former.value);
		T::Parameters::guard(key).within_period(value, recent).contains(value)
	}

	/// Changes a parameter if its guard rail permits it.
	pub(crate) fn do_set_parameter(
		key: KeyOf<T::Parameters>,
		key_value: <T::Parameters as GuardedParameters>::KeyValue,
	) -> DispatchResult {
		let (_, value) = key_value.clone().into_parts();
		let value = value.ok_or(Error::<T>::NoValue)?;
		let (from, to) = (T::Parameters::current(&key), T::Parameters::number(&value));
		let now = T::BlockNumberProvider::current_block_number();
		let mut history: Vec<_> = Self::recent(&key, now).collect();
		let before = Self::before_block(&history, now, from);
		let recent = history.iter().map(|former| former.value);
		T::Parameters::guard(&key).check(from, before, to, recent).map_err(Error::<T>::Guard)?;

		history.push(Former { until: now, value: from });
		let history = BoundedVec::try_from(history).map_err(|_| Error::<T>::TooManyChanges)?;
		T::Parameters::before_change(&key)?;
		T::Parameters::set(key_value)?;
		History::<T>::insert(&key, history);
		Self::deposit_event(Event::ParameterSet { key, from, to });
		Ok(())
	}
}
