//! How offences leave the ledger, one bounded step at a time: raised, weighed, applied, cancelled,
//! forgotten.

use crate::{
	Config, EraExposures, Error, Event, Ledger, Liable, Nullifiers, OffenceOf, Pallet, Queues,
	QuietUntil, Unexpected, WakeAt, maths,
	record::Filed,
	types::{Budget, Knowledge, MAX_TRANCHES, PardonWalk, Queue, RaiseWalk, Stage},
};
use frame_support::{
	defensive, ensure,
	traits::{Defensive, Get},
};
use phala_primitives::{OffenceClass, OffenceId, Slashable};
use sp_runtime::{DispatchResult, Perquintill, traits::Zero};

/// What a step came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
	/// It did something; another may follow.
	Done,
	/// There is nothing to do before this relay-chain block.
	Sleep(u32),
	/// It tried in vain. To be tried again in this relay-chain block.
	Refused(u32),
}

/// What raising an offence came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Raise {
	/// More is suspected.
	Grown,
	/// There is nothing to add.
	Complete,
	/// The slashable refused this amount.
	Refused(u128),
}

/// What becomes of a reporter's bond.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bond {
	Released,
	Forfeited,
}

impl<T: Config> Pallet<T> {
	/// Does the next piece of work of a class: of bounded size, whatever the class has been through.
	pub(crate) fn step(class: OffenceClass, now: u32) -> Step {
		let mut queue = Queues::<T>::get(class);
		let step = if queue.pardon.is_some() {
			Self::step_pardon(class, &mut queue, now)
		} else if queue.raise.is_some() {
			Self::step_raise(class, &mut queue)
		} else {
			match Self::step_head(class, &mut queue, now) {
				Step::Sleep(until) => match Self::step_forget(class, &mut queue, now) {
					Step::Sleep(other) => return Step::Sleep(until.min(other)),
					done => done,
				},
				other => other,
			}
		};
		Queues::<T>::insert(class, queue);
		step
	}

	/// Cancels the next offence of a pardon, if it is open.
	fn step_pardon(class: OffenceClass, queue: &mut Queue, now: u32) -> Step {
		let Some(walk) = queue.pardon.take() else { return Step::Done };
		let id = OffenceId { class, index: walk.at };
		match Ledger::<T>::get(class, walk.at) {
			Some(mut offence) if offence.is_open() => {
				Self::cancel_rest(id, &mut offence, now, Bond::Released);
				Ledger::<T>::insert(class, walk.at, offence);
			}
			_ => (),
		}
		if walk.at < walk.last {
			queue.pardon = Some(PardonWalk { at: walk.at.saturating_add(1), ..walk });
		}
		Step::Done
	}

	/// Raises the next open offence, if its fraction has grown.
	fn step_raise(class: OffenceClass, queue: &mut Queue) -> Step {
		let Some(walk) = queue.raise.take() else { return Step::Done };
		if walk.at < queue.next {
			if let Some(mut offence) = Ledger::<T>::get(class, walk.at)
				&& offence.stage == Stage::Deferred
				&& (offence.parts.len() as u32) < MAX_TRANCHES - 1
			{
				let id = OffenceId { class, index: walk.at };
				let (fraction, target) = Self::target(id, &offence);
				if Self::raise_to(id, &mut offence, target) == Raise::Grown {
					offence.fraction = fraction;
					Ledger::<T>::insert(class, walk.at, offence);
				}
			}
			queue.raise = Some(RaiseWalk { at: walk.at.saturating_add(1), ..walk });
		} else if walk.again {
			queue.raise = Some(RaiseWalk { at: queue.head, again: false });
		}
		Step::Done
	}

	/// Settles the first open offence if it is due.
	fn step_head(class: OffenceClass, queue: &mut Queue, now: u32) -> Step {
		if queue.head >= queue.next {
			return Step::Sleep(u32::MAX);
		}
		let id = OffenceId { class, index: queue.head };
		let Some(mut offence) = Ledger::<T>::get(class, queue.head) else {
			defensive!("offences are on record from `oldest` to `next`");
			queue.head = queue.head.saturating_add(1);
			return Step::Done;
		};
		match offence.stage {
			Stage::Applied { .. } | Stage::Cancelled { .. } => {
				queue.head = queue.head.saturating_add(1);
				return Step::Done;
			}
			Stage::Deferred if now < offence.due => return Step::Sleep(offence.due),
			_ if now < QuietUntil::<T>::get() => return Step::Sleep(QuietUntil::<T>::get()),
			Stage::Deferred => {
				if let Some(until) = Self::weigh(id, &mut offence, now) {
					return Step::Refused(until);
				}
			}
			Stage::Applying => {
				if let Some(until) = Self::take_one_part(id, &mut offence, queue, now) {
					return Step::Sleep(until);
				}
			}
		}
		// Weighing can leave nothing, such as when all of an outage is forgiven.
		if offence.parts.is_empty() {
			offence.stage = Stage::Applied { at: now };
			Self::close(&mut offence, id, Bond::Released);
			queue.head = queue.head.saturating_add(1);
			Self::deposit_event(Event::OffenceApplied { id, charged: offence.charged });
		}
		Ledger::<T>::insert(class, id.index, offence);
		Step::Done
	}

	/// Forgets the oldest offence if it was closed long ago.
	fn step_forget(class: OffenceClass, queue: &mut Queue, now: u32) -> Step {
		if queue.oldest >= queue.head {
			return Step::Sleep(u32::MAX);
		}
		let index = queue.oldest;
		if let Some(offence) = Ledger::<T>::get(class, index) {
			let closed = offence.stage.closed_at().unwrap_or(now);
			let until = closed.saturating_add(T::Retention::get());
			if now < until {
				return Step::Sleep(until);
			}
			// Its evidence is too old for another report. Only a judge knows how old the evidence of
			// an accusation is: the nullifier of that stays.
			let (offender, evidence) = (&offence.offender, offence.evidence);
			let nullifier = Self::nullifier(Filed::Reported, class, offender, evidence);
			Nullifiers::<T>::remove(nullifier);
			Liable::<T>::remove(&offence.liable, OffenceId { class, index });
			Ledger::<T>::remove(class, index);
		}
		queue.oldest = index.saturating_add(1);
		Step::Done
	}

	/// Fixes what an offence costs, now that all offences of its era are known: gives back what was
	/// suspected beyond it, or suspects the rest. If the slashable has no room for that, returns when to
	/// try again: for another deferral, since an offender could fill it on purpose, and no longer, since
	/// others are behind it in the queue.
	fn weigh(id: OffenceId, offence: &mut OffenceOf<T>, now: u32) -> Option<u32> {
		let (fraction, target) = Self::target(id, offence);
		if let Raise::Refused(amount) = Self::raise_to(id, offence, target) {
			let patience = offence.due.saturating_add(Self::parameters_now().deferral);
			if now < patience {
				let next_era = Self::era_start(Self::era_of(now).saturating_add(1));
				return Some(next_era.min(patience));
			}
			offence.missing = offence.missing.saturating_add(amount);
		}
		Self::give_back(offence, offence.suspected().saturating_sub(target));
		offence.fraction = fraction;
		offence.stage = Stage::Applying;
		Self::deposit_event(Event::OffenceWeighed {
			id,
			fraction,
			amount: offence.suspected(),
			restored: offence.restored,
		});
		None
	}

	/// Fraction and amount that an offence costs by what is known now.
	pub(crate) fn target(id: OffenceId, offence: &OffenceOf<T>) -> (Perquintill, u128) {
		let exposure = EraExposures::<T>::get(id.class, offence.era).defensive_unwrap_or_default();
		let fraction = Self::final_fraction(id.class, offence, exposure);
		(fraction, fraction.mul_floor(offence.stake))
	}

	/// Suspects more of the offender's stake, up to `target` in all, as far as there is stake.
	fn raise_to(id: OffenceId, offence: &mut OffenceOf<T>, target: u128) -> Raise {
		let missing = target.saturating_sub(offence.suspected());
		if missing == 0 || offence.parts.is_full() {
			return Raise::Complete;
		}
		// Those who were there when it was reported answer for all of it.
		let first = offence.parts.first().map(|part| &part.tranche);
		let stake = match first {
			Some(first) => T::Slashable::stake_behind(&offence.offender, first),
			None => T::Slashable::stake(&offence.offender),
		};
		let amount = missing.min(stake);
		if amount == 0 {
			return Raise::Complete;
		}
		match Self::suspect(&offence.offender, first, amount) {
			Ok(part) => {
				// There was room.
				let pushed = offence.parts.try_push(part);
				debug_assert!(pushed.is_ok());
				Self::deposit_event(Event::SuspicionRaised { id, suspected: offence.suspected() });
				Raise::Grown
			}
			Err(error) => {
				Self::deposit_event(Event::RaiseRefused { id, amount, error });
				Raise::Refused(amount)
			}
		}
	}

	/// Gives `amount` of what is suspected back, the latest tranche first.
	fn give_back(offence: &mut OffenceOf<T>, amount: u128) {
		let mut left = amount;
		while left > 0 {
			let Some(mut part) = offence.parts.pop() else { break };
			let back = part.rest.min(left);
			T::Slashable::restore(&part.tranche, back);
			offence.restored = offence.restored.saturating_add(back);
			left = left.saturating_sub(back);
			part.rest = part.rest.saturating_sub(back);
			if part.rest > 0 {
				// Takes the place from which it was popped.
				let pushed = offence.parts.try_push(part);
				debug_assert!(pushed.is_ok());
			}
		}
	}

	/// Takes what the era's budget allows of the first tranche. If the budget is used up, returns the
	/// first block of the next era.
	fn take_one_part(
		id: OffenceId,
		offence: &mut OffenceOf<T>,
		queue: &mut Queue,
		now: u32,
	) -> Option<u32> {
		let mut budget = Self::budget(id.class, queue, now);
		let part = offence.parts.iter_mut().next()?;
		let amount = part.rest.min(budget.limit.saturating_sub(budget.used));
		if amount == 0 {
			return Some(Self::era_start(budget.era.saturating_add(1)));
		}
		let slashed = T::Slashable::apply(&part.tranche, amount);
		part.rest = part.rest.saturating_sub(amount);
		if part.rest.is_zero() {
			offence.parts.remove(0);
		}
		let reporter = offence.knowledge.reporter();
		let moved = Self::distribute(slashed, reporter, offence.terms.reporter_share);
		if moved.charged > amount {
			defensive!("a slashable takes no more than it is asked for");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::TookTooMuch });
		}
		offence.charged = offence.charged.saturating_add(moved.charged);
		offence.missing = offence.missing.saturating_add(amount.saturating_sub(moved.charged));
		offence.rewarded = offence.rewarded.saturating_add(moved.rewarded);
		budget.used = budget.used.saturating_add(amount.max(moved.charged));
		queue.budget = Some(budget);
		let remaining = offence.suspected();
		Self::deposit_event(Event::Slashed {
			id,
			charged: moved.charged,
			rewarded: moved.rewarded,
			remaining,
		});
		if remaining > 0 && budget.used >= budget.limit {
			let until = Self::era_start(budget.era.saturating_add(1));
			Self::deposit_event(Event::CeilingReached { class: id.class, until });
		}
		None
	}

	/// The budget of the era that `now` is in.
	pub(crate) fn budget(class: OffenceClass, queue: &Queue, now: u32) -> Budget {
		let era = Self::era_of(now);
		match queue.budget {
			Some(budget) if budget.era == era => budget,
			_ => {
				let limit = maths::era_limit(
					Self::policy_of(class).ceiling,
					T::Slashable::total_stake(class),
					Self::parameters_now().least_ceiling,
				);
				Budget { era, limit, used: 0 }
			}
		}
	}

	/// Governance cancels an offence.
	pub(crate) fn do_cancel(id: OffenceId, false_report: bool) -> DispatchResult {
		let mut offence =
			Ledger::<T>::get(id.class, id.index).ok_or(Error::<T>::OffenceNotFound)?;
		ensure!(offence.is_open(), Error::<T>::AlreadyClosed);
		let bond = if false_report { Bond::Forfeited } else { Bond::Released };
		let now = Self::now();
		Self::cancel_rest(id, &mut offence, now, bond);
		Ledger::<T>::insert(id.class, id.index, offence);
		// What was behind it may be due.
		WakeAt::<T>::put(now);
		Ok(())
	}

	/// Gives back all that is suspected.
	fn cancel_rest(id: OffenceId, offence: &mut OffenceOf<T>, now: u32, bond: Bond) {
		Self::give_back(offence, offence.suspected());
		offence.stage = Stage::Cancelled { at: now };
		EraExposures::<T>::mutate(id.class, offence.era, |entry| {
			if let Some(exposure) = entry {
				let weight = maths::weight(offence.severity, offence.stake);
				exposure.weight = exposure.weight.saturating_sub(weight);
				// The next report raises those that were recorded since.
				exposure.raised = Perquintill::zero();
			}
		});
		Self::close(offence, id, bond);
		Self::deposit_event(Event::OffenceCancelled {
			id,
			restored: offence.restored,
			charged: offence.charged,
		});
	}

	/// What closing an offence entails, however it ended.
	fn close(offence: &mut OffenceOf<T>, id: OffenceId, bond: Bond) {
		EraExposures::<T>::mutate_exists(id.class, offence.era, |entry| {
			if let Some(exposure) = entry {
				exposure.open = exposure.open.saturating_sub(1);
				if exposure.open == 0 {
					*entry = None;
				}
			}
		});
		Self::close_case(&offence.offender);
		if let Knowledge::Judged { reporter, bond: amount } = &offence.knowledge {
			let fee = Perquintill::from_percent(if bond == Bond::Forfeited { 100 } else { 0 });
			let kept = Self::release_bond(reporter, *amount, fee);
			Self::deposit_event(Event::BondReleased { id, kept });
		}
	}

	/// Governance cancels all open offences of a class from `first` to `last`, in steps.
	pub(crate) fn do_pardon(class: OffenceClass, first: u64, last: u64) -> DispatchResult {
		Queues::<T>::try_mutate(class, |queue| {
			ensure!(queue.pardon.is_none(), Error::<T>::PardonRunning);
			let (first, end) = (first.max(queue.head), last.saturating_add(1).min(queue.next));
			ensure!(first < end, Error::<T>::OffenceNotFound);
			let last = end.saturating_sub(1);
			queue.pardon = Some(PardonWalk { at: first, last });
			WakeAt::<T>::put(Self::now());
			Self::deposit_event(Event::PardonBegun { class, first, last });
			Ok(())
		})
	}
}
