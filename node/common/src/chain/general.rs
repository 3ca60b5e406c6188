//! General transactions: without account and fee. The runtime admits one if the pallet that
//! it calls vouches for it (`#[pallet::authorize]`), for example by a signature among its arguments.
//!
//! Its bytes depend on the call, the runtime and a number alone, so that the same call twice is one
//! transaction. To the runtime the number means nothing: it makes another transaction of the same call.
//!
//! Another one is needed where a pool has banned the first. Each view of a pool bans for half an hour
//! what it refuses, and so do the views that are made from it; and views are behind the blocks for a
//! moment. So what answers the newest block may be banned for being early, and some messages cost stake
//! if they do not arrive.

use super::{Chain, ChainError, Finalised, Submission, failed, transact::Refusal};
use codec::{Compact, Encode};
use subxt::{
	Metadata,
	error::ExtrinsicError,
	ext::{
		frame_decode::extrinsics::{
			ExtrinsicEncodeError, TransactionExtensions, TransactionExtensionsError,
			encode_v5_general,
		},
		scale_encode::EncodeAsFields,
		scale_type_resolver::TypeResolver,
	},
};

/// What surrounds the call. All that has a value at all, but for the number, has one that is a zero
/// byte: immortal, no tip, no hash of the metadata.
struct Surroundings {
	number: u32,
}

const NUMBER: &str = "CheckNonce";
const KNOWN: &[&str] = &["CheckMortality", NUMBER, "ChargeTransactionPayment", "CheckMetadataHash"];

impl<R: TypeResolver> TransactionExtensions<R> for Surroundings {
	fn contains_extension(&self, name: &str) -> bool {
		KNOWN.contains(&name)
	}

	fn encode_extension_value_to(
		&self,
		name: &str,
		_: R::TypeId,
		_: &R,
		out: &mut Vec<u8>,
	) -> Result<(), TransactionExtensionsError> {
		if !KNOWN.contains(&name) {
			return Err(TransactionExtensionsError::NotFound(name.into()));
		}
		match name {
			NUMBER => Compact(self.number).encode_to(out),
			_ => out.push(0),
		}
		Ok(())
	}

	/// Goes into what an account signs, and here none does.
	fn encode_extension_implicit_to(
		&self,
		_: &str,
		_: R::TypeId,
		_: &R,
		_: &mut Vec<u8>,
	) -> Result<(), TransactionExtensionsError> {
		Ok(())
	}
}

/// The transaction with this number that makes this call, for a runtime with this metadata. Fails if
/// its call has another shape, or if it surrounds transactions with something unknown here.
pub fn encode_general<C: EncodeAsFields>(
	metadata: &Metadata,
	pallet: &str,
	call: &str,
	arguments: &C,
	number: u32,
) -> Result<Vec<u8>, ExtrinsicEncodeError> {
	let types = metadata.types();
	let version = metadata.extrinsic().transaction_extension_version_to_use_for_encoding();
	encode_v5_general(pallet, call, arguments, version, &Surroundings { number }, metadata, types)
}

impl Chain {
	/// Hands a call that needs no account to the node's pool, as the runtime of `state` reads it; under
	/// another number if the pool has banned it. It is not followed: look whether it did what it is for,
	/// and repeat it at a later block if not.
	pub async fn publish<C: EncodeAsFields>(
		&self,
		state: &Finalised,
		pallet: &str,
		call: &str,
		arguments: &C,
	) -> Result<Submission, ChainError> {
		let encode = |number| {
			encode_general(state.at.metadata_ref(), pallet, call, arguments, number)
				.map_err(|error| failed(&state.url)(ExtrinsicError::from(error)))
		};
		let mut refusal = self.hand_in(&encode(0)?).await?;
		if refusal.as_ref().is_some_and(Refusal::is_ban) {
			// At each block another one, on each fork.
			let number = state.block.hash.to_low_u64_be() as u32;
			refusal = self.hand_in(&encode(number)?).await?;
		}
		Ok(match refusal {
			// The pool has one for the same purpose.
			Some(refusal) if !refusal.is_outbid() => Submission::Refused(refusal.reason),
			_ => Submission::Accepted,
		})
	}
}
