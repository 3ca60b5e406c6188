//! Heartbeats as a stranger would abuse them: none costs anything, and none gets in.

use super::*;
use crate::chain::{account, signed_with};
use frame_support::dispatch::GetDispatchInfo;
use phala_runtime::configs::RuntimeBlockWeights;
use sp_runtime::transaction_validity::{
	InvalidTransaction, TransactionSource, TransactionValidityError,
};

const FUTURE: TransactionValidityError =
	TransactionValidityError::Invalid(InvalidTransaction::Future);
const STALE: TransactionValidityError =
	TransactionValidityError::Invalid(InvalidTransaction::Stale);
const BAD_PROOF: TransactionValidityError =
	TransactionValidityError::Invalid(InvalidTransaction::BadProof);

/// What the pool says, and then what a block says of the same.
fn refused(extrinsic: UncheckedExtrinsic) -> TransactionValidityError {
	let hash = System::parent_hash();
	let verdict =
		Executive::validate_transaction(TransactionSource::External, extrinsic.clone(), hash);
	let error = verdict.expect_err("the pool refuses it");
	assert_eq!(block(vec![extrinsic]), vec![Err(error)]);
	error
}

/// The statement of a worker that is challenged.
fn challenged(name: &str) -> HeartbeatStatement {
	for _ in 0..10 {
		match statement(name) {
			Some(statement) => return statement,
			None => assert!(block(vec![]).is_empty()),
		}
	}
	panic!("a single worker is asked at once")
}

#[test]
fn bad_ones_do_not_get_in() {
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		let stated = challenged("one");
		// Somebody else's signature; a worker without a session; another fork; a block that did not ask,
		// and one that is still to come.
		assert_eq!(refused(heartbeat(stated, "alice")), BAD_PROOF);
		let other = HeartbeatStatement { worker: worker("two"), ..stated };
		assert_eq!(refused(heartbeat(other, "two")), STALE);
		let hash = H256::repeat_byte(7);
		let fork = BlockRef { hash, ..stated.challenge };
		assert_eq!(
			refused(heartbeat(HeartbeatStatement { challenge: fork, ..stated }, "one")),
			STALE
		);
		let before = BlockRef { number: stated.challenge.number - 1, ..stated.challenge };
		assert_eq!(
			refused(heartbeat(HeartbeatStatement { challenge: before, ..stated }, "one")),
			STALE
		);
		let to_come = BlockRef { number: System::block_number() + 2, ..stated.challenge };
		assert_eq!(
			refused(heartbeat(HeartbeatStatement { challenge: to_come, ..stated }, "one")),
			FUTURE
		);
		// More iterations than were signed for.
		let RuntimeCall::Mining(pallet_mining::Call::heartbeat { signature, .. }) =
			heartbeat(stated, "one").function
		else {
			panic!("it is one")
		};
		let more = HeartbeatStatement { iterations: stated.iterations + 1, ..stated };
		let forged = pallet_mining::Call::heartbeat { statement: more, signature };
		assert_eq!(refused(general(forged)), BAD_PROOF);

		// The true one gets in, once. (By now the first would be too slow.)
		let truth = heartbeat(statement("one").expect("it is still challenged"), "one");
		assert_eq!(block(vec![truth.clone(), truth.clone()]), vec![Ok(Ok(())), Err(STALE)]);
		// As soon as there is another challenge, it is stale.
		challenged("one");
		assert_eq!(refused(truth), STALE);
	});
}

#[test]
fn a_signed_one_is_refused_and_costs_its_sender_a_fee() {
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		let call = heartbeat(challenged("one"), "one").function;
		// For what the call weighs; its length and the extensions add to it.
		let least = TransactionPayment::compute_fee(0, &call.get_dispatch_info(), 0);
		let before = Balances::free_balance(account("bob"));
		let error = sp_runtime::DispatchError::BadOrigin;
		assert_eq!(block(vec![signed("bob", call)]), vec![Ok(Err(error))]);
		let paid = before - Balances::free_balance(account("bob"));
		assert!(least > 0 && paid >= least, "{paid}, at least {least}");
		assert!(session("one").challenge.is_some());
	});
}

#[test]
fn one_that_is_authorized_costs_nobody_a_fee() {
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		let answer = heartbeat(challenged("one"), "one");
		let have = || ["alice", "bob", "charlie"].map(|name| Balances::free_balance(account(name)));
		let before = have();
		assert_eq!(block(vec![answer]), vec![Ok(Ok(()))]);
		let fees = System::read_events_for_pallet::<pallet_transaction_payment::Event<Runtime>>();
		assert_eq!((have(), fees), (before, vec![]));
	});
}

/// A block that users filled with tipped extrinsics still takes heartbeats.
#[test]
fn full_blocks_of_tipped_transfers_keep_none_out() {
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		let remark = |index: u8| {
			RuntimeCall::from(frame_system::Call::remark {
				// No two are equal.
				remark: vec![index; 900_000],
			})
		};
		for _ in 0..40 {
			let answer = statement("one").map(|statement| heartbeat(statement, "one"));
			let answered = answer.is_some();
			let nonce = System::account_nonce(account("bob"));
			let mut extrinsics: Vec<_> = (0..4u8)
				.map(|index| signed_with("bob", nonce + u32::from(index), PHA, remark(index)))
				.collect();
			extrinsics.push(signed_with("bob", nonce + 4, PHA, remark(4)));
			extrinsics.extend(answer);
			let results = block(extrinsics);
			let full = InvalidTransaction::ExhaustsResources;
			assert_eq!(results[4], Err(full.into()), "the block is full");
			assert!(!answered || results[5] == Ok(Ok(())), "{results:?}");
			let missed = |event: &_| matches!(event, pallet_mining::Event::Missed { .. });
			assert!(!mining_events().iter().any(missed));
		}
		assert!(matches!(session("one").money.phase(), phala_tokenomics::Phase::Computing(_)));
	});
}

/// What a block keeps free of users' extrinsics has room for the answers of a network of this size, were
/// each the dearest that there is. Blocks that users do not fill have room for all that mining can draw.
#[test]
fn what_a_block_keeps_free_has_room_for_answers() {
	const WORKERS: u64 = 35_000;
	market(&["one"], || {
		pool(2_000, 0, &["one"]);
		let extrinsic = heartbeat(challenged("one"), "one");
		let info = extrinsic.get_dispatch_info();
		let limits = RuntimeBlockWeights::get();
		let operational = limits.get(info.class);
		let each = info.total_weight() + operational.base_extrinsic;
		let reserved = operational.reserved.expect("some is kept free");
		let fit = reserved.checked_div_per_component(&each).expect("it weighs something");
		let drawn = phala_tokenomics::challenge::draws(WORKERS as u32, u32::MAX);
		assert!(fit >= drawn.into(), "{fit} fit, {drawn} are drawn, {each:?} each");
		let whole = limits.max_block.checked_div_per_component(&each).expect("it weighs something");
		assert!(whole >= constants::market::MAX_DRAWS.into(), "{whole} fit");
	});
}
