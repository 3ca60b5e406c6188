//! What an operator is told.

use crate::{
	chain::unix,
	crowd::{Crowd, Person},
};
use pallet_gatekeeper_keys::types::Phase;
use phala_gatekeeper::{metrics::Metrics, report::Report};
use phala_node_common::metrics::Registry;

fn report(person: &Person) -> Report {
	let last = person.last.as_ref().unwrap();
	Report::of(&last.view, &last.memory, unix())
}

#[test]
fn seats_shares_and_debts_are_told() {
	let mut crowd = Crowd::with_key(5, &[1, 2, 3]);
	let (_, number, _) = crowd.key().unwrap();
	let told = report(crowd.person(1));
	assert_eq!((told.epoch, told.missing(), told.ceremony.is_none()), (Some(0), 0, true));
	assert_eq!((told.keys[0].seat, told.keys[0].has_share), (Some(1), true));
	assert!(told.attested && told.age < 60);
	assert_eq!(report(crowd.person(4)).keys[0].seat, None);

	// The share is lost.
	let name = format!("share-{number}.sealed");
	phala_gatekeeper::vault::Disk::erase(&crowd.person(1).store, &name).unwrap();
	crowd.rounds(2);
	let told = report(crowd.person(1));
	assert_eq!(told.missing(), 1);
	assert!(told.to_string().contains("SHARE MISSING"), "{told}");

	// A member of the next set is told what it owes, until it is final that it gave it.
	crowd.elect(&[2, 3, 4]);
	crowd.until_phase("committing", |phase| matches!(phase, Phase::Committing { .. }));
	crowd.rounds(3);
	crowd.people.iter_mut().for_each(Person::run);
	let ceremony = report(crowd.person(4)).ceremony.unwrap();
	assert_eq!((ceremony.name, ceremony.deals, ceremony.receives), ("committing", None, Some(3)));
	assert_eq!(ceremony.owed, ["key"]);
	let stranger = report(crowd.person(5)).ceremony.unwrap();
	assert_eq!((stranger.owed.len(), stranger.receives), (0, None));
	crowd.settle();
	assert_eq!(report(crowd.person(4)).missing(), 0);
}

#[test]
fn metrics_follow_what_was_seen_and_done() {
	let registry = Registry::new();
	let metrics = Metrics::new(&registry).unwrap();
	let mut crowd = Crowd::new(3);
	crowd.elect(&[1, 2, 3]);
	for _ in 0..200 {
		crowd.round();
		let person = crowd.person(1);
		metrics.note(person.last.as_ref().unwrap(), &report(person));
	}
	assert_eq!(metrics.epoch.get(), 1, "epoch 0");
	assert_eq!((metrics.seats.get(), metrics.missing.get(), metrics.owed.get()), (1, 0, 0));
	assert_eq!((metrics.ceremony.get(), metrics.phase.get(), metrics.distrust.get()), (0, 0, 0));
	let names: Vec<_> =
		registry.gather().iter().map(|family| family.get_name().to_string()).collect();
	assert!(names.iter().all(|name| name.starts_with("phala_gatekeeper_")), "{names:?}");
}
