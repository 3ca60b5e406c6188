//! Pools that implement [`Slashable`] with real holds. The owner bears a loss first, then the
//! delegators in proportion. Pools with an odd number slash their delegators lazily.

use super::{AccountId, Balances, RuntimeHoldReason, Test, ToTreasury};
use frame_support::traits::{
	Imbalance, OnUnbalanced,
	fungible::{BalancedHold, Credit, InspectHold, MutateHold},
	tokens::Precision,
};
use pallet::*;
use phala_primitives::{OffenceClass, Slashable, Slashed};
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

#[frame_support::pallet(dev_mode)]
pub mod pallet {
	use frame_support::pallet_prelude::*;
	use phala_primitives::OffenceClass;

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::pallet]
	#[pallet::without_storage_info]
	pub struct Pallet<T>(_);

	#[pallet::composite_enum]
	pub enum HoldReason {
		Stake,
	}

	/// Stake by pool and holder, without what is suspected.
	#[pallet::storage]
	pub type Stakes<T> =
		StorageDoubleMap<_, Twox64Concat, u32, Twox64Concat, u64, u128, ValueQuery>;

	/// Charged to a holder, and not collected.
	#[pallet::storage]
	pub type Debts<T> = StorageMap<_, Twox64Concat, u64, u128, ValueQuery>;

	#[derive(Clone, Default, Encode, Decode, TypeInfo)]
	pub struct TrancheInfo {
		pub pool: u32,
		/// What each holder bore, and what each got back or lost for good.
		pub original: Vec<(u64, u128)>,
		pub rest: Vec<(u64, u128)>,
		pub returned: Vec<(u64, u128)>,
		/// What each holder of the pool had left.
		pub behind: Vec<(u64, u128)>,
	}

	/// Tranches with something left.
	#[pallet::storage]
	pub type Tranches<T> = StorageMap<_, Twox64Concat, u64, TrancheInfo, OptionQuery>;

	/// Tranches that are used up.
	#[pallet::storage]
	pub type UsedUp<T> = StorageMap<_, Twox64Concat, u64, TrancheInfo, OptionQuery>;

	#[pallet::storage]
	pub type NextTranche<T> = StorageValue<_, u64, ValueQuery>;

	/// A class whose total is not the sum of the stakes.
	#[pallet::storage]
	pub type Totals<T> = StorageMap<_, Twox64Concat, OffenceClass, u128, OptionQuery>;

	/// Pools that refuse to set anything aside.
	#[pallet::storage]
	pub type Refusing<T> = StorageMap<_, Twox64Concat, u32, (), OptionQuery>;

	/// Pools that can offend no more, with the last block in which they could.
	#[pallet::storage]
	pub type Ended<T> = StorageMap<_, Twox64Concat, u32, u32, OptionQuery>;

	/// Pools that set half of what they are asked for aside, and hand half of that out.
	#[pallet::storage]
	pub type Stingy<T> = StorageMap<_, Twox64Concat, u32, (), OptionQuery>;
}

type Stake = Vec<(AccountId, u128)>;

const REASON: RuntimeHoldReason = RuntimeHoldReason::Pools(HoldReason::Stake);

fn stakes(pool: u32) -> Stake {
	let mut stakes: Stake = Stakes::<Test>::iter_prefix(pool).filter(|(_, one)| *one > 0).collect();
	stakes.sort();
	stakes
}

/// Stakes `amount` in a pool.
pub fn deposit(pool: u32, who: AccountId, amount: u128) {
	Balances::hold(&REASON, &who, amount).unwrap();
	Stakes::<Test>::mutate(pool, who, |stake| *stake += amount);
}

/// Takes as much of `amount` out of a pool as is not suspected.
pub fn leave(pool: u32, who: AccountId, amount: u128) -> u128 {
	let amount = amount.min(Stakes::<Test>::get(pool, who));
	Stakes::<Test>::mutate(pool, who, |stake| *stake -= amount);
	Balances::release(&REASON, &who, amount, Precision::Exact).unwrap();
	amount
}

/// What every holder of a pool would have if all suspicion ended.
pub fn entitlement(pool: u32) -> BTreeMap<AccountId, u128> {
	let mut sum = BTreeMap::new();
	for (who, stake) in stakes(pool).into_iter().chain(claims(pool)) {
		*sum.entry(who).or_default() += stake;
	}
	sum
}

/// What is suspected of each holder of a pool.
pub fn claims(pool: u32) -> BTreeMap<AccountId, u128> {
	let mut sum = BTreeMap::new();
	for tranche in Tranches::<Test>::iter_values().filter(|one| one.pool == pool) {
		for (who, rest) in tranche.rest {
			*sum.entry(who).or_default() += rest;
		}
	}
	sum.retain(|_, rest| *rest > 0);
	sum
}

fn info(tranche: u64) -> TrancheInfo {
	Tranches::<Test>::get(tranche).or_else(|| UsedUp::<Test>::get(tranche)).unwrap()
}

fn put(tranche: u64, info: TrancheInfo) {
	if info.rest.iter().all(|(_, rest)| *rest == 0) {
		Tranches::<Test>::remove(tranche);
		UsedUp::<Test>::insert(tranche, info);
	} else {
		Tranches::<Test>::insert(tranche, info);
	}
}

/// What each bore of a tranche.
pub fn originals(tranche: u64) -> Stake {
	info(tranche).original
}

/// What each got back of a tranche.
pub fn returned(tranche: u64) -> Stake {
	let mut returned = info(tranche).returned;
	returned.sort();
	returned
}

/// Has a pool room for tranches?
pub fn has_room(pool: u32, room: bool) {
	Refusing::<Test>::set(pool, (!room).then_some(()));
}

/// Makes a pool answer with less than it is asked for.
pub fn stingy(pool: u32) {
	Stingy::<Test>::insert(pool, ());
}

/// After this block a pool cannot offend.
pub fn ended(pool: u32, at: u32) {
	Ended::<Test>::insert(pool, at);
}

/// Collects all debts.
pub fn lazily_collect() {
	for (who, debt) in Debts::<Test>::drain() {
		let (credit, short) = Balances::slash(&REASON, &who, debt);
		assert_eq!(short, 0, "charged stake is on hold");
		ToTreasury::on_unbalanced(credit);
	}
}

/// What is on hold is what is recorded as staked, suspected or charged.
pub fn check() {
	let mut sum = BTreeMap::<AccountId, u128>::new();
	for (_, who, stake) in Stakes::<Test>::iter() {
		*sum.entry(who).or_default() += stake;
	}
	for (who, rest) in Tranches::<Test>::iter_values().flat_map(|one| one.rest) {
		*sum.entry(who).or_default() += rest;
	}
	for (who, debt) in Debts::<Test>::iter() {
		*sum.entry(who).or_default() += debt;
	}
	for (who, recorded) in sum {
		assert_eq!(Balances::balance_on_hold(&REASON, &who), recorded);
	}
}

/// Takes `amount` from parts, from the front or from the back, and lists who it was taken from.
fn take(parts: &mut Stake, mut amount: u128, from_back: bool) -> Stake {
	let mut taken = Stake::new();
	let mut walk = |part: &mut (AccountId, u128)| {
		let some = part.1.min(amount);
		part.1 -= some;
		amount -= some;
		if some > 0 {
			taken.push((part.0, some));
		}
	};
	match from_back {
		true => parts.iter_mut().rev().for_each(&mut walk),
		false => parts.iter_mut().for_each(&mut walk),
	}
	assert_eq!(amount, 0, "the ledger asks for no more than a tranche has");
	taken
}

/// What is there of the stake that a tranche was taken from.
fn left_behind(pool: u32, tranche: u64) -> Stake {
	let left = |(who, had): (AccountId, u128)| (who, had.min(Stakes::<Test>::get(pool, who)));
	info(tranche).behind.into_iter().map(left).filter(|(_, stake)| *stake > 0).collect()
}

fn set_aside(pool: u32, stakes: Stake, amount: u128) -> Result<u64, DispatchError> {
	let tranche = NextTranche::<Test>::mutate(|next| {
		*next += 1;
		*next
	});
	if Refusing::<Test>::contains_key(pool) {
		return Err(DispatchError::Exhausted);
	}
	let owner = super::owner(pool);
	let total: u128 = stakes.iter().map(|(_, stake)| stake).sum();
	assert!(amount > 0 && amount <= total, "the ledger asks for no more than there is");
	let amount = if Stingy::<Test>::contains_key(pool) { amount / 2 } else { amount };
	let own = stakes.iter().find(|(who, _)| *who == owner).map_or(0, |(_, stake)| *stake);
	let mut left = amount;
	let mut parts = Stake::new();
	let others = total - own;
	let of_others = amount.saturating_sub(own);
	for (who, stake) in &stakes {
		// Rounds up, and never beyond what is left.
		let some = match *who == owner {
			true => own.min(amount),
			false => (of_others * stake).div_ceil(others.max(1)),
		}
		.min(left)
		.min(*stake);
		left -= some;
		parts.push((*who, some));
		Stakes::<Test>::mutate(pool, who, |stake| *stake -= some);
	}
	assert_eq!(left, 0);
	parts.retain(|(_, some)| *some > 0);
	let info = TrancheInfo {
		pool,
		original: parts.clone(),
		rest: parts,
		returned: Vec::new(),
		behind: self::stakes(pool),
	};
	Tranches::<Test>::insert(tranche, info);
	Ok(tranche)
}

impl Slashable<u32> for super::Pools {
	type AccountId = AccountId;
	type Credit = Credit<AccountId, Balances>;
	type Tranche = u64;

	fn liable(pool: &u32) -> Option<AccountId> {
		Stakes::<Test>::iter_key_prefix(pool).next().map(|_| super::owner(*pool))
	}

	fn could_offend(pool: &u32, committed: u32) -> bool {
		Ended::<Test>::get(pool).is_none_or(|last| committed <= last)
	}

	fn stake(pool: &u32) -> u128 {
		stakes(*pool).iter().map(|(_, stake)| stake).sum()
	}

	fn total_stake(class: OffenceClass) -> u128 {
		Totals::<Test>::get(class).unwrap_or_else(|| {
			let staked: u128 = Stakes::<Test>::iter_values().sum();
			let suspected: u128 = Tranches::<Test>::iter_values()
				.flat_map(|one| one.rest)
				.map(|(_, rest)| rest)
				.sum();
			staked + suspected
		})
	}

	fn suspect(pool: &u32, amount: u128) -> Result<u64, DispatchError> {
		set_aside(*pool, stakes(*pool), amount)
	}

	fn stake_behind(pool: &u32, first: &u64) -> u128 {
		left_behind(*pool, *first).iter().map(|(_, stake)| stake).sum()
	}

	fn suspect_more(pool: &u32, first: &u64, amount: u128) -> Result<u64, DispatchError> {
		set_aside(*pool, left_behind(*pool, *first), amount)
	}

	fn suspected(tranche: &u64) -> u128 {
		Tranches::<Test>::get(tranche).unwrap_or_default().rest.iter().map(|(_, rest)| rest).sum()
	}

	fn apply(tranche: &u64, amount: u128) -> Slashed<Self::Credit> {
		let mut info = Tranches::<Test>::get(tranche).unwrap();
		let mut slashed =
			Slashed { own: Self::Credit::zero(), others: Self::Credit::zero(), outstanding: 0 };
		for (who, mut some) in take(&mut info.rest, amount, false) {
			let own = who == super::owner(info.pool);
			if Stingy::<Test>::contains_key(info.pool) {
				Stakes::<Test>::mutate(info.pool, who, |stake| *stake += some / 2);
				some -= some / 2;
			}
			if !own && info.pool % 2 == 1 {
				Debts::<Test>::mutate(who, |debt| *debt += some);
				slashed.outstanding += some;
				continue;
			}
			let (credit, short) = Balances::slash(&REASON, &who, some);
			assert_eq!(short, 0, "suspected stake is on hold");
			match own {
				true => slashed.own.subsume(credit),
				false => slashed.others.subsume(credit),
			}
		}
		put(*tranche, info);
		slashed
	}

	fn restore(tranche: &u64, amount: u128) {
		let mut info = Tranches::<Test>::get(tranche).unwrap();
		for (who, some) in take(&mut info.rest, amount, true) {
			Stakes::<Test>::mutate(info.pool, who, |stake| *stake += some);
			info.returned.push((who, some));
		}
		put(*tranche, info);
	}
}

/// Sets the stage for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct Helper;

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper<u32> for Helper {
	fn offender(seed: u32) -> u32 {
		use frame_support::traits::fungible::Mutate;
		let pool = 1_000 + seed;
		for who in [super::owner(pool), super::delegator(pool, 0)] {
			Balances::set_balance(&who, 10_000 * super::PHA);
			deposit(pool, who, 1_000 * super::PHA);
		}
		pool
	}

	fn later(_: u32) {}
}
