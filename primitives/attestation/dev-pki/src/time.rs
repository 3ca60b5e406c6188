//! Unix seconds in the formats that certificates and collateral want.

use crate::Error;
use core::time::Duration;
use der::DateTime;

/// From when until when something counts, in Unix seconds, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
	/// First second.
	pub not_before: u64,
	/// Last second.
	pub not_after: u64,
}

impl Validity {
	/// 2025-01-01T00:00:00Z to 2049-12-31T23:59:59Z: what every development certificate has.
	pub const DEVELOPMENT: Self = Self { not_before: 1_735_689_600, not_after: 2_524_607_999 };
}

/// From when until when collateral counts, in seconds relative to its issuer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
	/// Issue date minus now: negative in the past.
	pub start: i64,
	/// Next update minus now.
	pub end: i64,
}

/// Seconds of a day.
pub const DAY: i64 = 86_400;

impl Default for Window {
	/// Issued yesterday, for the 30 days that Intel gives. A day's slack forgives slow clocks.
	fn default() -> Self {
		Self { start: -DAY, end: 29 * DAY }
	}
}

impl Window {
	/// The same window in absolute time. Clamped to 1970-01-01 at the lower end.
	pub(crate) fn around(&self, now: u64) -> Validity {
		Validity {
			not_before: now.saturating_add_signed(self.start),
			not_after: now.saturating_add_signed(self.end),
		}
	}
}

/// The date of a Unix time. Fails after the year 9999.
pub(crate) fn date(seconds: u64) -> Result<DateTime, Error> {
	DateTime::from_unix_duration(Duration::from_secs(seconds)).map_err(|_| Error::Date(seconds))
}

/// As Intel's JSON writes a date: `2025-06-19T10:56:11Z`.
pub(crate) fn rfc3339(seconds: u64) -> Result<String, Error> {
	date(seconds).map(|date| date.to_string())
}
