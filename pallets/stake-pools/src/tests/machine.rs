//! Every (state of a worker, event) pair.

use crate::{CreditOf, Error, Workers, mock::*, types::Phase};
use phala_primitives::{StakeKeeper, WorkerKey};
use sp_runtime::DispatchError;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
	/// In no pool; its operator agreed to one.
	Unknown,
	Idle,
	Running,
	/// Running, with stake at risk.
	Silent,
	Ending,
	/// Ending, with its cool-down over.
	Cooled,
}

use State::*;

const ALL: [State; 6] = [Unknown, Idle, Running, Silent, Ending, Cooled];
const POOL: u32 = 0;

fn one() -> WorkerKey {
	worker(1)
}

fn bring_to(state: State) {
	assert_eq!(pool_with(&[(ALICE, 900 * PHA)]), POOL);
	register(one(), OPERATOR);
	Pools::consent(signed(OPERATOR), one(), Some(POOL)).unwrap();
	if state == Unknown {
		return;
	}
	Pools::add_worker(signed(OWNER), POOL, one()).unwrap();
	if state == Idle {
		return;
	}
	Pools::start(signed(OWNER), one(), 400 * PHA).unwrap();
	match state {
		Silent => silent(one(), 10 * PHA),
		Ending => Pools::stop(signed(OWNER), one()).unwrap(),
		Cooled => {
			Pools::stop(signed(OWNER), one()).unwrap();
			cooled(one());
		}
		_ => (),
	}
	assert_eq!(state_now(), state);
}

fn state_now() -> State {
	let Some(record) = Workers::<Test>::get(one()) else { return Unknown };
	match record.phase {
		Phase::Idle => Idle,
		Phase::Running if record.at_risk > 0 => Silent,
		Phase::Running => Running,
		Phase::Ending => match Sessions::get(&one()).unwrap().state {
			phala_primitives::SessionState::CoolingDown { until: 0 } => Cooled,
			_ => Ending,
		},
	}
}

/// In each state: what `event` returns, and the state after it.
fn table(
	event: impl Fn() -> Result<(), DispatchError>,
	expected: [(Result<(), DispatchError>, State); 6],
) {
	for (state, (result, after)) in ALL.into_iter().zip(expected) {
		run(|| {
			bring_to(state);
			assert_eq!(tx(&event), result, "{state:?}");
			assert_eq!(state_now(), after, "after {state:?}");
		});
	}
}

fn no(error: Error<Test>) -> Result<(), DispatchError> {
	Err(error.into())
}

#[test]
fn consent() {
	table(|| Pools::consent(signed(OPERATOR), one(), Some(POOL)), ALL.map(|state| (Ok(()), state)));
}

#[test]
fn add_worker() {
	let taken = |state| (no(Error::WorkerInPool), state);
	table(
		|| Pools::add_worker(signed(OWNER), POOL, one()),
		[(Ok(()), Idle), taken(Idle), taken(Running), taken(Silent), taken(Ending), taken(Cooled)],
	);
}

#[test]
fn remove_worker() {
	let busy = |state| (no(Error::WorkerBusy), state);
	table(
		|| Pools::remove_worker(signed(OPERATOR), one()),
		[
			(no(Error::WorkerNotFound), Unknown),
			(Ok(()), Unknown),
			busy(Running),
			busy(Silent),
			busy(Ending),
			busy(Cooled),
		],
	);
}

#[test]
fn start() {
	let busy = |state| (no(Error::WorkerBusy), state);
	table(
		|| Pools::start(signed(OWNER), one(), 100 * PHA),
		[
			(no(Error::WorkerNotFound), Unknown),
			(Ok(()), Running),
			busy(Running),
			busy(Silent),
			busy(Ending),
			busy(Cooled),
		],
	);
}

#[test]
fn top_up() {
	let not = |state| (no(Error::WorkerNotRunning), state);
	table(
		|| Pools::top_up(signed(OWNER), one(), 100 * PHA),
		[
			(no(Error::WorkerNotFound), Unknown),
			not(Idle),
			(Ok(()), Running),
			// The mining of these tests lets it answer at once.
			(Ok(()), Running),
			not(Ending),
			not(Cooled),
		],
	);
}

#[test]
fn stop() {
	let not = |state| (no(Error::WorkerNotRunning), state);
	table(
		|| Pools::stop(signed(OPERATOR), one()),
		[
			(no(Error::WorkerNotFound), Unknown),
			not(Idle),
			(Ok(()), Ending),
			(Ok(()), Ending),
			not(Ending),
			not(Cooled),
		],
	);
}

#[test]
fn reclaim() {
	let early = |why, state| (Err(DispatchError::Other(why)), state);
	table(
		|| Pools::reclaim(signed(BOB), one()),
		[
			(no(Error::WorkerNotFound), Unknown),
			(no(Error::WorkerNotRunning), Idle),
			early("it runs", Running),
			early("it runs", Silent),
			early("it cools down", Ending),
			(Ok(()), Idle),
		],
	);
}

#[test]
fn news_of_mining() {
	let told = |tell: fn()| {
		move || {
			tell();
			Ok(())
		}
	};
	let quiet = |state| (Ok(()), state);
	let ended = told(|| <Pools as StakeKeeper<_, CreditOf<Test>>>::on_ended(&POOL, &one()));
	table(
		ended,
		[quiet(Unknown), quiet(Idle), quiet(Ending), quiet(Ending), quiet(Ending), quiet(Cooled)],
	);
	let at_risk =
		told(|| <Pools as StakeKeeper<_, CreditOf<Test>>>::on_at_risk(&POOL, &one(), 5 * PHA));
	table(
		at_risk,
		[quiet(Unknown), quiet(Idle), quiet(Silent), quiet(Silent), quiet(Ending), quiet(Cooled)],
	);
	let answered = told(|| <Pools as StakeKeeper<_, CreditOf<Test>>>::on_at_risk(&POOL, &one(), 0));
	table(
		answered,
		[quiet(Unknown), quiet(Idle), quiet(Running), quiet(Running), quiet(Ending), quiet(Cooled)],
	);
}
