//! The sessions and eras of staking: not those of the collators, and not while the key is on its way.

use crate::{types::*, *};
use alloc::{collections::BTreeSet, vec::Vec};
use core::marker::PhantomData;
use frame_support::{
	storage::{TransactionOutcome, with_transaction_unchecked},
	traits::{Get, RewardsReporter, UnixTime},
	weights::WeightMeter,
};
use pallet_session::SessionManager;
use pallet_staking::{
	ActiveEra, CurrentEra, ErasStakersOverview, ErasStakersPaged, ErasStartSessionIndex,
	ErasTotalStake, ErasValidatorPrefs, ForceEra, Forcing, MinimumValidatorCount,
	Pallet as Staking, SessionInterface, Validators,
};
use phala_attestation::Role;
use phala_primitives::{AttestedWorkers, GatekeeperSet, Gatekeepers, Handover};
use sp_runtime::{BoundedVec, DispatchResult, SaturatedConversion};
use sp_staking::{SessionIndex, offence::OffenceSeverity};

/// The manager of the chain's sessions: `Inner` says who collates, and at the end of each session
/// staking may go on by one of its own.
pub struct Sessions<T, Inner>(PhantomData<(T, Inner)>);

impl<T: Config, ValidatorId, Inner: SessionManager<ValidatorId>> SessionManager<ValidatorId>
	for Sessions<T, Inner>
{
	fn new_session(index: SessionIndex) -> Option<Vec<ValidatorId>> {
		Inner::new_session(index)
	}

	fn new_session_genesis(index: SessionIndex) -> Option<Vec<ValidatorId>> {
		Inner::new_session_genesis(index)
	}

	fn end_session(index: SessionIndex) {
		Inner::end_session(index);
		// What follows is too much for a block in which a migration may be under way.
		SessionEnded::<T>::put(true);
	}

	fn start_session(index: SessionIndex) {
		Inner::start_session(index);
	}
}

impl<T: Config> Pallet<T> {
	/// What the hook does.
	pub(crate) fn serve(meter: &mut WeightMeter) {
		if meter.try_consume(<T as Config>::WeightInfo::poll()).is_err() {
			return;
		}
		if let Some(planned) = Planned::<T>::get().filter(|planned| planned.is_final) {
			if meter.try_consume(<T as Config>::WeightInfo::commence()).is_ok() {
				Self::commence(planned);
			}
		} else if SessionEnded::<T>::get()
			&& meter.try_consume(<T as Config>::WeightInfo::tick()).is_ok()
		{
			SessionEnded::<T>::kill();
			Self::tick();
		}
	}

	/// Begins staking's first era, which has no members.
	pub(crate) fn begin() -> SessionIndex {
		let _ = Staking::<T>::new_session_genesis(0);
		<Staking<T> as SessionManager<_>>::start_session(0);
		LastFailure::<T>::kill();
		VirtualSession::<T>::put(0);
		0
	}

	/// A session of the chain is over. So is one of staking, unless the key is on its way: then staking
	/// waits, since an era whose members never got the key would leave those in office without pay and
	/// without stake that answers for them.
	pub(crate) fn tick() {
		let session = VirtualSession::<T>::get().unwrap_or_else(Self::begin);
		Self::note_service();
		match (Planned::<T>::get(), T::Gatekeepers::handover()) {
			(_, Handover::Underway) => {}
			(Some(planned), Handover::Settled) => Self::commence(planned),
			// However often another set is elected in its place, whose members may fail as well.
			(Some(planned), Handover::GivenUp) if Self::is_era_old() => {
				Self::unplan();
				Planned::<T>::kill();
				Self::stay(session, planned.session);
			}
			(Some(planned), Handover::GivenUp) => Self::plan_again(planned),
			(None, _) => Self::plan(session),
		}
	}

	/// Points for everybody in office whose attestation counts, and whose stake answers for it.
	fn note_service() {
		let Some(era) = ActiveEra::<T>::get().map(|era| era.index) else { return };
		let served = |seat: &phala_primitives::Seat<T::AccountId>| {
			ErasStakersOverview::<T>::contains_key(era, &seat.account)
				&& T::Workers::attested(&seat.worker)
					.is_some_and(|one| one.role == Role::Gatekeeper)
		};
		let office = T::Gatekeepers::in_office();
		let points: Vec<_> =
			office.into_iter().filter(served).map(|seat| (seat.account, 1)).collect();
		if !points.is_empty() {
			<Staking<T> as RewardsReporter<_>>::reward_by_ids(points);
		}
	}

	/// Plans the next session. If it is to begin an era, there is an election, and the set gets the key
	/// first; else the session begins at once.
	fn plan(session: SessionIndex) {
		let next = session.saturating_add(1);
		let outcome = with_transaction_unchecked(|| {
			let expired = Self::expiring();
			match <Staking<T> as SessionManager<_>>::new_session(next) {
				None => {
					Self::note_unseated();
					TransactionOutcome::Commit(Ok(false))
				}
				Some(members) => match Self::hand_over(next, members) {
					Ok(()) => {
						Self::return_expired(expired);
						TransactionOutcome::Commit(Ok(true))
					}
					Err(error) => TransactionOutcome::Rollback(Err(error)),
				},
			}
		});
		match outcome {
			Ok(true) => return Self::commence_if_settled(),
			Ok(false) => {}
			Err(error) => Self::note_failure(WhyFailed::Refused { error }),
		}
		let failed = LastFailure::<T>::get().is_some_and(|last| last.session == next);
		match failed && Self::is_era_old() {
			true => Self::stay(session, next),
			false => Self::pass(session, next),
		}
	}

	/// Has the active era lasted for longer than one can earn?
	fn is_era_old() -> bool {
		let now = T::UnixTime::now().as_millis().saturated_into::<u64>();
		let start = ActiveEra::<T>::get().and_then(|era| era.start);
		start.is_some_and(|start| now.saturating_sub(start) > T::MaxEraMillis::get())
	}

	/// There has been no new set for long: those in office stay for another era, with the bonds of now
	/// behind them. Otherwise nobody could unbond for as long as too few stand, or as those who stand can
	/// make no ceremony succeed.
	fn stay(session: SessionIndex, next: SessionIndex) {
		let expired = Self::expiring();
		let members = Staking::<T>::trigger_new_era(next, Self::exposures_in_office());
		Self::keep_prefs(&members);
		Self::return_expired(expired);
		Self::pass(session, next);
		Self::note_era();
	}

	/// Staking asks only those who stand for their commission. Who is in office and has chilled keeps that of
	/// the era before.
	fn keep_prefs(members: &[T::AccountId]) {
		let Some(era) = CurrentEra::<T>::get() else { return };
		for who in members.iter().filter(|who| !Validators::<T>::contains_key(*who)) {
			let before = ErasValidatorPrefs::<T>::get(era.saturating_sub(1), who);
			ErasValidatorPrefs::<T>::insert(era, who, before);
		}
	}

	fn note_era() {
		if let Some(era) = ActiveEra::<T>::get() {
			Self::deposit_event(Event::EraBegan { era: era.index });
		}
	}

	/// All attempts to bring the planned set into office failed: elects another one in its place, with
	/// the bonds and attestations of now. Without one the plan stays.
	fn plan_again(planned: PlannedEra<T::AccountId>) {
		let outcome = with_transaction_unchecked(|| {
			Self::unplan();
			if ForceEra::<T>::get() == Forcing::NotForcing {
				// It is due, although a forced era may have been short.
				ForceEra::<T>::put(Forcing::ForceNew);
			}
			LastFailure::<T>::kill();
			match <Staking<T> as SessionManager<_>>::new_session(planned.session) {
				None => {
					Self::note_unseated();
					let why = LastFailure::<T>::get().map_or(WhyFailed::NoEras, |last| last.why);
					TransactionOutcome::Rollback(Err(why))
				}
				Some(members) => match Self::hand_over(planned.session, members) {
					Ok(()) => TransactionOutcome::Commit(Ok(())),
					Err(error) => TransactionOutcome::Rollback(Err(WhyFailed::Refused { error })),
				},
			}
		});
		match outcome {
			Ok(()) => Self::commence_if_settled(),
			Err(why) => Self::note_failure(why),
		}
	}

	/// Staking wants more members than were elected.
	fn note_unseated() {
		let seated = Ballot::<T>::take().len() as u32;
		if seated > 0 {
			let needed = MinimumValidatorCount::<T>::get();
			Self::note_failure(WhyFailed::TooFewSeats { seated, needed });
		}
	}

	/// Tells those who run the ceremonies who was elected.
	fn hand_over(session: SessionIndex, members: Vec<T::AccountId>) -> DispatchResult {
		T::Gatekeepers::on_set_elected(Ballot::<T>::take().into_inner())?;
		Self::keep_prefs(&members);
		Self::deposit_event(Event::SetElected { members: members.clone() });
		// No more than were on the ballot.
		let members = BoundedVec::truncate_from(members);
		Planned::<T>::put(PlannedEra { session, members, is_final: false });
		Ok(())
	}

	/// The set in office was elected again, and nothing is to be handed over.
	fn commence_if_settled() {
		if T::Gatekeepers::handover() == Handover::Settled
			&& let Some(planned) = Planned::<T>::get()
		{
			Self::commence(planned);
		}
	}

	/// The planned era begins.
	pub(crate) fn commence(planned: PlannedEra<T::AccountId>) {
		Planned::<T>::kill();
		LastFailure::<T>::kill();
		let session = VirtualSession::<T>::get().unwrap_or_default();
		Self::pass(session, planned.session);
		Self::note_era();
	}

	fn pass(session: SessionIndex, next: SessionIndex) {
		<Staking<T> as SessionManager<_>>::end_session(session);
		<Staking<T> as SessionManager<_>>::start_session(next);
		VirtualSession::<T>::put(next);
	}

	/// Takes the planned era back, as if staking had never planned it.
	fn unplan() {
		let (Some(planned), Some(active)) = (CurrentEra::<T>::get(), ActiveEra::<T>::get()) else {
			return;
		};
		if planned <= active.index {
			return;
		}
		CurrentEra::<T>::put(active.index);
		ErasStartSessionIndex::<T>::remove(planned);
		ErasTotalStake::<T>::remove(planned);
		// As many as there are winners, each with one page.
		let _ = ErasStakersOverview::<T>::clear_prefix(planned, MAX_SEATS, None);
		let _ = ErasStakersPaged::<T>::clear_prefix((planned,), MAX_SEATS, None);
		let _ = ErasValidatorPrefs::<T>::clear_prefix(planned, MAX_SEATS, None);
	}

	pub(crate) fn note_failure(why: WhyFailed) {
		let session = VirtualSession::<T>::get().unwrap_or_default().saturating_add(1);
		LastFailure::<T>::put(Failure { session, why });
		Self::deposit_event(Event::ElectionFailed { why });
	}
}

impl<T: Config> GatekeeperSet for Pallet<T> {
	fn handover_final(_epoch: u32) {
		Planned::<T>::mutate(|planned| {
			let Some(planned) = planned else { return };
			let members: BTreeSet<_> = planned.members.iter().collect();
			let office = T::Gatekeepers::in_office();
			planned.is_final = office.iter().all(|seat| members.contains(&seat.account));
		});
	}
}

/// Staking sees those in office as its validators.
impl<T: Config> SessionInterface<T::AccountId> for Pallet<T> {
	fn report_offence(_validator: T::AccountId, _severity: OffenceSeverity) {}

	fn validators() -> Vec<T::AccountId> {
		T::Gatekeepers::in_office().into_iter().map(|seat| seat.account).collect()
	}

	fn prune_historical_up_to(_: SessionIndex) {}
}
