//! The relay chain's finality, and the trust in it that outlives the program.

use crate::{
	settings::Settings,
	vault::{Disk, Folder, Vault, VaultError},
	world::WorldError,
};
use phala_finality::{Relay, Trusted};
use phala_primitives::BlockRef;
use sp_core::H256;
use std::{
	collections::VecDeque,
	time::{Duration, Instant},
};

/// Blocks that are remembered as proven: the node or a witness may be a little behind the newest.
const REMEMBERED: usize = 32;
/// Longest time between two writes of trust while it changes.
const WRITE: Duration = Duration::from_secs(60);

/// What was trusted before, if trust is to go on from it: with a checkpoint, only if it began there. What
/// cannot be read counts as nothing then; without a checkpoint it is an error, as the node would be
/// believed once more.
pub fn trusted<D: Disk>(
	vault: &Vault<D>,
	checkpoint: Option<H256>,
) -> Result<Option<Trusted>, VaultError> {
	match vault.trust() {
		Err(error @ VaultError::Trust(_)) if checkpoint.is_some() => {
			tracing::warn!(%error, "trust in the relay chain begins again, at relay-checkpoint");
			Ok(None)
		}
		Ok(Some(trusted)) if !trusted.is_from(checkpoint) => {
			tracing::warn!(
				before = ?trusted.origin,
				now = ?checkpoint,
				"trust in the relay chain began at another block: it begins again, at relay-checkpoint"
			);
			Ok(None)
		}
		trusted => trusted,
	}
}

/// Follows the relay chain.
pub struct Follower {
	relay: Relay,
	vault: Vault<Folder>,
	/// Whether trust is written, too.
	writes: bool,
	/// The set and the height that were written last, and when.
	written: Option<(u64, u32, Instant)>,
	/// Blocks of the parachain that are proven to be final, oldest first.
	proven: VecDeque<BlockRef>,
}

impl Follower {
	/// Follows as `settings` say, from what was trusted before; `None` without a node of the relay
	/// chain. With `writes` off it changes nothing on disk.
	pub fn open(
		settings: &Settings,
		para_id: u32,
		vault: Vault<Folder>,
		writes: bool,
	) -> Result<Option<Self>, VaultError> {
		if settings.relay_url.is_empty() {
			return Ok(None);
		}
		let checkpoint = settings.checkpoint();
		let trusted = trusted(&vault, checkpoint)?;
		if trusted.is_none() && checkpoint.is_none() {
			tracing::warn!(
				"no relay-checkpoint: the relay chain's node is believed about one block, this once"
			);
		}
		let relay = Relay::new(&settings.relay_url, para_id, checkpoint, trusted);
		let proven = VecDeque::new();
		Ok(Some(Self { relay, vault, writes, written: None, proven }))
	}

	/// Learns of the newest block that is proven to be final, and returns it.
	pub async fn follow(&mut self) -> Result<BlockRef, WorldError> {
		let followed = self.relay.head().await;
		// Also what was verified before something failed, or time was up.
		self.keep()?;
		let head = followed?.block;
		if self.proven.back() != Some(&head) {
			self.proven.push_back(head);
		}
		if self.proven.len() > REMEMBERED {
			self.proven.pop_front();
		}
		Ok(head)
	}

	/// Leaves the relay chain's node for the next one.
	pub fn leave(&mut self) {
		self.relay.leave();
	}

	/// The blocks that are proven to be final, newest first.
	pub fn proven(&self) -> impl Iterator<Item = BlockRef> {
		self.proven.iter().rev().copied()
	}

	/// Number of the set that is followed, and height of the newest final block of the relay chain.
	pub fn state(&self) -> Option<(u64, u32)> {
		self.relay.trusted().map(|trusted| (trusted.set_id, trusted.block.number))
	}

	/// Writes what is trusted if the set changed, and else once in a while.
	fn keep(&mut self) -> Result<(), VaultError> {
		let Some(trusted) = self.relay.trusted() else { return Ok(()) };
		let (set, height) = (trusted.set_id, trusted.block.number);
		let is_new_set = self.written.is_none_or(|(written, ..)| written != set);
		let is_due = self
			.written
			.is_none_or(|(_, written, when)| written != height && when.elapsed() >= WRITE);
		if !is_new_set && !is_due {
			return Ok(());
		}
		if self.writes {
			self.vault.keep_trust(trusted)?;
		}
		if is_new_set {
			tracing::info!(set, height, "follows the relay chain's finality");
		}
		self.written = Some((set, height, Instant::now()));
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_node_common::{files, keystore::Keys, seal::Sealer};
	use phala_primitives::ChainId;
	use std::sync::Arc;

	#[test]
	fn trust_goes_on_where_the_operator_let_it_begin() {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		let keys = folder.path().join("keys");
		files::create_private_dir(&keys).unwrap();
		let chain = ChainId { genesis: H256::repeat_byte(1), para_id: 7 };
		let keys = Keys::open(&keys, &sealer, &chain).unwrap();
		let vault = Vault::new(Folder(folder.path().into()), Arc::new(sealer), &keys);

		let [first, second] = [1, 2].map(|byte| Some(H256::repeat_byte(byte)));
		assert_eq!(trusted(&vault, first).unwrap(), None);
		let block = BlockRef { number: 3, hash: H256::repeat_byte(3) };
		let kept = |origin| Trusted {
			genesis: H256::zero(),
			origin,
			block,
			time: 9,
			set_id: 5,
			authorities: vec![],
		};
		for (origin, checkpoint, goes_on) in [
			(None, None, true),
			(None, first, false),
			(first, None, true),
			(first, first, true),
			(first, second, false),
		] {
			vault.keep_trust(&kept(origin)).unwrap();
			let expected = goes_on.then(|| kept(origin));
			assert_eq!(trusted(&vault, checkpoint).unwrap(), expected);
		}

		// What cannot be read: with a checkpoint trust begins again, and without it nobody is believed.
		std::fs::write(folder.path().join("relay.sealed"), b"of another image").unwrap();
		assert_eq!(trusted(&vault, first).unwrap(), None);
		let error = trusted(&vault, None).unwrap_err().to_string();
		assert!(error.contains("--relay-checkpoint") && !error.contains("share"), "{error}");
	}
}
