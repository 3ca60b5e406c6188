//! Whether this gatekeeper can be elected, and what keeps it from that.

use phala_node_common::chain::{
	AccountId32, ChainError, Finalised, Shape, subxt::ext::scale_value::Value,
};
use phala_primitives::WorkerKey;
use phala_worker::mining::position::Reason;
use std::fmt;

const PALLET: &str = "GatekeeperElection";

/// What this program uses of the pallet.
pub const SHAPE: Shape = Shape {
	pallet: PALLET,
	calls: &[("consent", &["worker", "stash"]), ("bind", &["worker"])],
	views: &[("why_not_eligible", &["stash"])],
	storage: &["StashOf"],
};

/// How a gatekeeper stands in the election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidacy {
	/// No stash answers for it.
	Unbound,
	/// The next election looks at it.
	Stands {
		/// Whose bond answers for it.
		stash: AccountId32,
	},
	/// It is bound, and not looked at.
	Lacks {
		/// Whose bond answers for it.
		stash: AccountId32,
		/// What the runtime calls the reason.
		reason: String,
	},
}

impl Candidacy {
	/// Asks the chain.
	pub async fn of(state: &Finalised, worker: &WorkerKey) -> Result<Self, ChainError> {
		state.ensure_shape(&[SHAPE])?;
		let stash: Option<[u8; 32]> = state.entry(PALLET, "StashOf", worker.0).await?;
		let Some(stash) = stash else { return Ok(Self::Unbound) };
		let lacks: Option<Value> = state.view(PALLET, "why_not_eligible", (stash,)).await?;
		let stash = AccountId32(stash);
		Ok(match lacks {
			None => Self::Stands { stash },
			Some(reason) => Self::Lacks { stash, reason: Reason::of(&reason).name },
		})
	}

	/// What to do, in calls of polkadot.js; empty if nothing is.
	pub fn remedy(&self) -> &'static str {
		let reason = match self {
			Self::Stands { .. } => return "",
			Self::Unbound => "NotBound",
			Self::Lacks { reason, .. } => reason,
		};
		match reason {
			"NotBonded" => "Stash: staking.bond",
			"BondTooSmall" => "Stash: staking.bondExtra",
			"NotStanding" => "Stash: staking.validate",
			"NotBound" => {
				"Operator: gatekeeperElection.consent(worker, stash), unless it is the stash. Stash: \
				 staking.bond, staking.validate, gatekeeperElection.bind(worker)"
			}
			"NotAttested" => "Is the gatekeeper running? It registers and renews by itself",
			"NotGatekeeper" => "Register this program's own keys: those are of a worker",
			"OtherOperator" => {
				"Stash: gatekeeperElection.unbind. Operator: consent again. Stash: bind again"
			}
			"PlatformTaken" => {
				"Another candidate has a gatekeeper on this machine: one machine has one seat"
			}
			_ => "See gatekeeperElection.why_not_eligible in the documentation of the runtime",
		}
	}
}

impl fmt::Display for Candidacy {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Unbound => write!(f, "no stash stands with this gatekeeper"),
			Self::Stands { stash } => write!(f, "the stash {stash} stands with it"),
			Self::Lacks { stash, reason } => {
				write!(f, "the stash {stash} cannot be elected: {reason}")
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn whatever_is_lacking_has_a_remedy() {
		let stash = AccountId32([1; 32]);
		assert_eq!(Candidacy::Stands { stash }.remedy(), "");
		assert!(Candidacy::Unbound.remedy().contains("bind"));
		for reason in ["NotBonded", "BondTooSmall", "NotStanding", "NotAttested", "OfTomorrow"] {
			let lacks = Candidacy::Lacks { stash, reason: reason.into() };
			assert!(!lacks.remedy().is_empty() && lacks.to_string().contains(reason));
		}
	}
}
