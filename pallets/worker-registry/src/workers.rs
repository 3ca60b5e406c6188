//! Registration, renewal, and what an operator does with its workers.

use crate::{
	admission::{Admitted, Refusal},
	types::{Claim, LapseReason, PlatformError, Standing},
	*,
};
use frame_support::{
	dispatch::{DispatchErrorWithPostInfo, PostDispatchInfo},
	ensure,
	pallet_prelude::*,
	traits::Consideration,
};
use phala_primitives::{AttestationChange, PlatformId, WorkerKey, WorkerObligations};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register(
		operator: T::AccountId,
		quote: &[u8],
		claim: &Claim,
	) -> DispatchResultWithPostInfo {
		let key = claim.worker;
		ensure!(!Workers::<T>::contains_key(key), early(Error::<T>::WorkerExists));
		let admitted = Self::admit(&operator, quote, claim, None)?;

		let deposit = T::Consideration::new(&operator, Self::footprint())?;
		Self::take_place(admitted.platform)?;
		Self::use_report(&admitted, claim);
		let Admitted { measurement, platform, evidence, judgement, .. } = admitted;
		let now = Self::now();
		let worker = WorkerOf::<T> {
			operator: operator.clone(),
			encryption_key: claim.encryption_key,
			role: claim.role,
			measurement,
			platform,
			evidence,
			judgement,
			attested_at: now,
			appraised_at: now,
			standing: Standing::Attested,
			score: None,
			endpoint: None,
			// Above what an earlier registration of the same key has signed: that could be sent again.
			endpoint_sequence: now.saturating_mul(1_000),
			offered_to: None,
			deposit,
		};
		Workers::<T>::insert(key, worker);
		OperatorWorkers::<T>::insert(&operator, key, ());
		Self::deposit_event(Event::WorkerRegistered {
			worker: key,
			operator,
			encryption_key: claim.encryption_key,
			role: claim.role,
			measurement,
			platform,
			status: judgement.status,
			tier: judgement.tier,
			expires_at: judgement.expires_at,
		});
		Self::announce(&key, AttestationChange::Registered);
		Ok(().into())
	}

	pub(crate) fn do_renew(
		operator: T::AccountId,
		quote: &[u8],
		claim: &Claim,
	) -> DispatchResultWithPostInfo {
		let key = claim.worker;
		let mut worker = Self::own_worker(&operator, &key).map_err(early)?;
		Self::ensure_same_identity(&worker, claim).map_err(early)?;
		let admitted = Self::admit(&operator, quote, claim, Some(&worker))?;

		if worker.holds_place() && worker.platform != admitted.platform {
			Self::release_place(worker.platform);
			worker.standing = Standing::Lapsed { at: Self::now(), reason: LapseReason::Expired };
		}
		if !worker.holds_place() {
			Self::take_place(admitted.platform)?;
		}
		Self::use_report(&admitted, claim);
		let Admitted { measurement, platform, evidence, judgement, .. } = admitted;
		let now = Self::now();
		Workers::<T>::insert(
			key,
			WorkerOf::<T> {
				measurement,
				platform,
				evidence,
				judgement,
				attested_at: now,
				appraised_at: now,
				standing: Standing::Attested,
				..worker
			},
		);
		Self::deposit_event(Event::WorkerRenewed {
			worker: key,
			measurement,
			platform,
			status: judgement.status,
			tier: judgement.tier,
			expires_at: judgement.expires_at,
		});
		Self::announce(&key, AttestationChange::Renewed);
		Ok(().into())
	}

	pub(crate) fn do_offer_worker(
		operator: &T::AccountId,
		key: &WorkerKey,
		to: Option<T::AccountId>,
	) -> DispatchResult {
		let mut worker = Self::own_worker(operator, key)?;
		worker.offered_to.clone_from(&to);
		Workers::<T>::insert(key, worker);
		Self::deposit_event(Event::WorkerOffered { worker: *key, to });
		Ok(())
	}

	pub(crate) fn do_accept_worker(to: T::AccountId, key: &WorkerKey) -> DispatchResult {
		let worker = Workers::<T>::get(key).ok_or(Error::<T>::WorkerNotFound)?;
		ensure!(worker.offered_to.as_ref() == Some(&to), Error::<T>::NotOffered);
		ensure!(!T::Obligations::is_bound(key), Error::<T>::WorkerBound);

		let from = worker.operator;
		worker.deposit.drop(&from)?;
		let deposit = T::Consideration::new(&to, Self::footprint())?;
		OperatorWorkers::<T>::remove(&from, key);
		OperatorWorkers::<T>::insert(&to, key, ());
		Workers::<T>::insert(
			key,
			WorkerOf::<T> { operator: to.clone(), offered_to: None, deposit, ..worker },
		);
		Self::deposit_event(Event::OperatorChanged {
			worker: *key,
			from: from.clone(),
			to: to.clone(),
		});
		Self::announce(key, AttestationChange::OperatorChanged { from, to });
		Ok(())
	}

	pub(crate) fn do_deregister(operator: &T::AccountId, key: &WorkerKey) -> DispatchResult {
		let worker = Self::own_worker(operator, key)?;
		ensure!(!T::Obligations::is_bound(key), Error::<T>::WorkerBound);

		if worker.holds_place() {
			Self::release_place(worker.platform);
		}
		worker.deposit.drop(operator)?;
		Workers::<T>::remove(key);
		OperatorWorkers::<T>::remove(operator, key);
		Self::deposit_event(Event::WorkerDeregistered { worker: *key, operator: operator.clone() });
		Self::announce(key, AttestationChange::Removed);
		Ok(())
	}

	/// A worker that the signer answers for.
	pub(crate) fn own_worker(
		operator: &T::AccountId,
		key: &WorkerKey,
	) -> Result<WorkerOf<T>, Error<T>> {
		let worker = Workers::<T>::get(key).ok_or(Error::<T>::WorkerNotFound)?;
		ensure!(worker.operator == *operator, Error::<T>::NotOperator);
		Ok(worker)
	}

	/// What others rely on for the life of a worker stays as it was registered.
	pub(crate) fn ensure_same_identity(
		worker: &WorkerOf<T>,
		claim: &Claim,
	) -> Result<(), Error<T>> {
		ensure!(
			worker.role == claim.role && worker.encryption_key == claim.encryption_key,
			Error::<T>::IdentityChanged
		);
		Ok(())
	}

	/// Whether a platform may have one more worker.
	pub(crate) fn check_place(platform: PlatformId) -> Result<(), PlatformError> {
		if Platforms::<T>::get(platform) >= CurrentPolicy::<T>::get().platform_cap {
			return Err(PlatformError::Full);
		}
		Ok(())
	}

	fn take_place(platform: PlatformId) -> Result<(), Error<T>> {
		Self::check_place(platform).map_err(Error::<T>::Platform)?;
		// Far below the maximum: it was below the cap.
		Platforms::<T>::mutate(platform, |places| *places = places.saturating_add(1));
		Ok(())
	}

	pub(crate) fn release_place(platform: PlatformId) {
		Platforms::<T>::mutate_exists(platform, |places| {
			*places = places.and_then(|places| places.checked_sub(1)).filter(|places| *places > 0);
		});
	}

	/// Remembers the report data, so that no second quote can make the same claim.
	fn use_report(admitted: &Admitted, claim: &Claim) {
		let block = BlockNumberFor::<T>::from(claim.block.number);
		UsedReports::<T>::insert(block, admitted.report, ());
	}

	fn admit(
		operator: &T::AccountId,
		quote: &[u8],
		claim: &Claim,
		own: Option<&WorkerOf<T>>,
	) -> Result<Admitted, DispatchErrorWithPostInfo> {
		let screened =
			Self::screen(operator, quote, claim, own).map_err(|refusal| early(refusal.error))?;
		Ok(Self::prove(screened).map_err(|refusal: Refusal<T>| refusal.error)?)
	}
}

/// An error before any cryptography: it costs no more than the cheap checks.
fn early<T: Config>(error: Error<T>) -> DispatchErrorWithPostInfo {
	DispatchErrorWithPostInfo {
		post_info: PostDispatchInfo {
			actual_weight: Some(T::WeightInfo::screen()),
			pays_fee: Pays::Yes,
		},
		error: error.into(),
	}
}
