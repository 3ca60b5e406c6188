//! Which ceremony is next, and what a failed one teaches the next attempt.

use crate::{types::*, *};
use alloc::vec::Vec;
use frame_support::{BoundedVec, traits::Get};
use phala_primitives::Seat;
use phala_threshold::{Ceremony, Kind, MemberSet, Threshold};
use sp_core::H256;

/// A ceremony that can begin.
pub(crate) struct Plan<T: Config> {
	purpose: Purpose,
	epoch: u32,
	/// Who is to get the key, before any are excluded.
	target: Seats<T::AccountId>,
	trial: Trial<T::AccountId>,
	/// The key that is handed over.
	from: Option<LiveKey>,
}

/// May there be another attempt now?
fn ready<AccountId>(trial: &Trial<AccountId>, most: u8, time: u32) -> Result<(), Waiting> {
	match trial {
		trial if trial.attempts >= most => Err(Waiting::GaveUp),
		trial if time < trial.not_before => Err(Waiting::Retry { at: trial.not_before }),
		_ => Ok(()),
	}
}

impl<T: Config> Pallet<T> {
	/// What is next while no ceremony is under way. A replacement goes first, since it is for keys
	/// that are lost or known; then a handover, so that nobody who has been voted out stays; then a
	/// rotation.
	///
	/// Moments in [`Waiting`] are on the pallet's clock.
	pub(crate) fn plan() -> Result<Plan<T>, Waiting> {
		if !Trash::<T>::get().is_empty() {
			return Err(Waiting::Tidying);
		}
		let (time, most) = (Self::time(), T::MaxAttempts::get());
		let elected = NextSet::<T>::get();
		let Some((epoch, key)) = Self::current_key() else {
			let Elected { seats, trial } = elected.ok_or(Waiting::NothingToDo)?;
			ready(&trial, most, time)?;
			let purpose = Purpose::First;
			return Ok(Plan { purpose, epoch: 0, target: seats, trial, from: None });
		};
		let rotation = Rotations::<T>::get();
		let next_epoch = epoch.checked_add(1).ok_or(Waiting::GaveUp)?;
		let mut waiting = Waiting::NothingToDo;
		if let Some(Rotation { replace: true, trial }) = &rotation {
			match ready(trial, most, time) {
				Ok(()) => {
					let target =
						elected.map_or_else(|| Sets::<T>::get(key.number), |elected| elected.seats);
					return Ok(Plan {
						purpose: Purpose::Replacement,
						epoch: next_epoch,
						target,
						trial: trial.clone(),
						from: None,
					});
				}
				Err(why) => waiting = why,
			}
		}
		if elected.is_none() && rotation.is_none() {
			return Err(waiting);
		}
		if let Some(until) = Self::old_key().and_then(|(_, old)| old.until) {
			return Err(Waiting::OldKey { until });
		}
		if let Some(Elected { seats, trial }) = elected {
			match ready(&trial, most, time) {
				Ok(()) => {
					let purpose = Purpose::Handover;
					return Ok(Plan { purpose, epoch, target: seats, trial, from: Some(key) });
				}
				Err(why) => waiting = why,
			}
		}
		if let Some(Rotation { replace: false, trial }) = rotation {
			match ready(&trial, most, time) {
				Ok(()) => {
					return Ok(Plan {
						purpose: Purpose::Rotation,
						epoch: next_epoch,
						target: Sets::<T>::get(key.number),
						trial,
						from: None,
					});
				}
				Err(why) => waiting = why,
			}
		}
		Err(waiting)
	}

	/// Begins the next ceremony.
	pub(crate) fn open(plan: Plan<T>) {
		let seats = Self::without_excluded(&plan.target, &plan.trial.excluded);
		let Some(size) = u8::try_from(seats.len()).ok().and_then(|len| Threshold::of(len).ok())
		else {
			// A set has been checked when it was elected.
			return Self::unexpected(Unexpected::BadSetSize);
		};
		let number = NextCeremony::<T>::mutate(|next| {
			let number = *next;
			*next = next.saturating_add(1);
			number
		});
		let kind = match &plan.from {
			None => Kind::Generation,
			Some(key) => Kind::Resharing {
				from: *key.sharing.ceremony(),
				dealers: key.sharing.size(),
				public_key: *key.sharing.public_key(),
			},
		};
		let ceremony = Ceremony {
			chain: Self::chain_id().genesis.0,
			number,
			members: Self::members_hash(&seats),
			size,
			kind,
		};
		let dealers = match &plan.from {
			None => size.seats(),
			Some(key) => Self::without_barred(key, &plan.trial),
		};
		let attempt = Attempt {
			purpose: plan.purpose,
			epoch: plan.epoch,
			target: Self::hash_of(&plan.target),
			from: plan.from.map(|key| key.number),
			dealers,
			keys: MemberSet::EMPTY,
			digests: MemberSet::EMPTY,
			dealings: MemberSet::EMPTY,
			faults: Faults::default(),
			unreported: Faults::default(),
			failed: None,
			phase: Phase::Committing { ends: Self::time().saturating_add(T::CommitPeriod::get()) },
			ceremony,
		};
		Self::deposit_event(Event::CeremonyOpened {
			number,
			id: attempt.ceremony.id(),
			purpose: attempt.purpose,
			epoch: attempt.epoch,
			seats: size.members(),
			dealers: dealers.len(),
		});
		Sets::<T>::insert(number, seats);
		Current::<T>::put(attempt);
	}

	/// The set without those who failed before; all of it if too few would be left.
	fn without_excluded(
		target: &Seats<T::AccountId>,
		excluded: &[T::AccountId],
	) -> Seats<T::AccountId> {
		let left: Vec<Seat<T::AccountId>> =
			target.iter().filter(|seat| !excluded.contains(&seat.account)).cloned().collect();
		match left.len() >= usize::from(T::MinSeats::get()) {
			true => BoundedVec::truncate_from(left),
			false => target.clone(),
		}
	}

	/// The holders without those convicted before; all of them if too few would be left.
	fn without_barred(key: &LiveKey, trial: &Trial<T::AccountId>) -> MemberSet {
		let holders = key.sharing.holders();
		let left = match trial.barred {
			Some((number, barred)) if number == key.number => holders.without(barred),
			_ => holders,
		};
		match left.len() >= key.sharing.size().required() {
			true => left,
			false => holders,
		}
	}

	/// Ends an attempt that made no key. The set in office stays; the next attempt leaves the faulty
	/// out.
	pub(crate) fn fail(mut attempt: Attempt, why: WhyFailed) {
		let trial = Self::teach(&attempt);
		let attempts = trial.map_or(0, |trial| trial.attempts);
		let faulty = Self::named_faults(&attempt);
		LastFailure::<T>::put(Failure {
			number: attempt.number(),
			purpose: attempt.purpose,
			at: Self::now(),
			why,
			attempts,
			faulty,
		});
		Self::deposit_event(Event::CeremonyFailed {
			number: attempt.number(),
			purpose: attempt.purpose,
			why,
			attempts,
			gave_up: attempts >= T::MaxAttempts::get(),
		});
		attempt.failed = Some(why);
		attempt.phase = Phase::Reporting;
		Current::<T>::put(attempt);
	}

	/// Notes a failed attempt where the next one will look.
	fn teach(attempt: &Attempt) -> Option<Trial<T::AccountId>> {
		match attempt.purpose {
			Purpose::First | Purpose::Handover => NextSet::<T>::mutate(|next| {
				let next = next.as_mut().filter(|n| Self::hash_of(&n.seats) == attempt.target)?;
				Self::learn(&mut next.trial, attempt);
				Some(next.trial.clone())
			}),
			Purpose::Rotation | Purpose::Replacement => Rotations::<T>::mutate(|rotation| {
				let replace = attempt.purpose == Purpose::Replacement;
				let rotation = rotation.as_mut().filter(|r| r.replace == replace)?;
				Self::learn(&mut rotation.trial, attempt);
				Some(rotation.trial.clone())
			}),
		}
	}

	fn learn(trial: &mut Trial<T::AccountId>, attempt: &Attempt) {
		trial.attempts = trial.attempts.saturating_add(1);
		trial.not_before = Self::time().saturating_add(T::RetryDelay::get());
		let recipients = Sets::<T>::get(attempt.number());
		for (account, fault) in Self::named_faults(attempt) {
			// A dealer of the old set that was only absent may still be a good recipient.
			let counts = match fault {
				Fault::NoDigest | Fault::NoDealing => attempt.from.is_none(),
				_ => true,
			};
			let receives = recipients.iter().any(|seat| seat.account == account);
			if counts && receives && !trial.excluded.contains(&account) {
				// Recipients of other targets may still be there, if the office served as a target.
				let _ = trial.excluded.try_push(account);
			}
		}
		if let Some(from) = attempt.from {
			let before = trial.barred.filter(|(number, _)| *number == from);
			let before = before.map_or(MemberSet::EMPTY, |(_, barred)| barred);
			let barred = before.iter().chain(attempt.faults.bad_share.iter()).collect();
			trial.barred = Some((from, barred));
		}
	}

	/// The faulty by account.
	pub(crate) fn named_faults(
		attempt: &Attempt,
	) -> BoundedVec<(T::AccountId, Fault), frame_support::traits::ConstU32<{ 2 * MAX_SEATS }>> {
		let recipients = Sets::<T>::get(attempt.number());
		let dealers = Sets::<T>::get(attempt.dealing_number());
		let named = attempt.faults.all().into_iter().flat_map(|(fault, seats)| {
			let set = if fault.is_dealers() { &dealers } else { &recipients };
			seats
				.iter()
				.filter_map(|seat| set.get(usize::from(seat.get()).checked_sub(1)?))
				.map(|seat| (seat.account.clone(), fault))
				.collect::<Vec<_>>()
		});
		// A seat of either set has at most one fault.
		BoundedVec::truncate_from(named.collect())
	}

	/// Forgets what has been achieved.
	pub(crate) fn accomplish(purpose: Purpose, target: H256) {
		LastFailure::<T>::kill();
		if purpose != Purpose::Rotation {
			NextSet::<T>::mutate_exists(|next| {
				if next.as_ref().is_some_and(|next| Self::hash_of(&next.seats) == target) {
					*next = None;
				}
			});
		}
		match purpose {
			Purpose::First | Purpose::Handover => {}
			Purpose::Rotation | Purpose::Replacement => Rotations::<T>::mutate_exists(|rotation| {
				let replace = purpose == Purpose::Replacement;
				if rotation.as_ref().is_some_and(|rotation| rotation.replace == replace) {
					*rotation = None;
				}
			}),
		}
	}
}
