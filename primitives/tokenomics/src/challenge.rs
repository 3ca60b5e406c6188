//! How many workers each block challenges.

/// Relay-chain blocks in an hour.
pub const BLOCKS_PER_HOUR: u32 = 600;

/// min(`max`, ⌈2n/600⌉): how many of `workers` are drawn at a relay-chain block, so that each is
/// challenged about twice an hour.
pub fn draws(workers: u32, max: u32) -> u32 {
	let wanted = (workers as u64).saturating_mul(2).div_ceil(BLOCKS_PER_HOUR as u64);
	// The quotient is below 2^24.
	max.min(wanted as u32)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn twice_an_hour() {
		let table =
			[(0, 0), (1, 1), (300, 1), (301, 2), (1_000, 4), (100_000, 334), (105_000, 350)];
		for (workers, expected) in table {
			assert_eq!(draws(workers, 350), expected, "{workers} workers");
		}
		assert_eq!(draws(u32::MAX, 350), 350);
		assert_eq!(draws(100, 0), 0);
	}
}
