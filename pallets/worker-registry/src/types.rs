//! What is stored, and its rules.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, PalletError, traits::ConstU32};
use phala_attestation::{AdvisoryId, Evidence, Fmspc, PckCaKind, Role, Rule, TcbStatus, Tee, Tier};
use phala_primitives::{
	AttestedWorker, BlockRef, EncryptionKey, Endpoint, Measurement, PlatformId, WorkerKey,
};
use scale_info::TypeInfo;

/// Bytes of a provenance note.
pub const MAX_PROVENANCE_LEN: u32 = 256;
/// Longest time for which any policy may let an attestation count, in seconds: 30 days.
pub const MAX_LIFETIME: u64 = 30 * DAY;

/// Longest grace that any policy may give to a platform that is out of date, in seconds: 365 days.
pub const MAX_GRACE: u64 = 365 * DAY;

/// Bytes of a quote.
pub const MAX_QUOTE_LEN: u32 = 8 * 1024;
/// Bytes of a signed JSON document.
pub const MAX_DOCUMENT_LEN: u32 = 32 * 1024;
/// Bytes of a certificate.
pub const MAX_CERTIFICATE_LEN: u32 = 2 * 1024;
/// Bytes of a revocation list.
pub const MAX_CRL_LEN: u32 = 16 * 1024;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A quote as the TEE made it.
pub type QuoteBytes = BoundedVec<u8, ConstU32<MAX_QUOTE_LEN>>;
/// A certificate in DER.
pub type CertificateBytes = BoundedVec<u8, ConstU32<MAX_CERTIFICATE_LEN>>;
/// A revocation list in DER.
pub type CrlBytes = BoundedVec<u8, ConstU32<MAX_CRL_LEN>>;

/// Size of a revocation list in steps of 4 KiB, rounded up: what its weight is measured by.
pub fn crl_steps(crl: &[u8]) -> u32 {
	steps(crl.len(), 4 * 1024)
}

fn steps(len: usize, step: usize) -> u32 {
	u32::try_from(len.div_ceil(step)).unwrap_or(u32::MAX)
}

/// Who issues a revocation list.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum CrlSource {
	/// The root.
	#[codec(index = 0)]
	Root,
	/// A CA of PCK certificates.
	#[codec(index = 1)]
	PckCa(PckCaKind),
}

/// A JSON document that Intel signed.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SignedDocument {
	/// The signed bytes: a JSON object, exactly as it was served.
	pub body: BoundedVec<u8, ConstU32<MAX_DOCUMENT_LEN>>,
	/// ECDSA over P-256 and SHA-256, `r ‖ s`.
	pub signature: [u8; 64],
}

impl SignedDocument {
	/// Size of the body in steps of 8 KiB, rounded up: what its weight is measured by.
	pub fn steps(&self) -> u32 {
		steps(self.body.len(), 8 * 1024)
	}
}

/// An image that may run in a TEE. Heights count relay-chain blocks.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct MeasurementRecord<BlockNumber> {
	/// What its program does.
	pub role: Role,
	/// First height at which it is accepted.
	pub active_from: BlockNumber,
	/// First height at which it is no longer accepted, also not of workers that are registered.
	pub sunset: Option<BlockNumber>,
	/// Where the image comes from: source commit, build recipe, hash of the build's evidence.
	pub provenance: BoundedVec<u8, ConstU32<MAX_PROVENANCE_LEN>>,
}

impl<BlockNumber: PartialOrd> MeasurementRecord<BlockNumber> {
	/// Whether its time has come.
	pub fn has_begun(&self, now: &BlockNumber) -> bool {
		self.active_from <= *now
	}

	/// Whether its time is over.
	pub fn is_past_sunset(&self, now: &BlockNumber) -> bool {
		self.sunset.as_ref().is_some_and(|sunset| sunset <= now)
	}
}

/// What a quote is bound to, beside the chain and the operator: with those, it makes the report data.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Claim {
	/// What the program does.
	pub role: Role,
	/// Identity key, born in the TEE.
	pub worker: WorkerKey,
	/// Encryption key, born in the TEE.
	pub encryption_key: EncryptionKey,
	/// A recent block, finalised when the quote was made.
	pub block: BlockRef,
}

/// Governed parameters.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Policy {
	/// How statuses become tiers. Its `accepted_advisories` ascend, its `ttl` is an hour to [`MAX_LIFETIME`], its `grace` at most
	/// [`MAX_GRACE`], its `worst_gatekeeper` tier two or better.
	pub tcb: phala_attestation::Policy,
	/// Seconds for which collateral must still count to be used: at most a day.
	pub collateral_margin: u64,
	/// Seconds from the first upload of an evaluation number until it takes effect: at most 365 days.
	pub activation_delay: u64,
	/// Attested workers that one platform may have: 1 to 64.
	pub platform_cap: u32,
	/// Milliseconds that a benchmark takes at least: a second to ten minutes.
	pub min_benchmark_ms: u64,
	/// Milliseconds by which the clock of a TEE may lag behind the chain's while a benchmark runs and
	/// its statement travels: at most ten minutes.
	pub benchmark_slack_ms: u64,
	/// Highest believable score `P`.
	pub max_score: u64,
}

impl Policy {
	/// Whether every parameter is within its bounds.
	pub fn is_sound(&self) -> bool {
		self.tcb.accepted_advisories.is_sorted()
			&& (HOUR..=MAX_LIFETIME).contains(&self.tcb.ttl)
			&& self.tcb.grace <= MAX_GRACE
			&& self.tcb.worst_gatekeeper <= Tier::Two
			&& self.collateral_margin <= DAY
			&& self.activation_delay <= 365 * DAY
			&& (1..=64).contains(&self.platform_cap)
			&& (1_000..=10 * MINUTE * 1_000).contains(&self.min_benchmark_ms)
			&& self.benchmark_slack_ms <= 10 * MINUTE * 1_000
			&& self.max_score > 0
	}
}

impl Default for Policy {
	fn default() -> Self {
		Self {
			tcb: phala_attestation::Policy {
				accepted_advisories: BoundedVec::new(),
				grace: 60 * DAY,
				min_evaluation_number: 0,
				ttl: 7 * DAY,
				worst_worker: Tier::Five,
				worst_gatekeeper: Tier::Two,
			},
			collateral_margin: HOUR,
			activation_delay: 30 * DAY,
			platform_cap: 1,
			min_benchmark_ms: 20_000,
			benchmark_slack_ms: 60_000,
			max_score: 1_000_000_000,
		}
	}
}

/// Whether a worker's attestation was found to count, when it was last looked at.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Standing {
	/// It counted, and holds one of its platform's places.
	#[codec(index = 0)]
	Attested,
	/// It did not.
	#[codec(index = 1)]
	Lapsed {
		/// Unix second at which it stopped counting.
		at: u64,
		/// Why.
		reason: LapseReason,
	},
}

/// Why an attestation stopped counting.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum LapseReason {
	/// It was not renewed in time.
	#[codec(index = 0)]
	Expired,
	/// Newer collateral or policy gives its platform no tier, or too low a tier for its role.
	#[codec(index = 1)]
	TcbRefused,
	/// Intel revoked its platform.
	#[codec(index = 2)]
	Revoked,
	/// Its image was removed, or is past its sunset.
	#[codec(index = 3)]
	MeasurementNotAllowed,
	/// Its platform was banned.
	#[codec(index = 4)]
	PlatformBanned,
}

impl LapseReason {
	/// Whether a period of grace may follow: time or patches ran out, but nothing speaks against the
	/// machine or the image.
	pub fn allows_grace(self) -> bool {
		matches!(self, Self::Expired | Self::TcbRefused)
	}
}

/// What a quote proved, judged at one moment.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Judgement {
	/// Intel's judgement of the platform, its TDX module and its QE together.
	pub status: TcbStatus,
	/// What that is worth under the policy.
	pub tier: Tier,
	/// Unix second from which on it no longer counts.
	pub expires_at: u64,
}

/// The last benchmark.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Score {
	/// `P`: iterations per 6 s.
	pub value: u64,
	/// Block at which the run began. The next one must begin later.
	pub started_at: u32,
}

/// A registered worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Worker<AccountId, Ticket> {
	/// Who answers for it.
	pub operator: AccountId,
	/// Key to which secrets for it are encrypted.
	pub encryption_key: EncryptionKey,
	/// What its program does.
	pub role: Role,
	/// The image it runs.
	pub measurement: Measurement,
	/// The machine it runs on.
	pub platform: PlatformId,
	/// What its last quote proved about the platform.
	pub evidence: Evidence,
	/// How that was judged last.
	pub judgement: Judgement,
	/// Unix second of the last quote's acceptance.
	pub attested_at: u64,
	/// Unix second of the last judgement.
	pub appraised_at: u64,
	/// Whether the attestation was found to count.
	pub standing: Standing,
	/// The last benchmark.
	pub score: Option<Score>,
	/// Where it is reached.
	pub endpoint: Option<Endpoint>,
	/// Sequence number of the last endpoint; at first, the milliseconds of the Unix epoch at registration.
	pub endpoint_sequence: u64,
	/// Who may become its operator.
	pub offered_to: Option<AccountId>,
	/// The operator's deposit.
	pub deposit: Ticket,
}

impl<AccountId, Ticket> Worker<AccountId, Ticket> {
	/// Whether it holds one of its platform's places.
	pub fn holds_place(&self) -> bool {
		self.standing == Standing::Attested
	}

	/// Unix second from which on it does not count, as far as its own record tells, and whether a
	/// period of grace may follow.
	pub fn ends(&self) -> (u64, bool) {
		match self.standing {
			Standing::Attested => (self.judgement.expires_at, true),
			Standing::Lapsed { at, reason } => (at, reason.allows_grace()),
		}
	}
}

/// Name of a rule of attestation: [`Rule`], within this pallet's errors.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct RuleName(pub Rule);

impl frame_support::traits::PalletError for RuleName {
	// A rule is an enum without data.
	const MAX_ENCODED_SIZE: usize = 1;
}

impl From<Rule> for RuleName {
	fn from(rule: Rule) -> Self {
		Self(rule)
	}
}

macro_rules! inner_errors {
	($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* })*) => { $(
		$(#[$doc])*
		#[derive(
			Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen,
			PalletError, TypeInfo,
		)]
		pub enum $name { $($(#[$variant_doc])* $variant,)* }
	)* };
}

inner_errors! {
	/// What is wrong with a quote's binding.
	BindingError {
		/// The claim's block is older than the window. Make a new quote.
		BlockTooOld,
		/// The claim's block is not before this one. Wait, or follow this chain.
		BlockUnknown,
		/// The block of that height has another hash: it was on a fork, or on another chain.
		BlockOnOtherFork,
		/// A quote with this report data was accepted before. Make a new one on a newer block.
		ReportDataUsed,
	}

	/// Why an image is refused.
	MeasurementError {
		/// Governance has not allowed it.
		Unknown,
		/// It is not active yet.
		NotYetActive,
		/// It is past its sunset. Run its successor.
		PastSunset,
		/// It is allowed in another role than the claimed.
		WrongRole,
	}

	/// Why a machine is refused.
	PlatformError {
		/// It is banned.
		Banned,
		/// It has as many attested workers as one platform may have. Deregister one.
		Full,
	}

	/// Why a worker's statement is refused.
	StatementError {
		/// The worker's key did not sign it for this chain.
		BadSignature,
		/// It is not newer than the last one.
		NotNewer,
		/// The benchmark's block is older than the window. Measure again.
		BlockTooOld,
		/// The benchmark's block is not before this one.
		BlockUnknown,
		/// The block of that height has another hash.
		BlockOnOtherFork,
		/// The run was shorter than the policy demands. Measure for longer.
		TooShort,
		/// The chain saw far more time pass than the worker's clock did.
		ClockTooSlow,
		/// The score is zero, or beyond the policy's bound.
		ScoreOutOfBounds,
		/// The endpoint is not a URL: `scheme://…` in printable ASCII.
		ImplausibleEndpoint,
	}
}

/// A worker, for clients.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WorkerView<AccountId> {
	/// What others rely on, if the attestation counts now.
	pub attested: Option<AttestedWorker<AccountId>>,
	/// Who answers for it.
	pub operator: AccountId,
	/// Key to which secrets for it are encrypted.
	pub encryption_key: EncryptionKey,
	/// What its program does.
	pub role: Role,
	/// Its TEE.
	pub tee: Tee,
	/// Its platform's family.
	pub fmspc: Fmspc,
	/// The image it runs.
	pub measurement: Measurement,
	/// The machine it runs on.
	pub platform: PlatformId,
	/// How it was judged last.
	pub judgement: Judgement,
	/// Unix second of the last quote's acceptance.
	pub attested_at: u64,
	/// Whether the attestation was found to count when it was last looked at.
	pub standing: Standing,
	/// The last benchmark.
	pub score: Option<Score>,
	/// Where it is reached.
	pub endpoint: Option<Endpoint>,
	/// Sequence number of the last endpoint.
	pub endpoint_sequence: u64,
	/// Who may become its operator.
	pub offered_to: Option<AccountId>,
}

/// What a quote that would be accepted is worth.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Accepted {
	/// The image.
	pub measurement: Measurement,
	/// The machine.
	pub platform: PlatformId,
	/// How it would be judged.
	pub judgement: Judgement,
	/// Intel's advisories for the machine, such as `INTEL-SA-00615`.
	pub advisories: Vec<AdvisoryId>,
}

/// Why a quote would be refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Refused<E> {
	/// The error that the call would fail with.
	pub error: E,
	/// If a rule of attestation refuses it: that rule with its data, such as FMSPC, dates and numbers.
	pub detail: Option<phala_attestation::Error>,
}

/// Collateral that the chain has, with the Unix seconds at which it expires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CollateralView {
	/// TCB info in force: evaluation number and expiry.
	pub tcb_info: Option<(u32, u64)>,
	/// TCB info that waits for its evaluation number.
	pub next_tcb_info: Option<(u32, u64)>,
	/// QE identity of the TEE in force.
	pub qe_identity: Option<(u32, u64)>,
	/// QE identity that waits for its evaluation number.
	pub next_qe_identity: Option<(u32, u64)>,
	/// The root's revocation list: CRL number and expiry.
	pub root_crl: Option<(u64, u64)>,
	/// Expiry of the certificates of the Processor CA and of the Platform CA.
	pub pck_cas: [Option<u64>; 2],
	/// Their revocation lists: CRL number and expiry.
	pub pck_crls: [Option<(u64, u64)>; 2],
}
