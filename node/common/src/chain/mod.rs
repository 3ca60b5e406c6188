//! The chain, as its node sees it: reads at finalised blocks, and transactions that are followed
//! until they are final.
//!
//! Requests are plain ones, without subscriptions: nothing is missed while a connection is away, and
//! a node that falls silent is noticed by the time limit of the next request. The one exception,
//! [`Heads`], is a hint. What a node says is believed, but for state that is read with proofs
//! ([`Proven`]); run your own.

mod account;
mod explain;
mod fit;
mod follow;
mod general;
mod heads;
mod item;
mod node;
mod proven;
mod raw;
mod shape;
mod transact;
pub mod view;

pub use account::{Account, AccountError};
pub use explain::{Explained, explain};
pub use fit::{Encodings, misfits};
pub use follow::{Fate, Ledger, STALL, Signed, Standstill, Submission, follow};
pub use general::encode_general;
pub use heads::{Head, Heads, Tips};
pub use item::{Item, Malformed, ReadError, Reader};
pub use node::Node;
pub use proven::Proven;
pub use raw::Raw;
pub use shape::{Shape, missing};
pub use subxt::{
	self, SubstrateConfig as Config,
	utils::{AccountId32, MultiAddress},
};
pub use transact::Outcome;

use crate::{backoff::Backoff, shutdown::Shutdown};
use phala_primitives::{BlockRef, ChainId};
use sp_core::H256;
use std::{sync::Arc, time::Duration};
use subxt::{
	OnlineClient, OnlineClientAtBlock,
	backend::LegacyBackend,
	config::RpcConfigFor,
	dynamic,
	ext::{
		frame_decode::storage::{IntoDecodableValues, IntoEncodableValues},
		scale_decode::DecodeAsType,
	},
	rpcs::{LegacyRpcMethods, RpcClient},
};

/// Longest time for a connection to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Why the chain did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
	/// No connection.
	#[error("cannot connect to {url}: {cause}. {}", remedy(cause))]
	Connect {
		/// The node.
		url: String,
		/// What went wrong.
		cause: String,
	},
	/// A request failed.
	#[error("{url}: {cause}")]
	Request {
		/// The node.
		url: String,
		/// What went wrong.
		cause: Box<subxt::Error>,
	},
	/// The node's finalised block stays the same.
	#[error(
		"{url} has shown no new finalised block for {} s: is it synced, has it peers, and is the relay \
		 chain final?", STALL.as_secs()
	)]
	Stalled {
		/// The node.
		url: String,
	},
	/// The node is of another chain than the program's keys.
	#[error(
		"{url} is on the chain with genesis {:?} and para id {}, which is not that of the keys: correct \
		 rpc-url", found.genesis, found.para_id
	)]
	OtherChain {
		/// The node.
		url: String,
		/// Its chain.
		found: ChainId,
	},
	/// A view function has no answer.
	#[error("{url}: view function {function}: {cause}")]
	View {
		/// The node.
		url: String,
		/// The function.
		function: String,
		/// What went wrong.
		cause: view::ViewError,
	},
	/// The chain's runtime is none that the program understands.
	#[error(
		"the chain's runtime (version {spec_version}) lacks what this program needs: {missing}. \
		 Connect to a Phala node, and use a version of this program that fits its runtime"
	)]
	Shape {
		/// Version of the runtime.
		spec_version: u32,
		/// What is missing, and where.
		missing: String,
	},
	/// The node contradicts what it said before.
	#[error(
		"{url} gave {what}: the node is broken, or lies. Connect to another one, best your own"
	)]
	Untrue {
		/// The node.
		url: String,
		/// What it gave.
		what: String,
	},
	/// The chain would refuse the transaction.
	#[error("the chain refuses the transaction: {0}")]
	Refused(String),
	/// The signer's account.
	#[error(transparent)]
	Account(#[from] AccountError),
}

fn remedy(cause: &str) -> &'static str {
	// What a node with the default origins says to whoever does not call it localhost.
	if cause.contains("status code: 403") {
		return "The node, or a proxy before it, does not answer to this name: start a node of your \
			own with --rpc-external --rpc-cors all --rpc-methods safe, for its relay-chain side once \
			more after `--`";
	}
	"Is the node running, is this its RPC address (ws:// or wss://), and may this machine reach it?"
}

/// A connection to a node.
#[derive(Clone)]
pub struct Chain {
	url: Arc<str>,
	id: ChainId,
	rpc: LegacyRpcMethods<RpcConfigFor<Config>>,
	api: OnlineClient<Config>,
}

/// Whose turn it is among several nodes.
#[derive(Clone, Debug, Default)]
pub struct Turn(usize);

impl Turn {
	/// The node after the one that was taken last; `None` without nodes.
	pub fn take<'a>(&mut self, urls: &'a [String]) -> Option<&'a String> {
		let at = self.0.checked_rem(urls.len())?;
		self.0 = self.0.wrapping_add(1);
		urls.get(at)
	}
}

/// The state after a block: a finalised one, except where [`Chain::at`] was asked for another.
#[derive(Clone)]
pub struct Finalised {
	url: Arc<str>,
	/// The block.
	pub block: BlockRef,
	/// Its state, for reading.
	pub at: OnlineClientAtBlock<Config>,
}

fn failed<E: Into<subxt::Error>>(url: &Arc<str>) -> impl FnOnce(E) -> ChainError {
	let url = url.to_string();
	move |cause| ChainError::Request { url, cause: Box::new(cause.into()) }
}

/// See [`Chain::connect_any`].
async fn first_of<T>(
	urls: &[String],
	turn: &mut Turn,
	backoff: &mut Backoff,
	shutdown: &Shutdown,
	mut failed: impl FnMut(&ChainError),
	connect: impl AsyncFn(&str) -> Result<T, ChainError>,
) -> Option<T> {
	loop {
		for _ in urls {
			let url = turn.take(urls)?;
			match shutdown.or(connect(url.as_str())).await? {
				Ok(connected) => return Some(connected),
				Err(error) => failed(&error),
			}
		}
		let delay = backoff.delay(&mut rand::thread_rng());
		if !shutdown.sleep(delay).await {
			return None;
		}
	}
}

/// Fails if the node at `url` is on another chain than it has to be.
fn ensure_on(on: Option<ChainId>, url: &str, found: ChainId) -> Result<(), ChainError> {
	if on.is_none_or(|on| on == found) {
		return Ok(());
	}
	Err(ChainError::OtherChain { url: url.into(), found })
}

impl Chain {
	/// Connects to the node at `url`: `ws://…` or `wss://…`.
	pub async fn connect(url: &str) -> Result<Self, ChainError> {
		Self::with_client(url, node::dial(url).await?).await
	}

	/// Over any transport.
	pub async fn with_client(url: &str, client: RpcClient) -> Result<Self, ChainError> {
		let url: Arc<str> = url.into();
		let backend = LegacyBackend::builder().build(client.clone());
		let api = OnlineClient::from_backend_with_config(Config::new(), Arc::new(backend))
			.await
			.map_err(failed(&url))?;
		let genesis = api.genesis_hash();
		let id = ChainId { genesis, para_id: 0 };
		let mut chain = Self { url, id, rpc: LegacyRpcMethods::new(client), api };
		chain.id.para_id = chain.finalised().await?.para_id().await?;
		Ok(chain)
	}

	/// Connects to the first of several nodes that answers, from the one on whose turn it is, so that a
	/// reconnection tries another one than before. If it has to be on the chain `on`, those of others are
	/// passed over. Backs off after each round in vain. `None` if the program shall end first. `failed`
	/// hears of every failure.
	pub async fn connect_any(
		urls: &[String],
		on: Option<ChainId>,
		turn: &mut Turn,
		backoff: &mut Backoff,
		shutdown: &Shutdown,
		failed: impl FnMut(&ChainError),
	) -> Option<Self> {
		first_of(urls, turn, backoff, shutdown, failed, async |url: &str| {
			let chain = Self::connect(url).await?;
			ensure_on(on, url, chain.id)?;
			Ok::<_, ChainError>(chain)
		})
		.await
	}

	/// The node's address.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// Which chain it is.
	pub fn id(&self) -> ChainId {
		self.id
	}

	/// The newest finalised block that the node knows.
	pub async fn finalised(&self) -> Result<Finalised, ChainError> {
		let hash = self.rpc.chain_get_finalized_head().await.map_err(failed(&self.url))?;
		self.state(hash).await
	}

	/// The state after any block, final or not.
	pub async fn at(&self, block: BlockRef) -> Result<Finalised, ChainError> {
		self.state(block.hash).await
	}

	/// The state after the finalised block of this height.
	pub async fn finalised_at(&self, number: u32) -> Result<Finalised, ChainError> {
		let hash = self.rpc.chain_get_block_hash(Some(number.into())).await;
		let hash = hash.map_err(failed(&self.url))?;
		self.state(hash.ok_or_else(|| self.nothing("finalised block of this height"))?).await
	}

	/// The node lacks what every node has.
	fn nothing(&self, what: &str) -> ChainError {
		failed(&self.url)(subxt::rpcs::Error::User(subxt::rpcs::UserError {
			code: 0,
			message: format!("the node has no {what}"),
			data: None,
		}))
	}

	async fn state(&self, hash: H256) -> Result<Finalised, ChainError> {
		let at = self.api.at_block(hash).await.map_err(failed(&self.url))?;
		// Heights of this chain are 32 bits wide; a node that says otherwise is on no such chain.
		let number = u32::try_from(at.block_number()).unwrap_or(u32::MAX);
		let block = BlockRef { number, hash };
		Ok(Finalised { url: self.url.clone(), block, at })
	}
}

impl Finalised {
	/// Calls a view function of a pallet.
	pub async fn view<A, R>(
		&self,
		pallet: &str,
		function: &str,
		arguments: A,
	) -> Result<R, ChainError>
	where
		A: subxt::ext::frame_decode::view_functions::IntoEncodableValues,
		R: DecodeAsType,
	{
		let metadata = self.at.metadata_ref();
		let fail = |cause| ChainError::View {
			url: self.url.to_string(),
			function: format!("{pallet}.{function}"),
			cause,
		};
		let call = view::encode(metadata, pallet, function, arguments).map_err(fail)?;
		let answer = self.at.runtime_apis().call_raw(view::METHOD, Some(&call)).await;
		let answer = answer.map_err(failed(&self.url))?;
		view::decode(metadata, pallet, function, &answer).map_err(fail)
	}

	/// A storage item without keys; `None` if nothing is stored.
	pub async fn value<R: DecodeAsType>(
		&self,
		pallet: &str,
		item: &str,
	) -> Result<Option<R>, ChainError> {
		let address = dynamic::storage::<(), R>(pallet, item);
		let value = self.at.storage().try_fetch(address, ()).await.map_err(failed(&self.url))?;
		value.map(|value| value.decode()).transpose().map_err(failed(&self.url))
	}

	/// An entry of a storage map; `None` if nothing is stored.
	pub async fn entry<K, R: DecodeAsType>(
		&self,
		pallet: &str,
		item: &str,
		key: K,
	) -> Result<Option<R>, ChainError>
	where
		(K,): IntoEncodableValues + IntoDecodableValues,
	{
		let address = dynamic::storage::<(K,), R>(pallet, item);
		let value =
			self.at.storage().try_fetch(address, (key,)).await.map_err(failed(&self.url))?;
		value.map(|value| value.decode()).transpose().map_err(failed(&self.url))
	}

	/// Hash of this block or of an earlier one, on its fork; `None` if the chain has forgotten it.
	pub async fn hash_of(&self, number: u32) -> Result<Option<H256>, ChainError> {
		if number == self.block.number {
			return Ok(Some(self.block.hash));
		}
		let hash: Option<[u8; 32]> = self.entry("System", "BlockHash", number).await?;
		Ok(hash.map(H256).filter(|hash| !hash.is_zero()))
	}

	/// All values of a storage map. For maps that governance keeps small.
	pub async fn values<R: DecodeAsType>(
		&self,
		pallet: &str,
		item: &str,
	) -> Result<Vec<R>, ChainError> {
		use subxt::ext::scale_value::Value;
		let address = dynamic::storage::<(Value,), R>(pallet, item);
		let mut entries = self.at.storage().iter(address, ()).await.map_err(failed(&self.url))?;
		let mut values = vec![];
		while let Some(entry) = entries.next().await {
			let entry = entry.map_err(failed(&self.url))?;
			values.push(entry.value().decode().map_err(failed(&self.url))?);
		}
		Ok(values)
	}

	/// The block that a claim about this chain names: the one before, which is the newest whose hash
	/// its state knows. A chain without a second block has only the first to name.
	pub async fn claimable(&self) -> Result<BlockRef, ChainError> {
		let hash: Option<[u8; 32]> = self.value("System", "ParentHash").await?;
		Ok(match (self.block.number.checked_sub(1), hash) {
			(Some(number), Some(hash)) => BlockRef { number, hash: hash.into() },
			_ => self.block,
		})
	}

	/// A constant of a pallet.
	pub fn constant<R: DecodeAsType>(&self, pallet: &str, name: &str) -> Result<R, ChainError> {
		let address = dynamic::constant::<R>(pallet, name);
		self.at.constants().entry(address).map_err(failed(&self.url))
	}

	/// The block's own time, in Unix seconds.
	pub async fn time(&self) -> Result<u64, ChainError> {
		let millis: Option<u64> = self.value("Timestamp", "Now").await?;
		Ok(millis.unwrap_or(0) / 1000)
	}

	/// Next transaction number of an account, after this block.
	pub async fn nonce(&self, account: &AccountId32) -> Result<u64, ChainError> {
		self.at.tx().account_nonce(account).await.map_err(failed(&self.url))
	}

	/// What an account can spend at most: its free balance, in the smallest unit.
	pub async fn free_balance(&self, account: &AccountId32) -> Result<u128, ChainError> {
		#[derive(DecodeAsType)]
		#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
		struct Info {
			data: Data,
		}
		#[derive(DecodeAsType)]
		#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
		struct Data {
			free: u128,
		}
		let address = dynamic::storage::<([u8; 32],), Info>("System", "Account");
		let found = self.at.storage().try_fetch(address, (account.0,)).await;
		let Some(value) = found.map_err(failed(&self.url))? else { return Ok(0) };
		Ok(value.decode().map_err(failed(&self.url))?.data.free)
	}

	/// Fails if the runtime encodes anything of these pallets otherwise.
	pub fn ensure_fits(&self, encodings: &[Encodings]) -> Result<(), ChainError> {
		let metadata = self.at.metadata_ref();
		let misfits: Vec<_> = encodings.iter().flat_map(|one| misfits(metadata, one)).collect();
		if misfits.is_empty() {
			return Ok(());
		}
		let spec_version = self.at.spec_version();
		Err(ChainError::Shape { spec_version, missing: misfits.join("; ") })
	}

	/// What went wrong with a request that a program makes to [`Self::at`] itself.
	pub fn failed<E: Into<subxt::Error>>(&self, cause: E) -> ChainError {
		failed(&self.url)(cause)
	}

	/// Fails if the runtime lacks anything of these pallets.
	pub fn ensure_shape(&self, shapes: &[Shape]) -> Result<(), ChainError> {
		let missing = missing(self.at.metadata_ref(), shapes);
		if missing.is_empty() {
			return Ok(());
		}
		let spec_version = self.at.spec_version();
		Err(ChainError::Shape { spec_version, missing: missing.join("; ") })
	}

	async fn para_id(&self) -> Result<u32, ChainError> {
		let none = || ChainError::Shape {
			spec_version: self.at.spec_version(),
			missing: "ParachainInfo.ParachainId".into(),
		};
		if self.at.metadata_ref().pallet_by_name("ParachainInfo").is_none() {
			return Err(none());
		}
		self.value("ParachainInfo", "ParachainId").await?.ok_or_else(none)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn nodes_take_turns() {
		let urls = ["a", "b", "c"].map(String::from);
		let mut turn = Turn::default();
		let taken: Vec<_> = (0..5).filter_map(|_| turn.take(&urls)).collect();
		assert_eq!(taken, ["a", "b", "c", "a", "b"]);
		assert_eq!(turn.take(&[]), None);
	}

	#[tokio::test(start_paused = true)]
	async fn nodes_of_another_chain_are_passed_over() {
		let id = |para_id| ChainId { genesis: H256::zero(), para_id };
		let (_trigger, shutdown) = crate::shutdown::pair();
		let (mut turn, mut backoff) = (Turn::default(), Backoff::default());
		let (mut failures, mut found) = (vec![], vec![]);
		let all = ["theirs", "ours"].map(String::from);
		for urls in [&all[..], &all[..], &all[..1]] {
			let note = |error: &ChainError| failures.push(error.to_string());
			let connect =
				first_of(urls, &mut turn, &mut backoff, &shutdown, note, async |url: &str| {
					let chain = if url == "ours" { id(1) } else { id(2) };
					ensure_on(Some(id(1)), url, chain)?;
					Ok::<_, ChainError>(url.to_string())
				});
			let connected = tokio::time::timeout(Duration::from_secs(600), connect).await;
			found.push(connected.ok().flatten());
		}
		// Where there is no other, it is tried again and again.
		let ours = || Some("ours".to_string());
		assert_eq!(found, [ours(), ours(), None]);
		assert!(failures.len() > 10, "{failures:?}");
		for failure in failures {
			assert!(failure.contains("theirs is on the chain") && failure.contains("para id 2"));
		}
	}
}
