//! Every touch of money.

use crate::{Config, CreditOf, Event, HoldReason, Pallet, Unexpected};
use frame_support::{
	defensive,
	traits::{
		Imbalance, OnUnbalanced,
		fungible::{Balanced, BalancedHold, MutateHold},
		tokens::Precision,
	},
};
use phala_primitives::Slashed;
use sp_runtime::{DispatchResult, Perquintill};

/// What an application moved.
pub(crate) struct Moved {
	/// Taken, or charged to holders of whom it is collected later.
	pub charged: u128,
	/// Of it, to the reporter.
	pub rewarded: u128,
}

impl<T: Config> Pallet<T> {
	/// Puts a reporter's bond on hold.
	pub(crate) fn hold_bond(who: &T::AccountId, bond: u128) -> DispatchResult {
		T::Currency::hold(&HoldReason::ReporterBond.into(), who, bond)
	}

	/// Gives a bond back, less `fee`, which goes where slashes go. Returns what was kept.
	pub(crate) fn release_bond(who: &T::AccountId, bond: u128, fee: Perquintill) -> u128 {
		let reason = HoldReason::ReporterBond.into();
		let kept = fee.mul_floor(bond);
		let (credit, short) = T::Currency::slash(&reason, who, kept);
		T::OnSlash::on_unbalanced(credit);
		let rest = bond.saturating_sub(kept);
		let released = T::Currency::release(&reason, who, rest, Precision::BestEffort);
		if short != 0 || released != Ok(rest) {
			defensive!("a bond is on hold until it is released");
			Self::deposit_event(Event::Unexpected { kind: Unexpected::BondMissing });
		}
		kept
	}

	/// Hands on what was taken: a share of the offender's own to the reporter, the rest to the sink.
	/// What the reporter's account cannot take goes to the sink as well.
	pub(crate) fn distribute(
		Slashed { own, others, outstanding }: Slashed<CreditOf<T>>,
		reporter: Option<&T::AccountId>,
		share: Perquintill,
	) -> Moved {
		let charged = own.peek().saturating_add(others.peek()).saturating_add(outstanding);
		let mut rewarded = 0;
		let rest = match reporter {
			Some(reporter) => {
				let reward = share.mul_floor(own.peek());
				let (reward, rest) = own.split(reward);
				let amount = reward.peek();
				match T::Currency::resolve(reporter, reward) {
					Ok(()) => {
						rewarded = amount;
						rest
					}
					Err(refused) => rest.merge(refused),
				}
			}
			None => own,
		};
		T::OnSlash::on_unbalanced(rest.merge(others));
		Moved { charged, rewarded }
	}
}
