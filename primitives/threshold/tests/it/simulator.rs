//! A thousand random ceremonies, one after the other on the same keys: crashes, late and repeated
//! messages in any order, members that vanish, and as many hostile ones as the threshold allows.

use core::mem::{Discriminant, discriminant};

use curve25519_dalek::Scalar;
use phala_threshold::*;
use rand_chacha::{
	ChaCha20Rng,
	rand_core::{RngCore, SeedableRng},
};

use crate::{
	chain::{Chain, Phase, Seats, interpolate, seat, shuffle, stolen},
	forger::{Forger, LIES, Lie, public, random},
};

/// What a person does in one ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
	/// Follows the protocol, and may crash between any two steps.
	Honest,
	/// Follows the protocol until this phase and comes back when all is over.
	Absent(Phase),
	/// Deals falsified shares to those whose bit is set.
	BadShares(Lie, u32),
	/// Reveals other commitments than promised.
	BreaksPromise,
	/// Publishes another's digest and dealing as its own.
	Copies,
	/// Reveals after the deadline.
	Late,
	/// In a resharing, deals a secret that is not its share.
	WrongConstant,
	/// Accuses every honest dealer, with true openings.
	FalseAccuser,
	/// Accuses every honest dealer, with false openings.
	FalseOpener,
}

impl Nature {
	fn random(rng: &mut ChaCha20Rng) -> Self {
		match rng.next_u32() % 11 {
			0 => Self::Absent(Phase::Committing),
			1 => Self::Absent(Phase::Sharing),
			2 => Self::Absent(Phase::Complaining),
			3 => Self::BreaksPromise,
			4 => Self::Copies,
			5 => Self::Late,
			6 => Self::WrongConstant,
			7 => Self::FalseAccuser,
			8 => Self::FalseOpener,
			_ => Self::BadShares(LIES[(rng.next_u32() % 3) as usize], rng.next_u32()),
		}
	}

	const fn accuses(self) -> bool {
		matches!(self, Self::FalseAccuser | Self::FalseOpener)
	}
}

struct Person {
	nature: Nature,
	seats: Seats,
	member: Member,
	forger: Forger,
}

fn chance(rng: &mut ChaCha20Rng, one_in: u32) -> bool {
	rng.next_u32().is_multiple_of(one_in)
}

impl Person {
	fn acts_in(&self, phase: Phase) -> bool {
		!matches!(self.nature, Nature::Absent(since) if since <= phase)
	}

	/// Takes a step, with crashes: before its state is saved, and after that but before anything is
	/// published.
	fn step<T>(
		&mut self,
		rng: &mut ChaCha20Rng,
		mut step: impl FnMut(&mut Member, &mut ChaCha20Rng) -> T,
	) -> T {
		if chance(rng, 4) {
			step(&mut Member::restore(&self.member.save()).unwrap(), rng);
		}
		let outcome = step(&mut self.member, rng);
		match chance(rng, 4) {
			true => {
				self.member = Member::restore(&self.member.save()).unwrap();
				step(&mut self.member, rng)
			}
			false => outcome,
		}
	}
}

/// One ceremony with everybody in it.
struct Run<'a> {
	chain: Chain,
	people: Vec<Person>,
	rng: &'a mut ChaCha20Rng,
}

impl Run<'_> {
	/// Sends every message in random order, some of them twice; `send` refuses repetitions.
	fn deliver<T>(
		&mut self,
		mut messages: Vec<T>,
		mut send: impl FnMut(&mut Chain, &T) -> Result<(), &'static str>,
	) {
		shuffle(&mut messages, self.rng);
		for message in &messages {
			let first = send(&mut self.chain, message);
			if chance(self.rng, 4) {
				let again = send(&mut self.chain, message);
				assert!(first.is_err() || again != Err("invalid"));
			}
		}
	}

	fn honest(&self, dealer: MemberIndex) -> bool {
		self.people.iter().any(|person| {
			person.seats.deals == Some(dealer)
				&& matches!(person.nature, Nature::Honest | Nature::Absent(_))
		})
	}

	fn commit(&mut self) {
		let mut messages = Vec::new();
		let mut digests = Vec::new();
		for person in &mut self.people {
			if !person.acts_in(Phase::Committing) {
				continue;
			}
			let mut registration =
				person.step(self.rng, |member, rng| member.registration(rng).unwrap());
			if person.nature == Nature::Honest {
				digests.extend(registration.digest);
			} else if !matches!(person.nature, Nature::Absent(_)) {
				registration.digest = person.seats.deals.map(|dealer| person.forger.digest(dealer));
			}
			if let Some(seat) = person.seats.receives.filter(|_| person.nature.accuses()) {
				registration.key = Some(person.forger.ceremony_key(seat, self.rng));
			}
			messages.push((person.seats, person.nature, registration));
		}
		// The hostile see what the others sent first.
		for (_, nature, registration) in &mut messages {
			if *nature == Nature::Copies {
				registration.digest = digests.first().copied();
			}
		}
		let messages = messages.into_iter().map(|(seats, _, message)| (seats, message)).collect();
		self.deliver(messages, |chain, (seats, message)| chain.register(*seats, message));
		self.chain.advance();
	}

	fn deal(&mut self) {
		let roster = self.chain.roster();
		let (mut messages, mut refused, mut copies) = (Vec::new(), Vec::new(), Vec::new());
		for person in &mut self.people {
			if !person.acts_in(Phase::Sharing) {
				continue;
			}
			if person.nature.accuses() {
				// Its member does not know the key in its seat, and says so.
				if person.seats.receives.is_some() {
					let refusal = person.member.deal(&roster, self.rng);
					assert_eq!(refusal, Err(Error::OwnKeyReplaced));
				}
			} else {
				let dealing =
					person.step(self.rng, |member, rng| member.deal(&roster, rng).unwrap());
				if matches!(person.nature, Nature::Honest | Nature::Absent(_)) {
					messages.extend(person.seats.deals.zip(dealing));
					continue;
				}
			}
			let Some(dealer) = person.seats.deals else { continue };
			let forger = &mut person.forger;
			if person.nature == Nature::BreaksPromise {
				forger.coefficients[1] = random(self.rng);
			}
			let dealing = forger.dealing(
				dealer,
				&roster,
				|victim| match person.nature {
					Nature::BadShares(lie, victims) => {
						(victims >> (victim.get() - 1) & 1 == 1).then_some(lie)
					}
					_ => None,
				},
				self.rng,
			);
			match person.nature {
				Nature::BreaksPromise | Nature::Late => refused.push((dealer, dealing)),
				Nature::WrongConstant if self.chain.constant(dealer).is_some() => {
					refused.push((dealer, dealing))
				}
				Nature::Copies => copies.push(dealer),
				_ => messages.push((dealer, dealing)),
			}
		}
		if let Some((_, dealing)) = messages.first() {
			refused.extend(copies.into_iter().map(|dealer| (dealer, dealing.clone())));
		}
		self.deliver(messages, |chain, (dealer, dealing)| chain.deal(*dealer, dealing));
		let late = |people: &[Person], dealer| {
			people
				.iter()
				.any(|person| person.seats.deals == Some(dealer) && person.nature == Nature::Late)
		};
		for (dealer, dealing) in &refused {
			if !late(&self.people, *dealer) {
				assert!(self.chain.deal(*dealer, dealing).is_err());
			}
		}
		self.chain.advance();
		for (dealer, dealing) in &refused {
			assert_eq!(self.chain.deal(*dealer, dealing), Err("late"));
		}
	}

	fn complain(&mut self) {
		let mut messages = Vec::new();
		for index in 0..self.people.len() {
			let person = &mut self.people[index];
			let Some(complainer) = person.seats.receives else { continue };
			if person.acts_in(Phase::Complaining) && !person.nature.accuses() {
				let chain = &self.chain;
				let complaints = person.step(self.rng, |member, rng| {
					// Some dealings arrive before others.
					let early = chain.inspect(member, rng, 2);
					let all = chain.inspect(member, rng, 1);
					assert!(early.iter().all(|(dealer, _)| all.iter().any(|(d, _)| d == dealer)));
					all
				});
				messages.extend(complaints.into_iter().map(|(dealer, c)| (complainer, dealer, c)));
			}
			let nature = self.people[index].nature;
			if nature.accuses() {
				let factor = match nature {
					Nature::FalseAccuser => Scalar::ONE,
					_ => Scalar::from(2u8),
				};
				for (dealer, dealing) in &self.chain.dealings {
					if self.honest(*dealer) {
						let complaint = self.people[index]
							.forger
							.complaint(complainer, *dealer, dealing, factor, self.rng);
						messages.push((complainer, *dealer, complaint));
					}
				}
			}
		}
		self.deliver(messages, |chain, (complainer, dealer, complaint)| {
			chain.complain(*complainer, *dealer, complaint).map(drop)
		});
		self.chain.advance();
	}

	/// Honest people are never convicted, and those who can be always are.
	fn check_convictions(&self) {
		for person in &self.people {
			let convicted =
				person.seats.deals.and_then(|dealer| self.chain.faulty_dealers.get(&dealer));
			let seen = |victims: u32| {
				self.people.iter().any(|other| {
					other.acts_in(Phase::Complaining)
						&& !other.nature.accuses()
						&& other.seats.receives.is_some_and(|seat| {
							victims >> (seat.get() - 1) & 1 == 1
								&& self.chain.recipients().contains(seat)
						})
				})
			};
			match (person.nature, person.seats.deals) {
				(Nature::BadShares(lie, victims), Some(_)) if seen(victims) => {
					let expected = match lie {
						Lie::Garbage => ShareFault::Undecipherable,
						Lie::NonCanonical => ShareFault::NotAScalar,
						Lie::WrongValue => ShareFault::Mismatch,
					};
					assert_eq!(convicted, Some(&expected));
				}
				_ => assert_eq!(convicted, None, "{:?}", person.nature),
			}
			let abuse =
				person.seats.receives.and_then(|seat| self.chain.faulty_complainers.get(&seat));
			let expected = match person.nature {
				_ if person.seats.receives.is_none() => None,
				Nature::FalseAccuser => Some(&Abuse::ShareIsValid),
				Nature::FalseOpener => Some(&Abuse::FalseOpening),
				_ => None,
			};
			assert_eq!(abuse, expected);
		}
	}

	/// All who were there hold a share; those who come back do too, unless their share was bad and
	/// nobody else's was.
	fn finish(&mut self, sharing: &Sharing) -> Vec<KeyShare> {
		let mut shares = Vec::new();
		for person in &mut self.people {
			if person.nature.accuses() {
				continue;
			}
			let absent = matches!(person.nature, Nature::Absent(_));
			if absent {
				if person.member.deal(&self.chain.roster(), self.rng).is_err() {
					continue;
				}
				self.chain.inspect(&mut person.member, self.rng, 1);
			}
			match person.step(self.rng, |member, _| member.finish(sharing)) {
				Ok(share) => {
					let holds =
						person.seats.receives.is_some_and(|seat| sharing.holders().contains(seat));
					assert_eq!(share.is_some(), holds);
					shares.extend(share);
				}
				Err(error) => {
					assert!(absent && matches!(error, Error::MissingShare(_)), "{error}");
				}
			}
		}
		shares
	}
}

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
