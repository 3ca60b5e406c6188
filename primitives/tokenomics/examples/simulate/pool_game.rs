//! A pool and two of its delegators: one who stays, one who comes for lumps and leaves for losses.
//!
//! Rounds of 6 hours. A contribution earns from the next round, a withdrawal is paid at the end of
//! the next. At a miss, the most that the worker can lose until the chain stops it leaves the price
//! into a tranche of those who hold shares then; what is not lost in the end comes back to them.

use phala_tokenomics::{
	Balance, Fixed, PHA,
	pool::{Rewards, Shares, Tranche, split_loss},
};
use sp_arithmetic::Perbill;

/// What a round brings to the pool.
#[derive(Clone, Copy, Debug)]
pub struct Round {
	/// Reward of the round, PHA.
	pub reward: u32,
	/// Whether a worker is silent.
	pub silent: bool,
	/// A worker misses at its begin: this part of 100 000 of the pool is feared lost.
	pub feared: u32,
	/// A miss is resolved at its end: this part of 100 000 is lost.
	pub lost: Option<u32>,
}

#[derive(Default)]
struct Delegator {
	shares: Balance,
	since: Fixed,
	cash: Balance,
	/// Contributed, earning from the next round.
	pending: Balance,
	leaving: bool,
	/// Shares that a tranche knows.
	in_tranche: Balance,
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
	let mut tranche: Option<Tranche> = None;
	pool.issue(rest).expect("an empty pool sells shares");
	let mut players = [Delegator::default(), Delegator::default()];
	for player in &mut players {
		player.cash = capital;
	}
	for (n, round) in rounds.iter().enumerate() {
		// What was asked for a round ago happens.
		for player in &mut players {
			if player.leaving {
				player.cash += rewards.owed(player.shares, player.since);
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
			if wants && player.shares == 0 {
				player.pending = std::mem::take(&mut player.cash);
			} else if !wants && player.shares > 0 {
				player.leaving = true;
			}
		}
		if round.feared > 0 && tranche.is_none() {
			let shares = pool.total();
			let amount = pool.lose(pool.value() * Balance::from(round.feared) / 100_000);
			tranche = Some(Tranche::new(amount, shares));
			players.iter_mut().for_each(|player| player.in_tranche = player.shares);
		}
		if let (Some(lost), Some(held)) = (round.lost, tranche.take()) {
			// What was feared and not lost goes back to those who held the shares then.
			for player in &mut players {
				let part = held.part(std::mem::take(&mut player.in_tranche));
				let feared = rounds[..=n].iter().rev().find(|r| r.feared > 0);
				let feared = feared.map_or(1, |r| r.feared);
				player.cash +=
					part * Balance::from(feared - lost.min(feared)) / Balance::from(feared);
			}
		}
		rewards.credit(Balance::from(round.reward) * PHA, pool.total());
	}
	players
		.map(|p| {
			let earned = rewards.owed(p.shares, p.since);
			p.cash + p.pending + pool.worth(p.shares) + earned
		})
		.into()
}

/// What an owner gains by reporting a loss of his own pool, in planck: never more than 0.
pub fn self_report(loss: Balance, owner_stake: Balance, reporter: Perbill) -> i128 {
	let split = split_loss(loss, owner_stake, reporter);
	split.reporter as i128 - split.owner as i128
}
