//! Calls whose arguments are encoded already.

use subxt::ext::scale_encode::{self, EncodeAsFields, FieldIter, TypeResolver};

/// Arguments in SCALE, for a runtime that was found to fit ([`ensure_fits`](super::Finalised::ensure_fits)).
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
