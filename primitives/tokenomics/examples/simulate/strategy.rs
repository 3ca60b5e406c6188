//! What workers do when they are challenged.

use phala_tokenomics::{Fixed, Phase, Session, Tier};

/// A way to run a worker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Strategy {
	/// Computes, and answers at the next block.
	Honest,
	/// Online one hour in four.
	MostlyOffline,
	/// Answers only to come back from unresponsive, then sleeps.
	WakesToRecover,
	/// Computes, and answers at the last block of the window.
	DelaysAnswers,
	/// Full V, no computing: answers show no iterations.
	NoCompute,
	/// Computes at just the speed that is no miss.
	HalfSpeed,
	/// Computes with the least trusted attestation.
	LowestTier,
	/// Offline 6 hours each day, then tops up to be healthy again.
	WashesPenalty,
}

impl Strategy {
	pub const CHEATS: [Self; 7] = [
		Self::MostlyOffline,
		Self::WakesToRecover,
		Self::DelaysAnswers,
		Self::NoCompute,
		Self::HalfSpeed,
		Self::LowestTier,
		Self::WashesPenalty,
	];

	pub fn name(self) -> &'static str {
		match self {
			Self::Honest => "honest",
			Self::MostlyOffline => "mostly offline",
			Self::WakesToRecover => "wakes only to recover",
			Self::DelaysAnswers => "delays its answers",
			Self::NoCompute => "P = 0 with full V",
			Self::HalfSpeed => "half speed",
			Self::LowestTier => "lowest tier",
			Self::WashesPenalty => "tops up to wash a penalty",
		}
	}

	pub fn tier(self) -> Tier {
		if self == Self::LowestTier { Tier::Five } else { Tier::One }
	}

	/// The speed that an answer of a worker shows.
	pub fn performance(self, bench: u32) -> Fixed {
		match self {
			Self::NoCompute => Fixed::ZERO,
			Self::HalfSpeed => Fixed::from_u32(bench.div_ceil(2)),
			_ => Fixed::from_u32(bench),
		}
	}

	/// After how many blocks a worker answers a challenge of `block`; `None`: never.
	pub fn delay(self, worker: u32, block: u32, session: &Session) -> Option<u32> {
		let hour = block / 600 + worker;
		let unresponsive = matches!(session.phase(), Phase::Unresponsive);
		match self {
			Self::MostlyOffline => hour.is_multiple_of(4).then_some(1),
			Self::WakesToRecover => unresponsive.then_some(1),
			Self::DelaysAnswers => Some(19),
			Self::WashesPenalty => (hour % 24 >= 6).then_some(1),
			_ => Some(1),
		}
	}

	/// PHA that a worker adds after an answer.
	pub fn top_up(self, session: &Session) -> Option<u32> {
		(self == Self::WashesPenalty && session.health() < Fixed::ONE).then_some(1)
	}
}
