//! What to do next: a pure function of what is final on chain and of what this gatekeeper has.
//!
//! | Ceremony | This gatekeeper | Does |
//! |---|---|---|
//! | committing | has a seat and said nothing yet | joins: makes its secrets, and seals them |
//! | committing | joined; key or digest are not on chain | registers |
//! | sharing | its digest is on chain, its dealing is not | deals |
//! | sharing, complaining, and later | received nothing of a dealing yet | receives: keeps its share, or complains |
//! | sharing, complaining | complained; the dealer is not convicted | complains again |
//! | its key is in use | received all that counts | takes its share, forgets the ceremony |
//! | its key is in use, dealings are gone | was away too long | looks for them in old blocks; keeps what makes its share |
//!
//! | Key in use | Does |
//! |---|---|
//! | another worker's request, not answered by it, and the worker is attested | answers |
//! | a member's request for its guard, as above; and its shares are in use, or being made | answers |
//! | it has shares of keys that are not in use, or a ceremony that is over | erases them, unopened |
//!
//! Everything is repeated until it shows in finalised state. What releases a secret depends on
//! finalised state only.

use crate::view::{Ceremony, Live, Rules, View};
use phala_node_common::board::types::{CeremonyNumber, Phase, RequestId};
use phala_threshold::{MemberIndex, MemberSet};
use std::collections::{BTreeMap, BTreeSet};

/// What this gatekeeper has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
	/// Shares, by the ceremony that made them.
	pub shares: BTreeMap<CeremonyNumber, MemberIndex>,
	/// Its parts in ceremonies.
	pub parts: BTreeMap<CeremonyNumber, Part>,
	/// Ceremonies in which it has a part that cannot be opened.
	pub locked: BTreeSet<CeremonyNumber>,
	/// Shares that are here, but cannot be opened without a guard.
	pub sealed: BTreeSet<CeremonyNumber>,
	/// Ceremonies whose guards this program waits for.
	pub awaits: BTreeSet<CeremonyNumber>,
}

/// Its part in a ceremony.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
	/// Seat in the dealing set, if it deals.
	pub deals: Option<MemberIndex>,
	/// Seat in the receiving set, if it receives.
	pub receives: Option<MemberIndex>,
	/// Dealers whose dealings it has examined.
	pub seen: MemberSet,
	/// Of them, those that it complains about.
	pub accused: MemberSet,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
	/// Make the secrets of a ceremony.
	Join,
	/// Publish key, digest, or both.
	Register {
		/// The key.
		key: bool,
		/// The digest.
		digest: bool,
	},
	/// Deal.
	Deal,
	/// Examine these dealers' dealings.
	Receive(CeremonyNumber, MemberSet),
	/// Publish complaints about these dealers.
	Complain(MemberSet),
	/// Take the share of a key in use.
	Take(CeremonyNumber),
	/// Find these dealers' dealings in old blocks.
	Recover(CeremonyNumber, MemberSet),
}

/// All that is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
	/// In ceremonies, in order.
	pub acts: Vec<Act>,
	/// Requests to answer.
	pub answers: Vec<RequestId>,
}

/// Something sealed that finalised state has no use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Useless {
	/// A share.
	Share(CeremonyNumber),
	/// A part in a ceremony.
	Part(CeremonyNumber),
}

/// What of the sealed files with these numbers is to be erased, without being opened: shares that
/// were replaced or whose key is given up, and secrets of ceremonies that are over.
///
/// Must not be asked with numbers that the chain has not reached: then the view is older than what
/// this gatekeeper has seen.
pub fn useless(
	view: &View,
	shares: &BTreeSet<CeremonyNumber>,
	parts: &BTreeSet<CeremonyNumber>,
) -> BTreeSet<Useless> {
	let dead_share = |number: &&CeremonyNumber| view.live(**number).is_none();
	let dead_part = |number: &&CeremonyNumber| match view.live(**number) {
		Some(live) => live.holds.is_none() || shares.contains(*number),
		None => !view
			.ceremony
			.as_ref()
			.is_some_and(|one| one.attempt.number() == **number && one.attempt.failed.is_none()),
	};
	let shares_without_use = shares.iter().filter(dead_share).map(|number| Useless::Share(*number));
	let parts_without_use = parts.iter().filter(dead_part).map(|number| Useless::Part(*number));
	shares_without_use.chain(parts_without_use).collect()
}

/// What to do next. What is useless has been erased before.
pub fn plan(view: &View, memory: &Memory, rules: &Rules) -> Plan {
	let mut acts = vec![];
	if let Some(ceremony) = &view.ceremony
		&& ceremony.attempt.is_open()
	{
		acts.extend(in_ceremony(view, ceremony, memory, rules));
	}
	for (number, part) in &memory.parts {
		if let Some(live) = view.live(*number) {
			acts.push(to_share(view, *number, part, live));
		}
	}
	Plan { acts, answers: answers(view, memory, rules) }
}

fn in_ceremony(view: &View, ceremony: &Ceremony, memory: &Memory, rules: &Rules) -> Option<Act> {
	let Ceremony { attempt, deals, receives } = ceremony;
	let number = attempt.number();
	let lacks =
		|seat: Option<MemberIndex>, set: MemberSet| seat.is_some_and(|seat| !set.contains(seat));
	let Some(part) = memory.parts.get(&number) else {
		let has_seat = deals.is_some() || receives.is_some();
		// Something of ours is on chain but not here: another state folder of the same keys, or an
		// old one. New secrets would contradict it.
		let said = receives.is_some_and(|seat| attempt.keys.contains(seat))
			|| deals.is_some_and(|seat| attempt.digests.contains(seat));
		let committing = matches!(attempt.phase, Phase::Committing { .. });
		let new = committing && has_seat && !said && !memory.locked.contains(&number);
		return new.then_some(Act::Join);
	};
	// Only in a handover a lapsed member may deal.
	let grace = attempt.from.map_or(0, |_| rules.reshare_grace);
	let (may_deal, may_receive) = (view.is_attested(grace), view.is_attested(0));
	let unseen = attempt.dealings.without(part.seen);
	let receive = || {
		let on_roster = part.receives.is_some_and(|seat| attempt.keys.contains(seat));
		(on_roster && !unseen.is_empty()).then_some(Act::Receive(number, unseen))
	};
	match attempt.phase {
		Phase::Committing { .. } => {
			let key = may_receive && lacks(part.receives, attempt.keys);
			let digest = may_deal && lacks(part.deals, attempt.digests);
			(key || digest).then_some(Act::Register { key, digest })
		}
		Phase::Sharing { .. } => {
			let committed = part.deals.is_some_and(|seat| attempt.digests.contains(seat));
			let deal = may_deal && committed && lacks(part.deals, attempt.dealings);
			deal.then_some(Act::Deal).or_else(receive).or_else(|| complain(ceremony, part))
		}
		Phase::Complaining { .. } => receive().or_else(|| complain(ceremony, part)),
		_ => receive(),
	}
}

fn complain(ceremony: &Ceremony, part: &Part) -> Option<Act> {
	let faults = &ceremony.attempt.faults;
	let silenced = part.receives.is_none_or(|seat| faults.false_complaint.contains(seat));
	let open = part.accused.without(faults.bad_share);
	(!silenced && !open.is_empty()).then_some(Act::Complain(open))
}

fn to_share(view: &View, number: CeremonyNumber, part: &Part, live: &Live) -> Act {
	let missing = live.key.sharing.qualified().without(part.seen);
	if missing.is_empty() {
		return Act::Take(number);
	}
	let on_record = view.ceremony.as_ref().is_some_and(|one| {
		let kept = matches!(one.attempt.phase, Phase::Reporting | Phase::Kept { .. });
		one.attempt.number() == number && kept
	});
	match on_record {
		true => Act::Receive(number, missing),
		false => Act::Recover(number, missing),
	}
}

fn answers(view: &View, memory: &Memory, rules: &Rules) -> Vec<RequestId> {
	if !view.is_attested(0) {
		return vec![];
	}
	let awaited = |asked: &&crate::view::Asked| {
		let request = &asked.request;
		let expired = view.clocks.board >= request.asked.saturating_add(rules.request_period);
		let live = view.live.iter().find(|live| live.epoch == request.input.epoch());
		let Some(live) = live.filter(|_| asked.attested && !expired) else { return false };
		let holds = memory.shares.get(&live.key.number);
		// Answers with shares that were replaced do not count.
		let given = request.sharing == live.key.number;
		holds.is_some_and(|seat| !(given && request.answered.contains(*seat)))
	};
	view.requests.iter().filter(awaited).map(|asked| asked.id).collect()
}

#[cfg(test)]
mod tests;
