//! The pool's side of fee-free messages.
//!
//! A message that is not awaited *yet*, or that a node may not know the reason for yet, is unknown
//! rather than invalid. A pool may ban the one as the other for half an hour: who repeats it gives the
//! transaction another number.

use crate::{types::*, *};
use codec::Encode;
use frame_support::pallet_prelude::{
	InvalidTransaction, TransactionPriority, TransactionValidityError,
	TransactionValidityWithRefund, UnknownTransaction, ValidTransaction, Weight,
};
use phala_primitives::{
	ComplaintStatement, DealingStatement, GuardRequestStatement, KeyRequestStatement,
	RegistrationStatement, WorkerSignature,
};
use phala_threshold::{MemberIndex, Partial};

/// Blocks for which a message stays in a pool. Members repeat what was not included.
const LONGEVITY: u64 = 64;

/// Who is late in a ceremony is slashed; answers are many, and have time; requests can wait a little. The
/// highest priority is that of workers' heartbeats.
const CEREMONY: TransactionPriority = TransactionPriority::MAX / 4 * 3;
const MEMBERS: TransactionPriority = TransactionPriority::MAX / 2;
const WORKERS: TransactionPriority = TransactionPriority::MAX / 4;

fn valid(
	priority: TransactionPriority,
	tags: impl IntoIterator<Item = impl Encode>,
) -> TransactionValidityWithRefund {
	let prefix = ValidTransaction::with_tag_prefix("GatekeeperKeys").priority(priority);
	let tagged = tags.into_iter().fold(prefix, |valid, tag| valid.and_provides(tag));
	tagged.longevity(LONGEVITY).propagate(true).build().map(|valid| (valid, Weight::zero()))
}

impl<T> From<Error<T>> for TransactionValidityError {
	fn from(error: Error<T>) -> Self {
		let unknown = |code| UnknownTransaction::Custom(code).into();
		match error {
			Error::CeremonyNotFound => unknown(0),
			Error::WrongPhase => unknown(1),
			Error::RequestNotFound => unknown(2),
			Error::EpochNotLive => unknown(3),
			Error::NotAttested => unknown(4),
			Error::NotEntitled => unknown(5),
			Error::TooManyRequests => unknown(6),
			Error::NoDealing => unknown(7),
			Error::NotValidNow => unknown(8),
			Error::AlreadyDone => InvalidTransaction::Stale.into(),
			Error::NotASeat | Error::NotCommitted => InvalidTransaction::BadSigner.into(),
			Error::BadSignature => InvalidTransaction::BadProof.into(),
			Error::Protocol(_) => InvalidTransaction::BadProof.into(),
			_ => InvalidTransaction::Call.into(),
		}
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn authorize_register(
		statement: &RegistrationStatement,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let message = Self::examine_registration(statement, signature)?;
		let key = message.receives.map(|seat| (0u8, statement.ceremony, seat));
		let digest = message.deals.map(|seat| (1u8, statement.ceremony, seat));
		valid(CEREMONY, key.into_iter().chain(digest))
	}

	pub(crate) fn authorize_deal(
		statement: &DealingStatement,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let message = Self::examine_dealing(statement, signature)?;
		valid(CEREMONY, [(2u8, statement.ceremony, message.dealer)])
	}

	pub(crate) fn authorize_complain(
		statement: &ComplaintStatement,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let message = Self::examine_complaint(statement, signature)?;
		valid(CEREMONY, [(3u8, statement.ceremony, message.complainer, statement.dealer)])
	}

	pub(crate) fn authorize_request(
		statement: &KeyRequestStatement,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		Self::examine_request(statement, signature)?;
		valid(WORKERS, [(4u8, statement.worker, statement.input)])
	}

	pub(crate) fn authorize_guard(
		statement: &GuardRequestStatement,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		Self::examine_guard_request(statement, signature)?;
		valid(MEMBERS, [(6u8, statement.member, statement.input())])
	}

	pub(crate) fn authorize_answer(
		id: RequestId,
		seat: MemberIndex,
		partial: &Partial,
	) -> TransactionValidityWithRefund {
		Self::examine_answer(id, seat, partial)?;
		valid(MEMBERS, [(5u8, id, seat)])
	}
}
