//! Tests, one file per topic. Each ends with all invariants.

mod attacks;
mod losses;
mod owner;
mod queue;
mod random;
mod rewards;
mod workers;
