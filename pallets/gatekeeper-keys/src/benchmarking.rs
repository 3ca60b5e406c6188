//! Worst cases of the calls and steps, with real members: handovers from 32 to 32.

mod stage;

pub use stage::{BenchmarkHelper, requests_of};

use crate::{Call, *};
use alloc::boxed::Box;
use frame_benchmarking::v2::*;
use frame_support::{
	assert_ok,
	pallet_prelude::TransactionSource,
	traits::{Authorize, EnsureOrigin, Get},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use phala_primitives::Gatekeepers;
use stage::{Stage, last, step, wait};

/// Lets 32 gatekeepers hold a key. No ceremony is under way.
pub fn in_office<T: Config>() {
	let _ = Stage::<T>::in_office();
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() {
		let mut stage = Stage::<T>::handover();
		let (statement, signature) = stage.registration(last());
		#[extrinsic_call]
		register(RawOrigin::Authorized, Box::new(statement), signature);
		let attempt = Current::<T>::get().expect("it is under way");
		assert!(attempt.keys.contains(last()) && attempt.digests.contains(last()));
	}

	#[benchmark]
	fn authorize_register() {
		let mut stage = Stage::<T>::handover();
		let (statement, signature) = stage.registration(last());
		let call = Call::<T>::register { statement: Box::new(statement), signature };
		let verdict;
		#[block]
		{
			verdict = call.authorize(TransactionSource::External);
		}
		assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
	}

	#[benchmark]
	fn deal() {
		let mut stage = Stage::<T>::handover();
		stage.register();
		let (statement, signature) = stage.dealing(last());
		#[extrinsic_call]
		deal(RawOrigin::Authorized, Box::new(statement), signature);
		assert!(Current::<T>::get().is_some_and(|attempt| attempt.dealings.contains(last())));
	}

	#[benchmark]
	fn authorize_deal() {
		let mut stage = Stage::<T>::handover();
		stage.register();
		let (statement, signature) = stage.dealing(last());
		let call = Call::<T>::deal { statement: Box::new(statement), signature };
		let verdict;
		#[block]
		{
			verdict = call.authorize(TransactionSource::External);
		}
		assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
	}

	#[benchmark]
	fn complain() {
		let mut stage = Stage::<T>::handover();
		stage.register();
		stage.deal();
		let (statement, signature) = stage.false_complaint(last());
		#[extrinsic_call]
		complain(RawOrigin::Authorized, Box::new(statement), signature);
		let attempt = Current::<T>::get().expect("it is under way");
		assert!(attempt.faults.false_complaint.contains(last()));
	}

	#[benchmark]
	fn authorize_complain() {
		let mut stage = Stage::<T>::handover();
		stage.register();
		stage.deal();
		let (statement, signature) = stage.false_complaint(last());
		let call = Call::<T>::complain { statement: Box::new(statement), signature };
		let verdict;
		#[block]
		{
			verdict = call.authorize(TransactionSource::External);
		}
		assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
	}

	/// In place of another.
	#[benchmark]
	fn request() {
		let mut stage = Stage::<T>::in_office();
		stage.ask();
		wait::<T>(1);
		let (statement, signature) = stage.request();
		#[extrinsic_call]
		request(RawOrigin::Authorized, Box::new(statement), signature);
		assert_eq!(Requests::<T>::count(), 2);
	}

	#[benchmark]
	fn authorize_request() {
		let mut stage = Stage::<T>::in_office();
		stage.ask();
		wait::<T>(1);
		let (statement, signature) = stage.request();
		let call = Call::<T>::request { statement: Box::new(statement), signature };
		let verdict;
		#[block]
		{
			verdict = call.authorize(TransactionSource::External);
		}
		assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
	}

	/// In place of another, while a key is handed over.
	#[benchmark]
	fn request_guard() {
		let mut stage = Stage::<T>::handover();
		stage.ask_guard();
		wait::<T>(1);
		let (statement, signature) = stage.guard_request();
		#[extrinsic_call]
		request_guard(RawOrigin::Authorized, Box::new(statement), signature);
		assert_eq!(Requests::<T>::count(), 2);
	}

	#[benchmark]
	fn authorize_request_guard() {
		let mut stage = Stage::<T>::handover();
		stage.ask_guard();
		wait::<T>(1);
		let (statement, signature) = stage.guard_request();
		let call = Call::<T>::request_guard { statement: Box::new(statement), signature };
		let verdict;
		#[block]
		{
			verdict = call.authorize(TransactionSource::External);
		}
		assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
	}

	/// The one that fulfils the request.
	#[benchmark]
	fn answer() {
		let mut stage = Stage::<T>::in_office();
		stage.ask();
		stage.answer(16);
		let partial = stage.partial(last());
		#[extrinsic_call]
		answer(RawOrigin::Authorized, 0, last(), Box::new(partial));
		assert!(Requests::<T>::get(0).is_some_and(|open| open.fulfilled));
	}

	#[benchmark]
	fn authorize_answer() {
		let mut stage = Stage::<T>::in_office();
		stage.ask();
		stage.answer(16);
		let partial = Box::new(stage.partial(last()));
		let call = Call::<T>::answer { id: 0, seat: last(), partial };
		let verdict;
		#[block]
		{
			verdict = call.authorize(TransactionSource::External);
		}
		assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
	}

	#[benchmark]
	fn rotate() -> Result<(), BenchmarkError> {
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		CurrentEpoch::<T>::put(0);
		#[extrinsic_call]
		rotate(origin as T::RuntimeOrigin, true);
		assert!(Rotations::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn cancel_rotation() -> Result<(), BenchmarkError> {
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		Rotations::<T>::put(Rotation { replace: true, trial: Trial::default() });
		#[extrinsic_call]
		cancel_rotation(origin as T::RuntimeOrigin);
		assert!(!Rotations::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn retire() -> Result<(), BenchmarkError> {
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		Stage::<T>::in_office().age_key();
		#[extrinsic_call]
		retire(origin as T::RuntimeOrigin, 0);
		assert!(LiveKeys::<T>::get(0).is_none());
		Ok(())
	}

	#[benchmark]
	fn retry() -> Result<(), BenchmarkError> {
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		Stage::<T>::handover();
		wait::<T>(T::CommitPeriod::get());
		step::<T>();
		assert!(!NextSet::<T>::get().unwrap().trial.excluded.is_empty());
		#[extrinsic_call]
		retry(origin as T::RuntimeOrigin);
		assert!(NextSet::<T>::get().unwrap().trial.excluded.is_empty());
		Ok(())
	}

	#[benchmark]
	fn abort() -> Result<(), BenchmarkError> {
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let mut stage = Stage::<T>::handover();
		stage.register();
		stage.deal();
		#[extrinsic_call]
		abort(origin as T::RuntimeOrigin);
		assert!(LastFailure::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn on_set_elected() {
		let stage = Stage::<T>::in_office();
		let elected = stage.candidates(2 * types::MAX_SEATS);
		wait::<T>(T::RefreshPeriod::get());
		#[block]
		{
			assert_ok!(Pallet::<T>::on_set_elected(elected));
		}
		assert_eq!(NextSet::<T>::get().unwrap().seats.len(), 32);
	}

	/// With a set that waits for the end of an old key, and a step that is found but has no room.
	#[benchmark]
	fn serve() {
		let mut stage = Stage::<T>::elected();
		stage.age_key();
		stage.ask();
		stage.expire();
		LastSeen::<T>::put(Pallet::<T>::now());
		wait::<T>(T::StallAfter::get().saturating_add(1));
		let mut meter = WeightMeter::with_limit(T::WeightInfo::serve());
		#[block]
		{
			Pallet::<T>::serve(&mut meter);
		}
		assert!(StalledFor::<T>::get() > 0);
		assert_eq!(meter.consumed(), T::WeightInfo::serve());
		assert!(LastBlamed::<T>::iter().next().is_none());
	}

	#[benchmark]
	fn step_open() {
		Stage::<T>::elected();
		#[block]
		{
			step::<T>();
		}
		assert!(Current::<T>::get().is_some_and(|attempt| attempt.from.is_some()));
	}

	/// Nobody registers: 64 faults.
	#[benchmark]
	fn step_close() {
		Stage::<T>::handover();
		wait::<T>(T::CommitPeriod::get());
		#[block]
		{
			step::<T>();
		}
		assert_eq!(LastFailure::<T>::get().unwrap().faulty.len(), 64);
	}

	#[benchmark]
	fn step_aggregate() {
		Stage::<T>::aggregating();
		step::<T>();
		#[block]
		{
			step::<T>();
		}
		assert!(Progress::<T>::exists());
	}

	#[benchmark]
	fn step_derive() {
		Stage::<T>::deriving();
		let number = Current::<T>::get().unwrap().number();
		#[block]
		{
			step::<T>();
		}
		assert!(VerificationShares::<T>::contains_key(number, ceremony::FIRST));
	}

	#[benchmark]
	fn step_install() {
		Stage::<T>::deriving();
		(0..32).for_each(|_| step::<T>());
		let number = Current::<T>::get().unwrap().number();
		#[block]
		{
			step::<T>();
		}
		assert_eq!(LiveKeys::<T>::get(0).unwrap().number, number);
	}

	#[benchmark]
	fn step_report() {
		let mut stage = Stage::<T>::handover();
		stage.register();
		stage.deal_badly();
		stage.complain();
		wait::<T>(T::ComplainPeriod::get());
		while !matches!(Current::<T>::get().unwrap().phase, Phase::Reporting) {
			step::<T>();
		}
		let unreported = |attempt: Attempt| attempt.unreported.bad_share.len();
		let before = Current::<T>::get().map(unreported);
		#[block]
		{
			step::<T>();
		}
		assert_eq!((before, Current::<T>::get().map(unreported)), (Some(1), Some(0)));
	}

	#[benchmark]
	fn step_clear() {
		Stage::<T>::deriving();
		Current::<T>::mutate(|attempt| {
			let attempt = attempt.as_mut().unwrap();
			attempt.failed = Some(types::WhyFailed::Aborted);
			attempt.phase = Phase::Clearing { next: last() };
		});
		#[block]
		{
			step::<T>();
		}
		assert!(!Current::<T>::exists());
	}

	#[benchmark]
	fn step_tidy() {
		Stage::<T>::in_office();
		let (number, next) = (LiveKeys::<T>::take(0).unwrap().number, last());
		CurrentEpoch::<T>::kill();
		LastBlamed::<T>::insert(number, Silence::default());
		Trash::<T>::put(frame_support::BoundedVec::truncate_from(alloc::vec![Garbage {
			number,
			next
		}]));
		#[block]
		{
			step::<T>();
		}
		assert!(Trash::<T>::get().is_empty() && !Sets::<T>::contains_key(number));
	}

	#[benchmark]
	fn step_end_epoch() {
		Stage::<T>::in_office().age_key();
		wait::<T>(T::RetirementPeriod::get());
		#[block]
		{
			step::<T>();
		}
		assert!(LiveKeys::<T>::get(0).is_none());
	}

	/// Of a guard while the key is handed over: whether it was owed takes most to find out.
	#[benchmark]
	fn step_blame() {
		let mut stage = Stage::<T>::handover();
		stage.ask_guard();
		stage.answer(15);
		stage.expire();
		#[block]
		{
			step::<T>();
		}
		let blamed = LastBlamed::<T>::iter_values().next().expect("somebody was silent");
		assert_eq!((blamed.seats.len(), Requests::<T>::count()), (1, 1));
	}

	/// As there, with too few answers of the shares in use and all of others, when all have been reported.
	#[benchmark]
	fn step_forget() {
		let mut stage = Stage::<T>::handover();
		stage.ask_guard();
		stage.answer(16);
		stage.store_all();
		stage.expire();
		stage.blame_all();
		#[block]
		{
			step::<T>();
		}
		assert_eq!(Requests::<T>::count(), 0);
		assert_eq!(Partials::<T>::iter().count(), 0);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
