//! A rule of attestation in words.

use codec::DecodeAll;
use std::marker::PhantomData;
use subxt::ext::{
	scale_decode::{
		DecodeAsType, Error, IntoVisitor, TypeResolver, Visitor, visitor::DecodeAsTypeResult,
	},
	scale_value::Value,
};

/// The text of a [`phala_attestation::Error`]: this program's words for the rules that it knows, the
/// runtime's names for newer ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail(pub String);

/// Decodes by the runtime's type, so that a newer runtime is never misread.
pub struct DetailVisitor<R>(PhantomData<R>);

impl<R: TypeResolver> Visitor for DetailVisitor<R> {
	type Value<'scale, 'resolver> = Detail;
	type Error = Error;
	type TypeResolver = R;

	fn unchecked_decode_as_type(
		self,
		input: &mut &[u8],
		ty: R::TypeId,
		types: &R,
	) -> DecodeAsTypeResult<Self, Result<Detail, Error>> {
		let before = *input;
		let decoded = Value::decode_as_type(input, ty, types).map(|value| {
			let len = before.len().saturating_sub(input.len());
			let known = phala_attestation::Error::decode_all(&mut before.get(..len).unwrap_or(&[]));
			Detail(known.map_or_else(|_| value.to_string(), |error| error.to_string()))
		});
		DecodeAsTypeResult::Decoded(decoded)
	}
}

impl IntoVisitor for Detail {
	type AnyVisitor<R: TypeResolver> = DetailVisitor<R>;

	fn into_visitor<R: TypeResolver>() -> DetailVisitor<R> {
		DetailVisitor(PhantomData)
	}
}
