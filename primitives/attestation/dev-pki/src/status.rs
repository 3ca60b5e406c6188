//! TCB statuses and their convergence, after Intel's quote verification library.

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// TCB status, by the names that Intel's JSON uses.
#[derive(
	Clone,
	Copy,
	Debug,
	Display,
	EnumString,
	Hash,
	IntoStaticStr,
	PartialEq,
	Eq,
	Serialize,
	VariantArray,
)]
pub enum TcbStatus {
	/// Nothing to do.
	UpToDate,
	/// Software must mitigate.
	SWHardeningNeeded,
	/// Firmware must be configured otherwise.
	ConfigurationNeeded,
	/// Both.
	ConfigurationAndSWHardeningNeeded,
	/// An update is missing.
	OutOfDate,
	/// An update is missing and the configuration is to be changed.
	OutOfDateConfigurationNeeded,
	/// Keys are compromised.
	Revoked,
	/// TD 1.5: launched on an outdated TCB that has been updated since. Never in collateral.
	TDRelaunchAdvised,
	/// The same where the configuration is to be changed too. Never in collateral.
	TDRelaunchAdvisedConfigurationNeeded,
}

use TcbStatus::*;

impl TcbStatus {
	/// What TCB info may say of a platform.
	pub const OF_PLATFORM: [Self; 7] = [
		UpToDate,
		SWHardeningNeeded,
		ConfigurationNeeded,
		ConfigurationAndSWHardeningNeeded,
		OutOfDate,
		OutOfDateConfigurationNeeded,
		Revoked,
	];
	/// What TCB info may say of a TDX module.
	pub const OF_MODULE: [Self; 3] = [UpToDate, OutOfDate, Revoked];
	/// What a QE identity may say of a quoting enclave.
	pub const OF_QE: [Self; 5] =
		[UpToDate, ConfigurationNeeded, OutOfDate, OutOfDateConfigurationNeeded, Revoked];

	/// Status of a platform together with its TDX module or quoting enclave: only a component that
	/// is out of date or revoked counts.
	pub(crate) fn converge(self, component: Self) -> Self {
		match (self, component) {
			(_, Revoked) => Revoked,
			(UpToDate | SWHardeningNeeded, OutOfDate) => OutOfDate,
			(ConfigurationNeeded | ConfigurationAndSWHardeningNeeded, OutOfDate) => {
				OutOfDateConfigurationNeeded
			}
			(platform, _) => platform,
		}
	}

	/// Status of a TD 1.5 that launched at `self` and now runs at `current`.
	pub(crate) fn relaunch(self, current: Self) -> Self {
		match (self, current) {
			(OutOfDate, UpToDate | SWHardeningNeeded) => TDRelaunchAdvised,
			(OutOfDate, ConfigurationNeeded | ConfigurationAndSWHardeningNeeded)
			| (
				OutOfDateConfigurationNeeded,
				UpToDate
				| SWHardeningNeeded
				| ConfigurationNeeded
				| ConfigurationAndSWHardeningNeeded,
			) => TDRelaunchAdvisedConfigurationNeeded,
			(launch, _) => launch,
		}
	}
}
