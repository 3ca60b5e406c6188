//! Guards: second keys that peers give, asked for and used as `peer-seal` says.

use super::*;
use crate::view::Live;
use pallet_gatekeeper_keys::types::Attempt;
use phala_threshold::{CeremonyId, GuardInput};

/// A guard that is needed, and that the holders of a key in use may give.
pub(super) struct Wanted {
	pub(super) number: CeremonyNumber,
	ceremony: CeremonyId,
	live: Live,
}

/// How the secrets of a ceremony are to be sealed.
pub(super) enum Sealing {
	/// With this ceremony's guard, or under the TEE's key alone.
	By(Option<CeremonyNumber>),
	/// With a guard that is not here yet.
	Later,
}

impl<D: Disk, R: CryptoRngCore> Engine<D, R> {
	/// Wipes guards that open nothing any more.
	pub(super) fn forget_guards(&mut self, view: &View, parts: &BTreeMap<CeremonyNumber, Part>) {
		let under_way =
			view.ceremony.as_ref().and_then(|one| one.hands_over(&view.live)).map(Attempt::number);
		self.vault.retain_guards(|number| {
			view.live(number).is_some()
				|| under_way == Some(number)
				|| parts.values().any(|part| part.guard == Some(number))
		});
	}

	/// Seals anew what was sealed otherwise than it is to be: before `peer-seal` was changed, or, in a
	/// ceremony, with the guard of another one.
	pub(super) fn reseal(
		&mut self,
		shares: &mut BTreeMap<CeremonyNumber, Share>,
		parts: &mut BTreeMap<CeremonyNumber, Part>,
		done: &mut Vec<Done>,
	) -> Result<(), VaultError> {
		let on = self.vault.peer_seal();
		for (number, share) in shares {
			let on_disk = !self.unsealed.contains_key(number);
			if on_disk && share.guarded != on && self.vault.can_keep_share(*number) {
				self.vault.keep_share(*number, share)?;
				share.guarded = on;
				done.push(Done::Resealed(*number));
			}
		}
		for (number, part) in parts {
			if on && part.guard != Some(*number) && self.vault.has_guard(*number) {
				part.guard = Some(*number);
				self.vault.keep_part(part)?;
				done.push(Done::Resealed(*number));
			}
		}
		Ok(())
	}

	/// Guards that are needed: to open what is closed, and, with `peer-seal`, to seal what there is and what
	/// is about to be made; if there is anybody who may give them.
	pub(super) fn wanted(
		&self,
		view: &View,
		memory: &Memory,
		closed: &BTreeSet<CeremonyNumber>,
		joins: bool,
	) -> Vec<Wanted> {
		if !view.is_attested(0) {
			return vec![];
		}
		let on = self.vault.peer_seal();
		let needed = |number: CeremonyNumber| {
			let there = memory.shares.contains_key(&number) || memory.parts.contains_key(&number);
			closed.contains(&number) || (on && there)
		};
		let missing = |number: CeremonyNumber| !self.vault.has_guard(number);
		let mut wanted: Vec<_> = view
			.live
			.iter()
			.filter(|live| live.holds.is_some())
			.filter(|live| needed(live.key.number) && missing(live.key.number))
			.map(|live| Wanted {
				number: live.key.number,
				ceremony: *live.key.sharing.ceremony(),
				live: live.clone(),
			})
			.collect();
		if let Some(ceremony) = view.ceremony.as_ref().filter(|one| one.receives.is_some())
			&& let Some(attempt) = ceremony.hands_over(&view.live)
			&& let Some(live) = view.live.iter().find(|live| live.epoch == attempt.epoch)
		{
			let number = attempt.number();
			if missing(number) && (needed(number) || (on && joins)) {
				let (ceremony, live) = (attempt.ceremony.id(), live.clone());
				wanted.push(Wanted { number, ceremony, live });
			}
		}
		wanted
	}

	/// Asks for guards, and makes them from what was answered.
	pub(super) async fn ask_guards<W: World>(
		&mut self,
		world: &mut W,
		view: &View,
		wanted: Vec<Wanted>,
		done: &mut Vec<Done>,
	) -> Step<(), W> {
		self.asking.retain(|number, _| wanted.iter().any(|one| one.number == *number));
		for Wanted { number, ceremony, live } in wanted {
			let fail = |cause| StepError::Protocol { number, cause };
			let (epoch, member) = (live.epoch, self.keys.worker().0);
			let input = GuardInput { epoch, ceremony, member };
			let mut at = At { world: &mut *world, block: view.block };
			let scene = guard_key::look(&mut at, &input).await?;
			let (relay, period) = (view.clocks.relay, self.limits.rules.request_period);
			let asking = self.asking.get(&number);
			match (guard_key::next(asking, &scene, &live.key, relay, period), asking) {
				(guard_key::Next::Ask { valid_until }, _) => {
					let made = guard_key::Asking::new(
						&self.keys.chain,
						&self.keys.identity,
						epoch,
						ceremony,
						&live.key,
						valid_until,
						&mut self.rng,
					);
					let made = made.map_err(fail)?;
					let message = made.message();
					self.asking.insert(number, made);
					publish(world, message, done).await?;
				}
				(guard_key::Next::Repeat, Some(asking)) => {
					let message = asking.message();
					publish(world, message, done).await?;
				}
				(guard_key::Next::Combine, Some(asking)) => {
					let combined = asking.combine(&live.key, &scene.partials).map_err(fail)?;
					if !combined.faulty.is_empty() {
						tracing::warn!(number, seats = ?combined.faulty, "false answers");
					}
					self.vault.take_guard(number, combined.secret);
					self.asking.remove(&number);
					done.push(Done::Guarded(number));
				}
				_ => {}
			}
		}
		Ok(())
	}

	/// How the secrets of a ceremony are to be sealed.
	///
	/// In a handover with the guard of the ceremony for a recipient, who will hold its share; with that of
	/// the shares that are handed over for all others. A lapsed member, who gets no guards, may hand over
	/// under the TEE's key alone. Before a new key there is nobody who could give a guard of it.
	pub(super) fn sealing(&self, view: &View, ceremony: &view::Ceremony) -> Sealing {
		let Some(old) = ceremony.attempt.from.filter(|_| self.vault.peer_seal()) else {
			return Sealing::By(None);
		};
		let attested = view.is_attested(0);
		let number = match ceremony.receives.is_some() && attested {
			true => ceremony.attempt.number(),
			false => old,
		};
		match self.vault.has_guard(number) {
			true => Sealing::By(Some(number)),
			false if attested => Sealing::Later,
			false => Sealing::By(None),
		}
	}
}
