//! What a worker's key states: its score and its endpoint.

use crate::{
	types::{Score, StatementError},
	*,
};
use frame_support::{ensure, pallet_prelude::*};
use phala_primitives::{
	BenchmarkStatement, EndpointStatement, Statement, WorkerKey, WorkerSignature,
};

impl<T: Config> From<StatementError> for Error<T> {
	fn from(error: StatementError) -> Self {
		Self::Statement(error)
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_report_score(
		statement: &BenchmarkStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let key = statement.worker;
		let mut worker = Self::stating(&key)?;
		let score = Self::believable_score(statement)?;
		ensure!(
			worker.score.is_none_or(|last| last.started_at < score.started_at),
			Error::<T>::from(StatementError::NotNewer)
		);
		Self::ensure_signed_by(statement, &key, signature)?;
		worker.score = Some(score);
		Workers::<T>::insert(key, worker);
		Self::deposit_event(Event::ScoreReported { worker: key, score: score.value });
		Ok(())
	}

	/// The score, if the run began at a recent block of ours, was long enough, and took about as long
	/// by the worker's clock as by the chain's.
	fn believable_score(statement: &BenchmarkStatement) -> Result<Score, Error<T>> {
		let policy = CurrentPolicy::<T>::get();
		let blocks = Self::age_of(&statement.started_at).map_err(|error| match error {
			impls::Unrecognised::TooOld => StatementError::BlockTooOld,
			impls::Unrecognised::Unknown => StatementError::BlockUnknown,
			impls::Unrecognised::OtherFork => StatementError::BlockOnOtherFork,
		})?;
		ensure!(statement.elapsed_ms >= policy.min_benchmark_ms, StatementError::TooShort);
		// Blocks may come late but never early, so this is the least time that can have passed. A
		// clock that saw much less of it was slowed down to inflate the score.
		let passed = u64::from(blocks).saturating_mul(T::MinMillisPerBlock::get());
		ensure!(
			statement.elapsed_ms.saturating_add(policy.benchmark_slack_ms) >= passed,
			StatementError::ClockTooSlow
		);
		let value = statement
			.score()
			.filter(|score| (1..=policy.max_score).contains(score))
			.ok_or(StatementError::ScoreOutOfBounds)?;
		Ok(Score { value, started_at: statement.started_at.number })
	}

	pub(crate) fn do_set_endpoint(
		statement: EndpointStatement,
		signature: &WorkerSignature,
	) -> DispatchResult {
		let key = statement.worker;
		let mut worker = Self::stating(&key)?;
		ensure!(
			statement.sequence > worker.endpoint_sequence,
			Error::<T>::from(StatementError::NotNewer)
		);
		ensure!(statement.is_plausible(), Error::<T>::from(StatementError::ImplausibleEndpoint));
		Self::ensure_signed_by(&statement, &key, signature)?;
		worker.endpoint = statement.endpoint.clone();
		worker.endpoint_sequence = statement.sequence;
		Workers::<T>::insert(key, worker);
		Self::deposit_event(Event::EndpointSet { worker: key, endpoint: statement.endpoint });
		Ok(())
	}

	/// A worker whose statements count: one that is attested now.
	fn stating(key: &WorkerKey) -> Result<WorkerOf<T>, Error<T>> {
		let worker = Workers::<T>::get(key).ok_or(Error::<T>::WorkerNotFound)?;
		ensure!(Self::counts(&worker, 0), Error::<T>::NotAttested);
		Ok(worker)
	}

	fn ensure_signed_by(
		statement: &impl Statement,
		worker: &WorkerKey,
		signature: &WorkerSignature,
	) -> Result<(), Error<T>> {
		let message = statement.message(&Self::chain_id());
		ensure!(
			sp_io::crypto::sr25519_verify(signature, &message, worker),
			StatementError::BadSignature
		);
		Ok(())
	}
}
