//! What support is measured against, and how votes follow balances.

use crate::{
	AccountId, Balance, Balances, ConvictionVoting, Referenda, Runtime, RuntimeOrigin,
	constants::{accounts, governance::MAX_VOTES},
};
use alloc::vec::Vec;
use codec::MaxEncodedLen;
use frame_support::{
	dispatch::DispatchResult,
	parameter_types,
	traits::{Polling, fungible::Inspect},
	weights::Weight,
};
use pallet_conviction_voting::{AccountVote, Casting, Delegating, Voting, VotingFor, WeightInfo};
use sp_runtime::{DispatchError, Perquintill, traits::StaticLookup};

parameter_types! {
	/// What holds PHA and never votes.
	pub NonVoting: Vec<AccountId> = accounts::non_voting();
}

/// All PHA that could vote.
pub type MaxTurnout = pallet_dao::Turnout<AccountId, Balances, NonVoting>;

type Weights = <Runtime as pallet_conviction_voting::Config>::WeightInfo;

/// The votes and delegations of `pallet-conviction-voting`.
pub struct StandingVotes;

impl StandingVotes {
	/// Lowers the first vote or delegation that exceeds `owned`, through the pallet's own calls, so that
	/// tallies, delegates and locks follow.
	fn lower_first(
		who: &AccountId,
		owned: Balance,
		weight: &mut Weight,
	) -> Result<bool, DispatchError> {
		let signed = || RuntimeOrigin::signed(who.clone());
		for (class, voting) in VotingFor::<Runtime>::iter_prefix(who) {
			weight.saturating_accrue(Self::read());
			match voting {
				Voting::Casting(Casting { votes, .. }) => {
					let mut ongoing = votes.iter().filter(|(poll, vote)| {
						vote.balance() > owned && Referenda::as_ongoing(*poll).is_some()
					});
					let Some((poll, vote)) = ongoing.next() else { continue };
					weight.saturating_accrue(Weights::vote_existing());
					ConvictionVoting::vote(signed(), *poll, lowered(*vote, owned))?;
				}
				Voting::Delegating(Delegating { balance, target, conviction, .. })
					if balance > owned =>
				{
					weight.saturating_accrue(Self::redelegation());
					let to = <Runtime as frame_system::Config>::Lookup::unlookup(target);
					let redelegate = || -> DispatchResult {
						ConvictionVoting::undelegate(signed(), class)
							.map_err(|error| error.error)?;
						ConvictionVoting::delegate(signed(), class, to, conviction, owned)
							.map_err(|error| error.error)?;
						Ok(())
					};
					redelegate()?;
				}
				Voting::Delegating(_) => continue,
			}
			weight.saturating_accrue(Weights::unlock());
			let whom = <Runtime as frame_system::Config>::Lookup::unlookup(who.clone());
			ConvictionVoting::unlock(signed(), class, whom)?;
			return Ok(true);
		}
		Ok(false)
	}

	/// Reading what an account does on one track, and the referenda that it voted in.
	fn read() -> Weight {
		let size = pallet_conviction_voting::VotingOf::<Runtime>::max_encoded_len() as u64;
		let reads = <Runtime as frame_system::Config>::DbWeight::get().reads(1);
		reads.saturating_add(Weight::from_parts(0, size)).saturating_add(Weights::vote_existing())
	}

	fn redelegation() -> Weight {
		Weights::undelegate(MAX_VOTES).saturating_add(Weights::delegate(MAX_VOTES))
	}
}

impl pallet_dao::Votes<AccountId> for StandingVotes {
	fn lower_one(who: &AccountId) -> (Result<bool, DispatchError>, Weight) {
		let owned = <Balances as Inspect<_>>::total_balance(who);
		let mut weight = <Runtime as frame_system::Config>::DbWeight::get().reads(1);
		let result = Self::lower_first(who, owned, &mut weight);
		(result, weight)
	}

	fn max_weight() -> Weight {
		let tracks = super::Tracks::count() as u64;
		Self::read()
			.saturating_mul(tracks)
			.saturating_add(Weights::vote_existing().max(Self::redelegation()))
			.saturating_add(Weights::unlock())
	}
}

/// `vote` with no more than `owned`; its parts keep their proportion.
fn lowered(vote: AccountVote<Balance>, owned: Balance) -> AccountVote<Balance> {
	let part =
		|amount: Balance| Perquintill::from_rational(owned, vote.balance()).mul_floor(amount);
	match vote {
		AccountVote::Standard { vote, .. } => AccountVote::Standard { vote, balance: owned },
		AccountVote::Split { aye, nay } => AccountVote::Split { aye: part(aye), nay: part(nay) },
		AccountVote::SplitAbstain { aye, nay, abstain } => {
			AccountVote::SplitAbstain { aye: part(aye), nay: part(nay), abstain: part(abstain) }
		}
	}
}
