//! A node of any chain, such as the relay chain: what it answers without its runtime's metadata.
//!
//! It may be anybody's, so what it sends is limited before it is looked at.

use super::{CONNECT_TIMEOUT, ChainError, Config, Proven, failed, proven::prove};
use serde::{Serialize, de::DeserializeOwned};
use sp_core::H256;
use std::{fmt::Display, io, sync::Arc, time::Duration};
use subxt::{
	config::RpcConfigFor,
	ext::jsonrpsee::{
		client_transport::ws::{Url, WsTransportClientBuilder},
		core::{
			async_trait,
			client::{Client, ReceivedMessage, TransportReceiverT},
		},
	},
	rpcs::{
		Error, LegacyRpcMethods, RpcClient,
		client::{RpcParams, RpcSubscription},
	},
};

/// Longest time for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer in bytes: a little more than nodes send.
const MAX_ANSWER: u32 = 16 * 1024 * 1024;
/// Largest message of a subscription in bytes.
const MAX_TOLD: u32 = 1024 * 1024;
/// Most messages of a subscription that wait for being taken. One more ends it.
const MAX_WAITING: usize = 16;
/// Most values in a message. Honest ones have few and long ones.
const MAX_VALUES: usize = 16 * 1024;
/// Longest refusal that is passed on, in characters.
const MAX_REFUSAL: usize = 200;

/// A connection to a node, or rather two: messages that nobody asked for wait in memory, so they have to be
/// small, and answers do not.
#[derive(Clone)]
pub struct Node {
	url: Arc<str>,
	client: RpcClient,
	/// For subscriptions.
	teller: RpcClient,
	rpc: LegacyRpcMethods<RpcConfigFor<Config>>,
}

impl Node {
	/// Connects to the node at `url`: `ws://…` or `wss://…`.
	pub async fn connect(url: &str) -> Result<Self, ChainError> {
		let (client, teller) =
			tokio::try_join!(dial_stranger(url, MAX_ANSWER), dial_stranger(url, MAX_TOLD))?;
		Ok(Self { teller, ..Self::with_client(url, client) })
	}

	/// Over any transport.
	pub fn with_client(url: &str, client: RpcClient) -> Self {
		let (rpc, teller) = (LegacyRpcMethods::new(client.clone()), client.clone());
		Self { url: url.into(), client, teller, rpc }
	}

	/// The node's address.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// Hash of the chain's block 0.
	pub async fn genesis(&self) -> Result<H256, ChainError> {
		self.rpc.genesis_hash().await.map_err(failed(&self.url))
	}

	/// Hash of the newest finalised block that the node knows.
	pub async fn finalised_hash(&self) -> Result<H256, ChainError> {
		self.rpc.chain_get_finalized_head().await.map_err(failed(&self.url))
	}

	/// Header of a block and the state after it, for reading with proofs.
	pub async fn proven(&self, hash: H256) -> Result<Proven, ChainError> {
		prove(&self.url, &self.rpc, hash).await
	}

	/// Calls a method with one parameter. The inner error is the node's refusal, in its words.
	pub async fn call<R: DeserializeOwned>(
		&self,
		method: &str,
		parameter: impl Serialize,
	) -> Result<Result<R, String>, ChainError> {
		let mut parameters = RpcParams::new();
		parameters.push(parameter).map_err(failed(&self.url))?;
		match self.client.request(method, parameters).await {
			Ok(answer) => Ok(Ok(answer)),
			Err(Error::User(refusal)) => {
				Ok(Err(refusal.message.chars().take(MAX_REFUSAL).collect()))
			}
			Err(error) => Err(failed(&self.url)(error)),
		}
	}

	/// Subscribes to what the node tells from now on.
	pub async fn subscribe<R: DeserializeOwned>(
		&self,
		subscribe: &str,
		unsubscribe: &str,
	) -> Result<RpcSubscription<R>, ChainError> {
		let told = self.teller.subscribe(subscribe, RpcParams::new(), unsubscribe).await;
		told.map_err(failed(&self.url))
	}

	/// The node gave what cannot be true.
	pub fn untrue(&self, what: impl Into<String>) -> ChainError {
		ChainError::Untrue { url: self.url.to_string(), what: what.into() }
	}
}

/// A transport to the node at `url`.
pub(super) async fn dial(url: &str) -> Result<RpcClient, ChainError> {
	connected(url, RpcClient::from_insecure_url(url)).await
}

/// A transport to a node that may try to exhaust this machine's memory. It ends with the first message of
/// more than `limit` bytes.
async fn dial_stranger(url: &str, limit: u32) -> Result<RpcClient, ChainError> {
	let connecting = async {
		let address = Url::parse(url).map_err(|error| error.to_string())?;
		let transport = WsTransportClientBuilder::default().max_response_size(limit);
		transport.build(address).await.map_err(|error| error.to_string())
	};
	let (sender, receiver) = connected(url, connecting).await?;
	let client = Client::builder()
		.request_timeout(REQUEST_TIMEOUT)
		.max_buffer_capacity_per_subscription(MAX_WAITING)
		.build_with_tokio(sender, Sparse(receiver));
	Ok(RpcClient::new(client))
}

/// What `connecting` gives, if it does in time.
async fn connected<T, E: Display>(
	url: &str,
	connecting: impl Future<Output = Result<T, E>>,
) -> Result<T, ChainError> {
	let fail = |cause: String| ChainError::Connect { url: url.into(), cause };
	tokio::time::timeout(CONNECT_TIMEOUT, connecting)
		.await
		.map_err(|_| fail("no answer in time".into()))?
		.map_err(|error| fail(error.to_string()))
}

/// Ends with the first message of too many values. The client parses every message, and a value that is
/// two bytes long in it takes dozens in memory.
struct Sparse<R>(R);

#[async_trait]
impl<R: TransportReceiverT + Send> TransportReceiverT for Sparse<R> {
	type Error = io::Error;

	async fn receive(&mut self) -> Result<ReceivedMessage, io::Error> {
		let message = self.0.receive().await.map_err(io::Error::other)?;
		let text = match &message {
			ReceivedMessage::Text(text) => text.as_bytes(),
			ReceivedMessage::Bytes(text) => text.as_slice(),
			ReceivedMessage::Pong => &[],
		};
		let values = text.iter().filter(|byte| b",[{".contains(byte)).count();
		if values > MAX_VALUES {
			return Err(io::Error::other(format!("a message of {values} values")));
		}
		Ok(message)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		io::{BufRead, BufReader, Write},
		net::TcpListener,
		thread,
	};

	/// Does twice what a node does that answers to localhost alone.
	fn refusing() -> String {
		let listener = TcpListener::bind("127.0.0.1:0").unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		thread::spawn(move || {
			for stream in listener.incoming().take(2) {
				let mut stream = stream.unwrap();
				let request = BufReader::new(&stream).lines().map_while(Result::ok);
				request.take_while(|line| !line.is_empty()).for_each(drop);
				stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
			}
		});
		url
	}

	#[tokio::test]
	async fn a_node_that_answers_to_localhost_alone_has_a_remedy() {
		let url = refusing();
		let errors = [dial(&url).await.err(), dial_stranger(&url, MAX_TOLD).await.err()];
		for error in errors {
			let error = error.expect("it refuses").to_string();
			assert!(error.contains("403") && error.contains("--rpc-cors all"), "{error}");
		}
		let away = ChainError::Connect { url, cause: "no answer in time".into() }.to_string();
		assert!(away.contains("Is the node running"), "{away}");
	}

	struct Told(Option<ReceivedMessage>);

	#[async_trait]
	impl TransportReceiverT for Told {
		type Error = io::Error;

		async fn receive(&mut self) -> Result<ReceivedMessage, io::Error> {
			self.0.take().ok_or_else(|| io::Error::other("the end"))
		}
	}

	#[tokio::test]
	async fn messages_of_many_values_end_the_connection() {
		let zeros = |count: usize| format!("[{}]", vec!["0"; count].join(","));
		let receive = async |message| Sparse(Told(Some(message))).receive().await;
		let long = format!("{{\"result\":\"0x{}\"}}", "0".repeat(1024 * 1024));
		for message in [long, zeros(MAX_VALUES)] {
			assert!(receive(ReceivedMessage::Text(message)).await.is_ok());
		}
		for message in [
			ReceivedMessage::Text(zeros(MAX_VALUES + 1)),
			ReceivedMessage::Bytes(zeros(MAX_VALUES + 1).into_bytes()),
			ReceivedMessage::Bytes("[".repeat(MAX_VALUES + 1).into_bytes()),
			ReceivedMessage::Bytes("{".repeat(MAX_VALUES + 1).into_bytes()),
		] {
			assert!(receive(message).await.is_err());
		}
		assert!(receive(ReceivedMessage::Pong).await.is_ok());
		assert_eq!(Sparse(Told(None)).receive().await.unwrap_err().to_string(), "the end");
	}
}
