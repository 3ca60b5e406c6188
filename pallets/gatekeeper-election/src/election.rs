//! Who stands, and the election itself.

use crate::{
	rules::{self, Incumbent, Nominee},
	types::*,
	*,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_election_provider_support::{
	BoundedSupport, BoundedSupportsOf, DataProviderBounds, ElectionDataProvider, ElectionProvider,
	InstantElectionProvider, PageIndex, VoterOf,
};
use frame_support::{
	traits::{Get, fungible::Inspect},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_staking::{
	MaxWinnersOf, MinValidatorBond, Pallet as Staking, ValidatorCount, Validators,
};
use phala_attestation::Role;
use phala_primitives::{AttestedWorkers, Gatekeepers, Seat, WorkerKey};
use sp_runtime::BoundedVec;
use sp_staking::{Exposure, IndividualExposure, StakingAccount, currency_to_vote::CurrencyToVote};

/// What an election came to: support of each member, and the members with their keys.
type Result_<T> = Result<(BoundedSupportsOf<Pallet<T>>, Vec<Elected<T>>), WhyFailed>;
/// Members with the bonds behind them.
type ExposuresOf<T> = BoundedVec<(AccountIdOf<T>, Exposure<AccountIdOf<T>, u128>), MaxWinnersOf<T>>;
type AccountIdOf<T> = <T as frame_system::Config>::AccountId;
/// A member with its key.
pub(crate) type Elected<T> = (AccountIdOf<T>, WorkerKey);

impl<T: Config> Pallet<T> {
	/// `stash` as a candidate, or what keeps it from being one. Machines that two have are not looked
	/// at.
	pub(crate) fn standing(
		stash: &T::AccountId,
	) -> Result<Nominee<T::AccountId>, WhyNot<T::AccountId>> {
		let ledger = Staking::<T>::ledger(StakingAccount::Stash(stash.clone()))
			.map_err(|_| WhyNot::NotBonded)?;
		let (bond, needed) = (ledger.active, MinValidatorBond::<T>::get());
		if bond < needed {
			return Err(WhyNot::BondTooSmall { bond, needed });
		}
		if !Validators::<T>::contains_key(stash) {
			return Err(WhyNot::NotStanding);
		}
		let Binding { worker, operator, .. } = Bindings::<T>::get(stash).ok_or(WhyNot::NotBound)?;
		let attested = T::Workers::attested(&worker).ok_or(WhyNot::NotAttested)?;
		if attested.role != Role::Gatekeeper {
			return Err(WhyNot::NotGatekeeper);
		}
		if attested.operator != operator {
			return Err(WhyNot::OtherOperator);
		}
		let votes = Self::votes(bond);
		Ok(Nominee { account: stash.clone(), worker, platform: attested.platform, votes })
	}

	/// Weight of a bond in the election.
	fn votes(bond: u128) -> u64 {
		<T as pallet_staking::Config>::CurrencyToVote::to_vote(bond, T::Asset::total_issuance())
	}

	/// Everybody who can be elected now: those in office first, then by bond. Of several on one machine,
	/// the first.
	pub(crate) fn candidates() -> Vec<Nominee<T::AccountId>> {
		let office: Vec<_> = T::Gatekeepers::in_office();
		let mut all: Vec<_> =
			Bindings::<T>::iter_keys().filter_map(|stash| Self::standing(&stash).ok()).collect();
		let sits = |one: &Nominee<T::AccountId>| {
			office.iter().any(|seat| seat.account == one.account && seat.worker == one.worker)
		};
		all.sort_by_key(|one| core::cmp::Reverse((sits(one), one.votes)));
		let mut platforms = BTreeSet::new();
		all.retain(|one| platforms.insert(one.platform));
		all
	}

	/// What keeps `stash` from being elected.
	pub(crate) fn why_not(stash: &T::AccountId) -> Option<WhyNot<T::AccountId>> {
		let nominee = match Self::standing(stash) {
			Ok(nominee) => nominee,
			Err(why) => return Some(why),
		};
		let first = Self::candidates().into_iter().find(|one| one.platform == nominee.platform)?;
		(first.account != *stash).then_some(WhyNot::PlatformTaken { by: first.account })
	}

	/// The set in office, and who of them could stay.
	fn incumbents() -> Vec<Incumbent<T::AccountId>> {
		let incumbent = |Seat { account, worker }: Seat<T::AccountId>| {
			let attested = T::Workers::attested(&worker).filter(|one| one.role == Role::Gatekeeper);
			let ledger = Staking::<T>::ledger(StakingAccount::Stash(account.clone()));
			let votes = ledger.map_or(0, |ledger| Self::votes(ledger.total));
			let can_stay = attested.is_some() && votes > 0;
			let platform = attested.map(|one| one.platform).unwrap_or_default();
			Incumbent { who: Nominee { account, worker, platform, votes }, can_stay }
		};
		T::Gatekeepers::in_office().into_iter().map(incumbent).collect()
	}

	/// Elects a set, within what may change in an era.
	///
	/// Sequential Phragmén says whom the bonds are behind; the rules say who of them is seated now; and
	/// Phragmén once more distributes the bonds among those, so that none stands behind nobody.
	fn hold_election() -> Result_<T> {
		let voters = Self::voters()?;
		let most = <Self as ElectionProvider>::MaxWinnersPerPage::get().min(MAX_SEATS);
		let desired = ValidatorCount::<T>::get().min(most);
		let candidates = Self::candidates();
		let first = Self::solve(&voters, &candidates, desired)?;
		let winners: Vec<_> = first
			.0
			.iter()
			.filter_map(|(account, _)| candidates.iter().find(|one| one.account == *account))
			.cloned()
			.collect();
		let needed = T::MinSeats::get();
		let too_few = |seated: usize| WhyFailed::TooFewSeats { seated: seated as u32, needed };
		let set = rules::seat(&winners, &Self::incumbents(), desired as usize, needed as usize)
			.map_err(too_few)?;
		let supports =
			match set.len() == winners.len() && winners.iter().all(|one| set.contains(one)) {
				true => first,
				false => Self::solve(&voters, &set, set.len() as u32)?,
			};
		let keys: BTreeMap<_, _> = set.iter().map(|one| (&one.account, one.worker)).collect();
		let elected: Vec<_> = supports
			.0
			.iter()
			.filter_map(|(account, _)| Some((account.clone(), *keys.get(account)?)))
			.collect();
		// Everybody has a bond of its own, so that everybody has support.
		if elected.len() < set.len() {
			return Err(too_few(elected.len()));
		}
		Ok((supports, elected))
	}

	/// Those with the largest bonds.
	fn voters() -> Result<Vec<VoterOf<Staking<T>>>, WhyFailed> {
		let bounds = DataProviderBounds { count: Some(T::MaxVoters::get().into()), size: None };
		Staking::<T>::electing_voters(bounds, 0).map_err(|_| WhyFailed::Solver)
	}

	/// Those in office, with the bonds of now behind them.
	pub(crate) fn exposures_in_office() -> ExposuresOf<T> {
		let office: Vec<_> =
			Self::incumbents().into_iter().map(|one| one.who).filter(|one| one.votes > 0).collect();
		let supports = match Self::voters() {
			Ok(voters) if !office.is_empty() => Self::solve(&voters, &office, office.len() as u32),
			_ => return Default::default(),
		};
		let issuance = T::Asset::total_issuance();
		let mut exposures = BoundedVec::default();
		for (member, support) in supports.unwrap_or_default() {
			let (mut own, mut others): (u128, _) = (0, Vec::new());
			for (who, votes) in support.voters {
				let value =
					<T as pallet_staking::Config>::CurrencyToVote::to_currency(votes, issuance);
				match who == member {
					true => own = own.saturating_add(value),
					false => others.push(IndividualExposure { who, value }),
				}
			}
			let total = others.iter().fold(own, |sum, one| sum.saturating_add(one.value));
			// No more than were given to the solver.
			let _ = exposures.try_push((member, Exposure { total, own, others }));
		}
		exposures
	}

	/// Lets the solver choose `desired` of `nominees`. Every nominee votes for itself, whether or not its
	/// bond is among the largest; votes for others are left out. The best-supported are first.
	fn solve(
		voters: &[VoterOf<Staking<T>>],
		nominees: &[Nominee<T::AccountId>],
		desired: u32,
	) -> Result<BoundedSupportsOf<Self>, WhyFailed> {
		let targets: Vec<_> = nominees.iter().map(|one| one.account.clone()).collect();
		let known: BTreeSet<_> = targets.iter().collect();
		let mut electorate: Vec<VoterOf<Staking<T>>> = Vec::new();
		for (who, votes, choice) in voters {
			let choice: Vec<_> = choice.iter().filter(|one| known.contains(one)).cloned().collect();
			if !known.contains(who) && !choice.is_empty() {
				electorate.push((who.clone(), *votes, BoundedVec::truncate_from(choice)));
			}
		}
		for Nominee { account, votes, .. } in nominees {
			let choice = BoundedVec::truncate_from([account.clone()].into());
			electorate.push((account.clone(), *votes, choice));
		}
		let mut supports = T::Solver::instant_elect(electorate, targets, desired)
			.map_err(|_| WhyFailed::Solver)?;
		for (account, support) in supports.0.iter_mut() {
			let own =
				nominees.iter().find(|one| one.account == *account).map_or(0, |one| one.votes);
			Self::keep_own(account, own.into(), support);
		}
		supports.0.sort_by_key(|(_, support)| core::cmp::Reverse(support.total));
		Ok(supports)
	}
}

impl<T: Config> Pallet<T> {
	/// The solver keeps the largest backers. A candidate's own bond is one of them in any case, as it is the first
	/// that answers: it takes the place of the smallest.
	fn keep_own<B: Get<u32>>(
		account: &T::AccountId,
		own: u128,
		support: &mut BoundedSupport<T::AccountId, B>,
	) {
		if support.voters.iter().any(|(who, _)| who == account) {
			return;
		}
		if let Some(smallest) = support.voters.iter_mut().min_by_key(|(_, votes)| *votes) {
			support.total = support.total.saturating_sub(smallest.1).saturating_add(own);
			*smallest = (account.clone(), own);
		}
	}
}

/// What [`pallet_staking`] asks for a new set. It never fails: without a set there are no winners, and
/// [`LastFailure`] says why.
impl<T: Config> ElectionProvider for Pallet<T> {
	type AccountId = T::AccountId;
	type BlockNumber = BlockNumberFor<T>;
	type Error = WhyFailed;
	type MaxWinnersPerPage = <T::Solver as ElectionProvider>::MaxWinnersPerPage;
	type MaxBackersPerWinner = <T::Solver as ElectionProvider>::MaxBackersPerWinner;
	type MaxBackersPerWinnerFinal = <T::Solver as ElectionProvider>::MaxBackersPerWinnerFinal;
	type Pages = <T::Solver as ElectionProvider>::Pages;
	type DataProvider = Staking<T>;

	fn elect(_page: PageIndex) -> Result<BoundedSupportsOf<Self>, WhyFailed> {
		match Self::hold_election() {
			Ok((supports, elected)) => {
				// No more than there are winners.
				Ballot::<T>::put(BoundedVec::truncate_from(elected));
				Ok(supports)
			}
			Err(why) => {
				Self::note_failure(why);
				Ok(Default::default())
			}
		}
	}

	fn duration() -> BlockNumberFor<T> {
		Default::default()
	}

	fn start() -> Result<(), WhyFailed> {
		Ok(())
	}

	fn status() -> Result<Option<Weight>, ()> {
		Ok(Some(Weight::zero()))
	}
}
