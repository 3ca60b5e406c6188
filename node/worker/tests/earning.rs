//! The real runtime against what this program reads, signs and sends when it mines.

use codec::{Decode, DecodeAll, Encode};
use frame_support::{
	assert_ok,
	dispatch::DispatchResult,
	storage::{storage_prefix, unhashed},
	traits::{Hooks, fungible::Mutate},
	view_functions::ViewFunctionId,
	weights::WeightMeter,
};
use pallet_mining::{
	Event,
	types::{EndReason, MissReason},
};
use pallet_worker_registry::types as registry;
use phala_attestation::{Role, TcbStatus, Tier};
use phala_node_common::chain::{Shape, missing, view};
use phala_primitives::{BlockRef, ChainId, Mining as _, PlatformId, WorkerKey};
use phala_runtime::{
	Balances, Executive, Mining, ParachainInfo, Runtime, RuntimeEvent, RuntimeOrigin, System,
	UncheckedExtrinsic, WorkerRegistry, constants::currency::PHA,
};
use phala_worker::mining::{
	book::Answer,
	news::News,
	pallet::{self, PALLET, SHAPE, SessionState},
	plan::{Challenge, Open},
	position::Reason,
};
use sp_core::{H256, Pair, sr25519};
use sp_io::TestExternalities;
use sp_runtime::{
	traits::TrailingZeroInput,
	transaction_validity::{
		InvalidTransaction, TransactionPriority, TransactionSource, TransactionValidityError,
		UnknownTransaction,
	},
};
use subxt::{
	Metadata,
	ext::{
		frame_decode::view_functions::IntoEncodableValues, scale_decode::DecodeAsType,
		scale_value::Value,
	},
};

const SCORE: u64 = 1_000;
const STAKE: u128 = 2_000 * PHA;
const RELAY: u32 = 30_000_000;
/// Number of the pool, which needs no other existence here.
const POOL: u32 = 0;

fn metadata() -> Metadata {
	// Some constants are read from storage: not from that of the test.
	let metadata = std::thread::spawn(|| {
		TestExternalities::default().execute_with(|| Runtime::metadata_at_version(16))
	});
	let metadata = metadata.join().unwrap().expect("the runtime has metadata V16");
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

/// A chain on which the worker is attested and mines.
fn mining(test: impl FnOnce(&Metadata)) {
	let metadata = metadata();
	TestExternalities::default().execute_with(|| {
		block(|| {
			assert_ok!(Balances::mint_into(&Mining::pot(), 700_000_000 * PHA));
			Ok(())
		});
		attest();
		block(|| Mining::start(&worker(), POOL, STAKE));
		System::reset_events();
		test(&metadata);
	});
}

fn attest() {
	let measurement = H256::repeat_byte(1);
	let record = registry::MeasurementRecord {
		role: Role::Worker,
		active_from: 0,
		sunset: None,
		provenance: Default::default(),
	};
	assert_ok!(WorkerRegistry::set_measurement(RuntimeOrigin::root(), measurement, record));
	let zeros = || TrailingZeroInput::zeroes();
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
		score: Some(registry::Score { value: SCORE, started_at: 0 }),
		endpoint: None,
		endpoint_sequence: 0,
		offered_to: None,
		deposit: Decode::decode(&mut zeros()).expect("zeros are a deposit"),
	};
	pallet_worker_registry::Workers::<Runtime>::insert(worker(), record);
}

/// Asks a view function as the program does.
fn ask<A: IntoEncodableValues, R: DecodeAsType>(m: &Metadata, function: &str, arguments: A) -> R {
	let call = view::encode(m, PALLET, function, arguments).unwrap();
	let (id, input) = <(ViewFunctionId, Vec<u8>)>::decode_all(&mut &call[..]).unwrap();
	let answer = Runtime::execute_view_function(id, input).encode();
	view::decode(m, PALLET, function, &answer).unwrap()
}

/// Reads a storage item as the program does.
fn read<R: DecodeAsType>(metadata: &Metadata, item: &str, stored: &impl Encode) -> R {
	let storage = metadata.pallet_by_name(PALLET).unwrap().storage().unwrap();
	let ty = storage.entry_by_name(item).unwrap().value_ty();
	R::decode_as_type(&mut &stored.encode()[..], ty, metadata.types()).unwrap()
}

fn session(metadata: &Metadata) -> Option<pallet::Session> {
	ask(metadata, "session", (worker().0,))
}

/// What the program makes of the state: the open challenge.
fn open(metadata: &Metadata) -> Option<Open> {
	let session = session(metadata)?;
	let number = session.challenged_at?;
	let stored = pallet_mining::Sessions::<Runtime>::get(worker()).unwrap();
	let record: pallet::Record = read(metadata, "Sessions", &stored);
	let state = pallet_mining::State::<Runtime>::get().unwrap();
	let economy: pallet::Economy = read(metadata, "State", &state);
	let deadline: Option<pallet::Deadline> =
		ask(metadata, "next_challenge_deadline", (worker().0,));
	let block = BlockRef { number, hash: hash(number) };
	let challenge = Challenge { session: session.id, block };
	Some(pallet::open(challenge, record.challenge?, &economy, &deadline?))
}

fn chain_id() -> ChainId {
	ChainId { genesis: hash(0), para_id: ParachainInfo::parachain_id().into() }
}

fn answer(open: &Open, iterations: u64) -> Answer {
	Answer::sign(&chain_id(), &pair(), open.challenge, iterations)
}

/// What the runtime's block makes of the program's bytes.
fn extrinsic(metadata: &Metadata, answer: &Answer) -> UncheckedExtrinsic {
	let bytes = pallet::transaction(metadata, answer).unwrap();
	UncheckedExtrinsic::decode_all(&mut &bytes[..]).expect("it is an extrinsic of this runtime")
}

fn refused(metadata: &Metadata, answer: &Answer) -> TransactionValidityError {
	let extrinsic = extrinsic(metadata, answer);
	let source = TransactionSource::External;
	let pool = Executive::validate_transaction(source, extrinsic.clone(), hash(1)).unwrap_err();
	assert_eq!(Executive::apply_extrinsic(extrinsic), Err(pool));
	pool
}

fn news(metadata: &Metadata) -> Vec<News> {
	System::read_events_no_consensus()
		.filter_map(|record| match record.event {
			RuntimeEvent::Mining(event) => Some(event),
			_ => None,
		})
		.filter_map(|event| told(metadata, &event, &worker()))
		.collect()
}

/// What the program makes of an event.
fn told(metadata: &Metadata, event: &Event<Runtime>, about: &WorkerKey) -> Option<News> {
	let bytes = event.encode();
	let pallet = metadata.pallet_by_name(PALLET).unwrap();
	let name = &pallet.event_variant_by_index(bytes[0]).unwrap().name;
	News::read(metadata, name, &bytes[1..], about).unwrap()
}

#[test]
fn the_runtime_has_what_the_program_needs() {
	let shape = Shape { pallet: PALLET, ..SHAPE };
	assert_eq!(missing(&metadata(), &[shape]), Vec::<String>::new());
}

#[test]
fn an_answer_is_admitted_executed_and_paid() {
	mining(|m| {
		assert_eq!(open(m), None);
		block(top_up);
		let asked = open(m).expect("it is asked");
		assert_eq!((asked.elapsed, asked.left), (0, 20));
		blocks(10);
		let asked = open(m).expect("it is still asked");
		assert_eq!((asked.elapsed, asked.left), (10, 10));

		let said = answer(&asked, 10 * SCORE);
		let extrinsic = extrinsic(m, &said);
		assert!(extrinsic.encoded_size() < 300, "{} bytes", extrinsic.encoded_size());
		let source = TransactionSource::External;
		let valid = Executive::validate_transaction(source, extrinsic.clone(), hash(1));
		let valid = valid.expect("the pool takes it");
		assert_eq!((valid.priority, valid.provides.len()), (TransactionPriority::MAX, 1));
		assert_eq!(Executive::apply_extrinsic(extrinsic), Ok(Ok(())));

		assert_eq!(open(m), None);
		let after = session(m).unwrap();
		assert_eq!(after.performance, 1_000_000);
		let news = news(m);
		let [News::Settled { pool, gross }] = news.as_slice() else { panic!("{news:?}") };
		assert!(*pool > 0 && pool < gross);
		// Once is enough.
		let unknown = UnknownTransaction::CannotLookup;
		assert_eq!(refused(m, &said), TransactionValidityError::Unknown(unknown));
	});
}

#[test]
fn the_same_answer_is_the_same_transaction() {
	mining(|m| {
		block(top_up);
		let said = answer(&open(m).unwrap(), 10);
		assert_eq!(pallet::transaction(m, &said).unwrap(), pallet::transaction(m, &said).unwrap());
	});
}

/// What the program relies on when it sends an answer to a node that is on another fork, or late: the
/// pool does not ban it for what may be right elsewhere, and takes nothing that is forged.
#[test]
fn the_pool_judges_as_the_program_expects() {
	mining(|m| {
		block(top_up);
		blocks(10);
		let asked = open(m).unwrap();
		let unknown = TransactionValidityError::Unknown(UnknownTransaction::CannotLookup);
		let mut fork = asked;
		fork.challenge.block.hash = H256::repeat_byte(9);
		assert_eq!(refused(m, &answer(&fork, 10 * SCORE)), unknown);

		let mut forged = answer(&asked, 10 * SCORE);
		forged.statement.iterations += 1;
		let bad = TransactionValidityError::Invalid(InvalidTransaction::BadProof);
		assert_eq!(refused(m, &forged), bad);
		let other = ChainId { para_id: 1, ..chain_id() };
		assert_eq!(refused(m, &Answer::sign(&other, &pair(), asked.challenge, 10 * SCORE)), bad);

		// None of that was held against the challenge.
		let said = extrinsic(m, &answer(&asked, 10 * SCORE));
		assert_eq!(Executive::apply_extrinsic(said), Ok(Ok(())));
	});
}

/// The least that the program sends counts, and half of a benchmark is where that ends.
#[test]
fn half_of_the_benchmark_is_where_an_answer_counts() {
	for (iterations, missed) in [(9 * SCORE, false), (9 * SCORE - 1, true)] {
		mining(|m| {
			block(top_up);
			blocks(18);
			let said = answer(&open(m).unwrap(), iterations);
			assert_eq!(Executive::apply_extrinsic(extrinsic(m, &said)), Ok(Ok(())));
			let news = news(m);
			let too_slow =
				|one: &News| matches!(one, News::Missed { reason, .. } if reason == "TooSlow");
			assert_eq!(news.iter().any(too_slow), missed, "{news:?}");
			let state = session(m).unwrap().info.state;
			let unresponsive = matches!(state, SessionState::Unresponsive { .. });
			assert_eq!(unresponsive, missed, "{state:?}");
		});
	}
}

#[test]
fn views_are_understood_in_each_state() {
	mining(|m| {
		let reasons = || -> Vec<Reason> {
			let values: Vec<Value> = ask(m, "why_unpaid", (worker().0,));
			values.iter().map(Reason::of).collect()
		};
		let names = || reasons().into_iter().map(|reason| reason.name).collect::<Vec<_>>();
		let started = session(m).unwrap();
		assert_eq!((started.info.stake, started.bench), (STAKE, SCORE as u32));
		assert_eq!(started.info.state, SessionState::Computing);
		assert_eq!((started.info.health, started.part), (10u64.pow(18), 10u64.pow(18)));
		assert!(started.v > STAKE && started.at_risk == 0, "{started:?}");
		assert_eq!(started.challenged_at, None);
		blocks(3);
		let pending: Option<pallet::Settlement> = ask(m, "pending_rewards", (worker().0,));
		assert!(pending.is_some_and(|pending| pending.pool > 0));

		block(top_up);
		assert!(names().contains(&"AwaitsAnswer".to_string()), "{:?}", names());
		let asked = session(m).unwrap();
		assert_eq!(asked.challenged_at, Some(System::block_number()));

		// Too slow: unresponsive.
		blocks(5);
		let said = answer(&open(m).unwrap(), 1);
		assert_eq!(Executive::apply_extrinsic(extrinsic(m, &said)), Ok(Ok(())));
		let reason = reasons().into_iter().find(|reason| reason.name == "Unresponsive").unwrap();
		assert_eq!(reason.to_string(), "Unresponsive (asked again in 60 min)");
		blocks(50);
		let decayed = session(m).unwrap();
		assert!(decayed.info.health < 10u64.pow(18) && decayed.at_risk > 0, "{decayed:?}");

		block(|| Mining::stop(&worker()));
		let state = session(m).unwrap().info.state;
		assert!(matches!(state, SessionState::CoolingDown { .. }), "{state:?}");
		assert_eq!(names(), ["Ended"]);
		let nobody: Vec<Value> = ask(m, "why_unpaid", ([5; 32],));
		assert_eq!(Reason::of(&nobody[0]).name, "NoSession");
		let least: Option<u128> = ask(m, "minimum_stake", (worker().0,));
		assert_eq!(least, None);
	});
}

/// Every reason that the runtime can name has words here.
#[test]
fn every_reason_has_a_remedy() {
	let metadata = metadata();
	let types = metadata.types();
	let reasons = types
		.types
		.iter()
		.find(|ty| ty.ty.path.segments.last().is_some_and(|name| name == "WhyUnpaid"))
		.expect("it is in the metadata");
	let scale_info::TypeDef::Variant(reasons) = &reasons.ty.type_def else { panic!("an enum") };
	assert!(reasons.variants.len() >= 12);
	for variant in &reasons.variants {
		let reason = Reason { name: variant.name.clone(), details: vec![] };
		assert!(!reason.remedy().contains("newer version"), "{reason}");
	}
}

#[test]
fn events_are_understood() {
	let m = metadata();
	let (worker, session, keeper) = (worker(), 4, Default::default());
	let other = WorkerKey::from_raw([8; 32]);
	for (event, expected) in [
		(Event::<Runtime>::Started { worker, session, keeper, stake: 1, v: 2 }, News::Started),
		(
			Event::Settled {
				worker,
				settlement: phala_tokenomics::Settlement {
					gross: 9,
					pool: 5,
					..Default::default()
				},
				v: 3,
			},
			News::Settled { pool: 5, gross: 9 },
		),
		(
			Event::Missed { worker, reason: MissReason::NoAnswer, forfeited: 1, at_risk: 2 },
			News::Missed { reason: "NoAnswer".into(), forfeited: 1, at_risk: 2 },
		),
		(Event::Recovered { worker, v: 1, at_risk: 2 }, News::Recovered),
		(
			Event::NotRecovered { worker, error: phala_tokenomics::SessionError::OnProbation },
			News::NotRecovered { error: "OnProbation".into() },
		),
		(Event::Stopping { worker }, News::Stopping),
		(
			Event::Ended { worker, reason: EndReason::Silent, lost: 7, until: 8 },
			News::Ended { reason: "Silent".into(), lost: 7 },
		),
	] {
		assert_eq!(told(&m, &event, &worker), Some(expected));
		assert_eq!(told(&m, &event, &other), None);
	}
	assert_eq!(told(&m, &Event::OutageBegan, &worker), None);
	let added = Event::TopUpPending { worker, added: 1 };
	assert_eq!(told(&m, &added, &worker), None);
}
