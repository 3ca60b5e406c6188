//! Secrets at rest: one sealed file for each ceremony, one for each share.
//!
//! With `peer-seal` on, shares and the secrets of handovers are sealed under two keys: that of the TEE, and
//! the *guard*, which peers give back (`docs/keys.md`, §12). It is in memory alone. Such a file says in
//! the clear of which ceremony its guard is.
//!
//! | File | Holds | Written | Erased |
//! |---|---|---|---|
//! | `part-N.sealed` | the seed of ceremony N, what was received, and every message, as it was or will be published | before each message | when the share is sealed, or the ceremony failed |
//! | `share-N.sealed` | the share that ceremony N made, and its public side | when the key is in use | when finalised state says that it was replaced |
//! | `answers.sealed` | answers to requests on record | before they are published | with the requests |
//! | `seen.sealed` | the newest finalised block that was acted on | before anything else | never |
//! | `relay.sealed` | a final block of the relay chain, its time, who finalises the next, and where trust began | when it was verified | never |
//!
//! The file's name, its gatekeeper and its chain are authenticated: no file serves in place of
//! another. What a file is about is in its name, so that it can be erased without being opened.

use codec::{Decode, Encode, Input};
use pallet_gatekeeper_keys::types::{CeremonyNumber, RequestId};
use phala_finality::Trusted;
use phala_node_common::{
	board::Message,
	files::{self, FileError},
	keystore::Keys,
	seal::{self, Guarded, Seal, SealError},
};
use phala_primitives::BlockRef;
use phala_threshold::{
	Element, Guard, KeyShare, Member, MemberIndex, MemberSet, Registration, Sharing,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	path::PathBuf,
	sync::Arc,
};
use zeroize::Zeroizing;

/// Where sealed bytes are kept.
pub trait Disk {
	/// The content of a file, if it is there.
	fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FileError>;
	/// Replaces a file's content, in full and durably.
	fn write(&self, name: &str, content: &[u8]) -> Result<(), FileError>;
	/// Overwrites and removes a file, durably.
	fn erase(&self, name: &str) -> Result<(), FileError>;
	/// Names of all files.
	fn names(&self) -> Result<Vec<String>, FileError>;
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Disk for Folder {
	fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
		files::read(&self.0.join(name))
	}

	fn write(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
		files::write(&self.0.join(name), content)
	}

	fn erase(&self, name: &str) -> Result<(), FileError> {
		files::erase(&self.0.join(name))
	}

	fn names(&self) -> Result<Vec<String>, FileError> {
		files::names(&self.0)
	}
}

/// Why something sealed cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
	/// The disk.
	#[error(transparent)]
	File(#[from] FileError),
	/// There is nothing to seal with.
	#[error("cannot seal {name}: {cause}")]
	Seal {
		/// The file.
		name: String,
		/// Why.
		cause: SealError,
	},
	/// A file cannot be opened.
	#[error(
		"cannot open {name}: {cause}. If its key or content is lost for good, move the file away: the \
		 gatekeeper gets a new share at the next handover"
	)]
	Unseal {
		/// The file.
		name: String,
		/// Why.
		cause: SealError,
	},
	/// What is trusted of the relay chain cannot be opened.
	#[error(
		"cannot open relay.sealed, which has what is trusted of the relay chain: {0}. Give \
		 --relay-checkpoint 0x…, and trust begins again there. Or move the file away: then the relay \
		 chain's node is believed about one block"
	)]
	Trust(SealError),
	/// A file can be opened with a guard that is not here.
	#[error(
		"{name} is sealed with the guard of ceremony {number}, which a majority of its members has to \
		 give back: it is asked for"
	)]
	NoGuard {
		/// The file.
		name: String,
		/// The ceremony whose guard it is.
		number: CeremonyNumber,
	},
}

/// Begins a file that is sealed with a guard, before the number of the guard's ceremony.
const GUARDED: &[u8; 11] = b"PHALAGUARD\x01";
const PART: &str = "part-";
const SHARE: &str = "share-";
const SUFFIX: &str = ".sealed";
const ANSWERS: &str = "answers.sealed";
const SEEN: &str = "seen.sealed";
const TRUST: &str = "relay.sealed";
/// Begins what is in it.
const TRUST_VERSION: u8 = 1;

fn part_name(number: CeremonyNumber) -> String {
	format!("{PART}{number}{SUFFIX}")
}

fn share_name(number: CeremonyNumber) -> String {
	format!("{SHARE}{number}{SUFFIX}")
}

/// A part in a ceremony.
#[derive(Debug)]
pub struct Part {
	/// The secrets.
	pub member: Member,
	/// Key and digest, with the one proof that is ever published.
	pub registration: Registration,
	/// This gatekeeper's seat in the receiving set.
	pub receives: Option<MemberIndex>,
	/// Its seat in the dealing set, if it deals.
	pub deals: Option<MemberIndex>,
	/// Messages with key, with digest, with both.
	pub registered: BTreeMap<(bool, bool), Message>,
	/// The dealing.
	pub dealt: Option<Message>,
	/// Dealers whose dealings were examined.
	pub seen: MemberSet,
	/// Complaints, by dealer.
	pub complaints: BTreeMap<MemberIndex, Message>,
	/// The ceremony whose guard it is sealed with.
	pub guard: Option<CeremonyNumber>,
}

/// A share, with the public side of its key.
#[derive(Debug)]
pub struct Share {
	/// The share.
	pub share: KeyShare,
	/// Epoch of the key.
	pub epoch: u32,
	/// The public side.
	pub sharing: Sharing,
	/// Whether it is sealed with its guard.
	pub guarded: bool,
}

impl Share {
	/// The key.
	pub fn public_key(&self) -> &Element {
		self.sharing.public_key()
	}
}

/// Answers to requests, by request and by the ceremony whose shares gave them.
pub type Answers = BTreeMap<(RequestId, CeremonyNumber), Message>;

/// Numbers of what is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
	/// Ceremonies of which there is a share.
	pub shares: BTreeSet<CeremonyNumber>,
	/// Ceremonies of which there is a part.
	pub parts: BTreeSet<CeremonyNumber>,
}

/// The sealed files of one gatekeeper on one chain.
pub struct Vault<D> {
	disk: D,
	sealer: Arc<dyn Seal>,
	/// Gatekeeper and chain.
	owner: String,
	/// Whether guards are used for what is sealed from now on.
	peer_seal: bool,
	/// Guards, by ceremony. Never sealed; wiped when dropped.
	guards: BTreeMap<CeremonyNumber, Guard>,
}

impl<D: Disk> Vault<D> {
	/// The files on a disk.
	pub fn new(disk: D, sealer: Arc<dyn Seal>, keys: &Keys) -> Self {
		let owner = (keys.worker(), keys.chain).encode();
		let (owner, guards) = (hex::encode(owner), BTreeMap::new());
		Self { disk, sealer, owner, peer_seal: false, guards }
	}

	/// Uses guards, or does not. What is sealed otherwise can be opened all the same.
	pub fn with_peer_seal(mut self, on: bool) -> Self {
		self.peer_seal = on;
		self
	}

	/// Whether guards are used.
	pub fn peer_seal(&self) -> bool {
		self.peer_seal
	}

	/// Is the guard of a ceremony here?
	pub fn has_guard(&self, number: CeremonyNumber) -> bool {
		self.guards.contains_key(&number)
	}

	/// Takes the guard of a ceremony.
	pub fn take_guard(&mut self, number: CeremonyNumber, guard: Guard) {
		self.guards.insert(number, guard);
	}

	/// Wipes the guards of all other ceremonies.
	pub fn retain_guards(&mut self, mut is_kept: impl FnMut(CeremonyNumber) -> bool) {
		self.guards.retain(|number, _| is_kept(*number));
	}

	/// The key of a file is bound to what it is, and whose.
	fn label(&self, name: &str, by: Option<CeremonyNumber>) -> String {
		match by {
			None => format!("gatekeeper file v1 {name} of {}", self.owner),
			Some(number) => {
				format!("gatekeeper file v1 {name} with guard {number} of {}", self.owner)
			}
		}
	}

	fn guard(&self, name: &str, number: CeremonyNumber) -> Result<&Guard, VaultError> {
		self.guards.get(&number).ok_or_else(|| VaultError::NoGuard { name: name.into(), number })
	}

	fn seal(
		&self,
		name: &str,
		content: &[u8],
		by: Option<CeremonyNumber>,
	) -> Result<(), VaultError> {
		let label = self.label(name, by);
		let fail = |cause| VaultError::Seal { name: name.into(), cause };
		let sealed = match by {
			None => seal::seal(&*self.sealer, &label, content).map_err(fail)?,
			Some(number) => {
				let guard = self.guard(name, number)?.as_bytes();
				let sealer = Guarded { sealer: &*self.sealer, guard };
				let sealed = seal::seal(&sealer, &label, content).map_err(fail)?;
				[GUARDED.as_slice(), &number.to_le_bytes(), &sealed].concat()
			}
		};
		Ok(self.disk.write(name, &sealed)?)
	}

	fn open<T>(
		&self,
		name: &str,
		read: impl FnOnce(&mut &[u8]) -> Option<T>,
	) -> Result<Option<T>, VaultError> {
		Ok(self.open_with(name, read)?.map(|(content, _)| content))
	}

	/// What a file holds, and the ceremony whose guard it is sealed with.
	fn open_with<T>(
		&self,
		name: &str,
		read: impl FnOnce(&mut &[u8]) -> Option<T>,
	) -> Result<Option<(T, Option<CeremonyNumber>)>, VaultError> {
		let Some(stored) = self.disk.read(name)? else { return Ok(None) };
		let (by, sealed) = split_guard(&stored);
		let label = self.label(name, by);
		let fail = |cause| VaultError::Unseal { name: name.into(), cause };
		let plain = match by {
			None => seal::unseal(&*self.sealer, &label, sealed).map_err(fail)?,
			Some(number) => {
				let guard = self.guard(name, number)?.as_bytes();
				let sealer = Guarded { sealer: &*self.sealer, guard };
				seal::unseal(&sealer, &label, sealed).map_err(fail)?
			}
		};
		let mut bytes = plain.as_slice();
		match read(&mut bytes).filter(|_| bytes.is_empty()) {
			Some(content) => Ok(Some((content, by))),
			None => Err(fail(SealError::Format)),
		}
	}

	/// What is kept, without opening it.
	pub fn held(&self) -> Result<Held, VaultError> {
		let mut held = Held::default();
		for name in self.disk.names()? {
			let number = |prefix| {
				let number: CeremonyNumber =
					name.strip_prefix(prefix)?.strip_suffix(SUFFIX)?.parse().ok()?;
				Some(number)
			};
			held.shares.extend(number(SHARE));
			held.parts.extend(number(PART));
		}
		Ok(held)
	}

	/// Erases what writes left behind that were cut off by the end of a process: nothing else would, if
	/// the same file is never written again.
	pub fn tidy(&self) -> Result<(), VaultError> {
		let ours = |name: &String| {
			let kinds = [PART, SHARE, "answers.", "seen.", "relay."];
			let kind = kinds.iter().any(|kind| name.starts_with(kind));
			kind && name.strip_suffix(files::UNFINISHED).is_some_and(|name| name.ends_with(SUFFIX))
		};
		for name in self.disk.names()?.iter().filter(|name| ours(name)) {
			self.disk.erase(name)?;
		}
		Ok(())
	}

	/// The part in a ceremony.
	pub fn part(&self, number: CeremonyNumber) -> Result<Option<Part>, VaultError> {
		let found = self.open_with(&part_name(number), read_part)?;
		Ok(found.map(|(part, guard)| Part { guard, ..part }))
	}

	/// Keeps the part in a ceremony.
	pub fn keep_part(&self, part: &Part) -> Result<(), VaultError> {
		self.seal(&part_name(part.member.ceremony().number), &write_part(part), part.guard)
	}

	/// Erases the part in a ceremony.
	pub fn erase_part(&self, number: CeremonyNumber) -> Result<(), VaultError> {
		Ok(self.disk.erase(&part_name(number))?)
	}

	/// The share that a ceremony made.
	pub fn share(&self, number: CeremonyNumber) -> Result<Option<Share>, VaultError> {
		let found = self.open_with(&share_name(number), |bytes| {
			let (epoch, sharing) = Decode::decode(bytes).ok()?;
			let share = KeyShare::restore(bytes).ok()?;
			*bytes = &[];
			Some(Share { share, epoch, sharing, guarded: false })
		})?;
		Ok(found.map(|(share, by)| Share { guarded: by.is_some(), ..share }))
	}

	/// Can a share of that ceremony be kept as it is to be?
	pub fn can_keep_share(&self, number: CeremonyNumber) -> bool {
		!self.peer_seal || self.has_guard(number)
	}

	/// Keeps the share that a ceremony made. With guards in use, only with its guard.
	pub fn keep_share(&self, number: CeremonyNumber, share: &Share) -> Result<(), VaultError> {
		let public = (share.epoch, &share.sharing).encode();
		let secret = share.share.save();
		let mut content = buffer(public.len().saturating_add(secret.len()));
		content.extend_from_slice(&public);
		content.extend_from_slice(&secret);
		self.seal(&share_name(number), &content, self.peer_seal.then_some(number))
	}

	/// Erases the share that a ceremony made.
	pub fn erase_share(&self, number: CeremonyNumber) -> Result<(), VaultError> {
		Ok(self.disk.erase(&share_name(number))?)
	}

	/// The answers.
	pub fn answers(&self) -> Result<Answers, VaultError> {
		Ok(self.open(ANSWERS, |bytes| Decode::decode(bytes).ok())?.unwrap_or_default())
	}

	/// Keeps the answers.
	pub fn keep_answers(&self, answers: &Answers) -> Result<(), VaultError> {
		self.seal(ANSWERS, &answers.encode(), None)
	}

	/// The newest finalised block that was acted on.
	pub fn seen(&self) -> Result<Option<BlockRef>, VaultError> {
		self.open(SEEN, |bytes| Decode::decode(bytes).ok())
	}

	/// Notes a finalised block.
	pub fn note_seen(&self, block: &BlockRef) -> Result<(), VaultError> {
		self.seal(SEEN, &block.encode(), None)
	}

	/// What is trusted of the relay chain.
	pub fn trust(&self) -> Result<Option<Trusted>, VaultError> {
		let found = self.open(TRUST, |bytes| match u8::decode(bytes).ok()? {
			TRUST_VERSION => Trusted::decode(bytes).ok(),
			_ => None,
		});
		found.map_err(|error| match error {
			VaultError::Unseal { cause, .. } => VaultError::Trust(cause),
			other => other,
		})
	}

	/// Keeps what is trusted of the relay chain.
	pub fn keep_trust(&self, trusted: &Trusted) -> Result<(), VaultError> {
		self.seal(TRUST, &(TRUST_VERSION, trusted).encode(), None)
	}
}

/// The ceremony whose guard a file is sealed with, and the rest of the file.
fn split_guard(stored: &[u8]) -> (Option<CeremonyNumber>, &[u8]) {
	match stored.strip_prefix(GUARDED).and_then(|rest| rest.split_first_chunk::<8>()) {
		Some((number, sealed)) => (Some(CeremonyNumber::from_le_bytes(*number)), sealed),
		None => (None, stored),
	}
}

/// A buffer for secrets, large enough that it never moves.
fn buffer(size: usize) -> Zeroizing<Vec<u8>> {
	Zeroizing::new(Vec::with_capacity(size))
}

fn write_part(part: &Part) -> Zeroizing<Vec<u8>> {
	let secret = part.member.save();
	let public = (
		&part.registration,
		part.receives,
		part.deals,
		&part.registered,
		&part.dealt,
		part.seen,
		&part.complaints,
	)
		.encode();
	let length = (secret.len() as u64).encode();
	let mut content = buffer(length.len() + secret.len() + public.len());
	content.extend_from_slice(&length);
	content.extend_from_slice(&secret);
	content.extend_from_slice(&public);
	content
}

fn read_part(bytes: &mut &[u8]) -> Option<Part> {
	let length = usize::try_from(u64::decode(bytes).ok()?).ok()?;
	let (secret, public) = bytes.split_at_checked(length)?;
	let member = Member::restore(secret).ok()?;
	*bytes = public;
	let part = Part {
		member,
		registration: read(bytes)?,
		receives: read(bytes)?,
		deals: read(bytes)?,
		registered: read(bytes)?,
		dealt: read(bytes)?,
		seen: read(bytes)?,
		complaints: read(bytes)?,
		guard: None,
	};
	Some(part)
}

fn read<T: Decode>(input: &mut impl Input) -> Option<T> {
	T::decode(input).ok()
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_node_common::{chain::Item, seal::Sealer};
	use phala_primitives::ChainId;
	use phala_threshold::{Ceremony, Kind, Role, Threshold};
	use rand::{SeedableRng, rngs::StdRng};
	use sp_core::H256;

	fn vault(folder: &std::path::Path, genesis: u8) -> Vault<Folder> {
		let sealer = Sealer::Plain(folder.into());
		let chain = ChainId { genesis: H256::repeat_byte(genesis), para_id: 7 };
		let keys = folder.join(genesis.to_string());
		files::create_private_dir(&keys).unwrap();
		let keys = Keys::open(&keys, &sealer, &chain).unwrap();
		Vault::new(Folder(folder.into()), Arc::new(sealer), &keys)
	}

	fn part(number: CeremonyNumber) -> Part {
		let rng = &mut StdRng::seed_from_u64(number);
		let size = Threshold::of(3).unwrap();
		let ceremony =
			Ceremony { chain: [1; 32], number, members: [2; 32], size, kind: Kind::Generation };
		let seat = MemberIndex::new(2).unwrap();
		let member = Member::join(ceremony, Role::Generate(seat), rng).unwrap();
		let registration = member.registration(rng).unwrap();
		Part {
			member,
			registration,
			receives: Some(seat),
			deals: Some(seat),
			registered: BTreeMap::new(),
			dealt: None,
			seen: MemberSet::from_iter([seat]),
			complaints: BTreeMap::new(),
			guard: None,
		}
	}

	#[test]
	fn what_is_kept_is_found_again_and_nowhere_else() {
		let folder = tempfile::tempdir().unwrap();
		let ours = vault(folder.path(), 1);
		assert_eq!(ours.held().unwrap(), Held::default());
		ours.keep_part(&part(5)).unwrap();
		let found = ours.part(5).unwrap().unwrap();
		assert_eq!(found.registration, part(5).registration);
		assert_eq!(*found.member.save(), *part(5).member.save());
		assert_eq!((found.seen, found.deals), (part(5).seen, part(5).deals));
		let held = Held { parts: [5].into(), shares: [].into() };
		assert_eq!(ours.held().unwrap(), held);

		// Another number, another gatekeeper or chain: the same bytes are none of theirs.
		let from = folder.path().join(part_name(5));
		std::fs::copy(&from, folder.path().join(part_name(6))).unwrap();
		assert!(matches!(ours.part(6), Err(VaultError::Unseal { .. })));
		assert!(matches!(vault(folder.path(), 2).part(5), Err(VaultError::Unseal { .. })));

		ours.erase_part(5).unwrap();
		assert!(ours.part(5).unwrap().is_none());
		assert!(ours.share(5).unwrap().is_none());
	}

	#[test]
	fn secrets_are_not_on_disk_in_the_clear() {
		let folder = tempfile::tempdir().unwrap();
		let ours = vault(folder.path(), 1);
		ours.keep_part(&part(5)).unwrap();
		let content = std::fs::read(folder.path().join(part_name(5))).unwrap();
		let secret = part(5).member.save();
		for window in secret.windows(16) {
			assert!(!content.windows(16).any(|other| other == window));
		}
	}

	#[test]
	fn unfinished_files_are_erased_and_no_others() {
		let folder = tempfile::tempdir().unwrap();
		let ours = vault(folder.path(), 1);
		ours.keep_part(&part(5)).unwrap();
		for name in ["part-5.sealed.new", "share-4.sealed.new", "keys.sealed.new", "part-5.new"] {
			std::fs::write(folder.path().join(name), b"half").unwrap();
		}
		ours.tidy().unwrap();
		let left = files::names(folder.path()).unwrap();
		assert!(left.contains(&"keys.sealed.new".into()) && left.contains(&"part-5.new".into()));
		assert!(!left.iter().any(|name| name.starts_with("share") || name == "part-5.sealed.new"));
		assert!(ours.part(5).unwrap().is_some());
	}

	#[test]
	fn trust_is_kept() {
		let folder = tempfile::tempdir().unwrap();
		let ours = vault(folder.path(), 1);
		assert_eq!(ours.trust().unwrap(), None);
		let block = BlockRef { number: 3, hash: H256::repeat_byte(3) };
		let trusted = Trusted {
			genesis: H256::zero(),
			origin: Some(H256::repeat_byte(2)),
			block,
			time: 9,
			set_id: 5,
			authorities: vec![],
		};
		ours.keep_trust(&trusted).unwrap();
		assert_eq!(ours.trust().unwrap(), Some(trusted.clone()));
		assert!(matches!(vault(folder.path(), 2).trust(), Err(VaultError::Trust(_))));

		// Without a version, of another one, cut off, or with more behind.
		let whole = (TRUST_VERSION, &trusted).encode();
		let others = [
			trusted.encode(),
			(TRUST_VERSION + 1, &trusted).encode(),
			whole[..whole.len() - 1].to_vec(),
			[&whole[..], &[0]].concat(),
			vec![],
		];
		for content in others {
			ours.seal(TRUST, &content, None).unwrap();
			assert!(matches!(ours.trust(), Err(VaultError::Trust(_))));
		}
	}

	#[test]
	fn the_newest_block_is_noted() {
		let folder = tempfile::tempdir().unwrap();
		let ours = vault(folder.path(), 1);
		assert_eq!(ours.seen().unwrap(), None);
		let block = BlockRef { number: 3, hash: H256::repeat_byte(3) };
		ours.note_seen(&block).unwrap();
		assert_eq!(ours.seen().unwrap(), Some(block));
		// A file of the wrong form is an error, not nothing.
		std::fs::write(folder.path().join(SEEN), Item::<()>::new("a", "b").key()).unwrap();
		assert!(ours.seen().is_err());
	}
}
