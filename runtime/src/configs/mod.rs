//! How each pallet is configured, one file per subject.

mod accounts;
mod clock;
mod consensus;
mod emergency;
mod gatekeepers;
pub mod governance;
mod market;
mod money;
mod staking_weights;
mod system;
mod workers;
pub mod xcm;

pub use accounts::ProxyType;
pub use clock::{BeginAgendas, RelayClock};
pub use consensus::ConsensusHook;
pub use emergency::{Unpausable, WorksInSafeMode};
pub use gatekeepers::SessionManager;
use governance::{GeneralAdminOrRoot, is_governance, parameters::dynamic_params::deposits};
pub use market::{Offender, Stakes, Tranche};
use money::ToTreasuryLegacy;
pub use money::{DealWithFees, ToTreasury, TreasuryAccount, WeightToFee};
pub use system::{EnterSafeModeAndResume, RuntimeBlockLength, RuntimeBlockWeights};
pub use workers::SelfParaId;

use crate::{AccountId, Balance, Balances};
use frame_support::traits::{LinearStoragePrice, fungible::HoldConsideration};

/// A deposit on hold, in proportion to what is stored. Governed; what is on hold already stays as it is.
type StorageDeposit<Reason> = HoldConsideration<
	AccountId,
	Balances,
	Reason,
	LinearStoragePrice<deposits::PerItem, deposits::PerByte, Balance>,
>;
