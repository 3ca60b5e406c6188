//! Answers to clients. Nothing here writes.

use crate::{
	Authorship, Config, EconomyOf, Pallet, Queues, RecordOf, ReserveState, ServingWorkers,
	Sessions, SlotCount, State, clock,
	sessions::perquintill,
	types::{Apr, Deadline, EconomyView, SessionView, WhyUnpaid},
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use phala_primitives::WorkerKey;
use phala_tokenomics::{
	Answer, Fixed, Phase, Prospect, Settlement, Versions, challenge::BLOCKS_PER_HOUR,
};
use sp_runtime::{FixedPointNumber, FixedU128, PerThing, Perquintill, Rounding};

impl<T: Config> Pallet<T> {
	pub(crate) fn view_session(worker: &WorkerKey) -> Option<SessionView<T::Keeper>> {
		let record = Sessions::<T>::get(worker)?;
		let (economy, versions) = Self::present()?;
		let worth = record.money.worth(economy.accumulator.now(), &versions);
		let info = Self::info(&record, &economy, &versions);
		let part = record.money.share().div_floor(economy.accumulator.sum());
		Some(SessionView {
			id: record.id,
			bench: record.money.bench(),
			v: worth.v.to_planck_floor(),
			initial_v: record.money.initial_v().to_planck_floor(),
			performance: record.money.performance().of_floor(1_000_000),
			top_up: record.top_up,
			at_risk: info.health.left_from_one().mul_ceil(info.stake),
			part: perquintill(part.unwrap_or(Fixed::ZERO)),
			challenged_at: record.challenge.map(|at| at.block),
			info,
		})
	}

	pub(crate) fn view_pending(worker: &WorkerKey) -> Option<Settlement> {
		let record = Sessions::<T>::get(worker)?;
		let (economy, versions) = Self::present()?;
		Self::pending(worker, &record, economy, &versions)
	}

	fn pending(
		worker: &WorkerKey,
		record: &RecordOf<T>,
		mut economy: EconomyOf<T>,
		versions: &Versions,
	) -> Option<Settlement> {
		let lapsed = record.lapsed || Self::seconds() >= record.covered_until;
		let answer = Answer {
			performance: record.money.performance(),
			tier: Self::attested(worker).map(|(_, tier)| tier).filter(|_| !lapsed),
			serving: T::Serving::is_serving(worker),
		};
		let available = Self::available(&economy);
		let mut money = record.money.clone();
		money.settle(&answer, available, &mut economy.accumulator, versions).ok()
	}

	pub(crate) fn view_apr(worker: &WorkerKey) -> Option<Apr> {
		let record = Sessions::<T>::get(worker)?;
		let (economy, versions) = Self::present()?;
		let Phase::Computing(_) = record.money.phase() else { return Some(FixedU128::default()) };
		let acc = &economy.accumulator;
		let prospect = Prospect::of(&record.money, acc.sum(), acc.rate(&versions));
		let apr = versions.current().apr(&prospect);
		Some(FixedU128::from_inner(apr.of_floor(FixedU128::DIV)))
	}

	pub(crate) fn view_why_unpaid(worker: &WorkerKey) -> Vec<WhyUnpaid> {
		let mut why = Vec::new();
		let Some(record) = Sessions::<T>::get(worker) else {
			why.push(WhyUnpaid::NoSession);
			return why;
		};
		let Some((economy, versions)) = Self::present() else {
			why.push(WhyUnpaid::NobodyIsDrawn);
			return why;
		};
		if let Some(ended) = record.ended {
			let until = ended.saturating_add(T::CoolDown::get());
			why.push(WhyUnpaid::Ended { until });
			return why;
		}
		let now = economy.accumulator.now();
		if matches!(record.money.phase(), Phase::Unresponsive) {
			let probation = Self::probation_left(&record, &economy, &versions);
			let since = record.money.at().relay;
			why.push(WhyUnpaid::Unresponsive { since, probation });
		}
		if record.challenge.is_some() {
			why.push(WhyUnpaid::AwaitsAnswer);
		} else if now.relay.saturating_sub(Queues::<T>::get().drawn) > BLOCKS_PER_HOUR {
			why.push(WhyUnpaid::NobodyIsDrawn);
		}
		if Self::attested(worker).is_none() {
			why.push(WhyUnpaid::NotAttested);
		} else if record.lapsed || Self::seconds() >= record.covered_until {
			why.push(WhyUnpaid::AttestationLapsed);
		}
		if matches!(record.money.phase(), Phase::Computing(_))
			&& record.money.share() == Fixed::ZERO
		{
			why.push(WhyUnpaid::NoShare);
		}
		if economy.accumulator.rate(&versions) == 0 {
			why.push(WhyUnpaid::NoBudget);
		}
		if Self::available(&economy) == 0 {
			why.push(WhyUnpaid::PotIsEmpty);
		}
		let part = |of: u128, less: u128| {
			let paid = of.saturating_sub(less);
			Perquintill::from_rational_with_rounding(paid, of, Rounding::Down)
				.unwrap_or(Perquintill::zero())
		};
		if let Some(s) = Self::pending(worker, &record, economy, &versions) {
			if s.cap > 0 {
				why.push(WhyUnpaid::Capped { paid: part(s.gross, s.cap) });
			}
			if s.quality > 0 {
				let capped = s.gross.saturating_sub(s.cap);
				why.push(WhyUnpaid::Quality { paid: part(capped, s.quality) });
			}
		}
		why
	}

	pub(crate) fn view_deadline(worker: &WorkerKey) -> Option<Deadline> {
		let at = Sessions::<T>::get(worker)?.challenge?;
		let clock = State::<T>::get()?.clock;
		let authors = T::Authors::authors().min(clock::AUTHORS);
		Some(Deadline {
			block: at.block,
			relay: at.relay.saturating_add(T::AnswerWindow::get()),
			blocks_left: T::AnswerBlocks::get().saturating_sub(clock.blocks_since(&at)),
			authors_left: authors.saturating_sub(clock.authors_since(&at)),
		})
	}

	pub(crate) fn view_economy() -> Option<EconomyView> {
		let (economy, versions) = Self::present()?;
		let acc = &economy.accumulator;
		let reserve = ReserveState::<T>::get()?;
		let relay = acc.now().relay;
		Some(EconomyView {
			relay,
			workers: SlotCount::<T>::get(),
			budget: acc.rate(&versions),
			elapsed: acc.elapsed(),
			paid: acc.paid(),
			treasury: acc.treasury(),
			withheld: acc.withheld(),
			outstanding: acc.outstanding(),
			pot: Self::available(&economy),
			reserve: reserve.balance(),
			reserve_available: reserve.available(relay),
			outage: economy.outage,
		})
	}
}
