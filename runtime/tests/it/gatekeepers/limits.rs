//! The largest of everything fits into blocks.

use super::*;

#[test]
fn the_largest_election_leaves_room_in_its_block() {
	use frame_election_provider_support::WeightInfo as _;
	use frame_support::traits::Hooks;
	use pallet_gatekeeper_election::WeightInfo as _;
	use pallet_staking::WeightInfo as _;
	type Election = <Runtime as pallet_gatekeeper_election::Config>::WeightInfo;
	type Stakers = <Runtime as pallet_staking::Config>::WeightInfo;
	type Solver = weights::frame_election_provider_support::WeightInfo<Runtime>;
	// A tick, and what staking and the solver add to it by themselves. There are two rounds.
	let tick = Election::poll().saturating_add(Election::tick());
	let voters = Stakers::get_npos_voters(MAX_CANDIDATES, MAX_VOTERS);
	let solve = Solver::phragmen(MAX_VOTERS + MAX_CANDIDATES, MAX_CANDIDATES, MAX_NOMINATIONS);
	let whole = tick.saturating_add(voters).saturating_add(solve * 2);
	let most = configs::RuntimeBlockWeights::get().max_block;
	assert!((whole * 3).all_lte(most), "{whole:?} of {most:?}");
	Staking::integrity_test();
	VoterList::integrity_test();
	GatekeeperElection::integrity_test();
	GatekeeperKeys::integrity_test();
	Slashing::integrity_test();
}

#[test]
fn requests_that_are_taken_can_be_answered_and_forgotten() {
	use frame_support::{dispatch::DispatchClass, traits::Get};
	use pallet_gatekeeper_keys::{Config, WeightInfo, types::ROOM_FOR_GUARDS};
	type Keys = <Runtime as Config>::WeightInfo;
	let limits = configs::RuntimeBlockWeights::get();
	let base = limits.get(DispatchClass::Operational).base_extrinsic;
	let blocks = u64::from(REQUEST_PERIOD * constants::consensus::BLOCK_PROCESSING_VELOCITY);
	let most: u32 = <Runtime as Config>::MaxRequests::get();
	let most = u64::from(most);
	// All of them take half of the blocks in which they are open, for the set that a chain starts with.
	let threshold = Threshold::of(SEATS as u8).expect("it is a size").required();
	let request = Keys::request() + Keys::authorize_request() + base;
	let answer = Keys::answer() + Keys::authorize_answer() + base;
	let all = (request + answer * u64::from(threshold)) * most;
	let room = limits.max_block * blocks;
	assert!((all * 2).all_lte(room), "{all:?} of {room:?}");
	// Half as many again are forgotten in a time as can be made in it.
	let each = 3 * (most + u64::from(ROOM_FOR_GUARDS)) / (2 * blocks);
	let service = <Runtime as Config>::ServiceWeight::get();
	let forgotten = Keys::serve() + Keys::step_forget() * each;
	assert!(forgotten.all_lte(service), "{forgotten:?} of {service:?}");
}

#[test]
fn a_steps_weight_covers_everybody_who_answers_for_a_gatekeeper() {
	// Whoever counts holders counts the same.
	let holders = u64::from(MAX_BACKERS) + 1;
	assert_eq!(pallet_slashing::weights::HOLDERS, holders);
	assert_eq!(u64::from(pallet_gatekeeper_election::types::MAX_HOLDERS), holders);
	let items = pallet_slashing::weights::HOLDER_ITEMS * holders;
	assert!(pallet_gatekeeper_keys::weights::REPORT >= items);
	// Each 200 ms of computation at most.
	let steps = [
		Slashing::step_weight(),
		<<Runtime as pallet_gatekeeper_keys::Config>::WeightInfo as
			pallet_gatekeeper_keys::WeightInfo>::step_report(),
	];
	for step in steps {
		assert!(step.ref_time() < 200_000_000_000, "{step:?}");
	}
}
