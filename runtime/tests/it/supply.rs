//! Nothing but Root can create PHA: no call, no hook, no inherent.

use crate::chain::{account, block, check_state, run, signed};
use codec::{Decode, Encode};
use frame_support::traits::{CallMetadata, GetCallMetadata};
use phala_runtime::{constants::currency::*, *};
use proptest::{
	prelude::*,
	strategy::ValueTree,
	test_runner::{Config, TestRunner},
};
use scale_info::{Type, TypeDef, TypeInfo};
use sp_runtime::traits::Dispatchable;
use std::collections::BTreeSet;

#[test]
fn a_thousand_blocks_leave_the_supply_as_it_is() {
	run(|| {
		for number in 0..1_000u32 {
			let extrinsics = match number % 10 {
				3 => vec![signed(
					"alice",
					pallet_balances::Call::transfer_keep_alive {
						dest: account("bob").into(),
						value: PHA,
					},
				)],
				7 => vec![signed(
					"bob",
					frame_system::Call::remark_with_event { remark: vec![number as u8] },
				)],
				_ => vec![],
			};
			for result in block(extrinsics) {
				assert_eq!(result, Ok(Ok(())));
			}
			assert_eq!(Balances::total_issuance(), TOTAL_SUPPLY);
			if number % 100 == 0 {
				check_state();
			}
		}
	});
}

/// Every call: the indices of its pallet and of itself.
fn callable() -> Vec<(u8, u8)> {
	let variants = |of: Type| match of.type_def {
		TypeDef::Variant(choices) => choices.variants,
		_ => vec![],
	};
	let pallets = variants(RuntimeCall::type_info()).into_iter();
	let calls = pallets.flat_map(|pallet| {
		let calls = pallet.fields.iter().flat_map(|field| variants(field.ty.type_info()));
		calls.map(move |call| (pallet.index, call.index)).collect::<Vec<_>>()
	});
	calls.collect()
}

fn decoded((pallet, call): (u8, u8), arguments: &[u8]) -> Option<RuntimeCall> {
	RuntimeCall::decode(&mut [&[pallet, call], arguments].concat().as_slice()).ok()
}

/// Bytes that often decode: small numbers, accounts that exist, and noise.
fn argument_bytes() -> impl Strategy<Value = Vec<u8>> {
	let piece = prop_oneof![
		Just(account("alice").encode()),
		Just(account("bob").encode()),
		Just(codec::Compact(3 * PHA).encode()),
		Just((3 * PHA).encode()),
		any::<u8>().prop_map(|byte| vec![byte % 8]),
		Just(vec![0]),
		Just(vec![0; 16]),
		prop::collection::vec(any::<u8>(), 0..24),
	];
	prop::collection::vec(piece, 0..12).prop_map(|pieces| {
		let mut bytes = pieces.concat();
		// Whatever is missing at the end reads as zeros.
		bytes.resize(bytes.len() + 512, 0);
		bytes
	})
}

/// Arbitrary calls, by a holder and by nobody at all.
fn some_calls(count: usize) -> impl Strategy<Value = Vec<(RuntimeCall, RuntimeOrigin)>> {
	let one = (prop::sample::select(callable()), argument_bytes(), any::<bool>());
	prop::collection::vec(one, count).prop_map(|calls| {
		let called = calls.into_iter().filter_map(|(index, arguments, somebody)| {
			let origin = match somebody {
				true => RuntimeOrigin::signed(account("alice")),
				false => RuntimeOrigin::none(),
			};
			Some((decoded(index, &arguments)?, origin))
		});
		// Inherents may come once a block, and panic where a block's author breaks that rule.
		let inherent = |call: &_| {
			use cumulus_pallet_parachain_system::Call::set_validation_data;
			use pallet_timestamp::Call::set;
			matches!(
				call,
				RuntimeCall::ParachainSystem(set_validation_data { .. })
					| RuntimeCall::Timestamp(set { .. })
			)
		};
		called.filter(|(call, _)| !inherent(call)).collect()
	})
}

/// Calls that are not made, or are refused, show nothing.
#[test]
fn calls_of_most_kinds_are_made_and_many_succeed() {
	let name = |call: &RuntimeCall| {
		let CallMetadata { function_name, pallet_name } = call.get_call_metadata();
		(pallet_name, function_name)
	};
	let mut runner = TestRunner::deterministic();
	let calls = some_calls(4_096).new_tree(&mut runner).expect("there are calls").current();
	let made: BTreeSet<_> = calls.iter().map(|(call, _)| name(call)).collect();
	assert!(made.len() * 5 >= callable().len() * 4, "{} of {}", made.len(), callable().len());
	let pallets: BTreeSet<_> = made.iter().map(|(pallet, _)| *pallet).collect();
	let mut left = RuntimeCall::get_module_names().to_vec();
	left.retain(|pallet| !pallets.contains(pallet));
	// One has but an inherent, and two no calls.
	assert_eq!(left, ["Timestamp", "ParachainInfo", "CumulusXcm"]);
	run(|| {
		block(vec![]);
		let succeeded: BTreeSet<_> = calls
			.into_iter()
			.filter_map(|(call, origin)| {
				let name = name(&call);
				call.dispatch(origin).is_ok().then_some(name)
			})
			.collect();
		assert!(succeeded.len() >= 20, "{succeeded:?}");
	});
}

proptest! {
	#![proptest_config(Config { cases: 64, ..Config::default() })]

	#[test]
	fn no_call_raises_total_issuance(calls in some_calls(64)) {
		run(|| {
			block(vec![]);
			let mut issued = Balances::total_issuance();
			for (call, origin) in calls {
				let _ = call.dispatch(origin);
				assert!(Balances::total_issuance() <= issued);
				issued = Balances::total_issuance();
			}
		});
	}
}
