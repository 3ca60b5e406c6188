//! The real runtime's metadata and types against what this program encodes and decodes by name.

use codec::{Decode, Encode};
use pallet_worker_registry::{Call as PalletCall, Error, types};
use phala_attestation::{Fmspc, Role, TcbStatus, Tee, Tier};
use phala_node_common::chain::{Shape, explain, missing};
use phala_primitives::{
	AttestedWorker, BenchmarkStatement, BlockRef, Endpoint, EndpointStatement, Measurement,
	PlatformId,
};
use phala_runtime::{AccountId, Runtime, RuntimeCall};
use phala_worker::registry::{self, Call, Claim, PALLET, SHAPE};
use sp_core::{H256, sr25519};
use subxt::{
	Metadata,
	ext::{
		frame_decode::view_functions::decode_view_function_response,
		scale_decode::{DecodeAsType, IntoVisitor},
		scale_value::Value,
	},
};

fn metadata() -> Metadata {
	let metadata = Runtime::metadata_at_version(16).expect("the runtime has metadata V16");
	Metadata::decode_from(&metadata).expect("subxt reads it")
}

const BLOCK: BlockRef = BlockRef { number: 77, hash: H256::repeat_byte(7) };
const WORKER: sr25519::Public = sr25519::Public::from_raw([1; 32]);
const CLAIM: Claim = Claim { worker: WORKER, encryption_key: [2; 32], block: BLOCK };

fn pallet_claim() -> types::Claim {
	types::Claim { role: Role::Worker, worker: WORKER, encryption_key: [2; 32], block: BLOCK }
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
	let metadata = metadata();
	let bytes = Ok::<_, ()>(answer.encode()).encode();
	decode_view_function_response(
		PALLET,
		function,
		&mut &bytes[..],
		&metadata,
		metadata.types(),
		R::into_visitor(),
	)
	.unwrap()
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
		BenchmarkStatement { worker: WORKER, started_at: BLOCK, iterations: 8, elapsed_ms: 9 };
	let endpoint = |url: Option<&str>| EndpointStatement {
		worker: WORKER,
		sequence: 10,
		endpoint: url.map(|url| Endpoint::try_from(url.as_bytes().to_vec()).unwrap()),
	};
	for (call, expected) in [
		(
			Call::TcbInfo(bytes(3, 40), bytes(4, 64), pem()),
			PalletCall::submit_tcb_info {
				document: document.clone(),
				issuer_chain: pem().try_into().unwrap(),
			},
		),
		(
			Call::QeIdentity(bytes(3, 40), bytes(4, 64), pem()),
			PalletCall::submit_qe_identity { document, issuer_chain: pem().try_into().unwrap() },
		),
		(Call::PckCa(pem()), PalletCall::submit_pck_ca { issuer_chain: pem().try_into().unwrap() }),
		(Call::Crl(bytes(7, 9)), PalletCall::submit_crl { crl: bytes(7, 9).try_into().unwrap() }),
		(
			Call::Register(bytes(8, 99), CLAIM),
			PalletCall::register { quote: bytes(8, 99).try_into().unwrap(), claim: pallet_claim() },
		),
		(
			Call::Renew(bytes(8, 99), CLAIM),
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
		(Call::Deregister(WORKER), PalletCall::deregister { worker: WORKER }),
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
	assert!(error.docs.contains("Governance has not allowed it"), "{error}");

	let rule = phala_attestation::Error::UnsupportedQuoteVersion(9);
	let name = phala_attestation::Rule::from(rule).into();
	let (error, detail) = refused(Error::<Runtime>::Attestation(name), Some(rule));
	assert_eq!(error.path, ["Attestation", "UnsupportedQuoteVersion"]);
	assert_eq!(detail, Some(rule.to_string()));
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
	let worker: Option<registry::Worker> = answer("worker", Some(view));
	let worker = worker.unwrap();
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
