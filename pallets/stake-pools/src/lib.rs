//! # Stake pools
//!
//! Delegation: PHA holders put stake behind the workers of a pool, share its rewards and its losses,
//! and can leave at a known latest date.
//!
//! ## Overview
//!
//! A pool has an owner with stake of their own, delegators with shares, and workers. PHA never leaves
//! its holder's account before it is lost: stake is on hold there and can vote. What is staked and not
//! behind a worker is *free*: it pays those who leave, and new sessions. Rewards are credited once per
//! round. Losses come from the ledger of offences.
//!
//! Nobody can ever get more stake out than they put in: a position's `held` only grows by what its
//! holder contributes, and everything that is paid is released from it. Shares divide losses; no trade
//! in them, no donation and no rounding moves PHA from one delegator to another.
//!
//! ## Terminology
//!
//! - *Round*: [`Config::RoundLength`] relay-chain blocks, the same for all pools.
//! - *Value*: delegators' stake, without what is suspected to be lost. The *price* of a share is the
//!   value over all shares.
//! - *Tranche*: a suspected loss of one worker, as the ledger names it. *Loss*: the delegators' parts of
//!   the tranches of one pool and round. They are borne by the holders of that moment: after the first
//!   tranche of a round, no share changes hands until its end.
//! - *At risk*: what a silent worker loses if it stays so until the chain stops it. *Exposed*: what is at
//!   risk in a pool beyond its owner's stake. While anything is, no share changes hands: the holders of
//!   the moment at which it began are those at its end, and bear the loss or are spared it.
//! - *Position*: what a delegator has in a pool. *Lazy*: it sees the end of a loss when it is touched;
//!   anybody can touch it ([`Pallet::settle`]).
//! - *Queue*: withdrawals in the order of their requests, paid from free stake, in parts if need be.
//!
//! ## Lifecycle
//!
//! ```text
//! worker:  consent ─▶ add ─▶ Idle ── start ─▶ Running ── stop, force, mining ─▶ Ending
//!                     ▲       ▲                  └ top_up                          │
//!                     └remove─┘└──────────────── reclaim, after the cool-down ─────┘
//! stake:   contribute ─▶ joining ── next round ─▶ earning ── withdraw ─▶ queued ─▶ released
//! loss:    suspected ─▶ applied, restored ── decided, next round ─▶ closed ── each holder ─▶ forgotten
//! ```
//!
//! | Trigger | What happens |
//! |---|---|
//! | first touch of a pool in a round | the pay of the round before is credited; contributions begin to earn; a commission that is due binds |
//! | the same, but by a call | decided losses close: what was cancelled is back in the price, or in shares of those who bore it |
//! | `process` | requests that waited for a round are paid while there is free stake; then the owner's |
//! | `force`, after [`Config::GracePeriod`] | the fewest workers whose stake pays the overdue requests are stopped; before them, those whose silence lets shares rest |
//! | a worker is silent | what a day of it costs is at risk, the owner's stake first; what that does not cover lets shares rest |
//! | it answers, or ends | nothing is at risk any more; what it lost is suspected by then |
//! | loss suspected | the owner's stake falls first, then the price |
//! | loss taken | the owner's part at once; each delegator's when its position is touched |
//! | a worker without stake is deregistered or handed over | its operator's consent ends, and it leaves its pool |
//!
//! ## Invariants
//!
//! - I1: the stake on hold of an account on record is the sum of what its pools and positions record.
//! - I2: the shares of all positions, once up to date, are all shares.
//! - I3: the queue is one chain in the order of requests, and adds up to what the pool says; nobody is in
//!   it with more shares than they have.
//! - I4: stake behind workers is the sum over workers; total stake is the sum over pools; it is covered
//!   by the pool's stake and by what comes back to it.
//! - I5: every loss is what its tranches have left, was taken and was cancelled; no more than
//!   [`MAX_OPEN_LOSSES`](types::MAX_OPEN_LOSSES) are open.
//! - I6: at the end of a block, the pot covers all rewards: what was earned in it has come by then.
//! - I7: what positions hold, once up to date, is the pool's value and what is set aside, but for the
//!   rounding of operations, `DUST`. Their shares are worth no more than the value.
//! - I8: workers and lists of workers name each other.
//! - I9: starts count the positions that ask for them, and pools count their positions.
//! - I10: what is at risk in a pool is the sum over its workers: none of them risks more than its stake.
//!
//! ## Money flow
//!
//! ```text
//! delegator ─hold─▶ same account ─release─▶ same account        mining ─▶ pot ─┬─ commission, own part ─▶ owner
//! owner     ─hold─▶ same account ─slash──▶ ledger ─▶ treasury                  └─ by shares ─▶ delegators
//! delegator ─slash, lazily─▶ OnSlash (treasury)
//! ```
//!
//! ## Assumptions
//!
//! - Mining calls [`StakeKeeper`](phala_primitives::StakeKeeper) and the ledger calls
//!   [`Slashable`](phala_primitives::Slashable) only for workers and tranches that they were given.
//! - Mining ends a cool-down no sooner than all evidence is too old, and returns no stake while a case
//!   is open.
//! - The pot has the existential deposit from genesis on.
//! - The registry's `OnAttestationChange` is this pallet: without its word, a worker that is gone stays in
//!   the lists, though it cannot start.
//!
//! ## Limitations
//!
//! A delegator's part of a loss is collected when the whole round's loss is decided, and its position is
//! touched. While [`MAX_OPEN_LOSSES`](types::MAX_OPEN_LOSSES) are open, a pool's shares rest: no
//! contribution, no withdrawal. The same holds while silent workers may lose more than the owner has:
//! as long as they are silent, which is a day at most, and until they are healed, five times as long;
//! with a request that is overdue, until anybody forces them to stop. A pool changes hands only
//! while no loss is open.
//!
//! From an accusation to its judgement nothing is suspected: the accused worker's stake cannot be reclaimed,
//! but free stake pays delegators, and the owner down to the least share, at the full price.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod asset;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod holders;
#[cfg(any(feature = "try-runtime", test))]
mod invariants;
mod losses;
#[cfg(test)]
mod mock;
mod owner;
mod queue;
mod rounds;
#[cfg(test)]
mod tests;
pub mod types;
mod views;
pub mod weights;
mod workers;

pub use holders::MAX_CATCH_UP;
#[cfg(any(feature = "try-runtime", test))]
pub use invariants::DUST;
pub use pallet::*;
pub use weights::WeightInfo;

use frame_support::traits::fungible;
use sp_runtime::traits::BlockNumberProvider;
use types::{Pool, Worker};

/// PHA on its way.
pub type CreditOf<T> =
	fungible::Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// A pool.
pub type PoolOf<T> = Pool<<T as frame_system::Config>::AccountId>;
/// A worker of a pool.
pub type WorkerOf<T> = Worker<<T as frame_system::Config>::AccountId>;

/// Most workers that one call of [`Pallet::force`] stops.
pub const MAX_STOPS: u32 = 10;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::types::{
		Loss, LossId, PoolId, PoolInfo, Position, PositionInfo, Request, Start, TrancheId,
		TrancheInfo, Unexpected,
	};
	use frame_support::{
		PalletId,
		pallet_prelude::*,
		traits::{
			OnUnbalanced,
			fungible::{Balanced, BalancedHold, Inspect, InspectHold, Mutate, MutateHold},
		},
	};
	use frame_system::pallet_prelude::*;
	use phala_primitives::{AttestedWorkers, Mining, WorkerKey};
	use sp_runtime::{FixedU128, Perbill};

	/// The version of what is stored.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// How pools are wired.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// PHA.
		type Currency: Inspect<Self::AccountId, Balance = u128>
			+ Mutate<Self::AccountId>
			+ Balanced<Self::AccountId>
			+ InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
			+ MutateHold<Self::AccountId>
			+ BalancedHold<Self::AccountId>;

		/// Why PHA is on hold.
		type RuntimeHoldReason: From<HoldReason>;

		/// Sessions of workers.
		type Mining: Mining<PoolId>;

		/// Attestation of workers, and who operates them.
		type Workers: AttestedWorkers<Self::AccountId>;

		/// Takes what delegators lose: the same sink as the ledger's.
		type OnSlash: OnUnbalanced<CreditOf<Self>>;

		/// The clock: relay-chain blocks.
		type BlockNumberProvider: BlockNumberProvider<BlockNumber = u32>;

		/// Account that keeps rewards until they are claimed.
		#[pallet::constant]
		type PalletId: Get<PalletId>;

		/// Relay-chain blocks of a round, at least 1: six hours. Contributions earn from the next one, and
		/// withdrawals take at least as long. A short one lets delegators in and out around a large pay.
		#[pallet::constant]
		type RoundLength: Get<u32>;

		/// Relay-chain blocks after which an unpaid withdrawal lets anybody stop workers, at least a
		/// round: seven days. A longer one makes leaving slower.
		#[pallet::constant]
		type GracePeriod: Get<u32>;

		/// Least part of a pool's stake that is its owner's, 1 to 99 %: 5 %. It is lost first.
		#[pallet::constant]
		type OwnerShare: Get<Perbill>;

		/// Least stake of an owner while the pool exists, in plancks, at least 1: what a pool's record costs.
		#[pallet::constant]
		type MinOwnerStake: Get<u128>;

		/// Least contribution, in plancks, at least 1: what a position's record costs.
		#[pallet::constant]
		type MinContribution: Get<u128>;

		/// Most workers of a pool, at least 1: 200. Forced stops read them all.
		#[pallet::constant]
		type MaxWorkers: Get<u32>;

		/// Most accounts on a whitelist.
		#[pallet::constant]
		type MaxWhitelist: Get<u32>;

		/// Most bytes of a description.
		#[pallet::constant]
		type MaxDescription: Get<u32>;

		/// Weights of the calls, and of what neighbours ask for.
		type WeightInfo: WeightInfo;

		/// Sets the stage for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: benchmarking::BenchmarkHelper<Self::AccountId>;
	}

	/// Why this pallet holds PHA.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Stake of the owner of a pool, until it is withdrawn or lost.
		#[codec(index = 0)]
		OwnerStake,
		/// Stake of a delegator, until it is withdrawn or lost.
		#[codec(index = 1)]
		Delegation,
	}

	/// The pools. Written whenever something happens to one; removed by `close`.
	// Keys are the chain's own numbers.
	#[pallet::storage]
	pub type Pools<T: Config> = StorageMap<_, Twox64Concat, PoolId, PoolOf<T>, OptionQuery>;

	/// Number of the next pool.
	#[pallet::storage]
	pub type NextPool<T: Config> = StorageValue<_, PoolId, ValueQuery>;

	/// What delegators have in a pool. Removed when nothing is left, also no reward.
	// Users choose their accounts.
	#[pallet::storage]
	pub type Positions<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		PoolId,
		Blake2_128Concat,
		T::AccountId,
		Position,
		OptionQuery,
	>;

	/// The withdrawal queues. An entry is removed when it is paid or cancelled.
	// Users choose their accounts.
	#[pallet::storage]
	pub type Requests<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		PoolId,
		Blake2_128Concat,
		T::AccountId,
		Request<T::AccountId>,
		OptionQuery,
	>;

	/// Where shares that joined in a round begin to earn. Removed when all of them know it.
	#[pallet::storage]
	pub type Starts<T: Config> =
		StorageDoubleMap<_, Twox64Concat, PoolId, Twox64Concat, u32, Start, OptionQuery>;

	/// Losses of delegators. Removed when all who bear one have seen its end, or when all of it was
	/// cancelled before any share changed hands.
	#[pallet::storage]
	pub type Losses<T: Config> =
		StorageDoubleMap<_, Twox64Concat, PoolId, Twox64Concat, LossId, Loss, OptionQuery>;

	/// Suspected losses by the name that the ledger knows. Removed when nothing is left of them.
	#[pallet::storage]
	pub type Tranches<T: Config> =
		StorageMap<_, Twox64Concat, TrancheId, TrancheInfo<WorkerKey>, OptionQuery>;

	/// Number of the next tranche.
	#[pallet::storage]
	pub type NextTranche<T: Config> = StorageValue<_, TrancheId, ValueQuery>;

	/// Workers that are in a pool. Removed without stake, by owner or operator or with the operator.
	// Users choose what names their workers.
	#[pallet::storage]
	pub type Workers<T: Config> =
		StorageMap<_, Blake2_128Concat, WorkerKey, WorkerOf<T>, OptionQuery>;

	/// The workers of each pool.
	#[pallet::storage]
	pub type PoolWorkers<T: Config> =
		StorageMap<_, Twox64Concat, PoolId, BoundedVec<WorkerKey, T::MaxWorkers>, OptionQuery>;

	/// Pools that may take a worker, with the operator who says so. Removed when one does, or when the
	/// worker has another operator or none.
	// Users choose what names their workers.
	#[pallet::storage]
	pub type Consents<T: Config> =
		StorageMap<_, Blake2_128Concat, WorkerKey, (T::AccountId, PoolId), OptionQuery>;

	/// Who may contribute; without a list, everybody. Written by the owner; removed with the pool.
	#[pallet::storage]
	pub type Whitelists<T: Config> =
		StorageMap<_, Twox64Concat, PoolId, BoundedVec<T::AccountId, T::MaxWhitelist>, OptionQuery>;

	/// What owners say of their pools, UTF-8 by custom. Removed with the pool.
	#[pallet::storage]
	pub type Descriptions<T: Config> =
		StorageMap<_, Twox64Concat, PoolId, BoundedVec<u8, T::MaxDescription>, OptionQuery>;

	/// Stake behind workers of all pools that was not taken, also if it is suspected.
	#[pallet::storage]
	pub type TotalStake<T: Config> = StorageValue<_, u128, ValueQuery>;

	/// Keeps the pot alive.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		#[serde(skip)]
		_config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			frame_system::Pallet::<T>::inc_providers(&Pallet::<T>::pot_account());
		}
	}

	/// What happened. Amounts are plancks.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A pool was founded.
		PoolCreated {
			/// The pool.
			pool: PoolId,
			/// Its owner.
			owner: T::AccountId,
			/// The owner's stake.
			own: u128,
			/// The owner's part of the rewards.
			commission: Perbill,
		},
		/// An empty pool is gone.
		PoolRemoved {
			/// The pool.
			pool: PoolId,
			/// The owner's stake, which was released.
			own: u128,
		},
		/// A commission was set.
		CommissionSet {
			/// The pool.
			pool: PoolId,
			/// The rate.
			rate: Perbill,
			/// Relay-chain block from which on it binds, with the round that begins next. A cut binds at
			/// once.
			binds: u32,
		},
		/// A pool's limit was set.
		CapSet {
			/// The pool.
			pool: PoolId,
			/// Most stake that it takes.
			cap: Option<u128>,
		},
		/// A whitelist was set.
		WhitelistSet {
			/// The pool.
			pool: PoolId,
			/// How many may contribute; `None` if all.
			accounts: Option<u32>,
		},
		/// A description was set.
		DescriptionSet {
			/// The pool.
			pool: PoolId,
		},
		/// A pool was offered to somebody, or an offer withdrawn.
		OwnershipOffered {
			/// The pool.
			pool: PoolId,
			/// To whom.
			heir: Option<T::AccountId>,
		},
		/// A pool has another owner.
		OwnershipChanged {
			/// The pool.
			pool: PoolId,
			/// The old owner, who is a delegator now.
			from: T::AccountId,
			/// The new owner.
			to: T::AccountId,
			/// The new owner's stake.
			own: u128,
		},
		/// An owner added stake.
		OwnerStakeAdded {
			/// The pool.
			pool: PoolId,
			/// The owner.
			who: T::AccountId,
			/// How much.
			amount: u128,
		},
		/// An owner wants stake back.
		OwnerWithdrawalRequested {
			/// The pool.
			pool: PoolId,
			/// The owner.
			who: T::AccountId,
			/// How much; 0 if nothing any more.
			amount: u128,
		},
		/// An owner got stake back.
		OwnerStakeWithdrawn {
			/// The pool.
			pool: PoolId,
			/// The owner.
			who: T::AccountId,
			/// How much.
			amount: u128,
		},
		/// An owner was paid commission and the rewards of their stake.
		OwnerRewardsClaimed {
			/// The pool.
			pool: PoolId,
			/// The owner.
			who: T::AccountId,
			/// How much.
			amount: u128,
		},
		/// An operator said which pool may take a worker.
		ConsentChanged {
			/// The worker.
			worker: WorkerKey,
			/// The pool, if any.
			pool: Option<PoolId>,
		},
		/// A pool has another worker.
		WorkerAdded {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
			/// Who operates it.
			operator: T::AccountId,
		},
		/// A worker left its pool.
		WorkerRemoved {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
		},
		/// A worker has stake and mines.
		WorkerStarted {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
			/// Stake behind it.
			stake: u128,
		},
		/// A worker has more stake.
		WorkerToppedUp {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
			/// How much more.
			added: u128,
		},
		/// A worker was told to stop.
		WorkerStopped {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
			/// Whether it was for those who wait in the queue.
			forced: bool,
		},
		/// A worker's stake is free again.
		WorkerReclaimed {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
			/// What came back.
			stake: u128,
		},
		/// Somebody put stake into a pool.
		Contributed {
			/// The pool.
			pool: PoolId,
			/// Who.
			who: T::AccountId,
			/// How much.
			amount: u128,
			/// Shares for it. They earn from the next round.
			shares: u128,
		},
		/// Somebody wants stake back.
		WithdrawalRequested {
			/// The pool.
			pool: PoolId,
			/// Who.
			who: T::AccountId,
			/// Shares to redeem.
			shares: u128,
			/// Relay-chain block that decides the place in the queue.
			since: u32,
		},
		/// Somebody stays after all.
		WithdrawalCancelled {
			/// The pool.
			pool: PoolId,
			/// Who.
			who: T::AccountId,
		},
		/// Somebody got stake back.
		Withdrawn {
			/// The pool.
			pool: PoolId,
			/// Who.
			who: T::AccountId,
			/// Shares that were redeemed.
			shares: u128,
			/// What was released.
			amount: u128,
		},
		/// A delegator was paid rewards.
		RewardsClaimed {
			/// The pool.
			pool: PoolId,
			/// Who.
			who: T::AccountId,
			/// How much.
			amount: u128,
		},
		/// The pay of a round can be claimed.
		RoundCredited {
			/// The pool.
			pool: PoolId,
			/// The round.
			round: u32,
			/// The owner's commission and part.
			owner: u128,
			/// The delegators' part.
			delegators: u128,
		},
		/// A loss is suspected and out of the price.
		LossSuspected {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
			/// Names it.
			tranche: TrancheId,
			/// The owner's part.
			own: u128,
			/// The delegators' part.
			others: u128,
		},
		/// A part of a suspected loss is lost for good.
		LossApplied {
			/// The pool.
			pool: PoolId,
			/// Names it.
			tranche: TrancheId,
			/// Taken from the owner.
			own: u128,
			/// Charged to the delegators.
			others: u128,
		},
		/// A part of a suspected loss was cancelled.
		LossRestored {
			/// The pool.
			pool: PoolId,
			/// Names it.
			tranche: TrancheId,
			/// The owner's part.
			own: u128,
			/// The delegators' part.
			others: u128,
		},
		/// A round's loss is decided, and its holders can see its end.
		LossClosed {
			/// The pool.
			pool: PoolId,
			/// The loss.
			loss: LossId,
			/// What they lose.
			applied: u128,
			/// What they get back.
			restored: u128,
			/// Shares for it; 0 if it went back into the price.
			minted: u128,
		},
		/// A delegator saw the end of a loss.
		LossCollected {
			/// The pool.
			pool: PoolId,
			/// Who.
			who: T::AccountId,
			/// The loss.
			loss: LossId,
			/// What was taken.
			collected: u128,
			/// Shares for what was cancelled.
			minted: u128,
		},
		/// Something happened that cannot. The chain goes on; tell the developers.
		Unexpected {
			/// What.
			kind: Unexpected,
		},
		/// Another part of a worker's stake is at risk by its silence. Nothing is any more if it is 0: it
		/// answered, or its session ended and what it lost is suspected.
		AtRisk {
			/// The pool.
			pool: PoolId,
			/// The worker.
			worker: WorkerKey,
			/// What may be lost of its stake.
			amount: u128,
			/// What is at risk in the pool beyond the owner's stake. While it is more than 0, no share
			/// changes hands.
			exposed: u128,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such pool. Check its number; it may have been removed.
		PoolNotFound,
		/// Only the pool's owner can do this.
		NotOwner,
		/// The account owns the pool already. Offer it to another one.
		AlreadyOwner,
		/// The pool was not offered to this account. Ask its owner to.
		NotOffered,
		/// Only the worker's operator can do this.
		NotOperator,
		/// The operator has not agreed to this pool, or the worker has another one by now. Let the
		/// operator sign `consent`, then add the worker (again).
		NoConsent,
		/// The worker's attestation does not count, or it is no worker. Register or renew it.
		WorkerNotAttested,
		/// The worker is in no pool. Add it first.
		WorkerNotFound,
		/// The worker is in a pool. Remove it there first.
		WorkerInPool,
		/// The worker has stake. Stop it, wait for the cool-down, and reclaim it.
		WorkerBusy,
		/// The worker has no session, or it ends already.
		WorkerNotRunning,
		/// The pool has as many workers as it may have. Found another one.
		TooManyWorkers,
		/// A loss is suspected and not decided. Wait until the ledger closes the case.
		OpenLoss,
		/// The owner has less than the least part of the pool's stake. They have to add to it.
		OwnerStakeTooLow,
		/// The pool would have more stake than its cap.
		CapReached,
		/// The pool has a whitelist without this account. Ask its owner.
		NotWhitelisted,
		/// The amount is below the minimum.
		BelowMinimum,
		/// There is not as much stake, or it is behind workers or wanted by the queue.
		NotEnoughStake,
		/// The position has fewer shares. View function `position` tells how many.
		NotEnoughShares,
		/// There is no such position.
		PositionNotFound,
		/// There is no such request in the queue.
		RequestNotFound,
		/// Losses left less than a millionth of the price: the pool takes nothing any more. Join another.
		PoolClosed,
		/// A loss was suspected in this round, or too many are open, so that shares do not change hands.
		/// Try again in the next round.
		LossThisRound,
		/// The position has not seen so many losses that one call cannot go through them. Call `settle`
		/// first, until it is free no more.
		BehindOnLosses,
		/// There is no reward to claim yet. Rewards are credited when a round ends.
		NothingToClaim,
		/// There is nothing to do: nobody is overdue, or no worker can be stopped.
		NothingToDo,
		/// The pool has delegators, workers or losses. All have to leave first.
		NotEmpty,
		/// A number would be larger than can be counted.
		TooLarge,
		/// A worker is silent, and may lose more than the owner's stake covers: until it answers or is
		/// stopped, shares do not change hands. Try again later, or let the owner add stake.
		StakeAtRisk,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::RoundLength::get() > 0, "a round has at least one block");
			assert!(T::GracePeriod::get() >= T::RoundLength::get(), "withdrawals take a round");
			let share = T::OwnerShare::get();
			let (least, most) = (Perbill::from_percent(1), Perbill::from_percent(99));
			assert!((least..=most).contains(&share), "an owner has 1 to 99 %");
			assert!(T::MinOwnerStake::get() > 0, "a pool costs something");
			assert!(T::MinContribution::get() > 0, "a position costs something");
			assert!(T::MaxWorkers::get() > 0, "a pool can have a worker");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Found a pool.
		///
		/// - `origin`: signed; the owner.
		/// - `own`: stake of the owner, at least `MinOwnerStake`, put on hold.
		/// - `commission`: the owner's part of the rewards, before they are divided by stake.
		#[pallet::call_index(0)]
		pub fn create(origin: OriginFor<T>, own: u128, commission: Perbill) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_create(who, own, commission)
		}

		/// Set the commission. A cut binds at once; a rise after the grace period and a cool-down, so
		/// that everybody can leave before it. A new one replaces what was announced.
		///
		/// - `origin`: signed by the owner.
		#[pallet::call_index(1)]
		pub fn set_commission(origin: OriginFor<T>, pool: PoolId, rate: Perbill) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_commission(who, pool, rate)
		}

		/// Limit the stake of a pool. What is in it stays.
		///
		/// - `origin`: signed by the owner.
		/// - `cap`: plancks; `None` for no limit.
		#[pallet::call_index(2)]
		pub fn set_cap(origin: OriginFor<T>, pool: PoolId, cap: Option<u128>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_cap(who, pool, cap)
		}

		/// Say who may contribute. Who is in may stay.
		///
		/// - `origin`: signed by the owner.
		/// - `list`: the accounts; `None` for everybody.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::set_whitelist(
			list.as_ref().map_or(0, |list| list.len() as u32)
		))]
		pub fn set_whitelist(
			origin: OriginFor<T>,
			pool: PoolId,
			list: Option<BoundedVec<T::AccountId, T::MaxWhitelist>>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_whitelist(who, pool, list)
		}

		/// Describe a pool.
		///
		/// - `origin`: signed by the owner.
		/// - `text`: what to show; empty for nothing.
		#[pallet::call_index(4)]
		pub fn set_description(
			origin: OriginFor<T>,
			pool: PoolId,
			text: BoundedVec<u8, T::MaxDescription>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_description(who, pool, text)
		}

		/// Offer a pool to somebody.
		///
		/// - `origin`: signed by the owner.
		/// - `heir`: who may accept; `None` withdraws the offer.
		#[pallet::call_index(5)]
		pub fn offer_ownership(
			origin: OriginFor<T>,
			pool: PoolId,
			heir: Option<T::AccountId>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_offer_ownership(who, pool, heir)
		}

		/// Take over a pool that was offered. No loss may be open. The old owner is paid, and a delegator
		/// from now on.
		///
		/// - `origin`: signed by the heir.
		/// - `own`: stake of the new owner, at least the owner's share of all stake.
		#[pallet::call_index(6)]
		pub fn accept_ownership(origin: OriginFor<T>, pool: PoolId, own: u128) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept_ownership(who, pool, own)
		}

		/// Remove a pool without delegators, workers and losses, and take what is left of it.
		///
		/// - `origin`: signed by the owner.
		#[pallet::call_index(7)]
		pub fn close(origin: OriginFor<T>, pool: PoolId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_close(who, pool)
		}

		/// Add to the owner's stake.
		///
		/// - `origin`: signed by the owner.
		/// - `amount`: plancks, at least `MinContribution`.
		#[pallet::call_index(8)]
		pub fn add_own(origin: OriginFor<T>, pool: PoolId, amount: u128) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_add_own(who, pool, amount)
		}

		/// Ask for a part of the owner's stake. It is paid by `process` when nobody is in the queue, after
		/// a round, down to the owner's share.
		///
		/// - `origin`: signed by the owner.
		/// - `amount`: plancks; 0 takes the request back. A smaller one keeps its time.
		#[pallet::call_index(9)]
		pub fn withdraw_own(origin: OriginFor<T>, pool: PoolId, amount: u128) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_own(who, pool, amount)
		}

		/// Agree that a pool takes a worker. Its owner then adds it.
		///
		/// - `origin`: signed by the operator.
		/// - `pool`: which one; `None` takes it back, unless the worker is in it.
		#[pallet::call_index(10)]
		pub fn consent(
			origin: OriginFor<T>,
			worker: WorkerKey,
			pool: Option<PoolId>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_consent(who, worker, pool)
		}

		/// Take a worker into a pool. Its operator must have agreed, unless it is the owner.
		///
		/// - `origin`: signed by the owner.
		#[pallet::call_index(11)]
		pub fn add_worker(origin: OriginFor<T>, pool: PoolId, worker: WorkerKey) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_add_worker(who, pool, worker)
		}

		/// Take a worker without stake out of its pool.
		///
		/// - `origin`: signed by the owner or by the operator that agreed.
		#[pallet::call_index(12)]
		pub fn remove_worker(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_remove_worker(who, worker)
		}

		/// Put stake behind a worker and let it mine. The stake must be free and not wanted by the queue,
		/// and the owner must have their share of the pool.
		///
		/// - `origin`: signed by the owner.
		/// - `stake`: plancks, within mining's bounds.
		#[pallet::call_index(13)]
		pub fn start(origin: OriginFor<T>, worker: WorkerKey, stake: u128) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_start(who, worker, stake)
		}

		/// Put more stake behind a running worker. What its session has lost so far is suspected first.
		///
		/// - `origin`: signed by the owner.
		/// - `added`: plancks.
		#[pallet::call_index(14)]
		pub fn top_up(origin: OriginFor<T>, worker: WorkerKey, added: u128) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_top_up(who, worker, added)
		}

		/// End a worker's session.
		///
		/// - `origin`: signed by the owner or by the operator that agreed.
		#[pallet::call_index(15)]
		pub fn stop(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_stop(who, worker)
		}

		/// Take the stake of a worker back into the pool, after its cool-down and when no case is open.
		///
		/// - `origin`: signed, by anybody.
		#[pallet::call_index(16)]
		pub fn reclaim(origin: OriginFor<T>, worker: WorkerKey) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_reclaim(worker)
		}

		/// Put stake into a pool. It is put on hold, and earns from the next round.
		///
		/// - `origin`: signed; on the whitelist, if there is one.
		/// - `amount`: plancks, at least `MinContribution`.
		#[pallet::call_index(17)]
		pub fn contribute(origin: OriginFor<T>, pool: PoolId, amount: u128) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_contribute(who, pool, amount)
		}

		/// Ask for stake back. There is one request per delegator: a smaller one keeps its place, a larger
		/// one goes to the end. Shares earn, and can be slashed, until they are paid.
		///
		/// - `origin`: signed by a delegator.
		/// - `shares`: how many to redeem, all in all.
		#[pallet::call_index(18)]
		pub fn withdraw(origin: OriginFor<T>, pool: PoolId, shares: u128) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw(who, pool, shares)
		}

		/// Take the request for stake back.
		///
		/// - `origin`: signed by a delegator in the queue.
		#[pallet::call_index(19)]
		pub fn cancel_withdrawal(origin: OriginFor<T>, pool: PoolId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_cancel_withdrawal(who, pool)
		}

		/// Be paid a delegator's rewards of all rounds that ended.
		///
		/// - `origin`: signed by a delegator, or one who was.
		#[pallet::call_index(20)]
		pub fn claim(origin: OriginFor<T>, pool: PoolId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_claim(who, pool)
		}

		/// Be paid the owner's commission and the rewards of the owner's stake.
		///
		/// - `origin`: signed by the owner.
		#[pallet::call_index(21)]
		pub fn claim_owner(origin: OriginFor<T>, pool: PoolId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_claim_owner(who, pool)
		}

		/// Pay the withdrawal queue out of free stake. Free if it did anything.
		///
		/// - `origin`: signed, by anybody.
		/// - `limit`: most requests to pay.
		#[pallet::call_index(22)]
		#[pallet::weight(<T as Config>::WeightInfo::process(*limit))]
		pub fn process(
			origin: OriginFor<T>,
			pool: PoolId,
			limit: u32,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let paid = Self::do_process(pool, limit)?;
			let weight = T::WeightInfo::process(paid.saturating_add(1).min(limit));
			Ok((Some(weight), if paid > 0 { Pays::No } else { Pays::Yes }).into())
		}

		/// Stop the fewest workers whose stake pays the requests that have waited for longer than the grace
		/// period, and the fewest of those whose silence keeps shares from being redeemed; all workers of a
		/// pool that is closed by its losses. Free, if it succeeds.
		///
		/// - `origin`: signed, by anybody.
		/// - `requests`: how many of the queue to look at.
		#[pallet::call_index(23)]
		#[pallet::weight(<T as Config>::WeightInfo::force(*requests))]
		pub fn force(
			origin: OriginFor<T>,
			pool: PoolId,
			requests: u32,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let walked = Self::do_force(pool, requests)?;
			Ok((Some(T::WeightInfo::force(walked)), Pays::No).into())
		}

		/// Bring a position up to date: collect what it lost, and give it what was cancelled. Free if there
		/// was a loss to see.
		///
		/// - `origin`: signed, by anybody.
		/// - `who`: whose position.
		#[pallet::call_index(24)]
		pub fn settle(
			origin: OriginFor<T>,
			pool: PoolId,
			who: T::AccountId,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Ok(if Self::do_settle(who, pool)? { Pays::No } else { Pays::Yes }.into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What a delegator has in a pool at this moment.
		pub fn position(who: T::AccountId, pool: PoolId) -> Option<PositionInfo> {
			Self::view_position(&who, pool)
		}

		/// Relay-chain block in which a delegator's request can be paid at the latest, if everybody who can
		/// help does at once and no case is opened against the workers that have to stop. `None` without a
		/// request.
		pub fn withdrawal_eta(who: T::AccountId, pool: PoolId) -> Option<u32> {
			Self::view_withdrawal_eta(&who, pool)
		}

		/// A pool at this moment.
		pub fn pool(pool: PoolId) -> Option<PoolInfo<T::AccountId>> {
			Self::view_pool(pool)
		}

		/// Plancks of stake per share, rounded down. 1 before anybody contributes.
		pub fn share_price(pool: PoolId) -> Option<FixedU128> {
			Self::view_share_price(pool)
		}
	}
}

impl<T: Config> Pallet<T> {
	/// This moment, in relay-chain blocks.
	pub(crate) fn now() -> u32 {
		T::BlockNumberProvider::current_block_number()
	}
}
