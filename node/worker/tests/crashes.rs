//! The engine against a model of chain, pool and disk, killed at any point.

use phala_node_common::chain::{Explained, Outcome, Signed};
use phala_primitives::BlockRef;
use phala_worker::{
	engine::{Prepared, Progress, World, step},
	journal::{Pending, Purpose},
	plan::{Action, Registered, View, Wish},
};
use proptest::prelude::*;

const LIFE: u64 = 7 * 86_400;
const SECONDS_PER_BLOCK: u64 = 6;
const ERA: u32 = 8;

#[derive(Debug, PartialEq)]
enum Stop {
	/// The process was killed here.
	Killed,
	/// The program's own error; it tries again.
	Error(&'static str),
}

/// What happens at each point where something can happen.
#[derive(Clone, Copy, Debug)]
struct Event {
	kill: bool,
	/// Blocks that become final meanwhile.
	blocks: u8,
	/// The pool forgets everything, as after a re-org.
	forget: bool,
	/// The connection breaks.
	disconnect: bool,
	/// Another program of the account uses a number.
	rival: bool,
}

const CALM: Event =
	Event { kill: false, blocks: 1, forget: false, disconnect: false, rival: false };

/// The chain, and a disk that survives the process.
#[derive(Default)]
struct Model {
	height: u32,
	nonce: u64,
	pool: Vec<(u64, u32, Purpose)>,
	worker: Option<Registered>,
	disk: Option<Pending>,
	/// Transactions that were included, whatever they did.
	included: Vec<Purpose>,
	events: Vec<Event>,
	seconds_per_block: u64,
	/// A renewal would not prolong the attestation.
	limited: bool,
	/// Until when renewals rest.
	rests_until: u64,
}

impl Model {
	fn now(&self) -> u64 {
		1_800_000_000 + u64::from(self.height) * self.seconds_per_block.max(SECONDS_PER_BLOCK)
	}

	fn block(&mut self) {
		self.height += 1;
		let (height, nonce) = (self.height, self.nonce);
		self.pool.retain(|(number, last, _)| *number >= nonce && *last >= height);
		if let Some(at) = self.pool.iter().position(|(number, ..)| *number == nonce) {
			let (_, _, purpose) = self.pool.remove(at);
			self.nonce += 1;
			self.included.push(purpose);
			self.apply(purpose);
		}
		let now = self.now();
		if let Some(worker) = &mut self.worker {
			worker.counts = now < worker.expires_at;
		}
	}

	fn apply(&mut self, purpose: Purpose) {
		let (now, height) = (self.now(), self.height);
		match (purpose, &mut self.worker) {
			(Purpose::Register, none @ None) => {
				*none = Some(Registered {
					is_ours: true,
					counts: true,
					attested_at: now,
					expires_at: now + LIFE,
					scored_at: None,
					endpoint: None,
					endpoint_sequence: 0,
				});
			}
			(Purpose::Renew, Some(worker)) => {
				(worker.attested_at, worker.expires_at) = (now, now + LIFE);
			}
			(Purpose::Score, Some(worker)) => worker.scored_at = Some(height),
			(Purpose::Endpoint, Some(worker)) => worker.endpoint = Some(b"tcp://a:1".to_vec()),
			(other, worker) => panic!("{other:?} fails on chain: {worker:?}"),
		}
	}

	/// A point where the world goes on, and the process may die.
	fn point(&mut self) -> Result<(), Stop> {
		let event = self.events.pop().unwrap_or(CALM);
		if event.forget {
			self.pool.clear();
		}
		if event.rival {
			self.nonce += 1;
		}
		(0..event.blocks).for_each(|_| self.block());
		if event.kill {
			return Err(Stop::Killed);
		}
		if event.disconnect {
			return Err(Stop::Error("connection lost"));
		}
		Ok(())
	}
}

impl World for Model {
	type Error = Stop;

	async fn look(&mut self) -> Result<View, Stop> {
		self.point()?;
		let block = BlockRef { number: self.height, hash: Default::default() };
		let (worker, rests_until) = (self.worker.clone(), self.rests_until);
		Ok(View { block, now: self.now(), nonce: self.nonce, worker, rests_until })
	}

	fn wish(&self) -> Wish {
		Wish { endpoint: Some(b"tcp://a:1".to_vec()), ..Wish::default() }
	}

	fn noted(&mut self) -> Result<Option<Pending>, Stop> {
		self.point()?;
		Ok(self.disk.clone())
	}

	fn note(&mut self, pending: Option<&Pending>) -> Result<(), Stop> {
		// Killed before or after the atomic replacement.
		self.point()?;
		self.disk = pending.cloned();
		self.point()
	}

	fn rest(&mut self, until: u64) {
		self.rests_until = until;
	}

	async fn prepare(&mut self, action: &Action, _: &View) -> Result<Prepared, Stop> {
		self.point()?;
		if self.limited && *action == Action::Renew {
			return Ok(Prepared::NoGain);
		}
		let purpose = match action {
			Action::Register => Purpose::Register,
			Action::Renew => Purpose::Renew,
			Action::Score => Purpose::Score,
			Action::Endpoint { .. } => Purpose::Endpoint,
			other => panic!("{other:?} needs no transaction"),
		};
		// The pool's answer: the number after everything that it holds.
		let pooled = self.pool.iter().map(|(number, ..)| number + 1).max().unwrap_or(0);
		let signed = Signed {
			bytes: vec![],
			hash: Default::default(),
			signer: [0; 32],
			nonce: pooled.max(self.nonce),
			after: self.height,
			last: self.height + ERA,
		};
		Ok(Prepared::Transaction(Pending { purpose, signed }))
	}

	async fn conclude(&mut self, pending: &Pending) -> Result<Outcome, Stop> {
		assert_eq!(self.disk.as_ref(), Some(pending), "noted before it is sent");
		let Pending { purpose, signed } = pending;
		let included = self.included.len();
		loop {
			if self.nonce > signed.nonce {
				// Sent in this life and included: rivals use numbers without inclusion.
				let ours = self.included[included..].contains(purpose);
				let block = BlockRef { number: self.height, hash: Default::default() };
				return Ok(if ours { Outcome::Done(block) } else { Outcome::Superseded });
			}
			if self.height >= signed.last {
				return Ok(Outcome::Expired { refusal: None });
			}
			let entry = (signed.nonce, signed.last, *purpose);
			if !self.pool.contains(&entry) {
				self.pool.push(entry);
			}
			self.point()?;
		}
	}

	fn fail(&mut self, _: Purpose, outcome: &Outcome) -> Stop {
		assert!(!matches!(outcome, Outcome::Failed(Explained { .. })), "the model never refuses");
		Stop::Error("expired")
	}

	fn foreign(&mut self) -> Stop {
		unreachable!("there is one account")
	}
}

fn run<T>(future: impl Future<Output = T>) -> T {
	tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Lives of the process until one comes to rest. Returns their number.
fn live(model: &mut Model) -> usize {
	for lives in 1..10_000 {
		for _ in 0..10_000 {
			match run(step(model)) {
				Ok(Progress::Idle { .. }) => return lives,
				Ok(_) | Err(Stop::Error(_)) => {}
				Err(Stop::Killed) => break,
			}
		}
	}
	panic!("it never comes to rest")
}

fn times(model: &Model, purpose: Purpose) -> usize {
	model.included.iter().filter(|one| **one == purpose).count()
}

fn event(kill: f64) -> impl Strategy<Value = Event> {
	(
		prop::bool::weighted(kill),
		0u8..4,
		prop::bool::weighted(0.2),
		prop::bool::weighted(0.2),
		prop::bool::weighted(0.05),
	)
		.prop_map(|(kill, blocks, forget, disconnect, rival)| Event {
			kill,
			blocks,
			forget,
			disconnect,
			rival,
		})
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(2_000))]

	/// Killed at any points, with re-orgs, lost connections and rivals for its numbers: each thing
	/// is done, and each is paid for exactly once.
	#[test]
	fn there_is_exactly_one_registration(events in prop::collection::vec(event(0.3), 0..120)) {
		let mut model = Model { events, ..Model::default() };
		live(&mut model);
		prop_assert_eq!(
			&model.included,
			&[Purpose::Register, Purpose::Score, Purpose::Endpoint]
		);
		prop_assert_eq!(&model.disk, &None);
	}

	/// Over weeks, with a machine that dies often: the attestation never lapses, and is renewed no
	/// more often than its life demands.
	#[test]
	fn it_stays_attested_for_weeks(events in prop::collection::vec(event(0.02), 0..300)) {
		let mut model = Model { events, seconds_per_block: 600, ..Model::default() };
		live(&mut model);
		let start = model.now();
		let mut lapses = 0;
		while model.now() < start + 10 * LIFE {
			live(&mut model);
			(0..6).for_each(|_| model.block());
			lapses += usize::from(!model.worker.as_ref().unwrap().counts);
		}
		prop_assert_eq!(lapses, 0);
		prop_assert_eq!(times(&model, Purpose::Register), 1);
		// Each life of 7 days is used for 4.2 of them.
		let renewals = times(&model, Purpose::Renew);
		prop_assert!((14..=18).contains(&renewals), "{} renewals", renewals);
	}
}

/// The same note, step by step: killed at exactly the n-th point, for every n.
#[test]
fn killed_once_at_every_single_point() {
	let mut points = 0;
	for at in 0.. {
		// Events are taken from the end.
		let mut events = vec![Event { kill: true, ..CALM }];
		events.resize(at + 1, CALM);
		let mut model = Model { events, ..Model::default() };
		let lives = live(&mut model);
		assert_eq!(model.included, [Purpose::Register, Purpose::Score, Purpose::Endpoint], "{at}");
		if lives == 1 {
			break;
		}
		points = at + 1;
	}
	assert!(points > 20, "only {points} points");
}

/// What limits the attestation delays nothing but its renewal, which is tried again after a while.
#[test]
fn while_a_renewal_would_be_in_vain_the_rest_goes_on() {
	let mut model = Model::default();
	live(&mut model);
	let expires_at = model.now() + 86_400;
	let worker = model.worker.as_mut().unwrap();
	(worker.expires_at, worker.attested_at, worker.endpoint) = (expires_at, 0, None);
	(model.limited, model.included) = (true, vec![]);
	assert_eq!(run(step(&mut model)), Ok(Progress::Again));
	assert_eq!(run(step(&mut model)), Ok(Progress::Done(Purpose::Endpoint)));
	let Ok(Progress::Idle { seconds }) = run(step(&mut model)) else { panic!("nothing is left") };
	assert!((1..1_800).contains(&seconds), "{seconds}");
	model.limited = false;
	(0..300).for_each(|_| model.block());
	assert_eq!(run(step(&mut model)), Ok(Progress::Done(Purpose::Renew)));
	assert_eq!(model.included, [Purpose::Endpoint, Purpose::Renew]);
}
