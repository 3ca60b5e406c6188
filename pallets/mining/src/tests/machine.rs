//! Every (state, event) pair, as the table of the crate's documentation has it.

use crate::{Error, mock::*};
use phala_attestation::Tier;
use phala_primitives::{AttestationChange, Mining as MiningOf, OnAttestationChange, SessionState};
use phala_tokenomics::PHA;
use sp_runtime::DispatchError;

type Sessions = crate::Pallet<Test>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
	None,
	Computing,
	Unresponsive,
	Stopping,
	CoolingDown,
}

use State::*;

const ALL: [State; 5] = [None, Computing, Unresponsive, Stopping, CoolingDown];

/// Lets worker 0 be in a state, while worker 1 keeps the network alive.
fn bring_to(state: State) {
	worker(1);
	attest(0, 1_000, Tier::One);
	if state == None {
		return;
	}
	worker(0);
	work(&[0, 1], 5);
	match state {
		Unresponsive => silence(0, &[1]),
		Stopping => <Sessions as MiningOf<u64>>::stop(&key(0)).unwrap(),
		CoolingDown => {
			<Sessions as MiningOf<u64>>::stop(&key(0)).unwrap();
			work(&[0, 1], 1);
		}
		None | Computing => (),
	}
	assert_eq!(state_now(), state);
}

fn state_now() -> State {
	match <Sessions as MiningOf<u64>>::session(&key(0)).map(|info| info.state) {
		Option::None => None,
		Some(SessionState::Computing) => Computing,
		Some(SessionState::Unresponsive { .. }) => Unresponsive,
		Some(SessionState::Stopping) => Stopping,
		Some(SessionState::CoolingDown { .. }) => CoolingDown,
	}
}

/// In each state: what `event` returns, and the state after it.
fn table(
	event: impl Fn() -> Result<(), DispatchError>,
	expected: [(Result<(), Error<Test>>, State); 5],
) {
	for (state, (result, after)) in ALL.into_iter().zip(expected) {
		run(|| {
			bring_to(state);
			assert_eq!(event(), result.map_err(Into::into), "{state:?}");
			assert_eq!(state_now(), after, "after {state:?}");
		});
	}
}

#[test]
fn start() {
	let has = || Err(Error::HasSession);
	table(
		|| super::super::mock::start(0, 2_000 * PHA),
		[
			(Ok(()), Computing),
			(has(), Computing),
			(has(), Unresponsive),
			(has(), Stopping),
			(has(), CoolingDown),
		],
	);
}

#[test]
fn top_up() {
	table(
		|| <Sessions as MiningOf<u64>>::top_up(&key(0), PHA),
		[
			(Err(Error::NoSession), None),
			(Ok(()), Computing),
			(Ok(()), Unresponsive),
			(Err(Error::AlreadyStopped), Stopping),
			(Err(Error::AlreadyStopped), CoolingDown),
		],
	);
}

#[test]
fn stop() {
	table(
		|| <Sessions as MiningOf<u64>>::stop(&key(0)),
		[
			(Err(Error::NoSession), None),
			(Ok(()), Stopping),
			(Ok(()), CoolingDown),
			(Err(Error::AlreadyStopped), Stopping),
			(Err(Error::AlreadyStopped), CoolingDown),
		],
	);
}

#[test]
fn reclaim() {
	table(
		|| <Sessions as MiningOf<u64>>::reclaim(&key(0)).map(|_| ()),
		[
			(Err(Error::NoSession), None),
			(Err(Error::NotEnded), Computing),
			(Err(Error::NotEnded), Unresponsive),
			(Err(Error::NotEnded), Stopping),
			(Err(Error::CoolingDown), CoolingDown),
		],
	);
	run(|| {
		bring_to(CoolingDown);
		work(&[1], 10);
		block(100_800);
		assert_eq!(<Sessions as MiningOf<u64>>::reclaim(&key(0)), Ok(2_000 * PHA));
		assert_eq!(state_now(), None);
	});
}

#[test]
fn report_outage() {
	let report = || {
		let call = Mining::report_outage(RuntimeOrigin::signed(9), key(0));
		call.map(|_| ()).map_err(|error| error.error)
	};
	table(
		report,
		[
			(Err(Error::NoSession), None),
			(Err(Error::NothingToReport), Computing),
			(Err(Error::NothingToReport), Unresponsive),
			(Err(Error::NothingToReport), Stopping),
			(Err(Error::NothingToReport), CoolingDown),
		],
	);
}

#[test]
fn a_change_of_the_attestation() {
	use AttestationChange::*;
	let moved = OperatorChanged { from: 1, to: 2 };
	let reappraised = Reappraised { from: Tier::One, to: Tier::Five };
	for change in [Registered, Renewed, reappraised, Lapsed, moved, Removed] {
		for state in ALL {
			run(|| {
				bring_to(state);
				// Answered, so that only a settling challenge can be open.
				while state == Computing && record(0).challenge.is_some() {
					work(&[0, 1], 1);
				}
				let before = crate::Sessions::<Test>::get(key(0));
				Mining::on_attestation_change(&key(0), &change);
				assert_eq!(state_now(), state);
				let after = crate::Sessions::<Test>::get(key(0));
				let settles = state == Computing && change == Renewed;
				if settles {
					assert_eq!(after.unwrap().challenge.unwrap().block, Mining::height());
				} else if change == Lapsed && ![None, CoolingDown].contains(&state) {
					assert!(after.unwrap().lapsed);
				} else {
					assert_eq!(after, before, "{state:?} {change:?}");
				}
			});
		}
	}
}

#[test]
fn a_day_of_silence() {
	for state in ALL {
		run(|| {
			bring_to(state);
			work(&[1], 14_600);
			let after = match state {
				None => None,
				_ => CoolingDown,
			};
			assert_eq!(state_now(), after, "after {state:?}");
		});
	}
}

#[test]
fn an_answer_when_challenged() {
	for state in ALL {
		run(|| {
			bring_to(state);
			// The probation passes.
			work(&[0, 1], 1_000);
			let after = match state {
				None => None,
				Computing | Unresponsive => Computing,
				Stopping | CoolingDown => CoolingDown,
			};
			assert_eq!(state_now(), after, "after {state:?}");
		});
	}
}

#[test]
fn a_missed_challenge() {
	for state in [Computing, Unresponsive, Stopping] {
		run(|| {
			bring_to(state);
			work(&[1], 900);
			let after = match state {
				Stopping => CoolingDown,
				_ => Unresponsive,
			};
			assert_eq!(state_now(), after, "after {state:?}");
		});
	}
}

#[test]
fn nothing_before_the_first_block() {
	run(|| {
		attest(0, 1_000, Tier::One);
		let state = crate::State::<Test>::take();
		assert_eq!(super::super::mock::start(0, 2_000 * PHA), Err(Error::<Test>::NotBegun.into()));
		crate::State::<Test>::set(state);
	});
}
