//! Answers to requests for cluster keys and guards.

use super::*;
use crate::vault::Answers;
use phala_primitives::requester;
use phala_threshold::Inquiry;

impl<D: Disk, R: CryptoRngCore> Engine<D, R> {
	/// Answers these requests, with what it answered before if it did.
	pub(super) async fn answer<W: World>(
		&mut self,
		world: &mut W,
		view: &View,
		ids: &[RequestId],
		shares: &BTreeMap<CeremonyNumber, Share>,
		done: &mut Vec<Done>,
	) -> Step<(), W> {
		if ids.is_empty() {
			return Ok(());
		}
		let mut answers: Answers = self.vault.answers()?;
		let before = answers.len();
		answers.retain(|(id, number), _| *id >= view.queue.first && view.live(*number).is_some());
		let changed = answers.len() != before;
		let (mut messages, mut made) = (vec![], 0u64);
		for asked in view.requests.iter().filter(|asked| ids.contains(&asked.id)) {
			let request = &asked.request;
			let live = view.live.iter().find(|live| live.epoch == request.input.epoch());
			let Some(live) = live else { continue };
			let number = live.key.number;
			let Some(share) = shares.get(&number) else { continue };
			if share.sharing != live.key.sharing {
				let cause = phala_threshold::Error::PublicKeyChanged;
				return Err(StepError::Protocol { number, cause });
			}
			if let Some(message) = answers.get(&(asked.id, number)) {
				messages.push(message.clone());
				continue;
			}
			let inquiry = Inquiry {
				public_key: *share.public_key(),
				input: request.input,
				requester: requester(&self.keys.chain, &request.worker, request.valid_until),
			};
			let partial = share.share.evaluate(&inquiry, &request.request, &mut self.rng);
			let partial = partial.map_err(|cause| StepError::Protocol { number, cause })?;
			let message = Message::Answer(asked.id, share.share.index(), Box::new(partial));
			answers.insert((asked.id, number), message.clone());
			messages.push(message);
			made = made.saturating_add(1);
		}
		if changed || made > 0 {
			self.vault.keep_answers(&answers)?;
		}
		if made > 0 {
			done.push(Done::Answered(made));
		}
		for message in messages {
			publish(world, message, done).await?;
		}
		Ok(())
	}
}
