//! RFC 9497, appendix A.1.2: OPRF(ristretto255, SHA-512) in VOPRF mode, with the server's key split
//! into shares.

use super::*;
use crate::{
	hash::hash_to_group,
	polynomial::SecretPolynomial,
	secret::{SecretScalar, Seed},
};
use alloc::vec::Vec;
use hex_literal::hex;

/// `skSm`.
const KEY: [u8; 32] = hex!("e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909");
/// `pkSm`.
const PUBLIC: [u8; 32] = hex!("c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e");
/// `Blind`.
const BLIND: [u8; 32] = hex!("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706");

struct Vector {
	input: &'static [u8],
	blinded: [u8; 32],
	evaluated: [u8; 32],
	output: [u8; 64],
}

const VECTORS: [Vector; 2] = [
	Vector {
		input: &[0],
		blinded: hex!("863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"),
		evaluated: hex!("aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"),
		output: hex!(
			"b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
			"a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
		),
	},
	Vector {
		input: &[0x5a; 17],
		blinded: hex!("cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"),
		evaluated: hex!("60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"),
		output: hex!(
			"8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
			"356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"
		),
	},
];

#[test]
fn evaluates_like_rfc9497_from_shares() {
	let key = || SecretScalar::from_bytes(&KEY).unwrap();
	assert_eq!(*key().public().unwrap().as_bytes(), PUBLIC);
	let polynomial = SecretPolynomial::derive(key(), &Seed::from_bytes(&[1; 32]), &(), 4).unwrap();
	let blind = SecretScalar::from_bytes(&BLIND).unwrap();
	for vector in VECTORS {
		let point = hash_to_group(vector.input).unwrap();
		let blinded = blind.times(&point).unwrap();
		assert_eq!(*blinded.as_bytes(), vector.blinded);
		for members in [[1, 2, 3, 4], [2, 3, 5, 7], [7, 19, 31, 32]] {
			let partials = members
				.map(|member| MemberIndex::new(member).unwrap())
				.map(|member| {
					let share = SecretScalar::new(*polynomial.evaluate(member)).unwrap();
					(member, share.times(&blinded).unwrap())
				})
				.into();
			let evaluated = interpolate(&partials).unwrap();
			assert_eq!(*evaluated.as_bytes(), vector.evaluated);
			let unblinded = evaluated.point() * blind.scalar().invert();
			let secret = ClusterSecret::hash(vector.input, unblinded.compress().as_bytes());
			assert_eq!(secret.0, vector.output);
		}
	}
}

#[test]
fn purposes_have_unrelated_keys() {
	let secret = ClusterSecret([7; 64]);
	let keys: Vec<_> = ["", "a", "b", "ab"].map(|purpose| *secret.derive(purpose)).into();
	for (index, key) in keys.iter().enumerate() {
		assert!(!keys[..index].contains(key));
		assert!(!secret.0.windows(32).any(|window| window == key));
	}
}
