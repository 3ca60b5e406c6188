//! Money of the pot, over a long time.

use crate::mock::*;
use frame_support::traits::fungible::Inspect;
use phala_tokenomics::{PHA, Parameters};

#[test]
fn a_donation_is_not_paid_out() {
	run(|| {
		worker(0);
		use frame_support::traits::fungible::Mutate;
		Balances::transfer(
			&1,
			&Mining::pot(),
			PHA / 2,
			frame_support::traits::tokens::Preservation::Preserve,
		)
		.unwrap();
		let before = economy().endowment;
		work(&[0], 10);
		assert_eq!(economy().endowment, before);
		assert_eq!(
			Mining::economy().unwrap().pot,
			before - paid() - economy().accumulator.treasury()
		);
		// So that the books of the mock are right again.
		Balances::set_balance(&1, Balances::balance(&1) + PHA / 2);
		Balances::set_balance(&Mining::pot(), Balances::balance(&Mining::pot()) - PHA / 2);
	});
}

#[test]
fn a_poor_pot_spares_what_it_can() {
	run(|| {
		// As a chain that begins with little.
		use frame_support::traits::fungible::Mutate;
		let (state, reserve) = (crate::State::<Test>::take(), crate::ReserveState::<Test>::take());
		let pot = Balances::balance(&Mining::pot());
		let issued = Balances::total_issuance();
		Balances::set_balance(&Mining::pot(), 100 * PHA);
		Balances::set_balance(&Mining::reserve(), 0);
		block(1);
		assert_eq!(economy().endowment, 0);
		assert_eq!(Balances::balance(&Mining::pot()), PHA / 100);
		assert_eq!(Balances::balance(&Mining::reserve()), 100 * PHA - PHA / 100);
		worker(0);
		work(&[0], 10);
		assert_eq!(paid(), 0);
		Mining::do_try_state().unwrap();
		crate::State::<Test>::set(state);
		crate::ReserveState::<Test>::set(reserve);
		let _ = crate::Sessions::<Test>::clear(100, None);
		let _ = crate::Slots::<Test>::clear(100, None);
		let _ = crate::Batches::<Test>::clear(100, None);
		let _ = crate::PlatformValues::<Test>::clear(100, None);
		crate::SlotCount::<Test>::kill();
		crate::Queues::<Test>::kill();
		Balances::set_balance(&Mining::pot(), pot);
		Balances::set_balance(&Mining::reserve(), RESERVE);
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn the_budget_falls_by_a_quarter_and_is_never_exceeded() {
	// Periods of a day.
	let mut parameters = Parameters::launch();
	parameters.budget.period = 14_400;
	run_with(parameters, || {
		let day = || Mining::economy().unwrap().budget;
		assert_eq!(day(), 50 * PHA);
		for _ in 0..144 {
			for _ in 0..5 {
				block(20);
			}
		}
		assert_eq!(day(), 50 * PHA * 3 / 4);
		let acc = economy().accumulator;
		assert_eq!(acc.elapsed(), acc.withheld());
	});
}
