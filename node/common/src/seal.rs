//! Encryption at rest under a key that only the TEE has.
//!
//! A sealed file is `"PHALASEAL" ‖ version ‖ nonce ‖ ciphertext ‖ tag`: XChaCha20-Poly1305 under a
//! key derived from the sealer's root key and the file's label (BLAKE3 `derive_key`), with header
//! and label as associated data.
//!
//! Where the root key comes from, and what that protects:
//!
//! | [`Sealer`] | Root key | Who else could read | Survives |
//! |---|---|---|---|
//! | `SgxMrenclave` | the processor's, for this image | nobody | reboots, not a new image |
//! | `Secret` | a file that the operator's key broker hands to the TEE | whoever has that file | whatever the file survives |
//! | `Ram` | made at first use, in a RAM file system of the TD | nobody outside of the TD | restarts of the program, not of the TD |
//! | `Plain` | a file beside the sealed one | whoever reads the disk | everything |
//!
//! SGX's other key, of all images of one signer, is not among them: the host of a machine can sign the
//! same image anew, with a key of its own, and then read with another one what the first has sealed.

use crate::files::{self, FileError};
use chacha20poly1305::{
	KeyInit, XChaCha20Poly1305, XNonce,
	aead::{Aead, Payload},
};
use rand::{RngCore, rngs::OsRng};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MAGIC: &[u8; 10] = b"PHALASEAL\x01";
const NONCE_LEN: usize = 24;
const KEY_CONTEXT: &str = "phala-node-common 2026 sealed file key v1";
const SECRET_CONTEXT: &str = "phala-node-common 2026 root key from sealing secret v1";
const GUARD_CONTEXT: &str = "phala-node-common 2026 root key mixed with a guard v1";
/// File name of the SGX key below Gramine's attestation folder.
const MRENCLAVE_KEY: &str = "keys/_sgx_mrenclave";
/// File with the root key, where it is a file.
const KEY_FILE: &str = "sealing-key";
/// Bytes that a sealing secret has at least. It is not stretched, so it must be random.
const MIN_SECRET_LEN: usize = 32;

/// Why something could not be sealed or unsealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
	/// A file could not be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// The TEE offers no sealing key.
	#[error(
		"{} does not exist or is no sealing key: run under gramine-sgx (not gramine-direct), \
		 version 1.7 or newer", .0.display()
	)]
	NoSgxKey(PathBuf),
	/// The sealing secret is missing or too short.
	#[error(
		"the sealing secret {} is missing or shorter than {MIN_SECRET_LEN} bytes: provide at least \
		 {MIN_SECRET_LEN} random bytes, the same at every start", .0.display()
	)]
	NoSecret(PathBuf),
	/// Keys would be written to a disk that the host can read.
	#[error(
		"{} is not in a RAM file system, so the host could read the keys: put the state folder on \
		 a tmpfs (such as /run), or give a sealing secret", .0.display()
	)]
	NotInRam(PathBuf),
	/// The file is no sealed file, or one of a newer program.
	#[error("not a sealed file of a version that this program knows")]
	Format,
	/// Another key sealed the file, or it was changed.
	#[error("it was sealed under another key ({0}), or changed since")]
	Unseal(&'static str),
}

/// Provides the root key of the TEE.
pub trait Seal: Send + Sync {
	/// What protects sealed files, for logs and errors.
	fn describe(&self) -> &'static str;
	/// The root key: the same at every call, as long as the description promises.
	fn root_key(&self) -> Result<Zeroizing<[u8; 32]>, SealError>;
	/// The root key, where it need not be made first: without it there is nothing to open.
	fn existing_key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, SealError> {
		self.root_key().map(Some)
	}
}

/// A sealer whose key is mixed with a second one, which is not kept where the first is: nothing opens
/// without both.
pub struct Guarded<'a> {
	/// The TEE's.
	pub sealer: &'a dyn Seal,
	/// The second key.
	pub guard: &'a [u8; 32],
}

impl Guarded<'_> {
	fn mix(&self, root: &[u8; 32]) -> Zeroizing<[u8; 32]> {
		// Both have 32 bytes.
		let material = Zeroizing::new([root.as_slice(), self.guard.as_slice()].concat());
		derive(GUARD_CONTEXT, &material)
	}
}

impl Seal for Guarded<'_> {
	fn describe(&self) -> &'static str {
		"the TEE's key and its guard"
	}

	fn root_key(&self) -> Result<Zeroizing<[u8; 32]>, SealError> {
		Ok(self.mix(&*self.sealer.root_key()?))
	}

	fn existing_key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, SealError> {
		Ok(self.sealer.existing_key()?.map(|root| self.mix(&root)))
	}
}

/// The ways to seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealer {
	/// SGX key of this very image; the path is Gramine's attestation folder.
	SgxMrenclave(PathBuf),
	/// A file with at least 32 random bytes.
	Secret(PathBuf),
	/// A folder in a RAM file system.
	Ram(PathBuf),
	/// A folder; for the simulated TEE, which has nothing to protect.
	Plain(PathBuf),
}

impl Seal for Sealer {
	fn describe(&self) -> &'static str {
		match self {
			Self::SgxMrenclave(_) => "SGX key of this image",
			Self::Secret(_) => "sealing secret",
			Self::Ram(_) => "key in the TD's memory",
			Self::Plain(_) => "key in a plain file",
		}
	}

	fn root_key(&self) -> Result<Zeroizing<[u8; 32]>, SealError> {
		match self {
			Self::SgxMrenclave(folder) => sgx_key(&folder.join(MRENCLAVE_KEY)),
			Self::Secret(path) => {
				let secret = Zeroizing::new(files::read(path)?.unwrap_or_default());
				if secret.len() < MIN_SECRET_LEN {
					return Err(SealError::NoSecret(path.clone()));
				}
				Ok(derive(SECRET_CONTEXT, &secret))
			}
			Self::Ram(folder) | Self::Plain(folder) => match self.existing_key()? {
				Some(key) => Ok(key),
				None => make_key(&folder.join(KEY_FILE)),
			},
		}
	}

	fn existing_key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, SealError> {
		match self {
			Self::Ram(folder) if !is_in_ram(folder)? => Err(SealError::NotInRam(folder.clone())),
			Self::Ram(folder) | Self::Plain(folder) => read_key(&folder.join(KEY_FILE)),
			Self::SgxMrenclave(_) | Self::Secret(_) => self.root_key().map(Some),
		}
	}
}

/// Encrypts and authenticates. `label` names the purpose: a file of one is none of another.
pub fn seal(sealer: &dyn Seal, label: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
	let mut nonce = [0; NONCE_LEN];
	OsRng.fill_bytes(&mut nonce);
	let aad = [MAGIC, label.as_bytes()].concat();
	let sealed = cipher(&*sealer.root_key()?, label)
		.encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: &aad })
		.map_err(|_| SealError::Format)?;
	Ok([MAGIC.as_slice(), &nonce, &sealed].concat())
}

/// The inverse of [`seal`]. Fails for every other byte string.
pub fn unseal(
	sealer: &dyn Seal,
	label: &str,
	sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
	let body = sealed.strip_prefix(MAGIC).ok_or(SealError::Format)?;
	let (nonce, sealed) = body.split_at_checked(NONCE_LEN).ok_or(SealError::Format)?;
	let aad = [MAGIC, label.as_bytes()].concat();
	let root = sealer.existing_key()?.ok_or(SealError::Unseal(sealer.describe()))?;
	cipher(&root, label)
		.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &aad })
		.map(Zeroizing::new)
		.map_err(|_| SealError::Unseal(sealer.describe()))
}

fn cipher(root: &[u8; 32], label: &str) -> XChaCha20Poly1305 {
	let material = Zeroizing::new([root.as_slice(), label.as_bytes()].concat());
	XChaCha20Poly1305::new((&*derive(KEY_CONTEXT, &material)).into())
}

fn derive(context: &str, material: &[u8]) -> Zeroizing<[u8; 32]> {
	Zeroizing::new(blake3::derive_key(context, material))
}

/// The processor's key is 16 bytes.
fn sgx_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, SealError> {
	let key = Zeroizing::new(files::read(path)?.unwrap_or_default());
	if key.len() != 16 || key.iter().all(|byte| *byte == 0) {
		return Err(SealError::NoSgxKey(path.to_owned()));
	}
	Ok(derive("phala-node-common 2026 root key from SGX v1", &key))
}

fn read_key(path: &Path) -> Result<Option<Zeroizing<[u8; 32]>>, SealError> {
	let Some(key) = files::read(path)?.map(Zeroizing::new) else { return Ok(None) };
	let key: [u8; 32] = key.as_slice().try_into().map_err(|_| SealError::Format)?;
	Ok(Some(Zeroizing::new(key)))
}

/// Makes a key. Of two programs that do so at once both have the one that is on disk.
fn make_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, SealError> {
	let mut key = Zeroizing::new([0; 32]);
	OsRng.fill_bytes(&mut *key);
	if files::create(path, &*key)? {
		return Ok(key);
	}
	read_key(path)?.ok_or(SealError::Format)
}

fn is_in_ram(folder: &Path) -> Result<bool, FileError> {
	const TMPFS: u64 = 0x0102_1994;
	const RAMFS: u64 = 0x8584_58F6;
	let stat = rustix::fs::statfs(folder)
		.map_err(|errno| files::because("inspect", folder)(errno.into()))?;
	// The type's signedness differs between architectures; the magic numbers have 32 bits.
	let magic = stat.f_type as u64 & 0xFFFF_FFFF;
	Ok(magic == TMPFS || magic == RAMFS)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::{fs, sync::Barrier, thread};

	struct Fixed(u8);

	impl Seal for Fixed {
		fn describe(&self) -> &'static str {
			"test key"
		}
		fn root_key(&self) -> Result<Zeroizing<[u8; 32]>, SealError> {
			Ok(Zeroizing::new([self.0; 32]))
		}
	}

	proptest! {
		#[test]
		fn only_the_same_key_and_label_open_the_untouched_file(
			plain in prop::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, bit in 0u8..8,
			cut: prop::sample::Index
		) {
			let sealed = seal(&Fixed(1), "keys", &plain).unwrap();
			prop_assert_eq!(&*unseal(&Fixed(1), "keys", &sealed).unwrap(), &plain);
			prop_assert!(matches!(unseal(&Fixed(2), "keys", &sealed), Err(SealError::Unseal(_))));
			prop_assert!(matches!(unseal(&Fixed(1), "other", &sealed), Err(SealError::Unseal(_))));
			let mut flipped = sealed.clone();
			flipped[at.index(sealed.len())] ^= 1 << bit;
			prop_assert!(unseal(&Fixed(1), "keys", &flipped).is_err());
			prop_assert!(unseal(&Fixed(1), "keys", &sealed[..cut.index(sealed.len())]).is_err());
			let twice = seal(&Fixed(1), "keys", &plain).unwrap();
			prop_assert_ne!(sealed, twice, "the nonce is fresh");
		}
	}

	#[test]
	fn a_guarded_file_needs_both_keys() {
		let (right, wrong) = ([7; 32], [8; 32]);
		let with = |key: u8, guard: &[u8; 32], sealed: &[u8]| {
			unseal(&Guarded { sealer: &Fixed(key), guard }, "share", sealed)
				.map(|plain| plain.to_vec())
		};
		let sealed =
			seal(&Guarded { sealer: &Fixed(1), guard: &right }, "share", b"secret").unwrap();
		assert_eq!(with(1, &right, &sealed).unwrap(), b"secret");
		assert!(matches!(with(1, &wrong, &sealed), Err(SealError::Unseal(_))));
		assert!(matches!(with(2, &right, &sealed), Err(SealError::Unseal(_))));
		assert!(matches!(unseal(&Fixed(1), "share", &sealed), Err(SealError::Unseal(_))));
	}

	#[test]
	fn the_sgx_key_is_read_where_gramine_puts_them() {
		let folder = tempfile::tempdir().unwrap();
		fs::create_dir(folder.path().join("keys")).unwrap();
		let sealer = |of: fn(PathBuf) -> Sealer| of(folder.path().into());
		let error = sealer(Sealer::SgxMrenclave).root_key().unwrap_err().to_string();
		assert!(error.contains("_sgx_mrenclave") && error.contains("gramine-sgx"), "{error}");

		fs::write(folder.path().join("keys/_sgx_mrenclave"), [0; 16]).unwrap();
		assert!(sealer(Sealer::SgxMrenclave).root_key().is_err(), "zero is no key");
		fs::write(folder.path().join("keys/_sgx_mrenclave"), [1; 16]).unwrap();
		let enclave = sealer(Sealer::SgxMrenclave).root_key().unwrap();
		assert_eq!(enclave, sealer(Sealer::SgxMrenclave).root_key().unwrap());
	}

	#[test]
	fn short_secrets_are_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("secret");
		let sealer = Sealer::Secret(path.clone());
		for content in [None, Some(vec![7; 31])] {
			if let Some(content) = content {
				fs::write(&path, content).unwrap();
			}
			assert!(matches!(sealer.root_key(), Err(SealError::NoSecret(_))));
		}
		fs::write(&path, [7; 32]).unwrap();
		let first = sealer.root_key().unwrap();
		fs::write(&path, [8; 32]).unwrap();
		assert_ne!(first, sealer.root_key().unwrap());
	}

	#[test]
	fn programs_that_start_at_once_have_one_key() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		let start = Barrier::new(8);
		let make = || {
			start.wait();
			sealer.root_key().unwrap()
		};
		let keys: Vec<_> = thread::scope(|scope| {
			let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
			threads.into_iter().map(|thread| thread.join().unwrap()).collect()
		});
		assert!(keys.iter().all(|key| *key == keys[0]));
		assert_eq!(sealer.root_key().unwrap(), keys[0]);
		assert_eq!(files::names(folder.path()).unwrap(), [KEY_FILE]);
	}

	#[test]
	fn who_opens_makes_no_key() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		let sealed = seal(&Fixed(1), "keys", b"secret").unwrap();
		for sealer in [&sealer as &dyn Seal, &Guarded { sealer: &sealer, guard: &[7; 32] }] {
			assert_eq!(sealer.existing_key().unwrap(), None);
			assert!(matches!(unseal(sealer, "keys", &sealed), Err(SealError::Unseal(_))));
		}
		assert_eq!(files::names(folder.path()).unwrap(), [""; 0]);
		let made = sealer.root_key().unwrap();
		assert_eq!(sealer.existing_key().unwrap(), Some(made));
	}

	#[test]
	fn ram_means_ram() {
		if let Ok(ram) = tempfile::tempdir_in("/dev/shm") {
			let sealer = Sealer::Ram(ram.path().into());
			assert_eq!(sealer.root_key().unwrap(), sealer.root_key().unwrap());
		}
		// The sources are on a disk.
		let disk = Sealer::Ram(env!("CARGO_MANIFEST_DIR").into());
		assert!(matches!(disk.root_key(), Err(SealError::NotInRam(_))));
	}
}
