//! What must hold after every call and step. The numbers are those of the crate's documentation.

use crate::{
	Accusations, Config, EraExposures, HoldReason, Ledger, Liable, Nullifiers, OpenCases, Pallet,
	Queues, QuietUntil, WakeAt, maths,
	record::Filed,
	types::{EraExposure, Knowledge, Queue, Stage},
};
use alloc::collections::{BTreeMap, BTreeSet};
use codec::Encode;
use frame_support::{
	ensure,
	traits::{Get, fungible::InspectHold},
};
use phala_primitives::{OffenceClass, OffenceId, Slashable};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut bonds = BTreeMap::<T::AccountId, u128>::new();
		let mut cases = BTreeMap::<_, (T::Offender, u32)>::new();
		let mut eras = BTreeMap::<(OffenceClass, u32), EraExposure>::new();
		let mut liable = BTreeSet::new();

		for class in OffenceClass::ALL {
			let queue = Queues::<T>::get(class);
			Self::check_queue(class, queue)?;
			let mut last_due = 0;
			for index in queue.oldest..queue.next {
				let id = OffenceId { class, index };
				let offence =
					Ledger::<T>::get(class, index).ok_or("I1: an offence is not on record")?;
				ensure!(index >= queue.head || !offence.is_open(), "I1: open before the head");
				ensure!(offence.due >= last_due, "I2: due before an earlier one");
				last_due = offence.due;
				for part in &offence.parts {
					ensure!(
						part.rest > 0 && T::Slashable::suspected(&part.tranche) == part.rest,
						"I3: a tranche differs from the slashable's"
					);
				}
				ensure!(offence.is_open() || offence.parts.is_empty(), "I3: closed with tranches");
				let (offender, evidence) = (&offence.offender, offence.evidence);
				let nullifier = Self::nullifier(Filed::Reported, class, offender, evidence);
				ensure!(Nullifiers::<T>::contains_key(nullifier), "I8: evidence can be used again");
				liable.insert((offence.liable.clone(), id));

				let era = eras.entry((class, offence.era)).or_default();
				if !matches!(offence.stage, Stage::Cancelled { .. }) {
					let weight = maths::weight(offence.severity, offence.stake);
					era.weight = era.weight.saturating_add(weight);
				}
				if offence.is_open() {
					era.open += 1;
					if let Knowledge::Judged { reporter, bond } = &offence.knowledge {
						*bonds.entry(reporter.clone()).or_default() += bond;
					}
					let case = cases.entry(offence.offender.encode());
					case.or_insert((offence.offender, 0)).1 += 1;
				}
			}
			ensure!(last_due <= queue.last_due, "I2: due after the last");
			ensure!(
				Ledger::<T>::iter_key_prefix(class).count() as u64 == queue.next - queue.oldest,
				"I1: an offence is on record outside of the queue"
			);
			ensure!(Self::policy_of(class).is_valid(class), "I10: a policy is out of range");
		}

		for (_, accusation) in Accusations::<T>::iter() {
			let (class, evidence) = (accusation.class, accusation.evidence);
			let nullifier = Self::nullifier(Filed::Accused, class, &accusation.offender, evidence);
			ensure!(Nullifiers::<T>::contains_key(nullifier), "I8: an accusation can be repeated");
			*bonds.entry(accusation.accuser).or_default() += accusation.bond;
			let case = cases.entry(accusation.offender.encode());
			case.or_insert((accusation.offender, 0)).1 += 1;
		}
		for (who, bond) in &bonds {
			let held = T::Currency::balance_on_hold(&HoldReason::ReporterBond.into(), who);
			ensure!(held == *bond, "I4: bonds on hold differ from those on record");
		}
		for (class, era, exposure) in EraExposures::<T>::iter() {
			let found = eras.remove(&(class, era)).unwrap_or_default();
			let complete = Queues::<T>::get(class).oldest == 0;
			ensure!(
				exposure.open == found.open
					&& exposure.weight >= found.weight
					&& (exposure.weight == found.weight || !complete),
				"I6: an era's exposure differs from its offences"
			);
		}
		ensure!(eras.values().all(|era| era.open == 0), "I6: an era has no exposure");
		ensure!(
			OpenCases::<T>::iter().count() == cases.len()
				&& cases.values().all(|(who, open)| OpenCases::<T>::get(who) == Some(*open)),
			"I7: open cases differ from those on record"
		);
		let index: BTreeSet<_> = Liable::<T>::iter_keys().collect();
		ensure!(index == liable, "I9: the index by account differs from the ledger");
		ensure!(
			Accusations::<T>::iter().count() as u32 == Accusations::<T>::count()
				&& Accusations::<T>::count() <= T::MaxAccusations::get(),
			"I10: too many accusations"
		);
		ensure!(Self::parameters_now().is_valid(Self::scale()), "I10: parameters are out of range");
		Ok(())
	}

	fn check_queue(class: OffenceClass, queue: Queue) -> Result<(), TryRuntimeError> {
		ensure!(queue.oldest <= queue.head && queue.head <= queue.next, "I1: queue out of order");
		if let Some(budget) = queue.budget {
			ensure!(budget.used <= budget.limit, "I5: more taken than the ceiling");
		}
		let wake = WakeAt::<T>::get();
		let soonest = Self::now().max(QuietUntil::<T>::get());
		if queue.raise.is_some() || queue.pardon.is_some() {
			ensure!(wake <= Self::now(), "I11: the hook sleeps through a walk");
		}
		let next_era = Self::era_start(Self::era_of(Self::now()).saturating_add(1));
		match Ledger::<T>::get(class, queue.head) {
			Some(head) if head.stage == Stage::Deferred && head.due > Self::now() => {
				ensure!(wake <= head.due.max(soonest), "I11: the hook sleeps too long");
			}
			// It may wait for room, or for a budget.
			Some(head) if head.is_open() => {
				ensure!(wake <= next_era.max(soonest), "I11: the hook sleeps through an era");
			}
			_ => (),
		}
		Ok(())
	}
}
