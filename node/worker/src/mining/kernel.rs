//! The computation that a challenge asks for, in threads of its own.

use super::plan::{Budget, Challenge, Run};
use crate::benchmark::{self, Until};
use std::{
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	time::Instant,
};
use tokio::sync::{Mutex, Notify, oneshot};

/// The machine: one thing at a time is measured on it.
pub type Machine = Arc<Mutex<()>>;

/// A run. Stops when it is dropped.
struct Job {
	challenge: Challenge,
	stop: Arc<AtomicBool>,
	/// Iterations. Closed without a value: the run could not be made.
	result: oneshot::Receiver<u64>,
	done: Option<u64>,
}

impl Drop for Job {
	fn drop(&mut self) {
		self.stop.store(true, Ordering::Relaxed);
	}
}

/// Runs the benchmark's kernel for challenges, one at a time.
pub struct Kernel {
	threads: usize,
	machine: Machine,
	job: Option<Job>,
	ended: Arc<Notify>,
}

impl Kernel {
	/// With so many threads, on this machine.
	pub fn new(threads: usize, machine: Machine) -> Self {
		Self { threads, machine, job: None, ended: Arc::default() }
	}

	/// Returns when a run has ended, or has ended since the last call.
	pub async fn ended(&self) {
		self.ended.notified().await;
	}

	/// What it does.
	pub fn run(&mut self) -> Run {
		let Some(job) = &mut self.job else { return Run::Idle };
		if job.done.is_none() {
			match job.result.try_recv() {
				Ok(iterations) => job.done = Some(iterations),
				Err(oneshot::error::TryRecvError::Empty) => {}
				Err(oneshot::error::TryRecvError::Closed) => {
					tracing::error!(
						"the kernel could not run: is there memory for its threads, 1 MiB each?"
					);
					self.job = None;
					return Run::Idle;
				}
			}
		}
		let Some(job) = &self.job else { return Run::Idle };
		match job.done {
			Some(iterations) => Run::Done(job.challenge, iterations),
			None => Run::Running(job.challenge),
		}
	}

	/// Runs for this challenge and forgets everything before.
	pub fn start(&mut self, challenge: Challenge, budget: Budget) {
		let (tell, result) = oneshot::channel();
		let stop = Arc::new(AtomicBool::new(false));
		// The job before stops here.
		self.job = Some(Job { challenge, stop: stop.clone(), result, done: None });
		let (machine, ended, threads) = (self.machine.clone(), self.ended.clone(), self.threads);
		let asked = Instant::now();
		let work = move || {
			let guard = machine.blocking_lock();
			let left = budget.within.saturating_sub(asked.elapsed());
			let until = Until::Elapsed(budget.run.min(left));
			let report = benchmark::run(&challenge.block.hash.0, threads, until, &stop);
			drop(guard);
			if let Some(report) = report {
				let _ = tell.send(report.total());
			} else {
				drop(tell);
			}
			ended.notify_one();
		};
		if let Err(error) = std::thread::Builder::new().name("kernel".into()).spawn(work) {
			tracing::error!(%error, "the kernel's thread could not be started");
			self.job = None;
		}
	}

	/// Stops, and forgets what was done.
	pub fn stop(&mut self) {
		self.job = None;
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_primitives::BlockRef;
	use sp_core::H256;
	use std::time::Duration;

	fn challenge(number: u32) -> Challenge {
		let block = BlockRef { number, hash: H256::repeat_byte(number as u8) };
		Challenge { session: 1, block }
	}

	fn budget(run: u64, within: u64) -> Budget {
		Budget { run: Duration::from_millis(run), within: Duration::from_millis(within) }
	}

	async fn done(kernel: &mut Kernel) -> u64 {
		tokio::time::timeout(Duration::from_secs(60), async {
			loop {
				if let Run::Done(_, iterations) = kernel.run() {
					break iterations;
				}
				kernel.ended().await;
			}
		})
		.await
		.unwrap()
	}

	#[tokio::test]
	async fn a_run_tells_what_it_did_and_keeps_it() {
		let mut kernel = Kernel::new(1, Machine::default());
		assert_eq!(kernel.run(), Run::Idle);
		kernel.start(challenge(1), budget(1_000, 2_000));
		assert_eq!(kernel.run(), Run::Running(challenge(1)));
		let iterations = done(&mut kernel).await;
		assert!(iterations > 0);
		assert_eq!(kernel.run(), Run::Done(challenge(1), iterations));
		assert_eq!(kernel.run(), Run::Done(challenge(1), iterations));
		kernel.stop();
		assert_eq!(kernel.run(), Run::Idle);
	}

	#[tokio::test]
	async fn another_run_replaces_one_that_would_take_an_hour() {
		let mut kernel = Kernel::new(1, Machine::default());
		kernel.start(challenge(1), budget(3_600_000, 3_600_000));
		kernel.start(challenge(2), budget(100, 60_000));
		assert_eq!(kernel.run(), Run::Running(challenge(2)));
		// It gets the machine: the first one has let go.
		done(&mut kernel).await;
		assert!(matches!(kernel.run(), Run::Done(of, _) if of == challenge(2)));
	}

	#[tokio::test]
	async fn a_run_waits_for_the_machine_and_ends_in_time_all_the_same() {
		let machine = Machine::default();
		let guard = machine.lock().await;
		let mut kernel = Kernel::new(1, machine.clone());
		kernel.start(challenge(1), budget(3_600_000, 300));
		tokio::time::sleep(Duration::from_millis(400)).await;
		assert_eq!(kernel.run(), Run::Running(challenge(1)));
		drop(guard);
		done(&mut kernel).await;
	}
}
