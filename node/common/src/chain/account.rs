//! The account that pays and answers.

use super::{AccountId32, Config};
use crate::files::{self, FileError};
use sp_core::{Pair, crypto::SecretStringError, sr25519};
use std::path::{Path, PathBuf};
use subxt::{transactions::Signer, utils::MultiSignature};
use zeroize::Zeroizing;

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
	/// The file cannot be read.
	#[error(transparent)]
	File(#[from] FileError),
	/// There is no such file.
	#[error(
		"there is no key file {}: write the secret of the account that pays there (a phrase, a seed \
		 0x…, or for development //Alice), readable by this program's user only", .0.display()
	)]
	NoFile(PathBuf),
	/// The file holds no secret.
	#[error("{} holds no account secret: {cause:?}", path.display())]
	Secret {
		/// The file.
		path: PathBuf,
		/// Why.
		cause: SecretStringError,
	},
	/// The address is none.
	#[error("`{0}` is no account address (SS58)")]
	Address(String),
}

/// Signs transactions, for itself or as a proxy of another account.
#[derive(Clone)]
pub struct Account {
	pair: sr25519::Pair,
	real: Option<AccountId32>,
}

impl Account {
	/// The account of a key pair.
	pub fn new(pair: sr25519::Pair) -> Self {
		Self { pair, real: None }
	}

	/// The account whose secret (phrase, seed or development path) is in a file.
	pub fn from_file(path: &Path) -> Result<Self, AccountError> {
		let content = files::read(path)?.ok_or_else(|| AccountError::NoFile(path.to_owned()))?;
		let content = Zeroizing::new(content);
		let secret = |cause| AccountError::Secret { path: path.to_owned(), cause };
		let text = std::str::from_utf8(&content).unwrap_or_default().trim();
		if text.is_empty() {
			// The parser would take the well-known development phrase.
			return Err(secret(SecretStringError::InvalidPhrase));
		}
		Ok(Self::new(sr25519::Pair::from_string(text, None).map_err(secret)?))
	}

	/// Signs as a proxy of the account with this address.
	pub fn proxy_of(self, address: &str) -> Result<Self, AccountError> {
		let real: AccountId32 =
			address.parse().map_err(|_| AccountError::Address(address.into()))?;
		let real = Some(real).filter(|real| *real != self.signer());
		Ok(Self { real, ..self })
	}

	/// The account itself, for what it need not do as a proxy.
	pub fn direct(&self) -> Self {
		Self::new(self.pair.clone())
	}

	/// Who signs and pays fees.
	pub fn signer(&self) -> AccountId32 {
		AccountId32(self.pair.public().0)
	}

	/// Who acts: the account itself, or the one that it is a proxy of.
	pub fn acting(&self) -> AccountId32 {
		self.real.unwrap_or_else(|| self.signer())
	}

	/// Whom it is a proxy of.
	pub fn real(&self) -> Option<AccountId32> {
		self.real
	}
}

impl Signer<Config> for Account {
	fn account_id(&self) -> AccountId32 {
		self.signer()
	}

	fn sign(&self, payload: &[u8]) -> MultiSignature {
		MultiSignature::Sr25519(self.pair.sign(payload).0)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

	#[test]
	fn secrets_are_read_from_files() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		let error = Account::from_file(&path).err().unwrap().to_string();
		assert!(error.contains("there is no key file"), "{error}");
		std::fs::write(&path, " //Alice\n").unwrap();
		let alice = Account::from_file(&path).unwrap();
		assert_eq!(alice.signer(), ALICE.parse().unwrap());
		for wrong in [&b"correct horse"[..], b"\n", &[0xFF, 0xFE]] {
			std::fs::write(&path, wrong).unwrap();
			assert!(matches!(Account::from_file(&path), Err(AccountError::Secret { .. })));
		}
	}

	#[test]
	fn a_proxy_acts_for_the_real_account() {
		let bob = || Account::new(sr25519::Pair::from_string("//Bob", None).unwrap());
		assert_eq!(bob().acting(), bob().signer());
		let proxy = bob().proxy_of(ALICE).unwrap();
		assert_eq!((proxy.acting(), proxy.signer()), (ALICE.parse().unwrap(), bob().signer()));
		assert_eq!((proxy.direct().acting(), proxy.direct().real()), (bob().signer(), None));
		let own = bob().signer().to_string();
		assert_eq!(bob().proxy_of(&own).unwrap().real(), None, "nobody is a proxy of itself");
		assert!(bob().proxy_of("5Grw").is_err());
	}
}
