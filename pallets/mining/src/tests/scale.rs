//! What an event costs in a network of 100,000 workers, next to one of 1,000.
//!
//! Counted are the items that the event reads of the state and that it changes, which do not depend on
//! the machine, and the bytes of its proof. `--nocapture` prints them, with the time that this machine
//! took.

use crate::{Sessions, SlotCount, WeightInfo, mock::*, types::MissReason};
use codec::Encode;
use frame_support::weights::Weight;
use frame_system::RawOrigin;
use phala_attestation::Tier;
use phala_primitives::{AttestationChange, Mining as _, OnAttestationChange, Statement, WorkerKey};
use phala_tokenomics::{PHA, Parameters};
use sp_core::{Blake2Hasher, storage::StateVersion};
use sp_io::{TestExternalities, hashing::blake2_256};
use sp_runtime::traits::Dispatchable;
use sp_trie::recorder::Recorder;
use std::time::{Duration, Instant};

type M = crate::Pallet<Test>;

const SMALL: u32 = 1_000;
const LARGE: u32 = 100_000;
/// Workers with keys, spread over the list: the first numbers.
const REAL: u32 = 40;

/// What an event costs.
#[derive(Clone, Copy, Debug)]
struct Cost {
	/// Items that were read of the state.
	read: usize,
	/// Items that were changed.
	written: usize,
	/// Bytes of the proof, with what the new root needs.
	proof: usize,
	time: Duration,
}

fn attested_and_started(worker: WorkerKey, platform: u32) {
	attest_key(worker, platform, 1_000, Tier::One);
	M::start(&worker, KEEPER, 2_000 * PHA).unwrap();
}

/// A network of `n` computing workers, each on a machine of its own, nobody challenged.
fn network(n: u32) -> TestExternalities {
	let mut ext = build(Parameters::launch());
	ext.execute_with(|| {
		Draws::set(false);
		let every = n / REAL;
		for place in 0..n {
			if place % every == 0 && place / every < REAL {
				attested_and_started(key(place / every), place);
			} else {
				let raw = blake2_256(&place.to_le_bytes());
				attested_and_started(WorkerKey::from_raw(raw), place);
			}
			if place % 1_000 == 0 {
				System::reset_events();
			}
		}
		assert_eq!(SlotCount::<Test>::get(), n);
		// The next relay-chain block: a session starts and answers in different ones.
		block(1);
		System::reset_events();
	});
	ext
}

/// Runs an event on what is stored.
fn measure<R>(ext: &mut TestExternalities, event: impl FnOnce() -> R) -> (Cost, R) {
	ext.commit_all().unwrap();
	let recorder = Recorder::<Blake2Hasher>::default();
	let (time, result) = ext.execute_with_recorder(recorder.clone(), || {
		let start = Instant::now();
		let result = event();
		let time = start.elapsed();
		sp_io::storage::root(StateVersion::V1);
		(time, result)
	});
	let cost = Cost {
		read: recorder.recorded_keys().values().map(|keys| keys.len()).sum(),
		written: ext.overlayed_changes().changes().count(),
		proof: recorder.to_storage_proof().encoded_size(),
		time,
	};
	(cost, result)
}

/// The middle one by time, whose counts are those of all.
fn typical(mut costs: Vec<Cost>) -> Cost {
	costs.sort_by_key(|cost| cost.time);
	let middle = costs[costs.len() / 2];
	let same = |one: &Cost| one.read == middle.read && one.written == middle.written;
	assert!(costs.iter().all(same), "{costs:?}");
	middle
}

fn tell_to_stop(n: u32) {
	<M as phala_primitives::Mining<u64>>::stop(&key(n)).unwrap();
}

fn is_challenged(n: u32) -> bool {
	record(n).challenge.is_some()
}

/// An answer with its signature, from the pool's check to the booking of the pay.
fn heartbeat(ext: &mut TestExternalities, n: u32) -> Cost {
	let answer = ext.execute_with(|| {
		M::on_attestation_change(&key(n), &AttestationChange::Renewed);
		block(1);
		System::reset_events();
		let statement = statement(n, 100).unwrap();
		call(statement, statement.sign(&chain(), &pair(n)))
	});
	let (cost, ()) = measure(ext, || {
		authorize(&answer).unwrap();
		answer.clone().dispatch(RawOrigin::Authorized.into()).unwrap();
	});
	assert!(ext.execute_with(|| !is_challenged(n) && paid() > 0));
	cost
}

fn start(ext: &mut TestExternalities, n: u32) -> Cost {
	ext.execute_with(|| attest(1_000_000 + n, 1_000, Tier::One));
	measure(ext, || M::start(&key(1_000_000 + n), KEEPER, 2_000 * PHA).unwrap()).0
}

/// A computing worker is told to stop, and has one challenge left.
fn stop(ext: &mut TestExternalities, n: u32) -> Cost {
	let (cost, ()) = measure(ext, || tell_to_stop(n));
	assert!(ext.execute_with(|| record(n).stopping));
	cost
}

/// A silent worker is told to stop: its session ends, and another one takes its place.
fn end(ext: &mut TestExternalities, n: u32) -> Cost {
	ext.execute_with(|| {
		miss(n);
		block(1);
		System::reset_events();
	});
	let (cost, ()) = measure(ext, || tell_to_stop(n));
	assert!(ext.execute_with(|| is_ended(n)));
	cost
}

fn miss(n: u32) {
	M::act::<(), crate::Error<Test>>(|economy, versions| {
		M::missed(key(n), record(n), MissReason::NoAnswer, economy, versions);
		Ok(())
	})
	.unwrap();
}

/// A block of the hook alone.
fn hook(ext: &mut TestExternalities) -> (Cost, Weight) {
	ext.execute_with(System::reset_events);
	measure(ext, || block(1))
}

/// All events in a network of `n`.
struct Report {
	events: Vec<(&'static str, Cost)>,
	/// A draw: how many, and the block with it.
	drawn: u32,
	quiet: Cost,
	draw: Cost,
	/// The block in which the challenges of one draw are due, and were answered.
	due: Cost,
	most: Weight,
}

fn report(n: u32) -> Report {
	let begun = Instant::now();
	let mut ext = network(n);
	println!("{n} workers, generated in {:.1} s", begun.elapsed().as_secs_f32());
	let workers = |from: u32| from..from + 7;
	let mut events = Vec::new();
	let heartbeats = workers(0).map(|n| heartbeat(&mut ext, n)).collect();
	events.push(("heartbeat", typical(heartbeats)));
	let starts = workers(0).map(|n| start(&mut ext, n)).collect();
	events.push(("start", typical(starts)));
	// All in one block, so that all open a batch.
	let stops = workers(7).map(|n| stop(&mut ext, n)).collect();
	events.push(("stop", typical(stops)));
	let ends = workers(14).map(|n| end(&mut ext, n)).collect();
	events.push(("end", typical(ends)));
	let misses = workers(21).map(|n| measure(&mut ext, || miss(n)).0).collect();
	events.push(("miss", typical(misses)));

	// Until nothing is due any more.
	ext.execute_with(|| blocks(40));
	let (quiet, _) = hook(&mut ext);
	let mut most = Weight::zero();
	ext.execute_with(|| Draws::set(true));
	let (draw, weight) = hook(&mut ext);
	most = most.max(weight);
	let challenged = ext.execute_with(|| {
		Draws::set(false);
		let all: Vec<_> = Sessions::<Test>::iter()
			.filter(|(_, record)| record.challenge.is_some())
			.map(|(worker, _)| worker)
			.collect();
		// As if each had answered.
		for worker in &all {
			Sessions::<Test>::mutate(worker, |record| record.as_mut().unwrap().challenge = None);
		}
		blocks(20);
		all
	});
	let (due, weight) = hook(&mut ext);
	most = most.max(weight);
	assert_eq!(ext.execute_with(|| crate::Batches::<Test>::iter().count()), 0);

	let begun = Instant::now();
	ext.execute_with(|| M::do_try_state().unwrap());
	println!("try_state in {:.1} s", begun.elapsed().as_secs_f32());
	Report { events, drawn: challenged.len() as u32, quiet, draw, due, most }
}

#[test]
fn an_event_costs_the_same_in_a_network_of_100_000() {
	let (small, large) = (report(SMALL), report(LARGE));
	let show = |name: &str, small: &Cost, large: &Cost| {
		println!(
			"| {name} | {}, {} | {}, {} | {} | {} | {:.0} | {:.0} |",
			small.read,
			small.written,
			large.read,
			large.written,
			small.proof,
			large.proof,
			small.time.as_secs_f64() * 1e6,
			large.time.as_secs_f64() * 1e6,
		);
	};
	for ((name, small), (_, large)) in small.events.iter().zip(&large.events) {
		show(name, small, large);
		assert_eq!((small.read, small.written), (large.read, large.written), "{name}");
	}
	show("hook without draw", &small.quiet, &large.quiet);
	show("hook with draw", &small.draw, &large.draw);
	show("hook with answers due", &small.due, &large.due);
	assert_eq!(small.quiet.read, large.quiet.read);
	assert_eq!(small.quiet.written, large.quiet.written);
	// What one more challenge adds to the block that draws it, and to the block in which it is due.
	assert_eq!((small.drawn, large.drawn), (4, 334));
	for (one, report) in [("1,000", &small), ("100,000", &large)] {
		let each = |with: usize, without: usize| (with - without) as f64 / f64::from(report.drawn);
		println!(
			"{one}: {} drawn; each {:.3} read, {:.3} written, {:.0} bytes, {:.1} µs; due {:.3} read",
			report.drawn,
			each(report.draw.read, report.quiet.read),
			each(report.draw.written, report.quiet.written),
			each(report.draw.proof, report.quiet.proof),
			(report.draw.time.as_secs_f64() - report.quiet.time.as_secs_f64()) * 1e6
				/ f64::from(report.drawn),
			each(report.due.read, report.quiet.read),
		);
	}
	// Place and session are read, the session is changed; the rest is for all together.
	let draws = |report: &Report| {
		let k = report.drawn as usize;
		(
			report.draw.read - report.quiet.read - 2 * k,
			report.draw.written - report.quiet.written - k,
		)
	};
	assert_eq!(draws(&small), draws(&large));
	let dues = |report: &Report| report.due.read - report.quiet.read - report.drawn as usize;
	assert_eq!(dues(&small), dues(&large));
	// By the weights, for the largest network.
	let most = small.most.max(large.most);
	assert!(most.ref_time() < 100_000_000_000, "{most:?}");
	assert!(<()>::poll_draw(350).all_gte(<()>::poll_draw(large.drawn)));
}
