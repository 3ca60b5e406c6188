//! What the ledger of offences and its neighbours say to each other: those who report an offence
//! ([`ReportOffence`]), and those whose stake answers for it ([`Slashable`]).
//!
//! Amounts are plancks of PHA; times are relay-chain blocks.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
	DispatchError, Perquintill,
	traits::{BlakeTwo256, Hash},
};

/// Kinds of offence. Each has its own fractions, ceilings and reporters.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum OffenceClass {
	/// A worker left challenges unanswered. Severity is the health that it lost.
	#[codec(index = 0)]
	Outage,
	/// Two signed statements that contradict each other, such as two receipts for one job.
	#[codec(index = 1)]
	Equivocation,
	/// A dealer's share did not match its commitments, or a disputed one was not opened.
	#[codec(index = 2)]
	KeyCeremony,
	/// A gatekeeper was silent in a phase of a ceremony, or owed a partial that it did not give.
	#[codec(index = 3)]
	Absence,
	/// A complaint that was found untrue, by somebody with a stake.
	#[codec(index = 4)]
	FalseReport,
	/// An operator broke the term of a lease.
	#[codec(index = 5)]
	LeaseBreach,
	/// A key was used outside of the enclave that vouched for it. No pallet can see that; it takes
	/// an accusation and a judgement.
	#[codec(index = 6)]
	Compromise,
}

/// How offences of one class in one era act on each other's fraction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Correlation {
	/// Not at all.
	Independent,
	/// Many at once were more likely the network's fault: each is lowered.
	Lowers,
	/// Many at once are an attack: each is raised.
	Raises,
}

impl OffenceClass {
	/// Every class.
	pub const ALL: [Self; 7] = [
		Self::Outage,
		Self::Equivocation,
		Self::KeyCeremony,
		Self::Absence,
		Self::FalseReport,
		Self::LeaseBreach,
		Self::Compromise,
	];

	/// How offences of this class act on each other.
	pub const fn correlation(self) -> Correlation {
		match self {
			Self::Outage | Self::Absence => Correlation::Lowers,
			Self::Equivocation | Self::KeyCeremony => Correlation::Raises,
			Self::FalseReport | Self::LeaseBreach | Self::Compromise => Correlation::Independent,
		}
	}
}

/// Names an offence for ever: its class, and its number within the class, from 0.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct OffenceId {
	/// Kind of offence.
	pub class: OffenceClass,
	/// Offences of the class that were recorded before it.
	pub index: u64,
}

/// Hash of what proves an offence. The same evidence convicts the same offender once.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct EvidenceHash(pub H256);

impl EvidenceHash {
	/// Blake2b-256 of the SCALE encoding of `evidence`.
	///
	/// It must name the fault and nothing else: what can be said in two ways, such as the order of
	/// two contradicting statements, has to be brought into one form first.
	pub fn of(evidence: &impl Encode) -> Self {
		Self(BlakeTwo256::hash_of(evidence))
	}
}

/// Who may report offences. The ledger's table says for each class which of them.
#[derive(
	Copy,
	Clone,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Authority {
	/// The pallet that challenges workers.
	#[codec(index = 0)]
	Mining,
	/// The pallet in which gatekeepers hold keys.
	#[codec(index = 1)]
	Keys,
	/// The pallet that takes usage receipts and keeps leases.
	#[codec(index = 2)]
	Quota,
	/// The registry of workers.
	#[codec(index = 3)]
	Registry,
	/// Any account that puts up the bond, if the judges agree with it.
	#[codec(index = 4)]
	Accusation,
}

impl Authority {
	/// Every authority.
	pub const ALL: [Self; 5] =
		[Self::Mining, Self::Keys, Self::Quota, Self::Registry, Self::Accusation];
}

/// A set of [`Authority`]: bit `n` stands for the one with codec index `n`.
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
pub struct Authorities(pub u8);

impl Authorities {
	/// The set of `authorities`.
	pub fn of(authorities: &[Authority]) -> Self {
		Self(authorities.iter().fold(0, |bits, one| bits | (1 << *one as u8)))
	}

	/// Is `authority` in the set?
	pub fn contains(self, authority: Authority) -> bool {
		self.0 & (1 << authority as u8) != 0
	}

	/// Does the set name nobody unknown?
	pub fn is_valid(self) -> bool {
		self.0 & !Self::of(&Authority::ALL).0 == 0
	}
}

/// How a pallet knows of an offence.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Source<AccountId> {
	/// The chain measured it. Only such a fault is lowered by others at the same time, since nobody
	/// could have chosen which of them to report.
	#[codec(index = 0)]
	Measured,
	/// The pallet checked a proof.
	#[codec(index = 1)]
	Proven {
		/// Who brought the proof and shares in what is taken.
		reporter: Option<AccountId>,
	},
}

/// An offence, as a pallet reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffenceReport<Offender, AccountId> {
	/// Kind of offence.
	pub class: OffenceClass,
	/// Whose stake answers for it.
	pub offender: Offender,
	/// Relay-chain block in which it was committed, or ended if it lasted. Within the ledger's
	/// evidence window.
	pub committed: u32,
	/// What proves it.
	pub evidence: EvidenceHash,
	/// How bad it was, of the worst that its class knows. Multiplies the class's fraction.
	pub severity: Perquintill,
	/// How the pallet knows.
	pub source: Source<AccountId>,
}

/// Takes reports of offences. Implemented by the ledger, once for each [`Authority`].
pub trait ReportOffence<Offender, AccountId> {
	/// Records the offence and announces its suspected loss to the [`Slashable`]. After an error
	/// nothing has changed; the caller decides whether what it was doing can go on without. Lack of
	/// room for a tranche is none.
	fn report(report: OffenceReport<Offender, AccountId>) -> Result<OffenceId, DispatchError>;

	/// Relay-chain blocks for which an offence can be reported after it was committed. Stake has to
	/// stay slashable for that long after the last moment in which its holder could offend.
	fn evidence_window() -> u32;
}

/// Tells whether stake may leave. Implemented by the ledger.
pub trait OpenCases<Offender> {
	/// Is anything about the offender undecided? Its stake has to wait until nothing is.
	fn has_open_case(offender: &Offender) -> bool;
}

/// What [`Slashable::apply`] took. The parts add up to at most the amount that was asked for.
#[must_use]
#[derive(Debug)]
pub struct Slashed<Credit> {
	/// From the stake of the account that answers for the offender. A reporter's share comes out of
	/// this and of nothing else.
	pub own: Credit,
	/// From stake that others entrusted to it.
	pub others: Credit,
	/// Charged to holders but not collected yet: the slashable collects it by and by, and gives it
	/// to the same sink as the ledger does.
	pub outstanding: u128,
}

/// Stake that answers for offences. Implemented by who keeps it: pools, gatekeepers, leases.
///
/// A suspected loss is a *tranche*: it leaves the offender's value at once and belongs to those who
/// held a part of the stake at that moment, also if they leave. From there it is either applied or
/// restored, in parts, until nothing of it remains. Implementations do not call the ledger from
/// these methods, and what they do takes bounded time.
pub trait Slashable<Offender> {
	/// Names accounts.
	type AccountId;
	/// Taken stake.
	type Credit;
	/// Names a tranche.
	type Tranche;

	/// Account that answers for the offender; `None` if there is no such offender.
	fn liable(offender: &Offender) -> Option<Self::AccountId>;

	/// Could the offender have offended in relay-chain block `committed`? Asked for accusations: stake that
	/// answers for nothing new any more would else be kept by one after the other. What a pallet measured
	/// or proved is not asked for.
	fn could_offend(_offender: &Offender, _committed: u32) -> bool {
		true
	}

	/// What can still be taken of the offender's stake: without what is already suspected.
	fn stake(offender: &Offender) -> u128;

	/// Sum of all stake that answers for offences of `class`, suspected or not.
	fn total_stake(class: OffenceClass) -> u128;

	/// Sets `amount`, at most [`stake`](Self::stake), of the offender's stake aside as a tranche.
	/// The loss is borne first by the account that is liable, then by the others in proportion.
	///
	/// An error says that there is no room for another tranche now. The offence is recorded all the
	/// same, and the ledger asks again when it is due, until another deferral has passed.
	fn suspect(offender: &Offender, amount: u128) -> Result<Self::Tranche, DispatchError>;

	/// What can still be taken for an offence that began with the tranche `first`: of the stake which that
	/// was taken from, where that can be told from stake which came or left since.
	fn stake_behind(offender: &Offender, _first: &Self::Tranche) -> u128 {
		Self::stake(offender)
	}

	/// As [`suspect`](Self::suspect), for an offence that began with the tranche `first`, of which there is
	/// something left, and costs more than that: at most [`stake_behind`](Self::stake_behind).
	fn suspect_more(
		offender: &Offender,
		_first: &Self::Tranche,
		amount: u128,
	) -> Result<Self::Tranche, DispatchError> {
		Self::suspect(offender, amount)
	}

	/// What remains of a tranche; 0 once it is used up.
	fn suspected(tranche: &Self::Tranche) -> u128;

	/// Takes `amount` of a tranche for good. Of what is not there any more, nothing is charged.
	fn apply(tranche: &Self::Tranche, amount: u128) -> Slashed<Self::Credit>;

	/// Gives `amount` of a tranche back to those it belongs to. If nothing of the tranche has been
	/// applied and all of it is given back, everyone has exactly what they had before.
	fn restore(tranche: &Self::Tranche, amount: u128);
}
