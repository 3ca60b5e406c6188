//! Keys that no machine ever holds.
//!
//! Distributed key generation, proactive resharing and threshold evaluation over ristretto255 for
//! the gatekeepers. `docs/keys.md` has the protocol, its assumptions and its proof sketch.
//!
//! # Overview
//!
//! The network's master key exists only as shares: each of n members holds one, t = ⌊n/2⌋ + 1 of
//! them can use the key, t − 1 learn nothing of it.
//!
//! - A [`Ceremony`] brings shares into being, of a new key ([`Kind::Generation`]) or of the same key
//!   for another set ([`Kind::Resharing`]). A [`Member`] takes part in it; the chain checks what
//!   members publish ([`CeremonyKey::verify`], [`Dealing::verify`]), judges complaints ([`judge`])
//!   and sums the commitments ([`Aggregation`]) to a [`Sharing`].
//! - An evaluation makes a cluster's key: a worker blinds the cluster's point ([`Blind`]), the chain
//!   checks the [`Request`], members answer with [`Partial`]s ([`KeyShare::evaluate`]), and t of
//!   those make the [`ClusterSecret`] inside the worker.
//!
//! # Terminology
//!
//! - *Seat*: a member's number in its set, 1 to n ([`MemberIndex`]).
//! - *Dealer*: shares a secret among the *recipients*. In a generation all members are both.
//! - *Share*: a point on a polynomial of degree t − 1 whose value at zero is the key.
//! - *Verification share*: the generator times a share; public.
//!
//! # Lifecycle of a ceremony
//!
//! | Phase | Members publish | The chain | Ends |
//! |---|---|---|---|
//! | Committing | [`Registration`]: fresh encryption key, hash of the commitments | verifies the key's proof | all in, or deadline |
//! | Sharing | [`Dealing`] | [`Dealing::verify`] | all in, or deadline |
//! | Complaining | [`Complaint`] | [`judge`]: convicts dealer or complainer | deadline |
//! | Finalising | – | [`Aggregation`] over the dealers not convicted | [`Sharing`], or failure |
//!
//! # Verification needs little
//!
//! What the chain runs takes no randomness, no secrets and no floating point, and builds for
//! `wasm32v1-none`. It runs in variable time, which is fine on public data; whatever touches a
//! secret runs in constant time and wipes it when dropped.
//!
//! # Assumptions
//!
//! - Discrete logarithm and one-more Diffie–Hellman assumptions in ristretto255; SHA-2 and Keccak as
//!   random oracles.
//! - At most t − 1 members of a set are corrupt while its shares exist, and at least t hold shares
//!   and answer.
//! - What is passed to [`Member`] and [`KeyShare`] is proven to be in the finalised chain.
//!
//! # Limitations
//!
//! Secrets are wiped in this crate's types; stack frames and the hash states of the libraries
//! underneath are not. Memory belongs to a TEE.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod ceremony;
mod element;
mod error;
mod evaluation;
mod hash;
mod hpke;
mod lagrange;
mod members;
mod polynomial;
mod proof;
mod secret;

pub use ceremony::{
	Abuse, Aggregation, Case, Ceremony, CeremonyId, CeremonyKey, Complaint, Constant, Dealing,
	DealingDigest, KeyShare, Kind, Member, Registration, Role, Roster, ShareFault, Sharing,
	Verdict, judge,
};
pub use element::Element;
pub use error::Error;
pub use evaluation::{Blind, ClusterInput, ClusterSecret, Combined, Inquiry, Partial, Request};
pub use hpke::Ciphertext;
pub use members::{MAX_MEMBERS, MAX_THRESHOLD, MIN_MEMBERS, MemberIndex, MemberSet, Threshold};
pub use polynomial::Commitments;
pub use proof::Proof;

/// Name and version of the protocol: part of every hash, proof and key derivation.
const PROTOCOL: &str = "phala-threshold/1";
