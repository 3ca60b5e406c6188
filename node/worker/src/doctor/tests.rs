//! Every failure gets its own words and its remedy.

use super::*;
use crate::mining::{
	pallet::SessionState,
	position::tests::{reason, session},
};
use sp_core::H256;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn id() -> ChainId {
	ChainId { genesis: H256::repeat_byte(1), para_id: 2_035 }
}

fn registered() -> Registered {
	Registered {
		is_ours: true,
		counts: true,
		attested_at: NOW - DAY,
		expires_at: NOW + 6 * DAY,
		scored_at: Some(1),
		endpoint: None,
		endpoint_sequence: 0,
	}
}

fn issue(number: u32, until: u64) -> Issue {
	Issue { number, until }
}

/// An item that is on chain until then.
fn has(until: u64) -> Held {
	Held { current: Some(issue(17, until)), waiting: None }
}

fn healthy() -> Facts {
	let held = has(NOW + 20 * DAY);
	Facts {
		state: Some(Ok("/state".into())),
		tee: Some(Ok((Tee::Tdx, false))),
		keys: Some(Ok(("sealing secret".into(), Some(("0a".into(), id()))))),
		swaps: vec![],
		account: Some(Ok("5Grw".into())),
		chain: Some(Ok(ChainFacts {
			url: "ws://n".into(),
			id: id(),
			height: 7,
			time: NOW,
			shape: Ok(()),
		})),
		clock: NOW + 20,
		balance: Some(Ok((100 * PHA, PHA / 100))),
		quote: Some(Ok(QuoteFacts {
			millis: 5,
			measurement: "ab".into(),
			fmspc: "00906ED50000".into(),
			pck_expires: NOW + 1_000 * DAY,
		})),
		held: Some(Ok(Item::ALL.map(|item| (item, held)).to_vec())),
		number: 17,
		source: Some(Ok((
			"https://pccs".into(),
			Item::ALL.map(|item| (item, issue(17, NOW + 29 * DAY))).to_vec(),
		))),
		verdict: Some(Ok(NOW + 7 * DAY)),
		worker: Some(Some(registered())),
		mining: Some(Ok(computing(&[]))),
	}
}

/// A worker that mines, with these reasons why it is not paid in full.
fn computing(unpaid: &[&str]) -> MiningFacts {
	let position = Position {
		session: Some(session(SessionState::Computing)),
		pending: None,
		unpaid: unpaid.iter().map(|name| reason(name)).collect(),
	};
	MiningFacts::Standing { position: Box::new(position), minimum: None, deadline: None }
}

/// The one check that `change` makes differ from a healthy worker.
fn changed(change: impl FnOnce(&mut Facts)) -> Check {
	let mut facts = healthy();
	change(&mut facts);
	let mut differing: Vec<_> = diagnose(&facts)
		.into_iter()
		.zip(diagnose(&healthy()))
		.filter_map(|(new, old)| (new != old).then_some(new))
		.collect();
	assert_eq!(differing.len(), 1, "{differing:?}");
	differing.remove(0)
}

#[track_caller]
fn expect(check: Check, name: &str, verdict: Verdict, words: &[&str]) {
	let text = check.to_string();
	assert_eq!((check.name, check.verdict), (name, verdict), "{text}");
	for word in words {
		assert!(text.contains(word), "`{word}` is not in: {text}");
	}
}

fn hold(facts: &mut Facts, item: Item, held: Held) {
	let Some(Ok(all)) = &mut facts.held else { unreachable!("healthy") };
	all.iter_mut().find(|(one, _)| *one == item).unwrap().1 = held;
}

fn chain(facts: &mut Facts) -> &mut ChainFacts {
	facts.chain.as_mut().unwrap().as_mut().unwrap()
}

#[test]
fn a_healthy_worker_needs_nothing() {
	for check in diagnose(&healthy()) {
		assert_eq!((check.verdict, check.remedy.as_str()), (Verdict::Fine, ""), "{check}");
	}
}

#[test]
fn errors_pass_with_their_own_remedy() {
	fn broken<T>() -> Option<Fact<T>> {
		Some(Err("broken: do this".into()))
	}
	type Change = fn(&mut Facts);
	let changes: [(&str, Change); 8] = [
		("state", |facts| facts.state = broken()),
		("tee", |facts| facts.tee = broken()),
		("account", |facts| facts.account = broken()),
		("keys", |facts| facts.keys = broken()),
		("quote", |facts| facts.quote = broken()),
		("balance", |facts| facts.balance = broken()),
		("attestation", |facts| facts.verdict = broken()),
		("mining", |facts| facts.mining = broken()),
	];
	for (name, change) in changes {
		expect(changed(change), name, Verdict::Failure, &["FAIL", "broken: do this"]);
	}
}

#[test]
fn what_depends_on_a_failure_is_skipped_not_blamed() {
	let facts = Facts { tee: Some(Err("no TEE".into())), ..Facts::default() };
	let checks = diagnose(&facts);
	assert_eq!(checks.iter().filter(|check| check.is_failure()).count(), 1);
	assert!(checks.iter().any(|check| check.verdict == Verdict::Skipped));
}

#[test]
fn a_simulated_tee_is_no_real_one() {
	let check = changed(|facts| facts.tee = Some(Ok((Tee::Sgx, true))));
	expect(check, "tee", Verdict::Attention, &["simulated SGX", "development"]);
}

#[test]
fn an_expired_platform_certificate_is_named() {
	let check = changed(|facts| {
		let Some(Ok(quote)) = &mut facts.quote else { unreachable!("healthy") };
		quote.pck_expires = NOW;
	});
	expect(check, "quote", Verdict::Failure, &["register the platform with Intel"]);
}

#[test]
fn a_runtime_without_the_registry_is_named() {
	let check = changed(|facts| chain(facts).shape = Err("lacks pallet WorkerRegistry".into()));
	expect(check, "chain", Verdict::Failure, &["ws://n", "WorkerRegistry"]);
}

#[test]
fn keys_of_another_chain_are_named_and_none_are_fine() {
	let mut other = id();
	other.para_id = 7;
	let check = changed(|facts| {
		facts.keys = Some(Ok(("sealing secret".into(), Some(("0a".into(), other)))));
	});
	expect(check, "keys", Verdict::Failure, &["para 7", "another state folder"]);
	let check = changed(|facts| facts.keys = Some(Ok(("sealing secret".into(), None))));
	expect(check, "keys", Verdict::Fine, &["none yet"]);
}

#[test]
fn keys_in_memory_that_may_be_swapped_deserve_a_word() {
	let check = changed(|facts| facts.swaps = vec!["/dev/vda2".into()]);
	expect(check, "keys", Verdict::Attention, &["worker 0a", "/dev/vda2", "MemorySwapMax=0"]);
}

#[test]
fn a_wrong_clock_is_a_failure_but_not_on_a_development_chain() {
	expect(
		changed(|facts| facts.clock = NOW + 7_200),
		"clock",
		Verdict::Failure,
		&["7200 s behind", "chrony"],
	);
	expect(changed(|facts| facts.clock = NOW - 301), "clock", Verdict::Failure, &["301 s ahead"]);
	let mut facts = healthy();
	(facts.clock, facts.tee) = (NOW + 7_200, Some(Ok((Tee::Tdx, true))));
	let clock = diagnose(&facts).into_iter().find(|check| check.name == "clock").unwrap();
	expect(clock, "clock", Verdict::Attention, &["development chain"]);
}

#[test]
fn money_runs_out_in_two_steps() {
	let check = changed(|facts| facts.balance = Some(Ok((PHA / 200, PHA / 100))));
	expect(check, "balance", Verdict::Failure, &["0.0050 PHA free", "0.0100 PHA", "Send PHA"]);
	let check = changed(|facts| facts.balance = Some(Ok((PHA / 10, PHA / 100))));
	expect(check, "balance", Verdict::Attention, &["fewer than 20"]);
}

#[test]
fn collateral_in_every_state_of_chain_and_source() {
	let none = Held::default();
	// Missing on chain, there at the source.
	let check = changed(|facts| hold(facts, Item::TcbInfo, none));
	expect(check, "collateral", Verdict::Fine, &["lacks TcbInfo", "will submit"]);
	// Expired on chain, the source is away.
	let check = changed(|facts| {
		hold(facts, Item::PckCrl, has(NOW));
		facts.source = Some(Err("GET https://pccs: refused. Run a PCCS".into()));
	});
	expect(check, "collateral", Verdict::Failure, &["lacks PckCrl", "Run a PCCS"]);
	// Expired at the source too.
	let check = changed(|facts| {
		hold(facts, Item::QeIdentity, none);
		let Some(Ok((_, items))) = &mut facts.source else { unreachable!("healthy") };
		items.iter_mut().for_each(|(_, issue)| issue.until = NOW);
	});
	expect(check, "collateral", Verdict::Failure, &["lacks QeIdentity", "has ended"]);
	// The source is behind the chain.
	let newer = Held { current: Some(issue(18, NOW)), waiting: None };
	let check = changed(|facts| hold(facts, Item::TcbInfo, newer));
	expect(check, "collateral", Verdict::Failure, &["lacks TcbInfo", "evaluation number is below"]);
	// What else it has will have to wait.
	let check = changed(|facts| {
		hold(facts, Item::TcbInfo, newer);
		facts.number = 18;
		let Some(Ok((_, items))) = &mut facts.source else { unreachable!("healthy") };
		items.push((Item::TcbInfo, issue(19, NOW + 29 * DAY)));
	});
	expect(check, "collateral", Verdict::Failure, &["lacks TcbInfo", "evaluation number is below"]);
	// Uploaded, but not in force.
	let waiting = Held { current: None, waiting: Some(issue(17, NOW + 29 * DAY)) };
	let check = changed(|facts| hold(facts, Item::TcbInfo, waiting));
	expect(check, "collateral", Verdict::Failure, &["TcbInfo waits", "governance"]);
	// A later one waits, and that in force has to be renewed.
	let early = Held { waiting: Some(issue(18, NOW + 29 * DAY)), ..has(NOW) };
	let check = changed(|facts| hold(facts, Item::TcbInfo, early));
	expect(check, "collateral", Verdict::Fine, &["lacks TcbInfo", "will submit"]);
	// Runs out soon.
	let soon = has(NOW + DAY);
	let check = changed(|facts| hold(facts, Item::RootCrl, soon));
	expect(check, "collateral", Verdict::Fine, &["24 h", "will renew"]);
	let check = changed(|facts| {
		hold(facts, Item::RootCrl, soon);
		facts.source = Some(Err("away".into()));
	});
	expect(check, "collateral", Verdict::Attention, &["24 h", "away"]);
}

#[test]
fn attestation_in_every_state() {
	let with = |worker: Option<Registered>| changed(|facts| facts.worker = Some(worker));
	expect(with(None), "attestation", Verdict::Fine, &["not registered", "168 h"]);
	let foreign = Registered { is_ours: false, ..registered() };
	expect(with(Some(foreign)), "attestation", Verdict::Failure, &["another account"]);
	let lapsed = Registered { counts: false, ..registered() };
	expect(with(Some(lapsed)), "attestation", Verdict::Attention, &["lapsed", "Start the worker"]);
	let due = Registered { expires_at: NOW + DAY, attested_at: NOW - 6 * DAY, ..registered() };
	expect(with(Some(due)), "attestation", Verdict::Attention, &["24 h", "renewal is due"]);
}

#[test]
fn mining_in_every_state() {
	let with = |mining: MiningFacts| changed(|facts| facts.mining = Some(Ok(mining)));
	expect(with(MiningFacts::NoKeys), "mining", Verdict::Fine, &["no keys"]);
	let none = MiningFacts::None("lacks pallet Mining".into());
	expect(with(none), "mining", Verdict::Attention, &["lacks pallet Mining", "can be attested"]);
	// What nobody can change is told, and is no finding.
	let check = with(computing(&["AwaitsAnswer", "Capped"]));
	expect(check, "mining", Verdict::Fine, &["session 7 computing", "AwaitsAnswer; Capped"]);
	let check = with(computing(&["Capped", "Quality", "NotAttested"]));
	expect(check, "mining", Verdict::Attention, &["leave the machine", "`attestation`"]);
	let position = Position { session: None, pending: None, unpaid: vec![reason("NoSession")] };
	let position = Box::new(position);
	let idle = MiningFacts::Standing { position, minimum: Some(1_000 * PHA), deadline: None };
	expect(
		with(idle),
		"mining",
		Verdict::Attention,
		&["no session", "start with 1000.000000 PHA", "phala-worker key"],
	);
	let MiningFacts::Standing { position, .. } = computing(&[]) else { unreachable!("it mines") };
	let asked = MiningFacts::Standing { position, minimum: None, deadline: Some(84) };
	expect(with(asked), "mining", Verdict::Fine, &["84 s to answer"]);
}

#[test]
fn every_reason_that_an_operator_can_change_has_a_remedy() {
	for name in [
		"NoSession",
		"Ended",
		"Unresponsive",
		"NotAttested",
		"AttestationLapsed",
		"NoShare",
		"Quality",
	] {
		let reason = reason(name);
		assert!(reason.is_operators(), "{name}");
		assert!(!reason.remedy().contains("newer version"), "{name}");
	}
}

#[test]
fn a_quote_is_not_blamed_for_missing_collateral() {
	let mut facts = healthy();
	hold(&mut facts, Item::TcbInfo, Held::default());
	facts.verdict = Some(Err("the chain would refuse the quote now: no TCB info".into()));
	let checks = diagnose(&facts);
	assert!(!checks.iter().any(Check::is_failure), "the worker will submit it: {checks:?}");
	let attestation = checks.into_iter().find(|check| check.name == "attestation").unwrap();
	expect(attestation, "attestation", Verdict::Skipped, &["before the collateral", "no TCB info"]);
}

#[test]
fn json_has_the_same_content() {
	let check = changed(|facts| facts.balance = Some(Ok((0, PHA))));
	let value: serde_json::Value = serde_json::from_str(&check.json()).unwrap();
	assert_eq!((&value["check"], &value["verdict"]), (&json!("balance"), &json!("failure")));
	assert_eq!(value["remedy"], "Send PHA to the account that signs");
}
