//! The collateral registry: only forward, early documents wait, only what is useful is free.

use super::*;
use proptest::{prelude::*, test_runner::Config as PropConfig};

fn in_force(kind: QuoteKind) -> Option<(u32, u64)> {
	let fmspc = phala_attestation::Fmspc(Platform::FMSPC);
	let tee = if kind == QuoteKind::SgxV3 {
		phala_attestation::Tee::Sgx
	} else {
		phala_attestation::Tee::Tdx
	};
	WorkerRegistry::collateral(tee, fmspc).tcb_info
}

fn waiting() -> Option<(u32, u64)> {
	let fmspc = phala_attestation::Fmspc(Platform::FMSPC);
	WorkerRegistry::collateral(phala_attestation::Tee::Tdx, fmspc).next_tcb_info
}

/// Collateral with another evaluation number, for TDX.
fn numbered(number: u32) -> CollateralOptions {
	let mut options = Subject::default().options();
	options.tcb_info.tcb_evaluation_data_number = number;
	options.qe_identity.tcb_evaluation_data_number = number;
	options
}

#[test]
fn first_collateral_is_free_and_announced() {
	ExtBuilder::default().build_and_execute(|| {
		let collateral = issue(&Subject::default().options());
		let ca = phala_attestation::PckCaKind::Platform;
		assert_eq!(submit_root_crl(&collateral), Ok(Pays::No));
		assert_eq!(submit_pck_ca(&collateral), Ok(Pays::No));
		assert_eq!(submit_pck_crl(&collateral, ca), Ok(Pays::No));
		assert_eq!(submit_tcb_info(&collateral), Ok(Pays::No));
		assert_eq!(submit_qe_identity(&collateral), Ok(Pays::No));
		let expires_at = NOW - u64::from(6u8) + 6 * 10 + 29 * DAY as u64 + 6 - 60 + 60;
		let stored = in_force(QuoteKind::TdxV4).expect("it is stored");
		assert_eq!(stored.0, EVALUATION);
		assert!(stored.1.abs_diff(expires_at) < 60);
		let kinds: Vec<_> = events()
			.into_iter()
			.map(|event| match event {
				Event::CrlStored { source: CrlSource::Root, .. } => "root crl",
				Event::PckCaStored { .. } => "pck ca",
				Event::CrlStored { .. } => "pck crl",
				Event::TcbInfoStored { in_force: true, .. } => "tcb info",
				Event::QeIdentityStored { in_force: true, .. } => "qe identity",
				other => panic!("{other:?}"),
			})
			.collect();
		assert_eq!(kinds, ["root crl", "pck ca", "pck crl", "tcb info", "qe identity"]);
	});
}

#[test]
fn submission_fails_without_what_it_is_verified_with() {
	ExtBuilder::default().build_and_execute(|| {
		let collateral = issue(&Subject::default().options());
		let missing = Err(Error::<Test>::RootCrlMissing.into());
		assert_eq!(submit_tcb_info(&collateral), missing);
		assert_eq!(submit_qe_identity(&collateral), missing);
		assert_eq!(submit_pck_ca(&collateral), missing);
		let ca = phala_attestation::PckCaKind::Platform;
		assert_eq!(submit_pck_crl(&collateral, ca), Err(Error::<Test>::PckCaMissing.into()));
	});
}

#[test]
fn the_same_again_is_refused() {
	with_collateral(|| {
		let again = issue(&Subject::default().options());
		let ca = phala_attestation::PckCaKind::Platform;
		for result in [
			submit_root_crl(&again),
			submit_pck_ca(&again),
			submit_pck_crl(&again, ca),
			submit_tcb_info(&again),
			submit_qe_identity(&again),
		] {
			assert_eq!(result, Err(attestation(Rule::IssueDateNotNewer)));
		}
		assert_eq!(events(), vec![]);
	});
}

#[test]
fn daily_re_dating_is_not_free_and_a_week_is() {
	with_collateral(|| {
		let options = Subject::default().options();
		let ca = phala_attestation::PckCaKind::Platform;
		let day = DAY as u64;
		for _ in 0..6 {
			Clock::mutate(|now| *now += day);
			let redated = issue(&options);
			assert_eq!(submit_tcb_info(&redated), Ok(Pays::Yes));
			assert_eq!(submit_qe_identity(&redated), Ok(Pays::Yes));
			assert_eq!(submit_pck_crl(&redated, ca), Ok(Pays::Yes));
			assert_eq!(submit_root_crl(&redated), Ok(Pays::Yes));
		}
		Clock::mutate(|now| *now += 7 * day);
		let redated = issue(&options);
		assert_eq!(submit_tcb_info(&redated), Ok(Pays::No));
		assert_eq!(submit_qe_identity(&redated), Ok(Pays::No));
		assert_eq!(submit_pck_crl(&redated, ca), Ok(Pays::No));
		assert_eq!(submit_root_crl(&redated), Ok(Pays::No));
	});
}

#[test]
fn higher_crl_numbers_are_free_and_lower_ones_are_refused() {
	with_collateral(|| {
		let ca = phala_attestation::PckCaKind::Platform;
		let mut options = Subject::default().options();
		let later = |options: &mut CollateralOptions, number| {
			Clock::mutate(|now| *now += 60);
			options.pck_crl.number = Some(number);
			submit_pck_crl(&issue(options), ca)
		};
		assert_eq!(later(&mut options, 5), Ok(Pays::No));
		assert_eq!(later(&mut options, 4), Err(attestation(Rule::CrlNumberFell)));
		assert_eq!(later(&mut options, 5), Ok(Pays::Yes));
	});
}

#[test]
fn a_lower_evaluation_number_is_refused() {
	with_collateral(|| {
		Clock::mutate(|now| *now += 60);
		let lower = issue(&numbered(EVALUATION - 1));
		assert_eq!(submit_tcb_info(&lower), Err(attestation(Rule::EvaluationNumberFell)));
		assert_eq!(submit_qe_identity(&lower), Err(attestation(Rule::EvaluationNumberFell)));
	});
}

#[test]
fn an_early_number_waits_for_its_delay() {
	with_collateral(|| {
		let early = issue(&numbered(EVALUATION + 1));
		let uploaded = Clock::get();
		let delay = CurrentPolicy::<Test>::get().activation_delay;
		assert_eq!(submit_tcb_info(&early), Ok(Pays::No));
		assert_eq!(
			events()[0],
			Event::EvaluationNoticed { number: EVALUATION + 1, in_force_from: uploaded + delay }
		);
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION));
		assert_eq!(waiting().map(|it| it.0), Some(EVALUATION + 1));

		Clock::set(uploaded + delay - 1);
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION));
		Clock::set(uploaded + delay);
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION + 1));
		assert_eq!(waiting(), None);
	});
}

#[test]
fn governance_activates_a_number_at_once_and_never_lowers_it() {
	with_collateral(|| {
		assert_ok!(submit(&issue(&numbered(EVALUATION + 1))));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 1));
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION + 1));
		for number in [EVALUATION, EVALUATION + 1] {
			assert_noop!(
				WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), number),
				Error::<Test>::EvaluationInForce
			);
		}
	});
}

#[test]
fn without_a_number_in_force_everything_waits() {
	ExtBuilder::default().evaluation(None).build_and_execute(|| {
		assert_ok!(submit(&issue(&Subject::default().options())));
		assert_eq!(in_force(QuoteKind::TdxV4), None);
		assert_eq!(Subject::default().register(), Err(attestation(Rule::CollateralMissing)));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION));
		assert_ok!(Subject::default().register());
	});
}

proptest! {
	#![proptest_config(PropConfig { cases: 12, ..PropConfig::default() })]

	/// Documents in any order, each any number of times, end in the same state, and on the way no
	/// number falls.
	#[test]
	fn order_and_replay_do_not_matter(
		docs in prop::collection::vec((EVALUATION - 2..EVALUATION + 3, 0i64..40), 1..6),
		order in prop::collection::vec(any::<prop::sample::Index>(), 10),
	) {
		let documents: Vec<_> = docs
			.iter()
			.map(|(number, age)| {
				let mut options = numbered(*number);
				options.tcb_info_window = Window { start: -41 * 3_600 + age * 3_600, end: 29 * DAY };
				pki().issue_collateral(NOW, &options).expect("encodable")
			})
			.collect();
		let stored = || {
			let (_, slots) = TcbInfos::<Test>::iter().next()?;
			let key = |slot: Option<phala_attestation::TcbInfo>| {
				slot.map(|info| (info.evaluation_number(), info.issue_date()))
			};
			Some((key(slots.current), key(slots.next)))
		};
		let run = |order: Vec<&Collateral>| {
			let mut end = None;
			ExtBuilder::default().build_and_execute(|| {
				submit_root_crl(&documents[0]).expect("it is the first");
				let mut last = None;
				for document in order {
					let _ = submit_tcb_info(document);
					let now = stored();
					assert!(now >= last, "a number fell");
					last = now;
				}
				end = stored();
			});
			end
		};
		let random = order.iter().map(|index| index.get(&documents)).chain(&documents);
		prop_assert_eq!(run(random.collect()), run(documents.iter().collect()));
	}
}
