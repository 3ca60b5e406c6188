//! How each pallet is configured, one file per subject.

mod accounts;
mod clock;
mod consensus;
mod emergency;
mod governance;
mod money;
mod system;
pub mod xcm;

pub use accounts::ProxyType;
pub use clock::{BeginAgendas, RelayClock};
pub use consensus::ConsensusHook;
pub use emergency::{Unpausable, WorksInSafeMode};
use money::ToTreasuryLegacy;
pub use money::{DealWithFees, ToTreasury, TreasuryAccount, WeightToFee};
pub use system::{EnterSafeModeAndResume, RuntimeBlockLength, RuntimeBlockWeights};

use crate::{AccountId, Balance, Balances, constants::currency::deposit};
use frame_support::{
	parameter_types,
	traits::{LinearStoragePrice, fungible::HoldConsideration},
};
use frame_system::EnsureRoot;

/// Root, until an origin of the DAO takes over.
pub type Admin = EnsureRoot<AccountId>;

parameter_types! {
	/// Deposit for an item in storage.
	pub const DepositPerItem: Balance = deposit(1, 0);
	/// Deposit for a byte in storage.
	pub const DepositPerByte: Balance = deposit(0, 1);
}

/// A deposit on hold, in proportion to what is stored.
type StorageDeposit<Reason> = HoldConsideration<
	AccountId,
	Balances,
	Reason,
	LinearStoragePrice<DepositPerItem, DepositPerByte, Balance>,
>;
