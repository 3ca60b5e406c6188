//! The collateral registry: only forward, early documents wait, only what is useful is free.

use super::*;
use phala_attestation::PckCaKind;
use phala_dev_pki::{CaKind, Validity};
use proptest::prelude::*;

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
fn an_early_document_that_ran_out_while_it_waited_takes_nothing_out_of_force() {
	with_collateral(|| {
		assert_ok!(submit(&issue(&numbered(EVALUATION + 1))));
		let due = Clock::get() + CurrentPolicy::<Test>::get().activation_delay;
		Clock::mutate(|now| *now += 25 * DAY as u64);
		assert_ok!(submit(&issue(&numbered(EVALUATION))));
		Clock::set(due);
		next_block();
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION));
		assert_ok!(Subject::default().register());
		// A fresh one with the higher number takes its place at once.
		assert_ok!(submit(&issue(&numbered(EVALUATION + 1))));
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION + 1));
	});
}

#[test]
fn a_number_that_was_in_force_does_not_give_way_when_its_document_ends() {
	with_collateral(|| {
		assert_ok!(submit(&issue(&numbered(EVALUATION + 1))));
		Clock::mutate(|now| *now += 24 * DAY as u64);
		assert_ok!(submit(&issue(&numbered(EVALUATION))));
		assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), EVALUATION + 1));
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION + 1));
		Clock::mutate(|now| *now += 7 * DAY as u64);
		next_block();
		assert_eq!(in_force(QuoteKind::TdxV4).map(|it| it.0), Some(EVALUATION + 1));
		assert_eq!(Subject::default().register(), Err(attestation(Rule::CollateralExpired)));
		let lower = issue(&numbered(EVALUATION));
		assert_eq!(submit_tcb_info(&lower), Err(attestation(Rule::EvaluationNumberFell)));
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

#[test]
fn a_ca_with_a_new_key_starts_its_own_list() {
	with_collateral(|| {
		let ca = PckCaKind::Platform;
		let platform = Platform::development(1);
		let options = Subject::default().options();
		// The old key's list has a high number.
		Clock::mutate(|now| *now += 60);
		let mut last = options.clone();
		last.pck_crl.number = Some(9);
		assert_eq!(submit_pck_crl(&issue(&last), ca), Ok(Pays::No));

		let mut rekeyed = pki().clone();
		let validity =
			Validity { not_before: Clock::get(), not_after: Validity::DEVELOPMENT.not_after };
		assert_ok!(rekeyed.succeed_pck_ca(CaKind::Platform, validity, true));
		let issued = Clock::get() - 30;
		let new = rekeyed.issue_collateral(issued, &options).expect("encodable");
		// Not before the CA itself is known.
		assert_eq!(submit_pck_crl(&new, ca), Err(attestation(Rule::CrlIssuer)));
		assert_eq!(submit_pck_ca(&new), Ok(Pays::No));
		let tee = phala_attestation::Tee::Tdx;
		let lists =
			|| WorkerRegistry::collateral(tee, phala_attestation::Fmspc(Platform::FMSPC)).pck_crls;
		assert_eq!(lists()[1], None, "what is there vouches for nothing");
		let subject = Subject { platform, ..Subject::default() };
		assert_eq!(subject.register(), Err(attestation(Rule::OtherPckCa)));
		assert_eq!(submit_pck_crl(&issue(&options), ca), Err(attestation(Rule::CrlIssuer)));

		let claim = subject.claim();
		let enclave = rekeyed.quoting_enclave(&subject.platform).expect("encodable");
		let request = QuoteRequest::new(subject.kind, subject.report_data());
		let quote = enclave.quote(&request.program(&subject.program));
		let register = || {
			let quote = quote.clone().try_into().expect("at most 8 KiB");
			let call = RuntimeCall::from(Call::register { quote, claim });
			call.dispatch(subject.origin()).map(|_| ()).map_err(|error| error.error)
		};
		// The list of the old key does not vouch for certificates of the new one.
		assert_eq!(register(), Err(attestation(Rule::AuthorityMismatch)));
		assert_eq!(submit_pck_crl(&new, ca), Ok(Pays::No), "its number is lower, and older it is");
		assert_eq!(lists()[1].map(|list| list.1 > Clock::get()), Some(true));
		assert_ok!(register());
		// The old CA does not come back.
		assert_eq!(submit_pck_ca(&issue(&options)), Err(attestation(Rule::IssueDateNotNewer)));
	});
}

#[test]
fn a_revoked_ca_ends_attestations_although_its_successor_is_stored() {
	with_collateral(|| {
		let subject = Subject::default();
		assert_ok!(subject.register());
		Clock::mutate(|now| *now += 60);
		let mut options = subject.options();
		options.root_ca_crl.revoked = vec![subject.record().evidence.ca_serial.0.to_vec()];
		let mut rekeyed = pki().clone();
		let validity =
			Validity { not_before: Clock::get(), not_after: Validity::DEVELOPMENT.not_after };
		assert_ok!(rekeyed.succeed_pck_ca(CaKind::Platform, validity, true));
		let newer = rekeyed.issue_collateral(Clock::get(), &options).expect("encodable");
		assert_eq!(submit_root_crl(&newer), Ok(Pays::Yes));
		assert_eq!(submit_pck_ca(&newer), Ok(Pays::No));
		let anybody = RuntimeOrigin::signed(account("anybody"));
		assert_ok!(WorkerRegistry::reappraise(anybody, subject.key()));
		assert_eq!(subject.attested(), None);
		let lapsed = Standing::Lapsed { at: Clock::get(), reason: LapseReason::Revoked };
		assert_eq!(subject.record().standing, lapsed);
	});
}

/// One thing that Intel signs, with its number and its age in hours.
#[derive(Clone, Copy, Debug)]
enum Item {
	TcbInfo(QuoteKind, u32, i64),
	QeIdentity(QuoteKind, u32, i64),
	RootCrl(u64, i64),
	PckCrl(u64, i64),
	PckCa(u64),
}

const HOUR: i64 = 3_600;

fn item() -> impl Strategy<Value = Item> {
	let kind = || prop::sample::select(vec![QuoteKind::SgxV3, QuoteKind::TdxV4]);
	let number = || EVALUATION - 2..EVALUATION + 3;
	let age = || 0i64..40;
	prop_oneof![
		3 => (kind(), number(), age()).prop_map(|(kind, n, age)| Item::TcbInfo(kind, n, age)),
		2 => (kind(), number(), age()).prop_map(|(kind, n, age)| Item::QeIdentity(kind, n, age)),
		1 => (1u64..4, age()).prop_map(|(n, age)| Item::RootCrl(n, age)),
		1 => (1u64..4, age()).prop_map(|(n, age)| Item::PckCrl(n, age)),
		1 => (0u64..5).prop_map(Item::PckCa),
	]
}

impl Item {
	/// It, signed.
	fn issue(self) -> (Self, Collateral) {
		let window = |age: i64| Window { start: -age * HOUR, end: 29 * DAY };
		let mut options = match self {
			Self::TcbInfo(kind, ..) | Self::QeIdentity(kind, ..) => {
				Subject { kind, ..Subject::default() }.options()
			}
			_ => Subject::default().options(),
		};
		let mut pki = pki().clone();
		match self {
			Self::TcbInfo(_, number, age) => {
				options.tcb_info.tcb_evaluation_data_number = number;
				options.tcb_info_window = window(age);
			}
			Self::QeIdentity(_, number, age) => {
				options.qe_identity.tcb_evaluation_data_number = number;
				options.qe_identity_window = window(age);
			}
			Self::RootCrl(number, age) => {
				options.root_ca_crl.number = Some(number);
				options.root_ca_crl.window = window(age);
			}
			Self::PckCrl(number, age) => {
				options.pck_crl.number = Some(number);
				options.pck_crl.window = window(age);
			}
			Self::PckCa(age) => {
				let not_before = Validity::DEVELOPMENT.not_before + age;
				let validity = Validity { not_before, ..Validity::DEVELOPMENT };
				pki.succeed_pck_ca(CaKind::Platform, validity, false).expect("encodable");
			}
		}
		(self, pki.issue_collateral(NOW, &options).expect("encodable"))
	}

	fn submit(self, collateral: &Collateral) -> Result<Pays, DispatchError> {
		match self {
			Self::TcbInfo(..) => submit_tcb_info(collateral),
			Self::QeIdentity(..) => submit_qe_identity(collateral),
			Self::RootCrl(..) => submit_root_crl(collateral),
			Self::PckCrl(..) => submit_pck_crl(collateral, PckCaKind::Platform),
			Self::PckCa(..) => submit_pck_ca(collateral),
		}
	}
}

/// By its key, what each stored item is: number and date.
type Numbers = std::collections::BTreeMap<String, (u64, u64)>;

fn numbers() -> Numbers {
	let mut numbers = Numbers::new();
	for ((tee, fmspc), slots) in TcbInfos::<Test>::iter() {
		for (slot, info) in [("in force", slots.current), ("waiting", slots.next)] {
			let Some(info) = info else { continue };
			let number = (info.evaluation_number().into(), info.issue_date());
			numbers.insert(format!("TCB info {tee} {fmspc} {slot}"), number);
		}
	}
	for (tee, slots) in QeIdentities::<Test>::iter() {
		for (slot, identity) in [("in force", slots.current), ("waiting", slots.next)] {
			let Some(identity) = identity else { continue };
			let number = (identity.evaluation_number().into(), identity.issue_date());
			numbers.insert(format!("QE identity {tee} {slot}"), number);
		}
	}
	for (source, crl) in Crls::<Test>::iter() {
		numbers.insert(format!("CRL {source:?}"), (crl.number(), crl.this_update()));
	}
	for (kind, ca) in PckCas::<Test>::iter() {
		numbers.insert(format!("CA {kind}"), (0, ca.not_before()));
	}
	numbers
}

/// Every document that is stored, and the number in force. Not when numbers to come will be: that depends
/// on when somebody showed the first document with them, and not only on what is stored.
fn everything() -> impl PartialEq + std::fmt::Debug {
	let sorted = |mut all: Vec<(String, String)>| {
		all.sort();
		all
	};
	let show = |key: &dyn std::fmt::Debug, value: &dyn std::fmt::Debug| {
		(format!("{key:?}"), format!("{value:?}"))
	};
	(
		KnownEvaluations::<Test>::get().active(Clock::get()),
		sorted(TcbInfos::<Test>::iter().map(|(key, value)| show(&key, &value)).collect()),
		sorted(QeIdentities::<Test>::iter().map(|(key, value)| show(&key, &value)).collect()),
		sorted(Crls::<Test>::iter().map(|(key, value)| show(&key, &value)).collect()),
		sorted(PckCas::<Test>::iter().map(|(key, value)| show(&key, &value)).collect()),
	)
}

proptest! {
	#![proptest_config(cases(24))]

	/// Any collateral, in any order, each item any number of times, ends in the same state: the newest
	/// of each. On the way no number falls, and no date under one number.
	#[test]
	fn order_and_replay_do_not_matter(
		items in prop::collection::vec(item(), 1..10),
		order in prop::collection::vec(any::<prop::sample::Index>(), 14),
	) {
		let first = [Item::RootCrl(1, 41), Item::PckCa(0), Item::PckCrl(1, 41)];
		let first = first.map(Item::issue);
		let items: Vec<_> = items.into_iter().map(Item::issue).collect();
		let run = |order: Vec<&(Item, Collateral)>| {
			let mut end = None;
			ExtBuilder::default().build_and_execute(|| {
				for (item, collateral) in &first {
					assert_ok!(item.submit(collateral));
				}
				let mut last = numbers();
				for (item, collateral) in order {
					let stored = item.submit(collateral);
					let now = numbers();
					for (name, number) in &last {
						let now = now.get(name).expect("nothing vanishes");
						assert!(now >= number, "{name}: {number:?} fell to {now:?}");
					}
					if let Err(error) = stored {
						assert_eq!(now, last, "{item:?}: {error:?}");
					}
					last = now;
				}
				end = Some(everything());
			});
			end
		};
		let random = order.iter().map(|index| index.get(&items)).chain(&items);
		let in_order = run(items.iter().collect());
		prop_assert_eq!(&run(random.collect()), &in_order);
		prop_assert_eq!(&run(items.iter().rev().collect()), &in_order);
	}
}
