//! No sequence of calls makes a delegator more than the reward of the stake that was in the pool for
//! whole rounds, less its part of the losses of its time; and none takes that from those who only stay.

use super::attacks::{apply, restore, suspect};
use crate::{Tranches, Workers, mock::*, types::Phase};
use phala_primitives::Slashable;
use phala_tokenomics::mul_div_floor;
use proptest::{prelude::*, test_runner::TestRunner};
use std::collections::BTreeMap;

const CASES: u32 = 140;
const STEPS: usize = 120;
/// Alice tries everything; the others stay.
const PEOPLE: [AccountId; 3] = [ALICE, BOB, CAROL];
/// Plancks of rounding in a sequence.
const DUST: u128 = 2_000;

#[derive(Clone, Debug)]
enum Op {
	Contribute {
		amount: u128,
	},
	Withdraw {
		part: u128,
	},
	CancelWithdrawal,
	Claim,
	Process,
	Settle {
		who: usize,
	},
	Force,
	AddOwn {
		amount: u128,
	},
	Pay {
		amount: u128,
	},
	Miss {
		part: u128,
	},
	Answer {
		part: u128,
	},
	/// The silent worker is stopped, with a part of what was at risk lost.
	Stopped {
		part: u128,
	},
	Restart {
		part: u128,
	},
	/// Another fault.
	Fault {
		part: u128,
	},
	Wait {
		blocks: u32,
	},
	/// A round ends. Right before it, a suspicion is decided: a part of it is taken.
	Round {
		decided: Option<(usize, u128)>,
	},
}

fn op() -> impl Strategy<Value = Op> {
	use Op::*;
	let part = || 1..=100u128;
	let decided = prop::option::weighted(0.4, (any::<usize>(), 0..=100u128));
	prop_oneof![
		8 => (PHA..600 * PHA).prop_map(|amount| Contribute { amount }),
		8 => part().prop_map(|part| Withdraw { part }),
		1 => Just(CancelWithdrawal),
		2 => Just(Claim),
		8 => Just(Process),
		2 => (0..PEOPLE.len()).prop_map(|who| Settle { who }),
		1 => Just(Force),
		2 => (PHA..60 * PHA).prop_map(|amount| AddOwn { amount }),
		8 => (1..50 * PHA).prop_map(|amount| Pay { amount }),
		3 => part().prop_map(|part| Miss { part }),
		2 => (0..=50u128).prop_map(|part| Answer { part }),
		2 => part().prop_map(|part| Stopped { part }),
		3 => part().prop_map(|part| Restart { part }),
		2 => (1..=40u128).prop_map(|part| Fault { part }),
		3 => (1..ROUND).prop_map(|blocks| Wait { blocks }),
		12 => decided.prop_map(|decided| Round { decided }),
	]
}

/// Shares of everybody at a moment.
type Holders = BTreeMap<AccountId, u128>;

fn holders() -> Holders {
	PEOPLE
		.map(|who| (who, Pools::position(who, 0).map_or(0, |one| one.shares)))
		.into_iter()
		.collect()
}

/// Are these the same holders? Whoever collects last of a loss takes its rounding.
fn same(one: &Holders, other: &Holders) -> bool {
	one.iter().all(|(who, shares)| shares.abs_diff(other[who]) <= PEOPLE.len() as u128)
}

struct Model {
	/// Shares that earn in this round, and all of them.
	active: Holders,
	shares: Holders,
	/// Paid in this round, and in those before it that were nobody's.
	paid: u128,
	/// Holders since delegators are exposed.
	exposed: Option<Holders>,
	/// Suspicions, with who held shares then.
	suspicions: Vec<(u64, Holders)>,
	reward: BTreeMap<AccountId, u128>,
	loss: BTreeMap<AccountId, u128>,
	stopped_while_exposed: u32,
}

impl Model {
	fn new() -> Self {
		let mut model = Self {
			active: Holders::new(),
			shares: Holders::new(),
			paid: 0,
			exposed: None,
			suspicions: Vec::new(),
			reward: BTreeMap::new(),
			loss: BTreeMap::new(),
			stopped_while_exposed: 0,
		};
		model.begin();
		model
	}

	fn begin(&mut self) {
		(self.active, self.shares) = (holders(), holders());
	}

	/// Notes whose shares a call changed: what comes by a contribution does not earn yet, what comes back
	/// by a cancelled loss does, and what leaves earned until now for nothing.
	fn moved(&mut self, contributed: bool) {
		for (who, now) in holders() {
			let before = self.shares.insert(who, now).unwrap_or(0);
			let active = self.active.entry(who).or_default();
			if now < before {
				*active = active.saturating_sub(before - now);
			} else if !contributed {
				*active += now - before;
			}
		}
	}

	/// Notes what a round owes to whom.
	fn end_round(&mut self) {
		let pool = crate::Pools::<Test>::get(0).unwrap();
		// A loss takes the owner's newest stake too.
		let own = pool.own.saturating_sub(pool.own_joining);
		let all: u128 = self.active.values().sum();
		let stake = own + pool.shares.worth(all);
		if stake == 0 {
			return;
		}
		let rest = self.paid - self.paid / 10;
		let others = rest - rest * own / stake;
		for (who, shares) in &self.active {
			let part = mul_div_floor(others, *shares, all).unwrap_or(0);
			*self.reward.entry(*who).or_default() += part;
		}
		self.paid = 0;
	}

	/// Something of a worker is suspected: who bears it?
	fn suspected(&mut self, tranche: u64) {
		let bear = holders();
		if let Some(exposed) = &self.exposed {
			assert!(same(exposed, &bear), "somebody left or came since the miss");
		}
		self.suspicions.push((tranche, bear));
	}

	fn decide(&mut self, pick: usize, part: u128) {
		if self.suspicions.is_empty() {
			return;
		}
		let (tranche, bear) = self.suspicions.swap_remove(pick % self.suspicions.len());
		let amount = Pools::suspected(&tranche);
		let (_, others) = apply(tranche, amount * part / 100);
		restore(tranche, u128::MAX);
		assert!(!Tranches::<Test>::contains_key(tranche));
		let all: u128 = bear.values().sum();
		for (who, shares) in bear {
			let part = mul_div_floor(others, shares, all).unwrap_or(0);
			*self.loss.entry(who).or_default() += part;
		}
	}

	fn observe(&mut self) {
		let exposed = get(0).exposed() > 0;
		match (&self.exposed, exposed) {
			(Some(then), true) => assert!(same(then, &holders()), "shares do not rest"),
			(None, true) => self.exposed = Some(holders()),
			(_, false) => self.exposed = None,
		}
	}

	fn run(&mut self, op: Op) {
		use Op::*;
		let contributed = matches!(op, Contribute { .. });
		let one = worker(1);
		let record = Workers::<Test>::get(one).unwrap();
		let running = record.phase == Phase::Running;
		let alice = || signed(ALICE);
		match op {
			Contribute { amount } => drop(tx(|| Pools::contribute(alice(), 0, amount))),
			Withdraw { part } => {
				let shares = holders()[&ALICE] * part / 100;
				let _ = tx(|| Pools::withdraw(alice(), 0, shares));
			}
			CancelWithdrawal => drop(tx(|| Pools::cancel_withdrawal(alice(), 0))),
			Claim => drop(tx(|| Pools::claim(alice(), 0))),
			Process => drop(tx(|| Pools::process(alice(), 0, 3))),
			Settle { who } => drop(tx(|| Pools::settle(alice(), 0, PEOPLE[who]))),
			Force => drop(tx(|| Pools::force(alice(), 0, 5))),
			AddOwn { amount } => drop(tx(|| Pools::add_own(signed(OWNER), 0, amount))),
			Pay { amount } if running => {
				pay(one, amount);
				self.paid += amount;
			}
			Miss { part } if running => silent(one, Pools::stake(&one) * part / 100),
			Answer { part } if running => silent(one, record.at_risk * part / 100),
			Stopped { part } if running && self.suspicions.len() < 20 => {
				let lost = (record.at_risk * part / 100).min(Pools::stake(&one));
				if lost > 0 {
					let tranche = suspect(one, lost);
					self.stopped_while_exposed += u32::from(self.exposed.is_some());
					self.suspected(tranche);
				}
				end(one);
			}
			Restart { part } if record.phase == Phase::Ending => {
				cooled(one);
				let _ = tx(|| Pools::reclaim(alice(), one));
				let stake = get(0).available() * part / 100;
				let _ = tx(|| Pools::start(signed(OWNER), one, stake));
			}
			Restart { part } if record.phase == Phase::Idle => {
				let stake = get(0).available() * part / 100;
				let _ = tx(|| Pools::start(signed(OWNER), one, stake));
			}
			Fault { part } if running && self.suspicions.len() < 20 => {
				let amount = Pools::stake(&one) * part / 100;
				if amount > 0 {
					let tranche = suspect(one, amount);
					self.suspected(tranche);
				}
			}
			Wait { blocks } => {
				let left = ROUND - 1 - RelayBlock::get() % ROUND;
				jump(blocks.min(left));
			}
			Round { decided } => {
				if let Some((pick, part)) = decided {
					self.decide(pick, part);
				}
				self.end_round();
				next_round();
				get(0);
				self.begin();
			}
			_ => (),
		}
		self.observe();
		self.moved(contributed);
	}

	/// Everybody leaves.
	fn unwind(&mut self) {
		let one = worker(1);
		silent(one, 0);
		while !self.suspicions.is_empty() {
			self.decide(0, 50);
		}
		self.end_round();
		next_round();
		get(0);
		let _ = tx(|| Pools::stop(signed(OWNER), one));
		if Workers::<Test>::get(one).unwrap().phase == Phase::Ending {
			cooled(one);
			Pools::reclaim(signed(BOB), one).unwrap();
		}
		next_round();
		for who in PEOPLE {
			while matches!(tx(|| Pools::settle(signed(3), 0, who)), Ok(done)
				if done.pays_fee == frame_support::dispatch::Pays::No)
			{}
			if let Some(has) = Pools::position(who, 0).filter(|has| has.shares > 0) {
				Pools::withdraw(signed(who), 0, has.shares).unwrap();
			}
		}
		jump(ROUND);
		process(0);
		for who in PEOPLE {
			let _ = tx(|| Pools::claim(signed(who), 0));
			assert_eq!(held(who), 0);
		}
	}
}

#[test]
fn no_sequence_of_calls_earns_more_than_its_fair_reward() {
	let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
	let config = ProptestConfig {
		source_file: Some(file!()),
		max_shrink_iters: 500,
		..ProptestConfig::with_cases(cases.unwrap_or(CASES))
	};
	let exposed = std::cell::Cell::new(0);
	TestRunner::new(config)
		.run(&prop::collection::vec(op(), STEPS), |ops| {
			run(|| {
				assert_eq!(pool(60 * PHA), 0);
				for who in [BOB, CAROL] {
					Pools::contribute(signed(who), 0, 400 * PHA + u128::from(who)).unwrap();
				}
				next_round();
				running(0, 1, 300 * PHA);
				let mut model = Model::new();
				for op in ops {
					model.run(op);
				}
				model.unwind();
				exposed.set(exposed.get() + model.stopped_while_exposed);
				for who in PEOPLE {
					let of = |sums: &BTreeMap<_, _>| sums.get(&who).copied().unwrap_or(0);
					let fair = RICH + of(&model.reward) - of(&model.loss);
					let has = wealth(who);
					assert!(has <= fair + DUST, "{who} has {} too much", has - fair);
					if who != ALICE {
						assert!(has + DUST >= fair, "{who} lacks {}", fair - has);
					}
				}
			});
			Ok(())
		})
		.unwrap();
	assert!(exposed.get() > 0, "nobody was stopped while delegators were exposed");
}
