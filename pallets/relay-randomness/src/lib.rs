//! # Relay randomness
//!
//! What the author of the relay-chain block that the present block builds on drew with its VRF
//! (`Babe::AuthorVrfRandomness`), out of the relay chain's state proof.
//!
//! ## Overview
//!
//! `cumulus_pallet_parachain_system` checks the state proof that every block of a parachain brings
//! along, and shows it to this pallet ([`OnSystemEvent`]), which keeps the randomness until the block
//! ends. No call, no event, nothing between blocks.
//!
//! ## What it is good for
//!
//! Nobody knows it before the relay chain's block is there: it is a VRF output of that block's author.
//! The parachain's author sees it a few seconds before everybody else, and can choose the older of two
//! relay parents, so it must not decide about large sums. What every epoch's randomness
//! (`Babe::Randomness`) would decide is public for hours ahead; it is used only where
//! [`Config::AllowEpoch`] says so, which no live chain does.
//!
//! An author who leaves the entry out of the proof leaves its own block, and no other, without
//! randomness.
//!
//! Sources: `pallet_babe::AuthorVrfRandomness`, and what it says about its security.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(test)]
mod tests;

pub use pallet::*;

use cumulus_pallet_parachain_system::{OnSystemEvent, RelayChainStateProof};
use cumulus_primitives_core::{
	PersistedValidationData,
	relay_chain::well_known_keys::{CURRENT_BLOCK_RANDOMNESS, ONE_EPOCH_AGO_RANDOMNESS},
};
use frame_support::{traits::Get, weights::Weight};
use sp_core::H256;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	/// The version of what is stored.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// How the pallet is wired.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Whether the randomness of the epoch before takes the place of one that is not there. Public
		/// for hours ahead: for development nodes, whose relay chain is made up.
		type AllowEpoch: Get<bool>;
	}

	/// The randomness. Written by the inherent, removed at the end of the block.
	#[pallet::storage]
	pub type Randomness<T: Config> = StorageValue<_, H256, OptionQuery>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			// What `on_finalize` costs.
			T::DbWeight::get().writes(1)
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			Randomness::<T>::kill();
		}
	}
}

impl<T: Config> Pallet<T> {
	/// What the relay chain drew, once the inherents are there.
	pub fn current() -> Option<H256> {
		Randomness::<T>::get()
	}

	/// What cannot be read is not there: the author left it out.
	fn read(proof: &RelayChainStateProof) -> Option<H256> {
		let drawn = proof.read_optional_entry::<Option<H256>>(CURRENT_BLOCK_RANDOMNESS);
		drawn.ok().flatten().flatten().or_else(|| {
			let epoch = || proof.read_optional_entry(ONE_EPOCH_AGO_RANDOMNESS).ok().flatten();
			T::AllowEpoch::get().then(epoch).flatten()
		})
	}
}

impl<T: Config> OnSystemEvent for Pallet<T> {
	fn on_validation_data(_: &PersistedValidationData) {}

	fn on_validation_code_applied() {}

	fn on_relay_state_proof(proof: &RelayChainStateProof) -> Weight {
		Randomness::<T>::set(Self::read(proof));
		T::DbWeight::get().writes(1)
	}
}
