//! What this pallet needs from the runtime.

use frame_support::{
	Parameter,
	dispatch::DispatchResult,
	traits::dynamic_params::AggregatedKeyValue,
	weights::{Weight, WeightMeter},
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

/// What [`Votes::lower_one`] did.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Lowering {
	/// One vote or delegation was lowered; there may be more.
	Lowered,
	/// There is nothing to lower.
	Nothing,
	/// It weighs more than is left; nothing was done.
	TooHeavy,
}

/// Votes that stand in ongoing referenda, by their class (the track).
pub trait Votes<AccountId> {
	/// Name of a class.
	type Class: Parameter;

	/// The class at `position`, counted from 0; `None` if there are no more.
	fn class(position: u32) -> Option<Self::Class>;

	/// Lowers one vote of `who` in `class` that is more than `who` owns to what it owns, or withdraws such
	/// a delegation. Takes what it weighs out of `meter` before the work.
	fn lower_one(
		who: &AccountId,
		class: &Self::Class,
		meter: &mut WeightMeter,
	) -> Result<Lowering, DispatchError>;

	/// The most that [`Self::lower_one`] weighs.
	fn max_weight() -> Weight;

	/// Runs `lower`, which lowers votes at the start of a block, before the decisions of this block.
	/// Referenda whose decision is due in this block must still be decided in it.
	fn before_decisions<R>(lower: impl FnOnce() -> R) -> R {
		lower()
	}
}

/// What benchmarks ask of the runtime.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<CallName> {
	/// Names of the runtime's calls, as the metadata has them.
	fn call_names() -> alloc::vec::Vec<CallName>;
}
