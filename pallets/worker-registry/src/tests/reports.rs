//! Scores and endpoints, as the worker's key states them.

use super::*;
use phala_primitives::{BenchmarkStatement, ChainId, Endpoint, EndpointStatement, Statement};

fn chain() -> ChainId {
	WorkerRegistry::chain_id()
}

fn statement() -> BenchmarkStatement {
	let number = System::block_number() - 10;
	BenchmarkStatement {
		worker: Subject::default().key(),
		started_at: BlockRef { number, hash: block_hash(number) },
		iterations: 60_000,
		elapsed_ms: 60_000,
	}
}

fn report(statement: BenchmarkStatement) -> DispatchResult {
	let signature = statement.sign(&chain(), &Subject::default().pair());
	WorkerRegistry::report_score(RuntimeOrigin::signed(account("anybody")), statement, signature)
}

fn refused(error: StatementError) -> DispatchError {
	Error::<Test>::Statement(error).into()
}

fn with_worker(test: impl FnOnce(Subject)) {
	with_collateral(|| {
		run_to_block(250);
		assert_ok!(Subject::default().register());
		events();
		test(Subject::default());
	});
}

#[test]
fn report_score_works() {
	with_worker(|subject| {
		assert_ok!(report(statement()));
		assert_eq!(events(), vec![Event::ScoreReported { worker: subject.key(), score: 6_000 }]);
		assert_eq!(subject.attested().expect("it is attested").score, 6_000);
	});
}

#[test]
fn report_score_fails_for_what_cannot_be() {
	with_worker(|_| {
		let at = |number, hash| BlockRef { number, hash };
		for (changed, error) in [
			(BenchmarkStatement { elapsed_ms: 0, ..statement() }, StatementError::TooShort),
			(BenchmarkStatement { elapsed_ms: 19_999, ..statement() }, StatementError::TooShort),
			(BenchmarkStatement { iterations: 0, ..statement() }, StatementError::ScoreOutOfBounds),
			(
				BenchmarkStatement { iterations: u64::MAX, ..statement() },
				StatementError::ScoreOutOfBounds,
			),
			// 500 seconds by the chain, 60 by the worker.
			(
				BenchmarkStatement { started_at: at(150, block_hash(150)), ..statement() },
				StatementError::ClockTooSlow,
			),
			(
				BenchmarkStatement { started_at: at(49, block_hash(49)), ..statement() },
				StatementError::BlockTooOld,
			),
			(
				BenchmarkStatement { started_at: at(250, block_hash(250)), ..statement() },
				StatementError::BlockUnknown,
			),
			(
				BenchmarkStatement { started_at: at(240, H256::zero()), ..statement() },
				StatementError::BlockOnOtherFork,
			),
		] {
			assert_noop!(report(changed), refused(error));
		}
	});
}

#[test]
fn report_score_is_monotone_and_signed_by_the_worker() {
	with_worker(|subject| {
		let first = statement();
		assert_ok!(report(first));
		assert_noop!(report(first), refused(StatementError::NotNewer));
		next_block();
		let signature = statement().sign(&chain(), &sr25519::Pair::from_seed(&[3; 32]));
		let anybody = RuntimeOrigin::signed(account("anybody"));
		assert_noop!(
			WorkerRegistry::report_score(anybody.clone(), statement(), signature),
			refused(StatementError::BadSignature)
		);
		let sister = ChainId { para_id: 2_036, ..chain() };
		let signature = statement().sign(&sister, &subject.pair());
		assert_noop!(
			WorkerRegistry::report_score(anybody, statement(), signature),
			refused(StatementError::BadSignature)
		);
		assert_ok!(report(statement()));
	});
}

#[test]
fn a_slow_clock_inside_the_slack_gains_a_bounded_factor() {
	with_worker(|_| {
		// Twenty blocks, so at least 120 s; the worker says 60 s and has 60 s of slack.
		let number = System::block_number() - 20;
		let started_at = BlockRef { number, hash: block_hash(number) };
		assert_ok!(report(BenchmarkStatement { started_at, ..statement() }));
		next_block();
		let started_at = BlockRef { number: number + 1, hash: block_hash(number + 1) };
		let slower = BenchmarkStatement { started_at, elapsed_ms: 59_999, ..statement() };
		assert_noop!(report(slower), refused(StatementError::ClockTooSlow));
	});
}

#[test]
fn statements_of_workers_that_do_not_count_are_refused() {
	with_worker(|subject| {
		let expires_at = subject.record().judgement.expires_at;
		Clock::set(expires_at);
		assert_noop!(report(statement()), Error::<Test>::NotAttested);
		let unknown = Subject { worker: "unknown", ..Subject::default() };
		let statement = BenchmarkStatement { worker: unknown.key(), ..statement() };
		assert_noop!(report(statement), Error::<Test>::WorkerNotFound);
	});
}

/// Above the milliseconds at registration.
const SEQUENCE: u64 = 1 << 50;

fn set_endpoint(sequence: u64, url: Option<&str>) -> DispatchResult {
	let sequence = SEQUENCE + sequence;
	let endpoint = url.map(|url| Endpoint::truncate_from(url.as_bytes().to_vec()));
	let statement = EndpointStatement { worker: Subject::default().key(), sequence, endpoint };
	let signature = statement.sign(&chain(), &Subject::default().pair());
	WorkerRegistry::set_endpoint(RuntimeOrigin::signed(account("anybody")), statement, signature)
}

#[test]
fn set_endpoint_works_and_is_monotone() {
	with_worker(|subject| {
		assert_ok!(set_endpoint(5, Some("https://worker.example")));
		let endpoint = Some(Endpoint::truncate_from(b"https://worker.example".to_vec()));
		assert_eq!(subject.record().endpoint, endpoint);
		assert_eq!(events(), vec![Event::EndpointSet { worker: subject.key(), endpoint }]);
		for old in [0, 4, 5] {
			assert_noop!(
				set_endpoint(old, Some("https://old.example")),
				refused(StatementError::NotNewer)
			);
		}
		assert_noop!(
			set_endpoint(6, Some("not a url")),
			refused(StatementError::ImplausibleEndpoint)
		);
		assert_ok!(set_endpoint(6, None));
		assert_eq!(subject.record().endpoint, None);
	});
}

#[test]
fn set_endpoint_fails_for_another_signer() {
	with_worker(|subject| {
		let statement =
			EndpointStatement { worker: subject.key(), sequence: SEQUENCE, endpoint: None };
		let signature = statement.sign(&chain(), &sr25519::Pair::from_seed(&[3; 32]));
		assert_noop!(
			WorkerRegistry::set_endpoint(subject.origin(), statement, signature),
			refused(StatementError::BadSignature)
		);
	});
}

#[test]
fn an_endpoint_of_an_earlier_registration_is_not_taken_again() {
	with_worker(|subject| {
		let sequence = Clock::get() * 1_000 + 1;
		let endpoint = Some(Endpoint::truncate_from(b"https://old.example".to_vec()));
		let statement = EndpointStatement { worker: subject.key(), sequence, endpoint };
		let signature = statement.sign(&chain(), &subject.pair());
		let set = || {
			let anybody = RuntimeOrigin::signed(account("anybody"));
			WorkerRegistry::set_endpoint(anybody, statement.clone(), signature)
		};
		assert_ok!(set());
		assert_ok!(WorkerRegistry::deregister(subject.origin(), subject.key()));
		Clock::mutate(|now| *now += 6);
		next_block();
		assert_ok!(subject.register());
		assert_noop!(set(), refused(StatementError::NotNewer));
	});
}

#[test]
fn renewal_keeps_score_and_endpoint() {
	with_worker(|subject| {
		assert_ok!(report(statement()));
		assert_ok!(set_endpoint(5, Some("https://worker.example")));
		next_block();
		assert_ok!(subject.renew());
		let record = subject.record();
		assert_eq!(record.score.map(|score| score.value), Some(6_000));
		assert_eq!((record.endpoint.is_some(), record.endpoint_sequence), (true, SEQUENCE + 5));
	});
}
