//! The runtime itself is asked, told and read as the program does it.

use crate::*;
use codec::{DecodeAll, Encode};
use frame_support::view_functions::ViewFunctionId;
use pallet_mining::{
	Event,
	types::{EndReason, MissReason},
};
use phala_node_common::chain::{encode_general, missing, view};
use phala_worker::mining::{
	news::News,
	pallet::{self, HEARTBEAT, Heartbeat, PALLET, SHAPE, SessionState},
	plan::{Challenge, Open},
	position::Reason,
};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionPriority};
use subxt::ext::{
	frame_decode::view_functions::IntoEncodableValues, scale_decode::DecodeAsType,
	scale_value::Value,
};

/// Runs `test` on a chain on which the worker mines.
fn mining(test: impl FnOnce(&Metadata)) {
	let metadata = metadata();
	TestExternalities::default().execute_with(|| {
		begin(SCORE);
		test(&metadata);
	});
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

fn answer(open: &Open, iterations: u64) -> Answer {
	Answer::sign(&chain_id(), &pair(), open.challenge, iterations)
}

/// What the runtime's block makes of the program's bytes.
fn extrinsic(metadata: &Metadata, answer: &Answer) -> UncheckedExtrinsic {
	numbered(metadata, answer, 0)
}

fn numbered(metadata: &Metadata, answer: &Answer, number: u32) -> UncheckedExtrinsic {
	let call = Heartbeat::from(answer);
	let bytes = encode_general(metadata, PALLET, HEARTBEAT, &call, number).unwrap();
	UncheckedExtrinsic::decode_all(&mut &bytes[..]).expect("it is an extrinsic of this runtime")
}

fn refused(metadata: &Metadata, answer: &Answer) -> TransactionValidityError {
	let extrinsic = extrinsic(metadata, answer);
	let pool = judged(&extrinsic).unwrap_err();
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
	assert_eq!(missing(&metadata(), &[SHAPE]), Vec::<String>::new());
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
		let valid = judged(&extrinsic).expect("the pool takes it");
		assert_eq!((valid.priority, valid.provides.len()), (TransactionPriority::MAX, 1));
		assert_eq!(Executive::apply_extrinsic(extrinsic), Ok(Ok(())));

		assert_eq!(open(m), None);
		let after = session(m).unwrap();
		assert_eq!(after.speed(), 1.0);
		let news = news(m);
		let [News::Settled { pool, gross }] = news.as_slice() else { panic!("{news:?}") };
		assert!(*pool > 0 && pool < gross);
		// Once is enough.
		let stale = InvalidTransaction::Stale;
		assert_eq!(refused(m, &said), TransactionValidityError::Invalid(stale));
	});
}

/// What gets an answer past a ban: the number makes it another transaction, and nothing else.
#[test]
fn under_each_number_an_answer_is_the_same() {
	mining(|m| {
		block(top_up);
		blocks(10);
		let said = answer(&open(m).unwrap(), 10 * SCORE);
		assert_eq!(extrinsic(m, &said).encode(), extrinsic(m, &said).encode());
		let verdict = judged(&extrinsic(m, &said)).unwrap();
		for number in [1, 64, 30_000, u32::MAX] {
			let other = numbered(m, &said, number);
			assert_ne!(other.encode(), extrinsic(m, &said).encode());
			assert_eq!(judged(&other).unwrap(), verdict);
		}
		assert_eq!(Executive::apply_extrinsic(numbered(m, &said, u32::MAX)), Ok(Ok(())));
		let stale = TransactionValidityError::Invalid(InvalidTransaction::Stale);
		assert_eq!(Executive::apply_extrinsic(numbered(m, &said, 1)), Err(stale));
		assert_eq!(refused(m, &said), stale);
	});
}

/// What the program relies on when it sends an answer to a node that is behind, on another fork, or
/// late: its pool may take it later, and takes nothing that is forged.
#[test]
fn the_pool_judges_as_the_program_expects() {
	mining(|m| {
		block(top_up);
		blocks(10);
		let asked = open(m).unwrap();
		let [stale, future] = [InvalidTransaction::Stale, InvalidTransaction::Future]
			.map(TransactionValidityError::Invalid);
		let mut fork = asked;
		fork.challenge.block.hash = H256::repeat_byte(9);
		assert_eq!(refused(m, &answer(&fork, 10 * SCORE)), stale);
		let mut ahead = asked;
		ahead.challenge.block.number = System::block_number() + 1;
		assert_eq!(refused(m, &answer(&ahead, 10 * SCORE)), future);

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
		assert!(started.v >= STAKE && started.at_risk == 0, "{started:?}");
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
