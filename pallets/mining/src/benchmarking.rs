//! Worst cases.

use crate::{
	clock::Clock,
	types::{Due, EndReason, MissReason},
	*,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{pallet_prelude::Authorize, traits::EnsureOrigin, weights::WeightMeter};
use frame_system::{Pallet as System, RawOrigin, pallet_prelude::BlockNumberFor};
use phala_primitives::{
	AttestationChange, BlockRef, HeartbeatStatement, OnAttestationChange, Statement,
	WorkerSignature,
};
use phala_tokenomics::PHA;
use sp_core::{H256, crypto::KeyTypeId};
use sp_runtime::{
	traits::{BlockNumberProvider, One, UniqueSaturatedInto},
	transaction_validity::TransactionSource,
};

/// The workers' keys in the client's keystore.
const KEY_TYPE: KeyTypeId = KeyTypeId(*b"pwrk");
const STAKE: u128 = 2_000 * PHA;

/// A block, `gap` relay-chain blocks after the last.
fn block<T: Config>(gap: u32) {
	let number = System::<T>::block_number();
	frame_system::BlockHash::<T>::insert(number, H256::repeat_byte(1));
	System::<T>::set_block_number(number + One::one());
	let relay = T::BlockNumberProvider::current_block_number() + gap;
	T::BlockNumberProvider::set_block_number(relay);
	Pallet::<T>::poll(System::<T>::block_number(), &mut WeightMeter::new());
}

/// The first block of an economy.
fn begin<T: Config>() {
	State::<T>::kill();
	T::BenchmarkHelper::fill_pot(700_000_000 * PHA);
	T::BlockNumberProvider::set_block_number(30_000_000);
	System::<T>::set_block_number(10u32.into());
	frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::from(0u32), H256::repeat_byte(2));
	Draws::forbid::<T>();
	block::<T>(1);
}

/// Keeps the hook from drawing: what is drawn is then up to the benchmark.
struct Draws;

impl Draws {
	fn forbid<T: Config>() {
		Queues::<T>::mutate(|queue| queue.drawn = u32::MAX);
	}

	fn allow<T: Config>() {
		Queues::<T>::mutate(|queue| queue.drawn = 0);
		T::Randomness::set(H256::repeat_byte(3));
	}
}

fn running<T: Config>(n: u32) -> WorkerKey {
	let worker = T::BenchmarkHelper::attest(n);
	let keeper = T::BenchmarkHelper::keeper();
	T::BenchmarkHelper::stake(&keeper, &worker, 2 * STAKE);
	<Pallet<T> as Mining<T::Keeper>>::start(&worker, keeper, STAKE).expect("it can start");
	worker
}

fn record<T: Config>(worker: &WorkerKey) -> RecordOf<T> {
	Sessions::<T>::get(worker).expect("it has a session")
}

/// Lets a worker miss a challenge.
fn miss<T: Config>(worker: &WorkerKey) {
	Pallet::<T>::act::<(), Error<T>>(|economy, versions| {
		Pallet::<T>::missed(*worker, record::<T>(worker), MissReason::NoAnswer, economy, versions);
		Ok(())
	})
	.expect("the economy began");
}

/// Time passes: the probation, and on a network with a short one some more; less than what ends a session.
fn be_silent<T: Config>() {
	let probation = Pallet::<T>::parameters().map_or(0, |parameters| parameters.probation);
	for _ in 0..(probation / 20 + 1).max(12) {
		block::<T>(20);
	}
}

/// A worker that was silent for a while, and is back with a part of its health.
fn wounded<T: Config>(n: u32) -> WorkerKey {
	let worker = running::<T>(n);
	miss::<T>(&worker);
	be_silent::<T>();
	Pallet::<T>::act::<(), Error<T>>(|economy, versions| {
		let at = Pallet::<T>::stamp(economy);
		Pallet::<T>::answered(worker, record::<T>(&worker), at, u64::MAX, economy, versions);
		Ok(())
	})
	.expect("the economy began");
	assert!(record::<T>(&worker).money.lost() > PHA / 2);
	worker
}

/// A worker that stays silent, and so has lost health.
fn silent<T: Config>(n: u32) -> WorkerKey {
	let worker = running::<T>(n);
	silence::<T>(&[worker]);
	worker
}

/// Lets workers that compute be silent until they have lost health, also for neighbours' benchmarks.
pub fn silence<T: Config>(workers: &[WorkerKey]) {
	workers.iter().for_each(miss::<T>);
	be_silent::<T>();
}

/// Lets the economy begin, unless it has, for neighbours' benchmarks.
pub fn begun<T: Config>() {
	if State::<T>::get().is_none() {
		begin::<T>();
	}
}

/// Ends a worker's session, and lets its cool-down be over.
pub fn cool<T: Config>(worker: &WorkerKey) {
	Pallet::<T>::act::<(), Error<T>>(|economy, versions| {
		let record = record::<T>(worker);
		if record.ended.is_none() {
			Pallet::<T>::end(*worker, record, EndReason::Stopped, economy, versions);
		}
		Ok(())
	})
	.expect("the economy began");
	Sessions::<T>::mutate(worker, |record| {
		record.as_mut().expect("it has a session").ended = Some(0);
	});
}

/// Challenges a worker as a keeper's command would.
fn challenge<T: Config>(worker: &WorkerKey) {
	let mut record = record::<T>(worker);
	let economy = State::<T>::get().expect("the economy began");
	Pallet::<T>::issue(worker, &mut record, &economy);
	Sessions::<T>::insert(worker, record);
}

/// The answer to a worker's open challenge.
fn answer<T: Config>(worker: &WorkerKey) -> (HeartbeatStatement, WorkerSignature) {
	let record = record::<T>(worker);
	let block = record.challenge.expect("it is challenged").block;
	let hash = Pallet::<T>::hash_of(block);
	let challenge = BlockRef { number: block, hash };
	let session = record.id;
	let statement =
		HeartbeatStatement { worker: *worker, session, challenge, iterations: 1_000_000 };
	let message = statement.message(&Pallet::<T>::chain_id());
	let signature = sp_io::crypto::sr25519_sign(KEY_TYPE, worker, &message).expect("a known key");
	(statement, signature)
}

/// What a worker answers that has earned for a while and that this block may hear.
fn asked<T: Config>() -> HeartbeatStatement {
	begin::<T>();
	let worker = running::<T>(1);
	block::<T>(20);
	challenge::<T>(&worker);
	block::<T>(1);
	answer::<T>(&worker).0
}

/// What answers earned and nobody has yet.
fn due<T: Config>() -> Due {
	State::<T>::get().expect("it is there").due
}

/// Lets the challenges that are open be due with the next block.
fn let_them_be_due<T: Config>() {
	let number: u32 = System::<T>::block_number().unique_saturated_into();
	let mut clock = Clock::default();
	for n in 1..=T::AnswerBlocks::get() + 2 {
		// Authors of the set's size, whoever they are.
		clock.admit(number + n, 1, Some(account::<T::AccountId>("author", n, 0)));
	}
	State::<T>::mutate(|economy| {
		let economy = economy.as_mut().expect("the economy began");
		clock.admitted += economy.clock.admitted;
		clock.measured += economy.clock.measured;
		economy.clock = clock;
	});
	System::<T>::set_block_number(
		System::<T>::block_number() + (T::AnswerBlocks::get() + 2).into(),
	);
	let relay = T::BlockNumberProvider::current_block_number();
	T::BlockNumberProvider::set_block_number(relay + T::AnswerWindow::get());
}

/// A step of the hook.
fn poll<T: Config>() {
	T::BlockNumberProvider::set_block_number(T::BlockNumberProvider::current_block_number() + 1);
	Pallet::<T>::poll(System::<T>::block_number(), &mut WeightMeter::new());
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn authorize_heartbeat() -> Result<(), BenchmarkError> {
		begin::<T>();
		let worker = running::<T>(1);
		challenge::<T>(&worker);
		block::<T>(1);
		let (statement, signature) = answer::<T>(&worker);
		let call = Call::<T>::heartbeat { statement, signature };

		#[block]
		{
			call.authorize(TransactionSource::External).ok_or("it needs to be authorized")??;
		}

		Ok(())
	}

	#[benchmark]
	fn heartbeat() {
		begin::<T>();
		let worker = wounded::<T>(1);
		// The last of the dense list takes its place.
		running::<T>(2);
		<Pallet<T> as Mining<T::Keeper>>::top_up(&worker, STAKE / 2).expect("it fits");
		<Pallet<T> as Mining<T::Keeper>>::stop(&worker).expect("it runs");
		// It is on another machine than at its last answer.
		Sessions::<T>::mutate(worker, |record| {
			let platform = &mut record.as_mut().expect("it has a session").platform;
			let before = core::mem::replace(platform, PlatformId::repeat_byte(4));
			PlatformValues::<T>::swap(before, *platform);
		});
		block::<T>(1);
		let (statement, signature) = answer::<T>(&worker);
		let before = record::<T>(&worker);
		assert!(before.stopping && before.top_up > 0 && before.money.lost() > 0);

		#[extrinsic_call]
		_(RawOrigin::Authorized, statement, signature);

		let record = record::<T>(&worker);
		assert_eq!((record.top_up, record.money.lost(), record.idle), (0, 0, 0));
		assert!(record.ended.is_some() && record.platform != before.platform);
		assert!(due::<T>().keepers > 0);
	}

	#[benchmark]
	fn heartbeat_ordinary() {
		let statement = asked::<T>();
		let ordinary;

		#[block]
		{
			ordinary = Pallet::<T>::do_heartbeat(statement).expect("it is in order").actual_weight;
		}

		assert_eq!(ordinary, Some(T::WeightInfo::heartbeat_ordinary()));
		assert!(due::<T>().keepers > 0);
	}

	#[benchmark]
	fn schedule_parameters() -> Result<(), BenchmarkError> {
		begin::<T>();
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let mut parameters = Pallet::<T>::parameters().expect("there are some");
		parameters.probation -= 1;
		let at = T::BlockNumberProvider::current_block_number() + 10;
		LastChange::<T>::put(0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, parameters.clone(), at);

		let versions = ParameterVersions::<T>::get().expect("there are some");
		assert_eq!(versions.next(), Some(&(at, parameters)));
		Ok(())
	}

	#[benchmark]
	fn unschedule_parameters() -> Result<(), BenchmarkError> {
		begin::<T>();
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let parameters = Pallet::<T>::parameters().expect("there are some");
		let at = T::BlockNumberProvider::current_block_number() + 10;
		Pallet::<T>::do_schedule(parameters, at).expect("nothing changes");

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);

		assert_eq!(ParameterVersions::<T>::get().expect("there are some").next(), None);
		Ok(())
	}

	#[benchmark]
	fn report_outage() {
		begin::<T>();
		let worker = silent::<T>(1);
		// As if the ledger had refused at the end; in a later block, as evidence is used once.
		<Pallet<T> as Mining<T::Keeper>>::stop(&worker).expect("it runs");
		Sessions::<T>::mutate(worker, |record| {
			record.as_mut().expect("it has a session").unreported = true;
		});
		T::BenchmarkHelper::stake(&T::BenchmarkHelper::keeper(), &worker, 2 * STAKE);
		block::<T>(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(account("reporter", 0, 0)), worker);

		assert!(!record::<T>(&worker).unreported);
	}

	#[benchmark]
	fn spend_reserve() -> Result<(), BenchmarkError> {
		begin::<T>();
		let origin =
			T::ReserveOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let beneficiary: T::AccountId = account("beneficiary", 0, 0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, beneficiary.clone(), 1_000 * PHA);

		use frame_support::traits::fungible::Inspect;
		assert_eq!(T::Currency::balance(&beneficiary), 1_000 * PHA);
		Ok(())
	}

	#[benchmark]
	fn start() {
		begin::<T>();
		let worker = T::BenchmarkHelper::attest(1);
		let keeper = T::BenchmarkHelper::keeper();

		#[block]
		{
			<Pallet<T> as Mining<T::Keeper>>::start(&worker, keeper, STAKE).expect("it can start");
		}

		assert!(Sessions::<T>::contains_key(worker));
	}

	#[benchmark]
	fn top_up() {
		begin::<T>();
		let worker = running::<T>(1);

		#[block]
		{
			<Pallet<T> as Mining<T::Keeper>>::top_up(&worker, STAKE).expect("it fits");
		}

		assert_eq!(record::<T>(&worker).top_up, STAKE);
	}

	#[benchmark]
	fn stop() {
		begin::<T>();
		let worker = silent::<T>(1);
		// The last of the dense list takes its place.
		running::<T>(2);

		#[block]
		{
			<Pallet<T> as Mining<T::Keeper>>::stop(&worker).expect("it runs");
		}

		let record = record::<T>(&worker);
		assert!(record.ended.is_some() && !record.unreported && record.money.lost() > 0);
	}

	#[benchmark]
	fn reclaim() {
		begin::<T>();
		let worker = running::<T>(1);
		miss::<T>(&worker);
		<Pallet<T> as Mining<T::Keeper>>::stop(&worker).expect("it runs");
		block::<T>(T::CoolDown::get());

		#[block]
		{
			<Pallet<T> as Mining<T::Keeper>>::reclaim(&worker).expect("it cooled down");
		}

		assert!(!Sessions::<T>::contains_key(worker));
	}

	#[benchmark]
	fn attestation_change() {
		begin::<T>();
		let worker = running::<T>(1);

		#[block]
		{
			Pallet::<T>::on_attestation_change(&worker, &AttestationChange::Renewed);
		}

		assert!(record::<T>(&worker).challenge.is_some());
	}

	#[benchmark]
	fn pay_due() {
		let statement = asked::<T>();
		Pallet::<T>::do_heartbeat(statement).expect("it is in order");
		assert!(due::<T>().keepers > 0 && due::<T>().treasury > 0);

		#[block]
		{
			Pallet::<T>::pay_due();
		}

		assert_eq!(due::<T>().sum(), 0);
	}

	#[benchmark]
	fn poll_base() {
		begin::<T>();
		let worker = running::<T>(1);
		challenge::<T>(&worker);

		#[block]
		{
			poll::<T>();
		}

		assert!(record::<T>(&worker).challenge.is_some());
	}

	#[benchmark]
	fn poll_batch() {
		begin::<T>();
		// Full of workers who are gone: what the batch itself costs.
		let at = Pallet::<T>::stamp(&State::<T>::get().expect("the economy began"));
		let gone: Vec<_> =
			(0..T::MaxDraws::get()).map(|n| (WorkerKey::from_raw([9; 32]), n.into())).collect();
		let workers = gone.try_into().expect("as many as fit");
		Queues::<T>::mutate(|queue| {
			Batches::<T>::insert(queue.next, Batch { at, workers });
			queue.next += 1;
		});
		let_them_be_due::<T>();

		#[block]
		{
			poll::<T>();
		}

		assert_eq!(Batches::<T>::iter().count(), 0);
	}

	#[benchmark]
	fn poll_entry() {
		begin::<T>();
		let worker = running::<T>(1);

		#[block]
		{
			assert!(Sessions::<T>::get(worker).is_some_and(|one| one.challenge.is_none()));
		}
	}

	#[benchmark]
	fn poll_miss() {
		begin::<T>();
		let worker = running::<T>(1);

		#[block]
		{
			miss::<T>(&worker);
		}

		assert!(Silences::<T>::iter().count() == 1);
	}

	#[benchmark]
	fn poll_end() {
		begin::<T>();
		let worker = wounded::<T>(1);
		running::<T>(2);
		<Pallet<T> as Mining<T::Keeper>>::stop(&worker).expect("it runs");

		#[block]
		{
			miss::<T>(&worker);
		}

		assert!(record::<T>(&worker).ended.is_some());
	}

	#[benchmark]
	fn poll_silence() {
		begin::<T>();
		let worker = silent::<T>(1);
		running::<T>(2);

		#[block]
		{
			Pallet::<T>::act::<(), Error<T>>(|economy, versions| {
				Silences::<T>::remove(Queues::<T>::get().first_silence);
				Queues::<T>::mutate(|queue| queue.first_silence += 1);
				let record = record::<T>(&worker);
				Pallet::<T>::end(worker, record, EndReason::Silent, economy, versions);
				Ok(())
			})
			.expect("the economy began");
		}

		assert!(record::<T>(&worker).ended.is_some());
	}

	#[benchmark]
	fn poll_draw(n: Linear<0, 350>) {
		begin::<T>();
		let n = n.min(T::MaxDraws::get());
		for worker in 0..n {
			running::<T>(worker);
		}
		// As if the list were so long that so many are drawn of it.
		let count = SlotCount::<T>::get();
		let economy = State::<T>::get().expect("the economy began");
		let versions = ParameterVersions::<T>::get().expect("there are some");
		Draws::allow::<T>();

		#[block]
		{
			Pallet::<T>::draw_some(&economy, &versions, count, n);
		}

		let challenged =
			Sessions::<T>::iter_values().filter(|record| record.challenge.is_some()).count();
		assert_eq!(challenged, n as usize);
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::mock::build(phala_tokenomics::Parameters::launch()),
		crate::mock::Test
	);
}
