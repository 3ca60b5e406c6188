//! Answers to challenges: what admits one, and what it does.

use crate::{
	Authorship, Config, EconomyOf, Error, Pallet, Sessions, State, WeightInfo, clock::Window,
	types::Stamp,
};
use codec::Encode;
use frame_support::{
	pallet_prelude::{
		DispatchResultWithPostInfo, InvalidTransaction, TransactionSource,
		TransactionValidityError, TransactionValidityWithRefund, UnknownTransaction,
		ValidTransaction,
	},
	traits::Get,
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use phala_primitives::{ChainId, HeartbeatStatement, Statement, WorkerSignature};
use sp_core::H256;
use sp_runtime::{
	traits::{UniqueSaturatedInto, Zero},
	transaction_validity::TransactionPriority,
};

impl<T: Config> Pallet<T> {
	/// Whether a heartbeat may enter the pool and a block. What is cheap comes first: the signature is
	/// looked at only if an open challenge waits for exactly this answer.
	///
	/// An answer to a challenge that this block does not know is *unknown* rather than invalid, as it may
	/// be valid on another fork or in the next block.
	pub(crate) fn authorize_answer(
		_: TransactionSource,
		statement: &HeartbeatStatement,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let unknown = TransactionValidityError::from(UnknownTransaction::CannotLookup);
		let stale = TransactionValidityError::from(InvalidTransaction::Stale);
		let record = Sessions::<T>::get(statement.worker).ok_or(unknown)?;
		if statement.session < record.id {
			return Err(stale);
		}
		let open = record.challenge.filter(|_| statement.session == record.id).ok_or(unknown)?;
		if statement.challenge.number < open.block {
			return Err(stale);
		}
		if statement.challenge.number != open.block
			|| statement.challenge.hash != Self::hash_of(open.block)
		{
			return Err(unknown);
		}
		let economy = State::<T>::get().ok_or(unknown)?;
		if Self::is_overdue(&economy, &open) {
			return Err(stale);
		}
		let message = statement.message(&Self::chain_id());
		if !sp_io::crypto::sr25519_verify(signature, &message, &statement.worker) {
			return Err(InvalidTransaction::BadProof.into());
		}
		let tag = (T::ParaId::get(), statement.worker, statement.session, open.block);
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
