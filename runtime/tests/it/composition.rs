//! The boring truths: what an upgrade breaks silently when nobody looks.

use crate::chain::{account, run};
use frame_support::{
	dispatch::DispatchClass,
	traits::{Get, GetCallMetadata, PalletsInfoAccess, StorageInfoTrait},
};
use phala_runtime::{
	configs::{RuntimeBlockLength, RuntimeBlockWeights, xcm::LocationToAccountId},
	constants::{currency::*, time::*},
	*,
};
use sp_core::crypto::Ss58Codec;
use xcm::latest::prelude::*;
use xcm_executor::traits::ConvertLocation;

/// Every pallet's name, which is its storage prefix, and index. A line may be added; none may change.
const PALLETS: &[(&str, usize)] = &[
	("System", 0),
	("ParachainSystem", 1),
	("Timestamp", 2),
	("ParachainInfo", 3),
	("WeightReclaim", 4),
	("RelayRandomness", 5),
	("Balances", 10),
	("TransactionPayment", 11),
	("Vesting", 12),
	// 15 is Sudo, in the development composition only.
	("Authorship", 20),
	("CollatorSelection", 21),
	("Session", 22),
	("Aura", 23),
	("AuraExt", 24),
	("XcmpQueue", 30),
	("PolkadotXcm", 31),
	("CumulusXcm", 32),
	("MessageQueue", 33),
	("Utility", 40),
	("Multisig", 41),
	("Proxy", 42),
	("Identity", 43),
	// Its hooks run before the scheduler's.
	("Dao", 49),
	("Preimage", 50),
	("Scheduler", 51),
	("Referenda", 52),
	("ConvictionVoting", 53),
	("Whitelist", 54),
	("Treasury", 55),
	("Bounties", 56),
	("ChildBounties", 57),
	("FellowshipCollective", 58),
	("FellowshipCore", 59),
	("FellowshipReferenda", 60),
	("Parameters", 61),
	("SafeMode", 65),
	("TxPause", 66),
	("Staking", 70),
	("VoterList", 71),
	("GatekeeperElection", 72),
	("GatekeeperKeys", 73),
	("WorkerRegistry", 80),
	// Its hook runs before that of mining, which reports to it.
	("Slashing", 81),
	("Mining", 82),
	("StakePools", 83),
	("MultiBlockMigrations", 98),
];

#[test]
fn pallets_have_their_names_and_indices() {
	let infos = AllPalletsWithSystem::infos();
	let found: Vec<_> = infos.iter().map(|info| (info.name, info.index)).collect();
	assert_eq!(found, PALLETS);
}

#[test]
fn live_composition_has_no_sudo() {
	assert!(AllPalletsWithSystem::infos().iter().all(|info| info.module_name != "pallet_sudo"));
	assert!(!RuntimeCall::get_module_names().contains(&"Sudo"));
}

#[test]
fn storage_prefix_is_the_name() {
	let infos = AllPalletsWithSystem::storage_info();
	assert!(infos.len() > 100);
	for info in infos {
		let name = String::from_utf8(info.pallet_name).expect("a name is text");
		assert!(PALLETS.iter().any(|(pallet, _)| *pallet == name), "{name}");
		assert!(info.prefix.starts_with(&sp_io::hashing::twox_128(name.as_bytes())), "{name}");
	}
}

#[test]
fn money_is_pha() {
	assert_eq!(PHA, 1_000_000_000_000);
	assert_eq!(
		<<Runtime as pallet_balances::Config>::ExistentialDeposit as Get<Balance>>::get(),
		PHA / 100
	);
	assert_eq!(<<Runtime as frame_system::Config>::SS58Prefix as Get<u16>>::get(), 30);
	let address = AccountId::new([0; 32]).to_ss58check_with_version(30u16.into());
	assert!(address.starts_with('3') || address.starts_with('4'), "{address}");
}

#[test]
fn live_periods_are_the_live_ones() {
	assert_eq!(SESSION_PERIOD, 6 * HOURS);
	assert_eq!(SAFE_MODE_DURATION, DAYS);
	assert_eq!(HOURS, 600);
	assert_eq!(
		<<Runtime as pallet_collator_selection::Config>::MinEligibleCollators as Get<u32>>::get(),
		4
	);
	assert_eq!(
		<<Runtime as pallet_collator_selection::Config>::KickThreshold as Get<BlockNumber>>::get()
			% SESSION_PERIOD,
		0
	);
	assert!(<<Runtime as frame_system::Config>::BlockHashCount as Get<BlockNumber>>::get() >= 4096);
}

#[test]
fn blocks_have_two_seconds_and_the_whole_proof() {
	let weights = RuntimeBlockWeights::get();
	assert_eq!(weights.max_block.ref_time(), 2_000_000_000_000);
	assert_eq!(
		weights.max_block.proof_size(),
		u64::from(cumulus_primitives_core::relay_chain::MAX_POV_SIZE)
	);
	let normal = weights.get(DispatchClass::Normal).max_total.expect("it is limited");
	assert_eq!(normal, weights.max_block * 3 / 4);
	let operational = weights.get(DispatchClass::Operational);
	assert_eq!(operational.reserved, Some(weights.max_block / 4));

	let length = RuntimeBlockLength::get();
	assert_eq!(*length.max.get(DispatchClass::Operational), 5 * 1024 * 1024);
	assert_eq!(*length.max.get(DispatchClass::Normal), 5 * 1024 * 1024 / 4 * 3);
}

#[test]
fn calls_stay_small() {
	// Calls are moved about by value, and a queue holds many of them.
	assert!(size_of::<RuntimeCall>() <= 256, "RuntimeCall has {} bytes", size_of::<RuntimeCall>());
}

#[test]
fn locations_have_their_accounts() {
	run(|| {
		let of = |location: Location| {
			LocationToAccountId::convert_location(&location)
				.map(|account| hex::encode(AsRef::<[u8]>::as_ref(&account)))
				.expect("every location of the table has an account")
		};
		// "Parent", and "sibl" with the id, each padded with zeros.
		let parent = format!("{:0<64}", hex::encode("Parent"));
		assert_eq!(of(Location::parent()), parent);
		let sibling = format!("{:0<64}", format!("{}e8030000", hex::encode("sibl")));
		assert_eq!(of(Location::new(1, [Parachain(1_000)])), sibling);
		let id = [7; 32];
		let local = Location::new(0, [AccountId32 { network: None, id }]);
		assert_eq!(of(local), hex::encode(id));
		let remote = Location::new(1, [Parachain(1_000), AccountId32 { network: None, id }]);
		assert_ne!(of(remote), hex::encode(id));
	});
}

#[test]
fn blocks_are_built_and_sessions_turn() {
	run(|| {
		for _ in 0..3 {
			crate::chain::block(vec![]);
		}
		assert_eq!(System::block_number(), 3);
		let author = pallet_authorship::Pallet::<Runtime>::author();
		let collators = [account("collator a"), account("collator b")];
		assert!(author.is_none_or(|author| collators.contains(&author)));
		assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), 2);
	});
}

#[test]
fn runtime_is_reachable_through_view_functions_and_metadata() {
	run(|| {
		let versions = Runtime::metadata_versions();
		assert!(versions.contains(&15) && versions.contains(&16), "{versions:?}");
		for version in versions.into_iter().filter(|version| *version >= 14) {
			assert!(Runtime::metadata_at_version(version).is_some());
		}
	});
}
