//! One member's side of a ceremony: a state machine without input or output of its own.

use alloc::{collections::BTreeMap, vec::Vec};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::Scalar;
use rand_core::CryptoRngCore;
use scale_info::TypeInfo;
use zeroize::Zeroizing;

use super::{
	Case, Ceremony, CeremonyId, CeremonyKey, Complaint, Constant, Dealing, DealingDigest, KeyShare,
	Kind, Roster, Sharing, dealing::Dealer,
};
use crate::{
	Error, MAX_MEMBERS, MemberIndex, MemberSet, lagrange,
	secret::{SecretScalar, Seed, secret_buffer},
};

/// What a member does in a ceremony.
#[derive(Debug)]
pub enum Role {
	/// Deals a new secret and receives a share, in one seat: the role in a generation.
	Generate(MemberIndex),
	/// Deals its share and is not in the new set.
	HandOver(KeyShare),
	/// Deals its share and receives a new one in the given seat.
	Stay(KeyShare, MemberIndex),
	/// Was not in the old set, or has lost its share, and receives one in the given seat.
	Receive(MemberIndex),
}

/// What a member publishes first: its encryption key if it receives, its hash commitment if it
/// deals.
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
pub struct Registration {
	/// The ceremony key of a recipient.
	pub key: Option<CeremonyKey>,
	/// The hash commitment of a dealer.
	pub digest: Option<DealingDigest>,
}

/// A member in a ceremony.
///
/// | Step | When | Call | Then |
/// |---|---|---|---|
/// | 1 | the chain opened the ceremony | [`join`](Self::join), [`registration`](Self::registration) | save, publish |
/// | 2 | the keys and digests are final | [`deal`](Self::deal) | save, publish |
/// | 3 | for each finalised dealing | [`receive`](Self::receive) | save; publish the complaint, if any |
/// | 4 | the complaints are final | [`finish`](Self::finish) | seal the share, then wipe the member and its saves, and in a resharing the old share |
///
/// Every call may be repeated, and after a crash it is repeated on the
/// [`restore`](Self::restore)d member: secrets come from a seed, so the same is published again
/// (with other nonces). Whatever is passed in must be proven to be in the finalised chain: a member
/// that deals to keys from a fork or a lying node gives its secret away. It therefore deals to one
/// roster only.
pub struct Member {
	ceremony: Ceremony,
	share: Option<KeyShare>,
	seat: Option<MemberIndex>,
	seed: Seed,
	roster: Option<(MemberSet, [u8; 32])>,
	received: BTreeMap<MemberIndex, SecretScalar>,
}

impl Member {
	const VERSION: u8 = 1;

	/// Joins `ceremony`. [`Error::WrongRole`] if the role does not fit its kind or the share is not
	/// of the set that hands over; [`Error::NotAMember`] for a seat that it does not have.
	pub fn join(
		ceremony: Ceremony,
		role: Role,
		rng: &mut impl CryptoRngCore,
	) -> Result<Self, Error> {
		let (share, seat) = match (role, &ceremony.kind) {
			(Role::Generate(seat), Kind::Generation) => (None, Some(seat)),
			(Role::HandOver(share), Kind::Resharing { from, .. }) if share.ceremony() == from => {
				(Some(share), None)
			}
			(Role::Stay(share, seat), Kind::Resharing { from, .. }) if share.ceremony() == from => {
				(Some(share), Some(seat))
			}
			(Role::Receive(seat), Kind::Resharing { .. }) => (None, Some(seat)),
			_ => return Err(Error::WrongRole),
		};
		if let Some(seat) = seat.filter(|seat| !ceremony.size.seats().contains(*seat)) {
			return Err(Error::NotAMember(seat));
		}
		let received = BTreeMap::new();
		Ok(Self { ceremony, share, seat, seed: Seed::random(rng), roster: None, received })
	}

	/// The ceremony.
	pub const fn ceremony(&self) -> &Ceremony {
		&self.ceremony
	}

	/// What to publish first. Save the member before.
	pub fn registration(&self, rng: &mut impl CryptoRngCore) -> Result<Registration, Error> {
		let id = self.ceremony.id();
		let key = match self.seat {
			Some(seat) => Some(CeremonyKey::new(&self.key(&id, seat)?, &id, seat, rng)?),
			None => None,
		};
		Ok(Registration { key, digest: self.dealer()?.map(|dealer| dealer.digest()) })
	}

	/// Takes note of the recipients' keys, which must be final, and deals to them if this member
	/// deals. Save the member before publishing.
	///
	/// A member that is not in the roster, because it registered late, still deals.
	/// [`Error::OwnKeyReplaced`] if its seat has another's key, [`Error::RosterChanged`] if it dealt
	/// to another roster before: both show a chain that is not the finalised one.
	pub fn deal(
		&mut self,
		roster: &Roster,
		rng: &mut impl CryptoRngCore,
	) -> Result<Option<Dealing>, Error> {
		let id = self.ceremony.id();
		if *roster.ceremony() != id {
			return Err(Error::WrongCeremony);
		}
		if let Some(seat) = self.seat
			&& let Some(key) = roster.get(seat)
			&& *key != self.key(&id, seat)?.public()?
		{
			return Err(Error::OwnKeyReplaced);
		}
		let noted = (roster.recipients(), roster.digest());
		match self.roster {
			Some(before) if before != noted => return Err(Error::RosterChanged),
			_ => self.roster = Some(noted),
		}
		self.dealer()?.map(|dealer| dealer.deal(roster, rng)).transpose()
	}

	/// Checks `dealer`'s dealing and keeps the share in it, or complains.
	///
	/// An error about the dealing means that the chain never accepted it. `constant` is the dealer's
	/// verification share in a resharing. Nothing happens if this member receives no shares.
	pub fn receive(
		&mut self,
		dealer: MemberIndex,
		digest: &DealingDigest,
		constant: Constant,
		dealing: &Dealing,
		rng: &mut impl CryptoRngCore,
	) -> Result<Option<Complaint>, Error> {
		let (recipients, _) = self.roster.ok_or(Error::RosterUnknown)?;
		dealing.verify(&self.ceremony, dealer, digest, recipients, constant)?;
		let Some(seat) = self.seat.filter(|seat| recipients.contains(*seat)) else {
			return Ok(None);
		};
		let id = self.ceremony.id();
		let secret = self.key(&id, seat)?;
		let key = secret.public()?;
		let case = Case { ceremony: &id, dealer, dealing, recipients, complainer: seat, key: &key };
		let shared = secret.times(&dealing.ephemeral)?;
		match case.open(&shared)? {
			Ok(share) => {
				self.received.insert(dealer, share);
				Ok(None)
			}
			Err(_) => Ok(Some(case.complain(&secret, shared, rng))),
		}
	}

	/// The qualified dealers whose shares are still missing.
	pub fn missing(&self, qualified: MemberSet) -> MemberSet {
		qualified.without(self.received.keys().copied().collect())
	}

	/// This member's share of the key, checked against the chain's result; `None` if it receives
	/// none. [`Error::MissingShare`] asks for a dealing that was not seen yet.
	///
	/// The receipts of a finished ceremony are not needed again: wipe the member by dropping it.
	pub fn finish(&self, sharing: &Sharing) -> Result<Option<KeyShare>, Error> {
		let id = self.ceremony.id();
		if *sharing.ceremony() != id {
			return Err(Error::WrongCeremony);
		}
		if let Kind::Resharing { public_key, .. } = &self.ceremony.kind
			&& public_key != sharing.public_key()
		{
			return Err(Error::PublicKeyChanged);
		}
		let Some(seat) = self.seat.filter(|seat| sharing.holders().contains(*seat)) else {
			return Ok(None);
		};
		let mut sum = Zeroizing::new(Scalar::ZERO);
		for dealer in sharing.qualified().iter() {
			let share = self.received.get(&dealer).ok_or(Error::MissingShare(dealer))?;
			let factor = match self.ceremony.kind {
				Kind::Generation => Scalar::ONE,
				Kind::Resharing { .. } => lagrange::coefficient(sharing.qualified(), dealer),
			};
			*sum += factor * share.scalar();
		}
		let secret = SecretScalar::new(*sum)?;
		match secret.public()? == sharing.verification_share(seat)? {
			true => Ok(Some(KeyShare::new(id, seat, secret))),
			false => Err(Error::ShareMismatch),
		}
	}

	/// The secret of this member's ceremony key.
	fn key(&self, id: &CeremonyId, seat: MemberIndex) -> Result<SecretScalar, Error> {
		self.seed.derive(&(id, seat), ("ceremony key", 0))
	}

	fn dealer(&self) -> Result<Option<Dealer>, Error> {
		let (index, share) = match (&self.ceremony.kind, &self.share, self.seat) {
			(Kind::Generation, _, Some(seat)) => (seat, None),
			(Kind::Resharing { .. }, Some(share), _) => {
				(share.index(), Some(share.secret().duplicate()))
			}
			_ => return Ok(None),
		};
		Dealer::derive(&self.ceremony, index, share, &self.seed).map(Some)
	}

	/// The whole state in the clear, secrets included, for sealing.
	pub fn save(&self) -> Zeroizing<Vec<u8>> {
		let share = self.share.as_ref().map(KeyShare::save);
		let mut saved =
			secret_buffer(512 + self.ceremony.encoded_size() + usize::from(MAX_MEMBERS) * (1 + 32));
		(Self::VERSION, &self.ceremony, self.seat, self.roster).encode_to(&mut *saved);
		saved.extend_from_slice(self.seed.as_bytes());
		saved.push(share.is_some().into());
		share.iter().for_each(|share| saved.extend_from_slice(share));
		for (dealer, share) in &self.received {
			dealer.encode_to(&mut *saved);
			saved.extend_from_slice(&*share.to_bytes());
		}
		saved
	}

	/// Reads what [`save`](Self::save) wrote; [`Error::CorruptState`] otherwise.
	pub fn restore(saved: &[u8]) -> Result<Self, Error> {
		Self::read(saved).ok_or(Error::CorruptState)
	}

	fn read(mut saved: &[u8]) -> Option<Self> {
		let input = &mut saved;
		let (version, ceremony, seat, roster) = <(u8, Ceremony, _, _)>::decode(input).ok()?;
		if version != Self::VERSION {
			return None;
		}
		let seed = Seed::from_bytes(&Zeroizing::new(Decode::decode(input).ok()?));
		let share = match bool::decode(input).ok()? {
			true => Some(KeyShare::read(input)?),
			false => None,
		};
		let mut received = BTreeMap::new();
		while !input.is_empty() {
			let dealer = MemberIndex::decode(input).ok()?;
			let bytes = Zeroizing::new(Decode::decode(input).ok()?);
			received.insert(dealer, SecretScalar::from_bytes(&bytes).ok()?);
		}
		Some(Self { ceremony, share, seat, seed, roster, received })
	}
}

impl core::fmt::Debug for Member {
	fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
		f.debug_struct("Member")
			.field("ceremony", &self.ceremony)
			.field("seat", &self.seat)
			.field("received", &self.received.keys())
			.finish_non_exhaustive()
	}
}
