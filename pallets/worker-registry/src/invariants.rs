//! The invariants of the crate's documentation.

use crate::{types::MAX_LIFETIME, *};
use alloc::collections::BTreeMap;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks I1 to I7.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_workers()?;
		Self::check_collateral()?;
		let swept = ReportSweep::<T>::get();
		ensure!(
			UsedReports::<T>::iter_keys().all(|(block, _)| block >= swept),
			"I6: report data is remembered only for blocks that the sweep has not passed"
		);
		ensure!(
			Measurements::<T>::iter_values()
				.all(|record| record.sunset.is_none_or(|sunset| record.active_from < sunset)),
			"I7: every measurement's sunset lies behind its activation"
		);
		ensure!(CurrentPolicy::<T>::get().is_sound(), "I7: the policy is within its bounds");
		Ok(())
	}

	fn check_workers() -> Result<(), TryRuntimeError> {
		let mut places = BTreeMap::new();
		let mut workers = 0;
		for (key, worker) in Workers::<T>::iter() {
			workers += 1;
			if worker.holds_place() {
				*places.entry(worker.platform).or_insert(0u32) += 1;
			}
			ensure!(
				OperatorWorkers::<T>::contains_key(&worker.operator, key),
				"I2: the index lists every worker under its operator"
			);
			ensure!(
				worker.judgement.expires_at <= worker.attested_at.saturating_add(MAX_LIFETIME),
				"I5: no attestation outlives its quote by more than the longest lifetime"
			);
		}
		ensure!(
			OperatorWorkers::<T>::iter_keys().count() == workers,
			"I2: the index lists no worker twice, and none that is gone"
		);
		ensure!(Workers::<T>::count() as usize == workers, "I2: workers are counted");
		let counted: BTreeMap<_, _> = Platforms::<T>::iter().collect();
		ensure!(places == counted, "I1: a platform's count is the number of its attested workers");
		Ok(())
	}

	fn check_collateral() -> Result<(), TryRuntimeError> {
		ensure!(
			TcbInfos::<T>::iter_values().all(|slots| slots.is_sound())
				&& QeIdentities::<T>::iter_values().all(|slots| slots.is_sound()),
			"I3: waiting collateral has a higher evaluation number than what is in force"
		);
		ensure!(KnownEvaluations::<T>::get().is_sound(), "I4: evaluation numbers ascend");
		Ok(())
	}
}
