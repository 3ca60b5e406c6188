//! What a quote is bound to: chain, operator, keys, role, a recent block; and one use only.

use super::*;

fn binding(error: BindingError) -> DispatchError {
	Error::<Test>::Binding(error).into()
}

/// A quote over one claim, shown with another.
fn shown_with(change: impl FnOnce(&mut Claim)) -> DispatchResult {
	let subject = Subject::default();
	let quote = subject.quote();
	let mut claim = subject.claim();
	change(&mut claim);
	RuntimeCall::from(Call::register { quote, claim })
		.dispatch(subject.origin())
		.map(|_| ())
		.map_err(|error| error.error)
}

#[test]
fn every_field_of_the_claim_is_bound() {
	with_collateral(|| {
		let mismatch = Err(attestation(Rule::ReportDataMismatch));
		let number = System::block_number();
		assert_eq!(shown_with(|claim| claim.role = Role::Gatekeeper), mismatch);
		assert_eq!(shown_with(|claim| claim.worker.0[0] ^= 1), mismatch);
		assert_eq!(shown_with(|claim| claim.encryption_key[31] ^= 1), mismatch);
		let other = BlockRef { number: number - 2, hash: block_hash(number - 2) };
		assert_eq!(shown_with(|claim| claim.block = other), mismatch);
		assert_ok!(shown_with(|_| ()));
	});
}

#[test]
fn the_operator_is_bound() {
	with_collateral(|| {
		let subject = Subject::default();
		let thief = Subject { operator: "bob", ..subject.clone() };
		let mismatch = Err(attestation(Rule::ReportDataMismatch));
		assert_eq!(thief.register_with(subject.quote()), mismatch);
	});
}

#[test]
fn para_id_and_genesis_are_bound() {
	with_collateral(|| {
		let subject = Subject::default();
		let quote = subject.quote();
		let mismatch = Err(attestation(Rule::ReportDataMismatch));
		ParaId::set(2_036);
		assert_eq!(subject.register_with(quote.clone()), mismatch);
		ParaId::set(2_035);
		let genesis = System::block_hash(0);
		frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(1));
		assert_eq!(subject.register_with(quote.clone()), mismatch);
		frame_system::BlockHash::<Test>::insert(0, genesis);
		assert_ok!(subject.register_with(quote));
	});
}

#[test]
fn the_block_must_be_recent_and_ours() {
	with_collateral(|| {
		run_to_block(300);
		let at =
			|number, hash| Subject { block: Some(BlockRef { number, hash }), ..Subject::default() };
		let ours = |number| at(number, block_hash(number));
		assert_eq!(ours(99).register(), Err(binding(BindingError::BlockTooOld)));
		assert_eq!(ours(0).register(), Err(binding(BindingError::BlockTooOld)));
		assert_eq!(ours(300).register(), Err(binding(BindingError::BlockUnknown)));
		assert_eq!(ours(u32::MAX).register(), Err(binding(BindingError::BlockUnknown)));
		let fork = at(299, H256::repeat_byte(1));
		assert_eq!(fork.register(), Err(binding(BindingError::BlockOnOtherFork)));
		let unset = at(299, H256::zero());
		assert_eq!(unset.register(), Err(binding(BindingError::BlockOnOtherFork)));
		assert_ok!(ours(100).register());
	});
}

#[test]
fn report_data_is_good_for_one_use() {
	with_collateral(|| {
		let subject = Subject::default();
		let (quote, claim) = (subject.quote(), subject.claim());
		let again = |operator: &str| {
			let origin = RuntimeOrigin::signed(account(operator));
			RuntimeCall::from(Call::register { quote: quote.clone(), claim })
				.dispatch(origin)
				.map(|_| ())
				.map_err(|error| error.error)
		};
		assert_ok!(again("alice"));
		assert_ok!(WorkerRegistry::deregister(subject.origin(), subject.key()));
		assert_eq!(again("alice"), Err(binding(BindingError::ReportDataUsed)));
		assert_eq!(again("bob"), Err(attestation(Rule::ReportDataMismatch)));

		// A fresh quote over the same claim is the same use: here by another machine's QE.
		let claim = Subject { block: Some(claim.block), ..subject.clone() };
		let elsewhere = Subject { platform: Platform::development(2), ..claim.clone() };
		assert_eq!(elsewhere.register(), Err(binding(BindingError::ReportDataUsed)));

		// To the last block of the window, whatever the sweep did.
		let last = claim.block.expect("it was just given").number + 200;
		while System::block_number() < last {
			next_block();
			idle();
		}
		assert_eq!(claim.register(), Err(binding(BindingError::ReportDataUsed)));
		next_block();
		idle();
		assert_eq!(claim.register(), Err(binding(BindingError::BlockTooOld)));
		next_block();
		idle();
		assert_eq!(UsedReports::<Test>::iter().count(), 0);
		assert_ok!(subject.register());
	});
}

#[test]
fn a_refused_registration_uses_nothing_up() {
	ExtBuilder::default().build_and_execute(|| {
		let subject = Subject::default();
		let quote = subject.quote();
		let missing = Err(attestation(Rule::CollateralMissing));
		assert_eq!(subject.register_with(quote.clone()), missing);
		assert_ok!(submit(&issue(&subject.options())));
		assert_ok!(subject.register_with(quote));
	});
}

#[test]
fn a_renewal_needs_a_new_claim() {
	with_collateral(|| {
		let subject = Subject::default();
		let block = Some(subject.claim().block);
		assert_ok!(subject.register());
		let again = Subject { block, ..subject.clone() };
		assert_eq!(again.renew(), Err(binding(BindingError::ReportDataUsed)));
		next_block();
		assert_ok!(subject.renew());
	});
}

#[test]
fn the_sweep_forgets_many_reports_step_by_step() {
	let mut chain = ExtBuilder::default().build();
	chain.execute_with(|| {
		for report in 0..50u64 {
			UsedReports::<Test>::insert(5, H256::from_low_u64_be(report), ());
		}
	});
	// As in a later block.
	chain.commit_all().expect("it can be committed");
	chain.execute_with(|| {
		run_to_block(206);
		// Weight for one step only.
		let step =
			<<Test as Config>::WeightInfo as WeightInfo>::sweep_reports(sweep::REPORTS_PER_STEP);
		use frame_support::{
			traits::{Get, Hooks},
			weights::RuntimeDbWeight,
		};
		let db: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
		let weight = step * 8 + db.reads_writes(1, 1);
		let used = WorkerRegistry::on_idle(206, weight);
		assert!(used.all_lte(weight));
		let left = UsedReports::<Test>::iter().count();
		assert!((1..50).contains(&left), "{left}");
		assert_eq!(ReportSweep::<Test>::get(), 5);
		idle();
		assert_eq!(UsedReports::<Test>::iter().count(), 0);
		assert_eq!(ReportSweep::<Test>::get(), 6);
	});
}

/// Nothing bounds how many claims name one block.
#[test]
fn the_sweep_of_one_block_takes_linear_time() {
	let took = |reports: u64| {
		let mut chain = ExtBuilder::default().build();
		chain.execute_with(|| {
			for report in 0..reports {
				UsedReports::<Test>::insert(5, H256::from_low_u64_be(report), ());
			}
		});
		chain.commit_all().expect("it can be committed");
		chain.execute_with(|| {
			run_to_block(206);
			let start = std::time::Instant::now();
			idle();
			assert_eq!(UsedReports::<Test>::iter().count(), 0);
			start.elapsed()
		})
	};
	let best = |reports| (0..3).map(|_| took(reports)).min().expect("there are three");
	// Quadratic would be 64 times.
	assert!(best(8_000) < best(1_000) * 24);
}
