//! The pallet `WorkerRegistry`, as this program uses it: typed, but encoded and decoded by name
//! against the metadata of the runtime that answers.

mod detail;

pub use detail::Detail;

use phala_node_common::chain::{
	Account, AccountId32, Chain, ChainError, Explained, Finalised, Shape, Signed, explain,
};
use phala_primitives::{
	BenchmarkStatement, BlockRef, EndpointStatement, WorkerKey, WorkerSignature,
};
use subxt::{
	Metadata,
	ext::{
		frame_decode::extrinsics::{ExtrinsicEncodeError, encode_call_data},
		scale_decode::DecodeAsType,
		scale_encode::EncodeAsType,
		scale_value::Value,
	},
};

/// Name of the pallet in the runtime.
pub const PALLET: &str = "WorkerRegistry";

/// What this program needs of it.
pub const SHAPE: Shape = Shape {
	pallet: PALLET,
	calls: &[
		("submit_tcb_info", &["document", "signer"]),
		("submit_qe_identity", &["document", "signer"]),
		("submit_pck_ca", &["certificate"]),
		("submit_crl", &["source", "crl"]),
		("register", &["quote", "claim"]),
		("renew", &["quote", "claim"]),
		("report_score", &["statement", "signature"]),
		("set_endpoint", &["statement", "signature"]),
		("deregister", &["worker"]),
	],
	views: &[
		("worker", &["worker"]),
		("workers_of", &["operator", "after"]),
		("report_data", &["operator", "claim"]),
		("why_refused", &["operator", "quote", "claim"]),
		("collateral", &["tee", "fmspc"]),
		("evaluations", &[]),
	],
	storage: &["CurrentPolicy"],
};

macro_rules! encoded {
	($($(#[$doc:meta])* $vis:vis struct $name:ident { $($field:tt)* })*) => { $(
		$(#[$doc])*
		#[derive(Clone, Debug, EncodeAsType)]
		#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
		$vis struct $name { $($field)* }
	)* };
}

encoded! {
	struct Block { number: u32, hash: [u8; 32], }

	/// A [`Claim`] as an argument.
	pub struct ClaimArgument {
		role: Role,
		worker: [u8; 32],
		encryption_key: [u8; 32],
		block: Block,
	}

	struct Document { body: Vec<u8>, signature: Vec<u8>, }

	struct DocumentCall { document: Document, signer: Vec<u8>, }

	struct CertificateCall { certificate: Vec<u8>, }

	struct CrlCall { source: CrlSource, crl: Vec<u8>, }

	struct QuoteCall { quote: Vec<u8>, claim: ClaimArgument, }

	struct WorkerCall { worker: [u8; 32], }

	struct Score { worker: [u8; 32], started_at: Block, iterations: u64, elapsed_ms: u64, }

	struct ScoreCall { statement: Score, signature: [u8; 64], }

	struct Endpoint { worker: [u8; 32], sequence: u64, endpoint: Option<Vec<u8>>, }

	struct EndpointCall { statement: Endpoint, signature: [u8; 64], }
}

#[derive(Clone, Copy, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
enum Role {
	Worker,
	Gatekeeper,
}

#[derive(Clone, Copy, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
enum CrlSource {
	Root,
	PckCa(PckCaKind),
}

#[derive(Clone, Copy, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
enum PckCaKind {
	Processor,
	Platform,
}

/// A TEE as an argument.
#[derive(Clone, Copy, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub enum Tee {
	/// Intel SGX.
	Sgx,
	/// Intel TDX.
	Tdx,
}

/// A registered worker.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Worker {
	/// What others rely on, if the attestation counts now.
	pub attested: Option<Attested>,
	/// Who answers for it.
	pub operator: AccountId32,
	/// Key to which secrets for it are encrypted.
	pub encryption_key: [u8; 32],
	/// How it was judged last.
	pub judgement: Judgement,
	/// The image it runs.
	pub measurement: [u8; 32],
	/// The machine it runs on.
	pub platform: [u8; 32],
	/// Unix second of the last quote's acceptance.
	pub attested_at: u64,
	/// The last benchmark.
	pub score: Option<LastScore>,
	/// Where it is reached.
	pub endpoint: Option<Vec<u8>>,
	/// Sequence number of the last endpoint.
	pub endpoint_sequence: u64,
}

/// That an attestation counts.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Attested {
	/// Until when, in Unix seconds.
	pub expires_at: u64,
}

/// A judgement of a worker's platform.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Judgement {
	/// Unix second from which on it no longer counts.
	pub expires_at: u64,
}

/// A benchmark that the chain has taken.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct LastScore {
	/// `P`: iterations per 6 s.
	pub value: u64,
	/// Block at which the run began.
	pub started_at: u32,
}

/// The governed parameters that matter here.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Policy {
	/// How platforms are judged.
	pub tcb: TcbPolicy,
	/// Seconds for which collateral must still count to be used.
	pub collateral_margin: u64,
	/// Milliseconds that a benchmark takes at least.
	pub min_benchmark_ms: u64,
}

/// What matters here of how platforms are judged.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct TcbPolicy {
	/// Seconds for which an attestation counts at most.
	pub ttl: u64,
}

/// Collateral that the chain has: evaluation or CRL number, and expiry in Unix seconds.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Collateral {
	/// TCB info in force.
	pub tcb_info: Option<(u32, u64)>,
	/// TCB info that waits for its evaluation number.
	pub next_tcb_info: Option<(u32, u64)>,
	/// QE identity in force.
	pub qe_identity: Option<(u32, u64)>,
	/// QE identity that waits for its evaluation number.
	pub next_qe_identity: Option<(u32, u64)>,
	/// The root's revocation list.
	pub root_crl: Option<(u64, u64)>,
	/// Expiry of the certificates of the Processor CA and of the Platform CA.
	pub pck_cas: [Option<u64>; 2],
	/// Their revocation lists.
	pub pck_crls: [Option<(u64, u64)>; 2],
}

/// An evaluation number that the chain knows.
#[derive(Clone, Copy, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Evaluation {
	/// The number.
	pub number: u32,
	/// Unix second from which on it is in force.
	pub in_force_from: u64,
}

/// A quote that would be accepted.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Accepted {
	/// The machine.
	pub platform: [u8; 32],
	/// How it would be judged.
	pub judgement: Judgement,
}

/// A quote that would be refused.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Refused {
	/// The error.
	pub error: Value,
	/// The rule of attestation, with its data.
	pub detail: Option<Detail>,
}

/// What a quote is bound to, beside chain and operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
	/// What the program does.
	pub role: phala_attestation::Role,
	/// Identity key.
	pub worker: WorkerKey,
	/// Encryption key.
	pub encryption_key: [u8; 32],
	/// A recent finalised block.
	pub block: BlockRef,
}

impl From<BlockRef> for Block {
	fn from(block: BlockRef) -> Self {
		Self { number: block.number, hash: block.hash.0 }
	}
}

impl From<Claim> for ClaimArgument {
	fn from(claim: Claim) -> Self {
		Self {
			role: match claim.role {
				phala_attestation::Role::Worker => Role::Worker,
				phala_attestation::Role::Gatekeeper => Role::Gatekeeper,
			},
			worker: claim.worker.0,
			encryption_key: claim.encryption_key,
			block: claim.block.into(),
		}
	}
}

impl From<phala_attestation::PckCaKind> for PckCaKind {
	fn from(ca: phala_attestation::PckCaKind) -> Self {
		match ca {
			phala_attestation::PckCaKind::Processor => Self::Processor,
			phala_attestation::PckCaKind::Platform => Self::Platform,
		}
	}
}

impl From<phala_attestation::Tee> for Tee {
	fn from(tee: phala_attestation::Tee) -> Self {
		match tee {
			phala_attestation::Tee::Sgx => Self::Sgx,
			phala_attestation::Tee::Tdx => Self::Tdx,
		}
	}
}

/// Why the chain would refuse a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
	/// The error, in the runtime's words.
	pub error: Explained,
	/// The rule of attestation that refuses, with its data: cause and remedy.
	pub detail: Option<String>,
}

impl std::fmt::Display for Refusal {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match &self.detail {
			Some(detail) => write!(f, "{}: {detail}", self.error.path.join("/")),
			None => write!(f, "{}", self.error),
		}
	}
}

/// A call of the pallet.
#[derive(Clone, Debug)]
pub enum Call {
	/// `submit_tcb_info`: body, signature, DER of the signer's certificate.
	TcbInfo(Vec<u8>, Vec<u8>, Vec<u8>),
	/// `submit_qe_identity`: body, signature, DER of the signer's certificate.
	QeIdentity(Vec<u8>, Vec<u8>, Vec<u8>),
	/// `submit_pck_ca`: DER of the CA's certificate.
	PckCa(Vec<u8>),
	/// `submit_crl`: the PCK CA that issued it, or the root; DER.
	Crl(Option<phala_attestation::PckCaKind>, Vec<u8>),
	/// `register`.
	Register(Vec<u8>, Claim),
	/// `renew`.
	Renew(Vec<u8>, Claim),
	/// `report_score`.
	ReportScore(BenchmarkStatement, WorkerSignature),
	/// `set_endpoint`.
	SetEndpoint(EndpointStatement, WorkerSignature),
	/// `deregister`.
	Deregister(WorkerKey),
}

/// Does `$do!(name, arguments)` with the call's name and arguments, whose types differ.
macro_rules! with_arguments {
	($call:expr, $do:ident) => {
		match $call {
			Call::TcbInfo(body, signature, signer) => {
				let document = Document { body, signature };
				$do!("submit_tcb_info", DocumentCall { document, signer })
			}
			Call::QeIdentity(body, signature, signer) => {
				let document = Document { body, signature };
				$do!("submit_qe_identity", DocumentCall { document, signer })
			}
			Call::PckCa(certificate) => $do!("submit_pck_ca", CertificateCall { certificate }),
			Call::Crl(ca, crl) => {
				let source = ca.map_or(CrlSource::Root, |ca| CrlSource::PckCa(ca.into()));
				$do!("submit_crl", CrlCall { source, crl })
			}
			Call::Register(quote, claim) => {
				$do!("register", QuoteCall { quote, claim: claim.into() })
			}
			Call::Renew(quote, claim) => {
				$do!("renew", QuoteCall { quote, claim: claim.into() })
			}
			Call::ReportScore(statement, signature) => {
				let statement = Score {
					worker: statement.worker.0,
					started_at: statement.started_at.into(),
					iterations: statement.iterations,
					elapsed_ms: statement.elapsed_ms,
				};
				$do!("report_score", ScoreCall { statement, signature: signature.0 })
			}
			Call::SetEndpoint(statement, signature) => {
				let statement = Endpoint {
					worker: statement.worker.0,
					sequence: statement.sequence,
					endpoint: statement.endpoint.map(|endpoint| endpoint.into_inner()),
				};
				$do!("set_endpoint", EndpointCall { statement, signature: signature.0 })
			}
			Call::Deregister(worker) => $do!("deregister", WorkerCall { worker: worker.0 }),
		}
	};
}

impl Call {
	/// Who makes the call. Anybody may bring collateral, and a proxy's call would not get its fee back.
	fn caller(&self, account: &Account) -> Account {
		match self {
			Self::TcbInfo(..) | Self::QeIdentity(..) | Self::PckCa(_) | Self::Crl(..) => {
				account.direct()
			}
			_ => account.clone(),
		}
	}

	/// Signs the call; the chain has said that it would take it.
	pub async fn sign(
		self,
		chain: &Chain,
		state: &Finalised,
		account: &Account,
	) -> Result<Signed, ChainError> {
		let caller = self.caller(account);
		macro_rules! sign {
			($name:literal, $arguments:expr) => {
				chain.prepare(state, &caller, PALLET, $name, $arguments).await
			};
		}
		with_arguments!(self, sign)
	}

	/// Fails if the call would fail in a block, for want of a deposit for example.
	pub async fn rehearse(self, state: &Finalised, account: &Account) -> Result<(), ChainError> {
		let caller = self.caller(account);
		macro_rules! rehearse {
			($name:literal, $arguments:expr) => {
				state.rehearse(&caller, PALLET, $name, $arguments).await
			};
		}
		with_arguments!(self, rehearse)
	}

	/// What it costs, in the smallest unit of money.
	pub async fn fee(
		self,
		chain: &Chain,
		state: &Finalised,
		account: &Account,
	) -> Result<u128, ChainError> {
		macro_rules! fee {
			($name:literal, $arguments:expr) => {
				chain.fee(state, account, PALLET, $name, $arguments).await
			};
		}
		with_arguments!(self, fee)
	}

	/// The call in SCALE, for a runtime with this metadata. Fails if its call has another shape.
	pub fn encode(self, metadata: &Metadata) -> Result<Vec<u8>, ExtrinsicEncodeError> {
		macro_rules! encode {
			($name:literal, $arguments:expr) => {
				encode_call_data(PALLET, $name, &$arguments, metadata, metadata.types())
			};
		}
		with_arguments!(self, encode)
	}
}

/// Questions to the pallet, at a finalised block.
pub struct Registry<'a>(pub &'a Finalised);

impl Registry<'_> {
	/// A worker's record.
	pub async fn worker(&self, key: &WorkerKey) -> Result<Option<Worker>, ChainError> {
		self.0.view(PALLET, "worker", (key.0,)).await
	}

	/// Keys of an operator's workers: the first page, of up to 256.
	pub async fn workers_of(&self, operator: &AccountId32) -> Result<Vec<[u8; 32]>, ChainError> {
		self.0.view(PALLET, "workers_of", (operator.0, None::<[u8; 32]>)).await
	}

	/// Report data that the chain expects of a quote.
	pub async fn report_data(
		&self,
		operator: &AccountId32,
		claim: &Claim,
	) -> Result<[u8; 64], ChainError> {
		self.0.view(PALLET, "report_data", (operator.0, ClaimArgument::from(*claim))).await
	}

	/// Whether a quote would be accepted now.
	pub async fn why_refused(
		&self,
		operator: &AccountId32,
		quote: &[u8],
		claim: &Claim,
	) -> Result<Result<Accepted, Refusal>, ChainError> {
		let arguments = (operator.0, quote.to_vec(), ClaimArgument::from(*claim));
		let answer: Result<Accepted, Refused> =
			self.0.view(PALLET, "why_refused", arguments).await?;
		Ok(answer.map_err(|refused| Refusal {
			error: explain(self.0.at.metadata_ref(), PALLET, &refused.error),
			detail: refused.detail.map(|detail| detail.0),
		}))
	}

	/// Which collateral the chain has.
	pub async fn collateral(
		&self,
		tee: phala_attestation::Tee,
		fmspc: [u8; 6],
	) -> Result<Collateral, ChainError> {
		self.0.view(PALLET, "collateral", (Tee::from(tee), fmspc)).await
	}

	/// Evaluation numbers, and from when on they count.
	pub async fn evaluations(&self) -> Result<Vec<Evaluation>, ChainError> {
		self.0.view(PALLET, "evaluations", ()).await
	}

	/// The governed parameters.
	pub async fn policy(&self) -> Result<Policy, ChainError> {
		self.0.value(PALLET, "CurrentPolicy").await?.ok_or_else(|| ChainError::Shape {
			spec_version: self.0.at.spec_version(),
			missing: "a policy: the chain was started without one".into(),
		})
	}
}
