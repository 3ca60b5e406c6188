//! Mining and registry as pools see them: the state machine of sessions with stake, health and
//! cool-down, real reports to the real ledger, and pay out of a subsidy.

use super::{
	AccountId, Balances, COOL_DOWN, MiningReports, PHA, Pools, RelayBlock, SUBSIDY, Slashing, Test,
};
use crate::types::PoolId;
use frame_support::{
	parameter_types,
	traits::{
		fungible::Balanced,
		tokens::{Fortitude, Precision, Preservation},
	},
};
use pallet_slashing::ReportsFrom;
use phala_attestation::{Role, Tier};
use phala_primitives::{
	AttestedWorker, AttestedWorkers, EvidenceHash, Mining, OffenceClass, OffenceId, OffenceReport,
	OpenCases, PlatformId, ReportOffence, SessionInfo, SessionState, Slashable, Source,
	StakeKeeper, WorkerKey,
};
use sp_runtime::{DispatchError, DispatchResult, Perquintill};
use std::collections::BTreeMap;

type Credit = crate::CreditOf<Test>;
type Map<V> = BTreeMap<[u8; 32], V>;

/// Storage of the mock lies in its externalities, so that failed calls leave nothing here either.
mod store {
	use super::*;
	use codec::{Decode, Encode};

	pub fn get<V: Decode>(key: &[u8]) -> Option<V> {
		frame_support::storage::unhashed::get(key)
	}

	pub fn put<V: Encode>(key: &[u8], value: &V) {
		frame_support::storage::unhashed::put(key, value)
	}

	pub fn sessions() -> Map<Session> {
		get(b"mock/sessions").unwrap_or_default()
	}
}

/// A session: pool, stake, what its health lost of the stake, state.
#[derive(Clone, Copy, Debug, codec::Encode, codec::Decode)]
pub struct Session {
	pub pool: PoolId,
	pub stake: u128,
	pub lost: u128,
	pub state: SessionState,
}

/// The sessions.
pub struct Sessions;

impl Sessions {
	pub fn get(worker: &WorkerKey) -> Option<Session> {
		store::sessions().get(&worker.0).copied()
	}

	pub fn all() -> Vec<(WorkerKey, Session)> {
		let all = store::sessions().into_iter();
		all.map(|(key, session)| (WorkerKey::from_raw(key), session)).collect()
	}

	fn set(worker: &WorkerKey, session: Option<Session>) {
		let mut sessions = store::sessions();
		match session {
			Some(session) => sessions.insert(worker.0, session),
			None => sessions.remove(&worker.0),
		};
		store::put(b"mock/sessions", &sessions);
	}
}

parameter_types! {
	pub static Fresh: u64 = 0;
}

pub fn reset() {
	store::put(b"mock/operators", &Map::<AccountId>::new());
}

/// Attests a worker.
pub fn register(worker: WorkerKey, operator: AccountId) {
	set_operator(worker, Some(operator));
}

/// Changes a worker's operator, or ends its attestation.
pub fn set_operator(worker: WorkerKey, operator: Option<AccountId>) {
	let mut all: Map<AccountId> = store::get(b"mock/operators").unwrap_or_default();
	match operator {
		Some(operator) => all.insert(worker.0, operator),
		None => all.remove(&worker.0),
	};
	store::put(b"mock/operators", &all);
}

pub struct Registry;
impl AttestedWorkers<AccountId> for Registry {
	fn attested_within(worker: &WorkerKey, _grace: u64) -> Option<AttestedWorker<AccountId>> {
		let all: Map<AccountId> = store::get(b"mock/operators")?;
		let operator = *all.get(&worker.0)?;
		let platform = PlatformId::repeat_byte(worker.0[0]);
		Some(AttestedWorker {
			operator,
			role: if worker.0[0] == 255 { Role::Gatekeeper } else { Role::Worker },
			tier: Tier::One,
			platform,
			score: 1_000,
			expires_at: u64::MAX,
		})
	}
}

const MINIMUM: u128 = 10 * PHA;

/// Reports an outage that costs `amount` of what can still be taken.
pub fn report(worker: WorkerKey, amount: u128) -> Result<OffenceId, DispatchError> {
	Fresh::mutate(|fresh| *fresh += 1);
	let stake = <Pools as Slashable<WorkerKey>>::stake(&worker);
	ReportsFrom::<Test, MiningReports>::report(OffenceReport {
		class: OffenceClass::Outage,
		offender: worker,
		committed: RelayBlock::get(),
		evidence: EvidenceHash::of(&Fresh::get()),
		severity: Perquintill::from_rational(amount.min(stake), stake.max(1)),
		source: Source::Measured,
	})
}

/// A worker missed a challenge, or answered again: so much of its stake is at risk.
pub fn silent(worker: WorkerKey, amount: u128) {
	if let Some(session) = Sessions::get(&worker) {
		<Pools as StakeKeeper<_, Credit>>::on_at_risk(&session.pool, &worker, amount);
	}
}

/// Health of a session sinks.
pub fn lose(worker: WorkerKey, amount: u128) {
	if let Some(mut session) = Sessions::get(&worker) {
		session.lost = session.stake.min(session.lost + amount);
		Sessions::set(&worker, Some(session));
	}
}

/// Pays a worker's pool.
pub fn pay(worker: WorkerKey, amount: u128) {
	let session = Sessions::get(&worker).unwrap();
	let credit = Balances::withdraw(
		&SUBSIDY,
		amount,
		Precision::Exact,
		Preservation::Preserve,
		Fortitude::Polite,
	);
	assert!(<Pools as StakeKeeper<_, Credit>>::on_earned(&session.pool, &worker, amount));
	assert!(<Pools as StakeKeeper<PoolId, _>>::on_paid(credit.unwrap()).is_ok());
}

/// The chain ends a session by itself, as after a day of silence. What its health lost is reported.
pub fn end(worker: WorkerKey) {
	let Some(mut session) = Sessions::get(&worker) else { return };
	if session.lost > 0 {
		let _ = report(worker, session.lost);
	}
	session.state = SessionState::CoolingDown { until: RelayBlock::get() + COOL_DOWN };
	Sessions::set(&worker, Some(session));
	<Pools as StakeKeeper<_, Credit>>::on_ended(&session.pool, &worker);
}

/// Lets a session's cool-down be over.
pub fn cooled(worker: WorkerKey) {
	let mut session = Sessions::get(&worker).unwrap();
	session.state = SessionState::CoolingDown { until: 0 };
	Sessions::set(&worker, Some(session));
}

pub struct MockMining;
impl Mining<PoolId> for MockMining {
	fn start(worker: &WorkerKey, pool: PoolId, stake: u128) -> DispatchResult {
		if Sessions::get(worker).is_some() {
			return Err("it has a session".into());
		}
		if stake < MINIMUM {
			return Err("too little stake".into());
		}
		let session = Session { pool, stake, lost: 0, state: SessionState::Computing };
		Sessions::set(worker, Some(session));
		Ok(())
	}

	fn top_up(worker: &WorkerKey, added: u128) -> DispatchResult {
		let mut session = Sessions::get(worker).ok_or("no session")?;
		if session.state != SessionState::Computing {
			return Err("it does not run".into());
		}
		if session.lost > 0 {
			report(*worker, session.lost)?;
		}
		(session.lost, session.stake) = (0, session.stake + added);
		Sessions::set(worker, Some(session));
		silent(*worker, 0);
		Ok(())
	}

	fn stop(worker: &WorkerKey) -> DispatchResult {
		let session = Sessions::get(worker).ok_or("no session")?;
		if session.state != SessionState::Computing {
			return Err("it does not run".into());
		}
		end(*worker);
		Ok(())
	}

	fn reclaim(worker: &WorkerKey) -> Result<u128, DispatchError> {
		let session = Sessions::get(worker).ok_or("no session")?;
		let SessionState::CoolingDown { until } = session.state else {
			return Err("it runs".into());
		};
		if RelayBlock::get() < until || Slashing::has_open_case(worker) {
			return Err("it cools down".into());
		}
		Sessions::set(worker, None);
		Ok(session.stake)
	}

	fn session(worker: &WorkerKey) -> Option<SessionInfo<PoolId>> {
		let Session { pool, stake, lost, state } = Sessions::get(worker)?;
		let health = Perquintill::from_rational(stake - lost, stake);
		Some(SessionInfo { keeper: pool, stake, state, health })
	}

	fn minimum_stake(_worker: &WorkerKey) -> Option<u128> {
		Some(MINIMUM)
	}

	fn cool_down() -> u32 {
		COOL_DOWN
	}
}

/// Sets the stage for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct Helper;

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper<AccountId> for Helper {
	fn worker(seed: u32, operator: &AccountId) -> WorkerKey {
		let mut raw = [1; 32];
		raw[..4].copy_from_slice(&seed.to_be_bytes());
		let worker = WorkerKey::from_raw(raw);
		register(worker, *operator);
		worker
	}

	fn stake() -> u128 {
		MINIMUM
	}

	fn cool(worker: &WorkerKey) {
		cooled(*worker);
	}

	fn silence(workers: &[WorkerKey]) {
		for worker in workers {
			lose(*worker, MINIMUM / 100);
			silent(*worker, MINIMUM / 100);
		}
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_slashing::benchmarking::BenchmarkHelper<WorkerKey> for Helper {
	fn offender(seed: u32) -> WorkerKey {
		super::worker(seed as u8)
	}

	fn later(_: u32) {}
}
