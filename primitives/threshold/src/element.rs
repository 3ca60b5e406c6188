//! Public group elements and scalars with a canonical wire format (RFC 9496).

use codec::{Decode, DecodeWithMemTracking, Encode, EncodeLike, Input, MaxEncodedLen, Output};
use curve25519_dalek::{
	RistrettoPoint, Scalar, ristretto::CompressedRistretto, traits::IsIdentity,
};
use scale_info::{Path, Type, TypeInfo, build::Fields};

use crate::Error;

/// An element of ristretto255 other than the identity, 32 bytes on the wire. Decoding refuses
/// every encoding that is not canonical, and the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Element {
	point: RistrettoPoint,
	// Encoding costs an inverse square root: pay for it once.
	bytes: CompressedRistretto,
}

impl Element {
	/// The element that `bytes` encode; [`Error::NonCanonicalElement`] or
	/// [`Error::IdentityElement`] if they encode none or the identity.
	pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
		let bytes = CompressedRistretto(*bytes);
		let point = bytes.decompress().ok_or(Error::NonCanonicalElement)?;
		match bytes.is_identity() {
			true => Err(Error::IdentityElement),
			false => Ok(Self { point, bytes }),
		}
	}

	/// The canonical encoding.
	pub const fn as_bytes(&self) -> &[u8; 32] {
		self.bytes.as_bytes()
	}

	pub(crate) const fn point(&self) -> &RistrettoPoint {
		&self.point
	}
}

impl TryFrom<RistrettoPoint> for Element {
	type Error = Error;

	fn try_from(point: RistrettoPoint) -> Result<Self, Error> {
		match point.is_identity() {
			true => Err(Error::IdentityElement),
			false => Ok(Self { point, bytes: point.compress() }),
		}
	}
}

impl core::fmt::Debug for Element {
	fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
		f.write_str("0x")?;
		self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}

impl Encode for Element {
	fn size_hint(&self) -> usize {
		32
	}

	fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
		dest.write(self.as_bytes());
	}
}

impl EncodeLike for Element {}

impl Decode for Element {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		Self::from_bytes(&<[u8; 32]>::decode(input)?).map_err(|error| match error {
			Error::IdentityElement => "identity element".into(),
			_ => "non-canonical element".into(),
		})
	}
}

impl DecodeWithMemTracking for Element {}

impl MaxEncodedLen for Element {
	fn max_encoded_len() -> usize {
		32
	}
}

impl TypeInfo for Element {
	type Identity = Self;

	fn type_info() -> Type {
		bytes32("Element")
	}
}

/// An element of ristretto255 that may be the identity, 32 bytes on the wire: the sum of some terms. Those
/// who collude can let theirs cancel out, which says nothing about the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartialSum(pub(crate) RistrettoPoint);

impl Encode for PartialSum {
	fn size_hint(&self) -> usize {
		32
	}

	fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
		dest.write(self.0.compress().as_bytes());
	}
}

impl EncodeLike for PartialSum {}

impl Decode for PartialSum {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		let bytes = CompressedRistretto(<[u8; 32]>::decode(input)?);
		bytes.decompress().map(Self).ok_or_else(|| "non-canonical element".into())
	}
}

impl DecodeWithMemTracking for PartialSum {}

impl MaxEncodedLen for PartialSum {
	fn max_encoded_len() -> usize {
		32
	}
}

impl TypeInfo for PartialSum {
	type Identity = Self;

	fn type_info() -> Type {
		bytes32("PartialSum")
	}
}

/// A scalar that may be seen by all, 32 bytes on the wire. Decoding refuses values at or above
/// the group's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicScalar(pub(crate) Scalar);

impl Encode for PublicScalar {
	fn size_hint(&self) -> usize {
		32
	}

	fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
		dest.write(self.0.as_bytes());
	}
}

impl EncodeLike for PublicScalar {}

impl Decode for PublicScalar {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		let scalar = Scalar::from_canonical_bytes(<[u8; 32]>::decode(input)?);
		Option::from(scalar).map(Self).ok_or_else(|| "non-canonical scalar".into())
	}
}

impl DecodeWithMemTracking for PublicScalar {}

impl MaxEncodedLen for PublicScalar {
	fn max_encoded_len() -> usize {
		32
	}
}

impl TypeInfo for PublicScalar {
	type Identity = Self;

	fn type_info() -> Type {
		bytes32("PublicScalar")
	}
}

fn bytes32(name: &'static str) -> Type {
	Type::builder()
		.path(Path::new(name, module_path!()))
		.composite(Fields::unnamed().field(|field| field.ty::<[u8; 32]>()))
}
