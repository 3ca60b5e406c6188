#![no_main]

use phala_attestation::fuzzing::crl;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	let _ = crl(bytes);
});
