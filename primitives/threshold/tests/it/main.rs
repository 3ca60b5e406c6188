//! Behaviour of the threshold protocol through its public interface and its wire format.

mod aggregation;
mod chain;
mod evaluation;
mod forger;
mod rfc9496;
mod secrecy;
mod simulator;
mod wire;
