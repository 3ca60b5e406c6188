//! What the programs around the chain share: a chain client that waits for finality, sealed keys,
//! quotes of the TEE, layered configuration, metrics, logs and shutdown.
//!
//! | Module | Subject |
//! |---|---|
//! | [`chain`] | connecting, reading at finalised blocks, transactions that are followed until final |
//! | [`board`] | the pallet `GatekeeperKeys`: the board on which the master key is made and used |
//! | [`cluster_key`] | how a worker gets its cluster's key from the gatekeepers |
//! | [`guard_key`] | how a gatekeeper gets the guard of its share from its peers |
//! | [`tee`] | quotes of TDX, SGX and the simulated TEE |
//! | [`seal`] | encryption at rest under a key that only the TEE has |
//! | [`keystore`] | keys that are born in the TEE and sealed |
//! | [`files`] | files that are whole or absent, and a lock on a folder |
//! | [`config`] | flags over environment over file over defaults |
//! | [`program`], [`backoff`], [`shutdown`], [`logging`], [`metrics`] | what every daemon needs |

pub mod backoff;
pub mod board;
pub mod chain;
pub mod cluster_key;
pub mod config;
pub mod files;
pub mod guard_key;
pub mod keystore;
pub mod logging;
pub mod metrics;
pub mod program;
pub mod seal;
pub mod shutdown;
pub mod tee;
