//! Valid cases: every status, and every shape of material that a verifier must accept.

use crate::{
	CaKind, Case, DAY, OLD_ADVISORY, OUT_OF_DATE_ADVISORY, QE_ADVISORY, QuoteKind, TcbStatus,
	Verdict, Window, case::Scenario, tcb_info::MODULE_ADVISORY,
};
use QuoteKind::*;
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// One way in which a quote and its collateral can be right.
#[derive(
	Clone,
	Copy,
	Debug,
	Display,
	EnumMessage,
	EnumString,
	Hash,
	IntoStaticStr,
	PartialEq,
	Eq,
	VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Variant {
	/// Up to date, no advisories.
	UpToDate,
	/// Software must mitigate.
	SwHardeningNeeded,
	/// Firmware must be configured otherwise.
	ConfigurationNeeded,
	/// Both.
	ConfigurationAndSwHardeningNeeded,
	/// An update is missing.
	OutOfDate,
	/// An update is missing and the configuration is to be changed.
	OutOfDateConfigurationNeeded,
	/// SVNs above the highest level.
	HigherSvns,
	/// One component SVN below the highest level.
	LowerSvn,
	/// One component SVN above the highest level, another at the lowest.
	MixedSvns,
	/// The PCE SVN below the highest level.
	LowerPceSvn,
	/// A PCE SVN of two bytes.
	LongPceSvn,
	/// TCB levels in ascending order: a verifier sorts them.
	AscendingTcbLevels,
	/// The processor CA certified the PCK.
	ProcessorCa,
	/// The quoting enclave is out of date.
	QeOutOfDate,
	/// The quoting enclave is out of date, the platform wants configuration, and both have the
	/// same advisory.
	QeOutOfDateConfigurationNeeded,
	/// The quoting enclave wants configuration: this changes no status.
	QeConfigurationNeeded,
	/// The TDX module is out of date.
	ModuleOutOfDate,
	/// A TDX module of version 0, judged by the TCB components alone.
	#[strum(serialize = "module-version-0")]
	ModuleVersion0,
	/// A TDX module of version 3.
	#[strum(serialize = "module-version-3")]
	ModuleVersion3,
	/// TD 1.5: the module was updated under the running TD.
	TdRelaunchAdvised,
	/// The same on a platform that wants configuration.
	TdRelaunchAdvisedConfigurationNeeded,
	/// TD 1.5: the running module is older than the one at launch. Launch counts.
	TdCurrentOutOfDate,
	/// QE authentication data of 1,000 bytes.
	LongAuthData,
	/// No QE authentication data.
	NoAuthData,
	/// The PCK chain is in the collateral too.
	PckChainInCollateral,
	/// Collateral issued this second.
	IssuedNow,
	/// TCB info and QE identity whose next update is this second.
	ExpiringNow,
	/// Both CRLs revoke other certificates.
	OthersRevoked,
}

use Variant::*;

impl Variant {
	/// All of them.
	pub const ALL: &[Self] = Self::VARIANTS;

	/// Name in kebab case, as [`FromStr`](core::str::FromStr) takes it.
	pub fn name(self) -> &'static str {
		self.into()
	}

	/// What is special, in a sentence.
	pub fn description(self) -> &'static str {
		self.get_documentation().unwrap_or_default()
	}

	/// The kinds of quotes to which it applies, at least one.
	pub fn kinds(self) -> &'static [QuoteKind] {
		match self {
			ProcessorCa => &[SgxV3],
			ModuleOutOfDate | ModuleVersion0 | ModuleVersion3 => {
				&[TdxV4, TdxV5Td10, TdxV5Td15, TdxV5Td15ex]
			}
			TdRelaunchAdvised | TdRelaunchAdvisedConfigurationNeeded | TdCurrentOutOfDate => {
				&[TdxV5Td15, TdxV5Td15ex]
			}
			_ => QuoteKind::ALL,
		}
	}

	/// What a verifier concludes.
	pub fn verdict(self) -> Verdict {
		match self {
			SwHardeningNeeded => Verdict::new(TcbStatus::SWHardeningNeeded, &[ADVISORY]),
			ConfigurationNeeded => Verdict::new(TcbStatus::ConfigurationNeeded, &[ADVISORY]),
			ConfigurationAndSwHardeningNeeded => {
				Verdict::new(TcbStatus::ConfigurationAndSWHardeningNeeded, &[ADVISORY])
			}
			OutOfDate => Verdict::new(TcbStatus::OutOfDate, &[ADVISORY]),
			OutOfDateConfigurationNeeded => {
				Verdict::new(TcbStatus::OutOfDateConfigurationNeeded, &[ADVISORY])
			}
			LowerSvn | LowerPceSvn => Verdict::new(TcbStatus::OutOfDate, &[OUT_OF_DATE_ADVISORY]),
			MixedSvns => Verdict::new(TcbStatus::OutOfDate, &[OUT_OF_DATE_ADVISORY, OLD_ADVISORY]),
			QeOutOfDate => Verdict::new(TcbStatus::OutOfDate, &[QE_ADVISORY]),
			QeOutOfDateConfigurationNeeded => {
				Verdict::new(TcbStatus::OutOfDateConfigurationNeeded, &[ADVISORY, QE_ADVISORY])
			}
			ModuleOutOfDate => Verdict::new(TcbStatus::OutOfDate, &[MODULE_ADVISORY]),
			TdRelaunchAdvised => Verdict::new(TcbStatus::TDRelaunchAdvised, &[MODULE_ADVISORY]),
			TdRelaunchAdvisedConfigurationNeeded => Verdict::new(
				TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
				&[ADVISORY, MODULE_ADVISORY],
			),
			_ => Verdict::new(TcbStatus::UpToDate, &[]),
		}
	}

	/// Why dcap-qvl 0.7.1 refuses this case, if it does. A test holds this against it.
	pub fn refused_by_oracle(self) -> Option<&'static str> {
		match self {
			LongAuthData | NoAuthData => Some("it asks for the 32 bytes that Intel's enclaves use"),
			_ => None,
		}
	}

	/// The case on a quote of this kind; `None` if the variant does not apply to it. Two seeds are
	/// two platforms with two report data.
	pub fn case_on(self, kind: QuoteKind, seed: u64) -> Option<Case> {
		self.kinds().contains(&kind).then(|| {
			let mut scenario = Scenario::new(kind, seed);
			self.apply(&mut scenario);
			scenario.issue().expect("every variant is encodable: a test issues each")
		})
	}

	fn apply(self, s: &mut Scenario) {
		match self {
			UpToDate => (),
			SwHardeningNeeded => status(s, TcbStatus::SWHardeningNeeded),
			ConfigurationNeeded => status(s, TcbStatus::ConfigurationNeeded),
			ConfigurationAndSwHardeningNeeded => {
				status(s, TcbStatus::ConfigurationAndSWHardeningNeeded);
			}
			OutOfDate => status(s, TcbStatus::OutOfDate),
			OutOfDateConfigurationNeeded => status(s, TcbStatus::OutOfDateConfigurationNeeded),
			HigherSvns => {
				s.platform.cpu_svn = s.platform.cpu_svn.map(|svn| svn + 1);
				s.platform.pce_svn += 1;
				for svn in [0, 2, 3] {
					s.platform.module.tee_tcb_svn[svn] += 1;
					s.platform.module.tee_tcb_svn2[svn] += 1;
				}
			}
			LowerSvn => s.platform.cpu_svn[0] -= 1,
			MixedSvns => s.platform.cpu_svn[..2].copy_from_slice(&[255, 2]),
			LowerPceSvn => s.platform.pce_svn -= 1,
			LongPceSvn => {
				s.platform.pce_svn = 300;
				s.options.tcb_info.tcb_levels[0].tcb.pce_svn = 300;
			}
			AscendingTcbLevels => s.options.tcb_info.tcb_levels.reverse(),
			ProcessorCa => {
				s.platform.ca = CaKind::Processor;
				s.platform.sgx_type = 0;
				s.options.ca = CaKind::Processor;
			}
			QeOutOfDate => s.edit_enclave = |e| e.each(|qe| qe.isv_svn = 7),
			QeOutOfDateConfigurationNeeded => {
				status(s, TcbStatus::ConfigurationNeeded);
				s.edit_enclave = |e| e.each(|qe| qe.isv_svn = 7);
				let level = &mut s.options.qe_identity.tcb_levels[1];
				level.advisory_ids.insert(0, ADVISORY.into());
			}
			QeConfigurationNeeded => {
				let level = &mut s.options.qe_identity.tcb_levels[0];
				level.tcb_status = TcbStatus::ConfigurationNeeded;
			}
			ModuleOutOfDate => {
				s.platform.module.tee_tcb_svn[0] -= 1;
				s.platform.module.tee_tcb_svn2[0] -= 1;
			}
			ModuleVersion0 => set_module_version(s, 0),
			ModuleVersion3 => set_module_version(s, 3),
			TdRelaunchAdvised => s.platform.module.tee_tcb_svn[0] -= 1,
			TdRelaunchAdvisedConfigurationNeeded => {
				status(s, TcbStatus::ConfigurationNeeded);
				s.platform.module.tee_tcb_svn[0] -= 1;
			}
			TdCurrentOutOfDate => s.platform.module.tee_tcb_svn2[0] -= 1,
			LongAuthData => s.auth_data = Some(vec![0xAD; 1_000]),
			NoAuthData => s.auth_data = Some(vec![]),
			PckChainInCollateral => {
				s.edit_case = |m, c| {
					c.collateral.pck_certificate_chain = Some(m.enclave.pck_chain.clone());
				};
			}
			IssuedNow => {
				let window = Window { start: 0, end: 30 * DAY };
				s.options.tcb_info_window = window;
				s.options.qe_identity_window = window;
				s.options.root_ca_crl.window = window;
				s.options.pck_crl.window = window;
			}
			ExpiringNow => {
				let window = Window { start: -30 * DAY, end: 0 };
				s.options.tcb_info_window = window;
				s.options.qe_identity_window = window;
			}
			OthersRevoked => {
				let others = vec![vec![0x11; 20], vec![0xEE; 20]];
				s.options.root_ca_crl.revoked = others.clone();
				s.options.pck_crl.revoked = others;
			}
		}
	}
}

/// Advisory of the statuses that [`status`] sets.
const ADVISORY: &str = "INTEL-SA-00289";

fn status(s: &mut Scenario, status: TcbStatus) {
	let level = &mut s.options.tcb_info.tcb_levels[0];
	(level.tcb_status, level.advisory_ids) = (status, vec![ADVISORY.into()]);
}

fn set_module_version(s: &mut Scenario, version: u8) {
	s.platform.module.tee_tcb_svn[1] = version;
	s.platform.module.tee_tcb_svn2[1] = version;
}
