//! Bonds that answer for offences: suspected, taken and given back by the ledger of offences.
//!
//! What is suspected leaves staking at once and waits on a hold of its own, in the holder's account: so
//! it neither votes for gatekeepers nor earns nor leaves, and no unbonding has to be stopped for it.

use crate::{types::*, *};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use core::iter;
use frame_support::{
	defensive,
	traits::{
		Get, Imbalance,
		fungible::{BalancedHold, MutateHold, UnbalancedHold},
		tokens::Precision,
	},
};
use pallet_staking::{
	ActiveEra, Bonded, CurrentEra, EraInfo, ErasStakersOverview, ErasStakersPaged, ErasTotalStake,
	Ledger, UnlockChunk,
};
use phala_primitives::{Gatekeepers, OffenceClass, Slashable, Slashed};
use sp_runtime::{
	BoundedVec, DispatchError, Rounding, helpers_128bit::multiply_by_rational_with_rounding,
	traits::Zero,
};
use sp_staking::{EraIndex, Exposure, IndividualExposure};

/// Whose bonds stand behind a member.
type ExposureOf<T> = Exposure<<T as frame_system::Config>::AccountId, u128>;
/// The same, with the era in which they were put there; without one for a bond that is behind no seat.
type Exposed<T> = (Option<EraIndex>, ExposureOf<T>);

/// Splits `amount` among holders: `own` bears it first, then `others` in proportion, rounded up, none
/// beyond what it has. The sum is exact if there is as much.
pub(crate) fn split(own: u128, others: &[u128], amount: u128) -> (u128, Vec<u128>) {
	let first = own.min(amount);
	let rest = amount.saturating_sub(first);
	(first, proportionally(others, rest))
}

/// As [`split`], but from the other end: `others` first, then `own`.
pub(crate) fn split_back(own: u128, others: &[u128], amount: u128) -> (u128, Vec<u128>) {
	let total = others.iter().fold(0_u128, |sum, one| sum.saturating_add(*one));
	let back = amount.min(total);
	(amount.saturating_sub(back).min(own), proportionally(others, back))
}

fn proportionally(parts: &[u128], amount: u128) -> Vec<u128> {
	let total = parts.iter().fold(0_u128, |sum, one| sum.saturating_add(*one));
	let mut left = amount.min(total);
	let share = |part: u128| match total {
		0 => 0,
		_ => multiply_by_rational_with_rounding(amount.min(total), part, total, Rounding::Up)
			.unwrap_or(part),
	};
	let take = |part: &u128| {
		let some = share(*part).min(*part).min(left);
		left = left.saturating_sub(some);
		some
	};
	parts.iter().map(take).collect()
}

impl<T: Config> Pallet<T> {
	/// The bonds behind `stash`, and the era in which they were put there: the one that runs, if it has a
	/// seat; else the one that is planned, or the one before. Who had a seat earlier, or stands for one, answers
	/// with its own bond. Nobody else answers as a gatekeeper.
	fn exposed(stash: &T::AccountId) -> Option<Exposed<T>> {
		let active = ActiveEra::<T>::get().map(|era| era.index);
		let eras =
			[active, CurrentEra::<T>::get(), active.and_then(|active| active.checked_sub(1))];
		for era in eras.into_iter().flatten() {
			if ErasStakersOverview::<T>::contains_key(era, stash) {
				return Some((Some(era), EraInfo::<T>::get_full_exposure(era, stash)));
			}
		}
		match Self::can_be_at_fault(stash) {
			true => Self::own_bond(stash),
			false => None,
		}
	}

	/// What the tranche `first` was taken from, as it is now: whoever came or left since, those who were there
	/// then answer for the whole loss. Once their era is forgotten, those who are there now do.
	fn exposed_then(stash: &T::AccountId, first: TrancheId) -> Option<Exposed<T>> {
		match Tranches::<T>::get(first).map(|tranche| tranche.era) {
			Some(None) => Self::own_bond(stash),
			Some(Some(era)) if ErasStakersOverview::<T>::contains_key(era, stash) => {
				Some((Some(era), EraInfo::<T>::get_full_exposure(era, stash)))
			}
			_ => Self::exposed(stash),
		}
	}

	fn own_bond(stash: &T::AccountId) -> Option<Exposed<T>> {
		let own = Ledger::<T>::get(Bonded::<T>::get(stash)?)?.total;
		Some((None, Exposure { total: own, own, others: Vec::new() }))
	}

	/// Does it stand, is it in office or elected, or was it for as long as its bond has not left?
	fn can_be_at_fault(stash: &T::AccountId) -> bool {
		let current = CurrentEra::<T>::get().unwrap_or_default();
		let oldest = current.saturating_sub(<T as pallet_staking::Config>::BondingDuration::get());
		Bindings::<T>::contains_key(stash)
			|| !T::Gatekeepers::may_unbond(stash)
			|| (oldest..=current).any(|era| ErasStakersOverview::<T>::contains_key(era, stash))
	}

	/// What is still in staking of what a holder put behind a member.
	fn available(who: &T::AccountId, exposed: u128) -> u128 {
		let ledger = Bonded::<T>::get(who).and_then(Ledger::<T>::get);
		ledger.map_or(0, |ledger| ledger.total.min(exposed))
	}

	/// What can be taken: of the member itself, and of each backer.
	fn answering(stash: &T::AccountId, exposure: &ExposureOf<T>) -> (u128, Vec<u128>) {
		let own = Self::available(stash, exposure.own);
		let others = exposure.others.iter();
		(own, others.map(|one| Self::available(&one.who, one.value)).collect())
	}

	fn at_stake(stash: &T::AccountId, exposed: Option<Exposed<T>>) -> u128 {
		let Some((_, exposure)) = exposed else { return 0 };
		let (own, others) = Self::answering(stash, &exposure);
		others.into_iter().fold(own, u128::saturating_add)
	}

	fn do_suspect(
		offender: &T::AccountId,
		amount: u128,
		exposed: Option<Exposed<T>>,
	) -> Result<TrancheId, DispatchError> {
		let (era, exposure) = exposed.ok_or(Error::<T>::NothingAtStake)?;
		let (own, others) = Self::answering(offender, &exposure);
		let (own, others) = split(own, &others, amount);
		let holders = iter::once(offender).chain(exposure.others.iter().map(|one| &one.who));
		let mut parts = Vec::new();
		let mut sum: u128 = 0;
		for (who, some) in holders.zip(iter::once(own).chain(others)) {
			if some > 0 {
				parts.push(Self::set_aside(who, some)?);
				sum = sum.saturating_add(some);
			}
		}
		frame_support::ensure!(sum > 0, Error::<T>::NothingAtStake);
		let active = ActiveEra::<T>::get().map(|era| era.index);
		let eras: BTreeSet<_> =
			[era, active, CurrentEra::<T>::get()].into_iter().flatten().collect();
		for one in eras {
			Self::leave_exposure(one, offender, &mut parts);
		}
		let parts = parts.try_into().map_err(|_| {
			defensive!("an exposure has no more backers than the election allows");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::TooManyHolders });
			Error::<T>::NothingAtStake
		})?;
		let id = NextTranche::<T>::mutate(|next| {
			let id = *next;
			*next = next.saturating_add(1);
			id
		});
		Tranches::<T>::insert(id, Tranche { offender: offender.clone(), era, parts });
		SuspectedStake::<T>::mutate(|total| *total = total.saturating_add(sum));
		Self::deposit_event(Event::StakeSuspected { offender: offender.clone(), id, amount: sum });
		Ok(id)
	}

	/// Takes what was suspected out of the exposure of an era, as far as it is there.
	fn leave_exposure(era: EraIndex, offender: &T::AccountId, parts: &mut [Part<T::AccountId>]) {
		if !ErasStakersOverview::<T>::contains_key(era, offender) {
			return;
		}
		let mut exposure = EraInfo::<T>::get_full_exposure(era, offender);
		let mut sum: u128 = 0;
		for part in parts {
			let exposed = match part.who == *offender {
				true => Some(&mut exposure.own),
				false => {
					let found = exposure.others.iter_mut().find(|one| one.who == part.who);
					found.map(|one| &mut one.value)
				}
			};
			let Some(value) = exposed else { continue };
			let some = part.rest().min(*value);
			*value = value.saturating_sub(some);
			sum = sum.saturating_add(some);
			// There is room for each era.
			let noted = part.exposed.try_push((era, some));
			debug_assert!(noted.is_ok());
		}
		if sum.is_zero() {
			return;
		}
		exposure.total = exposure.total.saturating_sub(sum);
		// Staking takes a share of nothing for all of it, so that it would pay the whole reward to each
		// holder. What has no page cannot be claimed.
		if exposure.total.is_zero() {
			exposure.others.clear();
			ErasStakersPaged::<T>::remove((era, offender, 0));
		}
		EraInfo::<T>::set_exposure(era, offender, exposure);
		ErasTotalStake::<T>::mutate(era, |total| *total = total.saturating_sub(sum));
	}

	/// Puts what was given back into the exposure of an era, if that is still on record.
	fn join_exposure(era: EraIndex, offender: &T::AccountId, returned: Vec<(T::AccountId, u128)>) {
		if !ErasStakersOverview::<T>::contains_key(era, offender) {
			return;
		}
		let mut exposure = EraInfo::<T>::get_full_exposure(era, offender);
		let mut back: u128 = 0;
		for (who, some) in returned {
			let exposed = match who == *offender {
				true => Some(&mut exposure.own),
				false => Self::backing(&mut exposure.others, who),
			};
			if let Some(value) = exposed {
				*value = value.saturating_add(some);
				back = back.saturating_add(some);
			}
		}
		exposure.total = exposure.total.saturating_add(back);
		EraInfo::<T>::set_exposure(era, offender, exposure);
		ErasTotalStake::<T>::mutate(era, |total| *total = total.saturating_add(back));
	}

	/// Takes `amount` of a bond out of staking and holds it: first of what is in use, then of what is
	/// furthest from being free.
	fn set_aside(who: &T::AccountId, amount: u128) -> Result<Part<T::AccountId>, DispatchError> {
		let controller = Bonded::<T>::get(who).ok_or(Error::<T>::NothingAtStake)?;
		let mut ledger = Ledger::<T>::get(&controller).ok_or(Error::<T>::NothingAtStake)?;
		let active = ledger.active.min(amount);
		ledger.active = ledger.active.saturating_sub(active);
		ledger.total = ledger.total.saturating_sub(amount);
		let mut left = amount.saturating_sub(active);
		let mut unlocking = Vec::new();
		for chunk in ledger.unlocking.iter_mut().rev() {
			let some = chunk.value.min(left);
			if some > 0 {
				chunk.value = chunk.value.saturating_sub(some);
				left = left.saturating_sub(some);
				unlocking.push((chunk.era, some));
			}
		}
		ledger.unlocking.retain(|chunk| !chunk.value.is_zero());
		Ledger::<T>::insert(controller, ledger);
		Self::move_hold(&Self::staked(), &Self::held(), who, amount)?;
		let unlocking = BoundedVec::truncate_from(unlocking);
		Ok(Part { who: who.clone(), active, unlocking, exposed: BoundedVec::new() })
	}

	/// Puts `amount` of a suspected part back where it was: into the bond, or free if there is no bond any
	/// more. What was on its way out is put back last, and still is.
	fn put_back(part: &mut Part<T::AccountId>, amount: u128) {
		let controller = Bonded::<T>::get(&part.who);
		let ledger = controller.and_then(|to| Some((to.clone(), Ledger::<T>::get(to)?)));
		let Some((controller, mut ledger)) = ledger else {
			Self::reduce(part, amount);
			let freed = T::Asset::release(&Self::held(), &part.who, amount, Precision::Exact);
			return Self::expect_held(freed.is_ok());
		};
		let (active, chunks) = Self::reduce(part, amount);
		let moved = frame_support::storage::with_storage_layer(|| {
			Self::move_hold(&Self::held(), &Self::staked(), &part.who, amount)
		});
		if moved.is_err() {
			return Self::expect_held(false);
		}
		ledger.total = ledger.total.saturating_add(amount);
		ledger.active = ledger.active.saturating_add(active);
		for (era, value) in chunks {
			let place = ledger.unlocking.iter().position(|chunk| chunk.era >= era);
			let at = place.unwrap_or(ledger.unlocking.len());
			match ledger.unlocking.get_mut(at).filter(|chunk| chunk.era == era) {
				Some(chunk) => chunk.value = chunk.value.saturating_add(value),
				// Its holder has used up the places since: it can unbond that part again.
				None => {
					if ledger.unlocking.try_insert(at, UnlockChunk { value, era }).is_err() {
						ledger.active = ledger.active.saturating_add(value);
					}
				}
			}
		}
		Ledger::<T>::insert(controller, ledger);
	}

	/// Takes `amount` out of a part; returns what it consisted of.
	fn reduce(part: &mut Part<T::AccountId>, amount: u128) -> (u128, Vec<(EraIndex, u128)>) {
		let active = part.active.min(amount);
		part.active = part.active.saturating_sub(active);
		let mut left = amount.saturating_sub(active);
		let mut chunks = Vec::new();
		for (era, value) in part.unlocking.iter_mut() {
			let some = (*value).min(left);
			if some > 0 {
				*value = value.saturating_sub(some);
				left = left.saturating_sub(some);
				chunks.push((*era, some));
			}
		}
		part.unlocking.retain(|(_, value)| *value > 0);
		(active, chunks)
	}

	/// Moves PHA from one hold to another of the same account. It never becomes free on the way, so that
	/// neither an account below the existential deposit nor a lock stops it.
	fn move_hold(
		from: &ReasonOf<T>,
		to: &ReasonOf<T>,
		who: &T::AccountId,
		amount: u128,
	) -> Result<(), DispatchError> {
		T::Asset::increase_balance_on_hold(to, who, amount, Precision::Exact)?;
		T::Asset::decrease_balance_on_hold(from, who, amount, Precision::Exact)?;
		T::Asset::done_release(from, who, amount);
		T::Asset::done_hold(to, who, amount);
		Ok(())
	}

	/// What `who` has behind a member. It has no entry if all that was behind the member was suspected, or if
	/// the era was planned anew since; then it gets one, unless others have filled the page.
	fn backing(
		others: &mut Vec<IndividualExposure<T::AccountId, u128>>,
		who: T::AccountId,
	) -> Option<&mut u128> {
		let at = others.iter().position(|one| one.who == who).unwrap_or(others.len());
		let page = <T as pallet_staking::Config>::MaxExposurePageSize::get();
		if at == others.len() && at < page as usize {
			others.push(IndividualExposure { who, value: 0 });
		}
		others.get_mut(at).map(|one| &mut one.value)
	}

	/// Why staking holds PHA.
	pub(crate) fn staked() -> ReasonOf<T> {
		pallet_staking::HoldReason::Staking.into()
	}

	/// Why this pallet holds PHA.
	pub(crate) fn held() -> ReasonOf<T> {
		HoldReason::Suspected.into()
	}

	fn expect_held(is_so: bool) {
		if !is_so {
			defensive!("suspected stake is on hold");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::HoldMissing });
		}
	}

	/// Changes what is left of a tranche: `own` and `others` of its parts, by `act`.
	fn settle_tranche(
		id: TrancheId,
		amounts: impl FnOnce(u128, &[u128]) -> (u128, Vec<u128>),
		mut act: impl FnMut(&mut Part<T::AccountId>, u128, bool),
	) -> Option<Settled<T>> {
		let mut tranche = Tranches::<T>::get(id)?;
		let is_own = |part: &Part<T::AccountId>| part.who == tranche.offender;
		let rests = |own: bool| -> Vec<u128> {
			let parts = tranche.parts.iter().filter(|part| is_own(part) == own);
			parts.map(Part::rest).collect()
		};
		let own = rests(true).first().copied().unwrap_or(0);
		let (own, others) = amounts(own, &rests(false));
		let mut others = others.into_iter();
		let mut sum: u128 = 0;
		let offender = tranche.offender.clone();
		for part in tranche.parts.iter_mut() {
			let mine = part.who == offender;
			let some = if mine { own } else { others.next().unwrap_or(0) };
			if some > 0 {
				act(part, some, mine);
				sum = sum.saturating_add(some);
			}
		}
		tranche.parts.retain(|part| part.rest() > 0);
		SuspectedStake::<T>::mutate(|total| *total = total.saturating_sub(sum));
		match tranche.parts.is_empty() {
			true => Tranches::<T>::remove(id),
			false => Tranches::<T>::insert(id, tranche),
		}
		Some(Settled { offender, sum })
	}
}

/// What was moved of a tranche.
struct Settled<T: Config> {
	offender: T::AccountId,
	sum: u128,
}

impl<T: Config> Slashable<T::AccountId> for Pallet<T> {
	type AccountId = T::AccountId;
	type Credit = CreditOf<T>;
	type Tranche = TrancheId;

	fn liable(offender: &T::AccountId) -> Option<T::AccountId> {
		Self::exposed(offender).map(|_| offender.clone())
	}

	fn stake(offender: &T::AccountId) -> u128 {
		Self::at_stake(offender, Self::exposed(offender))
	}

	/// All that stands behind those in office or, if that is more, those elected: for every class. Before the first
	/// set is in office there are only the latter.
	fn total_stake(_class: OffenceClass) -> u128 {
		let active = ActiveEra::<T>::get().map(|era| era.index);
		let eras = [active, CurrentEra::<T>::get()].into_iter().flatten();
		let most = eras.map(ErasTotalStake::<T>::get).max().unwrap_or_default();
		most.saturating_add(SuspectedStake::<T>::get())
	}

	fn suspect(offender: &T::AccountId, amount: u128) -> Result<TrancheId, DispatchError> {
		frame_support::storage::with_storage_layer(|| {
			Self::do_suspect(offender, amount, Self::exposed(offender))
		})
	}

	fn stake_behind(offender: &T::AccountId, first: &TrancheId) -> u128 {
		Self::at_stake(offender, Self::exposed_then(offender, *first))
	}

	fn suspect_more(
		offender: &T::AccountId,
		first: &TrancheId,
		amount: u128,
	) -> Result<TrancheId, DispatchError> {
		frame_support::storage::with_storage_layer(|| {
			Self::do_suspect(offender, amount, Self::exposed_then(offender, *first))
		})
	}

	fn suspected(tranche: &TrancheId) -> u128 {
		Tranches::<T>::get(tranche).map_or(0, |tranche| tranche.rest())
	}

	fn apply(tranche: &TrancheId, amount: u128) -> Slashed<CreditOf<T>> {
		let mut slashed =
			Slashed { own: CreditOf::<T>::zero(), others: CreditOf::<T>::zero(), outstanding: 0 };
		let settled = Self::settle_tranche(
			*tranche,
			|own, others| split(own, others, amount),
			|part, some, mine| {
				Self::reduce(part, some);
				for (_, left) in part.exposed.iter_mut() {
					*left = left.saturating_sub(some);
				}
				let (credit, short) = T::Asset::slash(&Self::held(), &part.who, some);
				Self::expect_held(short == 0);
				match mine {
					true => slashed.own.subsume(credit),
					false => slashed.others.subsume(credit),
				}
			},
		);
		if let Some(Settled { offender, sum, .. }) = settled {
			Self::deposit_event(Event::StakeTaken { offender, id: *tranche, amount: sum });
		}
		slashed
	}

	fn restore(tranche: &TrancheId, amount: u128) {
		let mut returned = BTreeMap::<EraIndex, Vec<(T::AccountId, u128)>>::new();
		let settled = Self::settle_tranche(
			*tranche,
			|own, others| split_back(own, others, amount),
			|part, some, _| {
				Self::put_back(part, some);
				// An era in which less was behind the member gets it back last.
				let (who, rest) = (part.who.clone(), part.rest());
				for (era, left) in part.exposed.iter_mut() {
					let back = left.saturating_sub(rest);
					*left = left.saturating_sub(back);
					if back > 0 {
						returned.entry(*era).or_default().push((who.clone(), back));
					}
				}
			},
		);
		let Some(Settled { offender, sum }) = settled else { return };
		for (era, returned) in returned {
			Self::join_exposure(era, &offender, returned);
		}
		Self::deposit_event(Event::StakeRestored { offender, id: *tranche, amount: sum });
	}
}
