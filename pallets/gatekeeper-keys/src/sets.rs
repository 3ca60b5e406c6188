//! Who sits where: what the election says, and what it may ask.

use crate::{impls::seat_at, types::*, *};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{ensure, traits::Get};
use phala_attestation::Role;
use phala_primitives::{
	AttestedWorkers, Gatekeepers, Handover, Seat, WorkerKey, WorkerObligations,
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Those of the elected who can hold a share together.
	pub(crate) fn eligible(elected: Vec<(T::AccountId, WorkerKey)>) -> Seats<T::AccountId> {
		let (mut accounts, mut workers) = (BTreeSet::new(), BTreeSet::new());
		let mut platforms = BTreeSet::new();
		let mut seats = Seats::<T::AccountId>::new();
		for (account, worker) in elected.into_iter().take(MAX_CANDIDATES) {
			let refused = match T::Workers::attested(&worker) {
				None => Some(Refusal::NotAttested),
				Some(attested) if attested.role != Role::Gatekeeper => Some(Refusal::NotAttested),
				Some(attested) => match () {
					_ if accounts.contains(&account) => Some(Refusal::SameAccount),
					_ if workers.contains(&worker.0) => Some(Refusal::SameWorker),
					_ if platforms.contains(&attested.platform) => Some(Refusal::SamePlatform),
					_ if seats.try_push(Seat { account: account.clone(), worker }).is_err() => {
						Some(Refusal::NoSeatLeft)
					}
					_ => {
						accounts.insert(account.clone());
						workers.insert(worker.0);
						platforms.insert(attested.platform);
						None
					}
				},
			};
			if let Some(why) = refused {
				Self::deposit_event(Event::SeatRefused { account, worker, why });
			}
		}
		seats
	}

	fn do_on_set_elected(elected: Vec<(T::AccountId, WorkerKey)>) -> DispatchResult {
		let seats = Self::eligible(elected);
		ensure!(seats.len() >= usize::from(T::MinSeats::get()), Error::<T>::TooFewSeats);
		Self::deposit_event(Event::SetElected { seats: seats.len() as u32 });
		NextSet::<T>::put(Elected { seats, trial: Trial::default() });
		// A ceremony under way may bring another set into office first.
		if !Current::<T>::exists() {
			Self::forget_settled();
		}
		Ok(())
	}

	/// Nothing is to be done for a set that is in office already.
	pub(crate) fn forget_settled() {
		if let Some(next) = NextSet::<T>::get()
			&& Self::is_settled(&next.seats)
		{
			NextSet::<T>::kill();
			Self::deposit_event(Event::SetConfirmed { seats: next.seats.len() as u32 });
		}
	}

	/// Does everybody in the set, and nobody else, hold a share that is young enough?
	fn is_settled(seats: &Seats<T::AccountId>) -> bool {
		let Some((_, key)) = Self::current_key() else { return false };
		// The order of seats means nothing.
		let sorted = |seats: &[Seat<T::AccountId>]| -> BTreeSet<_> {
			seats.iter().map(|seat| (seat.account.clone(), seat.worker.0)).collect()
		};
		let refresh = key.since.saturating_add(T::RefreshPeriod::get());
		sorted(&Sets::<T>::get(key.number)) == sorted(seats)
			&& key.sharing.holders() == key.sharing.size().seats()
			&& Self::time() < refresh
	}

	/// Every set that still means something.
	fn sets_that_count() -> Vec<Seats<T::AccountId>> {
		let mut numbers = Self::live_numbers();
		if let Some(attempt) = Current::<T>::get()
			&& (attempt.is_open() || attempt.phase == Phase::Reporting)
		{
			numbers.extend([attempt.number(), attempt.dealing_number()]);
		}
		let mut sets: Vec<_> = numbers.into_iter().map(Sets::<T>::get).collect();
		sets.extend(NextSet::<T>::get().map(|next| next.seats));
		sets
	}
}

/// Most elected that are looked at.
const MAX_CANDIDATES: usize = 2 * MAX_SEATS as usize;

impl<T: Config> Gatekeepers<T::AccountId> for Pallet<T> {
	fn on_set_elected(elected: Vec<(T::AccountId, WorkerKey)>) -> DispatchResult {
		Self::do_on_set_elected(elected)
	}

	fn may_unbond(who: &T::AccountId) -> bool {
		!Self::sets_that_count().iter().flatten().any(|seat| seat.account == *who)
	}

	fn in_office() -> Vec<Seat<T::AccountId>> {
		Self::current_key().map_or_else(Vec::new, |(_, key)| Sets::<T>::get(key.number).into())
	}

	fn handover() -> Handover {
		let ceremony = Current::<T>::get().is_some_and(|attempt| attempt.is_open());
		let most = T::MaxAttempts::get();
		let given_up = NextSet::<T>::get().map(|next| next.trial.attempts >= most);
		let rotating = Rotations::<T>::get().is_some_and(|one| one.trial.attempts < most);
		match given_up {
			_ if ceremony || rotating => Handover::Underway,
			Some(false) => Handover::Underway,
			Some(true) => Handover::GivenUp,
			None => Handover::Settled,
		}
	}
}

impl<T: Config> WorkerObligations for Pallet<T> {
	fn is_bound(worker: &WorkerKey) -> bool {
		Self::sets_that_count().iter().flatten().any(|seat| seat.worker == *worker)
	}
}

impl<T: Config> Pallet<T> {
	/// Whom the current phase waits for, and who failed in the ceremony so far.
	pub(crate) fn view_late() -> Vec<(Seat<T::AccountId>, Fault)> {
		let Some(attempt) = Current::<T>::get() else { return Vec::new() };
		let mut faults = attempt.faults;
		match attempt.phase {
			Phase::Committing { .. } => {
				faults.no_key = attempt.ceremony.size.seats().without(attempt.keys);
				faults.no_digest = attempt.dealers.without(attempt.digests);
			}
			Phase::Sharing { .. } => {
				faults.no_dealing = attempt.digests.without(attempt.dealings);
			}
			_ => {}
		}
		let named = |(fault, seats): (Fault, phala_threshold::MemberSet)| {
			let number = match fault.is_dealers() {
				true => attempt.dealing_number(),
				false => attempt.number(),
			};
			let set = Sets::<T>::get(number).into_iter().enumerate();
			set.filter(move |(position, _)| {
				seat_at(*position).is_some_and(|seat| seats.contains(seat))
			})
			.map(move |(_, seat)| (seat, fault))
		};
		faults.all().into_iter().flat_map(named).collect()
	}

	/// What is going on.
	pub(crate) fn view_status() -> Status<T::AccountId> {
		let Some(attempt) = Current::<T>::get() else {
			let waiting = match Self::plan() {
				Ok(_) => Waiting::Ready,
				Err(Waiting::Retry { at }) => Waiting::Retry { at: Self::relay_block(at) },
				Err(Waiting::OldKey { until }) => {
					Waiting::OldKey { until: Self::relay_block(until) }
				}
				Err(waiting) => waiting,
			};
			return Status::Idle { waiting };
		};
		let ends = match attempt.phase {
			Phase::Committing { ends } | Phase::Sharing { ends } | Phase::Complaining { ends } => {
				Some(Self::relay_block(ends))
			}
			Phase::Kept { until } => Some(Self::relay_block(until)),
			_ => None,
		};
		Status::Running {
			id: attempt.ceremony.id().0,
			ends,
			dealers: Sets::<T>::get(attempt.dealing_number()).into(),
			recipients: Sets::<T>::get(attempt.number()).into(),
			attempt,
		}
	}
}
