//! What members say in a ceremony. Each message is examined in the pool and again where it is
//! applied: pending first, then signed, then true.

use crate::{types::*, *};
use frame_support::{ensure, traits::Get};
use phala_primitives::{
	ComplaintStatement, DealingStatement, RegistrationStatement, WorkerKey, WorkerSignature,
};
use phala_threshold::{Abuse, Case, Constant, Dealing, Element, MemberIndex, Verdict, judge};
use sp_runtime::DispatchResult;

/// A registration that can be applied.
pub(crate) struct Registered {
	attempt: Attempt,
	/// Seat of the receiving set that has a key now.
	pub(crate) receives: Option<MemberIndex>,
	/// Seat of the dealing set that has a digest now.
	pub(crate) deals: Option<MemberIndex>,
}

/// A dealing that can be applied.
pub(crate) struct Dealt {
	attempt: Attempt,
	pub(crate) dealer: MemberIndex,
}

/// A complaint that can be applied.
pub(crate) struct Judged {
	attempt: Attempt,
	pub(crate) complainer: MemberIndex,
	verdict: Verdict,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn examine_registration(
		statement: &RegistrationStatement,
		signature: &WorkerSignature,
	) -> Result<Registered, Error<T>> {
		let RegistrationStatement { member, ceremony, registration } = statement;
		let attempt = Self::attempt(ceremony)?;
		let Phase::Committing { ends } = attempt.phase else { return Err(Error::WrongPhase) };
		ensure!(Self::time() < ends, Error::WrongPhase);
		ensure!(
			registration.key.is_some() || registration.digest.is_some(),
			Error::EmptyRegistration
		);
		// What a part of the message would fill must be a seat of the sender's, and empty.
		let receives = match registration.key {
			None => None,
			Some(_) => {
				let seat = Self::seat_of(attempt.number(), member).ok_or(Error::NotASeat)?;
				ensure!(!attempt.keys.contains(seat), Error::AlreadyDone);
				ensure!(Self::is_gatekeeper(member, 0), Error::NotAttested);
				Some(seat)
			}
		};
		let deals = match registration.digest {
			None => None,
			Some(_) => {
				let seat = Self::dealer_seat(&attempt, member)?;
				ensure!(!attempt.digests.contains(seat), Error::AlreadyDone);
				Self::ensure_may_deal(&attempt, member)?;
				Some(seat)
			}
		};
		Self::ensure_signed_by(statement, member, signature)?;
		if let (Some(key), Some(seat)) = (registration.key, receives) {
			key.verify(ceremony, seat)?;
		}
		Ok(Registered { attempt, receives, deals })
	}

	pub(crate) fn do_register(
		statement: &RegistrationStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let Registered { mut attempt, receives, deals } =
			Self::examine_registration(statement, signature)?;
		let (number, registration) = (attempt.number(), &statement.registration);
		if let (Some(key), Some(seat)) = (registration.key, receives) {
			attempt.keys.insert(seat);
			CeremonyKeys::<T>::insert(number, seat, key);
		}
		if let (Some(digest), Some(seat)) = (registration.digest, deals) {
			attempt.digests.insert(seat);
			Digests::<T>::insert(number, seat, digest);
		}
		Current::<T>::put(attempt);
		let member = statement.member;
		Self::deposit_event(Event::Registered { number, member, receives, deals });
		Ok(())
	}

	pub(crate) fn examine_dealing(
		statement: &DealingStatement,
		signature: &WorkerSignature,
	) -> Result<Dealt, Error<T>> {
		let DealingStatement { member, ceremony, dealing } = statement;
		let attempt = Self::attempt(ceremony)?;
		let Phase::Sharing { ends } = attempt.phase else { return Err(Error::WrongPhase) };
		ensure!(Self::time() < ends, Error::WrongPhase);
		let dealer = Self::dealer_seat(&attempt, member)?;
		ensure!(!attempt.dealings.contains(dealer), Error::AlreadyDone);
		let digest = Digests::<T>::get(attempt.number(), dealer).ok_or(Error::NotCommitted)?;
		Self::ensure_may_deal(&attempt, member)?;
		Self::ensure_signed_by(statement, member, signature)?;
		let share = Self::dealt_share(&attempt, dealer)?;
		let constant = share.as_ref().map_or(Constant::Fresh, Constant::Share);
		dealing.verify(&attempt.ceremony, dealer, &digest, attempt.keys, constant)?;
		Ok(Dealt { attempt, dealer })
	}

	pub(crate) fn do_deal(
		statement: &DealingStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let Dealt { mut attempt, dealer } = Self::examine_dealing(statement, signature)?;
		let number = attempt.number();
		attempt.dealings.insert(dealer);
		Dealings::<T>::insert(number, dealer, &statement.dealing);
		Current::<T>::put(attempt);
		Self::deposit_event(Event::Dealt { number, member: statement.member, dealer });
		Ok(())
	}

	pub(crate) fn examine_complaint(
		statement: &ComplaintStatement,
		signature: &WorkerSignature,
	) -> Result<Judged, Error<T>> {
		let ComplaintStatement { member, ceremony, dealer, complaint } = statement;
		let attempt = Self::attempt(ceremony)?;
		let (Phase::Sharing { ends } | Phase::Complaining { ends }) = attempt.phase else {
			return Err(Error::WrongPhase);
		};
		ensure!(Self::time() < ends, Error::WrongPhase);
		let number = attempt.number();
		let complainer = Self::seat_of(number, member).ok_or(Error::NotASeat)?;
		// One conviction closes a dealer, and silences a complainer: it opens one good share at most,
		// so that its share of the key stays hidden.
		ensure!(!attempt.faults.bad_share.contains(*dealer), Error::AlreadyDone);
		ensure!(!attempt.faults.false_complaint.contains(complainer), Error::AlreadyDone);
		let key = CeremonyKeys::<T>::get(number, complainer).ok_or(Error::NotCommitted)?;
		let dealing: Dealing = Dealings::<T>::get(number, dealer).ok_or(Error::NoDealing)?;
		Self::ensure_signed_by(statement, member, signature)?;
		let case = Case {
			ceremony,
			dealer: *dealer,
			dealing: &dealing,
			recipients: attempt.keys,
			complainer,
			key: &key.key,
		};
		let verdict = judge(&case, complaint)?;
		Ok(Judged { attempt, complainer, verdict })
	}

	pub(crate) fn do_complain(
		statement: &ComplaintStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let Judged { mut attempt, complainer, verdict } =
			Self::examine_complaint(statement, signature)?;
		let (number, dealer) = (attempt.number(), statement.dealer);
		match verdict {
			Verdict::DealerFaulty(_) => {
				attempt.faults.bad_share.insert(dealer);
				attempt.unreported.bad_share.insert(dealer);
				Accusers::<T>::insert(number, dealer, complainer);
			}
			Verdict::ComplainerFaulty(Abuse::FalseOpening | Abuse::ShareIsValid) => {
				attempt.faults.false_complaint.insert(complainer);
				attempt.unreported.false_complaint.insert(complainer);
			}
		}
		Current::<T>::put(attempt);
		Self::deposit_event(Event::ComplaintJudged { number, complainer, dealer, verdict });
		Ok(())
	}

	/// The sender's seat among those who may deal.
	fn dealer_seat(attempt: &Attempt, member: &WorkerKey) -> Result<MemberIndex, Error<T>> {
		Self::seat_of(attempt.dealing_number(), member)
			.filter(|seat| attempt.dealers.contains(*seat))
			.ok_or(Error::NotASeat)
	}

	/// A lapsed member may still hand its share over, and nothing else.
	fn ensure_may_deal(attempt: &Attempt, member: &WorkerKey) -> Result<(), Error<T>> {
		let grace = attempt.from.map_or(0, |_| T::ReshareGrace::get());
		ensure!(Self::is_gatekeeper(member, grace), Error::NotAttested);
		Ok(())
	}

	/// In a handover, the verification share of what a dealer must deal.
	pub(crate) fn dealt_share(
		attempt: &Attempt,
		dealer: MemberIndex,
	) -> Result<Option<Element>, Error<T>> {
		match attempt.from {
			None => Ok(None),
			Some(from) => {
				VerificationShares::<T>::get(from, dealer).map(Some).ok_or(Error::NotASeat)
			}
		}
	}
}
