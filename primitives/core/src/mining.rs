//! What mining and those who keep stake say to each other.
//!
//! Amounts are plancks of PHA; times are relay-chain blocks. Stake never moves to mining: its keeper
//! holds it and tells mining how much stands behind a session; mining tells the keeper what was paid,
//! and the ledger of offences what was lost.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult, Perquintill};

use crate::WorkerKey;

/// Where a session is in its life.
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
pub enum SessionState {
	/// It answers challenges and earns.
	#[codec(index = 0)]
	Computing,
	/// It missed a challenge, and decays until it answers one again.
	#[codec(index = 1)]
	Unresponsive {
		/// Relay-chain block from which on it decays.
		since: u32,
	},
	/// It was told to stop and has one challenge left to answer, which settles its pay.
	#[codec(index = 2)]
	Stopping,
	/// It ended. Its stake waits.
	#[codec(index = 3)]
	CoolingDown {
		/// Relay-chain block in which it can be reclaimed, at the earliest.
		until: u32,
	},
}

/// A worker's session, as its keeper sees it.
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
pub struct SessionInfo<Keeper> {
	/// Who keeps its stake and gets its pay.
	pub keeper: Keeper,
	/// Stake behind it, in plancks.
	pub stake: u128,
	/// Where it is.
	pub state: SessionState,
	/// What the keeper still has of its promise: 1 less what unanswered challenges cost it.
	pub health: Perquintill,
}

/// Sessions of workers. Implemented by mining; asked by who keeps stake, `Keeper`, such as a pool.
pub trait Mining<Keeper> {
	/// Lets `worker` begin to mine for `keeper` with `stake`. The keeper has already set the stake
	/// aside, and keeps it until [`reclaim`](Self::reclaim).
	///
	/// Fails without a trace if the worker is not attested as one, has a session, has no score, or if
	/// the stake is not within its bounds.
	fn start(worker: &WorkerKey, keeper: Keeper, stake: u128) -> DispatchResult;

	/// Puts `added` behind a running session. What its health had lost of the old stake is reported
	/// as an offence first; health is whole afterwards. Takes effect when the worker has answered a
	/// settling challenge; until then, and if the session ends before, `added` lies idle and is
	/// [reclaimed](Self::reclaim) with the rest.
	///
	/// The keeper counts `added` as stake of the worker from now on: the severity of an offence is what
	/// was lost over the stake with it.
	fn top_up(worker: &WorkerKey, added: u128) -> DispatchResult;

	/// Ends a session: a challenge settles its pay, or is missed; then it cools down. Stopping what
	/// is stopping or has stopped is an error.
	fn stop(worker: &WorkerKey) -> DispatchResult;

	/// Forgets a session that has cooled down and has no open case, and returns its stake as it was at
	/// the start and by top-ups. What it lost, the ledger of offences has told the keeper.
	fn reclaim(worker: &WorkerKey) -> Result<u128, DispatchError>;

	/// The session of `worker`.
	fn session(worker: &WorkerKey) -> Option<SessionInfo<Keeper>>;

	/// Least stake with which `worker` could start now; `None` if it could not with any.
	fn minimum_stake(worker: &WorkerKey) -> Option<u128>;

	/// Relay-chain blocks from the end of a session to [`reclaim`](Self::reclaim), if no case is open.
	fn cool_down() -> u32;
}

/// Keeps the stake of sessions and gets their pay. Implemented by pools.
///
/// Methods take bounded time, fail only where they say so, and do not call [`Mining`].
pub trait StakeKeeper<Keeper, Credit> {
	/// `worker` earned `amount` planck for `keeper`: what is left of its reward after the treasury's
	/// part. They come at the end of the block, with [`on_paid`](Self::on_paid). `false` if there is no
	/// such keeper: then they are the treasury's.
	fn on_earned(keeper: &Keeper, worker: &WorkerKey, amount: u128) -> bool;

	/// What was earned since the last time, by the workers of all keepers together. What is refused
	/// stays due.
	fn on_paid(pay: Credit) -> Result<(), Credit>;

	/// The session of `worker` ended and cools down: it was stopped, was away for too long, or its
	/// attestation ended. The offence of what its health lost, if any, is on the ledger already, and
	/// nothing more is [at risk](Self::on_at_risk).
	fn on_ended(keeper: &Keeper, worker: &WorkerKey);

	/// From now on `amount` of the stake behind `worker` is expected to be lost at worst: at a miss,
	/// what is lost if it stays silent until the chain stops it; when it answers again, what its health
	/// still lacks. Replaces what was said before. A keeper who sets it aside leaves nobody a reason to
	/// run at the first silence.
	fn on_at_risk(_keeper: &Keeper, _worker: &WorkerKey, _amount: u128) {}
}
