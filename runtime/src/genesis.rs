//! What a genesis state must satisfy before a chain may start from it.
//!
//! The checks run inside the runtime, on the state that was built, so that every tool that makes a
//! chain from this runtime meets them. Each error names cause and remedy.

pub mod well_known;

use crate::{
	AccountId, Balance, Balances, Runtime, RuntimeGenesisConfig,
	configs::governance::{MaxTurnout, rank_rules},
	constants::{
		accounts,
		currency::{EXISTENTIAL_DEPOSIT, MINING_SUBSIDY, PHA, TOTAL_SUPPLY},
		governance::MIN_TURNOUT,
	},
};
use alloc::{format, string::String, vec::Vec};
use codec::Encode;
use frame_support::{
	genesis_builder_helper,
	traits::{Get, fungible::Inspect},
};

/// Builds the genesis state, with the rules of the fellowship's ranks, and checks it.
pub fn build_state(json: Vec<u8>) -> sp_genesis_builder::Result {
	genesis_builder_helper::build_state::<RuntimeGenesisConfig>(json)?;
	pallet_core_fellowship::Params::<Runtime>::put(rank_rules());
	check_supply()?;
	check_pools_pot()?;
	if cfg!(not(feature = "development")) {
		check_turnout()?;
		check_collators()?;
		check_keys()?;
	}
	Ok(())
}

/// Exactly [`TOTAL_SUPPLY`] is issued, and [`MINING_SUBSIDY`] of it lies in its pot.
fn check_supply() -> Result<(), String> {
	let issued = <Balances as Inspect<_>>::total_issuance();
	if issued != TOTAL_SUPPLY {
		return Err(format!(
			"genesis issues {} plancks, but the supply is exactly {TOTAL_SUPPLY} ({} PHA): change \
			`balances.balances` so that they add up (tools that add balances to a plain chain spec \
			must be given a raw one)",
			issued,
			TOTAL_SUPPLY / PHA,
		));
	}
	let subsidy: Balance = Balances::total_balance(&accounts::subsidy_pot());
	if subsidy != MINING_SUBSIDY {
		return Err(format!(
			"the mining subsidy pot holds {subsidy} plancks instead of {MINING_SUBSIDY}: leave its \
			entry in `balances.balances` as the preset has it",
		));
	}
	Ok(())
}

/// The pot of pools exists: what is less than the existential deposit could not be paid into it.
fn check_pools_pot() -> Result<(), String> {
	if Balances::total_balance(&accounts::pools_pot()) < EXISTENTIAL_DEPOSIT {
		return Err(format!(
			"the pot of stake pools holds less than the existential deposit: give \
			{EXISTENTIAL_DEPOSIT} plancks to {:?} in `balances.balances`, as the preset does",
			accounts::pools_pot(),
		));
	}
	Ok(())
}

/// Enough PHA can vote.
fn check_turnout() -> Result<(), String> {
	let turnout = MaxTurnout::get();
	if turnout < MIN_TURNOUT {
		return Err(format!(
			"only {turnout} plancks can vote, and support is measured against that: give at least \
			{MIN_TURNOUT} to accounts of holders in `balances.balances`",
		));
	}
	Ok(())
}

/// Somebody can author blocks.
fn check_collators() -> Result<(), String> {
	let collators = pallet_collator_selection::Invulnerables::<Runtime>::get();
	if collators.is_empty() {
		return Err(
			"genesis has no collator: list accounts in `collatorSelection.invulnerables` and \
			their session keys in `session.keys`"
				.into(),
		);
	}
	match collators.iter().find(|who| pallet_session::NextKeys::<Runtime>::get(who).is_none()) {
		Some(who) => Err(format!(
			"collator {who:?} has no session keys: add [account, account, {{\"aura\": key}}] to \
			`session.keys`"
		)),
		None => Ok(()),
	}
}

/// No key whose secret everybody knows owns money or authors blocks.
fn check_keys() -> Result<(), String> {
	let known = well_known::accounts();
	let refuse = |who: &AccountId, what: &str| {
		Err(format!(
			"{what} {who:?} is a well-known development key, whose secret everybody has: replace it"
		))
	};
	for who in frame_system::Account::<Runtime>::iter_keys() {
		if known.contains(&who) {
			return refuse(&who, "account");
		}
	}
	for who in pallet_collator_selection::Invulnerables::<Runtime>::get() {
		if known.contains(&who) {
			return refuse(&who, "collator");
		}
	}
	for (_, keys) in pallet_session::NextKeys::<Runtime>::iter() {
		let aura = keys.aura.encode();
		if let Some(who) = known.iter().find(|who| who.encode() == aura) {
			return refuse(who, "session key");
		}
	}
	Ok(())
}
