//! Keys that are born in a worker's TEE.

use sp_core::{H256, sr25519};

/// A worker's identity: the sr25519 public key whose secret never leaves its TEE. Bound to the TEE by
/// every quote that the worker shows.
pub type WorkerKey = sr25519::Public;

/// Signature by a [`WorkerKey`].
pub type WorkerSignature = sr25519::Signature;

/// X25519 public key (RFC 7748) to which secrets for a worker are encrypted. Born in the same TEE as
/// the [`WorkerKey`] and bound by the same quotes.
pub type EncryptionKey = [u8; 32];

/// Hash of the image that runs in a TEE: [`phala_attestation::quote::Body::measurement`].
pub type Measurement = H256;

/// A machine: [`phala_attestation::platform_id`] of its PPID, salted with the genesis hash.
pub type PlatformId = H256;
