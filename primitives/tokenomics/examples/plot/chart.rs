//! Line and bar charts as SVG text, small enough to keep in a repository.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 50.0;
/// Colours that colour-blind readers can tell apart (Okabe and Ito).
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];

pub struct Labels<'a> {
	pub title: &'a str,
	pub x: &'a str,
	pub y: &'a str,
}

struct Axis {
	low: f64,
	high: f64,
	log: bool,
}

impl Axis {
	/// Where a value lies, from 0 to 1.
	fn place(&self, value: f64) -> f64 {
		let f = |v: f64| if self.log { v.log10() } else { v };
		(f(value) - f(self.low)) / (f(self.high) - f(self.low))
	}

	/// Round values within the axis.
	fn ticks(&self) -> Vec<f64> {
		if self.log {
			let powers = self.low.log10().ceil() as i32..=self.high.log10().floor() as i32;
			return powers.map(|power| 10f64.powi(power)).collect();
		}
		let rough = (self.high - self.low) / 5.0;
		let power = 10f64.powf(rough.log10().floor());
		let step = [1.0, 2.0, 5.0, 10.0].iter().map(|n| n * power).find(|s| *s >= rough);
		let step = step.unwrap_or(rough);
		let first = (self.low / step).ceil() as i64;
		(first..).map(|n| n as f64 * step).take_while(|tick| *tick <= self.high * 1.0001).collect()
	}
}

fn x_at(part: f64) -> f64 {
	LEFT + part * (WIDTH - LEFT - RIGHT)
}

fn y_at(part: f64) -> f64 {
	HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
}

fn number(value: f64) -> String {
	let text = format!("{value:.4}");
	text.trim_end_matches('0').trim_end_matches('.').into()
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
	let words = words.replace('&', "&amp;").replace('<', "&lt;");
	let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#);
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
	let ((x1, y1), (x2, y2)) = (from, to);
	let _ = writeln!(svg, r#"<path class="g" d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}"/>"#);
}

fn begin(labels: &Labels) -> String {
	let mut svg = format!(
		r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<style>.g{{stroke:#ccc}}.s{{fill:none;stroke-width:2}}</style>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
"##
	);
	text(&mut svg, WIDTH / 2.0, 22.0, "middle", labels.title);
	text(&mut svg, WIDTH / 2.0, HEIGHT - 12.0, "middle", labels.x);
	text(&mut svg, 12.0, TOP - 8.0, "start", labels.y);
	svg
}

fn y_ticks(svg: &mut String, axis: &Axis) {
	for tick in axis.ticks() {
		let y = y_at(axis.place(tick));
		line(svg, (LEFT, y), (WIDTH - RIGHT, y));
		text(svg, LEFT - 6.0, y + 4.0, "end", &number(tick));
	}
}

/// Each column over the first.
pub fn lines(csv: &str, labels: &Labels, columns: &[String], log: bool) -> Option<String> {
	let mut rows = csv.lines().map(|row| row.split(',').collect::<Vec<_>>());
	let header = rows.next()?;
	let rows: Vec<Vec<f64>> = rows
		.map(|row| row.iter().map(|cell| cell.parse().ok()).collect())
		.collect::<Option<_>>()?;
	let chosen: Vec<usize> = if columns.is_empty() {
		(1..header.len()).collect()
	} else {
		columns.iter().map(|c| header.iter().position(|h| h == c)).collect::<Option<_>>()?
	};
	let column = |index: usize| rows.iter().map(move |row| row[index]);
	let bounds = |values: &mut dyn Iterator<Item = f64>| {
		values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
	};
	let (low, high) = bounds(&mut column(0));
	let x = Axis { low, high, log };
	let (low, high) = bounds(&mut chosen.iter().flat_map(|c| column(*c)));
	// From 0, unless that would hide everything.
	let low = if low < 0.7 * high { low.min(0.0) } else { low - (high - low) * 0.05 };
	let y = Axis { low, high: high + (high - low) * 0.05, log: false };

	let mut svg = begin(labels);
	y_ticks(&mut svg, &y);
	for tick in x.ticks() {
		let at = x_at(x.place(tick));
		line(&mut svg, (at, y_at(0.0)), (at, TOP));
		text(&mut svg, at, HEIGHT - BOTTOM + 16.0, "middle", &number(tick));
	}
	for (n, index) in chosen.iter().enumerate() {
		let colour = COLOURS[n % COLOURS.len()];
		let points: Vec<_> = rows
			.iter()
			.map(|row| format!("{:.1} {:.1}", x_at(x.place(row[0])), y_at(y.place(row[*index]))))
			.collect();
		let path = points.join("L");
		let _ = writeln!(svg, r#"<path class="s" stroke="{colour}" d="M{path}"/>"#);
		// Two columns between the title and the lines.
		let (from, at) = (LEFT + 180.0 + (n % 2) as f64 * 230.0, 42.0 + (n / 2) as f64 * 17.0);
		let (to, y) = (from + 20.0, at - 4.0);
		let _ = writeln!(svg, r#"<path class="s" stroke="{colour}" d="M{from} {y}L{to} {y}"/>"#);
		text(&mut svg, to + 6.0, at, "start", header[*index]);
	}
	svg.push_str("</svg>\n");
	Some(svg)
}

/// The column `ratio`, grouped by the first column; a colour for each number of workers.
pub fn bars(csv: &str, labels: &Labels) -> Option<String> {
	let mut rows = csv.lines().map(|row| row.split(',').collect::<Vec<_>>());
	let header = rows.next()?;
	let ratio = header.iter().position(|h| *h == "ratio")?;
	let rows: Vec<_> = rows.filter(|row| row[0] != header[0]).collect();
	let mut groups: Vec<&str> = Vec::new();
	let mut sizes: Vec<&str> = Vec::new();
	for row in &rows {
		if !groups.contains(&row[0]) {
			groups.push(row[0]);
		}
		if !sizes.contains(&row[1]) {
			sizes.push(row[1]);
		}
	}
	let mut svg = begin(labels);
	let x = Axis { low: -1.0, high: 1.2, log: false };
	let left = 210.0;
	let at = |value: f64| left + x.place(value.clamp(-1.0, 1.2)) * (WIDTH - left - RIGHT);
	for tick in x.ticks() {
		line(&mut svg, (at(tick), TOP), (at(tick), HEIGHT - BOTTOM));
		text(&mut svg, at(tick), HEIGHT - BOTTOM + 16.0, "middle", &number(tick));
	}
	let slot = (HEIGHT - TOP - BOTTOM) / groups.len() as f64;
	let thick = slot * 0.8 / sizes.len() as f64;
	for (g, group) in groups.iter().enumerate() {
		let y = TOP + g as f64 * slot;
		text(&mut svg, left - 8.0, y + slot / 2.0 + 4.0, "end", group);
		for row in rows.iter().filter(|row| row[0] == *group) {
			let s = sizes.iter().position(|size| *size == row[1])?;
			let value: f64 = row[ratio].parse().ok()?;
			let (from, to) = (at(0.0).min(at(value)), at(0.0).max(at(value)));
			let colour = COLOURS[s % COLOURS.len()];
			let _ = writeln!(
				svg,
				r#"<rect x="{from:.1}" y="{:.1}" width="{:.1}" height="{thick:.1}" fill="{colour}"/>"#,
				y + slot * 0.1 + s as f64 * thick,
				to - from
			);
		}
	}
	for (s, size) in sizes.iter().enumerate() {
		let (x, y) = (WIDTH - 330.0 + s as f64 * 110.0, TOP - 8.0);
		let colour = COLOURS[s % COLOURS.len()];
		let _ = writeln!(
			svg,
			r#"<rect x="{x}" y="{}" width="10" height="10" fill="{colour}"/>"#,
			y - 9.0
		);
		text(&mut svg, x + 14.0, y, "start", &format!("{size} workers"));
	}
	svg.push_str("</svg>\n");
	Some(svg)
}
