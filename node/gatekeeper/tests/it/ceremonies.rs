//! Ceremonies from the first key on: handovers, rotations, absences and faults.

use crate::{
	chain::{GRACE, RETIREMENT, unix},
	crowd::{Crowd, Lie, account},
};
use pallet_gatekeeper_keys::types::Phase;
use phala_attestation::Role;
use phala_gatekeeper::{engine::Done, plan::Useless};
use phala_primitives::OffenceClass;
use phala_threshold::MemberIndex;
use std::collections::BTreeSet;

fn seat(number: u8) -> MemberIndex {
	MemberIndex::new(number).unwrap()
}

/// Who holds exactly the share that ceremony `number` made, and nothing of any ceremony.
fn holders(crowd: &Crowd, number: u64) -> BTreeSet<usize> {
	let holds = |(at, person): (usize, &crate::crowd::Person)| {
		let holds = person.files("share") == [number];
		assert!(holds || person.files("share").is_empty(), "an old share: {}", person.account);
		assert!(person.files("part").is_empty(), "a ceremony's secrets: {}", person.account);
		holds.then_some(at + 1)
	};
	crowd.people.iter().enumerate().filter_map(holds).collect()
}

#[test]
fn a_key_is_made_handed_over_and_used_on_real_disks() {
	let mut crowd = Crowd::on_disk(6);
	crowd.elect(&[1, 2, 3, 4, 5]);
	crowd.until("the first key", |crowd| crowd.key().is_some());
	crowd.settle();
	let (epoch, first, public) = crowd.key().unwrap();
	assert_eq!(holders(&crowd, first), BTreeSet::from([1, 2, 3, 4, 5]));
	let mut client = crowd.client(101);
	let secret = crowd.obtain(&mut client, epoch);

	crowd.elect(&[2, 3, 4, 5, 6]);
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.settle();
	let (_, second, same) = crowd.key().unwrap();
	assert_eq!(public, same, "the key is the same");
	assert_eq!(holders(&crowd, second), BTreeSet::from([2, 3, 4, 5, 6]));
	let mut client = crowd.client(102);
	assert_eq!(crowd.obtain(&mut client, epoch), secret, "and so are the keys of clusters");
	crowd.assert_no_errors();
	assert!(crowd.chain.borrow().reported().is_empty(), "nobody was late");
}

#[test]
fn a_set_can_grow_and_shrink() {
	let mut crowd = Crowd::with_key(9, &[1, 2, 3]);
	let (epoch, mut last, public) = crowd.key().unwrap();
	let mut client = crowd.client(101);
	let secret = crowd.obtain(&mut client, epoch);
	for (round, set) in
		[&[1, 2, 3, 4, 5, 6, 7, 8, 9][..], &[7, 8, 9], &[1, 2, 9, 4]].iter().enumerate()
	{
		crowd.elect(set);
		crowd.until("a handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != last));
		crowd.settle();
		let (_, number, same) = crowd.key().unwrap();
		assert_eq!(public, same);
		let expected: BTreeSet<usize> = set.iter().map(|number| usize::from(*number)).collect();
		assert_eq!(holders(&crowd, number), expected);
		let mut client = crowd.client(110 + round as u8);
		assert_eq!(crowd.obtain(&mut client, epoch), secret);
		last = number;
	}
	crowd.assert_no_errors();
	assert!(crowd.chain.borrow().reported().is_empty());
}

#[test]
fn a_rotation_leaves_the_old_key_for_a_while_and_then_nothing() {
	let mut crowd = Crowd::with_key(4, &[1, 2, 3, 4]);
	let (_, first, public) = crowd.key().unwrap();
	let mut client = crowd.client(101);
	let secret = crowd.obtain(&mut client, 0);
	crowd.chain.borrow_mut().rotate(false);
	crowd.until("the next epoch", |crowd| crowd.key().is_some_and(|(epoch, ..)| epoch == 1));
	crowd.settle();
	let (_, second, other) = crowd.key().unwrap();
	assert_ne!(public, other);
	for person in &crowd.people {
		assert_eq!(person.files("share"), [first, second]);
	}
	let mut clients = [crowd.client(102), crowd.client(103)];
	assert_eq!(crowd.obtain(&mut clients[0], 0), secret);
	assert_ne!(crowd.obtain(&mut clients[1], 1), secret);
	crowd.rounds(RETIREMENT / 2);
	assert_eq!(holders(&crowd, second), BTreeSet::from([1, 2, 3, 4]));
	crowd.assert_no_errors();
}

#[test]
fn a_replacement_ends_the_old_key_at_once() {
	let mut crowd = Crowd::with_key(5, &[1, 2, 3]);
	crowd.chain.borrow_mut().rotate(true);
	crowd.elect(&[3, 4, 5]);
	crowd.until("the next epoch", |crowd| crowd.key().is_some_and(|(epoch, ..)| epoch == 1));
	crowd.settle();
	let (_, number, _) = crowd.key().unwrap();
	assert_eq!(holders(&crowd, number), BTreeSet::from([3, 4, 5]));
	crowd.assert_no_errors();
}

/// One of the set is away from the given phase on until the ceremony is over, and then returns.
fn away_from(is: fn(&Phase) -> bool, returns: fn(&Phase) -> bool) -> (Crowd, u64) {
	let mut crowd = Crowd::with_key(6, &[1, 2, 3, 4, 5]);
	let (_, first, public) = crowd.key().unwrap();
	crowd.elect(&[2, 3, 4, 5, 6]);
	crowd.until_phase("the phase", is);
	crowd.person(3).down = true;
	crowd.until_phase("the return", returns);
	crowd.person(3).down = false;
	crowd.person(3).restart();
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.settle();
	let (_, second, same) = crowd.key().unwrap();
	assert_eq!(public, same);
	(crowd, second)
}

#[test]
fn who_is_away_while_committing_is_left_out_and_gets_a_share_next_time() {
	let committing = |phase: &Phase| matches!(phase, Phase::Committing { .. });
	let kept = |phase: &Phase| matches!(phase, Phase::Kept { .. });
	let (mut crowd, second) = away_from(committing, kept);
	assert_eq!(holders(&crowd, second), BTreeSet::from([2, 4, 5, 6]));
	let reported = crowd.chain.borrow().reported();
	assert_eq!(reported, [(OffenceClass::Absence, account(3))].into());
	// The set is the elected one, but a seat has no share: the next election mends it.
	crowd.elect(&[2, 3, 4, 5, 6]);
	crowd.until("a handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != second));
	crowd.settle();
	let (_, third, _) = crowd.key().unwrap();
	assert_eq!(holders(&crowd, third), BTreeSet::from([2, 3, 4, 5, 6]));
}

#[test]
fn who_is_away_while_sharing_still_gets_its_share() {
	let sharing = |phase: &Phase| matches!(phase, Phase::Sharing { .. });
	let kept = |phase: &Phase| matches!(phase, Phase::Kept { .. });
	let (crowd, second) = away_from(sharing, kept);
	assert_eq!(holders(&crowd, second), BTreeSet::from([2, 3, 4, 5, 6]));
	let reported = crowd.chain.borrow().reported();
	assert_eq!(reported, [(OffenceClass::Absence, account(3))].into(), "it did not deal");
}

#[test]
fn who_is_away_later_gets_its_share_and_is_not_blamed() {
	let kept = |phase: &Phase| matches!(phase, Phase::Kept { .. });
	let complaining = |phase: &Phase| matches!(phase, Phase::Complaining { .. });
	let (crowd, second) = away_from(complaining, kept);
	assert_eq!(holders(&crowd, second), BTreeSet::from([2, 3, 4, 5, 6]));
	assert!(crowd.chain.borrow().reported().is_empty());
}

/// One is away until everything is cleared.
fn away_too_long() -> (Crowd, u64) {
	let mut crowd = Crowd::with_key(6, &[1, 2, 3, 4, 5]);
	let (_, first, _) = crowd.key().unwrap();
	crowd.elect(&[2, 3, 4, 5, 6]);
	crowd.until_phase("complaining", |phase| matches!(phase, Phase::Complaining { .. }));
	crowd.person(6).down = true;
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.settle();
	let (_, second, _) = crowd.key().unwrap();
	assert_eq!(crate::crowd::dealings_on_record(&mut crowd, second), 0, "all is cleared");
	crowd.person(6).restart();
	crowd.person(6).down = false;
	(crowd, second)
}

#[test]
fn who_was_away_too_long_finds_dealings_in_old_blocks() {
	let (mut crowd, second) = away_too_long();
	crowd.rounds(3);
	assert_eq!(holders(&crowd, second), BTreeSet::from([2, 3, 4, 5, 6]));
	crowd.assert_no_errors();
}

#[test]
fn whoever_finds_them_nowhere_gets_a_share_at_the_next_handover() {
	let (mut crowd, second) = away_too_long();
	let pruned = crowd.chain.borrow().finalised().number as usize;
	crowd.chain.borrow_mut().pruned = pruned;
	crowd.rounds(3);
	assert!(crowd.person(6).done.iter().any(|done| matches!(done, Done::Missed(..))));
	assert!(crowd.person(6).files("share").is_empty());
	crowd.person(1).down = true;
	crowd.elect(&[2, 3, 4, 5, 6, 1]);
	crowd.person(1).down = false;
	crowd.until("a handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != second));
	crowd.settle();
	let (_, third, _) = crowd.key().unwrap();
	assert_eq!(holders(&crowd, third), BTreeSet::from([1, 2, 3, 4, 5, 6]));
}

#[test]
fn a_dealer_of_a_bad_share_is_convicted_and_the_key_made_without_it() {
	for first in [true, false] {
		let mut crowd = match first {
			true => Crowd::new(5),
			false => Crowd::with_key(5, &[1, 2, 3, 4, 5]),
		};
		let before = crowd.key();
		crowd.person(2).lie(Lie::BadShare(seat(4)));
		match first {
			true => crowd.elect(&[1, 2, 3, 4, 5]),
			false => crowd.elect(&[5, 4, 3, 2]),
		}
		// The seat is another one in the new set's numbering.
		crowd.until("a key", |crowd| {
			crowd.key().map(|(_, number, _)| number)
				!= before.as_ref().map(|(_, number, _)| *number)
		});
		crowd.settle();
		let (_, number, public) = crowd.key().unwrap();
		if let Some((_, _, same)) = before {
			assert_eq!(public, same);
		}
		let reported = crowd.chain.borrow().reported();
		assert_eq!(reported, [(OffenceClass::KeyCeremony, account(2))].into(), "first: {first}");
		let all = if first { vec![1, 2, 3, 4, 5] } else { vec![2, 3, 4, 5] };
		assert_eq!(holders(&crowd, number), all.into_iter().collect(), "it still holds a share");
		let mut client = crowd.client(101);
		crowd.obtain(&mut client, 0);
	}
}

#[test]
fn a_false_accuser_is_convicted_and_gets_no_share() {
	let mut crowd = Crowd::new(5);
	crowd.person(2).lie(Lie::FalseComplaint(seat(4)));
	crowd.elect(&[1, 2, 3, 4, 5]);
	crowd.until("the first key", |crowd| crowd.key().is_some());
	crowd.settle();
	let (_, number, _) = crowd.key().unwrap();
	let reported = crowd.chain.borrow().reported();
	assert_eq!(reported, [(OffenceClass::FalseReport, account(2))].into());
	assert_eq!(holders(&crowd, number), BTreeSet::from([1, 3, 4, 5]));
}

#[test]
fn a_lapsed_member_hands_over_and_receives_nothing() {
	let mut crowd = Crowd::with_key(5, &[1, 2, 3]);
	let (_, first, public) = crowd.key().unwrap();
	crowd.elect(&[1, 3, 4, 5]);
	let worker = crowd.person(1).worker();
	let lapsed = unix() - GRACE / 2;
	crowd.chain.borrow_mut().attest(worker, account(1), Role::Gatekeeper, lapsed);
	// With one more away, the key could not be handed over without it.
	crowd.person(2).down = true;
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.person(2).down = false;
	crowd.settle();
	let (_, second, same) = crowd.key().unwrap();
	assert_eq!(public, same);
	assert!(crowd.person(1).files("share").is_empty());
	assert_eq!(crowd.person(4).files("share"), [second]);
}

#[test]
fn a_ceremony_that_fails_leaves_nothing_behind_and_the_next_one_works() {
	let mut crowd = Crowd::with_key(7, &[1, 2, 3, 4, 5]);
	let (_, first, public) = crowd.key().unwrap();
	crowd.elect(&[3, 4, 5, 6, 7]);
	for number in [5, 6, 7] {
		crowd.person(number).down = true;
	}
	crowd.until("a failure", crate::crowd::has_failed);
	crowd.rounds(4);
	for number in [3, 4] {
		assert!(crowd.person(number).files("part").is_empty());
		assert_eq!(crowd.person(number).files("share"), [first], "the set in office keeps the key");
	}
	let erased = |done: &Done| matches!(done, Done::Erased(Useless::Part(_)));
	assert!(crowd.person(3).done.iter().any(erased));
	for number in [5, 6, 7] {
		crowd.person(number).down = false;
	}
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.settle();
	assert_eq!(crowd.key().unwrap().2, public);
}
