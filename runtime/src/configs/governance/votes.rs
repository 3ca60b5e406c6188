//! What support is measured against, and how votes follow balances.

use crate::{
	AccountId, Balance, Balances, ConvictionVoting, Referenda, Runtime, RuntimeOrigin,
	configs::RelayClock,
	constants::{accounts, governance::MAX_VOTES},
};
use alloc::vec::Vec;
use codec::MaxEncodedLen;
use frame_support::{
	parameter_types,
	traits::{Polling, fungible::Inspect},
	weights::{Weight, WeightMeter},
};
use pallet_conviction_voting::{
	AccountVote, Casting, Delegating, Voting, VotingFor, VotingOf, WeightInfo,
};
use pallet_dao::Lowering;
use pallet_referenda::{ReferendumInfoOf, TracksInfo};
use sp_runtime::{DispatchError, Perquintill, traits::StaticLookup};

parameter_types! {
	/// What holds PHA and never votes.
	pub NonVoting: Vec<AccountId> = accounts::non_voting();
}

/// All PHA that could vote.
pub type MaxTurnout = pallet_dao::Turnout<AccountId, Balances, NonVoting>;

type Weights = <Runtime as pallet_conviction_voting::Config>::WeightInfo;

/// The votes and delegations of `pallet-conviction-voting`, by track.
///
/// Anybody can make entries of [`VotingFor`] for others, on tracks that do not exist. So tracks are gone
/// through, and never the entries of an account.
pub struct StandingVotes;

impl StandingVotes {
	/// Lowers the first vote on the track that exceeds `owned`, through the pallet's own call, so that
	/// tally and locks follow.
	fn lower_vote(
		who: &AccountId,
		track: u16,
		votes: &[(u32, AccountVote<Balance>)],
		owned: Balance,
		meter: &mut WeightMeter,
	) -> Result<Lowering, DispatchError> {
		let exceeding: Vec<_> = votes.iter().filter(|(_, vote)| vote.balance() > owned).collect();
		let looking = Self::poll_read().saturating_mul(exceeding.len() as u64);
		if meter.try_consume(looking).is_err() {
			return Ok(Lowering::TooHeavy);
		}
		let ongoing = |(poll, _): &&&(u32, _)| Referenda::as_ongoing(*poll).is_some();
		let Some((poll, vote)) = exceeding.iter().find(ongoing) else {
			return Ok(Lowering::Nothing);
		};
		if meter.try_consume(Weights::vote_existing().saturating_add(Weights::unlock())).is_err() {
			return Ok(Lowering::TooHeavy);
		}
		ConvictionVoting::vote(Self::origin(who), *poll, lowered(*vote, owned))?;
		Self::unlock(who, track)
	}

	/// Withdraws the delegation on the track.
	fn undelegate(
		who: &AccountId,
		track: u16,
		target: &AccountId,
		meter: &mut WeightMeter,
	) -> Result<Lowering, DispatchError> {
		if meter.try_consume(Self::voting_read()).is_err() {
			return Ok(Lowering::TooHeavy);
		}
		let votes = match VotingFor::<Runtime>::get(target, track) {
			Voting::Casting(Casting { votes, .. }) => votes.len() as u32,
			Voting::Delegating(_) => 1,
		};
		if meter.try_consume(Weights::undelegate(votes).saturating_add(Weights::unlock())).is_err()
		{
			return Ok(Lowering::TooHeavy);
		}
		ConvictionVoting::undelegate(Self::origin(who), track).map_err(|error| error.error)?;
		Self::unlock(who, track)
	}

	fn unlock(who: &AccountId, track: u16) -> Result<Lowering, DispatchError> {
		let whom = <Runtime as frame_system::Config>::Lookup::unlookup(who.clone());
		ConvictionVoting::unlock(Self::origin(who), track, whom)?;
		Ok(Lowering::Lowered)
	}

	fn origin(who: &AccountId) -> RuntimeOrigin {
		RuntimeOrigin::signed(who.clone())
	}

	/// Reading what an account does on one track.
	fn voting_read() -> Weight {
		read_of::<VotingOf<Runtime>>()
	}

	/// Reading one referendum.
	fn poll_read() -> Weight {
		read_of::<ReferendumInfoOf<Runtime, ()>>()
	}
}

impl pallet_dao::Votes<AccountId> for StandingVotes {
	type Class = u16;

	fn class(position: u32) -> Option<u16> {
		super::Tracks::tracks().nth(position as usize).map(|track| track.id)
	}

	fn lower_one(
		who: &AccountId,
		track: &u16,
		meter: &mut WeightMeter,
	) -> Result<Lowering, DispatchError> {
		if meter.try_consume(Self::voting_read()).is_err() {
			return Ok(Lowering::TooHeavy);
		}
		let owned = <Balances as Inspect<_>>::total_balance(who);
		match VotingFor::<Runtime>::get(who, track) {
			Voting::Casting(Casting { votes, .. }) => {
				Self::lower_vote(who, *track, &votes, owned, meter)
			}
			Voting::Delegating(Delegating { balance, target, .. }) if balance > owned => {
				Self::undelegate(who, *track, &target, meter)
			}
			Voting::Delegating(_) => Ok(Lowering::Nothing),
		}
	}

	fn max_weight() -> Weight {
		let vote = Self::poll_read()
			.saturating_mul(MAX_VOTES.into())
			.saturating_add(Weights::vote_existing());
		let delegation = Self::voting_read().saturating_add(Weights::undelegate(MAX_VOTES));
		Self::voting_read().saturating_add(vote.max(delegation)).saturating_add(Weights::unlock())
	}

	/// A changed tally makes a referendum look again one block of the clock later. Lowering counts as the
	/// last act of the block before, so that this is now, and what is due now is decided now.
	fn before_decisions<R>(lower: impl FnOnce() -> R) -> R {
		RelayClock::one_earlier(lower)
	}
}

/// Reading a value of this type: itself, and the way to it in a trie, as benchmarks count it.
fn read_of<T: MaxEncodedLen>() -> Weight {
	const WAY: u64 = 2_475;
	let size = (T::max_encoded_len() as u64).saturating_add(WAY);
	<Runtime as frame_system::Config>::DbWeight::get()
		.reads(1)
		.saturating_add(Weight::from_parts(0, size))
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
