//! Simulates mining with the functions that the chain runs. CSV goes to standard output.
//!
//! - `simulate network WORKERS DAYS`: an honest network, hour by hour.
//! - `simulate strategies WORKERS DAYS`: what each way to cheat earns, against the same machines run
//!   honestly in the same draw of challenges.
//! - `simulate value`: V and health of four workers over ten days.
//! - `simulate apr`: yearly return by size of the network.
//! - `simulate budget`: the schedule over five years.

mod curves;
mod network;
mod pool_game;
mod strategies;
mod strategy;

use std::process::ExitCode;

use phala_tokenomics::Fixed;

use curves::pha;
use network::Network;
use strategy::Strategy;

fn main() -> ExitCode {
	let arguments: Vec<_> = std::env::args().skip(1).collect();
	let words: Vec<_> = arguments.iter().map(String::as_str).collect();
	let numbers: Option<Vec<u32>> = words.iter().skip(1).map(|word| word.parse().ok()).collect();
	match (words.first().copied(), numbers.as_deref()) {
		(Some("network"), Some([workers, days])) => network(*workers, *days),
		(Some("strategies"), Some([workers, days])) => {
			println!("strategy,workers,days,per_pha,honest_per_pha,ratio");
			for row in strategies::compare(*workers, *days, &strategies::all()) {
				println!("{row}");
			}
		}
		(Some("value"), Some([])) => curves::value(),
		(Some("apr"), Some([])) => curves::apr(),
		(Some("budget"), Some([])) => curves::budget(),
		_ => {
			eprintln!("usage: simulate network|strategies WORKERS DAYS | value | apr | budget");
			return ExitCode::from(2);
		}
	}
	ExitCode::SUCCESS
}

fn network(workers: u32, days: u32) {
	println!("hour,sum_share,mean_v,elapsed,paid,treasury,withheld");
	let mut network = Network::new(workers, 1, |_| Strategy::Honest);
	for hour in 1..=days * 24 {
		(0..600).for_each(|_| network.pass_block());
		let planck = |amount| pha(Fixed::from_planck_floor(amount));
		let acc = &network.acc;
		println!(
			"{hour},{:.0},{:.3},{:.3},{:.3},{:.3},{:.3}",
			pha(acc.sum()),
			mean_v(&network),
			planck(acc.elapsed()),
			planck(acc.paid()),
			planck(acc.treasury()),
			planck(acc.withheld() + acc.outstanding()),
		);
	}
}

/// Mean V of the workers that compute, PHA.
fn mean_v(network: &Network) -> f64 {
	let computing = network.workers.iter().filter(|w| w.session.share() > Fixed::ZERO);
	let add = |(sum, n), w: &network::Worker| (sum + pha(w.session.v()), n + 1u32);
	let (sum, count) = computing.fold((0.0, 0), add);
	sum / count.max(1) as f64
}
