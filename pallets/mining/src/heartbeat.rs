//! Answers to challenges: what admits one, and what it does.

use crate::{
	Authorship, Config, EconomyOf, Error, Pallet, Sessions, State, WeightInfo, clock::Window,
	types::Stamp,
};
use codec::Encode;
use frame_support::{
	pallet_prelude::{
		DispatchResultWithPostInfo, InvalidTransaction, TransactionSource,
		TransactionValidityError, TransactionValidityWithRefund, ValidTransaction,
	},
	traits::Get,
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use phala_primitives::{BlockRef, ChainId, HeartbeatStatement, Statement, WorkerSignature};
use sp_core::H256;
use sp_runtime::{
	traits::{UniqueSaturatedInto, Zero},
	transaction_validity::TransactionPriority,
};

/// Blocks by which the block that asks can be ahead of this one, so that its answer is early. Beyond, it
/// is not: pools keep what is early, so that it has to end.
pub(crate) const AHEAD: u32 = 64;

impl<T: Config> Pallet<T> {
	/// Whether a heartbeat may enter the pool and a block. What is cheap comes first: the signature is
	/// looked at only if an open challenge waits for exactly this answer.
	///
	/// An answer to a challenge that is not open here is early as long as its block is not there yet, and
	/// late for good from then on: a block asks once, and only on its own fork. It is never *unknown*. What
	/// is so on one fork, a fork-aware pool may throw out on all; what is *future* or *stale*, it does not.
	pub(crate) fn authorize_answer(
		_: TransactionSource,
		statement: &HeartbeatStatement,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let HeartbeatStatement { worker, session, challenge, .. } = statement;
		let ahead = challenge.number.checked_sub(Self::height());
		let early = ahead.is_some_and(|blocks| blocks < AHEAD);
		let unasked = if early { InvalidTransaction::Future } else { InvalidTransaction::Stale };
		let unasked = TransactionValidityError::from(unasked);
		let record = Sessions::<T>::get(worker).ok_or(unasked)?;
		let open = record.challenge.filter(|_| *session == record.id).ok_or(unasked)?;
		let asked = BlockRef { number: open.block, hash: Self::hash_of(open.block) };
		if *challenge != asked || asked.hash.is_zero() {
			return Err(unasked);
		}
		let economy = State::<T>::get().ok_or(unasked)?;
		if Self::is_overdue(&economy, &open) {
			return Err(InvalidTransaction::Stale.into());
		}
		let message = statement.message(&Self::chain_id());
		if !sp_io::crypto::sr25519_verify(signature, &message, worker) {
			return Err(InvalidTransaction::BadProof.into());
		}
		let tag = (T::ParaId::get(), worker, session, open.block);
		let valid = ValidTransaction {
			priority: TransactionPriority::MAX,
			requires: Default::default(),
			provides: [("phala/mining/heartbeat", tag).encode()].into(),
			longevity: T::AnswerWindow::get().into(),
			propagate: true,
		};
		Ok((valid, Weight::zero()))
	}

	/// Takes an answer that was authorized.
	pub(crate) fn do_heartbeat(statement: HeartbeatStatement) -> DispatchResultWithPostInfo {
		let worker = statement.worker;
		let ordinary = Self::act::<_, Error<T>>(|economy, versions| {
			let mut record = Sessions::<T>::get(worker).ok_or(Error::<T>::NoSession)?;
			let at = record.challenge.take().ok_or(Error::<T>::NoChallenge)?;
			economy.guard.record(false);
			Ok(Self::answered(worker, record, at, statement.iterations, economy, versions))
		})?;
		Ok(ordinary.then(T::WeightInfo::heartbeat_ordinary).into())
	}

	/// Is an answer to a challenge of then too late in this block?
	pub(crate) fn is_overdue(economy: &EconomyOf<T>, at: &Stamp) -> bool {
		let window = Self::window();
		economy.clock.is_overdue(at, economy.accumulator.now().relay, &window)
	}

	pub(crate) fn window() -> Window {
		Window {
			relay: T::AnswerWindow::get(),
			blocks: T::AnswerBlocks::get(),
			authors: T::Authors::authors(),
		}
	}

	/// Number of the present block.
	pub(crate) fn height() -> u32 {
		frame_system::Pallet::<T>::block_number().unique_saturated_into()
	}

	/// Hash of an earlier block; zero if the chain has forgotten it, or if it is the present one.
	pub(crate) fn hash_of(block: u32) -> H256 {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(block))
	}

	/// This chain, as statements name it.
	pub(crate) fn chain_id() -> ChainId {
		// The hash of block 0 is never pruned.
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
		ChainId { genesis, para_id: T::ParaId::get() }
	}
}
