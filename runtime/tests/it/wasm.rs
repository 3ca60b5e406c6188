//! The Wasm that live nodes run, on blocks that were built natively: it must find the same state, and it
//! is where real quotes have to verify.

use crate::{
	chain::{block, last_block, run_at, signed},
	market::{heartbeat, market, pool, statement},
	workers::{samples, submissions},
};
use codec::{Decode, Encode};
use cumulus_primitives_proof_size_hostfunction::storage_proof_size;
use frame_support::{
	assert_ok,
	view_functions::{ViewFunction, ViewFunctionDispatchError},
};
use pallet_worker_registry::{
	AppraiseViewFunction, Error,
	types::{Accepted, Refused},
};
use phala_attestation::{Quote, Role, Rule, TcbStatus, collateral::Bundle};
use phala_runtime::*;
use sc_executor::WasmExecutor;
use sp_core::{
	storage::{StateVersion, Storage},
	traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
};
use sp_io::TestExternalities;
use std::path::Path;

/// Unix second at which the collateral of both samples is valid.
const THEN: u64 = 1_751_000_000;

type HostFunctions = (sp_io::SubstrateHostFunctions, storage_proof_size::HostFunctions);

/// The Wasm of the live composition, and what runs it.
struct Wasm {
	code: Vec<u8>,
	executor: WasmExecutor<HostFunctions>,
}

impl Wasm {
	fn load() -> Self {
		let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
			.with_file_name("debug/wbuild/phala-runtime/phala_runtime.compact.compressed.wasm");
		let code = std::fs::read(&file).unwrap_or_else(|error| {
			panic!("{}: {error}. Build it: cargo build -p phala-runtime-wasm", file.display())
		});
		Self { code, executor: WasmExecutor::builder().build() }
	}

	/// Calls a runtime API on a state.
	fn call(&self, state: Storage, method: &str, arguments: impl Encode) -> Vec<u8> {
		let fetcher = WrappedRuntimeCode(self.code.as_slice().into());
		let code = RuntimeCode {
			code_fetcher: &fetcher,
			heap_pages: None,
			hash: sp_io::hashing::blake2_256(&self.code).to_vec(),
		};
		let mut state = TestExternalities::new_with_state_version(state, StateVersion::V1);
		let arguments = arguments.encode();
		let (answer, _) =
			self.executor.call(&mut state.ext(), &code, method, &arguments, CallContext::Offchain);
		answer.unwrap_or_else(|error| panic!("{method}: {error}"))
	}

	/// Builds a block natively, and has the Wasm execute it on the state before. Fails unless both
	/// come to the same state.
	fn block(&self, extrinsics: Vec<UncheckedExtrinsic>) -> Vec<sp_runtime::ApplyExtrinsicResult> {
		let before = state();
		let results = block(extrinsics);
		assert_eq!(self.call(before, "Core_execute_block", last_block()), Vec::<u8>::new());
		results
	}

	fn appraise(&self, quote: &[u8]) -> Result<Accepted, Refused<Error<Runtime>>> {
		let function = <AppraiseViewFunction<Runtime> as ViewFunction>::id();
		let arguments = (quote, Role::Worker).encode();
		let answer =
			self.call(state(), "RuntimeViewFunction_execute_view_function", (function, arguments));
		let answer = <Result<Vec<u8>, ViewFunctionDispatchError>>::decode(&mut &answer[..])
			.expect("the API's own type")
			.expect("the function is there");
		Decode::decode(&mut &answer[..]).expect("the function's own type")
	}
}

/// Everything that is stored.
fn state() -> Storage {
	let mut storage = Storage::default();
	let mut key = vec![];
	while let Some(next) = sp_io::storage::next_key(&key) {
		let value = sp_io::storage::get(&next).expect("keys have values");
		storage.top.insert(next.clone(), value.into());
		key = next;
	}
	storage
}

#[test]
fn real_quotes_verify_inside_the_wasm() {
	let wasm = Wasm::load();
	for (name, status) in [
		("sgx_quote", TcbStatus::ConfigurationAndSWHardeningNeeded),
		("tdx_quote", TcbStatus::UpToDate),
	] {
		let read = |name: String| std::fs::read(samples().join(name)).expect("it is shipped");
		let quote = read(name.into());
		let bundle: Bundle =
			serde_json::from_slice(&read(format!("{name}_collateral.json"))).expect("a bundle");
		let ca = Quote::parse(&quote).expect("it is real").pck.ca;
		run_at(THEN, || {
			// The genesis of tests has no header that the first block could have as its parent.
			block(vec![]);
			assert!(wasm.block(vec![]).is_empty());
			let info: serde_json::Value = serde_json::from_str(&bundle.tcb_info).expect("JSON");
			let number = info["tcbEvaluationDataNumber"].as_u64().expect("a number") as u32;
			assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), number));
			for call in submissions(&bundle, ca) {
				assert_eq!(wasm.block(vec![signed("charlie", call)]), vec![Ok(Ok(()))], "{name}");
			}

			let accepted = wasm.appraise(&quote).expect("it is real");
			assert_eq!(accepted.judgement.status, status, "{name}");
			assert_eq!(Ok(accepted), WorkerRegistry::appraise(quote.clone(), Role::Worker));

			// One bit of the report data, which the quote's own signature covers.
			let mut tampered = quote.clone();
			let data = Quote::parse(&quote).expect("it is real").report_data().to_vec();
			let at = quote.windows(64).position(|bytes| bytes == data).expect("it is in there");
			tampered[at] ^= 1;
			let refused = wasm.appraise(&tampered).expect_err("it was tampered with");
			let rule = Rule::QuoteSignature.into();
			assert_eq!(refused.error, Error::<Runtime>::Attestation(rule), "{name}");
		});
	}
}

#[test]
fn an_answer_is_paid_inside_the_wasm() {
	let wasm = Wasm::load();
	market(&["one"], || {
		let before = Balances::total_issuance();
		pool(2_000, 0, &["one"]);
		let stated = loop {
			match statement("one") {
				Some(statement) => break statement,
				None => assert!(wasm.block(vec![]).is_empty()),
			}
		};
		assert_eq!(wasm.block(vec![heartbeat(stated, "one")]), vec![Ok(Ok(()))]);
		let events = System::read_events_for_pallet::<pallet_mining::Event<Runtime>>();
		let paid = |event: &_| match event {
			pallet_mining::Event::Settled { settlement, .. } => settlement.pool > 0,
			_ => false,
		};
		assert!(events.iter().any(paid), "{events:?}");
		assert_eq!(Balances::total_issuance(), before);
	});
}
