//! The program's other world, over the same node: it attests, as a proxy of the operator.

use super::Node;
use crate::{PARA, hash, metadata};
use codec::DecodeAll;
use frame_support::{
	assert_ok,
	dispatch::Pays,
	storage::{storage_prefix, unhashed},
	traits::fungible::Mutate,
};
use pallet_worker_registry::{CurrentPolicy, DevelopmentRoot, types as registry};
use phala_attestation::{PckCaKind, Role, Tee, TrustRoot};
use phala_dev_pki::{
	Collateral, CollateralOptions, Pki, Platform, QuoteKind, QuoteRequest, QuotingEnclave,
	Validity, development_root_der,
};
use phala_node_common::{
	chain::{Account, STALL},
	keystore::Keys,
	metrics::Registry,
	seal::Sealer,
	shutdown,
	tee::{self, QuoteProvider, Simulated, TeeError},
};
use phala_runtime::{
	AccountId, Address, Balances, Proxy, Runtime, RuntimeCall, RuntimeOrigin, System,
	UncheckedExtrinsic, WorkerRegistry,
	configs::ProxyType,
	constants::currency::{EXISTENTIAL_DEPOSIT, PHA},
};
use phala_worker::{
	collateral::{self, Source},
	engine::{Prepared, World},
	journal::{Item, Journal, Purpose},
	metrics::Metrics,
	mining::kernel::Machine,
	plan::{Action, Wish},
	settings::SIMULATED_PROGRAM,
	world::{Own, Real, WorldError},
};
use sp_core::{H256, Pair, sr25519};
use sp_runtime::traits::Dispatchable;
use std::{path::Path, sync::Arc};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
/// In force from the beginning.
const NUMBER: u32 = 20;
/// Address of //Alice.
const OPERATOR: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// Signs and pays, as a proxy.
fn account() -> Account {
	let pair = sr25519::Pair::from_string("//Bob", None).unwrap();
	Account::new(pair).proxy_of(OPERATOR).unwrap()
}

fn simulated() -> Simulated {
	Simulated::new(Tee::Tdx, SIMULATED_PROGRAM, 0).unwrap()
}

/// A chain that trusts the development PKI, allows the simulated image, and has no collateral.
fn trusting() {
	unhashed::put(&storage_prefix(b"ParachainInfo", b"ParachainId"), &PARA);
	unhashed::put(&storage_prefix(b"Timestamp", b"Now"), &(NOW * 1_000));
	unhashed::put(&storage_prefix(b"System", b"ParentHash"), &hash(1));
	for number in 0..2u32 {
		frame_system::BlockHash::<Runtime>::insert(number, hash(number));
	}
	System::set_block_number(2);
	CurrentPolicy::<Runtime>::put(registry::Policy::default());
	DevelopmentRoot::<Runtime>::put(TrustRoot::from_der(development_root_der()).unwrap());
	activate(NUMBER);
	let image = tee::quote(&simulated(), &[0; 64]).unwrap().measurement;
	let record = registry::MeasurementRecord {
		role: Role::Worker,
		active_from: 0,
		sunset: None,
		provenance: Default::default(),
	};
	assert_ok!(WorkerRegistry::set_measurement(RuntimeOrigin::root(), H256(image), record));
	let proxy = AccountId::from(account().signer().0);
	for account in [proxy, operator()] {
		assert_ok!(Balances::mint_into(&account, 1_000 * PHA));
	}
	delegate();
}

fn operator() -> AccountId {
	account().acting().0.into()
}

/// The operator takes the account for its proxy.
fn delegate() {
	let (operator, proxy) = (RuntimeOrigin::signed(operator()), account().signer().0.into());
	assert_ok!(Proxy::add_proxy(operator, Address::Id(proxy), ProxyType::NonTransfer, 0));
}

fn activate(number: u32) {
	assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), number));
}

/// Collateral of the development PKI, issued at a second, for 29 days from then.
fn issued(number: u32, at: u64) -> Collateral {
	let platform = Platform::development(0);
	let mut options = CollateralOptions::for_platform(&platform, phala_dev_pki::Tee::Tdx);
	options.tcb_info.tcb_evaluation_data_number = number;
	options.qe_identity.tcb_evaluation_data_number = number;
	Pki::development().issue_collateral(at, &options).unwrap()
}

/// A source that has this.
fn file(folder: &Path, collateral: &Collateral) -> Source {
	let path = folder.join("collateral.json");
	std::fs::write(&path, serde_json::to_vec(collateral).unwrap()).unwrap();
	Source::File(path)
}

/// Somebody brings an item to the chain.
fn bring(node: &Node, collateral: &Collateral, item: Item) {
	let call = collateral::call(collateral, item, PckCaKind::Platform).unwrap();
	let bytes = call.encode(&metadata()).unwrap();
	include(node, RuntimeCall::decode_all(&mut &bytes[..]).unwrap());
}

/// Executes a call of the proxy. Whether its fee is kept.
fn include(node: &Node, call: RuntimeCall) -> Pays {
	let proxy = AccountId::from(account().signer().0);
	node.with(move |_| call.dispatch(RuntimeOrigin::signed(proxy)).unwrap().pays_fee)
}

async fn program(
	node: &Node,
	folder: &Path,
	tee: impl QuoteProvider + 'static,
	source: Source,
) -> Real {
	let chain = node.chain().await;
	let own = Own {
		role: Role::Worker,
		tee: Arc::new(tee),
		keys: Keys::open(folder, &Sealer::Plain(folder.into()), &chain.id()).unwrap(),
		account: account(),
		source,
		journal: Journal::new(folder),
		threads: 1,
		machine: Machine::default(),
		metrics: Metrics::new(&Registry::new()).unwrap(),
		shutdown: shutdown::pair().1,
	};
	Real::new(own, chain, Wish::default())
}

/// What the program would send next, in order to register.
async fn next(real: &mut Real) -> Result<(Purpose, RuntimeCall), WorldError> {
	let view = real.look().await?;
	match real.prepare(&Action::Register, &view).await? {
		Prepared::Transaction(pending) => {
			let bytes = &pending.signed.bytes;
			let extrinsic = UncheckedExtrinsic::decode_all(&mut &bytes[..]).unwrap();
			Ok((pending.purpose, extrinsic.function))
		}
		Prepared::NoGain => panic!("it is not registered"),
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_brings_collateral_by_itself_and_gets_its_fee_back() {
	let (node, folder) = (Node::start_with(trusting), tempfile::tempdir().unwrap());
	let mut real = program(&node, folder.path(), simulated(), Source::Simulated).await;
	for item in Item::ALL {
		let (purpose, call) = next(&mut real).await.unwrap();
		assert_eq!(purpose, Purpose::Collateral(item));
		assert!(matches!(call, RuntimeCall::WorkerRegistry(_)), "{call:?}");
		assert_eq!(include(&node, call), Pays::No);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn no_document_is_brought_that_is_below_the_number_on_chain() {
	let (node, folder) = (Node::start_with(trusting), tempfile::tempdir().unwrap());
	let default = issued(NUMBER, NOW);
	for item in Item::ALL {
		bring(&node, &default, item);
	}
	node.with(|_| activate(NUMBER + 1));
	// It ends in half an hour, and nobody dates it anew.
	bring(&node, &issued(NUMBER + 1, NOW + 1_800 - 29 * DAY), Item::QeIdentity);

	let source = file(folder.path(), &default);
	let mut real = program(&node, folder.path(), simulated(), source).await;
	let refused = next(&mut real).await.unwrap_err();
	assert!(refused.to_string().contains("CollateralExpiresSoon"), "{refused}");

	// A source that serves the number in force mends it.
	let mut real = program(&node, folder.path(), simulated(), Source::Simulated).await;
	for item in [Item::TcbInfo, Item::QeIdentity] {
		let (purpose, call) = next(&mut real).await.unwrap();
		assert_eq!(purpose, Purpose::Collateral(item));
		assert_eq!(include(&node, call), Pays::No);
	}
}

/// A machine whose CA has got another key.
struct Rekeyed(QuotingEnclave);

impl QuoteProvider for Rekeyed {
	fn tee(&self) -> Tee {
		Tee::Tdx
	}

	fn raw_quote(&self, report_data: &[u8; 64]) -> Result<Vec<u8>, TeeError> {
		let request = QuoteRequest::new(QuoteKind::TdxV4, *report_data).program(SIMULATED_PROGRAM);
		Ok(self.0.quote(&request))
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pck_ca_is_brought_once_and_its_list_after_it() {
	let (node, folder) = (Node::start_with(trusting), tempfile::tempdir().unwrap());
	for item in Item::ALL {
		bring(&node, &issued(NUMBER, NOW), item);
	}
	let (source, machine) = rekeyed(folder.path());
	let mut real = program(&node, folder.path(), machine, source).await;

	let (purpose, certificate) = next(&mut real).await.unwrap();
	assert_eq!(purpose, Purpose::Collateral(Item::PckCa));
	// Whatever became of it: it would be paid for again.
	let refused = next(&mut real).await.unwrap_err();
	assert!(refused.to_string().contains("OtherPckCa"), "{refused}");
	include(&node, certificate);
	let (purpose, list) = next(&mut real).await.unwrap();
	assert_eq!(purpose, Purpose::Collateral(Item::PckCrl));
	assert_eq!(include(&node, list), Pays::No);
}

/// A source and a machine after the CA has got another key.
fn rekeyed(folder: &Path) -> (Source, Rekeyed) {
	let (platform, mut pki) = (Platform::development(0), Pki::development());
	let validity = Validity { not_before: NOW - DAY, ..Validity::DEVELOPMENT };
	pki.succeed_pck_ca(platform.ca, validity, true).unwrap();
	let options = CollateralOptions::for_platform(&platform, phala_dev_pki::Tee::Tdx);
	let source = file(folder, &pki.issue_collateral(NOW, &options).unwrap());
	(source, Rekeyed(pki.quoting_enclave(&platform).unwrap()))
}

/// The old key's list runs out, and the new key's is refused without its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_pck_ca_comes_before_its_list() {
	let (node, folder) = (Node::start_with(trusting), tempfile::tempdir().unwrap());
	for item in Item::ALL {
		let at = if item == Item::PckCrl { NOW - 25 * DAY } else { NOW };
		bring(&node, &issued(NUMBER, at), item);
	}
	let (source, machine) = rekeyed(folder.path());
	let mut real = program(&node, folder.path(), machine, source).await;
	for item in [Item::PckCa, Item::PckCrl] {
		let (purpose, call) = next(&mut real).await.unwrap();
		assert_eq!(purpose, Purpose::Collateral(item));
		include(&node, call);
	}
	assert_eq!(next(&mut real).await.unwrap().0, Purpose::Register);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_in_force_is_brought_before_the_lower_one_ends() {
	let (node, folder) = (Node::start_with(trusting), tempfile::tempdir().unwrap());
	for item in Item::ALL {
		bring(&node, &issued(NUMBER, NOW), item);
	}
	node.with(|_| activate(NUMBER + 1));
	let mut real = program(&node, folder.path(), simulated(), Source::Simulated).await;
	for item in [Item::TcbInfo, Item::QeIdentity] {
		let (purpose, call) = next(&mut real).await.unwrap();
		assert_eq!(purpose, Purpose::Collateral(item));
		assert_eq!(include(&node, call), Pays::No);
	}
	assert_eq!(next(&mut real).await.unwrap().0, Purpose::Register);
}

/// What the view function does not ask, and what would cost a fee each time.
#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_would_fail_is_not_sent() {
	let (node, folder) = (Node::start_with(trusting), tempfile::tempdir().unwrap());
	for item in Item::ALL {
		bring(&node, &issued(NUMBER, NOW), item);
	}
	let mut real = program(&node, folder.path(), simulated(), Source::Simulated).await;

	node.with(|_| Balances::set_balance(&operator(), EXISTENTIAL_DEPOSIT));
	let refused = next(&mut real).await.unwrap_err();
	assert_eq!(refused.kind(), "refused");
	let words = refused.to_string();
	assert!(words.contains("Token/FundsUnavailable"), "{words}");
	assert!(words.contains(&format!("Send PHA to {OPERATOR}")), "{words}");

	node.with(|_| {
		Balances::set_balance(&operator(), 1_000 * PHA);
		assert_ok!(Proxy::remove_proxies(RuntimeOrigin::signed(operator())));
	});
	let refused = next(&mut real).await.unwrap_err().to_string();
	assert!(refused.contains("NotProxy"), "{refused}");

	node.with(|_| delegate());
	assert_eq!(next(&mut real).await.unwrap().0, Purpose::Register);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stands_still_is_noticed() {
	let (node, folder) = (Node::start_with(trusting), tempfile::tempdir().unwrap());
	let mut real = program(&node, folder.path(), simulated(), Source::Simulated).await;
	real.look().await.unwrap();
	tokio::time::advance(STALL).await;
	real.look().await.unwrap();
	tokio::time::advance(STALL).await;
	let stalled = real.look().await.unwrap_err();
	assert!(stalled.is_of_connection(), "{stalled}");
	assert!(stalled.to_string().contains("no new finalised block"), "{stalled}");

	// The next one gets as long, and a block is enough.
	real.reconnect(node.chain().await);
	real.look().await.unwrap();
	tokio::time::advance(2 * STALL).await;
	node.with(|_| System::set_block_number(3));
	real.look().await.unwrap();
}
