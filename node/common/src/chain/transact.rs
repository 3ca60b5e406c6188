//! Signing, submitting and judging transactions.

use super::{
	Account, AccountId32, Chain, ChainError, Config, Explained, Fate, Finalised, Ledger,
	MultiAddress, Signed, Submission, explain, failed, follow,
};
use phala_primitives::BlockRef;
use sp_core::H256;
use std::time::Duration;
use subxt::{
	client::OnlineClientAtBlockImpl,
	config::DefaultExtrinsicParamsBuilder,
	dynamic,
	error::DispatchError,
	events::Phase,
	ext::{
		scale_decode::DecodeAsType,
		scale_encode::{self, EncodeAsFields, EncodeAsType, TypeResolver},
		scale_value::{Value, ValueDef},
	},
	rpcs::Error as RpcError,
	transactions::{Payload, SubmittableTransaction, TransactionInvalid, ValidationResult},
};

/// Blocks for which a transaction can be included, a power of two. Long enough for a busy chain,
/// short enough that a lost transaction is soon known to be lost.
const LIFETIME: u32 = 64;

/// Begins the path of an error about money.
const TOKEN: &str = "Token";

/// JSON-RPC error codes of a node's `author` interface (`sc-rpc-api`).
mod code {
	/// The transaction is invalid in the current state.
	pub const INVALID: i32 = 1010;
	/// Its validity cannot be told.
	pub const UNKNOWN: i32 = 1011;
	/// The pool has thrown it out a moment ago.
	pub const BANNED: i32 = 1012;
	/// The pool has it.
	pub const IMPORTED: i32 = 1013;
	/// Another one for the same purpose has at least the same priority.
	pub const PRIORITY: i32 = 1014;
	/// The pool is full.
	pub const DROPPED: i32 = 1016;
}

/// Why a pool does not take a transaction, now.
pub(super) struct Refusal {
	code: i32,
	pub reason: String,
}

impl Refusal {
	pub fn is_ban(&self) -> bool {
		self.code == code::BANNED
	}

	pub fn is_outbid(&self) -> bool {
		self.code == code::PRIORITY
	}
}

impl Chain {
	/// Hands a transaction to the node's pool.
	pub(super) async fn hand_in(&self, bytes: &[u8]) -> Result<Option<Refusal>, ChainError> {
		match self.rpc.author_submit_extrinsic(bytes).await {
			Ok(_) => Ok(None),
			Err(RpcError::User(error)) => match error.code {
				code::IMPORTED => Ok(None),
				code::INVALID | code::UNKNOWN | code::BANNED | code::PRIORITY | code::DROPPED => {
					let data = error.data.map(|data| format!(": {data}")).unwrap_or_default();
					let reason = format!("{}{data}", error.message);
					Ok(Some(Refusal { code: error.code, reason }))
				}
				_ => Err(failed(&self.url)(RpcError::User(error))),
			},
			Err(error) => Err(failed(&self.url)(error)),
		}
	}
}

impl Ledger for Chain {
	type Error = ChainError;

	async fn finalised(&self) -> Result<BlockRef, ChainError> {
		Ok(Chain::finalised(self).await?.block)
	}

	async fn transactions(&self, number: u32) -> Result<(H256, Vec<H256>), ChainError> {
		let gone = || {
			failed(&self.url)(RpcError::User(subxt::rpcs::UserError {
				code: 0,
				message: format!("the node has no body of block {number}"),
				data: None,
			}))
		};
		let hash = self.rpc.chain_get_block_hash(Some(number.into())).await;
		let hash = hash.map_err(failed(&self.url))?.ok_or_else(gone)?;
		let block = self.rpc.chain_get_block(Some(hash)).await.map_err(failed(&self.url))?;
		let extrinsics = block.ok_or_else(gone)?.block.extrinsics;
		let hashes = extrinsics.iter().map(|bytes| hash_of(&bytes.0)).collect();
		Ok((hash, hashes))
	}

	async fn nonce(&self, signer: &[u8; 32], after: H256) -> Result<u64, ChainError> {
		self.state(after).await?.nonce(&AccountId32(*signer)).await
	}

	async fn submit(&self, bytes: &[u8]) -> Result<Submission, ChainError> {
		let refusal = self.hand_in(bytes).await?;
		Ok(refusal.map_or(Submission::Accepted, |refusal| Submission::Refused(refusal.reason)))
	}

	fn stalled(&self) -> ChainError {
		ChainError::Stalled { url: self.url.to_string() }
	}
}

fn hash_of(bytes: &[u8]) -> H256 {
	sp_crypto_hashing::blake2_256(bytes).into()
}

/// A call that is encoded already, inside of another one.
struct Encoded(Vec<u8>);

impl EncodeAsType for Encoded {
	fn encode_as_type_to<R: TypeResolver>(
		&self,
		_: R::TypeId,
		_: &R,
		out: &mut Vec<u8>,
	) -> Result<(), scale_encode::Error> {
		out.extend(&self.0);
		Ok(())
	}
}

#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
struct Proxied {
	real: MultiAddress<AccountId32, ()>,
	force_proxy_type: Option<()>,
	call: Encoded,
}

/// Version of the XCM that a dry run tells of. What is tried here sends none.
const XCM_VERSION: u32 = 5;

/// What the runtime's dry run of a call did.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Effects {
	execution_result: Result<Value, Undone>,
	emitted_events: Vec<Value>,
}

/// Why a call did nothing.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Undone {
	error: Value,
}

impl Effects {
	/// The error of the call, or of the one that a proxy made for another account: the proxy's own call
	/// succeeds in any case.
	fn error(&self) -> Option<&Value> {
		match &self.execution_result {
			Err(undone) => Some(&undone.error),
			Ok(_) => self
				.emitted_events
				.iter()
				.find_map(|event| inside(inside(inside(event, "Proxy")?, "ProxyExecuted")?, "Err")),
		}
	}
}

/// The first field of a variant, if the value is that one.
fn inside<'a>(value: &'a Value, variant: &str) -> Option<&'a Value> {
	match &value.value {
		ValueDef::Variant(found) if found.name == variant => found.values.values().next(),
		_ => None,
	}
}

impl Finalised {
	/// Encodes a call against the runtime's metadata: fails if its arguments have another shape.
	pub fn encode_call<C: EncodeAsFields>(
		&self,
		pallet: &str,
		call: &str,
		arguments: C,
	) -> Result<Vec<u8>, ChainError> {
		self.at.tx().call_data(&dynamic::tx(pallet, call, arguments)).map_err(failed(&self.url))
	}

	/// A call that is made as a proxy of `real`.
	fn proxied<C: EncodeAsFields>(
		&self,
		real: AccountId32,
		pallet: &str,
		call: &str,
		arguments: C,
	) -> Result<Proxied, ChainError> {
		let call = Encoded(self.encode_call(pallet, call, arguments)?);
		Ok(Proxied { real: MultiAddress::Id(real), force_proxy_type: None, call })
	}

	/// Lets the runtime make a call of the account, or of the one that it is a proxy of, and undo it.
	/// Fails if the call does: in a block it would cost its fee each time.
	pub async fn rehearse<C: EncodeAsFields>(
		&self,
		account: &Account,
		pallet: &str,
		call: &str,
		arguments: C,
	) -> Result<(), ChainError> {
		let call = match account.real() {
			None => self.encode_call(pallet, call, arguments)?,
			Some(real) => {
				self.encode_call("Proxy", "proxy", self.proxied(real, pallet, call, arguments)?)?
			}
		};
		let signed = Value::unnamed_variant("Signed", [Value::from_bytes(account.signer().0)]);
		let origin = Value::unnamed_variant("system", [signed]);
		let arguments = (origin, Encoded(call), XCM_VERSION);
		let run = dynamic::runtime_api_call::<_, Result<Effects, Value>>(
			"DryRunApi",
			"dry_run_call",
			arguments,
		);
		let effects = self.at.runtime_apis().call(run).await.map_err(failed(&self.url))?;
		let effects = effects
			.map_err(|reason| ChainError::Refused(format!("it cannot be rehearsed: {reason}")))?;
		let Some(error) = effects.error() else { return Ok(()) };
		let metadata = self.at.metadata_ref();
		let unknown = || Explained { path: vec![error.to_string()], docs: String::new() };
		let reason = metadata
			.dispatch_error_ty()
			.and_then(|ty| error.encode_as_type(ty, metadata.types()).ok())
			.and_then(|bytes| DispatchError::decode_from(bytes, self.at.metadata()).ok())
			.map_or_else(unknown, |error| self.explain(error));
		Err(ChainError::Refused(if reason.outer() == TOKEN {
			format!("{reason} Send PHA to {}: it has too little for the deposit", account.acting())
		} else {
			reason.to_string()
		}))
	}

	/// Signs a call with number `nonce`, bound to this block.
	fn sign(
		&self,
		account: &Account,
		nonce: u64,
		call: &impl Payload,
	) -> Result<Submittable, ChainError> {
		let BlockRef { number, hash } = self.block;
		let params = DefaultExtrinsicParamsBuilder::<Config>::new()
			.mortal_from_unchecked(LIFETIME.into(), number.into(), hash)
			.nonce(nonce)
			.build();
		let mut unsigned =
			self.at.tx().create_signable_offline(call, params).map_err(failed(&self.url))?;
		unsigned.sign(account).map_err(failed(&self.url))
	}

	/// Why the transaction at `index` of this block failed; `None` if it did not.
	pub async fn failure(&self, index: usize) -> Result<Option<Explained>, ChainError> {
		let events = self.at.events().fetch().await.map_err(failed(&self.url))?;
		for event in events.iter() {
			let event = event.map_err(failed(&self.url))?;
			if !matches!(event.phase(), Phase::ApplyExtrinsic(of) if of as usize == index) {
				continue;
			}
			let bytes = event.field_bytes();
			let error = match (event.pallet_name(), event.event_name()) {
				("System", "ExtrinsicFailed") => bytes,
				// A result in SCALE; the outer transaction succeeds in any case.
				("Proxy", "ProxyExecuted") if bytes.first() == Some(&1) => &bytes[1..],
				_ => continue,
			};
			let error = DispatchError::decode_from(error, self.at.metadata());
			return Ok(Some(self.explain(error.map_err(failed(&self.url))?)));
		}
		Ok(None)
	}

	fn explain(&self, error: DispatchError) -> Explained {
		if let DispatchError::Module(error) = &error {
			let metadata = self.at.metadata_ref();
			let bytes = error.bytes();
			let decoded = metadata.pallet_by_error_index(error.pallet_index()).and_then(|pallet| {
				let ty = pallet.error_ty_id()?;
				let value = Value::decode_as_type(&mut &bytes[1..], ty, metadata.types());
				Some(explain(metadata, pallet.name(), &value.ok()?))
			});
			if let Some(explained) = decoded {
				return explained;
			}
		}
		if let DispatchError::Token(error) = &error {
			return Explained {
				path: vec![TOKEN.into(), format!("{error:?}")],
				docs: error.to_string(),
			};
		}
		Explained { path: vec![error.to_string()], docs: String::new() }
	}
}

type Submittable = SubmittableTransaction<Config, OnlineClientAtBlockImpl<Config>>;

/// How a followed transaction ended, and if it was included, with what effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
	/// It did what it says.
	Done(BlockRef),
	/// It was included, cost its fee, and did nothing.
	Failed(Explained),
	/// Another transaction of the account took its number.
	Superseded,
	/// It was never included, and never will be.
	Expired {
		/// What the node said at the last attempt to submit it.
		refusal: Option<String>,
	},
}

impl Chain {
	/// Signs a call for the account, or for the one that it is a proxy of, and asks the runtime
	/// whether it would take it. Nothing is sent.
	pub async fn prepare<C: EncodeAsFields>(
		&self,
		state: &Finalised,
		account: &Account,
		pallet: &str,
		call: &str,
		arguments: C,
	) -> Result<Signed, ChainError> {
		let signer = account.signer();
		let nonce = self.rpc.system_account_next_index(&signer).await;
		let nonce = nonce.map_err(failed(&self.url))?;
		let transaction = match account.real() {
			None => state.sign(account, nonce, &dynamic::tx(pallet, call, arguments))?,
			Some(real) => {
				let proxied = state.proxied(real, pallet, call, arguments)?;
				state.sign(account, nonce, &dynamic::tx("Proxy", "proxy", proxied))?
			}
		};
		match transaction.validate().await.map_err(failed(&self.url))? {
			ValidationResult::Valid(_) => {}
			ValidationResult::Invalid(TransactionInvalid::Payment) => {
				return Err(ChainError::Refused(format!(
					"the account {signer} cannot pay its fee: send PHA to it"
				)));
			}
			other => return Err(ChainError::Refused(format!("{other:?}"))),
		}
		let bytes = transaction.into_encoded();
		Ok(Signed {
			hash: hash_of(&bytes),
			bytes,
			signer: signer.0,
			nonce,
			after: state.block.number,
			last: state.block.number.saturating_add(LIFETIME),
		})
	}

	/// The fee of a call that is encoded against this state, in the smallest unit of money. The
	/// signature is only for its size.
	pub async fn fee<C: EncodeAsFields>(
		&self,
		state: &Finalised,
		account: &Account,
		pallet: &str,
		call: &str,
		arguments: C,
	) -> Result<u128, ChainError> {
		let transaction = state.sign(account, 0, &dynamic::tx(pallet, call, arguments))?;
		transaction.partial_fee_estimate().await.map_err(failed(&self.url))
	}

	/// Follows a transaction until its fate is final, see [`follow`].
	pub async fn conclude(
		&self,
		signed: &Signed,
		interval: Duration,
	) -> Result<Outcome, ChainError> {
		Ok(match follow(self, signed, interval).await? {
			Fate::Superseded => Outcome::Superseded,
			Fate::Expired { refusal } => Outcome::Expired { refusal },
			Fate::Included { block, index } => {
				match self.state(block.hash).await?.failure(index).await? {
					None => Outcome::Done(block),
					Some(explained) => Outcome::Failed(explained),
				}
			}
		})
	}
}
