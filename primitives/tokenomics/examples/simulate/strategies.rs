//! Each way to cheat, against honesty.

use std::fmt;

use phala_tokenomics::{Balance, PHA};
use sp_arithmetic::Perbill;

use crate::{
	network::Network,
	pool_game::{self, Round},
	strategy::Strategy,
};

/// Whom a strategy belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
	Worker(Strategy),
	/// A delegator who enters before lumps and leaves when the worker goes silent.
	Delegator,
	/// An owner who reports a loss of his own pool for the reporter's part.
	Owner,
}

pub fn all() -> Vec<Who> {
	let workers = Strategy::CHEATS.into_iter().map(Who::Worker);
	workers.chain([Who::Delegator, Who::Owner]).collect()
}

/// A row of the comparison.
pub struct Row {
	pub who: Who,
	pub workers: u32,
	pub days: u32,
	/// Earned less lost, per PHA staked.
	pub cheat: f64,
	/// The same for the honest twin.
	pub honest: f64,
}

impl fmt::Display for Row {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let name = match self.who {
			Who::Worker(strategy) => strategy.name(),
			Who::Delegator => "times lumps and slashes",
			Who::Owner => "reports himself",
		};
		let Self { workers, days, cheat, honest, .. } = self;
		write!(f, "{name},{workers},{days},{cheat:.9},{honest:.9},{:.6}", cheat / honest)
	}
}

/// Every twentieth worker cheats, at least one.
fn is_cheat(worker: u32) -> bool {
	worker.is_multiple_of(20)
}

/// Yield per PHA of the workers that could cheat, and of all honest ones, in the mean.
fn cheats_yield(workers: u32, days: u32, strategy: Strategy) -> f64 {
	let run = |n| if is_cheat(n) { strategy } else { Strategy::Honest };
	let mut network = Network::new(workers, 7, run);
	network.pass_days(days);
	network.stop_all();
	assert!(network.acc.is_conserved());
	let cheats = network.workers.iter().step_by(20);
	let (sum, count) = cheats.fold((0.0, 0u32), |(s, n), w| (s + w.yield_per_pha(), n + 1));
	sum / count as f64
}

pub fn compare(workers: u32, days: u32, whom: &[Who]) -> Vec<Row> {
	let honest = cheats_yield(workers, days, Strategy::Honest);
	let row = |who, cheat, honest| Row { who, workers, days, cheat, honest };
	let rows = whom.iter().map(|who| match who {
		Who::Worker(strategy) => row(*who, cheats_yield(workers, days, *strategy), honest),
		Who::Delegator => {
			let (steady, timed) = delegators(honest / days as f64);
			row(*who, timed, steady)
		}
		Who::Owner => {
			// 5 % of a pool of 100 000 PHA is his; 2.4 % of it is lost; a tenth goes to reporters.
			let loss = pool_game::self_report(2_400 * PHA, 5_000 * PHA, Perbill::from_percent(10));
			row(*who, honest + loss as f64 / (5_000 * PHA) as f64, honest)
		}
	});
	rows.collect()
}

/// Yields of a delegator who stays and of one who times, over 60 days, in a pool of ten workers that
/// pays `per_day` per PHA. Every fifth day one of the ten goes silent, every other time until it is
/// stopped.
fn delegators(per_day: f64) -> (f64, f64) {
	let (capital, rest): (Balance, Balance) = (1_000 * PHA, 98_000 * PHA);
	let mean = (per_day * 100_000.0 / 4.0) as u32;
	let rounds: Vec<_> = (0..240u32)
		.map(|n| Round {
			// From half to one and a half of the mean.
			reward: mean / 2 + mean * (n * 7 % 11) / 10,
			silent: (n / 4) % 5 == 4,
			missed: n % 20 == 16,
			// A tenth of what 24 hours of silence cost a worker, or 6, in parts of 100 000 of the pool.
			lost: (n % 20 == 19).then_some(if (n / 20).is_multiple_of(2) { 237 } else { 60 }),
		})
		.collect();
	// He knows what the next round will bring, and whether a worker is silent now.
	let inside = |n: usize| {
		let lump = rounds.get(n).is_some_and(|round| round.reward * 4 > mean * 3);
		lump && !rounds.get(n - 1).is_some_and(|round| round.silent)
	};
	let (steady, timed) = pool_game::play(&rounds, capital, rest, inside);
	let gain = |end: Balance| (end as f64 - capital as f64) / capital as f64;
	(gain(steady), gain(timed))
}
