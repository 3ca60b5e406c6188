//! No way to cheat earns more per PHA than honesty.

#[path = "../examples/simulate/network.rs"]
mod network;
#[path = "../examples/simulate/pool_game.rs"]
mod pool_game;
#[path = "../examples/simulate/strategies.rs"]
mod strategies;
#[path = "../examples/simulate/strategy.rs"]
mod strategy;

fn none_earns_more(workers: u32, days: u32) {
	for row in strategies::compare(workers, days, &strategies::all()) {
		println!("{row}");
		assert!(row.honest > 0.0, "{row}");
		// Settling at other moments rounds elsewhere, by a planck each time.
		assert!(row.cheat <= row.honest * (1.0 + 1e-9), "{row}");
	}
}

#[test]
fn of_ten_workers() {
	none_earns_more(10, 4);
}

#[test]
fn of_a_thousand_workers() {
	none_earns_more(1_000, 1);
}
