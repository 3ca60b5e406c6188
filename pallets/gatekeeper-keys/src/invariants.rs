//! What must hold after every call and step. The numbers are those of the crate's documentation.

use crate::{types::*, *};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::Get};
use phala_threshold::{Input, MemberIndex, MemberSet};
use sp_runtime::TryRuntimeError;

/// Seats by ceremony.
type BySeat = BTreeMap<CeremonyNumber, MemberSet>;

fn collect(keys: impl Iterator<Item = (CeremonyNumber, MemberIndex)>) -> BySeat {
	keys.fold(BySeat::new(), |mut all, (number, seat)| {
		all.entry(number).or_default().insert(seat);
		all
	})
}

/// The seats from `next` on.
fn from(next: MemberIndex, seats: MemberSet) -> MemberSet {
	seats.iter().filter(|seat| *seat >= next).collect()
}

fn entry(number: CeremonyNumber, seats: MemberSet) -> Option<(CeremonyNumber, MemberSet)> {
	(!seats.is_empty()).then_some((number, seats))
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_sets()?;
		Self::check_messages()?;
		Self::check_keys()?;
		Self::check_requests()?;
		Self::check_elected()
	}

	fn check_sets() -> Result<(), TryRuntimeError> {
		let live = Self::live_numbers();
		let trash = Trash::<T>::get();
		let attempt = Current::<T>::get();
		let mut expected: BTreeSet<_> = live.iter().copied().collect();
		expected.extend(trash.iter().map(|garbage| garbage.number));
		expected.extend(attempt.iter().map(Attempt::number));
		let sets: BTreeSet<_> = Sets::<T>::iter_keys().collect();
		ensure!(sets == expected, "I1: sets are stored for what uses them");
		ensure!(
			trash.iter().all(|garbage| !live.contains(&garbage.number)),
			"I1: shares in use are thrown away"
		);

		let shares = collect(VerificationShares::<T>::iter_keys());
		for (number, seats) in shares {
			let old = trash.iter().find(|garbage| garbage.number == number);
			let making = attempt.as_ref().filter(|attempt| attempt.number() == number);
			match (old, making) {
				_ if live.contains(&number) => {}
				(Some(garbage), _) => {
					ensure!(seats == from(garbage.next, seats), "I2: shares left behind");
				}
				(_, Some(attempt)) => match attempt.phase {
					Phase::Deriving { left } => ensure!(
						seats == attempt.holders().without(left),
						"I2: shares that were not computed"
					),
					Phase::Clearing { next } => {
						ensure!(seats == from(next, seats), "I2: shares left behind");
					}
					// Stopped while they were computed.
					Phase::Reporting => ensure!(attempt.failed.is_some(), "I2: shares too early"),
					_ => return Err("I2: shares too early".into()),
				},
				_ => return Err("I2: shares without a ceremony".into()),
			}
		}
		for number in LastBlamed::<T>::iter_keys() {
			ensure!(sets.contains(&number), "I2: blame without shares");
		}
		Ok(())
	}

	fn check_messages() -> Result<(), TryRuntimeError> {
		let keys = collect(CeremonyKeys::<T>::iter_keys());
		let digests = collect(Digests::<T>::iter_keys());
		let dealings = collect(Dealings::<T>::iter_keys());
		let accusers = collect(Accusers::<T>::iter_keys());
		let Some(attempt) = Current::<T>::get() else {
			ensure!(
				[keys, digests, dealings, accusers].iter().all(BTreeMap::is_empty),
				"I3: messages of no ceremony"
			);
			ensure!(!Progress::<T>::exists() && !Outcome::<T>::exists(), "I8: a sum of nothing");
			return Ok(());
		};
		let number = attempt.number();
		let next = match attempt.phase {
			Phase::Clearing { next } => next,
			_ => ceremony::FIRST,
		};
		for (stored, counted) in [
			(keys, attempt.keys),
			(digests, attempt.digests),
			(dealings, attempt.dealings),
			(accusers, attempt.faults.bad_share),
		] {
			let expected = entry(number, from(next, counted));
			ensure!(stored.into_iter().eq(expected), "I3: messages are those that are counted");
		}

		let Attempt { ceremony, dealers, keys, digests, dealings, faults, .. } = &attempt;
		ensure!(
			dealers.is_subset(ceremony.dealing_set().seats())
				&& digests.is_subset(*dealers)
				&& dealings.is_subset(*digests)
				&& faults.bad_share.is_subset(*dealings)
				&& keys.is_subset(ceremony.size.seats())
				&& faults.false_complaint.is_subset(*keys),
			"I4: sets are within each other"
		);
		ensure!(
			faults.no_key.without(*keys) == faults.no_key
				&& faults.no_digest.without(*digests) == faults.no_digest
				&& faults.no_dealing.without(*dealings) == faults.no_dealing,
			"I4: nobody is late with what is there"
		);
		ensure!(number < NextCeremony::<T>::get(), "I4: numbers do not repeat");
		let size = Sets::<T>::decode_len(number).unwrap_or_default();
		ensure!(size == usize::from(ceremony.size.members()), "I4: the set has its size");

		let open = attempt.failed.is_none();
		ensure!(
			!open || Progress::<T>::exists() == matches!(attempt.phase, Phase::Aggregating),
			"I8: a sum while aggregating"
		);
		ensure!(
			!open || Outcome::<T>::exists() == matches!(attempt.phase, Phase::Deriving { .. }),
			"I8: a result while deriving"
		);
		Ok(())
	}

	fn check_keys() -> Result<(), TryRuntimeError> {
		let Some(current) = CurrentEpoch::<T>::get() else {
			ensure!(Epochs::<T>::iter().next().is_none(), "I5: epochs without a key");
			ensure!(LiveKeys::<T>::iter().next().is_none(), "I5: keys without an epoch");
			return Ok(());
		};
		let epochs: BTreeMap<_, _> = Epochs::<T>::iter().collect();
		ensure!(epochs.keys().copied().eq(0..=current), "I5: an epoch is missing");
		let live: BTreeMap<_, _> = LiveKeys::<T>::iter().collect();
		ensure!(live.contains_key(&current), "I5: the current key is in use");
		for (epoch, record) in epochs {
			let key = live.get(&epoch);
			ensure!(key.is_some() == record.ended.is_none(), "I5: a key is in use or has ended");
			let Some(key) = key else { continue };
			ensure!(epoch == current || epoch.checked_add(1) == Some(current), "I5: too old a key");
			ensure!((epoch == current) == key.until.is_none(), "I5: the old key ends");
			ensure!(record.public_key == *key.sharing.public_key(), "I5: another key");
			let holders = key.sharing.holders();
			let shares: MemberSet = VerificationShares::<T>::iter_key_prefix(key.number).collect();
			ensure!(shares == holders, "I2: each holder has a verification share");
			let seats = Sets::<T>::decode_len(key.number).unwrap_or_default();
			ensure!(seats == usize::from(key.sharing.size().members()), "I1: a set of that size");
		}
		Ok(())
	}

	fn check_requests() -> Result<(), TryRuntimeError> {
		let RequestQueue { first, next } = Queue::<T>::get();
		let ids: BTreeSet<_> = Requests::<T>::iter_keys().collect();
		ensure!(ids.into_iter().eq(first..next), "I6: requests are those of the queue");
		ensure!(u64::from(Requests::<T>::count()) == next.saturating_sub(first), "I6: the count");
		let room = T::MaxRequests::get().saturating_add(ROOM_FOR_GUARDS);
		ensure!(Requests::<T>::count() <= room, "I6: too many requests");
		let (mut by_worker, mut partials) = (BTreeMap::<_, u32>::new(), BySeat::new());
		let mut replaced_by_worker = BTreeMap::<_, u32>::new();
		for (id, request) in Requests::<T>::iter() {
			let OpenRequest { worker, input, answered, stored, replaced, .. } = request;
			let found = OpenFor::<T>::get(worker, input);
			if replaced {
				ensure!(found.is_none_or(|found| found > id), "I6: a later one replaced it");
				*replaced_by_worker.entry(worker.0).or_default() += 1;
			} else {
				ensure!(found == Some(id), "I6: the index finds a request");
				*by_worker.entry(worker.0).or_default() += 1;
			}
			if let Input::Guard(guard) = &input {
				ensure!(guard.member == worker.0, "I10: a member asks for its own guard");
			}
			ensure!(answered.is_subset(stored), "I7: answers are stored");
			if let Some(key) =
				LiveKeys::<T>::get(input.epoch()).filter(|k| k.number == request.sharing)
			{
				ensure!(answered.is_subset(key.sharing.holders()), "I6: holders answer");
				let required = key.sharing.size().required();
				ensure!(
					request.fulfilled == (answered.len() == required) && answered.len() <= required,
					"I6: as many answers as are needed"
				);
			}
			partials.extend(entry(id, stored));
		}
		let open: u32 = by_worker.values().sum();
		ensure!(OpenFor::<T>::iter().count() == open as usize, "I6: the index");
		let counts = OpenCount::<T>::iter().map(|(worker, count)| (worker.0, count));
		ensure!(counts.collect::<BTreeMap<_, _>>() == by_worker, "I6: workers' counts");
		let counts = ReplacedCount::<T>::iter().map(|(worker, count)| (worker.0, count));
		let counts = counts.collect::<BTreeMap<_, _>>();
		ensure!(counts == replaced_by_worker, "I6: workers' counts of what they replaced");
		ensure!(
			counts.values().all(|count| *count <= T::MaxReplacedPerWorker::get()),
			"I6: too many that a worker replaced"
		);
		ensure!(
			by_worker.values().all(|count| *count <= T::MaxRequestsPerWorker::get()),
			"I6: too many of a worker"
		);
		ensure!(collect(Partials::<T>::iter_keys()) == partials, "I7: partials are counted");
		Ok(())
	}

	fn check_elected() -> Result<(), TryRuntimeError> {
		let Some(Elected { seats, .. }) = NextSet::<T>::get() else { return Ok(()) };
		ensure!(seats.len() >= usize::from(T::MinSeats::get()), "I9: too few seats");
		let accounts: BTreeSet<_> = seats.iter().map(|seat| &seat.account).collect();
		let workers: BTreeSet<_> = seats.iter().map(|seat| seat.worker.0).collect();
		ensure!(accounts.len() == seats.len() && workers.len() == seats.len(), "I9: a double seat");
		Ok(())
	}
}
