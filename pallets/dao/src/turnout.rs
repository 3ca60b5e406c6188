//! What support is measured against.

use core::marker::PhantomData;
use frame_support::traits::{Get, fungible::Inspect};
use sp_runtime::traits::Saturating;

/// All PHA but that in `Pots`: pots, reserves and escrows of the chain itself, which never vote.
///
/// The SDK's *active issuance* would count them (the treasury alone takes itself out, once per spend
/// period), and thresholds would be out of reach.
pub struct Turnout<AccountId, Currency, Pots>(PhantomData<(AccountId, Currency, Pots)>);

impl<AccountId, Currency, Pots> Get<Currency::Balance> for Turnout<AccountId, Currency, Pots>
where
	Currency: Inspect<AccountId>,
	Pots: Get<alloc::vec::Vec<AccountId>>,
{
	fn get() -> Currency::Balance {
		Pots::get().iter().fold(Currency::total_issuance(), |turnout, pot| {
			turnout.saturating_sub(Currency::total_balance(pot))
		})
	}
}
