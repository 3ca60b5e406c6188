//! The key that the workers of a cluster share, obtained from the gatekeepers.
//!
//! [`obtain`] is what a program in a TEE calls: it asks on chain, waits for proven answers of enough
//! gatekeepers, and makes the key of them here and nowhere else ([`phala_node_common::cluster_key`]).
//! Every worker of the cluster gets the same key, on every machine, before and after every handover of
//! the master key. Derive a key of its own for each purpose ([`ClusterSecret::derive`]).
//!
//! The question is on disk, sealed, before it is published. A program that was killed repeats it, and
//! opens its answers. Master keys that were seen are noted, and no other is believed in their epoch.
//!
//! [`ClusterSecret::derive`]: phala_threshold::ClusterSecret::derive

use codec::{Decode, Encode};
use phala_node_common::{
	board::{self, Message},
	chain::{Chain, ChainError, Proven, Raw, ReadError, Reader, Submission},
	cluster_key::{self, Asking, Next, Obtained, Wish},
	files::{self, DirLock, FileError},
	keystore::Keys,
	seal::{self, Seal, SealError},
};
use phala_primitives::ClusterId;
use phala_threshold::{ClusterInput, Element};
use rand::rngs::OsRng;
use std::{
	path::{Path, PathBuf},
	time::{Duration, Instant},
};
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
	/// The chain or the way to it.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The state is not what this program expects.
	#[error(transparent)]
	Malformed(#[from] phala_node_common::chain::Malformed),
	/// The protocol.
	#[error(transparent)]
	Protocol(#[from] cluster_key::Error),
	/// The disk.
	#[error(transparent)]
	File(#[from] FileError),
	/// A question or a noted key cannot be sealed or opened.
	#[error(
		"cannot seal or open {}: {cause}. If it was sealed by another image or machine, remove it: the \
		 question is asked anew, in the place of the one on record", path.display()
	)]
	Seal {
		/// The file.
		path: PathBuf,
		/// Why.
		cause: SealError,
	},
	/// There is no master key.
	#[error(
		"the chain has no master key yet: gatekeepers make one when enough of them are elected. Wait, \
		 or see gatekeeperElection.status"
	)]
	NoMasterKey,
	/// Nothing came of it.
	#[error(
		"no key after {seconds} s: {state}. The worker must be attested and a member of the cluster, \
		 and a majority of the gatekeepers must run"
	)]
	Timeout {
		/// How long.
		seconds: u64,
		/// What was seen last.
		state: String,
	},
}

impl From<ReadError<ChainError>> for ClusterError {
	fn from(error: ReadError<ChainError>) -> Self {
		match error {
			ReadError::Read(error) => Self::Chain(error),
			ReadError::Malformed(error) => Self::Malformed(error),
		}
	}
}

/// Questions under way and master keys that were seen, sealed.
pub struct Notes<'a> {
	folder: PathBuf,
	sealer: &'a dyn Seal,
	/// Whose they are, and on which chain.
	owner: String,
	_lock: DirLock,
}

impl<'a> Notes<'a> {
	/// In the state folder of a worker, beside the worker's own program. For one process at a time.
	pub fn open(state: &Path, sealer: &'a dyn Seal, keys: &Keys) -> Result<Self, FileError> {
		let folder = state.join("clusters");
		files::create_private_dir(&folder)?;
		let lock = files::lock_dir(&folder)?;
		let owner = hex::encode((keys.worker(), keys.chain).encode());
		Ok(Self { folder, sealer, owner, _lock: lock })
	}

	fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ClusterError> {
		let path = self.folder.join(name);
		let Some(sealed) = files::read(&path)? else { return Ok(None) };
		let plain = seal::unseal(self.sealer, &self.label(name), &sealed);
		plain.map(Some).map_err(|cause| ClusterError::Seal { path, cause })
	}

	fn write(&self, name: &str, plain: &[u8]) -> Result<(), ClusterError> {
		let path = self.folder.join(name);
		match seal::seal(self.sealer, &self.label(name), plain) {
			Ok(sealed) => Ok(files::write(&path, &sealed)?),
			Err(cause) => Err(ClusterError::Seal { path, cause }),
		}
	}

	fn label(&self, name: &str) -> String {
		format!("cluster file v1 {name} of {}", self.owner)
	}

	/// The master key of an epoch, as it was when it was used first.
	fn master(&self, epoch: u32) -> Result<Option<Element>, ClusterError> {
		let name = master_name(epoch);
		let Some(plain) = self.read(&name)? else { return Ok(None) };
		let key = Element::decode(&mut plain.as_slice());
		let damaged =
			|_| ClusterError::Seal { path: self.folder.join(&name), cause: SealError::Format };
		Ok(Some(key.map_err(damaged)?))
	}

	fn note_master(&self, epoch: u32, key: &Element) -> Result<(), ClusterError> {
		self.write(&master_name(epoch), &key.encode())
	}

	/// The question under way.
	fn question(&self, keys: &Keys, input: &ClusterInput) -> Result<Option<Asking>, ClusterError> {
		let Some(saved) = self.read(&question_name(input))? else { return Ok(None) };
		Ok(Some(Asking::restore(&keys.chain, &keys.worker(), &saved)?))
	}

	fn note_question(&self, asking: &Asking) -> Result<(), ClusterError> {
		self.write(&question_name(&asking.input()), &asking.save())
	}

	fn forget_question(&self, input: &ClusterInput) -> Result<(), ClusterError> {
		Ok(files::erase(&self.folder.join(question_name(input)))?)
	}
}

fn master_name(epoch: u32) -> String {
	format!("master-{epoch}.sealed")
}

fn question_name(input: &ClusterInput) -> String {
	format!("question-{}-{}.sealed", input.epoch, hex::encode(input.cluster))
}

/// Which key is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
	/// The cluster.
	pub cluster: ClusterId,
	/// Epoch of the master key; the current one if it is not given.
	pub epoch: Option<u32>,
	/// The master key of that epoch, if it is known from elsewhere. Without it the first that the node
	/// shows is believed.
	pub master: Option<Element>,
}

/// A cluster's key, and its epoch.
#[derive(Debug)]
pub struct ClusterKey {
	/// Epoch of the master key.
	pub epoch: u32,
	/// The key and where it is from.
	pub obtained: Obtained,
}

/// Obtains the key of a cluster from the gatekeepers, within `patience`; looks at the chain each
/// `interval`.
pub async fn obtain(
	chain: &Chain,
	keys: &Keys,
	notes: &Notes<'_>,
	wanted: &Wanted,
	interval: Duration,
	patience: Duration,
) -> Result<ClusterKey, ClusterError> {
	let started = Instant::now();
	let mut state = "the chain has not been looked at".to_string();
	loop {
		match look(chain, keys, notes, wanted).await? {
			Look::Obtained(key) => return Ok(*key),
			Look::Waits(what) if what != state => {
				tracing::info!(what, "waiting for the cluster's key");
				state = what;
			}
			Look::Waits(_) => {}
		}
		if started.elapsed() >= patience {
			return Err(ClusterError::Timeout { seconds: patience.as_secs(), state });
		}
		tokio::time::sleep(interval).await;
	}
}

enum Look {
	Obtained(Box<ClusterKey>),
	Waits(String),
}

/// One look at the newest final block, and what is to be done.
async fn look(
	chain: &Chain,
	keys: &Keys,
	notes: &Notes<'_>,
	wanted: &Wanted,
) -> Result<Look, ClusterError> {
	let state = chain.finalised().await?;
	state.ensure_fits(&[board::encodings()])?;
	let period: u32 = state.constant(board::PALLET, "RequestPeriod")?;
	let mut proven: Proven = chain.proven(state.block.hash).await?;
	let epoch = match wanted.epoch {
		Some(epoch) => epoch,
		None => proven.get(&board::current_epoch()).await?.ok_or(ClusterError::NoMasterKey)?,
	};
	let input = ClusterInput { epoch, cluster: wanted.cluster };
	let noted = notes.master(epoch)?;
	let wish = Wish { input, public_key: wanted.master.or(noted) };
	let scene = cluster_key::look(&mut proven, &keys.worker(), &input).await?;
	let mut asking = notes.question(keys, &input)?;
	let next = cluster_key::next(&wish, asking.as_ref(), &scene, period)?;
	match next {
		Next::Combine => {}
		Next::Wait => {
			let answers = scene.partials.len();
			let what = match asking {
				Some(_) => format!("the request is on record, with {answers} answers"),
				None => "an earlier request, whose secret is erased, is replaced in the next block"
					.into(),
			};
			return Ok(Look::Waits(what));
		}
		Next::Repeat => {}
		Next::Ask { public_key, valid_until } => {
			let rng = &mut OsRng;
			let made =
				Asking::new(&keys.chain, &keys.identity, input, public_key, valid_until, rng)?;
			notes.note_question(&made)?;
			asking = Some(made);
		}
	}
	let (Some(asking), Some(key)) = (asking, &scene.key) else {
		return Ok(Look::Waits("the key is not in use any more".into()));
	};
	if next != Next::Combine {
		let message: Message = asking.message();
		let arguments = Raw(message.arguments());
		let taken = chain.publish(&state, board::PALLET, message.call(), &arguments).await?;
		return Ok(Look::Waits(match taken {
			Submission::Accepted => "the request is published".into(),
			Submission::Refused(reason) => format!("the pool does not take the request: {reason}"),
		}));
	}
	let obtained = asking.combine(key, &scene.partials)?;
	notes.note_master(epoch, &obtained.public_key)?;
	notes.forget_question(&input)?;
	if !obtained.faulty.is_empty() {
		tracing::warn!(seats = ?obtained.faulty, "gatekeepers gave false answers");
	}
	Ok(Look::Obtained(Box::new(ClusterKey { epoch, obtained })))
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_node_common::seal::Sealer;
	use phala_primitives::ChainId;
	use sp_core::H256;

	fn keys(folder: &Path, sealer: &Sealer, genesis: u8) -> Keys {
		let folder = folder.join(genesis.to_string());
		files::create_private_dir(&folder).unwrap();
		let chain = ChainId { genesis: H256::repeat_byte(genesis), para_id: 7 };
		Keys::open(&folder, sealer, &chain).unwrap()
	}

	/// The base point of the group.
	fn element() -> Element {
		let base = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
		Element::from_bytes(&hex::decode(base).unwrap().try_into().unwrap()).unwrap()
	}

	#[test]
	fn questions_and_master_keys_are_noted_for_one_worker_and_chain() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		let ours = keys(folder.path(), &sealer, 1);
		let input = ClusterInput { epoch: 2, cluster: [3; 32] };
		let asking =
			Asking::new(&ours.chain, &ours.identity, input, element(), 50, &mut OsRng).unwrap();
		{
			let notes = Notes::open(folder.path(), &sealer, &ours).unwrap();
			assert!(notes.master(2).unwrap().is_none());
			assert!(notes.question(&ours, &input).unwrap().is_none());
			notes.note_master(2, &element()).unwrap();
			notes.note_question(&asking).unwrap();
			let twin = Notes::open(folder.path(), &sealer, &ours);
			assert!(twin.is_err(), "one process at a time");
		}
		let notes = Notes::open(folder.path(), &sealer, &ours).unwrap();
		assert_eq!(notes.master(2).unwrap(), Some(element()));
		let found = notes.question(&ours, &input).unwrap().unwrap();
		assert_eq!(found.message(), asking.message());
		let other = ClusterInput { epoch: 3, ..input };
		assert!(notes.question(&ours, &other).unwrap().is_none());
		notes.forget_question(&input).unwrap();
		assert!(notes.question(&ours, &input).unwrap().is_none());

		drop(notes);
		let others = keys(folder.path(), &sealer, 2);
		let notes = Notes::open(folder.path(), &sealer, &others).unwrap();
		assert!(matches!(notes.master(2), Err(ClusterError::Seal { .. })));
	}
}
