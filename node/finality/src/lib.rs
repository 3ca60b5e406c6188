//! Which block of the parachain is final, without believing a node.
//!
//! A block of the parachain is final when its header is in the state of a relay-chain block that more
//! than two thirds of the relay chain's validators finalised with GRANDPA. They sign for it; the
//! signatures make a *justification*. Who once knew the validators can follow: a block that ends a set
//! of validators names the next set in its header, and is finalised by the old one.
//!
//! | Module | Subject |
//! |---|---|
//! | [`client`] | what is believed, and how it advances: pure functions |
//! | [`relay`] | following a relay chain's node with them |
//!
//! ## Assumptions
//!
//! - At most a third of each set's validators sign falsely, also later, for as long as their stake can
//!   be slashed (28 days on Polkadot). So trust ages: after 21 days it has to begin again, at a
//!   checkpoint.
//! - The first trust is right. It is a checkpoint of the operator's, or else what a node says once.

pub mod client;
pub mod relay;

#[cfg(test)]
mod tests;

pub use client::{Header, Justification, TrustError, Trusted};
pub use relay::{FinalityError, ParaHead, Relay};
