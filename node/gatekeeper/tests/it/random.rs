//! Random histories: elections, rotations, kills, absences, forgetful pools and requests, in any order.
//!
//! `PROPTEST_CASES` sets the number of histories.

use crate::{
	chain::RETIREMENT,
	crowd::{Client, Crowd},
};
use phala_primitives::OffenceClass;
use rand_chacha::{
	ChaCha20Rng,
	rand_core::{RngCore, SeedableRng},
};
use std::collections::BTreeMap;

const PEOPLE: u8 = 6;
const ROUNDS: u32 = 400;

struct History {
	crowd: Crowd,
	rng: ChaCha20Rng,
	clients: Vec<(u32, Client)>,
	asked: u8,
	/// Public keys and cluster keys by epoch.
	public: BTreeMap<u32, phala_threshold::Element>,
	keys: BTreeMap<u32, [u8; 32]>,
	obtained: u32,
}

impl History {
	fn below(&mut self, end: u32) -> u32 {
		self.rng.next_u32() % end
	}

	fn set(&mut self) -> Vec<u8> {
		let mut all: Vec<u8> = (1..=PEOPLE).collect();
		for last in (1..all.len()).rev() {
			let other = self.below(last as u32 + 1) as usize;
			all.swap(last, other);
		}
		all.truncate(3 + self.below(4) as usize);
		all
	}

	fn act(&mut self) {
		match self.below(100) {
			0..=1 => {
				let set = self.set();
				self.crowd.elect(&set);
			}
			2 => self.crowd.chain.borrow_mut().rotate(false),
			3..=20 => {
				let (who, points) = (1 + self.below(PEOPLE.into()) as u8, self.below(12));
				self.crowd.person(who).kill_after(points);
			}
			21..=25 => self.crowd.chain.borrow_mut().forget(),
			26..=28 if self.asked < 100 => {
				if let Some((epoch, ..)) = self.crowd.key() {
					self.asked += 1;
					let client = self.crowd.client(100 + self.asked);
					self.clients.push((epoch, client));
				}
			}
			_ => {}
		}
	}

	/// Nothing happens any more. Then everybody has what is theirs, and nothing else.
	fn come_to_rest(&mut self) {
		self.crowd.people.iter().for_each(|person| person.kill_after(u32::MAX));
		for _ in 0..RETIREMENT {
			self.crowd.round();
			self.check();
			if self.crowd.is_idle() {
				break;
			}
		}
		self.crowd.rounds(6);
		let held = self.crowd.shares_to_hold();
		for person in &self.crowd.people {
			let mine = held.get(&person.worker().0).cloned().unwrap_or_default();
			assert_eq!(person.files("share"), mine, "{}", person.account);
			assert!(person.files("part").is_empty(), "{}", person.account);
		}
	}

	fn check(&mut self) {
		if let Some((epoch, _, public)) = self.crowd.key() {
			assert_eq!(*self.public.entry(epoch).or_insert(public), public, "one key an epoch");
		}
		let (keys, live) = (&mut self.keys, self.public.keys().max().copied());
		let obtained = &mut self.obtained;
		// The old key's retirement is longer than a history's questions take.
		self.clients.retain_mut(|(epoch, client)| {
			if live.is_some_and(|live| *epoch < live) {
				return false;
			}
			let Some(key) = client.run(*epoch) else { return true };
			assert_eq!(*keys.entry(*epoch).or_insert(key), key, "one cluster key an epoch");
			*obtained += 1;
			false
		});
		for (class, who) in self.crowd.chain.borrow().reported() {
			assert_eq!(class, OffenceClass::Absence, "{who} is honest");
		}
	}
}

#[test]
fn whatever_happens_there_is_one_key_an_epoch_and_nobody_lies() {
	let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
	let (mut obtained, mut handovers, mut lives) = (0, 0, 0);
	for seed in 0..cases.unwrap_or(12u64) {
		let crowd = Crowd::with_key(PEOPLE, &[1, 2, 3, 4, 5]);
		crowd.people.iter().for_each(|person| person.fuse.looks.set(true));
		let mut history = History {
			crowd,
			rng: ChaCha20Rng::seed_from_u64(seed),
			clients: vec![],
			asked: 0,
			public: BTreeMap::new(),
			keys: BTreeMap::new(),
			obtained: 0,
		};
		for _ in 0..ROUNDS {
			history.act();
			history.crowd.round();
			history.check();
		}
		history.come_to_rest();
		history.crowd.assert_no_errors();
		obtained += history.obtained;
		lives += history.crowd.people.iter().map(|person| person.lives).sum::<u64>();
		handovers += history.crowd.key().unwrap().1;
	}
	assert!(obtained > 10 && handovers > 10 && lives > 100, "{obtained} {handovers} {lives}");
}
