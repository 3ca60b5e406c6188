//! Worst cases of the calls, and of what neighbours ask for.

use crate::{
	types::{Joining, MAX_OPEN_LOSSES, Phase, PoolId, Start, TrancheId, Worker},
	*,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec, assert_ok,
	traits::{Get, Imbalance, fungible::Balanced},
};
use frame_system::RawOrigin;
use phala_primitives::{Mining, OffenceClass, Slashable, StakeKeeper, WorkerKey};
use sp_runtime::Perbill;

/// Sets the stage in a runtime.
pub trait BenchmarkHelper<AccountId> {
	/// An attested worker of `operator` that can start with [`stake`](Self::stake); another one for each
	/// `seed`.
	fn worker(seed: u32, operator: &AccountId) -> WorkerKey;

	/// Stake with which workers can start, in plancks.
	fn stake() -> u128;

	/// Lets the cool-down of a worker be over.
	fn cool(worker: &WorkerKey);

	/// Lets running workers be silent until their sessions have lost something: a stop ends them at once,
	/// and reports it.
	fn silence(workers: &[WorkerKey]);
}

fn stake<T: Config>() -> u128 {
	T::BenchmarkHelper::stake().max(T::MinContribution::get()).max(T::MinOwnerStake::get())
}

fn fund<T: Config>(who: T::AccountId) -> T::AccountId {
	let endowment = T::Currency::issue(stake::<T>().saturating_mul(1_000_000));
	assert!(T::Currency::resolve(&who, endowment).is_ok());
	who
}

fn rich<T: Config>(name: &'static str, n: u32) -> T::AccountId {
	fund::<T>(account(name, n, 0))
}

fn set_now<T: Config>(block: u32) {
	T::BlockNumberProvider::set_block_number(block);
}

fn next_round<T: Config>() {
	let length = T::RoundLength::get();
	set_now::<T>((Pallet::<T>::now() / length + 1) * length);
}

fn signed<T: Config>(who: &T::AccountId) -> T::RuntimeOrigin {
	RawOrigin::Signed(who.clone()).into()
}

/// A pool with stake of its owner for many workers.
fn pool<T: Config>() -> (T::AccountId, PoolId) {
	if Pallet::<T>::now() == 0 {
		set_now::<T>(1);
	}
	// The pot has the existential deposit from genesis on; here, in case it has not.
	let pot = T::Currency::issue(stake::<T>());
	let _ = T::Currency::resolve(&Pallet::<T>::pot_account(), pot);
	let owner = rich::<T>("owner", 0);
	let id = NextPool::<T>::get();
	let own = stake::<T>() * 1_000;
	assert_ok!(Pallet::<T>::create(signed::<T>(&owner), own, Perbill::from_percent(10)));
	(owner, id)
}

fn add<T: Config>(owner: &T::AccountId, id: PoolId, n: u32) -> WorkerKey {
	let worker = T::BenchmarkHelper::worker(n, owner);
	assert_ok!(Pallet::<T>::add_worker(signed::<T>(owner), id, worker));
	worker
}

fn start<T: Config>(owner: &T::AccountId, id: PoolId, n: u32) -> WorkerKey {
	let worker = add::<T>(owner, id, n);
	assert_ok!(Pallet::<T>::start(signed::<T>(owner), worker, stake::<T>()));
	worker
}

fn contribute<T: Config>(id: PoolId, who: &T::AccountId) {
	assert_ok!(Pallet::<T>::contribute(signed::<T>(who), id, stake::<T>() * 1_000));
}

fn suspect<T: Config>(worker: &WorkerKey, amount: u128) -> TrancheId {
	<Pallet<T> as Slashable<WorkerKey>>::suspect(worker, amount).unwrap()
}

/// Opens as many losses as can be, one per round, half of each taken and half cancelled, so that all
/// close in the next round, with shares for those who bore them.
fn losses<T: Config>(id: PoolId, worker: &WorkerKey) {
	for _ in Pools::<T>::get(id).unwrap().open.len()..MAX_OPEN_LOSSES as usize {
		next_round::<T>();
		let tranche = suspect::<T>(worker, 2_000);
		drop(<Pallet<T> as Slashable<WorkerKey>>::apply(&tranche, 1_000));
		<Pallet<T> as Slashable<WorkerKey>>::restore(&tranche, 1_000);
	}
	Pools::<T>::mutate(id, |pool| {
		let pool = pool.as_mut().unwrap();
		pool.changes += 1;
		pool.bucket = stake::<T>();
		pool.pot += stake::<T>();
	});
	let pay = T::Currency::issue(stake::<T>());
	assert!(T::Currency::resolve(&Pallet::<T>::pot_account(), pay).is_ok());
	next_round::<T>();
}

/// Lets the owner have nothing meanwhile: losses reach the delegators.
fn without_own<T: Config>(id: PoolId, happen: impl FnOnce()) {
	let own = Pools::<T>::mutate(id, |pool| core::mem::take(&mut pool.as_mut().unwrap().own));
	happen();
	Pools::<T>::mutate(id, |pool| pool.as_mut().unwrap().own = own);
}

/// A pool that has most to do when it is touched: running workers, a round to credit, losses to close. With
/// a delegator who has most to catch up with.
struct Busy<AccountId> {
	owner: AccountId,
	id: PoolId,
	worker: WorkerKey,
	delegator: AccountId,
}

fn busy<T: Config>() -> Busy<T::AccountId> {
	let (owner, id) = pool::<T>();
	let delegator = fund::<T>(whitelisted_caller());
	contribute::<T>(id, &delegator);
	contribute::<T>(id, &rich::<T>("other", 0));
	next_round::<T>();
	let worker = start::<T>(&owner, id, 0);
	// Mining's last one takes the place of one that ends.
	start::<T>(&owner, id, 1);
	without_own::<T>(id, || {
		losses::<T>(id, &worker);
		// It knows those of before, and has not seen the others.
		Pools::<T>::mutate(id, |pool| pool.as_mut().unwrap().round = Pallet::<T>::round_now());
		assert_ok!(Pallet::<T>::do_settle_open(&delegator, id));
		let pool = Pallet::<T>::load(id).unwrap();
		Pools::<T>::insert(id, pool);
		losses::<T>(id, &worker);
	});
	let position = Positions::<T>::get(id, &delegator).unwrap();
	assert_eq!(position.claims.len() as u32, MAX_OPEN_LOSSES);
	assert_eq!(position.seen + MAX_CATCH_UP, Pools::<T>::get(id).unwrap().next_loss);
	Busy { owner, id, worker, delegator }
}

/// Gives `who` a position that is as far behind as another one, but with claims to losses that nobody else
/// knows, for each `seed` other ones.
fn straggler<T: Config>(id: PoolId, who: &T::AccountId, like: &T::AccountId, seed: u32) {
	let mut position = Positions::<T>::get(id, like).unwrap();
	for (n, claim) in (seed * MAX_OPEN_LOSSES..).zip(position.claims.iter_mut()) {
		let loss = Losses::<T>::get(id, claim.loss).unwrap();
		assert!(loss.outcome.is_some(), "it has something to collect");
		claim.loss = u32::MAX - n;
		Losses::<T>::insert(id, claim.loss, loss);
	}
	// Together no more than the pool's shares.
	position.shares /= 64;
	position.held = position.shares;
	assert_ok!(Pallet::<T>::hold(HoldReason::Delegation, who, position.held));
	Pools::<T>::mutate(id, |pool| {
		let pool = pool.as_mut().unwrap();
		pool.positions += 1;
		let (round, per_share) = (pool.round - 1 - seed, pool.rewards.per_share());
		Starts::<T>::insert(id, round, Start { per_share, positions: 1 });
		position.joining = Some(Joining { round, shares: 1 });
	});
	Positions::<T>::insert(id, who, position);
}

/// A pool whose next loss is the owner's and the delegators', with a round to credit.
fn suspicious<T: Config>() -> (PoolId, WorkerKey) {
	let Busy { id, worker, .. } = busy::<T>();
	let record = Pallet::<T>::load(id).unwrap();
	Pools::<T>::insert(id, record);
	expose::<T>(id);
	next_round::<T>();
	(id, worker)
}

impl<T: Config> Pallet<T> {
	/// Catches up without closing losses first.
	fn do_settle_open(who: &T::AccountId, id: PoolId) -> sp_runtime::DispatchResult {
		let mut pool = Pools::<T>::get(id).ok_or(Error::<T>::PoolNotFound)?;
		let position = Self::current(id, &mut pool, who)?;
		Self::put_position(id, &mut pool, who, position);
		Pools::<T>::insert(id, pool);
		Ok(())
	}
}

/// Lets a pool have put stake behind a worker that has not mined, for neighbours' benchmarks.
pub fn set_aside<T: Config>(id: PoolId, worker: &WorkerKey, operator: &T::AccountId, stake: u128) {
	let (operator, phase) = (operator.clone(), Phase::Running);
	let record = Worker { pool: id, operator, stake, suspected: 0, lost: 0, at_risk: 0, phase };
	Workers::<T>::insert(worker, record);
	Pools::<T>::mutate(id, |pool| pool.as_mut().unwrap().committed += stake);
	TotalStake::<T>::mutate(|total| *total += stake);
}

/// Lets a worker without stake leave most behind when its operator does, for neighbours' benchmarks: a place
/// in a full pool, and a consent.
pub fn attach<T: Config>(worker: &WorkerKey) {
	let (operator, pool): (T::AccountId, _) = (account("operator", 0, 0), NextPool::<T>::get());
	let others = (1..T::MaxWorkers::get()).map(|n| {
		let mut raw = [0; 32];
		raw[..4].copy_from_slice(&n.to_be_bytes());
		WorkerKey::from_raw(raw)
	});
	let list: Vec<_> = others.chain([*worker]).collect();
	PoolWorkers::<T>::insert(pool, BoundedVec::truncate_from(list));
	Consents::<T>::insert(worker, (operator.clone(), pool));
	let phase = Phase::Idle;
	let record = Worker { pool, operator, stake: 0, suspected: 0, lost: 0, at_risk: 0, phase };
	Workers::<T>::insert(worker, record);
}

/// A pool of `owner`, with stake of its owner and of a delegator, the same each time.
pub fn keeper<T: Config>(owner: &T::AccountId, seed: u32) -> PoolId {
	if Pallet::<T>::now() == 0 {
		set_now::<T>(1);
	}
	let pot = T::Currency::issue(stake::<T>());
	let _ = T::Currency::resolve(&Pallet::<T>::pot_account(), pot);
	let owner = fund::<T>(owner.clone());
	let id = NextPool::<T>::get();
	let own = stake::<T>() * 1_000;
	assert_ok!(Pallet::<T>::create(signed::<T>(&owner), own, Perbill::from_percent(10)));
	contribute::<T>(id, &rich::<T>("delegator of a neighbour", seed));
	id
}

/// A worker whose next loss is its pool's owner's and the delegators', with a round to credit; another
/// one for each `seed`.
pub fn exposed<T: Config>(seed: u32) -> WorkerKey {
	let owner = account("owner of a neighbour", seed, 0);
	let id = keeper::<T>(&owner, seed);
	let worker = T::BenchmarkHelper::worker(seed, &owner);
	set_aside::<T>(id, &worker, &owner, stake::<T>() * 1_000);
	expose::<T>(id);
	next_round::<T>();
	worker
}

/// Lets a pool's next loss be its owner's and the delegators', and its next round have pay to credit.
pub fn expose<T: Config>(id: PoolId) {
	Pools::<T>::mutate(id, |pool| {
		let pool = pool.as_mut().unwrap();
		pool.own = 1_000;
		pool.bucket = stake::<T>();
		pool.pot += stake::<T>();
	});
	let pay = T::Currency::issue(stake::<T>());
	assert!(T::Currency::resolve(&Pallet::<T>::pot_account(), pay).is_ok());
}

fn get<T: Config>(id: PoolId) -> PoolOf<T> {
	Pools::<T>::get(id).unwrap()
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create() {
		let caller = fund::<T>(whitelisted_caller());
		let id = NextPool::<T>::get();
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), stake::<T>(), Perbill::from_percent(10));
		assert_eq!(get::<T>(id).own, stake::<T>());
	}

	#[benchmark]
	fn set_commission() {
		let Busy { owner, id, .. } = busy::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, Perbill::from_percent(50));
		assert!(get::<T>(id).announced.is_some());
	}

	#[benchmark]
	fn set_cap() {
		let Busy { owner, id, .. } = busy::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, Some(1));
		assert_eq!(get::<T>(id).cap, Some(1));
	}

	#[benchmark]
	fn set_whitelist(a: Linear<0, { T::MaxWhitelist::get() }>) {
		let Busy { owner, id, .. } = busy::<T>();
		let list: Vec<_> = (0..a).map(|n| account("listed", n, 0)).collect();
		let list = BoundedVec::truncate_from(list);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, Some(list));
		assert_eq!(Whitelists::<T>::get(id).unwrap().len() as u32, a);
	}

	#[benchmark]
	fn set_description() {
		let Busy { owner, id, .. } = busy::<T>();
		let text = BoundedVec::truncate_from(alloc::vec![b'x'; T::MaxDescription::get() as usize]);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, text);
		assert!(Descriptions::<T>::contains_key(id));
	}

	#[benchmark]
	fn offer_ownership() {
		let Busy { owner, id, delegator, .. } = busy::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, Some(delegator.clone()));
		assert_eq!(get::<T>(id).heir, Some(delegator));
	}

	#[benchmark]
	fn accept_ownership() {
		let Busy { owner, id, delegator, .. } = busy::<T>();
		straggler::<T>(id, &owner, &delegator, 0);
		let heir = rich::<T>("heir", 0);
		// As if it had been offered before the losses were decided.
		Pools::<T>::mutate(id, |pool| pool.as_mut().unwrap().heir = Some(heir.clone()));
		let (record, position) = (get::<T>(id), Positions::<T>::get(id, &owner).unwrap());
		assert!(record.open.is_full() && position.claims.is_full());
		assert_eq!(position.seen + MAX_CATCH_UP, record.next_loss);
		#[extrinsic_call]
		_(RawOrigin::Signed(heir.clone()), id, stake::<T>() * 1_000);
		assert_eq!(get::<T>(id).owner, heir);
		assert!(Positions::<T>::get(id, owner).unwrap().claims.is_empty());
	}

	#[benchmark]
	fn close() {
		let (owner, id) = pool::<T>();
		let mut record = get::<T>(id);
		record.pot = stake::<T>();
		record.bucket = stake::<T>();
		Pools::<T>::insert(id, record);
		let pay = T::Currency::issue(stake::<T>());
		assert!(T::Currency::resolve(&Pallet::<T>::pot_account(), pay).is_ok());
		next_round::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id);
		assert!(!Pools::<T>::contains_key(id));
	}

	#[benchmark]
	fn add_own() {
		let Busy { owner, id, .. } = busy::<T>();
		let before = get::<T>(id).own;
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, stake::<T>());
		assert_eq!(get::<T>(id).own, before + stake::<T>());
	}

	#[benchmark]
	fn withdraw_own() {
		let Busy { owner, id, .. } = busy::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, stake::<T>());
		assert!(get::<T>(id).own_exit.is_some());
	}

	#[benchmark]
	fn consent() {
		let (_, id) = pool::<T>();
		let operator = fund::<T>(whitelisted_caller());
		let worker = T::BenchmarkHelper::worker(0, &operator);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator.clone()), worker, Some(id));
		assert_eq!(Consents::<T>::get(worker), Some((operator, id)));
	}

	#[benchmark]
	fn add_worker() {
		let (owner, id) = pool::<T>();
		for n in 1..T::MaxWorkers::get() {
			add::<T>(&owner, id, n);
		}
		let operator = rich::<T>("operator", 0);
		let worker = T::BenchmarkHelper::worker(0, &operator);
		assert_ok!(Pallet::<T>::consent(signed::<T>(&operator), worker, Some(id)));
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, worker);
		assert!(Workers::<T>::contains_key(worker));
	}

	#[benchmark]
	fn remove_worker() {
		let (owner, id) = pool::<T>();
		let worker = add::<T>(&owner, id, 0);
		for n in 1..T::MaxWorkers::get() {
			add::<T>(&owner, id, n);
		}
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), worker);
		assert!(!Workers::<T>::contains_key(worker));
	}

	#[benchmark]
	fn start() {
		let Busy { owner, id, .. } = busy::<T>();
		let worker = add::<T>(&owner, id, 2);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), worker, stake::<T>());
		assert!(T::Mining::session(&worker).is_some());
	}

	#[benchmark]
	fn top_up() {
		let Busy { owner, worker, .. } = busy::<T>();
		let before = Workers::<T>::get(worker).unwrap().stake;
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), worker, stake::<T>());
		assert!(Workers::<T>::get(worker).unwrap().stake > before);
	}

	#[benchmark]
	fn stop() {
		let Busy { owner, id, worker, .. } = busy::<T>();
		// It ends at once, with a loss that is its owner's and the delegators'.
		expose::<T>(id);
		T::BenchmarkHelper::silence(&[worker]);
		assert!(get::<T>(id).open.is_full() && get::<T>(id).exposed() > 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), worker);
		let record = Workers::<T>::get(worker).unwrap();
		assert_eq!((record.phase, record.at_risk), (types::Phase::Ending, 0));
		assert!(record.suspected > 1_000, "more than its owner had");
	}

	#[benchmark]
	fn reclaim() {
		let Busy { owner, worker, delegator, .. } = busy::<T>();
		assert_ok!(Pallet::<T>::stop(signed::<T>(&owner), worker));
		T::BenchmarkHelper::cool(&worker);
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator), worker);
		assert_eq!(Workers::<T>::get(worker).unwrap().phase, types::Phase::Idle);
	}

	#[benchmark]
	fn contribute() {
		let Busy { id, delegator, .. } = busy::<T>();
		let mut list: Vec<_> =
			(1..T::MaxWhitelist::get()).map(|n| account("listed", n, 0)).collect();
		list.push(delegator.clone());
		Whitelists::<T>::insert(id, BoundedVec::truncate_from(list));
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator.clone()), id, stake::<T>());
		assert!(Positions::<T>::get(id, delegator).unwrap().joining.is_some());
	}

	#[benchmark]
	fn withdraw() {
		let Busy { id, delegator, .. } = busy::<T>();
		// A larger request moves from between two others to the end.
		let shares = Positions::<T>::get(id, &delegator).unwrap().shares;
		let mut record = get::<T>(id);
		for who in [account("other", 0, 0), delegator.clone()] {
			let position = Positions::<T>::get(id, &who).unwrap();
			Pallet::<T>::enqueue(id, &mut record, &who, position.shares / 2);
		}
		Pools::<T>::insert(id, record);
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator.clone()), id, shares);
		assert_eq!(Requests::<T>::get(id, delegator).unwrap().shares, shares);
	}

	#[benchmark]
	fn cancel_withdrawal() {
		let Busy { id, delegator, .. } = busy::<T>();
		let mut record = get::<T>(id);
		Pallet::<T>::enqueue(id, &mut record, &account("other", 0, 0), 1_000);
		Pallet::<T>::enqueue(id, &mut record, &delegator, 1_000);
		Pools::<T>::insert(id, record);
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator.clone()), id);
		assert!(!Requests::<T>::contains_key(id, delegator));
	}

	#[benchmark]
	fn claim() {
		let Busy { id, delegator, .. } = busy::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator.clone()), id);
		assert_eq!(Positions::<T>::get(id, delegator).unwrap().rewards, 0);
	}

	#[benchmark]
	fn claim_owner() {
		let Busy { owner, id, .. } = busy::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id);
		assert_eq!(get::<T>(id).owner_rewards, 0);
	}

	#[benchmark]
	fn process(r: Linear<1, 16>) {
		let Busy { id, delegator, .. } = busy::<T>();
		for n in 0..r {
			let who = rich::<T>("leaver", n);
			straggler::<T>(id, &who, &delegator, n);
			let shares = Positions::<T>::get(id, &who).unwrap().shares;
			let mut record = get::<T>(id);
			Pallet::<T>::enqueue(id, &mut record, &who, shares / 2);
			Pools::<T>::insert(id, record);
		}
		next_round::<T>();
		set_now::<T>(Pallet::<T>::now() + T::RoundLength::get());
		// Those that close, those that the first one knows, and those of each leaver.
		assert!(get::<T>(id).open.is_full());
		assert_eq!(Losses::<T>::iter_prefix(id).count() as u32, (r + 2) * MAX_OPEN_LOSSES);
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator), id, r);
		assert_eq!(get::<T>(id).head, None);
	}

	#[benchmark]
	fn force(r: Linear<1, 256>) {
		let Busy { owner, id, worker, delegator } = busy::<T>();
		for n in 2..T::MaxWorkers::get() {
			super::start::<T>(&owner, id, n);
		}
		// Their start closed the losses.
		without_own::<T>(id, || losses::<T>(id, &worker));
		// All that is free is committed elsewhere, so that the most workers have to stop.
		let mut record = get::<T>(id);
		record.committed = record.stake();
		for n in 0..r {
			Pallet::<T>::enqueue(id, &mut record, &account("leaver", n, 0), stake::<T>() * 20);
		}
		Pools::<T>::insert(id, record);
		set_now::<T>(Pallet::<T>::now() + T::GracePeriod::get());
		// Whichever is stopped ends at once, with a loss. Its owner covers all of them, or none would close.
		T::BenchmarkHelper::silence(&PoolWorkers::<T>::get(id).unwrap());
		let record = get::<T>(id);
		assert!(record.open.is_full() && record.at_risk > 0 && record.exposed() == 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator), id, r);
		let ended = Workers::<T>::iter_values()
			.filter(|worker| worker.phase == types::Phase::Ending && worker.suspected > 0)
			.count();
		assert_eq!(ended as u32, MAX_STOPS);
		assert!(get::<T>(id).open.is_empty());
	}

	#[benchmark]
	fn settle() {
		let Busy { id, delegator, .. } = busy::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(delegator.clone()), id, delegator.clone());
		let position = Positions::<T>::get(id, delegator).unwrap();
		assert_eq!(position.seen, get::<T>(id).next_loss);
		assert!(position.claims.is_empty());
	}

	#[benchmark]
	fn on_earned() {
		let Busy { id, worker, .. } = busy::<T>();
		let before = get::<T>(id).pot;
		#[block]
		{
			let booked =
				<Pallet<T> as StakeKeeper<_, CreditOf<T>>>::on_earned(&id, &worker, stake::<T>());
			assert!(booked);
		}
		assert_eq!(get::<T>(id).pot, before + stake::<T>());
	}

	#[benchmark]
	fn on_ended() {
		let Busy { id, worker, .. } = busy::<T>();
		<Pallet<T> as StakeKeeper<_, CreditOf<T>>>::on_at_risk(&id, &worker, 1_000);
		#[block]
		{
			<Pallet<T> as StakeKeeper<_, CreditOf<T>>>::on_ended(&id, &worker);
		}
		assert_eq!(Workers::<T>::get(worker).unwrap().phase, types::Phase::Ending);
		assert_eq!(get::<T>(id).at_risk, 0);
	}

	#[benchmark]
	fn on_at_risk() {
		let Busy { id, worker, .. } = busy::<T>();
		#[block]
		{
			<Pallet<T> as StakeKeeper<_, CreditOf<T>>>::on_at_risk(&id, &worker, 1_000);
		}
		assert_eq!(get::<T>(id).at_risk, 1_000);
	}

	#[benchmark]
	fn suspect() {
		let (id, worker) = suspicious::<T>();
		let tranche;
		#[block]
		{
			tranche = super::suspect::<T>(&worker, 2_000);
		}
		assert_eq!(<Pallet<T> as Slashable<WorkerKey>>::suspected(&tranche), 2_000);
		assert_eq!(get::<T>(id).open.len(), 1);
		assert!(<Pallet<T> as Slashable<WorkerKey>>::total_stake(OffenceClass::Outage) > 0);
	}

	#[benchmark]
	fn apply() {
		let (_, worker) = suspicious::<T>();
		let tranche = super::suspect::<T>(&worker, 2_000);
		let slashed;
		#[block]
		{
			slashed = <Pallet<T> as Slashable<WorkerKey>>::apply(&tranche, 1_500);
		}
		assert_eq!((slashed.own.peek(), slashed.outstanding), (1_000, 500));
	}

	#[benchmark]
	fn restore() {
		let (_, worker) = suspicious::<T>();
		let tranche = super::suspect::<T>(&worker, 2_000);
		#[block]
		{
			<Pallet<T> as Slashable<WorkerKey>>::restore(&tranche, 2_000);
		}
		assert!(!Tranches::<T>::contains_key(tranche));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
