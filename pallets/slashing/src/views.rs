//! Answers to clients.

use crate::{
	Config, EraExposures, Ledger, Liable, OffenceOf, Pallet, Queues, QuietUntil,
	maths::Exposure,
	types::{Stage, WhySlashed},
};
use alloc::vec::Vec;
use phala_primitives::OffenceId;

/// Most offences in one answer.
const PAGE: usize = 100;

impl<T: Config> Pallet<T> {
	pub(crate) fn view_offences_of(
		who: &T::AccountId,
		after: Option<OffenceId>,
	) -> Vec<(OffenceId, OffenceOf<T>)> {
		let keys = match after {
			Some(id) => {
				let from = Liable::<T>::hashed_key_for(who, id);
				Liable::<T>::iter_key_prefix_from(who, from)
			}
			None => Liable::<T>::iter_key_prefix(who),
		};
		keys.take(PAGE).filter_map(|id| Some((id, Ledger::<T>::get(id.class, id.index)?))).collect()
	}

	pub(crate) fn view_why_slashed(id: OffenceId) -> Option<WhySlashed<OffenceOf<T>>> {
		let offence = Ledger::<T>::get(id.class, id.index)?;
		let known = EraExposures::<T>::get(id.class, offence.era);
		let fraction = match (offence.stage, known) {
			(Stage::Deferred, Some(known)) => Self::final_fraction(id.class, &offence, known),
			_ => offence.fraction,
		};
		let exposure = known.map(|one| Exposure { weight: one.weight, total: one.total }.share());
		// Nothing is taken before this.
		let now = Self::now().max(QuietUntil::<T>::get());
		let not_before = match offence.stage {
			Stage::Deferred => Some(offence.due.max(now)),
			Stage::Applying => {
				let budget = Self::budget(id.class, &Queues::<T>::get(id.class), now);
				Some(if budget.used < budget.limit {
					now
				} else {
					Self::era_start(budget.era.saturating_add(1))
				})
			}
			Stage::Applied { .. } | Stage::Cancelled { .. } => None,
		};
		let suspected = offence.suspected();
		Some(WhySlashed { offence, fraction, exposure, suspected, not_before })
	}
}
