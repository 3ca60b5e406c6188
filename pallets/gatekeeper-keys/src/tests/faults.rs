//! Every kind of fault convicts exactly the faulty, and the others get their key.

use crate::{mock::*, types::*, *};
use frame_support::assert_ok;
use phala_primitives::OffenceClass::{self, Absence, FalseReport, KeyCeremony};
use phala_threshold::{Abuse, ShareFault, Verdict};
use sp_runtime::Perquintill;

/// A ceremony of accounts 1 to 5, the first key or its handover to 2 to 6, up to its next phase.
fn begun(handover: bool) -> World {
	match handover {
		false => {
			let world = World::new(7);
			world.elect(&[1, 2, 3, 4, 5]);
			poll();
			world
		}
		true => {
			let world = World::with_key(7, &[1, 2, 3, 4, 5]);
			world.elect(&[2, 3, 4, 5, 6]);
			poll();
			world
		}
	}
}

/// Ends the ceremony: a key that any threshold of holders can use.
fn completes(world: &mut World, holders: u8, qualified: u8) {
	while Current::<Test>::get().is_some_and(|attempt| attempt.is_open()) {
		world.pass_phase();
	}
	world.take_shares();
	let key = LiveKeys::<Test>::get(0).unwrap();
	assert!(Keys::why_failed().is_none());
	assert_eq!((key.sharing.holders().len(), key.sharing.qualified().len()), (holders, qualified));
	let mut one = Client::new(100);
	let mut another = Client::new(101);
	let (blind, request, call) = one.ask(0, CLUSTER);
	assert_ok!(send(call));
	let key = one.obtain_with(world, blind, request, &[5]);
	assert_eq!(another.obtain(world, 0, CLUSTER), key, "whoever answers");
	pass(KEEP + REQUEST);
	assert!(!Current::<Test>::exists());
}

impl Client {
	fn obtain_with(
		&mut self,
		world: &mut World,
		blind: phala_threshold::Blind,
		request: phala_threshold::Request,
		silent: &[AccountId],
	) -> [u8; 32] {
		let id = Queue::<Test>::get().next - 1;
		world.answer(id, silent);
		combine(&blind, &request, id).unwrap()
	}
}

#[test]
fn a_silent_committer_is_absent_once() {
	for handover in [false, true] {
		build_and_execute(|| {
			let mut world = begun(handover);
			world.register(&[4]);
			pass(COMMIT);
			world.deal(&[4]);
			world.pass_phase();
			world.inspect(&[4]);
			completes(&mut world, 4, 4);
			assert_eq!(reported(), [(Absence, 4)], "as dealer and recipient, but once");
		});
	}
}

#[test]
fn those_who_only_deal_or_only_receive_are_absent_too() {
	build_and_execute(|| {
		let mut world = begun(true);
		world.register(&[1, 6]);
		pass(COMMIT);
		world.deal(&[]);
		world.pass_phase();
		world.inspect(&[6]);
		completes(&mut world, 4, 4);
		assert_eq!(reported(), [(Absence, 1), (Absence, 6)]);
	});
}

#[test]
fn a_silent_dealer_is_absent() {
	for handover in [false, true] {
		build_and_execute(|| {
			let mut world = begun(handover);
			world.register(&[]);
			world.pass_phase();
			world.deal(&[2]);
			pass(SHARE);
			world.inspect(&[]);
			completes(&mut world, 5, 4);
			assert_eq!(reported(), [(Absence, 2)]);
		});
	}
}

#[test]
fn a_broken_promise_is_refused_and_counts_as_silence() {
	build_and_execute(|| {
		let mut world = begun(false);
		// It commits to one polynomial and reveals another.
		let promise = world.person(3).registration().unwrap();
		assert_ok!(send(promise));
		world.register(&[3]);
		world.person(3).member = None;
		world.person(3).rng = rng(999);
		world.pass_phase();
		world.deal(&[3]);
		let attempt = Current::<Test>::get().unwrap();
		// Its own key is another now, so that it deals to the others' from outside.
		let mut member = phala_threshold::Member::join(
			attempt.ceremony.clone(),
			phala_threshold::Role::Generate(seat(3)),
			&mut rng(5),
		)
		.unwrap();
		assert_eq!(
			member.deal(&roster(&attempt), &mut rng(6)).err(),
			Some(phala_threshold::Error::OwnKeyReplaced)
		);
		let stolen = world.person(2).dealt().unwrap();
		let broken = world.person(3).dealing_with(stolen);
		assert_eq!(
			in_pool(&broken),
			Err(Error::<Test>::from(phala_threshold::Error::DigestMismatch).into())
		);
		assert!(apply(broken).is_err(), "the chain does not rely on the pool");
		pass(SHARE);
		world.inspect(&[3]);
		completes(&mut world, 5, 4);
		assert_eq!(reported(), [(Absence, 3)]);
	});
}

#[test]
fn a_bad_share_convicts_its_dealer_and_rewards_who_found_it() {
	for handover in [false, true] {
		build_and_execute(|| {
			let mut world = begun(handover);
			world.register(&[]);
			world.pass_phase();
			world.deal(&[5]);
			let attempt = Current::<Test>::get().unwrap();
			let mut dealing = world.person(5).dealt().unwrap();
			let victim = world.person(4).seats(&attempt).1.unwrap();
			spoil(&mut dealing, &attempt, victim);
			assert_ok!(send(world.person(5).dealing_with(dealing)));
			world.pass_phase();
			let dealer = world.person(5).seats(&attempt).0.unwrap();
			events();
			world.inspect(&[]);
			assert_eq!(
				events(),
				[Event::ComplaintJudged {
					number: attempt.number(),
					complainer: victim,
					dealer,
					verdict: Verdict::DealerFaulty(ShareFault::Undecipherable),
				}]
			);
			completes(&mut world, 5, 4);
			let [report] = &reports()[..] else { panic!("one report") };
			assert_eq!((report.class, report.offender), (KeyCeremony, 5));
			assert_eq!(report.severity, Perquintill::one());
			let reporter = Some(4);
			assert_eq!(report.source, phala_primitives::Source::Proven { reporter });
		});
	}
}

#[test]
fn a_false_complaint_convicts_the_complainer_whether_the_opening_is_true_or_not() {
	for (true_opening, abuse) in [(true, Abuse::ShareIsValid), (false, Abuse::FalseOpening)] {
		build_and_execute(|| {
			let mut world = begun(false);
			world.register(&[]);
			world.pass_phase();
			world.deal(&[]);
			world.pass_phase();
			let mut complaint = world.person(1).false_complaint(seat(2)).unwrap();
			if !true_opening {
				// An opening that is another's: the dispute stays unopened.
				complaint.shared = world.person(3).false_complaint(seat(2)).unwrap().shared;
			}
			assert_ok!(send(world.person(1).complaining(seat(2), complaint)));
			let verdict = Verdict::ComplainerFaulty(abuse);
			let expected =
				Event::ComplaintJudged { number: 0, complainer: seat(1), dealer: seat(2), verdict };
			assert!(events().contains(&expected));
			world.inspect(&[]);
			// It opened a share of its own, and gets none of the key; but what it dealt is good.
			completes(&mut world, 4, 5);
			assert_eq!(reported(), [(FalseReport, 1)]);
		});
	}
}

#[test]
fn a_silent_old_set_leaves_the_key_where_it_is() {
	build_and_execute(|| {
		let mut world = begun(true);
		let before = LiveKeys::<Test>::get(0);
		let silent = [1, 2, 3];
		world.run(&silent);
		assert_eq!(LiveKeys::<Test>::get(0), before, "the old set stays in office");
		let failure = Keys::why_failed().unwrap();
		assert_eq!(failure.why, WhyFailed::NotEnoughDealers);
		let named: Vec<_> = failure.faulty.iter().map(|(who, _)| *who).collect();
		assert!(silent.iter().all(|who| named.contains(who)));
		let absent: Vec<_> = reported().into_iter().collect();
		assert_eq!(absent, silent.map(|who| (Absence, who)));
		// Its holders still answer, and the next attempt brings it over.
		let key = Client::new(100).obtain(&mut world, 0, CLUSTER);
		pass(REQUEST);
		world.run(&[]);
		assert!(Keys::why_failed().is_none());
		assert!(LiveKeys::<Test>::get(0) != before);
		assert_eq!(Client::new(101).obtain(&mut world, 0, CLUSTER), key);
	});
}

#[test]
fn retries_leave_the_faulty_out_while_enough_are_left() {
	build_and_execute(|| {
		let mut world = World::new(9);
		world.elect(&[1, 2, 3, 4, 5, 6, 7]);
		// Four of seven do not commit: too few for this set, enough for a smaller one.
		world.run(&[4, 5, 6, 7]);
		assert_eq!(Keys::why_failed().unwrap().why, WhyFailed::NotEnoughDealers);
		assert_eq!(reported().len(), 4);
		assert!(!NextSet::<Test>::get().unwrap().trial.excluded.is_empty());
		world.run(&[4, 5, 6, 7]);
		let office: Vec<_> = Keys::office().into_iter().map(|seat| seat.account).collect();
		assert_eq!(office, [1, 2, 3]);
		assert!(reported().is_empty(), "who was left out is not late");
	});
}

#[test]
fn a_convicted_dealer_does_not_hand_over_again_while_others_can() {
	build_and_execute(|| {
		let mut world = begun(true);
		world.register(&[]);
		world.pass_phase();
		// One deals badly, two not at all: too few are left.
		world.deal(&[1, 2, 3]);
		let attempt = Current::<Test>::get().unwrap();
		let mut dealing = world.person(1).dealt().unwrap();
		spoil(&mut dealing, &attempt, seat(4));
		assert_ok!(send(world.person(1).dealing_with(dealing)));
		pass(SHARE);
		world.inspect(&[]);
		pass(COMPLAIN);
		assert_eq!(Keys::why_failed().unwrap().why, WhyFailed::NotEnoughDealers);
		poll();
		assert_eq!(reported(), [(KeyCeremony, 1), (Absence, 2), (Absence, 3)]);
		pass(RETRY);
		poll();
		let attempt = Current::<Test>::get().unwrap();
		assert_eq!(attempt.dealers.len(), 4);
		assert!(!attempt.dealers.contains(seat(1)));
		// 2 and 3 only deal: that they were absent does not cost them their new seat.
		assert_eq!(attempt.ceremony.size.members(), 5);
		world.run(&[1]);
		assert!(Keys::why_failed().is_none());
		assert!(reported().is_empty());
	});
}

#[test]
fn attempts_are_counted_and_a_new_election_or_governance_starts_over() {
	build_and_execute(|| {
		let mut world = World::new(5);
		world.elect(&[1, 2, 3]);
		let everybody = [1, 2, 3];
		for attempt in 1..=ATTEMPTS {
			world.run(&everybody);
			assert_eq!(Keys::why_failed().unwrap().attempts, attempt);
		}
		assert_eq!(Keys::status(), Status::Idle { waiting: Waiting::GaveUp });
		let given_up = NextCeremony::<Test>::get();
		pass(500);
		assert_eq!(NextCeremony::<Test>::get(), given_up);
		assert_ok!(Keys::retry(RuntimeOrigin::root()));
		poll();
		assert_eq!(NextCeremony::<Test>::get(), given_up + 1);
		pass(COMMIT + 100);
		world.elect(&[1, 2, 3]);
		world.run(&[]);
		assert!(Keys::why_failed().is_none());
		reports();
	});
}

#[test]
fn what_the_ledger_refuses_stops_nothing() {
	build_and_execute(|| {
		let mut world = begun(false);
		Refused::set(Some(OffenceClass::Absence));
		world.register(&[4]);
		pass(COMMIT);
		world.deal(&[]);
		world.pass_phase();
		world.inspect(&[4]);
		completes(&mut world, 4, 4);
		assert!(reported().is_empty());
		let refused = |event: &Event<Test>| {
			matches!(event, Event::ReportRefused { gatekeeper: 4, fault: Fault::NoDigest, .. })
		};
		assert!(events().iter().any(refused));
	});
}
