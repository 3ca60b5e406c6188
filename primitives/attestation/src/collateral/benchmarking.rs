//! Items that differ from what was signed: what benchmarks have in store when newer ones arrive.

use super::{Crl, PckCa, QeIdentity, TcbInfo};
use crate::types::UnixTime;

impl TcbInfo {
	/// The same, issued `seconds` earlier, with another evaluation number.
	pub fn backdated(mut self, seconds: UnixTime, evaluation_number: u32) -> Self {
		self.issue_date = self.issue_date.saturating_sub(seconds);
		self.evaluation_number = evaluation_number;
		self
	}
}

impl QeIdentity {
	/// The same, issued `seconds` earlier, with another evaluation number.
	pub fn backdated(mut self, seconds: UnixTime, evaluation_number: u32) -> Self {
		self.issue_date = self.issue_date.saturating_sub(seconds);
		self.evaluation_number = evaluation_number;
		self
	}
}

impl PckCa {
	/// The same, valid `seconds` earlier.
	pub fn backdated(mut self, seconds: UnixTime) -> Self {
		self.not_before = self.not_before.saturating_sub(seconds);
		self
	}
}

impl Crl {
	/// The same, issued `seconds` earlier.
	pub fn backdated(mut self, seconds: UnixTime) -> Self {
		self.this_update = self.this_update.saturating_sub(seconds);
		self
	}
}
