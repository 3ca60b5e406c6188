//! Who pays for a fault, and who does not.

use super::*;
use frame_support::{assert_ok, traits::fungible::Inspect};
use pallet_gatekeeper_election::types::WhyBonded;
use phala_primitives::{OffenceClass, OffenceId};
use phala_runtime::{configs::Offender, constants::market::STALL_AFTER};

#[test]
fn a_faulty_dealer_is_slashed_when_the_deferral_is_over() {
	with_candidates(8, |mut people| {
		to_election();
		ceremony(&mut people, Some(3));
		assert_eq!((active(), office().len()), (1, 8), "the others made a key");
		let culprit = people[3].account();
		// The fault is on the ledger, and the stake aside.
		for _ in 0..5 {
			block(vec![]);
		}
		let id = OffenceId { class: OffenceClass::KeyCeremony, index: 0 };
		let offence =
			pallet_slashing::Ledger::<Runtime>::get(id.class, id.index).expect("reported");
		assert_eq!(offence.offender, Offender::Gatekeeper(culprit.clone()));
		let lost = suspected(&culprit);
		assert!(lost >= BOND / 20, "{lost}");
		assert_eq!(staked(&culprit) + lost, BOND);
		assert_eq!(GatekeeperElection::why_bonded(culprit.clone()), Some(WhyBonded::InOffice));

		let (treasury, issued) =
			(Balances::balance(&constants::accounts::treasury()), Balances::total_issuance());
		// The appeal is open for so long, on a chain that does not stand still.
		while pallet_slashing::OpenCases::<Runtime>::contains_key(&offence.offender) {
			let step = (STALL_AFTER / 2).min(SESSION_PERIOD / 4);
			let next = System::block_number() + step;
			let end = (System::block_number() / SESSION_PERIOD + 1) * SESSION_PERIOD;
			skip_to(if next >= end { end } else { next });
			if is_open() {
				ceremony(&mut people, None);
			}
			assert!(System::block_number() < 12 * 14_400, "it is due long ago");
		}
		assert_eq!(suspected(&culprit), 0);
		let taken = Balances::balance(&constants::accounts::treasury()) - treasury;
		assert!(taken > 0 && taken <= lost, "{taken} of {lost}");
		assert!(staked(&culprit) >= BOND - lost);
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn a_loss_that_grows_does_not_reach_who_came_later() {
	use configs::Stakes;
	use phala_primitives::Slashable;
	use sp_staking::{Exposure, IndividualExposure};
	with_candidates(1, |people| {
		let stash = people[0].account();
		let offender = Offender::Gatekeeper(stash.clone());
		let first = Stakes::suspect(&offender, PHA).expect("it stands");
		// It gets a seat, with a bond of bob's behind it.
		let (value, payee) = (1_000 * PHA, RewardDestination::Stash);
		apply(vec![signed("bob", pallet_staking::Call::bond { value, payee })]);
		let own = BOND - PHA;
		let total = own + value;
		let others = vec![IndividualExposure { who: account("bob"), value }];
		let exposure = Exposure { total, own, others };
		pallet_staking::EraInfo::<Runtime>::set_exposure(active(), &stash, exposure);
		assert_eq!(Stakes::stake(&offender), total);
		assert_eq!(Stakes::stake_behind(&offender, &first), own);
		assert_ok!(Stakes::suspect_more(&offender, &first, own));
		assert_eq!((suspected(&stash), suspected(&account("bob"))), (BOND, 0));
	});
}

#[test]
fn nobody_pays_for_a_worker_that_gave_its_right_away_and_got_it_back() {
	with_candidates(7, |mut people| {
		to_election();
		ceremony(&mut people, None);
		let worker = pair("worker");
		register("alice", &worker, Role::Worker, 100);
		let give = |from: &str, to: &str| {
			type Registry = pallet_worker_registry::Call<Runtime>;
			let key = worker.public();
			let offer = Registry::offer_worker { worker: key, to: Some(account(to)) };
			let accept = Registry::accept_worker { worker: key };
			vec![signed(from, offer), signed(to, accept)]
		};
		// Until it has expired, and been looked at; how many were absent.
		let absences = || {
			for _ in 0..REQUEST_PERIOD + 10 {
				block(vec![]);
			}
			assert_eq!(Requests::<Runtime>::count(), 0);
			pallet_slashing::Ledger::<Runtime>::iter_prefix_values(OffenceClass::Absence).count()
		};
		let mut calls = give("alice", "bob");
		calls.insert(0, question(&worker).2);
		apply(calls);
		// While it is bob's, no answer is taken.
		let answer = people[0].answer(0).expect("it holds a share");
		assert!(block(vec![answer])[0].is_err());
		apply(give("bob", "alice"));
		assert_eq!(absences(), 0);
		// Otherwise they owe an answer.
		apply(vec![question(&worker).2]);
		assert_eq!(absences(), office().len());
	});
}
