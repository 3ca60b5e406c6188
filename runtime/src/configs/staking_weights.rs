//! Weights of staking's calls.
//!
//! The SDK's own measurements: its benchmarks elect validators that are no gatekeepers, so that they do
//! not run here. To what they measured comes what this runtime adds: whether a bond may leave, and that a
//! payout is settled against the escrow.

use core::marker::PhantomData;
use frame_support::weights::Weight;
use pallet_gatekeeper_election::WeightInfo as ElectionWeights;
use pallet_staking::{WeightInfo as StakingWeights, weights::SubstrateWeight};

/// The SDK's weights, with what is added.
pub struct WeightInfo<T>(PhantomData<T>);

type Added<T> = <T as pallet_gatekeeper_election::Config>::WeightInfo;

macro_rules! weights {
	($($name:ident($($arg:ident),*) $(+ $added:ident)?;)*) => {
		impl<T: pallet_gatekeeper_election::Config> StakingWeights for WeightInfo<T> {
			$(
				fn $name($($arg: u32),*) -> Weight {
					SubstrateWeight::<T>::$name($($arg),*)
						$(.saturating_add(Added::<T>::$added()))?
				}
			)*
		}
	};
}

weights! {
	get_npos_targets(v);
	bond();
	bond_extra();
	unbond() + may_leave;
	withdraw_unbonded_update(s) + may_leave;
	withdraw_unbonded_kill(s) + may_leave;
	validate();
	kick(k);
	nominate(n);
	chill();
	set_payee();
	update_payee();
	set_controller();
	set_validator_count();
	force_no_eras();
	force_new_era();
	force_new_era_always();
	set_invulnerables(v);
	deprecate_controller_batch(u);
	force_unstake(s) + may_leave;
	cancel_deferred_slash(s);
	payout_stakers_alive_staked(n) + settle;
	rebond(l);
	reap_stash(s) + may_leave;
	set_staking_configs_all_set();
	set_staking_configs_all_remove();
	chill_other();
	force_apply_min_commission();
	set_min_commission();
	restore_ledger() + may_leave;
	migrate_currency();
	manual_slash();
	get_npos_voters(v, n);
	new_era(v, n);
}
