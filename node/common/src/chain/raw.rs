//! Calls whose arguments are encoded already, as general transactions (format 5): their pallet
//! authorises them by what they carry, without an account, a number or a fee.

use super::{Chain, ChainError, Ledger, Submission};
use codec::Encode;
use scale_info::{PortableRegistry, TypeDef};
use subxt::Metadata;

/// Format 5, with extensions.
const GENERAL: u8 = 0b0100_0000 | 5;

/// Extensions with a value, each of which is encoded as a single zero when it has nothing to say: no
/// end of life, number zero, no tip, no hash of metadata.
const SILENT: [&str; 4] =
	["CheckMortality", "CheckNonce", "ChargeTransactionPayment", "CheckMetadataHash"];

/// Why there is no transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RawError {
	/// The runtime has no such call.
	#[error("the runtime has no call {0}.{1}: use a version of this program that fits it")]
	NoCall(String, String),
	/// The runtime has an extension whose value is not known.
	#[error(
		"the runtime's transactions have an extension {0} that this program does not know: use a \
		 version of it that fits the runtime"
	)]
	Extension(String),
}

/// A call of a pallet, its arguments being encoded already.
pub fn encode_call(
	metadata: &Metadata,
	pallet: &str,
	call: &str,
	arguments: &[u8],
) -> Result<Vec<u8>, RawError> {
	let none = || RawError::NoCall(pallet.into(), call.into());
	let pallet = metadata.pallet_by_name(pallet).ok_or_else(none)?;
	let variant = pallet.call_variant_by_name(call).ok_or_else(none)?;
	Ok([&[pallet.call_index(), variant.index], arguments].concat())
}

/// The transaction for an encoded call. The same call gives the same bytes, so that a pool knows a
/// repetition for what it is.
pub fn general(metadata: &Metadata, call: &[u8]) -> Result<Vec<u8>, RawError> {
	let extrinsic = metadata.extrinsic();
	let version = extrinsic.transaction_extension_version_to_use_for_encoding();
	let mut body = vec![GENERAL, version];
	for extension in extrinsic.transaction_extensions_to_use_for_encoding() {
		if SILENT.contains(&extension.identifier()) {
			body.push(0);
		} else if !is_empty(metadata.types(), extension.extra_ty(), 8) {
			return Err(RawError::Extension(extension.identifier().into()));
		}
	}
	body.extend(call);
	Ok(body.encode())
}

/// Is a value of this type encoded as nothing?
fn is_empty(types: &PortableRegistry, ty: u32, depth: u8) -> bool {
	let (Some(ty), Some(depth)) = (types.resolve(ty), depth.checked_sub(1)) else { return false };
	match &ty.type_def {
		TypeDef::Composite(composite) => {
			composite.fields.iter().all(|field| is_empty(types, field.ty.id, depth))
		}
		TypeDef::Tuple(tuple) => tuple.fields.iter().all(|field| is_empty(types, field.id, depth)),
		_ => false,
	}
}

impl Chain {
	/// Hands a call that needs no account to the node's pool. It is not followed: look in finalised
	/// state whether it did what it is for, and repeat it if not.
	pub async fn publish(
		&self,
		metadata: &Metadata,
		pallet: &str,
		call: &str,
		arguments: &[u8],
	) -> Result<Submission, ChainError> {
		let call = encode_call(metadata, pallet, call, arguments)?;
		self.submit(&general(metadata, &call)?).await
	}
}
