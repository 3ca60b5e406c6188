//! Ceremony keys: a fresh encryption key of each recipient for each ceremony.

use alloc::{collections::BTreeMap, vec::Vec};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::CryptoRngCore;
use scale_info::TypeInfo;

use super::CeremonyId;
use crate::{
	Element, Error, MemberIndex, MemberSet, Proof,
	hash::digest,
	proof::{Base, Claim, Statement},
	secret::SecretScalar,
};

/// The public key to which one recipient's shares of one ceremony are encrypted, with a proof that
/// the recipient knows its secret. The secret is wiped when the ceremony ends: ciphertexts stay on
/// chain for ever, and nobody can open them after that.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct CeremonyKey {
	/// The encryption key.
	pub key: Element,
	/// Proof of possession, bound to ceremony and seat.
	pub proof: Proof,
}

impl CeremonyKey {
	pub(crate) fn new(
		secret: &SecretScalar,
		ceremony: &CeremonyId,
		seat: MemberIndex,
		rng: &mut impl CryptoRngCore,
	) -> Result<Self, Error> {
		let key = secret.public()?;
		let proof = statement(&key, ceremony, seat).prove(secret, rng);
		Ok(Self { key, proof })
	}

	/// Checks the proof of possession for recipient `seat`; [`Error::InvalidKeyProof`].
	pub fn verify(&self, ceremony: &CeremonyId, seat: MemberIndex) -> Result<(), Error> {
		match statement(&self.key, ceremony, seat).accepts(&self.proof) {
			true => Ok(()),
			false => Err(Error::InvalidKeyProof),
		}
	}
}

fn statement<'a>(key: &'a Element, ceremony: &CeremonyId, seat: MemberIndex) -> Statement<'a, 1> {
	Statement::new(Claim::CeremonyKey, &(ceremony, seat), [(Base::Generator, key)])
}

/// The verified ceremony keys of the recipients: those that published one in time.
#[derive(Clone, Debug)]
pub struct Roster {
	ceremony: CeremonyId,
	keys: BTreeMap<MemberIndex, Element>,
}

impl Roster {
	/// No keys yet.
	pub const fn new(ceremony: CeremonyId) -> Self {
		Self { ceremony, keys: BTreeMap::new() }
	}

	/// Adds the key of recipient `seat` after verifying its proof of possession.
	pub fn insert(&mut self, seat: MemberIndex, key: &CeremonyKey) -> Result<(), Error> {
		if self.keys.contains_key(&seat) {
			return Err(Error::DuplicateKey(seat));
		}
		key.verify(&self.ceremony, seat)?;
		self.keys.insert(seat, key.key);
		Ok(())
	}

	/// The recipients.
	pub fn recipients(&self) -> MemberSet {
		self.keys.keys().copied().collect()
	}

	/// The key of recipient `seat`.
	pub fn get(&self, seat: MemberIndex) -> Option<&Element> {
		self.keys.get(&seat)
	}

	pub(crate) const fn ceremony(&self) -> &CeremonyId {
		&self.ceremony
	}

	/// Recipients and keys in the order of seats.
	pub(crate) fn iter(&self) -> impl Iterator<Item = (MemberIndex, &Element)> {
		self.keys.iter().map(|(seat, key)| (*seat, key))
	}

	/// A hash of the recipients and their keys.
	pub(crate) fn digest(&self) -> [u8; 32] {
		digest("roster", &(self.ceremony, self.iter().collect::<Vec<_>>()))
	}
}
