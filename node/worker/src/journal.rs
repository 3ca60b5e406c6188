//! Write-ahead note of the one transaction that is under way.
//!
//! It is on disk before the transaction is sent. A program that was killed in between finds it and
//! follows the same transaction, instead of signing a second one. It holds nothing secret; the
//! chain's state, not this note, decides what is done next.

use codec::{Decode, Encode};
use phala_node_common::{
	chain::Signed,
	files::{self, FileError},
};
use std::path::PathBuf;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Purpose {
	/// Bring collateral to the chain.
	#[codec(index = 0)]
	Collateral(Item),
	/// Register the worker.
	#[codec(index = 1)]
	Register,
	/// Renew the worker's attestation.
	#[codec(index = 2)]
	Renew,
	/// Report its score.
	#[codec(index = 3)]
	Score,
	/// Publish its endpoint.
	#[codec(index = 4)]
	Endpoint,
}

/// A piece of collateral, in the order in which the chain needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Item {
	/// The root's revocation list.
	#[codec(index = 0)]
	RootCrl,
	/// Certificate of the CA that issued the platform's PCK certificate.
	#[codec(index = 1)]
	PckCa,
	/// That CA's revocation list.
	#[codec(index = 2)]
	PckCrl,
	/// TCB info of the platform's family.
	#[codec(index = 3)]
	TcbInfo,
	/// Identity of the quoting enclave.
	#[codec(index = 4)]
	QeIdentity,
}

impl Item {
	/// All of them, in order.
	pub const ALL: [Self; 5] =
		[Self::RootCrl, Self::PckCa, Self::PckCrl, Self::TcbInfo, Self::QeIdentity];

	/// Whether its issues have evaluation numbers.
	pub fn is_numbered(self) -> bool {
		matches!(self, Self::TcbInfo | Self::QeIdentity)
	}
}

impl std::fmt::Display for Purpose {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(match self {
			Self::Collateral(Item::RootCrl) => "submit the root's revocation list",
			Self::Collateral(Item::PckCa) => "submit the PCK CA",
			Self::Collateral(Item::PckCrl) => "submit the PCK CA's revocation list",
			Self::Collateral(Item::TcbInfo) => "submit TCB info",
			Self::Collateral(Item::QeIdentity) => "submit the QE identity",
			Self::Register => "register",
			Self::Renew => "renew",
			Self::Score => "report the score",
			Self::Endpoint => "publish the endpoint",
		})
	}
}

/// A transaction under way.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pending {
	/// What it is for.
	pub purpose: Purpose,
	/// The transaction.
	pub signed: Signed,
}

/// The note on disk.
#[derive(Clone, Debug)]
pub struct Journal(PathBuf);

const MAGIC: &[u8] = b"phala-worker journal 1\n";

impl Journal {
	/// In this folder.
	pub fn new(folder: &std::path::Path) -> Self {
		Self(folder.join("pending"))
	}

	/// The transaction under way. A note of another format is none: it is of another version, and
	/// the chain tells what became of its transaction.
	pub fn read(&self) -> Result<Option<Pending>, FileError> {
		let Some(content) = files::read(&self.0)? else { return Ok(None) };
		let pending =
			content.strip_prefix(MAGIC).and_then(|mut note| Pending::decode(&mut note).ok());
		if pending.is_none() {
			tracing::warn!(path = %self.0.display(), "ignoring a note of another version");
		}
		Ok(pending)
	}

	/// Notes a transaction, durably.
	pub fn write(&self, pending: &Pending) -> Result<(), FileError> {
		files::write(&self.0, &[MAGIC, &pending.encode()].concat())
	}

	/// Forgets it.
	pub fn clear(&self) -> Result<(), FileError> {
		files::remove(&self.0)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_note_survives_and_foreign_ones_are_none() {
		let folder = tempfile::tempdir().unwrap();
		let journal = Journal::new(folder.path());
		assert_eq!(journal.read().unwrap(), None);
		let signed = Signed {
			bytes: vec![1, 2, 3],
			hash: Default::default(),
			signer: [7; 32],
			nonce: 5,
			after: 10,
			last: 74,
		};
		let pending = Pending { purpose: Purpose::Collateral(Item::PckCrl), signed };
		journal.write(&pending).unwrap();
		assert_eq!(journal.read().unwrap(), Some(pending));
		for foreign in [&b""[..], b"other", MAGIC] {
			files::write(&journal.0, foreign).unwrap();
			assert_eq!(journal.read().unwrap(), None);
		}
		journal.clear().unwrap();
		journal.clear().unwrap();
	}
}
