//! How workers get their clusters' keys.

use crate::{types::*, *};
use frame_support::{ensure, traits::Get};
use phala_attestation::Role;
use phala_primitives::{
	AttestedWorkers, ClusterAccess, EvidenceHash, KeyRequestStatement, WorkerKey, WorkerSignature,
	requester,
};
use phala_threshold::{ClusterInput, Element, Inquiry, MemberIndex, MemberSet, Partial};
use sp_runtime::DispatchResult;

/// An answer that can be applied.
pub(crate) struct Answer {
	request: OpenRequest,
	key: LiveKey,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn examine_request(
		statement: &KeyRequestStatement,
		signature: &WorkerSignature,
	) -> Result<LiveKey, Error<T>> {
		let KeyRequestStatement { worker, input, valid_until, request } = statement;
		let now = Self::now();
		let latest = now.saturating_add(T::RequestPeriod::get());
		ensure!((now..latest).contains(valid_until), Error::NotValidNow);
		let key = LiveKeys::<T>::get(input.epoch).ok_or(Error::EpochNotLive)?;
		ensure!(!OpenFor::<T>::contains_key(worker, input), Error::AlreadyDone);
		let most = T::MaxRequestsPerWorker::get();
		ensure!(OpenCount::<T>::get(worker) < most, Error::TooManyRequests);
		ensure!(Requests::<T>::count() < T::MaxRequests::get(), Error::TooManyRequests);
		ensure!(Self::is_entitled(worker, input), Error::NotEntitled);
		Self::ensure_signed_by(statement, worker, signature)?;
		let public_key = *key.sharing.public_key();
		request.verify(&Self::inquiry(public_key, *input, worker, *valid_until))?;
		Ok(key)
	}

	pub(crate) fn do_request(
		statement: &KeyRequestStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let key = Self::examine_request(statement, signature)?;
		let KeyRequestStatement { worker, input, valid_until, request } = statement.clone();
		let id = Queue::<T>::mutate(|queue| {
			let id = queue.next;
			queue.next = queue.next.saturating_add(1);
			id
		});
		OpenFor::<T>::insert(worker, input, id);
		OpenCount::<T>::mutate(worker, |count| *count = count.saturating_add(1));
		let request = OpenRequest {
			worker,
			input,
			valid_until,
			request,
			asked: Self::time(),
			sharing: key.number,
			answered: MemberSet::EMPTY,
			fulfilled: false,
			stored: MemberSet::EMPTY,
			examined: MemberSet::EMPTY,
		};
		let expires = Self::relay_block(Self::expiry(&request));
		Requests::<T>::insert(id, request);
		Self::deposit_event(Event::KeyRequested { id, worker, input, expires });
		Ok(())
	}

	/// Checks an answer. It needs no signature: nobody but the holder of the share can prove it.
	pub(crate) fn examine_answer(
		id: RequestId,
		seat: MemberIndex,
		partial: &Partial,
	) -> Result<Answer, Error<T>> {
		let mut request = Requests::<T>::get(id).ok_or(Error::RequestNotFound)?;
		ensure!(Self::time() < Self::expiry(&request), Error::RequestNotFound);
		let key = LiveKeys::<T>::get(request.input.epoch).ok_or(Error::EpochNotLive)?;
		ensure!(!request.fulfilled, Error::AlreadyDone);
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

	/// May the worker have the key at this moment?
	pub(crate) fn is_entitled(worker: &WorkerKey, input: &ClusterInput) -> bool {
		T::Access::is_member(&input.cluster, worker)
			&& T::Workers::attested(worker).is_some_and(|attested| attested.role == Role::Worker)
	}

	/// What a request is about.
	pub(crate) fn inquiry(
		public_key: Element,
		input: ClusterInput,
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

	/// Deals with one member that did not answer an expired request, or removes the request when
	/// there are no more.
	pub(crate) fn examine(id: RequestId, mut request: OpenRequest) {
		let Some((key, seat)) = Self::next_silent(&request) else {
			return Self::remove_request(id, request);
		};
		request.examined.insert(seat);
		Requests::<T>::insert(id, request);
		let period = Self::now().checked_div(T::AbsencePeriod::get()).unwrap_or_default();
		let Some(holder) = Self::holder_of(key.number, seat) else { return };
		let blamed = LastBlamed::<T>::get(key.number, seat) == Some(period);
		if !blamed && Self::is_gatekeeper(&holder.worker, 0) {
			LastBlamed::<T>::insert(key.number, seat, period);
			let ceremony = key.sharing.ceremony();
			let fault = Fault::NoPartial;
			let evidence =
				EvidenceHash::of(&("phala/gatekeeper/fault/1", ceremony, fault, seat, period));
			Self::report(fault, &holder.account, evidence, None);
		}
	}

	/// A holder that owed an answer. Nobody did if the worker has its key or may not have it any
	/// more, or if the shares came into use after the request.
	fn next_silent(request: &OpenRequest) -> Option<(LiveKey, MemberIndex)> {
		let key = LiveKeys::<T>::get(request.input.epoch)?;
		let owed = request.sharing == key.number
			&& request.asked >= key.since
			&& !request.fulfilled
			&& Self::is_entitled(&request.worker, &request.input);
		let silent = key.sharing.holders().without(request.answered).without(request.examined);
		let seat = silent.first().filter(|_| owed)?;
		Some((key, seat))
	}

	fn remove_request(id: RequestId, request: OpenRequest) {
		let OpenRequest { worker, input, stored, .. } = request;
		for seat in stored.iter() {
			Partials::<T>::remove(id, seat);
		}
		Requests::<T>::remove(id);
		OpenFor::<T>::remove(worker, input);
		OpenCount::<T>::mutate_exists(worker, |count| {
			*count = count.and_then(|count| count.checked_sub(1)).filter(|count| *count > 0);
		});
		Queue::<T>::mutate(|queue| queue.first = id.saturating_add(1));
		Self::deposit_event(Event::RequestClosed { id });
	}
}
