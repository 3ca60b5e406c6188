//! View functions, as `RuntimeViewFunction_execute_view_function` takes and answers them.
//!
//! The runtime API frames arguments and result as byte strings: `(id, Vec<u8>)` in,
//! `Result<Vec<u8>, ViewFunctionDispatchError>` out (`frame_support::view_functions`). subxt 0.50
//! leaves both frames out, so they are made here; the encoding of the values is its.

use codec::{Decode, Encode};
use subxt::{
	Metadata,
	ext::{
		frame_decode::view_functions::{
			IntoEncodableValues, ViewFunctionDecodeError, ViewFunctionInputsEncodeError,
			decode_view_function_response, encode_view_function_inputs,
		},
		scale_decode::DecodeAsType,
	},
};

/// The runtime API's method.
pub const METHOD: &str = "RuntimeViewFunction_execute_view_function";

/// Bytes of a view function's id.
const ID_LEN: usize = 32;

/// Why a view function has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
	/// The arguments do not fit the runtime's function.
	#[error("the runtime takes other arguments: {0}")]
	Arguments(#[from] ViewFunctionInputsEncodeError),
	/// The answer does not fit what is expected.
	#[error("the runtime gives another answer: {0}")]
	Answer(#[from] ViewFunctionDecodeError<u32>),
	/// The answer is no frame.
	#[error("the answer is cut off: {0}")]
	Frame(#[from] codec::Error),
	/// The runtime did not run the function.
	#[error("the runtime did not answer: {0:?}")]
	Dispatch(DispatchError),
}

/// Why a runtime does not run a view function.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub enum DispatchError {
	/// It has none.
	NotImplemented,
	/// It has none with this id.
	NotFound([u8; ID_LEN]),
	/// It cannot decode the arguments.
	Codec,
}

/// What the runtime API's method is called with.
pub fn encode<A: IntoEncodableValues>(
	metadata: &Metadata,
	pallet: &str,
	function: &str,
	arguments: A,
) -> Result<Vec<u8>, ViewError> {
	let types = metadata.types();
	let bytes = encode_view_function_inputs(pallet, function, arguments, metadata, types)?;
	let (id, arguments) = bytes.split_at_checked(ID_LEN).unwrap_or((&bytes, &[]));
	Ok([id, &arguments.encode()].concat())
}

/// The value in the method's answer.
pub fn decode<R: DecodeAsType>(
	metadata: &Metadata,
	pallet: &str,
	function: &str,
	answer: &[u8],
) -> Result<R, ViewError> {
	let value = Result::<Vec<u8>, DispatchError>::decode(&mut &answer[..])?;
	let value = value.map_err(ViewError::Dispatch)?;
	let (types, visitor) = (metadata.types(), R::into_visitor());
	let bytes = &mut &value[..];
	Ok(decode_view_function_response(pallet, function, bytes, metadata, types, visitor)?)
}
