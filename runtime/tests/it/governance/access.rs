//! Who may make which call: every call of the runtime, by name.

use super::*;
use codec::Decode;
use frame_metadata::RuntimeMetadata;
use frame_support::{
	storage::{TransactionOutcome, with_transaction},
	traits::GetCallMetadata,
};
use sp_runtime::{DispatchError, traits::Dispatchable};
use std::collections::BTreeSet;

/// Bytes of simple arguments: zeros, and fives (the version of messages) in every mixture at the start.
fn arguments() -> impl Iterator<Item = Vec<u8>> {
	(0u32..1 << 14).map(|mixture| {
		let start = (0..14).map(|bit| if mixture >> bit & 1 == 1 { 5 } else { 0 });
		start.chain([0; 4096]).collect()
	})
}

/// The generator of ristretto255 (RFC 9496, A.1): the identity, which zeros would be, is refused.
const POINT: &[u8] =
	&hex_literal::hex!("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76");
const KEYS: &[u8] = &[0; 32];
/// A proof, or a signature.
const PROOF: &[u8] = &[0; 64];

/// What these bytes are.
fn from<D: Decode>(parts: &[&[u8]]) -> D {
	D::decode(&mut &parts.concat()[..]).expect("they are one")
}

/// Calls whose arguments have no such simple form.
fn elaborate(pallet: &str, call: &str) -> Option<RuntimeCall> {
	use pallet_gatekeeper_keys::Call as Keys;
	let signature = from(&[PROOF]);
	match (pallet, call) {
		("GatekeeperKeys", "deal") => {
			// To a constant alone, without a share.
			let dealing = [POINT, &[0], PROOF, POINT, PROOF, &[0]].concat();
			let statement = from(&[KEYS, KEYS, &dealing]);
			Some(Keys::deal { statement, signature }.into())
		}
		("GatekeeperKeys", "complain") => {
			let statement = from(&[KEYS, KEYS, &[1], POINT, PROOF]);
			Some(Keys::complain { statement, signature }.into())
		}
		("GatekeeperKeys", "request") => {
			let statement = from(&[KEYS, &[0; 4], KEYS, &[0; 4], POINT, PROOF]);
			Some(Keys::request { statement, signature }.into())
		}
		("GatekeeperKeys", "request_guard") => {
			let statement = from(&[KEYS, &[0; 4], KEYS, &[0; 4], POINT, PROOF]);
			Some(Keys::request_guard { statement, signature }.into())
		}
		("GatekeeperKeys", "answer") => {
			let (seat, partial) = (from(&[&[1]]), from(&[POINT, PROOF]));
			Some(Keys::answer { id: 0, seat, partial }.into())
		}
		("WorkerRegistry", "set_policy") => Some(
			pallet_worker_registry::Call::set_policy {
				policy: pallet_worker_registry::CurrentPolicy::<Runtime>::get(),
			}
			.into(),
		),
		_ => None,
	}
}

/// Every call: pallet, name, and a call with the simplest arguments there are.
pub fn calls() -> Vec<(String, String, RuntimeCall)> {
	let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else { panic!("it is V14") };
	let mut calls = vec![];
	for pallet in &metadata.pallets {
		let Some(of_pallet) = &pallet.calls else { continue };
		let of_pallet = metadata.types.resolve(of_pallet.ty.id).expect("a known type");
		let scale_info::TypeDef::Variant(variants) = &of_pallet.type_def else {
			panic!("calls are an enum")
		};
		for call in &variants.variants {
			let decoded = elaborate(&pallet.name, &call.name)
				.or_else(|| {
					arguments().find_map(|bytes| {
						let bytes = [&[pallet.index, call.index][..], &bytes].concat();
						RuntimeCall::decode(&mut &bytes[..]).ok()
					})
				})
				.unwrap_or_else(|| panic!("{}.{} cannot be decoded", pallet.name, call.name));
			calls.push((pallet.name.clone(), call.name.clone(), decoded));
		}
	}
	calls
}

/// Every kind of origin, by name.
fn origins() -> Vec<(String, RuntimeOrigin)> {
	[
		("Nobody".into(), RuntimeOrigin::none()),
		("Signed".into(), signed("alice")),
		("Root".into(), RuntimeOrigin::root()),
	]
	.into_iter()
	.chain(Origin::ALL.map(|origin| (format!("{origin:?}"), origin.into())))
	.collect()
}

/// Does `origin` get past the check of origins of `call`? Leaves no trace.
fn passes(call: &RuntimeCall, origin: RuntimeOrigin) -> bool {
	if matches!(call, RuntimeCall::System(frame_system::Call::set_code { .. })) {
		// Behind its check it asks an executor for the version of the code, which is not here.
		return frame_system::ensure_root(origin).is_ok();
	}
	let may_mint = frame_system::ensure_root(origin.clone()).is_ok();
	let result = with_transaction(|| {
		let issued = Balances::total_issuance();
		let result = call.clone().dispatch(origin).map_err(|error| error.error);
		assert!(may_mint || Balances::total_issuance() <= issued, "{call:?} creates PHA");
		TransactionOutcome::Rollback(Ok::<_, DispatchError>(result))
	});
	result.expect("one layer fits") != Err(DispatchError::BadOrigin)
}

/// `Pallet.call: origins that pass`, a line for each call.
fn table() -> Vec<String> {
	let line = |(pallet, name, call): (String, String, RuntimeCall)| {
		// Inherents panic where a block's author breaks their rules.
		let inherent = matches!(
			call,
			RuntimeCall::Timestamp(_)
				| RuntimeCall::ParachainSystem(
					cumulus_pallet_parachain_system::Call::set_validation_data { .. }
				)
		);
		let who = origins()
			.into_iter()
			.filter(|(origin, _)| !(inherent && origin == "Nobody"))
			.filter(|(_, origin)| passes(&call, origin.clone()))
			.map(|(origin, _)| origin);
		format!("{pallet}.{name}: {}", who.collect::<Vec<_>>().join(" "))
	};
	calls().into_iter().map(line).collect()
}

/// `access.txt` is the table that a reviewer agreed to. `PHALA_WRITE_ACCESS=1` writes it anew.
#[test]
fn each_call_is_open_to_those_of_the_table_and_to_nobody_else() {
	governed(|| {
		let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/governance/access.txt");
		// A seat for the account of the simplest arguments: who had none is refused before anybody asks who calls.
		let seat = AccountId::new([0; 32]);
		pallet_staking::EraInfo::<Runtime>::set_exposure(0, &seat, Default::default());
		let found = table();
		pallet_staking::ErasStakersOverview::<Runtime>::remove(0, seat);
		if std::env::var_os("PHALA_WRITE_ACCESS").is_some() {
			std::fs::write(file, found.join("\n") + "\n").expect("the file can be written");
		}
		let agreed = std::fs::read_to_string(file).expect("the table is there");
		let agreed: BTreeSet<_> = agreed.lines().collect();
		for line in &found {
			assert!(agreed.contains(line.as_str()), "not in the table: {line}");
		}
		assert_eq!(agreed.len(), found.len(), "the table has calls that the runtime has not");
	});
}

#[test]
fn what_passed_a_check_opens_two_calls_alone() {
	governed(|| {
		let origin = || RuntimeOrigin::from(Origin::GuardRail);
		let special = |call: &RuntimeCall| {
			passes(call, origin()) && !passes(call, Origin::SlashCanceller.into())
		};
		let names: Vec<_> = calls()
			.into_iter()
			.filter(|(_, _, call)| special(call))
			.map(|(pallet, name, _)| format!("{pallet}.{name}"))
			.collect();
		assert_eq!(names, ["Parameters.set_parameter", "TxPause.unpause"]);
	});
}

/// The calls whose weight grows with what they are given, with as much as they take.
fn heaviest() -> Vec<RuntimeCall> {
	let many = |count: u8| (0..count).map(|seed| AccountId::new([seed; 32])).collect::<Vec<_>>();
	let names = (0..16u8).map(|seed| {
		let name = vec![seed; 256];
		(name.clone().try_into().expect("it fits"), name.try_into().expect("it fits"))
	});
	vec![
		pallet_dao::Call::pause { calls: names.collect::<Vec<_>>().try_into().expect("they fit") }
			.into(),
		pallet_collator_selection::Call::set_invulnerables { new: many(20) }.into(),
		pallet_identity::Call::set_subs {
			subs: many(100).into_iter().map(|who| (who, Default::default())).collect(),
		}
		.into(),
		pallet_multisig::Call::approve_as_multi {
			threshold: 2,
			other_signatories: many(99),
			maybe_timepoint: None,
			call_hash: [0; 32],
			max_weight: Default::default(),
		}
		.into(),
		pallet_preimage::Call::note_preimage { bytes: vec![0; 3_500_000] }.into(),
		pallet_preimage::Call::ensure_updated { hashes: vec![Default::default(); 50] }.into(),
	]
}

/// A call that declares more than an extrinsic may weigh could never be included.
#[test]
fn every_call_fits_into_an_extrinsic() {
	use frame_support::dispatch::GetDispatchInfo;
	governed(|| {
		let limits = phala_runtime::configs::RuntimeBlockWeights::get();
		let simplest = calls().into_iter().map(|(_, _, call)| call);
		for call in simplest.chain(heaviest()) {
			let info = call.get_dispatch_info();
			let Some(limit) = limits.get(info.class).max_extrinsic else { continue };
			let weight = info.call_weight;
			let name = call.get_call_metadata();
			// A message that cannot be weighed, as these are, is refused by its weight.
			if name.pallet_name == "PolkadotXcm" && weight.ref_time() > u64::MAX - 1_000 {
				continue;
			}
			assert!(weight.all_lte(limit), "{name:?} weighs {weight:?} of {limit:?}");
		}
	});
}
