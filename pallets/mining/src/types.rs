//! What is stored, told and shown.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use phala_primitives::{PlatformId, WorkerKey};
use phala_tokenomics::{Accumulator, Balance, Session, SessionError};
use scale_info::TypeInfo;
use sp_runtime::{FixedU128, Perquintill};

use crate::{clock::Clock, guard::Guard};

/// Number of a session: never used twice.
pub type SessionId = u64;

/// When a challenge was issued, by each clock that its deadline counts by.
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
pub struct Stamp {
	/// The parachain's block. Its hash seeds the answer.
	pub block: u32,
	/// Relay-chain block.
	pub relay: u32,
	/// Blocks of the parachain so far that admitted heartbeats, with this one.
	pub admitted: u32,
	/// Relay-chain blocks so far by which performance is measured.
	pub measured: u32,
}

/// Planck that answers earned and that leave the pot at the end of the block: a transfer takes longer
/// than all that an answer computes, so all answers of a block share it.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Due {
	/// To keepers, who have booked it.
	pub keepers: Balance,
	/// To the treasury.
	pub treasury: Balance,
}

impl Due {
	/// All of it.
	pub fn sum(&self) -> Balance {
		self.keepers.saturating_add(self.treasury)
	}
}

/// The state that every event needs.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Economy<AccountId> {
	/// Σshare, what a unit of share earned, and where each planck of the budget went.
	pub accumulator: Accumulator,
	/// Planck in the pot when the economy began.
	pub endowment: Balance,
	/// Paid by the books, and still in the pot: nothing between blocks, unless pay was refused.
	pub due: Due,
	/// Clocks of challenges.
	pub clock: Clock<AccountId>,
	/// Answers that were due within the last hour.
	pub guard: Guard,
	/// So many answers are missing that nobody decays, as the last block found.
	pub outage: bool,
}

/// A worker's session.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Record<Keeper> {
	/// Its number.
	pub id: SessionId,
	/// Who keeps its stake and gets its pay.
	pub keeper: Keeper,
	/// The machine that its V counts for.
	pub platform: PlatformId,
	/// V, health and share.
	pub money: Session,
	/// Planck that the keeper put behind it, at the start and by top-ups, whatever was lost since.
	pub staked: Balance,
	/// Planck of `staked` that wait for an answer before they count.
	pub top_up: Balance,
	/// Planck of `staked` that were refused: they never count, and still answer for offences.
	pub idle: Balance,
	/// It is told to stop; its next answer or miss ends it.
	pub stopping: bool,
	/// Its attestation did not count at some moment since the last answer.
	pub lapsed: bool,
	/// Unix second up to which its attestation is known to count.
	pub covered_until: u64,
	/// Its place in the dense list; none once it ended.
	pub slot: Option<u32>,
	/// The challenge that it has not answered yet.
	pub challenge: Option<Stamp>,
	/// Relay-chain block in which it ended.
	pub ended: Option<u32>,
	/// Its keeper was told that some of its stake is at risk.
	pub warned: bool,
	/// What it lost at its end is not on the ledger of offences yet.
	pub unreported: bool,
}

impl<Keeper> Record<Keeper> {
	/// Planck that answer for offences: what counts, waits or lies idle.
	pub fn liable(&self) -> Balance {
		self.money.stake().saturating_add(self.top_up).saturating_add(self.idle)
	}
}

/// The queues of deadlines. Entries from `first` to `next`, the latter excluded, are stored.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Queue {
	/// The oldest batch.
	pub first: u64,
	/// Workers of the oldest batch that have been walked.
	pub offset: u32,
	/// The number of the next batch.
	pub next: u64,
	/// The oldest silence.
	pub first_silence: u64,
	/// The number of the next silence.
	pub next_silence: u64,
	/// Relay-chain block whose randomness was used last.
	pub drawn: u32,
}

/// A worker that missed a challenge, and when: it is stopped when it stays silent.
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
pub struct Silence {
	/// Who.
	pub worker: WorkerKey,
	/// In which session.
	pub session: SessionId,
	/// Step of the economy's active clock at which it was declared unresponsive.
	pub since: u32,
}

/// Why a session ended.
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
pub enum EndReason {
	/// Its keeper stopped it, and what it had earned was settled.
	#[codec(index = 0)]
	Stopped,
	/// Its keeper stopped it, and it did not answer any more: pay since the last answer is forfeited.
	#[codec(index = 1)]
	StoppedUnsettled,
	/// It was silent for [`MaxSilence`](crate::Config::MaxSilence).
	#[codec(index = 2)]
	Silent,
}

/// Why a challenge was missed.
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
pub enum MissReason {
	/// No answer came in time.
	#[codec(index = 0)]
	NoAnswer,
	/// The answer shows less than half of the benchmark.
	#[codec(index = 1)]
	TooSlow,
}

/// Why an answer did not bring an unresponsive worker back.
pub type RecoveryError = SessionError;

/// A session, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SessionView<Keeper> {
	/// Its number, which heartbeats name.
	pub id: SessionId,
	/// What its keeper sees.
	pub info: phala_primitives::SessionInfo<Keeper>,
	/// Its benchmark score, frozen.
	pub bench: u32,
	/// V now, in planck, if its next answer is on time.
	pub v: Balance,
	/// V at the start with what top-ups added, in planck.
	pub initial_v: Balance,
	/// P_inst of its last answer, in millionths of the score.
	pub performance: u128,
	/// Planck that wait for an answer before they count.
	pub top_up: Balance,
	/// Planck that a stop now would lose.
	pub at_risk: Balance,
	/// Its share of all.
	pub part: Perquintill,
	/// Parachain block of the challenge that waits for an answer.
	pub challenged_at: Option<u32>,
}

/// Until when a challenge can be answered: until all three have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Deadline {
	/// The parachain's block that asked: its number and hash are what an answer names.
	pub block: u32,
	/// Relay-chain block after which an answer may be too late.
	pub relay: u32,
	/// Blocks of the parachain that still have to admit heartbeats.
	pub blocks_left: u32,
	/// Different authors that still have to author.
	pub authors_left: u32,
}

/// What keeps a worker from being paid in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum WhyUnpaid {
	/// It has no session. Let a keeper of stake start one.
	#[codec(index = 0)]
	NoSession,
	/// Its session ended. Reclaim its stake after this relay-chain block and start again.
	#[codec(index = 1)]
	Ended {
		/// When it cooled down.
		until: u32,
	},
	/// It missed a challenge, and is not paid until it answers one after its probation.
	#[codec(index = 2)]
	Unresponsive {
		/// Relay-chain block in which it was declared so.
		since: u32,
		/// Steps that it still waits before it is drawn again.
		probation: u32,
	},
	/// A challenge waits for its answer: what it earned is settled then.
	#[codec(index = 3)]
	AwaitsAnswer,
	/// Its attestation does not count now. Renew it.
	#[codec(index = 4)]
	NotAttested,
	/// Its attestation did not count at some time since the last answer: that interval pays nothing.
	#[codec(index = 5)]
	AttestationLapsed,
	/// Its last answer came without an attestation: it has no share until it answers with one.
	#[codec(index = 6)]
	NoShare,
	/// The pot has no more.
	#[codec(index = 7)]
	PotIsEmpty,
	/// The budget of this period is zero.
	#[codec(index = 8)]
	NoBudget,
	/// It earned more than the cap per hour: the network is small.
	#[codec(index = 9)]
	Capped {
		/// What is paid of what its share earned.
		paid: Perquintill,
	},
	/// Its tier, or computing slower than its benchmark, lowers what it is paid.
	#[codec(index = 10)]
	Quality {
		/// What is paid of what its share earned and the cap allows.
		paid: Perquintill,
	},
	/// No challenge was issued for more than an hour: the relay chain's randomness is missing, or the
	/// chain does not admit heartbeats.
	#[codec(index = 11)]
	NobodyIsDrawn,
}

/// The economy, as clients see it. Amounts in planck.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EconomyView {
	/// Relay-chain block to which it has advanced.
	pub relay: u32,
	/// Workers that are challenged.
	pub workers: u32,
	/// Budget of the next relay-chain block.
	pub budget: Balance,
	/// Budget that elapsed since the start.
	pub elapsed: Balance,
	/// Paid to keepers.
	pub paid: Balance,
	/// Paid to the treasury.
	pub treasury: Balance,
	/// Earned by nobody; in the pot.
	pub withheld: Balance,
	/// Earned and not yet settled; in the pot.
	pub outstanding: Balance,
	/// What the pot can still pay.
	pub pot: Balance,
	/// What is in the reserve.
	pub reserve: Balance,
	/// What can leave the reserve this year.
	pub reserve_available: Balance,
	/// Whether so many answers are missing that nobody decays.
	pub outage: bool,
}

/// A yearly return: 0.2 is 20 %.
pub type Apr = FixedU128;
