//! What a genesis may and may not be.

use crate::chain::{account, genesis_json, run};
use phala_runtime::{
	constants::{accounts, currency::*},
	*,
};
use sp_core::{Pair, ecdsa, ed25519, sr25519};
use sp_io::TestExternalities;
use sp_runtime::{MultiSignature, traits::Verify};
use std::collections::BTreeSet;

fn build(json: serde_json::Value) -> Result<(), String> {
	TestExternalities::default()
		.execute_with(|| genesis::build_state(json.to_string().into_bytes()))
}

/// The error of a genesis that `change` made unsound.
fn refused(change: impl FnOnce(&mut serde_json::Value)) -> String {
	let mut json = genesis_json();
	change(&mut json);
	build(json).expect_err("the genesis must be refused")
}

#[test]
fn issues_the_supply_and_fills_the_subsidy_pot() {
	run(|| {
		assert_eq!(Balances::total_issuance(), 1_000_000_000 * PHA);
		assert_eq!(Balances::free_balance(accounts::subsidy_pot()), 700_000_000 * PHA);
	});
}

#[test]
fn refuses_another_supply() {
	for change in [1i128, -1] {
		let error = refused(|json| {
			let balances = json["balances"]["balances"].as_array_mut().expect("a list");
			let amount: i128 = balances[0][1].to_string().parse().expect("a number");
			let changed = (amount + change).to_string();
			balances[0][1] = serde_json::from_str(&changed).expect("a number");
		});
		assert!(error.contains("the supply is exactly"), "{error}");
	}
}

#[test]
fn refuses_another_subsidy() {
	let error = refused(|json| {
		let pot = serde_json::json!(accounts::subsidy_pot());
		for entry in json["balances"]["balances"].as_array_mut().expect("a list") {
			if entry[0] == pot {
				entry[0] = serde_json::json!(account("thief"));
			}
		}
	});
	assert!(error.contains("mining subsidy pot holds 0"), "{error}");
}

#[test]
fn refuses_pools_without_a_pot() {
	let error = refused(|json| {
		let pot = serde_json::json!(accounts::pools_pot());
		for entry in json["balances"]["balances"].as_array_mut().expect("a list") {
			if entry[0] == pot {
				entry[0] = serde_json::json!(account("thief"));
			}
		}
	});
	assert!(error.contains("pot of stake pools"), "{error}");
}

#[test]
fn refuses_a_chain_where_hardly_anything_can_vote() {
	use phala_runtime::constants::governance::MIN_TURNOUT;
	let with_turnout = |turnout: Balance| {
		let mut json = genesis_json();
		let rest = TOTAL_SUPPLY - MINING_SUBSIDY - EXISTENTIAL_DEPOSIT - turnout;
		json["balances"]["balances"] = serde_json::json!([
			(accounts::subsidy_pot(), MINING_SUBSIDY),
			(accounts::pools_pot(), EXISTENTIAL_DEPOSIT),
			(accounts::treasury(), rest),
			(account("alice"), turnout),
		]);
		build(json).err()
	};
	let error = with_turnout(MIN_TURNOUT - 1).expect("it is too little");
	assert!(error.contains("can vote"), "{error}");
	let error = with_turnout(MIN_TURNOUT);
	assert!(!error.as_ref().is_some_and(|error| error.contains("can vote")), "{error:?}");
}

#[test]
fn refuses_no_collators_and_collators_without_keys() {
	let error = refused(|json| json["collatorSelection"]["invulnerables"] = serde_json::json!([]));
	assert!(error.contains("genesis has no collator"), "{error}");
	let error = refused(|json| json["session"]["keys"] = serde_json::json!([]));
	assert!(error.contains("has no session keys"), "{error}");
}

#[test]
fn refuses_every_well_known_key_wherever_it_stands() {
	for known in genesis::well_known::accounts() {
		let error = refused(|json| json["balances"]["balances"][0][0] = serde_json::json!(known));
		assert!(error.contains("well-known development key"), "{error}");
	}
	let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
	let error = refused(|json| json["session"]["keys"][0][2]["aura"] = serde_json::json!(alice));
	assert!(error.contains("session key"), "{error}");
	let error = refused(|json| {
		json["collatorSelection"]["invulnerables"][0] = serde_json::json!(alice);
		json["session"]["keys"][0][0] = serde_json::json!(alice);
		json["session"]["keys"][0][1] = serde_json::json!(alice);
	});
	assert!(error.contains("well-known development key"), "{error}");
}

#[test]
fn knows_whoever_the_development_phrase_signs_for() {
	let known = genesis::well_known::accounts();
	let names = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];
	let named = names.iter().flat_map(|name| [format!("//{name}"), format!("//{name}//stash")]);
	let signatures = ["", "//One", "//Two", "//Zombie"].map(String::from).into_iter().chain(named);
	let signatures = signatures.flat_map(|path| -> [MultiSignature; 4] {
		let phrase = format!("{}{path}", sp_core::crypto::DEV_PHRASE);
		[
			sr25519::Pair::from_string(&phrase, None).expect("sound").sign(b"mine").into(),
			ed25519::Pair::from_string(&phrase, None).expect("sound").sign(b"mine").into(),
			ecdsa::Pair::from_string(&phrase, None).expect("sound").sign(b"mine").into(),
			MultiSignature::Eth(
				ecdsa::KeccakPair::from_string(&phrase, None).expect("sound").sign(b"mine"),
			),
		]
	});
	let signers: BTreeSet<_> = signatures
		.map(|signature| {
			let signer = known.iter().find(|who| signature.verify(&b"mine"[..], who));
			signer.unwrap_or_else(|| panic!("nobody is known who signs {signature:?}")).clone()
		})
		.collect();
	assert_eq!(signers, known);
}

#[test]
#[should_panic(expected = "genesis names a development root")]
fn refuses_a_development_root() {
	let root = sp_core::Bytes(phala_dev_pki::development_root_der().to_vec());
	let mut json = genesis_json();
	json["workerRegistry"]["developmentRoot"] = serde_json::json!(root);
	let _ = build(json);
}

#[test]
fn live_composition_offers_only_the_template() {
	assert_eq!(genesis_config_presets::preset_names(), vec!["live".to_string()]);
	for name in ["development", "local_testnet"] {
		assert!(genesis_config_presets::get_preset(&name.into()).is_none());
	}
}
