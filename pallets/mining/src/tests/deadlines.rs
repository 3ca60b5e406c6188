//! When an answer is late, and when nobody is to blame.

use crate::{Event, Queues, clock::Window, mock::*, types::WhyUnpaid};
use frame_support::weights::Weight;
use phala_primitives::{Mining as MiningOf, Statement};
use phala_tokenomics::{PHA, Phase};
use sp_runtime::transaction_validity::InvalidTransaction;

/// Blocks after the challenge in which worker 0 is found silent, `gap` relay-chain blocks apart.
fn found_after(gap: u32, most: u32) -> Option<u32> {
	until_challenged(0);
	(1..=most).find(|_| {
		block(gap);
		is_unresponsive(0)
	})
}

#[test]
fn twenty_relay_blocks_and_fifteen_of_ours() {
	for (gap, expected) in [(1, 21), (2, 16), (3, 16)] {
		run(|| {
			worker(0);
			assert_eq!(found_after(gap, 100), Some(expected), "{gap}");
		});
	}
}

#[test]
fn the_last_moment_is_in_time() {
	run(|| {
		worker(0);
		until_challenged(0);
		blocks(20);
		let stated = statement(0, 100).unwrap();
		let call = call(stated, stated.sign(&chain(), &pair(0)));
		assert!(authorize(&call).is_ok());
		block(1);
		assert!(is_unresponsive(0));
		assert!(authorize(&call).is_err());
	});
}

#[test]
fn late_is_late_even_if_the_hook_has_no_weight() {
	run(|| {
		worker(0);
		until_challenged(0);
		ServiceWeight::set(Weight::zero());
		blocks(30);
		// The hook found nobody, and the pool refuses all the same.
		assert!(!is_unresponsive(0));
		let stated = statement(0, 100).unwrap();
		assert_eq!(send(stated), Err(InvalidTransaction::Stale.into()));
		ServiceWeight::set(Weight::MAX);
		block(1);
		assert!(is_unresponsive(0));
	});
}

#[test]
fn a_stall_convicts_nobody() {
	run(|| {
		worker(0);
		until_challenged(0);
		blocks(5);
		// The answer was ready before the chain stood still for an hour.
		let stated = statement(0, 100).unwrap();
		block(600);
		assert!(!is_unresponsive(0));
		send(stated).unwrap();
		assert!(!is_unresponsive(0), "it is not slow either");
		// Paid for at most 20 relay-chain blocks of it.
		assert!(paid() < 3_450 * PHA * 32 / 1_200_000);
	});
}

#[test]
fn a_halt_without_heartbeats_convicts_nobody() {
	run(|| {
		worker(0);
		until_challenged(0);
		Admits::set(false);
		blocks(5_000);
		assert!(!is_unresponsive(0));
		assert_eq!(Mining::next_challenge_deadline(key(0)).unwrap().blocks_left, 15);
		Admits::set(true);
		blocks(15);
		assert!(!is_unresponsive(0));
	});
}

#[test]
fn a_challenge_that_nobody_can_prove_is_void() {
	run(|| {
		worker(0);
		until_challenged(0);
		Admits::set(false);
		// The chain forgets the challenge's hash.
		blocks(1_100);
		Admits::set(true);
		Draws::set(false);
		blocks(30);
		assert!(record(0).challenge.is_none() && !is_unresponsive(0));
		assert_eq!(economy().guard.hour().missing, 0);
	});
}

#[test]
fn who_stops_is_not_kept_by_a_void_challenge() {
	run(|| {
		worker(0);
		until_challenged(0);
		<Mining as MiningOf<u64>>::stop(&key(0)).unwrap();
		Admits::set(false);
		blocks(1_100);
		Admits::set(true);
		blocks(30);
		assert!(is_ended(0));
		assert_eq!(outages(), []);
	});
}

#[test]
fn one_censoring_author_convicts_nobody() {
	run(|| {
		worker(0);
		until_challenged(0);
		Author::set(Some(3));
		blocks(300);
		assert!(!is_unresponsive(0));
		assert_eq!(Mining::next_challenge_deadline(key(0)).unwrap().authors_left, 2);
		// Two together neither.
		Author::set(Some(2));
		blocks(300);
		assert!(!is_unresponsive(0));
		Author::set(None);
		blocks(5);
		assert!(is_unresponsive(0));
	});
	// Where there is only one, it has to do.
	run(|| {
		AuthorCount::set(1);
		worker(0);
		assert_eq!(found_after(1, 100), Some(21));
	});
}

#[test]
fn clients_see_the_deadline() {
	run(|| {
		worker(0);
		assert_eq!(Mining::next_challenge_deadline(key(0)), None);
		until_challenged(0);
		let deadline = Mining::next_challenge_deadline(key(0)).unwrap();
		assert_eq!(u64::from(deadline.block), System::block_number());
		assert_eq!(deadline.relay, RelayBlock::get() + 20);
		assert_eq!((deadline.blocks_left, deadline.authors_left), (15, 3));
		blocks(10);
		let deadline = Mining::next_challenge_deadline(key(0)).unwrap();
		assert_eq!((deadline.blocks_left, deadline.authors_left), (6, 0));
		let window = Window { relay: 20, blocks: 15, authors: 4 };
		assert_eq!(Mining::window(), window);
	});
}

#[test]
fn an_outage_of_the_network_costs_nobody_his_stake() {
	run(|| {
		let all: Vec<u32> = (0..40).collect();
		for n in &all {
			worker(*n);
		}
		work(&all, 30);
		// Half of them cannot be reached.
		let up: Vec<u32> = (0..20).collect();
		let mut began = None;
		for n in 0..3_000 {
			work(&up, 1);
			if economy().outage && began.is_none() {
				began = Some(n);
			}
		}
		let began = began.expect("it is seen");
		// In a network so small that each is asked every minute, the first misses drown in answers.
		assert!(began < 1_200, "{began}");
		let decayed = economy().accumulator.now().decay;
		work(&up, 100);
		if economy().outage {
			assert_eq!(economy().accumulator.now().decay, decayed);
		}
		// Pay does not resume by that.
		let down: Vec<u32> = (20..40).filter(|n| is_unresponsive(*n)).collect();
		assert!(down.len() > 15, "{}", down.len());
		// They lost what an hour or so costs, not what five do.
		let worst = down.iter().map(|n| {
			let now = economy().accumulator.now();
			let versions = crate::ParameterVersions::<Test>::get().unwrap();
			let health = record(*n).money.worth(now, &versions).health;
			PHA - health.of_floor(PHA)
		});
		assert!(worst.max().unwrap() < 2 * PHA / 1_000);
		assert!(events().contains(&Event::OutageBegan));
	});
}

#[test]
fn the_hook_does_what_its_weight_allows_and_the_rest_later() {
	run(|| {
		for n in 0..30 {
			worker(n);
		}
		for n in 0..30 {
			<Mining as MiningOf<u64>>::stop(&key(n)).unwrap();
		}
		blocks(20);
		let weights = |misses: u64| {
			use crate::WeightInfo;
			let miss = <() as WeightInfo>::poll_miss().max(<() as WeightInfo>::poll_end());
			<() as WeightInfo>::poll_base()
				.saturating_add(<() as WeightInfo>::poll_batch().saturating_mul(misses))
				.saturating_add(<() as WeightInfo>::poll_entry().saturating_mul(misses))
				.saturating_add(miss.saturating_mul(misses))
		};
		ServiceWeight::set(weights(4));
		let ended = || (0..30).filter(|n| is_ended(*n)).count();
		let mut before = 0;
		for _ in 0..7 {
			let used = block(1);
			assert!(used.all_lte(weights(4)), "{used}");
			assert!((1..=4).contains(&(ended() - before)), "{}", ended() - before);
			before = ended();
			Mining::do_try_state().unwrap();
		}
		ServiceWeight::set(Weight::MAX);
		block(1);
		assert_eq!(ended(), 30);
		let queue = Queues::<Test>::get();
		assert_eq!(queue.first, queue.next);
	});
}

#[test]
fn the_hook_does_nothing_without_weight() {
	run(|| {
		worker(0);
		let before = crate::State::<Test>::get();
		RelayBlock::mutate(|relay| *relay += 1);
		let mut meter = frame_support::weights::WeightMeter::with_limit(Weight::zero());
		use frame_support::traits::Hooks;
		Mining::on_poll(System::block_number() + 1, &mut meter);
		assert_eq!((before, meter.consumed()), (crate::State::<Test>::get(), Weight::zero()));
		RelayBlock::mutate(|relay| *relay -= 1);
	});
}

#[test]
fn the_silent_are_drawn_again_only_after_the_probation() {
	run(|| {
		worker(0);
		worker(1);
		silence(0, &[1]);
		let since = record(0).money.at().active;
		while economy().accumulator.now().active < since + 599 {
			work(&[1], 1);
			assert!(record(0).challenge.is_none());
		}
		let unpaid = Mining::why_unpaid(key(0));
		assert!(
			matches!(unpaid[..], [WhyUnpaid::Unresponsive { probation: 1, .. }, ..]),
			"{unpaid:?}"
		);
		let mut waited = 0;
		while record(0).challenge.is_none() {
			work(&[1], 1);
			waited += 1;
		}
		assert!(waited < 60, "{waited}");
		// It misses that one too, and nothing changes.
		work(&[1], 30);
		assert!(matches!(record(0).money.phase(), Phase::Unresponsive));
		assert_eq!(record(0).money.at().active, since);
	});
}

#[test]
fn the_cost_of_a_block_does_not_grow_with_the_network() {
	run(|| {
		MaxDraws::set(5);
		let mut used = vec![];
		for n in 0..1_600 {
			worker(n);
			if n == 1_499 || n == 1_599 {
				block(1);
				used.push(block(1));
			}
		}
		assert_eq!(used[0], used[1]);
	});
}

#[test]
fn a_full_block_takes_less_than_100_ms() {
	use crate::WeightInfo;
	type W = ();
	let answered = <W as WeightInfo>::poll_entry().saturating_mul(350);
	let full = <W as WeightInfo>::poll_base()
		.saturating_add(<W as WeightInfo>::poll_batch().saturating_mul(2))
		.saturating_add(answered)
		.saturating_add(<W as WeightInfo>::poll_draw(350));
	assert!(full.ref_time() < 100_000_000_000, "{full}");
}
