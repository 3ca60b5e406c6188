//! The mining engine against a model of a chain with forks, a pool and a disk, killed at any point.

use phala_node_common::chain::Submission;
use phala_primitives::{BlockRef, ChainId};
use phala_worker::mining::{
	book::Answer,
	engine::{Progress, World, step},
	plan::{Budget, Challenge, Open, Run},
};
use proptest::prelude::*;
use sp_core::{H256, Pair, sr25519};

const SESSION: u64 = 4;
/// Blocks in which an answer counts.
const WINDOW: u32 = 20;
const SECONDS_PER_BLOCK: u64 = 6;
const SECONDS_PER_TICK: u64 = 2;

#[derive(Debug, PartialEq)]
enum Stop {
	Killed,
	/// A request failed; it is tried again.
	Error,
}

/// What happens at each point where something can happen.
#[derive(Clone, Copy, Debug)]
struct Event {
	kill: bool,
	/// Time that passes, in ticks.
	ticks: u8,
	/// Blocks at the top that turn out to be on a fork that died.
	reorg: u8,
	/// The newest block asks, if nothing is open.
	ask: bool,
	/// The pool forgets everything.
	forget: bool,
	/// A request fails.
	fail: bool,
	/// The pool takes nothing.
	refuse: bool,
}

const CALM: Event = Event {
	kill: false,
	ticks: 0,
	reorg: 0,
	ask: false,
	forget: false,
	fail: false,
	refuse: false,
};

/// The state after a block.
#[derive(Clone, Debug)]
struct Block {
	at: BlockRef,
	open: Option<BlockRef>,
}

/// What became of a challenge on the chain as it is in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
	/// Answered, counted over so many blocks.
	Answered {
		iterations: u64,
		blocks: u32,
	},
	Missed,
}

struct Model {
	events: Vec<Event>,
	time: u64,
	/// Hashes that were given.
	hashes: u64,
	chain: Vec<Block>,
	/// By the number of the block in which it happened.
	fates: Vec<(u32, Fate)>,
	pool: Vec<Answer>,
	refuses: bool,
	/// What survives the process.
	disk: Vec<Answer>,
	/// All that ever left the machine.
	published: Vec<Answer>,
	/// Dies with the process: for what, since when, until when.
	kernel: Option<(Challenge, u64, u64)>,
	/// What was seen last.
	looked: Option<Open>,
	started: usize,
}

impl Model {
	fn new(events: Vec<Event>) -> Self {
		let genesis = Block { at: BlockRef { number: 0, hash: H256::zero() }, open: None };
		Self {
			events,
			time: 0,
			hashes: 0,
			chain: vec![genesis],
			fates: vec![],
			pool: vec![],
			refuses: false,
			disk: vec![],
			published: vec![],
			kernel: None,
			looked: None,
			started: 0,
		}
	}

	fn top(&self) -> &Block {
		self.chain.last().unwrap()
	}

	fn block(&mut self) {
		self.hashes += 1;
		let number = self.top().at.number + 1;
		let at = BlockRef { number, hash: H256::from_low_u64_be(self.hashes) };
		let mut open = self.top().open;
		if let Some(asked) = open {
			let challenge = Challenge { session: SESSION, block: asked };
			let blocks = number - asked.number;
			let found = self.pool.iter().find(|answer| answer.challenge() == challenge);
			if let Some(answer) = found.filter(|_| blocks <= WINDOW) {
				let iterations = answer.statement.iterations;
				self.fates.push((number, Fate::Answered { iterations, blocks }));
				open = None;
			} else if blocks > WINDOW {
				self.fates.push((number, Fate::Missed));
				open = None;
			}
		}
		self.chain.push(Block { at, open });
	}

	fn ask(&mut self) {
		let top = self.chain.last_mut().unwrap();
		if top.open.is_none() {
			top.open = Some(top.at);
		}
	}

	fn reorg(&mut self, depth: usize) {
		let keep = self.chain.len().saturating_sub(depth).max(1);
		self.chain.truncate(keep);
		let top = self.top().at.number;
		self.fates.retain(|(number, _)| *number <= top);
	}

	fn tick(&mut self) {
		self.time += SECONDS_PER_TICK;
		if self.time % SECONDS_PER_BLOCK == 0 {
			self.block();
		}
	}

	/// A point where the world goes on, and the process may die.
	fn point(&mut self) -> Result<(), Stop> {
		let event = self.events.pop().unwrap_or(CALM);
		self.refuses = event.refuse;
		if event.forget {
			self.pool.clear();
		}
		if event.reorg > 0 {
			self.reorg(event.reorg.into());
			self.block();
		}
		(0..event.ticks).for_each(|_| self.tick());
		if event.ask {
			self.ask();
		}
		if event.kill {
			self.kernel = None;
			return Err(Stop::Killed);
		}
		if event.fail {
			return Err(Stop::Error);
		}
		Ok(())
	}
}

impl World for Model {
	type Error = Stop;

	async fn look(&mut self) -> Result<Option<Open>, Stop> {
		self.point()?;
		let Block { at, open } = self.top();
		self.looked = open.map(|block| {
			let elapsed = at.number - block.number;
			let challenge = Challenge { session: SESSION, block };
			Open { challenge, elapsed, left: WINDOW.saturating_sub(elapsed) }
		});
		Ok(self.looked)
	}

	fn noted(&mut self, challenge: &Challenge) -> Result<Option<Answer>, Stop> {
		self.point()?;
		Ok(self.disk.iter().find(|answer| answer.challenge() == *challenge).cloned())
	}

	fn note(&mut self, answer: &Answer) -> Result<(), Stop> {
		// Killed before or after the atomic replacement.
		self.point()?;
		assert!(
			self.disk.iter().all(|known| known.challenge() != answer.challenge()),
			"a second answer is signed"
		);
		self.disk.push(answer.clone());
		self.point()
	}

	fn run(&mut self) -> Run {
		match self.kernel {
			None => Run::Idle,
			Some((of, _, until)) if self.time < until => Run::Running(of),
			// What is counted differs from run to run, as on a real machine.
			Some((of, since, until)) => {
				Run::Done(of, (until - since) * 1_000 + self.started as u64)
			}
		}
	}

	fn start(&mut self, challenge: Challenge, budget: Budget) {
		self.started += 1;
		self.kernel = Some((challenge, self.time, self.time + budget.run.as_secs()));
	}

	fn stop(&mut self) {
		self.kernel = None;
	}

	fn sign(&mut self, challenge: Challenge, iterations: u64) -> Answer {
		let chain = ChainId { genesis: H256::zero(), para_id: 1 };
		Answer::sign(&chain, &sr25519::Pair::from_seed(&[1; 32]), challenge, iterations)
	}

	async fn submit(&mut self, answer: &Answer) -> Result<Submission, Stop> {
		assert!(self.disk.contains(answer), "noted before it is published");
		assert_eq!(
			self.looked.map(|open| open.challenge),
			Some(answer.challenge()),
			"what is published is what the newest block asked"
		);
		self.point()?;
		self.published.push(answer.clone());
		if self.refuses {
			return Ok(Submission::Refused("no".into()));
		}
		if !self.pool.contains(answer) {
			self.pool.push(answer.clone());
		}
		self.point()?;
		Ok(Submission::Accepted)
	}
}

/// Lives of the process over so many ticks. A killed one is started again at once.
fn live(model: &mut Model, ticks: usize) {
	let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
	for _ in 0..ticks {
		let result = runtime.block_on(step(model));
		if let (Ok(Progress::Rest), Run::Running(_) | Run::Done(..)) = (&result, model.run()) {
			panic!("rests while the kernel works for nothing");
		}
		model.tick();
	}
}

fn no_equivocation(model: &Model) {
	for one in &model.published {
		for other in &model.published {
			if one.challenge() == other.challenge() {
				assert_eq!(one, other, "two answers to one challenge");
			}
		}
	}
}

/// What an answer shows, as a percentage of the benchmark: 1,000 iterations are done in a second.
fn percentage(fate: Fate) -> u64 {
	match fate {
		Fate::Answered { iterations, blocks } => {
			iterations / 10 / (u64::from(blocks) * SECONDS_PER_BLOCK)
		}
		Fate::Missed => 0,
	}
}

fn event() -> impl Strategy<Value = Event> {
	(
		prop::bool::weighted(0.1),
		0u8..4,
		prop_oneof![8 => Just(0u8), 1 => 1u8..6],
		prop::bool::weighted(0.1),
		prop::bool::weighted(0.1),
		prop::bool::weighted(0.1),
		prop::bool::weighted(0.1),
	)
		.prop_map(|(kill, ticks, reorg, ask, forget, fail, refuse)| Event {
			kill,
			ticks,
			reorg,
			ask,
			forget,
			fail,
			refuse,
		})
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(1_000))]

	/// Killed at any points, with forks, failing requests and a pool that forgets: no challenge of any
	/// fork has two answers, and as soon as the world is calm, challenges are answered again.
	#[test]
	fn there_is_one_answer_and_the_worker_comes_back(
		events in prop::collection::vec(event(), 0..300)
	) {
		let mut model = Model::new(events);
		while !model.events.is_empty() {
			live(&mut model, 1);
		}
		// Whatever is open is answered or missed within its window.
		live(&mut model, 3 * (WINDOW as usize + 2));
		prop_assert_eq!(model.top().open, None);
		no_equivocation(&model);

		let before = model.fates.len();
		model.ask();
		live(&mut model, 3 * (WINDOW as usize + 2));
		prop_assert_eq!(model.fates.len(), before + 1);
		let (_, fate) = model.fates[before];
		prop_assert!(percentage(fate) >= 90, "{:?}", fate);
		no_equivocation(&model);
	}
}

/// An event at the n-th point, for every n, in the course of one challenge: how it ends.
fn at_each_point(event: Event) -> Vec<Fate> {
	let mut fates = vec![];
	for at in 0..400 {
		// Events are taken from the end.
		let mut events = vec![event];
		events.resize(at + 1, CALM);
		let mut model = Model::new(events);
		model.block();
		model.ask();
		live(&mut model, 3 * (WINDOW as usize + 2));
		no_equivocation(&model);
		let happened = model.events.is_empty();
		if !happened {
			assert!(at > 30, "only {at} points");
			return fates;
		}
		assert_eq!(model.fates.len(), 1, "{at}");
		fates.push(model.fates[0].1);
	}
	panic!("it never comes to rest");
}

#[test]
fn a_calm_challenge_is_answered_with_nearly_all_of_the_benchmark() {
	let mut model = Model::new(vec![]);
	for _ in 0..5 {
		model.ask();
		live(&mut model, 100);
	}
	assert_eq!(model.fates.len(), 5);
	for (_, fate) in &model.fates {
		assert!(percentage(*fate) >= 93, "{fate:?}");
		assert!(matches!(fate, Fate::Answered { blocks: 11, .. }), "{fate:?}");
	}
	// Each was computed once, and the kernel rests in between.
	assert_eq!((model.started, model.kernel), (5, None));
}

/// Killed once at every single point: the challenge is answered and counts, except if a run of more than
/// nine blocks is lost, as half of the benchmark cannot be reached in the rest of the window.
#[test]
fn killed_once_at_every_single_point() {
	let fates = at_each_point(Event { kill: true, ..CALM });
	let missed = fates.iter().filter(|fate| **fate == Fate::Missed).count();
	assert!(missed * 5 < fates.len(), "{fates:?}");
	let answered: Vec<_> =
		fates.iter().filter(|fate| **fate != Fate::Missed).map(|fate| percentage(*fate)).collect();
	assert!(answered.iter().all(|percentage| *percentage >= 50), "{answered:?}");
	assert!(answered.iter().any(|percentage| *percentage < 60), "{answered:?}");
	// Killed before the run, or after the answer was noted, it costs nothing.
	assert!(percentage(fates[0]) >= 90 && percentage(fates[fates.len() - 1]) >= 90, "{fates:?}");
}

#[test]
fn a_request_that_fails_once_anywhere_costs_nothing() {
	for fate in at_each_point(Event { fail: true, ..CALM }) {
		assert!(percentage(fate) >= 90, "{fate:?}");
	}
}

#[test]
fn an_answer_that_the_pool_forgets_or_refuses_is_sent_again() {
	for event in [Event { forget: true, ..CALM }, Event { refuse: true, ..CALM }] {
		for fate in at_each_point(event) {
			assert!(percentage(fate) >= 85, "{fate:?}");
		}
	}
}

#[test]
fn a_challenge_whose_fork_died_is_dropped_and_the_new_forks_counts() {
	let mut model = Model::new(vec![]);
	model.block();
	model.ask();
	let first = model.top().at;
	live(&mut model, 10);
	assert!(matches!(model.run(), Run::Running(of) if of.block == first));
	// The block that asked is gone; nothing asks on the new fork.
	model.reorg(10);
	model.block();
	live(&mut model, 1);
	assert_eq!(model.run(), Run::Idle);
	// It asks in the next one, with another hash.
	model.ask();
	live(&mut model, 70);
	let answered: Vec<_> = model.published.iter().map(|answer| answer.challenge().block).collect();
	assert!(!answered.is_empty() && !answered.contains(&first), "{answered:?}");
	assert!(percentage(model.fates[0].1) >= 90, "{:?}", model.fates);
}

#[test]
fn an_answer_whose_block_was_lost_is_sent_again_and_not_computed_again() {
	let mut model = Model::new(vec![]);
	model.block();
	model.ask();
	while model.fates.is_empty() {
		live(&mut model, 1);
	}
	// The block that included it dies, and the pool has lost it.
	model.reorg(1);
	model.pool.clear();
	assert!(model.fates.is_empty() && model.top().open.is_some());
	live(&mut model, 6);
	assert_eq!((model.fates.len(), model.started), (1, 1));
	no_equivocation(&model);
}

#[test]
fn what_is_too_late_is_left_alone() {
	let mut model = Model::new(vec![]);
	model.block();
	model.ask();
	// The program was away.
	(0..14).for_each(|_| model.block());
	live(&mut model, 40);
	assert_eq!((model.started, model.published.len()), (0, 0));
	assert_eq!(model.fates.iter().map(|(_, fate)| *fate).collect::<Vec<_>>(), [Fate::Missed]);
}
