//! How workers get their clusters' keys, and members the guards of their shares.

use crate::{types::*, *};
use frame_support::{ensure, traits::Get};
use phala_attestation::Role;
use phala_primitives::{
	AttestationChange, AttestedWorkers, ClusterAccess, EvidenceHash, GuardRequestStatement,
	KeyRequestStatement, OnAttestationChange, WorkerKey, WorkerSignature, requester,
};
use phala_threshold::{
	Element, GuardInput, Input, Inquiry, MemberIndex, MemberSet, Partial, Request,
};
use sp_runtime::DispatchResult;

/// A request that can be put on record.
pub(crate) struct Asked {
	key: LiveKey,
	/// The sender's request for the same, whose place it takes.
	replaces: Option<RequestId>,
}

/// An answer that can be applied.
pub(crate) struct Answer {
	request: OpenRequest,
	key: LiveKey,
}

/// A holder that owed an answer.
pub(crate) struct Silent {
	key: LiveKey,
	seat: MemberIndex,
	/// [`Silence::period`] of the request.
	period: u32,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn examine_request(
		statement: &KeyRequestStatement,
		signature: &WorkerSignature,
	) -> Result<Asked, Error<T>> {
		let KeyRequestStatement { worker, input, valid_until, request } = statement;
		Self::ensure_timely(*valid_until)?;
		let key = LiveKeys::<T>::get(input.epoch).ok_or(Error::EpochNotLive)?;
		let input = Input::Cluster(*input);
		let replaces = Self::place_for(worker, &input, *valid_until)?;
		ensure!(Requests::<T>::count() < T::MaxRequests::get(), Error::TooManyRequests);
		ensure!(Self::is_entitled(worker, &input), Error::NotEntitled);
		Self::ensure_signed_by(statement, worker, signature)?;
		let public_key = *key.sharing.public_key();
		request.verify(&Self::inquiry(public_key, input, worker, *valid_until))?;
		Ok(Asked { key, replaces })
	}

	pub(crate) fn do_request(
		statement: &KeyRequestStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let asked = Self::examine_request(statement, signature)?;
		let KeyRequestStatement { worker, input, valid_until, request } = statement.clone();
		let (id, expires) = Self::record(asked, worker, input.into(), valid_until, request);
		Self::deposit_event(Event::KeyRequested { id, worker, input, expires });
		Ok(())
	}

	pub(crate) fn examine_guard_request(
		statement: &GuardRequestStatement,
		signature: &WorkerSignature,
	) -> Result<Asked, Error<T>> {
		let GuardRequestStatement { member, epoch, valid_until, request, .. } = statement;
		Self::ensure_timely(*valid_until)?;
		let key = LiveKeys::<T>::get(epoch).ok_or(Error::EpochNotLive)?;
		let guard = statement.input();
		let number = Self::guarded(&key, &guard).ok_or(Error::CeremonyNotFound)?;
		ensure!(Self::seat_of(number, member).is_some(), Error::NotASeat);
		let input = Input::Guard(guard);
		let replaces = Self::place_for(member, &input, *valid_until)?;
		let room = T::MaxRequests::get().saturating_add(ROOM_FOR_GUARDS);
		ensure!(Requests::<T>::count() < room, Error::TooManyRequests);
		ensure!(Self::is_gatekeeper(member, 0), Error::NotAttested);
		Self::ensure_signed_by(statement, member, signature)?;
		let public_key = *key.sharing.public_key();
		request.verify(&Self::inquiry(public_key, input, member, *valid_until))?;
		Ok(Asked { key, replaces })
	}

	pub(crate) fn do_request_guard(
		statement: &GuardRequestStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let asked = Self::examine_guard_request(statement, signature)?;
		let input = statement.input().into();
		let GuardRequestStatement { member, epoch, ceremony, valid_until, request } =
			statement.clone();
		let (id, expires) = Self::record(asked, member, input, valid_until, request);
		Self::deposit_event(Event::GuardRequested { id, member, epoch, ceremony, expires });
		Ok(())
	}

	fn ensure_timely(valid_until: u32) -> Result<(), Error<T>> {
		let now = Self::now();
		let latest = now.saturating_add(T::RequestPeriod::get());
		ensure!((now..latest).contains(&valid_until), Error::NotValidNow);
		Ok(())
	}

	/// May `worker` ask for `input`, and in place of which request of its?
	///
	/// A request takes the place of one that was valid for less long: so nobody can put an earlier one of
	/// the same sender in the place of a later one. The one that is replaced stays until it expires, and
	/// that is what bounds how often this happens.
	fn place_for(
		worker: &WorkerKey,
		input: &Input,
		valid_until: u32,
	) -> Result<Option<RequestId>, Error<T>> {
		let Some(id) = OpenFor::<T>::get(worker, input) else {
			let most = T::MaxRequestsPerWorker::get();
			ensure!(OpenCount::<T>::get(worker) < most, Error::TooManyRequests);
			return Ok(None);
		};
		let open = Requests::<T>::get(id).ok_or(Error::AlreadyDone)?;
		// One that has expired is dealt with first.
		let replaceable = open.valid_until < valid_until && Self::time() < Self::expiry(&open);
		ensure!(replaceable, Error::AlreadyDone);
		let most = T::MaxReplacedPerWorker::get();
		ensure!(ReplacedCount::<T>::get(worker) < most, Error::TooManyRequests);
		Ok(Some(id))
	}

	/// Puts a request on record. Its id, and the relay-chain block in which it expires.
	fn record(
		asked: Asked,
		worker: WorkerKey,
		input: Input,
		valid_until: u32,
		request: Request,
	) -> (RequestId, u32) {
		let id = Queue::<T>::mutate(|queue| {
			let id = queue.next;
			queue.next = queue.next.saturating_add(1);
			id
		});
		match asked.replaces {
			None => OpenCount::<T>::mutate(worker, |count| *count = count.saturating_add(1)),
			Some(before) => {
				Requests::<T>::mutate(before, |request| {
					request.iter_mut().for_each(|request| request.replaced = true);
				});
				ReplacedCount::<T>::mutate(worker, |count| *count = count.saturating_add(1));
				Self::deposit_event(Event::RequestReplaced { id: before, by: id });
			}
		}
		OpenFor::<T>::insert(worker, input, id);
		let request = OpenRequest {
			worker,
			input,
			valid_until,
			request,
			asked: Self::time(),
			sharing: asked.key.number,
			answered: MemberSet::EMPTY,
			fulfilled: false,
			stored: MemberSet::EMPTY,
			replaced: false,
			excused: false,
		};
		let expires = Self::relay_block(Self::expiry(&request));
		Requests::<T>::insert(id, request);
		(id, expires)
	}

	/// Checks an answer. It needs no signature: nobody but the holder of the share can prove it.
	pub(crate) fn examine_answer(
		id: RequestId,
		seat: MemberIndex,
		partial: &Partial,
	) -> Result<Answer, Error<T>> {
		let mut request = Requests::<T>::get(id).ok_or(Error::RequestNotFound)?;
		ensure!(Self::time() < Self::expiry(&request), Error::RequestNotFound);
		let key = LiveKeys::<T>::get(request.input.epoch()).ok_or(Error::EpochNotLive)?;
		ensure!(!request.fulfilled && !request.replaced, Error::AlreadyDone);
		if request.sharing != key.number {
			// The key was handed over meanwhile: partials of different shares do not combine.
			request.sharing = key.number;
			request.answered = MemberSet::EMPTY;
		}
		ensure!(!request.answered.contains(seat), Error::AlreadyDone);
		let share = VerificationShares::<T>::get(key.number, seat).ok_or(Error::NotASeat)?;
		let holder = Self::holder_of(key.number, seat).ok_or(Error::NotASeat)?;
		ensure!(Self::is_gatekeeper(&holder.worker, 0), Error::NotAttested);
		ensure!(Self::is_entitled(&request.worker, &request.input), Error::NotEntitled);
		let OpenRequest { worker, input, valid_until, .. } = request;
		let inquiry = Self::inquiry(*key.sharing.public_key(), input, &worker, valid_until);
		partial.verify(key.sharing.ceremony(), seat, &share, &inquiry, &request.request)?;
		Ok(Answer { request, key })
	}

	pub(crate) fn do_answer(id: RequestId, seat: MemberIndex, partial: Partial) -> DispatchResult {
		let Answer { mut request, key } = Self::examine_answer(id, seat, &partial)?;
		request.answered.insert(seat);
		request.stored.insert(seat);
		Partials::<T>::insert(id, seat, partial);
		request.fulfilled = request.answered.len() >= key.sharing.size().required();
		Self::deposit_event(Event::PartialGiven { id, seat });
		if request.fulfilled {
			Self::deposit_event(Event::RequestFulfilled { id, answered: request.answered });
		}
		Requests::<T>::insert(id, request);
		Ok(())
	}

	/// May the worker have the key, or the member the guard, at this moment?
	pub(crate) fn is_entitled(worker: &WorkerKey, input: &Input) -> bool {
		match input {
			Input::Cluster(input) => {
				T::Access::is_member(&input.cluster, worker)
					&& T::Workers::attested(worker)
						.is_some_and(|attested| attested.role == Role::Worker)
			}
			Input::Guard(input) => {
				let number = LiveKeys::<T>::get(input.epoch)
					.and_then(|key| Self::guarded(&key, input))
					.filter(|_| input.member == worker.0);
				number.is_some_and(|number| Self::seat_of(number, worker).is_some())
					&& Self::is_gatekeeper(worker, 0)
			}
		}
	}

	/// The ceremony of a guard, if its shares are those of `key`, which are in use, or `key` is being
	/// handed over in it. Of no other ceremony is there anything that may be opened.
	fn guarded(key: &LiveKey, input: &GuardInput) -> Option<CeremonyNumber> {
		if *key.sharing.ceremony() == input.ceremony {
			return Some(key.number);
		}
		let attempt = Current::<T>::get().filter(Attempt::is_open)?;
		let hands_over = attempt.epoch == input.epoch
			&& attempt.from == Some(key.number)
			&& attempt.ceremony.id() == input.ceremony;
		hands_over.then_some(attempt.number())
	}

	/// What a request is about.
	pub(crate) fn inquiry(
		public_key: Element,
		input: Input,
		worker: &WorkerKey,
		valid_until: u32,
	) -> Inquiry {
		let requester = requester(&Self::chain_id(), worker, valid_until);
		Inquiry { public_key, input, requester }
	}

	/// From then on a request is not answered any more, on the pallet's clock. By then its statement
	/// is not valid any more.
	pub(crate) fn expiry(request: &OpenRequest) -> u32 {
		request.asked.saturating_add(T::RequestPeriod::get())
	}

	/// A holder that owed an answer to an expired request, and whose silence in its period has not been
	/// dealt with. Nobody owed one if the worker has its key, may not have it any more, may have been
	/// without the right to it or has asked anew, or if the shares came into use after the request.
	pub(crate) fn next_silent(request: &OpenRequest) -> Option<Silent> {
		if request.fulfilled || request.replaced || request.excused {
			return None;
		}
		let key = LiveKeys::<T>::get(request.input.epoch())?;
		let owed = request.sharing == key.number
			&& request.asked >= key.since
			&& Self::is_entitled(&request.worker, &request.input);
		if !owed {
			return None;
		}
		let mut silent = key.sharing.holders().without(request.answered);
		// Who asks for its guard cannot open its share.
		if matches!(request.input, Input::Guard(_))
			&& let Some(own) = Self::seat_of(key.number, &request.worker)
		{
			silent.remove(own);
		}
		// Of when the request was made: so that it blames nobody twice, however long it waits here.
		let period = request.asked.checked_div(T::AbsencePeriod::get()).unwrap_or_default();
		let done = LastBlamed::<T>::get(key.number);
		if done.period == period {
			silent = silent.without(done.seats);
		}
		let seat = silent.first()?;
		Some(Silent { key, seat, period })
	}

	/// Reports a holder that owed an answer. One that is not attested now owes none, and is not looked at
	/// again in that period: there may be a thousand requests.
	pub(crate) fn blame(Silent { key, seat, period }: Silent) {
		LastBlamed::<T>::mutate(key.number, |done| {
			if done.period != period {
				*done = Silence { period, seats: MemberSet::EMPTY };
			}
			done.seats.insert(seat);
		});
		let Some(holder) = Self::holder_of(key.number, seat) else { return };
		if Self::is_gatekeeper(&holder.worker, 0) {
			let ceremony = key.sharing.ceremony();
			let fault = Fault::NoPartial;
			let evidence =
				EvidenceHash::of(&("phala/gatekeeper/fault/1", ceremony, fault, seat, period));
			Self::report(fault, &holder.account, evidence, None);
		}
	}

	/// Removes an expired request with its answers.
	pub(crate) fn remove_request(id: RequestId, request: OpenRequest) {
		let OpenRequest { worker, input, stored, replaced, .. } = request;
		for seat in stored.iter() {
			Partials::<T>::remove(id, seat);
		}
		Requests::<T>::remove(id);
		let one_less = |count: &mut Option<u32>| {
			*count = count.and_then(|count| count.checked_sub(1)).filter(|count| *count > 0);
		};
		if replaced {
			ReplacedCount::<T>::mutate_exists(worker, one_less);
		} else {
			OpenFor::<T>::remove(worker, input);
			OpenCount::<T>::mutate_exists(worker, one_less);
		}
		Queue::<T>::mutate(|queue| queue.first = id.saturating_add(1));
		Self::deposit_event(Event::RequestClosed { id });
	}
}

impl<T: Config> OnAttestationChange<T::AccountId> for Pallet<T> {
	/// Answers to a worker were refused if it was without its right to the key, however short that was: it
	/// may have ended without a word before it is renewed. Who asks decides when to renew, and gains
	/// nothing by it. Who registers has been removed before, or has not asked.
	fn on_attestation_change(worker: &WorkerKey, change: &AttestationChange<T::AccountId>) {
		use AttestationChange::*;
		if matches!(change, Registered | Reappraised { .. }) {
			return;
		}
		for id in OpenFor::<T>::iter_prefix_values(worker) {
			Requests::<T>::mutate(id, |request| {
				request.iter_mut().for_each(|request| request.excused = true);
			});
		}
	}
}
