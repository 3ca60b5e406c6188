//! Old chains, other chains, old backups.

use crate::crowd::{Crowd, Store};
use phala_gatekeeper::engine::Distrust;
use phala_primitives::BlockRef;
use sp_core::H256;

#[test]
fn an_older_chain_is_refused_until_it_has_caught_up() {
	let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
	let old = crowd.chain.borrow().finalised();
	crowd.rounds(5);
	crowd.person(1).gate.shown = Some(old);
	crowd.person(1).restart();
	crowd.round();
	assert!(matches!(crowd.person(1).distrust(), Some(Distrust::Older { .. })));
	crowd.person(1).gate.shown = None;
	crowd.person(1).errors.clear();
	crowd.round();
	crowd.assert_no_errors();
}

#[test]
fn another_chain_is_refused() {
	let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
	let mut other = Crowd::with_key(4, &[1, 2, 3, 4]);
	other.rounds(20);
	let keys = crowd.person(1).files("share");
	let (chain, shown) = (other.chain.clone(), other.chain.borrow().finalised());
	crowd.person(1).gate.show(chain);
	assert!(shown.number > crowd.chain.borrow().finalised().number);
	crowd.person(1).run();
	assert!(matches!(crowd.person(1).distrust(), Some(Distrust::OtherChain { .. })));
	assert_eq!(crowd.person(1).files("share"), keys, "nothing is erased for its sake");
}

#[test]
fn a_fork_at_the_same_height_is_refused() {
	let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
	crowd.person(1).run();
	let BlockRef { number, .. } = crowd.chain.borrow().finalised();
	crowd.person(1).gate.shown = Some(BlockRef { number, hash: H256::repeat_byte(9) });
	crowd.person(1).run();
	assert!(matches!(crowd.person(1).distrust(), Some(Distrust::OtherChain { .. })));
}

#[test]
fn a_block_of_another_time_is_refused() {
	let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
	for number in [1, 2] {
		crowd.person(number).gate.clock_error = 600;
	}
	let mut client = crowd.client(101);
	for _ in 0..10 {
		assert_eq!(client.run(0), None, "one of three answers");
		crowd.round();
	}
	assert!(matches!(crowd.person(1).distrust(), Some(Distrust::Stale { seconds: 500.. })));
	crowd.person(1).gate.clock_error = 0;
	crowd.obtain(&mut client, 0);
}

fn files(store: &Store) -> std::collections::BTreeMap<String, Vec<u8>> {
	match store {
		Store::Memory(files) => files.borrow().clone(),
		Store::Folder(_) => panic!("in memory"),
	}
}

/// An old backup is put in place of the files: what was erased since is erased again, unopened.
#[test]
fn a_restored_backup_does_not_undo_an_erasure() {
	let mut crowd = Crowd::with_key(4, &[1, 2, 3]);
	let (_, first, _) = crowd.key().unwrap();
	let backup = files(&crowd.person(1).store);
	crowd.elect(&[1, 2, 3, 4]);
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.settle();
	assert_ne!(crowd.person(1).files("share"), [first]);

	let Store::Memory(store) = crowd.person(1).store.clone() else { panic!("in memory") };
	*store.borrow_mut() = backup;
	// Bent, so that opening it would be an error.
	let name = format!("share-{first}.sealed");
	store.borrow_mut().get_mut(&name).unwrap()[40] ^= 1;
	crowd.person(1).restart();
	crowd.rounds(3);
	assert!(crowd.person(1).files("share").is_empty(), "the new share is lost, the old one erased");
	crowd.assert_no_errors();
	let mut client = crowd.client(101);
	crowd.obtain(&mut client, 0);

	// It gets a share again at the next handover.
	let (_, second, _) = crowd.key().unwrap();
	crowd.elect(&[1, 2, 3]);
	crowd.until("a handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != second));
	crowd.settle();
	let (_, third, _) = crowd.key().unwrap();
	assert_eq!(crowd.person(1).files("share"), [third]);
}

/// Files of a later time with a chain of an earlier one.
#[test]
fn secrets_of_a_ceremony_that_has_not_begun_stop_everything() {
	let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
	let Store::Memory(store) = crowd.person(1).store.clone() else { panic!("in memory") };
	let share = store.borrow().get("share-0.sealed").unwrap().clone();
	store.borrow_mut().insert("share-77.sealed".into(), share);
	crowd.person(1).restart();
	crowd.round();
	assert_eq!(crowd.person(1).distrust(), Some(&Distrust::Future { number: 77 }));
	assert_eq!(crowd.person(1).files("share"), [0, 77], "nothing is erased");
}

/// The folder is lost in the middle of a ceremony: no second key contradicts the first.
#[test]
fn lost_files_never_lead_to_a_second_message() {
	let mut crowd = Crowd::new(4);
	crowd.elect(&[1, 2, 3, 4]);
	crowd.until("all registrations", |crowd| {
		crowd.chain.borrow_mut().attempt().is_some_and(|attempt| attempt.digests.len() >= 4)
	});
	// Until that is final, nobody could know.
	for person in &mut crowd.people[1..] {
		person.run();
	}
	crowd.chain.borrow_mut().blocks(3);
	let Store::Memory(store) = crowd.person(1).store.clone() else { panic!("in memory") };
	store.borrow_mut().clear();
	crowd.person(1).restart();
	crowd.until("the first key", |crowd| crowd.key().is_some());
	crowd.settle();
	assert!(crowd.person(1).files("share").is_empty());
	let (_, number, _) = crowd.key().unwrap();
	assert_eq!(crowd.person(2).files("share"), [number]);
}
