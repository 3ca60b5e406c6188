//! Those who take part: honest, absent or hostile.

use phala_threshold::Member;
use rand_chacha::{ChaCha20Rng, rand_core::RngCore};

use crate::{
	chain::{Phase, Seats},
	forger::{Forger, LIES, Lie},
};

/// What a person does in one ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
	/// Follows the protocol, and may crash between any two steps.
	Honest,
	/// Follows the protocol until this phase and comes back when all is over.
	Absent(Phase),
	/// Deals falsified shares to those whose bit is set.
	BadShares(Lie, u32),
	/// Reveals other commitments than promised.
	BreaksPromise,
	/// Publishes another's digest and dealing as its own.
	Copies,
	/// Reveals after the deadline.
	Late,
	/// In a resharing, deals a secret that is not its share.
	WrongConstant,
	/// Accuses every honest dealer, with true openings.
	FalseAccuser,
	/// Accuses every honest dealer, with false openings.
	FalseOpener,
}

impl Nature {
	pub fn random(rng: &mut ChaCha20Rng) -> Self {
		match rng.next_u32() % 11 {
			0 => Self::Absent(Phase::Committing),
			1 => Self::Absent(Phase::Sharing),
			2 => Self::Absent(Phase::Complaining),
			3 => Self::BreaksPromise,
			4 => Self::Copies,
			5 => Self::Late,
			6 => Self::WrongConstant,
			7 => Self::FalseAccuser,
			8 => Self::FalseOpener,
			_ => Self::BadShares(LIES[(rng.next_u32() % 3) as usize], rng.next_u32()),
		}
	}

	pub const fn accuses(self) -> bool {
		matches!(self, Self::FalseAccuser | Self::FalseOpener)
	}
}

pub struct Person {
	pub nature: Nature,
	pub seats: Seats,
	pub member: Member,
	pub forger: Forger,
}

pub fn chance(rng: &mut ChaCha20Rng, one_in: u32) -> bool {
	rng.next_u32().is_multiple_of(one_in)
}

impl Person {
	pub fn acts_in(&self, phase: Phase) -> bool {
		!matches!(self.nature, Nature::Absent(since) if since <= phase)
	}

	/// Takes a step, with crashes: before its state is saved, and after that but before anything is
	/// published.
	pub fn step<T>(
		&mut self,
		rng: &mut ChaCha20Rng,
		mut step: impl FnMut(&mut Member, &mut ChaCha20Rng) -> T,
	) -> T {
		if chance(rng, 4) {
			step(&mut Member::restore(&self.member.save()).unwrap(), rng);
		}
		let outcome = step(&mut self.member, rng);
		match chance(rng, 4) {
			true => {
				self.member = Member::restore(&self.member.save()).unwrap();
				step(&mut self.member, rng)
			}
			false => outcome,
		}
	}
}
