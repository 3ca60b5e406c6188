//! The real runtime against what this program reads, signs and sends when it mines.

mod node;
mod runtime;

use codec::Decode;
use frame_support::{
	assert_ok,
	dispatch::DispatchResult,
	storage::{TransactionOutcome, storage_prefix, unhashed, with_transaction},
	traits::{Hooks, fungible::Mutate},
	weights::WeightMeter,
};
use pallet_worker_registry::types as registry;
use phala_attestation::{Role, TcbStatus, Tier};
use phala_primitives::{BlockRef, ChainId, Mining as _, PlatformId, WorkerKey};
use phala_runtime::{
	Balances, Executive, Mining, ParachainInfo, Runtime, RuntimeEvent, RuntimeOrigin, System,
	UncheckedExtrinsic, WorkerRegistry, constants::currency::PHA,
};
use phala_worker::mining::book::Answer;
use sp_core::{H256, Pair, sr25519};
use sp_io::TestExternalities;
use sp_runtime::{
	DispatchError,
	traits::TrailingZeroInput,
	transaction_validity::{TransactionSource, TransactionValidity, TransactionValidityError},
};
use subxt::Metadata;

const SCORE: u64 = 1_000;
const STAKE: u128 = 2_000 * PHA;
const RELAY: u32 = 30_000_000;
/// Number of the pool, which needs no other existence here.
const POOL: u32 = 0;
const PARA: u32 = 2_035;

fn metadata() -> Metadata {
	// Some constants are read from storage.
	let metadata = TestExternalities::default()
		.execute_with(|| Runtime::metadata_at_version(16))
		.expect("the runtime has metadata V16");
	Metadata::decode_from(&metadata).expect("subxt reads it")
}

fn pair() -> sr25519::Pair {
	sr25519::Pair::from_seed(&[7; 32])
}

fn worker() -> WorkerKey {
	pair().public()
}

fn hash(number: u32) -> H256 {
	H256::from_low_u64_be(1_000 + u64::from(number))
}

/// The next block, one relay-chain block later: mining's hook runs, and a pool does `then`.
fn block(then: impl FnOnce() -> DispatchResult) {
	let number = System::block_number() + 1;
	frame_system::BlockHash::<Runtime>::insert(number - 1, hash(number - 1));
	System::set_block_number(number);
	System::reset_events();
	let relay = storage_prefix(b"ParachainSystem", b"LastRelayChainBlockNumber");
	unhashed::put(&relay, &(RELAY + number));
	Mining::on_poll(number, &mut WeightMeter::new());
	assert_ok!(then());
}

fn blocks(count: u32) {
	(0..count).for_each(|_| block(|| Ok(())));
}

fn top_up() -> DispatchResult {
	Mining::top_up(&worker(), PHA)
}

/// A chain on which the worker is attested, with this score, and mines.
fn begin(score: u64) {
	unhashed::put(&storage_prefix(b"ParachainInfo", b"ParachainId"), &PARA);
	assert_ok!(Balances::mint_into(&Mining::pot(), 700_000_000 * PHA));
	blocks(1);
	attest(score);
	block(|| Mining::start(&worker(), POOL, STAKE));
}

fn attest(score: u64) {
	let measurement = H256::repeat_byte(1);
	let record = registry::MeasurementRecord {
		role: Role::Worker,
		active_from: 0,
		sunset: None,
		provenance: Default::default(),
	};
	assert_ok!(WorkerRegistry::set_measurement(RuntimeOrigin::root(), measurement, record));
	let zeros = TrailingZeroInput::zeroes;
	let record = registry::Worker {
		operator: [9; 32].into(),
		encryption_key: [2; 32],
		role: Role::Worker,
		measurement,
		platform: PlatformId::repeat_byte(3),
		evidence: Decode::decode(&mut zeros()).expect("zeros are evidence"),
		judgement: registry::Judgement {
			status: TcbStatus::UpToDate,
			tier: Tier::One,
			expires_at: 1_000_000,
		},
		attested_at: 0,
		appraised_at: 0,
		standing: registry::Standing::Attested,
		score: Some(registry::Score { value: score, started_at: 0 }),
		endpoint: None,
		endpoint_sequence: 0,
		offered_to: None,
		deposit: Decode::decode(&mut zeros()).expect("zeros are a deposit"),
	};
	pallet_worker_registry::Workers::<Runtime>::insert(worker(), record);
}

fn chain_id() -> ChainId {
	ChainId { genesis: hash(0), para_id: ParachainInfo::parachain_id().into() }
}

/// What the pool says.
fn judged(extrinsic: &UncheckedExtrinsic) -> TransactionValidity {
	with_transaction(|| {
		// As in a block that follows the present one; nothing of it stays.
		let parent = hash(System::block_number());
		let source = TransactionSource::External;
		let verdict = Executive::validate_transaction(source, extrinsic.clone(), parent);
		TransactionOutcome::Rollback(Ok::<_, DispatchError>(verdict))
	})
	.expect("there is room for a transaction")
}
