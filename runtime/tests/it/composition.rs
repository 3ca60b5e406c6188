//! The boring truths: what an upgrade breaks silently when nobody looks.

use crate::chain::{account, run};
use frame_support::{
	dispatch::DispatchClass,
	traits::{Get, GetCallMetadata, PalletsInfoAccess, StorageInfoTrait},
};
use phala_runtime::{
	configs::{RuntimeBlockLength, RuntimeBlockWeights, xcm::LocationToAccountId},
	constants::{
		accounts, attestation::MIN_MILLIS_PER_BLOCK, consensus::*, currency::*, gatekeepers::*,
		market::*, time::*,
	},
	*,
};
use sp_core::crypto::Ss58Codec;
use sp_runtime::traits::TransactionExtension;
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
	assert_eq!((ROUND, MAX_SILENCE, CHANGE_INTERVAL), (6 * HOURS, DAYS, 7 * DAYS));
	assert_eq!((SLASHING_ERA, EVIDENCE_WINDOW, OFFENCE_RETENTION), (DAYS, 3 * DAYS, 84 * DAYS));
	assert_eq!((SEATS, MIN_SEATS, SESSIONS_PER_ERA), (16, 7, 4));
	assert_eq!((MIN_SELF_BOND, MIN_NOMINATION), (10_000 * PHA, 100 * PHA));
	let minutes = [COMMIT_PERIOD, SHARE_PERIOD, COMPLAIN_PERIOD, KEEP_PERIOD, RETRY_DELAY];
	assert_eq!(minutes, [10, 10, 10, 60, 30].map(|count| count * MINUTES));
	let days = [REFRESH_PERIOD, RETIREMENT_PERIOD, ABSENCE_PERIOD];
	assert_eq!(days, [14, 1, 1].map(|count| count * DAYS));
	assert_eq!(MIN_MILLIS_PER_BLOCK, SLOT_DURATION);
	// Of the development composition alone.
	type Root = <Runtime as pallet_worker_registry::Config>::AllowDevelopmentRoot;
	type Epoch = <Runtime as pallet_relay_randomness::Config>::AllowEpoch;
	assert!(!<Root as Get<bool>>::get() && !<Epoch as Get<bool>>::get());
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
fn a_block_comes_with_each_slot_of_the_relay_chain() {
	assert_eq!((BLOCK_PROCESSING_VELOCITY, RELAY_PARENT_OFFSET), (1, 0));
	assert_eq!(UNINCLUDED_SEGMENT_CAPACITY, 3);
	assert_eq!(SLOT_DURATION, u64::from(RELAY_CHAIN_SLOT_DURATION_MILLIS));
}

/// A call that its pallet vouches for is authorised before anything asks who signed it.
#[test]
fn transactions_are_checked_in_this_order() {
	let extensions = <TxExtension as TransactionExtension<RuntimeCall>>::metadata();
	let found: Vec<_> = extensions.iter().map(|extension| extension.identifier).collect();
	let expected = [
		"AuthorizeCall",
		"CheckNonZeroSender",
		"CheckSpecVersion",
		"CheckTxVersion",
		"CheckGenesis",
		"CheckMortality",
		"CheckNonce",
		"CheckWeight",
		"ChargeTransactionPayment",
		"CheckMetadataHash",
		// Around all the others.
		"StorageWeightReclaim",
	];
	assert_eq!(found, expected);
}

/// A node finds an API by the hash of its name, and does without some if they are not there.
#[test]
fn nodes_and_clients_find_their_apis() {
	let lacks = |name: &str| {
		let wanted = sp_crypto_hashing::blake2_64(name.as_bytes());
		!VERSION.apis.iter().any(|(id, _)| *id == wanted)
	};
	let missing = [
		"Core",
		"Metadata",
		"BlockBuilder",
		"TaggedTransactionQueue",
		"OffchainWorkerApi",
		"SessionKeys",
		"AuraApi",
		"AuthorityDiscoveryApi",
		"AuraUnincludedSegmentApi",
		"CollectCollationInfo",
		"GetParachainInfo",
		"RelayParentOffsetApi",
		"SchedulingV3EnabledApi",
		"TargetBlockRate",
		"AccountNonceApi",
		"TransactionPaymentApi",
		"TransactionPaymentCallApi",
		"GenesisBuilder",
		"RuntimeViewFunction",
		"DryRunApi",
		"XcmPaymentApi",
		"LocationToAccountApi",
		"TrustedQueryApi",
		"AuthorizedAliasersApi",
	]
	.into_iter()
	.filter(|name| lacks(name));
	assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
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

/// What they own would stay behind if a name changed.
#[test]
fn pots_have_their_accounts() {
	let of = |id: &[u8; 8]| {
		AccountId::new(*[&b"modl"[..], id, &[0; 20]].concat().first_chunk().expect("32 bytes"))
	};
	assert_eq!(accounts::treasury(), of(b"py/trsry"));
	assert_eq!(accounts::subsidy_pot(), of(b"pha/subs"));
	assert_eq!(accounts::pools_pot(), of(b"pha/pool"));
	let all = [b"py/trsry", b"pha/subs", b"pha/resv", b"pha/pool", b"pha/gate", b"PotStake"];
	assert_eq!(accounts::non_voting(), all.map(of));
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
