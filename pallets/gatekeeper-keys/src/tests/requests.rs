//! How workers get keys, and what they do not get.

use crate::{mock::*, *};
use frame_support::{assert_ok, pallet_prelude::*};
use phala_attestation::Role;
use phala_primitives::OffenceClass::Absence;
use phala_threshold as threshold;

fn refused(call: &Call<Test>, error: Error<Test>) {
	assert_eq!(in_pool(call), Err(error.into()));
	assert!(apply(call.clone()).is_err(), "the chain does not rely on the pool");
}

#[test]
fn any_threshold_of_answers_is_the_key_and_fewer_are_not() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3, 4, 5]);
		let mut keys = Vec::new();
		for silent in [&[1, 2][..], &[4, 5], &[1, 2, 3]] {
			let mut client = Client::new(100 + keys.len() as u64 * 10 + silent[0]);
			let (blind, request, call) = client.ask(0, CLUSTER);
			assert_ok!(send(call));
			let id = Queue::<Test>::get().next - 1;
			world.answer(id, silent);
			assert_eq!(Requests::<Test>::get(id).unwrap().fulfilled, silent.len() == 2);
			match combine(&blind, &request, id) {
				Ok(key) => keys.push(key),
				Err(error) => {
					assert!(silent.len() == 3 && error == threshold::Error::NotEnoughPartials)
				}
			}
		}
		assert!(keys.len() == 2 && keys[0] == keys[1]);
		assert_eq!(Keys::open_requests(None).len(), 1);
		assert_eq!(Keys::request_of(0).unwrap().1.len(), 3);
		let fourth = world.person(1).answer(0).unwrap();
		refused(&fourth, Error::AlreadyDone);
	});
}

#[test]
fn a_request_blinds_its_own_clusters_point() {
	build_and_execute(|| {
		let _world = World::with_key(3, &[1, 2, 3]);
		let mut client = Client::new(100);
		admit(OTHER, client.worker());
		let until = RelayBlock::get() + REQUEST - 1;
		let (_, request, _) = client.ask(0, CLUSTER);
		// The blinded point of one cluster under the name of another, or under another moment.
		let input = threshold::ClusterInput { epoch: 0, cluster: OTHER };
		let invalid = || Error::<Test>::from(threshold::Error::InvalidRequest);
		refused(&client.asking(input, until, request), invalid());
		let input = threshold::ClusterInput { epoch: 0, cluster: CLUSTER };
		refused(&client.asking(input, until - 1, request), invalid());
		// Another worker's request under one's own name.
		let thief = Client::new(101);
		refused(&thief.asking(input, until, request), invalid());
		assert_ok!(send(client.asking(input, until, request)));
	});
}

#[test]
fn a_partial_answers_one_request_of_one_cluster() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let mut client = Client::new(100);
		admit(OTHER, client.worker());
		assert_ok!(send(client.ask(0, CLUSTER).2));
		assert_ok!(send(client.ask(0, OTHER).2));
		let Call::answer { seat: own, partial, .. } = world.person(1).answer(0).unwrap() else {
			unreachable!()
		};
		let invalid = |seat| Error::<Test>::from(threshold::Error::InvalidPartial(seat));
		refused(&Call::answer { id: 1, seat: own, partial: partial.clone() }, invalid(own));
		refused(&Call::answer { id: 0, seat: seat(2), partial: partial.clone() }, invalid(seat(2)));
		refused(&Call::answer { id: 0, seat: seat(9), partial: partial.clone() }, Error::NotASeat);
		refused(
			&Call::answer { id: 2, seat: own, partial: partial.clone() },
			Error::RequestNotFound,
		);
		let Call::answer { partial: other, .. } = world.person(2).answer(0).unwrap() else {
			unreachable!()
		};
		let mixed = threshold::Partial { value: other.value, proof: partial.proof };
		refused(&Call::answer { id: 0, seat: own, partial: Box::new(mixed) }, invalid(own));
		assert_ok!(send(Call::answer { id: 0, seat: own, partial: partial.clone() }));
		refused(&Call::answer { id: 0, seat: own, partial }, Error::AlreadyDone);
	});
}

#[test]
fn who_may_ask() {
	build_and_execute(|| {
		let world = World::with_key(3, &[1, 2, 3]);
		let mut client = Client::new(100);
		let worker = client.worker();
		let (_, _, call) = client.ask(0, CLUSTER);
		expel(CLUSTER, worker);
		refused(&call, Error::NotEntitled);
		admit(CLUSTER, worker);
		lapse(&worker, 1);
		refused(&call, Error::NotEntitled);
		attest(worker, 0, Role::Gatekeeper, 100);
		refused(&call, Error::NotEntitled);
		attest(worker, 0, Role::Worker, 100);
		// A gatekeeper is nobody's worker.
		admit(CLUSTER, world.people[0].worker());
		let (_, _, call) = client.ask(0, CLUSTER);
		// Somebody else's signature.
		let Call::request { statement, .. } = &call else { unreachable!() };
		let signature = world.people[0].sign(&**statement);
		let forged = Call::request { statement: statement.clone(), signature };
		refused(&forged, Error::BadSignature);
		assert_ok!(send(call.clone()));
		refused(&call, Error::AlreadyDone);
		let mut unknown = Client::new(102);
		let input = threshold::ClusterInput { epoch: 1, cluster: CLUSTER };
		let (_, request, _) = unknown.ask(0, CLUSTER);
		refused(&unknown.asking(input, RelayBlock::get(), request), Error::EpochNotLive);
	});
}

#[test]
fn requests_are_bounded_and_cannot_be_repeated_by_others() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let mut client = Client::new(100);
		let clusters = [[1; 32], [2; 32], [3; 32]];
		clusters.iter().for_each(|cluster| admit(*cluster, client.worker()));
		let too_late = client.ask_until(0, clusters[0], RelayBlock::get() - 1).2;
		refused(&too_late, Error::NotValidNow);
		let too_long = client.ask_until(0, clusters[0], RelayBlock::get() + REQUEST).2;
		refused(&too_long, Error::NotValidNow);
		let first = client.ask(0, clusters[0]).2;
		assert_ok!(send(first.clone()));
		assert_ok!(send(client.ask(0, clusters[1]).2));
		refused(&client.ask(0, clusters[2]).2, Error::TooManyRequests);
		for seed in 101..107 {
			assert_ok!(send(Client::new(seed).ask(0, CLUSTER).2));
		}
		refused(&Client::new(107).ask(0, CLUSTER).2, Error::TooManyRequests);
		for id in 0..8 {
			world.answer(id, &[]);
		}
		assert_eq!(Keys::open_requests(None), []);
		pass(REQUEST);
		assert_eq!(Requests::<Test>::count(), 0);
		assert_eq!(Partials::<Test>::iter().count(), 0);
		// By the time a request is forgotten, its statement has run out.
		refused(&first, Error::NotValidNow);
		assert!(reported().is_empty());
	});
}

#[test]
fn silence_is_reported_if_the_worker_got_no_key() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3, 4, 5]);
		for (round, expected) in [(0, vec![3, 4, 5]), (1, vec![])] {
			for client in 0..2 {
				assert_ok!(send(Client::new(100 + 10 * round + client).ask(0, CLUSTER).2));
				world.answer(Queue::<Test>::get().next - 1, &[3, 4, 5]);
			}
			pass(REQUEST);
			assert_eq!(Requests::<Test>::count(), 0);
			// Once in a period, however many requests there were.
			assert_eq!(reported(), expected.iter().map(|who| (Absence, *who)).collect::<Vec<_>>());
		}
		pass(ABSENCE);
		assert_ok!(send(Client::new(130).ask(0, CLUSTER).2));
		pass(REQUEST);
		assert_eq!(reported().len(), 5);
	});
}

#[test]
fn nobody_is_blamed_for_what_was_not_owed() {
	build_and_execute(|| {
		let mut world = World::with_key(6, &[1, 2, 3, 4, 5]);
		// The worker got its key without two of them.
		let mut client = Client::new(100);
		assert_ok!(send(client.ask(0, CLUSTER).2));
		world.answer(0, &[1, 2]);
		// A worker that may not have the key any more.
		let mut expelled = Client::new(101);
		assert_ok!(send(expelled.ask(0, CLUSTER).2));
		expel(CLUSTER, expelled.worker());
		let answer = world.person(1).answer(1).unwrap();
		refused(&answer, Error::NotEntitled);
		// A holder whose attestation lapsed may not answer.
		lapse(&world.people[3].worker(), 1);
		assert_ok!(send(Client::new(102).ask(0, CLUSTER).2));
		let answer = world.person(4).answer(2).unwrap();
		refused(&answer, Error::NotAttested);
		pass(REQUEST);
		assert_eq!(reported(), [1, 2, 3, 5].map(|who| (Absence, who)));
		// Late is late.
		pass(ABSENCE);
		assert_ok!(send(Client::new(103).ask(0, CLUSTER).2));
		let answer = world.person(1).answer(3).unwrap();
		RelayBlock::set(RelayBlock::get() + REQUEST);
		refused(&answer, Error::RequestNotFound);
		reports();
	});
}

#[test]
fn nobody_is_blamed_if_the_worker_was_without_its_right_meanwhile() {
	use phala_primitives::{AttestationChange::*, OnAttestationChange};
	let tier = phala_attestation::Tier::One;
	let changes = [
		(Lapsed, true),
		(Renewed, true),
		(OperatorChanged { from: 0, to: 1 }, true),
		(Removed, true),
		(Reappraised { from: tier, to: tier }, false),
	];
	for (change, excused) in changes {
		build_and_execute(|| {
			let mut world = World::with_key(3, &[1, 2, 3]);
			let mut client = Client::new(100);
			let worker = client.worker();
			admit(OTHER, worker);
			for cluster in [CLUSTER, OTHER] {
				assert_ok!(send(client.ask(0, cluster).2));
			}
			let answer = world.person(1).answer(0).unwrap();
			lapse(&worker, 1);
			refused(&answer, Error::NotEntitled);
			attest(worker, 0, Role::Worker, 100);
			Keys::on_attestation_change(&worker, &change);
			pass(REQUEST);
			assert_eq!(reported().is_empty(), excused, "{change:?}");
			// What it asks afterwards is owed.
			assert_ok!(send(client.ask(0, CLUSTER).2));
			pass(REQUEST);
			assert_eq!(reported().is_empty(), !excused, "{change:?}");
		});
	}
}

#[test]
fn a_handover_restarts_requests_that_were_not_fulfilled() {
	build_and_execute(|| {
		let mut world = World::with_key(7, &[1, 2, 3, 4, 5]);
		world.elect(&[2, 3, 4, 6, 7]);
		poll();
		world.register(&[]);
		world.pass_phase();
		world.deal(&[]);
		world.pass_phase();
		world.inspect(&[]);
		let mut clients = [Client::new(100), Client::new(101)];
		let [(half, half_request, call), (full, full_request, other)] =
			clients.each_mut().map(|client| client.ask(0, CLUSTER));
		assert_ok!(send(call));
		assert_ok!(send(other));
		world.answer(0, &[1, 2, 3]);
		world.answer(1, &[]);
		assert_eq!(Requests::<Test>::get(0).unwrap().answered.len(), 2);
		let key = combine(&full, &full_request, 1).unwrap();
		let old = world.person(5).answer(0).unwrap();
		let late = world.person(1).answer(0).unwrap();
		world.pass_phase();
		world.take_shares();
		// An old partial does not help the new ones.
		refused(&late, Error::from(threshold::Error::InvalidPartial(seat(1))));
		drop(old);
		refused(&world.person(6).answer(1).unwrap(), Error::AlreadyDone);
		world.answer(0, &[1, 5]);
		let request = Requests::<Test>::get(0).unwrap();
		assert_eq!((request.answered.len(), request.fulfilled), (3, true));
		assert!(request.stored.len() >= 3);
		assert_eq!(combine(&half, &half_request, 0).unwrap(), key);
		pass(REQUEST);
		assert_eq!(Partials::<Test>::iter().count(), 0);
		assert!(reported().is_empty());
	});
}

#[test]
fn new_holders_do_not_answer_for_requests_that_are_older_than_their_shares() {
	build_and_execute(|| {
		let mut world = World::with_key(7, &[1, 2, 3, 4, 5]);
		world.elect(&[2, 3, 4, 6, 7]);
		poll();
		world.register(&[]);
		world.pass_phase();
		world.deal(&[]);
		world.pass_phase();
		world.inspect(&[]);
		assert_ok!(send(Client::new(100).ask(0, CLUSTER).2));
		world.pass_phase();
		world.take_shares();
		// One answers, so that the request counts on the new shares; the others had less time.
		world.answer(0, &[1, 2, 3, 4, 5, 7]);
		let request = Requests::<Test>::get(0).unwrap();
		assert_eq!(request.sharing, LiveKeys::<Test>::get(0).unwrap().number);
		assert_eq!((request.answered.len(), request.fulfilled), (1, false));
		pass(REQUEST);
		assert_eq!(Requests::<Test>::count(), 0);
		assert!(reported().is_empty());
	});
}

#[test]
fn one_tag_for_each_answer_and_request() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let mut client = Client::new(100);
		let (one, two) = (client.ask(0, CLUSTER).2, client.ask(0, CLUSTER).2);
		assert_eq!(in_pool(&one).unwrap().provides, in_pool(&two).unwrap().provides);
		assert_ok!(send(one));
		let (one, two) = (world.person(1).answer(0).unwrap(), world.person(1).answer(0).unwrap());
		let other = world.person(2).answer(0).unwrap();
		let tags = |call| {
			let ValidTransaction { provides, requires, propagate, .. } = in_pool(call).unwrap();
			assert!(requires.is_empty() && propagate && provides.len() == 1);
			provides
		};
		assert_eq!(tags(&one), tags(&two));
		assert_ne!(tags(&one), tags(&other));
	});
}

#[test]
fn deadlines_of_ceremonies_go_before_answers_and_these_before_requests() {
	build_and_execute(|| {
		let mut world = World::with_key(6, &[1, 2, 3, 4, 5]);
		let priority = |call: &Call<Test>| in_pool(call).unwrap().priority;
		let call = Client::new(100).ask(0, CLUSTER).2;
		let requests = priority(&call);
		assert_ok!(send(call));
		let answers = priority(&world.person(1).answer(0).unwrap());
		world.elect(&[2, 3, 4, 5, 6]);
		poll();
		let mut urgent = vec![priority(&world.person(2).registration().unwrap())];
		world.register(&[]);
		world.pass_phase();
		urgent.push(priority(&world.person(2).dealing().unwrap()));
		world.deal(&[]);
		world.pass_phase();
		let lie = world.person(2).false_complaint(seat(3)).unwrap();
		urgent.push(priority(&world.person(2).complaining(seat(3), lie)));
		for one in urgent {
			assert!(requests < answers && answers < one);
			assert!(one < TransactionPriority::MAX, "heartbeats go first");
		}
	});
}
