//! Earning: answering the challenges of the pallet `Mining`.
//!
//! | Module | Subject |
//! |---|---|
//! | [`plan`] | what to do about a challenge, as a pure function |
//! | [`engine`] | doing it, in an order that survives being killed |
//! | [`book`] | the answers that were signed, on disk |
//! | [`kernel`] | the computation, in threads of its own |
//! | [`pallet`] | the pallet, typed |
//! | [`position`] | how the worker stands, and what to do if it is not paid |
//! | [`news`] | what finalised blocks say about the worker |
//! | [`world`] | chain, kernel and disk behind the engine |
//! | [`earn`] | the loop: blocks as they come, nodes that fail |

pub mod book;
pub mod earn;
pub mod engine;
pub mod kernel;
pub mod news;
pub mod pallet;
pub mod plan;
pub mod position;
pub mod world;
