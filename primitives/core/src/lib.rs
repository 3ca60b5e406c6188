//! What the pallets, the programs and the clients of the Phala parachain must agree on.
//!
//! No storage, no FRAME. A pallet that needs another one asks for a trait of this crate, and the
//! runtime wires the two.

#![cfg_attr(not(feature = "std"), no_std)]

mod slashing;

pub use slashing::{
	Authorities, Authority, Correlation, EvidenceHash, OffenceClass, OffenceId, OffenceReport,
	OpenCases, ReportOffence, Slashable, Slashed, Source,
};
