//! The wire format: canonical, bounded, and any bent byte is noticed.

use codec::{Decode, Encode, MaxEncodedLen};
use phala_threshold::*;
use rand_chacha::{
	ChaCha20Rng,
	rand_core::{RngCore, SeedableRng},
};

use crate::{
	chain::{Chain, Seats, World, seat},
	forger::Forger,
};

/// Calls `accepts` with every message that differs from `message` in one bit of one byte and
/// decodes. None may be accepted.
fn bend<T: Encode + Decode>(message: &T, rng: &mut ChaCha20Rng, accepts: impl Fn(&T) -> bool) {
	assert!(accepts(message));
	let bytes = message.encode();
	for index in 0..bytes.len() {
		for bit in [0, 7, rng.next_u32() % 8] {
			let mut bent = bytes.clone();
			bent[index] ^= 1 << bit;
			if let Ok(bent) = T::decode(&mut &bent[..]) {
				assert!(!accepts(&bent), "bit {bit} of byte {index}");
			}
		}
	}
}

struct Setting {
	chain: Chain,
	forgers: Vec<Forger>,
	rng: ChaCha20Rng,
}

/// A generation among four whose secrets the test knows, with all dealings on chain.
fn setting(seed: u64) -> Setting {
	let mut rng = ChaCha20Rng::seed_from_u64(seed);
	let mut chain = Chain::open(None, 4, &mut rng);
	let forgers: Vec<_> =
		(0..4).map(|_| Forger::new(chain.ceremony.clone(), None, &mut rng)).collect();
	for (index, forger) in (1..).zip(&forgers) {
		let seat = seat(index);
		let registration = Registration {
			key: Some(forger.ceremony_key(seat, &mut rng)),
			digest: Some(forger.digest(seat)),
		};
		chain.register(Seats { deals: Some(seat), receives: Some(seat) }, &registration).unwrap();
	}
	chain.advance();
	for (index, forger) in (1..).zip(&forgers) {
		let dealing = forger.dealing(seat(index), &chain.roster(), |_| None, &mut rng);
		chain.deal(seat(index), &dealing).unwrap();
	}
	chain.advance();
	Setting { chain, forgers, rng }
}

#[test]
fn the_second_implementation_agrees() {
	let Setting { chain, .. } = setting(1);
	chain.finalise().unwrap();
}

#[test]
fn bent_ceremony_keys_are_refused() {
	let Setting { chain, mut rng, .. } = setting(2);
	let id = chain.ceremony.id();
	let key = chain.keys[&seat(1)];
	bend(&key, &mut rng, |key| key.verify(&id, seat(1)).is_ok());
	assert_eq!(key.verify(&id, seat(2)), Err(Error::InvalidKeyProof));
	assert_eq!(key.verify(&CeremonyId([0; 32]), seat(1)), Err(Error::InvalidKeyProof));
	let mut roster = Roster::new(id);
	roster.insert(seat(1), &key).unwrap();
	assert_eq!(roster.insert(seat(1), &key), Err(Error::DuplicateKey(seat(1))));
}

#[test]
fn bent_dealings_are_refused_or_convicted() {
	let Setting { chain, mut rng, .. } = setting(3);
	let dealing = &chain.dealings[&seat(2)];
	let digest = chain.digests[&seat(2)];
	let verify = |dealing: &Dealing| {
		dealing.verify(&chain.ceremony, seat(2), &digest, chain.recipients(), Constant::Fresh)
	};
	// Recipients notice a bent share: all else the chain notices.
	let open = Dealing { shares: Default::default(), ..dealing.clone() };
	bend(&open, &mut rng, |open| {
		verify(&Dealing { shares: dealing.shares.clone(), ..open.clone() }).is_ok()
	});
	let short = Dealing { shares: dealing.shares[1..].to_vec().try_into().unwrap(), ..open };
	assert_eq!(verify(&short), Err(Error::WrongShareCount));
}

#[test]
fn dealings_break_one_rule_each() {
	let Setting { chain, mut forgers, mut rng } = setting(4);
	let recipients = chain.recipients();
	let (digest, other) = (chain.digests[&seat(1)], chain.digests[&seat(2)]);
	let dealing = &chain.dealings[&seat(1)];
	let verify = |dealing: &Dealing, dealer, digest| {
		dealing.verify(&chain.ceremony, dealer, &digest, recipients, Constant::Fresh)
	};
	assert_eq!(verify(dealing, seat(1), other), Err(Error::DigestMismatch));
	assert_eq!(verify(dealing, seat(2), digest), Err(Error::DigestMismatch));
	assert_eq!(verify(dealing, seat(5), digest), Err(Error::NotADealer(seat(5))));
	let stranger = &chain.dealings[&seat(2)];
	let bent = Dealing { proof: stranger.proof, ..dealing.clone() };
	assert_eq!(verify(&bent, seat(1), digest), Err(Error::InvalidDealerProof));
	// Another's ephemeral key, with that other's proof or with one's own.
	let stolen = Dealing {
		ephemeral: stranger.ephemeral,
		ephemeral_proof: stranger.ephemeral_proof,
		..dealing.clone()
	};
	assert_eq!(verify(&stolen, seat(1), digest), Err(Error::InvalidEphemeralProof));
	let stolen = Dealing { ephemeral_proof: dealing.ephemeral_proof, ..stolen };
	assert_eq!(verify(&stolen, seat(1), digest), Err(Error::InvalidEphemeralProof));
	let own = forgers[0].commitments();
	assert_eq!(
		dealing.verify(
			&chain.ceremony,
			seat(1),
			&digest,
			recipients,
			Constant::Share(own.constant())
		),
		Err(Error::WrongRole),
	);
	// A polynomial of a higher degree.
	let last = forgers[0].coefficients[1];
	forgers[0].coefficients.push(last);
	let digest = forgers[0].digest(seat(1));
	let long = forgers[0].dealing(seat(1), &chain.roster(), |_| None, &mut rng);
	assert_eq!(verify(&long, seat(1), digest), Err(Error::WrongCommitmentCount));
}

#[test]
fn bent_complaints_convict_the_complainer() {
	let Setting { mut chain, forgers, mut rng } = setting(5);
	let honest = &chain.dealings[&seat(2)];
	let complaint =
		forgers[0].complaint(seat(1), seat(2), honest, curve25519_dalek::Scalar::ONE, &mut rng);
	let id = chain.ceremony.id();
	let faulty = {
		let mut dealing = honest.clone();
		dealing.shares[0][0] ^= 1;
		dealing
	};
	let case = |dealing, complainer| Case {
		ceremony: &id,
		dealer: seat(2),
		dealing,
		recipients: chain.recipients(),
		complainer: seat(complainer),
		key: &chain.keys[&seat(1)].key,
	};
	// The dealer of a faulty share is convicted by the true opening only.
	let guilty = Ok(Verdict::DealerFaulty(ShareFault::Undecipherable));
	bend(&complaint, &mut rng, |complaint| match judge(&case(&faulty, 1), complaint) {
		Ok(Verdict::ComplainerFaulty(Abuse::FalseOpening)) => false,
		verdict => {
			assert_eq!(verdict, guilty);
			true
		}
	});
	// The dealer of a good one never.
	let valid = Ok(Verdict::ComplainerFaulty(Abuse::ShareIsValid));
	bend(&complaint, &mut rng, |complaint| match judge(&case(honest, 1), complaint) {
		Ok(Verdict::ComplainerFaulty(Abuse::FalseOpening)) => false,
		verdict => {
			assert_eq!(verdict, valid);
			true
		}
	});
	assert_eq!(
		judge(&case(honest, 2), &complaint),
		Ok(Verdict::ComplainerFaulty(Abuse::FalseOpening)),
	);
	assert_eq!(judge(&case(honest, 9), &complaint), Err(Error::NotARecipient(seat(9))));
	chain.complain(seat(1), seat(2), &complaint).unwrap();
	assert_eq!(chain.finalise().unwrap().holders().len(), 3);
}

#[test]
fn every_bent_share_convicts_its_dealer() {
	let Setting { chain, forgers, mut rng } = setting(6);
	let id = chain.ceremony.id();
	let honest = &chain.dealings[&seat(3)];
	for byte in 0..48 {
		let mut dealing = honest.clone();
		dealing.shares[1][byte] ^= 1 << (rng.next_u32() % 8);
		let one = curve25519_dalek::Scalar::ONE;
		let complaint = forgers[1].complaint(seat(2), seat(3), &dealing, one, &mut rng);
		let case = Case {
			ceremony: &id,
			dealer: seat(3),
			dealing: &dealing,
			recipients: chain.recipients(),
			complainer: seat(2),
			key: &chain.keys[&seat(2)].key,
		};
		assert_eq!(judge(&case, &complaint), Ok(Verdict::DealerFaulty(ShareFault::Undecipherable)),);
	}
}

#[test]
fn aggregation_takes_each_qualified_dealer_once() {
	let Setting { chain, .. } = setting(7);
	let (qualified, all) = (chain.qualified(), chain.recipients());
	let open = |qualified, holders| Aggregation::new(chain.ceremony.clone(), qualified, holders);
	let few: MemberSet = all.iter().take(2).collect();
	assert_eq!(open(few, all), Err(Error::NotEnoughDealers));
	assert_eq!(open(qualified, few), Err(Error::NotEnoughHolders));
	let outside: MemberSet = all.iter().skip(1).chain([seat(5)]).collect();
	assert_eq!(open(outside, all), Err(Error::NotEnoughDealers));
	assert_eq!(open(qualified, outside), Err(Error::NotEnoughHolders));
	let mut aggregation = open(qualified, all).unwrap();
	let commitments = |dealer| &chain.dealings[&seat(dealer)].commitments;
	assert_eq!(aggregation.add(seat(2), commitments(2)), Err(Error::OutOfOrder));
	aggregation.add(seat(1), commitments(1)).unwrap();
	assert_eq!(aggregation.add(seat(1), commitments(1)), Err(Error::OutOfOrder));
	assert_eq!(aggregation.finish(), Err(Error::Unfinished));
}

#[test]
fn sizes_are_bounded() {
	assert_eq!(Dealing::max_encoded_len(), 2_242);
	assert_eq!(Complaint::max_encoded_len(), 96);
	assert_eq!(CeremonyKey::max_encoded_len(), 96);
	assert_eq!(Registration::max_encoded_len(), 130);
	assert_eq!(Request::max_encoded_len(), 96);
	assert_eq!(Partial::max_encoded_len(), 96);
	assert_eq!(Sharing::max_encoded_len(), 586);
	let mut rng = ChaCha20Rng::seed_from_u64(8);
	let chain = Chain::open(None, 32, &mut rng);
	let mut roster = Roster::new(chain.ceremony.id());
	let forger = Forger::new(chain.ceremony.clone(), None, &mut rng);
	for seat in chain.ceremony.size.seats().iter() {
		roster.insert(seat, &forger.ceremony_key(seat, &mut rng)).unwrap();
	}
	let dealing = forger.dealing(seat(32), &roster, |_| None, &mut rng);
	assert_eq!(dealing.encoded_size(), Dealing::max_encoded_len());
	// One commitment or share more does not decode.
	let mut bytes = dealing.encode();
	assert_eq!(bytes[32], 16 << 2);
	bytes[32] += 4;
	assert!(Dealing::decode(&mut &bytes[..]).is_err());
	for invalid in [[0u8], [33], [255]] {
		assert!(MemberIndex::decode(&mut &invalid[..]).is_err());
	}
}

#[test]
fn proofs_decode_canonical_scalars_only() {
	let mut order = [0; 32];
	order[..16].copy_from_slice(&0x14def9dea2f79cd65812631a5cf5d3ed_u128.to_le_bytes());
	order[31] = 0x10;
	let mut below = order;
	below[0] -= 1;
	assert!(Proof::decode(&mut &(below, below).encode()[..]).is_ok());
	assert!(Proof::decode(&mut &(order, below).encode()[..]).is_err());
	assert!(Proof::decode(&mut &(below, order).encode()[..]).is_err());
	assert!(Proof::decode(&mut &(below, [255u8; 32]).encode()[..]).is_err());
}

#[test]
fn members_refuse_what_is_not_the_finalised_chain() {
	let Setting { chain, .. } = setting(9);
	let mut rng = ChaCha20Rng::seed_from_u64(10);
	let fresh = |role, rng: &mut _| Member::join(chain.ceremony.clone(), role, rng);
	let mut member = fresh(Role::Generate(seat(1)), &mut rng).unwrap();
	let dealing = &chain.dealings[&seat(2)];
	let digest = &chain.digests[&seat(2)];
	let received = member.receive(seat(2), digest, Constant::Fresh, dealing, &mut rng);
	assert_eq!(received, Err(Error::RosterUnknown));
	// Seat 1 has another's key.
	assert_eq!(member.deal(&chain.roster(), &mut rng), Err(Error::OwnKeyReplaced));
	let key = member.registration(&mut rng).unwrap().key.unwrap();
	let mut roster = Roster::new(chain.ceremony.id());
	roster.insert(seat(1), &key).unwrap();
	member.deal(&roster, &mut rng).unwrap().unwrap();
	// Another roster, after a restart.
	let mut member = Member::restore(&member.save()).unwrap();
	roster.insert(seat(2), &chain.keys[&seat(2)]).unwrap();
	assert_eq!(member.deal(&roster, &mut rng), Err(Error::RosterChanged));
	let elsewhere = Roster::new(CeremonyId([9; 32]));
	assert_eq!(member.deal(&elsewhere, &mut rng), Err(Error::WrongCeremony));
	assert_eq!(fresh(Role::Receive(seat(1)), &mut rng).err(), Some(Error::WrongRole));
	assert_eq!(fresh(Role::Generate(seat(5)), &mut rng).err(), Some(Error::NotAMember(seat(5))),);
	let world = World::generate(3, &mut rng);
	assert_eq!(member.finish(&world.sharing).err(), Some(Error::WrongCeremony));
	// A share of another sharing cannot be dealt.
	let other = World::generate(3, &mut rng);
	let chain = Chain::open(Some(&world.sharing), 3, &mut rng);
	let share = other.shares.into_iter().next().unwrap();
	let joined = Member::join(chain.ceremony, Role::HandOver(share), &mut rng);
	assert_eq!(joined.err(), Some(Error::WrongRole));
}

#[test]
fn members_refuse_a_false_result() {
	let mut rng = ChaCha20Rng::seed_from_u64(12);
	let world = World::generate(3, &mut rng);
	let mut chain = Chain::open(Some(&world.sharing), 3, &mut rng);
	let mut members = Vec::new();
	for (share, index) in world.shares.iter().zip(1..) {
		let role = Role::Stay(KeyShare::restore(&share.save()).unwrap(), seat(index));
		let member = Member::join(chain.ceremony.clone(), role, &mut rng).unwrap();
		let seats = Seats { deals: Some(seat(index)), receives: Some(seat(index)) };
		chain.register(seats, &member.registration(&mut rng).unwrap()).unwrap();
		members.push(member);
	}
	chain.advance();
	for (member, index) in members.iter_mut().zip(1..) {
		let dealing = member.deal(&chain.roster(), &mut rng).unwrap().unwrap();
		chain.deal(seat(index), &dealing).unwrap();
	}
	chain.advance();
	let member = &mut members[0];
	let sharing = chain.finalise().unwrap();
	// Nothing was received yet: the member says what it lacks.
	assert_eq!(member.finish(&sharing).err(), Some(Error::MissingShare(seat(1))));
	assert_eq!(member.missing(sharing.qualified()), sharing.qualified());
	chain.inspect(member, &mut rng, 1);
	assert!(member.missing(sharing.qualified()).is_empty());
	assert!(member.finish(&sharing).unwrap().is_some());
	// Ceremony, size, qualified and holders take 41 bytes; the commitments follow.
	let false_result = |constant: &Element, other: &Commitments| {
		let others: Vec<_> = other.iter().skip(1).copied().collect();
		let bytes = [&sharing.encode()[..41], &(constant, others).encode()].concat();
		Sharing::decode(&mut &bytes[..]).unwrap()
	};
	let other = &chain.dealings[&seat(2)].commitments;
	let same_key = false_result(sharing.public_key(), other);
	assert_eq!(member.finish(&same_key).err(), Some(Error::ShareMismatch));
	let other_key = false_result(other.constant(), other);
	assert_eq!(member.finish(&other_key).err(), Some(Error::PublicKeyChanged));
}

#[test]
fn saved_state_survives_and_damage_is_noticed() {
	let mut rng = ChaCha20Rng::seed_from_u64(11);
	let world = World::generate(3, &mut rng);
	let share = &world.shares[0];
	let saved = share.save();
	assert_eq!(*KeyShare::restore(&saved).unwrap().save(), *saved);
	assert_eq!(KeyShare::restore(&saved[1..]).err(), Some(Error::CorruptState));
	let longer = [&saved[..], &[0]].concat();
	assert_eq!(KeyShare::restore(&longer).err(), Some(Error::CorruptState));

	let chain = Chain::open(Some(&world.sharing), 3, &mut rng);
	let share = KeyShare::restore(&saved).unwrap();
	let member = Member::join(chain.ceremony, Role::Stay(share, seat(2)), &mut rng).unwrap();
	let saved = member.save();
	assert!(saved.capacity() >= saved.len());
	assert_eq!(*Member::restore(&saved).unwrap().save(), *saved);
	for length in 0..saved.len() {
		assert_eq!(Member::restore(&saved[..length]).err(), Some(Error::CorruptState));
	}
}
