//! # Mining
//!
//! Rewards for workers that compute, settled by the chain itself, and losses of those that are silent.
//!
//! ## Overview
//!
//! A keeper of stake, such as a pool, starts a worker's session through [`Mining`]. The chain promises
//! the worker a value V and gives it a share of the budget. It challenges random workers in each block.
//! A worker answers with a [heartbeat](Pallet::heartbeat), free of fees and signed by its attested key;
//! an on-time answer, and nothing else, settles what it earned. Who does not answer in time is found by
//! the chain, is paid nothing, and loses V and health until it answers again. The pallet computes
//! nothing: every formula is in `phala-tokenomics`.
//!
//! ## Terminology
//!
//! - *Step*: a relay-chain block, 6 s. *Active* steps are those that count: at most 20 for each block of
//!   the parachain.
//! - *V*, *health*, *share*: see `docs/tokenomics.md`.
//! - *Dense list*: all workers that compute or are unresponsive, without gaps, so that one can be drawn
//!   by its place.
//! - *Batch*: the challenges of one draw, or one settling challenge. Batches are due in their order.
//! - *Settling challenge*: one that is not drawn, but issued to who stops, is topped up, or renewed its
//!   attestation.
//! - *Outage*: more than a quarter of the last hour's answers are missing; nobody decays meanwhile.
//!
//! ## Lifecycle
//!
//! ```text
//!  start ─▶ Computing ◀── answer ──▶ Computing         stop: Stopping ── answer or miss ─▶ CoolingDown
//!             │  ▲                                                                            ▲   │
//!        miss │  │ answer after the probation                                                 │   ▼
//!             ▼  │                                                                            │ reclaim
//!          Unresponsive ── stop, or silent for a day ─────────────────────────────────────────┘
//! ```
//!
//! | State | start | top_up | stop | reclaim | drawn | answer | miss | silent for a day |
//! |---|---|---|---|---|---|---|---|---|
//! | none | Computing | `NoSession` | `NoSession` | `NoSession` | – | refused | – | – |
//! | Computing | `HasSession` | settling challenge | Stopping | `NotEnded` | challenge | paid | Unresponsive | – |
//! | Unresponsive | `HasSession` | waits | CoolingDown | `NotEnded` | challenge, after the probation | Computing | stays | CoolingDown |
//! | Stopping | `HasSession` | `AlreadyStopped` | `AlreadyStopped` | `NotEnded` | – | paid, CoolingDown | CoolingDown | – |
//! | CoolingDown | `HasSession` | `AlreadyStopped` | `AlreadyStopped` | none, or `CoolingDown`, `OpenCase`, `LossNotReported` | – | refused | – | – |
//!
//! ## Invariants
//!
//! - I1: paid + treasury + withheld + outstanding = budget elapsed.
//! - I2: Σshare is the sum of the shares of all sessions.
//! - I3: no V is above the highest V_max that is remembered; 0 ≤ h ≤ 1.
//! - I4: outstanding is at least what all sessions are owed.
//! - I5: the pot has at least what it began with less what was paid, and what is due; the reserve's
//!   account has it.
//! - I6: the dense list names each session that has not ended once, at its place.
//! - I7: the V of a platform is the sum of the V of its sessions, at most
//!   [`Config::MaxPlatformValue`].
//! - I8: each open challenge is in a batch that has not been walked yet; stamps of batches ascend.
//! - I9: each unresponsive session is in the queue of silences, and these ascend.
//! - I10: a session that ended has no challenge and no share.
//! - I11: the parameters are within their ranges.
//! - I12: what counts, waits or lies idle of a session's stake is no more than its keeper put there.
//! - I13: sessions have numbers of their own, below the next one; there is none before the economy began.
//! - I14: a session that is to stop computes and has a challenge; its keeper sees its stake.
//!
//! ## Money flow
//!
//! ```text
//! pot ── a block's settlements ─┬─ 80 % ─▶ StakeKeeper::on_paid
//!                               └─ 20 % ─▶ Treasury
//! reserve ── capped per year ─▶ what ReserveOrigin decides
//! ```
//!
//! A settlement books what it pays; the PHA moves once, at the block's end. Nothing is minted. Stake
//! never comes here: what health lost is reported to the ledger of offences.
//!
//! ## Assumptions
//!
//! - `on_poll` runs after the inherents of each block, but not in steps of a multi-block migration and
//!   not where a session of the chain begins: `pallet-session` counts such a block as full. Time that
//!   a block does not count is counted by the next one.
//! - The registry's `OnAttestationChange` is this pallet: an attestation that was renewed without its
//!   word counts as one that had a gap.
//! - [`Config::StakeKeeper`] and the ledger do not call [`Mining`] back.
//! - The keeper has the worker's operator's consent, and holds the stake until it is reclaimed.
//! - `frame_system`'s `BlockHashCount` is larger than any usual answer window.
//! - Heartbeats are admitted in every halt, or [`Config::Admission`] says that they are not.
//!
//! ## Limitations
//!
//! If the relay chain gives no randomness, nobody is challenged, and so nobody is paid. A challenge whose
//! block's hash the chain has forgotten before it was due (a migration of hours) is void. Answers of
//! workers on one side of a network split shorter than the window are late on the other. A network of a
//! few workers is asked more often than twice an hour, as at least one is drawn in each block; there an
//! outage shows only when those that answer are as rarely due as those that do not.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod asset;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod clock;
mod deadlines;
mod draw;
pub mod guard;
mod heartbeat;
#[cfg(any(feature = "try-runtime", test))]
mod invariants;
#[cfg(test)]
mod mock;
mod parameters;
mod sessions;
mod settle;
#[cfg(test)]
mod tests;
mod traits;
pub mod types;
mod views;
pub mod weights;

pub use pallet::*;
#[cfg(feature = "runtime-benchmarks")]
pub use traits::BenchmarkHelper;
pub use traits::{Authorship, RelayRandomness, ServingWorkers};
pub use weights::WeightInfo;

use frame_support::traits::{Get, fungible};
use phala_primitives::{Mining, PlatformId, WorkerKey};
use phala_tokenomics::{Fixed, Parameters, Versions};
use sp_runtime::DispatchError;
use types::{Economy, Record};

/// PHA on its way.
pub type CreditOf<T> =
	fungible::Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// The state that every event needs.
pub type EconomyOf<T> = Economy<<T as frame_system::Config>::AccountId>;
/// A worker's session.
pub type RecordOf<T> = Record<<T as Config>::Keeper>;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::types::*;
	use alloc::vec::Vec;
	use frame_support::{
		PalletId,
		pallet_prelude::*,
		traits::{
			OnUnbalanced, UnixTime,
			fungible::{Balanced, Inspect},
		},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use phala_primitives::{
		AttestedWorkers, HeartbeatStatement, OpenCases, ReportOffence, StakeKeeper, WorkerSignature,
	};
	use phala_tokenomics::{
		Moment, ParameterError, RETENTION, Reserve, ReserveError, ScheduleError, SessionError,
		Settlement, StartError,
	};
	use sp_runtime::traits::{AccountIdConversion, BlockNumberProvider};

	/// The version of what is stored.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// How mining is wired.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<Hash = sp_core::H256, RuntimeEvent: From<Event<Self>>>
	{
		/// PHA.
		type Currency: Inspect<Self::AccountId, Balance = u128> + Balanced<Self::AccountId>;

		/// Names who keeps stake, such as a pool.
		type Keeper: Parameter + MaxEncodedLen;

		/// Keeps the stake and gets the pay.
		type StakeKeeper: StakeKeeper<Self::Keeper, CreditOf<Self>>;

		/// How the ledger of offences names a worker.
		type Offender: From<WorkerKey>;

		/// Takes reports of lost health.
		type Offences: ReportOffence<Self::Offender, Self::AccountId>;

		/// Tells whether stake may leave.
		type Cases: OpenCases<Self::Offender>;

		/// Tells which workers are attested.
		type Workers: AttestedWorkers<Self::AccountId>;

		/// Tells which workers serve paid work: their V grows at full speed.
		type Serving: ServingWorkers;

		/// Draws the challenged.
		type Randomness: RelayRandomness;

		/// Authors of blocks, of whom three must have had a chance to include an answer.
		type Authors: Authorship<Self::AccountId>;

		/// Whether the present block admits heartbeats: true unless a halt or pause keeps them out. If it
		/// is wrongly true, a halt makes everybody unresponsive.
		type Admission: Get<bool>;

		/// Unix time, by which attestations expire.
		type Time: UnixTime;

		/// The clock of everything else: relay-chain blocks.
		type BlockNumberProvider: BlockNumberProvider<BlockNumber = u32>;

		/// Takes the treasury's share. What it refuses would be burnt.
		type Treasury: OnUnbalanced<CreditOf<Self>>;

		/// Changes parameters, within their ranges and by steps.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Spends the reserve, within its yearly cap.
		type ReserveOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The subsidy pot. Its PHA pays for mining and for nothing else.
		#[pallet::constant]
		type PotId: Get<PalletId>;

		/// The reserve.
		#[pallet::constant]
		type ReserveId: Get<PalletId>;

		/// This parachain's id, as statements name it.
		#[pallet::constant]
		type ParaId: Get<u32>;

		/// Plancks that move from the pot to the reserve when the economy begins: what the schedule of
		/// the budget never spends. If the pot has less, all it can spare.
		#[pallet::constant]
		type InitialReserve: Get<u128>;

		/// Most plancks that leave the reserve in a year.
		#[pallet::constant]
		type ReserveYearly: Get<u128>;

		/// Most workers drawn in a block, 1 to 1,000. Bounds the hook; above ⌈2·n/600⌉ it changes
		/// nothing.
		#[pallet::constant]
		type MaxDraws: Get<u32>;

		/// Relay-chain blocks in which a challenge can be answered, at least 1: 20. A short one
		/// convicts those whom the network delays.
		#[pallet::constant]
		type AnswerWindow: Get<u32>;

		/// Blocks of the parachain in which a challenge can be answered, at least 1: 15.
		#[pallet::constant]
		type AnswerBlocks: Get<u32>;

		/// Active steps after which an unresponsive worker is stopped: a day. At most half of what
		/// [`Versions`] remember.
		#[pallet::constant]
		type MaxSilence: Get<u32>;

		/// Relay-chain blocks from the end of a session to its stake: seven days. At least the ledger's
		/// evidence window and [`LongestDeferral`](Self::LongestDeferral).
		#[pallet::constant]
		type CoolDown: Get<u32>;

		/// The deferral that the ledger starts with, in relay-chain blocks. Governance may set a longer one,
		/// which makes stake wait for its open case.
		#[pallet::constant]
		type LongestDeferral: Get<u32>;

		/// Relay-chain blocks between two changes of parameters that take effect, at least 1: seven
		/// days. Without it, a batch of small steps would be a large one.
		#[pallet::constant]
		type ChangeInterval: Get<u32>;

		/// Most that the V of all sessions on one platform add up to, in PHA, at least 1. A low one
		/// keeps large machines from being used; a high one makes one broken machine worth more. Where it
		/// is lowered below what a platform has, that stays, grows no more, and breaks I7 until it fell.
		#[pallet::constant]
		type MaxPlatformValue: Get<u32>;

		/// What the hook may use of a block: at least its base, a full batch and a full draw.
		#[pallet::constant]
		type ServiceWeight: Get<Weight>;

		/// Weights of calls, of what neighbours call, and of the steps of the hook.
		type WeightInfo: WeightInfo;

		/// Sets the stage for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<Self::Keeper>;
	}

	/// The economy. Written in each block and by each event; none before the first block.
	#[pallet::storage]
	pub type State<T: Config> = StorageValue<_, EconomyOf<T>, OptionQuery>;

	/// Parameters, those before and those to come. Written when they change; never removed.
	#[pallet::storage]
	pub type ParameterVersions<T: Config> = StorageValue<_, Versions, OptionQuery>;

	/// Relay-chain block in which parameters changed last.
	#[pallet::storage]
	pub type LastChange<T: Config> = StorageValue<_, u32, OptionQuery>;

	/// The reserve, and what left it this year.
	#[pallet::storage]
	pub type ReserveState<T: Config> = StorageValue<_, Reserve, OptionQuery>;

	/// Sessions by worker. Written by their events; removed when reclaimed.
	// Operators choose keys.
	#[pallet::storage]
	pub type Sessions<T: Config> =
		StorageMap<_, Blake2_128Concat, WorkerKey, RecordOf<T>, OptionQuery>;

	/// The next session's number.
	#[pallet::storage]
	pub type NextSession<T: Config> = StorageValue<_, SessionId, ValueQuery>;

	/// The dense list: workers that can be drawn, by place. Written when a session starts or ends.
	// Places are the chain's own.
	#[pallet::storage]
	pub type Slots<T: Config> = StorageMap<_, Twox64Concat, u32, WorkerKey, OptionQuery>;

	/// How many places of the dense list are taken.
	#[pallet::storage]
	pub type SlotCount<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Where the queues are.
	#[pallet::storage]
	pub type Queues<T: Config> = StorageValue<_, Queue, ValueQuery>;

	/// Challenges by batch, in the order of their deadlines. Removed when they are due.
	// Numbers are the chain's own.
	#[pallet::storage]
	pub type Batches<T: Config> = StorageMap<_, Twox64Concat, u64, BatchOf<T>, OptionQuery>;

	/// Misses of the last day, in their order. Removed after [`Config::MaxSilence`].
	// Numbers are the chain's own.
	#[pallet::storage]
	pub type Silences<T: Config> = StorageMap<_, Twox64Concat, u64, Silence, OptionQuery>;

	/// Sum of the V of a platform's sessions, each at its last event. Removed at zero.
	// A platform's id is a salted hash.
	#[pallet::storage]
	pub type PlatformValues<T: Config> =
		StorageMap<_, Blake2_128Concat, PlatformId, Fixed, ValueQuery>;

	/// Challenges that were issued together.
	#[derive(
		CloneNoBound,
		DebugNoBound,
		PartialEqNoBound,
		EqNoBound,
		Encode,
		Decode,
		MaxEncodedLen,
		TypeInfo,
	)]
	#[scale_info(skip_type_params(Max))]
	pub struct Batch<Max: Get<u32>> {
		/// When.
		pub at: Stamp,
		/// To whom, and in which session.
		pub workers: BoundedVec<(WorkerKey, SessionId), Max>,
	}

	/// [`Batch`] of a runtime.
	pub type BatchOf<T> = Batch<<T as Config>::MaxDraws>;

	/// What mining begins with.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Parameters; those of the launch if none.
		pub parameters: Option<Parameters>,
		/// Nothing.
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			let parameters = self.parameters.clone().unwrap_or_else(Parameters::launch);
			let versions = Versions::new(parameters, Moment::default())
				.unwrap_or_else(|error| panic!("mining's parameters at genesis: {error}"));
			ParameterVersions::<T>::put(versions);
		}
	}

	/// What happened. Amounts in planck.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// The economy began.
		#[codec(index = 0)]
		Begun {
			/// In the pot, for mining.
			endowment: u128,
			/// In the reserve.
			reserve: u128,
		},
		/// A session started.
		#[codec(index = 1)]
		Started {
			/// Who mines.
			worker: WorkerKey,
			/// Number of the session.
			session: SessionId,
			/// Who keeps its stake.
			keeper: T::Keeper,
			/// The stake.
			stake: u128,
			/// V^e.
			v: u128,
		},
		/// Workers were challenged: the hash of the present block seeds their answers.
		#[codec(index = 2)]
		Challenged {
			/// Who, and in which session.
			workers: BoundedVec<(WorkerKey, SessionId), T::MaxDraws>,
		},
		/// A worker answered in time, and what it earned was settled.
		#[codec(index = 3)]
		Settled {
			/// Who.
			worker: WorkerKey,
			/// Where each planck of it went.
			settlement: Settlement,
			/// V after it.
			v: u128,
		},
		/// A worker missed a challenge.
		#[codec(index = 4)]
		Missed {
			/// Who.
			worker: WorkerKey,
			/// Why.
			reason: MissReason,
			/// What it had earned since its last answer, and forfeits.
			forfeited: u128,
			/// What a silence of a day costs.
			at_risk: u128,
		},
		/// An unresponsive worker answered, and computes again.
		#[codec(index = 5)]
		Recovered {
			/// Who.
			worker: WorkerKey,
			/// V now.
			v: u128,
			/// What a stop now would lose.
			at_risk: u128,
		},
		/// An unresponsive worker answered, and stays unresponsive.
		#[codec(index = 6)]
		NotRecovered {
			/// Who.
			worker: WorkerKey,
			/// Why.
			error: RecoveryError,
		},
		/// Stake was added; it counts when the worker has answered.
		#[codec(index = 7)]
		TopUpPending {
			/// To whose.
			worker: WorkerKey,
			/// How much.
			added: u128,
		},
		/// Added stake counts.
		#[codec(index = 8)]
		ToppedUp {
			/// Whose.
			worker: WorkerKey,
			/// How much.
			added: u128,
			/// What its health had lost of the stake of before.
			lost: u128,
			/// V now.
			v: u128,
		},
		/// Added stake does not fit any more. It lies idle until the session is reclaimed: it earns nothing,
		/// and answers for offences like the rest.
		#[codec(index = 9)]
		TopUpRefused {
			/// Whose.
			worker: WorkerKey,
			/// How much.
			added: u128,
			/// Why.
			error: SessionError,
		},
		/// A session will end with its next answer or miss.
		#[codec(index = 10)]
		Stopping {
			/// Whose.
			worker: WorkerKey,
		},
		/// A session ended and cools down.
		#[codec(index = 11)]
		Ended {
			/// Whose.
			worker: WorkerKey,
			/// Why.
			reason: EndReason,
			/// What its health lost of its stake.
			lost: u128,
			/// Relay-chain block in which it can be reclaimed.
			until: u32,
		},
		/// A session is gone.
		#[codec(index = 12)]
		Reclaimed {
			/// Whose.
			worker: WorkerKey,
			/// What its keeper had put behind it.
			staked: u128,
		},
		/// What a session lost is on the ledger of offences.
		#[codec(index = 13)]
		LossReported {
			/// Whose.
			worker: WorkerKey,
			/// How much.
			lost: u128,
		},
		/// The ledger did not take the report of a loss. Anybody can try again.
		#[codec(index = 14)]
		LossNotReported {
			/// Whose.
			worker: WorkerKey,
			/// How much.
			lost: u128,
			/// Why not.
			error: DispatchError,
		},
		/// Parameters will change.
		#[codec(index = 15)]
		ParametersScheduled {
			/// After this relay-chain block.
			at: u32,
			/// To these.
			parameters: Parameters,
		},
		/// Parameters will not change after all.
		#[codec(index = 16)]
		ParametersUnscheduled,
		/// Parameters changed.
		#[codec(index = 17)]
		ParametersChanged,
		/// An outage of the network began: nobody decays until it is over.
		#[codec(index = 18)]
		OutageBegan,
		/// The outage is over.
		#[codec(index = 19)]
		OutageEnded,
		/// PHA left the reserve.
		#[codec(index = 20)]
		ReserveSpent {
			/// To whom.
			beneficiary: T::AccountId,
			/// How much.
			amount: u128,
		},
		/// Something that cannot be. Please report it.
		#[codec(index = 21)]
		Unexpected {
			/// What.
			kind: Unexpected,
		},
	}

	/// What cannot be.
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
	pub enum Unexpected {
		/// The pot has less than what settlements pay. The rest stays due.
		#[codec(index = 0)]
		PotMissing,
		/// The reserve's account has less than the reserve.
		#[codec(index = 1)]
		ReserveMissing,
		/// A queue has a gap.
		#[codec(index = 2)]
		QueueGap,
		/// The dense list has a gap.
		#[codec(index = 3)]
		SlotGap,
		/// An event that the session's state does not allow.
		#[codec(index = 4)]
		WrongState,
		/// Keepers refused pay that they had booked. It stays due.
		#[codec(index = 5)]
		PayRefused,
	}

	/// Why not.
	#[pallet::error]
	pub enum Error<T> {
		/// The economy begins with the next block. Try again then.
		NotBegun,
		/// The worker has no session. Start one.
		NoSession,
		/// The worker has a session, perhaps one that cools down. Reclaim it first.
		HasSession,
		/// The worker's attestation does not count, or not for a worker. Register or renew it.
		NotAttested,
		/// The score is below the least that may mine. Report one, or use a stronger machine.
		ScoreTooLow,
		/// The score is above what can be. Measure again.
		ScoreTooHigh,
		/// The stake is below the minimum for this score. Stake more; see the view `minimum_stake`.
		StakeTooLow,
		/// The stake promises more than V_max. Stake less.
		StakeTooHigh,
		/// The sessions on this machine promise as much as one machine may. Stop another one.
		PlatformFull,
		/// Nothing is added. Add an amount.
		NothingAdded,
		/// The session is told to stop, or has. Start another one when it is reclaimed.
		AlreadyStopped,
		/// The session has not ended. Stop it first.
		NotEnded,
		/// The session cools down. Wait; see the view `session`.
		CoolingDown,
		/// The ledger has not decided a case about the worker. Wait.
		OpenCase,
		/// What the session lost is not on the ledger yet. Call `report_outage`, or wait until twice the
		/// cool-down has passed.
		LossNotReported,
		/// There is no loss to report.
		NothingToReport,
		/// No challenge waits for this answer.
		NoChallenge,
		/// A figure is outside of its range. See `Parameters::validate`.
		OutOfRange,
		/// A figure moves by more than a factor of two. Take smaller steps.
		StepTooLarge,
		/// The change takes effect too soon after the last one, or in the past. Choose a later block.
		TooSoon,
		/// Three changes took effect within two days. Wait.
		TooManyChanges,
		/// No change is scheduled.
		NothingScheduled,
		/// The reserve has less than that.
		ReserveInsufficient,
		/// More than is left of this year's cap. Spend less, or next year.
		ReserveOverCap,
	}

	impl<T> From<StartError> for Error<T> {
		fn from(error: StartError) -> Self {
			match error {
				StartError::ScoreTooLow => Self::ScoreTooLow,
				StartError::ScoreTooHigh => Self::ScoreTooHigh,
				StartError::StakeTooLow => Self::StakeTooLow,
				StartError::StakeTooHigh => Self::StakeTooHigh,
			}
		}
	}

	impl<T> From<ScheduleError> for Error<T> {
		fn from(error: ScheduleError) -> Self {
			match error {
				ScheduleError::OutOfRange(_) => Self::OutOfRange,
				ScheduleError::NotInFuture => Self::TooSoon,
				ScheduleError::TooManyChanges => Self::TooManyChanges,
			}
		}
	}

	impl<T> From<ParameterError> for Error<T> {
		fn from(_: ParameterError) -> Self {
			Self::OutOfRange
		}
	}

	impl<T> From<ReserveError> for Error<T> {
		fn from(error: ReserveError) -> Self {
			match error {
				ReserveError::Insufficient => Self::ReserveInsufficient,
				ReserveError::OverCap => Self::ReserveOverCap,
			}
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// What [`on_finalize`](Self::on_finalize) takes.
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			T::WeightInfo::pay_due()
		}

		fn on_poll(number: BlockNumberFor<T>, meter: &mut WeightMeter) {
			Self::poll(number, meter);
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			Self::pay_due();
		}

		fn integrity_test() {
			assert!((1..=1_000).contains(&T::MaxDraws::get()), "MaxDraws is 1 to 1,000");
			assert!(T::AnswerWindow::get() > 0, "AnswerWindow is at least 1");
			assert!(T::AnswerBlocks::get() > 0, "AnswerBlocks is at least 1");
			assert!(
				(1..=RETENTION / 2).contains(&T::MaxSilence::get()),
				"MaxSilence is at most half of what versions are remembered for"
			);
			assert!(
				T::CoolDown::get()
					>= T::Offences::evidence_window().saturating_add(T::LongestDeferral::get()),
				"CoolDown covers the evidence window and the deferral"
			);
			assert!(T::ChangeInterval::get() > 0, "ChangeInterval is at least 1");
			assert!(T::MaxPlatformValue::get() > 0, "MaxPlatformValue is at least 1 PHA");
			assert!(T::PotId::get() != T::ReserveId::get(), "pot and reserve are two accounts");
			let least = Self::full_service();
			assert!(
				T::ServiceWeight::get().all_gte(least),
				"ServiceWeight has room for a full batch and a full draw: {least}"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Answer a challenge. Needs no account and costs no fee: it is a general transaction, admitted
		/// only if it answers an open challenge and is signed by the worker. As a signed extrinsic it
		/// fails, and its signer pays the fee.
		///
		/// - `statement`: what the worker states.
		/// - `signature`: by the worker's attested key, over the statement's message.
		#[pallet::call_index(0)]
		// Without `Pays::No`: nobody is charged for what no account signs, and with it, anybody could fill
		// blocks with signed ones for nothing.
		#[pallet::weight((T::WeightInfo::heartbeat(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_answer)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_heartbeat())]
		pub fn heartbeat(
			origin: OriginFor<T>,
			statement: HeartbeatStatement,
			signature: WorkerSignature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			let _ = signature;
			Self::do_heartbeat(statement)
		}

		/// Let the parameters be others after relay-chain block `at`, in the place of others that were
		/// scheduled. Each figure stays within its range and moves by at most a factor of two.
		///
		/// - `origin`: must pass `AdminOrigin`.
		/// - `parameters`: all of them.
		/// - `at`: at least `ChangeInterval` after the last change, and not in the past.
		#[pallet::call_index(1)]
		pub fn schedule_parameters(
			origin: OriginFor<T>,
			parameters: Parameters,
			at: u32,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_schedule(parameters, at)
		}

		/// Take back what was scheduled.
		///
		/// - `origin`: must pass `AdminOrigin`.
		#[pallet::call_index(2)]
		pub fn unschedule_parameters(origin: OriginFor<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_unschedule()
		}

		/// Report what a session lost to the ledger of offences again, after the ledger refused. Free if
		/// it works.
		///
		/// - `origin`: signed, by anybody.
		/// - `worker`: whose session ended.
		#[pallet::call_index(3)]
		pub fn report_outage(
			origin: OriginFor<T>,
			worker: WorkerKey,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_report_outage(&worker)?;
			Ok(Pays::No.into())
		}

		/// Spend PHA of the reserve, within its yearly cap.
		///
		/// - `origin`: must pass `ReserveOrigin`.
		/// - `beneficiary`: who gets it.
		/// - `amount`: how many plancks.
		#[pallet::call_index(4)]
		pub fn spend_reserve(
			origin: OriginFor<T>,
			beneficiary: T::AccountId,
			amount: u128,
		) -> DispatchResult {
			T::ReserveOrigin::ensure_origin(origin)?;
			Self::do_spend_reserve(beneficiary, amount)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The session of a worker.
		pub fn session(worker: WorkerKey) -> Option<SessionView<T::Keeper>> {
			Self::view_session(&worker)
		}

		/// What an on-time answer would settle now, at the speed and tier of the last one: `pool` is
		/// what the keeper would get.
		pub fn pending_rewards(worker: WorkerKey) -> Option<Settlement> {
			Self::view_pending(&worker)
		}

		/// Yearly return of the stake before the keeper's commission, if everything stays as it is.
		pub fn apr(worker: WorkerKey) -> Option<Apr> {
			Self::view_apr(&worker)
		}

		/// What keeps a worker from being paid in full. Nothing, if the list is empty.
		pub fn why_unpaid(worker: WorkerKey) -> Vec<WhyUnpaid> {
			Self::view_why_unpaid(&worker)
		}

		/// Until when a worker can answer its open challenge.
		pub fn next_challenge_deadline(worker: WorkerKey) -> Option<Deadline> {
			Self::view_deadline(&worker)
		}

		/// The least stake, in planck, with which a worker could start now.
		pub fn minimum_stake(worker: WorkerKey) -> Option<u128> {
			<Self as Mining<T::Keeper>>::minimum_stake(&worker)
		}

		/// The economy as a whole.
		pub fn economy() -> Option<EconomyView> {
			Self::view_economy()
		}

		/// The parameters in force.
		pub fn parameters() -> Option<Parameters> {
			ParameterVersions::<T>::get().map(|versions| versions.current().clone())
		}
	}

	impl<T: Config> Pallet<T> {
		/// Account of the subsidy pot.
		pub fn pot() -> T::AccountId {
			T::PotId::get().into_account_truncating()
		}

		/// Account of the reserve.
		pub fn reserve() -> T::AccountId {
			T::ReserveId::get().into_account_truncating()
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Runs an event of the economy at this moment, and stores it if the event happens.
	pub(crate) fn act<R, E: From<Error<T>>>(
		event: impl FnOnce(&mut EconomyOf<T>, &Versions) -> Result<R, E>,
	) -> Result<R, E> {
		let (mut economy, versions) = Self::present().ok_or(Error::<T>::NotBegun)?;
		let result = event(&mut economy, &versions)?;
		State::<T>::put(economy);
		Ok(result)
	}

	/// The economy, and the parameters, at this moment.
	pub(crate) fn present() -> Option<(EconomyOf<T>, Versions)> {
		Some((State::<T>::get()?, ParameterVersions::<T>::get()?))
	}
}
