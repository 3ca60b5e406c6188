//! What must hold for the runtime as a whole, whatever happens in its pallets.

use crate::{Balance, Balances, Runtime, constants::currency::TOTAL_SUPPLY};
use frame_support::traits::fungible::Inspect;
use sp_runtime::TryRuntimeError;

/// Checks that
/// - I1: total issuance is at most [`TOTAL_SUPPLY`];
/// - I2: accounts own no more than was issued. (They own less where messages left PHA in XCM's asset
///   traps, which stays issued until it is claimed.)
pub fn check_supply() -> Result<(), TryRuntimeError> {
	let issued = <Balances as Inspect<_>>::total_issuance();
	if issued > TOTAL_SUPPLY {
		return Err("I1: total issuance exceeds the supply".into());
	}
	let held = frame_system::Account::<Runtime>::iter_values()
		.map(|account| account.data.free.saturating_add(account.data.reserved))
		.fold(0, Balance::saturating_add);
	if held > issued {
		return Err("I2: accounts own more than was issued".into());
	}
	Ok(())
}
