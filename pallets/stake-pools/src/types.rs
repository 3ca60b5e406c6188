//! What the pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use phala_tokenomics::{
	Balance, Fixed,
	pool::{Rewards, Shares, Tranche},
};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// Names a pool. Numbers are never used again.
pub type PoolId = u32;

/// Names a suspected loss.
pub type TrancheId = u64;

/// Numbers the losses of a pool, from 0.
pub type LossId = u32;

/// Most losses of a pool that are open at a time.
pub const MAX_OPEN_LOSSES: u32 = 32;

macro_rules! stored {
	($($item:item)*) => { $(
		#[derive(
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
		$item
	)* };
}

stored! {
	/// A pool. Amounts are plancks.
	pub struct Pool<AccountId> {
		/// Who runs it, and bears losses first.
		pub owner: AccountId,
		/// Who may become the owner.
		pub heir: Option<AccountId>,
		/// The owner's stake, without what is suspected.
		pub own: Balance,
		/// Of it, what earns only from the next round.
		pub own_joining: Balance,
		/// What is suspected of the owner's stake.
		pub own_suspected: Balance,
		/// What the owner wants to take out.
		pub own_exit: Option<OwnExit>,
		/// Delegators' shares, and their stake without what is suspected.
		pub shares: Shares,
		/// Of the shares, those that earn only from the next round.
		pub joining: Balance,
		/// Of the shares, those whose holders want to leave.
		pub queued: Balance,
		/// How often shares were issued or redeemed. Tells whether the holders are still the same.
		pub changes: u64,
		/// Stake behind workers, without what is suspected or lost.
		pub committed: Balance,
		/// Of it, what silent workers may still lose: the sum over them.
		pub at_risk: Balance,
		/// Most stake that the pool takes.
		pub cap: Option<Balance>,
		/// The owner's part of the rewards of this round.
		pub commission: Perbill,
		/// A higher one, for later.
		pub announced: Option<Announced>,
		/// Round of the last look at the pool: relay-chain block over the length of a round.
		pub round: u32,
		/// Pay of this round, not credited yet.
		pub bucket: Balance,
		/// Rewards per share.
		pub rewards: Rewards,
		/// What the owner can claim.
		pub owner_rewards: Balance,
		/// What the pallet's account keeps for this pool.
		pub pot: Balance,
		/// First in the queue.
		pub head: Option<AccountId>,
		/// Last in the queue.
		pub tail: Option<AccountId>,
		/// Number of the next loss.
		pub next_loss: LossId,
		/// Losses that are not closed.
		pub open: BoundedVec<LossId, ConstU32<MAX_OPEN_LOSSES>>,
		/// Round of the last loss.
		pub last_loss: Option<u32>,
		/// Tranches with something left.
		pub tranches: u32,
		/// Charged to delegators and not collected yet.
		pub outstanding: Balance,
		/// Delegators with a position, also one without shares.
		pub positions: u32,
	}

	/// A withdrawal of the owner.
	pub struct OwnExit {
		/// Plancks.
		pub amount: Balance,
		/// Relay-chain block of the request.
		pub since: u32,
	}

	/// A rise of the commission.
	pub struct Announced {
		/// The rate.
		pub rate: Perbill,
		/// Relay-chain block from which on it binds, with the round that begins next.
		pub binds: u32,
	}

	/// What a delegator has in a pool. Rewards and losses are those seen so far: the rest is added when
	/// it is touched.
	pub struct Position {
		/// All shares.
		pub shares: Balance,
		/// Of them, those that do not earn yet.
		pub joining: Option<Joining>,
		/// PHA on hold for the pool: what was contributed, less what was released and lost.
		pub held: Balance,
		/// Rewards per share up to which `rewards` counts.
		pub since: Fixed,
		/// Rewards to claim.
		pub rewards: Balance,
		/// The next loss to look at.
		pub seen: LossId,
		/// Losses that it takes part in and that were open when they were last looked at.
		pub claims: BoundedVec<Claim, ConstU32<MAX_OPEN_LOSSES>>,
	}

	/// Shares that earn from the round after `round`.
	pub struct Joining {
		/// Round of the contribution.
		pub round: u32,
		/// How many.
		pub shares: Balance,
	}

	/// A part in a loss.
	pub struct Claim {
		/// The loss.
		pub loss: LossId,
		/// Shares held when it was suspected.
		pub shares: Balance,
	}

	/// Where shares that joined in a round begin to earn.
	pub struct Start {
		/// Rewards per share at the end of the round; not known before.
		pub per_share: Fixed,
		/// Positions that still ask for it.
		pub positions: u32,
	}

	/// A delegator's place in the queue.
	pub struct Request<AccountId> {
		/// Shares to redeem.
		pub shares: Balance,
		/// Relay-chain block of the request.
		pub since: u32,
		/// The one before.
		pub prev: Option<AccountId>,
		/// The one after.
		pub next: Option<AccountId>,
	}

	/// What delegators of one moment are suspected to lose: the tranches of one round, in which no
	/// share changes hands after the first of them.
	pub struct Loss {
		/// Round in which it was suspected.
		pub round: u32,
		/// The pool's count of changes of shares at that time.
		pub changes: u64,
		/// All shares of that moment.
		pub shares: Balance,
		/// What was suspected of them.
		pub amount: Balance,
		/// Of it, what was taken.
		pub applied: Balance,
		/// Of it, what was cancelled.
		pub restored: Balance,
		/// Shares whose holders have not seen the end.
		pub unseen: Balance,
		/// How it ended.
		pub outcome: Option<Outcome>,
	}

	/// How a loss ended: what its holders have to collect.
	pub struct Outcome {
		/// Round in which it was closed.
		pub round: u32,
		/// What is to be taken, divided among the holders.
		pub charge: Tranche,
		/// Shares for what was cancelled, divided among the holders.
		pub minted: Tranche,
		/// Rewards per share when those were issued.
		pub since: Fixed,
	}

	/// A suspected loss of one worker, as the ledger of offences knows it.
	pub struct TrancheInfo<Worker> {
		/// The pool.
		pub pool: PoolId,
		/// The worker.
		pub worker: Worker,
		/// What remains of the owner's part.
		pub own: Balance,
		/// What remains of the delegators' part.
		pub others: Balance,
		/// The loss that the delegators' part belongs to.
		pub loss: Option<LossId>,
	}

	/// A worker of a pool.
	pub struct Worker<AccountId> {
		/// The pool.
		pub pool: PoolId,
		/// Operator that agreed.
		pub operator: AccountId,
		/// Stake of its session.
		pub stake: Balance,
		/// Of it, what is suspected.
		pub suspected: Balance,
		/// Of it, what was taken.
		pub lost: Balance,
		/// Of it, what it may lose by its silence, as mining said last.
		pub at_risk: Balance,
		/// What it does.
		pub phase: Phase,
	}
}

stored! {
	/// What a worker does with the pool's stake.
	#[derive(Copy)]
	pub enum Phase {
		/// It has none.
		#[codec(index = 0)]
		Idle,
		/// It has a session.
		#[codec(index = 1)]
		Running,
		/// Its session ends or has ended; the stake comes back after the cool-down.
		#[codec(index = 2)]
		Ending,
	}

	/// What happened that cannot.
	#[derive(Copy)]
	pub enum Unexpected {
		/// A tranche or a loss is missing.
		#[codec(index = 0)]
		LossMissing,
		/// PHA was not on hold.
		#[codec(index = 1)]
		HoldMissing,
		/// Mining keeps a different account of a worker's stake.
		#[codec(index = 2)]
		StakeDiffers,
		/// A link of the queue is broken.
		#[codec(index = 3)]
		QueueBroken,
	}

	/// A delegator's position, as a client sees it.
	pub struct PositionInfo {
		/// Shares.
		pub shares: Balance,
		/// What they are worth, in plancks, if silent workers do not come back.
		pub worth: Balance,
		/// Shares that earn from the next round.
		pub joining: Balance,
		/// Shares in the withdrawal queue.
		pub queued: Balance,
		/// Plancks on hold for the pool, all in all.
		pub held: Balance,
		/// Of them, those suspected to be lost.
		pub suspected: Balance,
		/// Plancks to claim.
		pub rewards: Balance,
	}

	/// A pool, as a client sees it.
	pub struct PoolInfo<AccountId> {
		/// The record.
		pub pool: Pool<AccountId>,
		/// Stake that is behind no worker and not wanted by the queue, in plancks.
		pub available: Balance,
		/// Most that delegators can contribute now, in plancks.
		pub room: Balance,
		/// Whether no contribution is taken any more, because the price fell below 10⁻⁶.
		pub closed: bool,
	}
}

impl<AccountId> Pool<AccountId> {
	/// All stake, without what is suspected.
	pub fn stake(&self) -> Balance {
		self.own.saturating_add(self.shares.value())
	}

	/// Stake that is behind no worker.
	pub fn free(&self) -> Balance {
		self.stake().saturating_sub(self.committed)
	}

	/// Stake that may go behind a worker: what leavers wait for is not.
	pub fn available(&self) -> Balance {
		self.free().saturating_sub(self.shares.worth(self.queued))
	}

	/// May shares be issued and redeemed? Not after a loss of this round, whose holders are those of
	/// its first moment, and not while no further loss could be recorded on its own.
	pub fn is_frozen(&self) -> bool {
		self.last_loss == Some(self.round) || self.open.is_full()
	}

	/// What silent workers may lose beyond the owner's stake: what the holders of this moment bear if
	/// none of them comes back.
	pub fn exposed(&self) -> Balance {
		self.at_risk.saturating_sub(self.own)
	}

	/// Do shares rest? Also while delegators are exposed: whoever left now would leave the loss to
	/// those who stay, and whoever came would pay for it, or gain by its end.
	pub fn rests(&self) -> bool {
		self.is_frozen() || self.exposed() > 0
	}

	/// The shares as they will be worth if all that is at risk is lost.
	pub fn at_worst(&self) -> Shares {
		let mut shares = self.shares;
		shares.lose(self.exposed());
		shares
	}
}

impl Loss {
	/// Has all of it been taken or cancelled?
	pub fn is_decided(&self) -> bool {
		self.applied.saturating_add(self.restored) >= self.amount
	}

	/// What is set aside for holders of so many shares of its moment.
	pub fn part(&self, shares: Balance) -> Balance {
		Tranche::new(self.amount, self.shares).part(shares)
	}
}

impl Position {
	/// One that has nothing.
	pub fn new<AccountId>(pool: &Pool<AccountId>) -> Self {
		Self {
			shares: 0,
			joining: None,
			held: 0,
			since: pool.rewards.per_share(),
			rewards: 0,
			seen: pool.next_loss,
			claims: BoundedVec::new(),
		}
	}

	/// Has it nothing that is worth a record?
	pub fn is_empty(&self) -> bool {
		self.shares == 0 && self.held == 0 && self.rewards == 0 && self.claims.is_empty()
	}
}

impl<AccountId> Worker<AccountId> {
	/// Stake that is neither suspected nor lost.
	pub fn sound(&self) -> Balance {
		self.stake.saturating_sub(self.suspected).saturating_sub(self.lost)
	}
}
