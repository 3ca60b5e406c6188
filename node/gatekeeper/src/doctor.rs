//! What is wrong, and what to do about it. What concerns attestation is the worker's doctor's business.

use crate::{
	election::Candidacy,
	engine::{Engine, Limits, World},
	finality::{self, Follower},
	registry,
	report::Report,
	settings::Settings,
	vault::{Folder, Vault},
	world::Real,
};
use phala_attestation::Role;
use phala_finality::Relay;
use phala_node_common::{
	board,
	chain::{Chain, ChainError},
	keystore::Keys,
};
use phala_worker::doctor::{self as worker, Verdict};
use rand::rngs::OsRng;
use std::{error::Error, sync::Arc};

pub use phala_worker::doctor::{Check, tell};

/// Relay-chain blocks before the end of a phase at which what is owed is urgent: four minutes.
const URGENT: u32 = 40;
/// Seconds of age of the newest final block that are worth a word.
const SLOW: u64 = 120;

const OTHER_CHAIN: &str = "the keys belong to another chain: correct rpc-url or state-dir";

/// Connects to the first node that answers.
pub async fn connect(settings: &Settings) -> Result<Chain, ChainError> {
	let mut last = None;
	for url in &settings.rpc_url {
		match Chain::connect(url).await {
			Ok(chain) => return Ok(chain),
			Err(error) => last = Some(error),
		}
	}
	Err(last.unwrap_or_else(|| ChainError::Connect {
		url: "nowhere".into(),
		cause: "no node is configured".into(),
	}))
}

/// What the chain says of this gatekeeper, and what it has; `None` if it has no keys yet. Changes
/// nothing.
pub async fn status(settings: &Settings) -> Result<Option<Report>, Box<dyn Error>> {
	let sealer = settings.sealer(&*settings.provider()?)?;
	let Some(keys) = Keys::load(&settings.state_dir, &sealer)? else { return Ok(None) };
	let chain = connect(settings).await?;
	if keys.chain != chain.id() {
		return Err(OTHER_CHAIN.into());
	}
	let sealer = Arc::new(sealer);
	let vault = || Vault::new(Folder(settings.state_dir.clone()), sealer.clone(), &keys);
	let relay = Follower::open(settings, chain.id().para_id, vault(), false)?;
	let mut world = Real::new(chain, &settings.witness_url).with_relay(relay);
	let rules = world.rules().await?;
	let limits = Limits { rules, max_age: settings.max_head_age };
	let vault = vault();
	let (nodes, mut engine) = (settings.relay_url.len(), Engine::new(keys, vault, limits, OsRng));
	let observed = with_each(nodes, async || engine.observe(&mut world).await).await;
	let (view, memory) = observed?;
	Ok(Some(Report::of(&view, &memory, world.clock())))
}

/// Tries as often as there are nodes, of which each failure makes the next one's turn.
async fn with_each<T, E>(
	nodes: usize,
	mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
	for _ in 1..nodes {
		if let Ok(found) = attempt().await {
			return Ok(found);
		}
	}
	attempt().await
}

/// Gathers and judges.
pub async fn examine(settings: &Settings) -> Vec<Check> {
	let attestation = settings.attestation();
	let facts = worker::gather_as(&attestation, Role::Gatekeeper, settings.provider()).await;
	let mut checks = worker::diagnose(&facts);
	checks.retain(|check| check.name != "mining");
	let (runtime, report) = keys(settings).await;
	checks.push(judge_runtime(&runtime));
	checks.push(judge_candidacy(&candidacy(settings).await));
	checks.push(judge_relay(&relay(settings).await));
	checks.extend(judge(settings, &report));
	checks
}

/// Does the program fit the runtime, and how are the keys?
async fn keys(settings: &Settings) -> (Result<u32, String>, Result<Option<Report>, String>) {
	let runtime = async {
		let state = connect(settings).await?.finalised().await?;
		state.ensure_fits(&[board::encodings(), registry::encodings()])?;
		let _: u32 = state.constant(board::PALLET, "RequestPeriod")?;
		Ok::<_, ChainError>(state.at.spec_version())
	};
	let runtime = runtime.await.map_err(|error| error.to_string());
	(runtime, status(settings).await.map_err(|error| error.to_string()))
}

/// Can it be elected? `None` if it has no keys yet.
async fn candidacy(settings: &Settings) -> Result<Option<Candidacy>, String> {
	let candidacy = async {
		let sealer = settings.sealer(&*settings.provider()?)?;
		let Some(keys) = Keys::load(&settings.state_dir, &sealer)? else { return Ok(None) };
		let state = connect(settings).await?.finalised().await?;
		Ok::<_, Box<dyn Error>>(Some(Candidacy::of(&state, &keys.worker()).await?))
	};
	candidacy.await.map_err(|error| error.to_string())
}

/// What is seen of the relay chain.
struct Followed {
	/// Number of the set that is followed.
	set: u64,
	/// The height that is final.
	height: u32,
	/// Whether trust began with a checkpoint rather than with a node's word.
	anchored: bool,
}

/// What is seen of the relay chain; `None` without a node of it.
async fn relay(settings: &Settings) -> Result<Option<Followed>, String> {
	if settings.relay_url.is_empty() {
		return Ok(None);
	}
	let relay = async {
		let sealer = settings.sealer(&*settings.provider()?)?;
		let keys = Keys::load(&settings.state_dir, &sealer)?;
		let id = connect(settings).await?.id();
		if keys.as_ref().is_some_and(|keys| keys.chain != id) {
			return Err(OTHER_CHAIN.into());
		}
		let (urls, checkpoint) = (&settings.relay_url, settings.checkpoint());
		let trusted = match &keys {
			Some(keys) => {
				let folder = Folder(settings.state_dir.clone());
				finality::trusted(&Vault::new(folder, Arc::new(sealer), keys), checkpoint)?
			}
			None => None,
		};
		let mut relay = Relay::new(urls, id.para_id, checkpoint, trusted);
		let head = with_each(urls.len(), async || relay.head().await).await?;
		let height = head.relay.number;
		let followed = relay.trusted().map(|trusted| {
			let (set, anchored) = (trusted.set_id, trusted.origin.is_some());
			Followed { set, height, anchored }
		});
		Ok::<_, Box<dyn Error>>(followed)
	};
	relay.await.map_err(|error| error.to_string())
}

fn check(name: &'static str, verdict: Verdict, found: String, remedy: &str) -> Check {
	Check { name, verdict, found, remedy: remedy.into() }
}

fn judge_runtime(runtime: &Result<u32, String>) -> Check {
	match runtime {
		Ok(version) => check("runtime", Verdict::Fine, format!("version {version} fits"), ""),
		Err(reason) => check("runtime", Verdict::Failure, reason.clone(), ""),
	}
}

fn judge_candidacy(candidacy: &Result<Option<Candidacy>, String>) -> Check {
	let name = "election";
	match candidacy {
		Err(reason) => check(name, Verdict::Attention, reason.clone(), ""),
		Ok(None) => check(name, Verdict::Fine, "not yet: the gatekeeper has no keys".into(), ""),
		Ok(Some(found @ Candidacy::Stands { .. })) => {
			check(name, Verdict::Fine, found.to_string(), "")
		}
		Ok(Some(found)) => check(name, Verdict::Attention, found.to_string(), found.remedy()),
	}
}

fn judge_relay(relay: &Result<Option<Followed>, String>) -> Check {
	let name = "relay";
	match relay {
		Ok(Some(Followed { set, height, anchored })) => {
			let found = format!("follows the finality of set {set} at height {height}");
			match anchored {
				true => check(name, Verdict::Fine, found, ""),
				false => check(
					name,
					Verdict::Attention,
					format!("{found}, from a block on that the node named"),
					"Give --relay-checkpoint 0x…, the hash of a final block of the relay chain, in the \
					 enclave's manifest or the unit, before the first start",
				),
			}
		}
		Ok(None) => check(
			name,
			Verdict::Attention,
			"none: whoever controls the node says which chain is final".into(),
			"Give --relay-url ws://… of a node of the relay chain, and --relay-checkpoint 0x…, in the \
			 enclave's manifest or the unit",
		),
		Err(reason) => check(
			name,
			Verdict::Failure,
			reason.clone(),
			"Nothing is done until it is known what is final",
		),
	}
}

/// Judges what was seen of finality, keys and ceremony.
fn judge(settings: &Settings, report: &Result<Option<Report>, String>) -> Vec<Check> {
	let report = match report {
		Ok(Some(report)) => report,
		Ok(None) => return vec![check("keys held", Verdict::Fine, "none yet".into(), "")],
		Err(reason) => return vec![check("keys held", Verdict::Failure, reason.clone(), "")],
	};
	let trust = match settings.witness_url.len() {
		0 if !settings.relay_url.is_empty() => check(
			"witnesses",
			Verdict::Fine,
			"none: the relay chain's validators say which chain is final".into(),
			"",
		),
		0 => check(
			"witnesses",
			Verdict::Attention,
			"none: whoever controls the node says which chain is final".into(),
			"Give --witness-url wss://… of nodes of others, in the enclave's manifest or the unit",
		),
		count => check("witnesses", Verdict::Fine, format!("{count} agree with the node"), ""),
	};
	let finality = match report.age {
		age if age <= SLOW => check(
			"finality",
			Verdict::Fine,
			format!("block {} is final, {age} s old", report.block),
			"",
		),
		age => check(
			"finality",
			Verdict::Attention,
			format!("the newest final block is {age} s from this machine's clock"),
			"Is the node synchronised, is the relay chain final, is the clock right?",
		),
	};
	vec![trust, finality, judge_keys(report), judge_ceremony(report)]
}

fn judge_keys(report: &Report) -> Check {
	let name = "keys held";
	let seats: Vec<_> = report.keys.iter().filter(|key| key.seat.is_some()).collect();
	if report.missing() > 0 {
		return check(
			name,
			Verdict::Failure,
			format!("{} of {} shares are missing", report.missing(), seats.len()),
			"If the gatekeeper was away while shares were dealt, give it an archive node (rpc-url) and \
			 wait; otherwise the next handover brings a new share. Until then it answers nobody",
		);
	}
	match (report.keys.len(), seats.len()) {
		(0, _) => check(name, Verdict::Fine, "there is no key yet".into(), ""),
		(_, 0) => check(
			name,
			Verdict::Fine,
			"no seat: it was not elected, or the handover to it is yet to come".into(),
			"",
		),
		(_, count) if report.sealed() > 0 => check(
			name,
			Verdict::Fine,
			format!(
				"{count} shares, {} of them sealed with guards, which only the running gatekeeper has: \
				 its metric waiting_guards says whether it waits for one",
				report.sealed()
			),
			"",
		),
		(_, count) => check(name, Verdict::Fine, format!("{count} shares, all in use"), ""),
	}
}

fn judge_ceremony(report: &Report) -> Check {
	let name = "ceremony";
	let Some(one) = &report.ceremony else {
		return check(name, Verdict::Fine, "none is under way".into(), "");
	};
	let found = format!("{}, {}, {}", one.number, one.purpose, one.name);
	if one.owed.is_empty() {
		return check(name, Verdict::Fine, found, "");
	}
	let remaining = one.remaining.unwrap_or(0);
	let found = format!("{found}; owed: {}, within {remaining} blocks", one.owed.join(", "));
	let verdict = if remaining <= URGENT { Verdict::Failure } else { Verdict::Attention };
	check(
		name,
		verdict,
		found,
		"Is the gatekeeper running, and attested? Its log says why a message is not taken. Who is late \
		 is slashed",
	)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::report::{Ceremony, Key};

	fn report() -> Report {
		let key = Key {
			epoch: 0,
			ceremony: 3,
			holders: 7,
			seat: Some(2),
			has_share: true,
			sealed: false,
		};
		Report {
			block: 100,
			age: 12,
			attested: true,
			epoch: Some(0),
			keys: vec![key],
			ceremony: None,
			waiting: 0,
			guards: vec![],
		}
	}

	fn verdict(name: &str, change: impl FnOnce(&mut Report)) -> Verdict {
		let mut report = report();
		change(&mut report);
		let checks = judge(&Settings::default(), &Ok(Some(report)));
		checks.into_iter().find(|check| check.name == name).unwrap().verdict
	}

	#[test]
	fn what_is_wrong_is_named() {
		assert_eq!(verdict("keys held", |_| {}), Verdict::Fine);
		assert_eq!(verdict("keys held", |one| one.keys[0].has_share = false), Verdict::Failure);
		let sealed = |one: &mut Report| {
			(one.keys[0].has_share, one.keys[0].sealed) = (false, true);
		};
		assert_eq!(verdict("keys held", sealed), Verdict::Fine);
		assert_eq!(verdict("keys held", |one| one.keys[0].seat = None), Verdict::Fine);
		assert_eq!(verdict("finality", |_| {}), Verdict::Fine);
		assert_eq!(verdict("finality", |one| one.age = 500), Verdict::Attention);
		assert_eq!(verdict("witnesses", |_| {}), Verdict::Attention);
		let failed = judge(&Settings::default(), &Err("no".into()));
		assert!(failed.iter().all(Check::is_failure));
		let fresh = judge(&Settings::default(), &Ok(None));
		assert!(!fresh.iter().any(Check::is_failure));
	}

	#[test]
	fn without_the_relay_chain_there_is_a_word_of_warning() {
		let followed = |anchored| judge_relay(&Ok(Some(Followed { set: 3, height: 50, anchored })));
		assert_eq!(followed(true).verdict, Verdict::Fine);
		let unanchored = followed(false);
		assert_eq!(unanchored.verdict, Verdict::Attention);
		assert!(unanchored.remedy.contains("--relay-checkpoint"));
		assert_eq!(judge_relay(&Ok(None)).verdict, Verdict::Attention);
		assert_eq!(judge_relay(&Err("no".into())).verdict, Verdict::Failure);
		let settings = Settings { relay_url: vec!["ws://a".into()], ..Settings::default() };
		let checks = judge(&settings, &Ok(Some(report())));
		let witnesses = checks.iter().find(|check| check.name == "witnesses").unwrap();
		assert_eq!(witnesses.verdict, Verdict::Fine);
	}

	#[tokio::test]
	async fn each_node_is_tried_before_it_fails() {
		for (nodes, last) in [(0, 1), (1, 1), (3, 3)] {
			let mut tried = 0;
			let failed = with_each(nodes, async || {
				tried += 1;
				Err::<(), _>(tried)
			});
			assert_eq!(failed.await, Err(last));
		}
		let mut tried = 0;
		let found = with_each(3, async || {
			tried += 1;
			if tried == 2 { Ok(tried) } else { Err(tried) }
		});
		assert_eq!(found.await, Ok(2));
		assert_eq!(tried, 2, "none is asked after it");
	}

	#[test]
	fn what_is_owed_is_urgent_in_the_end() {
		let ceremony = |remaining, owed: Vec<&'static str>| Ceremony {
			number: 4,
			purpose: "handover".into(),
			phase: 1,
			name: "committing",
			remaining: Some(remaining),
			deals: Some(1),
			receives: Some(1),
			owed,
			failed: false,
		};
		let of = |one| verdict("ceremony", |report| report.ceremony = Some(one));
		assert_eq!(of(ceremony(90, vec![])), Verdict::Fine);
		assert_eq!(of(ceremony(90, vec!["key"])), Verdict::Attention);
		assert_eq!(of(ceremony(20, vec!["key"])), Verdict::Failure);
		assert_eq!(verdict("ceremony", |_| {}), Verdict::Fine);
	}
}
