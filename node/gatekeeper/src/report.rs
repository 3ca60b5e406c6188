//! What an operator wants to know, from what was seen.

use crate::{plan::Memory, view::View};
use pallet_gatekeeper_keys::types::{CeremonyNumber, Phase};
use phala_threshold::MemberIndex;
use serde::Serialize;
use std::fmt;

/// The state of affairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
	/// The final block.
	pub block: u32,
	/// Seconds by which its time differs from this machine's clock.
	pub age: u64,
	/// Whether this gatekeeper's attestation counts.
	pub attested: bool,
	/// Epoch of the current key.
	pub epoch: Option<u32>,
	/// Keys in use.
	pub keys: Vec<Key>,
	/// The ceremony under way.
	pub ceremony: Option<Ceremony>,
	/// Requests that wait for this gatekeeper's answer.
	pub waiting: usize,
	/// Ceremonies whose guards this program waits for.
	pub guards: Vec<CeremonyNumber>,
}

/// A key in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Key {
	/// Its epoch.
	pub epoch: u32,
	/// The ceremony that made its shares.
	pub ceremony: CeremonyNumber,
	/// Holders.
	pub holders: u8,
	/// This gatekeeper's seat among them.
	pub seat: Option<u8>,
	/// Whether it has the share.
	pub has_share: bool,
	/// Whether the share is here, but sealed with a guard that this program does not have.
	pub sealed: bool,
}

/// A ceremony.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ceremony {
	/// Its number.
	pub number: CeremonyNumber,
	/// What it is for.
	pub purpose: String,
	/// 1 (committing) to 8 (clearing).
	pub phase: u8,
	/// The phase in words.
	pub name: &'static str,
	/// Relay-chain blocks until it ends.
	pub remaining: Option<u32>,
	/// This gatekeeper's seat among the dealers.
	pub deals: Option<u8>,
	/// Its seat among the recipients.
	pub receives: Option<u8>,
	/// Messages that the phase awaits of it.
	pub owed: Vec<&'static str>,
	/// Whether it failed.
	pub failed: bool,
}

/// A phase's number, name and end.
fn phase(phase: &Phase) -> (u8, &'static str, Option<u32>) {
	match phase {
		Phase::Committing { ends } => (1, "committing", Some(*ends)),
		Phase::Sharing { ends } => (2, "sharing", Some(*ends)),
		Phase::Complaining { ends } => (3, "complaining", Some(*ends)),
		Phase::Aggregating => (4, "aggregating", None),
		Phase::Deriving { .. } => (5, "deriving", None),
		Phase::Reporting => (6, "reporting", None),
		Phase::Kept { until } => (7, "kept", Some(*until)),
		Phase::Clearing { .. } => (8, "clearing", None),
	}
}

impl Report {
	/// From what was seen and what there is.
	pub fn of(view: &View, memory: &Memory, clock: u64) -> Self {
		let me = |seat: Option<MemberIndex>| seat.map(MemberIndex::get);
		let keys = view.live.iter().map(|live| Key {
			epoch: live.epoch,
			ceremony: live.key.number,
			holders: live.key.sharing.holders().len(),
			seat: me(live.holds),
			has_share: memory.shares.contains_key(&live.key.number),
			sealed: memory.sealed.contains(&live.key.number),
		});
		let ceremony = view.ceremony.as_ref().map(|one| {
			let attempt = &one.attempt;
			let (number, name, ends) = phase(&attempt.phase);
			let lacks = |seat: Option<MemberIndex>, set: phala_threshold::MemberSet| {
				seat.is_some_and(|seat| !set.contains(seat))
			};
			let owed = match attempt.phase {
				Phase::Committing { .. } => vec![
					("key", lacks(one.receives, attempt.keys)),
					("digest", lacks(one.deals, attempt.digests)),
				],
				Phase::Sharing { .. } => {
					let committed = one.deals.filter(|seat| attempt.digests.contains(*seat));
					vec![("dealing", lacks(committed, attempt.dealings))]
				}
				_ => vec![],
			};
			Ceremony {
				number: attempt.number(),
				purpose: format!("{:?}", attempt.purpose).to_lowercase(),
				phase: number,
				name,
				remaining: ends.map(|ends| ends.saturating_sub(view.clocks.board)),
				deals: me(one.deals),
				receives: me(one.receives),
				owed: owed.into_iter().filter_map(|(what, owed)| owed.then_some(what)).collect(),
				failed: attempt.failed.is_some(),
			}
		});
		let waiting = view.requests.iter().filter(|asked| {
			let live = view.live.iter().find(|live| live.epoch == asked.request.input.epoch());
			let seat = live.and_then(|live| live.holds);
			let counts = live.is_some_and(|live| asked.request.sharing == live.key.number);
			let given = |seat| counts && asked.request.answered.contains(seat);
			asked.attested && seat.is_some_and(|seat| !given(seat))
		});
		Self {
			block: view.block.number,
			age: clock.abs_diff(view.clocks.unix),
			attested: view.is_attested(0),
			epoch: view.live.iter().map(|live| live.epoch).max(),
			waiting: waiting.count(),
			guards: memory.awaits.iter().copied().collect(),
			keys: keys.collect(),
			ceremony,
		}
	}

	/// Seats without a share.
	pub fn missing(&self) -> usize {
		let missing = |key: &&Key| key.seat.is_some() && !key.has_share && !key.sealed;
		self.keys.iter().filter(missing).count()
	}

	/// Seats whose share is here, but sealed with a guard that this program does not have.
	pub fn sealed(&self) -> usize {
		self.keys.iter().filter(|key| key.seat.is_some() && key.sealed).count()
	}
}

impl fmt::Display for Report {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { block, age, attested, keys, ceremony, waiting, guards, .. } = self;
		writeln!(f, "block        {block}, final, {age} s from this machine's clock")?;
		let counts = if *attested { "counts" } else { "does not count" };
		writeln!(f, "attestation  {counts}")?;
		if keys.is_empty() {
			writeln!(f, "key          none yet")?;
		}
		for Key { epoch, ceremony, holders, seat, has_share, sealed } in keys {
			let share = match (seat, has_share) {
				(None, _) => "no seat".into(),
				(Some(seat), true) => format!("seat {seat}, share here"),
				(Some(seat), false) if *sealed => {
					format!("seat {seat}, share here, sealed with its guard")
				}
				(Some(seat), false) => format!("seat {seat}, SHARE MISSING"),
			};
			writeln!(
				f,
				"key          epoch {epoch}, made by ceremony {ceremony}, {holders} holders; {share}"
			)?;
		}
		if let Some(one) = ceremony {
			let Ceremony {
				number, purpose, name, remaining, deals, receives, owed, failed, ..
			} = one;
			write!(f, "ceremony     {number}, {purpose}, {name}")?;
			if let Some(remaining) = remaining {
				write!(f, " for {remaining} more blocks")?;
			}
			if *failed {
				write!(f, ", failed")?;
			}
			let seat = |seat: &Option<u8>| seat.map_or("no".into(), |seat| format!("seat {seat}"));
			write!(f, "; deals: {}, receives: {}", seat(deals), seat(receives))?;
			if !owed.is_empty() {
				write!(f, "; OWED: {}", owed.join(", "))?;
			}
			writeln!(f)?;
		}
		for number in guards {
			writeln!(f, "guard        of ceremony {number}: asked for, not given yet")?;
		}
		writeln!(f, "requests     {waiting} wait for an answer of this gatekeeper")
	}
}
