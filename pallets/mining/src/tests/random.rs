//! Random sequences of everything that anybody can do, with all invariants after each step.

use crate::{Sessions, mock::*};
use frame_support::storage::with_storage_layer;
use phala_attestation::Tier;
use phala_primitives::{AttestationChange, Mining as MiningOf, OnAttestationChange};
use phala_tokenomics::{Balance, Fixed, PHA, Parameters};
use proptest::{prelude::*, test_runner::TestRunner};
use sp_runtime::{Perbill, Perquintill};
use std::collections::BTreeMap;

const WORKERS: u32 = 8;
/// `CASES · STEPS` steps in a run; PROPTEST_CASES asks for more.
const CASES: u32 = 40;
const STEPS: usize = 400;

#[derive(Clone, Debug)]
enum Op {
	Start {
		n: u32,
		pha: u128,
	},
	TopUp {
		n: u32,
		pha: u128,
	},
	Stop {
		n: u32,
	},
	Reclaim {
		n: u32,
	},
	Attest {
		n: u32,
		tier: u8,
		score: u64,
		platform: u32,
	},
	Expire {
		n: u32,
	},
	Lapse {
		n: u32,
	},
	Ledger {
		open: bool,
	},
	Cases {
		open: bool,
	},
	Report {
		n: u32,
	},
	Draws {
		on: bool,
	},
	Admits {
		on: bool,
	},
	Author {
		who: Option<u64>,
	},
	Serving {
		on: bool,
	},
	Tune {
		figure: u8,
		up: bool,
	},
	Weight {
		little: bool,
	},
	/// Blocks in which those of the mask answer at this speed.
	Work {
		mask: u8,
		speed: u64,
		blocks: u32,
		gap: u32,
	},
	Stall {
		blocks: u32,
	},
	CoolDown,
}

fn op() -> impl Strategy<Value = Op> {
	use Op::*;
	let n = 0..WORKERS;
	prop_oneof![
		6 => (n.clone(), 500..9_000u128).prop_map(|(n, pha)| Start { n, pha }),
		4 => (n.clone(), 1..3_000u128).prop_map(|(n, pha)| TopUp { n, pha }),
		3 => n.clone().prop_map(|n| Stop { n }),
		3 => n.clone().prop_map(|n| Reclaim { n }),
		4 => (n.clone(), 1..=5u8, 40..3_000u64, 0..4u32)
			.prop_map(|(n, tier, score, platform)| Attest { n, tier, score, platform }),
		1 => n.clone().prop_map(|n| Expire { n }),
		1 => n.clone().prop_map(|n| Lapse { n }),
		1 => any::<bool>().prop_map(|open| Ledger { open }),
		1 => prop::bool::weighted(0.2).prop_map(|open| Cases { open }),
		1 => n.prop_map(|n| Report { n }),
		1 => prop::bool::weighted(0.8).prop_map(|on| Draws { on }),
		1 => prop::bool::weighted(0.8).prop_map(|on| Admits { on }),
		1 => prop::option::weighted(0.2, 0..4u64).prop_map(|who| Author { who }),
		1 => any::<bool>().prop_map(|on| Serving { on }),
		1 => (0..6u8, any::<bool>()).prop_map(|(figure, up)| Tune { figure, up }),
		1 => prop::bool::weighted(0.3).prop_map(|little| Weight { little }),
		20 => (any::<u8>(), 0..130u64, 1..60u32, 0..3u32)
			.prop_map(|(mask, speed, blocks, gap)| Work { mask, speed, blocks, gap }),
		8 => (1..120u32).prop_map(|blocks| Work { mask: 255, speed: 100, blocks, gap: 1 }),
		1 => (20..5_000u32).prop_map(|blocks| Stall { blocks }),
		1 => Just(CoolDown),
	]
}

/// What the world outside of the pallet knows.
#[derive(Default)]
struct Model {
	/// What the keeper put behind each worker.
	staked: BTreeMap<u32, Balance>,
	tuned: u32,
	reclaimed: u32,
	topped_up: u32,
}

impl Model {
	fn step(&mut self, op: Op) {
		type M = crate::Pallet<Test>;
		match op {
			Op::Start { n, pha } => {
				let result = with_storage_layer(|| start(n, pha * PHA));
				if result.is_ok() {
					assert_eq!(self.staked.insert(n, pha * PHA), None);
				}
			}
			Op::TopUp { n, pha } => {
				let add = || <M as MiningOf<u64>>::top_up(&key(n), pha * PHA);
				if with_storage_layer(add).is_ok() {
					*self.staked.get_mut(&n).unwrap() += pha * PHA;
					self.topped_up += 1;
				}
			}
			Op::Stop { n } => {
				let _ = with_storage_layer(|| <M as MiningOf<u64>>::stop(&key(n)));
			}
			Op::Reclaim { n } => {
				let back = with_storage_layer(|| <M as MiningOf<u64>>::reclaim(&key(n)));
				if let Ok(back) = back {
					assert_eq!(self.staked.remove(&n), Some(back), "neither more nor less");
					self.reclaimed += 1;
				}
			}
			Op::Attest { n, tier, score, platform } => {
				let tiers = [Tier::One, Tier::Two, Tier::Three, Tier::Four, Tier::Five];
				attest_key(key(n), platform, score, tiers[tier as usize - 1]);
				Mining::on_attestation_change(&key(n), &AttestationChange::Renewed);
			}
			Op::Expire { n } => alter(n, |one| one.expires_at = Seconds::get()),
			Op::Lapse { n } => Mining::on_attestation_change(&key(n), &AttestationChange::Lapsed),
			Op::Ledger { open } => LedgerOpen::set(open),
			Op::Cases { open } => CaseOpen::set(open),
			Op::Report { n } => {
				let report = || Mining::report_outage(RuntimeOrigin::signed(9), key(n));
				let _ = with_storage_layer(|| report().map_err(|error| error.error));
			}
			Op::Draws { on } => Draws::set(on),
			Op::Admits { on } => Admits::set(on),
			Op::Author { who } => Author::set(who),
			Op::Serving { on } => Serving::set(on),
			Op::Tune { figure, up } => self.tune(figure, up),
			Op::Weight { little } => {
				let base = <() as crate::WeightInfo>::poll_base();
				let some = base.saturating_mul(6);
				let all = frame_support::weights::Weight::MAX;
				ServiceWeight::set(if little { some } else { all });
			}
			Op::Work { mask, speed, blocks, gap } => {
				let who: Vec<u32> = (0..WORKERS).filter(|n| mask & 1 << n != 0).collect();
				for _ in 0..blocks {
					block(gap);
					for n in &who {
						answer_at(*n, speed);
					}
				}
			}
			Op::Stall { blocks } => {
				block(blocks);
			}
			Op::CoolDown => {
				block(100_800);
			}
		}
	}

	fn tune(&mut self, figure: u8, up: bool) {
		let mut parameters = Mining::parameters().unwrap();
		let scaled = |one: Fixed| if up { one.times(2) } else { one.mul_floor(half()) };
		match figure {
			0 => parameters.v_max = scaled(parameters.v_max),
			1 => parameters.slash = scaled(parameters.slash),
			2 => parameters.growth = scaled(parameters.growth),
			3 => parameters.pay_cap = scaled(parameters.pay_cap),
			4 => parameters.treasury_share = Perbill::from_percent(if up { 25 } else { 15 }),
			_ => parameters.budget.per_block = if up { 60 * PHA } else { 40 * PHA },
		}
		let at = RelayBlock::get() + 3;
		let change = || Mining::schedule_parameters(RuntimeOrigin::root(), parameters, at);
		if with_storage_layer(change).is_ok() {
			self.tuned += 1;
		}
	}

	fn check(&self, before: &Snapshot) -> Snapshot {
		check();
		for (n, staked) in &self.staked {
			assert_eq!(record(*n).staked, *staked);
		}
		assert_eq!(Sessions::<Test>::iter().count(), self.staked.len());
		let now = Snapshot::take();
		let acc = economy().accumulator;
		// The budget of what elapsed, and never more than the budget of what counted.
		assert!(now.paid >= before.paid && now.elapsed >= before.elapsed);
		assert!(acc.paid() + acc.treasury() + acc.withheld() <= acc.elapsed());
		for outage in outages() {
			assert!(outage.severity <= Perquintill::one() && !outage.severity.is_zero());
		}
		for n in 0..WORKERS {
			if let Some(session) = Sessions::<Test>::get(key(n)) {
				// Views never fail, and never promise more than the pot has.
				let pending = Mining::pending_rewards(key(n)).map_or(0, |one| one.pool);
				assert!(pending <= Mining::economy().unwrap().pot);
				let _ = (Mining::why_unpaid(key(n)), Mining::apr(key(n)), Mining::session(key(n)));
				assert!(session.money.health() > Fixed::ZERO);
			}
		}
		now
	}
}

fn half() -> Fixed {
	Fixed::from_ratio_floor(1, 2).unwrap()
}

struct Snapshot {
	paid: Balance,
	elapsed: Balance,
}

impl Snapshot {
	fn take() -> Self {
		let acc = economy().accumulator;
		Self { paid: acc.paid(), elapsed: acc.elapsed() }
	}
}

#[test]
fn invariants_hold_over_random_sequences() {
	let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
	// Seeds of failures are kept beside this file.
	let config = ProptestConfig {
		source_file: Some(file!()),
		max_shrink_iters: 300,
		..ProptestConfig::with_cases(cases)
	};
	let seen = Seen::default();
	let strategy = prop::collection::vec(op(), STEPS);
	TestRunner::new(config)
		.run(&strategy, |ops| {
			build(Parameters::launch()).execute_with(|| {
				let issued = Total::get();
				let mut model = Model::default();
				let mut snapshot = Snapshot::take();
				for n in 0..WORKERS {
					attest_key(key(n), n / 2, 1_000, Tier::One);
				}
				for op in ops {
					model.step(op);
					snapshot = model.check(&snapshot);
				}
				assert_eq!(Total::get(), issued, "nothing is burnt or minted");
				seen.note(&model);
			});
			Ok(())
		})
		.unwrap();
	seen.check();
}

struct Total;

impl Total {
	fn get() -> Balance {
		Balances::total_issuance()
	}
}

/// That the sequences did what they are there for.
#[derive(Default)]
struct Seen(std::cell::Cell<[u32; 6]>);

impl Seen {
	fn note(&self, model: &Model) {
		let mut seen = self.0.get();
		seen[0] += (paid() > 0) as u32;
		seen[1] += outages().len() as u32;
		seen[2] += told_ended().len() as u32;
		seen[3] += model.tuned;
		seen[4] += model.reclaimed;
		seen[5] += model.topped_up;
		self.0.set(seen);
	}

	fn check(&self) {
		assert!(self.0.get().iter().all(|count| *count > 0), "{:?}", self.0.get());
	}
}
