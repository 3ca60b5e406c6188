//! A thousand random ceremonies, one after the other on the same keys: crashes, late and repeated
//! messages in any order, members that vanish, and as many hostile ones as the threshold allows.

mod person;
mod run;

use core::mem::{Discriminant, discriminant};

use phala_threshold::*;
use rand_chacha::{
	ChaCha20Rng,
	rand_core::{RngCore, SeedableRng},
};

use crate::{
	chain::{Chain, Seats, interpolate, seat, shuffle, stolen},
	forger::{Forger, Lie, public},
};
use person::{Nature, Person, chance};
use run::Run;

/// Runs one ceremony and checks everything about it.
fn ceremony(
	previous: Option<(&Sharing, &[KeyShare])>,
	size: u8,
	tally: &mut Vec<Discriminant<Nature>>,
	rng: &mut ChaCha20Rng,
) -> (Sharing, Vec<KeyShare>) {
	let chain = Chain::open(previous.map(|(sharing, _)| sharing), size, rng);
	let members = chain.ceremony.size.seats();

	// Who takes part, in which roles; `None` is an old member that lost its share.
	let mut roles: Vec<Role> = Vec::new();
	let mut lost = 0;
	match previous {
		None => roles.extend(members.iter().map(Role::Generate)),
		Some((sharing, shares)) => {
			lost = sharing.size().members() - shares.len() as u8;
			let mut seats: Vec<_> = members.iter().collect();
			shuffle(&mut seats, rng);
			for share in shares {
				let share = KeyShare::restore(&share.save()).unwrap();
				roles.push(match seats.pop().filter(|_| !chance(rng, 3)) {
					Some(seat) => Role::Stay(share, seat),
					None => Role::HandOver(share),
				});
			}
			let taken: MemberSet =
				roles.iter().filter_map(|role| crate::chain::seats(role).receives).collect();
			roles.extend(members.without(taken).iter().map(Role::Receive));
		}
	}

	// Faults, as long as both sets bear them.
	let slack = |set: Threshold| set.members() - set.required();
	let mut dealer_faults = slack(chain.ceremony.dealing_set()).saturating_sub(lost);
	let mut recipient_faults = slack(chain.ceremony.size);
	let mut order: Vec<_> = (0..roles.len()).collect();
	shuffle(&mut order, rng);
	let mut natures = vec![Nature::Honest; roles.len()];
	for index in order {
		let seats = crate::chain::seats(&roles[index]);
		let (deals, receives) = (seats.deals.is_some().into(), seats.receives.is_some().into());
		if dealer_faults >= deals && recipient_faults >= receives && !chance(rng, 4) {
			dealer_faults -= deals;
			recipient_faults -= receives;
			natures[index] = Nature::random(rng);
		}
	}

	let people = roles
		.into_iter()
		.zip(natures)
		.map(|(role, nature)| {
			let seats = crate::chain::seats(&role);
			let share = match &role {
				Role::HandOver(share) | Role::Stay(share, _) if nature != Nature::WrongConstant => {
					Some(stolen(share).1)
				}
				_ => None,
			};
			let forger = Forger::new(chain.ceremony.clone(), share, rng);
			let member = Member::join(chain.ceremony.clone(), role, rng).unwrap();
			Person { nature, seats, member, forger }
		})
		.collect();

	let mut run = Run { chain, people, rng };
	tally.extend(run.people.iter().map(|person| discriminant(&person.nature)));
	run.commit();
	run.deal();
	run.complain();
	run.check_convictions();
	let sharing = run.chain.finalise().expect("enough honest members took part");
	let mut shares = run.finish(&sharing);

	// Any t shares are the key.
	let required = usize::from(sharing.size().required());
	assert!(shares.len() >= required);
	for _ in 0..2 {
		shuffle(&mut shares, rng);
		let some: Vec<_> = shares[..required].iter().map(stolen).collect();
		assert_eq!(public(&interpolate(&some)), *sharing.public_key());
	}
	for share in &shares {
		assert_eq!(public(&stolen(share).1), sharing.verification_share(share.index()).unwrap());
	}
	(sharing, shares)
}

fn random_size(rng: &mut ChaCha20Rng) -> u8 {
	match rng.next_u32() % 100 {
		0 => 16 + (rng.next_u32() % 17) as u8,
		1..=9 => 8 + (rng.next_u32() % 5) as u8,
		_ => 2 + (rng.next_u32() % 5) as u8,
	}
}

fn simulate(ceremonies: usize, seed: u64) {
	let mut rng = ChaCha20Rng::seed_from_u64(seed);
	let mut key: Option<(Sharing, Vec<KeyShare>)> = None;
	let mut tally = Vec::new();
	for number in 0..ceremonies {
		let size = random_size(&mut rng);
		// Every seventh or so is a rotation.
		let previous = key.take().filter(|_| !chance(&mut rng, 7));
		let (sharing, shares) = ceremony(
			previous.as_ref().map(|(sharing, shares)| (sharing, &shares[..])),
			size,
			&mut tally,
			&mut rng,
		);
		if let Some((before, _)) = previous {
			assert_eq!(sharing.public_key(), before.public_key(), "ceremony {number}");
			assert_ne!(
				sharing.verification_share(sharing.holders().first().unwrap()),
				before.verification_share(before.holders().first().unwrap()),
			);
		}
		key = Some((sharing, shares));
	}
	// Every fault was there, and often.
	for _ in 0..1_000 {
		let nature = discriminant(&Nature::random(&mut rng));
		let times = tally.iter().filter(|seen| **seen == nature).count();
		assert!(times > ceremonies / 20, "{nature:?}: {times}");
	}
}

#[test]
fn five_hundred_ceremonies_survive_their_members() {
	simulate(500, 1);
}

#[test]
fn another_five_hundred_ceremonies_survive_their_members() {
	simulate(500, 2);
}

/// Too many faults: the ceremony fails with a reason, convicts only the faulty, and the old shares
/// still work.
#[test]
fn ceremonies_fail_safely_beyond_the_threshold() {
	let mut rng = ChaCha20Rng::seed_from_u64(3);
	let mut chain = Chain::open(None, 5, &mut rng);
	let forgers: Vec<_> =
		(1..=5).map(|_| Forger::new(chain.ceremony.clone(), None, &mut rng)).collect();
	let mut honest =
		Member::join(chain.ceremony.clone(), Role::Generate(seat(1)), &mut rng).unwrap();
	let seats = |index| Seats { deals: Some(seat(index)), receives: Some(seat(index)) };
	let registration = honest.registration(&mut rng).unwrap();
	chain.register(seats(1), &registration).unwrap();
	for (index, forger) in (2..).zip(&forgers[1..]) {
		let registration = Registration {
			key: Some(forger.ceremony_key(seat(index), &mut rng)),
			digest: Some(forger.digest(seat(index))),
		};
		chain.register(seats(index), &registration).unwrap();
	}
	chain.advance();
	let dealing = honest.deal(&chain.roster(), &mut rng).unwrap().unwrap();
	chain.deal(seat(1), &dealing).unwrap();
	for (index, forger) in (2..).zip(&forgers[1..]) {
		let lie = |recipient: MemberIndex| (recipient.get() == 1).then_some(Lie::WrongValue);
		let dealing = forger.dealing(seat(index), &chain.roster(), lie, &mut rng);
		chain.deal(seat(index), &dealing).unwrap();
	}
	chain.advance();
	let complaints = chain.inspect(&mut honest, &mut rng, 1);
	assert_eq!(complaints.len(), 4);
	for (dealer, complaint) in complaints {
		assert_eq!(
			chain.complain(seat(1), dealer, &complaint),
			Ok(Verdict::DealerFaulty(ShareFault::Mismatch)),
		);
	}
	assert_eq!(chain.finalise(), Err(Error::NotEnoughDealers));
	assert!(!chain.faulty_dealers.contains_key(&seat(1)));
	assert!(chain.faulty_complainers.is_empty());
}
