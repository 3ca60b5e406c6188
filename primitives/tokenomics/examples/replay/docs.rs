//! Group `docs`: numbers printed in the reference's documentation.

use phala_tokenomics::{
	Fixed, Parameters,
	pool::{Rewards, commission},
};
use sp_arithmetic::Perbill;

use crate::{
	number::{integer, number, planck},
	suite::Run,
};

pub fn run(run: &mut Run) -> Option<()> {
	if run.has(&["reward", "commission", "delegations"], &[]) {
		pool_reward(run)
	} else if run.has(&[], &["rows"]) {
		budget(run)
	} else if run.has(&[], &["L1_offline"]) {
		let hour = Parameters::launch().slash.times(600);
		let stated = run.expected("L1_offline")?.as_str()?.starts_with("0.1% V per hour");
		run.same(
			"L1",
			format!("{:.21} {stated}", hour.saturating_add(Fixed::EPSILON.times(600))),
			"0.001000000000000000000 true".into(),
		);
		run.note("levels 2 to 4 are fractions of the slashing ledger, not formulas");
		Some(())
	} else if run.has(&["grace_days"], &[]) {
		run.skip("the withdrawal queue is the pool pallet's");
		Some(())
	} else if run.has(&[], &["phala_total+khala_total"]) {
		run.skip("one network, nothing to divide a common budget by");
		Some(())
	} else {
		None
	}
}

fn pool_reward(run: &mut Run) -> Option<()> {
	let reward = planck(run.input("reward")?)?;
	let rate = run.number("commission")?.of_floor(1_000_000_001) as u32;
	let (owner, rest) = commission(reward, Perbill::from_parts(rate));
	let holders: Option<Vec<_>> =
		run.input("delegations")?.as_array()?.iter().map(planck).collect();
	let holders = holders?;
	let mut rewards = Rewards::default();
	rewards.credit(rest, holders.iter().sum());
	let owed = |shares| Fixed::from_planck_floor(rewards.owed(shares, Fixed::ZERO));
	run.check("owner", Fixed::from_planck_floor(owner))?;
	match run.expected("each") {
		Some(serde_json::Value::Array(each)) => {
			for (shares, expected) in holders.iter().zip(each) {
				run.close("each", owed(*shares), number(expected)?);
			}
		}
		Some(each) => {
			for shares in &holders {
				run.close("each", owed(*shares), number(each)?);
			}
		}
		None => {}
	}
	Some(())
}

/// 720 000 PHA a day in the first period, three quarters of it in each that follows.
fn budget(run: &mut Run) -> Option<()> {
	let budget = Parameters::launch().budget;
	for row in run.expected("rows")?.as_array()? {
		let period = integer(row.get("n_by_formula")?)? as u32 - 1;
		let day = Fixed::from_planck_floor(budget.rate(period)).times(14_400);
		// A block's rate is whole planck: at most 14 400 planck less a day.
		let expected = number(row.get("daily_budget")?)?;
		let cut = Fixed::from_planck_floor(14_401);
		let holds = day <= expected && expected.saturating_sub(day) < cut;
		let text = |value: Fixed| format!("{value:.8}");
		run.outcome.fields.push((format!("n{}", period + 1), text(day), text(expected), holds));
	}
	run.note("ours starts a period every 180 days; the printed formula rounds days up");
	Some(())
}
