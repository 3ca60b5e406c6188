//! What the pallets, the programs and the clients of the Phala parachain must agree on: keys, what it
//! means that a worker is attested, and the statements that workers sign.
//!
//! No storage, no FRAME. A pallet that needs another one asks for a trait of this crate, and the
//! runtime wires the two.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod attested;
mod benchmark;
mod clusters;
mod endpoint;
mod gatekeepers;
mod heartbeat;
mod keys;
mod mining;
mod reserve;
mod slashing;
mod statement;

pub use attested::{
	AttestationChange, AttestedWorker, AttestedWorkers, OnAttestationChange, WorkerObligations,
};
pub use benchmark::{BenchmarkStatement, MILLIS_PER_SCORE_PERIOD};
pub use clusters::operator_cluster;
pub use endpoint::{Endpoint, EndpointStatement, MAX_ENDPOINT_LEN};
pub use gatekeepers::{
	ClusterAccess, ClusterId, ComplaintStatement, DealingStatement, GatekeeperSet, Gatekeepers,
	GuardRequestStatement, Handover, KeyRequestStatement, RegistrationStatement, Seat, requester,
};
pub use heartbeat::HeartbeatStatement;
pub use keys::{EncryptionKey, Measurement, PlatformId, WorkerKey, WorkerSignature};
pub use mining::{Mining, SessionInfo, SessionState, StakeKeeper};
pub use reserve::Reserve;
pub use slashing::{
	Authorities, Authority, Correlation, EvidenceHash, OffenceClass, OffenceId, OffenceReport,
	OpenCases, ReportOffence, Slashable, Slashed, Source,
};
pub use statement::{BlockRef, ChainId, Statement};
