//! The runtime's Wasm, as nodes embed it.
//!
//! A crate of its own, so that a node does not compile the runtime natively, and native tests can
//! turn on features that no Wasm may carry.

#[allow(dead_code)] // generated constants
mod live_build {
	include!(concat!(env!("OUT_DIR"), "/phala_runtime"));
}

#[allow(dead_code)] // generated constants
mod development_build {
	include!(concat!(env!("OUT_DIR"), "/phala_runtime_development"));
}

/// The composition of live networks, or `None` if it was built with `SKIP_WASM_BUILD`.
pub fn live() -> Option<&'static [u8]> {
	live_build::WASM_BINARY
}

/// The composition of development and local networks, or `None` if it was built with
/// `SKIP_WASM_BUILD`.
pub fn development() -> Option<&'static [u8]> {
	development_build::WASM_BINARY
}
