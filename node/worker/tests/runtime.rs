//! The real runtime's metadata and types against what this program encodes and decodes by name.

use codec::{Decode, DecodeAll, Encode};
use frame_support::view_functions::{ViewFunctionDispatchError, ViewFunctionId};
use pallet_worker_registry::{Call as PalletCall, Error, evaluation::Evaluation, types};
use phala_attestation::{Binding, Fmspc, PckCaKind, Role, TcbStatus, Tee, Tier};
use phala_node_common::chain::{Shape, explain, missing, view};
use phala_primitives::{
	AttestedWorker, BenchmarkStatement, BlockRef, Endpoint, EndpointStatement, Measurement,
	PlatformId,
};
use phala_runtime::{AccountId, Runtime, RuntimeCall};
use phala_worker::registry::{self, Call, Claim, PALLET, SHAPE};
use sp_core::{H256, sr25519};
use subxt::{
	Metadata,
	ext::{frame_decode::view_functions::IntoEncodableValues, scale_decode::DecodeAsType},
};

fn metadata() -> Metadata {
	// Some constants are read from storage.
	let metadata = sp_io::TestExternalities::default()
		.execute_with(|| Runtime::metadata_at_version(16))
		.expect("the runtime has metadata V16");
	Metadata::decode_from(&metadata).expect("subxt reads it")
}

const BLOCK: BlockRef = BlockRef { number: 77, hash: H256::repeat_byte(7) };

fn worker() -> sr25519::Public {
	sr25519::Public::from_raw([1; 32])
}

fn claim() -> Claim {
	Claim { role: Role::Worker, worker: worker(), encryption_key: [2; 32], block: BLOCK }
}

fn pallet_claim() -> types::Claim {
	types::Claim { role: Role::Worker, worker: worker(), encryption_key: [2; 32], block: BLOCK }
}

/// What the runtime understands of an encoded call.
fn understood(call: Call) -> PalletCall<Runtime> {
	let bytes = call.encode(&metadata()).unwrap();
	match RuntimeCall::decode(&mut &bytes[..]).unwrap() {
		RuntimeCall::WorkerRegistry(call) => call,
		other => panic!("{other:?}"),
	}
}

/// What this program understands of a view function's answer.
fn answer<R: DecodeAsType>(function: &str, answer: impl Encode) -> R {
	let answer = Ok::<_, ViewFunctionDispatchError>(answer.encode()).encode();
	view::decode(&metadata(), PALLET, function, &answer).unwrap()
}

/// Asks the real runtime, with an empty state.
fn ask<A: IntoEncodableValues, R: DecodeAsType>(function: &str, arguments: A) -> R {
	let metadata = metadata();
	let call = view::encode(&metadata, PALLET, function, arguments).unwrap();
	let (id, input) = <(ViewFunctionId, Vec<u8>)>::decode_all(&mut &call[..]).unwrap();
	let answer = sp_io::TestExternalities::default()
		.execute_with(|| Runtime::execute_view_function(id, input))
		.encode();
	view::decode(&metadata, PALLET, function, &answer).unwrap()
}

#[test]
fn the_runtime_itself_answers() {
	let worker: Option<registry::Worker> = ask("worker", ([1; 32],));
	assert!(worker.is_none());
	let workers: Vec<[u8; 32]> = ask("workers_of", ([1; 32], None::<[u8; 32]>));
	assert!(workers.is_empty());
	let collateral: registry::Collateral =
		ask("collateral", (registry::Tee::from(Tee::Tdx), [1; 6]));
	assert_eq!(collateral.pck_cas, [None; 2]);
	let known: Vec<registry::Evaluation> = ask("evaluations", ());
	assert!(known.is_empty());
	let answer: Result<registry::Accepted, registry::Refused> =
		ask("why_refused", ([1; 32], b"no quote".to_vec(), registry::ClaimArgument::from(claim())));
	let refused = answer.unwrap_err();
	let error = explain(&metadata(), PALLET, &refused.error);
	assert!(!error.docs.is_empty(), "{error}");
}

/// Both sides must bind the same report data.
#[test]
fn report_data_is_what_the_runtime_expects() {
	let expected: [u8; 64] = ask("report_data", ([9; 32], registry::ClaimArgument::from(claim())));
	let binding = Binding {
		// The empty state knows no block 0, and no para id.
		genesis_hash: [0; 32],
		para_id: 100,
		role: Role::Worker,
		operator: [9; 32],
		identity_key: worker().0,
		encryption_key: [2; 32],
		block_number: BLOCK.number,
		block_hash: BLOCK.hash.0,
	};
	assert_eq!(expected, binding.hash());
}

#[test]
fn what_the_runtime_cannot_answer_is_an_error() {
	let metadata = metadata();
	let not_found = Err::<Vec<u8>, _>(ViewFunctionDispatchError::NotFound(ViewFunctionId {
		prefix: [1; 16],
		suffix: [2; 16],
	}));
	let decode = |answer: &[u8]| {
		view::decode::<Option<registry::Worker>>(&metadata, PALLET, "worker", answer)
			.unwrap_err()
			.to_string()
	};
	assert!(decode(&not_found.encode()).contains("NotFound"));
	assert!(decode(&[]).contains("cut off"));
	assert!(decode(&Ok::<_, ()>(vec![7u8; 9]).encode()).contains("another answer"));
	let error = view::encode(&metadata, PALLET, "worker", ()).unwrap_err().to_string();
	assert!(error.contains("other arguments"), "{error}");
}

#[test]
fn the_runtime_has_what_the_program_needs() {
	assert_eq!(missing(&metadata(), &[SHAPE]), Vec::<String>::new());
}

#[test]
fn what_is_missing_is_named() {
	let shape = Shape {
		calls: &[("register", &["quote"]), ("fly", &[])],
		views: &[("worker", &["key"]), ("weather", &[])],
		storage: &["Clouds"],
		..SHAPE
	};
	let nowhere = Shape { pallet: "Nowhere", ..SHAPE };
	assert_eq!(
		missing(&metadata(), &[shape, nowhere]),
		[
			"call WorkerRegistry.register(quote), which has (quote, claim)",
			"call WorkerRegistry.fly",
			"view function WorkerRegistry.worker(key), which has (worker)",
			"view function WorkerRegistry.weather",
			"storage WorkerRegistry.Clouds",
			"pallet Nowhere",
		]
	);
}

#[test]
fn every_call_arrives_as_it_was_meant() {
	let bytes = |byte: u8, len| vec![byte; len];
	let document =
		types::SignedDocument { body: bytes(3, 40).try_into().unwrap(), signature: [4; 64] };
	let pem = || bytes(5, 60);
	let signature = sr25519::Signature::from_raw([6; 64]);
	let score =
		BenchmarkStatement { worker: worker(), started_at: BLOCK, iterations: 8, elapsed_ms: 9 };
	let endpoint = |url: Option<&str>| EndpointStatement {
		worker: worker(),
		sequence: 10,
		endpoint: url.map(|url| Endpoint::try_from(url.as_bytes().to_vec()).unwrap()),
	};
	for (call, expected) in [
		(
			Call::TcbInfo(bytes(3, 40), bytes(4, 64), pem()),
			PalletCall::submit_tcb_info {
				document: document.clone(),
				signer: pem().try_into().unwrap(),
			},
		),
		(
			Call::QeIdentity(bytes(3, 40), bytes(4, 64), pem()),
			PalletCall::submit_qe_identity { document, signer: pem().try_into().unwrap() },
		),
		(Call::PckCa(pem()), PalletCall::submit_pck_ca { certificate: pem().try_into().unwrap() }),
		(
			Call::Crl(None, bytes(7, 9)),
			PalletCall::submit_crl {
				source: types::CrlSource::Root,
				crl: bytes(7, 9).try_into().unwrap(),
			},
		),
		(
			Call::Crl(Some(PckCaKind::Platform), bytes(7, 9)),
			PalletCall::submit_crl {
				source: types::CrlSource::PckCa(PckCaKind::Platform),
				crl: bytes(7, 9).try_into().unwrap(),
			},
		),
		(
			Call::Register(bytes(8, 99), claim()),
			PalletCall::register { quote: bytes(8, 99).try_into().unwrap(), claim: pallet_claim() },
		),
		(
			Call::Renew(bytes(8, 99), claim()),
			PalletCall::renew { quote: bytes(8, 99).try_into().unwrap(), claim: pallet_claim() },
		),
		(
			Call::ReportScore(score, signature),
			PalletCall::report_score { statement: score, signature },
		),
		(
			Call::SetEndpoint(endpoint(Some("tcp://a:1")), signature),
			PalletCall::set_endpoint { statement: endpoint(Some("tcp://a:1")), signature },
		),
		(
			Call::SetEndpoint(endpoint(None), signature),
			PalletCall::set_endpoint { statement: endpoint(None), signature },
		),
		(Call::Deregister(worker()), PalletCall::deregister { worker: worker() }),
	] {
		assert_eq!(understood(call), expected);
	}
}

#[test]
fn a_signature_of_wrong_length_is_not_encoded() {
	assert!(Call::TcbInfo(vec![], vec![1; 63], vec![]).encode(&metadata()).is_err());
}

#[test]
fn collateral_is_understood() {
	let view = types::CollateralView {
		tcb_info: Some((17, 1)),
		next_tcb_info: None,
		qe_identity: None,
		next_qe_identity: Some((18, 2)),
		root_crl: Some((1, 3)),
		pck_cas: [None, Some(4)],
		pck_crls: [Some((1, 5)), None],
	};
	let understood: registry::Collateral = answer("collateral", view);
	assert_eq!(understood.tcb_info, Some((17, 1)));
	assert_eq!((understood.next_tcb_info, understood.qe_identity), (None, None));
	assert_eq!(understood.next_qe_identity, Some((18, 2)));
	assert_eq!(understood.root_crl, Some((1, 3)));
	assert_eq!(understood.pck_cas, [None, Some(4)]);
	assert_eq!(understood.pck_crls, [Some((1, 5)), None]);
}

#[test]
fn evaluations_are_understood() {
	let known = Evaluation { number: 17, in_force_from: 5, newest_level: 3 };
	let understood: Vec<registry::Evaluation> = answer("evaluations", vec![known]);
	let [registry::Evaluation { number, in_force_from }] = understood[..] else { panic!("one") };
	assert_eq!((number, in_force_from), (17, 5));
}

#[test]
fn refusals_are_put_into_words() {
	type Answer = Result<types::Accepted, types::Refused<Error<Runtime>>>;
	let refused = |error, detail| {
		let refused: Answer = Err(types::Refused { error, detail });
		let understood: Result<registry::Accepted, registry::Refused> =
			answer("why_refused", refused);
		let refused = understood.unwrap_err();
		(explain(&metadata(), PALLET, &refused.error), refused.detail.map(|detail| detail.0))
	};

	let (error, detail) =
		refused(Error::<Runtime>::Measurement(types::MeasurementError::Unknown), None);
	assert_eq!((error.outer(), error.inner(), detail), ("Measurement", "Unknown", None));
	assert!(error.docs.contains("image is not allowed"), "{error}");

	let rule = phala_attestation::Error::UnsupportedQuoteVersion(9);
	let name = phala_attestation::Rule::from(rule).into();
	let (error, detail) = refused(Error::<Runtime>::Attestation(name), Some(rule));
	assert_eq!(error.path, ["Attestation", "UnsupportedQuoteVersion"]);
	assert_eq!(detail, Some(rule.to_string()));
}

#[test]
fn the_policy_is_understood() {
	let policy = types::Policy::default();
	let metadata = metadata();
	let storage = metadata.pallet_by_name(PALLET).unwrap().storage().unwrap();
	let id = storage.entry_by_name("CurrentPolicy").unwrap().value_ty();
	let understood =
		registry::Policy::decode_as_type(&mut &policy.encode()[..], id, metadata.types()).unwrap();
	assert_eq!(understood.tcb.ttl, policy.tcb.ttl);
	assert_eq!(understood.collateral_margin, policy.collateral_margin);
	assert_eq!(understood.min_benchmark_ms, policy.min_benchmark_ms);
}

#[test]
fn a_worker_is_understood() {
	let operator = AccountId::new([9; 32]);
	let judgement = types::Judgement {
		status: TcbStatus::SWHardeningNeeded,
		tier: Tier::Two,
		expires_at: 2_000,
	};
	let view = types::WorkerView {
		attested: Some(AttestedWorker {
			operator: operator.clone(),
			role: Role::Worker,
			tier: judgement.tier,
			platform: PlatformId::repeat_byte(3),
			score: 400,
			expires_at: 2_000,
		}),
		operator,
		encryption_key: [2; 32],
		role: Role::Worker,
		tee: Tee::Tdx,
		fmspc: Fmspc([4; 6]),
		measurement: Measurement::repeat_byte(5),
		platform: PlatformId::repeat_byte(3),
		judgement,
		attested_at: 1_000,
		standing: types::Standing::Attested,
		score: Some(types::Score { value: 400, started_at: 77 }),
		endpoint: Some(b"tcp://a:1".to_vec().try_into().unwrap()),
		endpoint_sequence: 6,
		offered_to: None,
	};
	let found: Option<registry::Worker> = answer("worker", Some(view));
	let worker = found.unwrap();
	assert_eq!(worker.operator.0, [9; 32]);
	assert_eq!((worker.encryption_key, worker.measurement), ([2; 32], [5; 32]));
	assert_eq!(worker.platform, [3; 32]);
	assert_eq!(worker.attested.as_ref().map(|attested| attested.expires_at), Some(2_000));
	assert_eq!((worker.attested_at, worker.judgement.expires_at), (1_000, 2_000));
	let score = worker.score.as_ref().unwrap();
	assert_eq!((score.value, score.started_at), (400, 77));
	assert_eq!(
		(worker.endpoint.as_deref(), worker.endpoint_sequence),
		(Some(&b"tcp://a:1"[..]), 6)
	);
}

#[test]
fn a_worker_that_is_not_there_is_none() {
	let understood: Option<registry::Worker> =
		answer("worker", None::<types::WorkerView<AccountId>>);
	assert!(understood.is_none());
}
