//! The hook: time passes, the late are found, and others are challenged.

use crate::{
	Authorship, BatchOf, Batches, Config, EconomyOf, Event, Pallet, ParameterVersions, Queues,
	Sessions, Silences, State, WeightInfo,
	clock::Clock,
	guard::Guard,
	pallet::Unexpected,
	types::{Due, Economy, EndReason, MissReason, Queue, SessionId, Stamp},
};
use frame_support::{
	defensive,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use phala_primitives::WorkerKey;
use phala_tokenomics::{Accumulator, Moment, Parameters, Phase, Versions};
use sp_core::H256;
use sp_runtime::traits::BlockNumberProvider;

impl<T: Config> Pallet<T> {
	/// What the hook needs to keep up: a full batch that is due, with some misses, and a full draw. More
	/// misses wait for the next blocks.
	pub(crate) fn full_service() -> Weight {
		let workers = T::MaxDraws::get();
		T::WeightInfo::poll_base()
			.saturating_add(T::WeightInfo::poll_batch().saturating_mul(2))
			.saturating_add(T::WeightInfo::poll_entry().saturating_mul(workers.into()))
			.saturating_add(Self::miss_weight().saturating_mul(8))
			.saturating_add(T::WeightInfo::poll_silence())
			.saturating_add(T::WeightInfo::poll_draw(workers))
	}

	/// The most that a miss weighs.
	fn miss_weight() -> Weight {
		T::WeightInfo::poll_miss().max(T::WeightInfo::poll_end())
	}

	/// Runs once in each block that is not a step of a migration.
	pub(crate) fn poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
		let relay = T::BlockNumberProvider::current_block_number();
		if relay == 0 || meter.try_consume(T::WeightInfo::poll_base()).is_err() {
			return;
		}
		let Some((mut economy, versions)) = Self::advance(relay) else { return };
		let limit = T::ServiceWeight::get().saturating_sub(T::WeightInfo::poll_base());
		let mut service = WeightMeter::with_limit(limit.min(meter.remaining()));
		Self::walk_batches(&mut economy, &versions, &mut service);
		Self::walk_silences(&mut economy, &versions, &mut service);
		Self::draw(&economy, &versions, &mut service);
		let outage = economy.guard.is_outage();
		if outage != economy.outage {
			economy.outage = outage;
			let event = if outage { Event::OutageBegan } else { Event::OutageEnded };
			Self::deposit_event(event);
		}
		meter.consume(service.consumed());
		State::<T>::put(economy);
	}

	/// Advances the economy to the present block; lets it begin in the first.
	fn advance(relay: u32) -> Option<(EconomyOf<T>, Versions)> {
		let mut versions = match ParameterVersions::<T>::get() {
			Some(versions) => versions,
			None => {
				let launch = Versions::new(Parameters::launch(), Moment::default()).ok()?;
				ParameterVersions::<T>::put(&launch);
				launch
			}
		};
		let mut economy = State::<T>::get().unwrap_or_else(|| Economy {
			accumulator: Accumulator::new(relay),
			endowment: Self::endow(relay),
			due: Due::default(),
			clock: Clock::default(),
			guard: Guard::default(),
			outage: false,
		});
		let gap = relay.saturating_sub(economy.accumulator.now().relay);
		if economy.accumulator.advance(relay, !economy.outage, &mut versions) {
			ParameterVersions::<T>::put(&versions);
			Self::changed(relay);
		}
		economy.guard.advance(relay);
		if T::Admission::get() {
			economy.clock.admit(Self::height(), gap, T::Authors::author());
		}
		Some((economy, versions))
	}

	/// Goes through the challenges that are due.
	fn walk_batches(economy: &mut EconomyOf<T>, versions: &Versions, meter: &mut WeightMeter) {
		let mut queue = Queues::<T>::get();
		while queue.first < queue.next {
			if meter.try_consume(T::WeightInfo::poll_batch()).is_err() {
				break;
			}
			let batch = Batches::<T>::get(queue.first);
			if batch.is_none() {
				defensive!("batches have no gaps");
				Self::deposit_event(Event::Unexpected { kind: Unexpected::QueueGap });
			}
			if let Some(batch) = batch {
				if !Self::is_overdue(economy, &batch.at) {
					break;
				}
				if !Self::walk_batch(&batch, &mut queue, economy, versions, meter) {
					break;
				}
			}
			Batches::<T>::remove(queue.first);
			queue.first = queue.first.saturating_add(1);
			queue.offset = 0;
		}
		Queues::<T>::mutate(|stored| {
			// Misses added silences meanwhile.
			(stored.first, stored.offset) = (queue.first, queue.offset);
		});
	}

	/// Goes through a batch that is due, and says whether it came to its end.
	fn walk_batch(
		batch: &BatchOf<T>,
		queue: &mut Queue,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
		meter: &mut WeightMeter,
	) -> bool {
		// Nobody could prove an answer to a block that the chain itself has forgotten.
		let void = Self::hash_of(batch.at.block) == H256::zero();
		for (worker, session) in batch.workers.iter().skip(queue.offset as usize) {
			if meter.try_consume(T::WeightInfo::poll_entry()).is_err()
				|| !Self::expire(*worker, *session, &batch.at, void, economy, versions, meter)
			{
				return false;
			}
			queue.offset = queue.offset.saturating_add(1);
		}
		true
	}

	/// A challenge's deadline passed. If it is still open, its worker missed it. `false` if there is no
	/// weight left for that.
	#[allow(clippy::too_many_arguments)]
	fn expire(
		worker: WorkerKey,
		session: SessionId,
		at: &Stamp,
		void: bool,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
		meter: &mut WeightMeter,
	) -> bool {
		let Some(mut record) = Sessions::<T>::get(worker) else { return true };
		if record.id != session || record.challenge != Some(*at) {
			return true;
		}
		if meter.try_consume(Self::miss_weight()).is_err() {
			return false;
		}
		record.challenge = None;
		if void && !record.stopping {
			Sessions::<T>::insert(worker, record);
			return true;
		}
		if !void {
			economy.guard.record(true);
		}
		match record.money.phase() {
			Phase::Computing(_) => {
				Self::missed(worker, record, MissReason::NoAnswer, economy, versions);
			}
			// It decays already, and is drawn again.
			_ => Sessions::<T>::insert(worker, record),
		}
		true
	}

	/// Stops those that were silent for too long.
	fn walk_silences(economy: &mut EconomyOf<T>, versions: &Versions, meter: &mut WeightMeter) {
		let mut queue = Queues::<T>::get();
		let before = queue.first_silence;
		let now = economy.accumulator.now().active;
		while queue.first_silence < queue.next_silence {
			if meter.try_consume(T::WeightInfo::poll_silence()).is_err() {
				break;
			}
			let silence = Silences::<T>::get(queue.first_silence);
			match silence {
				Some(one) if now.saturating_sub(one.since) < T::MaxSilence::get() => break,
				Some(one) => {
					let record = Sessions::<T>::get(one.worker).filter(|record| {
						record.id == one.session
							&& matches!(record.money.phase(), Phase::Unresponsive)
							&& record.money.at().active == one.since
					});
					if let Some(record) = record {
						Self::end(one.worker, record, EndReason::Silent, economy, versions);
					}
					Silences::<T>::remove(queue.first_silence);
				}
				None => {
					defensive!("silences have no gaps");
					Self::deposit_event(Event::Unexpected { kind: Unexpected::QueueGap });
				}
			}
			queue.first_silence = queue.first_silence.saturating_add(1);
		}
		if queue.first_silence != before {
			Queues::<T>::mutate(|stored| stored.first_silence = queue.first_silence);
		}
	}
}
