//! The technical fellowship: ranked members who can whitelist a call, so that it is decided faster.
//!
//! Whitelisting enacts nothing: the public still votes, on the track of the whitelisted caller. From
//! outside, only Root seats or raises members: a faster track could otherwise appoint those who
//! whitelist, and so pass Root's delay.

use crate::{
	AccountId, Balance, Balances, BlockNumber, FellowshipCollective, FellowshipCore,
	FellowshipReferenda, OriginCaller, Preimage, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
	Scheduler,
	configs::{RelayClock, ToTreasuryLegacy},
	constants::{
		currency::PHA,
		live_or_development,
		time::{DAYS, HOURS, MINUTES},
	},
	weights,
};
use alloc::{borrow::Cow, vec, vec::Vec};
use frame_support::{
	BoundedVec,
	instances::Instance2,
	traits::{ConstU16, ConstU32, ConstU128, EitherOf, EitherOfDiverse, MapSuccess, OriginTrait},
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};
use pallet_dao::{Origin, origins};
use pallet_ranked_collective::EnsureMember;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{
	FixedI64, str_array as name,
	traits::{Convert, Replace},
};

/// The highest rank.
const MAX_RANK: u16 = 6;
/// From this rank on members submit, vote and whitelist.
const FELLOW: u16 = 3;

/// Root raises to any rank, the fellows among themselves to their own.
type Promote = EitherOf<
	EnsureRootWithSuccess<AccountId, ConstU16<MAX_RANK>>,
	MapSuccess<origins::Fellows, Replace<ConstU16<FELLOW>>>,
>;
type RootToAnyRank = EnsureRootWithSuccess<AccountId, ConstU16<MAX_RANK>>;
type RootOrFellows = EitherOfDiverse<EnsureRoot<AccountId>, origins::Fellows>;

/// Every track of the fellowship is for fellows.
pub struct FromFellow;

impl Convert<u16, u16> for FromFellow {
	fn convert(_track: u16) -> u16 {
		FELLOW
	}
}

impl pallet_ranked_collective::Config for Runtime {
	type WeightInfo = weights::pallet_ranked_collective::WeightInfo<Runtime>;
	type RuntimeEvent = RuntimeEvent;
	type AddOrigin = EnsureRoot<AccountId>;
	type RemoveOrigin = RootToAnyRank;
	type PromoteOrigin = RootToAnyRank;
	type DemoteOrigin = RootToAnyRank;
	type ExchangeOrigin = RootOrFellows;
	type Polls = FellowshipReferenda;
	type MinRankOfClass = FromFellow;
	type MemberSwappedHandler = FellowshipCore;
	type VoteWeight = pallet_ranked_collective::Geometric;
	type MaxMemberCount = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = SeatedMember;
}

/// The collective's benchmarks need members that the programme of ranks knows.
#[cfg(feature = "runtime-benchmarks")]
pub struct SeatedMember;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_ranked_collective::BenchmarkSetup<AccountId> for SeatedMember {
	fn ensure_member(who: &AccountId) {
		let imported =
			FellowshipCore::import_member(RuntimeOrigin::signed(who.clone()), who.clone());
		assert!(imported.is_ok(), "a member can be imported");
	}
}

impl pallet_core_fellowship::Config for Runtime {
	type WeightInfo = weights::pallet_core_fellowship::WeightInfo<Runtime>;
	type RuntimeEvent = RuntimeEvent;
	type Members = FellowshipCollective;
	type Balance = Balance;
	type ParamsOrigin = EnsureRoot<AccountId>;
	type InductOrigin = RootOrFellows;
	type ApproveOrigin = Promote;
	type PromoteOrigin = Promote;
	type FastPromoteOrigin = RootToAnyRank;
	type EvidenceSize = ConstU32<65_536>;
	type MaxRank = ConstU16<MAX_RANK>;
	type BlockNumberProvider = RelayClock;
}

/// The rules of ranks that a chain starts with: no salaries; who is not confirmed within a year falls by a
/// rank; a month up to the rank of a fellow, half a year above.
///
/// A chain must not start without them: the pallet looks a rank's rules up by index, and would panic where
/// they are missing, in a referendum's enactment as well.
pub fn rank_rules() -> pallet_core_fellowship::ParamsOf<Runtime, ()> {
	let of_ranks = |period: fn(u16) -> BlockNumber| {
		BoundedVec::truncate_from((1..=MAX_RANK).map(period).collect::<Vec<_>>())
	};
	pallet_core_fellowship::ParamsType {
		active_salary: BoundedVec::truncate_from(vec![0; MAX_RANK.into()]),
		passive_salary: BoundedVec::truncate_from(vec![0; MAX_RANK.into()]),
		demotion_period: of_ranks(|_| 365 * DAYS),
		min_promotion_period: of_ranks(|rank| if rank <= FELLOW { 30 * DAYS } else { 180 * DAYS }),
		offboard_timeout: 90 * DAYS,
	}
}

/// The one track of the fellowship's own referenda.
pub struct FellowshipTracks;

const fn percent(of_hundred: u128) -> FixedI64 {
	FixedI64::from_rational(of_hundred, 100)
}

/// Two thirds of the votes, and support of three quarters of the seats at first and of a third at last.
static FELLOWS: Track<u16, Balance, BlockNumber> = Track {
	id: 0,
	info: TrackInfo {
		name: name("fellows"),
		max_deciding: 10,
		decision_deposit: 10 * PHA,
		prepare_period: live_or_development(10 * MINUTES, MINUTES / 2),
		decision_period: live_or_development(7 * DAYS, 5 * MINUTES),
		confirm_period: live_or_development(10 * MINUTES, MINUTES / 2),
		min_enactment_period: live_or_development(MINUTES, MINUTES / 2),
		min_approval: Curve::make_linear(1, 7, percent(66), percent(100)),
		min_support: Curve::make_linear(7, 7, percent(33), percent(75)),
	},
};

impl TracksInfo<Balance, BlockNumber> for FellowshipTracks {
	type Id = u16;
	type RuntimeOrigin = <RuntimeOrigin as OriginTrait>::PalletsOrigin;

	fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
		core::iter::once(Cow::Borrowed(&FELLOWS))
	}

	fn track_for(origin: &Self::RuntimeOrigin) -> Result<u16, ()> {
		match origin {
			OriginCaller::Dao(Origin::Fellows) => Ok(0),
			_ => Err(()),
		}
	}
}

impl pallet_referenda::Config<Instance2> for Runtime {
	type WeightInfo = weights::pallet_referenda::WeightInfo<Runtime>;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type Scheduler = Scheduler;
	type Currency = Balances;
	type SubmitOrigin = EnsureMember<Runtime, (), FELLOW>;
	type CancelOrigin = RootOrFellows;
	type KillOrigin = EnsureRoot<AccountId>;
	type Slash = ToTreasuryLegacy;
	type Votes = pallet_ranked_collective::Votes;
	type Tally = pallet_ranked_collective::TallyOf<Runtime>;
	type SubmissionDeposit = ConstU128<PHA>;
	type MaxQueued = ConstU32<20>;
	type UndecidingTimeout = ConstU32<{ live_or_development(7 * DAYS, HOURS) }>;
	type AlarmInterval = ConstU32<1>;
	type Tracks = FellowshipTracks;
	type Preimages = Preimage;
	type BlockNumberProvider = RelayClock;
}
