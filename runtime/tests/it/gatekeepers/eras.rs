//! Sets come and go, are paid, and their bonds leave.

use super::*;
use pallet_gatekeeper_election::types::WhyBonded;

#[test]
fn a_set_is_elected_makes_a_key_and_hands_it_over() {
	with_candidates(7, |mut people| {
		let issued = Balances::total_issuance();
		to_election();
		assert_eq!((active(), office()), (0, vec![]), "nobody is in office before there is a key");
		ceremony(&mut people, None);
		assert_eq!((active(), office().len()), (1, 7));
		let key = public_key();
		let worker = pair("worker");
		register("alice", &worker, Role::Worker, 100);
		let before = cluster_key(&worker, &mut people);

		// An eighth is nominated in, and the first one leaves.
		people.push(Person::stand(8));
		let (first, eighth) = (people[0].account(), people[7].account());
		let bond =
			pallet_staking::Call::bond { value: 500_000 * PHA, payee: RewardDestination::Staked };
		let nominate = pallet_staking::Call::nominate { targets: vec![eighth.clone().into()] };
		let calls = vec![bond.into(), nominate.into()];
		let leave = vec![
			pallet_staking::Call::chill {}.into(),
			pallet_staking::Call::unbond { value: BOND }.into(),
		];
		apply(vec![
			signed("bob", pallet_utility::Call::batch_all { calls }),
			signed("gatekeeper 1", pallet_utility::Call::batch_all { calls: leave }),
		]);
		to_election();
		assert_eq!(active(), 1, "the era waits for the key");
		assert_eq!(GatekeeperElection::why_bonded(first.clone()), Some(WhyBonded::InOffice));
		assert_eq!(GatekeeperElection::why_bonded(eighth.clone()), Some(WhyBonded::InOffice));
		ceremony(&mut people, None);
		assert_eq!((active(), public_key()), (2, key), "the same key for another set");
		assert!(office().contains(&eighth) && !office().contains(&first));
		assert_eq!(GatekeeperElection::why_bonded(first.clone()), None);
		assert_eq!(cluster_key(&worker, &mut people), before);

		// Era 1 is in the escrow, and paid without a planck that was not there before.
		let (escrowed, claimed) = GatekeeperElection::era_escrow(1).expect("it was paid");
		assert!(escrowed > 0 && claimed == 0);
		let stake = staked(&people[2].account());
		for person in &people[..7] {
			let claim =
				pallet_staking::Call::payout_stakers { validator_stash: person.account(), era: 1 };
			apply(vec![signed("charlie", claim)]);
		}
		// Who had no seat leaves no note of a claim either.
		let stranger = account("bob");
		let claim =
			pallet_staking::Call::payout_stakers { validator_stash: stranger.clone(), era: 1 };
		let calls = vec![claim.clone().into()];
		let batch = pallet_utility::Call::batch_all { calls };
		for result in block(vec![signed("charlie", claim), signed("alice", batch)]) {
			assert_eq!(result, Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into())));
		}
		assert!(pallet_staking::ClaimedRewards::<Runtime>::get(1, stranger).is_empty());
		let paid = staked(&people[2].account()) - stake;
		assert!(paid.abs_diff(escrowed / 7) < PHA / 1_000, "{paid} of {escrowed}");
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn holders_bond_nominate_and_leave_as_on_any_chain() {
	with_candidates(7, |mut people| {
		let targets = vec![people[0].account().into(), people[1].account().into()];
		let bond =
			pallet_staking::Call::bond { value: 100_000 * PHA, payee: RewardDestination::Stash };
		apply(vec![signed("bob", bond)]);
		apply(vec![signed("bob", pallet_staking::Call::nominate { targets })]);
		to_election();
		ceremony(&mut people, None);
		settle();
		let exposure =
			|who: &AccountId| pallet_staking::EraInfo::<Runtime>::get_full_exposure(active(), who);
		let behind: Balance = (0..2)
			.flat_map(|at| exposure(&people[at].account()).others)
			.filter(|one| one.who == account("bob"))
			.map(|one| one.value)
			.sum();
		assert!(behind.abs_diff(100_000 * PHA) < PHA, "{behind}");
		// Held PHA votes, and does not move.
		assert_eq!(staked(&account("bob")), 100_000 * PHA);
		apply(vec![signed("bob", pallet_staking::Call::chill {})]);
		apply(vec![signed("bob", pallet_staking::Call::unbond { value: 100_000 * PHA })]);
		let withdraw = || pallet_staking::Call::withdraw_unbonded { num_slashing_spans: 0 };
		apply(vec![signed("bob", withdraw())]);
		assert_eq!(staked(&account("bob")), 100_000 * PHA);
		let ends = active() + BONDING_DURATION;
		while active() < ends {
			people.iter().for_each(Person::renew);
			session();
			if is_open() {
				ceremony(&mut people, None);
				settle();
			}
		}
		apply(vec![signed("bob", withdraw())]);
		assert_eq!(staked(&account("bob")), 0);

		// A member's does not leave while it is in office, in a batch or by proxy.
		let calls = vec![
			pallet_staking::Call::chill {}.into(),
			pallet_staking::Call::unbond { value: BOND }.into(),
		];
		apply(vec![signed("gatekeeper 1", pallet_utility::Call::batch_all { calls })]);
		pallet_staking::Ledger::<Runtime>::mutate(people[0].account(), |ledger| {
			ledger.as_mut().expect("it is bonded").unlocking[0].era = 0;
		});
		let calls = vec![withdraw().into()];
		let batch = pallet_utility::Call::batch_all { calls };
		let refused = pallet_gatekeeper_election::Error::<Runtime>::InOffice;
		let results = block(vec![signed("gatekeeper 1", batch)]);
		assert_eq!(results, vec![Ok(Err(refused.into()))]);
		assert!(staked(&people[0].account()) >= BOND);
	});
}
