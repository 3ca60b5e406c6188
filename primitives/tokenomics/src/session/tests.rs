//! Each event, its effect and its refusals. Sequences of events: `tests/conservation.rs`.

use super::*;
use crate::{Accumulator, PHA, Parameters, Settlement};

struct Economy {
	acc: Accumulator,
	versions: Versions,
}

impl Economy {
	fn new() -> Self {
		let acc = Accumulator::new(0);
		let versions = Versions::new(Parameters::launch(), acc.now()).unwrap();
		Self { acc, versions }
	}

	fn pass(&mut self, blocks: u32) {
		for _ in 0..blocks {
			self.acc.advance(self.acc.now().relay + 1, true, &mut self.versions);
		}
		assert!(self.acc.is_conserved());
	}

	fn start(&mut self, stake: u32, bench: u32, tier: Tier) -> Result<Session, StartError> {
		Session::start(stake as Balance * PHA, bench, tier, &mut self.acc, &self.versions)
	}

	fn settle(&mut self, s: &mut Session, answer: &Answer) -> Result<Settlement, SessionError> {
		s.settle(answer, Balance::MAX, &mut self.acc, &self.versions)
	}
}

fn answer(performance: u32) -> Answer {
	Answer { performance: Fixed::from_u32(performance), tier: Some(Tier::One), serving: false }
}

#[test]
fn start_checks_in_order() {
	let mut e = Economy::new();
	assert_eq!(e.start(0, 49, Tier::One), Err(StartError::ScoreTooLow));
	assert_eq!(e.start(0, MAX_SCORE + 1, Tier::One), Err(StartError::ScoreTooHigh));
	assert_eq!(e.start(353, 50, Tier::One), Err(StartError::StakeTooLow));
	assert_eq!(e.start(19_986, 50, Tier::One), Err(StartError::StakeTooHigh));
	assert_eq!(e.acc, Accumulator::new(0));
	let session = e.start(19_985, 50, Tier::One).unwrap();
	assert_eq!((session.v().to_planck_ceil(), session.initial_v()), (30_000 * PHA, session.v()));
	assert_eq!((session.health(), session.returned()), (Fixed::ONE, 19_985 * PHA));
	assert_eq!((session.share(), session.multiplier()), (e.acc.sum(), Fixed::ONE));
}

#[test]
fn settle_pays_the_interval_and_takes_it_from_the_growth() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	let start = session.v();
	e.pass(600);
	let grown = session.worth(e.acc.now(), &e.versions).v;
	assert!(grown > start);
	let paid = e.settle(&mut session, &answer(1_000)).unwrap();
	// Alone it earned the whole budget; the cap leaves 0.05 % of 3450 PHA, 1.725 PHA.
	assert!(30_000 * PHA - paid.gross < 10);
	assert!(1_380_000_000_000 - paid.pool < 10 && 345_000_000_000 - paid.treasury < 10);
	// That is more than the hour's growth: V is where it was.
	assert_eq!(session.v(), start);
	assert_eq!((e.acc.paid(), e.acc.treasury()), (paid.pool, paid.treasury));
	// Nothing is paid twice.
	assert_eq!(e.settle(&mut session, &answer(1_000)).unwrap(), Settlement::default());
}

#[test]
fn growth_that_is_not_paid_for_stays() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	e.pass(600);
	let grown = session.worth(e.acc.now(), &e.versions).v;
	let paid = session.settle(&answer(1_000), PHA / 10, &mut e.acc, &e.versions).unwrap();
	assert_eq!(paid.pool, PHA / 10 * 4 / 5);
	assert!(paid.shortfall > PHA);
	assert_eq!(session.v(), grown.saturating_sub(Fixed::from_planck_ceil(paid.pool)));
}

#[test]
fn slow_or_less_trusted_work_is_paid_less() {
	let hour = |performance, tier, at_end| {
		let mut e = Economy::new();
		let mut session = e.start(2_000, 1_000, tier).unwrap();
		e.start(15_000, 1_000, Tier::One).unwrap();
		e.pass(600);
		let answer = Answer { tier: at_end, ..answer(performance) };
		e.settle(&mut session, &answer).map(|s| s.pool)
	};
	let full = hour(1_000, Tier::One, Some(Tier::One)).unwrap();
	assert_eq!(hour(1_200, Tier::One, Some(Tier::One)), Ok(full));
	assert!(hour(500, Tier::One, Some(Tier::One)).unwrap().abs_diff(full / 2) < 2);
	assert!(hour(1_000, Tier::One, Some(Tier::Five)).unwrap().abs_diff(full * 7 / 10) < 2);
	// The worse of both ends counts, and V^e is smaller too.
	assert!(hour(1_000, Tier::Five, Some(Tier::One)).unwrap() < full * 7 / 10);
	assert_eq!(hour(1_000, Tier::One, None), Ok(0));
	assert_eq!(hour(499, Tier::One, Some(Tier::One)), Err(SessionError::TooSlow));
}

#[test]
fn an_expired_attestation_earns_and_grows_nothing() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	let v = session.v();
	e.pass(600);
	let expired = Answer { tier: None, ..answer(1_000) };
	let settlement = e.settle(&mut session, &expired).unwrap();
	assert_eq!((settlement.pool, settlement.quality), (0, settlement.gross));
	assert_eq!((session.v(), session.share(), e.acc.sum()), (v, Fixed::ZERO, Fixed::ZERO));
	e.pass(600);
	// Renewed: the interval that began expired pays nothing, the next does.
	assert_eq!(e.settle(&mut session, &answer(1_000)).unwrap(), Settlement::default());
	assert_eq!(session.v(), v);
	e.pass(600);
	assert!(e.settle(&mut session, &answer(1_000)).unwrap().pool > 0);
}

#[test]
fn growth_follows_the_measured_speed_unless_serving() {
	let grown = |performance, serving, serves_until_the_end| {
		let mut e = Economy::new();
		let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
		e.settle(&mut session, &Answer { serving, ..answer(performance) }).unwrap();
		e.pass(600);
		let last = Answer { serving: serves_until_the_end, ..answer(performance) };
		let none = session.settle(&last, 0, &mut e.acc, &e.versions).unwrap();
		assert_eq!(none.pool, 0);
		session.v()
	};
	let (full, half) = (grown(1_000, false, false), grown(500, false, false));
	assert!(half < full && full < grown(1_200, false, false));
	assert_eq!((grown(500, true, true), grown(500, true, false)), (full, half));
}

#[test]
fn a_miss_forfeits_and_decays_until_recovery() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	let v = session.v();
	e.pass(600);
	let forfeited = session.miss(&mut e.acc).unwrap();
	assert!(30_000 * PHA - forfeited < 10);
	assert_eq!((session.v(), session.share()), (v, Fixed::ZERO));
	assert_eq!(e.acc.withheld(), 30_000 * PHA);
	e.pass(599);
	let early = session.recover(&answer(1_000), &mut e.acc, &e.versions);
	assert_eq!(early, Err(SessionError::OnProbation));
	e.pass(1);
	let slow = session.recover(&answer(499), &mut e.acc, &e.versions);
	assert_eq!(slow, Err(SessionError::TooSlow));
	let expired = Answer { tier: None, ..answer(1_000) };
	let expired = session.recover(&expired, &mut e.acc, &e.versions);
	assert_eq!(expired, Err(SessionError::NotAttested));
	assert_eq!(session.recover(&answer(1_000), &mut e.acc, &e.versions), Ok(()));
	// (1 − 1/600 000)^600 = 0.99900049958…
	assert_eq!(session.health().times(1_000_000_000).to_planck_floor() / PHA, 999_000_499);
	assert_eq!(session.v(), v.mul_floor(session.health()));
	assert_eq!((e.acc.paid(), session.lost() / PHA), (0, 1));
	// Five hours of computing heal one of absence, to exactly 1.
	for _ in 0..6 {
		e.pass(600);
		e.settle(&mut session, &answer(1_000)).unwrap();
	}
	assert_eq!(session.health(), Fixed::ONE);
}

#[test]
fn decay_pauses_but_pay_does_not_resume() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	session.miss(&mut e.acc).unwrap();
	for _ in 0..700 {
		e.acc.advance(e.acc.now().relay + 1, false, &mut e.versions);
	}
	session.recover(&answer(1_000), &mut e.acc, &e.versions).unwrap();
	assert_eq!((session.health(), e.acc.paid()), (Fixed::ONE, 0));
}

#[test]
fn topping_up_costs_what_health_lacks() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	session.miss(&mut e.acc).unwrap();
	e.pass(6_000);
	let unresponsive = session.top_up(PHA, &mut e.acc, &e.versions);
	assert_eq!(unresponsive, Err(SessionError::NotComputing));
	session.recover(&answer(1_000), &mut e.acc, &e.versions).unwrap();
	let (v, initial, lost) = (session.v(), session.initial_v(), session.lost());
	assert!(lost > 19 * PHA);
	let before = session.clone();
	let too_much = session.top_up(18_000 * PHA, &mut e.acc, &e.versions);
	assert_eq!((too_much, &session), (Err(SessionError::StakeTooHigh), &before));
	assert_eq!(session.top_up(100 * PHA, &mut e.acc, &e.versions), Ok(lost));
	assert_eq!(session.stake(), 2_100 * PHA - lost);
	assert_eq!((session.health(), session.lost()), (Fixed::ONE, 0));
	// 1.5 per PHA, and V keeps its loss.
	assert_eq!(session.v(), v.saturating_add(Fixed::from_u32(150)));
	assert_eq!(session.initial_v(), initial.saturating_add(Fixed::from_u32(150)));
	assert_eq!(e.acc.sum(), session.share());
	e.pass(1);
	assert_eq!(session.top_up(PHA, &mut e.acc, &e.versions), Err(SessionError::SettleFirst));
}

#[test]
fn a_top_up_cannot_leave_too_little() {
	let mut e = Economy::new();
	let mut session = e.start(1_582, 1_000, Tier::One).unwrap();
	session.miss(&mut e.acc).unwrap();
	e.pass(6_000);
	session.recover(&answer(1_000), &mut e.acc, &e.versions).unwrap();
	assert_eq!(session.top_up(PHA, &mut e.acc, &e.versions), Err(SessionError::StakeTooLow));
}

#[test]
fn stop_returns_the_stake_by_health() {
	let mut e = Economy::new();
	let mut good = e.start(2_000, 1_000, Tier::One).unwrap();
	let mut bad = e.start(2_000, 1_000, Tier::One).unwrap();
	bad.miss(&mut e.acc).unwrap();
	e.pass(14_400);
	let share = good.share();
	assert_eq!(e.acc.sum(), share);
	assert!(good.stop(&mut e.acc, &e.versions).unwrap() > 0);
	assert_eq!((good.returned(), good.lost()), (2_000 * PHA, 0));
	let feared = bad.at_risk(14_400, &e.versions);
	assert_eq!(bad.stop(&mut e.acc, &e.versions), Ok(0));
	assert_eq!(bad.lost(), feared);
	// A day of silence: (1 − 1/600 000)^14 400 = 0.97628573….
	assert_eq!(bad.returned() / 1_000_000_000, 1_952_571);
	assert_eq!(bad.returned() + bad.lost(), 2_000 * PHA);
	assert_eq!((e.acc.sum(), e.acc.paid()), (Fixed::ZERO, 0));
	let frozen = bad.clone();
	e.pass(1_000);
	assert_eq!(bad.worth(e.acc.now(), &e.versions).health, frozen.health());
}

/// Every pair of phase and event that the table of the module does not name is refused, and changes
/// nothing.
#[test]
fn illegal_moves_are_refused() {
	let mut e = Economy::new();
	let computing = e.start(2_000, 1_000, Tier::One).unwrap();
	let mut unresponsive = e.start(2_000, 1_000, Tier::One).unwrap();
	unresponsive.miss(&mut e.acc).unwrap();
	let mut stopped = e.start(2_000, 1_000, Tier::One).unwrap();
	stopped.stop(&mut e.acc, &e.versions).unwrap();
	e.pass(700);
	let before = e.acc.clone();
	for session in [&unresponsive, &stopped] {
		let mut s = session.clone();
		assert_eq!(e.settle(&mut s, &answer(1_000)), Err(SessionError::NotComputing));
		assert_eq!(s.miss(&mut e.acc), Err(SessionError::NotComputing));
		assert_eq!(s.top_up(PHA, &mut e.acc, &e.versions), Err(SessionError::NotComputing));
		assert_eq!(&s, session);
	}
	for session in [&computing, &stopped] {
		let mut s = session.clone();
		let refused = s.recover(&answer(1_000), &mut e.acc, &e.versions);
		assert_eq!((refused, &s), (Err(SessionError::NotUnresponsive), session));
	}
	let mut s = stopped.clone();
	assert_eq!(s.stop(&mut e.acc, &e.versions), Err(SessionError::AlreadyStopped));
	assert_eq!((s, e.acc), (stopped, before));
}

#[test]
fn a_change_of_parameters_counts_from_its_block() {
	let mut e = Economy::new();
	let still = Parameters { growth: Fixed::ZERO, cost_slope: Fixed::ZERO, ..Parameters::launch() };
	let still = Parameters { cost_base: Fixed::ZERO, ..still };
	let session = e.start(2_000, 1_000, Tier::One).unwrap();
	e.versions.schedule(still, 300, e.acc.now()).unwrap();
	e.pass(300);
	let then = session.worth(e.acc.now(), &e.versions).v;
	e.pass(300);
	let now = session.worth(e.acc.now(), &e.versions).v;
	assert!(now == then && then > session.v());
}

#[test]
fn a_limit_lowers_v_and_nothing_else() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	e.pass(10);
	let half = Fixed::from_u32(1_725);
	let early = session.limit(half, &mut e.acc, &e.versions);
	assert_eq!(early, Err(SessionError::SettleFirst), "what is owed would be lost");
	e.settle(&mut session, &answer(1_000)).unwrap();
	let before = session.clone();
	assert_eq!(session.limit(Fixed::from_u32(3_451), &mut e.acc, &e.versions), Ok(()));
	assert_eq!(session, before);
	assert_eq!(session.limit(half, &mut e.acc, &e.versions), Ok(()));
	assert_eq!((session.v(), session.initial_v()), (half, before.initial_v()));
	assert_eq!((session.health(), session.stake()), (before.health(), before.stake()));
	assert_eq!(session.share(), crate::share(half, session.performance(), Tier::One));
	assert_eq!(e.acc.sum(), session.share());
	assert!(e.acc.is_conserved());
	session.miss(&mut e.acc).unwrap();
	let silent = session.limit(Fixed::ZERO, &mut e.acc, &e.versions);
	assert_eq!(silent, Err(SessionError::NotComputing));
}

#[test]
fn a_top_up_can_be_checked_before_it_happens() {
	let mut e = Economy::new();
	let mut session = e.start(2_000, 1_000, Tier::One).unwrap();
	for extra in [PHA, 17_000 * PHA, 18_000 * PHA] {
		let checked = session.check_top_up(extra, &e.versions);
		let done = session.clone().top_up(extra, &mut e.acc.clone(), &e.versions);
		assert_eq!(checked, done.map(|_| ()));
	}
	session.miss(&mut e.acc).unwrap();
	assert_eq!(session.check_top_up(PHA, &e.versions), Ok(()));
}
