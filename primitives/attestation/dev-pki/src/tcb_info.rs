//! TCB info, version 3, as Intel's PCS serves it: field names, order and number formats.
//!
//! Source: "Intel SGX and Intel TDX Provisioning Certification Service API v4", Get TCB Info.

use crate::{Platform, TcbStatus, Tee};
use serde::Serialize;

/// SVN of one TCB component, with what Intel says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Component {
	/// Lowest SVN of the level.
	pub svn: u8,
	/// Who updates it.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub category: Option<&'static str>,
	/// What it is.
	#[serde(rename = "type", skip_serializing_if = "Option::is_none")]
	pub kind: Option<&'static str>,
}

/// SVNs of a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tcb {
	/// Sixteen components, compared with the PCK certificate's.
	#[serde(rename = "sgxtcbcomponents")]
	pub sgx_components: Vec<Component>,
	/// Compared with the PCK certificate's PCE SVN.
	#[serde(rename = "pcesvn")]
	pub pce_svn: u16,
	/// TDX: sixteen components, compared with TEE_TCB_SVN.
	#[serde(rename = "tdxtcbcomponents", skip_serializing_if = "Option::is_none")]
	pub tdx_components: Option<Vec<Component>>,
}

/// A level and what being at it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TcbLevel {
	/// SVNs to meet.
	pub tcb: Tcb,
	/// Date of the level, RFC 3339.
	pub tcb_date: String,
	/// Status of a platform that meets it and none above.
	pub tcb_status: TcbStatus,
	/// Security advisories that apply then.
	#[serde(rename = "advisoryIDs", skip_serializing_if = "Vec::is_empty")]
	pub advisory_ids: Vec<String>,
}

/// Identity of TDX modules with major version 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TdxModule {
	/// Upper-case hex of MRSIGNERSEAM, 48 bytes.
	pub mrsigner: String,
	/// Upper-case hex of SEAMATTRIBUTES, 8 bytes.
	pub attributes: String,
	/// Upper-case hex of the bits that count.
	pub attributes_mask: String,
}

impl Default for TdxModule {
	/// Intel's production module.
	fn default() -> Self {
		Self {
			mrsigner: "00".repeat(48),
			attributes: "00".repeat(8),
			attributes_mask: "FF".repeat(8),
		}
	}
}

/// ISVSVN of a level of a TDX module or of a quoting enclave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IsvTcb {
	/// Lowest SVN of the level.
	pub isvsvn: u16,
}

/// A level of a TDX module or of a quoting enclave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IsvTcbLevel {
	/// SVN to meet.
	pub tcb: IsvTcb,
	/// Date of the level, RFC 3339.
	pub tcb_date: String,
	/// Status of a module or enclave that meets it and none above.
	pub tcb_status: TcbStatus,
	/// Security advisories that apply then.
	#[serde(rename = "advisoryIDs", skip_serializing_if = "Vec::is_empty")]
	pub advisory_ids: Vec<String>,
}

impl IsvTcbLevel {
	/// A level without advisories.
	pub fn new(isvsvn: u16, tcb_status: TcbStatus) -> Self {
		Self { tcb: IsvTcb { isvsvn }, tcb_date: TCB_DATE.into(), tcb_status, advisory_ids: vec![] }
	}

	/// The same with advisories.
	pub fn advisories(mut self, ids: &[&str]) -> Self {
		self.advisory_ids = ids.iter().map(|id| id.to_string()).collect();
		self
	}
}

/// Identity of TDX modules of one major version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TdxModuleIdentity {
	/// `TDX_` and the major version, two upper-case hex digits.
	pub id: String,
	/// As in [`TdxModule`].
	#[serde(flatten)]
	pub module: TdxModule,
	/// Highest first.
	pub tcb_levels: Vec<IsvTcbLevel>,
}

impl TdxModuleIdentity {
	/// The identity of Intel's production module of this major version.
	pub fn new(version: u8, tcb_levels: Vec<IsvTcbLevel>) -> Self {
		Self { id: format!("TDX_{version:02X}"), module: TdxModule::default(), tcb_levels }
	}
}

/// TCB info of one FMSPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TcbInfo {
	/// `SGX` or `TDX`.
	pub id: &'static str,
	/// Of the format: 3.
	pub version: u8,
	/// Set when issued.
	pub issue_date: String,
	/// Set when issued.
	pub next_update: String,
	/// Upper-case hex, 6 bytes.
	pub fmspc: String,
	/// Upper-case hex, 2 bytes.
	pub pce_id: String,
	/// How levels are compared: 0, component by component.
	pub tcb_type: u32,
	/// Number of the TCB recovery that this belongs to.
	pub tcb_evaluation_data_number: u32,
	/// TDX only.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub tdx_module: Option<TdxModule>,
	/// TDX only.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub tdx_module_identities: Option<Vec<TdxModuleIdentity>>,
	/// Highest first.
	pub tcb_levels: Vec<TcbLevel>,
}

/// Date of every level that says nothing else.
pub(crate) const TCB_DATE: &str = "2026-02-11T00:00:00Z";

/// Category and type of the first SGX components on platforms with TDX.
const SGX_COMPONENTS: [(&str, Option<&str>); 8] = [
	("BIOS", Some("Early Microcode Update")),
	("OS/VMM", Some("SGX Late Microcode Update")),
	("OS/VMM", Some("TXT SINIT")),
	("BIOS", None),
	("BIOS", None),
	("BIOS", None),
	("", None),
	("OS/VMM", Some("SEAMLDR ACM")),
];

/// Category and type of the first TDX components.
const TDX_COMPONENTS: [(&str, Option<&str>); 3] = [
	("OS/VMM", Some("TDX Module")),
	("OS/VMM", Some("TDX Module")),
	("OS/VMM", Some("TDX Late Microcode Update")),
];

fn components(svns: &[u8; 16], texts: &[(&'static str, Option<&'static str>)]) -> Vec<Component> {
	let mut texts = texts.iter();
	svns.iter()
		.map(|&svn| match texts.next() {
			Some(&(category, kind)) if !category.is_empty() => {
				Component { svn, category: Some(category), kind }
			}
			_ => Component { svn, category: None, kind: None },
		})
		.collect()
}

impl TcbLevel {
	/// The level with these SVNs. `tee_tcb_svn` is for TDX; there the module's own SVN and version
	/// are left to its identity if the version is not 0.
	pub fn new(
		cpu_svn: &[u8; 16],
		pce_svn: u16,
		tee_tcb_svn: Option<&[u8; 16]>,
		tcb_status: TcbStatus,
		advisories: &[&str],
	) -> Self {
		Self {
			tcb: Tcb {
				sgx_components: components(cpu_svn, &SGX_COMPONENTS),
				pce_svn,
				tdx_components: tee_tcb_svn.map(|svns| components(svns, &TDX_COMPONENTS)),
			},
			tcb_date: TCB_DATE.into(),
			tcb_status,
			advisory_ids: advisories.iter().map(|id| id.to_string()).collect(),
		}
	}
}

/// Advisory of an outdated TDX module in [`TcbInfo::for_platform`].
pub const MODULE_ADVISORY: &str = "INTEL-SA-01099";
/// Advisory of the middle level of [`TcbInfo::for_platform`].
pub const OUT_OF_DATE_ADVISORY: &str = "INTEL-SA-01036";
/// Further advisory of its lowest level.
pub const OLD_ADVISORY: &str = "INTEL-SA-00837";

impl TcbInfo {
	/// TCB info with three levels: the platform's SVNs (`UpToDate`), one less (`OutOfDate`), and
	/// half (`OutOfDate`); the TDX module likewise.
	pub fn for_platform(platform: &Platform, tee: Tee) -> Self {
		let tdx = tee == Tee::Tdx;
		let module = &platform.module.tee_tcb_svn;
		let level = |lower: fn(u16) -> u16, status, advisories: &[&str]| {
			let svns = |svns: &[u8; 16]| svns.map(|svn| lower(svn.into()) as u8);
			let mut module = svns(module);
			// The version is a name here, not a number to be met.
			module[1] = 0;
			let (cpu_svn, pce_svn) = (svns(&platform.cpu_svn), lower(platform.pce_svn));
			TcbLevel::new(&cpu_svn, pce_svn, tdx.then_some(&module), status, advisories)
		};
		let identity = |version| {
			let levels = vec![
				IsvTcbLevel::new(module[0].into(), TcbStatus::UpToDate),
				IsvTcbLevel::new((module[0] / 2).into(), TcbStatus::OutOfDate)
					.advisories(&[MODULE_ADVISORY]),
			];
			TdxModuleIdentity::new(version, levels)
		};
		Self {
			id: match tee {
				Tee::Sgx => "SGX",
				Tee::Tdx => "TDX",
			},
			version: 3,
			issue_date: String::new(),
			next_update: String::new(),
			fmspc: hex::encode_upper(platform.fmspc),
			pce_id: hex::encode_upper(platform.pce_id),
			tcb_type: 0,
			tcb_evaluation_data_number: 20,
			tdx_module: tdx.then(TdxModule::default),
			tdx_module_identities: tdx.then(|| vec![identity(3), identity(1)]),
			tcb_levels: vec![
				level(|svn| svn, TcbStatus::UpToDate, &[]),
				level(|svn| svn.saturating_sub(1), TcbStatus::OutOfDate, &[OUT_OF_DATE_ADVISORY]),
				level(|svn| svn / 2, TcbStatus::OutOfDate, &[OUT_OF_DATE_ADVISORY, OLD_ADVISORY]),
			],
		}
	}
}
