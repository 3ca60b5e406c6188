//! Time passes, collateral changes: what happens to registered workers.

use super::*;
use phala_dev_pki::TcbStatus as Intel;

const DAYS: u64 = DAY as u64;

/// Collateral after TCB recoveries, given by their dates in days before the start of the test, newest
/// first: only what is at the level of the newest is up to date, and our platform missed all.
fn recoveries(number: u32, days_ago: &[u64]) -> CollateralOptions {
	let mut options = Subject::default().options();
	let mut ours = options.tcb_info.tcb_levels[0].clone();
	ours.tcb_status = Intel::OutOfDate;
	let missed = (1u8..).zip(days_ago.iter().rev()).map(|(svns, days)| {
		let mut level = ours.clone();
		level.tcb.sgx_components[0].svn += svns;
		level.tcb_date = rfc3339(NOW - days * DAYS);
		level
	});
	let mut levels: Vec<_> = missed.collect();
	levels.reverse();
	levels[0].tcb_status = Intel::UpToDate;
	levels.push(ours);
	options.tcb_info.tcb_levels = levels;
	options.tcb_info.tcb_evaluation_data_number = number;
	options.qe_identity.tcb_evaluation_data_number = number;
	options
}

/// Collateral after one TCB recovery.
fn recovery(number: u32) -> CollateralOptions {
	recoveries(number, &[10])
}

fn rfc3339(seconds: u64) -> String {
	let days = seconds / DAYS;
	// Civil date of a day count: Hinnant, "chrono-Compatible Low-Level Date Algorithms".
	let z = days as i64 + 719_468;
	let era = z.div_euclid(146_097);
	let doe = z.rem_euclid(146_097);
	let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
	let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	let mp = (5 * doy + 2) / 153;
	let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
	let year = yoe + era * 400 + i64::from(month <= 2);
	format!("{year:04}-{month:02}-{day:02}T00:00:00Z")
}

fn pass(seconds: u64) {
	Clock::mutate(|now| *now += seconds);
	next_block();
}

fn reappraise(subject: &Subject) -> DispatchResult {
	WorkerRegistry::reappraise(RuntimeOrigin::signed(account("anybody")), subject.key())
}

#[test]
fn an_expired_worker_is_refused_at_use_without_a_sweep() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let expires_at = subject.record().judgement.expires_at;
		Clock::set(expires_at - 1);
		assert!(subject.attested().is_some());
		Clock::set(expires_at);
		assert_eq!(subject.attested(), None);
		assert_eq!(subject.record().standing, Standing::Attested, "nothing swept");
		assert_noop!(reappraise(&subject), Error::<Test>::NotAttested);

		let within =
			|grace| <WorkerRegistry as AttestedWorkers<_>>::attested_within(&subject.key(), grace);
		assert_eq!(within(0), None);
		assert!(within(1).is_some());
		Clock::set(expires_at + 14 * DAYS - 1);
		assert!(within(14 * DAYS).is_some());
		Clock::set(expires_at + 14 * DAYS);
		assert_eq!(within(14 * DAYS), None);
	});
}

#[test]
fn registered_then_expired_then_refused_with_and_without_the_sweep() {
	for swept in [false, true] {
		with_collateral(|| {
			let subject = Subject::default();
			assert_ok!(subject.register());
			let expires_at = subject.record().judgement.expires_at;
			Clock::set(expires_at - 1);
			assert!(subject.attested().is_some());
			Clock::set(expires_at);
			if swept {
				idle();
			}
			let lapsed = Standing::Lapsed { at: expires_at, reason: LapseReason::Expired };
			let standing = if swept { lapsed } else { Standing::Attested };
			assert_eq!(subject.record().standing, standing);

			// Every use, by others and by itself.
			assert_eq!(subject.attested(), None);
			let view = WorkerRegistry::worker(subject.key()).expect("it is registered");
			assert_eq!(view.attested, None);
			let number = System::block_number() - 1;
			let statement = phala_primitives::BenchmarkStatement {
				worker: subject.key(),
				started_at: BlockRef { number, hash: block_hash(number) },
				iterations: 60_000,
				elapsed_ms: 60_000,
			};
			use phala_primitives::Statement;
			let signature = statement.sign(&WorkerRegistry::chain_id(), &subject.pair());
			let anybody = || RuntimeOrigin::signed(account("anybody"));
			let not_attested = Error::<Test>::NotAttested;
			assert_noop!(
				WorkerRegistry::report_score(anybody(), statement, signature),
				not_attested
			);
			assert_noop!(reappraise(&subject), Error::<Test>::NotAttested);

			// And back again.
			next_block();
			assert_ok!(subject.renew());
			assert!(subject.attested().is_some());
		});
	}
}

#[test]
fn the_sweep_marks_expired_workers_and_frees_their_places() {
	with_collateral(|| {
		let subjects: Vec<_> = (0..10)
			.map(|i| {
				Subject::new(
					"alice",
					["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][i],
					i as u64,
				)
			})
			.collect();
		for subject in &subjects {
			assert_ok!(subject.register());
		}
		idle();
		assert!(subjects.iter().all(|subject| subject.record().holds_place()));
		events();
		changes();
		let expires_at = subjects[0].record().judgement.expires_at;
		Clock::set(expires_at);
		// Four a block, and one block to see the end.
		for _ in 0..4 {
			next_block();
			idle();
		}
		for subject in &subjects {
			let lapsed = Standing::Lapsed { at: expires_at, reason: LapseReason::Expired };
			assert_eq!(subject.record().standing, lapsed);
		}
		assert_eq!(Platforms::<Test>::iter().count(), 0);
		let lapses = changes();
		assert_eq!(lapses.len(), 10);
		assert!(lapses.iter().all(|(_, change)| *change == AttestationChange::Lapsed));
		// Grace counts from the expiry, not from the sweep.
		let key = subjects[0].key();
		Clock::set(expires_at + DAYS);
		assert!(<WorkerRegistry as AttestedWorkers<_>>::attested_within(&key, DAYS + 1).is_some());
		assert_eq!(<WorkerRegistry as AttestedWorkers<_>>::attested_within(&key, DAYS), None);
	});
}

#[test]
fn a_lapsed_worker_comes_back_by_renewal() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		Clock::set(subject.record().judgement.expires_at);
		next_block();
		idle();
		assert_eq!(Platforms::<Test>::get(subject.platform_id()), 0);
		assert_ok!(subject.renew());
		assert!(subject.attested().is_some());
		assert_eq!(Platforms::<Test>::get(subject.platform_id()), 1);
	});
}

#[test]
fn the_sweep_stays_within_its_weight() {
	with_collateral(|| {
		for i in 0..6 {
			let worker = ["a", "b", "c", "d", "e", "f"][i];
			assert_ok!(Subject::new("alice", worker, i as u64).register());
		}
		use frame_support::{traits::Hooks, weights::Weight};
		let step = <<Test as Config>::WeightInfo as WeightInfo>::sweep_worker();
		for limit in [Weight::zero(), step, step * 3, step * 100, Weight::MAX] {
			next_block();
			let used = WorkerRegistry::on_idle(System::block_number(), limit);
			assert!(used.all_lte(limit), "{used} of {limit}");
		}
	});
}

#[test]
fn expired_and_expiring_collateral_are_two_errors() {
	with_collateral(|| {
		let subject = Subject::default();
		let fmspc = phala_attestation::Fmspc(Platform::FMSPC);
		let tcb = WorkerRegistry::collateral(phala_attestation::Tee::Tdx, fmspc).tcb_info;
		let next_update = tcb.expect("it is stored").1;
		let margin = CurrentPolicy::<Test>::get().collateral_margin;
		Clock::set(next_update - margin + 1);
		let refused = subject.why_refused().unwrap_err();
		assert_eq!(refused.error, Error::Attestation(Rule::CollateralExpiresSoon.into()));
		let Some(phala_attestation::Error::CollateralExpiresSoon { next_update: date, .. }) =
			refused.detail
		else {
			panic!("{refused:?}")
		};
		assert_eq!(date, next_update);
		Clock::set(next_update + 1);
		assert_eq!(subject.register(), Err(attestation(Rule::CollateralExpired)));
	});
}

#[test]
fn an_early_upload_changes_nobodys_tier_before_its_activation() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let uploaded = Clock::get();
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		pass(DAYS);
		assert_ok!(reappraise(&subject));
		assert_eq!(subject.attested().map(|worker| worker.tier), Some(Tier::One));
		assert_ok!(subject.renew());
		assert_eq!(subject.attested().map(|worker| worker.tier), Some(Tier::One));
		let gatekeeper = Subject {
			role: Role::Gatekeeper,
			program: "gatekeeper".into(),
			..Subject::new("bob", "gatekeeper", 2)
		};
		assert_ok!(gatekeeper.register());
		assert_eq!(gatekeeper.attested().map(|worker| worker.tier), Some(Tier::One));

		// Uploading it again and again brings its day no nearer.
		let known = WorkerRegistry::evaluations();
		let due = known.last().expect("it was noticed").in_force_from;
		assert_eq!(due, uploaded + CurrentPolicy::<Test>::get().activation_delay);
		pass(60);
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_eq!(WorkerRegistry::evaluations(), known);

		// On that day it counts.
		Clock::set(due);
		next_block();
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_ok!(subject.renew());
		assert_eq!(subject.attested().map(|worker| worker.tier), Some(Tier::Five));
		assert_eq!(gatekeeper.renew(), Err(attestation(Rule::TierTooLow)));
	});
}

#[test]
fn a_tcb_recovery_lowers_the_tier_then_ends_the_attestation() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		pass(60);
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 1));
		let activated = Clock::get();
		changes();
		events();
		assert_ok!(reappraise(&subject));
		let judgement = subject.record().judgement;
		assert_eq!((judgement.status, judgement.tier), (TcbStatus::OutOfDate, Tier::Five));
		assert_eq!(
			changes(),
			vec![(
				subject.key(),
				AttestationChange::Reappraised { from: Tier::One, to: Tier::Five }
			)]
		);
		assert_eq!(
			events(),
			vec![Event::WorkerReappraised {
				worker: subject.key(),
				status: TcbStatus::OutOfDate,
				tier: Tier::Five,
				expires_at: judgement.expires_at,
			}]
		);

		// Renewals keep it at tier 5, but not beyond the grace, which counts from the activation.
		let grace = CurrentPolicy::<Test>::get().tcb.grace;
		let ends = activated + grace;
		Clock::set(ends - 5 * DAYS);
		next_block();
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_ok!(subject.renew());
		assert_eq!(subject.record().judgement.expires_at, ends);
		Clock::set(ends - 1);
		assert!(subject.attested().is_some());
		Clock::set(ends);
		assert_eq!(subject.attested(), None);
		next_block();
		assert_eq!(subject.renew(), Err(attestation(Rule::GraceEnded)));
	});
}

/// Governance can demand more than what Intel serves by default.
#[test]
fn the_grace_counts_from_an_activation_above_what_is_uploaded() {
	with_collateral(|| {
		let subject = Subject::default();
		pass(60);
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 2));
		let activated = Clock::get();
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_ok!(subject.register());
		assert_eq!(subject.attested().map(|worker| worker.tier), Some(Tier::Five));
		pass(activated + CurrentPolicy::<Test>::get().tcb.grace - Clock::get());
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_eq!(subject.renew(), Err(attestation(Rule::GraceEnded)));
	});
}

#[test]
fn a_further_recovery_gives_no_new_grace() {
	with_collateral(|| {
		let subject = Subject::default();
		pass(60);
		assert_ok!(submit(&issue(&recoveries(EVALUATION + 1, &[10]))));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 1));
		assert_ok!(subject.register());
		assert_eq!(subject.attested().map(|worker| worker.tier), Some(Tier::Five));
		assert_ok!(WorkerRegistry::deregister(subject.origin(), subject.key()));

		pass(CurrentPolicy::<Test>::get().tcb.grace);
		let further = recoveries(EVALUATION + 2, &[5, 10]);
		assert_ok!(submit(&issue(&further)));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 2));
		assert_eq!(subject.register(), Err(attestation(Rule::GraceEnded)));
		// Who missed only the second has a grace of its own.
		let mut patched = subject.clone();
		patched.platform.cpu_svn[0] += 1;
		assert_ok!(patched.register());
		assert_eq!(patched.attested().map(|worker| worker.tier), Some(Tier::Five));
	});
}

/// The best level is dated anew with each number, as Intel does, while ours stays as it was.
#[test]
fn a_level_that_is_dated_anew_gives_no_new_grace() {
	with_collateral(|| {
		let subject = Subject::default();
		let ended = || {
			let refused = subject.why_refused().unwrap_err();
			let Some(phala_attestation::Error::GraceEnded { ended, .. }) = refused.detail else {
				panic!("{refused:?}")
			};
			ended
		};
		let activate = |number| {
			pass(60);
			assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), number));
			Clock::get()
		};
		let first = recoveries(EVALUATION + 1, &[10]);
		assert_ok!(submit(&issue(&first)));
		let activated = activate(EVALUATION + 1);
		let grace = CurrentPolicy::<Test>::get().tcb.grace;
		pass(grace);
		assert_ok!(submit(&issue(&first)));
		assert_eq!(ended(), activated + grace);

		// One level above ours, as before, of a later date.
		let second = recoveries(EVALUATION + 2, &[5]);
		assert_eq!(second.tcb_info.tcb_levels.len(), first.tcb_info.tcb_levels.len());
		pass(60);
		assert_ok!(submit(&issue(&second)));
		activate(EVALUATION + 2);
		assert_eq!(ended(), activated + grace);
		assert_eq!(subject.register(), Err(attestation(Rule::GraceEnded)));
	});
}

#[test]
fn an_out_of_date_gatekeeper_loses_its_attestation_but_not_its_grace() {
	with_collateral(|| {
		let subject =
			Subject { role: Role::Gatekeeper, program: "gatekeeper".into(), ..Subject::default() };
		assert_ok!(subject.register());
		pass(60);
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 1));
		assert_ok!(reappraise(&subject));
		assert_eq!(subject.attested(), None);
		let lapsed = Standing::Lapsed { at: Clock::get(), reason: LapseReason::TcbRefused };
		assert_eq!(subject.record().standing, lapsed);
		let key = subject.key();
		assert!(<WorkerRegistry as AttestedWorkers<_>>::attested_within(&key, DAYS).is_some());
	});
}

#[test]
fn a_revoked_platform_lapses_without_grace() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		pass(60);
		let mut options = subject.options();
		options.pck_crl.revoked = vec![pki().pck_serial(&subject.platform).to_vec()];
		assert_ok!(submit(&issue(&options)));
		assert!(subject.attested().is_some(), "not appraised yet");
		assert_ok!(reappraise(&subject));
		let lapsed = Standing::Lapsed { at: Clock::get(), reason: LapseReason::Revoked };
		assert_eq!(subject.record().standing, lapsed);
		let key = subject.key();
		assert_eq!(<WorkerRegistry as AttestedWorkers<_>>::attested_within(&key, DAYS), None);
		next_block();
		assert_eq!(subject.renew(), Err(attestation(Rule::CertificateRevoked)));
	});
}

#[test]
fn the_sweep_appraises_anew_when_it_is_due() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		pass(60);
		assert_ok!(submit(&issue(&recovery(EVALUATION + 1))));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 1));
		idle();
		assert_eq!(subject.record().judgement.tier, Tier::One, "not due");
		pass(DAYS);
		// One sweep may have ended at the worker before.
		idle();
		idle();
		assert_eq!(subject.record().judgement.tier, Tier::Five);
	});
}

#[test]
fn appraisal_without_current_collateral_changes_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		let mut options = Subject::default().options();
		options.tcb_info_window = Window { start: -DAY, end: 8 * DAY };
		assert_ok!(submit(&issue(&options)));
		let subject = Subject::default();
		assert_ok!(subject.register());
		let mut policy = Policy::default();
		policy.tcb.ttl = 30 * DAYS;
		assert_ok!(WorkerRegistry::set_policy(RuntimeOrigin::root(), policy));
		pass(DAYS);
		assert_ok!(reappraise(&subject));
		let extended = subject.record().judgement;
		assert!(extended.expires_at > NOW + 8 * DAYS, "up to the collateral's end");
		TcbInfos::<Test>::mutate(
			(subject.record().evidence.tee, subject.record().evidence.fmspc),
			|slots| {
				slots.current = None;
			},
		);
		pass(DAYS);
		assert_ok!(reappraise(&subject));
		assert_eq!(subject.record().judgement, extended);
	});
}

#[test]
fn appraisal_never_outlives_the_quote() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		let registered = subject.record();
		pass(6 * DAYS);
		assert_ok!(submit(&issue(&subject.options())));
		assert_ok!(reappraise(&subject));
		assert_eq!(subject.record().judgement.expires_at, registered.judgement.expires_at);
	});
}
