//! What owners do with pools.

use crate::{Descriptions, Error, Pools as Records, Whitelists, mock::*};
use frame_support::{assert_noop, assert_ok, traits::ConstU32};
use sp_runtime::{BoundedVec, Perbill};

type E = Error<Test>;

#[test]
fn founding_costs_stake() {
	run(|| {
		let rate = Perbill::from_percent(10);
		assert_noop!(Pools::create(signed(OWNER), PHA - 1, rate), E::BelowMinimum);
		assert!(tx(|| Pools::create(signed(OWNER), 2 * RICH, rate)).is_err());
		assert_eq!(pool(PHA), 0);
		assert_eq!(pool(5 * PHA), 1);
		assert_eq!(held(OWNER), 6 * PHA);
		System::assert_last_event(
			crate::Event::PoolCreated { pool: 1, owner: OWNER, own: 5 * PHA, commission: rate }
				.into(),
		);
	});
}

#[test]
fn only_the_owner_sets_what_is_the_owners() {
	run(|| {
		let id = pool(100 * PHA);
		let list = Some(BoundedVec::<_, ConstU32<100>>::truncate_from(vec![ALICE]));
		let text = BoundedVec::<_, ConstU32<256>>::truncate_from(b"a pool".to_vec());
		let half = Perbill::from_percent(50);
		assert_noop!(Pools::set_commission(signed(ALICE), id, half), E::NotOwner);
		assert_noop!(Pools::set_cap(signed(ALICE), id, None), E::NotOwner);
		assert_noop!(Pools::set_whitelist(signed(ALICE), id, list.clone()), E::NotOwner);
		assert_noop!(Pools::set_description(signed(ALICE), id, text.clone()), E::NotOwner);
		assert_noop!(Pools::offer_ownership(signed(ALICE), id, Some(BOB)), E::NotOwner);
		assert_noop!(Pools::add_own(signed(ALICE), id, PHA), E::NotOwner);
		assert_noop!(Pools::withdraw_own(signed(ALICE), id, PHA), E::NotOwner);
		assert_noop!(Pools::close(signed(ALICE), id), E::NotOwner);

		assert_ok!(Pools::set_whitelist(signed(OWNER), id, list));
		assert_noop!(Pools::contribute(signed(BOB), id, PHA), E::NotWhitelisted);
		assert_ok!(Pools::contribute(signed(ALICE), id, PHA));
		assert_ok!(Pools::set_whitelist(signed(OWNER), id, None));
		assert_ok!(Pools::contribute(signed(BOB), id, PHA));

		assert_ok!(Pools::set_cap(signed(OWNER), id, Some(103 * PHA)));
		assert_noop!(Pools::contribute(signed(BOB), id, 2 * PHA), E::CapReached);
		assert_noop!(Pools::add_own(signed(OWNER), id, 2 * PHA), E::CapReached);
		assert_eq!(Pools::pool(id).unwrap().room, PHA);
		assert_ok!(Pools::contribute(signed(BOB), id, PHA));
		assert_ok!(Pools::set_cap(signed(OWNER), id, None));
		assert_eq!(Pools::pool(id).unwrap().room, 1_897 * PHA);
		assert_ok!(Pools::contribute(signed(BOB), id, 1_897 * PHA));
		assert_noop!(Pools::contribute(signed(BOB), id, PHA), E::OwnerStakeTooLow);

		assert_ok!(Pools::set_description(signed(OWNER), id, text));
		assert_eq!(Descriptions::<Test>::get(id).unwrap().to_vec(), b"a pool");
		assert_ok!(Pools::set_description(signed(OWNER), id, BoundedVec::new()));
		assert!(!Descriptions::<Test>::contains_key(id));
	});
}

#[test]
fn a_pool_changes_hands_with_both_sides_consent() {
	run(|| {
		let id = pool_with(&[(ALICE, 900 * PHA)]);
		let worker = running(id, 1, 500 * PHA);
		pay(worker, 100 * PHA);
		next_round();
		assert_noop!(Pools::accept_ownership(signed(BOB), id, 100 * PHA), E::NotOffered);
		assert_noop!(Pools::offer_ownership(signed(OWNER), id, Some(OWNER)), E::AlreadyOwner);
		assert_ok!(Pools::offer_ownership(signed(OWNER), id, Some(BOB)));
		assert_ok!(Pools::offer_ownership(signed(OWNER), id, None));
		assert_noop!(Pools::accept_ownership(signed(BOB), id, 100 * PHA), E::NotOffered);
		assert_ok!(Pools::offer_ownership(signed(OWNER), id, Some(BOB)));
		assert_noop!(Pools::accept_ownership(signed(CAROL), id, 100 * PHA), E::NotOffered);
		// A twentieth of 1,050 is more.
		assert_noop!(Pools::accept_ownership(signed(BOB), id, 50 * PHA), E::OwnerStakeTooLow);
		assert_ok!(Pools::accept_ownership(signed(BOB), id, 53 * PHA));
		// The old owner has been paid, is a delegator, and leaves like one.
		assert_eq!(wealth(OWNER), RICH + 19 * PHA);
		assert_eq!(position(OWNER, id).worth, 100 * PHA);
		assert_noop!(Pools::stop(signed(ALICE), worker), E::NotOwner);
		assert_noop!(Pools::set_cap(signed(OWNER), id, None), E::NotOwner);
		assert_ok!(Pools::withdraw(signed(OWNER), id, 100 * PHA));
		jump(ROUND);
		process(id);
		assert_eq!((held(OWNER), held(BOB)), (0, 53 * PHA));
		assert_ok!(Pools::top_up(signed(BOB), worker, 10 * PHA));
	});
}

#[test]
fn an_empty_pool_closes_with_nothing_left_over() {
	run(|| {
		let id = pool_with(&[(ALICE, 31 * PHA + 1), (BOB, 17 * PHA)]);
		let one = running(id, 1, 100 * PHA);
		pay(one, PHA + 1);
		next_round();
		assert_noop!(Pools::close(signed(OWNER), id), E::NotEmpty);
		for who in [ALICE, BOB] {
			let shares = position(who, id).shares;
			assert_ok!(Pools::withdraw(signed(who), id, shares));
		}
		assert_ok!(Pools::stop(signed(OWNER), one));
		cooled(one);
		assert_ok!(Pools::reclaim(signed(3), one));
		jump(ROUND);
		process(id);
		// Their rewards wait for them.
		assert_noop!(Pools::close(signed(OWNER), id), E::NotEmpty);
		for who in [ALICE, BOB] {
			assert_ok!(Pools::claim(signed(who), id));
		}
		assert_noop!(Pools::close(signed(OWNER), id), E::NotEmpty);
		assert_ok!(Pools::remove_worker(signed(OWNER), one));
		assert_ok!(Pools::close(signed(OWNER), id));
		assert_eq!((held(OWNER), Records::<Test>::iter().count()), (0, 0));
		assert_eq!(Whitelists::<Test>::iter().count(), 0);
		let all = wealth(OWNER) + wealth(ALICE) + wealth(BOB);
		assert_eq!(all, 3 * RICH + PHA + 1, "also the dust");
		assert_eq!(wealth(Pools::pot_account()), PHA / 100);
		assert_noop!(Pools::close(signed(OWNER), id), E::PoolNotFound);
	});
}

#[test]
fn an_owner_takes_out_what_is_spare_after_a_round() {
	run(|| {
		let id = pool_with(&[(ALICE, 950 * PHA)]);
		assert_noop!(Pools::withdraw_own(signed(OWNER), id, 101 * PHA), E::NotEnoughStake);
		assert_ok!(Pools::withdraw_own(signed(OWNER), id, 100 * PHA));
		process(id);
		assert_eq!(held(OWNER), 100 * PHA);
		jump(ROUND);
		process(id);
		assert_eq!(held(OWNER), 50 * PHA);
		assert_eq!(get(id).own_exit.unwrap().amount, 50 * PHA);
		// A smaller request keeps its time, a larger one does not.
		let since = get(id).own_exit.unwrap().since;
		assert_ok!(Pools::withdraw_own(signed(OWNER), id, 40 * PHA));
		assert_eq!(get(id).own_exit.unwrap().since, since);
		assert_ok!(Pools::withdraw_own(signed(OWNER), id, 45 * PHA));
		assert_eq!(get(id).own_exit.unwrap().since, RelayBlock::get());
	});
}
