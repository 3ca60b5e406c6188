//! Who gets a seat: what may change in an era. Pure.

use alloc::vec::Vec;
use phala_primitives::{PlatformId, WorkerKey};

/// Somebody with a gatekeeper and a bond behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nominee<AccountId> {
	/// Whose bond.
	pub account: AccountId,
	/// Identity of its TEE.
	pub worker: WorkerKey,
	/// The machine.
	pub platform: PlatformId,
	/// Weight of its own bond in the election.
	pub votes: u64,
}

/// Somebody in office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incumbent<AccountId> {
	/// Who. Where it cannot stay, the machine and the bond do not matter.
	pub who: Nominee<AccountId>,
	/// Its attestation counts, and a bond answers for it.
	pub can_stay: bool,
}

/// How many of `seats` may change in an era: ⌊(n − 1)/3⌋. Fewer than a third stay honest as a rule, so
/// that an attacker needs several eras in which everybody sees it come.
pub const fn most_changes(seats: usize) -> usize {
	seats.saturating_sub(1) / 3
}

impl<AccountId: PartialEq> Nominee<AccountId> {
	/// Is it the same seat: the same bond, and the same machine's share?
	fn is(&self, other: &Self) -> bool {
		self.account == other.account && self.worker == other.worker
	}

	/// Can the two not sit together?
	fn collides(&self, other: &Self) -> bool {
		self.account == other.account
			|| self.worker == other.worker
			|| self.platform == other.platform
	}
}

/// Seats `winners`, best first, as far as `office` allows; at least `least`, at most `desired` or as many
/// as are in office.
///
/// - Who cannot stay is out, however many they are: they could take part in no ceremony. Nor can who
///   moved to the machine of another member with more of a claim.
/// - Of the others no more leave than may change: those with most bond are held back, also against
///   their will. More are held back if the set would be too small without them.
/// - No more come in than may change. Without anybody in office there is nothing to guard yet.
///
/// The error is how many could be seated.
pub fn seat<AccountId: Clone + PartialEq>(
	winners: &[Nominee<AccountId>],
	office: &[Incumbent<AccountId>],
	desired: usize,
	least: usize,
) -> Result<Vec<Nominee<AccountId>>, usize> {
	let sits = |one: &&Nominee<AccountId>| office.iter().any(|seat| seat.who.is(one));
	let wins = |one: &Nominee<AccountId>| winners.iter().any(|winner| winner.is(one));
	let limit = if office.is_empty() { desired } else { most_changes(office.len()) };

	let stay: Vec<_> = winners.iter().filter(sits).cloned().collect();
	let mut out: Vec<_> = office.iter().filter(|seat| !wins(&seat.who)).collect();
	out.sort_by_key(|seat| core::cmp::Reverse(seat.who.votes));
	let (mut leaving, mut lost): (Vec<&Incumbent<AccountId>>, usize) = (Vec::new(), 0);
	for seat in out {
		let collides = |other: &Nominee<AccountId>| seat.who.collides(other);
		let alone = !stay.iter().chain(leaving.iter().map(|seat| &seat.who)).any(collides);
		match seat.can_stay && alone {
			true => leaving.push(seat),
			false => lost = lost.saturating_add(1),
		}
	}
	let may_leave = limit.saturating_sub(lost);

	let mut seated = 0;
	for held in leaving.len().saturating_sub(may_leave)..=leaving.len() {
		let mut set = stay.clone();
		set.extend(leaving.iter().take(held).map(|seat| seat.who.clone()));
		let room = desired.saturating_sub(set.len()).min(limit);
		for one in winners.iter().filter(|one| !sits(one)) {
			let entered = set.len().saturating_sub(stay.len()).saturating_sub(held);
			if entered < room && !set.iter().any(|other| one.collides(other)) {
				set.push(one.clone());
			}
		}
		if set.len() >= least.max(1) {
			return Ok(set);
		}
		seated = seated.max(set.len());
	}
	Err(seated)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use sp_core::H256;

	fn who(account: u64) -> Nominee<u64> {
		on(account, account, account)
	}

	fn on(account: u64, worker: u64, platform: u64) -> Nominee<u64> {
		Nominee {
			account,
			worker: sp_core::sr25519::Public::from_raw(H256::from_low_u64_be(worker).0),
			platform: H256::from_low_u64_be(platform),
			votes: account,
		}
	}

	fn all(accounts: &[u64]) -> Vec<Nominee<u64>> {
		accounts.iter().copied().map(who).collect()
	}

	fn office(accounts: &[u64], lost: &[u64]) -> Vec<Incumbent<u64>> {
		let seat =
			|account: &u64| Incumbent { who: who(*account), can_stay: !lost.contains(account) };
		accounts.iter().map(seat).collect()
	}

	fn seated(
		winners: &[u64],
		incumbents: &[u64],
		lost: &[u64],
		least: usize,
	) -> Result<Vec<u64>, usize> {
		let set = seat(&all(winners), &office(incumbents, lost), winners.len().max(4), least)?;
		Ok(set.into_iter().map(|one| one.account).collect())
	}

	#[test]
	fn the_first_set_is_the_winners() {
		assert_eq!(seated(&[9, 1, 5, 7], &[], &[], 4), Ok(vec![9, 1, 5, 7]));
		assert_eq!(seated(&[9, 1, 5], &[], &[], 4), Err(3));
	}

	#[test]
	fn an_attacker_with_all_the_stake_gets_a_third() {
		let sat = [1, 2, 3, 4, 5, 6, 7];
		let attack = [11, 12, 13, 14, 15, 16, 17];
		// Two of seven, and of those who leave the two with the smallest bonds go.
		assert_eq!(seated(&attack, &sat, &[], 7), Ok(vec![7, 6, 5, 4, 3, 11, 12]));
	}

	#[test]
	fn nobody_who_lapsed_stays() {
		let sat = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
		let winners = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14];
		// Four lapsed, three may come: the set is smaller by one.
		let set = seated(&winners, &sat, &[7, 8, 9, 10], 7);
		assert_eq!(set, Ok(vec![1, 2, 3, 4, 5, 6, 11, 12, 13]));
		// With two of the changes used up by them, one may leave.
		let set = seated(&[1, 2, 3, 4, 5, 11, 12, 13, 14, 15], &sat, &[9, 10], 7);
		assert_eq!(set, Ok(vec![1, 2, 3, 4, 5, 8, 7, 11, 12, 13]));
	}

	#[test]
	fn a_walk_out_does_not_end_the_set() {
		// All of seven chill at once, and nobody else stands: two may go, but a set needs seven.
		assert_eq!(seated(&[], &[1, 2, 3, 4, 5, 6, 7], &[], 7).map(|set| set.len()), Ok(7));
		// With ten, three go.
		let sat = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
		assert_eq!(seated(&[], &sat, &[], 7), Ok(vec![10, 9, 8, 7, 6, 5, 4]));
	}

	#[test]
	fn too_few_is_an_error() {
		assert_eq!(seated(&[1, 2, 8], &[1, 2, 3, 4], &[3, 4], 4), Err(3));
	}

	#[test]
	fn a_new_machine_is_a_change() {
		let sat = office(&[1, 2, 3, 4], &[]);
		let winners = [who(1), who(2), on(3, 33, 33), on(4, 44, 44)];
		// One of the two moves now, the other one in the next era.
		let set = seat(&winners, &sat, 4, 4).unwrap();
		assert_eq!(set, [who(1), who(2), who(4), on(3, 33, 33)]);
	}

	#[test]
	fn who_is_held_back_keeps_its_machine() {
		let sat = office(&[1, 2, 3, 4], &[]);
		// 8 and 9 stand on machines of 3 and 4, of whom one is held back.
		let winners = [who(1), who(2), on(8, 8, 4), on(9, 9, 3)];
		assert_eq!(seat(&winners, &sat, 4, 4).unwrap(), [who(1), who(2), who(4), on(9, 9, 3)]);
	}

	#[test]
	fn of_two_that_moved_together_one_stays() {
		// 4 wins; 3, with a seat, moved to its machine. Of 1 and 2, who left, 2 has more bond.
		let mut sat = office(&[1, 2, 3, 4, 5, 6, 7], &[]);
		sat[2].who.platform = H256::from_low_u64_be(4);
		sat[0].who.platform = H256::from_low_u64_be(2);
		let set = seat(&all(&[4, 5, 6, 7]), &sat, 7, 4).unwrap();
		assert_eq!(set, all(&[4, 5, 6, 7, 2]));
	}

	proptest! {
		#[test]
		fn no_more_changes_than_may(
			sat in proptest::collection::btree_set(0..40_u64, 0..32),
			winners in proptest::collection::vec(0..60_u64, 0..32),
			lost in proptest::collection::btree_set(0..40_u64, 0..12),
			least in 4..10_usize,
			few in 0..8_usize,
		) {
			let mut unique = winners.clone();
			unique.retain({
				let mut seen = std::collections::BTreeSet::new();
				let lost = lost.clone();
				move |one| seen.insert(*one) && !lost.contains(one)
			});
			let sat: Vec<_> = sat.into_iter().collect();
			let lost: Vec<_> = lost.into_iter().collect();
			let desired = unique.len().saturating_sub(few).max(least);
			unique.truncate(desired);
			let incumbents = office(&sat, &lost);
			let limit = if sat.is_empty() { desired } else { most_changes(sat.len()) };
			match seat(&all(&unique), &incumbents, desired, least) {
				Ok(set) => {
					let set: Vec<_> = set.into_iter().map(|one| one.account).collect();
					let entered = set.iter().filter(|one| !sat.contains(one)).count();
					prop_assert!(entered <= limit);
					prop_assert!(set.len() >= least);
					prop_assert!(set.len() <= desired.max(sat.len()));
					let gone = sat.iter().filter(|one| !set.contains(one));
					let (lapsed, left): (Vec<&u64>, Vec<&u64>) = gone.partition(|one| lost.contains(one));
					prop_assert!(left.len() <= limit.saturating_sub(lapsed.len()));
					prop_assert!(!set.iter().any(|one| sat.contains(one) && lost.contains(one)));
					let all: std::collections::BTreeSet<_> = set.iter().collect();
					prop_assert_eq!(all.len(), set.len());
				}
				Err(seated) => {
					prop_assert!(seated < least);
					// Not even everybody who may would be enough.
					let can = sat.iter().filter(|one| !lost.contains(one)).count();
					let fresh = unique.iter().filter(|one| !sat.contains(one)).count();
					prop_assert!(can + fresh.min(limit).min(desired.saturating_sub(can)) < least);
				}
			}
		}
	}
}
