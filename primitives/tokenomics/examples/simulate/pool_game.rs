//! A pool and two of its delegators: one who stays, one who comes for lumps and leaves for losses.
//!
//! Rounds of 6 hours. A contribution earns from the next round, a withdrawal is paid at the end of
//! the next. The owner has nothing to lose, so that from a miss to the worker's return or stop shares
//! rest: those who hold them at the miss bear what is lost in the end.

use phala_tokenomics::{
	Balance, Fixed, PHA,
	pool::{Rewards, Shares, split_loss},
};
use sp_arithmetic::Perbill;

/// What a round brings to the pool.
#[derive(Clone, Copy, Debug)]
pub struct Round {
	/// Reward of the round, PHA.
	pub reward: u32,
	/// Whether a worker is silent.
	pub silent: bool,
	/// Whether a worker misses at its begin.
	pub missed: bool,
	/// A miss is resolved at its end: this part of 100 000 is lost.
	pub lost: Option<u32>,
}

#[derive(Default)]
struct Delegator {
	shares: Balance,
	since: Fixed,
	cash: Balance,
	/// Rewards paid, which neither puts in again: compounding is not what sets the two apart.
	earned: Balance,
	/// Contributed, earning from the next round.
	pending: Balance,
	leaving: bool,
}

/// Planck that the one who stays and the one who times make of `capital` planck each, beside others
/// with `rest` planck. `inside` says for which rounds the latter wants to hold shares, with all
/// rounds known in advance.
pub fn play(
	rounds: &[Round],
	capital: Balance,
	rest: Balance,
	inside: impl Fn(usize) -> bool,
) -> (Balance, Balance) {
	let (mut pool, mut rewards) = (Shares::default(), Rewards::default());
	let mut rests = false;
	pool.issue(rest).expect("an empty pool sells shares");
	let mut players = [Delegator::default(), Delegator::default()];
	for player in &mut players {
		player.cash = capital;
	}
	for (n, round) in rounds.iter().enumerate() {
		// What was asked for a round ago happens.
		for player in &mut players {
			if player.leaving && !rests {
				player.earned += rewards.owed(player.shares, player.since);
				player.cash += pool.redeem(std::mem::take(&mut player.shares)).unwrap_or(0);
				player.leaving = false;
			}
			if player.pending > 0 {
				player.since = rewards.per_share();
				let amount = std::mem::take(&mut player.pending);
				match pool.issue(amount) {
					Ok(shares) => player.shares = shares,
					Err(_) => player.cash += amount,
				}
			}
		}
		// What they ask for now.
		for (who, player) in players.iter_mut().enumerate() {
			let wants = who == 0 || inside(n + 1);
			if player.shares > 0 {
				// While shares rest he may change his mind.
				player.leaving = !wants;
			} else if wants && !rests {
				player.pending = std::mem::take(&mut player.cash);
			}
		}
		rests |= round.missed;
		if let Some(lost) = round.lost {
			pool.lose(pool.value() * Balance::from(lost) / 100_000);
			rests = false;
		}
		rewards.credit(Balance::from(round.reward) * PHA, pool.total());
	}
	players
		.map(|p| {
			let owed = rewards.owed(p.shares, p.since);
			p.cash + p.pending + pool.worth(p.shares) + p.earned + owed
		})
		.into()
}

/// What an owner gains by reporting a loss of his own pool, in planck: never more than 0.
pub fn self_report(loss: Balance, owner_stake: Balance, reporter: Perbill) -> i128 {
	let split = split_loss(loss, owner_stake, reporter);
	split.reporter as i128 - split.owner as i128
}
