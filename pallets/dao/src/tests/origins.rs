//! Each origin passes where it should, and nowhere else.

use crate::{mock::*, origins::*};
use codec::Encode;
use frame_support::{parameter_types, traits::EnsureOrigin};

parameter_types! {
	pub const Small: u64 = 10;
	pub const Medium: u64 = 100;
	pub const Big: u64 = 1_000;
}

#[test]
fn indices_are_fixed() {
	for (index, origin) in Origin::ALL.iter().enumerate() {
		assert_eq!(origin.encode(), vec![index as u8], "{origin:?}");
	}
}

#[test]
fn each_ensure_passes_its_origin_alone() {
	fn passes<E: EnsureOrigin<RuntimeOrigin>>(own: Origin) {
		for origin in Origin::ALL {
			assert_eq!(E::try_origin(origin.into()).is_ok(), origin == own, "{origin:?}, {own:?}");
		}
		for other in [RuntimeOrigin::root(), RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
			assert!(E::try_origin(other).is_err(), "{own:?}");
		}
	}
	passes::<WhitelistedCaller>(Origin::WhitelistedCaller);
	passes::<GeneralAdmin>(Origin::GeneralAdmin);
	passes::<MeasurementAdmin>(Origin::MeasurementAdmin);
	passes::<TcbPolicyAdmin>(Origin::TcbPolicyAdmin);
	passes::<TokenomicsAdmin>(Origin::TokenomicsAdmin);
	passes::<GatekeeperAdmin>(Origin::GatekeeperAdmin);
	passes::<SlashCanceller>(Origin::SlashCanceller);
	passes::<ReferendumCanceller>(Origin::ReferendumCanceller);
	passes::<ReferendumKiller>(Origin::ReferendumKiller);
	passes::<EmergencyHalt>(Origin::EmergencyHalt);
	passes::<Fellows>(Origin::Fellows);
	passes::<GuardRail>(Origin::GuardRail);
}

#[test]
fn spenders_have_their_amounts() {
	type Spends = Spender<u64, Small, Medium, Big>;
	for origin in Origin::ALL {
		let expected = match origin {
			Origin::SmallSpender => Some(10),
			Origin::MediumSpender => Some(100),
			Origin::BigSpender => Some(1_000),
			_ => None,
		};
		let amount = <Spends as EnsureOrigin<RuntimeOrigin>>::try_origin(origin.into()).ok();
		assert_eq!(amount, expected, "{origin:?}");
	}
	assert!(<Spends as EnsureOrigin<RuntimeOrigin>>::try_origin(RuntimeOrigin::root()).is_err());
}
