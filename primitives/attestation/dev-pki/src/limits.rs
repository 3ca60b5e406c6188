//! Sizes that a bounded verifier accepts.

/// Largest parts, in bytes, that a verifier accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
	/// Of the quote.
	pub quote: usize,
	/// Of each revocation list.
	pub crl: usize,
	/// Of TCB info and of QE identity.
	pub json: usize,
	/// Levels of TCB info and of QE identity; only [`worst_case`](crate::worst_case) uses it.
	pub levels: usize,
}

impl Default for Limits {
	/// Quotes of 8 KiB, lists of 16 KiB, JSON of 32 KiB with any number of levels.
	fn default() -> Self {
		Self { quote: 8 << 10, crl: 16 << 10, json: 32 << 10, levels: usize::MAX }
	}
}
