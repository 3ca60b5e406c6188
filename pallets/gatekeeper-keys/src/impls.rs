//! Small questions that everything else asks.

use crate::{types::*, *};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::Get;
use phala_attestation::Role;
use phala_primitives::{AttestedWorkers, ChainId, Seat, Statement, WorkerKey, WorkerSignature};
use phala_threshold::{CeremonyId, MemberIndex};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, BlockNumberProvider, Hash, Zero};

impl<T: Config> Pallet<T> {
	/// This moment, in relay-chain blocks.
	pub(crate) fn now() -> u32 {
		T::BlockNumberProvider::current_block_number()
	}

	/// The pallet's clock: relay-chain blocks without those in which the chain stood still. Deadlines
	/// are on it, so that nobody is late because there were no blocks.
	pub(crate) fn time() -> u32 {
		Self::now().saturating_sub(StalledFor::<T>::get())
	}

	/// The relay-chain block of a moment to come, if the chain does not stand still meanwhile.
	pub(crate) fn relay_block(time: u32) -> u32 {
		time.saturating_add(StalledFor::<T>::get())
	}

	pub(crate) fn chain_id() -> ChainId {
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
		// Hashes of other lengths do not occur; what is cut off or added is the same for everybody.
		let mut bytes = H256::zero();
		bytes.0.iter_mut().zip(genesis.as_ref()).for_each(|(to, from)| *to = *from);
		ChainId { genesis: bytes, para_id: T::ParaId::get() }
	}

	/// The current key.
	pub(crate) fn current_key() -> Option<(u32, LiveKey)> {
		let epoch = CurrentEpoch::<T>::get()?;
		Some((epoch, LiveKeys::<T>::get(epoch)?))
	}

	/// The key before the current one, while it is in use.
	pub(crate) fn old_key() -> Option<(u32, LiveKey)> {
		let epoch = CurrentEpoch::<T>::get()?.checked_sub(1)?;
		Some((epoch, LiveKeys::<T>::get(epoch)?))
	}

	/// Names a set.
	pub(crate) fn hash_of(seats: &[Seat<T::AccountId>]) -> H256 {
		BlakeTwo256::hash_of(&seats)
	}

	/// The ceremony under way, if it is that one.
	pub(crate) fn attempt(id: &CeremonyId) -> Result<Attempt, Error<T>> {
		Current::<T>::get()
			.filter(|attempt| attempt.ceremony.id() == *id)
			.ok_or(Error::CeremonyNotFound)
	}

	/// The seat of `worker` in the set of a ceremony.
	pub(crate) fn seat_of(number: CeremonyNumber, worker: &WorkerKey) -> Option<MemberIndex> {
		let position = Sets::<T>::get(number).iter().position(|seat| seat.worker == *worker)?;
		seat_at(position)
	}

	/// Who has a seat in the set of a ceremony.
	pub(crate) fn holder_of(
		number: CeremonyNumber,
		seat: MemberIndex,
	) -> Option<Seat<T::AccountId>> {
		let position = usize::from(seat.get()).checked_sub(1)?;
		Sets::<T>::get(number).into_iter().nth(position)
	}

	/// Is `worker` attested as a gatekeeper, or was it until `grace` seconds ago?
	pub(crate) fn is_gatekeeper(worker: &WorkerKey, grace: u64) -> bool {
		T::Workers::attested_within(worker, grace)
			.is_some_and(|attested| attested.role == Role::Gatekeeper)
	}

	/// Did `worker` sign the statement for this chain?
	pub(crate) fn ensure_signed_by(
		statement: &impl Statement,
		worker: &WorkerKey,
		signature: &WorkerSignature,
	) -> Result<(), Error<T>> {
		let message = statement.message(&Self::chain_id());
		match sp_io::crypto::sr25519_verify(signature, &message, worker) {
			true => Ok(()),
			false => Err(Error::BadSignature),
		}
	}

	/// A hash commitment to a set, for [`phala_threshold::Ceremony::members`].
	pub(crate) fn members_hash(seats: &[Seat<T::AccountId>]) -> [u8; 32] {
		sp_io::hashing::blake2_256(&("phala/gatekeeper/set/1", seats.to_vec()).encode())
	}

	/// All sets that hold a key in use.
	pub(crate) fn live_numbers() -> Vec<CeremonyNumber> {
		[Self::current_key(), Self::old_key()]
			.into_iter()
			.flatten()
			.map(|(_, key)| key.number)
			.collect()
	}
}

/// The seat at a position in a list of seats.
pub(crate) fn seat_at(position: usize) -> Option<MemberIndex> {
	let number = u8::try_from(position).ok()?.checked_add(1)?;
	MemberIndex::new(number).ok()
}
