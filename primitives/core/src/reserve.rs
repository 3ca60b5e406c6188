//! The reserve: what the schedule of mining never spends.

use sp_runtime::DispatchError;

/// The reserve, as those who are paid out of it see it. Implemented by the pallet that has it. Amounts
/// are plancks of PHA.
pub trait Reserve<Credit> {
	/// Most that can be drawn now: what there is, within what is left of this year's cap.
	fn available() -> u128;

	/// Takes `amount` out, all of it or nothing. It counts against this year's cap.
	fn draw(amount: u128) -> Result<Credit, DispatchError>;

	/// Takes back what was drawn and turned out not to be needed. What a cap let out stays counted: a
	/// return makes no room for more in the same year.
	fn give_back(credit: Credit);
}
