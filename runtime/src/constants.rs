//! Figures that the runtime, its presets and its tests share. Money is in plancks of PHA
//! (1 PHA = 10^12), time in blocks of six seconds unless a name says otherwise.

use crate::{AccountId, Balance, BlockNumber};
use frame_support::PalletId;
use sp_runtime::traits::AccountIdConversion;

/// Picks the figure of the live composition, or the one that development and local networks run
/// with. Both stand side by side, so that a review and a test see both.
pub const fn live_or_development<T: Copy>(live: T, development: T) -> T {
	if cfg!(feature = "development") { development } else { live }
}

/// Currency units and prices.
pub mod currency {
	use super::Balance;

	/// One PHA.
	pub const PHA: Balance = 1_000_000_000_000;
	/// A thousandth of a PHA.
	pub const MILLI_PHA: Balance = PHA / 1_000;
	/// A millionth of a PHA.
	pub const MICRO_PHA: Balance = PHA / 1_000_000;
	/// An account below this balance does not exist.
	pub const EXISTENTIAL_DEPOSIT: Balance = 10 * MILLI_PHA;
	/// Every PHA that will ever exist. Issued at genesis; nothing mints.
	pub const TOTAL_SUPPLY: Balance = 1_000_000_000 * PHA;
	/// The part of [`TOTAL_SUPPLY`] that pays for mining, in the pot of
	/// [`accounts::subsidy_pot`](super::accounts::subsidy_pot).
	pub const MINING_SUBSIDY: Balance = 700_000_000 * PHA;
	/// Price of one byte of an extrinsic.
	pub const TRANSACTION_BYTE_FEE: Balance = 10 * MICRO_PHA;

	/// Deposit for state that somebody puts on chain: 0.1 PHA an item and 1 PHA a kilobyte.
	pub const fn deposit(items: u32, bytes: u32) -> Balance {
		items as Balance * 100 * MILLI_PHA + bytes as Balance * MILLI_PHA
	}
}

/// Durations in blocks of six seconds. They count parachain blocks or relay-chain blocks, as the
/// item that uses them says.
pub mod time {
	use super::{BlockNumber, consensus::BLOCK_PROCESSING_VELOCITY, live_or_development};

	/// Milliseconds of an Aura slot. Cannot change once a chain has started.
	pub const SLOT_DURATION: u64 = 6_000;
	/// One minute.
	pub const MINUTES: BlockNumber = 60_000 / SLOT_DURATION as BlockNumber;
	/// One hour.
	pub const HOURS: BlockNumber = 60 * MINUTES;
	/// One day.
	pub const DAYS: BlockNumber = 24 * HOURS;
	/// Parachain blocks after which the set of collators may change.
	pub const SESSION_PERIOD: BlockNumber =
		live_or_development(6 * HOURS, 2 * MINUTES) * BLOCK_PROCESSING_VELOCITY;
	/// Parachain blocks for which one safe-mode entry or extension lasts.
	pub const SAFE_MODE_DURATION: BlockNumber =
		live_or_development(DAYS, 5 * MINUTES) * BLOCK_PROCESSING_VELOCITY;
}

/// Periods of governance, in relay-chain blocks, and its amounts.
pub mod governance {
	use super::{
		Balance, BlockNumber,
		currency::PHA,
		gatekeepers::{BONDING_DURATION, LONGEST_ERA},
		live_or_development,
		market::{EVIDENCE_WINDOW, JUDGEMENT},
		time::{DAYS, MINUTES},
	};

	/// A withdrawal that a pool cannot serve at once waits no longer than this for its workers to stop.
	pub const GRACE_PERIOD: BlockNumber = live_or_development(7 * DAYS, 5 * MINUTES);
	/// A worker that stops keeps its stake for so long.
	pub const COOL_DOWN: BlockNumber = live_or_development(7 * DAYS, 10 * MINUTES);
	/// Out of a pool: its worker is stopped when the grace is over, and accused as late as it can be.
	const POOL_EXIT: BlockNumber = GRACE_PERIOD + EVIDENCE_WINDOW + JUDGEMENT;
	// Longer than the cool-down, which takes twice as long if a loss could not be reported.
	const _: () = assert!(EVIDENCE_WINDOW + JUDGEMENT >= 2 * COOL_DOWN);
	/// Out of a bond: every era waits as long as it can, and unbonding began while the next one was planned.
	const BOND_EXIT: BlockNumber = (BONDING_DURATION + 1) * LONGEST_ERA;
	/// The slowest way out of what answers for offences. `docs/governance.md` says what is excepted.
	pub const SLOWEST_EXIT: BlockNumber = if POOL_EXIT > BOND_EXIT { POOL_EXIT } else { BOND_EXIT };
	/// Root could change anything, so that it acts this long after a referendum was approved: whoever
	/// disagrees can leave before.
	pub const ROOT_ENACTMENT: BlockNumber = live_or_development(28 * DAYS, MINUTES);
	const _: () = assert!(cfg!(feature = "development") || ROOT_ENACTMENT > SLOWEST_EXIT);

	/// A vote with conviction x1 locks its PHA for one of these after the referendum.
	pub const VOTE_LOCKING_PERIOD: BlockNumber = live_or_development(7 * DAYS, 2 * MINUTES);
	/// A referendum without its decision deposit ends after this.
	pub const UNDECIDING_TIMEOUT: BlockNumber = live_or_development(14 * DAYS, 5 * MINUTES);
	/// A whitelisted call that could not be dispatched at once waits no longer than this.
	pub const DEFERRED_DISPATCH_EXPIRATION: BlockNumber =
		live_or_development(28 * DAYS, 10 * MINUTES);
	/// Deposit of who submits a referendum.
	pub const SUBMISSION_DEPOSIT: Balance = 10 * PHA;
	/// A live chain starts with no less that can vote: of less, a few could buy every decision.
	pub const MIN_TURNOUT: Balance = 1_000_000 * PHA;
	/// Referenda that wait for a place on their track.
	pub const MAX_QUEUED: u32 = 100;
	/// Votes that an account may have on one track. With a hundred, a delegation would be heavier than an
	/// extrinsic may be.
	pub const MAX_VOTES: u32 = 32;

	/// Period of the guard rails' limits.
	pub const CHANGE_PERIOD: BlockNumber = live_or_development(28 * DAYS, 10 * MINUTES);
	/// Changes of one parameter in a period.
	pub const MAX_CHANGES: u32 = 8;
	/// Period in which emergency measures are counted.
	pub const MEASURE_PERIOD: BlockNumber = live_or_development(28 * DAYS, HOUR);
	/// Emergency measures in a period.
	pub const MAX_MEASURES: u32 = 7;
	/// A pause of calls, or its prolongation, lasts for so long.
	pub const PAUSE_DURATION: BlockNumber = live_or_development(DAYS, 5 * MINUTES);
	const HOUR: BlockNumber = 60 * MINUTES;

	/// The treasury looks after its own books once in this period. Nothing is burnt then.
	pub const SPEND_PERIOD: BlockNumber = live_or_development(6 * DAYS, 5 * MINUTES);
	/// An approved spend that nobody collects lapses after this.
	pub const PAYOUT_PERIOD: BlockNumber = live_or_development(30 * DAYS, 30 * MINUTES);
	/// What a small spender may spend at a time.
	pub const SMALL_SPEND: Balance = 10_000 * PHA;
	/// What a medium spender may spend at a time.
	pub const MEDIUM_SPEND: Balance = 100_000 * PHA;
	/// What a big spender may spend at a time.
	pub const BIG_SPEND: Balance = 1_000_000 * PHA;
}

/// Mining, pools and slashing. Periods are relay-chain blocks.
pub mod market {
	use super::{
		Balance, BlockNumber,
		consensus::BLOCK_PROCESSING_VELOCITY,
		currency::PHA,
		governance::COOL_DOWN,
		live_or_development,
		time::{DAYS, HOURS, MINUTES},
	};

	/// Pay is credited to pools, contributions begin to earn and withdrawals are paid, once per round.
	pub const ROUND: BlockNumber = live_or_development(6 * HOURS, MINUTES);
	/// Workers of one pool.
	pub const MAX_POOL_WORKERS: u32 = 200;

	/// Offences of one era act on each other.
	pub const SLASHING_ERA: BlockNumber = live_or_development(DAYS, 2 * MINUTES);
	/// An offence can be reported for so long.
	pub const EVIDENCE_WINDOW: BlockNumber = live_or_development(3 * DAYS, 4 * MINUTES);
	/// With which the ledger starts: all offences of an era are known when the first is weighed.
	pub const DEFERRAL: BlockNumber = EVIDENCE_WINDOW + SLASHING_ERA;
	const _: () = assert!(COOL_DOWN >= EVIDENCE_WINDOW + DEFERRAL);
	/// With which the ledger starts: an accusation that nobody judges lapses after this.
	pub const JUDGEMENT: BlockNumber = 14 * SLASHING_ERA;
	/// Closed offences can be looked up for so long.
	pub const OFFENCE_RETENTION: BlockNumber = live_or_development(84 * DAYS, DAYS);
	/// Accusations that wait for the judges.
	pub const MAX_ACCUSATIONS: u32 = 256;
	/// A gap between two blocks that counts as a stall.
	pub const STALL_AFTER: BlockNumber = HOURS;
	/// Figures of mining and of the ledger can be changed once in this period.
	pub const CHANGE_INTERVAL: BlockNumber = live_or_development(7 * DAYS, 10 * MINUTES);

	/// Most workers that are challenged in a block: two challenges an hour for 105,000 workers.
	pub const MAX_DRAWS: u32 = 350;
	/// A challenge can be answered for so long.
	pub const ANSWER_WINDOW: BlockNumber = 20;
	/// And for so many blocks of the parachain.
	pub const ANSWER_BLOCKS: u32 = 15 * BLOCK_PROCESSING_VELOCITY;
	/// Who is silent for so long is stopped.
	pub const MAX_SILENCE: BlockNumber = live_or_development(DAYS, 30 * MINUTES);
	/// Most that the V of all workers on one machine add up to, in PHA.
	pub const MAX_PLATFORM_VALUE: u32 = 240_000;
	/// What the schedule of the budget never spends of the subsidy.
	pub const INITIAL_RESERVE: Balance = 181_600_000 * PHA;
	/// Most that leaves the reserve in a year.
	pub const RESERVE_YEARLY: Balance = 20_000_000 * PHA;
}

/// The election of gatekeepers, and the periods of their ceremonies. `docs/gatekeepers.md` has them as
/// a table.
pub mod gatekeepers {
	use super::{
		Balance, BlockNumber,
		consensus::BLOCK_PROCESSING_VELOCITY,
		currency::PHA,
		live_or_development,
		market::{DEFERRAL, EVIDENCE_WINDOW},
		time::{DAYS, HOURS, MINUTES, SESSION_PERIOD, SLOT_DURATION},
	};

	/// Fewest seats of a set.
	pub const MIN_SEATS: u8 = live_or_development(7, 4);
	/// Seats that a chain starts with.
	pub const SEATS: u32 = live_or_development(16, 4);
	/// Most seats of a set.
	pub const MAX_SEATS: u32 = 32;
	/// Backers of a member that count: the largest.
	pub const MAX_BACKERS: u32 = 32;
	/// Stashes with a gatekeeper.
	pub const MAX_CANDIDATES: u32 = 64;
	/// Voters that an election looks at: the largest.
	pub const MAX_VOTERS: u32 = 256;
	/// Candidates that a nominator can back.
	pub const MAX_NOMINATIONS: u32 = 16;
	/// Bond of a candidate with which a chain starts, at least.
	pub const MIN_SELF_BOND: Balance = live_or_development(10_000 * PHA, 1_000 * PHA);
	/// Bond of a nominator with which a chain starts, at least.
	pub const MIN_NOMINATION: Balance = live_or_development(100 * PHA, 10 * PHA);

	/// Sessions of staking in an era: a day.
	pub const SESSIONS_PER_ERA: u32 = live_or_development(4, 2);
	/// Relay-chain blocks of an era that waits for nothing.
	pub const ERA: BlockNumber = SESSIONS_PER_ERA * SESSION_PERIOD / BLOCK_PROCESSING_VELOCITY;
	/// Relay-chain blocks of an era in which nobody new can be seated: until the end of the session in
	/// which it is twice as old as it should be.
	pub const LONGEST_ERA: BlockNumber = 2 * ERA + SESSION_PERIOD / BLOCK_PROCESSING_VELOCITY;
	/// Eras that unbonding takes.
	pub const BONDING_DURATION: u32 = live_or_development(10, 4);
	// A bond outlasts the time in which what its holder did can be reported and weighed.
	const _: () = assert!((BONDING_DURATION - 1) * ERA > EVIDENCE_WINDOW + DEFERRAL);
	/// Eras in which a reward can be claimed.
	pub const HISTORY_DEPTH: u32 = 84;

	/// What a year earns of the stake behind those in office, in percent.
	pub const REWARD_PERCENT: u64 = 10;
	/// What a year earns at most: a fifth of what leaves the reserve in a year.
	pub const YEARLY_REWARD: Balance = 4_000_000 * PHA;
	/// Milliseconds of an era that earn: two eras.
	pub const MAX_ERA_MILLIS: u64 = 2 * ERA as u64 * SLOT_DURATION;
	/// Seconds after which a candidate without attestation can be evicted.
	pub const EVICTION_GRACE: u64 = 24 * 60 * 60;

	/// Relay-chain blocks to publish keys and digests in.
	pub const COMMIT_PERIOD: BlockNumber = live_or_development(10 * MINUTES, 3 * MINUTES);
	/// Relay-chain blocks to deal in.
	pub const SHARE_PERIOD: BlockNumber = live_or_development(10 * MINUTES, 3 * MINUTES);
	/// Relay-chain blocks to complain in.
	pub const COMPLAIN_PERIOD: BlockNumber = live_or_development(10 * MINUTES, 2 * MINUTES);
	/// Relay-chain blocks for which dealings stay.
	pub const KEEP_PERIOD: BlockNumber = live_or_development(HOURS, 2 * MINUTES);
	/// Relay-chain blocks between a failure and the next attempt.
	pub const RETRY_DELAY: BlockNumber = live_or_development(30 * MINUTES, 2 * MINUTES);
	/// Age of shares that are renewed.
	pub const REFRESH_PERIOD: BlockNumber = live_or_development(14 * DAYS, HOURS);
	/// Relay-chain blocks for which the old key answers.
	pub const RETIREMENT_PERIOD: BlockNumber = live_or_development(DAYS, 10 * MINUTES);
	/// Seconds for which a member without attestation may hand over.
	pub const RESHARE_GRACE: u64 = 14 * 24 * 60 * 60;
	/// Relay-chain blocks for which a request is open.
	pub const REQUEST_PERIOD: BlockNumber = 10 * MINUTES;
	/// Relay-chain blocks in which silence is reported once.
	pub const ABSENCE_PERIOD: BlockNumber = live_or_development(DAYS, 10 * MINUTES);

	/// Upper bounds of the bags of voters: each a quarter above the one before, from one PHA to all that
	/// there is. In votes, of which all PHA has [`u64::MAX`].
	pub const BAGS: [u64; 93] = {
		let mut bags = [u64::MAX / 1_000_000_000; 93];
		let mut at = 1;
		while at < bags.len() {
			bags[at] = bags[at - 1] + bags[at - 1] / 4;
			at += 1;
		}
		bags
	};
}

/// How blocks are built and backed.
pub mod consensus {
	use frame_support::weights::{Weight, constants::WEIGHT_REF_TIME_PER_SECOND};
	use sp_runtime::Perbill;

	/// Slot duration of the relay chain, in milliseconds.
	pub const RELAY_CHAIN_SLOT_DURATION_MILLIS: u32 = 6_000;
	/// Parachain blocks that the relay chain takes per slot.
	pub const BLOCK_PROCESSING_VELOCITY: u32 = 1;
	/// Relay-chain blocks by which a block's relay parent lies behind the relay chain's tip.
	pub const RELAY_PARENT_OFFSET: u32 = 0;
	/// Blocks that may be built before the relay chain has included the first of them.
	pub const UNINCLUDED_SEGMENT_CAPACITY: u32 = 3;
	/// Two seconds of computation, and the proof size that the relay chain accepts.
	pub const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(
		WEIGHT_REF_TIME_PER_SECOND.saturating_mul(2),
		cumulus_primitives_core::relay_chain::MAX_POV_SIZE as u64,
	);
	/// Share of a block that users' extrinsics may fill; the rest is for operational ones.
	pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
	/// Share of a block that hooks are expected to use.
	pub const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(5);
	/// Bytes of a block's body.
	pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;
	/// Bytes kept free of [`MAXIMUM_BLOCK_LENGTH`] for the header.
	pub const MAXIMUM_HEADER_SIZE: u32 = 100 * 1024;
}

/// Attestation of workers.
pub mod attestation {
	use super::{
		consensus::BLOCK_PROCESSING_VELOCITY,
		live_or_development,
		time::{MINUTES, SLOT_DURATION},
	};
	use hex_literal::hex;

	/// Parachain blocks for which the block that a quote names counts as recent: 20 minutes.
	pub const FRESHNESS_WINDOW: u32 = 20 * MINUTES * BLOCK_PROCESSING_VELOCITY;
	/// Milliseconds from a parachain block to the next.
	const BLOCK_TIME: u64 = SLOT_DURATION / BLOCK_PROCESSING_VELOCITY as u64;
	/// Shortest time between two parachain blocks, in milliseconds. A development node alone makes
	/// a block every three seconds.
	pub const MIN_MILLIS_PER_BLOCK: u64 = live_or_development(BLOCK_TIME, BLOCK_TIME / 2);
	/// Seconds after which a worker is appraised anew: six hours.
	pub const REAPPRAISAL_PERIOD: u64 = 6 * 60 * 60;
	/// Workers that the sweep looks at in one block, if the block has room.
	pub const WORKERS_SWEPT_PER_BLOCK: u32 = 8;

	/// Certificate of the development root, whose secret everybody has.
	pub const DEVELOPMENT_ROOT: &[u8] =
		include_bytes!("../../primitives/attestation/dev-pki/development-root.der");
	/// Evaluation number of the development PKI's collateral.
	pub const DEVELOPMENT_EVALUATION: u32 = 20;
	/// Measurements of the simulated `phala-worker`, in SGX and in TDX.
	pub const DEVELOPMENT_WORKERS: [[u8; 32]; 2] = [
		hex!("619ed457361352c7bc46bef22b3cbbeb5879e79a94261bc3baeb579d43d74c76"),
		hex!("ace04a1184124cd0943eb2d2969f6c225240cd04a3ebd963cf83990f2a3fd962"),
	];
	/// Measurements of the simulated `phala-gatekeeper`, in SGX and in TDX.
	pub const DEVELOPMENT_GATEKEEPERS: [[u8; 32]; 2] = [
		hex!("5c0ee6ea9ba19d510cdd23a9f13d628fa022312496ec54544bd467d2b27e5d41"),
		hex!("6231890a9f02aa2269dfccba645d7e25edb2922a56d75831ecaa498e6064ff60"),
	];
}

/// Accounts that belong to the chain itself.
pub mod accounts {
	use super::{AccountId, AccountIdConversion, PalletId};
	use alloc::vec::Vec;

	/// Receives its share of the fees, and what nobody may claim.
	pub const TREASURY: PalletId = PalletId(*b"py/trsry");
	/// Holds the mining subsidy.
	pub const SUBSIDY_POT: PalletId = PalletId(*b"pha/subs");
	/// Holds the part of the subsidy that the schedule of mining's budget does not spend.
	pub const MINING_RESERVE: PalletId = PalletId(*b"pha/resv");
	/// Holds rewards of pools until they are claimed.
	pub const POOLS_POT: PalletId = PalletId(*b"pha/pool");
	/// Holds rewards of gatekeepers until they are claimed.
	pub const GATEKEEPER_ESCROW: PalletId = PalletId(*b"pha/gate");
	/// Belongs to collator selection.
	pub const COLLATOR_POT: PalletId = PalletId(*b"PotStake");

	/// Account of the treasury.
	pub fn treasury() -> AccountId {
		TREASURY.into_account_truncating()
	}

	/// Account of the mining subsidy pot.
	pub fn subsidy_pot() -> AccountId {
		SUBSIDY_POT.into_account_truncating()
	}

	/// Account that holds rewards of pools until they are claimed.
	pub fn pools_pot() -> AccountId {
		POOLS_POT.into_account_truncating()
	}

	/// Pots, reserves and escrows: what they hold never votes, and support is not measured against it.
	pub fn non_voting() -> Vec<AccountId> {
		[TREASURY, SUBSIDY_POT, MINING_RESERVE, POOLS_POT, GATEKEEPER_ESCROW, COLLATOR_POT]
			.iter()
			.map(AccountIdConversion::into_account_truncating)
			.collect()
	}
}
