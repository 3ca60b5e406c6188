//! The steps of a ceremony that the chain takes by itself. Each is bounded.

use crate::{types::*, *};
use frame_support::{ensure, traits::Get};
use phala_primitives::{
	EvidenceHash, GatekeeperSet, OffenceClass, OffenceReport, ReportOffence, Source,
};
use phala_threshold::{Aggregation, MAX_MEMBERS, MemberIndex, MemberSet};
use sp_runtime::{DispatchResult, Perquintill, traits::Convert};

impl<T: Config> Pallet<T> {
	/// Closes a phase in which messages were awaited.
	pub(crate) fn close_phase(mut attempt: Attempt) {
		let time = Self::time();
		match attempt.phase {
			Phase::Committing { .. } => {
				attempt.faults.no_key = attempt.ceremony.size.seats().without(attempt.keys);
				attempt.faults.no_digest = attempt.dealers.without(attempt.digests);
				attempt.unreported = attempt.faults;
				let digests = attempt.digests;
				if let Err(why) = Self::enough(&attempt, digests) {
					return Self::fail(attempt, why);
				}
				let ends = time.saturating_add(T::SharePeriod::get());
				attempt.phase = Phase::Sharing { ends };
			}
			Phase::Sharing { .. } => {
				attempt.faults.no_dealing = attempt.digests.without(attempt.dealings);
				attempt.unreported.no_dealing = attempt.faults.no_dealing;
				let dealings = attempt.dealings;
				if let Err(why) = Self::enough(&attempt, dealings) {
					return Self::fail(attempt, why);
				}
				let ends = time.saturating_add(T::ComplainPeriod::get());
				attempt.phase = Phase::Complaining { ends };
			}
			Phase::Complaining { .. } => {
				let (qualified, holders) = (attempt.qualified(), attempt.holders());
				if let Err(why) = Self::enough(&attempt, qualified) {
					return Self::fail(attempt, why);
				}
				match Aggregation::new(attempt.ceremony.clone(), qualified, holders) {
					Ok(aggregation) => Progress::<T>::put(aggregation),
					Err(error) => return Self::fail(attempt, WhyFailed::BadSum { error }),
				}
				attempt.phase = Phase::Aggregating;
			}
			_ => return,
		}
		Self::deposit_event(Event::PhaseBegan { number: attempt.number(), phase: attempt.phase });
		Current::<T>::put(attempt);
	}

	/// Can this still become a key?
	fn enough(attempt: &Attempt, dealers: MemberSet) -> Result<(), WhyFailed> {
		ensure!(attempt.ceremony.suffices(dealers), WhyFailed::NotEnoughDealers);
		let required = attempt.ceremony.size.required();
		ensure!(attempt.holders().len() >= required, WhyFailed::NotEnoughHolders);
		Ok(())
	}

	/// Adds one dealing, and after the last one closes the sum.
	pub(crate) fn aggregate(mut attempt: Attempt) {
		let number = attempt.number();
		let sum = || -> Result<Option<Aggregation>, phala_threshold::Error> {
			let mut aggregation = Progress::<T>::get().ok_or(phala_threshold::Error::Unfinished)?;
			if let Some(dealer) = aggregation.next() {
				let dealing = Dealings::<T>::get(number, dealer)
					.ok_or(phala_threshold::Error::NotADealer(dealer))?;
				aggregation.add(dealer, &dealing.commitments)?;
				if aggregation.next().is_some() {
					return Ok(Some(aggregation));
				}
			}
			Outcome::<T>::put(aggregation.finish()?);
			Ok(None)
		};
		match sum() {
			Ok(Some(aggregation)) => return Progress::<T>::put(aggregation),
			Ok(None) => {
				let left = attempt.holders();
				attempt.phase = Phase::Deriving { left };
				Self::deposit_event(Event::PhaseBegan { number, phase: attempt.phase });
				Current::<T>::put(attempt);
			}
			Err(error) => {
				Self::unexpected(Unexpected::BadSum);
				Self::fail(attempt, WhyFailed::BadSum { error });
			}
		}
		Progress::<T>::kill();
	}

	/// Computes one verification share, or puts the key to use when all are there.
	pub(crate) fn derive(mut attempt: Attempt, mut left: MemberSet) {
		let Some(sharing) = Outcome::<T>::get() else {
			Self::unexpected(Unexpected::BadSum);
			let error = phala_threshold::Error::Unfinished;
			return Self::fail(attempt, WhyFailed::BadSum { error });
		};
		let Some(seat) = left.first() else { return Self::install(attempt, sharing) };
		match sharing.verification_share(seat) {
			Ok(share) => VerificationShares::<T>::insert(attempt.number(), seat, share),
			// A share of zero. The seat cannot use it, and nobody will ever meet one.
			Err(_) => Self::unexpected(Unexpected::NoVerificationShare),
		}
		left.remove(seat);
		attempt.phase = Phase::Deriving { left };
		Current::<T>::put(attempt);
	}

	/// Puts the key to use.
	fn install(mut attempt: Attempt, sharing: phala_threshold::Sharing) {
		Outcome::<T>::kill();
		let (number, epoch, time) = (attempt.number(), attempt.epoch, Self::time());
		let public_key = *sharing.public_key();
		match attempt.purpose {
			Purpose::Handover => {
				if let Some(old) = LiveKeys::<T>::get(epoch) {
					Self::discard(old.number);
				}
			}
			Purpose::First => {}
			Purpose::Rotation => {
				let until = time.saturating_add(T::RetirementPeriod::get());
				if let Some((before, mut old)) = Self::current_key() {
					old.until = Some(until);
					LiveKeys::<T>::insert(before, old);
				}
			}
			Purpose::Replacement => {
				for (before, _) in [Self::old_key(), Self::current_key()].into_iter().flatten() {
					Self::end_epoch(before);
				}
			}
		}
		if attempt.purpose != Purpose::Handover {
			let since = Self::now();
			Epochs::<T>::insert(epoch, EpochKey { public_key, since, ended: None });
			CurrentEpoch::<T>::put(epoch);
		}
		Self::deposit_event(Event::KeyShared {
			number,
			epoch,
			purpose: attempt.purpose,
			public_key,
			qualified: sharing.qualified(),
			holders: sharing.holders(),
		});
		LiveKeys::<T>::insert(epoch, LiveKey { number, sharing, since: time, until: None });
		Self::accomplish(attempt.purpose, attempt.target);
		if attempt.purpose != Purpose::Rotation {
			T::GatekeeperSet::handover_final(epoch);
		}
		attempt.phase = Phase::Reporting;
		Current::<T>::put(attempt);
	}

	/// Gives the key of an epoch up.
	pub(crate) fn end_epoch(epoch: u32) {
		if let Some(key) = LiveKeys::<T>::take(epoch) {
			Self::discard(key.number);
		}
		Epochs::<T>::mutate(epoch, |record| {
			if let Some(record) = record {
				record.ended = Some(Self::now());
			}
		});
		Self::deposit_event(Event::EpochEnded { epoch });
	}

	/// Lets the public side of old shares be removed.
	fn discard(number: CeremonyNumber) {
		let garbage = Garbage { number, next: FIRST };
		if Trash::<T>::mutate(|trash| trash.try_push(garbage)).is_err() {
			Self::unexpected(Unexpected::TooMuchGarbage);
		}
	}

	/// Reports one of the faulty, or goes on when all have been.
	pub(crate) fn report_next(mut attempt: Attempt) {
		let number = attempt.number();
		let Some((fault, seat)) = attempt.unreported.pop() else {
			attempt.phase = match attempt.failed {
				Some(_) => Phase::Clearing { next: FIRST },
				None => Phase::Kept { until: Self::time().saturating_add(T::KeepPeriod::get()) },
			};
			Self::deposit_event(Event::PhaseBegan { number, phase: attempt.phase });
			return Current::<T>::put(attempt);
		};
		let set = if fault.is_dealers() { attempt.dealing_number() } else { number };
		if let Some(offender) = Self::holder_of(set, seat)
			&& !Self::is_reported_as_dealer(&attempt, fault, &offender.account)
		{
			let evidence =
				EvidenceHash::of(&("phala/gatekeeper/fault/1", attempt.ceremony.id(), fault, seat));
			let accuser = Accusers::<T>::get(number, seat).filter(|_| fault == Fault::BadShare);
			let reporter = accuser.and_then(|seat| Self::holder_of(number, seat));
			let reporter = reporter.map(|seat| seat.account);
			Self::report(fault, &offender.account, evidence, reporter);
		}
		Current::<T>::put(attempt);
	}

	/// A member of both sets that stayed away from the beginning was absent once, not twice.
	fn is_reported_as_dealer(attempt: &Attempt, fault: Fault, who: &T::AccountId) -> bool {
		let dealers = Sets::<T>::get(attempt.dealing_number());
		let absent = |(position, seat): (usize, &phala_primitives::Seat<T::AccountId>)| {
			let index = impls::seat_at(position);
			seat.account == *who
				&& index.is_some_and(|index| attempt.faults.no_digest.contains(index))
		};
		fault == Fault::NoKey && dealers.iter().enumerate().any(absent)
	}

	/// Tells the ledger. What it refuses does not stop a ceremony.
	pub(crate) fn report(
		fault: Fault,
		who: &T::AccountId,
		evidence: EvidenceHash,
		reporter: Option<T::AccountId>,
	) {
		let (class, source) = match fault {
			Fault::NoDigest | Fault::NoKey | Fault::NoDealing | Fault::NoPartial => {
				(OffenceClass::Absence, Source::Measured)
			}
			Fault::BadShare => (OffenceClass::KeyCeremony, Source::Proven { reporter }),
			Fault::FalseComplaint => (OffenceClass::FalseReport, Source::Proven { reporter: None }),
		};
		let report = OffenceReport {
			class,
			offender: T::OffenderOf::convert(who.clone()),
			committed: Self::now(),
			evidence,
			severity: Perquintill::one(),
			source,
		};
		let gatekeeper = who.clone();
		Self::deposit_event(match T::Offences::report(report) {
			Ok(id) => Event::FaultReported { gatekeeper, fault, id },
			Err(error) => Event::ReportRefused { gatekeeper, fault, error },
		});
	}

	/// Removes what one seat left behind, and after the last one the ceremony.
	pub(crate) fn clear_next(mut attempt: Attempt, seat: MemberIndex) {
		let number = attempt.number();
		CeremonyKeys::<T>::remove(number, seat);
		Digests::<T>::remove(number, seat);
		Dealings::<T>::remove(number, seat);
		Accusers::<T>::remove(number, seat);
		if attempt.failed.is_some() {
			VerificationShares::<T>::remove(number, seat);
		}
		if let Some(next) = following(seat) {
			attempt.phase = Phase::Clearing { next };
			return Current::<T>::put(attempt);
		}
		if attempt.failed.is_some() {
			Sets::<T>::remove(number);
			Progress::<T>::kill();
			Outcome::<T>::kill();
		}
		Current::<T>::kill();
		Self::deposit_event(Event::CeremonyCleared { number });
		Self::forget_settled();
	}

	/// Removes what is left of one seat of old shares, and after the last one the set.
	pub(crate) fn remove_garbage() {
		let mut trash = Trash::<T>::take();
		let Some(garbage) = trash.iter_mut().next() else { return };
		let (number, seat) = (garbage.number, garbage.next);
		VerificationShares::<T>::remove(number, seat);
		match following(seat) {
			Some(next) => garbage.next = next,
			None => {
				LastBlamed::<T>::remove(number);
				Sets::<T>::remove(number);
				trash.remove(0);
			}
		}
		if !trash.is_empty() {
			Trash::<T>::put(trash);
		}
	}

	/// Stops a ceremony that has not made its key yet.
	pub(crate) fn do_abort() -> DispatchResult {
		let attempt = Current::<T>::get().filter(Attempt::is_open).ok_or(Error::<T>::NotRunning)?;
		// Those who were late before stay late; nobody is blamed for the phase that was cut short.
		Self::fail(attempt, WhyFailed::Aborted);
		Ok(())
	}

	pub(crate) fn unexpected(kind: Unexpected) {
		frame_support::defensive!("unexpected", kind);
		Self::deposit_event(Event::Unexpected { kind });
	}
}

/// The first seat.
pub(crate) const FIRST: MemberIndex = match MemberIndex::new(1) {
	Ok(seat) => seat,
	Err(_) => panic!("seats are numbered from 1"),
};

/// The seat after `seat` in the largest set.
fn following(seat: MemberIndex) -> Option<MemberIndex> {
	match seat.get() {
		MAX_MEMBERS => None,
		number => MemberIndex::new(number.checked_add(1)?).ok(),
	}
}
