//! What governance decides: images, policy, evaluation numbers, bans; and genesis.

use crate::{
	evaluation::{Evaluations, TooManyEvaluations},
	types::Policy,
	*,
};
use frame_support::{ensure, pallet_prelude::*};
use phala_attestation::{Role, TrustRoot};
use phala_primitives::{Measurement, PlatformId};

impl<T: Config> From<TooManyEvaluations> for Error<T> {
	fn from(_: TooManyEvaluations) -> Self {
		Self::TooManyEvaluations
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_measurement(
		measurement: Measurement,
		record: MeasurementOf<T>,
	) -> DispatchResult {
		ensure!(
			record.sunset.is_none_or(|sunset| record.active_from < sunset),
			Error::<T>::SunsetBeforeActivation
		);
		Measurements::<T>::insert(measurement, &record);
		Self::deposit_event(Event::MeasurementSet {
			measurement,
			role: record.role,
			active_from: record.active_from,
			sunset: record.sunset,
		});
		Ok(())
	}

	pub(crate) fn do_sunset_measurement(
		measurement: Measurement,
		at: RelayBlockOf<T>,
	) -> DispatchResult {
		let record = Measurements::<T>::get(measurement).ok_or(Error::<T>::MeasurementNotFound)?;
		Self::do_set_measurement(measurement, MeasurementOf::<T> { sunset: Some(at), ..record })
	}

	pub(crate) fn do_remove_measurement(measurement: Measurement) -> DispatchResult {
		Measurements::<T>::take(measurement).ok_or(Error::<T>::MeasurementNotFound)?;
		Self::deposit_event(Event::MeasurementRemoved { measurement });
		Ok(())
	}

	pub(crate) fn do_set_policy(policy: Policy) -> DispatchResult {
		ensure!(policy.is_sound(), Error::<T>::PolicyOutOfBounds);
		CurrentPolicy::<T>::put(&policy);
		Self::deposit_event(Event::PolicyChanged { policy });
		Ok(())
	}

	pub(crate) fn do_activate_evaluation(number: u32) -> DispatchResult {
		let raised = KnownEvaluations::<T>::try_mutate(|known| {
			known.activate(number, Self::now()).map_err(Error::<T>::from)
		})?;
		ensure!(raised, Error::<T>::EvaluationInForce);
		Self::deposit_event(Event::EvaluationActivated { number });
		Ok(())
	}

	pub(crate) fn do_ban_platform(platform: PlatformId) -> DispatchResult {
		ensure!(!BannedPlatforms::<T>::contains_key(platform), Error::<T>::AlreadyBanned);
		BannedPlatforms::<T>::insert(platform, ());
		Self::deposit_event(Event::PlatformBanned { platform });
		Ok(())
	}

	pub(crate) fn do_unban_platform(platform: PlatformId) -> DispatchResult {
		BannedPlatforms::<T>::take(platform).ok_or(Error::<T>::NotBanned)?;
		Self::deposit_event(Event::PlatformUnbanned { platform });
		Ok(())
	}

	/// Panics, as genesis must, where a chain would start from something unsound.
	pub(crate) fn build_genesis(genesis: &GenesisConfig<T>) {
		CurrentPolicy::<T>::put(Policy::default());
		if let Some(number) = genesis.evaluation {
			let mut known = Evaluations::default();
			known.activate(number, 0).expect("the first has room; qed");
			KnownEvaluations::<T>::put(known);
		}
		let workers = genesis.workers.iter().map(|image| (image, Role::Worker));
		let gatekeepers = genesis.gatekeepers.iter().map(|image| (image, Role::Gatekeeper));
		for (measurement, role) in workers.chain(gatekeepers) {
			let record = MeasurementOf::<T> {
				role,
				active_from: Default::default(),
				sunset: None,
				provenance: Default::default(),
			};
			Measurements::<T>::insert(measurement, record);
		}
		if let Some(root) = &genesis.development_root {
			assert!(
				T::AllowDevelopmentRoot::get(),
				"genesis names a development root (`workerRegistry.developmentRoot`), whose secret \
				 everybody has, and this runtime is not a development one: remove it, and Intel's root \
				 counts"
			);
			let root = TrustRoot::from_der(root)
				.expect("`workerRegistry.developmentRoot` must be a DER certificate of a P-256 CA");
			DevelopmentRoot::<T>::put(root);
		}
	}

	/// The ranges that [`Config`] documents.
	pub(crate) fn check_config() {
		use sp_runtime::traits::UniqueSaturatedInto;
		let window = T::FreshnessWindow::get();
		assert!((1..=200).contains(&window), "FreshnessWindow must be 1 to 200 blocks");
		let kept: u32 = T::BlockHashCount::get().unique_saturated_into();
		assert!(window < kept, "FreshnessWindow must be shorter than BlockHashCount");
		assert!(T::MinMillisPerBlock::get() > 0, "MinMillisPerBlock must be at least 1 ms");
		assert!(T::ReappraisalPeriod::get() >= 60, "ReappraisalPeriod must be at least 60 s");
		assert!((1..=64).contains(&T::SweepLimit::get()), "SweepLimit must be 1 to 64");
		assert!(Policy::default().is_sound(), "the default policy must be within its bounds");
	}
}
