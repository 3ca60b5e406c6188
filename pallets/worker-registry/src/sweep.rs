//! What `on_idle` tidies. Nothing relies on it: expiry is checked where an attestation is used.

use crate::{
	types::{LapseReason, MeasurementError, Standing},
	*,
};
use frame_support::{pallet_prelude::*, weights::WeightMeter};
use phala_primitives::{AttestationChange, WorkerKey};
use sp_runtime::traits::{One, Saturating};

/// Used reports that one step forgets, at most.
pub(crate) const REPORTS_PER_STEP: u32 = 16;

impl<T: Config> Pallet<T> {
	pub(crate) fn sweep(remaining: Weight) -> Weight {
		let mut meter = WeightMeter::with_limit(remaining);
		Self::sweep_reports(&mut meter);
		Self::sweep_workers(&mut meter);
		meter.consumed()
	}

	/// Forgets the report data of blocks that have left the window: no claim can name them again.
	fn sweep_reports(meter: &mut WeightMeter) {
		if meter.try_consume(T::DbWeight::get().reads_writes(1, 1)).is_err() {
			return;
		}
		let start = ReportSweep::<T>::get();
		let mut at = start;
		'blocks: while Self::has_left_window(at) {
			let mut reports = UsedReports::<T>::drain_prefix(at);
			loop {
				if meter.try_consume(T::WeightInfo::sweep_reports(REPORTS_PER_STEP)).is_err() {
					break 'blocks;
				}
				if Self::sweep_reports_step(&mut reports) {
					break;
				}
			}
			at = at.saturating_add(One::one());
		}
		if at != start {
			ReportSweep::<T>::put(at);
		}
	}

	fn has_left_window(block: BlockNumberFor<T>) -> bool {
		let window = BlockNumberFor::<T>::from(T::FreshnessWindow::get());
		block.saturating_add(window) < frame_system::Pallet::<T>::block_number()
	}

	/// Forgets the next reports of a block; true if none is left. All steps share one iterator: another one would
	/// pass over every key that was removed in this block, so that many steps would take quadratic time.
	pub(crate) fn sweep_reports_step(reports: &mut impl Iterator) -> bool {
		let forgotten = reports.take(REPORTS_PER_STEP as usize).count();
		forgotten < REPORTS_PER_STEP as usize
	}

	/// Looks at the workers behind the one that was seen last.
	fn sweep_workers(meter: &mut WeightMeter) {
		let mut last = None;
		for _ in 0..T::SweepLimit::get() {
			if meter.try_consume(T::WeightInfo::sweep_worker()).is_err() {
				break;
			}
			let from = last.take().or_else(WorkerSweep::<T>::get);
			last = Self::sweep_next_worker(from);
			match last {
				Some(seen) => WorkerSweep::<T>::put(seen),
				None => {
					// The end: start over in a later block.
					WorkerSweep::<T>::kill();
					break;
				}
			}
		}
	}

	/// Looks at the worker behind `from`, which may itself be gone, and returns its key.
	pub(crate) fn sweep_next_worker(from: Option<WorkerKey>) -> Option<WorkerKey> {
		let (key, worker) = match from {
			None => Workers::<T>::iter().next()?,
			Some(from) => {
				let from = Workers::<T>::hashed_key_for(from);
				Workers::<T>::iter_from(from).next()?
			}
		};
		if worker.holds_place() {
			Self::look_at(key, worker);
		}
		Some(key)
	}

	/// Lets an attested worker lapse if it no longer counts, and appraises it anew if that is due.
	fn look_at(key: WorkerKey, worker: WorkerOf<T>) {
		let now = Self::now();
		if let Some(reason) = Self::lapse_reason(&worker) {
			Self::lapse(key, worker, reason);
		} else if worker.appraised_at.saturating_add(T::ReappraisalPeriod::get()) <= now {
			Self::appraise_anew(key, worker);
		}
	}

	/// Why the attestation of a worker that holds a place does not count, if it does not.
	fn lapse_reason(worker: &WorkerOf<T>) -> Option<LapseReason> {
		if BannedPlatforms::<T>::contains_key(worker.platform) {
			return Some(LapseReason::PlatformBanned);
		}
		match Self::check_measurement(&worker.measurement, worker.role) {
			// An entry that was replaced can be active later: until then it only does not count.
			Err(MeasurementError::NotYetActive) | Ok(()) => {}
			Err(_) => return Some(LapseReason::MeasurementNotAllowed),
		}
		(worker.judgement.expires_at <= Self::now()).then_some(LapseReason::Expired)
	}

	/// Marks a worker as lapsed and frees its place.
	pub(crate) fn lapse(key: WorkerKey, mut worker: WorkerOf<T>, reason: LapseReason) {
		if worker.holds_place() {
			Self::release_place(worker.platform);
		}
		let at = worker.judgement.expires_at.min(Self::now());
		worker.standing = Standing::Lapsed { at, reason };
		Workers::<T>::insert(key, worker);
		Self::deposit_event(Event::WorkerLapsed { worker: key, reason });
		Self::announce(&key, AttestationChange::Lapsed);
	}
}
