//! # DAO
//!
//! What the network's own governance adds to the SDK's: the origins that referenda enact with, guard
//! rails for parameters, emergency measures that end by themselves, and votes that never outlast the
//! PHA behind them.
//!
//! ## Overview
//!
//! Voting, tracks, deposits and enactment are the SDK's (`pallet-referenda`,
//! `pallet-conviction-voting`, `pallet-scheduler`). This pallet bounds what they can do:
//!
//! - [`Origin`] names what a decision may be about. Pallets ask for the origin that they need with the
//!   types in [`origins`]; the runtime gives each origin a track.
//! - [`Call::set_parameter`] is the only way to change a parameter of `pallet-parameters`. It checks the
//!   parameter's [`Guard`] and then acts with [`Origin::GuardRail`], which passes there alone.
//! - [`Call::halt`] and [`Call::pause`] are the only ways into safe mode and to a paused call. Each takes
//!   one of [`Config::MaxMeasures`] measures per [`Config::MeasurePeriod`].
//! - [`Watched`] notices when PHA leaves an account that votes with it, and the pallet lowers the votes.
//! - [`Turnout`] is what support is measured against.
//!
//! ## Terminology
//!
//! - **Guard rail**: range, largest change per enactment, and largest change per period of a parameter. All
//!   enactments of one block count as one.
//! - **Measure**: a halt or a pause; also each prolongation.
//! - **Excess**: an account that came to own less than its locks.
//!
//! ## Lifecycle
//!
//! | Trigger | Action | Ends |
//! |---|---|---|
//! | `set_parameter` | checks the rail, settles by `before_change`, stores, remembers the former value | the former value counts for one period |
//! | `halt` | enters safe mode or prolongs it by [`Config::HaltDuration`] | by itself, after as many blocks of this chain or of the provider, or by the safe-mode pallet's own exit |
//! | `pause` | pauses calls, schedules the return after [`Config::PauseDuration`] | by the scheduler, or by the tx-pause pallet's own unpause |
//! | a balance falls below its locks | the account is noted; the next `on_initialize` lowers its votes | when no vote exceeds the balance |
//!
//! ## Invariants
//!
//! - I1: every parameter is in its range.
//! - I2: every parameter is within its limit per period of each value that it had within the period.
//! - I3: measures are remembered in order, and none lies in the future.
//! - I4: no halt of this pallet goes on for longer than all measures of a period last.
//!
//! ## Money flow
//!
//! None: the pallet holds and moves no PHA.
//!
//! ## Assumptions
//!
//! - The runtime lets [`Origin::GuardRail`] alone set parameters, nobody enter or prolong safe mode or
//!   pause a call directly, and gives no track to [`Origin::GuardRail`].
//! - This pallet's `on_initialize` runs before the scheduler's, so that votes are lowered before referenda
//!   are decided. The runtime's hooks run in the order of its pallets' indices.
//!
//! ## Limitations
//!
//! - Root can write storage and code, and so pass any rail; what bounds Root is how long its track takes.
//! - Safe mode counts blocks of this chain, so that a halt ends early where these come faster than those of
//!   [`Config::BlockNumberProvider`]. It never lasts longer than [`Config::HaltDuration`] of either.
//! - A referendum that is decided keeps its result, whatever happens to the votes afterwards.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod emergency;
mod guard;
#[cfg(test)]
mod mock;
pub mod origins;
mod parameters;
#[cfg(test)]
mod tests;
mod traits;
mod turnout;
mod votes;
pub mod weights;

pub use guard::{Guard, GuardError, Limit, Range};
pub use pallet::*;
#[cfg(feature = "runtime-benchmarks")]
pub use traits::BenchmarkHelper;
pub use traits::{GuardedParameters, KeyOf, Lowering, ValueOf, Votes};
pub use turnout::Turnout;
pub use votes::{ClassOf, Watched};
pub use weights::WeightInfo;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::TransactionPause;
use scale_info::TypeInfo;

/// A value that a parameter had.
#[derive(
	Copy,
	Clone,
	Debug,
	Eq,
	PartialEq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Former<BlockNumber> {
	/// The block, of [`Config::BlockNumberProvider`], in which another value took its place.
	pub until: BlockNumber,
	/// The value.
	pub value: u128,
}

/// Name of a call, as the tx-pause pallet has it.
pub type CallNameOf<T> = <<T as Config>::TxPause as TransactionPause>::CallIdentifier;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{
		Parameter,
		pallet_prelude::*,
		traits::{
			Contains, EnsureOriginWithArg, SafeMode, StorePreimage,
			dynamic_params::AggregatedKeyValue, schedule::v3::Named,
		},
		weights::{Weight, WeightMeter},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::{BlockNumberProvider, Convert};

	/// The storage version.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What referenda enact with.
	#[pallet::origin]
	pub type Origin = super::origins::Origin;

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The parameters that may be changed, and their guard rails.
		type Parameters: GuardedParameters;

		/// Safe mode. It must let nobody in but through this trait.
		type SafeMode: SafeMode<BlockNumber = BlockNumberFor<Self>>;

		/// Pauses single calls. It must pause none but through this trait.
		type TxPause: TransactionPause<CallIdentifier: Parameter + MaxEncodedLen>;

		/// The calls that the runtime has, by their names.
		type Calls: Contains<CallNameOf<Self>>;

		/// The runtime's call.
		type RuntimeCall: Parameter;

		/// The call that ends a pause, which [`Origin::GuardRail`] may make.
		type UnpauseCall: Convert<CallNameOf<Self>, <Self as Config>::RuntimeCall>;

		/// Origins of scheduled calls.
		type PalletsOrigin: From<Origin>;

		/// Ends pauses.
		type Scheduler: Named<
				BlockNumberFor<Self>,
				<Self as Config>::RuntimeCall,
				Self::PalletsOrigin,
				Hasher = Self::Hashing,
			>;

		/// Stores calls that are too long for the scheduler.
		type Preimages: StorePreimage<H = Self::Hashing>;

		/// The votes to lower.
		type Votes: Votes<Self::AccountId>;

		/// Clock of periods and of the scheduler.
		type BlockNumberProvider: BlockNumberProvider<BlockNumber = BlockNumberFor<Self>>;

		/// Who may change which parameter.
		type ParameterOrigin: EnsureOriginWithArg<Self::RuntimeOrigin, KeyOf<Self::Parameters>>;

		/// Who may halt and pause.
		type EmergencyOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Period of the limits per period, in blocks of the provider. At least 1; the shorter, the
		/// faster a parameter can move.
		#[pallet::constant]
		type ChangePeriod: Get<BlockNumberFor<Self>>;

		/// Changes of one parameter in a period. At least 1.
		#[pallet::constant]
		type MaxChanges: Get<u32>;

		/// Period in which measures are counted, in blocks of the provider. More than
		/// `MaxMeasures` times the longer of `HaltDuration` and `PauseDuration`, or the chain could be
		/// halted without an end.
		#[pallet::constant]
		type MeasurePeriod: Get<BlockNumberFor<Self>>;

		/// Measures in a period. At least 1.
		#[pallet::constant]
		type MaxMeasures: Get<u32>;

		/// What a halt, or its prolongation, lasts at most: as many blocks of this chain or of the
		/// provider, whichever have passed first. At least 1.
		#[pallet::constant]
		type HaltDuration: Get<BlockNumberFor<Self>>;

		/// What a pause, or its prolongation, lasts, in blocks of the provider. At least 1.
		#[pallet::constant]
		type PauseDuration: Get<BlockNumberFor<Self>>;

		/// Calls that one measure pauses. At least 1.
		#[pallet::constant]
		type MaxPaused: Get<u32>;

		/// What lowering votes may weigh in one block. The lower, the longer an account with many votes
		/// votes with too much; one vote is lowered in each block in any case.
		type LoweringWeight: Get<Weight>;

		/// Weights of the calls and steps of this pallet.
		type WeightInfo: WeightInfo;

		/// Sets up what is measured.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<CallNameOf<Self>>;
	}

	/// Values that a parameter had within the last period; older ones leave when it changes again.
	///
	/// Written by `set_parameter`. The keys are the runtime's own, so that the cheap hasher is safe.
	#[pallet::storage]
	pub type History<T: Config> = StorageMap<
		_,
		Twox64Concat,
		KeyOf<T::Parameters>,
		BoundedVec<Former<BlockNumberFor<T>>, T::MaxChanges>,
		ValueQuery,
	>;

	/// When the measures of the last period were taken, in blocks of the provider.
	#[pallet::storage]
	pub type Measures<T: Config> =
		StorageValue<_, BoundedVec<BlockNumberFor<T>, T::MaxMeasures>, ValueQuery>;

	/// When the present halt ends, in blocks of the provider, if it was [`Call::halt`] that began it.
	///
	/// Whoever enters safe mode by other means for longer must kill it.
	#[pallet::storage]
	pub type HaltedUntil<T: Config> = StorageValue<_, BlockNumberFor<T>>;

	/// Accounts whose votes may exceed what they own, and how many classes of votes were gone through.
	/// Written by [`Watched`], emptied by `on_initialize`.
	#[pallet::storage]
	pub type Excess<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A parameter changed.
		ParameterSet {
			/// Which.
			key: KeyOf<T::Parameters>,
			/// What it was.
			from: u128,
			/// What it is.
			to: u128,
		},
		/// Safe mode was entered or prolonged.
		Halted {
			/// Blocks of this chain that it goes on for.
			blocks: BlockNumberFor<T>,
		},
		/// A call was paused, or its pause prolonged.
		CallPaused {
			/// Which.
			call: CallNameOf<T>,
			/// Block of the provider in which it returns.
			until: BlockNumberFor<T>,
		},
		/// A vote or delegation was lowered to what its voter owns.
		VotesLowered {
			/// The voter.
			who: T::AccountId,
		},
		/// A vote should have been lowered and could not be. `lower_vote` tries again.
		LoweringFailed {
			/// The voter.
			who: T::AccountId,
			/// Why.
			error: DispatchError,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The guard rail of the parameter refuses the value; the inner error says what to change.
		Guard(GuardError),
		/// A parameter cannot be removed: propose a value.
		NoValue,
		/// The parameter changed as often as it may within one period: wait until the first of these
		/// changes is a period old.
		TooManyChanges,
		/// The measures of this period are used up: wait, or let the whitelisted-caller track repair
		/// what is wrong.
		TooManyMeasures,
		/// Safe mode could not be entered or prolonged.
		HaltRefused,
		/// The list of calls is empty: name at least one.
		NothingToPause,
		/// The list names a call twice: name each call once.
		DuplicateCall,
		/// The runtime has no such call: use the names of pallet and call as the metadata has them.
		UnknownCall,
		/// This call keeps the chain alive, governed, or lets users leave; it cannot be paused.
		Unpausable,
		/// No vote of this account exceeds what it owns.
		NothingToLower,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::end_halt().saturating_add(Self::lower_votes())
		}

		fn integrity_test() {
			use sp_runtime::traits::{Saturating, Zero};
			let periods = [
				T::ChangePeriod::get(),
				T::MeasurePeriod::get(),
				T::HaltDuration::get(),
				T::PauseDuration::get(),
			];
			assert!(periods.iter().all(|period| !period.is_zero()), "periods must not be 0");
			let counts = [T::MaxChanges::get(), T::MaxMeasures::get(), T::MaxPaused::get()];
			assert!(!counts.contains(&0), "counts must not be 0");
			let longest = T::HaltDuration::get().max(T::PauseDuration::get());
			assert!(
				longest.saturating_mul(T::MaxMeasures::get().into()) < T::MeasurePeriod::get(),
				"the chain could be halted without an end: fewer or shorter measures, or a longer period",
			);
			for key in T::Parameters::keys() {
				assert!(T::Parameters::guard(&key).is_sound(), "{key:?} could never change");
			}
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Changes a parameter, within its guard rail.
		///
		/// - `origin`: must pass [`Config::ParameterOrigin`] for this parameter.
		/// - `key_value`: the parameter and its new value, which must be there.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::set_parameter())]
		pub fn set_parameter(
			origin: OriginFor<T>,
			key_value: <T::Parameters as GuardedParameters>::KeyValue,
		) -> DispatchResult {
			let (key, _) = key_value.clone().into_parts();
			T::ParameterOrigin::ensure_origin(origin, &key)?;
			Self::do_set_parameter(key, key_value)
		}

		/// Enters safe mode for [`Config::HaltDuration`], or prolongs it by as much. Takes one measure.
		///
		/// - `origin`: must pass [`Config::EmergencyOrigin`].
		#[pallet::call_index(1)]
		#[pallet::weight((T::WeightInfo::halt(), DispatchClass::Operational))]
		pub fn halt(origin: OriginFor<T>) -> DispatchResult {
			T::EmergencyOrigin::ensure_origin(origin)?;
			Self::do_halt()
		}

		/// Pauses calls for [`Config::PauseDuration`], or prolongs their pauses by as much. Takes one
		/// measure, however many calls there are.
		///
		/// - `origin`: must pass [`Config::EmergencyOrigin`].
		/// - `calls`: names of pallet and call, as the metadata has them.
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::pause(calls.len() as u32), DispatchClass::Operational))]
		pub fn pause(
			origin: OriginFor<T>,
			calls: BoundedVec<CallNameOf<T>, T::MaxPaused>,
		) -> DispatchResult {
			T::EmergencyOrigin::ensure_origin(origin)?;
			Self::do_pause(&calls)
		}

		/// Lowers one vote of an account that owns less than it votes with, or withdraws such a delegation.
		/// The chain does this by itself at the start of blocks; the call is for when many wait.
		///
		/// - `origin`: anybody.
		/// - `who`: the voter.
		/// - `class`: the class of the vote.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::next_excess().saturating_add(T::Votes::max_weight()))]
		pub fn lower_vote(
			origin: OriginFor<T>,
			who: T::AccountId,
			class: ClassOf<T>,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let mut meter = WeightMeter::with_limit(T::Votes::max_weight());
			let step = Self::lower_vote_of(&who, &class, &mut meter);
			ensure!(step == Lowering::Lowered, Error::<T>::NothingToLower);
			Ok(Some(T::WeightInfo::next_excess().saturating_add(meter.consumed())).into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The values that a parameter may be set to now.
		pub fn allowed_values(key: KeyOf<T::Parameters>) -> Range {
			Self::allowed(&key)
		}

		/// The guard rail of a parameter.
		pub fn guard_rail(key: KeyOf<T::Parameters>) -> Guard {
			T::Parameters::guard(&key)
		}

		/// Emergency measures that may still be taken in the present period.
		pub fn measures_left() -> u32 {
			Self::measures_in_reserve()
		}
	}
}

#[cfg(any(feature = "try-runtime", test))]
impl<T: Config> Pallet<T> {
	/// Checks the invariants that the documentation of this crate numbers.
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		use frame_support::{ensure, traits::Get};
		use sp_runtime::traits::{BlockNumberProvider, Saturating};
		let now = T::BlockNumberProvider::current_block_number();
		for key in T::Parameters::keys() {
			let (guard, value) = (T::Parameters::guard(&key), T::Parameters::current(&key));
			ensure!(guard.range.contains(value), "I1: a parameter is out of its range");
			ensure!(Self::within_period(&key, value), "I2: a parameter moved too far in a period");
		}
		let measures = Measures::<T>::get();
		ensure!(measures.is_sorted(), "I3: measures are out of order");
		ensure!(measures.last().is_none_or(|at| *at <= now), "I3: a measure lies in the future");
		if let Some(until) = HaltedUntil::<T>::get() {
			let longest = T::HaltDuration::get().saturating_mul(T::MaxMeasures::get().into());
			ensure!(until <= now.saturating_add(longest), "I4: a halt is longer than its measures");
		}
		ensure!(measures.len() <= T::MaxMeasures::get() as usize, "I3: too many measures");
		Ok(())
	}
}
