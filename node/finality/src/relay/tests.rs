//! Following a node that says what a script has.

use super::*;
use crate::tests::{
	Entries, GENESIS, change, checkpoint, header, plain, prove, set, signed, trusted,
};
use codec::Encode;
use phala_node_common::chain::subxt::{
	ext::futures::stream::{self, StreamExt},
	rpcs::{
		Error, RpcClient, RpcClientT, UserError,
		client::{RawRpcFuture, RawRpcSubscription, RawValue},
	},
};
use serde_json::{Value, json};
use sp_consensus_grandpa::ConsensusLog;
use std::sync::{Arc, Mutex};

const PARA: u32 = 2_035;

/// What a node of the relay chain knows and tells.
#[derive(Clone)]
struct Script {
	genesis: H256,
	headers: Vec<Header>,
	/// States after blocks.
	states: Vec<(H256, Entries)>,
	/// Justifications of the last blocks of sets.
	ends: Vec<Justification>,
	/// That of the newest block of the set that has not ended.
	newest: Option<Justification>,
	/// Why it gives none of them, if so.
	refusal: Option<&'static str>,
	told: Vec<Vec<u8>>,
	then: Then,
	/// What it never answers.
	stuck: Option<&'static str>,
	/// What it was asked.
	asked: Arc<Mutex<Vec<(String, Value)>>>,
}

/// What a node does when it has told everything.
#[derive(Clone, Copy)]
enum Then {
	Wait,
	End,
	/// It tells the last once more, for ever.
	Repeat,
}

fn raw(value: &Value) -> Box<RawValue> {
	RawValue::from_string(value.to_string()).unwrap()
}

fn bytes(bytes: &[u8]) -> Value {
	let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
	json!(format!("0x{digits}"))
}

impl Script {
	fn answer(&self, method: &str, parameters: &[Value]) -> Result<Value, Error> {
		let parameter = parameters.first().cloned().unwrap_or(Value::Null);
		self.asked.lock().unwrap().push((method.into(), parameter.clone()));
		Ok(match method {
			"chain_getBlockHash" => bytes(self.genesis.as_bytes()),
			"chain_getFinalizedHead" => {
				let newest = self.headers.iter().max_by_key(|header| header.number).unwrap();
				bytes(newest.hash().as_bytes())
			}
			"state_getReadProof" => {
				let mut states = self.states.iter();
				let is_of = |hash: &H256| bytes(hash.as_bytes()) == parameters[1];
				let (hash, entries) = states.find(|(hash, _)| is_of(hash)).unwrap();
				let keys: Vec<Bytes> = serde_json::from_value(parameter).unwrap();
				let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.0).collect();
				let (_, nodes) = prove(entries.clone(), &keys);
				let nodes: Vec<_> = nodes.iter().map(|node| bytes(node)).collect();
				json!({ "at": bytes(hash.as_bytes()), "proof": nodes })
			}
			"chain_getHeader" => {
				let mut headers = self.headers.iter();
				let found = headers.find(|header| bytes(header.hash().as_bytes()) == parameter);
				found.map_or(Value::Null, |header| {
					let logs = header.digest.logs.iter().map(|log| bytes(&log.encode()));
					let logs: Vec<_> = logs.collect();
					json!({
						"parentHash": bytes(header.parent_hash.as_bytes()),
						"number": format!("{:#x}", header.number),
						"stateRoot": bytes(header.state_root.as_bytes()),
						"extrinsicsRoot": bytes(header.extrinsics_root.as_bytes()),
						"digest": { "logs": logs },
					})
				})
			}
			"grandpa_proveFinality" => {
				let number: u32 = parameter.to_string().parse().unwrap();
				let is_final = self.headers.iter().any(|header| header.number >= number);
				let not_yet = (!is_final)
					.then_some("GRANDPA prove finality rpc failed: Block not yet finalized");
				if let Some(reason) = self.refusal.or(not_yet) {
					let message = reason.to_string();
					return Err(Error::User(UserError { code: 4, message, data: None }));
				}
				let mut ends = self.ends.iter();
				let found = ends.find(|end| end.commit.target_number >= number);
				found.or(self.newest.as_ref()).map_or(Value::Null, |end| {
					let headers: Vec<Header> = vec![];
					bytes(&(end.commit.target_hash, end.encode(), headers).encode())
				})
			}
			_ => panic!("{method}"),
		})
	}

	/// The blocks of which a proof of finality was asked for.
	fn proofs_asked(&self) -> Vec<u32> {
		let asked = self.asked.lock().unwrap();
		let proofs = asked.iter().filter(|(method, _)| method == "grandpa_proveFinality");
		proofs.map(|(_, number)| number.to_string().parse().unwrap()).collect()
	}
}

impl RpcClientT for Script {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		let params = params.map_or_else(|| "[]".into(), |params| params.get().to_string());
		let params: Vec<Value> = serde_json::from_str(&params).unwrap();
		Box::pin(async move {
			if self.stuck == Some(method) {
				std::future::pending::<()>().await;
			}
			self.answer(method, &params).map(|answer| raw(&answer))
		})
	}

	fn subscribe_raw<'a>(
		&'a self,
		sub: &'a str,
		_params: Option<Box<RawValue>>,
		_unsub: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		assert_eq!(sub, "grandpa_subscribeJustifications");
		let last = self.told.last().cloned().unwrap_or_default();
		let told = self.told.iter().map(|told| Ok(raw(&bytes(told))));
		let told: Vec<Result<Box<RawValue>, Error>> = told.collect();
		let told = stream::iter(told);
		let stream = match self.then {
			Then::Wait => told.chain(stream::pending()).boxed(),
			Then::End => told.boxed(),
			Then::Repeat => told.chain(stream::repeat_with(move || Ok(raw(&bytes(&last))))).boxed(),
		};
		Box::pin(async move { Ok(RawRpcSubscription { stream, id: None }) })
	}
}

/// Sets 0, 1 and 2 follow each other at blocks 20 and 30, and block 40 is the newest.
fn script() -> Script {
	let end = |number, keys: &[u8]| {
		header(number, H256::zero(), vec![ConsensusLog::ScheduledChange(change(keys, 0))])
	};
	let headers = vec![end(20, &[4, 5, 6]), end(30, &[7, 8, 9]), plain(40)];
	let ends = vec![signed(&headers[0], 0, &[1, 2, 3]), signed(&headers[1], 1, &[4, 5, 6])];
	let told = vec![signed(&headers[2], 2, &[7, 8, 9]).encode()];
	Script {
		genesis: GENESIS,
		headers,
		states: vec![],
		ends,
		newest: None,
		refusal: None,
		told,
		then: Then::Wait,
		stuck: None,
		asked: Arc::default(),
	}
}

/// A block with a state.
fn stateful(number: u32, entries: Entries) -> (Header, (H256, Entries)) {
	let mut header = plain(number);
	header.state_root = prove(entries.clone(), &[]).0;
	let hash = header.hash();
	(header, (hash, entries))
}

fn now() -> u64 {
	SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The set that [`script`] ends with: block 30 is a checkpoint whose state was made at `time`, and block
/// 40, half a minute later, has the parachain's block 77.
fn history(time: u64) -> Script {
	let (first, at_first) = stateful(30, checkpoint(2, set(&[7, 8, 9]), time * 1_000));
	let entries = vec![
		(para_head_key(PARA), plain(77).encode().encode()),
		(time_key(), ((time + 30) * 1_000).encode()),
	];
	let (newest, at_newest) = stateful(40, entries);
	let told = vec![signed(&newest, 2, &[7, 8, 9]).encode()];
	let (headers, states) = (vec![first, newest], vec![at_first, at_newest]);
	Script { headers, states, ends: vec![], told, ..script() }
}

/// A relay chain that is followed over a node.
async fn relay(script: &Script, checkpoint: Option<H256>, trusted: Option<Trusted>) -> Relay {
	let urls = ["ws://script", "ws://127.0.0.1:1"].map(String::from);
	let mut relay = Relay::new(&urls, PARA, checkpoint, trusted);
	relay.link = Some(link(script.clone()).await);
	relay
}

async fn link(script: Script) -> Link {
	let node = Node::with_client("ws://script", RpcClient::new(script));
	Link::over(node).await.unwrap()
}

#[tokio::test]
async fn ended_sets_are_caught_up_with_and_the_newest_block_followed() {
	let mut trusted = trusted(0, &[1, 2, 3]);
	let mut link = link(script()).await;
	assert_eq!(link.genesis, trusted.genesis);
	let refusal = link.catch_up(&mut trusted).await.unwrap();
	assert_eq!(refusal.as_deref(), Some(NO_JUSTIFICATION));
	assert_eq!((trusted.set_id, trusted.block.number), (2, 30));
	link.follow(&mut trusted).await.unwrap();
	assert_eq!((trusted.set_id, trusted.block.number), (2, 40));
	// Nothing more was told.
	link.follow(&mut trusted).await.unwrap();
	assert_eq!(trusted.block.number, 40);
}

#[tokio::test]
async fn a_later_set_is_caught_up_with_when_it_is_heard_of() {
	let mut trusted = trusted(0, &[1, 2, 3]);
	link(script()).await.follow(&mut trusted).await.unwrap();
	assert_eq!((trusted.set_id, trusted.block.number), (2, 40));
}

#[tokio::test]
async fn a_node_without_old_justifications_tells_of_the_ends() {
	let refusal = Some("Block not covered by authority set changes");
	let few = Script { refusal, ..script() };
	let mut followed = trusted(0, &[1, 2, 3]);
	let error = link(few.clone()).await.follow(&mut followed).await.unwrap_err();
	assert!(matches!(error, FinalityError::NoProof { number: 10, .. }), "{error}");
	assert_eq!(followed, trusted(0, &[1, 2, 3]));

	let ends: Vec<_> = few.ends.iter().map(Encode::encode).collect();
	let told = [ends, few.told.clone()].concat();
	link(Script { told, ..few }).await.follow(&mut followed).await.unwrap();
	assert_eq!((followed.set_id, followed.block.number), (2, 40));
}

#[tokio::test]
async fn forgers_are_refused() {
	let mut honest = script();
	honest.newest = Some(signed(&honest.headers[2], 2, &[7, 8, 9]));
	honest.headers.push(plain(50));
	let told = vec![signed(&plain(50), 2, &[11, 12, 13]).encode()];
	let mut followed = trusted(0, &[1, 2, 3]);
	let error = link(Script { told, ..honest }).await.follow(&mut followed).await.unwrap_err();
	assert!(error.to_string().contains("two thirds"), "{error}");
	assert_eq!((followed.set_id, followed.block.number), (2, 40));
}

#[tokio::test]
async fn proofs_of_late_blocks_of_a_set_are_asked_for_first() {
	let script = script();
	link(script.clone()).await.catch_up(&mut trusted(0, &[1, 2, 3])).await.unwrap();
	// Beyond the newest block, in a later set, and in the set itself; and so on from its end.
	let steps = |from: u32| [8_192, 1_024, 128, 16, 1].map(|step| from + step);
	let expected = [steps(10), steps(20), steps(30)].concat();
	assert_eq!(script.proofs_asked(), expected);

	// A set that lasts: its first blocks, with thousands of headers to come, are not asked about.
	let logs = vec![ConsensusLog::ScheduledChange(change(&[4, 5, 6], 0))];
	let headers = vec![header(20_000, H256::zero(), logs), plain(30_000)];
	let ends = vec![signed(&headers[0], 0, &[1, 2, 3])];
	let newest = Some(signed(&headers[1], 1, &[4, 5, 6]));
	let long = Script { headers, ends, newest, asked: Arc::default(), ..script };
	let mut followed = trusted(0, &[1, 2, 3]);
	assert_eq!(link(long.clone()).await.catch_up(&mut followed).await.unwrap(), None);
	assert_eq!((followed.set_id, followed.block.number), (1, 30_000));
	assert_eq!(long.proofs_asked(), [10 + 8_192, 20_000 + 8_192]);
}

#[tokio::test]
async fn nobody_is_led_through_a_set_block_by_block() {
	let headers: Vec<_> = (11..=60).map(plain).collect();
	let ends = headers.iter().map(|header| signed(header, 0, &[1, 2, 3])).collect();
	let script = Script { headers, ends, ..script() };
	let mut followed = trusted(0, &[1, 2, 3]);
	assert_eq!(link(script.clone()).await.catch_up(&mut followed).await.unwrap(), None);
	assert_eq!(followed.block.number, 26);
	assert_eq!(script.proofs_asked().len(), 4);
}

#[tokio::test]
async fn a_justification_that_was_not_kept_is_no_forgery() {
	let script = Script { ends: vec![], ..script() };
	let mut followed = trusted(0, &[1, 2, 3]);
	let error = link(script).await.follow(&mut followed).await.unwrap_err().to_string();
	assert!(error.contains(NO_JUSTIFICATION) && error.contains("warp"), "{error}");
}

#[tokio::test]
async fn few_wrong_signatures_are_looked_at() {
	let headers: Vec<_> = (31..40).map(plain).collect();
	let told = headers.iter().map(|header| signed(header, 5, &[1, 2, 3]).encode()).collect();
	let script = Script { headers, told, refusal: Some("no"), ..script() };
	let mut followed = trusted(0, &[1, 2, 3]);
	let error = link(script.clone()).await.follow(&mut followed).await.unwrap_err();
	assert!(matches!(error, FinalityError::NoProof { .. }), "{error}");
	let asked = script.asked.lock().unwrap();
	let looks = asked.iter().filter(|(method, _)| method == "chain_getHeader").count();
	assert_eq!(looks, FAILURES + 1, "the newest once more, after all sets are known");
}

#[tokio::test]
async fn who_talks_without_news_is_silent() {
	let mut followed = trusted(0, &[1, 2, 3]);
	let mut link = link(Script { then: Then::Repeat, ..script() }).await;
	let long = SILENCE + Duration::from_secs(1);
	link.at -= long;
	// News count, whenever they come.
	link.step(&mut followed).await.unwrap();
	assert_eq!(followed.block.number, 40);
	assert!(link.at.elapsed() < SILENCE);
	link.step(&mut followed).await.unwrap();
	link.at -= long;
	let error = link.step(&mut followed).await.unwrap_err();
	assert!(matches!(error, FinalityError::Silent { seconds: 61.., .. }), "{error}");
	assert!(error.to_string().contains("no newer final block"), "{error}");
}

#[tokio::test]
async fn who_ends_the_subscription_is_left_after_its_last_words() {
	let mut followed = trusted(0, &[1, 2, 3]);
	let mut link = link(Script { then: Then::End, ..script() }).await;
	link.step(&mut followed).await.unwrap();
	assert_eq!(followed.block.number, 40);
	let error = link.step(&mut followed).await.unwrap_err();
	assert!(matches!(error, FinalityError::Ended { .. }), "{error}");
}

#[tokio::test]
async fn little_is_kept_of_what_is_told() {
	let told = (0..10).map(|number| vec![number; MAX_JUSTIFICATION]).collect();
	let mut link = link(Script { told, ..script() }).await;
	let kept = link.heard().await.unwrap();
	let numbers: Vec<u8> = kept.iter().map(|told| told[0]).collect();
	assert_eq!(numbers, [2, 3, 4, 5, 6, 7, 8, 9]);
	let error = link.decode(&vec![0; MAX_JUSTIFICATION + 1]).unwrap_err().to_string();
	assert!(error.contains("too large"), "{error}");

	let mut link = self::link(Script { then: Then::Repeat, ..script() }).await;
	assert_eq!(link.heard().await.unwrap().len(), BURST);
}

#[tokio::test]
async fn trust_begins_at_the_checkpoint_and_the_head_is_followed() {
	let began = now() - 3_600;
	let script = history(began);
	let checkpoint = Some(script.headers[0].hash());
	let mut relay = relay(&script, checkpoint, None).await;
	let head = relay.head().await.unwrap();
	assert_eq!((head.relay.number, head.block.number), (40, 77));
	assert_eq!(head.block.hash, plain(77).hash());
	let trusted = relay.trusted().unwrap().clone();
	assert_eq!((trusted.genesis, trusted.origin), (GENESIS, checkpoint));
	assert_eq!((trusted.set_id, trusted.time), (2, began + 30));
	// Nothing more was told, and the same node is asked.
	assert_eq!(relay.head().await.unwrap(), head);
	assert!(relay.link.is_some());
	assert_eq!(relay.turn, 0);
	relay.leave();
	assert!(relay.link.is_none());
	assert_eq!((relay.turn, relay.trusted()), (1, Some(&trusted)));
}

#[tokio::test]
async fn without_a_checkpoint_trust_begins_where_the_node_says() {
	let mut script = history(now());
	script.headers.truncate(1);
	script.told = vec![signed(&script.headers[0], 2, &[7, 8, 9]).encode()];
	let mut relay = relay(&script, None, None).await;
	let error = relay.head().await.unwrap_err().to_string();
	assert!(error.contains("no block of parachain 2035"), "{error}");
	let trusted = relay.trusted().unwrap();
	assert_eq!((trusted.block.number, trusted.origin), (30, None));
}

#[tokio::test]
async fn a_node_is_not_believed_about_its_first_block() {
	let lie = H256::repeat_byte(99);
	let script = Script { genesis: lie, ..history(now()) };
	let checkpoint = Some(script.headers[0].hash());
	let mut relay = relay(&script, checkpoint, None).await;
	let error = relay.head().await.unwrap_err();
	let FinalityError::OtherChain { ours, theirs, .. } = error else { panic!("{error}") };
	assert_eq!((ours, theirs), (GENESIS, lie));
	// It left nothing behind that would keep honest nodes away.
	assert!(relay.trusted().is_none() && relay.link.is_none());
	assert_eq!(relay.turn, 1);
}

#[tokio::test]
async fn old_trust_is_not_gone_on_from() {
	let old = now() - 22 * 86_400;
	let script = history(old);
	let checkpoint = Some(script.headers[0].hash());
	let refused = |error: FinalityError| {
		assert!(matches!(error, FinalityError::Aged(_)), "{error}");
		assert!(error.to_string().contains("newer --relay-checkpoint"), "{error}");
	};
	let mut of_checkpoint = relay(&script, checkpoint, None).await;
	refused(of_checkpoint.head().await.unwrap_err());
	assert!(of_checkpoint.trusted().is_none());

	let kept = Trusted { time: old, ..trusted(2, &[7, 8, 9]) };
	let mut of_file = relay(&script, None, Some(kept.clone())).await;
	refused(of_file.head().await.unwrap_err());
	assert_eq!(of_file.trusted(), Some(&kept));
}

#[tokio::test]
async fn trust_that_began_elsewhere_is_dropped() {
	let script = history(now());
	let checkpoint = Some(script.headers[0].hash());
	let of_node = trusted(0, &[1, 2, 3]);
	let mut relay = relay(&script, checkpoint, Some(of_node)).await;
	assert!(relay.trusted().is_none());
	relay.head().await.unwrap();
	assert_eq!(relay.trusted().unwrap().origin, checkpoint);
}

#[tokio::test]
async fn who_takes_too_long_is_left_and_what_it_showed_stays() {
	let script = Script { stuck: Some("state_getReadProof"), ..script() };
	let mut relay = relay(&script, None, Some(trusted(0, &[1, 2, 3]))).await;
	let error = relay.head_within(Duration::from_secs(2)).await.unwrap_err();
	assert!(matches!(&error, FinalityError::Slow { url } if url == "ws://script"), "{error}");
	assert_eq!(relay.trusted().unwrap().block.number, 40);
	assert!(relay.link.is_none());
	assert_eq!(relay.turn, 1);
}
