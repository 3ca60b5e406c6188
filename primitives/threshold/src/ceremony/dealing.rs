//! Dealings: verifiable sharings of one dealer's secret, committed to by hash before they are
//! revealed.

use alloc::vec::Vec;

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::RistrettoPoint;
use rand_core::CryptoRngCore;
use scale_info::TypeInfo;
use zeroize::Zeroizing;

use super::{Ceremony, CeremonyId, Kind, Roster, ShareFault};
use crate::{
	Ciphertext, Commitments, Element, Error, MAX_MEMBERS, MemberIndex, MemberSet, Proof,
	hash::digest,
	hpke::Agreement,
	polynomial::SecretPolynomial,
	proof::{Base, Claim, Statement},
	secret::{SecretScalar, Seed},
};

/// Hash of a dealer's commitments, published before anybody reveals theirs, so that no dealer can
/// choose its secret by what the others dealt.
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
pub struct DealingDigest(pub [u8; 32]);

impl DealingDigest {
	fn of(ceremony: &CeremonyId, dealer: MemberIndex, commitments: &Commitments) -> Self {
		Self(digest("commitments", &(ceremony, dealer, commitments)))
	}
}

/// What the constant term of a dealing must be.
#[derive(Clone, Copy, Debug)]
pub enum Constant<'a> {
	/// Any secret: the ceremony generates a key.
	Fresh,
	/// The dealer's share of the key, by its verification share: the ceremony reshares.
	Share(&'a Element),
}

/// What a dealer reveals: the commitments that it committed to and a share for each recipient,
/// encrypted. At most 2,242 bytes.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Dealing {
	/// Feldman commitments to the dealer's polynomial.
	pub commitments: Commitments,
	/// Proof that the dealer knows the constant term.
	pub proof: Proof,
	/// The ephemeral key of the encryptions.
	pub ephemeral: Element,
	/// Proof that the dealer knows the ephemeral secret. Without it a dealer could repeat another's
	/// ephemeral key, send garbage, and have the victim of its choice open that other's encryption
	/// in a complaint.
	pub ephemeral_proof: Proof,
	/// The share of each recipient, in the order of seats.
	pub shares: BoundedVec<Ciphertext, ConstU32<{ MAX_MEMBERS as u32 }>>,
}

impl Dealing {
	/// Checks all that can be checked without a recipient's secret: whether `dealer` may publish
	/// this dealing. Faulty encrypted shares are found by their recipients, who complain.
	///
	/// Costs two proofs of one logarithm and one hash; decoding costs an inverse square root for
	/// each element.
	pub fn verify(
		&self,
		ceremony: &Ceremony,
		dealer: MemberIndex,
		digest: &DealingDigest,
		recipients: MemberSet,
		constant: Constant,
	) -> Result<(), Error> {
		let id = ceremony.id();
		if !ceremony.dealing_set().seats().contains(dealer) {
			return Err(Error::NotADealer(dealer));
		}
		if self.commitments.count() != usize::from(ceremony.size.required()) {
			return Err(Error::WrongCommitmentCount);
		}
		if self.shares.len() != usize::from(recipients.len()) {
			return Err(Error::WrongShareCount);
		}
		if *digest != DealingDigest::of(&id, dealer, &self.commitments) {
			return Err(Error::DigestMismatch);
		}
		match (&ceremony.kind, constant) {
			(Kind::Generation, Constant::Fresh) => {}
			(Kind::Resharing { .. }, Constant::Share(share)) => {
				if self.commitments.constant() != share {
					return Err(Error::WrongConstant);
				}
			}
			_ => return Err(Error::WrongRole),
		}
		if !dealt_secret(&self.commitments, &id, dealer).accepts(&self.proof) {
			return Err(Error::InvalidDealerProof);
		}
		let ephemeral = ephemeral_key(&self.ephemeral, &id, dealer, digest);
		if !ephemeral.accepts(&self.ephemeral_proof) {
			return Err(Error::InvalidEphemeralProof);
		}
		Ok(())
	}
}

fn dealt_secret<'a>(
	commitments: &'a Commitments,
	ceremony: &CeremonyId,
	dealer: MemberIndex,
) -> Statement<'a, 1> {
	let pairs = [(Base::Generator, commitments.constant())];
	Statement::new(Claim::DealtSecret, &(ceremony, dealer), pairs)
}

fn ephemeral_key<'a>(
	key: &'a Element,
	ceremony: &CeremonyId,
	dealer: MemberIndex,
	digest: &DealingDigest,
) -> Statement<'a, 1> {
	let pairs = [(Base::Generator, key)];
	Statement::new(Claim::EphemeralKey, &(ceremony, dealer, digest), pairs)
}

/// One encrypted share: of which dealing, from whom, to whom.
pub(crate) struct Envelope<'a> {
	pub(crate) ceremony: &'a CeremonyId,
	pub(crate) dealer: MemberIndex,
	pub(crate) commitments: &'a Commitments,
	pub(crate) recipient: MemberIndex,
	pub(crate) agreement: Agreement<'a>,
}

impl Envelope<'_> {
	fn info(&self) -> Vec<u8> {
		let digest = DealingDigest::of(self.ceremony, self.dealer, self.commitments);
		(crate::PROTOCOL, "share", self.ceremony, self.dealer, self.recipient, digest).encode()
	}

	fn seal(&self, share: &[u8; 32]) -> Ciphertext {
		self.agreement.seal(&self.info(), share)
	}

	/// Decrypts the share and checks it against the commitments. Recipient and judge run the same
	/// code, so they never disagree.
	pub(crate) fn open(&self, sealed: &Ciphertext) -> Result<SecretScalar, ShareFault> {
		let bytes = self.agreement.open(&self.info(), sealed).ok_or(ShareFault::Undecipherable)?;
		// Zero is the right share of no honest dealer that anybody will meet.
		let share = SecretScalar::from_bytes(&bytes).map_err(|_| ShareFault::NotAScalar)?;
		match RistrettoPoint::mul_base(share.scalar()) == self.commitments.evaluate(self.recipient)
		{
			true => Ok(share),
			false => Err(ShareFault::Mismatch),
		}
	}
}

/// A dealer's secrets of one ceremony.
pub(crate) struct Dealer {
	ceremony: CeremonyId,
	index: MemberIndex,
	polynomial: SecretPolynomial,
	commitments: Commitments,
	ephemeral: SecretScalar,
}

impl Dealer {
	/// Everything comes from `seed`: a dealer that restarts deals the same polynomial again.
	pub(crate) fn derive(
		ceremony: &Ceremony,
		index: MemberIndex,
		share: Option<SecretScalar>,
		seed: &Seed,
	) -> Result<Self, Error> {
		let id = ceremony.id();
		let context = (id, index);
		let constant = match share {
			Some(share) => share,
			None => seed.derive(&context, ("coefficient", 0))?,
		};
		let threshold = ceremony.size.required();
		let polynomial = SecretPolynomial::derive(constant, seed, &context, threshold)?;
		Ok(Self {
			ceremony: id,
			index,
			commitments: polynomial.commit()?,
			polynomial,
			ephemeral: seed.derive(&context, ("ephemeral key", 0))?,
		})
	}

	pub(crate) fn digest(&self) -> DealingDigest {
		DealingDigest::of(&self.ceremony, self.index, &self.commitments)
	}

	/// The dealing for these recipients. The caller sees to it that a seed deals to one roster only.
	pub(crate) fn deal(
		&self,
		roster: &Roster,
		rng: &mut impl CryptoRngCore,
	) -> Result<Dealing, Error> {
		let constant = self.polynomial.constant().ok_or(Error::ZeroScalar)?;
		let ephemeral = self.ephemeral.public()?;
		let shares = roster
			.iter()
			.map(|(recipient, key)| {
				let shared = self.ephemeral.times(key)?;
				let agreement =
					Agreement { shared: &shared, ephemeral: &ephemeral, recipient: key };
				let envelope = Envelope {
					ceremony: &self.ceremony,
					dealer: self.index,
					commitments: &self.commitments,
					recipient,
					agreement,
				};
				let share = self.polynomial.evaluate(recipient);
				Ok(envelope.seal(&Zeroizing::new(share.to_bytes())))
			})
			.collect::<Result<Vec<_>, Error>>()?;
		Ok(Dealing {
			proof: dealt_secret(&self.commitments, &self.ceremony, self.index).prove(constant, rng),
			ephemeral_proof: ephemeral_key(&ephemeral, &self.ceremony, self.index, &self.digest())
				.prove(&self.ephemeral, rng),
			commitments: self.commitments.clone(),
			ephemeral,
			shares: shares.try_into().map_err(|_| Error::WrongShareCount)?,
		})
	}
}
