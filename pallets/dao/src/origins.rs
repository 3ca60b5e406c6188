//! Origins that referenda give to what they enact, and how pallets ask for them.
//!
//! The runtime maps each to a track, all but [`Origin::GuardRail`], which only this pallet's own calls
//! use: no referendum can be submitted with it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::traits::{EnsureOrigin, Get};
use scale_info::TypeInfo;

/// What a decision of the DAO may be about. The indices are part of scheduled calls and never change.
#[derive(
	Copy,
	Clone,
	Debug,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Origin {
	/// Dispatches a call that the technical fellowship has whitelisted, as Root.
	#[codec(index = 0)]
	WhitelistedCaller,
	/// Keeps the house: registrars of identities, and who gives names.
	#[codec(index = 1)]
	GeneralAdmin,
	/// Decides which TEE images may register.
	#[codec(index = 2)]
	MeasurementAdmin,
	/// Decides which TCB levels and advisories are acceptable.
	#[codec(index = 3)]
	TcbPolicyAdmin,
	/// Changes economic parameters, within their guard rails.
	#[codec(index = 4)]
	TokenomicsAdmin,
	/// Administers gatekeepers' keys: rotates and retires them, aborts and retries ceremonies.
	#[codec(index = 5)]
	GatekeeperAdmin,
	/// Cancels slashes that are not yet applied.
	#[codec(index = 6)]
	SlashCanceller,
	/// Spends small amounts of the treasury.
	#[codec(index = 7)]
	SmallSpender,
	/// Spends medium amounts of the treasury.
	#[codec(index = 8)]
	MediumSpender,
	/// Spends big amounts of the treasury.
	#[codec(index = 9)]
	BigSpender,
	/// Cancels referenda and returns their deposits.
	#[codec(index = 10)]
	ReferendumCanceller,
	/// Kills referenda and slashes their deposits.
	#[codec(index = 11)]
	ReferendumKiller,
	/// Halts the chain for a while, and ends halts.
	#[codec(index = 12)]
	EmergencyHalt,
	/// The voice of the technical fellowship's ranks that may whitelist.
	#[codec(index = 13)]
	Fellows,
	/// What passed this pallet's checks. Nobody can ask for it.
	#[codec(index = 14)]
	GuardRail,
}

impl Origin {
	/// Every origin, in the order of the indices.
	pub const ALL: [Self; 15] = [
		Self::WhitelistedCaller,
		Self::GeneralAdmin,
		Self::MeasurementAdmin,
		Self::TcbPolicyAdmin,
		Self::TokenomicsAdmin,
		Self::GatekeeperAdmin,
		Self::SlashCanceller,
		Self::SmallSpender,
		Self::MediumSpender,
		Self::BigSpender,
		Self::ReferendumCanceller,
		Self::ReferendumKiller,
		Self::EmergencyHalt,
		Self::Fellows,
		Self::GuardRail,
	];
}

/// Declares an [`EnsureOrigin`] for each origin that is named.
macro_rules! decl_unit_ensures {
	($($name:ident),* $(,)?) => {
		$(
			#[doc = concat!("Passes [`Origin::", stringify!($name), "`] and nothing else.")]
			pub struct $name;

			impl<O: Into<Result<Origin, O>> + From<Origin>> EnsureOrigin<O> for $name {
				type Success = ();

				fn try_origin(origin: O) -> Result<(), O> {
					match origin.into()? {
						Origin::$name => Ok(()),
						other => Err(other.into()),
					}
				}

				#[cfg(feature = "runtime-benchmarks")]
				fn try_successful_origin() -> Result<O, ()> {
					Ok(Origin::$name.into())
				}
			}
		)*
	};
}

decl_unit_ensures!(
	WhitelistedCaller,
	GeneralAdmin,
	MeasurementAdmin,
	TcbPolicyAdmin,
	TokenomicsAdmin,
	GatekeeperAdmin,
	SlashCanceller,
	ReferendumCanceller,
	ReferendumKiller,
	EmergencyHalt,
	Fellows,
	GuardRail,
);

/// Passes the three spenders; succeeds with what each may spend at a time.
pub struct Spender<Balance, Small, Medium, Big>(PhantomData<(Balance, Small, Medium, Big)>);

impl<O, Balance, Small, Medium, Big> EnsureOrigin<O> for Spender<Balance, Small, Medium, Big>
where
	O: Into<Result<Origin, O>> + From<Origin>,
	Small: Get<Balance>,
	Medium: Get<Balance>,
	Big: Get<Balance>,
{
	type Success = Balance;

	fn try_origin(origin: O) -> Result<Balance, O> {
		match origin.into()? {
			Origin::SmallSpender => Ok(Small::get()),
			Origin::MediumSpender => Ok(Medium::get()),
			Origin::BigSpender => Ok(Big::get()),
			other => Err(other.into()),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<O, ()> {
		Ok(Origin::BigSpender.into())
	}
}
