//! Intel's certificate extension of PCK certificates (OID 1.2.840.113741.1.13.1), after "Intel
//! SGX PCK Certificate and Certificate Revocation List Profile Specification", §1.3.5.

use crate::{CaKind, Platform};
use der::{
	Encode, Sequence, Tag,
	asn1::{Any, ObjectIdentifier, OctetStringRef},
};

/// The extension's own OID; its fields are arcs below it.
pub(crate) const SGX_EXTENSION: ObjectIdentifier =
	ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");

/// Arcs of the fields below [`SGX_EXTENSION`].
mod arc {
	pub const PPID: u32 = 1;
	pub const TCB: u32 = 2;
	pub const PCE_ID: u32 = 3;
	pub const FMSPC: u32 = 4;
	pub const SGX_TYPE: u32 = 5;
	pub const INSTANCE_ID: u32 = 6;
	pub const CONFIGURATION: u32 = 7;
	/// Below `TCB`, after the sixteen components.
	pub const PCE_SVN: u32 = 17;
	pub const CPU_SVN: u32 = 18;
}

#[derive(Sequence)]
struct Field {
	id: ObjectIdentifier,
	value: Any,
}

fn field(parent: ObjectIdentifier, arc: u32, value: &impl Encode) -> der::Result<Field> {
	let id = parent.push_arc(arc).map_err(|_| der::ErrorKind::OidMalformed)?;
	Ok(Field { id, value: value.to_der().and_then(|der| der::Decode::from_der(&der))? })
}

/// DER of the extension's value for a platform.
pub(crate) fn sgx_extension(platform: &Platform) -> der::Result<Vec<u8>> {
	let top = |arc, value: &[u8]| field(SGX_EXTENSION, arc, &OctetStringRef::new(value)?);
	let tcb = SGX_EXTENSION.push_arc(arc::TCB).map_err(|_| der::ErrorKind::OidMalformed)?;
	let mut svns = (1..)
		.zip(platform.cpu_svn)
		.map(|(arc, svn)| field(tcb, arc, &svn))
		.collect::<der::Result<Vec<_>>>()?;
	svns.push(field(tcb, arc::PCE_SVN, &platform.pce_svn)?);
	svns.push(field(tcb, arc::CPU_SVN, &OctetStringRef::new(&platform.cpu_svn)?)?);

	let mut fields = vec![
		top(arc::PPID, &platform.ppid)?,
		field(SGX_EXTENSION, arc::TCB, &svns)?,
		top(arc::PCE_ID, &platform.pce_id)?,
		top(arc::FMSPC, &platform.fmspc)?,
		field(SGX_EXTENSION, arc::SGX_TYPE, &Any::new(Tag::Enumerated, [platform.sgx_type])?)?,
	];
	if platform.ca == CaKind::Platform {
		let configuration =
			SGX_EXTENSION.push_arc(arc::CONFIGURATION).map_err(|_| der::ErrorKind::OidMalformed)?;
		let flags = platform.configuration;
		let flags = (1..)
			.zip([flags.dynamic_platform, flags.cached_keys, flags.smt_enabled])
			.map(|(arc, flag)| field(configuration, arc, &flag))
			.collect::<der::Result<Vec<_>>>()?;
		fields.push(top(arc::INSTANCE_ID, &platform.instance_id)?);
		fields.push(field(SGX_EXTENSION, arc::CONFIGURATION, &flags)?);
	}
	fields.to_der()
}
