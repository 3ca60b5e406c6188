//! What goes well: the first key, handovers, rotations, replacements.

use crate::{mock::*, types::*, *};
use frame_support::assert_ok;
use phala_primitives::Gatekeepers;

/// Everything that is stored, without the system's own.
fn stored() -> Vec<(Vec<u8>, usize)> {
	let mut items = Vec::new();
	let prefix = sp_io::hashing::twox_128(b"Keys");
	let mut key = prefix.to_vec();
	while let Some(next) = sp_io::storage::next_key(&key) {
		if !next.starts_with(&prefix) {
			break;
		}
		items.push((next.clone(), sp_io::storage::get(&next).unwrap().len()));
		key = next;
	}
	items
}

#[test]
fn a_first_key_is_made_handed_over_and_rotated() {
	build_and_execute(|| {
		let mut world = World::with_key(7, &[1, 2, 3, 4, 5]);
		assert_eq!(Handovers::take(), [0]);
		let first = Epochs::<Test>::get(0).unwrap().public_key;
		let mut client = Client::new(100);
		let key = client.obtain(&mut world, 0, CLUSTER);
		pass(REQUEST);

		// Three stay, two go, two come.
		world.elect(&[6, 2, 3, 7, 4]);
		world.run(&[]);
		assert_eq!(Handovers::take(), [0]);
		assert_eq!(Epochs::<Test>::get(0).unwrap().public_key, first);
		let office: Vec<_> = Keys::in_office().into_iter().map(|seat| seat.account).collect();
		assert_eq!(office, [6, 2, 3, 7, 4]);
		for gone in [1, 5] {
			world.person(gone).shares.clear();
		}
		assert_eq!(client.obtain(&mut world, 0, CLUSTER), key);
		pass(REQUEST);

		// Another epoch is another key.
		assert_ok!(Keys::rotate(RuntimeOrigin::root(), false));
		world.run(&[]);
		assert_eq!(CurrentEpoch::<Test>::get(), Some(1));
		assert!(Handovers::take().is_empty(), "the same set: nobody is released");
		assert_ne!(Epochs::<Test>::get(1).unwrap().public_key, first);
		assert_ne!(client.obtain(&mut world, 1, CLUSTER), key);
		// The old one answers for a while.
		assert_eq!(client.obtain(&mut world, 0, CLUSTER), key);
		pass(RETIREMENT);
		assert!(Epochs::<Test>::get(0).unwrap().ended.is_some());
		assert!(LiveKeys::<Test>::get(0).is_none());
		assert!(reported().is_empty());
	});
}

#[test]
fn storage_of_a_finished_ceremony_is_constant() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3, 4, 5]);
		let after = stored();
		// A set, a key, an epoch, five verification shares, the epoch's number, the next ceremony, the
		// clock, and what the pallet's version and the counter of requests take.
		assert!(after.len() <= 14, "{}", after.len());
		let sizes = |items: &[(Vec<u8>, usize)]| items.iter().map(|one| one.1).sum::<usize>();
		for round in 0..4 {
			pass(REFRESH);
			world.elect(&[1, 2, 3, 4, 5]);
			world.run(if round % 2 == 0 { &[] } else { &[3] });
			assert!(!Current::<Test>::exists());
			// Who was away gets no share, so there may be one item less.
			assert!(stored().len() <= after.len() && sizes(&stored()) <= sizes(&after));
		}
		reports();
	});
}

#[test]
fn the_same_set_is_confirmed_while_its_shares_are_young() {
	build_and_execute(|| {
		let mut world = World::with_key(4, &[1, 2, 3, 4]);
		let number = |_: &World| LiveKeys::<Test>::get(0).unwrap().number;
		let before = number(&world);
		world.elect(&[4, 3, 2, 1]);
		assert!(!NextSet::<Test>::exists(), "the order of seats means nothing");
		assert!(events().contains(&Event::SetConfirmed { seats: 4 }));
		pass(REFRESH);
		world.elect(&[1, 2, 3, 4]);
		world.run(&[]);
		assert!(number(&world) > before, "old shares are renewed");
		// A seat without a share gets one at the next election.
		world.elect(&[1, 2, 3]);
		world.run(&[2]);
		assert_eq!(reported().len(), 1);
		let holders = |_: &World| LiveKeys::<Test>::get(0).unwrap().sharing.holders().len();
		assert_eq!(holders(&world), 2);
		world.elect(&[1, 2, 3]);
		world.run(&[]);
		assert_eq!(holders(&world), 3);
	});
}

#[test]
fn a_lost_key_is_replaced_by_the_elected_set() {
	build_and_execute(|| {
		let mut world = World::with_key(8, &[1, 2, 3, 4]);
		// Two of four are gone for good: the other two cannot hand over.
		world.elect(&[1, 2, 5, 6, 7]);
		for _ in 0..ATTEMPTS {
			world.run(&[3, 4]);
		}
		assert_eq!(Keys::status(), Status::Idle { waiting: Waiting::GaveUp });
		assert!(reported().len() >= 2);
		assert_ok!(Keys::rotate(RuntimeOrigin::root(), true));
		world.run(&[3, 4]);
		assert_eq!(CurrentEpoch::<Test>::get(), Some(1));
		assert!(Epochs::<Test>::get(0).unwrap().ended.is_some(), "given up at once");
		assert!(!NextSet::<Test>::exists(), "the elected set is in office");
		assert!(Keys::may_unbond(&3) && !Keys::may_unbond(&7));
		assert!(Keys::why_failed().is_none());
		reports();
	});
}
