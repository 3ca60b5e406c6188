//! The benchmark behind the performance score `P`: iterations per 6 s, of all threads together.
//!
//! One iteration of one thread is [`STEPS`] steps over a scratchpad of 1 MiB, which fits into a
//! core's share of the cache and into an enclave. The thread's 64-byte state picks a line of the
//! scratchpad; state and line are hashed into the next state (BLAKE2b-512, one compression), which is
//! also added to the line. So each step needs the one before, and memory is read and written at
//! places that cannot be known ahead. Scratchpad and state start from BLAKE3 of the seed and the
//! thread's number: nothing can be computed before the seed is known.
//!
//! A run depends on seed, number of threads and each thread's iterations only. Its digest is a hash
//! of every thread's final state, which no compiler can leave out and whoever doubts can recompute.

use phala_primitives::MILLIS_PER_SCORE_PERIOD;
use std::{
	sync::atomic::{AtomicBool, Ordering},
	thread,
	time::{Duration, Instant},
};

/// Steps of an iteration: about 20 ms of a core of 2024.
pub const STEPS: u32 = 1 << 16;
/// Lines of a scratchpad, a power of two.
const LINES: usize = 1 << 14;
/// Steps between two looks at the clock and at the request to stop.
const STEPS_PER_LOOK: u32 = 1 << 12;
const CONTEXT: &str = "phala-worker 2026 benchmark v1";

/// A line of the scratchpad; also a thread's state.
type Line = [u8; 64];

/// When a thread ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
	/// After this many iterations of each thread.
	Iterations(u64),
	/// With the last iteration that ends within this time.
	Elapsed(Duration),
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
	/// Iterations of each thread.
	pub iterations: Vec<u64>,
	/// From the start of the first thread to the end of the last, by this machine's clock.
	pub elapsed: Duration,
	/// BLAKE3 of the threads' final states.
	pub digest: [u8; 32],
}

impl Report {
	/// Iterations of all threads.
	pub fn total(&self) -> u64 {
		self.iterations.iter().fold(0, |sum, one| sum.saturating_add(*one))
	}

	/// `P`: iterations per 6 s, rounded down.
	pub fn score(&self) -> u64 {
		let millis = self.elapsed.as_millis().max(1);
		let score = u128::from(self.total()) * u128::from(MILLIS_PER_SCORE_PERIOD) / millis;
		u64::try_from(score).unwrap_or(u64::MAX)
	}
}

/// Threads that a run uses by default: as many as the process may use, which honours CPU affinity
/// and the quota of a control group.
pub fn default_threads() -> usize {
	thread::available_parallelism().map_or(1, usize::from)
}

/// Runs on `threads` threads; blocks. `None` if `stop` was set meanwhile.
pub fn run(seed: &[u8; 32], threads: usize, until: Until, stop: &AtomicBool) -> Option<Report> {
	let threads = threads.max(1);
	let start = Instant::now();
	let ends: Option<Vec<(u64, Line)>> = thread::scope(|scope| {
		let handles: Vec<_> = (0..threads)
			.map(|number| scope.spawn(move || work(seed, number, start, until, stop)))
			.collect();
		// A thread panics only if the machine has no memory left for its scratchpad.
		handles.into_iter().map(|handle| handle.join().ok().flatten()).collect()
	});
	let ends = ends?;
	let elapsed = start.elapsed();
	let mut hasher = blake3::Hasher::new();
	for (iterations, state) in &ends {
		hasher.update(&iterations.to_le_bytes()).update(state);
	}
	Some(Report {
		iterations: ends.iter().map(|(iterations, _)| *iterations).collect(),
		elapsed,
		digest: hasher.finalize().into(),
	})
}

/// One thread: its iterations and final state.
fn work(
	seed: &[u8; 32],
	number: usize,
	start: Instant,
	until: Until,
	stop: &AtomicBool,
) -> Option<(u64, Line)> {
	let (mut pad, mut state) = prepare(seed, number);
	let mut iterations = 0u64;
	loop {
		if let Until::Iterations(wanted) = until
			&& iterations >= wanted
		{
			return Some((iterations, state));
		}
		let mut next = state;
		for _ in 0..STEPS / STEPS_PER_LOOK {
			next = steps(&mut pad, next);
			if stop.load(Ordering::Relaxed) {
				return None;
			}
			if let Until::Elapsed(limit) = until
				&& start.elapsed() >= limit
			{
				// The iteration is not complete and does not count.
				return Some((iterations, state));
			}
		}
		state = next;
		iterations = iterations.saturating_add(1);
	}
}

fn prepare(seed: &[u8; 32], number: usize) -> (Vec<Line>, Line) {
	let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
	hasher.update(seed).update(&(number as u64).to_le_bytes());
	let mut stream = hasher.finalize_xof();
	let mut pad = vec![[0; 64]; LINES];
	pad.iter_mut().for_each(|line| stream.fill(line));
	let mut state = [0; 64];
	stream.fill(&mut state);
	(pad, state)
}

/// [`STEPS_PER_LOOK`] steps.
fn steps(pad: &mut [Line], mut state: Line) -> Line {
	for _ in 0..STEPS_PER_LOOK {
		let place = usize::from(u16::from_le_bytes([state[0], state[1]])) % LINES;
		let line = &mut pad[place];
		let mut block = [0; 128];
		block[..64].copy_from_slice(&state);
		block[64..].copy_from_slice(line);
		state = sp_crypto_hashing::blake2_512(&block);
		line.iter_mut().zip(state).for_each(|(byte, new)| *byte ^= new);
	}
	state
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::Arc;

	static GO: AtomicBool = AtomicBool::new(false);
	const SEED: [u8; 32] = [1; 32];

	fn digest(seed: [u8; 32], threads: usize, iterations: u64) -> [u8; 32] {
		run(&seed, threads, Until::Iterations(iterations), &GO).unwrap().digest
	}

	#[test]
	fn a_run_is_determined_by_seed_threads_and_iterations() {
		assert_eq!(digest(SEED, 2, 1), digest(SEED, 2, 1));
		assert_ne!(digest(SEED, 2, 1), digest([2; 32], 2, 1));
		assert_ne!(digest(SEED, 2, 1), digest(SEED, 1, 1));
		assert_ne!(digest(SEED, 1, 1), digest(SEED, 1, 2));
	}

	/// The kernel, written down again in the plainest way: a wrong optimisation would differ.
	#[test]
	fn the_kernel_does_what_is_documented() {
		let (mut pad, mut state) = prepare(&SEED, 0);
		for _ in 0..STEPS {
			let place = u64::from_le_bytes(state[..8].try_into().unwrap()) as usize % LINES;
			state = sp_crypto_hashing::blake2_512(&[state, pad[place]].concat());
			for (byte, new) in pad[place].iter_mut().zip(state) {
				*byte ^= new;
			}
		}
		let mut hasher = blake3::Hasher::new();
		hasher.update(&1u64.to_le_bytes()).update(&state);
		assert_eq!(digest(SEED, 1, 1), *hasher.finalize().as_bytes());
	}

	#[test]
	fn a_timed_run_is_the_run_of_as_many_iterations() {
		let timed = run(&SEED, 1, Until::Elapsed(Duration::from_millis(1_500)), &GO).unwrap();
		assert!(timed.elapsed >= Duration::from_millis(1_500));
		assert!(timed.total() > 0, "{timed:?}");
		assert_eq!(timed.digest, digest(SEED, 1, timed.total()));
	}

	#[test]
	fn work_takes_time_in_proportion() {
		let time = |iterations| {
			let report = run(&SEED, 1, Until::Iterations(iterations), &GO).unwrap();
			assert_eq!(report.total(), iterations);
			report.elapsed
		};
		// Nothing was optimised away, and four times the work is not for free. Generous, since
		// other programs share the machine.
		let (one, eight) = (time(1).min(time(1)), time(8));
		assert!(one > Duration::from_millis(2), "{one:?}");
		assert!(eight > one * 3, "{one:?} {eight:?}");
	}

	#[test]
	fn threads_add_up() {
		let report = run(&SEED, 3, Until::Iterations(2), &GO).unwrap();
		assert_eq!((report.iterations.as_slice(), report.total()), ([2; 3].as_slice(), 6));
		let of = |total, millis| Report {
			iterations: vec![total],
			elapsed: Duration::from_millis(millis),
			digest: [0; 32],
		};
		assert_eq!(of(1_000, 6_000).score(), 1_000);
		assert_eq!(of(999, 60_000).score(), 99);
		assert_eq!(of(u64::MAX, 0).score(), u64::MAX);
	}

	#[test]
	fn a_run_can_be_interrupted() {
		let stop = Arc::new(AtomicBool::new(false));
		let handle = thread::spawn({
			let stop = stop.clone();
			move || run(&SEED, 2, Until::Elapsed(Duration::from_secs(3_600)), &stop)
		});
		thread::sleep(Duration::from_millis(50));
		stop.store(true, Ordering::Relaxed);
		assert_eq!(handle.join().unwrap(), None);
	}
}
