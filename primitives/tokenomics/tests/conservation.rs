//! Random economies: after every event, each planck has one place and each bound holds.

use phala_tokenomics::{
	Accumulator, Answer, Balance, Fixed, PHA, Parameters, Reserve, Session, Tier, Versions,
};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence::WithSource};

const POT: Balance = 518_400_000 * PHA;
const RESERVE: Balance = 181_600_000 * PHA;

#[derive(Clone, Debug)]
enum Event {
	Pass { blocks: u32, decaying: bool },
	Start { stake: u32, bench: u32, tier: u8 },
	Settle { who: usize, answer: Answer },
	Miss(usize),
	Recover { who: usize, answer: Answer },
	TopUp { who: usize, extra: u32 },
	Stop(usize),
	Change { per_block: u32, treasury: u32, after: u32 },
	Draw(u32),
}

fn answers() -> impl Strategy<Value = Answer> {
	(0u32..4_000, prop_oneof![1 => Just(0u8), 9 => 1u8..=5], any::<bool>()).prop_map(
		|(performance, tier, serving)| Answer {
			performance: Fixed::from_u32(performance),
			tier: Tier::try_from(tier).ok(),
			serving,
		},
	)
}

fn events() -> impl Strategy<Value = Event> {
	let blocks = prop_oneof![8 => 1u32..400, 1 => 400u32..5_000, 1 => Just(0)];
	prop_oneof![
		6 => (blocks, prop::bool::weighted(0.9))
			.prop_map(|(blocks, decaying)| Event::Pass { blocks, decaying }),
		3 => (300u32..21_000, 40u32..4_000, 1u8..=5)
			.prop_map(|(stake, bench, tier)| Event::Start { stake, bench, tier }),
		8 => (0usize..8, answers()).prop_map(|(who, answer)| Event::Settle { who, answer }),
		3 => (0usize..8).prop_map(Event::Miss),
		4 => (0usize..8, answers()).prop_map(|(who, answer)| Event::Recover { who, answer }),
		2 => (0usize..8, 0u32..2_000).prop_map(|(who, extra)| Event::TopUp { who, extra }),
		1 => (0usize..8).prop_map(Event::Stop),
		1 => (0u32..200, 0u32..=50, 0u32..2_000)
			.prop_map(|(per_block, treasury, after)| Event::Change { per_block, treasury, after }),
		1 => (0u32..10_000_000).prop_map(Event::Draw),
	]
}

/// An economy, beside a model of it that adds block by block and moves the money.
struct World {
	acc: Accumulator,
	versions: Versions,
	sessions: Vec<Session>,
	reserve: Reserve,
	pot: Balance,
	pools: Balance,
	treasury: Balance,
	drawn: Balance,
	elapsed: Balance,
	staked: Balance,
	slashed: Balance,
}

impl World {
	fn new() -> Self {
		let acc = Accumulator::new(1_000);
		// Short periods, so that a run sees several.
		let mut parameters = Parameters::launch();
		parameters.budget.period = 14_400;
		Self {
			versions: Versions::new(parameters, acc.now()).unwrap(),
			acc,
			sessions: Vec::new(),
			reserve: Reserve::new(RESERVE, 20_000_000 * PHA, 1_000),
			pot: POT,
			pools: 0,
			treasury: 0,
			drawn: 0,
			elapsed: 0,
			staked: 0,
			slashed: 0,
		}
	}

	/// In parachain blocks of at most 50 relay-chain blocks, so that some stall.
	fn pass(&mut self, blocks: u32, decaying: bool) {
		let end = self.acc.now().relay + blocks;
		while self.acc.now().relay < end {
			let from = self.acc.now().relay;
			let to = end.min(from + 1 + (from * 7 + blocks) % 50);
			let next = self.versions.next().cloned();
			for block in from + 1..=to {
				let p = match &next {
					Some((at, parameters)) if *at < block => parameters,
					_ => self.versions.current(),
				};
				self.elapsed += p.budget.rate((block - 1_001) / p.budget.period);
			}
			self.acc.advance(to, decaying, &mut self.versions);
		}
	}

	fn apply(&mut self, event: Event) {
		let (acc, versions) = (&mut self.acc, &mut self.versions);
		match event {
			Event::Pass { blocks, decaying } => self.pass(blocks, decaying),
			Event::Start { stake, bench, tier } if self.sessions.len() < 8 => {
				let (stake, tier) = (stake as Balance * PHA, Tier::try_from(tier).unwrap());
				if let Ok(session) = Session::start(stake, bench, tier, acc, versions) {
					self.staked += stake;
					self.sessions.push(session);
				}
			}
			Event::Settle { who, answer } => {
				let Some(session) = self.sessions.get_mut(who) else { return };
				if let Ok(paid) = session.settle(&answer, self.pot, acc, versions) {
					self.pot -= paid.pool + paid.treasury;
					self.pools += paid.pool;
					self.treasury += paid.treasury;
				}
			}
			Event::Miss(who) => {
				self.sessions.get_mut(who).map(|s| s.miss(acc));
			}
			Event::Recover { who, answer } => {
				self.sessions.get_mut(who).map(|s| s.recover(&answer, acc, versions));
			}
			Event::TopUp { who, extra } => {
				let Some(session) = self.sessions.get_mut(who) else { return };
				let extra = extra as Balance * PHA;
				if let Ok(slashed) = session.top_up(extra, acc, versions) {
					self.staked += extra;
					self.slashed += slashed;
				}
			}
			Event::Stop(who) if who < self.sessions.len() => {
				let mut session = self.sessions.remove(who);
				session.stop(acc, versions).unwrap();
				self.staked -= session.returned();
				self.slashed += session.lost();
			}
			Event::Change { per_block, treasury, after } => {
				let mut p = versions.current().clone();
				p.budget.per_block = per_block as Balance * PHA / 3;
				p.treasury_share = sp_arithmetic::Perbill::from_percent(treasury);
				p.v_max = Fixed::from_u32(20_000 + per_block * 100);
				let now = acc.now();
				let _ = versions.schedule(p, now.relay + after, now);
			}
			Event::Draw(amount) => {
				let amount = amount as Balance * PHA;
				if self.reserve.draw(amount, acc.now().relay).is_ok() {
					self.drawn += amount;
				}
			}
			_ => {}
		}
	}

	fn check(&self) -> Result<(), TestCaseError> {
		let acc = &self.acc;
		prop_assert!(acc.is_conserved());
		prop_assert_eq!(acc.elapsed(), self.elapsed);
		prop_assert_eq!((acc.paid(), acc.treasury()), (self.pools, self.treasury));
		prop_assert_eq!(self.pot + self.pools + self.treasury, POT);
		let reserve = self.reserve.balance();
		prop_assert_eq!(
			self.pot + self.pools + self.treasury + reserve + self.drawn,
			POT + RESERVE
		);
		let shares: u128 = self.sessions.iter().map(|s| s.share().to_bits()).sum();
		prop_assert_eq!(acc.sum().to_bits(), shares);
		let stakes: Balance = self.sessions.iter().map(Session::stake).sum();
		prop_assert_eq!(stakes + self.slashed, self.staked);
		let mut owed = 0;
		for session in &self.sessions {
			let worth = session.worth(acc.now(), &self.versions);
			// The ceiling of the highest version this test schedules.
			prop_assert!(worth.v <= Fixed::from_u32(40_000));
			prop_assert!(worth.health <= Fixed::ONE && worth.health > Fixed::ZERO);
			prop_assert!(session.health() <= Fixed::ONE);
			if session.at() == acc.now() {
				let v_max = self.versions.current().v_max;
				prop_assert!(session.v() <= v_max || session.share() == Fixed::ZERO);
			}
			prop_assert_eq!(session.returned() + session.lost(), session.stake());
			if let phala_tokenomics::Phase::Computing(position) = session.phase() {
				owed += acc.owed(position);
			}
		}
		prop_assert!(owed <= acc.outstanding());
		Ok(())
	}
}

/// Seeds of failures are kept beside this file.
fn config(cases: u32) -> ProptestConfig {
	let failure_persistence = Some(Box::new(WithSource("regressions")) as Box<_>);
	ProptestConfig { cases, failure_persistence, ..Default::default() }
}

proptest! {
	// 300 runs of 400 events: 120 000 steps.
	#![proptest_config(config(300))]

	#[test]
	fn each_planck_has_one_place(events in vec(events(), 400)) {
		let mut world = World::new();
		for event in events {
			world.apply(event);
			world.check()?;
		}
	}

	/// Answers that arrive in one block settle to the same in any order.
	#[test]
	fn the_order_of_settlements_is_irrelevant(
		before in vec(events(), 60),
		answers in vec(answers(), 8),
		order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
	) {
		let mut world = World::new();
		before.into_iter().for_each(|event| world.apply(event));
		world.pass(10, true);
		let settle = |order: &[usize]| {
			let (mut acc, mut sessions) = (world.acc.clone(), world.sessions.clone());
			let mut paid = vec![None; 8];
			for who in order {
				let Some(session) = sessions.get_mut(*who) else { continue };
				let answer = &answers[*who];
				paid[*who] = session.settle(answer, world.pot, &mut acc, &world.versions).ok();
			}
			(paid, sessions, acc.sum(), acc.paid(), acc.treasury())
		};
		let in_order: Vec<_> = (0..8).collect();
		prop_assert_eq!(settle(&in_order), settle(&order));
	}
}
