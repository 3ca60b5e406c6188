//! Calls whose arguments are encoded already.

use super::{Chain, ChainError, Finalised, Ledger, Submission};
use subxt::ext::scale_encode::{self, EncodeAsFields, FieldIter, TypeResolver};

/// Arguments in SCALE, for a runtime that was found to fit ([`Finalised::ensure_fits`]).
#[derive(Clone, Debug)]
pub struct Raw(pub Vec<u8>);

impl EncodeAsFields for Raw {
	fn encode_as_fields_to<R: TypeResolver>(
		&self,
		_: &mut dyn FieldIter<'_, R::TypeId>,
		_: &R,
		out: &mut Vec<u8>,
	) -> Result<(), scale_encode::Error> {
		out.extend(&self.0);
		Ok(())
	}
}

impl Chain {
	/// Hands a call that needs no account to the node's pool, as the runtime of `state` reads it. It is
	/// not followed: look in finalised state whether it did what it is for, and repeat it if not.
	pub async fn publish(
		&self,
		state: &Finalised,
		pallet: &str,
		call: &str,
		arguments: Raw,
	) -> Result<Submission, ChainError> {
		self.submit(&state.general(pallet, call, &arguments)?).await
	}
}
