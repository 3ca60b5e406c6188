//! Sums of dealings. Who colludes cannot stop them halfway.

use codec::{Decode, Encode, MaxEncodedLen};
use curve25519_dalek::Scalar;
use phala_threshold::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::{
	chain::{Chain, Seats, World, interpolate, seat, stolen},
	forger::{Forger, public},
};

/// Lets forgers deal in seats 1, 2, … of the dealing set, receive in those of the other, and sums what
/// they dealt.
fn sum(mut chain: Chain, forgers: &[Forger], rng: &mut ChaCha20Rng) -> Result<Sharing, Error> {
	for (index, forger) in (1..).zip(forgers) {
		let seat = seat(index);
		let registration = Registration {
			key: Some(forger.ceremony_key(seat, rng)),
			digest: Some(forger.digest(seat)),
		};
		chain.register(Seats { deals: Some(seat), receives: Some(seat) }, &registration).unwrap();
	}
	chain.advance();
	for (index, forger) in (1..).zip(forgers) {
		let dealing = forger.dealing(seat(index), &chain.roster(), |_| None, rng);
		chain.deal(seat(index), &dealing).unwrap();
	}
	chain.advance();
	chain.finalise()
}

#[test]
fn terms_that_cancel_out_halfway_stop_no_generation() {
	for power in 0..3 {
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let chain = Chain::open(None, 4, &mut rng);
		let mut forgers: Vec<_> =
			(0..4).map(|_| Forger::new(chain.ceremony.clone(), None, &mut rng)).collect();
		forgers[1].coefficients[power] = -forgers[0].coefficients[power];
		let sharing = sum(chain, &forgers, &mut rng).unwrap();
		let key: Scalar = forgers.iter().map(|forger| forger.coefficients[0]).sum();
		assert_eq!(*sharing.public_key(), public(&key));
	}
}

#[test]
fn terms_that_cancel_out_halfway_stop_no_resharing() {
	// The Lagrange coefficients of four dealers.
	let lambda = |at: u8| {
		let only: Vec<_> =
			(1..=4).map(|other| (seat(other), Scalar::from(u8::from(other == at)))).collect();
		interpolate(&only)
	};
	let factor = -(lambda(1) * lambda(2).invert());
	for power in 1..3 {
		let mut rng = ChaCha20Rng::seed_from_u64(2);
		let world = World::generate(4, &mut rng);
		let chain = Chain::open(Some(&world.sharing), 4, &mut rng);
		let mut forgers: Vec<_> = world
			.shares
			.iter()
			.map(|share| Forger::new(chain.ceremony.clone(), Some(stolen(share).1), &mut rng))
			.collect();
		forgers[1].coefficients[power] = factor * forgers[0].coefficients[power];
		let sharing = sum(chain, &forgers, &mut rng).unwrap();
		assert_eq!(sharing.public_key(), world.sharing.public_key());
	}
}

/// It takes all of them, who know the key then.
#[test]
fn a_sum_of_nothing_is_no_key() {
	for power in 0..2 {
		let mut rng = ChaCha20Rng::seed_from_u64(3);
		let chain = Chain::open(None, 2, &mut rng);
		let mut forgers: Vec<_> =
			(0..2).map(|_| Forger::new(chain.ceremony.clone(), None, &mut rng)).collect();
		forgers[1].coefficients[power] = -forgers[0].coefficients[power];
		assert_eq!(sum(chain, &forgers, &mut rng), Err(Error::IdentityElement));
	}
}

#[test]
fn sums_are_canonical_and_bounded() {
	let chain = Chain::open(None, 32, &mut ChaCha20Rng::seed_from_u64(4));
	let all = chain.ceremony.size.seats();
	let bytes = Aggregation::new(chain.ceremony, all, all).unwrap().encode();
	assert!(bytes.len() <= Aggregation::max_encoded_len());
	assert!(Aggregation::decode(&mut &bytes[..]).is_ok());
	let mut bent = bytes.clone();
	*bent.last_mut().unwrap() = 0xff;
	assert!(Aggregation::decode(&mut &bent[..]).is_err());
	// One more than there are coefficients.
	let mut long = [&bytes[..], &[0; 32]].concat();
	let count = bytes.len() - 17 * 32 - 1;
	assert_eq!(long[count], 17 << 2);
	long[count] += 4;
	assert!(Aggregation::decode(&mut &long[..]).is_err());
}
