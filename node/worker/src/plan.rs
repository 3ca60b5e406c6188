//! What to do next: a pure function of what is final on chain and what is under way.
//!
//! | State | Action |
//! |---|---|
//! | a transaction is under way and can still be included | follow it |
//! | it was decided, or its last block has passed | forget it |
//! | not registered | register |
//! | registered, and another account's | stop |
//! | the attestation does not count, or two fifths of its life are left and renewals do not rest | renew |
//! | no score, or a new one is wanted | measure and report |
//! | another endpoint is wanted | publish it |
//! | otherwise | wait |
//!
//! All times are the chain's: it is the chain that lets an attestation expire, and a TEE's clock is
//! in the hands of its host.

use crate::journal::Pending;
use phala_node_common::chain::AccountId32;
use phala_primitives::BlockRef;

/// A renewal starts when this share of the attestation's life is left, so that it is final before a
/// third is: of 7 days, that leaves 11 hours for whatever goes wrong.
const RENEW_AT: (u64, u64) = (2, 5);

/// Shortest time between two renewals, in seconds, whatever limits the attestation's life.
const RENEWAL_INTERVAL: u64 = 600;

/// What is final on chain, at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
	/// The block.
	pub block: BlockRef,
	/// Its time, in Unix seconds.
	pub now: u64,
	/// The account's next transaction number.
	pub nonce: u64,
	/// The worker, if it is registered.
	pub worker: Option<Registered>,
	/// Unix second until which renewals rest while the attestation counts: one was tried, and would
	/// not have prolonged it.
	pub rests_until: u64,
}

/// The worker's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
	/// Whether this program's account answers for it.
	pub is_ours: bool,
	/// Whether its attestation counts.
	pub counts: bool,
	/// Unix second of the last quote's acceptance.
	pub attested_at: u64,
	/// Unix second from which on it no longer counts.
	pub expires_at: u64,
	/// Block at which the last benchmark began.
	pub scored_at: Option<u32>,
	/// Where it is reached.
	pub endpoint: Option<Vec<u8>>,
	/// Sequence number of the last endpoint.
	pub endpoint_sequence: u64,
}

/// What the operator wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
	/// Where the worker shall be reached; `None` leaves it as it is.
	pub endpoint: Option<Vec<u8>>,
	/// A benchmark even if there is a score: the run must begin after this block.
	pub score_after: Option<u32>,
	/// No benchmark at all.
	pub no_score: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
	/// Follow the transaction under way.
	Follow,
	/// Forget the transaction under way: its fate is final.
	Forget,
	/// Register.
	Register,
	/// Renew.
	Renew,
	/// Measure and report the score.
	Score,
	/// Publish the endpoint, with this sequence number.
	Endpoint {
		/// Higher than the last.
		sequence: u64,
	},
	/// Another account answers for the worker: nothing that this program may change.
	Foreign,
	/// Nothing for this many seconds of the chain's time.
	Wait {
		/// Until the next renewal is due.
		seconds: u64,
	},
}

impl Registered {
	/// The part of a record that matters to its program, for an account.
	pub fn of(record: crate::registry::Worker, account: &AccountId32) -> Self {
		Self {
			is_ours: record.operator == *account,
			counts: record.attested.is_some(),
			attested_at: record.attested_at,
			expires_at: record.judgement.expires_at,
			scored_at: record.score.map(|score| score.started_at),
			endpoint: record.endpoint,
			endpoint_sequence: record.endpoint_sequence,
		}
	}

	/// Unix second from which on a renewal is due.
	pub fn renew_from(&self) -> u64 {
		let life = self.expires_at.saturating_sub(self.attested_at);
		let (share, of) = RENEW_AT;
		// Lives are days, far below where this could overflow.
		let left = (u128::from(life) * u128::from(share) / u128::from(of)) as u64;
		self.expires_at.saturating_sub(left).max(self.attested_at.saturating_add(RENEWAL_INTERVAL))
	}
}

/// What to do next.
pub fn next_action(view: &View, pending: Option<&Pending>, wish: &Wish) -> Action {
	if let Some(Pending { signed, .. }) = pending {
		let decided = signed.nonce < view.nonce || signed.last < view.block.number;
		return if decided { Action::Forget } else { Action::Follow };
	}
	let Some(worker) = &view.worker else { return Action::Register };
	if !worker.is_ours {
		return Action::Foreign;
	}
	let due = worker.renew_from().max(view.rests_until);
	if !worker.counts || due <= view.now {
		return Action::Renew;
	}
	let score_is_old = match (worker.scored_at, wish.score_after) {
		(None, _) => true,
		(Some(last), Some(after)) => last <= after,
		(Some(_), None) => false,
	};
	if score_is_old && !wish.no_score {
		return Action::Score;
	}
	if wish.endpoint.is_some() && wish.endpoint != worker.endpoint {
		let millis = view.now.saturating_mul(1000);
		let sequence = millis.max(worker.endpoint_sequence.saturating_add(1));
		return Action::Endpoint { sequence };
	}
	Action::Wait { seconds: due.saturating_sub(view.now) }
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::journal::Purpose;
	use phala_node_common::chain::Signed;
	use proptest::prelude::*;

	const DAY: u64 = 86_400;

	fn worker() -> Registered {
		Registered {
			is_ours: true,
			counts: true,
			attested_at: 1_000,
			expires_at: 1_000 + 7 * DAY,
			scored_at: Some(5),
			endpoint: None,
			endpoint_sequence: 0,
		}
	}

	fn view(now: u64, worker: Option<Registered>) -> View {
		let block = BlockRef { number: 100, hash: Default::default() };
		View { block, now, nonce: 3, worker, rests_until: 0 }
	}

	fn pending(nonce: u64, last: u32) -> Pending {
		let signed = Signed {
			bytes: vec![],
			hash: Default::default(),
			signer: [0; 32],
			nonce,
			after: 0,
			last,
		};
		Pending { purpose: Purpose::Register, signed }
	}

	fn plan(now: u64, worker: Registered, wish: &Wish) -> Action {
		next_action(&view(now, Some(worker)), None, wish)
	}

	#[test]
	fn the_steps_of_a_worker_come_in_order() {
		let wish = Wish { endpoint: Some(b"tcp://a:1".to_vec()), ..Wish::default() };
		assert_eq!(next_action(&view(1_000, None), None, &wish), Action::Register);
		let unscored = Registered { scored_at: None, ..worker() };
		assert_eq!(plan(1_000, unscored.clone(), &wish), Action::Score);
		let quiet = Wish { no_score: true, ..wish.clone() };
		assert_eq!(plan(1_000, unscored, &quiet), Action::Endpoint { sequence: 1_000_000 });
		let ahead = Registered { endpoint_sequence: 2_000_000, ..worker() };
		assert_eq!(plan(1_000, ahead, &wish), Action::Endpoint { sequence: 2_000_001 });
		let reached = Registered { endpoint: wish.endpoint.clone(), ..worker() };
		assert_eq!(plan(1_000, reached, &wish), Action::Wait { seconds: 7 * DAY * 3 / 5 });
	}

	#[test]
	fn a_new_score_is_made_once_if_wanted() {
		let wish = Wish { score_after: Some(50), ..Wish::default() };
		assert_eq!(plan(1_000, worker(), &wish), Action::Score);
		let scored = Registered { scored_at: Some(51), ..worker() };
		assert!(matches!(plan(1_000, scored, &wish), Action::Wait { .. }));
	}

	#[test]
	fn a_lapsed_worker_is_renewed_and_a_foreign_one_left_alone() {
		let lapsed = Registered { counts: false, ..worker() };
		assert_eq!(plan(1_000, lapsed.clone(), &Wish::default()), Action::Renew);
		let foreign = Registered { is_ours: false, ..lapsed };
		assert_eq!(plan(1_000, foreign, &Wish::default()), Action::Foreign);
	}

	#[test]
	fn while_renewals_rest_only_a_lapsed_worker_is_renewed() {
		let (due, rests_until) = (worker().renew_from(), worker().renew_from() + 1_800);
		let resting = |now, worker| View { rests_until, ..view(now, Some(worker)) };
		let wish = Wish { endpoint: Some(b"tcp://a:1".to_vec()), ..Wish::default() };
		let action = next_action(&resting(due, worker()), None, &wish);
		assert!(matches!(action, Action::Endpoint { .. }));
		let quiet = Wish::default();
		let action = next_action(&resting(due, worker()), None, &quiet);
		assert_eq!(action, Action::Wait { seconds: 1_800 });
		assert_eq!(next_action(&resting(rests_until, worker()), None, &quiet), Action::Renew);
		let lapsed = Registered { counts: false, ..worker() };
		assert_eq!(next_action(&resting(due, lapsed), None, &quiet), Action::Renew);
	}

	#[test]
	fn a_transaction_under_way_comes_first() {
		for (nonce, last, action) in [
			(3, 100, Action::Follow),
			(4, 164, Action::Follow),
			(2, 164, Action::Forget),
			(3, 99, Action::Forget),
		] {
			let view = view(1_000, None);
			assert_eq!(next_action(&view, Some(&pending(nonce, last)), &Wish::default()), action);
		}
	}

	proptest! {
		/// Whatever life the chain grants: the renewal starts before a third is left, but never
		/// within ten minutes of the last, and waiting ends exactly when it is due.
		#[test]
		fn renewal_starts_in_time(attested_at in 0u64..1 << 40, life in 0u64..40 * DAY, at in 0u64..40 * DAY) {
			let worker = Registered { attested_at, expires_at: attested_at + life, ..worker() };
			let due = worker.renew_from();
			prop_assert!(due >= attested_at + RENEWAL_INTERVAL);
			if life > 2 * RENEWAL_INTERVAL {
				prop_assert!(worker.expires_at - due > life / 3);
			}
			let now = attested_at + at;
			match plan(now, worker.clone(), &Wish::default()) {
				Action::Renew => prop_assert!(now >= due),
				Action::Wait { seconds } => {
					prop_assert!(seconds > 0);
					prop_assert_eq!(plan(now + seconds, worker, &Wish::default()), Action::Renew);
				},
				other => prop_assert!(false, "{:?}", other),
			}
		}
	}
}
