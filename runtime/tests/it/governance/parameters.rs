//! Parameters of this runtime, through referenda and behind their guard rails.

use super::*;
use codec::Decode;
use frame_support::{assert_noop, weights::WeightToFee as _};
use pallet_dao::{GuardError, GuardedParameters, Range};
use phala_runtime::{
	configs::{
		WeightToFee,
		governance::parameters::{
			Guarded, RuntimeParameters, RuntimeParametersKey, dynamic_params,
		},
	},
	constants::{currency::*, governance::*},
};
use proptest::prelude::*;
use sp_runtime::DispatchError;

fn base_fee(value: Balance) -> RuntimeParameters {
	use dynamic_params::fees;
	RuntimeParameters::Fees(fees::Parameters::Base(fees::Base, Some(value)))
}

fn set(key_value: RuntimeParameters) -> DispatchResult {
	Dao::set_parameter(Origin::TokenomicsAdmin.into(), key_value)
}

fn empty_extrinsic() -> Balance {
	let base = frame_support::weights::constants::ExtrinsicBaseWeight::get();
	WeightToFee::weight_to_fee(&base)
}

#[test]
fn a_referendum_changes_what_transactions_cost() {
	governed(|| {
		assert_eq!(empty_extrinsic(), MILLI_PHA);
		let key_value = base_fee(MILLI_PHA * 5 / 4);
		let index = propose(Origin::TokenomicsAdmin, pallet_dao::Call::set_parameter { key_value });
		all_vote(index, true);
		enact(13);
		assert_eq!(enacted(), vec![Ok(())]);
		assert_eq!(empty_extrinsic(), MILLI_PHA * 5 / 4);
	});
}

#[test]
fn what_is_outside_a_guard_rail_fails_with_a_reason_and_changes_nothing() {
	governed(|| {
		let key_value = base_fee(MILLI_PHA * 2);
		let index = propose(Origin::TokenomicsAdmin, pallet_dao::Call::set_parameter { key_value });
		all_vote(index, true);
		enact(13);
		let error = pallet_dao::Error::<Runtime>::Guard(GuardError::StepTooLarge);
		let strip = |error: DispatchError| error.stripped();
		let results: Vec<_> = enacted().into_iter().map(|result| result.map_err(strip)).collect();
		assert_eq!(results, vec![Err(DispatchError::from(error).stripped())]);
		assert_eq!(empty_extrinsic(), MILLI_PHA);
		assert_eq!(pallet_parameters::Parameters::<Runtime>::iter().count(), 0);
	});
}

#[test]
fn a_batch_moves_a_parameter_no_further_than_one_enactment() {
	governed(|| {
		let step =
			|key_value| RuntimeCall::from(pallet_dao::Call::<Runtime>::set_parameter { key_value });
		let calls = vec![step(base_fee(MILLI_PHA * 5 / 4)), step(base_fee(MILLI_PHA * 5 / 4 + 1))];
		let index = propose(Origin::TokenomicsAdmin, pallet_utility::Call::batch_all { calls });
		all_vote(index, true);
		enact(13);
		let error = pallet_dao::Error::<Runtime>::Guard(GuardError::StepTooLarge);
		let results: Vec<_> =
			enacted().into_iter().map(|result| result.map_err(DispatchError::stripped)).collect();
		assert_eq!(results, vec![Err(DispatchError::from(error).stripped())]);
		assert_eq!(empty_extrinsic(), MILLI_PHA);
	});
}

#[test]
fn no_origin_sets_a_parameter_past_its_guard_rail() {
	governed(|| {
		let set =
			|origin: RuntimeOrigin| Parameters::set_parameter(origin, base_fee(MILLI_PHA * 50));
		assert_noop!(set(RuntimeOrigin::root()), DispatchError::BadOrigin);
		assert_noop!(set(signed("alice")), DispatchError::BadOrigin);
		for origin in Origin::ALL.into_iter().filter(|origin| *origin != Origin::GuardRail) {
			assert_noop!(set(origin.into()), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn every_parameter_has_a_guard_rail_around_its_default() {
	governed(|| {
		let keys: Vec<_> = Guarded::keys().collect();
		// As many as decode: none is missing from the list.
		let decodable = (0u8..=255)
			.flat_map(|pallet| (0u8..=255).map(move |key| [pallet, key]))
			.filter_map(|bytes| RuntimeParametersKey::decode(&mut &bytes[..]).ok())
			.collect::<Vec<_>>();
		assert_eq!(keys, decodable);
		for key in keys {
			let guard = Guarded::guard(&key);
			assert!(guard.is_sound(), "{key:?}");
			assert!(guard.range.contains(Guarded::current(&key)), "{key:?}");
		}
	});
}

#[test]
fn clients_can_ask_what_is_allowed() {
	governed(|| {
		let key = Guarded::keys().next().expect("there is one");
		let range = Range { lowest: MILLI_PHA * 3 / 4, highest: MILLI_PHA * 5 / 4 };
		assert_eq!(Dao::allowed_values(key.clone()), range);
		assert_eq!(
			Dao::guard_rail(key),
			Guarded::guard(&Guarded::keys().next().expect("the same"))
		);
		assert_eq!(Dao::measures_left(), MAX_MEASURES);
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 16, ..Default::default() })]

	/// Any sequence of enactments, at any times: within a period, the price of an extrinsic stays within
	/// half of each price that it had.
	#[test]
	fn no_sequence_of_enactments_moves_a_fee_faster_than_its_bound(
		steps in prop::collection::vec((0u32..12 * 14_400, 0u32..2_000), 1..40)
	) {
		governed(|| {
			let mut prices = vec![(0, empty_extrinsic())];
			for (wait, permille) in steps {
				pass(wait);
				let current = empty_extrinsic();
				let value = current * Balance::from(permille) / 1_000;
				if set(base_fee(value)).is_ok() {
					prices.push((now(), empty_extrinsic()));
					assert_eq!(empty_extrinsic(), value);
				} else {
					assert_eq!(empty_extrinsic(), current);
				}
			}
			for (index, pair) in prices.windows(2).enumerate() {
				let ((_, earlier), (until, _)) = (pair[0], pair[1]);
				for (at, later) in &prices[index + 1..] {
					let far = earlier.abs_diff(*later) > earlier / 2;
					assert!(!far || *at >= until + CHANGE_PERIOD, "{earlier} and {later}");
				}
			}
		});
	}
}
