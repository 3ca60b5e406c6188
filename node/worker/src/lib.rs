//! The worker of the Phala parachain: proves its TEE to the chain, registers, measures its
//! performance, renews before the proof expires, and answers the challenges by which it earns.
//!
//! | Module | Subject |
//! |---|---|
//! | [`plan`] | what to do next, as a pure function |
//! | [`engine`] | doing it, in an order that survives being killed |
//! | [`attest`] | doing it again and again, with nodes that fail |
//! | [`journal`] | the note about the transaction under way |
//! | [`world`] | chain, TEE, keys and disk behind the engine |
//! | [`registry`] | the pallet, typed |
//! | [`collateral`] | what Intel publishes about platforms, and what of it the chain needs |
//! | [`benchmark`] | the performance score |
//! | [`mining`] | answers to challenges |
//! | [`cluster`] | the key that a cluster's workers share |
//! | [`doctor`] | what is wrong, and what to do |
//! | [`settings`], [`metrics`] | configuration and monitoring |

pub mod attest;
pub mod benchmark;
pub mod cluster;
pub mod collateral;
pub mod doctor;
pub mod engine;
pub mod journal;
pub mod metrics;
pub mod mining;
pub mod plan;
pub mod registry;
pub mod settings;
pub mod world;
