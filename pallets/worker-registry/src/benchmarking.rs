//! Worst cases, on recorded quotes and collateral: see `fixtures/`.

use crate::{
	evaluation::Evaluations,
	slots::Slots,
	sweep::REPORTS_PER_STEP,
	types::{
		Claim, CrlSource, Judgement, LapseReason, MAX_GRACE, MAX_LIFETIME, MAX_PROVENANCE_LEN,
		Policy, Score, SignedDocument, Standing,
	},
	*,
};
use alloc::vec;
use codec::Decode;
use fixtures::*;
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec,
	traits::{Consideration, EnsureOrigin, Get},
};
use frame_system::{Pallet as System, RawOrigin};
use phala_attestation::{
	Anchor, Crl, CrlIssuer, PckCa, PckCaKind, QeIdentity, Quote, RawSignature, Role, TcbInfo,
	TcbStatus, Tier, TrustRoot, collateral::MAX_REVOKED,
};
use phala_primitives::{
	BenchmarkStatement, BlockRef, EndpointStatement, MAX_ENDPOINT_LEN, Measurement, PlatformId,
	Statement, WorkerKey, WorkerSignature,
};
use sp_core::{H256, crypto::KeyTypeId};
use sp_runtime::traits::{BlockNumberProvider, TrailingZeroInput};

/// The worker's key in the client's keystore.
const KEY_TYPE: KeyTypeId = KeyTypeId(*b"pwrk");
const CA: PckCaKind = PckCaKind::Platform;

fn account<T: Config>(bytes: [u8; 32]) -> T::AccountId {
	T::AccountId::decode(&mut &bytes[..]).expect("an account id has 32 bytes")
}

/// The account that the quotes are bound to, with enough for a deposit.
fn operator<T: Config>() -> T::AccountId {
	let operator = account::<T>(OPERATOR);
	T::Consideration::ensure_successful(&operator, Pallet::<T>::footprint());
	operator
}

fn claim() -> Claim {
	Claim {
		role: Role::Worker,
		worker: worker(),
		encryption_key: ENCRYPTION_KEY,
		block: BlockRef { number: BLOCK, hash: BLOCK_HASH },
	}
}

fn measurement_of(quote: &[u8]) -> Measurement {
	H256(Quote::parse(quote).expect("it is well-formed").measurement())
}

/// Registers `key` without a quote, so that neighbours can be measured with attested workers: all that a
/// registration leaves, tier 1, for as long as an attestation can last. `operator` pays the deposit.
pub fn attest<T: Config>(
	key: WorkerKey,
	role: Role,
	operator: &T::AccountId,
	platform: PlatformId,
	score: u64,
) {
	let image = Measurement::repeat_byte(0xb0 | role as u8);
	let allowed =
		MeasurementOf::<T> { role, active_from: 0u32.into(), sunset: None, ..record::<T>() };
	Measurements::<T>::insert(image, allowed);
	let now = Pallet::<T>::now();
	let worker = WorkerOf::<T> {
		operator: operator.clone(),
		encryption_key: ENCRYPTION_KEY,
		role,
		measurement: image,
		platform,
		evidence: Decode::decode(&mut TrailingZeroInput::zeroes()).expect("zeros are evidence"),
		judgement: Judgement {
			status: TcbStatus::UpToDate,
			tier: Tier::One,
			expires_at: now + MAX_LIFETIME,
		},
		attested_at: now,
		appraised_at: now,
		standing: Standing::Attested,
		score: Some(Score { value: score, started_at: 0 }),
		endpoint: Some(BoundedVec::truncate_from(vec![b'a'; MAX_ENDPOINT_LEN as usize])),
		endpoint_sequence: 1,
		offered_to: None,
		deposit: T::Consideration::new(operator, Pallet::<T>::footprint()).expect("it has enough"),
	};
	Platforms::<T>::mutate(platform, |count| *count += 1);
	OperatorWorkers::<T>::insert(operator, key, ());
	Workers::<T>::insert(key, worker);
}

fn sign<T: Config>(statement: &impl Statement) -> WorkerSignature {
	let key = sp_io::crypto::sr25519_generate(KEY_TYPE, Some(WORKER_SEED.into()));
	assert_eq!(key, worker());
	let message = statement.message(&Pallet::<T>::chain_id());
	sp_io::crypto::sr25519_sign(KEY_TYPE, &key, &message).expect("the key was just made")
}

fn document(body: &[u8], signature: &[u8]) -> SignedDocument {
	SignedDocument {
		body: BoundedVec::truncate_from(body.to_vec()),
		signature: signature.try_into().expect("a signature has 64 bytes"),
	}
}

/// As many as are remembered, up to this one; the oldest is old enough to be forgotten.
fn evaluations(last: u32) -> Evaluations {
	let mut known = Evaluations::default();
	for number in last - 15..last {
		known.activate(number, NOW - 2 * MAX_GRACE + u64::from(number)).expect("there is room");
	}
	known.activate(last, NOW - 1_000).expect("there is room");
	known.saw_level(last, NOW - 1_000);
	known
}

/// As large as it gets.
fn policy() -> Policy {
	let mut policy = Policy { platform_cap: 64, ..Policy::default() };
	let advisory = phala_attestation::AdvisoryId::new("INTEL-SA-00000-of-32-characters!")
		.expect("it is printable");
	let count = phala_attestation::policy::MAX_ACCEPTED_ADVISORIES as usize;
	policy.tcb.accepted_advisories = BoundedVec::truncate_from(vec![advisory; count]);
	policy
}

/// The chain and the clock that the material is made for.
fn set_up_chain<T: Config>() {
	T::BenchmarkHelper::set_time(NOW);
	System::<T>::set_block_number((BLOCK + 20).into());
	frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::from(0u32), GENESIS);
	frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::from(BLOCK), BLOCK_HASH);
	DevelopmentRoot::<T>::put(TrustRoot::from_der(ROOT).expect("it is a root"));
	KnownEvaluations::<T>::put(evaluations(EVALUATION));
	CurrentPolicy::<T>::put(policy());
}

/// Collateral as large as it gets, with another set that waits.
fn set_up_collateral<T: Config>() {
	set_up_chain::<T>();
	let root = Pallet::<T>::root();
	let root_crl = Crl::verify(ROOT_CRL, CrlIssuer::Root(&root), NOW).expect("valid");
	let anchor = Anchor { root: &root, root_crl: &root_crl };
	let ca = PckCa::verify(PCK_CA, &anchor, NOW).expect("valid");
	let pck_crl = Crl::verify(PCK_CRL_4, CrlIssuer::PckCa(&ca), NOW).expect("valid");
	let signature = |bytes: &[u8]| RawSignature::try_from(bytes).expect("64 bytes");

	let tcb_info =
		TcbInfo::verify(TCB_INFO_4, &signature(TCB_INFO_4_SIGNATURE), SIGNER, &anchor, NOW)
			.expect("valid");
	let qe =
		QeIdentity::verify(QE_IDENTITY, &signature(QE_IDENTITY_SIGNATURE), SIGNER, &anchor, NOW)
			.expect("valid");
	// What is submitted is newer by a second than what is stored.
	let next_tcb_info = tcb_info.clone().backdated(1, EVALUATION + 1);
	let next_qe = qe.clone().backdated(1, EVALUATION + 1);
	let tcb_info = tcb_info.backdated(1, EVALUATION);
	let qe = qe.backdated(1, EVALUATION);
	TcbInfos::<T>::insert(
		(tcb_info.tee(), tcb_info.fmspc()),
		Slots { current: Some(tcb_info), next: Some(next_tcb_info) },
	);
	QeIdentities::<T>::insert(qe.tee(), Slots { current: Some(qe), next: Some(next_qe) });
	PckCas::<T>::insert(CA, ca);
	Crls::<T>::insert(CrlSource::Root, root_crl);
	Crls::<T>::insert(CrlSource::PckCa(CA), pck_crl);
}

/// What is submitted has a number that is new and must wait, in place of a document that waits already;
/// for its memory the oldest number has to be forgotten.
fn set_up_early<T: Config>() {
	set_up_collateral::<T>();
	KnownEvaluations::<T>::put(evaluations(EVALUATION - 1));
	TcbInfos::<T>::translate_values(|slots: Slots<TcbInfo>| {
		Some(Slots {
			current: slots.current.map(|info| info.backdated(0, EVALUATION - 1)),
			next: slots.next.map(|info| info.backdated(0, EVALUATION)),
		})
	});
	QeIdentities::<T>::translate_values(|slots: Slots<QeIdentity>| {
		Some(Slots {
			current: slots.current.map(|identity| identity.backdated(0, EVALUATION - 1)),
			next: slots.next.map(|identity| identity.backdated(0, EVALUATION)),
		})
	});
}

/// Everything that the quotes need.
fn set_up<T: Config>() {
	set_up_collateral::<T>();
	let record = record::<T>();
	Measurements::<T>::insert(measurement_of(QUOTE), record);
}

fn record<T: Config>() -> MeasurementOf<T> {
	let now = T::RelayChain::current_block_number();
	MeasurementOf::<T> {
		role: Role::Worker,
		active_from: now,
		sunset: Some(now + 1u32.into()),
		provenance: BoundedVec::truncate_from(vec![1; MAX_PROVENANCE_LEN as usize]),
	}
}

/// A registered worker; the sweep passed it.
fn set_up_worker<T: Config>() {
	set_up::<T>();
	let operator = operator::<T>();
	let quote = BoundedVec::truncate_from(QUOTE.to_vec());
	Pallet::<T>::register(RawOrigin::Signed(operator).into(), quote, claim()).expect("it is valid");
}

/// Statements that were made before, so that the record has its full length.
fn set_up_statements<T: Config>() {
	set_up_worker::<T>();
	Workers::<T>::mutate(worker(), |worker| {
		let worker = worker.as_mut().expect("it is registered");
		worker.score = Some(Score { value: 1_000, started_at: BLOCK - 1 });
		worker.endpoint = Some(BoundedVec::truncate_from(vec![b'a'; MAX_ENDPOINT_LEN as usize]));
		worker.offered_to = Some(account::<T>([8; 32]));
	});
}

fn origin<T: Config, O: EnsureOrigin<T::RuntimeOrigin>>() -> Result<T::RuntimeOrigin, BenchmarkError>
{
	O::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

fn assert_last<T: Config>(event: Event<T>) {
	System::<T>::assert_last_event(<T as frame_system::Config>::RuntimeEvent::from(event));
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn submit_tcb_info(s: Linear<1, 4>) {
		set_up_early::<T>();
		let (body, signature) = TCB_INFOS[s as usize - 1];
		let signer = BoundedVec::truncate_from(SIGNER.to_vec());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), document(body, signature), signer);

		let (key, slots) = TcbInfos::<T>::iter().next().expect("it is stored");
		let info = slots.next.expect("it waits");
		assert_last::<T>(Event::TcbInfoStored {
			tee: key.0,
			fmspc: key.1,
			evaluation: EVALUATION,
			expires_at: info.next_update(),
			in_force: false,
		});
		assert_eq!(KnownEvaluations::<T>::get().as_slice().len(), 16);
	}

	#[benchmark]
	fn submit_qe_identity() {
		set_up_early::<T>();
		let document = document(QE_IDENTITY, QE_IDENTITY_SIGNATURE);
		let signer = BoundedVec::truncate_from(SIGNER.to_vec());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), document, signer);

		let (tee, slots) = QeIdentities::<T>::iter().next().expect("it is stored");
		let identity = slots.next.expect("it waits");
		assert_last::<T>(Event::QeIdentityStored {
			tee,
			evaluation: EVALUATION,
			expires_at: identity.next_update(),
			in_force: false,
		});
		assert_eq!(KnownEvaluations::<T>::get().as_slice().len(), 16);
	}

	#[benchmark]
	fn submit_pck_ca() {
		set_up_collateral::<T>();
		PckCas::<T>::mutate(CA, |ca| *ca = ca.map(|ca| ca.backdated(1)));
		let certificate = BoundedVec::truncate_from(PCK_CA.to_vec());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), certificate);

		let expires_at = PckCas::<T>::get(CA).expect("it is stored").not_after();
		assert_last::<T>(Event::PckCaStored { ca: CA, expires_at });
	}

	#[benchmark]
	fn submit_crl(s: Linear<1, 4>) {
		set_up_collateral::<T>();
		let source = CrlSource::PckCa(CA);
		Crls::<T>::mutate(source, |crl| *crl = crl.take().map(|crl| crl.backdated(1)));
		let crl = BoundedVec::truncate_from(PCK_CRLS[s as usize - 1].to_vec());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), source, crl);

		let stored = Crls::<T>::get(source).expect("it is stored");
		let (number, expires_at) = (stored.number(), stored.next_update());
		assert_last::<T>(Event::CrlStored { source, number, expires_at });
		assert!(stored.len() <= MAX_REVOKED as usize);
	}

	/// The cheap checks of `register` and `renew`, all of them.
	#[benchmark(pov_mode = Measured)]
	fn screen() {
		set_up::<T>();
		let (operator, claim) = (operator::<T>(), claim());
		let passed;

		#[block]
		{
			let known = Workers::<T>::get(claim.worker);
			passed = Pallet::<T>::screen(&operator, QUOTE, &claim, known.as_ref()).is_ok();
		}

		assert!(passed);
	}

	#[benchmark(pov_mode = Measured)]
	fn register() {
		set_up::<T>();
		let operator = operator::<T>();
		let quote = BoundedVec::truncate_from(QUOTE.to_vec());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator.clone()), quote, claim());

		assert_eq!(Workers::<T>::get(worker()).map(|worker| worker.operator), Some(operator));
	}

	#[benchmark(pov_mode = Measured)]
	fn renew() {
		set_up_statements::<T>();
		T::BenchmarkHelper::engage(&worker());
		let _ = UsedReports::<T>::clear(u32::MAX, None);
		let before = Workers::<T>::get(worker()).expect("it is registered");
		let quote = BoundedVec::truncate_from(OTHER_QUOTE.to_vec());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), quote, claim());

		let worker = Workers::<T>::get(worker()).expect("it is registered");
		assert_ne!(worker.platform, before.platform);
		assert_eq!(Platforms::<T>::get(before.platform), 0);
	}

	/// The dearest: one that lets the worker lapse.
	#[benchmark(pov_mode = Measured)]
	fn reappraise() {
		set_up_statements::<T>();
		T::BenchmarkHelper::engage(&worker());
		T::BenchmarkHelper::set_time(NOW + T::ReappraisalPeriod::get());
		CurrentPolicy::<T>::mutate(|policy| policy.tcb.grace = 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), worker());

		let worker = Workers::<T>::get(worker()).expect("it is registered");
		let Standing::Lapsed { reason, .. } = worker.standing else { panic!("it lapsed") };
		assert_eq!(reason, LapseReason::TcbRefused);
	}

	#[benchmark]
	fn report_score() {
		set_up_statements::<T>();
		let statement = BenchmarkStatement {
			worker: worker(),
			started_at: BlockRef { number: BLOCK, hash: BLOCK_HASH },
			iterations: 1_000_000,
			elapsed_ms: 120_000,
		};
		let signature = sign::<T>(&statement);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), statement, signature);

		assert_last::<T>(Event::ScoreReported { worker: worker(), score: 50_000 });
	}

	#[benchmark]
	fn set_endpoint() {
		set_up_statements::<T>();
		let mut url = b"https://".to_vec();
		url.resize(MAX_ENDPOINT_LEN as usize, b'a');
		let endpoint = Some(BoundedVec::truncate_from(url));
		let statement =
			EndpointStatement { worker: worker(), sequence: u64::MAX, endpoint: endpoint.clone() };
		let signature = sign::<T>(&statement);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), statement, signature);

		assert_last::<T>(Event::EndpointSet { worker: worker(), endpoint });
	}

	#[benchmark]
	fn offer_worker() {
		set_up_statements::<T>();
		let to = Some(account::<T>([6; 32]));

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), worker(), to.clone());

		assert_last::<T>(Event::WorkerOffered { worker: worker(), to });
	}

	#[benchmark]
	fn accept_worker() {
		set_up_statements::<T>();
		T::BenchmarkHelper::engage_unbound(&worker());
		let to = account::<T>([8; 32]);
		T::Consideration::ensure_successful(&to, Pallet::<T>::footprint());

		#[extrinsic_call]
		_(RawOrigin::Signed(to.clone()), worker());

		assert_eq!(Workers::<T>::get(worker()).map(|worker| worker.operator), Some(to));
	}

	#[benchmark]
	fn deregister() {
		set_up_statements::<T>();
		T::BenchmarkHelper::engage_unbound(&worker());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>()), worker());

		assert!(!Workers::<T>::contains_key(worker()));
	}

	#[benchmark]
	fn set_measurement() -> Result<(), BenchmarkError> {
		let origin = origin::<T, T::MeasurementOrigin>()?;
		let (measurement, record) = (Measurement::repeat_byte(1), record::<T>());

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, measurement, record.clone());

		assert_eq!(Measurements::<T>::get(measurement), Some(record));
		Ok(())
	}

	#[benchmark]
	fn sunset_measurement() -> Result<(), BenchmarkError> {
		let origin = origin::<T, T::MeasurementOrigin>()?;
		let (measurement, record) = (Measurement::repeat_byte(1), record::<T>());
		Measurements::<T>::insert(measurement, &record);
		let at = record.active_from + 7u32.into();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, measurement, at);

		let stored = Measurements::<T>::get(measurement).expect("it is there");
		assert_eq!(stored.sunset, Some(at));
		Ok(())
	}

	#[benchmark]
	fn remove_measurement() -> Result<(), BenchmarkError> {
		let origin = origin::<T, T::MeasurementOrigin>()?;
		let measurement = Measurement::repeat_byte(1);
		Measurements::<T>::insert(measurement, record::<T>());

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, measurement);

		assert_last::<T>(Event::MeasurementRemoved { measurement });
		Ok(())
	}

	#[benchmark]
	fn set_policy() -> Result<(), BenchmarkError> {
		let origin = origin::<T, T::PolicyOrigin>()?;
		let policy = policy();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, policy.clone());

		assert_eq!(CurrentPolicy::<T>::get(), policy);
		Ok(())
	}

	#[benchmark]
	fn activate_evaluation() -> Result<(), BenchmarkError> {
		let origin = origin::<T, T::PolicyOrigin>()?;
		set_up_chain::<T>();
		let number = EVALUATION + 1;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, number);

		assert_last::<T>(Event::EvaluationActivated { number });
		Ok(())
	}

	#[benchmark]
	fn ban_platform() -> Result<(), BenchmarkError> {
		let origin = origin::<T, T::BanOrigin>()?;
		let platform = PlatformId::repeat_byte(1);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, platform);

		assert_last::<T>(Event::PlatformBanned { platform });
		Ok(())
	}

	#[benchmark]
	fn unban_platform() -> Result<(), BenchmarkError> {
		let origin = origin::<T, T::BanOrigin>()?;
		let platform = PlatformId::repeat_byte(1);
		BannedPlatforms::<T>::insert(platform, ());

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, platform);

		assert_last::<T>(Event::PlatformUnbanned { platform });
		Ok(())
	}

	#[benchmark]
	fn sweep_reports(r: Linear<0, REPORTS_PER_STEP>) {
		let block = BlockNumberFor::<T>::from(BLOCK);
		for report in 0..r {
			UsedReports::<T>::insert(
				block,
				H256(sp_io::hashing::blake2_256(&report.to_le_bytes())),
				(),
			);
		}

		#[block]
		{
			Pallet::<T>::sweep_reports_step(&mut UsedReports::<T>::drain_prefix(block));
		}

		assert!(UsedReports::<T>::iter_prefix(block).next().is_none());
	}

	/// The dearest look at a worker: an appraisal that lets it lapse.
	#[benchmark(pov_mode = Measured)]
	fn sweep_worker() {
		set_up_statements::<T>();
		T::BenchmarkHelper::engage(&worker());
		T::BenchmarkHelper::set_time(NOW + T::ReappraisalPeriod::get());
		CurrentPolicy::<T>::mutate(|policy| policy.tcb.grace = 0);
		let seen;

		#[block]
		{
			seen = Pallet::<T>::sweep_next_worker(None);
			WorkerSweep::<T>::set(seen);
		}

		assert_eq!(seen, Some(worker()));
		let worker = Workers::<T>::get(worker()).expect("it is registered");
		let Standing::Lapsed { reason, .. } = worker.standing else { panic!("it lapsed") };
		assert_eq!(reason, LapseReason::TcbRefused);
	}

	impl_benchmark_test_suite! {
		Pallet,
		crate::mock::ExtBuilder::default().build(),
		crate::mock::Test
	}
}
