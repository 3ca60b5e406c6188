//! A network of workers, block by block, with the functions that the chain runs.

use phala_tokenomics::{
	Accumulator, Answer, Balance, MAX_CREDITED, PHA, Parameters, Phase, Session, Versions,
	challenge,
};

use crate::strategy::Strategy;

/// Relay-chain blocks until a challenge without an answer is a miss.
const WINDOW: u32 = 20;
/// Steps after which an unresponsive worker is stopped.
const UNRESPONSIVE_LIMIT: u32 = 14_400;
pub const BLOCKS_PER_DAY: u32 = 14_400;
const MAX_DRAWS: u32 = 350;

pub struct Worker {
	pub strategy: Strategy,
	pub session: Session,
	/// Put in, in planck.
	pub staked: Balance,
	/// Paid to the worker's pool.
	pub earned: Balance,
	/// Slashed by top-ups.
	pub slashed: Balance,
	challenged: bool,
}

impl Worker {
	/// What was earned less what was lost, per PHA staked.
	pub fn yield_per_pha(&self) -> f64 {
		let lost = self.slashed + self.session.lost();
		(self.earned as f64 - lost as f64) / self.staked as f64
	}
}

pub struct Network {
	pub acc: Accumulator,
	pub versions: Versions,
	pub workers: Vec<Worker>,
	seed: u64,
	/// What is due at each block of the window: worker, and whether it answers then.
	due: Vec<Vec<(u32, bool)>>,
	/// Answers due and missed in this hour and the one before: a mass outage pauses the decay.
	hour: [(u32, u32); 2],
}

/// SplitMix64 of a seed: the same draw for the same place in every run.
fn random(seed: u64) -> u64 {
	let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
	let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
	let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
	z ^ (z >> 31)
}

impl Network {
	/// Workers that differ in score and stake, the same for the same seed; `strategy` says how each
	/// is run.
	pub fn new(workers: u32, seed: u64, strategy: impl Fn(u32) -> Strategy) -> Self {
		let mut acc = Accumulator::new(0);
		let versions = Versions::new(Parameters::launch(), acc.now()).expect("a preset is valid");
		let workers = (0..workers).map(|n| {
			let luck = random(seed ^ (n as u64) << 20);
			let bench = 500 + (luck % 2_500) as u32;
			let least = versions.current().min_stake(bench);
			let staked = least + (luck >> 32) as Balance % 4_000 * PHA;
			let strategy = strategy(n);
			let session = Session::start(staked, bench, strategy.tier(), &mut acc, &versions)
				.expect("more than the smallest stake and less than the largest");
			Worker { strategy, session, staked, earned: 0, slashed: 0, challenged: false }
		});
		let workers = workers.collect();
		let due = vec![Vec::new(); WINDOW as usize + 1];
		Self { acc, versions, workers, seed, due, hour: [(0, 0); 2] }
	}

	/// Passes a block: deadlines and answers, then new challenges.
	pub fn pass_block(&mut self) {
		let block = self.acc.now().relay + 1;
		if block.is_multiple_of(600) {
			self.hour = [(0, 0), self.hour[0]];
		}
		let (due, missed) = (self.hour[0].0 + self.hour[1].0, self.hour[0].1 + self.hour[1].1);
		// Below four answers an hour there is no telling.
		let outage = due >= 4 && missed * 4 > due;
		self.acc.advance(block, !outage, &mut self.versions);
		let slot = (block % (WINDOW + 1)) as usize;
		for (worker, answers) in std::mem::take(&mut self.due[slot]) {
			let computed = answers && self.answer(worker);
			self.hour[0].0 += 1;
			self.hour[0].1 += !computed as u32;
			if !computed {
				// An unresponsive one stays what it is.
				let _ = self.workers[worker as usize].session.miss(&mut self.acc);
			}
			self.workers[worker as usize].challenged = false;
		}
		self.challenge(block);
	}

	pub fn pass_days(&mut self, days: u32) {
		(0..days * BLOCKS_PER_DAY).for_each(|_| self.pass_block());
	}

	/// Every worker that would answer now does, and all stop.
	pub fn stop_all(&mut self) {
		let block = self.acc.now().relay;
		for n in 0..self.workers.len() as u32 {
			let worker = &self.workers[n as usize];
			if worker.strategy.delay(n, block, &worker.session).is_some() {
				self.answer(n);
			}
			// Those stopped already refuse.
			let _ = self.workers[n as usize].session.stop(&mut self.acc, &self.versions);
		}
	}

	/// An answer arrives; whether it shows that the worker computed.
	fn answer(&mut self, n: u32) -> bool {
		let worker = &mut self.workers[n as usize];
		let answer = Answer {
			performance: worker.strategy.performance(worker.session.bench()),
			tier: Some(worker.strategy.tier()),
			serving: false,
		};
		if matches!(worker.session.phase(), Phase::Unresponsive) {
			return worker.session.recover(&answer, &mut self.acc, &self.versions).is_ok();
		}
		let settled = worker.session.settle(&answer, Balance::MAX, &mut self.acc, &self.versions);
		let Ok(settled) = settled else { return false };
		worker.earned += settled.pool;
		if let Some(extra) = worker.strategy.top_up(&worker.session) {
			let extra = extra as Balance * PHA;
			if let Ok(slashed) = worker.session.top_up(extra, &mut self.acc, &self.versions) {
				worker.slashed += slashed;
				worker.staked += extra;
			}
		}
		true
	}

	fn challenge(&mut self, block: u32) {
		let count = self.workers.len() as u32;
		for draw in 0..challenge::draws(count, MAX_DRAWS) {
			let luck = random(self.seed ^ (block as u64) << 24 ^ draw as u64);
			let n = (luck % count as u64) as u32;
			let now = self.acc.now();
			let probation = self.versions.current().probation;
			let worker = &mut self.workers[n as usize];
			let silent = now.active - worker.session.at().active;
			let ready = match worker.session.phase() {
				Phase::Computing(_) => true,
				Phase::Unresponsive if silent >= UNRESPONSIVE_LIMIT => {
					let _ = worker.session.stop(&mut self.acc, &self.versions);
					false
				}
				Phase::Unresponsive => silent >= probation,
				Phase::CoolingDown => false,
			};
			if ready && !worker.challenged {
				worker.challenged = true;
				let delay = worker.strategy.delay(n, block, &worker.session);
				let at = block + delay.unwrap_or(WINDOW).min(WINDOW);
				self.due[(at % (WINDOW + 1)) as usize].push((n, delay.is_some()));
			}
		}
	}
}

const _: () = assert!(WINDOW <= MAX_CREDITED);
