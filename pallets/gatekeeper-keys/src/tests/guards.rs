//! How members get the guards of their shares, how requests are replaced, and who keeps nobody from it.

use crate::{mock::*, types::RequestId, *};
use frame_support::{assert_ok, pallet_prelude::*};
use phala_attestation::Role;
use phala_primitives::OffenceClass::Absence;
use phala_threshold::{self as threshold, CeremonyId, ClusterInput};

fn refused(call: &Call<Test>, error: Error<Test>) {
	assert_eq!(in_pool(call), Err(error.into()));
	assert!(apply(call.clone()).is_err(), "the chain does not rely on the pool");
}

/// The ceremony that made the shares in use.
fn current() -> CeremonyId {
	*LiveKeys::<Test>::get(0).unwrap().sharing.ceremony()
}

fn newest() -> RequestId {
	Queue::<Test>::get().next - 1
}

/// A member asks, all but `silent` answer.
fn guard(world: &mut World, who: AccountId, of: CeremonyId, silent: &[AccountId]) -> [u8; 32] {
	let (blind, request, call) = world.person(who).ask_guard(0, of);
	assert_ok!(send(call));
	let id = newest();
	world.answer(id, silent);
	combine_guard(&blind, &request, id).unwrap()
}

#[test]
fn any_threshold_gives_a_member_its_guard() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3, 4, 5]);
		let of = current();
		let first = guard(&mut world, 1, of, &[1, 2]);
		pass(1);
		// It asks again, as after a restart.
		assert_eq!(guard(&mut world, 1, of, &[1, 5]), first);
		assert_ne!(guard(&mut world, 2, of, &[]), first);
		// Two are not enough.
		let (blind, request, call) = world.person(3).ask_guard(0, of);
		assert_ok!(send(call));
		world.answer(newest(), &[1, 2, 3]);
		let too_few = threshold::Error::NotEnoughPartials;
		assert_eq!(combine_guard(&blind, &request, newest()), Err(too_few));
		let input =
			threshold::GuardInput { epoch: 0, ceremony: of, member: world.people[2].worker().0 };
		assert_eq!(Keys::request_for(world.people[2].worker(), input.into()), Some(newest()));
		assert_eq!(Keys::open_requests(None).len(), 1);
	});
}

#[test]
fn who_may_ask_for_which_guard() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3]);
		let of = current();
		let (_, request, call) = world.person(1).ask_guard(0, of);
		let until = RelayBlock::get() + REQUEST - 1;
		refused(&world.person(4).ask_guard(0, of).2, Error::NotASeat);
		let elsewhere = CeremonyId([9; 32]);
		refused(&world.person(1).ask_guard(0, elsewhere).2, Error::CeremonyNotFound);
		refused(&world.person(1).asking_guard(1, of, until, request), Error::EpochNotLive);
		refused(&world.person(1).asking_guard(0, of, until + 1, request), Error::NotValidNow);
		let past = RelayBlock::get() - 1;
		refused(&world.person(1).asking_guard(0, of, past, request), Error::NotValidNow);
		// Another member's request under one's own name, or one's own under another moment.
		let invalid = || Error::<Test>::from(threshold::Error::InvalidRequest);
		refused(&world.person(2).asking_guard(0, of, until, request), invalid());
		refused(&world.person(1).asking_guard(0, of, until - 1, request), invalid());
		// Somebody else's signature.
		let Call::request_guard { statement, .. } = &call else { unreachable!() };
		let signature = world.person(2).sign(&**statement);
		let forged = Call::request_guard { statement: statement.clone(), signature };
		refused(&forged, Error::BadSignature);
		// Its attestation.
		let worker = world.people[0].worker();
		lapse(&worker, 1);
		refused(&call, Error::NotAttested);
		attest(worker, 1, Role::Worker, 1);
		refused(&call, Error::NotAttested);
		attest(worker, 1, Role::Gatekeeper, 1);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
			use frame_support::traits::UnfilteredDispatchable;
			let outcome = call.clone().dispatch_bypass_filter(origin);
			let bad = Err(sp_runtime::DispatchError::BadOrigin);
			assert_eq!(outcome.map(|_| ()).map_err(|error| error.error), bad);
		}
		assert_ok!(send(call.clone()));
		refused(&call, Error::AlreadyDone);
		// It is answered to an attested member only.
		let answer = world.person(2).answer(newest()).unwrap();
		lapse(&worker, 1);
		refused(&answer, Error::NotEntitled);
		attest(worker, 1, Role::Gatekeeper, 1);
		assert_ok!(send(answer));
		reports();
	});
}

/// A guard's request says nothing about a cluster's key, and the other way round.
#[test]
fn guards_are_no_cluster_keys() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let (of, until) = (current(), RelayBlock::get() + REQUEST - 1);
		let mut client = Client::new(100);
		let (_, asked, _) = client.ask(0, CLUSTER);
		let invalid = || Error::<Test>::from(threshold::Error::InvalidRequest);
		refused(&world.person(1).asking_guard(0, of, until, asked), invalid());
		let (_, request, call) = world.person(1).ask_guard(0, of);
		let input = ClusterInput { epoch: 0, cluster: CLUSTER };
		refused(&client.asking(input, until, request), invalid());
		assert_ok!(send(call));
		assert_ok!(send(client.asking(input, until, asked)));
		let Call::answer { seat, partial, .. } = world.person(2).answer(0).unwrap() else {
			unreachable!()
		};
		let invalid = Error::from(threshold::Error::InvalidPartial(seat));
		refused(&Call::answer { id: 1, seat, partial }, invalid);
	});
}

/// The heart of it: of shares that were replaced nobody gives the guard any more.
#[test]
fn the_guard_of_replaced_shares_is_gone() {
	build_and_execute(|| {
		let mut world = World::with_key(7, &[1, 2, 3, 4, 5]);
		let old = current();
		world.elect(&[2, 3, 4, 6, 7]);
		poll();
		let new = Current::<Test>::get().unwrap().ceremony.id();
		// While it is under way, the new members get theirs of the set in office.
		let sixth = guard(&mut world, 6, new, &[1, 2]);
		refused(&world.person(1).ask_guard(0, new).2, Error::NotASeat);
		refused(&world.person(6).ask_guard(0, old).2, Error::NotASeat);
		world.register(&[]);
		world.pass_phase();
		world.deal(&[]);
		world.pass_phase();
		world.inspect(&[]);
		let (_, _, call) = world.person(1).ask_guard(0, old);
		assert_ok!(send(call));
		let open = newest();
		world.pass_phase();
		world.take_shares();
		assert_eq!(current(), new);

		refused(&world.person(1).ask_guard(0, old).2, Error::CeremonyNotFound);
		refused(&world.person(2).ask_guard(0, old).2, Error::CeremonyNotFound);
		refused(&world.person(2).answer(open).unwrap(), Error::NotEntitled);
		assert_eq!(guard(&mut world, 6, new, &[2, 6]), sixth);
		pass(REQUEST);
		assert!(reported().is_empty(), "nobody owed the old one");
	});
}

#[test]
fn a_failed_ceremony_has_no_guards() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3]);
		world.elect(&[2, 3, 4]);
		poll();
		let new = Current::<Test>::get().unwrap().ceremony.id();
		assert_ok!(send(world.person(4).ask_guard(0, new).2));
		assert_ok!(Keys::abort(RuntimeOrigin::root()));
		// There is no other attempt.
		NextSet::<Test>::kill();
		let answer = world.person(1).answer(newest()).unwrap();
		refused(&answer, Error::NotEntitled);
		pass(1);
		refused(&world.person(4).ask_guard(0, new).2, Error::CeremonyNotFound);
		pass(REQUEST);
		assert!(reported().is_empty());
	});
}

#[test]
fn guards_end_with_their_key() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let first = current();
		assert_ok!(Keys::rotate(RuntimeOrigin::root(), false));
		poll();
		// Nobody could give the guard of the new key's ceremony yet.
		let second = Current::<Test>::get().unwrap().ceremony.id();
		refused(&world.person(1).ask_guard(0, second).2, Error::CeremonyNotFound);
		world.run(&[]);
		assert_ok!(send(world.person(1).ask_guard(0, first).2));
		assert_ok!(send(world.person(1).ask_guard(1, second).2));
		refused(&world.person(2).ask_guard(1, first).2, Error::CeremonyNotFound);
		assert_ok!(Keys::retire(RuntimeOrigin::root(), 0));
		refused(&world.person(2).ask_guard(0, first).2, Error::EpochNotLive);
		world.answer(newest(), &[]);
		pass(REQUEST);
		assert_eq!(Requests::<Test>::count(), 0);
		reports();
	});
}

#[test]
fn a_later_request_takes_the_place_of_an_earlier_one() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3, 4, 5]);
		let mut client = Client::new(100);
		let first = client.ask(0, CLUSTER).2;
		assert_ok!(send(first.clone()));
		world.answer(0, &[3, 4, 5]);
		// One that is not valid for longer does not.
		refused(&client.ask(0, CLUSTER).2, Error::AlreadyDone);
		pass(1);
		let (blind, request, second) = client.ask(0, CLUSTER);
		assert_ok!(send(second.clone()));
		assert!(events().contains(&Event::RequestReplaced { id: 0, by: 1 }));
		// Neither anybody nor the worker puts an earlier one in its place.
		refused(&first, Error::AlreadyDone);
		refused(&second, Error::AlreadyDone);
		assert!(Requests::<Test>::get(0).unwrap().replaced);
		refused(&world.person(3).answer(0).unwrap(), Error::AlreadyDone);
		assert_eq!(Keys::open_requests(None).len(), 1);
		world.answer(1, &[1, 2]);
		assert!(combine(&blind, &request, 1).is_ok());
		// A fulfilled one, whose secret may be lost, is replaced in the same way; but not for ever.
		pass(1);
		assert_ok!(send(client.ask(0, CLUSTER).2));
		world.answer(2, &[]);
		pass(1);
		refused(&client.ask(0, CLUSTER).2, Error::TooManyRequests);
		// It has its own bound: others' and other keys are asked for as before.
		admit(OTHER, client.worker());
		assert_ok!(send(client.ask(0, OTHER).2));
		world.answer(3, &[]);
		pass(1);
		refused(&client.ask(0, OTHER).2, Error::TooManyRequests);
		assert_ok!(send(Client::new(101).ask(0, CLUSTER).2));
		world.answer(4, &[]);
		check();

		pass(REQUEST);
		assert_eq!((Requests::<Test>::count(), OpenFor::<Test>::iter().count()), (0, 0));
		assert_eq!(
			(OpenCount::<Test>::iter().count(), ReplacedCount::<Test>::iter().count()),
			(0, 0)
		);
		assert_eq!(Partials::<Test>::iter().count(), 0);
		assert!(reported().is_empty(), "nobody is blamed for a request that was replaced");
		refused(&first, Error::NotValidNow);
	});
}

#[test]
fn what_is_not_replaced_is_owed_and_what_has_expired_is_not_replaced() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let of = current();
		assert_ok!(send(world.person(1).ask_guard(0, of).2));
		// Before the hook has seen that it expired.
		RelayBlock::set(RelayBlock::get() + REQUEST);
		refused(&world.person(1).ask_guard(0, of).2, Error::AlreadyDone);
		LastSeen::<Test>::put(RelayBlock::get());
		poll();
		// Not who asked: it may have been without its share.
		assert_eq!(reported(), [2, 3].map(|who| (Absence, who)));
		assert_ok!(send(world.person(1).ask_guard(0, of).2));
		world.answer(newest(), &[]);
	});
}

/// Workers fill the record; members still get their guards, and no more than is theirs.
#[test]
fn nobody_keeps_a_member_from_its_guard() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let of = current();
		for seed in 100..108 {
			assert_ok!(send(Client::new(seed).ask(0, CLUSTER).2));
		}
		refused(&Client::new(108).ask(0, CLUSTER).2, Error::TooManyRequests);
		let mut asked = 0;
		for _ in 0..5 {
			for who in [1, 2, 3] {
				asked += u32::from(send(world.person(who).ask_guard(0, of).2).is_ok());
			}
			pass(1);
			check();
		}
		// One, and two in its place.
		assert_eq!(asked, 9);
		refused(&world.person(1).ask_guard(0, of).2, Error::TooManyRequests);
		assert_eq!(Requests::<Test>::count(), 17);
		for id in 0..17 {
			world.answer(id, &[]);
		}
		pass(REQUEST);
		assert_eq!(Requests::<Test>::count(), 0);
		assert!(reported().is_empty());
		assert_ok!(send(world.person(1).ask_guard(0, of).2));
		world.answer(newest(), &[]);
	});
}

#[test]
fn one_tag_for_each_guard() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		let of = current();
		let tags = |call: &Call<Test>| {
			let ValidTransaction { provides, requires, propagate, .. } = in_pool(call).unwrap();
			assert!(requires.is_empty() && propagate && provides.len() == 1);
			provides
		};
		let (one, two) = (world.person(1).ask_guard(0, of).2, world.person(1).ask_guard(0, of).2);
		assert_eq!(tags(&one), tags(&two));
		assert_ne!(tags(&one), tags(&world.person(2).ask_guard(0, of).2));
	});
}
