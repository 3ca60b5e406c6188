//! Registration and renewal.

use super::*;

#[test]
fn register_works_for_every_kind_of_quote() {
	for &kind in QuoteKind::ALL {
		with_collateral(|| {
			let subject = Subject { kind, ..Subject::default() };
			assert_ok!(subject.register());
			let record = subject.record();
			let expires_at = record.judgement.expires_at;
			assert_eq!(
				events(),
				vec![Event::WorkerRegistered {
					worker: subject.key(),
					operator: account("alice"),
					encryption_key: subject.claim().encryption_key,
					role: Role::Worker,
					measurement: subject.measurement(),
					platform: subject.platform_id(),
					status: TcbStatus::UpToDate,
					tier: Tier::One,
					expires_at,
				}]
			);
			assert_eq!(changes(), vec![(subject.key(), AttestationChange::Registered)]);
			// The policy's lifetime is the shortest of all.
			assert_eq!(expires_at, Clock::get() + CurrentPolicy::<Test>::get().tcb.ttl);

			let attested = subject.attested().expect("it was just attested");
			assert_eq!(attested.operator, account("alice"));
			assert_eq!((attested.tier, attested.score), (Tier::One, 0));
			assert_eq!(WorkerRegistry::workers_of(account("alice"), None), vec![subject.key()]);
			assert!(WorkerRegistry::worker(subject.key()).expect("it is there").attested.is_some());
		});
	}
}

#[test]
fn collateral_limits_the_lifetime() {
	ExtBuilder::default().build_and_execute(|| {
		let mut options = Subject::default().options();
		options.pck_crl.window = Window { start: -DAY, end: 2 * DAY };
		assert_ok!(submit(&issue(&options)));
		let issued = Clock::get();
		assert_ok!(Subject::default().register());
		// A list ends with its next update.
		let expires_at = Subject::default().record().judgement.expires_at;
		assert_eq!(expires_at, issued + 2 * DAY as u64);
	});
}

#[test]
fn deposit_is_held_and_returned() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_eq!(on_hold("alice"), 0);
		assert_ok!(subject.register());
		assert_eq!(on_hold("alice"), 100 + WorkerRegistry::footprint().size);
		assert_ok!(WorkerRegistry::deregister(subject.origin(), subject.key()));
		assert_eq!(on_hold("alice"), 0);
		assert_eq!(Balances::free_balance(account("alice")), 1_000_000);
	});
}

#[test]
fn register_fails_without_the_deposit() {
	with_collateral(|| {
		let poor = Subject { operator: "poor", ..Subject::default() };
		let quote = poor.quote();
		assert!(poor.register_with(quote).is_err());
		assert_eq!(Workers::<Test>::count(), 0);
		assert_eq!(UsedReports::<Test>::iter().count(), 0, "nothing is half-written");
	});
}

#[test]
fn register_fails_for_a_registered_worker() {
	with_collateral(|| {
		assert_ok!(Subject::default().register());
		next_block();
		assert_eq!(Subject::default().register(), Err(Error::<Test>::WorkerExists.into()));
		let other =
			Subject { operator: "bob", platform: Platform::development(2), ..Subject::default() };
		assert_eq!(other.register(), Err(Error::<Test>::WorkerExists.into()));
		assert_eq!(other.why_refused().unwrap_err().error, Error::WorkerExists);
	});
}

#[test]
fn early_refusals_cost_only_the_cheap_checks() {
	with_collateral(|| {
		let stranger = Subject { program: "unknown".into(), ..Subject::default() };
		let call = Call::<Test>::register { quote: stranger.quote(), claim: stranger.claim() };
		let error = RuntimeCall::from(call).dispatch(stranger.origin()).unwrap_err();
		assert_eq!(
			error.post_info.actual_weight,
			Some(<<Test as Config>::WeightInfo as WeightInfo>::screen())
		);
		assert_eq!(error.post_info.pays_fee, Pays::Yes);
		assert!(
			<<Test as Config>::WeightInfo as WeightInfo>::screen()
				.all_lt(<<Test as Config>::WeightInfo as WeightInfo>::register())
		);
	});
}

#[test]
fn a_quote_without_zero_padding_or_with_it_is_the_same() {
	with_collateral(|| {
		let subject = Subject::default();
		let mut quote = subject.quote();
		quote.try_push(0).expect("there is room");
		assert_ok!(subject.register_with(quote));
	});
}

#[test]
fn renew_extends_and_may_change_image_and_machine() {
	with_collateral(|| {
		let mut subject = Subject::default();
		assert_ok!(subject.register());
		let before = subject.record();
		Clock::mutate(|now| *now += 86_400);
		next_block();
		subject.platform = Platform::development(2);
		subject.kind = QuoteKind::SgxV3;
		changes();
		events();
		assert_ok!(subject.renew());

		let after = subject.record();
		assert_eq!(after.judgement.expires_at, before.judgement.expires_at + 86_400 + 6);
		assert_eq!(after.platform, subject.platform_id());
		assert_ne!(after.platform, before.platform);
		assert_eq!(after.measurement, subject.measurement());
		assert_eq!(Platforms::<Test>::get(before.platform), 0);
		assert_eq!(Platforms::<Test>::get(after.platform), 1);
		assert_eq!(changes(), vec![(subject.key(), AttestationChange::Renewed)]);
		assert_eq!(
			events(),
			vec![Event::WorkerRenewed {
				worker: subject.key(),
				measurement: after.measurement,
				platform: after.platform,
				status: TcbStatus::UpToDate,
				tier: Tier::One,
				expires_at: after.judgement.expires_at,
			}]
		);
	});
}

#[test]
fn renew_fails_for_strangers_and_other_identities() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_eq!(subject.renew(), Err(Error::<Test>::WorkerNotFound.into()));
		assert_ok!(subject.register());
		next_block();
		let stranger = Subject { operator: "bob", ..subject.clone() };
		assert_eq!(stranger.renew(), Err(Error::<Test>::NotOperator.into()));
		let promoted =
			Subject { role: Role::Gatekeeper, program: "gatekeeper".into(), ..subject.clone() };
		assert_eq!(promoted.renew(), Err(Error::<Test>::IdentityChanged.into()));

		let mut claim = subject.claim();
		claim.encryption_key = [1; 32];
		let quote = subject.quote_over(WorkerRegistry::report_data(account("alice"), claim));
		assert_noop!(
			WorkerRegistry::renew(subject.origin(), quote, claim).map_err(|error| error.error),
			Error::<Test>::IdentityChanged
		);
	});
}

#[test]
fn gatekeepers_need_a_better_tier() {
	ExtBuilder::default().build_and_execute(|| {
		let mut options = Subject::default().options();
		options.tcb_info.tcb_levels[0].tcb_status = phala_dev_pki::TcbStatus::ConfigurationNeeded;
		assert_ok!(submit(&issue(&options)));
		let gatekeeper =
			Subject { role: Role::Gatekeeper, program: "gatekeeper".into(), ..Subject::default() };
		assert_eq!(gatekeeper.register(), Err(attestation(Rule::TierTooLow)));
		assert_ok!(Subject::default().register());
		assert_eq!(Subject::default().record().judgement.tier, Tier::Three);
	});
}

#[test]
fn every_status_has_its_tier() {
	use phala_dev_pki::TcbStatus::*;
	for (status, tier) in [
		(UpToDate, Tier::One),
		(SWHardeningNeeded, Tier::Two),
		(ConfigurationNeeded, Tier::Four),
		(ConfigurationAndSWHardeningNeeded, Tier::Four),
	] {
		ExtBuilder::default().build_and_execute(|| {
			let mut options = Subject::default().options();
			let level = &mut options.tcb_info.tcb_levels[0];
			level.tcb_status = status;
			level.advisory_ids = vec!["INTEL-SA-00289".into()];
			assert_ok!(submit(&issue(&options)));
			assert_ok!(Subject::default().register());
			assert_eq!(Subject::default().record().judgement.tier, tier, "{status:?}");

			// Once governance accepts the advisory, tier 4 is tier 3.
			let mut policy = CurrentPolicy::<Test>::get();
			let id = phala_attestation::AdvisoryId::new("INTEL-SA-00289").expect("a name");
			policy.tcb.accepted_advisories.try_push(id).expect("there is room");
			assert_ok!(WorkerRegistry::set_policy(RuntimeOrigin::root(), policy));
			let anybody = RuntimeOrigin::signed(account("anybody"));
			assert_ok!(WorkerRegistry::reappraise(anybody, Subject::default().key()));
			let accepted = if tier == Tier::Four { Tier::Three } else { tier };
			assert_eq!(Subject::default().record().judgement.tier, accepted, "{status:?}");
		});
	}
}

#[test]
fn why_refused_names_the_rule_with_its_data() {
	ExtBuilder::default().build_and_execute(|| {
		let subject = Subject::default();
		let refused = subject.why_refused().unwrap_err();
		assert_eq!(refused.error, Error::Attestation(Rule::CollateralMissing.into()));
		let Some(phala_attestation::Error::CollateralMissing { item, fmspc, .. }) = refused.detail
		else {
			panic!("{refused:?}")
		};
		assert_eq!(item, phala_attestation::Item::RootCrl);
		assert_eq!(fmspc.0, Platform::FMSPC);

		assert_ok!(submit(&issue(&subject.options())));
		let accepted = subject.why_refused().expect("it would be accepted");
		assert_eq!(accepted.judgement.tier, Tier::One);
		assert_eq!(Workers::<Test>::count(), 0, "a dry run writes nothing");
		assert_ok!(subject.register());
		next_block();
		assert!(subject.why_refused().is_ok(), "now as a renewal");
	});
}

#[test]
fn a_registration_fits_into_six_kilobytes() {
	use codec::Encode;
	with_collateral(|| {
		for &kind in QuoteKind::ALL {
			let subject = Subject { kind, ..Subject::default() };
			let call = Call::<Test>::register { quote: subject.quote(), claim: subject.claim() };
			// Signature, address and extensions add less than 200 bytes.
			let len = RuntimeCall::from(call).encoded_size() + 200;
			println!("{kind}: {len} bytes");
			assert!(len <= 6_000, "{kind}: {len}");
		}
	});
}

#[test]
fn workers_are_listed_in_pages() {
	with_collateral(|| {
		let policy = Policy { platform_cap: 64, ..Policy::default() };
		assert_ok!(WorkerRegistry::set_policy(RuntimeOrigin::root(), policy));
		let names = ["a", "b", "c"];
		for worker in names {
			assert_ok!(Subject { worker, ..Subject::default() }.register());
		}
		let all = WorkerRegistry::workers_of(account("alice"), None);
		assert_eq!(all.len(), 3);
		assert_eq!(WorkerRegistry::workers_of(account("alice"), Some(all[0])), all[1..]);
		assert_eq!(WorkerRegistry::workers_of(account("bob"), None), vec![]);
	});
}
