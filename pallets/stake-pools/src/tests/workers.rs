//! Workers of a pool.

use crate::{Consents, Error, PoolWorkers, Workers, mock::*, types::Phase};
use frame_support::{assert_noop, assert_ok};
use phala_primitives::{
	AttestationChange, OnAttestationChange, Slashable, WorkerKey, WorkerObligations,
};

type E = Error<Test>;

#[test]
fn a_worker_joins_with_the_consent_of_its_operator() {
	run(|| {
		let (id, other) = (pool(100 * PHA), pool(100 * PHA));
		let one = worker(1);
		assert_noop!(Pools::add_worker(signed(OWNER), id, one), E::WorkerNotAttested);
		assert_noop!(Pools::consent(signed(OPERATOR), one, Some(id)), E::WorkerNotAttested);
		register(one, OPERATOR);
		assert_noop!(Pools::add_worker(signed(OWNER), id, one), E::NoConsent);
		assert_noop!(Pools::consent(signed(ALICE), one, Some(id)), E::NotOperator);
		assert_noop!(Pools::consent(signed(OPERATOR), one, Some(9)), E::PoolNotFound);
		assert_ok!(Pools::consent(signed(OPERATOR), one, Some(other)));
		assert_noop!(Pools::add_worker(signed(OWNER), id, one), E::NoConsent);
		assert_ok!(Pools::consent(signed(OPERATOR), one, Some(id)));
		assert_noop!(Pools::add_worker(signed(OPERATOR), id, one), E::NotOwner);
		// It can be taken back, by who gave it.
		assert_noop!(tx(|| Pools::consent(signed(ALICE), one, None)), E::NotOperator);
		assert_ok!(Pools::consent(signed(OPERATOR), one, None));
		assert_noop!(Pools::consent(signed(OPERATOR), one, None), E::NoConsent);
		assert_noop!(Pools::add_worker(signed(OWNER), id, one), E::NoConsent);
		assert_ok!(Pools::consent(signed(OPERATOR), one, Some(id)));
		assert_ok!(Pools::add_worker(signed(OWNER), id, one));
		assert_eq!(Consents::<Test>::iter().count(), 0);
		assert_noop!(Pools::add_worker(signed(OWNER), other, one), E::WorkerInPool);
		// Either side can part.
		assert_noop!(Pools::remove_worker(signed(ALICE), one), E::NotOwner);
		assert_ok!(Pools::remove_worker(signed(OPERATOR), one));
		assert_eq!(PoolWorkers::<Test>::iter().count(), 0);
		assert_noop!(Pools::remove_worker(signed(OPERATOR), one), E::WorkerNotFound);
		// Consent is for once.
		assert_noop!(Pools::add_worker(signed(OWNER), id, one), E::NoConsent);
		// A gatekeeper is no worker.
		register(worker(255), OWNER);
		assert_noop!(Pools::add_worker(signed(OWNER), id, worker(255)), E::WorkerNotAttested);
	});
}

#[test]
fn a_consent_ends_with_its_operator() {
	run(|| {
		let id = pool(100 * PHA);
		next_round();
		let one = worker(1);
		register(one, OPERATOR);
		assert_ok!(Pools::consent(signed(OPERATOR), one, Some(id)));
		set_operator(one, Some(ALICE));
		assert_noop!(Pools::add_worker(signed(OWNER), id, one), E::NoConsent);
		set_operator(one, Some(OPERATOR));
		assert_ok!(Pools::add_worker(signed(OWNER), id, one));
		// The new operator did not agree to mine for this pool.
		set_operator(one, Some(ALICE));
		assert_noop!(Pools::start(signed(OWNER), one, 50 * PHA), E::NoConsent);
		set_operator(one, None);
		assert_noop!(Pools::start(signed(OWNER), one, 50 * PHA), E::WorkerNotAttested);
	});
}

#[test]
fn consent_and_place_go_with_the_operator() {
	run(|| {
		let id = pool(100 * PHA);
		let (asked, idle) = (worker(1), worker(2));
		let mining = running(id, 3, 50 * PHA);
		for (change, stays) in [
			(AttestationChange::Renewed, true),
			(AttestationChange::Lapsed, true),
			(AttestationChange::OperatorChanged { from: OPERATOR, to: ALICE }, false),
			(AttestationChange::Removed, false),
		] {
			for one in [asked, idle] {
				register(one, OPERATOR);
				assert_ok!(Pools::consent(signed(OPERATOR), one, Some(id)));
			}
			assert_ok!(Pools::add_worker(signed(OWNER), id, idle));
			for one in [asked, idle, mining] {
				Pools::on_attestation_change(&one, &change);
			}
			assert_eq!(Consents::<Test>::contains_key(asked), stays, "{change:?}");
			assert_eq!(Workers::<Test>::contains_key(idle), stays, "{change:?}");
			if stays {
				assert_ok!(Pools::remove_worker(signed(OPERATOR), idle));
			}
			// What has stake is nobody's to take away.
			assert_eq!(PoolWorkers::<Test>::get(id).unwrap().into_inner(), [mining]);
		}
		assert_eq!((Consents::<Test>::iter().count(), Workers::<Test>::iter().count()), (0, 1));
	});
}

#[test]
fn stake_goes_round() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA)]);
		let one = worker(1);
		register(one, OPERATOR);
		assert_ok!(Pools::consent(signed(OPERATOR), one, Some(id)));
		assert_ok!(Pools::add_worker(signed(OWNER), id, one));
		assert!(!Pools::is_bound(&one));
		assert_noop!(Pools::start(signed(ALICE), one, 100 * PHA), E::NotOwner);
		assert_noop!(Pools::start(signed(OWNER), one, 1_001 * PHA), E::NotEnoughStake);
		assert!(tx(|| Pools::start(signed(OWNER), one, PHA)).is_err(), "mining wants more");
		assert_noop!(Pools::stop(signed(OWNER), one), E::WorkerNotRunning);
		assert_noop!(Pools::reclaim(signed(OWNER), one), E::WorkerNotRunning);
		assert_noop!(Pools::top_up(signed(OWNER), one, PHA), E::WorkerNotRunning);
		assert_ok!(Pools::start(signed(OWNER), one, 400 * PHA));
		assert!(Pools::is_bound(&one));
		assert_noop!(Pools::start(signed(OWNER), one, 400 * PHA), E::WorkerBusy);
		assert_noop!(Pools::remove_worker(signed(OPERATOR), one), E::WorkerBusy);
		assert_noop!(Pools::top_up(signed(OWNER), one, 0), E::BelowMinimum);
		assert_ok!(Pools::top_up(signed(OWNER), one, 100 * PHA));
		assert_eq!((get(id).free(), Sessions::get(&one).unwrap().stake), (500 * PHA, 500 * PHA));
		assert_noop!(Pools::stop(signed(ALICE), one), E::NotOwner);
		// The operator may want its machine back.
		assert_ok!(Pools::stop(signed(OPERATOR), one));
		assert_noop!(Pools::stop(signed(OWNER), one), E::WorkerNotRunning);
		assert!(Pools::reclaim(signed(ALICE), one).is_err(), "it cools down");
		jump(COOL_DOWN);
		assert_ok!(Pools::reclaim(signed(ALICE), one));
		assert_eq!((get(id).free(), Pools::is_bound(&one)), (1_000 * PHA, false));
		assert_eq!(Workers::<Test>::get(one).unwrap().phase, Phase::Idle);
		assert_ok!(Pools::start(signed(OWNER), one, 1_000 * PHA));
		assert_eq!(Sessions::all().len(), 1);
	});
}

#[test]
fn a_top_up_does_not_wash_what_was_lost() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA)]);
		let one = running(id, 1, 400 * PHA);
		assert_ok!(Pools::add_own(signed(OWNER), id, 100 * PHA));
		lose(one, 50 * PHA);
		assert_ok!(Pools::top_up(signed(OWNER), one, 100 * PHA));
		// The ledger took the loss out of the old stake, and of the owner's.
		assert_eq!(get(id).own, 150 * PHA);
		assert_eq!(<Pools as Slashable<WorkerKey>>::stake(&one), 450 * PHA);
		// If the loss leaves the owner with too little, there is no top-up, and no trace of one.
		lose(one, 150 * PHA);
		let topped = tx(|| Pools::top_up(signed(OWNER), one, 10 * PHA));
		assert_noop!(topped, E::OwnerStakeTooLow);
		assert_eq!((get(id).own, get(id).tranches), (150 * PHA, 1));
	});
}

#[test]
fn a_stop_with_lost_health_sets_the_loss_aside_at_once() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA)]);
		let one = running(id, 1, 400 * PHA);
		lose(one, 40 * PHA);
		assert_ok!(Pools::stop(signed(OWNER), one));
		assert_eq!((get(id).own, get(id).own_suspected), (60 * PHA, 40 * PHA));
		assert_eq!(held(OWNER), 100 * PHA);
		// The chain pardons it: 1 % of the class is what an outage of all costs.
		eras(10);
		assert_eq!(get(id).own, 96 * PHA);
		cooled(one);
		assert_ok!(Pools::reclaim(signed(3), one));
		assert_eq!(get(id).free(), 996 * PHA);
	});
}

#[test]
fn a_pool_has_at_most_its_number_of_workers() {
	run(|| {
		let id = pool(100 * PHA);
		for n in 0..200 {
			register(worker(n), OWNER);
			assert_ok!(Pools::add_worker(signed(OWNER), id, worker(n)));
		}
		register(worker(200), OWNER);
		assert_noop!(Pools::add_worker(signed(OWNER), id, worker(200)), E::TooManyWorkers);
	});
}
