//! What this pallet needs from the runtime.

use frame_support::{
	dispatch::DispatchResult, traits::dynamic_params::AggregatedKeyValue, weights::Weight,
};
use sp_runtime::DispatchError;

use crate::Guard;

/// Name of a parameter.
pub type KeyOf<P> = <<P as GuardedParameters>::KeyValue as AggregatedKeyValue>::Key;
/// Value of a parameter.
pub type ValueOf<P> = <<P as GuardedParameters>::KeyValue as AggregatedKeyValue>::Value;

/// The parameters that governance may change, each with its guard rail.
///
/// The runtime implements it with one `match` over all keys, so that a parameter without a guard rail
/// does not compile.
pub trait GuardedParameters {
	/// A parameter and what it shall be.
	type KeyValue: AggregatedKeyValue;

	/// Every parameter.
	fn keys() -> impl Iterator<Item = KeyOf<Self>>;

	/// The guard rail of a parameter.
	fn guard(key: &KeyOf<Self>) -> Guard;

	/// The value in force, as a number.
	fn current(key: &KeyOf<Self>) -> u128;

	/// A proposed value, as a number.
	fn number(value: &ValueOf<Self>) -> u128;

	/// Called before a parameter that passed its guard rail changes. A pallet that integrates over
	/// time settles here with the old value; an error leaves everything as it was.
	fn before_change(_key: &KeyOf<Self>) -> DispatchResult {
		Ok(())
	}

	/// Stores a value that passed its guard rail.
	fn set(key_value: Self::KeyValue) -> DispatchResult;

	/// A change that the guard rail of a fresh chain permits.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_change() -> Self::KeyValue;
}

/// Votes that stand in ongoing referenda.
pub trait Votes<AccountId> {
	/// Lowers one vote or delegation of `who` that is more than `who` owns to what it owns. Returns
	/// whether there was one, and what the work weighs.
	fn lower_one(who: &AccountId) -> (Result<bool, DispatchError>, Weight);

	/// The most that [`Self::lower_one`] weighs.
	fn max_weight() -> Weight;
}

/// What benchmarks ask of the runtime.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<CallName> {
	/// Names of the runtime's calls, as the metadata has them.
	fn call_names() -> alloc::vec::Vec<CallName>;
}
