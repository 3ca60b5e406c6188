//! The numbers of the reference that this crate relies on, in the reference's steps of 12 s, and ours
//! where we differ on purpose.

use phala_tokenomics::{
	Accumulator, Answer, Budget, Fixed, PHA, Parameters, STEPS_PER_YEAR, Session, Tier, Versions,
	performance, share,
};

fn fixed(text: &str) -> Fixed {
	text.parse().unwrap()
}

/// Within 10⁻¹² of the expected number, relative.
#[track_caller]
fn close(actual: Fixed, expected: &str) {
	let expected = fixed(expected);
	let apart = actual.max(expected).saturating_sub(actual.min(expected));
	let bound = expected.div_floor(fixed("1000000000000").min(Fixed::MAX)).unwrap();
	assert!(apart <= bound, "{actual} is not {expected}");
}

/// The constants of the reference's gatekeeper tests.
fn gatekeeper() -> Parameters {
	Parameters {
		growth: fixed("0.000000666600231"),
		slash: fixed("0.0000033333333333333240063"),
		cost_slope: fixed("0.000000015815258751856933056"),
		cost_base: fixed("0.000033711472602739674283"),
		..Parameters::gemini()
	}
}

#[test]
fn one_step_of_growth() {
	let p = gatekeeper();
	let step = |v: &str, bench| p.grown(fixed(v), bench, Fixed::ONE, 1);
	close(step("3000", 100), "3000.002035093691477979339043");
	close(step("100", 50), "100.000101162258640334319984");
	close(step("1690", 1000), "1690.001176081121744627011258");
	assert_eq!(step("29999.999", 6000), fixed("30000"));
	// Without a benchmark the multiplier is 1.
	let growth = p.grown(fixed("1000"), 0, performance::multiplier(Fixed::ZERO, 0), 1);
	close(growth.saturating_sub(fixed("1000")), "0.000700311703602757664767");
}

#[test]
fn a_day_of_growth_in_one_jump() {
	// 7201 steps: the block of the start, and a day.
	close(gatekeeper().grown(fixed("3000"), 100, Fixed::ONE, 7_201), "3014.6899337932040476463");
}

#[test]
fn an_hour_and_a_day_of_silence() {
	let v = |steps| fixed("3000").mul_floor(gatekeeper().retained(steps));
	close(v(300), "2997.001494505111388360696703");
	close(v(7_200), "2928.857012119184966045303074");
	close(Parameters::phala_genesis().retained(300), "0.9990004981683704595");
}

#[test]
fn shares_by_tier() {
	let of = |tier| share(fixed("1300"), fixed("1000"), tier);
	for tier in [Tier::One, Tier::Two, Tier::Three] {
		close(of(tier), "2385.372088375268504023551941");
	}
	close(of(Tier::Four), "2061.55281280865892767906189");
	close(of(Tier::Five), "1910.497317454079166054725647");
}

#[test]
fn initial_value_and_stakes() {
	let genesis = Parameters::phala_genesis();
	for (tier, expected) in [(Tier::One, "1690"), (Tier::Two, "1690"), (Tier::Four, "1612")] {
		close(genesis.initial_value(1_000 * PHA, 1_000, tier), expected);
	}
	close(genesis.initial_value(500 * PHA, 1, Tier::One), "650.39");
	close(genesis.rig_cost(500), "150");
	close(genesis.rig_cost(2_800), "840");
	let gemini = Parameters::gemini();
	// Score, smallest stake (of which the reference cut the root at 2⁻³²), largest stake at conf 1.
	let table = [
		(50, 353_553_390_593_274, 19_985),
		(450, 1_060_660_171_779_822, 19_865),
		(1_900, 2_179_449_471_770_337, 19_430),
		(2_000, 2_236_067_977_499_790, 19_400),
		(2_800, 2_645_751_311_064_591, 19_160),
		(6_000, 3_872_983_346_207_417, 18_200),
	];
	for (score, least, most) in table {
		assert_eq!(gemini.min_stake(score), least);
		assert_eq!(gemini.max_stake(score, Tier::One), most * PHA);
	}
	close(gemini.initial_value(gemini.min_stake(2_000), 2_000, Tier::Five), "3828.691769624713392");
}

#[test]
fn performance_is_capped_at_six_fifths() {
	close(
		performance::instant_performance(1_584_000, 86_424_000, 100),
		"109.969452929741738405754",
	);
	assert_eq!(performance::instant_performance(11_000, 100_000, 600), fixed("660"));
	assert_eq!(performance::instant_performance(15_000, 100_000, 600), fixed("720"));
}

#[test]
fn yearly_figures() {
	let p = Parameters::launch();
	close(p.running_cost(2_000).times(STEPS_PER_YEAR), "171.71875");
	let budget: Budget = p.budget;
	for (period, daily) in [(0, 720_000), (1, 540_000), (2, 405_000), (3, 303_750)] {
		assert_eq!(budget.rate(period) * 14_400, daily * PHA);
	}
	// The schedule and the rest of 700 million.
	assert_eq!(budget.between(0, 0, u32::MAX) / (1_000 * PHA), 518_399);
}

/// A lone worker of the reference for 7202 steps, in our economy.
fn lone(v: u32, bench: u32, pay_cap: Fixed) -> (Fixed, Fixed) {
	let parameters = Parameters { pay_cap, ..gatekeeper() };
	let mut acc = Accumulator::new(0);
	let mut versions = Versions::new(parameters, acc.now()).unwrap();
	let stake = u128::from(v) * PHA * 2 / 3 - u128::from(bench) * 3 * PHA / 10;
	let mut session = Session::start(stake, bench, Tier::Two, &mut acc, &versions).unwrap();
	for block in 1..=7_202 {
		acc.advance(block, true, &mut versions);
	}
	let performance = Fixed::from_u32(bench / 100 * 110);
	let answer = Answer { performance, tier: Some(Tier::Two), serving: false };
	let paid = session.settle(&answer, u128::MAX, &mut acc, &versions).unwrap();
	assert!(acc.is_conserved());
	(session.v(), Fixed::from_planck_floor(paid.pool))
}

#[test]
fn a_lone_worker_takes_no_more_than_the_budget() {
	// The reference paid 576 424.18 PHA of 576 160: the share after the answer over Σshare before.
	let (v, paid) = lone(3_000, 100, Fixed::ONE);
	close(paid, "576160");
	close(v, "3000");
	// With our cap: 0.05 % of 3000 for 7202/300 hours, and 80 % of that.
	let (v, paid) = lone(3_000, 100, fixed("0.00000166666666666666666666666666666667"));
	close(paid, "28.808");
	close(v, "3000");
}

#[test]
fn at_v_max_growth_is_capped_with_v() {
	// The reference dropped V to 29 855.39, by growth that V_max had cut off.
	let (v, paid) = lone(30_000, 3_000, Fixed::ONE);
	close(v, "30000");
	close(paid, "576160");
}

/// What the chain reads and writes for an answer stays small.
#[test]
fn stored_types_are_small() {
	use codec::MaxEncodedLen;
	assert_eq!(Session::max_encoded_len(), 131);
	assert_eq!(Accumulator::max_encoded_len(), 128);
	assert_eq!(Versions::max_encoded_len(), 1034);
}
