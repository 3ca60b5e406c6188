//! The SGX extension of PCK certificates: which platform this is, and at which TCB.
//!
//! Source: "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification",
//! table "SGX extensions".

use der::{
	Decode, Reader, SliceReader, Tag,
	asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};

use crate::{
	error::Error,
	types::{Fmspc, PceId, Ppid},
};

const ROOT: ObjectIdentifier = super::certificate::SGX;
const PPID: u32 = 1;
const TCB: u32 = 2;
const PCE_ID: u32 = 3;
const FMSPC: u32 = 4;
/// Arcs below [`TCB`]: 1 to 16 are the components, then follow the PCE's SVN and the raw CPUSVN.
const PCE_SVN: u32 = 17;
const CPU_SVN: u32 = 18;

/// Security version numbers of a platform.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlatformTcb {
	/// SGX TCB components 1 to 16.
	pub components: [u8; 16],
	/// SVN of the provisioning certification enclave.
	pub pce_svn: u16,
}

/// The values that verification needs.
pub(crate) struct SgxExtension {
	pub ppid: Ppid,
	pub tcb: PlatformTcb,
	pub pce_id: PceId,
	pub fmspc: Fmspc,
}

impl SgxExtension {
	pub fn parse(der: &[u8]) -> Result<Self, Error> {
		Self::read(der).ok_or(Error::SgxExtensionMalformed)
	}

	fn read(der: &[u8]) -> Option<Self> {
		let (mut ppid, mut tcb, mut pce_id, mut fmspc) = (None, None, None, None);
		each_entry(der, |oid, value| {
			let arc = arc_below(&oid, &ROOT)?;
			let first = match arc {
				PPID => ppid.replace(Ppid(octets(value)?)).is_none(),
				TCB => tcb.replace(read_tcb(value)?).is_none(),
				PCE_ID => pce_id.replace(PceId(octets(value)?)).is_none(),
				FMSPC => fmspc.replace(Fmspc(octets(value)?)).is_none(),
				_ => true,
			};
			first.then_some(())
		})?;
		Some(Self { ppid: ppid?, tcb: tcb?, pce_id: pce_id?, fmspc: fmspc? })
	}
}

fn read_tcb(value: &[u8]) -> Option<PlatformTcb> {
	let parent = ROOT.push_arc(TCB).ok()?;
	let (mut components, mut pce_svn) = ([None; 16], None);
	each_entry(value, |oid, value| {
		let arc = arc_below(&oid, &parent)?;
		let first = match arc {
			PCE_SVN => pce_svn.replace(u16::from_der(value).ok()?).is_none(),
			CPU_SVN => octets::<16>(value).is_some(),
			_ => {
				let index = usize::try_from(arc).ok()?.checked_sub(1)?;
				components.get_mut(index)?.replace(u8::from_der(value).ok()?).is_none()
			}
		};
		first.then_some(())
	})?;
	let mut all = [0; 16];
	for (into, component) in all.iter_mut().zip(components) {
		*into = component?;
	}
	Some(PlatformTcb { components: all, pce_svn: pce_svn? })
}

/// Calls `visit` with the pairs of a `SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, ANY }`; the value
/// comes with its tag and length.
fn each_entry<'a>(
	der: &'a [u8],
	mut visit: impl FnMut(ObjectIdentifier, &'a [u8]) -> Option<()>,
) -> Option<()> {
	let mut reader = SliceReader::new(der).ok()?;
	let header = der::Header::decode(&mut reader).ok()?;
	let body =
		(header.tag() == Tag::Sequence).then(|| reader.read_slice(header.length()).ok())??;
	reader.finish().ok()?;
	let mut entries = SliceReader::new(body).ok()?;
	while !entries.is_finished() {
		let (oid, value) = entries
			.sequence(|entry| {
				Ok::<_, der::Error>((ObjectIdentifier::decode(entry)?, entry.tlv_bytes()?))
			})
			.ok()?;
		visit(oid, value)?;
	}
	Some(())
}

/// Last arc of `oid` if it lies directly under `parent`.
fn arc_below(oid: &ObjectIdentifier, parent: &ObjectIdentifier) -> Option<u32> {
	(oid.parent()? == *parent).then(|| oid.arcs().last()).flatten()
}

fn octets<const N: usize>(der: &[u8]) -> Option<[u8; N]> {
	AnyRef::from_der(der).ok()?.decode_as::<&OctetStringRef>().ok()?.as_bytes().try_into().ok()
}
