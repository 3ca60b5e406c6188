//! The plots of `docs/governance.md`: approval and support that each track asks for, over its decision
//! period. `PHALA_WRITE_PLOTS=1 cargo test … plots` writes them; without it the test compares.

use super::*;
use phala_runtime::constants::time::DAYS;
use sp_runtime::Perbill;
use std::{fmt::Write, path::PathBuf};

const WIDTH: u32 = 220;
const HEIGHT: u32 = 120;
const COLUMNS: u32 = 3;

/// One curve as an SVG path within a box of [`WIDTH`] by [`HEIGHT`].
fn path(curve: &pallet_referenda::Curve, colour: &str) -> String {
	let points = (0..=50u32).map(|step| {
		let parts = u64::from(curve.threshold(Perbill::from_rational(step, 50u32)).deconstruct());
		let y = u64::from(HEIGHT) * (1_000_000_000 - parts) / 100_000_000;
		format!("{}.{},{}.{}", step * WIDTH / 50, step * WIDTH / 5 % 10, y / 10, y % 10)
	});
	let points = points.collect::<Vec<_>>().join(" ");
	format!(r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>"#)
}

/// All tracks, side by side.
fn plots() -> String {
	let tracks: Vec<_> = Tracks::tracks().collect();
	let rows = (tracks.len() as u32).div_ceil(COLUMNS);
	let (width, height) = (COLUMNS * (WIDTH + 60) + 20, rows * (HEIGHT + 60) + 40);
	let mut svg = format!(
		concat!(
			r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" "#,
			r#"font-family="sans-serif" font-size="11">"#,
			"\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
			"<text x=\"40\" y=\"20\"><tspan fill=\"#0a7\">approval</tspan> and ",
			"<tspan fill=\"#c40\">support</tspan> that a referendum needs, in %, ",
			"over its decision period</text>\n",
		),
		width, height
	);
	for (index, track) in tracks.iter().enumerate() {
		let (column, row) = (index as u32 % COLUMNS, index as u32 / COLUMNS);
		let (x, y) = (40 + column * (WIDTH + 60), 50 + row * (HEIGHT + 60));
		let name = String::from_utf8_lossy(&track.info.name).trim_end_matches('\0').to_string();
		let days = track.info.decision_period / DAYS;
		let _ = write!(
			svg,
			concat!(
				"<g transform=\"translate({x} {y})\">",
				"<rect width=\"{w}\" height=\"{h}\" fill=\"none\" stroke=\"#bbb\"/>",
				"<path d=\"M0 {half}H{w}\" stroke=\"#ddd\"/>",
				"<text x=\"0\" y=\"-5\">{id} {name}</text>",
				"<text x=\"-6\" y=\"8\" text-anchor=\"end\">100</text>",
				"<text x=\"-6\" y=\"{label}\" text-anchor=\"end\">50</text>",
				"<text x=\"-6\" y=\"{h}\" text-anchor=\"end\">0</text>",
				"<text x=\"{w}\" y=\"{below}\" text-anchor=\"end\">{days} days</text>",
				"{support}{approval}</g>\n",
			),
			x = x,
			y = y,
			w = WIDTH,
			h = HEIGHT,
			half = HEIGHT / 2,
			label = HEIGHT / 2 + 4,
			below = HEIGHT + 13,
			id = track.id,
			name = name,
			days = days,
			support = path(&track.info.min_support, "#c40"),
			approval = path(&track.info.min_approval, "#0a7"),
		);
	}
	svg + "</svg>\n"
}

#[test]
fn plots_are_those_of_the_tracks() {
	let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/governance-curves.svg");
	if std::env::var_os("PHALA_WRITE_PLOTS").is_some() {
		std::fs::write(&file, plots()).expect("the file can be written");
	}
	let stored = std::fs::read_to_string(&file).unwrap_or_default();
	assert!(stored == plots(), "write it again with PHALA_WRITE_PLOTS=1");
}
