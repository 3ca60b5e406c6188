//! A chain to test on: the real runtime, real genesis, real inherents with a relay-chain state proof.

use codec::{Decode, Encode};
use cumulus_pallet_parachain_system::parachain_inherent::{
	InboundMessagesData, deconstruct_parachain_inherent_data,
};
use cumulus_primitives_core::{
	PersistedValidationData,
	relay_chain::{Slot, well_known_keys::CURRENT_BLOCK_RANDOMNESS},
};
use cumulus_primitives_parachain_inherent::ParachainInherentData;
use cumulus_test_relay_sproof_builder::RelayStateSproofBuilder;
use frame_support::traits::{TryState, TryStateSelect};
use phala_runtime::{constants::time::SLOT_DURATION, *};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_core::{Pair, sr25519};
use sp_io::TestExternalities;
use sp_runtime::{
	ApplyExtrinsicResult, Digest, DigestItem, MultiAddress,
	generic::{Era, Preamble},
	traits::{Block as _, Header as _},
};

/// Slot of the block before the first, unless a test begins at another time.
const EARLY: u64 = 1_000;
/// The relay chain is years old when the parachain starts.
const FIRST_HEIGHT: BlockNumber = 30_000_000;

/// A key pair of a name, unknown to anybody else.
pub fn pair(name: &str) -> sr25519::Pair {
	sr25519::Pair::from_string(&format!("//phala test//{name}"), None).expect("a sound path")
}

/// Account of [`pair`].
pub fn account(name: &str) -> AccountId {
	AccountId::from(pair(name).public().0)
}

/// JSON of a genesis with two collators and three holders, for the live composition.
pub fn genesis_json() -> serde_json::Value {
	use phala_runtime::constants::{accounts, currency::*};
	let collators = ["collator a", "collator b"];
	let holders = ["alice", "bob", "charlie"];
	let endowed = |name: &&str| (account(name), 1_000_000 * PHA);
	let mut balances: Vec<_> = collators.iter().chain(&holders).map(endowed).collect();
	let given: Balance = balances.iter().map(|(_, amount)| *amount).sum();
	balances.push((accounts::subsidy_pot(), MINING_SUBSIDY));
	balances.push((accounts::pools_pot(), EXISTENTIAL_DEPOSIT));
	let rest = TOTAL_SUPPLY - MINING_SUBSIDY - EXISTENTIAL_DEPOSIT - given;
	balances.push((accounts::treasury(), rest));
	let keys: Vec<_> = collators
		.iter()
		.map(|name| {
			let aura = AuraId::from(pair(name).public());
			(account(name), account(name), SessionKeys { aura })
		})
		.collect();

	let default =
		frame_support::genesis_builder_helper::get_preset::<RuntimeGenesisConfig>(&None, |_| None);
	let template = genesis_config_presets::get_preset(&"live".into()).expect("there is one");
	let mut json = parse(&default.expect("the default serialises"));
	json_patch::merge(&mut json, &parse(&template));
	json_patch::merge(
		&mut json,
		&serde_json::json!({
			"balances": { "balances": balances },
			"collatorSelection": { "invulnerables": collators.map(account) },
			"session": { "keys": keys },
		}),
	);
	json
}

fn parse(json: &[u8]) -> serde_json::Value {
	serde_json::from_slice(json).expect("a preset is JSON")
}

/// Runs `test` on a chain that started from [`genesis_json`], and then every check of its state.
pub fn run(test: impl FnOnce()) {
	run_at(EARLY * SLOT_DURATION / 1_000, test);
}

/// [`run`], on a chain that starts at this Unix second.
pub fn run_at(seconds: u64, test: impl FnOnce()) {
	start_at(seconds);
	let mut externalities = TestExternalities::default();
	externalities.execute_with(|| {
		phala_runtime::genesis::build_state(genesis_json().to_string().into_bytes())
			.expect("the genesis is sound");
	});
	externalities.commit_all().expect("the state is sound");
	externalities.execute_with(|| {
		test();
		check_state();
	});
}

/// Every invariant of every pallet, and those of the whole.
pub fn check_state() {
	AllPalletsWithSystem::try_state(System::block_number(), TryStateSelect::All)
		.expect("every pallet's state is sound");
	phala_runtime::invariants::check().expect("the money is sound");
}

/// Header under which the parent of the next block is known to the relay chain.
fn parent() -> Header {
	let number = System::block_number();
	let hash = System::parent_hash();
	Header::decode(
		&mut &Header::new(number, Default::default(), Default::default(), hash, Default::default())
			.encode()[..],
	)
	.expect("it was just encoded")
}

/// Header of the next block, and the inherents that it begins with.
pub fn next_block() -> (Header, Vec<UncheckedExtrinsic>) {
	let number = System::block_number() + 1;
	let slot = START.get() + u64::from(number);
	let parent =
		if number == 1 { parent() } else { LAST.take().expect("blocks follow each other").header };
	let digest = Digest { logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())] };
	let header = Header::new(number, Default::default(), Default::default(), parent.hash(), digest);

	let (relay_parent_storage_root, relay_chain_state, relay_parent_descendants) =
		RelayStateSproofBuilder {
			para_id: ParachainInfo::parachain_id(),
			current_slot: Slot::from(slot),
			included_para_head: Some(parent.encode().into()),
			additional_key_values: match DRAWS.get() {
				true => vec![(CURRENT_BLOCK_RANDOMNESS.to_vec(), Some(drawn(number)).encode())],
				false => vec![],
			},
			..Default::default()
		}
		.into_state_root_proof_and_descendants(0);
	let (data, downward, horizontal) = deconstruct_parachain_inherent_data(ParachainInherentData {
		validation_data: PersistedValidationData {
			parent_head: parent.encode().into(),
			// Tests may have set the clock ahead.
			relay_parent_number: (FIRST_HEIGHT + number)
				.max(ParachainSystem::last_relay_block_number() + 1),
			relay_parent_storage_root,
			max_pov_size: 10 * 1024 * 1024,
		},
		relay_chain_state,
		downward_messages: Default::default(),
		horizontal_messages: Default::default(),
		relay_parent_descendants,
		collator_peer_id: None,
	});
	let inherents: [RuntimeCall; 2] = [
		cumulus_pallet_parachain_system::Call::set_validation_data {
			data,
			inbound_messages_data: InboundMessagesData::new(
				downward.into_abridged(&mut usize::MAX.clone()),
				horizontal.into_abridged(&mut usize::MAX.clone()),
			),
		}
		.into(),
		pallet_timestamp::Call::set { now: slot * SLOT_DURATION }.into(),
	];
	(header, inherents.into_iter().map(UncheckedExtrinsic::new_bare).collect())
}

/// Builds the next block out of the inherents and `extrinsics`, and returns their results.
pub fn block(extrinsics: Vec<UncheckedExtrinsic>) -> Vec<ApplyExtrinsicResult> {
	let (header, mut body) = next_block();
	Executive::initialize_block(&header);
	for inherent in &body {
		Executive::apply_extrinsic(inherent.clone())
			.expect("an inherent is valid")
			.expect("an inherent succeeds");
	}
	let results = extrinsics.iter().cloned().map(Executive::apply_extrinsic).collect();
	body.extend(extrinsics);
	built(Block::new(Executive::finalize_block(), body));
	results
}

/// The next block follows this one.
pub fn built(block: Block) {
	LAST.set(Some(block));
}

/// Lets the block after genesis be at this Unix second.
pub fn start_at(seconds: u64) {
	START.set(seconds * 1_000 / SLOT_DURATION);
}

/// The block that [`block`] built last.
pub fn last_block() -> Block {
	let block = LAST.take().expect("a block was built");
	LAST.set(Some(block.clone()));
	block
}

/// What the relay chain draws in the block that block `number` builds on.
fn drawn(number: BlockNumber) -> Hash {
	sp_io::hashing::blake2_256(&number.encode()).into()
}

/// Lets `blocks` of the relay chain, and their time, pass without one of ours.
pub fn skip(blocks: BlockNumber) {
	let height = ParachainSystem::last_relay_block_number() + blocks;
	cumulus_pallet_parachain_system::LastRelayChainBlockNumber::<Runtime>::put(height);
	START.set(START.get() + u64::from(blocks));
}

/// Whether the relay chain draws, or its author hides it.
pub fn set_draws(draws: bool) {
	DRAWS.set(draws);
}

thread_local! {
	static DRAWS: std::cell::Cell<bool> = const { std::cell::Cell::new(true) };
	static LAST: std::cell::Cell<Option<Block>> = const { std::cell::Cell::new(None) };
	/// Slot of the block before the first.
	static START: std::cell::Cell<u64> = const { std::cell::Cell::new(EARLY) };
}

/// A signed, immortal extrinsic with the signer's next nonce.
pub fn signed(who: &str, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
	signed_with(who, System::account_nonce(account(who)), 0, call.into())
}

/// A signed, immortal extrinsic.
pub fn signed_with(who: &str, nonce: Nonce, tip: Balance, call: RuntimeCall) -> UncheckedExtrinsic {
	signed_by(&pair(who), nonce, tip, call)
}

/// A signed, immortal extrinsic of whoever has these keys.
pub fn signed_by(
	pair: &sr25519::Pair,
	nonce: Nonce,
	tip: Balance,
	call: RuntimeCall,
) -> UncheckedExtrinsic {
	let extension = extension(nonce, tip);
	let payload = sp_runtime::generic::SignedPayload::new(call.clone(), extension.clone())
		.expect("the extensions have their implicit data");
	let signature = payload.using_encoded(|bytes| pair.sign(bytes));
	let address = MultiAddress::Id(AccountId::from(pair.public().0));
	UncheckedExtrinsic::from_parts(
		call,
		Preamble::Signed(address, Signature::Sr25519(signature), extension),
	)
}

/// A transaction without a signature, which its pallet has to authorize.
pub fn general(call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call.into(), extension(0, 0))
}

fn extension(nonce: Nonce, tip: Balance) -> TxExtension {
	(
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(tip),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
	)
		.into()
}
