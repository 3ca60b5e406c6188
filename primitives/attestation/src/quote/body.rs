//! What a TEE reports about itself: enclave reports and TD reports.
//!
//! Sources: Intel SDM volume 3D, table "REPORT structure"; "Intel TDX DCAP Quoting Library API",
//! "TD Quote Body" tables; "Intel TDX Module ABI Specification" 348551, "ATTRIBUTES".

use super::{
	header::{Header, Version},
	reader::Reader,
};
use crate::{crypto::sha256, error::Error};

const TD_1_0: u16 = 2;
const TD_1_5: u16 = 3;
const TD_1_5_EX: u16 = 4;
/// Fields that TD 1.5ex adds to TD 1.5.
const EX_LEN: usize = 237;

/// The report body of a quote.
#[derive(Clone, Debug)]
pub enum Body<'a> {
	/// An SGX enclave.
	Sgx(EnclaveReport<'a>),
	/// A TDX trust domain.
	Tdx(TdReport<'a>),
}

impl<'a> Body<'a> {
	pub(crate) fn read(header: &Header, reader: &mut Reader<'a>) -> Result<Self, Error> {
		match header.version {
			Version::SgxV3 => EnclaveReport::read(reader).map(Self::Sgx),
			Version::TdxV4 => TdReport::read(TdReportVersion::V1_0, reader).map(Self::Tdx),
			Version::TdxV5 => {
				let (body_type, size) = (reader.u16()?, reader.u32()?);
				let version = match body_type {
					TD_1_0 => TdReportVersion::V1_0,
					TD_1_5 => TdReportVersion::V1_5,
					TD_1_5_EX => TdReportVersion::V1_5Ex,
					_ => return Err(Error::UnsupportedBodyType(body_type)),
				};
				if usize::try_from(size) != Ok(version.size()) {
					return Err(Error::BodySizeMismatch { body_type, size });
				}
				TdReport::read(version, reader).map(Self::Tdx)
			}
		}
	}

	/// One hash that names the program, whichever the TEE:
	///
	/// - SGX: SHA-256 of `"phala/measurement/sgx/v1" ‖ MRENCLAVE`.
	/// - TDX: SHA-256 of `"phala/measurement/tdx/v1" ‖ MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2 ‖ RTMR3`.
	///
	/// It does not cover MRSIGNER: anybody can sign the same code anew, so a program must not use keys that the
	/// processor derives for its signer.
	///
	/// It does not cover what the host may choose freely: `MRCONFIGID`, `MROWNER` and
	/// `MROWNERCONFIG` of a TD, `CONFIGID` of an enclave. A program must not take its
	/// configuration from there.
	pub fn measurement(&self) -> [u8; 32] {
		match self {
			Self::Sgx(report) => sha256(&[b"phala/measurement/sgx/v1", report.mr_enclave]),
			Self::Tdx(report) => {
				let [rtmr0, rtmr1, rtmr2, rtmr3] = report.rt_mr;
				sha256(&[b"phala/measurement/tdx/v1", report.mr_td, rtmr0, rtmr1, rtmr2, rtmr3])
			}
		}
	}

	/// The 64 bytes that the program put into its report.
	pub fn report_data(&self) -> &'a [u8; 64] {
		match self {
			Self::Sgx(report) => report.report_data,
			Self::Tdx(report) => report.report_data,
		}
	}

	/// Refuses bodies whose flags let someone look into or change the program.
	pub(crate) fn check_flags(&self) -> Result<(), Error> {
		match self {
			Self::Sgx(report) => report.check_flags(),
			Self::Tdx(report) => report.check_flags(),
		}
	}
}

/// Report of an SGX enclave (384 bytes).
#[derive(Clone, Debug)]
pub struct EnclaveReport<'a> {
	/// SVN of the processor, raw.
	pub cpu_svn: &'a [u8; 16],
	/// Which extra information the enclave's state save area holds.
	pub misc_select: u32,
	/// ATTRIBUTES: eight bytes of flags, eight of XFRM.
	pub attributes: &'a [u8; 16],
	/// Measurement of the enclave's code.
	pub mr_enclave: &'a [u8; 32],
	/// Hash of the key that signed the enclave.
	pub mr_signer: &'a [u8; 32],
	/// Product id that the signer gave.
	pub isv_prod_id: u16,
	/// Security version that the signer gave.
	pub isv_svn: u16,
	/// Data of the enclave's choice.
	pub report_data: &'a [u8; 64],
}

impl<'a> EnclaveReport<'a> {
	pub(crate) const LEN: usize = 384;

	pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
		let cpu_svn = reader.array()?;
		let misc_select = reader.u32()?;
		reader.bytes(28)?;
		let attributes = reader.array()?;
		let mr_enclave = reader.array()?;
		reader.bytes(32)?;
		let mr_signer = reader.array()?;
		reader.bytes(96)?;
		let isv_prod_id = reader.u16()?;
		let isv_svn = reader.u16()?;
		reader.bytes(60)?;
		let report_data = reader.array()?;
		Ok(Self {
			cpu_svn,
			misc_select,
			attributes,
			mr_enclave,
			mr_signer,
			isv_prod_id,
			isv_svn,
			report_data,
		})
	}

	/// ATTRIBUTES.DEBUG: the host can read and change the enclave.
	pub fn is_debug(&self) -> bool {
		is_debug(self.attributes)
	}

	/// Anybody can sign the same code anew, and MRENCLAVE does not cover what the signer lets ATTRIBUTES be.
	fn check_flags(&self) -> Result<(), Error> {
		if self.is_debug() {
			return Err(Error::SgxDebug);
		}
		let flags = u128::from_le_bytes(*self.attributes) & u128::from(u64::MAX);
		if flags & enclave_attributes::REQUIRED != enclave_attributes::REQUIRED
			|| flags & !enclave_attributes::ALLOWED != 0
		{
			return Err(Error::SgxAttributes);
		}
		Ok(())
	}
}

/// Flags of ATTRIBUTES (Intel SDM volume 3D, SECS.ATTRIBUTES). Others are refused: keys for provisioning and
/// launch are for Intel's own enclaves.
mod enclave_attributes {
	const INIT: u128 = 1;
	/// Without it, the processor runs the measured code as 32-bit code.
	const MODE64BIT: u128 = 1 << 2;
	/// Control-flow enforcement.
	const CET: u128 = 1 << 6;
	/// Key separation and sharing.
	const KSS: u128 = 1 << 7;
	/// Notification of asynchronous exits, against single-stepping.
	const AEX_NOTIFY: u128 = 1 << 10;
	pub const REQUIRED: u128 = INIT | MODE64BIT;
	pub const ALLOWED: u128 = REQUIRED | CET | KSS | AEX_NOTIFY;
}

/// ATTRIBUTES.DEBUG of an enclave.
pub(crate) fn is_debug(attributes: &[u8; 16]) -> bool {
	u128::from_le_bytes(*attributes) & 0x02 != 0
}

/// Format of a TD report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TdReportVersion {
	/// TDX 1.0, 584 bytes.
	V1_0,
	/// TDX 1.5, 648 bytes.
	V1_5,
	/// TDX 1.5 extended, 885 bytes.
	V1_5Ex,
}

impl TdReportVersion {
	/// Bytes.
	pub const fn size(self) -> usize {
		match self {
			Self::V1_0 => 584,
			Self::V1_5 => 648,
			Self::V1_5Ex => 648 + EX_LEN,
		}
	}
}

/// Report of a TDX trust domain.
#[derive(Clone, Debug)]
pub struct TdReport<'a> {
	/// Format.
	pub version: TdReportVersion,
	/// SVNs of the TDX module and the platform when the TD was launched: `[0]` is the module's
	/// ISVSVN, `[1]` the module's version.
	pub tee_tcb_svn: &'a [u8; 16],
	/// Measurement of the TDX module.
	pub mr_seam: &'a [u8; 48],
	/// Hash of the TDX module's signer; zeros for Intel.
	pub mr_signer_seam: &'a [u8; 48],
	/// Attributes of the TDX module.
	pub seam_attributes: &'a [u8; 8],
	/// Attributes of the TD.
	pub td_attributes: u64,
	/// Extended features the TD may use.
	pub xfam: u64,
	/// Measurement of the TD as it was built.
	pub mr_td: &'a [u8; 48],
	/// Configuration that the host chose. Not part of the measurement.
	pub mr_config_id: &'a [u8; 48],
	/// Owner that the host chose. Not part of the measurement.
	pub mr_owner: &'a [u8; 48],
	/// Owner's configuration that the host chose. Not part of the measurement.
	pub mr_owner_config: &'a [u8; 48],
	/// Measurements that the TD extended as it started.
	pub rt_mr: [&'a [u8; 48]; 4],
	/// Data of the TD's choice.
	pub report_data: &'a [u8; 64],
	/// From 1.5 on: as `tee_tcb_svn`, but now. They differ after the TDX module was updated under
	/// running TDs.
	pub tee_tcb_svn_2: Option<&'a [u8; 16]>,
	/// From 1.5 on: measurement of the TD's service TDs; zeros if it has none.
	pub mr_service_td: Option<&'a [u8; 48]>,
}

impl<'a> TdReport<'a> {
	fn read(version: TdReportVersion, reader: &mut Reader<'a>) -> Result<Self, Error> {
		let mut report = Self {
			version,
			tee_tcb_svn: reader.array()?,
			mr_seam: reader.array()?,
			mr_signer_seam: reader.array()?,
			seam_attributes: reader.array()?,
			td_attributes: u64::from_le_bytes(*reader.array()?),
			xfam: u64::from_le_bytes(*reader.array()?),
			mr_td: reader.array()?,
			mr_config_id: reader.array()?,
			mr_owner: reader.array()?,
			mr_owner_config: reader.array()?,
			rt_mr: [reader.array()?, reader.array()?, reader.array()?, reader.array()?],
			report_data: reader.array()?,
			tee_tcb_svn_2: None,
			mr_service_td: None,
		};
		if version != TdReportVersion::V1_0 {
			report.tee_tcb_svn_2 = Some(reader.array()?);
			report.mr_service_td = Some(reader.array()?);
		}
		if version == TdReportVersion::V1_5Ex {
			reader.bytes(EX_LEN)?;
		}
		Ok(report)
	}

	fn check_flags(&self) -> Result<(), Error> {
		let any = |mask: u64| self.td_attributes & mask != 0;
		if any(attributes::DEBUG) {
			return Err(Error::TdDebug);
		}
		if any(attributes::PROFILING) {
			return Err(Error::TdProfiling);
		}
		if any(!attributes::KNOWN) {
			return Err(Error::TdReservedAttributes);
		}
		if any(attributes::MIGRATABLE) {
			return Err(Error::TdMigratable);
		}
		if any(attributes::SERVICE_TD)
			|| self.mr_service_td.is_some_and(|service_td| *service_td != [0; 48])
		{
			return Err(Error::TdServiceTd);
		}
		if any(attributes::PROTECTION_KEYS) {
			return Err(Error::TdProtectionKeys);
		}
		if any(attributes::KEY_LOCKER) {
			return Err(Error::TdKeyLocker);
		}
		if !any(attributes::SEPT_VE_DISABLE) {
			return Err(Error::TdSeptVeEnabled);
		}
		Ok(())
	}
}

/// Bits of the TD attributes. Those without a name here are refused, whatever a later TDX module lets
/// them grant.
mod attributes {
	pub const DEBUG: u64 = 1;
	/// Bits 4 to 6.
	pub const PROFILING: u64 = 0x70;
	/// SERVTD_EXT: the report covers service TDs.
	pub const SERVICE_TD: u64 = 1 << 17;
	/// LASS: linear address space separation, a protection. Allowed.
	pub const ADDRESS_SPACE_SEPARATION: u64 = 1 << 27;
	pub const SEPT_VE_DISABLE: u64 = 1 << 28;
	pub const MIGRATABLE: u64 = 1 << 29;
	pub const PROTECTION_KEYS: u64 = 1 << 30;
	pub const KEY_LOCKER: u64 = 1 << 31;
	/// PERFMON: the TD may count its own events. Does not touch its security. Allowed.
	pub const PERFORMANCE_MONITORING: u64 = 1 << 63;
	/// What is allowed, and what has an error of its own.
	pub const KNOWN: u64 = DEBUG
		| PROFILING
		| SERVICE_TD
		| ADDRESS_SPACE_SEPARATION
		| SEPT_VE_DISABLE
		| MIGRATABLE
		| PROTECTION_KEYS
		| KEY_LOCKER
		| PERFORMANCE_MONITORING;
}
