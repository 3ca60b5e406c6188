//! Little-endian fields off the front of a slice.

use crate::error::Error;

pub(crate) struct Reader<'a> {
	rest: &'a [u8],
	position: usize,
}

impl<'a> Reader<'a> {
	pub fn new(bytes: &'a [u8]) -> Self {
		Self { rest: bytes, position: 0 }
	}

	pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], Error> {
		let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Error::QuoteTruncated)?;
		self.rest = rest;
		self.position = self.position.saturating_add(len);
		Ok(bytes)
	}

	pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
		self.bytes(N)?.try_into().map_err(|_| Error::QuoteTruncated)
	}

	pub fn u16(&mut self) -> Result<u16, Error> {
		self.array().map(|bytes| u16::from_le_bytes(*bytes))
	}

	pub fn u32(&mut self) -> Result<u32, Error> {
		self.array().map(|bytes| u32::from_le_bytes(*bytes))
	}

	/// Bytes behind a `u32` length.
	pub fn prefixed_u32(&mut self) -> Result<&'a [u8], Error> {
		let len = usize::try_from(self.u32()?).map_err(|_| Error::QuoteTruncated)?;
		self.bytes(len)
	}

	/// Bytes behind a `u16` length.
	pub fn prefixed_u16(&mut self) -> Result<&'a [u8], Error> {
		let len = usize::from(self.u16()?);
		self.bytes(len)
	}

	pub fn rest(&self) -> &'a [u8] {
		self.rest
	}

	/// Bytes read so far.
	pub fn position(&self) -> usize {
		self.position
	}

	pub fn finish(self) -> Result<(), Error> {
		if self.rest.is_empty() { Ok(()) } else { Err(Error::QuoteTrailingBytes) }
	}
}
