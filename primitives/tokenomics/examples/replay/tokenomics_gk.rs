//! Group `tokenomics-gk`: what gatekeepers computed.

use phala_tokenomics::{
	Accumulator, Answer, Fixed, PHA, Parameters, Session, Tier, Versions, performance, share,
};
use serde_json::Value;

use crate::{
	gatekeeper::{Gatekeeper, Heartbeat, Settled},
	number::{integer, number},
	suite::Run,
};

const FROZEN_SHARE: &str = "ours pays the frozen share from an accumulator, times confidence and \
	min(1, P_inst/P_bench), at most 0.05 % of V per hour";

pub fn run(run: &mut Run) -> Option<()> {
	if run.has(&["v_init"], &[]) || run.has(&["continues"], &[]) {
		scenario(run)
	} else if run.has(&["workers", "response_blocks"], &[]) {
		several_workers(run)
	} else if run.has(&["v", "p"], &["by_level"]) {
		shares(run)
	} else if run.has(&["v", "p_bench"], &[]) {
		one_step(run)
	} else if run.has(&["v"], &[]) {
		decay(run)
	} else if run.has(&[], &["settle", "payout"]) {
		stop(run)
	} else if run.has(&[], &["payout", "treasury"]) {
		no_payout(run)
	} else {
		None
	}
}

fn tier(value: Option<&Value>) -> Option<Tier> {
	value.map_or(Some(Tier::One), |v| Tier::try_from(integer(v)? as u8).ok())
}

/// The inputs of this vector after those that it continues, oldest first: up the chain of
/// `continues`, or, where a link is missing from the file, all before of the same source.
fn chain<'a>(run: &Run<'a>) -> Option<Vec<&'a Value>> {
	let vectors = run.file.get("vectors")?.as_array()?;
	let mut chain = vec![run.vector];
	while let Some(before) = chain[0].get("inputs")?.get("continues") {
		match vectors.iter().find(|v| v.get("id") == Some(before)) {
			Some(found) => chain.insert(0, found),
			None => {
				let position = vectors.iter().position(|v| v == chain[0])?;
				let source = chain[0].get("source")?;
				let same = vectors[..position].iter().filter(|v| v.get("source") == Some(source));
				chain.splice(0..0, same);
				break;
			}
		}
	}
	chain.into_iter().map(|vector| vector.get("inputs")).collect()
}

/// The numbers under any of some keys, each a number or a list, in the order of the keys.
fn numbers(inputs: &Value, keys: &[&str]) -> Option<Vec<u64>> {
	let lists = keys.iter().filter_map(|key| inputs.get(key)).map(|value| match value {
		Value::Array(items) => items.iter().map(integer).collect(),
		value => Some(vec![integer(value)?]),
	});
	Some(lists.collect::<Option<Vec<_>>>()?.concat())
}

const CHALLENGES: [&str; 4] =
	["challenge_block", "challenge", "challenge_blocks", "second_challenge"];
const RESPONSES: [&str; 4] =
	["response_block", "heartbeat_block", "late_response", "second_response"];

/// All challenges and heartbeats of one worker.
fn scenario(run: &mut Run) -> Option<()> {
	let chain = chain(run)?;
	let first = *chain.first()?;
	let start = integer(first.get("start_block")?)? as u32;
	let bench = integer(first.get("p_init").or(first.get("p"))?)? as u32;
	let mut gk = Gatekeeper::new(run.parameters()?);
	gk.pass_to(start - 1);
	gk.start(number(first.get("v_init")?)?, bench, tier(first.get("confidence"))?);
	gk.pass_to(start);

	let (mut settled, mut before) = (Vec::new(), None);
	for inputs in chain {
		let mut challenges = numbers(inputs, &CHALLENGES)?;
		let responses = numbers(inputs, &RESPONSES)?;
		let mut counts = numbers(inputs, &["iterations"])?;
		let mut heartbeats = challenges.clone();
		if let Some(heartbeat) = inputs.get("heartbeat") {
			heartbeats.push(integer(heartbeat.get("challenge_block")?)?);
			counts.push(integer(heartbeat.get("iterations")?)?);
		}
		// Several challenges may be answered in one block; counts not given are those of P_bench.
		let answers = heartbeats.iter().enumerate().filter_map(|(i, challenge)| {
			let response = *responses.get(i).or(responses.last())? as u32;
			let fair = bench as u64 * 2 * (challenge - start as u64);
			let iterations = counts.get(i).copied().unwrap_or(fair);
			Some((response, Heartbeat { worker: 0, challenge: *challenge as u32, iterations }))
		});
		let answers: Vec<_> = answers.collect();
		let idle = numbers(inputs, &["idle_blocks", "blocks"])?.iter().sum::<u64>() as u32;
		let end = challenges.iter().chain(&responses).max();
		let end = end.map_or(gk.block + idle, |block| *block as u32);
		challenges.retain(|block| *block > gk.block.into());
		while gk.block < end {
			let block = gk.block + 1;
			let beats: Vec<_> = answers.iter().filter(|a| a.0 == block).map(|a| a.1).collect();
			if !beats.is_empty() && before.is_none() {
				before = Some(gk.workers[0].clone());
			}
			let challenged = challenges.contains(&block.into()).then_some(0);
			let paid = gk.pass(&beats, challenged.as_slice());
			if inputs.get("late_response").and_then(integer) == Some(block.into()) {
				run.check("v_in_recover_block", gk.workers[0].v)?;
				run.check("recover_settles", Fixed::from_u32(paid.len() as u32))?;
			}
			settled.extend(paid);
		}
	}
	let worker = gk.workers[0].clone();
	run.check("v", worker.v)?;
	run.check("v_after", worker.v)?;
	run.check("second_v", worker.v)?;
	run.check("v_deductible", worker.deductible)?;
	run.check("v_deductible_after", worker.deductible)?;
	if let Some(before) = before {
		run.check("v_before_payout", before.v)?;
		run.check("v_before_recover", before.v)?;
		run.check("v_deductible_before", before.deductible)?;
	}
	if let Some(paid) = settled.last() {
		run.check("p_instant", worker.performance)?;
		run.check("payout", paid.payout)?;
		run.check("second_payout", paid.payout)?;
		run.check("treasury", paid.treasury)?;
		run.check("blocks_paid", Fixed::from_u32(paid.blocks))?;
		run.note(FROZEN_SHARE);
	}
	if run.input("late_response").is_some() {
		run.note("ours forfeits the growth of the missed interval, and returns after probation");
	}
	if run.expected("v_deductible_before").is_some() {
		run.note("ours caps growth with V: V stays at V_max, where the reference drops it");
	}
	if let Some(Value::Array(expected)) = run.expected("settle") {
		settlements(run, &settled, expected)?;
	}
	Some(())
}

fn settlements(run: &mut Run, settled: &[Settled], expected: &[Value]) -> Option<()> {
	run.same("settle", settled.len(), expected.len());
	for (paid, expected) in settled.iter().zip(expected) {
		run.close("v", paid.v, number(expected.get("v")?)?);
		run.close("payout", paid.payout, number(expected.get("payout")?)?);
		run.close("treasury", paid.treasury, number(expected.get("treasury")?)?);
	}
	Some(())
}

fn several_workers(run: &mut Run) -> Option<()> {
	let start = run.integer("start_block")? as u32;
	let mut gk = Gatekeeper::new(run.parameters()?);
	gk.pass_to(start - 1);
	let workers = run.input("workers")?.as_array()?;
	for worker in workers {
		let bench = integer(worker.get("p")?)? as u32;
		gk.start(number(worker.get("v_init")?)?, bench, tier(worker.get("confidence"))?);
	}
	let challenge = run.integer("challenge_block")? as u32;
	let iterations = run.input("iterations")?.as_array()?;
	let responses = run.input("response_blocks")?.as_array()?;
	let all: Vec<_> = (0..workers.len()).collect();
	let last = responses.iter().filter_map(integer).max()? as u32;
	let mut sum = Fixed::ZERO;
	while gk.block < last {
		let block = gk.block + 1;
		let mut beats = Vec::new();
		for (worker, (response, count)) in responses.iter().zip(iterations).enumerate() {
			if integer(response)? as u32 == block {
				beats.push(Heartbeat { worker, challenge, iterations: integer(count)? });
			}
		}
		let challenged = if block == challenge { all.as_slice() } else { &[] };
		let settled = gk.pass(&beats, challenged);
		for (beat, paid) in beats.iter().zip(settled) {
			let expected = run.expected(&format!("worker{}", beat.worker))?;
			run.close("v", paid.v, number(expected.get("v")?)?);
			run.close("payout", paid.payout, number(expected.get("payout")?)?);
			run.close("treasury", paid.treasury, number(expected.get("treasury")?)?);
			sum = sum.saturating_add(paid.payout).saturating_add(paid.treasury);
		}
	}
	run.check("sum_paid", sum)?;
	run.note(FROZEN_SHARE);
	run.note("the reference's total is not the budget that elapsed; ours never exceeds it");
	Some(())
}

fn one_step(run: &mut Run) -> Option<()> {
	let p = run.parameters()?;
	let (v, bench) = (run.number("v")?, run.integer("p_bench")? as u32);
	let now = run.number("p_instant").unwrap_or(Fixed::from_u32(bench));
	let m = performance::multiplier(now, bench);
	let grown = p.grown(v, bench, m, 1);
	let uncapped = Parameters { v_max: Fixed::MAX, ..p };
	let growth = uncapped.grown(v, bench, m, 1).saturating_sub(v);
	run.check("v", grown)?;
	run.check("v_deductible", growth)?;
	run.check("delta_v", growth)
}

fn shares(run: &mut Run) -> Option<()> {
	let (v, p) = (run.number("v")?, run.number("p")?);
	for row in run.expected("by_level")?.as_array()? {
		let level = integer(row.get("confidence")?)?;
		match Tier::try_from(level as u8) {
			Ok(tier) => {
				let expected = number(row.get("share")?)?;
				run.close(&format!("share{level}"), share(v, p, tier), expected);
			}
			Err(_) => run.note(format!("ours refuses tier {level}: it has no share at all")),
		}
	}
	Some(())
}

fn decay(run: &mut Run) -> Option<()> {
	let (p, v) = (run.parameters()?, run.number("v")?);
	for (key, expected) in run.vector.get("expect")?.as_object()? {
		let steps = key.strip_prefix("after_")?.parse().ok()?;
		run.close(key, v.mul_floor(p.retained(steps)), number(expected)?);
	}
	Some(())
}

/// A session of ours, an hour old, with another beside it.
fn hour_old(run: &Run) -> Option<(Session, Accumulator, Versions)> {
	let mut acc = Accumulator::new(0);
	let mut versions = Versions::new(run.parameters()?, acc.now()).ok()?;
	let start =
		|acc: &mut Accumulator| Session::start(5_000 * PHA, 1_000, Tier::One, acc, &versions).ok();
	let session = start(&mut acc)?;
	start(&mut acc)?;
	for block in 1..=300 {
		acc.advance(block, true, &mut versions);
	}
	Some((session, acc, versions))
}

const ANSWER: Answer =
	Answer { performance: Fixed::from_u32(1_000), tier: Some(Tier::One), serving: false };

fn stop(run: &mut Run) -> Option<()> {
	let (mut session, mut acc, versions) = hour_old(run)?;
	let v = session.v();
	session.stop(&mut acc, &versions).ok()?;
	run.same("settle", 1, integer(run.expected("settle")?)?);
	run.check("payout", Fixed::from_planck_floor(acc.paid()))?;
	run.check("treasury", Fixed::from_planck_floor(acc.treasury()))?;
	run.same("v", session.v(), v);
	run.note("ours issues a settling challenge first: who answers it is paid up to the stop");
	Some(())
}

/// No payout without a share, without Σshare, or twice in a block.
fn no_payout(run: &mut Run) -> Option<()> {
	let (mut session, mut acc, versions) = hour_old(run)?;
	let expired = Answer { tier: None, ..ANSWER };
	let mut paid = Vec::new();
	session.settle(&ANSWER, u128::MAX, &mut acc, &versions).ok()?;
	for answer in [ANSWER, expired, ANSWER] {
		paid.push(session.settle(&answer, u128::MAX, &mut acc, &versions).ok()?);
	}
	let mut empty = Accumulator::new(0);
	empty.advance(20, true, &mut versions.clone());
	let payout: u128 = paid.iter().map(|s| s.pool).sum::<u128>() + empty.outstanding();
	let treasury: u128 = paid.iter().map(|s| s.treasury).sum();
	run.check("payout", Fixed::from_planck_floor(payout))?;
	run.check("treasury", Fixed::from_planck_floor(treasury))?;
	run.note("ours also pays where V did not grow: pay is for the share, not for growth");
	Some(())
}
