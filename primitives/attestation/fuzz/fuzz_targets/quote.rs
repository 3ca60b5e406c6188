#![no_main]

use phala_attestation::fuzzing::quote;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	let _ = quote(bytes);
});
