//! What is wrong with a proposal or a vote is said.

use super::*;
use frame_support::{assert_noop, traits::Bounded};
use phala_runtime::constants::currency::*;
use sp_runtime::{DispatchError, traits::BlakeTwo256};

type Referendum = pallet_referenda::Error<Runtime>;
type Voting = pallet_conviction_voting::Error<Runtime>;

fn try_submit(
	name: &str,
	origin: OriginCaller,
	call: Bounded<RuntimeCall, BlakeTwo256>,
) -> DispatchResult {
	Referenda::submit(signed(name), Box::new(origin), call, DispatchTime::After(0))
}

fn remark() -> RuntimeCall {
	frame_system::Call::remark { remark: vec![7; 200] }.into()
}

#[test]
fn an_origin_without_a_track() {
	governed(|| {
		let holder = OriginCaller::system(frame_system::RawOrigin::Signed(account("alice")));
		for origin in [holder, Origin::GuardRail.into(), Origin::Fellows.into()] {
			let result = try_submit("alice", origin, preimage(remark()));
			assert_eq!(result, Err(Referendum::NoTrack.into()));
		}
	});
}

#[test]
fn a_preimage_of_another_length() {
	governed(|| {
		let Bounded::Lookup { hash, len } = preimage(remark()) else { panic!("it is too long") };
		assert_noop!(
			try_submit("alice", ROOT, Bounded::Lookup { hash, len: len + 1 }),
			Referendum::PreimageStoredWithDifferentLength
		);
	});
}

#[test]
fn a_preimage_that_is_missing_is_waited_for_and_then_enacts_nothing() {
	governed(|| {
		let missing = Bounded::Lookup { hash: [7; 32].into(), len: 100 };
		assert_ok!(try_submit("alice", Origin::GeneralAdmin.into(), missing));
		assert_ok!(Referenda::place_decision_deposit(signed("bob"), 0));
		all_vote(0, true);
		enact(10);
		assert!(is_approved(0));
		assert!(enacted().is_empty());
		let unavailable = |event: &RuntimeEvent| {
			matches!(
				event,
				RuntimeEvent::Scheduler(pallet_scheduler::Event::CallUnavailable { .. })
			)
		};
		assert!(System::events().iter().any(|record| unavailable(&record.event)));
	});
}

#[test]
fn too_small_a_deposit() {
	governed(|| {
		let index = submit(ROOT, remark());
		let poor = account("poor");
		let endow = |amount: Balance| {
			assert_ok!(Balances::force_set_balance(
				RuntimeOrigin::root(),
				poor.clone().into(),
				amount
			));
		};
		endow(track(0).decision_deposit / 2);
		assert_noop!(
			Referenda::place_decision_deposit(signed("poor"), index).map_err(|error| error.error),
			pallet_balances::Error::<Runtime>::InsufficientBalance
		);
		endow(PHA);
		let refused = try_submit("poor", ROOT, preimage(remark()));
		assert_eq!(refused, Err(pallet_balances::Error::<Runtime>::InsufficientBalance.into()));
		assert_ok!(Referenda::place_decision_deposit(signed("bob"), index));
		assert_noop!(
			Referenda::place_decision_deposit(signed("bob"), index).map_err(|error| error.error),
			Referendum::HasDeposit
		);
		// The supply stays as it was.
		endow(0);
	});
}

#[test]
fn votes_above_the_balance_and_in_the_wrong_place() {
	governed(|| {
		let index = propose(ROOT, remark());
		let all = <Balances as Inspect<_>>::total_balance(&account("charlie"));
		let over = standard(true, Conviction::None, all + 1);
		assert_noop!(vote("charlie", index, over), Voting::InsufficientFunds);
		let split = AccountVote::Split { aye: all, nay: 1 };
		assert_noop!(vote("charlie", index, split), Voting::InsufficientFunds);
		let overflow = AccountVote::Split { aye: Balance::MAX, nay: Balance::MAX };
		assert_noop!(vote("charlie", index, overflow), Voting::InsufficientFunds);
		let little = standard(true, Conviction::None, PHA);
		assert_noop!(vote("charlie", index + 1, little), Voting::NotOngoing);
		assert_noop!(
			ConvictionVoting::remove_vote(signed("charlie"), Some(0), index),
			Voting::NotVoter
		);
		let to = |name: &str| account(name).into();
		assert_noop!(
			ConvictionVoting::delegate(signed("charlie"), 0, to("charlie"), Conviction::None, PHA)
				.map_err(|error| error.error),
			Voting::Nonsense
		);
		assert_noop!(
			ConvictionVoting::delegate(signed("charlie"), 99, to("bob"), Conviction::None, PHA)
				.map_err(|error| error.error),
			Voting::BadClass
		);
	});
}

#[test]
fn a_call_that_its_track_may_not_make_is_refused_at_enactment() {
	governed(|| {
		let call =
			pallet_balances::Call::force_set_balance { who: account("bob").into(), new_free: PHA };
		let before = Balances::free_balance(account("bob"));
		let index = submit(Origin::SmallSpender, call);
		assert_ok!(Referenda::place_decision_deposit(signed("charlie"), index));
		all_vote(index, true);
		enact(30);
		assert_eq!(enacted(), vec![Err(DispatchError::BadOrigin)]);
		assert_eq!(Balances::free_balance(account("bob")), before);
	});
}

#[test]
fn a_call_that_is_filtered_is_refused_at_enactment() {
	governed(|| {
		let payout = pallet_treasury::Call::payout { index: 0 };
		let index = propose(Origin::SmallSpender, payout);
		all_vote(index, true);
		let info = track(30);
		pass(info.prepare_period + info.confirm_period + info.min_enactment_period - 1);
		assert_ok!(Dao::halt(RuntimeOrigin::root()));
		pass(1);
		let filtered = DispatchError::from(frame_system::Error::<Runtime>::CallFiltered).stripped();
		let results: Vec<_> =
			enacted().into_iter().map(|result| result.map_err(DispatchError::stripped)).collect();
		assert_eq!(results, vec![Err(filtered)]);
	});
}
