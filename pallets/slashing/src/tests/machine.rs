//! Every (stage of an offence or accusation, call) pair.

use crate::{Accusations, Error, Ledger, mock::*, types::Stage};
use frame_support::{dispatch::DispatchResultWithPostInfo, storage::with_storage_layer};
use phala_primitives::{
	OffenceClass::{Compromise, LeaseBreach},
	OffenceId,
};
use sp_runtime::DispatchError;

type E = Error<Test>;

const ID: OffenceId = OffenceId { class: LeaseBreach, index: 0 };

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
	Unknown,
	Deferred,
	/// Deferred, and due.
	Due,
	Applying,
	Applied,
	Cancelled,
	Forgotten,
}

use State::*;

const ALL: [State; 7] = [Unknown, Deferred, Due, Applying, Applied, Cancelled, Forgotten];

fn step() -> DispatchResultWithPostInfo {
	crate::Pallet::<Test>::apply(RuntimeOrigin::signed(BOB), LeaseBreach, 1)
}

fn bring_to(state: State) {
	if state == Unknown {
		return;
	}
	let mut one = offence(LeaseBreach, 0);
	one.evidence = evidence(0);
	report(one).unwrap();
	match state {
		Deferred | Unknown => (),
		Due => jump_to(1 + DEFERRAL),
		Applying => {
			jump_to(1 + DEFERRAL);
			step().unwrap();
		}
		Applied => {
			jump_to(1 + DEFERRAL);
			step().unwrap();
			step().unwrap();
		}
		Cancelled => Slashing::cancel(RuntimeOrigin::root(), ID, false).unwrap(),
		Forgotten => {
			Slashing::cancel(RuntimeOrigin::root(), ID, false).unwrap();
			run_for(2 * KEPT);
		}
	}
	assert_eq!(state_now(), state);
}

fn state_now() -> State {
	match Ledger::<Test>::get(ID.class, ID.index).map(|offence| (offence.stage, offence.due)) {
		None if crate::Queues::<Test>::get(ID.class).next == 0 => Unknown,
		None => Forgotten,
		Some((Stage::Deferred, due)) if due <= RelayBlock::get() => Due,
		Some((Stage::Deferred, _)) => Deferred,
		Some((Stage::Applying, _)) => Applying,
		Some((Stage::Applied { .. }, _)) => Applied,
		Some((Stage::Cancelled { .. }, _)) => Cancelled,
	}
}

/// In each state: what `call` returns, and the state after it.
fn table(
	call: impl Fn() -> Result<(), DispatchError>,
	expected: [(Result<(), Error<Test>>, State); 7],
) {
	for (state, (result, after)) in ALL.into_iter().zip(expected) {
		ExtBuilder::default().build_and_execute(|| {
			bring_to(state);
			let answer = with_storage_layer(&call);
			assert_eq!(answer, result.map_err(Into::into), "{state:?}");
			assert_eq!(state_now(), after, "after {state:?}");
		});
	}
}

#[test]
fn cancel() {
	table(
		|| Slashing::cancel(RuntimeOrigin::root(), ID, false),
		[
			(Err(E::OffenceNotFound), Unknown),
			(Ok(()), Cancelled),
			(Ok(()), Cancelled),
			(Ok(()), Cancelled),
			(Err(E::AlreadyClosed), Applied),
			(Err(E::AlreadyClosed), Cancelled),
			(Err(E::OffenceNotFound), Forgotten),
		],
	);
}

#[test]
fn pardon() {
	table(
		|| {
			Slashing::pardon(RuntimeOrigin::root(), LeaseBreach, 0, 0)?;
			// A second one has to wait for the first.
			let second = Slashing::pardon(RuntimeOrigin::root(), LeaseBreach, 0, 0);
			assert_eq!(second, Err(E::PardonRunning.into()));
			step().map(|_| ()).map_err(|error| error.error)
		},
		[
			(Err(E::OffenceNotFound), Unknown),
			(Ok(()), Cancelled),
			(Ok(()), Cancelled),
			(Ok(()), Cancelled),
			(Err(E::OffenceNotFound), Applied),
			// The ledger has not passed it yet, and there is nothing to pardon.
			(Ok(()), Cancelled),
			(Err(E::OffenceNotFound), Forgotten),
		],
	);
}

#[test]
fn apply() {
	table(
		|| step().map(|_| ()).map_err(|error| error.error),
		[
			(Err(E::NothingDue), Unknown),
			(Err(E::NothingDue), Deferred),
			(Ok(()), Applying),
			(Ok(()), Applied),
			(Err(E::NothingDue), Applied),
			// The ledger passes it.
			(Ok(()), Cancelled),
			(Err(E::NothingDue), Forgotten),
		],
	);
}

#[test]
fn the_same_report_again() {
	let again = |state| (Err(E::AlreadyReported), state);
	table(
		|| {
			let mut same = offence(LeaseBreach, 0);
			same.evidence = evidence(0);
			report(same).map(|_| ())
		},
		[
			(Ok(()), Deferred),
			again(Deferred),
			again(Due),
			again(Applying),
			again(Applied),
			again(Cancelled),
			// Of another act: that of the first is too old by now. It has the next number.
			(Ok(()), Forgotten),
		],
	);
}

/// Accusations are open, can no longer be judged, or are gone.
#[test]
fn accusations() {
	type Call = fn() -> Result<(), DispatchError>;
	let convict: Call = || Slashing::convict(RuntimeOrigin::root(), 0, percent(50));
	let dismiss: Call = || Slashing::dismiss(RuntimeOrigin::root(), 0, false);
	let lapse: Call = || Slashing::lapse(RuntimeOrigin::signed(ALICE), 0);
	let rows: [(Call, [Result<(), E>; 4]); 3] = [
		(convict, [gone(), Ok(()), Err(E::AccusationLapsed), gone()]),
		(dismiss, [gone(), Ok(()), Ok(()), gone()]),
		(lapse, [gone(), Err(E::NotLapsedYet), Ok(()), gone()]),
	];
	for (call, results) in rows {
		for (n, result) in results.into_iter().enumerate() {
			ExtBuilder::default().build_and_execute(|| {
				if n > 0 {
					let (who, now) = (RuntimeOrigin::signed(BOB), RelayBlock::get());
					Slashing::accuse(who, Compromise, 0, now, evidence(1)).unwrap();
				}
				match n {
					2 => jump_to(Accusations::<Test>::get(0).unwrap().expires + 1),
					3 => Slashing::dismiss(RuntimeOrigin::root(), 0, true).unwrap(),
					_ => (),
				}
				let open = Accusations::<Test>::contains_key(0);
				let refused = result.is_err();
				assert_eq!(with_storage_layer(call), result.map_err(Into::into), "{n}");
				assert_eq!(Accusations::<Test>::contains_key(0), open && refused);
			});
		}
	}
}

fn gone() -> Result<(), E> {
	Err(E::AccusationNotFound)
}
