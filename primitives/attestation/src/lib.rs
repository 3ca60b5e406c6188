//! Verification of Intel SGX and TDX quotes (DCAP) in a Wasm runtime.
//!
//! # Overview
//!
//! A TEE proves what it runs with a *quote*. This crate checks the whole proof, from Intel's root down
//! to the program's 64 bytes of report data, in two stages:
//!
//! 1. **Collateral**, what Intel signs about platforms, is verified item by item, once, and kept in
//!    a compact form: [`Crl`], [`PckCa`], [`TcbInfo`], [`QeIdentity`]. Anyone may submit it: the
//!    signature is what is trusted. `check_update` of each says whether it may replace the stored
//!    one, and whether it tells anything new.
//! 2. **A quote** is parsed ([`Quote::parse`]), which tells the collateral it needs (`quote.tee()`,
//!    `quote.pck.fmspc`, `quote.pck.ca`), and verified against it ([`verify_quote`]): three P-256
//!    signatures. The result, [`Verified`], has the full TCB status.
//!
//! What governance decides comes after: [`Policy`] turns a verdict into a [`Tier`]. What the report
//! data means is [`Binding`]; which machine it was, [`platform_id`].
//!
//! What is verified is kept in types with private fields that no call can carry: the only ways to one are
//! verification and a chain's own storage.
//!
//! `no_std`, without panics (the lints that forbid their sources are denied), bounded in time and
//! memory by the lengths that it accepts. Every refusal is one variant of [`Error`], with cause and
//! remedy; [`Rule`] is its one-byte form for a pallet's error.
//!
//! # Terminology
//!
//! | Term | Meaning |
//! |---|---|
//! | QE | quoting enclave: Intel's enclave that signs quotes with its *attestation key* |
//! | PCK | provisioning certification key of a platform: signs the QE's report |
//! | PCK CA | Intel's Platform CA or Processor CA, which issue PCK certificates |
//! | FMSPC | model of a platform; TCB infos are issued per FMSPC |
//! | SVN | security version number of a component |
//! | TCB info | which SVNs of an FMSPC have which status |
//! | QE identity | what a QE has to be |
//! | evaluation number | number of the TCB recovery event that a TCB info or QE identity follows |
//!
//! # Usage
//!
//! ```
//! use phala_attestation::{
//!     Anchor, Collateral, Crl, CrlIssuer, Error, PckCa, QeIdentity, Quote, TcbInfo, TrustRoot, Verified,
//!     verify_quote,
//! };
//!
//! struct Submitted<'a> {
//!     root_crl: &'a [u8],
//!     pck_ca: &'a [u8],
//!     pck_crl: &'a [u8],
//!     /// Certificate that signs both documents.
//!     signer: &'a [u8],
//!     tcb_info: (&'a [u8], [u8; 64]),
//!     qe_identity: (&'a [u8], [u8; 64]),
//! }
//!
//! fn verify(quote: &[u8], submitted: &Submitted, now: u64) -> Result<Verified, Error> {
//!     // Once per item; a registry stores the results.
//!     let root = &TrustRoot::INTEL;
//!     let root_crl = &Crl::verify(submitted.root_crl, CrlIssuer::Root(root), now)?;
//!     let anchor = Anchor { root, root_crl };
//!     let pck_ca = &PckCa::verify(submitted.pck_ca, &anchor, now)?;
//!     let pck_crl = &Crl::verify(submitted.pck_crl, CrlIssuer::PckCa(pck_ca), now)?;
//!     let (json, signature) = &submitted.tcb_info;
//!     let tcb_info = &TcbInfo::verify(json, signature, submitted.signer, &anchor, now)?;
//!     let (json, signature) = &submitted.qe_identity;
//!     let qe_identity = &QeIdentity::verify(json, signature, submitted.signer, &anchor, now)?;
//!
//!     // Once per quote.
//!     let quote = Quote::parse(quote)?;
//!     let collateral = Collateral { anchor, pck_ca, pck_crl, tcb_info, qe_identity };
//!     let an_hour = 60 * 60;
//!     verify_quote(&quote, &collateral, now, an_hour)
//! }
//! ```
//!
//! [`Bundle`](collateral::Bundle) does the first part for the JSON that provisioning caches deliver;
//! the example `verify-quote` uses it.
//!
//! # What is verified, in this order
//!
//! | Step | Rule |
//! |---|---|
//! | 1 bounds | quote ≤ 8 KiB, list ≤ 16 KiB, JSON ≤ 32 KiB, certificate ≤ 2 KiB; version, TEE, key type, vendor, body type and each length before anything else is read |
//! | 2 collateral | for this TEE, FMSPC and PCE; each item and each authority in its time, with a margin; one root (by its key), the PCK CA of the quote's chain, no certificate revoked since it was stored |
//! | 3 signatures | PCK certificate under the stored PCK CA (validity with the margin, issuer by name and key identifier, end entity, key usage, subject, revocation), QE report under the PCK, hash of the attestation key and the authentication data in the QE report, quote under the attestation key |
//! | 4 QE identity | MRSIGNER, never debug, ISVPRODID, MISCSELECT and attributes under their masks, level of ISVSVN |
//! | 5 TCB | the first level of which the SGX components, the PCE SVN and, for TDX, the components of TEE_TCB_SVN are met; TDX module by version, signer, attributes and ISVSVN; from TD 1.5 on also the current TCB; statuses converge as in Intel's library, but for two cases below; `Revoked` is refused here |
//! | 6 flags | SGX debug; TD debug, profiling, migratable, service TD, PKS, Key Locker, SEPT_VE_DISABLE off, and every other attribute but LASS and PERFMON |
//!
//! Steps 2 to 6 are [`verify_quote`]. Measurement, freshness of the block, re-use of a quote, caps and
//! bans need a chain's state and are its registry's.
//!
//! Quotes: SGX version 3; TDX version 4 and version 5 with TD reports 1.0, 1.5 and 1.5ex. Everything
//! else is refused by name.
//!
//! # Threat model
//!
//! - *Whoever sends a quote or collateral* is the attacker. Only Intel's signatures under the root
//!   count. A JSON document is parsed after its signature, and nothing but the signed bytes; a
//!   certificate's and a list's signed part is hashed as delivered, never encoded anew. Length
//!   fields that overflow, bytes where none belong, duplicate fields and extensions are refused.
//! - *Replay and downgrade*: an item never replaces one with a higher evaluation or CRL number, nor a
//!   later one under the same number, nor one of another authority. (Intel leaves CRL numbers at 1; the
//!   date is what rises.) So the order of submissions does not matter.
//! - *Revocation after the fact*: what is kept of a signing certificate and a CA is checked against
//!   the newest lists in each verification.
//! - *Early collateral*: a document whose evaluation number is ahead of the chain's is refused by
//!   [`Policy`], so that an upload alone changes no verdict.
//! - *Time* is the caller's: trusted to a few minutes. [`Appraised::valid_until`] is the last second
//!   at which every input still counts.
//! - *A broken TEE* is outside: extraction of a PCK or of an attestation key forges quotes until
//!   Intel revokes it. Tiers, caps per platform and independent checks limit what that gains.
//!
//! Items verified under one [`TrustRoot`] are refused with another: a chain whose root changes needs
//! new collateral.
//!
//! # Differences to dcap-qvl 0.7.1
//!
//! The tests hold this crate against dcap-qvl on Intel's real quotes, on about 8,000 of their
//! mutations, on random TCB levels and on the cases of `phala-dev-pki`. Both agree on accept or refuse,
//! status and advisories, except here. Those with a test are marked.
//!
//! | Subject | Here | There | Why |
//! |---|---|---|---|
//! | Sizes ✓ | bounded | not | weight |
//! | Bytes behind the quote ✓ | zeros, as some TEEs pad | any | a quote has one encoding |
//! | Bytes behind the parts of the signature data ✓ | refused | ignored | same |
//! | Type of the outer certification data ✓ | 6 | any | format |
//! | PEM ✓ | strict RFC 7468, two or three certificates | lenient | same as bytes |
//! | Certification data type 3 with a chain in the collateral ✓ | refused | accepted | the quote has to name its platform |
//! | PCK CA certificate ✓ | of the collateral, and the quote's is the same | of the quote | it is verified once |
//! | Key usage of certificates ✓ | checked | not | RFC 5280 |
//! | Key identifiers, basic constraints, key usage | required | optional | Intel's profile |
//! | Validity of the root | checked | not | a root ends |
//! | CRL: number, key identifier, `thisUpdate` ✓ | required and checked | not | order of updates |
//! | PCE id ✓ | equal | not compared | Intel's steps |
//! | TCB info version and type ✓ | 3 and 0 | from 3 on, any | unknown semantics |
//! | Status and number of components ✓ | of every level | of the levels tried | a document is right or wrong |
//! | Dates | `YYYY-MM-DDThh:mm:ssZ` | RFC 3339 | Intel's form |
//! | SGX components | of the PCK certificate's fields 1 to 16 | of its CPUSVN | Intel's steps; they are equal |
//! | QE report data | 32 zeros behind the hash | not checked | format |
//! | Subject of PCK and TCB signing certificates ✓ | of their kind | not looked at | a root may issue other ones |
//! | PKS, Key Locker ✓ | refused | allowed | ours: no program of ours needs them |
//! | ICSSD, TPA, TD attributes 18 to 22 ✓ | refused | allowed | what a later module lets a bit grant is unknown |
//! | QE `OutOfDateConfigurationNeeded` ✓ | makes the platform out of date | changes nothing, as in Intel's library | it lacks patches |
//! | TD 1.5 whose current TCB is out of date and whose launch TCB is not ✓ | out of date, with its advisories | launch counts, as in Intel's library | what runs now lacks patches |
//! | QE authentication data ✓ | any length | 32 bytes | format; *the only one where we accept more* |
//! | Advisories ✓ | a sorted set | a list in order of discovery | they are compared as sets |
//!
//! # Cost
//!
//! Wasm at opt-level 3 in V8, best of five on a shared x86-64 machine; native in brackets:
//!
//! | Work | Time in ms |
//! |---|---|
//! | one P-256 signature, `p256` 0.14.0, key decoding included | 0.71 (0.155) |
//! | the same, `p256` 0.13.2 | 1.13 (0.20) |
//! | parsing a real quote | 0.05 (0.02) |
//! | verifying a real quote against stored collateral, parsing included | 2.3 (0.52) |
//! | verifying all five items of real collateral: seven signatures | 5.0 (1.15) |
//! | a quote of 5 KiB against collateral that fills the limits | 2.5 |
//! | an item that fills its limits: list, TCB info or QE identity | 1.2, 1.8 |
//!
//! `p256` is without `precomputed-tables`, which need `std` or `critical-section`. Real collateral is
//! kept in a quarter of its length: a TCB info in 0.7 to 1 kB, a QE identity in 0.2 to 0.4 kB, a list in
//! 77 bytes and 20 for each serial number.
//!
//! # Sources
//!
//! - "Intel SGX ECDSA QuoteLibReference" and "Intel TDX DCAP Quoting Library API": quote formats.
//! - "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification".
//! - "Intel SGX and Intel TDX Provisioning Certification Service API", version 4: collateral, steps
//!   of the comparisons.
//! - "Intel TDX Module ABI Specification" 348551: TD attributes.
//! - Intel's quote verification library: convergence of statuses.
//! - RFC 5280 (certificates, lists), RFC 5480 and 5758 (ECDSA), RFC 7468 (PEM).
//!
//! # Limitations
//!
//! - Only ECDSA over P-256; Intel announced no other for DCAP.
//! - Platform configuration in PCK certificates (dynamic platform, cached keys, SMT) is not judged, nor is
//!   the SGX type: *Scalable* platforms encrypt memory without protecting its integrity, so that whoever
//!   holds the machine may replay or corrupt it. Intel's TCB statuses are the same for both.
//! - The added fields of TD 1.5ex are authenticated but not judged, as in Intel's library.
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
mod evidence;
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
pub use evidence::{Appraised, Evidence, MAX_APPRAISED_ADVISORIES, ModuleEvidence, QeEvidence};
pub use policy::{Activation, Policy, Role, Tier};
pub use quote::Quote;
pub use root::TrustRoot;
pub use tcb::TcbStatus;
pub use types::{Fmspc, PckCaKind, Tee, UnixTime};
pub use verify::{Verified, verify_quote};
