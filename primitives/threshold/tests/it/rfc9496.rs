//! RFC 9496, appendix A: test vectors of ristretto255, through this crate's element type.

use codec::{Decode, Encode};
use curve25519_dalek::{RistrettoPoint, Scalar};
use hex_literal::hex;
use phala_threshold::{Element, Error};

/// A.1: the first multiples of the generator, without the identity.
const MULTIPLES: [[u8; 32]; 15] = [
	hex!("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"),
	hex!("6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919"),
	hex!("94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259"),
	hex!("da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57"),
	hex!("e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e"),
	hex!("f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403"),
	hex!("44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d"),
	hex!("903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c"),
	hex!("02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031"),
	hex!("20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f"),
	hex!("bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42"),
	hex!("e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460"),
	hex!("aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f"),
	hex!("46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e"),
	hex!("e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e"),
];

/// A.2: encodings that must be refused.
const INVALID: [[u8; 32]; 29] = [
	// Not canonical.
	hex!("00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
	hex!("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	hex!("f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	// Negative field elements.
	hex!("0100000000000000000000000000000000000000000000000000000000000000"),
	hex!("01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	hex!("ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20"),
	hex!("c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562"),
	hex!("c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78"),
	hex!("47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24"),
	hex!("f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72"),
	hex!("87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309"),
	// x² is no square.
	hex!("26948d35ca62e643e26a831777332e6bafeb9d08e4268b650f1f5bbd8d81d371"),
	hex!("4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f"),
	hex!("de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b"),
	hex!("bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042"),
	hex!("2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08"),
	hex!("f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22"),
	hex!("8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731"),
	hex!("2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b"),
	// x·y is negative.
	hex!("3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e"),
	hex!("a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220"),
	hex!("d483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e"),
	hex!("8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32"),
	hex!("32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b"),
	hex!("227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165"),
	hex!("5c37cc491da847cfeb9281d407efc41e15144c876e0170b499a96a22ed31e01e"),
	hex!("445425117cb8c90edcbc7c1cc0e74f747f2c1efa5630a967c64f287792a48a4b"),
	// s = −1, so that y = 0.
	hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

/// A.3: elements derived from 64 uniform bytes.
const DERIVED: [([u8; 64], [u8; 32]); 4] = [
	(
		hex!(
			"5d1be09e3d0c82fc538112490e35701979d99e06ca3e2b5b54bffe8b4dc772c1"
			"4d98b696a1bbfb5ca32c436cc61c16563790306c79eaca7705668b47dffe5bb6"
		),
		hex!("3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"),
	),
	(
		hex!(
			"f116b34b8f17ceb56e8732a60d913dd10cce47a6d53bee9204be8b44f6678b27"
			"0102a56902e2488c46120e9276cfe54638286b9e4b3cdb470b542d46c2068d38"
		),
		hex!("f26e5b6f7d362d2d2a94c5d0e7602cb4773c95a2e5c31a64f133189fa76ed61b"),
	),
	(
		hex!(
			"ac22415129b61427bf464e17baee8db65940c233b98afce8d17c57beeb7876c2"
			"150d15af1cb1fb824bbd14955f2b57d08d388aab431a391cfc33d5bafb5dbbaf"
		),
		hex!("f8f0c87cf237953c5890aec3998169005dae3eca1fbb04548c635953c817f92a"),
	),
	(
		hex!(
			"165d697a1ef3d5cf3c38565beefcf88c0f282b8e7dbd28544c483432f1cec767"
			"5debea8ebb4e5fe7d6f6e5db15f15587ac4d4d4a1de7191e0c1ca6664abcc413"
		),
		hex!("ae81e7dedf20a497e10c304a765c1767a42d6e06029758d2d7e8ef7cc4c41179"),
	),
];

#[test]
fn multiples_of_the_generator_encode_and_decode() {
	for (multiple, bytes) in (1u8..).zip(MULTIPLES) {
		let point = RistrettoPoint::mul_base(&Scalar::from(multiple));
		assert_eq!(point.compress().to_bytes(), bytes);
		let element = Element::decode(&mut &bytes[..]).unwrap();
		assert_eq!(element.encode(), bytes);
		assert_eq!(element.as_bytes(), &bytes);
	}
}

#[test]
fn invalid_encodings_are_refused() {
	for bytes in INVALID {
		assert_eq!(Element::from_bytes(&bytes), Err(Error::NonCanonicalElement));
		assert!(Element::decode(&mut &bytes[..]).is_err());
	}
	assert_eq!(Element::from_bytes(&[0; 32]), Err(Error::IdentityElement));
	assert!(Element::decode(&mut &[0; 32][..]).is_err());
}

#[test]
fn elements_derive_from_uniform_bytes() {
	for (uniform, bytes) in DERIVED {
		assert_eq!(RistrettoPoint::from_uniform_bytes(&uniform).compress().to_bytes(), bytes);
	}
}
