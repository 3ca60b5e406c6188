//! The Wasm that live nodes run, on blocks that were built natively: it must find the same state, and it
//! is where real quotes have to verify.

use crate::{
	chain::{block, built, last_block, next_block, run_at, signed, signed_by, start_at},
	gatekeepers::{development_collateral, evidence},
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
use sp_keyring::Sr25519Keyring::{self, AliceStash, BobStash, Charlie, CharlieStash, DaveStash};
use sp_runtime::traits::Block as _;
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
		Self::of("phala_runtime")
	}

	/// The Wasm of a composition.
	fn of(name: &str) -> Self {
		let file = format!("debug/wbuild/phala-runtime/{name}.compact.compressed.wasm");
		let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(file);
		let code = std::fs::read(&file).unwrap_or_else(|error| {
			panic!("{}: {error}. Build it: cargo build -p phala-runtime-wasm", file.display())
		});
		Self { code, executor: WasmExecutor::builder().build() }
	}

	/// Calls a runtime API on a state.
	fn call(&self, state: Storage, method: &str, arguments: impl Encode) -> Vec<u8> {
		let mut state = TestExternalities::new_with_state_version(state, StateVersion::V1);
		self.run(&mut state, method, arguments)
	}

	/// Calls a runtime API on a state, which keeps what it does.
	fn run(&self, state: &mut TestExternalities, method: &str, arguments: impl Encode) -> Vec<u8> {
		let fetcher = WrappedRuntimeCode(self.code.as_slice().into());
		let code = RuntimeCode {
			code_fetcher: &fetcher,
			heap_pages: None,
			hash: sp_io::hashing::blake2_256(&self.code).to_vec(),
		};
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

/// A chain of the development composition. Its calls, extensions and storage are those of the live one,
/// apart from sudo, so that natively they can be made and read.
struct LocalNetwork {
	wasm: Wasm,
	state: TestExternalities,
}

impl LocalNetwork {
	/// At its genesis.
	fn start() -> Self {
		let wasm = Wasm::of("phala_runtime_development");
		let mut state =
			TestExternalities::new_with_state_version(Storage::default(), StateVersion::V1);
		let mut preset = |id: Option<&str>| -> serde_json::Value {
			let answer = wasm.run(&mut state, "GenesisBuilder_get_preset", id);
			let json = <Option<Vec<u8>>>::decode(&mut &answer[..]).expect("the API's own type");
			serde_json::from_slice(&json.expect("there is such a preset")).expect("JSON")
		};
		let mut genesis = preset(None);
		json_patch::merge(&mut genesis, &preset(Some("local_testnet")));
		let built =
			wasm.run(&mut state, "GenesisBuilder_build_state", genesis.to_string().into_bytes());
		assert_eq!(<Result<(), String>>::decode(&mut &built[..]), Ok(Ok(())));
		start_at(phala_dev_pki::NOW);
		Self { wasm, state }
	}

	/// Builds a block out of `extrinsics`, all of which succeed.
	fn block(&mut self, extrinsics: Vec<UncheckedExtrinsic>) {
		let (header, mut body) = self.state.execute_with(next_block);
		self.wasm.run(&mut self.state, "Core_initialize_block", header);
		body.extend(extrinsics);
		for extrinsic in &body {
			let method = "BlockBuilder_apply_extrinsic";
			let answer = self.wasm.run(&mut self.state, method, extrinsic);
			let result = sp_runtime::ApplyExtrinsicResult::decode(&mut &answer[..]);
			assert_eq!(result, Ok(Ok(Ok(()))), "{:?}", extrinsic.function);
		}
		let header = self.wasm.run(&mut self.state, "BlockBuilder_finalize_block", ());
		let header = Decode::decode(&mut &header[..]).expect("the API's own type");
		built(Block::new(header, body));
	}

	/// [`block`](Self::block), of calls that one of the well-known keys signs.
	fn apply(&mut self, who: Sr25519Keyring, calls: Vec<RuntimeCall>) {
		let extrinsics = self.state.execute_with(|| {
			let nonces = System::account_nonce(who.to_account_id())..;
			let sign = |(call, nonce)| signed_by(&who.pair(), nonce, 0, call);
			calls.into_iter().zip(nonces).map(sign).collect()
		});
		self.block(extrinsics);
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

#[test]
fn a_local_network_elects_its_gatekeepers_within_minutes() {
	use pallet_gatekeeper_keys::{Current, Sets, types::Phase};
	use pallet_worker_registry::Call;
	use phala_runtime::constants::time::MINUTES;
	let mut network = LocalNetwork::start();
	network.block(vec![]);
	network.block(vec![]);
	network.apply(Charlie, development_collateral(phala_dev_pki::NOW));
	// All that is left to do for each of the four stashes: a gatekeeper registers, and is bound.
	let stashes = [AliceStash, BobStash, CharlieStash, DaveStash];
	for (stash, platform) in stashes.into_iter().zip(1..) {
		let worker = crate::chain::pair(&format!("gatekeeper {platform}"));
		let (quote, claim) = network
			.state
			.execute_with(|| evidence(stash.to_account_id(), &worker, Role::Gatekeeper, platform));
		let bind =
			pallet_gatekeeper_election::Call::bind { worker: sp_core::Pair::public(&worker) };
		let register = Call::<Runtime>::register { quote, claim };
		network.apply(stash, vec![register.into(), bind.into()]);
		let why = network
			.state
			.execute_with(|| GatekeeperElection::why_not_eligible(stash.to_account_id()));
		assert_eq!(why, None, "{stash:?}");
	}
	let ceremony = || Current::<Runtime>::get();
	while network.state.execute_with(ceremony).is_none() {
		network.block(vec![]);
		let (now, status) =
			network.state.execute_with(|| (System::block_number(), GatekeeperElection::status()));
		assert!(now < 7 * MINUTES, "{status:?}");
	}
	let attempt = network.state.execute_with(ceremony).expect("it began");
	assert!(matches!(attempt.phase, Phase::Committing { .. }), "{:?}", attempt.phase);
	let seats = network.state.execute_with(|| Sets::<Runtime>::get(attempt.number()));
	let mut seats: Vec<_> = seats.into_iter().map(|seat| seat.account).collect();
	seats.sort();
	let mut expected = stashes.map(|stash| stash.to_account_id());
	expected.sort();
	assert_eq!(seats, expected);
}
