//! What must hold after every call and step. The numbers are those of the crate's documentation.

use crate::*;
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::{Get, fungible::InspectHold},
};
use pallet_staking::{ActiveEra, Bonded, CurrentEra, ErasStartSessionIndex, ErasValidatorReward};
use phala_primitives::Gatekeepers;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_bindings()?;
		Self::check_eras()?;
		Self::check_escrow()?;
		Self::check_tranches()?;
		Self::check_bonds()
	}

	fn check_bindings() -> Result<(), TryRuntimeError> {
		let mut count = 0;
		for (stash, binding) in Bindings::<T>::iter() {
			count += 1;
			let by_worker = StashOf::<T>::get(binding.worker);
			ensure!(by_worker.as_ref() == Some(&stash), "I1: a binding is not found by worker");
			let by_platform = Platforms::<T>::get(binding.platform);
			ensure!(by_platform.as_ref() == Some(&stash), "I1: a binding is not found by machine");
		}
		ensure!(StashOf::<T>::iter().count() == count, "I1: a worker leads nowhere");
		ensure!(Platforms::<T>::iter().count() == count, "I1: a machine leads nowhere");
		ensure!(Bindings::<T>::count() as usize == count, "I1: bindings are miscounted");
		ensure!(Bindings::<T>::count() <= T::MaxCandidates::get(), "I1: too many bindings");
		Ok(())
	}

	fn check_eras() -> Result<(), TryRuntimeError> {
		ensure!(Ballot::<T>::get().is_empty(), "I2: a ballot outlasted its step");
		let Some(session) = VirtualSession::<T>::get() else { return Ok(()) };
		let current = CurrentEra::<T>::get().ok_or("I2: no current era")?;
		let active = ActiveEra::<T>::get().ok_or("I2: no active era")?.index;
		match Planned::<T>::get() {
			Some(planned) => {
				ensure!(current == active + 1, "I2: the planned era is not the next");
				ensure!(
					ErasStartSessionIndex::<T>::get(current) == Some(planned.session),
					"I2: the planned era begins at another time"
				);
				ensure!(planned.session == session + 1, "I2: the planned era is not due");
				ensure!(!planned.members.is_empty(), "I2: a planned era without members");
			}
			None => ensure!(current == active, "I2: an era is ahead that nobody planned"),
		}
		Ok(())
	}

	fn check_escrow() -> Result<(), TryRuntimeError> {
		let (mut escrowed, mut open): (u128, u128) = (0, 0);
		for (era, amount) in Escrows::<T>::iter() {
			escrowed += amount;
			let payable = ErasValidatorReward::<T>::get(era).unwrap_or_default();
			ensure!(payable <= amount, "I3: an era pays more than it escrowed");
			open += payable.saturating_sub(Self::claimed(era));
		}
		ensure!(Escrowed::<T>::get() == escrowed, "I3: escrows are miscounted");
		ensure!(Self::escrow_balance() >= open, "I3: the escrow cannot pay what can be claimed");
		ensure!(Unsettled::<T>::get() == 0, "I3: a payout was not settled");
		Ok(())
	}

	fn check_tranches() -> Result<(), TryRuntimeError> {
		let mut sum: u128 = 0;
		let mut held = BTreeMap::<T::AccountId, u128>::new();
		for (id, tranche) in Tranches::<T>::iter() {
			ensure!(id < NextTranche::<T>::get(), "I4: a tranche of the future");
			ensure!(tranche.rest() > 0, "I4: a tranche that is used up");
			sum += tranche.rest();
			for part in tranche.parts {
				*held.entry(part.who.clone()).or_default() += part.rest();
			}
		}
		ensure!(SuspectedStake::<T>::get() == sum, "I4: suspected stake is miscounted");
		for (who, amount) in held {
			let on_hold = T::Asset::balance_on_hold(&Self::held(), &who);
			ensure!(on_hold == amount, "I4: what is suspected is not on hold");
		}
		Ok(())
	}

	fn check_bonds() -> Result<(), TryRuntimeError> {
		let office = T::Gatekeepers::in_office().into_iter().map(|seat| seat.account);
		let planned = Planned::<T>::get().map(|planned| planned.members.into_inner());
		for who in office.chain(planned.unwrap_or_default()) {
			ensure!(Bonded::<T>::contains_key(&who), "I5: a member has no bond");
		}
		Ok(())
	}
}
