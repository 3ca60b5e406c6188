//! Who gets a seat, who may go, and when.

use crate::{mock::*, types::*, *};
use frame_support::{assert_noop, assert_ok};
use phala_attestation::Role;
use phala_primitives::{Gatekeepers, WorkerObligations};

fn next() -> Vec<AccountId> {
	let next = NextSet::<Test>::get();
	next.into_iter().flat_map(|next| next.seats).map(|seat| seat.account).collect()
}

fn refusals() -> Vec<(AccountId, Refusal)> {
	let refused = events().into_iter().filter_map(|event| match event {
		Event::SeatRefused { account, why, .. } => Some((account, why)),
		_ => None,
	});
	refused.collect()
}

#[test]
fn the_first_of_several_counts() {
	build_and_execute(|| {
		let world = World::new(8);
		attest(world.people[4].worker(), 5, Role::Gatekeeper, 1);
		lapse(&world.people[5].worker(), 1);
		attest(world.people[6].worker(), 7, Role::Worker, 7);
		let mut elected = world.entries(&[1, 1, 2, 5, 6, 7, 8]);
		elected.push((3, world.people[1].worker()));
		assert_ok!(Keys::on_set_elected(elected));
		assert_eq!(next(), [1, 2, 8]);
		assert_eq!(
			refusals(),
			[
				(1, Refusal::SameAccount),
				(5, Refusal::SamePlatform),
				(6, Refusal::NotAttested),
				(7, Refusal::NotAttested),
				(3, Refusal::SameWorker),
			]
		);
	});
}

#[test]
fn a_set_has_a_size() {
	build_and_execute(|| {
		let world = World::new(40);
		let all: Vec<_> = (1..=40).collect();
		assert_noop!(Keys::on_set_elected(world.entries(&[1, 2])), Error::<Test>::TooFewSeats);
		world.elect(&all);
		assert_eq!(next(), all[..32]);
		assert_eq!(refusals().len(), 8);
		// Too few do not replace who waits.
		assert_noop!(Keys::on_set_elected(Vec::new()), Error::<Test>::TooFewSeats);
		assert_eq!(next().len(), 32);
	});
}

#[test]
fn bonds_are_free_when_the_handover_is_final() {
	build_and_execute(|| {
		let mut world = World::new(8);
		let free = |accounts: &[AccountId]| -> Vec<_> {
			accounts.iter().copied().filter(Keys::may_unbond).collect()
		};
		let everybody = [1, 2, 3, 4, 5, 6, 7];
		assert_eq!(free(&everybody), everybody);
		world.elect(&[1, 2, 3, 4]);
		assert_eq!(free(&everybody), [5, 6, 7]);
		world.run(&[]);
		assert_eq!(free(&everybody), [5, 6, 7]);

		// Replaced before it was in office: 7 is free again, the old set is not.
		world.elect(&[3, 4, 5, 7]);
		assert_eq!(free(&everybody), [6]);
		world.elect(&[3, 4, 5, 6]);
		assert_eq!(free(&everybody), [7]);
		poll();
		world.register(&[]);
		world.pass_phase();
		world.deal(&[]);
		world.pass_phase();
		assert_eq!(free(&everybody), [7]);
		assert!(<Keys as WorkerObligations>::is_bound(&world.people[0].worker()));
		world.inspect(&[]);
		assert!(Handovers::take() == [0]);
		world.pass_phase();
		assert_eq!(Handovers::take(), [0]);
		assert_eq!(free(&everybody), [1, 2, 7]);
		assert!(!<Keys as WorkerObligations>::is_bound(&world.people[0].worker()));
		assert!(<Keys as WorkerObligations>::is_bound(&world.people[5].worker()));
	});
}

#[test]
fn an_election_during_a_ceremony_waits_for_it() {
	build_and_execute(|| {
		let mut world = World::with_key(8, &[1, 2, 3, 4]);
		world.elect(&[1, 2, 3, 5]);
		poll();
		world.register(&[]);
		world.elect(&[1, 2, 3, 6]);
		world.pass_phase();
		world.deal(&[]);
		world.pass_phase();
		world.inspect(&[]);
		world.pass_phase();
		world.take_shares();
		let office =
			|| -> Vec<_> { Keys::in_office().into_iter().map(|seat| seat.account).collect() };
		assert_eq!(office(), [1, 2, 3, 5]);
		assert_eq!(next(), [1, 2, 3, 6]);
		pass(KEEP);
		world.run(&[]);
		assert_eq!(office(), [1, 2, 3, 6]);
		assert!(next().is_empty());
	});
}

#[test]
fn the_set_in_office_comes_back_if_it_is_elected_during_its_own_handover() {
	build_and_execute(|| {
		let mut world = World::with_key(8, &[1, 2, 3]);
		let office = || Keys::office().into_iter().map(|seat| seat.account).collect::<Vec<_>>();
		for fails in [false, true] {
			world.elect(&[4, 5, 6]);
			poll();
			world.elect(&[1, 2, 3]);
			world.run(if fails { &[1, 2, 3, 4, 5, 6] } else { &[] });
			match fails {
				true => assert!(next().is_empty(), "it never left"),
				false => {
					assert_eq!(office(), [4, 5, 6]);
					world.run(&[]);
				}
			}
			assert_eq!(office(), [1, 2, 3]);
			assert!(next().is_empty());
		}
		reports();
	});
}

#[test]
fn the_last_moment_counts_and_the_next_does_not() {
	build_and_execute(|| {
		let mut world = World::new(3);
		world.elect(&[1, 2, 3]);
		poll();
		let begun = RelayBlock::get();
		let at = |block: u32| {
			RelayBlock::set(block);
			LastSeen::<Test>::put(block);
		};
		let late = Err(Error::<Test>::WrongPhase.into());
		let [one, two] = [1, 2].map(|who| world.person(who).registration().unwrap());
		at(begun + COMMIT - 1);
		poll();
		assert_eq!(send(one), Ok(()));
		at(begun + COMMIT);
		assert_eq!(in_pool(&two), late, "also before the hook has run");
		at(begun + COMMIT - 1);
		world.register(&[]);
		poll();
		let [one, two] = [1, 2].map(|who| world.person(who).dealing().unwrap());
		let begun = RelayBlock::get();
		at(begun + SHARE - 1);
		poll();
		assert_eq!(send(one), Ok(()));
		at(begun + SHARE);
		assert_eq!(in_pool(&two), late);
		at(begun + SHARE - 1);
		world.deal(&[]);
		poll();
		let lie = world.person(1).false_complaint(seat(2)).unwrap();
		let lie = world.person(1).complaining(seat(2), lie);
		let begun = RelayBlock::get();
		at(begun + COMPLAIN);
		assert_eq!(in_pool(&lie), late);
		at(begun + COMPLAIN - 1);
		poll();
		assert_eq!(send(lie), Ok(()));
		at(begun + COMPLAIN);
		poll();
		assert!(CurrentEpoch::<Test>::exists());
		reports();
	});
}

#[test]
fn a_lapsed_member_may_hand_over_and_nothing_else() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3, 4]);
		world.elect(&[1, 2, 3, 5]);
		poll();
		let lapsed = world.people[0].worker();
		lapse(&lapsed, GRACE - 1);
		let both = world.people[0].registration().unwrap();
		assert_eq!(in_pool(&both), Err(Error::<Test>::NotAttested.into()));
		let mut rng = rng(1);
		let member = world.people[0].join().unwrap();
		let (id, mut registration) =
			(member.ceremony().id(), member.registration(&mut rng).unwrap());
		registration.key = None;
		assert_ok!(send(world.people[0].registering(id, registration)));
		world.register(&[1]);
		pass(COMMIT);
		// A moment later it is over.
		lapse(&lapsed, GRACE);
		let late = world.people[0].dealing().unwrap();
		assert_eq!(in_pool(&late), Err(Error::<Test>::NotAttested.into()));
		lapse(&lapsed, GRACE - 1);
		assert_ok!(send(late));
		world.deal(&[1]);
		world.pass_phase();
		world.inspect(&[1]);
		world.pass_phase();
		let key = LiveKeys::<Test>::get(0).unwrap();
		assert_eq!(key.sharing.qualified().len(), 4);
		assert!(!key.sharing.holders().contains(seat(1)));
		poll();
		assert_eq!(reported(), [(phala_primitives::OffenceClass::Absence, 1)]);
	});
}

#[test]
fn in_a_generation_everybody_is_attested() {
	build_and_execute(|| {
		let mut world = World::new(4);
		world.elect(&[1, 2, 3, 4]);
		poll();
		lapse(&world.people[1].worker(), 1);
		let call = world.people[1].registration().unwrap();
		assert_eq!(in_pool(&call), Err(Error::<Test>::NotAttested.into()));
		attest(world.people[1].worker(), 2, Role::Worker, 2);
		assert_eq!(in_pool(&call), Err(Error::<Test>::NotAttested.into()));
		attest(world.people[1].worker(), 2, Role::Gatekeeper, 2);
		assert_ok!(send(call));
	});
}

#[test]
fn status_says_what_is_awaited() {
	build_and_execute(|| {
		let idle = |waiting| Status::Idle { waiting };
		assert_eq!(Keys::status(), idle(Waiting::NothingToDo));
		let mut world = World::new(4);
		world.elect(&[1, 2, 3, 4]);
		assert_eq!(Keys::status(), idle(Waiting::Ready));
		poll();
		world.register(&[3]);
		let late: Vec<_> =
			Keys::late().into_iter().map(|(seat, why)| (seat.account, why)).collect();
		assert_eq!(late, [(3, Fault::NoDigest), (3, Fault::NoKey)]);
		let Status::Running { attempt, ends, dealers, recipients, id } = Keys::status() else {
			panic!("a ceremony is under way")
		};
		assert_eq!((attempt.purpose, ends), (Purpose::First, Some(1 + COMMIT)));
		assert_eq!((dealers.len(), recipients.len(), id), (4, 4, attempt.ceremony.id().0));
		pass(COMMIT);
		world.deal(&[2, 3]);
		let late: Vec<_> =
			Keys::late().into_iter().map(|(seat, why)| (seat.account, why)).collect();
		assert!(late.contains(&(2, Fault::NoDealing)) && late.len() == 3);
		pass(SHARE);
		assert_eq!(Keys::why_failed().unwrap().why, WhyFailed::NotEnoughDealers);
		let failure = Keys::why_failed().unwrap();
		assert_eq!((failure.attempts, failure.purpose, failure.number), (1, Purpose::First, 0));
		assert_eq!(
			failure.faulty.into_inner(),
			[(3, Fault::NoDigest), (3, Fault::NoKey), (2, Fault::NoDealing)]
		);
		assert!(matches!(Keys::status(), Status::Idle { waiting: Waiting::Retry { .. } }));
		reports();
	});
}
