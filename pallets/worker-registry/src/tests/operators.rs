//! Change of operator, and deregistration.

use super::*;

#[test]
fn a_worker_changes_hands_by_offer_and_acceptance() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let deposit = on_hold("alice");
		events();
		changes();
		let bob = RuntimeOrigin::signed(account("bob"));
		assert_noop!(
			WorkerRegistry::accept_worker(bob.clone(), subject.key()),
			Error::<Test>::NotOffered
		);
		assert_noop!(
			WorkerRegistry::offer_worker(bob.clone(), subject.key(), Some(account("bob"))),
			Error::<Test>::NotOperator
		);
		let to = Some(account("bob"));
		assert_ok!(WorkerRegistry::offer_worker(subject.origin(), subject.key(), to.clone()));
		let charlie = RuntimeOrigin::signed(account("charlie"));
		assert_noop!(
			WorkerRegistry::accept_worker(charlie, subject.key()),
			Error::<Test>::NotOffered
		);
		assert_ok!(WorkerRegistry::accept_worker(bob.clone(), subject.key()));

		assert_eq!((on_hold("alice"), on_hold("bob")), (0, deposit));
		assert_eq!(WorkerRegistry::workers_of(account("alice"), None), vec![]);
		assert_eq!(WorkerRegistry::workers_of(account("bob"), None), vec![subject.key()]);
		let (worker, from) = (subject.key(), account("alice"));
		let changed = AttestationChange::OperatorChanged { from: from.clone(), to: account("bob") };
		assert_eq!(changes(), vec![(worker, changed)]);
		assert_eq!(
			events(),
			vec![
				Event::WorkerOffered { worker, to },
				Event::OperatorChanged { worker, from, to: account("bob") },
			]
		);
		// The old operator has lost every say, and a second acceptance nothing to accept.
		assert_noop!(
			WorkerRegistry::deregister(subject.origin(), worker),
			Error::<Test>::NotOperator
		);
		assert_noop!(WorkerRegistry::accept_worker(bob, worker), Error::<Test>::NotOffered);
		next_block();
		let renewed = Subject { operator: "bob", ..subject };
		assert_ok!(renewed.renew());
	});
}

#[test]
fn an_offer_can_be_taken_back() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let to = Some(account("bob"));
		assert_ok!(WorkerRegistry::offer_worker(subject.origin(), subject.key(), to));
		assert_ok!(WorkerRegistry::offer_worker(subject.origin(), subject.key(), None));
		assert_noop!(
			WorkerRegistry::accept_worker(RuntimeOrigin::signed(account("bob")), subject.key()),
			Error::<Test>::NotOffered
		);
	});
}

#[test]
fn acceptance_without_the_deposit_changes_nothing() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let (deposit, poor) = (on_hold("alice"), account("poor"));
		let to = Some(poor.clone());
		assert_ok!(WorkerRegistry::offer_worker(subject.origin(), subject.key(), to));
		let call = RuntimeCall::from(Call::accept_worker { worker: subject.key() });
		assert!(call.dispatch(RuntimeOrigin::signed(poor)).is_err());
		assert_eq!(on_hold("alice"), deposit);
		assert_eq!(subject.record().operator, account("alice"));
	});
}

#[test]
fn a_bound_worker_stays() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let to = Some(account("bob"));
		assert_ok!(WorkerRegistry::offer_worker(subject.origin(), subject.key(), to));
		Bound::set(true);
		assert_noop!(
			WorkerRegistry::accept_worker(RuntimeOrigin::signed(account("bob")), subject.key()),
			Error::<Test>::WorkerBound
		);
		assert_noop!(
			WorkerRegistry::deregister(subject.origin(), subject.key()),
			Error::<Test>::WorkerBound
		);
		Bound::set(false);
		assert_ok!(WorkerRegistry::deregister(subject.origin(), subject.key()));
	});
}

#[test]
fn deregister_removes_every_trace_but_the_used_report() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		changes();
		events();
		assert_ok!(WorkerRegistry::deregister(subject.origin(), subject.key()));
		assert_eq!(Workers::<Test>::count(), 0);
		assert_eq!(OperatorWorkers::<Test>::iter().count(), 0);
		assert_eq!(Platforms::<Test>::iter().count(), 0);
		assert_eq!(UsedReports::<Test>::iter().count(), 1);
		let (worker, operator) = (subject.key(), account("alice"));
		assert_eq!(events(), vec![Event::WorkerDeregistered { worker, operator }]);
		assert_eq!(changes(), vec![(worker, AttestationChange::Removed)]);
		assert_noop!(
			WorkerRegistry::deregister(subject.origin(), worker),
			Error::<Test>::WorkerNotFound
		);
	});
}
