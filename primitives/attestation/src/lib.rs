//! Verification of Intel SGX and TDX quotes in a Wasm runtime.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
	not(test),
	deny(
		clippy::arithmetic_side_effects,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::panic,
		clippy::unwrap_used
	)
)]

extern crate alloc;

mod binding;
pub mod collateral;
mod crypto;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod pem;
pub mod policy;
mod qe;
pub mod quote;
mod root;
mod tcb;
pub mod types;
mod verify;
pub mod x509;

pub use binding::{Binding, platform_id};
pub use collateral::{
	AdvisoryId, Anchor, Collateral, Crl, CrlIssuer, Item, PckCa, QeIdentity, TcbInfo, Update,
};
pub use crypto::{PublicKey, RawSignature};
pub use error::{Error, Rule};
pub use policy::{Activation, Policy, Role, Tier};
pub use quote::Quote;
pub use root::TrustRoot;
pub use tcb::TcbStatus;
pub use types::{Fmspc, PckCaKind, Tee, UnixTime};
pub use verify::{MAX_VERDICT_ADVISORIES, Verified, verify_quote};
