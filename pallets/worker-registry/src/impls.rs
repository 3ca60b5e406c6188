//! Questions that everything else asks: time, chain, whether an attestation counts.

use crate::{types::*, *};
use alloc::vec::Vec;
use frame_support::{
	pallet_prelude::*,
	traits::{Footprint, UnixTime},
};
use phala_attestation::{Crl, CrlIssuer, Fmspc, PckCaKind, Role, Tee};
use phala_primitives::{
	AttestationChange, AttestedWorker, BlockRef, ChainId, Measurement, OnAttestationChange,
	WorkerKey,
};
use sp_runtime::traits::{BlockNumberProvider, UniqueSaturatedInto, Zero};

/// Workers in one page of a view.
const PAGE: usize = 256;

/// Why a block reference is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrecognised {
	TooOld,
	Unknown,
	OtherFork,
}

impl<T: Config> Pallet<T> {
	/// Unix seconds.
	pub(crate) fn now() -> u64 {
		T::Time::now().as_secs()
	}

	/// This chain, as statements and quotes name it.
	pub(crate) fn chain_id() -> ChainId {
		ChainId {
			// The hash of block 0 is never pruned.
			genesis: frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()),
			para_id: T::ParaId::get(),
		}
	}

	/// How many blocks ago a block was, if it lies in the window and is ours.
	pub(crate) fn age_of(block: &BlockRef) -> Result<u32, Unrecognised> {
		let now: u32 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
		let age = now.checked_sub(block.number).filter(|age| *age > 0);
		let age = age.ok_or(Unrecognised::Unknown)?;
		if age > T::FreshnessWindow::get() {
			return Err(Unrecognised::TooOld);
		}
		if frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(block.number))
			!= block.hash
		{
			return Err(Unrecognised::OtherFork);
		}
		Ok(age)
	}

	/// Whether an image may run at this moment.
	pub(crate) fn check_measurement(
		measurement: &Measurement,
		role: Role,
	) -> Result<(), MeasurementError> {
		let record = Measurements::<T>::get(measurement).ok_or(MeasurementError::Unknown)?;
		let height = T::RelayChain::current_block_number();
		if !record.has_begun(&height) {
			return Err(MeasurementError::NotYetActive);
		}
		if record.is_past_sunset(&height) {
			return Err(MeasurementError::PastSunset);
		}
		if record.role != role {
			return Err(MeasurementError::WrongRole);
		}
		Ok(())
	}

	/// Whether the attestation counts now, or counted up to `grace` seconds ago. Whatever the sweep
	/// has seen.
	pub(crate) fn counts(worker: &WorkerOf<T>, grace: u64) -> bool {
		let (end, allows_grace) = worker.ends();
		let end = if allows_grace { end.saturating_add(grace) } else { end };
		Self::now() < end
			&& Self::check_measurement(&worker.measurement, worker.role).is_ok()
			&& !BannedPlatforms::<T>::contains_key(worker.platform)
	}

	/// What a worker's record occupies, at most, with its entry in the index.
	pub(crate) fn footprint() -> Footprint {
		let record = WorkerOf::<T>::max_encoded_len().saturating_add(WorkerKey::max_encoded_len());
		let entry = T::AccountId::max_encoded_len().saturating_add(WorkerKey::max_encoded_len());
		Footprint::from_parts(1, record.saturating_add(entry))
	}

	pub(crate) fn announce(worker: &WorkerKey, change: AttestationChange<T::AccountId>) {
		T::OnAttestationChange::on_attestation_change(worker, &change);
	}

	fn as_attested(worker: WorkerOf<T>) -> AttestedWorker<T::AccountId> {
		AttestedWorker {
			operator: worker.operator,
			role: worker.role,
			tier: worker.judgement.tier,
			platform: worker.platform,
			score: worker.score.map_or(0, |score| score.value),
			expires_at: worker.judgement.expires_at,
		}
	}

	pub(crate) fn view_worker(key: &WorkerKey) -> Option<WorkerView<T::AccountId>> {
		let worker = Workers::<T>::get(key)?;
		let attested = Self::counts(&worker, 0).then(|| Self::as_attested(worker.clone()));
		Some(WorkerView {
			attested,
			operator: worker.operator,
			encryption_key: worker.encryption_key,
			role: worker.role,
			tee: worker.evidence.tee,
			fmspc: worker.evidence.fmspc,
			measurement: worker.measurement,
			platform: worker.platform,
			judgement: worker.judgement,
			attested_at: worker.attested_at,
			standing: worker.standing,
			score: worker.score,
			endpoint: worker.endpoint,
			endpoint_sequence: worker.endpoint_sequence,
			offered_to: worker.offered_to,
		})
	}

	pub(crate) fn view_workers_of(
		operator: &T::AccountId,
		after: Option<WorkerKey>,
	) -> Vec<WorkerKey> {
		let keys = match after {
			None => OperatorWorkers::<T>::iter_key_prefix(operator),
			Some(after) => {
				let after = OperatorWorkers::<T>::hashed_key_for(operator, after);
				OperatorWorkers::<T>::iter_key_prefix_from(operator, after)
			}
		};
		keys.take(PAGE).collect()
	}

	pub(crate) fn view_collateral(tee: Tee, fmspc: Fmspc) -> CollateralView {
		use crate::slots::Document;
		fn of<D: Document>(document: &Option<D>) -> Option<(u32, u64)> {
			document.as_ref().map(|document| (document.evaluation(), document.expires()))
		}
		let now = Self::now();
		let known = KnownEvaluations::<T>::get();
		let tcb = TcbInfos::<T>::get((tee, fmspc)).settled(&known, now);
		let qe = QeIdentities::<T>::get(tee).settled(&known, now);
		let cas = [PckCaKind::Processor, PckCaKind::Platform];
		let of_crl = |crl: Crl| (crl.number(), crl.next_update());
		// The list of a key that the CA has no more vouches for nothing.
		let pck_crl = |kind| {
			let ca = PckCas::<T>::get(kind)?;
			let crl = Crls::<T>::get(CrlSource::PckCa(kind))?;
			crl.is_issued_by(CrlIssuer::PckCa(&ca)).then(|| of_crl(crl))
		};
		CollateralView {
			root_crl: Crls::<T>::get(CrlSource::Root).map(of_crl),
			pck_cas: cas.map(|ca| PckCas::<T>::get(ca).map(|ca| ca.not_after())),
			pck_crls: cas.map(pck_crl),
			tcb_info: of(&tcb.current),
			next_tcb_info: of(&tcb.next),
			qe_identity: of(&qe.current),
			next_qe_identity: of(&qe.next),
		}
	}
}

impl<T: Config> AttestedWorkers<T::AccountId> for Pallet<T> {
	fn attested_within(worker: &WorkerKey, grace: u64) -> Option<AttestedWorker<T::AccountId>> {
		let worker = Workers::<T>::get(worker)?;
		Self::counts(&worker, grace).then(|| Self::as_attested(worker))
	}
}
