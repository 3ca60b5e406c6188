//! Draws a CSV as an SVG: `plot lines|logx|bars TITLE X_LABEL Y_LABEL [COLUMN…] <IN.csv >OUT.svg`.
//!
//! `lines` and `logx` draw each further column (or the named ones) over the first; `bars` draws the
//! column `ratio`, one bar for each row, grouped by the first column.

mod chart;

use std::{io::Read, process::ExitCode};

fn main() -> ExitCode {
	let arguments: Vec<_> = std::env::args().skip(1).collect();
	let [kind, title, x, y, columns @ ..] = arguments.as_slice() else {
		eprintln!("usage: plot lines|logx|bars TITLE X_LABEL Y_LABEL [COLUMN…] <IN.csv >OUT.svg");
		return ExitCode::from(2);
	};
	let mut csv = String::new();
	if let Err(error) = std::io::stdin().read_to_string(&mut csv) {
		eprintln!("standard input: {error}");
		return ExitCode::FAILURE;
	}
	let labels = chart::Labels { title, x, y };
	let svg = match kind.as_str() {
		"bars" => chart::bars(&csv, &labels),
		_ => chart::lines(&csv, &labels, columns, kind == "logx"),
	};
	match svg {
		Some(svg) => print!("{svg}"),
		None => {
			eprintln!("no such column, or no number where one is needed");
			return ExitCode::FAILURE;
		}
	}
	ExitCode::SUCCESS
}
