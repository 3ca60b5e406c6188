//! Weights of `pallet_dao`.
//!
//! [`SubstrateWeight`] counts storage accesses and proof sizes, generously; a runtime uses what
//! `scripts/bench` measured.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and steps of the pallet.
pub trait WeightInfo {
	/// `set_parameter`, besides the runtime's `before_change`.
	fn set_parameter() -> Weight;
	/// `halt`.
	fn halt() -> Weight;
	/// `pause` of `c` calls.
	fn pause(c: u32) -> Weight;
	/// Finding the next account to lower votes of and noting what was done, besides the lowering.
	fn next_excess() -> Weight;
}

/// Weights in terms of the runtime's database weight.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn set_parameter() -> Weight {
		Weight::from_parts(50_000_000, 10_000).saturating_add(T::DbWeight::get().reads_writes(4, 2))
	}

	fn halt() -> Weight {
		Weight::from_parts(30_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(5, 3))
	}

	fn pause(c: u32) -> Weight {
		Weight::from_parts(30_000_000, 5_000)
			.saturating_add(T::DbWeight::get().reads_writes(3, 1))
			.saturating_add(
				Weight::from_parts(60_000_000, 120_000)
					.saturating_add(T::DbWeight::get().reads_writes(4, 3))
					.saturating_mul(c.into()),
			)
	}

	fn next_excess() -> Weight {
		Weight::from_parts(10_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(2, 1))
	}
}

impl WeightInfo for () {
	fn set_parameter() -> Weight {
		Weight::from_parts(50_000_000, 10_000)
	}

	fn halt() -> Weight {
		Weight::from_parts(30_000_000, 6_000)
	}

	fn pause(c: u32) -> Weight {
		Weight::from_parts(30_000_000, 5_000).saturating_mul((c + 1).into())
	}

	fn next_excess() -> Weight {
		Weight::from_parts(10_000_000, 4_000)
	}
}
