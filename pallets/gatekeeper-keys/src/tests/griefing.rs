//! What hostile members, strangers and the weather can do.

use crate::{mock::*, types::*, *};
use frame_support::{
	assert_ok,
	weights::{Weight, WeightMeter},
};
use phala_primitives::OffenceClass::{Absence, FalseReport};
use phala_threshold::{self as threshold, Registration};

#[test]
fn a_false_accuser_is_heard_once() {
	build_and_execute(|| {
		let mut world = World::new(5);
		world.elect(&[1, 2, 3, 4, 5]);
		poll();
		world.register(&[]);
		world.pass_phase();
		world.deal(&[]);
		world.pass_phase();
		let lies = [2, 3, 4].map(|dealer| {
			let complaint = world.person(1).false_complaint(seat(dealer)).unwrap();
			world.person(1).complaining(seat(dealer), complaint)
		});
		let [first, second, third] = lies;
		assert_ok!(send(first.clone()));
		for again in [first, second, third] {
			assert_eq!(in_pool(&again), Err(Error::<Test>::AlreadyDone.into()));
		}
		world.inspect(&[]);
		world.pass_phase();
		assert_eq!(LiveKeys::<Test>::get(0).unwrap().sharing.qualified().len(), 5);
		poll();
		assert_eq!(reported(), [(FalseReport, 1)]);
	});
}

#[test]
fn one_conviction_closes_a_dealer() {
	build_and_execute(|| {
		let mut world = World::new(5);
		world.elect(&[1, 2, 3, 4, 5]);
		poll();
		world.register(&[]);
		world.pass_phase();
		world.deal(&[2]);
		let attempt = Current::<Test>::get().unwrap();
		let mut dealing = world.person(2).dealt().unwrap();
		spoil(&mut dealing, &attempt, seat(3));
		spoil(&mut dealing, &attempt, seat(4));
		assert_ok!(send(world.person(2).dealing_with(dealing)));
		let complaints = [3, 4].map(|who| {
			let complaint = world.person(who).inspect(seat(2), None).unwrap();
			world.person(who).complaining(seat(2), complaint)
		});
		// Also before the deadline for dealings.
		let [one, other] = complaints;
		assert_ok!(send(one));
		assert_eq!(in_pool(&other), Err(Error::<Test>::AlreadyDone.into()));
		world.pass_phase();
		world.inspect(&[]);
		world.pass_phase();
		poll();
		assert_eq!(reported(), [(phala_primitives::OffenceClass::KeyCeremony, 2)]);
	});
}

#[test]
fn nobody_speaks_for_another() {
	build_and_execute(|| {
		let mut world = World::new(5);
		world.elect(&[1, 2, 3, 4]);
		poll();
		let bad_signature = Err(Error::<Test>::BadSignature.into());
		let Call::register { statement, signature } = world.person(1).registration().unwrap()
		else {
			unreachable!()
		};
		// A stranger's signature; the statement of another seat; another ceremony.
		let forged = world.person(5).sign(&*statement);
		let call = Call::register { statement: statement.clone(), signature: forged };
		assert_eq!(in_pool(&call), bad_signature);
		let mut renamed = statement.clone();
		renamed.member = world.person(2).worker();
		assert_eq!(in_pool(&Call::register { statement: renamed, signature }), bad_signature);
		let mut elsewhere = statement.clone();
		elsewhere.ceremony.0[0] ^= 1;
		let call = Call::register { statement: elsewhere, signature };
		assert_eq!(in_pool(&call), Err(Error::<Test>::CeremonyNotFound.into()));
		// One who is in the set, with a key that was proven for another seat.
		let stolen = statement.registration;
		let call = world.person(2).registering(statement.ceremony, stolen);
		let invalid = Error::<Test>::from(threshold::Error::InvalidKeyProof);
		assert_eq!(in_pool(&call), Err(invalid.into()));
		// One who is not in the set; one who says nothing.
		let call = world.person(5).registering(statement.ceremony, stolen);
		assert_eq!(in_pool(&call), Err(Error::<Test>::NotASeat.into()));
		let nothing = Registration { key: None, digest: None };
		let call = world.person(2).registering(statement.ceremony, nothing);
		assert_eq!(in_pool(&call), Err(Error::<Test>::EmptyRegistration.into()));

		// Ciphertexts of somebody else's choice do not convict a dealer.
		world.register(&[]);
		world.pass_phase();
		let attempt = Current::<Test>::get().unwrap();
		let Call::deal { mut statement, signature } = world.person(1).dealing().unwrap() else {
			unreachable!()
		};
		spoil(&mut statement.dealing, &attempt, seat(2));
		assert_eq!(in_pool(&Call::deal { statement, signature }), bad_signature);
		world.deal(&[]);
		world.pass_phase();
		let complaint = world.person(1).false_complaint(seat(2)).unwrap();
		let Call::complain { statement, .. } = world.person(1).complaining(seat(2), complaint)
		else {
			unreachable!()
		};
		let signature = world.person(3).sign(&*statement);
		assert_eq!(in_pool(&Call::complain { statement, signature }), bad_signature);
	});
}

#[test]
fn registrations_do_not_change_once_they_are_in() {
	build_and_execute(|| {
		let mut world = World::new(4);
		world.elect(&[1, 2, 3]);
		poll();
		assert_ok!(send(world.person(1).registration().unwrap()));
		let before = CeremonyKeys::<Test>::get(0, seat(1));
		world.person(1).member = None;
		let again = world.person(1).registration().unwrap();
		assert_eq!(in_pool(&again), Err(Error::<Test>::AlreadyDone.into()));
		assert_eq!(CeremonyKeys::<Test>::get(0, seat(1)), before);
	});
}

#[test]
fn a_chain_that_stood_still_makes_nobody_late() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3]);
		world.elect(&[2, 3, 4]);
		poll();
		assert_ok!(send(Client::new(100).ask(0, CLUSTER).2));
		world.register(&[4]);
		// Half a day without blocks.
		RelayBlock::set(RelayBlock::get() + 7_200);
		poll();
		assert!(events().contains(&Event::StallNoticed { blocks: 7_200 }));
		assert_eq!(StalledFor::<Test>::get(), 7_200);
		let Status::Running { ends: Some(ends), .. } = Keys::status() else { panic!() };
		assert_eq!(ends, RelayBlock::get() + COMMIT);
		world.register(&[]);
		world.pass_phase();
		world.deal(&[]);
		world.answer(0, &[]);
		assert!(Requests::<Test>::get(0).unwrap().fulfilled);
		world.pass_phase();
		world.inspect(&[]);
		world.pass_phase();
		pass(REQUEST);
		assert!(reported().is_empty());
	});
}

#[test]
fn the_hook_keeps_to_its_weight_and_goes_on_later() {
	build_and_execute(|| {
		let mut world = World::new(5);
		world.elect(&[1, 2, 3, 4, 5]);
		poll();
		world.register(&[]);
		world.pass_phase();
		world.deal(&[]);
		world.pass_phase();
		world.inspect(&[]);
		let heaviest = weights::heaviest_step::<Test>();
		let limit = <()>::serve().saturating_add(heaviest);
		ServiceWeight::set(limit);
		RelayBlock::set(RelayBlock::get() + COMPLAIN / 3);
		poll();
		RelayBlock::set(RelayBlock::get() + COMPLAIN / 3);
		poll();
		RelayBlock::set(RelayBlock::get() + COMPLAIN / 3 + 1);
		let mut blocks = 0;
		while !CurrentEpoch::<Test>::exists() {
			let mut meter = WeightMeter::new();
			<Keys as frame_support::traits::Hooks<_>>::on_poll(1, &mut meter);
			assert!(meter.consumed().all_lte(limit));
			check();
			blocks += 1;
			assert!(blocks < 30);
		}
		// Closing, five dealings, five verification shares, installing: several of them weigh as much as a
		// report, for which there is room.
		assert!((2..=12).contains(&blocks), "{blocks}");
		// No weight, no step.
		let mut meter = WeightMeter::with_limit(Weight::zero());
		<Keys as frame_support::traits::Hooks<_>>::on_poll(1, &mut meter);
		assert_eq!(meter.consumed(), Weight::zero());
	});
}

/// Lets requests of eight workers expire, with no block in between.
fn eight_expire(world: &mut World, silent: &[AccountId]) {
	for seed in 100..108 {
		assert_ok!(send(Client::new(seed).ask(0, CLUSTER).2));
		world.answer(Queue::<Test>::get().next - 1, silent);
	}
	RelayBlock::set(RelayBlock::get() + REQUEST);
	LastSeen::<Test>::put(RelayBlock::get());
}

#[test]
fn requests_that_expire_keep_no_ceremony_waiting() {
	build_and_execute(|| {
		let mut world = World::with_key(6, &[1, 2, 3, 4, 5]);
		eight_expire(&mut world, &[1, 2, 3, 4, 5]);
		world.elect(&[2, 3, 4, 5, 6]);
		let two = weights::heaviest_step::<Test>() * 2;
		ServiceWeight::set(<()>::serve().saturating_add(two));
		poll();
		assert!(Current::<Test>::exists());
		// Nor are they kept waiting for long: each holder is reported once, for all of them.
		(0..4).for_each(|_| poll());
		assert_eq!(Requests::<Test>::count(), 0);
		assert_eq!(reported(), [1, 2, 3, 4, 5].map(|who| (Absence, who)));
	});
}

#[test]
fn requests_that_were_answered_cost_no_more_than_to_forget_them() {
	build_and_execute(|| {
		let mut world = World::with_key(3, &[1, 2, 3]);
		eight_expire(&mut world, &[]);
		ServiceWeight::set(<()>::serve().saturating_add(<()>::step_forget() * 8));
		poll();
		assert_eq!(Requests::<Test>::count(), 0);
		assert!(reported().is_empty());
	});
}
