//! From one look at the chain to the next.
//!
//! The engine keeps nothing but a cache in memory: each step looks at finalised state and at the sealed
//! files. So it may be killed between any two instructions and started again. The order within a step
//! matters:
//!
//! 1. The block that is looked at must be newer than every block that was acted on, and on the same
//!    chain; its time must be this machine's. It is noted.
//! 2. What finalised state has no use for is erased, without being opened.
//! 3. For each message: made once, sealed with the secrets that it comes from, and then published. It
//!    is published again, the same one, until it shows in finalised state.
//! 4. A share is sealed before the secrets that it comes from are erased.
//! 5. With `peer-seal`, guards are asked for before anything is sealed with them. They, and the secrets of
//!    these questions, are in memory alone: whoever was killed asks anew.
//!
//! So there are never two different messages for one step, and never a share twice.

use crate::{
	plan::{self, Act, Memory, Useless, plan, useless},
	vault::{Disk, Held, Part, Share, Vault, VaultError},
	view::{self, Rules, View},
};
use pallet_gatekeeper_keys::types::{CeremonyNumber, RequestId};
use phala_node_common::{
	board::Message,
	chain::{Reader, Submission},
	guard_key,
	keystore::Keys,
};
use phala_primitives::BlockRef;
use rand_core::CryptoRngCore;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};

mod answers;
mod duties;
mod guards;
mod outcome;
mod recovery;

use guards::Sealing;
pub use outcome::{Distrust, Done, Progress, StepError};

/// Everything outside of the engine.
#[allow(async_fn_in_trait, reason = "used within this crate, on one thread at a time")]
pub trait World {
	/// Failed requests.
	type Error: std::fmt::Display;

	/// The newest block that is final.
	async fn finalised(&mut self) -> Result<BlockRef, Self::Error>;

	/// Hash of the final block at a height; `None` if it is not known.
	async fn hash_at(&mut self, number: u32) -> Result<Option<H256>, Self::Error>;

	/// What is stored after a block, proven.
	async fn read(
		&mut self,
		block: &BlockRef,
		keys: &[Vec<u8>],
	) -> Result<Vec<Option<Vec<u8>>>, Self::Error>;

	/// This machine's clock, in Unix seconds.
	fn clock(&self) -> u64;

	/// Hands a message to the pool.
	async fn publish(&mut self, message: &Message) -> Result<Submission, Self::Error>;
}

/// The state after one block.
struct At<'a, W> {
	world: &'a mut W,
	block: BlockRef,
}

impl<W: World> Reader for At<'_, W> {
	type Error = W::Error;

	async fn read(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, W::Error> {
		self.world.read(&self.block, keys).await
	}
}

/// Settings of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
	/// What the chain's rules are.
	pub rules: Rules,
	/// Seconds by which the newest final block's time may differ from the clock.
	pub max_age: u64,
}

/// A gatekeeper.
pub struct Engine<D, R> {
	keys: Keys,
	vault: Vault<D>,
	limits: Limits,
	rng: R,
	/// Requests that need nothing more while the shares of these ceremonies are in use.
	settled: BTreeSet<RequestId>,
	settled_for: Vec<CeremonyNumber>,
	/// First block at which old blocks are searched again.
	recover_from: u32,
	/// Shares that are not sealed yet, since their guards are not there.
	unsealed: BTreeMap<CeremonyNumber, Share>,
	/// Questions for guards that are under way.
	asking: BTreeMap<CeremonyNumber, guard_key::Asking>,
	/// Deals faulty shares.
	#[cfg(feature = "fault-injection")]
	pub deals_bad_shares: bool,
}

/// What the sealed files hold.
struct Opened {
	memory: Memory,
	shares: BTreeMap<CeremonyNumber, Share>,
	parts: BTreeMap<CeremonyNumber, Part>,
	/// Ceremonies whose guards would open more.
	closed: BTreeSet<CeremonyNumber>,
}

type Step<T, W> = Result<T, StepError<<W as World>::Error>>;

impl<D: Disk, R: CryptoRngCore> Engine<D, R> {
	/// A gatekeeper with these keys and files.
	pub fn new(keys: Keys, vault: Vault<D>, limits: Limits, rng: R) -> Self {
		Self {
			keys,
			vault,
			limits,
			rng,
			settled: BTreeSet::new(),
			settled_for: vec![],
			recover_from: 0,
			unsealed: BTreeMap::new(),
			asking: BTreeMap::new(),
			#[cfg(feature = "fault-injection")]
			deals_bad_shares: false,
		}
	}

	/// Other rules, after an upgrade of the runtime.
	pub fn set_rules(&mut self, rules: Rules) {
		self.limits.rules = rules;
	}

	/// Looks, and does what is to be done.
	pub async fn step<W: World>(&mut self, world: &mut W) -> Step<Progress, W> {
		let block = world.finalised().await.map_err(StepError::World)?;
		let seen = self.trust(world, &block).await?;
		let (genesis, me) = (self.keys.chain.genesis.0, self.keys.worker());
		let mut at = At { world: &mut *world, block };
		let view = view::look(&mut at, block, genesis, &me, &mut self.settled).await?;
		let held = self.vault.held()?;
		self.trust_view(world, &view, &held)?;
		self.settle(&view);
		if seen != Some(block) {
			self.vault.note_seen(&block)?;
		}

		self.vault.tidy()?;
		let mut done = vec![];
		for one in useless(&view, &held.shares, &held.parts) {
			match one {
				Useless::Share(number) => self.vault.erase_share(number)?,
				Useless::Part(number) => self.vault.erase_part(number)?,
			}
			done.push(Done::Erased(one));
		}
		self.unsealed.retain(|number, _| view.live(*number).is_some());
		let Opened { mut memory, mut shares, mut parts, closed } = self.recall()?;
		self.forget_guards(&view, &parts);
		self.reseal(&mut shares, &mut parts, &mut done)?;
		let mut plan = plan(&view, &memory, &self.limits.rules);
		let joins = plan.acts.contains(&Act::Join);
		// A dealer whose share is sealed would join as one that has none.
		let dealt = view.ceremony.as_ref().and_then(|one| one.attempt.from);
		let waits = dealt.is_some_and(|number| memory.sealed.contains(&number));
		plan.acts.retain(|act| !waits || *act != Act::Join);
		let wanted = self.wanted(&view, &memory, &closed, joins);
		memory.awaits = wanted.iter().map(|one| one.number).collect();
		// What stops one ceremony stops neither answers nor another ceremony's share, and the other way
		// round. The first failure is told.
		let mut outcome = self.answer(world, &view, &plan.answers, &shares, &mut done).await;
		outcome = outcome.and(self.ask_guards(world, &view, wanted, &mut done).await);
		for act in plan.acts {
			let acted = self.perform(world, &view, act, &shares, &mut parts, &mut done).await;
			outcome = outcome.and(acted);
		}
		outcome?;
		Ok(Progress { view, memory, done })
	}

	/// Looks, and changes nothing anywhere.
	pub async fn observe<W: World>(&mut self, world: &mut W) -> Step<(View, Memory), W> {
		let block = world.finalised().await.map_err(StepError::World)?;
		self.trust(world, &block).await?;
		let (genesis, me) = (self.keys.chain.genesis.0, self.keys.worker());
		let mut at = At { world: &mut *world, block };
		let view = view::look(&mut at, block, genesis, &me, &mut self.settled).await?;
		self.trust_view(world, &view, &self.vault.held()?)?;
		Ok((view, self.recall()?.memory))
	}

	/// Is this block to be acted on? The newest that was acted on before.
	async fn trust<W: World>(&self, world: &mut W, block: &BlockRef) -> Step<Option<BlockRef>, W> {
		let Some(seen) = self.vault.seen()? else { return Ok(None) };
		if block.number < seen.number {
			return Err(Distrust::Older { found: block.number, seen: seen.number }.into());
		}
		let found = match block.number == seen.number {
			true => Some(block.hash),
			false => world.hash_at(seen.number).await.map_err(StepError::World)?,
		};
		if found != Some(seen.hash) {
			return Err(Distrust::OtherChain { number: seen.number, found, seen: seen.hash }.into());
		}
		Ok(Some(seen))
	}

	fn trust_view<W: World>(&self, world: &W, view: &View, held: &Held) -> Result<(), Distrust> {
		let seconds = world.clock().abs_diff(view.clocks.unix);
		if seconds > self.limits.max_age {
			return Err(Distrust::Stale { seconds });
		}
		match held.shares.iter().chain(&held.parts).find(|number| **number >= view.next) {
			Some(number) => Err(Distrust::Future { number: *number }),
			None => Ok(()),
		}
	}

	/// Remembers which requests need no other look: those that it answered, until other shares are in
	/// use.
	fn settle(&mut self, view: &View) {
		let numbers: Vec<_> = view.live.iter().map(|live| live.key.number).collect();
		if numbers != self.settled_for {
			self.settled.clear();
			self.settled_for = numbers;
		}
		for asked in &view.requests {
			let request = &asked.request;
			let live = view.live(request.sharing);
			let seat = live.and_then(|live| live.holds);
			if seat.is_some_and(|seat| request.answered.contains(seat)) {
				self.settled.insert(asked.id);
			}
		}
	}

	/// Opens what is kept. A share that cannot be opened counts as lost; a part that cannot be is not
	/// replaced.
	fn recall(&self) -> Result<Opened, VaultError> {
		let held = self.vault.held()?;
		let (mut shares, mut parts) = (BTreeMap::new(), BTreeMap::new());
		let (mut sealed, mut closed) = (BTreeSet::new(), BTreeSet::new());
		for number in held.shares {
			match self.vault.share(number) {
				Ok(share) => shares.extend(share.map(|share| (number, share))),
				Err(VaultError::NoGuard { number: by, .. }) => {
					sealed.insert(number);
					closed.insert(by);
				}
				Err(error @ VaultError::Unseal { .. }) => {
					tracing::error!(%error, "a share is lost");
				}
				Err(error) => return Err(error),
			}
		}
		for (number, share) in &self.unsealed {
			if !shares.contains_key(number)
				&& let Ok(copied) = copy(&share.share)
			{
				let (epoch, sharing) = (share.epoch, share.sharing.clone());
				shares.insert(*number, Share { share: copied, epoch, sharing, guarded: false });
			}
		}
		let mut locked = BTreeSet::new();
		for number in held.parts {
			match self.vault.part(number) {
				Ok(part) => parts.extend(part.map(|part| (number, part))),
				Err(VaultError::NoGuard { number: by, .. }) => {
					locked.insert(number);
					closed.insert(by);
				}
				Err(error @ VaultError::Unseal { .. }) => {
					tracing::error!(%error, "nothing is said in this ceremony");
					locked.insert(number);
				}
				Err(error) => return Err(error),
			}
		}
		let memory = Memory {
			shares: shares.iter().map(|(number, one)| (*number, one.share.index())).collect(),
			parts: parts.iter().map(|(number, part)| (*number, in_short(part))).collect(),
			locked,
			sealed,
			awaits: BTreeSet::new(),
		};
		Ok(Opened { memory, shares, parts, closed })
	}

	async fn perform<W: World>(
		&mut self,
		world: &mut W,
		view: &View,
		act: Act,
		shares: &BTreeMap<CeremonyNumber, Share>,
		parts: &mut BTreeMap<CeremonyNumber, Part>,
		done: &mut Vec<Done>,
	) -> Step<(), W> {
		match act {
			Act::Join => {
				let Some(ceremony) = &view.ceremony else { return Ok(()) };
				let Sealing::By(guard) = self.sealing(view, ceremony) else { return Ok(()) };
				if let Some(part) = self.join::<W>(ceremony, shares, guard)? {
					let number = ceremony.attempt.number();
					self.vault.keep_part(&part)?;
					done.push(Done::Joined(number));
				}
			}
			Act::Register { key, digest } => {
				let Some(part) = current(view, parts) else { return Ok(()) };
				let message = self.register(part, key, digest)?;
				publish(world, message, done).await?;
			}
			Act::Deal => {
				let (Some(part), Some(ceremony)) = (current(view, parts), &view.ceremony) else {
					return Ok(());
				};
				let message = self.deal(world, view, &ceremony.attempt, part).await?;
				if let Some(message) = message {
					publish(world, message, done).await?;
				}
			}
			Act::Receive(number, dealers) => {
				let Some(part) = parts.get_mut(&number) else { return Ok(()) };
				let from = match &view.ceremony {
					Some(one) if one.attempt.number() == number => one.attempt.clone(),
					_ => return Ok(()),
				};
				let block = view.block;
				let faulty = self.receive(world, block, &from, part, dealers).await?;
				done.push(Done::Examined(number, dealers, faulty));
			}
			Act::Complain(dealers) => {
				let Some(part) = current(view, parts) else { return Ok(()) };
				let messages: Vec<_> = dealers
					.iter()
					.filter_map(|dealer| part.complaints.get(&dealer).cloned())
					.collect();
				for message in messages {
					publish(world, message, done).await?;
				}
			}
			Act::Take(number) => {
				let Some(part) = parts.get(&number) else { return Ok(()) };
				done.extend(self.take::<W>(view, number, part)?);
			}
			Act::Recover(number, dealers) => {
				let Some(part) = parts.get_mut(&number) else { return Ok(()) };
				if view.block.number >= self.recover_from {
					done.push(self.recover(world, view, number, part, dealers).await?);
				}
			}
		}
		Ok(())
	}
}

/// The part in the ceremony under way.
fn current<'a>(view: &View, parts: &'a mut BTreeMap<CeremonyNumber, Part>) -> Option<&'a mut Part> {
	parts.get_mut(&view.ceremony.as_ref()?.attempt.number())
}

fn in_short(part: &Part) -> plan::Part {
	plan::Part {
		deals: part.deals,
		receives: part.receives,
		seen: part.seen,
		accused: part.complaints.keys().copied().collect(),
	}
}

fn copy(
	share: &phala_threshold::KeyShare,
) -> Result<phala_threshold::KeyShare, phala_threshold::Error> {
	phala_threshold::KeyShare::restore(&share.save())
}

async fn publish<W: World>(world: &mut W, message: Message, done: &mut Vec<Done>) -> Step<(), W> {
	let submission = world.publish(&message).await.map_err(StepError::World)?;
	done.push(Done::Published(Box::new(message), submission));
	Ok(())
}
