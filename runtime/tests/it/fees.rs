//! What extrinsics cost, and where the money goes.

use crate::chain::{account, block, run, signed, signed_with};
use codec::Encode;
use frame_support::{
	dispatch::GetDispatchInfo,
	traits::{OnUnbalanced, fungible::Balanced},
	weights::{Weight, WeightToFee as _},
};
use pallet_conviction_voting::AccountVote;
use phala_runtime::{
	configs::{DealWithFees, RuntimeBlockWeights, WeightToFee},
	constants::{accounts::treasury, currency::*},
	*,
};
use proptest::prelude::*;
use sp_io::TestExternalities;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

fn transfer(value: Balance) -> RuntimeCall {
	pallet_balances::Call::transfer_keep_alive { dest: account("bob").into(), value }.into()
}

/// What the two collators have together.
fn collators() -> Balance {
	["collator a", "collator b"].map(|name| Balances::free_balance(account(name))).iter().sum()
}

#[test]
fn a_transfer_costs_a_few_hundredths_of_a_pha() {
	run(|| {
		block(vec![]);
		let extrinsic = signed("alice", transfer(PHA));
		let length = extrinsic.encoded_size() as u32;
		let fee = TransactionPayment::compute_fee(length, &extrinsic.get_dispatch_info(), 0);
		assert!((5 * MILLI_PHA..50 * MILLI_PHA).contains(&fee), "a transfer costs {fee}");
	});
}

/// Most of it for the proof of two agendas of the scheduler.
#[test]
fn a_vote_costs_less_than_half_a_pha() {
	run(|| {
		block(vec![]);
		let vote = AccountVote::Split { aye: PHA, nay: 0 };
		let call = pallet_conviction_voting::Call::vote { poll_index: 0, vote };
		let extrinsic = signed("alice", call);
		let length = extrinsic.encoded_size() as u32;
		let fee = TransactionPayment::compute_fee(length, &extrinsic.get_dispatch_info(), 0);
		assert!((200 * MILLI_PHA..500 * MILLI_PHA).contains(&fee), "a vote costs {fee}");
	});
}

#[test]
fn fees_go_to_treasury_and_author_and_tips_to_the_author() {
	run(|| {
		block(vec![]);
		let (pot, authors) = (Balances::free_balance(treasury()), collators());
		let alice = Balances::free_balance(account("alice"));
		let tip = PHA;
		let results = block(vec![signed_with("alice", 0, tip, transfer(PHA))]);
		assert_eq!(results, vec![Ok(Ok(()))]);

		let paid = alice - Balances::free_balance(account("alice")) - PHA;
		let to_treasury = Balances::free_balance(treasury()) - pot;
		let to_author = collators() - authors;
		assert_eq!(to_treasury + to_author, paid, "nothing is burnt");
		let fee = paid - tip;
		assert!(to_author.abs_diff(tip + fee / 5) <= 1, "{to_author} of {fee} and the tip");
		assert!(fee > 0 && to_treasury.abs_diff(fee * 4 / 5) <= 1);
	});
}

#[test]
fn what_the_author_cannot_take_goes_to_the_treasury() {
	run(|| {
		// Outside a block there is no author at all.
		let pot = Balances::free_balance(treasury());
		let fee = <Balances as Balanced<_>>::withdraw(
			&account("alice"),
			PHA,
			frame_support::traits::tokens::Precision::Exact,
			frame_support::traits::tokens::Preservation::Preserve,
			frame_support::traits::tokens::Fortitude::Polite,
		)
		.expect("alice has more than that");
		DealWithFees::on_unbalanceds([fee].into_iter());
		assert_eq!(Balances::free_balance(treasury()), pot + PHA);
	});
}

#[test]
fn a_full_block_is_expensive() {
	TestExternalities::default().execute_with(|| {
		let full = WeightToFee::weight_to_fee(&RuntimeBlockWeights::get().max_block);
		assert!((5 * PHA..50 * PHA).contains(&full), "a block costs {full}");
		assert_eq!(WeightToFee::weight_to_fee(&Weight::zero()), 0);
	});
}

#[test]
fn the_dearer_dimension_counts() {
	TestExternalities::default().execute_with(|| {
		let block = RuntimeBlockWeights::get().max_block;
		let time = WeightToFee::weight_to_fee(&Weight::from_parts(block.ref_time(), 0));
		let proof = WeightToFee::weight_to_fee(&Weight::from_parts(0, block.proof_size()));
		assert_eq!(time, proof);
		assert_eq!(WeightToFee::weight_to_fee(&block), time);
	});
}

proptest! {
	#[test]
	fn weight_to_fee_never_falls_and_never_overflows(
		time: u64, proof: u64, more_time: u64, more_proof: u64,
	) {
		let weight = Weight::from_parts(time, proof);
		let more = weight.saturating_add(Weight::from_parts(more_time, more_proof));
		TestExternalities::default().execute_with(|| {
			assert!(WeightToFee::weight_to_fee(&weight) <= WeightToFee::weight_to_fee(&more));
		});
	}
}

#[test]
fn transactions_that_cannot_count_are_refused_before_they_cost() {
	run(|| {
		block(vec![]);
		let before = Balances::total_issuance();
		let cases = [
			(signed_with("alice", 5, 0, transfer(PHA)), InvalidTransaction::Future),
			(signed_with("nobody", 0, 0, transfer(PHA)), InvalidTransaction::Payment),
		];
		for (extrinsic, why) in cases {
			assert_eq!(block(vec![extrinsic]), vec![Err(TransactionValidityError::Invalid(why))]);
		}
		let first = signed("alice", transfer(PHA));
		assert_eq!(
			block(vec![first.clone(), first]),
			vec![Ok(Ok(())), Err(InvalidTransaction::Stale.into())]
		);
		assert_eq!(Balances::total_issuance(), before);
	});
}
