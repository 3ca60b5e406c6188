//! Who belongs in staking's list of voters.

use crate::*;
use core::marker::PhantomData;
use frame_election_provider_support::{ScoreProvider, VoteWeight};
use pallet_staking::{Nominators, Pallet as Staking, Validators};

/// Scores of those who nominate or stand. Staking scores every bond, so that anybody could put bonds which
/// vote for nobody before those that vote (`rebag`).
pub struct VotingBonds<T>(PhantomData<T>);

impl<T: Config> ScoreProvider<T::AccountId> for VotingBonds<T> {
	type Score = VoteWeight;

	fn score(who: &T::AccountId) -> Option<VoteWeight> {
		let votes = Nominators::<T>::contains_key(who) || Validators::<T>::contains_key(who);
		votes.then(|| <Staking<T> as ScoreProvider<_>>::score(who)).flatten()
	}

	#[cfg(any(feature = "runtime-benchmarks", feature = "std"))]
	fn set_score_of(who: &T::AccountId, score: VoteWeight) {
		<Staking<T> as ScoreProvider<_>>::set_score_of(who, score);
	}
}
