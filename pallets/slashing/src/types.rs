//! What the ledger stores.

use crate::{maths::Fractions, policy::Policy};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use phala_primitives::{EvidenceHash, OffenceClass};
use scale_info::TypeInfo;
use sp_runtime::Perquintill;

/// Most tranches of one offence. A class is raised when its era's fraction has doubled, so that seven
/// reach from 1 % to beyond a half; the last place is kept for the weighing, which fills up what is
/// missing.
pub const MAX_TRANCHES: u32 = 8;

/// Numbers accusations, from 0.
pub type AccusationId = u64;

/// Where an offence is in its life.
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
pub enum Stage {
	/// The loss is suspected; governance can cancel all of it.
	#[codec(index = 0)]
	Deferred,
	/// Weighed, and taken as far as the ceilings allow; governance can cancel what remains.
	#[codec(index = 1)]
	Applying,
	/// Nothing is suspected any more.
	#[codec(index = 2)]
	Applied {
		/// Relay-chain block in which the last of it was taken.
		at: u32,
	},
	/// What was suspected has been given back.
	#[codec(index = 3)]
	Cancelled {
		/// Relay-chain block in which it was.
		at: u32,
	},
}

impl Stage {
	/// Relay-chain block in which the offence was closed, if it was.
	pub fn closed_at(self) -> Option<u32> {
		match self {
			Self::Deferred | Self::Applying => None,
			Self::Applied { at } | Self::Cancelled { at } => Some(at),
		}
	}
}

/// How the ledger knows of an offence.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Knowledge<AccountId> {
	/// The chain measured it.
	#[codec(index = 0)]
	Measured,
	/// A pallet checked a proof.
	#[codec(index = 1)]
	Proven {
		/// Who brought it.
		reporter: Option<AccountId>,
	},
	/// The judges agreed with an accusation.
	#[codec(index = 2)]
	Judged {
		/// Who accused.
		reporter: AccountId,
		/// What the reporter has on hold until the offence is closed.
		bond: u128,
	},
}

impl<AccountId> Knowledge<AccountId> {
	/// Who shares in what is taken.
	pub fn reporter(&self) -> Option<&AccountId> {
		match self {
			Self::Measured => None,
			Self::Proven { reporter } => reporter.as_ref(),
			Self::Judged { reporter, .. } => Some(reporter),
		}
	}
}

/// The law of the moment in which an offence was recorded. Later changes do not reach back.
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
pub struct Terms {
	/// See [`Policy::base`].
	pub base: Perquintill,
	/// See [`Policy::correlated`].
	pub correlated: Perquintill,
	/// See [`Parameters::reporter_share`](crate::policy::Parameters::reporter_share).
	pub reporter_share: Perquintill,
}

impl Terms {
	/// The terms of `policy`.
	pub fn new(policy: &Policy, reporter_share: Perquintill) -> Self {
		Self { base: policy.base, correlated: policy.correlated, reporter_share }
	}

	/// The figures that decide a fraction.
	pub fn fractions(&self) -> Fractions {
		Fractions { base: self.base, correlated: self.correlated }
	}
}

/// A part of a suspected loss.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Part<Tranche> {
	/// The slashable's name for it.
	pub tranche: Tranche,
	/// What is neither taken nor given back yet. Never 0.
	pub rest: u128,
}

/// An entry of the ledger. Amounts are plancks, times relay-chain blocks.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Offence<AccountId, Offender, Tranche> {
	/// Whose stake answers.
	pub offender: Offender,
	/// The account that answers.
	pub liable: AccountId,
	/// How the ledger knows.
	pub knowledge: Knowledge<AccountId>,
	/// What proves it.
	pub evidence: EvidenceHash,
	/// When it was committed.
	pub committed: u32,
	/// When it was recorded.
	pub recorded: u32,
	/// When it is weighed and applied, unless it is cancelled before.
	pub due: u32,
	/// The era with whose offences it is weighed: of the act, or of the judgement if there was one.
	pub era: u32,
	/// How bad it was, of the worst that its class knows.
	pub severity: Perquintill,
	/// The law that it is judged by.
	pub terms: Terms,
	/// Fraction of the stake that it costs, as last looked at. Final once it was weighed.
	pub fraction: Perquintill,
	/// The offender's stake when it was recorded.
	pub stake: u128,
	/// What is suspected.
	pub parts: BoundedVec<Part<Tranche>, ConstU32<MAX_TRANCHES>>,
	/// What was taken, or charged to holders of whom it is collected later.
	pub charged: u128,
	/// What was given back.
	pub restored: u128,
	/// What the slashable was asked for, once it was final, and did not have or refused to set aside.
	pub missing: u128,
	/// What of `charged` went to the reporter.
	pub rewarded: u128,
	/// Where it is in its life.
	pub stage: Stage,
}

impl<AccountId, Offender, Tranche> Offence<AccountId, Offender, Tranche> {
	/// What is suspected now.
	pub fn suspected(&self) -> u128 {
		self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.rest))
	}

	/// Is it neither applied nor cancelled?
	pub fn is_open(&self) -> bool {
		self.stage.closed_at().is_none()
	}

	/// Bond that its reporter has on hold.
	pub fn bond(&self) -> u128 {
		match self.knowledge {
			Knowledge::Judged { bond, .. } if self.is_open() => bond,
			_ => 0,
		}
	}
}

/// A report that no pallet can check. It takes nothing until the judges agree.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Accusation<AccountId, Offender> {
	/// Kind of offence.
	pub class: OffenceClass,
	/// Who is accused.
	pub offender: Offender,
	/// Who accuses.
	pub accuser: AccountId,
	/// When the offence was committed, as the accuser says.
	pub committed: u32,
	/// What proves it.
	pub evidence: EvidenceHash,
	/// What the accuser has on hold for it.
	pub bond: u128,
	/// Last relay-chain block in which it can be judged.
	pub expires: u32,
}

/// What a class's offences of one era add up to. Lives while one of them is open.
#[derive(
	Copy,
	Clone,
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
pub struct EraExposure {
	/// Sum of the weights of those that are not cancelled.
	pub weight: u128,
	/// Stake of the class when the first was recorded.
	pub total: u128,
	/// How many are open.
	pub open: u32,
	/// For a raised class, the fraction of a full fault for which the open ones were last walked.
	pub raised: Perquintill,
}

/// What an era may take from a class, and has taken.
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
pub struct Budget {
	/// The era.
	pub era: u32,
	/// What it may take.
	pub limit: u128,
	/// What it has taken.
	pub used: u128,
}

/// A walk over a class's open offences that raises their fraction.
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
pub struct RaiseWalk {
	/// The next one to look at.
	pub at: u64,
	/// Walk once more: an offence has come since this walk began.
	pub again: bool,
}

/// A walk over a class's offences that cancels those that are open.
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
pub struct PardonWalk {
	/// The next one to look at.
	pub at: u64,
	/// The last one.
	pub last: u64,
}

/// A class's offences in the order in which they are due:
/// `oldest ≤ head ≤ next`, closed before `head`, forgotten before `oldest`.
#[derive(
	Copy,
	Clone,
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
	/// The oldest one on record.
	pub oldest: u64,
	/// The first one that may be open.
	pub head: u64,
	/// The next one's number.
	pub next: u64,
	/// When the newest one is due. No later one is due earlier.
	pub last_due: u32,
	/// Running raise, if any.
	pub raise: Option<RaiseWalk>,
	/// Running pardon, if any.
	pub pardon: Option<PardonWalk>,
	/// Budget of the era in which the last slash was applied.
	pub budget: Option<Budget>,
}

/// Why money was taken, or will be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WhySlashed<Offence> {
	/// The entry of the ledger.
	pub offence: Offence,
	/// Fraction of the stake that it costs by what is known now. Final once it was weighed.
	pub fraction: Perquintill,
	/// Share of the class's stake that offended in the same era; `None` once all of these offences are
	/// closed.
	pub exposure: Option<Perquintill>,
	/// What is suspected at this moment.
	pub suspected: u128,
	/// Relay-chain block before which nothing (more) is taken; `None` if it is closed.
	pub not_before: Option<u32>,
}
