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
//!    is published again, the same bytes, until it shows in finalised state.
//! 4. A share is sealed before the secrets that it comes from are erased.
//! 5. With `peer-seal`, guards are asked for before anything is sealed with them. They, and the secrets of
//!    these questions, are in memory alone: whoever was killed asks anew.
//!
//! So there are never two different messages for one step, and never a share twice.

use crate::{
	plan::{self, Act, Memory, Useless, plan, useless},
	vault::{Answers, Disk, Held, Part, Share, Vault, VaultError},
	view::{self, LookError, Rules, View},
};
use pallet_gatekeeper_keys::types::{Attempt, CeremonyNumber, RequestId};
use phala_node_common::{
	board::{self, Message},
	chain::{ReadError, Reader, Submission},
	guard_key,
	keystore::Keys,
};
use phala_primitives::{
	BlockRef, ComplaintStatement, DealingStatement, RegistrationStatement, Statement, requester,
};
use phala_threshold::{
	Constant, Inquiry, Kind, Member, MemberIndex, MemberSet, Registration, Role, Roster,
};
use rand_core::CryptoRngCore;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};

mod guards;

use guards::Sealing;

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

/// Why nothing is done at this block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
	/// An older block than was acted on before.
	#[error(
		"the node's newest final block is {found}, but block {seen} was final before: it is not \
		 synchronised yet, or shows an old chain"
	)]
	Older {
		/// Its height.
		found: u32,
		/// Height of the newest block that was acted on.
		seen: u32,
	},
	/// Another chain than was acted on before.
	#[error(
		"block {number} is {found:?} and was final as {seen:?} before: the node is on another chain"
	)]
	OtherChain {
		/// The height.
		number: u32,
		/// The node's hash; `None` if it has no such block.
		found: Option<H256>,
		/// The hash of what was acted on.
		seen: H256,
	},
	/// Secrets of a ceremony that the chain has not begun.
	#[error(
		"there are secrets of ceremony {number}, and the chain has not begun it: the node shows an old \
		 chain, or this folder belongs to another one"
	)]
	Future {
		/// The ceremony.
		number: CeremonyNumber,
	},
	/// A block of another time.
	#[error(
		"the newest final block is of another time than this machine's clock, by {seconds} s: the node \
		 is not synchronised, finality stands still, or the clock is wrong"
	)]
	Stale {
		/// By how much.
		seconds: u64,
	},
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum StepError<E> {
	/// The world.
	#[error(transparent)]
	World(E),
	/// The state is not what this program expects.
	#[error(transparent)]
	Look(LookError<std::convert::Infallible>),
	/// The sealed files.
	#[error(transparent)]
	Vault(#[from] VaultError),
	/// The block is not acted on.
	#[error(transparent)]
	Distrust(#[from] Distrust),
	/// The chain contradicts the protocol. It is no chain that is final, or there is a defect.
	#[error("ceremony {number}: {cause}. Nothing was published; tell the developers")]
	Protocol {
		/// The ceremony.
		number: CeremonyNumber,
		/// The rule.
		cause: phala_threshold::Error,
	},
	/// Something that a message refers to is not stored.
	#[error("ceremony {number}: {what} of seat {seat} is not in the state. Tell the developers")]
	Missing {
		/// The ceremony.
		number: CeremonyNumber,
		/// What.
		what: &'static str,
		/// Whose.
		seat: MemberIndex,
	},
}

impl<E> From<ReadError<E>> for StepError<E> {
	fn from(error: ReadError<E>) -> Self {
		match error {
			ReadError::Read(error) => Self::World(error),
			ReadError::Malformed(error) => Self::Look(LookError::Read(ReadError::Malformed(error))),
		}
	}
}

impl<E> From<LookError<E>> for StepError<E> {
	fn from(error: LookError<E>) -> Self {
		match error {
			LookError::Read(error) => error.into(),
			LookError::Contradiction { number, what } => {
				Self::Look(LookError::Contradiction { number, what })
			}
		}
	}
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
	/// Made the secrets of a ceremony.
	Joined(CeremonyNumber),
	/// Handed a message to the pool, which took it or not.
	Published(Box<Message>, Submission),
	/// Made answers to this many requests.
	Answered(u64),
	/// Examined dealings, and found that many faulty.
	Examined(CeremonyNumber, MemberSet, u8),
	/// Has a share that can be sealed when its guard is there; until then its part in the ceremony stays.
	Holds(CeremonyNumber),
	/// Has the guard of its secrets and share of a ceremony.
	Guarded(CeremonyNumber),
	/// Sealed a share or part anew, as it is to be sealed now.
	Resealed(CeremonyNumber),
	/// Sealed a share.
	Took(CeremonyNumber),
	/// Cannot get its share of a key: this dealer's part of it is faulty or gone.
	Lost(CeremonyNumber, MemberIndex),
	/// Looked for these dealers' dealings in the node's old blocks, in vain.
	Missed(CeremonyNumber, MemberSet),
	/// Erased something.
	Erased(Useless),
}

/// What a step did and saw.
#[derive(Debug)]
pub struct Progress {
	/// What was seen.
	pub view: View,
	/// What there is.
	pub memory: Memory,
	/// What was done, in order.
	pub done: Vec<Done>,
}

impl Progress {
	/// Something was found out or made, so that the next thing may be due at once.
	pub fn is_news(&self) -> bool {
		let repeats = |done: &Done| {
			matches!(
				done,
				Done::Published(..) | Done::Answered(_) | Done::Lost(..) | Done::Missed(..)
			)
		};
		!self.done.iter().all(repeats)
	}

	/// Another node may have what this one does not.
	pub fn is_in_vain(&self) -> bool {
		self.done.iter().any(|done| matches!(done, Done::Missed(..)))
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

/// Blocks between two searches of old blocks.
const RECOVERY_INTERVAL: u32 = 100;

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
					self.recover_from = view.block.number.saturating_add(RECOVERY_INTERVAL);
					done.push(self.recover(world, view, number, part, dealers).await?);
				}
			}
		}
		Ok(())
	}

	/// Makes the secrets of a ceremony. `None` if this gatekeeper's only seat is one whose share it
	/// does not have.
	fn join<W: World>(
		&mut self,
		ceremony: &view::Ceremony,
		shares: &BTreeMap<CeremonyNumber, Share>,
		guard: Option<CeremonyNumber>,
	) -> Step<Option<Part>, W> {
		let view::Ceremony { attempt, deals, receives } = ceremony;
		let number = attempt.number();
		let fail = |cause| StepError::Protocol { number, cause };
		let share = match (&attempt.ceremony.kind, attempt.from) {
			(Kind::Resharing { from, public_key, .. }, Some(dealing)) => shares
				.get(&dealing)
				.filter(|one| deals.is_some_and(|seat| seat == one.share.index()))
				// A share of this key and no other is handed over.
				.filter(|one| one.share.ceremony() == from && one.public_key() == public_key)
				.map(|one| copy(&one.share).map_err(fail))
				.transpose()?,
			_ => None,
		};
		let handover = matches!(attempt.ceremony.kind, Kind::Resharing { .. });
		let role = match (handover, share, receives) {
			(false, _, Some(seat)) => Role::Generate(*seat),
			(true, Some(share), Some(seat)) => Role::Stay(share, *seat),
			(true, Some(share), None) => Role::HandOver(share),
			(true, None, Some(seat)) => Role::Receive(*seat),
			(_, _, None) => return Ok(None),
		};
		let rng = &mut self.rng;
		let member = Member::join(attempt.ceremony.clone(), role, rng).map_err(fail)?;
		let registration = member.registration(rng).map_err(fail)?;
		Ok(Some(Part {
			receives: receives.filter(|_| registration.key.is_some()),
			deals: deals.filter(|_| registration.digest.is_some()),
			member,
			registration,
			registered: BTreeMap::new(),
			dealt: None,
			seen: MemberSet::EMPTY,
			complaints: BTreeMap::new(),
			guard,
		}))
	}

	fn register(
		&mut self,
		part: &mut Part,
		key: bool,
		digest: bool,
	) -> Result<Message, VaultError> {
		if let Some(message) = part.registered.get(&(key, digest)) {
			return Ok(message.clone());
		}
		let registration = Registration {
			key: part.registration.key.filter(|_| key),
			digest: part.registration.digest.filter(|_| digest),
		};
		let (member, ceremony) = (self.keys.worker(), part.member.ceremony().id());
		let statement = RegistrationStatement { member, ceremony, registration };
		let signature = statement.sign(&self.keys.chain, &self.keys.identity);
		let message = Message::Register(Box::new(statement), signature);
		part.registered.insert((key, digest), message.clone());
		self.vault.keep_part(part)?;
		Ok(message)
	}

	/// The recipients' keys, which are final by now.
	async fn roster<W: World>(
		world: &mut W,
		block: BlockRef,
		attempt: &Attempt,
	) -> Step<Roster, W> {
		let number = attempt.number();
		let seats: Vec<_> = attempt.keys.iter().collect();
		let items: Vec<_> = seats.iter().map(|seat| board::ceremony_key(number, *seat)).collect();
		let keys = At { world, block }.get_each(&items).await?;
		let mut roster = Roster::new(attempt.ceremony.id());
		for (seat, key) in seats.into_iter().zip(keys) {
			let what = "the ceremony key";
			let key = key.ok_or(StepError::Missing { number, what, seat })?;
			roster.insert(seat, &key).map_err(|cause| StepError::Protocol { number, cause })?;
		}
		Ok(roster)
	}

	async fn deal<W: World>(
		&mut self,
		world: &mut W,
		view: &View,
		attempt: &Attempt,
		part: &mut Part,
	) -> Step<Option<Message>, W> {
		if part.dealt.is_some() {
			return Ok(part.dealt.clone());
		}
		let number = attempt.number();
		let fail = |cause| StepError::Protocol { number, cause };
		let Some(seat) = part.deals else { return Ok(None) };
		let mut at = At { world: &mut *world, block: view.block };
		let digest = at.get(&board::digest(number, seat)).await?;
		if digest != part.registration.digest {
			return Err(fail(phala_threshold::Error::DigestMismatch));
		}
		let roster = Self::roster(world, view.block, attempt).await?;
		let dealing = part.member.deal(&roster, &mut self.rng).map_err(fail)?;
		let Some(dealing) = dealing else { return Ok(None) };
		#[cfg(feature = "fault-injection")]
		let dealing = match self.deals_bad_shares {
			true => spoilt(dealing),
			false => dealing,
		};
		let (member, ceremony) = (self.keys.worker(), part.member.ceremony().id());
		let statement = DealingStatement { member, ceremony, dealing };
		let signature = statement.sign(&self.keys.chain, &self.keys.identity);
		part.dealt = Some(Message::Deal(Box::new(statement), signature));
		self.vault.keep_part(part)?;
		Ok(part.dealt.clone())
	}

	/// Receives the dealings in a final block; how many are faulty.
	async fn receive<W: World>(
		&mut self,
		world: &mut W,
		block: BlockRef,
		attempt: &Attempt,
		part: &mut Part,
		dealers: MemberSet,
	) -> Step<u8, W> {
		let complaints = self.examine(world, block, attempt, &mut part.member, dealers).await?;
		let faulty: MemberSet = complaints.keys().copied().collect();
		// Nothing is dealt to a seat without a key.
		let unseen = match part.receives.is_some_and(|seat| attempt.keys.contains(seat)) {
			true => part.member.missing(dealers).without(faulty),
			false => MemberSet::EMPTY,
		};
		for dealer in dealers.without(unseen).iter() {
			part.seen.insert(dealer);
		}
		part.complaints.extend(complaints);
		self.vault.keep_part(part)?;
		Ok(faulty.len())
	}

	/// Examines dealings; complaints about those that are faulty, by dealer.
	async fn examine<W: World>(
		&mut self,
		world: &mut W,
		block: BlockRef,
		attempt: &Attempt,
		member: &mut Member,
		dealers: MemberSet,
	) -> Step<BTreeMap<MemberIndex, Message>, W> {
		let number = attempt.number();
		let fail = |cause| StepError::Protocol { number, cause };
		let roster = Self::roster(world, block, attempt).await?;
		// Notes the recipients; what it deals is dealt elsewhere.
		member.deal(&roster, &mut self.rng).map_err(fail)?;
		let mut complaints = BTreeMap::new();
		for dealer in dealers.iter() {
			let missing = |what| StepError::Missing { number, what, seat: dealer };
			let mut at = At { world: &mut *world, block };
			let digest = at.get(&board::digest(number, dealer)).await?;
			let digest = digest.ok_or(missing("the digest"))?;
			let dealing = at.get(&board::dealing(number, dealer)).await?;
			let dealing = dealing.ok_or(missing("the dealing"))?;
			let share = match attempt.from {
				None => None,
				Some(from) => {
					let share = at.get(&board::verification_share(from, dealer)).await?;
					Some(share.ok_or(missing("the verification share"))?)
				}
			};
			let constant = share.as_ref().map_or(Constant::Fresh, Constant::Share);
			let complaint = member.receive(dealer, &digest, constant, &dealing, &mut self.rng);
			if let Some(complaint) = complaint.map_err(fail)? {
				let (member, ceremony) = (self.keys.worker(), member.ceremony().id());
				let statement = ComplaintStatement { member, ceremony, dealer, complaint };
				let signature = statement.sign(&self.keys.chain, &self.keys.identity);
				complaints.insert(dealer, Message::Complain(Box::new(statement), signature));
			}
		}
		Ok(complaints)
	}

	/// Seals the share of a key in use, and then erases what it comes from. If its guard is not here, the
	/// share is used as it is, and the part stays.
	fn take<W: World>(
		&mut self,
		view: &View,
		number: CeremonyNumber,
		part: &Part,
	) -> Step<Option<Done>, W> {
		let fail = |cause| StepError::Protocol { number, cause };
		let Some(live) = view.live(number) else { return Ok(None) };
		match part.member.finish(&live.key.sharing) {
			Ok(Some(share)) => {
				let (epoch, sharing) = (live.epoch, live.key.sharing.clone());
				let share = Share { share, epoch, sharing, guarded: false };
				if !self.vault.can_keep_share(number) {
					let before = self.unsealed.insert(number, share);
					return Ok(before.is_none().then_some(Done::Holds(number)));
				}
				self.vault.keep_share(number, &share)?;
				self.vault.erase_part(number)?;
				self.unsealed.remove(&number);
				Ok(Some(Done::Took(number)))
			}
			Ok(None) => {
				self.vault.erase_part(number)?;
				Ok(Some(Done::Erased(Useless::Part(number))))
			}
			// A faulty share of a dealer that was not convicted in time.
			Err(phala_threshold::Error::MissingShare(dealer)) => {
				Ok(Some(Done::Lost(number, dealer)))
			}
			Err(cause) => Err(fail(cause)),
		}
	}

	/// Looks for dealings in the block in which they were summed. Nothing proves that this is a block of the
	/// chain: what is found there is kept only if it makes the share whose public side is final.
	async fn recover<W: World>(
		&mut self,
		world: &mut W,
		view: &View,
		number: CeremonyNumber,
		part: &mut Part,
		dealers: MemberSet,
	) -> Step<Done, W> {
		let Some(live) = view.live(number) else { return Ok(Done::Missed(number, dealers)) };
		match self.recovered(world, view.block, live, &part.member, dealers).await {
			Ok(Some(member)) => {
				part.member = member;
				for dealer in dealers.iter() {
					part.seen.insert(dealer);
				}
				self.vault.keep_part(part)?;
				return Ok(Done::Examined(number, dealers, 0));
			}
			Ok(None) => {
				tracing::warn!(number, "old blocks are not to be had: use an archive node");
			}
			Err(StepError::World(error)) => {
				tracing::warn!(number, %error, "old state is not to be had: use an archive node");
			}
			Err(StepError::Protocol { cause, .. }) => tracing::warn!(
				number,
				%cause,
				"the node gave other dealings than the chain summed, or one of them is faulty"
			),
			Err(error) => {
				tracing::warn!(number, %error, "the node gave other state than the chain's");
			}
		}
		Ok(Done::Missed(number, dealers))
	}

	/// The member with these dealers' shares, as old blocks have them, if they make its share of the key.
	async fn recovered<W: World>(
		&mut self,
		world: &mut W,
		newest: BlockRef,
		live: &view::Live,
		member: &Member,
		dealers: MemberSet,
	) -> Step<Option<Member>, W> {
		let number = live.key.number;
		let fail = |cause| StepError::Protocol { number, cause };
		let Some((block, attempt)) = summed(world, newest, number).await? else { return Ok(None) };
		let mut trial = Member::restore(&member.save()).map_err(fail)?;
		// Complaints come too late, and may be about what nobody dealt.
		self.examine(world, block, &attempt, &mut trial, dealers).await?;
		let share = trial.finish(&live.key.sharing).map_err(fail)?;
		Ok(share.map(|_| trial))
	}

	async fn answer<W: World>(
		&mut self,
		world: &mut W,
		view: &View,
		ids: &[RequestId],
		shares: &BTreeMap<CeremonyNumber, Share>,
		done: &mut Vec<Done>,
	) -> Step<(), W> {
		if ids.is_empty() {
			return Ok(());
		}
		let mut answers: Answers = self.vault.answers()?;
		let before = answers.len();
		answers.retain(|(id, number), _| *id >= view.queue.first && view.live(*number).is_some());
		let changed = answers.len() != before;
		let (mut messages, mut made) = (vec![], 0u64);
		for asked in view.requests.iter().filter(|asked| ids.contains(&asked.id)) {
			let request = &asked.request;
			let live = view.live.iter().find(|live| live.epoch == request.input.epoch());
			let Some(live) = live else { continue };
			let number = live.key.number;
			let Some(share) = shares.get(&number) else { continue };
			if share.sharing != live.key.sharing {
				let cause = phala_threshold::Error::PublicKeyChanged;
				return Err(StepError::Protocol { number, cause });
			}
			if let Some(message) = answers.get(&(asked.id, number)) {
				messages.push(message.clone());
				continue;
			}
			let inquiry = Inquiry {
				public_key: *share.public_key(),
				input: request.input,
				requester: requester(&self.keys.chain, &request.worker, request.valid_until),
			};
			let partial = share.share.evaluate(&inquiry, &request.request, &mut self.rng);
			let partial = partial.map_err(|cause| StepError::Protocol { number, cause })?;
			let message = Message::Answer(asked.id, share.share.index(), Box::new(partial));
			answers.insert((asked.id, number), message.clone());
			messages.push(message);
			made = made.saturating_add(1);
		}
		if changed || made > 0 {
			self.vault.keep_answers(&answers)?;
		}
		if made > 0 {
			done.push(Done::Answered(made));
		}
		for message in messages {
			publish(world, message, done).await?;
		}
		Ok(())
	}
}

/// The first block at which the dealings of a ceremony were complete and none was removed yet, if the
/// node still has its state. All are on record there, with what they are checked with.
async fn summed<W: World>(
	world: &mut W,
	newest: BlockRef,
	number: CeremonyNumber,
) -> Step<Option<(BlockRef, Attempt)>, W> {
	use pallet_gatekeeper_keys::types::Phase;
	let (mut before, mut after) = (0, newest.number);
	let mut found = None;
	while before < after {
		let middle = before + (after - before) / 2;
		let hash = world.hash_at(middle).await.map_err(StepError::World)?;
		let Some(hash) = hash else { return Ok(None) };
		let block = BlockRef { number: middle, hash };
		let mut at = At { world: &mut *world, block };
		let attempt = at.get(&board::current()).await?;
		let next = at.get(&board::next_ceremony()).await?.unwrap_or_default();
		let this = attempt.filter(|attempt| attempt.number() == number);
		// Phases follow each other, so that blocks before and after are told apart.
		let collecting = this.as_ref().is_some_and(|attempt| {
			matches!(
				attempt.phase,
				Phase::Committing { .. } | Phase::Sharing { .. } | Phase::Complaining { .. }
			)
		});
		if next <= number || collecting {
			before = middle + 1;
		} else {
			after = middle;
			let kept = this.filter(|attempt| !matches!(attempt.phase, Phase::Clearing { .. }));
			found = kept.map(|attempt| (block, attempt));
		}
	}
	Ok(found)
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

#[cfg(feature = "fault-injection")]
fn spoilt(mut dealing: phala_threshold::Dealing) -> phala_threshold::Dealing {
	for share in dealing.shares.iter_mut() {
		share[0] ^= 1;
	}
	dealing
}

async fn publish<W: World>(world: &mut W, message: Message, done: &mut Vec<Done>) -> Step<(), W> {
	let submission = world.publish(&message).await.map_err(StepError::World)?;
	done.push(Done::Published(Box::new(message), submission));
	Ok(())
}
