//! Worst cases of the calls and of the hook.

use crate::{
	types::{MAX_HOLDERS, MAX_SEATS},
	*,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_election_provider_support::{ElectionDataProvider, ElectionProvider};
use frame_support::{
	assert_ok,
	traits::{
		Get, Imbalance, OnUnbalanced,
		fungible::{Balanced, Inspect},
	},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use pallet_staking::{
	ActiveEra, ActiveEraInfo, Bonded, ClaimedRewards, CurrentEra, EraInfo, EraRewardPoints,
	ErasRewardPoints, ErasStartSessionIndex, ErasTotalStake, ErasValidatorPrefs,
	ErasValidatorReward, ForceEra, Forcing, MaxValidatorsCount, MinNominatorBond, MinValidatorBond,
	Pallet as Staking, RewardDestination, ValidatorCount, ValidatorPrefs,
};
use phala_primitives::{Gatekeepers, Slashable, WorkerKey};
use sp_runtime::traits::StaticLookup;
use sp_staking::{EraIndex, Exposure, IndividualExposure};

/// Sets the stage in a runtime.
pub trait BenchmarkHelper<AccountId> {
	/// A gatekeeper on a machine of its own, attested with `operator` as its operator; another one for
	/// each `seed`.
	fn gatekeeper(seed: u32, operator: &AccountId) -> WorkerKey;

	/// Puts 32 [`member`]s into office, attested, whose era earns as much as it can. No ceremony is under
	/// way.
	fn office();
}

type Helper<T> = <T as Config>::BenchmarkHelper;

/// A bond that is enough for everything.
fn bond_amount<T: Config>() -> u128 {
	let least = MinValidatorBond::<T>::get().max(MinNominatorBond::<T>::get());
	least.max(T::Asset::minimum_balance().saturating_mul(1_000))
}

fn bonded<T: Config>(name: &'static str, seed: u32) -> T::AccountId {
	let who: T::AccountId = account(name, seed, 0);
	if Bonded::<T>::contains_key(&who) {
		return who;
	}
	let bond = bond_amount::<T>();
	let credit = T::Asset::issue(bond.saturating_mul(2));
	assert!(T::Asset::resolve(&who, credit).is_ok());
	let origin = RawOrigin::Signed(who.clone()).into();
	assert_ok!(Staking::<T>::bond(origin, bond, RewardDestination::Stash));
	who
}

/// A stash that can be elected.
fn candidate<T: Config>(seed: u32) -> T::AccountId {
	let who = bonded::<T>("candidate", seed);
	let worker = Helper::<T>::gatekeeper(seed, &who);
	assert_ok!(Staking::<T>::validate(RawOrigin::Signed(who.clone()).into(), Default::default()));
	assert_ok!(Pallet::<T>::bind(RawOrigin::Signed(who.clone()).into(), worker));
	who
}

/// Nothing that expires is missing: the era that staking forgets when it plans the next one.
fn expiring<T: Config>() {
	let now = T::HistoryDepth::get().saturating_add(1);
	let session = VirtualSession::<T>::get().unwrap_or_default();
	CurrentEra::<T>::put(now);
	ErasStartSessionIndex::<T>::insert(now, session);
	let expiring = now.saturating_sub(T::HistoryDepth::get());
	let mut points = EraRewardPoints::default();
	for seed in 0..MAX_SEATS {
		let who = exposed::<T>(expiring, seed);
		ErasValidatorPrefs::<T>::insert(expiring, &who, ValidatorPrefs::default());
		ClaimedRewards::<T>::insert(expiring, &who, alloc::vec![0]);
		points.individual.insert(who, 1);
	}
	points.total = MAX_SEATS;
	ErasRewardPoints::<T>::insert(expiring, points);
	ErasValidatorReward::<T>::insert(expiring, bond_amount::<T>());
	ErasTotalStake::<T>::insert(expiring, bond_amount::<T>());
	let escrowed = bond_amount::<T>().saturating_mul(2);
	let credit = T::Asset::issue(escrowed);
	assert!(T::Asset::resolve(&Pallet::<T>::escrow(), credit).is_ok());
	Escrows::<T>::insert(expiring, escrowed);
	Escrowed::<T>::put(escrowed);
	ActiveEra::<T>::put(ActiveEraInfo { index: now, start: Some(0) });
}

/// A full house: so many candidates and voters as there can be, and as many in office.
fn full_house<T: Config>() {
	expiring::<T>();
	Helper::<T>::office();
	let era = ActiveEra::<T>::get().map_or(0, |era| era.index);
	// Who does not stand keeps its commission.
	for seat in T::Gatekeepers::in_office() {
		ErasValidatorPrefs::<T>::insert(era, &seat.account, ValidatorPrefs::default());
	}
	ErasTotalStake::<T>::insert(era, bond_amount::<T>().saturating_mul(1_000));
	MaxValidatorsCount::<T>::kill();
	ValidatorCount::<T>::put(<Pallet<T> as ElectionProvider>::MaxWinnersPerPage::get());
	let candidates: Vec<_> = (0..T::MaxCandidates::get()).map(candidate::<T>).collect();
	let most = <Staking<T> as ElectionDataProvider>::MaxVotesPerVoter::get() as usize;
	for voter in 0..T::MaxVoters::get() {
		let who = bonded::<T>("voter", voter);
		let from = voter as usize % candidates.len();
		let targets = candidates.iter().cycle().skip(from).take(most.min(candidates.len()));
		let targets = targets.map(|one| T::Lookup::unlookup(one.clone())).collect();
		assert_ok!(Staking::<T>::nominate(RawOrigin::Signed(who).into(), targets));
	}
	ForceEra::<T>::put(Forcing::ForceNew);
}

/// A member with as many backers as it can have, whose slash therefore costs most. They are the same for
/// each `seed`.
pub fn member<T: Config>(seed: u32) -> T::AccountId {
	exposed::<T>(ActiveEra::<T>::get().map_or(0, |era| era.index), seed)
}

/// A [`member`] that was elected again, so that its slash leaves the planned era as well.
pub fn reelected<T: Config>(seed: u32) -> T::AccountId {
	let planned = ActiveEra::<T>::get().map_or(0, |era| era.index).saturating_add(1);
	CurrentEra::<T>::put(planned);
	exposed::<T>(planned, seed);
	member::<T>(seed)
}

/// The same in the next era: what is suspected now beyond a first part leaves the era of that part too.
pub fn an_era_later<T: Config>(seed: u32) -> T::AccountId {
	let next = ActiveEra::<T>::get().map_or(0, |era| era.index).saturating_add(1);
	ActiveEra::<T>::put(ActiveEraInfo { index: next, start: None });
	reelected::<T>(seed)
}

/// A member, and the first part of a loss that was suspected an era ago.
fn suspected<T: Config>() -> (T::AccountId, TrancheId) {
	let first = <Pallet<T> as Slashable<_>>::suspect(&member::<T>(0), 1).unwrap();
	(an_era_later::<T>(0), first)
}

/// A [`member`], in an era.
fn exposed<T: Config>(era: EraIndex, seed: u32) -> T::AccountId {
	let who = bonded::<T>("member", seed);
	let value = bond_amount::<T>();
	let backers = <Pallet<T> as ElectionProvider>::MaxBackersPerWinner::get();
	let others: Vec<_> = (0..backers)
		.map(|seed| IndividualExposure { who: bonded::<T>("backer", seed), value })
		.collect();
	let total = value.saturating_mul(u128::from(backers).saturating_add(1));
	EraInfo::<T>::set_exposure(era, &who, Exposure { total, own: value, others });
	ErasTotalStake::<T>::mutate(era, |sum| *sum = sum.saturating_add(total));
	who
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn consent() {
		let operator: T::AccountId = whitelisted_caller();
		let worker = Helper::<T>::gatekeeper(0, &operator);
		let stash: T::AccountId = account("stash", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), worker, stash);
		assert!(Consents::<T>::contains_key(worker));
	}

	#[benchmark]
	fn revoke() {
		let operator: T::AccountId = whitelisted_caller();
		let worker = Helper::<T>::gatekeeper(0, &operator);
		let stash: T::AccountId = account("stash", 0, 0);
		assert_ok!(Pallet::<T>::consent(RawOrigin::Signed(operator.clone()).into(), worker, stash));
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), worker);
		assert!(!Consents::<T>::contains_key(worker));
	}

	#[benchmark]
	fn bind() {
		let stash = candidate::<T>(0);
		let operator: T::AccountId = account("operator", 0, 0);
		let worker = Helper::<T>::gatekeeper(1, &operator);
		let origin = RawOrigin::Signed(operator).into();
		assert_ok!(Pallet::<T>::consent(origin, worker, stash.clone()));
		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), worker);
		assert_eq!(StashOf::<T>::get(worker), Some(stash));
	}

	#[benchmark]
	fn unbind() {
		let stash = candidate::<T>(0);
		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()));
		assert!(!Bindings::<T>::contains_key(stash));
	}

	#[benchmark]
	fn evict() {
		let stash = candidate::<T>(0);
		MinValidatorBond::<T>::put(u128::MAX);
		#[extrinsic_call]
		_(RawOrigin::Signed(whitelisted_caller()), stash.clone());
		assert!(!Bindings::<T>::contains_key(stash));
	}

	#[benchmark]
	fn poll() {
		SessionEnded::<T>::put(false);
		#[block]
		{
			Pallet::<T>::serve(&mut WeightMeter::new());
		}
	}

	#[benchmark]
	fn tick() {
		full_house::<T>();
		#[block]
		{
			Pallet::<T>::tick();
		}
		assert!(Planned::<T>::get().is_some());
		assert_eq!(Escrows::<T>::iter().count(), 0, "what expired went back");
	}

	#[benchmark]
	fn commence() {
		full_house::<T>();
		Pallet::<T>::tick();
		let planned = Planned::<T>::get().unwrap();
		#[block]
		{
			Pallet::<T>::commence(planned);
		}
		assert!(Planned::<T>::get().is_none());
		assert_eq!(Escrows::<T>::iter().count(), 1, "the era was paid");
	}

	#[benchmark]
	fn may_leave() {
		let who = bonded::<T>("member", 0);
		let why;
		#[block]
		{
			why = Pallet::<T>::why_still_bonded(&who);
		}
		assert_eq!(why, None);
	}

	#[benchmark]
	fn settle() {
		use frame_support::traits::tokens::Precision;
		let escrow = Pallet::<T>::escrow();
		let endowment = T::Asset::issue(bond_amount::<T>());
		assert!(T::Asset::resolve(&escrow, endowment).is_ok());
		let value = T::Asset::minimum_balance();
		let payees: Vec<T::AccountId> =
			(0..MAX_HOLDERS).map(|seed| account("payee", seed, 0)).collect();
		let mut debt = guard::DebtOf::<T>::zero();
		#[block]
		{
			for who in &payees {
				let paid = guard::Guarded::<T>::deposit(who, value, Precision::Exact);
				debt.subsume(paid.unwrap());
			}
			rewards::SettleRewards::<T>::on_unbalanced(debt);
		}
		assert_eq!(Unsettled::<T>::get(), 0);
	}

	#[benchmark]
	fn suspect() {
		let (who, first) = suspected::<T>();
		let stake = <Pallet<T> as Slashable<_>>::stake_behind(&who, &first);
		#[block]
		{
			assert_ok!(<Pallet<T> as Slashable<_>>::suspect_more(&who, &first, stake));
		}
		assert_eq!(SuspectedStake::<T>::get(), stake + 1);
	}

	#[benchmark]
	fn apply() {
		let (who, first) = suspected::<T>();
		let stake = <Pallet<T> as Slashable<_>>::stake_behind(&who, &first);
		let id = <Pallet<T> as Slashable<_>>::suspect_more(&who, &first, stake).unwrap();
		let slashed;
		#[block]
		{
			slashed = <Pallet<T> as Slashable<_>>::apply(&id, stake);
		}
		assert_eq!(slashed.own.peek() + slashed.others.peek(), stake);
		assert!(T::Asset::resolve(&who, slashed.own.merge(slashed.others)).is_ok());
	}

	#[benchmark]
	fn restore() {
		let (who, first) = suspected::<T>();
		let stake = <Pallet<T> as Slashable<_>>::stake_behind(&who, &first);
		let id = <Pallet<T> as Slashable<_>>::suspect_more(&who, &first, stake).unwrap();
		#[block]
		{
			<Pallet<T> as Slashable<_>>::restore(&id, stake);
		}
		assert_eq!(SuspectedStake::<T>::get(), 1);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
