//! Gatekeepers with a seat, attested, whose slash costs most.

use crate::*;
use codec::Encode;
use pallet_worker_registry::Workers;
use phala_attestation::Role;
use phala_primitives::{ClusterId, WorkerKey, operator_cluster};
use sp_core::H256;

/// Gatekeepers and those who ask them for keys.
pub struct Committee;

impl Committee {
	/// Lets `worker` be attested on a machine of its own.
	fn attest(worker: WorkerKey, operator: &AccountId, role: Role) {
		if Workers::<Runtime>::contains_key(worker) {
			return;
		}
		let platform = H256(sp_io::hashing::blake2_256(&("committee", worker).encode()));
		pallet_worker_registry::benchmarking::attest::<Runtime>(
			worker, role, operator, platform, 1_000,
		);
	}

	/// Gives `who` what a deposit takes.
	fn endow(who: &AccountId) {
		use frame_support::traits::fungible::{Inspect, Mutate};
		let some = 10 * constants::currency::PHA;
		if <Balances as Inspect<_>>::balance(who) < some {
			let minted = <Balances as Mutate<_>>::mint_into(who, some);
			debug_assert!(minted.is_ok());
		}
	}
}

impl pallet_gatekeeper_election::benchmarking::BenchmarkHelper<AccountId> for Committee {
	fn gatekeeper(seed: u32, operator: &AccountId) -> WorkerKey {
		let worker =
			WorkerKey::from_raw(sp_io::hashing::blake2_256(&("gatekeeper", seed).encode()));
		Self::endow(operator);
		Self::attest(worker, operator, Role::Gatekeeper);
		worker
	}

	fn office() {
		// The reserve is there, and it is long after the era began.
		pallet_mining::benchmarking::begun::<Runtime>();
		pallet_timestamp::Now::<Runtime>::put(1_000_000_000_000);
		pallet_gatekeeper_keys::benchmarking::in_office::<Runtime>();
		// No era is planned yet.
		let active = pallet_staking::ActiveEra::<Runtime>::get().map(|era| era.index);
		pallet_staking::CurrentEra::<Runtime>::set(active);
	}
}

impl pallet_gatekeeper_keys::benchmarking::BenchmarkHelper<AccountId> for Committee {
	fn gatekeeper(seed: u32, worker: WorkerKey) -> AccountId {
		let member = pallet_gatekeeper_election::benchmarking::reelected::<Runtime>(seed);
		Self::endow(&member);
		Self::attest(worker, &member, Role::Gatekeeper);
		member
	}

	fn worker(worker: WorkerKey) -> ClusterId {
		let operator: AccountId = frame_benchmarking::account("operator", 0, 0);
		Self::endow(&operator);
		Self::attest(worker, &operator, Role::Worker);
		operator_cluster(&operator)
	}
}
