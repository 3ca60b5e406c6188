#![no_main]

use phala_attestation::fuzzing::tcb_info;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	let _ = tcb_info(bytes);
});
