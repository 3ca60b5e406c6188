//! What an answer settles.

use crate::{
	Event, WeightInfo,
	mock::*,
	pallet::Unexpected,
	types::{Due, MissReason},
};
use frame_support::{
	assert_ok,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::Preservation,
	},
};
use phala_attestation::{Role, Tier};
use phala_primitives::{AttestationChange, Mining as _, OnAttestationChange};
use phala_tokenomics::{Fixed, PHA, Parameters, Settlement};
use sp_core::H256;

/// Lets worker `n` answer until it was paid for the interval since its last answer.
fn settle(n: u32) -> u128 {
	let before = paid();
	until_challenged(n);
	block(1);
	assert!(answer(n));
	paid() - before
}

#[test]
fn an_answer_pays_the_pool_and_the_treasury() {
	run(|| {
		worker(0);
		work(&[0], 600);
		let economy = economy();
		let acc = &economy.accumulator;
		// Alone: 0.05 % of V per hour, of which 80 % to the pool. V stays at V^e, 3450 PHA.
		let hour = 3_450 * PHA / 2_000 * 8 / 10;
		assert!(acc.paid() > hour * 98 / 100 && acc.paid() < hour * 102 / 100, "{}", acc.paid());
		assert!(acc.paid().abs_diff(4 * acc.treasury()) < 5_000);
		assert_eq!(acc.elapsed(), 50 * 600 * PHA);
		assert!(acc.withheld() > 29_000 * PHA);
		let v = record(0).money.v();
		assert!(v > Fixed::from_u32(3_449) && v <= Fixed::from_u32(3_450));
	});
}

#[test]
fn two_workers_earn_by_their_shares() {
	// No cap binds.
	let parameters = Parameters { pay_cap: Fixed::ONE, ..Parameters::launch() };
	run_with(parameters, || {
		attest(0, 1_000, Tier::One);
		attest(1, 1_000, Tier::One);
		crate::Pallet::<Test>::start(&key(0), 1, 2_000 * PHA).unwrap();
		crate::Pallet::<Test>::start(&key(1), 2, 8_000 * PHA).unwrap();
		let balances = || {
			finalize();
			[1, 2].map(|who| Balances::balance(&who))
		};
		let settle_both = || {
			until_challenged(0);
			until_challenged(1);
			block(1);
			assert!(answer(0) && answer(1));
		};
		settle_both();
		let share = |n| record(n).money.share().to_planck_floor();
		let (small, large, before) = (share(0), share(1), balances());
		settle_both();
		let [a, b] = balances();
		let (a, b) = (a - before[0], b - before[1]);
		// 80 % of the budget of that time, all of it.
		assert!((a + b) % (40 * PHA) < 2 || (a + b) % (40 * PHA) > 40 * PHA - 10, "{}", a + b);
		assert!((b * small / PHA).abs_diff(a * large / PHA) < a / 1_000_000, "{a} {b}");
	});
}

#[test]
fn all_pay_of_a_block_moves_at_its_end() {
	run(|| {
		for (n, keeper) in [(0, 1), (1, 1), (2, 2), (3, GONE)] {
			attest(n, 1_000, Tier::One);
			crate::Pallet::<Test>::start(&key(n), keeper, 2_000 * PHA).unwrap();
			until_challenged(n);
		}
		block(1);
		events();
		let pot = || Balances::balance(&Mining::pot());
		let (full, rich) = (pot(), Balances::balance(&TREASURY));
		for n in 0..4 {
			assert!(answer(n));
		}
		let due = economy().due;
		let sum = |part: fn(&Settlement) -> u128| -> u128 {
			let settled = events().into_iter().filter_map(|event| match event {
				Event::Settled { settlement, .. } => Some(settlement),
				_ => None,
			});
			settled.map(|one| part(&one)).sum()
		};
		assert_eq!((pot(), due.sum()), (full, sum(|one| one.pool + one.treasury)));
		// The gone one's part is the treasury's.
		let keepers = economy().accumulator.paid() - due.keepers;
		assert!(keepers > 0 && due.treasury > keepers);
		System::reset_events();
		finalize();
		assert_eq!((pot(), economy().due.sum()), (full - due.sum(), 0));
		assert_eq!(Balances::balance(&TREASURY), rich + due.treasury);
		assert_eq!(Balances::balance(&1) + Balances::balance(&2), 2 * PHA + due.keepers);
		let withdrawn = System::events().into_iter().filter(|record| {
			matches!(record.event, RuntimeEvent::Balances(pallet_balances::Event::Withdraw { .. }))
		});
		assert_eq!(withdrawn.count(), 1);
		// So that the books of the mock are right again.
		Balances::transfer(&TREASURY, &3, keepers, Preservation::Preserve).unwrap();
	});
}

#[test]
fn pay_that_is_refused_stays_due() {
	run(|| {
		worker(0);
		until_challenged(0);
		block(1);
		assert!(answer(0));
		let (due, pot) = (economy().due, Balances::balance(&Mining::pot()));
		RefusesPay::set(true);
		events();
		finalize();
		assert_eq!(economy().due, Due { treasury: 0, ..due });
		assert_eq!(Balances::balance(&Mining::pot()), pot - due.treasury);
		let refused = Event::Unexpected { kind: Unexpected::PayRefused };
		assert_eq!(events(), [refused]);
		Mining::do_try_state().unwrap();
		RefusesPay::set(false);
		block(1);
		assert_eq!(economy().due, Due::default());
		assert_eq!(Balances::balance(&KEEPER), PHA + due.keepers);
	});
}

#[test]
fn a_pot_that_lacks_pha_pays_what_it_has() {
	run(|| {
		worker(0);
		until_challenged(0);
		block(1);
		assert!(answer(0));
		let (due, pot) = (economy().due, Mining::pot());
		let (full, rich) = (Balances::balance(&pot), Balances::balance(&TREASURY));
		let missing = Event::Unexpected { kind: Unexpected::PotMissing };
		// The existential deposit stays.
		let spare = due.keepers - 7;
		Balances::set_balance(&pot, spare + PHA / 100);
		events();
		finalize();
		assert_eq!(economy().due, Due { keepers: 7, ..due });
		assert_eq!(Balances::balance(&KEEPER), PHA + spare);
		assert_eq!(events(), std::slice::from_ref(&missing));
		finalize();
		assert_eq!((economy().due.sum(), events()), (7 + due.treasury, vec![missing]));
		// It heals when the PHA comes back.
		Balances::set_balance(&pot, full - spare);
		finalize();
		assert_eq!((economy().due, events()), (Due::default(), vec![]));
		assert_eq!(Balances::balance(&KEEPER), PHA + due.keepers);
		assert_eq!(Balances::balance(&TREASURY), rich + due.treasury);
	});
}

#[test]
fn pay_follows_speed() {
	run(|| {
		for n in 0..3 {
			worker(n);
		}
		// Each is paid for the same time.
		let mut pay = [0; 3];
		for n in 0..3 {
			until_challenged(n);
		}
		for (n, percent) in [(0, 100), (1, 60), (2, 120)] {
			let before = paid();
			assert!(answer_at(n, percent));
			pay[n as usize] = paid() - before;
		}
		assert!(pay[1] * 100 / pay[0] >= 59 && pay[1] * 100 / pay[0] <= 60, "{pay:?}");
		assert!(
			pay[2].abs_diff(pay[0]) <= 1,
			"nobody is paid for more than the benchmark: {pay:?}"
		);
	});
}

/// An answer weighs what the dearest takes, until it is known to be an ordinary one.
#[test]
fn an_ordinary_answer_is_charged_as_such_and_no_other() {
	run(|| {
		worker(0);
		let weight = || {
			until_challenged(0);
			block(1);
			let answer = statement(0, 100).unwrap();
			crate::Pallet::<Test>::do_heartbeat(answer).unwrap().actual_weight
		};
		let ordinary = Some(<()>::heartbeat_ordinary());
		assert!(<()>::heartbeat().all_gt(<()>::heartbeat_ordinary()));
		assert_eq!(weight(), ordinary);
		// It adds stake.
		assert_ok!(crate::Pallet::<Test>::top_up(&key(0), PHA));
		assert_eq!((weight(), weight()), (None, ordinary));
		// Its attestation lapses, and is renewed.
		let expires_at = Seconds::get();
		alter(0, |attested| attested.expires_at = expires_at);
		weight();
		alter(0, |attested| attested.expires_at = u64::MAX / 2);
		assert_eq!((weight(), weight()), (None, ordinary));
		// It comes back, and heals.
		silence(0, &[]);
		blocks(30);
		assert_eq!((weight(), weight()), (None, None));
		// It stops.
		assert_ok!(crate::Pallet::<Test>::stop(&key(0)));
		assert_eq!(weight(), None);
		assert!(is_ended(0));
	});
}

#[test]
fn half_speed_is_the_floor() {
	run(|| {
		worker(0);
		worker(1);
		until_challenged(0);
		blocks(3);
		assert!(answer_at(0, 51));
		assert!(!is_unresponsive(0));
		until_challenged(1);
		blocks(3);
		events();
		let before = paid();
		assert!(answer_at(1, 49));
		assert!(is_unresponsive(1));
		assert_eq!(paid(), before);
		assert!(
			events()
				.iter()
				.any(|event| matches!(event, Event::Missed { reason: MissReason::TooSlow, .. }))
		);
	});
}

#[test]
fn pay_follows_the_worse_tier_of_an_interval() {
	run(|| {
		for n in 0..3 {
			worker(n);
		}
		attest(1, 1_000, Tier::Five);
		alter(2, |one| one.tier = Tier::Four);
		for n in 0..3 {
			until_challenged(n);
		}
		let mut pay = [0; 3];
		for n in 0..3 {
			let before = paid();
			assert!(answer(n));
			pay[n as usize] = paid() - before;
		}
		assert!(pay[1].abs_diff(pay[0] * 7 / 10) <= 2, "{pay:?}");
		assert!(pay[2].abs_diff(pay[0] * 8 / 10) <= 2, "{pay:?}");
		// An upgrade counts from the next interval on.
		attest(1, 1_000, Tier::One);
		let (first, second) = (settle(1), settle(1));
		assert!(first > 0 && second > 0);
		assert_eq!(record(1).money.tier(), phala_tokenomics::Tier::One);
	});
}

#[test]
fn an_attestation_that_expired_pays_nothing() {
	run(|| {
		worker(0);
		worker(1);
		settle(0);
		alter(0, |one| one.expires_at = Seconds::get() + 30);
		until_challenged(0);
		blocks(6);
		let before = paid();
		assert!(answer(0));
		assert_eq!(paid(), before);
		assert_eq!(record(0).money.share(), Fixed::ZERO);
		// It computes on, unpaid, and is no miss.
		assert!(!is_unresponsive(0));
		// With a new one it has a share again, and the interval before pays nothing.
		attest(0, 1_000, Tier::One);
		assert_eq!(settle(0), 0);
		assert!(record(0).money.share() > Fixed::ZERO);
		assert!(settle(0) > 0);
	});
}

#[test]
fn a_gap_between_two_attestations_pays_nothing() {
	run(|| {
		worker(0);
		worker(1);
		settle(0);
		// What the record knows runs out; the renewal comes later.
		let until = record(0).covered_until;
		Seconds::set(until - 12);
		while Seconds::get() < until + 12 {
			work(&[1], 1);
		}
		attest(0, 1_000, Tier::One);
		Mining::on_attestation_change(&key(0), &AttestationChange::Renewed);
		assert!(record(0).lapsed);
		block(1);
		let before = paid();
		assert!(answer(0), "a renewal is asked to settle");
		assert_eq!(paid(), before);
		assert!(record(0).money.share() > Fixed::ZERO, "from now on it earns");
		assert!(settle(0) > 0);
	});
}

#[test]
fn a_renewal_in_time_settles_and_is_paid() {
	run(|| {
		worker(0);
		work(&[0], 5);
		while record(0).challenge.is_some() {
			work(&[0], 1);
		}
		Draws::set(false);
		blocks(50);
		attest(0, 1_000, Tier::One);
		Mining::on_attestation_change(&key(0), &AttestationChange::Renewed);
		assert!(record(0).challenge.is_some());
		block(1);
		let before = paid();
		assert!(answer(0));
		assert!(paid() > before);
		assert_eq!(record(0).covered_until, Seconds::get() - 6 + VALIDITY);
	});
}

#[test]
fn a_lapse_that_is_reported_pays_nothing() {
	run(|| {
		worker(0);
		settle(0);
		Mining::on_attestation_change(&key(0), &AttestationChange::Lapsed);
		// A ban that was taken back, for instance: nothing is seen of it at the answer.
		assert_eq!(settle(0), 0);
		assert!(settle(0) > 0);
	});
}

#[test]
fn a_gap_that_nobody_told_of_pays_nothing() {
	run(|| {
		worker(0);
		settle(0);
		// It ran out, and is there again at the answer.
		Seconds::set(record(0).covered_until);
		alter(0, |one| one.expires_at = u64::MAX / 2);
		assert_eq!(settle(0), 0);
		assert!(settle(0) > 0);
	});
}

#[test]
fn another_role_may_not_mine() {
	run(|| {
		worker(0);
		settle(0);
		alter(0, |one| one.role = Role::Gatekeeper);
		assert_eq!(settle(0), 0);
	});
}

#[test]
fn a_platform_has_a_limit() {
	run(|| {
		PlatformLimit::set(6_905);
		for n in 0..3 {
			attest_key(key(n), 77, 1_000, Tier::One);
		}
		start(0, 2_000 * PHA).unwrap();
		start(1, 2_000 * PHA).unwrap();
		frame_support::assert_noop!(start(2, 2_000 * PHA), crate::Error::<Test>::PlatformFull);
		assert_eq!(<Mining as phala_primitives::Mining<u64>>::minimum_stake(&key(2)), None);
		// In a network in which everybody grows: a large one, with little to pay.
		let mut parameters = Parameters::launch();
		parameters.budget.per_block = 0;
		let versions = phala_tokenomics::Versions::new(parameters, economy().accumulator.now());
		crate::ParameterVersions::<Test>::put(versions.unwrap());
		work(&[0, 1], 7_200);
		let platform = H256::from_low_u64_be(77);
		let limit = Fixed::from_u32(6_905);
		assert_eq!(crate::PlatformValues::<Test>::get(platform), limit);
		// Without a limit they would have grown by 8 PHA each.
		let sum = record(0).money.v().saturating_add(record(1).money.v());
		assert_eq!(sum, limit);
	});
}

#[test]
fn value_moves_with_the_machine() {
	run(|| {
		worker(0);
		until_challenged(0);
		alter(0, |one| one.platform = H256::repeat_byte(5));
		block(1);
		assert!(answer(0));
		assert_eq!(record(0).platform, H256::repeat_byte(5));
		assert!(crate::PlatformValues::<Test>::get(H256::repeat_byte(5)) > Fixed::ZERO);
		assert_eq!(crate::PlatformValues::<Test>::iter().count(), 1);
	});
}

#[test]
fn serving_grows_at_full_speed() {
	run(|| {
		worker(0);
		until_challenged(0);
		Serving::set(true);
		block(1);
		assert!(answer_at(0, 60));
		assert_eq!(record(0).money.multiplier(), Fixed::ONE);
		Serving::set(false);
		until_challenged(0);
		block(1);
		assert!(answer_at(0, 60));
		assert!(record(0).money.multiplier() < Fixed::ONE);
	});
}

#[test]
fn an_empty_pot_pays_nothing_and_says_so() {
	run(|| {
		worker(0);
		// As if all had been paid before.
		let endowment = economy().endowment;
		crate::State::<Test>::mutate(|economy| economy.as_mut().unwrap().endowment = 0);
		until_challenged(0);
		blocks(5);
		events();
		assert!(answer(0));
		let settled = events().into_iter().find_map(|event| match event {
			Event::Settled { settlement, .. } => Some(settlement),
			_ => None,
		});
		let settlement = settled.unwrap();
		assert!(settlement.shortfall > 0);
		assert_eq!((settlement.pool, settlement.treasury), (0, 0));
		assert!(Mining::why_unpaid(key(0)).contains(&crate::types::WhyUnpaid::PotIsEmpty));
		crate::State::<Test>::mutate(|economy| economy.as_mut().unwrap().endowment = endowment);
	});
}

#[test]
fn a_lowered_limit_cuts_nobody() {
	run(|| {
		for n in 0..2 {
			attest_key(key(n), 77, 1_000, Tier::One);
			start(n, 2_000 * PHA).unwrap();
		}
		let before = record(0).money.v();
		PlatformLimit::set(5_000);
		until_challenged(0);
		block(1);
		assert!(answer(0));
		assert_eq!(record(0).money.v(), before);
		PlatformLimit::set(120_000);
	});
}
