//! A node of any chain, such as the relay chain: what it answers without its runtime's metadata.

use super::{CONNECT_TIMEOUT, ChainError, Config, Proven, failed, proven::prove};
use serde::{Serialize, de::DeserializeOwned};
use sp_core::H256;
use std::sync::Arc;
use subxt::{
	config::RpcConfigFor,
	rpcs::{
		Error, LegacyRpcMethods, RpcClient,
		client::{RpcParams, RpcSubscription},
	},
};

/// A connection to a node. Each request has the time limit of the transport, one minute.
#[derive(Clone)]
pub struct Node {
	url: Arc<str>,
	client: RpcClient,
	rpc: LegacyRpcMethods<RpcConfigFor<Config>>,
}

impl Node {
	/// Connects to the node at `url`: `ws://…` or `wss://…`.
	pub async fn connect(url: &str) -> Result<Self, ChainError> {
		Ok(Self::with_client(url, dial(url).await?))
	}

	/// Over any transport.
	pub fn with_client(url: &str, client: RpcClient) -> Self {
		Self { url: url.into(), rpc: LegacyRpcMethods::new(client.clone()), client }
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
			Err(Error::User(refusal)) => Ok(Err(refusal.message)),
			Err(error) => Err(failed(&self.url)(error)),
		}
	}

	/// Subscribes to what the node tells from now on.
	pub async fn subscribe<R: DeserializeOwned>(
		&self,
		subscribe: &str,
		unsubscribe: &str,
	) -> Result<RpcSubscription<R>, ChainError> {
		let told = self.client.subscribe(subscribe, RpcParams::new(), unsubscribe).await;
		told.map_err(failed(&self.url))
	}

	/// The node gave what cannot be true.
	pub fn untrue(&self, what: impl Into<String>) -> ChainError {
		ChainError::Untrue { url: self.url.to_string(), what: what.into() }
	}
}

/// A transport to the node at `url`.
pub(super) async fn dial(url: &str) -> Result<RpcClient, ChainError> {
	let fail = |cause: String| ChainError::Connect { url: url.into(), cause };
	tokio::time::timeout(CONNECT_TIMEOUT, RpcClient::from_insecure_url(url))
		.await
		.map_err(|_| fail("no answer in time".into()))?
		.map_err(|error| fail(error.to_string()))
}
