//! No sequence of misses, delays, top-ups, stops and restarts earns more than answering honestly.

use phala_tokenomics::{
	Accumulator, Answer, Balance, Fixed, PHA, Parameters, Phase, Session, Tier, Versions,
};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence::WithSource};

/// What the adversary does at a challenge.
#[derive(Clone, Copy, Debug)]
enum Act {
	Answer,
	/// Answers at the last moment of the window.
	Delay,
	Miss,
	/// Answers at half speed.
	Slow,
	TopUp(u16),
	/// Settles, stops, and starts again at once with all that came back. The chain asks for a
	/// cool-down of 7 days; here there is none, to his advantage.
	Restart,
	/// Stops without an answer, to escape the miss.
	Flee,
}

fn acts() -> impl Strategy<Value = Act> {
	prop_oneof![
		4 => Just(Act::Answer),
		1 => Just(Act::Delay),
		2 => Just(Act::Miss),
		1 => Just(Act::Slow),
		1 => (0u16..300).prop_map(Act::TopUp),
		1 => Just(Act::Restart),
		1 => Just(Act::Flee),
	]
}

const BENCH: u32 = 1_000;

fn answer(performance: u32) -> Answer {
	Answer { performance: Fixed::from_u32(performance), tier: Some(Tier::One), serving: false }
}

struct Player {
	acc: Accumulator,
	versions: Versions,
	session: Option<Session>,
	cash: Balance,
	earned: Balance,
}

impl Player {
	/// A worker with `stake` PHA and 3000 PHA beside it, among others with `crowd` share.
	fn new(stake: u32, crowd: u32, parameters: &Parameters) -> Self {
		let mut acc = Accumulator::new(0);
		let versions = Versions::new(parameters.clone(), acc.now()).unwrap();
		acc.add_share(Fixed::from_u32(crowd));
		let cash = (stake as Balance + 3_000) * PHA;
		let mut player = Self { acc, versions, session: None, cash, earned: 0 };
		player.start(stake as Balance * PHA);
		player
	}

	fn start(&mut self, stake: Balance) {
		let started = Session::start(stake, BENCH, Tier::One, &mut self.acc, &self.versions);
		if let Ok(session) = started {
			self.cash -= stake;
			self.session = Some(session);
		}
	}

	fn pass(&mut self, blocks: u32) {
		for _ in 0..blocks / 10 {
			self.acc.advance(self.acc.now().relay + 10, true, &mut self.versions);
		}
	}

	fn answer(&mut self, performance: u32) {
		let (Some(session), answer) = (&mut self.session, answer(performance)) else { return };
		match session.phase() {
			Phase::Computing(_) => {
				let paid = session.settle(&answer, Balance::MAX, &mut self.acc, &self.versions);
				self.earned += paid.unwrap().pool;
			}
			_ => drop(session.recover(&answer, &mut self.acc, &self.versions)),
		}
	}

	fn top_up(&mut self, extra: u16) {
		let extra = extra as Balance * PHA;
		self.answer(BENCH);
		if let Some(session) = self.session.as_mut().filter(|_| self.cash >= extra)
			&& session.top_up(extra, &mut self.acc, &self.versions).is_ok()
		{
			self.cash -= extra;
		}
	}

	fn stop(&mut self) -> Balance {
		let Some(mut session) = self.session.take() else { return 0 };
		session.stop(&mut self.acc, &self.versions).unwrap();
		self.cash += session.returned();
		session.returned()
	}

	fn act(&mut self, act: Act) {
		match act {
			Act::Answer | Act::Delay => self.answer(BENCH),
			Act::Slow => self.answer(BENCH / 2),
			Act::Miss => {
				self.session.as_mut().map(|s| s.miss(&mut self.acc));
			}
			Act::TopUp(extra) => self.top_up(extra),
			Act::Restart => {
				self.answer(BENCH);
				let stake = self.stop();
				self.start(stake);
			}
			Act::Flee => {
				let stake = self.stop();
				self.start(stake);
			}
		}
	}

	fn wealth(mut self) -> Balance {
		self.answer(BENCH);
		self.stop();
		self.cash + self.earned
	}
}

/// Seeds of failures are kept beside this file.
fn config(cases: u32) -> ProptestConfig {
	let failure_persistence = Some(Box::new(WithSource("regressions")) as Box<_>);
	ProptestConfig { cases, failure_persistence, ..Default::default() }
}

proptest! {
	// 512 runs of 200 challenges: 102 400 of them.
	#![proptest_config(config(512))]

	#[test]
	fn honesty_is_the_best_strategy(
		stake in 1_600u32..15_000,
		crowd in prop_oneof![Just(0u32), 0u32..1_000_000, 0u32..2_000_000_000],
		acts in vec((acts(), 1u32..60), 200),
	) {
		let parameters = Parameters::launch();
		let mut honest = Player::new(stake, crowd, &parameters);
		let mut adversary = Player::new(stake, crowd, &parameters);
		for (act, tens) in acts {
			// The honest worker does what the adversary pretends: it tops up by the same.
			honest.pass(tens * 10);
			match act {
				Act::TopUp(extra) => honest.top_up(extra),
				_ => honest.answer(BENCH),
			}
			honest.pass(20);
			// A delayed answer comes 20 blocks after the honest one.
			adversary.pass(tens * 10 + if matches!(act, Act::Delay) { 20 } else { 0 });
			adversary.act(act);
			adversary.pass(if matches!(act, Act::Delay) { 0 } else { 20 });
		}
		prop_assert_eq!(honest.acc.now(), adversary.acc.now());
		let (honest, adversary) = (honest.wealth(), adversary.wealth());
		prop_assert!(adversary <= honest, "{} more", adversary - honest);
	}
}
