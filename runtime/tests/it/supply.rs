//! Nothing but Root can create PHA: no call, no hook, no inherent.

use crate::chain::{account, block, check_state, run, signed};
use codec::{Decode, Encode};
use frame_support::traits::GetCallMetadata;
use phala_runtime::{constants::currency::*, *};
use proptest::{prelude::*, test_runner::Config};
use sp_runtime::traits::Dispatchable;

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

/// Pallets, by index, that have calls.
fn callable() -> Vec<u8> {
	(0..=u8::MAX)
		.filter(|index| {
			(0..=u8::MAX).any(|call| {
				RuntimeCall::decode(&mut call_bytes(*index, call, &[0; 4096]).as_slice()).is_ok()
			})
		})
		.collect()
}

fn call_bytes(pallet: u8, call: u8, arguments: &[u8]) -> Vec<u8> {
	[&[pallet, call], arguments].concat()
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

#[test]
fn most_calls_are_reached_by_random_bytes() {
	let names = RuntimeCall::get_module_names().len();
	assert!(callable().len() + 3 >= names, "{} of {names} pallets", callable().len());
}

proptest! {
	#![proptest_config(Config { cases: 64, ..Config::default() })]

	/// Arbitrary calls of every pallet, by a holder and by nobody at all.
	#[test]
	fn no_call_raises_total_issuance(
		calls in prop::collection::vec(
			(prop::sample::select(callable()), 0u8..64, argument_bytes(), any::<bool>()),
			64,
		)
	) {
		run(|| {
			block(vec![]);
			let mut issued = Balances::total_issuance();
			for (pallet, call, arguments, somebody) in calls {
				let bytes = call_bytes(pallet, call, &arguments);
				let Ok(call) = RuntimeCall::decode(&mut bytes.as_slice()) else { continue };
				// Inherents may come once a block, and panic where a block's author breaks that rule.
				if matches!(call, RuntimeCall::ParachainSystem(_) | RuntimeCall::Timestamp(_)) {
					continue;
				}
				let origin = if somebody {
					RuntimeOrigin::signed(account("alice"))
				} else {
					RuntimeOrigin::none()
				};
				let _ = call.dispatch(origin);
				assert!(Balances::total_issuance() <= issued);
				issued = Balances::total_issuance();
			}
		});
	}
}
