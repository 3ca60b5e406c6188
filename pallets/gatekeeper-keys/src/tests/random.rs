//! Random ceremonies: elections at any moment, crowds in any order, messages twice, people that are
//! away or lie, rotations, stalls, requests in between; with all invariants after every act, and with
//! a record of who lied and of which key is which.
//!
//! `PROPTEST_CASES` sets the number of sequences.

use crate::{mock::*, types::*, *};
use phala_primitives::{Gatekeepers, OffenceClass};
use phala_threshold::{Blind, Element, Error as ProtocolError, GuardInput, Input, Request};
use rand_chacha::{ChaCha20Rng, rand_core::RngCore};
use std::collections::{BTreeMap, BTreeSet};

const ACTS: u32 = 260;
const PEOPLE: u64 = 8;

/// What happened in all sequences.
#[derive(Debug, Default)]
struct Tally {
	completed: BTreeMap<u8, u32>,
	failed: u32,
	convicted: BTreeMap<OffenceClass, u32>,
	keys: u32,
	guards: u32,
	restarted: u32,
	stalls: u32,
	unbonded: u32,
	late_receipts: u32,
}

struct Model {
	world: World,
	rng: ChaCha20Rng,
	/// Accounts that dealt or complained falsely, in any ceremony.
	liars: BTreeSet<AccountId>,
	/// Public keys by epoch.
	public: BTreeMap<u32, Element>,
	/// Cluster keys by epoch.
	keys: BTreeMap<u32, [u8; 32]>,
	/// Guards.
	guards: BTreeMap<GuardInput, [u8; 32]>,
	asked: BTreeMap<RequestId, (Blind, Request)>,
	clients: u64,
}

impl Model {
	fn new(seed: u64) -> Self {
		let (liars, public, keys, guards, asked) = Default::default();
		let (world, rng) = (World::new(PEOPLE), rng(seed));
		Self { world, rng, liars, public, keys, guards, asked, clients: 0 }
	}

	fn below(&mut self, end: u64) -> u64 {
		self.rng.next_u64() % end
	}

	fn shuffled(&mut self) -> Vec<usize> {
		let mut order: Vec<_> = (0..self.world.people.len()).collect();
		for last in (1..order.len()).rev() {
			order.swap(last, self.below(last as u64 + 1) as usize);
		}
		order
	}

	fn act(&mut self, tally: &mut Tally) {
		match self.below(100) {
			0..=7 => self.elect(),
			8..=37 => pass(1 + self.below(12) as u32),
			38..=39 => {
				RelayBlock::set(RelayBlock::get() + STALL + self.below(500) as u32);
				poll();
				tally.stalls += 1;
			}
			40..=76 => self.crowd(tally),
			77..=82 => _ = Keys::rotate(RuntimeOrigin::root(), self.below(4) == 0),
			83 => _ = Keys::cancel_rotation(RuntimeOrigin::root()),
			84 => {
				let current = CurrentEpoch::<Test>::get().unwrap_or_default();
				_ = Keys::retire(RuntimeOrigin::root(), current.wrapping_sub(1));
			}
			85 if self.below(4) == 0 => _ = Keys::abort(RuntimeOrigin::root()),
			86..=87 => _ = Keys::retry(RuntimeOrigin::root()),
			88..=91 => self.ask(),
			92..=93 => self.ask_guard(),
			_ => self.answer(tally),
		}
	}

	fn elect(&mut self) {
		let order = self.shuffled();
		let size = 3 + self.below(4) as usize;
		let accounts: Vec<_> = order[..size].iter().map(|one| *one as u64 + 1).collect();
		Keys::on_set_elected(self.world.entries(&accounts)).unwrap();
	}

	/// In any order, nearly everybody does what there is to do; some lie.
	fn crowd(&mut self, tally: &mut Tally) {
		for index in self.shuffled() {
			if self.below(12) == 0 {
				continue;
			}
			let Some(attempt) = Current::<Test>::get() else { return };
			let lies = self.below(14) == 0;
			let (registers, deals) = self.world.people[index].owes();
			if registers && let Some(call) = self.world.people[index].registration() {
				let _ = send(call.clone());
				assert!(in_pool(&call).is_err(), "once is enough");
			}
			if deals && let Some(mut dealing) = self.world.people[index].dealt() {
				if lies && let Some(victim) = attempt.keys.iter().last() {
					spoil(&mut dealing, &attempt, victim);
					self.liars.insert(self.world.people[index].account);
				}
				let call = self.world.people[index].dealing_with(dealing);
				assert_eq!(send(call.clone()), Ok(()));
				assert!(in_pool(&call).is_err(), "once is enough");
			}
			let lies = lies && self.below(3) == 0;
			self.look_around(index, lies, tally);
			self.take_share(index);
			check();
		}
	}

	/// Looks at all dealings, complains with or without reason.
	fn look_around(&mut self, index: usize, lies: bool, tally: &mut Tally) {
		let Some(attempt) = Current::<Test>::get() else { return };
		let person = &mut self.world.people[index];
		let Some(own) = person.seats(&attempt).1.filter(|own| attempt.keys.contains(*own)) else {
			return;
		};
		// A member that has its share has forgotten the rest.
		if person.member.as_ref().is_none_or(|one| *one.ceremony() != attempt.ceremony) {
			return;
		}
		let judging = matches!(attempt.phase, Phase::Complaining { .. });
		if matches!(attempt.phase, Phase::Committing { .. } | Phase::Sharing { .. }) {
			return;
		}
		for dealer in attempt.dealings.iter() {
			if attempt.faults.bad_share.contains(dealer) {
				continue;
			}
			if lies
				&& judging && let Some(lie) = person.false_complaint(dealer)
			{
				let fresh = Current::<Test>::get().unwrap();
				let closed = fresh.faults.bad_share.contains(dealer)
					|| fresh.faults.false_complaint.contains(own);
				let sent = send(person.complaining(dealer, lie));
				assert_eq!(sent.is_ok(), !closed);
				// The share may have been bad indeed: then the lie was none.
				if Current::<Test>::get().unwrap().faults.false_complaint.contains(own) {
					self.liars.insert(person.account);
				}
			} else if Dealings::<Test>::contains_key(attempt.number(), dealer)
				&& let Some(complaint) = person.inspect(dealer, None)
				&& judging
			{
				let _ = send(person.complaining(dealer, complaint));
			}
			tally.late_receipts += u32::from(matches!(attempt.phase, Phase::Kept { .. }));
		}
	}

	fn take_share(&mut self, index: usize) {
		let Some((epoch, key)) = Keys::current_key() else { return };
		let person = &mut self.world.people[index];
		let Some(member) = &person.member else { return };
		if member.ceremony().id() != *key.sharing.ceremony() {
			return;
		}
		match member.finish(&key.sharing) {
			Ok(_) => person.take_share(epoch),
			// It was away when it should have complained, or the others were.
			Err(error) => assert!(matches!(error, ProtocolError::MissingShare(_)), "{error:?}"),
		}
	}

	fn ask(&mut self) {
		let Some(epoch) = CurrentEpoch::<Test>::get() else { return };
		self.clients += 1;
		let old = epoch.checked_sub(1).filter(|old| LiveKeys::<Test>::contains_key(old));
		let epoch = old.filter(|_| self.below(2) == 0).unwrap_or(epoch);
		let (blind, request, call) = Client::new(1_000 + self.clients).ask(epoch, CLUSTER);
		if send(call).is_ok() {
			self.asked.insert(Queue::<Test>::get().next - 1, (blind, request));
		}
	}

	/// Some member that may asks for a guard, perhaps once more.
	fn ask_guard(&mut self) {
		let Some((epoch, key)) = Keys::current_key() else { return };
		let new = Current::<Test>::get().filter(Attempt::is_open);
		let new = new.map(|attempt| attempt.ceremony.id()).filter(|_| self.below(2) == 0);
		let ceremony = new.unwrap_or(*key.sharing.ceremony());
		for index in self.shuffled() {
			let (blind, request, call) = self.world.people[index].ask_guard(epoch, ceremony);
			if send(call).is_ok() {
				self.asked.insert(Queue::<Test>::get().next - 1, (blind, request));
				return;
			}
		}
	}

	/// A crowd answers some request; whoever the worker heard, it gets the key of the epoch.
	fn answer(&mut self, tally: &mut Tally) {
		let RequestQueue { first, next } = Queue::<Test>::get();
		if first == next {
			return;
		}
		let id = first + self.below(next - first);
		for index in self.shuffled() {
			let before = Requests::<Test>::get(id).unwrap();
			if self.below(5) < 3 {
				continue;
			}
			let Some(call) = self.world.people[index].answer(id) else { continue };
			let _ = send(call);
			let after = Requests::<Test>::get(id).unwrap();
			tally.restarted +=
				u32::from(before.sharing != after.sharing && !before.answered.is_empty());
			check();
		}
		let request = Requests::<Test>::get(id).unwrap();
		let epoch = request.input.epoch();
		let live = LiveKeys::<Test>::get(epoch).filter(|key| key.number == request.sharing);
		if live.is_some() && request.fulfilled {
			let (blind, asked) = &self.asked[&id];
			match request.input {
				Input::Cluster(_) => {
					let key = combine(blind, asked, id).unwrap();
					assert_eq!(*self.keys.entry(epoch).or_insert(key), key, "one key an epoch");
					tally.keys += 1;
				}
				Input::Guard(input) => {
					let guard = combine_guard(blind, asked, id).unwrap();
					assert_eq!(*self.guards.entry(input).or_insert(guard), guard, "one guard");
					tally.guards += 1;
				}
			}
		}
	}

	/// What nobody may ever see.
	fn verify(&mut self, tally: &mut Tally) {
		check();
		for (epoch, record) in Epochs::<Test>::iter() {
			let known = *self.public.entry(epoch).or_insert(record.public_key);
			assert_eq!(known, record.public_key, "a handover keeps the key");
		}
		for report in reports() {
			let proven =
				matches!(report.class, OffenceClass::KeyCeremony | OffenceClass::FalseReport);
			assert!(!proven || self.liars.contains(&report.offender), "honest: {report:?}");
			*tally.convicted.entry(report.class).or_default() += 1;
		}
		for event in events() {
			match event {
				Event::KeyShared { purpose, .. } => {
					*tally.completed.entry(purpose as u8).or_default() += 1;
				}
				Event::CeremonyFailed { .. } => tally.failed += 1,
				Event::Unexpected { kind } => panic!("{kind:?}"),
				_ => {}
			}
		}
		for seat in Keys::office() {
			assert!(!Keys::may_unbond(&seat.account));
		}
		let free = |person: &&Person| Keys::may_unbond(&person.account);
		tally.unbonded += self.world.people.iter().filter(free).count() as u32;
	}
}

#[test]
fn random_ceremonies_keep_every_promise() {
	let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
	let cases = cases.unwrap_or(10);
	let mut tally = Tally::default();
	for seed in 0..cases {
		build_and_execute(|| {
			MaxRequests::set(50);
			let mut model = Model::new(seed);
			model.elect();
			for _ in 0..ACTS {
				model.act(&mut tally);
				model.verify(&mut tally);
			}
			// When everybody behaves, a set in waiting comes into office.
			model.elect();
			let _ = Keys::retry(RuntimeOrigin::root());
			pass(RETIREMENT + KEEP);
			reports();
		});
	}
	println!("{tally:?}");
	let Tally {
		completed,
		failed,
		convicted,
		keys,
		guards,
		restarted,
		stalls,
		unbonded,
		late_receipts,
	} = tally;
	for purpose in [Purpose::First, Purpose::Handover, Purpose::Rotation, Purpose::Replacement] {
		assert!(completed.get(&(purpose as u8)).is_some_and(|times| *times > 0), "{purpose:?}");
	}
	for class in [OffenceClass::Absence, OffenceClass::KeyCeremony, OffenceClass::FalseReport] {
		assert!(convicted.get(&class).is_some_and(|times| *times > 0), "{class:?}");
	}
	for times in [failed, keys, guards, restarted, stalls, unbonded, late_receipts] {
		assert!(times > 0);
	}
}
