//! Images, policy, caps and bans.

use super::*;

const ROOT: fn() -> RuntimeOrigin = RuntimeOrigin::root;

fn measurement(error: MeasurementError) -> DispatchError {
	Error::<Test>::Measurement(error).into()
}

fn record(active_from: u32, sunset: Option<u32>) -> MeasurementOf<Test> {
	MeasurementOf::<Test> {
		role: Role::Worker,
		active_from,
		sunset,
		provenance: b"commit 0123, recipe 4567".to_vec().try_into().expect("it is short"),
	}
}

#[test]
fn images_count_between_activation_and_sunset() {
	with_collateral(|| {
		let subject = Subject { program: "next".into(), ..Subject::default() };
		let image = subject.measurement();
		assert_eq!(subject.register(), Err(measurement(MeasurementError::Unknown)));
		RelayHeight::set(100);
		assert_ok!(WorkerRegistry::set_measurement(ROOT(), image, record(200, Some(300))));
		assert_eq!(
			events(),
			vec![Event::MeasurementSet {
				measurement: image,
				role: Role::Worker,
				active_from: 200,
				sunset: Some(300),
			}]
		);
		RelayHeight::set(199);
		assert_eq!(subject.register(), Err(measurement(MeasurementError::NotYetActive)));
		RelayHeight::set(200);
		assert_ok!(subject.register());
		RelayHeight::set(299);
		assert!(subject.attested().is_some());
		RelayHeight::set(300);
		assert_eq!(subject.attested(), None, "also without a sweep");
		next_block();
		assert_eq!(subject.renew(), Err(measurement(MeasurementError::PastSunset)));

		idle();
		let lapsed =
			Standing::Lapsed { at: Clock::get(), reason: LapseReason::MeasurementNotAllowed };
		assert_eq!(subject.record().standing, lapsed);
		// An image that is allowed ends the lapse.
		let successor = Subject { program: "development".into(), ..subject.clone() };
		assert_ok!(successor.renew());
		assert!(successor.attested().is_some());
	});
}

#[test]
fn a_sunset_can_be_set_later_and_a_removal_counts_at_once() {
	with_collateral(|| {
		let subject = Subject::default();
		let image = subject.measurement();
		assert_ok!(subject.register());
		let height = RelayHeight::get();
		assert_noop!(
			WorkerRegistry::sunset_measurement(ROOT(), H256::zero(), 1),
			Error::<Test>::MeasurementNotFound
		);
		assert_noop!(
			WorkerRegistry::sunset_measurement(ROOT(), image, 0),
			Error::<Test>::SunsetBeforeActivation
		);
		assert_ok!(WorkerRegistry::sunset_measurement(ROOT(), image, height + 5));
		assert!(subject.attested().is_some());
		assert_ok!(WorkerRegistry::remove_measurement(ROOT(), image));
		assert_eq!(subject.attested(), None);
		assert_noop!(
			WorkerRegistry::remove_measurement(ROOT(), image),
			Error::<Test>::MeasurementNotFound
		);
	});
}

#[test]
fn an_image_has_one_role() {
	with_collateral(|| {
		let gatekeeper = Subject { role: Role::Gatekeeper, ..Subject::default() };
		assert_eq!(gatekeeper.register(), Err(measurement(MeasurementError::WrongRole)));
		let proper = Subject { program: "gatekeeper".into(), ..gatekeeper };
		assert_ok!(proper.register());
		assert_eq!(proper.attested().map(|worker| worker.role), Some(Role::Gatekeeper));
	});
}

#[test]
fn one_machine_has_one_quota() {
	with_collateral(|| {
		let full = DispatchError::from(Error::<Test>::Platform(PlatformError::Full));
		let first = Subject::new("alice", "first", 1);
		let second = Subject::new("bob", "second", 1);
		assert_ok!(first.register());
		assert_eq!(second.register(), Err(full));
		// Another TEE on the same machine is the same machine.
		let enclave = Subject { kind: QuoteKind::SgxV3, ..second.clone() };
		assert_eq!(enclave.register(), Err(full));
		assert_ok!(Subject::new("bob", "third", 2).register());

		let policy = Policy { platform_cap: 2, ..Policy::default() };
		assert_ok!(WorkerRegistry::set_policy(ROOT(), policy));
		assert_ok!(second.register());
		assert_eq!(Platforms::<Test>::get(first.platform_id()), 2);

		// A renewal takes no second place, not even above a cap that was lowered.
		assert_ok!(WorkerRegistry::set_policy(ROOT(), Policy::default()));
		next_block();
		assert_ok!(first.renew());
		// But a move does.
		let moved = Subject { platform: Platform::development(2), ..first.clone() };
		next_block();
		assert_eq!(moved.renew(), Err(full));
	});
}

#[test]
fn a_lapsed_worker_leaves_its_place() {
	with_collateral(|| {
		let (first, second) = (Subject::new("alice", "first", 1), Subject::new("bob", "second", 1));
		assert_ok!(first.register());
		Clock::set(first.record().judgement.expires_at);
		next_block();
		assert_eq!(second.register(), Err(Error::<Test>::Platform(PlatformError::Full).into()));
		idle();
		assert_ok!(second.register());
		next_block();
		assert_eq!(first.renew(), Err(Error::<Test>::Platform(PlatformError::Full).into()));
	});
}

#[test]
fn a_ban_ends_attestations_and_refuses_new_ones() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let platform = subject.platform_id();
		assert_ok!(WorkerRegistry::ban_platform(ROOT(), platform));
		assert_noop!(WorkerRegistry::ban_platform(ROOT(), platform), Error::<Test>::AlreadyBanned);
		assert_eq!(subject.attested(), None);
		next_block();
		let banned = DispatchError::from(Error::<Test>::Platform(PlatformError::Banned));
		assert_eq!(subject.renew(), Err(banned));
		assert_eq!(Subject { worker: "other", ..subject.clone() }.register(), Err(banned));
		assert_eq!(
			<WorkerRegistry as AttestedWorkers<_>>::attested_within(&subject.key(), u64::MAX),
			None,
			"no grace for a banned machine"
		);

		assert_ok!(WorkerRegistry::unban_platform(ROOT(), platform));
		assert_noop!(WorkerRegistry::unban_platform(ROOT(), platform), Error::<Test>::NotBanned);
		assert!(subject.attested().is_some());
	});
}

#[test]
fn a_policy_out_of_bounds_is_refused() {
	with_collateral(|| {
		let policy = Policy::default;
		let day = 86_400;
		let mut lifetime = policy();
		lifetime.tcb.ttl = MAX_LIFETIME + 1;
		let mut moment = policy();
		moment.tcb.ttl = 1;
		let mut grace = policy();
		grace.tcb.grace = 365 * day + 1;
		let mut gatekeeper = policy();
		gatekeeper.tcb.worst_gatekeeper = Tier::Three;
		let mut unsorted = policy();
		let id = |id| phala_attestation::AdvisoryId::new(id).expect("a name");
		unsorted.tcb.accepted_advisories =
			vec![id("INTEL-SA-00002"), id("INTEL-SA-00001")].try_into().expect("few");
		for unsound in [
			unsorted,
			lifetime,
			moment,
			grace,
			gatekeeper,
			Policy { collateral_margin: day + 1, ..policy() },
			Policy { activation_delay: 365 * day + 1, ..policy() },
			Policy { platform_cap: 0, ..policy() },
			Policy { platform_cap: 65, ..policy() },
			Policy { min_benchmark_ms: 0, ..policy() },
			Policy { benchmark_slack_ms: 600_001, ..policy() },
			Policy { max_score: 0, ..policy() },
		] {
			assert_noop!(
				WorkerRegistry::set_policy(ROOT(), unsound),
				Error::<Test>::PolicyOutOfBounds
			);
		}
		assert_ok!(WorkerRegistry::set_policy(ROOT(), policy()));
	});
}

#[test]
fn only_governance_governs() {
	with_collateral(|| {
		let calls: [Call<Test>; 7] = [
			Call::set_measurement { measurement: H256::zero(), record: record(1, None) },
			Call::sunset_measurement { measurement: H256::zero(), at: 1 },
			Call::remove_measurement { measurement: H256::zero() },
			Call::set_policy { policy: Policy::default() },
			Call::activate_evaluation { number: 99 },
			Call::ban_platform { platform: H256::zero() },
			Call::unban_platform { platform: H256::zero() },
		];
		for call in calls {
			let error = RuntimeCall::from(call)
				.dispatch(RuntimeOrigin::signed(account("alice")))
				.map_err(|error| error.error);
			assert_eq!(error.map(|_| ()), Err(DispatchError::BadOrigin));
		}
	});
}

#[test]
fn changes_by_governance_are_announced() {
	with_collateral(|| {
		let (measurement, platform) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let set = |sunset| Event::MeasurementSet {
			measurement,
			role: Role::Worker,
			active_from: 5,
			sunset,
		};
		let policy = Policy { platform_cap: 7, ..Policy::default() };
		let number = EVALUATION + 3;
		let steps: [(Call<Test>, Event<Test>); 7] = [
			(Call::set_measurement { measurement, record: record(5, None) }, set(None)),
			(Call::sunset_measurement { measurement, at: 9 }, set(Some(9))),
			(Call::remove_measurement { measurement }, Event::MeasurementRemoved { measurement }),
			(Call::set_policy { policy: policy.clone() }, Event::PolicyChanged { policy }),
			(Call::activate_evaluation { number }, Event::EvaluationActivated { number }),
			(Call::ban_platform { platform }, Event::PlatformBanned { platform }),
			(Call::unban_platform { platform }, Event::PlatformUnbanned { platform }),
		];
		for (call, event) in steps {
			assert_ok!(RuntimeCall::from(call).dispatch(ROOT()));
			assert_eq!(events(), vec![event]);
		}
		let last = WorkerRegistry::evaluations().pop().expect("it was activated");
		assert_eq!((last.number, last.in_force_from), (number, Clock::get()));
	});
}

/// Storage cannot get there, but if it did, a number that waits would still not count.
#[test]
fn collateral_ahead_of_its_activation_is_refused() {
	with_collateral(|| {
		Clock::mutate(|now| *now += 60);
		let mut options = Subject::default().options();
		options.tcb_info.tcb_evaluation_data_number = EVALUATION + 1;
		assert_ok!(submit_tcb_info(&issue(&options)));
		assert_ok!(Subject::default().register());
		let tdx = (phala_attestation::Tee::Tdx, phala_attestation::Fmspc(Platform::FMSPC));
		let slots = TcbInfos::<Test>::get(tdx);
		TcbInfos::<Test>::mutate(tdx, |slots| slots.current = slots.next.take());
		let other = Subject::new("bob", "second", 2);
		let early = Err(attestation(Rule::EvaluationNumberNotActive));
		assert_eq!(other.register(), early);
		// An appraisal says nothing about the platform then.
		let before = Subject::default().record().judgement;
		let anybody = RuntimeOrigin::signed(account("anybody"));
		assert_ok!(WorkerRegistry::reappraise(anybody, Subject::default().key()));
		assert_eq!(Subject::default().record().judgement, before);
		TcbInfos::<Test>::insert(tdx, slots);
	});
}

#[test]
fn collateral_below_the_minimum_number_is_refused() {
	with_collateral(|| {
		let mut policy = Policy::default();
		policy.tcb.min_evaluation_number = EVALUATION + 1;
		assert_ok!(WorkerRegistry::set_policy(ROOT(), policy));
		assert_eq!(Subject::default().register(), Err(attestation(Rule::EvaluationNumberTooLow)));
	});
}

#[test]
#[should_panic(expected = "DER certificate")]
fn genesis_with_a_broken_root_fails() {
	let genesis = GenesisConfig::<Test> {
		development_root: Some(vec![1, 2, 3].into()),
		..Default::default()
	};
	sp_io::TestExternalities::default().execute_with(|| WorkerRegistry::build_genesis(&genesis));
}

#[test]
fn configuration_is_checked() {
	use frame_support::traits::Hooks;
	ExtBuilder::default().build_and_execute(|| {
		<WorkerRegistry as Hooks<u32>>::integrity_test();
	});
}
