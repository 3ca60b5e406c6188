//! Who is challenged.

use crate::{
	Batch, Batches, Config, EconomyOf, Event, Pallet, Queues, RecordOf, RelayRandomness, Sessions,
	SlotCount, Slots, WeightInfo,
	pallet::Unexpected,
	types::{SessionId, Stamp},
};
use alloc::collections::BTreeSet;
use codec::Encode;
use frame_support::{BoundedVec, defensive, traits::Get, weights::WeightMeter};
use phala_primitives::WorkerKey;
use phala_tokenomics::{Phase, Versions, challenge};
use sp_core::H256;
use sp_io::hashing::blake2_256;

/// Separates these draws from other uses of the randomness.
const DOMAIN: &str = "phala/mining/draw/1";

/// `k` different numbers below `n`, all sets of them equally likely (Floyd; Bentley and Floyd, "A
/// sample of brilliance", CACM 30(9), 1987). All of them if `k` is at least `n`.
pub(crate) fn sample(seed: H256, n: u32, k: u32) -> BTreeSet<u32> {
	let mut drawn = BTreeSet::new();
	for last in n.saturating_sub(k)..n {
		// 128 bits: the remainder is off an equal chance by less than 2⁻⁹⁶.
		let hash = blake2_256(&(seed, last).encode());
		let random = hash.first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes));
		let place = random.checked_rem(u128::from(last).saturating_add(1)).unwrap_or(0) as u32;
		if !drawn.insert(place) {
			drawn.insert(last);
		}
	}
	drawn
}

impl<T: Config> Pallet<T> {
	/// This moment, as challenges are stamped.
	pub(crate) fn stamp(economy: &EconomyOf<T>) -> Stamp {
		Stamp {
			block: Self::height(),
			relay: economy.accumulator.now().relay,
			admitted: economy.clock.admitted,
			measured: economy.clock.measured,
		}
	}

	/// Draws the challenged of this relay-chain block.
	pub(crate) fn draw(economy: &EconomyOf<T>, versions: &Versions, meter: &mut WeightMeter) {
		if !T::Admission::get() || meter.try_consume(T::WeightInfo::poll_draw(0)).is_err() {
			return;
		}
		if economy.accumulator.now().relay <= Queues::<T>::get().drawn {
			return;
		}
		let count = SlotCount::<T>::get();
		let each = T::WeightInfo::poll_draw(1).saturating_sub(T::WeightInfo::poll_draw(0));
		let affordable = meter.remaining().checked_div_per_component(&each);
		let most = affordable.map_or(u32::MAX, |n| u32::try_from(n).unwrap_or(u32::MAX));
		let draws = challenge::draws(count, T::MaxDraws::get()).min(most);
		meter.consume(each.saturating_mul(draws.into()));
		Self::draw_some(economy, versions, count, draws);
	}

	/// Draws so many of the first `count` workers, if there is randomness.
	pub(crate) fn draw_some(economy: &EconomyOf<T>, versions: &Versions, count: u32, draws: u32) {
		let Some(randomness) = T::Randomness::current() else { return };
		let at = Self::stamp(economy);
		Queues::<T>::mutate(|queue| queue.drawn = at.relay);
		let seed = H256(blake2_256(&(DOMAIN, randomness, at.relay, at.block).encode()));
		let mut workers = BoundedVec::new();
		for place in sample(seed, count, draws) {
			let Some(worker) = Slots::<T>::get(place) else {
				defensive!("the dense list has no gaps");
				Self::deposit_event(Event::Unexpected { kind: Unexpected::SlotGap });
				continue;
			};
			Sessions::<T>::mutate(worker, |record| {
				let Some(record) = record else { return };
				if Self::can_be_drawn(record, economy, versions) {
					record.challenge = Some(at);
					// No more are drawn than fit.
					let _ = workers.try_push((worker, record.id));
				}
			});
		}
		Self::add_batch(at, workers);
	}

	/// Issues a settling challenge, unless one is open. The caller stores the record.
	pub(crate) fn issue(worker: &WorkerKey, record: &mut RecordOf<T>, economy: &EconomyOf<T>) {
		if record.challenge.is_some() {
			return;
		}
		let at = Self::stamp(economy);
		record.challenge = Some(at);
		let mut workers = BoundedVec::new();
		// A batch has room for one.
		let _ = workers.try_push((*worker, record.id));
		Self::add_batch(at, workers);
	}

	fn can_be_drawn(record: &RecordOf<T>, economy: &EconomyOf<T>, versions: &Versions) -> bool {
		record.challenge.is_none()
			&& match record.money.phase() {
				Phase::Computing(_) => true,
				Phase::Unresponsive => Self::probation_left(record, economy, versions) == 0,
				Phase::CoolingDown => false,
			}
	}

	/// Steps that an unresponsive worker still waits.
	pub(crate) fn probation_left(
		record: &RecordOf<T>,
		economy: &EconomyOf<T>,
		versions: &Versions,
	) -> u32 {
		let waited = economy.accumulator.now().active.saturating_sub(record.money.at().active);
		versions.current().probation.saturating_sub(waited)
	}

	fn add_batch(at: Stamp, workers: BoundedVec<(WorkerKey, SessionId), T::MaxDraws>) {
		if workers.is_empty() {
			return;
		}
		Self::deposit_event(Event::Challenged { workers: workers.clone() });
		Queues::<T>::mutate(|queue| {
			Batches::<T>::insert(queue.next, Batch { at, workers });
			queue.next = queue.next.saturating_add(1);
		});
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn samples_are_distinct_and_in_range() {
		for n in 0..60 {
			for k in 0..=n {
				let drawn = sample(H256::repeat_byte(n as u8), n, k);
				assert_eq!(drawn.len(), k as usize);
				assert!(drawn.iter().all(|place| *place < n));
			}
		}
		assert_eq!(sample(H256::zero(), 3, 7), BTreeSet::from([0, 1, 2]));
		assert_eq!(sample(H256::zero(), 0, 7), BTreeSet::new());
	}

	#[test]
	fn everybody_has_the_same_chance() {
		let (n, k, rounds) = (40u32, 10, 8_000u32);
		let mut hits = [0u32; 40];
		for round in 0..rounds {
			for place in sample(H256::from_low_u64_be(round.into()), n, k) {
				hits[place as usize] += 1;
			}
		}
		// 2000 each, with a standard deviation of 39: six of them.
		assert!(hits.iter().all(|hits| hits.abs_diff(2_000) < 234), "{hits:?}");
	}
}
