//! Tests by subject, all with real keys and real proofs.

mod ceremonies;
mod elections;
mod faults;
mod griefing;
mod guards;
mod random;
mod requests;
mod states;
