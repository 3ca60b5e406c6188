//! What it means, for everybody else, that a worker is attested.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use phala_attestation::{Role, Tier};
use scale_info::TypeInfo;

use crate::{PlatformId, WorkerKey};

/// What others may know of a worker whose attestation counts.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AttestedWorker<AccountId> {
	/// Account that answers for the worker.
	pub operator: AccountId,
	/// What its measured program does.
	pub role: Role,
	/// How well its platform is patched; also gives `conf`, see [`Tier::confidence`].
	pub tier: Tier,
	/// The machine, as a salted hash: several workers may share one.
	pub platform: PlatformId,
	/// Performance `P`: iterations of the benchmark per 6 s. Zero before the first benchmark.
	pub score: u64,
	/// Unix second from which on the attestation no longer counts, unless it is renewed.
	pub expires_at: u64,
}

/// Answers whether a worker is attested. Implemented by the registry of workers; asked by whatever
/// pays, trusts or uses them, each time that it does so.
pub trait AttestedWorkers<AccountId> {
	/// The worker, if its attestation counts at this moment: not expired (whether or not anything
	/// tidied up since), its measurement still allowed, its platform not banned.
	fn attested(worker: &WorkerKey) -> Option<AttestedWorker<AccountId>> {
		Self::attested_within(worker, 0)
	}

	/// As [`attested`](Self::attested), but an attestation that ran out at most `grace` seconds ago
	/// still counts. For what a lapsed worker may finish, such as handing over a key.
	fn attested_within(worker: &WorkerKey, grace: u64) -> Option<AttestedWorker<AccountId>>;
}

/// What happened to a worker's attestation.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum AttestationChange<AccountId> {
	/// A worker is new.
	#[codec(index = 0)]
	Registered,
	/// A fresh quote was accepted.
	#[codec(index = 1)]
	Renewed,
	/// Newer collateral or policy judges its platform differently.
	#[codec(index = 2)]
	Reappraised {
		/// Tier before.
		from: Tier,
		/// Tier now.
		to: Tier,
	},
	/// It no longer counts: it expired, or its platform is refused.
	#[codec(index = 3)]
	Lapsed,
	/// It has another operator.
	#[codec(index = 4)]
	OperatorChanged {
		/// Operator before.
		from: AccountId,
		/// Operator now.
		to: AccountId,
	},
	/// Its record is gone.
	#[codec(index = 5)]
	Removed,
}

/// Told of each change, after it is stored. A hint for bookkeeping: an attestation can stop counting
/// without one, since time passes by itself, so ask [`AttestedWorkers`] where it matters.
///
/// Must be cheap and bounded; its cost is part of the registry's measured weights.
pub trait OnAttestationChange<AccountId> {
	/// `worker` changed.
	fn on_attestation_change(worker: &WorkerKey, change: &AttestationChange<AccountId>);
}

#[impl_trait_for_tuples::impl_for_tuples(8)]
impl<AccountId> OnAttestationChange<AccountId> for Tuple {
	fn on_attestation_change(worker: &WorkerKey, change: &AttestationChange<AccountId>) {
		for_tuples!( #( Tuple::on_attestation_change(worker, change); )* );
	}
}

/// Whether a worker has obligations that bind it to its operator, such as a running session with
/// stake. A bound worker cannot be deregistered or handed over.
pub trait WorkerObligations {
	/// True while something binds it.
	fn is_bound(worker: &WorkerKey) -> bool;
}

#[impl_trait_for_tuples::impl_for_tuples(8)]
impl WorkerObligations for Tuple {
	fn is_bound(worker: &WorkerKey) -> bool {
		for_tuples!( #( if Tuple::is_bound(worker) { return true; } )* );
		false
	}
}
