//! The program's own world, over a node whose runtime is the real one.

mod attesting;

use crate::*;
use codec::{DecodeAll, Encode};
use frame_support::view_functions::ViewFunctionId;
use phala_node_common::{
	chain::{Chain, Submission, encode_general},
	keystore::Keys,
	metrics::Registry,
	seal::Sealer,
};
use phala_primitives::Statement;
use phala_runtime::{OriginCaller, PolkadotXcm, RuntimeCall, configs::xcm::XcmRouter};
use phala_worker::{
	metrics::Metrics,
	mining::{
		book::Book,
		engine::{Progress, World, step},
		kernel::{Kernel, Machine},
		pallet::{HEARTBEAT, Heartbeat, PALLET},
		plan::{Budget, Challenge, RUN},
		world::Real,
	},
};
use serde_json::{Value, json};
use std::{
	collections::BTreeSet,
	path::Path,
	sync::{
		Arc,
		atomic::{AtomicU8, AtomicU32, Ordering},
		mpsc,
	},
	time::Duration,
};
use subxt::rpcs::{
	Error, RpcClient, UserError,
	client::{RawRpcFuture, RawRpcSubscription, RawValue, RpcClientT},
};

/// The lowest score that may mine: a slow machine passes it within seconds.
const LOW_SCORE: u64 = 50;

/// How the node behaves.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Mood {
	Fine,
	/// Answers nothing.
	Silent,
	/// Every request fails.
	Broken,
}

type Job = Box<dyn FnOnce(&mut Pool) + Send>;

/// What the node keeps of transactions.
#[derive(Default)]
struct Pool {
	ready: Vec<UncheckedExtrinsic>,
	/// What was refused once is not looked at again.
	banned: BTreeSet<Vec<u8>>,
}

impl Pool {
	/// As the SDK's pool.
	fn submit(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
		let extrinsic = UncheckedExtrinsic::decode_all(&mut &bytes[..])
			.map_err(|error| refusal(1001, &error.to_string()))?;
		if self.banned.contains(&bytes) {
			return Err(refusal(1012, "Transaction is temporarily banned"));
		}
		if self.ready.iter().any(|known| known.encode() == bytes) {
			return Err(refusal(1013, "Already Imported"));
		}
		let valid = judged(&extrinsic).map_err(|error| {
			self.banned.insert(bytes);
			match error {
				TransactionValidityError::Invalid(_) => refusal(1010, "Invalid"),
				TransactionValidityError::Unknown(_) => refusal(1011, "Unknown"),
			}
		})?;
		let same = |known: &UncheckedExtrinsic| {
			judged(known).is_ok_and(|known| known.provides == valid.provides)
		};
		if self.ready.iter().any(same) {
			return Err(refusal(1014, "Priority is too low"));
		}
		self.ready.push(extrinsic);
		Ok(())
	}
}

/// A node: its state is in a thread of its own.
#[derive(Clone)]
struct Node {
	jobs: mpsc::Sender<Job>,
	mood: Arc<AtomicU8>,
	submissions: Arc<AtomicU32>,
}

impl Node {
	/// Of a chain on which the worker mines.
	fn start() -> Self {
		Self::start_with(|| begin(LOW_SCORE))
	}

	/// Of a chain that begins with this.
	fn start_with(begin: impl FnOnce() + Send + 'static) -> Self {
		let (jobs, asked) = mpsc::channel::<Job>();
		std::thread::spawn(move || {
			let mut pool = Pool::default();
			let mut state = TestExternalities::default();
			state.execute_with(begin);
			for job in asked {
				state.execute_with(|| job(&mut pool));
			}
		});
		Self { jobs, mood: Arc::default(), submissions: Arc::default() }
	}

	/// Does something with state and pool.
	fn with<R: Send + 'static>(&self, act: impl FnOnce(&mut Pool) -> R + Send + 'static) -> R {
		let (tell, told) = mpsc::channel();
		let job: Job = Box::new(move |pool| tell.send(act(pool)).unwrap());
		self.jobs.send(job).unwrap();
		told.recv().expect("the node's thread lives")
	}

	/// The next block, with what is in the pool.
	fn block(&self, then: impl FnOnce() -> DispatchResult + Send + 'static) {
		self.with(|pool| {
			block(then);
			for extrinsic in pool.ready.drain(..) {
				assert_eq!(Executive::apply_extrinsic(extrinsic), Ok(Ok(())));
			}
		});
	}

	fn be(&self, mood: Mood) {
		self.mood.store(mood as u8, Ordering::SeqCst);
	}

	fn submissions(&self) -> u32 {
		self.submissions.load(Ordering::SeqCst)
	}

	async fn chain(&self) -> Chain {
		Chain::with_client("test://node", RpcClient::new(self.clone())).await.unwrap()
	}
}

fn hexed(bytes: impl AsRef<[u8]>) -> Value {
	json!(format!("0x{}", hex::encode(bytes)))
}

fn bytes(value: &Value) -> Vec<u8> {
	hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

fn refusal(code: i32, message: &str) -> Error {
	Error::User(UserError { code, message: message.into(), data: None })
}

/// Calls a runtime API.
fn call(method: &str, arguments: Vec<u8>) -> Vec<u8> {
	match method {
		"Core_version" => phala_runtime::VERSION.encode(),
		"Metadata_metadata_versions" => vec![16u32].encode(),
		"Metadata_metadata_at_version" => {
			let version = u32::decode_all(&mut &arguments[..]).unwrap();
			Runtime::metadata_at_version(version).encode()
		}
		"RuntimeViewFunction_execute_view_function" => {
			let (id, input) = <(ViewFunctionId, Vec<u8>)>::decode_all(&mut &arguments[..]).unwrap();
			Runtime::execute_view_function(id, input).encode()
		}
		"AccountNonceApi_account_nonce" => 0u32.encode(),
		"DryRunApi_dry_run_call" => {
			let (origin, call, version) =
				<(OriginCaller, RuntimeCall, u32)>::decode_all(&mut &arguments[..]).unwrap();
			PolkadotXcm::dry_run_call::<Runtime, XcmRouter, OriginCaller, RuntimeCall>(
				origin, call, version,
			)
			.encode()
		}
		"TaggedTransactionQueue_validate_transaction" => {
			let (_, extrinsic, _) =
				<(TransactionSource, UncheckedExtrinsic, H256)>::decode_all(&mut &arguments[..])
					.unwrap();
			judged(&extrinsic).encode()
		}
		other => panic!("{other} is not asked for"),
	}
}

/// Are these the events of a block before the newest?
fn is_of_the_past(params: &[Value], best: u32) -> bool {
	let events = storage_prefix(b"System", b"Events");
	bytes(&params[0]) == events && params.get(1).is_some_and(|at| *at != hexed(hash(best)))
}

/// Answers a request.
fn serve(method: &str, params: &[Value], pool: &mut Pool) -> Result<Value, Error> {
	let best = System::block_number();
	Ok(match method {
		"chain_getBlockHash" => {
			let number = params.first().and_then(Value::as_u64);
			hexed(hash(number.map_or(best, |number| number as u32)))
		}
		"chain_getFinalizedHead" => hexed(hash(best)),
		"chain_getHeader" => {
			let of = H256::from_slice(&bytes(&params[0]));
			let number = of.to_low_u64_be() as u32 - 1_000;
			json!({
				"parentHash": hexed(hash(number.saturating_sub(1))),
				"number": format!("0x{number:x}"),
				"stateRoot": hexed([0; 32]),
				"extrinsicsRoot": hexed([0; 32]),
				"digest": { "logs": [] },
			})
		}
		"state_call" => hexed(call(params[0].as_str().unwrap(), bytes(&params[1]))),
		// Only the newest block's state is here; those before told the worker nothing.
		"state_getStorage" if is_of_the_past(params, best) => hexed([0]),
		"state_getStorage" => {
			sp_io::storage::get(&bytes(&params[0])).map_or(Value::Null, |stored| hexed(&stored))
		}
		// Nothing that has a number is included here.
		"system_accountNextIndex" => json!(0),
		"author_submitExtrinsic" => {
			let bytes = bytes(&params[0]);
			let hash = hexed(sp_io::hashing::blake2_256(&bytes));
			pool.submit(bytes)?;
			hash
		}
		other => return Err(refusal(-32601, &format!("there is no {other}"))),
	})
}

impl RpcClientT for Node {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		Box::pin(async move {
			if self.mood.load(Ordering::SeqCst) == Mood::Silent as u8 {
				std::future::pending::<()>().await;
			}
			if self.mood.load(Ordering::SeqCst) == Mood::Broken as u8 {
				return Err(Error::Client("connection lost".into()));
			}
			if method == "author_submitExtrinsic" {
				self.submissions.fetch_add(1, Ordering::SeqCst);
			}
			let params: Vec<Value> =
				params.map_or(vec![], |params| serde_json::from_str(params.get()).unwrap());
			let method = method.to_string();
			let answer = self.with(move |pool| serve(&method, &params, pool))?;
			Ok(serde_json::value::to_raw_value(&answer).unwrap())
		})
	}

	/// As some nodes: the program polls then.
	fn subscribe_raw<'a>(
		&'a self,
		_: &'a str,
		_: Option<Box<RawValue>>,
		_: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		Box::pin(async { Err(refusal(-32601, "no subscriptions")) })
	}
}

/// The program, started anew on what is in `folder`.
async fn program(node: &Node, folder: &Path) -> (Real, Metrics) {
	let chain = node.chain().await;
	assert_eq!(chain.id(), ChainId { genesis: hash(0), para_id: PARA });
	let keys = Keys::open(folder, &Sealer::Plain(folder.into()), &chain.id()).unwrap();
	let keys = Keys { identity: pair(), ..keys };
	let metrics = Metrics::new(&Registry::new()).unwrap();
	let kernel = Kernel::new(1, Machine::default());
	(Real::new(keys, Book::new(folder), kernel, metrics.clone(), chain), metrics)
}

/// Asks the worker in the next block: the challenge.
fn ask(node: &Node) -> Challenge {
	node.block(top_up);
	let number = node.with(|_| System::block_number());
	Challenge { session: 0, block: BlockRef { number, hash: hash(number) } }
}

/// Steps until the answer is with the node.
async fn answered(real: &mut Real) -> Answer {
	loop {
		match step(real).await.unwrap() {
			Progress::Computing => real.wait().await,
			Progress::Submitted(answer, Submission::Accepted) => return answer,
			other => panic!("{other:?}"),
		}
	}
}

/// A run that takes seconds, where the real one takes a minute.
fn soon() -> Budget {
	Budget { run: Duration::from_secs(4), within: Duration::from_secs(60) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_answered_and_paid() {
	let (node, folder) = (Node::start(), tempfile::tempdir().unwrap());
	let (mut real, metrics) = program(&node, folder.path()).await;
	assert_eq!(step(&mut real).await.unwrap(), Progress::Rest);
	real.tell().await.unwrap();
	assert_eq!(metrics.session_state.with_label_values(&["computing"]).get(), 1);
	assert!(metrics.v.get() > 0.0);

	let challenge = ask(&node);
	match step(&mut real).await.unwrap() {
		Progress::Started(of, budget) => assert_eq!((of, budget.run), (challenge, RUN)),
		other => panic!("{other:?}"),
	}
	assert_eq!(metrics.deadline.get(), 120);
	real.start(challenge, soon());
	let answer = answered(&mut real).await;
	assert_eq!(answer.challenge(), challenge);
	assert!(answer.statement.is_signed_by(&chain_of(), &worker(), &answer.signature));
	// Not again before the next block, and then the same.
	assert!(
		matches!(step(&mut real).await.unwrap(), Progress::Submitted(same, _) if same == answer)
	);
	assert_eq!(node.submissions(), 1);

	node.block(|| Ok(()));
	assert_eq!(step(&mut real).await.unwrap(), Progress::Rest);
	real.tell().await.unwrap();
	assert_eq!(metrics.challenges.with_label_values(&["answered"]).get(), 1);
	assert!(metrics.paid.get() > 0.0 && metrics.performance.get() >= 0.5);
	assert_eq!(metrics.deadline.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_starts_again_sends_what_it_signed() {
	let (node, folder) = (Node::start(), tempfile::tempdir().unwrap());
	let challenge = ask(&node);
	let said = Answer::sign(&chain_of(), &pair(), challenge, 200);
	Book::new(folder.path()).add(&said).unwrap();

	for _ in 0..2 {
		let (mut real, _) = program(&node, folder.path()).await;
		let progress = step(&mut real).await.unwrap();
		assert_eq!(progress, Progress::Submitted(said.clone(), Submission::Accepted));
	}
	// The pool knew the second for what it is, and the block includes it once.
	node.block(|| Ok(()));
	let (mut real, _) = program(&node, folder.path()).await;
	assert_eq!(step(&mut real).await.unwrap(), Progress::Rest);
}

/// The node's pool has seen the answer before the block that asks, and has banned it for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_ban_keeps_no_answer_out() {
	let (node, folder) = (Node::start(), tempfile::tempdir().unwrap());
	let number = node.with(|_| System::block_number()) + 1;
	let challenge = Challenge { session: 0, block: BlockRef { number, hash: hash(number) } };
	let said = Answer::sign(&chain_of(), &pair(), challenge, 200);
	Book::new(folder.path()).add(&said).unwrap();
	let early = encode_general(&metadata(), PALLET, HEARTBEAT, &Heartbeat::from(&said), 0).unwrap();
	for code in [1010, 1012] {
		let bytes = early.clone();
		let refused = node.with(move |pool| pool.submit(bytes).unwrap_err());
		assert!(matches!(refused, Error::User(error) if error.code == code));
	}

	assert_eq!(ask(&node), challenge);
	let (mut real, _) = program(&node, folder.path()).await;
	let sent = Progress::Submitted(said, Submission::Accepted);
	assert_eq!(step(&mut real).await.unwrap(), sent);
	// Blocks leave it out: it is in the pool, however often it is sent.
	for _ in 0..3 {
		node.with(|_| block(|| Ok(())));
		assert_eq!(step(&mut real).await.unwrap(), sent);
		assert_eq!(node.with(|pool| pool.ready.len()), 1);
	}
	node.block(|| Ok(()));
	assert_eq!(step(&mut real).await.unwrap(), Progress::Rest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_outlives_its_node() {
	let (node, folder) = (Node::start(), tempfile::tempdir().unwrap());
	let (mut real, _) = program(&node, folder.path()).await;
	let challenge = ask(&node);
	assert!(matches!(step(&mut real).await.unwrap(), Progress::Started(..)));
	real.start(challenge, soon());

	node.be(Mood::Broken);
	assert!(step(&mut real).await.unwrap_err().is_of_connection());
	node.be(Mood::Silent);
	// Whoever drives the steps bounds them; what is under way is not harmed.
	assert!(tokio::time::timeout(Duration::from_millis(200), step(&mut real)).await.is_err());
	node.be(Mood::Fine);
	real.reconnect(node.chain().await);
	assert_eq!(answered(&mut real).await.challenge(), challenge);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_tried_again_with_the_next_block() {
	let (node, folder) = (Node::start(), tempfile::tempdir().unwrap());
	let challenge = ask(&node);
	// Signed for another chain, as by a program with a wrong key: the pool refuses it.
	let other = ChainId { para_id: PARA + 1, ..chain_of() };
	Book::new(folder.path()).add(&Answer::sign(&other, &pair(), challenge, 200)).unwrap();
	let (mut real, _) = program(&node, folder.path()).await;
	for block in 1..4 {
		for _ in 0..2 {
			let progress = step(&mut real).await.unwrap();
			assert!(matches!(progress, Progress::Submitted(_, Submission::Refused(_))));
		}
		// From the second on the pool has it banned, and gets it under another number, too.
		assert_eq!(node.submissions(), 2 * block - 1);
		node.block(|| Ok(()));
	}
	assert!(!real.is_ignored(), "the node does not even take it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_never_brings_an_answer_into_a_block_is_noticed() {
	let (node, folder) = (Node::start(), tempfile::tempdir().unwrap());
	let challenge = ask(&node);
	Book::new(folder.path()).add(&Answer::sign(&chain_of(), &pair(), challenge, 200)).unwrap();
	let (mut real, _) = program(&node, folder.path()).await;
	for blocks in 0..6 {
		assert_eq!(real.is_ignored(), blocks > 4, "after {blocks}");
		step(&mut real).await.unwrap();
		node.with(|_| block(|| Ok(())));
	}
}

fn chain_of() -> ChainId {
	ChainId { genesis: hash(0), para_id: PARA }
}
