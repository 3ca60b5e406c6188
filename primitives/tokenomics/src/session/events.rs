//! The events of a session.

use super::{Answer, MAX_SCORE, Phase, Session, SessionError, StartError, Worth};
use crate::{
	Accumulator, Balance, Fixed, Position, Settlement, Tier, Versions, performance, value,
};

impl Session {
	/// Starts to compute: V = V^e, health 1, earning from now on.
	pub fn start(
		stake: Balance,
		bench: u32,
		tier: Tier,
		acc: &mut Accumulator,
		versions: &Versions,
	) -> Result<Self, StartError> {
		let p = versions.current();
		if bench < p.min_score {
			return Err(StartError::ScoreTooLow);
		}
		if bench > MAX_SCORE {
			return Err(StartError::ScoreTooHigh);
		}
		if stake < p.min_stake(bench) {
			return Err(StartError::StakeTooLow);
		}
		let v = p.initial_value(stake, bench, tier);
		if v > p.v_max {
			return Err(StartError::StakeTooHigh);
		}
		let performance = Fixed::from_u32(bench);
		Ok(Self {
			stake,
			bench,
			tier,
			initial_v: v,
			v,
			health: Fixed::ONE,
			performance,
			serving: false,
			at: acc.now(),
			phase: Phase::Computing(acc.add_share(value::share(v, performance, tier))),
		})
	}

	/// Settles the interval since the last event with an on-time answer.
	///
	/// `available` is what the pot can pay. The caller moves `pool` and `treasury` of the result; the
	/// accumulator has booked them.
	///
	/// If the attestation expired, the interval pays nothing and V does not grow; the worker has no
	/// share until an answer with a good one. The tier that counts for an interval is the worse of
	/// those at its two ends, and it served only if it did at both.
	pub fn settle(
		&mut self,
		answer: &Answer,
		available: Balance,
		acc: &mut Accumulator,
		versions: &Versions,
	) -> Result<Settlement, SessionError> {
		let position = self.position()?;
		if !performance::is_computing(answer.performance, self.bench) {
			return Err(SessionError::TooSlow);
		}
		let now = acc.now();
		let gross = acc.remove_share(position);
		let measured = answer.performance.min(performance::ceiling(self.bench));
		let settlement = match answer.tier {
			Some(tier) => {
				let factor = performance::pay_factor(measured, self.bench, self.tier.worse(tier));
				let most = versions.pieces(self.at, now).fold(0, |sum: Balance, piece| {
					sum.saturating_add(piece.parameters.most_pay(self.v, piece.active))
				});
				versions.current().split(gross, factor, most, available)
			}
			None => Settlement { gross, quality: gross, ..Settlement::default() },
		};
		let booked = acc.pay(settlement.pool, settlement.treasury);
		debug_assert!(booked, "a settlement pays at most what its position was owed");

		if answer.tier.is_some() && position.share() > Fixed::ZERO {
			// It served for the interval if it did at both ends.
			self.serving &= answer.serving;
			let Worth { v, health } = self.worth(now, versions);
			let growth = v.saturating_sub(self.v);
			self.v = v.saturating_sub(growth.min(Fixed::from_planck_ceil(settlement.pool)));
			self.health = health;
		}
		self.compute(answer.tier, measured, answer.serving, acc, versions);
		Ok(settlement)
	}

	/// Declares the session unresponsive. Pay, growth and healing since the last event are
	/// forfeited; returns the forfeited pay in planck.
	pub fn miss(&mut self, acc: &mut Accumulator) -> Result<Balance, SessionError> {
		let forfeited = acc.remove_share(self.position()?);
		self.at = acc.now();
		self.serving = false;
		self.phase = Phase::Unresponsive;
		Ok(forfeited)
	}

	/// Returns to computing with an on-time answer after the probation. Pays nothing.
	pub fn recover(
		&mut self,
		answer: &Answer,
		acc: &mut Accumulator,
		versions: &Versions,
	) -> Result<(), SessionError> {
		if !matches!(self.phase, Phase::Unresponsive) {
			return Err(SessionError::NotUnresponsive);
		}
		let now = acc.now();
		if now.active.saturating_sub(self.at.active) < versions.current().probation {
			return Err(SessionError::OnProbation);
		}
		if !performance::is_computing(answer.performance, self.bench) {
			return Err(SessionError::TooSlow);
		}
		let tier = answer.tier.ok_or(SessionError::NotAttested)?;
		let Worth { v, health } = self.worth(now, versions);
		(self.v, self.health) = (v, health);
		let measured = answer.performance.min(performance::ceiling(self.bench));
		self.compute(Some(tier), measured, answer.serving, acc, versions);
		Ok(())
	}

	/// Adds `extra` planck to the stake of a session that was settled in this block.
	///
	/// Health costs what it lacks: (1 − h)·S is slashed and returned here, for the caller to report
	/// to the slashing ledger. V and V^e gain f·`extra`; what V lost, it lost.
	pub fn top_up(
		&mut self,
		extra: Balance,
		acc: &mut Accumulator,
		versions: &Versions,
	) -> Result<Balance, SessionError> {
		let position = self.position()?;
		if self.at != acc.now() || acc.owed(&position) > 0 {
			return Err(SessionError::SettleFirst);
		}
		let (stake, added) = self.with_more(extra, versions)?;
		let initial_v = self.initial_v.saturating_add(added);
		let slashed = self.lost();
		acc.remove_share(position);
		self.stake = stake;
		self.health = Fixed::ONE;
		self.initial_v = initial_v;
		self.v = self.v.saturating_add(added).min(versions.current().v_max);
		// Without a share, the attestation had expired: that remains so.
		let tier = (position.share() > Fixed::ZERO).then_some(self.tier);
		self.compute(tier, self.performance, self.serving, acc, versions);
		Ok(slashed)
	}

	/// Whether `extra` planck could be added to the stake if the session were settled now.
	pub fn check_top_up(&self, extra: Balance, versions: &Versions) -> Result<(), SessionError> {
		self.with_more(extra, versions).map(|_| ())
	}

	/// The stake with `extra` planck more and without what health lacks, and what V^e gains.
	fn with_more(
		&self,
		extra: Balance,
		versions: &Versions,
	) -> Result<(Balance, Fixed), SessionError> {
		let p = versions.current();
		let added = p.stake_factor(self.tier).mul_floor(Fixed::from_planck_floor(extra));
		if self.initial_v.saturating_add(added) > p.v_max {
			return Err(SessionError::StakeTooHigh);
		}
		let stake = self.returned().saturating_add(extra);
		if stake < p.min_stake(self.bench) {
			return Err(SessionError::StakeTooLow);
		}
		Ok((stake, added))
	}

	/// Lowers V to `most`, for instance to what is left of a cap that several sessions share. Right
	/// after another event of the same block, as only then nothing is owed by the share of before.
	pub fn limit(
		&mut self,
		most: Fixed,
		acc: &mut Accumulator,
		versions: &Versions,
	) -> Result<(), SessionError> {
		let position = self.position()?;
		if self.v <= most {
			return Ok(());
		}
		if self.at != acc.now() || acc.owed(&position) > 0 {
			return Err(SessionError::SettleFirst);
		}
		acc.remove_share(position);
		self.v = most;
		let tier = (position.share() > Fixed::ZERO).then_some(self.tier);
		self.compute(tier, self.performance, self.serving, acc, versions);
		Ok(())
	}

	/// Stops for good. Pay and growth since the last event are forfeited, so settle first; returns
	/// the forfeited pay in planck. [`Self::returned`] is then final.
	pub fn stop(
		&mut self,
		acc: &mut Accumulator,
		versions: &Versions,
	) -> Result<Balance, SessionError> {
		let forfeited = match self.phase {
			Phase::Computing(position) => acc.remove_share(position),
			Phase::Unresponsive => {
				let Worth { v, health } = self.worth(acc.now(), versions);
				(self.v, self.health) = (v, health);
				0
			}
			Phase::CoolingDown => return Err(SessionError::AlreadyStopped),
		};
		self.at = acc.now();
		self.phase = Phase::CoolingDown;
		Ok(forfeited)
	}

	fn position(&self) -> Result<Position, SessionError> {
		match self.phase {
			Phase::Computing(position) => Ok(position),
			_ => Err(SessionError::NotComputing),
		}
	}

	/// Computes from now on, with a share if attested.
	fn compute(
		&mut self,
		tier: Option<Tier>,
		performance: Fixed,
		serving: bool,
		acc: &mut Accumulator,
		versions: &Versions,
	) {
		self.tier = tier.unwrap_or(self.tier);
		self.v = self.v.min(versions.current().v_max);
		self.performance = performance;
		self.serving = serving;
		self.at = acc.now();
		let share = match tier {
			Some(tier) => value::share(self.v, performance, tier),
			None => Fixed::ZERO,
		};
		self.phase = Phase::Computing(acc.add_share(share));
	}
}
