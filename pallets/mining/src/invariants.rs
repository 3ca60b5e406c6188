//! What must hold after every call and block. The numbers are those of the crate's documentation.

use crate::{
	Batches, Config, EconomyOf, NextSession, Pallet, ParameterVersions, PlatformValues, Queues,
	RecordOf, ReserveState, Sessions, Silences, SlotCount, Slots, State,
};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{
	ensure,
	traits::{
		fungible::Inspect,
		tokens::{Fortitude, Preservation},
	},
};
use phala_primitives::{PlatformId, WorkerKey};
use phala_tokenomics::{Balance, Fixed, Moment, Phase, Versions};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let Some(versions) = ParameterVersions::<T>::get() else {
			ensure!(State::<T>::get().is_none(), "I11: the economy began without parameters");
			return Ok(());
		};
		ensure!(versions.current().validate().is_ok(), "I11: parameters out of range");
		let Some(economy) = State::<T>::get() else {
			ensure!(
				Sessions::<T>::iter().next().is_none(),
				"I13: a session before the economy began"
			);
			return Ok(());
		};
		Self::check_money(&economy)?;
		let sessions: Vec<_> = Sessions::<T>::iter().collect();
		Self::check_sessions(&economy, &versions, &sessions)?;
		Self::check_slots(&sessions)?;
		Self::check_queues(&sessions)
	}

	fn check_money(economy: &EconomyOf<T>) -> Result<(), TryRuntimeError> {
		let acc = &economy.accumulator;
		ensure!(acc.is_conserved(), "I1: the budget is not conserved");
		let has = |account| {
			T::Currency::reducible_balance(account, Preservation::Preserve, Fortitude::Polite)
		};
		let paid = acc.paid().saturating_add(acc.treasury());
		ensure!(paid <= economy.endowment, "I5: more was paid than the pot had");
		let left = Self::available(economy).saturating_add(economy.due.sum());
		ensure!(has(&Self::pot()) >= left, "I5: the pot lacks PHA");
		let reserve = ReserveState::<T>::get().ok_or("I5: no reserve")?;
		let account = T::Currency::balance(&Self::reserve());
		ensure!(account >= reserve.balance(), "I5: the reserve lacks PHA");
		Ok(())
	}

	fn check_sessions(
		economy: &EconomyOf<T>,
		versions: &Versions,
		sessions: &[(WorkerKey, RecordOf<T>)],
	) -> Result<(), TryRuntimeError> {
		let acc = &economy.accumulator;
		let pieces = versions.pieces(Moment::default(), acc.now());
		let v_max =
			pieces.fold(versions.current().v_max, |most, piece| most.max(piece.parameters.v_max));
		let (mut sum, mut owed) = (Fixed::ZERO, 0 as Balance);
		let mut platforms = BTreeMap::<PlatformId, Fixed>::new();
		let mut ids = BTreeMap::new();
		for (worker, record) in sessions {
			let money = &record.money;
			ensure!(ids.insert(record.id, ()).is_none(), "I13: two sessions have one number");
			ensure!(record.id < NextSession::<T>::get(), "I13: a session has a number to come");
			sum = sum.saturating_add(money.share());
			ensure!(money.health() <= Fixed::ONE, "I3: health above 1");
			ensure!(money.returned() <= money.stake(), "I3: more returned than staked");
			ensure!(
				record.liable() <= record.staked,
				"I12: more stake counts than the keeper put there"
			);
			if let Phase::Computing(position) = money.phase() {
				owed = owed.saturating_add(acc.owed(position));
			}
			if record.ended.is_some() {
				ensure!(
					matches!(money.phase(), Phase::CoolingDown)
						&& record.challenge.is_none()
						&& !record.stopping,
					"I10: an ended session goes on"
				);
				continue;
			}
			ensure!(!matches!(money.phase(), Phase::CoolingDown), "I10: a stopped one goes on");
			ensure!(!record.unreported, "I10: a loss of what goes on");
			ensure!(
				!record.stopping
					|| (matches!(money.phase(), Phase::Computing(_)) && record.challenge.is_some()),
				"I14: a session stops without a challenge"
			);
			ensure!(money.v() <= v_max, "I3: V above V_max");
			let v = platforms.entry(record.platform).or_insert(Fixed::ZERO);
			*v = v.saturating_add(money.v());
			let info = Self::info(record, economy, versions);
			ensure!(info.stake == money.stake(), "I14: the keeper sees another stake");
			let _ = worker;
		}
		ensure!(sum == acc.sum(), "I2: Σshare differs from the shares");
		ensure!(owed <= acc.outstanding(), "I4: more is owed than outstanding");
		platforms.retain(|_, v| *v > Fixed::ZERO);
		let stored: BTreeMap<_, _> =
			PlatformValues::<T>::iter().filter(|(_, v)| *v > Fixed::ZERO).collect();
		ensure!(stored == platforms, "I7: a platform's V differs from its sessions'");
		ensure!(
			stored.values().all(|v| *v <= Self::platform_limit()),
			"I7: a platform's V is above the limit"
		);
		Ok(())
	}

	fn check_slots(sessions: &[(WorkerKey, RecordOf<T>)]) -> Result<(), TryRuntimeError> {
		let count = SlotCount::<T>::get();
		ensure!(Slots::<T>::iter().count() == count as usize, "I6: the dense list's length");
		let running = sessions.iter().filter(|(_, record)| record.ended.is_none()).count();
		ensure!(running == count as usize, "I6: somebody is not on the dense list");
		for (worker, record) in sessions {
			match record.slot {
				Some(slot) => {
					ensure!(slot < count, "I6: a gap in the dense list");
					ensure!(Slots::<T>::get(slot) == Some(*worker), "I6: another one's place");
				}
				None => ensure!(record.ended.is_some(), "I6: no place"),
			}
		}
		Ok(())
	}

	fn check_queues(sessions: &[(WorkerKey, RecordOf<T>)]) -> Result<(), TryRuntimeError> {
		let queue = Queues::<T>::get();
		ensure!(
			Batches::<T>::iter().count() as u64 == queue.next - queue.first
				&& Silences::<T>::iter().count() as u64 == queue.next_silence - queue.first_silence,
			"I8, I9: a queue's length"
		);
		let mut open = BTreeMap::new();
		let mut last = 0;
		for number in queue.first..queue.next {
			let batch = Batches::<T>::get(number).ok_or("I8: a gap between batches")?;
			ensure!(batch.at.block >= last, "I8: a batch is before its turn");
			last = batch.at.block;
			let walked = if number == queue.first { queue.offset as usize } else { 0 };
			for (worker, session) in batch.workers.iter().skip(walked) {
				open.insert((*worker, *session, batch.at.block), batch.at);
			}
		}
		let mut silent = BTreeMap::new();
		let mut last = 0;
		for number in queue.first_silence..queue.next_silence {
			let one = Silences::<T>::get(number).ok_or("I9: a gap between silences")?;
			ensure!(one.since >= last, "I9: a silence is before its turn");
			last = one.since;
			silent.insert((one.worker, one.session, one.since), ());
		}
		for (worker, record) in sessions {
			if let Some(at) = record.challenge {
				let found = open.get(&(*worker, record.id, at.block));
				ensure!(found == Some(&at), "I8: a challenge without a deadline");
			}
			if matches!(record.money.phase(), Phase::Unresponsive) {
				let since = record.money.at().active;
				ensure!(
					silent.contains_key(&(*worker, record.id, since)),
					"I9: a silence without an end"
				);
			}
		}
		Ok(())
	}
}
