use super::*;
use crate::{registry::Standing, view::Asked};
use pallet_gatekeeper_keys::types::{Attempt, Faults, LiveKey, OpenRequest, Purpose, RequestQueue};
use phala_attestation::Role;
use phala_node_common::board::Clocks;
use phala_primitives::BlockRef;
use phala_threshold::{
	Aggregation, Blind, Ceremony as Defined, ClusterInput, Inquiry, Kind, Member, Roster, Sharing,
	Threshold,
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use sp_core::H256;

const NUMBER: CeremonyNumber = 7;
const OLD: CeremonyNumber = 6;
const NOW: u64 = 1_000_000;
const RULES: Rules = Rules { request_period: 100, reshare_grace: 1_000 };

fn seat(number: u8) -> MemberIndex {
	MemberIndex::new(number).unwrap()
}

fn seats(numbers: &[u8]) -> MemberSet {
	numbers.iter().map(|number| seat(*number)).collect()
}

/// The public side of a key of three.
fn sharing(number: CeremonyNumber) -> Sharing {
	let rng = &mut StdRng::seed_from_u64(number);
	let size = Threshold::of(3).unwrap();
	let kind = Kind::Generation;
	let ceremony = Defined { chain: [1; 32], number, members: [2; 32], size, kind };
	let mut roster = Roster::new(ceremony.id());
	let mut members = vec![];
	for seat in size.seats().iter() {
		let role = phala_threshold::Role::Generate(seat);
		let member = Member::join(ceremony.clone(), role, rng).unwrap();
		roster.insert(seat, &member.registration(rng).unwrap().key.unwrap()).unwrap();
		members.push((seat, member));
	}
	let mut sum = Aggregation::new(ceremony, size.seats(), size.seats()).unwrap();
	for (seat, member) in &mut members {
		let dealing = member.deal(&roster, rng).unwrap().unwrap();
		sum.add(*seat, &dealing.commitments).unwrap();
	}
	sum.finish().unwrap()
}

fn live(number: CeremonyNumber, holds: Option<u8>) -> Live {
	let key = LiveKey { number, sharing: sharing(number), since: 0, until: None };
	Live { epoch: 0, key, holds: holds.map(seat) }
}

/// A handover of three to three, in which this gatekeeper deals from seat 2 and receives in seat 1.
fn attempt(phase: Phase) -> Attempt {
	let old = sharing(OLD);
	let size = Threshold::of(3).unwrap();
	let kind = Kind::Resharing {
		from: *old.ceremony(),
		dealers: old.size(),
		public_key: *old.public_key(),
	};
	let ceremony = Defined { chain: [1; 32], number: NUMBER, members: [3; 32], size, kind };
	Attempt {
		ceremony,
		purpose: Purpose::Handover,
		epoch: 0,
		target: H256::zero(),
		from: Some(OLD),
		dealers: seats(&[1, 2, 3]),
		keys: MemberSet::EMPTY,
		digests: MemberSet::EMPTY,
		dealings: MemberSet::EMPTY,
		faults: Faults::default(),
		unreported: Faults::default(),
		failed: None,
		phase,
	}
}

fn view(attempt: Attempt) -> View {
	let ceremony = Ceremony { attempt, deals: Some(seat(2)), receives: Some(seat(1)) };
	View {
		block: BlockRef { number: 10, hash: H256::zero() },
		clocks: Clocks { relay: 500, board: 400, unix: NOW },
		standing: Some(Standing { role: Role::Gatekeeper, ends: NOW + 10, grace: true }),
		next: NUMBER + 1,
		ceremony: Some(ceremony),
		live: vec![live(OLD, Some(2))],
		queue: RequestQueue::default(),
		requests: vec![],
	}
}

fn part() -> Part {
	Part { deals: Some(seat(2)), receives: Some(seat(1)), ..Part::default() }
}

fn memory(part: Option<Part>) -> Memory {
	Memory {
		shares: [(OLD, seat(2))].into(),
		parts: part.map(|part| (NUMBER, part)).into_iter().collect(),
		locked: BTreeSet::new(),
		..Memory::default()
	}
}

fn acts(view: &View, part: Option<Part>) -> Vec<Act> {
	plan(view, &memory(part), &RULES).acts
}

const COMMITTING: Phase = Phase::Committing { ends: 450 };
const SHARING: Phase = Phase::Sharing { ends: 450 };
const COMPLAINING: Phase = Phase::Complaining { ends: 450 };

#[test]
fn committing_joins_and_registers_what_is_missing() {
	let mut view = view(attempt(COMMITTING));
	assert_eq!(acts(&view, None), [Act::Join]);
	assert_eq!(acts(&view, Some(part())), [Act::Register { key: true, digest: true }]);
	let attempt = |view: &mut View, keys: &[u8], digests: &[u8]| {
		let attempt = &mut view.ceremony.as_mut().unwrap().attempt;
		(attempt.keys, attempt.digests) = (seats(keys), seats(digests));
	};
	attempt(&mut view, &[], &[2]);
	assert_eq!(acts(&view, Some(part())), [Act::Register { key: true, digest: false }]);
	attempt(&mut view, &[1], &[]);
	assert_eq!(acts(&view, Some(part())), [Act::Register { key: false, digest: true }]);
	attempt(&mut view, &[1], &[2]);
	assert_eq!(acts(&view, Some(part())), []);
	// Others' messages change nothing.
	attempt(&mut view, &[2, 3], &[1, 3]);
	assert_eq!(acts(&view, Some(part())), [Act::Register { key: true, digest: true }]);
}

#[test]
fn nobody_joins_late_without_a_seat_or_a_second_time() {
	let mut late = view(attempt(SHARING));
	assert_eq!(acts(&late, None), []);
	late.ceremony.as_mut().unwrap().attempt.phase = COMPLAINING;
	assert_eq!(acts(&late, None), []);

	let mut stranger = view(attempt(COMMITTING));
	let ceremony = stranger.ceremony.as_mut().unwrap();
	(ceremony.deals, ceremony.receives) = (None, None);
	assert_eq!(acts(&stranger, None), []);

	let locked = Memory { locked: [NUMBER].into(), ..memory(None) };
	let first = view(attempt(COMMITTING));
	assert_eq!(plan(&first, &locked, &RULES).acts, [], "it may have said something");

	for (keys, digests) in [(&[1][..], &[][..]), (&[], &[2])] {
		let mut said = view(attempt(COMMITTING));
		let attempt = &mut said.ceremony.as_mut().unwrap().attempt;
		(attempt.keys, attempt.digests) = (seats(keys), seats(digests));
		assert_eq!(acts(&said, None), [], "its key or digest is on chain, and it has none");
	}
}

#[test]
fn the_lapsed_hand_over_and_do_nothing_else() {
	let mut lapsed = view(attempt(COMMITTING));
	lapsed.standing.as_mut().unwrap().ends = NOW - 10;
	assert_eq!(acts(&lapsed, Some(part())), [Act::Register { key: false, digest: true }]);
	let attempt = &mut lapsed.ceremony.as_mut().unwrap().attempt;
	(attempt.phase, attempt.digests) = (SHARING, seats(&[2]));
	assert_eq!(acts(&lapsed, Some(part())), [Act::Deal]);
	for standing in [
		None,
		// Its grace is over; revoked, which has none; attested as something else.
		Some(Standing { role: Role::Gatekeeper, ends: NOW - 1_000, grace: true }),
		Some(Standing { role: Role::Gatekeeper, ends: NOW - 1, grace: false }),
		Some(Standing { role: Role::Worker, ends: NOW + 10, grace: true }),
	] {
		lapsed.standing = standing;
		assert_eq!(acts(&lapsed, Some(part())), [], "{standing:?}");
	}
	// A new key is not dealt by those who cannot keep it.
	let mut first = view(self::attempt(SHARING));
	let ceremony = first.ceremony.as_mut().unwrap();
	(ceremony.attempt.from, ceremony.attempt.digests) = (None, seats(&[2]));
	assert_eq!(acts(&first, Some(part())), [Act::Deal]);
	first.standing.as_mut().unwrap().ends = NOW - 10;
	assert_eq!(acts(&first, Some(part())), []);
}

#[test]
fn sharing_deals_then_receives_then_complains() {
	let mut view = view(attempt(SHARING));
	let set = |view: &mut View, keys: &[u8], digests: &[u8], dealings: &[u8]| {
		let attempt = &mut view.ceremony.as_mut().unwrap().attempt;
		(attempt.keys, attempt.digests) = (seats(keys), seats(digests));
		attempt.dealings = seats(dealings);
	};
	set(&mut view, &[1, 2, 3], &[1, 3], &[1]);
	assert_eq!(acts(&view, Some(part())), [Act::Receive(NUMBER, seats(&[1]))], "it did not commit");
	set(&mut view, &[1, 2, 3], &[1, 2, 3], &[1]);
	assert_eq!(acts(&view, Some(part())), [Act::Deal]);
	set(&mut view, &[1, 2, 3], &[1, 2, 3], &[1, 2, 3]);
	assert_eq!(acts(&view, Some(part())), [Act::Receive(NUMBER, seats(&[1, 2, 3]))]);
	let some = Part { seen: seats(&[1, 2]), ..part() };
	assert_eq!(acts(&view, Some(some)), [Act::Receive(NUMBER, seats(&[3]))]);
	let all = Part { seen: seats(&[1, 2, 3]), accused: seats(&[1, 3]), ..part() };
	assert_eq!(acts(&view, Some(all.clone())), [Act::Complain(seats(&[1, 3]))]);
	view.ceremony.as_mut().unwrap().attempt.phase = COMPLAINING;
	assert_eq!(acts(&view, Some(all.clone())), [Act::Complain(seats(&[1, 3]))]);
	// Convicted by whomever; then convicted oneself.
	view.ceremony.as_mut().unwrap().attempt.faults.bad_share = seats(&[3]);
	assert_eq!(acts(&view, Some(all.clone())), [Act::Complain(seats(&[1]))]);
	view.ceremony.as_mut().unwrap().attempt.faults.false_complaint = seats(&[1]);
	assert_eq!(acts(&view, Some(all)), []);
	// Who is not on the roster has nothing to receive.
	set(&mut view, &[2, 3], &[1, 2, 3], &[1, 2, 3]);
	assert_eq!(acts(&view, Some(part())), []);
}

#[test]
fn what_was_missed_is_received_as_long_as_it_is_there() {
	for phase in [Phase::Aggregating, Phase::Deriving { left: seats(&[1]) }] {
		let mut view = view(attempt(phase));
		let attempt = &mut view.ceremony.as_mut().unwrap().attempt;
		(attempt.keys, attempt.dealings) = (seats(&[1, 2, 3]), seats(&[1, 3]));
		let some = Part { seen: seats(&[1]), ..part() };
		assert_eq!(acts(&view, Some(some)), [Act::Receive(NUMBER, seats(&[3]))]);
	}
	let mut view = view(attempt(Phase::Kept { until: 900 }));
	view.live = vec![live(NUMBER, Some(1))];
	let none = part();
	let all = Part { seen: seats(&[1, 2, 3]), ..part() };
	assert_eq!(acts(&view, Some(none.clone())), [Act::Receive(NUMBER, seats(&[1, 2, 3]))]);
	assert_eq!(acts(&view, Some(all.clone())), [Act::Take(NUMBER)]);
	view.ceremony.as_mut().unwrap().attempt.phase = Phase::Clearing { next: seat(1) };
	assert_eq!(acts(&view, Some(none.clone())), [Act::Recover(NUMBER, seats(&[1, 2, 3]))]);
	view.ceremony = None;
	assert_eq!(acts(&view, Some(none)), [Act::Recover(NUMBER, seats(&[1, 2, 3]))]);
	assert_eq!(acts(&view, Some(all)), [Act::Take(NUMBER)]);
}

#[test]
fn what_has_no_use_any_more_is_erased() {
	use Useless::{Part, Share};
	let erased = |view: &View, shares: &[u64], parts: &[u64]| -> Vec<Useless> {
		let set = |numbers: &[u64]| numbers.iter().copied().collect();
		useless(view, &set(shares), &set(parts)).into_iter().collect()
	};
	// Under way: the old share and the new secrets are needed.
	let running = view(attempt(SHARING));
	assert_eq!(erased(&running, &[OLD], &[NUMBER]), []);
	assert_eq!(erased(&running, &[3, OLD], &[5, NUMBER]), [Share(3), Part(5)]);
	// Failed.
	let mut failed = view(attempt(Phase::Reporting));
	failed.ceremony.as_mut().unwrap().attempt.failed =
		Some(pallet_gatekeeper_keys::types::WhyFailed::Aborted);
	assert_eq!(erased(&failed, &[OLD], &[NUMBER]), [Part(NUMBER)]);
	// Handed over: with the share still to be taken, and then without.
	let mut done = view(attempt(Phase::Kept { until: 900 }));
	done.live = vec![live(NUMBER, Some(1))];
	assert_eq!(erased(&done, &[OLD], &[NUMBER]), [Share(OLD)]);
	assert_eq!(erased(&done, &[NUMBER], &[NUMBER]), [Part(NUMBER)]);
	// To others.
	done.live = vec![live(NUMBER, None)];
	assert_eq!(erased(&done, &[OLD], &[NUMBER]), [Share(OLD), Part(NUMBER)]);
	// Over and cleared, and not in use.
	done.ceremony = None;
	done.live = vec![live(OLD, Some(2))];
	assert_eq!(erased(&done, &[OLD], &[NUMBER]), [Part(NUMBER)]);
}

fn asked(id: RequestId) -> Asked {
	let rng = &mut StdRng::seed_from_u64(id);
	let input = ClusterInput { epoch: 0, cluster: [1; 32] };
	let public_key = *sharing(OLD).public_key();
	let inquiry = Inquiry { public_key, input: input.into(), requester: [0; 32] };
	let (_, request) = Blind::new(inquiry, rng).unwrap();
	let request = OpenRequest {
		worker: Default::default(),
		input: input.into(),
		valid_until: 0,
		request,
		asked: 350,
		sharing: OLD,
		answered: MemberSet::EMPTY,
		fulfilled: false,
		stored: MemberSet::EMPTY,
		replaced: false,
		excused: false,
	};
	Asked { id, request, attested: true }
}

#[test]
fn requests_are_answered_once_by_those_who_can_for_those_who_may() {
	let answered = |change: fn(&mut View, &mut Asked, &mut Memory)| {
		let (mut view, mut asked) = (view(attempt(SHARING)), asked(3));
		let mut memory = memory(Some(part()));
		change(&mut view, &mut asked, &mut memory);
		view.requests = vec![asked];
		plan(&view, &memory, &RULES).answers
	};
	assert_eq!(answered(|_, _, _| {}), [3]);
	assert_eq!(answered(|_, asked, _| asked.request.answered = seats(&[1, 3])), [3]);
	assert!(answered(|_, asked, _| asked.request.answered = seats(&[2])).is_empty());
	// An answer with shares that were replaced does not count.
	assert_eq!(
		answered(|_, asked, _| {
			(asked.request.answered, asked.request.sharing) = (seats(&[2]), 3);
		}),
		[3]
	);
	assert!(answered(|_, asked, _| asked.attested = false).is_empty());
	assert!(
		answered(|_, asked, _| {
			asked.request.input = ClusterInput { epoch: 1, cluster: [1; 32] }.into();
		})
		.is_empty()
	);
	assert!(answered(|_, asked, _| asked.request.asked = 300).is_empty());
	assert!(answered(|_, _, memory| memory.shares.clear()).is_empty());
	assert!(answered(|view, _, _| view.standing = None).is_empty());
	assert!(answered(|view, _, _| view.standing.as_mut().unwrap().ends = NOW).is_empty());
}

fn any_set() -> impl Strategy<Value = MemberSet> {
	prop::collection::vec(1u8..=3, 0..4).prop_map(|numbers| seats(&numbers))
}

fn any_phase() -> impl Strategy<Value = Phase> {
	prop_oneof![
		Just(COMMITTING),
		Just(SHARING),
		Just(COMPLAINING),
		Just(Phase::Aggregating),
		Just(Phase::Deriving { left: MemberSet::EMPTY }),
		Just(Phase::Reporting),
		Just(Phase::Kept { until: 900 }),
		Just(Phase::Clearing { next: seat(1) }),
	]
}

proptest! {
	/// In every state: a message is published in its phase only, never one that is on chain, and
	/// nothing is dealt before it was committed to.
	#[test]
	fn messages_fit_their_phase(
		phase in any_phase(), keys in any_set(), digests in any_set(), dealings in any_set(),
		seen in any_set(), accused in any_set(), convicted in any_set(), joined: bool, ends in 0u64..20,
		handed_over: bool,
	) {
		let mut view = view(attempt(phase));
		let attempt = &mut view.ceremony.as_mut().unwrap().attempt;
		(attempt.keys, attempt.digests, attempt.dealings) = (keys, digests, dealings);
		attempt.faults.bad_share = convicted;
		view.standing.as_mut().unwrap().ends = NOW + ends - 10;
		if handed_over {
			view.live = vec![live(NUMBER, Some(1))];
		}
		let part = joined.then(|| Part { seen, accused, ..part() });
		for act in acts(&view, part) {
			match act {
				Act::Join => prop_assert!(
					phase == COMMITTING && !joined && !keys.contains(seat(1)) && !digests.contains(seat(2))
				),
				Act::Register { key, digest } => {
					prop_assert!(phase == COMMITTING && joined && (key || digest));
					prop_assert!(!(key && (keys.contains(seat(1)) || ends <= 10)));
					prop_assert!(!(digest && digests.contains(seat(2))));
				},
				Act::Deal => prop_assert!(
					phase == SHARING && digests.contains(seat(2)) && !dealings.contains(seat(2))
				),
				Act::Complain(dealers) => {
					prop_assert!(phase == SHARING || phase == COMPLAINING);
					prop_assert!(!dealers.is_empty() && dealers.is_subset(accused.without(convicted)));
				},
				Act::Receive(_, dealers) | Act::Recover(_, dealers) => {
					prop_assert!(!dealers.is_empty() && dealers.without(seen) == dealers);
				},
				Act::Take(_) => prop_assert!(handed_over),
			}
		}
	}
}
