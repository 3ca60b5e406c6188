//! Random sequences: whatever happens in whatever order, the invariants hold, numbers only rise, and
//! a worker counts exactly as long as it should.

use super::*;
use proptest::prelude::*;

const WORKERS: [&str; 3] = ["first", "second", "third"];
const OPERATORS: [&str; 2] = ["alice", "bob"];

#[derive(Clone, Debug)]
enum Step {
	Register(usize, usize, u64),
	Renew(usize, usize, u64),
	Deregister(usize, usize),
	Offer(usize, usize, usize),
	Accept(usize, usize),
	Ban(u64),
	Unban(u64),
	Sunset(u32),
	Allow,
	Upload(u32),
	Activate(u32),
	Reappraise(usize),
	Cap(u32),
	Pass(u64),
	Sweep,
}

fn step() -> impl Strategy<Value = Step> {
	let worker = 0..WORKERS.len();
	let operator = 0..OPERATORS.len();
	let platform = 1u64..3;
	prop_oneof![
		6 => (worker.clone(), operator.clone(), platform.clone())
			.prop_map(|(w, o, p)| Step::Register(w, o, p)),
		3 => (worker.clone(), operator.clone(), platform.clone())
			.prop_map(|(w, o, p)| Step::Renew(w, o, p)),
		1 => (worker.clone(), operator.clone()).prop_map(|(w, o)| Step::Deregister(w, o)),
		1 => (worker.clone(), operator.clone(), operator.clone())
			.prop_map(|(w, o, to)| Step::Offer(w, o, to)),
		1 => (worker.clone(), operator).prop_map(|(w, o)| Step::Accept(w, o)),
		1 => platform.clone().prop_map(Step::Ban),
		1 => platform.prop_map(Step::Unban),
		1 => (0u32..20).prop_map(Step::Sunset),
		1 => Just(Step::Allow),
		2 => (EVALUATION..EVALUATION + 3).prop_map(Step::Upload),
		1 => (EVALUATION..EVALUATION + 3).prop_map(Step::Activate),
		2 => worker.prop_map(Step::Reappraise),
		1 => (1u32..4).prop_map(Step::Cap),
		3 => (0u64..10 * 86_400).prop_map(Step::Pass),
		4 => Just(Step::Sweep),
	]
}

fn subject(worker: usize, operator: usize, platform: u64) -> Subject {
	Subject::new(OPERATORS[operator], WORKERS[worker], platform)
}

fn run(step: Step) -> DispatchResult {
	let root = RuntimeOrigin::root();
	let signed = |operator: usize| RuntimeOrigin::signed(account(OPERATORS[operator]));
	let key = |worker: usize| subject(worker, 0, 1).key();
	let platform = |platform| subject(0, 0, platform).platform_id();
	let image = || Subject::default().measurement();
	let call: Call<Test> = match step {
		Step::Register(w, o, p) => return subject(w, o, p).register(),
		Step::Renew(w, o, p) => return subject(w, o, p).renew(),
		Step::Pass(seconds) => {
			Clock::mutate(|now| *now += seconds);
			return Ok(());
		}
		Step::Sweep => {
			idle();
			return Ok(());
		}
		Step::Upload(number) => {
			let mut options = Subject::default().options();
			options.tcb_info.tcb_evaluation_data_number = number;
			options.qe_identity.tcb_evaluation_data_number = number;
			return submit(&issue(&options));
		}
		Step::Deregister(w, o) => {
			return WorkerRegistry::deregister(signed(o), key(w));
		}
		Step::Offer(w, o, to) => {
			let to = Some(account(OPERATORS[to]));
			return WorkerRegistry::offer_worker(signed(o), key(w), to);
		}
		Step::Accept(w, o) => return WorkerRegistry::accept_worker(signed(o), key(w)),
		Step::Reappraise(w) => return WorkerRegistry::reappraise(signed(0), key(w)),
		Step::Ban(p) => Call::ban_platform { platform: platform(p) },
		Step::Unban(p) => Call::unban_platform { platform: platform(p) },
		Step::Sunset(after) => {
			Call::sunset_measurement { measurement: image(), at: RelayHeight::get() + after }
		}
		Step::Allow => Call::set_measurement {
			measurement: image(),
			record: MeasurementOf::<Test> {
				role: Role::Worker,
				active_from: 0,
				sunset: None,
				provenance: Default::default(),
			},
		},
		Step::Activate(number) => Call::activate_evaluation { number },
		Step::Cap(platform_cap) => {
			Call::set_policy { policy: Policy { platform_cap, ..Policy::default() } }
		}
	};
	RuntimeCall::from(call).dispatch(root).map(|_| ()).map_err(|error| error.error)
}

/// Evaluation number in force of what is stored, and in general.
fn numbers() -> (u32, u32) {
	let known = KnownEvaluations::<Test>::get();
	let stored = TcbInfos::<Test>::iter_values()
		.filter_map(|slots| slots.settled(&known, Clock::get()).current)
		.map(|info| info.evaluation_number())
		.max();
	(known.active(Clock::get()), stored.unwrap_or(0))
}

fn check(money: u64) {
	WorkerRegistry::do_try_state().expect("the state is sound");
	for (key, worker) in Workers::<Test>::iter() {
		let counts = WorkerRegistry::attested(key).is_some();
		if counts {
			assert_eq!(worker.standing, Standing::Attested);
			assert!(Clock::get() < worker.judgement.expires_at);
			assert!(!BannedPlatforms::<Test>::contains_key(worker.platform));
		}
	}
	for operator in OPERATORS {
		let workers = WorkerRegistry::workers_of(account(operator), None).len() as u64;
		assert_eq!(on_hold(operator), workers * (100 + WorkerRegistry::footprint().size));
	}
	assert_eq!(Balances::total_issuance(), money);
}

proptest! {
	#![proptest_config(cases(24))]

	#[test]
	fn invariants_hold(steps in prop::collection::vec(step(), 1..40)) {
		with_collateral(|| {
			let money = Balances::total_issuance();
			let mut last = numbers();
			for step in steps {
				next_block();
				let before = Workers::<Test>::iter().count();
				let failed = run(step.clone()).is_err();
				let now = numbers();
				assert!(now.0 >= last.0 && now.1 >= last.1, "{step:?}: a number fell");
				last = now;
				if failed {
					assert_eq!(Workers::<Test>::iter().count(), before, "{step:?}");
				}
				check(money);
			}
		});
	}
}
