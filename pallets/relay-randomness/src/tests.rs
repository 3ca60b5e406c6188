//! Proofs of relay chains that drew, did not draw, or are hidden by an author.

use crate::{self as pallet_relay_randomness, Config, Pallet, Randomness};
use codec::Encode;
use cumulus_pallet_parachain_system::{OnSystemEvent, RelayChainStateProof};
use cumulus_primitives_core::relay_chain::well_known_keys::{
	CURRENT_BLOCK_RANDOMNESS, ONE_EPOCH_AGO_RANDOMNESS,
};
use cumulus_test_relay_sproof_builder::RelayStateSproofBuilder;
use frame_support::{derive_impl, parameter_types, traits::Hooks};
use sp_core::H256;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		RelayRandomness: pallet_relay_randomness,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
}

parameter_types! {
	pub storage AllowEpoch: bool = false;
}

impl Config for Test {
	type AllowEpoch = AllowEpoch;
}

const DRAWN: H256 = H256::repeat_byte(1);
const EPOCH: H256 = H256::repeat_byte(2);
const PARA: u32 = 2_000;

fn run(test: impl FnOnce()) {
	sp_io::TestExternalities::default().execute_with(test);
}

/// A relay chain of which the proof shows these entries.
fn relay(entries: Vec<(&[u8], Vec<u8>)>) -> RelayChainStateProof {
	let mut builder =
		RelayStateSproofBuilder { para_id: PARA.into(), randomness: EPOCH, ..Default::default() };
	let owned = entries.into_iter().map(|(key, value)| (key.to_vec(), value));
	builder.additional_key_values = owned.collect();
	let (root, proof) = builder.into_state_root_and_proof();
	RelayChainStateProof::new(PARA.into(), root, proof).expect("the proof has the root")
}

fn seen(proof: &RelayChainStateProof) -> Option<H256> {
	let _ = Pallet::<Test>::on_relay_state_proof(proof);
	Pallet::<Test>::current()
}

#[test]
fn the_blocks_own_draw_is_taken() {
	run(|| {
		let proof = relay(vec![(CURRENT_BLOCK_RANDOMNESS, Some(DRAWN).encode())]);
		assert_eq!(seen(&proof), Some(DRAWN));
		AllowEpoch::set(&true);
		assert_eq!(seen(&proof), Some(DRAWN));
	});
}

#[test]
fn without_a_draw_there_is_none_on_a_live_chain() {
	run(|| {
		for entries in [
			vec![],
			vec![(CURRENT_BLOCK_RANDOMNESS, None::<H256>.encode())],
			// Neither an option of a hash nor anything else.
			vec![(CURRENT_BLOCK_RANDOMNESS, vec![7])],
		] {
			AllowEpoch::set(&false);
			assert_eq!(seen(&relay(entries.clone())), None);
			AllowEpoch::set(&true);
			assert_eq!(seen(&relay(entries)), Some(EPOCH));
		}
	});
}

#[test]
fn an_epoch_that_cannot_be_read_is_none() {
	run(|| {
		AllowEpoch::set(&true);
		assert_eq!(seen(&relay(vec![(ONE_EPOCH_AGO_RANDOMNESS, vec![7])])), None);
	});
}

#[test]
fn the_next_block_does_not_see_it() {
	run(|| {
		let drew = relay(vec![(CURRENT_BLOCK_RANDOMNESS, Some(DRAWN).encode())]);
		assert_eq!(seen(&drew), Some(DRAWN));
		// An author who hides the entry from the proof gets none, not the one of before.
		assert_eq!(seen(&relay(vec![])), None);
		assert_eq!(seen(&drew), Some(DRAWN));
		Pallet::<Test>::on_finalize(1);
		assert_eq!(Pallet::<Test>::current(), None);
		assert!(!Randomness::<Test>::exists());
	});
}
