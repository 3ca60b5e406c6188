//! TCB infos: which security versions of a platform have which status.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use scale_info::TypeInfo;
use serde::Deserialize;

use super::{
	Advisories, AdvisorySet, Anchor, Item, Revision, Signer, Stale, Update, Window,
	json::{self, Date, Hex},
};
use crate::{
	crypto::RawSignature,
	error::Error,
	tcb::TcbStatus,
	types::{Fmspc, PceId, Tee, UnixTime},
};

/// Most TCB levels of a platform. Real documents have up to 20.
pub const MAX_LEVELS: u32 = 64;
/// Most TDX modules. Real documents have 2.
pub const MAX_MODULES: u32 = 8;
/// Most levels of a TDX module. Real documents have up to 4.
pub const MAX_MODULE_LEVELS: u32 = 16;

const ITEM: Item = Item::TcbInfo;
/// The only version of the document that knows both TEEs.
const VERSION: u32 = 3;
/// The only way of composing levels that Intel defines.
const TCB_TYPE: u32 = 0;

/// A verified TCB info.
///
/// Only [`TcbInfo::verify`] and a chain's own storage make one: no call can bring one along.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TcbInfo {
	/// The TEE it is for.
	pub(crate) tee: Tee,
	/// The platforms it is for.
	pub(crate) fmspc: Fmspc,
	/// The provisioning certification enclave it is for.
	pub(crate) pce_id: PceId,
	/// When it was issued.
	pub(crate) issue_date: UnixTime,
	/// Last second at which it counts.
	pub(crate) next_update: UnixTime,
	/// TCB evaluation data number.
	pub(crate) evaluation_number: u32,
	/// Levels, in Intel's order: by SGX components, then PCE SVN, then TDX components, each
	/// descending.
	pub(crate) levels: BoundedVec<TcbLevel, ConstU32<MAX_LEVELS>>,
	/// The TDX module of version 0; present in a TDX document.
	pub(crate) tdx_module: Option<TdxModule>,
	/// TDX modules of later versions.
	pub(crate) tdx_modules: BoundedVec<TdxModuleIdentity, ConstU32<MAX_MODULES>>,
	/// The advisories that the levels name.
	pub(crate) advisories: Advisories,
	/// Who signed it.
	pub(crate) signer: Signer,
}

/// A TCB level of a platform.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TcbLevel {
	/// Least SVN of each SGX component.
	pub(crate) sgx: [u8; 16],
	/// Least SVN of the PCE.
	pub(crate) pce_svn: u16,
	/// Least SVN of each TDX component; present in a TDX document.
	pub(crate) tdx: Option<[u8; 16]>,
	/// Date of the level.
	pub(crate) date: UnixTime,
	/// Status.
	pub(crate) status: TcbStatus,
	/// Advisories.
	pub(crate) advisories: AdvisorySet,
}

/// What signs a TDX module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TdxModule {
	/// Hash of the module's signer; zeros for Intel.
	pub(crate) mr_signer: [u8; 48],
	/// SEAM attributes.
	pub(crate) attributes: u64,
	/// Bits of the SEAM attributes that count; the others have to be zero.
	pub(crate) attributes_mask: u64,
}

/// A TDX module of one version.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TdxModuleIdentity {
	/// Version: `TEE_TCB_SVN[1]`.
	pub(crate) version: u8,
	/// What signs it.
	pub(crate) module: TdxModule,
	/// Levels in the document's order: Intel's is descending, and the first one met counts.
	pub(crate) levels: BoundedVec<TdxModuleLevel, ConstU32<MAX_MODULE_LEVELS>>,
}

/// A TCB level of a TDX module.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TdxModuleLevel {
	/// Least ISVSVN: `TEE_TCB_SVN[0]`.
	pub(crate) isv_svn: u8,
	/// Date of the level.
	pub(crate) date: UnixTime,
	/// Status.
	pub(crate) status: TcbStatus,
	/// Advisories.
	pub(crate) advisories: AdvisorySet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
	id: &'a str,
	version: u32,
	issue_date: Date,
	next_update: Date,
	fmspc: Hex<6>,
	pce_id: Hex<2>,
	tcb_type: u32,
	tcb_evaluation_data_number: u32,
	#[serde(borrow)]
	tcb_levels: Vec<Level<'a>>,
	tdx_module: Option<Module>,
	#[serde(default, borrow)]
	tdx_module_identities: Vec<ModuleIdentity<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level<'a> {
	tcb: Tcb,
	tcb_date: Date,
	tcb_status: &'a str,
	#[serde(rename = "advisoryIDs", default, borrow)]
	advisory_ids: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Tcb {
	sgxtcbcomponents: Vec<Component>,
	#[serde(default)]
	tdxtcbcomponents: Vec<Component>,
	pcesvn: u16,
}

#[derive(Deserialize)]
struct Component {
	svn: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Module {
	mrsigner: Hex<48>,
	attributes: Hex<8>,
	attributes_mask: Hex<8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModuleIdentity<'a> {
	id: &'a str,
	mrsigner: Hex<48>,
	attributes: Hex<8>,
	attributes_mask: Hex<8>,
	#[serde(borrow)]
	tcb_levels: Vec<ModuleLevel<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModuleLevel<'a> {
	tcb: ModuleTcb,
	tcb_date: Date,
	tcb_status: &'a str,
	#[serde(rename = "advisoryIDs", default, borrow)]
	advisory_ids: Vec<&'a str>,
}

#[derive(Deserialize)]
struct ModuleTcb {
	isvsvn: u8,
}

/// Statuses that Intel's verifier accepts in a platform's levels.
const STATUSES: &[TcbStatus] = &[
	TcbStatus::UpToDate,
	TcbStatus::SWHardeningNeeded,
	TcbStatus::ConfigurationNeeded,
	TcbStatus::ConfigurationAndSWHardeningNeeded,
	TcbStatus::OutOfDate,
	TcbStatus::OutOfDateConfigurationNeeded,
	TcbStatus::Revoked,
];
/// Statuses that Intel's verifier accepts in a TDX module's levels.
const MODULE_STATUSES: &[TcbStatus] =
	&[TcbStatus::UpToDate, TcbStatus::OutOfDate, TcbStatus::Revoked];

impl TcbInfo {
	/// Verifies a TCB info.
	///
	/// - `json`: the value of `tcbInfo` in Intel's answer, byte for byte.
	/// - `signature`: the value of `signature`, decoded.
	/// - `signer`: the signing certificate in DER, the first of the chain in the answer's header.
	///
	/// # Errors
	///
	/// The variants of [`Error`] on the root's list, on a [`TcbInfoSigner`] certificate and on
	/// [`Item::TcbInfo`]; [`Error::TcbComponentCount`].
	///
	/// [`TcbInfoSigner`]: crate::types::CertificateKind::TcbInfoSigner
	pub fn verify(
		json: &[u8],
		signature: &RawSignature,
		signer: &[u8],
		anchor: &Anchor<'_>,
		now: UnixTime,
	) -> Result<Self, Error> {
		json::check_len(ITEM, json)?;
		let signer = Signer::verify(ITEM, json, signature, signer, anchor, now)?;
		let info = Self::parse(json, signer)?;
		info.window().check(ITEM, Some(info.fmspc), now, 0)?;
		Ok(info)
	}

	pub(crate) fn parse(json: &[u8], signer: Signer) -> Result<Self, Error> {
		let document: Document<'_> = json::parse(ITEM, json)?;
		let tee = match (document.id, document.version, document.tcb_type) {
			("SGX", VERSION, TCB_TYPE) => Tee::Sgx,
			("TDX", VERSION, TCB_TYPE) => Tee::Tdx,
			_ => return Err(Error::CollateralUnsupported(ITEM)),
		};
		let mut advisories = Advisories::default();
		let mut levels = document
			.tcb_levels
			.iter()
			.map(|level| level.compact(tee, &mut advisories))
			.collect::<Result<Vec<_>, _>>()?;
		levels.sort_by_key(|level| Reverse((level.sgx, level.pce_svn, level.tdx)));
		let (tdx_module, tdx_modules) = match tee {
			Tee::Sgx => (None, Vec::new()),
			Tee::Tdx => {
				let module = document.tdx_module.ok_or(Error::CollateralMalformed(ITEM))?;
				let modules = document.tdx_module_identities.iter();
				let modules = modules.filter_map(|module| module.compact(&mut advisories));
				(Some(module.compact()), modules.collect::<Result<Vec<_>, _>>()?)
			}
		};
		let too_many = Error::CollateralTooManyEntries(ITEM);
		Ok(Self {
			tee,
			fmspc: Fmspc(document.fmspc.0),
			pce_id: PceId(document.pce_id.0),
			issue_date: document.issue_date.0,
			next_update: document.next_update.0,
			evaluation_number: document.tcb_evaluation_data_number,
			levels: levels.try_into().map_err(|_| too_many)?,
			tdx_module,
			tdx_modules: tdx_modules.try_into().map_err(|_| too_many)?,
			advisories,
			signer,
		})
	}

	/// The TEE that it is for.
	pub fn tee(&self) -> Tee {
		self.tee
	}

	/// The platforms that it is for.
	pub fn fmspc(&self) -> Fmspc {
		self.fmspc
	}

	/// When it was issued.
	pub fn issue_date(&self) -> UnixTime {
		self.issue_date
	}

	/// Last second at which it counts.
	pub fn next_update(&self) -> UnixTime {
		self.next_update
	}

	/// TCB evaluation data number.
	pub fn evaluation_number(&self) -> u32 {
		self.evaluation_number
	}

	/// The newest date of a level, of a platform or a TDX module. Zero without levels.
	pub fn newest_level(&self) -> UnixTime {
		let modules = self.tdx_modules.iter().flat_map(|module| &module.levels);
		let platform = self.levels.iter().map(|level| level.date);
		platform.chain(modules.map(|level| level.date)).max().unwrap_or(0)
	}

	/// Whether this may replace `stored`: for the same TEE and FMSPC, under the same root, and newer by
	/// [`Revision`], of which the number is the evaluation number.
	///
	/// # Errors
	///
	/// [`Error::UpdateOfAnother`], [`Error::EvaluationNumberFell`], [`Error::IssueDateNotNewer`].
	pub fn check_update(&self, stored: &Self) -> Result<Update, Error> {
		if self.signer.issuer_key != stored.signer.issuer_key
			|| (self.tee, self.fmspc) != (stored.tee, stored.fmspc)
		{
			return Err(Error::UpdateOfAnother(ITEM));
		}
		check_document_update(
			ITEM,
			(self.evaluation_number, self.window()),
			(stored.evaluation_number, stored.window()),
		)
	}

	pub(crate) fn window(&self) -> Window {
		Window { issued: self.issue_date, next_update: self.next_update, until: self.next_update }
	}
}

/// The rule for both JSON documents.
pub(super) fn check_document_update(
	item: Item,
	(offered_number, offered): (u32, Window),
	(stored_number, stored): (u32, Window),
) -> Result<Update, Error> {
	let revision = |number: u32, Window { issued, until, .. }| Revision {
		number: number.into(),
		issued,
		until,
	};
	let stale = revision(offered_number, offered).check_update(&revision(stored_number, stored));
	stale.map_err(|stale| match stale {
		Stale::LowerNumber => {
			let (stored, offered) = (stored_number, offered_number);
			Error::EvaluationNumberFell { item, stored, offered }
		}
		Stale::NotNewer => {
			let (stored, offered) = (stored.issued, offered.issued);
			Error::IssueDateNotNewer { item, stored, offered }
		}
	})
}

impl Level<'_> {
	fn compact(&self, tee: Tee, advisories: &mut Advisories) -> Result<TcbLevel, Error> {
		Ok(TcbLevel {
			sgx: components(&self.tcb.sgxtcbcomponents)?,
			pce_svn: self.tcb.pcesvn,
			tdx: match tee {
				Tee::Sgx => None,
				Tee::Tdx => Some(components(&self.tcb.tdxtcbcomponents)?),
			},
			date: self.tcb_date.0,
			status: json::status(ITEM, self.tcb_status, STATUSES)?,
			advisories: advisories
				.intern(&self.advisory_ids)
				.ok_or(Error::CollateralTooManyEntries(ITEM))?,
		})
	}
}

fn components(components: &[Component]) -> Result<[u8; 16], Error> {
	let mut svns = [0; 16];
	if components.len() != svns.len() {
		return Err(Error::TcbComponentCount);
	}
	for (into, component) in svns.iter_mut().zip(components) {
		*into = component.svn;
	}
	Ok(svns)
}

impl Module {
	fn compact(&self) -> TdxModule {
		TdxModule {
			mr_signer: self.mrsigner.0,
			attributes: u64::from_le_bytes(self.attributes.0),
			attributes_mask: u64::from_le_bytes(self.attributes_mask.0),
		}
	}
}

impl ModuleIdentity<'_> {
	/// `None` for an id that is not of the form `TDX_` and two hexadecimal digits: no quote can
	/// select it.
	fn compact(&self, advisories: &mut Advisories) -> Option<Result<TdxModuleIdentity, Error>> {
		let mut version = [0; 1];
		let digits = self.id.strip_prefix("TDX_").filter(|digits| digits.len() == 2)?;
		base16ct::mixed::decode(digits, &mut version).ok()?;
		let [version] = version;
		Some(self.levels(advisories).map(|levels| TdxModuleIdentity {
			version,
			module: TdxModule {
				mr_signer: self.mrsigner.0,
				attributes: u64::from_le_bytes(self.attributes.0),
				attributes_mask: u64::from_le_bytes(self.attributes_mask.0),
			},
			levels,
		}))
	}

	fn levels(
		&self,
		advisories: &mut Advisories,
	) -> Result<BoundedVec<TdxModuleLevel, ConstU32<MAX_MODULE_LEVELS>>, Error> {
		let too_many = Error::CollateralTooManyEntries(ITEM);
		let mut levels = Vec::new();
		for level in &self.tcb_levels {
			levels.push(TdxModuleLevel {
				isv_svn: level.tcb.isvsvn,
				date: level.tcb_date.0,
				status: json::status(ITEM, level.tcb_status, MODULE_STATUSES)?,
				advisories: advisories.intern(&level.advisory_ids).ok_or(too_many)?,
			});
		}
		levels.try_into().map_err(|_| too_many)
	}
}
