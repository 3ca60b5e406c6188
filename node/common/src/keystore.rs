//! The keys of a program in a TEE: born there, sealed, and bound to one chain.

use crate::{
	files::{self, FileError},
	seal::{self, Seal, SealError},
};
use codec::{Decode, Encode};
use phala_primitives::{ChainId, EncryptionKey, WorkerKey};
use rand::{RngCore, rngs::OsRng};
use sp_core::{H256, Pair, sr25519};
use std::path::{Path, PathBuf};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

const FILE: &str = "keys.sealed";
const LABEL: &str = "identity and encryption keys v1";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
	/// The sealed file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// There is no key to seal with.
	#[error("no key to seal with: {0}")]
	NoSealingKey(SealError),
	/// The sealed file cannot be opened.
	#[error(
		"cannot open {}: {cause}. Start the program that sealed it, on the machine that did; or \
		 move the file away to get new keys, and register them", path.display()
	)]
	Unseal {
		/// The sealed file.
		path: PathBuf,
		/// Why.
		cause: SealError,
	},
	/// The keys belong to another chain.
	#[error(
		"the keys in {} belong to the chain with genesis {sealed:?} and para id {sealed_para}, but \
		 the node is on the chain with genesis {connected:?} and para id {connected_para}: connect \
		 to a node of the former, or use another state folder", path.display()
	)]
	OtherChain {
		/// The sealed file.
		path: PathBuf,
		/// Genesis of the keys' chain.
		sealed: H256,
		/// Its para id.
		sealed_para: u32,
		/// Genesis of the node's chain.
		connected: H256,
		/// Its para id.
		connected_para: u32,
	},
}

/// The two keys of a worker or gatekeeper.
#[derive(Clone)]
pub struct Keys {
	/// The chain that they are for.
	pub chain: ChainId,
	/// Signs statements.
	pub identity: sr25519::Pair,
	/// Opens what others encrypt to the program.
	pub encryption: StaticSecret,
}

impl std::fmt::Debug for Keys {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "Keys({})", self.worker())
	}
}

/// What is sealed.
#[derive(Encode, Decode)]
struct Content {
	genesis: H256,
	para_id: u32,
	identity: [u8; 32],
	encryption: [u8; 32],
}

impl Drop for Content {
	fn drop(&mut self) {
		self.identity.zeroize();
		self.encryption.zeroize();
	}
}

impl Keys {
	/// The public identity key.
	pub fn worker(&self) -> WorkerKey {
		self.identity.public()
	}

	/// The public encryption key.
	pub fn encryption_key(&self) -> EncryptionKey {
		PublicKey::from(&self.encryption).to_bytes()
	}

	fn from_content(content: &Content) -> Self {
		Self {
			chain: ChainId { genesis: content.genesis, para_id: content.para_id },
			identity: sr25519::Pair::from_seed(&content.identity),
			encryption: StaticSecret::from(content.encryption),
		}
	}

	/// The keys in a folder, for whatever chain they are. `None` if there are none yet.
	pub fn load(folder: &Path, sealer: &dyn Seal) -> Result<Option<Self>, KeystoreError> {
		let path = folder.join(FILE);
		let Some(sealed) = files::read(&path)? else { return Ok(None) };
		let fail = |cause| KeystoreError::Unseal { path: path.clone(), cause };
		let plain = seal::unseal(sealer, LABEL, &sealed).map_err(fail)?;
		let content =
			Content::decode(&mut plain.as_slice()).map_err(|_| fail(SealError::Format))?;
		Ok(Some(Self::from_content(&content)))
	}

	/// The keys in a folder, made and sealed there if there are none. They are on disk before this
	/// returns, so that no key is ever shown to a chain and then lost. Keys of another chain are
	/// refused.
	pub fn open(folder: &Path, sealer: &dyn Seal, chain: &ChainId) -> Result<Self, KeystoreError> {
		let path = folder.join(FILE);
		if let Some(keys) = Self::load(folder, sealer)? {
			if keys.chain != *chain {
				return Err(KeystoreError::OtherChain {
					path,
					sealed: keys.chain.genesis,
					sealed_para: keys.chain.para_id,
					connected: chain.genesis,
					connected_para: chain.para_id,
				});
			}
			return Ok(keys);
		}
		let mut content = Content {
			genesis: chain.genesis,
			para_id: chain.para_id,
			identity: [0; 32],
			encryption: [0; 32],
		};
		OsRng.fill_bytes(&mut content.identity);
		OsRng.fill_bytes(&mut content.encryption);
		let plain = Zeroizing::new(content.encode());
		let sealed = seal::seal(sealer, LABEL, &plain).map_err(KeystoreError::NoSealingKey)?;
		files::write(&path, &sealed)?;
		Ok(Self::from_content(&content))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::seal::Sealer;

	fn chain(genesis: u8) -> ChainId {
		ChainId { genesis: H256::repeat_byte(genesis), para_id: 2_035 }
	}

	#[test]
	fn keys_are_born_once_and_stay() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		assert!(Keys::load(folder.path(), &sealer).unwrap().is_none());
		let born = Keys::open(folder.path(), &sealer, &chain(1)).unwrap();
		let again = Keys::open(folder.path(), &sealer, &chain(1)).unwrap();
		assert_eq!(born.worker(), again.worker());
		assert_eq!(born.encryption_key(), again.encryption_key());
		assert_ne!(born.encryption_key(), born.worker().0);

		let other = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(other.path().into());
		assert_ne!(Keys::open(other.path(), &sealer, &chain(1)).unwrap().worker(), born.worker());
	}

	#[test]
	fn secrets_are_not_on_disk_in_the_clear() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		let keys = Keys::open(folder.path(), &sealer, &chain(1)).unwrap();
		let content = std::fs::read(folder.path().join(FILE)).unwrap();
		let secret = keys.encryption.to_bytes();
		assert!(!content.windows(32).any(|window| window == secret));
	}

	#[test]
	fn another_chain_is_refused_and_the_keys_stay() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		let born = Keys::open(folder.path(), &sealer, &chain(1)).unwrap();
		for other in [chain(2), ChainId { para_id: 2_036, ..chain(1) }] {
			let error = Keys::open(folder.path(), &sealer, &other).unwrap_err();
			assert!(matches!(error, KeystoreError::OtherChain { .. }));
		}
		let again = Keys::open(folder.path(), &sealer, &chain(1)).unwrap();
		assert_eq!(again.worker(), born.worker());
	}

	#[test]
	fn a_lost_or_changed_seal_never_makes_new_keys() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		Keys::open(folder.path(), &sealer, &chain(1)).unwrap();
		let path = folder.path().join(FILE);
		let sealed = std::fs::read(&path).unwrap();

		std::fs::remove_file(folder.path().join("sealing-key")).unwrap();
		let error = Keys::open(folder.path(), &sealer, &chain(1)).unwrap_err();
		assert!(matches!(error, KeystoreError::Unseal { .. }));
		assert!(error.to_string().contains("move the file away"));

		std::fs::write(&path, &sealed[..sealed.len() - 1]).unwrap();
		assert!(Keys::open(folder.path(), &sealer, &chain(1)).is_err());
		std::fs::write(&path, b"").unwrap();
		assert!(Keys::open(folder.path(), &sealer, &chain(1)).is_err());
	}
}
