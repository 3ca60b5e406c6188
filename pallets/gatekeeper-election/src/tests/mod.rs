mod bonds;
mod candidates;
mod elections;
mod random;
mod rewards;
mod stake;
