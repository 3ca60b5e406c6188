//! What a liar, a sleeper, or a censor can try.

use crate::mock::*;
use codec::Encode;
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::fungible::Inspect};
use phala_primitives::{
	BlockRef, HeartbeatStatement, Mining as MiningOf, Statement, WorkerSignature,
};
use phala_tokenomics::{PHA, Parameters};
use sp_core::H256;
use sp_runtime::{
	BuildStorage, DispatchError,
	generic::UncheckedExtrinsic,
	testing::UintAuthorityId,
	traits::{Applyable, Checkable, Dispatchable},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

const FUTURE: TransactionValidityError =
	TransactionValidityError::Invalid(InvalidTransaction::Future);
const STALE: TransactionValidityError =
	TransactionValidityError::Invalid(InvalidTransaction::Stale);
const FORGED: TransactionValidityError =
	TransactionValidityError::Invalid(InvalidTransaction::BadProof);

/// The open challenge's statement of worker 0, in a block after the challenge.
fn challenged() -> HeartbeatStatement {
	worker(0);
	until_challenged(0);
	block(1);
	statement(0, 100).unwrap()
}

fn verdict(stated: HeartbeatStatement, by: u32) -> Result<(), TransactionValidityError> {
	authorize(&call(stated, stated.sign(&chain(), &pair(by)))).map(|_| ())
}

#[test]
fn a_good_answer_is_admitted_once() {
	run(|| {
		let stated = challenged();
		let valid = authorize(&call(stated, stated.sign(&chain(), &pair(0)))).unwrap();
		assert_eq!(valid.priority, u64::MAX);
		assert_eq!((valid.longevity, valid.propagate), (20, true));
		assert!(valid.requires.is_empty());
		// Whatever else it says, an answer to the same challenge has the same tag.
		let other = HeartbeatStatement { iterations: 7, ..stated };
		let twin = authorize(&call(other, other.sign(&chain(), &pair(0)))).unwrap();
		assert_eq!((valid.provides.len(), &valid.provides), (1, &twin.provides));

		assert_ok!(send(stated));
		// Replayed, or another answer to the same challenge, in the same block and later.
		assert_eq!(send(stated), Err(STALE));
		assert_eq!(send(other), Err(STALE));
		until_challenged(0);
		block(1);
		assert_eq!(send(stated), Err(STALE));
		let next = statement(0, 100).unwrap();
		let tag = authorize(&call(next, next.sign(&chain(), &pair(0)))).unwrap().provides;
		assert_ne!(tag, valid.provides);
	});
}

#[test]
fn what_is_wrong_is_refused() {
	run(|| {
		let stated = challenged();
		worker(1);
		let number = stated.challenge.number;
		let with_block = |number, hash| {
			let challenge = BlockRef { number, hash };
			let HeartbeatStatement { worker, session, iterations, .. } = stated;
			HeartbeatStatement { worker, session, challenge, iterations }
		};
		// Another worker, without and with a session.
		assert_eq!(verdict(HeartbeatStatement { worker: key(5), ..stated }, 5), Err(STALE));
		let (worker, session) = (key(1), session_id(1));
		let of_one = HeartbeatStatement { worker, session, ..stated };
		assert_eq!(verdict(of_one, 1), Err(STALE));
		// Another session, another block, another fork.
		let session = stated.session + 1;
		assert_eq!(verdict(HeartbeatStatement { session, ..stated }, 0), Err(STALE));
		let hash = stated.challenge.hash;
		assert_eq!(verdict(with_block(number - 1, hash), 0), Err(STALE));
		assert_eq!(verdict(with_block(number, H256::zero()), 0), Err(STALE));
		// A block that is not there yet, of which the present one is the first.
		let present = System::block_number() as u32;
		let end = present + crate::heartbeat::AHEAD;
		for (number, expected) in [
			(present, FUTURE),
			(present + 1, FUTURE),
			(end - 1, FUTURE),
			(end, STALE),
			(u32::MAX, STALE),
		] {
			assert_eq!(verdict(with_block(number, hash), 0), Err(expected));
			let (worker, session) = (key(5), stated.session + 1);
			let early = HeartbeatStatement { worker, session, ..with_block(number, hash) };
			assert_eq!(verdict(early, 5), Err(expected));
		}
		// Forged: by somebody else, for another chain, with another count, without a signature.
		assert_eq!(verdict(stated, 1), Err(FORGED));
		let mut elsewhere = chain();
		elsewhere.para_id += 1;
		let signature = stated.sign(&elsewhere, &pair(0));
		assert_eq!(authorize(&call(stated, signature)), Err(FORGED));
		let signature = stated.sign(&chain(), &pair(0));
		let more = HeartbeatStatement { iterations: stated.iterations + 1, ..stated };
		assert_eq!(authorize(&call(more, signature)), Err(FORGED));
		assert_eq!(authorize(&call(stated, WorkerSignature::default())), Err(FORGED));
		// None of it did anything, and the good one still works.
		assert_ok!(send(stated));
	});
}

/// Who makes the block that asks could answer in it, without the hash that seeds the kernel.
#[test]
fn no_answer_goes_without_the_hash() {
	run(|| {
		worker(0);
		until_challenged(0);
		let blind = statement(0, 100).unwrap();
		let present = BlockRef { number: System::block_number() as u32, hash: H256::zero() };
		assert_eq!(blind.challenge, present);
		assert_eq!(verdict(blind, 0), Err(FUTURE));
		block(1);
		assert_eq!(verdict(blind, 0), Err(STALE));
		frame_system::BlockHash::<Test>::remove(u64::from(blind.challenge.number));
		assert_eq!(verdict(blind, 0), Err(STALE));
	});
}

#[test]
fn the_challenge_is_checked_before_the_signature() {
	run(|| {
		let stated = challenged();
		// Both are wrong: the cheap check decides.
		let wrong = HeartbeatStatement { session: 9, ..stated };
		assert_eq!(authorize(&call(wrong, WorkerSignature::default())), Err(STALE));
		let gone = HeartbeatStatement { worker: key(9), ..stated };
		assert_eq!(authorize(&call(gone, WorkerSignature::default())), Err(STALE));
	});
}

#[test]
fn an_old_session_answers_nothing() {
	run(|| {
		let old = challenged();
		<Mining as MiningOf<u64>>::stop(&key(0)).unwrap();
		assert_ok!(send(old));
		block(100_800);
		<Mining as MiningOf<u64>>::reclaim(&key(0)).unwrap();
		worker(0);
		until_challenged(0);
		block(1);
		assert_eq!(send(old), Err(STALE));
		let replayed = HeartbeatStatement { challenge: statement(0, 1).unwrap().challenge, ..old };
		assert_eq!(send(replayed), Err(STALE));
	});
}

#[test]
fn only_the_transaction_pipeline_authorizes() {
	run(|| {
		let stated = challenged();
		let call = call(stated, stated.sign(&chain(), &pair(0)));
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), RuntimeOrigin::signed(1)] {
			let refused = call.clone().dispatch(origin).unwrap_err().error;
			assert_eq!(refused, DispatchError::BadOrigin);
		}
		assert!(record(0).challenge.is_some());
	});
}

#[test]
fn a_heartbeat_costs_nothing() {
	type Extension = (frame_system::AuthorizeCall<Test>,);
	type Extrinsic = UncheckedExtrinsic<u64, RuntimeCall, UintAuthorityId, Extension>;
	run(|| {
		let stated = challenged();
		let before: Vec<u128> = (0..1_100).map(|who| Balances::balance(&who)).collect();
		let apply = |stated: HeartbeatStatement| {
			let call = call(stated, stated.sign(&chain(), &pair(0)));
			let info = call.get_dispatch_info();
			assert_eq!(info.class, frame_support::dispatch::DispatchClass::Operational);
			// Whoever signs it pays for it.
			assert_eq!(info.pays_fee, frame_support::dispatch::Pays::Yes);
			let extrinsic = Extrinsic::new_transaction(call, (frame_system::AuthorizeCall::new(),));
			let (info, len) = (extrinsic.get_dispatch_info(), extrinsic.encoded_size());
			let context = frame_system::ChainContext::<Test>::default();
			let checked = Checkable::check(extrinsic, &context).unwrap();
			checked.validate::<Test>(TransactionSource::External, &info, len)?;
			checked.apply::<Test>(&info, len)
		};
		// A bad one never gets as far as a block.
		let bad = HeartbeatStatement { session: 7, ..stated };
		assert_eq!(apply(bad).unwrap_err(), STALE);
		assert!(apply(stated).unwrap().is_ok());
		assert_eq!(apply(stated).unwrap_err(), STALE);
		finalize();
		let after: Vec<u128> = (0..1_100).map(|who| Balances::balance(&who)).collect();
		let differs = |who: &u64| before[*who as usize] != after[*who as usize];
		let changed: Vec<_> = (0..1_100).filter(differs).collect();
		assert!(changed.iter().all(|who| [KEEPER, TREASURY].contains(who)), "{changed:?}");
	});
}

#[test]
fn who_wakes_only_to_recover_earns_next_to_nothing() {
	run(|| {
		// The honest one, the sleeper, and two who keep the network alive.
		for n in 0..4 {
			worker(n);
		}
		let others = [0, 2, 3];
		for _ in 0..4_000 {
			work(&others, 1);
			// It answers only when that brings it back.
			if is_unresponsive(1) {
				answer(1);
			}
		}
		let sleeper = record(1);
		assert!(sleeper.money.lost() > PHA, "it lost {}", sleeper.money.lost());
		let settled_to = |n: u32| {
			let all = events();
			let pay = all.iter().filter_map(|event| match event {
				crate::Event::Settled { worker, settlement, .. } if *worker == key(n) => {
					Some(settlement.pool)
				}
				_ => None,
			});
			pay.sum::<u128>()
		};
		assert_eq!(settled_to(1), 0);
	});
}

#[test]
fn no_randomness_challenges_nobody() {
	run(|| {
		worker(0);
		worker(1);
		work(&[0, 1], 30);
		Draws::set(false);
		work(&[0, 1], 30);
		let before = economy().accumulator;
		blocks(1_000);
		assert!(record(0).challenge.is_none() && !is_unresponsive(0) && !is_unresponsive(1));
		// Nobody is paid, and what they earned is there when it is back.
		assert_eq!(economy().accumulator.paid(), before.paid());
		let unpaid = Mining::why_unpaid(key(0));
		assert!(unpaid.contains(&crate::types::WhyUnpaid::NobodyIsDrawn), "{unpaid:?}");
		Draws::set(true);
		work(&[0, 1], 5);
		assert!(economy().accumulator.paid() > before.paid());
	});
}

#[test]
fn one_relay_block_draws_once() {
	run(|| {
		for n in 0..4 {
			worker(n);
		}
		block(1);
		let drawn = || (0..4).filter(|n| record(*n).challenge.is_some()).count();
		assert_eq!(drawn(), 1);
		// Blocks of the parachain on the same relay-chain block know its randomness already.
		for _ in 0..10 {
			block(0);
		}
		assert_eq!(drawn(), 1);
		block(1);
		assert!(drawn() >= 1);
	});
}

#[test]
fn order_of_answers_does_not_matter() {
	let outcome = |order: [u32; 6]| {
		let mut result = vec![];
		build(Parameters::launch()).execute_with(|| {
			for n in 0..6 {
				attest(n, 1_000 + 100 * u64::from(n), phala_attestation::Tier::One);
				start(n, (2_000 + 500 * u128::from(n)) * PHA).unwrap();
			}
			for n in 0..6 {
				until_challenged(n);
			}
			block(1);
			for n in order {
				assert!(answer(n));
			}
			check();
			let sessions = (0..6).map(|n| record(n).money.encode());
			result = sessions.collect();
			result.push(paid().encode());
		});
		result
	};
	let first = outcome([0, 1, 2, 3, 4, 5]);
	assert_eq!(first, outcome([5, 4, 3, 2, 1, 0]));
	assert_eq!(first, outcome([3, 0, 5, 1, 4, 2]));
}

#[test]
fn a_genesis_out_of_range_is_refused() {
	let parameters = Parameters { min_score: 0, ..Parameters::launch() };
	let config =
		crate::GenesisConfig::<Test> { parameters: Some(parameters), _config: Default::default() };
	let built = std::panic::catch_unwind(|| config.build_storage().is_ok());
	assert!(built.is_err());
}
