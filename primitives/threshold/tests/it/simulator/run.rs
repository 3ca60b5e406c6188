//! One ceremony, phase by phase.

use curve25519_dalek::Scalar;
use phala_threshold::*;
use rand_chacha::ChaCha20Rng;

use super::person::{Nature, Person, chance};
use crate::{
	chain::{Chain, Phase, shuffle},
	forger::{Lie, random},
};

/// One ceremony with everybody in it.
pub struct Run<'a> {
	pub chain: Chain,
	pub people: Vec<Person>,
	pub rng: &'a mut ChaCha20Rng,
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

	pub fn commit(&mut self) {
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

	pub fn deal(&mut self) {
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

	pub fn complain(&mut self) {
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
	pub fn check_convictions(&self) {
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
	pub fn finish(&mut self, sharing: &Sharing) -> Vec<KeyShare> {
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
