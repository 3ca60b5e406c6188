//! Parameters and the reserve.

use crate::{Error, Event, LastChange, ParameterVersions, ReserveState, mock::*};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use phala_tokenomics::{Fixed, PHA, Parameters};
use sp_runtime::{DispatchError, DispatchResult, Perbill};

fn schedule(parameters: Parameters, at: u32) -> DispatchResult {
	Mining::schedule_parameters(RuntimeOrigin::root(), parameters, at)
}

fn with(change: impl FnOnce(&mut Parameters)) -> Parameters {
	let mut parameters = Mining::parameters().unwrap();
	change(&mut parameters);
	parameters
}

#[test]
fn a_change_takes_effect_at_its_block() {
	run(|| {
		worker(0);
		let half = with(|p| p.budget.per_block /= 2);
		let at = RelayBlock::get() + 10;
		assert_ok!(schedule(half.clone(), at));
		blocks(10);
		assert_ne!(Mining::parameters().unwrap(), half);
		events();
		block(1);
		assert_eq!(Mining::parameters().unwrap(), half);
		assert!(events().contains(&Event::ParametersChanged));
		assert_eq!(LastChange::<Test>::get(), Some(RelayBlock::get()));
		// The budget of each block by its own parameters.
		let acc = economy().accumulator;
		assert_eq!(acc.elapsed(), (10 * 50 + 25) * PHA);
	});
}

#[test]
fn only_the_admin_changes_parameters() {
	run(|| {
		let at = RelayBlock::get() + 10;
		let same = Mining::parameters().unwrap();
		for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
			let change = Mining::schedule_parameters(origin.clone(), same.clone(), at);
			assert_noop!(change, DispatchError::BadOrigin);
			assert_noop!(Mining::unschedule_parameters(origin.clone()), DispatchError::BadOrigin);
			assert_noop!(Mining::spend_reserve(origin, 1, PHA), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn ranges_and_steps_bind_root_too() {
	run(|| {
		let at = RelayBlock::get() + 10;
		let fails = |change: fn(&mut Parameters), error: Error<Test>| {
			assert_noop!(schedule(with(change), at), error);
		};
		fails(|p| p.min_score = 0, Error::OutOfRange);
		fails(|p| p.treasury_share = Perbill::from_percent(51), Error::OutOfRange);
		fails(|p| p.budget.per_block = 201 * PHA, Error::OutOfRange);
		fails(|p| p.budget.per_block = 101 * PHA, Error::StepTooLarge);
		fails(|p| p.budget.per_block = 24 * PHA, Error::StepTooLarge);
		fails(|p| p.v_max = Fixed::from_u32(60_001), Error::StepTooLarge);
		fails(|p| p.v_max = Fixed::from_u32(14_000), Error::StepTooLarge);
		fails(|p| p.slash = p.slash.times(3), Error::StepTooLarge);
		fails(|p| p.pay_cap = Fixed::ONE, Error::StepTooLarge);
		fails(|p| p.probation = 1, Error::StepTooLarge);
		fails(|p| p.min_score = 101, Error::StepTooLarge);
		fails(|p| p.treasury_share = Perbill::from_percent(41), Error::StepTooLarge);
		let passes = |change: fn(&mut Parameters)| {
			assert_ok!(schedule(with(change), at));
		};
		passes(|p| p.budget.per_block = 100 * PHA);
		passes(|p| p.budget.per_block = 25 * PHA);
		passes(|p| p.v_max = Fixed::from_u32(60_000));
		passes(|p| p.slash = p.slash.times(2));
		passes(|p| p.probation = 300);
		// What is zero is not stuck there.
		passes(|p| p.rig_base = Fixed::from_u32(100));
		fails(|p| p.rig_base = Fixed::from_u32(200), Error::StepTooLarge);
	});
}

#[test]
fn changes_take_their_time() {
	run(|| {
		let at = RelayBlock::get();
		let next = with(|p| p.probation = 601);
		assert_noop!(schedule(next.clone(), at - 1), Error::<Test>::TooSoon);
		assert_noop!(
			Mining::unschedule_parameters(RuntimeOrigin::root()),
			Error::<Test>::NothingScheduled
		);
		assert_ok!(schedule(next.clone(), at + 5));
		assert_ok!(Mining::unschedule_parameters(RuntimeOrigin::root()));
		blocks(10);
		assert_eq!(Mining::parameters().unwrap().probation, 600);
		assert_ok!(schedule(next, at + 15));
		blocks(10);
		assert_eq!(Mining::parameters().unwrap().probation, 601);
		let changed = LastChange::<Test>::get().unwrap();
		let next = with(|p| p.probation = 602);
		assert_noop!(schedule(next.clone(), changed + 100_799), Error::<Test>::TooSoon);
		assert_ok!(schedule(next, changed + 100_800));
		assert!(ParameterVersions::<Test>::get().unwrap().next().is_some());
	});
}

#[test]
fn the_reserve_leaves_the_pot_when_the_economy_begins() {
	run(|| {
		assert_eq!(Balances::balance(&Mining::reserve()), RESERVE);
		assert_eq!(economy().endowment, SUBSIDY - RESERVE - PHA / 100);
		assert_eq!(ReserveState::<Test>::get().unwrap().balance(), RESERVE);
	});
}

#[test]
fn the_reserve_has_a_yearly_cap() {
	run(|| {
		let spend = |amount| Mining::spend_reserve(RuntimeOrigin::root(), 77, amount);
		assert_ok!(spend(15_000_000 * PHA));
		assert_eq!(Balances::balance(&77), 15_000_000 * PHA);
		assert_noop!(spend(5_000_000 * PHA + 1), Error::<Test>::ReserveOverCap);
		assert_noop!(spend(RESERVE), Error::<Test>::ReserveInsufficient);
		assert_ok!(spend(5_000_000 * PHA));
		assert_noop!(spend(1), Error::<Test>::ReserveOverCap);
		block(5_256_000);
		assert_ok!(spend(20_000_000 * PHA));
		// An account that cannot exist gets nothing, and the reserve keeps it.
		block(5_256_000);
		let before = ReserveState::<Test>::get();
		assert!(
			frame_support::storage::with_storage_layer(|| {
				Mining::spend_reserve(RuntimeOrigin::root(), 78, 1)
			})
			.is_err()
		);
		assert_eq!(ReserveState::<Test>::get(), before);
		let credit = Mining::draw_reserve(PHA).unwrap();
		use frame_support::traits::{Imbalance, fungible::Balanced};
		assert_eq!(credit.peek(), PHA);
		Balances::resolve(&77, credit).unwrap();
	});
}

#[test]
fn what_was_drawn_and_not_needed_returns() {
	use frame_support::traits::Imbalance;
	use phala_primitives::Reserve;
	run(|| {
		assert_eq!(<Mining as Reserve<_>>::available(), 20_000_000 * PHA);
		let credit = <Mining as Reserve<_>>::draw(20_000_000 * PHA).unwrap();
		assert_eq!(<Mining as Reserve<_>>::available(), 0);
		let (some, rest) = credit.split(3 * PHA);
		<Mining as Reserve<_>>::give_back(some);
		assert_eq!(ReserveState::<Test>::get().unwrap().balance(), RESERVE - 19_999_997 * PHA);
		assert_eq!(Balances::balance(&Mining::reserve()), RESERVE - 19_999_997 * PHA);
		// The cap is not for reuse: else a cap of a year could leave in a day.
		assert_noop!(<Mining as Reserve<_>>::draw(1), Error::<Test>::ReserveOverCap);
		<Mining as Reserve<_>>::give_back(rest);
		assert_eq!(Balances::balance(&Mining::reserve()), RESERVE);
	});
}
