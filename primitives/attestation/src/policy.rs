//! From a verdict to a tier: the part that governance decides.
//!
//! | Tier | Status | Confidence |
//! |---|---|---|
//! | 1 | `UpToDate` | 1.0 |
//! | 2 | `SWHardeningNeeded` | 1.0 |
//! | 3 | `ConfigurationNeeded`, `ConfigurationAndSWHardeningNeeded`, every advisory accepted | 1.0 |
//! | 4 | as 3, with an advisory that is not accepted | 0.8 |
//! | 5 | `OutOfDate`, `OutOfDateConfigurationNeeded`, within the grace | 0.7 |
//! | 5 | `TDRelaunchAdvised`, `TDRelaunchAdvisedConfigurationNeeded`, within the grace: the TD started on an outdated platform | 0.7 |
//! | refused | `Revoked`, out of grace, evaluation number below the minimum | |

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	collateral::AdvisoryId, error::Error, evidence::Appraised, tcb::TcbStatus, types::UnixTime,
};

/// Most advisories that governance can accept.
pub const MAX_ACCEPTED_ADVISORIES: u32 = 256;

/// How much a platform is trusted; 1 is best.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[repr(u8)]
pub enum Tier {
	/// Up to date.
	One = 1,
	/// Programs need mitigations, which ours have.
	Two = 2,
	/// Settings with accepted consequences.
	Three = 3,
	/// Settings with other consequences.
	Four = 4,
	/// Out of date, within the grace.
	Five = 5,
}

impl Tier {
	/// Confidence in thousandths.
	pub const fn confidence(self) -> u16 {
		match self {
			Self::One | Self::Two | Self::Three => 1000,
			Self::Four => 800,
			Self::Five => 700,
		}
	}
}

/// What a TEE is used for.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Debug,
	strum::Display,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Role {
	/// Computes for users.
	#[strum(to_string = "worker")]
	Worker,
	/// Holds key shares.
	#[strum(to_string = "gatekeeper")]
	Gatekeeper,
}

/// When a TCB evaluation number took effect on a chain, and what it demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Activation {
	/// TCB evaluation data number.
	pub evaluation_number: u32,
	/// When it took effect, or will.
	pub at: UnixTime,
	/// Newest date of a level in a document with this number: what is dated earlier does not satisfy it.
	/// Zero if no document with it was seen.
	pub newest_level: UnixTime,
}

/// Governed parameters.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Policy {
	/// Advisories whose consequences are accepted, ascending.
	pub accepted_advisories: BoundedVec<AdvisoryId, ConstU32<MAX_ACCEPTED_ADVISORIES>>,
	/// How long an out-of-date platform is kept, in seconds, counted from the activation of the
	/// evaluation number that made it so. Zero: not at all.
	pub grace: UnixTime,
	/// Least evaluation number of the collateral.
	pub min_evaluation_number: u32,
	/// Longest time an attestation counts, in seconds.
	pub ttl: UnixTime,
	/// Worst tier of a worker.
	pub worst_worker: Tier,
	/// Worst tier of a gatekeeper. Whatever it says, [`Tier::Two`] is the worst that counts.
	pub worst_gatekeeper: Tier,
}

impl Policy {
	/// The tier of a platform in a role, and the Unix second from which on it no longer counts: the end
	/// of collateral and certificates, of the grace, or of the longest lifetime, whichever is first.
	///
	/// `activations` are the chain's, in any order, also those to come; `attested_at` is when the quote
	/// was accepted, `now` when it is judged.
	///
	/// The **grace** counts from the activation of the first evaluation number that demands more than the
	/// platform has: of which a document has a level dated later than the platform's
	/// ([`Appraised::outdated_level`]). Further numbers change neither, so that no TCB recovery gives
	/// a new grace to those who missed an earlier one. If no number is known to demand more, it
	/// counts from the date of the platform's level, and never from before that.
	///
	/// # Errors
	///
	/// [`Error::EvaluationNumberTooLow`], [`Error::EvaluationNumberNotActive`], [`Error::StatusRefused`],
	/// [`Error::GraceEnded`], [`Error::TierTooLow`].
	pub fn appraise(
		&self,
		role: Role,
		appraised: &Appraised,
		activations: &[Activation],
		attested_at: UnixTime,
		now: UnixTime,
	) -> Result<(Tier, UnixTime), Error> {
		self.check_evaluation(appraised, activations, now)?;
		let expires_at =
			appraised.valid_until.saturating_add(1).min(attested_at.saturating_add(self.ttl));
		let (tier, expires_at) = match appraised.status {
			TcbStatus::UpToDate => (Tier::One, expires_at),
			TcbStatus::SWHardeningNeeded => (Tier::Two, expires_at),
			TcbStatus::ConfigurationNeeded | TcbStatus::ConfigurationAndSWHardeningNeeded => {
				let accepted = |id| self.accepted_advisories.binary_search(id).is_ok();
				let all = appraised.advisory_ids.iter().all(accepted);
				(if all { Tier::Three } else { Tier::Four }, expires_at)
			}
			status @ (TcbStatus::OutOfDate
			| TcbStatus::OutOfDateConfigurationNeeded
			| TcbStatus::TDRelaunchAdvised
			| TcbStatus::TDRelaunchAdvisedConfigurationNeeded) => {
				let ended = self.grace_end(appraised, activations);
				if now >= ended {
					return Err(Error::GraceEnded { status, ended });
				}
				(Tier::Five, expires_at.min(ended))
			}
			status @ TcbStatus::Revoked => return Err(Error::StatusRefused(status)),
		};
		let worst = match role {
			Role::Worker => self.worst_worker,
			Role::Gatekeeper => self.worst_gatekeeper.min(Tier::Two),
		};
		if tier > worst {
			return Err(Error::TierTooLow { role, worst, tier });
		}
		Ok((tier, expires_at))
	}

	/// Collateral must be neither too old for governance nor ahead of it.
	fn check_evaluation(
		&self,
		appraised: &Appraised,
		activations: &[Activation],
		now: UnixTime,
	) -> Result<(), Error> {
		let (tcb, qe) = (appraised.tcb_evaluation_number, appraised.qe_evaluation_number);
		let (minimum, offered) = (self.min_evaluation_number, tcb.min(qe));
		if offered < minimum {
			return Err(Error::EvaluationNumberTooLow { minimum, offered });
		}
		let in_force = activations.iter().filter(|activation| activation.at <= now);
		let active = in_force.map(|activation| activation.evaluation_number).max().unwrap_or(0);
		let offered = tcb.max(qe);
		if offered > active {
			return Err(Error::EvaluationNumberNotActive { active, offered });
		}
		Ok(())
	}

	/// First second that is no longer within the grace.
	fn grace_end(&self, appraised: &Appraised, activations: &[Activation]) -> UnixTime {
		let level = appraised.outdated_level.unwrap_or(appraised.tcb_date);
		let demanding = activations.iter().filter(|activation| activation.newest_level > level);
		let since =
			demanding.map(|activation| activation.evaluation_number).min().and_then(|first| {
				// A number counts as soon as a higher one does.
				let from_first = activations.iter().filter(|it| it.evaluation_number >= first);
				from_first.map(|activation| activation.at).min()
			});
		since.map_or(level, |since| since.max(level)).saturating_add(self.grace)
	}
}
