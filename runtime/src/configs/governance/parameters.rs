//! The parameters that the DAO can change, each with its default, its guard rail and its track.
//!
//! A parameter is added in four places of this file: its declaration, and a line in each `match`, without
//! which it does not compile; [`Guarded::keys`] is checked by a test.

use crate::{
	Balance, Parameters, Runtime, RuntimeEvent, RuntimeOrigin,
	constants::currency::{MICRO_PHA, MILLI_PHA, PHA, TRANSACTION_BYTE_FEE, deposit},
	weights,
};
use frame_support::{
	dispatch::DispatchResult,
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	traits::{AsEnsureOriginWithArg, EnsureOrigin, EnsureOriginWithArg, Get},
};
use pallet_dao::{Guard, GuardedParameters, Limit, Origin, Range, origins};
use sp_runtime::Permill;

/// The declarations. An index belongs to its parameter for ever.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
	use super::*;

	/// What transactions cost.
	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod fees {
		/// Price of an empty extrinsic, in plancks; all weight is priced in proportion.
		#[codec(index = 0)]
		pub static Base: Balance = MILLI_PHA;
		/// Price of a byte of an extrinsic, in plancks.
		#[codec(index = 1)]
		pub static PerByte: Balance = TRANSACTION_BYTE_FEE;
	}

	/// What storage costs, while it is used.
	#[dynamic_pallet_params]
	#[codec(index = 1)]
	pub mod deposits {
		/// Deposit for an item, in plancks.
		#[codec(index = 0)]
		pub static PerItem: Balance = deposit(1, 0);
		/// Deposit for a byte, in plancks.
		#[codec(index = 1)]
		pub static PerByte: Balance = deposit(0, 1);
	}
}

use RuntimeParametersKey as Key;
use RuntimeParametersValue as Value;
use dynamic_params::{
	deposits::{self, ParametersKey as DepositsKey, ParametersValue as DepositsValue},
	fees::{self, ParametersKey as FeesKey, ParametersValue as FeesValue},
};

/// A quarter per enactment, a half in any 28 days.
const fn price(lowest: Balance, highest: Balance) -> Guard {
	Guard {
		range: Range { lowest, highest },
		per_enactment: Limit::Share(Permill::from_percent(25)),
		per_period: Limit::Share(Permill::from_percent(50)),
	}
}

/// The guard rails.
pub struct Guarded;

impl GuardedParameters for Guarded {
	type KeyValue = RuntimeParameters;

	fn keys() -> impl Iterator<Item = Key> {
		[
			Key::Fees(FeesKey::Base(fees::Base)),
			Key::Fees(FeesKey::PerByte(fees::PerByte)),
			Key::Deposits(DepositsKey::PerItem(deposits::PerItem)),
			Key::Deposits(DepositsKey::PerByte(deposits::PerByte)),
		]
		.into_iter()
	}

	fn guard(key: &Key) -> Guard {
		match key {
			Key::Fees(FeesKey::Base(_)) => price(10 * MICRO_PHA, 100 * MILLI_PHA),
			Key::Fees(FeesKey::PerByte(_)) => price(MICRO_PHA / 10, MILLI_PHA),
			Key::Deposits(DepositsKey::PerItem(_)) => price(MILLI_PHA, 10 * PHA),
			Key::Deposits(DepositsKey::PerByte(_)) => price(10 * MICRO_PHA, 100 * MILLI_PHA),
		}
	}

	fn current(key: &Key) -> u128 {
		match key {
			Key::Fees(FeesKey::Base(_)) => fees::Base::get(),
			Key::Fees(FeesKey::PerByte(_)) => fees::PerByte::get(),
			Key::Deposits(DepositsKey::PerItem(_)) => deposits::PerItem::get(),
			Key::Deposits(DepositsKey::PerByte(_)) => deposits::PerByte::get(),
		}
	}

	fn number(value: &Value) -> u128 {
		match value {
			Value::Fees(FeesValue::Base(value) | FeesValue::PerByte(value)) => *value,
			Value::Deposits(DepositsValue::PerItem(value) | DepositsValue::PerByte(value)) => {
				*value
			}
		}
	}

	fn set(key_value: RuntimeParameters) -> DispatchResult {
		Parameters::set_parameter(Origin::GuardRail.into(), key_value)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_change() -> RuntimeParameters {
		RuntimeParameters::default()
	}
}

/// Who may change a parameter, before its guard rail is asked.
pub struct AdminOf;

impl EnsureOriginWithArg<RuntimeOrigin, Key> for AdminOf {
	type Success = ();

	fn try_origin(origin: RuntimeOrigin, key: &Key) -> Result<(), RuntimeOrigin> {
		match key {
			Key::Fees(_) | Key::Deposits(_) => origins::TokenomicsAdmin::try_origin(origin),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin(key: &Key) -> Result<RuntimeOrigin, ()> {
		match key {
			Key::Fees(_) | Key::Deposits(_) => origins::TokenomicsAdmin::try_successful_origin(),
		}
	}
}

impl pallet_parameters::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	/// Nobody but the calls that check guard rails.
	type AdminOrigin = AsEnsureOriginWithArg<origins::GuardRail>;
	type WeightInfo = weights::pallet_parameters::WeightInfo<Runtime>;
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
	fn default() -> Self {
		Self::Fees(fees::Parameters::Base(fees::Base, Some(MILLI_PHA + 1)))
	}
}
