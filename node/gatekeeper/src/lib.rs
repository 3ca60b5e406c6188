//! The gatekeeper of the Phala parachain: proves its TEE to the chain, holds a share of the network's
//! master key, and takes part in the ceremonies that make and hand over the key. `docs/keys.md` has the
//! protocol, `docs/gatekeeper.md` the operator's side.
//!
//! | Module | Subject |
//! |---|---|
//! | [`view`] | what is final on chain, as far as it concerns this gatekeeper |
//! | [`plan`] | what to do next, as a pure function |
//! | [`engine`] | doing it, in an order that survives being killed |
//! | [`vault`] | secrets at rest |
//! | [`registry`] | who is attested, from the registry's records |
//! | [`world`] | the chain behind the engine |
//! | [`finality`] | which of its blocks the relay chain made final |
//! | [`attest`] | keeping the gatekeeper itself attested |
//! | [`election`] | whether it can be elected |
//! | [`report`], [`doctor`] | the state of affairs; what is wrong, and what to do |
//! | [`settings`], [`metrics`] | configuration and monitoring |

#[cfg(all(feature = "fault-injection", not(debug_assertions)))]
compile_error!("a program that can deal faulty shares is for tests: build without fault-injection");

pub mod attest;
pub mod doctor;
pub mod election;
pub mod engine;
pub mod finality;
pub mod metrics;
pub mod plan;
pub mod registry;
pub mod report;
pub mod settings;
pub mod vault;
pub mod view;
pub mod world;
