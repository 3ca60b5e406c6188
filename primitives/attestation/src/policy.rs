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
	collateral::AdvisoryId, error::Error, tcb::TcbStatus, types::UnixTime, verify::Verified,
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

/// When a TCB evaluation number took effect on this chain.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Activation {
	/// TCB evaluation data number.
	pub evaluation_number: u32,
	/// When it took effect.
	pub at: UnixTime,
}

/// Governed parameters.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Policy {
	/// Advisories whose consequences are accepted.
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
	/// Worst tier of a gatekeeper. [`Tier::Two`] or better.
	pub worst_gatekeeper: Tier,
}

impl Policy {
	/// The tier of a platform in a role.
	///
	/// `activations` are the chain's, in any order. The evaluation number that made a platform out
	/// of date is taken to be the first one that was activated after the TCB recovery
	/// ([`Verified::outdated_since`]); if there is none, the grace counts from the recovery.
	///
	/// # Errors
	///
	/// [`Error::EvaluationNumberTooLow`], [`Error::StatusRefused`], [`Error::GraceEnded`],
	/// [`Error::TierTooLow`].
	pub fn tier(
		&self,
		role: Role,
		verified: &Verified,
		activations: &[Activation],
		now: UnixTime,
	) -> Result<Tier, Error> {
		let (minimum, offered) = (self.min_evaluation_number, verified.evaluation_number);
		if offered < minimum {
			return Err(Error::EvaluationNumberTooLow { minimum, offered });
		}
		let tier = match verified.status {
			TcbStatus::UpToDate => Tier::One,
			TcbStatus::SWHardeningNeeded => Tier::Two,
			TcbStatus::ConfigurationNeeded | TcbStatus::ConfigurationAndSWHardeningNeeded => {
				let accepted = |id| self.accepted_advisories.contains(id);
				if verified.advisory_ids.iter().all(accepted) { Tier::Three } else { Tier::Four }
			}
			status @ (TcbStatus::OutOfDate
			| TcbStatus::OutOfDateConfigurationNeeded
			| TcbStatus::TDRelaunchAdvised
			| TcbStatus::TDRelaunchAdvisedConfigurationNeeded) => {
				let recovery = verified.outdated_since.unwrap_or(verified.tcb_date);
				let activated = activations.iter().map(|activation| activation.at);
				let since = activated.filter(|&at| at >= recovery).min().unwrap_or(recovery);
				let ended = since.saturating_add(self.grace);
				if now >= ended {
					return Err(Error::GraceEnded { status, ended });
				}
				Tier::Five
			}
			status @ TcbStatus::Revoked => return Err(Error::StatusRefused(status)),
		};
		let worst = match role {
			Role::Worker => self.worst_worker,
			Role::Gatekeeper => self.worst_gatekeeper,
		};
		if tier > worst { Err(Error::TierTooLow { role, worst, tier }) } else { Ok(tier) }
	}

	/// Last second at which an attestation of `now` counts.
	pub fn valid_until(&self, verified: &Verified, now: UnixTime) -> UnixTime {
		verified.valid_until.min(now.saturating_add(self.ttl))
	}
}
