//! Tests of the whole runtime, natively, in its live composition.

#![allow(missing_docs)]

mod chain;
mod composition;
mod emergency;
mod fees;
mod gatekeepers;
mod genesis;
mod governance;
mod market;
mod messages;
mod proxies;
mod scheduling;
mod supply;
mod wasm;
mod weights;
mod workers;
