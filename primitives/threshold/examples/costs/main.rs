//! What each step costs at the largest size, natively: `cargo run --example costs`.

mod setup;

use std::time::{Duration, Instant};

use setup::{MEASURED, Setup};

fn main() -> Result<(), phala_threshold::Error> {
	let mut setup = Setup::new()?;
	for (name, measured) in MEASURED {
		// The fastest run: other programs only ever add to the time.
		let (start, mut fastest) = (Instant::now(), Duration::MAX);
		while start.elapsed() < Duration::from_millis(300) {
			let run = Instant::now();
			assert!(measured(&mut setup), "{name}");
			fastest = fastest.min(run.elapsed());
		}
		println!("{name:40} {:6} µs", fastest.as_micros());
	}
	Ok(())
}
