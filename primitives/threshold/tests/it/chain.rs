//! A chain that runs ceremonies the way a pallet does, and honest members to run them with. All
//! messages pass through their wire format.

use std::collections::BTreeMap;

use codec::{Decode, Encode};
use curve25519_dalek::Scalar;
use phala_threshold::*;
use rand_chacha::{ChaCha20Rng, rand_core::RngCore};

pub fn seat(index: u8) -> MemberIndex {
	MemberIndex::new(index).unwrap()
}

/// Where a person sits: in the dealing set, in the receiving set, or in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seats {
	pub deals: Option<MemberIndex>,
	pub receives: Option<MemberIndex>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
	Committing,
	Sharing,
	Complaining,
	Closed,
}

/// What a chain keeps of one ceremony.
pub struct Chain {
	pub ceremony: Ceremony,
	pub phase: Phase,
	/// The sharing that is dealt in a resharing.
	previous: Option<Sharing>,
	pub keys: BTreeMap<MemberIndex, CeremonyKey>,
	pub digests: BTreeMap<MemberIndex, DealingDigest>,
	pub dealings: BTreeMap<MemberIndex, Dealing>,
	pub faulty_dealers: BTreeMap<MemberIndex, ShareFault>,
	pub faulty_complainers: BTreeMap<MemberIndex, Abuse>,
}

pub fn shuffle<T>(items: &mut [T], rng: &mut ChaCha20Rng) {
	for last in (1..items.len()).rev() {
		items.swap(last, rng.next_u32() as usize % (last + 1));
	}
}

/// Sends a message over the wire.
pub fn wire<T: Encode + Decode>(message: &T) -> T {
	T::decode(&mut &message.encode()[..]).unwrap()
}

impl Chain {
	pub fn open(previous: Option<&Sharing>, size: u8, rng: &mut ChaCha20Rng) -> Self {
		let kind = match previous {
			None => Kind::Generation,
			Some(sharing) => Kind::Resharing {
				from: *sharing.ceremony(),
				dealers: sharing.size(),
				public_key: *sharing.public_key(),
			},
		};
		let ceremony = Ceremony {
			chain: [7; 32],
			number: rng.next_u64(),
			members: [size; 32],
			size: Threshold::of(size).unwrap(),
			kind,
		};
		Self {
			ceremony: wire(&ceremony),
			phase: Phase::Committing,
			previous: previous.cloned(),
			keys: BTreeMap::new(),
			digests: BTreeMap::new(),
			dealings: BTreeMap::new(),
			faulty_dealers: BTreeMap::new(),
			faulty_complainers: BTreeMap::new(),
		}
	}

	pub fn advance(&mut self) {
		self.phase = match self.phase {
			Phase::Committing => Phase::Sharing,
			Phase::Sharing => Phase::Complaining,
			Phase::Complaining | Phase::Closed => Phase::Closed,
		};
	}

	pub fn register(
		&mut self,
		who: Seats,
		registration: &Registration,
	) -> Result<(), &'static str> {
		let registration = wire(registration);
		if self.phase != Phase::Committing {
			return Err("late");
		}
		let id = self.ceremony.id();
		if let (Some(index), Some(key)) = (who.receives, registration.key) {
			key.verify(&id, index).map_err(|_| "key")?;
			self.keys.entry(index).or_insert(key);
		}
		if let (Some(index), Some(digest)) = (who.deals, registration.digest) {
			self.digests.entry(index).or_insert(digest);
		}
		Ok(())
	}

	pub fn roster(&self) -> Roster {
		let mut roster = Roster::new(self.ceremony.id());
		for (index, key) in &self.keys {
			roster.insert(*index, key).unwrap();
		}
		roster
	}

	pub fn recipients(&self) -> MemberSet {
		self.keys.keys().copied().collect()
	}

	/// The verification share that `dealer` must deal.
	pub fn constant(&self, dealer: MemberIndex) -> Option<Element> {
		self.previous.as_ref().map(|sharing| sharing.verification_share(dealer).unwrap())
	}

	pub fn deal(&mut self, dealer: MemberIndex, dealing: &Dealing) -> Result<(), &'static str> {
		let dealing = wire(dealing);
		if self.phase != Phase::Sharing {
			return Err("late");
		}
		if self.dealings.contains_key(&dealer) {
			return Err("twice");
		}
		let digest = self.digests.get(&dealer).ok_or("no digest")?;
		let constant = self.constant(dealer);
		let constant = constant.as_ref().map_or(Constant::Fresh, Constant::Share);
		dealing
			.verify(&self.ceremony, dealer, digest, self.recipients(), constant)
			.map_err(|_| "invalid")?;
		self.dealings.insert(dealer, dealing);
		Ok(())
	}

	pub fn complain(
		&mut self,
		complainer: MemberIndex,
		dealer: MemberIndex,
		complaint: &Complaint,
	) -> Result<Verdict, &'static str> {
		let complaint = wire(complaint);
		if !matches!(self.phase, Phase::Sharing | Phase::Complaining) {
			return Err("late");
		}
		// A false accuser is not heard again: it opens one valid share at most, so that its share of
		// the key stays hidden.
		if self.faulty_dealers.contains_key(&dealer)
			|| self.faulty_complainers.contains_key(&complainer)
		{
			return Err("convicted already");
		}
		let case = Case {
			ceremony: &self.ceremony.id(),
			dealer,
			dealing: self.dealings.get(&dealer).ok_or("no dealing")?,
			recipients: self.recipients(),
			complainer,
			key: &self.keys.get(&complainer).ok_or("no key")?.key,
		};
		let verdict = judge(&case, &complaint).map_err(|_| "no case")?;
		match verdict {
			Verdict::DealerFaulty(fault) => _ = self.faulty_dealers.insert(dealer, fault),
			Verdict::ComplainerFaulty(abuse) => {
				_ = self.faulty_complainers.insert(complainer, abuse)
			}
		}
		Ok(verdict)
	}

	pub fn qualified(&self) -> MemberSet {
		let good = |dealer: &MemberIndex| !self.faulty_dealers.contains_key(dealer);
		self.dealings.keys().copied().filter(good).collect()
	}

	/// Convicted complainers opened shares of theirs: they get none.
	pub fn finalise(&self) -> Result<Sharing, Error> {
		let holders = self.recipients().without(self.faulty_complainers.keys().copied().collect());
		let mut aggregation = Aggregation::new(self.ceremony.clone(), self.qualified(), holders)?;
		while let Some(dealer) = aggregation.next() {
			// A block may end after every step.
			aggregation = wire(&aggregation);
			aggregation.add(dealer, &self.dealings[&dealer].commitments)?;
		}
		aggregation.finish().map(|sharing| wire(&sharing))
	}

	/// Lets `member` look at one in `part` of the dealings on chain, in any order; returns its
	/// complaints.
	pub fn inspect(
		&self,
		member: &mut Member,
		rng: &mut ChaCha20Rng,
		part: u32,
	) -> Vec<(MemberIndex, Complaint)> {
		let mut complaints = Vec::new();
		let mut dealings: Vec<_> = self.dealings.iter().collect();
		shuffle(&mut dealings, rng);
		for (dealer, dealing) in dealings {
			if !rng.next_u32().is_multiple_of(part) {
				continue;
			}
			let constant = self.constant(*dealer);
			let constant = constant.as_ref().map_or(Constant::Fresh, Constant::Share);
			let digest = &self.digests[dealer];
			let complaint = member.receive(*dealer, digest, constant, dealing, rng).unwrap();
			complaints.extend(complaint.map(|complaint| (*dealer, complaint)));
		}
		complaints
	}
}

/// Shares of one key with their public side.
pub struct World {
	pub sharing: Sharing,
	pub shares: Vec<KeyShare>,
}

impl World {
	/// A new key with honest members only.
	pub fn generate(size: u8, rng: &mut ChaCha20Rng) -> Self {
		let chain = Chain::open(None, size, rng);
		let roles = chain.ceremony.size.seats().iter().map(Role::Generate).collect();
		Self::run(chain, roles, rng)
	}

	/// The same key for a set of `size` others; the old set does not look at its shares again.
	pub fn reshare(&self, size: u8, rng: &mut ChaCha20Rng) -> Self {
		let chain = Chain::open(Some(&self.sharing), size, rng);
		let old = self.shares.iter().map(|share| Role::HandOver(copy(share)));
		let new = chain.ceremony.size.seats().iter().map(Role::Receive);
		let roles = old.chain(new).collect();
		Self::run(chain, roles, rng)
	}

	fn run(mut chain: Chain, roles: Vec<Role>, rng: &mut ChaCha20Rng) -> Self {
		let mut members = Vec::new();
		for role in roles {
			let seats = seats(&role);
			let member = Member::join(chain.ceremony.clone(), role, rng).unwrap();
			chain.register(seats, &member.registration(rng).unwrap()).unwrap();
			members.push((seats, member));
		}
		chain.advance();
		for (seats, member) in &mut members {
			if let Some(dealing) = member.deal(&chain.roster(), rng).unwrap() {
				chain.deal(seats.deals.unwrap(), &dealing).unwrap();
			}
		}
		chain.advance();
		for (_, member) in &mut members {
			assert!(chain.inspect(member, rng, 1).is_empty());
		}
		let sharing = chain.finalise().unwrap();
		let shares =
			members.iter().filter_map(|(_, member)| member.finish(&sharing).unwrap()).collect();
		Self { sharing, shares }
	}
}

pub fn seats(role: &Role) -> Seats {
	match role {
		Role::Generate(seat) => Seats { deals: Some(*seat), receives: Some(*seat) },
		Role::HandOver(share) => Seats { deals: Some(share.index()), receives: None },
		Role::Stay(share, seat) => Seats { deals: Some(share.index()), receives: Some(*seat) },
		Role::Receive(seat) => Seats { deals: None, receives: Some(*seat) },
	}
}

pub fn copy(share: &KeyShare) -> KeyShare {
	KeyShare::restore(&share.save()).unwrap()
}

/// The share itself: what a thief reads from a member's memory.
pub fn stolen(share: &KeyShare) -> (MemberIndex, Scalar) {
	let saved = share.save();
	let bytes = saved[saved.len() - 32..].try_into().unwrap();
	(share.index(), Scalar::from_canonical_bytes(bytes).unwrap())
}

/// Interpolates at zero, with arithmetic of its own.
pub fn interpolate(shares: &[(MemberIndex, Scalar)]) -> Scalar {
	let x = |at: MemberIndex| Scalar::from(at.get());
	shares
		.iter()
		.map(|(at, value)| {
			let others = shares.iter().filter(|(other, _)| other != at);
			others.fold(*value, |product, (other, _)| {
				product * x(*other) * (x(*other) - x(*at)).invert()
			})
		})
		.sum()
}
