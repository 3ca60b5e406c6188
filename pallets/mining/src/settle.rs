//! What an answer, or its absence, does to a session.

use crate::{
	Config, EconomyOf, Event, Pallet, PlatformValues, Queues, RecordOf, ServingWorkers, Sessions,
	Silences,
	pallet::Unexpected,
	types::{EndReason, MissReason, Silence, Stamp},
};
use frame_support::{
	defensive,
	traits::{Get, UnixTime},
};
use phala_attestation::Role;
use phala_primitives::{AttestedWorker, AttestedWorkers, PlatformId, StakeKeeper, WorkerKey};
use phala_tokenomics::{Answer, Fixed, Phase, SessionError, Tier, Versions, performance};

impl<T: Config> Pallet<T> {
	/// The worker, if its attestation counts now and lets it mine.
	pub(crate) fn attested(worker: &WorkerKey) -> Option<(AttestedWorker<T::AccountId>, Tier)> {
		let attested = T::Workers::attested(worker).filter(|one| one.role == Role::Worker)?;
		let tier = Tier::try_from(attested.tier as u8).ok()?;
		Some((attested, tier))
	}

	/// Unix seconds.
	pub(crate) fn seconds() -> u64 {
		T::Time::now().as_secs()
	}

	/// Takes an on-time answer to the challenge of then. `record` is without that challenge. Whether it
	/// was an ordinary one, of a session that computes, with nothing lost or added or to be ended.
	pub(crate) fn answered(
		worker: WorkerKey,
		mut record: RecordOf<T>,
		at: Stamp,
		iterations: u64,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
	) -> bool {
		let gap = Self::has_gap(&record);
		let ordinary = !record.warned && !record.stopping && record.top_up == 0 && !gap;
		let bench = record.money.bench();
		let elapsed = economy.clock.elapsed_ms(&at);
		let performance = performance::instant_performance(iterations, elapsed, bench);
		let attested = Self::attested(&worker);
		let tier = attested.as_ref().map(|(_, tier)| *tier);
		let answer = Answer { performance, tier, serving: T::Serving::is_serving(&worker) };
		let v_before = record.money.v();

		let outcome = match record.money.phase() {
			Phase::Unresponsive => record
				.money
				.recover(&answer, &mut economy.accumulator, versions)
				.map(|()| Outcome::Recovered),
			_ => Self::settle(&mut record, &answer, gap, economy, versions),
		};
		let outcome = match outcome {
			Ok(outcome) => outcome,
			Err(SessionError::TooSlow) if matches!(record.money.phase(), Phase::Computing(_)) => {
				Self::missed(worker, record, MissReason::TooSlow, economy, versions);
				return false;
			}
			Err(error) => {
				Sessions::<T>::insert(worker, record);
				Self::deposit_event(Event::NotRecovered { worker, error });
				return false;
			}
		};
		record.lapsed = false;
		record.covered_until = attested.as_ref().map_or(0, |(attested, _)| attested.expires_at);
		Self::apply_top_up(&worker, &mut record, economy, versions);
		let platform = attested.map_or(record.platform, |(attested, _)| attested.platform);
		Self::book_value(&mut record, v_before, platform, economy, versions);

		let v = record.money.v().to_planck_floor();
		let at_risk = record.money.lost();
		// Whole before and after: nothing to say.
		let tell = (at_risk > 0 || record.warned) && !record.stopping;
		record.warned = at_risk > 0;
		Sessions::<T>::insert(worker, &record);
		let ordinary = ordinary && at_risk == 0 && matches!(outcome, Outcome::Settled(_));
		match outcome {
			Outcome::Settled(settlement) => {
				Self::deposit_event(Event::Settled { worker, settlement, v });
				Self::earned(&record.keeper, &worker, &settlement, &mut economy.due);
			}
			Outcome::Recovered => Self::deposit_event(Event::Recovered { worker, v, at_risk }),
		}
		if tell {
			T::StakeKeeper::on_at_risk(&record.keeper, &worker, at_risk);
		}
		if record.stopping {
			Self::end(worker, record, EndReason::Stopped, economy, versions);
		}
		ordinary
	}

	/// Did the attestation lapse since the last answer?
	fn has_gap(record: &RecordOf<T>) -> bool {
		record.lapsed || Self::seconds() >= record.covered_until
	}

	/// Settles by an answer. If the attestation had a `gap`, the interval pays nothing, and a good one
	/// earns again from now on.
	fn settle(
		record: &mut RecordOf<T>,
		answer: &Answer,
		gap: bool,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
	) -> Result<Outcome, SessionError> {
		let available = Self::available(economy);
		let acc = &mut economy.accumulator;
		if !gap || answer.tier.is_none() {
			return record.money.settle(answer, available, acc, versions).map(Outcome::Settled);
		}
		let forfeit = Answer { tier: None, ..*answer };
		let settlement = record.money.settle(&forfeit, available, acc, versions)?;
		// Nothing is owed to a session without a share: this one only gives it one.
		record.money.settle(answer, available, acc, versions)?;
		Ok(Outcome::Settled(settlement))
	}

	/// Declares the worker of a computing session unresponsive, or ends the session if it was to stop.
	/// `record` is without the challenge.
	pub(crate) fn missed(
		worker: WorkerKey,
		mut record: RecordOf<T>,
		reason: MissReason,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
	) {
		let Ok(forfeited) = record.money.miss(&mut economy.accumulator) else {
			defensive!("only who computes can miss");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::WrongState });
			return;
		};
		if record.stopping {
			Self::deposit_event(Event::Missed { worker, reason, forfeited, at_risk: 0 });
			Self::end(worker, record, EndReason::StoppedUnsettled, economy, versions);
			return;
		}
		let at_risk = record.money.at_risk(T::MaxSilence::get(), versions);
		let since = economy.accumulator.now().active;
		Queues::<T>::mutate(|queue| {
			let silence = Silence { worker, session: record.id, since };
			Silences::<T>::insert(queue.next_silence, silence);
			queue.next_silence = queue.next_silence.saturating_add(1);
		});
		record.warned = true;
		Sessions::<T>::insert(worker, &record);
		Self::deposit_event(Event::Missed { worker, reason, forfeited, at_risk });
		T::StakeKeeper::on_at_risk(&record.keeper, &worker, at_risk);
	}

	/// Books the V of a session that had `before`, and cuts what it gained to what its platform may
	/// still have.
	pub(crate) fn book_value(
		record: &mut RecordOf<T>,
		before: Fixed,
		platform: PlatformId,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
	) {
		if platform != record.platform {
			Self::forget_value(&record.platform, before);
		}
		PlatformValues::<T>::mutate(platform, |sum| {
			let own = if platform == record.platform { before } else { Fixed::ZERO };
			let others = sum.saturating_sub(own);
			// A limit that was lowered cuts growth, not what is there.
			let most = Self::platform_limit().saturating_sub(others).max(own);
			if record.money.limit(most, &mut economy.accumulator, versions).is_err() {
				defensive!("a session is limited right after its event");
				Self::deposit_event(Event::Unexpected { kind: Unexpected::WrongState });
			}
			*sum = others.saturating_add(record.money.v());
		});
		record.platform = platform;
	}

	/// Takes V off a platform.
	pub(crate) fn forget_value(platform: &PlatformId, v: Fixed) {
		PlatformValues::<T>::mutate_exists(platform, |sum| {
			let rest = sum.unwrap_or(Fixed::ZERO).saturating_sub(v);
			*sum = (rest > Fixed::ZERO).then_some(rest);
		});
	}

	pub(crate) fn platform_limit() -> Fixed {
		Fixed::from_u32(T::MaxPlatformValue::get())
	}
}

/// What an answer did.
enum Outcome {
	/// It was paid for.
	Settled(phala_tokenomics::Settlement),
	/// It brought the worker back.
	Recovered,
}
