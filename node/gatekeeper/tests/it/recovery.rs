//! Old blocks, of which a node may say what it likes.

use crate::{chain::Test, crowd::Crowd};
use codec::Encode;
use pallet_gatekeeper_keys::{
	self as pallet,
	types::{Attempt, Phase},
};
use phala_gatekeeper::engine::Done;
use phala_node_common::{board, chain::Item};
use phala_threshold::{CeremonyKey, Member, MemberIndex, MemberSet, Registration, Role, Roster};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::collections::BTreeMap;

type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// The gatekeeper that is lied to, and its seat.
const VICTIM: u8 = 5;

fn seat(number: u8) -> MemberIndex {
	MemberIndex::new(number).unwrap()
}

fn put<T>(state: &mut State, item: Item<T>, value: &impl Encode) {
	state.insert(item.key().to_vec(), value.encode());
}

/// A dealer of a new key that is not the one who was there.
fn liar(attempt: &Attempt, seat: MemberIndex, rng: &mut ChaCha20Rng) -> (Member, Registration) {
	let member = Member::join(attempt.ceremony.clone(), Role::Generate(seat), rng).unwrap();
	let registration = member.registration(rng).unwrap();
	(member, registration)
}

/// A ceremony as it might have been: everybody else's keys and dealings are a liar's, and whole. The victim
/// is among the recipients if its key is given.
fn forged(attempt: &Attempt, key: Option<CeremonyKey>) -> State {
	let (number, rng) = (attempt.number(), &mut ChaCha20Rng::seed_from_u64(1));
	let (mut state, mut roster) = (State::new(), Roster::new(attempt.ceremony.id()));
	let victim = seat(VICTIM);
	if let Some(key) = key {
		roster.insert(victim, &key).unwrap();
		put(&mut state, board::ceremony_key(number, victim), &key);
	}
	let mut liars = vec![];
	for dealer in (1..VICTIM).map(seat) {
		let (member, Registration { key, digest }) = liar(attempt, dealer, rng);
		roster.insert(dealer, &key.unwrap()).unwrap();
		put(&mut state, board::ceremony_key(number, dealer), &key.unwrap());
		put(&mut state, board::digest(number, dealer), &digest.unwrap());
		liars.push((dealer, member));
	}
	for (dealer, mut member) in liars {
		let dealing = member.deal(&roster, rng).unwrap().unwrap();
		put(&mut state, board::dealing(number, dealer), &dealing);
	}
	let told = Attempt { keys: roster.recipients(), phase: Phase::Reporting, ..attempt.clone() };
	put(&mut state, board::current(), &told);
	state
}

#[test]
fn lies_about_old_blocks_change_nothing_and_the_truth_helps_later() {
	let mut crowd = Crowd::new(VICTIM);
	crowd.elect(&[1, 2, 3, 4, VICTIM]);
	crowd.until_phase("sharing", |phase| matches!(phase, Phase::Sharing { .. }));
	crowd.person(VICTIM).down = true;
	let attempt = crowd.chain.borrow_mut().attempt().unwrap();
	let (number, victim) = (attempt.number(), seat(VICTIM));
	let key = || pallet::CeremonyKeys::<Test>::get(number, victim);
	let key = crowd.chain.borrow_mut().at(key).unwrap();
	crowd.until("the first key", |crowd| crowd.key().is_some());
	crowd.settle();
	assert_eq!(crate::crowd::dealings_on_record(&mut crowd, number), 0, "all is cleared");
	crowd.person(VICTIM).down = false;

	let (_, another) = liar(&attempt, victim, &mut ChaCha20Rng::seed_from_u64(2));
	let (mut replaced, mut garbage) = (State::new(), State::new());
	put(&mut replaced, board::ceremony_key(number, victim), &another.key.unwrap());
	put(&mut garbage, board::dealing(number, seat(1)), &1u8);
	let lies = [
		("other dealings", forged(&attempt, Some(key))),
		("other dealings, to others", forged(&attempt, None)),
		("another's key", replaced),
		("no dealing", garbage),
	];
	let dealers: MemberSet = (1..VICTIM).map(seat).collect();
	let file = format!("part-{number}.sealed");
	let before = crowd.person(VICTIM).content(&file);
	for (lie, state) in lies {
		let person = crowd.person(VICTIM);
		person.gate.forged = state;
		person.done.clear();
		person.restart();
		crowd.rounds(2);
		let person = crowd.person(VICTIM);
		assert_eq!(person.done, [Done::Missed(number, dealers)], "{lie}");
		assert_eq!(person.content(&file), before, "{lie}");
		let last = person.last.as_ref().unwrap();
		assert_eq!(last.memory.parts[&number].seen, MemberSet::EMPTY, "{lie}");
	}

	crowd.person(VICTIM).gate.forged.clear();
	crowd.rounds(20);
	assert!(crowd.person(VICTIM).files("share").is_empty(), "it does not look at every block");
	crowd.until("the share", |crowd| crowd.person(VICTIM).files("share") == [number]);
	assert!(crowd.person(VICTIM).files("part").is_empty());
	crowd.assert_no_errors();
}
