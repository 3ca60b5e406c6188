//! How offences come into the ledger: reports of pallets, and accusations that were judged.

use crate::{
	AccusationOf, Accusations, Config, EraExposures, Error, Event, Ledger, Liable, NextAccusation,
	Nullifiers, OffenceOf, OpenCases, Pallet, Policy, Queues, Unexpected, WakeAt,
	maths::{self, Exposure},
	types::{
		Accusation, AccusationId, EraExposure, Knowledge, Offence, Part, RaiseWalk, Stage, Terms,
	},
};
use core::marker::PhantomData;
use frame_support::{ensure, storage::with_storage_layer, traits::Get};
use phala_primitives::{
	Authority, Correlation, EvidenceHash, OffenceClass, OffenceId, OffenceReport, ReportOffence,
	Slashable, Source,
};
use sp_core::H256;
use sp_runtime::{
	BoundedVec, DispatchError, DispatchResult, Perquintill,
	traits::{BlakeTwo256, Hash},
};

/// Takes the reports of one authority: the runtime gives each pallet the one with its own name, so
/// that none can speak for another.
pub struct ReportsFrom<T, A>(PhantomData<(T, A)>);

impl<T: Config, A: Get<Authority>> ReportOffence<T::Offender, T::AccountId> for ReportsFrom<T, A> {
	fn report(
		report: OffenceReport<T::Offender, T::AccountId>,
	) -> Result<OffenceId, DispatchError> {
		with_storage_layer(|| Pallet::<T>::do_report(A::get(), report))
	}

	fn evidence_window() -> u32 {
		T::EvidenceWindow::get()
	}
}

impl<T: Config> phala_primitives::OpenCases<T::Offender> for Pallet<T> {
	fn has_open_case(offender: &T::Offender) -> bool {
		OpenCases::<T>::contains_key(offender)
	}
}

/// How evidence came to the ledger. Each way has nullifiers of its own: else whoever accuses with the
/// hash of a proof would keep the proof itself out, for the price of an accusation.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filed {
	/// With an offence on record, reported or judged.
	Reported,
	/// With an accusation.
	Accused,
}

/// What the ledger is told of a new offence.
struct NewOffence<T: Config> {
	class: OffenceClass,
	offender: T::Offender,
	knowledge: Knowledge<T::AccountId>,
	evidence: EvidenceHash,
	committed: u32,
	era: u32,
	severity: Perquintill,
}

impl<T: Config> Pallet<T> {
	/// Takes the report of a pallet.
	pub(crate) fn do_report(
		authority: Authority,
		report: OffenceReport<T::Offender, T::AccountId>,
	) -> Result<OffenceId, DispatchError> {
		let OffenceReport { class, offender, committed, evidence, severity, source } = report;
		ensure!(
			Self::policy_of(class).authorities.contains(authority),
			Error::<T>::NotAllowedToReport
		);
		Self::check_age(committed)?;
		let knowledge = match source {
			Source::Measured => Knowledge::Measured,
			Source::Proven { reporter } => {
				// Whoever brings his own fault is slashed for it, but gets nothing back.
				let liable = T::Slashable::liable(&offender);
				Knowledge::Proven { reporter: reporter.filter(|one| Some(one) != liable.as_ref()) }
			}
		};
		Self::open_case(&offender);
		let era = Self::era_of(committed);
		Self::record(NewOffence { class, offender, knowledge, evidence, committed, era, severity })
	}

	/// Files an accusation with its bond.
	pub(crate) fn do_accuse(
		accuser: T::AccountId,
		class: OffenceClass,
		offender: T::Offender,
		committed: u32,
		evidence: EvidenceHash,
	) -> DispatchResult {
		ensure!(
			Self::policy_of(class).authorities.contains(Authority::Accusation),
			Error::<T>::NotAllowedToReport
		);
		Self::check_age(committed)?;
		let liable = T::Slashable::liable(&offender).ok_or(Error::<T>::UnknownOffender)?;
		ensure!(liable != accuser, Error::<T>::SelfReport);
		ensure!(T::Slashable::stake(&offender) > 0, Error::<T>::NothingAtStake);
		ensure!(T::Slashable::could_offend(&offender, committed), Error::<T>::NothingAtStakeThen);
		let open = Accusations::<T>::count();
		ensure!(open < T::MaxAccusations::get(), Error::<T>::TooManyAccusations);
		let reported = Self::nullifier(Filed::Reported, class, &offender, evidence);
		ensure!(!Nullifiers::<T>::contains_key(reported), Error::<T>::AlreadyReported);
		Self::add_nullifier(Filed::Accused, class, &offender, evidence)?;

		let parameters = Self::parameters_now();
		let bond = maths::bond(parameters.bond, open);
		Self::hold_bond(&accuser, bond)?;
		Self::open_case(&offender);
		let id = NextAccusation::<T>::mutate(|next| {
			let id = *next;
			*next = next.saturating_add(1);
			id
		});
		let expires = Self::now().saturating_add(parameters.judgement);
		let accusation = Accusation {
			class,
			offender: offender.clone(),
			accuser: accuser.clone(),
			committed,
			evidence,
			bond,
			expires,
		};
		Accusations::<T>::insert(id, accusation);
		Self::deposit_event(Event::Accused { id, class, offender, accuser, bond, expires });
		Ok(())
	}

	/// Closes an accusation that nobody judged.
	pub(crate) fn do_lapse(id: AccusationId) -> DispatchResult {
		let accusation = Accusations::<T>::take(id).ok_or(Error::<T>::AccusationNotFound)?;
		ensure!(Self::now() > accusation.expires, Error::<T>::NotLapsedYet);
		let fee = Self::parameters_now().lapse_fee;
		let kept = Self::release_bond(&accusation.accuser, accusation.bond, fee);
		Self::may_be_filed_again(&accusation);
		Self::close_case(&accusation.offender);
		Self::deposit_event(Event::AccusationLapsed { id, kept });
		Ok(())
	}

	/// The judges reject an accusation.
	pub(crate) fn do_dismiss(id: AccusationId, is_false: bool) -> DispatchResult {
		let accusation = Accusations::<T>::take(id).ok_or(Error::<T>::AccusationNotFound)?;
		let fee = Perquintill::from_percent(if is_false { 100 } else { 0 });
		let kept = Self::release_bond(&accusation.accuser, accusation.bond, fee);
		if !is_false {
			// Whoever has more to say may come again. A false report stays refused: its bond has
			// paid for the entry.
			Self::may_be_filed_again(&accusation);
		}
		Self::close_case(&accusation.offender);
		Self::deposit_event(Event::AccusationDismissed { id, is_false, kept });
		Ok(())
	}

	/// The judges agree with an accusation: it becomes an offence of this era.
	pub(crate) fn do_convict(id: AccusationId, severity: Perquintill) -> DispatchResult {
		let accusation = Accusations::<T>::take(id).ok_or(Error::<T>::AccusationNotFound)?;
		let now = Self::now();
		ensure!(now <= accusation.expires, Error::<T>::AccusationLapsed);
		let Accusation { class, offender, accuser, committed, evidence, bond, .. } = accusation;
		let offence = Self::record(NewOffence {
			class,
			offender,
			knowledge: Knowledge::Judged { reporter: accuser, bond },
			evidence,
			committed,
			era: Self::era_of(now),
			severity,
		})?;
		Self::deposit_event(Event::AccusationUpheld { id, offence });
		Ok(())
	}

	/// Writes an offence and announces its suspected loss. The open case exists already.
	fn record(new: NewOffence<T>) -> Result<OffenceId, DispatchError> {
		let NewOffence { class, offender, knowledge, evidence, committed, era, severity } = new;
		Self::add_nullifier(Filed::Reported, class, &offender, evidence)?;
		let now = Self::now();
		let (parameters, policy) = (Self::parameters_now(), Self::policy_of(class));
		let liable = T::Slashable::liable(&offender).ok_or(Error::<T>::UnknownOffender)?;
		let stake = T::Slashable::stake(&offender);
		let (exposure, is_to_raise) = EraExposures::<T>::mutate(class, era, |entry| {
			let total = || T::Slashable::total_stake(class);
			let exposure =
				entry.get_or_insert_with(|| EraExposure { total: total(), ..Default::default() });
			exposure.weight = exposure.weight.saturating_add(maths::weight(severity, stake));
			exposure.open = exposure.open.saturating_add(1);
			(*exposure, Self::has_doubled(class, &policy, exposure))
		});

		let mut queue = Queues::<T>::get(class);
		let id = OffenceId { class, index: queue.next };
		// The order of the queue is the order of the reports, also when the deferral gets shorter.
		let due = now.saturating_add(parameters.deferral).max(queue.last_due);
		let mut offence = Offence {
			offender,
			liable,
			knowledge,
			evidence,
			committed,
			recorded: now,
			due,
			era,
			severity,
			terms: Terms::new(&policy, parameters.reporter_share),
			fraction: Perquintill::zero(),
			stake,
			parts: BoundedVec::new(),
			charged: 0,
			restored: 0,
			missing: 0,
			rewarded: 0,
			stage: Stage::Deferred,
		};
		let fraction = Self::suspected_fraction(class, &offence, exposure);
		offence.fraction = fraction;
		let amount = fraction.mul_floor(stake);
		ensure!(amount > 0, Error::<T>::NothingAtStake);
		// Without room for a tranche there is still an offence. It is tried again when it is due, and
		// the open case keeps the stake from leaving.
		let refusal = match Self::suspect(&offence.offender, None, amount) {
			Ok(part) => {
				offence.parts = BoundedVec::truncate_from([part].into());
				None
			}
			Err(error) => Some(Event::RaiseRefused { id, amount, error }),
		};

		queue.next = queue.next.saturating_add(1);
		queue.last_due = due;
		if is_to_raise {
			queue.raise = Some(match queue.raise {
				Some(walk) => RaiseWalk { again: true, ..walk },
				None => RaiseWalk { at: queue.head, again: false },
			});
			WakeAt::<T>::put(now);
		} else {
			WakeAt::<T>::mutate(|at| *at = due.min(*at));
		}
		Queues::<T>::insert(class, queue);
		Liable::<T>::insert(&offence.liable, id, ());
		Self::deposit_event(Event::OffenceRecorded {
			id,
			offender: offence.offender.clone(),
			liable: offence.liable.clone(),
			evidence,
			fraction,
			suspected: offence.suspected(),
			due,
		});
		if let Some(refusal) = refusal {
			Self::deposit_event(refusal);
		}
		Ledger::<T>::insert(class, id.index, offence);
		Ok(id)
	}

	/// Has the fraction of a raised class doubled since its open offences were last raised? Then they
	/// are raised again: seldom enough that no flood of reports keeps a class busy with it.
	fn has_doubled(class: OffenceClass, policy: &Policy, exposure: &mut EraExposure) -> bool {
		if class.correlation() != Correlation::Raises {
			return false;
		}
		let EraExposure { weight, total, open, raised } = *exposure;
		let (full, known) = (Perquintill::one(), Exposure { weight, total });
		let fraction = maths::fraction(Correlation::Raises, policy.fractions(), full, known);
		let others = open > 1;
		let doubled = fraction.deconstruct() >= raised.deconstruct().saturating_mul(2);
		if doubled || !others {
			exposure.raised = fraction;
		}
		doubled && others
	}

	/// Has the slashable set `amount` aside, of what the offence's `first` tranche was taken from if it has
	/// one. Leaves everything as it is if it refuses.
	pub(crate) fn suspect(
		offender: &T::Offender,
		first: Option<&T::Tranche>,
		amount: u128,
	) -> Result<Part<T::Tranche>, DispatchError> {
		with_storage_layer(|| {
			let tranche = match first {
				Some(first) => T::Slashable::suspect_more(offender, first, amount)?,
				None => T::Slashable::suspect(offender, amount)?,
			};
			// What it says counts, not what it was asked for.
			let rest = T::Slashable::suspected(&tranche).min(amount);
			ensure!(rest > 0, Error::<T>::NothingAtStake);
			Ok(Part { tranche, rest })
		})
	}

	/// Fraction that a new or growing offence is suspected of: the most that it can still come to by
	/// what is known. What correlation lowers is only lowered when it is known, at the end.
	pub(crate) fn suspected_fraction(
		class: OffenceClass,
		offence: &OffenceOf<T>,
		exposure: EraExposure,
	) -> Perquintill {
		let correlation = match class.correlation() {
			Correlation::Lowers => Correlation::Independent,
			other => other,
		};
		Self::fraction_by(correlation, offence, exposure)
	}

	/// Fraction that an offence costs by what its era adds up to now. Final once it is due.
	pub(crate) fn final_fraction(
		class: OffenceClass,
		offence: &OffenceOf<T>,
		exposure: EraExposure,
	) -> Perquintill {
		let correlation = match (class.correlation(), &offence.knowledge) {
			(Correlation::Lowers, Knowledge::Measured) => Correlation::Lowers,
			// Who reports could choose the moment.
			(Correlation::Lowers, _) => Correlation::Independent,
			(other, _) => other,
		};
		Self::fraction_by(correlation, offence, exposure)
	}

	fn fraction_by(
		correlation: Correlation,
		offence: &OffenceOf<T>,
		EraExposure { weight, total, .. }: EraExposure,
	) -> Perquintill {
		let figures = offence.terms.fractions();
		maths::fraction(correlation, figures, offence.severity, Exposure { weight, total })
	}

	fn check_age(committed: u32) -> DispatchResult {
		let now = Self::now();
		ensure!(committed <= now, Error::<T>::FromTheFuture);
		let last = committed.saturating_add(T::EvidenceWindow::get());
		ensure!(now <= last, Error::<T>::EvidenceTooOld);
		Ok(())
	}

	/// What makes the same evidence against the same offender unusable again.
	pub(crate) fn nullifier(
		filed: Filed,
		class: OffenceClass,
		offender: &T::Offender,
		evidence: EvidenceHash,
	) -> H256 {
		let domain: &[u8] = match filed {
			Filed::Reported => b"slashing/reported",
			Filed::Accused => b"slashing/accused",
		};
		BlakeTwo256::hash_of(&(domain, class, offender, evidence))
	}

	fn add_nullifier(
		filed: Filed,
		class: OffenceClass,
		offender: &T::Offender,
		evidence: EvidenceHash,
	) -> DispatchResult {
		let nullifier = Self::nullifier(filed, class, offender, evidence);
		ensure!(!Nullifiers::<T>::contains_key(nullifier), Error::<T>::AlreadyReported);
		Nullifiers::<T>::insert(nullifier, ());
		Ok(())
	}

	fn may_be_filed_again(accusation: &AccusationOf<T>) {
		let Accusation { class, offender, evidence, .. } = accusation;
		Nullifiers::<T>::remove(Self::nullifier(Filed::Accused, *class, offender, *evidence));
	}

	fn open_case(offender: &T::Offender) {
		OpenCases::<T>::mutate(offender, |open| *open = Some(open.unwrap_or(0).saturating_add(1)));
	}

	/// One undecided thing less about the offender.
	pub(crate) fn close_case(offender: &T::Offender) {
		OpenCases::<T>::mutate_exists(offender, |open| match open.take() {
			Some(0) | None => {
				Self::deposit_event(Event::Unexpected { kind: Unexpected::NoOpenCase })
			}
			Some(1) => (),
			Some(many) => *open = Some(many.saturating_sub(1)),
		});
	}
}
