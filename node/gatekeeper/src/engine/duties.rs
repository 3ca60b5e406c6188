//! The messages of a ceremony, and the share that comes of it.

use super::*;
use pallet_gatekeeper_keys::types::Attempt;
use phala_node_common::board;
use phala_primitives::{ComplaintStatement, DealingStatement, RegistrationStatement, Statement};
use phala_threshold::{Constant, Kind, Member, MemberIndex, MemberSet, Registration, Role, Roster};

impl<D: Disk, R: CryptoRngCore> Engine<D, R> {
	/// Makes the secrets of a ceremony. `None` if this gatekeeper's only seat is one whose share it
	/// does not have.
	pub(super) fn join<W: World>(
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

	pub(super) fn register(
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

	pub(super) async fn deal<W: World>(
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
	pub(super) async fn receive<W: World>(
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
	pub(super) async fn examine<W: World>(
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
	pub(super) fn take<W: World>(
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
}

#[cfg(feature = "fault-injection")]
fn spoilt(mut dealing: phala_threshold::Dealing) -> phala_threshold::Dealing {
	for share in dealing.shares.iter_mut() {
		share[0] ^= 1;
	}
	dealing
}
