//! Shares that are sealed with guards, which peers give back.

use crate::{
	chain::{Chain, REQUEST, RelayBlock, Test, unix},
	crowd::{Crowd, Fixed, Person, Store},
};
use pallet_gatekeeper_keys as pallet;
use pallet_gatekeeper_keys::types::Phase;
use phala_gatekeeper::{
	engine::Done,
	report::Report,
	vault::{Disk, Vault, VaultError},
};
use phala_node_common::{board::Message, guard_key, keystore::Keys};
use phala_threshold::CeremonyId;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

const MARK: &[u8] = b"PHALAGUARD";
/// Rounds in which a guard is asked for and given.
const PATIENCE: u32 = 16;

fn share(number: u64) -> String {
	format!("share-{number}.sealed")
}

fn is_guarded(person: &Person, name: &str) -> bool {
	person.content(name).starts_with(MARK)
}

fn files(person: &Person) -> BTreeMap<String, Vec<u8>> {
	let names = person.store.names().unwrap();
	names.into_iter().map(|name| (name.clone(), person.content(&name))).collect()
}

/// Number and id of the ceremony that made the shares in use.
fn current(crowd: &Crowd) -> (u64, CeremonyId) {
	let (_, live) = crowd.chain.borrow_mut().live().unwrap();
	(live.number, *live.sharing.ceremony())
}

/// Requests for guards that reached a block.
fn asked(crowd: &Crowd) -> usize {
	let chain = crowd.chain.borrow();
	let asks = |message: &&Message| matches!(message, Message::RequestGuard(..));
	chain.included.iter().filter(asks).count()
}

/// The question for a guard, from whoever has the identity.
fn question(crowd: &Crowd, keys: &Keys, ceremony: CeremonyId) -> guard_key::Asking {
	let (epoch, live) = crowd.chain.borrow_mut().live().unwrap();
	let until = RelayBlock::get() + REQUEST / 2;
	let rng = &mut ChaCha20Rng::seed_from_u64(1);
	let identity = &keys.identity;
	guard_key::Asking::new(&Chain::id(), identity, epoch, ceremony, &live, until, rng).unwrap()
}

fn until_holds(crowd: &mut Crowd, number: u8, share: u64) {
	crowd.until("the guard", |crowd| {
		let person = crowd.person(number);
		person.run();
		person.holds(share)
	});
}

#[test]
fn a_share_is_sealed_with_its_guard_and_opened_with_it_again() {
	let mut crowd = Crowd::guarded_with_key(5, &[1, 2, 3, 4, 5]);
	let (number, _) = current(&crowd);
	for person in &crowd.people {
		assert!(is_guarded(person, &share(number)), "{}", person.account);
		assert!(person.files("part").is_empty());
		assert!(person.done.contains(&Done::Guarded(number)));
	}
	let mut client = crowd.client(101);
	let key = crowd.obtain(&mut client, 0);

	crowd.person(1).restart();
	crowd.round();
	let last = crowd.person(1).last.as_ref().unwrap();
	assert!(last.memory.sealed.contains(&number) && last.memory.awaits.contains(&number));
	let told = Report::of(&last.view, &last.memory, unix());
	assert_eq!((told.missing(), told.sealed(), &told.guards[..]), (0, 1, &[number][..]));
	assert!(told.to_string().contains("sealed with its guard"), "{told}");
	assert!(told.to_string().contains("asked for, not given yet"), "{told}");
	assert!(!crowd.person(1).holds(number));
	until_holds(&mut crowd, 1, number);
	crowd.round();
	let last = crowd.person(1).last.as_ref().unwrap();
	let told = Report::of(&last.view, &last.memory, unix());
	assert_eq!((told.missing(), told.sealed(), told.guards.len()), (0, 0, 0));
	// It is needed, and answers.
	[2, 3].iter().for_each(|number| crowd.person(*number).down = true);
	let mut client = crowd.client(102);
	assert_eq!(crowd.obtain(&mut client, 0), key);
	crowd.assert_no_errors();
	assert!(crowd.chain.borrow().reported().is_empty());
}

#[test]
fn a_share_waits_as_long_as_too_few_run() {
	let mut crowd = Crowd::guarded_with_key(5, &[1, 2, 3, 4, 5]);
	let (number, _) = current(&crowd);
	[3, 4, 5].iter().for_each(|number| crowd.person(*number).down = true);
	crowd.person(1).restart();
	// Its question expires, and it asks anew.
	let before = asked(&crowd);
	crowd.rounds(REQUEST * 2);
	assert!(!crowd.person(1).holds(number), "one answer is not enough");
	assert!(asked(&crowd) > before + 1);
	assert!(is_guarded(crowd.person(1), &share(number)), "nothing is lost");
	// They come back: none of them was stopped, so that they still have theirs.
	[3, 4].iter().for_each(|number| crowd.person(*number).down = false);
	until_holds(&mut crowd, 1, number);
	crowd.person(5).down = false;
	let mut client = crowd.client(101);
	crowd.obtain(&mut client, 0);
	crowd.assert_no_errors();
}

/// The whole folder of before a handover, in the hands of somebody who has the TEE's key and identity.
#[test]
fn an_old_folder_cannot_be_opened_after_a_handover() {
	let mut crowd = Crowd::guarded_with_key(5, &[1, 2, 3, 4]);
	let (first, old) = current(&crowd);
	let (mut folders, mut parts) = (vec![files(crowd.person(1))], 0);
	crowd.elect(&[1, 2, 3, 5]);
	crowd.until("the handover", |crowd| {
		for number in [1, 4, 5] {
			let person = crowd.person(number);
			for part in person.files("part") {
				assert!(is_guarded(person, &format!("part-{part}.sealed")), "{}", person.account);
				parts += 1;
			}
		}
		folders.push(files(crowd.person(1)));
		current(crowd).0 != first
	});
	assert!(parts > 10, "secrets of the handover were seen");
	crowd.settle();
	let (second, _) = current(&crowd);
	for number in [1, 2, 3, 5] {
		assert_eq!(crowd.person(number).files("share"), [second]);
		assert!(is_guarded(crowd.person(number), &share(second)));
	}

	let keys = crowd.person(1).keys.clone();
	for folder in folders.into_iter().filter(|folder| folder.contains_key(&share(first))) {
		let store = Store::Memory(Rc::new(RefCell::new(folder)));
		let vault = Vault::new(store, Arc::new(Fixed), &keys).with_peer_seal(true);
		assert!(matches!(vault.share(first), Err(VaultError::NoGuard { .. })));
	}
	// It asks for the guard of the old share: the chain does not take that, and nobody would answer.
	let message = question(&crowd, &keys, old).message();
	let taken = crowd.chain.borrow_mut().publish(keys.worker(), &message);
	assert!(taken.is_err(), "{taken:?}");
	crowd.assert_no_errors();
	assert!(crowd.chain.borrow().reported().is_empty(), "nobody was late");
}

/// The chain would take answers; the members see for themselves that who asks is not attested.
#[test]
fn whoever_is_not_attested_is_given_no_guard() {
	use crate::crowd::account;
	use phala_attestation::Role;
	use phala_node_common::chain::Item;
	let mut crowd = Crowd::guarded_with_key(5, &[1, 2, 3, 4, 5]);
	let (number, ceremony) = current(&crowd);
	let keys = crowd.person(1).keys.clone();
	{
		let mut chain = crowd.chain.borrow_mut();
		let record = chain.record(keys.worker(), account(1), Role::Gatekeeper, unix());
		chain.put(Item::<()>::new("WorkerRegistry", "Workers").blake2(&keys.worker()), &record);
	}
	crowd.rounds(4);
	crowd.person(1).restart();
	crowd.rounds(2);
	assert!(!crowd.person(1).holds(number));
	assert!(crowd.person(1).last.as_ref().unwrap().memory.awaits.is_empty(), "it does not ask");
	let answers = |crowd: &Crowd| {
		let chain = crowd.chain.borrow();
		chain.included.iter().filter(|message| matches!(message, Message::Answer(..))).count()
	};
	let before = (answers(&crowd), asked(&crowd));
	let message = question(&crowd, &keys, ceremony).message();
	crowd.chain.borrow_mut().publish(keys.worker(), &message).unwrap();
	crowd.rounds(PATIENCE);
	assert_eq!((answers(&crowd), asked(&crowd)), (before.0, before.1 + 1));
}

#[test]
fn files_of_before_the_switch_are_read_and_sealed_anew() {
	let mut crowd = Crowd::with_key(5, &[1, 2, 3, 4, 5]);
	let (number, _) = current(&crowd);
	assert!(crowd.people.iter().all(|person| !is_guarded(person, &share(number))));
	// All at once: the files open as before.
	crowd.people.iter_mut().for_each(|person| {
		person.peer_seal = true;
		person.restart();
	});
	crowd.round();
	assert!(crowd.people.iter().all(|person| person.holds(number)));
	crowd.rounds(PATIENCE);
	for person in &crowd.people {
		assert!(is_guarded(person, &share(number)), "{}", person.account);
		assert!(person.done.contains(&Done::Resealed(number)));
	}
	let mut client = crowd.client(101);
	let key = crowd.obtain(&mut client, 0);

	// And back, one after the other: from now on the peers are needed.
	for who in 1..=5 {
		crowd.person(who).peer_seal = false;
		crowd.person(who).restart();
		until_holds(&mut crowd, who, number);
		crowd.rounds(2);
		assert!(!is_guarded(crowd.person(who), &share(number)));
	}
	crowd.people.iter_mut().for_each(Person::restart);
	let mut client = crowd.client(102);
	assert_eq!(crowd.obtain(&mut client, 0), key);
	crowd.assert_no_errors();
	assert!(crowd.chain.borrow().reported().is_empty());
}

#[test]
fn killed_again_and_again_while_it_waits() {
	let mut crowd = Crowd::guarded_with_key(5, &[1, 2, 3, 4, 5]);
	let (number, _) = current(&crowd);
	let before = asked(&crowd);
	for _ in 0..4 {
		crowd.person(1).restart();
		crowd.rounds(3);
		assert!(!crowd.person(1).holds(number));
	}
	assert_eq!(asked(&crowd), before + 4, "each life asks anew");
	until_holds(&mut crowd, 1, number);
	crowd.rounds(REQUEST);
	crowd.assert_no_errors();
	assert!(crowd.chain.borrow().reported().is_empty(), "nobody owed what was replaced");
	let left = crowd
		.chain
		.borrow_mut()
		.at(|| (pallet::Requests::<Test>::count(), pallet::ReplacedCount::<Test>::iter().count()));
	assert_eq!(left, (0, 0));
}

#[test]
fn a_lapsed_member_hands_over_and_its_secrets_are_sealed() {
	use crate::crowd::account;
	use phala_attestation::Role;
	let mut crowd = Crowd::guarded_with_key(5, &[1, 2, 3]);
	let (first, _) = current(&crowd);
	let worker = crowd.person(1).worker();
	crowd.chain.borrow_mut().attest(worker, account(1), Role::Gatekeeper, unix());
	crowd.elect(&[2, 3, 4]);
	crowd.until_phase("sharing", |phase| matches!(phase, Phase::Sharing { .. }));
	let person = crowd.person(1);
	let parts = person.files("part");
	assert_eq!(parts.len(), 1);
	assert!(is_guarded(person, &format!("part-{}.sealed", parts[0])), "with the old share's guard");
	crowd.until("the handover", |crowd| current(crowd).0 != first);
	crowd.settle();
	assert!(crowd.chain.borrow().reported().is_empty());
}

/// A first key, a request and a handover, in which gatekeeper 2 is killed after `points` points.
fn killed_after(points: Option<u32>) -> u32 {
	let mut crowd = Crowd::guarded(5);
	crowd.person(2).fuse.passed.set(0);
	if let Some(points) = points {
		crowd.person(2).kill_after(points);
	}
	crowd.elect(&[1, 2, 3, 4]);
	crowd.until("the first key", |crowd| crowd.key().is_some());
	crowd.settle();
	let (epoch, first, public) = crowd.key().unwrap();
	let mut client = crowd.client(101);
	let key = crowd.obtain(&mut client, epoch);

	crowd.elect(&[2, 3, 4, 5]);
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.settle();
	let (_, second, same) = crowd.key().unwrap();
	until_holds(&mut crowd, 2, second);
	assert_eq!(public, same);
	for number in [2, 3, 4, 5] {
		let person = crowd.person(number);
		assert_eq!(person.files("share"), [second], "killed after {points:?}");
		assert!(is_guarded(person, &share(second)) && person.files("part").is_empty());
	}
	assert!(crowd.person(1).files("share").is_empty());
	let mut client = crowd.client(102);
	assert_eq!(crowd.obtain(&mut client, epoch), key);
	crowd.assert_no_errors();
	let reported = crowd.chain.borrow().reported();
	assert!(reported.is_empty(), "killed after {points:?}: {reported:?}");
	crowd.person(2).fuse.passed.get()
}

#[test]
fn killed_at_points_with_guards() {
	let points = killed_after(None);
	for at in (0..points).step_by(4) {
		killed_after(Some(at));
	}
}
