//! Group `pallet-calc`: what the reference's pallets computed.

use phala_tokenomics::{
	Accumulator, Answer, Balance, Fixed, PHA, Parameters, Session, StartError, Tier, Versions,
	performance,
};

use crate::{
	number::{cut, integer, number, planck},
	suite::{Run, budget_per_step},
};

pub fn run(run: &mut Run) -> Option<()> {
	if run.has(&["S", "P"], &["ve"]) {
		initial_value(run)
	} else if run.has(&["P"], &["rig_cost"]) {
		let cost = run.parameters()?.rig_cost(run.integer("P")? as u32);
		run.check("rig_cost", cost)
	} else if run.has(&["p_init", "calls"], &["p_instant"]) {
		instant_performance(run)
	} else if run.has(&["P", "confidence"], &["0"]) {
		start_by_stake(run)
	} else if run.has(&[], &["rows"]) {
		stake_table(run)
	} else if run.has(&[], &["order"]) {
		start_guards(run)
	} else if run.has(&["v", "payout"], &["event"]) {
		settled_twice(run)
	} else if run.has(&["balance_pico"], &["back_pico"]) {
		let balance = planck_integer(run.input("balance_pico")?)?;
		let fixed = Fixed::from_planck_floor(balance);
		run.check("fixed", fixed)?;
		run.same("back_pico", fixed.to_planck_floor(), planck_integer(run.expected("back_pico")?)?);
		Some(())
	} else if run.has(&["balances_pico"], &["back_pico"]) {
		let back = run.expected("back_pico")?.as_array()?;
		for (balance, expected) in run.input("balances_pico")?.as_array()?.iter().zip(back) {
			let actual = Fixed::from_planck_floor(planck_integer(balance)?).to_planck_floor();
			run.same(&format!("back{balance}"), actual, planck_integer(expected)?);
		}
		Some(())
	} else if run.has(&["num_tx"], &[])
		|| run.has(&[], &["hit_iff"])
		|| run.has(&[], &["online_target_dec"])
	{
		run.skip("challenges are drawn by the chain, there is no proof-of-work target");
		Some(())
	} else if run.has(&[], &["max_budget_limit_bits"]) {
		run.skip("the budget is a schedule within ranges, no officer sets it");
		Some(())
	} else if run.has(&[], &["scheduled_after"]) {
		run.skip("storage and events of a pallet; Versions takes effect at a block of its own");
		Some(())
	} else if run.vector.get("steps").is_some_and(|s| s.to_string().contains("\"bind\"")) {
		run.skip("binding of sessions to workers is the pallet's");
		Some(())
	} else {
		compounded(run)
	}
}

fn planck_integer(value: &serde_json::Value) -> Option<Balance> {
	value.as_str().map_or_else(|| value.as_u64().map(Into::into), |text| text.parse().ok())
}

fn tier(run: &Run) -> Option<Tier> {
	match run.input("confidence") {
		// 128 is what the reference gave to workers without an attestation in its tests.
		Some(level) if integer(level) != Some(128) => Tier::try_from(integer(level)? as u8).ok(),
		_ => Some(Tier::One),
	}
}

fn initial_value(run: &mut Run) -> Option<()> {
	let p = run.parameters()?;
	let stake = planck(run.input("S")?)?;
	run.check("ve", p.initial_value(stake, run.integer("P")? as u32, tier(run)?))
}

/// Keys such as `rho^300` and `(1-slash_rate)^300`.
fn compounded(run: &mut Run) -> Option<()> {
	let p = run.parameters()?;
	for (key, expected) in run.vector.get("expect")?.as_object()? {
		let actual = if let Some(steps) = key.strip_prefix("(1-slash_rate)^") {
			p.retained(steps.parse().ok()?)
		} else if let Some(steps) = key.strip_prefix("rho^") {
			Fixed::ONE.saturating_add(p.growth).pow_floor(steps.parse().ok()?)
		} else if let Some(blocks) = key.strip_prefix("budget_per_block*") {
			budget_per_step(&p).times(blocks.parse().ok()?)
		} else if let Some(rest) = key.strip_prefix("op_cost(P=") {
			let score = rest.split(')').next()?.parse().ok()?;
			let per_second = cut(p.running_cost(score)).div_floor(Fixed::from_u32(12))?;
			cut(per_second).times(31_536_000)
		} else if key == "v_max" {
			p.v_max
		} else {
			return None;
		};
		run.close(key.split(' ').next()?, actual, number(expected)?);
	}
	Some(())
}

fn instant_performance(run: &mut Run) -> Option<()> {
	let bench = run.integer("p_init")? as u32;
	let expected = run.expected("p_instant")?.as_array()?;
	let (mut since, mut done) = (0, 0);
	for (call, expected) in run.input("calls")?.as_array()?.iter().zip(expected) {
		let (now, iterations) = (integer(call.get("now_s")?)?, integer(call.get("iterations")?)?);
		let millis = (now - since) * 1_000;
		let p = performance::instant_performance(iterations - done, millis, bench);
		run.same("p_instant", p.to_planck_floor() / PHA, planck_integer(expected)?);
		(since, done) = (integer(call.get("challenge_time_ms")?)? / 1_000, iterations);
	}
	Some(())
}

fn economy(parameters: Parameters) -> Option<(Accumulator, Versions)> {
	let acc = Accumulator::new(0);
	let versions = Versions::new(parameters, acc.now()).ok()?;
	Some((acc, versions))
}

fn start(p: &Parameters, stake: Balance, score: u32, tier: Tier) -> Option<&'static str> {
	let (mut acc, versions) = economy(p.clone())?;
	Some(match Session::start(stake, score, tier, &mut acc, &versions) {
		Ok(_) => "ok",
		Err(StartError::ScoreTooLow | StartError::ScoreTooHigh) => "BenchmarkTooLow",
		Err(StartError::StakeTooLow) => "InsufficientStake",
		Err(StartError::StakeTooHigh) => "TooMuchStake",
	})
}

/// The tests of the reference let a score of 1 mine.
fn start_by_stake(run: &mut Run) -> Option<()> {
	let p = Parameters { min_score: 1, ..run.parameters()? };
	let (score, tier) = (run.integer("P")? as u32, tier(run)?);
	for (stake, expected) in run.vector.get("expect")?.as_object()? {
		let actual = start(&p, stake.parse::<Balance>().ok()? * PHA, score, tier)?;
		run.same(stake, actual, expected.as_str()?);
	}
	Some(())
}

/// Each guard in turn, with everything after it wrong as well.
fn start_guards(run: &mut Run) -> Option<()> {
	let order = run.expected("order")?.as_array()?;
	let expected = |name: &str| order.iter().position(|guard| guard.to_string().contains(name));
	let p = run.parameters()?;
	let tiny = Parameters { v_max: Fixed::from_u32(1_000), ..p.clone() };
	run.same("low", start(&tiny, 0, 49, Tier::One)?, "BenchmarkTooLow");
	run.same("little", start(&tiny, 0, 50, Tier::One)?, "InsufficientStake");
	run.same("much", start(&tiny, 1_000 * PHA, 50, Tier::One)?, "TooMuchStake");
	// Ready is the absence of a session.
	let names = ["Ready", "BenchmarkTooLow", "min_stake", "V_max"].map(expected);
	run.same("ordered", names.is_sorted() && names[0].is_some(), true);
	Some(())
}

fn stake_table(run: &mut Run) -> Option<()> {
	let p = run.parameters()?;
	for row in run.expected("rows")?.as_array()? {
		let score = integer(row.get("P")?)? as u32;
		let in_pha =
			|value: &serde_json::Value| planck_integer(value).map(Fixed::from_planck_floor);
		let stake = p.min_stake(score);
		let least = in_pha(row.get("min_stake_pico")?)?;
		run.close(&format!("min{score}"), Fixed::from_planck_floor(stake), least);
		for (level, expected) in row.get("ve_at_min_stake")?.as_object()? {
			match Tier::try_from(level.parse::<u8>().ok()?) {
				Ok(tier) => {
					let name = format!("ve{score}/{level}");
					run.close(&name, p.initial_value(stake, score, tier), number(expected)?);
				}
				Err(_) => run.note(format!("ours refuses tier {level}")),
			}
		}
		let most = in_pha(row.get("max_stake_conf1_pico")?)?;
		let max = Fixed::from_planck_floor(p.max_stake(score, Tier::One));
		run.close(&format!("max{score}"), max, most);
	}
	Some(())
}

/// Time does not pass between two settlements of a block: the second changes nothing.
fn settled_twice(run: &mut Run) -> Option<()> {
	let (mut acc, versions) = economy(run.parameters()?)?;
	let mut session = Session::start(5_000 * PHA, 1_000, Tier::One, &mut acc, &versions).ok()?;
	let v = session.v();
	let answer =
		Answer { performance: Fixed::from_u32(1_000), tier: Some(Tier::One), serving: false };
	let settled = session.settle(&answer, Balance::MAX, &mut acc, &versions).ok()?;
	run.check("payout", Fixed::from_planck_floor(settled.pool))?;
	run.same("v", session.v(), v);
	Some(())
}
