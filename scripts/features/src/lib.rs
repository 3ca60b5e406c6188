//! Nothing but a list of features: see `Cargo.toml`. No program depends on it.
