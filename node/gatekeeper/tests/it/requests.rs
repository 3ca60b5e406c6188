//! Requests: who is answered, and who is not.

use crate::{
	chain::{Chain, IMAGE, REQUEST, unix},
	crowd::{Crowd, account, requests},
};
use phala_attestation::Role;
use phala_gatekeeper::engine::Done;
use phala_node_common::{board::Message, chain::Item};

fn answers(crowd: &Crowd) -> usize {
	let chain = crowd.chain.borrow();
	chain.included.iter().filter(|message| matches!(message, Message::Answer(..))).count()
}

#[test]
fn all_workers_of_a_cluster_get_the_same_key_from_whoever_answers() {
	let mut crowd = Crowd::with_key(5, &[1, 2, 3, 4, 5]);
	let mut keys = vec![];
	for (client, away) in [(101, [1, 2]), (102, [3, 4]), (103, [5, 1])] {
		let mut client = crowd.client(client);
		away.iter().for_each(|number| crowd.person(*number).down = true);
		keys.push(crowd.obtain(&mut client, 0));
		away.iter().for_each(|number| crowd.person(*number).down = false);
	}
	assert!(keys.iter().all(|key| *key == keys[0]));
	crowd.assert_no_errors();
}

#[test]
fn two_of_five_make_no_key() {
	let mut crowd = Crowd::with_key(5, &[1, 2, 3, 4, 5]);
	[1, 2, 3].iter().for_each(|number| crowd.person(*number).down = true);
	let mut client = crowd.client(101);
	for _ in 0..REQUEST / 2 {
		assert_eq!(client.run(0), None);
		crowd.round();
	}
	assert_eq!((requests(&mut crowd) > 0, answers(&crowd)), (true, 2));
}

/// The chain would take answers; the gatekeepers see for themselves that the worker is not attested.
#[test]
fn whoever_is_not_attested_is_not_answered() {
	type Spoil = fn(&mut Chain, phala_primitives::WorkerKey);
	let spoils: [(&str, Spoil); 4] = [
		("lapsed", |chain, worker| {
			let record = chain.record(worker, account(9), Role::Worker, unix());
			chain.put(Item::<()>::new("WorkerRegistry", "Workers").blake2(&worker), &record);
		}),
		("a gatekeeper", |chain, worker| {
			let record = chain.record(worker, account(9), Role::Gatekeeper, u64::MAX / 2);
			chain.put(Item::<()>::new("WorkerRegistry", "Workers").blake2(&worker), &record);
		}),
		("on a banned machine", |chain, worker| {
			let platform = sp_core::H256(worker.0);
			chain
				.put(Item::<()>::new("WorkerRegistry", "BannedPlatforms").identity(&platform), &());
		}),
		("running an image that is not allowed", |chain, _| {
			let key = Item::<()>::new("WorkerRegistry", "Measurements").identity(&IMAGE[0]);
			chain.at(|| sp_io::storage::clear(key.key()));
		}),
	];
	for (what, spoil) in spoils {
		let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
		let mut client = crowd.client(101);
		spoil(&mut crowd.chain.borrow_mut(), sp_core::Pair::public(&client.pair));
		for _ in 0..10 {
			assert_eq!(client.run(0), None);
			crowd.round();
		}
		assert_eq!(requests(&mut crowd), 1, "the chain took the request of one {what}");
		assert_eq!(answers(&crowd), 0, "{what}");
		crowd.assert_no_errors();
	}
}

#[test]
fn a_lapsed_gatekeeper_answers_nobody() {
	let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
	let worker = crowd.person(1).worker();
	crowd.chain.borrow_mut().attest(worker, account(1), Role::Gatekeeper, unix());
	crowd.rounds(4);
	let mut client = crowd.client(101);
	crowd.obtain(&mut client, 0);
	assert!(!crowd.person(1).done.iter().any(|done| {
		matches!(done, Done::Published(message, _) if matches!(**message, Message::Answer(..)))
	}));
}

#[test]
fn answers_are_forgotten_with_their_requests() {
	let mut crowd = Crowd::with_key(3, &[1, 2, 3]);
	let mut client = crowd.client(101);
	let key = crowd.obtain(&mut client, 0);
	crowd.rounds(REQUEST);
	assert_eq!(crowd.obtain(&mut client, 0), key, "the same worker may ask again");
	crowd.rounds(REQUEST);
	let mut other = crowd.client(102);
	assert_eq!(crowd.obtain(&mut other, 0), key);
}

/// Requests that are made while the key is handed over are answered by the new holders.
#[test]
fn a_handover_does_not_disturb_requests() {
	let mut crowd = Crowd::with_key(8, &[1, 2, 3, 4, 5]);
	let mut client = crowd.client(101);
	let key = crowd.obtain(&mut client, 0);
	let (_, first, _) = crowd.key().unwrap();
	crowd.elect(&[4, 5, 6, 7, 8]);
	let mut next = 110;
	let mut asking: Vec<crate::crowd::Client> = vec![];
	let mut obtained = 0;
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	for _ in 0..60 {
		if asking.len() < 4 && next < 120 {
			asking.push(crowd.client(next));
			next += 1;
		}
		asking.retain_mut(|client| match client.run(0) {
			Some(found) => {
				assert_eq!(found, key);
				obtained += 1;
				false
			}
			None => true,
		});
		crowd.round();
	}
	assert!(obtained >= 8, "{obtained} keys");
	crowd.assert_no_errors();
}
