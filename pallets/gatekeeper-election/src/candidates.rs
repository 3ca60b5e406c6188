//! Stashes and their gatekeepers.

use crate::{types::*, *};
use frame_support::{ensure, traits::Get};
use pallet_staking::{MinValidatorBond, Pallet as Staking};
use phala_attestation::Role;
use phala_primitives::{
	AttestationChange, AttestedWorkers, Gatekeepers, OnAttestationChange, OpenCases, WorkerKey,
};
use sp_runtime::DispatchResult;
use sp_staking::StakingAccount;

impl<T: Config> Pallet<T> {
	/// An operator lets a stash stand with its gatekeeper.
	pub(crate) fn do_consent(
		operator: T::AccountId,
		worker: WorkerKey,
		stash: T::AccountId,
	) -> DispatchResult {
		let attested = T::Workers::attested(&worker).ok_or(Error::<T>::NotAttested)?;
		ensure!(attested.operator == operator, Error::<T>::NotOperator);
		ensure!(attested.role == Role::Gatekeeper, Error::<T>::NotGatekeeper);
		Consents::<T>::insert(worker, Consent { operator: operator.clone(), stash: stash.clone() });
		Self::deposit_event(Event::Consented { operator, worker, stash });
		Ok(())
	}

	/// The operator takes its word back; or anybody, if the worker has no attestation with that operator
	/// any more.
	pub(crate) fn do_revoke(who: T::AccountId, worker: WorkerKey) -> DispatchResult {
		let consent = Consents::<T>::get(worker).ok_or(Error::<T>::NoConsent)?;
		let holds =
			T::Workers::attested(&worker).is_some_and(|one| one.operator == consent.operator);
		ensure!(who == consent.operator || !holds, Error::<T>::NotOperator);
		Consents::<T>::remove(worker);
		Self::deposit_event(Event::ConsentRevoked { worker });
		Ok(())
	}

	/// A stash takes a gatekeeper, in place of the one that it has.
	pub(crate) fn do_bind(stash: T::AccountId, worker: WorkerKey) -> DispatchResult {
		let ledger = Staking::<T>::ledger(StakingAccount::Stash(stash.clone()))
			.map_err(|_| Error::<T>::BondTooSmall)?;
		ensure!(ledger.active >= MinValidatorBond::<T>::get(), Error::<T>::BondTooSmall);
		let attested = T::Workers::attested(&worker).ok_or(Error::<T>::NotAttested)?;
		ensure!(attested.role == Role::Gatekeeper, Error::<T>::NotGatekeeper);
		let operator = attested.operator;
		if operator != stash {
			let consent = Consents::<T>::get(worker);
			let agreed = Consent { operator: operator.clone(), stash: stash.clone() };
			ensure!(consent == Some(agreed), Error::<T>::NoConsent);
		}

		let before = Bindings::<T>::get(&stash);
		ensure!(before.as_ref().is_none_or(|one| one.worker != worker), Error::<T>::AlreadyBound);
		ensure!(StashOf::<T>::get(worker).is_none(), Error::<T>::WorkerTaken);
		let platform = attested.platform;
		let taken = Platforms::<T>::get(platform).is_some_and(|other| other != stash);
		ensure!(!taken, Error::<T>::PlatformTaken);
		let room = before.is_some() || Bindings::<T>::count() < T::MaxCandidates::get();
		ensure!(room, Error::<T>::TooManyCandidates);
		if let Some(before) = before {
			Self::forget(&before);
		}
		// It is used up: who unbinds needs another one.
		Consents::<T>::remove(worker);
		StashOf::<T>::insert(worker, &stash);
		Platforms::<T>::insert(platform, &stash);
		Bindings::<T>::insert(&stash, Binding { worker, operator, platform });
		Self::deposit_event(Event::Bound { stash, worker });
		Ok(())
	}

	/// Removes what leads to a binding.
	fn forget(binding: &Binding<T::AccountId>) {
		StashOf::<T>::remove(binding.worker);
		Platforms::<T>::remove(binding.platform);
	}

	fn remove_binding(stash: T::AccountId, binding: Binding<T::AccountId>) {
		Self::forget(&binding);
		Bindings::<T>::remove(&stash);
		Self::deposit_event(Event::Unbound { stash, worker: binding.worker });
	}

	/// A stash gives its gatekeeper up. In office it serves to the next handover, as who chills does.
	pub(crate) fn do_unbind(stash: T::AccountId) -> DispatchResult {
		let binding = Bindings::<T>::get(&stash).ok_or(Error::<T>::NotBound)?;
		Self::remove_binding(stash, binding);
		Ok(())
	}

	/// Removes a candidate without duties that takes up the place of another one: anybody may, if it cannot
	/// be elected by its own fault; and who has more bond and no place, if all places are taken.
	pub(crate) fn do_evict(who: T::AccountId, stash: T::AccountId) -> DispatchResult {
		let binding = Bindings::<T>::get(&stash).ok_or(Error::<T>::NotBound)?;
		ensure!(T::Gatekeepers::may_unbond(&stash), Error::<T>::InOffice);
		let standing = Self::standing(&stash);
		// Renewals can be some minutes late, and who is about to stand binds first.
		let grace = T::EvictionGrace::get();
		let recent = T::Workers::attested_within(&binding.worker, grace)
			.is_some_and(|one| one.operator == binding.operator && one.role == Role::Gatekeeper);
		let bonded = !matches!(standing, Err(WhyNot::NotBonded | WhyNot::BondTooSmall { .. }));
		let removable = !recent || !bonded || Self::outbids(&who, &stash);
		ensure!(removable, Error::<T>::StillStanding);
		Self::remove_binding(stash, binding);
		Ok(())
	}

	/// Are all places taken, and has `who`, without one, more bond than `stash`? Otherwise whoever is first
	/// to fill all places with the least bond would keep everybody else out.
	fn outbids(who: &T::AccountId, stash: &T::AccountId) -> bool {
		let bond = |who: &T::AccountId| {
			let ledger = Staking::<T>::ledger(StakingAccount::Stash(who.clone()));
			ledger.map_or(0, |ledger| ledger.active)
		};
		Bindings::<T>::count() >= T::MaxCandidates::get()
			&& !Bindings::<T>::contains_key(who)
			&& bond(who) > bond(stash)
	}

	/// What keeps a bond from leaving.
	pub(crate) fn why_still_bonded(who: &T::AccountId) -> Option<WhyBonded> {
		if !T::Gatekeepers::may_unbond(who) {
			return Some(WhyBonded::InOffice);
		}
		T::Cases::has_open_case(who).then_some(WhyBonded::OpenCase)
	}
}

impl<T: Config> OnAttestationChange<T::AccountId> for Pallet<T> {
	/// A consent ends with what its operator had to give. Everything else is asked when it matters.
	fn on_attestation_change(worker: &WorkerKey, change: &AttestationChange<T::AccountId>) {
		use AttestationChange::*;
		if matches!(change, Removed | OperatorChanged { .. })
			&& Consents::<T>::take(worker).is_some()
		{
			Self::deposit_event(Event::ConsentRevoked { worker: *worker });
		}
	}
}
