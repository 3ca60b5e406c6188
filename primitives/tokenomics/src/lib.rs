//! The mathematics of mining: what a worker is promised, paid and fined, as pure functions.
//!
//! The chain, the command line, the simulator and the tests compute with this crate and with nothing
//! else. No floating point, no panic, no storage; every rounding is named and goes against whoever
//! claims. `docs/tokenomics.md` derives the formulas and says where they come from.
//!
//! | Question | Answer |
//! |---|---|
//! | What is a worker promised? | [`Parameters`]: V^e, growth, decay, stakes; [`share`] |
//! | What is one owed, and when? | [`Session`], over an [`Accumulator`] and the [`Versions`] |
//! | What is everybody paid? | [`Budget`], [`Settlement`], [`Reserve`], [`Parameters::apr`] |
//! | Who is asked for a proof? | [`challenge::draws`], [`performance`] |
//! | What is a delegator's part? | [`pool`] |
//!
//! # Time and money
//! A *step* is a relay-chain block of 6 s. [`Balance`]s are in planck, 10⁻¹² PHA. [`Fixed`] numbers
//! of PHA appear where formulas need fractions of a planck: V, shares, costs.
//!
//! # Precision
//! Over a year of 5 256 000 steps, one jump and single steps agree to 5.4·10⁻²¹ relative for V, and
//! to 2.6·10⁻¹⁷ for a health that decayed for a year (`tests/closed_form.rs` measures, and fails
//! above 10⁻¹⁶).

#![cfg_attr(not(feature = "std"), no_std)]
#![warn(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]
#![warn(clippy::expect_used, clippy::panic, clippy::float_arithmetic)]
#![cfg_attr(
	test,
	allow(
		clippy::arithmetic_side_effects,
		clippy::indexing_slicing,
		clippy::unwrap_used,
		clippy::panic
	)
)]

#[cfg(test)]
extern crate std;

mod accumulator;
mod affine;
mod apr;
mod budget;
pub mod challenge;
mod fixed;
mod parameters;
pub mod performance;
pub mod pool;
mod presets;
mod ratio;
mod reserve;
mod session;
mod settlement;
mod tier;
mod value;
mod versions;

pub use accumulator::{Accumulator, MAX_CREDITED, Position};
pub use apr::{Prospect, STEPS_PER_YEAR};
pub use budget::Budget;
pub use fixed::{FRACTION_BITS, Fixed, ParseFixedError};
pub use parameters::{MAX_BUDGET_PER_BLOCK, ParameterError, Parameters, RANGES};
pub use ratio::{mul_div_ceil, mul_div_floor};
pub use reserve::{Reserve, ReserveError};
pub use session::{Answer, MAX_SCORE, Phase, Session, SessionError, StartError, Worth};
pub use settlement::Settlement;
pub use tier::{RefusedTier, Tier};
pub use value::share;
pub use versions::{MAX_PAST, Moment, Piece, RETENTION, ScheduleError, Version, Versions};

/// An amount in planck.
pub type Balance = u128;

/// Number of a relay-chain block.
pub type RelayBlock = u32;

/// Planck in a PHA.
pub const PHA: Balance = 1_000_000_000_000;
