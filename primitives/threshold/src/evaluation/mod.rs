//! Threshold evaluation: how a worker derives its cluster's key from the shared key, and a member the
//! guard of its share.
//!
//! The function is the VOPRF of RFC 9497 with ristretto255 and SHA-512 (2HashDH: Jarecki, Kiayias
//! and Krawczyk 2014), its key shared among the members (TOPPSS: Jarecki et al. 2017).

mod partial;
mod request;
mod secret;

pub use partial::Partial;
pub use request::{Blind, ClusterInput, GuardInput, Input, Inquiry, Request};
pub use secret::{ClusterSecret, Combined, Guard};
