//! What must hold for the runtime as a whole, whatever happens in its pallets.

use crate::{
	Balance, Balances, Runtime,
	constants::{
		accounts,
		currency::{MINING_SUBSIDY, TOTAL_SUPPLY},
		market::INITIAL_RESERVE,
	},
};
use frame_support::traits::fungible::Inspect;
use sp_runtime::TryRuntimeError;

/// Checks that
/// - I1: total issuance is at most [`TOTAL_SUPPLY`];
/// - I2: accounts own no more than was issued. (They own less where messages left PHA in XCM's asset
///   traps, which stays issued until it is claimed.)
/// - I3: what left the subsidy pot is in the reserve, or was paid for mining: 80 % to pools, 20 % to
///   the treasury.
pub fn check() -> Result<(), TryRuntimeError> {
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
	check_subsidy()
}

fn check_subsidy() -> Result<(), TryRuntimeError> {
	let pot = <Balances as Inspect<_>>::total_balance(&accounts::subsidy_pot());
	let left = match pallet_mining::State::<Runtime>::get() {
		Some(economy) => {
			let paid = economy.accumulator.paid().saturating_add(economy.accumulator.treasury());
			INITIAL_RESERVE.saturating_add(paid.saturating_sub(economy.due.sum()))
		}
		None => 0,
	};
	if pot.saturating_add(left) < MINING_SUBSIDY {
		return Err("I3: more left the subsidy pot than was paid for mining".into());
	}
	Ok(())
}
