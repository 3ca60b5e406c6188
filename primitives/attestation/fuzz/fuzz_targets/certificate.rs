#![no_main]

use phala_attestation::fuzzing::certificate;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	let _ = certificate(bytes);
});
