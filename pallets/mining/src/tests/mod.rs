//! Tests by subject.

mod answers;
mod attacks;
mod deadlines;
mod governance;
mod keepers;
mod machine;
mod pool;
mod random;
mod scale;
mod views;
