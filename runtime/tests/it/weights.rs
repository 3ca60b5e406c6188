//! Everything that is done is paid for.

use crate::chain::run;
use codec::Decode;
use frame_support::{
	dispatch::{GetDispatchInfo, Pays},
	traits::GetCallMetadata,
};
use phala_runtime::*;

/// Nearly all calls: most arguments have a meaning as zeros.
fn calls() -> Vec<RuntimeCall> {
	let names = RuntimeCall::get_module_names();
	let all: usize = names.iter().map(|name| RuntimeCall::get_call_names(name).len()).sum();
	let calls = (0..=u8::MAX).flat_map(|pallet| (0..=u8::MAX).map(move |call| [pallet, call]));
	let calls: Vec<_> = calls
		.filter_map(|[pallet, call]| {
			let mut bytes = [0; 4_096];
			bytes[..2].copy_from_slice(&[pallet, call]);
			RuntimeCall::decode(&mut &bytes[..]).ok()
		})
		.collect();
	assert!(calls.len() * 10 >= all * 9, "{} of {all} calls", calls.len());
	calls
}

/// A call that fails is paid for as it says before its dispatch: one that says no would fill blocks for
/// nothing.
#[test]
fn no_call_is_free_before_it_is_dispatched() {
	run(|| {
		let free: Vec<_> = calls()
			.iter()
			.filter(|call| call.get_dispatch_info().pays_fee == Pays::No)
			.map(|call| call.get_call_metadata())
			.collect();
		assert!(free.is_empty(), "{free:?}");
	});
}

/// A benchmark that could not set up its case is generated as a weight of zero, and says nothing.
#[test]
fn no_call_weighs_nothing() {
	run(|| {
		let free: Vec<_> = calls()
			.iter()
			.filter(|call| call.get_dispatch_info().call_weight.ref_time() == 0)
			.map(|call| call.get_call_metadata().function_name)
			.collect();
		// The inherent registers by itself what it takes; the other, for Root, weighs what it is told.
		assert_eq!(free, ["set_validation_data", "with_weight"]);
	});
}
