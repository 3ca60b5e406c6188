//! Tests, one file per topic. Each ends with all invariants.

mod attacks;
mod fairness;
mod losses;
mod machine;
mod owner;
mod queue;
mod random;
mod rewards;
mod risk;
mod workers;
