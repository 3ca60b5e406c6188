//! The relay chain's finality, and the trust in it that outlives the program.

use crate::{
	settings::Settings,
	vault::{Folder, Vault, VaultError},
	world::WorldError,
};
use phala_finality::Relay;
use phala_primitives::BlockRef;
use std::{
	collections::VecDeque,
	time::{Duration, Instant},
};

/// Blocks that are remembered as proven: the node or a witness may be a little behind the newest.
const REMEMBERED: usize = 32;
/// Longest time between two writes of trust while it changes.
const WRITE: Duration = Duration::from_secs(60);

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
		let (trusted, checkpoint) = (vault.trust()?, settings.checkpoint());
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
		// Also what was verified before something failed.
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
