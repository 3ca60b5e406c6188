//! Collateral: what Intel publishes about platforms, from wherever it is to be had, and what of it
//! the chain needs.
//!
//! Nothing here is trusted: all of it is signed by Intel, and the chain checks that.

mod file;
mod pcs;
mod simulated;

pub use pcs::{Http, INTEL as INTEL_PCS, Pcs, PcsError};

use crate::{
	journal::Item,
	registry::{self, Call},
};
use der::{DateTime, Decode};
use phala_attestation::{PckCaKind, Tee, pem};
use phala_dev_pki::Collateral;
use serde::Deserialize;
use std::{path::PathBuf, str::FromStr};

/// Prolongation for which the chain returns the fee, in seconds: a week.
const WORTHWHILE: u64 = 7 * 86_400;

/// Why there is no collateral.
#[derive(Debug, thiserror::Error)]
pub enum CollateralError {
	/// It cannot be fetched.
	#[error(transparent)]
	Pcs(#[from] PcsError),
	/// The file with it cannot be read.
	#[error(transparent)]
	File(#[from] phala_node_common::files::FileError),
	/// There is no such file.
	#[error("there is no collateral file {}: fetch one, or set a PCCS address", .0.display())]
	NoFile(PathBuf),
	/// The file has another content.
	#[error(
		"{} is no collateral in the JSON form of dcap-qvl's QuoteCollateralV3: {reason}",
		path.display()
	)]
	Format {
		/// The file.
		path: PathBuf,
		/// Why.
		reason: String,
	},
	/// The development PKI failed.
	#[error("simulated collateral: {0}")]
	Simulated(#[from] phala_dev_pki::Error),
	/// A certificate in it cannot be read.
	#[error("the issuer chain of the {0:?} is no PEM: fetch it anew")]
	NoCertificate(Item),
	/// A date in it cannot be read.
	#[error("the {0:?} has no readable date of its next update: fetch it anew")]
	NoDate(Item),
}

/// The platform that collateral is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
	/// Its TEE.
	pub tee: Tee,
	/// Its family.
	pub fmspc: [u8; 6],
	/// Who issued its PCK certificate.
	pub ca: PckCaKind,
}

/// Where collateral comes from.
#[derive(Clone, Debug)]
pub enum Source {
	/// Intel's PCS or a PCCS.
	Pcs(Box<Pcs>),
	/// A JSON file.
	File(PathBuf),
	/// The development PKI.
	Simulated,
}

impl Source {
	/// All collateral for a platform. `now` is the chain's time, in Unix seconds: simulated
	/// collateral is issued at that time.
	pub async fn fetch(&self, subject: &Subject, now: u64) -> Result<Collateral, CollateralError> {
		match self {
			Self::Pcs(pcs) => Ok(pcs.fetch(subject).await?),
			Self::File(path) => file::read(path),
			Self::Simulated => simulated::issue(subject, now),
		}
	}
}

impl std::fmt::Display for Source {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Pcs(pcs) => write!(f, "{}", pcs.url()),
			Self::File(path) => write!(f, "{}", path.display()),
			Self::Simulated => f.write_str("the development PKI"),
		}
	}
}

/// The call that brings an item to the chain, for a platform whose PCK certificate is of this CA.
pub fn call(collateral: &Collateral, item: Item, ca: PckCaKind) -> Result<Call, CollateralError> {
	// The chain has the root; it wants the certificate below.
	let first = |chain: &str| {
		let certificates = pem::certificates(chain.as_bytes()).ok();
		let first = certificates.and_then(|chain| chain.into_iter().next());
		first.ok_or(CollateralError::NoCertificate(item))
	};
	Ok(match item {
		Item::RootCrl => Call::Crl(None, collateral.root_ca_crl.clone()),
		Item::PckCa => Call::PckCa(first(&collateral.pck_crl_issuer_chain)?),
		Item::PckCrl => Call::Crl(Some(ca), collateral.pck_crl.clone()),
		Item::TcbInfo => Call::TcbInfo(
			collateral.tcb_info.clone().into_bytes(),
			collateral.tcb_info_signature.clone(),
			first(&collateral.tcb_info_issuer_chain)?,
		),
		Item::QeIdentity => Call::QeIdentity(
			collateral.qe_identity.clone().into_bytes(),
			collateral.qe_identity_signature.clone(),
			first(&collateral.qe_identity_issuer_chain)?,
		),
	})
}

/// Unix second at which an item's next issue is due; of a CA, at which its certificate expires.
pub fn next_update(collateral: &Collateral, item: Item) -> Result<u64, CollateralError> {
	#[derive(Deserialize)]
	#[serde(rename_all = "camelCase")]
	struct Dated {
		next_update: String,
	}
	let of_json = |json: &str| {
		let dated: Dated = serde_json::from_str(json).ok()?;
		Some(DateTime::from_str(&dated.next_update).ok()?.unix_duration().as_secs())
	};
	let of_crl = |crl: &[u8]| {
		let list: x509_cert::crl::CertificateList = Decode::from_der(crl).ok()?;
		Some(list.tbs_cert_list.next_update?.to_unix_duration().as_secs())
	};
	let of_chain = |pem: &str| {
		let chain = x509_cert::Certificate::load_pem_chain(pem.as_bytes()).ok()?;
		let validity = chain.first()?.tbs_certificate().validity();
		Some(validity.not_after.to_unix_duration().as_secs())
	};
	match item {
		Item::PckCa => of_chain(&collateral.pck_crl_issuer_chain),
		Item::RootCrl => of_crl(&collateral.root_ca_crl),
		Item::PckCrl => of_crl(&collateral.pck_crl),
		Item::TcbInfo => of_json(&collateral.tcb_info),
		Item::QeIdentity => of_json(&collateral.qe_identity),
	}
	.ok_or(CollateralError::NoDate(item))
}

/// What the chain has of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
	/// Unix second at which the item in force expires.
	pub expires: Option<u64>,
	/// The same of one that waits until its evaluation number takes effect.
	pub waiting: Option<u64>,
}

/// What the chain has of an item, for platforms whose PCK certificate is of this CA.
pub fn held(collateral: &registry::Collateral, item: Item, ca: PckCaKind) -> Held {
	let of = match ca {
		PckCaKind::Processor => 0,
		PckCaKind::Platform => 1,
	};
	let alone = |expires| Held { expires, waiting: None };
	match item {
		Item::RootCrl => alone(collateral.root_crl.map(|(_, expires)| expires)),
		Item::PckCa => alone(collateral.pck_cas[of]),
		Item::PckCrl => alone(collateral.pck_crls[of].map(|(_, expires)| expires)),
		Item::TcbInfo => Held {
			expires: collateral.tcb_info.map(|(_, expires)| expires),
			waiting: collateral.next_tcb_info.map(|(_, expires)| expires),
		},
		Item::QeIdentity => Held {
			expires: collateral.qe_identity.map(|(_, expires)| expires),
			waiting: collateral.next_qe_identity.map(|(_, expires)| expires),
		},
	}
}

/// How long collateral must last, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Need {
	/// Until then it must count to be used at all.
	pub margin: u64,
	/// Until then it should count, so that it does not shorten the attestation.
	pub lifetime: u64,
}

/// Whether to submit an item of which ours is due at `ours`. What the chain would refuse as no newer
/// is never submitted; what is merely nice to have only where the fee comes back.
pub fn is_needed(held: Held, ours: u64, now: u64, need: Need) -> bool {
	let until = |seconds: u64| now.saturating_add(seconds);
	if ours <= now || held.waiting.is_some_and(|waiting| waiting >= ours) {
		return false;
	}
	match held.expires {
		None => true,
		Some(expires) if expires <= until(need.margin) => ours > expires,
		Some(expires) => {
			expires < until(need.lifetime) && ours >= expires.saturating_add(WORTHWHILE)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	const DAY: u64 = 86_400;
	const NOW: u64 = 1_800_000_000;
	const NEED: Need = Need { margin: 3_600, lifetime: 7 * DAY };

	fn has(expires: u64) -> Held {
		Held { expires: Some(expires), waiting: None }
	}

	#[test]
	fn what_is_missing_or_runs_out_is_needed() {
		let ours = NOW + 30 * DAY;
		assert!(is_needed(Held::default(), ours, NOW, NEED));
		assert!(is_needed(has(NOW + 60), ours, NOW, NEED));
		assert!(is_needed(has(NOW + 6 * DAY), ours, NOW, NEED), "it would shorten the attestation");
		assert!(!is_needed(has(NOW + 8 * DAY), ours, NOW, NEED), "others will care in time");
	}

	#[test]
	fn what_brings_nothing_is_not_submitted() {
		assert!(!is_needed(Held::default(), NOW, NOW, NEED), "ours has expired");
		assert!(!is_needed(has(NOW + 60), NOW + 60, NOW, NEED), "it is the same");
		assert!(!is_needed(has(NOW + 6 * DAY), NOW + 7 * DAY, NOW, NEED), "the fee would be lost");
		let waits = Held { expires: None, waiting: Some(NOW + 30 * DAY) };
		assert!(!is_needed(waits, NOW + 30 * DAY, NOW, NEED), "the chain has it already");
		assert!(is_needed(waits, NOW + 31 * DAY, NOW, NEED));
	}

	proptest! {
		/// After a submission the same item is not needed again.
		#[test]
		fn submitting_settles_it(
			expires in prop::option::of(0..NOW * 2), ours in 0..NOW * 2, later in 0..60 * DAY
		) {
			let held = Held { expires, waiting: None };
			if is_needed(held, ours, NOW, NEED) {
				prop_assert!(expires.is_none_or(|expires| ours > expires));
				prop_assert!(!is_needed(has(ours), ours, NOW + later, NEED));
			}
		}
	}

	#[test]
	fn every_item_is_read() {
		let subject = Subject {
			tee: Tee::Tdx,
			fmspc: phala_dev_pki::Platform::FMSPC,
			ca: PckCaKind::Platform,
		};
		let collateral = simulated::issue(&subject, NOW).unwrap();
		for item in Item::ALL {
			let due = next_update(&collateral, item).unwrap();
			assert!(due > NOW + 20 * DAY, "{item:?} {due}");
		}
		for item in Item::ALL {
			call(&collateral, item, PckCaKind::Platform).unwrap();
		}
		let broken = Collateral { tcb_info: "{}".into(), pck_crl: vec![0x30], ..collateral };
		for item in [Item::TcbInfo, Item::PckCrl] {
			assert!(matches!(next_update(&broken, item), Err(CollateralError::NoDate(_))));
		}
	}
}
