//! Development PKI and software quoting enclave: DCAP attestation material under a root of our own.
//!
//! # Overview
//!
//! A worker proves with an Intel quote that it runs in a TEE, and the runtime verifies the proof.
//! Few machines have SGX or TDX, and no test can ask Intel to revoke a platform. This crate stands
//! in for both: [`Pki`] for Intel's certification and provisioning services, [`QuotingEnclave`] for
//! the machine. What they issue has the structure of Intel's field by field; only names, keys and
//! measurements differ. A verifier therefore runs the same code on both, with another trust anchor.
//!
//! **Nothing here proves anything.** The seed is public, so anybody can certify anything. A chain
//! that trusts [`development_root_der`] is a toy; a live chain must refuse it.
//!
//! # Terminology
//!
//! | Term | Meaning |
//! |---|---|
//! | TEE | trusted execution environment: SGX (enclaves) or TDX (virtual machines, "TDs") |
//! | QE, TD QE | quoting enclave: signs reports of enclaves or TDs with its *attestation key* |
//! | PCK | provisioning certification key of a platform: signs reports of quoting enclaves |
//! | PCK CA | issuer of PCK certificates: *platform* or *processor* CA |
//! | SVN | security version number: CPUSVN (sixteen components), PCE SVN, TEE_TCB_SVN, ISVSVN |
//! | FMSPC | model of a platform: collateral is issued per FMSPC |
//! | TCB info | signed JSON: which SVNs of an FMSPC mean which [`TcbStatus`] |
//! | QE identity | signed JSON: what a quoting enclave must be |
//! | collateral | TCB info, QE identity, two CRLs, and their issuers' chains |
//!
//! ```text
//! root CA ─┬─ platform CA ──┬─ PCK ─ QE report ─ attestation key ─ quote
//!          │                └─ CRL
//!          ├─ processor CA ─┴─ PCK …, CRL
//!          ├─ TCB signing ──┬─ TCB info
//!          │                └─ QE identity
//!          └─ CRL
//! ```
//!
//! # Usage
//!
//! ```
//! use phala_dev_pki::{CollateralOptions, NOW, Pki, Platform, QuoteKind, QuoteRequest};
//!
//! let pki = Pki::development();
//! let platform = Platform::development(0);
//! let kind = QuoteKind::TdxV5Td15;
//!
//! // On the machine: a quote over 64 bytes of report data.
//! let enclave = pki.quoting_enclave(&platform)?;
//! let quote = enclave.quote(&QuoteRequest::new(kind, [7; 64]).program("worker 1.0"));
//!
//! // From the provisioning service: collateral that a verifier accepts for 29 days.
//! let options = CollateralOptions::for_platform(&platform, kind.tee());
//! let collateral = pki.issue_collateral(NOW, &options)?;
//! # assert_eq!(quote.len(), 4_929);
//! # assert!(collateral.tcb_info.starts_with("{\"id\":\"TDX\",\"version\":3,"));
//! # Ok::<(), phala_dev_pki::Error>(())
//! ```
//!
//! The fields of [`Platform`], [`QuoteRequest`], [`QuotingEnclave`] and [`CollateralOptions`] are
//! public: change SVNs, levels, dates, revocations, and sign again. [`expected_verdict`] says what a
//! verifier must conclude.
//!
//! # Cases
//!
//! - [`Variant`]: valid cases, at least one per status and shape, each with its verdict.
//! - [`Mutation`]: the negative suite; each case is wrong in one respect and signed again.
//! - [`worst_case`]: material at the limits, for benchmarks.
//!
//! What only a chain can see (binding of the report data, age of a block, caps, policy) is not
//! here: ask for a quote with the report data that you need.
//!
//! The command `phala-dev-pki` does the same from a shell.
//!
//! # Properties
//!
//! - **Deterministic**: keys, certificates, signatures (RFC 6979) and quotes depend on the seed and
//!   the request only, so that a worker, a chain preset and a test agree without files.
//! - **Faithful**: tests compare certificates, CRLs, quotes and JSON with Intel's own, and let
//!   dcap-qvl 0.7.1 verify every case. Where it differs from what the runtime must do,
//!   [`Mutation::accepted_by_oracle`] and [`Variant::refused_by_oracle`] say why.
//!
//! # Limitations
//!
//! - Keys are P-256 and hashes SHA-256, as everywhere in DCAP; there is no P-384.
//! - Certification data is the PCK chain (type 5); other types exist as mutations only.
//! - Service TDs and device information of TD 1.5ex are zero.

mod case;
mod certificate;
mod collateral;
mod enclave;
mod error;
mod extension;
mod key;
mod limits;
mod mutation;
mod pki;
mod platform;
mod qe_identity;
mod report;
mod status;
mod tcb_info;
mod time;
mod variant;
mod verdict;
mod worst_case;

pub use case::{Case, NOW, valid_case};
pub use certificate::CrlOptions;
pub use collateral::{Collateral, CollateralOptions};
pub use enclave::{QuoteKind, QuotingEnclave, Tee};
pub use error::Error;
pub use limits::Limits;
pub use mutation::{Mutation, case};
pub use pki::{DEVELOPMENT_SEED, Pki, development_root_der};
pub use platform::{CaKind, Configuration, Module, Platform};
pub use qe_identity::{EnclaveIdentity, QE_ADVISORY, QeIdentity};
pub use report::{QuoteRequest, SgxEnclave, TrustDomain};
pub use status::TcbStatus;
pub use tcb_info::{
	Component, IsvTcb, IsvTcbLevel, MODULE_ADVISORY, OLD_ADVISORY, OUT_OF_DATE_ADVISORY, Tcb,
	TcbInfo, TcbLevel, TdxModule, TdxModuleIdentity,
};
pub use time::{DAY, Validity, Window};
pub use variant::Variant;
pub use verdict::{Refusal, Verdict, expected_verdict};
pub use worst_case::worst_case;
