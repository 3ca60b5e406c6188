//! What a verifier must conclude: Intel's TCB evaluation, over typed values.

use crate::{
	CollateralOptions, IsvTcbLevel, Platform, QuoteKind, TcbInfo, TcbLevel, TcbStatus, Tee,
};
use core::{cmp::Reverse, fmt};

/// Conclusion about an authentic quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
	/// Of platform, TDX module and quoting enclave together.
	pub status: TcbStatus,
	/// In the order of platform, TDX module, quoting enclave, without repetition.
	pub advisory_ids: Vec<String>,
}

impl Verdict {
	/// A verdict with these advisories.
	pub fn new(status: TcbStatus, advisories: &[&str]) -> Self {
		Self { status, advisory_ids: advisories.iter().map(|id| id.to_string()).collect() }
	}

	/// The quoting enclave's or module's part.
	fn converge(mut self, level: &IsvTcbLevel) -> Self {
		self.status = self.status.converge(level.tcb_status);
		for id in &level.advisory_ids {
			if !self.advisory_ids.contains(id) {
				self.advisory_ids.push(id.clone());
			}
		}
		self
	}
}

/// Why an authentic quote has no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
	/// The quoting enclave's SVN is below every level.
	Qe,
	/// The platform's SVNs are below every level.
	Platform,
	/// The TDX module's version has no identity.
	UnknownModule,
	/// The TDX module's SVN is below every level.
	Module,
	/// The status is `Revoked`.
	Revoked,
}

impl fmt::Display for Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Qe => "the quoting enclave is below every TCB level",
			Self::Platform => "the platform is below every TCB level",
			Self::UnknownModule => "the TDX module's version is unknown",
			Self::Module => "the TDX module is below every TCB level",
			Self::Revoked => "revoked",
		})
	}
}

impl std::error::Error for Refusal {}

/// What a verifier concludes of a quote from this platform and a quoting enclave with this SVN,
/// given this collateral: a specification to test verifiers against, short rather than fast.
///
/// Levels are tried from the highest to the lowest, whatever their order in JSON. The QE's levels
/// and the module's are tried in their order. Only the launch TCB gives advisories.
pub fn expected_verdict(
	kind: QuoteKind,
	platform: &Platform,
	qe_isv_svn: u16,
	options: &CollateralOptions,
) -> Result<Verdict, Refusal> {
	let qe = isv_level(&options.qe_identity.tcb_levels, qe_isv_svn).ok_or(Refusal::Qe)?;
	let evaluate = |tee_tcb_svn| {
		let verdict = match kind.tee() {
			Tee::Sgx => platform_verdict(&options.tcb_info, platform, None)?,
			Tee::Tdx => tdx_verdict(&options.tcb_info, platform, tee_tcb_svn)?,
		};
		Ok(verdict.converge(qe))
	};
	let mut verdict = evaluate(&platform.module.tee_tcb_svn)?;
	let current = match kind.has_current_tcb() {
		true => evaluate(&platform.module.tee_tcb_svn2)?.status,
		false => verdict.status,
	};
	if [verdict.status, current].contains(&TcbStatus::Revoked) {
		return Err(Refusal::Revoked);
	}
	verdict.status = verdict.status.relaunch(current);
	Ok(verdict)
}

fn tdx_verdict(info: &TcbInfo, platform: &Platform, svn: &[u8; 16]) -> Result<Verdict, Refusal> {
	let verdict = platform_verdict(info, platform, Some(svn))?;
	let [isv_svn, version, ..] = *svn;
	if version == 0 {
		return Ok(verdict);
	}
	let id = format!("TDX_{version:02X}");
	let identity = info
		.tdx_module_identities
		.iter()
		.flatten()
		.find(|identity| identity.id == id)
		.ok_or(Refusal::UnknownModule)?;
	let level = isv_level(&identity.tcb_levels, isv_svn.into()).ok_or(Refusal::Module)?;
	Ok(verdict.converge(level))
}

fn platform_verdict(
	info: &TcbInfo,
	platform: &Platform,
	tee_tcb_svn: Option<&[u8; 16]>,
) -> Result<Verdict, Refusal> {
	let mut levels: Vec<_> = info.tcb_levels.iter().collect();
	levels.sort_by_key(|level| Reverse(rank(level)));
	levels
		.into_iter()
		.find(|level| meets(level, platform, tee_tcb_svn))
		.map(|level| Verdict { status: level.tcb_status, advisory_ids: level.advisory_ids.clone() })
		.ok_or(Refusal::Platform)
}

fn rank(level: &TcbLevel) -> (Vec<u8>, u16, Option<Vec<u8>>) {
	let svns = |components: &Vec<crate::Component>| components.iter().map(|c| c.svn).collect();
	let tcb = &level.tcb;
	(svns(&tcb.sgx_components), tcb.pce_svn, tcb.tdx_components.as_ref().map(svns))
}

fn meets(level: &TcbLevel, platform: &Platform, tee_tcb_svn: Option<&[u8; 16]>) -> bool {
	let (sgx, pce_svn, tdx) = rank(level);
	// A module with a version is judged by its identity instead of the first two components.
	let skip = tee_tcb_svn.map_or(0, |svn| if svn[1] > 0 { 2 } else { 0 });
	platform.pce_svn >= pce_svn
		&& platform.cpu_svn.iter().zip(&sgx).all(|(have, need)| have >= need)
		&& tee_tcb_svn
			.into_iter()
			.flat_map(|svn| svn.iter().zip(tdx.iter().flatten()).skip(skip))
			.all(|(have, need)| have >= need)
}

fn isv_level(levels: &[IsvTcbLevel], isv_svn: u16) -> Option<&IsvTcbLevel> {
	levels.iter().find(|level| isv_svn >= level.tcb.isvsvn)
}
