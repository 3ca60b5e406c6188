//! Random sequences of everything that anybody can do, with all invariants, and with a model of
//! the pools that says what each holder has to have.

use crate::{
	Accusations, Event, Ledger,
	mock::*,
	types::{Part, Stage},
};
use frame_support::traits::fungible::Inspect;
use phala_primitives::{Correlation, OffenceClass, OffenceId, OffenceReport, Slashable, Source};
use proptest::{prelude::*, test_runner::TestRunner};
use sp_runtime::Perquintill;
use std::{cell::Cell, collections::BTreeMap};

const POOLS: u32 = 6;
/// Steps of a case. `PROPTEST_CASES=400` makes it 10⁵ steps.
const STEPS: usize = 250;

#[derive(Clone, Debug)]
enum Op {
	Report { class: usize, pool: u32, severity: u64, age: u32, proven: bool },
	Accuse { pool: u32, by_alice: bool },
	Judge { pick: usize, verdict: u8, severity: u64 },
	Lapse { pick: usize },
	Cancel { pick: usize, false_report: bool },
	Pardon { class: usize, first: u64, len: u64 },
	Apply { class: usize, steps: u32 },
	Wait { blocks: u32 },
	Stall { blocks: u32 },
	Deposit { pool: u32, who: u32, pha: u128 },
	Leave { pool: u32, who: u32, pha: u128 },
	Room { pool: u32, room: bool },
	Collect,
	Tune { class: usize, base: u64, ceiling: u64, least: u128 },
}

fn op() -> impl Strategy<Value = Op> {
	use Op::*;
	let class = 0..OffenceClass::ALL.len();
	let pool = 0..POOLS;
	prop_oneof![
		8 => (class.clone(), pool.clone(), 1..=1_000u64, 0..2 * ERA, any::<bool>()).prop_map(
			|(class, pool, severity, age, proven)| Report { class, pool, severity, age, proven }
		),
		2 => (pool.clone(), any::<bool>()).prop_map(|(pool, by_alice)| Accuse { pool, by_alice }),
		2 => (any::<usize>(), 0..3u8, 1..=1_000u64)
			.prop_map(|(pick, verdict, severity)| Judge { pick, verdict, severity }),
		1 => any::<usize>().prop_map(|pick| Lapse { pick }),
		2 => (any::<usize>(), any::<bool>())
			.prop_map(|(pick, false_report)| Cancel { pick, false_report }),
		1 => (class.clone(), 0..40u64, 0..4u64)
			.prop_map(|(class, first, len)| Pardon { class, first, len }),
		2 => (class.clone(), 0..5u32).prop_map(|(class, steps)| Apply { class, steps }),
		8 => (1..ERA).prop_map(|blocks| Wait { blocks }),
		1 => (1..3 * ERA).prop_map(|blocks| Stall { blocks }),
		2 => (pool.clone(), 0..4u32, 1..200u128)
			.prop_map(|(pool, who, pha)| Deposit { pool, who, pha }),
		2 => (pool.clone(), 0..4u32, 1..600u128)
			.prop_map(|(pool, who, pha)| Leave { pool, who, pha }),
		1 => (pool, prop::bool::weighted(0.7)).prop_map(|(pool, room)| Room { pool, room }),
		1 => Just(Collect),
		1 => (class, 1..=100u64, 1..=33u64, 1..2_000u128)
			.prop_map(|(class, base, ceiling, least)| Tune { class, base, ceiling, least }),
	]
}

/// What is known without asking the ledger's code how it computes.
#[derive(Default)]
struct Model {
	/// What each holder of each pool has if all suspicion ends.
	entitled: BTreeMap<(u32, AccountId), u128>,
	/// All tranches of the open offences.
	tranches: BTreeMap<OffenceId, Vec<u64>>,
	/// Taken, by class and era of application.
	taken: BTreeMap<(OffenceClass, u32), u128>,
	/// Most that the era of application may take, by the largest total and figures that it saw.
	allowed: BTreeMap<(OffenceClass, u32), u128>,
	coverage: Coverage,
}

impl Model {
	fn new(coverage: Coverage) -> Self {
		let mut model = Self { coverage, ..Self::default() };
		model.read();
		model
	}

	/// Reads who is entitled to what.
	fn read(&mut self) {
		self.entitled = (0..POOLS)
			.flat_map(|pool| {
				entitlement(pool).into_iter().map(move |(who, has)| ((pool, who), has))
			})
			.collect();
	}

	/// Notes what the era may take. To be called before anything that could take.
	fn note_limits(&mut self) {
		let era = Slashing::era_of(RelayBlock::get());
		let total = Pools::total_stake(OffenceClass::Outage);
		let least = Slashing::parameters_now().least_ceiling;
		for class in OffenceClass::ALL {
			let limit = Slashing::policy_of(class).ceiling.mul_floor(total).max(least);
			let allowed = self.allowed.entry((class, era)).or_default();
			*allowed = limit.max(*allowed);
		}
	}

	/// Compares the chain with the model after a step that took nothing but by slashing.
	fn observe(&mut self) {
		let events = events();
		let era = Slashing::era_of(RelayBlock::get());
		let mut charged = 0;
		for event in events {
			match event {
				Event::Slashed { id, charged: amount, .. } => {
					charged += amount;
					*self.taken.entry((id.class, era)).or_default() += amount;
				}
				Event::CeilingReached { .. } => self.coverage.full += 1,
				Event::OffenceApplied { .. } => self.coverage.applied += 1,
				Event::SuspicionRaised { .. } => self.coverage.raised += 1,
				Event::StallNoticed { .. } => self.coverage.stalls += 1,
				Event::RaiseRefused { .. } => self.coverage.refused += 1,
				Event::OffenceWeighed { restored, .. } if restored > 0 => {
					self.coverage.lowered += 1
				}
				Event::OffenceCancelled { id, charged: 0, .. } => {
					self.coverage.untouched += 1;
					// Each of those who bore it has got back exactly what they bore. A weighed one has
					// already given a part back; a tranche lists both.
					for tranche in self.tranches.get(&id).into_iter().flatten() {
						assert_eq!(
							sum_by_holder(returned(*tranche)),
							sum_by_holder(originals(*tranche))
						);
					}
				}
				Event::Unexpected { kind } => panic!("{kind:?}"),
				_ => (),
			}
		}
		// Whatever else happened, holders lost what was charged, and nobody else's loss grew.
		let before = core::mem::take(&mut self.entitled);
		self.read();
		let mut lost = 0;
		for (key, had) in &before {
			let has = self.entitled.get(key).copied().unwrap_or(0);
			assert!(has <= *had, "no step of the ledger gives anybody more than they had");
			lost += had - has;
		}
		assert!(self.entitled.keys().all(|key| before.contains_key(key)));
		assert_eq!(lost, charged, "what holders lose is what is charged");
		for ((class, era), taken) in &self.taken {
			let allowed = self.allowed[&(*class, *era)];
			assert!(*taken <= allowed, "{class:?} in era {era}: {taken} of {allowed}");
		}
		for (class, index, offence) in Ledger::<Test>::iter() {
			let tranches = self.tranches.entry(OffenceId { class, index }).or_default();
			for Part { tranche, .. } in offence.parts {
				if !tranches.contains(&tranche) {
					tranches.push(tranche);
				}
			}
		}
	}
}

fn sum_by_holder(stake: Vec<(AccountId, u128)>) -> BTreeMap<AccountId, u128> {
	let mut sum = BTreeMap::new();
	for (who, amount) in stake {
		*sum.entry(who).or_default() += amount;
	}
	sum
}

fn holder(pool: u32, who: u32) -> AccountId {
	if who == 3 { owner(pool) } else { delegator(pool, who) }
}

fn pick<T: Clone>(list: &[T], pick: usize) -> Option<T> {
	(!list.is_empty()).then(|| list[pick % list.len()].clone())
}

/// Runs a step. A refusal is as good an answer as any; the invariants tell whether it was clean.
fn run(model: &mut Model, op: Op) {
	model.note_limits();
	let now = RelayBlock::get();
	let mille = |n: u64| Perquintill::from_rational(n, 1_000);
	match op {
		Op::Report { class, pool, severity, age, proven } => {
			let class = OffenceClass::ALL[class];
			let mut new = offence(class, pool);
			new.committed = now.saturating_sub(age);
			new.severity = mille(severity);
			if proven {
				new.source = Source::Proven { reporter: Some(ALICE) };
			}
			let replay = new.clone();
			if report(new).is_ok() {
				let again = report(OffenceReport { severity: mille(1), ..replay });
				assert_eq!(again, Err(crate::Error::<Test>::AlreadyReported.into()));
			}
		}
		Op::Accuse { pool, by_alice } => {
			let proof = offence(OffenceClass::Compromise, pool).evidence;
			let who = RuntimeOrigin::signed(if by_alice { ALICE } else { BOB });
			let _ = Slashing::accuse(who, OffenceClass::Compromise, pool, now, proof);
		}
		Op::Judge { pick: n, verdict, severity } => {
			let open: Vec<_> = Accusations::<Test>::iter_keys().collect();
			if let Some(id) = pick(&open, n) {
				let judges = RuntimeOrigin::signed(JUDGES);
				let _ = match verdict {
					0 => Slashing::dismiss(judges, id, true),
					1 => Slashing::dismiss(judges, id, false),
					_ => frame_support::storage::with_storage_layer(|| {
						Slashing::convict(judges, id, mille(severity))
					}),
				};
			}
		}
		Op::Lapse { pick: n } => {
			let open: Vec<_> = Accusations::<Test>::iter_keys().collect();
			if let Some(id) = pick(&open, n) {
				let _ = frame_support::storage::with_storage_layer(|| {
					Slashing::lapse(RuntimeOrigin::signed(BOB), id)
				});
			}
		}
		Op::Cancel { pick: n, false_report } => {
			let open: Vec<_> = Ledger::<Test>::iter()
				.filter(|(_, _, offence)| offence.is_open())
				.map(|(class, index, _)| OffenceId { class, index })
				.collect();
			if let Some(id) = pick(&open, n) {
				Slashing::cancel(RuntimeOrigin::signed(CANCELLERS), id, false_report).unwrap();
			}
		}
		Op::Pardon { class, first, len } => {
			let class = OffenceClass::ALL[class];
			let origin = RuntimeOrigin::signed(CANCELLERS);
			let _ = Slashing::pardon(origin, class, first, first + len);
		}
		Op::Apply { class, steps } => {
			let origin = RuntimeOrigin::signed(BOB);
			let _ = Slashing::apply(origin, OffenceClass::ALL[class], steps);
		}
		Op::Wait { blocks } => {
			let end = now + blocks;
			while RelayBlock::get() < end {
				jump_to(((RelayBlock::get() / ERA + 1) * ERA).min(end));
				model.note_limits();
				poll();
				model.observe();
			}
		}
		Op::Stall { blocks } => jump_to(now + blocks),
		Op::Deposit { pool, who, pha } => {
			let who = holder(pool, who);
			if Balances::balance(&who) > (pha + 1) * PHA {
				deposit(pool, who, pha * PHA);
				model.read();
			}
		}
		Op::Leave { pool, who, pha } => {
			leave(pool, holder(pool, who), pha * PHA);
			model.read();
		}
		Op::Room { pool, room } => has_room(pool, room),
		Op::Collect => lazily_collect(),
		Op::Tune { class, base, ceiling, least } => {
			force_policy(OffenceClass::ALL[class], |policy| {
				policy.base = policy.correlated.min(percent(base)).max(percent(1));
				if OffenceClass::ALL[class].correlation() != Correlation::Raises {
					policy.base = percent(base);
				}
				policy.ceiling = percent(ceiling);
			});
			force_parameters(|all| all.least_ceiling = least * PHA);
		}
	}
	model.note_limits();
	model.observe();
}

/// How often what the test is about happened, over all cases.
#[derive(Clone, Copy, Debug, Default)]
struct Coverage {
	untouched: usize,
	applied: usize,
	full: usize,
	raised: usize,
	lowered: usize,
	stalls: usize,
	refused: usize,
}

#[test]
fn random_sequences_hold_all_invariants() {
	let config = ProptestConfig { source_file: Some(file!()), max_shrink_iters: 500, ..cases(100) };
	let least = config.cases as usize / 4;
	let seen = Cell::new(Coverage::default());
	let sequences = prop::collection::vec(op(), STEPS);
	TestRunner::new(config)
		.run(&sequences, |ops| {
			let builder = ExtBuilder::default().pools(POOLS);
			seen.set(builder.build().execute_with(|| run_sequence(ops, seen.get())));
			Ok(())
		})
		.unwrap();
	let Coverage { untouched, applied, full, raised, lowered, stalls, refused } = seen.get();
	for often in [untouched, applied, full, raised, lowered, stalls, refused] {
		assert!(often >= least, "the sequences are about something: {:?}", seen.get());
	}
}

fn run_sequence(ops: Vec<Op>, coverage: Coverage) -> Coverage {
	Retention::set(1_000);
	StallAfter::set(2 * ERA);
	let issued = Balances::total_issuance();
	let mut model = Model::new(coverage);
	events();
	for (n, op) in ops.into_iter().enumerate() {
		run(&mut model, op);
		assert_eq!(Balances::total_issuance(), issued, "nothing is burnt or minted");
		if n % 5 == 0 {
			check();
		}
	}
	// In the end everything is closed, forgotten and collected.
	run_for(14 * ERA + DEFERRAL + 100 * ERA);
	for id in Accusations::<Test>::iter_keys().collect::<Vec<_>>() {
		Slashing::lapse(RuntimeOrigin::signed(BOB), id).unwrap();
	}
	run_for(1_000);
	lazily_collect();
	check();
	let open = Ledger::<Test>::iter().filter(|(_, _, one)| one.is_open()).count();
	assert_eq!((open, Accusations::<Test>::count()), (0, 0));
	assert_eq!(crate::OpenCases::<Test>::iter().count(), 0);
	assert!((0..POOLS).all(|pool| claims(pool).is_empty()));
	assert_eq!(Balances::total_issuance(), issued);
	model.coverage
}

proptest! {
	#![proptest_config(cases(16))]

	/// What an era's offences cost does not depend on the order in which they were reported.
	#[test]
	fn the_order_of_reports_changes_nothing(
		class in prop::sample::select(vec![OffenceClass::Outage, OffenceClass::Equivocation]),
		severities in prop::collection::vec(1..=1_000u64, POOLS as usize),
		order in Just((0..POOLS).collect::<Vec<_>>()).prop_shuffle(),
	) {
		let cost = |order: &[u32]| {
			ExtBuilder::default().pools(POOLS).build().execute_with(|| {
				force_parameters(|all| all.least_ceiling = 1_000_000 * PHA);
				for pool in order {
					let severity = Perquintill::from_rational(severities[*pool as usize], 1_000);
					report(OffenceReport { severity, ..offence(class, *pool) }).unwrap();
					poll();
				}
				run_for(DEFERRAL);
				lazily_collect();
				check();
				let left = |pool| entitlement(pool).into_values().sum::<u128>();
				(0..POOLS).map(left).collect::<Vec<_>>()
			})
		};
		let sorted: Vec<u32> = (0..POOLS).collect();
		prop_assert_eq!(cost(&sorted), cost(&order));
	}

	/// Whatever outages there are, what an era's cost together is within what is tolerated, and no
	/// era takes more than its ceiling.
	#[test]
	fn outages_of_an_era_cost_no_more_than_tolerated(
		severities in prop::collection::vec((0..POOLS, 1..=1_000_000u64), 1..60),
	) {
		ExtBuilder::default().pools(POOLS).build_and_execute(|| {
			force_parameters(|all| all.least_ceiling = PHA);
			let total = Pools::total_stake(OffenceClass::Outage);
			for (pool, severity) in severities {
				let severity = Perquintill::from_rational(severity, 1_000_000);
				let _ = report(OffenceReport { severity, ..offence(OffenceClass::Outage, pool) });
			}
			jump_to(1 + DEFERRAL);
			for _ in 0..250 {
				let total = Pools::total_stake(OffenceClass::Outage);
				let limit = Slashing::policy_of(OffenceClass::Outage).ceiling.mul_floor(total);
				let before = treasury();
				poll();
				lazily_collect();
				assert!(treasury() - before <= limit.max(PHA));
				poll();
				assert!(treasury() - before <= limit.max(PHA), "once an era");
				run_for(ERA);
				lazily_collect();
			}
			let charged: u128 = Ledger::<Test>::iter_prefix_values(OffenceClass::Outage)
				.inspect(|one| assert!(matches!(one.stage, Stage::Applied { .. })))
				.map(|one| one.charged)
				.sum();
			assert!(charged <= percent(1).mul_floor(total));
		});
	}
}
