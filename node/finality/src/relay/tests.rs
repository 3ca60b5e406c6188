//! Following a node that says what a script has.

use super::*;
use crate::tests::{change, header, plain, signed, trusted};
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

/// What a node of the relay chain knows and tells.
#[derive(Clone)]
struct Script {
	headers: Vec<Header>,
	/// Justifications of the last blocks of sets.
	ends: Vec<Justification>,
	/// Why it gives none of them, if so.
	refusal: Option<&'static str>,
	told: Vec<Justification>,
}

fn raw(value: &Value) -> Box<RawValue> {
	RawValue::from_string(value.to_string()).unwrap()
}

fn bytes(bytes: &[u8]) -> Value {
	let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
	json!(format!("0x{digits}"))
}

impl Script {
	fn answer(&self, method: &str, parameter: &Value) -> Result<Value, Error> {
		Ok(match method {
			"chain_getBlockHash" => bytes(&[1; 32]),
			"chain_getHeader" => {
				let mut headers = self.headers.iter();
				let found = headers.find(|header| bytes(header.hash().as_bytes()) == *parameter);
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
				if let Some(reason) = self.refusal {
					let message = reason.to_string();
					return Err(Error::User(UserError { code: 4, message, data: None }));
				}
				let number: u32 = parameter.to_string().parse().unwrap();
				let mut ends = self.ends.iter();
				let found = ends.find(|end| end.commit.target_number >= number);
				found.map_or(Value::Null, |end| {
					let headers: Vec<Header> = vec![];
					bytes(&(end.commit.target_hash, end.encode(), headers).encode())
				})
			}
			_ => panic!("{method}"),
		})
	}
}

impl RpcClientT for Script {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		let params: Vec<Value> = serde_json::from_str(params.unwrap().get()).unwrap();
		Box::pin(async move { self.answer(method, &params[0]).map(|answer| raw(&answer)) })
	}

	fn subscribe_raw<'a>(
		&'a self,
		sub: &'a str,
		_params: Option<Box<RawValue>>,
		_unsub: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		assert_eq!(sub, "grandpa_subscribeJustifications");
		let told = self.told.iter().map(|told| Ok(raw(&bytes(&told.encode()))));
		let told: Vec<Result<Box<RawValue>, Error>> = told.collect();
		let stream = stream::iter(told).chain(stream::pending());
		Box::pin(async move { Ok(RawRpcSubscription { stream: Box::pin(stream), id: None }) })
	}
}

/// Sets 0, 1 and 2 follow each other at blocks 20 and 30, and block 40 is the newest.
fn script() -> Script {
	let end = |number, keys: &[u8]| {
		header(number, H256::zero(), vec![ConsensusLog::ScheduledChange(change(keys, 0))])
	};
	let headers = vec![end(20, &[4, 5, 6]), end(30, &[7, 8, 9]), plain(40)];
	let ends = vec![signed(&headers[0], 0, &[1, 2, 3]), signed(&headers[1], 1, &[4, 5, 6])];
	let told = vec![signed(&headers[2], 2, &[7, 8, 9])];
	Script { headers, ends, refusal: None, told }
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
	assert_eq!(link.catch_up(&mut trusted).await.unwrap(), None);
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

	let told = [few.ends.clone(), few.told.clone()].concat();
	link(Script { told, ..few }).await.follow(&mut followed).await.unwrap();
	assert_eq!((followed.set_id, followed.block.number), (2, 40));
}

#[tokio::test]
async fn forgers_are_refused() {
	let honest = script();
	let told = vec![signed(&honest.headers[2], 2, &[11, 12, 13])];
	let mut followed = trusted(0, &[1, 2, 3]);
	let error = link(Script { told, ..honest }).await.follow(&mut followed).await.unwrap_err();
	assert!(error.to_string().contains("two thirds"), "{error}");
	assert_eq!((followed.set_id, followed.block.number), (2, 30));
}
