//! # Gatekeeper election
//!
//! Gatekeepers elected by nominated proof of stake: the glue between `pallet-staking`, which keeps the
//! bonds and pays for eras, the registry of workers, which knows who is attested, and the ceremonies,
//! which bring the key to who was elected.
//!
//! ## Overview
//!
//! Everybody bonds, nominates, validates, chills, unbonds and claims through `pallet-staking`, with the
//! same calls as on any Substrate chain. This pallet adds what makes a validator of staking a gatekeeper:
//! a stash *binds* a TEE that is attested as a gatekeeper, with the consent of its operator. It gives
//! staking its elections ([`frame_election_provider_support::ElectionProvider`]), its sessions
//! ([`sessions::Sessions`]), its money ([`guard::Guarded`]), its pay ([`sp_staking::EraPayout`],
//! [`rewards::SettleRewards`]), and takes what its members lose ([`phala_primitives::Slashable`]).
//!
//! ## Terminology
//!
//! - *Stash*: account with a bond. *Candidate*: a stash that can be elected now; [`Pallet::why_not_eligible`]
//!   says what is missing.
//! - *In office*: holds the current key. *Elected*: is to get it.
//! - *Era*: what staking pays for. *Active*: the one that runs. *Planned*: elected, waits for its key.
//! - *Virtual session*: staking's session. It ends with a session of the chain, unless the key is on its
//!   way.
//! - *Escrow*: account with what eras earned and nobody claimed yet.
//!
//! ## Life of an era
//!
//! | Trigger | Actions | Skipped if |
//! |---|---|---|
//! | a session of the chain ends | the next block's hook does a *tick* | – |
//! | tick | a point for each member in office that is attested | no active exposure |
//! | tick, the era is as long as `SessionsPerEra` | election; the set goes to [`Config::Gatekeepers`]; the era is *planned* | a ceremony is under way |
//! | tick, otherwise | the virtual session ends, the next one begins | the same |
//! | handover final | in the next block the active era ends and is escrowed, the planned one begins | – |
//! | all attempts at the handover failed | at the next tick: another election, in place of the planned era | – |
//! | too few can be seated, or the set is refused | the set in office stays, in the same era; again at the next tick | – |
//! | the same, or no handover succeeds, until the era is older than [`Config::MaxEraMillis`] | the set in office stays for another era, with the bonds of now | – |
//! | an era is older than `HistoryDepth` | what nobody claimed of it returns to the reserve | – |
//!
//! ## What may change
//!
//! See [`rules::seat`]: at most ⌊(n − 1)/3⌋ seats an era; whose attestation lapsed is out in any case; a
//! set has at least [`Config::MinSeats`].
//!
//! ## Invariants
//!
//! - I1: bindings are found by worker and by machine, one to one, and are at most
//!   [`Config::MaxCandidates`].
//! - I2: an era is planned exactly while staking's current era is ahead of its active one, by one, and
//!   then begins with the session after the virtual one. No ballot outlasts a block.
//! - I3: the escrow has what all eras together can still claim, what is escrowed is what eras have on
//!   record, and nothing is unsettled.
//! - I4: suspected stake is the sum of all tranches, and on hold for each account on record.
//! - I5: who is in office, or about to be, has a bond.
//!
//! ## Money flow
//!
//! ```text
//! reserve ── era ends ─▶ escrow ─┬─ payout_stakers ─▶ members and nominators
//!    ▲                           └─ not claimed within HistoryDepth ─┐
//!    └───────────────────────────────────────────────────────────────┘
//! bond (hold of staking) ── suspected ─▶ hold of this pallet ─┬─ applied ─▶ ledger of offences
//!                                                             └─ restored ─▶ bond
//! ```
//!
//! Nothing mints: a reward is deposited only as far as the escrow covers it, and settled against it.
//!
//! ## Assumptions
//!
//! - Staking's `Currency`, `Reward`, `EraPayout`, both election providers and `SessionInterface` are this
//!   pallet's; `SlashDeferDuration` is 0, `RewardRemainder` and `Slash` go where slashes go.
//! - `BondingDuration` in days is longer than the ledger's evidence window and an era.
//! - A member's backers fit on one page of exposure.
//! - Nobody but Root calls staking's privileged calls. They bypass the ledger of offences.
//! - The runtime's call filter refuses claims for accounts without a seat in the era: staking keeps a note of
//!   each, and deletes those of an era in one block.
//! - The voters' list scores by [`voters::VotingBonds`].
//!
//! ## Limitations
//!
//! A nominator's bond is not kept by an accusation that has not been judged: the unbonding period covers
//! the evidence window, not the judges' time. What a payee renounced returns to the reserve only once it
//! exceeds what all eras on record have escrowed. `pallet-staking` counts unbonding in eras, which wait
//! for ceremonies: an unbonding takes `BondingDuration` eras, each of its nominal length or, when no set
//! can be seated, longer than [`Config::MaxEraMillis`]. What is suspected of a nominator because of one
//! member still counts, in eras that are elected already, for its rewards with other members, though it can
//! be taken only once. A loss that grows after the era from which it was first taken is forgotten, or was
//! planned anew, falls on who is there then; and what was taken from a plan returns to the plan that replaced it.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod candidates;
mod election;
pub mod guard;
#[cfg(any(feature = "try-runtime", test))]
mod invariants;
#[cfg(test)]
mod mock;
pub mod rewards;
pub mod rules;
pub mod sessions;
mod stake;
#[cfg(test)]
mod tests;
pub mod types;
pub mod voters;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

use frame_support::traits::fungible;
use types::{
	Binding, Consent, Failure, PlannedEra, Tranche, TrancheId, Unexpected, WhyBonded, WhyFailed,
	WhyNot,
};

/// Taken or drawn PHA on its way.
pub type CreditOf<T> =
	fungible::Credit<<T as frame_system::Config>::AccountId, <T as Config>::Asset>;
/// Why PHA is on hold.
pub type ReasonOf<T> = <T as pallet_staking::Config>::RuntimeHoldReason;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_election_provider_support::{ElectionProvider, InstantElectionProvider};
	use frame_support::{
		PalletId,
		pallet_prelude::*,
		traits::fungible::{Balanced, BalancedHold, Inspect, InspectHold, Mutate, MutateHold},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use phala_primitives::{
		AttestedWorkers, Gatekeepers, Handover, OpenCases, PlatformId, Reserve, WorkerKey,
	};
	use sp_runtime::Perquintill;
	use sp_staking::{EraIndex, SessionIndex};
	use types::MAX_SEATS;

	/// The version of what is stored.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// How the election is wired. It is glue around one pallet of the SDK, whose configuration it
	/// therefore names.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_staking::Config<
			CurrencyBalance = u128,
			RuntimeHoldReason: From<HoldReason> + Encode + TypeInfo + PartialEq + 'static,
		>
	{
		/// PHA.
		type Asset: Inspect<Self::AccountId, Balance = u128>
			+ Mutate<Self::AccountId>
			+ Balanced<Self::AccountId>
			+ InspectHold<Self::AccountId, Reason = ReasonOf<Self>>
			+ MutateHold<Self::AccountId>
			+ BalancedHold<Self::AccountId>;

		/// The solver: sequential Phragmén on chain. Its bounds on winners are 32 at most, on backers of a
		/// winner 32: each of them is looked up when the winner is slashed.
		type Solver: InstantElectionProvider<
				AccountId = Self::AccountId,
				BlockNumber = BlockNumberFor<Self>,
				DataProvider = pallet_staking::Pallet<Self>,
			>;

		/// Tells who is attested, as what.
		type Workers: AttestedWorkers<Self::AccountId>;

		/// Those who run the ceremonies.
		type Gatekeepers: Gatekeepers<Self::AccountId>;

		/// Tells whether anything about a gatekeeper is undecided in the ledger of offences.
		type Cases: OpenCases<Self::AccountId>;

		/// Where rewards come from.
		type Reserve: Reserve<CreditOf<Self>>;

		/// The escrow's account.
		#[pallet::constant]
		type EscrowId: Get<PalletId>;

		/// Fewest seats of a set, 4 to 32; 7 on a live chain. Below 4 no seat could ever change.
		#[pallet::constant]
		type MinSeats: Get<u32>;

		/// Most stashes with a gatekeeper, 32 to 256: 64. All of them are looked at in an election. Each
		/// takes a bond and a machine of its own.
		#[pallet::constant]
		type MaxCandidates: Get<u32>;

		/// Most voters that an election looks at, those with the largest bonds, 32 to 1,024: 256. More
		/// weigh down the block in which an election is; fewer leave small nominators out.
		#[pallet::constant]
		type MaxVoters: Get<u32>;

		/// What a year earns of what is staked behind those in office, at most.
		#[pallet::constant]
		type RewardRate: Get<Perquintill>;

		/// Plancks that a year earns at most. Less than the reserve lets out in a year.
		#[pallet::constant]
		type YearlyReward: Get<u128>;

		/// Milliseconds of an era that earn, at most: two eras' length. An era is longer while the key is on
		/// its way, and no longer than this if the chain stands still. If there is no other set by then, the
		/// one in office begins another era, so that nobody's unbonding waits for ever; hence no less than
		/// an era's length.
		#[pallet::constant]
		type MaxEraMillis: Get<u64>;

		/// Seconds after which a candidate whose attestation lapsed can be removed by anybody.
		#[pallet::constant]
		type EvictionGrace: Get<u64>;

		/// Weights of the calls and of the hook.
		type WeightInfo: WeightInfo;

		/// Sets the stage for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: benchmarking::BenchmarkHelper<Self::AccountId>;
	}

	/// Why this pallet holds PHA.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// A bond that was taken out of staking since an offence was reported, until it is applied or
		/// cancelled.
		#[codec(index = 0)]
		Suspected,
	}

	/// Operators' consents, by worker. Removed when they are used or revoked, and with the worker's record.
	// Users choose the keys of their workers, and whose stash they name.
	#[pallet::storage]
	pub type Consents<T: Config> =
		StorageMap<_, Blake2_128Concat, WorkerKey, Consent<T::AccountId>, OptionQuery>;

	/// Stashes with their gatekeepers. Removed when they unbind or are evicted.
	#[pallet::storage]
	pub type Bindings<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, T::AccountId, Binding<T::AccountId>, OptionQuery>;

	/// The stash of a gatekeeper.
	#[pallet::storage]
	pub type StashOf<T: Config> =
		StorageMap<_, Blake2_128Concat, WorkerKey, T::AccountId, OptionQuery>;

	/// The stash whose gatekeeper is on a machine.
	// A salted hash, but salted by the chain: whoever has many machines can choose among them.
	#[pallet::storage]
	pub type Platforms<T: Config> =
		StorageMap<_, Blake2_128Concat, PlatformId, T::AccountId, OptionQuery>;

	/// The session of staking that runs.
	#[pallet::storage]
	pub type VirtualSession<T> = StorageValue<_, SessionIndex, OptionQuery>;

	/// A session of the chain has ended, and the hook has not seen to it yet.
	#[pallet::storage]
	pub type SessionEnded<T> = StorageValue<_, bool, ValueQuery>;

	/// The era that waits for the key. Removed when it begins.
	#[pallet::storage]
	pub type Planned<T: Config> = StorageValue<_, PlannedEra<T::AccountId>, OptionQuery>;

	/// Who was elected, with their keys, from the election to the end of the step that it is part of.
	#[pallet::storage]
	pub type Ballot<T: Config> =
		StorageValue<_, BoundedVec<(T::AccountId, WorkerKey), ConstU32<MAX_SEATS>>, ValueQuery>;

	/// The last election that brought no new set. Removed when an era begins.
	#[pallet::storage]
	pub type LastFailure<T> = StorageValue<_, Failure, OptionQuery>;

	/// Plancks that an era brought into the escrow. Removed when its rewards cannot be claimed any more.
	#[pallet::storage]
	pub type Escrows<T> = StorageMap<_, Twox64Concat, EraIndex, u128, OptionQuery>;

	/// The sum of [`Escrows`].
	#[pallet::storage]
	pub type Escrowed<T> = StorageValue<_, u128, ValueQuery>;

	/// Plancks that staking deposited in the payout under way, and that are yet to be settled.
	#[pallet::storage]
	pub type Unsettled<T> = StorageValue<_, u128, ValueQuery>;

	/// Suspected losses with something left.
	#[pallet::storage]
	pub type Tranches<T: Config> =
		StorageMap<_, Twox64Concat, TrancheId, Tranche<T::AccountId>, OptionQuery>;

	/// The next tranche's number.
	#[pallet::storage]
	pub type NextTranche<T> = StorageValue<_, TrancheId, ValueQuery>;

	/// What is left of all tranches, in plancks.
	#[pallet::storage]
	pub type SuspectedStake<T> = StorageValue<_, u128, ValueQuery>;

	/// Begins staking's sessions.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Nothing to configure.
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::begin();
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An operator lets a stash stand with its gatekeeper.
		Consented {
			/// Who.
			operator: T::AccountId,
			/// Its gatekeeper.
			worker: WorkerKey,
			/// Whom it lets.
			stash: T::AccountId,
		},
		/// A consent is void.
		ConsentRevoked {
			/// For which gatekeeper.
			worker: WorkerKey,
		},
		/// A stash has a gatekeeper.
		Bound {
			/// Whose.
			stash: T::AccountId,
			/// Which.
			worker: WorkerKey,
		},
		/// A stash has no gatekeeper any more.
		Unbound {
			/// Whose.
			stash: T::AccountId,
			/// Which.
			worker: WorkerKey,
		},
		/// A set was elected, and is to get the key.
		SetElected {
			/// Its members, the best-supported first.
			members: Vec<T::AccountId>,
		},
		/// There was no new set. The one in office stays.
		ElectionFailed {
			/// Why.
			why: WhyFailed,
		},
		/// An era began: its members are in office.
		EraBegan {
			/// Its number in staking.
			era: EraIndex,
		},
		/// An era's reward came out of the reserve and can be claimed.
		RewardEscrowed {
			/// The era.
			era: EraIndex,
			/// Plancks.
			amount: u128,
		},
		/// The reserve did not pay for an era.
		RewardRefused {
			/// The era.
			era: EraIndex,
			/// Why.
			error: DispatchError,
		},
		/// What nobody claimed returned to the reserve.
		RewardExpired {
			/// The era.
			era: EraIndex,
			/// Plancks.
			amount: u128,
		},
		/// A suspected loss left staking.
		StakeSuspected {
			/// Whose fault it is said to be.
			offender: T::AccountId,
			/// Names the loss.
			id: TrancheId,
			/// Plancks, of the offender and of its backers.
			amount: u128,
		},
		/// Some of a suspected loss was taken.
		StakeTaken {
			/// Whose fault it was.
			offender: T::AccountId,
			/// The loss.
			id: TrancheId,
			/// Plancks.
			amount: u128,
		},
		/// Some of a suspected loss was given back.
		StakeRestored {
			/// Whose fault it was said to be.
			offender: T::AccountId,
			/// The loss.
			id: TrancheId,
			/// Plancks.
			amount: u128,
		},
		/// Something happened that cannot. The chain goes on; tell the developers.
		Unexpected {
			/// What.
			kind: Unexpected,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The gatekeeper's attestation does not count. It has to register, or to renew it.
		NotAttested,
		/// What is attested there is no gatekeeper.
		NotGatekeeper,
		/// Only its operator may do that.
		NotOperator,
		/// The gatekeeper's operator has not consented. `consent` is its call.
		NoConsent,
		/// The stash has this gatekeeper already.
		AlreadyBound,
		/// The stash has no gatekeeper.
		NotBound,
		/// Another stash has this gatekeeper. It has to unbind first, or to be evicted.
		WorkerTaken,
		/// Another stash has a gatekeeper on this machine. One machine, one seat.
		PlatformTaken,
		/// All places for candidates are taken. Evict one that cannot be elected, or has less bond.
		TooManyCandidates,
		/// The stash's active bond is below what a validator needs. Bond more.
		BondTooSmall,
		/// It can be elected, or could be until a moment ago, and has no less bond than the caller or there
		/// are other places.
		StillStanding,
		/// The account holds a share of the key, or is to get one: its bond leaves after the next handover
		/// without it. Chill, and wait.
		InOffice,
		/// Something about the account is undecided in the ledger of offences, or about whom all of its bond is
		/// behind.
		OpenCase,
		/// The escrow does not cover that reward.
		EscrowTooSmall,
		/// No bond answers for that account.
		NothingAtStake,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_now: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::serve(weight);
		}

		fn integrity_test() {
			let seats = T::MinSeats::get();
			assert!((4..=MAX_SEATS).contains(&seats), "sets of 4 to 32 seats can change");
			assert!(T::MaxValidatorSet::get() <= MAX_SEATS, "32 can hold shares of a key");
			let winners = <Pallet<T> as ElectionProvider>::MaxWinnersPerPage::get();
			assert!((seats..=MAX_SEATS).contains(&winners), "the solver fills a set");
			let backers = <Pallet<T> as ElectionProvider>::MaxBackersPerWinner::get();
			assert!(backers < types::MAX_HOLDERS, "a tranche has room for a member's backers");
			assert!(backers <= T::MaxExposurePageSize::get(), "backers fit on one page");
			assert!(T::MaxUnlockingChunks::get() <= types::MAX_CHUNKS, "chunks fit into a tranche");
			assert!((32..=256).contains(&T::MaxCandidates::get()), "all candidates are looked at");
			assert!((32..=1_024).contains(&T::MaxVoters::get()), "an election fits into a block");
			assert_eq!(T::SlashDeferDuration::get(), 0, "only the ledger of offences defers");
			assert!(T::MaxEraMillis::get() > 0, "an era earns");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Let a stash stand for election with a gatekeeper, and answer for it with its bond. Replaces an
		/// earlier consent for the same gatekeeper. Not needed where the operator is the stash.
		///
		/// - `origin`: signed by the gatekeeper's operator.
		/// - `worker`: the gatekeeper's identity.
		/// - `stash`: whom.
		#[pallet::call_index(0)]
		pub fn consent(
			origin: OriginFor<T>,
			worker: WorkerKey,
			stash: T::AccountId,
		) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_consent(operator, worker, stash)
		}

		/// Take a consent back that has not been used.
		///
		/// - `origin`: signed by the operator; by anybody, if the gatekeeper is not attested with that
		///   operator any more.
		/// - `worker`: the gatekeeper's identity.
		#[pallet::call_index(1)]
		pub fn revoke(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_revoke(who, worker)
		}

		/// Stand with a gatekeeper, in place of the one that the stash has. Takes a bond as a validator
		/// needs it. Counts from the next election; a member in office serves with its old one until then.
		///
		/// - `origin`: signed by the stash.
		/// - `worker`: the gatekeeper's identity.
		#[pallet::call_index(2)]
		pub fn bind(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_bind(stash, worker)
		}

		/// Give the stash's gatekeeper up. A member in office serves until the next handover, or longer if
		/// too many leave.
		///
		/// - `origin`: signed by the stash.
		#[pallet::call_index(3)]
		pub fn unbind(origin: OriginFor<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_unbind(stash)
		}

		/// Free the place of a candidate that has no duties: one whose bond is too small, or whose gatekeeper
		/// has not been attested for some time; and, while all places are taken, one with less bond than the
		/// caller has, who then binds in the same batch.
		///
		/// - `origin`: signed by anybody; for a larger bond's sake by a stash without a place.
		/// - `stash`: the candidate's.
		#[pallet::call_index(4)]
		pub fn evict(origin: OriginFor<T>, stash: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_evict(who, stash)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Who can be elected now, with their gatekeepers: those in office first, then by bond.
		pub fn eligible() -> Vec<(T::AccountId, WorkerKey)> {
			Self::candidates().into_iter().map(|one| (one.account, one.worker)).collect()
		}

		/// What keeps a stash from being elected; nothing if it can be.
		pub fn why_not_eligible(stash: T::AccountId) -> Option<WhyNot<T::AccountId>> {
			Self::why_not(&stash)
		}

		/// What keeps an account's bond from leaving staking, apart from the unbonding period.
		pub fn why_bonded(who: T::AccountId) -> Option<WhyBonded> {
			Self::why_still_bonded(&who)
		}

		/// The era that is planned, whether the key is on its way to it, and why the last election failed,
		/// if no era has begun since.
		pub fn status() -> (Option<PlannedEra<T::AccountId>>, Handover, Option<Failure>) {
			(Planned::<T>::get(), T::Gatekeepers::handover(), LastFailure::<T>::get())
		}

		/// Plancks that an era brought into the escrow, and what of it has been claimed, about.
		pub fn era_escrow(era: EraIndex) -> Option<(u128, u128)> {
			Escrows::<T>::get(era).map(|escrowed| (escrowed, Self::claimed(era)))
		}

		/// The active era, and the plancks that it would bring into the escrow if it ended now.
		pub fn current_escrow() -> Option<(EraIndex, u128)> {
			Self::accrued()
		}

		/// Plancks that a member and its backers have at stake, without what is suspected.
		pub fn stake_of(member: T::AccountId) -> u128 {
			<Self as phala_primitives::Slashable<_>>::stake(&member)
		}
	}
}
