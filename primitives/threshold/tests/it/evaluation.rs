//! Threshold evaluation: one secret per cluster, from any t members, and from no others.

use std::collections::BTreeMap;

use codec::{Decode, Encode};
use curve25519_dalek::RistrettoPoint;
use phala_threshold::*;
use rand_chacha::{
	ChaCha20Rng,
	rand_core::{RngCore, SeedableRng},
};

use crate::{
	chain::{World, interpolate, seat, stolen, wire},
	forger::{element, prove, random},
};

fn inquiry(world: &World, cluster: u8) -> Inquiry {
	Inquiry {
		public_key: *world.sharing.public_key(),
		input: ClusterInput { epoch: 0, cluster: [cluster; 32] }.into(),
		requester: [9; 32],
	}
}

fn answers(
	world: &World,
	members: &[u8],
	inquiry: &Inquiry,
	request: &Request,
	rng: &mut ChaCha20Rng,
) -> BTreeMap<MemberIndex, Partial> {
	members
		.iter()
		.map(|member| {
			let share = &world.shares[usize::from(*member) - 1];
			(seat(*member), wire(&share.evaluate(inquiry, request, rng).unwrap()))
		})
		.collect()
}

fn key(world: &World, members: &[u8], inquiry: Inquiry, rng: &mut ChaCha20Rng) -> [u8; 32] {
	let (blind, request) = Blind::new(inquiry, rng).unwrap();
	let partials = answers(world, members, &inquiry, &request, rng);
	let combined = blind.combine(&request, &world.sharing, &partials).unwrap();
	assert!(combined.faulty.is_empty());
	*combined.secret.derive("test")
}

#[test]
fn any_threshold_of_members_make_the_same_key() {
	let mut rng = ChaCha20Rng::seed_from_u64(1);
	let world = World::generate(5, &mut rng);
	let first = key(&world, &[1, 2, 3], inquiry(&world, 1), &mut rng);
	for members in [&[3, 4, 5][..], &[1, 3, 5], &[5, 2, 4], &[1, 2, 3, 4, 5]] {
		assert_eq!(key(&world, members, inquiry(&world, 1), &mut rng), first);
	}
	// Another requester gets the same key, another cluster or epoch does not.
	let same = Inquiry { requester: [8; 32], ..inquiry(&world, 1) };
	assert_eq!(key(&world, &[1, 2, 3], same, &mut rng), first);
	assert_ne!(key(&world, &[1, 2, 3], inquiry(&world, 2), &mut rng), first);
	let input = ClusterInput { epoch: 1, cluster: [1; 32] }.into();
	let next = Inquiry { input, ..inquiry(&world, 1) };
	assert_ne!(key(&world, &[1, 2, 3], next, &mut rng), first);
}

#[test]
fn keys_survive_resharing_and_change_with_rotation() {
	let mut rng = ChaCha20Rng::seed_from_u64(2);
	let world = World::generate(4, &mut rng);
	let first = key(&world, &[1, 2, 3], inquiry(&world, 1), &mut rng);
	let second = world.reshare(7, &mut rng);
	let third = second.reshare(2, &mut rng);
	assert_eq!(key(&second, &[7, 1, 6, 2], inquiry(&second, 1), &mut rng), first);
	assert_eq!(key(&third, &[1, 2], inquiry(&third, 1), &mut rng), first);
	let rotated = World::generate(4, &mut rng);
	assert_ne!(key(&rotated, &[1, 2, 3], inquiry(&rotated, 1), &mut rng), first);
}

#[test]
fn partials_of_old_and_new_sets_do_not_mix() {
	let mut rng = ChaCha20Rng::seed_from_u64(3);
	let old = World::generate(5, &mut rng);
	let new = old.reshare(5, &mut rng);
	let inquiry = inquiry(&old, 1);
	let (blind, request) = Blind::new(inquiry, &mut rng).unwrap();
	let mut partials = answers(&old, &[1, 2], &inquiry, &request, &mut rng);
	partials.extend(answers(&new, &[3, 4], &inquiry, &request, &mut rng));
	for sharing in [&old.sharing, &new.sharing] {
		let refused = blind.combine(&request, sharing, &partials);
		assert_eq!(refused.err(), Some(Error::NotEnoughPartials));
	}
	partials.extend(answers(&new, &[5], &inquiry, &request, &mut rng));
	let combined = blind.combine(&request, &new.sharing, &partials).unwrap();
	assert_eq!(combined.faulty, [seat(1), seat(2)].into_iter().collect());
}

#[test]
fn false_partials_are_named_and_left_out() {
	let mut rng = ChaCha20Rng::seed_from_u64(4);
	let world = World::generate(5, &mut rng);
	let inquiry = inquiry(&world, 1);
	let expected = key(&world, &[1, 2, 3], inquiry, &mut rng);
	let (blind, request) = Blind::new(inquiry, &mut rng).unwrap();
	let mut partials = answers(&world, &[1, 2, 3, 4, 5], &inquiry, &request, &mut rng);
	partials.get_mut(&seat(1)).unwrap().value = request.blinded;
	partials.insert(seat(2), partials[&seat(3)]);
	let combined = blind.combine(&request, &world.sharing, &partials).unwrap();
	assert_eq!(*combined.secret.derive("test"), expected);
	assert_eq!(combined.faulty, [seat(1), seat(2)].into_iter().collect());
	partials.remove(&seat(5));
	let refused = blind.combine(&request, &world.sharing, &partials);
	assert_eq!(refused.err(), Some(Error::NotEnoughPartials));
}

#[test]
fn a_request_for_one_cluster_is_none_for_another() {
	let mut rng = ChaCha20Rng::seed_from_u64(5);
	let world = World::generate(3, &mut rng);
	let (own, other) = (inquiry(&world, 1), inquiry(&world, 2));
	let (blind, request) = Blind::new(own, &mut rng).unwrap();
	assert_eq!(request.verify(&own), Ok(()));
	for inquiry in [
		other,
		Inquiry { requester: [8; 32], ..own },
		Inquiry { public_key: *world.sharing.verification_share(seat(1)).as_ref().unwrap(), ..own },
		Inquiry { input: ClusterInput { epoch: 1, cluster: [1; 32] }.into(), ..own },
	] {
		assert_eq!(request.verify(&inquiry), Err(Error::InvalidRequest));
		// Members check for themselves, whatever the chain says.
		let refused = world.shares[0].evaluate(&inquiry, &request, &mut rng);
		assert_eq!(refused, Err(Error::InvalidRequest));
	}
	// The owner of a blind for cluster 2 cannot use answers to cluster 1's request.
	let (foreign, _) = Blind::new(other, &mut rng).unwrap();
	let partials = answers(&world, &[1, 2], &own, &request, &mut rng);
	assert_eq!(
		foreign.combine(&request, &world.sharing, &partials).err(),
		Some(Error::InvalidRequest),
	);
	// A point of one's own choice, such as a member's earlier answer, blinds nothing.
	let chosen = partials[&seat(1)].value;
	let lie = Request {
		blinded: chosen,
		proof: prove(b"blinding", &own, &[(None, chosen)], &random(&mut rng), &mut rng),
	};
	assert_eq!(lie.verify(&own), Err(Error::InvalidRequest));
	// A blind survives a restart.
	let restored = Blind::restore(own, &blind.save()).unwrap();
	assert_eq!(restored.request(&mut rng).unwrap().blinded, request.blinded);
	restored.combine(&request, &world.sharing, &partials).unwrap();
}

#[test]
fn bent_requests_and_partials_are_refused() {
	let mut rng = ChaCha20Rng::seed_from_u64(6);
	let world = World::generate(3, &mut rng);
	let inquiry = inquiry(&world, 1);
	let (_, request) = Blind::new(inquiry, &mut rng).unwrap();
	let partial = world.shares[0].evaluate(&inquiry, &request, &mut rng).unwrap();
	let share = world.sharing.verification_share(seat(1)).unwrap();
	let verify = |partial: &Partial, member, inquiry: &Inquiry, request: &Request| {
		partial.verify(world.sharing.ceremony(), member, &share, inquiry, request)
	};
	assert_eq!(verify(&partial, seat(1), &inquiry, &request), Ok(()));
	for index in 0..96 {
		for bit in [0, 7, rng.next_u32() % 8] {
			let bend = |bytes: Vec<u8>| {
				let mut bytes = bytes;
				bytes[index] ^= 1 << bit;
				bytes
			};
			if let Ok(bent) = Request::decode(&mut &bend(request.encode())[..]) {
				assert_eq!(bent.verify(&inquiry), Err(Error::InvalidRequest));
				if bent.blinded != request.blinded {
					assert!(verify(&partial, seat(1), &inquiry, &bent).is_err());
				}
			}
			if let Ok(bent) = Partial::decode(&mut &bend(partial.encode())[..]) {
				let refused = verify(&bent, seat(1), &inquiry, &request);
				assert_eq!(refused, Err(Error::InvalidPartial(seat(1))));
			}
		}
	}
	let refused = Err(Error::InvalidPartial(seat(2)));
	assert_eq!(verify(&partial, seat(2), &inquiry, &request), refused);
	let other = Inquiry { requester: [8; 32], ..inquiry };
	assert!(verify(&partial, seat(1), &other, &request).is_err());
	let other = world.sharing.verification_share(seat(2)).unwrap();
	let refused = partial.verify(world.sharing.ceremony(), seat(1), &other, &inquiry, &request);
	assert!(refused.is_err());
	assert!(partial.verify(&CeremonyId([0; 32]), seat(1), &share, &inquiry, &request).is_err());
}

/// What observers of the chain see — all partials of two clusters — interpolates to blinded points
/// only, and these differ from request to request.
#[test]
fn public_partials_show_nothing_but_blinded_points() {
	let mut rng = ChaCha20Rng::seed_from_u64(7);
	let world = World::generate(3, &mut rng);
	let shares: Vec<_> = world.shares.iter().map(stolen).collect();
	let master = interpolate(&shares[..2]);
	assert_eq!(element(RistrettoPoint::mul_base(&master)), *world.sharing.public_key());
	let inquiry = inquiry(&world, 1);
	let mut seen = Vec::new();
	for _ in 0..4 {
		let (_, request) = Blind::new(inquiry, &mut rng).unwrap();
		for partial in answers(&world, &[1, 2, 3], &inquiry, &request, &mut rng).values() {
			assert!(!seen.contains(&partial.value.encode()));
			seen.push(partial.value.encode());
		}
	}
}

fn guard_inquiry(world: &World, input: GuardInput) -> Inquiry {
	let public_key = *world.sharing.public_key();
	Inquiry { public_key, input: input.into(), requester: [9; 32] }
}

fn guard_input() -> GuardInput {
	GuardInput { epoch: 0, ceremony: CeremonyId([1; 32]), member: [2; 32] }
}

fn guard(world: &World, members: &[u8], input: GuardInput, rng: &mut ChaCha20Rng) -> [u8; 32] {
	let inquiry = guard_inquiry(world, input);
	let (blind, request) = Blind::new(inquiry, rng).unwrap();
	let partials = answers(world, members, &inquiry, &request, rng);
	let combined = blind.combine_guard(&request, &world.sharing, &partials).unwrap();
	assert!(combined.faulty.is_empty());
	*combined.secret.as_bytes()
}

#[test]
fn a_guard_is_of_one_key_ceremony_and_member() {
	let mut rng = ChaCha20Rng::seed_from_u64(8);
	let world = World::generate(5, &mut rng);
	let input = guard_input();
	let first = guard(&world, &[1, 2, 3], input, &mut rng);
	assert_eq!(guard(&world, &[5, 3, 4], input, &mut rng), first);
	// The next holders give the same: a file of a ceremony that hands over can be opened after it.
	let next = world.reshare(4, &mut rng);
	assert_eq!(guard(&next, &[2, 3, 4], input, &mut rng), first);
	for other in [
		GuardInput { epoch: 1, ..input },
		GuardInput { ceremony: CeremonyId([3; 32]), ..input },
		GuardInput { member: [3; 32], ..input },
	] {
		assert_ne!(guard(&world, &[1, 2, 3], other, &mut rng), first);
	}
	let rotated = World::generate(5, &mut rng);
	assert_ne!(guard(&rotated, &[1, 2, 3], input, &mut rng), first);
}

/// However the fields are chosen, a request of one kind is none of the other, and neither are its
/// answers.
#[test]
fn guards_and_cluster_keys_are_worlds_apart() {
	let mut rng = ChaCha20Rng::seed_from_u64(9);
	let world = World::generate(3, &mut rng);
	for _ in 0..20 {
		let mut bytes = [0; 32];
		rng.fill_bytes(&mut bytes);
		let cluster = Inquiry {
			input: ClusterInput { epoch: 0, cluster: bytes }.into(),
			..inquiry(&world, 1)
		};
		let input = GuardInput { epoch: 0, ceremony: CeremonyId(bytes), member: bytes };
		let guarded = guard_inquiry(&world, input);
		assert_ne!(cluster.encode().len(), guarded.encode().len());
		for (own, other) in [(cluster, guarded), (guarded, cluster)] {
			let (blind, request) = Blind::new(own, &mut rng).unwrap();
			assert_eq!(request.verify(&own), Ok(()));
			assert_eq!(request.verify(&other), Err(Error::InvalidRequest));
			let refused = world.shares[0].evaluate(&other, &request, &mut rng);
			assert_eq!(refused, Err(Error::InvalidRequest));
			let partials = answers(&world, &[1, 2], &own, &request, &mut rng);
			let (foreign, _) = Blind::new(other, &mut rng).unwrap();
			let invalid = Some(Error::InvalidRequest);
			let sharing = &world.sharing;
			assert_eq!(foreign.combine(&request, sharing, &partials).err(), invalid);
			assert_eq!(foreign.combine_guard(&request, sharing, &partials).err(), invalid);
			// What was asked as one thing does not come out as the other.
			let key = blind.combine(&request, sharing, &partials);
			let guard = blind.combine_guard(&request, sharing, &partials);
			let is_guard = matches!(own.input, Input::Guard(_));
			assert_eq!((key.is_ok(), guard.is_ok()), (!is_guard, is_guard));
		}
	}
}

/// Proofs and digests of cluster keys take in what they did before there were guards.
#[test]
fn an_inquiry_about_a_cluster_is_encoded_without_a_tag() {
	let mut rng = ChaCha20Rng::seed_from_u64(10);
	let world = World::generate(3, &mut rng);
	let own = inquiry(&world, 1);
	let flat = (own.public_key, ClusterInput { epoch: 0, cluster: [1; 32] }, own.requester);
	assert_eq!(own.encode(), flat.encode());
}
