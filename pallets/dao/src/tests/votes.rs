//! Votes follow the balances behind them, down.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::Pays,
	traits::{
		LockableCurrency, ReservableCurrency, StoredMap, WithdrawReasons,
		fungible::{Inspect, Mutate},
	},
	weights::Weight,
};
use proptest::prelude::*;

/// `who` owns `owned`, reserves all but 1 of it, and votes with `votes`.
fn voter(who: AccountId, owned: u64, votes: &[u64]) {
	Balances::set_balance(&who, owned);
	let locked = votes.iter().copied().max().unwrap_or_default();
	Balances::set_lock(*b"pyconvot", &who, locked, WithdrawReasons::all());
	assert_ok!(Balances::reserve(&who, owned - 1));
	Standing::mutate(|standing| standing.insert(who, votes.to_vec()));
}

fn standing(who: AccountId) -> Vec<u64> {
	Standing::get().get(&who).cloned().unwrap_or_default()
}

#[test]
fn a_slash_of_reserved_balance_lowers_votes_in_the_next_block() {
	build_and_execute(|| {
		voter(1, 100, &[100, 50, 80]);
		assert_eq!(Excess::<Test>::iter().count(), 0);
		let _ = Balances::slash_reserved(&1, 30);
		assert_eq!(Excess::<Test>::iter_keys().collect::<Vec<_>>(), vec![1]);
		run_to(3);
		assert_eq!(standing(1), vec![70, 50, 70]);
		System::assert_has_event(Event::<Test>::VotesLowered { who: 1 }.into());
		assert_eq!(Excess::<Test>::iter().count(), 0);
	});
}

#[test]
fn what_votes_cannot_be_moved_politely_and_takes_its_votes_along_by_force() {
	build_and_execute(|| {
		voter(1, 100, &[100]);
		Balances::set_balance(&2, 1);
		let status = frame_support::traits::BalanceStatus::Free;
		assert_eq!(Balances::repatriate_reserved(&1, &2, 60, status), Ok(60), "nothing moved");
		let force = |account: &mut pallet_balances::AccountData<u64>| account.reserved -= 60;
		assert_ok!(<Watched<Test, System> as StoredMap<_, _>>::mutate(&1, force));
		run_to(2);
		assert_eq!(standing(1), vec![40]);
	});
}

#[test]
fn votes_of_an_account_that_lost_everything_are_lowered_to_what_is_left() {
	build_and_execute(|| {
		voter(1, 100, &[100, 1]);
		let _ = Balances::slash_reserved(&1, 99);
		run_to(3);
		assert_eq!(standing(1), vec![1, 1]);
	});
}

#[test]
fn ordinary_payments_note_nobody() {
	build_and_execute(|| {
		Balances::set_balance(&1, 100);
		Balances::set_lock(*b"pyconvot", &1, 40, WithdrawReasons::all());
		assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(1), 2, 60));
		assert!(Balances::transfer_allow_death(RuntimeOrigin::signed(1), 2, 1).is_err());
		assert_eq!(Excess::<Test>::iter().count(), 0);
	});
}

#[test]
fn who_owns_more_again_or_as_much_is_not_noted() {
	build_and_execute(|| {
		voter(1, 100, &[]);
		Balances::set_balance(&2, 1_000);
		// A lock of votes that are over, larger than what is left.
		Balances::set_lock(*b"pyconvot", &1, 100, WithdrawReasons::all());
		let _ = Balances::slash_reserved(&1, 30);
		assert!(Excess::<Test>::contains_key(1), "it owns less");
		run_to(3);
		assert_eq!(Excess::<Test>::iter().count(), 0, "there was nothing to lower");
		assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(2), 1, 5));
		Balances::set_lock(*b"otherloc", &1, 200, WithdrawReasons::all());
		assert_eq!(Excess::<Test>::iter().count(), 0, "it does not own less than before");
	});
}

#[test]
fn a_block_does_no_more_than_its_limit_and_something_in_any_case() {
	build_and_execute(|| {
		for who in 1..=6 {
			voter(who, 100, &[100]);
			let _ = Balances::slash_reserved(&who, 30);
		}
		LoweringWeight::set(Weight::zero());
		let lowered = || (1..=6).filter(|who| standing(*who) == vec![70]).count();
		run_to(2);
		assert_eq!(lowered(), 1);
		LoweringWeight::set(Weight::from_parts(1_000_000_000, u64::MAX));
		run_to(3);
		assert_eq!(lowered(), 6, "they fit into one block");
	});
}

#[test]
fn lowering_takes_up_where_it_stopped_and_starts_again_after_a_further_loss() {
	build_and_execute(|| {
		LoweringWeight::set(Weight::zero());
		voter(1, 100, &[100, 100, 100]);
		let _ = Balances::slash_reserved(&1, 30);
		run_to(4);
		let (position, now) = (Excess::<Test>::get(1).expect("it is noted"), standing(1));
		assert!(position > 0 && now[0] == 70, "{position}: {now:?}");
		let _ = Balances::slash_reserved(&1, 30);
		assert_eq!(Excess::<Test>::get(1), Some(0));
		run_to(30);
		assert_eq!(standing(1), vec![40; 3]);
		assert_eq!(Excess::<Test>::iter().count(), 0);
	});
}

#[test]
fn anybody_may_help_and_pays_for_it() {
	build_and_execute(|| {
		voter(1, 100, &[50, 100]);
		let _ = Balances::slash_reserved(&1, 30);
		let refused = |class| {
			assert_noop!(
				Dao::lower_vote(RuntimeOrigin::signed(2), 1, class).map_err(|error| error.error),
				Error::<Test>::NothingToLower
			);
		};
		refused(0);
		let post = Dao::lower_vote(RuntimeOrigin::signed(2), 1, 1).expect("there is one");
		assert_eq!(post.pays_fee, Pays::Yes);
		assert_eq!(standing(1), vec![50, 70]);
		refused(1);
		assert!(Dao::lower_vote(RuntimeOrigin::none(), 1, 1).is_err());
		run_to(3);
	});
}

#[test]
fn pots_do_not_count_for_turnout() {
	frame_support::parameter_types! {
		pub Pots: Vec<AccountId> = vec![7, 8, 9];
	}
	build_and_execute(|| {
		for (who, amount) in [(1, 30), (7, 60), (8, 10)] {
			assert_ok!(Balances::mint_into(&who, amount));
		}
		let turnout = <Turnout<_, Balances, Pots> as frame_support::traits::Get<u64>>::get();
		assert_eq!(turnout, 30);
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

	/// After any mixture of slashes, payments and votes, and a few blocks: no vote exceeds its balance.
	#[test]
	fn no_vote_exceeds_its_balance(
		steps in prop::collection::vec((1u64..4, 1u64..4, 0u64..60, 0u8..4), 1..60)
	) {
		build_and_execute(|| {
			for who in 1..4 {
				voter(who, 100, &[]);
			}
			for (who, other, amount, step) in steps {
				match step {
					0 => drop(Balances::slash_reserved(&who, amount)),
					1 => drop(Balances::repatriate_reserved(
						&who,
						&other,
						amount,
						frame_support::traits::BalanceStatus::Reserved,
					)),
					2 => drop(Balances::transfer_allow_death(
						RuntimeOrigin::signed(who),
						other,
						amount,
					)),
					_ => {
						let vote = amount.min(<Balances as Inspect<_>>::total_balance(&who));
						let lock = Standing::mutate(|standing| {
							let votes = standing.entry(who).or_default();
							votes.push(vote);
							votes.iter().copied().max().unwrap_or_default()
						});
						Balances::set_lock(*b"pyconvot", &who, lock, WithdrawReasons::all());
					},
				}
			}
			run_to(System::block_number() + 60);
			for who in 1..4 {
				let owned = <Balances as Inspect<_>>::total_balance(&who);
				assert!(standing(who).into_iter().all(|vote| vote <= owned), "{who} owns {owned}");
			}
			assert_eq!(Excess::<Test>::iter().count(), 0);
		});
	}
}
