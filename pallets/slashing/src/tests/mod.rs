//! Tests, one file per topic. Each runs through `ExtBuilder`, which ends with all invariants.

mod accusations;
mod cancel;
mod ceiling;
mod correlation;
mod governance;
mod hook;
mod machine;
mod maths;
mod random;
mod reports;
mod slashable;
mod views;
