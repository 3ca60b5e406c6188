//! Random sequences of everything that anybody can do, with all invariants, and with a model of who
//! was paid and who lost what.

use super::attacks::{apply, restore};
use crate::{Event, Positions, Tranches, Workers, mock::*, types::Phase};
use frame_support::traits::fungible::Inspect;
use phala_primitives::{OffenceClass, OffenceId, Slashable, WorkerKey};
use proptest::{prelude::*, test_runner::TestRunner};
use sp_runtime::Perbill;
use std::{cell::Cell, collections::BTreeMap};

const POOLS: u32 = 2;
const WORKERS: u8 = 6;
/// Two runs of `CASES · STEPS` steps. `PROPTEST_CASES` sets another number of cases.
const CASES: u32 = 180;
const STEPS: usize = 120;
/// Owners have the first two numbers; the others delegate.
const PEOPLE: [AccountId; 6] = [OWNER, 2, ALICE, BOB, CAROL, 3];

#[derive(Clone, Debug)]
enum Op {
	Contribute { pool: u32, who: usize, amount: u128 },
	Withdraw { pool: u32, who: usize, part: u128 },
	CancelWithdrawal { pool: u32, who: usize },
	Claim { pool: u32, who: usize },
	ClaimOwner { pool: u32 },
	AddOwn { pool: u32, amount: u128 },
	WithdrawOwn { pool: u32, part: u128 },
	Commission { pool: u32, percent: u32 },
	HandOver { pool: u32, who: usize, amount: u128 },
	Start { worker: u8, part: u128 },
	TopUp { worker: u8, part: u128 },
	Stop { worker: u8 },
	Reclaim { worker: u8, cooled: bool },
	Pay { worker: u8, amount: u128 },
	Lose { worker: u8, amount: u128 },
	End { worker: u8 },
	Silent { worker: u8, part: u128 },
	Outage { worker: u8, amount: u128 },
	Suspect { worker: u8, part: u128 },
	Decide { pick: usize, part: u128, taken: bool },
	Cancel { pick: usize },
	CancelAtOnce { worker: u8, part: u128 },
	Process { pool: u32, limit: u32 },
	Force { pool: u32, late: bool },
	Settle { pool: u32, who: usize },
	Jump { blocks: u32 },
	Era,
}

fn op() -> impl Strategy<Value = Op> {
	use Op::*;
	let pool = 0..POOLS;
	let who = 0..PEOPLE.len();
	let worker = 1..=WORKERS;
	let amount = 1..300 * PHA;
	let part = 1..=100u128;
	let w = worker.clone();
	let stake = prop_oneof![
		8 => (pool.clone(), who.clone(), amount.clone())
			.prop_map(|(pool, who, amount)| Contribute { pool, who, amount }),
		6 => (pool.clone(), who.clone(), part.clone())
			.prop_map(|(pool, who, part)| Withdraw { pool, who, part }),
		1 => (pool.clone(), who.clone()).prop_map(|(pool, who)| CancelWithdrawal { pool, who }),
		3 => (pool.clone(), who.clone()).prop_map(|(pool, who)| Claim { pool, who }),
		1 => pool.clone().prop_map(|pool| ClaimOwner { pool }),
		3 => (pool.clone(), amount.clone()).prop_map(|(pool, amount)| AddOwn { pool, amount }),
		1 => (pool.clone(), part.clone()).prop_map(|(pool, part)| WithdrawOwn { pool, part }),
		1 => (pool.clone(), 0..=100u32).prop_map(|(pool, percent)| Commission { pool, percent }),
		1 => (pool.clone(), who.clone(), amount.clone())
			.prop_map(|(pool, who, amount)| HandOver { pool, who, amount }),
		5 => (pool.clone(), 1..6u32).prop_map(|(pool, limit)| Process { pool, limit }),
		4 => (pool.clone(), any::<bool>()).prop_map(|(pool, late)| Force { pool, late }),
		3 => (pool, who).prop_map(|(pool, who)| Settle { pool, who }),
		8 => prop_oneof![3 => 1..ROUND, 2 => Just(ROUND), 1 => 1..GRACE]
			.prop_map(|blocks| Jump { blocks }),
		2 => Just(Era),
	];
	let work = prop_oneof![
		6 => (w.clone(), part.clone()).prop_map(|(worker, part)| Start { worker, part }),
		2 => (w.clone(), part.clone()).prop_map(|(worker, part)| TopUp { worker, part }),
		1 => w.clone().prop_map(|worker| Stop { worker }),
		2 => (w.clone(), any::<bool>()).prop_map(|(worker, cooled)| Reclaim { worker, cooled }),
		6 => (w.clone(), 1..50 * PHA).prop_map(|(worker, amount)| Pay { worker, amount }),
		2 => (w.clone(), 1..20 * PHA).prop_map(|(worker, amount)| Lose { worker, amount }),
		1 => w.clone().prop_map(|worker| End { worker }),
		3 => (w.clone(), prop_oneof![1 => Just(0), 2 => 1..=20u128])
			.prop_map(|(worker, part)| Silent { worker, part }),
		2 => (w.clone(), amount).prop_map(|(worker, amount)| Outage { worker, amount }),
		4 => (w.clone(), part.clone()).prop_map(|(worker, part)| Suspect { worker, part }),
		6 => (any::<usize>(), part.clone(), any::<bool>())
			.prop_map(|(pick, part, taken)| Decide { pick, part, taken }),
		2 => any::<usize>().prop_map(|pick| Cancel { pick }),
		2 => (worker, part).prop_map(|(worker, part)| CancelAtOnce { worker, part }),
	];
	prop_oneof![3 => stake, 2 => work]
}

/// How often what the test is about happened, over all cases.
#[derive(Clone, Copy, Debug, Default)]
struct Coverage {
	withdrawn: u32,
	collected: u32,
	minted: u32,
	exact: u32,
	forced: u32,
	handed_over: u32,
	joined_open: u32,
	rested: u32,
}

#[derive(Default)]
struct Model {
	/// Rewards paid and stake lost, by account.
	earned: BTreeMap<AccountId, u128>,
	lost: BTreeMap<AccountId, u128>,
	charged: u128,
	collected: u128,
	/// Tranches that the ledger does not know.
	tranches: Vec<u64>,
	/// Offences that it knows.
	offences: Vec<OffenceId>,
	coverage: Coverage,
}

impl Model {
	fn observe(&mut self) {
		let owner = |id| crate::Pools::<Test>::get(id).unwrap().owner;
		for event in System::read_events_for_pallet::<Event<Test>>() {
			match event {
				Event::RewardsClaimed { who, amount, .. }
				| Event::OwnerRewardsClaimed { who, amount, .. } => {
					*self.earned.entry(who).or_default() += amount;
				}
				Event::LossCollected { who, collected, minted, .. } => {
					*self.lost.entry(who).or_default() += collected;
					self.collected += collected;
					self.coverage.collected += u32::from(collected > 0);
					self.coverage.minted += u32::from(minted > 0);
				}
				Event::LossApplied { pool, own, others, .. } => {
					// A pool with an open loss does not change hands.
					*self.lost.entry(owner(pool)).or_default() += own;
					self.charged += others;
				}
				Event::Withdrawn { .. } => self.coverage.withdrawn += 1,
				Event::WorkerStopped { forced: true, .. } => self.coverage.forced += 1,
				Event::OwnershipChanged { .. } => self.coverage.handed_over += 1,
				Event::Unexpected { kind } => panic!("{kind:?}"),
				_ => (),
			}
		}
		System::reset_events();
		for who in PEOPLE {
			let earned = self.earned.get(&who).copied().unwrap_or(0);
			let lost = self.lost.get(&who).copied().unwrap_or(0);
			assert_eq!(
				wealth(who) + lost,
				RICH + earned,
				"{who} has what is theirs, to the planck"
			);
		}
	}
}

fn part_of(amount: u128, part: u128) -> u128 {
	amount * part / 100
}

fn sound(worker: WorkerKey) -> u128 {
	<Pools as Slashable<WorkerKey>>::stake(&worker)
}

fn view(id: u32) -> Vec<Option<(u128, u128, u128, u128)>> {
	let one = |who| {
		let position = Pools::position(who, id)?;
		Some((position.shares, position.worth, position.held, position.suspected))
	};
	PEOPLE.map(one).to_vec()
}

/// A refusal is as good an answer as any; the invariants tell whether it was clean.
fn run_op(model: &mut Model, op: Op) {
	use Op::*;
	let before: Vec<_> = (0..POOLS).map(|id| crate::Pools::<Test>::get(id).unwrap()).collect();
	let owner = |id: u32| signed(get(id).owner);
	let owner_of = |w: WorkerKey| signed(get(Workers::<Test>::get(w).unwrap().pool).owner);
	let _ = match op {
		Contribute { pool, who, amount } => {
			tx(|| Pools::contribute(signed(PEOPLE[who]), pool, amount))
		}
		Withdraw { pool, who, part } => {
			let who = PEOPLE[who];
			let shares = Pools::position(who, pool).map_or(0, |one| one.shares);
			tx(|| Pools::withdraw(signed(who), pool, part_of(shares, part)))
		}
		CancelWithdrawal { pool, who } => {
			tx(|| Pools::cancel_withdrawal(signed(PEOPLE[who]), pool))
		}
		Claim { pool, who } => tx(|| Pools::claim(signed(PEOPLE[who]), pool)),
		ClaimOwner { pool } => tx(|| Pools::claim_owner(owner(pool), pool)),
		AddOwn { pool, amount } => tx(|| Pools::add_own(owner(pool), pool, amount)),
		WithdrawOwn { pool, part } => {
			let amount = part_of(get(pool).own, part);
			tx(|| Pools::withdraw_own(owner(pool), pool, amount))
		}
		Commission { pool, percent } => {
			tx(|| Pools::set_commission(owner(pool), pool, Perbill::from_percent(percent)))
		}
		HandOver { pool, who, amount } => tx(|| {
			Pools::offer_ownership(owner(pool), pool, Some(PEOPLE[who]))?;
			Pools::accept_ownership(signed(PEOPLE[who]), pool, amount)
		}),
		Start { worker: n, part } => {
			let worker = worker(n);
			let pool = Workers::<Test>::get(worker).unwrap().pool;
			let stake = part_of(get(pool).available(), part);
			tx(|| Pools::start(owner_of(worker), worker, stake))
		}
		TopUp { worker: n, part } => {
			let worker = worker(n);
			let pool = Workers::<Test>::get(worker).unwrap().pool;
			let stake = part_of(get(pool).available(), part);
			tx(|| Pools::top_up(owner_of(worker), worker, stake))
		}
		Stop { worker: n } => tx(|| Pools::stop(owner_of(worker(n)), worker(n))),
		Reclaim { worker: n, cooled: now } => {
			let ending = Workers::<Test>::get(worker(n)).unwrap().phase == Phase::Ending;
			if now && ending {
				cooled(worker(n));
			}
			tx(|| Pools::reclaim(signed(BOB), worker(n)))
		}
		Pay { worker: n, amount } => {
			if Sessions::get(&worker(n)).is_some() {
				pay(worker(n), amount);
			}
			Ok(())
		}
		Lose { worker: n, amount } => {
			lose(worker(n), amount);
			Ok(())
		}
		End { worker: n } => {
			if Workers::<Test>::get(worker(n)).unwrap().phase == Phase::Running {
				end(worker(n));
			}
			Ok(())
		}
		Silent { worker: n, part } => {
			if Workers::<Test>::get(worker(n)).unwrap().phase != Phase::Idle {
				silent(worker(n), part_of(sound(worker(n)), part));
			}
			Ok(())
		}
		Outage { worker: n, amount } => tx(|| {
			let id = report(worker(n), amount)?;
			model.offences.push(id);
			Ok(())
		}),
		Suspect { worker: n, part } => {
			let amount = part_of(sound(worker(n)), part);
			if amount > 0 {
				let pool = Workers::<Test>::get(worker(n)).unwrap().pool;
				let before = get(pool).next_loss;
				if let Ok(tranche) = tx(|| Pools::suspect(&worker(n), amount)) {
					model.tranches.push(tranche);
					let after = get(pool);
					let joined = after.next_loss == before && !after.open.is_empty();
					model.coverage.joined_open += u32::from(joined);
				}
			}
			Ok(())
		}
		Decide { pick, part, taken } => {
			model.tranches.retain(|tranche| Tranches::<Test>::contains_key(tranche));
			if !model.tranches.is_empty() {
				let tranche = model.tranches[pick % model.tranches.len()];
				let amount = part_of(Pools::suspected(&tranche), part.max(30)).max(1);
				match taken {
					true => drop(apply(tranche, amount)),
					false => restore(tranche, amount),
				}
			}
			Ok(())
		}
		Cancel { pick } => {
			if !model.offences.is_empty() {
				let id = model.offences.swap_remove(pick % model.offences.len());
				let _ = tx(|| Slashing::cancel(RuntimeOrigin::root(), id, false));
			}
			Ok(())
		}
		CancelAtOnce { worker: n, part } => {
			// In a round of its own, and while shares move: those that rest keep what is decided waiting.
			(1..=WORKERS).for_each(|n| silent(worker(n), 0));
			next_round();
			let pool = Workers::<Test>::get(worker(n)).unwrap().pool;
			// Nobody's part of an older loss depends on who comes last.
			for who in PEOPLE {
				let _ = tx(|| Pools::settle(signed(BOB), pool, who));
			}
			let before = (view(pool), get(pool));
			if let Ok(id) = tx(|| report(worker(n), part_of(sound(worker(n)), part))) {
				let _ = tx(|| Pools::settle(signed(BOB), pool, PEOPLE[n as usize - 1]));
				jump(ROUND / 2);
				cancel(id);
				next_round();
				let after = get(pool);
				assert_eq!(view(pool), before.0, "exactly what they had");
				assert_eq!((after.own, after.shares), (before.1.own, before.1.shares));
				model.coverage.exact += 1;
			}
			Ok(())
		}
		Process { pool, limit } => {
			tx(|| Pools::process(signed(BOB), pool, limit)).map(|_| ()).map_err(|error| error.error)
		}
		Force { pool, late } => {
			if late {
				jump(GRACE);
			}
			tx(|| Pools::force(signed(BOB), pool, 5)).map(|_| ()).map_err(|error| error.error)
		}
		Settle { pool, who } => tx(|| Pools::settle(signed(BOB), pool, PEOPLE[who]))
			.map(|_| ())
			.map_err(|error| error.error),
		Jump { blocks } => {
			jump(blocks);
			Ok(())
		}
		Era => {
			jump(ERA);
			poll();
			Ok(())
		}
	};
	for (id, before) in before.into_iter().enumerate() {
		let after = crate::Pools::<Test>::get(id as u32).unwrap();
		if before.exposed() > 0 && after.exposed() > 0 {
			assert_eq!(after.changes, before.changes, "no share changes hands while exposed");
			model.coverage.rested += 1;
		}
	}
	model.observe();
}

/// Everybody leaves, and has what is theirs.
fn unwind(model: &mut Model) {
	for tranche in model.tranches.drain(..) {
		restore(tranche, u128::MAX);
	}
	eras(60);
	for n in 1..=WORKERS {
		let worker = worker(n);
		let record = Workers::<Test>::get(worker).unwrap();
		let _ = tx(|| Pools::stop(signed(get(record.pool).owner), worker));
	}
	eras(60);
	for n in 1..=WORKERS {
		if Workers::<Test>::get(worker(n)).unwrap().phase != Phase::Idle {
			cooled(worker(n));
			Pools::reclaim(signed(BOB), worker(n)).unwrap();
		}
	}
	model.observe();
	assert_eq!(Tranches::<Test>::iter().count(), 0);
	for id in 0..POOLS {
		next_round();
		for who in PEOPLE {
			while matches!(tx(|| Pools::settle(signed(BOB), id, who)), Ok(done)
				if done.pays_fee == frame_support::dispatch::Pays::No)
			{}
			if let Some(one) = Pools::position(who, id).filter(|one| one.shares > 0) {
				Pools::withdraw(signed(who), id, one.shares).unwrap();
			}
		}
		jump(ROUND);
		process(id);
		assert_eq!(get(id).head, None, "there is enough for everybody");
		next_round();
		for who in PEOPLE {
			let _ = tx(|| Pools::claim(signed(who), id));
		}
		let left: Vec<_> = Positions::<Test>::iter_prefix(id).collect();
		assert!(left.is_empty(), "{left:?}");
		for worker in (1..=WORKERS).map(worker) {
			let record = Workers::<Test>::get(worker);
			if record.is_some_and(|record| record.pool == id) {
				Pools::remove_worker(signed(get(id).owner), worker).unwrap();
			}
		}
		model.observe();
		Pools::close(signed(get(id).owner), id).unwrap();
	}
	for who in PEOPLE {
		assert_eq!(held(who), 0);
	}
	assert_eq!(crate::Losses::<Test>::iter().count(), 0);
	assert_eq!(crate::Starts::<Test>::iter().count(), 0);
	assert_eq!(crate::TotalStake::<Test>::get(), 0);
	// What was charged was collected, but for roundings of holders who had nothing left.
	assert!(model.collected <= model.charged);
	assert!(model.charged - model.collected < 1_000, "{} of {}", model.collected, model.charged);
	let total = <Pools as Slashable<WorkerKey>>::total_stake(OffenceClass::Outage);
	assert_eq!(total, 0);
	assert_eq!(wealth(Pools::pot_account()), PHA / 100, "no dust is left");
}

#[test]
fn random_sequences_hold_all_invariants() {
	run_sequences();
}

/// On the other core.
#[test]
fn other_random_sequences_hold_all_invariants() {
	run_sequences();
}

fn run_sequences() {
	let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
	let cases = cases.unwrap_or(CASES);
	let config = ProptestConfig {
		source_file: Some(file!()),
		max_shrink_iters: 500,
		..ProptestConfig::with_cases(cases)
	};
	let seen = Cell::new(Coverage::default());
	TestRunner::new(config)
		.run(&prop::collection::vec(op(), STEPS), |ops| {
			let coverage = seen.get();
			seen.set(new_test_ext().execute_with(|| run_sequence(ops, coverage)));
			Ok(())
		})
		.unwrap();
	let Coverage { withdrawn, collected, minted, exact, forced, handed_over, joined_open, rested } =
		seen.get();
	for often in [withdrawn, collected, minted, exact, forced, handed_over, joined_open, rested] {
		assert!(often >= cases / 40, "the sequences are about something: {:?}", seen.get());
	}
}

fn run_sequence(ops: Vec<Op>, coverage: Coverage) -> Coverage {
	let issued = || <Balances as Inspect<AccountId>>::total_issuance();
	let mut model = Model { coverage, ..Default::default() };
	let before = issued();
	for id in 0..POOLS {
		let owner = PEOPLE[id as usize];
		Pools::create(signed(owner), 60 * PHA, Perbill::from_percent(10)).unwrap();
		for (n, who) in PEOPLE.into_iter().skip(1 + id as usize).enumerate() {
			Pools::contribute(signed(who), id, (n as u128 + 1) * 33 * PHA + 7).unwrap();
		}
		for n in (1..=WORKERS).filter(|n| u32::from(*n) % POOLS == id) {
			register(worker(n), owner);
			Pools::add_worker(signed(owner), id, worker(n)).unwrap();
			Pools::start(signed(owner), worker(n), (100 + 7 * u128::from(n)) * PHA).unwrap();
		}
	}
	for op in ops {
		run_op(&mut model, op);
		check();
		assert_eq!(issued(), before, "nothing is burnt or minted");
	}
	unwind(&mut model);
	check();
	assert_eq!(issued(), before, "nothing is burnt or minted");
	model.coverage
}
