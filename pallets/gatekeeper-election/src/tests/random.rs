//! Random lives of a chain, with every invariant after each step, and nothing made or burnt.

use crate::{mock::*, *};
use frame_support::traits::OnUnbalanced;
use phala_attestation::Role;
use phala_primitives::{Handover, Slashable};
use proptest::{prelude::*, test_runner::Config as ProptestConfig};

#[derive(Clone, Debug)]
enum Act {
	Session,
	HandOver,
	GiveUp,
	Refuse(bool),
	Bond(u64, u128),
	Unbond(u64, u128),
	Rebond(u64, u128),
	Withdraw(u64),
	Stand(u64),
	Nominate(u64, Vec<u64>),
	Chill(u64),
	Attest(u64, u64),
	Lapse(u64),
	Bind(u64, u64),
	Unbind(u64),
	Evict(u64),
	Case(u64, bool),
	Claim(u64, u32),
	Suspect(u64, u8),
	Raise(u64, u8),
	Apply(u64, u8),
	Restore(u64, u8),
	Cap(u128),
}

fn act() -> impl Strategy<Value = Act> {
	let who = || 1..20_u64;
	let amount = || 1..3 * BOND;
	prop_oneof![
		6 => Just(Act::Session),
		4 => Just(Act::HandOver),
		1 => Just(Act::GiveUp),
		1 => any::<bool>().prop_map(Act::Refuse),
		2 => (who(), amount()).prop_map(|(who, amount)| Act::Bond(who, amount)),
		3 => (who(), amount()).prop_map(|(who, amount)| Act::Unbond(who, amount)),
		1 => (who(), amount()).prop_map(|(who, amount)| Act::Rebond(who, amount)),
		3 => who().prop_map(Act::Withdraw),
		2 => who().prop_map(Act::Stand),
		2 => (who(), proptest::collection::vec(1..20_u64, 1..6))
			.prop_map(|(who, targets)| Act::Nominate(who, targets)),
		1 => who().prop_map(Act::Chill),
		2 => (who(), who()).prop_map(|(who, on)| Act::Attest(who, on)),
		1 => who().prop_map(Act::Lapse),
		2 => (who(), who()).prop_map(|(who, worker)| Act::Bind(who, worker)),
		1 => who().prop_map(Act::Unbind),
		1 => who().prop_map(Act::Evict),
		1 => (who(), any::<bool>()).prop_map(|(who, open)| Act::Case(who, open)),
		4 => (who(), 1..12_u32).prop_map(|(who, back)| Act::Claim(who, back)),
		3 => (who(), prop_oneof![3 => 1..=100_u8, 1 => Just(100)])
			.prop_map(|(who, part)| Act::Suspect(who, part)),
		2 => (0..8_u64, 1..=100_u8).prop_map(|(which, part)| Act::Raise(which, part)),
		2 => (0..8_u64, 1..=100_u8).prop_map(|(which, part)| Act::Apply(which, part)),
		2 => (0..8_u64, 1..=100_u8).prop_map(|(which, part)| Act::Restore(which, part)),
		1 => (0..2_000 * PHA).prop_map(Act::Cap),
	]
}

/// One of the tranches there are.
fn tranche(which: u64) -> Option<(TrancheId, u128)> {
	let mut all: Vec<_> = Tranches::<Test>::iter().collect();
	all.sort_by_key(|(id, _)| *id);
	let (id, tranche) = all.get(which as usize % all.len().max(1))?;
	Some((*id, tranche.rest()))
}

fn part(whole: u128, percent: u8) -> u128 {
	whole * u128::from(percent) / 100
}

fn perform(act: Act) {
	match act {
		Act::Session => session(),
		Act::HandOver => {
			if Next::get().is_some() {
				hand_over();
			}
		}
		Act::GiveUp => {
			if Next::get().is_some() {
				State::set(Handover::GivenUp);
			}
		}
		Act::Refuse(refuse) => Refusing::set(refuse),
		Act::Bond(who, amount) => {
			let max_additional = amount;
			let _ = dispatch(signed(who), pallet_staking::Call::bond_extra { max_additional });
		}
		Act::Unbond(who, amount) => {
			let _ = dispatch(signed(who), pallet_staking::Call::unbond { value: amount });
		}
		Act::Rebond(who, amount) => {
			let _ = dispatch(signed(who), pallet_staking::Call::rebond { value: amount });
		}
		Act::Withdraw(who) => {
			let duties = Election::why_still_bonded(&who).is_some();
			let before = bonded(who);
			let done = withdraw(who).is_ok();
			if duties || !done {
				assert_eq!(bonded(who), before, "no bond leaves while there are duties");
			}
		}
		Act::Stand(who) => {
			let prefs = Default::default();
			let _ = dispatch(signed(who), pallet_staking::Call::validate { prefs });
		}
		Act::Nominate(who, targets) => {
			let _ = dispatch(signed(who), pallet_staking::Call::nominate { targets });
		}
		Act::Chill(who) => {
			let _ = dispatch(signed(who), pallet_staking::Call::chill {});
		}
		Act::Attest(who, on) => attest(worker(who), who, Role::Gatekeeper, on),
		Act::Lapse(who) => {
			if <Registry as phala_primitives::AttestedWorkers<_>>::attested(&worker(who)).is_some()
			{
				lapse(&worker(who), 7_200);
			}
		}
		Act::Bind(who, one) => {
			let _ = dispatch(signed(who), Call::<Test>::bind { worker: worker(one) });
		}
		Act::Unbind(who) => {
			let _ = Election::unbind(signed(who));
		}
		Act::Evict(who) => {
			let _ = Election::evict(signed(1), who);
		}
		Act::Case(who, open) => Cases::mutate(|cases| {
			match open {
				true => cases.insert(who),
				false => cases.remove(&who),
			};
		}),
		Act::Claim(who, back) => {
			let era = active().saturating_sub(back);
			let claim = pallet_staking::Call::payout_stakers { validator_stash: who, era };
			let _ = dispatch(signed(77), claim);
		}
		Act::Suspect(who, percent) => {
			let stake = <Election as Slashable<_>>::stake(&who);
			let amount = part(stake, percent);
			if amount > 0 {
				let id = <Election as Slashable<_>>::suspect(&who, amount).unwrap();
				assert_eq!(<Election as Slashable<_>>::suspected(&id), amount);
				assert_eq!(<Election as Slashable<_>>::stake(&who), stake - amount);
			}
		}
		Act::Raise(which, percent) => {
			if let Some((first, _)) = tranche(which) {
				let who = Tranches::<Test>::get(first).unwrap().offender;
				let behind = || <Election as Slashable<_>>::stake_behind(&who, &first);
				let stake = behind();
				let amount = part(stake, percent);
				if amount > 0 {
					let id =
						<Election as Slashable<_>>::suspect_more(&who, &first, amount).unwrap();
					assert_eq!(<Election as Slashable<_>>::suspected(&id), amount);
					assert_eq!(behind(), stake - amount);
				}
			}
		}
		Act::Apply(which, percent) => {
			if let Some((id, rest)) = tranche(which) {
				let slashed = <Election as Slashable<_>>::apply(&id, part(rest, percent));
				ToTreasury::on_unbalanced(slashed.own);
				ToTreasury::on_unbalanced(slashed.others);
				let left = <Election as Slashable<_>>::suspected(&id);
				assert_eq!(left, rest - part(rest, percent));
			}
		}
		Act::Restore(which, percent) => {
			if let Some((id, rest)) = tranche(which) {
				<Election as Slashable<_>>::restore(&id, part(rest, percent));
				let left = <Election as Slashable<_>>::suspected(&id);
				assert_eq!(left, rest - part(rest, percent));
			}
		}
		Act::Cap(cap) => Cap::set(cap),
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]
	#[test]
	fn every_life_keeps_the_invariants(acts in proptest::collection::vec(act(), 1..120)) {
		run(|| {
			for who in 1..=9 {
				stand(who, BOND + u128::from(who) * PHA);
			}
			for who in 10..=15 {
				nominate(who, BOND, &[who - 9, who - 8]);
			}
			era();
			for act in acts {
				let office = office();
				perform(act);
				check();
				let entered = office_change(&office);
				assert!(entered <= rules::most_changes(office.len()), "{entered} entered at once");
				assert!(crate::mock::office().len() >= MIN as usize);
			}
		});
	}
}

/// How many are in office who were not.
fn office_change(before: &[AccountId]) -> usize {
	office().into_iter().filter(|who| !before.contains(who)).count()
}
