//! What each step costs at the largest size, natively: `cargo run --example costs`.

mod setup;

use std::time::{Duration, Instant};

use setup::{MEASURED, Setup};

fn main() -> Result<(), phala_threshold::Error> {
	let mut setup = Setup::new()?;
	for (name, measured) in MEASURED {
		let (start, mut runs) = (Instant::now(), 0u32);
		while start.elapsed() < Duration::from_millis(300) {
			assert!(measured(&mut setup), "{name}");
			runs += 1;
		}
		let micros = start.elapsed().as_micros() / u128::from(runs);
		println!("{name:40} {micros:6} µs");
	}
	Ok(())
}
