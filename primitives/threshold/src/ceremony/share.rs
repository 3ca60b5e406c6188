//! A member's share of a key.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use zeroize::Zeroizing;

use super::CeremonyId;
use crate::{
	Error, MemberIndex,
	secret::{SecretScalar, secret_buffer},
};

/// One member's share of a key: its point on a polynomial that nobody knows. Wiped when dropped.
#[derive(Debug)]
pub struct KeyShare {
	ceremony: CeremonyId,
	index: MemberIndex,
	secret: SecretScalar,
}

impl KeyShare {
	const SAVED: usize = 32 + 1 + 32;

	pub(crate) const fn new(
		ceremony: CeremonyId,
		index: MemberIndex,
		secret: SecretScalar,
	) -> Self {
		Self { ceremony, index, secret }
	}

	/// The ceremony that made it. Shares of different ceremonies do not combine, even of one key.
	pub const fn ceremony(&self) -> &CeremonyId {
		&self.ceremony
	}

	/// The seat that holds it.
	pub const fn index(&self) -> MemberIndex {
		self.index
	}

	pub(crate) const fn secret(&self) -> &SecretScalar {
		&self.secret
	}

	/// The share in the clear, for sealing. Whoever reads it holds the share.
	pub fn save(&self) -> Zeroizing<Vec<u8>> {
		let mut saved = secret_buffer(Self::SAVED);
		self.ceremony.encode_to(&mut *saved);
		self.index.encode_to(&mut *saved);
		saved.extend_from_slice(&*self.secret.to_bytes());
		saved
	}

	/// Reads what [`save`](Self::save) wrote; [`Error::CorruptState`] otherwise.
	pub fn restore(mut saved: &[u8]) -> Result<Self, Error> {
		Self::read(&mut saved).filter(|_| saved.is_empty()).ok_or(Error::CorruptState)
	}

	pub(crate) fn read(saved: &mut &[u8]) -> Option<Self> {
		let (ceremony, index) = Decode::decode(saved).ok()?;
		let bytes = Zeroizing::new(<[u8; 32]>::decode(saved).ok()?);
		Some(Self { ceremony, index, secret: SecretScalar::from_bytes(&bytes).ok()? })
	}
}
