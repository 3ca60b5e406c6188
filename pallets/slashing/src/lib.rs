//! # Slashing
//!
//! One ledger of offences for the whole network: typed offence and evidence, a fraction, a deferral in
//! which governance can cancel, then application in bounded steps.
//!
//! ## Overview
//!
//! Pallets that see an offence report it through [`ReportOffence`](phala_primitives::ReportOffence);
//! accounts can accuse, with a bond, where only people can judge. Whoever keeps stake implements
//! [`Slashable`]: the ledger announces a suspected loss to it at once, so that the price of a share
//! falls before anybody can leave, and later takes it or gives it back. What is taken goes to
//! [`Config::OnSlash`] as an imbalance; nothing is burnt or minted.
//!
//! ## Terminology
//!
//! - *Offender*: what has stake at risk, such as a worker. *Liable*: the account that answers for it.
//! - *Class*: kind of offence. Its row in the governed table ([`Policy`]) has the base fraction, the
//!   figure of correlation, the ceiling, and who may report.
//! - *Severity*: how bad a fault was, of the worst that its class knows. Multiplies the fraction.
//! - *Tranche*: a suspected loss, set aside by the slashable for those who bore it.
//! - *Era*: [`Config::EraLength`] relay-chain blocks. Offences of one class and era act on each other's
//!   fraction ([`maths::fraction`]), and the ceiling is per class and era of application.
//!
//! ## Lifecycle
//!
//! ```text
//! accuse ─▶ Accusation ── convict ──▶┐                    ┌────── cancel, pardon ──────┐
//!             │    │                 │                    │                            ▼
//!             │    └─ lapse          ├─▶ Deferred ── due ─┴▶ Applying ──┐          Cancelled ─▶ forgotten
//!             └─ dismiss      report ┘   suspected           ceilings   └▶ Applied ────────────▶ forgotten
//! ```
//!
//! | Trigger | What happens |
//! |---|---|
//! | report, `convict` | fraction by what is known → tranche → last in its class's queue, due after [`Parameters::deferral`] |
//! | the slashable has no room for a tranche | recorded all the same; tried again when it is due, for at most another deferral |
//! | the era's fraction of a raised class has doubled | a walk raises the open offences |
//! | due | *weighed*: all offences of its era are known, so that the fraction is final; the difference is given back or suspected too |
//! | weighed | taken tranche by tranche while the era's budget lasts; the rest waits for the next era |
//! | `cancel`, `pardon` | what is still suspected is given back |
//! | the chain stood still for more than [`Config::StallAfter`] | nothing is weighed or taken for as long as it did, at most a deferral: nobody could appeal meanwhile |
//! | closed for [`Config::Retention`] | forgotten, with its nullifier |
//!
//! `on_poll` does these steps within [`Config::ServiceWeight`], all classes in turn; anybody can do them
//! with [`Pallet::apply`], [`MAX_STEPS`] at a time, which is free if it does something.
//!
//! ## Invariants
//!
//! - I1: a class's offences are on record exactly from `oldest` to `next`; those before `head` are
//!   closed.
//! - I2: offences of a class are due in the order of their numbers.
//! - I3: what an offence's tranches have left is what the slashable says. A closed one has none.
//! - I4: bonds on hold are those of the accusations and open offences, for each account on record.
//! - I5: no era takes more from a class than its limit.
//! - I6: the exposure of a class and era counts its open offences, and weighs those not cancelled, also
//!   after they were forgotten.
//! - I7: the open cases of an offender are its accusations and open offences.
//! - I8: every offence on record and every accusation has its nullifier, so that its evidence is
//!   refused; that of an accusation keeps no proof out.
//! - I9: the index by account names exactly the offences on record.
//! - I10: policies and parameters are within their ranges, accusations within their number.
//! - I11: the hook sleeps no longer than until the first offence can be weighed or taken.
//!
//! ## Money flow
//!
//! ```text
//! own stake ────┬─ 90 % ─▶ OnSlash (treasury)      bond ─┬─ upheld, dismissed, not judged ─▶ accuser
//!               └─ 10 % ─▶ reporter, if any              └─ false: all; not judged: fee ──▶ OnSlash
//! others' stake ─── 100 % ─▶ OnSlash
//! ```
//!
//! ## Assumptions
//!
//! - What a [`Slashable`] says of a tranche stays true until the ledger changes it, also when the
//!   offender is gone; its methods take bounded time and do not call the ledger.
//! - Stake stays slashable for [`Config::EvidenceWindow`] after its holder's last chance to offend, and
//!   for as long as [`OpenCases`](phala_primitives::OpenCases) says so. Where
//!   [`Slashable::could_offend`] tells when that was, accusations keep it no longer than the window and
//!   one judgement.
//! - Evidence hashes name a fault in one form only.
//! - [`Config::EraLength`] and [`Config::EvidenceWindow`] stay as they are while offences are open.
//!
//! ## Limitations
//!
//! A part of a slash that has been taken is not given back by `cancel`; compensation is a treasury
//! spend. A policy's change takes effect for new offences, that of a ceiling with the next era. Faults
//! on two sides of an era's boundary are weighed apart. A loss that grows falls on the stake of the report
//! only where the slashable can tell it ([`Slashable::suspect_more`]).

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod asset;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
#[cfg(any(feature = "try-runtime", test))]
mod invariants;
pub mod maths;
#[cfg(test)]
mod mock;
pub mod policy;
mod queue;
mod record;
mod service;
#[cfg(test)]
mod tests;
pub mod types;
mod views;
pub mod weights;

pub use pallet::*;
pub use policy::{Parameters, Policy};
pub use record::ReportsFrom;
pub use weights::WeightInfo;

use frame_support::{
	traits::{Get, fungible},
	weights::Weight,
};
use phala_primitives::{OffenceClass, Slashable};
use policy::{Enacted, Scale};
use sp_runtime::traits::BlockNumberProvider;
use types::{Accusation, Offence};

/// Most steps that one [`Pallet::apply`] does: as many as fit a transaction with room to spare, however
/// dear a step is. `integrity_test` compares it with the block.
pub const MAX_STEPS: u32 = 4;

/// Taken PHA on its way.
pub type CreditOf<T> =
	fungible::Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// An entry of the ledger.
pub type OffenceOf<T> = Offence<
	<T as frame_system::Config>::AccountId,
	<T as Config>::Offender,
	<T as Config>::Tranche,
>;
/// A report that waits for the judges.
pub type AccusationOf<T> =
	Accusation<<T as frame_system::Config>::AccountId, <T as Config>::Offender>;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::{
		policy::Refusal,
		types::{AccusationId, EraExposure, Queue, WhySlashed},
	};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			OnUnbalanced,
			fungible::{Balanced, BalancedHold, Inspect, InspectHold, MutateHold},
		},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use phala_primitives::{EvidenceHash, OffenceId};
	use sp_core::H256;
	use sp_runtime::Perquintill;

	/// The version of what is stored.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// How the ledger is wired.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// PHA.
		type Currency: Inspect<Self::AccountId, Balance = u128>
			+ Balanced<Self::AccountId>
			+ InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
			+ MutateHold<Self::AccountId>
			+ BalancedHold<Self::AccountId>;

		/// Why PHA is on hold.
		type RuntimeHoldReason: From<HoldReason>;

		/// Names what has stake at risk.
		type Offender: Parameter + MaxEncodedLen;

		/// Names a suspected loss.
		type Tranche: Parameter + MaxEncodedLen;

		/// Keeps the stake.
		type Slashable: Slashable<
				Self::Offender,
				AccountId = Self::AccountId,
				Credit = CreditOf<Self>,
				Tranche = Self::Tranche,
			>;

		/// Takes what is slashed: the treasury. What it refuses would be burnt.
		type OnSlash: OnUnbalanced<CreditOf<Self>>;

		/// The clock: relay-chain blocks.
		type BlockNumberProvider: BlockNumberProvider<BlockNumber = u32>;

		/// Changes policies and parameters, within their ranges.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Cancels offences: the DAO's appeal.
		type CancelOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Judges accusations.
		type JudgeOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Relay-chain blocks of an era, at least 1: one day. Shorter eras correlate less and take more
		/// per day.
		#[pallet::constant]
		type EraLength: Get<u32>;

		/// Relay-chain blocks for which an offence can be reported after it was committed, at least 1:
		/// three days. A longer one keeps stake from leaving for longer.
		#[pallet::constant]
		type EvidenceWindow: Get<u32>;

		/// Relay-chain blocks for which closed offences stay on record, more than the evidence window, so
		/// that evidence is too old before its nullifier goes.
		#[pallet::constant]
		type Retention: Get<u32>;

		/// Relay-chain blocks between two changes of the same policy or of the parameters, at least 1:
		/// seven days. Without it, one batch of small steps would be a large one.
		#[pallet::constant]
		type ChangeInterval: Get<u32>;

		/// Plancks of one PHA, at least 1: the unit in which ranges of parameters are given.
		#[pallet::constant]
		type Unit: Get<u128>;

		/// Most accusations that are open at a time, 1 to 1,024. The bond doubles with every
		/// [`maths::ACCUSATIONS_PER_DOUBLING`]: to fill 256 places with the first bond at 100 PHA takes a
		/// tenth of all PHA, but 64 places only 24,000 PHA, and then no accusation gets in any more.
		#[pallet::constant]
		type MaxAccusations: Get<u32>;

		/// Relay-chain blocks without one of ours, or with none that ran hooks, that count as a stall, at
		/// least 2: an hour. What is due then waits for as long as the stall lasted. A short one delays
		/// slashes for the usual gaps between blocks.
		#[pallet::constant]
		type StallAfter: Get<u32>;

		/// What the hook may use of a block: at least four steps.
		#[pallet::constant]
		type ServiceWeight: Get<Weight>;

		/// Weights of the calls and steps.
		type WeightInfo: WeightInfo;

		/// Sets the stage for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: benchmarking::BenchmarkHelper<Self::Offender>;
	}

	/// Why this pallet holds PHA.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Bond for an accusation, until it is judged and what follows is closed.
		#[codec(index = 0)]
		ReporterBond,
	}

	/// The ledger: offences by class and number. Written when one is recorded and at each of its
	/// steps; removed [`Config::Retention`] after it was closed.
	// Both keys are the chain's own.
	#[pallet::storage]
	pub type Ledger<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		OffenceClass,
		Twox64Concat,
		u64,
		OffenceOf<T>,
		OptionQuery,
	>;

	/// For each class, where its queue is. Written with the ledger; never removed.
	#[pallet::storage]
	pub type Queues<T: Config> = StorageMap<_, Twox64Concat, OffenceClass, Queue, ValueQuery>;

	/// Relay-chain block before which the hook has nothing to do.
	#[pallet::storage]
	pub type WakeAt<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Relay-chain block in which the chain was last seen alive, at most half of
	/// [`Config::StallAfter`] ago while it is.
	#[pallet::storage]
	pub type LastSeen<T: Config> = StorageValue<_, u32, OptionQuery>;

	/// Relay-chain block before which nothing is weighed or taken, because of a stall.
	#[pallet::storage]
	pub type QuietUntil<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// What the offences of a class and era add up to. Written when one is recorded, cancelled or
	/// applied; removed when none of them is open any more: by then no other can be reported, or all
	/// were cancelled.
	#[pallet::storage]
	pub type EraExposures<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		OffenceClass,
		Twox64Concat,
		u32,
		EraExposure,
		OptionQuery,
	>;

	/// Accusations that wait for the judges. Removed when they are judged or lapse.
	#[pallet::storage]
	pub type Accusations<T: Config> =
		CountedStorageMap<_, Twox64Concat, AccusationId, AccusationOf<T>, OptionQuery>;

	/// The next accusation's number.
	#[pallet::storage]
	pub type NextAccusation<T: Config> = StorageValue<_, AccusationId, ValueQuery>;

	/// Hashes of class, offender and evidence that are not accepted again, apart for offences and for
	/// accusations. Those of offences are removed with them; those of accusations when they lapse or
	/// are dismissed without blame. Of false and upheld accusations they stay: a bond was put up for
	/// each.
	// The key is a hash.
	#[pallet::storage]
	pub type Nullifiers<T: Config> = StorageMap<_, Identity, H256, (), OptionQuery>;

	/// How many accusations and open offences there are of an offender. Removed at zero.
	// Users choose what names their workers.
	#[pallet::storage]
	pub type OpenCases<T: Config> = StorageMap<_, Blake2_128Concat, T::Offender, u32, OptionQuery>;

	/// Offences on record by the account that is liable. Removed with the offence.
	// Users choose their accounts.
	#[pallet::storage]
	pub type Liable<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Twox64Concat,
		OffenceId,
		(),
		OptionQuery,
	>;

	/// Policies that governance has changed; the others are as a chain starts with them.
	#[pallet::storage]
	pub type Policies<T: Config> =
		StorageMap<_, Twox64Concat, OffenceClass, Enacted<Policy>, OptionQuery>;

	/// The parameters, if governance has changed them.
	#[pallet::storage]
	pub type ParametersInForce<T: Config> = StorageValue<_, Enacted<Parameters>, OptionQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Somebody accuses an offender.
		Accused {
			/// The accusation.
			id: AccusationId,
			/// Kind of offence.
			class: OffenceClass,
			/// Who is accused.
			offender: T::Offender,
			/// Who accuses.
			accuser: T::AccountId,
			/// What the accuser has on hold.
			bond: u128,
			/// Last relay-chain block in which it can be judged.
			expires: u32,
		},
		/// The judges agreed with an accusation.
		AccusationUpheld {
			/// The accusation.
			id: AccusationId,
			/// The offence that it became.
			offence: OffenceId,
		},
		/// The judges rejected an accusation.
		AccusationDismissed {
			/// The accusation.
			id: AccusationId,
			/// Was it false?
			is_false: bool,
			/// What was kept of the bond.
			kept: u128,
		},
		/// Nobody judged an accusation in time.
		AccusationLapsed {
			/// The accusation.
			id: AccusationId,
			/// What was kept of the bond.
			kept: u128,
		},
		/// An offence was recorded, its loss announced.
		OffenceRecorded {
			/// The offence.
			id: OffenceId,
			/// Whose stake answers.
			offender: T::Offender,
			/// The account that answers.
			liable: T::AccountId,
			/// What proves it.
			evidence: EvidenceHash,
			/// Fraction of the stake, by what is known.
			fraction: Perquintill,
			/// What is suspected.
			suspected: u128,
			/// Relay-chain block in which it is due.
			due: u32,
		},
		/// Others offended in the same era: more is suspected.
		SuspicionRaised {
			/// The offence.
			id: OffenceId,
			/// What is suspected now.
			suspected: u128,
		},
		/// The slashable had no room to set (more) aside. It is asked again when the offence is due.
		RaiseRefused {
			/// The offence.
			id: OffenceId,
			/// What it was asked for.
			amount: u128,
			/// What it said.
			error: DispatchError,
		},
		/// What an offence costs is final.
		OffenceWeighed {
			/// The offence.
			id: OffenceId,
			/// Fraction of the stake.
			fraction: Perquintill,
			/// What will be taken.
			amount: u128,
			/// What was suspected beyond it and has been given back.
			restored: u128,
		},
		/// A part was taken.
		Slashed {
			/// The offence.
			id: OffenceId,
			/// How much, counting what is collected later.
			charged: u128,
			/// Of it, to the reporter.
			rewarded: u128,
			/// What is still to be taken.
			remaining: u128,
		},
		/// The era takes no more from a class.
		CeilingReached {
			/// The class.
			class: OffenceClass,
			/// First relay-chain block of the next era.
			until: u32,
		},
		/// The chain had stood still. Nothing is weighed or taken for a while, so that there is time to
		/// appeal.
		StallNoticed {
			/// Relay-chain blocks for which it did.
			blocks: u32,
			/// First relay-chain block in which slashes are applied again.
			quiet_until: u32,
		},
		/// All of an offence has been taken.
		OffenceApplied {
			/// The offence.
			id: OffenceId,
			/// How much.
			charged: u128,
		},
		/// Governance cancelled an offence.
		OffenceCancelled {
			/// The offence.
			id: OffenceId,
			/// What was given back, in all.
			restored: u128,
			/// What had been taken before.
			charged: u128,
		},
		/// A judged offence is closed, and its reporter's bond is free.
		BondReleased {
			/// The offence.
			id: OffenceId,
			/// What was kept of the bond.
			kept: u128,
		},
		/// Governance cancels all open offences of a class in a range, step by step.
		PardonBegun {
			/// The class.
			class: OffenceClass,
			/// The first number.
			first: u64,
			/// The last number.
			last: u64,
		},
		/// A class's policy changed.
		PolicyChanged {
			/// The class.
			class: OffenceClass,
			/// The policy.
			policy: Policy,
		},
		/// The parameters changed.
		ParametersChanged {
			/// The parameters.
			parameters: Parameters,
		},
		/// Something happened that cannot. The chain goes on; tell the developers.
		Unexpected {
			/// What.
			kind: Unexpected,
		},
	}

	/// What cannot happen.
	#[derive(
		Copy,
		Clone,
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
		/// A bond was not on hold.
		#[codec(index = 0)]
		BondMissing,
		/// An offender had no open case to close.
		#[codec(index = 1)]
		NoOpenCase,
		/// A slashable took more than it was asked for.
		#[codec(index = 2)]
		TookTooMuch,
	}

	/// Why a call or report was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The class's policy does not let this authority report. Report another class, or have the
		/// policy changed.
		NotAllowedToReport,
		/// There is no such offender. Check its name; it may have left.
		UnknownOffender,
		/// The account is liable for the offender itself. Let somebody else report.
		SelfReport,
		/// The same evidence against the same offender is on record. There is nothing left to do.
		AlreadyReported,
		/// The offence lies in the future. Give the relay-chain block in which it was committed.
		FromTheFuture,
		/// The offence was committed longer ago than the evidence window. It can no longer be reported.
		EvidenceTooOld,
		/// There is no stake, or too little for the severity to take anything of it.
		NothingAtStake,
		/// Too many accusations are open. Wait until one is judged or lapses.
		TooManyAccusations,
		/// There is no such accusation. It may have been judged, or have lapsed.
		AccusationNotFound,
		/// The accusation was not judged in time. Let it lapse; it can be filed again.
		AccusationLapsed,
		/// The accusation can still be judged. Wait until it expires.
		NotLapsedYet,
		/// There is no such offence on record. Check class and number; it may have been forgotten.
		OffenceNotFound,
		/// The offence is applied or cancelled. What was taken can be paid back by a treasury spend.
		AlreadyClosed,
		/// A pardon of this class is under way. Wait until it is through.
		PardonRunning,
		/// Nothing of this class is due. View function `due` tells when it is.
		NothingDue,
		/// Governance's change was refused.
		Refused(Refusal),
		/// The offender could not offend any more in that block. Give the one in which it did.
		NothingAtStakeThen,
	}

	impl<T> From<Refusal> for Error<T> {
		fn from(refusal: Refusal) -> Self {
			Self::Refused(refusal)
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_now: BlockNumberFor<T>, weight: &mut WeightMeter) {
			let limit = weight.remaining().min(T::ServiceWeight::get());
			let mut meter = WeightMeter::with_limit(limit);
			Self::serve(&mut meter);
			weight.consume(meter.consumed());
		}

		fn integrity_test() {
			assert!(T::EraLength::get() > 0, "an era has at least one block");
			assert!(T::EvidenceWindow::get() > 0, "evidence takes time");
			assert!(T::ChangeInterval::get() > 0, "a batch is not a way around the step");
			assert!(T::StallAfter::get() > 1, "blocks have gaps");
			assert!(T::Retention::get() > T::EvidenceWindow::get(), "old evidence stays refused");
			assert!((1..=1024).contains(&T::MaxAccusations::get()), "1 to 1,024 accusations");
			assert!(T::Unit::get() > 0, "ranges of amounts are not empty");
			assert!(
				Parameters::initial(Self::scale()).is_valid(Self::scale()),
				"initial parameters are within their ranges"
			);
			for class in OffenceClass::ALL {
				assert!(Policy::initial(class).is_valid(class), "initial policies are in range");
			}
			let least = T::WeightInfo::serve_asleep()
				.saturating_add(T::WeightInfo::serve_awake())
				.saturating_add(Self::step_weight().saturating_mul(4));
			assert!(T::ServiceWeight::get().all_gte(least), "a block has room for four steps");
			let blocks = T::BlockWeights::get();
			if let Some(most) = blocks.get(DispatchClass::Normal).max_extrinsic {
				assert!(Self::apply_weight(MAX_STEPS).all_lte(most), "the steps fit a transaction");
			}
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Accuse an offender of what no pallet can see. Nothing is suspected until the judges agree;
		/// but the offender's stake cannot leave before they have decided, or the accusation lapses.
		///
		/// - `origin`: signed, by an account that is not liable for the offender. The bond (view function
		///   `bond`) is put on hold. It is lost if the accusation is false, and a part of it if nobody
		///   judges in time.
		/// - `class`: an offence whose policy accepts accusations.
		/// - `offender`: who is accused.
		/// - `committed`: relay-chain block of the act, within the evidence window, in which the offender
		///   could still offend.
		/// - `evidence`: hash of the evidence, which is to be published off chain.
		#[pallet::call_index(0)]
		pub fn accuse(
			origin: OriginFor<T>,
			class: OffenceClass,
			offender: T::Offender,
			committed: u32,
			evidence: EvidenceHash,
		) -> DispatchResult {
			let accuser = ensure_signed(origin)?;
			Self::do_accuse(accuser, class, offender, committed, evidence)
		}

		/// Close an accusation that was not judged in time. The bond, less the lapse fee, is free again.
		///
		/// - `origin`: signed, by anybody.
		/// - `id`: the accusation.
		#[pallet::call_index(1)]
		pub fn lapse(origin: OriginFor<T>, id: AccusationId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_lapse(id)
		}

		/// Agree with an accusation. It becomes an offence that is deferred like any other.
		///
		/// - `origin`: must pass `JudgeOrigin`.
		/// - `id`: the accusation.
		/// - `severity`: how bad it was, of the worst that its class knows.
		#[pallet::call_index(2)]
		pub fn convict(
			origin: OriginFor<T>,
			id: AccusationId,
			severity: Perquintill,
		) -> DispatchResult {
			T::JudgeOrigin::ensure_origin(origin)?;
			Self::do_convict(id, severity)
		}

		/// Reject an accusation.
		///
		/// - `origin`: must pass `JudgeOrigin`.
		/// - `id`: the accusation.
		/// - `is_false`: whether the accuser should have known better; then the bond is lost.
		#[pallet::call_index(3)]
		pub fn dismiss(origin: OriginFor<T>, id: AccusationId, is_false: bool) -> DispatchResult {
			T::JudgeOrigin::ensure_origin(origin)?;
			Self::do_dismiss(id, is_false)
		}

		/// Cancel an open offence: all that is still suspected is given back.
		///
		/// - `origin`: must pass `CancelOrigin`.
		/// - `id`: the offence.
		/// - `false_report`: whether the accuser's bond is lost, if there was an accuser.
		#[pallet::call_index(4)]
		pub fn cancel(origin: OriginFor<T>, id: OffenceId, false_report: bool) -> DispatchResult {
			T::CancelOrigin::ensure_origin(origin)?;
			Self::do_cancel(id, false_report)
		}

		/// Cancel every open offence of a class in a range of numbers, such as after a fault of the chain
		/// itself. Runs in steps; nothing of the class is applied meanwhile.
		///
		/// - `origin`: must pass `CancelOrigin`.
		/// - `class`: the class.
		/// - `first`, `last`: the range, with both ends.
		#[pallet::call_index(5)]
		pub fn pardon(
			origin: OriginFor<T>,
			class: OffenceClass,
			first: u64,
			last: u64,
		) -> DispatchResult {
			T::CancelOrigin::ensure_origin(origin)?;
			Self::do_pardon(class, first, last)
		}

		/// Do steps that are due, as the hook does. Free if there was one to do.
		///
		/// - `origin`: signed, by anybody.
		/// - `class`: whose steps.
		/// - `steps`: how many at most. More than [`MAX_STEPS`] are as many.
		#[pallet::call_index(6)]
		#[pallet::weight(Pallet::<T>::apply_weight(*steps))]
		pub fn apply(
			origin: OriginFor<T>,
			class: OffenceClass,
			steps: u32,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let steps = steps.min(MAX_STEPS);
			let done = Self::do_apply(class, steps)?;
			// The step that found nothing more to do was weighed as well.
			Ok((Some(Self::apply_weight(done.saturating_add(1).min(steps))), Pays::No).into())
		}

		/// Change a class's policy, within its ranges, by at most a factor of two.
		///
		/// - `origin`: must pass `AdminOrigin`.
		/// - `class`: the class.
		/// - `policy`: the policy for new offences.
		#[pallet::call_index(7)]
		pub fn set_policy(
			origin: OriginFor<T>,
			class: OffenceClass,
			policy: Policy,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			let old = Policies::<T>::get(class);
			let value = Self::check_interval(old.map(|old| (old.value, old.since)))?;
			value
				.unwrap_or_else(|| Policy::initial(class))
				.check_change(class, &policy)
				.map_err(Error::<T>::from)?;
			Policies::<T>::insert(class, Enacted { value: policy, since: Self::now() });
			Self::deposit_event(Event::PolicyChanged { class, policy });
			Ok(())
		}

		/// Change the parameters, within their ranges, by at most a factor of two.
		///
		/// - `origin`: must pass `AdminOrigin`.
		/// - `parameters`: the parameters from now on.
		#[pallet::call_index(8)]
		pub fn set_parameters(origin: OriginFor<T>, parameters: Parameters) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			let old = ParametersInForce::<T>::get();
			let value = Self::check_interval(old.map(|old| (old.value, old.since)))?;
			let scale = Self::scale();
			value
				.unwrap_or_else(|| Parameters::initial(scale))
				.check_change(&parameters, scale)
				.map_err(Error::<T>::from)?;
			ParametersInForce::<T>::put(Enacted { value: parameters, since: Self::now() });
			Self::deposit_event(Event::ParametersChanged { parameters });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Up to 100 offences on record for which `who` is liable, those after `after` if given. In no
		/// particular order; ask again with the last one until there are none.
		pub fn offences_of(
			who: T::AccountId,
			after: Option<OffenceId>,
		) -> Vec<(OffenceId, OffenceOf<T>)> {
			Self::view_offences_of(&who, after)
		}

		/// Why an offence costs what it costs, and how far it is.
		pub fn why_slashed(id: OffenceId) -> Option<WhySlashed<OffenceOf<T>>> {
			Self::view_why_slashed(id)
		}

		/// Relay-chain block before which nothing (more) of an offence is taken. Until the one that an
		/// offence is due in, all of it can be cancelled. `None` if it is closed or not on record.
		pub fn due(id: OffenceId) -> Option<u32> {
			Self::view_why_slashed(id)?.not_before
		}

		/// Open accusations against an offender.
		pub fn accusations_against(offender: T::Offender) -> Vec<(AccusationId, AccusationOf<T>)> {
			Accusations::<T>::iter().filter(|(_, one)| one.offender == offender).collect()
		}

		/// The bond for an accusation filed now, in plancks.
		pub fn bond() -> u128 {
			maths::bond(Self::parameters_now().bond, Accusations::<T>::count())
		}

		/// The policy of a class.
		pub fn policy(class: OffenceClass) -> Policy {
			Self::policy_of(class)
		}

		/// The parameters.
		pub fn parameters() -> Parameters {
			Self::parameters_now()
		}
	}
}

impl<T: Config> Pallet<T> {
	/// This moment, in relay-chain blocks.
	pub(crate) fn now() -> u32 {
		T::BlockNumberProvider::current_block_number()
	}

	/// The era of a relay-chain block.
	pub(crate) fn era_of(block: u32) -> u32 {
		block.checked_div(T::EraLength::get()).unwrap_or(block)
	}

	/// The first relay-chain block of an era.
	pub(crate) fn era_start(era: u32) -> u32 {
		era.saturating_mul(T::EraLength::get())
	}

	/// The policy in force.
	pub(crate) fn policy_of(class: OffenceClass) -> Policy {
		Policies::<T>::get(class).map_or_else(|| Policy::initial(class), |enacted| enacted.value)
	}

	/// The parameters in force.
	pub(crate) fn parameters_now() -> Parameters {
		let initial = || Parameters::initial(Self::scale());
		ParametersInForce::<T>::get().map_or_else(initial, |enacted| enacted.value)
	}

	/// What ranges of parameters are made of.
	pub(crate) fn scale() -> Scale {
		Scale {
			era: T::EraLength::get(),
			evidence_window: T::EvidenceWindow::get(),
			unit: T::Unit::get(),
		}
	}

	/// Has the last change had its time? Passes its value on.
	fn check_interval<Value>(last: Option<(Value, u32)>) -> Result<Option<Value>, Error<T>> {
		let Some((value, since)) = last else { return Ok(None) };
		if Self::now() < since.saturating_add(T::ChangeInterval::get()) {
			return Err(policy::Refusal::TooSoon.into());
		}
		Ok(Some(value))
	}

	/// Weight of one step, whichever it is.
	pub fn step_weight() -> Weight {
		[
			T::WeightInfo::step_weigh(),
			T::WeightInfo::step_take(),
			T::WeightInfo::step_raise(),
			T::WeightInfo::step_pardon(),
			T::WeightInfo::step_forget(),
			T::WeightInfo::step_idle(),
		]
		.into_iter()
		.fold(Weight::zero(), |most, one| most.max(one))
	}

	/// Weight of `apply` with so many steps.
	pub fn apply_weight(steps: u32) -> Weight {
		let steps = steps.min(MAX_STEPS).into();
		T::WeightInfo::apply().saturating_add(Self::step_weight().saturating_mul(steps))
	}
}
