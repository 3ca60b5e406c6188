//! Tests of the pallet, one file per subject.

mod emergency;
mod origins;
mod parameters;
mod votes;
