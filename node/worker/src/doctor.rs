//! What is wrong, and what to do about it: facts are gathered first, then judged by a pure function.

mod gather;

use crate::{
	collateral::{Held, Issue},
	journal::Item,
	mining::position::{Position, pha},
	plan::Registered,
};
use phala_attestation::Tee;
use phala_primitives::ChainId;
use serde_json::json;
use std::{fmt, process::ExitCode};

pub use gather::{gather, gather_as};

/// Seconds by which this machine's clock may differ from the chain's. Blocks come every few seconds
/// and become final within a minute or two.
const CLOCK_TOLERANCE: u64 = 300;
/// Seconds before its expiry at which collateral or an attestation is worth a word.
const SOON: u64 = 2 * 86_400;
/// Smallest units of a PHA.
const PHA: u128 = 1_000_000_000_000;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
	/// As it should be.
	Fine,
	/// The worker works, but something deserves attention.
	Attention,
	/// The worker cannot work.
	Failure,
	/// Something before it has to be mended first.
	Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
	/// What was checked.
	pub name: &'static str,
	/// How it ended.
	pub verdict: Verdict,
	/// What was found.
	pub found: String,
	/// What to do; empty if nothing.
	pub remedy: String,
}

impl Check {
	/// Whether the worker cannot work.
	pub fn is_failure(&self) -> bool {
		self.verdict == Verdict::Failure
	}

	/// As one line of JSON.
	pub fn json(&self) -> String {
		let verdict = format!("{:?}", self.verdict).to_lowercase();
		json!({ "check": self.name, "verdict": verdict, "found": self.found, "remedy": self.remedy })
			.to_string()
	}
}

/// Prints the checks, as JSON if wanted. The exit code says whether one of them failed.
pub fn tell(checks: &[Check], json: bool) -> ExitCode {
	for check in checks {
		if json {
			println!("{}", check.json());
		} else {
			println!("{check}");
		}
	}
	if checks.iter().any(Check::is_failure) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

impl fmt::Display for Check {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let verdict = match self.verdict {
			Verdict::Fine => "ok",
			Verdict::Attention => "NOTE",
			Verdict::Failure => "FAIL",
			Verdict::Skipped => "-",
		};
		write!(f, "{verdict:4}  {:11}  {}", self.name, self.found)?;
		if !self.remedy.is_empty() {
			write!(f, "\n                   → {}", self.remedy)?;
		}
		Ok(())
	}
}

/// A fact, or why it could not be had. Errors name their remedy themselves.
pub type Fact<T> = Result<T, String>;

/// What seals, and if there is a key: the worker's, in hexadecimal, and its chain.
pub type KeyFacts = (String, Option<(String, ChainId)>);

/// Name of a source of collateral, and what it has of each item.
pub type SourceFacts = (String, Vec<(Item, Issue)>);

/// Everything that is judged. `None`: could not even be tried.
#[derive(Clone, Debug, Default)]
pub struct Facts {
	/// The state folder can be used.
	pub state: Option<Fact<String>>,
	/// The TEE, and whether it is simulated.
	pub tee: Option<Fact<(Tee, bool)>>,
	/// How keys are sealed, and the worker's key with its chain if there is one.
	pub keys: Option<Fact<KeyFacts>>,
	/// Where memory may be swapped to, if keys are protected by nothing but being in memory.
	pub swaps: Vec<String>,
	/// Address of the account that signs.
	pub account: Option<Fact<String>>,
	/// The chain.
	pub chain: Option<Fact<ChainFacts>>,
	/// This machine's clock, in Unix seconds.
	pub clock: u64,
	/// Free balance and what the next transaction takes, in the smallest unit.
	pub balance: Option<Fact<(u128, u128)>>,
	/// The quote.
	pub quote: Option<Fact<QuoteFacts>>,
	/// What the chain holds of each item of collateral.
	pub held: Option<Fact<Vec<(Item, Held)>>>,
	/// Evaluation number in force; zero if there is none.
	pub number: u32,
	/// Name of the source of collateral, and what it has of each item.
	pub source: Option<Fact<SourceFacts>>,
	/// The chain's judgement of the quote: when the attestation would expire.
	pub verdict: Option<Fact<u64>>,
	/// The worker's record.
	pub worker: Option<Option<Registered>>,
	/// How it stands in mining.
	pub mining: Option<Fact<MiningFacts>>,
}

/// What is known of mining.
#[derive(Clone, Debug)]
pub enum MiningFacts {
	/// The runtime has none that this program understands.
	None(String),
	/// There are no keys yet.
	NoKeys,
	/// How the worker stands.
	Standing {
		/// Its position.
		position: Box<Position>,
		/// Planck with which it could start.
		minimum: Option<u128>,
		/// Seconds left to answer the challenge that is open.
		deadline: Option<u64>,
	},
}

/// What is known of the chain.
#[derive(Clone, Debug)]
pub struct ChainFacts {
	/// The node.
	pub url: String,
	/// Which chain it is.
	pub id: ChainId,
	/// Newest finalised block.
	pub height: u32,
	/// Its time, in Unix seconds.
	pub time: u64,
	/// Whether the runtime has what is needed.
	pub shape: Fact<()>,
}

/// What is known of a quote.
#[derive(Clone, Debug)]
pub struct QuoteFacts {
	/// How long it took.
	pub millis: u128,
	/// Measurement, in hexadecimal.
	pub measurement: String,
	/// Platform family, in hexadecimal.
	pub fmspc: String,
	/// Unix second at which the PCK certificate expires.
	pub pck_expires: u64,
}

/// Gathers and judges.
pub async fn examine(settings: &crate::settings::Settings) -> Vec<Check> {
	diagnose(&gather(settings).await)
}

/// Judges.
pub fn diagnose(facts: &Facts) -> Vec<Check> {
	let now = facts.chain.as_ref().and_then(|chain| chain.as_ref().ok()).map(|chain| chain.time);
	let simulated = matches!(facts.tee, Some(Ok((_, true))));
	vec![
		judge("state", &facts.state, |folder| fine(folder.clone())),
		judge("tee", &facts.tee, |(tee, simulated)| {
			if *simulated {
				let remedy =
					"For development chains only: a chain that trusts Intel's root refuses it";
				return attention(format!("simulated {tee}"), remedy);
			}
			fine(tee.to_string())
		}),
		judge("quote", &facts.quote, |quote| judge_quote(quote, now)),
		judge("account", &facts.account, |address| fine(address.clone())),
		judge("chain", &facts.chain, |chain| match &chain.shape {
			Err(reason) => failure(chain.url.clone(), reason),
			Ok(()) => {
				let ChainId { genesis, para_id } = chain.id;
				let ChainFacts { url, height, .. } = chain;
				fine(format!("{url}, finalised {height}, genesis {genesis:?}, para {para_id}"))
			}
		}),
		judge("keys", &facts.keys, |(sealer, key)| {
			let chain = facts.chain.as_ref().and_then(|chain| chain.as_ref().ok());
			judge_keys(sealer, key.as_ref(), chain.map(|chain| chain.id), &facts.swaps)
		}),
		judge("clock", &now.map(Ok), |now| judge_clock(*now, facts.clock, simulated)),
		judge("balance", &facts.balance, |(free, need)| judge_balance(*free, *need)),
		judge_collateral(facts, now),
		judge_verdict(facts, now),
		judge("mining", &facts.mining, judge_mining),
	]
}

type Finding = (Verdict, String, String);

fn fine(found: impl Into<String>) -> Finding {
	(Verdict::Fine, found.into(), String::new())
}

fn attention(found: impl Into<String>, remedy: impl Into<String>) -> Finding {
	(Verdict::Attention, found.into(), remedy.into())
}

fn failure(found: impl Into<String>, remedy: impl Into<String>) -> Finding {
	(Verdict::Failure, found.into(), remedy.into())
}

fn judge<T>(
	name: &'static str,
	fact: &Option<Fact<T>>,
	judge: impl FnOnce(&T) -> Finding,
) -> Check {
	let (verdict, found, remedy) = match fact {
		None => (Verdict::Skipped, "not checked".into(), "Mend what fails above first".into()),
		Some(Err(reason)) => (Verdict::Failure, reason.clone(), String::new()),
		Some(Ok(fact)) => judge(fact),
	};
	Check { name, verdict, found, remedy }
}

fn judge_quote(quote: &QuoteFacts, now: Option<u64>) -> Finding {
	let QuoteFacts { millis, measurement, fmspc, pck_expires } = quote;
	let found = format!("in {millis} ms, measurement 0x{measurement}, FMSPC {fmspc}");
	if now.is_some_and(|now| *pck_expires <= now) {
		return failure(
			found,
			format!(
				"The platform's PCK certificate expired at Unix second {pck_expires}: register the \
				 platform with Intel again (PCKIDRetrievalTool, or the BIOS's SGX factory reset)"
			),
		);
	}
	fine(found)
}

fn judge_keys(
	sealer: &str,
	key: Option<&(String, ChainId)>,
	connected: Option<ChainId>,
	swaps: &[String],
) -> Finding {
	let found = match (key, connected) {
		(None, _) => format!("none yet; they will be sealed with the {sealer}"),
		(Some((worker, chain)), Some(connected)) if *chain != connected => {
			return failure(
				format!(
					"worker {worker} is sealed for genesis {:?}, para {}",
					chain.genesis, chain.para_id
				),
				"Connect to a node of that chain, or use another state folder for this one",
			);
		}
		(Some((worker, _)), _) => format!("worker {worker}, sealed with the {sealer}"),
	};
	if swaps.is_empty() {
		return fine(found);
	}
	attention(
		format!("{found}, which may be swapped to {}", swaps.join(", ")),
		"Turn swapping off (swapoff -a), or run the program with MemorySwapMax=0, as its unit does",
	)
}

fn judge_clock(chain: u64, own: u64, simulated: bool) -> Finding {
	let difference = chain.abs_diff(own);
	let relation = if own > chain { "behind" } else { "ahead of" };
	let found = format!("the chain's clock is {difference} s {relation} this machine's");
	if difference <= CLOCK_TOLERANCE {
		return fine(found);
	}
	if simulated {
		return attention(
			found,
			"A development chain has a clock of its own; simulated collateral follows it",
		);
	}
	failure(
		found,
		"Set this machine's clock (chrony, systemd-timesyncd). If it is right, the node is not synced \
		 or the chain stands still: compare its newest block with an explorer",
	)
}

fn judge_balance(free: u128, need: u128) -> Finding {
	let pha = |amount: u128| format!("{}.{:04} PHA", amount / PHA, amount % PHA / (PHA / 10_000));
	let found = format!("{} free, the next transaction takes about {}", pha(free), pha(need));
	if free < need {
		return failure(found, "Send PHA to the account that signs");
	}
	if free < need.saturating_mul(20) {
		return attention(found, "Enough for fewer than 20 transactions: send PHA soon");
	}
	fine(found)
}

fn judge_collateral(facts: &Facts, now: Option<u64>) -> Check {
	const NAME: &str = "collateral";
	let (Some(Ok(held)), Some(now)) = (&facts.held, now) else {
		return judge(NAME, &facts.held, |_| fine(""));
	};
	let lacking: Vec<_> =
		held.iter().filter(|(_, held)| held.expires().is_none_or(|end| end <= now)).collect();
	let soonest = held.iter().filter_map(|(_, held)| held.expires()).min().unwrap_or(0);
	let (ours, why) = match &facts.source {
		Some(Ok((name, items))) => (items.as_slice(), format!("{name} has it")),
		Some(Err(reason)) => (&[][..], reason.clone()),
		None => (&[][..], "its source was not asked".into()),
	};
	let fresh = |item: Item| {
		let of_item = ours.iter().filter(move |(one, _)| *one == item);
		of_item.map(|(_, issue)| *issue).filter(move |issue| issue.until > now)
	};
	let names = lacking.iter().map(|(item, _)| format!("{item:?}")).collect::<Vec<_>>().join(", ");
	let (verdict, found, remedy) = if lacking.is_empty() && soonest > now + SOON {
		fine(format!("on chain, for another {} h", (soonest - now) / 3_600))
	} else if lacking.is_empty() {
		let found = format!("on chain, but only for another {} h", (soonest - now) / 3_600);
		match &facts.source {
			Some(Ok(_)) => fine(format!("{found}; the worker will renew it ({why})")),
			_ => attention(found, why),
		}
	} else if lacking
		.iter()
		.all(|(item, held)| fresh(*item).any(|issue| held.takes(issue, facts.number)))
	{
		fine(format!("the chain lacks {names}; the worker will submit it ({why})"))
	} else if lacking.iter().any(|(item, held)| held.waiting.is_some() && fresh(*item).count() > 0)
	{
		failure(
			format!("the chain's {names} waits for its evaluation number"),
			"Wait for the chain's delay, or ask governance to activate the evaluation number",
		)
	} else {
		let remedy = match &facts.source {
			Some(Ok((name, _))) => format!(
				"{name} has none that the chain takes: it has ended, or its evaluation number is below \
				 the chain's. Refresh it, or take collateral from Intel"
			),
			_ => why,
		};
		failure(format!("the chain lacks {names}"), remedy)
	};
	Check { name: NAME, verdict, found, remedy }
}

fn judge_verdict(facts: &Facts, now: Option<u64>) -> Check {
	const NAME: &str = "attestation";
	let (Some(now), Some(Err(reason)), Some(Ok(held))) = (now, &facts.verdict, &facts.held) else {
		return judge(NAME, &facts.verdict, |expires| {
			let registered = facts.worker.clone().flatten();
			judge_attestation(registered.as_ref(), *expires, now.unwrap_or(0))
		});
	};
	if held.iter().all(|(_, held)| held.expires().is_some_and(|expires| expires > now)) {
		return judge(NAME, &facts.verdict, |_| fine(""));
	}
	// Without collateral every quote is refused: that is no finding about this one.
	let found = format!("cannot be judged before the collateral is on chain ({reason})");
	Check { name: NAME, verdict: Verdict::Skipped, found, remedy: String::new() }
}

fn judge_attestation(worker: Option<&Registered>, expires: u64, now: u64) -> Finding {
	let would = expires.saturating_sub(now) / 3_600;
	match worker {
		None => fine(format!("not registered; the chain would accept the quote for {would} h")),
		Some(worker) if !worker.is_ours => failure(
			"registered by another account",
			"Use that account's key file, or have its owner offer the worker to yours",
		),
		Some(worker) if !worker.counts => attention(
			format!("lapsed; the chain would accept a renewal for {would} h"),
			"Start the worker: it renews by itself",
		),
		Some(worker) if worker.renew_from() <= now => attention(
			format!("expires in {} h", worker.expires_at.saturating_sub(now) / 3_600),
			"A renewal is due: is the worker running? Its log says why it does not renew",
		),
		Some(worker) => {
			fine(format!("counts for another {} h", worker.expires_at.saturating_sub(now) / 3_600))
		}
	}
}

fn judge_mining(mining: &MiningFacts) -> Finding {
	let (position, minimum, deadline) = match mining {
		MiningFacts::None(lacks) => {
			return attention(
				lacks,
				"Nothing is earned on this runtime, but the worker can be attested",
			);
		}
		MiningFacts::NoKeys => return fine("not yet: the worker has no keys"),
		MiningFacts::Standing { position, minimum, deadline } => (position, minimum, deadline),
	};
	let mut found = position.to_string();
	if let Some(seconds) = deadline {
		found.push_str(&format!(", {seconds} s to answer"));
	}
	if let Some(minimum) = minimum {
		found.push_str(&format!(", could start with {}", pha(*minimum)));
	}
	for reason in &position.unpaid {
		found.push_str(&format!("; {reason}"));
	}
	let remedies: Vec<_> = position
		.unpaid
		.iter()
		.filter(|reason| reason.is_operators())
		.map(|reason| format!("{}: {}", reason.name, reason.remedy()))
		.collect();
	if remedies.is_empty() { fine(found) } else { attention(found, remedies.join("; ")) }
}

#[cfg(test)]
mod tests;
