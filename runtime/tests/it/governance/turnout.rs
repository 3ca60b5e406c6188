//! What support is measured against, and how many it takes, on a fresh chain.

use super::*;
use frame_support::traits::{Get, VoteTally};
use phala_runtime::{
	configs::governance::MaxTurnout,
	constants::{accounts, currency::*},
};
use sp_runtime::Perbill;

/// The three holders and the two collators.
const CIRCULATING: Balance = 5_000_000 * PHA;

#[test]
fn pots_do_not_count() {
	governed(|| {
		assert_eq!(MaxTurnout::get(), CIRCULATING);
		let pots = accounts::non_voting();
		let held: Balance = pots.iter().map(<Balances as Inspect<_>>::total_balance).sum();
		assert_eq!(MaxTurnout::get() + held, TOTAL_SUPPLY);
		// The SDK's figure would have put every threshold out of reach.
		assert!(<Balances as Inspect<_>>::active_issuance() > 100 * CIRCULATING);
		// What the treasury pays out counts from then on.
		assert_ok!(Balances::force_transfer(
			RuntimeOrigin::root(),
			accounts::treasury().into(),
			account("alice").into(),
			PHA,
		));
		assert_eq!(MaxTurnout::get(), CIRCULATING + PHA);
	});
}

#[test]
fn the_treasurys_own_books_change_nothing() {
	governed(|| {
		pass(2 * phala_runtime::constants::governance::SPEND_PERIOD);
		assert!(Balances::inactive_issuance() > 0);
		assert_eq!(MaxTurnout::get(), CIRCULATING);
	});
}

#[test]
fn thresholds_of_support_hold_at_genesis() {
	governed(|| {
		for track in Tracks::tracks() {
			let at_first = track.info.min_support.threshold(Perbill::zero());
			let needed = at_first.mul_ceil(CIRCULATING);
			let index = propose(origin_of(track.id), pallet_utility::Call::batch { calls: vec![] });
			let thirds = needed / 3;
			for name in ["alice", "bob", "charlie"] {
				assert_ok!(vote(name, index, standard(true, Conviction::None, thirds - PHA)));
			}
			assert!(tally(index).support(track.id) < at_first, "{}", track.id);
			for name in ["alice", "bob", "charlie"] {
				assert_ok!(vote(name, index, standard(true, Conviction::None, thirds + 1)));
			}
			assert!(tally(index).support(track.id) >= at_first, "{}", track.id);
			let info = track.info.clone();
			pass(info.prepare_period + info.confirm_period);
			assert!(is_approved(index), "{}: {:?}", track.id, status(index));
		}
	});
}

fn origin_of(id: u16) -> OriginCaller {
	let all = Origin::ALL.into_iter().map(OriginCaller::from).chain([ROOT]);
	all.into_iter()
		.find(|origin| Tracks::track_for(origin) == Ok(id))
		.expect("each track has its origin")
}
