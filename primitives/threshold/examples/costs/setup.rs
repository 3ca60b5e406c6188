//! A ceremony and an evaluation at the largest size, ready to be measured.

extern crate alloc;

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use codec::{Decode, Encode};
use phala_threshold::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// Everything that the measured functions take.
pub struct Setup {
	rng: ChaCha20Rng,
	ceremony: Ceremony,
	id: CeremonyId,
	roster: Roster,
	digests: BTreeMap<MemberIndex, DealingDigest>,
	dealings: BTreeMap<MemberIndex, Dealing>,
	encoded: Vec<u8>,
	member: Member,
	complaint: Complaint,
	key: CeremonyKey,
	sharing: Sharing,
	share: KeyShare,
	verification: Element,
	generation: Vec<u8>,
	resharing: Vec<u8>,
	inquiry: Inquiry,
	blind: Blind,
	request: Request,
	partials: BTreeMap<MemberIndex, Partial>,
}

/// A function to measure.
pub type Measured = fn(&mut Setup) -> bool;

/// What the chain runs, then what members and workers run. Each returns whether all went well.
pub const MEASURED: [(&str, Measured); 14] = [
	("chain: verify a ceremony key", |s| s.key.verify(&s.id, first()).is_ok()),
	("chain: decode a dealing", |s| Dealing::decode(&mut &*s.encoded).is_ok()),
	("chain: verify a dealing", |s| {
		let (dealing, digest) = (&s.dealings[&first()], &s.digests[&first()]);
		let recipients = s.roster.recipients();
		dealing.verify(&s.ceremony, first(), digest, recipients, Constant::Fresh).is_ok()
	}),
	("chain: judge a complaint", |s| {
		let case = Case {
			ceremony: &s.id,
			dealer: first(),
			dealing: &s.dealings[&first()],
			recipients: s.roster.recipients(),
			complainer: first(),
			key: &s.key.key,
		};
		judge(&case, &s.complaint) == Ok(Verdict::ComplainerFaulty(Abuse::ShareIsValid))
	}),
	("chain: aggregate a dealing, generation", |s| aggregate(s, &s.generation)),
	("chain: aggregate a dealing, resharing", |s| aggregate(s, &s.resharing)),
	("chain: a verification share", |s| s.sharing.verification_share(last()).is_ok()),
	("chain: verify a request", |s| s.request.verify(&s.inquiry).is_ok()),
	("chain: verify a partial", |s| {
		s.partials[&first()].verify(&s.id, first(), &s.verification, &s.inquiry, &s.request).is_ok()
	}),
	("member: register", |s| s.member.registration(&mut s.rng).is_ok()),
	("member: deal", |s| s.member.deal(&s.roster, &mut s.rng).is_ok()),
	("member: receive a dealing", |s| {
		let (dealing, digest) = (&s.dealings[&first()], &s.digests[&first()]);
		s.member.receive(first(), digest, Constant::Fresh, dealing, &mut s.rng) == Ok(None)
	}),
	("member: evaluate", |s| s.share.evaluate(&s.inquiry, &s.request, &mut s.rng).is_ok()),
	("worker: combine", |s| s.blind.combine(&s.request, &s.sharing, &s.partials).is_ok()),
];

fn first() -> MemberIndex {
	MAX_SET.seats().first().expect("a set has members")
}

fn last() -> MemberIndex {
	MAX_SET.seats().iter().last().expect("a set has members")
}

const MAX_SET: Threshold = match Threshold::of(MAX_MEMBERS) {
	Ok(threshold) => threshold,
	Err(_) => panic!("the largest set is a set"),
};

/// Loads the sum so far, adds the next dealing and stores the sum.
fn aggregate(s: &Setup, stored: &[u8]) -> bool {
	let Ok(mut aggregation) = Aggregation::decode(&mut &*stored) else { return false };
	let next = aggregation.next().and_then(|dealer| Some((dealer, s.dealings.get(&dealer)?)));
	next.is_some_and(|(dealer, dealing)| aggregation.add(dealer, &dealing.commitments).is_ok())
		&& !aggregation.encode().is_empty()
}

impl Setup {
	/// Runs a generation among [`MAX_MEMBERS`] and asks for a key.
	pub fn new() -> Result<Box<Self>, Error> {
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let rng = &mut rng;
		let ceremony = Ceremony {
			chain: [1; 32],
			number: 1,
			members: [2; 32],
			size: MAX_SET,
			kind: Kind::Generation,
		};
		let id = ceremony.id();
		let seats = MAX_SET.seats();
		let mut roster = Roster::new(id);
		let (mut digests, mut keys, mut members) =
			(BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
		for seat in seats.iter() {
			let member = Member::join(ceremony.clone(), Role::Generate(seat), rng)?;
			let registration = member.registration(rng)?;
			let (key, digest) =
				registration.key.zip(registration.digest).ok_or(Error::WrongRole)?;
			roster.insert(seat, &key)?;
			digests.insert(seat, digest);
			keys.insert(seat, key);
			members.insert(seat, member);
		}
		let mut dealings = BTreeMap::new();
		for (seat, member) in &mut members {
			dealings.insert(*seat, member.deal(&roster, rng)?.ok_or(Error::WrongRole)?);
		}
		let mut aggregation = Aggregation::new(ceremony.clone(), seats, seats)?;
		for (seat, dealing) in &dealings {
			aggregation.add(*seat, &dealing.commitments)?;
		}
		let sharing = aggregation.finish()?;

		// The opening in a complaint does not depend on the ciphertext: made for a bent share, it
		// also fits the good one, which is the longest way to a verdict.
		let mut bent = dealings[&first()].clone();
		bent.shares[0][0] ^= 1;
		let member = members.get_mut(&first()).ok_or(Error::NotAMember(first()))?;
		let complaint = member
			.receive(first(), &digests[&first()], Constant::Fresh, &bent, rng)?
			.ok_or(Error::WrongRole)?;

		let inquiry = Inquiry {
			public_key: *sharing.public_key(),
			input: ClusterInput { epoch: 1, cluster: [3; 32] }.into(),
			requester: [4; 32],
		};
		let (blind, request) = Blind::new(inquiry, rng)?;
		let (mut partials, mut shares) = (BTreeMap::new(), BTreeMap::new());
		for (seat, member) in members.iter_mut().take(usize::from(MAX_THRESHOLD)) {
			for (dealer, dealing) in &dealings {
				member.receive(*dealer, &digests[dealer], Constant::Fresh, dealing, rng)?;
			}
			let share = member.finish(&sharing)?.ok_or(Error::WrongRole)?;
			partials.insert(*seat, share.evaluate(&inquiry, &request, rng)?);
			shares.insert(*seat, share);
		}
		let reshared = Ceremony {
			number: 2,
			kind: Kind::Resharing { from: id, dealers: MAX_SET, public_key: *sharing.public_key() },
			..ceremony.clone()
		};
		let begun = |ceremony: &Ceremony| {
			let mut aggregation = Aggregation::new(ceremony.clone(), seats, seats)?;
			aggregation.add(first(), &dealings[&first()].commitments)?;
			Ok::<_, Error>(aggregation.encode())
		};
		Ok(Box::new(Self {
			rng: rng.clone(),
			id,
			generation: begun(&ceremony)?,
			resharing: begun(&reshared)?,
			encoded: dealings[&first()].encode(),
			member: members.remove(&first()).ok_or(Error::WrongRole)?,
			complaint,
			key: keys[&first()],
			verification: sharing.verification_share(first())?,
			share: shares.remove(&first()).ok_or(Error::WrongRole)?,
			ceremony,
			roster,
			digests,
			dealings,
			sharing,
			inquiry,
			blind,
			request,
			partials,
		}))
	}
}
