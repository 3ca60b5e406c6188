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
//!   those make the [`ClusterSecret`] inside the worker. In the same way a member obtains the [`Guard`]
//!   of its share, a value at another point.
//!
//! # Example
//!
//! Three members make a key, and a worker obtains its cluster's key from two of them.
//!
//! ```
//! # use phala_threshold::*;
//! # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! # use std::collections::BTreeMap;
//! # fn main() -> Result<(), Error> {
//! # let rng = &mut ChaCha20Rng::seed_from_u64(1);
//! let size = Threshold::of(3)?;
//! let kind = Kind::Generation;
//! let ceremony = Ceremony { chain: [1; 32], number: 1, members: [2; 32], size, kind };
//!
//! // Committing: every member publishes an encryption key and a digest; the chain verifies.
//! let mut roster = Roster::new(ceremony.id());
//! let (mut members, mut digests) = (BTreeMap::new(), BTreeMap::new());
//! for seat in size.seats().iter() {
//!     let member = Member::join(ceremony.clone(), Role::Generate(seat), rng)?;
//!     let registration = member.registration(rng)?;
//!     roster.insert(seat, &registration.key.unwrap())?;
//!     digests.insert(seat, registration.digest.unwrap());
//!     members.insert(seat, member);
//! }
//!
//! // Sharing: every member deals; the chain verifies and aggregates.
//! let mut dealings = BTreeMap::new();
//! let mut aggregation = Aggregation::new(ceremony.clone(), size.seats(), roster.recipients())?;
//! for (seat, member) in &mut members {
//!     let dealing = member.deal(&roster, rng)?.unwrap();
//!     dealing.verify(&ceremony, *seat, &digests[seat], roster.recipients(), Constant::Fresh)?;
//!     aggregation.add(*seat, &dealing.commitments)?;
//!     dealings.insert(*seat, dealing);
//! }
//! let sharing = aggregation.finish()?;
//!
//! // A worker blinds its cluster's point …
//! let input = ClusterInput { epoch: 0, cluster: [3; 32] };
//! let public_key = *sharing.public_key();
//! let inquiry = Inquiry { public_key, input: input.into(), requester: [4; 32] };
//! let (blind, request) = Blind::new(inquiry, rng)?;
//!
//! // … two members find their shares in order and answer …
//! let mut partials = BTreeMap::new();
//! for (seat, member) in members.iter_mut().take(2) {
//!     for (dealer, dealing) in &dealings {
//!         let complaint =
//!             member.receive(*dealer, &digests[dealer], Constant::Fresh, dealing, rng)?;
//!         assert!(complaint.is_none());
//!     }
//!     let share = member.finish(&sharing)?.unwrap();
//!     partials.insert(*seat, share.evaluate(&inquiry, &request, rng)?);
//! }
//!
//! // … and the worker has the key.
//! let key = blind.combine(&request, &sharing, &partials)?.secret.derive("storage");
//! # assert_ne!(*key, [0; 32]);
//! # Ok(())
//! # }
//! ```
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
pub use evaluation::{
	Blind, ClusterInput, ClusterSecret, Combined, Guard, GuardInput, Input, Inquiry, Partial,
	Request,
};
pub use hpke::Ciphertext;
pub use members::{MAX_MEMBERS, MAX_THRESHOLD, MIN_MEMBERS, MemberIndex, MemberSet, Threshold};
pub use polynomial::Commitments;
pub use proof::Proof;

/// Name and version of the protocol: part of every hash, proof and key derivation.
const PROTOCOL: &str = "phala-threshold/1";
