//! General transactions: without account, number and fee. The runtime admits one if the pallet that
//! it calls vouches for it (`#[pallet::authorize]`), for example by a signature among its arguments.
//!
//! Its bytes depend on the call and the runtime alone, so that the same call twice is one
//! transaction.

use super::{ChainError, Finalised, failed};
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

/// What surrounds the call. All that has a value at all has one that is a zero byte: immortal,
/// number 0, no tip, no hash of the metadata.
struct Nothing;

const KNOWN: &[&str] =
	&["CheckMortality", "CheckNonce", "ChargeTransactionPayment", "CheckMetadataHash"];

impl<R: TypeResolver> TransactionExtensions<R> for Nothing {
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
		out.push(0);
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

/// The transaction that makes this call, for a runtime with this metadata. Fails if its call has
/// another shape, or if it surrounds transactions with something unknown here.
pub fn encode_general<C: EncodeAsFields>(
	metadata: &Metadata,
	pallet: &str,
	call: &str,
	arguments: &C,
) -> Result<Vec<u8>, ExtrinsicEncodeError> {
	let types = metadata.types();
	let version = metadata.extrinsic().transaction_extension_version_to_use_for_encoding();
	encode_v5_general(pallet, call, arguments, version, &Nothing, metadata, types)
}

impl Finalised {
	/// [`encode_general`] for the runtime of this block.
	pub fn general<C: EncodeAsFields>(
		&self,
		pallet: &str,
		call: &str,
		arguments: &C,
	) -> Result<Vec<u8>, ChainError> {
		encode_general(self.at.metadata_ref(), pallet, call, arguments)
			.map_err(|error| failed(&self.url)(ExtrinsicError::from(error)))
	}
}
