//! Gatekeepers with their real engines and sealed files, on the real pallet.

mod ceremonies;
mod chain;
mod crashes;
mod crowd;
mod encodings;
mod guards;
mod random;
mod recovery;
mod reports;
mod requests;
mod rollback;
