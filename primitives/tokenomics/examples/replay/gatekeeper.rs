//! The order of events in the reference network's gatekeepers, over the functions of this crate.
//!
//! A block of 12 s: first the heartbeats that arrived, each paid with Σshare of the block's start;
//! then the challenges; then each worker either turns unresponsive and decays, or grows, or, in the
//! block of its own heartbeat, neither.

use phala_tokenomics::{Fixed, Parameters, Tier, performance, share};

use crate::suite::budget_per_step;

const BLOCK_MS: u64 = 12_000;

/// Blocks after which an unanswered challenge is a miss.
const WINDOW: u32 = 10;

/// A worker as the gatekeepers saw it.
#[derive(Clone, Debug)]
pub struct Worker {
	pub v: Fixed,
	pub deductible: Fixed,
	pub bench: u32,
	pub performance: Fixed,
	pub tier: Tier,
	pub unresponsive: bool,
	pub waiting: Vec<u32>,
	updated: u32,
	iterations: u64,
	challenged_ms: u64,
}

/// What a heartbeat gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settled {
	pub v: Fixed,
	pub payout: Fixed,
	pub treasury: Fixed,
	pub blocks: u32,
}

/// A heartbeat that arrives in a block, in the order of the workers' challenges.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
	pub worker: usize,
	pub challenge: u32,
	pub iterations: u64,
}

pub struct Gatekeeper {
	pub block: u32,
	pub workers: Vec<Worker>,
	parameters: Parameters,
}

impl Gatekeeper {
	pub fn new(parameters: Parameters) -> Self {
		Self { block: 0, workers: Vec::new(), parameters }
	}

	/// A session that starts in the next block, which already grows it.
	pub fn start(&mut self, v: Fixed, bench: u32, tier: Tier) {
		let started = self.block + 1;
		self.workers.push(Worker {
			v,
			deductible: Fixed::ZERO,
			bench,
			performance: Fixed::from_u32(bench),
			tier,
			unresponsive: false,
			waiting: Vec::new(),
			updated: started,
			iterations: 0,
			challenged_ms: started as u64 * BLOCK_MS,
		});
	}

	/// Passes blocks without messages until `block` is done.
	pub fn pass_to(&mut self, block: u32) {
		while self.block < block {
			self.pass(&[], &[]);
		}
	}

	/// Passes a block with heartbeats and with challenges to workers.
	pub fn pass(&mut self, heartbeats: &[Heartbeat], challenged: &[usize]) -> Vec<Settled> {
		self.block += 1;
		let online = self.workers.iter().filter(|w| !w.unresponsive);
		let sum = online.fold(Fixed::ZERO, |sum, w| sum.saturating_add(w.share()));
		for worker in challenged {
			self.workers[*worker].waiting.push(self.block);
		}
		let mut answered = vec![false; self.workers.len()];
		let mut settled = Vec::new();
		for heartbeat in heartbeats {
			let worker = &mut self.workers[heartbeat.worker];
			worker.waiting.retain(|challenge| *challenge != heartbeat.challenge);
			answered[heartbeat.worker] = true;
			settled.extend(worker.answer(heartbeat, self.block, sum, &self.parameters));
		}
		for (worker, answered) in self.workers.iter_mut().zip(answered) {
			worker.end_block(self.block, answered, &self.parameters);
		}
		settled
	}
}

impl Worker {
	fn share(&self) -> Fixed {
		share(self.v, self.performance, self.tier)
	}

	fn answer(
		&mut self,
		beat: &Heartbeat,
		now: u32,
		sum: Fixed,
		p: &Parameters,
	) -> Option<Settled> {
		let (iterations, now_ms) = (beat.iterations, now as u64 * BLOCK_MS);
		let millis = now_ms - self.challenged_ms;
		let done = iterations.saturating_sub(self.iterations);
		self.performance = performance::instant_performance(done, millis, self.bench);
		self.challenged_ms = beat.challenge as u64 * BLOCK_MS;
		self.iterations = iterations;
		let blocks = now - self.updated;
		if self.unresponsive {
			self.deductible = Fixed::ZERO;
			self.updated = now;
			return None;
		}
		if sum == Fixed::ZERO || self.deductible == Fixed::ZERO || blocks == 0 {
			return Some(Settled { v: self.v, ..Settled::default() });
		}
		let part = self.share().div_floor(sum).unwrap_or(Fixed::ZERO);
		let dues = budget_per_step(p).times(blocks).mul_floor(part);
		let treasury = dues.mul_floor(Fixed::from_perbill_floor(p.treasury_share));
		let payout = dues.saturating_sub(treasury);
		self.v = self.v.saturating_sub(self.deductible.min(payout));
		self.deductible = Fixed::ZERO;
		self.updated = now;
		Some(Settled { v: self.v, payout, treasury, blocks })
	}

	fn end_block(&mut self, now: u32, answered: bool, p: &Parameters) {
		if self.unresponsive {
			self.unresponsive = !answered;
		} else if self.waiting.first().is_some_and(|challenge| now - challenge > WINDOW) {
			self.unresponsive = true;
		}
		if self.unresponsive {
			self.v = self.v.mul_floor(p.retained(1));
			self.deductible = Fixed::ZERO;
		} else if !answered {
			let m = performance::multiplier(self.performance, self.bench);
			// The reference lets the deductible grow where V is capped.
			let uncapped = Parameters { v_max: Fixed::MAX, ..p.clone() };
			let growth = uncapped.grown(self.v, self.bench, m, 1).saturating_sub(self.v);
			self.deductible = self.deductible.saturating_add(growth);
			self.v = p.grown(self.v, self.bench, m, 1);
		}
	}
}
