//! The tracks of referenda: who decides what, how long it takes, and how many must agree.
//!
//! `docs/governance.md` has them as a table, with plots of the curves.

use crate::{
	Balance, BlockNumber, OriginCaller, RuntimeOrigin,
	constants::{
		currency::PHA,
		governance::ROOT_ENACTMENT,
		live_or_development,
		time::{DAYS, HOURS, MINUTES},
	},
};
use alloc::borrow::Cow;
use frame_support::traits::OriginTrait;
use frame_system::RawOrigin;
use pallet_dao::Origin;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{FixedI64, str_array as name};

/// The tracks.
pub struct Tracks;

impl Tracks {
	/// How many there are.
	pub fn count() -> usize {
		TRACKS.len()
	}
}

const fn percent(of_hundred: u128) -> FixedI64 {
	FixedI64::from_rational(of_hundred, 100)
}

/// From 100 % down to `floor` % at `day` of 28, and there it stays.
const fn falling(day: u128, floor: u128) -> Curve {
	Curve::make_linear(day, 28, percent(floor), percent(100))
}

/// From `ceiling` % steeply down, through `level` % at `day` of 28, to `floor` % at the end.
const fn steep(day: u128, level: u128, floor: u128, ceiling: u128) -> Curve {
	Curve::make_reciprocal(day, 28, percent(level), percent(floor), percent(ceiling))
}

/// Periods of a track: to prepare, to decide at most, to confirm, and from approval to enactment.
struct Periods {
	prepare: BlockNumber,
	decide: BlockNumber,
	confirm: BlockNumber,
	enact: BlockNumber,
}

/// Puts a track together. Development networks have minutes for each period.
const fn track(
	id: u16,
	name: [u8; 25],
	max_deciding: u32,
	decision_deposit: Balance,
	Periods { prepare, decide, confirm, enact }: Periods,
	(min_approval, min_support): (Curve, Curve),
) -> Track<u16, Balance, BlockNumber> {
	let info = TrackInfo {
		name,
		max_deciding,
		decision_deposit,
		prepare_period: live_or_development(prepare, MINUTES / 2),
		decision_period: live_or_development(decide, 5 * MINUTES),
		confirm_period: live_or_development(confirm, MINUTES),
		min_enactment_period: live_or_development(enact, MINUTES),
		min_approval,
		min_support,
	};
	Track { id, info }
}

static TRACKS: [Track<u16, Balance, BlockNumber>; 14] = [
	track(
		0,
		name("root"),
		1,
		100_000 * PHA,
		Periods { prepare: DAYS, decide: 28 * DAYS, confirm: 2 * DAYS, enact: ROOT_ENACTMENT },
		(steep(4, 80, 50, 100), Curve::make_linear(28, 28, percent(1), percent(50))),
	),
	track(
		1,
		name("whitelisted_caller"),
		10,
		10_000 * PHA,
		Periods { prepare: HOURS / 2, decide: 28 * DAYS, confirm: HOURS / 2, enact: 10 * MINUTES },
		(steep(1, 96, 50, 100), steep(1, 20, 5, 50)),
	),
	track(
		10,
		name("general_admin"),
		10,
		5_000 * PHA,
		Periods { prepare: 2 * HOURS, decide: 28 * DAYS, confirm: DAYS, enact: DAYS },
		(steep(4, 80, 50, 100), steep(7, 10, 1, 50)),
	),
	track(
		11,
		name("measurement_admin"),
		10,
		10_000 * PHA,
		Periods { prepare: 2 * HOURS, decide: 14 * DAYS, confirm: DAYS, enact: 2 * DAYS },
		(steep(4, 80, 60, 100), steep(7, 10, 2, 50)),
	),
	track(
		12,
		name("tcb_policy_admin"),
		10,
		5_000 * PHA,
		Periods { prepare: 2 * HOURS, decide: 14 * DAYS, confirm: DAYS, enact: DAYS },
		(steep(4, 80, 50, 100), steep(7, 10, 1, 50)),
	),
	track(
		13,
		name("tokenomics_admin"),
		10,
		10_000 * PHA,
		Periods { prepare: DAYS, decide: 28 * DAYS, confirm: 2 * DAYS, enact: 7 * DAYS },
		(steep(4, 80, 50, 100), steep(7, 10, 2, 50)),
	),
	track(
		14,
		name("gatekeeper_admin"),
		10,
		10_000 * PHA,
		Periods { prepare: DAYS, decide: 28 * DAYS, confirm: 2 * DAYS, enact: 7 * DAYS },
		(steep(4, 80, 60, 100), steep(7, 10, 2, 50)),
	),
	track(
		15,
		name("slash_canceller"),
		20,
		2_000 * PHA,
		Periods { prepare: HOURS, decide: 3 * DAYS, confirm: 6 * HOURS, enact: 10 * MINUTES },
		(falling(17, 50), steep(12, 2, 1, 50)),
	),
	track(
		20,
		name("referendum_canceller"),
		100,
		10_000 * PHA,
		Periods { prepare: 2 * HOURS, decide: 7 * DAYS, confirm: 3 * HOURS, enact: 10 * MINUTES },
		(falling(17, 50), steep(12, 2, 1, 50)),
	),
	track(
		21,
		name("referendum_killer"),
		100,
		50_000 * PHA,
		Periods { prepare: 2 * HOURS, decide: 14 * DAYS, confirm: 3 * HOURS, enact: 10 * MINUTES },
		(falling(17, 60), steep(12, 3, 1, 50)),
	),
	track(
		22,
		name("emergency_halt"),
		5,
		20_000 * PHA,
		Periods { prepare: 10 * MINUTES, decide: 3 * DAYS, confirm: 10 * MINUTES, enact: MINUTES },
		(falling(14, 75), steep(7, 10, 5, 25)),
	),
	track(
		30,
		name("small_spender"),
		50,
		500 * PHA,
		Periods { prepare: 4 * HOURS, decide: 28 * DAYS, confirm: 12 * HOURS, enact: DAYS },
		(falling(17, 50), steep(12, 2, 1, 50)),
	),
	track(
		31,
		name("medium_spender"),
		50,
		2_000 * PHA,
		Periods { prepare: 4 * HOURS, decide: 28 * DAYS, confirm: DAYS, enact: DAYS },
		(falling(23, 50), steep(16, 2, 1, 50)),
	),
	track(
		32,
		name("big_spender"),
		20,
		10_000 * PHA,
		Periods { prepare: 4 * HOURS, decide: 28 * DAYS, confirm: 2 * DAYS, enact: DAYS },
		(falling(28, 50), steep(20, 3, 2, 50)),
	),
];

impl TracksInfo<Balance, BlockNumber> for Tracks {
	type Id = u16;
	type RuntimeOrigin = <RuntimeOrigin as OriginTrait>::PalletsOrigin;

	fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
		TRACKS.iter().map(Cow::Borrowed)
	}

	fn track_for(origin: &Self::RuntimeOrigin) -> Result<u16, ()> {
		match origin {
			OriginCaller::system(RawOrigin::Root) => Ok(0),
			OriginCaller::Dao(origin) => match origin {
				Origin::WhitelistedCaller => Ok(1),
				Origin::GeneralAdmin => Ok(10),
				Origin::MeasurementAdmin => Ok(11),
				Origin::TcbPolicyAdmin => Ok(12),
				Origin::TokenomicsAdmin => Ok(13),
				Origin::GatekeeperAdmin => Ok(14),
				Origin::SlashCanceller => Ok(15),
				Origin::ReferendumCanceller => Ok(20),
				Origin::ReferendumKiller => Ok(21),
				Origin::EmergencyHalt => Ok(22),
				Origin::SmallSpender => Ok(30),
				Origin::MediumSpender => Ok(31),
				Origin::BigSpender => Ok(32),
				// The fellowship speaks on its own; what passed a check is nobody's to ask for.
				Origin::Fellows | Origin::GuardRail => Err(()),
			},
			_ => Err(()),
		}
	}
}
