//! What a runtime upgrade changes in storage. Each entry says why it is there and what breaks
//! without it; an entry leaves the list once every network has run it.

use crate::Runtime;

/// Run once, in the first block of a new runtime.
pub type SingleBlock = (Unreleased, Permanent);

/// Migrations of the release in preparation.
type Unreleased = ();

/// Migrations that are safe, and cheap, to run at every upgrade.
///
/// XCM versions that other chains negotiated with us are stored per location; without this one they
/// stay at the version of the day on which they were learnt.
type Permanent = (pallet_xcm::migration::MigrateToLatestXcmVersion<Runtime>,);
