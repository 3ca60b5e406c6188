//! Workers attest on the whole runtime: in real blocks, by signed extrinsics.

use crate::chain::{account, block, pair, run, run_at, signed};
use codec::Encode;
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::Hooks};
use pallet_worker_registry::{
	Call, Crls, Error, PckCas, QeIdentities, TcbInfos, Workers,
	types::{Claim, CrlSource, MeasurementRecord, SignedDocument},
};
use phala_attestation::{
	Anchor, Collateral, PckCaKind, Quote, Role, Rule, TcbStatus, TrustRoot, collateral::Bundle,
	pem, verify_quote,
};
use phala_dev_pki::{CollateralOptions, Pki, Platform, QuoteKind, QuoteRequest};
use phala_primitives::{AttestedWorkers, BlockRef};
use phala_runtime::{
	configs::RuntimeBlockWeights,
	constants::{attestation::*, currency::PHA},
	*,
};
use sp_core::{H256, Pair};

const NOW: u64 = phala_dev_pki::NOW;

/// The calls that bring a bundle of collateral.
pub fn submissions(bundle: &Bundle, ca: PckCaKind) -> Vec<RuntimeCall> {
	let first = |chain: &str| {
		let mut chain = pem::certificates(chain.as_bytes()).expect("it is PEM");
		chain.remove(0).try_into().expect("a certificate is at most 2 KiB")
	};
	let document = |body: &str, signature: &[u8]| SignedDocument {
		body: body.as_bytes().to_vec().try_into().expect("at most 32 KiB"),
		signature: signature.try_into().expect("64 bytes"),
	};
	let crl = |crl: &[u8]| crl.to_vec().try_into().expect("at most 16 KiB");
	let calls: [Call<Runtime>; 5] = [
		Call::submit_crl { source: CrlSource::Root, crl: crl(&bundle.root_ca_crl) },
		Call::submit_pck_ca { certificate: first(&bundle.pck_crl_issuer_chain) },
		Call::submit_crl { source: CrlSource::PckCa(ca), crl: crl(&bundle.pck_crl) },
		Call::submit_tcb_info {
			document: document(&bundle.tcb_info, &bundle.tcb_info_signature),
			signer: first(&bundle.tcb_info_issuer_chain),
		},
		Call::submit_qe_identity {
			document: document(&bundle.qe_identity, &bundle.qe_identity_signature),
			signer: first(&bundle.qe_identity_issuer_chain),
		},
	];
	calls.map(RuntimeCall::from).to_vec()
}

fn development_bundle(kind: QuoteKind) -> Bundle {
	let options = CollateralOptions::for_platform(&Platform::development(1), kind.tee());
	let collateral = Pki::development().issue_collateral(NOW, &options).expect("encodable");
	serde_json::from_value(serde_json::to_value(collateral).expect("JSON")).expect("a bundle")
}

/// Puts the development PKI's root in place of Intel's, which no genesis of this composition may.
fn trust_the_development_root() {
	let root = TrustRoot::from_der(DEVELOPMENT_ROOT).expect("it is a root");
	pallet_worker_registry::DevelopmentRoot::<Runtime>::put(root);
	assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), DEVELOPMENT_EVALUATION));
}

fn allow(measurement: H256) {
	let record = MeasurementRecord {
		role: Role::Worker,
		active_from: 0,
		sunset: None,
		provenance: Default::default(),
	};
	assert_ok!(WorkerRegistry::set_measurement(RuntimeOrigin::root(), measurement, record));
}

fn quote(kind: QuoteKind, program: &str, report_data: [u8; 64]) -> Vec<u8> {
	let enclave = Pki::development()
		.quoting_enclave(&Platform::development(1))
		.expect("the platform is encodable");
	enclave.quote(&QuoteRequest::new(kind, report_data).program(program))
}

fn measurement(kind: QuoteKind, program: &str) -> [u8; 32] {
	Quote::parse(&quote(kind, program, [0; 64])).expect("it is well-formed").measurement()
}

#[test]
fn a_worker_registers_in_a_block() {
	for &kind in QuoteKind::ALL {
		run_at(NOW, || {
			block(vec![]);
			trust_the_development_root();
			allow(H256(measurement(kind, "phala-worker")));
			let charlie = Balances::free_balance(account("charlie"));
			for call in submissions(&development_bundle(kind), PckCaKind::Platform) {
				assert_eq!(block(vec![signed("charlie", call)]), vec![Ok(Ok(()))]);
			}
			let paid = charlie - Balances::free_balance(account("charlie"));
			assert_eq!(paid, 0, "useful collateral costs nothing");

			let worker = pair("worker");
			let number = System::block_number() - 1;
			let claim = Claim {
				role: Role::Worker,
				worker: worker.public(),
				encryption_key: [9; 32],
				block: BlockRef { number, hash: System::block_hash(number) },
			};
			let report_data = WorkerRegistry::report_data(account("alice"), claim);
			let quote = quote(kind, "phala-worker", report_data);
			let call = Call::<Runtime>::register {
				quote: quote.try_into().expect("at most 8 KiB"),
				claim,
			};
			let extrinsic = signed("alice", call);
			assert!(extrinsic.encoded_size() <= 6 * 1024, "{} bytes", extrinsic.encoded_size());
			assert_eq!(block(vec![extrinsic]), vec![Ok(Ok(()))]);

			let attested = <WorkerRegistry as AttestedWorkers<_>>::attested(&worker.public());
			assert_eq!(attested.expect("it is attested").operator, account("alice"));
			let held = Balances::reserved_balance(account("alice"));
			assert!((PHA / 10..2 * PHA).contains(&held), "the deposit is {held}");

			let call = Call::<Runtime>::deregister { worker: worker.public() };
			assert_eq!(block(vec![signed("alice", call)]), vec![Ok(Ok(()))]);
			assert_eq!(Balances::reserved_balance(account("alice")), 0);
		});
	}
}

#[test]
fn every_call_fits_into_a_block_several_times() {
	let calls = [
		Call::<Runtime>::submit_tcb_info {
			document: SignedDocument {
				body: vec![0; 32 * 1024].try_into().expect("at most 32 KiB"),
				signature: [0; 64],
			},
			signer: Default::default(),
		},
		Call::submit_crl {
			source: CrlSource::Root,
			crl: vec![0; 16 * 1024].try_into().expect("at most 16 KiB"),
		},
	];
	let block = RuntimeBlockWeights::get().max_block;
	for call in calls {
		let weight = call.get_dispatch_info().call_weight;
		assert!((weight * 8).all_lte(block), "{weight}");
	}
}

/// Folder of the samples that dcap-qvl ships: real quotes with Intel's collateral.
pub fn samples() -> std::path::PathBuf {
	let run = |command: &mut std::process::Command| {
		let output = command.output().expect("it runs this test");
		String::from_utf8(output.stdout).expect("it prints text")
	};
	let version = run(std::process::Command::new("rustc").arg("-vV"));
	let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a line");
	let metadata = run(std::process::Command::new("cargo")
		.args(["metadata", "--format-version=1", "--filter-platform", host])
		.current_dir(env!("CARGO_MANIFEST_DIR")));
	let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("JSON");
	let packages = metadata["packages"].as_array().expect("a list");
	let package =
		packages.iter().find(|package| package["name"] == "dcap-qvl").expect("it is there");
	let manifest = package["manifest_path"].as_str().expect("a path");
	std::path::Path::new(manifest).with_file_name("sample")
}

#[test]
fn real_quotes_verify_under_intels_root() {
	for (name, status) in [
		("sgx_quote", TcbStatus::ConfigurationAndSWHardeningNeeded),
		("tdx_quote", TcbStatus::UpToDate),
	] {
		let read = |name: String| std::fs::read(samples().join(name)).expect("it is shipped");
		let bytes = read(name.into());
		let bundle: Bundle =
			serde_json::from_slice(&read(format!("{name}_collateral.json"))).expect("a bundle");
		// Unix second at which both are valid.
		run_at(1_751_000_000, || {
			block(vec![]);
			let quote = Quote::parse(&bytes).expect("it is real");
			let info: serde_json::Value = serde_json::from_str(&bundle.tcb_info).expect("JSON");
			let number = info["tcbEvaluationDataNumber"].as_u64().expect("a number") as u32;
			assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), number));
			for call in submissions(&bundle, quote.pck.ca) {
				assert_eq!(block(vec![signed("charlie", call)]), vec![Ok(Ok(()))], "{name}");
			}

			// Against what the chain now has.
			let root_crl = Crls::<Runtime>::get(CrlSource::Root).expect("it is stored");
			let tcb_info = TcbInfos::<Runtime>::get((quote.tee(), quote.pck.fmspc)).current;
			let collateral = Collateral {
				anchor: Anchor { root: &TrustRoot::INTEL, root_crl: &root_crl },
				pck_ca: &PckCas::<Runtime>::get(quote.pck.ca).expect("it is stored"),
				pck_crl: &Crls::<Runtime>::get(CrlSource::PckCa(quote.pck.ca)).expect("stored"),
				tcb_info: &tcb_info.expect("it is in force"),
				qe_identity: &QeIdentities::<Runtime>::get(quote.tee()).current.expect("in force"),
			};
			let now = pallet_timestamp::Now::<Runtime>::get() / 1_000;
			let verified = verify_quote(&quote, &collateral, now, 0).expect("it is real");
			assert_eq!(verified.appraised.status, status, "{name}");

			// Somebody else's quote registers nobody.
			let number = System::block_number() - 1;
			let claim = Claim {
				role: Role::Worker,
				worker: pair("worker").public(),
				encryption_key: [9; 32],
				block: BlockRef { number, hash: System::block_hash(number) },
			};
			let call = Call::<Runtime>::register {
				quote: bytes.clone().try_into().expect("at most 8 KiB"),
				claim,
			};
			let mismatch = Error::<Runtime>::Attestation(Rule::ReportDataMismatch.into());
			assert_eq!(block(vec![signed("alice", call)]), vec![Ok(Err(mismatch.into()))]);
			assert_eq!(Workers::<Runtime>::count(), 0);
		});
	}
}

#[test]
fn development_constants_are_those_of_the_development_pki() {
	assert_eq!(DEVELOPMENT_ROOT, phala_dev_pki::development_root_der());
	let kinds = [QuoteKind::SgxV3, QuoteKind::TdxV4];
	let of = |program| kinds.map(|kind| hex::encode(measurement(kind, program)));
	assert_eq!(of("phala-worker"), DEVELOPMENT_WORKERS.map(hex::encode));
	assert_eq!(of("phala-gatekeeper"), DEVELOPMENT_GATEKEEPERS.map(hex::encode));
	let bundle = development_bundle(QuoteKind::TdxV4);
	let info: serde_json::Value = serde_json::from_str(&bundle.tcb_info).expect("JSON");
	assert_eq!(info["tcbEvaluationDataNumber"], DEVELOPMENT_EVALUATION);
}

#[test]
fn the_sweep_uses_only_what_is_left() {
	run(|| {
		block(vec![]);
		let none = frame_support::weights::Weight::zero();
		assert_eq!(WorkerRegistry::on_idle(1, none), none);
	});
}
