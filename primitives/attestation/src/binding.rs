//! What a quote is about: the report data, and the platform's id.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sha2::{Digest, Sha512};

use crate::{crypto::sha256, error::Error, policy::Role, types::Ppid};

const DOMAIN: &[u8] = b"phala/worker-attestation/v1";

/// The claim of a quote: this key, on this chain, in this role, at this block.
///
/// The report data is SHA-512 (64 bytes, as long as the field) of the fields one after the other:
///
/// | Offset | Bytes | Field |
/// |---|---|---|
/// | 0 | 27 | `"phala/worker-attestation/v1"` |
/// | 27 | 32 | genesis hash |
/// | 59 | 4 | para id, little-endian |
/// | 63 | 1 | role: 0 worker, 1 gatekeeper |
/// | 64 | 32 | operator's account |
/// | 96 | 32 | identity key |
/// | 128 | 32 | encryption key |
/// | 160 | 4 | block number, little-endian |
/// | 164 | 32 | block hash |
///
/// Every field has a fixed length: no two claims have the same preimage. Genesis hash and para id
/// tie it to one chain, the block to one fork and a span of time.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Binding {
	/// Hash of the chain's genesis block.
	pub genesis_hash: [u8; 32],
	/// The chain's para id.
	pub para_id: u32,
	/// The role.
	pub role: Role,
	/// The operator's account.
	pub operator: [u8; 32],
	/// The key that the TEE signs with.
	pub identity_key: [u8; 32],
	/// The key that others encrypt to.
	pub encryption_key: [u8; 32],
	/// A finalised block.
	pub block_number: u32,
	/// Its hash.
	pub block_hash: [u8; 32],
}

impl Binding {
	/// The report data of this claim.
	pub fn hash(&self) -> [u8; 64] {
		let role = match self.role {
			Role::Worker => 0,
			Role::Gatekeeper => 1,
		};
		Sha512::new()
			.chain_update(DOMAIN)
			.chain_update(self.genesis_hash)
			.chain_update(self.para_id.to_le_bytes())
			.chain_update([role])
			.chain_update(self.operator)
			.chain_update(self.identity_key)
			.chain_update(self.encryption_key)
			.chain_update(self.block_number.to_le_bytes())
			.chain_update(self.block_hash)
			.finalize()
			.into()
	}

	/// Checks that a quote's report data is this claim's.
	///
	/// # Errors
	///
	/// [`Error::ReportDataMismatch`].
	pub fn check(&self, report_data: &[u8; 64]) -> Result<(), Error> {
		if self.hash() == *report_data { Ok(()) } else { Err(Error::ReportDataMismatch) }
	}
}

/// Id of a platform: SHA-256 of `"phala/platform-id/v1" ‖ salt ‖ PPID`. The salt is the chain's, so
/// that ids of different chains cannot be told to be one platform's without the PPID.
pub fn platform_id(ppid: &Ppid, salt: &[u8; 32]) -> [u8; 32] {
	sha256(&[b"phala/platform-id/v1", salt, &ppid.0])
}
