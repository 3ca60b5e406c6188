//! Sessions as their keepers command them.

use crate::{
	Config, EconomyOf, Error, Event, NextSession, Pallet, PlatformValues, RecordOf, Sessions,
	SlotCount, Slots,
	pallet::Unexpected,
	types::{EndReason, Record},
};
use frame_support::{defensive, ensure, traits::Get};
use phala_primitives::{
	AttestationChange, AttestedWorkers, EvidenceHash, Mining, OffenceClass, OffenceReport,
	OnAttestationChange, OpenCases, ReportOffence, SessionInfo, SessionState, Source, StakeKeeper,
	WorkerKey, WorkerObligations,
};
use phala_tokenomics::{Balance, Fixed, PHA, Phase, Session, SessionError, Versions};
use sp_runtime::{DispatchError, DispatchResult, PerThing, Perquintill, Rounding};

/// Losses below a thousandth of a PHA are forgiven: the ledger could not express them.
const LEAST_LOSS: Balance = PHA / 1_000;

impl<T: Config> Mining<T::Keeper> for Pallet<T> {
	fn start(worker: &WorkerKey, keeper: T::Keeper, stake: u128) -> DispatchResult {
		ensure!(!Sessions::<T>::contains_key(worker), Error::<T>::HasSession);
		let (attested, tier) = Self::attested(worker).ok_or(Error::<T>::NotAttested)?;
		let bench = u32::try_from(attested.score).unwrap_or(u32::MAX);
		Self::act(|economy, versions| {
			let acc = &mut economy.accumulator;
			let money =
				Session::start(stake, bench, tier, acc, versions).map_err(Error::<T>::from)?;
			let v = money.v();
			PlatformValues::<T>::try_mutate(attested.platform, |sum| {
				let more = sum.saturating_add(v);
				ensure!(more <= Self::platform_limit(), Error::<T>::PlatformFull);
				*sum = more;
				Ok::<_, Error<T>>(())
			})?;
			let id = NextSession::<T>::mutate(|next| {
				let id = *next;
				*next = next.saturating_add(1);
				id
			});
			let slot = SlotCount::<T>::mutate(|count| {
				let slot = *count;
				*count = count.saturating_add(1);
				slot
			});
			Slots::<T>::insert(slot, worker);
			let record = Record {
				id,
				keeper: keeper.clone(),
				platform: attested.platform,
				money,
				staked: stake,
				top_up: 0,
				idle: 0,
				stopping: false,
				lapsed: false,
				covered_until: attested.expires_at,
				slot: Some(slot),
				challenge: None,
				ended: None,
				warned: false,
				unreported: false,
			};
			Sessions::<T>::insert(worker, record);
			Self::deposit_event(Event::Started {
				worker: *worker,
				session: id,
				keeper,
				stake,
				v: v.to_planck_floor(),
			});
			Ok(())
		})
	}

	fn top_up(worker: &WorkerKey, added: u128) -> DispatchResult {
		ensure!(added > 0, Error::<T>::NothingAdded);
		Self::act(|economy, versions| {
			let mut record = Self::running(worker)?;
			let sum = record.top_up.saturating_add(added);
			record.money.check_top_up(sum, versions).map_err(Self::top_up_error)?;
			record.top_up = sum;
			record.staked = record.staked.saturating_add(added);
			if matches!(record.money.phase(), Phase::Computing(_)) {
				Self::issue(worker, &mut record, economy);
			}
			Sessions::<T>::insert(worker, record);
			Self::deposit_event(Event::TopUpPending { worker: *worker, added });
			Ok(())
		})
	}

	fn stop(worker: &WorkerKey) -> DispatchResult {
		Self::act(|economy, versions| {
			let mut record = Self::running(worker)?;
			if matches!(record.money.phase(), Phase::Unresponsive) {
				Self::end(*worker, record, EndReason::Stopped, economy, versions);
				return Ok(());
			}
			record.stopping = true;
			Self::issue(worker, &mut record, economy);
			Sessions::<T>::insert(worker, record);
			Self::deposit_event(Event::Stopping { worker: *worker });
			Ok(())
		})
	}

	fn reclaim(worker: &WorkerKey) -> Result<u128, DispatchError> {
		let record = Sessions::<T>::get(worker).ok_or(Error::<T>::NoSession)?;
		let ended = record.ended.ok_or(Error::<T>::NotEnded)?;
		let now = Self::present().ok_or(Error::<T>::NotBegun)?.0.accumulator.now().relay;
		let passed = now.saturating_sub(ended);
		ensure!(passed >= T::CoolDown::get(), Error::<T>::CoolingDown);
		ensure!(!T::Cases::has_open_case(&T::Offender::from(*worker)), Error::<T>::OpenCase);
		let gives_up = T::CoolDown::get().saturating_mul(2);
		ensure!(!record.unreported || passed >= gives_up, Error::<T>::LossNotReported);
		Sessions::<T>::remove(worker);
		Self::deposit_event(Event::Reclaimed { worker: *worker, staked: record.staked });
		Ok(record.staked)
	}

	fn session(worker: &WorkerKey) -> Option<SessionInfo<T::Keeper>> {
		let record = Sessions::<T>::get(worker)?;
		let (economy, versions) = Self::present()?;
		Some(Self::info(&record, &economy, &versions))
	}

	fn minimum_stake(worker: &WorkerKey) -> Option<u128> {
		if Sessions::<T>::contains_key(worker) {
			return None;
		}
		let (attested, tier) = Self::attested(worker)?;
		let bench = u32::try_from(attested.score).ok()?;
		let (mut economy, versions) = Self::present()?;
		let least = versions.current().min_stake(bench);
		let acc = &mut economy.accumulator;
		let session = Session::start(least, bench, tier, acc, &versions).ok()?;
		let sum = PlatformValues::<T>::get(attested.platform).saturating_add(session.v());
		(sum <= Self::platform_limit()).then_some(least)
	}

	fn cool_down() -> u32 {
		T::CoolDown::get()
	}
}

impl<T: Config> WorkerObligations for Pallet<T> {
	fn is_bound(worker: &WorkerKey) -> bool {
		Sessions::<T>::contains_key(worker)
	}
}

impl<T: Config> OnAttestationChange<T::AccountId> for Pallet<T> {
	fn on_attestation_change(worker: &WorkerKey, change: &AttestationChange<T::AccountId>) {
		use AttestationChange::*;
		if !matches!(change, Renewed | Reappraised { .. } | Lapsed) {
			return;
		}
		let Some(mut record) = Sessions::<T>::get(worker).filter(|one| one.ended.is_none()) else {
			return;
		};
		match T::Workers::attested(worker) {
			Some(attested) if !matches!(change, Lapsed) => {
				record.lapsed |= Self::seconds() >= record.covered_until;
				record.covered_until = attested.expires_at;
			}
			_ => record.lapsed = true,
		}
		if matches!((change, record.money.phase()), (Renewed, Phase::Computing(_)))
			&& let Some((economy, _)) = Self::present()
		{
			Self::issue(worker, &mut record, &economy);
		}
		Sessions::<T>::insert(worker, record);
	}
}

impl<T: Config> Pallet<T> {
	/// A session that can be commanded.
	fn running(worker: &WorkerKey) -> Result<RecordOf<T>, Error<T>> {
		let record = Sessions::<T>::get(worker).ok_or(Error::<T>::NoSession)?;
		let over = record.stopping || record.ended.is_some();
		if over { Err(Error::<T>::AlreadyStopped) } else { Ok(record) }
	}

	fn top_up_error(error: SessionError) -> Error<T> {
		match error {
			SessionError::StakeTooLow => Error::<T>::StakeTooLow,
			_ => Error::<T>::StakeTooHigh,
		}
	}

	/// What a keeper sees of a session.
	pub(crate) fn info(
		record: &RecordOf<T>,
		economy: &EconomyOf<T>,
		versions: &Versions,
	) -> SessionInfo<T::Keeper> {
		let state = match (record.ended, record.money.phase()) {
			(Some(ended), _) => {
				SessionState::CoolingDown { until: ended.saturating_add(T::CoolDown::get()) }
			}
			(None, Phase::Unresponsive) => {
				SessionState::Unresponsive { since: record.money.at().relay }
			}
			_ if record.stopping => SessionState::Stopping,
			_ => SessionState::Computing,
		};
		let worth = record.money.worth(economy.accumulator.now(), versions);
		// What computing would heal is not there before an answer.
		let health = worth.health.min(record.money.health());
		SessionInfo {
			keeper: record.keeper.clone(),
			stake: record.money.stake(),
			state,
			health: perquintill(health),
		}
	}

	/// Lets added stake count, right after an answer. What health had lost of the stake of before goes on
	/// the ledger first; while the ledger refuses, the stake waits.
	pub(crate) fn apply_top_up(
		worker: &WorkerKey,
		record: &mut RecordOf<T>,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
	) {
		let added = record.top_up;
		if added == 0 {
			return;
		}
		let (mut money, mut acc) = (record.money.clone(), economy.accumulator.clone());
		match money.top_up(added, &mut acc, versions) {
			Ok(lost) => {
				if lost >= LEAST_LOSS && !Self::report(worker, record, economy) {
					return;
				}
				(record.money, economy.accumulator, record.top_up) = (money, acc, 0);
				let v = record.money.v().to_planck_floor();
				Self::deposit_event(Event::ToppedUp { worker: *worker, added, lost, v });
			}
			Err(error) => {
				record.top_up = 0;
				record.idle = record.idle.saturating_add(added);
				Self::deposit_event(Event::TopUpRefused { worker: *worker, added, error });
			}
		}
	}

	/// Ends a session and stores it.
	pub(crate) fn end(
		worker: WorkerKey,
		mut record: RecordOf<T>,
		reason: EndReason,
		economy: &mut EconomyOf<T>,
		versions: &Versions,
	) {
		Self::forget_value(&record.platform, record.money.v());
		if record.money.stop(&mut economy.accumulator, versions).is_err() {
			defensive!("what ended has no deadlines");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::WrongState });
		}
		if let Some(slot) = record.slot.take() {
			Self::vacate(slot);
		}
		let now = economy.accumulator.now().relay;
		record.challenge = None;
		record.stopping = false;
		record.ended = Some(now);
		let lost = record.money.lost();
		record.unreported = lost >= LEAST_LOSS;
		Sessions::<T>::insert(worker, &record);
		let until = now.saturating_add(T::CoolDown::get());
		Self::deposit_event(Event::Ended { worker, reason, lost, until });
		if record.unreported && Self::report(&worker, &record, economy) {
			record.unreported = false;
			Sessions::<T>::insert(worker, &record);
		}
		T::StakeKeeper::on_ended(&record.keeper, &worker);
	}

	/// Tries again to put what an ended session lost on the ledger.
	pub(crate) fn do_report_outage(worker: &WorkerKey) -> DispatchResult {
		let mut record = Sessions::<T>::get(worker).ok_or(Error::<T>::NoSession)?;
		ensure!(record.unreported, Error::<T>::NothingToReport);
		let (economy, _) = Self::present().ok_or(Error::<T>::NotBegun)?;
		let lost = Self::try_report(worker, &record, &economy)?;
		record.unreported = false;
		Sessions::<T>::insert(worker, record);
		Self::deposit_event(Event::LossReported { worker: *worker, lost });
		Ok(())
	}

	/// Puts what health lacks on the ledger, and says whether the ledger took it.
	fn report(worker: &WorkerKey, record: &RecordOf<T>, economy: &EconomyOf<T>) -> bool {
		let lost = record.money.lost();
		let result = Self::try_report(worker, record, economy);
		Self::deposit_event(match result {
			Ok(lost) => Event::LossReported { worker: *worker, lost },
			Err(error) => Event::LossNotReported { worker: *worker, lost, error },
		});
		result.is_ok()
	}

	fn try_report(
		worker: &WorkerKey,
		record: &RecordOf<T>,
		economy: &EconomyOf<T>,
	) -> Result<Balance, DispatchError> {
		let lost = record.money.lost();
		let committed = economy.accumulator.now().relay;
		// What waits to be added, or was refused, is the keeper's stake as well, and lost nothing.
		let severity =
			Perquintill::from_rational_with_rounding(lost, record.liable(), Rounding::Down)
				.unwrap_or(Perquintill::one());
		T::Offences::report(OffenceReport {
			class: OffenceClass::Outage,
			offender: T::Offender::from(*worker),
			committed,
			evidence: EvidenceHash::of(&("phala/mining/outage", worker, record.id, committed)),
			severity,
			source: Source::Measured,
		})?;
		Ok(lost)
	}

	/// Frees a place of the dense list: the last worker takes it.
	fn vacate(slot: u32) {
		let last = SlotCount::<T>::mutate(|count| {
			*count = count.saturating_sub(1);
			*count
		});
		let Some(moved) = Slots::<T>::take(last) else {
			defensive!("the dense list has no gaps");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::SlotGap });
			return;
		};
		if last != slot {
			Slots::<T>::insert(slot, moved);
			Sessions::<T>::mutate(moved, |record| {
				if let Some(record) = record {
					record.slot = Some(slot);
				}
			});
		}
	}
}

/// A part of one, rounded down.
pub(crate) fn perquintill(part: Fixed) -> Perquintill {
	let parts = part.min(Fixed::ONE).of_floor(Perquintill::ACCURACY.into());
	Perquintill::from_parts(parts as u64)
}
