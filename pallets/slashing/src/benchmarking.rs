//! Worst cases of the calls and steps.

use crate::{
	types::{MAX_TRANCHES, Stage},
	*,
};
use frame_benchmarking::v2::*;
use frame_support::{
	assert_ok,
	traits::{EnsureOrigin, fungible::Balanced},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use phala_primitives::{
	Authorities, Authority, EvidenceHash, OffenceClass, OffenceId, OffenceReport, Source,
};
use sp_runtime::Perquintill;

/// Sets the stage in a runtime.
pub trait BenchmarkHelper<Offender> {
	/// An offender that costs most to slash, with stake of its owner and of others; another one for
	/// each `seed`. May set the clock on, to where its stake has most to be brought up to date.
	fn offender(seed: u32) -> Offender;

	/// Time passes until what is suspected of that offender beyond a first part costs most.
	fn later(seed: u32);
}

/// A class that is raised, so that an offence can have many tranches.
const RAISED: OffenceClass = OffenceClass::Equivocation;

fn offender<T: Config>(seed: u32) -> T::Offender {
	T::BenchmarkHelper::offender(seed)
}

fn rich<T: Config>() -> T::AccountId {
	let who = whitelisted_caller();
	let endowment = T::Currency::issue(T::Unit::get().saturating_mul(1_000_000));
	assert!(T::Currency::resolve(&who, endowment).is_ok());
	who
}

fn set_now<T: Config>(block: u32) {
	T::BlockNumberProvider::set_block_number(block);
}

/// Lets everybody report everything.
fn allow_all<T: Config>(class: OffenceClass) {
	let mut value = Policy::initial(class);
	value.authorities = Authorities::of(&Authority::ALL);
	Policies::<T>::insert(class, Enacted { value, since: 0 });
	let parameters = Parameters::initial(Pallet::<T>::scale());
	ParametersInForce::<T>::put(Enacted { value: parameters, since: 0 });
}

fn report_of<T: Config>(
	class: OffenceClass,
	seed: u32,
) -> OffenceReport<T::Offender, T::AccountId> {
	let offender = offender::<T>(seed);
	OffenceReport {
		class,
		offender,
		committed: Pallet::<T>::now(),
		evidence: EvidenceHash::of(&seed),
		severity: Perquintill::from_percent(10),
		source: Source::Proven { reporter: Some(rich::<T>()) },
	}
}

fn recorded<T: Config>(class: OffenceClass, seed: u32) -> OffenceId {
	let report = report_of::<T>(class, seed);
	Pallet::<T>::do_report(Authority::Registry, report).unwrap()
}

fn accused<T: Config>(class: OffenceClass) -> types::AccusationId {
	allow_all::<T>(class);
	let offender = offender::<T>(0);
	let (now, id) = (Pallet::<T>::now(), NextAccusation::<T>::get());
	let evidence = EvidenceHash::of(&"accusation");
	let call =
		Pallet::<T>::accuse(RawOrigin::Signed(rich::<T>()).into(), class, offender, now, evidence);
	assert_ok!(call);
	id
}

/// A judged offence with `parts` tranches.
fn offence<T: Config>(parts: u32) -> OffenceId {
	let accusation = accused::<T>(RAISED);
	let severity = Perquintill::from_percent(50);
	assert_ok!(Pallet::<T>::do_convict(accusation, severity));
	let queue = Queues::<T>::get(RAISED);
	let id = OffenceId { class: RAISED, index: queue.next - 1 };
	T::BenchmarkHelper::later(0);
	// Small tranches, as they come from many small raises.
	Ledger::<T>::mutate(id.class, id.index, |offence| {
		let offence = offence.as_mut().unwrap();
		let (offender, first) = (offence.offender.clone(), offence.parts[0].tranche.clone());
		while offence.parts.len() < parts as usize {
			let amount = T::Slashable::stake_behind(&offender, &first) / 100;
			let tranche = T::Slashable::suspect_more(&offender, &first, amount).unwrap();
			assert!(offence.parts.try_push(types::Part { tranche, rest: amount }).is_ok());
		}
	});
	id
}

/// The fraction of the class has risen to the most that it can be.
fn everybody_offended<T: Config>(class: OffenceClass) {
	EraExposures::<T>::mutate(class, Pallet::<T>::era_of(Pallet::<T>::now()), |era| {
		let era = era.as_mut().unwrap();
		era.weight = era.total;
	});
}

fn get<T: Config>(id: OffenceId) -> OffenceOf<T> {
	Ledger::<T>::get(id.class, id.index).unwrap()
}

fn go_to_due<T: Config>(id: OffenceId) {
	set_now::<T>(get::<T>(id).due);
}

fn has_event<T: Config>(find: impl Fn(&Event<T>) -> bool) -> bool
where
	<T as frame_system::Config>::RuntimeEvent: TryInto<Event<T>>,
{
	frame_system::Pallet::<T>::events()
		.into_iter()
		.filter_map(|record| record.event.try_into().ok())
		.any(|event| find(&event))
}

#[benchmarks(where <T as frame_system::Config>::RuntimeEvent: TryInto<Event<T>>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn accuse() {
		set_now::<T>(1);
		allow_all::<T>(RAISED);
		let (caller, offender) = (rich::<T>(), offender::<T>(0));
		let committed = Pallet::<T>::now();
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), RAISED, offender, committed, EvidenceHash::of(&0));
		assert_eq!(Accusations::<T>::count(), 1);
	}

	#[benchmark]
	fn lapse() {
		set_now::<T>(1);
		let id = accused::<T>(RAISED);
		set_now::<T>(Accusations::<T>::get(id).unwrap().expires + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(rich::<T>()), id);
		assert_eq!(Accusations::<T>::count(), 0);
	}

	#[benchmark]
	fn convict() -> Result<(), BenchmarkError> {
		set_now::<T>(1);
		let origin =
			T::JudgeOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let id = accused::<T>(RAISED);
		recorded::<T>(RAISED, 1);
		// The first one of an era asks for the stake of the class.
		set_now::<T>(Pallet::<T>::now() + T::EraLength::get());
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, id, Perquintill::one());
		assert!(Ledger::<T>::contains_key(RAISED, 1));
		Ok(())
	}

	#[benchmark]
	fn dismiss() -> Result<(), BenchmarkError> {
		set_now::<T>(1);
		let origin =
			T::JudgeOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let id = accused::<T>(RAISED);
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, id, true);
		assert!(has_event::<T>(|event| matches!(
			event,
			Event::AccusationDismissed { is_false: true, kept, .. } if *kept > 0
		)));
		Ok(())
	}

	#[benchmark]
	fn cancel() -> Result<(), BenchmarkError> {
		set_now::<T>(1);
		let origin =
			T::CancelOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let id = offence::<T>(MAX_TRANCHES);
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, id, true);
		assert!(matches!(get::<T>(id).stage, Stage::Cancelled { .. }));
		Ok(())
	}

	#[benchmark]
	fn pardon() -> Result<(), BenchmarkError> {
		set_now::<T>(1);
		let origin =
			T::CancelOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		offence::<T>(1);
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, RAISED, 0, u64::MAX);
		assert!(Queues::<T>::get(RAISED).pardon.is_some());
		Ok(())
	}

	/// The call without its steps, which are weighed on their own.
	#[benchmark]
	fn apply() {
		set_now::<T>(1);
		let caller = rich::<T>();
		#[block]
		{
			let origin = RawOrigin::Signed(caller);
			assert!(Pallet::<T>::apply(origin.into(), RAISED, 0).is_err());
		}
	}

	#[benchmark]
	fn set_policy() -> Result<(), BenchmarkError> {
		set_now::<T>(T::ChangeInterval::get());
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		allow_all::<T>(RAISED);
		let mut policy = Policy::initial(RAISED);
		policy.base = Perquintill::from_percent(9);
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, RAISED, policy);
		assert_eq!(Pallet::<T>::policy_of(RAISED), policy);
		Ok(())
	}

	#[benchmark]
	fn set_parameters() -> Result<(), BenchmarkError> {
		set_now::<T>(T::ChangeInterval::get());
		let origin =
			T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		allow_all::<T>(RAISED);
		let mut parameters = Parameters::initial(Pallet::<T>::scale());
		parameters.bond *= 2;
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, parameters);
		assert_eq!(Pallet::<T>::parameters_now(), parameters);
		Ok(())
	}

	#[benchmark]
	fn report() {
		set_now::<T>(1);
		allow_all::<T>(RAISED);
		recorded::<T>(RAISED, 1);
		// The first one of an era asks for the stake of the class.
		set_now::<T>(Pallet::<T>::now() + T::EraLength::get());
		let second = report_of::<T>(RAISED, 2);
		#[block]
		{
			assert_ok!(Pallet::<T>::do_report(Authority::Registry, second));
		}
		assert_eq!(EraExposures::<T>::iter().count(), 2);
	}

	#[benchmark]
	fn serve_asleep() {
		// The first sign of life after a stall.
		allow_all::<T>(RAISED);
		let now = T::StallAfter::get().saturating_add(1);
		LastSeen::<T>::put(0);
		set_now::<T>(now);
		WakeAt::<T>::put(u32::MAX);
		let mut meter = WeightMeter::new();
		#[block]
		{
			Pallet::<T>::serve(&mut meter);
		}
		assert_eq!(LastSeen::<T>::get(), Some(now));
	}

	#[benchmark]
	fn serve_awake() {
		set_now::<T>(1);
		WakeAt::<T>::put(0);
		// Room for the hook and for none of its steps.
		let room = T::WeightInfo::serve_asleep().saturating_add(T::WeightInfo::serve_awake());
		let mut meter = WeightMeter::with_limit(room);
		#[block]
		{
			Pallet::<T>::serve(&mut meter);
		}
		assert_eq!(WakeAt::<T>::get(), 1);
	}

	#[benchmark]
	fn step_weigh() {
		set_now::<T>(1);
		let id = offence::<T>(MAX_TRANCHES);
		go_to_due::<T>(id);
		// All that was suspected is given back, tranche by tranche; then the offence is closed.
		Ledger::<T>::mutate(id.class, id.index, |offence| {
			offence.as_mut().unwrap().severity = Perquintill::zero();
		});
		#[block]
		{
			Pallet::<T>::step(id.class, Pallet::<T>::now());
		}
		let offence = get::<T>(id);
		assert!(matches!(offence.stage, Stage::Applied { .. }) && offence.restored > 0);
		assert!(has_event::<T>(|event| matches!(event, Event::BondReleased { kept: 0, .. })));
	}

	#[benchmark]
	fn step_take() {
		set_now::<T>(1);
		let id = offence::<T>(1);
		go_to_due::<T>(id);
		Ledger::<T>::mutate(id.class, id.index, |offence| {
			offence.as_mut().unwrap().stage = Stage::Applying;
		});
		// No ceiling is in the way: the whole tranche is taken, and the offence is closed.
		ParametersInForce::<T>::mutate(|parameters| {
			parameters.as_mut().unwrap().value.least_ceiling = u128::MAX / 2;
		});
		#[block]
		{
			Pallet::<T>::step(id.class, Pallet::<T>::now());
		}
		let offence = get::<T>(id);
		assert!(matches!(offence.stage, Stage::Applied { .. }) && offence.charged > 0);
	}

	#[benchmark]
	fn step_raise() {
		set_now::<T>(1);
		let id = offence::<T>(1);
		everybody_offended::<T>(id.class);
		// Where the offender has most of the class's stake, the fraction was at its limit before.
		Ledger::<T>::mutate(id.class, id.index, |offence| {
			offence.as_mut().unwrap().severity = Perquintill::one();
		});
		Queues::<T>::mutate(id.class, |queue| {
			queue.raise = Some(types::RaiseWalk { at: id.index, again: true });
		});
		#[block]
		{
			Pallet::<T>::step(id.class, Pallet::<T>::now());
		}
		assert_eq!(get::<T>(id).parts.len(), 2);
	}

	#[benchmark]
	fn step_pardon() {
		set_now::<T>(1);
		let id = offence::<T>(MAX_TRANCHES);
		assert_ok!(Pallet::<T>::do_pardon(id.class, id.index, id.index));
		#[block]
		{
			Pallet::<T>::step(id.class, Pallet::<T>::now());
		}
		assert!(matches!(get::<T>(id).stage, Stage::Cancelled { .. }));
	}

	#[benchmark]
	fn step_forget() {
		set_now::<T>(1);
		allow_all::<T>(RAISED);
		// The second one waits, so that the step looks at the head as well.
		let (id, _) = (recorded::<T>(RAISED, 1), recorded::<T>(RAISED, 2));
		assert_ok!(Pallet::<T>::do_cancel(id, false));
		Queues::<T>::mutate(RAISED, |queue| {
			queue.raise = None;
			queue.head = 1;
		});
		let now = Pallet::<T>::now() + T::Retention::get() + 1;
		Ledger::<T>::mutate(RAISED, 1, |second| second.as_mut().unwrap().due = now + 1);
		set_now::<T>(now);
		#[block]
		{
			Pallet::<T>::step(RAISED, now);
		}
		assert!(!Ledger::<T>::contains_key(RAISED, 0));
	}

	/// The head waits for the next era, and the oldest one for its time.
	#[benchmark]
	fn step_idle() {
		set_now::<T>(1);
		let id = offence::<T>(1);
		recorded::<T>(RAISED, 1);
		go_to_due::<T>(id);
		assert_ok!(Pallet::<T>::do_cancel(id, false));
		ParametersInForce::<T>::mutate(|parameters| {
			parameters.as_mut().unwrap().value.least_ceiling = 1;
		});
		let now = Pallet::<T>::now();
		let (era, limit) = (Pallet::<T>::era_of(now), 1);
		Queues::<T>::mutate(RAISED, |queue| {
			queue.budget = Some(types::Budget { era, limit, used: limit });
		});
		while Pallet::<T>::step(RAISED, now) == queue::Step::Done {}
		assert_eq!(get::<T>(OffenceId { class: RAISED, index: 1 }).stage, Stage::Applying);
		#[block]
		{
			assert!(matches!(Pallet::<T>::step(RAISED, now), queue::Step::Sleep(_)));
		}
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::mock::ExtBuilder::default().build(),
		crate::mock::Test
	);
}
