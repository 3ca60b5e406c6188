//! Wasm of the runtime that no node embeds: for measuring weights (feature `benchmarks`) and for
//! rehearsing an upgrade (feature `upgrade`). The files are in `wbuild/phala-runtime` of the target
//! directory.
