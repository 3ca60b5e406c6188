//! Dealings that were missed, from old blocks.

use super::*;
use pallet_gatekeeper_keys::types::{Attempt, Phase};
use phala_node_common::board;
use phala_threshold::{Member, MemberSet};

/// Blocks between two searches of old blocks.
const RECOVERY_INTERVAL: u32 = 100;

impl<D: Disk, R: CryptoRngCore> Engine<D, R> {
	/// Looks for dealings in the block in which they were summed. Nothing proves that this is a block of the
	/// chain: what is found there is kept only if it makes the share whose public side is final.
	pub(super) async fn recover<W: World>(
		&mut self,
		world: &mut W,
		view: &View,
		number: CeremonyNumber,
		part: &mut Part,
		dealers: MemberSet,
	) -> Step<Done, W> {
		self.recover_from = view.block.number.saturating_add(RECOVERY_INTERVAL);
		let Some(live) = view.live(number) else { return Ok(Done::Missed(number, dealers)) };
		match self.recovered(world, view.block, live, &part.member, dealers).await {
			Ok(Some(member)) => {
				part.member = member;
				for dealer in dealers.iter() {
					part.seen.insert(dealer);
				}
				self.vault.keep_part(part)?;
				return Ok(Done::Examined(number, dealers, 0));
			}
			Ok(None) => {
				tracing::warn!(number, "old blocks are not to be had: use an archive node");
			}
			Err(StepError::World(error)) => {
				tracing::warn!(number, %error, "old state is not to be had: use an archive node");
			}
			Err(StepError::Protocol { cause, .. }) => tracing::warn!(
				number,
				%cause,
				"the node gave other dealings than the chain summed, or one of them is faulty"
			),
			Err(error) => {
				tracing::warn!(number, %error, "the node gave other state than the chain's");
			}
		}
		Ok(Done::Missed(number, dealers))
	}

	/// The member with these dealers' shares, as old blocks have them, if they make its share of the key.
	async fn recovered<W: World>(
		&mut self,
		world: &mut W,
		newest: BlockRef,
		live: &view::Live,
		member: &Member,
		dealers: MemberSet,
	) -> Step<Option<Member>, W> {
		let number = live.key.number;
		let fail = |cause| StepError::Protocol { number, cause };
		let Some((block, attempt)) = summed(world, newest, number).await? else { return Ok(None) };
		let mut trial = Member::restore(&member.save()).map_err(fail)?;
		// Complaints come too late, and may be about what nobody dealt.
		self.examine(world, block, &attempt, &mut trial, dealers).await?;
		let share = trial.finish(&live.key.sharing).map_err(fail)?;
		Ok(share.map(|_| trial))
	}
}

/// The first block at which the dealings of a ceremony were complete and none was removed yet, if the
/// node still has its state. All are on record there, with what they are checked with.
async fn summed<W: World>(
	world: &mut W,
	newest: BlockRef,
	number: CeremonyNumber,
) -> Step<Option<(BlockRef, Attempt)>, W> {
	let (mut before, mut after) = (0, newest.number);
	let mut found = None;
	while before < after {
		let middle = before + (after - before) / 2;
		let hash = world.hash_at(middle).await.map_err(StepError::World)?;
		let Some(hash) = hash else { return Ok(None) };
		let block = BlockRef { number: middle, hash };
		let mut at = At { world: &mut *world, block };
		let attempt = at.get(&board::current()).await?;
		let next = at.get(&board::next_ceremony()).await?.unwrap_or_default();
		let this = attempt.filter(|attempt| attempt.number() == number);
		// Phases follow each other, so that blocks before and after are told apart.
		let collecting = this.as_ref().is_some_and(|attempt| {
			matches!(
				attempt.phase,
				Phase::Committing { .. } | Phase::Sharing { .. } | Phase::Complaining { .. }
			)
		});
		if next <= number || collecting {
			before = middle + 1;
		} else {
			after = middle;
			let kept = this.filter(|attempt| !matches!(attempt.phase, Phase::Clearing { .. }));
			found = kept.map(|attempt| (block, attempt));
		}
	}
	Ok(found)
}
