//! Benchmarks of the calls, and of the steps that hooks take.

use super::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec,
	traits::{
		EnsureOrigin, EnsureOriginWithArg, Get, SafeMode, dynamic_params::AggregatedKeyValue,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::BlockNumberProvider;

/// The first calls of the runtime that can be paused, by the names that the metadata has.
fn pausable<T: Config>(count: u32) -> Vec<CallNameOf<T>> {
	T::BenchmarkHelper::call_names()
		.into_iter()
		.filter(|name| T::TxPause::can_pause(name.clone()))
		.take(count as usize)
		.collect()
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_parameter() -> Result<(), BenchmarkError> {
		let key_value = T::Parameters::benchmark_change();
		let (key, _) = key_value.clone().into_parts();
		let origin = T::ParameterOrigin::try_successful_origin(&key)
			.map_err(|_| BenchmarkError::Weightless)?;
		let until = T::BlockNumberProvider::current_block_number();
		let value = T::Parameters::current(&key);
		// Full but for one place.
		let history = vec![Former { until, value }; T::MaxChanges::get() as usize - 1];
		History::<T>::insert(&key, BoundedVec::truncate_from(history));

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, key_value);

		assert_eq!(History::<T>::get(&key).len(), T::MaxChanges::get() as usize);
		Ok(())
	}

	#[benchmark]
	fn halt() -> Result<(), BenchmarkError> {
		let origin =
			T::EmergencyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let now = T::BlockNumberProvider::current_block_number();
		let taken: Vec<BlockNumberFor<T>> = vec![now; T::MaxMeasures::get() as usize - 1];
		Measures::<T>::put(BoundedVec::truncate_from(taken));

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);

		assert!(T::SafeMode::is_entered());
		Ok(())
	}

	#[benchmark]
	fn pause(c: Linear<1, { T::MaxPaused::get() }>) -> Result<(), BenchmarkError> {
		let origin =
			T::EmergencyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let calls = pausable::<T>(c);
		let bounded = BoundedVec::truncate_from(calls.clone());

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, bounded);

		assert_eq!(calls.len() as u32, c);
		assert!(calls.into_iter().all(T::TxPause::is_paused));
		Ok(())
	}

	/// The runtime adds what lowering itself weighs.
	#[benchmark]
	fn next_excess() {
		for index in 0..10 {
			Excess::<T>::insert(account::<T::AccountId>("voter", index, 0), 0);
		}
		let before: u32 = Excess::<T>::iter_values().sum();

		#[block]
		{
			if let Some((who, position)) = Excess::<T>::iter().next()
				&& T::Votes::class(position).is_some()
			{
				Pallet::<T>::deposit_event(Event::VotesLowered { who: who.clone() });
				Excess::<T>::insert(who, position.saturating_add(1));
			}
		}

		assert_eq!(Excess::<T>::iter_values().sum::<u32>(), before + 1);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
