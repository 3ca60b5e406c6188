//! TCB levels: which one a platform meets, and what follows from it.
//!
//! Sources: Intel PCS API, "Get TCB Info", steps of the TCB level comparison; convergence as in Intel's
//! quote verification library (`convergeTcbStatuses`, `checkForRelaunch`), and stricter in two cases that
//! the crate's table of differences names.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	collateral::{AdvisoryId, TcbInfo, TdxModuleIdentity},
	error::Error,
	evidence::ModuleEvidence,
	types::UnixTime,
	x509::PlatformTcb,
};

/// Status of a TCB level, with Intel's names.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Debug,
	strum::Display,
	strum::EnumString,
	strum::IntoStaticStr,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum TcbStatus {
	/// Everything is up to date.
	UpToDate,
	/// Up to date, but programs need mitigations of their own.
	SWHardeningNeeded,
	/// Up to date, but the platform needs other settings.
	ConfigurationNeeded,
	/// Both of the two above.
	ConfigurationAndSWHardeningNeeded,
	/// Firmware with known holes.
	OutOfDate,
	/// Firmware with known holes, and the platform needs other settings.
	OutOfDateConfigurationNeeded,
	/// The keys of this level are compromised.
	Revoked,
	/// TDX 1.5: the TD was launched while the platform was out of date; it is no more. The TD may
	/// have been tampered with before.
	TDRelaunchAdvised,
	/// As above, and the platform needs other settings.
	TDRelaunchAdvisedConfigurationNeeded,
}

impl TcbStatus {
	/// The platform's status with that of the QE or the TDX module: only an out-of-date or revoked
	/// component changes it. In Intel's library a QE that is `OutOfDateConfigurationNeeded` does not.
	pub fn converge(self, component: Self) -> Self {
		match (self, component) {
			(Self::Revoked, _) | (_, Self::Revoked) => Self::Revoked,
			(Self::OutOfDate | Self::OutOfDateConfigurationNeeded, _) => self,
			_ if !component.is_out_of_date() => self,
			_ if self.needs_configuration() => Self::OutOfDateConfigurationNeeded,
			_ => component,
		}
	}

	/// The status at launch with the `current` one of a TD 1.5: a TD that was launched out of date
	/// on a platform that no longer is should be launched anew.
	pub fn relaunch(self, current: Self) -> Self {
		if !self.is_out_of_date() || current.is_out_of_date() || current == Self::Revoked {
			self
		} else if self.needs_configuration() || current.needs_configuration() {
			Self::TDRelaunchAdvisedConfigurationNeeded
		} else {
			Self::TDRelaunchAdvised
		}
	}

	/// `OutOfDate` or `OutOfDateConfigurationNeeded`.
	pub fn is_out_of_date(self) -> bool {
		matches!(self, Self::OutOfDate | Self::OutOfDateConfigurationNeeded)
	}

	fn needs_configuration(self) -> bool {
		matches!(
			self,
			Self::ConfigurationNeeded
				| Self::ConfigurationAndSWHardeningNeeded
				| Self::OutOfDateConfigurationNeeded
				| Self::TDRelaunchAdvisedConfigurationNeeded
		)
	}
}

/// What the levels say about one component, or about several.
pub(crate) struct Appraisal {
	pub status: TcbStatus,
	pub advisories: Vec<AdvisoryId>,
	/// Date of the oldest level met.
	pub date: UnixTime,
	/// Date of the oldest level met that is out of date.
	pub outdated_level: Option<UnixTime>,
}

impl Appraisal {
	/// By the level that one component meets.
	pub fn new(status: TcbStatus, advisories: Vec<AdvisoryId>, date: UnixTime) -> Self {
		Self { status, advisories, date, outdated_level: status.is_out_of_date().then_some(date) }
	}

	/// Adds a component (module or QE).
	pub fn converge(&mut self, component: &Self) {
		self.status = self.status.converge(component.status);
		self.advisories.extend(component.advisories.iter().cloned());
		self.date = self.date.min(component.date);
		self.outdated_level = self.outdated_level.into_iter().chain(component.outdated_level).min();
	}

	/// Adds what runs now to what launched a TD 1.5. An update since then advises a relaunch; the
	/// reverse, which no honest host shows, counts as a component that is out of date.
	pub fn converge_current(&mut self, current: &Self) {
		match (self.status.is_out_of_date(), current.status.is_out_of_date()) {
			(_, false) => self.status = self.status.relaunch(current.status),
			(false, true) => self.converge(current),
			(true, true) => self.outdated_level = self.outdated_level.min(current.outdated_level),
		}
	}
}

/// The platform's levels: at launch and, for a TD from 1.5 on, now.
pub(crate) fn appraise(
	info: &TcbInfo,
	tcb: &PlatformTcb,
	module: Option<&ModuleEvidence>,
) -> Result<(Appraisal, Option<Appraisal>), Error> {
	let Some(module) = module else {
		return platform(info, tcb, None).map(|appraisal| (appraisal, None));
	};
	let launch = tdx(info, tcb, &module.tee_tcb_svn)?;
	check_module(info, module)?;
	let current = match &module.tee_tcb_svn_2 {
		None => None,
		Some(svn) => Some(tdx(info, tcb, svn).map_err(|error| match error {
			Error::NoMatchingTcbLevel => Error::NoMatchingCurrentTcbLevel,
			other => other,
		})?),
	};
	Ok((launch, current))
}

/// The platform's level, converged with that of the TDX module.
fn tdx(info: &TcbInfo, tcb: &PlatformTcb, tee_tcb_svn: &[u8; 16]) -> Result<Appraisal, Error> {
	let mut appraisal = platform(info, tcb, Some(tee_tcb_svn))?;
	let &[isv_svn, ..] = tee_tcb_svn;
	if let Some(module) = module(info, tee_tcb_svn)? {
		let level = module.levels.iter().find(|level| isv_svn >= level.isv_svn);
		let level = level.ok_or(Error::TdxModuleIsvSvnTooLow(isv_svn))?;
		if level.status == TcbStatus::Revoked {
			return Err(Error::TdxModuleRevoked);
		}
		let advisories = info.advisories.of(level.advisories);
		appraisal.converge(&Appraisal::new(level.status, advisories, level.date));
	}
	Ok(appraisal)
}

/// The first level whose every component the platform meets.
fn platform(
	info: &TcbInfo,
	tcb: &PlatformTcb,
	tee_tcb_svn: Option<&[u8; 16]>,
) -> Result<Appraisal, Error> {
	let level = info.levels.iter().find(|level| {
		meets(&tcb.components, &level.sgx, 0)
			&& tcb.pce_svn >= level.pce_svn
			&& match (tee_tcb_svn, &level.tdx) {
				(None, None) => true,
				// A module with a version is judged by its own levels: the first two components
				// are its ISVSVN and that version.
				(Some(svn @ &[_, version, ..]), Some(needed)) => {
					meets(svn, needed, if version == 0 { 0 } else { 2 })
				}
				_ => false,
			}
	});
	let level = level.ok_or(Error::NoMatchingTcbLevel)?;
	if level.status == TcbStatus::Revoked {
		return Err(Error::PlatformRevoked);
	}
	Ok(Appraisal::new(level.status, info.advisories.of(level.advisories), level.date))
}

fn meets(has: &[u8; 16], needed: &[u8; 16], skip: usize) -> bool {
	has.iter().zip(needed).skip(skip).all(|(has, needed)| has >= needed)
}

/// The module that a TD's SVNs select; `None` is the one of version 0, which has no levels.
fn module<'a>(
	info: &'a TcbInfo,
	&[_, version, ..]: &[u8; 16],
) -> Result<Option<&'a TdxModuleIdentity>, Error> {
	if version == 0 {
		return Ok(None);
	}
	let module = info.tdx_modules.iter().find(|module| module.version == version);
	module.map(Some).ok_or(Error::UnknownTdxModule(version))
}

/// Signer and attributes of the TDX module that launched the TD.
fn check_module(info: &TcbInfo, evidence: &ModuleEvidence) -> Result<(), Error> {
	let expected = match module(info, &evidence.tee_tcb_svn)? {
		Some(identity) => Some(&identity.module),
		None => info.tdx_module.as_ref(),
	};
	let expected = expected.ok_or(Error::UnknownTdxModule(0))?;
	if evidence.mr_signer_seam != expected.mr_signer {
		return Err(Error::TdxModuleSigner);
	}
	// Bits outside of the mask have to be zero.
	if u64::from_le_bytes(evidence.seam_attributes)
		!= expected.attributes & expected.attributes_mask
	{
		return Err(Error::TdxModuleAttributes);
	}
	Ok(())
}
