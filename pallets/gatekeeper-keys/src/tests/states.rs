//! Every call in every state: what it does there, or how it is refused.

use crate::{mock::*, types::*, *};
use frame_support::{assert_ok, assert_storage_noop};
use sp_runtime::{DispatchError, transaction_validity::TransactionValidityError};

/// What can be said at some point, by whom it is the turn of.
struct Script {
	register: Call<Test>,
	deal: Call<Test>,
	complain: Call<Test>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
	Idle,
	Committing,
	CommittingLate,
	Sharing,
	SharingLate,
	Complaining,
	ComplainingLate,
	Aggregating,
	Deriving,
	Reporting,
	Kept,
	ClearingSucceeded,
	ClearingFailed,
}

use State::*;

const ALL: [State; 13] = [
	Idle,
	Committing,
	CommittingLate,
	Sharing,
	SharingLate,
	Complaining,
	ComplainingLate,
	Aggregating,
	Deriving,
	Reporting,
	Kept,
	ClearingSucceeded,
	ClearingFailed,
];

/// Lets one step happen, whatever is next.
fn step() {
	Keys::next_step().unwrap().take();
}

fn jump(blocks: u32) {
	// Not through the hook: it would do what is due.
	RelayBlock::set(RelayBlock::get() + blocks);
	LastSeen::<Test>::put(RelayBlock::get());
}

/// A handover from 1–4 to 2–5, made to reach `state`; and messages of member 2 and 3 that would be in
/// order in their phases.
fn reach(state: State) -> (World, Script) {
	let mut world = World::with_key(6, &[1, 2, 3, 4]);
	world.elect(&[2, 3, 4, 5]);
	// Messages are made in a copy of the future.
	let mut future = (None, None, None);
	let mut ahead = new_future(&mut world);
	ahead.run_into(&mut future);
	let script = Script {
		register: future.0.unwrap(),
		deal: future.1.unwrap(),
		complain: future.2.unwrap(),
	};
	if state == Idle {
		return (world, script);
	}
	step();
	if state == Committing || state == CommittingLate {
		world.register(&[2]);
		if state == CommittingLate {
			jump(COMMIT);
		}
		return (world, script);
	}
	if state == ClearingFailed {
		jump(COMMIT);
		step();
		while !matches!(Current::<Test>::get().unwrap().phase, Phase::Clearing { .. }) {
			step();
		}
		return (world, script);
	}
	assert_ok!(send(script.register.clone()));
	world.register(&[2]);
	step();
	if state == Sharing || state == SharingLate {
		world.deal(&[2]);
		if state == SharingLate {
			jump(SHARE);
		}
		return (world, script);
	}
	assert_ok!(send(script.deal.clone()));
	world.deal(&[2]);
	step();
	if state == Complaining {
		return (world, script);
	}
	jump(COMPLAIN);
	let reached = |phase: Phase| match state {
		ComplainingLate => true,
		Aggregating => matches!(phase, Phase::Aggregating),
		Deriving => matches!(phase, Phase::Deriving { .. }),
		Reporting => matches!(phase, Phase::Reporting),
		Kept => matches!(phase, Phase::Kept { .. }),
		_ => matches!(phase, Phase::Clearing { .. }),
	};
	while !reached(Current::<Test>::get().unwrap().phase) {
		if matches!(Current::<Test>::get().unwrap().phase, Phase::Kept { .. }) {
			jump(KEEP);
		}
		step();
	}
	(world, script)
}

/// Somebody who sees what will be.
struct Future<'a>(&'a mut World);

fn new_future(world: &mut World) -> Future<'_> {
	Future(world)
}

type Messages = (Option<Call<Test>>, Option<Call<Test>>, Option<Call<Test>>);

impl Future<'_> {
	/// Runs the ceremony to its complaints, notes what is said, and takes everything back.
	fn run_into(&mut self, messages: &mut Messages) {
		let (block, clock) = (RelayBlock::get(), Clock::get());
		let _ = frame_support::storage::with_transaction(|| {
			step();
			messages.0 = self.0.person(2).registration();
			self.0.register(&[]);
			step();
			messages.1 = self.0.person(2).dealing();
			self.0.deal(&[]);
			step();
			let dealer = seat(2);
			let lie = self.0.person(3).false_complaint(dealer).unwrap();
			messages.2 = Some(self.0.person(3).complaining(dealer, lie));
			sp_runtime::TransactionOutcome::Rollback(Ok::<(), DispatchError>(()))
		});
		assert_eq!((block, clock), (RelayBlock::get(), Clock::get()));
	}
}

/// Applies `call` in a transaction that is taken back.
fn try_out(call: &Call<Test>) -> Result<(), TransactionValidityError> {
	let mut outcome = Ok(());
	assert_storage_noop!({
		let _ = frame_support::storage::with_transaction(|| {
			outcome = in_pool(call).map(|_| ());
			let applied = apply(call.clone());
			assert_eq!(outcome.is_ok(), applied.is_ok(), "pool and chain agree");
			check();
			sp_runtime::TransactionOutcome::Rollback(Ok::<(), DispatchError>(()))
		});
	});
	outcome
}

#[test]
fn members_are_heard_in_their_phase_only() {
	for state in ALL {
		build_and_execute(|| {
			let (_world, script) = reach(state);
			let not_found = Err(Error::<Test>::CeremonyNotFound.into());
			let wrong_phase = Err(Error::<Test>::WrongPhase.into());
			let expected = |allowed: &[State], early: Result<(), _>| match state {
				Idle => not_found,
				state if allowed.contains(&state) => early,
				_ => wrong_phase,
			};
			assert_eq!(try_out(&script.register), expected(&[Committing], Ok(())), "{state:?}");
			assert_eq!(try_out(&script.deal), expected(&[Sharing], Ok(())), "{state:?}");
			// While dealings come in, the accused has not dealt yet.
			let no_dealing = Err(Error::<Test>::NoDealing.into());
			let complained = match state {
				Sharing => no_dealing,
				_ => expected(&[Complaining], Ok(())),
			};
			assert_eq!(try_out(&script.complain), complained, "{state:?}");
			reports();
		});
	}
}

#[test]
fn requests_and_answers_do_not_depend_on_ceremonies() {
	for state in ALL {
		build_and_execute(|| {
			let (mut world, _) = reach(state);
			let new_shares = matches!(state, Reporting | Kept | ClearingSucceeded);
			if new_shares {
				return;
			}
			Client::new(100).obtain(&mut world, 0, CLUSTER);
			reports();
		});
	}
}

#[test]
fn guards_are_given_while_there_is_something_to_open() {
	use phala_threshold::Kind;
	for state in ALL {
		build_and_execute(|| {
			let (mut world, _) = reach(state);
			let attempt = Current::<Test>::get();
			let old = match attempt.as_ref().map(|attempt| &attempt.ceremony.kind) {
				Some(Kind::Resharing { from, .. }) => *from,
				_ => *LiveKeys::<Test>::get(0).unwrap().sharing.ceremony(),
			};
			let outcome = |error: Option<Error<Test>>| -> Result<(), TransactionValidityError> {
				error.map_or(Ok(()), |error| Err(error.into()))
			};
			let not_found = || Some(Error::<Test>::CeremonyNotFound);
			let replaced = matches!(state, Reporting | Kept | ClearingSucceeded);
			let expected = outcome(not_found().filter(|_| replaced));
			assert_eq!(try_out(&world.person(2).ask_guard(0, old).2), expected, "{state:?}");
			if let Some(new) = attempt.map(|attempt| attempt.ceremony.id()) {
				let failed = state == ClearingFailed;
				let expected = outcome(not_found().filter(|_| failed));
				assert_eq!(try_out(&world.person(2).ask_guard(0, new).2), expected, "{state:?}");
				// It is in the old set alone.
				let no_seat = outcome(if failed { not_found() } else { Some(Error::NotASeat) });
				assert_eq!(try_out(&world.person(1).ask_guard(0, new).2), no_seat, "{state:?}");
			}
			reports();
		});
	}
}

#[test]
fn governance_in_every_state() {
	for state in ALL {
		build_and_execute(|| {
			let _ = reach(state);
			let root = RuntimeOrigin::root;
			let try_call = |call: &dyn Fn() -> sp_runtime::DispatchResult| {
				let mut outcome = Ok(());
				let _ = frame_support::storage::with_transaction(|| {
					outcome = call();
					check();
					sp_runtime::TransactionOutcome::Rollback(Ok::<(), DispatchError>(()))
				});
				outcome
			};
			let open = matches!(
				state,
				Committing
					| CommittingLate
					| Sharing | SharingLate
					| Complaining | ComplainingLate
					| Aggregating | Deriving
			);
			let expected = match open {
				true => Ok(()),
				false => Err(Error::<Test>::NotRunning.into()),
			};
			assert_eq!(try_call(&|| Keys::abort(root())), expected, "{state:?}");
			for replace in [false, true] {
				assert_eq!(try_call(&|| Keys::rotate(root(), replace)), Ok(()));
			}
			assert_eq!(try_call(&|| Keys::retry(root())), Ok(()));
			let none = Err(Error::<Test>::NoRotation.into());
			assert_eq!(try_call(&|| Keys::cancel_rotation(root())), none);
			for epoch in [0, 1] {
				let not_old = Err(Error::<Test>::NotRetiring.into());
				assert_eq!(try_call(&|| Keys::retire(root(), epoch)), not_old);
			}
			for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
				let bad = Err(DispatchError::BadOrigin);
				assert_eq!(try_call(&|| Keys::abort(origin.clone())), bad);
				assert_eq!(try_call(&|| Keys::rotate(origin.clone(), false)), bad);
				assert_eq!(try_call(&|| Keys::retry(origin.clone())), bad);
				assert_eq!(try_call(&|| Keys::cancel_rotation(origin.clone())), bad);
				assert_eq!(try_call(&|| Keys::retire(origin.clone(), 0)), bad);
			}
			reports();
		});
	}
}

#[test]
fn messages_need_the_pools_authority() {
	use frame_support::traits::UnfilteredDispatchable;
	build_and_execute(|| {
		let (_world, script) = reach(Committing);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
			for call in [&script.register, &script.deal, &script.complain] {
				let outcome = call.clone().dispatch_bypass_filter(origin.clone());
				assert_eq!(outcome.map_err(|error| error.error), Err(DispatchError::BadOrigin));
			}
		}
	});
}

#[test]
fn rotations_are_ordered_taken_back_and_retired_early() {
	build_and_execute(|| {
		assert_eq!(Keys::rotate(RuntimeOrigin::root(), false), Err(Error::<Test>::NoKey.into()));
		let mut world = World::with_key(4, &[1, 2, 3]);
		assert_ok!(Keys::rotate(RuntimeOrigin::root(), false));
		assert_ok!(Keys::cancel_rotation(RuntimeOrigin::root()));
		poll();
		assert!(!Current::<Test>::exists());
		assert_ok!(Keys::rotate(RuntimeOrigin::root(), false));
		world.run(&[]);
		assert_eq!(CurrentEpoch::<Test>::get(), Some(1));
		// A handover waits for the old key's end, which can be hastened.
		world.elect(&[1, 2, 4]);
		poll();
		assert!(matches!(Keys::status(), Status::Idle { waiting: Waiting::OldKey { .. } }));
		assert_ok!(Keys::retire(RuntimeOrigin::root(), 0));
		assert!(Epochs::<Test>::get(0).unwrap().ended.is_some());
		world.run(&[]);
		let office: Vec<_> = Keys::office().into_iter().map(|seat| seat.account).collect();
		assert_eq!(office, [1, 2, 4]);
	});
}

#[test]
fn an_aborted_ceremony_blames_nobody_for_the_phase_it_cut_short() {
	build_and_execute(|| {
		let mut world = World::with_key(5, &[1, 2, 3]);
		world.elect(&[2, 3, 4]);
		for state in [Committing, Sharing, Complaining, Deriving] {
			poll();
			if state != Committing {
				world.register(&[]);
				world.pass_phase();
			}
			if matches!(state, Complaining | Deriving) {
				world.deal(&[]);
				world.pass_phase();
			}
			if state == Deriving {
				jump(COMPLAIN);
				while !matches!(Current::<Test>::get().unwrap().phase, Phase::Deriving { .. }) {
					step();
				}
				step();
			}
			assert_ok!(Keys::abort(RuntimeOrigin::root()));
			assert_eq!(Keys::why_failed().unwrap().why, WhyFailed::Aborted);
			check();
			poll();
			assert!(!Current::<Test>::exists());
			assert_ok!(Keys::retry(RuntimeOrigin::root()));
			world.people.iter_mut().for_each(|person| person.member = None);
		}
		assert!(reported().is_empty());
		world.run(&[]);
		assert!(Keys::why_failed().is_none());
	});
}
