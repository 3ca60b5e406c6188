//! Votes: conviction, delegation, splits, locks, and stake that votes.

use super::*;
use crate::chain::{block as build, signed as by};
use codec::Encode;
use frame_support::{
	assert_noop,
	traits::{
		LockableCurrency, ReservableCurrency, WithdrawReasons,
		fungible::{BalancedHold, InspectHold, MutateHold},
		tokens::{Fortitude, Precision, Restriction},
	},
};
use pallet_conviction_voting::VotingFor;
use phala_runtime::{
	configs::RuntimeBlockWeights,
	constants::{currency::*, governance::*},
};
use proptest::prelude::*;
use sp_runtime::Perbill;

/// A reason that PHA is on hold for; stakes have their own.
const STAKE: RuntimeHoldReason = RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);

fn open() -> u32 {
	propose(Origin::GeneralAdmin, pallet_utility::Call::batch { calls: vec![] })
}

fn stake(name: &str, amount: Balance) {
	assert_ok!(Balances::hold(&STAKE, &account(name), amount));
}

fn slash(name: &str, amount: Balance) {
	let (slashed, missing) = <Balances as BalancedHold<_>>::slash(&STAKE, &account(name), amount);
	assert_eq!(missing, 0);
	<phala_runtime::configs::ToTreasury as frame_support::traits::OnUnbalanced<_>>::on_unbalanced(
		slashed,
	);
}

fn locked(name: &str) -> Balance {
	Balances::locks(&account(name)).iter().map(|lock| lock.amount).max().unwrap_or_default()
}

/// Ayes, nays and support, in PHA.
fn counted(index: u32) -> (Balance, Balance, Balance) {
	let tally = tally(index);
	(tally.ayes / PHA, tally.nays / PHA, tally.support / PHA)
}

#[test]
fn conviction_multiplies_votes_and_not_support() {
	governed(|| {
		let index = open();
		let amount = 100 * PHA;
		for (conviction, votes) in [
			(Conviction::None, 10),
			(Conviction::Locked1x, 100),
			(Conviction::Locked3x, 300),
			(Conviction::Locked6x, 600),
		] {
			assert_ok!(vote("alice", index, standard(true, conviction, amount)));
			assert_eq!(counted(index), (votes, 0, 100), "{conviction:?}");
		}
		assert_ok!(vote("bob", index, standard(false, Conviction::Locked1x, amount)));
		assert_eq!(counted(index), (600, 100, 100));
	});
}

#[test]
fn split_and_abstain_count_without_conviction() {
	governed(|| {
		let index = open();
		assert_ok!(vote("alice", index, AccountVote::Split { aye: 100 * PHA, nay: 50 * PHA }));
		assert_eq!(counted(index), (10, 5, 100));
		let abstain =
			AccountVote::SplitAbstain { aye: 10 * PHA, nay: 20 * PHA, abstain: 300 * PHA };
		assert_ok!(vote("bob", index, abstain));
		assert_eq!(counted(index), (11, 7, 410));
	});
}

#[test]
fn a_delegate_votes_with_what_was_delegated_until_it_is_taken_back() {
	governed(|| {
		let index = open();
		let amount = 1_000 * PHA;
		let to = || account("bob").into();
		assert_ok!(ConvictionVoting::delegate(
			signed("alice"),
			10,
			to(),
			Conviction::Locked2x,
			amount
		));
		assert_eq!(counted(index), (0, 0, 0));
		assert_ok!(vote("bob", index, standard(true, Conviction::Locked1x, amount)));
		assert_eq!(counted(index), (3_000, 0, 2_000));
		assert_noop!(
			vote("alice", index, standard(false, Conviction::None, amount)),
			pallet_conviction_voting::Error::<Runtime>::AlreadyDelegating
		);
		assert_ok!(ConvictionVoting::undelegate(signed("alice"), 10));
		assert_eq!(counted(index), (1_000, 0, 1_000));
		assert_ok!(vote("alice", index, standard(false, Conviction::None, amount)));
		// Another track is not affected.
		let other = propose(Origin::SmallSpender, pallet_utility::Call::batch { calls: vec![] });
		assert_ok!(ConvictionVoting::delegate(signed("alice"), 30, to(), Conviction::None, amount));
		assert_ok!(vote("bob", other, standard(true, Conviction::None, amount)));
		assert_eq!(counted(other), (200, 0, 2_000));
	});
}

#[test]
fn winners_stay_locked_for_their_conviction_and_losers_do_not() {
	governed(|| {
		let index = open();
		let all = 1_000_000 * PHA - 10_000 * PHA;
		assert_ok!(vote("alice", index, standard(true, Conviction::Locked2x, all)));
		assert_ok!(vote("charlie", index, standard(true, Conviction::Locked1x, all)));
		assert_ok!(vote("bob", index, standard(false, Conviction::Locked6x, PHA)));
		enact(10);
		let ReferendumInfo::Approved(ended, ..) = status(index) else { panic!("it is approved") };

		let unlock = |name: &str| {
			assert_ok!(ConvictionVoting::remove_vote(signed(name), Some(10), index));
			assert_ok!(ConvictionVoting::unlock(signed(name), 10, account(name).into()));
			locked(name)
		};
		assert_eq!(unlock("bob"), 0, "who lost is free at once");
		assert_eq!(unlock("alice"), all);
		assert_eq!(unlock("charlie"), all);
		let wait = |name: &str, until: BlockNumber| {
			pass(until - now() - 1);
			assert_ok!(ConvictionVoting::unlock(signed("bob"), 10, account(name).into()));
			assert_eq!(locked(name), all, "{name} is free too early");
			pass(1);
			assert_ok!(ConvictionVoting::unlock(signed("bob"), 10, account(name).into()));
			assert_eq!(locked(name), 0);
		};
		wait("charlie", ended + VOTE_LOCKING_PERIOD);
		wait("alice", ended + 2 * VOTE_LOCKING_PERIOD);
	});
}

#[test]
fn removal_of_a_vote_takes_it_out_of_the_tally_and_unlocks() {
	governed(|| {
		let index = open();
		assert_ok!(vote("alice", index, standard(true, Conviction::Locked6x, 100 * PHA)));
		assert_eq!(locked("alice"), 100 * PHA);
		assert_ok!(ConvictionVoting::remove_vote(signed("alice"), None, index));
		assert_eq!(counted(index), (0, 0, 0));
		assert_ok!(ConvictionVoting::unlock(signed("alice"), 10, account("alice").into()));
		assert_eq!(locked("alice"), 0);
	});
}

#[test]
fn stake_votes_and_the_lock_lies_over_the_hold() {
	governed(|| {
		stake("alice", 900_000 * PHA);
		let index = open();
		let all = <Balances as Inspect<_>>::total_balance(&account("alice"));
		assert_ok!(vote("alice", index, standard(true, Conviction::Locked1x, all)));
		assert_eq!(tally(index).support, all);
		// Stake can still be released and staked again; it does not leave the account.
		assert_ok!(Balances::release(&STAKE, &account("alice"), 500_000 * PHA, Precision::Exact));
		assert!(
			Balances::transfer_keep_alive(signed("alice"), account("bob").into(), PHA).is_err(),
			"what votes stays"
		);
		stake("alice", 400_000 * PHA);
	});
}

#[test]
fn a_slash_of_voted_stake_works_and_lowers_votes_everywhere() {
	governed(|| {
		stake("alice", 900_000 * PHA);
		let (first, second) = (open(), open());
		let elsewhere =
			propose(Origin::SmallSpender, pallet_utility::Call::batch { calls: vec![] });
		let all = <Balances as Inspect<_>>::total_balance(&account("alice"));
		assert_ok!(vote("alice", first, standard(true, Conviction::Locked1x, all)));
		assert_ok!(vote("alice", second, standard(true, Conviction::Locked1x, 10 * PHA)));
		assert_ok!(vote("alice", elsewhere, AccountVote::Split { aye: all / 2, nay: all / 2 }));
		let issued = Balances::total_issuance();
		slash("alice", 600_000 * PHA);
		let left = all - 600_000 * PHA;
		assert_eq!(<Balances as Inspect<_>>::total_balance(&account("alice")), left);
		pass(3);
		assert_eq!((tally(first).ayes, tally(first).support), (left, left));
		assert_eq!(counted(second), (10, 0, 10), "a vote that its voter still owns stays");
		assert!(tally(elsewhere).support.abs_diff(left / 2) <= 1_000_000);
		assert!(tally(elsewhere).nays.abs_diff(left / 20) <= 1_000_000);
		assert_eq!(locked("alice"), left);
		assert_eq!(Balances::total_issuance(), issued, "nothing is burnt");
		assert_eq!(pallet_dao::Excess::<Runtime>::iter().count(), 0);
	});
}

#[test]
fn a_slash_of_delegated_stake_withdraws_the_delegation() {
	governed(|| {
		stake("alice", 900_000 * PHA);
		let index = open();
		let all = <Balances as Inspect<_>>::total_balance(&account("alice"));
		let to = account("charlie").into();
		assert_ok!(ConvictionVoting::delegate(signed("alice"), 10, to, Conviction::Locked1x, all));
		assert_ok!(vote("charlie", index, standard(true, Conviction::None, 10 * PHA)));
		assert_eq!(tally(index).support, all + 10 * PHA);
		slash("alice", 600_000 * PHA);
		pass(1);
		assert_eq!(tally(index).support, 10 * PHA);
		pass(1);
		assert_eq!(pallet_dao::Excess::<Runtime>::iter().count(), 0);
		// What is left can be delegated again.
		let left = <Balances as Inspect<_>>::total_balance(&account("alice"));
		let to = account("charlie").into();
		assert_ok!(ConvictionVoting::delegate(signed("alice"), 10, to, Conviction::Locked1x, left));
		assert_eq!(tally(index).support, left + 10 * PHA);
	});
}

#[test]
fn many_votes_are_lowered_in_one_block() {
	governed(|| {
		stake("alice", 900_000 * PHA);
		let polls: Vec<_> = (0..6).map(|_| open()).collect();
		let all = <Balances as Inspect<_>>::total_balance(&account("alice"));
		for poll in &polls {
			assert_ok!(vote("alice", *poll, standard(true, Conviction::None, all)));
		}
		slash("alice", 600_000 * PHA);
		let weight = Dao::on_initialize(System::block_number());
		for poll in polls {
			assert_eq!(tally(poll).support, all - 600_000 * PHA);
		}
		let limit = Perbill::from_percent(20) * RuntimeBlockWeights::get().max_block;
		assert!(weight.all_lte(limit), "{weight:?}");
	});
}

/// Each sets an alarm, and so writes two agendas of the scheduler.
#[test]
fn more_votes_than_a_block_has_room_for_are_lowered_in_several() {
	governed(|| {
		stake("alice", 900_000 * PHA);
		let elsewhere =
			|| propose(Origin::SmallSpender, pallet_utility::Call::batch { calls: vec![] });
		let polls: Vec<_> = (0..10).flat_map(|_| [open(), elsewhere()]).collect();
		let all = <Balances as Inspect<_>>::total_balance(&account("alice"));
		for poll in &polls {
			assert_ok!(vote("alice", *poll, standard(true, Conviction::None, all)));
		}
		slash("alice", 600_000 * PHA);
		let lowered = |_| {
			System::reset_events();
			Dao::on_initialize(System::block_number());
			let events = System::read_events_for_pallet::<pallet_dao::Event<Runtime>>();
			let lowered = |event: &&_| matches!(event, pallet_dao::Event::VotesLowered { .. });
			events.iter().filter(lowered).count()
		};
		let blocks: Vec<_> = (0..5).map(lowered).collect();
		assert!(blocks.iter().all(|votes| *votes <= 10), "{blocks:?}");
		assert_eq!(blocks.iter().sum::<usize>(), polls.len(), "{blocks:?}");
		for poll in polls {
			assert_eq!(tally(poll).support, all - 600_000 * PHA);
		}
	});
}

/// `unlock` writes an entry for any track, of anybody, whether there is such a track or not.
#[test]
fn entries_on_tracks_that_do_not_exist_cost_nothing() {
	governed(|| {
		let lowered = || {
			slash("alice", PHA);
			Dao::on_initialize(System::block_number())
		};
		stake("alice", 900_000 * PHA);
		let index = open();
		let all = <Balances as Inspect<_>>::total_balance(&account("alice"));
		assert_ok!(vote("alice", index, standard(true, Conviction::None, all)));
		let before = lowered();
		for track in (1_000..2_000).chain(2..10) {
			assert_ok!(ConvictionVoting::unlock(signed("bob"), track, account("alice").into()));
		}
		assert_eq!(lowered(), before);
		assert_eq!(tally(index).support, all - 2 * PHA);
		assert_eq!(pallet_dao::Excess::<Runtime>::iter().count(), 0);
	});
}

/// Votes set a referendum's alarm anew.
#[test]
fn a_vote_in_every_block_does_not_keep_a_referendum_from_its_decision() {
	governed(|| {
		let index = propose(Origin::EmergencyHalt, pallet_dao::Call::halt {});
		all_vote(index, true);
		let info = track(22);
		pass(info.prepare_period + 1);
		let due = now() + info.confirm_period;
		while !is_approved(index) {
			assert!(now() <= due + 2, "put off at {}: {:?}", now(), status(index));
			let vote = standard(false, Conviction::None, Balance::from(now()));
			let call = pallet_conviction_voting::Call::vote { poll_index: index, vote };
			let voted = build(vec![by("collator a", call)]);
			assert!(is_approved(index) || voted == vec![Ok(Ok(()))], "{voted:?}");
		}
		assert!(now() >= due - 2);
	});
}

/// Lowering a vote sets the alarm as well, at the start of the block in which it is due.
#[test]
fn a_loss_in_every_block_does_not_keep_a_referendum_from_its_decision() {
	governed(|| {
		stake("alice", 900_000 * PHA);
		let index = propose(Origin::EmergencyHalt, pallet_dao::Call::halt {});
		all_vote(index, true);
		let info = track(22);
		pass(info.prepare_period + 1);
		let due = now() + info.confirm_period;
		while !is_approved(index) {
			assert!(now() <= due + 2, "put off at {}: {:?}", now(), status(index));
			slash("alice", PHA);
			let support = tally(index).support;
			build(vec![]);
			assert!(is_approved(index) || tally(index).support < support, "it was lowered");
		}
		assert!(now() >= due - 2);
	});
}

#[test]
fn no_pha_votes_twice_by_moving_on_hold() {
	governed(|| {
		stake("alice", 900_000 * PHA);
		let index = open();
		let (alice, charlie) = (account("alice"), account("charlie"));
		let all = <Balances as Inspect<_>>::total_balance(&alice);
		assert_ok!(vote("alice", index, standard(true, Conviction::None, all)));
		let transfer = |fortitude| {
			Balances::transfer_on_hold(
				&STAKE,
				&alice,
				&charlie,
				800_000 * PHA,
				Precision::Exact,
				Restriction::OnHold,
				fortitude,
			)
		};
		assert!(transfer(Fortitude::Polite).is_err(), "what votes is not given away politely");
		// Nor does a deposit that is paid to somebody else carry votes with it.
		assert_ok!(Balances::reserve(&alice, PHA));
		let status = frame_support::traits::BalanceStatus::Free;
		assert_eq!(Balances::repatriate_reserved(&alice, &charlie, PHA, status), Ok(PHA));

		assert_ok!(transfer(Fortitude::Force));
		let charlies = <Balances as Inspect<_>>::total_balance(&charlie);
		assert_ok!(vote("charlie", index, standard(true, Conviction::None, charlies)));
		pass(1);
		let owned = <Balances as Inspect<_>>::total_balance(&alice) + charlies;
		assert_eq!(tally(index).support, owned, "each PHA counts once");
		assert_eq!(Balances::balance_on_hold(&STAKE, &charlie), 800_000 * PHA);
	});
}

#[test]
fn votes_are_lowered_before_the_referendum_is_decided_in_the_same_block() {
	governed(|| {
		stake("alice", 990_000 * PHA);
		let index = propose(Origin::EmergencyHalt, pallet_dao::Call::halt {});
		let support = |amount: Balance| standard(true, Conviction::None, amount);
		let all = <Balances as Inspect<_>>::total_balance(&account("alice"));
		assert_ok!(vote("alice", index, support(all)));
		assert_ok!(vote("charlie", index, support(400_000 * PHA)));
		let info = track(22);
		pass(info.prepare_period + info.confirm_period - 1);
		assert!(!is_approved(index));
		// In the last block, most of the support leaves.
		slash("alice", 980_000 * PHA);
		pass(1);
		assert!(!is_approved(index), "{:?}", status(index));
	});
}

#[test]
fn other_locks_do_not_confuse_the_lowering() {
	governed(|| {
		let index = open();
		assert_ok!(vote("alice", index, standard(true, Conviction::None, 10 * PHA)));
		Balances::set_lock(*b"othrlock", &account("alice"), Balance::MAX, WithdrawReasons::all());
		stake("alice", 100 * PHA);
		pass(2);
		assert_eq!(counted(index), (1, 0, 10));
		assert_eq!(pallet_dao::Excess::<Runtime>::iter().count(), 0);
		Balances::remove_lock(*b"othrlock", &account("alice"));
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 12, ..Default::default() })]

	/// However votes, stakes, slashes and delegations mix: a block later, every tally is the sum of
	/// votes that their voters own.
	#[test]
	fn tallies_never_exceed_what_voters_own(
		steps in prop::collection::vec((0usize..3, 0usize..3, 0u8..5, 1u128..1_000), 1..30)
	) {
		governed(|| {
			let polls = [open(), open()];
			let names = ["alice", "bob", "charlie"];
			for name in names {
				stake(name, 800_000 * PHA);
			}
			for (who, other, step, thousands) in steps {
				let (name, other) = (names[who], names[other]);
				let owned = <Balances as Inspect<_>>::total_balance(&account(name));
				let amount = (thousands * 1_000 * PHA).min(owned);
				match step {
					0 => drop(vote(name, polls[0], standard(true, Conviction::Locked1x, amount))),
					1 => drop(vote(name, polls[1], AccountVote::Split { aye: amount, nay: 0 })),
					2 => {
						let on_hold = Balances::balance_on_hold(&STAKE, &account(name));
						slash(name, amount.min(on_hold) / 4);
					},
					3 => drop(ConvictionVoting::delegate(
						signed(name), 10, account(other).into(), Conviction::Locked1x, amount,
					)),
					_ => drop(ConvictionVoting::undelegate(signed(name), 10)),
				}
			}
			pass(30);
			let owned: Balance =
				names.iter().map(|name| <Balances as Inspect<_>>::total_balance(&account(name))).sum();
			for poll in polls {
				assert!(tally(poll).support <= owned);
			}
			for (who, _, voting) in VotingFor::<Runtime>::iter() {
				let owned = <Balances as Inspect<_>>::total_balance(&who);
				let cast = match voting {
					pallet_conviction_voting::Voting::Casting(casting) =>
						casting.votes.iter().map(|(_, vote)| vote.balance()).max().unwrap_or(0),
					pallet_conviction_voting::Voting::Delegating(delegating) => delegating.balance,
				};
				assert!(cast <= owned, "{} votes with {cast} and owns {owned}", hex::encode(who.encode()));
			}
		});
	}
}
