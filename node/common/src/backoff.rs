//! Exponential back-off with jitter.

use rand::Rng;
use std::time::Duration;

/// Delays between attempts: each is drawn from the upper half of a range that doubles from `first`
/// to `longest`. The jitter keeps many programs from returning at once to a node that was away.
#[derive(Clone, Debug)]
pub struct Backoff {
	first: Duration,
	longest: Duration,
	failures: u32,
}

impl Default for Backoff {
	/// One second to one minute.
	fn default() -> Self {
		Self::new(Duration::from_secs(1), Duration::from_secs(60))
	}
}

impl Backoff {
	/// Delays of at most `first` after the first failure, and of at most `longest` after many.
	pub fn new(first: Duration, longest: Duration) -> Self {
		Self { first, longest: longest.max(first), failures: 0 }
	}

	/// Failures since the last success.
	pub fn failures(&self) -> u32 {
		self.failures
	}

	/// After a success: the next delay is short again.
	pub fn reset(&mut self) {
		self.failures = 0;
	}

	/// After a failure: how long to wait.
	pub fn delay(&mut self, rng: &mut impl Rng) -> Duration {
		let ceiling =
			self.first.saturating_mul(2u32.saturating_pow(self.failures.min(31))).min(self.longest);
		self.failures = self.failures.saturating_add(1);
		ceiling.mul_f64(rng.gen_range(0.5..=1.0))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	proptest! {
		#[test]
		fn delays_grow_stay_bounded_and_fall_after_success(
			first in 1u64..10_000, factor in 1u64..1_000, failures in 1usize..100
		) {
			let (first, longest) =
				(Duration::from_millis(first), Duration::from_millis(first * factor));
			let mut backoff = Backoff::new(first, longest);
			let mut rng = rand::thread_rng();
			let mut ceiling = first;
			for _ in 0..failures {
				let delay = backoff.delay(&mut rng);
				prop_assert!(delay <= ceiling && delay >= ceiling.mul_f64(0.499));
				ceiling = (ceiling * 2).min(longest);
			}
			prop_assert_eq!(backoff.failures() as usize, failures);
			backoff.reset();
			prop_assert!(backoff.delay(&mut rng) <= first);
		}
	}

	#[test]
	fn two_programs_do_not_wait_equally_long() {
		let mut rng = rand::thread_rng();
		let delays: std::collections::HashSet<_> =
			(0..20).map(|_| Backoff::default().delay(&mut rng)).collect();
		assert!(delays.len() > 1);
	}
}
