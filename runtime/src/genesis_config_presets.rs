//! Genesis states to start from.
//!
//! The development composition offers `development` (one collator, for `--dev`) and `local_testnet`
//! (two collators, for a local network), both with four stashes that stand for gatekeeper; the live
//! composition offers `live`, a template without collators that its operators complete.

use crate::{
	AccountId, AuraId, Balance, BalancesConfig, CollatorSelectionConfig, ParachainInfoConfig,
	PolkadotXcmConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys, StakingConfig,
	constants::{
		accounts,
		currency::{EXISTENTIAL_DEPOSIT, MINING_SUBSIDY, PHA, TOTAL_SUPPLY},
		gatekeepers,
	},
};
use alloc::{string::ToString, vec, vec::Vec};
use frame_support::build_struct_json_patch;
use sp_genesis_builder::PresetId;

/// Id of the parachain on its relay chain.
pub const PARA_ID: u32 = 2035;
/// Name of the live template.
pub const LIVE_PRESET: &str = "live";

/// PHA that a collator puts up to become a candidate.
const CANDIDACY_BOND: Balance = 10_000 * PHA;

/// A genesis in which `endowed` own what they are given, and the treasury everything else that is not
/// in the subsidy pot.
fn genesis(
	collators: Vec<(AccountId, AuraId)>,
	endowed: Vec<(AccountId, Balance)>,
) -> serde_json::Value {
	let given: Balance = endowed.iter().map(|(_, amount)| *amount).sum();
	let treasury = TOTAL_SUPPLY - MINING_SUBSIDY - EXISTENTIAL_DEPOSIT - given;
	let balances = endowed
		.into_iter()
		.chain([
			(accounts::subsidy_pot(), MINING_SUBSIDY),
			(accounts::pools_pot(), EXISTENTIAL_DEPOSIT),
			(accounts::treasury(), treasury),
		])
		.collect::<Vec<_>>();
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig { balances },
		parachain_info: ParachainInfoConfig { parachain_id: PARA_ID.into() },
		collator_selection: CollatorSelectionConfig {
			invulnerables: collators.iter().map(|(account, _)| account.clone()).collect(),
			candidacy_bond: CANDIDACY_BOND,
			desired_candidates: 16,
		},
		session: SessionConfig {
			keys: collators
				.into_iter()
				.map(|(account, aura)| (account.clone(), account, SessionKeys { aura }))
				.collect(),
		},
		staking: StakingConfig {
			validator_count: gatekeepers::SEATS,
			minimum_validator_count: gatekeepers::MIN_SEATS.into(),
			min_nominator_bond: gatekeepers::MIN_NOMINATION,
			min_validator_bond: gatekeepers::MIN_SELF_BOND,
		},
		polkadot_xcm: PolkadotXcmConfig { safe_xcm_version: Some(xcm::prelude::XCM_VERSION) },
	})
}

/// Names of the presets of this composition.
pub fn preset_names() -> Vec<PresetId> {
	#[cfg(feature = "development")]
	return vec![
		sp_genesis_builder::DEV_RUNTIME_PRESET.into(),
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET.into(),
	];
	#[cfg(not(feature = "development"))]
	return vec![LIVE_PRESET.into()];
}

/// JSON patch of a preset, or `None` where this composition has none of that name.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	#[cfg(feature = "development")]
	let patch = development::preset(id.as_ref())?;
	#[cfg(not(feature = "development"))]
	let patch = (AsRef::<str>::as_ref(id) == LIVE_PRESET).then(|| genesis(vec![], vec![]))?;
	Some(patch.to_string().into_bytes())
}

#[cfg(feature = "development")]
mod development {
	use super::*;
	use crate::constants::{
		attestation::{
			DEVELOPMENT_EVALUATION, DEVELOPMENT_GATEKEEPERS, DEVELOPMENT_ROOT, DEVELOPMENT_WORKERS,
		},
		time::MINUTES,
	};
	use pallet_staking::StakerStatus;
	use phala_tokenomics::Parameters;
	use sp_core::{Bytes, H256};
	use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
	use sp_keyring::Sr25519Keyring::{
		self, Alice, AliceStash, Bob, BobStash, CharlieStash, DaveStash,
	};

	/// Stashes with a bond that stand for gatekeeper: as many as a set needs. Each is elected as soon as
	/// it has bound a gatekeeper.
	const STASHES: [Sr25519Keyring; gatekeepers::MIN_SEATS as usize] =
		[AliceStash, BobStash, CharlieStash, DaveStash];
	/// What each has bonded.
	const BOND: Balance = 100 * gatekeepers::MIN_SELF_BOND;

	/// Those of the launch, but what takes hours takes minutes, so that it can be watched: an
	/// unresponsive worker may come back after two minutes and loses 6 % of its V per hour, and pay is
	/// capped at 0.6 % of V per hour.
	fn parameters() -> Parameters {
		let launch = Parameters::launch();
		Parameters {
			probation: 2 * MINUTES,
			slash: launch.slash.times(60),
			pay_cap: launch.pay_cap.times(12),
			..launch
		}
	}

	pub fn preset(id: &str) -> Option<serde_json::Value> {
		let collators: &[Sr25519Keyring] = match id {
			DEV_RUNTIME_PRESET => &[Alice],
			LOCAL_TESTNET_RUNTIME_PRESET => &[Alice, Bob],
			_ => return None,
		};
		let mut patch = genesis(
			collators.iter().map(|key| (key.to_account_id(), key.public().into())).collect(),
			Sr25519Keyring::well_known()
				.map(|key| (key.to_account_id(), 10_000_000 * PHA))
				.collect(),
		);
		patch["sudo"] = serde_json::json!({ "key": Alice.to_account_id() });
		patch["workerRegistry"] = serde_json::json!({
			"developmentRoot": Bytes(DEVELOPMENT_ROOT.to_vec()),
			"evaluation": DEVELOPMENT_EVALUATION,
			"workers": DEVELOPMENT_WORKERS.map(H256),
			"gatekeepers": DEVELOPMENT_GATEKEEPERS.map(H256),
		});
		let standing = |key: Sr25519Keyring| {
			let stash = key.to_account_id();
			(stash.clone(), stash, BOND, StakerStatus::<AccountId>::Validator)
		};
		patch["staking"]["stakers"] = serde_json::json!(STASHES.map(standing));
		patch["mining"] = serde_json::json!({ "parameters": parameters() });
		Some(patch)
	}
}
