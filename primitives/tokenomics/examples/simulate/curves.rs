//! Single workers and formulas, for the plots.

use phala_tokenomics::{
	Accumulator, Answer, Balance, Fixed, PHA, Parameters, Phase, Prospect, Session, Tier, Versions,
};

struct Curve {
	acc: Accumulator,
	versions: Versions,
	session: Session,
}

impl Curve {
	/// A worker with 2000 PHA and a score of 1000, among others with `crowd` share.
	fn new(crowd: u32) -> Self {
		let mut acc = Accumulator::new(0);
		let versions = Versions::new(Parameters::launch(), acc.now()).expect("a preset is valid");
		acc.add_share(Fixed::from_u32(crowd));
		let session = Session::start(2_000 * PHA, 1_000, Tier::One, &mut acc, &versions)
			.expect("between the smallest and the largest stake");
		Self { acc, versions, session }
	}

	/// Half an hour, and an answer at its end if online.
	fn pass(&mut self, online: bool) {
		for _ in 0..15 {
			self.acc.advance(self.acc.now().relay + 20, true, &mut self.versions);
		}
		let performance = Fixed::from_u32(1_000);
		let answer = Answer { performance, tier: Some(Tier::One), serving: false };
		let (acc, versions) = (&mut self.acc, &self.versions);
		// What does not apply in its phase is refused.
		let _ = match (online, self.session.phase()) {
			(true, Phase::Computing(_)) => {
				self.session.settle(&answer, Balance::MAX, acc, versions).map(drop)
			}
			(true, _) => self.session.recover(&answer, acc, versions),
			(false, _) => self.session.miss(acc).map(drop),
		};
	}

	fn row(&self) -> String {
		let worth = self.session.worth(self.acc.now(), &self.versions);
		format!("{:.4},{:.6}", pha(worth.v), pha(worth.health))
	}
}

/// V and health over ten days: paid more than it grows, paid less, silent for a day, and silent until
/// it is stopped.
pub fn value() {
	println!(
		"day,V in a small network,h1,V in a large network,h2,V silent on day 3,h3,V silent from day 6,h4"
	);
	let mut curves = [Curve::new(1_000_000), Curve::new(2_000_000_000)];
	let mut silent = [Curve::new(2_000_000_000), Curve::new(2_000_000_000)];
	for half_hour in 1..=480u32 {
		let day = half_hour as f64 / 48.0;
		curves.iter_mut().for_each(|curve| curve.pass(true));
		let [day_three, stopped] = &mut silent;
		day_three.pass(!(3.0..3.9).contains(&day));
		stopped.pass(day < 6.0);
		if day >= 7.0 {
			let _ = stopped.session.stop(&mut stopped.acc, &stopped.versions);
		}
		let rows: Vec<_> = curves.iter().chain(&silent).map(Curve::row).collect();
		println!("{day:.4},{}", rows.join(","));
	}
}

/// APR of a worker with 2000 PHA and a score of 1000, in per cent, by Σshare in millions.
pub fn apr() {
	println!("million,tier 1,tier 5,half speed");
	let p = Parameters::launch();
	for tenth in 10..=60u32 {
		let sum = 10f64.powf(tenth as f64 / 10.0 + 3.0) as u128;
		let of = |tier, performance| {
			let prospect = Prospect {
				stake: 2_000 * PHA,
				v: p.initial_value(2_000 * PHA, 1_000, tier),
				bench: 1_000,
				performance: Fixed::from_u32(performance),
				tier,
				sum: Fixed::from_ratio_floor(sum, 1).unwrap_or(Fixed::MAX),
				rate: p.budget.per_block,
			};
			pha(p.apr(&prospect)) * 100.0
		};
		println!(
			"{:.6},{:.4},{:.4},{:.4}",
			sum as f64 / 1e6,
			of(Tier::One, 1_000),
			of(Tier::Five, 1_000),
			of(Tier::One, 500)
		);
	}
}

/// Daily and spent budget over five years, in thousands and in millions of PHA.
pub fn budget() {
	println!("year,thousand PHA per day,million PHA spent");
	let budget = Parameters::launch().budget;
	for day in (0..5 * 365u32).step_by(6) {
		let at = |day: u32| day * 14_400;
		let daily = budget.between(0, at(day), at(day + 1)) / PHA;
		let spent = budget.between(0, 0, at(day + 1)) / PHA;
		let (daily, spent) = (daily as f64 / 1e3, spent as f64 / 1e6);
		println!("{:.4},{daily:.3},{spent:.3}", day as f64 / 365.0);
	}
}

/// For tables and plots.
pub fn pha(amount: Fixed) -> f64 {
	amount.to_planck_floor() as f64 / PHA as f64
}
