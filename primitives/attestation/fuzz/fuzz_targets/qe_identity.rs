#![no_main]

use phala_attestation::fuzzing::qe_identity;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	let _ = qe_identity(bytes);
});
