//! # Worker registry
//!
//! Who may compute, proven by the silicon: the runtime verifies Intel DCAP quotes of SGX enclaves and TDX
//! trust domains against Intel-signed collateral that is kept on chain.
//!
//! ## Terminology
//!
//! - **Worker**: a program in a TEE, named by the sr25519 key that was born there. Its **operator** is
//!   the account that answers for it.
//! - **Quote**: Intel's signed report of what runs in the TEE and on which platform. Its report data binds
//!   a **claim**: chain, operator, keys, role and a recent block.
//! - **Collateral**: what Intel signs to judge platforms: TCB info per (TEE, FMSPC), QE identity per TEE,
//!   the intermediate CAs' certificates, and revocation lists.
//! - **Measurement**: hash of the image that runs in the TEE.
//! - **Platform**: one machine, as a salted hash of its PPID.
//! - **Tier**: 1 (best) to 5, from the TCB status; see [`phala_attestation::Policy`].
//!
//! ## Lifecycle
//!
//! ```text
//! collateral   anybody ──submit_*──▶ signature, dates, numbers checked ──▶ in force │ waiting (higher
//!              evaluation number) ──delay or activate_evaluation──▶ in force
//!
//! worker            register                    time passes, or newer collateral refuses the platform
//!          (none) ───────────▶ Attested ──────────────────────────────────────▶ Lapsed
//!             ▲                 │  ▲ │ renew, reappraise                           │
//!             │                 │  └─┘                                            │
//!             │   deregister    │  ◀──────────────────── renew ──────────────────┤
//!             └─────────────────┴─────────────────── deregister ─────────────────┘
//! ```
//!
//! | Trigger | Action |
//! |---|---|
//! | use of a worker ([`AttestedWorkers`]) | expiry, sunset and ban are checked there and then |
//! | `on_idle` | forgets report data that no window accepts any more; marks lapsed workers; appraises the others anew once per [`Config::ReappraisalPeriod`] |
//! | `reappraise`, by anybody | newer collateral and policy count for a worker at once |
//!
//! ## What a registration must pass
//!
//! In this order, the cheap rules first; each has its own error:
//! 1. sizes (the types bound them), and the quote's structure;
//! 2. the claim: the block lies in the window and is ours, the report data is the hash of the claim, and
//!    was never used;
//! 3. the measurement: known, active, before its sunset, of the claimed role;
//! 4. the platform: not banned, not full;
//! 5. collateral: present, not expired, not about to expire;
//! 6. signatures, revocation, QE identity, TCB: [`phala_attestation`];
//! 7. policy: the tier suffices for the role.
//!
//! ## Invariants
//!
//! - I1: a platform's count is the number of its workers that are marked attested, and never zero.
//! - I2: the index by operator lists exactly each operator's workers.
//! - I3: waiting collateral has a higher evaluation number than what is in force.
//! - I4: evaluation numbers ascend.
//! - I5: no attestation outlives its quote by more than [`types::MAX_LIFETIME`].
//! - I6: report data is remembered only for blocks that the sweep has not passed.
//! - I7: every measurement's sunset lies behind its activation, and the policy is within its bounds.
//!
//! ## Money
//!
//! The operator puts up a deposit for the worker's record ([`Config::Consideration`]); it comes back with
//! `deregister`, and changes hands with the worker. Collateral costs no deposit (its amount is bounded
//! by what Intel signs), and its fee is returned where it is useful: a higher evaluation or CRL number, or
//! a week more of validity.
//!
//! ## Assumptions
//!
//! - [`Config::Time`] is the wall clock within minutes. Freshness does not rest on it: it comes from
//!   block numbers.
//! - Block hashes are kept for longer than [`Config::FreshnessWindow`] (`integrity_test`).
//! - [`Config::OnAttestationChange`] is bounded and does not call back.
//!
//! ## Limitations
//!
//! - That a claimed block was finalised when the quote was made is the program's duty; the chain only sees
//!   that the block is its own.
//! - If Intel signs two higher evaluation numbers while the first still waits, the second displaces it;
//!   what is in force stays until the second's time has come, or governance activates it. From its own
//!   day on the first can be submitted again; a lower number than one that waits is not noticed.
//! - Whoever extracts a platform's attestation key can forge quotes of that platform. Caps, bans and
//!   revocation limit the damage to one platform's worth of workers.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod admission;
mod collateral;
pub mod evaluation;
mod governance;
mod impls;
mod reports;
pub mod slots;
mod sweep;
pub mod types;
pub mod weights;
mod workers;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
#[cfg(feature = "runtime-benchmarks")]
mod fixtures;
#[cfg(any(feature = "try-runtime", test))]
mod invariants;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use weights::WeightInfo;

use frame_system::pallet_prelude::BlockNumberFor;
use phala_primitives::AttestedWorkers;

/// [`types::Worker`] of a runtime.
pub type WorkerOf<T> =
	types::Worker<<T as frame_system::Config>::AccountId, <T as Config>::Consideration>;
/// [`types::MeasurementRecord`] of a runtime; heights count relay-chain blocks.
pub type MeasurementOf<T> = types::MeasurementRecord<RelayBlockOf<T>>;
/// Height of the relay chain.
pub type RelayBlockOf<T> =
	<<T as Config>::RelayChain as sp_runtime::traits::BlockNumberProvider>::BlockNumber;

/// What benchmarks need of the runtime.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
	/// Makes [`Config::Time`] tell this Unix second.
	fn set_time(seconds: u64);

	/// Lets the neighbours that hear of changes ([`Config::OnAttestationChange`]) have most to do when
	/// this worker changes.
	fn engage(_worker: &phala_primitives::WorkerKey) {}

	/// As [`engage`](Self::engage), but leaves the worker without what binds it to its operator
	/// ([`Config::Obligations`]).
	fn engage_unbound(_worker: &phala_primitives::WorkerKey) {}
}

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::{
		evaluation::{Evaluation, Evaluations},
		slots::Slots,
		types::*,
	};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{Consideration, Footprint, UnixTime},
	};
	use frame_system::pallet_prelude::*;
	use phala_attestation::{
		Crl, Fmspc, PckCa, PckCaKind, QeIdentity, Role, TcbInfo, TcbStatus, Tee, Tier, TrustRoot,
	};
	use phala_primitives::{
		AttestedWorker, BenchmarkStatement, EncryptionKey, Endpoint, EndpointStatement,
		Measurement, OnAttestationChange, PlatformId, WorkerKey, WorkerObligations,
		WorkerSignature,
	};
	use sp_core::H256;
	use sp_runtime::traits::BlockNumberProvider;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<
			RuntimeEvent: From<Event<Self>>,
			AccountId: Into<[u8; 32]>,
			Hash = H256,
		>
	{
		/// Deposit for a worker's record, paid by its operator. If it is too small, the state can be
		/// filled cheaply with workers of one TEE.
		type Consideration: Consideration<Self::AccountId, Footprint>;
		/// Wall clock for validity of collateral and attestations; `pallet_timestamp`. A clock that is
		/// ahead refuses sound collateral, one that is behind accepts expired.
		type Time: UnixTime;
		/// The relay chain's height, in which measurements' activation and sunset are given.
		type RelayChain: BlockNumberProvider<BlockNumber: Into<u64>>;
		/// Told of each change of an attestation.
		type OnAttestationChange: OnAttestationChange<Self::AccountId>;
		/// What can bind a worker to its operator.
		type Obligations: WorkerObligations;

		/// May change which images are allowed.
		type MeasurementOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// May change the policy and activate evaluation numbers.
		type PolicyOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// May ban platforms.
		type BanOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Id of this parachain, which quotes and statements are bound to.
		type ParaId: Get<u32>;
		/// Whether genesis may replace Intel's root by a development root, whose secret everybody has.
		/// Never true where anything is at stake.
		#[pallet::constant]
		type AllowDevelopmentRoot: Get<bool>;
		/// Blocks of this chain for which a claim's block counts as recent: 1 to 200, and fewer than
		/// `BlockHashCount`. Fewer leave less time from the quote to the block that includes it; more
		/// let an older TEE state be shown.
		#[pallet::constant]
		type FreshnessWindow: Get<u32>;
		/// Shortest time between two blocks of this chain, in milliseconds, at least 1. The chain's own
		/// measure of how long a benchmark took: too high refuses honest workers, too low believes
		/// slow clocks.
		#[pallet::constant]
		type MinMillisPerBlock: Get<u64>;
		/// Seconds after which the sweep appraises a worker anew: at least a minute. Longer leaves
		/// downgrades to `reappraise`.
		#[pallet::constant]
		type ReappraisalPeriod: Get<u64>;
		/// Workers that the sweep looks at in one block, at most: 1 to 64.
		#[pallet::constant]
		type SweepLimit: Get<u32>;

		/// Weights of the calls and of the sweep's steps.
		type WeightInfo: WeightInfo;

		/// Sets the clock for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper;
	}

	/// Why PHA is on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposit for a worker's record.
		#[codec(index = 0)]
		WorkerRecord,
	}

	/// Images that may run, by their measurement. Written by governance; read by each registration and
	/// each use of a worker.
	// Identity: measurements are hashes, and only governance inserts them.
	#[pallet::storage]
	pub type Measurements<T: Config> =
		StorageMap<_, Identity, Measurement, MeasurementOf<T>, OptionQuery>;

	/// TCB info per TEE and FMSPC, in two slots. Written by `submit_tcb_info`; read by registrations.
	// Blake2: whoever holds a document that Intel signed can submit it, for any FMSPC.
	#[pallet::storage]
	pub type TcbInfos<T: Config> =
		StorageMap<_, Blake2_128Concat, (Tee, Fmspc), Slots<TcbInfo>, ValueQuery>;

	/// QE identity per TEE, in two slots. Written by `submit_qe_identity`; read by registrations.
	#[pallet::storage]
	pub type QeIdentities<T: Config> =
		StorageMap<_, Twox64Concat, Tee, Slots<QeIdentity>, ValueQuery>;

	/// CAs of PCK certificates. Written by `submit_pck_ca`; read by registrations.
	#[pallet::storage]
	pub type PckCas<T: Config> = StorageMap<_, Twox64Concat, PckCaKind, PckCa, OptionQuery>;

	/// Revocation lists. Written by `submit_crl`; read by registrations.
	#[pallet::storage]
	pub type Crls<T: Config> = StorageMap<_, Twox64Concat, CrlSource, Crl, OptionQuery>;

	/// Evaluation numbers and since when they count. Written by uploads and by governance.
	#[pallet::storage]
	pub type KnownEvaluations<T: Config> = StorageValue<_, Evaluations, ValueQuery>;

	/// Registered workers. Written by registration, statements and the sweep; removed by
	/// `deregister`.
	// Blake2: a worker's key is chosen by whoever runs it.
	#[pallet::storage]
	pub type Workers<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, WorkerKey, WorkerOf<T>, OptionQuery>;

	/// Index of [`Workers`] by operator.
	#[pallet::storage]
	pub type OperatorWorkers<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Blake2_128Concat,
		WorkerKey,
		(),
		OptionQuery,
	>;

	/// Attested workers per platform; absent for none.
	// Identity: a platform id is a hash.
	#[pallet::storage]
	pub type Platforms<T: Config> = StorageMap<_, Identity, PlatformId, u32, ValueQuery>;

	/// Platforms that may not attest. Written by governance.
	// Identity: a platform id is a hash.
	#[pallet::storage]
	pub type BannedPlatforms<T: Config> = StorageMap<_, Identity, PlatformId, (), OptionQuery>;

	/// Report data that was used, under the block that it names. Kept until the sweep passes that
	/// block, which is after the window has.
	// Twox: block numbers are ours. Identity: report data is a hash that the pallet computed.
	#[pallet::storage]
	pub type UsedReports<T: Config> =
		StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Identity, H256, (), OptionQuery>;

	/// First block whose report data the sweep has not forgotten.
	#[pallet::storage]
	pub type ReportSweep<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

	/// The worker that the sweep saw last; it goes on behind it, and starts over at the end.
	#[pallet::storage]
	pub type WorkerSweep<T: Config> = StorageValue<_, WorkerKey, OptionQuery>;

	/// Governed parameters. Set at genesis, so always there.
	#[pallet::storage]
	pub type CurrentPolicy<T: Config> = StorageValue<_, Policy, ValueQuery>;

	/// The root of trust where it is not Intel's: development and local networks. Set at genesis only.
	#[pallet::storage]
	pub type DevelopmentRoot<T: Config> = StorageValue<_, TrustRoot, OptionQuery>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Evaluation number in force from the start. Without one, collateral waits for governance or
		/// for the policy's delay.
		pub evaluation: Option<u32>,
		/// Measurements of workers that are active from the start.
		pub workers: Vec<Measurement>,
		/// Measurements of gatekeepers that are active from the start.
		pub gatekeepers: Vec<Measurement>,
		/// DER certificate of a development root, in place of Intel's. Refused unless the runtime
		/// allows it.
		pub development_root: Option<sp_core::Bytes>,
		#[serde(skip)]
		#[doc(hidden)]
		pub _config: PhantomData<T>,
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An image is allowed, or its entry changed.
		#[codec(index = 0)]
		MeasurementSet {
			/// Hash of the image.
			measurement: Measurement,
			/// What its program does.
			role: Role,
			/// First relay-chain block at which it counts.
			active_from: RelayBlockOf<T>,
			/// First relay-chain block at which it no longer counts.
			sunset: Option<RelayBlockOf<T>>,
		},
		/// An image is no longer allowed.
		#[codec(index = 1)]
		MeasurementRemoved {
			/// Hash of the image.
			measurement: Measurement,
		},
		/// The governed parameters changed.
		#[codec(index = 2)]
		PolicyChanged {
			/// The new ones.
			policy: Policy,
		},
		/// Collateral with a new evaluation number was uploaded; the number takes effect later.
		#[codec(index = 3)]
		EvaluationNoticed {
			/// The number.
			number: u32,
			/// Unix second from which on it counts, unless governance activates it before.
			in_force_from: u64,
		},
		/// Governance put an evaluation number in force.
		#[codec(index = 4)]
		EvaluationActivated {
			/// The number.
			number: u32,
		},
		/// A platform may not attest any more.
		#[codec(index = 5)]
		PlatformBanned {
			/// The platform.
			platform: PlatformId,
		},
		/// A platform may attest again.
		#[codec(index = 6)]
		PlatformUnbanned {
			/// The platform.
			platform: PlatformId,
		},
		/// TCB info was stored.
		#[codec(index = 7)]
		TcbInfoStored {
			/// For which TEE.
			tee: Tee,
			/// For which platforms.
			fmspc: Fmspc,
			/// Its evaluation number.
			evaluation: u32,
			/// Unix second at which it expires.
			expires_at: u64,
			/// Whether it counts now, or waits for its evaluation number.
			in_force: bool,
		},
		/// A QE identity was stored.
		#[codec(index = 8)]
		QeIdentityStored {
			/// For which TEE.
			tee: Tee,
			/// Its evaluation number.
			evaluation: u32,
			/// Unix second at which it expires.
			expires_at: u64,
			/// Whether it counts now, or waits for its evaluation number.
			in_force: bool,
		},
		/// An intermediate CA's certificate was stored.
		#[codec(index = 9)]
		PckCaStored {
			/// Which CA.
			ca: PckCaKind,
			/// Unix second at which it expires.
			expires_at: u64,
		},
		/// A revocation list was stored.
		#[codec(index = 10)]
		CrlStored {
			/// Who issued it.
			source: CrlSource,
			/// Its CRL number.
			number: u64,
			/// Unix second at which it expires.
			expires_at: u64,
		},
		/// A worker is new.
		#[codec(index = 11)]
		WorkerRegistered {
			/// Its identity key.
			worker: WorkerKey,
			/// Who answers for it.
			operator: T::AccountId,
			/// Its encryption key.
			encryption_key: EncryptionKey,
			/// What its program does.
			role: Role,
			/// The image it runs.
			measurement: Measurement,
			/// The machine.
			platform: PlatformId,
			/// Intel's judgement of the machine.
			status: TcbStatus,
			/// What the judgement is worth.
			tier: Tier,
			/// Unix second at which the attestation expires.
			expires_at: u64,
		},
		/// A worker showed a fresh quote.
		#[codec(index = 12)]
		WorkerRenewed {
			/// Its identity key.
			worker: WorkerKey,
			/// The image it runs now.
			measurement: Measurement,
			/// The machine it runs on now.
			platform: PlatformId,
			/// Intel's judgement of the machine.
			status: TcbStatus,
			/// What the judgement is worth.
			tier: Tier,
			/// Unix second at which the attestation expires.
			expires_at: u64,
		},
		/// Newer collateral or policy judges a worker differently.
		#[codec(index = 13)]
		WorkerReappraised {
			/// Its identity key.
			worker: WorkerKey,
			/// Intel's judgement of the machine.
			status: TcbStatus,
			/// What the judgement is worth.
			tier: Tier,
			/// Unix second at which the attestation expires.
			expires_at: u64,
		},
		/// A worker's attestation no longer counts.
		#[codec(index = 14)]
		WorkerLapsed {
			/// Its identity key.
			worker: WorkerKey,
			/// Why.
			reason: LapseReason,
		},
		/// A worker's performance was measured.
		#[codec(index = 15)]
		ScoreReported {
			/// Its identity key.
			worker: WorkerKey,
			/// `P`: iterations of the benchmark per 6 s.
			score: u64,
		},
		/// A worker is reached elsewhere.
		#[codec(index = 16)]
		EndpointSet {
			/// Its identity key.
			worker: WorkerKey,
			/// URL, or nowhere.
			endpoint: Option<Endpoint>,
		},
		/// An operator offers a worker to another account, or takes the offer back.
		#[codec(index = 17)]
		WorkerOffered {
			/// Its identity key.
			worker: WorkerKey,
			/// Who may accept it.
			to: Option<T::AccountId>,
		},
		/// A worker has another operator.
		#[codec(index = 18)]
		OperatorChanged {
			/// Its identity key.
			worker: WorkerKey,
			/// Operator before.
			from: T::AccountId,
			/// Operator now.
			to: T::AccountId,
		},
		/// A worker's record is gone, and its deposit returned.
		#[codec(index = 19)]
		WorkerDeregistered {
			/// Its identity key.
			worker: WorkerKey,
			/// Who answered for it.
			operator: T::AccountId,
		},
	}

	#[pallet::error]
	#[derive(PartialEqNoBound)]
	pub enum Error<T> {
		/// The quote or the collateral breaks a rule of attestation, which the inner error names.
		/// `why_refused` gives the details: FMSPC, dates, numbers.
		Attestation(RuleName),
		/// The root's revocation list is not on chain, and all else is verified with it. Submit it
		/// first.
		RootCrlMissing,
		/// The CA's certificate is not on chain, and its revocation list is verified with it. Submit it
		/// first.
		PckCaMissing,
		/// Too many evaluation numbers wait for their time. Governance has to activate one.
		TooManyEvaluations,
		/// The evaluation number is not higher than the one in force, and it can never fall.
		EvaluationInForce,
		/// The quote is not bound to its claim, or not to a recent block of this chain, or was used.
		Binding(BindingError),
		/// The image is not allowed, at this height or in this role.
		Measurement(MeasurementError),
		/// The machine may not have (another) worker.
		Platform(PlatformError),
		/// A statement of a worker is refused.
		Statement(StatementError),
		/// No worker has this key. Register it first.
		WorkerNotFound,
		/// A worker with this key is registered. Renew it instead.
		WorkerExists,
		/// The signer is not the worker's operator.
		NotOperator,
		/// The worker's attestation does not count at this moment. Renew it.
		NotAttested,
		/// Something binds the worker to its operator, such as a running session. End that first.
		WorkerBound,
		/// Role and encryption key of a worker never change. Register a new worker instead.
		IdentityChanged,
		/// The worker was not offered to the signer. Its operator can do so with `offer_worker`.
		NotOffered,
		/// A parameter of the policy is outside of its bounds, which its documentation gives.
		PolicyOutOfBounds,
		/// The sunset does not lie behind the activation. Choose a later one.
		SunsetBeforeActivation,
		/// No such measurement.
		MeasurementNotFound,
		/// The platform is banned already.
		AlreadyBanned,
		/// The platform is not banned.
		NotBanned,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::build_genesis(self);
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_now: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::sweep(remaining)
		}

		fn integrity_test() {
			Self::check_config();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Stores TCB info as Intel's PCS serves it (`/tcb`): for one FMSPC and one TEE.
		///
		/// The fee is returned if it has a higher evaluation number than what is stored, or prolongs it
		/// by a week. A number higher than the one in force takes effect later, see
		/// [`evaluation`](crate::evaluation).
		///
		/// - `origin`: anybody, signed.
		/// - `document`: the value of `tcbInfo` in the response, byte for byte, and its `signature`.
		/// - `signer`: DER of the first certificate in the header `TCB-Info-Issuer-Chain`.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::submit_tcb_info(document.steps()))]
		pub fn submit_tcb_info(
			origin: OriginFor<T>,
			document: SignedDocument,
			signer: CertificateBytes,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_submit_tcb_info(&document, &signer)
		}

		/// Stores a QE identity as Intel's PCS serves it (`/qe/identity`), of one TEE.
		///
		/// Fee and effect as of [`submit_tcb_info`](Self::submit_tcb_info).
		///
		/// - `origin`: anybody, signed.
		/// - `document`: the value of `enclaveIdentity` in the response, byte for byte, and its
		///   `signature`.
		/// - `signer`: DER of the first certificate in the header
		///   `SGX-Enclave-Identity-Issuer-Chain`.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::submit_qe_identity())]
		pub fn submit_qe_identity(
			origin: OriginFor<T>,
			document: SignedDocument,
			signer: CertificateBytes,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_submit_qe_identity(&document, &signer)
		}

		/// Stores the certificate of an intermediate CA of PCK certificates.
		///
		/// The fee is returned if the CA is new.
		///
		/// - `origin`: anybody, signed.
		/// - `certificate`: DER of the first certificate in the header `SGX-PCK-CRL-Issuer-Chain`.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::submit_pck_ca())]
		pub fn submit_pck_ca(
			origin: OriginFor<T>,
			certificate: CertificateBytes,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_submit_pck_ca(&certificate)
		}

		/// Stores a revocation list: the root's, or that of an intermediate CA which is stored.
		///
		/// The fee is returned if it has a higher CRL number than what is stored, or prolongs it by a
		/// week.
		///
		/// - `origin`: anybody, signed.
		/// - `source`: who issued it.
		/// - `crl`: DER, as Intel serves it.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::submit_crl(crl_steps(crl)))]
		pub fn submit_crl(
			origin: OriginFor<T>,
			source: CrlSource,
			crl: CrlBytes,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_submit_crl(source, &crl)
		}

		/// Registers a worker with a quote of its TEE. The signer becomes its operator and puts up the
		/// deposit.
		///
		/// - `origin`: the operator that the quote is bound to, signed.
		/// - `quote`: SGX v3, or TDX v4 or v5, with the PCK chain inside (certification data type 5).
		/// - `claim`: what the quote's report data binds, beside chain and operator.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register(
			origin: OriginFor<T>,
			quote: QuoteBytes,
			claim: Claim,
		) -> DispatchResultWithPostInfo {
			let operator = ensure_signed(origin)?;
			Self::do_register(operator, &quote, &claim)
		}

		/// Renews a worker's attestation with a fresh quote; also that of a lapsed worker. Image and
		/// machine may have changed, the keys and the role may not.
		///
		/// - `origin`: the worker's operator, signed.
		/// - `quote`, `claim`: as for [`register`](Self::register).
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::renew())]
		pub fn renew(
			origin: OriginFor<T>,
			quote: QuoteBytes,
			claim: Claim,
		) -> DispatchResultWithPostInfo {
			let operator = ensure_signed(origin)?;
			Self::do_renew(operator, &quote, &claim)
		}

		/// Appraises a worker against the collateral and the policy of this moment, from what its last
		/// quote proved. Can lower or raise its tier, and lets it lapse if its platform is now refused.
		///
		/// - `origin`: anybody, signed.
		/// - `worker`: the worker.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::reappraise())]
		pub fn reappraise(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_reappraise(&worker)
		}

		/// Takes a benchmark as the worker's performance score `P`.
		///
		/// - `origin`: anybody, signed.
		/// - `statement`: what the worker measured; its block is recent, and later than that of the
		///   last benchmark.
		/// - `signature`: by the worker's key, over [`phala_primitives::Statement::message`].
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::report_score())]
		pub fn report_score(
			origin: OriginFor<T>,
			statement: BenchmarkStatement,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_report_score(&statement, &signature)
		}

		/// Sets where a worker is reached.
		///
		/// - `origin`: anybody, signed.
		/// - `statement`: the endpoint, and a sequence number higher than the last, and than the milliseconds of the
		///   Unix epoch at registration.
		/// - `signature`: by the worker's key, over [`phala_primitives::Statement::message`].
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::set_endpoint())]
		pub fn set_endpoint(
			origin: OriginFor<T>,
			statement: EndpointStatement,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_set_endpoint(statement, &signature)
		}

		/// Offers a worker to another operator, or takes the offer back. Nothing changes until
		/// the other accepts.
		///
		/// - `origin`: the worker's operator, signed.
		/// - `worker`: the worker.
		/// - `to`: who may accept it, or `None`.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::offer_worker())]
		pub fn offer_worker(
			origin: OriginFor<T>,
			worker: WorkerKey,
			to: Option<T::AccountId>,
		) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_offer_worker(&operator, &worker, to)
		}

		/// Becomes operator of a worker that was offered: pays its deposit, while the old operator's is
		/// returned.
		///
		/// - `origin`: whom the worker was offered to, signed.
		/// - `worker`: the worker. It must not be bound by obligations.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::accept_worker())]
		pub fn accept_worker(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			let to = ensure_signed(origin)?;
			Self::do_accept_worker(to, &worker)
		}

		/// Removes a worker and returns its deposit.
		///
		/// - `origin`: the worker's operator, signed.
		/// - `worker`: the worker. It must not be bound by obligations.
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::deregister())]
		pub fn deregister(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_deregister(&operator, &worker)
		}

		/// Allows an image, or changes its entry.
		///
		/// - `origin`: [`Config::MeasurementOrigin`].
		/// - `measurement`: hash of the image.
		/// - `record`: role, heights and provenance.
		#[pallet::call_index(20)]
		#[pallet::weight(T::WeightInfo::set_measurement())]
		pub fn set_measurement(
			origin: OriginFor<T>,
			measurement: Measurement,
			record: MeasurementOf<T>,
		) -> DispatchResult {
			T::MeasurementOrigin::ensure_origin(origin)?;
			Self::do_set_measurement(measurement, record)
		}

		/// Sets when an image stops to be allowed, for registered workers too.
		///
		/// - `origin`: [`Config::MeasurementOrigin`].
		/// - `measurement`: hash of the image.
		/// - `at`: first relay-chain block at which it no longer counts.
		#[pallet::call_index(21)]
		#[pallet::weight(T::WeightInfo::sunset_measurement())]
		pub fn sunset_measurement(
			origin: OriginFor<T>,
			measurement: Measurement,
			at: RelayBlockOf<T>,
		) -> DispatchResult {
			T::MeasurementOrigin::ensure_origin(origin)?;
			Self::do_sunset_measurement(measurement, at)
		}

		/// Disallows an image at once, for registered workers too.
		///
		/// - `origin`: [`Config::MeasurementOrigin`].
		/// - `measurement`: hash of the image.
		#[pallet::call_index(22)]
		#[pallet::weight(T::WeightInfo::remove_measurement())]
		pub fn remove_measurement(
			origin: OriginFor<T>,
			measurement: Measurement,
		) -> DispatchResult {
			T::MeasurementOrigin::ensure_origin(origin)?;
			Self::do_remove_measurement(measurement)
		}

		/// Replaces the governed parameters. Registered workers meet them at their next appraisal.
		///
		/// - `origin`: [`Config::PolicyOrigin`].
		/// - `policy`: the parameters, within their bounds.
		#[pallet::call_index(23)]
		#[pallet::weight(T::WeightInfo::set_policy())]
		pub fn set_policy(origin: OriginFor<T>, policy: Policy) -> DispatchResult {
			T::PolicyOrigin::ensure_origin(origin)?;
			Self::do_set_policy(policy)
		}

		/// Puts an evaluation number in force without waiting for the delay.
		///
		/// - `origin`: [`Config::PolicyOrigin`].
		/// - `number`: higher than the one in force.
		#[pallet::call_index(24)]
		#[pallet::weight(T::WeightInfo::activate_evaluation())]
		pub fn activate_evaluation(origin: OriginFor<T>, number: u32) -> DispatchResult {
			T::PolicyOrigin::ensure_origin(origin)?;
			Self::do_activate_evaluation(number)
		}

		/// Bans a platform: its workers no longer count, and it cannot attest.
		///
		/// - `origin`: [`Config::BanOrigin`].
		/// - `platform`: the platform.
		#[pallet::call_index(25)]
		#[pallet::weight(T::WeightInfo::ban_platform())]
		pub fn ban_platform(origin: OriginFor<T>, platform: PlatformId) -> DispatchResult {
			T::BanOrigin::ensure_origin(origin)?;
			Self::do_ban_platform(platform)
		}

		/// Lifts a ban.
		///
		/// - `origin`: [`Config::BanOrigin`].
		/// - `platform`: the platform.
		#[pallet::call_index(26)]
		#[pallet::weight(T::WeightInfo::unban_platform())]
		pub fn unban_platform(origin: OriginFor<T>, platform: PlatformId) -> DispatchResult {
			T::BanOrigin::ensure_origin(origin)?;
			Self::do_unban_platform(platform)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// A worker's record.
		pub fn worker(worker: WorkerKey) -> Option<WorkerView<T::AccountId>> {
			Self::view_worker(&worker)
		}

		/// Keys of an operator's workers behind `after`, at most 256 of them: a page.
		pub fn workers_of(operator: T::AccountId, after: Option<WorkerKey>) -> Vec<WorkerKey> {
			Self::view_workers_of(&operator, after)
		}

		/// The worker, if its attestation counts now.
		pub fn attested(worker: WorkerKey) -> Option<AttestedWorker<T::AccountId>> {
			<Self as AttestedWorkers<T::AccountId>>::attested(&worker)
		}

		/// Report data that a quote must carry for this operator and claim.
		pub fn report_data(operator: T::AccountId, claim: Claim) -> [u8; 64] {
			Self::expected_report_data(&operator, &claim)
		}

		/// Whether [`register`](Self::register) or [`renew`](Self::renew) would accept a quote now, and
		/// if not, which rule refuses it.
		pub fn why_refused(
			operator: T::AccountId,
			quote: Vec<u8>,
			claim: Claim,
		) -> Result<Accepted, Refused<Error<T>>> {
			Self::view_why_refused(&operator, &quote, &claim)
		}

		/// What the chain's collateral and policy say of the machine that made a quote, whatever the
		/// quote is bound to and whichever image runs there: for machines that are to become workers.
		pub fn appraise(quote: Vec<u8>, role: Role) -> Result<Accepted, Refused<Error<T>>> {
			Self::view_appraise(&quote, role)
		}

		/// Which collateral the chain has for quotes of a TEE on platforms of an FMSPC, and until when.
		pub fn collateral(tee: Tee, fmspc: Fmspc) -> CollateralView {
			Self::view_collateral(tee, fmspc)
		}

		/// Evaluation numbers and since when, or from when on, they count.
		pub fn evaluations() -> Vec<Evaluation> {
			KnownEvaluations::<T>::get().as_slice().to_vec()
		}
	}
}
