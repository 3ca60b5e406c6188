//! The arithmetic of a delegation pool: shares and their value, rewards per share, losses.
//!
//! Whoever takes something out is rounded against: shares bought and PHA redeemed are rounded down,
//! shares burnt for an amount of PHA are rounded up. So no sequence of buying and redeeming gains a
//! planck, and those who stay never lose one to it.

mod loss;
mod rewards;
mod shares;

pub use loss::{LossSplit, Tranche, split_loss};
pub use rewards::{Rewards, commission};
pub use shares::{PoolError, Shares};
