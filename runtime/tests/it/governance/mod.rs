//! The DAO, from an idea to an enacted change.

mod access;
mod bad_input;
mod fellowship;
mod halts;
mod parameters;
mod plots;
mod spending;
mod tracks;
mod turnout;
mod voting;

use crate::chain::{account, block, run};
use frame_support::{
	assert_ok,
	traits::{Bounded, Hooks, StorePreimage, fungible::Inspect, schedule::DispatchTime},
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_dao::origins::Origin;
use pallet_referenda::{ReferendumInfo, ReferendumInfoFor, TrackInfo, TracksInfo};
use phala_runtime::{
	configs::{RelayClock, governance::Tracks},
	*,
};
use sp_runtime::{DispatchResult, traits::BlockNumberProvider};

/// Runs `test` on a chain whose first block is built.
fn governed(test: impl FnOnce()) {
	run(|| {
		block(vec![]);
		test();
	});
}

fn signed(name: &str) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(name))
}

/// The relay-chain block.
fn now() -> BlockNumber {
	RelayClock::current_block_number()
}

/// Lets `blocks` of the relay chain pass. Only those blocks are built that have something scheduled, and
/// the last one; of the hooks, those of the DAO, the scheduler and the treasury run.
pub fn pass(blocks: BlockNumber) {
	let end = now() + blocks;
	loop {
		let agendas = pallet_scheduler::Agenda::<Runtime>::iter();
		let due =
			agendas.filter(|(_, agenda)| agenda.iter().any(Option::is_some)).map(|(at, _)| at);
		let next = due.filter(|at| *at > now() && *at <= end).min().unwrap_or(end);
		pallet_scheduler::IncompleteSince::<Runtime>::kill();
		RelayClock::set_block_number(next);
		let number = System::block_number();
		Dao::on_initialize(number);
		Scheduler::on_initialize(number);
		Treasury::on_initialize(number);
		if next == end {
			break;
		}
	}
}

fn track(id: u16) -> TrackInfo<Balance, BlockNumber> {
	Tracks::info(id).expect("there is such a track").into_owned()
}

fn preimage(call: impl Into<RuntimeCall>) -> Bounded<RuntimeCall, sp_runtime::traits::BlakeTwo256> {
	Preimage::bound(call.into()).expect("it is short")
}

/// Submits a referendum as alice.
fn submit(origin: impl Into<OriginCaller>, call: impl Into<RuntimeCall>) -> u32 {
	let index = pallet_referenda::ReferendumCount::<Runtime>::get();
	assert_ok!(Referenda::submit(
		signed("alice"),
		Box::new(origin.into()),
		preimage(call),
		DispatchTime::After(0),
	));
	index
}

/// Submits a referendum, with its decision deposit from bob.
pub fn propose(origin: impl Into<OriginCaller>, call: impl Into<RuntimeCall>) -> u32 {
	let index = submit(origin, call);
	assert_ok!(Referenda::place_decision_deposit(signed("bob"), index));
	index
}

const ROOT: OriginCaller = OriginCaller::system(frame_system::RawOrigin::Root);

fn standard(aye: bool, conviction: Conviction, balance: Balance) -> AccountVote<Balance> {
	AccountVote::Standard { vote: Vote { aye, conviction }, balance }
}

fn vote(name: &str, index: u32, vote: AccountVote<Balance>) -> DispatchResult {
	ConvictionVoting::vote(signed(name), index, vote)
}

/// Everybody votes for it, or against, with all they own and no conviction.
pub fn all_vote(index: u32, aye: bool) {
	for name in ["alice", "bob", "charlie"] {
		let balance = <Balances as Inspect<_>>::total_balance(&account(name));
		assert_ok!(vote(name, index, standard(aye, Conviction::None, balance)));
	}
}

/// Lets a referendum of `track` that everybody voted for go through, up to its enactment.
pub fn enact(id: u16) {
	let info = track(id);
	pass(info.prepare_period + info.confirm_period + info.min_enactment_period);
}

fn status(index: u32) -> pallet_referenda::ReferendumInfoOf<Runtime, ()> {
	ReferendumInfoFor::<Runtime>::get(index).expect("there is such a referendum")
}

pub fn is_approved(index: u32) -> bool {
	matches!(status(index), ReferendumInfo::Approved(..))
}

/// What the calls returned that the scheduler dispatched for referenda, oldest first.
pub fn enacted() -> Vec<DispatchResult> {
	let events = System::events().into_iter();
	events
		.filter_map(|record| match record.event {
			RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched { result, id, .. })
				if id.is_some() =>
			{
				Some(result)
			}
			_ => None,
		})
		.collect()
}

fn tally(index: u32) -> pallet_conviction_voting::TallyOf<Runtime> {
	match status(index) {
		ReferendumInfo::Ongoing(status) => status.tally,
		other => panic!("{other:?}"),
	}
}
